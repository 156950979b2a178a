//! Traces as documents: what is served is what anybody can check, and what is brought is checked against what is known here.

use alloy::signers::SignerSync as _;
use hallmark::app::{ContractWallets, TracePart};
use hallmark::attest::dsse;
use hallmark::attest::record_statement::{RecordStatement, signed_digest};
use hallmark::attest::statement::Scheme;
use hallmark::attest::typed_record::PAYLOAD_TYPE;
use hallmark::attest::wallet::SignedBy;
use hallmark::chain::endpoint::Endpoint;
use hallmark::chain::{Provider, Providers, ProvidersOptions, Role, RpcOptions, RpcSource};
use hallmark::delegation::{
    Capability, Party, Record, Standing, TraceDocument, WalletSpan, verify_trace,
};
use hallmark::did::{Change, jwk_method};
use hallmark::storage::LinkEvidence;
use hallmark::vocab::{AccountId, ChainId, Subject};
use serde_json::{Value, json};

use super::*;
use crate::support::anvil::{Anvil, CHAIN_ID};
use crate::support::databases::{Fresh, on_both_engines};
use crate::support::registries::contract_wallet_of;

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

    /// Envelopes alone are enough where all who signed are known here.
    async fn who_signed_is_known_here_where_the_document_does_not_say(db: Database) {
        let desk = Desk::open(&db, &apart(3)).await;
        let mut built = Builder::new(3);
        chain(&mut built, 2);
        let bare = TraceDocument::new(built.document.envelopes.clone());
        let told = judged(&desk, &bare).await;
        assert_eq!((&told["standing"], &told["by_its_word"]), (&json!("valid"), &json!("invalid")));
        assert_eq!(told["hops"].as_array().unwrap().len(), 2);
        let mut tx = db.begin_read().await.unwrap();
        assert_eq!(tx.delegation_count().await.unwrap(), 0, "to be judged is not to be kept");
    }

    /// An agent that signs under the DID that this service gives it is known by its wallets: nobody pays nothing by another name.
    async fn an_agent_signs_under_its_did(db: Database) {
        let desk = Desk::open(&db, &apart(2)).await;
        let mut built = Builder::new(2);
        let parent: Subject = "did:web:localhost%3A8004:agents:8453:1".parse().unwrap();
        let granted = built.sign_by(grant(parent.clone(), agent(2), Under::Buyer(buyer()), START + 100), 1);
        built.sign(acceptance(granted, parent.clone(), agent(2), START + 110));
        let by = built.sign(verdict(granted, START + 30_000));
        desk.take_all(&built).await;
        let told = desk.report(by).await;
        assert_eq!((&told["status"], &told["trace"]["standing"]), (&json!("confirmed"), &json!("valid")));
        let players = told["report"]["failures"][0]["players"].as_array().unwrap();
        let shares: Vec<_> = players.iter().map(|one| (one["player"].clone(), one["amount"].clone())).collect();
        assert_eq!(shares, [(json!(agent(1)), json!("60000000")), (json!(agent(2)), json!("60000000"))]);
        let document = trace(&desk, &format!("/v1/delegations/{granted}/trace")).await;
        let party = document.parties.iter().find(|party| party.name == parent).unwrap();
        let span = &party.wallets[0];
        assert_eq!((span.account.clone(), span.cause.as_str()), (account(1).to_string(), "link"));
        assert_eq!((party.as_of, span.from.block), (Some(samples::stamp(HEAD).time), None));
        let offline = verify_trace(&document, time(CHECKED));
        assert_eq!((offline.reason(), offline.standing), (None, Standing::Valid));
        // Whoever brings the envelopes alone hears the same, and a made up wallet of it counts for nothing.
        let mut bare = TraceDocument::new(document.envelopes.clone());
        assert_eq!(judged(&desk, &bare).await["standing"], "valid");
        let forged = WalletSpan { account: account(9).to_string(), ..span.clone() };
        bare.parties = vec![Party { wallets: vec![forged], ..party.clone() }];
        let told = judged(&desk, &bare).await;
        assert_eq!((&told["standing"], &told["by_its_word"]), (&json!("valid"), &json!("invalid")));
    }

    /// Spans that a document makes up prove nothing here.
    async fn forged_spans_are_replaced_by_what_the_chain_says(db: Database) {
        let desk = Desk::open(&db, &apart(3)).await;
        let mut built = Builder::new(3);
        // Agent 2's acceptance, by a wallet that never was its.
        let granted = built.sign(grant(agent(1), agent(2), Under::Buyer(buyer()), START + 100));
        built.sign_by(
            Record::Acceptance(Box::new(acceptance(granted, agent(1), agent(2), START + 110))),
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

    /// A document that names our blocks otherwise than they are cannot be true together with what is known here.
    async fn blocks_that_are_not_ours_make_a_document_invalid(db: Database) {
        let desk = Desk::open(&db, &apart(2)).await;
        let mut built = Builder::new(2);
        built.hire(grant(agent(1), agent(2), Under::Buyer(buyer()), START + 100));
        let elsewhere = agent(1).to_string().replace("0x8004A169FB4a3325136EB29fA0ceB6D2e539a432", "0x8004BAa17C55a88189AE136b182e5fdA19dE9b63");
        let mut other = span(7, START, None, "proven");
        (other.from.block, other.from.time) = (Some(REGISTERED), samples::time(REGISTERED));
        built.document.parties.push(Party { name: name(&elsewhere), as_of: None, wallets: vec![other], keys: vec![] });
        let told = judged(&desk, &built.document).await;
        assert_eq!((&told["standing"], &told["by_its_word"]), (&json!("invalid"), &json!("valid")));
        assert_eq!((&told["reason"]["kind"], &told["reason"]["hop"]), (&json!("contradiction"), &Value::Null));
        assert!(told["reason"]["why"].as_str().unwrap().contains("another hash"), "{told}");
    }

    /// What this service's own key signed is shown with when that key counts, as its ring has it now.
    async fn keys_of_this_service_are_told_as_they_count_now(db: Database) {
        let desk = Desk::open(&db, &apart(2)).await;
        let own = name("did:web:localhost%3A8004");
        let mut built = Builder::new(2);
        let mut hired = grant(agent(1), agent(2), Under::Buyer(buyer()), START + 100);
        let stated = Capability { issuer: own.clone(), ..capability(Child::Agent(agent(2)), 700_000, START + 60) };
        let typed = Record::Capability(Box::new(stated)).typed().unwrap();
        let held = desk.keys.held();
        let key = held.signer(time(CHECKED)).unwrap();
        let method = jwk_method(&own.to_string(), &key.public());
        let sealed = dsse::sign(PAYLOAD_TYPE, typed.canonical(), &method, key).to_string();
        hired.snapshots.child = Some(typed.digest());
        let (granted, _) = built.hire(hired);
        desk.take_all(&built).await;
        assert_eq!(desk.hop(granted).await["child_ppm"], Value::Null, "it has not come yet");
        desk.take(&sealed).await;
        assert_eq!(desk.hop(granted).await["child_ppm"], 700_000);
        let path = format!("/v1/delegations/{granted}/trace");
        let document = trace(&desk, &path).await;
        let party = document.parties.iter().find(|party| party.name == own).unwrap();
        assert_eq!((party.keys.len(), party.keys[0].method.as_str(), party.keys[0].to), (1, method.as_str(), None));
        let verdict = verify_trace(&document, time(CHECKED));
        assert_eq!((verdict.standing, verdict.hops[0].child_capability.map(|(_, ppm)| ppm)), (Standing::Valid, Some(700_000)));
        desk.store().revoke(&key.public().multibase(), Some(time(START + 10)), "a drill", &FixedClock(time(CHECKED))).unwrap();
        let records = Records { keys: desk.reopened(), ..desk.records() };
        let mut tx = db.begin_read().await.unwrap();
        let document = records.trace(&mut tx, granted, TracePart::Whole).await.unwrap();
        let verdict = verify_trace(&document, time(CHECKED));
        assert_eq!(verdict.standing, Standing::Invalid);
        assert!(verdict.reason().unwrap().why.contains("did not speak for did:web:localhost%3A8004"), "{:?}", verdict.reason());
    }

    /// A human participant judges, by a wallet that was linked: the link is told with the trace.
    async fn characters_sign_by_linked_wallets(db: Database) {
        let desk = Desk::open(&db, &apart(2)).await;
        let ada = name("did:web:localhost%3A8004:character:ada");
        let mut tx = db.begin_write().await.unwrap();
        let number = crate::storage::characters::create(&mut tx, "ada").await;
        let linked = Change { number: 2, time: time(START + 5) };
        let evidence = LinkEvidence { signed_by: SignedBy::Key, message: "text".to_owned(), signature: vec![1].into() };
        tx.link_wallet(number, account(9), linked, &evidence).await.unwrap();
        tx.commit().await.unwrap();
        let mut built = Builder::new(2);
        let asked = Grant { judges: vec![ada.clone()], ..grant(agent(1), agent(2), Under::Buyer(buyer()), START + 100) };
        let (granted, _) = built.hire(asked);
        let judged = hallmark::delegation::Verdict { issuer: ada.clone(), ..verdict(granted, START + 30_000) };
        let judged = built.sign_by(Record::Verdict(Box::new(judged)), 9);
        desk.take_all(&built).await;
        let document = trace(&desk, &format!("/v1/delegations/{judged}/trace")).await;
        let party = document.parties.iter().find(|party| party.name == ada).unwrap();
        assert_eq!((party.wallets[0].cause.as_str(), party.wallets[0].from.time), ("link", time(START + 5)));
        let verdict = verify_trace(&document, time(CHECKED));
        assert_eq!((verdict.reason(), verdict.standing), (None, Standing::Valid));
        assert_eq!(desk.report(judged).await["status"], "confirmed");
    }
}

/// A contract judges: its answer is told with the trace, so that nobody has to ask it again.
#[tokio::test]
async fn contracts_sign_and_their_answers_are_told() {
    let (fresh, anvil) = (Fresh::sqlite().await, Anvil::spawn().await);
    let desk = Desk::open(&fresh.database().await, &apart(2)).await;
    let source = RpcSource::new(Endpoint::parse(&anvil.http_url()).unwrap(), RpcOptions::default());
    let node = Provider { source: source.unwrap(), name: "node".to_owned(), role: Role::Both };
    let chain = ChainId(CHAIN_ID);
    let nodes = Providers::new(vec![node], ProvidersOptions::new(chain));
    let contracts = Some(Arc::new(ContractWallets::new(Arc::new(nodes), chain)));
    let records = Records { contracts, ..desk.records() };
    let keeper = crate::support::anvil::account("keeper");
    let address = contract_wallet_of(&anvil, keeper.address()).await;
    let contract = AccountId { chain, address };
    let mut built = Builder::new(2);
    let asked = grant(agent(1), agent(2), Under::Buyer(buyer()), START + 100);
    let (granted, _) = built.hire(Grant { judges: vec![Subject::Account(contract)], ..asked });
    desk.take_all(&built).await;
    let judged = hallmark::delegation::Verdict {
        issuer: Subject::Account(contract),
        ..verdict(granted, START + 30_000)
    };
    let record = Record::Verdict(Box::new(judged)).typed().unwrap();
    let scheme = Scheme::Eip712;
    let signature = keeper.sign_hash_sync(&signed_digest(scheme, &record, chain)).unwrap();
    let signature = signature.as_bytes().to_vec().into();
    let digest = record.digest();
    let statement = RecordStatement { scheme, account: contract, signature, record };
    let raw = statement.to_value().to_string().into_bytes();
    assert!(
        desk.records().check_delegation(raw.clone()).await.is_err(),
        "without a node nobody knows"
    );
    let checked = records.check_delegation(raw).await.unwrap();
    assert!(records.keep_delegation(&checked).await.unwrap().unwrap().is_new);
    let document = trace(&desk, &format!("/v1/delegations/{digest}/trace")).await;
    let answer = &document.answers[0];
    assert_eq!((document.answers.len(), answer.signed_by.as_str()), (1, "erc1271"));
    assert_eq!(answer.hash, anvil.block(answer.block).await.header.hash);
    assert_eq!(verify_trace(&document, time(CHECKED)).standing, Standing::Valid);
    assert_eq!(desk.report(digest).await["status"], "confirmed");
    let unanswered = TraceDocument { answers: vec![], ..document };
    assert_eq!(verify_trace(&unanswered, time(CHECKED)).standing, Standing::NeedsChain);
}
