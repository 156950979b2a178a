//! Ways to shift blame, and what comes of them: each a scenario with the numbers of leaf-only, root-only and TFD attribution side by side.
//!
//! Some are defeated, some only flagged, and some work: then the scenario says so. Those that forge records (a parent's claim, an
//! acceptance used twice, a scope that widens) are the concern of whoever checks signatures; here such an edge carries nothing.

use std::collections::BTreeMap;

use hallmark::tfd::{Flag, Report, read, report};
use hallmark::vocab::Digest;
use serde_json::{Value, json};

fn digest(name: &str) -> Value {
    json!(Digest::of(name.as_bytes()).to_string())
}

/// A delegation that both signed.
fn hired(
    parent: &str,
    child: &str,
    chars: u32,
    capabilities: (u32, u32),
    interactions: u32,
) -> Value {
    let grant = digest(&format!("{parent} hires {child}"));
    json!({
        "parent": parent, "child": child, "grant": grant,
        "acceptance": { "digest": digest(&format!("{child} accepts")), "grant": grant },
        "specification": { "chars": chars },
        "capability": { "parent_ppm": capabilities.0, "child_ppm": capabilities.1 },
        "interactions": { "count": interactions }
    })
}

/// Agents are their invocations; the last one failed.
fn case(agents: &[&str], edges: &[Value]) -> Value {
    let invocations: Vec<Value> =
        agents.iter().map(|agent| json!({ "id": agent, "agent": agent })).collect();
    json!({
        "profile": "tfd/1", "id": "attack", "invocations": invocations, "edges": edges,
        "verdict": { "digest": digest("verdict") },
        "failures": [{ "buyer": "buyer", "failed": agents.last() }]
    })
}

fn with(mut case: Value, name: &str, value: Value) -> Value {
    case[name] = value;
    case
}

fn computed(case: &Value) -> Report {
    let case = read(case.to_string().as_bytes()).unwrap();
    report(&case, None).unwrap()
}

/// A line for each player with a part: `name leaf-only/root-only/TFD`, each in tenths of a percent of the loss, and its TFD weight.
pub(crate) fn blame(report: &Report) -> Vec<String> {
    let failure = &report.failures[0];
    let player = |invocation: &str| -> String {
        let ends = report.edges.iter().flat_map(|edge| {
            [(&edge.parent, &edge.parent_player), (&edge.child, &edge.child_player)]
        });
        ends.collect::<BTreeMap<_, _>>()[&invocation.to_owned()].clone()
    };
    let mut root = failure.failed.clone();
    while let Some(edge) = report.edges.iter().find(|edge| edge.child == root) {
        root.clone_from(&edge.parent);
    }
    let (leaf, root) = (player(&failure.failed), player(&root));
    let all = |is_all: bool| if is_all { "100" } else { "0" };
    let tenths = |ppb: u32| format!("{}.{}", ppb / 10_000_000, ppb / 1_000_000 % 10);
    failure
        .players
        .iter()
        .map(|found| {
            let name = &found.player;
            let share = tenths(found.shapley_ppb.get());
            let weight = tenths(found.weight_ppb.get());
            format!("{name} {}/{}/{share} weight {weight}", all(*name == leaf), all(*name == root))
        })
        .collect()
}

fn flags(report: &Report, edge: usize) -> &[Flag] {
    &report.edges[edge].flags
}

const EQUAL: (u32, u32) = (500_000, 500_000);

/// A parent does risky work through children that it throws away.
///
/// Defeated: a child of whom nothing is known, not told and not watched, passes everything on.
#[test]
fn disposable_proxies() {
    let mut proxied = case(&["parent", "proxy"], &[hired("parent", "proxy", 0, EQUAL, 0)]);
    proxied["edges"][0]["capability"] = json!({ "parent_ppm": 900_000 });
    let report = computed(&proxied);
    assert_eq!(blame(&report), ["parent 0/100/50.0 weight 100.0", "proxy 100/0/50.0 weight 100.0"]);
    assert!(flags(&report, 0).contains(&Flag::GapUnknown));
}

