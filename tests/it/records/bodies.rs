//! Bodies in which records come, and what is said of those that are nearly right.

use alloy::signers::SignerSync;
use hallmark::attest::jose::Typ;
use hallmark::attest::key::{KeyKind, PrivateKey};
use hallmark::attest::statement::{Scheme, text};
use hallmark::attest::{Attestation, credential, jose};
use hallmark::did::web::WebHost;
use serde_json::{Value, json};

use super::{Desk, account, agent, key, problem, record, signed, with};
use crate::storage::samples;
use crate::support::databases::on_both_engines;
use crate::support::service::Reply;

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
