//! What a projector returns, and whether it is a card: each field within its bounds, each pointer to a record of the agent.
//!
//! The bounds are those of `projectors/wit/projector.wit`. A draft with a flaw is no card, and the flaw names the field, so that whoever
//! writes the projector finds it.

use std::fmt;

use crate::attest::IssuerClass;

const LABEL_BYTES_MAX: usize = 80;
const STANCE_TEXT_BYTES_MAX: usize = 80;
const SIGNAL_SUMMARY_BYTES_MAX: usize = 1_000;
const HEADLINE_BYTES_MAX: usize = 200;
const SUMMARY_BYTES_MAX: usize = 2_000;
const CAVEAT_BYTES_MAX: usize = 500;
const LIST_MAX: usize = 32;
const EVIDENCE_MAX: usize = 50;
const PPM: u32 = 1_000_000;

/// What a projector says of an agent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Draft {
    /// In a few words.
    pub headline: String,
    /// In a few sentences.
    pub summary: String,
    /// What the record shows.
    pub signals: Vec<DraftSignal>,
    /// What it cannot tell.
    pub caveats: Vec<String>,
    /// The records that the card as a whole rests on.
    pub evidence: Vec<u64>,
}

/// One thing that the record shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DraftSignal {
    /// What it is about.
    pub label: String,
    /// For or against.
    pub stance: Stance,
    /// In one sentence.
    pub summary: String,
    /// The stance in words.
    pub stance_text: Option<String>,
    /// Parts per million.
    pub confidence: Option<u32>,
    /// The class of issuers that it rests on.
    pub source: Option<IssuerClass>,
    /// So many games.
    pub games: u32,
    /// So many issuers.
    pub issuers: u32,
    /// The records that show it.
    pub evidence: Vec<u64>,
}

/// Whether a signal speaks for the agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stance {
    /// For it.
    Positive,
    /// Against it.
    Negative,
    /// Neither.
    Informational,
    /// The record does not say.
    Unknown,
}

impl Stance {
    /// The word for it in cards.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Positive => "positive",
            Self::Negative => "negative",
            Self::Informational => "informational",
            Self::Unknown => "unknown",
        }
    }
}

/// The first field of a draft that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flaw {
    /// Such as `signals[2].confidence`.
    pub field: String,
    /// What is wrong with it.
    pub what: String,
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.field, self.what)
    }
}

impl Draft {
    /// Finds the first field that is wrong, for an agent with so many records; `is_held` says whether a place of the log is one of them.
    ///
    /// # Errors
    /// Names it.
    pub fn check(&self, records: usize, is_held: impl Fn(u64) -> bool) -> Result<(), Flaw> {
        line("headline", &self.headline, 1, HEADLINE_BYTES_MAX)?;
        text("summary", &self.summary, 0, SUMMARY_BYTES_MAX)?;
        count("signals", self.signals.len(), LIST_MAX)?;
        for (index, signal) in self.signals.iter().enumerate() {
            signal.check(&format!("signals[{index}]"), records, &is_held)?;
        }
        count("caveats", self.caveats.len(), LIST_MAX)?;
        for (index, caveat) in self.caveats.iter().enumerate() {
            text(&format!("caveats[{index}]"), caveat, 1, CAVEAT_BYTES_MAX)?;
        }
        evidence("evidence", &self.evidence, is_held)
    }

    /// Every record that it points to, in the order of the log.
    #[must_use]
    pub fn evidence_of_all(&self) -> Vec<u64> {
        let of_signals = self.signals.iter().flat_map(|signal| &signal.evidence);
        let mut all: Vec<u64> = of_signals.chain(&self.evidence).copied().collect();
        all.sort_unstable();
        all.dedup();
        all
    }
}

impl DraftSignal {
    fn check(&self, at: &str, records: usize, is_held: impl Fn(u64) -> bool) -> Result<(), Flaw> {
        line(&format!("{at}.label"), &self.label, 1, LABEL_BYTES_MAX)?;
        text(&format!("{at}.summary"), &self.summary, 0, SIGNAL_SUMMARY_BYTES_MAX)?;
        if let Some(stance) = &self.stance_text {
            line(&format!("{at}.stance-text"), stance, 1, STANCE_TEXT_BYTES_MAX)?;
        }
        if let Some(confidence) = self.confidence.filter(|confidence| *confidence > PPM) {
            let what =
                format!("{confidence} parts per million is more than {PPM}, which is certain");
            return Err(Flaw { field: format!("{at}.confidence"), what });
        }
        // Each game and each issuer takes a record.
        for (name, number) in [("games", self.games), ("issuers", self.issuers)] {
            if usize::try_from(number).is_ok_and(|number| number > records) {
                let what = format!("{number} is more than the agent has attestations, {records}");
                return Err(Flaw { field: format!("{at}.{name}"), what });
            }
        }
        evidence(&format!("{at}.evidence"), &self.evidence, is_held)
    }
}

fn text(field: &str, text: &str, min: usize, max: usize) -> Result<(), Flaw> {
    let flaw = |what| Err(Flaw { field: field.to_owned(), what });
    if text.len() < min {
        return flaw("it is empty".to_owned());
    }
    if text.len() > max {
        return flaw(format!("it has {} bytes; at most {max} are shown", text.len()));
    }
    match text.chars().find(|c| c.is_control() && *c != '\n') {
        Some(control) => flaw(format!("it has the control character U+{:04X}", u32::from(control))),
        None => Ok(()),
    }
}

