//! DID Core, and Controlled Identifiers where it leaves a property to them: what stands in a document.

use std::collections::BTreeSet;

use hallmark::did::{Did, DidUrl};
use serde_json::Value;
use url::Url;

use super::ground::{AGENT, KEYS, SERVICE, account, encoded};
use super::{Chapter, Rule, rules};

const RELATIONSHIPS: [&str; 5] = [
    "authentication",
    "assertionMethod",
    "keyAgreement",
    "capabilityInvocation",
    "capabilityDelegation",
];

/// The members of a set in a document, which may be left out and holds nothing twice.
fn set(document: &Value, member: &str) -> Vec<Value> {
    let Some(value) = document.get(member) else { return Vec::new() };
    let items = value.as_array().unwrap().clone();
    let distinct: BTreeSet<_> = items.iter().map(Value::to_string).collect();
    assert!(!items.is_empty() && distinct.len() == items.len(), "{member}: {document}");
    items
}

fn text<'a>(value: &'a Value, member: &str) -> &'a str {
    value[member].as_str().unwrap_or_else(|| panic!("{member} is no string: {value}"))
}

/// The bytes of a key in base58btc.
fn key_bytes(multibase: &str) -> Vec<u8> {
    bs58::decode(multibase.strip_prefix('z').unwrap()).into_vec().unwrap()
}

