//! Origins: platforms whose records are taken in, each with a table `[origin.NAME]` in the file.
//!
//! An origin's name stands in the digest of its records. What makes a record the origin's own word is said here and nowhere else: its
//! token, its keys, and the sender of the relay at its URL. One token or key of two origins would be the word of both, so it is refused.

use std::collections::BTreeMap;

use serde_json::Value as Json;
use url::{Host, Url};

use super::Config;
use super::endpoint::Token;
use super::error::ConfigError;
use super::key::{self, ORIGIN, ORIGIN_KEYS};
use super::layer::{Layer, Raw};
use super::resolve::Resolver;
use super::value::{Setting, found};
use crate::did::DidUrl;
use crate::vocab::{AccountId, ChainId, OriginName, shorten};

/// The longest name of a game or a plugin, in bytes.
const NAME_LEN_MAX: usize = 256;

/// A platform whose records are taken in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OriginConfig {
    /// Its name, which stands in its records.
    pub name: OriginName,
    /// The token with which it posts records; `None` where it posts none.
    pub token: Option<Token>,
    /// Whose signature is its own word.
    pub keys: Vec<OriginKey>,
    /// The ids of the plugins that are registered with it.
    pub plugins: Vec<String>,
    /// Where its relay is read; the path ends with a slash. https, or http to a private host.
    pub relay_url: Option<Url>,
    /// The games whose relay is followed.
    pub games: Vec<String>,
    /// The chain of bare addresses in its records.
    pub chain: Option<ChainId>,
    /// The most characters that a note by an agent may have.
    pub note_max: usize,
    /// The most records by one agent of one subject in one round.
    pub per_round_max: u32,
}

/// What signs in an origin's name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum OriginKey {
    /// A verification method: a DID URL with a fragment.
    Method(String),
    /// An account.
    Account(AccountId),
}

impl OriginKey {
    fn parse(text: &str) -> Result<Self, String> {
        let account = AccountId::parse(text, ChainId(0)).ok();
        if let Some(account) = account.filter(|_| !text.starts_with("0x")) {
            return Ok(Self::Account(account));
        }
        let method = DidUrl::parse(text).ok().filter(|url| {
            url.fragment.as_deref().is_some_and(|fragment| !fragment.is_empty())
                && url.path.is_empty()
                && url.query.is_none()
        });
        if let Some(url) = method.as_ref().filter(|url| url.did.method() == "key") {
            // Whether the DID of another method has such a key its document says, later.
            crate::did::key::parse(&url.did)
                .map_err(|error| format!("`{}` is no key: {error}", shorten(text)))?;
            if url.fragment.as_deref() != Some(url.did.id()) {
                return Err(format!(
                    "a did:key has one key, `{0}#{1}`, found `{2}`",
                    url.did,
                    url.did.id(),
                    shorten(text)
                ));
            }
        }
        method.map(|_| Self::Method(text.to_owned())).ok_or_else(|| {
            let expected = "a DID with the fragment of a key (`did:web:example.org#key-1`) or an account (`eip155:8453:0x…`)";
            format!("expected {expected}, found `{}`", shorten(text))
        })
    }
}

impl std::fmt::Display for OriginKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Method(id) => f.write_str(id),
            Self::Account(account) => account.fmt(f),
        }
    }
}

impl OriginConfig {
    fn read(name: OriginName, values: &mut Resolver) -> Result<Self, ConfigError> {
        Ok(Self {
            name,
            token: values.take(key::ORIGIN_TOKEN)?,
            keys: values.take(key::ORIGIN_SIGNERS)?,
            plugins: values.take(key::ORIGIN_PLUGINS)?,
            relay_url: values.take::<Option<RelayUrl>>(key::ORIGIN_RELAY_URL)?.map(|url| url.0),
            games: values.take(key::ORIGIN_GAMES)?,
            chain: values.take(key::ORIGIN_CHAIN)?,
            note_max: values.take(key::ORIGIN_NOTE_MAX)?,
            per_round_max: values.take(key::ORIGIN_PER_ROUND_MAX)?,
        })
    }
}

impl Config {
    /// Reads the tables of origins, and lists their keys behind the others.
    pub(super) fn read_origins(&mut self, tables: Vec<(String, Layer)>) -> Result<(), ConfigError> {
        for (name, values) in tables {
            let source = values.source.clone();
            let read = name.parse();
            let name: OriginName = read.map_err(|error: crate::vocab::OriginParseError| {
                ConfigError::invalid(&ORIGIN, &source, error.to_string())
            })?;
            let table = format!("{}.{name}", ORIGIN.name);
            let refuse = |key, problem| ConfigError::invalid(&key, &source, problem).within(&table);
            let mut values = Resolver::of_table(table.clone(), values, ORIGIN_KEYS);
            let origin = OriginConfig::read(name, &mut values)?;
            self.check_relay(&origin).map_err(|(key, problem)| refuse(key, problem))?;
            self.check_credentials(&origin).map_err(|(key, problem)| refuse(key, problem))?;
            self.entries.extend(values.into_entries(ORIGIN_KEYS));
            self.origins.push(origin);
        }
        Ok(())
    }

