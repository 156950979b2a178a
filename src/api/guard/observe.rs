//! Gives each request an id, and counts, times and logs it.
//!
//! Names of metrics carry the route's template, never the path: a stranger must not be able to make series. Neither query nor client
//! address is logged.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock};
use std::time::Instant;

use axum::extract::{MatchedPath, Request};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode};
use axum::response::Response;
use metrics::{Counter, Histogram};

use crate::api::health::REQUEST_DURATION;
use crate::vocab::{ShortText, UnixSeconds};

/// The header that names a request in answers.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The id of a request: what its log records carry. When the service started, and a count, both in hex. A client's own id is not taken
/// over, since it would reach the log.
pub(super) type RequestId = ShortText<33>;

/// Hands out ids, and holds the series that requests are counted in.
pub(super) struct Observer {
    started: u64,
    count: AtomicU64,
    /// By route, then method and status: few of each, and none that a stranger could add to.
    series: RwLock<HashMap<String, Vec<Series>>>,
}

struct Series {
    method: &'static str,
    status: StatusCode,
    count: Counter,
    duration: Histogram,
}

/// A request that is under way.
pub(super) struct Observed {
    id: RequestId,
    began: Instant,
    method: &'static str,
    route: Option<MatchedPath>,
}

impl Observed {
    pub(super) const fn id(&self) -> &RequestId {
        &self.id
    }
}

impl Observer {
    /// Of a service that starts now.
    pub(super) fn new(started: UnixSeconds) -> Self {
        Self { started: started.get(), count: AtomicU64::new(0), series: RwLock::default() }
    }

    /// Names a request.
    pub(super) fn begin(&self, request: &Request) -> Observed {
        let count = self.count.fetch_add(1, Ordering::Relaxed);
        Observed {
            id: RequestId::of(format_args!("{:x}-{count:x}", self.started)),
            began: Instant::now(),
            method: method_name(request.method()),
            route: request.extensions().get::<MatchedPath>().cloned(),
        }
    }

    /// Counts, times and logs an answer, and puts the request's id on it.
    pub(super) fn end(&self, observed: Observed, response: &mut Response) {
        let Observed { id, began, method, route } = observed;
        let route = route.as_ref().map_or("none", MatchedPath::as_str);
        let (status, took) = (response.status(), began.elapsed());
        self.count_in(route, method, status, |series| {
            series.count.increment(1);
            series.duration.record(took.as_secs_f64());
        });
        tracing::debug!(
            request.id = %id,
            http.method = method,
            http.route = route,
            http.status = status.as_u16(),
            duration_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
            "answered"
        );
        if let Ok(id) = HeaderValue::from_str(id.as_str()) {
            response.headers_mut().insert(REQUEST_ID, id);
        }
    }

    fn count_in(
        &self,
        route: &str,
        method: &'static str,
        status: StatusCode,
        count: impl Fn(&Series),
    ) {
        let is_wanted = |series: &&Series| series.method == method && series.status == status;
        {
            let all = self.series.read().unwrap_or_else(PoisonError::into_inner);
            let found = all.get(route).and_then(|of_route| of_route.iter().find(is_wanted));
            if let Some(series) = found {
                return count(series);
            }
        }
        let series = Series::new(route, method, status);
        count(&series);
        let mut all = self.series.write().unwrap_or_else(PoisonError::into_inner);
        let of_route = all.entry(route.to_owned()).or_default();
        // Another request of its kind may have come first; both count in the same place.
        if !of_route.iter().any(|series| is_wanted(&series)) {
            of_route.push(series);
        }
    }
}

impl Series {
    fn new(route: &str, method: &'static str, status: StatusCode) -> Self {
        let labels = [
            ("method", method.to_owned()),
            ("route", route.to_owned()),
            ("status", status.as_u16().to_string()),
        ];
        let count = metrics::counter!("hallmark_http_requests_total", &labels);
        let duration =
            metrics::histogram!(REQUEST_DURATION, "method" => method, "route" => route.to_owned());
        Self { method, status, count, duration }
    }
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
