//! Reading a case file: bounded before it is parsed, and refused by the name of the field that is wrong.
//!
//! What passes here has a report. Whether its path is short enough, and its graph small enough to be exact, is found out by computing it.

use std::collections::{BTreeMap, BTreeSet};

use super::case::{
    CASE_BYTES_MAX, Capability, Case, Edge, Failure, Interactions, Invocation, Operator, Policy,
    Specification,
};
use super::edge::PPM;
use crate::vocab::UnixSeconds;

/// Most invocations of a case.
const INVOCATIONS_MAX: usize = 1_000;
/// Most delegations.
const EDGES_MAX: usize = 2_000;
/// Most buyers.
const FAILURES_MAX: usize = 16;
/// Most operators, proven or suspected.
const OPERATORS_MAX: usize = 1_000;
/// Longest name, in bytes.
const TEXT_MAX: usize = 200;
/// What names of players of our own begin with.
pub(super) const UNATTRIBUTED: &str = "unattributed:";

/// Why a case has no report: the field, as a path into the file, and what is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {why}")]
pub struct CaseError {
    /// Such as `edges[3].capability.parent_ppm`.
    pub field: String,
    /// What is wrong with it, and what would be right.
    pub why: String,
}

impl CaseError {
    pub(super) fn new(field: impl Into<String>, why: impl Into<String>) -> Self {
        Self { field: field.into(), why: why.into() }
    }
}

/// A condition that a field must meet.
fn require(
    holds: bool,
    field: impl FnOnce() -> String,
    why: impl FnOnce() -> String,
) -> Result<(), CaseError> {
    if holds { Ok(()) } else { Err(CaseError::new(field(), why())) }
}

/// Reads a case file.
///
/// # Errors
/// When it is larger than [`CASE_BYTES_MAX`], is not JSON of the documented form, or speaks of something that is not there.
pub fn read(bytes: &[u8]) -> Result<Case, CaseError> {
    require(
        bytes.len() <= CASE_BYTES_MAX,
        || "the file".to_owned(),
        || format!("{} bytes, and at most {CASE_BYTES_MAX} are read", bytes.len()),
    )?;
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let case: Case = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let path = error.path().to_string();
        let field = if path == "." { "the file".to_owned() } else { path };
        CaseError::new(field, error.inner().to_string())
    })?;
    json.end().map_err(|error| CaseError::new("the file", error.to_string()))?;
    check(&case)?;
    Ok(case)
}

/// What no type says: sizes, ranges, names that lead somewhere.
pub(super) fn check(case: &Case) -> Result<(), CaseError> {
    bounded("invocations", case.invocations.len(), 1, INVOCATIONS_MAX)?;
    bounded("edges", case.edges.len(), 0, EDGES_MAX)?;
    bounded("failures", case.failures.len(), 1, FAILURES_MAX)?;
    text("id", &case.id)?;
    time("detected_at", case.detected_at.unwrap_or(0))?;
    let mut known = BTreeMap::new();
    for (index, invocation) in case.invocations.iter().enumerate() {
        let field = format!("invocations[{index}]");
        check_invocation(&field, invocation)?;
        let again = known.insert(invocation.id.as_str(), (index, invocation.skill.is_some()));
        require(
            again.is_none(),
            || format!("{field}.id"),
            || format!("`{}` is there already", invocation.id),
        )?;
    }
    let mut pairs = BTreeSet::new();
    for (index, edge) in case.edges.iter().enumerate() {
        let field = format!("edges[{index}]");
        check_edge(&field, edge, &known)?;
        let is_new = pairs.insert((edge.parent.as_str(), edge.child.as_str()));
        let again = || format!("`{}` delegated to `{}` already", edge.parent, edge.child);
        require(is_new, || field.clone(), again)?;
    }
    acyclic(case, &known)?;
    for (index, failure) in case.failures.iter().enumerate() {
        check_failure(&format!("failures[{index}]"), failure, &known)?;
    }
    check_operators(case)?;
    check_policy(&case.policy)
}

fn bounded(field: &str, count: usize, min: usize, max: usize) -> Result<(), CaseError> {
    let why = || format!("{count} of them; there must be {min} to {max}");
    require((min..=max).contains(&count), || field.to_owned(), why)
}

fn text(field: &str, text: &str) -> Result<(), CaseError> {
    let why = || format!("must be 1 to {TEXT_MAX} bytes without control characters");
    let fits = (1..=TEXT_MAX).contains(&text.len()) && !text.contains(char::is_control);
    require(fits, || field.to_owned(), why)
}

