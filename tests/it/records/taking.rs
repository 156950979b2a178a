//! Who may say what, what is kept of it, and what is refused with which words.

use hallmark::attest::statement::Scheme;
use serde_json::{Value, json};

use super::{
    Desk, TOKEN, account, agent, in_game, is, is_agent, meant, problem, record, signed, with,
};
use crate::storage::samples;
use crate::support::databases::on_both_engines;

on_both_engines! {
    /// A record is kept as it came, known by its digest, and found by what it says.
    async fn what_was_signed_is_kept_byte_for_byte(db: Database) {
        let desk = Desk::open(&db).await;
        let first = signed(&record(&agent(7), &agent(8), 30), "seven", Scheme::Eip712);
        // Spaces and the order of members are the sender's.
        let text = serde_json::to_string_pretty(&first).unwrap();
        let reply = desk.post_as("application/json", None, text.clone()).await;
        assert_eq!(reply.status, 201, "{}", reply.text());
        let taken = reply.json();
        assert_eq!((&taken["seq"], &taken["is_new"]), (&json!(1), &json!(true)));
        assert_eq!((meant(&taken, "issuer"), meant(&taken, "subject")), (is_agent(7), is_agent(8)));
        assert_eq!((&taken["issuer_class"], &taken["findings"]), (&json!("agent"), &json!([])));
        assert_eq!(taken["verdict"]["right"]["basis"], "wallet");
        assert_eq!(taken["verdict"]["right"]["span"]["from"]["block"], 10);
        assert_eq!(taken["verdict"]["signer"], account("seven").to_string());
        let again = desk.post_as("application/json", None, text.clone()).await;
        assert_eq!((again.status, &again.json()["seq"]), (200, &json!(1)));

        let digest = taken["digest"].as_str().unwrap();
        let full = desk.get(digest).await;
        assert_eq!(full["envelope"], text);
        assert_eq!((&full["envelope_type"], &full["source"]), (&json!("application/json"), &json!("signed")));
        assert_eq!(full["record"]["attestation"]["claim"]["data"]["tag"], "reliable");
        let raw = desk.service.get(&format!("/v1/attestations/{digest}/envelope")).await;
        assert_eq!(raw.text(), text);

        let second = signed(&record(&account("eight").to_string(), &agent(7), 31), "eight", Scheme::Eip191);
        let second = desk.take(&second).await;
        assert_eq!((&second["seq"], meant(&second, "issuer")), (&json!(2), is_agent(8)));
        assert_eq!(second["verdict"]["right"]["basis"], "itself");
        let eight = account("eight");
        for (query, expected) in [
            (String::new(), vec![1, 2]),
            ("agent=8".to_owned(), vec![1]),
            ("agent=7".to_owned(), vec![2]),
            ("issuer=8453:8".to_owned(), vec![2]),
            (format!("issuer={eight}"), vec![2]),
            (format!("issuer=did:pkh:{eight}"), vec![2]),
            ("issuer=7&agent=8&issuer_kind=agent".to_owned(), vec![1]),
            ("issuer_kind=system".to_owned(), vec![]),
            ("claim_type=peer.assessment&round=31".to_owned(), vec![2]),
            ("claim_type=other".to_owned(), vec![]),
            ("since_seq=1".to_owned(), vec![2]),
            ("since_seq=2".to_owned(), vec![]),
            ("game=none".to_owned(), vec![]),
        ] {
            assert_eq!(desk.seqs(&query).await, expected, "{query}");
        }
        let page = desk.service.ok("/v1/attestations?limit=1").await;
        let next = page["next"].as_str().unwrap();
        assert_eq!((desk.seqs(&format!("limit=1&cursor={next}")).await, &page["log_size"]), (vec![2], &json!(2)));
        assert_eq!(desk.service.ok("/v1/status").await["log_size"], 2);
        assert_eq!(desk.service.ok("/v1/agents/7").await["as_of"]["log_size"], 2);
        desk.service.problem("/v1/attestations?colour=red", 400).await;
        desk.service.problem("/v1/attestations?issuer_kind=king", 400).await;
        desk.service.problem("/v1/attestations?agent=x", 400).await;
        desk.service.problem("/v1/attestations/0x00", 400).await;
        desk.service.problem(&format!("/v1/attestations/0x{}", "0".repeat(64)), 404).await;
    }

    /// An envelope is judged as it would be taken in, and nothing of it is kept.
    async fn an_envelope_is_judged_and_not_kept(db: Database) {
        let desk = Desk::open(&db).await;
        let verdict = async |envelope: &Value| desk.service.post("/v1/attestations/verify", envelope.to_string()).await.json();
        let good = signed(&record(&agent(7), &agent(8), 30), "seven", Scheme::Eip712);
        let told = verdict(&good).await;
        assert_eq!((&told["standing"], &told["reason"], &told["form"]), (&json!("valid"), &Value::Null, &json!("eip712")));
        assert_eq!((&told["kind"], &told["verdict"]["right"]["basis"]), (&json!("peer.assessment"), &json!("wallet")));
        assert!(told["as_of"]["block"]["number"].is_u64(), "{told}");
        let digest = told["record"].as_str().unwrap();
        desk.service.problem(&format!("/v1/attestations/{digest}"), 404).await;
        assert_eq!(desk.service.ok("/v1/status").await["log_size"], 0);
        // The wallet of another agent; and one that only a contract could have made, where there is no node to ask.
        let other = verdict(&signed(&record(&agent(7), &agent(8), 30), "eight", Scheme::Eip712)).await;
        assert_eq!((&other["standing"], &other["verdict"], &other["record"]), (&json!("invalid"), &Value::Null, &Value::Null));
        assert!(!other["reason"].as_str().unwrap().is_empty());
        let mut unsaid = good.clone();
        unsaid["signature"] = json!(format!("0x{}", "11".repeat(99)));
        let told = verdict(&unsaid).await;
        assert_eq!(told["standing"], "unknown", "{told}");
        assert!(told["reason"].as_str().unwrap().contains("this service has no node"), "{told}");
        for (body, status) in [("{}".to_owned(), 422), (" ".repeat(70_000), 413), ("\u{0}".to_owned(), 422)] {
            let reply = desk.service.post("/v1/attestations/verify", body).await;
            assert_eq!(reply.status, status, "{}", reply.text());
        }
    }

    /// A wallet speaks for its agent while it is the agent's wallet, and not a second longer.
    async fn yesterdays_wallet_says_nothing_today(db: Database) {
        let desk = Desk::open(&db).await;
        let about = agent(8);
        for (wallet, block, is_good) in
            [("seven", 9, false), ("seven", 10, true), ("seven", 49, true), ("seven", 50, false), ("seven-new", 50, true), ("seven-new", 49, false), ("eight", 30, false)]
        {
            let body = signed(&record(&agent(7), &about, block), wallet, Scheme::Eip712);
            let reply = desk.post(&body).await;
            if is_good {
                assert_eq!(reply.status, 201, "{wallet} at {block}: {}", reply.text());
                continue;
            }
            assert_eq!(problem(&reply), (422, "not-verified".to_owned()), "{wallet} at {block}");
            let detail = reply.problem()["detail"].as_str().unwrap().to_owned();
            assert!(detail.contains("did not speak for"), "{detail}");
        }
    }

    /// A past wallet can say at any time what counts as said while it was the wallet: what comes so late is taken, and marked.
    async fn what_comes_when_its_signer_speaks_no_more_is_late(db: Database) {
        let desk = Desk::open(&db).await;
        let (ended, itself) = (samples::time(50), account("seven").to_string());
        let post = async |after: u64, issuer: &str, wallet: &str, block: u64| {
            desk.clock.0.store(ended.get() + after, std::sync::atomic::Ordering::SeqCst);
            desk.take(&signed(&with(record(issuer, &agent(8), block), "round", after + block), wallet, Scheme::Eip712)).await
        };
        let kinds = |taken: &Value| -> Vec<String> {
            let findings = taken["findings"].as_array().unwrap();
            findings.iter().map(|finding| finding["kind"].as_str().unwrap().to_owned()).collect()
        };
        // As long as a clock may be ahead, a record may be under way.
        assert_eq!(kinds(&post(300, &agent(7), "seven", 30).await), [""; 0]);
        let taken = post(301, &agent(7), "seven", 31).await;
        assert_eq!((kinds(&taken), meant(&taken, "issuer")), (vec!["late".to_owned()], is_agent(7)));
        assert_eq!((&taken["verdict"]["ended"], &taken["issuer_class"]), (&json!(ended.to_string()), &json!("agent")));
        let detail = taken["findings"][0]["detail"].as_str().unwrap().to_owned();
        let told = format!("{itself} speaks for {} no more since {ended}: that it was said at {} is its signer's word alone", agent(7), samples::time(31));
        assert!(detail.ends_with(&told), "{detail}");
        let kept = desk.get(taken["digest"].as_str().unwrap()).await;
        assert_eq!(kept["findings"], taken["findings"]);
        // The wallet in its own name is the agent of then as well.
        assert_eq!(kinds(&post(300, &itself, "seven", 32).await), [""; 0]);
        let taken = post(302, &itself, "seven", 33).await;
        assert_eq!((kinds(&taken), meant(&taken, "issuer")), (vec!["late".to_owned()], is_agent(7)));
        assert!(taken["findings"][0]["detail"].as_str().unwrap().contains(&format!("{itself} means {} no more", agent(7))), "{taken}");
        // Whoever speaks still may say late what it said then.
        assert_eq!(kinds(&post(9_000, &agent(7), "seven-new", 60).await), [""; 0]);
        assert_eq!(kinds(&post(9_000, &account("seven-new").to_string(), "seven-new", 61).await), [""; 0]);
    }

    /// The class of an issuer is earned: by an origin's token or key, a plugin's registration, or by being an agent.
    async fn nobody_is_what_it_says_it_is(db: Database) {
        let desk = Desk::open(&db).await;
        let spoofed = with(record(&account("eight").to_string(), &agent(7), 30), "issuerKind", "system");
        let taken = desk.take(&signed(&spoofed, "eight", Scheme::Eip712)).await;
        assert_eq!(taken["issuer_class"], "agent");
        assert_eq!(taken["findings"][0]["kind"], "issuer_kind");
        let system = |block| with(in_game(record("games:system", &agent(7), block), "g1"), "issuerKind", "system");
        let reply = desk.origin(&system(30)).await;
        assert_eq!(reply.status, 201, "{}", reply.text());
        assert_eq!((&reply.json()["issuer_class"], meant(&reply.json(), "subject")), (&json!("system"), is_agent(7)));
        assert_eq!(meant(&reply.json(), "issuer"), is("none"));
        // Nobody else speaks in the origin's context, however it signs.
        let stranger = signed(&in_game(record(&account("eight").to_string(), &agent(7), 31), "g1"), "eight", Scheme::Eip712);
        assert_eq!(problem(&desk.post(&stranger).await), (403, "not-its-origin".to_owned()));
        // The origin's own key is as good as its token.
        let by_key = with(in_game(record(&account("games").to_string(), &agent(7), 32), "g1"), "issuerKind", "system");
        let taken = desk.take(&signed(&by_key, "games", Scheme::Eip712)).await;
        assert_eq!((&taken["issuer_class"], &taken["findings"]), (&json!("system"), &json!([])));
        assert_eq!(problem(&desk.post_as("application/json", Some("guessed"), system(33).to_string()).await), (403, "wrong-token".to_owned()));
        let elsewhere = record(&agent(8), &agent(7), 34);
        assert_eq!(problem(&desk.origin(&elsewhere).await), (403, "not-its-origin".to_owned()));
        assert_eq!(desk.seqs("issuer_kind=system").await, [2, 3]);
        assert_eq!(desk.seqs("game=g1&issuer_kind=agent").await, [0; 0]);
    }

    /// The same id in two games is two records, and worth showing; the same words by two senders are two as well.
    async fn ids_of_others_are_no_keys(db: Database) {
        let desk = Desk::open(&db).await;
        let body = |game| with(in_game(record("games:system", "player-1", 30), game), "id", "0xsame");
        let first = desk.origin(&body("g1")).await.json();
        let second = desk.origin(&body("g2")).await.json();
        assert_ne!(first["digest"], second["digest"]);
        assert_eq!((first["findings"].as_array().unwrap().len(), &second["findings"][1]["kind"]), (1, &json!("claimed_id")));
        let detail = second["findings"][1]["detail"].as_str().unwrap();
        assert!(detail.ends_with("is also that of record 1"), "{detail}");
        assert_eq!(desk.get(second["digest"].as_str().unwrap()).await["findings"][1]["kind"], "claimed_id");
        // A later record may replace an earlier one of its own issuer, which stays.
        let earlier = first["digest"].as_str().unwrap();
        let later = with(body("g1"), "supersedes", earlier);
        let later = desk.origin(&later).await.json();
        assert_eq!(desk.get(earlier).await["superseded_by"], later["digest"]);
    }

    /// Whoever repeats the words of another, before or after, is no more than somebody who did.
    async fn nobody_takes_the_place_of_another_by_saying_it_first(db: Database) {
        use hallmark::attest::{Attestation, dsse, key::{KeyKind, PrivateKey}};
        let desk = Desk::open(&db).await;
        let said = record(&agent(8), &agent(7), 30);
        let attestation = Attestation::from_value(said.clone()).unwrap();
        for seed in 1..=105_u8 {
            let own = PrivateKey::from_bytes(KeyKind::Ed25519, &[seed; 32]).unwrap();
            let did = format!("did:key:{}#{}", own.public().multibase(), own.public().multibase());
            let copy = dsse::sign(dsse::ATTESTATION_TYPE, attestation.canonical(), &did, &own);
            assert_eq!(desk.take(&copy).await["findings"][1]["kind"], "issuer");
        }
        let own = desk.take(&signed(&said, "eight", Scheme::Eip712)).await;
        assert_eq!(own["seq"], 106);
        let digest = own["digest"].as_str().unwrap();
        let shown = desk.get(digest).await;
        assert_eq!((&shown["seq"], shown["others"].as_array().unwrap().len()), (&json!(106), 100));
        assert_eq!(desk.get(&format!("{digest}?seq=105")).await["seq"], 105);
        let raw = desk.service.get(&format!("/v1/attestations/{digest}/envelope?seq=106")).await;
        assert_eq!(raw.json()["account"], account("eight").to_string());
        desk.service.problem(&format!("/v1/attestations/{digest}?seq=107"), 404).await;
    }

    /// One key under two names is one hand, and is shown or refused.
    async fn one_key_speaks_of_itself_under_no_name(db: Database) {
        let desk = Desk::open(&db).await;
        let own = signed(&record(&agent(20), &account("shared").to_string(), 30), "shared", Scheme::Eip712);
        assert_eq!(problem(&desk.post(&own).await), (422, "self-attestation".to_owned()));
        let elsewhere = account("seven-new").to_string().replace("8453", "1");
        let other = signed(&record(&agent(7), &elsewhere, 60), "seven-new", Scheme::Eip712);
        let taken = desk.take(&other).await;
        let detail = taken["findings"][0]["detail"].as_str().unwrap();
        assert!(taken["findings"][0]["kind"] == "kinship" && detail.contains("has the address of"), "{detail}");
    }

    /// What the field asks of those who speak of each other.
    async fn limits_refuse_by_name_and_are_recorded(db: Database) {
        let desk = Desk::open(&db).await;
        for own in [record(&agent(7), &agent(7), 60), record(&account("seven-new").to_string(), &agent(7), 60), record(&agent(7), &account("seven-new").to_string(), 60)] {
            let reply = desk.post(&signed(&own, "seven-new", Scheme::Eip712)).await;
            assert_eq!(problem(&reply), (422, "self-attestation".to_owned()), "{}", reply.text());
        }
        // The past wallet and the owner are not the agent, and are shown.
        for (by, tie) in [("seven", "was the wallet of"), ("owner", "owns")] {
            let taken = desk.take(&signed(&record(&account(by).to_string(), &agent(7), 70), by, Scheme::Eip712)).await;
            assert_eq!(taken["findings"][0]["kind"], "issuer_kind", "{taken}");
            let detail = taken["findings"][1]["detail"].as_str().unwrap();
            assert!(detail.contains(tie) && taken["findings"][1]["kind"] == "kinship", "{detail}");
        }
        let long = with(record(&agent(8), &agent(7), 61), "note", "é".repeat(201));
        let reply = desk.post(&signed(&long, "eight", Scheme::Eip712)).await;
        assert_eq!(problem(&reply), (422, "note-too-long".to_owned()));
        assert!(reply.problem()["detail"].as_str().unwrap().contains("201"));
        let fits = with(record(&agent(8), &agent(7), 61), "note", "é".repeat(200));
        desk.take(&signed(&fits, "eight", Scheme::Eip712)).await;
        // Three of a round, whichever name is used for the two.
        let in_round = |issuer: &str, id: &str| with(with(record(issuer, &agent(7), 62), "round", 5), "id", id);
        for (n, issuer) in [agent(8), account("eight").to_string(), agent(8)].iter().enumerate() {
            desk.take(&signed(&in_round(issuer, &n.to_string()), "eight", Scheme::Eip712)).await;
        }
        let fourth = signed(&in_round(&agent(8), "3"), "eight", Scheme::Eip712);
        assert_eq!(problem(&desk.post(&fourth).await), (422, "too-many-in-round".to_owned()));
        let another = with(with(record(&agent(8), &agent(20), 62), "round", 5), "id", "4");
        let another = desk.take(&signed(&another, "eight", Scheme::Eip712)).await;
        // One account owns both agents.
        let detail = another["findings"][0]["detail"].as_str().unwrap();
        assert!(another["findings"][0]["kind"] == "kinship" && detail.contains("is under the same control as"), "{detail}");
        // Again is not one more.
        let again = signed(&in_round(&agent(8), "0"), "eight", Scheme::Eip712);
        assert_eq!(desk.post(&again).await.status, 200);
        let refused = desk.service.ok("/v1/attestations/refused").await;
        let reasons: Vec<_> = refused["items"].as_array().unwrap().iter().map(|item| item["reason"].as_str().unwrap()).collect();
        assert_eq!(reasons, ["per_round_max", "note_max", "self_attestation", "self_attestation", "self_attestation"]);
        assert!(refused["items"][0]["digest"].is_string());
        // An origin's own word is free of them.
        for n in 0..5 {
            let body = with(with(in_game(record("games:system", &agent(7), 63), "g"), "round", 5), "id", n.to_string());
            assert_eq!(desk.origin(&with(body, "note", "x".repeat(500))).await.status, 201);
        }
    }

    /// Of many lines each has its own answer, and what is wrong with one harms no other.
    async fn a_bad_line_harms_no_neighbour(db: Database) {
        let desk = Desk::open(&db).await;
        let good = |block| signed(&record(&agent(8), &agent(7), block), "eight", Scheme::Eip712).to_string();
        let mut forged: Value = serde_json::from_str(&good(32)).unwrap();
        forged["attestation"]["claim"]["data"]["tag"] = "bad".into();
        let lines = [good(30), "{".to_owned(), good(31), forged.to_string(), good(30), "{\"a\":1,\"a\":2}".to_owned()];
        let reply = desk.post_as("application/x-ndjson", None, lines.join("\n")).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        let items = reply.json()["items"].as_array().unwrap().clone();
        let statuses: Vec<_> = items.iter().map(|item| item["status"].as_u64().unwrap()).collect();
        assert_eq!(statuses, [201, 422, 201, 422, 200, 422]);
        assert_eq!((&items[2]["attestation"]["seq"], &items[4]["attestation"]["seq"]), (&json!(2), &json!(1)));
        assert_eq!(items[1]["problem"]["type"], "/problems/malformed-attestation");
        assert_eq!(items[3]["problem"]["type"], "/problems/not-verified");
        let too_many = vec!["{}"; 1_001].join("\n");
        assert_eq!(desk.post_as("application/x-ndjson", None, too_many).await.status, 422);
        assert_eq!(desk.post_as("application/x-ndjson", Some(TOKEN), "").await.status, 422);
        assert_eq!(desk.service.ok("/v1/attestations").await["log_size"], 2);
    }

    /// Hostile bodies get the status and words that fit, and nothing of them is kept.
    async fn bad_input_is_refused_with_its_reason(db: Database) {
        let desk = Desk::open(&db).await;
        let good = signed(&record(&agent(8), &agent(7), 30), "eight", Scheme::Eip712);
        let late = signed(&record(&agent(8), &agent(7), 30_000), "eight", Scheme::Eip712);
        let mut other_chain = good.clone();
        other_chain["account"] = account("eight").to_string().replace("8453", "1").into();
        let unknown = with(record(&agent(8), "nobody at all", 30), "id", "x");
        let cases = [
            ("{\"a\":1,\"a\":1}".to_owned(), 422, "malformed-attestation"),
            ("[".repeat(100), 422, "malformed-attestation"),
            (r#"{"attestation":{"x":1e400},"context":{}}"#.to_owned(), 422, "malformed-attestation"),
            (unknown.to_string(), 422, "malformed-attestation"),
            (late.to_string(), 422, "not-verified"),
            (other_chain.to_string(), 422, "not-verified"),
            ("x".repeat(5 << 20), 413, "body-too-large"),
            (String::new(), 422, "malformed-attestation"),
        ];
        for (body, status, kind) in cases {
            let shown: String = body.chars().take(60).collect();
            let reply = desk.post_as("application/json", None, body).await;
            assert_eq!(problem(&reply), (status, kind.to_owned()), "{shown}: {}", reply.text());
        }
        assert_eq!(desk.service.ok("/v1/attestations").await["log_size"], 0);
        assert_eq!(samples::time(30).to_string(), good["attestation"]["issuedAt"]);
    }
}
