//! What a registration file says, as far as it can be understood.
//!
//! The form is `registration-v1` of ERC-8004. Files in use also have the names of earlier drafts, numbers as text, and texts in the place of
//! truth values; each is read as it is meant, and said. Nothing in a file is proven by it: that its `registrations` name the agent is one
//! half of a proof, and the registry's URI is the other.

use serde_json::{Map, Value};

use super::services::{FileService, services};
use super::{FILE_MAX, Flaw, FlawKind, json};
use crate::vocab::{AccountId, AgentId, AgentRef, ChainId, RegistryRef, shorten};

/// The type of a registration file.
pub const TYPE: &str = "https://eips.ethereum.org/EIPS/eip-8004#registration-v1";
/// The same without a version, as drafts had it.
const TYPE_OF_DRAFTS: &str = "https://eips.ethereum.org/EIPS/eip-8004#registration";
/// The longest texts that are kept, in characters.
const NAME_MAX: usize = 200;
const DESCRIPTION_MAX: usize = 4000;
const WORD_MAX: usize = 64;
/// The most entries of `registrations` and `supportedTrust` that are read.
const ENTRIES_MAX: usize = 64;
/// The most DIDs and domains that are taken from one file.
const NAMED_MAX: usize = 8;
/// The most flaws that are said of one file.
const FLAWS_MAX: usize = 32;

/// A registration file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RegistrationFile {
    /// The agent's name; at most 200 characters, like all that follow cut where it is longer.
    pub name: Option<String>,
    /// What it does; at most 4,000 characters.
    pub description: Option<String>,
    /// Whether it says to be in use.
    pub active: Option<bool>,
    /// Whether it takes payments by x402.
    pub x402_support: Option<bool>,
    /// Kinds of trust that it supports.
    pub supported_trust: Vec<String>,
    /// Where it can be met, in the file's order.
    pub services: Vec<FileService>,
    /// The agents that it says it is of, on any chain of `eip155`.
    pub registrations: Vec<AgentRef>,
    /// What is wrong with it; at most 32.
    pub flaws: Vec<Flaw>,
}

/// Reads a file.
///
/// # Errors
/// When nothing can be read: it is too large, or not one JSON object that reads one way only.
pub fn read(bytes: &[u8]) -> Result<RegistrationFile, Flaw> {
    if bytes.len() > FILE_MAX {
        let detail = format!("the file has more than {FILE_MAX} bytes");
        return Err(Flaw::new(FlawKind::TooLarge, &detail));
    }
    let mut flaws = Vec::new();
    let members = json::object(bytes, &mut flaws)?;
    let mut reader = Reader { members, flaws };
    reader.check_type();
    let mut file = RegistrationFile {
        name: reader.text("name", NAME_MAX),
        description: reader.text("description", DESCRIPTION_MAX),
        active: reader.truth(&["active"]),
        x402_support: reader.truth(&["x402Support", "x402support"]),
        supported_trust: reader.words(&["supportedTrust", "supportedTrusts"]),
        services: services(&mut reader),
        registrations: registrations(&mut reader),
        flaws: Vec::new(),
    };
    file.flaws = reader.flaws;
    file.flaws.truncate(FLAWS_MAX);
    Ok(file)
}

impl RegistrationFile {
    /// Whether it says that it is of an agent.
    #[must_use]
    pub fn names(&self, agent: AgentRef) -> bool {
        self.registrations.contains(&agent)
    }

    /// The DIDs that it names, as they stand in it.
    pub fn dids(&self) -> impl Iterator<Item = &str> {
        self.services.iter().filter_map(FileService::did).take(NAMED_MAX)
    }

    /// Host and port of its https endpoints, each once: domains that may speak for the agent.
    #[must_use]
    pub fn domains(&self) -> Vec<String> {
        let mut domains = Vec::new();
        for domain in self.services.iter().filter_map(FileService::domain) {
            if !domains.contains(&domain) && domains.len() < NAMED_MAX {
                domains.push(domain);
            }
        }
        domains
    }

    /// What is wrong with it as the file of an agent whose wallet is this one.
    #[must_use]
    pub fn flaws_as_of(&self, agent: AgentRef, wallet: Option<AccountId>) -> Vec<Flaw> {
        let mut flaws = self.flaws.clone();
        if !self.names(agent) {
            let others: Vec<_> =
                self.registrations.iter().take(3).map(ToString::to_string).collect();
            let detail = if others.is_empty() {
                "the file names no agent as its own".to_owned()
            } else {
                format!("the file names other agents, and not this one: {}", others.join(", "))
            };
            flaws.push(Flaw::new(FlawKind::Registrations, &detail));
        }
        let declared = self.services.iter().find_map(FileService::wallet);
        let declared = declared.and_then(|text| AccountId::parse(text, agent.registry.chain).ok());
        let differs = |of: &AccountId| of.chain == agent.registry.chain && Some(*of) != wallet;
        if let Some(declared) = declared.filter(differs) {
            let detail =
                format!("the file names the wallet {declared}; the registry's word counts");
            flaws.push(Flaw::new(FlawKind::Wallet, &detail));
        }
        flaws
    }
}

/// A file's members, and what is wrong with them so far.
pub(super) struct Reader {
    members: Map<String, Value>,
    pub(super) flaws: Vec<Flaw>,
}

