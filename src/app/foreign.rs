//! DID documents of other hosts: fetched, checked, and kept for a while with the time of their fetching.
//!
//! Failures are kept too, for a shorter while: a host that does not answer is not asked again for everybody who asks. A document is what its
//! host says now; it has no versions and no history here. Hosts may be as slow as they may be, so no client has more than a few of
//! them fetched at a time, and what was not even asked for is not kept as a failure.

use std::collections::{BTreeMap, VecDeque};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::Value;
use url::Url;

use super::Clock;
use super::shares::Shares;
use crate::did::Did;
use crate::did::web::WebDid;
use crate::intake::{FetchError, FetchLimits, Fetcher};
use crate::vocab::UnixSeconds;

/// What is asked for; hosts answer with any JSON.
const ACCEPT: &str = "application/did+json, application/did, application/json;q=0.9";
/// How long a document is kept.
const KEPT_S: u64 = 300;
/// How long a failure is kept.
const FAILURE_KEPT_S: u64 = 30;
/// The most documents and failures that are kept.
const ENTRIES_MAX: usize = 1024;
/// The most bytes of documents that are kept.
const BYTES_MAX: usize = 16 << 20;

/// The most documents that are fetched at a time for one client.
const FETCHES_OF_CLIENT_MAX: usize = 4;

/// A document of another host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForeignDocument {
    /// As the host gave it, its JSON written anew.
    pub document: Value,
    /// When it was fetched.
    pub retrieved: UnixSeconds,
}

/// Why there is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ForeignError {
    /// It was not fetched.
    #[error("{0}")]
    Fetch(#[from] FetchError),
    /// What was fetched is no document.
    #[error("what the host serves is no JSON object")]
    NotADocument,
    /// What was fetched is the document of another DID.
    #[error("the document that the host serves is of another DID")]
    OtherId,
    /// It was not asked for, since others are being fetched for the same client.
    #[error(
        "{FETCHES_OF_CLIENT_MAX} documents of other hosts are being fetched for your address, which is the most at a time: try again"
    )]
    Busy,
}

impl ForeignError {
    /// Whether this says nothing of the host: it was not asked.
    #[must_use]
    pub const fn is_busy(&self) -> bool {
        matches!(self, Self::Busy | Self::Fetch(FetchError::Busy))
    }
}

#[derive(Clone, Debug)]
struct Kept {
    found: Result<Arc<ForeignDocument>, ForeignError>,
    until: u64,
    size: usize,
}

#[derive(Debug, Default)]
struct Cache {
    entries: BTreeMap<Did, Kept>,
    /// By the order in which they came.
    order: VecDeque<Did>,
    size: usize,
}

/// Finds documents of other hosts. Copies share what they keep.
#[derive(Clone)]
pub struct ForeignDocuments {
    fetcher: Fetcher,
    clock: Arc<dyn Clock>,
    cache: Arc<Mutex<Cache>>,
    shares: Shares,
    /// For whom they are fetched, where that is told.
    client: Option<IpAddr>,
}

impl ForeignDocuments {
    /// What one document may cost.
    pub const LIMITS: FetchLimits =
        FetchLimits { timeout: Duration::from_secs(5), body_max: 256 * 1024 };

    /// With hosts that may have private addresses, and certificates that are trusted beside the machine's.
    ///
    /// # Errors
    /// As [`Fetcher::new`].
    pub fn new(
        clock: Arc<dyn Clock>,
        private_hosts: impl IntoIterator<Item = String>,
        authorities: &[Vec<u8>],
    ) -> Result<Self, FetchError> {
        Self::with_limits(clock, private_hosts, authorities, Self::LIMITS)
    }

    /// The same within other limits.
    ///
    /// # Errors
    /// As [`Fetcher::new`].
    pub fn with_limits(
        clock: Arc<dyn Clock>,
        private_hosts: impl IntoIterator<Item = String>,
        authorities: &[Vec<u8>],
        limits: FetchLimits,
    ) -> Result<Self, FetchError> {
        crate::chain::install_crypto_provider();
        let fetcher = Fetcher::new(limits, private_hosts.into_iter().collect(), authorities)?;
        let (cache, shares) = (Arc::default(), Shares::of(FETCHES_OF_CLIENT_MAX));
        Ok(Self { fetcher, clock, cache, shares, client: None })
    }

    /// The same for one client, by its address, which has only so many fetched at a time and waits for the others.
    #[must_use]
    pub fn of_client(&self, client: IpAddr) -> Self {
        Self { client: Some(client), ..self.clone() }
    }

