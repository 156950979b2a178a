//! The options of a `POST`: a JSON object of them, in the body.

use std::fmt;

use axum::http::{HeaderMap, StatusCode, header};
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;

use super::options::Pairs;
use super::refusal::{Code, Refusal};
use super::result::Failure;
use crate::api::error::ApiError;

/// The media types that a body of options may have; those of the standard's own description are two of them.
const TYPES: [&str; 3] =
    ["application/json", "application/did-resolution", "application/did-url-dereferencing"];

/// Reads the options in a body; there are none in an empty one.
pub(super) fn options(headers: &HeaderMap, body: &[u8]) -> Result<Pairs, Failure> {
    if body.is_empty() {
        return Ok(Pairs::new());
    }
    let given = headers.get(header::CONTENT_TYPE).map(|value| value.to_str().unwrap_or_default());
    let essence = given.map(|value| value.split(';').next().unwrap_or_default().trim());
    if !essence.is_none_or(|essence| TYPES.iter().any(|known| known.eq_ignore_ascii_case(essence)))
    {
        let detail = "send the options with `content-type: application/json`".to_owned();
        let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
        return Err(ApiError::Body { status, field: None, detail }.into());
    }
    let members: Members = serde_json::from_slice(body).map_err(|error| {
        let shown = crate::api::shorten(&error.to_string());
        Refusal::new(
            Code::InvalidOptions,
            format!("the body is no JSON object of options: {shown}"),
        )
    })?;
    let text = |(name, value): (String, Value)| match value {
        Value::String(text) => Ok((name, text)),
        Value::Bool(flag) => Ok((name, flag.to_string())),
        _ => {
            let detail = format!(
                "the option `{}` is no text, `true` or `false`",
                crate::api::shorten(&name)
            );
            Err(Refusal::new(Code::InvalidOptions, detail).into())
        }
    };
    members.0.into_iter().map(text).collect()
}

/// The members of an object, in their order: a name that stands twice is there twice.
struct Members(Vec<(String, Value)>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Collect)
    }
}

struct Collect;

impl<'de> Visitor<'de> for Collect {
    type Value = Members;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        Ok(Members(members))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(content_type: Option<&str>, body: &str) -> Result<Pairs, &'static str> {
        let mut headers = HeaderMap::new();
        if let Some(content_type) = content_type {
            headers.insert(header::CONTENT_TYPE, content_type.parse().unwrap());
        }
        options(&headers, body.as_bytes()).map_err(|failure| match failure {
            Failure::Refused(refusal) if refusal.code == Code::InvalidOptions => "options",
            Failure::Api(ApiError::Body { status: StatusCode::UNSUPPORTED_MEDIA_TYPE, .. }) => {
                "type"
            }
            other => panic!("{other:?}"),
        })
    }

    #[test]
    fn a_body_holds_texts_and_flags() {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        for content_type in [
            None,
            Some("application/json"),
            Some("Application/JSON; charset=utf-8"),
            Some(TYPES[1]),
        ] {
            let read =
                read(content_type, r#"{"versionId": "1", "noCache": true, "versionId": "2"}"#);
            assert_eq!(
                read,
                Ok(vec![pair("versionId", "1"), pair("noCache", "true"), pair("versionId", "2")])
            );
        }
        assert_eq!(read(Some("text/html"), ""), Ok(Pairs::new()));
        assert_eq!(read(None, "{}"), Ok(Pairs::new()));
        for content_type in ["text/plain", "application/x-www-form-urlencoded", "", ";"] {
            assert_eq!(read(Some(content_type), "{}"), Err("type"), "{content_type}");
        }
        for body in [
            "[]",
            "null",
            "{",
            "{}{}",
            "versionId=1",
            "{\"versionId\": 1}",
            "{\"a\": {}}",
            "\u{0}",
            &"[".repeat(9_999),
        ] {
            assert_eq!(read(None, body), Err("options"), "{body:.20}");
        }
    }
}
