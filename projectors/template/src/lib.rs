//! A projector to copy: how often games attest that an agent helped.
//!
//! It reads one type of claim, `example.helped`, counts it by games only, and says how many games and issuers that rests on.

use hallmark_projector::json::no_parameters;
use hallmark_projector::text::{counted, day};
use hallmark_projector::{
    Card, CardBuilder, History, SignalBuilder, Stance, View, no_history, projector,
};

projector! {
    // Yours alone: cards are known by it.
    id: env!("CARGO_PKG_NAME"),
    version: env!("CARGO_PKG_VERSION"),
    summary: "How often games attest that an agent helped.",
    // What is in the view, and nothing else is.
    claims: ["example.*"],
    project: card_of,
}

fn card_of(view: &View) -> Result<Card, String> {
    // What an operator may set is read from here; what makes no sense is an error in words.
    no_parameters(&view.parameters)?;
    let history = History::of(view);
    // Whoever issues a claim may say anything: platforms, their plugins, and everybody else.
    let helped = history.claim("example.helped").by_platforms();
    let Some((_, last)) = helped.span() else {
        return Ok(no_history(view, "attestations of help by games"));
    };
    let times = counted(helped.count(), "time");
    let sentence = format!(
        "It helped {times}, in {}, by the word of {}, last on {}.",
        helped.games().text(),
        counted(helped.issuers(), "issuer"),
        day(last),
    );
    // What the signal rests on, and the attestations that show it, come from the selection.
    let signal = SignalBuilder::new("Help", Stance::Positive, &sentence)
        .stance_text(&format!("{times} / {}", helped.games().text()))
        .rests_on(&helped);
    let unheard = history.claim("example.helped").count() - helped.count();
    let card = CardBuilder::new(&format!("Helped {times}"), &sentence).signal(signal).caveat_if(
        unheard > 0,
        &format!("{} by others than games: not counted.", counted(unheard, "attestation")),
    );
    Ok(card.build())
}

#[cfg(test)]
mod tests {
    use hallmark_projector::IssuerClass;
    use hallmark_projector::testing::RecordBuilder;

    use super::*;

    #[test]
    fn a_new_agent_has_no_history() {
        let card = card_of(&RecordBuilder::new().finish()).unwrap();
        assert_eq!(card.headline, "No history");
    }

    #[test]
    fn games_are_believed_and_others_are_not() {
        let mut record = RecordBuilder::new();
        let game = record.issuer("platform:games:system", IssuerClass::System);
        let player = record.issuer("somebody", IssuerClass::Agent);
        record.say(game, "example.helped", "{}").game("g1");
        record.say(game, "example.helped", "{}").game("g2");
        record.say(player, "example.helped", "{}").game("g2");
        let card = card_of(&record.finish()).unwrap();
        assert_eq!(card.headline, "Helped 2 times");
        assert_eq!(card.signals[0].stance_text.as_deref(), Some("2 times / 2 games"));
        assert_eq!(card.caveats, ["1 attestation by others than games: not counted."]);
    }
}
