//! Who says that a wallet is a character's, and that an agent is: both sides, as of a moment, with what proves it.

use std::sync::atomic::Ordering;

use alloy::primitives::{Address, hex};
use hallmark::storage::Database;
use serde_json::{Value, json};

use super::{Desk, account_of};
use crate::api::told::{ALICE, code_of, metadata, mint, registered, wallet};
use crate::support::abi::IUpgradeable;
use crate::support::anvil::account;
use crate::support::databases::on_both_engines;
use crate::support::tale::{IDENTITY, Tale, time};

const ADA: &str = "did:web:localhost%3A8004:character:ada";
const AGENT: &str = "did:web:localhost%3A8004:agents:8453:0";

async fn links(desk: &Desk, did: &str, query: &str) -> Vec<Value> {
    let listing = desk.service.ok(&format!("/v1/dids/{did}/links{query}")).await;
    listing["items"].as_array().unwrap().clone()
}

/// Kind, other name, and what either side says.
fn told(link: &Value) -> (String, String, Value, Value) {
    let text = |member: &str| link[member].as_str().unwrap().to_owned();
    let both = link["subject_says"].is_string() && link["object_says"].is_string();
    assert_eq!(link["both_ways"], both);
    (text("kind"), text("object"), link["subject_says"].clone(), link["object_says"].clone())
}

/// The desk's clock stands at the time of a block.
fn set(desk: &Desk, block: u64) {
    desk.clock.0.store(time(block).get(), Ordering::SeqCst);
}

/// Agent 0 of Alice, registered in block 6, with a proven wallet from block 7 on.
async fn agent(database: &Database, proven: Address) -> Tale {
    let mut tale = Tale::new(database).await;
    tale.say(IDENTITY, &IUpgradeable::Upgraded { implementation: code_of(IDENTITY) });
    tale.block().await;
    mint(&mut tale, 0, ALICE);
    registered(&mut tale, 0, ALICE, "");
    tale.block().await;
    wallet(&mut tale, 0, Some(proven));
    tale.block().await;
    tale
}

