//! Gives each request an id, and counts, times and logs it.
//!
//! Names of metrics carry the route's template, never the path: a stranger must not be able to make series. Neither query nor client
//! address is logged.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderName, HeaderValue, Method};
use axum::middleware::Next;
use axum::response::Response;

use crate::api::health::REQUEST_DURATION;
use crate::vocab::UnixSeconds;

/// The header that names a request in answers.
pub(super) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The id of a request: what its log records carry.
#[derive(Clone)]
pub(super) struct RequestId(pub(super) String);

/// Hands out ids: when the service started, and a count. A client's own id is not taken over, since it would reach the log.
#[derive(Clone)]
pub(in crate::api) struct RequestIds {
    started: u64,
    count: Arc<AtomicU64>,
}

impl RequestIds {
    /// Ids of a service that starts now.
    pub(in crate::api) fn new(started: UnixSeconds) -> Self {
        Self { started: started.get(), count: Arc::default() }
    }

    fn next(&self) -> String {
        format!("{:x}-{:x}", self.started, self.count.fetch_add(1, Ordering::Relaxed))
    }
}

/// Names, counts, times and logs a request.
pub(in crate::api) async fn observe(
    State(ids): State<RequestIds>,
    mut request: Request,
    next: Next,
) -> Response {
    let began = Instant::now();
    let id = ids.next();
    let route = request.extensions().get::<MatchedPath>().map(MatchedPath::as_str);
    let route = route.unwrap_or("none").to_owned();
    let method = method_name(request.method());
    request.extensions_mut().insert(RequestId(id.clone()));
    let mut response = next.run(request).await;
    let status = response.status();
    let took = began.elapsed();
    let labels = [
        ("method", method.to_owned()),
        ("route", route.clone()),
        ("status", status.as_u16().to_string()),
    ];
    metrics::counter!("hallmark_http_requests_total", &labels).increment(1);
    metrics::histogram!(REQUEST_DURATION, "method" => method, "route" => route.clone())
        .record(took.as_secs_f64());
    let duration_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    let status = status.as_u16();
    tracing::debug!(
        request.id = id,
        http.method = method,
        http.route = route,
        http.status = status,
        duration_ms,
        "answered"
    );
    if let Ok(id) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    response
}

/// The method, if it is one that is served: others are one series.
fn method_name(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}
