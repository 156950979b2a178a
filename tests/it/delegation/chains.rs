//! Whole traces: that they hold, what their verdict says, what a case is made of, and how long it takes.

use std::time::Instant;

use hallmark::delegation::{CaseOptions, HopState, Standing, TraceDocument, case};
use hallmark::tfd;
use serde_json::{Value, json};

use super::build::*;

#[test]
fn a_chain_of_ten_hops_holds_and_becomes_a_case() {
    let mut built = Builder::new(11);
    let grants = built.chain(10);
    let verdict = built.verdict();
    assert_eq!(verdict.reason(), None);
    assert_eq!(verdict.standing, Standing::Valid);
    assert_eq!(verdict.hops.len(), 10);
    for (number, hop) in (1..).zip(&verdict.hops) {
        assert_eq!((hop.number, hop.depth, hop.state), (number, number, HopState::Accepted));
        assert_eq!((hop.interactions.counted.counted, hop.interactions.left_out.len()), (3, 0));
        assert!(hop.parent_capability.is_some() && hop.child_capability.is_some());
        assert!(hop.outcome.is_some());
    }
    assert_eq!(verdict.rests.len(), built.document.envelopes.len());
    assert_eq!(verdict.notes, []);
    let case =
        case(&verdict, CaseOptions { id: "ten".to_owned(), ..CaseOptions::default() }).unwrap();
    assert_eq!((case.invocations.len(), case.edges.len()), (11, 10));
    assert!(case.verdict.is_some());
    assert_eq!(case.failures[0].failed, grants[9].to_string());
    let report = tfd::report(&case, None).unwrap();
    assert_eq!(report.flags, []);
    for (edge, hop) in report.edges.iter().zip(&verdict.hops) {
        let grant = hop.grant.as_ref().unwrap();
        let chars = grant.specification.canonical_conditions().unwrap().chars().count()
            + grant.specification.scope_grammar.as_ref().unwrap().chars().count();
        assert_eq!(usize::try_from(edge.inputs.chars).unwrap(), chars);
        assert_eq!(edge.inputs.interactions, 3);
        assert_eq!(edge.inputs.capability_ppm.map(|(a, b)| b - a), Some(100_000));
        assert!(edge.carried_ppb.is_some());
    }
    assert_eq!(report.failures[0].method, tfd::Method::Path { hops: 10 });
}

/// The order in which records stand in a document is nothing, and neither are copies.
#[test]
fn order_and_copies_make_no_difference() {
    let mut built = Builder::new(4);
    built.chain(3);
    let hops = |built: &Builder| -> Vec<Value> {
        let told = built.verdict().to_value();
        assert_eq!(told["standing"], json!("valid"), "{}", told["reason"]);
        told["hops"].as_array().unwrap().clone()
    };
    let before = hops(&built);
    built.document.envelopes.reverse();
    assert_eq!(hops(&built), before);
    let copies = built.document.envelopes.clone();
    built.document.envelopes.extend(copies);
    assert_eq!(hops(&built), before);
}

/// Every byte of every signature matters: a digit is changed in each envelope in turn.
#[test]
fn no_record_can_be_another() {
    let mut built = Builder::new(3);
    built.chain(2);
    for index in 0..built.document.envelopes.len() {
        let mut changed = Builder { document: built.document.clone() };
        let text = &mut changed.document.envelopes[index].envelope;
        let at = if text.starts_with("ey") {
            text.len() - 10
        } else {
            text.rfind("issued_at").unwrap_or(text.len() / 2) + 25
        };
        let other = if text.as_bytes()[at] == b'1' { "2" } else { "1" };
        text.replace_range(at..=at, other);
        let verdict = changed.verdict();
        assert_ne!(verdict.standing, Standing::Valid, "envelope {index}");
    }
}

#[test]
fn what_is_too_large_is_refused_before_it_is_looked_at() {
    let mut built = Builder::new(2);
    built.chain(1);
    let sealed = built.document.envelopes[0].clone();
    built.document.envelopes = vec![sealed; 10_000];
    let started = Instant::now();
    let refused = |document: &TraceDocument| {
        TraceDocument::read(&serde_json::to_vec(document).unwrap()).unwrap_err().to_string()
    };
    let error = refused(&built.document);
    assert!(error.contains("bytes; at most 4194304 are read"), "{error}");
    for sealed in &mut built.document.envelopes {
        sealed.envelope = "{}".to_owned();
    }
    let error = refused(&built.document);
    assert_eq!(error, "`envelopes`: 10000 of them; at most 5000 are read");
    let body = vec![b'['; 100_000_000];
    let error = TraceDocument::read(&body).unwrap_err().to_string();
    assert_eq!(error, "the document has 100000000 bytes; at most 4194304 are read");
    // No limit of time for a slow machine, but one signature for each of the ten thousand would take longer.
    println!("refused in {:?}", started.elapsed());
}

