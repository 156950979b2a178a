//! Agents of every form of registration, as recorded.

use alloy::primitives::U256;
use hallmark::identity::{SpanCause, TimelineRef};

use super::{Stage, rows, who};
use crate::support::databases::on_both_engines;

on_both_engines! {
    /// The three forms of registration, in blocks of their own and in one block.
    async fn agents_are_registered(db: Database) {
        let stage = Stage::new(db).await;
        let (registries, indexer) = (&stage.registries, &stage.indexer);
        let (alice, bob) = (who("alice"), who("bob"));
        stage.anvil.send(registries.register(alice)).await;
        stage.anvil.send(registries.register_with_uri(bob, "ipfs://b")).await;
        stage.anvil
            .send_in_one_block(vec![
                registries.register_with_metadata(alice, "", &[(b"k", b"v"), (b"k", b"w")]),
                registries.register_with_uri(bob, "x"),
            ])
            .await;
        let head = stage.follow().await;
        assert_eq!(registries.agent_count_at(head).await, U256::from(4));
        for (agent, owner, uri) in
            [(0, alice, ""), (1, bob, "ipfs://b"), (2, alice, ""), (3, bob, "x")]
        {
            assert_eq!(indexer.owner_at(agent, head).await, Some(owner));
            assert_eq!(indexer.wallet_at(agent, head).await, owner);
            assert_eq!(indexer.uri_at(agent, head).await.unwrap().as_ref(), uri.as_bytes());
        }
        assert_eq!(indexer.metadata_at(2, b"k", head).await.unwrap().as_ref(), b"w");
        assert_eq!(indexer.metadata_at(3, b"k", head).await, None);
        let registered = Some(SpanCause::Registered);
        let wallet = indexer.spans(TimelineRef::Wallet(2.into())).await;
        assert_eq!(rows(&wallet, head), [(alice, 0, None, registered, None)]);
        // Before its block an agent is not there.
        assert_eq!(indexer.owner_at(2, head - 1).await, None);
        assert_eq!(indexer.uri_at(2, head - 1).await, None);
    }

    /// Many agents of one registrant in one transaction share its account as wallet.
    async fn a_batch_of_agents_shares_a_wallet(db: Database) {
        let stage = Stage::new(db).await;
        let registrant = stage.registries.registrant().await;
        let own = registrant.address;
        let calls = vec![stage.registries.register_with_uri(own, "u"); 40];
        stage.anvil.send(registrant.execute(who("alice"), &calls)).await;
        let head = stage.follow().await;
        let mut tx = stage.indexer.database.begin_read().await.unwrap();
        assert_eq!(tx.minted_count(head).await.unwrap(), 40);
        let role = hallmark::storage::AccountRole::Wallet;
        let found = tx.agents_of(own, role, head, None, 100).await.unwrap();
        let agents: Vec<u64> = found.iter().map(|found| found.agent.0.to()).collect();
        assert_eq!(agents, (0..40).collect::<Vec<_>>());
        assert_eq!(tx.agents_of_count(own, role, head - 1).await.unwrap(), 0);
    }
}
