//! From accounts to the agents whose wallets they are or were.
//!
//! The turned-round form of all wallet timelines: by account, then by agent, then oldest first. It answers for any position, takes in
//! spans that are new or have changed, and goes back to a block as timelines do. Whether it holds every account or only those that one
//! request names is its owner's affair: `app::read_model` keeps a whole one in step with the database.

use std::collections::HashMap;

use alloy::primitives::Address;

use super::evidence::{Evidence, EvidencedSpan};
use super::fact::{SpanCause, SpanEnd, TimelineRef};
use super::kept::{Kept, Room};
use crate::vocab::{AgentId, Position, ShortText};

/// A span in which an account was an agent's wallet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WalletEntry {
    /// Whose wallet.
    pub agent: AgentId,
    /// Where it began.
    pub from: Evidence,
    /// Where it ended; absent while it is open.
    pub to: Option<Evidence>,
    /// Why it began.
    pub cause: Option<SpanCause>,
    /// Why it ended; absent while it is open.
    pub ended_by: Option<SpanEnd>,
}

impl WalletEntry {
    /// The account and the entry that a span of a wallet's timeline is; none for other timelines, and where the agent had no wallet.
    #[must_use]
    pub fn of(span: &EvidencedSpan) -> Option<(Address, Self)> {
        let TimelineRef::Wallet(agent) = span.record.timeline else { return None };
        let account = span.record.value.account()?;
        let (cause, ended_by) = (span.record.cause, span.record.ended_by);
        Some((account, Self { agent, from: span.from, to: span.to, cause, ended_by }))
    }

    /// Half-open: it holds at its beginning and no longer at its end.
    fn holds_at(&self, at: Position) -> bool {
        self.from.at <= at && self.to.is_none_or(|to| at < to.at)
    }

    /// The block of the later of its ends.
    fn last_block(&self) -> u64 {
        self.to.unwrap_or(self.from).at.block_number
    }

    fn place(&self) -> (AgentId, Position) {
        (self.agent, self.from.at)
    }
}

/// The agents whose wallet an account is at a position.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found<'a> {
    /// The account's address in EIP-55, where it stands in the directory: writing it takes a hash.
    pub address: Option<&'a str>,
    /// The first of those asked for, by number.
    pub entries: Vec<&'a WalletEntry>,
    /// How many there are in all.
    pub count: u64,
}

/// Wallet spans by account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Directory {
    /// By hash with a key of its own: whoever chooses addresses cannot make them meet.
    accounts: HashMap<Address, Listing>,
    /// No span begins or ends in a later block.
    newest_block: u64,
    /// For what is kept of accounts; by default there is none.
    room: Room,
}

/// Where an account stands in a directory. Who asks about many finds them all first: the processor then fetches them from memory at
/// once, and not one after the other.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    listing: Option<&'a Listing>,
    newest_block: u64,
    room: &'a Room,
}

/// The spans of one account, by agent, then oldest first.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Listing {
    address: ShortText<42>,
    entries: Vec<WalletEntry>,
    open_count: u64,
    /// No span begins or ends in a later block.
    newest_block: u64,
    /// What is shown of those that are open, while nothing here changes.
    kept: Kept,
}

impl Directory {
    /// An empty one with room to keep so many bytes of what is shown of its accounts.
    #[must_use]
    pub fn keeping(bytes_max: usize) -> Self {
        Self { room: Room::of(bytes_max), ..Self::default() }
    }

    /// Takes in a span that is new, or that has changed since it was taken in.
    pub fn put(&mut self, account: Address, entry: WalletEntry) {
        self.newest_block = self.newest_block.max(entry.last_block());
        let listing = self.accounts.entry(account).or_insert_with(|| Listing::new(account));
        listing.kept.forget(&self.room);
        listing.put(entry);
    }

    /// Forgets what is kept of all accounts, where it was made of more than what stands here and that has changed.
    #[expect(clippy::iter_over_hash_type, reason = "each is forgotten, in whichever order")]
    pub fn forget_kept(&mut self) {
        for listing in self.accounts.values_mut() {
            listing.kept.forget(&self.room);
        }
    }

    /// Goes back to the end of a block: forgets what began after it and reopens what ended after it.
    pub fn revert_to(&mut self, block_number: u64) {
        let mut newest_block = 0;
        self.accounts.retain(|_, listing| {
            if listing.newest_block > block_number {
                listing.kept.forget(&self.room);
                listing.revert_to(block_number);
            }
            newest_block = newest_block.max(listing.newest_block);
            !listing.entries.is_empty()
        });
        self.newest_block = newest_block;
    }

