//! Whom names mean, and what changes that: the chain going on and back, links that arrive late, and finality.

use alloy::primitives::Address;
use hallmark::app::Rekeyed;
use hallmark::attest::statement::Scheme;
use hallmark::identity::TimelineRef;
use serde_json::{Value, json};

use super::{
    Desk, HEAD, account, agent, holding, in_game, is, is_agent, key, meant, record, signed, with,
};
use crate::storage::samples;
use crate::support::databases::on_both_engines;

async fn subject_of(desk: &Desk, taken: &Value) -> Value {
    desk.get(taken["digest"].as_str().unwrap()).await["rekeying"]["subject"].clone()
}

on_both_engines! {
    /// Every form of a name, at times before, inside and after what it meant.
    async fn names_mean_agents_at_their_times(db: Database) {
        let desk = Desk::open(&db).await;
        let [seven, new] = ["seven", "seven-new"].map(|name| account(name).to_string());
        let cases = [
            (seven.clone(), 9, is("none"), "nothing_known"),
            (seven.clone(), 10, is_agent(7), "wallet"),
            (seven.clone(), 49, is_agent(7), "wallet"),
            (seven, 50, is("none"), "nothing_known"),
            (new.clone(), 50, is_agent(7), "wallet"),
            (format!("did:pkh:{new}"), 99, is_agent(7), "wallet"),
            (account("shared").to_string(), 30, is("several"), "wallet"),
            (agent(7), 9, is("none"), "nothing_known"),
            (agent(7), 10, is_agent(7), "named"),
            (agent(9), 30, is("none"), "nothing_known"),
            ("did:web:localhost%3A8004:agents:8453:7".to_owned(), 30, is_agent(7), "document"),
            ("did:web:localhost%3A8004:agents:1:7".to_owned(), 30, is("none"), "other_registry"),
            (account("seven").to_string().replace("8453", "10"), 30, is("none"), "other_chain"),
            (agent(7).replace("8453", "10"), 30, is("none"), "other_registry"),
            ("did:key:z6MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDooWp".to_owned(), 30, is("none"), "nothing_known"),
        ];
        for (subject, block, expected, rule) in cases {
            let body = with(record(&account("eight").to_string(), &subject, block), "id", format!("{subject} {block}"));
            let taken = desk.take(&signed(&body, "eight", Scheme::Eip712)).await;
            assert_eq!(meant(&taken, "subject"), expected, "{subject} at {block}");
            let party = &taken["rekeying"]["subject"];
            assert_eq!(party["rule"], rule, "{subject} at {block}");
            let finality = if block < 60 { "final" } else if block < 80 { "safe" } else { "provisional" };
            assert_eq!(party["finality"], finality, "{subject} at {block}");
        }
        let several = desk.service.ok("/v1/attestations?limit=500").await;
        assert_eq!(several["items"][6]["rekeying"]["subject"]["count"], 2);
        assert_eq!(several["items"][1]["rekeying"]["subject"]["span"], json!({ "block": 10, "log_index": 0 }));
    }

    /// What is said in a second that the chain has not passed is not known yet; then it is, and then it is final.
    async fn not_yet_becomes_known_and_final(db: Database) {
        let desk = Desk::open(&db).await;
        let taken = desk.take(&signed(&record(&agent(7), &agent(8), HEAD), "seven-new", Scheme::Eip712)).await;
        assert_eq!((meant(&taken, "issuer"), meant(&taken, "subject")), (is("not_yet"), is("not_yet")));
        assert_eq!((&taken["rekeying"]["subject"]["finality"], &taken["issuer_class"]), (&Value::Null, &Value::Null));
        assert_eq!((desk.rekey().await, desk.seqs("agent=8").await), (Rekeyed::default(), vec![]));
        desk.extend(HEAD + 1).await;
        assert_eq!(desk.rekey().await, Rekeyed { looked_up: 2, replaced: 0, settled: 0 });
        let found = subject_of(&desk, &taken).await;
        assert_eq!((&found["agent"], &found["finality"]), (&json!(agent(8)), &json!("provisional")));
        assert_eq!(desk.seqs("agent=8&issuer=7").await, [1]);
        desk.extend(HEAD + 200).await;
        desk.reach(HEAD + 200, HEAD + 100).await;
        assert_eq!(desk.rekey().await, Rekeyed { looked_up: 0, replaced: 0, settled: 2 });
        assert_eq!(subject_of(&desk, &taken).await["finality"], "final");
        let history = &desk.get(taken["digest"].as_str().unwrap()).await["history"];
        assert_eq!(history, &json!({ "issuer": [], "subject": [] }), "not known yet is no meaning that was replaced");
    }

    /// What is signed ahead of the chain counts by the wallet of now; if it was another by then, it is nobody's word.
    async fn a_wallet_that_had_ended_by_then_spoke_for_nobody(db: Database) {
        let desk = Desk::open(&db).await;
        desk.clock.0.store(samples::time(HEAD + 5).get(), std::sync::atomic::Ordering::SeqCst);
        let about = account("somebody").to_string();
        let ahead = desk.take(&signed(&record(&agent(7), &about, HEAD + 4), "seven-new", Scheme::Eip712)).await;
        let still = desk.take(&signed(&record(&agent(7), &about, HEAD + 1), "seven-new", Scheme::Eip712)).await;
        assert_eq!((meant(&ahead, "issuer"), &ahead["issuer_class"]), (is("not_yet"), &Value::Null));
        let mut tx = db.begin_write().await.unwrap();
        samples::hold(&mut tx, HEAD + 1..=HEAD + 10).await;
        let timeline = TimelineRef::Wallet(7_u64.into());
        tx.write_changes(&samples::closing(timeline, samples::at(50, 0), samples::at(HEAD + 3, 0))).await.unwrap();
        tx.commit().await.unwrap();
        desk.reach(HEAD + 10, 60).await;
        desk.rekey().await;
        let of = async |taken: &Value| desk.get(taken["digest"].as_str().unwrap()).await;
        let found = of(&ahead).await;
        assert_eq!((meant(&found, "issuer"), &found["rekeying"]["issuer"]["rule"], &found["issuer_class"]), (is("none"), &json!("not_its_wallet"), &Value::Null));
        let found = of(&still).await;
        assert_eq!((meant(&found, "issuer"), &found["issuer_class"]), (is_agent(7), &json!("agent")));
    }

    /// A wallet that was set in a block which is replaced: whom it meant is taken back at once, looked up again, and what was found before
    /// stays in the history.
    async fn a_reorganisation_takes_back_what_it_undid(db: Database) {
        let desk = Desk::open(&db).await;
        let ninety = account("ninety");
        let mut tx = db.begin_write().await.unwrap();
        samples::begin(&mut tx, &[super::owned(30, "other", 90), holding(30, ninety.address, 90, None)]).await;
        tx.commit().await.unwrap();
        let subject = ninety.to_string();
        let before = desk.take(&signed(&record(&agent(8), &subject, 70), "eight", Scheme::Eip712)).await;
        let after = desk.take(&signed(&record(&agent(8), &subject, 95), "eight", Scheme::Eip712)).await;
        assert_eq!((meant(&before, "subject"), meant(&after, "subject")), (is("none"), is_agent(30)));
        let mut tx = db.begin_write().await.unwrap();
        tx.revert_to(samples::block(85), samples::block(HEAD)).await.unwrap();
        tx.commit().await.unwrap();
        desk.reach(85, 60).await;
        assert_eq!(subject_of(&desk, &after).await["outcome"], "not_yet");
        assert_eq!(subject_of(&desk, &before).await["outcome"], "none");
        assert_eq!(desk.seqs("agent=30").await, [0; 0]);
        assert_eq!(desk.rekey().await, Rekeyed::default(), "nothing is due before the time is reached again");
        // On the other branch the wallet is another agent's.
        let mut tx = db.begin_write().await.unwrap();
        samples::hold(&mut tx, 86..=HEAD).await;
        samples::begin(&mut tx, &[super::owned(31, "other", 92), holding(31, ninety.address, 92, None)]).await;
        tx.commit().await.unwrap();
        desk.reach(HEAD, 60).await;
        // Issuer and subject of the second record; the first lies before the block that is shared.
        assert_eq!(desk.rekey().await, Rekeyed { looked_up: 2, replaced: 1, settled: 0 });
        let full = desk.get(after["digest"].as_str().unwrap()).await;
        assert_eq!(full["rekeying"]["subject"]["agent"], agent(31));
        assert_eq!(full["history"]["issuer"], json!([]));
        let replaced = &full["history"]["subject"][0];
        assert_eq!((&replaced["agent"], &replaced["rule"]), (&json!(agent(30)), &json!("wallet")));
        assert_eq!((desk.seqs("agent=31").await, desk.seqs("agent=30").await), (vec![2], vec![]));
    }

    /// A platform's id means nobody until its platform links it to a wallet; then it means whose wallet that was at each time, also of what
    /// was said before the link was known.
    async fn a_late_link_looks_up_what_was_said_since(db: Database) {
        let desk = Desk::open(&db).await;
        let said = async |block: u64| {
            let body = with(in_game(record("games:system", "player-1", block), "g"), "issuerKind", "system");
            desk.origin(&body).await.json()
        };
        let (early, one, two) = (said(20).await, said(40).await, said(60).await);
        for taken in [&early, &one, &two] {
            assert_eq!(meant(taken, "subject"), is("none"));
        }
        let mut link = with(in_game(record("games:system", "player-1", 30), "g"), "issuerKind", "system");
        link["attestation"]["claim"] = json!({ "type": "identity.link", "data": { "target": account("seven").to_string() } });
        assert_eq!(desk.origin(&link).await.status, 201);
        // Only this name's rows, from the link's time on: two records and the link itself.
        assert_eq!(desk.rekey().await, Rekeyed { looked_up: 3, replaced: 2, settled: 0 });
        assert_eq!(subject_of(&desk, &early).await["outcome"], "none");
        let found = subject_of(&desk, &one).await;
        assert_eq!((&found["agent"], &found["rule"], &found["link"]), (&json!(agent(7)), &json!("link"), &json!(1)));
        // The wallet had been rotated away by then, and the link is to the wallet.
        assert_eq!(subject_of(&desk, &two).await["outcome"], "none");
        // Another link to the agent itself.
        let mut link = with(in_game(record("games:system", "player-1", 55), "g"), "issuerKind", "system");
        link["attestation"]["claim"] = json!({ "type": "identity.link", "data": { "target": agent(8) } });
        desk.origin(&link).await;
        desk.rekey().await;
        assert_eq!(subject_of(&desk, &two).await["agent"], agent(8));
        let history = desk.get(one["digest"].as_str().unwrap()).await["history"]["subject"].clone();
        assert_eq!(history[0]["outcome"], "none");
        // A platform links its own ids and nobody else's.
        let mut foreign = with(in_game(record("games:system", &account("eight").to_string(), 20), "g"), "issuerKind", "system");
        foreign["attestation"]["claim"] = json!({ "type": "identity.link", "data": { "target": agent(7) } });
        desk.origin(&foreign).await;
        assert_eq!(desk.rekey().await.replaced, 0);
    }

    /// A DID means an agent once both say so.
    async fn a_did_and_an_agent_say_so_of_each_other(db: Database) {
        use hallmark::attest::{credential, jose, key::{KeyKind, PrivateKey}};
        let desk = Desk::open(&db).await;
        let own = PrivateKey::from_bytes(KeyKind::Ed25519, &[7; 32]).unwrap();
        let did = format!("did:key:{}", own.public().multibase());
        let method = format!("{did}#{}", own.public().multibase());
        let say = |body: Value| {
            let attestation = hallmark::attest::Attestation::from_value(body).unwrap();
            let host = hallmark::did::web::WebHost::local(8004);
            let said = attestation.said_at().unwrap();
            let document = credential::of_attestation(&attestation, &did, &host, said);
            jose::sign(&own, &method, jose::Typ::Of("vc+jwt"), &serde_json::to_vec(&document).unwrap())
        };
        let link = |body: Value| {
            let mut body = body;
            body["attestation"]["claim"] = json!({ "type": "identity.link", "data": {} });
            body
        };
        let about = desk.take(&signed(&record(&account("eight").to_string(), &did, 45), "eight", Scheme::Eip712)).await;
        let reply = desk.post_as("application/vc+jwt", None, say(link(record(&did, &agent(7), 30)))).await;
        assert_eq!(reply.status, 201, "{}", reply.text());
        assert_eq!((reply.json()["verdict"]["form"].clone(), desk.rekey().await.replaced), (json!("vc+jwt"), 0));
        desk.take(&signed(&link(record(&agent(7), &did, 40)), "seven", Scheme::Eip712)).await;
        desk.rekey().await;
        let found = subject_of(&desk, &about).await;
        assert_eq!((&found["agent"], &found["rule"]), (&json!(agent(7)), &json!("link")));
    }

    /// A rebuild or repair of the spans has everything looked up again.
    async fn a_rewriting_looks_everything_up_again(db: Database) {
        let desk = Desk::open(&db).await;
        let taken = desk.take(&signed(&record(&agent(8), &account("seven").to_string(), 30), "eight", Scheme::Eip712)).await;
        assert_eq!(meant(&taken, "subject"), is_agent(7));
        let mut tx = db.begin_write().await.unwrap();
        tx.delete_spans().await.unwrap();
        samples::begin(&mut tx, &[
            super::owned(40, "other", 10),
            samples::span(TimelineRef::Wallet(40_u64.into()), Some(key("seven").address()), samples::at(10, 0), None),
        ]).await;
        tx.commit().await.unwrap();
        // The signer is an agent's name, and that agent is no more.
        assert_eq!(desk.rekey().await, Rekeyed { looked_up: 2, replaced: 2, settled: 0 });
        assert_eq!(subject_of(&desk, &taken).await["agent"], agent(40));
        assert_eq!(desk.rekey().await, Rekeyed::default());
        assert_ne!(key("seven").address(), Address::ZERO);
    }
}
