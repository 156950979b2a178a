//! What agents say of each other.
//!
//! An assessment costs nothing, so voices are counted and not messages: agents under one proven control are one voice, and what is said by
//! the agent's own is set apart. A voice weighs more the more others attest *it*: one without a record weighs nothing, since such voices
//! can be had by the thousand, and each doubling of the voices in its record adds 1. Weights decide nothing but the stance of the whole;
//! everything they are made of is shown.
//!
//! Which tags speak for an agent and which against it is a list of English words, and a parameter.

mod parameters;
mod weigh;

use hallmark_projector::notes::notes;
use hallmark_projector::text::{counted, listed, one_line, quote};
use hallmark_projector::{
    Card, CardBuilder, History, Selection, SignalBuilder, Stance, View, no_history, projector,
    said_by_its_own,
};

use parameters::{Direction, Parameters};
use weigh::Voices;

/// From so many voices with a record on, what they say together is more than one opinion.
const VOICES_FOR_A_STANCE: usize = 2;
/// Parts of the weight from which on it speaks for an agent, and up to which it speaks against it, in percent.
const GOOD_PERCENT: u64 = 67;
const BAD_PERCENT: u64 = 33;
/// Tags and notes that are shown, and notes of one voice.
const TAGS_MAX: usize = 8;
const NOTES_MAX: usize = 8;
const NOTES_OF_A_VOICE_MAX: usize = 2;

projector! {
    id: "peer-assessment",
    version: env!("CARGO_PKG_VERSION"),
    summary: "What other agents say of an agent: one voice per operator, weighed by each voice's own record, its own kin set apart.",
    claims: ["peer.*", "cheat.suspected"],
    project: card_of,
}

fn card_of(view: &View) -> Result<Card, String> {
    let parameters = Parameters::read(&view.parameters)?;
    let history = History::of(view);
    if history.all().is_empty() {
        return Ok(no_history(view, "assessments by peers"));
    }
    let peers = history.claim("peer.assessment").by_peers();
    let suspected = history.claim("cheat.suspected").by_peers();
    let voices = Voices::of(&peers, &parameters);
    let beyond = history.beyond_tallies("*");
    let card = CardBuilder::new(&headline(&peers, &suspected, &voices), &summary(&history, &peers, &voices))
        .signals(together(&peers, &voices))
        .signals(suspicion(&suspected))
        .signals(tags(&peers, &parameters))
        .signals(notes(&history.all().by_peers(), "Note by a peer", NOTES_MAX, NOTES_OF_A_VOICE_MAX))
        .signals(other_claims(&history))
        .signals(said_by_its_own(&history.all().by_kin(), "attestation"))
        .caveat_if(
            !peers.is_empty(),
            "A voice without a record of its own weighs nothing in the stance, and each doubling of the voices in its record adds 1.",
        )
        .caveat_if(
            voices.unknown > 0,
            &format!("Of {} no record is known: they weigh nothing.", counted(voices.unknown, "voice")),
        )
        .caveat_if(
            beyond > 0,
            &format!("{} more than can be told apart: in no figure.", counted(beyond, "attestation")),
        );
    Ok(card.build())
}

fn headline(peers: &Selection<'_>, suspected: &Selection<'_>, voices: &Voices) -> String {
    let mut parts = Vec::new();
    if peers.is_empty() {
        parts.push("No assessments by others".to_owned());
    } else {
        let all = counted(peers.voices(), "voice");
        parts.push(format!(
            "{all}: {} for it, {} against",
            voices.for_it.len(),
            voices.against.len()
        ));
    }
    if !suspected.is_empty() {
        parts.push(format!("suspected of cheating by {}", counted(suspected.voices(), "voice")));
    }
    parts.join("; ")
}

fn summary(history: &History<'_>, peers: &Selection<'_>, voices: &Voices) -> String {
    let mut sentences = Vec::new();
    if !peers.is_empty() {
        sentences.push(together_sentence(peers, voices));
        sentences.push(tags_sentence(peers));
    }
    let own = history.all().by_kin();
    if !own.is_empty() {
        sentences.push(format!("{} by its own, set apart.", counted(own.count(), "attestation")));
    }
    sentences.join(" ")
}

fn together_sentence(peers: &Selection<'_>, voices: &Voices) -> String {
    let weighed = match voices.percent_for_it() {
        Some(percent) => format!("; weighed by their own records, {percent}% speak for it"),
        None => String::new(),
    };
    format!(
        "{} of {} ({}), in {}: {} speak for it, {} against, {} neither or both; {} with a record of their own{weighed}.",
        counted(peers.count(), "assessment"),
        counted(peers.voices(), "voice"),
        counted(peers.issuers(), "issuer"),
        peers.games().text(),
        voices.for_it.len(),
        voices.against.len(),
        voices.undecided,
        voices.with_record,
    )
}