/// A text that could pass for another field where it had more lines than one.
fn line(field: &str, whole: &str, min: usize, max: usize) -> Result<(), Flaw> {
    text(field, whole, min, max)?;
    if whole.contains('\n') {
        return Err(Flaw { field: field.to_owned(), what: "it is more than one line".to_owned() });
    }
    Ok(())
}

/// Whether a character is none that is seen, and changes how others are: controls, and those that turn, break or join what is around them.
/// Those that join emoji and letters of some scripts are not among them.
#[must_use]
pub fn is_hidden(c: char) -> bool {
    let turns = matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let is_nothing =
        matches!(c, '\u{200b}' | '\u{2060}'..='\u{2064}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}');
    c.is_control() || turns || is_nothing || matches!(c, '\u{2028}' | '\u{2029}')
}

/// A text as it is shown: what is hidden in it, which a peer's note may have brought, is made visible.
#[must_use]
pub(super) fn visible(text: String) -> String {
    let hides = |c: char| c != '\n' && is_hidden(c);
    if text.contains(hides) { text.replace(hides, "\u{fffd}") } else { text }
}

fn count(field: &str, length: usize, max: usize) -> Result<(), Flaw> {
    if length <= max {
        return Ok(());
    }
    Err(Flaw {
        field: field.to_owned(),
        what: format!("it has {length} entries; at most {max} are shown"),
    })
}

fn evidence(field: &str, seqs: &[u64], is_held: impl Fn(u64) -> bool) -> Result<(), Flaw> {
    count(field, seqs.len(), EVIDENCE_MAX)?;
    match seqs.iter().enumerate().find(|(_, seq)| !is_held(**seq)) {
        Some((index, seq)) => Err(Flaw {
            field: format!("{field}[{index}]"),
            what: format!("there is no attestation {seq} in what the projector was shown"),
        }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signal() -> DraftSignal {
        DraftSignal {
            label: "cooperation".to_owned(),
            stance: Stance::Positive,
            summary: "cooperated in 8 of 10 rounds".to_owned(),
            stance_text: Some("80% / 1 game".to_owned()),
            confidence: Some(PPM),
            source: Some(IssuerClass::System),
            games: 1,
            issuers: 1,
            evidence: vec![7],
        }
    }

    fn draft() -> Draft {
        Draft {
            headline: "Keeps its word".to_owned(),
            summary: "Two\nlines".to_owned(),
            signals: vec![signal(), signal()],
            caveats: vec!["one game only".to_owned()],
            evidence: vec![7, 9],
        }
    }

    fn check(change: impl FnOnce(&mut Draft), expected: &str) {
        let mut draft = draft();
        change(&mut draft);
        let flaw = draft.check(9, |seq| [7, 9].contains(&seq)).unwrap_err();
        assert_eq!(flaw.to_string(), expected);
    }

    #[test]
    fn a_flaw_names_its_field() {
        assert_eq!(draft().check(9, |seq| [7, 9].contains(&seq)), Ok(()));
        check(|d| d.headline.clear(), "headline: it is empty");
        check(
            |d| d.summary = "x".repeat(2_001),
            "summary: it has 2001 bytes; at most 2000 are shown",
        );
        check(
            |d| d.signals = vec![signal(); 33],
            "signals: it has 33 entries; at most 32 are shown",
        );
        check(
            |d| d.signals[1].confidence = Some(1_500_000),
            "signals[1].confidence: 1500000 parts per million is more than 1000000, which is certain",
        );
        check(
            |d| d.signals[1].evidence.push(8),
            "signals[1].evidence[1]: there is no attestation 8 in what the projector was shown",
        );
        check(|d| d.evidence = vec![7; 51], "evidence: it has 51 entries; at most 50 are shown");
        check(
            |d| d.signals[0].label = "a\u{1b}[2J".to_owned(),
            "signals[0].label: it has the control character U+001B",
        );
        check(
            |d| d.signals[0].stance_text = Some(String::new()),
            "signals[0].stance-text: it is empty",
        );
        check(|d| d.headline.push_str("\n+ forged"), "headline: it is more than one line");
        check(
            |d| d.signals[1].games = 10,
            "signals[1].games: 10 is more than the agent has attestations, 9",
        );
        check(|d| d.caveats.push(String::new()), "caveats[1]: it is empty");
        check(
            |d| d.caveats = vec!["x".to_owned(); 33],
            "caveats: it has 33 entries; at most 32 are shown",
        );
    }

    #[test]
    fn what_is_hidden_is_made_visible() {
        let shown = |text: &str| visible(text.to_owned());
        assert_eq!(shown("a\u{202e}b\u{2028}c\u{feff}"), "a\u{fffd}b\u{fffd}c\u{fffd}");
        for plain in ["two\nlines", "\u{1f468}\u{200d}\u{1f469}", "\u{645}\u{200c}\u{6cc}"] {
            assert_eq!(shown(plain), plain);
        }
    }

    #[test]
    fn every_pointer_is_followed_once() {
        assert_eq!(draft().evidence_of_all(), [7, 9]);
    }
}
