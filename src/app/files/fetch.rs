//! Fetches one source, and checks what can be checked.
//!
//! A host that says that there is nothing (404, 410) has answered; one that fails has not. What IPFS names is asked of gateways as blocks,
//! so that it can be proven; only where a gateway has none, or the content has a form that is not read here, the gateway's word is taken, and
//! it is said that it is only that. A gateway whose blocks are wrong is not believed at all.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use url::Url;

use crate::app::{Clock, ForeignDocuments, ForeignError};
use crate::did::Did;
use crate::did::web::WebDid;
use crate::intake::{FetchError, FetchLimits, Fetcher};
use crate::registry::file::ipfs::{IpfsPath, Unproven, prove};
use crate::registry::file::{FILE_MAX, Source, SourceKind};

/// The most bytes of the blocks of one file, with all that stands between them.
const BLOCKS_MAX: usize = FILE_MAX + FILE_MAX / 4;
const ACCEPT: &str = "application/json, */*;q=0.5";
const ACCEPT_BLOCKS: &str = "application/vnd.ipld.car; version=1";
/// Where a domain says which agents it speaks for (ERC-8004).
const DOMAIN_PATH: &str = "/.well-known/agent-registration.json";

/// Where files may be fetched from.
#[derive(Clone, Debug)]
pub struct FetchOptions {
    /// IPFS gateways, the preferred first: https URLs, below which `ipfs/` follows.
    pub gateways: Vec<Url>,
    /// DNS names that may have private addresses.
    pub private_hosts: BTreeSet<String>,
    /// Certificates, in PEM, that are trusted beside the machine's.
    pub authorities: Vec<Vec<u8>>,
    /// How long one file may take; blocks, which a gateway may have to look for, may take twice as long.
    pub timeout: Duration,
}

impl Default for FetchOptions {
    /// No gateway, nothing private, ten seconds.
    fn default() -> Self {
        Self {
            gateways: Vec::new(),
            private_hosts: BTreeSet::new(),
            authorities: Vec::new(),
            timeout: Duration::from_secs(10),
        }
    }
}

/// What came of a fetch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Got {
    /// Content.
    Content {
        /// The bytes.
        body: Vec<u8>,
        /// Whether they were checked against the name of the source.
        is_proven: bool,
    },
    /// The host says that there is nothing.
    Nothing,
}

/// Why nothing came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Failed {
    /// In words.
    pub(super) why: String,
    /// Whether the host did not answer at all, so that asking it for other things would only cost time.
    pub(super) is_hosts: bool,
}

/// Fetches sources.
pub struct FileFetcher {
    files: Fetcher,
    blocks: Fetcher,
    documents: ForeignDocuments,
    gateways: Vec<Url>,
}

impl FileFetcher {
    /// A fetcher.
    ///
    /// # Errors
    /// As [`Fetcher::new`].
    pub fn new(clock: Arc<dyn Clock>, options: &FetchOptions) -> Result<Self, FetchError> {
        let (private, authorities) = (&options.private_hosts, &options.authorities);
        let documents = ForeignDocuments::new(clock, private.iter().cloned(), authorities)?;
        let of_file = FetchLimits { timeout: options.timeout, body_max: FILE_MAX };
        let of_blocks =
            FetchLimits { timeout: options.timeout.saturating_mul(2), body_max: BLOCKS_MAX };
        Ok(Self {
            files: Fetcher::new(of_file, private.clone(), authorities)?,
            blocks: Fetcher::new(of_blocks, private.clone(), authorities)?,
            documents,
            gateways: options.gateways.clone(),
        })
    }

    /// The host that is asked for a source, whatever the port: hosts are asked for one thing at a time.
    pub(super) fn host_of(source: &Source) -> String {
        match source.kind {
            SourceKind::Ipfs => String::new(),
            SourceKind::Domain => source.target.split(':').next().unwrap_or_default().to_owned(),
            SourceKind::Web => {
                let url = Url::parse(&source.target).ok();
                let host = url.and_then(|url| url.host_str().map(str::to_owned));
                host.unwrap_or_default()
            }
            SourceKind::Did => {
                let web = Did::parse(&source.target).ok().and_then(|did| WebDid::parse(&did).ok());
                web.map(|web| web.host.name().to_owned()).unwrap_or_default()
            }
        }
    }

