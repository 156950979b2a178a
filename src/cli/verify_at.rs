//! `hallmark verify --service URL`: whether an envelope or a trace document holds, by what a running service knows.
//!
//! The file is read and bounded here before anything is sent, so that what is malformed is refused in the same words as offline. What the
//! service says is its word: it is asked over https, or over http on this machine and in private networks. Its answer is bounded in size and
//! time, and texts in it are shown without control characters.

use std::collections::BTreeSet;
use std::io;
use std::path::Path;
use std::time::Duration;

use serde_json::Value;
use url::{Host, Url};

use super::delegation::shown;
use super::shutdown::run_until_signal;
use super::verify::{is_document, refused};
use super::{CliError, Exit, Output, open};
use crate::attest::envelope::Envelope;
use crate::config::Config;
use crate::delegation::{ENVELOPE_BYTES_MAX, TraceDocument};
use crate::intake::{Answered, FetchError, FetchLimits, Fetcher, is_public};

/// For the whole of it, and the longest answer: a verdict says more than its document, hop by hop and record by record.
const LIMITS: FetchLimits =
    FetchLimits { timeout: Duration::from_mins(1), body_max: 32 * 1024 * 1024 };

/// Has a service check a file.
pub(super) fn run(
    config: &Config,
    service: &str,
    file: &Path,
    bytes: Vec<u8>,
    out: &mut Output,
) -> Result<Exit, CliError> {
    let service = Service::parse(service)?;
    let (path, body) = if is_document(&bytes) {
        TraceDocument::read(&bytes).map_err(|error| refused(file, &error))?;
        ("v1/delegations/verify", bytes)
    } else {
        let raw = bytes.trim_ascii().to_vec();
        Envelope::read(raw.clone(), ENVELOPE_BYTES_MAX).map_err(|error| refused(file, &error))?;
        ("v1/attestations/verify", raw)
    };
    let url = service.url(path)?;
    let fetcher =
        service.fetcher(&open::authorities(config)?).map_err(|error| failed(&url, &error))?;
    let answered = run_until_signal(async |mut stop| {
        tokio::select! {
            answered = fetcher.post(&url, body) => Some(answered),
            _ = stop.wait_for(|stop| *stop) => None,
        }
    })?;
    let Some(answered) = answered else { return Ok(Exit::Failed) };
    let told = Told::read(&url, &answered.map_err(|error| failed(&url, &error))?)?;
    out.record(&told.value, || told.to_text(&url))?;
    Ok(told.exit)
}

/// A service that the user names.
struct Service {
    url: Url,
    /// Its host, as it stands in the URL.
    host: String,
    /// Whether it is named as on this machine, or by an address.
    is_near: bool,
}

impl Service {
    fn parse(text: &str) -> Result<Self, CliError> {
        let wrong = |why: &str| {
            let error = io::Error::other(format!("`--service`: {why}"));
            let hint = "name the service as `https://hallmark.example` or `http://127.0.0.1:8004`";
            CliError::new(Exit::Usage, &error).with_hint(Some(hint.to_owned()))
        };
        let mut url = Url::parse(text).map_err(|error| wrong(&error.to_string()))?;
        let (is_near, is_open) = match url.host() {
            Some(Host::Domain(name)) => (name == "localhost", name != "localhost"),
            Some(Host::Ipv4(address)) => (true, is_public(address.into())),
            Some(Host::Ipv6(address)) => (true, is_public(address.into())),
            None => return Err(wrong("it names no host")),
        };
        match url.scheme() {
            "https" => {}
            "http" if !is_open => {}
            "http" => {
                return Err(wrong(
                    "over http anybody on the way could answer; this host has to be asked over https",
                ));
            }
            other => return Err(wrong(&format!("`{other}` is neither https nor http"))),
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(wrong("it may hold no credentials"));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(wrong("it may have neither `?` nor `#`"));
        }
        if !url.path().ends_with('/') {
            url.set_path(&format!("{}/", url.path()));
        }
        let host = url.host_str().unwrap_or_default().to_owned();
        Ok(Self { url, host, is_near })
    }

    fn url(&self, path: &str) -> Result<Url, CliError> {
        self.url.join(path).map_err(|error| CliError::new(Exit::Usage, &error))
    }

    /// Speaks to this host and no other.
    fn fetcher(&self, authorities: &[Vec<u8>]) -> Result<Fetcher, FetchError> {
        crate::chain::install_crypto_provider();
        if self.is_near {
            Fetcher::of_host(LIMITS, self.host.clone(), authorities)
        } else {
            Fetcher::new(LIMITS, BTreeSet::from([self.host.clone()]), authorities)
        }
    }
}

fn failed(url: &Url, error: &FetchError) -> CliError {
    CliError::failed(&format!("cannot have it checked by {url}"), error)
}

/// What a service said.
struct Told {
    value: Value,
    standing: String,
    exit: Exit,
}

impl Told {
    fn read(url: &Url, answered: &Answered) -> Result<Self, CliError> {
        let value: Option<Value> = serde_json::from_slice(&answered.body).ok();
        let text = |name: &str| value.as_ref().and_then(|value| value.get(name)?.as_str());
        let exit = match (answered.status, text("standing")) {
            (200, Some("valid")) => Some(Exit::Done),
            (200, Some("invalid")) => Some(Exit::Negative),
            (200, Some("needs_chain" | "unknown")) => Some(Exit::Failed),
            _ => None,
        };
        if let (Some(exit), Some(standing)) = (exit, text("standing")) {
            let standing = standing.to_owned();
            return Ok(Self { standing, exit, value: value.unwrap_or_default() });
        }
        let detail = text("detail").or_else(|| text("title")).map(shown);
        let why = match (answered.status, detail) {
            (200, _) => "what it answers is no verdict: is it a Hallmark service?".to_owned(),
            (404, None) => {
                "it answers with status 404: is it a Hallmark service of this version?".to_owned()
            }
            (status, None) => format!("it answers with status {status}"),
            (status, Some(detail)) => format!("it answers with status {status}: {detail}"),
        };
        let error = CliError::failed(&format!("{url} gives no verdict"), &io::Error::other(why));
        let hint = (answered.status == 429).then(|| "ask again a little later".to_owned());
        Err(error.with_hint(hint))
    }

    fn to_text(&self, url: &Url) -> String {
        let at = |path: &str| self.value.pointer(path).and_then(Value::as_str).map(shown);
        let why = at("/reason/why").or_else(|| at("/reason")).or_else(|| at("/unanswered/0/why"));
        let mut lines = vec![match why {
            Some(why) => format!("{}: {why}", self.standing),
            None => self.standing.clone(),
        }];
        let mut line = |name: &str, value: Option<String>| {
            lines.extend(value.map(|value| format!("  {name:<8}{value}")));
        };
        line("issuer", at("/verdict/issuer"));
        line("signer", at("/verdict/signer"));
        line("said", at("/verdict/said_at"));
        line("kind", at("/kind"));
        line("record", at("/record"));
        let hops =
            self.value.get("hops").and_then(Value::as_array).map(|hops| hops.len().to_string());
        line("hops", hops);
        line("by", Some(url.origin().ascii_serialization()));
        let number = self.value.pointer("/as_of/block/number").and_then(Value::as_u64);
        let as_of = number
            .map(|number| format!("block {number} of {}", at("/as_of/chain").unwrap_or_default()));
        line("as of", as_of);
        line("alone", at("/by_its_word").map(|word| format!("{word}, by the document's own word")));
        lines.join("\n")
    }
}
