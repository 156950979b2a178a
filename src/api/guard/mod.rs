//! What stands before all handlers, each a layer that knows nothing of what is asked.
//!
//! `router` fixes their order: count and name the request, set the headers that browsers heed, answer other origins, make bodies of
//! problems, answer "not modified", catch panics, then turn away who asks too much or takes too long.

mod conditional;
mod observe;
mod rate;

pub(super) use conditional::conditional;
pub(super) use observe::{RequestIds, observe};
pub(super) use rate::{Client, RateLimiter, rate_limit};

use std::any::Any;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tower_http::cors::{Any as AnyOrigin, CorsLayer};

use super::error::{ApiError, Problem};
use super::state::ApiState;
use super::wire::Cacheable;

const PROBLEM_JSON: HeaderValue = HeaderValue::from_static("application/problem+json");
/// How long a browser may remember that another origin is welcome.
const PREFLIGHT_AGE: Duration = Duration::from_hours(24);

/// Any origin may read; the look-up is the one POST among the reads.
pub(super) fn cors() -> CorsLayer {
    CorsLayer::new()
        .allow_origin(AnyOrigin)
        .allow_methods([Method::GET, Method::HEAD, Method::POST])
        .allow_headers([header::CONTENT_TYPE, header::IF_NONE_MATCH])
        .expose_headers([header::ETAG, header::RETRY_AFTER, observe::REQUEST_ID])
        .max_age(PREFLIGHT_AGE)
}

/// Sets the headers that keep a browser from doing anything with an answer but reading it.
pub(super) async fn headers(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let caching = if response.extensions().get::<Cacheable>().is_some() {
        // To be kept, but asked for again each time: the chain moves.
        "no-cache"
    } else {
        "no-store"
    };
    let fixed: [(HeaderName, &'static str); 5] = [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::CACHE_CONTROL, caching),
    ];
    for (name, value) in fixed {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

/// Makes the body of a problem, now that the request is known, and logs what failed inside.
pub(super) async fn problems(request: Request, next: Next) -> Response {
    let path = request.uri().path().to_owned();
    let id = request.extensions().get::<observe::RequestId>().cloned();
    let mut response = next.run(request).await;
    let Some(mut problem) = response.extensions_mut().remove::<Problem>() else { return response };
    if let Some(error) = &problem.logged {
        let id = id.map(|id| id.0).unwrap_or_default();
        tracing::error!(request.id = id, error, "a request failed inside");
    }
    problem.body.instance = Some(super::shorten(&path));
    match serde_json::to_vec(&problem.body) {
        Ok(body) => {
            *response.body_mut() = body.into();
            response.headers_mut().insert(header::CONTENT_TYPE, PROBLEM_JSON);
            response.headers_mut().remove(header::CONTENT_LENGTH);
        }
        Err(error) => tracing::error!(%error, "a problem cannot be written"),
    }
    response
}

/// Answers for a handler that panicked. What it said goes to the log.
#[expect(clippy::needless_pass_by_value, reason = "the signature that `CatchPanicLayer` asks for")]
pub(super) fn panicked(panic: Box<dyn Any + Send + 'static>) -> Response {
    let said = panic.downcast_ref::<String>().map(String::as_str);
    let said = said.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no words");
    ApiError::internal(format!("a handler panicked: {said}")).into_response()
}

/// Ends what takes too long, the reading of a body included.
pub(super) async fn time_limit(
    State(state): State<ApiState>,
    request: Request,
    next: Next,
) -> Response {
    let limit = state.limits.request_timeout;
    match tokio::time::timeout(limit, next.run(request)).await {
        Ok(response) => response,
        Err(_) => ApiError::Timeout { limit_s: limit.as_secs() }.into_response(),
    }
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::body::{Body, to_bytes};
    use axum::http::StatusCode;
    use axum::middleware::from_fn;
    use axum::routing::get;
    use tower::ServiceExt as _;
    use tower_http::catch_panic::CatchPanicLayer;

    use super::*;

    #[tokio::test]
    async fn a_panic_is_a_problem_that_tells_nothing() {
        let router = Router::new()
            .route("/x", get(async || -> &'static str { panic!("the secret") }))
            .layer(CatchPanicLayer::custom(panicked))
            .layer(from_fn(problems));
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
