//! A chain that contradicts what was final: the writer stops and says so, reading goes on, and a good node sets it going again.

use alloy::primitives::U256;
use hallmark::app::AppError;
use hallmark::storage::Halt;

use super::who;
use crate::support::anvil::Anvil;
use crate::support::databases::on_both_engines;
use crate::support::dump::{assert_same, dump};
use crate::support::indexer::Indexer;
use crate::support::registries::Registries;

/// More than finality takes on the test chain.
const DEEP: u64 = 70;

async fn halt(indexer: &Indexer) -> Option<Halt> {
    indexer.database.begin_read().await.unwrap().halt().await.unwrap()
}

/// A chain of registries and one agent. Two of them are the same, block for block.
async fn same_beginning() -> (Anvil, Registries) {
    let anvil = Anvil::spawn().await;
    let registries = Registries::deploy(&anvil).await;
    anvil.send(registries.register(who("alice"))).await;
    (anvil, registries)
}

on_both_engines! {
    /// The bad node shares the beginning with the good one, and leaves it below what is final.
    async fn a_contradiction_of_finality_stops_the_writer(fresh: Fresh) {
        let (good, registries) = same_beginning().await;
        let (bad, _) = same_beginning().await;
        good.send(registries.set_uri(who("alice"), U256::ZERO, "good")).await;
        bad.send(registries.set_uri(who("alice"), U256::ZERO, "bad")).await;
        good.mine(DEEP).await;
        bad.mine(DEEP + 5).await;
        let indexer = Indexer::new(&registries, fresh.database().await);
        indexer.catch_up().await;
        let before = dump(fresh.url()).await;

        let mut misled = indexer.clone();
        misled.url = bad.http_url();
        misled.chain = (*bad).clone();
        for start in ["at once", "and again when started again"] {
            let error = misled.try_catch_up().await.unwrap_err();
            let AppError::Halted { reason } = &error else { panic!("{start}: {error:?}") };
            assert!(reason.contains("was final, but the node now has"), "{reason}");
            assert!(reason.contains("check the node, then start again"), "{reason}");
            assert_eq!(halt(&indexer).await, Some(Halt(reason.clone())));
            assert!(error.to_string().starts_with("the writer has stopped: block "), "{error}");
        }
        // Nothing was undone, and reads go on.
        assert_same(&dump(fresh.url()).await, &before, &["chain"], "after the halt");
        let head = good.head().await;
        assert_eq!(indexer.uri_at(0, head).await.unwrap().as_ref(), b"good");

        good.mine(1).await;
        indexer.catch_up().await;
        assert_eq!(halt(&indexer).await, None);
        assert_eq!(indexer.cursor().await, Some(indexer.head().await));
    }

    /// The node itself goes back below its finalized block while it is followed.
    async fn a_reorganisation_below_the_finalized_block_is_not_followed(fresh: Fresh) {
        let (anvil, registries) = same_beginning().await;
        anvil.mine(DEEP).await;
        // Empty blocks replaced by empty ones would be the same blocks: the lowest that is replaced holds something.
        anvil.send(registries.set_uri(who("alice"), U256::ZERO, "final")).await;
        anvil.mine(DEEP - 1).await;
        let indexer = Indexer::new(&registries, fresh.database().await);
        indexer.catch_up().await;
        let before = dump(fresh.url()).await;
        anvil.reorg(DEEP).await;
        anvil.send(registries.register(who("bob"))).await;
        let error = indexer.try_catch_up().await.unwrap_err();
        assert!(matches!(error, AppError::Halted { .. }), "{error:?}");
        assert!(halt(&indexer).await.is_some());
        assert_same(&dump(fresh.url()).await, &before, &["chain"], "after the halt");
    }
}
