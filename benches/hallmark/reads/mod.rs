//! Reading the full history while the follower writes at its head, beside a bare handler that returns as many bytes.
//!
//! The service is the program itself, `hallmark`, following and serving with its defaults, but without a limit per client and without
//! fetching files. Both servers are loaded in turn, so that the same machine is under both. To add a question, add a line to [`routes`].

pub(crate) mod bare;
mod load;
pub(crate) mod model;

use std::collections::{BTreeMap, BTreeSet};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use alloy::primitives::Address;
use serde_json::{Value, json};

use crate::backfill::NodeProcess;
use crate::engine::Engine;
use crate::history::{Plan, Random, Size, deployment};
use crate::http::{self, Connection};
use crate::process::{Memory, Process, cpu_seconds};
use crate::table::percentile;

/// Different requests of each kind.
const REQUESTS: usize = 4_096;
/// Accounts in one look-up of a lobby.
const LOBBY: usize = 20;
/// One wallet in so many is checked.
const CHECK_EVERY: usize = 100;
/// The node shows a block so often; each has five logs.
const BLOCK_INTERVAL_MS: u64 = 500;
/// Each server is loaded so often, and its best rate counts.
const ROUNDS: usize = 3;

/// A question, asked of many accounts or agents.
struct Route {
    name: &'static str,
    requests: Arc<Vec<Vec<u8>>>,
}

/// What is asked. Accounts are wallets of the history, and agents those that it registers, each as likely as any other.
fn routes(authority: &str, size: Size, plan: &Plan) -> Vec<Route> {
    let mut random = Random(20);
    let wallets: Vec<_> = plan.wallets().collect::<BTreeSet<_>>().into_iter().collect();
    let mut account = || wallets[random.index(wallets.len())].to_string();
    let mut blocks = Random(21);
    let mut block = || size.start + blocks.below(size.blocks);
    let (chain, minted, mut agents) = (deployment().chain.0, plan.expected.agents, Random(22));
    let route = |name, request: &mut dyn FnMut() -> Vec<u8>| Route {
        name,
        requests: Arc::new((0..REQUESTS).map(|_| request()).collect()),
    };
    vec![
        route("GET agents of a wallet, current", &mut || {
            http::get(authority, &format!("/v1/wallets/{}/agents", account()))
        }),
        route("GET agents of a wallet, at=block:N", &mut || {
            let path = format!("/v1/wallets/{}/agents?at=block:{}", account(), block());
            http::get(authority, &path)
        }),
        route("POST look-up of 20 wallets, current", &mut || {
            let accounts: Vec<_> = (0..LOBBY).map(|_| account()).collect();
            let body = json!({ "accounts": accounts }).to_string();
            http::post(authority, "/v1/wallets/lookup", &body)
        }),
        route("GET DID document of an agent", &mut || {
            http::get(authority, &format!("/agents/{chain}/{}/did.json", agents.below(minted)))
        }),
    ]
}

/// Follows and serves, as the program does; ended when dropped.
struct Service {
    child: Child,
    authority: String,
}

impl Service {
    async fn start(database_url: &str, node: &NodeProcess) -> Self {
        // A free port: bound here, and free again when the service asks for it.
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let authority = listener.local_addr().unwrap().to_string();
        drop(listener);
        let child = Command::new(env!("CARGO_BIN_EXE_hallmark"))
            .args(["--rpc-url", &node.url, "--database-url", database_url, "--listen", &authority])
            .env("HALLMARK_RATE_LIMIT_PER_S", "0")
            .env("HALLMARK_POLL_INTERVAL_MS", "100")
            .env("HALLMARK_LOG", "warn")
            // The history's files are at hosts that do not exist.
            .env("HALLMARK_REGISTRATION_FILES", "no")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .expect("the program starts");
        while tokio::net::TcpStream::connect(&authority).await.is_err() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Self { child, authority }
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // Both fail only where it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A server under load, and what its answers have cost.
struct Loaded<'a> {
    authority: &'a str,
    requests: Arc<Vec<Vec<u8>>>,
    /// Processor seconds of the server so far.
    cpu_s: &'a dyn Fn() -> f64,
    best: f64,
    answered: u64,
    spent_s: f64,
}

impl<'a> Loaded<'a> {
    const fn new(
        authority: &'a str,
        requests: Arc<Vec<Vec<u8>>>,
        cpu_s: &'a dyn Fn() -> f64,
    ) -> Self {
        Self { authority, requests, cpu_s, best: 0.0, answered: 0, spent_s: 0.0 }
    }

    async fn load(&mut self, time: Duration) {
        let before = (self.cpu_s)();
        let through = load::closed(self.authority, &self.requests, time).await;
        self.spent_s += (self.cpu_s)() - before;
        self.answered += through.answered;
        self.best = self.best.max(through.per_second);
    }

    fn cpu_us(&self) -> f64 {
        self.spent_s * 1e6 / self.answered.max(1) as f64
    }

