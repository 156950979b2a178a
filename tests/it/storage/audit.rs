//! The rules that every row keeps: a sound record breaks none, and each kind of damage breaks just its own.

use hallmark::identity::TimelineRef;
use hallmark::storage::{Database, RecordRule, Tags, Tx};

use super::samples::{account, agent, at, begin, block, bound, hold, logs, span, stamp};
use crate::support::databases::on_both_engines;

/// Blocks 5 to 9 with a mint and a transfer, and the cursor at 9.
async fn sound(db: &Database) -> Tx {
    let mut tx = bound(db).await;
    hold(&mut tx, 5..=9).await;
    logs(&mut tx, agent(0), &[at(6, 0), at(8, 3)]).await;
    let owner = TimelineRef::Owner(agent(0));
    let spans = [
        span(owner, Some(account(1)), at(6, 0), Some(at(8, 3))),
        span(owner, Some(account(2)), at(8, 3), None),
    ];
    begin(&mut tx, &spans).await;
    tx.set_tags(&Tags { indexed: Some(stamp(9)), ..Tags::default() }).await.unwrap();
    tx
}

/// The rules that are broken, each with the first offending row.
async fn broken(tx: &mut Tx) -> Vec<(RecordRule, String, i64)> {
    let mut found = Vec::new();
    for rule in RecordRule::ALL {
        let rows = tx.rows_breaking(rule, 5).await.unwrap();
        found.extend(rows.into_iter().map(|row| (rule, row.subject, row.block)));
    }
    found
}

on_both_engines! {
    /// Nothing is wrong with a record that was written as it should be.
    async fn a_sound_record_breaks_no_rule(db: Database) {
        let mut tx = sound(&db).await;
        assert_eq!(broken(&mut tx).await, []);
    }

    /// A span that begins inside the one before it, and one that ends before it begins.
    async fn spans_that_overlap_or_run_backwards_are_found(db: Database) {
        let mut tx = sound(&db).await;
        let wallet = TimelineRef::Wallet(agent(1));
        begin(&mut tx, &[
            span(wallet, Some(account(1)), at(6, 0), Some(at(8, 0))),
            span(wallet, Some(account(2)), at(7, 0), None),
            span(TimelineRef::Wallet(agent(2)), Some(account(1)), at(8, 1), Some(at(7, 0))),
        ])
        .await;
        assert_eq!(broken(&mut tx).await, [
            (RecordRule::SpansDisjoint, "wallet 01:1".to_owned(), 6),
            (RecordRule::SpansForward, "wallet 01:2".to_owned(), 8),
        ]);
    }

    /// A block whose parent is not the one before it.
    async fn blocks_that_do_not_link_are_found(db: Database) {
        let mut tx = sound(&db).await;
        let mut stranger = super::samples::held(10);
        stranger.parent_hash = Some(block(3).hash);
        tx.insert_block(&stranger).await.unwrap();
        tx.set_tags(&Tags { indexed: Some(stamp(10)), ..Tags::default() }).await.unwrap();
        assert_eq!(broken(&mut tx).await, [(RecordRule::BlocksLinked, "block".to_owned(), 10)]);
    }

    /// Rows above the cursor, an event without its block, and a cursor at a block that is not held.
    async fn rows_without_their_block_or_above_the_cursor_are_found(db: Database) {
        let mut tx = sound(&db).await;
        logs(&mut tx, agent(0), &[at(12, 0)]).await;
        assert_eq!(broken(&mut tx).await, [
            (RecordRule::NothingAboveCursor, "event".to_owned(), 12),
            (RecordRule::EventsHaveBlocks, "identity".to_owned(), 12),
        ]);
        tx.set_tags(&Tags { indexed: Some(stamp(20)), ..Tags::default() }).await.unwrap();
        assert_eq!(broken(&mut tx).await, [
            (RecordRule::CursorHeld, "cursor".to_owned(), 20),
            (RecordRule::EventsHaveBlocks, "identity".to_owned(), 12),
        ]);
    }
}
