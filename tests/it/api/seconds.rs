//! Chains with several blocks in one second: which version of a document a time means, and how the others are reached.

use hallmark::storage::Database;
use serde_json::{Value, json};

use super::told::{self, ALICE, BOB, BOT, SPARE};
use crate::support::abi::IUpgradeable;
use crate::support::databases::on_both_engines;
use crate::support::service::{Service, state};
use crate::support::tale::{IDENTITY, KNOWN_CODE, Tale, first_hash, time};

const AGENT: &str = "did:web:localhost%3A8004:agents:8453:0";

/// Blocks 7, 8 and 9 are of one second, and each changes the wallet of an agent.
async fn hurried(db: &Database) -> Tale {
    let mut tale = Tale::new(db).await;
    tale.hurried = [8, 9].into();
    tale.say(IDENTITY, &IUpgradeable::Upgraded { implementation: KNOWN_CODE });
    tale.block().await;
    told::mint(&mut tale, 0, ALICE);
    told::registered(&mut tale, 0, ALICE, "");
    tale.block().await;
    for wallet in [BOB, BOT, SPARE] {
        told::wallet(&mut tale, 0, Some(wallet));
        tale.block().await;
    }
    assert_eq!(tale.block().await, 10);
    tale
}

async fn metadata(service: &Service, query: &str) -> Value {
    let reply = service.get(&format!("/1.0/identifiers/{AGENT}{query}")).await;
    assert_eq!(reply.status, 200, "{query}: {}", reply.text());
    reply.json()["didDocumentMetadata"].clone()
}

fn version(block: u64) -> String {
    format!("{block}-{}", first_hash(block))
}

on_both_engines! {
    /// A time means the last version of its second; the others are reached by their ids.
    async fn the_last_of_a_second_is_its_version(db: Database) {
        hurried(&db).await;
        let service = Service::new(state(&db, time(20)));
        let last = metadata(&service, &format!("?versionTime={}", time(7))).await;
        assert_eq!((&last["versionId"], &last["updated"]), (&json!(version(9)), &json!(time(7).to_string())));
        assert_eq!(last["nextVersionId"], Value::Null);
        let before = format!("?versionTime={}", hallmark::vocab::UnixSeconds::new(time(7).get() - 1).unwrap());
        let mut at = metadata(&service, &before).await;
        assert_eq!((&at["versionId"], &at["nextUpdate"]), (&json!(version(6)), &json!(time(7).to_string())));
        // From version to version nothing of the second is left out.
        for block in [7, 8, 9] {
            assert_eq!(at["nextVersionId"], version(block));
            assert_eq!(at["nextUpdate"], time(7).to_string());
            at = metadata(&service, &format!("?versionId={}", version(block))).await;
            assert_eq!(at["updated"], time(7).to_string());
            assert_eq!(at, metadata(&service, &format!("?at=block:{block}")).await);
        }
        assert_eq!(at, last);
    }
}
