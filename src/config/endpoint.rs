//! Where nodes and databases are: URLs that may hold keys and passwords; and tokens, which are secret as a whole.
//!
//! Their `Debug` and `Display` show scheme and host only, and a problem never says what was found. The full text is asked for by name,
//! with `expose`, and belongs in a connection, never in a message.

use std::fmt;
use std::net::SocketAddr;

use serde_json::Value as Json;
use url::Url;

use super::layer::Raw;
use super::value::Setting;

/// The most endpoints that make sense for one chain.
const RPC_URLS_MAX: usize = 16;
const RPC_SCHEMES: [&str; 4] = ["http", "https", "ws", "wss"];

/// What an endpoint is asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RpcRole {
    /// To follow the chain, and to compare what others answer.
    #[default]
    Both,
    /// To follow only.
    Follow,
    /// To compare only.
    Check,
}

impl RpcRole {
    const ALL: [(Self, &'static str); 3] =
        [(Self::Both, "both"), (Self::Follow, "follow"), (Self::Check, "check")];

    /// A role that is written before a URL, and the rest.
    fn split(text: &str) -> (Self, &str) {
        let written = text.split_once(':').and_then(|(word, rest)| {
            let (role, _) = Self::ALL.into_iter().find(|(_, name)| *name == word)?;
            Some((role, rest))
        });
        written.unwrap_or((Self::default(), text))
    }
}

/// A JSON-RPC endpoint, and what it is asked for. Its path and query often are a key.
#[derive(Clone, PartialEq, Eq)]
pub struct RpcUrl {
    url: Url,
    role: RpcRole,
}

impl RpcUrl {
    /// The whole URL, secrets included: for the connection, never for a message.
    pub fn expose(&self) -> &Url {
        &self.url
    }

    /// What it is asked for.
    pub const fn role(&self) -> RpcRole {
        self.role
    }

    /// A node on this machine, without a key.
    pub fn of_address(address: SocketAddr) -> Option<Self> {
        Self::parse(&format!("http://{address}")).ok()
    }

    fn parse(text: &str) -> Result<Self, String> {
        let (role, text) = RpcRole::split(text);
        let url = Url::parse(text).map_err(|why| {
            format!("expected a URL: {why} (the value is not shown: it may hold a key)")
        })?;
        if RPC_SCHEMES.contains(&url.scheme()) {
            Ok(Self { url, role })
        } else {
            let schemes = "http://, https://, ws:// or wss://";
            Err(format!(
                "expected a URL that starts with {schemes}, with `check:` or `follow:` before it where it has one role only (the value is not shown: it may hold a key)"
            ))
        }
    }
}

impl fmt::Display for RpcUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.role {
            RpcRole::Both => {}
            RpcRole::Follow => f.write_str("follow:")?,
            RpcRole::Check => f.write_str("check:")?,
        }
        f.write_str(&masked(&self.url))
    }
}

impl fmt::Debug for RpcUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Setting for Vec<RpcUrl> {
    fn read(raw: &Raw) -> Result<Self, String> {
        let urls = match raw {
            Raw::Text(one) => vec![RpcUrl::parse(one)?],
            Raw::List(many) => {
                many.iter().map(|one| RpcUrl::parse(one.trim())).collect::<Result<_, _>>()?
            }
            Raw::Integer(_) | Raw::Other(_) => return Err("expected a list of URLs".to_owned()),
        };
        if urls.is_empty() || urls.len() > RPC_URLS_MAX {
            return Err(format!("expected 1 to {RPC_URLS_MAX} URLs, found {}", urls.len()));
        }
        if urls.iter().all(|url| url.role == RpcRole::Check) {
            return Err("every URL is for checking only; one at least must be without `check:`, to be followed".to_owned());
        }
        for (at, url) in urls.iter().enumerate() {
            if urls.iter().take(at).any(|earlier| earlier.url == url.url) {
                return Err(format!(
                    "the URL {url} stands there twice; an endpoint cannot check itself"
                ));
            }
        }
        Ok(urls)
    }

    fn shown(&self) -> Json {
        self.iter().map(|url| Json::from(url.to_string())).collect()
    }
}

/// A database on one of the two engines.
#[derive(Clone, PartialEq, Eq)]
pub enum DatabaseUrl {
    /// A file, by its path; made at first start.
    Sqlite(String),
    /// A server. The URL may hold a password.
    Postgres(Url),
}

impl DatabaseUrl {
    /// The whole URL, secrets included: for the connection, never for a message.
    pub fn expose(&self) -> String {
        match self {
            Self::Sqlite(path) => format!("sqlite://{path}"),
            Self::Postgres(url) => url.to_string(),
        }
    }
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "sqlite://{path}"),
            Self::Postgres(url) => f.write_str(&masked(url)),
        }
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Setting for DatabaseUrl {
    fn read(raw: &Raw) -> Result<Self, String> {
        let expected = "expected `sqlite://PATH` or `postgres://USER@HOST/DATABASE` \
                        (the value is not shown: it may hold a password)";
        let Raw::Text(text) = raw else {
            return Err(expected.to_owned());
        };
        if let Some(path) = text.strip_prefix("sqlite://").filter(|path| !path.is_empty()) {
            return Ok(Self::Sqlite(path.to_owned()));
        }
        match Url::parse(text) {
            Ok(url) if matches!(url.scheme(), "postgres" | "postgresql") => Ok(Self::Postgres(url)),
            Ok(_) | Err(_) => Err(expected.to_owned()),
        }
    }

    fn shown(&self) -> Json {
        Json::from(self.to_string())
    }
}

/// What an operator or an origin shows to be let in.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

/// Shorter ones can be guessed.
const TOKEN_LEN_MIN: usize = 16;

impl Token {
    /// The token: to be hashed, never for a message.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

impl Setting for Option<Token> {
    fn read(raw: &Raw) -> Result<Self, String> {
        let expected = format!(
            "expected `none` or {TOKEN_LEN_MIN} to 512 printable ASCII characters without spaces (the value is not shown)"
        );
        let Raw::Text(text) = raw else { return Err(expected) };
        if text == "none" {
            return Ok(None);
        }
        let fits = (TOKEN_LEN_MIN..=512).contains(&text.len());
        if fits && text.bytes().all(|b| b.is_ascii_graphic()) {
            Ok(Some(Token(text.clone())))
        } else {
            Err(expected)
        }
    }

    fn shown(&self) -> Json {
        Json::from(if self.is_some() { "…" } else { "none" })
    }
}

/// Scheme, host and port; the rest, where there is any, as an ellipsis.
fn masked(url: &Url) -> String {
    let port = url.port().map_or_else(String::new, |port| format!(":{port}"));
    let has_more = !matches!(url.path(), "" | "/")
        || url.query().is_some()
        || url.fragment().is_some()
        || !url.username().is_empty()
        || url.password().is_some();
    let rest = if has_more { "/…" } else { "" };
    format!("{}://{}{port}{rest}", url.scheme(), url.host_str().unwrap_or_default())
}
