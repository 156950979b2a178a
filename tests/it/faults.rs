//! A step is stored whole or not at all: every row that it writes is made to fail in turn, and the step is dropped at every await.
//!
//! The step has everything in it: a way back, blocks, logs, answers of the contract, spans that end and begin, tags and the cursor.
//! After each failure the tables are as they were, and the same step can be applied again; after a commit that nobody heard of, it
//! cannot, and nothing changes either.

use std::collections::BTreeSet;
use std::future::poll_fn;
use std::ops::RangeInclusive;
use std::pin::pin;
use std::task::Poll;

use alloy::primitives::{Address, B256, Bytes, U256};
use hallmark::app::{AppError, Applied, Ingest};
use hallmark::chain::{
    BlockTag, ChainError, ChainSource, ChainStep, ChainTags, LogFilter, RangeLogs, Stretch,
};
use hallmark::registry::KnownImplementations;
use hallmark::storage::{Binding, Database, Registry, StorageError};
use hallmark::vocab::{BlockRef, ChainId, Header, RawLog, RegistryKind, RegistryRef};

use crate::sim::content::{IDENTITY, KNOWN, REPUTATION, Shape, State};
use crate::sim::model::Model;
use crate::support::databases::{Fresh, on_both_engines};
use crate::support::dump::{Dump, differences, dump};

const CHAIN: ChainId = ChainId(31_337);
/// The tables that a step writes to, as the faults must find them.
const WRITTEN: [&str; 6] = ["block", "chain_tag", "observation", "registry_event", "reorg", "span"];
/// Counts rows down, in the transaction that writes them.
const COUNTER: &str = "
    CREATE TABLE fault (remaining BIGINT NOT NULL); INSERT INTO fault VALUES (0)";
const COUNTER_SQLITE: &str = "
    CREATE TABLE fault (remaining INTEGER NOT NULL) STRICT; INSERT INTO fault VALUES (0)";
const FAULT_POSTGRES: &str = "
    CREATE FUNCTION fault() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        UPDATE fault SET remaining = remaining - 1;
        IF (SELECT remaining FROM fault) = 0 THEN
            RAISE EXCEPTION 'fault in %', TG_TABLE_NAME;
        END IF;
        IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
        RETURN NEW;
    END $$";

/// A chain that was replaced, and what an applier of its two steps needs.
struct Story {
    model: Model,
    first: ChainStep,
    second: ChainStep,
}

impl Story {
    fn new() -> Self {
        let shape = Shape { busy_percent: 90, operations_max: 4, upgrade_percent: 10 };
        let mut model = Model::new(7, shape, State::new(KNOWN), 0, None);
        model.grow(12);
        model.settle(3, 5);
        let first = step(&model, None);
        model.reorg(7, 8);
        model.settle(4, 6);
        let second = step(&model, Some(7));
        Self { model, first, second }
    }

    async fn applied(&self, ingest: &Ingest) -> BlockRef {
        let applied = ingest.apply(self, &self.first, None).await.unwrap();
        applied.cursor.unwrap()
    }
}

fn step(model: &Model, above: Option<u64>) -> ChainStep {
    let from = above.unwrap_or(0) + 1;
    let blocks = || model.chain.blocks.iter().filter(|b| b.header.block.number >= from);
    let headers: Vec<Header> = blocks().map(|block| block.header.clone()).collect();
    let logs = blocks().flat_map(|block| block.logs.clone()).collect();
    let through = headers.last().unwrap().clone();
    ChainStep {
        revert_to: above.map(|number| model.chain.at(number).unwrap().header.block),
        extend: Some(Stretch { from, through, headers, logs }),
        tags: model.tags(),
    }
}

async fn ingest(database: &Database) -> Ingest {
    let at = |address| RegistryRef { chain: CHAIN, address };
    let of = |kind, address| Registry { kind, at: at(address), start_block: 1 };
    let registries =
        vec![of(RegistryKind::Identity, IDENTITY), of(RegistryKind::Reputation, REPUTATION)];
    let binding = Binding { chain: CHAIN, registries };
    let mut tx = database.begin_write().await.unwrap();
    tx.bind(&binding).await.unwrap();
    tx.commit().await.unwrap();
    Ingest { database: database.clone(), binding, known: KnownImplementations::default() }
}

