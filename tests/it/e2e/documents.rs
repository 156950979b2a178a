//! The DID document of an agent that rotated its wallet three times and was then sold: before, between, after, and once it never was.

use std::sync::Arc;

use alloy::primitives::{Address, U256};
use hallmark::vocab::UnixSeconds;
use serde_json::{Value, json};

use super::{Stage, who};
use crate::support::anvil::{BLOCK_TIME_S, GENESIS_TIME, account};
use crate::support::databases::on_both_engines;
use crate::support::service::{self, Service};

const DID: &str = "did:web:localhost%3A8004:agents:31337:0";

/// When a block of the test chain was made.
fn time(block: u64) -> UnixSeconds {
    UnixSeconds::new(GENESIS_TIME + BLOCK_TIME_S * block).unwrap()
}

async fn at(service: &Service, query: &str) -> (Value, Value) {
    let reply = service.get(&format!("/1.0/identifiers/{DID}{query}")).await;
    assert_eq!(reply.status, 200, "{query}: {}", reply.text());
    let result = reply.json();
    (result["didDocument"].clone(), result["didDocumentMetadata"].clone())
}

/// The wallet that a document names, and whether it may log in.
fn speaks(document: &Value) -> Option<(Value, bool)> {
    let wallet = document["verificationMethod"][0]["blockchainAccountId"].clone();
    wallet.is_string().then_some((wallet, document["authentication"].is_array()))
}

on_both_engines! {
    async fn three_rotations_and_a_sale(db: Database) {
        let stage = Stage::new(db.clone()).await;
        let (alice, bob, agent) = (who("alice"), who("bob"), U256::ZERO);
        let (anvil, registries) = (&stage.anvil, &stage.registries);
        let block = async |call| {
            anvil.mine(2).await;
            anvil.send(call).await.block_number.unwrap()
        };
        let born = block(registries.register(alice)).await;
        let mut lives: Vec<(u64, Option<Address>, bool)> = vec![(born, Some(alice), false)];
        for name in ["first", "second", "third"] {
            let call = registries.set_wallet(alice, agent, &account(name)).await;
            lives.push((block(call).await, Some(who(name)), true));
        }
        // Signed while it is still Alice's: the signature names the owner.
        let instead = registries.set_wallet(alice, agent, &account("fourth")).await;
        let sold = block(registries.transfer(alice, bob, agent)).await;
        lives.push((sold, None, false));
        anvil.mine(3).await;
        stage.indexer.catch_up().await;
        let mut settings = service::state(&db, UnixSeconds::MAX);
        settings.known = Arc::new(stage.indexer.known.clone());
        let service = Service::new(settings);

        // Before its registration it does not exist.
        let early = format!("/1.0/identifiers/{DID}?versionTime={}", time(born - 1));
        assert_eq!(service.get(&early).await.status, 404);
        // At every block from then on: the document of the wallet that spoke for it then, and the versions around it.
        let mut ids = Vec::new();
        for (i, (from, wallet, proven)) in lives.iter().enumerate() {
            let next = lives.get(i + 1).map(|(block, ..)| *block);
            let expected = wallet.map(|w| (json!(format!("eip155:31337:{w}")), *proven));
            for moment in *from..next.unwrap_or(sold + 3) {
                let (document, metadata) = at(&service, &format!("?versionTime={}", time(moment))).await;
                assert_eq!(document["id"], DID);
                assert_eq!(speaks(&document), expected, "at block {moment}");
                assert_eq!(metadata["created"], time(born).to_string());
                assert_eq!(metadata["hallmark"]["block"]["number"], *from, "at block {moment}");
                let next_time = next.map(|next| time(next).to_string());
                assert_eq!(metadata["nextUpdate"].as_str(), next_time.as_deref());
                ids.push(metadata["versionId"].as_str().unwrap().to_owned());
                let by_id = at(&service, &format!("?versionId={}", ids.last().unwrap())).await;
                assert_eq!(speaks(&by_id.0), expected);
            }
        }
        ids.dedup();
        assert_eq!(ids.len(), 5);

        // The sale and the last rotation never were; the agent rotates elsewhere instead. Their ids lead nowhere from now on, even
        // though something else changed in a block of the same number; the ids before them mean what they meant.
        let third = lives[3].0;
        anvil.reorg_with(anvil.head().await + 1 - third, &[(instead, 0)]).await;
        stage.indexer.catch_up().await;
        for id in &ids[3..] {
            let gone = service.get(&format!("/1.0/identifiers/{DID}?versionId={id}")).await;
            assert_eq!(gone.status, 404, "{}", gone.text());
        }
        let (document, metadata) = at(&service, "").await;
        assert_eq!(speaks(&document), Some((json!(format!("eip155:31337:{}", who("fourth"))), true)));
        assert_eq!(metadata["hallmark"]["block"]["number"], third);
        assert!(!ids.contains(&metadata["versionId"].as_str().unwrap().to_owned()));
        let (document, kept) = at(&service, &format!("?versionId={}", ids[2])).await;
        assert_eq!(speaks(&document), Some((json!(format!("eip155:31337:{}", who("second"))), true)));
        assert_eq!(kept["nextVersionId"], metadata["versionId"]);

        // Folding everything anew changes no id and no byte.
        let all = async || {
            let mut answers = Vec::new();
            for block in born..=anvil.head().await {
                answers.push(at(&service, &format!("?at=block:{block}")).await);
            }
            answers
        };
        let before = all().await;
        hallmark::app::rebuild(&db, |_| ()).await.unwrap();
        assert_eq!(all().await, before);
    }
}
