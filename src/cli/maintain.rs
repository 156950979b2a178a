//! `hallmark migrate` and `hallmark rebuild`: looking after the record. Checking and mending it is `audit`.

use serde_json::json;

use super::shutdown::run_until_signal;
use super::{CliError, Exit, Output, open};
use crate::app::rebuild;
use crate::config::Config;

/// Brings the schema up to date.
pub(super) fn migrate(config: &Config, out: &mut Output) -> Result<Exit, CliError> {
    run_until_signal(async |_| {
        let database = crate::storage::Database::open(&config.database_url.expose()).await?;
        let count = database.migrate().await?;
        database.close().await;
        out.record(&json!({ "migrations": count }), || {
            format!("the schema is up to date: {count} migrations")
        })?;
        Ok(Exit::Done)
    })?
}

/// Folds all timelines anew.
pub(super) fn rebuild_all(config: &Config, out: &mut Output) -> Result<Exit, CliError> {
    run_until_signal(async |mut stop| {
        let database = open::used_database(config).await?;
        let rebuilt = tokio::select! {
            rebuilt = rebuild(&database, |so_far| {
                tracing::info!(events = so_far.log_count, "folding");
            }) => rebuilt?,
            _ = stop.wait_for(|stop| *stop) => {
                tracing::info!("stopped; the timelines are as they were");
                return Ok(Exit::Failed);
            }
        };
        database.close().await;
        let (events, observations) = (rebuilt.log_count, rebuilt.observation_count);
        out.record(&json!({ "events": events, "observations": observations }), || {
            format!("folded {events} events and {observations} observations anew")
        })?;
        Ok(Exit::Done)
    })?
}
