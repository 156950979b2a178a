//! Registration files: fetched from hosts of the tests' own, kept, and shown, on both engines.
//!
//! `hosts` is what such a host may do; `fetching` is what is made of it; `naming` is who names whom back, and when.

mod fetching;
pub(crate) mod hosts;
mod naming;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use alloy::primitives::{Address, Bytes, U256, keccak256};
use hallmark::app::{Clock as _, FetchOptions, FileFetcher, FileKeeper};
use hallmark::did::web::WebHost;
use hallmark::storage::Database;
use serde_json::Value;

use crate::support::abi::{IIdentity, IUpgradeable};
use crate::support::service::{Service, state};
use crate::support::tale::{IDENTITY, KNOWN_CODE, Tale};
use hosts::{Hand, Host};

const ALICE: Address = Address::repeat_byte(0xa1);
/// The host of the documents that the service under test gives.
const HERE: &str = "localhost:8004";

/// A chain whose registry runs known code.
async fn chain(db: &Database) -> Tale {
    let mut tale = Tale::new(db).await;
    tale.say(IDENTITY, &IUpgradeable::Upgraded { implementation: KNOWN_CODE });
    tale.block().await;
    tale
}

/// Registers an agent with a URI.
fn register(tale: &mut Tale, agent: u64, uri: &str) {
    let id = U256::from(agent);
    tale.say(IDENTITY, &IIdentity::Transfer { from: Address::ZERO, to: ALICE, tokenId: id });
    tale.say(IDENTITY, &IIdentity::MetadataUpdate { _tokenId: id });
    tale.say(
        IDENTITY,
        &IIdentity::Registered { agentId: id, agentURI: uri.to_owned(), owner: ALICE },
    );
    metadata(tale, agent, "agentWallet", ALICE.as_slice());
}

fn set_uri(tale: &mut Tale, agent: u64, uri: &str) {
    let id = U256::from(agent);
    tale.say(IDENTITY, &IIdentity::MetadataUpdate { _tokenId: id });
    tale.say(
        IDENTITY,
        &IIdentity::URIUpdated { agentId: id, newURI: uri.to_owned(), updatedBy: ALICE },
    );
}

fn metadata(tale: &mut Tale, agent: u64, key: &str, value: &[u8]) {
    tale.say(
        IDENTITY,
        &IIdentity::MetadataSet {
            agentId: U256::from(agent),
            indexedMetadataKey: keccak256(key),
            metadataKey: key.to_owned(),
            metadataValue: Bytes::copy_from_slice(value),
        },
    );
}

/// What fetches from a host, and may do so although its address is private.
fn keeper(db: &Database, host: &Host, clock: &Hand) -> FileKeeper {
    keeper_with(db, host, clock, &["localhost"])
}

fn keeper_with(db: &Database, host: &Host, clock: &Hand, private: &[&str]) -> FileKeeper {
    let options = FetchOptions {
        gateways: vec![host.url("").parse().unwrap()],
        private_hosts: private.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>(),
        authorities: vec![host.authority()],
        timeout: Duration::from_secs(2),
    };
    let clock = Arc::new(clock.clone());
    let fetcher = FileFetcher::new(clock.clone(), &options).unwrap();
    FileKeeper::new(db.clone(), fetcher, clock, WebHost::parse(HERE).unwrap())
        .with_pause(Duration::ZERO)
}

/// A service that knows the time.
fn service(db: &Database, clock: &Hand) -> Service {
    let mut settings = state(db, clock.now());
    settings.clock = Arc::new(clock.clone());
    Service::new(settings)
}

/// Takes turns until nothing is due.
async fn settle(keeper: &FileKeeper) {
    for _ in 0..20 {
        let turn = keeper.turn().await.unwrap();
        if turn.due == 0 {
            return;
        }
    }
    panic!("something is always due");
}

async fn agent(service: &Service, id: u64, query: &str) -> Value {
    service.ok(&format!("/v1/agents/{id}{query}")).await
}

/// The kinds of an agent's findings, and their texts.
fn findings(agent: &Value) -> Vec<(String, String)> {
    let findings = agent["findings"].as_array().unwrap().iter();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    findings.map(|finding| (text(&finding["kind"]), text(&finding["detail"]))).collect()
}
