//! The definitions that are of a whole case, each by its number.

use serde_json::{Value, json};

use super::super::check::read;
use super::*;

/// Who plays, and which edges count.
mod who;

fn digest(name: &str) -> Value {
    json!(Digest::of(name.as_bytes()).to_string())
}

/// An accepted delegation with a beta in tenths.
fn edge(parent: &str, child: &str, tenths: u32) -> Value {
    json!({
        "parent": parent, "child": child,
        "grant": digest(&format!("{parent}>{child}")),
        "acceptance": { "digest": digest(child), "grant": digest(&format!("{parent}>{child}")) },
        "specification": { "chars": tenths * 220, "digest": digest("spec") },
        // The child can do all, the parent nothing: what is not specified does not pass.
        "capability": { "parent_ppm": 0, "child_ppm": 1_000_000, "parent_digest": digest("p"), "child_digest": digest("c") },
        "interactions": { "count": 3, "digest": digest("n") }
    })
}

/// Invocations named as their agents in capitals, with the edges between them; the last one failed for one buyer.
fn case(agents: &str, edges: &[Value]) -> Value {
    let ids: Vec<String> = agents.split(' ').map(str::to_lowercase).collect();
    let invocations: Vec<Value> = agents
        .split(' ')
        .zip(&ids)
        .map(|(agent, id)| json!({ "id": id, "agent": agent }))
        .collect();
    json!({
        "profile": "tfd/1", "id": "case", "invocations": invocations, "edges": edges,
        "verdict": { "digest": digest("verdict") },
        "failures": [{ "buyer": "buyer", "failed": ids.last() }]
    })
}

fn with(mut value: Value, path: &str, new: Value) -> Value {
    let (parent, name) = path.rsplit_once('/').unwrap();
    value.pointer_mut(parent).unwrap()[name] = new;
    value
}

fn computed(case: &Value) -> Report {
    let case = read(case.to_string().as_bytes()).unwrap_or_else(|error| panic!("{error}: {case}"));
    report(&case, None).unwrap_or_else(|error| panic!("{error}"))
}

fn refused(case: &Value) -> String {
    let case = read(case.to_string().as_bytes());
    case.and_then(|case| report(&case, None)).unwrap_err().to_string()
}

/// Player, weight in thousandths, exact share.
fn outcome(report: &Report) -> Vec<(&str, u32, &str)> {
    let players = report.failures[0].players.iter();
    players
        .map(|player| {
            let share = player.shapley.as_deref().unwrap();
            (player.player.as_str(), player.weight_ppb.get() / 1_000_000, share)
        })
        .collect()
}

fn chain() -> Value {
    case("A B C", &[edge("a", "b", 8), edge("b", "c", 4)])
}

#[test]
fn the_published_chain_is_exact() {
    let report = computed(&chain());
    assert_eq!(outcome(&report), [("A", 320, "8/75"), ("B", 400, "11/75"), ("C", 1_000, "56/75")]);
    assert_eq!(report.failures[0].path.as_ref().unwrap(), &["C", "B", "A"]);
    assert_eq!(report.failures[0].method, Method::Path { hops: 2 });
    assert_eq!(report.edges[0].score.beta_ppb.get(), 800_000_000);
}

/// Definition 3: an unknown capability is flagged, and the proxy of the paper only used where it is asked for by name.
#[test]
fn definition_3_the_source_of_a_gap_is_named() {
    let unknown = with(chain(), "/edges/0/capability", json!({ "child_ppm": 968_600 }));
    let unknown = with(unknown, "/edges/0/specification/chars", json!(460));
    let report = computed(&unknown);
    assert!(report.edges[0].flags.contains(&Flag::GapUnknown));
    assert_eq!((report.edges[0].score.gap_ppb, report.edges[0].inputs.capability_ppm), (0, None));
    let proxy = with(unknown, "/edges/0/capability/source", json!("delegate_compliance"));
    let report = computed(&proxy);
    assert!(report.edges[0].flags.contains(&Flag::GapFromCompliance));
    assert_eq!(report.edges[0].score.beta_ppb.get(), 209_090_909);
}

/// Definition 4: the report says what was counted, and what was left out.
#[test]
fn definition_4_late_records_do_not_count() {
    let record = |name: &str, at: u64| json!({ "digest": digest(name), "at": at, "signer": "parent", "event": digest(name) });
    let interactions = json!({
        "run": { "start": 100, "end": 200 },
        "records": [record("a", 100), record("b", 200), record("late", 201)]
    });
    let report = computed(&with(chain(), "/edges/1/interactions", interactions));
    assert_eq!(
        report.edges[1].counted.map(|counted| (counted.counted, counted.outside_run)),
        Some((2, 1))
    );
    assert_eq!(report.edges[1].flags, [Flag::InteractionsLeftOut]);
    assert_eq!(report.frozen_at, Some(200));
}

