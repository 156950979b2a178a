//! What a verdict is worth at a service: by whom it is whatever name it has, when it came, and which of several counts.

use hallmark::delegation::{Record, Ruling, Verdict};
use hallmark::vocab::Subject;
use serde_json::{Value, json};

use super::*;
use crate::support::databases::on_both_engines;

fn kinds(hop: &Value) -> Vec<&str> {
    hop["findings"].as_array().unwrap().iter().map(|one| one["kind"].as_str().unwrap()).collect()
}

async fn take_rest(desk: &Desk, built: &Builder, taken: usize) {
    for sealed in &built.document.envelopes[taken..] {
        desk.take(&sealed.envelope).await;
    }
}

on_both_engines! {
    /// A party that is the judge under another name which is known to be its own: its wallet, its owner's, its DID, an agent of its owner.
    async fn nobody_judges_itself_by_another_name(db: Database) {
        let mut spans = apart(5);
        // Agent 3 has the owner of agent 1. Agent 5 has the wallet of agent 2 by the registry's word alone, which proves nothing; but agent 2 signs by it.
        spans.retain(|span| ![TimelineRef::Owner(3.into()), TimelineRef::Wallet(5.into())].contains(&span.timeline));
        spans.push(owning(3, 199, REGISTERED, None));
        spans.push(SpanRecord { cause: Some(SpanCause::Registered), ..holding(5, 2, REGISTERED, None) });
        let desk = Desk::open(&db, &spans).await;
        let wallet = |n| Subject::Account(account(n));
        let did: Subject = "did:web:localhost%3A8004:agents:8453:2".parse().unwrap();
        let cases = [
            (wallet(1), 1, true), (wallet(2), 2, true), (did, 2, true), (agent(3), 3, true),
            (agent(4), 4, false), (wallet(4), 4, false), (agent(5), 2, true),
        ];
        for (number, (judge, byte, is_party)) in (0..).zip(cases) {
            let mut built = Builder::new(5);
            let hired = grant(agent(1), agent(2), Under::Buyer(judge.clone()), START + 100 + number);
            let (granted, _) = built.hire(Grant { judges: Vec::new(), ..hired });
            let judged = Verdict { issuer: judge.clone(), ..verdict(granted, START + 30_000) };
            let judged = built.sign_by(judged, byte);
            desk.take_all(&built).await;
            let told = desk.report(judged).await;
            let expected = if is_party { "hypothetical" } else { "confirmed" };
            assert_eq!(told["status"], expected, "{judge}: {}", told["why"]);
            let hop = desk.hop(granted).await;
            assert_eq!(hop["is_disputed"], !is_party, "{judge}");
            if is_party {
                assert!(told["why"].as_str().unwrap().contains("by another name"), "{}", told["why"]);
                assert_eq!(kinds(&hop), ["judged_by_party"], "{judge}");
            }
        }
        assert_eq!(desk.publish().await.computed, 7);
    }

    /// Whoever is handed an agent of a party after the party signed is no party by it: nobody silences a judge so.
    async fn a_judge_is_not_silenced_by_a_gift(db: Database) {
        let given = block_of(START + 10_000);
        let judge = samples::account(77);
        let mut spans = apart(2);
        spans.retain(|span| span.timeline != TimelineRef::Owner(2.into()));
        let to_judge = samples::span(TimelineRef::Owner(2.into()), Some(judge), samples::at(given, 1), None);
        spans.extend([owning(2, 198, REGISTERED, Some(given)), to_judge]);
        spans.extend([owning(3, 77, REGISTERED, None), holding(3, 3, REGISTERED, None)]);
        let desk = Desk::open(&db, &spans).await;
        let mut tx = db.begin_write().await.unwrap();
        samples::hold(&mut tx, [given]).await;
        tx.commit().await.unwrap();
        let mut built = Builder::new(3);
        let (granted, _) = built.hire(grant(agent(1), agent(2), Under::Buyer(agent(3)), START + 100));
        let judged = built.sign(Verdict { issuer: agent(3), ..verdict(granted, START + 30_000) });
        desk.take_all(&built).await;
        assert_eq!(desk.report(judged).await["status"], "confirmed");
    }

    /// What parties say of the run once it was judged is kept, and changes no report, whatever time it says; what is named by something that
    /// had come before was there.
    async fn what_comes_after_the_verdict_changes_nothing(db: Database) {
        let desk = Desk::open(&db, &apart(2)).await;
        let mut built = Builder::new(2);
        let (granted, accepted) = built.hire(grant(agent(1), agent(2), Under::Buyer(buyer()), START + 100));
        let first = built.sign(interaction(granted, agent(1), accepted, "one", START + 120));
        let mut last = built.sign(interaction(granted, agent(2), first, "two", START + 130));
        let judged = built.sign(verdict(granted, START + 30_000));
        // The first interaction comes after the verdict, and the second, which names it, before.
        for index in [0, 1, 3, 4, 2] {
            desk.take(&built.document.envelopes[index].envelope).await;
        }
        let told = desk.report(judged).await;
        assert_eq!((&told["status"], &told["trace"]["left_out"]), (&json!("confirmed"), &json!([])));
        let counted = told["report"]["edges"][0]["interactions"]["counted"].clone();
        assert_eq!(desk.publish().await.attestations, 2);
        let taken = built.document.envelopes.len();
        for n in 0..12 {
            last = built.sign(interaction(granted, agent(1), last, &format!("late {n}"), START + 140 + n));
        }
        built.sign(outcome(granted, agent(1), last, START + 20_000));
        built.sign(outcome(granted, agent(2), accepted, START + 115));
        built.sign(acceptance(granted, agent(1), agent(2), START + 105));
        take_rest(&desk, &built, taken).await;
        let after = desk.report(judged).await;
        assert_eq!((&after["report_digest"], &after["published"]["is_current"]), (&told["report_digest"], &json!(true)));
        assert_eq!(after["report"]["edges"][0]["interactions"]["counted"], counted);
        let left = |issuer, records| json!({ "hop": granted, "issuer": issuer, "records": records, "why": "received_late" });
        let mut left_out = after["trace"]["left_out"].as_array().unwrap().clone();
        left_out.sort_by_key(|one| one["issuer"].to_string());
        assert_eq!(left_out, [left(agent(1), 13), left(agent(2), 2)]);
        assert_eq!(desk.publish().await.attestations, 0, "nothing is said anew");
        assert_eq!(desk.report(granted).await["report"]["failures"], told["report"]["failures"], "nor asked by the grant");
    }

    /// One failure is one report, however often and by however many it is told.
    async fn one_failure_is_one_report(db: Database) {
        let desk = Desk::open(&db, &apart(3)).await;
        let mut built = Builder::new(3);
        let hired = grant(agent(1), agent(2), Under::Buyer(agent(3)), START + 100);
        let (granted, _) = built.hire(hired);
        let by = |n: u64| Verdict { issuer: agent(3), what: format!("failure {n}"), ..verdict(granted, START + 30_000 + n) };
        let told: Vec<_> = (1..=15).map(|n| built.sign(by(n))).collect();
        let other = built.sign(verdict(granted, START + 40_000));
        desk.take_all(&built).await;
        for (index, id) in told.iter().chain([&other]).enumerate() {
            let report = desk.report(*id).await;
            assert_eq!(report["status"], if index == 0 { "confirmed" } else { "hypothetical" }, "{index}");
            if index > 0 {
                assert_eq!(report["why"], format!("the verdict confirms nothing: an earlier verdict counts, {}", told[0]));
            }
        }
        assert_eq!(desk.publish().await.attestations, 2);
        assert_eq!(desk.report(granted).await["report"]["case"]["verdict"]["digest"], json!(told[0]));
        // The one that counts is taken back, and the next one counts; its report replaces the other.
        let taken = built.document.envelopes.len();
        built.sign(Verdict { issuer: agent(3), ruling: Ruling::Dismissed, losses: vec![], ..verdict(granted, START + 41_000) });
        take_rest(&desk, &built, taken).await;
        assert_eq!(desk.report(told[0]).await["status"], "hypothetical");
        assert_eq!(desk.report(other).await["status"], "confirmed", "all of the first judge's are taken back");
        assert_eq!(desk.publish().await.attestations, 4, "two withdrawn, two said");
    }

    /// Verdicts that are older than the run, or were taken back in the same second, confirm nothing; those that contradict each other are found.
    async fn verdicts_of_another_time_and_of_another_mind(db: Database) {
        let desk = Desk::open(&db, &apart(3)).await;
        let mut built = Builder::new(3);
        let (early, _) = built.hire(grant(agent(1), agent(2), Under::Buyer(buyer()), START + 5_000));
        let judged = built.sign(verdict(early, START + 4_999));
        let detected = built.sign(verdict(early, START + 5_059));
        desk.take_all(&built).await;
        for id in [judged, detected] {
            let told = desk.report(id).await;
            assert_eq!(told["status"], "hypothetical");
            assert!(told["why"].as_str().unwrap().contains("before the grant"), "{}", told["why"]);
        }
        assert_eq!(kinds(&desk.hop(early).await), ["judged_early", "judged_early"]);
        let mut built = Builder::new(3);
        let (same, _) = built.hire(grant(agent(1), agent(2), Under::Buyer(buyer()), START + 100));
        let failed = built.sign(verdict(same, START + 30_000));
        built.sign(Verdict { ruling: Ruling::Dismissed, losses: vec![], ..verdict(same, START + 30_000) });
        desk.take_all(&built).await;
        let told = desk.report(failed).await;
        assert_eq!(told["status"], "hypothetical");
        assert!(told["why"].as_str().unwrap().contains("took it back"), "{}", told["why"]);
        assert_eq!(kinds(&desk.hop(same).await), [""; 0], "who takes it back contradicts nobody");
        let mut built = Builder::new(3);
        let (hop, _) = built.hire(grant(agent(1), agent(2), Under::Buyer(agent(3)), START + 101));
        let first = built.sign(verdict(hop, START + 30_000));
        let dismissed = built.sign(Verdict { issuer: agent(3), ruling: Ruling::Dismissed, losses: vec![], ..verdict(hop, START + 30_001) });
        let less = built.sign(Verdict { losses: vec![], ..verdict(hop, START + 30_002) });
        desk.take_all(&built).await;
        assert_eq!(desk.report(first).await["status"], "confirmed");
        let hop = desk.hop(hop).await;
        assert_eq!(kinds(&hop), ["verdicts_differ", "verdicts_differ"]);
        let records: Vec<_> = hop["findings"].as_array().unwrap().iter().map(|one| one["record"].clone()).collect();
        assert_eq!(records, [json!(dismissed), json!(less)]);
    }

    /// A hop that is more than 64 hops from the buyer is found to be, and is none of the population's.
    async fn a_hop_too_far_from_the_buyer_carries_nothing(db: Database) {
        let desk = Desk::open(&db, &apart(67)).await;
        let mut built = Builder::new(67);
        let mut grants: Vec<Digest> = Vec::new();
        for hop in 1..=66 {
            let under = grants.last().map_or(Under::Buyer(buyer()), |above| Under::Grant(*above));
            grants.push(built.hire(grant(agent(hop), agent(hop + 1), under, START + 20 * u64::from(hop))).0);
        }
        let judged = built.sign(verdict(grants[65], START + 30_000));
        desk.take_all(&built).await;
        for (index, state, expected) in [(63, "accepted", vec![]), (64, "claimed_by_parent", vec!["too_long"]), (65, "claimed_by_parent", vec!["too_long", "judged_by_stranger"])] {
            let hop = desk.hop(grants[index]).await;
            assert_eq!((hop["state"].as_str(), kinds(&hop)), (Some(state), expected), "hop {}", index + 1);
        }
        assert_eq!(desk.hop(grants[63]).await["has_below"], false);
        let population = desk.service.ok("/v1/tfd/population").await;
        assert_eq!(population["hops"], json!({ "active": 64, "claimed_by_parent": 2, "claimed_by_child": 0 }));
        let told = desk.service.get(&format!("/v1/disputes/{judged}/attribution")).await;
        assert_eq!(told.status, 422, "{}", told.text());
        assert!(told.text().contains("more than 64 hops from the buyer"), "{}", told.text());
        assert_eq!(desk.publish().await.attestations, 0);
    }

    /// Messages say what is the matter.
    async fn what_is_the_matter_is_said(db: Database) {
        let desk = Desk::open(&db, &apart(2)).await;
        let mut built = Builder::new(2);
        let invented = digest("a grant that nobody made");
        built.sign(acceptance(invented, agent(1), agent(2), START + 110));
        let judged = built.sign(verdict(invented, START + 30_000));
        desk.take_all(&built).await;
        let told = desk.report(judged).await;
        assert!(told["why"].as_str().unwrap().contains("only its child speaks of it"), "{}", told["why"]);
        let far = Record::Grant(Box::new(grant(agent(1), agent(2), Under::Buyer(buyer()), START + 100)));
        let mut far = far.to_value().unwrap();
        far["expires_at"] = json!("9999-12-31T23:59:59Z");
        let typed = hallmark::attest::TypedRecord::from_value(far).unwrap();
        let reply = desk.post(&stated(&typed, 1).to_value().to_string()).await;
        assert_eq!(problem(&reply), (422, "malformed-record".to_owned()));
        assert!(reply.text().contains("9999-12-30T22:00:00Z"), "{}", reply.text());
        // A payload of DSSE that is no record is malformed, whoever signed it.
        let key = hallmark::attest::key::PrivateKey::from_bytes(KeyKind::Ed25519, &[7; 32]).unwrap();
        let multibase = key.public().multibase();
        let method = format!("did:key:{multibase}#{multibase}");
        let kind = hallmark::attest::typed_record::PAYLOAD_TYPE;
        let sealed = hallmark::attest::dsse::sign(kind, br#"{"schema":"hallmark/grant/1"}"#, &method, &key);
        assert_eq!(problem(&desk.post(&sealed.to_string()).await), (422, "malformed-record".to_owned()));
    }
}
