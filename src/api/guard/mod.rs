//! What stands before all handlers: one layer, since each further one costs a request more than finding a wallet does.
//!
//! A request is named, timed and counted; one that only asks whether another origin may ask is answered; a client that asks too much is
//! turned away, and an answer that takes too long or panics is given up. Problems then get their body, an answer that the client has
//! already loses its own, and every answer gets the headers that browsers heed.

mod conditional;
mod headers;
mod observe;
mod rate;

pub(super) use rate::{Client, RateLimiter};

use std::any::Any;
use std::net::SocketAddr;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{ConnectInfo, Request, State};
use axum::http::uri::PathAndQuery;
use axum::http::{HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt;

use super::error::{ApiError, Asked, Problem};
use super::state::ApiState;
use conditional::Held;
use observe::{Observer, RequestId};

const PROBLEM_JSON: HeaderValue = HeaderValue::from_static("application/problem+json");

/// What all requests have in common.
pub(super) struct Guard {
    observer: Observer,
    limiter: Option<Arc<RateLimiter>>,
    time_limit: Duration,
}

impl Guard {
    /// The guard of a service that starts now.
    pub(super) fn new(state: &ApiState) -> Self {
        let limiter = state.limiter.clone();
        let time_limit = state.limits.request_timeout;
        Self { observer: Observer::new(state.clock.now()), limiter, time_limit }
    }

    /// The handler's answer, unless it is not asked, takes too long or panics.
    async fn answer(&self, request: Request, next: Next) -> Response {
        if let Some(limiter) = &self.limiter {
            let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
            if let Err(refused) = limiter.check(peer.map(|peer| peer.0.ip())) {
                return refused.into_response();
            }
        }
        let asked = Asked::of(request.method(), request.uri().path());
        // The reading of a body included.
        let answer = AssertUnwindSafe(next.run(request)).catch_unwind();
        match tokio::time::timeout(self.time_limit, answer).await {
            Ok(Ok(response)) => response,
            Ok(Err(panic)) => panicked(&*panic).into_response(),
            Err(_) => {
                ApiError::Timeout { limit_s: self.time_limit.as_secs(), asked }.into_response()
            }
        }
    }
}

/// Lets a request through to its handler, and its answer back.
pub(super) async fn attend(
    State(guard): State<Arc<Guard>>,
    request: Request,
    next: Next,
) -> Response {
    let observed = guard.observer.begin(&request);
    let held = Held::of(request.method(), request.headers());
    let path = request.uri().path_and_query().cloned();
    let mut response = if request.method() == Method::OPTIONS {
        headers::preflight()
    } else {
        guard.answer(request, next).await
    };
    if let Some(problem) = response.extensions_mut().remove::<Problem>() {
        write(problem, path.as_ref(), observed.id(), &mut response);
    }
    held.keep_back(&mut response);
    headers::set(response.headers_mut());
    guard.observer.end(observed, &mut response);
    response
}

/// Makes the body of a problem, now that the request is known, and logs what failed inside.
fn write(mut problem: Problem, path: Option<&PathAndQuery>, id: &RequestId, into: &mut Response) {
    if let Some(error) = &problem.logged {
        tracing::error!(request.id = %id, error, "a request failed inside");
    }
    problem.body.instance = Some(super::shorten(path.map_or("", PathAndQuery::path)));
    match serde_json::to_vec(&problem.body) {
        Ok(body) => {
            *into.body_mut() = body.into();
            into.headers_mut().insert(header::CONTENT_TYPE, PROBLEM_JSON);
            into.headers_mut().remove(header::CONTENT_LENGTH);
        }
        Err(error) => tracing::error!(%error, "a problem cannot be written"),
    }
}

/// What is answered for a handler that panicked. What it said goes to the log.
fn panicked(panic: &(dyn Any + Send)) -> ApiError {
    let said = panic.downcast_ref::<String>().map(String::as_str);
    let said = said.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no words");
    ApiError::internal(format!("a handler panicked: {said}"))
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::body::{Body, to_bytes};
    use axum::http::StatusCode;
    use axum::middleware::from_fn_with_state;
    use axum::routing::get;
    use tower::ServiceExt as _;

    use super::*;
    use crate::vocab::UnixSeconds;

    #[tokio::test]
    async fn a_panic_is_a_problem_that_tells_nothing() {
        let observer = Observer::new(UnixSeconds::new(0).unwrap());
        let guard = Guard { observer, limiter: None, time_limit: Duration::MAX };
        let router = Router::new()
            .route("/x", get(async || -> &'static str { panic!("the secret") }))
            .layer(from_fn_with_state(Arc::new(guard), attend));
        let request = Request::get("/x").body(Body::empty()).unwrap();
        let response = router.oneshot(request).await.unwrap();
        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(response.headers()[header::CONTENT_TYPE], PROBLEM_JSON);
        let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        let body = std::str::from_utf8(&body).unwrap();
        assert!(body.contains("/problems/internal") && body.contains("\"instance\":\"/x\""));
        assert!(!body.contains("secret"), "{body}");
    }
}
