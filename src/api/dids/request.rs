//! What a request asks: which function is called, for which DID or DID URL, with which options, and in which form.
//!
//! A DID URL may stand in the path as it is or percent-encoded; where it stands as it is, its own query is the query of the request, and
//! options stand beside its parameters. `POST` has them in its body. The checks come in the order of the standard's algorithms, so
//! that each request has one answer.

use axum::http::HeaderMap;

use super::accept::{Form, Function};
use super::options::{Options, Pairs, Selection};
use super::refusal::{Code, Refusal};
use crate::did::{DidUrl, decode, parameters};

/// The methods that are understood.
const METHODS: [&str; 3] = ["web", "pkh", "key"];

/// A request that can be answered, as far as it can be told from itself.
#[derive(Clone, Debug)]
pub(super) struct Request {
    /// Of what.
    pub(super) url: DidUrl,
    /// Which services, where the DID URL says so.
    pub(super) selection: Selection,
    /// How.
    pub(super) options: Options,
    /// In which form.
    pub(super) form: Form,
}

/// Why it cannot, and of which function the refusal is the result.
#[derive(Clone, Debug)]
pub(super) struct Rejected {
    pub(super) function: Function,
    pub(super) refusal: Refusal,
}

impl Request {
    /// Reads a request: the DID or DID URL as it stands in the path, the query, and the options of a body.
    pub(super) fn read(
        asked: &str,
        query: Option<&str>,
        posted: Pairs,
        headers: &HeaderMap,
    ) -> Result<Self, Box<Rejected>> {
        let text = unescape(asked);
        let mut given = parameters(query.unwrap_or_default());
        given.extend(posted);
        let is_url = text.as_ref().is_ok_and(|text| text.contains(['/', '?', '#']))
            || given.iter().any(|(name, _)| Selection::takes(name));
        let form = Form::of(headers, is_url);
        let function = form.map_or(Function::usual(is_url), |form| form.function);
        let read = text.and_then(|text| Self::check(&text, given, form, function));
        read.map_err(|refusal| Box::new(Rejected { function, refusal }))
    }

    fn check(
        text: &str,
        given: Pairs,
        form: Option<Form>,
        function: Function,
    ) -> Result<Self, Refusal> {
        let malformed = match function {
            Function::Resolve => Code::InvalidDid,
            Function::Dereference => Code::InvalidDidUrl,
        };
        let refuse = |detail: String| Refusal::new(malformed, detail);
        let url = DidUrl::parse(text).map_err(|error| refuse(error.to_string()))?;
        if function == Function::Resolve && url.did.as_str() != text {
            return Err(refuse(
                "a DID URL is dereferenced and not resolved: ask for application/did-url-dereferencing".to_owned(),
            ));
        }
        if !METHODS.contains(&url.did.method()) {
            let detail = "did:web, did:pkh and did:key are resolved here";
            return Err(Refusal::new(Code::MethodNotSupported, detail));
        }
        let (selection, options) = sort(&url, given, function)?;
        let options = Options::read(&options, function)?;
        let form = form.ok_or_else(|| {
            let detail = "ask for application/did-resolution, application/did-url-dereferencing or application/did";
            Refusal::new(Code::RepresentationNotSupported, detail)
        })?;
        Ok(Self { url, selection, options, form })
    }
}

/// Tells what selects services from what says how to resolve. To the resolution of a DID nothing is the former.
fn sort(url: &DidUrl, given: Pairs, function: Function) -> Result<(Selection, Pairs), Refusal> {
    let own = url.parameters();
    let is_twice = |i: usize, name: &str| own.iter().take(i).any(|(other, _)| other == name);
    if let Some((_, (name, _))) = own.iter().enumerate().find(|(i, (name, _))| is_twice(*i, name)) {
        let shown = crate::api::shorten(name);
        let detail = format!("the parameter `{shown}` stands twice in the DID URL");
        return Err(Refusal::new(Code::InvalidDidUrl, detail));
    }
    let all = own.into_iter().chain(given);
    let (selecting, options): (Pairs, Pairs) =
        all.partition(|(name, _)| function == Function::Dereference && Selection::takes(name));
    Ok((Selection::read(selecting)?, options))
}

