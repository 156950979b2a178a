//! Failures in which an agent had a share: reports of Trust Flow Decomposition, and what is said of its delegations.
//!
//! A report says of one dispute how much of it an agent carries: its weight, a penalty that need not sum to one over agents, and its share,
//! which does. A confirmed report rests on a verdict; a hypothetical one says what would follow if there was one, and is never held
//! against an agent. Data are read as they come: what is missing or not understood is shown as unknown, and never taken for nothing.
//!
//! Anybody can claim that somebody else is to blame. Reports count by the word of platforms only, this service among them.
//!
//! Reports can be read of attestations that come whole, and of those only.

mod report;

use hallmark_projector::figures::mean;
use hallmark_projector::json::no_parameters;
use hallmark_projector::text::{counted, one_line, quote};
use hallmark_projector::{
    Card, CardBuilder, History, Issuer, IssuerClass, Selection, SignalBuilder, Stance, View,
    no_history, projector, said_by_its_own,
};

use report::{Report, Status, share_text};

const ATTRIBUTION: &str = "tfd.attribution.v1";
/// Reports that are shown one by one.
const REPORTS_MAX: usize = 12;
/// Claims about delegations that are counted.
const CLAIMS_MAX: usize = 8;

projector! {
    id: "liability",
    version: env!("CARGO_PKG_VERSION"),
    summary: "Trust Flow reports in which an agent had a share of a failure, confirmed and hypothetical ones apart, and its delegations.",
    claims: ["tfd.*", "delegation.*"],
    project: card_of,
}

fn card_of(view: &View) -> Result<Card, String> {
    no_parameters(&view.parameters)?;
    let history = History::of(view);
    if history.all().is_empty() {
        return Ok(no_history(view, "Trust Flow reports or delegations"));
    }
    let said = history.claim(ATTRIBUTION).by_platforms().by_others();
    let reports = report::newest_of_each(&said);
    let of = |status: Status| -> Vec<&Report<'_>> {
        reports.iter().filter(|report| report.status == status).collect()
    };
    let (confirmed, hypothetical) = (of(Status::Confirmed), of(Status::Hypothetical));
    let unclear = of(Status::Unknown);
    let read = u64::try_from(said.recent().count()).unwrap_or(u64::MAX);
    let unread = said.count().saturating_sub(read);
    let shown = confirmed.iter().chain(&unclear).chain(&hypothetical).take(REPORTS_MAX);
    let beyond = history.beyond_tallies("*");

    let card = CardBuilder::new(&headline(&confirmed, &hypothetical, &unclear), &summary(&confirmed, &hypothetical, &unclear))
        .signals(together(&confirmed, "Confirmed reports"))
        .signals(together(&hypothetical, "Hypothetical reports"))
        .signals(shown.map(|report| report.signal()))
        .signals(delegations(&history))
        .signals(claimed(&history))
        .signals(said_by_its_own(&history.all().by_kin(), "attestation"))
        .caveat_if(
            !hypothetical.is_empty(),
            "A hypothetical report rests on no verdict; it is not held against the agent.",
        )
        .caveat_if(
            !unclear.is_empty(),
            &format!("{} without a status that is known here.", counted(number(unclear.len()), "report")),
        )
        .caveat_if(
            !reports.is_empty(),
            "Shares follow a model of delegation, tfd/1: what would have happened otherwise cannot be observed.",
        )
        .caveat_if(
            unread > 0,
            &format!("{} older than the newest entries: not read.", counted(unread, "report")),
        )
        .caveat_if(
            beyond > 0,
            &format!("{} more than can be told apart: in no figure.", counted(beyond, "attestation")),
        );
    Ok(card.build())
}