/// A parent puts shells between itself and the work.
///
/// Unwatched shells hide nobody's weight. Watched ones do: **TFD alone does not defeat them**. Each is flagged, and a policy may let them
/// attenuate nothing; the share of the loss still spreads over more players, as long as nobody proves that they are one.
#[test]
fn shells_of_shells() {
    let work = |pings: u32| {
        let shell = |parent, child| hired(parent, child, 88, EQUAL, pings);
        let edges = [
            hired("parent", "shell", 446, EQUAL, 12),
            shell("shell", "inner"),
            shell("inner", "work"),
        ];
        case(&["parent", "shell", "inner", "work"], &edges)
    };
    let direct = computed(&case(&["parent", "work"], &[hired("parent", "work", 446, EQUAL, 12)]));
    assert_eq!(blame(&direct)[0], "parent 0/100/20.1 weight 40.2");
    let parent = |case: &Value| blame(&computed(case))[1].clone();
    assert_eq!(parent(&work(0)), "parent 0/100/10.0 weight 40.2", "unwatched: the weight stays");
    assert_eq!(parent(&work(36)), "parent 0/100/0.1 weight 0.7", "watched: it is gone");

    let report = computed(&work(36));
    assert!(flags(&report, 1).contains(&Flag::PassThroughShell));
    let contracted = with(work(36), "policy", json!({ "contract_shells": true }));
    assert_eq!(parent(&contracted), "parent 0/100/10.0 weight 40.2", "the policy brings it back");
    let owned = json!([{ "id": "them", "agents": ["parent", "shell", "inner"] }]);
    let owned = with(contracted, "operators", owned);
    assert_eq!(
        blame(&computed(&owned))[0],
        "them 0/100/50.0 weight 100.0",
        "and proof brings it home"
    );
}

/// Somebody who could do the task hires a specialist to have somebody to blame.
///
/// Flagged, **not defeated**: with a specification of usual length and much watching, little is passed on. A specialist who is worse than
/// its parent passes on more.
#[test]
fn specialist_laundering() {
    let hire = |capabilities| {
        computed(&case(&["able", "special"], &[hired("able", "special", 446, capabilities, 36)]))
    };
    let report = hire((800_000, 800_000));
    assert_eq!(blame(&report), ["able 0/100/14.1 weight 28.2", "special 100/0/85.8 weight 100.0"]);
    assert!(flags(&report, 0).contains(&Flag::Laundering));
    let report = hire((800_000, 400_000));
    assert_eq!(blame(&report)[0], "able 0/100/26.0 weight 52.1");
    let report = hire((400_000, 800_000));
    assert_eq!(blame(&report)[0], "able 0/100/12.1 weight 24.2", "a real one is rewarded");
    assert!(!flags(&report, 0).contains(&Flag::Laundering));
}

/// The child belongs to the parent.
///
/// Defeated where control is proven, also if they do not sign among themselves. **Not defeated** where it is only suspected.
#[test]
fn co_owned_children() {
    let mut owned = case(&["parent", "child"], &[hired("parent", "child", 446, EQUAL, 36)]);
    assert_eq!(blame(&computed(&owned))[0], "child 100/0/85.8 weight 100.0");
    let suspected = with(
        owned.clone(),
        "suspected_operators",
        json!([{ "id": "them", "agents": ["parent", "child"] }]),
    );
    let report = computed(&suspected);
    assert_eq!(blame(&report)[1], "parent 0/100/14.1 weight 28.2");
    assert!(flags(&report, 0).contains(&Flag::SuspectedCoOwned));
    owned = with(owned, "operators", json!([{ "id": "them", "agents": ["parent", "child"] }]));
    assert_eq!(blame(&computed(&owned)), ["them 100/100/100.0 weight 100.0"]);
    owned["edges"][0].as_object_mut().unwrap().remove("acceptance");
    assert_eq!(blame(&computed(&owned)), ["them 100/100/100.0 weight 100.0"]);
}

/// An operator says, without anybody's signature, that it set its own second agent to work, which a stranger had hired for something else;
/// then its work fails. It wants the stranger to share.
///
/// Defeated: who hired one of its agents elsewhere is beside the path, and has no part in it.
#[test]
fn an_operator_draws_a_stranger_in() {
    let hired = |parent: &str, child: &str| hired(parent, child, 1_100, (0, 1_000_000), 0);
    let edges = [hired("root", "stranger"), hired("stranger", "back"), hired("root", "failed")];
    let agents = ["root", "stranger", "back", "failed"];
    let owned = json!([{ "id": "them", "agents": ["root", "back"] }]);
    let honest = with(case(&agents, &edges), "operators", owned);
    let mut drawn = honest.clone();
    let claim = json!({ "parent": "root", "child": "back" });
    drawn["edges"].as_array_mut().unwrap().push(claim);
    let (honest, drawn) = (computed(&honest), computed(&drawn));
    let expected = [
        "failed 100/0/75.0 weight 100.0",
        "stranger 0/0/0.0 weight 0.0",
        "them 0/100/25.0 weight 50.0",
    ];
    assert_eq!(blame(&honest), expected);
    assert_eq!(blame(&drawn), expected);
    assert_eq!(drawn.failures[0].method, honest.failures[0].method);
}

