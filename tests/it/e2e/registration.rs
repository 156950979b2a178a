//! Agents of every form of registration, as recorded.

use alloy::primitives::U256;

use super::who;
use crate::support::anvil::Anvil;
use crate::support::databases::on_both_engines;
use crate::support::indexer::Indexer;
use crate::support::registries::Registries;

on_both_engines! {
    /// The three forms of registration, in blocks of their own and in one block.
    async fn agents_are_registered(db: Database) {
        let anvil = Anvil::spawn().await;
        let registries = Registries::deploy(&anvil).await;
        let indexer = Indexer::new(&registries, db);
        let (alice, bob) = (who("alice"), who("bob"));
        anvil.send(registries.register(alice)).await;
        anvil.send(registries.register_with_uri(bob, "ipfs://b")).await;
        anvil
            .send_in_one_block(vec![
                registries.register_with_metadata(alice, "", &[(b"k", b"v"), (b"k", b"w")]),
                registries.register_with_uri(bob, "x"),
            ])
            .await;
        indexer.catch_up().await;
        let head = anvil.head().await;
        assert_eq!(indexer.owner_at(0, head).await, Some(alice));
        assert_eq!(indexer.wallet_at(1, head).await, bob);
        assert_eq!(indexer.metadata_at(2, b"k", head).await.unwrap().as_ref(), b"w");
        assert_eq!(indexer.uri_at(2, head).await.unwrap().as_ref(), b"");
        assert_eq!(registries.agent_count_at(head).await, U256::from(4));
        indexer.equals_contract(&registries, registries.first_answer()..=head).await;
    }
}