    pub(super) async fn fetch(&self, source: &Source) -> Result<Got, Failed> {
        match source.kind {
            SourceKind::Web => self.file(&source.target).await,
            SourceKind::Domain => {
                self.file(&format!("https://{}{DOMAIN_PATH}", source.target)).await
            }
            SourceKind::Did => self.document(&source.target).await,
            SourceKind::Ipfs => self.of_gateways(&source.target).await,
        }
    }

    async fn file(&self, url: &str) -> Result<Got, Failed> {
        let url = Url::parse(url).map_err(|error| Failed::of_source(&error))?;
        let got = self.files.get(&url, ACCEPT).await;
        answered(got.map(|fetched| fetched.body))
    }

    async fn document(&self, did: &str) -> Result<Got, Failed> {
        let did = Did::parse(did).map_err(|error| Failed::of_source(&error))?;
        let web = WebDid::parse(&did).map_err(|error| Failed::of_source(&error))?;
        let found = match self.documents.document(&did, &web).await {
            Ok(found) => Ok(found.document.to_string().into_bytes()),
            Err(ForeignError::Fetch(error)) => Err(error),
            Err(error) => return Err(Failed::of_source(&error)),
        };
        answered(found)
    }

    async fn of_gateways(&self, path: &str) -> Result<Got, Failed> {
        let path = IpfsPath::parse(path);
        let path = path.map_err(|flaw| Failed { why: flaw.detail, is_hosts: false })?;
        if let Some(body) = path.inline() {
            return Ok(Got::Content { body, is_proven: true });
        }
        let mut last = Failed { why: "no IPFS gateway is configured".to_owned(), is_hosts: false };
        for gateway in &self.gateways {
            match self.of_gateway(gateway, &path).await {
                Ok(got) => return Ok(got),
                Err(failed) => last = failed,
            }
        }
        Err(last)
    }

    async fn of_gateway(&self, gateway: &Url, path: &IpfsPath) -> Result<Got, Failed> {
        let plain = gateway.join(&format!("ipfs/{path}"));
        let plain = plain.map_err(|error| Failed::of_source(&error))?;
        let mut blocks = plain.clone();
        blocks.set_query(Some("format=car&dag-scope=entity"));
        let shown = gateway.host_str().unwrap_or_default();
        let of_gateway = |why: &dyn std::fmt::Display| Failed {
            why: format!("the gateway {shown}: {why}"),
            is_hosts: false,
        };
        match self.blocks.get(&blocks, ACCEPT_BLOCKS).await {
            Ok(fetched) => match prove(path, &fetched.body) {
                Ok(body) => return Ok(Got::Content { body, is_proven: true }),
                // No blocks, or content that nobody could prove here.
                Err(Unproven::NotAnArchive | Unproven::OtherForm) => {}
                Err(why) => return Err(of_gateway(&why)),
            },
            // Gateways that give no blocks refuse to in all sorts of ways.
            Err(FetchError::Status(400 | 405 | 406 | 415 | 501)) => {}
            Err(error) => return Err(of_gateway(&error)),
        }
        let fetched = self.files.get(&plain, ACCEPT).await.map_err(|error| of_gateway(&error))?;
        Ok(Got::Content { body: fetched.body, is_proven: false })
    }
}

impl Failed {
    fn of_source(why: &dyn std::fmt::Display) -> Self {
        Self { why: why.to_string(), is_hosts: false }
    }
}

fn answered(got: Result<Vec<u8>, FetchError>) -> Result<Got, Failed> {
    match got {
        Ok(body) => Ok(Got::Content { body, is_proven: false }),
        Err(FetchError::Status(404 | 410)) => Ok(Got::Nothing),
        Err(error) => {
            let is_hosts = matches!(
                error,
                FetchError::TimedOut(_) | FetchError::Unreachable(_) | FetchError::NoPublicHost
            );
            Err(Failed { why: error.to_string(), is_hosts })
        }
    }
}
