//! Reorganisations of every depth, while following and while stopped: afterwards nothing is left of what was undone.
//!
//! The chain's life goes on with rotations, mints, upgrades and answers, so that each of them gets undone. After every reorganisation
//! all tables must equal those of a database made from scratch, row by row, and the record the contract's answers.

use alloy::primitives::U256;
use hallmark::identity::{SpanCause, SpanEnd, TimelineRef};

use super::who;
use crate::support::anvil::{Anvil, account};
use crate::support::databases::{Fresh, on_both_engines};
use crate::support::dump::{assert_same, dump};
use crate::support::indexer::Indexer;
use crate::support::life::Life;
use crate::support::registries::Registries;

const DEPTH_MAX: u64 = 40;
/// The list of reorganisations is a diary of this database alone.
const OWN: &[&str] = &["reorg"];
/// A chain that became shorter has lower tags for a newcomer, while ours never go down.
const OWN_AND_TAGS: &[&str] = &["reorg", "chain_tag"];

/// Holds all tables against those of a database that never saw what was undone.
async fn equals_scratch(fresh: &Fresh, indexer: &Indexer, but: &[&str], what: &str) {
    let scratch = fresh.another().await;
    let database = scratch.database().await;
    let other = indexer.with_database(database.clone());
    other.catch_up().await;
    database.close().await;
    assert_eq!(indexer.cursor().await, Some(indexer.head().await), "{what}");
    assert_same(&dump(fresh.url()).await, &dump(scratch.url()).await, but, what);
}

async fn reorg_count(indexer: &Indexer) -> usize {
    let mut tx = indexer.database.begin_read().await.unwrap();
    tx.reorgs(1_000).await.unwrap().len()
}

