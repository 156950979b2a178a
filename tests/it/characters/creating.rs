//! Who may create a character, under which handle, and that no secret is kept.

use axum::http::Method;
use serde_json::{Value, json};

use super::{Desk, OPERATOR, problem};
use crate::support::databases::{Fresh, on_both_engines};
use crate::support::dump;

on_both_engines! {
    /// The operator creates; the answer has what its owner needs, and is not to be kept by anybody on the way.
    async fn by_the_operator(db: Database) {
        let desk = Desk::open(&db);
        let reply = desk.post("/v1/characters", Some(OPERATOR), json!({ "handle": "Ada_1" })).await;
        assert_eq!((reply.status, reply.header("cache-control")), (201, "no-store"));
        let created = reply.json();
        assert_eq!(created["did"], "did:web:localhost%3A8004:character:Ada_1");
        assert_eq!((&created["handle"], &created["created"]), (&json!("Ada_1"), &json!("2026-05-28T20:26:40Z")));
        assert!(created["token"].as_str().unwrap().starts_with("hmc_"));
        let document = desk.service.get("/character/Ada_1/did.json").await;
        assert_eq!((document.status, document.header("content-type")), (200, "application/did+json"));
        assert_eq!(document.json()["id"], created["did"]);
        let other = desk.service.problem("/character/ada_1/did.json", 404).await;
        assert_eq!(other["type"], "/problems/no-such-character", "a DID has one spelling");

        for (token, status, kind) in [
            (None, 401, "no-token"), (Some("wrong"), 403, "wrong-token"), (Some(&OPERATOR[1..]), 403, "wrong-token"),
            (created["token"].as_str(), 403, "wrong-token"),
        ] {
            let reply = desk.post("/v1/characters", token, json!({ "handle": "bob" })).await;
            assert_eq!(problem(&reply), (status, kind.to_owned()));
            assert_eq!(reply.header("www-authenticate"), if status == 401 { "Bearer" } else { "" });
        }
        let without = Desk::with(&db, |state| state.operator = None);
        let reply = without.post("/v1/characters", Some(OPERATOR), json!({ "handle": "bob" })).await;
        assert_eq!(problem(&reply), (403, "wrong-token".to_owned()));
        assert!(reply.text().contains("operator_token"));
    }

    /// A handle is plain, is not the service's own, and is given once, whatever its letter case.
    async fn handles(db: Database) {
        let desk = Desk::open(&db);
        let create = async |handle: Value| desk.post("/v1/characters", Some(OPERATOR), json!({ "handle": handle })).await;
        for handle in [
            "", "ab", "abcdefghijklmnopqrstu", "a b", "a.b.c", "..", "a/b", "%61da", "ada\0", "ada\n",
            "\u{430}da", "ad\u{e0}", "\u{ff21}da", "a\u{301}da", "a\u{200d}da", "ada\u{202e}", "\u{1f600}\u{1f600}\u{1f600}",
        ] {
            let reply = create(json!(handle)).await;
            assert_eq!(problem(&reply), (422, "bad-body".to_owned()), "{handle:?}");
            assert_eq!(reply.json()["field"], "handle", "{handle:?}");
        }
        for wrong in [json!(null), json!(7), json!(["ada"])] {
            assert_eq!(create(wrong).await.status, 422);
        }
        for body in [json!([]), json!(["ada"]), json!(["ada", null]), json!("ada"), json!(7), json!(null)] {
            let reply = desk.post("/v1/characters", Some(OPERATOR), body.clone()).await;
            assert_eq!(problem(&reply), (422, "bad-body".to_owned()), "{body}");
            assert!(reply.text().contains("expected a JSON object"), "{}", reply.text());
        }
        for handle in ["admin", "Hallmark", "well-known", "_root_", "DID", "admins", "supp0rt", "0perator", "HaIlmark"] {
            assert_eq!(problem(&create(json!(handle)).await), (422, "handle-reserved".to_owned()), "{handle}");
        }
        assert_eq!(create(json!("Ada")).await.status, 201);
        for handle in ["Ada", "ada", "ADA"] {
            assert_eq!(problem(&create(json!(handle)).await), (409, "handle-taken".to_owned()), "{handle}");
        }
        let reply = desk.post("/v1/characters", Some(OPERATOR), json!({ "handle": "bob", "x": 1 })).await;
        assert_eq!(reply.status, 422, "a member that is not known is refused");
    }

    /// Two ask for one handle at the same time: one gets it.
    async fn at_the_same_time(db: Database) {
        let desk = Desk::open(&db);
        let body = || json!({ "handle": "ada" });
        let asked = (0..8).map(|_| desk.post("/v1/characters", Some(OPERATOR), body()));
        let replies = futures_util::future::join_all(asked).await;
        assert_eq!(replies.iter().filter(|reply| reply.status == 201).count(), 1);
        assert_eq!(replies.iter().filter(|reply| reply.status == 409).count(), 7);
    }

    /// An invitation creates one character, for a while.
    async fn by_invitation(db: Database) {
        let desk = Desk::open(&db);
        let refused = desk.post("/v1/invitations", None, json!({})).await;
        assert_eq!(problem(&refused), (401, "no-token".to_owned()));
        for (body, field) in [(json!({ "count": 0 }), "count"), (json!({ "count": 1001 }), "count"), (json!({ "valid_s": 0 }), "valid_s")] {
            let reply = desk.post("/v1/invitations", Some(OPERATOR), body).await;
            assert_eq!((reply.status, &reply.json()["field"]), (422, &json!(field)));
        }
        let made = desk.post("/v1/invitations", Some(OPERATOR), json!({ "count": 3, "valid_s": 60 })).await;
        assert_eq!((made.status, made.header("cache-control")), (201, "no-store"));
        let made = made.json()["invitations"].clone();
        let create = async |handle: &str, invitation: &Value| {
            desk.post("/v1/characters", None, json!({ "handle": handle, "invitation": invitation })).await
        };
        // A handle that is refused does not use the invitation up.
        assert_eq!(create("admin", &made[0]).await.status, 422);
        assert_eq!(create("ada", &made[0]).await.status, 201);
        let again = create("bob", &made[0]).await;
        assert_eq!(problem(&again), (403, "invitation-refused".to_owned()));
        assert!(again.text().contains("used already"), "{}", again.text());
        assert_eq!(problem(&create("ada", &made[1]).await), (409, "handle-taken".to_owned()));
        desk.wait(59);
        assert_eq!(create("bob", &made[1]).await.status, 201);
        desk.wait(1);
        let late = create("eve", &made[2]).await;
        assert_eq!(problem(&late), (403, "invitation-refused".to_owned()));
        assert!(late.text().contains("expired"), "{}", late.text());
        assert_eq!(create("eve", &json!("hmi_made_up")).await.status, 403);
        let both = desk.post("/v1/characters", Some(OPERATOR), json!({ "handle": "eve", "invitation": "hmi_x" })).await;
        assert_eq!(both.status, 403, "an invitation that is shown is the one that counts");
    }

    /// No token and no invitation is anywhere in the database.
    async fn nothing_secret_is_kept(fresh: Fresh) {
        let db = fresh.database().await;
        let desk = Desk::open(&db);
        let token = desk.create("ada").await;
        let made = desk.post("/v1/invitations", Some(OPERATOR), json!({})).await.json();
        let invitation = made["invitations"][0].as_str().unwrap();
        let tables = format!("{:?}", dump::dump(fresh.url()).await);
        assert!(tables.contains("ada"), "{tables}");
        for secret in [token.as_str(), invitation, OPERATOR] {
            let digits = secret.split_once('_').map_or(secret, |(_, digits)| digits);
            assert!(!tables.contains(digits), "{secret}");
        }
    }
}

/// Without the operator's token the way to create is closed to a browser of another origin as to anybody; it may try.
#[tokio::test]
async fn other_origins_may_ask_and_are_refused() {
    let fresh = Fresh::sqlite().await;
    let desk = Desk::open(&fresh.database().await);
    let asked = desk.ask(Method::OPTIONS, "/v1/characters", None, &Value::Null).await;
    assert!(asked.header("access-control-allow-headers").contains("authorization"));
    assert!(asked.header("access-control-allow-methods").contains("DELETE"));
    let reply = desk.post("/v1/characters", None, json!({ "handle": "ada" })).await;
    assert_eq!((reply.status, reply.header("access-control-allow-origin")), (401, "*"));
}
