//! What is counted: characters of a specification (definition 1), and interactions of a run (definition 4).
//!
//! Both are free to inflate for whoever writes them, so the rules say exactly what counts, and each count says what it left out.

use std::collections::BTreeSet;

use serde::Serialize;

use super::case::{Interaction, Run, Signer};

/// How many characters a specification has: the Unicode scalar values of its conditions, as RFC 8785 canonical JSON, and of the text of
/// its scope's grammar. What is absent has none. Counts above 2^32 - 1 count as that.
#[must_use]
pub fn specification_chars(canonical_conditions: Option<&str>, scope_grammar: Option<&str>) -> u32 {
    let chars = [canonical_conditions, scope_grammar]
        .into_iter()
        .flatten()
        .map(|text| text.chars().count());
    u32::try_from(chars.sum::<usize>()).unwrap_or(u32::MAX)
}

/// How many of some records count, and why the others do not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counted {
    /// These count.
    pub counted: u32,
    /// Recorded before the run began or after it ended.
    pub outside_run: u32,
    /// Signed by neither parent nor child.
    pub foreign: u32,
    /// The same record once more.
    pub repeated: u32,
    /// Another record of an event of the child that has one.
    pub same_event: u32,
}

/// Counts the interactions of a run: those within it, signed by the parent or the child, each once by its digest, and at most one for each
/// event of the child.
#[must_use]
pub fn count(run: Run, records: &[Interaction]) -> Counted {
    let mut counted = Counted::default();
    let (mut seen, mut events) = (BTreeSet::new(), BTreeSet::new());
    for record in records {
        let column = if !(run.start..=run.end).contains(&record.at) {
            &mut counted.outside_run
        } else if record.signer == Signer::Other {
            &mut counted.foreign
        } else if !seen.insert(record.digest) {
            &mut counted.repeated
        } else if !events.insert(record.event) {
            &mut counted.same_event
        } else {
            &mut counted.counted
        };
        *column = column.saturating_add(1);
    }
    counted
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vocab::Digest;

    /// Definition 1: characters are Unicode scalar values of the canonical conditions and of the grammar; what is absent has none.
    #[test]
    fn definition_1_characters_are_scalar_values_of_both_texts() {
        for (conditions, grammar, chars) in [
            (None, None, 0),
            (Some("[]"), None, 2),
            (Some(r#"[{"type":"latency"}]"#), Some("read"), 24),
            // Three bytes, four bytes, and two scalar values that are seen as one letter.
            (Some("\u{20ac}\u{1f642}e\u{301}"), None, 4),
            (None, Some("grüße"), 5),
        ] {
            assert_eq!(specification_chars(conditions, grammar), chars, "{conditions:?}");
        }
    }

    /// Definition 4: records within the run, by either side, once by digest, and once for each event of the child.
    #[test]
    fn definition_4_each_event_within_the_run_counts_once() {
        let record = |name: &str, at, signer, event: &str| Interaction {
            digest: Digest::of(name.as_bytes()),
            at,
            signer,
            event: Digest::of(event.as_bytes()),
        };
        let run = Run { start: 100, end: 200 };
        let records = [
            record("first", 100, Signer::Parent, "a"),
            record("last", 200, Signer::Child, "b"),
            record("early", 99, Signer::Child, "c"),
            record("late", 201, Signer::Parent, "d"),
            record("stranger", 150, Signer::Other, "e"),
            record("first", 100, Signer::Parent, "a"),
            record("again", 150, Signer::Parent, "a"),
            record("again", 150, Signer::Parent, "a"),
        ];
        let counted = count(run, &records);
        let expected =
            Counted { counted: 2, outside_run: 2, foreign: 1, repeated: 2, same_event: 1 };
        assert_eq!(counted, expected);
        // The order in which records came in does not matter to what counts.
        let reversed: Vec<_> = records.into_iter().rev().collect();
        assert_eq!(count(run, &reversed).counted, 2);
    }
}
