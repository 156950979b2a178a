//! `hallmark tfd experiment`: the calibration run, over the delegations of cases, those that a service keeps, or synthetic populations.
//!
//! The result is JSON with or without `--json`, on several lines without it: it is for programs, and for those who compare runs.

use std::path::Path;

use serde::Serialize;

use super::super::args::ExperimentArgs;
use super::super::shutdown::run_until_signal;
use super::super::{CliError, Exit, Output, open};
use crate::config::Config;
use crate::delegation::{BlockAt, HopState};
use crate::storage::{Database, StorageError, StoredEdge};
use crate::tfd::{
    Case, Noise, Point, Population, Report, Sensitivity, Source, Test, falsification, report,
    sensitivity,
};
use crate::vocab::Digest;

/// So many hops are read at a time.
const PAGE: u32 = 10_000;

/// What one run found.
#[derive(Serialize)]
struct Experiment {
    profile: &'static str,
    seed: u64,
    runs: Vec<Run>,
}

/// The findings about one set of edges.
#[derive(Serialize)]
struct Run {
    dataset: Dataset,
    beta: Distribution,
    disputes: Option<Disputes>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sensitivity: Option<[Sensitivity; 2]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    falsification: Option<Vec<Test>>,
}

/// Where the edges came from.
#[derive(Serialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
enum Dataset {
    Synthetic {
        population: Population,
        edges: usize,
    },
    Cases {
        cases: Vec<Digest>,
        edges: usize,
        left_out: usize,
    },
    /// Those of a database, after so many records of delegations and up to a block; left out are those that only one side signed.
    Stored {
        records: u64,
        indexed: Option<BlockAt>,
        edges: usize,
        left_out: usize,
    },
}

/// Betas of profile `tfd/1` in order; `null` of none.
#[derive(Serialize)]
struct Distribution {
    count: usize,
    clamped: usize,
    min_ppb: Option<i64>,
    p10_ppb: Option<i64>,
    median_ppb: Option<i64>,
    p90_ppb: Option<i64>,
    max_ppb: Option<i64>,
}

/// What was in dispute.
#[derive(Serialize)]
struct Disputes {
    cases: usize,
    failures: usize,
    with_verdict: usize,
    edges: usize,
}

/// Runs what was asked for.
pub(super) fn run(
    config: &Config,
    wanted: &ExperimentArgs,
    out: &mut Output,
) -> Result<Exit, CliError> {
    let runs = if wanted.stored {
        vec![stored(config, wanted)?]
    } else if wanted.files.is_empty() {
        Population::ALL.iter().map(|population| synthetic(*population, wanted)).collect()
    } else {
        vec![given(wanted)?]
    };
    let experiment = Experiment { profile: "tfd/1", seed: wanted.seed, runs };
    let pretty = serde_json::to_string_pretty(&experiment)?;
    out.record(&experiment, || pretty)?;
    Ok(Exit::Done)
}

fn synthetic(population: Population, wanted: &ExperimentArgs) -> Run {
    let source = Source::Synthetic(population);
    let mut random = crate::tfd::Random::new(wanted.seed);
    let points: Vec<Point> = (0..wanted.draws).map(|_| source.draw(&mut random)).collect();
    let dataset = Dataset::Synthetic { population, edges: points.len() };
    examined(dataset, None, source, &points, wanted)
}

/// The delegations of a database, of one state of it.
fn stored(config: &Config, wanted: &ExperimentArgs) -> Result<Run, CliError> {
    let found = run_until_signal(async |_| {
        let database = open::any_database(config).await?;
        let found = edges_in(&database).await;
        database.close().await;
        found.map_err(|error| CliError::failed("cannot read the delegations", &error))
    })??;
    let (records, indexed, all) = found;
    let (active, others): (Vec<_>, Vec<_>) =
        all.into_iter().partition(|edge| edge.state == HopState::Accepted);
    let points: Vec<Point> = active.iter().map(|edge| Point::of(&edge.inputs())).collect();
    let (edges, left_out) = (points.len(), others.len());
    let dataset = Dataset::Stored { records, indexed, edges, left_out };
    // Each hop of which somebody else judged that it failed is a failure of its own.
    let cases = active.iter().filter(|edge| edge.is_disputed).count();
    let disputes = Disputes { cases, failures: cases, with_verdict: cases, edges };
    Ok(examined(dataset, Some(disputes), Source::Given(&points), &points, wanted))
}

