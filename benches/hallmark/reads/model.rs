//! What the read model takes of memory, in a process that holds nothing else.

use hallmark::app::ModelKeeper;
use hallmark::storage::Database;
use serde::{Deserialize, Serialize};

use crate::process::{Memory, Process};

#[derive(Serialize, Deserialize)]
struct Report {
    agents: usize,
    wallet_spans: usize,
    /// Memory that came with the model.
    mb: f64,
    read_s: f64,
}

/// Has the model read in a process of its own, and prints what it took.
pub(crate) fn print(url: &str) {
    let args = ["run-model", "--database", url].map(str::to_owned);
    let Report { agents, wallet_spans, mb, read_s } = Process::start(&args).report();
    println!(
        "the read model: {agents} agents and {wallet_spans} wallet spans in {mb:.0} MB ({:.0} bytes an agent, newest blocks included), read in {read_s:.1} s",
        mb * 1024.0 * 1024.0 / agents.max(1) as f64
    );
}

/// Reads the model and prints a report.
pub(crate) async fn run(url: &str) {
    let database = Database::open(url).await.unwrap();
    // What the first question makes is the database's: connections, statements, pages.
    database.begin_read().await.unwrap().tags().await.unwrap();
    let before = Memory::own().now;
    let began = std::time::Instant::now();
    let keeper = ModelKeeper::new(database);
    keeper.refresh().await.unwrap();
    let read_s = began.elapsed().as_secs_f64();
    // What was looked at longer ago than three seconds is not used, and reading it all may take as long.
    keeper.refresh().await.unwrap();
    let counts = keeper.read(|model| (model.roster.agent_count(), model.directory.span_count()));
    let (agents, wallet_spans) = counts.expect("there is one");
    let report = Report { agents, wallet_spans, mb: Memory::own().now - before, read_s };
    println!("{}", serde_json::to_string(&report).unwrap());
}
