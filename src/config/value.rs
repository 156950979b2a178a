//! What values look like: reading one from its raw form, and showing it.
//!
//! A problem is told as "expected …, found …". Values that may hold a secret are in [`endpoint`](super::endpoint).

use std::net::SocketAddr;
use std::num::NonZeroU64;
use std::path::PathBuf;

use super::layer::Raw;
use crate::did::web::WebHost;
use crate::vocab::{parse_address, shorten};
use alloy::primitives::Address;
use serde_json::Value as Json;
use tracing_subscriber::EnvFilter;
use url::Url;

/// A type that a key's value can have.
pub(super) trait Setting: Sized {
    /// Reads the raw value.
    ///
    /// # Errors
    /// What was expected, in words for the user.
    fn read(raw: &Raw) -> Result<Self, String>;

    /// The value as it is listed, without secrets.
    fn shown(&self) -> Json;
}

/// A raw value as errors name it.
pub(super) fn found(raw: &Raw) -> String {
    match raw {
        Raw::Text(text) => format!("`{}`", shorten(text)),
        Raw::Integer(number) => format!("`{number}`"),
        Raw::List(_) => "a list".to_owned(),
        Raw::Other(name) => (*name).to_owned(),
    }
}

fn text<'a>(raw: &'a Raw, expected: &str) -> Result<&'a str, String> {
    match raw {
        Raw::Text(text) => Ok(text),
        Raw::Integer(_) | Raw::List(_) | Raw::Other(_) => {
            Err(format!("expected {expected}, found {}", found(raw)))
        }
    }
}

fn unsigned<T: TryFrom<u64>>(raw: &Raw) -> Result<T, String> {
    let number = match raw {
        Raw::Integer(number) => u64::try_from(*number).ok().and_then(|n| T::try_from(n).ok()),
        Raw::Text(_) | Raw::List(_) | Raw::Other(_) => None,
    };
    number.ok_or_else(|| format!("expected a whole number, found {}", found(raw)))
}

macro_rules! numbers {
    ($($type:ty),*) => {$(
        impl Setting for $type {
            fn read(raw: &Raw) -> Result<Self, String> {
                unsigned(raw)
            }

            fn shown(&self) -> Json {
                Json::from(*self)
            }
        }
    )*};
}

numbers!(u32, u64, usize);

impl Setting for NonZeroU64 {
    fn read(raw: &Raw) -> Result<Self, String> {
        unsigned(raw)
    }

    fn shown(&self) -> Json {
        Json::from(self.get())
    }
}

impl Setting for String {
    fn read(raw: &Raw) -> Result<Self, String> {
        text(raw, "a text").map(str::to_owned)
    }

    fn shown(&self) -> Json {
        Json::from(self.as_str())
    }
}

impl Setting for PathBuf {
    fn read(raw: &Raw) -> Result<Self, String> {
        match text(raw, "a path")? {
            "" => Err("expected a path, found nothing".to_owned()),
            path => Ok(Self::from(path)),
        }
    }

    fn shown(&self) -> Json {
        Json::from(self.display().to_string())
    }
}

fn address(raw_text: &str) -> Result<Address, String> {
    match parse_address(raw_text) {
        Some(Address::ZERO) => Err("the zero address is no contract".to_owned()),
        Some(address) => Ok(address),
        None => Err(format!(
            "expected an address, `0x` and 40 hex digits, found `{}`",
            shorten(raw_text)
        )),
    }
}

impl Setting for Address {
    fn read(raw: &Raw) -> Result<Self, String> {
        address(text(raw, "an address in quotes, `0x` and 40 hex digits")?)
    }

    fn shown(&self) -> Json {
        Json::from(self.to_string())
    }
}

impl Setting for Option<Address> {
    fn read(raw: &Raw) -> Result<Self, String> {
        match raw {
            Raw::Text(word) if word == "none" => Ok(None),
            Raw::Text(_) | Raw::Integer(_) | Raw::List(_) | Raw::Other(_) => {
                Address::read(raw).map(Some)
            }
        }
    }

    fn shown(&self) -> Json {
        self.as_ref().map_or(Json::from("none"), Setting::shown)
    }
}

impl Setting for Vec<Address> {
    fn read(raw: &Raw) -> Result<Self, String> {
        match raw {
            Raw::Text(one) => Ok(vec![address(one)?]),
            Raw::List(many) => many.iter().map(|one| address(one)).collect(),
            Raw::Integer(_) | Raw::Other(_) => {
                Err(format!("expected a list of addresses, found {}", found(raw)))
            }
        }
    }

    fn shown(&self) -> Json {
        self.iter().map(Setting::shown).collect()
    }
}

impl Setting for SocketAddr {
    fn read(raw: &Raw) -> Result<Self, String> {
        let expected = "an IP address and a port, such as `127.0.0.1:8004` or `[::1]:8004`";
        let text = text(raw, expected)?;
        text.parse().map_err(|_| format!("expected {expected}, found `{}`", shorten(text)))
    }

    fn shown(&self) -> Json {
        Json::from(self.to_string())
    }
}

