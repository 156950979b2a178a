//! did:web: between an identifier and the place its document is served at, and the identifiers that this service gives.
//!
//! The rules are those of the method's text, and stricter where an identifier could mean another place than it seems to: the host is a
//! DNS name and never an IP address in any spelling, and no part of the path may decode to a slash, to dots, or to something that cannot
//! be seen. Nothing is fetched here.

use std::fmt;

use super::DidError;
use super::syntax::{Did, decode};
use crate::vocab::{AgentId, ChainId, canonical_u64};

/// The last part of every document's path.
const DOCUMENT: &str = "did.json";
const NAME_LEN_MAX: usize = 253;
const LABEL_LEN_MAX: usize = 63;

/// A DNS name and perhaps a port: what a did:web rests on. Letter case does not matter. Text form: `example.org%3A8443`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WebHost {
    /// Lower case.
    name: String,
    port: Option<u16>,
}

impl WebHost {
    /// Reads `example.org`, `example.org:8443`, `example.org%3A8443` or `example.org%3a8443`.
    ///
    /// # Errors
    /// When it is an IP address, not a DNS name, or its port is none.
    pub fn parse(text: &str) -> Result<Self, DidError> {
        let text = text.replace("%3A", ":").replace("%3a", ":");
        let (name, port) = match text.split_once(':') {
            Some((name, port)) => (name, Some(parse_port(port)?)),
            None => (text.as_str(), None),
        };
        let name = name.to_ascii_lowercase();
        check_name(&name)?;
        Ok(Self { name, port })
    }

    /// This machine, at a port.
    pub fn local(port: u16) -> Self {
        Self { name: "localhost".to_owned(), port: Some(port) }
    }

    /// The DNS name, in lower case.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Host and port as a URL has them: `example.org:8443`.
    pub fn authority(&self) -> String {
        self.port.map_or_else(|| self.name.clone(), |port| format!("{}:{port}", self.name))
    }

    /// The port, where it is not the one of https.
    pub fn port(&self) -> Option<u16> {
        self.port
    }
}

impl fmt::Display for WebHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        self.port.map_or(Ok(()), |port| write!(f, "%3A{port}"))
    }
}

fn parse_port(text: &str) -> Result<u16, DidError> {
    let number = canonical_u64(text).and_then(|number| u16::try_from(number).ok());
    number.filter(|port| *port != 0).ok_or(DidError::BadPort)
}

fn check_name(name: &str) -> Result<(), DidError> {
    if name.is_empty() {
        return Err(DidError::BadHost("it is empty"));
    }
    if name.len() > NAME_LEN_MAX {
        return Err(DidError::BadHost("it is longer than 253 signs"));
    }
    for label in name.split('.') {
        let is_sign = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        if label.is_empty() {
            return Err(DidError::BadHost("a part between its dots is empty"));
        }
        if label.len() > LABEL_LEN_MAX {
            return Err(DidError::BadHost("a part between its dots is longer than 63 signs"));
        }
        if !label.bytes().all(is_sign) {
            return Err(DidError::BadHost("it holds more than letters, digits and hyphens"));
        }
        if label.starts_with('-') || label.ends_with('-') {
            return Err(DidError::BadHost("a part between its dots begins or ends in a hyphen"));
        }
    }
    // Whatever ends in a number is read as an IPv4 address by clients, in any of its spellings: 1.2.3.4, 0x7f000001, 2130706433.
    let last = name.rsplit('.').next().unwrap_or_default();
    let is_hex = last.strip_prefix("0x").is_some_and(|d| d.bytes().all(|b| b.is_ascii_hexdigit()));
    if is_hex || last.bytes().all(|b| b.is_ascii_digit()) {
        return Err(DidError::IpHost);
    }
    Ok(())
}

/// A did:web, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebDid {
    /// Where its document is served.
    pub host: WebHost,
    /// The parts of its path, as they stand in the identifier.
    path: Vec<String>,
}

impl WebDid {
    /// Takes a did:web apart.
    ///
    /// # Errors
    /// When it is of another method, its host is no DNS name, or its path leads elsewhere once it is decoded.
    pub fn parse(did: &Did) -> Result<Self, DidError> {
        if did.method() != "web" {
            return Err(DidError::OtherMethod { expected: "web" });
        }
        let mut parts = did.id().split(':');
        let host = parts.next().unwrap_or_default();
        // A colon outside the path stands as `%3A`; any other sign that needs encoding is none of a host's.
        if host.replace("%3A", "").replace("%3a", "").contains('%') {
            return Err(DidError::BadHost("it holds more than letters, digits and hyphens"));
        }
        let host = WebHost::parse(host)?;
        let path: Vec<String> = parts.map(str::to_owned).collect();
        for (part, segment) in (1..).zip(&path) {
            check_segment(segment).map_err(|why| DidError::BadPath { part, why })?;
        }
        Ok(Self { host, path })
    }

    /// The URL of its document.
    pub fn url(&self) -> String {
        let mut url = format!("https://{}/", self.host.authority());
        if self.path.is_empty() {
            url.push_str(".well-known/");
        }
        for segment in &self.path {
            url.push_str(segment);
            url.push('/');
        }
        url.push_str(DOCUMENT);
        url
    }
}

