//! The read model: always a committed state, and the one that the database has, whatever happened there in between.

use std::collections::BTreeMap;
use std::time::Duration;

use alloy::primitives::{Address, U256};
use hallmark::app::{ModelKeeper, ReadModel, rebuild};
use hallmark::identity::{EvidencedSpan, Holders, TimelineRef};
use hallmark::storage::{AccountRole, Database};
use hallmark::vocab::{AgentId, Position};

use super::told::{self, ALICE, BOB, BOT, SPARE, mint, registered, transfer, wallet};
use crate::support::abi::{IIdentity, IUpgradeable};
use crate::support::databases::on_both_engines;
use crate::support::life::Draw;
use crate::support::service::{Service, state};
use crate::support::tale::{IDENTITY, KNOWN_CODE, START, Tale, time};

const PEOPLE: [Address; 5] = [ALICE, BOB, BOT, SPARE, Address::repeat_byte(0x5a)];
const AGENTS: u64 = 7;
const STEPS: u64 = 60;
/// No machine takes so long to show what was committed.
const LIMIT: Duration = Duration::from_mins(1);

/// A keeper whose model is given out however old it is.
fn keeper(database: &Database) -> ModelKeeper {
    ModelKeeper::with_age_max(database.clone(), Duration::MAX)
}

/// The model as it is held.
fn held(keeper: &ModelKeeper) -> Option<ReadModel> {
    keeper.read(ReadModel::clone)
}

/// The model as it is read anew.
async fn anew(database: &Database) -> Option<ReadModel> {
    let keeper = keeper(database);
    keeper.refresh().await.unwrap();
    held(&keeper)
}

async fn refreshed(keeper: &ModelKeeper) -> Option<ReadModel> {
    keeper.refresh().await.unwrap();
    held(keeper)
}

/// Agents that are minted, sold and given wallets, as a seed decides.
struct Story {
    draw: Draw,
    tale: Tale,
    /// The owner of each agent, as far as the events say.
    owners: Vec<Option<Address>>,
}

impl Story {
    fn someone(&mut self) -> Address {
        PEOPLE[usize::try_from(self.draw.below(PEOPLE.len() as u64)).unwrap()]
    }

    /// Something happens to one agent, or to the registry.
    fn happen(&mut self) {
        let (agent, someone) = (self.draw.below(AGENTS), self.someone());
        let owner = self.owners[usize::try_from(agent).unwrap()];
        let tale = &mut self.tale;
        match (owner, self.draw.below(12)) {
            (None, _) => {
                mint(tale, agent, someone);
                registered(tale, agent, someone, "");
                self.owners[usize::try_from(agent).unwrap()] = Some(someone);
            }
            (Some(owner), 10..12) => {
                transfer(tale, agent, owner, Address::ZERO);
                self.owners[usize::try_from(agent).unwrap()] = None;
            }
            (Some(owner), 0..2) => {
                transfer(tale, agent, owner, someone);
                self.owners[usize::try_from(agent).unwrap()] = Some(someone);
            }
            (Some(_), 2..4) => wallet(tale, agent, None),
            (Some(_), 4) => {
                let unknown = Address::repeat_byte(0x0c);
                let code = if self.draw.below(2) == 0 { KNOWN_CODE } else { unknown };
                tale.say(IDENTITY, &IUpgradeable::Upgraded { implementation: code });
            }
            (Some(_), 5) => {
                tale.answer(agent, Some(someone));
                tale.say(IDENTITY, &IIdentity::MetadataUpdate { _tokenId: U256::from(agent) });
            }
            (Some(_), _) => wallet(tale, agent, Some(someone)),
        }
    }

    /// One step of the chain: some blocks, in place of others or not.
    async fn step(&mut self) {
        let last = self.tale.last();
        if self.draw.below(4) == 0 {
            // Agents that were minted on the other branch only are minted twice, which the fold takes as a transfer.
            let depth = self.draw.below(8).min(last - START);
            self.tale.fork_at(last - depth);
        }
        if self.draw.below(3) == 0 {
            let finalized = last.saturating_sub(12).max(START);
            self.tale.settled = Some((last.saturating_sub(3).max(finalized), finalized));
        }
        self.tale.ahead = self.draw.below(3);
        for _ in 0..self.draw.below(4) {
            self.happen();
        }
        let blocks = 1 + self.draw.below(3);
        self.tale.quiet(blocks).await;
    }
}

