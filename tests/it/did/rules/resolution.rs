//! DID Resolution: from a DID to its document.

use hallmark::did::Did;
use serde_json::Value;

use super::ground::{
    AGENT, BURNT, DID, Ground, KEYS, MISSING, RESULT, SERVICE, account, encoded, version,
};
use super::{Chapter, Rule, rules};
use crate::support::tale::time;

/// A time in UTC without parts of a second.
fn is_time(value: &Value) -> bool {
    let text = value.as_str().unwrap();
    text.len() == 20 && text.ends_with('Z') && text.parse::<jiff::Timestamp>().is_ok()
}

/// Document metadata of every kind: now and then, of an agent and of what never changes.
async fn all_metadata(ground: &Ground) -> Vec<Value> {
    let mut found = Vec::new();
    for rest in [
        encoded(AGENT),
        format!("{}?at=block:8", encoded(AGENT)),
        format!("{}?at=block:12", encoded(AGENT)),
        encoded("did:web:LOCALHOST%3a8004:agents:8453:0"),
        encoded(SERVICE),
        account().to_lowercase(),
        KEYS[0].to_owned(),
        encoded(&ground.elsewhere.did("good")),
    ] {
        found.push(ground.resolve(&rest).await["didDocumentMetadata"].clone());
    }
    found.push(ground.ask(&encoded(BURNT), RESULT).await.json()["didDocumentMetadata"].clone());
    found
}

