//! `hallmark serve`, and `hallmark` alone: the HTTP service, without and with following.
//!
//! The service goes on answering when following has to stop for good: what was recorded is still true as of its block.

use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::sync::watch;

use super::follow::follow;
use super::shutdown::run_until_signal;
use super::{CliError, Exit, open};
use crate::api::{self, ApiState, Documents, Limits, ProviderStatus, ProviderStatuses, RateLimit};
use crate::app::{
    AppError, Clock, ContractWallets, Followed, ForeignDocuments, ServiceKeys, SystemClock,
    TokenHash,
};
use crate::chain::{ProviderReport, Providers, RpcSource, State};
use crate::config::Config;
use crate::storage::Database;
use crate::vocab::UnixSeconds;

/// Serves only.
pub(super) fn run(config: &Config) -> Result<Exit, CliError> {
    run_until_signal(async |stop| {
        let (database, _) = open::checked_database(config).await?;
        let keys = open::service_keys(config)?;
        let listener = listen(config).await?;
        let mut state = full_state(config, &database)?;
        state.contracts = Some(contracts(config, Arc::new(open::source(config)?)));
        state.keys = keys;
        serve(state, listener, stop).await?;
        database.close().await;
        Ok(Exit::Done)
    })?
}

/// Follows and serves.
pub(super) fn run_both(config: &Config) -> Result<Exit, CliError> {
    run_until_signal(async |stop| {
        let (database, _) = open::checked_database(config).await?;
        let _lock = database.lock_writer().await?;
        let keys = open::service_keys(config)?;
        let listener = listen(config).await?;
        let exit = both(config, &database, keys, listener, stop, |_| {}).await?;
        database.close().await;
        Ok(exit)
    })?
}

/// Follows and serves until told to stop. Where following has to stop for good, serving goes on.
pub(super) async fn both(
    config: &Config,
    database: &Database,
    keys: ServiceKeys,
    listener: TcpListener,
    mut stop: watch::Receiver<bool>,
    mut hear: impl FnMut(&Followed<'_>),
) -> Result<Exit, CliError> {
    let source = Arc::new(open::source(config)?);
    let reporting = Arc::clone(&source);
    let mut state = full_state(config, database)?;
    state.contracts = Some(contracts(config, Arc::clone(&source)));
    state.keys = keys;
    state.providers = ProviderStatuses::told_by(move || {
        reporting.report().into_iter().map(provider_status).collect()
    });
    let model = state.model.clone();
    let served = serve(state, listener, stop.clone());
    let watched = stop.clone();
    let followed = async {
        // Boxed, or every future that waits for this one would hold the whole follower.
        let told = Box::pin(follow(config, database, source, watched, |event| {
            if let Followed::Step { .. } = event {
                model.tell();
            }
            hear(event);
        }));
        match told.await {
            Ok(()) => Ok(Exit::Done),
            Err(error @ AppError::Halted { .. }) => {
                tracing::error!(%error, "following has stopped; what was recorded is still served");
                let _ = stop.wait_for(|stop| *stop).await;
                Ok(Exit::Failed)
            }
            Err(error) => Err(CliError::from(error)),
        }
    };
    let (exit, ()) = tokio::try_join!(followed, served)?;
    Ok(exit)
}

pub(super) async fn listen(config: &Config) -> Result<TcpListener, CliError> {
    TcpListener::bind(config.listen).await.map_err(|error| {
        CliError::failed(&format!("cannot listen on {}", config.listen), &error)
            .with_hint(Some("choose another address with --listen".to_owned()))
    })
}

async fn serve(
    mut state: ApiState,
    listener: TcpListener,
    mut stop: watch::Receiver<bool>,
) -> Result<(), CliError> {
    let recorder = api::recorder()?;
    state.metrics = Some(recorder.handle());
    metrics::set_global_recorder(recorder)?;
    tracing::info!(address = %listener.local_addr()?, "serving");
    let told = async move {
        let _ = stop.wait_for(|stop| *stop).await;
    };
    api::serve(listener, state, told).await;
    Ok(())
}

/// Asks contracts whether they signed, by the nodes of the chain that is followed.
fn contracts(config: &Config, source: Arc<Providers<RpcSource>>) -> Arc<ContractWallets> {
    Arc::new(ContractWallets::new(source, config.chain_id))
}

/// How the nodes are doing, as the service shows it.
fn provider_status(report: ProviderReport) -> ProviderStatus {
    let (is_benched, now) = (report.state == State::Benched, SystemClock.now());
    let until = report.pause.and_then(|pause| UnixSeconds::new(now.get() + pause.as_secs()));
    ProviderStatus {
        url: report.name,
        role: report.role.as_str(),
        state: report.state.as_str(),
        reason: report.reason,
        benched_until: until.filter(|_| is_benched),
        head: report.head,
        latency_ms: report.latency.and_then(|latency| u64::try_from(latency.as_millis()).ok()),
        requests: report.requests,
        failures: report.failures,
        disagreements: report.disagreements,
        last_error: report.last_error,
    }
}

/// What the service answers from, documents of other hosts included.
pub(super) fn full_state(config: &Config, database: &Database) -> Result<ApiState, CliError> {
    let mut state = state(config, database);
    if config.foreign_dids {
        let private = config.private_hosts.iter().map(|host| host.name().to_owned());
        let authorities = open::authorities(config)?;
        match ForeignDocuments::new(Arc::new(SystemClock), private, &authorities) {
            Ok(foreign) => state.foreign = Some(Arc::new(foreign)),
            Err(error) => {
                tracing::warn!(%error, "documents of other hosts are not fetched");
            }
        }
    }
    Ok(state)
}

/// What look-ups are answered from.
pub(super) fn state(config: &Config, database: &Database) -> ApiState {
    let rate_limit =
        config.rate_limit.map(|limit| RateLimit { per_s: limit.per_s, burst: limit.burst });
    let limits = Limits {
        lag_limit: config.lag_limit,
        request_timeout: config.request_timeout,
        request_body_max: config.request_body_max,
        rate_limit,
    };
    let clock = Arc::new(SystemClock);
    let mut state = ApiState::new(database.clone(), clock, open::known(config), limits);
    state.origins = Arc::new(open::origins(config));
    state.eas = config.eas_contracts.as_slice().into();
    state.operator = config.operator_token.as_ref().map(|token| TokenHash::of(token.expose()));
    state.documents =
        Documents { host: config.host.clone(), name_owner: config.owner_in_documents };
    state
}
