//! One agent's life, told once: registered, rotated, judged, sold, undone, asked about. Read this first.
//!
//! A real chain with the registries on it, the program's own following, and the service that answers; on both engines. Nothing is hidden in
//! helpers but the calls to the contracts and the two lines that ask.

use std::sync::Arc;

use alloy::primitives::U256;
use hallmark::vocab::UnixSeconds;
use serde_json::{Value, json};

use crate::support::anvil::{Anvil, account};
use crate::support::databases::on_both_engines;
use crate::support::indexer::Indexer;
use crate::support::registries::Registries;
use crate::support::service::{self, Service};

on_both_engines! {
    /// Reputation follows the agent, not the wallet.
    async fn an_agents_life(db: Database) {
        let anvil = Anvil::spawn().await;
        let registries = Registries::deploy(&anvil).await;
        let [alice, bob, client] = ["alice", "bob", "client"].map(|name| account(name).address());
        let (hot, cold) = (account("hot wallet"), account("cold wallet"));
        let agent = U256::ZERO;

        // Alice registers an agent. It gets the next number, and her own account as its wallet, which nobody has proven.
        let registered = anvil.send(registries.register_with_uri(alice, "ipfs://agent")).await;
        let born = registered.block_number.unwrap();

        // She gives it a wallet of its own, whose key signs for it, and later another one.
        let rotated = anvil.send(registries.set_wallet(alice, agent, &hot).await).await;
        let rotated = rotated.block_number.unwrap();
        anvil.mine(10).await;
        let again = anvil.send(registries.set_wallet(alice, agent, &cold).await).await;
        let rotated_again = again.block_number.unwrap();

        // The program follows the chain, and answers.
        let indexer = Indexer::new(&registries, db.clone());
        indexer.catch_up().await;
        let mut state = service::state(&db, UnixSeconds::MAX);
        state.known = Arc::new(indexer.known.clone());
        let service = Service::new(state);
        let who = |at: u64| format!("/v1/agents/0?at=block:{at}");
        let whose = |wallet, at: u64| format!("/v1/wallets/{wallet}/agents?at=block:{at}");

        // Which agent was the hot wallet, then? None before it was proven, agent 0 inside its span, none after.
        for (block, outcome) in [
            (rotated - 1, "none"),
            (rotated, "one"),
            (rotated + 5, "one"),
            (rotated_again - 1, "one"),
            (rotated_again, "none"),
        ] {
            let answer = service.ok(&whose(hot.address(), block)).await;
            assert_eq!(answer["outcome"], outcome, "at block {block}");
            assert_eq!(answer["as_of"]["block"]["number"], block);
        }

        // The span that says so is evidence: where it began and ended, by which transactions, and why.
        let answer = service.ok(&whose(hot.address(), rotated)).await;
        let span = &answer["agents"][0]["span"];
        assert_eq!(span["cause"], "proven");
        assert_eq!(span["ended_by"], "rotated");
        assert_eq!(span["from"]["block"], rotated);
        assert_eq!(span["to"]["tx_hash"], again.transaction_hash.to_string());

        // Before the first rotation the agent's wallet was whoever had registered it, and nobody had proven that.
        let then = service.ok(&who(born)).await;
        assert_eq!(then["wallet"]["cause"], "registered");
        assert_eq!(then["wallet"]["proven"], false);
        assert_eq!(then["uri"], "ipfs://agent");

        // A client judges the agent; the agent's second wallet is its client's wallet too, from now on: wallets can be shared.
        anvil.send(registries.register(client)).await;
        anvil.send(registries.set_wallet(client, U256::ONE, &cold).await).await;
        anvil.send(registries.give_feedback(client, agent, 87, "starred")).await;
        indexer.catch_up().await;
        let shared = service.ok(&format!("/v1/wallets/{}/agents", cold.address())).await;
        assert_eq!((&shared["outcome"], &shared["count"]), (&json!("several"), &json!(2)));
        let feedback = service.ok("/v1/agents/0/feedback").await;
        assert_eq!(feedback["items"][0]["value"], "87");
        assert_eq!(feedback["items"][0]["client_agent"]["outcome"], "none", "its wallet is another");

        // The agent is sold to Bob. The contract clears its wallet, so from then on Alice's old wallet no longer speaks for it; its
        // number, its URI and what was said of it stay.
        let sold = anvil.send(registries.transfer(alice, bob, agent)).await.block_number.unwrap();
        indexer.catch_up().await;
        let before = service.ok(&who(sold - 1)).await;
        let after = service.ok(&who(sold)).await;
        assert_eq!(before["owner"], format!("eip155:31337:{alice}"));
        assert_eq!(after["owner"], format!("eip155:31337:{bob}"));
        assert_eq!(after["wallet"], Value::Null);
        assert_eq!(after["uri"], "ipfs://agent");
        let wallets = service.ok("/v1/agents/0/wallets").await;
        let told: Vec<_> = wallets["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|span| (span["cause"].as_str(), span["ended_by"].as_str()))
            .collect();
        assert_eq!(told, [
            (Some("registered"), Some("rotated")),
            (Some("proven"), Some("rotated")),
            (Some("proven"), Some("transfer")),
            (None, None),
        ]);

        // The chain changes its mind: the sale never happened, something else did.
        let elsewhere = registries.set_uri(alice, agent, "ipfs://agent-2");
        anvil.reorg_with(anvil.head().await + 1 - sold, &[(elsewhere, 0)]).await;
        indexer.catch_up().await;
        let undone = service.ok(&who(sold)).await;
        assert_eq!(undone["owner"], format!("eip155:31337:{alice}"), "as if it had never been sold");
        assert_eq!(undone["wallet"]["account"], format!("eip155:31337:{}", cold.address()));
        assert_eq!(undone["uri"], "ipfs://agent-2");
        let status = service.ok("/v1/status").await;
        assert_eq!(status["chains"][0]["reorgs"]["count"], 1);

        // Nobody is told what has not happened yet.
        let future = service.problem(&who(anvil.head().await + 1), 409).await;
        assert!(future["type"].as_str().unwrap().ends_with("/not-indexed-yet"), "{future}");

        // A game asks for a lobby of wallets at once, as of one block.
        let lobby = json!({
            "accounts": [hot.address(), cold.address(), bob],
            "at": format!("block:{rotated}"),
        });
        let lobby = service.post("/v1/wallets/lookup", lobby.to_string()).await.json();
        let outcomes: Vec<_> =
            lobby["results"].as_array().unwrap().iter().map(|r| &r["outcome"]).collect();
        assert_eq!(outcomes, ["one", "none", "none"]);
    }
}
