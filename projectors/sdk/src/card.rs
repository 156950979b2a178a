//! Cards and their signals, within the limits of the interface.
//!
//! A text that is too long is cut, and what is more than a list may hold is left out from its end: so put first what matters. Which
//! attestations show a signal, and on how many games and issuers it rests, comes from the selections that it is made from.

use crate::order::{descending, distinct, number};
use crate::text::{counted, cut};
use crate::{Card, Said, Selection, Signal, Stance, View};

/// Bytes of a label, and of a stance in words.
pub const LABEL_BYTES_MAX: usize = 80;
/// Bytes of a signal's summary.
pub const SIGNAL_BYTES_MAX: usize = 1_000;
/// Bytes of a headline.
pub const HEADLINE_BYTES_MAX: usize = 200;
/// Bytes of a card's summary.
pub const SUMMARY_BYTES_MAX: usize = 2_000;
/// Bytes of a caveat.
pub const CAVEAT_BYTES_MAX: usize = 500;
/// Signals of a card.
pub const SIGNALS_MAX: usize = 32;
/// Caveats of a card.
pub const CAVEATS_MAX: usize = 32;
/// Places in the log, of a card and of a signal.
pub const EVIDENCE_MAX: usize = 50;
/// Places in the log that a signal shows unless it says otherwise: enough to look at.
const EVIDENCE_SHOWN: usize = 12;

/// A signal in the making.
#[derive(Clone, Debug)]
pub struct SignalBuilder {
    signal: Signal,
}

impl SignalBuilder {
    /// What it is about, and what the record shows, in one sentence.
    pub fn new(label: &str, stance: Stance, summary: &str) -> Self {
        Self {
            signal: Signal {
                label: cut(label, LABEL_BYTES_MAX),
                stance,
                summary: cut(summary, SIGNAL_BYTES_MAX),
                stance_text: None,
                confidence: None,
                source: None,
                games: 0,
                issuers: 0,
                evidence: Vec::new(),
            },
        }
    }

    /// The stance in words: `78% / 12 games`.
    #[must_use]
    pub fn stance_text(mut self, text: &str) -> Self {
        self.signal.stance_text = Some(cut(text, LABEL_BYTES_MAX));
        self
    }

    /// How sure it is, in parts per million.
    #[must_use]
    pub fn confidence(mut self, ppm: u32) -> Self {
        self.signal.confidence = Some(ppm.min(1_000_000));
        self
    }

    /// What it rests on: games, issuers, their class, and the newest attestations as evidence.
    #[must_use]
    pub fn rests_on(mut self, selection: &Selection<'_>) -> Self {
        self.signal.games = selection.games().least;
        self.signal.issuers = selection.issuers();
        self.signal.source = selection.source();
        self.signal.evidence = selection.evidence(EVIDENCE_SHOWN);
        self
    }

    /// It rests on a single attestation.
    #[must_use]
    pub fn rests_on_one(mut self, said: Said<'_>) -> Self {
        self.signal.games = u32::from(said.attestation.game.is_some());
        self.signal.issuers = 1;
        self.signal.source = said.issuer.map(|issuer| issuer.class);
        self.signal.evidence = vec![said.attestation.seq];
        self
    }

    /// It rests on these attestations: the games and issuers that they name.
    #[must_use]
    pub fn rests_on_all<'a>(mut self, all: impl IntoIterator<Item = Said<'a>>) -> Self {
        let all: Vec<Said<'a>> = all.into_iter().collect();
        let game = |said: &Said<'a>| {
            let said = said.attestation;
            Some((said.origin.as_deref().unwrap_or(""), said.game.as_deref()?))
        };
        self.signal.games = number(distinct(all.iter().filter_map(game)).len());
        self.signal.issuers =
            number(distinct(all.iter().map(|said| said.attestation.issuer)).len());
        let mut classes = all.iter().filter_map(|said| Some(said.issuer?.class));
        let first = classes.next();
        self.signal.source = first.filter(|first| classes.all(|class| class == *first));
        self.signal.evidence = descending(all.iter().map(|said| said.attestation.seq));
        self.signal.evidence.truncate(EVIDENCE_SHOWN);
        self
    }

    /// These attestations instead, by their places in the log.
    #[must_use]
    pub fn evidence(mut self, places: &[u64]) -> Self {
        self.signal.evidence = places.iter().copied().take(EVIDENCE_MAX).collect();
        self
    }

    /// The signal.
    pub fn build(self) -> Signal {
        self.signal
    }
}

/// A card in the making.
#[derive(Clone, Debug)]
pub struct CardBuilder {
    card: Card,
}

impl CardBuilder {
    /// What it comes to, and what the record shows.
    pub fn new(headline: &str, summary: &str) -> Self {
        Self {
            card: Card {
                headline: cut(headline, HEADLINE_BYTES_MAX),
                summary: cut(summary, SUMMARY_BYTES_MAX),
                signals: Vec::new(),
                caveats: Vec::new(),
                evidence: Vec::new(),
            },
        }
    }

