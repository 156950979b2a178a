//! What is taken in, in any order, and what is refused.

use hallmark::delegation::{Kind, Record, Under};
use hallmark::vocab::Digest;
use serde_json::{Value, json};

use super::*;
use crate::support::databases::on_both_engines;

/// The detail of a refusal with this status and kind.
async fn refused(desk: &Desk, envelope: &str, status: u16, kind: &str) -> String {
    let reply = desk.post(envelope).await;
    assert_eq!(problem(&reply), (status, kind.to_owned()), "{}", reply.text());
    reply.problem()["detail"].as_str().unwrap().to_owned()
}

/// A record as JSON, changed, and signed by a wallet as if nothing were wrong with it.
fn forged(record: &Record, byte: u8, change: impl Fn(&mut Value)) -> String {
    let mut value = record.to_value().unwrap();
    change(&mut value);
    let typed = hallmark::attest::TypedRecord::from_value(value).unwrap();
    stated(&typed, byte).to_value().to_string()
}

on_both_engines! {
    /// A child's records come before its parent's, each twice: what comes of it is the same.
    async fn records_come_in_any_order_and_more_than_once(db: Database) {
        let desk = Desk::open(&db, &apart(4)).await;
        let mut built = Builder::new(4);
        let (grants, judged) = chain(&mut built, 3);
        let mut told = Vec::new();
        for sealed in built.document.envelopes.iter().rev() {
            let first = desk.take(&sealed.envelope).await;
            let again = desk.post(&sealed.envelope).await;
            assert_eq!((again.status, again.json()["is_new"].clone()), (200, json!(false)));
            assert_eq!(again.json()["number"], first["number"]);
            told.push(first);
        }
        assert_eq!(told.len(), built.document.envelopes.len());
        for (index, grant) in grants.iter().enumerate() {
            let hop = desk.hop(*grant).await;
            assert_eq!(hop["state"], "accepted");
            assert_eq!((&hop["interactions"], &hop["parent_ppm"], &hop["child_ppm"]), (&json!(3), &json!(500_000), &json!(600_000)));
            assert_eq!((&hop["has_below"], &hop["is_disputed"]), (&json!(index < 2), &json!(index == 2)));
            assert_eq!(hop["findings"], json!([]), "in whatever order they came");
        }
        let stored = desk.service.ok(&format!("/v1/delegations/{judged}")).await;
        let sealed = built.document.envelopes.last().unwrap();
        assert_eq!((&stored["kind"], &stored["envelope"]), (&json!("verdict"), &json!(sealed.envelope)));
        assert_eq!((&stored["grant"], &stored["rekeying"]["named"]), (&json!(grants[2]), &Value::Null));
        let grant = desk.service.ok(&format!("/v1/delegations/{}", grants[0])).await;
        assert_eq!(grant["rekeying"]["author"]["agent"], json!(agent(1)));
        assert_eq!((&grant["rekeying"]["named"]["agent"], &grant["rekeying"]["named"]["finality"]), (&json!(agent(2)), &json!("final")));
        assert_eq!(grant["verdict"]["right"]["basis"], "wallet");
        assert_eq!(Digest::of(grant["record"].to_string().as_bytes()), grants[0], "the record is in its canonical bytes");
    }

    /// A child's acceptance alone is a claim; the grant makes it a hop.
    async fn a_hop_is_claimed_until_both_have_signed(db: Database) {
        let desk = Desk::open(&db, &apart(3)).await;
        let mut built = Builder::new(3);
        let (granted, _) = built.hire(grant(agent(1), agent(2), Under::Buyer(buyer()), START + 100));
        let [parents, childs] = [0, 1].map(|n| built.document.envelopes[n].envelope.clone());
        let taken = desk.take(&childs).await;
        assert_eq!((&taken["hop"]["state"], &taken["hop"]["beta_ppb"]), (&json!("claimed_by_child"), &json!(0)));
        let problem = desk.service.problem(&format!("/v1/delegations/{granted}"), 404).await;
        assert!(problem["type"].as_str().unwrap().ends_with("/no-such-delegation"));
        let taken = desk.take(&parents).await;
        assert_eq!(taken["hop"]["state"], "accepted");
        assert!(taken["hop"]["beta_ppb"].as_u64().unwrap() > 0);
    }

    /// What parties sign against each other is kept, and stands with the hop.
    async fn contradictions_are_kept_as_findings(db: Database) {
        let desk = Desk::open(&db, &apart(4)).await;
        let mut built = Builder::new(4);
        let (above, _) = built.hire(grant(agent(1), agent(2), Under::Buyer(buyer()), START + 100));
        let mut wider = grant(agent(2), agent(3), Under::Grant(above), START + 200);
        wider.scope.actions.push("delete:everything".to_owned());
        wider.scope.actions.sort();
        let (below, accepted) = built.hire(wider);
        let mut other = acceptance(below, agent(4), agent(3), START + 215);
        other.issued_at = time(START + 205);
        built.sign(other);
        for (issuer, ended) in [(3, START + 500), (2, START + 400)] {
            built.sign(outcome(below, agent(issuer), accepted, ended));
        }
        // The hop below first, so that there is nothing above it to widen.
        let envelopes = &built.document.envelopes;
        for sealed in envelopes[2..].iter().chain(&envelopes[..2]) {
            desk.take(&sealed.envelope).await;
        }
        let hop = desk.hop(below).await;
        let found: Vec<_> = hop["findings"].as_array().unwrap().iter().map(|one| one["kind"].as_str().unwrap()).collect();
        assert_eq!(found, ["widens", "contradiction", "outcomes_differ"]);
        let detail = hop["findings"][0]["detail"].as_str().unwrap();
        assert!(detail.contains("delete:everything") && detail.starts_with(&agent(2).to_string()), "{detail}");
        assert_eq!(hop["state"], "accepted", "nobody is rid of a child by hiring it for too much");
        assert_eq!(desk.hop(above).await["findings"], json!([]));
    }

    /// Numbers out of range, widths, other digests, strangers: each is refused by name, and nothing of it is kept.
    async fn bad_input_is_refused_by_name_and_nothing_is_kept(db: Database) {
        let desk = Desk::open(&db, &apart(4)).await;
        let mut built = Builder::new(4);
        let root = grant(agent(1), agent(2), Under::Buyer(buyer()), START + 100);
        let granted = built.sign(root.clone());
        desk.take(&built.document.envelopes[0].envelope).await;
        let root = Record::Grant(Box::new(root));
        let other = |change: fn(&mut Value)| forged(&root, 1, |value| {
            value["nonce"] = json!("another");
            change(value);
        });
        for (envelope, field) in [
            (other(|value| value["required_ppm"] = json!(-1)), "`required_ppm`"),
            (other(|value| value["required_ppm"] = json!(1_000_001)), "`required_ppm`: 1000001 is not within 0 to 1000000"),
            (other(|value| value["scope"]["limits"]["usdc"] = json!("-5")), "`scope.limits"),
            (other(|value| value["schema"] = json!("hallmark/grant/2")), "`schema`: `hallmark/grant/2` is none of"),
            (other(|value| value["score"] = json!(7)), "unknown field `score`"),
            (other(|value| value["specification"]["digest"] = json!(digest("other"))), "`specification.digest`"),
            (other(|value| value["specification"]["conditions"] = json!([1.5])), "`specification.conditions[0]`"),
            (other(|value| value["expires_at"] = value["issued_at"].clone()), "`expires_at`: it is not after"),
            (other(|value| value["about"] = json!("x".repeat(5_000))), "`about`"),
        ] {
            let detail = refused(&desk, &envelope, 422, "malformed-record").await;
            assert!(detail.contains(field), "{detail}");
        }
        let detail = refused(&desk, "{}", 422, "malformed-record").await;
        assert!(detail.contains("this is no signed envelope"), "{detail}");
        // Signed by somebody else's wallet, and ahead of every clock.
        let detail = refused(&desk, &forged(&root, 3, |value| value["nonce"] = json!("mine")), 422, "not-verified").await;
        assert!(detail.contains("at"), "{detail}");
        let late = forged(&root, 1, |value| {
            value["issued_at"] = json!(time(CHECKED + 1_000));
            value["expires_at"] = json!(time(CHECKED + 2_000));
        });
        refused(&desk, &late, 422, "not-verified").await;
        // An attestation is no record of a delegation.
        let detail = refused(&desk, r#"{"payloadType":"application/json","payload":"e30","signatures":[]}"#, 422, "malformed-record").await;
        assert!(!detail.is_empty());
        // Who is neither parent nor child has nothing to say about the run.
        let stranger = stated(&Record::Acceptance(Box::new(acceptance(granted, agent(1), agent(3), START + 110))).typed().unwrap(), 3);
        let detail = refused(&desk, &stranger.to_value().to_string(), 403, "not-a-party").await;
        assert!(detail.contains(&agent(3).to_string()), "{detail}");
        let mut tx = db.begin_read().await.unwrap();
        assert_eq!(tx.delegation_count().await.unwrap(), 1, "nothing was kept of any of them");
        assert_eq!(tx.edges_after(None, 9).await.unwrap().len(), 1);
    }

    /// Nobody fills a trace: of one kind, one name has its number of records about one grant.
    async fn one_name_says_only_so_much_about_one_grant(db: Database) {
        let desk = Desk::open(&db, &apart(2)).await;
        let mut built = Builder::new(2);
        let (granted, last) = built.hire(grant(agent(1), agent(2), Under::Buyer(buyer()), START + 100));
        for minute in 0..17 {
            built.sign(outcome(granted, agent(2), last, START + 1_000 + minute));
        }
        let (one_more, rest) = built.document.envelopes.split_last().unwrap();
        for sealed in rest {
            desk.take(&sealed.envelope).await;
        }
        let detail = refused(&desk, &one_more.envelope, 422, "too-many-of-grant").await;
        assert!(detail.contains("16 records of the kind `outcome`"), "{detail}");
        let mut tx = db.begin_read().await.unwrap();
        assert_eq!(tx.delegations_of_kind(granted, Kind::Outcome, 99).await.unwrap().len(), 16);
    }
}

/// A body that is too large is not read to its end, and a document of too many hops is refused before any signature is looked at.
#[tokio::test]
async fn size_is_looked_at_before_any_signature() {
    let fresh = crate::support::databases::Fresh::sqlite().await;
    let desk = Desk::open(&fresh.database().await, &apart(2)).await;
    let reply = desk.post(&"x".repeat(100 << 20)).await;
    assert_eq!(problem(&reply), (413, "body-too-large".to_owned()));
    let began = std::time::Instant::now();
    let reply = desk.service.post("/v1/delegations/verify", vec![b' '; 100 << 20]).await;
    assert_eq!(problem(&reply), (413, "body-too-large".to_owned()));
    let hops: Vec<_> = (0..10_000).map(|_| json!({ "envelope": "{}" })).collect();
    let document =
        json!({ "schema": "hallmark/trace/1", "as_of": [], "envelopes": hops, "parties": [] });
    let reply = desk.service.post("/v1/delegations/verify", document.to_string()).await;
    assert_eq!(problem(&reply), (422, "bad-body".to_owned()));
    let told = reply.problem();
    assert_eq!(told["field"], "envelopes");
    assert!(
        told["detail"].as_str().unwrap().contains("10000 of them; at most 5000 are read"),
        "{told}"
    );
    assert!(began.elapsed() < std::time::Duration::from_secs(5), "{:?}", began.elapsed());
}