/// Unix seconds up to the year 9999.
fn time(field: &str, seconds: u64) -> Result<(), CaseError> {
    let why = || format!("{seconds} is no time in unix seconds up to the year 9999");
    require(UnixSeconds::new(seconds).is_some(), || field.to_owned(), why)
}

/// The name of an agent, which may not look like a name that we give.
fn agent(field: &str, agent: &str) -> Result<(), CaseError> {
    text(field, agent)?;
    let why = || format!("no agent's name begins with `{UNATTRIBUTED}`");
    require(!agent.starts_with(UNATTRIBUTED), || field.to_owned(), why)
}

fn check_invocation(field: &str, invocation: &Invocation) -> Result<(), CaseError> {
    text(&format!("{field}.id"), &invocation.id)?;
    match (&invocation.agent, &invocation.skill) {
        (Some(name), None) => agent(&format!("{field}.agent"), name),
        (None, Some(skill)) => match &skill.publisher {
            Some(name) => agent(&format!("{field}.skill.publisher"), name),
            None => Ok(()),
        },
        (Some(_), Some(_)) | (None, None) => {
            Err(CaseError::new(field, "must have either `agent` or `skill`"))
        }
    }
}

type Known<'a> = BTreeMap<&'a str, (usize, bool)>;

fn invocation(field: &str, id: &str, known: &Known<'_>) -> Result<(usize, bool), CaseError> {
    let why = || CaseError::new(field, format!("there is no invocation `{}`", shown(id)));
    known.get(id).copied().ok_or_else(why)
}

/// The beginning of a text that a stranger wrote.
fn shown(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(80).collect()
}

fn check_edge(field: &str, edge: &Edge, known: &Known<'_>) -> Result<(), CaseError> {
    let (parent, parent_is_skill) = invocation(&format!("{field}.parent"), &edge.parent, known)?;
    let (child, child_is_skill) = invocation(&format!("{field}.child"), &edge.child, known)?;
    require(
        parent != child,
        || format!("{field}.child"),
        || "an invocation does not delegate to itself".into(),
    )?;
    require(!parent_is_skill, || format!("{field}.parent"), || "a skill does not delegate".into())?;
    for (name, receipt) in
        [("inputs_met", edge.inputs_met), ("output_validated", edge.output_validated)]
    {
        let why = || "is a receipt of a skill, and the child is an agent".to_owned();
        require(receipt.is_none() || child_is_skill, || format!("{field}.{name}"), why)?;
    }
    check_specification(&format!("{field}.specification"), &edge.specification)?;
    check_capability(&format!("{field}.capability"), &edge.capability)?;
    check_interactions(&format!("{field}.interactions"), &edge.interactions)
}

fn check_specification(field: &str, specification: &Specification) -> Result<(), CaseError> {
    let has_texts = specification.conditions.is_some() || specification.scope_grammar.is_some();
    let why = || "is counted from `conditions` and `scope_grammar` where they are given".to_owned();
    require(specification.chars.is_none() || !has_texts, || format!("{field}.chars"), why)
}

fn check_capability(field: &str, capability: &Capability) -> Result<(), CaseError> {
    for (name, value) in [
        ("parent_ppm", capability.parent_ppm),
        ("child_ppm", capability.child_ppm),
        ("required_ppm", capability.required_ppm),
    ] {
        in_ppm(&format!("{field}.{name}"), value)?;
    }
    Ok(())
}

fn in_ppm(field: &str, value: Option<u32>) -> Result<(), CaseError> {
    let value = value.unwrap_or(0);
    require(value <= PPM, || field.to_owned(), || format!("{value} is not within 0 to {PPM}"))
}

fn check_interactions(field: &str, interactions: &Interactions) -> Result<(), CaseError> {
    let has_records = !interactions.records.is_empty();
    let why = || "is counted from `records` where they are given".to_owned();
    require(interactions.count.is_none() || !has_records, || format!("{field}.count"), why)?;
    let why = || "is needed to count `records`".to_owned();
    require(interactions.run.is_some() || !has_records, || format!("{field}.run"), why)?;
    for (index, record) in interactions.records.iter().enumerate() {
        time(&format!("{field}.records[{index}].at"), record.at)?;
    }
    let Some(run) = interactions.run else { return Ok(()) };
    time(&format!("{field}.run.end"), run.end)?;
    require(run.start <= run.end, || format!("{field}.run.end"), || "is before `start`".to_owned())
}

