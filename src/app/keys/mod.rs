//! The service's keys: kept in a file, opened, changed by the command line, and followed by a process that serves.
//!
//! [`KeyStore`] is the file and what it takes to open it; [`ServiceKeys`] is what a running process signs with, which looks every second
//! whether the file is another and reads it anew. Which key signs when is [`attest::keyring`](crate::attest::keyring)'s to say.

mod error;
mod file;
mod store;
#[cfg(test)]
mod tests;

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

pub use error::KeysError;
pub use store::{HeldKeys, KeyChange, KeyStore, Place};

use super::Clock;
use file::Stamp;

/// How often the file is looked at: well within the lead that changes have.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// The keys that a process holds. Copies are the same keys.
#[derive(Clone, Default)]
pub struct ServiceKeys(Arc<Shared>);

#[derive(Default)]
struct Shared {
    held: RwLock<Arc<HeldKeys>>,
    source: Option<Source>,
}

struct Source {
    store: KeyStore,
    clock: Arc<dyn Clock>,
    /// Which state of the file was read first.
    first: Option<Stamp>,
}

impl ServiceKeys {
    /// Keys that stay what they are.
    #[must_use]
    pub fn fixed(held: HeldKeys) -> Self {
        Self(Arc::new(Shared { held: RwLock::new(Arc::new(held)), source: None }))
    }

    /// Opens the keys of a store; [`keep`](Self::keep) goes on looking at it.
    ///
    /// # Errors
    /// As [`KeyStore::open`].
    pub fn open(store: KeyStore, clock: Arc<dyn Clock>) -> Result<Self, KeysError> {
        // Looked at first: a change between the two is seen the next time.
        let first = store.stamp()?;
        let held = RwLock::new(Arc::new(store.open(clock.now())?));
        Ok(Self(Arc::new(Shared { held, source: Some(Source { store, clock, first }) })))
    }

    /// The keys as they are now.
    #[must_use]
    pub fn held(&self) -> Arc<HeldKeys> {
        Arc::clone(&self.0.held.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Reads the file anew whenever it is another, for ever. What cannot be read is said once, and changes nothing; a key
    /// that does not open signs nothing, and what became of the others holds all the same.
    pub async fn keep(&self) {
        let Some(source) = &self.0.source else { return std::future::pending().await };
        let mut seen = source.first;
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            let shared = Arc::clone(&self.0);
            let looked = tokio::task::spawn_blocking(move || shared.look(seen)).await;
            // A panic within was logged; the next look is as good as this one.
            seen = looked.unwrap_or(seen);
        }
    }
}

impl Shared {
    /// Reads the file if it is in another state than the one that was seen, and says in which it is. Blocks.
    fn look(&self, seen: Option<Stamp>) -> Option<Stamp> {
        let Some(source) = &self.source else { return seen };
        let found = match source.store.stamp() {
            Ok(found) if found == seen => return seen,
            Ok(found) => found,
            Err(error) => {
                tracing::error!(error = %error.told(), "the keys stay as they were");
                return seen;
            }
        };
        if found.is_none() {
            tracing::error!(file = %source.store.path().display(), "the key file is gone; the keys stay as they were");
            return found;
        }
        match source.store.open_what_opens(source.clock.now()) {
            Ok((held, failed)) => {
                // A revocation holds whether or not there is a key to sign with.
                *self.held.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(held);
                tracing::info!(file = %source.store.path().display(), "read the keys anew");
                if let Some(error) = failed {
                    tracing::error!(error = %error.told(), "the key that is to sign does not open: without it nothing is signed");
                }
            }
            Err(error) => tracing::error!(error = %error.told(), "the keys stay as they were"),
        }
        found
    }
}
