//! Figures of feedback: for each tag, an average of each voice, and the median and mean of these.

use hallmark_projector::figures::{divide, mean, median, rescale};
use hallmark_projector::text::{counted, decimal, quote};
use hallmark_projector::{Basis, History, Said, Selection, SignalBuilder, Stance};

use crate::FEEDBACK;
use crate::parameters::Parameters;

/// Tags of which figures are shown.
const TAGS_MAX: usize = 8;
/// Digits in which values are summed, and those that are shown.
const DIGITS: u32 = 6;
const DIGITS_SHOWN: u32 = 2;
/// From so much of a scale on a value is good, and below so much it is bad, in percent.
const GOOD_PERCENT: i128 = 60;
const BAD_PERCENT: i128 = 40;

/// Feedback under one tag.
pub(crate) struct Figure<'a> {
    tag: Option<&'a str>,
    of: Selection<'a>,
    /// Each voice's average, in millionths.
    voices: Vec<i128>,
    /// How many values were read, and how many could not be.
    read: u64,
    unreadable: u64,
    scale: Option<i128>,
}

/// The figures by others than the agent's own, for tags by many voices first.
pub(crate) fn figures<'a>(history: &'a History<'a>, parameters: &Parameters) -> Vec<Figure<'a>> {
    let others = history.claim(FEEDBACK).by_others();
    let tags = others.by_word("tag1").into_iter();
    let figures = tags.map(|(tag, of)| Figure::of(tag, of, parameters));
    figures.filter(|figure| figure.read > 0).take(TAGS_MAX).collect()
}

/// Whether it was read from the chain. Elsewhere anybody may call anything feedback.
pub(crate) fn is_on_chain(said: Said<'_>) -> bool {
    said.attestation.basis == Basis::Chain
}

/// The value of a feedback, in millionths.
fn value(said: Said<'_>) -> Option<i128> {
    let digits = u32::try_from(said.data().whole("valueDecimals")?).ok()?;
    rescale(said.data().whole("value")?, digits, DIGITS)
}

impl<'a> Figure<'a> {
    fn of(tag: Option<&'a str>, of: Selection<'a>, parameters: &Parameters) -> Self {
        let scale = tag.and_then(|tag| parameters.scale(tag));
        let (mut read, mut unreadable) = (0, 0);
        let mut by_voice: Vec<(u32, Vec<i128>)> = Vec::new();
        for said in of.recent().filter(|said| is_on_chain(*said)) {
            let (Some(issuer), Some(value)) = (said.issuer, value(said)) else {
                unreadable += 1;
                continue;
            };
            read += 1;
            match by_voice.iter_mut().find(|(voice, _)| *voice == issuer.voice) {
                Some((_, values)) => values.push(value),
                None => by_voice.push((issuer.voice, vec![value])),
            }
        }
        let voices = by_voice.iter().filter_map(|(_, values)| mean(values)).collect();
        Self { tag, of, voices, read, unreadable, scale }
    }

    fn name(&self) -> String {
        match self.tag {
            Some("") | None => "without a short tag".to_owned(),
            Some(tag) => quote(tag),
        }
    }

    fn median(&self) -> String {
        median(&self.voices).map_or("unknown".to_owned(), shown)
    }

    /// `“starred” median 87 of 100`.
    pub(crate) fn short(&self) -> String {
        let scale = self.scale.map_or(String::new(), |most| format!(" of {most}"));
        format!("{} median {}{scale}", self.name(), self.median())
    }

    fn stance(&self) -> Stance {
        let (Some(scale), Some(median)) = (self.scale, median(&self.voices)) else {
            return Stance::Informational;
        };
        let Some(percent) = median.checked_div(scale).and_then(|ratio| divide(ratio, 10_000))
        else {
            return Stance::Informational;
        };
        match percent {
            GOOD_PERCENT.. => Stance::Positive,
            ..BAD_PERCENT => Stance::Negative,
            _ => Stance::Informational,
        }
    }

    /// What it shows.
    pub(crate) fn signal(&self) -> SignalBuilder {
        let bound = |least: Option<&i128>| least.map_or("unknown".to_owned(), |v| shown(*v));
        let unreadable = if self.unreadable == 0 {
            String::new()
        } else {
            format!(" {} cannot be read.", counted(self.unreadable, "value"))
        };
        let sentence = format!(
            "Feedback {}: averages of {} lie from {} to {}, median {}, mean {}, from {} of {}.{unreadable}",
            self.name(),
            counted(u64::try_from(self.voices.len()).unwrap_or(u64::MAX), "voice"),
            bound(self.voices.iter().min()),
            bound(self.voices.iter().max()),
            self.median(),
            mean(&self.voices).map_or("unknown".to_owned(), shown),
            self.read,
            counted(self.of.count(), "value"),
        );
        let voices = counted(u64::try_from(self.voices.len()).unwrap_or(u64::MAX), "voice");
        SignalBuilder::new(&format!("Feedback {}", self.name()), self.stance(), &sentence)
            .stance_text(&format!("median {} / {voices}", self.median()))
            .rests_on(&self.of)
    }
}

/// A value in millionths, as it is shown.
fn shown(millionths: i128) -> String {
    rescale(millionths, DIGITS, DIGITS_SHOWN).map_or(String::new(), |v| decimal(v, DIGITS_SHOWN))
}
