//! The timelines of one agent.

use insta::assert_json_snapshot;

use super::{all_pages, told};
use crate::support::databases::on_both_engines;
use crate::support::service::{Service, state};
use crate::support::tale::time;

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