    /// Where an account stands.
    #[must_use]
    pub fn find(&self, account: Address) -> Place<'_> {
        let (listing, newest_block) = (self.accounts.get(&account), self.newest_block);
        Place { listing, newest_block, room: &self.room }
    }

    /// The agents whose wallet an account is at a position: the first `limit` of those after `after`, and how many there are.
    #[must_use]
    pub fn agents_at(
        &self,
        account: Address,
        at: Position,
        after: Option<AgentId>,
        limit: usize,
    ) -> Found<'_> {
        self.find(account).agents_at(at, after, limit)
    }

    /// How much of what is shown of its accounts it keeps, in bytes.
    #[must_use]
    pub fn kept_bytes(&self) -> usize {
        self.accounts.values().filter_map(|listing| listing.kept.get()).map(<[u8]>::len).sum()
    }

    /// How many spans it holds.
    #[must_use]
    pub fn span_count(&self) -> usize {
        self.accounts.values().map(|listing| listing.entries.len()).sum()
    }
}

impl<'a> Place<'a> {
    /// The agents whose wallet the account is at a position: the first `limit` of those after `after`, and how many there are.
    #[must_use]
    pub fn agents_at(self, at: Position, after: Option<AgentId>, limit: usize) -> Found<'a> {
        let Some(listing) = self.listing else { return Found::default() };
        let first = after.map_or(0, |after| listing.entries.partition_point(|e| e.agent <= after));
        let rest = listing.entries.get(first..).unwrap_or_default();
        let entries = rest.iter().filter(|entry| entry.holds_at(at)).take(limit).collect();
        // What holds after all that is known is what is open: counted already, however many there are.
        let count = if at >= Position::end_of(self.newest_block) {
            listing.open_count
        } else {
            listing.entries.iter().filter(|entry| entry.holds_at(at)).count() as u64
        };
        Found { address: Some(listing.address.as_str()), entries, count }
    }

    /// No span of the account begins or ends in a later block; none where it has no spans.
    #[must_use]
    pub fn newest_block(self) -> Option<u64> {
        self.listing.map(|listing| listing.newest_block)
    }

    /// What was kept of the account: it tells of its open spans, and none of its spans has changed since.
    #[must_use]
    pub fn kept(self) -> Option<&'a [u8]> {
        self.listing.and_then(|listing| listing.kept.get())
    }

    /// Keeps what is shown of the account's open spans until one of its spans changes, if there is room.
    pub fn keep(self, shown: &[u8]) {
        if let Some(listing) = self.listing {
            listing.kept.keep(shown, self.room);
        }
    }
}

impl Listing {
    fn new(account: Address) -> Self {
        let address = ShortText::of(account.to_checksum_buffer(None).as_str());
        let kept = Kept::default();
        Self { address, entries: Vec::new(), open_count: 0, newest_block: 0, kept }
    }

    fn put(&mut self, entry: WalletEntry) {
        self.open_count += u64::from(entry.to.is_none());
        self.newest_block = self.newest_block.max(entry.last_block());
        match self.entries.binary_search_by_key(&entry.place(), WalletEntry::place) {
            Ok(index) => {
                if let Some(held) = self.entries.get_mut(index) {
                    self.open_count -= u64::from(held.to.is_none());
                    *held = entry;
                }
            }
            Err(index) => {
                // Most accounts have one span or two: doubling would leave most of the memory empty.
                if self.entries.len() == self.entries.capacity() {
                    self.entries.reserve_exact(1 + self.entries.len() / 4);
                }
                self.entries.insert(index, entry);
            }
        }
    }

    fn revert_to(&mut self, block_number: u64) {
        self.entries.retain(|entry| entry.from.at.block_number <= block_number);
        for entry in &mut self.entries {
            if entry.to.is_some_and(|to| to.at.block_number > block_number) {
                entry.to = None;
                entry.ended_by = None;
            }
        }
        self.open_count = self.entries.iter().filter(|entry| entry.to.is_none()).count() as u64;
        let newest = self.entries.iter().map(WalletEntry::last_block).max();
        self.newest_block = newest.unwrap_or_default();
    }
}

#[cfg(test)]
mod tests {
    use alloy::primitives::B256;
    use proptest::prelude::*;