/// However many grants stand in one line, and in whatever form, no signature of them is checked; as many side by side are a trace like any other.
#[test]
fn what_is_too_deep_is_found_before_any_signature_is_checked() {
    use hallmark::delegation::{FaultKind, Under};
    let line = |names: [&hallmark::vocab::Subject; 2], hops: u64| {
        let mut built = Builder::new(2);
        let mut under = Under::Buyer(buyer());
        for hop in 0..hops {
            let turn = usize::from(hop % 2 == 1);
            let (parent, child) = (names[turn].clone(), names[1 - turn].clone());
            under = Under::Grant(built.sign(grant(parent, child, under, START + 100 + hop)));
        }
        built
    };
    // By wallets; and by keys, in DSSE and as JWTs.
    for names in [[&agent(1), &agent(2)], [&name(EVALUATOR), &judge()]] {
        let verdict = line(names, 70).verdict();
        assert_eq!((verdict.standing, verdict.faults.len()), (Standing::Invalid, 1));
        assert_eq!((verdict.rests.len(), verdict.hops.len()), (0, 0), "nothing was looked at");
        let reason = verdict.reason().unwrap();
        assert_eq!(
            (reason.kind, reason.hop, reason.envelope),
            (FaultKind::TooLong, Some(65), Some(64))
        );
        let hop = format!("hop 65, {} to {}: the grant ", names[0], names[1]);
        assert!(reason.why.starts_with(&hop), "{}", reason.why);
        assert!(reason.why.ends_with(": it is more than 64 hops from the buyer"), "{}", reason.why);
    }
    let mut wide = Builder::new(2);
    for hop in 0..70 {
        wide.sign(grant(agent(1), agent(2), Under::Buyer(buyer()), START + 100 + hop));
    }
    assert_eq!((wide.verdict().standing, wide.verdict().hops.len()), (Standing::Valid, 70));
}

/// What tells of no delegation is no trace that holds.
#[test]
fn a_document_of_nothing_holds_nothing() {
    let mut built = Builder::new(2);
    let bytes = serde_json::to_vec(&built.document).unwrap();
    let error = TraceDocument::read(&bytes).unwrap_err().to_string();
    assert_eq!(error, "`envelopes`: there are none, and a trace has at least one");
    built.sign(capability(hallmark::delegation::Child::Agent(agent(1)), 700_000, START + 50));
    let verdict = built.verdict();
    assert_eq!(verdict.standing, Standing::Invalid);
    let why = "it tells of no delegation: there is neither a grant nor an acceptance";
    assert_eq!(verdict.reason().unwrap().why, why);
}

/// Prints how long a trace of ten hops takes; how fast it must be is for the benchmark to say.
#[test]
fn ten_hops_are_timed() {
    let mut bare = Builder::new(11);
    let mut under = hallmark::delegation::Under::Buyer(buyer());
    for hop in 1..=10 {
        let at = START + 100 * u64::from(hop);
        let (granted, accepted) = bare.hire(grant(agent(hop), agent(hop + 1), under, at));
        bare.sign(outcome(
            granted,
            agent(hop + 1),
            accepted,
            START + 20_000 - 100 * u64::from(hop),
        ));
        under = hallmark::delegation::Under::Grant(granted);
    }
    let mut full = Builder::new(11);
    full.chain(10);
    for (name, built) in [("30 records by wallets", bare), ("81 records", full)] {
        let bytes = serde_json::to_vec(&built.document).unwrap();
        let mut times: Vec<_> = (0..9)
            .map(|_| {
                let started = Instant::now();
                let document = TraceDocument::read(&bytes).unwrap();
                let verdict = hallmark::delegation::verify_trace(&document, time(CHECKED));
                assert_eq!(verdict.standing, Standing::Valid);
                started.elapsed()
            })
            .collect();
        times.sort_unstable();
        println!("10 hops, {name}: median {:?} of 9", times[4]);
    }
}
