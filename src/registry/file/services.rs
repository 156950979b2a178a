//! The services that a file names, and which of their endpoints can be shown to others.
//!
//! A document's reader may follow an endpoint without a second thought, so only URIs of schemes that lead to a service get there, short and
//! without anything that hides. The rest stays in the file.

use serde_json::Value;
use url::Url;

use super::read::Reader;
use super::{Flaw, FlawKind};
use crate::vocab::shorten;

/// The most services that are read.
pub(super) const SERVICES_MAX: usize = 32;
/// The longest endpoint, in bytes.
const ENDPOINT_MAX: usize = 2048;
/// The longest name of a service, in characters.
const NAME_MAX: usize = 64;
/// Schemes of endpoints that are shown. What they lead to is nobody's word but the file's.
const SCHEMES: [&str; 7] = ["https", "http", "wss", "ws", "ipfs", "did", "mailto"];

/// A service that a file names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileService {
    /// The file's name for it, such as `A2A`; at most 64 characters.
    pub name: String,
    /// Where, as the file has it; at most 2,048 bytes.
    pub endpoint: String,
    /// Its version, where the file says one.
    pub version: Option<String>,
    /// The endpoint as a URI that can be shown; `None` for a name (ENS), an account, and what is refused.
    pub uri: Option<String>,
}

impl FileService {
    fn is_named(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }

    /// The DID that it is, where it is one.
    pub(super) fn did(&self) -> Option<&str> {
        self.is_named("DID").then_some(self.endpoint.as_str()).filter(|did| did.starts_with("did:"))
    }

    /// The account that the file declares for the agent's wallet.
    pub(super) fn wallet(&self) -> Option<&str> {
        self.is_named("agentWallet").then_some(self.endpoint.as_str())
    }

    /// Host and port of an https endpoint: a domain that may speak for the agent.
    pub(super) fn domain(&self) -> Option<String> {
        let url = Url::parse(self.uri.as_deref()?).ok().filter(|url| url.scheme() == "https")?;
        let name = url.domain()?;
        Some(url.port().map_or_else(|| name.to_owned(), |port| format!("{name}:{port}")))
    }
}

/// The services of a file. A list in the place of `services` may go by the name that it had in drafts.
pub(super) fn services(reader: &mut Reader) -> Vec<FileService> {
    let list = match (reader.list("services"), reader.list("endpoints")) {
        (Some(list), _) => list,
        (None, Some(list)) => {
            reader.say(FlawKind::Form, "`endpoints` is named `services` since January 2026");
            list
        }
        (None, None) => return Vec::new(),
    };
    if list.len() > SERVICES_MAX {
        let said = format!("of {} services the first {SERVICES_MAX} are read", list.len());
        reader.say(FlawKind::Form, &said);
    }
    let first = (1..).zip(list.into_iter().take(SERVICES_MAX));
    let read = first.filter_map(|(number, value)| match service(&value) {
        Ok((service, flaw)) => {
            reader.flaws.extend(flaw);
            Some(service)
        }
        Err(why) => {
            reader.say(FlawKind::Form, &format!("service {number} {why}"));
            None
        }
    });
    read.collect()
}

fn service(value: &Value) -> Result<(FileService, Option<Flaw>), &'static str> {
    let member = |name: &str| value.get(name).and_then(Value::as_str);
    let name = member("name").ok_or("has no name")?;
    let endpoint = member("endpoint").ok_or("has no endpoint")?;
    if endpoint.len() > ENDPOINT_MAX {
        return Err("has an endpoint of more than 2048 bytes");
    }
    let name: String = name.chars().filter(|c| !c.is_control()).take(NAME_MAX).collect();
    let (uri, flaw) = match shown(&name, endpoint) {
        Ok(uri) => (uri, None),
        Err(why) => {
            let said = format!("the endpoint `{}` of {name} {why}", shorten(endpoint));
            (None, Some(Flaw::new(FlawKind::Endpoint, &said)))
        }
    };
    let version = member("version").map(shorten);
    Ok((FileService { name, endpoint: endpoint.to_owned(), version, uri }, flaw))
}

/// An endpoint as a URI to show; none where it is no URI and need not be.
fn shown(name: &str, endpoint: &str) -> Result<Option<String>, &'static str> {
    let is = |other: &str| name.eq_ignore_ascii_case(other);
    if is("ENS") || is("agentWallet") {
        return Ok(None);
    }
    if is("email") && !endpoint.starts_with("mailto:") {
        let is_address = endpoint.split_once('@').is_some_and(|(who, host)| {
            !who.is_empty() && host.contains('.') && !host.contains('@')
        });
        let is_plain = endpoint.bytes().all(|b| b.is_ascii_alphanumeric() || b"@.+-_".contains(&b));
        return if is_address && is_plain {
            Ok(Some(format!("mailto:{endpoint}")))
        } else {
            Err("is no address of mail")
        };
    }
    let is_visible = |b: u8| b.is_ascii_graphic() && !b"<>\"\\^`{|}".contains(&b);
    if !endpoint.bytes().all(is_visible) {
        return Err("holds signs that stand in no URI");
    }
    let url = Url::parse(endpoint).map_err(|_| "is no URI")?;
    if !SCHEMES.contains(&url.scheme()) {
        return Err("has a scheme that is not shown");
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("holds a user's name or password");
    }
    Ok(Some(endpoint.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints_are_shown_only_where_they_lead_to_a_service() {
        for (name, endpoint, expected) in [
            ("A2A", "https://example.org/.well-known/agent-card.json", Ok(true)),
            ("MCP", "wss://example.org:8443/mcp", Ok(true)),
            ("DID", "did:web:example.org", Ok(true)),
            (
                "OASF",
                "ipfs://bafybeigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf3oclgtqy55fbzdi",
                Ok(true),
            ),
            ("email", "me@example.org", Ok(true)),
            ("email", "mailto:me@example.org", Ok(true)),
            ("ENS", "example.eth", Ok(false)),
            ("agentWallet", "eip155:8453:0x1", Ok(false)),
            ("web", "javascript:alert(1)", Err("scheme")),
            ("web", "data:text/html,x", Err("scheme")),
            ("web", "file:///etc/passwd", Err("scheme")),
            ("web", "example.org", Err("no URI")),
            ("web", "/a2a", Err("no URI")),
            ("web", "", Err("no URI")),
            ("web", "https://me:secret@example.org/", Err("password")),
            ("web", "https://example.org/<script>", Err("signs")),
            ("web", "https://example.org/a b", Err("signs")),
            ("web", "https://ex\u{430}mple.org/", Err("signs")),
            ("email", "me@example.org?bcc=you@example.org", Err("mail")),
            ("email", "nobody", Err("mail")),
        ] {
            match (shown(name, endpoint), expected) {
                (Ok(uri), Ok(is_shown)) => assert_eq!(uri.is_some(), is_shown, "{endpoint}"),
                (Err(why), Err(says)) => assert!(why.contains(says), "{endpoint}: {why}"),
                (found, _) => panic!("{endpoint}: {found:?}"),
            }
        }
    }
}
