//! `/healthz`, `/readyz`, `/metrics`: for whoever runs the service.
//!
//! Live is whoever answers. Ready is whoever can answer about the present: the database is open, and the last block is not older than
//! the limit. A writer that stopped for good is shown, but does not by itself take reading away.

use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusRecorder};
use serde::Serialize;
use utoipa::ToSchema;

use super::error::{ApiError, Problems};
use super::state::ApiState;
use super::status::lag_s;
use super::wire::json;
use crate::storage::{Halt, StorageError, Tags};

/// The histogram of how long answers took.
pub(super) const REQUEST_DURATION: &str = "hallmark_http_request_duration_seconds";
/// Upper bounds of its buckets, in seconds.
const BUCKETS_S: [f64; 9] = [0.001, 0.005, 0.025, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];
const TEXT: HeaderValue = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");

/// A recorder with the buckets of this service's histograms, to be installed; its handle belongs into
/// [`ApiState::metrics`](super::ApiState::metrics).
///
/// # Errors
/// Never, unless the buckets were changed to none.
pub fn recorder() -> Result<PrometheusRecorder, BuildError> {
    let name = Matcher::Full(REQUEST_DURATION.to_owned());
    Ok(PrometheusBuilder::new().set_buckets_for_metric(name, &BUCKETS_S)?.build_recorder())
}

/// Says that the process answers.
#[utoipa::path(
    get, path = "/healthz", tag = "service",
    responses((status = 200, description = "The process answers", body = String, content_type = "text/plain"))
)]
pub(super) async fn get_healthz() -> &'static str {
    "ok\n"
}

/// Whether the service can answer about the present.
#[derive(Debug, Serialize, ToSchema)]
struct Readiness {
    /// Whether it can.
    ready: bool,
    /// Why not.
    reasons: Vec<String>,
    /// Why the writer stopped for good; null while it runs.
    halted: Option<String>,
    /// How many seconds ago the last block applied was made.
    lag_s: Option<u64>,
    /// What is wrong with the file of the service's keys; null where nothing is. It does not by itself take reading away.
    keys: Option<String>,
}

/// Says whether the service can answer about the present.
#[utoipa::path(
    get, path = "/readyz", tag = "service",
    responses(
        (status = 200, description = "Ready", body = Readiness),
        (status = 503, description = "Not ready; `reasons` says why", body = Readiness),
    )
)]
pub(super) async fn get_readyz(State(state): State<ApiState>) -> Response {
    let mut readiness = match read(&state).await {
        Ok((tags, halt)) => {
            judge(&tags, halt, lag_s(&tags, state.clock.now()), state.limits.lag_limit)
        }
        Err(error) => {
            tracing::warn!(%error, "not ready: the database does not answer");
            let reasons = vec!["the database does not answer".to_owned()];
            Readiness { ready: false, reasons, halted: None, lag_s: None, keys: None }
        }
    };
    readiness.keys = state.keys.fault().as_deref().map(str::to_owned);
    let status = if readiness.ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, json(&readiness)).into_response()
}

async fn read(state: &ApiState) -> Result<(Tags, Option<Halt>), StorageError> {
    let mut tx = state.database.begin_read().await?;
    Ok((tx.tags().await?, tx.halt().await?))
}

fn judge(tags: &Tags, halt: Option<Halt>, lag_s: Option<u64>, limit: Duration) -> Readiness {
    let mut reasons = Vec::new();
    match lag_s {
        None => reasons.push("no block has been indexed yet".to_owned()),
        Some(lag) if lag > limit.as_secs() => {
            let number = tags.indexed.map_or(0, |stamp| stamp.block.number);
            let limit = limit.as_secs();
            reasons.push(format!(
                "the last block applied, {number}, is {lag} s old, more than the limit of {limit} s"
            ));
        }
        Some(_) => {}
    }
    let halted = halt.map(|halt| halt.0);
    Readiness { ready: reasons.is_empty(), reasons, halted, lag_s, keys: None }
}

/// The metrics in Prometheus' text form.
#[utoipa::path(
    get, path = "/metrics", tag = "service",
    responses((status = 200, description = "The metrics", body = String, content_type = "text/plain"), Problems)
)]
pub(super) async fn get_metrics(State(state): State<ApiState>) -> Result<Response, ApiError> {
    let handle = state.metrics.as_ref().ok_or(ApiError::NoSuchPath)?;
    let (tags, halt) = read(&state).await?;
    let gauge = |name, value: Option<u64>| {
        if let Some(value) = value {
            metrics::gauge!(name).set(as_gauge(value));
        }
    };
    gauge("hallmark_lag_seconds", lag_s(&tags, state.clock.now()));
    gauge("hallmark_halted", Some(u64::from(halt.is_some())));
    gauge("hallmark_keys_failing", Some(u64::from(state.keys.fault().is_some())));
    if let Some(providers) = state.providers.get() {
        let count = |state| providers.iter().filter(|p| p.state == state).count() as u64;
        gauge("hallmark_providers_up", Some(count("healthy")));
        gauge("hallmark_providers_benched", Some(count("benched")));
    }
    handle.run_upkeep();
    Ok(([(header::CONTENT_TYPE, TEXT)], handle.render()).into_response())
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a gauge is a float; these numbers lie far below 2^53"
)]
const fn as_gauge(value: u64) -> f64 {
    value as f64
}