fn check_failure(field: &str, failure: &Failure, known: &Known<'_>) -> Result<(), CaseError> {
    text(&format!("{field}.buyer"), &failure.buyer)?;
    invocation(&format!("{field}.failed"), &failure.failed, known)?;
    let Some(loss) = &failure.loss else { return Ok(()) };
    text(&format!("{field}.loss.unit"), &loss.unit)?;
    let why = || {
        CaseError::new(
            format!("{field}.loss.amount"),
            "must be decimal digits, without leading zeros, below 2^128",
        )
    };
    loss.parsed().map(|_| ()).ok_or_else(why)
}

fn check_operators(case: &Case) -> Result<(), CaseError> {
    let agents: BTreeSet<&str> =
        case.invocations.iter().filter_map(|invocation| invocation.answerable()).collect();
    for (name, operators) in
        [("operators", &case.operators), ("suspected_operators", &case.suspected_operators)]
    {
        bounded(name, operators.len(), 0, OPERATORS_MAX)?;
        let (mut ids, mut members) = (BTreeSet::new(), BTreeSet::new());
        for (index, operator) in operators.iter().enumerate() {
            let field = format!("{name}[{index}]");
            check_operator(&field, operator)?;
            require(
                ids.insert(&operator.id),
                || format!("{field}.id"),
                || "is there already".into(),
            )?;
            let stranger =
                agents.contains(operator.id.as_str()) && !operator.agents.contains(&operator.id);
            let why = || "is the name of an agent that does not belong to it".to_owned();
            require(!stranger, || format!("{field}.id"), why)?;
            for agent in &operator.agents {
                let why = || format!("`{}` belongs to several: join them into one", shown(agent));
                require(members.insert(agent), || format!("{field}.agents"), why)?;
            }
        }
    }
    Ok(())
}

fn check_operator(field: &str, operator: &Operator) -> Result<(), CaseError> {
    agent(&format!("{field}.id"), &operator.id)?;
    bounded(&format!("{field}.agents"), operator.agents.len(), 1, INVOCATIONS_MAX)?;
    operator.agents.iter().try_for_each(|name| agent(&format!("{field}.agents"), name))
}

fn check_policy(policy: &Policy) -> Result<(), CaseError> {
    in_ppm("policy.reviewed_foreseeability_ppm", policy.reviewed_foreseeability_ppm)
}

