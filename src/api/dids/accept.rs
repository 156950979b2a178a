//! Which function a request calls, and in which form it wants the answer, by its `Accept`.
//!
//! A DID is resolved and a DID URL dereferenced, unless the request asks for the whole result of the other. The forms are those of the
//! current text, and of the one before it, which most clients still speak: the whole result, or only what it is about. Where nothing is
//! said, the whole result.

use axum::http::header::ACCEPT;
use axum::http::{HeaderMap, HeaderValue};

/// The whole result of a resolution, in the current text.
const RESULT: &str = "application/did-resolution";
/// The whole result of a dereferencing, in the current text.
const URL_RESULT: &str = "application/did-url-dereferencing";
/// A document, in the current text.
const DID: &str = "application/did";
const DID_JSON: &str = "application/did+json";
const DID_LD_JSON: &str = "application/did+ld+json";
/// The places of services.
pub(super) const URI_LIST: &str = "text/uri-list";
const JSON: &str = "application/json";
const LD_JSON: &str = "application/ld+json";
/// The whole results, in the text before.
const RESULT_LD: &str = "application/ld+json;profile=\"https://w3id.org/did-resolution\"";
const URL_RESULT_LD: &str =
    "application/ld+json;profile=\"https://w3id.org/did-url-dereferencing\"";
const PROFILE: &str = "https://w3id.org/did-resolution";
const URL_PROFILE: &str = "https://w3id.org/did-url-dereferencing";

/// What a request calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Function {
    /// From a DID to its document.
    Resolve,
    /// From a DID URL to what it names.
    Dereference,
}

/// A form of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Form {
    /// What was called.
    pub(super) function: Function,
    /// The media type of the body.
    pub(super) body: &'static str,
    /// The media type of what it is about.
    pub(super) document: &'static str,
    /// Whether the body is the whole result.
    pub(super) is_whole: bool,
}

impl Function {
    /// What a request calls whose subject was not looked at.
    pub(super) fn of(headers: &HeaderMap) -> Self {
        Form::of(headers, false).map_or(Self::Resolve, |form| form.function)
    }

    /// What is called where `Accept` says nothing of it.
    pub(super) const fn usual(is_url: bool) -> Self {
        if is_url { Self::Dereference } else { Self::Resolve }
    }

    /// The form where nothing is said, and of every refusal.
    pub(super) const fn whole(self) -> Form {
        let body = match self {
            Self::Resolve => RESULT,
            Self::Dereference => URL_RESULT,
        };
        Form { function: self, body, document: DID, is_whole: true }
    }

    const fn bare(self, document: &'static str) -> Form {
        Form { function: self, body: document, document, is_whole: false }
    }
}

impl Form {
    /// The form that a request wants most, for a DID or a DID URL; `None` where it wants none of ours.
    pub(super) fn of(headers: &HeaderMap, is_url: bool) -> Option<Self> {
        let mut best: Option<(u16, Self)> = None;
        let mut is_asked = false;
        for value in headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok()) {
            for range in split(value, ',') {
                is_asked = true;
                let Some((weight, form)) = read(range, is_url) else { continue };
                if weight > 0 && best.is_none_or(|(other, _)| weight > other) {
                    best = Some((weight, form));
                }
            }
        }
        if is_asked { best.map(|(_, form)| form) } else { Some(Function::usual(is_url).whole()) }
    }

    /// The content type of the body.
    pub(super) const fn content_type(self) -> HeaderValue {
        HeaderValue::from_static(self.body)
    }
}

/// One range of an `Accept`: its weight in thousandths, and the form it names if it names one of ours.
fn read(range: &str, is_url: bool) -> Option<(u16, Form)> {
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
    let (resolve, dereference) = (Function::Resolve, Function::Dereference);
    let usual = Function::usual(is_url);
    let older = |function: Function, body| Form { body, document: DID_LD_JSON, ..function.whole() };
    let form = match media_type.as_str() {
        "*/*" | "application/*" => usual.whole(),
        RESULT => resolve.whole(),
        URL_RESULT => dereference.whole(),
        // The older clients of resolution ask for its result so; those of dereferencing for what it is about.
        JSON if is_url => usual.bare(JSON),
        JSON => Form { body: JSON, ..resolve.whole() },
        LD_JSON if is_url && profile.is_none() => usual.bare(LD_JSON),
        LD_JSON if profile.is_none_or(|profile| profile == PROFILE) => older(resolve, RESULT_LD),
        LD_JSON if profile == Some(URL_PROFILE) => older(dereference, URL_RESULT_LD),
        DID => usual.bare(DID),
        DID_JSON => usual.bare(DID_JSON),
        DID_LD_JSON => usual.bare(DID_LD_JSON),
        URI_LIST if is_url => usual.bare(URI_LIST),
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

    fn form(accept: &str, is_url: bool) -> Option<Form> {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_str(accept).unwrap());
        Form::of(&headers, is_url)
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
            ("application/json", Some(JSON)),
            ("application/did-url-dereferencing", Some(URL_RESULT)),
            (
                "application/ld+json;profile=\"https://w3id.org/did-url-dereferencing\"",
                Some(URL_RESULT_LD),
            ),
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
            ("text/uri-list", None),
            ("", None),
            (";;,,", None),
        ] {
            assert_eq!(form(accept, false).map(|form| form.body), expected, "{accept}");
        }
        assert_eq!(Form::of(&HeaderMap::new(), false), Some(Function::Resolve.whole()));
    }

    #[test]
    fn a_did_url_is_dereferenced_unless_its_resolution_is_asked_for() {
        let dereference = Function::Dereference;
        for (accept, expected) in [
            ("*/*", Some(dereference.whole())),
            ("application/did-url-dereferencing", Some(dereference.whole())),
            ("application/did-url-dereferencing,application/did", Some(dereference.whole())),
            ("application/did", Some(dereference.bare(DID))),
            ("application/did+json", Some(dereference.bare(DID_JSON))),
            ("application/json", Some(dereference.bare(JSON))),
            ("application/ld+json", Some(dereference.bare(LD_JSON))),
            ("text/uri-list", Some(dereference.bare(URI_LIST))),
            ("text/uri-list;q=0.5, application/did;q=0.4", Some(dereference.bare(URI_LIST))),
            ("application/did-resolution", Some(Function::Resolve.whole())),
            ("text/html", None),
        ] {
            assert_eq!(form(accept, true), expected, "{accept}");
        }
        assert_eq!(Form::of(&HeaderMap::new(), true), Some(dereference.whole()));
    }
}