    use super::*;
    use crate::identity::{Fact, Fold, Value};

    const LAST: u64 = 30;

    fn evidence(at: Position) -> Evidence {
        Evidence { at, tx_hash: Some(B256::with_last_byte(1)), time: None }
    }

    /// What a fold of some facts leaves, by account.
    fn directory(facts: &[Fact]) -> Directory {
        let mut fold = Fold::new(Vec::new());
        for fact in facts {
            fold.apply(fact);
        }
        let mut directory = Directory::default();
        for record in fold.finish().begun {
            let from = evidence(record.span.from);
            let to = record.span.to.map(evidence);
            if let Some((account, entry)) = WalletEntry::of(&EvidencedSpan { record, from, to }) {
                directory.put(account, entry);
            }
        }
        directory
    }

    fn facts() -> impl Strategy<Value = Vec<Fact>> {
        let fact = (0..LAST, 0_u64..4, proptest::option::of(0_u8..3), any::<bool>());
        proptest::collection::vec(fact, 0..60).prop_map(|mut drawn| {
            drawn.sort_by_key(|(block, ..)| *block);
            let log = |index: usize| u32::try_from(index).unwrap();
            let facts =
                drawn.into_iter().enumerate().map(|(i, (block, agent, account, proven))| {
                    let cause = if proven { SpanCause::Proven } else { SpanCause::Observed };
                    Fact {
                        at: Position::new(block, log(i)),
                        timeline: TimelineRef::Wallet(AgentId::from(agent)),
                        value: account
                            .map_or(Value::Absent, |a| Value::Account(Address::repeat_byte(a))),
                        cause: account.map(|_| cause),
                        ends: SpanEnd::Rotated,
                    }
                });
            facts.collect()
        })
    }

    /// Whose wallet an account is, by the facts alone: an agent's last word counts.
    fn by_facts(facts: &[Fact], account: Address, at: Position) -> Vec<AgentId> {
        let agents = (0..4).map(AgentId::from);
        let last =
            |agent| facts.iter().rfind(|f| f.timeline == TimelineRef::Wallet(agent) && f.at <= at);
        let is_wallet =
            |agent: &AgentId| last(*agent).is_some_and(|f| f.value == Value::Account(account));
        agents.filter(is_wallet).collect()
    }

    proptest! {
        /// At every position, the agents found are those whose last fact names the account; and they are counted right.
        #[test]
        fn an_account_is_the_wallet_of_those_who_last_named_it(facts in facts()) {
            let directory = directory(&facts);
            let positions = facts.iter().map(|f| f.at).chain((0..=LAST).map(Position::end_of));
            for at in positions {
                for account in (0..3).map(Address::repeat_byte) {
                    let found = directory.agents_at(account, at, None, 9);
                    let agents: Vec<_> = found.entries.iter().map(|entry| entry.agent).collect();
                    prop_assert_eq!(&agents, &by_facts(&facts, account, at));
                    prop_assert_eq!(found.count, agents.len() as u64);
                    let address = found.address.map_or(account.to_string(), str::to_owned);
                    prop_assert_eq!(address, account.to_string());
                    if let Some(first) = agents.first() {
                        let rest = directory.agents_at(account, at, Some(*first), 1);
                        prop_assert_eq!(rest.entries.first().map(|e| e.agent), agents.get(1).copied());
                        prop_assert_eq!(rest.count, found.count);
                    }
                }
            }
        }

        /// Going back to a block is the same as never having seen what came after it.
        #[test]
        fn going_back_is_as_if_it_never_was(facts in facts(), block in 0..LAST) {
            let before: Vec<_> =
                facts.iter().filter(|f| f.at.block_number <= block).cloned().collect();
            let mut now = directory(&facts);
            now.revert_to(block);
            prop_assert_eq!(now, directory(&before));
        }

        /// Taking in again what is held, or its newer form, leaves one span.
        #[test]
        fn a_span_is_held_once(facts in facts(), block in 0..LAST) {
            let before: Vec<_> =
                facts.iter().filter(|f| f.at.block_number <= block).cloned().collect();
            let mut grown = directory(&before);
            let whole = directory(&facts);
            let all: Vec<_> = whole.accounts.iter().collect();
            for (account, listing) in all {
                for entry in &listing.entries {
                    grown.put(*account, *entry);
                }
            }
            prop_assert_eq!(grown, whole);
        }
    }
}
