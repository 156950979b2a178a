//! Questions about one agent: at the end of a block, and its whole story.

use alloy::primitives::{B256, keccak256};
use hallmark::identity::{Evidence, EvidencedSpan, TimelineRef};
use hallmark::storage::StorageError;
use hallmark::vocab::Position;

use super::samples::{
    LARGEST, account, agent, at, begin, bound, entry, hold, logs, named, raw_log, records, span,
    time, tx_hash,
};
use crate::support::databases::on_both_engines;

const WALLET: TimelineRef =
    TimelineRef::Wallet(hallmark::vocab::AgentId(alloy::primitives::U256::ONE));

/// The keys of metadata entries, by the order in which they come: that of their hashes.
fn by_hash(mut keys: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
    keys.sort_by_key(|key| keccak256(key));
    keys
}

fn key_of(found: &EvidencedSpan) -> B256 {
    match found.record.timeline {
        TimelineRef::Metadata(_, key) => key,
        other => panic!("{other:?}"),
    }
}

on_both_engines! {
    /// A span holds at a block's end if it began in it or before and did not end in it or before.
    async fn spans_are_half_open_at_block_ends(db: Database) {
        let first = span(WALLET, Some(account(1)), at(10, 3), Some(at(12, 0)));
        let within_12 = span(WALLET, Some(account(2)), at(12, 0), Some(at(12, 9)));
        let last_of_12 = span(WALLET, None, at(12, 9), Some(Position::end_of(15)));
        let observed = span(WALLET, Some(account(3)), Position::end_of(15), None);
        let mut tx = db.begin_write().await.unwrap();
        begin(&mut tx, &[first.clone(), within_12, last_of_12.clone(), observed.clone()]).await;
        for (block, expected) in [
            (0, None),
            (9, None),
            (10, Some(&first)),
            (11, Some(&first)),
            (12, Some(&last_of_12)),
            (14, Some(&last_of_12)),
            (15, Some(&observed)),
            (16, Some(&observed)),
            (Position::BLOCK_MAX, Some(&observed)),
        ] {
            let found = tx.span_at(WALLET, block).await.unwrap().map(|found| found.record);
            assert_eq!(found.as_ref(), expected, "at block {block}");
        }
        assert_eq!(tx.span_at(TimelineRef::Owner(agent(1)), 12).await.unwrap(), None);
        assert_eq!(tx.span_at(TimelineRef::Wallet(agent(10)), 12).await.unwrap(), None);
        let beyond = tx.span_at(WALLET, Position::BLOCK_MAX + 1).await;
        assert!(matches!(beyond, Err(StorageError::TooLarge { .. })), "{beyond:?}");
    }

    /// The last span that began is found also where it has ended: that is when its timeline last changed.
    async fn the_last_span_is_found_after_its_end(db: Database) {
        let first = span(WALLET, Some(account(1)), at(10, 3), Some(at(12, 0)));
        let second = span(WALLET, Some(account(2)), at(12, 0), Some(at(12, 9)));
        let third = span(WALLET, Some(account(3)), at(20, 1), None);
        let mut tx = db.begin_write().await.unwrap();
        begin(&mut tx, &[first.clone(), second.clone(), third.clone()]).await;
        for (block, expected) in
            [(9, None), (10, Some(&first)), (12, Some(&second)), (19, Some(&second)), (20, Some(&third))]
        {
            let found = tx.last_span(WALLET, block).await.unwrap().map(|found| found.record);
            assert_eq!(found.as_ref(), expected, "at block {block}");
        }
        assert_eq!(tx.last_span(TimelineRef::Owner(agent(1)), 20).await.unwrap(), None);
    }

    /// Both ends come with their transaction and time; a position without a log, or a block that is not held, has none.
    async fn ends_come_with_their_evidence(db: Database) {
        let mut tx = bound(&db).await;
        hold(&mut tx, [10, 12, 15]).await;
        logs(&mut tx, agent(1), &[at(10, 3), at(12, 0)]).await;
        // Another log of the same block must not be taken for the evidence.
        tx.insert_events(&[named(&raw_log(at(10, 4), vec![]), "Transfer", agent(1))]).await.unwrap();
        begin(&mut tx, &[
            span(WALLET, Some(account(1)), at(10, 3), Some(at(12, 0))),
            span(WALLET, Some(account(2)), at(12, 0), Some(Position::end_of(15))),
            span(WALLET, Some(account(3)), Position::end_of(15), Some(at(16, 0))),
            span(WALLET, None, at(16, 0), None),
        ]).await;
        let logged = |at: Position| Evidence {
            at, tx_hash: Some(tx_hash(at)), time: Some(time(at.block_number)),
        };
        let asked = Evidence { at: Position::end_of(15), tx_hash: None, time: Some(time(15)) };
        let unknown = Evidence { at: at(16, 0), tx_hash: None, time: None };
        let ends: Vec<_> = tx.timeline(WALLET, None, 9).await.unwrap().iter()
            .map(|found| (found.from, found.to))
            .collect();
        assert_eq!(ends, [
            (logged(at(10, 3)), Some(logged(at(12, 0)))),
            (logged(at(12, 0)), Some(asked)),
            (asked, Some(unknown)),
            (unknown, None),
        ]);
        assert_eq!(tx.span_at(WALLET, 11).await.unwrap().unwrap().to, Some(logged(at(12, 0))));
    }

    /// Two spans that claim one block's end are reported, not chosen from.
    async fn overlapping_spans_are_reported(db: Database) {
        let mut tx = db.begin_write().await.unwrap();
        begin(&mut tx, &[
            span(WALLET, Some(account(1)), at(1, 0), Some(at(9, 0))),
            span(WALLET, Some(account(2)), at(3, 0), None),
        ]).await;
        let found = tx.span_at(WALLET, 5).await.unwrap_err();
        assert_eq!(
            found.to_string(),
            "table span, column from_block: row wallet 01:1 at block 5 is inconsistent; run `hallmark audit`"
        );
        assert!(tx.span_at(WALLET, 2).await.unwrap().is_some());
    }

    /// Pages of a timeline join, also between spans of one block.
    async fn pages_of_a_timeline_join(db: Database) {
        let places = [at(1, 0), at(1, 1), at(1, 10), at(2, 0), Position::end_of(2), at(10, 0)];
        let mut tx = db.begin_write().await.unwrap();
        let begun: Vec<_> = (0..).zip(places)
            .map(|(i, from)| span(WALLET, Some(account(1)), from, places.get(i + 1).copied()))
            .collect();
        begin(&mut tx, &begun).await;
        begin(&mut tx, &[span(TimelineRef::Wallet(agent(2)), Some(account(1)), at(1, 5), None)]).await;
        for limit in [1, 2, 100] {
            let (mut read, mut after) = (Vec::new(), None);
            loop {
                let found = records(tx.timeline(WALLET, after, limit).await.unwrap());
                assert!(found.len() <= limit as usize);
                let Some(last) = found.last() else { break };
                after = Some(last.span.from);
                read.extend(found);
                assert!(read.len() <= begun.len(), "a page repeats");
            }
            assert_eq!(read, begun, "in pages of {limit}");
        }
    }

    /// Metadata at a block: each key once, by the hash of the key, in pages that join.
    async fn metadata_at_a_block(db: Database) {
        let keys = by_hash((0..20_u8).map(|i| vec![i; usize::from(i)]).collect());
        let mut tx = db.begin_write().await.unwrap();
        let old: Vec<_> = keys.iter().map(|key| entry(agent(1), key, b"old", at(1, 0), Some(at(5, 0)))).collect();
        let new: Vec<_> = keys[..10].iter().map(|key| entry(agent(1), key, b"new", at(5, 0), None)).collect();
        begin(&mut tx, &old).await;
        begin(&mut tx, &new).await;
        begin(&mut tx, &[entry(agent(10), b"other", b"", at(1, 0), None)]).await;
        for (block, expected) in [(0, &[][..]), (1, &old), (4, &old), (5, &new), (99, &new)] {
            let (mut read, mut after) = (Vec::new(), None);
            loop {
                let found = tx.metadata_at(agent(1), block, after, 3).await.unwrap();
                let Some(last) = found.last() else { break };
                after = Some(key_of(last));
                read.extend(records(found));
                assert!(read.len() <= expected.len(), "a page repeats");
            }
            assert_eq!(read, expected, "at block {block}");
        }
    }

    /// All spans of all keys, by the hash of the key and then by age, in pages that join.
    async fn metadata_timelines_join(db: Database) {
        let keys = by_hash(vec![b"a".to_vec(), b"b".to_vec(), vec![]]);
        let mut tx = db.begin_write().await.unwrap();
        let all: Vec<_> = keys.iter().flat_map(|key| [
            entry(agent(1), key, b"1", at(1, 0), Some(at(1, 7))),
            entry(agent(1), key, b"2", at(1, 7), Some(at(10, 0))),
            entry(agent(1), key, b"3", at(10, 0), None),
        ]).collect();
        begin(&mut tx, &all).await;
        begin(&mut tx, &[span(WALLET, Some(account(1)), at(1, 0), None)]).await;
        for limit in [1, 2, 4] {
            let (mut read, mut after) = (Vec::new(), None);
            loop {
                let found = tx.metadata_timelines(agent(1), after, limit).await.unwrap();
                let Some(last) = found.last() else { break };
                after = Some((key_of(last), last.from.at));
                read.extend(records(found));
                assert!(read.len() <= all.len(), "a page repeats");
            }
            assert_eq!(read, all, "in pages of {limit}");
        }
        assert_eq!(tx.metadata_timelines(agent(11), None, 9).await.unwrap(), []);
    }

    /// An owner's operators, by account and then by age; those of others are not among them.
    async fn operators_of_an_owner(db: Database) {
        let of = |operator| TimelineRef::Operator(account(0xaa), account(operator));
        let all = [
            span(of(1), Some(account(1)), at(2, 0), Some(at(3, 0))),
            span(of(1), Some(account(1)), at(10, 0), None),
            span(of(0xff), Some(account(0xff)), at(1, 0), None),
        ];
        let mut tx = db.begin_write().await.unwrap();
        begin(&mut tx, &all).await;
        let other = TimelineRef::Operator(account(0xab), account(1));
        begin(&mut tx, &[span(other, Some(account(1)), at(1, 0), None)]).await;
        assert_eq!(records(tx.operators_of_owner(account(0xaa), 9).await.unwrap()), all);
        assert_eq!(records(tx.operators_of_owner(account(0xaa), 2).await.unwrap()), all[..2]);
        assert_eq!(tx.operators_of_owner(account(1), 9).await.unwrap(), []);
    }

    /// At a block's end only those operators count whose span covers it.
    async fn operators_of_an_owner_at_a_block(db: Database) {
        let of = |operator| TimelineRef::Operator(account(0xaa), account(operator));
        let mut tx = db.begin_write().await.unwrap();
        let first = span(of(1), Some(account(1)), at(2, 0), Some(at(5, 0)));
        let second = span(of(2), Some(account(2)), at(3, 7), None);
        let again = span(of(1), Some(account(1)), at(9, 0), None);
        begin(&mut tx, &[first.clone(), second.clone(), again.clone()]).await;
        for (block, limit, expected) in [
            (1, 9, vec![]),
            (2, 9, vec![first.clone()]),
            (4, 9, vec![first.clone(), second.clone()]),
            (4, 1, vec![first.clone()]),
            (5, 9, vec![second.clone()]),
            (9, 9, vec![again.clone(), second.clone()]),
        ] {
            let found = tx.operators_of_owner_at(account(0xaa), block, limit).await.unwrap();
            assert_eq!(records(found), expected, "at block {block}");
        }
        assert_eq!(tx.operators_of_owner_at(account(1), 9, 9).await.unwrap(), []);
    }

    /// Mints are counted up to a block's end; the highest id is that of the number, not of the text.
    async fn mints_are_counted_and_the_highest_known(db: Database) {
        let mut tx = db.begin_write().await.unwrap();
        assert_eq!(tx.minted_count(99).await.unwrap(), 0);
        assert_eq!(tx.highest_agent().await.unwrap(), None);
        let minted = |id, block| span(TimelineRef::Owner(id), Some(account(1)), at(block, 0), None);
        begin(&mut tx, &[minted(agent(0), 1), minted(agent(9), 2), minted(agent(10), 2)]).await;
        let mut moved = span(TimelineRef::Owner(agent(3)), Some(account(2)), at(2, 0), None);
        moved.cause = Some(hallmark::identity::SpanCause::Transfer);
        // A transfer, and the wallet that a mint sets, are no mints.
        begin(&mut tx, &[moved, span(TimelineRef::Wallet(agent(44)), Some(account(1)), at(1, 0), None)]).await;
        for (block, count) in [(0, 0), (1, 1), (2, 3), (99, 3)] {
            assert_eq!(tx.minted_count(block).await.unwrap(), count, "at block {block}");
        }
        assert_eq!(tx.highest_agent().await.unwrap(), Some(agent(10)));
        begin(&mut tx, &[minted(LARGEST, 3)]).await;
        assert_eq!(tx.highest_agent().await.unwrap(), Some(LARGEST));
    }
}
