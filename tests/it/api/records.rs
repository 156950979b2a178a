//! Events, feedback, validations, and logs that cannot be decoded.

use alloy::primitives::{Bytes, LogData, b256, hex};
use insta::assert_json_snapshot;
use serde_json::json;

use super::told::{self, ALICE, BOT, STRANGER};
use super::{all_pages, told::agent};
use crate::support::abi::IReputation;
use crate::support::databases::on_both_engines;
use crate::support::service::{Service, state};
use crate::support::tale::{REPUTATION, time};

on_both_engines! {
    /// Whole answers for the records of an agent.
    async fn whole_records(db: Database) {
        let service = told::service(&db).await;
        assert_json_snapshot!("events", service.ok("/v1/agents/0/events").await);
        assert_json_snapshot!("feedback", service.ok("/v1/agents/1/feedback").await);
        assert_json_snapshot!("validations", service.ok("/v1/agents/1/validations").await);
        assert_json_snapshot!("undecoded", service.ok("/v1/undecoded").await);
        assert_eq!(service.ok("/v1/undecoded?registry=identity").await["items"], json!([]));
        let of_reputation = service.ok("/v1/undecoded?registry=reputation&limit=1").await;
        assert_eq!(of_reputation["items"].as_array().unwrap().len(), 1);
    }

    /// Pages of one record each add up to the whole.
    async fn pages_of_records_add_up(db: Database) {
        let service = told::service(&db).await;
        for path in ["/v1/agents/0/events", "/v1/agents/1/events", "/v1/agents/1/feedback"] {
            let whole = service.ok(path).await;
            let pages = all_pages(&service, &format!("{path}?limit=1"), "items").await;
            assert!(pages.len() >= 3, "{path} has nothing to page");
            assert_eq!(whole["items"].as_array().unwrap(), &pages, "{path}");
        }
    }

    /// What was said later is not shown as of an earlier block.
    async fn records_as_of_a_block(db: Database) {
        let service = told::service(&db).await;
        let then = service.ok("/v1/agents/1/feedback?at=block:11").await;
        let now = service.ok("/v1/agents/1/feedback").await;
        assert_eq!(then["items"].as_array().unwrap().len(), 1);
        assert_eq!(then["items"][0]["revoked"], json!(null));
        assert_eq!(now["items"][0]["revoked"]["block"], 13);
        let then = service.ok("/v1/agents/1/validations?at=block:13").await;
        assert_eq!(then["items"][0]["responses"], json!([]));
        let problem = service.problem("/v1/agents/1/feedback?at=block:8", 404).await;
        assert_eq!(problem["as_of"]["block"]["number"], 8);
    }

    /// The client's agent is the one of that moment: Bot was agent 0's wallet, Alice was that of agent 1 only, a stranger nobody's.
    async fn the_agent_of_the_client_at_that_time(db: Database) {
        let service = told::service(&db).await;
        let found = service.ok("/v1/agents/1/feedback").await;
        for (i, client, outcome, agents) in [
            (0, BOT, "one", vec![agent(0)]),
            (1, ALICE, "one", vec![agent(1)]),
            (2, STRANGER, "none", vec![]),
        ] {
            let item = &found["items"][i];
            assert_eq!(item["client"], format!("eip155:8453:{client}"));
            assert_eq!(item["client_agent"]["outcome"], outcome);
            assert_eq!(item["client_agent"]["agents"], json!(agents));
        }
    }

    /// However many answer a feedback, twenty are shown and its revocation is found.
    async fn many_answers_hide_no_revocation(db: Database) {
        let mut tale = told::tell(&db).await;
        for _ in 0..40 {
            told::response(&mut tale, STRANGER, 1, BOT, "ipfs://spam");
        }
        tale.say(REPUTATION, &IReputation::FeedbackRevoked {
            agentId: alloy::primitives::U256::ONE,
            clientAddress: STRANGER,
            feedbackIndex: 1,
        });
        tale.block().await;
        let service = Service::new(state(&db, time(20)));
        let item = service.ok("/v1/agents/1/feedback").await["items"][2].clone();
        assert_eq!(item["responses"].as_array().unwrap().len(), 20);
        assert_eq!(item["responses_truncated"], true);
        assert_eq!(item["revoked"]["block"], 17);
    }

    /// Texts that are no UTF-8 lose nothing: they are shown as well as they can be, with their bytes beside them.
    async fn texts_that_are_not_utf8(db: Database) {
        let mut tale = told::tell(&db).await;
        let vector = include_str!("../../vectors/logs/valid/feedback-texts-not-utf8.json");
        let vector: serde_json::Value = serde_json::from_str(vector).unwrap();
        let mut topics: Vec<alloy::primitives::B256> =
            serde_json::from_value(vector["topics"].clone()).unwrap();
        topics[1] = b256!("0000000000000000000000000000000000000000000000000000000000000001");
        let data = hex::decode(vector["data"].as_str().unwrap()).unwrap();
        tale.log(REPUTATION, LogData::new_unchecked(topics, Bytes::from(data)));
        tale.block().await;
        let service = Service::new(state(&db, time(20)));
        let item = service.ok("/v1/agents/1/feedback").await["items"][3].clone();
        assert_json_snapshot!("feedback_not_utf8", item);
    }
}