    /// The document of a did:web of another host.
    ///
    /// # Errors
    /// When it cannot be fetched, or is not the document of that DID.
    pub async fn document(
        &self,
        did: &Did,
        web: &WebDid,
    ) -> Result<Arc<ForeignDocument>, ForeignError> {
        let now = self.clock.now();
        if let Some(kept) = self.cache().get(did, now.get()) {
            return kept;
        }
        let share = tokio::time::timeout(self.fetcher.patience(), self.shares.take(self.client));
        let _share = share.await.map_err(|_| ForeignError::Busy)?;
        // Meanwhile it may have come for another request.
        if let Some(kept) = self.cache().get(did, now.get()) {
            return kept;
        }
        let (found, size) = match self.fetch(did, web).await {
            Ok((document, size)) => {
                (Ok(Arc::new(ForeignDocument { document, retrieved: now })), size)
            }
            Err(error) if error.is_busy() => return Err(error),
            Err(error) => (Err(error), 0),
        };
        let kept_s = if found.is_ok() { KEPT_S } else { FAILURE_KEPT_S };
        let until = now.get().saturating_add(kept_s);
        self.cache().put(did.clone(), Kept { found: found.clone(), until, size });
        found
    }

    async fn fetch(&self, did: &Did, web: &WebDid) -> Result<(Value, usize), ForeignError> {
        let url = Url::parse(&web.url()).map_err(|_| FetchError::NotFetched)?;
        let fetched = self.fetcher.get(&url, ACCEPT).await?;
        let document: Value =
            serde_json::from_slice(&fetched.body).map_err(|_| ForeignError::NotADocument)?;
        if !document.is_object() {
            return Err(ForeignError::NotADocument);
        }
        let id = document.get("id").and_then(Value::as_str);
        if id != Some(did.as_str()) {
            return Err(ForeignError::OtherId);
        }
        Ok((document, fetched.body.len()))
    }

    fn cache(&self) -> std::sync::MutexGuard<'_, Cache> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Cache {
    fn get(&self, did: &Did, now: u64) -> Option<Result<Arc<ForeignDocument>, ForeignError>> {
        self.entries.get(did).filter(|kept| now < kept.until).map(|kept| kept.found.clone())
    }

    fn put(&mut self, did: Did, kept: Kept) {
        self.size += kept.size;
        if let Some(old) = self.entries.insert(did.clone(), kept) {
            self.size -= old.size;
        } else {
            self.order.push_back(did);
        }
        while self.entries.len() > ENTRIES_MAX || self.size > BYTES_MAX {
            let Some(oldest) = self.order.pop_front() else { return };
            self.size -= self.entries.remove(&oldest).map_or(0, |old| old.size);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(until: u64, size: usize) -> Kept {
        Kept { found: Err(ForeignError::OtherId), until, size }
    }

    fn did(number: usize) -> Did {
        Did::parse(&format!("did:web:a.example:{number}")).unwrap()
    }

    #[tokio::test]
    async fn what_found_no_place_says_nothing_of_its_host() {
        let now = UnixSeconds::new(1).unwrap();
        let clock = Arc::new(crate::app::FixedClock(now));
        let limits = FetchLimits { timeout: Duration::from_millis(20), body_max: 1 };
        let all = ForeignDocuments::with_limits(clock, [], &[], limits).unwrap();
        let client = IpAddr::from([192, 0, 2, 1]);
        let of_client = all.of_client(client);
        let mut taken = Vec::new();
        for _ in 0..FETCHES_OF_CLIENT_MAX {
            taken.push(all.shares.take(Some(client)).await);
        }
        let did = Did::parse("did:web:no-such-host.invalid").unwrap();
        let web = WebDid::parse(&did).unwrap();
        assert_eq!(of_client.document(&did, &web).await, Err(ForeignError::Busy));
        assert!(all.cache().entries.is_empty());
        // What is kept needs no place.
        all.cache().put(did.clone(), kept(10, 0));
        assert_eq!(of_client.document(&did, &web).await, Err(ForeignError::OtherId));
        assert!(
            ForeignError::Fetch(FetchError::Busy).is_busy() && !ForeignError::OtherId.is_busy()
        );
    }

    #[test]
    fn what_is_kept_is_bounded_in_number_size_and_time() {
        let mut cache = Cache::default();
        for number in 0..2 * ENTRIES_MAX {
            cache.put(did(number), kept(10, 1));
        }
        assert_eq!(
            (cache.entries.len(), cache.order.len(), cache.size),
            (ENTRIES_MAX, ENTRIES_MAX, ENTRIES_MAX)
        );
        assert!(cache.get(&did(0), 0).is_none(), "the oldest went first");
        let newest = did(2 * ENTRIES_MAX - 1);
        assert!(cache.get(&newest, 9).is_some());
        assert!(cache.get(&newest, 10).is_none());
        cache.put(newest.clone(), kept(20, 5));
        assert_eq!((cache.entries.len(), cache.size), (ENTRIES_MAX, ENTRIES_MAX + 4));
        cache.put(did(0), kept(10, BYTES_MAX));
        assert_eq!((cache.entries.len(), cache.size), (1, BYTES_MAX));
    }
}
