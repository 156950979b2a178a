//! Blocks, and going back to one.

use std::collections::BTreeSet;

use alloy::primitives::B256;
use hallmark::identity::{SpanEnd, TimelineRef};
use hallmark::storage::{HeldBlock, Observation, ObservedSubject, StorageError};
use hallmark::vocab::{BlockRef, BlockStamp, Position, UnixSeconds};

use super::samples::{
    account, agent, at, begin, block, bound, held, hold, logs, records, span, stamp, time,
};
use crate::support::databases::on_both_engines;

on_both_engines! {
    /// Holding a block again is harmless, and adds the parent where it was not known.
    async fn a_block_is_held_once(db: Database) {
        let mut tx = db.begin_write().await.unwrap();
        assert_eq!(tx.block_at(3).await.unwrap(), None);
        let without_parent = HeldBlock { parent_hash: None, ..held(3) };
        tx.insert_blocks(&[without_parent]).await.unwrap();
        assert_eq!(tx.block_at(3).await.unwrap(), Some(without_parent));
        tx.insert_blocks(&[held(3)]).await.unwrap();
        tx.insert_blocks(&[without_parent]).await.unwrap();
        tx.commit().await.unwrap();
        let mut tx = db.begin_read().await.unwrap();
        assert_eq!(tx.block_at(3).await.unwrap(), Some(held(3)));
    }

    /// Another block of a held number, or the same at another time, is refused and changes nothing.
    async fn another_block_of_the_same_number_is_refused(db: Database) {
        let mut tx = db.begin_write().await.unwrap();
        hold(&mut tx, [3]).await;
        let mut other = held(3);
        other.stamp.block.hash = B256::repeat_byte(9);
        let mut later = held(3);
        later.stamp.time = time(4);
        for wrong in [other, later] {
            let refused = tx.insert_blocks(&[wrong]).await;
            let expected = StorageError::Inconsistent {
                table: "block", column: "hash", row: wrong.stamp.block.to_string(),
            };
            assert_eq!(refused.unwrap_err().to_string(), expected.to_string());
        }
        assert_eq!(tx.block_at(3).await.unwrap(), Some(held(3)));
    }

    /// Numbers up to 2^63 - 1 are held; above it nothing is found, and nothing is written.
    async fn the_highest_block_number_is_held(db: Database) {
        let mut tx = db.begin_write().await.unwrap();
        let of = |number| HeldBlock {
            stamp: BlockStamp { block: BlockRef { number, hash: B256::ZERO }, time: UnixSeconds::MAX },
            parent_hash: None,
        };
        let last = of(Position::BLOCK_MAX);
        tx.insert_blocks(&[last]).await.unwrap();
        assert_eq!(tx.block_at(Position::BLOCK_MAX).await.unwrap(), Some(last));
        assert_eq!(tx.block_not_after(UnixSeconds::MAX).await.unwrap(), Some(last));
        let above = Position::BLOCK_MAX + 1;
        assert!(matches!(tx.insert_blocks(&[of(above)]).await, Err(StorageError::TooLarge { .. })));
        assert_eq!(tx.block_at(above).await.unwrap(), None);
    }

    /// A time means the last held block that is not later; of several in one second, the last.
    async fn a_time_finds_the_last_block_not_after_it(db: Database) {
        let mut tx = db.begin_write().await.unwrap();
        hold(&mut tx, [2, 3, 5]).await;
        let mut same_second = held(6);
        same_second.stamp.time = time(5);
        tx.insert_blocks(&[same_second]).await.unwrap();

        let second = |number: u64, more: i64| {
            UnixSeconds::new(time(number).get().checked_add_signed(more).unwrap()).unwrap()
        };
        for (when, expected) in [
            (second(2, -1), None),
            (second(2, 0), Some(2)),
            (second(2, 1), Some(2)),
            (second(5, -1), Some(3)),
            (second(5, 0), Some(6)),
            (UnixSeconds::MAX, Some(6)),
        ] {
            let found = tx.block_not_after(when).await.unwrap();
            assert_eq!(found.map(|held| held.stamp.block.number), expected, "{when}");
        }
    }

    /// The nearest block that is held, which need not be the one before.
    async fn the_block_before_a_number_is_the_nearest_one_held(db: Database) {
        let mut tx = db.begin_write().await.unwrap();
        hold(&mut tx, [9, 3, 5]).await;
        for (number, expected) in [(3, None), (4, Some(3)), (9, Some(5)), (u64::MAX, Some(9))] {
            let found = tx.block_before(number).await.unwrap();
            assert_eq!(found, expected.map(held), "{number}");
        }
    }

    /// The record alone is made anew: what came after is forgotten as on the way back, and no reorganisation is remembered.
    async fn forgetting_is_no_reorganisation(db: Database) {
        let wallet = TimelineRef::Wallet(agent(1));
        let first = span(wallet, Some(account(1)), at(10, 0), Some(at(12, 3)));
        let second = span(wallet, Some(account(2)), at(12, 3), None);
        let mut tx = bound(&db).await;
        hold(&mut tx, 9..=14).await;
        logs(&mut tx, agent(1), &[at(10, 0), at(12, 3)]).await;
        begin(&mut tx, &[first, second]).await;
        tx.forget_after(11).await.unwrap();
        let open = tx.open_span(wallet).await.unwrap().unwrap();
        assert_eq!((open.span.from, open.span.to), (at(10, 0), None));
        assert_eq!(tx.events_in(0, 99).await.unwrap().len(), 1);
        assert_eq!(tx.blocks_above(0).await.unwrap(), [held(9), held(10), held(11)]);
        assert_eq!(tx.reorgs(9).await.unwrap(), []);
    }

    /// The same among hundreds of blocks with gaps of any length between them, for every second.
    async fn times_find_their_block_among_many(db: Database) {
        let mut tx = db.begin_write().await.unwrap();
        let numbers: BTreeSet<u64> =
            (0..120).map(|i| 1_000 + i * i * i % 5_000 + i * 700).chain([2, 90_000, 200_000]).collect();
        let blocks: Vec<_> = numbers.iter().copied().map(held).collect();
        tx.insert_blocks(&blocks).await.unwrap();
        for when in (0..210_000).step_by(1_009).map(time).chain(numbers.iter().copied().map(time)) {
            let expected = blocks.iter().rfind(|held| held.stamp.time <= when);
            assert_eq!(tx.block_not_after(when).await.unwrap().as_ref(), expected, "{when}");
        }
    }

    /// Of many blocks at once, the one that is held otherwise is named.
    async fn the_block_that_differs_is_named(db: Database) {
        let mut tx = db.begin_write().await.unwrap();
        hold(&mut tx, [7]).await;
        let mut blocks: Vec<_> = (1..=10).map(held).collect();
        blocks[6].stamp.block.hash = B256::repeat_byte(9);
        let refused = tx.insert_blocks(&blocks).await.unwrap_err();
        let named = blocks[6].stamp.block.to_string();
        assert!(refused.to_string().contains(&named), "{refused}");
    }

    /// Blocks above a number come in their order, without the number itself.
    async fn blocks_above_a_number_ascend(db: Database) {
        let mut tx = db.begin_write().await.unwrap();
        hold(&mut tx, [9, 3, 5, 100]).await;
        assert_eq!(tx.blocks_above(3).await.unwrap(), [held(5), held(9), held(100)]);
        assert_eq!(tx.blocks_above(100).await.unwrap(), []);
    }

    /// Going back forgets what began after the ancestor and reopens what ended after it, to the block.
    async fn going_back_forgets_and_reopens(db: Database) {
        let (wallet, owner) = (TimelineRef::Wallet(agent(1)), TimelineRef::Owner(agent(1)));
        let first = span(wallet, Some(account(1)), at(10, 0), Some(at(12, 3)));
        let second = span(wallet, Some(account(2)), at(12, 3), Some(at(13, 0)));
        let third = span(wallet, Some(account(3)), at(13, 0), None);
        let held_by = span(owner, Some(account(9)), at(10, 0), Some(at(12, u32::MAX)));
        let places = [at(10, 0), at(12, 3), at(13, 0)];
        let observation = |number| Observation {
            block: block(number),
            subject: ObservedSubject::Wallet(agent(1)),
            answer: Some(account(1)),
        };
        let mut tx = bound(&db).await;
        hold(&mut tx, 9..=14).await;
        logs(&mut tx, agent(1), &places).await;
        begin(&mut tx, &[first.clone(), second.clone(), third, held_by.clone()]).await;
        for number in [12, 13] {
            tx.insert_observation(&observation(number)).await.unwrap();
        }

        // To the end of block 12: what happened in it stays.
        tx.revert_to(block(12), block(14)).await.unwrap();
        let reopened = {
            let mut span = second;
            (span.span.to, span.ended_by) = (None, None);
            span
        };
        assert_eq!(records(tx.timeline(wallet, None, 9).await.unwrap()), [first.clone(), reopened.clone()]);
        assert_eq!(tx.open_span(wallet).await.unwrap(), Some(reopened));
        assert_eq!(records(tx.timeline(owner, None, 9).await.unwrap()), [held_by]);
        assert_eq!(tx.events_in(0, 99).await.unwrap().len(), 2);
        assert_eq!(tx.observations_in(0, 99).await.unwrap(), [observation(12)]);
        assert_eq!(tx.blocks_above(0).await.unwrap(), [held(9), held(10), held(11), held(12)]);
        assert_eq!(tx.reorgs(1).await.unwrap()[0].orphaned, block(14));

        // To the end of block 11, and then before anything.
        tx.revert_to(block(11), block(12)).await.unwrap();
        let open = tx.open_span(wallet).await.unwrap().unwrap();
        assert_eq!((open.span.from, open.span.to, open.ended_by), (at(10, 0), None, None));
        assert_eq!(open.cause, first.cause);
        assert_ne!(first.ended_by, None::<SpanEnd>);
        assert!(tx.open_span(owner).await.unwrap().is_some());
        tx.revert_to(block(9), block(11)).await.unwrap();
        assert_eq!(tx.open_span(wallet).await.unwrap(), None);
        assert_eq!(tx.events_in(0, 99).await.unwrap(), []);
        assert_eq!(tx.observations_in(0, 99).await.unwrap(), []);
        assert_eq!(tx.block_at(9).await.unwrap().map(|held| held.stamp), Some(stamp(9)));
    }
}
