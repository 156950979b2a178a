//! What a trace document knows of one who signed: the accounts that spoke for it and the keys of its DID document, each with when.

use std::collections::BTreeMap;

use alloy::primitives::B256;
use serde::{Deserialize, Serialize};

use super::document::BlockAt;
use super::record::{check_name, check_word, wrong};
use crate::attest::{FieldError, method};
use crate::did::key::PublicKey;
use crate::identity::{SpanCause, SpanRecord};
use crate::vocab::{AccountId, BlockStamp, ChainId, Position, Subject, UnixSeconds};

/// What is known of one who signed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Party {
    /// Who: an agent, or a DID.
    pub name: Subject,
    /// Until when this is known, of a DID; of an agent the document's `as_of` says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub as_of: Option<UnixSeconds>,
    /// Which accounts spoke for it, and when, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub wallets: Vec<WalletSpan>,
    /// Which keys its DID document had under `assertionMethod`, and when.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keys: Vec<KeySpan>,
}

/// That an account spoke for somebody.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WalletSpan {
    /// The account in CAIP-10, with its EIP-55 capitals.
    pub account: String,
    /// Where it began.
    pub from: At,
    /// Where it ended; absent while it lasts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<At>,
    /// Why it began: `proven`, `registered` or `observed` of an agent's wallet, `link` of an account that a DID was linked to.
    pub cause: String,
}

/// A place in a chain, or a time where there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct At {
    /// The block's number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub block: Option<u64>,
    /// The block's hash.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hash: Option<B256>,
    /// The log's index in the block, or the largest that there is for the block's end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log_index: Option<u32>,
    /// When the block was made, or when it happened.
    pub time: UnixSeconds,
}

impl At {
    /// A place in a block.
    #[must_use]
    pub const fn of(block: &BlockStamp, log_index: u32) -> Self {
        let (number, hash) = (Some(block.block.number), Some(block.block.hash));
        Self { block: number, hash, log_index: Some(log_index), time: block.time }
    }

    /// A time that is in no block.
    #[must_use]
    pub const fn time(time: UnixSeconds) -> Self {
        Self { block: None, hash: None, log_index: None, time }
    }

    /// The place, where it is one.
    #[must_use]
    pub const fn position(&self) -> Option<Position> {
        match (self.block, self.hash, self.log_index) {
            (Some(block), Some(_), Some(log_index)) => Some(Position::new(block, log_index)),
            _ => None,
        }
    }

    const fn is_time_alone(&self) -> bool {
        self.block.is_none() && self.hash.is_none() && self.log_index.is_none()
    }
}

/// That a document had a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeySpan {
    /// The DID URL of the method.
    pub method: String,
    /// The key, as a Multikey's text.
    pub key: String,
    /// The first second in which it counted.
    pub from: UnixSeconds,
    /// The first in which it no longer did; absent while it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<UnixSeconds>,
}

impl Party {
    /// An agent with the spans of its wallets; what no wallet spoke for is left out. `stamp` gives the block of a number.
    #[must_use]
    pub fn of_agent(
        name: Subject,
        chain: ChainId,
        spans: &[SpanRecord],
        stamp: impl Fn(u64) -> Option<BlockStamp>,
    ) -> Option<Self> {
        let at = |position: Position| {
            stamp(position.block_number).map(|block| At::of(&block, position.log_index))
        };
        let mut wallets = Vec::new();
        for span in spans {
            let Some(address) = span.value.account() else { continue };
            let to = match span.span.to {
                Some(to) => Some(at(to)?),
                None => None,
            };
            let cause = span.cause.unwrap_or(SpanCause::Observed).as_str().to_owned();
            let account = AccountId { chain, address }.to_string();
            wallets.push(WalletSpan { account, from: at(span.span.from)?, to, cause });
        }
        Some(Self { name, as_of: None, wallets, keys: Vec::new() })
    }

    /// An agent under a DID that it has: its wallets as accounts that were linked to it, of which the times are told, known until a second.
    #[must_use]
    pub fn by_links(self, until: UnixSeconds) -> Self {
        let link = |span: WalletSpan| WalletSpan {
            from: At::time(span.from.time),
            to: span.to.map(|to| At::time(to.time)),
            cause: "link".to_owned(),
            ..span
        };
        let wallets = self.wallets.into_iter().map(link).collect();
        Self { as_of: Some(until), wallets, ..self }
    }

    pub(super) fn check(
        &self,
        field: &str,
        chains: &BTreeMap<ChainId, BlockAt>,
        blocks: &mut Blocks,
    ) -> Result<(), FieldError> {
        check_name(&format!("{field}.name"), &self.name)?;
        let chain = match &self.name {
            Subject::Agent(agent) => Some(agent.registry.chain),
            Subject::Did(_) => None,
            Subject::Account(_) | Subject::Platform { .. } => {
                let why = "it must be an agent or a DID: an account speaks for itself, and nobody knows who speaks for an id of a platform";
                return Err(wrong(&format!("{field}.name"), why));
            }
        };
        match chain {
            Some(chain) if !chains.contains_key(&chain) => {
                let why = format!(
                    "the document has no `as_of` of {chain}, so it does not say until when this is known"
                );
                return Err(wrong(&format!("{field}.wallets"), &why));
            }
            Some(_) if self.as_of.is_some() => {
                let why = "of an agent the document's own `as_of` says it: leave it out";
                return Err(wrong(&format!("{field}.as_of"), why));
            }
            None if self.as_of.is_none() => {
                let why = "it is missing: it says until when keys and links of a DID are known";
                return Err(wrong(&format!("{field}.as_of"), why));
            }
            _ => {}
        }
        if chain.is_some() && !self.keys.is_empty() {
            let why = "an agent signs by its wallet: keys are those of a DID";
            return Err(wrong(&format!("{field}.keys"), why));
        }
        for (index, span) in self.wallets.iter().enumerate() {
            span.check(&format!("{field}.wallets[{index}]"), chain, blocks)?;
        }
        let limit = chain.and_then(|chain| chains.get(&chain)).map(|block| block.number);
        self.check_order(field, chain.is_some(), limit)?;
        self.keys
            .iter()
            .enumerate()
            .try_for_each(|(index, key)| key.check(&format!("{field}.keys[{index}]"), &self.name))
    }

