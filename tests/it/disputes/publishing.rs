//! Reports as attestations of the service: said once, said anew when they change, and taken back.

use hallmark::delegation::{Capability, Child, Record, Ruling, TraceDocument, Verdict};
use hallmark::storage::Tags;
use serde_json::{Value, json};

use super::*;
use crate::support::databases::on_both_engines;

const NOTHING: Published = Published { computed: 0, attestations: 0 };

fn computed(attestations: u64) -> Published {
    Published { computed: 1, attestations }
}

/// What was said of an agent, newest first.
async fn said_of(desk: &Desk, agent: &str) -> Vec<Value> {
    let list = desk.service.ok("/v1/attestations?claim_type=tfd.attribution.v1&limit=500").await;
    let mut items = list["items"].as_array().unwrap().clone();
    items.retain(|item| item["record"]["attestation"]["subject"] == agent);
    items.reverse();
    items
}

on_both_engines! {
    async fn a_report_is_said_of_everybody_concerned_and_once(db: Database) {
        let desk = Desk::open(&db, &apart(4)).await;
        let mut built = Builder::new(4);
        let (grants, judged) = chain(&mut built, 3);
        desk.take_all(&built).await;
        assert_eq!(desk.publish().await, computed(4));
        assert_eq!(desk.publish().await, NOTHING, "and not twice");
        let told = desk.report(judged).await;
        assert_eq!((&told["published"]["is_current"], &told["published"]["report"]), (&json!(true), &told["report_digest"]));
        assert_eq!(told["published"]["attestations"].as_array().unwrap().len(), 4);
        let of = said_of(&desk, &agent(4).to_string()).await;
        assert_eq!(of.len(), 1);
        let (record, issued) = (&of[0]["record"]["attestation"], &of[0]);
        assert_eq!((&issued["source"], &issued["issuer_class"], &issued["supersedes"]), (&json!("issued"), &json!("system"), &Value::Null));
        assert_eq!((&issued["verdict"]["form"], &issued["verdict"]["said_by"]), (&json!("vc+jwt"), &json!("signer")));
        assert_eq!(issued["rekeying"]["subject"]["name"], json!(agent(4)));
        let data = &record["claim"]["data"];
        assert_eq!((&data["dispute"], &data["report"], &data["trace"]), (&json!(judged), &told["report_digest"], &json!("valid")));
        let shares = &data["shares"][0];
        assert_eq!((&shares["weight_ppb"], &shares["unit"], &shares["buyer"]), (&json!(1_000_000_000), &json!("usdc"), &json!(buyer())));
        let player = told["report"]["failures"][0]["players"].as_array().unwrap().iter().find(|one| one["player"] == json!(agent(4))).unwrap();
        assert_eq!((&shares["shapley_ppb"], &shares["amount"]), (&player["shapley_ppb"], &player["amount"]));
        assert_eq!(record["evidenceRefs"][0], json!({ "kind": "hallmark.verdict", "id": judged, "visibility": "public" }));
        // The credential holds, by the service's own key.
        let full = desk.service.ok(&format!("/v1/attestations/{}", issued["digest"].as_str().unwrap())).await;
        let again = desk.service.post("/v1/attestations", full["envelope"].as_str().unwrap().to_owned()).await;
        assert_eq!(again.status, 200, "{}", again.text());
        // What is said of another hop is no reason to say anything.
        let mut more = Builder::new(4);
        more.sign(grant(agent(2), agent(4), Under::Grant(grants[0]), START + 900));
        desk.take(&more.document.envelopes[0].envelope).await;
        assert_eq!(desk.publish().await, NOTHING);
    }

    /// A snapshot that comes late changes the inputs of a hop above: what is said anew replaces what was said. A late interaction does not.
    async fn what_changes_is_said_anew_and_taken_back_where_it_no_longer_holds(db: Database) {
        let desk = Desk::open(&db, &apart(3)).await;
        let mut built = Builder::new(3);
        let (granted, last) = hire(&mut built, grant(agent(1), agent(2), Under::Buyer(buyer()), START + 100), 100_000, 900_000);
        let (below, _) = hire(&mut built, grant(agent(2), agent(3), Under::Grant(granted), START + 200), 5, 5);
        let judged = built.sign(verdict(below, START + 30_000));
        let (snapshot, rest) = built.document.envelopes.split_first().unwrap();
        for sealed in rest {
            desk.take(&sealed.envelope).await;
        }
        assert_eq!(desk.publish().await, computed(3));
        let before = said_of(&desk, &agent(1).to_string()).await;
        let mut more = Builder::new(3);
        more.sign(interaction(granted, agent(1), last, "one more", START + 500));
        desk.take(&more.document.envelopes[0].envelope).await;
        assert_eq!(desk.report(judged).await["published"]["is_current"], json!(true));
        assert_eq!(desk.publish().await, computed(0));
        desk.take(&snapshot.envelope).await;
        assert_eq!(desk.report(judged).await["published"]["is_current"], json!(false));
        assert_eq!(desk.publish().await, computed(3));
        let after = said_of(&desk, &agent(1).to_string()).await;
        assert_eq!((after.len(), &after[0]["supersedes"]), (2, &before[0]["digest"]));
        let weight = |item: &Value| item["record"]["attestation"]["claim"]["data"]["shares"][0]["weight_ppb"].as_u64().unwrap();
        assert!(weight(&after[0]) < weight(&before[0]), "who hired somebody better carries less");
        let replaced = desk.service.ok(&format!("/v1/attestations/{}", before[0]["digest"].as_str().unwrap())).await;
        assert_eq!(replaced["superseded_by"], after[0]["digest"]);
        // The judge takes it back.
        let back = Verdict { ruling: Ruling::Dismissed, losses: vec![], ..verdict(below, START + 40_000) };
        let mut more = Builder::new(3);
        more.sign(back);
        desk.take(&more.document.envelopes[0].envelope).await;
        assert_eq!(desk.publish().await, computed(3));
        let last = said_of(&desk, &agent(1).to_string()).await;
        let data = &last[0]["record"]["attestation"]["claim"]["data"];
        assert_eq!((last.len(), &data["shares"], &data["report"]), (3, &json!([]), &Value::Null));
        assert_eq!(last[0]["supersedes"], after[0]["digest"]);
        assert_eq!(desk.publish().await, NOTHING);
    }

    /// The claim says to what checking the trace came; where that changes it is said anew, though nobody carries more or less.
    async fn a_trace_that_no_longer_holds_is_said_not_to(db: Database) {
        let desk = Desk::open(&db, &apart(3)).await;
        let mut built = Builder::new(3);
        // A snapshot of another class of tasks: nobody knows it until it comes, and then it is a fault that changes nobody's part.
        let other = Capability { issuer: judge(), task_class: "cooking".to_owned(), ..capability(Child::Agent(agent(2)), 5, START + 50) };
        let mut hired = grant(agent(1), agent(2), Under::Buyer(buyer()), START + 100);
        let mut more = Builder::new(3);
        hired.snapshots.child = Some(more.sign(other));
        let (granted, _) = built.hire(hired);
        let judged = built.sign(verdict(granted, START + 30_000));
        desk.take_all(&built).await;
        assert_eq!(desk.publish().await, computed(2));
        let told = desk.report(judged).await;
        desk.take(&more.document.envelopes[0].envelope).await;
        let after = desk.report(judged).await;
        assert_eq!((&after["report_digest"], &after["trace"]["standing"]), (&told["report_digest"], &json!("invalid")));
        assert_eq!(after["published"]["is_current"], json!(false), "what was said is that it is valid");
        assert_eq!(desk.publish().await, computed(2));
        assert_eq!(desk.publish().await, NOTHING);
        assert_eq!(desk.report(judged).await["published"]["is_current"], json!(true));
        let of = said_of(&desk, &agent(1).to_string()).await;
        let said: Vec<_> = of.iter().map(|item| &item["record"]["attestation"]["claim"]["data"]["trace"]).collect();
        assert_eq!(said, [&json!("invalid"), &json!("valid")]);
        assert_eq!(of[0]["supersedes"], of[1]["digest"]);
        assert_ne!(of[0]["record"]["attestation"]["id"], of[1]["record"]["attestation"]["id"]);
    }

    /// Strangers judge as much as they like, and as long-windedly: what was said stands, and the trace is served.
    async fn what_strangers_judge_takes_no_report_away(db: Database) {
        let desk = Desk::open(&db, &apart(6)).await;
        let mut built = Builder::new(6);
        let (grants, judged) = chain(&mut built, 2);
        desk.take_all(&built).await;
        assert_eq!(desk.publish().await, computed(3));
        let told = desk.report(judged).await;
        let mut more = Builder::new(6);
        for (stranger, n) in [4, 5, 6].iter().flat_map(|of| (0..16).map(move |n| (*of, n))) {
            let of = verdict(grants[1], START + 40_000 + n);
            more.sign(Verdict { issuer: agent(stranger), ruling: Ruling::Dismissed, losses: vec![], ..of });
        }
        for sealed in &more.document.envelopes {
            let padded = sealed.envelope.replacen('{', &format!("{{{}", " ".repeat(60_000)), 1);
            desk.take(&padded).await;
        }
        desk.publish().await;
        assert_eq!(desk.publish().await, NOTHING);
        let after = desk.report(judged).await;
        assert_eq!((&after["report_digest"], &after["published"]["is_current"]), (&told["report_digest"], &json!(true)));
        assert_eq!(said_of(&desk, &agent(1).to_string()).await.len(), 1, "nothing was taken back");
        let trace = desk.service.get(&format!("/v1/delegations/{}/trace?part=path", grants[1])).await;
        assert_eq!(trace.status, 200, "{}", trace.text());
    }

    /// However many strangers judged before, the judge whom the topmost grant names is heard, also where that grant comes last.
    async fn strangers_neither_confirm_nor_hide_anything(db: Database) {
        let desk = Desk::open(&db, &apart(9)).await;
        let mut built = Builder::new(9);
        let first = grant(agent(1), agent(2), Under::Buyer(buyer()), START + 100);
        let (above, _) = built.hire(Grant { judges: vec![agent(9)], ..first });
        let mut below = above;
        for hop in 2..=3 {
            let of = grant(agent(hop), agent(hop + 1), Under::Grant(below), START + 100 * u64::from(hop));
            below = built.hire(Grant { judges: Vec::new(), ..of }).0;
        }
        let (first, rest) = built.document.envelopes.split_first().unwrap();
        for sealed in rest {
            desk.take(&sealed.envelope).await;
        }
        let mut more = Builder::new(9);
        let mut by_stranger = digest("nothing");
        for (stranger, n) in [5, 6, 7, 8, 4].iter().flat_map(|of| (0..16).map(move |n| (*of, n))) {
            by_stranger = more.sign(Verdict { issuer: agent(stranger), ..verdict(below, START + 30_000 + n) });
        }
        let judged = more.sign(Verdict { issuer: agent(9), ..verdict(below, START + 40_000) });
        let (last, others) = more.document.envelopes.split_last().unwrap();
        for sealed in others {
            desk.take(&sealed.envelope).await;
        }
        desk.take(&first.envelope).await;
        assert_eq!(desk.hop(below).await["is_disputed"], json!(false), "strangers confirm nothing");
        assert_eq!(desk.publish().await.attestations, 0);
        let stranger = verdict(below, START + 30_000);
        let stranger = Record::Verdict(Box::new(Verdict { issuer: agent(5), ..stranger })).typed().unwrap().digest();
        for (id, why) in [(stranger, "is neither the buyer nor a judge"), (by_stranger, "stands in the trace")] {
            let told = desk.report(id).await;
            assert_eq!(told["status"], "hypothetical");
            assert!(told["why"].as_str().unwrap().contains(why), "{}", told["why"]);
        }
        desk.take(&last.envelope).await;
        assert_eq!(desk.hop(below).await["is_disputed"], json!(true));
        assert_eq!((&desk.report(judged).await["status"], &desk.report(below).await["status"]), (&json!("confirmed"), &json!("confirmed")));
        assert_eq!(desk.publish().await.attestations, 4);
        let findings = desk.hop(below).await["findings"].clone();
        assert!(findings.as_array().unwrap().iter().any(|one| one["kind"] == "judged_by_stranger"), "{findings}");
    }

    /// The judge is known from a grant that comes after the verdict, however far above.
    async fn who_may_judge_is_found_in_any_order(db: Database) {
        let desk = Desk::open(&db, &apart(5)).await;
        let mut built = Builder::new(5);
        let first = grant(agent(1), agent(2), Under::Buyer(buyer()), START + 100);
        let (above, _) = built.hire(Grant { judges: vec![agent(5)], ..first });
        let mut below = above;
        for hop in 2..=3 {
            let of = grant(agent(hop), agent(hop + 1), Under::Grant(below), START + 100 * u64::from(hop));
            below = built.hire(Grant { judges: Vec::new(), ..of }).0;
        }
        built.sign(Verdict { issuer: agent(5), ..verdict(below, START + 30_000) });
        for sealed in built.document.envelopes.iter().rev() {
            desk.take(&sealed.envelope).await;
        }
        assert_eq!(desk.hop(below).await["is_disputed"], json!(true));
        let card = desk.service.ok("/v1/tfd/population").await["scorecard"].clone();
        let rate = card.as_array().unwrap().iter().find(|one| one["measure"] == "dispute_rate").unwrap();
        assert_eq!(rate["value"], 333_333_333);
    }

    /// Who fills a trace with interactions of its own loses some of them, and nobody else any: there is a report all the same.
    async fn nobody_is_rid_of_a_report_by_filling_the_trace(db: Database) {
        let desk = Desk::open(&db, &apart(4)).await;
        let mut built = Builder::new(4);
        let (grants, judged) = chain(&mut built, 3);
        desk.take_all(&built).await;
        let told = desk.report(judged).await;
        assert_eq!((&told["status"], &told["trace"]["left_out"]), (&json!("confirmed"), &json!([])));
        let padded = |envelope: &str| envelope.replacen('{', &format!("{{{}", " ".repeat(60_000)), 1);
        let mut refused = None;
        for (hop, party) in [(0, 2), (1, 2), (1, 3), (2, 3)] {
            let mut more = Builder::new(4);
            for n in 0..18 {
                more.sign(interaction(grants[hop], agent(party), grants[hop], &format!("{party} {n}"), START + 10_000 + n));
            }
            for sealed in &more.document.envelopes {
                let reply = desk.post(&padded(&sealed.envelope)).await;
                if reply.status != 201 {
                    refused = Some(reply);
                    break;
                }
            }
        }
        let refused = refused.expect("a megabyte of one name about one grant is kept");
        assert_eq!(problem(&refused), (422, "too-many-of-grant".to_owned()));
        let after = desk.report(judged).await;
        assert_eq!(after["status"], "confirmed");
        let left = after["trace"]["left_out"].as_array().unwrap();
        let parties: Vec<_> = left.iter().map(|one| one["issuer"].as_str().unwrap()).collect();
        assert!(!left.is_empty() && parties.iter().all(|of| *of == agent(2).to_string() || *of == agent(3).to_string()), "{left:?}");
        assert!(left.iter().all(|one| (1..18).contains(&one["records"].as_u64().unwrap())), "{left:?}");
        let betas = |told: &Value| told["report"]["edges"].as_array().unwrap().iter().map(|edge| edge["beta_ppb"].as_u64().unwrap()).collect::<Vec<_>>();
        assert_eq!(betas(&after), betas(&told), "what belongs to no story counts for nothing, and the story is whole");
        let trace = desk.service.get(&format!("/v1/delegations/{}/trace?part=path", grants[2])).await;
        assert_eq!(trace.status, 200, "{}", trace.text());
        assert!(TraceDocument::read(&trace.body).is_ok());
    }

    /// What a branch of the chain may yet take back is not signed about.
    async fn nothing_is_said_of_what_is_not_safe_yet(db: Database) {
        let desk = Desk::open(&db, &apart(3)).await;
        let mut built = Builder::new(3);
        let (grants, judged) = chain(&mut built, 2);
        desk.take_all(&built).await;
        let told = block_of(START + 30_000);
        for (head, said) in [(told, false), (told + 1, true)] {
            let mut tx = db.begin_write().await.unwrap();
            let tags = tx.tags().await.unwrap();
            tx.set_tags(&Tags { safe: Some(samples::stamp(head)), finalized: None, ..tags }).await.unwrap();
            tx.commit().await.unwrap();
            assert_eq!(desk.publish().await, if said { computed(3) } else { NOTHING }, "safe at {head}");
        }
        // A later word that changes nothing of the report waits all the same.
        let mut more = Builder::new(3);
        more.sign(verdict(grants[1], START + 60_000));
        desk.take(&more.document.envelopes[0].envelope).await;
        assert_eq!(desk.publish().await, NOTHING);
        desk.reach(HEAD, HEAD - 1).await;
        assert_eq!(desk.publish().await, Published { computed: 2, attestations: 0 }, "and another verdict says nothing new");
        assert_eq!(desk.report(judged).await["published"]["is_current"], json!(true));
    }

    /// Without a key nothing is said, and nothing is forgotten.
    async fn a_service_without_a_key_waits(db: Database) {
        let desk = Desk::open(&db, &apart(3)).await;
        let mut built = Builder::new(3);
        chain(&mut built, 2);
        desk.take_all(&built).await;
        let keyless = Records { keys: ServiceKeys::default(), ..desk.records() };
        assert_eq!(DisputeKeeper::new(keyless).turn().await.unwrap(), NOTHING);
        assert_eq!(desk.publish().await, computed(3));
    }
}
