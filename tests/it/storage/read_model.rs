//! What a reader asks who holds a part of the record in memory.

use std::collections::BTreeSet;

use hallmark::identity::TimelineRef;
use hallmark::storage::{Revision, Tx};
use hallmark::vocab::Position;

use super::samples::{
    account, agent, at, begin, binding, block, bound, hold, logs, span, stamp, time, tx_hash,
};
use crate::support::databases::on_both_engines;

/// Spans of the wallets and owners of agents 1 to 3, and others beside them.
async fn fill(tx: &mut Tx) {
    hold(tx, [1, 3, 5, 7, 9]).await;
    let wallet = |id| TimelineRef::Wallet(agent(id));
    logs(tx, agent(1), &[at(1, 0), at(5, 2)]).await;
    begin(
        tx,
        &[
            span(wallet(1), Some(account(1)), at(1, 0), Some(at(5, 2))),
            span(wallet(1), Some(account(2)), at(5, 2), None),
            span(wallet(2), Some(account(1)), at(3, 0), Some(at(9, 0))),
            span(wallet(2), None, at(9, 0), None),
            span(wallet(3), Some(account(1)), at(9, 1), Some(at(9, 2))),
            span(TimelineRef::Owner(agent(1)), Some(account(1)), at(5, 0), Some(at(9, 1))),
            span(TimelineRef::Approved(agent(1)), Some(account(1)), at(5, 0), Some(at(9, 0))),
        ],
    )
    .await;
}

/// Whose spans changed, and where they began.
async fn changed(tx: &mut Tx, after: Option<u64>, through: u64) -> BTreeSet<(u64, Position)> {
    let mut told = Vec::new();
    tx.holder_spans_changed(after, through, |found| {
        let (TimelineRef::Owner(id) | TimelineRef::Wallet(id)) = found.record.timeline else {
            panic!("{found:?}")
        };
        told.push((id.0.to(), found.record.span.from));
    })
    .await
    .unwrap();
    let set: BTreeSet<_> = told.iter().copied().collect();
    assert_eq!(set.len(), told.len(), "each once: {told:?}");
    set
}

on_both_engines! {
    /// A span of an owner or a wallet is told of where it began or ended after the one block and up to the other, with its evidence.
    async fn spans_that_changed_between_two_blocks(db: Database) {
        let mut tx = bound(&db).await;
        fill(&mut tx).await;
        let all =
            [(1, at(1, 0)), (1, at(5, 2)), (2, at(3, 0)), (2, at(9, 0)), (3, at(9, 1)), (1, at(5, 0))];
        for (after, through, expected) in [
            (None, 99, &all[..]),
            (Some(0), 99, &all),
            (None, 4, &[all[0], all[2]]),
            (Some(1), 3, &[all[2]]),
            (Some(3), 5, &[all[0], all[1], all[5]]),
            (Some(5), 8, &[]),
            (Some(5), 9, &[all[2], all[3], all[4], all[5]]),
            (Some(9), 99, &[]),
        ] {
            let expected: BTreeSet<_> = expected.iter().copied().collect();
            assert_eq!(changed(&mut tx, after, through).await, expected, "{after:?} to {through}");
        }
        let mut evidence = Vec::new();
        tx.holder_spans_changed(Some(3), 5, |found| {
            if let TimelineRef::Wallet(_) = found.record.timeline {
                evidence.push((found.from, found.to));
            }
        }).await.unwrap();
        evidence.sort_by_key(|(from, _)| from.at);
        let (from, to) = evidence[0];
        assert_eq!((from.tx_hash, from.time), (Some(tx_hash(at(1, 0))), Some(time(1))));
        assert_eq!(to.unwrap().tx_hash, Some(tx_hash(at(5, 2))));
        assert_eq!(evidence[1], (to.unwrap(), None));
    }

    /// The newest blocks ascend, and the oldest are left out first.
    async fn the_newest_blocks_ascend(db: Database) {
        let mut tx = bound(&db).await;
        hold(&mut tx, [0, 1, 3, 5, 7, 9]).await;
        for (above, limit, expected) in [
            (None, 99, &[0, 1, 3, 5, 7, 9][..]),
            (Some(0), 99, &[1, 3, 5, 7, 9]),
            (None, 2, &[7, 9]),
            (Some(5), 1, &[9]),
            (Some(9), 9, &[]),
        ] {
            let found = tx.newest_blocks(above, limit).await.unwrap();
            let expected: Vec<_> = expected.iter().map(|number| stamp(*number)).collect();
            assert_eq!(found, expected);
        }
    }

    /// Going forward is no rewriting; going back, folding anew, emptying and what says so are.
    async fn rewritings_are_counted(db: Database) {
        let mut tx = bound(&db).await;
        let none = Revision { rewrites: 0, reorgs: 0 };
        assert_eq!(tx.revision().await.unwrap(), none);
        fill(&mut tx).await;
        assert_eq!(tx.revision().await.unwrap(), none);
        assert_eq!(tx.lowest_ancestor_since(0).await.unwrap(), None);
        for (ancestor, orphaned) in [(7, 9), (3, 7), (5, 6)] {
            tx.revert_to(block(ancestor), block(orphaned)).await.unwrap();
        }
        assert_eq!(tx.revision().await.unwrap(), Revision { rewrites: 0, reorgs: 3 });
        for (since, expected) in [(0, Some(3)), (1, Some(3)), (2, Some(5)), (3, None)] {
            assert_eq!(tx.lowest_ancestor_since(since).await.unwrap(), expected);
        }
        tx.delete_spans().await.unwrap();
        tx.note_rewrite().await.unwrap();
        assert_eq!(tx.revision().await.unwrap(), Revision { rewrites: 2, reorgs: 3 });
        tx.forget_after(2).await.unwrap();
        assert_eq!(tx.revision().await.unwrap(), Revision { rewrites: 3, reorgs: 3 });
        tx.forget_everything_of(&binding()).await.unwrap();
        assert_eq!(tx.revision().await.unwrap(), Revision { rewrites: 4, reorgs: 0 });
    }
}
