//! What clients said of an agent in the ERC-8004 registries: feedback, answers to it, and validations.
//!
//! Feedback costs its giver next to nothing, so figures are taken per voice first and over voices then: a client that speaks a thousand
//! times weighs as much as one that speaks once. What the agent's own owner or wallet says, now or before, is in no figure. A value means
//! what its tag means to its giver: only of tags with a known scale is a value called good or bad.
//!
//! Only what was read from the chain is in a figure; elsewhere anybody may call anything feedback, and it is said where some did.
//!
//! Values can be read of attestations that come whole, and of those only; how many were read is said with every figure.

mod feedback;
mod parameters;
mod validation;

use hallmark_projector::order::{distinct, number};
use hallmark_projector::text::{counted, listed};
use hallmark_projector::{
    Card, CardBuilder, History, SignalBuilder, Stance, View, no_history, projector,
};

use feedback::{Figure, is_on_chain};
use parameters::Parameters;

projector! {
    id: "reputation",
    version: env!("CARGO_PKG_VERSION"),
    summary: "Feedback and validations of the ERC-8004 registries: one voice per client, self-feedback apart, revoked feedback left out.",
    claims: ["erc8004.*"],
    project: card_of,
}

const FEEDBACK: &str = "erc8004.feedback.v1";
const REVOKED: &str = "erc8004.feedback_revoked.v1";
const RESPONSE: &str = "erc8004.response.v1";

fn card_of(view: &View) -> Result<Card, String> {
    let parameters = Parameters::read(&view.parameters)?;
    let history = History::of(view);
    if history.all().is_empty() {
        return Ok(no_history(
            view,
            "entries of the ERC-8004 reputation and validation registries",
        ));
    }
    let figures = feedback::figures(&history, &parameters);
    let others = history.claim(FEEDBACK).by_others();
    let unread = others.count().saturating_sub(u64::try_from(others.recent().count()).unwrap_or(0));
    let shown = distinct(others.recent().filter_map(|said| Some(said.issuer?.voice)));
    let unseen_voices = others.voices().saturating_sub(number(shown.len()));
    let beyond = history.beyond_tallies("*");
    let elsewhere = history.all().recent().filter(|said| !is_on_chain(*said)).count();

    let mut card = CardBuilder::new(&headline(&history, &figures), &summary(&history, &figures))
        .signals(given(&history))
        .signals(figures.iter().map(Figure::signal))
        .signals(validation::signals(&history))
        .signals(own(&history))
        .signals(revoked(&history))
        .signals(responses(&history))
        .caveat_if(
            unread > 0,
            &format!(
                "Values are read of the newest entries only: those of {} by others, and with it all of {}, are in no figure.",
                counted(unread, "feedback entry"),
                counted(unseen_voices, "voice"),
            ),
        )
        .caveat_if(
            elsewhere > 0,
            &format!(
                "{} not read from the chain: counted, but in no figure of values.",
                counted(number(elsewhere), "attestation")
            ),
        )
        .caveat_if(
            beyond > 0,
            &format!("{} more than can be told apart: in no figure.", counted(beyond, "attestation")),
        );
    if let Some(caveat) = busy(&history) {
        card = card.caveat(&caveat);
    }
    Ok(card.build())
}

fn headline(history: &History<'_>, figures: &[Figure<'_>]) -> String {
    let others = history.claim(FEEDBACK).by_others();
    if others.is_empty() {
        return "No feedback by others".to_owned();
    }
    let voices = counted(others.voices(), "voice");
    let figure = figures.first().map_or(String::new(), |figure| format!("; {}", figure.short()));
    format!("{} by {voices}{figure}", counted(others.count(), "feedback entry"))
}

fn summary(history: &History<'_>, figures: &[Figure<'_>]) -> String {
    let mut sentences = vec![given_sentence(history)];
    let figures: Vec<String> = figures.iter().take(3).map(Figure::short).collect();
    if !figures.is_empty() {
        sentences
            .push(format!("Averages of each voice, and then over voices: {}.", listed(&figures)));
    }
    let own = history.claim(FEEDBACK).by_kin();
    if !own.is_empty() {
        let what = counted(own.count(), "feedback entry");
        sentences.push(format!("{what} by its own owner or wallet, now or before, set apart."));
    }
    sentences.join(" ")
}

fn given_sentence(history: &History<'_>) -> String {
    let others = history.claim(FEEDBACK).by_others();
    format!(
        "{} by others than its own, from {} ({}).",
        counted(others.count(), "feedback entry"),
        counted(others.issuers(), "client"),
        counted(others.voices(), "voice"),
    )
}

fn given(history: &History<'_>) -> Option<SignalBuilder> {
    let others = history.claim(FEEDBACK).by_others();
    if others.is_empty() {
        return None;
    }
    let signal = SignalBuilder::new("Feedback", Stance::Informational, &given_sentence(history));
    let text = format!("{} / {}", others.count(), counted(others.voices(), "voice"));
    Some(signal.stance_text(&text).rests_on(&others))
}

fn own(history: &History<'_>) -> Option<SignalBuilder> {
    let own = history.claim(FEEDBACK).by_kin();
    if own.is_empty() {
        return None;
    }
    let sentence = format!(
        "{} by the agent's own owner or wallet, now or before, or under one control with it: in no figure.",
        counted(own.count(), "feedback entry")
    );
    let signal = SignalBuilder::new("Feedback by its own", Stance::Informational, &sentence);
    Some(signal.stance_text(&format!("{} set apart", own.count())).rests_on(&own))
}

fn revoked(history: &History<'_>) -> Option<SignalBuilder> {
    let revoked = history.claim(REVOKED);
    if revoked.is_empty() {
        return None;
    }
    let sentence = format!(
        "{} revoked by {}: in no figure.",
        counted(revoked.count(), "feedback entry"),
        counted(revoked.issuers(), "client")
    );
    let signal = SignalBuilder::new("Revoked feedback", Stance::Informational, &sentence);
    Some(signal.stance_text(&format!("{} revoked", revoked.count())).rests_on(&revoked))
}

fn responses(history: &History<'_>) -> Option<SignalBuilder> {
    let all = history.claim(RESPONSE);
    if all.is_empty() {
        return None;
    }
    let own = all.clone().by_kin().count();
    let sentence = format!(
        "{} to feedback, {own} by its own and {} by {}.",
        counted(all.count(), "response"),
        all.count().saturating_sub(own),
        counted(all.clone().by_others().issuers(), "other account"),
    );
    let signal = SignalBuilder::new("Responses", Stance::Informational, &sentence);
    Some(signal.stance_text(&counted(all.count(), "response")).rests_on(&all))
}

/// Whether one voice gave most of it.
fn busy(history: &History<'_>) -> Option<String> {
    let others = history.claim(FEEDBACK).by_others();
    let most = others.by_voices().iter().map(|(_, part)| part.count()).max()?;
    let is_busy = others.voices() > 1 && most >= 5 && most * 2 > others.count();
    is_busy.then(|| {
        format!(
            "One voice gave {most} of {}; in figures over voices it counts once.",
            counted(others.count(), "feedback entry")
        )
    })
}

#[cfg(test)]
mod tests;