/// Every account at the end of every block, and at places within, and every agent: the model says what the database says.
async fn equals_database(model: &ReadModel, database: &Database) {
    let mut tx = database.begin_read().await.unwrap();
    let last = model.indexed.block.number;
    for account in PEOPLE {
        for block in START - 1..=last {
            let role = AccountRole::Wallet;
            let expected = tx.agents_of(account, role, block, None, 99).await.unwrap();
            let at = Position::end_of(block);
            let found = model.directory.agents_at(account, at, None, 99);
            let place = format!("{account} at block {block}");
            assert_eq!(found.count, expected.len() as u64, "{place}");
            for (found, expected) in found.entries.iter().zip(&expected) {
                let span = &expected.span;
                assert_eq!(
                    (found.agent, found.from, found.to),
                    (expected.agent, span.from, span.to),
                    "{place}"
                );
                assert_eq!(
                    (found.cause, found.ended_by),
                    (span.record.cause, span.record.ended_by)
                );
            }
            let at = Position::new(block, 2);
            let spans = tx.spans_of(account, AccountRole::Wallet, None, 999).await.unwrap();
            let then = spans.iter().filter(|of| of.span.record.span.contains(at));
            let expected: Vec<AgentId> = then.map(|of| of.agent).collect();
            let found = model.directory.agents_at(account, at, None, 99);
            let found: Vec<AgentId> = found.entries.iter().map(|entry| entry.agent).collect();
            assert_eq!(found, expected, "{place}, within it");
        }
    }
    for agent in (0..=AGENTS).map(AgentId::from) {
        for block in START - 1..=last {
            let owner = tx.span_at(TimelineRef::Owner(agent), block).await.unwrap();
            let wallet = tx.span_at(TimelineRef::Wallet(agent), block).await.unwrap();
            let was_minted =
                tx.last_span(TimelineRef::Owner(agent), block).await.unwrap().is_some();
            let account = |span: &EvidencedSpan| span.record.value.account();
            let expected = was_minted.then(|| Holders {
                owner: owner.as_ref().and_then(account),
                wallet: wallet.as_ref().and_then(|span| Some((account(span)?, span.record.cause))),
            });
            let found = model.roster.at(agent, Position::end_of(block));
            assert_eq!(found, expected, "agent {agent} at block {block}");
        }
    }
}

