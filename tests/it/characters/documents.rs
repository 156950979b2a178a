//! What is served of a character, and of which moment.

use axum::http::Method;
use serde_json::{Value, json};

use super::{Desk, NOW, account_of};
use crate::support::anvil::account;
use crate::support::databases::on_both_engines;

const DID: &str = "did:web:localhost%3A8004:character:ada";

/// A resolution that finds something.
async fn resolved(desk: &Desk, query: &str) -> Value {
    let reply = desk.service.get(&format!("/1.0/identifiers/{DID}{query}")).await;
    assert_eq!(reply.status, 200, "{query}: {}", reply.text());
    reply.json()
}

/// The code of a resolution that does not, and its status.
async fn refused(desk: &Desk, did: &str, query: &str) -> (u16, String) {
    let reply = desk.service.get(&format!("/1.0/identifiers/{did}{query}")).await;
    let result = reply.json();
    assert_eq!(result["didDocument"], Value::Null);
    let code = result["didResolutionMetadata"]["error"]["type"].as_str().unwrap_or_default();
    (reply.status, code.replace("https://www.w3.org/ns/did#", ""))
}

fn at(seconds: u64) -> String {
    hallmark::vocab::UnixSeconds::new(NOW + seconds).unwrap().to_string()
}

/// Created at 0, `one` linked at 100, `two` at 200, `one` taken away at 300, removed at 400.
async fn lived(desk: &Desk) {
    let token = desk.create("ada").await;
    let (one, two) = (account("one"), account("two"));
    desk.wait(100);
    desk.link("ada", &token, &one).await;
    desk.wait(100);
    desk.link("ada", &token, &two).await;
    desk.wait(100);
    let path = format!("/v1/characters/ada/wallets/{}", account_of(&one));
    assert_eq!(desk.delete(&path, Some(&token)).await.status, 200);
    desk.wait(100);
    assert_eq!(desk.delete("/v1/characters/ada", Some(&token)).await.status, 200);
    desk.wait(1);
}

