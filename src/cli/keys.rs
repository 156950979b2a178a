//! `hallmark keys`: the keys that the service signs with.
//!
//! A change is in force a few seconds later, when every process that serves has read it; the command that lets another key sign waits
//! for that, and then destroys the private part of the one before. No private part is ever printed.

use std::thread::sleep;
use std::time::Duration;

use serde_json::{Value, json};

use super::args::KeysCommand;
use super::{CliError, Exit, Output, open};
use crate::app::{Clock, KeyStore, KeysError, Place, SystemClock};
use crate::attest::key::KeyKind;
use crate::attest::keyring::{KeyRecord, KeyringError};
use crate::config::Config;
use crate::did::key::PublicKey;
use crate::vocab::UnixSeconds;

/// How often to look whether a change is in force.
const PAUSE: Duration = Duration::from_millis(100);

pub(super) fn run(
    config: &Config,
    command: &KeysCommand,
    out: &mut Output,
) -> Result<Exit, CliError> {
    let store = open::key_store(config)?;
    match command {
        KeysCommand::List => return list(&store, out),
        KeysCommand::New { kind } => {
            let kind = kind.as_deref().map(read_kind).transpose()?.unwrap_or_default();
            let change = store.add(kind, &SystemClock).map_err(|error| failed(&error))?;
            show(&store, change.key, out)?;
        }
        KeysCommand::Rotate { kind } => {
            let kind = kind.as_deref().map(read_kind).transpose()?;
            let change = store.rotate(kind, &SystemClock).map_err(|error| failed(&error))?;
            wait_until(change.at);
            store.forget_ended(&SystemClock).map_err(|error| failed(&error))?;
            show(&store, change.key, out)?;
        }
        KeysCommand::Revoke { key, reason, since } => {
            let since = since.as_deref().map(UnixSeconds::parse).transpose();
            let since = since.map_err(|error| CliError::new(Exit::Usage, &error))?;
            let record = store.revoke(key, since, reason, &SystemClock);
            let record = record.map_err(|error| failed(&error))?;
            show(&store, record.key, out)?;
        }
    }
    Ok(Exit::Done)
}

fn read_kind(text: &str) -> Result<KeyKind, CliError> {
    text.parse().map_err(|error| CliError::new(Exit::Usage, &error))
}

/// A failure about keys, with what may be done about it.
pub(super) fn failed(error: &KeysError) -> CliError {
    let exit = match error {
        KeysError::Ring(KeyringError::NoSuchKey(_)) => Exit::Negative,
        KeysError::Ring(KeyringError::BadReason | KeyringError::SinceToCome(_)) => Exit::Usage,
        _ => Exit::Failed,
    };
    let hint = error.hint();
    CliError::new(exit, error).with_hint(hint)
}

fn wait_until(at: UnixSeconds) {
    while SystemClock.now() < at {
        sleep(PAUSE);
    }
}

fn list(store: &KeyStore, out: &mut Output) -> Result<Exit, CliError> {
    // A rotation that was interrupted has left one behind. Whoever may only read the file reads it all the same.
    if let Err(error) = store.forget_ended(&SystemClock) {
        tracing::warn!(%error, "private parts of keys that have ended are not destroyed");
    }
    for (record, place) in store.list().map_err(|error| failed(&error))? {
        record_of(&record, place, out)?;
    }
    Ok(Exit::Done)
}

/// Shows what became of one key.
fn show(store: &KeyStore, key: PublicKey, out: &mut Output) -> Result<(), CliError> {
    for (record, place) in store.list().map_err(|error| failed(&error))? {
        if record.key == key {
            record_of(&record, place, out)?;
        }
    }
    Ok(())
}

fn record_of(record: &KeyRecord, place: Place, out: &mut Output) -> Result<(), CliError> {
    let state = record.state_at(SystemClock.now()).as_str();
    let revoked = record.revoked.as_ref();
    let revoked =
        revoked.map(|told| json!({ "at": told.at, "since": told.since, "reason": told.reason }));
    let value = json!({
        "key": record.key.multibase(),
        "thumbprint": record.key.thumbprint(),
        "algorithm": record.key.algorithm().as_str(),
        "state": state,
        "created": record.created,
        "activated": record.activated,
        "retired": record.retired,
        "revoked": revoked,
        "private": place.as_str(),
    });
    out.record(&value, || as_text(record, &value, place))
}

/// One line: the key, its algorithm, its state and when that began, and where its private part is.
fn as_text(record: &KeyRecord, value: &Value, place: Place) -> String {
    let told = |name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default();
    let since = if let Some(told) = &record.revoked {
        format!("since {}: {}", told.since, told.reason)
    } else {
        let began = record.retired.or(record.activated).unwrap_or(record.created);
        format!("since {began}, private part: {}", place.as_str())
    };
    format!("{}  {}  {} {since}", told("key"), told("algorithm"), told("state"))
}
