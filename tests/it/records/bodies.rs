//! Bodies in which records come: how large, as what, cut off or ended by a line, and what is said where the answer takes too long.

use std::io;
use std::time::Duration;

use alloy::signers::SignerSync;
use axum::body::Body;
use axum::http::{Method, Request};
use hallmark::attest::jose::Typ;
use hallmark::attest::key::{KeyKind, PrivateKey};
use hallmark::attest::statement::{Scheme, text};
use hallmark::attest::{Attestation, credential, jose};
use hallmark::did::web::WebHost;
use serde_json::{Value, json};

use super::{Desk, account, agent, key, problem, record, signed, with};
use crate::storage::samples;
use crate::support::databases::{Fresh, on_both_engines};
use crate::support::service::{Reply, Service};

fn detail(reply: &Reply) -> String {
    reply.problem()["detail"].as_str().unwrap().to_owned()
}

/// A credential by a did:key, as a JWT, of a record about an account; with another id of its subject where one is given.
fn jwt(id: Option<&str>) -> (String, String) {
    let own = PrivateKey::from_bytes(KeyKind::Ed25519, &[9; 32]).unwrap();
    let did = format!("did:key:{}", own.public().multibase());
    let said = record(&did, &account("eight").to_string(), 30);
    let attestation = Attestation::from_value(said).unwrap();
    let host = WebHost::parse("a.example").unwrap();
    let mut unsigned = credential::of_attestation(&attestation, &did, &host, samples::time(30));
    let expected = unsigned["credentialSubject"]["id"].as_str().unwrap().to_owned();
    if let Some(id) = id {
        unsigned["credentialSubject"]["id"] = id.into();
    }
    let method = format!("{did}#{}", own.public().multibase());
    let payload = serde_json::to_vec(&unsigned).unwrap();
    (jose::sign(&own, &method, Typ::Of("vc+jwt"), &payload), expected)
}

