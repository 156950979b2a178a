//! The syntax of DID URLs (DID Core, section 3.2), bounded: a DID, and perhaps a path, a query and a fragment.
//!
//! Taken apart and not interpreted: which parameters there are, and what a fragment names, is for whoever dereferences. Nothing is
//! normalised either: what differs in a byte is another DID URL.

use super::DidError;
use super::syntax::{DID_LEN_MAX, Did, check_percent, decode};

/// The longest DID URL that is read, in bytes: a DID, and as much again for what stands behind it.
const URL_LEN_MAX: usize = 2 * DID_LEN_MAX;
/// The signs beside letters and digits that path, query and fragment hold as they are (RFC 3986, sections 3.3 to 3.5).
const SIGNS: &str = "-._~!$&'()*+,;=:@/?";

/// A DID URL.
///
/// ```
/// use hallmark::did::DidUrl;
///
/// let url = DidUrl::parse("did:web:example.org?service=files&relativeRef=%2Fa#b").unwrap();
/// assert_eq!(url.did.as_str(), "did:web:example.org");
/// assert_eq!(url.parameters()[1], ("relativeRef".to_owned(), "/a".to_owned()));
/// assert_eq!(url.fragment.as_deref(), Some("b"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DidUrl {
    /// The DID.
    pub did: Did,
    /// The path, with the slash that it begins with; empty where there is none.
    pub path: String,
    /// The query, without its `?`.
    pub query: Option<String>,
    /// The fragment, without its `#`.
    pub fragment: Option<String>,
}

impl DidUrl {
    /// Takes a DID URL apart. A DID is one too.
    ///
    /// # Errors
    /// Names the first thing that is wrong.
    pub fn parse(text: &str) -> Result<Self, DidError> {
        let length = text.len();
        let end = text.find(['/', '?', '#']).unwrap_or(length);
        let (did, tail) = text.split_at_checked(end).unwrap_or((text, ""));
        let did = Did::parse(did)?;
        if length > URL_LEN_MAX {
            return Err(DidError::UrlTooLong { length, max: URL_LEN_MAX });
        }
        check_tail(tail, end)?;
        let (rest, fragment) = cut(tail, '#');
        let (path, query) = cut(rest, '?');
        let owned = |part: Option<&str>| part.map(str::to_owned);
        Ok(Self { did, path: path.to_owned(), query: owned(query), fragment: owned(fragment) })
    }

    /// The parameters of the query, decoded.
    pub fn parameters(&self) -> Vec<(String, String)> {
        parameters(self.query.as_deref().unwrap_or_default())
    }
}

/// The parameters of a query, decoded, in their order. A plus is a plus; what is not UTF-8 is replaced, and no value that is known has
/// the sign that stands in its place.
pub fn parameters(query: &str) -> Vec<(String, String)> {
    let text = |encoded: &str| String::from_utf8_lossy(&decode(encoded)).into_owned();
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(n, v)| (text(n), text(v)))
        .collect()
}

/// What stands before a sign, and what behind it where it stands at all.
fn cut(text: &str, sign: char) -> (&str, Option<&str>) {
    text.split_once(sign).map_or((text, None), |(before, behind)| (before, Some(behind)))
}

/// Checks path, query and fragment, which begin at byte `start`.
fn check_tail(tail: &str, start: usize) -> Result<(), DidError> {
    let mut has_fragment = false;
    for (i, sign) in tail.char_indices() {
        let at = start + i;
        match sign {
            sign if sign.is_ascii_alphanumeric() || SIGNS.contains(sign) => {}
            '#' if !has_fragment => has_fragment = true,
            '%' => check_percent(tail, i, at)?,
            other => {
                let shown = other.escape_default().to_string();
                return Err(DidError::BadCharacter { shown, at });
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn did_urls_come_apart() {
        for (text, path, query, fragment) in [
            ("did:example:1", "", None, None),
            ("did:example:1/", "/", None, None),
            ("did:example:1/a/b", "/a/b", None, None),
            ("did:example:1?", "", Some(""), None),
            ("did:example:1?a=b?c/d", "", Some("a=b?c/d"), None),
            ("did:example:1#", "", None, Some("")),
            ("did:example:1#a?b/c", "", None, Some("a?b/c")),
            ("did:example:1/p;x@y:z?q=%20+&r#f'()*", "/p;x@y:z", Some("q=%20+&r"), Some("f'()*")),
        ] {
            let url = DidUrl::parse(text).unwrap();
            assert_eq!(url.did.as_str(), "did:example:1", "{text}");
            let (query, fragment) = (query.map(str::to_owned), fragment.map(str::to_owned));
            assert_eq!(
                (url.path.as_str(), url.query, url.fragment),
                (path, query, fragment),
                "{text}"
            );
        }
    }

    #[test]
    fn each_fault_has_its_name_and_place() {
        let bad = |shown: &str, at| DidError::BadCharacter { shown: shown.to_owned(), at };
        let long = format!("did:example:1?{}", "a".repeat(10_000));
        // Where the DID alone is too long, what is said is of it.
        let long_did = format!("did:example:{}#key", "a".repeat(10_000));
        for (text, expected) in [
            ("", DidError::NoScheme),
            ("#key", DidError::NoScheme),
            ("/did:example:1", DidError::NoScheme),
            ("did:example?a", DidError::BadMethod),
            ("did:example:?a", DidError::NoIdentifier),
            ("did:example:1:#a", DidError::NoIdentifier),
            ("did:example:1#a#b", bad("#", 15)),
            ("did:example:1/a b", bad(" ", 15)),
            ("did:example:1?a=\0", bad("\\u{0}", 16)),
            ("did:example:1?a=\\b", bad("\\\\", 16)),
            ("did:example:1?a=ä", bad("\\u{e4}", 16)),
            ("did:example:1?a=[", bad("[", 16)),
            ("did:example:1?a=%2", DidError::BadPercent { at: 16 }),
            ("did:example:1#%zz", DidError::BadPercent { at: 14 }),
            (long.as_str(), DidError::UrlTooLong { length: 10_014, max: URL_LEN_MAX }),
            (long_did.as_str(), DidError::TooLong { length: 10_012, max: DID_LEN_MAX }),
        ] {
            assert_eq!(DidUrl::parse(text), Err(expected), "{text:.40}");
        }
    }

    #[test]
    fn parameters_are_decoded_once() {
        let text = |pairs: &[(&str, &str)]| -> Vec<_> {
            pairs.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect()
        };
        for (query, expected) in [
            ("", text(&[])),
            ("&&", text(&[])),
            ("a", text(&[("a", "")])),
            ("a=b=c&d=", text(&[("a", "b=c"), ("d", "")])),
            ("a=1+1", text(&[("a", "1+1")])),
            ("a%3Db=%26&c=%252F", text(&[("a=b", "&"), ("c", "%2F")])),
            ("a=%ff", text(&[("a", "\u{fffd}")])),
            ("a=%&b=%2", text(&[("a", "%"), ("b", "%2")])),
        ] {
            assert_eq!(parameters(query), expected, "{query}");
        }
    }
}
