//! A trust card: `TrustCardV1` of Coordination Games (`packages/engine/src/types.ts`), and what it lacks in fields beside it.
//!
//! Readers of `trust-card/v1` find every field that they know, with the meaning that they know. Beside them stand the seed form's own
//! (`subject`, `projectorId`, a signal's `source`), a signal's stance in words (`stanceText`) and what it rests on (`games`, `issuers`), and
//! by which component and as of what the card was computed. `updatedAt` is the time of that block and no clock's, so that a card computed
//! twice is the same card.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::value::RawValue;

use super::caveat::caveats;
use super::draft::{Draft, DraftSignal, visible};
use super::view::View;
use crate::vocab::{Digest, UnixSeconds};

/// What a card calls its own form.
const SCHEMA: &str = "trust-card/v1";

/// A card, as it is shown.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TrustCard {
    schema_version: &'static str,
    /// The agent, in full.
    pub agent_id: String,
    subject_id: String,
    /// In a few words.
    pub headline: String,
    /// In a few sentences.
    pub summary: String,
    /// What the record shows.
    pub signals: Vec<CardSignal>,
    /// What it cannot tell.
    pub caveats: Vec<String>,
    /// What the card as a whole rests on.
    pub evidence_refs: Vec<CardRef>,
    /// The time of the block, in milliseconds.
    updated_at: u64,
    subject: String,
    /// The projector's name.
    pub projector_id: String,
    /// Which component computed it.
    pub projector: ProjectorName,
    /// What the projector was set to, as it was given; none where it was set to nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    parameters: Option<Box<RawValue>>,
    /// How many attestations it rests on.
    pub attestations: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    game: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    viewer: Option<String>,
    #[serde(rename = "as_of")]
    as_of: CardContext,
}

/// One thing that the record shows: `TrustSignalV1`, and what it rests on.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CardSignal {
    /// What it is about.
    pub label: String,
    /// `positive`, `negative`, `informational` or `unknown`.
    pub stance: &'static str,
    /// In one sentence.
    pub summary: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    confidence: Option<Box<RawValue>>,
    /// The records that show it.
    pub evidence_refs: Vec<CardRef>,
    /// The stance in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stance_text: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<&'static str>,
    games: u32,
    issuers: u32,
}

/// A pointer to a record: `TrustEvidenceRefV1`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CardRef {
    /// `attestation`.
    kind: &'static str,
    /// The digest of the record.
    pub id: String,
    /// `public`: nothing in the log is anything else.
    visibility: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    round: Option<u64>,
    summary: String,
    /// Its place in the log.
    pub seq: u64,
}

impl CardRef {
    /// To a record.
    #[must_use]
    pub fn new(seq: u64, digest: Digest, claim: &str, round: Option<u64>) -> Self {
        let (id, summary) = (digest.to_string(), claim.to_owned());
        Self { kind: "attestation", id, visibility: "public", round, summary, seq }
    }
}

/// Which component computed a card.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct ProjectorName {
    /// Its name.
    pub id: String,
    /// Its version.
    pub version: String,
    /// The SHA-256 of the component.
    pub digest: String,
}

/// As of what a card was computed; the form of `as_of` everywhere.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct CardContext {
    /// CAIP-2.
    pub chain: String,
    /// The block.
    pub block: CardBlock,
    /// `latest`, `safe` or `finalized`.
    pub finality: &'static str,
    /// How many records of the log were seen.
    pub log_size: u64,
}

/// A block.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct CardBlock {
    /// Its number.
    pub number: u64,
    /// Its hash; none where the block itself is not held.
    pub hash: Option<String>,
    /// Its time.
    pub time: Option<UnixSeconds>,
}

impl TrustCard {
    /// The card of a draft that was checked; `refs` has every record that it points to.
    #[must_use]
    pub fn new(
        view: &View,
        draft: Draft,
        projector: ProjectorName,
        as_of: CardContext,
        refs: &BTreeMap<u64, CardRef>,
    ) -> Self {
        let pointed = |seqs: &[u64]| seqs.iter().filter_map(|seq| refs.get(seq).cloned()).collect();
        let agent = view.agent.to_string();
        let signal = |signal: DraftSignal| CardSignal {
            label: visible(signal.label),
            stance: signal.stance.as_str(),
            summary: visible(signal.summary),
            confidence: signal.confidence.and_then(fraction),
            evidence_refs: pointed(&signal.evidence),
            stance_text: signal.stance_text.map(visible),
            source: signal.source.map(crate::attest::IssuerClass::as_str),
            games: signal.games,
            issuers: signal.issuers,
        };
        let mut all_caveats: Vec<_> = draft.caveats.into_iter().map(visible).collect();
        all_caveats.extend(caveats(view));
        Self {
            schema_version: SCHEMA,
            agent_id: agent.clone(),
            subject_id: agent.clone(),
            headline: visible(draft.headline),
            summary: visible(draft.summary),
            signals: draft.signals.into_iter().map(signal).collect(),
            caveats: all_caveats,
            evidence_refs: pointed(&draft.evidence),
            updated_at: view.time.get().saturating_mul(1_000),
            subject: agent,
            projector_id: projector.id.clone(),
            projector,
            parameters: parameters(&view.parameters),
            attestations: view.total,
            game: view.game.clone(),
            viewer: view.viewer.clone(),
            as_of,
        }
    }
}

/// What a projector was set to, where that is anything.
fn parameters(text: &str) -> Option<Box<RawValue>> {
    let set = RawValue::from_string(text.trim().to_owned()).ok()?;
    let is_something = set.get().chars().any(|c| !c.is_whitespace() && c != '{' && c != '}');
    is_something.then_some(set)
}

/// Parts per million as a number of JSON, by its digits: `0.94`.
fn fraction(ppm: u32) -> Option<Box<RawValue>> {
    let (whole, rest) = (ppm / 1_000_000, ppm % 1_000_000);
    let digits = format!("{whole}.{rest:06}");
    let text = digits.trim_end_matches('0').trim_end_matches('.');
    RawValue::from_string(text.to_owned()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_set_is_told() {
        for nothing in ["{}", " { } ", "no JSON"] {
            assert!(parameters(nothing).is_none(), "{nothing}");
        }
        assert_eq!(parameters(r#" {"least": 9} "#).unwrap().get(), r#"{"least": 9}"#);
    }

    #[test]
    fn parts_per_million_are_numbers_of_json() {
        let check = |ppm, expected: &str| assert_eq!(fraction(ppm).unwrap().get(), expected);
        check(0, "0");
        check(1, "0.000001");
        check(940_000, "0.94");
        check(1_000_000, "1");
    }
}
