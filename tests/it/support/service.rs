//! The HTTP service without a socket: requests in, whole answers out.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::http::{HeaderMap, Request};
use hallmark::api::{ApiState, Limits, router};
use hallmark::app::FixedClock;
use hallmark::registry::KnownImplementations;
use hallmark::storage::Database;
use hallmark::vocab::UnixSeconds;
use serde_json::Value;
use tower::ServiceExt as _;

/// Limits that no test meets by accident.
pub(crate) const WIDE: Limits = Limits {
    lag_limit: Duration::from_mins(1),
    request_timeout: Duration::from_mins(1),
    request_body_max: 64 * 1024,
    rate_limit: None,
};

/// What the service answers from, at a fixed time.
pub(crate) fn state(database: &Database, now: UnixSeconds) -> ApiState {
    let clock = Arc::new(FixedClock(now));
    ApiState::new(database.clone(), clock, KnownImplementations::default(), WIDE)
}

/// A service.
pub(crate) struct Service {
    router: Router,
}

/// One answer.
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Service {
    /// A service that answers from a state.
    pub(crate) fn new(state: ApiState) -> Self {
        Self { router: router(state) }
    }

    /// Answers any request.
    pub(crate) async fn send(&self, request: Request<Body>) -> Reply {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, usize::MAX).await.unwrap();
        Reply { status: parts.status.as_u16(), headers: parts.headers, body }
    }

    /// Answers a GET.
    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.send(Request::get(path).body(Body::empty()).unwrap()).await
    }

    /// The body of a GET that must succeed.
    pub(crate) async fn ok(&self, path: &str) -> Value {
        let reply = self.get(path).await;
        assert_eq!(reply.status, 200, "{path}: {}", reply.text());
        assert_eq!(reply.header("content-type"), "application/json", "{path}");
        reply.json()
    }

    /// The problem that a GET must meet.
    pub(crate) async fn problem(&self, path: &str, status: u16) -> Value {
        let reply = self.get(path).await;
        assert_eq!(reply.status, status, "{path}: {}", reply.text());
        reply.problem()
    }

    /// Answers a POST of a body in JSON.
    pub(crate) async fn post(&self, path: &str, body: impl Into<Body>) -> Reply {
        let request = Request::post(path).header("content-type", "application/json");
        self.send(request.body(body.into()).unwrap()).await
    }
}

impl Reply {
    /// A header, or nothing.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The body as text.
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    /// The body as JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|e| panic!("{e}: {}", self.text()))
    }

    /// The body as a problem, which has all the members that every problem has.
    pub(crate) fn problem(&self) -> Value {
        assert_eq!(self.header("content-type"), "application/problem+json", "{}", self.text());
        let problem = self.json();
        assert_eq!(problem["status"], self.status);
        for member in ["type", "title", "detail", "instance"] {
            assert!(problem[member].is_string(), "{member} is missing: {problem}");
        }
        problem
    }
}
