//! Traces as documents: what is served is what anybody can check, and what is brought is checked against what is known here.

use hallmark::delegation::{Standing, TraceDocument, verify_trace};
use serde_json::{Value, json};

use super::*;
use crate::support::databases::on_both_engines;

async fn trace(desk: &Desk, path: &str) -> TraceDocument {
    let reply = desk.service.get(path).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    TraceDocument::read(&reply.body).unwrap()
}

async fn judged(desk: &Desk, document: &TraceDocument) -> Value {
    let reply =
        desk.service.post("/v1/delegations/verify", serde_json::to_vec(document).unwrap()).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    reply.json()
}

on_both_engines! {
    /// The document carries its own proof: it is valid to whoever has nothing but it.
    async fn a_trace_is_served_as_a_document_that_holds_offline(db: Database) {
        let desk = Desk::open(&db, &apart(5)).await;
        let mut built = Builder::new(5);
        let (grants, judged_by) = chain(&mut built, 3);
        // A sister of the last hop.
        let (sister, _) = hire(&mut built, grant(agent(3), agent(5), Under::Grant(grants[1]), START + 400), 1, 2);
        desk.take_all(&built).await;
        for of in [grants[0], grants[2], judged_by] {
            let document = trace(&desk, &format!("/v1/delegations/{of}/trace")).await;
            let verdict = verify_trace(&document, time(CHECKED));
            assert_eq!((verdict.reason(), verdict.standing), (None, Standing::Valid));
            assert_eq!(verdict.hops.len(), 4, "the whole of it");
            assert_eq!(document.envelopes.len(), built.document.envelopes.len());
            assert!(document.envelopes.iter().all(|sealed| sealed.received == Some(time(CHECKED))));
            assert_eq!(document.as_of[0].block.number, HEAD);
            assert_eq!(document.parties.len(), 5);
            let span = &document.parties[0].wallets[0];
            assert_eq!((span.from.block, span.from.hash), (Some(REGISTERED), Some(samples::block(REGISTERED).hash)));
        }
        let path = trace(&desk, &format!("/v1/delegations/{}/trace?part=path", grants[2])).await;
        let verdict = verify_trace(&path, time(CHECKED));
        assert_eq!((verdict.standing, verdict.hops.len()), (Standing::Valid, 3));
        assert!(verdict.hop(sister).is_none());
        let of_judge = &path.envelopes;
        assert!(of_judge.iter().any(|sealed| sealed.envelope.starts_with("ey")), "the judge's word is there");
        desk.service.problem(&format!("/v1/delegations/{}/trace?part=half", grants[0]), 400).await;
        desk.service.problem(&format!("/v1/delegations/{}/trace", digest("nothing")), 404).await;
        desk.service.problem("/v1/delegations/0x12/trace", 400).await;
        let snapshot = built.document.envelopes[0].envelope.clone();
        let snapshot = desk.post(&snapshot).await.json()["digest"].as_str().unwrap().to_owned();
        let problem = desk.service.problem(&format!("/v1/delegations/{snapshot}/trace"), 404).await;
        assert!(problem["detail"].as_str().unwrap().contains("capability"), "{problem}");
    }

    /// The verdict names the first hop that fails, and why.
    async fn a_verdict_names_the_first_hop_that_fails(db: Database) {
        let desk = Desk::open(&db, &apart(4)).await;
        let mut built = Builder::new(4);
        let (grants, _) = chain(&mut built, 2);
        let mut wider = grant(agent(3), agent(4), Under::Grant(grants[1]), START + 300);
        wider.scope.actions = vec!["*".to_owned()];
        hire(&mut built, wider, 1, 1);
        desk.take_all(&built).await;
        let document = trace(&desk, &format!("/v1/delegations/{}/trace", grants[0])).await;
        let told = judged(&desk, &document).await;
        assert_eq!((&told["standing"], &told["by_its_word"]), (&json!("invalid"), &json!("invalid")));
        assert_eq!((&told["reason"]["hop"], &told["reason"]["kind"]), (&json!(3), &json!("widens")));
        assert_eq!(told["as_of"]["block"]["number"], HEAD);
    }

    /// Spans that a document makes up prove nothing here.
    async fn forged_spans_are_replaced_by_what_the_chain_says(db: Database) {
        let desk = Desk::open(&db, &apart(3)).await;
        let mut built = Builder::new(3);
        // Agent 2's acceptance, by a wallet that never was its.
        let granted = built.sign(grant(agent(1), agent(2), Under::Buyer(buyer()), START + 100));
        built.sign_by(
            hallmark::delegation::Record::Acceptance(Box::new(acceptance(granted, agent(1), agent(2), START + 110))),
            9,
        );
        built.party(&agent(2)).wallets = vec![span(9, START, None, "proven")];
        assert_eq!(built.verdict().standing, Standing::Valid, "by its own word it holds");
        let told = judged(&desk, &built.document).await;
        assert_eq!((&told["standing"], &told["by_its_word"]), (&json!("invalid"), &json!("valid")));
        assert_eq!((&told["reason"]["hop"], &told["reason"]["kind"]), (&json!(1), &json!("signature")));
        let why = told["reason"]["why"].as_str().unwrap();
        assert!(why.contains(&agent(2).to_string()), "{why}");
    }
}
