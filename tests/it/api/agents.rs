//! One agent and lists of agents, as of any block.

use insta::assert_json_snapshot;
use serde_json::{Value, json};

use super::all_pages;
use super::told::{self, ALICE, BOB, BOT, SPARE, STRANGER, agent};
use crate::support::abi::IUpgradeable;
use crate::support::databases::on_both_engines;
use crate::support::service::{Service, state};
use crate::support::tale::{IDENTITY, Tale, time};

/// The account of an agent's wallet, or null.
fn wallet(agent: &Value) -> &Value {
    agent["wallet"].get("account").unwrap_or(&Value::Null)
}

fn account(address: alloy::primitives::Address) -> Value {
    json!(format!("eip155:8453:{address}"))
}

on_both_engines! {
    /// Whole answers: with everything set, and after the agent moved.
    async fn an_agent_in_full(db: Database) {
        let service = told::service(&db).await;
        assert_json_snapshot!("agent_before_its_transfer", service.ok("/v1/agents/0?at=block:14").await);
        assert_json_snapshot!("agent_latest", service.ok("/v1/agents/0").await);
        assert_json_snapshot!("agent_that_was_only_registered", service.ok("/v1/agents/1").await);
    }

    /// The wallet, owner and URI of each block are those that the block left behind, and before the first there is no agent.
    async fn an_agent_at_every_block(db: Database) {
        let service = told::service(&db).await;
        let first = "https://ada.example/agent.json";
        let second = "data:application/json,{}";
        for (block, expected_wallet, cause, owner, uri) in [
            (8, Some(ALICE), json!("registered"), ALICE, first),
            (9, Some(ALICE), json!("registered"), ALICE, first),
            (10, Some(BOT), json!("proven"), ALICE, first),
            (11, Some(BOT), json!("proven"), ALICE, first),
            (12, Some(SPARE), json!("proven"), ALICE, second),
            (14, Some(SPARE), json!("proven"), ALICE, second),
            (15, None, Value::Null, BOB, second),
            (16, None, Value::Null, BOB, second),
        ] {
            let found = service.ok(&format!("/v1/agents/0?at=block:{block}")).await;
            assert_eq!(wallet(&found), &expected_wallet.map_or(Value::Null, account), "{block}");
            assert_eq!(found["wallet"].get("cause").unwrap_or(&Value::Null), &cause, "{block}");
            assert_eq!(found["owner"], account(owner), "{block}");
            assert_eq!(found["uri"], uri, "{block}");
            assert_eq!(found["as_of"]["block"]["number"], block);
        }
        for block in [0, 4, 5, 7] {
            let problem = service.problem(&format!("/v1/agents/0?at=block:{block}"), 404).await;
            assert_eq!(problem["type"], "/problems/no-such-agent");
            assert_eq!(problem["as_of"]["block"]["number"], block);
        }
    }

    /// A tag is the node's, a time is the last block not later, and each says how final it was.
    async fn at_takes_tags_and_times(db: Database) {
        let service = told::service(&db).await;
        let start = time(0).get();
        for (at, block, finality) in [
            ("latest".to_owned(), 16, "latest"),
            ("safe".to_owned(), 14, "safe"),
            ("finalized".to_owned(), 11, "finalized"),
            ("block:12".to_owned(), 12, "safe"),
            ("block:11".to_owned(), 11, "finalized"),
            (format!("time:{}", time(12)), 12, "safe"),
            (format!("time:{}", start + 25), 12, "safe"),
            (format!("time:{}", start + 26), 13, "safe"),
            (format!("time:{}", time(16)), 16, "latest"),
        ] {
            let found = service.ok(&format!("/v1/agents/0?at={at}")).await;
            assert_eq!(found["as_of"]["block"]["number"], block, "{at}");
            assert_eq!(found["as_of"]["finality"], finality, "{at}");
            assert_eq!(found["as_of"]["block"]["time"], time(block).to_string(), "{at}");
        }
        // Nothing had happened: the answer is as of the block before the first that is followed.
        let problem = service.problem(&format!("/v1/agents/0?at=time:{start}"), 404).await;
        assert_eq!(problem["as_of"]["block"], json!({ "number": 4, "hash": null, "time": null }));
        let listed = service.ok("/v1/agents?at=time:0").await;
        assert_eq!(listed["items"], json!([]));
    }

    /// A block that holds no event may not be held; what held at its end is known all the same.
    async fn blocks_that_are_not_held(db: Database) {
        let service = told::service(&db).await;
        let listed = service.ok("/v1/agents?at=block:6").await;
        assert_eq!(listed["as_of"]["block"], json!({ "number": 6, "hash": null, "time": null }));
        assert_eq!(listed["as_of"]["finality"], "finalized");
        let listed = service.ok("/v1/agents?at=block:7").await;
        assert!(listed["as_of"]["block"]["hash"].is_string());
    }

    /// Every form of an agent's name leads to the same answer.
    async fn every_name_of_an_agent(db: Database) {
        let service = told::service(&db).await;
        let expected = service.ok("/v1/agents/0").await;
        assert_eq!(expected["agent"], agent(0));
        let caip19 = format!("eip155:8453%2Ferc721:{IDENTITY}%2F0");
        for name in ["8453:0", &agent(0), &agent(0).to_lowercase(), &caip19] {
            assert_eq!(service.ok(&format!("/v1/agents/{name}")).await, expected, "{name}");
        }
    }

    /// Lists come by id, filtered and paged, as of a block.
    async fn lists_of_agents(db: Database) {
        let service = told::service(&db).await;
        assert_json_snapshot!("agents", service.ok("/v1/agents").await);
        let (zero, one) = (json!(agent(0)), json!(agent(1)));
        for (query, expected) in [
            (format!("owner={ALICE}"), vec![&one]),
            (format!("owner={ALICE}&at=block:14"), vec![&zero, &one]),
            (format!("owner=eip155:8453:{BOB}"), vec![&zero]),
            (format!("wallet={ALICE}&at=block:9"), vec![&zero, &one]),
            (format!("wallet=did:pkh:eip155:8453:{SPARE}&at=block:14"), vec![&zero]),
            (format!("owner={ALICE}&wallet={SPARE}&at=block:14"), vec![&zero]),
            (format!("owner={ALICE}&wallet={SPARE}"), vec![]),
            (format!("owner={STRANGER}"), vec![]),
            ("at=block:8".to_owned(), vec![&zero]),
            ("at=block:7".to_owned(), vec![]),
        ] {
            let items = all_pages(&service, &format!("/v1/agents?limit=1&{query}"), "items").await;
            let found: Vec<_> = items.iter().map(|item| &item["agent"]).collect();
            assert_eq!(found, expected, "{query}");
        }
    }

    /// Under code that is not known the contract is asked; what it says, and what it could not say, is shown.
    async fn findings_under_unknown_code(db: Database) {
        let mut tale = told::tell(&db).await;
        let service = Service::new(state(&db, time(20)));
        assert_eq!(service.ok("/v1/agents/1").await["findings"], json!([]));
        tale.say(IDENTITY, &IUpgradeable::Upgraded { implementation: STRANGER });
        tale.block().await;
        tale.answer(1, Some(BOB));
        told::wallet(&mut tale, 1, Some(BOT));
        told::wallet(&mut tale, 0, Some(BOT));
        tale.block().await;
        let observed = service.ok("/v1/agents/1").await;
        assert_eq!(wallet(&observed), &account(BOB));
        assert_json_snapshot!("findings_wallet_observed", observed["findings"]);
        let unsettled = service.ok("/v1/agents/0").await;
        assert_json_snapshot!("findings_wallet_unsettled", unsettled["findings"]);
        // Before the upgrade nothing was in doubt.
        assert_eq!(kinds(&service.ok("/v1/agents/0?at=block:16").await), [""; 0]);
        settle(&mut tale, &service).await;
    }
}

/// The kinds of an agent's findings, without those of its registration file.
fn kinds(agent: &Value) -> Vec<String> {
    let findings = agent["findings"].as_array().unwrap();
    let kinds = findings.iter().map(|finding| finding["kind"].as_str().unwrap().to_owned());
    kinds.filter(|kind| !kind.starts_with("file-")).collect()
}

/// Known code comes back and says which wallet it is: the doubt is over.
async fn settle(tale: &mut Tale, service: &Service) {
    tale.say(IDENTITY, &IUpgradeable::Upgraded { implementation: told::code_of(IDENTITY) });
    tale.block().await;
    assert_eq!(kinds(&service.ok("/v1/agents/0").await), ["wallet-unsettled"]);
    told::wallet(tale, 0, Some(SPARE));
    tale.block().await;
    assert_eq!(kinds(&service.ok("/v1/agents/0").await), [""; 0]);
}
