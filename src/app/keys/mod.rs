//! The service's keys: kept in a file, opened, changed by the command line, and followed by a process that serves.
//!
//! [`KeyStore`] is the file and what it takes to open it; [`ServiceKeys`] is what a running process signs with, which looks every second
//! whether the file is another and reads it anew. Which key signs when is [`attest::keyring`](crate::attest::keyring)'s to say.

mod error;
mod file;
mod held;
mod reseal;
mod store;
#[cfg(test)]
mod tests;

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

pub use error::KeysError;
pub use held::HeldKeys;
pub use store::{KeyChange, KeyStore, Place};

use super::Clock;
use file::Stamp;

/// How often the file is looked at: well within the lead that changes have.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How long a private part that has no use is left to the command that retired it, in seconds; whoever serves then destroys it.
const SPENT_GRACE_S: u64 = 5;

/// The keys that a process holds. Copies are the same keys.
#[derive(Clone, Default)]
pub struct ServiceKeys(Arc<Shared>);

#[derive(Default)]
struct Shared {
    held: RwLock<Arc<HeldKeys>>,
    fault: RwLock<Option<Arc<str>>>,
    source: Option<Source>,
}

/// What a process knows of the file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Seen {
    stamp: Option<Stamp>,
    /// Whether what is spent in it could not be destroyed.
    is_kept: bool,
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
        Self(Arc::new(Shared { held: RwLock::new(Arc::new(held)), ..Shared::default() }))
    }

    /// Opens the keys of a store; [`keep`](Self::keep) goes on looking at it.
    ///
    /// # Errors
    /// As [`KeyStore::open`].
    pub fn open(store: KeyStore, clock: Arc<dyn Clock>) -> Result<Self, KeysError> {
        // Looked at first: a change between the two is seen the next time.
        let first = store.stamp()?;
        let held = RwLock::new(Arc::new(store.open(clock.now())?));
        let source = Some(Source { store, clock, first });
        Ok(Self(Arc::new(Shared { held, source, ..Shared::default() })))
    }

    /// What is wrong with the file of the keys since it was last looked at, in words for everybody; `None` where all is well.
    #[must_use]
    pub fn fault(&self) -> Option<Arc<str>> {
        self.0.fault.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The keys as they are now.
    #[must_use]
    pub fn held(&self) -> Arc<HeldKeys> {
        Arc::clone(&self.0.held.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Reads the file anew whenever it is another, for ever, and destroys what is spent in it. What cannot be read is said once and
    /// shown by [`fault`](Self::fault), and changes nothing; a key that does not open and was not open before signs nothing, and what
    /// became of the others holds all the same.
    pub async fn keep(&self) {
        let Some(source) = &self.0.source else { return std::future::pending().await };
        let mut seen = Seen { stamp: source.first, is_kept: false };
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
    fn look(&self, seen: Seen) -> Seen {
        let Some(source) = &self.source else { return seen };
        let stamp = match source.store.stamp() {
            Ok(found) if found == seen.stamp => return self.tidy(source, seen),
            Ok(found) => found,
            Err(error) => {
                // Said once: the state that was seen stays, and so this comes again every second.
                if !self.has_fault(&error) {
                    tracing::error!(error = %error.told(), "the keys stay as they were");
                }
                self.set_fault(Some(&error));
                return seen;
            }
        };
        let path = || source.store.path().display();
        let fault = if stamp.is_none() && seen.stamp.is_some() {
            let error = KeysError::Gone { path: source.store.path().to_owned() };
            tracing::error!(error = %error.told(), "the keys stay as they were");
            Some(error)
        } else {
            match source.store.open_what_opens(source.clock.now()) {
                Ok((mut held, failed)) => {
                    let mut place = self.held.write().unwrap_or_else(PoisonError::into_inner);
                    held.take_over(&place, source.clock.now());
                    // A revocation holds whether or not there is a key to sign with.
                    *place = Arc::new(held);
                    tracing::info!(file = %path(), "read the keys anew");
                    if let Some(error) = &failed {
                        tracing::error!(error = %error.told(), "the key that is to sign does not open: this process signs only with what it had open before");
                    }
                    failed
                }
                Err(error) => {
                    tracing::error!(error = %error.told(), "the keys stay as they were");
                    Some(error)
                }
            }
        };
        self.set_fault(fault.as_ref());
        Seen { stamp, is_kept: false }
    }

    /// Destroys private parts in the file that sign no more, which whoever retired them left behind. Blocks.
    fn tidy(&self, source: &Source, seen: Seen) -> Seen {
        let spent_at = self.held.read().unwrap_or_else(PoisonError::into_inner).spent_at();
        let now = source.clock.now().get();
        let is_due = spent_at.is_some_and(|at| at.get().saturating_add(SPENT_GRACE_S) <= now);
        if !is_due || seen.is_kept {
            return seen;
        }
        if let Err(error) = source.store.forget_ended(source.clock.as_ref()) {
            tracing::warn!(error = %error.told(), "the private part of a key that has ended is still in the key file: `hallmark keys list`, run by the file's owner, destroys it");
        } else {
            tracing::info!(file = %source.store.path().display(), "destroyed the private parts of keys that have ended");
        }
        // Once it is done the file is another, and is read anew.
        Seen { is_kept: true, ..seen }
    }

    fn has_fault(&self, error: &KeysError) -> bool {
        let fault = self.fault.read().unwrap_or_else(PoisonError::into_inner);
        fault.as_deref() == Some(error.public().as_str())
    }

    fn set_fault(&self, error: Option<&KeysError>) {
        let fault = error.map(|error| Arc::from(error.public()));
        *self.fault.write().unwrap_or_else(PoisonError::into_inner) = fault;
    }
}
