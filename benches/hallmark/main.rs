//! What Hallmark costs, each figure beside a floor that was measured in the same run.
//!
//! `cargo bench` runs everything; `cargo bench -- backfill --scale 10` one part on a tenth of the history. Times are printed and never
//! asserted, since they are the machine's; counts are, and a wrong one ends the run with exit code 1 or a panic.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a benchmark that meets the unexpected must stop, at that line; printing is what it is for"
)]
#![expect(
    clippy::float_arithmetic,
    clippy::cast_precision_loss,
    reason = "rates and ratios are shown, and nothing is derived from them"
)]

mod backfill;
mod chain;
mod engine;
mod floor;
mod floor_fetch;
mod follow;
mod logs;
mod node;
mod plan;
mod process;
mod sink;

use clap::{Parser, Subcommand, ValueEnum};

use backfill::NodeProcess;
use engine::Engine;
use plan::Size;

#[derive(Parser)]
#[command(name = "cargo bench --", about = "Measures Hallmark beside a floor of the same run")]
struct Args {
    #[command(subcommand)]
    part: Option<Part>,
    /// Given by cargo.
    #[arg(long, global = true, hide = true)]
    bench: bool,
    /// Divide the history of Base by this, for quick tries.
    #[arg(long, global = true, default_value_t = 1)]
    scale: u64,
    #[arg(long, global = true, default_value = "sqlite")]
    engine: EngineName,
    /// A PostgreSQL to use; without it one is started.
    #[arg(long, global = true)]
    database_url: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum EngineName {
    Sqlite,
    Postgres,
}

#[derive(Subcommand)]
enum Part {
    /// A whole history into an empty database.
    Backfill,
    /// The synthetic chain on a port; the other parts start it.
    #[command(hide = true)]
    ServeHistory,
    #[command(hide = true)]
    RunFollow {
        #[command(flatten)]
        run: Run,
        #[arg(long)]
        until: u64,
    },
    #[command(hide = true)]
    RunFloor {
        #[command(flatten)]
        run: Run,
        #[arg(long)]
        commits: u64,
    },
}

/// What every process that writes a database is told.
#[derive(clap::Args)]
struct Run {
    #[arg(long)]
    rpc_url: String,
    #[arg(long)]
    database: String,
    #[arg(long)]
    events: u64,
}

fn main() {
    let args = Args::parse();
    // The node has a runtime of one thread, which is all it may take of two cores.
    if matches!(args.part, Some(Part::ServeHistory)) {
        return node::run(args.scale);
    }
    tokio::runtime::Runtime::new().unwrap().block_on(run(args));
}

async fn run(args: Args) {
    match args.part {
        Some(Part::RunFollow { run, until }) => {
            follow::run(&run.rpc_url, &run.database, until, run.events).await;
        }
        Some(Part::RunFloor { run, commits }) => {
            let size = Size::base_over(args.scale);
            floor::run(&run.rpc_url, &run.database, size, run.events, commits).await;
        }
        Some(Part::Backfill) | None => {
            let engine = match args.engine {
                EngineName::Sqlite => Engine::sqlite(),
                EngineName::Postgres => Engine::postgres(args.database_url),
            };
            let node = NodeProcess::start(args.scale);
            backfill::run(args.scale, &engine, &node).await;
        }
        Some(Part::ServeHistory) => unreachable!("it was taken before"),
    }
}
