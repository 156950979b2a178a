//! Who names an agent back: domains and DIDs, in documents and links, and as of when.

use hallmark::registry::file::TYPE;
use serde_json::{Value, json};

use super::hosts::{Hand, Host};
use super::{agent, chain, findings, keeper, metadata, register, service, settle};
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
