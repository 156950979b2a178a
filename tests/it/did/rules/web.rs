//! The did:web method: how its identifiers are read, and documents served and fetched.

use serde_json::Value;

use super::ground::{AGENT, SERVICE, encoded};
use super::{Chapter, Rule, rules};

/// Spellings of addresses that are no DNS names.
const ADDRESSES: [&str; 14] = [
    "127.0.0.1",
    "127.1",
    "10.0.0.1",
    "169.254.169.254",
    "2130706433",
    "0x7f000001",
    "0X7F.1",
    "0177.0.0.1",
    "0177.0.0.01",
    "127.0.0.1%3A8004",
    "%5B%3A%3A1%5D",
    "%5B%3A%3Affff%3A7f00%3A1%5D",
    "%3A%3A1",
    "1.2.3.4.",
];

pub(super) const CHAPTER: Chapter = Chapter {
    title: "did:web",
    text: "[did:web Method Specification](https://w3c-ccg.github.io/did-method-web/); names of sections are its own.",
    anchors: "",
    besides: &[
        "Creation, updates and deletion are those of the registry on the chain: a document is a function of the timeline, and `did.json` is what it is now.",
        "TLS before this service, its versions and ciphers, are the proxy's. Of other hosts a certificate for their name is demanded, by an authority that the machine trusts.",
        "DNS over HTTPS (a SHOULD) is the machine's resolver's affair.",
    ],
    rules: rules! {
        "Method name" "a DID of this method begins with `did:web:`, in lower case" => |g| {
            for did in ["did:WEB:a.example", "DID:web:a.example", "Did:Web:a.example"] {
                g.refused(did, 400, "INVALID_DID").await;
            }
        }
        "Method-specific identifier" "it is a domain name and never an IP address, in any of its spellings; nobody is asked" => |g| {
            let before = g.elsewhere.connections();
            for host in ADDRESSES {
                let host = host.replace("8004", &g.elsewhere.port.to_string());
                g.refused(&encoded(&format!("did:web:{host}:good")), 400, "INVALID_DID").await;
            }
            assert_eq!(g.elsewhere.connections(), before);
        }
        "Method-specific identifier" "the name is a DNS name: no user, no slash, no sign of another alphabet, none that decodes to something else" => |g| {
            for host in ["a..example", "-a.example", "a_b.example", "a.example.", "user%40a.example", "a.example%2F..", "a%2eexample", "a.example%00", "%D0%B0.example", "a.example%3A0", "a.example%3A65536", "a.example%3A080", "a.example%3A"] {
                g.refused(&encoded(&format!("did:web:{host}")), 400, "INVALID_DID").await;
            }
        }
        "Method-specific identifier" "the colon of a port is percent-encoded, in either case" => |g| {
            for colon in ["%3A", "%3a"] {
                let did = format!("did:web:localhost{colon}8004:agents:8453:0");
                assert_eq!(g.resolve(&encoded(&did)).await["didDocument"]["id"], did);
            }
            // With a colon that is not, the port is a part of the path of a host that was not meant.
            let other = g.ask("did:web:localhost:8004:agents:8453:0", "*/*").await;
            assert_ne!(other.status, 200);
        }
        "Read (Resolve)" "colons stand for slashes; without a path the document is in `/.well-known/`; its name is `did.json`" => |g| {
            for (name, path) in [("good", "/good/did.json"), ("a:b:c", "/a/b/c/did.json"), ("a%20b", "/a%20b/did.json")] {
                let before = g.elsewhere.asked().len();
                // Each is asked for at most once: what was found or not found is kept.
                g.ask(&encoded(&g.elsewhere.did(name)), "*/*").await;
                assert!(g.elsewhere.asked()[before..].iter().all(|asked| asked == path), "{name}");
                assert!(g.elsewhere.asked().iter().any(|asked| asked == path), "{name}");
            }
            g.ask(&format!("did:web:localhost%253A{}", g.elsewhere.port), "*/*").await;
            assert!(g.elsewhere.asked().iter().any(|asked| asked == "/.well-known/did.json"));
        }
        "Read (Resolve)" "no part of the path leads elsewhere once it is decoded; nobody is asked" => |g| {
            let before = g.elsewhere.connections();
            for part in ["..", ".", "%2e%2e", ".%2E", "a%2Fb", "a%2fb", "a%5Cb", "a%00", "a%0d%0a", "%252e%252e", "a%3Fb", "a%23b", "%ff", ""] {
                for rest in [format!("x:{part}:y"), format!("{part}:y")] {
                    g.refused(&encoded(&g.elsewhere.did(&rest)), 400, "INVALID_DID").await;
                }
            }
            assert_eq!(g.elsewhere.connections(), before);
        }
        "Read (Resolve)" "the document is fetched over https from a host that proves its name, and from nowhere else: a redirect is not followed" => |g| {
            for name in ["moved", "loop"] {
                let before = g.elsewhere.asked().len();
                g.refused(&encoded(&g.elsewhere.did(name)), 404, "NOT_FOUND").await;
                assert_eq!(g.elsewhere.asked()[before..], [format!("/{name}/did.json")]);
            }
        }
        "Read (Resolve)" "the document's `id` must be the DID that is resolved" => |g| {
            for name in ["other", "nameless"] {
                g.refused(&encoded(&g.elsewhere.did(name)), 500, "INVALID_DID_DOCUMENT").await;
            }
            // In another of its forms it is another text, which the document does not have.
            let lower = g.elsewhere.did("good").replace("%3A", "%3a");
            g.refused(&encoded(&lower), 500, "INVALID_DID_DOCUMENT").await;
        }
        "Key Material and Document Handling" "every DID URL in a document is absolute" => |g| {
            for document in g.documents().await {
                let text = document.to_string();
                assert!(!text.contains("\"#") && !text.contains("\"/") && !text.contains("\"?"), "{text}");
            }
        }
        "Create (Register)" "the documents of this host are at the paths that their DIDs name" => |g| {
            for (did, path) in [(SERVICE, "/.well-known/did.json"), (AGENT, "/agents/8453/0/did.json")] {
                let reply = g.service.get(path).await;
                assert_eq!(reply.status, 200, "{path}");
                let document = reply.json();
                assert_eq!(document["id"], did);
                assert_eq!(g.resolve(&encoded(did)).await["didDocument"], document);
            }
        }
        "Deactivate (Revoke)" "the document of a deactivated DID is no longer served" => |g| {
            let reply = g.service.get("/agents/8453/1/did.json").await;
            assert_eq!((reply.status, reply.problem()["type"].clone()), (410, Value::from("/problems/deactivated")));
        }
        "Cross-Origin Resource Sharing" "any origin may read a document" => |g| {
            for path in ["/.well-known/did.json", "/agents/8453/0/did.json", "/agents/8453/77/did.json"] {
                assert_eq!(g.service.get(path).await.header("access-control-allow-origin"), "*");
            }
        }
    },
};