/// Says what is wrong with a part of a path.
fn check_segment(segment: &str) -> Result<(), &'static str> {
    if segment.is_empty() {
        return Err("is empty");
    }
    let decoded = decode(segment);
    if decoded.iter().all(|b| *b == b'.') {
        return Err("decodes to dots, which name another folder");
    }
    if decoded.iter().any(|b| matches!(b, b'/' | b'\\')) {
        return Err("decodes to a slash");
    }
    if decoded.iter().any(|b| matches!(b, b'?' | b'#')) {
        return Err("decodes to the beginning of a query or fragment");
    }
    if decoded.contains(&b'%') {
        return Err("is encoded twice");
    }
    match std::str::from_utf8(&decoded) {
        Ok(text) if text.chars().any(char::is_control) => Err("decodes to a control character"),
        Ok(_) => Ok(()),
        Err(_) => Err("does not decode to UTF-8"),
    }
}

/// What the identifiers of this service name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Local {
    /// The service itself: `did:web:HOST`.
    Service,
    /// An agent: `did:web:HOST:agents:8453:22`.
    Agent(ChainId, AgentId),
    /// A human participant: `did:web:HOST:character:ada`.
    Character(String),
}

impl Local {
    /// What a did:web of this service names; `None` where its path is none of ours. Its host is not looked at.
    pub fn of(did: &WebDid) -> Option<Self> {
        let path: Vec<_> = did.path.iter().map(String::as_str).collect();
        match path.as_slice() {
            [] => Some(Self::Service),
            ["agents", chain, agent] => {
                Some(Self::Agent(ChainId(canonical_u64(chain)?), AgentId::parse(agent)?))
            }
            ["character", handle] => Some(Self::Character((*handle).to_owned())),
            _ => None,
        }
    }

    /// The identifier at a host.
    pub fn did(&self, host: &WebHost) -> String {
        match self {
            Self::Service => format!("did:web:{host}"),
            Self::Agent(chain, agent) => format!("did:web:{host}:agents:{}:{agent}", chain.0),
            Self::Character(handle) => format!("did:web:{host}:character:{handle}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn web(text: &str) -> Result<WebDid, DidError> {
        WebDid::parse(&Did::parse(text).unwrap())
    }

    #[test]
    fn identifiers_lead_to_their_documents() {
        for (did, url) in [
            ("did:web:example.org", "https://example.org/.well-known/did.json"),
            ("did:web:Example.ORG", "https://example.org/.well-known/did.json"),
            ("did:web:localhost%3A8004", "https://localhost:8004/.well-known/did.json"),
            ("did:web:localhost%3a8004", "https://localhost:8004/.well-known/did.json"),
            (
                "did:web:example.org%3A8443:agents:8453:22",
                "https://example.org:8443/agents/8453/22/did.json",
            ),
            ("did:web:xn--bcher-kva.example:a%20b", "https://xn--bcher-kva.example/a%20b/did.json"),
            ("did:web:0x7f.example:u", "https://0x7f.example/u/did.json"),
        ] {
            assert_eq!(web(did).unwrap().url(), url);
        }
    }

    #[test]
    fn hosts_are_dns_names() {
        let long = format!("did:web:{}", vec!["a".repeat(60); 5].join("."));
        for text in [
            "did:web:127.0.0.1",
            "did:web:127.0.0.1%3A8004",
            "did:web:2130706433",
            "did:web:0x7f000001",
            "did:web:0X7F.1",
            "did:web:1.2.3.0x",
            "did:web:0177.0.0.01",
        ] {
            assert_eq!(web(text), Err(DidError::IpHost), "{text}");
        }
        for text in [
            "did:web:%5B%3A%3A1%5D",
            "did:web:exa%6Dple.org",
            "did:web:example.org%2F..",
            "did:web:example.org%00",
            "did:web:user%40example.org",
            "did:web:example.org.",
            "did:web:.example.org",
            "did:web:-a.example",
            "did:web:a_b.example",
            "did:web::agents",
            long.as_str(),
        ] {
            assert!(matches!(web(text), Err(DidError::BadHost(_))), "{text}: {:?}", web(text));
        }
        for text in ["0", "65536", "", "080", "-80", "80%3A80", "x"] {
            assert_eq!(
                web(&format!("did:web:a.example%3A{text}")),
                Err(DidError::BadPort),
                "{text}"
            );
        }
    }

    #[test]
    fn paths_lead_nowhere_else() {
        for (segment, why) in [
            ("%2e%2e", "dots"),
            (".", "dots"),
            ("..", "dots"),
            (".%2E", "dots"),
            ("a%2Fb", "slash"),
            ("a%2fb", "slash"),
            ("a%5Cb", "slash"),
            ("a%00", "control"),
            ("a%0d%0a", "control"),
            ("%252e%252e", "twice"),
            ("a%3Fb", "query"),
            ("a%23b", "query"),
            ("%ff", "UTF-8"),
        ] {
            let error = web(&format!("did:web:a.example:x:{segment}:y")).unwrap_err();
            assert!(matches!(error, DidError::BadPath { part: 2, .. }), "{segment}: {error}");
            assert!(error.to_string().contains(why), "{segment}: {error}");
        }
        assert!(matches!(web("did:web:a.example::x"), Err(DidError::BadPath { part: 1, .. })));
    }

    #[test]
    fn our_own_identifiers_have_one_form_each() {
        let host = WebHost::parse("localhost:8004").unwrap();
        for local in [
            Local::Service,
            Local::Agent(ChainId(8453), AgentId::from(22)),
            Local::Character("Ada_1".to_owned()),
        ] {
            let did = local.did(&host);
            let parsed = web(&did).unwrap();
            assert_eq!((&parsed.host, Local::of(&parsed)), (&host, Some(local)), "{did}");
        }
        for path in ["agents:8453", "agents:08453:22", "agents:8453:022", "agents:8453:%32", "x"] {
            let did = web(&format!("did:web:localhost:{path}")).unwrap();
            assert_eq!(Local::of(&did), None, "{path}");
        }
    }
}
