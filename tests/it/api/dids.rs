//! DID documents and their resolution over HTTP: versions, codes, media types, hostile identifiers.

use axum::body::Body;
use axum::http::Request;
use hallmark::storage::Database;
use serde_json::{Value, json};

use super::told::{self, ALICE, BOB, BOT, SPARE};
use crate::support::databases::on_both_engines;
use crate::support::service::{Reply, Service, state};
use crate::support::tale::{Tale, first_hash as hash, time};

const AGENT: &str = "did:web:localhost%3A8004:agents:8453:0";
const ERRORS: &str = "https://www.w3.org/ns/did#";

fn path(did: &str, query: &str) -> String {
    format!("/1.0/identifiers/{did}{query}")
}

/// A resolution that must succeed.
async fn resolved(service: &Service, did: &str, query: &str) -> Value {
    let reply = service.get(&path(did, query)).await;
    assert_eq!(reply.status, 200, "{did}{query}: {}", reply.text());
    assert_eq!(reply.header("content-type"), "application/did-resolution");
    let result = reply.json();
    assert_eq!(result["didDocument"]["id"], did, "the id is the DID that was asked for");
    assert_eq!(result["didResolutionMetadata"]["contentType"], "application/did");
    result
}

/// A refusal, which has the members that the standard asks for and nothing else.
async fn refused(service: &Service, path: &str, status: u16, code: &str) -> Value {
    let reply = service.get(path).await;
    assert_eq!(reply.status, status, "{path}: {}", reply.text());
    assert_eq!(reply.header("content-type"), "application/did-resolution", "{path}");
    let result = reply.json();
    let error = &result["didResolutionMetadata"]["error"];
    assert_eq!(error["type"], format!("{ERRORS}{code}"), "{path}: {error}");
    assert!(error["title"].is_string() && error["detail"].is_string(), "{path}: {error}");
    assert_eq!(result["didDocument"], Value::Null, "{path}");
    assert_eq!(result["didDocumentMetadata"], json!({}), "{path}");
    result
}

async fn with_accept(service: &Service, path: &str, accept: &str) -> Reply {
    let request = Request::get(path).header("accept", accept).body(Body::empty()).unwrap();
    service.send(request).await
}

fn version(block: u64) -> String {
    format!("{block}-{}", hash(block))
}

async fn tell_burning(db: &Database) -> Tale {
    let mut tale = told::tell(db).await;
    told::transfer(&mut tale, 0, BOB, alloy::primitives::Address::ZERO);
    tale.block().await;
    tale
}