/// Definition 7: whoever is beside or below the path has no part in it.
#[test]
fn definition_7_beside_and_below_is_zero() {
    let tree = case("A B D C", &[edge("a", "b", 8), edge("a", "d", 9), edge("b", "c", 4)]);
    assert_eq!(outcome(&computed(&tree))[3], ("D", 0, "0"));
    let failed_above = with(tree, "/failures/0/failed", json!("b"));
    let report = computed(&failed_above);
    assert_eq!(outcome(&report)[2], ("C", 0, "0"));
}

/// Definition 9: four outputs, of which three sum to one; shapley splits by default, and a weight never does.
#[test]
fn definition_9_there_are_four_outputs() {
    let lossy = with(
        chain(),
        "/failures/0/loss",
        json!({ "amount": "100", "unit": "usd", "source": "escrow" }),
    );
    let report = computed(&lossy);
    let players = &report.failures[0].players;
    let sum = |of: fn(&PlayerReport) -> u32| players.iter().map(of).sum::<u32>();
    assert_eq!(sum(|player| player.weight_ppb.get()), 1_720_000_000);
    assert_eq!(sum(|player| player.shapley_ppb.get()), 1_000_000_000);
    assert_eq!(sum(|player| player.pass_up_ppb.unwrap().get()), 1_000_000_000);
    assert_eq!(sum(|player| player.normalised_ppb.get()), 1_000_000_000);
    let amounts = |case: &Value| -> Vec<u128> {
        let report = computed(case);
        report.failures[0]
            .players
            .iter()
            .map(|p| p.amount.as_ref().unwrap().parse().unwrap())
            .collect()
    };
    // 8/75, 11/75, 56/75; then .32, .08, .6; then .32, .4, 1 over 1.72.
    assert_eq!(amounts(&lossy), [11, 15, 74]);
    let by = |split: &str| with(lossy.clone(), "/policy", json!({ "split": split }));
    assert_eq!(amounts(&by("pass_up")), [32, 8, 60]);
    assert_eq!(amounts(&by("normalised")), [19, 23, 58]);
    assert!(refused(&by("weight")).starts_with("policy.split: unknown variant `weight`"));
}

/// Definition 10: several paths are computed as a graph, and have no pass-up.
#[test]
fn definition_10_a_graph_has_no_pass_up() {
    let edges = [edge("a", "b", 5), edge("a", "c", 5), edge("b", "d", 5), edge("c", "d", 5)];
    let diamond = case("A B C D", &edges);
    let report = computed(&diamond);
    let expected =
        [("A", 437, "25/192"), ("B", 500, "11/64"), ("C", 500, "11/64"), ("D", 1_000, "101/192")];
    assert_eq!(outcome(&report), expected);
    assert_eq!(report.failures[0].method, Method::Enumerated { edges: 4 });
    assert!(report.failures[0].players.iter().all(|player| player.pass_up_ppb.is_none()));
    assert_eq!(report.failures[0].flags, [Flag::SeveralPaths, Flag::UnitLoss]);
    let error = refused(&with(diamond, "/policy", json!({ "split": "pass_up" })));
    assert_eq!(
        error,
        "policy.split: `pass_up` is of paths only, and what led to failures[0] is none"
    );
}

/// Definition 11: A hired B, which hired A again: one player, with the larger weight.
#[test]
fn definition_11_a_returning_agent_is_one_player() {
    let mut circle = case("A B X C", &[edge("a", "b", 5), edge("b", "x", 8), edge("x", "c", 4)]);
    circle["invocations"][2]["agent"] = json!("A");
    let report = computed(&circle);
    assert_eq!(report.failures[0].players[0].weight_ppb.get(), 400_000_000);
    assert_eq!(report.failures[0].path.as_ref().unwrap(), &["C", "A", "B", "A"]);
    assert!(report.failures[0].flags.contains(&Flag::RepeatedPlayer));
}

/// Definition 12: nothing is added for a root; with c = 0, o = 0 (in the limit) and g ≥ 0 its weight is zero.
#[test]
fn definition_12_there_is_no_floor_but_control() {
    let report = computed(&case("A B", &[edge("a", "b", 0)]));
    assert_eq!(outcome(&report), [("A", 0, "0"), ("B", 1_000, "1")]);
}

/// Definition 13: what was found out later is not an input; both times are in the report.
#[test]
fn definition_13_inputs_are_frozen_and_detection_counts() {
    let mut delayed = with(chain(), "/detected_at", json!(1_000));
    delayed["edges"][0]["interactions"] = json!({ "run": { "start": 1, "end": 300 } });
    delayed["edges"][1]["interactions"] = json!({ "run": { "start": 2, "end": 200 } });
    let report = computed(&delayed);
    assert_eq!((report.frozen_at, report.effective_at), (Some(300), Some(1_000)));
}

