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
    // A user name or password is a secret at any length.
    let user = [url.username(), url.password().unwrap_or_default()];
    secrets.extend(user.iter().filter(|part| !part.is_empty()).map(|part| (*part).to_owned()));
    secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
    secrets
}

#[cfg(test)]
mod tests {
    use super::*;

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
