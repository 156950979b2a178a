//! How an agent played Oathbreaker: whether it cooperated, which commitments it kept, and what its peers noted.
//!
//! Choices and commitments count only as games attest them, never as players do. What peers say stands beside them, in their own words and
//! under their names, and is not weighed here; the projector `peer-assessment` does that.

use hallmark_projector::json::no_parameters;
use hallmark_projector::notes::notes;
use hallmark_projector::order::distinct;
use hallmark_projector::text::{counted, day, listed, percent, quote};
use hallmark_projector::{
    Card, CardBuilder, Games, History, Said, Selection, SignalBuilder, Stance, View, no_history,
    projector, said_by_its_own,
};

/// From so many choices on, a rate is more than a single move.
const CHOICES_FOR_A_STANCE: u64 = 3;
/// Rates from which on the record speaks for an agent, and up to which it speaks against it, in percent.
const GOOD_PERCENT: u64 = 67;
const BAD_PERCENT: u64 = 33;
/// Notes that are shown, in all and of one voice.
const NOTES_MAX: usize = 10;
const NOTES_OF_A_VOICE_MAX: usize = 2;
/// Tags that are named.
const TAGS_MAX: usize = 8;

projector! {
    id: "oathbreaker",
    version: env!("CARGO_PKG_VERSION"),
    summary: "How often an agent cooperated in games of Oathbreaker, which commitments it kept, and what its peers noted.",
    claims: ["oathbreaker.*", "peer.assessment"],
    project: card_of,
}

fn card_of(view: &View) -> Result<Card, String> {
    no_parameters(&view.parameters)?;
    let history = History::of(view);
    if history.all().is_empty() {
        return Ok(no_history(view, "attestations by games of Oathbreaker or by peers"));
    }
    let played = Played::of(&history);
    let peers = history.claim("peer.assessment").by_peers();
    let notes = notes(&peers, "Note by a peer", NOTES_MAX, NOTES_OF_A_VOICE_MAX);
    let own = history.claim("peer.assessment").by_kin();
    let unheard = history.claim("oathbreaker.*").count()
        - history.claim("oathbreaker.*").by_platforms().count();
    let unknown = played.choices.count() - played.cooperated.count() - played.defected.count();
    let beyond = history.beyond_tallies("*");

    let card = CardBuilder::new(&headline(&played, &peers), &summary(&played, &peers, notes.len()))
        .signals(cooperation(&played))
        .signals(commitments(&played))
        .signals(tags(&peers))
        .signals(notes)
        .signals(said_by_its_own(&own, "assessment"))
        .caveat_if(
            played.known.issuers() > 1,
            "Several issuers attest choices; a round that two of them attest counts twice.",
        )
        .caveat_if(
            played.repeats(),
            "A round of a game is attested more than once, and each time counts: the rate is no stance.",
        )
        .caveat_if(
            unheard > 0,
            &format!(
                "{} of games by others than games: not counted.",
                counted(unheard, "attestation")
            ),
        )
        .caveat_if(
            unknown > 0,
            &format!("{} without C or D: in no rate.", counted(unknown, "choice")),
        )
        .caveat_if(
            beyond > 0,
            &format!(
                "{} more than can be told apart: in no figure.",
                counted(beyond, "attestation")
            ),
        );
    Ok(card.build())
}

/// What games attest.
struct Played<'a> {
    choices: Selection<'a>,
    /// Those that are known to be one or the other.
    known: Selection<'a>,
    cooperated: Selection<'a>,
    defected: Selection<'a>,
    kept: Selection<'a>,
    breached: Selection<'a>,
}

impl<'a> Played<'a> {
    fn of(history: &'a History<'a>) -> Self {
        let by_games = |claim: &str| history.claim(claim).by_platforms().by_others();
        let choices = by_games("oathbreaker.choice");
        let cooperated = choices.clone().word("choice", "C");
        let defected = choices.clone().word("choice", "D");
        Self {
            known: cooperated.clone().or(&defected),
            cooperated,
            defected,
            choices,
            kept: by_games("oathbreaker.commitment_kept"),
            breached: by_games("oathbreaker.commitment_breached"),
        }
    }

    /// Choices that are known to be one or the other.
    fn known(&self) -> u64 {
        self.known.count()
    }

    fn games(&self) -> Games {
        self.known.games()
    }

    /// Whether one round of a game is attested more than once: then a rate says more of the attesting than of the play.
    fn repeats(&self) -> bool {
        let rounds: Vec<_> = self.known.recent().filter_map(round_of).collect();
        distinct(rounds.iter().copied()).len() < rounds.len()
    }

    /// `8 of 10 rounds`; choices are called rounds only where the record shows that each was one of its own.
    fn rate(&self) -> String {
        let rounds = distinct(self.known.recent().filter_map(round_of));
        let is_by_round = u64::try_from(rounds.len()) == Ok(self.known.count());
        let what = if is_by_round { "round" } else { "choice" };
        format!("{} of {}", self.cooperated.count(), counted(self.known(), what))
    }
}

/// In which round of which game something was said.
fn round_of(said: Said<'_>) -> Option<(&str, &str, u64)> {
    let said = said.attestation;
    Some((said.origin.as_deref().unwrap_or(""), said.game.as_deref()?, said.round?))
}

