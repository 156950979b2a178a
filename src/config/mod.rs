//! The configuration in force: one struct, and the only reader of the environment.
//!
//! Origins of records have a table each in the file, and nowhere else.
//!
//! Five layers, each over the one before: built-in defaults, the preset that `chain` names, the file, `HALLMARK_…` variables, flags.
//! Every value remembers where it came from, for `hallmark config`. A value is checked in every layer, also where a higher one hides it:
//! a mistake that waits for the day its cover is taken away is worse than one that stops the program now.
//!
//! The file's relative paths are relative to the working directory. What a chain or a database answers is not checked here.
//! URLs may hold keys and passwords, so no error, log line or listing shows more of them than scheme and host; of a private key or
//! a passphrase none shows more than that there is one.

mod accounts;
mod endpoint;
mod error;
mod key;
mod layer;
mod origin;
mod resolve;
mod secret;
mod value;

use std::ffi::OsString;
use std::net::SocketAddr;
use std::num::NonZeroU64;
use std::path::{Path, PathBuf};
use std::time::Duration;

use alloy::primitives::Address;
use url::Url;

pub use endpoint::{DatabaseUrl, RpcRole, RpcUrl, Token};
pub use error::ConfigError;
pub use key::{KEYS, Key, Kind, ORIGIN_KEYS};
pub use origin::{OriginConfig, OriginKey};
pub use resolve::Entry;
pub use secret::Secret;
pub use value::{LogFilter, LogFormat, Topics};

use crate::did::web::WebHost;
use crate::vocab::{AccountId, ChainId};
use accounts::Accounts;
use resolve::Resolver;

/// The file that is read when none is named.
const DEFAULT_FILE: &str = "hallmark.toml";

/// The configuration in force.
#[derive(Clone, Debug)]
pub struct Config {
    /// The preset's name, or `custom`.
    pub chain: String,
    /// The chain that is followed; the node must say the same.
    pub chain_id: ChainId,
    /// JSON-RPC endpoints, at least one, the preferred first.
    pub rpc_url: Vec<RpcUrl>,
    /// Which database, on which engine.
    pub database_url: DatabaseUrl,
    /// Where the HTTP service listens.
    pub listen: SocketAddr,
    /// The host of the DIDs that this service gives.
    pub host: WebHost,
    /// Whether an agent's DID document also names its owner.
    pub owner_in_documents: bool,
    /// Whether documents of other hosts' DIDs are fetched.
    pub foreign_dids: bool,
    /// DNS names that may be fetched from although their addresses are private.
    pub private_hosts: Vec<WebHost>,
    /// Whether registration files are fetched beside following.
    pub registration_files: bool,
    /// The most bytes of what is fetched that are kept.
    pub files_max: u64,
    /// IPFS gateways, the preferred first.
    pub ipfs_gateways: Vec<Url>,
    /// Where records come from beside the chain and their issuers, by name.
    pub origins: Vec<OriginConfig>,
    /// The token with which characters and invitations are made; `None` for nobody.
    pub operator_token: Option<Token>,
    /// PEM files of authorities that are trusted beside this machine's.
    pub tls_certificates: Vec<PathBuf>,
    /// The first block that is read.
    pub start_block: u64,
    /// The identity registry's proxy.
    pub identity_registry: Address,
    /// The reputation registry's proxy, if it is followed.
    pub reputation_registry: Option<Address>,
    /// The validation registry's proxy, if it is followed.
    pub validation_registry: Option<Address>,
    /// Implementations that are trusted beside those the program knows.
    pub known_implementations: Vec<Address>,
    /// The contracts of the Ethereum Attestation Service whose off-chain attestations are taken in.
    pub eas_contracts: Vec<AccountId>,
    /// How long to wait before asking for a new head.
    pub poll_interval: Duration,
    /// The most blocks in one request for logs.
    pub range_max: NonZeroU64,
    /// The most requests for logs at a time.
    pub range_concurrency: usize,
    /// How long one JSON-RPC request may take.
    pub rpc_timeout: Duration,
    /// Which logs of the registries are asked for.
    pub topics: Topics,
    /// The file of the service's keys.
    pub key_file: PathBuf,
    /// The passphrase that private keys are sealed under, if they are.
    pub key_passphrase: Option<Secret>,
    /// The private key that signs, where it is not in the file.
    pub signing_key: Option<Secret>,
    /// The service calls itself ready while its last block is at most this old.
    pub lag_limit: Duration,
    /// How long one HTTP request may take.
    pub request_timeout: Duration,
    /// The largest request body, in bytes.
    pub request_body_max: usize,
    /// Requests a second that one client address may make; `None` is no limit.
    pub rate_limit: Option<RateLimit>,
    /// Which log records are written.
    pub log: LogFilter,
    /// How log records are written.
    pub log_format: LogFormat,
    entries: Vec<Entry>,
}

/// How many requests one client address may make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimit {
    /// Requests a second, in the long run; at least 1.
    pub per_s: u32,
    /// Requests at once after a pause; at least 1.
    pub burst: u32,
}

/// What the command line says, as it was typed. Absent or empty: not said.
#[derive(Clone, Debug, Default)]
pub struct Flags {
    /// `--config`: a file that must exist.
    pub config: Option<PathBuf>,
    /// `--chain`.
    pub chain: Option<String>,
    /// `--rpc-url`, once for each endpoint.
    pub rpc_url: Vec<String>,
    /// `--database-url`.
    pub database_url: Option<String>,
    /// `--listen`.
    pub listen: Option<String>,
    /// `--start-block`.
    pub start_block: Option<String>,
}

