//! `ETag`, and "not modified" for who already has the answer.
//!
//! The tag is a digest of the body, and the body names the block it is as of: an answer about another state has another tag.

use alloy::primitives::{hex, keccak256};
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::api::error::ApiError;
use crate::api::wire::Cacheable;

/// Gives answers that can be cached their tag, and keeps back a body that the client already has.
pub(in crate::api) async fn conditional(request: Request, next: Next) -> Response {
    let held = request.headers().clone();
    let response = next.run(request).await;
    if response.extensions().get::<Cacheable>().is_none() {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    // The body was made in one piece here; there is nothing left to wait for or to bound.
    let body = match to_bytes(body, usize::MAX).await {
        Ok(body) => body,
        Err(error) => {
            return ApiError::internal(format!("a body broke off: {error}")).into_response();
        }
    };
    let tag = format!("\"{}\"", hex::encode(keccak256(&body)));
    let is_held = names(&held, &tag);
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        parts.headers.insert(header::ETAG, tag);
    }
    if is_held {
        parts.status = StatusCode::NOT_MODIFIED;
        parts.headers.remove(header::CONTENT_LENGTH);
        parts.headers.remove(header::CONTENT_TYPE);
        return Response::from_parts(parts, Body::empty());
    }
    Response::from_parts(parts, Body::from(body))
}

/// Whether `If-None-Match` names a tag, weakly compared (RFC 9110, 13.1.2).
fn names(headers: &HeaderMap, tag: &str) -> bool {
    let values = headers.get_all(header::IF_NONE_MATCH);
    values.iter().filter_map(|value| value.to_str().ok()).any(|value| {
        let mut tags = value.split(',').map(str::trim);
        tags.any(|held| held == "*" || held.strip_prefix("W/").unwrap_or(held) == tag)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_compared_weakly_and_in_lists() {
        for (held, expected) in [
            ("\"a\"", true),
            ("W/\"a\"", true),
            ("\"b\", W/\"a\"", true),
            ("*", true),
            ("\"b\"", false),
            ("a", false),
            ("", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::IF_NONE_MATCH, HeaderValue::from_static(held));
            assert_eq!(names(&headers, "\"a\""), expected, "{held}");
        }
        assert!(!names(&HeaderMap::new(), "\"a\""));
    }
}
