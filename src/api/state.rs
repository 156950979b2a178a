//! What every handler holds in hand.
//!
//! The caller opens the database, chooses the limits and says who tells of the nodes; nothing here reads the configuration.

use std::sync::Arc;
use std::time::Duration;

use metrics_exporter_prometheus::PrometheusHandle;

use super::cards::PayloadCache;
use super::dids::LinkageCache;
use super::extract::Turn;
use super::guard::RateLimiter;
use super::streams::{Hub, Seats};
use crate::app::{
    Cards, Characters, Clock, ContractWallets, ForeignDocuments, ModelKeeper, Origins, RecordQueue,
    Records, Rekeyer, ServiceKeys, TokenHash,
};
use crate::did::web::WebHost;
use crate::registry::KnownImplementations;
use crate::storage::Database;
use crate::vocab::{AccountId, UnixSeconds};

/// What the service answers from.
#[derive(Clone)]
pub struct ApiState {
    /// The database. What is followed is only read; characters are written.
    pub database: Database,
    /// What look-ups by wallet are answered from while it is kept; [`serve`](super::serve) keeps it.
    pub model: ModelKeeper,
    /// Tells how old the last block is.
    pub clock: Arc<dyn Clock>,
    /// Which code behind the registries is known.
    pub known: Arc<KnownImplementations>,
    /// How DID documents are made.
    pub documents: Documents,
    /// What the service signs with, and shows in its own document; by default nothing. [`serve`](super::serve) keeps them.
    pub keys: ServiceKeys,
    /// Finds the DID documents of other hosts; `None` where none are fetched.
    pub foreign: Option<Arc<ForeignDocuments>>,
    /// The operator's token, with which characters are created; `None` where nobody may.
    pub operator: Option<TokenHash>,
    /// Asks contracts whether they signed; `None` where there is no node.
    pub contracts: Option<Arc<ContractWallets>>,
    /// The platforms whose records are taken in.
    pub origins: Arc<Origins>,
    /// The contracts of the Ethereum Attestation Service whose off-chain attestations are taken in.
    pub eas: Arc<[AccountId]>,
    /// Where records are gathered before they are written; [`serve`](super::serve) makes it and writes them.
    pub(super) queue: Option<RecordQueue>,
    /// What listeners are told; [`serve`](super::serve) keeps it.
    pub(super) hub: Hub,
    /// How many may listen.
    pub(super) seats: Seats,
    /// Computes trust cards; [`serve`](super::serve) keeps what they are counted from.
    pub cards: Cards,
    pub(super) payloads: PayloadCache,
    /// The turn of one who asks for the population.
    pub(super) population: Arc<tokio::sync::Semaphore>,
    /// How the nodes are doing.
    pub providers: ProviderStatuses,
    /// Renders the metrics of [`recorder`](super::recorder); `None` where none is installed.
    pub metrics: Option<PrometheusHandle>,
    /// What one request and one client may cost. The rate limit is that of [`new`](Self::new); changing it here does nothing.
    pub limits: Limits,
    pub(super) limiter: Option<Arc<RateLimiter>>,
    /// Counts what changes something, which costs more and is asked less.
    pub(super) changes: Option<Arc<RateLimiter>>,
    pub(super) linkage: LinkageCache,
}

/// How many changes one client address may make, where requests are limited at all.
const CHANGES: RateLimit = RateLimit { per_s: 5, burst: 50 };

impl ApiState {
    /// A state without nodes and metrics, with the documents of this machine; set the fields to have them.
    pub fn new(
        database: Database,
        clock: Arc<dyn Clock>,
        known: KnownImplementations,
        limits: Limits,
    ) -> Self {
        let limiter = limits.rate_limit.and_then(RateLimiter::new).map(Arc::new);
        let changes = limiter.as_ref().and_then(|_| RateLimiter::new(CHANGES)).map(Arc::new);
        let (known, providers) = (Arc::new(known), ProviderStatuses::default());
        let model = ModelKeeper::new(database.clone());
        let documents = Documents::default();
        let hub = Hub::new(database.clone());
        let seats = Seats::new(limits.rate_limit.is_some());
        let cards = Cards::new(database.clone());
        Self {
            database,
            model,
            clock,
            known,
            documents,
            keys: ServiceKeys::default(),
            foreign: None,
            operator: None,
            contracts: None,
            origins: Arc::default(),
            eas: Arc::default(),
            queue: None,
            hub,
            seats,
            cards,
            payloads: PayloadCache::default(),
            population: Arc::new(tokio::sync::Semaphore::new(1)),
            providers,
            metrics: None,
            limits,
            limiter,
            changes,
            linkage: LinkageCache::default(),
        }
    }