on_both_engines! {
    /// `anvil_reorg` at every depth from 1 to 40, in turn while following and while stopped, with calls in the new blocks.
    async fn reorganisations_of_every_depth(fresh: Fresh) {
        let anvil = Anvil::spawn().await;
        let registries = Registries::deploy(&anvil).await;
        let mut life = Life::new(&registries, 40, 12).await.with_upgrades().await;
        let indexer = Indexer::new(&registries, fresh.database().await);
        life.go_on(10).await;
        anvil.mine(DEPTH_MAX).await;
        for depth in 1..=DEPTH_MAX {
            life.go_on(3).await;
            // The new blocks have something of their own: an agent at first, later less, so that there are not too many to compare.
            let call = match depth {
                1..6 => registries.register(who("newcomer")),
                _ => registries.set_operator(who("newcomer"), who("bob"), depth % 4 < 2),
            };
            if depth % 2 == 0 {
                indexer.while_following(Box::pin(async {
                    indexer.reaches_head().await;
                    anvil.reorg_with(depth, &[(call, depth / 2)]).await;
                    indexer.reaches_head().await;
                })).await;
            } else {
                indexer.catch_up().await;
                anvil.reorg_with(depth, &[(call, depth / 2)]).await;
                indexer.catch_up().await;
            }
            let what = format!("after a reorganisation of depth {depth}");
            equals_scratch(fresh, &indexer, OWN, &what).await;
            let head = anvil.head().await;
            indexer.equals_contract(&registries, head - depth..=head).await;
        }
        assert_eq!(u64::try_from(reorg_count(&indexer).await).unwrap(), DEPTH_MAX);
    }

    /// Snapshots and going back to them: other blocks take the place of those undone, fewer of them or more.
    async fn branches_of_other_lengths(fresh: Fresh) {
        let anvil = Anvil::spawn().await;
        let registries = Registries::deploy(&anvil).await;
        let mut life = Life::new(&registries, 41, 12).await.with_upgrades().await;
        let indexer = Indexer::new(&registries, fresh.database().await);
        life.go_on(12).await;
        for depth in 1..=DEPTH_MAX {
            let snapshot = anvil.snapshot().await;
            let base = anvil.head().await;
            anvil.send(registries.register(who("undone"))).await;
            anvil.mine(depth - 1).await;
            indexer.catch_up().await;
            anvil.revert(snapshot).await;
            // Other than before from the first block on; shorter than what it replaces, as long, or longer.
            anvil.send(registries.set_operator(who("instead"), who("bob"), depth % 2 == 0)).await;
            anvil.mine(depth * (depth % 3) / 2).await;
            indexer.catch_up().await;
            let what = format!("after {depth} blocks above {base} were replaced");
            equals_scratch(fresh, &indexer, OWN_AND_TAGS, &what).await;
            life.go_on(1).await;
        }
        indexer.catch_up().await;
        let head = anvil.head().await;
        indexer.equals_contract(&registries, head - 2 * DEPTH_MAX..=head).await;
        assert_eq!(u64::try_from(reorg_count(&indexer).await).unwrap(), DEPTH_MAX);
    }

    /// What was undone by name: a rotation, a mint, an upgrade and the answer it led to; then a second reorganisation on the first.
    async fn what_is_undone_is_as_if_it_never_was(fresh: Fresh) {
        let anvil = Anvil::spawn().await;
        let registries = Registries::deploy(&anvil).await;
        let indexer = Indexer::new(&registries, fresh.database().await);
        let (alice, bob, first) = (who("alice"), who("bob"), U256::ZERO);
        let wallet = TimelineRef::Wallet(0.into());
        anvil.send(registries.register(alice)).await;
        let unknown = registries.unknown_identity_code().await;
        indexer.while_following(Box::pin(async {
            anvil.send(registries.set_wallet(alice, first, &account("carol")).await).await;
            anvil.send(registries.register(bob)).await;
            anvil.send(registries.upgrade_identity(unknown)).await;
            anvil.send(registries.settle_wallet(alice, first, who("dora"))).await;
            indexer.reaches_head().await;
            let head = anvil.head().await;
            assert_eq!(indexer.wallet_at(0, head).await, who("dora"));
            assert_eq!(indexer.owner_at(1, head).await, Some(bob));

            anvil.reorg(4).await;
            indexer.reaches_head().await;
            let spans = indexer.spans(wallet).await;
            assert_eq!(spans.len(), 1, "{spans:?}");
            assert_eq!((spans[0].cause, spans[0].span.to), (Some(SpanCause::Registered), None));
            assert_eq!(spans[0].ended_by, None);
            assert_eq!(indexer.owner_at(1, head).await, None);
            equals_scratch(fresh, &indexer, OWN, "once").await;

            // The same agent is minted again, by somebody else, and undone again while nobody looks in between.
            anvil.send(registries.register(alice)).await;
            anvil.send(registries.transfer(alice, bob, first)).await;
            indexer.reaches_head().await;
            let ends: Vec<_> = indexer.spans(wallet).await.iter().map(|s| s.ended_by).collect();
            assert_eq!(ends, [Some(SpanEnd::Transfer), None]);
            anvil.reorg(1).await;
            anvil.reorg(3).await;
            indexer.reaches_head().await;
            let head = anvil.head().await;
            assert_eq!(indexer.wallet_at(0, head).await, alice);
            assert_eq!(indexer.owner_at(1, head).await, None);
            equals_scratch(fresh, &indexer, OWN, "twice").await;
        })).await;
        let mut tx = indexer.database.begin_read().await.unwrap();
        let reorgs = tx.reorgs(10).await.unwrap();
        assert!((2..=3).contains(&reorgs.len()), "{reorgs:?}");
        assert_eq!(reorgs.last().unwrap().orphaned.number - reorgs.last().unwrap().ancestor.number, 4);
        assert_eq!(registries.wallet_at(first, anvil.head().await).await, alice);
    }

    /// Found when following starts again, below what was applied in one step and above the finalized block.
    async fn a_reorganisation_while_stopped_during_the_backfill(fresh: Fresh) {
        let anvil = Anvil::spawn().await;
        let registries = Registries::deploy(&anvil).await;
        let mut life = Life::new(&registries, 43, 8).await;
        let mut indexer = Indexer::new(&registries, fresh.database().await);
        life.go_on(30).await;
        indexer.catch_up().await;
        anvil.reorg(20).await;
        // By now the last block applied lies below the finalized one, on a branch that is gone.
        life.go_on(10).await;
        anvil.mine(60).await;
        indexer.options.range_max = 10;
        indexer.catch_up().await;
        equals_scratch(fresh, &indexer, OWN, "after the chain went on").await;
        let head = anvil.head().await;
        indexer.equals_contract(&registries, registries.first_answer()..=head).await;
        assert_eq!(reorg_count(&indexer).await, 1);
    }
}
