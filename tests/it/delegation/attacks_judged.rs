//! Ways to have a report held against others by who judges what, and when: each a scenario, as in `attacks`.

use hallmark::delegation::{
    CaseOptions, FaultKind, HopState, Note, Ruling, Standing, Under, Verdict, case,
};
use hallmark::tfd::{self, Flag};

use super::attacks::{blamed, hired, reason, reported};
use super::build::*;

/// Agent 3, whom nobody hired, hires its accomplice 4 "under" the grant by which 1 hired 2, and names its accomplice 5 as the judge, who says
/// at once that 4 failed. So agents 1 and 2, who signed with each other and with nobody else, would carry two thirds of any loss.
///
/// Defeated: a grant hangs under another only where that one was to its parent. The hop is claimed and carries nothing, its judge is nobody's,
/// and 4 alone bears what it let itself be hired for. Leaf-only says the same; root-only blames 1, or 3, by whose word the root is taken.
/// Not defeated: agent 2 itself hires an accomplice under the grant, with a judge of its own, and 1 pays its part. Whoever allows to delegate on
/// takes on whom its child hires, and whom its child has judge them.
#[test]
fn a_stranger_hires_under_somebody_elses_grant() {
    let mut built = Builder::new(5);
    let (granted, _) = hired(&mut built);
    let mut below = grant(agent(3), agent(4), Under::Grant(granted), START + 200);
    below.judges = vec![agent(5)];
    let (strange, _) = built.hire(below);
    built.sign(Verdict { issuer: agent(5), ..verdict(strange, START + 30_000) });
    let (kind, why) = reason(&built);
    assert_eq!(kind, FaultKind::Stranger);
    let (by, to) = (agent(3), agent(2));
    assert!(why.ends_with(&format!("it is by {by}, and the grant above was to {to}")), "{why}");
    let found = built.verdict();
    let hop = found.hop(strange).unwrap();
    assert_eq!((hop.state, hop.above, hop.depth), (HopState::ClaimedByParent, None, 1));
    let notes: Vec<_> = found.notes.iter().map(|noted| noted.note).collect();
    assert_eq!(notes, [Note::JudgedByStranger]);
    let options = CaseOptions { failed: Some(strange), id: "attack".into(), ..Default::default() };
    let report = tfd::report(&case(&found, options).unwrap(), None).unwrap();
    assert_eq!(report.flags, [Flag::Hypothetical], "nobody may judge it");
    assert!(report.edges[1].flags.contains(&Flag::Claimed));
    let weights: Vec<_> =
        report.failures[0].players.iter().map(|one| one.weight_ppb.get()).collect();
    assert_eq!(weights, [0, 0, 0, 1_000_000_000]);
    // What 1 and 2 signed holds, and what the judge says whom they agreed on counts as ever.
    built.sign(verdict(granted, START + 30_000));
    assert_eq!(reported(&built).flags, []);
    assert_eq!(&blamed(&built)[..2], ["#1 0/100/50.0 weight 100.0", "#2 100/0/50.0 weight 100.0"]);
    assert_eq!(built.verdict().standing, Standing::Invalid, "the document has a false claim in it");
}

/// After the verdict the parent records twelve interactions that it says it made during the run, and the child never said what came of it.
///
/// **Not defeated by the document alone**: times are the signers' word, and nothing in it shows what was there when the judge judged. The
/// parent goes from half of the loss to 15 % of it; leaf-only would give it nothing of it, root-only all. A service that heard of the verdict
/// first leaves out what came after it (`tests/it/disputes/judging.rs`), and `received` in its documents shows when that was; and a child that
/// says what came of it, and which interaction was the last, ends the story there.
#[test]
fn interactions_are_made_up_after_the_verdict() {
    let ran = |late: u64| {
        let mut built = Builder::new(2);
        let (granted, mut last) = hired(&mut built);
        built.sign(verdict(granted, START + 30_000));
        for number in 0..late {
            let event = format!("late {number}");
            last = built.sign(interaction(granted, agent(1), last, &event, START + 140 + number));
        }
        blamed(&built)
    };
    assert_eq!(ran(0), ["#1 0/100/50.0 weight 100.0", "#2 100/0/50.0 weight 100.0"]);
    assert_eq!(ran(12), ["#1 0/100/15.2 weight 30.5", "#2 100/0/84.7 weight 100.0"]);
}

/// A judge judges before the run, or takes back in the same second what it said; or several say one failure, each with another loss.
///
/// Defeated: what is of a time before the grant confirms nothing, who dismisses has the last word on its own, and one verdict counts, the
/// earliest; that others differ from it is noted.
#[test]
fn verdicts_of_another_time_and_of_another_mind() {
    let notes =
        |built: &Builder| built.verdict().notes.iter().map(|noted| noted.note).collect::<Vec<_>>();
    let mut built = Builder::new(2);
    let (granted, _) = hired(&mut built);
    built.sign(verdict(granted, START + 99));
    assert_eq!(notes(&built), [Note::JudgedEarly]);
    assert_eq!(reported(&built).flags, [Flag::Hypothetical]);
    built.sign(verdict(granted, START + 30_000));
    built.sign(Verdict { losses: vec![], ..verdict(granted, START + 30_001) });
    assert_eq!(notes(&built), [Note::JudgedEarly, Note::VerdictsDiffer]);
    let report = reported(&built);
    assert_eq!(report.flags, []);
    assert_eq!(report.failures.len(), 1);
    let dismissed =
        Verdict { ruling: Ruling::Dismissed, losses: vec![], ..verdict(granted, START + 30_001) };
    built.sign(dismissed);
    assert_eq!(notes(&built), [Note::JudgedEarly]);
    assert_eq!(reported(&built).flags, [Flag::Hypothetical]);
}