pub(super) const CHAPTER: Chapter = Chapter {
    title: "DID documents",
    text: "[DID Core 1.0](https://www.w3.org/TR/did-core/), the Recommendation; numbers of sections are its own, and CID is \
           [Controlled Identifiers 1.0](https://www.w3.org/TR/cid-1.0/), to which DID Core 1.1 leaves these properties.",
    anchors: "",
    besides: &[
        "Documents have the context of 1.0 first, `https://www.w3.org/ns/did/v1`. DID Core 1.1, a Candidate Recommendation, asks for `https://www.w3.org/ns/did/v1.1`, which clients in use do not know yet; its media type `application/did` is answered beside those of 1.0.",
        "What is demanded of a DID method's specification (8) is for those who write one: did:web, did:pkh and did:key are other people's.",
        "Deactivation, updates and who may make them (8.2) are the registry's on the chain.",
    ],
    rules: rules! {
        "3.1" "a DID is `did:`, a method in lower-case letters and digits, and an identifier of the grammar's signs" => |g| {
            for did in ["did", "did:", "did:web", "did::a", "did:web:", "DID:web:a.example", "did:WEB:a.example", "did:w-b:a", "did:web:a:", "did%3Aweb%3Aa%20b", "did%3Aweb%3A%C3%A4", "did:web:a%2", "did%3Aweb%3Aa%5B"] {
                g.refused(did, 400, "INVALID_DID").await;
            }
        }
        "3.2" "a DID URL is a DID, and perhaps a path, a query and a fragment, as URIs have them" => |g| {
            for url in [format!("{AGENT}#a#b"), format!("{AGENT}?a=ä"), format!("{AGENT}/a b"), format!("{AGENT}#\\"), format!("{AGENT}#a%zz"), format!("{AGENT}?<")] {
                g.url_refused(&encoded(&url), 400, "INVALID_DID_URL").await;
            }
        }
        "3.2" "a relative DID URL in a document is resolved against its DID" => |g| {
            let did = g.elsewhere.did("services");
            let document = g.resolve(&format!("{}?expandRelativeUrls=true", encoded(&did))).await["didDocument"].clone();
            assert_eq!(document["verificationMethod"][0]["id"], format!("{did}#key"));
            assert_eq!(document["authentication"][0], format!("{did}#key"));
            assert_eq!(document["service"][1]["id"], format!("{did}#chat"));
        }
        "5.1.1" "the root has one `id`: a string, and a DID" => |g| {
            for document in g.documents().await {
                assert!(Did::parse(text(&document, "id")).is_ok(), "{document}");
            }
        }
        "5.1.2" "`controller` is a DID or a set of them, where it stands at all: here nobody but the subject is named" => |g| {
            assert!(g.documents().await.iter().all(|document| document.get("controller").is_none()));
        }
        "5.1.3" "`alsoKnownAs` is a set of URIs" => |g| {
            for document in g.documents().await {
                for name in set(&document, "alsoKnownAs") {
                    assert!(Url::parse(name.as_str().unwrap()).is_ok(), "{name}");
                }
            }
        }
        "5.2" "`verificationMethod` is a set of maps, each with `id`, `type`, `controller` and a key of its type" => |g| {
            let mut seen = BTreeSet::new();
            for document in g.documents().await {
                for method in set(&document, "verificationMethod") {
                    let key = match text(&method, "type") {
                        "EcdsaSecp256k1RecoveryMethod2020" => "blockchainAccountId",
                        "Multikey" => "publicKeyMultibase",
                        "JsonWebKey" => "publicKeyJwk",
                        other => panic!("{other}"),
                    };
                    assert!(!method[key].is_null(), "{method}");
                    seen.insert(key);
                }
            }
            assert!(seen.len() >= 2, "{seen:?}");
        }
        "5.2" "a method's `id` is a DID URL, and no two methods have the same" => |g| {
            for document in g.documents().await {
                let methods = set(&document, "verificationMethod");
                let ids: BTreeSet<_> = methods.iter().map(|method| text(method, "id")).collect();
                assert_eq!(ids.len(), methods.len());
                for id in ids {
                    let url = DidUrl::parse(id).unwrap();
                    assert_eq!(url.did.as_str(), document["id"], "{id}");
                    assert!(url.fragment.is_some_and(|fragment| !fragment.is_empty()), "{id}");
                }
            }
        }
        "5.2" "a method's `controller` is a DID" => |g| {
            for document in g.documents().await {
                for method in set(&document, "verificationMethod") {
                    assert!(Did::parse(text(&method, "controller")).is_ok());
                }
            }
        }
        "5.2.1" "a method holds its key in one form only" => |g| {
            for document in g.documents().await {
                for method in set(&document, "verificationMethod") {
                    let forms = ["blockchainAccountId", "publicKeyMultibase", "publicKeyJwk", "publicKeyBase58", "publicKeyHex"];
                    assert_eq!(forms.iter().filter(|form| method.get(**form).is_some()).count(), 1, "{method}");
                }
            }
        }
        "5.2.1" "`publicKeyJwk` and every other key hold nothing private" => |g| {
            for document in g.documents().await {
                for method in set(&document, "verificationMethod") {
                    for private in ["d", "p", "q", "dp", "dq", "qi", "k", "oth"] {
                        assert!(method["publicKeyJwk"].get(private).is_none(), "{method}");
                    }
                    assert!(method.get("secretKeyMultibase").is_none() && method.get("secretKeyJwk").is_none());
                }
            }
        }
        "5.3" "a relationship is a set of methods, which stand in the document" => |g| {
            for document in g.documents().await {
                let methods = set(&document, "verificationMethod");
                for relationship in RELATIONSHIPS {
                    for named in set(&document, relationship) {
                        assert!(methods.iter().any(|method| method["id"] == named), "{relationship}: {named}");
                    }
                }
            }
        }
        "5.4" "`service` is a set of maps, each with `id`, `type` and `serviceEndpoint`; the ids are URIs of their own" => |g| {
            for document in g.documents().await {
                let services = set(&document, "service");
                let ids: BTreeSet<_> = services.iter().map(|service| text(service, "id")).collect();
                assert_eq!(ids.len(), services.len());
                assert!(ids.into_iter().all(|id| Url::parse(id).is_ok()));
                for service in services {
                    let kinds = &service["type"];
                    assert!(kinds.is_string() || !set(&service, "type").is_empty(), "{service}");
                    assert!(Url::parse(text(&service, "serviceEndpoint")).is_ok(), "{service}");
                }
            }
        }
        "6.2.1" "every entry of a document is a member of the root object of its JSON; absent values are left out" => |g| {
            for document in g.documents().await {
                let members = document.as_object().unwrap();
                assert!(members.values().all(|value| !value.is_null()), "{document}");
            }
        }
        "6.2.2" "what is no JSON object is refused by whoever reads it as a document" => |g| {
            for name in ["list", "text", "deep"] {
                g.refused(&encoded(&g.elsewhere.did(name)), 500, "INVALID_DID_DOCUMENT").await;
            }
        }
        "6.3.1" "`@context` stands in a document, and DID Core's is the first of it" => |g| {
            for document in g.documents().await {
                assert_eq!(document["@context"][0], "https://www.w3.org/ns/did/v1");
            }
        }
        "6.3.1" "every term of a document is defined by its contexts" => |g| {
            for document in g.documents().await {
                let contexts = document["@context"].to_string();
                for method in set(&document, "verificationMethod") {
                    let of = match text(&method, "type") {
                        "EcdsaSecp256k1RecoveryMethod2020" => ["secp256k1recovery-2020/v2", "EcdsaSecp256k1RecoveryMethod2020"],
                        "Multikey" => ["security/multikey/v1", "security/multikey/v1"],
                        _ => ["security/jwk/v1", "security/jwk/v1"],
                    };
                    assert!(of.iter().any(|name| contexts.contains(name)), "{contexts}");
                }
                for service in set(&document, "service") {
                    let kinds = [service["type"].clone()];
                    let kinds = service["type"].as_array().map_or(kinds.as_slice(), Vec::as_slice);
                    assert!(kinds.iter().all(|kind| contexts.contains(kind.as_str().unwrap())), "{contexts}");
                }
            }
        }
        "6" "a document is given with the media type of its representation" => |g| {
            for kind in ["application/did", "application/did+json", "application/did+ld+json"] {
                for did in [AGENT, SERVICE, &account(), KEYS[0]] {
                    let reply = g.ask(&encoded(did), kind).await;
                    assert_eq!((reply.status, reply.header("content-type")), (200, kind), "{did}");
                    assert_eq!(reply.json()["id"], did);
                }
            }
        }
        "CID 2.2.2" "a Multikey begins with `z` and the prefix of its curve, and has as many bytes as its keys" => |g| {
            for (did, prefix, length) in [(KEYS[0], [0xed, 0x01], 34), (KEYS[1], [0x80, 0x24], 35), (KEYS[2], [0xe7, 0x01], 35)] {
                let document = g.resolve(did).await["didDocument"].clone();
                let bytes = key_bytes(text(&document["verificationMethod"][0], "publicKeyMultibase"));
                assert_eq!((&bytes[..2], bytes.len()), (&prefix[..], length), "{did}");
            }
        }
    },
};