/// Every hop that is kept, with how many records there are and up to which block the chain is followed.
async fn edges_in(
    database: &Database,
) -> Result<(u64, Option<BlockAt>, Vec<StoredEdge>), StorageError> {
    let mut tx = database.begin_read().await?;
    let (records, indexed) = (tx.delegation_count().await?, tx.tags().await?.indexed);
    let indexed = indexed.map(|stamp| {
        let (number, hash) = (stamp.block.number, stamp.block.hash);
        BlockAt { number, hash, time: stamp.time }
    });
    let mut edges: Vec<StoredEdge> = Vec::new();
    loop {
        let after = edges.last().map(|edge| edge.hop);
        let page = tx.edges_after(after, PAGE).await?;
        if page.is_empty() {
            return Ok((records, indexed, edges));
        }
        edges.extend(page);
    }
}

fn given(wanted: &ExperimentArgs) -> Result<Run, CliError> {
    let cases: Vec<Case> =
        wanted.files.iter().map(|path| super::read(path)).collect::<Result<_, _>>()?;
    let reports = wanted.files.iter().zip(&cases).map(|(path, case)| edges_of(path, case));
    let reports: Vec<Report> = reports.collect::<Result<_, _>>()?;
    let all = reports.iter().flat_map(|report| &report.edges);
    let (active, others): (Vec<_>, Vec<_>) = all.partition(|edge| edge.carried_ppb.is_some());
    let points: Vec<Point> = active.iter().map(|edge| Point::of(&edge.inputs)).collect();
    let dataset = Dataset::Cases {
        cases: reports.iter().map(|report| report.case_digest).collect(),
        edges: points.len(),
        left_out: others.len(),
    };
    let disputes = Disputes {
        cases: cases.len(),
        failures: cases.iter().map(|case| case.failures.len()).sum(),
        with_verdict: cases.iter().filter(|case| case.verdict.is_some()).count(),
        edges: points.len(),
    };
    Ok(examined(dataset, Some(disputes), Source::Given(&points), &points, wanted))
}

/// A report for its edges. What they led to need not be exact here.
fn edges_of(path: &Path, case: &Case) -> Result<Report, CliError> {
    let sampling = crate::tfd::Sampling { seed: 0, samples: 1 };
    report(case, Some(sampling)).map_err(|error| super::refused(path, &error))
}

fn examined(
    dataset: Dataset,
    disputes: Option<Disputes>,
    source: Source<'_>,
    points: &[Point],
    wanted: &ExperimentArgs,
) -> Run {
    let noise = |is_clamped| Noise {
        seed: wanted.seed,
        draws: wanted.draws,
        sigma_ppb: wanted.sigma_ppb,
        is_clamped,
    };
    let is_wanted = wanted.sensitivity && !points.is_empty();
    let sensitivity =
        is_wanted.then(|| [false, true].map(|is_clamped| sensitivity(source, noise(is_clamped))));
    // Chains have wide numbers, and a tenth of the draws says as much.
    let chains = if points.is_empty() { 0 } else { wanted.draws.div_ceil(10) };
    let falsification = wanted.falsification.then(|| falsification(points, wanted.seed, chains));
    Run { dataset, beta: distribution(points), disputes, sensitivity, falsification }
}

fn distribution(points: &[Point]) -> Distribution {
    let raw: Vec<i64> = points.iter().map(|point| point.beta()).collect();
    let whole = 1_000_000_000;
    let mut betas: Vec<i64> = raw.iter().map(|beta| (*beta).clamp(0, whole)).collect();
    betas.sort_unstable();
    let at = |tenths: usize| {
        let place = (betas.len() * tenths / 10).min(betas.len().saturating_sub(1));
        betas.get(place).copied()
    };
    Distribution {
        count: betas.len(),
        clamped: raw.iter().filter(|beta| **beta > whole).count(),
        min_ppb: at(0),
        p10_ppb: at(1),
        median_ppb: at(5),
        p90_ppb: at(9),
        max_ppb: at(10),
    }
}
