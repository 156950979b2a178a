//! `hallmark migrate`, `hallmark rebuild` and `hallmark audit`: looking after the record.

use serde_json::json;

use super::shutdown::run_until_signal;
use super::{CliError, Exit, Output, open};
use crate::app::{Checked, Sample, audit, audit_against_chain, rebuild};
use crate::config::Config;

/// Agents asked about where nobody says how many.
const SAMPLE_DEFAULT: u64 = 200;

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

/// Checks the record by itself, and where asked against the contract.
pub(super) fn audit_record(
    config: &Config,
    against_chain: bool,
    all: bool,
    out: &mut Output,
) -> Result<Exit, CliError> {
    run_until_signal(async |_| {
        let database = open::used_database(config).await?;
        let mut checks = audit(&database).await?;
        if against_chain {
            let source = open::source(config)?;
            let sample = if all { Sample::All } else { Sample::About(SAMPLE_DEFAULT) };
            let told = |done: u64, of: u64| {
                if done.is_multiple_of(500) {
                    tracing::info!(done, of, "asking the contract");
                }
            };
            checks.push(audit_against_chain(&database, &source, sample, told).await?);
        }
        database.close().await;
        for check in &checks {
            out.record(&as_json(check), || as_text(check))?;
        }
        let is_sound = checks.iter().all(|check| check.offences.is_empty());
        Ok(if is_sound { Exit::Done } else { Exit::Negative })
    })?
}

fn as_json(check: &Checked) -> serde_json::Value {
    json!({
        "rule": check.rule,
        "ok": check.offences.is_empty(),
        "looked_at": check.looked_at,
        "offences": check.offences,
    })
}

fn as_text(check: &Checked) -> String {
    let looked_at =
        check.looked_at.map(|count| format!(" ({count} looked at)")).unwrap_or_default();
    if check.offences.is_empty() {
        return format!("ok     {}{looked_at}", check.rule);
    }
    let offences = check.offences.join("\n         ");
    format!("WRONG  {}{looked_at}\n         {offences}", check.rule)
}
