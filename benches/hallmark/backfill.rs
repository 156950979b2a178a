//! A whole history followed into an empty database, beside the floor: the same requests and rows without any of the work.

use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::engine::Engine;
use super::floor::sink::Sink;
use super::follow::Written;
use super::history::{Expected, Plan, Size};
use super::http::{self, Connection};
use super::process::{Process, cpu_seconds};
use super::table::ratio;

/// A node that serves the history.
pub(crate) struct NodeProcess {
    pub(crate) process: Process,
    pub(crate) url: String,
}

impl NodeProcess {
    pub(crate) fn start(scale: u64) -> Self {
        let mut process =
            Process::start(&["serve-history".into(), "--scale".into(), scale.to_string()]);
        let url = process.line();
        Self { process, url }
    }

    /// Lets the node show so many more blocks, one after each interval.
    pub(crate) async fn reveal(&self, count: u64, interval_ms: u64) {
        let _: bool = self.ask("bench_reveal", json!([count, interval_ms])).await;
    }

    /// Calls answered, and bytes of answers, so far.
    async fn served(&self) -> [u64; 2] {
        self.ask("bench_served", json!([])).await
    }

    async fn ask<T: DeserializeOwned>(&self, method: &str, params: Value) -> T {
        let body = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
        let authority = self.url.strip_prefix("http://").expect("the node speaks HTTP");
        let request = http::post(authority, "/", &body.to_string());
        let answer = Connection::open(authority).await.exchange(&request).await;
        let answer: Value = serde_json::from_slice(&answer).unwrap();
        serde_json::from_value(answer["result"].clone()).unwrap_or_else(|_| panic!("{answer}"))
    }
}

/// One side of the comparison.
struct Side {
    name: &'static str,
    written: Written,
    /// Calls to the node, and bytes that it answered.
    served: [u64; 2],
    node_cpu_s: f64,
    engine_cpu_s: f64,
    size_mb: f64,
    index_count: usize,
}

/// Runs both sides, or Hallmark's alone, and returns the URL of its database; panics where a count is wrong.
pub(crate) async fn run(
    scale: u64,
    engine: &Engine,
    node: &NodeProcess,
    with_floor: bool,
) -> String {
    let (size, expected) = announced("Backfill", scale, engine);
    let url = engine.fresh("hallmark").await;
    let to = size.head().to_string();
    let ours = side(
        "Hallmark",
        engine,
        node,
        &url,
        vec!["run-follow".into(), "--until".into(), to],
        &expected,
    )
    .await;
    check(&url, &expected, &ours.written).await;
    if !with_floor {
        return url;
    }
    let floor_url = engine.fresh("floor").await;
    let commits = ours.written.commits.to_string();
    let args =
        vec!["run-floor".into(), "--scale".into(), scale.to_string(), "--commits".into(), commits];
    let floor = side("floor", engine, node, &floor_url, args, &expected).await;
    assert_eq!(floor.written.events, expected.events, "events written by the floor");
    print(&[&ours, &floor]);
    println!(
        "wanted: 40000 events/s, at most 300 MB, and at most 1.5 (PostgreSQL: 2) times the floor's wall"
    );
    print_tenths(&[&ours, &floor]);
    url
}

/// Runs Hallmark with one node, and with a second one that says the same; panics where a count is wrong.
pub(crate) async fn compared(scale: u64, engine: &Engine, node: &NodeProcess) {
    let (size, expected) = announced("Comparing", scale, engine);
    let args = || vec!["run-follow".into(), "--until".into(), size.head().to_string()];
    let url = engine.fresh("hallmark").await;
    let alone = side("one node", engine, node, &url, args(), &expected).await;
    check(&url, &expected, &alone.written).await;
    let url = engine.fresh("compared").await;
    // The same node by another name: what it costs to be asked is not what is measured.
    let second = node.url.replace("127.0.0.1", "localhost");
    let with_second = [args(), vec!["--compare-with".into(), second]].concat();
    let compared = side("two nodes", engine, node, &url, with_second, &expected).await;
    check(&url, &expected, &compared.written).await;
    print(&[&compared, &alone]);
}