/// Only answers questions about wallets.
impl ChainSource for Story {
    async fn call(&self, _: Address, input: Bytes, at: BlockRef) -> Result<Bytes, ChainError> {
        let agent = U256::from_be_slice(&input[4..]);
        let wallet = self.model.known(at.hash).unwrap().state.wallet(agent);
        Ok(wallet.into_word().into())
    }

    async fn chain_id(&self) -> Result<ChainId, ChainError> {
        unreachable!("a step is applied without it")
    }

    async fn tags(&self) -> Result<ChainTags, ChainError> {
        unreachable!("a step is applied without them")
    }

    async fn header(&self, _: BlockTag) -> Result<Option<Header>, ChainError> {
        unreachable!("a step is applied without it")
    }

    async fn headers(&self, _: &[u64]) -> Result<Vec<Header>, ChainError> {
        unreachable!("a step is applied without them")
    }

    async fn logs_in(
        &self,
        _: &LogFilter,
        _: RangeInclusive<u64>,
    ) -> Result<RangeLogs, ChainError> {
        unreachable!("a step is applied without them")
    }

    async fn logs_of(&self, _: &LogFilter, _: BlockRef) -> Result<Vec<RawLog>, ChainError> {
        unreachable!("a step is applied without them")
    }

    async fn code(&self, _: Address) -> Result<Bytes, ChainError> {
        unreachable!("a step is applied without it")
    }

    async fn storage(&self, _: Address, _: B256, _: BlockTag) -> Result<B256, ChainError> {
        unreachable!("a step is applied without it")
    }

    async fn wait_for_head(&self) {
        unreachable!("a step is applied without it")
    }
}

/// Puts a fault on every table, to strike when the counter comes to nought.
async fn put_faults(fresh: &Fresh) {
    let tables: Vec<String> = dump(fresh.url()).await.into_keys().collect();
    let sqlite = fresh.is_sqlite();
    fresh.execute(if sqlite { COUNTER_SQLITE } else { COUNTER }).await;
    if !sqlite {
        fresh.execute(FAULT_POSTGRES).await;
    }
    for table in tables {
        for event in ["INSERT", "UPDATE", "DELETE"] {
            let trigger = format!("CREATE TRIGGER fault_{table}_{event} BEFORE {event} ON {table}");
            let then = if sqlite {
                format!(
                    "BEGIN
                         UPDATE fault SET remaining = remaining - 1;
                         SELECT RAISE(ABORT, 'fault in {table}') WHERE (SELECT remaining FROM fault) = 0;
                     END"
                )
            } else {
                "FOR EACH ROW EXECUTE FUNCTION fault()".to_owned()
            };
            fresh.execute(&format!("{trigger} {then}")).await;
        }
    }
}

fn assert_unchanged(found: &Dump, expected: &Dump, what: &str) {
    let differences = differences(found, expected, &["fault"]);
    assert!(differences.is_empty(), "{what}: {differences}");
}

