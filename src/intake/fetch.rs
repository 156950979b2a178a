//! Fetches what strangers name, and what origins serve: over https only, from public addresses only, within bounds of size and time, and nowhere else than asked.
//!
//! The host must be a DNS name. Its addresses are looked at after the look-up and before the connection, by the very look-up that the
//! connection uses, so that no second answer can lead elsewhere; one private address among them refuses the host. Redirects are not followed,
//! proxies of the environment not used, bodies not unpacked, and only so many requests run at a time. The caller makes sure that the
//! process has a provider of cryptography.
//!
//! What an operator names may also be on this machine, and speak plain http: a fetcher that was made so does that with hosts whose addresses
//! may be private, and with no other.

use std::collections::BTreeSet;
use std::error::Error;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{ACCEPT, CONTENT_TYPE};
use reqwest::redirect::Policy;
use reqwest::{Certificate, Client, RequestBuilder, Response};
use tokio::sync::Semaphore;
use tokio::time::Instant;
use url::{Host, Url};

use super::is_public;

/// The most requests at a time.
const REQUESTS_MAX: usize = 64;

/// What one fetch may cost.
#[derive(Clone, Copy, Debug)]
pub struct FetchLimits {
    /// For the whole of it, waiting for its turn included.
    pub timeout: Duration,
    /// The largest body, in bytes.
    pub body_max: usize,
}

/// Why nothing was fetched. No variant tells a private host from one that does not exist: that would be a map of the network.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    /// The URL is not https, names no DNS host, or holds credentials.
    #[error("only https URLs of DNS names without credentials are fetched")]
    NotFetched,
    /// The host has no address, or one that is not public.
    #[error("the host has no public address")]
    NoPublicHost,
    /// The host answers with a redirect.
    #[error("the host answers with a redirect ({0}), which is not followed")]
    Redirect(u16),
    /// The host answers with another status than 200.
    #[error("the host answers with status {0}")]
    Status(u16),
    /// The body is larger than the bound.
    #[error("the body is larger than {0} bytes")]
    Oversize(usize),
    /// Too many others are being fetched: it was not asked for.
    #[error("too much is being fetched at a time: try again")]
    Busy,
    /// Not everything came in time.
    #[error("no whole answer within {0} s")]
    TimedOut(u64),
    /// No connection, or it broke.
    #[error("the host cannot be reached: {0}")]
    Unreachable(String),
}

/// What was fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetched {
    /// The body.
    pub body: Vec<u8>,
    /// Its content type, as the host gives it.
    pub content_type: Option<String>,
}

/// What a host answered, whatever its status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answered {
    /// The status.
    pub status: u16,
    /// The body.
    pub body: Vec<u8>,
}

/// The one way out.
#[derive(Clone, Debug)]
pub struct Fetcher {
    client: Client,
    /// The hosts that are spoken to over http too.
    plain_hosts: BTreeSet<String>,
    /// Whether a host may also be named by its address.
    takes_addresses: bool,
    limits: FetchLimits,
    places: Arc<Semaphore>,
}

impl Fetcher {
    /// A fetcher. `private_hosts` are the DNS names that may have private addresses; `authorities` are certificates, in PEM, that are trusted beside
    /// the machine's.
    ///
    /// # Errors
    /// When the machine has no certificates, or one of `authorities` is none.
    pub fn new(
        limits: FetchLimits,
        private_hosts: BTreeSet<String>,
        authorities: &[Vec<u8>],
    ) -> Result<Self, FetchError> {
        Self::with_plain(limits, private_hosts, BTreeSet::new(), authorities)
    }

    /// The same, which also speaks http to hosts that may have private addresses: for URLs that an operator gave, and never for a stranger's.
    ///
    /// # Errors
    /// As [`Fetcher::new`].
    pub fn also_plain(
        limits: FetchLimits,
        private_hosts: BTreeSet<String>,
        authorities: &[Vec<u8>],
    ) -> Result<Self, FetchError> {
        Self::with_plain(limits, private_hosts.clone(), private_hosts, authorities)
    }

    /// A fetcher for one host that whoever runs the program names, perhaps by its address: over http too, and wherever it is.
    ///
    /// # Errors
    /// As [`Fetcher::new`].
    pub fn of_host(
        limits: FetchLimits,
        host: String,
        authorities: &[Vec<u8>],
    ) -> Result<Self, FetchError> {
        let fetcher = Self::also_plain(limits, BTreeSet::from([host]), authorities)?;
        Ok(Self { takes_addresses: true, ..fetcher })
    }