/// The environment of this process, as pairs. The one place that reads it.
pub fn environment() -> Vec<(OsString, OsString)> {
    #[expect(clippy::disallowed_methods, reason = "the one reader of the environment")]
    std::env::vars_os().collect()
}

impl Config {
    /// The configuration that follows from flags, environment, file, preset and defaults.
    ///
    /// A file that a flag or `HALLMARK_CONFIG` names must exist; `hallmark.toml` in the working directory need not.
    ///
    /// # Errors
    /// When a key is unknown, a value is malformed, or a custom registry is not described in full.
    pub fn load(
        flags: &Flags,
        environment: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> Result<Self, ConfigError> {
        Self::load_beside(Path::new(DEFAULT_FILE), flags, environment)
    }

    fn load_beside(
        default_file: &Path,
        flags: &Flags,
        environment: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> Result<Self, ConfigError> {
        let layers = layer::read(default_file, flags, environment)?;
        let (mut values, chain) = Resolver::new(layers)?;
        let listen: SocketAddr = values.take(key::LISTEN)?;
        let per_s = values.take(key::RATE_LIMIT_PER_S)?;
        let burst = values.take(key::RATE_LIMIT_BURST)?;
        let origins = values.origins();
        let mut config = Self {
            chain,
            chain_id: ChainId(values.take(key::CHAIN_ID)?),
            rpc_url: values.take(key::RPC_URL)?,
            database_url: values.take(key::DATABASE_URL)?,
            listen,
            host: values.take::<Option<_>>(key::HOST)?.unwrap_or(WebHost::local(listen.port())),
            owner_in_documents: values.take(key::OWNER_IN_DOCUMENTS)?,
            foreign_dids: values.take(key::FOREIGN_DIDS)?,
            private_hosts: values.take(key::PRIVATE_HOSTS)?,
            registration_files: values.take(key::REGISTRATION_FILES)?,
            files_max: values.take::<u64>(key::FILES_MAX_MIB)? << 20,
            ipfs_gateways: values.take(key::IPFS_GATEWAYS)?,
            operator_token: values.take(key::OPERATOR_TOKEN)?,
            tls_certificates: values.take(key::TLS_CERTIFICATES)?,
            start_block: values.take(key::START_BLOCK)?,
            identity_registry: values.take(key::IDENTITY_REGISTRY)?,
            reputation_registry: values.take(key::REPUTATION_REGISTRY)?,
            validation_registry: values.take(key::VALIDATION_REGISTRY)?,
            known_implementations: values.take(key::KNOWN_IMPLEMENTATIONS)?,
            eas_contracts: values.take::<Accounts>(key::EAS_CONTRACTS)?.0,
            poll_interval: Duration::from_millis(values.take(key::POLL_INTERVAL_MS)?),
            range_max: values.take(key::RANGE_MAX)?,
            range_concurrency: values.take(key::RANGE_CONCURRENCY)?,
            rpc_timeout: Duration::from_secs(values.take(key::RPC_TIMEOUT_S)?),
            topics: values.take(key::TOPICS)?,
            key_file: values.take(key::KEY_FILE)?,
            key_passphrase: values.take(key::KEY_PASSPHRASE)?,
            signing_key: values.take(key::SIGNING_KEY)?,
            lag_limit: Duration::from_secs(values.take(key::LAG_LIMIT_S)?),
            request_timeout: Duration::from_secs(values.take(key::REQUEST_TIMEOUT_S)?),
            request_body_max: values.take(key::REQUEST_BODY_MAX)?,
            rate_limit: (per_s > 0).then_some(RateLimit { per_s, burst }),
            log: values.take(key::LOG)?,
            log_format: values.take(key::LOG_FORMAT)?,
            origins: Vec::new(),
            entries: values.into_entries(KEYS),
        };
        config.check_registries_differ()?;
        config.read_origins(origins)?;
        Ok(config)
    }

    /// Every key with the value in force and where it came from, in the order of [`KEYS`], then those of each origin in the order of
    /// [`ORIGIN_KEYS`]. Secrets are masked.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Whether a key's value was given as a flag.
    pub fn is_flag(&self, key: &str) -> bool {
        self.entries.iter().any(|entry| {
            entry.name() == key && entry.source == layer::Source::Flag.place(&entry.key)
        })
    }

    /// Whether nobody set a key: its value is the built-in one.
    pub fn is_default(&self, key: &str) -> bool {
        self.entries.iter().any(|entry| {
            entry.name() == key && entry.source == layer::Source::Default.place(&entry.key)
        })
    }

    /// Whether a key's value is the preset's.
    pub fn is_from_preset(&self, key: &str) -> bool {
        self.entries.iter().any(|e| e.name() == key && e.source.starts_with("preset "))
    }

    /// One address under two keys is a slip of the clipboard: its logs would be read as both kinds.
    fn check_registries_differ(&self) -> Result<(), ConfigError> {
        let named = [
            (key::IDENTITY_REGISTRY, Some(self.identity_registry)),
            (key::REPUTATION_REGISTRY, self.reputation_registry),
            (key::VALIDATION_REGISTRY, self.validation_registry),
        ];
        for (at, (key, address)) in named.iter().enumerate() {
            let earlier =
                named.iter().take(at).find(|(_, other)| address.is_some() && other == address);
            if let Some((other, _)) = earlier {
                return Err(ConfigError::SameAddress { key: key.name, other: other.name });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