    /// The same for one client, which has only its share of what is asked of other hosts and of nodes, where clients are limited at all.
    pub(super) fn asked_by(&self, turn: &Turn) -> Self {
        let mut state = self.clone();
        if let Some(client) = turn.client().filter(|_| self.limiter.is_some()) {
            state.foreign = state.foreign.map(|foreign| Arc::new(foreign.of_client(client)));
            state.contracts = state.contracts.map(|asks| Arc::new(asks.of_client(client)));
        }
        state
    }

    /// What taking records in rests on.
    pub(super) fn records(&self) -> Records {
        Records {
            database: self.database.clone(),
            clock: Arc::clone(&self.clock),
            host: self.documents.host.clone(),
            keys: self.keys.clone(),
            foreign: self.foreign.clone(),
            contracts: self.contracts.clone(),
            origins: Arc::clone(&self.origins),
            eas: Arc::clone(&self.eas),
        }
    }

    /// Looks up again whom records are about.
    pub(super) fn rekeyer(&self) -> Rekeyer {
        let host = self.documents.host.clone();
        Rekeyer::new(self.database.clone(), host, Arc::clone(&self.clock))
    }

    /// The verbs about characters.
    pub(super) fn characters(&self) -> Characters<'_> {
        Characters {
            database: &self.database,
            clock: &*self.clock,
            host: &self.documents.host,
            operator: self.operator.as_ref(),
            contracts: self.contracts.as_deref(),
        }
    }
}

/// How DID documents are made.
#[derive(Clone, Debug)]
pub struct Documents {
    /// The host of the DIDs that this service gives.
    pub host: WebHost,
    /// Whether an agent's document also names its owner.
    pub name_owner: bool,
}

impl Default for Documents {
    /// The documents of a service on this machine, at the port that it listens on by default.
    fn default() -> Self {
        Self { host: WebHost::local(8004), name_owner: false }
    }
}

/// What one request and one client may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The service calls itself ready while its last block is at most this old.
    pub lag_limit: Duration,
    /// How long one request may take.
    pub request_timeout: Duration,
    /// The largest request body, in bytes.
    pub request_body_max: usize,
    /// How many requests one client address may make; `None` for no limit.
    pub rate_limit: Option<RateLimit>,
}

/// How many requests one client address may make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimit {
    /// Requests a second in the long run; 0 turns the limit off.
    pub per_s: u32,
    /// Requests at once after a pause; at least 1.
    pub burst: u32,
}

/// How one node is doing, as whoever follows the chain reports it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProviderStatus {
    /// Scheme and host; never more of a URL that may hold a key.
    pub url: String,
    /// `both`, `follow` or `check`.
    pub role: &'static str,
    /// `healthy`, `troubled`, `benched` or `refused`.
    pub state: &'static str,
    /// Why it is not healthy.
    pub reason: Option<String>,
    /// Until when it is benched.
    pub benched_until: Option<UnixSeconds>,
    /// Its head when it was last asked for it.
    pub head: Option<u64>,
    /// How long its answers take, as a moving average.
    pub latency_ms: Option<u64>,
    /// How often it was asked.
    pub requests: u64,
    /// How often it failed.
    pub failures: u64,
    /// How often it was found to have left logs out or made them up.
    pub disagreements: u64,
    /// What it last failed with, without secrets; `None` where it never did.
    pub last_error: Option<String>,
}

/// Tells how the nodes are doing.
type Tell = dyn Fn() -> Vec<ProviderStatus> + Send + Sync;

/// How the nodes are doing, by the word of whoever follows in this process; by default nobody does.
#[derive(Clone, Default)]
pub struct ProviderStatuses(Option<Arc<Tell>>);

impl ProviderStatuses {
    /// As this tells whenever it is asked.
    pub fn told_by(tell: impl Fn() -> Vec<ProviderStatus> + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(tell)))
    }

    /// How they are doing now, the preferred first; `None` where nobody follows in this process.
    pub fn get(&self) -> Option<Vec<ProviderStatus>> {
        self.0.as_ref().map(|tell| tell())
    }
}