fn watched(records: &[(u64, &str, &str)]) -> Report {
    let records: Vec<Value> = records
        .iter()
        .enumerate()
        .map(|(index, (at, signer, event))| {
            json!({ "digest": digest(&index.to_string()), "at": at, "signer": signer, "event": digest(event) })
        })
        .collect();
    let mut case = case(&["parent", "child"], &[hired("parent", "child", 0, EQUAL, 0)]);
    case["edges"][0]["interactions"] =
        json!({ "run": { "start": 100, "end": 200 }, "records": records });
    computed(&case)
}

/// A parent signs a thousand pings.
///
/// Defeated as far as they are about the same event. **Not defeated** where the child plays along and signs an event for each: watching is
/// counted, not judged. With 96 of them, and a child twice as able, next to nothing is passed on.
#[test]
fn interaction_counts_are_inflated() {
    let once = watched(&[(150, "parent", "event")]);
    let often = watched(&vec![(150, "parent", "event"); 1_000]);
    assert_eq!(blame(&often), blame(&once));
    assert_eq!(blame(&often), ["child 100/0/60.0 weight 100.0", "parent 0/100/40.0 weight 80.0"]);
    assert!(flags(&often, 0).contains(&Flag::InteractionsLeftOut));
    let events: Vec<String> = (0..96).map(|event| event.to_string()).collect();
    let played: Vec<(u64, &str, &str)> =
        events.iter().map(|event| (150, "child", event.as_str())).collect();
    assert_eq!(blame(&watched(&played))[1], "parent 0/100/2.0 weight 4.0");
    let able = case(&["parent", "child"], &[hired("parent", "child", 0, (400_000, 800_000), 96)]);
    assert_eq!(blame(&computed(&able))[1], "parent 0/100/1.0 weight 2.0");
}

/// After the failure the parent signs what it should have looked at before.
///
/// Defeated: what is recorded after the end of the run does not count. That the times in records are true is for their checker to say.
#[test]
fn interactions_are_added_late() {
    let late = watched(&[(201, "parent", "a"), (5_000, "parent", "b")]);
    assert_eq!(blame(&late), blame(&watched(&[])));
    assert_eq!(blame(&late)[1], "parent 0/100/50.0 weight 100.0");
    assert_eq!(late.edges[0].counted.unwrap().outside_run, 2);
}

/// A hires B, which hires A again, so that A stands twice on the path and B above the failing piece of work.
///
/// Defeated: A is one player with the weight of its place that is nearest to the failure, and no weight counts twice.
#[test]
fn cycles() {
    let edges = [
        hired("first", "b", 446, EQUAL, 12),
        hired("b", "again", 446, EQUAL, 12),
        hired("again", "c", 446, EQUAL, 12),
    ];
    let mut circle = case(&["first", "b", "again", "c"], &edges);
    circle["invocations"][0]["agent"] = json!("a");
    circle["invocations"][2]["agent"] = json!("a");
    let report = computed(&circle);
    assert_eq!(
        blame(&report),
        ["a 0/100/17.4 weight 40.2", "b 0/0/5.3 weight 16.1", "c 100/0/77.2 weight 100.0"]
    );
    assert!(report.failures[0].flags.contains(&Flag::RepeatedPlayer));
}

/// A child that failed says that somebody well known had hired it, or signs for another grant than the one it was given.
///
/// Defeated: an edge that only one side signed carries nothing. Whether signatures are genuine is checked before a case is made.
#[test]
fn a_child_claims_a_parent() {
    let mut claimed = case(&["famous", "child"], &[hired("famous", "child", 0, EQUAL, 0)]);
    claimed["edges"][0].as_object_mut().unwrap().remove("grant");
    let report = computed(&claimed);
    assert_eq!(blame(&report), ["child 100/0/100.0 weight 100.0", "famous 0/100/0.0 weight 0.0"]);
    assert_eq!(flags(&report, 0)[0], Flag::Claimed);
    claimed["edges"][0]["grant"] = digest("a grant to somebody else");
    let report = computed(&claimed);
    assert_eq!(blame(&report)[1], "famous 0/100/0.0 weight 0.0");
    assert!(flags(&report, 0).contains(&Flag::OtherGrant));
}
