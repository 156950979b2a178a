//! Following over WebSocket: new heads are heard, not polled for.

use std::time::Duration;

use super::who;
use crate::support::anvil::Anvil;
use crate::support::databases::on_both_engines;
use crate::support::indexer::Indexer;
use crate::support::registries::Registries;

on_both_engines! {
    /// The poll interval is longer than any test may take, so that only the subscription explains that blocks arrive.
    async fn new_heads_are_heard(db: Database) {
        let anvil = Anvil::spawn().await;
        let registries = Registries::deploy(&anvil).await;
        let mut indexer = Indexer::new(&registries, db);
        indexer.url = anvil.ws_url();
        indexer.rpc.poll_interval = Duration::from_hours(1);
        indexer.while_following(Box::pin(async {
            indexer.reaches_head().await;
            for _ in 0..5 {
                anvil.send(registries.register(who("alice"))).await;
                indexer.reaches_head().await;
            }
            // A reorganisation is seen at the next new head.
            anvil.reorg(2).await;
            anvil.send(registries.register(who("bob"))).await;
            indexer.reaches_head().await;
        })).await;
        let head = anvil.head().await;
        assert_eq!(indexer.owner_at(3, head).await, Some(who("bob")));
        indexer.equals_contract(&registries, registries.first_answer()..=head).await;
    }
}
