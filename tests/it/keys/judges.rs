//! Other people's verifiers check what is signed here, and what they sign is checked here.

use hallmark::attest::jose::{self, JoseError, Jws, Typ};
use hallmark::attest::key::{KeyKind, PrivateKey};
use hallmark::did::key::PublicKey;
use hallmark::did::web::WebHost;
use serde_json::{Value, json};

use super::{Keys, clock};
use crate::support::databases::Fresh;
use crate::support::node::judge;
use crate::support::service::state;
use crate::support::tls::Door;

const VC: Typ = Typ::Of("vc+jwt");

#[tokio::test(flavor = "multi_thread")]
async fn others_follow_the_link_from_the_domain_to_the_key() {
    let fresh = Fresh::sqlite().await;
    let database = fresh.database().await;
    for kind in KeyKind::ALL {
        let (door, keys) = (Door::open().await, Keys::new());
        // Verifiers look at the clock.
        let now = hallmark::app::Clock::now(&hallmark::app::SystemClock);
        keys.store().add(kind, &clock(0)).unwrap();
        let mut settings = state(&database, now);
        keys.give(&mut settings, now);
        let authority = format!("localhost:{}", door.port);
        settings.documents.host = WebHost::parse(&authority).unwrap();
        let secured = door.serve(hallmark::api::router(settings)).await;
        let (asked, trusted) =
            (json!([{ "origin": format!("https://{authority}") }]), secured.authority());
        let judged = move || judge("keys", &asked, Some(&trusted));
        let found = tokio::task::spawn_blocking(judged).await.unwrap()[0].clone();
        let did = format!("did:web:localhost%3A{}", authority.split_once(':').unwrap().1);
        assert_eq!(found["did"], did);
        assert_eq!(found["kid"], format!("{did}#{}", found["thumbprint"].as_str().unwrap()));
        assert_eq!(
            found["subject"],
            json!({ "id": did, "origin": format!("https://{authority}") })
        );
        assert_eq!(found["endpoints"], json!([format!("https://{authority}/")]));
        assert_eq!(found["same"], true, "two resolvers read one document");
        let multikey = if kind == KeyKind::Ed25519 { json!(true) } else { Value::Null };
        assert_eq!(found["multikey"], multikey);
        for (part, members) in [
            ("resource", vec!["@context", "linked_dids"]),
            ("header", vec!["alg", "kid"]),
            ("payload", vec!["exp", "iss", "nbf", "sub", "vc"]),
        ] {
            assert_eq!(found[part], json!(members), "{part}");
        }
    }
    database.close().await;
}

#[test]
fn others_verify_what_is_signed_here_and_nothing_else() {
    let payload = "{\"said\":\"é\"}";
    let mut asked = Vec::new();
    for kind in KeyKind::ALL {
        let key = PrivateKey::from_bytes(kind, &[7; 32]).unwrap();
        let other = PrivateKey::from_bytes(kind, &[8; 32]).unwrap();
        let jws = jose::sign(&key, "did:web:a.example#b", VC, payload.as_bytes());
        let mut wrong = jws.clone();
        let at = wrong.rfind('.').unwrap() + 10;
        let sign = if wrong.as_bytes()[at] == b'A' { "B" } else { "A" };
        wrong.replace_range(at..=at, sign);
        asked.push(json!({ "jws": jws, "jwk": key.public().jwk() }));
        asked.push(json!({ "jws": jws, "jwk": other.public().jwk() }));
        asked.push(json!({ "jws": wrong, "jwk": key.public().jwk() }));
    }
    let answers = judge("keys", &json!(asked), None);
    for (answers, alg) in answers.as_array().unwrap().chunks(3).zip(["EdDSA", "ES256"]) {
        assert_eq!(answers[0]["payload"], payload, "{alg}");
        let header = json!({ "alg": alg, "typ": "vc+jwt", "kid": "did:web:a.example#b" });
        assert_eq!(answers[0]["header"], header);
        assert!(answers[1]["refused"].is_string() && answers[2]["refused"].is_string(), "{alg}");
    }
}

#[test]
fn what_others_sign_is_verified_here() {
    let algorithms = ["EdDSA", "Ed25519", "ES256", "ES256K"];
    let asked: Vec<_> =
        algorithms.map(|alg| json!({ "sign": alg, "payload": "{\"said\":1}" })).into();
    let answers = judge("keys", &json!(asked), None);
    for (answer, alg) in answers.as_array().unwrap().iter().zip(algorithms) {
        let key = PublicKey::from_jwk(&answer["jwk"]).unwrap();
        assert_eq!(key.thumbprint(), answer["thumbprint"].as_str().unwrap(), "{alg}");
        let read = Jws::read(answer["jws"].as_str().unwrap()).unwrap();
        assert_eq!(read.kid(), Some("theirs"));
        assert_eq!(read.verify(&key, VC).unwrap(), b"{\"said\":1}", "{alg}");
        let other = PublicKey::from_jwk(&answers[0]["jwk"]).unwrap();
        let refused = read.verify(&other, VC);
        if key == other {
            assert!(refused.is_ok());
        } else {
            assert!(
                matches!(refused, Err(JoseError::BadSignature | JoseError::OtherKey { .. })),
                "{alg}"
            );
        }
    }
}