    async fn quantiles(&self, rate: f64, time: Duration) -> String {
        let latencies = load::at_rate(self.authority, &self.requests, rate, time).await;
        let ms = |percent| percentile(&latencies, percent) as f64 / 1_000.0;
        format!("{:.2} / {:.2}", ms(50), ms(99))
    }
}

/// Loads both servers with every question, and prints the table.
pub(crate) async fn run(url: &str, engine: &Engine, size: Size, node: &NodeProcess, seconds: u64) {
    let service = Service::start(url, node).await;
    let plan = Plan::run(size);
    check(&service.authority, &plan).await;
    let routes = routes(&service.authority, size, &plan);
    let mut lengths = Vec::new();
    for route in &routes {
        lengths.push(mean_length(&service.authority, route).await);
    }
    let mut args = vec!["run-bare".to_owned()];
    args.extend(lengths.iter().flat_map(|length| ["--length".to_owned(), length.to_string()]));
    let mut bare = Process::start(&args);
    let bare_authority = bare.line();
    let before = applied(&service.authority).await;
    node.reveal(u64::MAX, BLOCK_INTERVAL_MS).await;
    let service_cpu = || cpu_seconds(service.child.id()) + engine.cpu_s();
    let bare_cpu = || cpu_seconds(bare.id());
    print_head(engine.name());
    let time = Duration::from_secs(seconds);
    for (i, (route, length)) in routes.into_iter().zip(lengths).enumerate() {
        let moved = route.requests.iter().map(|request| elsewhere(request, &bare_authority, i));
        let mut floor = Loaded::new(&bare_authority, Arc::new(moved.collect()), &bare_cpu);
        let mut ours = Loaded::new(&service.authority, route.requests, &service_cpu);
        for _ in 0..ROUNDS {
            floor.load(time).await;
            ours.load(time).await;
        }
        let rate = ours.best / 2.0;
        println!(
            "{:<36}{length:>6}{:>12.0}{:>9.0}{:>7.2}{:>15}{:>17}{:>17}",
            route.name,
            ours.best,
            floor.best,
            ours.best / floor.best,
            format!("{:.1} ({:.1})", ours.cpu_us(), floor.cpu_us()),
            ours.quantiles(rate, time).await,
            floor.quantiles(rate, time).await,
        );
    }
    let followed = applied(&service.authority).await - before;
    assert!(followed > 0, "the service must follow while it is asked");
    println!("{followed} blocks were followed meanwhile");
    println!("wanted: 10000 documents a second");
    let Memory { now, peak } = Memory::of(service.child.id());
    println!(
        "\nmemory of the whole program, following and serving: {now:.0} MB, {peak:.0} MB at most"
    );
    drop(service);
    model::print(url);
}

fn print_head(engine: &str) {
    println!(
        "\nReading from {engine} over the full history, a block followed every {BLOCK_INTERVAL_MS} ms"
    );
    println!(
        "latency: p50 / p99 in ms since the request was due, at half of Hallmark's requests/s"
    );
    println!("cpu: processor time of server and database for one request (bare in brackets)\n");
    println!(
        "{:<36}{:>6}{:>12}{:>9}{:>7}{:>15}{:>17}{:>17}",
        "", "bytes", "requests/s", "bare", "ratio", "cpu, µs", "latency", "of bare"
    );
}

/// The same request to the bare handler of a number.
fn elsewhere(request: &[u8], authority: &str, number: usize) -> Vec<u8> {
    let text = std::str::from_utf8(request).unwrap();
    let (_, body) = text.split_once("\r\n\r\n").unwrap();
    let path = format!("/{number}");
    if body.is_empty() { http::get(authority, &path) } else { http::post(authority, &path, body) }
}

/// Checks that the service knows the wallets of the history: whose they are at its end, and what was registered since.
async fn check(authority: &str, plan: &Plan) {
    let mut expected: BTreeMap<Address, u64> = BTreeMap::new();
    for wallet in plan.wallets() {
        *expected.entry(wallet).or_default() += 1;
    }
    let mut connection = Connection::open(authority).await;
    for (wallet, count) in expected.into_iter().step_by(CHECK_EVERY) {
        let request = http::get(authority, &format!("/v1/wallets/{wallet}/agents"));
        let answer: Value = serde_json::from_slice(&connection.exchange(&request).await).unwrap();
        assert!(answer["count"].as_u64() >= Some(count), "{wallet} has {count}: {answer}");
    }
}

/// The last block that the service has applied.
async fn applied(authority: &str) -> u64 {
    let request = http::get(authority, "/v1/status");
    let answer = Connection::open(authority).await.exchange(&request).await;
    let answer: Value = serde_json::from_slice(&answer).unwrap();
    answer["chains"][0]["indexed"]["number"].as_u64().unwrap()
}

/// How long answers are on average, over a part of the requests.
async fn mean_length(authority: &str, route: &Route) -> usize {
    let mut connection = Connection::open(authority).await;
    let asked = route.requests.iter().take(500);
    let count = asked.len();
    let mut sum = 0;
    for request in asked {
        sum += connection.measure(request).await;
    }
    sum / count
}
