//! A card with how it came about, as text and as JSON.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Serialize;
use serde_json::{Value, json};

use crate::app::Explained;
use crate::plugin::FUEL;
use crate::project::{CardRef, TrustCard, View};

/// A card with how it came about; the card's own members in the order in which the service gives them.
#[derive(Serialize)]
pub(super) struct InFull<'a> {
    card: &'a TrustCard,
    #[serde(flatten)]
    rest: Value,
}

pub(super) fn in_full(explained: &Explained) -> InFull<'_> {
    let seen = seen(&explained.view);
    let behind = |refs: &[CardRef]| {
        let one =
            |of: &CardRef| json!({ "seq": of.seq, "digest": of.id, "seen": seen.get(&of.seq) });
        refs.iter().map(one).collect::<Vec<_>>()
    };
    let signals = explained.card.signals.iter();
    let signals =
        signals.map(|of| json!({ "label": of.label, "evidence": behind(&of.evidence_refs) }));
    let view = &explained.view;
    let rest = json!({
        "fuel": explained.fuel,
        "fuel_max": FUEL,
        "shown": {
            "claims": explained.claims, "attestations": view.total, "recent": view.recent.len(), "tallies": view.tallies.len(),
            "kinds": view.kinds.len(), "issuers": view.issuers.len(),
        },
        "signals": signals.collect::<Vec<_>>(),
    });
    InFull { card: &explained.card, rest }
}

pub(super) fn as_text(explained: &Explained, in_full: bool) -> String {
    let card = &explained.card;
    let seen = seen(&explained.view);
    let mut text = String::new();
    let name = &card.projector;
    let view = &explained.view;
    line(&mut text, &format!("{} {} {}", name.id, name.version, name.digest));
    line(
        &mut text,
        &format!("{}, as of block {} and {} records", card.agent_id, view.block, view.log_size),
    );
    line(&mut text, "");
    line(&mut text, &card.headline);
    if !card.summary.is_empty() {
        line(&mut text, &card.summary);
    }
    for signal in &card.signals {
        let stance = signal.stance_text.as_deref().unwrap_or(signal.stance);
        line(&mut text, "");
        line(&mut text, &format!("{} {}: {stance}", mark(signal.stance), signal.label));
        line(&mut text, &format!("  {}", signal.summary));
        if in_full {
            for of in &signal.evidence_refs {
                let what = seen.get(&of.seq).map_or("", String::as_str);
                line(&mut text, &format!("    {:>8}  {}  {what}", of.seq, of.id));
            }
        }
    }
    if !card.caveats.is_empty() {
        line(&mut text, "");
        line(&mut text, "What the record cannot tell:");
        for caveat in &card.caveats {
            line(&mut text, &format!("  - {caveat}"));
        }
    }
    if in_full {
        let kinds: Vec<_> =
            view.kinds.iter().map(|kind| format!("{} ({})", kind.claim, kind.count)).collect();
        let kinds = if kinds.is_empty() { "nothing".to_owned() } else { kinds.join(", ") };
        let withdrawn = view.recent.iter().filter(|of| of.is_withdrawn).count();
        let without = if withdrawn == 0 {
            String::new()
        } else {
            format!(", {withdrawn} of them withdrawn and not counted")
        };
        line(&mut text, "");
        line(&mut text, &format!("Counted, of {}: {kinds}.", explained.claims.join(", ")));
        line(
            &mut text,
            &format!(
                "Issuers: {}. Tallies: {}. Shown whole: {}{without}.",
                view.issuers.len(),
                view.tallies.len(),
                view.recent.len()
            ),
        );
        line(&mut text, &format!("Fuel: {} of {FUEL} instructions.", explained.fuel));
    }
    text.trim_end().to_owned()
}

fn line(text: &mut String, line: &str) {
    // A string takes everything.
    let _ = writeln!(text, "{line}");
}

fn mark(stance: &str) -> char {
    match stance {
        "positive" => '+',
        "negative" => '-',
        "informational" => 'i',
        _ => '?',
    }
}

/// The beginning of long data: the whole stands in the log.
fn shortened(data: &str) -> String {
    const CHARS_MAX: usize = 120;
    let mut short: String = data.chars().take(CHARS_MAX).collect();
    if short.len() < data.len() {
        short.push('…');
    }
    short
}

/// The attestations that were shown, each in one line: who said it, when, and what.
fn seen(view: &View) -> BTreeMap<u64, String> {
    let issuer = |place: u32| {
        let issuer = usize::try_from(place).ok().and_then(|place| view.issuers.get(place));
        issuer.map_or("", |issuer| issuer.agent.as_deref().unwrap_or(&issuer.name))
    };
    let tallies = view.tallies.iter().map(|of| {
        let words = of.words.as_deref().unwrap_or("");
        let (count, by) = (of.count, issuer(of.issuer));
        (of.last_seq, format!("{} {words} by {by}, the newest of {count}", of.claim))
    });
    let recent = view.recent.iter().map(|of| {
        let (time, by) = (of.said_at.to_text(), issuer(of.issuer));
        (of.seq, format!("{} {} by {by}, {}", of.claim, shortened(&of.data), time.as_str()))
    });
    tallies.chain(recent).collect()
}