on_both_engines! {
    /// Whatever is told, undone and told otherwise by another connection: the model that was kept is the one that would be read anew,
    /// and says what the database says.
    async fn the_model_keeps_up_with_any_story(fresh: Fresh) {
        let (writer, database) = (fresh.database().await, fresh.database().await);
        let owners = vec![None; usize::try_from(AGENTS).unwrap()];
        let mut story = Story { draw: Draw::new(8_004), tale: Tale::new(&writer).await, owners };
        let keeper = keeper(&database);
        assert_eq!(refreshed(&keeper).await, None, "before the first block");
        story.tale.say(IDENTITY, &IUpgradeable::Upgraded { implementation: KNOWN_CODE });
        story.tale.block().await;
        let service = Service::new(state(&database, time(9_999)));
        let (mut spans, mut reorgs, mut kept) = (0, 0, 0);
        let lobby = serde_json::json!({ "accounts": PEOPLE.map(|account| account.to_string()) });
        let lobby = lobby.to_string();
        let mut statuses = BTreeMap::<u16, u32>::new();
        for step in 0..STEPS {
            story.step().await;
            if step % 20 == 19 {
                rebuild(&writer, |_| ()).await.unwrap();
            }
            // Now and then several steps are made up for at once.
            if story.draw.below(3) == 0 {
                continue;
            }
            let model = refreshed(&keeper).await;
            assert_eq!(model, anew(&database).await, "after step {step}");
            let model = model.unwrap();
            spans = spans.max(model.directory.span_count());
            if step % 5 == 0 {
                equals_database(&model, &database).await;
                for at in ["latest", "safe", "finalized", "block:9", "time:0", &format!("time:{}", time(14).get())] {
                    service.get(&format!("/v1/wallets/{ALICE}/agents?at={at}")).await;
                }
            }
            // What was answered before is kept as it was written; each answer is compared with the database's.
            service.post("/v1/wallets/lookup", lobby.clone()).await;
            kept += service.model().read(|model| model.directory.kept_bytes()).unwrap_or_default();
            for agent in 0..=AGENTS {
                let status = service.get(&format!("/agents/8453/{agent}/did.json")).await.status;
                *statuses.entry(status).or_default() += 1;
            }
            reorgs = database.begin_read().await.unwrap().reorgs(99).await.unwrap().len();
        }
        assert!(spans > 20 && reorgs > 5, "{spans} spans and {reorgs} reorganisations prove little");
        assert!(kept > 0, "nothing was kept");
        assert!([200, 404, 410].iter().all(|status| statuses.contains_key(status)), "{statuses:?}");
    }

    /// What is written is not there before it is committed, and never where it is not.
    async fn nothing_uncommitted_is_served(fresh: Fresh) {
        let (writer, database) = (fresh.database().await, fresh.database().await);
        told::tell(&writer).await;
        let keeper = keeper(&database);
        let before = refreshed(&keeper).await.unwrap();
        let mut tx = writer.begin_write().await.unwrap();
        let (ancestor, orphaned) = (tx.block_at(9).await.unwrap().unwrap(), before.indexed);
        tx.revert_to(ancestor.stamp.block, orphaned.block).await.unwrap();
        tx.delete_spans().await.unwrap();
        assert_eq!(refreshed(&keeper).await.as_ref(), Some(&before), "while it is written");
        drop(tx);
        assert_eq!(refreshed(&keeper).await.as_ref(), Some(&before), "after it was given up");
        let mut tx = writer.begin_write().await.unwrap();
        tx.delete_spans().await.unwrap();
        tx.commit().await.unwrap();
        let after = refreshed(&keeper).await.unwrap();
        assert_eq!(after.directory.span_count(), 0, "once it is committed");
        assert_eq!(after.roster.agent_count(), 0, "once it is committed");
    }

    /// A rebuild mends what was damaged, in the model as well; a database that is emptied has none.
    async fn what_is_rewritten_is_read_again(fresh: Fresh) {
        let (writer, database) = (fresh.database().await, fresh.database().await);
        told::tell(&writer).await;
        let sound = anew(&database).await.unwrap();
        fresh.execute("DELETE FROM span WHERE kind = 'wallet' AND to_block IS NULL").await;
        let keeper = keeper(&database);
        assert!(refreshed(&keeper).await.unwrap().directory.span_count() < sound.directory.span_count());
        rebuild(&writer, |_| ()).await.unwrap();
        let mended = refreshed(&keeper).await.unwrap();
        assert_eq!((&mended.directory, &mended.roster), (&sound.directory, &sound.roster));

        let mut tx = writer.begin_write().await.unwrap();
        let binding = tx.binding().await.unwrap().unwrap();
        tx.forget_everything_of(&binding).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(refreshed(&keeper).await, None);
        told::tell(&writer).await;
        assert_eq!(refreshed(&keeper).await.unwrap().directory, sound.directory);
    }

    /// Another database in its place, with the same counts and another chain, is not taken for the same.
    async fn another_database_in_its_place_is_read_anew(fresh: Fresh) {
        let (writer, database) = (fresh.database().await, fresh.database().await);
        told::tell(&writer).await;
        let keeper = keeper(&database);
        refreshed(&keeper).await.unwrap();
        let bytes = fresh.bytes(&"ee".repeat(32));
        fresh.execute(&format!("UPDATE block SET hash = {bytes} WHERE number = 16")).await;
        fresh.execute(&format!("UPDATE chain_tag SET hash = {bytes} WHERE tag = 'indexed'")).await;
        fresh.execute("UPDATE span SET to_block = NULL, to_log = NULL, ended_by = NULL WHERE kind = 'wallet' AND from_block = 9").await;
        assert_eq!(refreshed(&keeper).await, anew(&database).await);
    }

    /// Kept by itself, the model shows what another process commits and undoes.
    async fn it_is_kept_without_being_told(fresh: Fresh) {
        let (writer, database) = (fresh.database().await, fresh.database().await);
        let mut tale = told::tell(&writer).await;
        let keeper = ModelKeeper::new(database);
        let shows = async |block: u64, count: u64| {
            let is_shown = || keeper.read(|model| {
                let found = model.directory.agents_at(SPARE, Position::end_of(block), None, 9);
                (model.indexed.block.number, found.count) == (block, count)
            });
            while is_shown() != Some(true) {
                tokio::task::yield_now().await;
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        let watched = async {
            shows(16, 0).await;
            wallet(&mut tale, 1, Some(SPARE));
            tale.block().await;
            shows(17, 1).await;
            tale.fork_at(15);
            tale.block().await;
            shows(16, 0).await;
        };
        let seen = tokio::time::timeout(LIMIT, async {
            tokio::select! {
                () = keeper.keep() => unreachable!("it is kept until it is dropped"),
                () = watched => {}
            }
        });
        assert!(Box::pin(seen).await.is_ok(), "it was not shown");
    }

    /// A model that is not known to be young is not given out: the database is asked, and its failure is the answer.
    async fn a_database_that_is_gone_is_not_covered_up(fresh: Fresh) {
        let database = fresh.database().await;
        told::tell(&database).await;
        let path = format!("/v1/wallets/{ALICE}/agents");
        let patient = Service::new(state(&database, time(20)));
        patient.ok(&path).await;
        let mut base = state(&database, time(20));
        base.model = ModelKeeper::with_age_max(database.clone(), Duration::ZERO);
        base.model.refresh().await.unwrap();
        assert!(base.model.read(|_| ()).is_none(), "it is older than it may be");
        database.close().await;
        assert!(base.model.refresh().await.is_err());
        let hasty = Service::new(base);
        let elsewhere = hasty.get("/v1/agents/0").await.status;
        assert!(elsewhere >= 500);
        assert_eq!(hasty.get(&path).await.status, elsewhere);
    }
}
