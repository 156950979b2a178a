//! From the configuration to the parts that commands are made of: the database, what is followed, and the node.

use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::sync::Arc;

use alloy::primitives::Address;

use super::{CliError, Exit, keys};
use crate::app::{
    AppError, Clock, FetchOptions, FileFetcher, FileKeeper, Ingest, KeyStore, Origin, Origins,
    Records, RelayKeeper, ServiceKeys, SystemClock, TokenHash,
};
use crate::attest::key::PrivateKey;
use crate::attest::limits::Limits;
use crate::chain::endpoint::Endpoint;
use crate::chain::{
    FollowerOptions, LogFilter, Provider, Providers, ProvidersOptions, Role, RpcOptions, RpcSource,
    Trust,
};
use crate::config::{Config, RpcRole, Topics};
use crate::intake::Fetcher;
use crate::intake::relay::{Relay, RelaySource};
use crate::registry::{Deployment, KnownImplementations, topics};
use crate::storage::{Binding, Database, Registry};
use crate::vocab::{RegistryKind, RegistryRef};

/// Opens the database and brings its schema up to date.
pub(super) async fn database(config: &Config) -> Result<Database, CliError> {
    let database = Database::open(&config.database_url.expose()).await?;
    database.migrate().await?;
    Ok(database)
}

/// Opens the database, which if it was used before must be of what is configured. Says whether it was.
pub(super) async fn checked_database(config: &Config) -> Result<(Database, bool), CliError> {
    checked(config, database(config).await?).await
}

async fn checked(config: &Config, database: Database) -> Result<(Database, bool), CliError> {
    let is_used = database.begin_read().await?.binding().await?.is_some();
    if is_used {
        // Only compares; what is dropped here without a commit was never written.
        database.begin_write().await?.bind(&binding(config)).await?;
    }
    Ok((database, is_used))
}

/// Opens a database that must have been used already.
pub(super) async fn used_database(config: &Config) -> Result<Database, CliError> {
    let database = Database::open_existing(&config.database_url.expose()).await?;
    database.migrate().await?;
    let (database, is_used) = checked(config, database).await?;
    if is_used {
        return Ok(database);
    }
    Err(CliError::new(Exit::Failed, &AppError::NothingIndexed))
}

/// The platforms whose records are taken in.
pub(super) fn origins(config: &Config) -> Origins {
    Origins::new(config.origins.iter().map(|origin| Origin {
        name: origin.name.clone(),
        token: origin.token.as_ref().map(|token| TokenHash::of(token.expose())),
        signers: origin.keys.iter().map(ToString::to_string).collect(),
        plugins: origin.plugins.clone(),
        chain: origin.chain,
        limits: Limits { note_max: origin.note_max, per_round_max: origin.per_round_max },
    }))
}

/// Reads the relays of origins; `None` where none is followed.
pub(super) fn relay_keeper(config: &Config, database: &Database) -> Option<RelayKeeper> {
    let followed = config.origins.iter().filter_map(|origin| {
        let url = origin.relay_url.clone().filter(|_| !origin.games.is_empty())?;
        let source = RelaySource {
            origin: origin.name.clone(),
            chain: origin.chain,
            plugins: origin.plugins.clone(),
        };
        Some((source, url, origin.games.clone()))
    });
    let followed: Vec<_> = followed.collect();
    if followed.is_empty() {
        return None;
    }
    crate::chain::install_crypto_provider();
    let private = config.private_hosts.iter().map(|host| host.name().to_owned()).collect();
    // The nodes' client has read the same files before, and said what is wrong with them.
    let authorities = authorities(config).unwrap_or_default();
    match Fetcher::also_plain(Relay::LIMITS, private, &authorities) {
        Ok(fetcher) => {
            let relay = |(source, url, games)| (Relay::new(source, url, fetcher.clone()), games);
            let relays = followed.into_iter().map(relay).collect();
            Some(RelayKeeper::new(records(config, database), relays))
        }
        Err(error) => {
            tracing::warn!(%error, "relays are not read");
            None
        }
    }
}

/// What taking records in rests on where nobody brings signed ones: no keys, no nodes, no documents of other hosts.
pub(super) fn records(config: &Config, database: &Database) -> Records {
    Records {
        database: database.clone(),
        clock: Arc::new(SystemClock),
        host: config.host.clone(),
        keys: ServiceKeys::default(),
        foreign: None,
        contracts: None,
        origins: Arc::new(origins(config)),
        eas: config.eas_contracts.as_slice().into(),
    }
}

/// Opens a database that must be there, whatever chain it follows: for what rests on none.
pub(super) async fn any_database(config: &Config) -> Result<Database, CliError> {
    let database = Database::open_existing(&config.database_url.expose()).await?;
    database.migrate().await?;
    Ok(database)
}

/// Opens a database that must be there, whether or not a chain was followed into it.
pub(super) async fn existing_database(config: &Config) -> Result<Database, CliError> {
    let database = Database::open_existing(&config.database_url.expose()).await?;
    database.migrate().await?;
    Ok(checked(config, database).await?.0)
}

/// Where the service's keys are.
pub(super) fn key_store(config: &Config) -> Result<KeyStore, CliError> {
    let own = config.signing_key.as_ref().map(|text| PrivateKey::parse(text.expose()));
    let own = own.transpose().map_err(|error| {
        let error = std::io::Error::other(format!("`signing_key`: {error}"));
        CliError::new(Exit::Usage, &error)
    })?;
    let passphrase = config.key_passphrase.as_ref().map(|text| text.expose().clone());
    Ok(KeyStore::new(config.key_file.clone(), passphrase, own))
}