impl Reader {
    pub(super) fn say(&mut self, kind: FlawKind, detail: &str) {
        self.flaws.push(Flaw::new(kind, detail));
    }

    fn check_type(&mut self) {
        let said = match self.members.get("type") {
            Some(Value::String(found)) if found == TYPE => return,
            Some(Value::String(found)) if found == TYPE_OF_DRAFTS => {
                "`type` is that of a draft: it ends in `#registration-v1`".to_owned()
            }
            Some(Value::String(found)) => format!("`type` is `{}`", shorten(found)),
            Some(_) => "`type` is no text".to_owned(),
            None => "`type` is missing".to_owned(),
        };
        self.say(FlawKind::Form, &said);
    }

    /// A list, where there is one.
    pub(super) fn list(&mut self, name: &str) -> Option<Vec<Value>> {
        match self.members.remove(name)? {
            Value::Array(list) => Some(list),
            Value::Null => None,
            _ => {
                self.say(FlawKind::Form, &format!("`{name}` is no list"));
                None
            }
        }
    }

    fn text(&mut self, name: &str, max: usize) -> Option<String> {
        match self.members.get(name) {
            Some(Value::String(text)) => Some(text.chars().take(max).collect()),
            Some(Value::Null) | None => None,
            Some(_) => {
                self.say(FlawKind::Form, &format!("`{name}` is no text"));
                None
            }
        }
    }

    /// The first of some names that the file has; a name that is not the first is said.
    fn first(&mut self, names: &[&str]) -> Option<Value> {
        let (place, name) =
            names.iter().enumerate().find(|(_, name)| self.members.contains_key(**name))?;
        if let (true, Some(right)) = (place > 0, names.first()) {
            self.say(FlawKind::Form, &format!("`{name}` is written `{right}`"));
        }
        self.members.get(*name).cloned()
    }

    fn truth(&mut self, names: &[&str]) -> Option<bool> {
        let value = self.first(names)?;
        let meant = match &value {
            Value::Bool(truth) => return Some(*truth),
            Value::Null => return None,
            Value::String(word) => word.parse().ok(),
            Value::Object(members) => members.get("enabled").and_then(Value::as_bool),
            _ => None,
        };
        let name = names.first().copied().unwrap_or_default();
        self.say(FlawKind::Form, &format!("`{name}` is not `true` or `false`"));
        meant
    }

    fn words(&mut self, names: &[&str]) -> Vec<String> {
        let name = names.first().copied().unwrap_or_default();
        let list = match self.first(names) {
            Some(Value::Array(list)) => list,
            Some(Value::String(word)) => {
                self.say(FlawKind::Form, &format!("`{name}` is no list"));
                vec![Value::String(word)]
            }
            Some(Value::Null) | None => return Vec::new(),
            Some(_) => {
                self.say(FlawKind::Form, &format!("`{name}` is no list"));
                return Vec::new();
            }
        };
        let words = list.iter().filter_map(Value::as_str);
        words.map(|word| word.chars().take(WORD_MAX).collect()).take(ENTRIES_MAX).collect()
    }
}

fn registrations(reader: &mut Reader) -> Vec<AgentRef> {
    let list = reader.list("registrations").unwrap_or_default();
    if list.len() > ENTRIES_MAX {
        let said = format!("of {} registrations the first {ENTRIES_MAX} are read", list.len());
        reader.say(FlawKind::Registrations, &said);
    }
    let mut agents = Vec::new();
    for (number, entry) in (1..).zip(list.iter().take(ENTRIES_MAX)) {
        match registration(entry) {
            Ok((agent, odd)) => {
                agents.extend(agent);
                if let Some(odd) = odd {
                    reader.say(FlawKind::Form, &format!("registration {number}: {odd}"));
                }
            }
            Err(why) => {
                reader.say(FlawKind::Registrations, &format!("registration {number}: {why}"));
            }
        }
    }
    agents
}

/// The agent of an entry, and what is odd about it. Those on chains of other namespaces are none of ours, and no mistake.
fn registration(entry: &Value) -> Result<(Option<AgentRef>, Option<&'static str>), &'static str> {
    let registry = entry.get("agentRegistry").and_then(Value::as_str);
    let registry = registry.ok_or("`agentRegistry` is missing or no text")?;
    // The standard gives no letter case.
    let lower = registry.trim().to_ascii_lowercase();
    if !lower.starts_with("eip155:") {
        let is_other = lower.split(':').count() == 3;
        return if is_other { Ok((None, None)) } else { Err("`agentRegistry` names no registry") };
    }
    let at = AccountId::parse(&lower, ChainId(0));
    let at = at.map_err(|_| "`agentRegistry` names no registry")?;
    let (id, odd) = match entry.get("agentId") {
        Some(Value::Number(number)) => (number.as_u64().map(AgentId::from), None),
        Some(Value::String(text)) => {
            (AgentId::parse(text.trim()), Some("`agentId` is a text and not a number"))
        }
        Some(Value::Null) => return Err("`agentId` is null, as before the agent was minted"),
        None => return Err("`agentId` is missing"),
        Some(_) => (None, None),
    };
    let id = id.ok_or("`agentId` is no whole number")?;
    let registry = RegistryRef { chain: at.chain, address: at.address };
    Ok((Some(AgentRef { registry, id }), odd))
}

#[cfg(test)]
#[path = "read_tests.rs"]
mod tests;