on_both_engines! {
    /// An agent and a character are linked only while both say so: its metadata, and a wallet of the character that signed for it.
    async fn an_agent_and_a_character(db: Database) {
        let one = account("one");
        let mut tale = agent(&db, one.address()).await;
        let desk = Desk::open(&db);
        set(&desk, 8);
        let token = desk.create("ada").await;
        desk.link("ada", &token, &one).await;
        tale.block().await;
        let pkh = format!("did:pkh:{}", account_of(&one));
        let own = ("wallet".to_owned(), pkh.clone(), json!("record"), json!("siwe"));
        let found: Vec<_> = links(&desk, ADA, "").await.iter().map(told).collect();
        assert_eq!(found, std::slice::from_ref(&own), "the agent has not said so");

        metadata(&mut tale, 0, "did", ADA.as_bytes());
        assert_eq!(tale.block().await, 9);
        tale.block().await;
        // In a second that is not over the record may still change, so of a block of that second nothing is said.
        set(&desk, 10);
        let problem = desk.service.problem(&format!("/v1/dids/{ADA}/links?at=block:10"), 409).await;
        assert_eq!(problem["type"], "/problems/not-indexed-yet");
        set(&desk, 11);
        let of_agent = ("did".to_owned(), AGENT.to_owned(), json!("siwe"), json!("metadata"));
        for query in ["", "?at=latest", "?at=block:9", "?at=block:10"] {
            let found: Vec<_> = links(&desk, ADA, query).await.iter().map(told).collect();
            assert_eq!(found, [own.clone(), of_agent.clone()], "{query}");
            let found: Vec<_> = links(&desk, AGENT, query).await.iter().map(told).collect();
            let back = ("did".to_owned(), ADA.to_owned(), json!("metadata"), json!("siwe"));
            assert!(found.contains(&back), "{query}: {found:?}");
        }
        for (query, count) in [("?at=block:8", 1), ("?at=block:7", 0), ("?at=block:5", 0)] {
            assert_eq!(links(&desk, ADA, query).await.len(), count, "{query}");
        }
        let since = links(&desk, ADA, "").await[1].clone();
        assert_eq!((&since["from"]["block"], &since["to"]), (&json!(9), &Value::Null));

        // The wallet takes itself away: then only the agent says so, and what was is still found as of then.
        set(&desk, 12);
        let path = format!("/v1/characters/ada/wallets/{}", account_of(&one));
        assert_eq!(desk.delete(&path, Some(&token)).await.status, 200);
        let found = links(&desk, ADA, "").await;
        assert_eq!(found.len(), 1);
        assert_eq!((&found[0]["ended_by"], &found[0]["to"]["change"]), (&json!("character"), &json!(3)));
        let found: Vec<_> = links(&desk, AGENT, "").await.iter().map(told).collect();
        assert!(found.contains(&("did".to_owned(), ADA.to_owned(), json!("metadata"), Value::Null)), "{found:?}");
        assert_eq!(links(&desk, ADA, "?at=block:10").await.len(), 2);
        assert_eq!(links(&desk, ADA, "?at=latest").await.len(), 0);
    }

    /// A wallet that the registry merely names says nothing for a character, whatever the agent's metadata says.
    async fn a_wallet_that_never_signed_for_the_agent(db: Database) {
        let one = account("one");
        let mut tale = Tale::new(&db).await;
        tale.say(IDENTITY, &IUpgradeable::Upgraded { implementation: code_of(IDENTITY) });
        tale.block().await;
        mint(&mut tale, 0, one.address());
        registered(&mut tale, 0, one.address(), "");
        metadata(&mut tale, 0, "did", ADA.as_bytes());
        tale.block().await;
        let desk = Desk::open(&db);
        let token = desk.create("ada").await;
        desk.link("ada", &token, &one).await;
        assert_eq!(links(&desk, ADA, "").await.len(), 1);
        let found: Vec<_> = links(&desk, AGENT, "").await.iter().map(told).collect();
        assert!(found.contains(&("did".to_owned(), ADA.to_owned(), json!("metadata"), Value::Null)), "{found:?}");
    }

    /// What was signed is shown, so that anybody can check it again.
    async fn evidence(db: Database) {
        let one = account("one");
        agent(&db, ALICE).await;
        let desk = Desk::open(&db);
        let token = desk.create("ada").await;
        let message = desk.challenge("ada", &account_of(&one), "link", Some(&token)).await;
        let signature = super::sign(&one, &message);
        assert_eq!(desk.prove(&message, &signature).await.status, 201);
        let link = links(&desk, ADA, "").await.remove(0);
        let shown = json!({ "signed_by": "key", "block": null, "message": message, "signature": signature });
        assert_eq!((&link["evidence"], &link["proof"]), (&shown, &json!("siwe")));
        assert_eq!(link["from"], json!({ "change": 2, "time": "2026-05-28T20:26:40Z" }));
        let signed: alloy::primitives::Signature = hex::decode(&signature).unwrap().as_slice().try_into().unwrap();
        assert_eq!(signed.recover_address_from_msg(message.as_bytes()).unwrap(), one.address());
    }

    /// A did:pkh belongs to the agents and to the characters that have it, page by page, now or as of a time.
    async fn of_an_account(db: Database) {
        let one = account("one");
        agent(&db, one.address()).await;
        let desk = Desk::open(&db);
        let pkh = format!("did:pkh:{}", account_of(&one));
        let mut subjects = vec![AGENT.to_owned()];
        for handle in ["ada", "Bob", "eve"] {
            let token = desk.create(handle).await;
            desk.link(handle, &token, &one).await;
            subjects.push(format!("did:web:localhost%3A8004:character:{handle}"));
        }
        let subject = |link: &Value| link["subject"].as_str().unwrap().to_owned();
        for query in ["", "?at=latest"] {
            let found: Vec<_> = links(&desk, &pkh, query).await.iter().map(subject).collect();
            assert_eq!(found, subjects, "{query}");
        }
        assert_eq!(links(&desk, &pkh, "?at=block:7").await.len(), 1, "no character had it then");
        for limit in 1..5 {
            let (mut found, mut cursor) = (Vec::new(), String::new());
            loop {
                let page = desk.service.ok(&format!("/v1/dids/{pkh}/links?limit={limit}{cursor}")).await;
                let items = page["items"].as_array().unwrap();
                assert!(items.len() <= limit && !items.is_empty());
                found.extend(items.iter().map(subject));
                let Some(next) = page["next"].as_str() else { break };
                cursor = format!("&cursor={next}");
            }
            assert_eq!(found, subjects, "by {limit}");
        }
        let elsewhere = format!("did:pkh:eip155:1:{}", one.address());
        assert_eq!(links(&desk, &elsewhere, "").await.len(), 0);
        assert_eq!(desk.service.problem("/v1/dids/did:web:localhost%253A8004:character:Eve/links", 404).await["type"], "/problems/no-such-character");
        assert_eq!(desk.service.problem("/v1/dids/did:web:localhost%253A8004:character:e/links", 400).await["parameter"], "did");
    }
}
