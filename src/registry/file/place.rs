//! Where an agent's URI leads.
//!
//! A URI is whatever its owner wrote: bytes, perhaps empty, perhaps the file itself. Only https and IPFS lead to a host; other schemes lead
//! nowhere here. Whether a host may be asked at all is for whoever asks.

use url::{Host, Url};

use super::ipfs::IpfsPath;
use super::{FILE_MAX, Flaw, FlawKind, data};
use crate::vocab::shorten;

/// The longest URI that leads to a host, in bytes.
const URI_MAX: usize = 2048;
/// The longest URI that holds its file: base64 takes a third more, escapes twice more.
const INLINE_MAX: usize = 4 * FILE_MAX;

/// Where a URI leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// No URI was set.
    Nowhere,
    /// The URI holds the file.
    Inline(Vec<u8>),
    /// A host serves it, and may change it at any time.
    Web(Url),
    /// Its content names it.
    Ipfs(IpfsPath),
}

/// Where a URI leads, and what is odd about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Located {
    /// Where.
    pub place: Place,
    /// What is not as it should be, and could be understood all the same.
    pub flaws: Vec<Flaw>,
}

/// Where a URI leads.
///
/// # Errors
/// When it leads nowhere that a file could be read from.
///
/// ```
/// use hallmark::registry::file::{Place, locate};
///
/// let located = locate(b"data:application/json,{}").unwrap();
/// assert_eq!(located.place, Place::Inline(b"{}".to_vec()));
/// assert!(locate(b"ftp://example.org/a.json").is_err());
/// ```
pub fn locate(uri: &[u8]) -> Result<Located, Flaw> {
    if uri.len() > INLINE_MAX {
        return Err(too_large(INLINE_MAX));
    }
    let text = std::str::from_utf8(uri).map_err(|_| wrong("the URI is not UTF-8"))?;
    let trimmed = text.trim_matches(is_around);
    let mut flaws = Vec::new();
    if trimmed.len() != text.len() {
        flaws.push(wrong("the URI stands between white space or control characters"));
    }
    let place = if trimmed.is_empty() {
        Place::Nowhere
    } else if trimmed.starts_with('{') {
        flaws.push(wrong("the URI is the file itself, without a scheme"));
        if trimmed.len() > FILE_MAX {
            return Err(too_large(FILE_MAX));
        }
        Place::Inline(trimmed.as_bytes().to_vec())
    } else {
        of_scheme(trimmed, &mut flaws)?
    };
    Ok(Located { place, flaws })
}

/// Whether a sign says nothing where it stands before or after a URI. The byte order mark is no white space.
fn is_around(c: char) -> bool {
    c.is_whitespace() || c.is_control() || c == '\u{feff}'
}

fn of_scheme(text: &str, flaws: &mut Vec<Flaw>) -> Result<Place, Flaw> {
    let (scheme, rest) = scheme_of(text).unwrap_or((String::new(), text));
    if scheme == "data" {
        return data::decode(rest, flaws).map(Place::Inline);
    }
    if text.len() > URI_MAX {
        return Err(too_large(URI_MAX));
    }
    if text.contains(|c: char| c.is_control()) {
        return Err(wrong("the URI holds a control character"));
    }
    match scheme.as_str() {
        "https" => web(text, flaws),
        "ipfs" => {
            let path = rest.trim_start_matches('/');
            let within = path.strip_prefix("ipfs/");
            if within.is_some() || !rest.starts_with("//") || rest.starts_with("///") {
                flaws.push(wrong("an IPFS URI is written `ipfs://CID/path`"));
            }
            IpfsPath::parse(within.unwrap_or(path)).map(Place::Ipfs)
        }
        "" => {
            let path = text.trim_start_matches('/');
            let path = path.strip_prefix("ipfs/").unwrap_or(path);
            let found = IpfsPath::parse(path);
            let found = found.map_err(|_| wrong(&format!("`{}` has no scheme", shorten(text))))?;
            flaws.push(wrong("an IPFS URI is written `ipfs://CID/path`"));
            Ok(Place::Ipfs(found))
        }
        "http" => Err(wrong("nothing is fetched over plain http")),
        _ => Err(wrong(&format!("nothing is fetched by the scheme `{}`", shorten(&scheme)))),
    }
}

