//! The floor: the same requests, the JSON parsed, rows of the same number and size inserted, and nothing else.
//!
//! No check of any answer, no decoding, no fold, no secondary index. It commits as often as Hallmark did, into Hallmark's own tables with
//! primary keys only, so that durability and row sizes are the same. Fetching and parsing run beside writing.

mod fetch;
pub(crate) mod sink;

use std::collections::BTreeMap;

use alloy::primitives::{Address, B256, U256, b256};
use alloy::rpc::types::Log;
use hallmark::registry::topics;
use hallmark::storage::Database;
use hallmark::vocab::RegistryKind;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use self::fetch::{Head, Piece, fetch};
use self::sink::{Cell, Sink, Table};
use crate::follow::Meter;
use crate::history::{Size, deployment};

const BLOCKS: Table = Table { name: "block", columns: &["number", "hash", "parent_hash", "time"] };
const EVENTS: Table = Table {
    name: "registry_event",
    columns: &[
        "block",
        "log_index",
        "registry",
        "name",
        "agent",
        "thread",
        "tx_hash",
        "topics",
        "data",
    ],
};
const SPANS: Table = Table {
    name: "span",
    columns: &[
        "kind",
        "subject",
        "name",
        "account",
        "label",
        "value",
        "cause",
        "ended_by",
        "from_block",
        "from_log",
        "to_block",
        "to_log",
    ],
};
const TRANSFER: B256 = b256!("ddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef");
const METADATA_UPDATE: B256 =
    b256!("f8e1a15aba9398e019f0b49df1a4fde98ee17ae345cb5f6b5e2c27f5033e8ce7");
const METADATA_SET: B256 =
    b256!("2c149ed548c6d2993cd73efe187df6eccabe4538091b33adbd25fafdb8a1468b");
const REGISTERED: B256 = b256!("ca52e62c367d81bb2e328eb795f7c7ba24afb478408a26c0e201d155c449bc4a");
const UPGRADED: B256 = b256!("bc7cd75a20ee27fd9adebab32041f755214dbc6bffa90cc0225b39da2e5c2d3b");

/// Rows that wait for the next commit.
#[derive(Default)]
struct Rows {
    blocks: Vec<Cell>,
    events: Vec<Cell>,
    spans: Vec<Cell>,
    event_count: u64,
    /// Of the log before: the wallet event after a registration makes no span.
    last_topic: B256,
}

/// Reads the whole history once and prints a report; commits `commits` times.
pub(crate) async fn run(rpc_url: &str, database_url: &str, size: Size, events: u64, commits: u64) {
    let mut sink = prepared(database_url).await;
    let mut meter = Meter::start(events);
    // As often as Hallmark and evenly, as far as pieces allow.
    let (mut taken, mut shares_done) = (0, 0);
    let (sender, mut pieces) = mpsc::channel::<Piece>(4);
    let mut fetching = JoinSet::new();
    let url = rpc_url.to_owned();
    fetching.spawn(async move { fetch(&url, size, sender).await });
    let mut rows = Rows::default();
    while let Some(piece) = pieces.recv().await {
        rows.take(&piece);
        taken += piece.logs.len() as u64;
        let shares = taken * commits / events;
        if shares > shares_done {
            shares_done = shares;
            write(&mut sink, std::mem::take(&mut rows), &mut meter).await;
        }
    }
    fetching.join_next().await.expect("it was started").expect("it does not panic");
    write(&mut sink, rows, &mut meter).await;
    sink.close().await;
    println!("{}", serde_json::to_string(&meter.stop()).unwrap());
}

/// Hallmark's tables without their secondary indexes.
async fn prepared(url: &str) -> Sink {
    let database = Database::open(url).await.unwrap();
    database.migrate().await.unwrap();
    database.close().await;
    let mut sink = Sink::open(url).await;
    for index in sink.secondary_indexes().await {
        sink.run(&format!("DROP INDEX {index}")).await;
    }
    sink
}

async fn write(sink: &mut Sink, rows: Rows, meter: &mut Meter) {
    sink.run("BEGIN").await;
    sink.insert(&BLOCKS, rows.blocks).await;
    sink.insert(&EVENTS, rows.events).await;
    sink.insert(&SPANS, rows.spans).await;
    sink.run("COMMIT").await;
    meter.committed(rows.event_count);
}