on_both_engines! {
    /// The document of every time and of every version, with the metadata of DID Resolution; no block is needed for it.
    async fn every_moment_of_a_life(db: Database) {
        let desk = Desk::open(&db);
        lived(&desk).await;
        let (one, two) = (account_of(&account("one")), account_of(&account("two")));
        let wallets: [&[&str]; 4] = [&[], &[&one], &[&one, &two], &[&two]];
        let mut ids: Vec<String> = Vec::new();
        for (number, wallets) in (0..).zip(wallets) {
            for (seconds, is_first) in [(100 * number, true), (100 * number + 99, false)] {
                let found = resolved(&desk, &format!("?versionTime={}", at(seconds))).await;
                let (document, metadata) = (&found["didDocument"], &found["didDocumentMetadata"]);
                assert_eq!(document["id"], DID);
                let accounts: Vec<_> = wallets.iter().map(|account| format!("did:pkh:{account}")).collect();
                assert_eq!(document["alsoKnownAs"].as_array().map_or(0, Vec::len), wallets.len());
                if !accounts.is_empty() {
                    assert_eq!(document["alsoKnownAs"], json!(accounts));
                    let methods: Vec<_> = wallets.iter().map(|account| format!("{DID}#{account}")).collect();
                    assert_eq!((&document["authentication"], &document["assertionMethod"]), (&json!(methods), &json!(methods)));
                }
                assert_eq!(metadata["created"], at(0));
                assert_eq!(metadata["updated"], if number > 0 { json!(at(100 * number)) } else { Value::Null });
                assert_eq!(metadata["nextUpdate"], at(100 * (number + 1)));
                assert_eq!(metadata["hallmark"], json!({ "character": "ada", "change": number + 1, "wallets": wallets }));
                let id = metadata["versionId"].as_str().unwrap().to_owned();
                let by_id = resolved(&desk, &format!("?versionId={id}")).await;
                assert_eq!(by_id, found, "an id names what its time names");
                if is_first {
                    ids.push(id);
                } else {
                    assert_eq!(ids.last(), Some(&id));
                }
            }
            let next = resolved(&desk, &format!("?versionId={}", ids.last().unwrap())).await["didDocumentMetadata"]["nextVersionId"].clone();
            assert!(next.as_str().unwrap().starts_with(&format!("{}-0x", number + 2)), "{next}");
        }
        // The last version is that of its end.
        for query in [String::new(), format!("?versionTime={}", at(400)), "?at=latest".to_owned()] {
            let reply = desk.service.get(&format!("/1.0/identifiers/{DID}{query}")).await;
            assert_eq!(reply.status, 410, "{}", reply.text());
            let metadata = reply.json()["didDocumentMetadata"].clone();
            assert_eq!((&metadata["deactivated"], &metadata["updated"]), (&json!(true), &json!(at(400))));
            assert_eq!(metadata["nextUpdate"], Value::Null);
        }
    }

    /// Of a second that is not over nothing is said, so that what is said of a second stays: a change may still come in it.
    async fn a_second_is_answered_for_once_it_is_over(db: Database) {
        let desk = Desk::open(&db);
        desk.wait(100);
        let token = desk.create("ada").await;
        desk.link("ada", &token, &account("one")).await;
        let link = format!("/1.0/identifiers/{DID}?versionTime={}", at(100));
        for query in [at(100), at(101), "9999-01-01T00:00:00Z".to_owned(), "9999-12-31T23:59:59Z".to_owned()] {
            let problem = desk.service.problem(&format!("/1.0/identifiers/{DID}?versionTime={query}"), 409).await;
            assert_eq!((&problem["type"], &problem["now"]), (&json!("/problems/not-indexed-yet"), &json!(at(100))), "{query}");
        }
        // The same second brings another change.
        desk.link("ada", &token, &account("two")).await;
        desk.wait(1);
        let first = desk.service.get(&link).await;
        assert_eq!(first.json()["didDocumentMetadata"]["hallmark"]["change"], 3);
        let path = format!("/v1/characters/ada/wallets/{}", account_of(&account("two")));
        assert_eq!(desk.delete(&path, Some(&token)).await.status, 200);
        assert_eq!(desk.service.get(&link).await.json()["didDocument"], first.json()["didDocument"]);
    }

    /// Times and versions that never were, other people's handles, and what a record has nothing to do with.
    async fn what_is_not_resolved(db: Database) {
        let desk = Desk::open(&db);
        desk.create("ada").await;
        let hash = "0".repeat(64);
        for (did, query, status, code) in [
            (DID, "?versionTime=0000-01-01T00:00:00Z".to_owned(), 404, "NOT_FOUND"),
            (DID, "?versionTime=9999-12-32T00:00:00Z".to_owned(), 400, "INVALID_OPTIONS"),
            (DID, "?versionTime=2026-01-01T00:00:00Z".to_owned(), 404, "NOT_FOUND"),
            (DID, "?versionId=1".to_owned(), 404, "NOT_FOUND"),
            (DID, format!("?versionId=1-0x{hash}"), 404, "NOT_FOUND"),
            (DID, format!("?versionId=2-0x{hash}"), 404, "NOT_FOUND"),
            (DID, "?at=block:7".to_owned(), 501, "FEATURE_NOT_SUPPORTED"),
            (DID, "?at=finalized".to_owned(), 501, "FEATURE_NOT_SUPPORTED"),
            ("did:web:localhost%3A8004:character:Ada", String::new(), 404, "NOT_FOUND"),
            ("did:web:localhost%3A8004:character:eve", String::new(), 404, "NOT_FOUND"),
            ("did:web:localhost%3A8004:character:%61da", String::new(), 404, "NOT_FOUND"),
            ("did:web:localhost%3A8004:character", String::new(), 404, "NOT_FOUND"),
            ("did:web:localhost%3A8004:character:ada:x", String::new(), 404, "NOT_FOUND"),
            ("did:web:localhost%3A8004:character:%2e%2e", String::new(), 400, "INVALID_DID"),
            ("did:web:localhost%3A8004:character:ada%00", String::new(), 400, "INVALID_DID"),
        ] {
            assert_eq!(refused(&desk, did, &query).await, (status, code.to_owned()), "{did}{query}");
        }
        // What is said of a version is of the record, and of no chain; what is said of a length is of the DID.
        let detail = async |path: String| {
            let reply = desk.service.get(&format!("/1.0/identifiers/{path}")).await.json();
            reply["didResolutionMetadata"]["error"]["detail"].as_str().unwrap().to_owned()
        };
        for id in ["1".to_owned(), format!("2-0x{hash}")] {
            let said = detail(format!("{DID}?versionId={id}")).await;
            assert!(said.contains("a change of the record") && !said.contains("chain"), "{said}");
        }
        let said = detail(format!("did:web:localhost%3A8004:character:{}", "a".repeat(10_000))).await;
        assert_eq!(said, "the DID has 10035 bytes; at most 2048 are read");
        for path in ["/character/%61da%2f..", "/character/../did.json", "/character/a/did.json", "/character/ada%00/did.json", "/character/%d0%b0da/did.json", "/character/ada/did.jsonld"] {
            let problem = desk.service.problem(path, 404).await;
            assert_eq!(problem["type"], "/problems/no-such-path", "{path}");
        }
    }

    /// The document has a tag, is open to every origin, and is the one that a resolution gives.
    async fn at_its_path(db: Database) {
        let desk = Desk::open(&db);
        let token = desk.create("ada").await;
        let before = desk.service.get("/character/ada/did.json").await;
        assert!(!before.header("etag").is_empty());
        assert_eq!((before.header("cache-control"), before.header("access-control-allow-origin")), ("no-cache", "*"));
        desk.link("ada", &token, &account("one")).await;
        let after = desk.service.get("/character/ada/did.json").await;
        assert_ne!(before.header("etag"), after.header("etag"));
        assert_eq!(after.json(), resolved(&desk, "").await["didDocument"]);
        let head = desk.ask(Method::HEAD, "/character/ada/did.json", None, &Value::Null).await;
        assert_eq!((head.status, head.body.len(), head.header("etag")), (200, 0, after.header("etag")));
        let other = resolved(&desk, "").await;
        let upper = desk.service.get("/1.0/identifiers/did:web:LOCALHOST%3A8004:character:ada").await.json();
        assert_eq!(upper["didDocumentMetadata"]["canonicalId"], DID);
        assert_eq!(upper["didDocumentMetadata"]["versionId"], other["didDocumentMetadata"]["versionId"]);
    }
}