fn web(text: &str, flaws: &mut Vec<Flaw>) -> Result<Place, Flaw> {
    let mut url = Url::parse(text).map_err(|error| wrong(&format!("not a URL: {error}")))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(wrong("a URL with a user's name or password is not fetched"));
    }
    if !matches!(url.host(), Some(Host::Domain(_))) {
        return Err(wrong("a URL whose host is an IP address is not fetched"));
    }
    if url.fragment().is_some() {
        flaws.push(wrong("what follows `#` in the URI is left out"));
        url.set_fragment(None);
    }
    Ok(Place::Web(url))
}

/// The scheme in lower case, and what follows its colon.
fn scheme_of(text: &str) -> Option<(String, &str)> {
    let (scheme, rest) = text.split_once(':')?;
    let is_sign = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.');
    let is_scheme =
        scheme.bytes().all(is_sign) && scheme.starts_with(|c: char| c.is_ascii_alphabetic());
    is_scheme.then(|| (scheme.to_ascii_lowercase(), rest))
}

fn wrong(detail: &str) -> Flaw {
    Flaw::new(FlawKind::Uri, detail)
}

fn too_large(max: usize) -> Flaw {
    Flaw::new(FlawKind::TooLarge, &format!("the URI has more than {max} bytes"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const V0: &str = "QmT78zSuBmuS4z925WZfrqQ1qHaJ56DQaTfyMUF7F8ff5o";

    fn shown(uri: &str) -> String {
        match locate(uri.as_bytes()) {
            Ok(Located { place, flaws }) => {
                let place = match place {
                    Place::Nowhere => "nowhere".to_owned(),
                    Place::Inline(file) => String::from_utf8(file).unwrap(),
                    Place::Web(url) => url.to_string(),
                    Place::Ipfs(path) => format!("ipfs {path}"),
                };
                format!("{place}{}", "!".repeat(flaws.len()))
            }
            Err(flaw) => format!("{:?}: {}", flaw.kind, flaw.detail),
        }
    }

    #[test]
    fn uris_lead_where_they_say_or_nowhere() {
        for (uri, expected) in [
            ("", "nowhere".to_owned()),
            (" \n\0", "nowhere!".to_owned()),
            ("DATA:application/json,{}", "{}".to_owned()),
            ("{\"a\":1}", "{\"a\":1}!".to_owned()),
            ("\u{feff} {}", "{}!!".to_owned()),
            ("https://Example.org/a.json", "https://example.org/a.json".to_owned()),
            ("HTTPS://example.org", "https://example.org/".to_owned()),
            ("https://example.org/a\0", "https://example.org/a!".to_owned()),
            ("https://example.org/a#b", "https://example.org/a!".to_owned()),
            (&format!("ipfs://{V0}"), format!("ipfs {V0}")),
            (&format!("ipfs://{V0}/a%20b/c.json"), format!("ipfs {V0}/a%20b/c.json")),
            (&format!("ipfs://ipfs/{V0}"), format!("ipfs {V0}!")),
            (&format!("ipfs:{V0}"), format!("ipfs {V0}!")),
            (&format!("/ipfs/{V0}/x"), format!("ipfs {V0}/x!")),
            (V0, format!("ipfs {V0}!")),
        ] {
            assert_eq!(shown(uri), expected, "{uri}");
        }
        for (uri, says) in [
            ("http://example.org/a.json", "plain http"),
            ("https://exa\0mple.org/a.json", "control character"),
            ("https://127.0.0.1/a.json", "IP address"),
            ("https://[::1]/a.json", "IP address"),
            ("https://2130706433/a.json", "IP address"),
            ("https://me:secret@example.org/", "password"),
            ("https://", "not a URL"),
            ("ar://abc", "`ar`"),
            ("javascript:alert(1)", "`javascript`"),
            ("file:///etc/passwd", "`file`"),
            ("example.org/agent.json", "no scheme"),
            ("ipfs://not-a-cid", "CID"),
            (&format!("https://example.org/{}", "a".repeat(2048)), "2048"),
        ] {
            let said = shown(uri);
            assert!(said.contains(says), "{uri}: {said}");
        }
        assert!(locate(b"\xff\xfe").is_err());
        assert_eq!(locate(&vec![b' '; INLINE_MAX + 1]).unwrap_err().kind, FlawKind::TooLarge);
        let large = format!("{{{}", " ".repeat(FILE_MAX));
        let large = format!("{large}}}");
        assert_eq!(locate(large.as_bytes()).unwrap_err().kind, FlawKind::TooLarge);
    }
}
