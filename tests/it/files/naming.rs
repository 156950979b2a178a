//! Who names an agent back: domains and DIDs, in documents and links, and as of when.

use alloy::primitives::{Address, U256};
use hallmark::registry::file::TYPE;
use serde_json::{Value, json};

use super::hosts::{Hand, Host};
use super::{ALICE, agent, chain, findings, keeper, metadata, register, service, settle};
use crate::support::abi::IIdentity;
use crate::support::databases::on_both_engines;
use crate::support::service::Service;
use crate::support::tale::{IDENTITY, time};

const OWN: &str = "did:web:localhost%3A8004:agents:8453:0";
const WELL_KNOWN: &str = "/.well-known/agent-registration.json";

fn file(host: &Host, dids: &[&str]) -> Value {
    let mut services = vec![json!({ "name": "A2A", "endpoint": host.url("a2a") })];
    services.extend(dids.iter().map(|did| json!({ "name": "DID", "endpoint": did })));
    json!({
        "type": TYPE,
        "name": "Ada",
        "services": services,
        "registrations": [{ "agentId": 0, "agentRegistry": format!("eip155:8453:{IDENTITY}") }],
    })
}

fn document(did: &str, names: &[&str]) -> Value {
    json!({ "@context": "https://www.w3.org/ns/did/v1", "id": did, "alsoKnownAs": names })
}

/// A file as a plain `data:` URI holds it.
fn escaped(file: &Value) -> String {
    file.to_string().replace('%', "%25")
}

async fn also_known_as(service: &Service, query: &str) -> Vec<Value> {
    let reply = service.get(&format!("/1.0/identifiers/{OWN}{query}")).await;
    assert_eq!(reply.status, 200, "{query}: {}", reply.text());
    let result = reply.json();
    result["didDocument"]["alsoKnownAs"].as_array().unwrap().iter().skip(2).cloned().collect()
}

/// The links to DIDs and domains: object, what each side says, whether both do, how it was proven, when it was checked.
async fn links(service: &Service, query: &str) -> Vec<Value> {
    let page = service.ok(&format!("/v1/dids/{OWN}/links{query}")).await;
    let items = page["items"].as_array().unwrap().iter();
    let named = items.filter(|link| link["kind"] == "did" || link["kind"] == "domain");
    named
        .map(|link| {
            json!([
                link["object"],
                link["subject_says"],
                link["object_says"],
                link["both_ways"],
                link["proof"],
                link["checked"],
            ])
        })
        .collect()
}

