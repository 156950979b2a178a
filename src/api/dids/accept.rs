//! Which form of a resolution a client wants, by its `Accept`.
//!
//! The forms of the current text, and those of the one before it, which most clients still speak. A bare document or the whole result; where
//! nothing is said, the whole result.

use axum::http::header::ACCEPT;
use axum::http::{HeaderMap, HeaderValue};

/// The whole result of a resolution, in the current text.
pub(super) const RESULT: &str = "application/did-resolution";
/// A document, in the current text.
pub(super) const DID: &str = "application/did";
const DID_JSON: &str = "application/did+json";
const DID_LD_JSON: &str = "application/did+ld+json";
/// The whole result, in the text before.
const RESULT_LD: &str = "application/ld+json;profile=\"https://w3id.org/did-resolution\"";
const PROFILE: &str = "https://w3id.org/did-resolution";

/// A form of a resolution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Form {
    /// The media type of the body.
    pub(super) body: &'static str,
    /// The media type of the document in it.
    pub(super) document: &'static str,
    /// Whether the body is the whole result.
    pub(super) is_whole: bool,
}

/// The form where nothing is said, and of every refusal.
pub(super) const WHOLE: Form = Form { body: RESULT, document: DID, is_whole: true };

impl Form {
    /// The form that a request wants most; `None` where it wants none of ours.
    pub(super) fn of(headers: &HeaderMap) -> Option<Self> {
        let mut best: Option<(u16, Self)> = None;
        let mut is_asked = false;
        for value in headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok()) {
            for range in split(value, ',') {
                is_asked = true;
                let Some((weight, form)) = read(range) else { continue };
                if weight > 0 && best.is_none_or(|(other, _)| weight > other) {
                    best = Some((weight, form));
                }
            }
        }
        if is_asked { best.map(|(_, form)| form) } else { Some(WHOLE) }
    }

    /// The content type of the body.
    pub(super) const fn content_type(self) -> HeaderValue {
        HeaderValue::from_static(self.body)
    }

    const fn whole(body: &'static str, document: &'static str) -> Self {
        Self { body, document, is_whole: true }
    }

    const fn bare(document: &'static str) -> Self {
        Self { body: document, document, is_whole: false }
    }
}

/// One range of an `Accept`: its weight in thousandths, and the form it names if it names one of ours.
fn read(range: &str) -> Option<(u16, Form)> {
    let mut parts = split(range, ';').into_iter().map(str::trim);
    let media_type = parts.next()?.to_ascii_lowercase();
    let mut weight = 1000;
    let mut profile = None;
    for parameter in parts {
        let (name, value) = parameter.split_once('=')?;
        match name.trim().to_ascii_lowercase().as_str() {
            "q" => weight = thousandths(value.trim())?,
            "profile" => profile = Some(value.trim().trim_matches('"')),
            _ => {}
        }
    }
    let form = match media_type.as_str() {
        "*/*" | "application/*" | RESULT => WHOLE,
        "application/json" => Form::whole("application/json", DID),
        "application/ld+json" if profile.is_none_or(|profile| profile == PROFILE) => {
            Form::whole(RESULT_LD, DID_LD_JSON)
        }
        DID => Form::bare(DID),
        DID_JSON => Form::bare(DID_JSON),
        DID_LD_JSON => Form::bare(DID_LD_JSON),
        _ => return None,
    };
    Some((weight, form))
}

/// A weight such as `1`, `0.5` or `0.125` (RFC 9110, 12.4.2).
fn thousandths(text: &str) -> Option<u16> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if fraction.len() > 3 || !matches!(whole, "0" | "1") {
        return None;
    }
    let fraction: u16 = format!("{fraction:0<3}").parse().ok()?;
    let weight = if whole == "1" { 1000 + fraction } else { fraction };
    (weight <= 1000).then_some(weight)
}

/// Splits at a sign that does not stand in quotes.
fn split(text: &str, sign: char) -> Vec<&str> {
    let mut is_quoted = false;
    text.split(|c| {
        is_quoted ^= c == '"';
        c == sign && !is_quoted
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(accept: &str) -> Option<&'static str> {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_str(accept).unwrap());
        Form::of(&headers).map(|form| form.body)
    }

    #[test]
    fn what_is_wanted_most_is_given() {
        for (accept, expected) in [
            ("application/did-resolution", Some(RESULT)),
            ("Application/DID", Some(DID)),
            ("application/did+json", Some(DID_JSON)),
            ("application/did+ld+json", Some(DID_LD_JSON)),
            ("application/ld+json;profile=\"https://w3id.org/did-resolution\"", Some(RESULT_LD)),
            ("application/ld+json; profile=https://w3id.org/did-resolution", Some(RESULT_LD)),
            ("application/ld+json", Some(RESULT_LD)),
            ("application/json", Some("application/json")),
            ("*/*", Some(RESULT)),
            ("text/html,application/xhtml+xml,*/*;q=0.8", Some(RESULT)),
            ("application/did;q=0.5, application/did-resolution;q=0.9", Some(RESULT)),
            ("application/did;q=0.9, application/did-resolution;q=0.9", Some(DID)),
            ("application/did;q=0, application/did+json;q=0.001", Some(DID_JSON)),
            ("application/ld+json;profile=\"a,b;c\", application/did", Some(DID)),
            ("text/html", None),
            ("application/did;q=0", None),
            ("application/did;q=2", None),
            ("application/ld+json;profile=\"https://other.example/\"", None),
            ("application/cbor", None),
            ("", None),
            (";;,,", None),
        ] {
            assert_eq!(body(accept), expected, "{accept}");
        }
        assert_eq!(Form::of(&HeaderMap::new()), Some(WHOLE));
    }
}