on_both_engines! {
    /// Whatever writes a JWT to a file ends its line.
    async fn space_around_a_jwt_is_no_part_of_it(db: Database) {
        let desk = Desk::open(&db).await;
        let (jwt, _) = jwt(None);
        let reply = desk.post_as("application/vc+jwt", None, format!(" {jwt}\r\n")).await;
        assert_eq!(reply.status, 201, "{}", reply.text());
        let digest = reply.json()["digest"].as_str().unwrap().to_owned();
        let raw = desk.service.get(&format!("/v1/attestations/{digest}/envelope")).await;
        assert_eq!(raw.text(), jwt);
        assert_eq!(desk.post_as("application/vc+jwt", None, jwt).await.status, 200);
    }

    async fn the_subject_of_a_credential_is_the_uri_of_the_records(db: Database) {
        let desk = Desk::open(&db).await;
        let (wrong, expected) = jwt(Some(&account("eight").to_string()));
        assert_eq!(expected, format!("did:pkh:{}", account("eight")));
        let reply = desk.post_as("application/vc+jwt", None, wrong).await;
        assert_eq!(problem(&reply), (422, "not-verified".to_owned()));
        assert_eq!(detail(&reply), format!("`credentialSubject.id` is not that of the record: it must be `{expected}`"));
    }

    async fn what_is_too_large_is_told_by_how_much_may_come(db: Database) {
        let desk = Desk::open(&db).await;
        let large = desk.post_as("application/json", None, " ".repeat(70_000)).await;
        assert_eq!(problem(&large), (413, "body-too-large".to_owned()));
        assert_eq!(detail(&large), "the body is larger than 65536 bytes, the most that this service takes here (`request_body_max`)");
        // Many together may be larger than one.
        let line = |n: u64| signed(&with(record(&agent(7), &agent(8), 30), "round", n), "seven", Scheme::Eip712).to_string();
        let lines: Vec<_> = (0..200).map(line).collect();
        let lines = lines.join("\n");
        assert!(lines.len() > 70_000);
        let many = desk.post_as("application/x-ndjson", None, lines).await;
        let statuses: Vec<_> = many.json()["items"].as_array().unwrap().iter().map(|item| item["status"].clone()).collect();
        assert_eq!(statuses, vec![json!(201); 200]);
        let large = desk.post_as("application/x-ndjson", None, "\n".repeat((4 << 20) + 1)).await;
        assert_eq!(detail(&large), "the body is larger than 4194304 bytes, the most that this service takes here");
        let cut = futures_util::stream::iter([Ok("{"), Err(io::Error::other("gone"))]);
        let cut = desk.post_as("application/json", None, Body::from_stream(cut)).await;
        assert_eq!((cut.status, detail(&cut)), (400, "the body did not come whole".to_owned()));
    }

    async fn what_is_said_to_be_something_else_is_not_taken(db: Database) {
        let desk = Desk::open(&db).await;
        let body = signed(&record(&agent(7), &agent(8), 30), "seven", Scheme::Eip712).to_string();
        for (path, kind) in [
            ("/v1/attestations", "text/plain"),
            ("/v1/attestations", "application/x-www-form-urlencoded"),
            ("/v1/attestations", "multipart/form-data; boundary=a"),
            ("/v1/attestations/verify", "text/plain"),
            ("/v1/attestations/verify", "application/x-ndjson"),
            ("/v1/delegations", "text/plain"),
        ] {
            let request = Request::builder().method(Method::POST).uri(path).header("content-type", kind);
            let reply = desk.service.send(request.body(Body::from(body.clone())).unwrap()).await;
            assert_eq!(problem(&reply), (415, "unsupported-media-type".to_owned()), "{path} {kind}");
            assert!(detail(&reply).contains(&format!("`{kind}`: send an envelope with `content-type: application/json`")), "{}", detail(&reply));
        }
        assert_eq!(desk.service.ok("/v1/attestations").await["log_size"], 0);
        // Who says nothing of it means an envelope.
        let request = Request::builder().method(Method::POST).uri("/v1/attestations");
        assert_eq!(desk.service.send(request.body(Body::from(body.clone())).unwrap()).await.status, 201);
        for kind in ["Application/JSON; charset=utf-8", "application/vc", "application/vnd.dsse.envelope.v1+json"] {
            assert_eq!(desk.post_as(kind, None, body.clone()).await.status, 200, "{kind}");
        }
    }

    /// Wallets sign the time in one spelling, whichever the record has; who signed the record's own is told so.
    async fn a_time_that_is_written_otherwise_is_signed_in_one_way(db: Database) {
        let desk = Desk::open(&db).await;
        let time = samples::time(30);
        for (issued_at, told) in [
            (json!(format!("{}.000Z", time.to_string().trim_end_matches('Z'))), true),
            (json!(time.get()), true),
            (json!(time.to_string()), false),
        ] {
            let said = with(record(&agent(7), &agent(8), 30), "issuedAt", issued_at.clone());
            let attestation = Attestation::from_value(said.clone()).unwrap();
            for (scheme, signed_as) in [
                (Scheme::Eip191, format!("the text that is signed has it as `{time}`, in whole seconds of UTC")),
                (Scheme::Eip712, format!("the message that is signed has it as {}, in whole unix seconds", time.get())),
            ] {
                let mut own: Value = signed(&said, "seven", scheme);
                let good = own.clone();
                let spelt = text(&attestation, time, account("seven").chain).replace(&time.to_string(), &format!("{time} "));
                let signature = key("seven").sign_message_sync(spelt.as_bytes()).unwrap();
                own["signature"] = alloy::primitives::hex::encode_prefixed(signature.as_bytes()).into();
                let reply = desk.post(&own).await;
                assert_eq!(problem(&reply), (422, "not-verified".to_owned()));
                let hint = detail(&reply).contains(&signed_as);
                assert_eq!(hint, told, "{issued_at}: {}", detail(&reply));
                assert!(matches!(desk.post(&good).await.status, 200 | 201), "{issued_at}");
            }
        }
    }
}

/// Whoever gets no answer in time is told what that means for what it brought.
#[tokio::test]
async fn who_is_not_answered_in_time_is_told_what_to_do() {
    let fresh = Fresh::sqlite().await;
    let mut state = Desk::open(&fresh.database().await).await.state();
    state.limits.request_timeout = Duration::from_secs(1);
    let service = Service::new(state);
    let never = || Body::from_stream(futures_util::stream::pending::<io::Result<&str>>());
    for (path, told) in [
        (
            "/v1/attestations",
            "whether it was kept is not known: send the same again, which is kept once",
        ),
        ("/v1/characters", "whether it was done is not known: look before you ask for it again"),
        ("/v1/attestations/verify", "ask for a smaller page"),
    ] {
        let request = Request::builder().method(Method::POST).uri(path);
        let request = request.header("content-type", "application/json");
        let reply = service.send(request.body(never()).unwrap()).await;
        let expected = format!("the answer took longer than 1 s; {told}");
        assert_eq!((reply.status, detail(&reply)), (504, expected), "{path}");
    }
}