fn headline(played: &Played<'_>, peers: &Selection<'_>) -> String {
    let mut parts = Vec::new();
    if played.known() > 0 {
        parts.push(format!("Cooperated in {}, {}", played.rate(), played.games().text()));
    } else {
        parts.push("No choices on record".to_owned());
    }
    if !played.breached.is_empty() {
        parts.push(format!("{} breached", counted(played.breached.count(), "commitment")));
    }
    if !peers.is_empty() {
        parts.push(format!("{} heard", counted(peers.voices(), "peer")));
    }
    parts.join("; ")
}

fn summary(played: &Played<'_>, peers: &Selection<'_>, notes_count: usize) -> String {
    let mut sentences = Vec::new();
    if played.known() > 0 {
        sentences.push(cooperation_sentence(played));
    }
    if !(played.kept.is_empty() && played.breached.is_empty()) {
        sentences.push(commitments_sentence(played));
    }
    if !peers.is_empty() {
        sentences.push(tags_sentence(peers));
    }
    if notes_count > 0 {
        let notes = counted(u64::try_from(notes_count).unwrap_or(u64::MAX), "note");
        sentences.push(format!("{notes} of peers below, word for word."));
    }
    if sentences.is_empty() {
        sentences.push("Nothing that games attest and nothing by others than its own.".to_owned());
    }
    sentences.join(" ")
}

fn cooperation_sentence(played: &Played<'_>) -> String {
    let last =
        played.known.span().map_or(String::new(), |(_, last)| format!(", last on {}", day(last)));
    format!(
        "It cooperated in {}, in {}, by the word of {}{last}.",
        played.rate(),
        played.games().text(),
        counted(played.known.issuers(), "issuer"),
    )
}

fn cooperation(played: &Played<'_>) -> Option<SignalBuilder> {
    if played.known() == 0 {
        return None;
    }
    let rate = percent(played.cooperated.count(), played.known());
    let stance = match rate {
        _ if played.known() < CHOICES_FOR_A_STANCE || played.repeats() => Stance::Informational,
        GOOD_PERCENT.. => Stance::Positive,
        ..=BAD_PERCENT => Stance::Negative,
        _ => Stance::Informational,
    };
    let signal = SignalBuilder::new("Cooperation", stance, &cooperation_sentence(played))
        .stance_text(&format!("{rate}% / {}", played.games().text()))
        .rests_on(&played.known);
    Some(signal)
}

fn commitments_sentence(played: &Played<'_>) -> String {
    let games = [played.kept.games().least, played.breached.games().least];
    format!(
        "It kept {} and breached {}, in {} and {}.",
        counted(played.kept.count(), "commitment"),
        played.breached.count(),
        counted(games[0], "game"),
        counted(games[1], "game"),
    )
}

fn commitments(played: &Played<'_>) -> Vec<SignalBuilder> {
    let mut signals = Vec::new();
    if !played.breached.is_empty() {
        let what = counted(played.breached.count(), "commitment");
        let sentence = format!(
            "It breached {what}, in {}, by the word of {}.",
            played.breached.games().text(),
            counted(played.breached.issuers(), "issuer")
        );
        let signal = SignalBuilder::new("Commitments breached", Stance::Negative, &sentence);
        let text = format!("{} / {}", played.breached.count(), played.breached.games().text());
        signals.push(signal.stance_text(&text).rests_on(&played.breached));
    }
    if !played.kept.is_empty() {
        let what = counted(played.kept.count(), "commitment");
        let sentence = format!(
            "It kept {what}, in {}, by the word of {}.",
            played.kept.games().text(),
            counted(played.kept.issuers(), "issuer")
        );
        let signal = SignalBuilder::new("Commitments kept", Stance::Positive, &sentence);
        let text = format!("{} / {}", played.kept.count(), played.kept.games().text());
        signals.push(signal.stance_text(&text).rests_on(&played.kept));
    }
    signals
}

/// What a tag comes to: `“reliable” (2 peers)`. Peers under one control are one.
fn tag_text(tag: Option<&str>, part: &Selection<'_>) -> String {
    let tag = tag.map_or_else(|| "no tag".to_owned(), quote);
    format!("{tag} ({})", counted(part.voices(), "peer"))
}

fn tags_sentence(peers: &Selection<'_>) -> String {
    let tags = peers.by_word("tag");
    let named: Vec<String> =
        tags.iter().take(TAGS_MAX).map(|(tag, part)| tag_text(*tag, part)).collect();
    let others = tags.len().saturating_sub(TAGS_MAX);
    let others = if others == 0 {
        String::new()
    } else {
        format!(", and {}", counted(u64::try_from(others).unwrap_or(u64::MAX), "other tag"))
    };
    format!("Peers say: {}{others}.", listed(&named))
}

fn tags(peers: &Selection<'_>) -> Option<SignalBuilder> {
    let tags = peers.by_word("tag");
    let (first, part) = tags.first()?;
    let signal = SignalBuilder::new("What peers say", Stance::Informational, &tags_sentence(peers))
        .stance_text(&tag_text(*first, part))
        .rests_on(peers);
    Some(signal)
}

#[cfg(test)]
mod tests;
