//! What the Universal Resolver expects of a driver, so that an instance can be one.

use serde_json::json;

use super::ground::{AGENT, BURNT, KEYS, MISSING, account, encoded, version};
use super::{Chapter, Rule, rules};

pub(super) const CHAPTER: Chapter = Chapter {
    title: "Driver of the Universal Resolver",
    text: "[Driver development](https://github.com/decentralized-identity/universal-resolver/blob/main/docs/driver-development.md), and how its HTTP driver asks.",
    anchors: "",
    besides: &[
        "A driver is an image with a version and no `latest`, listed there by whoever publishes it. No image is published yet.",
    ],
    rules: rules! {
        "Driver Interface" "GET of `/1.0/identifiers/<did>` gives a document or a result, with a media type of its own" => |g| {
            for did in [AGENT, &account(), KEYS[0]] {
                for accept in ["application/ld+json", "application/did-resolution", "application/did-resolution,application/did", "application/did-resolution,application/ld+json;profile=\"https://w3id.org/did-resolution\""] {
                    let reply = g.ask(did, accept).await;
                    assert_eq!(reply.status, 200, "{did} {accept}");
                    assert_eq!(reply.json()["didDocument"]["id"], did);
                    let kind = reply.header("content-type");
                    assert!(kind == "application/did-resolution" || kind.contains("profile=\"https://w3id.org/did-resolution\""), "{kind}");
                }
            }
        }
        "Driver Interface" "options come in the query behind an encoded DID" => |g| {
            let reply = g.ask(&format!("{}?versionId={}", encoded(AGENT), encoded(&version(10))), "application/did-resolution").await;
            assert_eq!(reply.json()["didDocumentMetadata"]["versionId"], version(10));
        }
        "Driver Interface" "a refusal is a result too, by which the resolver knows the error" => |g| {
            for (did, status) in [(MISSING, 404), ("did:web:", 400), ("did:example:1", 501)] {
                let reply = g.ask(did, "application/did-resolution").await;
                assert_eq!(reply.status, status, "{did}");
                assert!(reply.json()["didResolutionMetadata"]["error"]["type"].is_string(), "{did}");
            }
            assert_eq!(g.ask(BURNT, "application/did-resolution").await.json()["didDocumentMetadata"]["deactivated"], true);
        }
        "Driver Interface" "a DID URL comes as it is, and its result has `content`" => |g| {
            let accept = "application/did-url-dereferencing,application/did";
            let reply = g.ask(&format!("{AGENT}?versionId={}", version(10)), accept).await;
            assert_eq!((reply.status, &reply.json()["content"]["id"]), (200, &json!(AGENT)));
        }
    },
};
