//! DID URL dereferencing: from a DID URL to what it names.

use serde_json::{Value, json};

use super::ground::{
    AGENT, BURNT, DID, KEYS, MISSING, SERVICE, URL_RESULT, account, encoded, version,
};
use super::{Chapter, Rule, rules};
use crate::api::told::ALICE;
use crate::support::tale::time;

pub(super) const CHAPTER: Chapter = Chapter {
    title: "DID URL dereferencing",
    text: "[DID Resolution 1.0](https://www.w3.org/TR/did-resolution/), its sections on dereferencing, which are marked as at risk there.",
    anchors: "https://www.w3.org/TR/did-resolution/#",
    besides: &[
        "A whole result holds what was found twice, as `content` and as `contentStream`: the standard's result has the first name, its function and its tests the second.",
        "With a `relativeRef`, whoever asks for a whole result is sent to the place (303) instead of being given the document: the document cannot say what the reference names, and the standard's tests expect it.",
        "Several places can be selected and one header names one: it is the first in the document's order.",
        "No method's own paths or parameters are understood. The provisional algorithm (`dereferencing-provisional`) has no demands yet.",
        "Nothing is dereferenced twice: an endpoint that is a DID URL is named and not followed, so that there are no cycles to detect.",
    ],
    rules: rules! {
        "dereferencing" "a dereferencer dereferences DID URLs of at least one method; all of its result is JSON" => |g| {
            for did in [AGENT, SERVICE, &account(), KEYS[0], &g.elsewhere.did("good")] {
                assert_eq!(g.dereference(did, "").await["content"]["id"], did);
            }
        }
        "dereferencing" "the whole DID URL is the input, its fragment included" => |g| {
            let found = g.dereference(&format!("{}#blockchainAccountId", account()), "").await;
            assert_eq!(found["content"]["blockchainAccountId"], format!("eip155:8453:{ALICE}"));
        }
        "dereferencing" "where it succeeds, the content is what the DID URL names, and its metadata a map" => |g| {
            let found = g.dereference(&format!("{}#{}", KEYS[0], &KEYS[0][8..]), "").await;
            assert_eq!(found["content"]["type"], "Multikey");
            assert_eq!(found["content"], found["contentStream"]);
            assert!(found["contentMetadata"].is_object());
        }
        "dereferencing" "where the content is a document, its metadata is that of its resolution" => |g| {
            for rest in [encoded(AGENT), format!("{}?at=block:10", encoded(AGENT))] {
                let resolved = g.resolve(&rest).await;
                let found = g.ask(&rest, URL_RESULT).await.json();
                assert_eq!(found["content"], resolved["didDocument"]);
                assert_eq!(found["contentMetadata"], resolved["didDocumentMetadata"]);
            }
        }
        "dereferencing" "where it fails, the metadata has an `error`, the content is null and its metadata empty" => |g| {
            g.url_refused(&encoded(&format!("{AGENT}#nothing")), 404, "NOT_FOUND").await;
        }
        "did-url-dereferencing-options" "`accept` is written as in the HTTP header, and chooses the form of the content" => |g| {
            let url = encoded(&format!("{}#blockchainAccountId", account()));
            for kind in [DID, "application/did+json", "application/json", "application/ld+json"] {
                let reply = g.ask(&url, &format!("text/html, {kind};q=0.3")).await;
                assert_eq!((reply.status, reply.header("content-type")), (200, kind));
                assert_eq!(reply.json()["type"], "EcdsaSecp256k1RecoveryMethod2020", "{kind}");
            }
        }
        "did-url-dereferencing-options" "`verificationRelationship` is ASCII" => |g| {
            let url = encoded(&format!("{}#blockchainAccountId", account()));
            g.url_refused(&format!("{url}?verificationRelationship=%D0%B0"), 400, "INVALID_OPTIONS").await;
        }
        "did-url-dereferencing-options" "with a `verificationRelationship`, what is no method, or is not listed under it, is an error" => |g| {
            let method = encoded(&format!("{}#blockchainAccountId", account()));
            let found = g.ask(&format!("{method}?verificationRelationship=authentication"), URL_RESULT).await;
            assert_eq!((found.status, &found.json()["content"]["controller"]), (200, &json!(account())));
            g.url_refused(&format!("{method}?verificationRelationship=keyAgreement"), 500, "INVALID_RELATIONSHIP_FOR_VERIFICATION_METHOD").await;
            g.url_refused(&format!("{}?verificationRelationship=authentication", encoded(&account())), 500, "INVALID_VERIFICATION_METHOD").await;
            let service = encoded(&format!("{}#files", g.elsewhere.did("services")));
            g.url_refused(&format!("{service}?verificationRelationship=authentication"), 500, "INVALID_VERIFICATION_METHOD").await;
            // An account that was only registered may not log in, at the very moment at which one that signed may.
            for (block, wallet, status) in [(9, ALICE, 500), (10, crate::api::told::BOT, 200)] {
                let url = encoded(&format!("{AGENT}#eip155:8453:{wallet}"));
                let reply = g.ask(&format!("{url}?at=block:{block}&verificationRelationship=authentication"), URL_RESULT).await;
                assert_eq!(reply.status, status, "{}", reply.text());
            }
        }
        "did-url-dereferencing-metadata" "`contentType` is ASCII, and stands where it succeeds" => |g| {
            for url in [AGENT.to_owned(), format!("{}#blockchainAccountId", account())] {
                assert_eq!(g.dereference(&url, "").await["dereferencingMetadata"]["contentType"], DID);
            }
        }
        "dereferencing-algorithm-resource" "a text that is no DID URL is INVALID_DID_URL" => |g| {
            for url in ["not-a-did".to_owned(), "did:example".to_owned(), String::new(), encoded(&format!("{AGENT}#a#b")), encoded(&format!("{AGENT}?a=\0")), encoded(&format!("did:web:{}#a", "a".repeat(10_000)))] {
                g.url_refused(&url, 400, "INVALID_DID_URL").await;
            }
        }
        "dereferencing-algorithm-resource" "all options and all parameters of the DID URL are passed to its resolution" => |g| {
            let wallet = crate::api::told::BOT;
            for url in [
                format!("{AGENT}?versionTime={}#eip155:8453:{wallet}", time(11)),
                format!("{AGENT}?versionId={}#eip155:8453:{wallet}", version(10)),
            ] {
                let found = g.dereference(&url, "").await;
                assert_eq!(found["content"]["blockchainAccountId"], format!("eip155:8453:{wallet}"), "{url}");
                assert_eq!(found["contentMetadata"]["versionId"], version(10));
            }
            g.url_refused(&encoded(&format!("{AGENT}#eip155:8453:{wallet}")), 404, "NOT_FOUND").await;
            g.url_refused(&encoded(&format!("{AGENT}?transformKey=JsonWebKey")), 501, "FEATURE_NOT_SUPPORTED").await;
            g.url_refused(&encoded(&format!("{AGENT}?versionTime=x#a")), 400, "INVALID_OPTIONS").await;
            g.url_refused("did:example:1%23a", 501, "METHOD_NOT_SUPPORTED").await;
        }
        "dereferencing-algorithm-resource" "a DID that does not exist is NOT_FOUND" => |g| {
            g.url_refused(&encoded(&format!("{MISSING}#a")), 404, "NOT_FOUND").await;
        }
        "dereferencing-algorithm-resource" "of a deactivated DID nothing is named, and the metadata says `deactivated`" => |g| {
            let reply = g.ask(&encoded(&format!("{BURNT}#a")), URL_RESULT).await;
            assert_eq!(reply.status, 410);
            let result = reply.json();
            assert_eq!((&result["content"], &result["contentMetadata"]["deactivated"]), (&Value::Null, &json!(true)));
        }
        "dereferencing-algorithm-resource" "without a path and a query it is the document" => |g| {
            assert_eq!(g.dereference(AGENT, "").await["content"]["id"], AGENT);
        }
        "dereferencing-algorithm-resource" "`service` selects by id, absolute or relative, and `serviceType` by type: the document is given with those services only" => |g| {
            let did = g.elsewhere.did("services");
            for (query, ids) in [
                ("service=files", vec![format!("{did}#files")]),
                ("service=%23files", vec![format!("{did}#files")]),
                (&format!("service={}", encoded(&format!("{did}#files"))), vec![format!("{did}#files")]),
                ("service=chat", vec!["#chat".to_owned()]),
                ("serviceType=Files", vec![format!("{did}#files"), "#chat".to_owned()]),
                ("serviceType=Files&service=chat", vec!["#chat".to_owned()]),
                ("service=nothing", vec![]),
            ] {
                for (accept, place) in [(URL_RESULT, "/content"), (DID, "")] {
                    let reply = g.ask(&encoded(&format!("{did}?{query}")), accept).await;
                    assert_eq!(reply.status, 200, "{query}: {}", reply.text());
                    let body = reply.json();
                    let document = body.pointer(place).unwrap();
                    let services = document["service"].as_array().into_iter().flatten();
                    assert_eq!(services.map(|service| service["id"].clone()).collect::<Vec<_>>(), ids, "{query}");
                    assert_eq!(document["authentication"], json!(["#key"]));
                }
            }
        }
        "dereferencing-algorithm-resource" "for `text/uri-list` it is the endpoints that are strings, and with `relativeRef` what it names from there" => |g| {
            let did = g.elsewhere.did("services");
            for (query, place) in [
                ("service=files", "https://ada.example/files/"),
                ("service=files&relativeRef=a%2Fb%3Fc%3Dd", "https://ada.example/files/a/b?c=d"),
                ("service=files&relativeRef=%2Ffiles%2Fa", "https://ada.example/files/a"),
                ("service=chat", "wss://ada.example/chat"),
                ("service=chat&relativeRef=%2Fa", "wss://ada.example/a"),
                ("service=cycle", &format!("{did}?service=cycle")),
            ] {
                let reply = g.ask(&encoded(&format!("{did}?{query}")), "text/uri-list").await;
                assert_eq!((reply.status, reply.header("location")), (303, place), "{query}");
            }
        }
        "dereferencing-algorithm-resource" "a service without an endpoint to go to leads nowhere: NOT_FOUND" => |g| {
            let did = g.elsewhere.did("services");
            for query in ["service=map", "service=map&relativeRef=a", "service=script", "service=script&relativeRef=a", "service=nothing", "service=cycle&relativeRef=a"] {
                let reply = g.ask(&encoded(&format!("{did}?{query}")), "text/uri-list").await;
                assert_eq!((reply.status, reply.header("location")), (404, ""), "{query}");
            }
        }
        "dereferencing-algorithm-resource" "any other `accept` is REPRESENTATION_NOT_SUPPORTED" => |g| {
            for (query, accept) in [("?service=files", "text/html"), ("#key", "image/png"), ("", "text/uri-list"), ("#key", "text/uri-list")] {
                let reply = g.ask(&encoded(&format!("{}{query}", g.elsewhere.did("services"))), accept).await;
                assert_eq!(reply.status, 406, "{query} {accept}: {}", reply.text());
            }
        }
        "dereferencing-algorithm-resource" "a path or a query that nobody understands is NOT_FOUND" => |g| {
            for url in [format!("{AGENT}/custom/path"), format!("{AGENT}/"), format!("{AGENT}?relativeRef=a")] {
                g.url_refused(&encoded(&url), 404, "NOT_FOUND").await;
            }
            g.url_refused(&format!("{AGENT}/custom/path"), 404, "NOT_FOUND").await;
        }
        "dereferencing-algorithm-fragment" "a fragment names the map of that id in the document, by its whole id or its relative one" => |g| {
            let did = g.elsewhere.did("services");
            for (fragment, kind) in [("key", "Multikey"), ("files", "Files"), ("map", "Map")] {
                let found = g.dereference(&format!("{did}#{fragment}"), "").await;
                assert_eq!(found["content"]["type"], kind);
                assert!(found["content"]["@context"].is_array(), "it means what it means in its document");
            }
            g.url_refused(&encoded(&format!("{did}#Key")), 404, "NOT_FOUND").await;
        }
        "dereferencing-algorithm-fragment" "the place at an endpoint inherits the fragment; two fragments are an error" => |g| {
            let did = g.elsewhere.did("services");
            let reply = g.ask(&encoded(&format!("{did}?service=files&relativeRef=a#intro")), URL_RESULT).await;
            assert_eq!((reply.status, reply.header("location")), (303, "https://ada.example/files/a#intro"));
            g.url_refused(&encoded(&format!("{did}?service=files&relativeRef=a%23b#intro")), 400, "INVALID_DID_URL").await;
        }
        "path-traversal-via-relativeref" "a reference leads to no other host and not above the endpoint's folder, however it is encoded: INVALID_DID_URL" => |g| {
            let did = g.elsewhere.did("services");
            for reference in [
                "//evil.example/", "https://evil.example/", "\\\\evil.example", "/\\evil.example", "..", "../x", "/x", "%2e%2e/x", "a/..%2f..%2fx",
                "%252e%252e/x", "..\\x", "a\r\nlocation: x", "@evil.example/", ".@evil", "javascript:alert(1)", "\u{0}",
            ] {
                let url = format!("{did}?service=files&relativeRef={}", encoded(reference));
                for accept in [URL_RESULT, "text/uri-list", "*/*"] {
                    let reply = g.ask(&encoded(&url), accept).await;
                    let place = reply.header("location");
                    let is_within = reply.status == 303 && place.starts_with("https://ada.example/files/");
                    let is_name = ["@evil.example/", ".@evil"].contains(&reference);
                    assert_eq!((reply.status == 400, is_within), (!is_name, is_name), "{reference:?}: {} {place}", reply.status);
                }
            }
        }
        "duplicate-parameter-handling" "a parameter that stands twice is INVALID_DID_URL" => |g| {
            for query in ["service=a&service=b", "versionId=1&versionId=1", "service=a&relativeRef=b&relativeRef=c"] {
                g.url_refused(&encoded(&format!("{AGENT}?{query}")), 400, "INVALID_DID_URL").await;
            }
        }
        "did-parameters" "the value of a parameter is ASCII" => |g| {
            for value in ["🔥💥🚫", "Привет", "こんにちは", "مرحبا", "foo\u{200B}bar"] {
                for name in ["service", "serviceType", "relativeRef"] {
                    g.url_refused(&format!("{}?{name}={}", encoded(AGENT), encoded(value)), 400, "INVALID_DID_URL").await;
                }
                g.url_refused(&format!("{}?versionId={}", encoded(AGENT), encoded(value)), 400, "INVALID_OPTIONS").await;
            }
        }
        "security-cycles-dereferencing" "what a document names is not followed: another host is asked once for each document" => |g| {
            let did = g.elsewhere.did("services");
            let before = g.elsewhere.asked().len();
            for query in ["?service=cycle&relativeRef=", "?service=here", "#key"] {
                g.ask(&encoded(&format!("{did}{query}")), URL_RESULT).await;
            }
            let asked = g.elsewhere.asked().split_off(before);
            assert!(asked.iter().all(|path| path == "/services/did.json") && asked.len() <= 1, "{asked:?}");
        }
    },
};
