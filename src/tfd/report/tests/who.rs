//! The definitions that say who plays, and which edges count.

use serde_json::json;

use super::*;

/// Definition 15: a skill with both receipts controls nothing by its contract; its publisher answers, or nobody does.
#[test]
fn definition_15_a_skill_stands_where_a_child_stands() {
    let mut skilled = case("A S", &[edge("a", "s", 8)]);
    skilled["invocations"][1] = json!({ "id": "s", "skill": { "digest": digest("skill") } });
    skilled["edges"][0].as_object_mut().unwrap().remove("acceptance");
    let report = computed(&skilled);
    let unattributed = format!("unattributed:{}", Digest::of(b"skill"));
    assert_eq!(outcome(&report), [("A", 800, "2/5"), (unattributed.as_str(), 1_000, "3/5")]);
    assert_eq!(report.failures[0].flags, [Flag::Unattributed, Flag::UnitLoss]);
    assert_eq!(report.edges[0].state, EdgeState::Accepted, "a skill signs nothing");

    skilled["invocations"][1]["skill"]["publisher"] = json!("P");
    assert_eq!(outcome(&computed(&skilled)), [("A", 800, "2/5"), ("P", 1_000, "3/5")]);

    skilled["edges"][0]["inputs_met"] = digest("in");
    assert_eq!(
        computed(&skilled).edges[0].score.control_ppb.get(),
        800_000_000,
        "one receipt is not both"
    );
    skilled["edges"][0]["output_validated"] = digest("out");
    let report = computed(&skilled);
    assert_eq!(outcome(&report), [("A", 0, "0"), ("P", 1_000, "1")]);
    assert!(report.edges[0].flags.contains(&Flag::SkillValidated));
}

/// Definition 16: proven control makes one player, whoever signed within it; suspicion only flags.
#[test]
fn definition_16_operators_are_contracted() {
    let operator = json!([{ "id": "O", "agents": ["A", "B"], "evidence": [digest("owner")] }]);
    let mut owned = with(chain(), "/operators", operator.clone());
    let report = computed(&owned);
    assert_eq!(outcome(&report), [("C", 1_000, "4/5"), ("O", 400, "1/5")]);
    assert_eq!(report.failures[0].players[1].agents, ["A", "B"]);
    assert_eq!(
        (report.edges[0].flags.as_slice(), report.edges[0].carried_ppb),
        (&[Flag::CoOwned][..], None)
    );
    // An operator that does not sign for its own inner hop gains nothing.
    owned["edges"][0].as_object_mut().unwrap().remove("acceptance");
    assert_eq!(outcome(&computed(&owned)), [("C", 1_000, "4/5"), ("O", 400, "1/5")]);

    let report = computed(&with(chain(), "/suspected_operators", operator));
    assert_eq!(outcome(&report)[0], ("A", 320, "8/75"));
    assert_eq!(report.edges[0].flags, [Flag::SuspectedCoOwned]);
}

/// Definition 17: a hop without control and gap is flagged, and attenuates nothing if the policy says so.
#[test]
fn definition_17_shells_are_flagged_and_may_be_contracted() {
    let mut shell = chain();
    shell["edges"][1]["specification"]["chars"] = json!(0);
    shell["edges"][1]["capability"] = json!({ "parent_ppm": 500_000, "child_ppm": 500_000 });
    shell["edges"][1]["interactions"]["count"] = json!(36);
    let report = computed(&shell);
    assert!(report.edges[1].flags.contains(&Flag::PassThroughShell));
    assert_eq!(outcome(&report)[0].1, 80);
    let report = computed(&with(shell, "/policy", json!({ "contract_shells": true })));
    assert_eq!(report.edges[1].carried_ppb, Some(Ppb::ONE));
    assert_eq!(
        report.edges[1].score.beta_ppb.get(),
        100_000_000,
        "what it would be is still shown"
    );
    assert_eq!((outcome(&report)[0].1, outcome(&report)[1].1), (800, 1_000));
}

/// Definition 18: every buyer has its own chain and loss; the leaf bears a part of each, parents only of their own.
#[test]
fn definition_18_buyers_are_apart() {
    let mut shared = case("A B X Y", &[edge("a", "x", 5), edge("b", "y", 5)]);
    shared["invocations"][3]["agent"] = json!("X");
    let loss = |amount: &str| json!({ "amount": amount, "unit": "usd", "source": "declared" });
    shared["failures"] = json!([
        { "buyer": "first", "failed": "x", "loss": loss("100") },
        { "buyer": "second", "failed": "y", "loss": loss("40") },
    ]);
    let report = computed(&shared);
    let total = |player: &str| {
        report.totals.iter().find(|total| total.player == player).unwrap().amount.clone()
    };
    assert_eq!((total("A"), total("B"), total("X")), ("25".into(), "10".into(), "105".into()));
    assert_eq!(
        report.failures[0].players[1].weight_ppb,
        Ppb::ZERO,
        "B is not of the first buyer's chain"
    );
}

/// Definition 21: an edge counts when both signed the same grant; any other is kept, and carries nothing.
#[test]
fn definition_21_one_sided_edges_carry_nothing() {
    let without = |names: &[&str]| {
        let mut case = chain();
        for name in names {
            case["edges"][1].as_object_mut().unwrap().remove(*name);
        }
        case
    };
    let other = with(chain(), "/edges/1/acceptance/grant", digest("other"));
    for (case, flags) in [
        (without(&["grant"]), &[Flag::Claimed][..]),
        (without(&["acceptance"]), &[Flag::Claimed]),
        (without(&["grant", "acceptance"]), &[Flag::Claimed]),
        (other, &[Flag::Claimed, Flag::OtherGrant]),
    ] {
        let report = computed(&case);
        assert_eq!(outcome(&report), [("A", 0, "0"), ("B", 0, "0"), ("C", 1_000, "1")]);
        assert_eq!(
            (report.edges[1].state, report.edges[1].flags.as_slice()),
            (EdgeState::Claimed, flags)
        );
        assert_eq!(report.edges[1].score.beta_ppb.get(), 400_000_000, "it is kept");
    }
    let assumed =
        with(without(&["grant", "acceptance"]), "/policy", json!({ "assume_signed": true }));
    let report = computed(&assumed);
    assert_eq!(outcome(&report)[0].1, 320);
    assert_eq!(
        (report.flags.as_slice(), report.edges[1].state),
        (&[Flag::Hypothetical][..], EdgeState::Assumed)
    );
}