/// Says what is about to be followed.
fn announced(what: &str, scale: u64, engine: &Engine) -> (Size, Expected) {
    let size = Size::base_over(scale);
    let expected = Plan::run(size).expected;
    println!(
        "\n{what} into {}: {} events of {} agents in {} blocks, 1/{scale} of Base",
        engine.name(),
        expected.events,
        expected.agents,
        size.blocks
    );
    println!("durability: {}", engine.durability());
    (size, expected)
}

async fn side(
    name: &'static str,
    engine: &Engine,
    node: &NodeProcess,
    url: &str,
    mut args: Vec<String>,
    expected: &Expected,
) -> Side {
    for (flag, value) in [
        ("--rpc-url", &node.url),
        ("--database", &url.to_owned()),
        ("--events", &expected.events.to_string()),
    ] {
        args.extend([flag.to_owned(), value.clone()]);
    }
    let [calls, bytes] = node.served().await;
    let (node_before, engine_before) = (cpu_seconds(node.process.id()), engine.cpu_s());
    let written: Written = Process::start(&args).report();
    let node_cpu_s = cpu_seconds(node.process.id()) - node_before;
    let now = node.served().await;
    let mut sink = Sink::open(url).await;
    let index_count = sink.secondary_indexes().await.len();
    sink.close().await;
    Side {
        name,
        written,
        // Its own question is not among them.
        served: [now[0] - calls - 1, now[1] - bytes],
        node_cpu_s,
        engine_cpu_s: engine.cpu_s() - engine_before,
        size_mb: engine.size_mb(url).await,
        index_count,
    }
}

/// Holds a database against the history.
async fn check(url: &str, expected: &Expected, written: &Written) {
    let mut sink = Sink::open(url).await;
    let mut found = Expected {
        agents: count(&mut sink, "span WHERE kind = 'owner' AND cause = 'registered'").await,
        events: count(&mut sink, "registry_event WHERE name IS NOT NULL").await,
        ..Expected::default()
    };
    for kind in expected.spans.keys() {
        let spans = count(&mut sink, &format!("span WHERE kind = '{kind}'")).await;
        found.spans.insert(*kind, spans);
    }
    let all = count(&mut sink, "span").await;
    sink.close().await;
    assert_eq!(format!("{found:?}"), format!("{expected:?}"), "found on the left");
    assert_eq!(all, expected.spans.values().sum::<u64>(), "all spans");
    assert_eq!((written.events, written.observations), (expected.events, 0));
}

async fn count(sink: &mut Sink, what: &str) -> u64 {
    let number = sink.number(&format!("SELECT COUNT(*) FROM {what}")).await;
    u64::try_from(number).unwrap()
}

fn print(sides: &[&Side; 2]) {
    println!("counts of agents, events and spans are right\n");
    println!("{:<34}{:>12}{:>12}{:>9}", "", sides[0].name, sides[1].name, "ratio");
    let line = |what: &str, of: &dyn Fn(&Side) -> f64, digits: usize| {
        let (ours, floor) = (of(sides[0]), of(sides[1]));
        println!("{what:<34}{ours:>12.digits$}{floor:>12.digits$}{:>9}", ratio(ours, floor));
    };
    line("events/s", &|side| side.written.events as f64 / side.written.wall_s, 0);
    line("wall, s", &|side| side.written.wall_s, 2);
    line("processor, s", &|side| side.written.cpu_s, 2);
    line("processor of the database, s", &|side| side.engine_cpu_s, 2);
    line("processor of the node, s", &|side| side.node_cpu_s, 2);
    line("peak memory, MB", &|side| side.written.peak_mb, 0);
    line("database, MB", &|side| side.size_mb, 0);
    line("secondary indexes at the end", &|side| side.index_count as f64, 0);
    line("calls to the node", &|side| side.served[0] as f64, 0);
    line("MB from the node", &|side| side.served[1] as f64 / 1e6, 0);
    line("commits", &|side| side.written.commits as f64, 0);
}

fn print_tenths(sides: &[&Side; 2]) {
    println!("\nmicroseconds an event, by tenth of the run (wall / processor)");
    for side in sides {
        print!("{:<10}", side.name);
        for (events, wall, cpu) in &side.written.tenths {
            let of = |seconds: &f64| seconds * 1e6 / *events as f64;
            print!(" {:>5.1}/{:<5.1}", of(wall), of(cpu));
        }
        println!();
    }
}
