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
mod cards;
mod delegation;
mod disputes;
mod engine;
mod floor;
mod follow;
mod head;
mod history;
mod http;
mod process;
mod reads;
mod records;
mod table;
mod tfd;

use std::process::ExitCode;

use clap::{Parser, Subcommand, ValueEnum};
use tokio::runtime::{Builder, Runtime};
use tokio::signal::unix::{SignalKind, signal};

use backfill::NodeProcess;
use engine::Engine;
use history::{Size, node};

/// The program's, so that the floor has no other.
#[global_allocator]
static MEMORY: mimalloc::MiMalloc = mimalloc::MiMalloc;

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
    /// A PostgreSQL server to use, where databases `hallmark_bench_…` are made anew; without it one is started.
    #[arg(long, global = true)]
    database_url: Option<String>,
    /// How long each load on a server lasts.
    #[arg(long, global = true, default_value_t = 4)]
    seconds: u64,
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
    /// The same with one node alone and with a second one to compare with: what comparing costs where both are honest.
    Compared,
    /// New blocks at the head of the full history.
    Head,
    /// Questions about wallets while the head is followed.
    Reads,
    /// The log of records: re-keying, taking in, streams. Needs no node.
    Records {
        /// How many records stand in the store.
        #[arg(long, default_value_t = records::RECORDS)]
        records: u64,
    },
    /// What a game calls: cards and records of a lobby of twenty. Needs no node.
    Cards,
    /// One dispute answered with many edges stored. Needs no node.
    Disputes {
        /// How many edges are stored.
        #[arg(long, default_value_t = disputes::EDGES)]
        edges: u64,
    },
    /// Trust flow decomposition; needs neither node nor database.
    Tfd,
    /// Checking delegation traces; needs neither node nor database.
    Delegation,
    /// All of these, on one database.
    All,
    /// The synthetic chain on a port; the other parts start it.
    #[command(hide = true)]
    ServeHistory,
    #[command(hide = true)]
    RunFollow {
        #[command(flatten)]
        run: Run,
        #[arg(long)]
        until: u64,
        #[arg(long)]
        compare_with: Option<String>,
    },
    #[command(hide = true)]
    RunFloor {
        #[command(flatten)]
        run: Run,
        #[arg(long)]
        commits: u64,
    },
    #[command(hide = true)]
    RunHead {
        #[arg(long)]
        rpc_url: String,
        #[arg(long)]
        database: String,
    },
    #[command(hide = true)]
    RunModel {
        #[arg(long)]
        database: String,
    },
    #[command(hide = true)]
    RunStreams {
        #[arg(long)]
        database: String,
        #[arg(long)]
        records: u64,
    },
    #[command(hide = true)]
    RunBare {
        #[arg(long)]
        length: Vec<usize>,
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

fn main() -> ExitCode {
    let args = Args::parse();
    match args.part {
        // One thread is all that node and load generator may take of two cores.
        Some(Part::ServeHistory) => node::run(args.scale),
        Some(Part::Tfd) => {
            println!("{}", process::machine());
            tfd::run();
        }
        Some(Part::Delegation) => {
            println!("{}", process::machine());
            delegation::run();
        }
        // The service itself answers in this process, with the threads that it has.
        Some(Part::Cards | Part::Disputes { .. }) => {
            return Runtime::new().unwrap().block_on(run_until_signal(args));
        }
        Some(
            Part::RunFollow { .. }
            | Part::RunFloor { .. }
            | Part::RunHead { .. }
            | Part::RunModel { .. }
            | Part::RunStreams { .. }
            | Part::RunBare { .. },
        ) => Runtime::new().unwrap().block_on(run_child(args)),
        Some(
            Part::Backfill
            | Part::Compared
            | Part::Head
            | Part::Reads
            | Part::Records { .. }
            | Part::All,
        )
        | None => {
            let runtime = Builder::new_current_thread().enable_all().build().unwrap();
            return runtime.block_on(run_until_signal(args));
        }
    }
    ExitCode::SUCCESS
}

/// Ends early where it is told to, so that no server and no folder is left behind.
async fn run_until_signal(args: Args) -> ExitCode {
    let mut interrupt = signal(SignalKind::interrupt()).unwrap();
    let mut terminate = signal(SignalKind::terminate()).unwrap();
    tokio::select! {
        () = run(args) => ExitCode::SUCCESS,
        _ = interrupt.recv() => ExitCode::FAILURE,
        _ = terminate.recv() => ExitCode::FAILURE,
    }
}

/// A part that is measured in a process of its own.
async fn run_child(args: Args) {
    match args.part {
        Some(Part::RunFollow { run, until, compare_with }) => {
            let second = compare_with.as_deref();
            follow::run(&run.rpc_url, second, &run.database, until, run.events).await;
        }
        Some(Part::RunFloor { run, commits }) => {
            let size = Size::base_over(args.scale);
            floor::run(&run.rpc_url, &run.database, size, run.events, commits).await;
        }
        Some(Part::RunHead { rpc_url, database }) => head::run_child(&rpc_url, &database).await,
        Some(Part::RunModel { database }) => reads::model::run(&database).await,
        Some(Part::RunStreams { database, records }) => records::serve(&database, records).await,
        Some(Part::RunBare { length }) => reads::bare::run(&length).await,
        _ => unreachable!("the other parts are not children"),
    }
}

async fn run(args: Args) {
    println!("{}", process::machine());
    let engine = match args.engine {
        EngineName::Sqlite => Engine::sqlite(),
        EngineName::Postgres => Engine::postgres(args.database_url),
    };
    if let Some(Part::Records { records }) = args.part {
        return records::run(&engine, records / args.scale, args.seconds).await;
    }
    if matches!(args.part, Some(Part::Cards)) {
        return cards::run(&engine, args.scale).await;
    }
    if let Some(Part::Disputes { edges }) = args.part {
        return Box::pin(disputes::run(&engine, edges / args.scale)).await;
    }
    let (size, node) = (Size::base_over(args.scale), NodeProcess::start(args.scale));
    let part = args.part.unwrap_or(Part::All);
    if matches!(part, Part::Compared) {
        return backfill::compared(args.scale, &engine, &node).await;
    }
    let with_floor = matches!(part, Part::Backfill | Part::All);
    let url = backfill::run(args.scale, &engine, &node, with_floor).await;
    if matches!(part, Part::Head | Part::All) {
        head::run(&url, engine.name(), &node).await;
    }
    if matches!(part, Part::Reads | Part::All) {
        reads::run(&url, &engine, size, &node, args.seconds).await;
    }
    if matches!(part, Part::All) {
        records::run(&engine, records::RECORDS / 10 / args.scale, args.seconds).await;
        cards::run(&engine, args.scale).await;
        tfd::run();
        delegation::run();
        Box::pin(disputes::run(&engine, disputes::EDGES / args.scale)).await;
    }
}