    /// Of an agent, that one wallet follows on another, and none begins after what is known.
    fn check_order(
        &self,
        field: &str,
        is_agent: bool,
        limit: Option<u64>,
    ) -> Result<(), FieldError> {
        let mut before: Option<Position> = Some(Position::new(0, 0));
        for (index, span) in self.wallets.iter().enumerate().filter(|_| is_agent) {
            let field = format!("{field}.wallets[{index}]");
            let from = span.from.position();
            if before.is_none() || from < before {
                return Err(wrong(&field, "it begins before the span before it ended"));
            }
            if span.from.block > limit || span.to.and_then(|to| to.block) > limit {
                return Err(wrong(&field, "it begins or ends after the block of `as_of`"));
            }
            before = span.to.and_then(|to| to.position());
        }
        Ok(())
    }
}

impl WalletSpan {
    /// The account; checked when the document was.
    pub(super) fn parsed(&self) -> Option<AccountId> {
        let account = AccountId::parse(&self.account, ChainId(0)).ok();
        account.filter(|account| account.to_text().as_str() == self.account)
    }

    fn check(
        &self,
        field: &str,
        chain: Option<ChainId>,
        blocks: &mut Blocks,
    ) -> Result<(), FieldError> {
        let account = self.parsed().ok_or_else(|| {
            let why = "write it as `eip155:8453:0x…`, the address with its EIP-55 capitals";
            wrong(&format!("{field}.account"), why)
        })?;
        let causes: &[&str] =
            if chain.is_some() { &["proven", "registered", "observed"] } else { &["link"] };
        if !causes.contains(&self.cause.as_str()) {
            let why = format!("it must be one of {}", causes.join(", "));
            return Err(wrong(&format!("{field}.cause"), &why));
        }
        if chain.is_some_and(|chain| chain != account.chain) {
            let why = "it is on another chain than the agent";
            return Err(wrong(&format!("{field}.account"), why));
        }
        for (name, at) in [("from", Some(self.from)), ("to", self.to)] {
            let (Some(at), field) = (at, format!("{field}.{name}")) else { continue };
            match (chain, at.block.zip(at.hash).zip(at.log_index)) {
                (Some(chain), Some(((number, hash), _))) => {
                    blocks.check(&field, chain, number, hash, at.time)?;
                }
                (Some(_), None) => {
                    return Err(wrong(
                        &field,
                        "of an agent it has `block`, `hash` and `log_index`",
                    ));
                }
                (None, _) if !at.is_time_alone() => {
                    return Err(wrong(&field, "of a link it has a `time`, and nothing else"));
                }
                (None, _) => {}
            }
        }
        let ends = self.to.map(|to| (to.position(), to.time));
        let is_short = ends.is_some_and(|(position, time)| {
            (position.is_some() && position <= self.from.position()) || time < self.from.time
        });
        if is_short { Err(wrong(&format!("{field}.to"), "it is not after `from`")) } else { Ok(()) }
    }
}

impl KeySpan {
    fn check(&self, field: &str, name: &Subject) -> Result<(), FieldError> {
        let did = method::did_of(&self.method)
            .map_err(|error| wrong(&format!("{field}.method"), &error.to_string()))?;
        if did.to_string() != name.to_string() {
            return Err(wrong(&format!("{field}.method"), "it is no method of this DID"));
        }
        check_word(&format!("{field}.key"), &self.key)?;
        PublicKey::parse(&self.key)
            .map_err(|error| wrong(&format!("{field}.key"), &error.to_string()))?;
        let is_short = self.to.is_some_and(|to| to <= self.from);
        if is_short { Err(wrong(&format!("{field}.to"), "it is not after `from`")) } else { Ok(()) }
    }
}

/// The blocks that a document names: each number has one hash and one time, and times do not go back.
#[derive(Default)]
pub(super) struct Blocks(BTreeMap<(ChainId, u64), (B256, UnixSeconds)>);

impl Blocks {
    pub(super) fn check(
        &mut self,
        field: &str,
        chain: ChainId,
        number: u64,
        hash: B256,
        time: UnixSeconds,
    ) -> Result<(), FieldError> {
        if number > Position::BLOCK_MAX {
            return Err(wrong(field, "there is no block of this number"));
        }
        let named = *self.0.entry((chain, number)).or_insert((hash, time));
        if named != (hash, time) {
            let why = format!("block {number} has another hash or time elsewhere in the document");
            return Err(wrong(field, &why));
        }
        let chain_start = (chain, 0)..(chain, number);
        let chain_rest = (chain, number.saturating_add(1))..=(chain, u64::MAX);
        let earlier = self.0.range(chain_start).next_back();
        let later = self.0.range(chain_rest).next();
        let goes_back = earlier.is_some_and(|(_, (_, before))| *before > time)
            || later.is_some_and(|(_, (_, after))| *after < time);
        let why = "blocks of the document are not in the order of their times";
        if goes_back { Err(wrong(field, why)) } else { Ok(()) }
    }
}
