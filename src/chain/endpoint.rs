//! Where a node is, and how to speak of it without giving its keys away.
//!
//! Providers put access keys into paths, queries and user names, and some repeat them in their error texts. An [`Endpoint`] shows
//! scheme, host and port only, and cleans foreign text of everything else that stands in the URL.

use std::fmt;

use url::Url;

/// Foreign text is cut to this many characters.
const TEXT_MAX: usize = 300;
/// Shorter parts of a path (`v2`, `rpc`) are no secrets, and blanking them would garble texts.
const SECRET_MIN: usize = 6;

/// The URL of a node; its `Debug` and `Display` show scheme, host and port.
#[derive(Clone, PartialEq, Eq)]
pub struct Endpoint {
    url: Url,
    name: String,
    secrets: Vec<String>,
}

/// Why a text is not the URL of a node.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    /// It is not a URL; the text is not repeated, since it may hold a key.
    #[error(
        "the rpc url is not a url; write it as `https://host/path`, `http://host:port` or `wss://host/path`"
    )]
    NotAUrl,
    /// Its scheme is none of the four that are spoken here.
    #[error("the rpc url has the scheme `{0}`; use http, https, ws or wss")]
    Scheme(String),
}

impl Endpoint {
    /// Reads a URL.
    pub fn parse(text: &str) -> Result<Self, EndpointError> {
        let url = Url::parse(text).map_err(|_| EndpointError::NotAUrl)?;
        if !matches!(url.scheme(), "http" | "https" | "ws" | "wss") {
            return Err(EndpointError::Scheme(url.scheme().chars().take(20).collect()));
        }
        let host = url.host_str().filter(|host| !host.is_empty()).ok_or(EndpointError::NotAUrl)?;
        let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
        let name = format!("{}://{host}{port}", url.scheme());
        let secrets = secrets_in(&url);
        Ok(Self { url, name, secrets })
    }

    /// The whole URL, keys included: for the transports only.
    pub(crate) const fn url(&self) -> &Url {
        &self.url
    }

    /// Whether requests go over a WebSocket.
    #[must_use]
    pub fn is_websocket(&self) -> bool {
        matches!(self.url.scheme(), "ws" | "wss")
    }

    /// Whether the connection is encrypted.
    #[must_use]
    pub fn is_encrypted(&self) -> bool {
        matches!(self.url.scheme(), "https" | "wss")
    }

    /// Makes a text from outside fit to be shown: no part of the URL, no control characters, not long.
    #[must_use]
    pub fn clean(&self, text: &str) -> String {
        // The cut comes first and is generous, so that a huge text costs nothing and no secret is cut in half and then missed.
        let mut shown: String = text.chars().take(TEXT_MAX * 4).collect();
        for secret in &self.secrets {
            shown = shown.replace(secret.as_str(), "***");
        }
        let shown: String =
            shown.chars().map(|c| if c.is_control() { ' ' } else { c }).take(TEXT_MAX).collect();
        shown.trim().to_owned()
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Endpoint").field(&self.name).finish()
    }
}

/// The parts of a URL that may be keys, longest first so that a part of another is replaced after it.
fn secrets_in(url: &Url) -> Vec<String> {
    let mut secrets: Vec<String> = Vec::new();
    secrets.extend(url.query().map(ToOwned::to_owned));
    secrets.extend(url.fragment().map(ToOwned::to_owned));
    secrets.extend(url.query_pairs().map(|(_, value)| value.into_owned()));
    secrets.extend(url.path_segments().into_iter().flatten().map(ToOwned::to_owned));
    secrets.retain(|secret| secret.len() >= SECRET_MIN);
    // A user name or password is a secret at any length, as it stands in the URL, as it was meant, and as a request carries it.
    let user = [url.username(), url.password().unwrap_or_default()];
    let plain = user.map(percent_decoded);
    if user.iter().any(|part| !part.is_empty()) {
        secrets.push(base64(plain.join(":").as_bytes()));
    }
    secrets.extend(user.iter().filter(|part| !part.is_empty()).map(|part| (*part).to_owned()));
    secrets.extend(plain.into_iter().filter(|part| !part.is_empty()));
    secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
    secrets
}

/// A part of a URL as it was meant; bytes that are not UTF-8 are replaced.
fn percent_decoded(part: &str) -> String {
    // A query's value is the one part that `url` decodes.
    let query = format!("x={}", part.replace('+', "%2B"));
    url::form_urlencoded::parse(query.as_bytes()).map(|(_, value)| value.into_owned()).collect()
}

/// Standard base64 (RFC 4648), without its padding, which a cleaned text may keep.
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let word = chunk.iter().fold(0_u32, |word, byte| word << 8 | u32::from(*byte));
        let word = word << (8 * (3 - chunk.len()));
        let sextets = [word >> 18, word >> 12, word >> 6, word].map(|part| (part & 63) as usize);
        let letters = sextets.iter().take(chunk.len() + 1);
        text.extend(
            letters.filter_map(|sextet| ALPHABET.get(*sextet)).map(|letter| *letter as char),
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_request_carries_is_shown_nowhere() {
        let endpoint = Endpoint::parse("http://al%20ice:p%40ss+word@node.example/").unwrap();
        // As `printf 'al ice:p@ss+word' | base64` has it.
        let echoed = "Authorization: Basic YWwgaWNlOnBAc3Mrd29yZA== p@ss+word p%40ss+word al ice";
        assert_eq!(endpoint.clean(echoed), "Authorization: Basic ***== *** *** ***");
    }

    #[test]
    fn keys_are_shown_nowhere() {
        let text = "https://alice:hunter2@node.example:8443/v2/0123456789abcdef?token=topsecret";
        let endpoint = Endpoint::parse(text).unwrap();
        assert_eq!(endpoint.to_string(), "https://node.example:8443");
        let shown = format!("{endpoint} {endpoint:?} {}", endpoint.clean(text));
        for secret in ["alice", "hunter2", "0123456789abcdef", "topsecret"] {
            assert!(!shown.contains(secret), "{shown}");
        }
    }

    #[test]
    fn foreign_text_is_cut_and_flattened() {
        let endpoint = Endpoint::parse("http://127.0.0.1:8545").unwrap();
        assert_eq!(endpoint.clean("a\n\u{1b}[31mb"), "a  [31mb");
        assert_eq!(endpoint.clean(&"x".repeat(1_000_000)).len(), TEXT_MAX);
    }

    #[test]
    fn what_is_no_node_is_refused_without_repeating_it() {
        let error = Endpoint::parse("node.example/v2/secretsecret").unwrap_err();
        assert!(!error.to_string().contains("secretsecret"));
        for text in ["ftp://node.example", "file:///etc/passwd", "http://", "", "localhost:8545"] {
            assert!(Endpoint::parse(text).is_err(), "{text}");
        }
    }
}
