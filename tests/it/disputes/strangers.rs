//! Strangers who say that they work under somebody's grant: nothing of it reaches those whom they name.

use hallmark::delegation::{Amount, Loss, TraceDocument, Verdict};
use hallmark::tfd::LossSource;
use serde_json::{Value, json};

use super::*;
use crate::support::databases::on_both_engines;

/// Agent 1 hires agent 2, and both sign. Agent 3, whom nobody hired, hires agent 4 "under" that grant, with agent 5 as the judge.
fn strange(built: &mut Builder) -> (Digest, Digest, Digest) {
    let (granted, _) =
        hire(built, grant(agent(1), agent(2), Under::Buyer(buyer()), START + 100), 5, 5);
    let below = grant(agent(3), agent(4), Under::Grant(granted), START + 200);
    let (strange, _) = hire(built, Grant { judges: vec![agent(5)], ..below }, 5, 5);
    let loss = Loss {
        buyer: buyer(),
        amount: Amount(u128::MAX),
        unit: "usdc".to_owned(),
        source: LossSource::Declared,
    };
    let judged =
        Verdict { issuer: agent(5), losses: vec![loss], ..verdict(strange, START + 30_000) };
    (granted, strange, built.sign(judged))
}

fn measure(told: &Value, name: &str) -> Value {
    let card = told["scorecard"].as_array().unwrap();
    card.iter().find(|one| one["measure"] == name).unwrap()["value"].clone()
}

on_both_engines! {
    /// In whatever order it comes: no report is confirmed, none is said, and the hop of those who both signed is as if they were alone.
    async fn nobody_is_drawn_in_by_a_stranger_under_its_grant(db: Database) {
        let desk = Desk::open(&db, &apart(5)).await;
        let mut built = Builder::new(5);
        let (granted, strange, judged) = strange(&mut built);
        let own = built.document.envelopes.len() / 2;
        let (first, second) = built.document.envelopes.split_at(own);
        // The strangers come first, so that what they name is not there yet.
        for sealed in second.iter().chain(first) {
            desk.take(&sealed.envelope).await;
        }
        let told = desk.report(judged).await;
        assert_eq!((&told["status"], &told["report"]["flags"]), (&json!("hypothetical"), &json!(["hypothetical"])));
        assert!(told["why"].as_str().unwrap().contains("hangs nowhere"), "{}", told["why"]);
        assert_eq!((&told["trace"]["standing"], &told["trace"]["reason"]["kind"]), (&json!("invalid"), &json!("stranger")));
        for player in told["report"]["failures"][0]["players"].as_array().unwrap() {
            let weight = if player["player"] == json!(agent(4)) { 1_000_000_000 } else { 0 };
            assert_eq!(player["weight_ppb"], weight, "{player}");
        }
        assert_eq!(desk.publish().await.attestations, 0);
        let hop = desk.hop(strange).await;
        assert_eq!((&hop["state"], &hop["is_disputed"]), (&json!("claimed_by_parent"), &json!(false)));
        let kinds: Vec<_> = hop["findings"].as_array().unwrap().iter().map(|one| one["kind"].clone()).collect();
        assert_eq!(kinds, ["stranger", "judged_by_stranger"]);
        let hop = desk.hop(granted).await;
        assert_eq!((&hop["state"], &hop["has_below"]), (&json!("accepted"), &json!(false)));
        let population = desk.service.ok("/v1/tfd/population").await;
        assert_eq!(population["hops"], json!({ "active": 1, "claimed_by_parent": 1, "claimed_by_child": 0 }));
        for name in ["delegation_surface", "sub_delegation_uptake", "dispute_rate"] {
            assert_eq!(measure(&population, name), 0, "{name}");
        }
    }

    /// The whole trace of a grant has nothing of strangers, however many they are; that of a stranger has the grant that it names, and no more of it.
    async fn a_trace_has_nothing_of_strangers(db: Database) {
        let desk = Desk::open(&db, &apart(5)).await;
        let mut built = Builder::new(5);
        let (granted, strange, _) = strange(&mut built);
        desk.take_all(&built).await;
        let trace = async |of: Digest| {
            let reply = desk.service.get(&format!("/v1/delegations/{of}/trace")).await;
            TraceDocument::read(&reply.body).unwrap()
        };
        let whole = trace(granted).await;
        assert_eq!(whole.envelopes.len(), 7, "two snapshots, grant, acceptance, three interactions");
        let found = hallmark::delegation::verify_trace(&whole, time(CHECKED));
        assert_eq!((found.standing.as_str(), found.hops.len()), ("valid", 1));
        let whole = trace(strange).await;
        assert_eq!(whole.envelopes.len(), 9, "those of the stranger with its verdict, and one grant");
        let found = hallmark::delegation::verify_trace(&whole, time(CHECKED));
        assert_eq!((found.standing.as_str(), found.hop(granted).unwrap().depth, found.hop(strange).unwrap().above), ("invalid", 1, None));
    }
}
