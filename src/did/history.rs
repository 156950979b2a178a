//! Which versions of a character's document there are, and which wallets each has.
//!
//! Every change of the record has a number, from 1 on, and a time. The number, with a digest of what the version holds, is its id, in the
//! form that all versions here have; it means the same for ever, since nothing of the record is ever undone. Several changes may fall
//! into one second: the last of them is the version of that time. A character's document rests on nothing but its own record, so that
//! the chain's reorganisations do not touch it.

use alloy::primitives::keccak256;

use super::character::{CharacterFacts, character_document};
use super::document::Document;
use super::version::VersionId;
use crate::vocab::{AccountId, UnixSeconds};

/// A change of a character's record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Change {
    /// Its number: 1 is the character's creation.
    pub number: u64,
    /// When.
    pub time: UnixSeconds,
}

/// That a wallet is linked, from one change of the record to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WalletLink {
    /// The wallet.
    pub account: AccountId,
    /// The change that linked it.
    pub from: Change,
    /// The change that took it away again; absent while it is linked.
    pub to: Option<Change>,
}

impl WalletLink {
    /// Whether it holds once a change has been made, and until the next.
    #[must_use]
    pub fn holds_after(&self, change: u64) -> bool {
        self.from.number <= change && self.to.is_none_or(|to| change < to.number)
    }
}

/// All that ever was in a character's record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CharacterHistory {
    /// When it was created.
    pub created: UnixSeconds,
    /// The change with which it ended; its wallets end with the same.
    pub removed: Option<Change>,
    /// Every link there ever was, by the change that made it.
    pub wallets: Vec<WalletLink>,
}

/// One version of a character's document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CharacterVersion {
    /// The change that made it.
    pub change: Change,
    /// The change that ended it.
    pub next: Option<Change>,
    /// Whether the character had been removed: there is no document.
    pub is_deactivated: bool,
}

impl CharacterHistory {
    /// The version in force at a time, if the character had been created.
    #[must_use]
    pub fn at(&self, time: UnixSeconds) -> Option<CharacterVersion> {
        self.last(|change| change.time <= time)
    }

    /// The version that a change made.
    #[must_use]
    pub fn version(&self, number: u64) -> Option<CharacterVersion> {
        self.last(|change| change.number <= number).filter(|found| found.change.number == number)
    }

    /// The id of the version that a change made.
    #[must_use]
    pub fn id(&self, number: u64) -> Option<VersionId> {
        let version = self.version(number)?;
        let mut held = format!("{}\n{}", version.change.time, version.is_deactivated);
        for wallet in self.wallets_in(&version) {
            held.push('\n');
            held.push_str(wallet.to_text().as_str());
        }
        Some(VersionId { number, hash: keccak256(held) })
    }

    /// The version of an id.
    #[must_use]
    pub fn version_of(&self, id: VersionId) -> Option<CharacterVersion> {
        let number = id.number;
        self.version(number).filter(|_| self.id(number) == Some(id))
    }

    /// The version in force now.
    #[must_use]
    pub fn latest(&self) -> Option<CharacterVersion> {
        self.last(|_| true)
    }

    /// The wallets that a version has, the one linked first before the others.
    #[must_use]
    pub fn wallets_in(&self, version: &CharacterVersion) -> Vec<AccountId> {
        let links = self.wallets.iter();
        let held = links.filter(|link| link.holds_after(version.change.number));
        held.map(|link| link.account).collect()
    }

    /// The document of a version under an identifier; `None` where the character had been removed.
    #[must_use]
    pub fn document(&self, id: &str, version: &CharacterVersion) -> Option<Document> {
        if version.is_deactivated {
            return None;
        }
        let wallets = self.wallets_in(version);
        Some(character_document(id, &CharacterFacts { wallets: &wallets }))
    }

    fn changes(&self) -> impl Iterator<Item = Change> {
        let created = Change { number: 1, time: self.created };
        let ends = self.wallets.iter().flat_map(|link| [Some(link.from), link.to]);
        [Some(created), self.removed].into_iter().chain(ends).flatten()
    }

    fn last(&self, fits: impl Fn(Change) -> bool) -> Option<CharacterVersion> {
        let change = self.changes().filter(|change| fits(*change)).max()?;
        let next = self.changes().filter(|other| other.number > change.number).min();
        let is_deactivated = self.removed.is_some_and(|removed| removed.number <= change.number);
        Some(CharacterVersion { change, next, is_deactivated })
    }
}

#[cfg(test)]
mod tests {
    use alloy::primitives::Address;

    use super::*;
    use crate::vocab::ChainId;

    fn change(number: u64, seconds: u64) -> Change {
        Change { number, time: UnixSeconds::new(seconds).unwrap() }
    }

    fn link(byte: u8, from: Change, to: Option<Change>) -> WalletLink {
        let account = AccountId { chain: ChainId(8453), address: Address::repeat_byte(byte) };
        WalletLink { account, from, to }
    }

    /// Created at 10, A linked at 20, B linked and A taken away within second 30, removed at 40.
    fn history() -> CharacterHistory {
        let removed = change(5, 40);
        CharacterHistory {
            created: UnixSeconds::new(10).unwrap(),
            removed: Some(removed),
            wallets: vec![
                link(0xa, change(2, 20), Some(change(4, 30))),
                link(0xb, change(3, 30), Some(removed)),
            ],
        }
    }

    #[test]
    fn every_time_has_its_version() {
        let history = history();
        let at = |seconds| history.at(UnixSeconds::new(seconds).unwrap());
        assert_eq!(at(9), None);
        for (seconds, number, next, wallets) in [
            (10, 1, Some(2), vec![]),
            (19, 1, Some(2), vec![]),
            (20, 2, Some(3), vec![0xa]),
            (29, 2, Some(3), vec![0xa]),
            (30, 4, Some(5), vec![0xb]),
            (40, 5, None, vec![]),
            (99, 5, None, vec![]),
        ] {
            let version = at(seconds).unwrap();
            let next_number = version.next.map(|change| change.number);
            assert_eq!((version.change.number, next_number), (number, next), "at {seconds}");
            let found: Vec<u8> =
                history.wallets_in(&version).iter().map(|account| account.address[0]).collect();
            assert_eq!(found, wallets, "at {seconds}");
            let document = history.document("did:web:a.example:character:ada", &version);
            assert_eq!(document.is_none(), seconds >= 40);
            assert_eq!(document.map_or(0, |d| d.verification_method.len()), wallets.len());
        }
    }

    #[test]
    fn every_change_is_a_version_also_within_a_second() {
        let history = history();
        for number in 1..=5 {
            assert_eq!(history.version(number).unwrap().change.number, number);
        }
        let both = history.wallets_in(&history.version(3).unwrap());
        assert_eq!(both.len(), 2, "for a moment both were linked");
        assert_eq!((history.version(0), history.version(6)), (None, None));
        let ids: Vec<_> = (1..=5).map(|number| history.id(number).unwrap()).collect();
        for (number, id) in (1..).zip(&ids) {
            assert_eq!(history.version_of(*id), history.version(number));
            assert!(id.to_string().starts_with(&format!("{number}-0x")));
        }
        // Another record's id is none of this one's.
        let shorter = CharacterHistory { wallets: vec![], removed: None, ..history.clone() };
        assert_eq!(ids.iter().filter(|id| shorter.version_of(**id).is_some()).count(), 1);
        assert_eq!(history.latest(), history.version(5));
        let young = CharacterHistory { removed: None, wallets: vec![], ..history };
        let latest = young.latest().unwrap();
        assert_eq!((latest.change.number, latest.next, latest.is_deactivated), (1, None, false));
    }
}
