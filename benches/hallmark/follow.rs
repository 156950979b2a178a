//! Hallmark's own follower, as `hallmark follow` runs it, in a process of its own until it reaches a block.

use std::sync::Arc;
use std::time::{Duration, Instant};

use hallmark::app::{Followed, Following, Ingest};
use hallmark::chain::endpoint::Endpoint;
use hallmark::chain::{
    ChainSource, FollowerOptions, LogFilter, Provider, Providers, ProvidersOptions, Role,
    RpcOptions, RpcSource,
};
use hallmark::registry::KnownImplementations;
use hallmark::storage::{Binding, Database, Registry};
use hallmark::vocab::RegistryKind;
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

use super::history::deployment;
use super::process::{Memory, cpu_seconds};

/// The defaults of the configuration.
const RANGE_CONCURRENCY: usize = 4;
const RPC_TIMEOUT: Duration = Duration::from_secs(20);

/// What a part of the benchmark that writes a database came to.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Written {
    pub(crate) events: u64,
    pub(crate) commits: u64,
    /// Answers of a contract; the history leaves nothing in doubt.
    pub(crate) observations: u64,
    pub(crate) wall_s: f64,
    pub(crate) cpu_s: f64,
    pub(crate) peak_mb: f64,
    /// Events, wall and processor seconds of each tenth of the run.
    pub(crate) tenths: Vec<(u64, f64, f64)>,
}

/// Notes how far a run is, and what it took.
pub(crate) struct Meter {
    events_wanted: u64,
    began: Instant,
    cpu_before: f64,
    last: (u64, f64, f64),
    pub(crate) written: Written,
}

impl Meter {
    pub(crate) fn start(events_wanted: u64) -> Self {
        let cpu_before = cpu_seconds(std::process::id());
        let began = Instant::now();
        Self { events_wanted, began, cpu_before, last: (0, 0.0, 0.0), written: Written::default() }
    }

    /// Something was committed.
    pub(crate) fn committed(&mut self, events: u64) {
        self.written.commits += 1;
        self.written.events += events;
        let next = (self.written.tenths.len() as u64 + 1) * self.events_wanted / 10;
        if self.written.events >= next && self.written.tenths.len() < 10 {
            let now = (self.written.events, self.wall_s(), self.cpu_s());
            let (events, wall, cpu) = self.last;
            self.written.tenths.push((now.0 - events, now.1 - wall, now.2 - cpu));
            self.last = now;
        }
    }

    pub(crate) fn stop(mut self) -> Written {
        self.written.wall_s = self.wall_s();
        self.written.cpu_s = self.cpu_s();
        self.written.peak_mb = Memory::own().peak;
        self.written
    }

    fn wall_s(&self) -> f64 {
        self.began.elapsed().as_secs_f64()
    }

    fn cpu_s(&self) -> f64 {
        cpu_seconds(std::process::id()) - self.cpu_before
    }
}

/// Follows from nothing up to block `until`, with a second node to compare with if there is one, and prints a report.
pub(crate) async fn run(
    rpc_url: &str,
    compare_with: Option<&str>,
    database_url: &str,
    until: u64,
    events: u64,
) {
    let mut meter = Meter::start(events);
    let database = Database::open(database_url).await.unwrap();
    database.migrate().await.unwrap();
    let following = open(Arc::new(nodes(rpc_url, compare_with)), database.clone()).await;
    let done = Notify::new();
    following
        .run(done.notified(), |event| match event {
            Followed::Step { applied, progress, .. } => {
                meter.committed(applied.log_count as u64);
                meter.written.observations += applied.observation_count as u64;
                if progress.applied.is_some_and(|block| block >= until) {
                    done.notify_one();
                }
            }
            Followed::Trouble { error } => panic!("{error:?}"),
        })
        .await
        .unwrap();
    database.close().await;
    println!("{}", serde_json::to_string(&meter.stop()).unwrap());
}

/// The nodes as one source, as `hallmark follow` makes it.
fn nodes(rpc_url: &str, compare_with: Option<&str>) -> Providers<RpcSource> {
    let followed = [(rpc_url, Role::Both)].into_iter();
    let all = followed.chain(compare_with.map(|url| (url, Role::Check)));
    let providers = all.map(|(url, role)| Provider {
        source: source(url, Duration::from_secs(1)),
        name: url.to_owned(),
        role,
    });
    Providers::new(providers.collect(), ProvidersOptions::new(deployment().chain))
}

/// The node, asked as `hallmark follow` asks it.
pub(crate) fn source(rpc_url: &str, poll_interval: Duration) -> RpcSource {
    let options = RpcOptions { timeout: RPC_TIMEOUT, poll_interval, ..RpcOptions::default() };
    RpcSource::new(Endpoint::parse(rpc_url).unwrap(), options).unwrap()
}

/// Following of all three registries from the start of the history.
pub(crate) async fn open<S: ChainSource + 'static>(
    source: Arc<S>,
    database: Database,
) -> Following<S> {
    let deployment = deployment();
    let registry = |kind| Registry {
        kind,
        at: deployment.registry(kind),
        start_block: deployment.start_block,
    };
    let registries: Vec<_> = RegistryKind::ALL.into_iter().map(registry).collect();
    let addresses = registries.iter().map(|registry| registry.at.address).collect();
    let binding = Binding { chain: deployment.chain, registries };
    let known = KnownImplementations::default();
    let filter = LogFilter { addresses, topics: Vec::new() };
    let options = FollowerOptions {
        concurrency: RANGE_CONCURRENCY,
        ..FollowerOptions::new(deployment.chain, deployment.start_block)
    };
    Following::open(source, Ingest { database, binding, known }, filter, options, &[])
        .await
        .unwrap()
}
