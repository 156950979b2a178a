//! Rows are deleted, changed and invented by hand; an audit names each, and mending brings back the tables that nobody touched.

use std::future::Future;
use std::pin::pin;
use std::process::{Command, Output, Stdio};
use std::task::Poll;
use std::time::Duration;

use alloy::primitives::U256;
use hallmark::app::{AppError, Repair, Repaired, Sample, audit, repair};

use super::audit::{against_chain, filter, named, offences};
use super::who;
use crate::support::anvil::{Anvil, CHAIN_ID, account};
use crate::support::databases::{Fresh, on_both_engines};
use crate::support::dump::{assert_same, dump};
use crate::support::indexer::Indexer;
use crate::support::life::{Draw, Life};
use crate::support::registries::Registries;

/// The count of rewritings, which tells who holds the record in memory, moves with each repair.
const MOVES: &[&str] = &["rewriting"];

/// A chain on which everything happened that is taken out below, all of it final.
struct Told {
    anvil: Anvil,
    registries: Registries,
    /// The blocks in which agent 2's wallet was proven, and in which it moved.
    proven: u64,
    moved: u64,
}

impl Told {
    async fn new() -> Self {
        let anvil = Anvil::spawn().await;
        let registries = Registries::deploy(&anvil).await;
        let mut life = Life::new(&registries, 9, 8).await;
        life.go_on(30).await;
        let (alice, carol) = (who("alice"), who("carol"));
        let agent = registries.agent_count_at(anvil.head().await).await;
        anvil.send(registries.register_with_uri(alice, "ipfs://one")).await;
        let wallet = account("wallet");
        let proven = anvil.send(registries.set_wallet(alice, agent, &wallet).await).await;
        for value in 1..=4 {
            anvil.send(registries.give_feedback(carol, agent, value, "tag")).await;
        }
        anvil.send(registries.append_response(alice, agent, carol, 2, "ipfs://answer")).await;
        anvil.send(registries.revoke_feedback(carol, agent, 4)).await;
        anvil.send(registries.set_operator(alice, carol, true)).await;
        let moved = anvil.send(registries.transfer(alice, who("bob"), agent)).await;
        anvil.send(registries.register(alice)).await;
        anvil.mine(70).await;
        let block = |receipt: alloy::rpc::types::TransactionReceipt| receipt.block_number.unwrap();
        assert!(agent < U256::from(10), "agents are named by one digit below");
        Self { anvil, registries, proven: block(proven), moved: block(moved) }
    }

    async fn follow(&self, fresh: &Fresh) -> Indexer {
        let indexer = Indexer::new(&self.registries, fresh.database().await);
        indexer.catch_up().await;
        indexer
    }
}

/// Mends what an audit by itself and, where asked, against the chain suspects.
async fn mend(indexer: &Indexer, against: bool) -> Result<Repaired, AppError> {
    let mut audited = audit(&indexer.database, &indexer.known, &mut |_| ()).await?;
    if against {
        audited.extend(against_chain(indexer, Sample::All).await?);
    }
    let source = indexer.source();
    let filter = filter(indexer);
    let of = Repair {
        database: &indexer.database,
        source: &source,
        filter: &filter,
        options: &indexer.options,
        known: &indexer.known,
    };
    // On the heap: test threads have small stacks, and unoptimised futures are large.
    Box::pin(repair(&of, &audited.suspects, &mut |_| ())).await
}

/// Drops a future after so many polls, unless it is ready by then.
async fn cut_after<T>(polls: u32, future: impl Future<Output = T>) -> Option<T> {
    let mut left = polls;
    let mut future = pin!(future);
    std::future::poll_fn(|context| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        future.as_mut().poll(context).map(Some)
    })
    .await
}

