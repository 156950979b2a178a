//! One report: what an attestation of `tfd.attribution.v1` says of the agent, as far as it can be read.

use hallmark_projector::figures::rescale;
use hallmark_projector::notes::attribution;
use hallmark_projector::text::{decimal, listed, quote};
use hallmark_projector::{Json, Said, Selection, SignalBuilder, Stance};

/// Flags that are named.
const FLAGS_MAX: usize = 12;
/// A whole in parts per billion.
const WHOLE_PPB: i128 = 1_000_000_000;

/// On what a report rests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    /// A verdict.
    Confirmed,
    /// None.
    Hypothetical,
    /// It does not say, or in words that are not known here.
    Unknown,
}

/// What a report says of the agent.
#[derive(Clone, Debug)]
pub(crate) struct Report<'a> {
    pub(crate) said: Said<'a>,
    pub(crate) status: Status,
    pub(crate) weight_ppb: Option<i128>,
    pub(crate) share_ppb: Option<i128>,
}

/// The newest report of each issuer on each dispute; a report that names none stands for itself.
pub(crate) fn newest_of_each<'a>(said: &Selection<'a>) -> Vec<Report<'a>> {
    let mut seen: Vec<(u32, &str)> = Vec::new();
    let mut reports = Vec::new();
    for said in said.recent() {
        if let Some(dispute) = said.data().text("dispute") {
            let key = (said.attestation.issuer, dispute);
            if seen.contains(&key) {
                continue;
            }
            seen.push(key);
        }
        // What was taken back says nothing any more, not even that there was something.
        if said.data().text("status") != Some("withdrawn") {
            reports.push(Report::of(said));
        }
    }
    reports
}

impl<'a> Report<'a> {
    fn of(said: Said<'a>) -> Self {
        let part = |name: &str| said.data().whole(name).filter(|ppb| (0..=WHOLE_PPB).contains(ppb));
        let status = match said.data().text("status") {
            Some("confirmed") => Status::Confirmed,
            Some("hypothetical") => Status::Hypothetical,
            Some(_) | None => Status::Unknown,
        };
        Self { said, status, weight_ppb: part("weight_ppb"), share_ppb: part("share_ppb") }
    }

    /// Whether anything falls on the agent.
    pub(crate) fn is_carried(&self) -> bool {
        self.share_ppb.is_some_and(|ppb| ppb > 0) || self.weight_ppb.is_some_and(|ppb| ppb > 0)
    }

    /// What it shows.
    pub(crate) fn signal(&self) -> SignalBuilder {
        let stance = match self.status {
            Status::Confirmed if self.is_carried() => Stance::Negative,
            Status::Confirmed | Status::Hypothetical => Stance::Informational,
            Status::Unknown => Stance::Unknown,
        };
        let dispute = self.said.data().text("dispute").map_or("without a name".to_owned(), quote);
        let status = match (self.status, self.said.data().text("status")) {
            (Status::Confirmed, _) => "confirmed".to_owned(),
            (Status::Hypothetical, _) => "hypothetical".to_owned(),
            (Status::Unknown, Some(other)) => format!("status {} not known here", quote(other)),
            (Status::Unknown, None) => "status unknown".to_owned(),
        };
        let share = self.share_ppb.map_or("unknown".to_owned(), share_text);
        let weight = self.weight_ppb.map_or("unknown".to_owned(), share_text);
        let sentence = format!(
            "Dispute {dispute}: share {share}, weight {weight}{}, {status}{}; by {}.",
            self.amount(),
            self.flags(),
            attribution(self.said),
        );
        SignalBuilder::new(&format!("Dispute {dispute}"), stance, &sentence)
            .stance_text(&format!("{share} share, {status}"))
            .rests_on_one(self.said)
    }

    /// What it costs the agent, in the words of the report.
    fn amount(&self) -> String {
        let data = self.said.data();
        let Some(amount) = data.whole("amount") else {
            let is_there = data.get("amount").is_some_and(|amount| *amount != Json::Null);
            return if is_there { ", amount not understood".to_owned() } else { String::new() };
        };
        let unit = data.text("unit").map_or(String::new(), |unit| format!(" {}", quote(unit)));
        format!(", amount {amount}{unit}")
    }

    fn flags(&self) -> String {
        let flags = self.said.data().get("flags").map_or(&[] as &[Json], Json::entries);
        let named: Vec<String> =
            flags.iter().filter_map(Json::as_text).take(FLAGS_MAX).map(quote).collect();
        if named.is_empty() { String::new() } else { format!(", flags {}", listed(&named)) }
    }
}

/// A part in parts per billion, in percent with two digits. What is not nothing is never shown as 0.
pub(crate) fn share_text(ppb: i128) -> String {
    let hundredths = rescale(ppb, 7, 2).unwrap_or(0);
    if hundredths == 0 && ppb > 0 {
        return "under 0.01%".to_owned();
    }
    format!("{}%", decimal(hundredths, 2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_shown_in_percent() {
        for (ppb, wanted) in [
            (0, "0%"),
            (1, "under 0.01%"),
            (250_000_000, "25%"),
            (333_333_333, "33.33%"),
            (WHOLE_PPB, "100%"),
        ] {
            assert_eq!(share_text(ppb), wanted);
        }
    }
}
