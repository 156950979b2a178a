//! The headers of every answer: any origin may read it, and a browser may do nothing else with it.

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Response};

const fn fixed(value: &'static str) -> HeaderValue {
    HeaderValue::from_static(value)
}

/// Sets the headers that every answer has.
pub(super) fn set(headers: &mut HeaderMap) {
    const FIXED: [(HeaderName, HeaderValue); 6] = [
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, fixed("*")),
        (header::ACCESS_CONTROL_EXPOSE_HEADERS, fixed("etag,retry-after,x-request-id")),
        (header::X_CONTENT_TYPE_OPTIONS, fixed("nosniff")),
        (header::REFERRER_POLICY, fixed("no-referrer")),
        (header::CONTENT_SECURITY_POLICY, fixed("default-src 'none'; frame-ancestors 'none'")),
        (header::X_FRAME_OPTIONS, fixed("DENY")),
    ];
    // What has a tag is to be kept, but asked for again each time: the chain moves.
    let caching = if headers.contains_key(header::ETAG) { "no-cache" } else { "no-store" };
    headers.reserve(FIXED.len() + 2);
    headers.insert(header::CACHE_CONTROL, fixed(caching));
    for (name, value) in FIXED {
        headers.insert(name, value);
    }
}

/// Answers a browser that asks whether a page of another origin may ask. What changes something takes a token or a signature, and no
/// browser sends those by itself.
pub(super) fn preflight() -> Response {
    let headers = [
        (header::ACCESS_CONTROL_ALLOW_METHODS, fixed("GET,HEAD,POST,DELETE")),
        (header::ACCESS_CONTROL_ALLOW_HEADERS, fixed("authorization,content-type,if-none-match")),
        // A day.
        (header::ACCESS_CONTROL_MAX_AGE, fixed("86400")),
    ];
    headers.into_response()
}