on_both_engines! {
    /// At the end of every block there is one version, with the ones before and after it.
    async fn versions_at_every_block(db: Database) {
        let service = told::service(&db).await;
        let own = |wallet: alloy::primitives::Address| format!("eip155:8453:{wallet}");
        for (blocks, changed, next, wallet, cause, may_log_in) in [
            (8..=9, 8, Some(10), Some(ALICE), "registered", false),
            (10..=11, 10, Some(12), Some(BOT), "proven", true),
            (12..=14, 12, Some(15), Some(SPARE), "proven", true),
            (15..=16, 15, None, None, "", false),
        ] {
            for block in blocks {
                let moments = [format!("?versionTime={}", time(block)), format!("?at=block:{block}")];
                let mut answers = Vec::new();
                for query in &moments {
                    answers.push(resolved(&service, AGENT, query).await);
                }
                assert_eq!(answers[0], answers[1], "at block {block}");
                let (document, metadata) = (&answers[0]["didDocument"], &answers[0]["didDocumentMetadata"]);
                assert_eq!(metadata["created"], time(8).to_string());
                let updated = if changed == 8 { Value::Null } else { json!(time(changed).to_string()) };
                assert_eq!(metadata["updated"], updated, "at block {block}");
                assert_eq!(metadata["versionId"], version(changed), "at block {block}");
                assert_eq!(metadata["nextVersionId"].as_str(), next.map(version).as_deref());
                let next = next.map(|next| time(next).to_string());
                assert_eq!(metadata["nextUpdate"].as_str(), next.as_deref());
                assert_eq!(metadata["hallmark"]["block"]["number"], changed);
                assert_eq!(metadata["hallmark"]["block"]["hash"], hash(changed).to_string());
                assert!(metadata["deactivated"].is_null());
                let Some(wallet) = wallet else {
                    assert!(document["verificationMethod"].is_null(), "at block {block}");
                    assert_eq!(metadata["hallmark"]["wallet"], Value::Null);
                    continue;
                };
                assert_eq!(document["verificationMethod"][0]["blockchainAccountId"], own(wallet));
                assert_eq!(document["authentication"].is_array(), may_log_in, "at block {block}");
                assert_eq!(document["alsoKnownAs"][1], format!("did:pkh:{}", own(wallet)));
                assert_eq!(metadata["hallmark"]["wallet"]["cause"], cause);
                assert_eq!(metadata["hallmark"]["wallet"]["proven"], may_log_in);
            }
        }
        // The block that is answered as of, and how settled it and the version's are.
        let result = resolved(&service, AGENT, "?at=safe").await;
        assert_eq!(result["didResolutionMetadata"]["hallmark"]["as_of"]["block"]["number"], 14);
        assert_eq!(result["didResolutionMetadata"]["hallmark"]["as_of"]["finality"], "safe");
        assert_eq!(result["didDocumentMetadata"]["hallmark"]["finality"], "safe");
        let result = resolved(&service, AGENT, "?at=finalized").await;
        assert_eq!(result["didDocumentMetadata"]["hallmark"]["finality"], "finalized");
        assert_eq!(result["didDocumentMetadata"]["versionId"], version(10));
    }

    /// Between two blocks' times the earlier one's version holds.
    async fn a_time_between_two_blocks(db: Database) {
        let service = told::service(&db).await;
        let before = hallmark::vocab::UnixSeconds::new(time(10).get() - 1).unwrap();
        let result = resolved(&service, AGENT, &format!("?versionTime={before}")).await;
        assert_eq!(result["didDocumentMetadata"]["versionId"], version(8));
    }

    /// A version's id leads to it, whatever came after.
    async fn ids_lead_to_their_versions(db: Database) {
        let service = told::service(&db).await;
        for block in [8, 10, 12, 15] {
            let by_id = resolved(&service, AGENT, &format!("?versionId={}", version(block))).await;
            let by_block = resolved(&service, AGENT, &format!("?at=block:{block}")).await;
            assert_eq!(by_id["didDocument"], by_block["didDocument"]);
            assert_eq!(by_id["didDocumentMetadata"], by_block["didDocumentMetadata"]);
        }
        let never = [
            version(9), version(16), version(7), version(17), version(u64::MAX),
            format!("10-{}", hash(12)), version(10).to_uppercase(), "10".to_owned(), "1".to_owned(),
            String::new(), "10-0x".to_owned(), "%00".to_owned(), "9".repeat(3_000),
        ];
        for id in never {
            refused(&service, &path(AGENT, &format!("?versionId={id}")), 404, "NOT_FOUND").await;
        }
        // Agent 1's block is no version of agent 0, and the other way round.
        let other = "did:web:localhost%3A8004:agents:8453:1";
        refused(&service, &path(other, &format!("?versionId={}", version(10))), 404, "NOT_FOUND").await;
        resolved(&service, other, &format!("?versionId={}", version(9))).await;
    }

    /// What a reorganisation undoes never was: its version is not found, and the one before has no next.
    async fn an_undone_version_never_was(db: Database) {
        let mut tale = told::tell(&db).await;
        let service = Service::new(state(&db, time(20)));
        let undone = format!("?versionId={}", version(15));
        resolved(&service, AGENT, &undone).await;
        tale.revert_to(14).await;
        refused(&service, &path(AGENT, &undone), 404, "NOT_FOUND").await;
        let now = resolved(&service, AGENT, "").await;
        assert_eq!(now["didDocumentMetadata"]["versionId"], version(12));
        assert!(now["didDocumentMetadata"]["nextVersionId"].is_null());
        assert_eq!(now["didDocument"]["verificationMethod"][0]["blockchainAccountId"], format!("eip155:8453:{SPARE}"));
    }

    /// A burnt agent is deactivated, and was not before.
    async fn a_burnt_agent_is_deactivated(db: Database) {
        tell_burning(&db).await;
        let service = Service::new(state(&db, time(20)));
        for accept in ["application/did-resolution", "application/did", "application/did+json"] {
            let reply = with_accept(&service, &path(AGENT, ""), accept).await;
            assert_eq!(reply.status, 410, "{accept}");
            assert_eq!(reply.header("content-type"), "application/did-resolution");
            let result = reply.json();
            assert_eq!(result["didDocument"], Value::Null);
            assert_eq!(result["didDocumentMetadata"]["deactivated"], true);
            assert_eq!(result["didDocumentMetadata"]["versionId"], version(17));
            assert!(result["didResolutionMetadata"]["error"].is_null());
        }
        let before = resolved(&service, AGENT, "?at=block:16").await;
        assert_eq!(before["didDocumentMetadata"]["nextVersionId"], version(17));
        let by_id = format!("?versionId={}", version(17));
        assert_eq!(service.get(&path(AGENT, &by_id)).await.status, 410);
        let reply = service.get("/agents/8453/0/did.json").await;
        assert_eq!(reply.status, 410);
        assert_eq!(reply.problem()["type"], "/problems/deactivated");
    }

    /// A wallet of several agents stands in the document of each; the metadata counts them. An owner is named where that is asked for.
    async fn shared_wallets_and_owners(db: Database) {
        let service = told::service(&db).await;
        for did in [AGENT, "did:web:localhost%3A8004:agents:8453:1"] {
            let result = resolved(&service, did, "?at=block:9").await;
            assert_eq!(result["didDocumentMetadata"]["hallmark"]["wallet"]["agents"], 2);
        }
        let alone = resolved(&service, AGENT, "?at=block:10").await;
        assert_eq!(alone["didDocumentMetadata"]["hallmark"]["wallet"]["agents"], 1);
        assert_eq!(alone["didDocument"]["alsoKnownAs"].as_array().unwrap().len(), 2);
        let mut settings = state(&db, time(20));
        settings.documents.name_owner = true;
        let service = Service::new(settings);
        let names = resolved(&service, AGENT, "?at=block:10").await["didDocument"]["alsoKnownAs"].clone();
        assert_eq!(names[2], format!("did:pkh:eip155:8453:{ALICE}"));
        let same = resolved(&service, AGENT, "?at=block:9").await["didDocument"]["alsoKnownAs"].clone();
        assert_eq!(same.as_array().unwrap().len(), 2, "owner and wallet are one account: {same}");
    }

    /// `did.json` at the path of did:web: always the one media type, with a tag, for every origin.
    async fn documents_at_their_paths(db: Database) {
        let service = told::service(&db).await;
        for accept in ["*/*", "application/ld+json, application/json", "text/html", "application/did;q=0", ""] {
            for (path, id) in [
                ("/agents/8453/0/did.json", AGENT),
                ("/agents/8453/1/did.json", "did:web:localhost%3A8004:agents:8453:1"),
                ("/.well-known/did.json", "did:web:localhost%3A8004"),
            ] {
                let reply = with_accept(&service, path, accept).await;
                assert_eq!((reply.status, reply.header("content-type")), (200, "application/did+json"));
                assert_eq!(reply.json()["id"], id);
                let held = Request::get(path).header("if-none-match", reply.header("etag"));
                assert_eq!(service.send(held.body(Body::empty()).unwrap()).await.status, 304);
            }
        }
        for agent in [0, 1] {
            let path = format!("/agents/8453/{agent}/did.json");
            assert_eq!(service.get(&path).await.status, 200, "from memory as from the database");
        }
        let request = Request::get("/agents/8453/0/did.json").header("origin", "https://a.example");
        let reply = service.send(request.body(Body::empty()).unwrap()).await;
        assert_eq!(reply.header("access-control-allow-origin"), "*");
        let document = resolved(&service, AGENT, "").await["didDocument"].clone();
        assert_eq!(reply.json(), document, "one document, whichever way it is asked for");
        for (path, kind) in [
            ("/agents/8453/77/did.json", "no-such-agent"),
            ("/agents/1/0/did.json", "no-such-agent"),
            ("/agents/08453/0/did.json", "no-such-path"),
            ("/agents/8453/00/did.json", "no-such-path"),
            ("/agents/8453/%30/did.jsonx", "no-such-path"),
            ("/agents/8453/%2e%2e/did.json", "no-such-path"),
            ("/agents/8453/0%00/did.json", "no-such-path"),
            ("/agents/8453/%ff/did.json", "no-such-path"),
            ("/agents/8453/0", "no-such-path"),
        ] {
            let problem = service.problem(path, 404).await;
            assert_eq!(problem["type"], format!("/problems/{kind}"), "{path}");
        }
        // Another chain is named, at the path and in a resolution.
        let at_path = service.problem("/agents/1/0/did.json", 404).await;
        let resolved = refused(&service, &path("did:web:localhost%3A8004:agents:1:0", ""), 404, "NOT_FOUND").await;
        for detail in [&at_path["detail"], &resolved["didResolutionMetadata"]["error"]["detail"]] {
            assert!(detail.as_str().unwrap().contains("this service follows eip155:8453"), "{detail}");
        }
    }

    /// The form of an answer follows `Accept`, and its content type is what its metadata says.
    async fn negotiation(db: Database) {
        let service = told::service(&db).await;
        let older = "application/ld+json;profile=\"https://w3id.org/did-resolution\"";
        let mut tags = std::collections::BTreeMap::new();
        for (accept, content_type, document, is_whole) in [
            ("application/did-resolution", "application/did-resolution", "application/did", true),
            ("*/*", "application/did-resolution", "application/did", true),
            ("application/json", "application/json", "application/did", true),
            (older, older, "application/did+ld+json", true),
            ("application/did", "application/did", "", false),
            ("application/did+json", "application/did+json", "", false),
            ("application/did+ld+json", "application/did+ld+json", "", false),
        ] {
            let reply = with_accept(&service, &path(AGENT, ""), accept).await;
            assert_eq!((reply.status, reply.header("content-type")), (200, content_type));
            assert!(reply.header("vary").to_lowercase().contains("accept"), "{accept}");
            assert!(!reply.header("etag").is_empty(), "{accept}");
            // One tag means one body in one media type.
            let same = tags.insert(reply.header("etag").to_owned(), content_type);
            assert!(same.is_none_or(|other| other == content_type), "{accept} and {same:?}");
            let body = reply.json();
            if is_whole {
                assert_eq!(body["didResolutionMetadata"]["contentType"], document, "{accept}");
                assert_eq!(body["didDocument"]["id"], AGENT);
            } else {
                assert_eq!(body["id"], AGENT, "{accept}");
            }
        }
        // Who holds one form does not hold another, and nobody holds what a POST answers.
        let held = |method: &str, accept: &str, tag: &str| {
            let request = Request::builder().method(method).uri(path(AGENT, "")).header("accept", accept).header("if-none-match", tag);
            service.send(request.body(Body::from(if method == "POST" { "{}" } else { "" })).unwrap())
        };
        let json = with_accept(&service, &path(AGENT, ""), "application/did+json").await;
        let tag = json.header("etag");
        assert_eq!(held("GET", "application/did+json", tag).await.status, 304);
        assert_eq!(held("GET", "application/did+ld+json", tag).await.status, 200);
        assert_eq!(held("HEAD", "application/did", "*").await.status, 304);
        for tag in ["*", tag] {
            let reply = held("POST", "application/did+json", tag).await;
            assert_eq!((reply.status, reply.json()), (200, json.json()), "{tag}");
        }
        let reply = with_accept(&service, &path(AGENT, ""), "text/html").await;
        assert_eq!(reply.status, 406);
        let error = &reply.json()["didResolutionMetadata"]["error"]["type"];
        assert_eq!(error, &format!("{ERRORS}REPRESENTATION_NOT_SUPPORTED"));
    }

    /// Codes and status of everything that can be wrong with a DID, an option or a moment.
    async fn refusals(db: Database) {
        let service = told::service(&db).await;
        let long = "a".repeat(10_000);
        let pkh = format!("did:pkh:eip155:8453:{ALICE}");
        for did in [
            "not-a-did", "did:example", "did:web:", "did:web:a:", "DID:web:a", "did%3Aweb", "did:web:a%",
            "did:web:a%2", "did:web:a b".replace(' ', "%2520").as_str(), "did%3Aweb%3Aa%20b",
            "did%3Aweb%3Aa%00", "did:web:localhost%253A8004:agents:%252e%252e:x",
            "did:web:localhost%3A8004:agents:%2e%2e:x", "did:web:localhost%3A8004:..:x",
            "did:web:localhost%3A8004:agents:8453:0%2F..", "did:web:localhost%3A8004:agents:8453:0%00",
            "did:web:localhost%3A8004::8453:0", "did:web:127.0.0.1", "did:web:127.0.0.1%3A8004:agents:8453:0",
            "did:web:%5B%3A%3A1%5D", "did:web:2130706433", "did:web:0x7f000001",
            "did%3Aweb%3A%D0%B0da.example", "did:web:localhost%3A0", "did:web:localhost%3A99999",
            "did:pkh:eip155:8453:0xZZ", "did:pkh:eip155:abc:0x8004A169FB4a3325136EB29fA0ceB6D2e539a432",
            "did:pkh:eip155:8453", "did:key:z6Mk", "did:key:abc", "did:key:zQ3shokFTS3brHcDQrn82RUDfCZESWL1ZdCEJwekUDPQiYBmf",
            &format!("did:web:{long}"),
        ] {
            refused(&service, &path(did, ""), 400, "INVALID_DID").await;
        }
        // A DID URL is not resolved, where that is what is asked for.
        for url in [&format!("did%3Aweb%3Aa%3FversionTime%3D{}", time(9)), &format!("{pkh}%23blockchainAccountId")] {
            let reply = with_accept(&service, &path(url, ""), "application/did-resolution").await;
            assert_eq!(reply.status, 400, "{url}");
            assert_eq!(reply.json()["didResolutionMetadata"]["error"]["type"], format!("{ERRORS}INVALID_DID"), "{url}");
        }
        for did in ["did:example:123", "did:unsupported:x", "did:plc:ewvi7nxzyoun6zhxrhs64oiz"] {
            refused(&service, &path(did, ""), 501, "METHOD_NOT_SUPPORTED").await;
        }
        for did in [
            "did:web:localhost%3A8004:agents:8453:77", "did:web:localhost%3A8004:agents:1:0",
            "did:web:localhost%3A8004:agents:8453:00", "did:web:localhost%3A8004:agents:8453",
            "did:web:localhost%3A8004:character:nobody", "did:web:localhost%3A8004:v1:status",
            &format!("did:web:localhost%3A8004:agents:8453:{}", alloy::primitives::U256::MAX),
        ] {
            refused(&service, &path(did, ""), 404, "NOT_FOUND").await;
        }
        let before = refused(&service, &path(AGENT, &format!("?versionTime={}", time(7))), 404, "NOT_FOUND").await;
        assert_eq!(before["didResolutionMetadata"]["error"]["as_of"]["block"]["number"], 7);
        for long_ago in ["1970-01-01T00:00:00Z", "0000-01-01T00:00:00Z"] {
            refused(&service, &path(AGENT, &format!("?versionTime={long_ago}")), 404, "NOT_FOUND").await;
        }
        // What is made from the identifier alone will never be otherwise.
        let pkh = path("did:pkh:eip155:1:0xb9c5714089478a327f09197987f16f9e5d936e8a", "");
        let then = service.get(&format!("{pkh}?versionTime=9999-12-31T23:59:59Z")).await;
        assert_eq!((then.status, then.json()), (200, service.get(&pkh).await.json()));
        let solana = "did:pkh:solana:4sGjMW1sUnHzSxGspuhpqLDx6wiyjNtZ:CKg5d12Jhpej1JqtmxLJgaFqqeYjxgPqToJ4LBdvG9Ev";
        for path in [path(AGENT, "?versiontime=x"), path(AGENT, "?verificationRelationship=authentication"), path(solana, "")] {
            refused(&service, &path, 501, "FEATURE_NOT_SUPPORTED").await;
        }
        for query in [
            "?versionTime=yesterday", "?versionTime=2026-02-03T11:08:33.25Z",
            "?versionTime=2026-02-03T11:08:33%2B01:00", "?at=pending",
            "?at=safe&versionTime=2026-02-03T11:08:33Z", "?versionId=1&versionId=2", "?noCache=1",
        ] {
            refused(&service, &path(AGENT, query), 400, "INVALID_OPTIONS").await;
        }
        // What is not known yet is neither "not found" nor guessed at: the blocks that are known are named.
        for query in [format!("?versionTime={}", time(17)), "?versionTime=9999-01-01T00:00:00Z".to_owned(), "?versionTime=9999-12-31T23:59:59Z".to_owned(), "?at=block:17".to_owned()] {
            let problem = service.problem(&path(AGENT, &query), 409).await;
            assert_eq!(problem["type"], "/problems/not-indexed-yet", "{query}");
            assert_eq!((&problem["indexed"]["number"], &problem["head"]["number"]), (&json!(16), &json!(18)));
        }
    }

    /// An identifier in another of its forms is resolved as it was asked for, and the canonical one is named.
    async fn other_forms_of_an_identifier(db: Database) {
        let service = told::service(&db).await;
        let lower = format!("did:pkh:eip155:8453:{}", ALICE.to_string().to_lowercase());
        for (asked, canonical) in [
            ("did:web:localhost%3a8004:agents:8453:0", AGENT),
            ("did:web:LOCALHOST%3A8004:agents:8453:0", AGENT),
            ("did:web:Localhost%3a8004", "did:web:localhost%3A8004"),
            (lower.as_str(), &format!("did:pkh:eip155:8453:{ALICE}")),
        ] {
            let result = resolved(&service, asked, "").await;
            assert_eq!(result["didDocumentMetadata"]["canonicalId"], canonical);
            assert_eq!(result["didDocumentMetadata"]["equivalentId"], json!([canonical]));
            let encoded = asked.replace('%', "%25").replace(':', "%3A");
            let same = service.get(&path(&encoded, "")).await.json();
            assert_eq!(same["didDocument"]["id"], asked, "percent-encoded");
            assert!(resolved(&service, canonical, "").await["didDocumentMetadata"]["canonicalId"].is_null());
        }
    }

    /// What is made from the identifier alone needs no chain, was never otherwise, and has no versions.
    async fn generated_documents(db: Database) {
        let service = Service::new(state(&db, time(20)));
        let account = format!("did:pkh:eip155:1:{ALICE}");
        for did in [account.as_str(), "did:key:z6MkpTHR8VNsBxYAAWHut2Geadd9jSwuBV8xRoAnwWsdvktH"] {
            let now = resolved(&service, did, "").await;
            let then = resolved(&service, did, "?versionTime=2001-01-01T00:00:00Z").await;
            assert_eq!(now, then);
            refused(&service, &path(did, "?versionId=1"), 404, "NOT_FOUND").await;
        }
        // An agent of a chain that nobody has followed yet is not "not found".
        let reply = service.get(&path(AGENT, "")).await;
        assert_eq!((reply.status, reply.problem()["type"].as_str()), (503, Some("/problems/nothing-indexed-yet")));
    }

    /// Every link of an agent, with what each side says; pages join; with `at`, those that held then.
    async fn links_of_an_agent(db: Database) {
        let mut tale = told::tell(&db).await;
        told::metadata(&mut tale, 0, "did", b"did:web:ada.example");
        tale.block().await;
        told::metadata(&mut tale, 0, "did", AGENT.as_bytes());
        tale.block().await;
        let mut settings = state(&db, time(20));
        settings.documents.name_owner = true;
        let service = Service::new(settings);
        let links = format!("/v1/dids/{AGENT}/links");
        let told = |items: &[Value]| -> Vec<(String, String, Value, Value, Value)> {
            items.iter().map(|link| {
                let text = |member: &str| link[member].as_str().unwrap().to_owned();
                assert_eq!(link["subject"], AGENT);
                assert_eq!(link["both_ways"], !link["object_says"].is_null(), "{link}");
                (text("kind"), text("object"), link["object_says"].clone(), link["from"]["block"].clone(), link["to"]["block"].clone())
            }).collect()
        };
        let account = |address| format!("did:pkh:eip155:8453:{address}");
        let caip19 = "eip155:8453/erc721:0x8004A169FB4a3325136EB29fA0ceB6D2e539a432/0".to_owned();
        let row = |kind: &str, object: &str, says: Value, from: u64, to: Value| {
            (kind.to_owned(), object.to_owned(), says, json!(from), to)
        };
        let (none, signed) = (Value::Null, json!("signature"));
        let expected = [
            row("registration", &caip19, none.clone(), 8, none.clone()),
            row("owner", &account(ALICE), none.clone(), 8, json!(15)),
            row("wallet", &account(ALICE), none.clone(), 8, json!(10)),
            row("wallet", &account(BOT), signed.clone(), 10, json!(12)),
            row("wallet", &account(SPARE), signed, 12, json!(15)),
            row("owner", &account(BOB), none.clone(), 15, none.clone()),
            row("did", "did:web:ada.example", none.clone(), 17, json!(18)),
            row("registration", &caip19, json!("metadata"), 18, none.clone()),
        ];
        let whole = service.ok(&links).await;
        assert_eq!(told(whole["items"].as_array().unwrap()), expected);
        assert_eq!(whole["items"][3]["proof"], "signature");
        assert!(whole["items"][3]["from"]["tx_hash"].is_string(), "the evidence can be looked up");
        for limit in [1, 2, 3] {
            let pages = super::all_pages(&service, &format!("{links}?limit={limit}"), "items").await;
            assert_eq!(told(&pages), expected, "in pages of {limit}");
        }
        for (at, kinds) in [
            ("block:8", vec!["registration", "owner", "wallet"]),
            ("block:16", vec!["registration", "owner"]),
            ("block:17", vec!["registration", "owner", "did"]),
            ("latest", vec!["registration", "owner", "registration"]),
        ] {
            let then = service.ok(&format!("{links}?at={at}")).await;
            let found: Vec<_> = told(then["items"].as_array().unwrap()).into_iter().map(|link| link.0).collect();
            assert_eq!(found, kinds, "{at}");
        }
        for (path, status) in [
            ("did:web:localhost%3A8004:agents:8453:77/links", 404),
            ("did:web:localhost%3A8004:agents:1:0/links", 400),
            ("did:web:localhost%3A8004:agents:8453:0/links?at=block:99", 409),
            ("did:web:other.example:agents:8453:0/links", 400),
            ("did:key:z6MkpTHR8VNsBxYAAWHut2Geadd9jSwuBV8xRoAnwWsdvktH/links", 400),
            ("did:pkh:eip155:8453:0x1/links", 400),
            ("nonsense/links", 400),
            ("did%3Aweb%3A%ff/links", 400),
        ] {
            service.problem(&format!("/v1/dids/{path}"), status).await;
        }
    }

    /// From an account to the DIDs that it belongs to: then, and ever.
    async fn dids_of_an_account(db: Database) {
        let service = told::service(&db).await;
        let subjects = async |account: &str, query: &str| -> Vec<Value> {
            let path = format!("/v1/dids/{account}/links{query}");
            let items = service.ok(&path).await["items"].as_array().unwrap().clone();
            items.into_iter().map(|link| link["subject"].clone()).collect()
        };
        let other = "did:web:localhost%3A8004:agents:8453:1";
        let of = |address| format!("did:pkh:eip155:8453:{address}");
        assert_eq!(subjects(&of(ALICE), "?at=block:9").await, [AGENT, other]);
        assert_eq!(subjects(&of(ALICE), "?at=block:10").await, [other]);
        assert_eq!(subjects(&of(ALICE), "").await, [AGENT, other]);
        assert_eq!(subjects(&of(ALICE).to_lowercase(), "").await, [AGENT, other]);
        assert_eq!(subjects(&of(BOT), "?at=block:9").await, [""; 0]);
        assert_eq!(subjects(&of(BOT), "?at=block:10").await, [AGENT]);
        assert_eq!(subjects(&of(BOT), "").await, [AGENT]);
        assert_eq!(subjects(&format!("did:pkh:eip155:1:{ALICE}"), "").await, [""; 0], "another chain");
        let pages = super::all_pages(&service, &format!("/v1/dids/{}/links?at=block:9&limit=1", of(ALICE)), "items").await;
        assert_eq!(pages.len(), 2);
    }

    /// Where documents name owners, an account's links are those of both its roles: then, and ever, in pages that join.
    async fn agents_that_an_account_owned(db: Database) {
        told::tell(&db).await;
        let mut settings = state(&db, time(20));
        settings.documents.name_owner = true;
        let service = Service::new(settings);
        let other = "did:web:localhost%3A8004:agents:8453:1";
        let row = |link: &Value| {
            let text = |member: &str| link[member].as_str().unwrap().to_owned();
            assert_eq!(link["both_ways"], link["proof"] == "signature", "{link}");
            (text("subject"), text("kind"), link["from"]["block"].as_u64().unwrap(), link["to"]["block"].as_u64())
        };
        let expected = |rows: &[(&str, &str, u64, Option<u64>)]| -> Vec<_> {
            rows.iter().map(|(did, kind, from, to)| ((*did).to_owned(), (*kind).to_owned(), *from, *to)).collect()
        };
        let (first, second) = (("owner", 8, Some(15)), ("wallet", 8, Some(10)));
        for (account, at, rows) in [
            (ALICE, "", vec![
                (AGENT, first.0, first.1, first.2), (AGENT, second.0, second.1, second.2),
                (other, "owner", 9, None), (other, "wallet", 9, None),
            ]),
            (ALICE, "at=block:9&", vec![
                (AGENT, first.0, first.1, first.2), (AGENT, second.0, second.1, second.2),
                (other, "owner", 9, None), (other, "wallet", 9, None),
            ]),
            (ALICE, "at=block:10&", vec![
                (AGENT, "owner", 8, Some(15)), (other, "owner", 9, None), (other, "wallet", 9, None),
            ]),
            (ALICE, "at=block:15&", vec![(other, "owner", 9, None), (other, "wallet", 9, None)]),
            (BOB, "at=block:14&", vec![]),
            (BOB, "", vec![(AGENT, "owner", 15, None)]),
            (BOT, "", vec![(AGENT, "wallet", 10, Some(12))]),
        ] {
            let links = format!("/v1/dids/did:pkh:eip155:8453:{account}/links?{at}");
            for limit in [1, 2, 3, 50] {
                let pages = super::all_pages(&service, &format!("{links}limit={limit}"), "items").await;
                let found: Vec<_> = pages.iter().map(row).collect();
                assert_eq!(found, expected(&rows), "{account} {at} in pages of {limit}");
            }
        }
        // A service whose documents do not name owners does not list them either.
        let silent = Service::new(state(&db, time(20)));
        let none = silent.ok(&format!("/v1/dids/did:pkh:eip155:8453:{BOB}/links")).await;
        assert_eq!(none["items"], json!([]));
    }
}
