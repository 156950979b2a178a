//! The seeded simulation: following into a real database, from a node on which everything goes wrong that can be made good.
//!
//! A seed decides the chain and its reorganisations, the node's backends and their faults, how the program is set up and where it dies.
//! In the end every table equals that of a database made from the final canonical chain alone, and whom records meant is what the pure rules
//! make of it. What is not simulated is what nothing
//! could make good: a chain replaced below its finalized block, and logs that are left out where no header is looked at.
//!
//! `HALLMARK_TEST_SIM_SEED=n` runs one seed and tells its story; `HALLMARK_SIM_SEEDS=n ./test sim` runs so many.

mod bug;
mod check;
pub(crate) mod content;
pub(crate) mod draw;
mod drive;
pub(crate) mod model;
mod node;
mod plan;
mod records;
mod run;
mod world;

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use bug::Bug;
use plan::Plan;
use run::Ran;

use crate::support::databases::{Fresh, setting};

/// Seeds of the default run.
const SEEDS: u64 = 500;
/// One of so many runs on PostgreSQL.
const POSTGRES_EVERY: u64 = 10;
/// A planted bug is found within so many seeds of those that can show it.
const FOUND_WITHIN: usize = 60;
/// Threads, each with a runtime and a clock of its own. They wait for their databases most of the time, so two cores bear several each.
const THREADS: usize = 8;
/// Deep futures of an unoptimised build want more than a thread's default.
const STACK: usize = 16 << 20;
/// Seeds that once found something, by name.
const PAST: &str = include_str!("seeds.txt");
/// Those of them whose bug can be planted.
const PLANTED: [(u64, Bug); 1] = [(2_548, Bug::InTurn)];

/// Runs something on a clock that stands still; without sockets there is one call of the system less at every turn.
fn on_a_still_clock<T>(has_sockets: bool, future: impl Future<Output = T>) -> T {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_time().start_paused(true);
    if has_sockets {
        builder.enable_io();
    }
    builder.build().unwrap().block_on(future)
}

fn one_seed(seed: u64, on_postgres: bool, bug: Option<Bug>) -> Result<Ran, String> {
    let ran = std::panic::catch_unwind(|| {
        on_a_still_clock(on_postgres, async {
            let fresh = if on_postgres {
                drive::at_once(Fresh::postgres()).await
            } else {
                Some(drive::at_once(Fresh::sqlite()).await)
            };
            match fresh {
                Some(fresh) => Box::pin(run::run(seed, &fresh, bug)).await,
                // Told to leave this half of the suite out.
                None => Ok(Ran { lives: 0, reverts: 0, story: Vec::new() }),
            }
        })
    });
    let engine = if on_postgres { "PostgreSQL" } else { "SQLite" };
    match ran {
        Ok(Ok(ran)) => Ok(ran),
        Ok(Err(what)) => Err(format!("{what}\nseed {seed} on {engine}")),
        Err(_) => Err(format!("seed {seed} on {engine} panicked; see above")),
    }
}

/// Runs seeds on all threads, and returns the first failure.
fn seeds(all: &[(u64, bool)], bug: Option<Bug>) -> Result<(u64, u64), String> {
    let (next, lives, reverts) = (AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0));
    let failed = Mutex::new(None);
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            let builder = std::thread::Builder::new().stack_size(STACK);
            let work = || {
                loop {
                    let place = usize::try_from(next.fetch_add(1, Ordering::Relaxed)).unwrap();
                    let Some(&(seed, on_postgres)) = all.get(place) else { return };
                    match one_seed(seed, on_postgres, bug) {
                        Ok(ran) => {
                            lives.fetch_add(u64::from(ran.lives), Ordering::Relaxed);
                            reverts.fetch_add(ran.reverts, Ordering::Relaxed);
                        }
                        Err(what) => {
                            failed.lock().unwrap().get_or_insert(what);
                            next.store(u64::MAX / 2, Ordering::Relaxed);
                        }
                    }
                }
            };
            builder.spawn_scoped(scope, work).unwrap();
        }
    });
    let counted = (lives.into_inner(), reverts.into_inner());
    failed.into_inner().unwrap().map_or(Ok(counted), Err)
}

