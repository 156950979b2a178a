//! An agent's document, as of a position in its timeline.
//!
//! What its wallet may speak for follows from how it was proven. A wallet that signed for the agent (`proven`) is under both relations:
//! it may log in as the agent, and what it signs the agent says. A wallet that the registry merely names (`registered`, `observed`)
//! never agreed to anything: it is under `assertionMethod` alone, so that what it signs can be put down to the agent with its cause
//! shown, and nobody gets in as the agent by it. Whoever sends a registration is that wallet by default, and most agents never have another.
//!
//! The wallet's method carries the account in its fragment: a rotation changes the fragment too, so that an old signature never seems to
//! be of the new wallet. An agent without a wallet has no method. A burnt agent has no document at all.

use std::collections::BTreeMap;

use serde_json::Value;

use super::document::{
    Context, DID_V1, Document, MethodKey, RECOVERY_V2, Service, VerificationMethod,
};
use super::pkh;
use crate::identity::SpanCause;
use crate::vocab::{AccountId, AgentRef};

/// Where the terms of registration files are defined.
const ERC8004: &str = "https://eips.ethereum.org/EIPS/eip-8004#";
/// The type of every service that only a registration file names.
const CLAIMED: &str = "ClaimedService";
/// The names of services that are types too; any other name is somebody's own word.
const SERVICE_TYPES: [&str; 7] = ["A2A", "MCP", "OASF", "ENS", "DID", "web", "email"];

/// What an agent's document is made of: what held at one position.
#[derive(Clone, Copy, Debug)]
pub struct AgentFacts<'a> {
    /// Which agent.
    pub agent: AgentRef,
    /// The account that the registry names for it.
    pub wallet: Option<WalletFact>,
    /// The holder of its token, where documents are to name it.
    pub owner: Option<AccountId>,
    /// Identifiers that name it back: each was found true both ways.
    pub linked: &'a [String],
    /// What its registration file names, in the file's order.
    pub services: &'a [ClaimedService],
}

/// An agent's wallet and why it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WalletFact {
    /// The account.
    pub account: AccountId,
    /// Why the span that names it began.
    pub cause: Option<SpanCause>,
}

impl WalletFact {
    /// Whether the wallet signed for the agent.
    #[must_use]
    pub fn is_proven(&self) -> bool {
        self.cause == Some(SpanCause::Proven)
    }
}

/// A service that a registration file names. Nobody proved that it is the agent's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimedService {
    /// The file's name for it, such as `A2A`.
    pub name: String,
    /// Where: a URI, which the reader of the file has checked.
    pub endpoint: String,
}

/// The document of an agent that exists. `id` is the identifier that was asked for.
#[must_use]
pub fn agent_document(id: &str, facts: &AgentFacts<'_>) -> Document {
    let mut document = Document::new(id.to_owned());
    let mut also_known_as = vec![facts.agent.caip19()];
    if let Some(wallet) = &facts.wallet {
        also_known_as.push(pkh::did(wallet.account));
        document.context.push(Context::Url(RECOVERY_V2));
        let method = account_method(id, wallet.account);
        if wallet.is_proven() {
            document.authentication.push(method.id.clone());
        }
        document.assertion_method.push(method.id.clone());
        document.verification_method.push(method);
    }
    also_known_as.extend(facts.owner.map(pkh::did));
    also_known_as.extend(facts.linked.iter().cloned());
    document.also_known_as = each_once(also_known_as);
    document.service = services(id, facts.services);
    document.context.extend(service_terms(&document.service));
    document
}

/// The method of an account that signs for a subject.
pub(super) fn account_method(id: &str, account: AccountId) -> VerificationMethod {
    VerificationMethod {
        id: format!("{id}#{account}"),
        key: MethodKey::Account(account.to_string()),
        controller: id.to_owned(),
    }
}

/// The same without what was said before: `alsoKnownAs` is a set.
pub(super) fn each_once(mut names: Vec<String>) -> Vec<String> {
    let all = names.clone();
    let mut place = 0;
    names.retain(|name| {
        place += 1;
        all.iter().take(place - 1).all(|earlier| earlier != name)
    });
    names
}

fn services(id: &str, claimed: &[ClaimedService]) -> Vec<Service> {
    let services = (1..).zip(claimed).map(|(number, service)| {
        let known = SERVICE_TYPES.iter().find(|name| **name == service.name);
        let kinds = [CLAIMED].into_iter().chain(known.copied());
        Service {
            id: format!("{id}#service-{number}"),
            kinds: kinds.map(str::to_owned).collect(),
            endpoint: service.endpoint.clone(),
        }
    });
    services.collect()
}

/// The terms that services need; the other contexts have none for them.
fn service_terms(services: &[Service]) -> Option<Context> {
    let names = services.iter().flat_map(|service| &service.kinds);
    let terms: BTreeMap<_, _> =
        names.map(|name| (name.clone(), Value::from(format!("{ERC8004}{name}")))).collect();
    (!terms.is_empty()).then(|| Context::Terms(terms.into_iter().collect()))
}

/// The contexts of a subject whose methods are accounts.
pub(super) fn account_contexts(has_methods: bool) -> Vec<Context> {
    let recovery = has_methods.then_some(Context::Url(RECOVERY_V2));
    [Context::Url(DID_V1)].into_iter().chain(recovery).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_stands_once_where_it_stood_first() {
        let names = ["b", "a", "b", "c", "a"].map(str::to_owned).to_vec();
        assert_eq!(each_once(names), ["b", "a", "c"]);
    }
}
