//! Validations: what validators answered to requests, from 0 to 100, the last answer of each validator to each request.

use hallmark_projector::figures::{mean, median};
use hallmark_projector::order::distinct;
use hallmark_projector::text::counted;
use hallmark_projector::{History, Selection, SignalBuilder, Stance};

use crate::feedback::is_on_chain;

const REQUEST: &str = "erc8004.validation_request.v1";
const ANSWER: &str = "erc8004.validation_response.v1";
/// From so much on an answer is a pass, and below so much it is a failure.
const PASSED: i128 = 60;
const FAILED: i128 = 40;

/// What the registry of validations shows.
pub(crate) fn signals(history: &History<'_>) -> Vec<SignalBuilder> {
    let others = history.claim(ANSWER).by_others();
    let own = history.claim(ANSWER).by_kin();
    let requests = history.claim(REQUEST);
    let mut signals = Vec::new();
    if !others.is_empty() {
        signals.push(answers(&others));
    }
    if !own.is_empty() {
        let sentence = format!(
            "{} by the agent's own owner or wallet, now or before, or under one control with it: in no figure.",
            counted(own.count(), "validation answer")
        );
        let signal = SignalBuilder::new("Validations by its own", Stance::Informational, &sentence);
        signals.push(signal.stance_text(&format!("{} set apart", own.count())).rests_on(&own));
    }
    if !requests.is_empty() {
        let sentence = format!(
            "{} for the agent, and {} on record.",
            counted(requests.count(), "request for validation"),
            counted(others.count().saturating_add(own.count()), "answer")
        );
        let signal = SignalBuilder::new("Validation requests", Stance::Informational, &sentence);
        let text = counted(requests.count(), "request");
        signals.push(signal.stance_text(&text).rests_on(&requests));
    }
    signals
}

fn answers(others: &Selection<'_>) -> SignalBuilder {
    let averages = averages(others);
    let middle = median(&averages);
    let stance = match middle {
        Some(PASSED..) => Stance::Positive,
        Some(..FAILED) => Stance::Negative,
        Some(_) => Stance::Informational,
        None => Stance::Unknown,
    };
    let middle = middle.map_or("unknown".to_owned(), |value| value.to_string());
    let voices = counted(others.voices(), "voice");
    let sentence = format!(
        "{} by {voices}: over the last answers of each to each request, the median is {middle} of 100.",
        counted(others.count(), "validation answer")
    );
    SignalBuilder::new("Validations", stance, &sentence)
        .stance_text(&format!("median {middle} / {voices}"))
        .rests_on(others)
}

/// Each voice's average of its last answers.
fn averages(others: &Selection<'_>) -> Vec<i128> {
    let mut last: Vec<(u32, &str, i128)> = Vec::new();
    for said in others.recent().filter(|said| is_on_chain(*said)) {
        let (Some(issuer), Some(response)) = (said.issuer, said.data().whole("response")) else {
            continue;
        };
        let request = said.data().text("validation").unwrap_or("");
        // The newest come first, so an earlier answer to the same request is not looked at.
        let is_answered =
            last.iter().any(|(voice, of, _)| (*voice, *of) == (issuer.voice, request));
        if !is_answered && (0..=100).contains(&response) {
            last.push((issuer.voice, request, response));
        }
    }
    let voices = distinct(last.iter().map(|(voice, _, _)| *voice));
    let of_voice = |voice: u32| {
        let answers: Vec<i128> =
            last.iter().filter(|(of, _, _)| *of == voice).map(|(_, _, answer)| *answer).collect();
        mean(&answers)
    };
    voices.into_iter().filter_map(of_voice).collect()
}
