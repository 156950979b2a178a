//! The timelines of one agent.

use alloy::primitives::U256;
use insta::assert_json_snapshot;

use super::told::{ALICE, BOB, BOT};
use super::{all_pages, told};
use crate::support::abi::IIdentity;
use crate::support::databases::on_both_engines;
use crate::support::service::{Service, state};
use crate::support::tale::{IDENTITY, time};

const LISTS: [&str; 5] = ["wallets", "owners", "uris", "metadata", "operators"];

on_both_engines! {
    /// Whole timelines: every span with where and why it began and ended.
    async fn whole_timelines(db: Database) {
        let service = told::service(&db).await;
        for list in LISTS {
            assert_json_snapshot!(list, service.ok(&format!("/v1/agents/0/{list}")).await);
        }
    }

    /// Pages of one item each add up to the whole, each item once.
    async fn pages_add_up(db: Database) {
        let service = told::service(&db).await;
        for list in LISTS {
            let whole = service.ok(&format!("/v1/agents/0/{list}")).await;
            assert!(whole["items"].as_array().unwrap().len() >= 2, "{list} has nothing to page");
            let pages = all_pages(&service, &format!("/v1/agents/0/{list}?limit=1"), "items").await;
            assert_eq!(whole["items"].as_array().unwrap(), &pages, "{list}");
        }
    }

    /// Who may act for all agents of an owner loses one that moves, and has it again when it comes back; a single approval is gone.
    async fn operators_come_back_with_their_owner(db: Database) {
        let mut tale = told::tell(&db).await;
        told::transfer(&mut tale, 0, BOB, ALICE);
        tale.block().await;
        tale.say(IDENTITY, &IIdentity::Approval { owner: ALICE, approved: BOT, tokenId: U256::ZERO });
        tale.block().await;
        told::transfer(&mut tale, 0, ALICE, ALICE);
        tale.block().await;
        let service = Service::new(state(&db, time(20)));
        let found = service.ok("/v1/agents/0/operators").await;
        let spans: Vec<_> = found["items"].as_array().unwrap().iter().map(|item| {
            let text = |value: &serde_json::Value| value.as_str().unwrap_or("-").to_owned();
            let blocks = (item["from"]["block"].as_u64(), item["to"]["block"].as_u64());
            (text(&item["kind"]), blocks, text(&item["cause"]), text(&item["ended_by"]))
        }).collect();
        let span = |kind: &str, from, to, cause: &str, ended_by: &str| {
            (kind.to_owned(), (Some(from), to), cause.to_owned(), ended_by.to_owned())
        };
        assert_eq!(spans, [
            span("approved", 10, Some(15), "set", "transfer"),
            span("approved_for_all", 10, Some(15), "set", "transfer"),
            span("approved_for_all", 17, None, "transfer", "-"),
            span("approved", 18, Some(19), "set", "transfer"),
        ]);
        let now = service.ok("/v1/agents/0").await;
        assert_eq!(now["operators"].as_array().unwrap().len(), 1);
        assert_eq!(now["operators"][0]["since"]["block"], 17);
    }

    /// A cursor goes on behind its item, also where that was undone meanwhile.
    async fn a_cursor_outlives_a_reorganisation(db: Database) {
        let mut tale = told::tell(&db).await;
        let service = Service::new(state(&db, time(20)));
        let page = service.ok("/v1/agents/0/wallets?limit=3").await;
        let next = page["next"].as_str().unwrap();
        tale.revert_to(11).await;
        let rest = service.ok(&format!("/v1/agents/0/wallets?cursor={next}")).await;
        assert_eq!(rest["items"], serde_json::json!([]));
        let whole = service.ok("/v1/agents/0/wallets").await;
        assert_eq!(whole["items"].as_array().unwrap().len(), 2);
        assert_eq!(whole["items"][1]["to"], serde_json::Value::Null);
        assert_eq!(whole["as_of"]["block"]["number"], 11);
    }
}