fn number(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

/// Those in which something falls on the agent.
fn with_a_share<'a, 'b>(reports: &[&'b Report<'a>]) -> Vec<&'b Report<'a>> {
    reports.iter().copied().filter(|report| report.is_carried()).collect()
}

fn headline(
    confirmed: &[&Report<'_>],
    hypothetical: &[&Report<'_>],
    unclear: &[&Report<'_>],
) -> String {
    if confirmed.len() + hypothetical.len() + unclear.len() == 0 {
        return "No reports of failures".to_owned();
    }
    let mut parts = vec![format!(
        "A share in {} of {}",
        with_a_share(confirmed).len(),
        counted(number(confirmed.len()), "confirmed report")
    )];
    if !hypothetical.is_empty() {
        parts.push(format!("{} hypothetical", hypothetical.len()));
    }
    if !unclear.is_empty() {
        parts.push(format!("{} unclear", unclear.len()));
    }
    parts.join("; ")
}

fn summary(
    confirmed: &[&Report<'_>],
    hypothetical: &[&Report<'_>],
    unclear: &[&Report<'_>],
) -> String {
    let mut sentences = Vec::new();
    if !confirmed.is_empty() {
        sentences.push(together_sentence(confirmed, "confirmed"));
    }
    if !hypothetical.is_empty() {
        sentences.push(together_sentence(hypothetical, "hypothetical"));
    }
    if !unclear.is_empty() {
        sentences.push(together_sentence(unclear, "unclear"));
    }
    if sentences.is_empty() {
        sentences.push("No reports by platforms name it.".to_owned());
    }
    sentences.join(" ")
}

fn together_sentence(reports: &[&Report<'_>], word: &str) -> String {
    let shares: Vec<i128> = reports.iter().filter_map(|report| report.share_ppb).collect();
    let figures = match (shares.iter().max(), mean(&shares)) {
        (Some(largest), Some(mean)) => {
            format!(", largest share {}, mean {}", share_text(*largest), share_text(mean))
        }
        _ => String::new(),
    };
    let unknown = reports.len() - shares.len();
    let unknown =
        if unknown == 0 { String::new() } else { format!(", share unknown in {unknown}") };
    format!(
        "{}: a share in {}{figures}{unknown}.",
        counted(number(reports.len()), &format!("{word} report")),
        with_a_share(reports).len(),
    )
}

fn together(reports: &[&Report<'_>], label: &str) -> Option<SignalBuilder> {
    let first = reports.first()?;
    let word = if first.status == Status::Confirmed { "confirmed" } else { "hypothetical" };
    let carried = with_a_share(reports);
    let stance = match first.status {
        Status::Confirmed if !carried.is_empty() => Stance::Negative,
        Status::Confirmed | Status::Hypothetical => Stance::Informational,
        Status::Unknown => Stance::Unknown,
    };
    let text = format!("{} / {}", carried.len(), counted(number(reports.len()), "report"));
    let signal = SignalBuilder::new(label, stance, &together_sentence(reports, word));
    Some(signal.stance_text(&text).rests_on_all(reports.iter().map(|report| report.said)))
}

/// What else there is of delegations: how much of it, and by whom.
fn delegations(history: &History<'_>) -> Vec<SignalBuilder> {
    let all = history.all().by_others().by_claim().into_iter();
    let others = all.filter(|(claim, _)| *claim != ATTRIBUTION).take(CLAIMS_MAX);
    let signal = |(claim, part): (&str, Selection<'_>)| {
        let sentence = format!(
            "{} of the type {} from {}.",
            counted(part.count(), "attestation"),
            quote(claim),
            counted(part.issuers(), "issuer"),
        );
        let text = format!("{} / {}", part.count(), counted(part.issuers(), "issuer"));
        SignalBuilder::new(&one_line(claim), Stance::Informational, &sentence)
            .stance_text(&text)
            .rests_on(&part)
    };
    others.map(signal).collect()
}

/// Reports by those who are no platforms: that they are there, and not what they say.
fn claimed(history: &History<'_>) -> Option<SignalBuilder> {
    let is_platform =
        |issuer: &Issuer| matches!(issuer.class, IssuerClass::System | IssuerClass::Plugin);
    let claimed = history.claim(ATTRIBUTION).by_others().by(|issuer| !is_platform(issuer));
    if claimed.is_empty() {
        return None;
    }
    let sentence = format!(
        "{} by {} that no platform stands behind: in no figure.",
        counted(claimed.count(), "report"),
        counted(claimed.voices(), "voice"),
    );
    let signal = SignalBuilder::new("Reports by others", Stance::Unknown, &sentence);
    Some(signal.stance_text("not counted").rests_on(&claimed))
}

#[cfg(test)]
mod tests;