    fn with_plain(
        limits: FetchLimits,
        private_hosts: BTreeSet<String>,
        plain_hosts: BTreeSet<String>,
        authorities: &[Vec<u8>],
    ) -> Result<Self, FetchError> {
        let unusable = |error: reqwest::Error| FetchError::Unreachable(innermost(&error));
        let authorities = authorities.iter().map(|pem| Certificate::from_pem(pem));
        let client = Client::builder()
            .https_only(plain_hosts.is_empty())
            .redirect(Policy::none())
            .no_proxy()
            .dns_resolver(Guarded { private_hosts })
            .tls_certs_merge(authorities.collect::<Result<Vec<_>, _>>().map_err(unusable)?)
            .user_agent(concat!("hallmark/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(unusable)?;
        let places = Arc::new(Semaphore::new(REQUESTS_MAX));
        Ok(Self { client, plain_hosts, takes_addresses: false, limits, places })
    }

    /// For how long it is worth to wait for a turn: half of what a fetch may take.
    pub(crate) fn patience(&self) -> Duration {
        self.limits.timeout / 2
    }

    /// Fetches a URL.
    ///
    /// # Errors
    /// When the URL is not one to fetch, or anything but status 200 and a whole body within the bounds comes back.
    pub async fn get(&self, url: &Url, accept: &'static str) -> Result<Fetched, FetchError> {
        let fetched = self.within(url, async {
            let mut response = sent(self.client.get(url.clone()).header(ACCEPT, accept)).await?;
            if response.status().as_u16() != 200 {
                return Err(FetchError::Status(response.status().as_u16()));
            }
            let content_type = response.headers().get(CONTENT_TYPE);
            let content_type =
                content_type.and_then(|value| value.to_str().ok()).map(str::to_owned);
            Ok(Fetched { body: self.body(&mut response).await?, content_type })
        });
        fetched.await
    }

    /// Sends a body in JSON, and takes what is answered.
    ///
    /// # Errors
    /// When the URL is not one to speak to, or no whole answer comes back within the bounds.
    pub async fn post(&self, url: &Url, body: Vec<u8>) -> Result<Answered, FetchError> {
        let answered = self.within(url, async {
            let request = self.client.post(url.clone());
            let request = request.header(CONTENT_TYPE, "application/json").body(body);
            let mut response = sent(request).await?;
            let status = response.status().as_u16();
            Ok(Answered { status, body: self.body(&mut response).await? })
        });
        answered.await
    }

    /// An exchange with a host that may be spoken to, in its turn and its time.
    async fn within<T>(
        &self,
        url: &Url,
        exchange: impl Future<Output = Result<T, FetchError>>,
    ) -> Result<T, FetchError> {
        let is_bare = url.username().is_empty() && url.password().is_none();
        let is_named = |host: &str| self.plain_hosts.contains(host);
        let (is_host, may_be_plain) = match url.host() {
            Some(Host::Domain(name)) => (true, is_named(name)),
            // An address is spoken to only where it was named.
            Some(Host::Ipv4(_) | Host::Ipv6(_)) => {
                let is_named = self.takes_addresses && url.host_str().is_some_and(is_named);
                (is_named, is_named)
            }
            None => (false, false),
        };
        let is_scheme = url.scheme() == "https" || (url.scheme() == "http" && may_be_plain);
        if !(is_bare && is_host && is_scheme) {
            return Err(FetchError::NotFetched);
        }
        let until = Instant::now() + self.limits.timeout;
        // Half of it is left for the host: what began too late would only seem to be slow.
        let place = tokio::time::timeout(self.patience(), self.places.acquire()).await;
        let _place = place.map_err(|_| FetchError::Busy)?;
        let exchanged = tokio::time::timeout_at(until, exchange).await;
        exchanged.map_err(|_| FetchError::TimedOut(self.limits.timeout.as_secs()))?
    }

    /// The body of an answer, within its bound.
    async fn body(&self, response: &mut Response) -> Result<Vec<u8>, FetchError> {
        let max = self.limits.body_max;
        let mut body = Vec::new();
        while let Some(part) = response.chunk().await.map_err(|error| fault(&error))? {
            if body.len().saturating_add(part.len()) > max {
                return Err(FetchError::Oversize(max));
            }
            body.extend_from_slice(&part);
        }
        Ok(body)
    }
}

/// The beginning of an answer; a redirect is none.
async fn sent(request: RequestBuilder) -> Result<Response, FetchError> {
    let response = request.send().await.map_err(|error| fault(&error))?;
    let status = response.status();
    if status.is_redirection() {
        return Err(FetchError::Redirect(status.as_u16()));
    }
    Ok(response)
}

/// Looks names up, and lets nobody through to a private address.
struct Guarded {
    private_hosts: BTreeSet<String>,
}

/// Stands in the chain of causes where a host was turned away.
#[derive(Debug, thiserror::Error)]
#[error("no public address")]
struct TurnedAway;

impl Resolve for Guarded {
    fn resolve(&self, name: Name) -> Resolving {
        let name = name.as_str().to_owned();
        let may_be_private = self.private_hosts.contains(&name);
        Box::pin(async move {
            // The port is that of the URL; this one is only a part of the form.
            let found = tokio::net::lookup_host((name, 0)).await.map_err(|_| TurnedAway)?;
            let found: Vec<SocketAddr> = found.collect();
            let is_open = may_be_private || found.iter().all(|address| is_public(address.ip()));
            if found.is_empty() || !is_open {
                return Err(TurnedAway.into());
            }
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

fn fault(error: &reqwest::Error) -> FetchError {
    let mut cause: Option<&dyn Error> = Some(error);
    while let Some(error) = cause {
        if error.is::<TurnedAway>() {
            return FetchError::NoPublicHost;
        }
        cause = error.source();
    }
    FetchError::Unreachable(innermost(error))
}

/// The innermost cause: the outer texts hold the URL.
fn innermost(error: &reqwest::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| (*cause).source());
    causes.last().map_or_else(|| "the request failed".to_owned(), ToString::to_string)
}
