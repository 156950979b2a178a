//! The relay of a platform: a local server that keeps a log as the platform does, what is read of it, and what is not believed.

mod cursor;
mod reading;
pub(crate) mod server;

use hallmark::attest::{Incoming, SentBy};
use hallmark::intake::relay::{RelayPage, RelaySource};
use hallmark::vocab::ChainId;
use serde_json::{Value, json};

pub(crate) const GAME: &str = "0b6f7d8e-33c5-4c1e-9a57-1f0c5f3c1f0e";
pub(crate) const PLAYER: &str = "5f3c1f0e-5a7e-4f2e-9a57-1f0c5f3c1f0e";
pub(crate) const PLUGIN: &str = "trust-projector-oathbreaker";

pub(crate) fn source() -> RelaySource {
    RelaySource {
        origin: "coordination-games".parse().unwrap(),
        chain: Some(ChainId(11_155_420)),
        plugins: vec![PLUGIN.to_owned()],
    }
}

/// A record as the platform's first game emits it: with neither time nor evidence, and an id that leaves the game out.
pub(crate) fn choice(round: u64) -> Value {
    json!({
        "schemaVersion": "attestation/v1",
        "id": "0x5b1c9f1f4f0b3c4f2f5fb3a4c3a9b6d9c2a6b8d7e6f5a4b3c2d1e0f9a8b7c6d5",
        "issuer": "tragedy-of-the-commons:system",
        "issuerKind": "system",
        "subject": PLAYER,
        "claim": {
            "type": "tragedy.round_choice.v1",
            "data": {
                "gameType": "tragedy-of-the-commons", "round": round, "actor": PLAYER, "actionType": "pass",
                "action": { "type": "pass" },
                "before": { "resources": { "grain": 2 }, "influence": 0, "vp": 0, "regionsControlled": 1 },
            },
        },
        "confidence": 1,
        "round": round,
    })
}

/// What one player says of another, through the platform's tool.
pub(crate) fn assessment() -> Value {
    json!({
        "schemaVersion": "attestation/v1",
        "id": "peer-1",
        "issuer": PLAYER,
        "issuerKind": "agent",
        "subject": "77777777-5a7e-4f2e-9a57-1f0c5f3c1f0e",
        "claim": { "type": "peer.assessment", "data": { "tag": "reliable" } },
        "confidence": 0.94,
        "round": 3,
        "issuedAt": "2026-06-23T12:00:00Z",
    })
}

/// An entry of the log.
pub(crate) fn entry(index: u64, kind: &str, sender: &str, scope: &Value, data: &Value) -> Value {
    json!({
        "index": index, "type": kind, "pluginId": "trust-projector-tragedy", "sender": sender, "scope": scope,
        "turn": 3, "timestamp": 1_782_216_000_123_u64 + index, "data": data,
    })
}

pub(crate) fn public(index: u64, sender: &str, data: &Value) -> Value {
    entry(index, "attestation", sender, &json!({ "kind": "all" }), data)
}

/// A page as the platform makes it.
pub(crate) fn page(entries: &[Value], since_idx: u64) -> Value {
    json!({
        "type": "state_update",
        "meta": {
            "gameId": GAME, "gameType": "tragedy-of-the-commons", "handles": { PLAYER: "ada" }, "progressCounter": 3,
            "finished": false, "sinceIdx": since_idx, "stateVersion": 12, "lastUpdate": 1_782_216_000_999_u64,
        },
        "state": { "board": [[1, 2.5], []], "deep": { "a": null } },
        "relay": entries,
    })
}

pub(crate) fn read(page: &Value, since: u64) -> RelayPage {
    RelayPage::read(page.to_string().as_bytes(), &source(), GAME, since).unwrap()
}

pub(crate) fn incoming(page: &RelayPage) -> Vec<&Incoming> {
    page.records.iter().map(|record| &record.incoming).collect()
}

pub(crate) fn named(text: &str) -> SentBy {
    SentBy::Name(format!("platform:coordination-games:{text}").parse().unwrap())
}
