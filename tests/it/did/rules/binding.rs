//! The HTTP binding: requests in, status, headers and bodies out.

use serde_json::{Value, json};

use super::ground::{
    AGENT, BURNT, DID, MISSING, RESULT, SERVICE, URL_RESULT, account, encoded, version,
};
use super::{Chapter, Rule, rules};
use crate::support::tale::time;

pub(super) const CHAPTER: Chapter = Chapter {
    title: "The HTTP binding",
    text: "[DID Resolution 1.0](https://www.w3.org/TR/did-resolution/), its section on the HTTP(S) binding.",
    anchors: "https://www.w3.org/TR/did-resolution/#",
    besides: &[
        "TLS, which the binding demands, is the proxy's before the service: it speaks HTTP on a loopback address. The tests in `tests/it/did/judges.rs` put it behind TLS and let other people's clients resolve.",
        "`Content-Type` is to be the `contentType` of the metadata. That is so where only a document is given; a whole result has the media type of the result, in which that of the document stands.",
        "An encoded DID is demanded of clients that send options. One that stands as it is is taken too.",
    ],
    rules: rules! {
        "bindings-https" "GET is answered at `/1.0/identifiers/`" => |g| {
            assert_eq!(g.resolve(AGENT).await["didDocument"]["id"], AGENT);
        }
        "bindings-https" "POST, where it is offered, takes the options as a JSON object in the body" => |g| {
            let by_get = g.resolve(&format!("{}?versionTime={}", encoded(AGENT), time(10))).await;
            for options in [json!({ "versionTime": time(10).to_string() }), json!({ "versionId": version(10), "noCache": true, "expandRelativeUrls": "false" })] {
                let reply = g.post(AGENT, RESULT, &options).await;
                assert_eq!(reply.status, 200, "{options}: {}", reply.text());
                assert_eq!(reply.json()["didDocument"], by_get["didDocument"]);
            }
            let url = encoded(&format!("{}#blockchainAccountId", account()));
            let reply = g.post(&url, URL_RESULT, &json!({ "verificationRelationship": "authentication" })).await;
            assert_eq!((reply.status, &reply.json()["content"]["controller"]), (200, &json!(account())));
            // The DID URL's own parameters stay in it.
            let reply = g.post(&format!("{}?service=files&relativeRef=/files/a", g.elsewhere.did("services")), "text/uri-list", &json!({})).await;
            assert_eq!((reply.status, reply.header("location")), (303, "https://ada.example/files/a"));
        }
        "bindings-https" "options of a POST are looked at as those of a GET" => |g| {
            for (options, status, code) in [
                (json!({ "versionTime": "yesterday" }), 400, "INVALID_OPTIONS"),
                (json!({ "versionTime": time(10).to_string(), "versionId": version(10) }), 400, "INVALID_OPTIONS"),
                (json!({ "noCache": 1 }), 400, "INVALID_OPTIONS"),
                (json!(["versionTime"]), 400, "INVALID_OPTIONS"),
                (json!({ "nonsense": "1" }), 501, "FEATURE_NOT_SUPPORTED"),
            ] {
                let reply = g.post(AGENT, RESULT, &options).await;
                assert_eq!(reply.status, status, "{options}");
                let error = reply.json()["didResolutionMetadata"]["error"]["type"].clone();
                assert_eq!(error, format!("https://www.w3.org/ns/did#{code}"), "{options}");
            }
        }
        "bindings-https" "the DID may be encoded, and must be where there are options" => |g| {
            for did in [AGENT, SERVICE, &account()] {
                for rest in [encoded(did), encoded(did).to_lowercase().replace("did%3a", "did%3A"), did.replace('%', "%25")] {
                    let found = g.ask(&format!("{rest}?noCache=false"), RESULT).await;
                    assert_eq!(found.status, 200, "{rest}: {}", found.text());
                }
            }
        }
        "bindings-https" "`application/did-resolution` asks for the whole result, and a document's media type for the document alone" => |g| {
            let whole = g.ask(AGENT, RESULT).await;
            assert_eq!(whole.header("content-type"), RESULT);
            let alone = g.ask(AGENT, DID).await;
            assert_eq!(alone.header("content-type"), DID);
            assert_eq!(whole.json()["didDocument"], alone.json());
        }
        "bindings-https" "`application/did-url-dereferencing` asks for the whole result of a dereferencing, and the content's media type for the content alone" => |g| {
            let url = encoded(&format!("{}#blockchainAccountId", account()));
            let whole = g.ask(&url, URL_RESULT).await;
            assert_eq!(whole.header("content-type"), URL_RESULT);
            let alone = g.ask(&url, DID).await;
            assert_eq!(alone.header("content-type"), DID);
            assert_eq!(whole.json()["content"], alone.json());
        }
        "bindings-https" "a DID URL stands behind the endpoint as it is: its query is the request's, a path is its own, a fragment is encoded" => |g| {
            let did = g.elsewhere.did("services");
            let reply = g.ask(&format!("{did}?service=files&relativeRef=/files/a"), "*/*").await;
            assert_eq!((reply.status, reply.header("location")), (303, "https://ada.example/files/a"));
            assert_eq!(g.ask(&format!("{AGENT}?versionId={}", version(10)), URL_RESULT).await.json()["contentMetadata"]["versionId"], version(10));
            assert_eq!(g.ask(&format!("{did}%23files"), "*/*").await.json()["content"]["type"], "Files");
            assert_eq!(g.ask(&format!("{did}/a/b"), "*/*").await.status, 404);
        }
        "bindings-https" "an error has the status of its type: 400 for INVALID_DID, INVALID_DID_URL and INVALID_OPTIONS" => |g| {
            g.refused("not-a-did", 400, "INVALID_DID").await;
            g.url_refused("not-a-did", 400, "INVALID_DID_URL").await;
            g.refused(&format!("{AGENT}?noCache=x"), 400, "INVALID_OPTIONS").await;
        }
        "bindings-https" "404 for NOT_FOUND" => |g| {
            g.refused(MISSING, 404, "NOT_FOUND").await;
            g.url_refused(&format!("{AGENT}%23nothing"), 404, "NOT_FOUND").await;
        }
        "bindings-https" "406 for REPRESENTATION_NOT_SUPPORTED" => |g| {
            for accept in ["text/html", "application/cbor", "application/did;q=0", ""] {
                let reply = g.ask(AGENT, accept).await;
                assert_eq!(reply.status, 406, "{accept}");
                let error = &reply.json()["didResolutionMetadata"]["error"]["type"];
                assert_eq!(error, "https://www.w3.org/ns/did#REPRESENTATION_NOT_SUPPORTED");
            }
        }
        "bindings-https" "500 for INVALID_DID_DOCUMENT, INTERNAL_ERROR and every other error" => |g| {
            g.refused(&encoded(&g.elsewhere.did("other")), 500, "INVALID_DID_DOCUMENT").await;
            g.refused(&encoded(&g.elsewhere.did("broken")), 500, "INTERNAL_ERROR").await;
            let url = format!("{}%23blockchainAccountId?verificationRelationship=keyAgreement", account());
            g.url_refused(&url, 500, "INVALID_RELATIONSHIP_FOR_VERIFICATION_METHOD").await;
        }
        "bindings-https" "501 for METHOD_NOT_SUPPORTED and FEATURE_NOT_SUPPORTED" => |g| {
            g.refused("did:example:1", 501, "METHOD_NOT_SUPPORTED").await;
            g.refused(&format!("{AGENT}?x=1"), 501, "FEATURE_NOT_SUPPORTED").await;
        }
        "bindings-https" "410 where `deactivated` is true, whatever form is asked for" => |g| {
            for accept in [RESULT, URL_RESULT, DID, "*/*", "application/did+json"] {
                let reply = g.ask(BURNT, accept).await;
                assert_eq!(reply.status, 410, "{accept}");
                let result = reply.json();
                let metadata = if accept == URL_RESULT { &result["contentMetadata"] } else { &result["didDocumentMetadata"] };
                assert_eq!(metadata["deactivated"], true, "{accept}");
            }
            assert_eq!(g.ask(&format!("{BURNT}%23a"), "text/uri-list").await.status, 410);
        }
        "bindings-https" "200 where a document is returned; the body is the document in the representation of `Content-Type`, which is the metadata's" => |g| {
            for kind in [DID, "application/did+json", "application/did+ld+json"] {
                let reply = g.ask(AGENT, kind).await;
                assert_eq!((reply.status, reply.header("content-type")), (200, kind));
                assert!(reply.json()["didResolutionMetadata"].is_null());
            }
            let whole = g.ask(AGENT, RESULT).await;
            let said = whole.json()["didResolutionMetadata"]["contentType"].as_str().unwrap().to_owned();
            assert_eq!(g.ask(AGENT, &said).await.header("content-type"), said);
        }
        "bindings-https" "303 where the content is a list of URLs: `Location` is the endpoint that was selected, and the body is empty" => |g| {
            let did = g.elsewhere.did("services");
            for (query, accept) in [("service=files", "text/uri-list"), ("service=files&relativeRef=a", URL_RESULT), ("service=files&relativeRef=a", "*/*")] {
                let reply = g.ask(&encoded(&format!("{did}?{query}")), accept).await;
                assert_eq!((reply.status, reply.text()), (303, ""), "{query} {accept}");
                assert!(reply.header("location").starts_with("https://ada.example/files/"), "{query}");
            }
        }
        "bindings-https" "200 where the content is anything else, in the representation of `Content-Type`" => |g| {
            let did = g.elsewhere.did("services");
            for (query, accept) in [("#key", DID), ("?service=files", DID), ("?service=files&relativeRef=a", DID), ("?service=files", URL_RESULT), ("", URL_RESULT)] {
                let reply = g.ask(&encoded(&format!("{did}{query}")), accept).await;
                assert_eq!((reply.status, reply.header("content-type")), (200, accept), "{query}");
                assert!(reply.json().is_object());
            }
        }
        "bindings-https" "every answer that may differ by `Accept` says so, and any origin may read it" => |g| {
            for rest in [AGENT.to_owned(), "not-a-did".to_owned(), format!("{}?service=files&relativeRef=a", g.elsewhere.did("services"))] {
                let reply = g.ask(&rest, "*/*").await;
                assert!(reply.header("vary").to_lowercase().contains("accept"), "{rest}");
                assert_eq!(reply.header("access-control-allow-origin"), "*", "{rest}");
            }
        }
        "bindings-https" "a body that is too large or of another kind is refused before it is read as options" => |g| {
            let reply = g.post(AGENT, RESULT, &json!({ "versionId": "1".repeat(70_000) })).await;
            assert_eq!((reply.status, reply.problem()["type"].clone()), (413, Value::from("/problems/body-too-large")));
        }
    },
};