    /// A further signal, if there is still room.
    #[must_use]
    pub fn signal(mut self, signal: SignalBuilder) -> Self {
        if self.card.signals.len() < SIGNALS_MAX {
            self.card.signals.push(signal.build());
        }
        self
    }

    /// Further signals, as far as there is room.
    #[must_use]
    pub fn signals(self, signals: impl IntoIterator<Item = SignalBuilder>) -> Self {
        signals.into_iter().fold(self, Self::signal)
    }

    /// Something that the record cannot tell, if it is not said already.
    #[must_use]
    pub fn caveat(mut self, text: &str) -> Self {
        let text = cut(text, CAVEAT_BYTES_MAX);
        if self.card.caveats.len() < CAVEATS_MAX && !self.card.caveats.contains(&text) {
            self.card.caveats.push(text);
        }
        self
    }

    /// Something that the record cannot tell, where it cannot.
    #[must_use]
    pub fn caveat_if(self, holds: bool, text: &str) -> Self {
        if holds { self.caveat(text) } else { self }
    }

    /// The card. Its evidence is that of its signals, newest first.
    pub fn build(mut self) -> Card {
        let shown = self.card.signals.iter().flat_map(|signal| signal.evidence.iter().copied());
        let mut places = descending(shown);
        places.dedup();
        places.truncate(EVIDENCE_MAX);
        self.card.evidence = places;
        self.card
    }
}

/// The card of an agent of which the record says nothing of a kind (`peer assessments`).
pub fn no_history(view: &View, of_what: &str) -> Card {
    // Where nothing stands, what is shown was withdrawn.
    let withdrawn =
        if view.recent.is_empty() { "" } else { " that their issuers have not withdrawn" };
    let summary = format!(
        "There are no {of_what} about this agent{withdrawn}. That is neither good nor bad."
    );
    let label = "History";
    let signal = SignalBuilder::new(
        label,
        Stance::Unknown,
        &format!("There are no {of_what} about this agent."),
    );
    CardBuilder::new("No history", &summary).signal(signal.stance_text("no history")).build()
}

/// What is said by the agent itself and whoever is under one control with it, set apart: so many of what is counted nowhere else.
pub fn said_by_its_own(own: &Selection<'_>, what: &str) -> Option<SignalBuilder> {
    if own.is_empty() {
        return None;
    }
    let sentence = format!(
        "{} by the agent itself or whoever is under one control with it, counted nowhere else.",
        counted(own.count(), what)
    );
    let signal = SignalBuilder::new("Said by its own", Stance::Informational, &sentence);
    Some(signal.stance_text("not counted").rests_on(own))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::RecordBuilder;
    use crate::{History, IssuerClass};

    #[test]
    fn whatever_is_put_in_stays_within_the_limits() {
        let long = "ä€🦀".repeat(2_000);
        let mut record = RecordBuilder::new();
        for number in 0..60 {
            let issuer = record.issuer(&format!("issuer {number}"), IssuerClass::Agent);
            record.say(issuer, "peer.assessment", "{}");
        }
        let view = record.finish();
        let history = History::of(&view);
        let mut card = CardBuilder::new(&long, &long);
        for number in 0..100 {
            let signal = SignalBuilder::new(&long, Stance::Positive, &long)
                .stance_text(&long)
                .confidence(u32::MAX)
                .rests_on(&history.all());
            card = card.signal(signal).caveat(&format!("{number}{long}")).caveat("again");
        }
        let card = card.build();
        assert!(
            card.headline.len() <= HEADLINE_BYTES_MAX && card.summary.len() <= SUMMARY_BYTES_MAX
        );
        assert_eq!((card.signals.len(), card.caveats.len()), (SIGNALS_MAX, CAVEATS_MAX));
        assert!(card.caveats.iter().all(|caveat| caveat.len() <= CAVEAT_BYTES_MAX));
        for signal in &card.signals {
            assert!(
                signal.label.len() <= LABEL_BYTES_MAX && signal.summary.len() <= SIGNAL_BYTES_MAX
            );
            assert!(signal.stance_text.as_ref().unwrap().len() <= LABEL_BYTES_MAX);
            assert_eq!((signal.confidence, signal.issuers), (Some(1_000_000), 60));
            assert_eq!(signal.evidence.len(), EVIDENCE_SHOWN);
        }
        assert_eq!(card.evidence.first(), Some(&59));
    }

    #[test]
    fn no_record_is_said_to_be_none() {
        let card = no_history(&RecordBuilder::new().finish(), "peer assessments");
        assert_eq!(card.headline, "No history");
        assert_eq!(card.signals[0].stance, Stance::Unknown);
        assert!(card.evidence.is_empty());
        assert!(!card.summary.contains("withdrawn"));
        let mut record = RecordBuilder::new();
        let issuer = record.issuer("issuer", IssuerClass::Agent);
        record.say(issuer, "peer.assessment", "{}").withdrawn();
        let card = no_history(&record.finish(), "peer assessments");
        assert!(card.summary.contains("that their issuers have not withdrawn"), "{}", card.summary);
    }
}
