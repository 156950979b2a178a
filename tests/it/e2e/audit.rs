//! An audit finds nothing on a sound record, and names what was tampered with, by itself or by asking the chain.

use hallmark::app::{AgainstChain, AppError, Audited, Sample, Verdict, audit, audit_against_chain};
use hallmark::chain::{ChainSource, LogFilter};

use super::busy::Busy;
use super::who;
use crate::support::anvil::Anvil;
use crate::support::databases::{Fresh, on_both_engines};
use crate::support::indexer::Indexer;
use crate::support::life::Life;
use crate::support::registries::Registries;

/// Everything that an audit by itself says is wrong, each after its check's name.
pub(super) async fn offences(indexer: &Indexer) -> Vec<String> {
    named(&audit(&indexer.database, &indexer.known, &mut |_| ()).await.unwrap())
}

/// The offences, each after its check's name.
pub(super) fn named(audited: &Audited) -> Vec<String> {
    let of = |check: &hallmark::app::Checked| -> Vec<String> {
        check.offences.iter().map(|offence| format!("{}: {offence}", check.id)).collect()
    };
    audited.checks.iter().flat_map(of).collect()
}

/// The logs that are followed.
pub(super) fn filter(indexer: &Indexer) -> LogFilter {
    let addresses = indexer.binding.registries.iter().map(|r| r.at.address).collect();
    LogFilter { addresses, topics: Vec::new() }
}

/// Asks the node.
pub(super) async fn against_chain(indexer: &Indexer, sample: Sample) -> Result<Audited, AppError> {
    against(indexer, &indexer.source(), sample).await
}

/// Asks a source of the test's own.
async fn against<S: ChainSource>(
    indexer: &Indexer,
    source: &S,
    sample: Sample,
) -> Result<Audited, AppError> {
    let asked = AgainstChain {
        database: &indexer.database,
        source,
        filter: &filter(indexer),
        options: &indexer.options,
        known: &indexer.known,
        sample,
        calls_per_batch: 10,
    };
    // On the heap: test threads have small stacks, and unoptimised futures are large.
    Box::pin(audit_against_chain(&asked, &mut |_| ())).await
}

fn check<'a>(audited: &'a Audited, id: &str) -> &'a hallmark::app::Checked {
    audited.checks.iter().find(|check| check.id == id).unwrap_or_else(|| panic!("no {id}"))
}

/// A statement that does damage, and what an audit then says; nothing where nothing was done.
type Damage = (String, Option<String>);

fn of_spans(fresh: &Fresh) -> Vec<Damage> {
    let agent_text = |agent: u64| format!("subject LIKE '%{agent}' AND length(subject) > 2");
    vec![
            ("SELECT 'nothing'".to_owned(), None),
            (
                format!("DELETE FROM span WHERE kind = 'owner' AND {}", agent_text(3)),
                Some("timelines-folded: the owner of agent 3".to_owned()),
            ),
            (
                format!("UPDATE span SET to_block = from_block - 1, to_log = 0 WHERE kind = 'wallet' AND to_block IS NULL AND {}", agent_text(2)),
                Some("spans-forward: wallet 01:2 at block ".to_owned()),
            ),
            (
                "UPDATE span SET to_block = to_block + 1000 WHERE kind = 'wallet' AND to_block IS NOT NULL".to_owned(),
                Some("spans-disjoint: wallet ".to_owned()),
            ),
            (
                "UPDATE span SET cause = 'whim' WHERE kind = 'owner'".to_owned(),
                Some("timelines-folded: table span, column cause: ".to_owned()),
            ),
            (
                format!("UPDATE span SET account = {} WHERE kind = 'wallet' AND to_block IS NULL", fresh.bytes(&"cd".repeat(20))),
                Some("timelines-folded: the wallet of agent ".to_owned()),
            ),
    ]
}

fn of_blocks(fresh: &Fresh, head: u64) -> Vec<Damage> {
    let other_hash = fresh.bytes(&"ab".repeat(32));
    vec![
        (
            format!("UPDATE block SET parent_hash = {other_hash} WHERE number = {}", head - 3),
            Some(format!("blocks-linked: block at block {}", head - 3)),
        ),
        (
            format!("DELETE FROM block WHERE number = {}", head - 3),
            Some(format!("headers-whole: after block at block {}", head - 4)),
        ),
        (
            format!(
                "INSERT INTO block (number, hash, time) VALUES ({}, {other_hash}, 9999999999)",
                head + 1
            ),
            Some(format!("nothing-above-cursor: block at block {}", head + 1)),
        ),
        (
            format!("UPDATE chain_tag SET hash = {other_hash} WHERE tag = 'indexed'"),
            Some(format!("cursor-held: cursor at block {head}")),
        ),
        (
            "UPDATE chain_tag SET number = number + 100 WHERE tag = 'safe'".to_owned(),
            Some("tags-ordered: safe is block ".to_owned()),
        ),
    ]
}

