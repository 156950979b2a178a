//! `hallmark keys`: the keys that the service signs with.
//!
//! A change is in force a few seconds later, when every process that serves has read it; the command that lets another key sign waits
//! for that, and then destroys the private part of the one before. No private part is ever printed.

use std::io::{BufRead as _, IsTerminal as _, Read as _, stdin};
use std::thread::sleep;
use std::time::Duration;

use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::args::KeysCommand;
use super::{CliError, Exit, Output, open};
use crate::app::{Clock, KeyStore, KeysError, Place, SystemClock};
use crate::attest::key::KeyKind;
use crate::attest::keyring::{KeyRecord, KeyState, KeyringError};
use crate::attest::seal::SealError;
use crate::config::Config;
use crate::did::key::PublicKey;
use crate::vocab::UnixSeconds;

/// How often to look whether a change is in force.
const PAUSE: Duration = Duration::from_millis(100);
/// The longest passphrase that is read, in bytes.
const PASSPHRASE_LEN_MAX: usize = 1024;

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
        KeysCommand::Passphrase { remove } => {
            let passphrase = if *remove { None } else { Some(read_passphrase()?) };
            let passphrase = passphrase.as_ref().map(|text| text.as_str());
            store.reseal(passphrase, &SystemClock).map_err(|error| failed(&error))?;
            return list(&store, out);
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

/// The new passphrase: one line of standard input. A terminal would show it to whoever looks over a shoulder.
fn read_passphrase() -> Result<Zeroizing<String>, CliError> {
    let mut input = stdin().lock();
    if input.is_terminal() {
        let error = std::io::Error::other(
            "the new passphrase is read from standard input, and a terminal would show it",
        );
        let hint = r#"read -rs NEW && printf '%s\n' "$NEW" | hallmark keys passphrase"#;
        return Err(CliError::new(Exit::Usage, &error).with_hint(Some(hint.to_owned())));
    }
    // Large enough at once: what grows leaves copies behind.
    let mut line = Zeroizing::new(String::with_capacity(PASSPHRASE_LEN_MAX + 2));
    let fail = |error| CliError::failed("cannot read the new passphrase", &error);
    let limit = u64::try_from(PASSPHRASE_LEN_MAX + 2).unwrap_or(u64::MAX);
    input.by_ref().take(limit).read_line(&mut line).map_err(fail)?;
    let length = line.trim_end_matches(['\r', '\n']).len();
    if length > PASSPHRASE_LEN_MAX {
        let error = std::io::Error::other(format!(
            "the new passphrase is longer than {PASSPHRASE_LEN_MAX} bytes"
        ));
        return Err(CliError::new(Exit::Usage, &error));
    }
    line.truncate(length);
    Ok(line)
}

fn read_kind(text: &str) -> Result<KeyKind, CliError> {
    text.parse().map_err(|error| CliError::new(Exit::Usage, &error))
}

/// A failure about keys, with what may be done about it.
pub(super) fn failed(error: &KeysError) -> CliError {
    let exit = match error {
        KeysError::Ring(KeyringError::NoSuchKey(_)) => Exit::Negative,
        KeysError::Ring(KeyringError::BadReason | KeyringError::SinceToCome(_))
        | KeysError::Seal { source: SealError::ShortPassphrase, .. } => Exit::Usage,
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
        "created": (!record.is_undated()).then_some(record.created),
        "activated": record.activated.filter(|_| !record.is_undated()),
        "retired": record.retired,
        "revoked": revoked,
        "private": place.as_str(),
    });
    out.record(&value, || as_text(record, &value, place))
}

/// One line: the key, its algorithm, what it is and since or until when, and where its private part is.
fn as_text(record: &KeyRecord, value: &Value, place: Place) -> String {
    let told = |name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default();
    let what = what_it_is(record, SystemClock.now());
    let private = place.as_str();
    format!("{}  {}  {what}, private part: {private}", told("key"), told("algorithm"))
}

/// What a key is at a moment, in words.
fn what_it_is(record: &KeyRecord, now: UnixSeconds) -> String {
    let state = record.state_at(now);
    let word = state.as_str();
    if let Some(told) = &record.revoked {
        return format!("{word} since {}: {}", told.since, told.reason);
    }
    if record.is_undated() {
        return format!("{word}, nobody wrote down since when");
    }
    let signs = record.activated.map(|at| format!(", signs from {at}")).unwrap_or_default();
    match state {
        KeyState::Coming => format!("{word}, shown from {}{signs}", record.created),
        KeyState::Waiting => format!("{word} since {}{signs}", record.created),
        KeyState::Active | KeyState::Retired | KeyState::Revoked => {
            let is_over = state == KeyState::Retired;
            let since = if is_over { record.retired } else { record.activated };
            let until = record.retired.filter(|_| !is_over);
            let until = until.map(|at| format!(" until {at}")).unwrap_or_default();
            format!("{word} since {}{until}", since.unwrap_or(record.created))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attest::key::PrivateKey;
    use crate::attest::keyring::Keyring;

    #[test]
    fn each_state_is_said_with_its_time() {
        let at = |seconds: u64| UnixSeconds::new(1_770_000_000 + seconds).unwrap();
        let key =
            |number| PrivateKey::from_bytes(KeyKind::Ed25519, &[number; 32]).unwrap().public();
        let mut ring = Keyring::default();
        ring.add(key(1), at(0)).unwrap();
        ring.add(key(2), at(10)).unwrap();
        let said = |ring: &Keyring, now| -> Vec<_> {
            ring.records().iter().map(|record| what_it_is(record, at(now))).collect()
        };
        let first = "active since 2026-02-02T02:40:00Z";
        assert_eq!(said(&ring, 11), [first, "coming, shown from 2026-02-02T02:40:13Z"]);
        assert_eq!(said(&ring, 13), [first, "waiting since 2026-02-02T02:40:13Z"]);
        ring.rotate(key(2), at(20)).unwrap();
        assert_eq!(
            said(&ring, 21),
            [
                "active since 2026-02-02T02:40:00Z until 2026-02-02T02:40:23Z",
                "waiting since 2026-02-02T02:40:13Z, signs from 2026-02-02T02:40:23Z",
            ]
        );
        assert_eq!(
            said(&ring, 23),
            ["retired since 2026-02-02T02:40:23Z", "active since 2026-02-02T02:40:23Z"]
        );
        assert_eq!(said(&Keyring::of_one(key(1)), 0), ["active, nobody wrote down since when"]);
    }
}
