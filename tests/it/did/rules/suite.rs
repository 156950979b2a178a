//! What the W3C's test suite for resolvers looks at, in the order in which it looks.

use serde_json::Value;

use super::ground::{
    AGENT, BURNT, Ground, KEYS, MISSING, RESULT, SERVICE, URL_RESULT, account, encoded, version,
};
use super::{Chapter, Rule, rules};

/// The DIDs that an operator would name to the suite.
fn valid(ground: &Ground) -> [String; 5] {
    [AGENT, SERVICE, &account(), KEYS[0], &ground.elsewhere.did("good")].map(str::to_owned)
}

/// DID URLs that name parts of documents, or their versions.
fn urls() -> [String; 3] {
    [
        format!("{}#blockchainAccountId", account()),
        format!("{}#{}", KEYS[0], &KEYS[0][8..]),
        format!("{AGENT}?versionId={}", version(10)),
    ]
}

/// A whole result as the suite knows one.
fn check_result(result: &Value) {
    assert!(
        result["didResolutionMetadata"].is_object() && result["didDocumentMetadata"].is_object()
    );
    assert!(result["didDocument"]["id"].is_string());
}

/// A failed one.
fn check_failure(result: &Value, code: &str) {
    assert_eq!(
        result["didResolutionMetadata"]["error"]["type"],
        format!("https://www.w3.org/ns/did#{code}")
    );
    assert!(result.get("didDocument").is_some_and(Value::is_null));
    assert!(result["didDocumentMetadata"].is_object());
}

pub(super) const CHAPTER: Chapter = Chapter {
    title: "The W3C's test suite for resolvers",
    text: "[w3c/did-resolution-test-suite](https://github.com/w3c/did-resolution-test-suite), its file on bindings; what it asserts, not its code.",
    anchors: "",
    besides: &[
        "The suite itself runs on Node against an endpoint with TLS, and fetches its own dependencies from repositories; it was not run here.",
    ],
    rules: rules! {
        "GET" "GET of a valid DID succeeds" => |g| {
            for did in valid(g) {
                assert!(g.ask(&did, RESULT).await.status < 300, "{did}");
            }
        }
        "GET" "with `application/did-resolution` the body is a resolution result, and the status is 200" => |g| {
            for did in valid(g) {
                let reply = g.ask(&did, RESULT).await;
                assert_eq!(reply.status, 200, "{did}");
                check_result(&reply.json());
            }
        }
        "GET" "`Content-Type` holds the `contentType` of the metadata" => |g| {
            for did in valid(g) {
                let reply = g.ask(&did, RESULT).await;
                let said = reply.json()["didResolutionMetadata"]["contentType"].as_str().unwrap().to_owned();
                assert!(reply.header("content-type").contains(&said), "{did}");
            }
        }
        "GET" "with `application/did+json` or `application/did+ld+json` the body is the document alone" => |g| {
            for did in valid(g) {
                for accept in ["application/did+json", "application/did+ld+json"] {
                    let body = g.ask(&did, accept).await.json();
                    assert!(body["id"].is_string() && body.get("didResolutionMetadata").is_none(), "{did}");
                }
            }
        }
        "GET" "an encoded DID is accepted" => |g| {
            for did in valid(g) {
                let reply = g.ask(&encoded(&did), RESULT).await;
                assert_eq!(reply.status, 200, "{did}");
                check_result(&reply.json());
            }
        }
        "Errors" "`not-a-did` and `did:example` are 400" => |g| {
            for did in ["not-a-did", "did:example"] {
                let reply = g.ask(did, RESULT).await;
                assert_eq!(reply.status, 400, "{did}");
                check_failure(&reply.json(), "INVALID_DID");
            }
        }
        "Errors" "`did:unsupported:123456789abcdefghi` is 501" => |g| {
            let reply = g.ask("did:unsupported:123456789abcdefghi", RESULT).await;
            assert_eq!(reply.status, 501);
            check_failure(&reply.json(), "METHOD_NOT_SUPPORTED");
        }
        "Errors" "a DID that is not found is 404, in a result that says so" => |g| {
            let reply = g.ask(MISSING, RESULT).await;
            assert_eq!(reply.status, 404);
            check_failure(&reply.json(), "NOT_FOUND");
        }
        "Errors" "a representation that nobody knows is 406" => |g| {
            let reply = g.ask(&account(), "application/x-unsupported-did-representation-99999").await;
            assert_eq!(reply.status, 406);
        }
        "Errors" "a deactivated DID is 410" => |g| {
            assert_eq!(g.ask(BURNT, RESULT).await.status, 410);
        }
        "Dereferencing" "with `application/did-url-dereferencing` the body has `dereferencingMetadata`, `contentStream` and `contentMetadata`, and the status is 200" => |g| {
            for url in urls() {
                let reply = g.ask(&encoded(&url), URL_RESULT).await;
                assert_eq!(reply.status, 200, "{url}");
                let result = reply.json();
                assert!(result["dereferencingMetadata"].is_object() && result["contentMetadata"].is_object(), "{url}");
                assert!(result["contentStream"].is_object(), "{url}");
            }
        }
        "Dereferencing" "its `Content-Type` holds the `contentType` of the metadata" => |g| {
            for url in urls() {
                let reply = g.ask(&encoded(&url), URL_RESULT).await;
                let said = reply.json()["dereferencingMetadata"]["contentType"].as_str().unwrap().to_owned();
                assert!(reply.header("content-type").contains(&said), "{url}");
            }
        }
        "Dereferencing" "with `application/json` the body is the content alone" => |g| {
            for url in urls() {
                let body = g.ask(&encoded(&url), "application/json").await.json();
                assert!(body.is_object() && body.get("dereferencingMetadata").is_none(), "{url}");
            }
        }
        "Dereferencing" "a DID URL of a service's place is 303 with a `Location` and an empty body" => |g| {
            let url = format!("{}?service=files&relativeRef=%2Ffiles%2Fa", g.elsewhere.did("services"));
            let reply = g.ask(&encoded(&url), URL_RESULT).await;
            assert_eq!((reply.status, reply.header("location"), reply.text()), (303, "https://ada.example/files/a", ""));
        }
    },
};
