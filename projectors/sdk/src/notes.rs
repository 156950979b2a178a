//! Notes: what issuers wrote beside their claims, word for word and under their names.
//!
//! A note is somebody else's text. It stands between quotation marks, on one line, behind the name of whoever wrote it, and is a signal of
//! its own, so that nothing in it can pass for something that the card says. A voice that writes many is shown few of.

use crate::text::{day, quote};
use crate::{Said, Selection, SignalBuilder, Stance};

/// The newest notes of a selection, as signals under a label: at most so many, and at most so many of each voice.
pub fn notes(
    of: &Selection<'_>,
    label: &str,
    most: usize,
    most_of_a_voice: usize,
) -> Vec<SignalBuilder> {
    let mut heard: Vec<u32> = Vec::new();
    let mut signals = Vec::new();
    for said in of.recent() {
        let (Some(note), Some(issuer)) = (&said.attestation.note, said.issuer) else { continue };
        let heard_count = heard.iter().filter(|voice| **voice == issuer.voice).count();
        if note.trim().is_empty() || heard_count >= most_of_a_voice {
            continue;
        }
        if signals.len() == most {
            break;
        }
        heard.push(issuer.voice);
        let sentence = format!("{}: {}", attribution(said), quote(note));
        signals
            .push(SignalBuilder::new(label, Stance::Informational, &sentence).rests_on_one(said));
    }
    signals
}

/// Who said something, in which game and round, and on which day.
pub fn attribution(said: Said<'_>) -> String {
    let issuer = said.issuer.map_or("somebody", |issuer| issuer.name.as_str());
    let attestation = said.attestation;
    let game =
        attestation.game.as_deref().map_or(String::new(), |game| format!(", game {}", quote(game)));
    let round = attestation.round.map_or(String::new(), |round| format!(", round {round}"));
    format!("{issuer}{game}{round}, on {}", day(attestation.said_at))
}

#[cfg(test)]
mod tests {
    use crate::testing::RecordBuilder;
    use crate::{History, IssuerClass};

    use super::*;

    #[test]
    fn few_notes_of_each_voice_newest_first() {
        let mut record = RecordBuilder::new();
        let loud = record.issuer("loud", IssuerClass::Agent);
        let puppet = record.issuer("puppet", IssuerClass::Agent);
        let quiet = record.issuer("quiet", IssuerClass::Agent);
        record.set_voice(puppet, loud);
        record.say(quiet, "peer.assessment", "{}").note("fine").game("g1").round(2);
        record.say(quiet, "peer.assessment", "{}").note("not at all").withdrawn();
        for number in 0..5 {
            record.say(loud, "peer.assessment", "{}").note(&format!("loud {number}"));
            record.say(puppet, "peer.assessment", "{}").note(" \n");
            record.say(puppet, "peer.assessment", "{}").note(&format!("puppet {number}"));
        }
        let view = record.finish();
        let signals = notes(&History::of(&view).all(), "Note", 10, 2);
        let summaries: Vec<String> = signals.into_iter().map(|s| s.build().summary).collect();
        assert_eq!(
            summaries,
            [
                "puppet, on 2026-02-02: “puppet 4”",
                "loud, on 2026-02-02: “loud 4”",
                "quiet, game “g1”, round 2, on 2026-02-02: “fine”",
            ]
        );
        assert_eq!(notes(&History::of(&view).all(), "Note", 1, 2).len(), 1);
    }
}
