//! "Not modified" for who already has the answer.

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::Response;

/// The tags of the answers that a client holds. It holds none of what it does not read: a `POST` is answered whole (RFC 9110, 13.1.2).
pub(super) struct Held(Vec<HeaderValue>);

impl Held {
    pub(super) fn of(method: &Method, headers: &HeaderMap) -> Self {
        if !matches!(*method, Method::GET | Method::HEAD) {
            return Self(Vec::new());
        }
        Self(headers.get_all(header::IF_NONE_MATCH).iter().cloned().collect())
    }

    /// Takes the body out of an answer that the client has already.
    pub(super) fn keep_back(&self, response: &mut Response) {
        let tag = response.headers().get(header::ETAG).and_then(|tag| tag.to_str().ok());
        let is_held = response.status().is_success() && tag.is_some_and(|tag| self.names(tag));
        if !is_held {
            return;
        }
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        *response.body_mut() = Body::empty();
        response.headers_mut().remove(header::CONTENT_LENGTH);
        response.headers_mut().remove(header::CONTENT_TYPE);
    }

    /// Whether a tag is among them, weakly compared (RFC 9110, 13.1.2).
    fn names(&self, tag: &str) -> bool {
        self.0.iter().filter_map(|value| value.to_str().ok()).any(|value| {
            let mut tags = value.split(',').map(str::trim);
            tags.any(|held| held == "*" || held.strip_prefix("W/").unwrap_or(held) == tag)
        })
    }
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
            for method in [Method::GET, Method::HEAD] {
                assert_eq!(Held::of(&method, &headers).names("\"a\""), expected, "{held}");
            }
            for method in [Method::POST, Method::DELETE] {
                assert!(!Held::of(&method, &headers).names("\"a\""), "{method} {held}");
            }
        }
        assert!(!Held::of(&Method::GET, &HeaderMap::new()).names("\"a\""));
    }
}
