//! Following at the head: how long from the node's answer to the committed block.
//!
//! The node shows a block every tenth of a second, each with five logs. A source that only notes times stands between follower and node:
//! when the head of a block's number was first told, and when the logs of a block's hash had come. A block counts as committed when
//! `Following` says so, which is after the transaction.

use std::collections::HashMap;
use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use alloy::primitives::{Address, B256, Bytes};
use hallmark::app::Followed;
use hallmark::chain::{
    BlockTag, ChainError, ChainSource, ChainTags, LogFilter, RangeLogs, RpcSource,
};
use hallmark::storage::Database;
use hallmark::vocab::{BlockRef, ChainId, Header, RawLog};
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

use super::backfill::NodeProcess;
use super::follow;
use super::process::Process;
use super::table::percentile;

/// Blocks that are shown, and how fast.
const BLOCKS: u64 = 300;
const BLOCK_INTERVAL_MS: u64 = 100;
const POLL_INTERVAL: Duration = Duration::from_millis(10);

/// Times of every block, in microseconds.
#[derive(Default, Serialize, Deserialize)]
pub(crate) struct Report {
    /// From the answer that told of the head to the answer with its logs.
    fetched: Vec<u64>,
    /// From the answer with the logs to the commit.
    committed: Vec<u64>,
    steps: u64,
    events: u64,
}

/// Lets a follower catch up with a node that shows new blocks, and prints the table.
pub(crate) async fn run(url: &str, engine: &str, node: &NodeProcess) {
    let args = ["run-head", "--rpc-url", &node.url, "--database", url];
    let mut process = Process::start(&args.map(str::to_owned));
    assert_eq!(process.line(), "ready");
    node.reveal(BLOCKS, BLOCK_INTERVAL_MS).await;
    let report: Report = process.report();
    println!("\nFollowing at the head into {engine}, over the full history");
    println!(
        "{} blocks with {} events in {} steps, a block every {BLOCK_INTERVAL_MS} ms\n",
        report.committed.len(),
        report.events,
        report.steps
    );
    println!("{:<62}{:>9}{:>9}", "milliseconds", "median", "p99");
    let both = report.fetched.iter().zip(&report.committed).map(|(a, b)| a + b).collect();
    for (what, times) in [
        ("from the answer with the block's logs to the commit", report.committed),
        ("from the answer that told of the block to that with its logs", report.fetched),
        ("both", both),
    ] {
        let ms = |part| percentile(&times, part) as f64 / 1_000.0;
        println!("{what:<62}{:>9.1}{:>9.1}", ms(50), ms(99));
    }
}

/// Follows until all blocks were committed, and prints a report.
pub(crate) async fn run_child(rpc_url: &str, database_url: &str) {
    let database = Database::open(database_url).await.unwrap();
    let source = Arc::new(Timed::new(follow::source(rpc_url, POLL_INTERVAL)));
    let following = follow::open(Arc::clone(&source), database.clone()).await;
    let mut report = Report::default();
    let mut is_ready = false;
    let done = Notify::new();
    following
        .run(done.notified(), |event| {
            let now = Instant::now();
            let Followed::Step { step, applied, .. } = event else { panic!("{event:?}") };
            if !is_ready {
                is_ready = true;
                println!("ready");
            }
            let Some(stretch) = &step.extend else { return };
            report.steps += 1;
            report.events += applied.log_count as u64;
            for header in &stretch.headers {
                let (told, fetched) = source.times(header.block);
                let micros = |from: Instant, to: Instant| micros(to.duration_since(from));
                report.fetched.push(micros(told, fetched));
                report.committed.push(micros(fetched, now));
            }
            if report.committed.len() as u64 == BLOCKS {
                done.notify_one();
            }
        })
        .await
        .unwrap();
    println!("{}", serde_json::to_string(&report).unwrap());
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap()
}

/// The node, and when it told what.
struct Timed {
    source: RpcSource,
    /// By number: when a head at or above it was first told.
    heads: Mutex<Vec<(u64, Instant)>>,
    /// By hash: when the logs of a block had come.
    logs: Mutex<HashMap<B256, Instant>>,
}

impl Timed {
    fn new(source: RpcSource) -> Self {
        Self { source, heads: Mutex::default(), logs: Mutex::default() }
    }

    fn times(&self, block: BlockRef) -> (Instant, Instant) {
        let heads = self.heads.lock().unwrap();
        let told = heads.iter().find(|(head, _)| *head >= block.number).expect("it was told of").1;
        (told, self.logs.lock().unwrap()[&block.hash])
    }
}

impl ChainSource for Timed {
    async fn chain_id(&self) -> Result<ChainId, ChainError> {
        self.source.chain_id().await
    }

    async fn tags(&self) -> Result<ChainTags, ChainError> {
        let tags = self.source.tags().await?;
        let mut heads = self.heads.lock().unwrap();
        if heads.last().is_none_or(|(head, _)| *head < tags.head.block.number) {
            heads.push((tags.head.block.number, Instant::now()));
        }
        Ok(tags)
    }

    async fn header(&self, tag: BlockTag) -> Result<Option<Header>, ChainError> {
        self.source.header(tag).await
    }

    async fn headers(&self, numbers: &[u64]) -> Result<Vec<Header>, ChainError> {
        self.source.headers(numbers).await
    }

    async fn logs_in(
        &self,
        filter: &LogFilter,
        range: RangeInclusive<u64>,
    ) -> Result<RangeLogs, ChainError> {
        self.source.logs_in(filter, range).await
    }

    async fn logs_of(
        &self,
        filter: &LogFilter,
        block: BlockRef,
    ) -> Result<Vec<RawLog>, ChainError> {
        let logs = self.source.logs_of(filter, block).await?;
        self.logs.lock().unwrap().insert(block.hash, Instant::now());
        Ok(logs)
    }

    async fn call(&self, to: Address, input: Bytes, at: BlockRef) -> Result<Bytes, ChainError> {
        self.source.call(to, input, at).await
    }

    async fn code(&self, of: Address) -> Result<Bytes, ChainError> {
        self.source.code(of).await
    }

    async fn storage(&self, of: Address, slot: B256, at: BlockTag) -> Result<B256, ChainError> {
        self.source.storage(of, slot, at).await
    }

    async fn wait_for_head(&self) {
        self.source.wait_for_head().await;
    }
}
