//! `hallmark delegation`: records of delegations, made, signed, bundled into traces, and drawn.
//!
//! None of it needs a database or a chain. What is printed is what is signed, hashed or verified, with or without `--json`, except for what
//! `inspect` draws.

mod make;
mod picture;
mod sign;

use std::io;
use std::path::Path;

use serde_json::{Value, json};

use super::args::DelegationCommand;
use super::verify::{is_document, refused};
use super::{CliError, Exit, Output, input};
use crate::app::{Clock, SystemClock};
use crate::attest::TypedRecord;
use crate::attest::canonical;
use crate::attest::envelope::Envelope;
use crate::config::Config;
use crate::delegation::{
    CaseOptions, DOCUMENT_BYTES_MAX, ENVELOPE_BYTES_MAX, Record, Standing, TraceDocument,
    TraceVerdict, case, verify_trace,
};
use crate::vocab::Digest;

/// The longest file that is read, in bytes.
pub(super) const FILE_BYTES_MAX: usize = DOCUMENT_BYTES_MAX;

pub(super) fn run(
    config: &Config,
    command: &DelegationCommand,
    out: &mut Output,
) -> Result<Exit, CliError> {
    match command {
        DelegationCommand::New { kind, file } => make::new(kind, file, out),
        DelegationCommand::Sign(wanted) => sign::run(config, wanted, out),
        DelegationCommand::Bundle { files, known } => make::bundle(files, known.as_deref(), out),
        DelegationCommand::Inspect { file } => inspect(file, out),
        DelegationCommand::Case { file, failed, id } => {
            case_of(file, failed.as_deref(), id.clone(), out)
        }
    }
}

/// Reads a file, or standard input, no further than what is read here may be long.
pub(super) fn read_file(path: &Path) -> Result<Vec<u8>, CliError> {
    input::read_file(path, FILE_BYTES_MAX, |why| refused(path, &io::Error::other(why)))
}

/// Reads a record that nobody signed yet.
fn read_record(path: &Path) -> Result<(TypedRecord, Record), CliError> {
    let typed = TypedRecord::read(&read_file(path)?).map_err(|error| refused(path, &error))?;
    let record = Record::read(&typed).map_err(|error| refused(path, &error))?;
    Ok((typed, record))
}

fn read_document(path: &Path) -> Result<TraceDocument, CliError> {
    TraceDocument::read(&read_file(path)?).map_err(|error| refused(path, &error))
}

/// Prints the verdict on a trace.
pub(super) fn trace(
    document: &TraceDocument,
    verdict: &TraceVerdict,
    out: &mut Output,
) -> Result<Exit, CliError> {
    out.record(&verdict.to_value(), || picture::of(document, verdict))?;
    Ok(match verdict.standing {
        Standing::Valid => Exit::Done,
        Standing::Invalid => Exit::Negative,
        Standing::NeedsChain => Exit::Failed,
    })
}

fn inspect(path: &Path, out: &mut Output) -> Result<Exit, CliError> {
    let bytes = read_file(path)?;
    if is_document(&bytes) {
        let document = TraceDocument::read(&bytes).map_err(|error| refused(path, &error))?;
        let verdict = verify_trace(&document, SystemClock.now());
        trace(&document, &verdict, out)?;
        // Whether it holds is for `verify` to answer with its exit code.
        return Ok(Exit::Done);
    }
    if let Ok(typed) = TypedRecord::read(&bytes) {
        let record = Record::read(&typed).map_err(|error| refused(path, &error))?;
        show(&typed, record.kind().as_str(), None, out)?;
        return Ok(Exit::Done);
    }
    let envelope = Envelope::read(bytes.trim_ascii().to_vec(), ENVELOPE_BYTES_MAX)
        .map_err(|error| refused(path, &error))?;
    let Some(typed) = envelope.claimed_record() else {
        let error = io::Error::other(
            "it shows no record of a delegation; what a JWT carries, `hallmark verify` says once its signature holds",
        );
        return Err(refused(path, &error));
    };
    let record = Record::read(&typed).map_err(|error| refused(path, &error))?;
    show(&typed, record.kind().as_str(), Some(&envelope), out)?;
    Ok(Exit::Done)
}

/// Shows one record, and how it was signed.
fn show(
    typed: &TypedRecord,
    kind: &str,
    envelope: Option<&Envelope>,
    out: &mut Output,
) -> Result<(), CliError> {
    let form = envelope.map(|envelope| envelope.form().as_str());
    let value = json!({
        "kind": kind, "digest": typed.digest(), "form": form, "record": typed.source(),
    });
    out.record(&value, || {
        let pretty = serde_json::to_string_pretty(typed.source()).unwrap_or_default();
        let form = form.map_or_else(
            || "not signed".to_owned(),
            |form| format!("signed as {form}, not checked"),
        );
        let lines = pretty.lines().map(shown).collect::<Vec<_>>().join("\n");
        format!("{kind} {}  ({form})\n{lines}", typed.digest())
    })
}

fn case_of(
    path: &Path,
    failed: Option<&str>,
    id: String,
    out: &mut Output,
) -> Result<Exit, CliError> {
    let failed = failed.map(str::parse::<Digest>).transpose();
    let failed = failed.map_err(|error| CliError::new(Exit::Usage, &error))?;
    let document = read_document(path)?;
    let verdict = verify_trace(&document, SystemClock.now());
    if let Some(fault) = verdict.reason() {
        // The case is made all the same: whoever widened a scope is not let off by it.
        tracing::warn!(reason = %shown(&fault.why), "the trace does not hold");
    }
    let options = CaseOptions { id, failed, ..CaseOptions::default() };
    let made = case(&verdict, options).map_err(|error| refused(path, &error))?;
    let value = serde_json::to_value(&made)?;
    print_value(&value, out)?;
    Ok(Exit::Done)
}

/// Prints JSON: on one line with `--json`, else so that it can be read.
fn print_value(value: &Value, out: &mut Output) -> Result<(), CliError> {
    let pretty = serde_json::to_string_pretty(value)?;
    out.record(value, || pretty)
}

/// The RFC 8785 text of a value.
fn canonical_text(value: &Value) -> Result<String, CliError> {
    Ok(String::from_utf8(canonical::to_bytes(value)?)?)
}

/// A text from a file, without what a terminal would act on.
pub(super) fn shown(text: &str) -> String {
    text.chars().map(|c| if c.is_control() && c != '\n' { '\u{fffd}' } else { c }).collect()
}