/// The keys that the service signs with.
pub(super) fn service_keys(config: &Config) -> Result<ServiceKeys, CliError> {
    ServiceKeys::open(key_store(config)?, Arc::new(SystemClock))
        .map_err(|error| keys::failed(&error))
}

/// What is followed.
pub(super) fn binding(config: &Config) -> Binding {
    let addresses = [
        (RegistryKind::Identity, Some(config.identity_registry)),
        (RegistryKind::Reputation, config.reputation_registry),
        (RegistryKind::Validation, config.validation_registry),
    ];
    let registry = |(kind, address): (RegistryKind, Option<Address>)| {
        let at = RegistryRef { chain: config.chain_id, address: address? };
        Some(Registry { kind, at, start_block: config.start_block })
    };
    Binding {
        chain: config.chain_id,
        registries: addresses.into_iter().filter_map(registry).collect(),
    }
}

/// The registries that a preset names although they are not on every one of its chains.
pub(super) fn may_lack_code(config: &Config) -> &'static [RegistryKind] {
    if config.is_from_preset("validation_registry") { &[RegistryKind::Validation] } else { &[] }
}

/// The code whose behaviour is known.
pub(super) fn known(config: &Config) -> KnownImplementations {
    let mut known = KnownImplementations::default();
    for implementation in &config.known_implementations {
        for kind in RegistryKind::ALL {
            known.add(kind, *implementation);
        }
    }
    known
}

/// What applies steps to a database.
pub(super) fn ingest(config: &Config, database: Database) -> Ingest {
    Ingest { database, binding: binding(config), known: known(config) }
}

/// What fetches registration files beside following; `None` where it is not to be.
pub(super) fn file_keeper(config: &Config, database: &Database) -> Option<FileKeeper> {
    if !config.registration_files {
        return None;
    }
    let options = FetchOptions {
        gateways: config.ipfs_gateways.clone(),
        private_hosts: config.private_hosts.iter().map(|host| host.name().to_owned()).collect(),
        // The nodes' client has read the same files before, and said what is wrong with them.
        authorities: authorities(config).unwrap_or_default(),
        ..FetchOptions::default()
    };
    let clock = Arc::new(SystemClock);
    match FileFetcher::new(clock.clone(), &options) {
        Ok(fetcher) => {
            let keeper = FileKeeper::new(database.clone(), fetcher, clock, config.host.clone());
            Some(keeper.with_stored_max(config.files_max))
        }
        Err(error) => {
            tracing::warn!(%error, "registration files are not fetched");
            None
        }
    }
}

/// The logs that are asked for.
pub(super) fn filter(config: &Config) -> LogFilter {
    let registries = binding(config).registries;
    let topics = match config.topics {
        Topics::All => Vec::new(),
        Topics::Known => topics::KNOWN_EVENTS
            .iter()
            .filter(|event| registries.iter().any(|registry| event.is_of(registry.kind)))
            .map(|event| event.topic0)
            .collect(),
    };
    LogFilter { addresses: registries.iter().map(|registry| registry.at.address).collect(), topics }
}

/// How the chain is followed.
pub(super) fn follower_options(config: &Config) -> FollowerOptions {
    FollowerOptions {
        range_max: config.range_max.get(),
        concurrency: config.range_concurrency,
        ..FollowerOptions::new(config.chain_id, config.start_block)
    }
}

/// The nodes, as one source.
pub(super) fn source(config: &Config) -> Result<Providers<RpcSource>, CliError> {
    let options = RpcOptions {
        timeout: config.rpc_timeout,
        poll_interval: config.poll_interval,
        ..RpcOptions::default()
    };
    let trust = trust(config)?;
    let mut providers = Vec::with_capacity(config.rpc_url.len());
    for url in &config.rpc_url {
        let endpoint = Endpoint::parse(url.expose().as_str())?;
        let role = match url.role() {
            RpcRole::Both => Role::Both,
            RpcRole::Follow => Role::Follow,
            RpcRole::Check => Role::Check,
        };
        let name = endpoint.to_string();
        let source = RpcSource::trusting(endpoint, options, &trust)?;
        providers.push(Provider { source, name, role });
    }
    let options = ProvidersOptions {
        // A node must not be able to tell which of its answers will be compared.
        seed: SystemClock.now().get() ^ u64::from(std::process::id()).rotate_left(32),
        known: known_logs(config),
        ..ProvidersOptions::new(config.chain_id)
    };
    Ok(Providers::new(providers, options))
}

/// The authorities that nodes may be vouched for by, beside this machine's.
fn trust(config: &Config) -> Result<Trust, CliError> {
    let mut trust = Trust::default();
    for (path, pem) in config.tls_certificates.iter().zip(authorities(config)?) {
        trust.add_pem(&pem).map_err(|error| {
            let what = format!("cannot use `{}` of `tls_certificates`", path.display());
            CliError::failed(&what, &error)
        })?;
    }
    Ok(trust)
}

/// The files of authorities, as they are.
pub(super) fn authorities(config: &Config) -> Result<Vec<Vec<u8>>, CliError> {
    let read = |path: &PathBuf| {
        std::fs::read(path).map_err(|error| {
            let what = format!("cannot read `{}` of `tls_certificates`", path.display());
            CliError::failed(&what, &error)
        })
    };
    config.tls_certificates.iter().map(read).collect()
}

/// A block that holds logs for certain: that of the preset's deployment.
fn known_logs(config: &Config) -> Option<(LogFilter, RangeInclusive<u64>)> {
    let preset = Deployment::by_name(&config.chain).filter(|preset| preset.starts_with_logs)?;
    let block = preset.start_block;
    (preset.identity == config.identity_registry).then(|| (filter(config), block..=block))
}
