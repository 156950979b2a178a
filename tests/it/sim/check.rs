//! What must hold in the end: every table says what a database made from the canonical chain alone says.
//!
//! That database is made at once, in one step, without the follower. Three tables tell of the way there and not only of where it led, and
//! have rules of their own: `block` (which old headers were needed), `reorg` (what was undone) and `finding` (what looked wrong).

use std::collections::BTreeSet;

use hallmark::app::Following;
use hallmark::chain::{ChainStep, Stretch};
use hallmark::vocab::{BlockRef, Header, RawLog};
use tokio::time::{Duration, Instant};

use super::drive::{Driven, Until, at_once, drive};
use super::plan::Fault;
use super::records;
use super::run::{Run, filter, told};
use crate::support::databases::Fresh;
use crate::support::dump::{Dump, differences, dump};

/// Holds what a run stored against the truth.
pub(super) async fn holds(run: &Run<'_>) -> Result<(), String> {
    let found = at_once(dump(run.fresh.url())).await;
    run.node.world().revive(None);
    let expected = from_scratch(run).await?;
    let mut but = vec!["block", "reorg", "finding"];
    if records::has(run.seed) {
        but.extend(records::TABLES);
    }
    let mut wrong = differences(&found, &expected, &but);
    for rule in [blocks(run, &found, &expected), reorgs(run, &found), findings(run, &found)] {
        if let Err(what) = rule {
            wrong = format!("{wrong}{what}\n");
        }
    }
    if wrong.is_empty() { records::hold(run).await } else { Err(wrong) }
}

/// The canonical chain and its tags, as one step.
fn whole_chain(run: &Run<'_>) -> ChainStep {
    let world = run.node.world();
    let start = run.plan.options.start_block;
    let followed = || world.model.chain.blocks.iter().filter(|b| b.header.block.number >= start);
    let headers: Vec<Header> = followed().map(|block| block.header.clone()).collect();
    let logs: Vec<RawLog> = followed().flat_map(|block| block.logs.clone()).collect();
    let through = headers.last().unwrap().clone();
    let stretch = Stretch { from: start, through, headers, logs };
    ChainStep { revert_to: None, extend: Some(stretch), tags: world.model.tags() }
}

/// The tables of a database that never saw anything but the canonical chain.
async fn from_scratch(run: &Run<'_>) -> Result<Dump, String> {
    let fresh = at_once(Fresh::sqlite()).await;
    let database = at_once(fresh.database()).await;
    let step = whole_chain(run);
    let source = std::sync::Arc::new(run.source());
    let ingest = run.ingest(database.clone());
    let made = async {
        let (options, filter) = (run.plan.options.clone(), filter());
        let (source_, ingest_) = (std::sync::Arc::clone(&source), ingest.clone());
        Following::open(source_, ingest_, filter, options, &[]).await?;
        ingest.apply(source.as_ref(), &step, None).await
    };
    let end = Until::At(Instant::now() + Duration::from_hours(1));
    let driven = drive(Box::pin(made).as_mut(), &database, |_| end).await;
    at_once(database.close()).await;
    match driven {
        Driven::Ended(Ok(_)) => Ok(at_once(dump(fresh.url())).await),
        Driven::Ended(Err(error)) => Err(format!("from scratch: {}", told(&error))),
        Driven::Stopped | Driven::OutOfTime => Err("from scratch: it takes too long".to_owned()),
    }
}

/// Every block held is canonical, and all are held that must be: those with events, the cursor, and all above the finalized one.
fn blocks(run: &Run<'_>, found: &Dump, expected: &Dump) -> Result<(), String> {
    const PARENT: &str = " parent_hash=";
    // The parent of an old block is not always known.
    let bare = |row: &str| -> String {
        let (before, rest) = row.split_once(PARENT).unwrap();
        format!("{before} {}", rest.split_once(' ').unwrap().1)
    };
    let number = |row: &str| -> u64 {
        let (_, rest) = row.split_once("number=").unwrap();
        rest.split_once(' ').unwrap().0.parse().unwrap()
    };
    let truth: BTreeSet<&String> = expected["block"].iter().collect();
    let bare_truth: BTreeSet<String> = truth.iter().map(|row| bare(row)).collect();
    for row in &found["block"] {
        let unknown_parent = row.contains(" parent_hash=null ") && bare_truth.contains(&bare(row));
        if !truth.contains(row) && !unknown_parent {
            return Err(format!("block: no canonical one is {row}"));
        }
    }
    let held: BTreeSet<u64> = found["block"].iter().map(|row| number(row)).collect();
    let world = run.node.world();
    let chain = &world.model.chain;
    let start = run.plan.options.start_block;
    let finalized = if world.model.has_finality { chain.finalized } else { chain.height() };
    let needed = |block: &Header, logs: &[RawLog]| {
        let number = block.block.number;
        number >= start && (!logs.is_empty() || number > finalized || number == chain.height())
    };
    for block in chain.blocks.iter().filter(|block| needed(&block.header, &block.logs)) {
        if !held.contains(&block.header.block.number) {
            return Err(format!("block: {} is not held", block.header.block));
        }
    }
    Ok(())
}

/// Nothing looked wrong where nothing was left out, on a chain that was followed from its beginning on.
fn findings(run: &Run<'_>, found: &Dump) -> Result<(), String> {
    let left_out = run.plan.faults.iter().any(|(fault, _)| *fault == Fault::LogsLeftOut);
    match found["finding"].first() {
        Some(row) if !left_out && run.plan.options.start_block <= 1 => {
            Err(format!("finding: {row}"))
        }
        Some(_) | None => Ok(()),
    }
}

/// What was undone was a real branch above a real ancestor of it.
fn reorgs(run: &Run<'_>, found: &Dump) -> Result<(), String> {
    let world = run.node.world();
    for (i, row) in found["reorg"].iter().enumerate() {
        let value = |column: &str| {
            let (_, rest) = row.split_once(&format!("{column}=")).unwrap();
            rest.split_once(' ').unwrap().0.to_owned()
        };
        let block = |which: &str| BlockRef {
            number: value(&format!("{which}_number")).parse().unwrap(),
            hash: value(&format!("{which}_hash")).parse().unwrap(),
        };
        let (ancestor, orphaned) = (block("ancestor"), block("orphaned"));
        let mut below = world.model.known(orphaned.hash);
        while let Some(found) = below.filter(|found| found.header.block.number > ancestor.number) {
            below = world.model.known(found.header.parent_hash);
        }
        if below.is_none_or(|below| below.header.block != ancestor) {
            return Err(format!("reorg: {ancestor} is no ancestor of {orphaned}"));
        }
        // Rows are sorted as texts, so only their count tells of gaps.
        if value("seq").parse::<usize>().unwrap() > found["reorg"].len() {
            return Err(format!("reorg: number {} of {}", value("seq"), i + 1));
        }
    }
    let reverts = run.heard.lock().unwrap().reverts;
    // Steps that were stored without anybody hearing of it count here and not there.
    if u64::try_from(found["reorg"].len()).unwrap() < reverts {
        return Err(format!("reorg: {} rows of {reverts}", found["reorg"].len()));
    }
    Ok(())
}