fn of_events() -> Vec<Damage> {
    vec![
        (
            "DELETE FROM registry_event WHERE name = 'Registered' AND agent = '01:2'".to_owned(),
            Some("agents-registered: the registration of agent 2 is missing".to_owned()),
        ),
        (
            "DELETE FROM registry_event WHERE registry = 'identity' AND agent = '01:2'".to_owned(),
            Some("ids-dense: agent 2 is missing".to_owned()),
        ),
        (
            "UPDATE registry_event SET agent = '01:1' WHERE name = 'Registered' AND agent = '01:2'"
                .to_owned(),
            Some("labels-true: log ".to_owned()),
        ),
    ]
}

on_both_engines! {
    /// Each damage is done to a sound record and found.
    async fn damage_is_found(fresh: Fresh) {
        let anvil = Anvil::spawn().await;
        let registries = Registries::deploy(&anvil).await;
        let mut life = Life::new(&registries, 5, 10).await;
        life.go_on(60).await;
        anvil.reorg(4).await;
        anvil.send(registries.register(who("alice"))).await;
        let head = anvil.head().await;
        let agents: u64 = registries.agent_count_at(head).await.to();
        assert!(agents > 5);
        let damages = [of_spans(fresh), of_blocks(fresh, head), of_events()].concat();
        for (damage, found) in damages {
            let other = fresh.another().await;
            let indexer = Indexer::new(&registries, other.database().await);
            indexer.catch_up().await;
            let sound = audit(&indexer.database, &indexer.known, &mut |_| ()).await.unwrap();
            assert_eq!((named(&sound), sound.verdict()), (vec![], Verdict::Sound));
            assert_eq!(check(&sound, "ids-dense").looked_at, Some(agents));
            assert!(sound.suspects.is_empty());
            other.execute(&damage).await;
            let audited = audit(&indexer.database, &indexer.known, &mut |_| ()).await.unwrap();
            let offences = named(&audited);
            assert_eq!(audited.suspects.is_empty(), found.is_none(), "{damage}");
            match found {
                None => assert_eq!(offences, [""; 0]),
                Some(found) => {
                    assert!(offences.iter().any(|o| o.starts_with(&found)), "{damage}: {offences:?}");
                }
            }
        }
    }

    /// A wallet that the record has wrong is found by asking the contract; a sound record agrees on every agent and every log.
    async fn the_contract_is_the_judge(fresh: Fresh) {
        let anvil = Anvil::spawn().await;
        let registries = Registries::deploy(&anvil).await;
        let indexer = Indexer::new(&registries, fresh.database().await);
        let mut life = Life::new(&registries, 6, 10).await;
        life.go_on(60).await;
        anvil.mine(70).await;
        indexer.catch_up().await;
        let agents: u64 = registries.agent_count_at(anvil.head().await).await.to();
        let audited = against_chain(&indexer, Sample::All).await.unwrap();
        assert_eq!((named(&audited), audited.verdict()), (vec![], Verdict::Sound));
        let ids: Vec<_> = audited.checks.iter().map(|check| check.id).collect();
        assert_eq!(ids, ["same-chain", "ids-complete", "contract-answers", "logs-held"]);
        assert_eq!(check(&audited, "contract-answers").looked_at, Some(agents));
        let events = fresh.rows("SELECT CAST(COUNT(*) AS TEXT) FROM registry_event").await;
        assert_eq!(check(&audited, "logs-held").looked_at.unwrap().to_string(), events[0]);
        assert_eq!(
            check(&audited, "ids-complete").note.as_deref(),
            Some("the counter in its storage agrees")
        );
        let some = against_chain(&indexer, Sample::Drawn { count: 2, seed: 1 }).await.unwrap();
        assert_eq!(check(&some, "contract-answers").looked_at, Some(2));

        let wrong = fresh.bytes(&"ab".repeat(20));
        fresh
            .execute(&format!(
                "UPDATE span SET account = {wrong} WHERE kind = 'wallet' AND to_block IS NULL \
                 AND subject IN (SELECT MAX(subject) FROM span WHERE kind = 'owner')"
            ))
            .await;
        let offences = named(&against_chain(&indexer, Sample::All).await.unwrap());
        let last = agents - 1;
        let said = format!("contract-answers: agent {last}: the wallet is 0xABaBaBaBABabABabAbAbABAbABabababaBaBABaB here, ");
        assert_eq!(offences.len(), 1, "{offences:?}");
        assert!(offences[0].starts_with(&said), "{offences:?}");

        // The newest agent and the newest feedback leave no gap; only the chain knows of them.
        fresh
            .execute(&format!(
                "DELETE FROM registry_event WHERE registry = 'identity' AND agent = '01:{last}'; \
                 DELETE FROM span WHERE subject = '01:{last}'"
            ))
            .await;
        let by_itself = offences_but_feedback(&indexer).await;
        assert_eq!(by_itself, [""; 0]);
        let offences = named(&against_chain(&indexer, Sample::All).await.unwrap());
        let missing = format!("ids-complete: agents {last} to {last} are missing");
        assert!(offences.contains(&missing), "{offences:?}");
        assert!(offences.iter().any(|o| o.starts_with("logs-held: log ") && o.ends_with(" is missing here")));
    }

    /// A contract without the functions, and a node that is of another chain or not there, cannot say; that is not "right".
    async fn what_cannot_be_said_is_not_right(fresh: Fresh) {
        let anvil = Anvil::spawn().await;
        let registries = Registries::deploy(&anvil).await;
        let indexer = Indexer::new(&registries, fresh.database().await);
        anvil.send(registries.register(who("alice"))).await;
        let elsewhere = registries.implementations[1];
        anvil.send(registries.upgrade_identity(elsewhere)).await;
        anvil.mine(70).await;
        indexer.catch_up().await;
        let audited = against_chain(&indexer, Sample::All).await.unwrap();
        assert_eq!(audited.verdict(), Verdict::Unsaid);
        let unsaid = |id| check(&audited, id).unsaid.clone().unwrap_or_default();
        assert_eq!(unsaid("ids-complete"), "the contract knows no owner of any agent");
        assert_eq!(unsaid("contract-answers"), "the contract refuses getAgentWallet (of 1 agents)");

        let other = Anvil::spawn_with_chain_id(99).await;
        let mut misled = indexer.clone();
        misled.url = other.http_url();
        let audited = against_chain(&misled, Sample::All).await.unwrap();
        assert_eq!(named(&audited), ["same-chain: the node follows eip155:99"]);
        "http://127.0.0.1:1/".clone_into(&mut misled.url);
        let audited = against_chain(&misled, Sample::All).await.unwrap();
        assert_eq!((audited.checks.len(), audited.verdict()), (1, Verdict::Unsaid));
    }

    /// Ranges of logs are read four at a time, and whichever is answered first, what differs is told in the chain's order, once; a range
    /// that cannot be read ends the check, and what was found below it is said.
    async fn ranges_are_read_together_and_told_in_order(fresh: Fresh) {
        let anvil = Anvil::spawn().await;
        let registries = Registries::deploy(&anvil).await;
        let mut indexer = Indexer::new(&registries, fresh.database().await);
        let mut life = Life::new(&registries, 7, 10).await;
        life.go_on(60).await;
        anvil.mine(70).await;
        indexer.catch_up().await;
        indexer.options.range_max = 5;
        let count = fresh.rows("SELECT CAST(COUNT(*) AS TEXT) FROM registry_event").await;
        let places = "SELECT DISTINCT CAST(block AS TEXT) FROM registry_event";
        let mut blocks: Vec<u64> =
            fresh.rows(places).await.iter().map(|block| block.parse().unwrap()).collect();
        blocks.sort_unstable();
        assert!(blocks.len() > 20, "{blocks:?}");
        let gone = [blocks[3], blocks[blocks.len() / 2], blocks[blocks.len() - 2]];
        for block in gone {
            fresh.execute(&format!("DELETE FROM registry_event WHERE block = {block}")).await;
        }
        let missing = |audited: &Audited| -> Vec<u64> {
            let of = |offence: &String| {
                let (_, rest) = offence.split_once(" of block ").unwrap();
                rest.split_once(" is missing here").unwrap().0.parse().unwrap()
            };
            let mut blocks: Vec<u64> = check(audited, "logs-held").offences.iter().map(of).collect();
            blocks.dedup();
            blocks
        };
        let busy = Busy::new(indexer.source());
        let audited = against(&indexer, &busy, Sample::All).await.unwrap();
        assert_eq!(missing(&audited), gone);
        assert_eq!(check(&audited, "logs-held").looked_at.unwrap().to_string(), count[0]);
        assert_eq!(busy.most_at_once(), 4);
        assert!(busy.was_overtaken(), "answers came in the order of the questions, which proves little");

        let busy = Busy::failing_from(indexer.source(), gone[2]);
        let audited = against(&indexer, &busy, Sample::All).await.unwrap();
        assert_eq!(missing(&audited), gone[..2]);
        assert!(check(&audited, "logs-held").unsaid.as_deref().unwrap().contains("told to fail"));
    }

    /// An audit reads one state while a writer goes on, and neither waits for the other.
    async fn an_audit_runs_beside_a_writer(fresh: Fresh) {
        let anvil = Anvil::spawn().await;
        let registries = Registries::deploy(&anvil).await;
        let indexer = Indexer::new(&registries, fresh.database().await);
        anvil.send(registries.register(who("alice"))).await;
        indexer.catch_up().await;
        let mut writer = indexer.database.begin_write().await.unwrap();
        writer.delete_spans().await.unwrap();
        assert_eq!(offences(&indexer).await, [""; 0]);
        drop(writer);
    }
}

/// What a record says is wrong of itself, but for feedback on an agent that was taken out.
async fn offences_but_feedback(indexer: &Indexer) -> Vec<String> {
    let mut found = offences(indexer).await;
    found.retain(|offence| !offence.starts_with("follow-ups"));
    found
}
