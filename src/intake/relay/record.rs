//! One entry of a relay, and the record in it.
//!
//! An entry is `{index, type, pluginId, sender, scope, turn, timestamp, data}`, and the record is its `data`. The platform itself sets
//! `index`, `sender`, `turn` and `timestamp`; a player chooses `type`, `pluginId`, `scope` and all of `data`. So who sent it is read from
//! `sender` alone:
//!
//! | `sender` | `pluginId` | sent by |
//! |---|---|---|
//! | `system` | registered | the plugin: what its code makes the platform send |
//! | `system` | any other | the origin |
//! | anything else | any | the player with that id, whatever the record and the plugin's id say |
//!
//! A player's id is the platform's word, and never read as an account or a DID, however much it looks like one.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::RelaySource;
use crate::attest::attestation::Context;
use crate::attest::incoming::PLACE_LEN_MAX;
use crate::attest::{Attestation, Incoming, SentBy, canonical};
use crate::vocab::{OriginName, Subject, UnixSeconds, shorten};

/// The `type` of entries that are records.
const RECORD: &str = "attestation";
/// The `sender` of what the platform itself says.
const SYSTEM: &str = "system";
/// The largest entry that is read as a record, in bytes.
const ENTRY_LEN_MAX: usize = 64 << 10;
/// The longest id of a game, in bytes: with it and an index, the place of a record fits into [`PLACE_LEN_MAX`].
const GAME_LEN_MAX: usize = 256;
/// The platform gives ten digits to an index.
const INDEX_MAX: u64 = 9_999_999_999;

/// A record of a relay. Its game and index are its natural key there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RelayRecord {
    /// Its place in the log.
    pub index: u64,
    /// The record.
    pub incoming: Incoming,
}

/// An entry that cannot be read, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flaw {
    /// Its place in the log, where that can be read.
    pub index: Option<u64>,
    /// What is wrong with it.
    pub reason: String,
}

/// What decides whether an entry is read at all.
pub(super) struct Peeked {
    pub(super) index: u64,
    pub(super) is_record: bool,
    pub(super) is_public: bool,
}

#[derive(Deserialize)]
struct Outside {
    index: Option<Value>,
    #[serde(rename = "type")]
    kind: Option<Value>,
    scope: Option<Value>,
}

impl Peeked {
    pub(super) fn at(text: &str) -> Result<Self, Flaw> {
        let outside: Outside = serde_json::from_str(text)
            .map_err(|error| Flaw { index: None, reason: shorten(&error.to_string()) })?;
        let index = outside.index.filter(Value::is_number);
        let index = index.as_ref().and_then(canonical::integer).filter(|n| *n <= INDEX_MAX);
        let index = index.ok_or_else(|| {
            let reason = "`index`: it must be a whole number of at most ten digits".to_owned();
            Flaw { index: None, reason }
        })?;
        let is_record = outside.kind.as_ref().and_then(Value::as_str) == Some(RECORD);
        let scope = outside.scope.as_ref().and_then(|scope| scope.get("kind"));
        Ok(Self { index, is_record, is_public: scope.and_then(Value::as_str) == Some("all") })
    }
}

/// Whether a game's id can stand in a URL and in the place of a record.
pub(super) fn check_game(game: &str) -> Option<()> {
    let is_id = (1..=GAME_LEN_MAX).contains(&game.len())
        && !game.chars().any(char::is_control)
        && !matches!(game, "." | "..");
    is_id.then_some(())
}

/// Reads the record in an entry, or says why there is none.
pub(super) fn read_record(
    text: &str,
    index: u64,
    game: &str,
    source: &RelaySource,
) -> Result<Incoming, String> {
    let entry = canonical::read(text.as_bytes(), ENTRY_LEN_MAX).map_err(|e| e.to_string())?;
    let Value::Object(mut entry) = entry else { return Err("it is no object".to_owned()) };
    let sent_by = sent_by(&entry, source)?;
    let turn = match entry.get("turn") {
        None | Some(Value::Null) => None,
        Some(turn) => Some(
            canonical::integer(turn)
                .filter(|_| turn.is_number())
                .ok_or_else(|| "`turn`: it must be a whole number or null".to_owned())?,
        ),
    };
    let in_ms = entry.get("timestamp").and_then(canonical::integer);
    let said_at = in_ms.and_then(|in_ms| UnixSeconds::new(in_ms / 1_000));
    let data = entry.remove("data").ok_or_else(|| "`data`: it is missing".to_owned())?;
    let context = Context {
        origin: Some(source.origin.clone()),
        game: Some(game.to_owned()),
        turn,
        chain: source.chain,
    };
    let attestation = Attestation::new(data, context).map_err(|error| error.to_string())?;
    let place = format!("relay:{game}:{index}");
    debug_assert!(place.len() <= PLACE_LEN_MAX, "a game's id and an index fit");
    Ok(Incoming { attestation, sent_by, place: Some(place), said_at })
}

fn sent_by(entry: &Map<String, Value>, source: &RelaySource) -> Result<SentBy, String> {
    let refuse = |why: &str| format!("`sender`: {why}");
    let sender = entry.get("sender").and_then(Value::as_str);
    let sender = sender.ok_or_else(|| refuse("it must be a text"))?;
    let origin = source.origin.clone();
    if sender != SYSTEM {
        return player(&origin, sender).map(SentBy::Name).map_err(|why| refuse(&why));
    }
    let plugin = entry.get("pluginId").and_then(Value::as_str);
    let plugin = plugin.filter(|id| source.plugins.iter().any(|known| known == id));
    Ok(match plugin {
        Some(id) => SentBy::Plugin { origin, plugin: id.to_owned() },
        None => SentBy::Origin(origin),
    })
}

/// A player of an origin, by the platform's id for it.
pub(super) fn player(origin: &OriginName, id: &str) -> Result<Subject, String> {
    format!("platform:{origin}:{id}").parse().map_err(|error: crate::vocab::SubjectError| {
        // The error names the whole text; that it is too long or not printable is what matters.
        error.to_string()
    })
}