on_both_engines! {
    /// A link counts once the other side says so too, and no longer than it does.
    async fn dids_and_domains_are_asked_whether_they_agree(db: Database) {
        let (host, clock) = (Host::new().await, Hand::at(time(20)));
        let (agreeing, silent, named) = (host.did("agreeing"), host.did("silent"), host.did("metadata"));
        let caip19 = format!("eip155:8453/erc721:{}/0", IDENTITY.to_string().to_lowercase());
        host.put_json("/agent.json", &file(&host, &[&agreeing, &silent, "did:example:x", OWN]));
        host.put_json("/agreeing/did.json", &document(&agreeing, &["x:y", &caip19]));
        host.put_json("/silent/did.json", &document(&silent, &["did:web:localhost%3A8004:agents:8453:1"]));
        host.put_json("/metadata/did.json", &document(&named, &[OWN]));
        host.put_json(WELL_KNOWN, &file(&host, &[]));
        let mut tale = chain(&db).await;
        register(&mut tale, 0, &host.url("agent.json"));
        metadata(&mut tale, 0, "did", named.as_bytes());
        let block = tale.block().await;
        let (keeper, service) = (keeper(&db, &host, &clock), service(&db, &clock));
        assert_eq!(also_known_as(&service, "").await, [""; 0]);
        settle(&keeper).await;
        assert_eq!(host.asked(), 5, "the file, three documents and the domain");

        assert_eq!(also_known_as(&service, "").await, [named.as_str(), agreeing.as_str()]);
        let at = json!(time(20).to_string());
        let domain = format!("https://localhost:{}", host.port);
        let mut found = links(&service, "").await;
        found.sort_by_key(ToString::to_string);
        let mut expected = [
            json!([named, "metadata", "document", true, "metadata", at]),
            json!([agreeing, "file", "document", true, "file", at]),
            json!([silent, "file", null, false, "file", at]),
            json!(["did:example:x", "file", null, false, "file", null]),
            json!([domain, "file", "domain", true, "file", at]),
        ];
        expected.sort_by_key(ToString::to_string);
        assert_eq!(found, expected);
        let told = agent(&service, 0, "").await;
        assert_eq!(told["file"]["domains"][0]["names_agent"], true);
        let found = findings(&told);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].0 == "not-named-back" && found[0].1.contains(&silent), "{found:?}");

        // As of the block itself nothing was known; by the id of the version, all that became known while it was in force.
        assert_eq!(also_known_as(&service, &format!("?at=block:{block}")).await, [""; 0]);
        let whole = service.get(&format!("/1.0/identifiers/{OWN}")).await.json();
        let id = whole["didDocumentMetadata"]["versionId"].as_str().unwrap().to_owned();
        let by_id = also_known_as(&service, &format!("?versionId={id}")).await;
        assert_eq!(by_id, [named.as_str(), agreeing.as_str()]);

        // The other side takes it back, or is gone.
        host.put_json("/agreeing/did.json", &document(&agreeing, &[]));
        host.remove("/metadata/did.json");
        host.remove(WELL_KNOWN);
        clock.later(2 * 86_400);
        settle(&keeper).await;
        assert_eq!(also_known_as(&service, "").await, [""; 0]);
        assert!(links(&service, "").await.iter().all(|link| link[3] == false));
        // As of a time at which both said so, both did.
        tale.quiet(1).await;
        let kept = links(&service, &format!("?at=block:{}", tale.last())).await;
        assert!(!kept.is_empty());
    }

    /// Agents of this host are asked among each other, and nothing is fetched for it: who names whom is known here.
    async fn agents_of_this_host_name_each_other(db: Database) {
        let (host, clock) = (Host::new().await, Hand::at(time(20)));
        let agent_did = |id: u64| format!("did:web:localhost%3A8004:agents:8453:{id}");
        let (other, third, service_did) = (agent_did(1), agent_did(2), "did:web:localhost%3A8004");
        let mut tale = chain(&db).await;
        let inline = |dids: &[&str]| format!("data:application/json,{}", escaped(&json!({
            "type": TYPE, "services": dids.iter().map(|did| json!({ "name": "DID", "endpoint": did })).collect::<Vec<_>>(),
        })));
        register(&mut tale, 0, &inline(&[&other, &third, service_did, &agent_did(77), "did:web:localhost%3A8004:character:ada"]));
        host.put_json("/other.json", &json!({ "type": TYPE, "services": [{ "name": "DID", "endpoint": OWN }] }));
        register(&mut tale, 1, &host.url("other.json"));
        register(&mut tale, 2, "");
        let before = tale.block().await;
        metadata(&mut tale, 2, "did", OWN.as_bytes());
        let block = tale.block().await;
        let (keeper, service) = (keeper(&db, &host, &clock), service(&db, &clock));
        // The third says so on the chain; the other by a file that was not fetched yet.
        assert_eq!(also_known_as(&service, "").await, [third.as_str()]);
        settle(&keeper).await;
        assert_eq!(host.asked(), 1, "nothing but the other's file");
        assert_eq!(also_known_as(&service, "").await, [other.as_str(), third.as_str()]);
        assert_eq!(also_known_as(&service, &format!("?at=block:{block}")).await, [third.as_str()]);
        assert_eq!(also_known_as(&service, &format!("?at=block:{before}")).await, [""; 0]);
        let served = service.get("/agents/8453/0/did.json").await.json();
        let whole = service.get(&format!("/1.0/identifiers/{OWN}")).await.json();
        assert_eq!(served, whole["didDocument"], "both ways to it give the same document");
        let of_third = service.get("/agents/8453/2/did.json").await.json();
        assert!(of_third["alsoKnownAs"].to_string().contains(OWN), "{of_third}");
        let agreeing: Vec<_> = links(&service, "").await.into_iter().filter(|link| link[3] == true).map(|link| link[0].clone()).collect();
        assert_eq!(agreeing, [json!(other), json!(third)]);
        // The service's own document and one that is not there name nobody; of a character its wallets say whose agents it has.
        let silent = findings(&agent(&service, 0, "").await);
        let kinds: Vec<_> = silent.iter().filter(|found| found.0 == "not-named-back").map(|found| found.1.split(' ').next().unwrap().to_owned()).collect();
        assert_eq!(kinds, [service_did.to_owned(), agent_did(77)]);

        // Burnt, the third has no document any more, whatever its entries still are; as of before it has.
        let id = U256::from(2);
        tale.say(IDENTITY, &IIdentity::Transfer { from: ALICE, to: Address::ZERO, tokenId: id });
        tale.block().await;
        assert_eq!(service.get("/agents/8453/2/did.json").await.status, 410);
        assert_eq!(also_known_as(&service, "").await, [other.as_str()]);
        let served = service.get("/agents/8453/0/did.json").await.json();
        let whole = service.get(&format!("/1.0/identifiers/{OWN}")).await.json();
        assert_eq!(served, whole["didDocument"], "both ways to it give the same document");
        let third_link = links(&service, "").await.into_iter().find(|link| link[0] == third).unwrap();
        assert_eq!((&third_link[2], &third_link[3]), (&Value::Null, &json!(false)));
        let silent = findings(&agent(&service, 0, "").await);
        assert!(silent.iter().any(|found| found.0 == "not-named-back" && found.1.starts_with(&third)), "{silent:?}");
        assert_eq!(also_known_as(&service, &format!("?at=block:{block}")).await, [third.as_str()]);
    }

    /// What the file behind a URI was seen to be, and when, can be asked for as of any time.
    async fn the_history_of_a_file_is_served(db: Database) {
        let (host, clock) = (Host::new().await, Hand::at(time(20)));
        host.put_json("/agent.json", &json!({ "name": "a" }));
        let mut tale = chain(&db).await;
        register(&mut tale, 0, &host.url("agent.json"));
        register(&mut tale, 1, "data:,{}");
        let block = tale.block().await;
        let (keeper, service) = (keeper(&db, &host, &clock), service(&db, &clock));
        assert_eq!(service.ok("/v1/agents/0/files").await["items"], json!([]), "not fetched yet");
        settle(&keeper).await;
        clock.later(2 * 86_400);
        host.put_json("/agent.json", &json!({ "name": "bb" }));
        settle(&keeper).await;
        clock.later(2 * 86_400);
        host.remove("/agent.json");
        settle(&keeper).await;
        let told = service.ok("/v1/agents/0/files").await;
        let items = told["items"].as_array().unwrap();
        assert_eq!(items.iter().map(|item| item["bytes"].clone()).collect::<Vec<_>>(), [json!(12), json!(13), json!(null)]);
        assert_eq!((&items[0]["location"], &items[0]["origin"]), (&json!(host.url("agent.json")), &json!("web")));
        assert_eq!(items[0]["first_seen"], json!(time(20).to_string()));
        assert!(items[1]["sha256"].as_str().unwrap().starts_with("0x") && items[2]["sha256"].is_null());
        assert!(told["next"].is_null() && told["as_of"]["block"]["number"] == json!(tale.last()));
        // By pages, and by what had been seen.
        let first = service.ok("/v1/agents/0/files?limit=2").await;
        let rest = service.ok(&format!("/v1/agents/0/files?limit=2&cursor={}", first["next"].as_str().unwrap())).await;
        assert_eq!((first["items"].as_array().unwrap().len(), &rest["items"][0]), (2, &items[2]));
        assert_eq!(service.ok(&format!("/v1/agents/0/files?at=block:{block}")).await["items"], json!([]));
        assert_eq!(service.ok("/v1/agents/1/files").await["items"], json!([]), "the URI holds it");
        service.problem("/v1/agents/77/files", 404).await;
        service.problem("/v1/agents/0/files?at=block:99", 409).await;
        service.problem("/v1/agents/0/files?cursor=x", 400).await;
    }

    /// So much is kept and no more; what there is no room for is said of its agent, and tried again once there is.
    async fn what_is_kept_has_a_bound(db: Database) {
        let (host, clock) = (Host::new().await, Hand::at(time(20)));
        for name in ["a", "b"] {
            host.put_json(&format!("/{name}.json"), &json!({ "name": name.repeat(400) }));
        }
        let mut tale = chain(&db).await;
        register(&mut tale, 0, &host.url("a.json"));
        register(&mut tale, 1, &host.url("b.json"));
        tale.block().await;
        let service = service(&db, &clock);
        settle(&keeper(&db, &host, &clock).with_stored_max(600)).await;
        let told = [agent(&service, 0, "").await, agent(&service, 1, "").await];
        let states: Vec<_> = told.iter().map(|agent| agent["file"]["state"].as_str().unwrap()).collect();
        let refused = usize::from(states == ["read", "failing"]);
        assert_eq!((states[1 - refused], states[refused]), ("read", "failing"), "{states:?}");
        let found = findings(&told[refused]);
        assert!(found.iter().any(|(kind, text)| kind == "file-not-fetched" && text.contains("`files_max_mib`")), "{found:?}");
        // Another process counts what is there; what is held already takes no room.
        clock.later(2 * 86_400);
        settle(&keeper(&db, &host, &clock).with_stored_max(600)).await;
        assert_eq!(agent(&service, u64::from(refused == 0), "").await["file"]["state"], "read");
        clock.later(8 * 86_400);
        settle(&keeper(&db, &host, &clock).with_stored_max(1_000)).await;
        for id in [0, 1] {
            assert_eq!(agent(&service, id, "").await["file"]["state"], "read");
        }
    }

    /// A file that its URI holds is heard from the block on that set it.
    async fn what_a_uri_holds_speaks_at_once(db: Database) {
        let (host, clock) = (Host::new().await, Hand::at(time(20)));
        let did = host.did("agreeing");
        host.put_json("/agreeing/did.json", &document(&did, &[OWN]));
        let mut tale = chain(&db).await;
        register(&mut tale, 0, &format!("data:application/json,{}", escaped(&file(&host, &[&did]))));
        let block = tale.block().await;
        let (keeper, service) = (keeper(&db, &host, &clock), service(&db, &clock));
        let resolved = service.get(&format!("/1.0/identifiers/{OWN}?at=block:{block}")).await.json();
        let services = &resolved["didDocument"]["service"];
        assert_eq!(services[0]["serviceEndpoint"], host.url("a2a"));
        assert_eq!(services[1]["serviceEndpoint"], did);
        settle(&keeper).await;
        assert_eq!(also_known_as(&service, "").await, [did.as_str()]);
        let served = service.get("/agents/8453/0/did.json").await.json();
        let whole = service.get(&format!("/1.0/identifiers/{OWN}")).await.json();
        assert_eq!(served, whole["didDocument"], "both ways to it give the same document");
    }
}
