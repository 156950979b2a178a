//! One page of a relay: which of its entries are records, and from where to read on.
//!
//! Each entry is read for itself, from its own bytes, so that one which is bad is a [`Flaw`] and its neighbours are whole. What is not
//! an entry (the game's state) is skipped unread. The cursor follows from the entries alone: a page that is not open yet (`spectator_pending`)
//! shows none, while its own `sinceIdx` already lies behind them, and whoever took that over would never see them.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt;

use serde::de::{SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::record::{Flaw, Peeked, RelayRecord, read_record};
use super::{RelayError, RelaySource};
use crate::attest::canonical;
use crate::vocab::shorten;

/// The most entries of one page.
const ENTRIES_MAX: usize = 100_000;

/// What one page says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RelayPage {
    /// The game.
    pub game: String,
    /// Its records, in the order of the page.
    pub records: Vec<RelayRecord>,
    /// Entries that cannot be read, in the order of the page.
    pub flaws: Vec<Flaw>,
    /// How many entries were passed over.
    pub passed: Passed,
    /// What the page says of the log as a whole.
    pub standing: Standing,
    /// From which index to read on.
    pub next: u64,
}

/// Entries that are no records, by why not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Passed {
    /// Of another type.
    pub other_types: u64,
    /// Records for a team or one player. The platform does not show them to the public; what is shown by mistake is not made public here.
    pub not_public: u64,
    /// Read before: below the cursor, or a second time in the same words.
    pub repeated: u64,
    /// Indices between the cursor and the last entry that the page leaves out, as those of entries that are not public.
    pub left_out: u64,
}

/// What a page says of the log as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// The game goes on.
    Running,
    /// The game has ended.
    Finished,
    /// Nothing is public yet; the cursor stays where it is.
    Pending,
    /// The log is shorter than what was read of it, so it was begun anew; the cursor goes back to its beginning.
    Restarted {
        /// The next index that the log will give.
        tip: u64,
    },
}

#[derive(Deserialize)]
struct Wire<'a> {
    #[serde(rename = "type")]
    kind: String,
    meta: Map<String, Value>,
    #[serde(borrow, default)]
    relay: Option<Entries<'a>>,
}

/// The entries of a page, unread.
struct Entries<'a>(Vec<&'a RawValue>);

impl<'de: 'a, 'a> Deserialize<'de> for Entries<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Bounded;

        impl<'de> Visitor<'de> for Bounded {
            type Value = Vec<&'de RawValue>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an array of entries")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = items.next_element()? {
                    if entries.len() == ENTRIES_MAX {
                        let told = format!("more than {ENTRIES_MAX} entries");
                        return Err(serde::de::Error::custom(told));
                    }
                    entries.push(entry);
                }
                Ok(entries)
            }
        }

        deserializer.deserialize_seq(Bounded).map(Self)
    }
}

impl RelayPage {
    /// Reads a page of a game, from index `since` on. Whoever fetched it has bounded its size.
    ///
    /// # Errors
    /// When it is no page, or one of another game.
    pub fn read(
        bytes: &[u8],
        source: &RelaySource,
        game: &str,
        since: u64,
    ) -> Result<Self, RelayError> {
        let refuse = |why: String| RelayError::NotAPage(why);
        let text = std::str::from_utf8(bytes).map_err(|_| refuse("it is not UTF-8".to_owned()))?;
        let wire: Wire<'_> =
            serde_json::from_str(text).map_err(|error| refuse(shorten(&error.to_string())))?;
        match wire.meta.get("gameId").and_then(Value::as_str) {
            Some(found) if found == game => {}
            Some(found) => {
                let (asked, found) = (shorten(game), shorten(found));
                return Err(RelayError::OtherGame { asked, found });
            }
            None => return Err(refuse("`meta.gameId` is not there".to_owned())),
        }
        let is_pending = match wire.kind.as_str() {
            "state_update" => false,
            "spectator_pending" => true,
            other => return Err(refuse(format!("its `type` is `{}`", shorten(other)))),
        };
        let mut reader = Reader::new(source, game, since);
        if !is_pending {
            let entries = wire.relay.ok_or_else(|| refuse("`relay` is not there".to_owned()))?;
            for entry in entries.0 {
                reader.read(entry.get());
            }
        }
        let told = wire.meta.get("sinceIdx").and_then(canonical::integer);
        let is_finished = wire.meta.get("finished") == Some(&Value::Bool(true));
        Ok(reader.finish(is_pending, is_finished, told))
    }
}

/// A page being read.
struct Reader<'a> {
    source: &'a RelaySource,
    since: u64,
    page: RelayPage,
    /// The entries of the page by index, in their own words.
    seen: BTreeMap<u64, &'a str>,
    /// Behind the last entry, also of those that were read before.
    tip: u64,
}

impl<'a> Reader<'a> {
    fn new(source: &'a RelaySource, game: &str, since: u64) -> Self {
        let page = RelayPage {
            game: game.to_owned(),
            records: Vec::new(),
            flaws: Vec::new(),
            passed: Passed::default(),
            standing: Standing::Running,
            next: since,
        };
        Self { source, since, page, seen: BTreeMap::new(), tip: 0 }
    }

    fn read(&mut self, text: &'a str) {
        let peeked = match Peeked::at(text) {
            Ok(peeked) => peeked,
            Err(flaw) => return self.page.flaws.push(flaw),
        };
        let index = peeked.index;
        self.tip = self.tip.max(index + 1);
        if index < self.since {
            self.page.passed.repeated += 1;
            return;
        }
        match self.seen.entry(index) {
            Entry::Vacant(place) => place.insert(text),
            Entry::Occupied(place) if *place.get() == text => {
                self.page.passed.repeated += 1;
                return;
            }
            Entry::Occupied(_) => {
                let reason = "another entry of the page has the same index".to_owned();
                return self.page.flaws.push(Flaw { index: Some(index), reason });
            }
        };
        if !peeked.is_record {
            self.page.passed.other_types += 1;
        } else if !peeked.is_public {
            self.page.passed.not_public += 1;
        } else {
            match read_record(text, index, &self.page.game, self.source) {
                Ok(incoming) => self.page.records.push(RelayRecord { index, incoming }),
                Err(reason) => self.page.flaws.push(Flaw { index: Some(index), reason }),
            }
        }
    }

    /// `told` is the tip by the page's own words, which is believed only where it is lower than what was read.
    fn finish(mut self, is_pending: bool, is_finished: bool, told: Option<u64>) -> RelayPage {
        if is_pending {
            self.page.standing = Standing::Pending;
            return self.page;
        }
        let tip = told.map_or(self.since, |told| told.max(self.tip));
        if self.seen.is_empty() && tip < self.since {
            self.page.standing = Standing::Restarted { tip };
            self.page.next = 0;
            return self.page;
        }
        if let Some((last, _)) = self.seen.last_key_value() {
            self.page.next = last + 1;
            let indices = self.page.next - self.since;
            let shown = u64::try_from(self.seen.len()).unwrap_or(u64::MAX);
            self.page.passed.left_out = indices.saturating_sub(shown);
        }
        if is_finished {
            self.page.standing = Standing::Finished;
        }
        self.page
    }
}