/// The DID or DID URL in a path, which may stand there as it is or percent-encoded.
///
/// A DID holds `%` itself (`localhost%3A8004`). One that stands as it is begins with `did:` and is not encoded twice; what begins with an
/// encoded `?` or `#` behind it is encoded all the same, since neither could stand there otherwise.
pub(super) fn unescape(asked: &str) -> Result<String, Refusal> {
    let upper = asked.to_ascii_uppercase();
    let end = ["%3F", "%23"].iter().filter_map(|sign| upper.find(sign)).min();
    let (did, rest) = asked.split_at_checked(end.unwrap_or(asked.len())).unwrap_or((asked, ""));
    let is_plain = did.starts_with("did:") && !did.contains("%25");
    let text = if is_plain { [did.as_bytes(), &decode(rest)].concat() } else { decode(asked) };
    String::from_utf8(text)
        .map_err(|_| Refusal::new(Code::InvalidDid, "the DID does not decode to UTF-8"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_did_stands_in_a_path_as_it_is_or_encoded() {
        for (path, expected) in [
            ("did:web:localhost%3A8004:agents:1:2", "did:web:localhost%3A8004:agents:1:2"),
            ("did%3Aweb%3Alocalhost%253A8004%3Aagents", "did:web:localhost%3A8004:agents"),
            ("did:web:localhost%253A8004:agents", "did:web:localhost%3A8004:agents"),
            ("did%3akey%3Az6Mk", "did:key:z6Mk"),
            ("did:web:a%2e%2e", "did:web:a%2e%2e"),
            ("did%3Aweb%3Aa%00", "did:web:a\0"),
            ("did%3Aweb%3Aa+b%26c", "did:web:a+b&c"),
            ("did%3Aexample%3A1%3Fx%3D2", "did:example:1?x=2"),
            ("did:web:a%3A1%23key", "did:web:a%3A1#key"),
            ("did:web:a%253A1%23key", "did:web:a%3A1#key"),
            (
                "did:web:a%3A1%3fservice=b%26relativeRef=%252Fc",
                "did:web:a%3A1?service=b&relativeRef=%2Fc",
            ),
            ("did%3Aweb%3Aa%253A1%3Fservice%3Db%23c", "did:web:a%3A1?service=b#c"),
            ("did:web:a/b", "did:web:a/b"),
            ("", ""),
        ] {
            assert_eq!(unescape(path).unwrap(), expected, "{path}");
        }
        assert!(unescape("did%3Aweb%3A%ff").is_err());
        assert!(unescape("did:web:a%23%ff").is_err());
    }

    fn codes(asked: &str, query: &str, accept: &str) -> Result<Function, (Function, Code)> {
        let mut headers = HeaderMap::new();
        headers.insert("accept", accept.parse().unwrap());
        match Request::read(asked, Some(query), Vec::new(), &headers) {
            Ok(request) => Ok(request.form.function),
            Err(rejected) => Err((rejected.function, rejected.refusal.code)),
        }
    }

    #[test]
    fn the_function_follows_from_what_is_asked() {
        let (resolve, dereference) = (Function::Resolve, Function::Dereference);
        let whole = "application/did-url-dereferencing";
        for (asked, query, accept, expected) in [
            ("did:web:a", "", "*/*", Ok(resolve)),
            ("did:web:a", "", whole, Ok(dereference)),
            ("did:web:a", "versionId=1", "*/*", Ok(resolve)),
            ("did:web:a", "service=b", "*/*", Ok(dereference)),
            ("did:web:a%23b", "", "*/*", Ok(dereference)),
            ("did:web:a/b", "", "*/*", Ok(dereference)),
            ("did:web:a%3FversionId=1", "at=safe", "*/*", Err((dereference, Code::InvalidOptions))),
            (
                "did:web:a%3Fservice=1%26service=2",
                "",
                "*/*",
                Err((dereference, Code::InvalidDidUrl)),
            ),
            ("did:web:a%3Fservice=1", "service=2", "*/*", Err((dereference, Code::InvalidDidUrl))),
            (
                "did:web:a%3FtransformKey=b",
                "",
                "*/*",
                Err((dereference, Code::FeatureNotSupported)),
            ),
            ("did:web:a%23b", "", "application/did-resolution", Err((resolve, Code::InvalidDid))),
            (
                "did:web:a",
                "service=b",
                "application/did-resolution",
                Err((resolve, Code::FeatureNotSupported)),
            ),
            ("not-a-did", "", "*/*", Err((resolve, Code::InvalidDid))),
            ("not-a-did", "", whole, Err((dereference, Code::InvalidDidUrl))),
            ("did:web:a%23%0a", "", "*/*", Err((dereference, Code::InvalidDidUrl))),
            ("did:example:a%23b", "", "*/*", Err((dereference, Code::MethodNotSupported))),
            (
                "did:web:a%23b",
                "",
                "text/html",
                Err((dereference, Code::RepresentationNotSupported)),
            ),
            ("did:web:a", "", "text/html", Err((resolve, Code::RepresentationNotSupported))),
        ] {
            assert_eq!(codes(asked, query, accept), expected, "{asked} {query} {accept}");
        }
    }
}