/// Definition 14: no discount, unless a policy sets one for what the child wrote and the parent reviewed.
#[test]
fn definition_14_a_discount_needs_policy_author_and_review() {
    let policy =
        |case: Value| with(case, "/policy", json!({ "reviewed_foreseeability_ppm": 500_000 }));
    let child = with(chain(), "/edges/0/specification/author", json!("child"));
    let reviewed = with(child.clone(), "/edges/0/specification/review", digest("review"));
    let parent = with(reviewed.clone(), "/edges/0/specification/author", json!("parent"));
    for (case, beta, flags) in [
        (child.clone(), 800, &[Flag::SelfWrittenSpec][..]),
        (reviewed.clone(), 800, &[Flag::SelfWrittenSpec]),
        (policy(child), 800, &[Flag::SelfWrittenSpec]),
        (policy(parent), 800, &[]),
        (policy(reviewed), 400, &[Flag::SelfWrittenSpec, Flag::ForeseeabilityDiscount]),
    ] {
        let edge = &computed(&case).edges[0];
        assert_eq!((edge.score.beta_ppb.get() / 1_000_000, edge.flags.as_slice()), (beta, flags));
    }
}

/// Definition 19: amounts sum to the loss, to the last minor unit.
#[test]
fn definition_19_a_loss_is_split_exactly() {
    let amount = "340282366920938463463374607431768211455";
    let lossy = with(
        chain(),
        "/failures/0/loss",
        json!({ "amount": amount, "unit": "wei", "source": "escrow" }),
    );
    let report = computed(&lossy);
    let sum = report
        .totals
        .iter()
        .fold(0_u128, |sum, total| sum.checked_add(total.amount.parse().unwrap()).unwrap());
    assert_eq!(sum.to_string(), amount);
    assert!(computed(&chain()).failures[0].flags.contains(&Flag::UnitLoss));
}

/// Definition 20: without a verdict everything is hypothetical, and so it is with edges that are only assumed.
#[test]
fn definition_20_without_a_verdict_it_is_hypothetical() {
    assert_eq!(computed(&chain()).flags, []);
    let mut unjudged = chain();
    unjudged.as_object_mut().unwrap().remove("verdict");
    assert_eq!(computed(&unjudged).flags, [Flag::Hypothetical]);
}

#[test]
fn a_report_holds_its_case_and_has_one_form_in_bytes() {
    let report = computed(&chain());
    let bytes = report.canonical().unwrap();
    let again = report_of(&bytes);
    assert_eq!(bytes, again.canonical().unwrap());
    assert!(bytes.starts_with(r#"{"case":{"edges":["#), "names are sorted: {bytes:.60}");
    // The order of names and white space in a file are nothing.
    let shuffled = format!("\n {}", serde_json::to_string_pretty(&chain()).unwrap());
    let other = report_of(
        &json!({ "case": serde_json::from_str::<Value>(&shuffled).unwrap() }).to_string(),
    );
    assert_eq!(other.case_digest, report.case_digest);
}

/// The share of every player is told exactly, however deep the path: 64 hops of betas without a common factor have the longest.
#[test]
fn shares_are_told_exactly_however_long() {
    let names: Vec<String> = (0..65).map(|n| format!("A{n}")).collect();
    let ids: Vec<String> = names.iter().map(|name| name.to_lowercase()).collect();
    let odd = |(parent, child): (&String, &String)| {
        with(edge(parent, child, 5), "/specification/chars", json!(2_199))
    };
    let deep: Vec<Value> = ids.iter().zip(ids.iter().skip(1)).map(odd).collect();
    let report = computed(&case(&names.join(" "), &deep));
    assert_eq!(report.failures[0].method, Method::Path { hops: 64 });
    let shares: Vec<&str> = report.failures[0]
        .players
        .iter()
        .map(|player| player.shapley.as_deref().unwrap())
        .collect();
    assert!(shares.iter().all(|share| share.contains('/') && share.len() <= FRACTION_MAX));
    assert!(shares.iter().any(|share| share.len() > 200));
}

fn report_of(told: &str) -> Report {
    computed(&serde_json::from_str::<Value>(told).unwrap()["case"])
}

#[test]
fn a_large_graph_is_refused_and_sampled_only_when_asked() {
    let names: Vec<String> = (0..22).map(|n| format!("A{n}")).collect();
    let edges: Vec<Value> = (0..21).map(|n| edge(&format!("a{n}"), "a21", 5)).collect();
    let star = case(&names.join(" "), &edges);
    let error = refused(&star);
    assert!(
        error.starts_with(
            "failures[0].failed: what led to it is a graph of 21 edges, and at most 20"
        ),
        "{error}"
    );
    let case = read(star.to_string().as_bytes()).unwrap();
    let report = report(&case, Some(Sampling { seed: 3, samples: 10_000 })).unwrap();
    let Method::Sampled { edges: 21, seed: 3, samples: 10_000, error_bound_ppb } =
        report.failures[0].method
    else {
        panic!("{:?}", report.failures[0].method)
    };
    let shares = report.failures[0].players.iter().map(|player| player.shapley_ppb.get());
    assert_eq!(shares.sum::<u32>(), 1_000_000_000);
    let half = report.failures[0].players.iter().find(|player| player.player == "A0").unwrap();
    assert!(half.weight_ppb.get().abs_diff(500_000_000) <= error_bound_ppb.get());
}