pub(super) const CHAPTER: Chapter = Chapter {
    title: "DID resolution",
    text: "[DID Resolution 1.0](https://www.w3.org/TR/did-resolution/), the Candidate Recommendation of July 2026.",
    anchors: "https://www.w3.org/TR/did-resolution/#",
    besides: &[
        "`proof` in metadata: none is given, so that nothing is demanded of it.",
        "A moment after the last block applied is answered with 409 and a problem that names the last block, as everywhere in this service; there is no code for what cannot be known yet. So are 429 and 503.",
        "A version id of a did:pkh or a did:key is not found: they have no versions. Of other hosts' documents only the present one is resolved (`FEATURE_NOT_SUPPORTED`).",
        "Pinning the context of DID Core by its hash: contexts are never fetched here.",
    ],
    rules: rules! {
        "resolving" "a resolver resolves DIDs of at least one method, and can return a document" => |g| {
            for did in [AGENT, SERVICE, &account(), KEYS[0], &g.elsewhere.did("good")] {
                assert!(g.resolve(&encoded(did)).await["didDocument"].is_object(), "{did}");
            }
        }
        "resolving" "the input is a conformant DID" => |g| {
            for did in ["", "not-a-did", "did:example", "did%3Aweb%3Aa%00", "did%3Aweb%3Aa%0d%0ax%3A%20y", &format!("did:web:{}", "a".repeat(10_000))] {
                g.refused(did, 400, "INVALID_DID").await;
            }
        }
        "resolving" "the document's `id` is byte for byte the DID that was resolved" => |g| {
            for did in [AGENT, "did:web:localhost%3a8004:agents:8453:0", "did:web:LocalHost%3A8004", &account(), &account().to_lowercase(), KEYS[1], &g.elsewhere.did("good")] {
                assert_eq!(g.resolve(&encoded(did)).await["didDocument"]["id"], did);
            }
        }
        "resolving" "where it fails, the resolution metadata has an `error`, the document is null and its metadata empty" => |g| {
            let error = g.refused(&encoded(MISSING), 404, "NOT_FOUND").await;
            assert!(error["detail"].as_str().unwrap().contains("77"), "{error}");
        }
        "resolving" "where it succeeds, the document's metadata is a map" => |g| {
            assert!(all_metadata(g).await.iter().all(Value::is_object));
        }
        "did-resolution-options" "`accept` is written as in the HTTP header, and chooses the representation" => |g| {
            for (accept, kind) in [("application/did;q=0.2, application/did+json;q=0.9", "application/did+json"), ("text/html, application/did;q=0.1", DID)] {
                assert_eq!(g.ask(&encoded(AGENT), accept).await.header("content-type"), kind, "{accept}");
            }
        }
        "did-resolution-metadata" "`contentType` is ASCII and the media type of a representation" => |g| {
            for accept in [RESULT, "*/*", "application/json"] {
                let result = g.ask(&encoded(AGENT), accept).await.json();
                assert_eq!(result["didResolutionMetadata"]["contentType"], DID, "{accept}");
            }
        }
        "did-document-metadata" "`created`, `updated` and `nextUpdate` are times as they are to be written" => |g| {
            let all = all_metadata(g).await;
            for name in ["created", "updated", "nextUpdate"] {
                let given: Vec<_> = all.iter().filter_map(|metadata| metadata.get(name)).collect();
                assert!(!given.is_empty() && given.into_iter().all(is_time), "{name}");
            }
        }
        "did-document-metadata" "`deactivated` is true where the DID is, and not said otherwise" => |g| {
            let said: Vec<_> = all_metadata(g).await.iter().map(|metadata| metadata["deactivated"].clone()).collect();
            let (last, others) = said.split_last().unwrap();
            assert_eq!(last, true);
            assert!(others.iter().all(Value::is_null));
        }
        "did-document-metadata" "`versionId` and `nextVersionId` are ASCII" => |g| {
            let all = all_metadata(g).await;
            for name in ["versionId", "nextVersionId"] {
                let given: Vec<_> = all.iter().filter_map(|metadata| metadata.get(name)).collect();
                assert!(!given.is_empty() && given.iter().all(|id| id.as_str().unwrap().is_ascii()), "{name}");
            }
        }
        "did-document-metadata" "`equivalentId` is a set and `canonicalId` one DID, of the method of the document's `id` and meaning the same" => |g| {
            for (did, canonical) in [("did:web:LOCALHOST%3a8004:agents:8453:0", AGENT.to_owned()), (&account().to_lowercase(), account())] {
                let found = g.resolve(&encoded(did)).await;
                let metadata = &found["didDocumentMetadata"];
                assert_eq!(metadata["canonicalId"], canonical);
                assert_eq!(metadata["equivalentId"].as_array().unwrap().len(), 1);
                let method = |text: &str| Did::parse(text).unwrap().method().to_owned();
                assert_eq!(method(metadata["equivalentId"][0].as_str().unwrap()), method(did));
                let other = g.resolve(&encoded(&canonical)).await;
                assert_eq!(other["didDocument"].to_string().to_lowercase(), found["didDocument"].to_string().to_lowercase());
            }
        }
        "resolving-algorithm" "a text that is no DID is INVALID_DID, before all else" => |g| {
            g.refused("did:example?versionTime=x&nonsense=1", 400, "INVALID_DID").await;
        }
        "resolving-algorithm" "a method that is not understood is METHOD_NOT_SUPPORTED, before options are looked at" => |g| {
            for did in ["did:example:1", "did:plc:ewvi7nxzyoun6zhxrhs64oiz", "did:webvh:a:b.example?nonsense=1"] {
                g.refused(did, 501, "METHOD_NOT_SUPPORTED").await;
            }
        }
        "resolving-algorithm" "an option that is not supported is FEATURE_NOT_SUPPORTED, before values are looked at" => |g| {
            for options in ["nonsense=1", "nonsense=1&versionTime=x", "versionID=1", "verificationRelationship=authentication", "service=files", "accept=application/did"] {
                g.refused(&format!("{}?{options}", encoded(AGENT)), 501, "FEATURE_NOT_SUPPORTED").await;
            }
        }
        "resolving-algorithm" "an option that is not valid is INVALID_OPTIONS" => |g| {
            for options in ["versionTime=", "versionId=1&versionId=2", "noCache=1", "expandRelativeUrls=", "at=yesterday", "versionId=%E2%80%8B"] {
                g.refused(&format!("{}?{options}", encoded(AGENT)), 400, "INVALID_OPTIONS").await;
            }
        }
        "resolving-algorithm" "a DID that does not exist is NOT_FOUND: no such agent, none yet at that time, no such path, no such host" => |g| {
            for rest in [
                encoded(MISSING), format!("{}?versionTime={}", encoded(AGENT), time(7)), encoded("did:web:localhost%3A8004:nobody"),
                encoded("did:web:localhost%3A8004:character:nobody"), encoded("did:web:no-such-host.invalid"), encoded(&g.elsewhere.did("missing")),
            ] {
                g.refused(&rest, 404, "NOT_FOUND").await;
            }
        }
        "resolving-algorithm" "of a deactivated DID the document is null, and its metadata says `deactivated`" => |g| {
            let result = g.ask(&encoded(BURNT), RESULT).await.json();
            assert_eq!(result["didDocument"], Value::Null);
            assert_eq!(result["didDocumentMetadata"]["deactivated"], true);
            assert!(result["didResolutionMetadata"]["error"].is_null());
        }
        "resolving-algorithm" "with `expandRelativeUrls` the relative DID URLs of methods, relationships and services are absolute, and without it as they were" => |g| {
            let did = encoded(&g.elsewhere.did("services"));
            let expanded = g.resolve(&format!("{did}?expandRelativeUrls=true")).await["didDocument"].to_string();
            let given = g.resolve(&format!("{did}?expandRelativeUrls=false")).await["didDocument"].to_string();
            assert!(!expanded.contains("\"#") && given.contains("\"#"), "{expanded}");
        }
        "resolving-algorithm" "what fails unexpectedly is INTERNAL_ERROR, and tells nothing of the inside" => |g| {
            for name in ["broken", "slow"] {
                g.refused(&encoded(&g.elsewhere.did(name)), 500, "INTERNAL_ERROR").await;
            }
        }
        "did-parameters" "`versionTime` is a time as it is to be written" => |g| {
            for wrong in [
                "2025-10-07 12:30:45", "2025/10/07T12:30:45", "2025-13-07T12:30:45Z", "2025-10-32T12:30:45Z", "2025-10-07T25:00:00Z",
                "2025-10-07T12:30:61Z", "2025-10-07T12:30:45+24:00", "2025-10-07", "2025-10-07T12:30:45abc", "T12:30:45", "2025-10-07T00:00:00+02:00",
                "2025-10-07T00:00:00", "2025-10-07T00:00:00.123Z", "1770000000", "now",
            ] {
                g.refused(&format!("{}?versionTime={}", encoded(AGENT), encoded(wrong)), 400, "INVALID_OPTIONS").await;
            }
        }
        "did-parameters" "`versionTime` gives the latest version that was valid then, and `versionId` the version of that id" => |g| {
            for (block, changed) in [(8, 8), (9, 8), (10, 10), (11, 10), (14, 12), (16, 15)] {
                let then = g.resolve(&format!("{}?versionTime={}", encoded(AGENT), time(block))).await;
                assert_eq!(then["didDocumentMetadata"]["versionId"], version(changed), "at block {block}");
                let same = g.resolve(&format!("{}?versionId={}", encoded(AGENT), version(changed))).await;
                assert_eq!(then["didDocument"], same["didDocument"]);
            }
        }
        "versioning" "`versionId` and `versionTime` exclude each other" => |g| {
            g.refused(&format!("{}?versionId={}&versionTime={}", encoded(AGENT), version(10), time(10)), 400, "INVALID_OPTIONS").await;
        }
        "datetime" "every time in a result is ASCII, in UTC, without parts of a second" => |g| {
            let result = g.resolve(&format!("{}?at=block:10", encoded(AGENT))).await.to_string();
            let times = result.split('"').filter(|text| text.len() > 10 && text.as_bytes()[4] == b'-' && text.as_bytes()[10] == b'T');
            let times: Vec<_> = times.map(Value::from).collect();
            assert!(times.len() >= 4 && times.iter().all(is_time), "{times:?}");
        }
        "metadata-structure" "metadata is a map of named values, all of JSON" => |g| {
            for metadata in all_metadata(g).await {
                assert!(metadata.as_object().unwrap().keys().all(|name| name.is_ascii()));
            }
        }
        "errors" "the `type` of an error is a URL under `https://www.w3.org/ns/did#`; a title and a detail say more" => |g| {
            for rest in ["not-a-did".to_owned(), encoded(MISSING), "did:example:1".to_owned(), format!("{}?x=1", encoded(AGENT))] {
                let metadata = g.ask(&rest, RESULT).await.json()["didResolutionMetadata"].clone();
                let error = &metadata["error"];
                assert!(error["type"].as_str().unwrap().starts_with("https://www.w3.org/ns/did#"), "{error}");
                assert!(error["title"].is_string() && error["detail"].is_string(), "{error}");
            }
        }
        "caching" "who does not resolve without its cache says FEATURE_NOT_SUPPORTED, and why" => |g| {
            let rest = format!("{}?noCache=true", encoded(&g.elsewhere.did("good")));
            let error = g.refused(&rest, 501, "FEATURE_NOT_SUPPORTED").await;
            assert!(error["detail"].as_str().unwrap().contains("noCache"), "{error}");
            // What is not kept is always fresh.
            g.resolve(&format!("{}?noCache=true", encoded(AGENT))).await;
        }
    },
};
