//! One record as a projector sees it: what it says, without what it is wrapped in.
//!
//! A record was checked when it was taken in, and stands in the log in its RFC 8785 bytes; so it is read here without being checked again,
//! and its claim's data are handed on as the bytes that they are.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::attest::attestation::Confidence;

/// What a record says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen<'a> {
    /// The type of its claim.
    pub claim: Cow<'a, str>,
    /// The claim's data: a JSON object in RFC 8785 form.
    pub data: &'a str,
    /// In words for people.
    pub note: Option<Cow<'a, str>>,
    /// How sure its issuer is.
    pub confidence: Option<Confidence>,
    /// The platform.
    pub origin: Option<Cow<'a, str>>,
    /// The game.
    pub game: Option<Cow<'a, str>>,
    /// The round.
    pub round: Option<u64>,
    /// What backs it.
    pub evidence: Vec<SeenEvidence<'a>>,
}

/// What a record points to.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SeenEvidence<'a> {
    /// What kind of thing.
    #[serde(borrow)]
    pub kind: Cow<'a, str>,
    /// Which one.
    #[serde(borrow)]
    pub id: Cow<'a, str>,
    /// `public` or `viewer-visible`.
    #[serde(borrow)]
    pub visibility: Cow<'a, str>,
    /// The round that it is from.
    pub round: Option<u64>,
    /// Its place in the platform's relay log.
    pub relay_index: Option<u64>,
    /// In words for people.
    #[serde(borrow)]
    pub summary: Option<Cow<'a, str>>,
}

/// Why bytes of the log are no record: they were not written by this program.
#[derive(Debug, thiserror::Error)]
#[error("this is no record of the log: {0}")]
pub struct SeenError(#[from] serde_json::Error);

#[derive(Deserialize)]
struct Whole<'a> {
    #[serde(borrow)]
    attestation: Body<'a>,
    #[serde(borrow)]
    context: Place<'a>,
}

#[derive(Deserialize)]
struct Body<'a> {
    #[serde(borrow)]
    claim: Claim<'a>,
    #[serde(borrow)]
    note: Option<Cow<'a, str>>,
    #[serde(borrow)]
    confidence: Option<&'a RawValue>,
    round: Option<u64>,
    #[serde(borrow, rename = "evidenceRefs")]
    evidence: Option<Vec<SeenEvidence<'a>>>,
}

#[derive(Deserialize)]
struct Claim<'a> {
    #[serde(borrow, rename = "type")]
    kind: Cow<'a, str>,
    #[serde(borrow)]
    data: &'a RawValue,
}

#[derive(Deserialize)]
struct Place<'a> {
    #[serde(borrow)]
    origin: Option<Cow<'a, str>>,
    #[serde(borrow)]
    game: Option<Cow<'a, str>>,
}

impl<'a> Seen<'a> {
    /// Reads a record from its bytes in the log.
    ///
    /// # Errors
    /// When they are no record.
    pub fn read(record: &'a [u8]) -> Result<Self, SeenError> {
        let Whole { attestation: body, context } = serde_json::from_slice(record)?;
        // A number of JSON stands as it is, or as a text of digits.
        let confidence = body.confidence.map(|raw| raw.get().trim_matches('"'));
        Ok(Self {
            claim: body.claim.kind,
            data: body.claim.data.get(),
            note: body.note,
            confidence: confidence.and_then(Confidence::parse),
            origin: context.origin,
            game: context.game,
            round: body.round,
            evidence: body.evidence.unwrap_or_default(),
        })
    }

    /// What names its game among those of all platforms; `None` where it names none.
    #[must_use]
    pub fn game_key(&self) -> Option<String> {
        let game = self.game.as_deref()?;
        Some(serde_json::json!([self.origin.as_deref(), game]).to_string())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::attest::Attestation;

    #[test]
    fn a_record_of_the_log_is_read() {
        let whole = json!({
            "attestation": {
                "schemaVersion": "attestation/v1", "id": "1", "issuer": "eip155:8453:0x8004A169FB4a3325136EB29fA0ceB6D2e539a432:1",
                "issuerKind": "agent", "subject": "eip155:8453:0x8004A169FB4a3325136EB29fA0ceB6D2e539a432:22",
                "claim": { "type": "peer.assessment", "data": { "tag": "reli\"able", "b": 1 } },
                "note": "kept its \u{1f600} word", "confidence": 0.94, "round": 3,
                "evidenceRefs": [{ "kind": "relay", "id": "9", "visibility": "public", "relayIndex": 9 }],
            },
            "context": { "origin": "games", "game": "g1" },
        });
        let record = Attestation::from_value(whole).unwrap();
        let seen = Seen::read(record.canonical()).unwrap();
        assert_eq!(seen.claim, "peer.assessment");
        assert_eq!(seen.data, r#"{"b":1,"tag":"reli\"able"}"#);
        assert_eq!(seen.note.as_deref(), Some("kept its \u{1f600} word"));
        assert_eq!(seen.confidence.unwrap().ppb, 940_000_000);
        assert_eq!((seen.round, seen.game_key().as_deref()), (Some(3), Some(r#"["games","g1"]"#)));
        assert_eq!(seen.evidence[0].relay_index, Some(9));
    }

    #[test]
    fn other_bytes_are_refused() {
        assert!(Seen::read(b"{}").unwrap_err().to_string().contains("missing field `attestation`"));
    }
}
