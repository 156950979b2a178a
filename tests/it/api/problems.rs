//! What is refused, and that each refusal names what is wrong.

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};

use super::told::{self, ALICE, STRANGER};
use crate::support::databases::on_both_engines;
use crate::support::service::{Service, WIDE, state};
use crate::support::tale::{Tale, time};

fn detail(problem: &Value) -> &str {
    problem["detail"].as_str().unwrap()
}

on_both_engines! {
    /// Each parameter that cannot be understood is named, with what it was and what it may be.
    async fn parameters(db: Database) {
        let service = told::service(&db).await;
        let other = "eip155:8453:0x08591b838Bd745AFBafE27c254676A3C6Fafb159:22";
        let long = "9".repeat(5000);
        for (path, name, said) in [
            ("/v1/agents/x", "agent", "`x` is not an agent"),
            ("/v1/agents/-1", "agent", "`-1` is not an agent"),
            ("/v1/agents/1:22", "agent", "this service follows eip155:8453:0x8004A169"),
            (&format!("/v1/agents/{other}"), "agent", "is not followed here"),
            (&format!("/v1/agents/{long}/wallets"), "agent", "is not an agent"),
            ("/v1/agents/%ff", "path", "not UTF-8"),
            ("/v1/agents/0?at=", "at", "is no place in the chain"),
            ("/v1/agents/0?at=pending", "at", "`pending` is no place in the chain"),
            ("/v1/agents/0?at=block:-1", "at", "`block:-1`"),
            ("/v1/agents/0?at=block:1e3", "at", "`block:1e3`"),
            ("/v1/agents/0?at=time:yesterday", "at", "`yesterday` is not a time"),
            ("/v1/agents/0?at=time:2026-13-01T00:00:00Z", "at", "is not a time"),
            ("/v1/agents/0?att=block:5", "att", "unknown parameter `att`"),
            ("/v1/agents/0?at=safe&at=latest", "at", "duplicate parameter `at`"),
            ("/v1/attestations?gane=a", "gane", "unknown parameter `gane`"),
            ("/v1/attestations?game=a&game=b", "game", "duplicate parameter `game`"),
            ("/v1/streams/attestation.raw?limit=5", "limit", "unknown parameter `limit`"),
            ("/v1/agents/0/wallets?at=safe", "at", "unknown parameter `at`"),
            ("/v1/agents/0/wallets?limit=0", "limit", "`0` is not a number from 1 to 500"),
            ("/v1/agents/0/wallets?limit=501", "limit", "`501`"),
            ("/v1/agents/0/wallets?limit=ten", "limit", "`ten`"),
            ("/v1/agents/0/wallets?cursor=zz", "cursor", "`zz` is no cursor of this list"),
            ("/v1/agents/0/events?cursor=", "cursor", "is no cursor"),
            ("/v1/agents?owner=alice", "owner", "`alice` is not an account"),
            ("/v1/agents?wallet=0x12", "wallet", "`0x12` is not an account"),
            (&format!("/v1/agents?owner=eip155:1:{ALICE}"), "owner", "this service follows eip155:8453"),
            ("/v1/wallets/0x12/agents", "account", "`0x12` is not an account"),
            (&format!("/v1/wallets/did:pkh:eip155:1:{ALICE}/agents"), "account", "another chain"),
            (&format!("/v1/wallets/{ALICE}/agents?history=yes"), "history", "`yes`"),
            (&format!("/v1/wallets/{ALICE}/agents?history=true&at=safe"), "at", "leave `at` out"),
            ("/v1/undecoded?registry=other", "registry", "`other` is no registry"),
        ] {
            let problem = service.problem(path, 400).await;
            assert_eq!(problem["type"], "/problems/bad-parameter", "{path}");
            assert_eq!(problem["parameter"], name, "{path}: {problem}");
            assert!(detail(&problem).contains(said), "{path}: {problem}");
            assert!(detail(&problem).len() < 1000 && problem["instance"].as_str().unwrap().len() < 1000);
        }
    }

    /// A cursor belongs to its list.
    async fn cursors_of_other_lists(db: Database) {
        let service = told::service(&db).await;
        let next = service.ok("/v1/agents/0/wallets?limit=1").await["next"].clone();
        let next = next.as_str().unwrap();
        for list in ["owners", "uris", "metadata", "operators", "events", "feedback", "validations"] {
            let path = format!("/v1/agents/0/{list}?cursor={next}");
            assert_eq!(service.problem(&path, 400).await["parameter"], "cursor", "{list}");
        }
    }

    /// What lies ahead is not guessed at: the answer says how far the chain is and how far we are.
    async fn not_indexed_yet(db: Database) {
        let service = told::service(&db).await;
        for (path, asked) in [
            ("/v1/agents/0?at=block:17", "block 17"),
            ("/v1/agents/0?at=block:18446744073709551615", "block 18446744073709551615"),
            (&format!("/v1/agents/0?at=time:{}", time(16).get() + 1), "time 2026"),
            (&format!("/v1/wallets/{ALICE}/agents?at=block:17"), "block 17"),
            ("/v1/agents?at=time:9999-01-01T00:00:00Z", "time 9999"),
        ] {
            let problem = service.problem(path, 409).await;
            assert_eq!(problem["type"], "/problems/not-indexed-yet", "{path}");
            assert!(detail(&problem).starts_with(asked), "{path}: {problem}");
            assert_eq!(problem["indexed"]["number"], 16);
            assert_eq!(problem["head"]["number"], 18);
            assert!(problem["head"]["hash"].is_string() && problem["head"]["time"].is_string());
        }
        let body = json!({ "accounts": [ALICE.to_string()], "at": "block:17" }).to_string();
        let reply = service.post("/v1/wallets/lookup", body).await;
        assert_eq!((reply.status, &reply.problem()["type"]), (409, &json!("/problems/not-indexed-yet")));
    }

    /// A node that names no safe block is not taken to have named one.
    async fn no_such_tag(db: Database) {
        let mut tale = Tale::new(&db).await;
        tale.block().await;
        let service = Service::new(state(&db, time(20)));
        for tag in ["safe", "finalized"] {
            let problem = service.problem(&format!("/v1/agents?at={tag}"), 409).await;
            assert_eq!(problem["type"], "/problems/no-such-tag");
            assert!(detail(&problem).contains(tag));
        }
        assert_eq!(service.ok("/v1/agents").await["as_of"]["finality"], "latest");
    }

    /// What does not exist: agents, paths, methods.
    async fn what_does_not_exist(db: Database) {
        let service = told::service(&db).await;
        let huge = alloy::primitives::U256::MAX.to_string();
        for path in ["/v1/agents/2", &format!("/v1/agents/{huge}"), "/v1/agents/2/wallets", "/v1/agents/2/feedback"] {
            let problem = service.problem(path, 404).await;
            assert_eq!(problem["type"], "/problems/no-such-agent", "{path}");
            assert_eq!(problem["instance"], path);
        }
        for path in ["/", "/v1", "/v1/agents/", "/v1/agents/0/", "/v1/agents/0/nothing", "/v1/agents/0%2Fwallets/x"] {
            assert_eq!(service.problem(path, 404).await["type"], "/problems/no-such-path", "{path}");
        }
        let reply = service.post("/v1/agents", "{}").await;
        assert_eq!((reply.status, reply.header("allow")), (405, "GET,HEAD"));
        assert_eq!(reply.problem()["type"], "/problems/method-not-allowed");
        let reply = service.get("/v1/wallets/lookup").await;
        assert_eq!((reply.status, reply.header("allow")), (405, "POST"));
    }

    /// A body that says nothing, or not what it must.
    async fn bodies(db: Database) {
        let service = told::service(&db).await;
        let account = ALICE.to_string();
        let many = json!({ "accounts": vec![&account; 501] }).to_string();
        let deep = format!("{{\"accounts\":{}", "[".repeat(10_000));
        let other = json!({ "accounts": [account, format!("eip155:1:{STRANGER}")] }).to_string();
        for (body, status, field, said) in [
            ("", 400, json!(null), "EOF"),
            ("{", 400, json!(null), "EOF"),
            (&deep, 422, json!("accounts[0]"), "expected a string"),
            ("[]", 422, json!(null), "expected"),
            ("{}", 422, json!("accounts"), "missing field `accounts`"),
            (r#"{"accounts":5}"#, 422, json!("accounts"), "expected a sequence"),
            (r#"{"accounts":["0x12"]}"#, 422, json!("accounts[0]"), "`0x12` is not an account"),
            (r#"{"accounts":[5]}"#, 422, json!("accounts[0]"), "expected a string"),
            (&other, 422, json!("accounts[1]"), "another chain"),
            (&many, 422, json!("accounts"), "501 accounts are more than the 500"),
            (r#"{"accounts":[],"at":"soon"}"#, 422, json!("at"), "`soon` is no place"),
            (r#"{"accounts":[],"when":"soon"}"#, 422, json!("when"), "unknown field `when`"),
        ] {
            let reply = service.post("/v1/wallets/lookup", body.to_owned()).await;
            let shown: String = body.chars().take(60).collect();
            assert_eq!(reply.status, status, "{shown}: {}", reply.text());
            let problem = reply.problem();
            assert_eq!(problem["type"], "/problems/bad-body", "{shown}");
            assert_eq!(problem["field"], field, "{shown}: {problem}");
            assert!(detail(&problem).contains(said), "{shown}: {problem}");
        }
        let plain = Request::post("/v1/wallets/lookup").header("content-type", "text/plain");
        let reply = service.send(plain.body(Body::from("{}")).unwrap()).await;
        assert_eq!((reply.status, &reply.problem()["type"]), (415, &json!("/problems/unsupported-media-type")));
        let large = format!("{{\"accounts\":[{}]}}", " ".repeat(WIDE.request_body_max));
        let reply = service.post("/v1/wallets/lookup", large).await;
        assert_eq!((reply.status, &reply.problem()["type"]), (413, &json!("/problems/body-too-large")));
    }

    /// What failed inside is not told to strangers.
    async fn failures_inside(fresh: Fresh) {
        let database = fresh.database().await;
        let service = told::service(&database).await;
        fresh.execute("UPDATE span SET cause = 'nonsense' WHERE kind = 'wallet'").await;
        let reply = service.get("/v1/agents/1").await;
        assert_eq!(reply.status, 500);
        let problem = reply.problem();
        assert_eq!(problem["type"], "/problems/internal");
        assert!(!reply.text().contains("span") && !reply.text().contains("nonsense"), "{problem}");
        assert!(!reply.header("x-request-id").is_empty());
    }
}