fn told(error: &AppError) -> String {
    let causes = std::iter::successors(Some(error as &dyn std::error::Error), |e| e.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

/// What the step leads to where nothing fails.
async fn undisturbed(story: &Story, fresh: &Fresh) -> (Dump, Applied) {
    let fresh = fresh.another().await;
    let database = fresh.database().await;
    let ingest = ingest(&database).await;
    let cursor = story.applied(&ingest).await;
    put_faults(&fresh).await;
    let applied = ingest.apply(story, &story.second, Some(cursor)).await.unwrap();
    (dump(fresh.url()).await, applied)
}

on_both_engines! {
    /// Each row in turn fails; all rows before it, in whichever table, are gone again.
    async fn every_write_of_a_step_may_fail(fresh: Fresh) {
        let story = Story::new();
        let (expected, applied) = undisturbed(&story, fresh).await;
        assert!(applied.undone_count > 0 && applied.observation_count > 0, "{applied:?}");
        assert!(applied.undecoded_count > 0 && applied.log_count > applied.undecoded_count);
        let database = fresh.database().await;
        let ingest = ingest(&database).await;
        let cursor = story.applied(&ingest).await;
        put_faults(fresh).await;
        let before = dump(fresh.url()).await;
        let mut struck = BTreeSet::new();
        let mut row = 0;
        loop {
            row += 1;
            fresh.execute(&format!("UPDATE fault SET remaining = {row}")).await;
            match ingest.apply(&story, &story.second, Some(cursor)).await {
                Ok(again) => {
                    assert_eq!(again, applied);
                    break;
                }
                Err(error) => {
                    let told = told(&error);
                    let (_, table) = told.split_once("fault in ").expect(&told);
                    let end = table.find(|c: char| !c.is_alphanumeric() && c != '_');
                    struck.insert(table[..end.unwrap_or(table.len())].to_owned());
                }
            }
            assert_unchanged(&dump(fresh.url()).await, &before, &format!("row {row}"));
        }
        assert!(struck.iter().eq(WRITTEN.iter()), "faults struck in {struck:?}");
        assert_unchanged(&dump(fresh.url()).await, &expected, "applied in the end");
    }

    /// Whoever repeats a step that was stored after all is told so, and starts again from what is stored.
    async fn a_step_that_was_stored_is_not_stored_again(fresh: Fresh) {
        let mut story = Story::new();
        let database = fresh.database().await;
        let ingest = ingest(&database).await;
        let mut cursor = None;
        for step in [&story.first, &story.second] {
            let stored = ingest.apply(&story, step, cursor).await.unwrap().cursor;
            let after = dump(fresh.url()).await;
            let error = ingest.apply(&story, step, cursor).await.unwrap_err();
            let AppError::Storage { source, .. } = &error else { panic!("{error:?}") };
            assert!(matches!(source, StorageError::Conflict { .. }), "{error:?}");
            assert_unchanged(&dump(fresh.url()).await, &after, "repeated");
            let tags = database.begin_read().await.unwrap().tags().await.unwrap();
            cursor = tags.indexed.map(|stamp| stamp.block);
            assert_eq!(cursor, stored);
        }
        let height = story.model.chain.height();
        story.model.grow(3);
        let next = ChainStep { revert_to: None, ..step(&story.model, Some(height)) };
        let applied = ingest.apply(&story, &next, cursor).await.unwrap();
        assert_eq!(applied.cursor, Some(story.model.chain.head().header.block));
    }

    /// The process dies, as far as the database can tell, at one await after the other.
    async fn a_step_may_be_dropped_at_any_await(fresh: Fresh) {
        let story = Story::new();
        let (expected, _) = undisturbed(&story, fresh).await;
        let mut dropped = 0;
        let mut polls_max = 1_u32;
        let mut place = fresh.another().await;
        let mut database = place.database().await;
        let mut cursor = story.applied(&ingest(&database).await).await;
        let before = dump(place.url()).await;
        // How many polls a step takes depends on the engine, and on how fast it answers.
        while polls_max < 500 {
            let ingest = ingest(&database).await;
            let ended = poll_some(ingest.apply(&story, &story.second, Some(cursor)), polls_max).await;
            dropped += u32::from(ended.is_none());
            while database.lent_count() > 0 {
                tokio::task::yield_now().await;
            }
            let found = dump(place.url()).await;
            if ended.is_none() && differences(&found, &before, &[]).is_empty() {
                polls_max += 1 + polls_max / 4;
                continue;
            }
            let [found, expected] = [&found, &expected].map(without_counter);
            assert_unchanged(&found, &expected, "stored, so all of it");
            if ended.is_none() {
                // Dropped between the commit and the news of it.
                let error = ingest.apply(&story, &story.second, Some(cursor)).await.unwrap_err();
                let AppError::Storage { source, .. } = &error else { panic!("{error:?}") };
                assert!(matches!(source, StorageError::Conflict { .. }), "{error:?}");
            }
            database.close().await;
            place = fresh.another().await;
            database = place.database().await;
            cursor = story.applied(&self::ingest(&database).await).await;
            polls_max += 1 + polls_max / 4;
        }
        assert!(dropped > 0, "it was never dropped");
    }
}

/// Polls a future so often at most; `None` where it did not end by then.
async fn poll_some<T>(future: impl Future<Output = T>, polls_max: u32) -> Option<T> {
    let mut future = pin!(future);
    let mut polls = 0;
    poll_fn(|context| {
        polls += 1;
        match future.as_mut().poll(context) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            Poll::Pending if polls >= polls_max => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}

/// The same without the table that counts faults, which not every database here has.
fn without_counter(dump: &Dump) -> Dump {
    dump.iter()
        .filter(|(table, _)| *table != "fault")
        .map(|(t, rows)| (t.clone(), rows.clone()))
        .collect()
}
