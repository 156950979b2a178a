//! Blocks, logs and spans to fill a database with.

use alloy::primitives::{Address, B256, Bytes, U256, address, keccak256};
use hallmark::identity::{
    Changes, Closing, EvidencedSpan, SpanCause, SpanEnd, SpanRecord, TimelineRef, Value,
};
use hallmark::storage::{AgentOfAccount, Binding, Database, HeldBlock, Registry, StoredLog, Tx};
use hallmark::vocab::{
    AgentId, BlockRef, BlockStamp, ChainId, Position, RawLog, RegistryKind, RegistryRef, Span,
    UnixSeconds,
};

pub(crate) const CHAIN: ChainId = ChainId(8453);
pub(crate) const IDENTITY: Address = address!("8004A169FB4a3325136EB29fA0ceB6D2e539a432");
pub(crate) const REPUTATION: Address = address!("8004BAa17C55a88189AE136b182e5fdA19dE9b63");

/// The time of block 0; blocks are two seconds apart.
const GENESIS: u64 = 1_770_000_000;

pub(crate) fn binding() -> Binding {
    let registry = |kind, address, start_block| Registry {
        kind,
        at: RegistryRef { chain: CHAIN, address },
        start_block,
    };
    Binding {
        chain: CHAIN,
        registries: vec![
            registry(RegistryKind::Identity, IDENTITY, 5),
            registry(RegistryKind::Reputation, REPUTATION, 6),
        ],
    }
}

/// A writing transaction on a database that is bound.
pub(crate) async fn bound(db: &Database) -> Tx {
    let mut tx = db.begin_write().await.unwrap();
    tx.bind(&binding()).await.unwrap();
    tx
}

pub(crate) fn time(number: u64) -> UnixSeconds {
    UnixSeconds::new(GENESIS + 2 * number).unwrap()
}

pub(crate) fn block(number: u64) -> BlockRef {
    BlockRef { number, hash: keccak256(number.to_be_bytes()) }
}

pub(crate) fn stamp(number: u64) -> BlockStamp {
    BlockStamp { block: block(number), time: time(number) }
}

pub(crate) fn held(number: u64) -> HeldBlock {
    let parent_hash = number.checked_sub(1).map(|parent| block(parent).hash);
    HeldBlock { stamp: stamp(number), parent_hash }
}

pub(crate) async fn hold(tx: &mut Tx, numbers: impl IntoIterator<Item = u64>) {
    for number in numbers {
        tx.insert_blocks(&[held(number)]).await.unwrap();
    }
}

pub(crate) fn at(block_number: u64, log_index: u32) -> Position {
    Position::new(block_number, log_index)
}

pub(crate) fn account(byte: u8) -> Address {
    Address::repeat_byte(byte)
}

pub(crate) fn agent(id: u64) -> AgentId {
    AgentId::from(id)
}

/// The largest agent id there can be: 78 digits.
pub(crate) const LARGEST: AgentId = AgentId(U256::MAX);

pub(crate) fn tx_hash(at: Position) -> B256 {
    keccak256([at.block_number.to_be_bytes(), u64::from(at.log_index).to_be_bytes()].concat())
}

pub(crate) fn raw_log(at: Position, data: impl Into<Bytes>) -> RawLog {
    RawLog {
        address: IDENTITY,
        topics: vec![B256::repeat_byte(0xab), B256::ZERO],
        data: data.into(),
        block: block(at.block_number),
        block_time: Some(time(at.block_number)),
        tx_hash: tx_hash(at),
        log_index: at.log_index,
    }
}

/// An event of an agent in the identity registry.
pub(crate) fn named<'a>(log: &'a RawLog, name: &'static str, agent: AgentId) -> StoredLog<'a> {
    let registry = RegistryKind::Identity;
    StoredLog { log, registry, name: Some(name), agent: Some(agent), thread: None }
}

/// Keeps a `Transfer` at each place, of which only its being there matters.
pub(crate) async fn logs(tx: &mut Tx, agent: AgentId, places: &[Position]) {
    for place in places {
        tx.insert_events(&[named(&raw_log(*place, vec![]), "Transfer", agent)]).await.unwrap();
    }
}

/// A span of an account, open where `to` is absent.
pub(crate) fn span(
    timeline: TimelineRef,
    who: Option<Address>,
    from: Position,
    to: Option<Position>,
) -> SpanRecord {
    SpanRecord {
        timeline,
        value: who.map_or(Value::Absent, Value::Account),
        span: Span { from, to },
        cause: who.map(|_| SpanCause::Registered),
        ended_by: to.map(|_| SpanEnd::Rotated),
    }
}

pub(crate) fn entry(
    agent: AgentId,
    key: &[u8],
    value: &[u8],
    from: Position,
    to: Option<Position>,
) -> SpanRecord {
    SpanRecord {
        timeline: TimelineRef::Metadata(agent, keccak256(key)),
        value: Value::Entry {
            key: Bytes::copy_from_slice(key),
            value: Bytes::copy_from_slice(value),
        },
        span: Span { from, to },
        cause: Some(SpanCause::Set),
        ended_by: to.map(|_| SpanEnd::Set),
    }
}

pub(crate) async fn begin(tx: &mut Tx, begun: &[SpanRecord]) {
    let changes = Changes { closings: vec![], begun: begun.to_vec() };
    tx.write_changes(&changes).await.unwrap();
}

pub(crate) fn closing(timeline: TimelineRef, from: Position, to: Position) -> Changes {
    let closing = Closing { timeline, from, to, ended_by: SpanEnd::Transfer };
    Changes { closings: vec![closing], begun: vec![] }
}

pub(crate) fn records(found: Vec<EvidencedSpan>) -> Vec<SpanRecord> {
    found.into_iter().map(|span| span.record).collect()
}

pub(crate) fn agents_in(found: &[AgentOfAccount]) -> Vec<AgentId> {
    found.iter().map(|found| found.agent).collect()
}
