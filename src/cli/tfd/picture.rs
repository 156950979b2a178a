//! A report for people: a stacked bar for each delegation, and a line for each player.

use std::fmt::Write as _;

use crate::tfd::{EdgeReport, FailureReport, Flag, Method, PlayerReport, Report};
use crate::vocab::Ppb;

/// Cells of a bar that stands for one.
const CELLS: u32 = 40;

/// The whole report.
pub(super) fn of(report: &Report) -> String {
    let mut text =
        format!("{}  profile tfd/1  case {}\n", shown(&report.case.id), report.case_digest);
    // Writing into a text does not fail.
    if !report.edges.is_empty() {
        text += "\nHow much of a failure passes each delegation upwards (beta)\n";
        text += "  # specified   = not watched   - not justified by capability\n\n";
        for edge in &report.edges {
            add_edge(&mut text, edge);
        }
    }
    for failure in &report.failures {
        add_failure(&mut text, failure);
    }
    if report.failures.len() > 1 && !report.totals.is_empty() {
        text += "\nAll buyers together\n";
        for total in &report.totals {
            let _ = writeln!(
                text,
                "  {:>24} {}  {}",
                total.amount,
                shown(&total.unit),
                shown(&total.player)
            );
        }
    }
    if report.flags.contains(&Flag::Hypothetical) {
        text += "\nHypothetical: nobody has judged that it failed, or edges are assumed.\n";
    }
    text.trim_end().to_owned()
}

fn add_edge(text: &mut String, edge: &EdgeReport) {
    let parts = edge.score.parts;
    let bar = stacked([
        ('#', parts.specification_ppb),
        ('=', parts.oversight_ppb),
        ('-', parts.unjustified_ppb),
    ]);
    let _ = writeln!(text, "  {} -> {}", shown(&edge.parent_player), shown(&edge.child_player));
    let _ = writeln!(text, "    [{bar}] {}", percent(edge.score.beta_ppb));
    let carried = if edge.carried_ppb.is_none() { "carries nothing" } else { "" };
    let notes = [carried.to_owned(), words(&edge.flags)];
    let notes: Vec<&str> =
        notes.iter().map(String::as_str).filter(|note| !note.is_empty()).collect();
    if !notes.is_empty() {
        let _ = writeln!(text, "    {}", notes.join("; "));
    }
}

fn add_failure(text: &mut String, failure: &FailureReport) {
    let loss = failure.loss.as_ref().map_or_else(
        || "a unit".to_owned(),
        |loss| format!("{} {}", loss.amount, shown(&loss.unit)),
    );
    let _ = writeln!(
        text,
        "\n{} lost {loss} when `{}` failed ({})\n",
        shown(&failure.buyer),
        shown(&failure.failed),
        method(failure.method)
    );
    let _ = writeln!(text, "  {:40}     weight      share    pass-up  amount", "who carries it");
    for player in failure.players.iter().filter(|player| player.weight_ppb > Ppb::ZERO) {
        add_player(text, player);
    }
    let without = failure.players.iter().filter(|player| player.weight_ppb == Ppb::ZERO);
    let names: Vec<String> = without.map(|player| shown(&player.player)).collect();
    if !names.is_empty() {
        let _ = writeln!(text, "  no part in it: {}", names.join(", "));
    }
    if !failure.flags.is_empty() {
        let _ = writeln!(text, "  {}", words(&failure.flags));
    }
}

fn add_player(text: &mut String, player: &PlayerReport) {
    // A long fraction says no more than its digits in the line above.
    let exact = player.shapley.as_deref().filter(|share| share.contains('/') && share.len() <= 16);
    let exact = exact.map(|share| format!("  ({share})")).unwrap_or_default();
    let _ = writeln!(
        text,
        "  {} {} {} {}  {}",
        stacked([('#', player.shapley_ppb)]),
        percent(player.weight_ppb),
        percent(player.shapley_ppb),
        player.pass_up_ppb.map_or_else(|| "         -".to_owned(), percent),
        player.amount.as_deref().unwrap_or("-"),
    );
    let _ = writeln!(text, "    {}{exact}", shown(&player.player));
}

fn method(method: Method) -> String {
    match method {
        Method::Path { hops: 1 } => "a path of 1 hop".to_owned(),
        Method::Path { hops } => format!("a path of {hops} hops"),
        Method::Enumerated { edges } => format!("a graph of {edges} edges, exact"),
        Method::Sampled { edges, seed, samples, error_bound_ppb } => format!(
            "a graph of {edges} edges, {samples} samples with seed {seed}, each figure within {}",
            percent(error_bound_ppb).trim_start()
        ),
    }
}

/// Cells for each part, so that together they are as long as the sum says; parts of a cell go to the part that begins in it.
fn stacked<const N: usize>(parts: [(char, Ppb); N]) -> String {
    let mut bar = String::new();
    let mut sum = 0_u64;
    let mut cells = 0_u64;
    for (sign, part) in parts {
        sum += u64::from(part.get());
        let until = (sum * u64::from(CELLS) + 500_000_000) / 1_000_000_000;
        let count = usize::try_from(until.saturating_sub(cells)).unwrap_or(0);
        bar.extend(std::iter::repeat_n(sign, count));
        cells = until;
    }
    let missing = usize::try_from(u64::from(CELLS).saturating_sub(cells)).unwrap_or(0);
    bar.extend(std::iter::repeat_n('.', missing));
    bar
}

/// A hundredth with four digits behind the point, ten characters wide.
fn percent(part: Ppb) -> String {
    let tenths = (u64::from(part.get()) + 500) / 1_000;
    format!("{:>8} %", format!("{}.{:04}", tenths / 10_000, tenths % 10_000))
}

fn words(flags: &[Flag]) -> String {
    let word = |flag: &Flag| {
        let word = serde_json::to_value(flag).ok();
        word.as_ref().and_then(|word| word.as_str()).unwrap_or_default().replace('_', " ")
    };
    flags.iter().map(word).collect::<Vec<_>>().join(", ")
}

/// A name from a file, without what a terminal would act on.
fn shown(name: &str) -> String {
    name.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_are_as_long_as_what_they_show() {
        for (parts, expected) in [
            ([0, 0, 0], format!("{:.<40}", "")),
            ([500_000_000, 250_000_000, 250_000_000], format!("{:#<20}{:=<10}{:-<10}", "", "", "")),
            ([12_500_000, 12_500_000, 0], format!("#{:.<39}", "")),
            ([200_000_000, 0, 300_000_000], format!("{:#<8}{:-<12}{:.<20}", "", "", "")),
        ] {
            let [first, second, third] = parts.map(Ppb::new);
            assert_eq!(stacked([('#', first), ('=', second), ('-', third)]), expected, "{parts:?}");
        }
    }

    #[test]
    fn percentages_have_four_digits() {
        for (part, expected) in
            [(0, "  0.0000 %"), (1_000_000_000, "100.0000 %"), (209_005_011, " 20.9005 %")]
        {
            assert_eq!(percent(Ppb::new(part)), expected);
        }
    }
}