    fn check_relay(&self, origin: &OriginConfig) -> Result<(), (key::Key, String)> {
        let Some(url) = &origin.relay_url else {
            return if origin.games.is_empty() {
                Ok(())
            } else {
                let why = "games are read from a relay: set `relay_url` too".to_owned();
                Err((key::ORIGIN_GAMES, why))
            };
        };
        let host = url.host_str().unwrap_or_default();
        let is_private = self.private_hosts.iter().any(|private| private.name() == host);
        if url.scheme() == "https" || is_private {
            return Ok(());
        }
        let why = format!(
            "http is spoken only to hosts that `private_hosts` names: write https, or add `{}` to it",
            shorten(host)
        );
        Err((key::ORIGIN_RELAY_URL, why))
    }

    /// That nothing which speaks for this origin speaks for somebody else too.
    fn check_credentials(&self, origin: &OriginConfig) -> Result<(), (key::Key, String)> {
        if let Some(token) = &origin.token {
            if self.operator_token.as_ref() == Some(token) {
                let why = "it is `operator_token` too: give the origin one of its own".to_owned();
                return Err((key::ORIGIN_TOKEN, why));
            }
            let same = self.origins.iter().find(|other| other.token.as_ref() == Some(token));
            if let Some(other) = same {
                let why =
                    format!("it is the token of `origin.{}` too: give each its own", other.name);
                return Err((key::ORIGIN_TOKEN, why));
            }
        }
        for key in &origin.keys {
            if let Some(other) = self.origins.iter().find(|other| other.keys.contains(key)) {
                let why = format!(
                    "`{key}` stands under `origin.{}` too: it can speak for one",
                    other.name
                );
                return Err((key::ORIGIN_SIGNERS, why));
            }
        }
        Ok(())
    }
}

/// Reads a list whose items are all different.
pub(super) fn list<T: Ord>(
    raw: &Raw,
    read: impl Fn(&str) -> Result<T, String>,
) -> Result<Vec<T>, String> {
    let items = match raw {
        Raw::Text(one) => std::slice::from_ref(one),
        Raw::List(many) => many,
        Raw::Integer(_) | Raw::Other(_) => {
            return Err(format!("expected a list of texts, found {}", found(raw)));
        }
    };
    let mut seen = BTreeMap::new();
    for (place, text) in items.iter().enumerate() {
        if seen.insert(read(text)?, place).is_some() {
            return Err(format!("`{}` stands there twice", shorten(text)));
        }
    }
    let mut in_order: Vec<_> = seen.into_iter().collect();
    in_order.sort_by_key(|(_, place)| *place);
    Ok(in_order.into_iter().map(|(item, _)| item).collect())
}

impl Setting for Vec<OriginKey> {
    fn read(raw: &Raw) -> Result<Self, String> {
        list(raw, OriginKey::parse)
    }

    fn shown(&self) -> Json {
        self.iter().map(|key| Json::from(key.to_string())).collect()
    }
}

/// Names that an origin gives: of its games, of its plugins. A name of dots alone means another place in a URL.
impl Setting for Vec<String> {
    fn read(raw: &Raw) -> Result<Self, String> {
        list(raw, |name| {
            let is_name = (1..=NAME_LEN_MAX).contains(&name.len())
                && !name.chars().any(char::is_control)
                && !matches!(name, "." | "..");
            if is_name {
                return Ok(name.to_owned());
            }
            let expected = "a name of 1 to 256 printable characters";
            Err(format!("expected {expected}, found `{}`", shorten(name)))
        })
    }

    fn shown(&self) -> Json {
        self.iter().map(|name| Json::from(name.as_str())).collect()
    }
}

impl Setting for Option<ChainId> {
    fn read(raw: &Raw) -> Result<Self, String> {
        let expected =
            || format!("expected `none` or a chain such as `eip155:10`, found {}", found(raw));
        match raw {
            Raw::Text(word) if word == "none" => Ok(None),
            Raw::Text(text) => text.parse().map(Some).map_err(|_| expected()),
            Raw::Integer(_) | Raw::List(_) | Raw::Other(_) => Err(expected()),
        }
    }

    fn shown(&self) -> Json {
        self.map_or(Json::from("none"), |chain| Json::from(chain.to_string()))
    }
}

/// Where a relay is read.
struct RelayUrl(Url);

impl Setting for Option<RelayUrl> {
    fn read(raw: &Raw) -> Result<Self, String> {
        let expected = "`none` or a URL such as `https://api.games.example`, with a DNS name and without credentials, query and fragment";
        let refuse = |shown: &str| format!("expected {expected}, found {shown}");
        let text = match raw {
            Raw::Text(word) if word == "none" => return Ok(None),
            Raw::Text(text) => text,
            Raw::Integer(_) | Raw::List(_) | Raw::Other(_) => return Err(refuse(&found(raw))),
        };
        let url = Url::parse(text).ok().filter(|url| {
            matches!(url.scheme(), "https" | "http")
                && matches!(url.host(), Some(Host::Domain(_)))
                && url.query().is_none()
                && url.fragment().is_none()
        });
        // What is refused may hold a password, and is not repeated.
        let mut url = url.ok_or_else(|| refuse("something else"))?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(refuse("credentials"));
        }
        if !url.path().ends_with('/') {
            url.set_path(&format!("{}/", url.path()));
        }
        Ok(Some(RelayUrl(url)))
    }

    fn shown(&self) -> Json {
        self.as_ref().map_or(Json::from("none"), |url| Json::from(url.0.as_str()))
    }
}

#[cfg(test)]
#[path = "origin_tests.rs"]
mod tests;
