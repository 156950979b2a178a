//! From accounts to the agents whose wallets they are or were.

use insta::assert_json_snapshot;
use serde_json::{Value, json};

use super::all_pages;
use super::told::{self, ALICE, BOT, SPARE, STRANGER, agent};
use crate::support::databases::on_both_engines;
use crate::support::service::{Service, state};
use crate::support::tale::{Tale, time};

on_both_engines! {
    /// None, one and several are values, each with the span that says so.
    async fn outcomes(db: Database) {
        let service = told::service(&db).await;
        let of = async |account, at| service.ok(&format!("/v1/wallets/{account}/agents?at={at}")).await;
        assert_json_snapshot!("wallet_of_one", of(BOT, "block:11").await);
        assert_json_snapshot!("wallet_of_several", of(ALICE, "block:9").await);
        assert_json_snapshot!("wallet_of_none", of(STRANGER, "latest").await);
    }

    /// A wallet that was rotated away: before, inside and after its span.
    async fn a_wallet_that_rotated_away(db: Database) {
        let service = told::service(&db).await;
        for (block, outcome) in [(9, "none"), (10, "one"), (11, "one"), (12, "none"), (16, "none")] {
            let path = format!("/v1/wallets/{BOT}/agents?at=block:{block}");
            assert_eq!(service.ok(&path).await["outcome"], outcome, "at block {block}");
        }
        for block in [15, 16] {
            let path = format!("/v1/wallets/{SPARE}/agents?at=block:{block}");
            assert_eq!(service.ok(&path).await["outcome"], "none", "cleared by the transfer");
        }
    }

    /// The history names every span, of every agent, once.
    async fn the_history_of_a_wallet(db: Database) {
        let service = told::service(&db).await;
        let path = format!("/v1/wallets/{ALICE}/agents?history=true");
        let whole = service.ok(&path).await;
        assert_json_snapshot!("wallet_history", whole);
        let pages = all_pages(&service, &format!("{path}&limit=1"), "items").await;
        assert_eq!(whole["items"].as_array().unwrap(), &pages);
    }

    /// A lobby of players in one answer, in order, as of one block.
    async fn many_wallets_at_once(db: Database) {
        let service = told::service(&db).await;
        let accounts = [BOT.to_string(), format!("eip155:8453:{ALICE}"), STRANGER.to_string(), BOT.to_string()];
        let body = json!({ "accounts": accounts, "at": "block:11" }).to_string();
        let reply = service.post("/v1/wallets/lookup", body).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        assert_json_snapshot!("wallet_lookup", reply.json());
        let reply = service.post("/v1/wallets/lookup", r#"{"accounts":[]}"#).await;
        assert_eq!(reply.json()["results"], json!([]));
        assert_eq!(reply.json()["as_of"]["block"]["number"], 16);
    }

    /// A wallet that very many agents share is counted, paged, and never picked from.
    async fn a_wallet_of_many_agents(db: Database) {
        let mut tale = Tale::new(&db).await;
        for id in 0..25 {
            told::mint(&mut tale, id, ALICE);
            told::registered(&mut tale, id, ALICE, "");
        }
        tale.block().await;
        let service = Service::new(state(&db, time(20)));
        let path = format!("/v1/wallets/{ALICE}/agents?limit=10");
        let page = service.ok(&path).await;
        assert_eq!((&page["outcome"], &page["count"]), (&json!("several"), &json!(25)));
        let ids = |agents: &[Value]| -> Vec<String> {
            agents.iter().map(|agent| agent["agent_id"].as_str().unwrap().to_owned()).collect()
        };
        let all = ids(&all_pages(&service, &path, "agents").await);
        assert_eq!(all, (0..25).map(|id: u64| id.to_string()).collect::<Vec<_>>());
        // The look-up shows ten, and its `next` goes on in the list.
        let body = json!({ "accounts": [ALICE.to_string()] }).to_string();
        let found = service.post("/v1/wallets/lookup", body).await.json()["results"][0].clone();
        assert_eq!((&found["count"], found["agents"].as_array().unwrap().len()), (&json!(25), 10));
        let next = found["next"].as_str().unwrap();
        let rest = service.ok(&format!("/v1/wallets/{ALICE}/agents?cursor={next}")).await;
        assert_eq!(rest["agents"][0]["agent"], agent(10));
        assert_eq!(rest["count"], 25);
    }
}
