//! The HTTP service without a socket: requests in, whole answers out.
//!
//! What is answered from the read model is answered from the database as well, and must be the same byte by byte: every test of such an
//! answer tests both.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::http::{HeaderMap, Method, Request};
use hallmark::api::{ApiState, Limits, router};
use hallmark::app::{FixedClock, ModelKeeper};
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
    /// Answers from `router` come from it wherever it can tell.
    model: ModelKeeper,
    /// The same service, which holds nothing in memory.
    from_database: Router,
}

/// One answer.
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Service {
    /// A service that answers from a state.
    pub(crate) fn new(mut state: ApiState) -> Self {
        state.model = ModelKeeper::with_age_max(state.database.clone(), Duration::ZERO);
        let from_database = router(state.clone());
        state.model = ModelKeeper::with_age_max(state.database.clone(), Duration::MAX);
        Self { model: state.model.clone(), router: router(state), from_database }
    }

    /// What it answers from where it can.
    pub(crate) const fn model(&self) -> &ModelKeeper {
        &self.model
    }

    /// Answers any request.
    pub(crate) async fn send(&self, request: Request<Body>) -> Reply {
        answer(&self.router, request).await
    }

    /// Answers a request; if the read model has a part in it, from that and from the database.
    async fn ask(&self, method: Method, path: &str, body: Bytes) -> Reply {
        let request = || {
            let mut request = Request::builder().method(&method).uri(path);
            if method == Method::POST {
                request = request.header("content-type", "application/json");
            }
            request.body(body.clone().into()).unwrap()
        };
        let parts = ["/v1/wallets/", "/feedback", "/validations", "/did.json"];
        if !parts.iter().any(|part| path.contains(part)) {
            return self.send(request()).await;
        }
        let expected = answer(&self.from_database, request()).await;
        // Where the database fails, the answer must say so: the model is then not brought up to date, but not given out either.
        self.model.refresh().await.ok();
        let reply = self.send(request()).await;
        let headers = |reply: &Reply| {
            let mut headers = reply.headers.clone();
            headers.remove("x-request-id");
            headers
        };
        assert_eq!(reply.text(), expected.text(), "{path}: the model and the database differ");
        assert_eq!(
            (reply.status, headers(&reply)),
            (expected.status, headers(&expected)),
            "{path}"
        );
        reply
    }

    /// Answers a GET.
    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.ask(Method::GET, path, Bytes::new()).await
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
    pub(crate) async fn post(&self, path: &str, body: impl Into<Bytes>) -> Reply {
        self.ask(Method::POST, path, body.into()).await
    }
}

async fn answer(router: &Router, request: Request<Body>) -> Reply {
    let response = router.clone().oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap();
    Reply { status: parts.status.as_u16(), headers: parts.headers, body }
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