fn together(peers: &Selection<'_>, voices: &Voices) -> Option<SignalBuilder> {
    if peers.is_empty() {
        return None;
    }
    let is_enough = voices.weighed_count() >= VOICES_FOR_A_STANCE;
    let stance = match voices.percent_for_it().filter(|_| is_enough) {
        Some(GOOD_PERCENT..) => Stance::Positive,
        Some(..=BAD_PERCENT) => Stance::Negative,
        Some(_) | None => Stance::Informational,
    };
    let text = format!(
        "{} for, {} against / {}",
        voices.for_it.len(),
        voices.against.len(),
        counted(peers.voices(), "voice")
    );
    let signal = SignalBuilder::new("Peers together", stance, &together_sentence(peers, voices));
    Some(signal.stance_text(&text).rests_on(peers))
}

fn tag_name(tag: Option<&str>) -> String {
    tag.map_or_else(|| "no tag".to_owned(), quote)
}

fn tags_sentence(peers: &Selection<'_>) -> String {
    let tags = peers.by_word("tag");
    let name = |(tag, part): &(Option<&str>, Selection<'_>)| {
        format!("{} ({})", tag_name(*tag), counted(part.voices(), "voice"))
    };
    let named: Vec<String> = tags.iter().take(TAGS_MAX).map(name).collect();
    let others = u64::try_from(tags.len().saturating_sub(TAGS_MAX)).unwrap_or(u64::MAX);
    let others =
        if others == 0 { String::new() } else { format!(", and {}", counted(others, "other tag")) };
    format!("They say: {}{others}.", listed(&named))
}

fn tags(peers: &Selection<'_>, parameters: &Parameters) -> Vec<SignalBuilder> {
    let tags = peers.by_word("tag").into_iter().take(TAGS_MAX);
    let signal = |(tag, part): (Option<&str>, Selection<'_>)| {
        let stance = match parameters.direction(tag) {
            Direction::For => Stance::Positive,
            Direction::Against => Stance::Negative,
            Direction::Neither => Stance::Informational,
        };
        let sentence = format!(
            "{} in {} from {}, in {}{}.",
            tag_name(tag),
            counted(part.count(), "assessment"),
            counted(part.voices(), "voice"),
            part.games().text(),
            weigh::best_known(&part),
        );
        let text = format!("{} / {}", counted(part.voices(), "voice"), part.games().text());
        SignalBuilder::new(&format!("Tag {}", tag_name(tag)), stance, &sentence)
            .stance_text(&text)
            .rests_on(&part)
    };
    tags.map(signal).collect()
}

/// A single peer may suspect whomever it likes; a game, or several voices, are another matter.
fn suspicion(suspected: &Selection<'_>) -> Option<SignalBuilder> {
    if suspected.is_empty() {
        return None;
    }
    let games = suspected.clone().by_platforms();
    let is_grave = !games.is_empty() || suspected.voices() > 1;
    let stance = if is_grave { Stance::Negative } else { Stance::Informational };
    let sentence = format!(
        "{} from {}, {} of them by games or their plugins, in {}; a suspicion is not a finding.",
        counted(suspected.count(), "suspicion"),
        counted(suspected.voices(), "voice"),
        games.count(),
        suspected.games().text(),
    );
    let text = format!("{} / {}", counted(suspected.voices(), "voice"), suspected.games().text());
    let signal = SignalBuilder::new("Suspected of cheating", stance, &sentence);
    Some(signal.stance_text(&text).rests_on(suspected))
}

/// Claims of peers that this projector knows nothing of: that they are there.
fn other_claims(history: &History<'_>) -> Vec<SignalBuilder> {
    let claims = history.claim("peer.*").by_others().by_claim().into_iter();
    let others = claims.filter(|(claim, _)| *claim != "peer.assessment").take(4);
    let signal = |(claim, part): (&str, Selection<'_>)| {
        let sentence = format!(
            "{} of the type {} from {}; what they mean is not known here.",
            counted(part.count(), "attestation"),
            quote(claim),
            counted(part.voices(), "voice"),
        );
        let text = counted(part.voices(), "voice");
        SignalBuilder::new(&one_line(claim), Stance::Unknown, &sentence)
            .stance_text(&text)
            .rests_on(&part)
    };
    others.map(signal).collect()
}

#[cfg(test)]
mod tests;
