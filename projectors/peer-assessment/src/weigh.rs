//! How much a voice weighs, and which way it speaks.
//!
//! A voice's record is that of the one of its issuers with the largest; a voice speaks the way most of its own assessments do.

use hallmark_projector::order::sorted_by;
use hallmark_projector::text::{counted, percent};
use hallmark_projector::{Selection, Standing};

use crate::parameters::{Direction, Parameters};

/// The voices of a selection, by which way they speak.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Voices {
    /// The weights of those that speak for the agent; of those without a record they are 0.
    pub(crate) for_it: Vec<u64>,
    pub(crate) against: Vec<u64>,
    /// Those that speak both ways alike, or neither.
    pub(crate) undecided: u64,
    /// Those with a record of their own, and those of which it is not known.
    pub(crate) with_record: u64,
    pub(crate) unknown: u64,
}

impl Voices {
    pub(crate) fn of(peers: &Selection<'_>, parameters: &Parameters) -> Self {
        let mut voices = Self::default();
        for (_, of_voice) in peers.by_voices() {
            let (mut for_it, mut against) = (0, 0);
            for (tag, part) in of_voice.by_word("tag") {
                match parameters.direction(tag) {
                    Direction::For => for_it += part.count(),
                    Direction::Against => against += part.count(),
                    Direction::Neither => {}
                }
            }
            let standing = record_of(&of_voice);
            match standing {
                Some(record) if record.voices > 0 => voices.with_record += 1,
                Some(_) => {}
                None => voices.unknown += 1,
            }
            let weight = weight(standing);
            match for_it.cmp(&against) {
                std::cmp::Ordering::Greater => voices.for_it.push(weight),
                std::cmp::Ordering::Less => voices.against.push(weight),
                std::cmp::Ordering::Equal => voices.undecided += 1,
            }
        }
        voices
    }

    /// How many of those that speak either way weigh anything.
    pub(crate) fn weighed_count(&self) -> usize {
        self.for_it.iter().chain(&self.against).filter(|weight| **weight > 0).count()
    }

    /// How much of the weight of those that speak either way speaks for the agent.
    pub(crate) fn percent_for_it(&self) -> Option<u64> {
        let (for_it, against) = (self.for_it.iter().sum::<u64>(), self.against.iter().sum::<u64>());
        (for_it + against > 0).then(|| percent(for_it, for_it + against))
    }
}

/// The largest record among the issuers of a voice.
fn record_of(of_voice: &Selection<'_>) -> Option<Standing> {
    let records = of_voice.issuer_list().into_iter().filter_map(|issuer| issuer.standing);
    records.max_by_key(|record| (record.voices, record.received))
}

/// Nothing without a record, 1 with one voice in it, and 1 more for each doubling.
fn weight(standing: Option<Standing>) -> u64 {
    let voices = standing.map_or(0, |record| record.voices);
    u64::from(voices.saturating_add(1).ilog2())
}

/// The issuer with the largest record, as the end of a sentence.
pub(crate) fn best_known(part: &Selection<'_>) -> String {
    let known =
        part.issuer_list().into_iter().filter_map(|issuer| Some((issuer.standing?, issuer)));
    let known = known.filter(|(record, _)| record.voices > 0);
    let sorted = sorted_by(known, |(a, x), (b, y)| {
        (b.voices, b.received, &x.name) <= (a.voices, a.received, &y.name)
    });
    sorted.first().map_or(String::new(), |(record, issuer)| {
        let received = counted(record.received, "attestation");
        format!(
            "; the best attested is {}, with {received} of {}",
            issuer.name,
            counted(record.voices, "voice")
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_doubling_of_voices_adds_one() {
        let of = |voices| weight(Some(Standing { received: 1_000, voices, given: 0 }));
        assert_eq!(weight(None), 0);
        let weights = [0, 1, 2, 3, 6, 7, 100_000, u32::MAX].map(of);
        assert_eq!(weights, [0, 1, 1, 2, 2, 3, 16, 31]);
    }
}