/// Time runs forwards: an invocation does not set its own cause to work. The same agent may be invoked again.
fn acyclic(case: &Case, known: &Known<'_>) -> Result<(), CaseError> {
    let at = |id: &str| known.get(id).map(|(index, _)| *index);
    let ends: Vec<Option<(usize, usize)>> =
        case.edges.iter().map(|edge| at(&edge.parent).zip(at(&edge.child))).collect();
    let mut is_open = vec![true; ends.len()];
    // An edge whose parent nobody invoked, or whose child invoked nobody, is on no circle; and so on with what is left.
    for way in [|ends: (usize, usize)| ends, |(parent, child): (usize, usize)| (child, parent)] {
        let mut into = vec![0_usize; case.invocations.len()];
        let mut out: Vec<Vec<usize>> = vec![Vec::new(); case.invocations.len()];
        for (edge, ends) in
            ends.iter().enumerate().filter(|(edge, _)| is_open.get(*edge) == Some(&true))
        {
            let Some((from, to)) = ends.map(way) else { continue };
            if let (Some(count), Some(edges)) = (into.get_mut(to), out.get_mut(from)) {
                *count += 1;
                edges.push(edge);
            }
        }
        let mut free: Vec<usize> =
            (0..into.len()).filter(|node| into.get(*node) == Some(&0)).collect();
        while let Some(node) = free.pop() {
            for edge in out.get(node).into_iter().flatten() {
                if let Some(open) = is_open.get_mut(*edge) {
                    *open = false;
                }
                let Some((_, to)) = ends.get(*edge).copied().flatten().map(way) else { continue };
                let Some(count) = into.get_mut(to) else { continue };
                *count -= 1;
                if *count == 0 {
                    free.push(to);
                }
            }
        }
    }
    match is_open.iter().position(|open| *open) {
        Some(edge) => Err(CaseError::new(
            format!("edges[{edge}]"),
            "lies on a circle of invocations; an agent that is invoked again has another invocation",
        )),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn case() -> Value {
        json!({
            "profile": "tfd/1", "id": "case",
            "invocations": [{ "id": "a", "agent": "A" }, { "id": "b", "agent": "B" }, { "id": "c", "agent": "C" }],
            "edges": [{ "parent": "a", "child": "b" }, { "parent": "b", "child": "c" }],
            "failures": [{ "buyer": "buyer", "failed": "c" }]
        })
    }

    fn refused(pointer: &str, value: Value) -> String {
        let mut case = case();
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        match case.pointer_mut(parent).unwrap() {
            Value::Array(items) => items[name.parse::<usize>().unwrap()] = value,
            other => other[name] = value,
        }
        read(case.to_string().as_bytes()).unwrap_err().to_string()
    }

    #[test]
    fn what_is_wrong_is_named() {
        assert_eq!(read(case().to_string().as_bytes()).unwrap().edges.len(), 2);
        let digest = format!("0x{}", "ab".repeat(32));
        for (pointer, value, expected) in [
            ("/profile", json!("tfd/2"), "profile: unknown variant `tfd/2`, expected `tfd/1`"),
            ("/prifole", json!(1), "prifole: unknown field `prifole`"),
            ("/id", json!(""), "id: must be 1 to 200 bytes"),
            ("/detected_at", json!(u64::MAX), "detected_at: 18446744073709551615 is no time"),
            ("/invocations", json!([]), "invocations: 0 of them; there must be 1 to 1000"),
            ("/invocations/1", json!({ "id": "b" }), "invocations[1]: must have either `agent` or"),
            ("/invocations/1/id", json!("a"), "invocations[1].id: `a` is there already"),
            ("/invocations/1/agent", json!("unattributed:0x"), "invocations[1].agent: no agent's"),
            ("/edges/1/child", json!("x"), "edges[1].child: there is no invocation `x`"),
            ("/edges/1/child", json!("b"), "edges[1].child: an invocation does not delegate to it"),
            (
                "/edges/1",
                json!({ "parent": "a", "child": "b" }),
                "edges[1]: `a` delegated to `b` al",
            ),
            ("/edges/1/child", json!("a"), "edges[0]: lies on a circle of invocations"),
            ("/edges/0/grant", json!("0x12"), "edges[0].grant: `0x12` is not a digest"),
            ("/edges/0/inputs_met", json!(digest), "edges[0].inputs_met: is a receipt of a skill"),
            (
                "/edges/0/interactions",
                json!({ "count": -1 }),
                "edges[0].interactions.count: invalid value: integer `-1`, expected u32",
            ),
            (
                "/edges/0/interactions",
                json!({ "run": { "start": 2, "end": 1 } }),
                "edges[0].interactions.run.end: is before `start`",
            ),
            (
                "/edges/0/capability",
                json!({ "parent_ppm": 1_000_001 }),
                "edges[0].capability.parent_ppm: 1000001 is not within 0 to 1000000",
            ),
            (
                "/edges/0/capability",
                json!({ "child_ppm": 0.5 }),
                "edges[0].capability.child_ppm: invalid type: floating point `0.5`, expected u32",
            ),
            (
                "/edges/0/specification",
                json!({ "chars": 1, "conditions": "[]" }),
                "edges[0].specification.chars: is counted from `conditions`",
            ),
            ("/failures/0/failed", json!("x"), "failures[0].failed: there is no invocation `x`"),
            (
                "/failures/0/loss",
                json!({ "amount": "-1", "unit": "usd", "source": "escrow" }),
                "failures[0].loss.amount: must be decimal digits",
            ),
            ("/operators", json!([{ "id": "A", "agents": ["B"] }]), "operators[0].id: is the name"),
            (
                "/operators",
                json!([{ "id": "O", "agents": ["A"] }, { "id": "P", "agents": ["A"] }]),
                "operators[1].agents: `A` belongs to several",
            ),
            (
                "/policy",
                json!({ "reviewed_foreseeability_ppm": 1_000_001 }),
                "policy.reviewed_foreseeability_ppm: 1000001 is not within",
            ),
        ] {
            let error = refused(pointer, value);
            assert!(error.starts_with(expected), "{error} should begin with {expected}");
        }
    }

    #[test]
    fn what_is_too_large_is_refused_before_any_work() {
        let error = read(&vec![b' '; CASE_BYTES_MAX + 1]).unwrap_err().to_string();
        assert_eq!(error, "the file: 4194305 bytes, and at most 4194304 are read");
        let mut hops = case();
        let many = (0..10_000).map(|n| json!({ "id": n.to_string(), "agent": "A" }));
        hops["invocations"] = many.collect();
        let error = read(hops.to_string().as_bytes()).unwrap_err().to_string();
        assert_eq!(error, "invocations: 10000 of them; there must be 1 to 1000");
        let deep = "[".repeat(100_000);
        assert!(read(deep.as_bytes()).is_err());
    }
}
