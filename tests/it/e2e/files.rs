//! An agent's registration file from its registration to its sale: in the URI, then at a host, changed there, and sold with the agent.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use alloy::primitives::U256;
use hallmark::app::{Clock as _, FetchOptions, FileFetcher, FileKeeper};
use hallmark::did::web::WebHost;
use hallmark::registry::file::TYPE;
use hallmark::vocab::UnixSeconds;
use serde_json::{Value, json};

use super::{Stage, who};
use crate::files::hosts::{Hand, Host};
use crate::support::anvil::{BLOCK_TIME_S, GENESIS_TIME};
use crate::support::databases::on_both_engines;
use crate::support::service::{self, Service};

const DID: &str = "did:web:localhost%3A8004:agents:31337:0";

fn time(block: u64) -> UnixSeconds {
    UnixSeconds::new(GENESIS_TIME + BLOCK_TIME_S * block).unwrap()
}

/// What the document at a moment names: services, and other identifiers beside the registration and the wallet.
async fn said(service: &Service, query: &str) -> (Vec<Value>, Vec<Value>) {
    let reply = service.get(&format!("/1.0/identifiers/{DID}{query}")).await;
    assert_eq!(reply.status, 200, "{query}: {}", reply.text());
    let document = reply.json()["didDocument"].clone();
    let list = |name: &str| document[name].as_array().cloned().unwrap_or_default();
    let services =
        list("service").iter().map(|service| service["serviceEndpoint"].clone()).collect();
    let names = list("alsoKnownAs").into_iter();
    let others =
        names.filter(|name| name.as_str().is_some_and(|name| name.starts_with("did:web:")));
    (services, others.collect())
}

on_both_engines! {
    async fn a_file_from_registration_to_sale(db: Database) {
        let stage = Stage::new(db.clone()).await;
        let (alice, bob, agent) = (who("alice"), who("bob"), U256::ZERO);
        let (anvil, registries) = (&stage.anvil, &stage.registries);
        let host = Host::new().await;
        let own = host.did("ada");
        let registry = format!("eip155:31337:{}", registries.identity);
        let file = |endpoint: &str, did: &[&str]| {
            let mut services = vec![json!({ "name": "MCP", "endpoint": endpoint })];
            services.extend(did.iter().map(|did| json!({ "name": "DID", "endpoint": did })));
            json!({
                "type": TYPE, "name": "Ada", "services": services,
                "registrations": [{ "agentId": 0, "agentRegistry": registry }],
            })
        };
        host.put_json("/ada/did.json", &json!({ "id": own, "alsoKnownAs": [DID] }));

        // Registered, with the file in the URI: it speaks from that block on, also as of then.
        let inline = format!("data:application/json,{}", file("wss://inline.example/", &[]));
        let born = anvil.send(registries.register_with_uri(alice, &inline)).await.block_number.unwrap();
        anvil.mine(3).await;
        stage.indexer.catch_up().await;
        let clock = Hand::at(time(anvil.head().await));
        let options = FetchOptions {
            private_hosts: BTreeSet::from(["localhost".to_owned()]),
            authorities: vec![host.authority()],
            timeout: Duration::from_secs(5),
            ..FetchOptions::default()
        };
        let fetcher = FileFetcher::new(Arc::new(clock.clone()), &options).unwrap();
        let here = WebHost::parse("localhost:8004").unwrap();
        let keeper = FileKeeper::new(db.clone(), fetcher, Arc::new(clock.clone()), here).with_pause(Duration::ZERO);
        let settle = async || while keeper.turn().await.unwrap().due > 0 {};
        let mut settings = service::state(&db, clock.now());
        settings.clock = Arc::new(clock.clone());
        settings.known = Arc::new(stage.indexer.known.clone());
        let service = Service::new(settings);
        settle().await;
        assert_eq!(host.asked(), 0, "nothing has to be fetched");
        let from_uri = (vec![json!("wss://inline.example/")], vec![]);
        assert_eq!(said(&service, "").await, from_uri);
        assert_eq!(said(&service, &format!("?at=block:{born}")).await, from_uri);

        // Moved to a host: unknown until it is fetched, and the new DID counts because it names the agent back.
        host.put_json("/agent.json", &file("wss://first.example/", &[&own]));
        let uri = host.url("agent.json");
        let moved = anvil.send(registries.set_uri(alice, agent, &uri)).await.block_number.unwrap();
        anvil.mine(1).await;
        stage.indexer.catch_up().await;
        assert_eq!(said(&service, "").await, (vec![], vec![]));
        clock.move_to(time(moved + 5));
        settle().await;
        let first = (vec![json!("wss://first.example/"), json!(own)], vec![json!(own)]);
        assert_eq!(said(&service, "").await, first);

        // Changed at the host without a word on the chain: seen within about a day, and what it was before is still known.
        anvil.mine(20).await;
        stage.indexer.catch_up().await;
        host.put_json("/agent.json", &file("wss://second.example/", &[]));
        clock.later(2 * 86_400);
        settle().await;
        let second = (vec![json!("wss://second.example/")], vec![]);
        assert_eq!(said(&service, "").await, second);
        assert_eq!(said(&service, &format!("?versionTime={}", time(moved + 5))).await, first);
        assert_eq!(said(&service, &format!("?at=block:{}", moved + 4)).await, (vec![], vec![]));
        assert_eq!(said(&service, &format!("?at=block:{}", moved - 1)).await, from_uri);

        // Sold: the URI goes with the agent, and the finding of the file stays with it.
        anvil.send(registries.transfer(alice, bob, agent)).await;
        stage.indexer.catch_up().await;
        settle().await;
        assert_eq!(said(&service, "").await, second);
        let told = service.ok("/v1/agents/0").await;
        assert_eq!((&told["file"]["state"], &told["file"]["names_agent"]), (&json!("read"), &json!(true)));
        assert_eq!(told["owner"], format!("eip155:31337:{bob}"));
        // Folding everything anew changes no answer.
        let all = async || {
            let mut answers = Vec::new();
            for block in born..=anvil.head().await {
                answers.push(said(&service, &format!("?at=block:{block}")).await);
            }
            answers
        };
        let before = all().await;
        hallmark::app::rebuild(&db, |_| ()).await.unwrap();
        settle().await;
        assert_eq!(all().await, before);
    }
}
