//! `hallmark tfd`: who carries how much of a failure, from a case file; and `hallmark tfd experiment`, what the formula does under noise.
//!
//! Neither needs a chain, and only an experiment over what a service keeps its database. A report is drawn as bars, where looking beats reading; `--json` prints its canonical bytes, which
//! are what its digest is of.

mod experiment;
mod picture;

use std::io;
use std::path::Path;

use serde_json::value::RawValue;

use super::args::{TfdArgs, TfdCommand};
use super::input::read_file;
use super::{CliError, Exit, Output};
use crate::config::Config;
use crate::tfd::{self, CASE_BYTES_MAX, Case, CaseError, Sampling};

/// Computes a report, or runs the experiment.
pub(super) fn run(config: &Config, wanted: &TfdArgs, out: &mut Output) -> Result<Exit, CliError> {
    match &wanted.command {
        Some(TfdCommand::Experiment(wanted)) => experiment::run(config, wanted, out),
        None => report(wanted, out),
    }
}

fn report(wanted: &TfdArgs, out: &mut Output) -> Result<Exit, CliError> {
    // Clap asks for it where there is no command.
    let Some(path) = &wanted.file else { return Ok(Exit::Usage) };
    let case = read(path)?;
    let sampling = wanted.samples.map(|samples| Sampling { seed: wanted.seed, samples });
    let report = tfd::report(&case, sampling).map_err(|error| refused(path, &error))?;
    let canonical = RawValue::from_string(report.canonical()?)?;
    out.record(&canonical, || picture::of(&report))?;
    Ok(Exit::Done)
}

/// Reads a case, no further than cases may be long.
fn read(path: &Path) -> Result<Case, CliError> {
    let too_long = |why| refused(path, &CaseError { field: "the file".to_owned(), why });
    let bytes = read_file(path, CASE_BYTES_MAX, too_long)?;
    tfd::read(&bytes).map_err(|error| refused(path, &error))
}

fn refused(path: &Path, error: &CaseError) -> CliError {
    let message = io::Error::other(format!("`{}` has no report: {error}", path.display()));
    let hint = "docs/tfd.md describes the format, and docs/tfd-case.schema.json is its JSON Schema";
    let hint = if error.why.ends_with("ask for samples") {
        "`--samples 100000` draws the figures by lot, and prints how far off they can be"
    } else {
        hint
    };
    CliError::new(Exit::Negative, &message).with_hint(Some(hint.to_owned()))
}