fn both(seed: u64) -> (u64, bool) {
    (seed, seed % POSTGRES_EVERY == POSTGRES_EVERY - 1)
}

#[test]
fn any_history_ends_in_the_tables_of_the_canonical_chain() {
    let number = |name| setting(name).map(|text| text.parse::<u64>().unwrap());
    if let Some(seed) = number("HALLMARK_TEST_SIM_SEED") {
        for on_postgres in [false, true] {
            let ran = one_seed(seed, on_postgres, None).unwrap_or_else(|what| panic!("{what}"));
            println!("{}", ran.story.join("\n"));
        }
        return;
    }
    let count = number("HALLMARK_TEST_SIM_SEEDS").unwrap_or(SEEDS);
    let all: Vec<_> = (0..count).map(both).collect();
    let (lives, reverts) = seeds(&all, None).unwrap_or_else(|what| panic!("{what}"));
    // A simulation in which nothing happens would pass, too.
    assert!(lives > count && reverts > count / 2, "{lives} lives, {reverts} reorganisations");
    let replaced = records::REPLACED.load(Ordering::Relaxed);
    // Few seeds have records, and in few of those a block that goes away has changed whom they mean.
    assert!(count < SEEDS || replaced > 0, "{replaced} times somebody else was meant");
}

fn past_seeds() -> Vec<u64> {
    PAST.lines()
        .filter(|line| !line.trim().is_empty() && !line.starts_with('#'))
        .map(|line| line.split_once(' ').expect("a seed and a name").0.parse().unwrap())
        .collect()
}

/// A seed says nothing any more once what it draws has changed; those whose bug can be planted show that they still say it.
#[test]
fn seeds_of_past_bugs_still_find_them() {
    for (seed, bug) in PLANTED {
        assert!(past_seeds().contains(&seed), "{seed} stands in the list");
        let found = one_seed(seed, false, Some(bug)).expect_err("it goes unnoticed");
        assert!(found.contains("registry_event") || found.contains("span"), "{bug:?}: {found}");
    }
}

#[test]
fn seeds_of_past_bugs_hold_on_both_engines() {
    let past = past_seeds();
    assert!(!past.is_empty());
    let all: Vec<_> = past.iter().flat_map(|seed| [(*seed, false), (*seed, true)]).collect();
    seeds(&all, None).unwrap_or_else(|what| panic!("{what}"));
}

#[test]
fn the_same_seed_is_the_same_run() {
    // The second run beside the first, and both beside those of other seeds: nothing of a run may hang on what else the machine does.
    std::thread::scope(|scope| {
        let start = |seed| {
            let work = move || one_seed(seed, false, None).unwrap();
            let builder = std::thread::Builder::new().stack_size(STACK);
            builder.spawn_scoped(scope, work).unwrap()
        };
        let pairs: Vec<_> = (0..8).map(|seed| (seed, [start(seed), start(seed)])).collect();
        for (seed, pair) in pairs {
            let [first, second] = pair.map(|run| run.join().unwrap());
            assert_eq!(first, second, "seed {seed}");
        }
    });
}

#[test]
fn planted_bugs_are_found() {
    for bug in [Bug::DropLog, Bug::LeaveClosed, Bug::CursorEarly, Bug::InTurn] {
        let may_show = (bug.shows_from()..).filter(|seed| bug.may_show(&Plan::draw(*seed)));
        let all: Vec<_> = may_show.take(FOUND_WITHIN).map(|seed| (seed, false)).collect();
        let found = seeds(&all, Some(bug)).expect_err("it goes unnoticed");
        assert!(found.contains("registry_event") || found.contains("span"), "{bug:?}: {found}");
        println!("{bug:?} was found by {}", found.lines().last().unwrap_or_default());
    }
}
