//! The service's keys from outside: the commands, the document and its history, the link to the domain, other people's verifiers, and
//! that nothing secret is anywhere.

mod commands;
mod document;
mod judges;
mod secrecy;

use std::path::PathBuf;
use std::sync::Arc;

use hallmark::api::ApiState;
use hallmark::app::{FixedClock, KeyStore, ServiceKeys};
use hallmark::vocab::UnixSeconds;
use tempfile::TempDir;

/// A moment on the day on which these tests are told.
fn at(seconds: u64) -> UnixSeconds {
    UnixSeconds::new(1_770_000_000 + seconds).unwrap()
}

/// A clock that stands still at one.
fn clock(seconds: u64) -> FixedClock {
    FixedClock(at(seconds))
}

/// A place for a key file.
struct Keys(TempDir);

impl Keys {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("keys.json")
    }

    /// The file, without a passphrase.
    fn store(&self) -> KeyStore {
        KeyStore::new(self.path(), None, None)
    }

    /// Gives a state these keys, as a process that serves has them at a moment.
    fn give(&self, state: &mut ApiState, now: UnixSeconds) {
        let clock = Arc::new(FixedClock(now));
        state.clock = clock.clone();
        state.keys = ServiceKeys::open(self.store(), clock).unwrap();
    }
}
