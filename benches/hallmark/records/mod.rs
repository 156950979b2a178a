//! The log of records: re-keying one name among millions of records, taking records in, and telling a thousand listeners.

mod intake;
mod rekey;
mod streams;

pub(crate) use rekey::RECORDS;
pub(crate) use streams::serve;

use std::sync::Arc;

use alloy::primitives::{Address, keccak256};
use hallmark::app::{Origin, Origins, Records, ServiceKeys, SystemClock};
use hallmark::attest::limits::Limits;
use hallmark::did::web::WebHost;
use hallmark::identity::{Changes, SpanCause, SpanRecord, TimelineRef, Value};
use hallmark::storage::{Binding, Database, HeldBlock, Registry, Tags};
use hallmark::vocab::{
    AccountId, BlockRef, BlockStamp, ChainId, Position, RegistryKind, RegistryRef, Span,
    UnixSeconds,
};

use crate::engine::Engine;

pub(crate) const CHAIN: ChainId = ChainId(8453);
pub(crate) const REGISTRY: Address = Address::repeat_byte(0x80);
/// The time of block 0; the blocks are two seconds apart and lie in the past.
const GENESIS: u64 = 1_760_000_000;
/// So many blocks are held.
pub(crate) const BLOCKS: u64 = 10_000;
const NAMED: &str = "games";

/// Everything, on an engine.
pub(crate) async fn run(engine: &Engine, records: u64, seconds: u64) {
    rekey::run(engine, records).await;
    intake::run(engine).await;
    streams::run(engine, seconds).await;
}

pub(crate) fn time(block: u64) -> UnixSeconds {
    UnixSeconds::new(GENESIS + 2 * block).unwrap()
}

fn stamp(number: u64) -> BlockStamp {
    BlockStamp {
        block: BlockRef { number, hash: keccak256(number.to_be_bytes()) },
        time: time(number),
    }
}

pub(crate) fn account(number: u64) -> AccountId {
    let address = Address::from_slice(&keccak256(number.to_be_bytes())[..20]);
    AccountId { chain: CHAIN, address }
}

/// A span of an agent's wallet, or of its owner, from a block on.
fn span(timeline: TimelineRef, account: Address, from: u64) -> SpanRecord {
    SpanRecord {
        timeline,
        value: Value::Account(account),
        span: Span { from: Position::new(from, 0), to: None },
        cause: Some(SpanCause::Registered),
        ended_by: None,
    }
}

/// A fresh database that is followed to its last block, all of it final, in which each of some accounts is the wallet of an agent.
pub(crate) async fn chain(url: &str, agents: u64) -> Database {
    chain_of(url, |agent| account(agent).address, agents).await
}

/// The same with the wallets of one's choice.
pub(crate) async fn chain_of(url: &str, wallet: impl Fn(u64) -> Address, agents: u64) -> Database {
    let database = Database::open(url).await.unwrap();
    database.migrate().await.unwrap();
    let mut tx = database.begin_write().await.unwrap();
    let at = RegistryRef { chain: CHAIN, address: REGISTRY };
    let registries = vec![Registry { kind: RegistryKind::Identity, at, start_block: 0 }];
    tx.bind(&Binding { chain: CHAIN, registries }).await.unwrap();
    let blocks: Vec<_> =
        (0..BLOCKS).map(|number| HeldBlock { stamp: stamp(number), parent_hash: None }).collect();
    tx.insert_blocks(&blocks).await.unwrap();
    let spans = (0..agents).flat_map(|id| {
        let address = wallet(id);
        [
            span(TimelineRef::Owner(id.into()), address, 0),
            span(TimelineRef::Wallet(id.into()), address, 0),
        ]
    });
    tx.write_changes(&Changes { closings: vec![], begun: spans.collect() }).await.unwrap();
    let last = Some(stamp(BLOCKS - 1));
    tx.set_tags(&Tags { indexed: last, head: last, safe: last, finalized: last }).await.unwrap();
    tx.commit().await.unwrap();
    database
}

/// What takes records in, for one origin.
pub(crate) fn records(database: &Database, keys: ServiceKeys) -> Records {
    let origin = Origin {
        name: NAMED.parse().unwrap(),
        token: None,
        signers: vec![],
        plugins: vec![],
        chain: Some(CHAIN),
        limits: Limits::default(),
    };
    Records {
        database: database.clone(),
        clock: Arc::new(SystemClock),
        host: WebHost::local(8004),
        keys,
        foreign: None,
        contracts: None,
        origins: Arc::new(Origins::new([origin])),
        eas: Arc::default(),
    }
}