/// What is done to the record by hand, what an audit says of it, and whether it takes the chain to see it.
type Damage = (String, &'static str, bool);

/// Logs of the identity registry are taken out.
fn without_logs(told: &Told) -> Vec<Damage> {
    let Told { proven, moved, .. } = told;
    let events = "DELETE FROM registry_event WHERE";
    vec![
        (
            format!("{events} name = 'Registered' AND agent = '01:2'"),
            "agents-registered: the registration of agent 2 is missing",
            false,
        ),
        (
            format!("{events} registry = 'identity' AND agent = '01:2'"),
            "ids-dense: agent 2 is missing",
            false,
        ),
        (
            format!("{events} registry = 'identity' AND agent IN ('01:0', '01:1', '01:2')"),
            "ids-dense: agents 0 to 2 are missing",
            false,
        ),
        (
            format!("{events} name = 'MetadataSet' AND block = {proven}"),
            "timelines-folded: the wallet of agent ",
            false,
        ),
        (
            format!("{events} name = 'Transfer' AND block = {moved}"),
            "timelines-folded: the owner of agent ",
            false,
        ),
        (
            format!("{events} name = 'MetadataUpdate' AND block = {proven} - 1"),
            "timelines-folded: the URI of agent ",
            false,
        ),
        (format!("{events} name = 'MetadataUpdate'"), "logs-held: log ", true),
        (
            format!("{events} name = 'ApprovalForAll' AND block = {moved} - 1"),
            "timelines-folded: operator ",
            false,
        ),
        (
            format!("{events} name = 'Upgraded'"),
            "timelines-folded: the code of the identity registry",
            false,
        ),
        (
            format!("{events} block >= {proven}; DELETE FROM span WHERE from_block >= {proven}"),
            "ids-complete: agents ",
            true,
        ),
    ]
}

/// Feedback and what follows on it are taken out, or filed under something else.
fn without_feedback(told: &Told) -> Vec<Damage> {
    let Told { proven, .. } = told;
    let events = "DELETE FROM registry_event WHERE";
    vec![
        (
            format!(
                "{events} name = 'NewFeedback' AND block = (SELECT MIN(block) + 1 FROM registry_event WHERE name = 'NewFeedback' AND block > {proven})"
            ),
            "feedback-dense: feedback 2 of agent ",
            false,
        ),
        (
            format!("{events} name = 'NewFeedback' AND block > {proven}"),
            "follow-ups-have-origins: feedback 4 of agent ",
            false,
        ),
        (
            format!(
                "{events} name IN ('NewFeedback', 'ResponseAppended', 'FeedbackRevoked') AND block > {proven}"
            ),
            "logs-held: log ",
            true,
        ),
        (
            format!(
                "UPDATE registry_event SET agent = '01:1', thread = NULL WHERE block > {proven} AND name = 'NewFeedback'"
            ),
            "labels-true: log ",
            false,
        ),
    ]
}

/// Logs that never were.
fn with_foreign_logs(told: &Told, fresh: &Fresh) -> Vec<Damage> {
    let Told { moved, .. } = told;
    let hash = fresh.bytes(&"ab".repeat(32));
    let into = "INSERT INTO registry_event \
                (block, log_index, registry, name, agent, thread, tx_hash, topics, data)";
    // The agent moves again, from an owner who gave it away.
    let transfer = format!(
        "{into} SELECT block, 77, registry, name, agent, thread, tx_hash, topics, data \
         FROM registry_event WHERE block = {moved} AND name = 'Transfer'"
    );
    let undecodable = format!(
        "{into} SELECT {moved}, 78, registry, NULL, NULL, NULL, tx_hash, topics, {hash} \
         FROM registry_event WHERE name = 'ResponseAppended'"
    );
    vec![
        (transfer, "agents-handed-on: agent ", false),
        (undecodable, "logs-held: log 78 of block ", true),
    ]
}

/// Spans, blocks and tags are taken out or changed.
fn beside_logs(told: &Told, fresh: &Fresh) -> Vec<Damage> {
    let Told { proven, .. } = told;
    let ab = |count: usize| fresh.bytes(&"ab".repeat(count));
    let hash = ab(32);
    vec![
        (
            "DELETE FROM span WHERE kind = 'owner'".to_owned(),
            "timelines-folded: the owner of agent 0",
            false,
        ),
        (
            format!(
                "UPDATE span SET account = {} WHERE kind = 'wallet' AND subject = '01:2'",
                ab(20)
            ),
            "timelines-folded: the wallet of agent 2",
            false,
        ),
        (
            format!("DELETE FROM block WHERE number = {proven}"),
            "events-have-blocks: identity at block ",
            false,
        ),
        (
            format!("UPDATE block SET parent_hash = {hash} WHERE number = {proven}"),
            "blocks-linked: block at block ",
            false,
        ),
        (
            format!("UPDATE block SET hash = {hash} WHERE number = {proven}"),
            "blocks-linked: block at block ",
            false,
        ),
        (
            format!("UPDATE block SET time = 7 WHERE number = {proven}"),
            "times-forward: block at block ",
            false,
        ),
        (
            "DELETE FROM chain_tag WHERE tag = 'indexed'".to_owned(),
            "cursor-held: no cursor, though blocks are held,",
            false,
        ),
        (
            "DELETE FROM chain_tag WHERE tag = 'finalized'".to_owned(),
            "tags-ordered: there is no finalized block",
            false,
        ),
        (
            format!("UPDATE chain_tag SET hash = {hash} WHERE tag = 'finalized'"),
            "finalized-held: another block is held",
            false,
        ),
        (
            "DELETE FROM chain_tag WHERE tag = 'head'".to_owned(),
            "tags-ordered: there is a cursor, but no head",
            false,
        ),
    ]
}

on_both_engines! {
    /// Every damage is named and mended, and the tables are those that nobody touched.
    async fn what_was_taken_out_comes_back(fresh: Fresh) {
        let told = Told::new().await;
        let untouched = fresh.another().await;
        told.follow(&untouched).await;
        let expected = dump(untouched.url()).await;
        let damages =
            [without_logs(&told), without_feedback(&told), with_foreign_logs(&told, fresh), beside_logs(&told, fresh)].concat();
        for (damage, named_so, against) in damages {
            let other = fresh.another().await;
            let indexer = told.follow(&other).await;
            other.execute(&damage).await;
            let mut found = offences(&indexer).await;
            if against {
                assert!(!found.iter().any(|offence| offence.starts_with(named_so)), "{damage}: {found:?}");
                found = named(&against_chain(&indexer, Sample::All).await.unwrap());
            }
            assert!(found.iter().any(|offence| offence.starts_with(named_so)), "{damage}: {found:?}");
            let mended = mend(&indexer, against).await.unwrap_or_else(|e| panic!("{damage}: {e}"));
            assert!(!mended.done.is_empty(), "{damage}");
            assert_eq!(mended.left, [""; 0], "{damage}");
            assert_same(&dump(other.url()).await, &expected, MOVES, &damage);
            assert_eq!(offences(&indexer).await, [""; 0], "{damage}");
            assert_eq!(named(&against_chain(&indexer, Sample::All).await.unwrap()), [""; 0], "{damage}");
            // There is nothing to be done a second time.
            assert_eq!(mend(&indexer, true).await.unwrap(), Repaired::default(), "{damage}");
        }
    }

    /// Under code that nobody knows, and after reorganisations, a sound record is sound; answers that were lost are asked for again.
    async fn answers_of_the_contract_come_back(fresh: Fresh) {
        let anvil = Anvil::spawn().await;
        let registries = Registries::deploy(&anvil).await;
        let indexer = Indexer::new(&registries, fresh.database().await);
        let mut life = Life::new(&registries, 77, 8).await.with_upgrades().await;
        for depth in [3, 9] {
            life.go_on(40).await;
            indexer.catch_up().await;
            anvil.reorg(depth).await;
        }
        anvil.mine(70).await;
        indexer.catch_up().await;
        assert_eq!(offences(&indexer).await, [""; 0]);
        assert_eq!(named(&against_chain(&indexer, Sample::All).await.unwrap()), [""; 0]);
        let sound = dump(fresh.url()).await;
        for damage in [
            "DELETE FROM observation WHERE kind = 'wallet' AND subject = '01:1'",
            "DELETE FROM observation WHERE kind = 'wallet' AND subject = '01:1'; \
             DELETE FROM registry_event WHERE registry = 'identity' AND agent = '01:1'",
        ] {
            fresh.execute(damage).await;
            assert_ne!(offences(&indexer).await, [""; 0], "{damage}");
            let mut rounds = 0;
            while !mend(&indexer, false).await.unwrap().done.is_empty() {
                rounds += 1;
                assert!(rounds < 4, "{damage}");
            }
            assert_same(&dump(fresh.url()).await, &sound, MOVES, damage);
            assert_eq!(offences(&indexer).await, [""; 0], "{damage}");
        }
    }

    /// Where the record and the chain have two different logs at one place, nothing is changed, and both are named.
    async fn two_logs_at_one_place_stop_everything(fresh: Fresh) {
        let told = Told::new().await;
        let indexer = told.follow(fresh).await;
        let wrong = fresh.bytes(&"ab".repeat(32));
        fresh
            .execute(&format!(
                "UPDATE registry_event SET tx_hash = {wrong} WHERE block = {} AND name = 'Transfer'; \
                 DELETE FROM registry_event WHERE name = 'ApprovalForAll'",
                told.moved
            ))
            .await;
        let before = dump(fresh.url()).await;
        let error = mend(&indexer, true).await.unwrap_err();
        let AppError::Contradiction { place, ours, theirs } = &error else { panic!("{error:?}") };
        assert!(place.ends_with(&format!("of block {}", told.moved)), "{place}");
        assert!(ours.contains("abababab") && !theirs.contains("abababab"), "{ours} {theirs}");
        assert_same(&dump(fresh.url()).await, &before, &[], "after a contradiction");
    }

    /// What is not final yet is left, and said.
    async fn what_is_not_final_is_left(fresh: Fresh) {
        let told = Told::new().await;
        let indexer = told.follow(fresh).await;
        let block = told.anvil.head().await - 3;
        fresh.execute(&format!("DELETE FROM block WHERE number = {block}")).await;
        let before = dump(fresh.url()).await;
        let mended = mend(&indexer, false).await.unwrap();
        assert_eq!(mended.done, [""; 0]);
        assert!(mended.left[0].starts_with(&format!("blocks {block} to {block} are not final yet")));
        assert_same(&dump(fresh.url()).await, &before, &[], "after nothing");
        // Later it is.
        told.anvil.mine(70).await;
        assert_ne!(mend(&indexer, false).await.unwrap().done, [""; 0]);
        assert_eq!(offences(&indexer).await, [""; 0]);
    }

    /// Cut short wherever it waits, the record is as it was, or mended.
    async fn cut_short_it_is_as_before_or_mended(fresh: Fresh) {
        let told = Told::new().await;
        let untouched = fresh.another().await;
        told.follow(&untouched).await;
        let mended = dump(untouched.url()).await;
        let indexer = told.follow(fresh).await;
        fresh.execute(&format!("DELETE FROM registry_event WHERE block >= {}", told.proven)).await;
        let damaged = dump(fresh.url()).await;
        // How often it is polled depends on how busy the machine is: the steps grow with the way gone.
        let mut polls = 1_u32;
        let mut cuts = 0_u32;
        while cut_after(polls, mend(&indexer, true)).await.map(Result::unwrap).is_none() {
            // Whatever was open is given back first.
            drop(indexer.database.begin_write().await.unwrap());
            let found = dump(fresh.url()).await;
            if found["registry_event"] == mended["registry_event"] {
                assert_same(&found, &mended, MOVES, "mended before the cut");
            } else {
                assert_same(&found, &damaged, &[], &format!("cut after {polls} polls"));
            }
            cuts += 1;
            polls += 1 + polls / 6;
        }
        assert!(cuts > 8, "{cuts}");
        assert_same(&dump(fresh.url()).await, &mended, MOVES, "in the end");
    }

    /// The command: exit codes, a name for each check, refused beside a follower, and killed whenever.
    async fn the_command_mends_or_says_why_not(fresh: Fresh) {
        let told = Told::new().await;
        let indexer = told.follow(fresh).await;
        let sound = dump(fresh.url()).await;
        let damage = format!("DELETE FROM registry_event WHERE name = 'Transfer' AND block = {}", told.moved);
        let run = |line: &str| {
            command(&told, fresh, line).stdout(Stdio::piped()).stderr(Stdio::piped()).output().unwrap()
        };
        let code = |output: &Output| output.status.code().unwrap();
        assert_eq!(code(&run("audit")), 0);

        fresh.execute(&damage).await;
        let damaged = dump(fresh.url()).await;
        let audited = run("audit --json");
        assert_eq!(code(&audited), 3);
        let lines: Vec<serde_json::Value> = lines(&audited);
        let wrong: Vec<_> = lines.iter().filter(|line| line["verdict"] == "wrong").collect();
        assert_eq!(wrong.len(), 1, "{wrong:?}");
        assert_eq!((&wrong[0]["check"], &wrong[0]["ok"]), (&"timelines-folded".into(), &false.into()));

        // Beside a follower an audit runs, and a repair does not.
        let lock = indexer.database.lock_writer().await.unwrap();
        assert_eq!(code(&run("audit --against-chain --sample 3 --seed 7")), 3);
        let refused = run("audit --repair");
        let said = String::from_utf8(refused.stderr.clone()).unwrap();
        assert_eq!(code(&refused), 1);
        assert!(said.contains("another hallmark follows") && said.contains("hint: stop the follower"), "{said}");
        drop(lock);
        assert_same(&dump(fresh.url()).await, &damaged, &[], "after a refusal");

        let mut draw = Draw::new(3);
        for _ in 0..8 {
            let mut child = command(&told, fresh, "audit --repair").spawn().unwrap();
            tokio::time::sleep(Duration::from_millis(draw.below(400))).await;
            child.kill().unwrap();
            child.wait().unwrap();
            let found = dump(fresh.url()).await;
            if found["registry_event"] == sound["registry_event"] {
                assert_same(&found, &sound, MOVES, "mended before the cut");
            } else {
                assert_same(&found, &damaged, &[], "killed");
            }
        }
        assert_eq!(code(&run("audit --repair")), 0);
        assert_same(&dump(fresh.url()).await, &sound, MOVES, "in the end");
        fresh.execute(&damage).await;
        let mended = run("audit --repair --against-chain --all --json");
        assert_eq!(code(&mended), 0);
        let lines: Vec<serde_json::Value> = self::lines(&mended);
        assert!(lines.iter().any(|line| line["mended"].as_str().is_some_and(|m| m.ends_with("put in: a Transfer"))));
        assert_same(&dump(fresh.url()).await, &sound, MOVES, "mended by the command");
    }
}

fn lines(output: &Output) -> Vec<serde_json::Value> {
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The program on this chain and this database.
fn command(told: &Told, fresh: &Fresh, line: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hallmark"));
    for (name, _) in hallmark::config::environment() {
        if name.to_string_lossy().starts_with("HALLMARK_") {
            command.env_remove(name);
        }
    }
    let registries = &told.registries;
    let codes: Vec<String> = registries.implementations.iter().map(ToString::to_string).collect();
    command
        .args(line.split_whitespace())
        .env("HALLMARK_CHAIN", "custom")
        .env("HALLMARK_CHAIN_ID", CHAIN_ID.to_string())
        .env("HALLMARK_START_BLOCK", registries.first_block().to_string())
        .env("HALLMARK_IDENTITY_REGISTRY", registries.identity.to_string())
        .env("HALLMARK_REPUTATION_REGISTRY", registries.reputation.to_string())
        .env("HALLMARK_VALIDATION_REGISTRY", registries.validation.to_string())
        .env("HALLMARK_KNOWN_IMPLEMENTATIONS", codes.join(","))
        .env("HALLMARK_RPC_URL", told.anvil.http_url())
        .env("HALLMARK_DATABASE_URL", fresh.url())
        .env("HALLMARK_LOG", "warn")
        .current_dir(std::env::temp_dir())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command
}