impl Rows {
    fn take(&mut self, piece: &Piece) {
        let mut blocks: BTreeMap<u64, Head> =
            piece.heads.iter().map(|head| (head.number, *head)).collect();
        for log in &piece.logs {
            let number = log.block_number.unwrap();
            blocks.entry(number).or_insert_with(|| Head {
                number,
                hash: log.block_hash.unwrap(),
                parent_hash: None,
                time: log.block_timestamp.unwrap(),
            });
            self.event(log);
            self.spans(log);
            self.last_topic = log.topics()[0];
        }
        for head in blocks.values() {
            let parent = head.parent_hash.map_or(Cell::Null, |hash| Cell::Bytes(hash.to_vec()));
            self.blocks.extend([number(head.number), bytes(head.hash), parent, number(head.time)]);
        }
    }

    fn event(&mut self, log: &Log) {
        let kind = RegistryKind::ALL
            .into_iter()
            .find(|kind| deployment().registry(*kind).address == log.address())
            .unwrap();
        let topic0 = log.topics()[0];
        let name = topics::find(kind, topic0).unwrap().name();
        let thread = match kind {
            RegistryKind::Reputation if log.topics().len() == 4 => {
                let parts =
                    [log.topics()[1].as_slice(), &log.topics()[2][12..], &log.data().data[24..32]];
                Cell::Bytes(parts.concat())
            }
            _ => Cell::Null,
        };
        self.events.extend([
            number(log.block_number.unwrap()),
            number(log.log_index.unwrap()),
            Cell::Text(kind.as_str()),
            Cell::Text(name),
            agent(log).map_or(Cell::Null, Cell::Name),
            thread,
            bytes(log.transaction_hash.unwrap()),
            Cell::Bytes(log.topics().iter().flatten().copied().collect()),
            Cell::Bytes(log.data().data.to_vec()),
        ]);
        self.event_count += 1;
    }

    /// As many rows, and as long, as the fold makes of a log; which value they hold is no matter.
    fn spans(&mut self, log: &Log) {
        let topics = log.topics();
        let account = |topic: &B256| Cell::Bytes(topic[12..].to_vec());
        if topics[0] == UPGRADED {
            let subject = log.address().to_string();
            self.span(log, "implementation", subject, account(&topics[1]), Cell::Null);
            return;
        }
        let Some(agent) = agent(log) else { return };
        if topics[0] == TRANSFER {
            self.span(log, "owner", agent.clone(), account(&topics[2]), Cell::Null);
            if Address::from_word(topics[1]).is_zero() {
                self.span(log, "wallet", agent.clone(), account(&topics[2]), Cell::Null);
                self.span(log, "uri", agent, Cell::Null, Cell::Bytes(Vec::new()));
            }
        } else if topics[0] == REGISTERED {
            let uri = log.data().data[64..].to_vec();
            self.span(log, "uri", agent, Cell::Null, Cell::Bytes(uri));
        } else if topics[0] == METADATA_SET && self.last_topic != REGISTERED {
            self.span(log, "wallet", agent, Cell::Bytes(vec![7; 20]), Cell::Null);
        }
    }

    fn span(&mut self, log: &Log, kind: &'static str, subject: String, account: Cell, value: Cell) {
        let (block, index) = (number(log.block_number.unwrap()), number(log.log_index.unwrap()));
        self.spans.extend([
            Cell::Text(kind),
            Cell::Name(subject),
            Cell::Bytes(Vec::new()),
            account,
            Cell::Null,
            value,
            Cell::Text("registered"),
            Cell::Text("transfer"),
            block.clone(),
            index.clone(),
            block,
            index,
        ]);
    }
}

/// The agent that a log is about, as it is stored.
fn agent(log: &Log) -> Option<String> {
    let topics = log.topics();
    let word = match topics[0] {
        TRANSFER => topics[3],
        METADATA_UPDATE => B256::from_slice(&log.data().data[..32]),
        _ if log.topics().len() >= 3 && topics[0] != UPGRADED => topics[1],
        _ => return None,
    };
    let digits = U256::from_be_bytes(word.0).to_string();
    Some(format!("{:02}:{digits}", digits.len()))
}

fn number(value: u64) -> Cell {
    Cell::Number(i64::try_from(value).unwrap())
}

fn bytes(hash: B256) -> Cell {
    Cell::Bytes(hash.to_vec())
}