macro_rules! words {
    ($(#[$outer:meta])* $name:ident { $($(#[$inner:meta])* $variant:ident = $word:literal),* $(,)? }) => {
        $(#[$outer])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name { $($(#[$inner])* $variant),* }

        impl Setting for $name {
            fn read(raw: &Raw) -> Result<Self, String> {
                let expected = [$(concat!("`", $word, "`")),*].join(" or ");
                match text(raw, &expected)? {
                    $($word => Ok(Self::$variant),)*
                    other => Err(format!("expected {expected}, found `{}`", shorten(other))),
                }
            }

            fn shown(&self) -> Json {
                match self { $(Self::$variant => Json::from($word)),* }
            }
        }
    };
}

words! {
    /// Which logs of the registries are asked for.
    Topics {
        /// All of them, also those of events this program does not know.
        All = "all",
        /// Those whose first topic is a known event's.
        Known = "known",
    }
}

words! {
    /// How log records are written.
    LogFormat {
        /// Lines for people.
        Text = "text",
        /// One JSON object a line.
        Json = "json",
    }
}

/// A question with two answers: `yes` and `no`.
impl Setting for bool {
    fn read(raw: &Raw) -> Result<Self, String> {
        match text(raw, "`yes` or `no`, in quotes")? {
            "yes" => Ok(true),
            "no" => Ok(false),
            other => Err(format!("expected `yes` or `no`, found `{}`", shorten(other))),
        }
    }

    fn shown(&self) -> Json {
        Json::from(if *self { "yes" } else { "no" })
    }
}

/// The host of this service's DIDs, where one was given; `auto` is none.
impl Setting for Option<WebHost> {
    fn read(raw: &Raw) -> Result<Self, String> {
        let expected = "`auto` or a DNS name, such as `example.org` or `example.org:8443`";
        let text = text(raw, expected)?;
        if text == "auto" {
            return Ok(None);
        }
        let told = |why| format!("expected {expected}, found `{}`: {why}", shorten(text));
        WebHost::parse(text).map(Some).map_err(told)
    }

    fn shown(&self) -> Json {
        self.as_ref().map_or(Json::from("auto"), |host| Json::from(host.authority()))
    }
}

impl Setting for Vec<WebHost> {
    fn read(raw: &Raw) -> Result<Self, String> {
        let expected = "a list of DNS names without ports";
        let host = |text: &str| {
            let host = WebHost::parse(text).ok().filter(|host| host.port().is_none());
            host.ok_or_else(|| format!("expected {expected}, found `{}`", shorten(text)))
        };
        match raw {
            Raw::Text(one) => Ok(vec![host(one)?]),
            Raw::List(many) => many.iter().map(|one| host(one)).collect(),
            Raw::Integer(_) | Raw::Other(_) => {
                Err(format!("expected {expected}, found {}", found(raw)))
            }
        }
    }

    fn shown(&self) -> Json {
        self.iter().map(|host| Json::from(host.authority())).collect()
    }
}

impl Setting for Vec<Url> {
    fn read(raw: &Raw) -> Result<Self, String> {
        let expected = "a list of https URLs, such as `https://ipfs.io`";
        let url = |text: &str| {
            let url = Url::parse(text).ok().filter(|url| url.scheme() == "https");
            let url = url.filter(|url| url.query().is_none() && url.fragment().is_none());
            let mut url =
                url.ok_or_else(|| format!("expected {expected}, found `{}`", shorten(text)))?;
            // What follows is put below it, and not in the place of its last part.
            if !url.path().ends_with('/') {
                url.set_path(&format!("{}/", url.path()));
            }
            Ok(url)
        };
        match raw {
            Raw::Text(one) => Ok(vec![url(one)?]),
            Raw::List(many) => many.iter().map(|one| url(one)).collect(),
            Raw::Integer(_) | Raw::Other(_) => {
                Err(format!("expected {expected}, found {}", found(raw)))
            }
        }
    }

    fn shown(&self) -> Json {
        self.iter().map(|url| Json::from(url.as_str())).collect()
    }
}

impl Setting for Vec<PathBuf> {
    fn read(raw: &Raw) -> Result<Self, String> {
        match raw {
            Raw::Text(one) => Ok(vec![one.into()]),
            Raw::List(many) => Ok(many.iter().map(PathBuf::from).collect()),
            Raw::Integer(_) | Raw::Other(_) => {
                Err(format!("expected a list of paths, found {}", found(raw)))
            }
        }
    }

    fn shown(&self) -> Json {
        self.iter().map(|path| Json::from(path.display().to_string())).collect()
    }
}

/// Which log records are written: directives such as `info` or `warn,hallmark=debug`, known to be well formed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogFilter(String);

impl LogFilter {
    /// Warnings and errors only.
    pub fn warnings() -> Self {
        Self("warn".to_owned())
    }

    /// The directives.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Setting for LogFilter {
    fn read(raw: &Raw) -> Result<Self, String> {
        let expected = "a log filter, such as `info` or `warn,hallmark=debug`";
        let text = text(raw, expected)?;
        match EnvFilter::try_new(text) {
            Ok(_) => Ok(Self(text.to_owned())),
            Err(why) => Err(format!("expected {expected}, found `{}`: {why}", shorten(text))),
        }
    }

    fn shown(&self) -> Json {
        Json::from(self.0.as_str())
    }
}
