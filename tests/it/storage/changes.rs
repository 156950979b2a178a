//! How timelines change: what is open is found, what ends is closed, and what cannot be so is reported.

use std::collections::BTreeSet;

use alloy::primitives::keccak256;
use hallmark::identity::{Changes, SpanEnd, TimelineRef};
use hallmark::storage::StorageError;
use hallmark::vocab::Position;

use super::samples::{LARGEST, account, agent, at, begin, closing, entry, records, span};
use super::spans::of_every_kind;
use crate::support::databases::on_both_engines;

on_both_engines! {
    /// Of many timelines those that have an open span are found, and no others: below, at and above the highest subject of their kind.
    async fn open_spans_are_found_among_many(db: Database) {
        let mut tx = db.begin_write().await.unwrap();
        let asked: BTreeSet<_> = (0..260).map(|id| TimelineRef::Owner(agent(id))).collect();
        assert_eq!(tx.open_spans(&asked).await.unwrap(), []);
        let written: Vec<_> = (0..250)
            .map(|id| {
                let to = (id % 3 == 0).then(|| at(9, 0));
                span(TimelineRef::Owner(agent(id)), Some(account(1)), at(1, 0), to)
            })
            .collect();
        begin(&mut tx, &written).await;
        begin(&mut tx, &of_every_kind()[1..]).await;
        let mut open = tx.open_spans(&asked).await.unwrap();
        open.sort_by_key(|span| span.timeline);
        let expected: Vec<_> = written.into_iter().filter(|span| span.span.to.is_none()).collect();
        assert_eq!(open, expected);

        let entries = of_every_kind();
        let asked: BTreeSet<_> = entries[1..].iter().map(|span| span.timeline).collect();
        let mut open = tx.open_spans(&asked).await.unwrap();
        open.sort_by_key(|span| span.timeline);
        let mut expected = entries[1..].to_vec();
        expected.sort_by_key(|span| span.timeline);
        assert_eq!(open, expected);
        let above = BTreeSet::from([
            TimelineRef::Wallet(LARGEST),
            TimelineRef::Operator(account(0xff), account(0xcd)),
            TimelineRef::Metadata(agent(0), keccak256("other")),
        ]);
        assert_eq!(tx.open_spans(&above).await.unwrap(), []);
    }

    /// However many spans begin and end at once, each row is written as it would be alone.
    async fn hundreds_change_at_once(db: Database) {
        for count in [1, 9, 10, 99, 100, 237] {
            let mut tx = db.begin_write().await.unwrap();
            let timeline = |id| TimelineRef::Wallet(agent(id));
            let spans: Vec<_> =
                (0..count).map(|id| span(timeline(id), Some(account(1)), at(id, 0), None)).collect();
            begin(&mut tx, &spans).await;
            let closings =
                (0..count).flat_map(|id| closing(timeline(id), at(id, 0), at(count + id, 7)).closings);
            let changes = Changes { closings: closings.collect(), begun: vec![] };
            tx.write_changes(&changes).await.unwrap();
            for id in 0..count {
                let whole = records(tx.timeline(timeline(id), None, 9).await.unwrap());
                let ended = (whole[0].span.to, whole[0].ended_by);
                assert_eq!(ended, (Some(at(count + id, 7)), Some(SpanEnd::Transfer)), "{id} of {count}");
                assert_eq!(whole.len(), 1);
            }
        }
    }

    /// Where one of many cannot be closed, all of them are named.
    async fn one_of_many_that_is_not_open_is_reported(db: Database) {
        let mut tx = db.begin_write().await.unwrap();
        let timeline = |id| TimelineRef::Wallet(agent(id));
        let spans: Vec<_> =
            (0..9).map(|id| span(timeline(id), Some(account(1)), at(1, 0), None)).collect();
        begin(&mut tx, &spans).await;
        let closings = (0..10).flat_map(|id| closing(timeline(id), at(1, 0), at(2, 0)).closings);
        let changes = Changes { closings: closings.collect(), begun: vec![] };
        let Err(StorageError::Inconsistent { row, .. }) = tx.write_changes(&changes).await else {
            panic!("it was closed");
        };
        assert!(row.contains("wallet 01:9 from block 1"), "{row}");
    }

    /// A span is closed where it began, for each reason there is; a closed one is no longer open.
    async fn spans_close_for_every_reason(db: Database) {
        let reasons = [
            SpanEnd::Rotated, SpanEnd::Proven, SpanEnd::Transfer, SpanEnd::Unset, SpanEnd::Observed, SpanEnd::Set,
        ];
        let mut tx = db.begin_write().await.unwrap();
        let timeline = TimelineRef::Wallet(agent(1));
        for (number, reason) in (1..).zip(reasons) {
            let (from, to) = (at(number, 0), at(number, Position::END_OF_BLOCK));
            begin(&mut tx, &[span(timeline, Some(account(1)), from, None)]).await;
            let mut changes = closing(timeline, from, to);
            changes.closings[0].ended_by = reason;
            tx.write_changes(&changes).await.unwrap();
            assert_eq!(tx.open_span(timeline).await.unwrap(), None);
        }
        let ends: Vec<_> = records(tx.timeline(timeline, None, 9).await.unwrap()).iter()
            .map(|span| (span.span.to, span.ended_by))
            .collect();
        let expected: Vec<_> = (1..).zip(reasons)
            .map(|(number, reason)| (Some(Position::end_of(number)), Some(reason)))
            .collect();
        assert_eq!(ends, expected);
    }

    /// Closings come before new spans, so that one call hands a timeline over.
    async fn one_call_closes_and_begins(db: Database) {
        let timeline = TimelineRef::Wallet(agent(1));
        let mut tx = db.begin_write().await.unwrap();
        begin(&mut tx, &[span(timeline, Some(account(1)), at(1, 0), None)]).await;
        let next = span(timeline, Some(account(2)), at(2, 0), None);
        let changes = Changes { begun: vec![next.clone()], ..closing(timeline, at(1, 0), at(2, 0)) };
        tx.write_changes(&changes).await.unwrap();
        assert_eq!(tx.open_span(timeline).await.unwrap(), Some(next));
        tx.write_changes(&Changes::default()).await.unwrap();
    }

    /// A span that is closed already, begins elsewhere or is of another timeline cannot be closed.
    async fn only_an_open_span_can_be_closed(db: Database) {
        let timeline = TimelineRef::Metadata(agent(1), keccak256("a"));
        let mut tx = db.begin_write().await.unwrap();
        begin(&mut tx, &[entry(agent(1), b"a", b"1", at(1, 0), Some(at(2, 0)))]).await;
        begin(&mut tx, &[entry(agent(1), b"a", b"2", at(2, 0), None)]).await;
        for (timeline, from) in [
            (timeline, at(1, 0)),
            (timeline, at(2, 1)),
            (timeline, at(3, 0)),
            (TimelineRef::Metadata(agent(1), keccak256("b")), at(2, 0)),
            (TimelineRef::Metadata(agent(10), keccak256("a")), at(2, 0)),
        ] {
            let refused = tx.write_changes(&closing(timeline, from, at(9, 0))).await;
            let Err(StorageError::Inconsistent { table: "span", column: "to_block", row }) = refused else {
                panic!("{refused:?}");
            };
            assert!(row.starts_with("metadata 0"), "{row}");
        }
        assert!(tx.open_span(timeline).await.unwrap().is_some());
    }

    /// A timeline has one open span.
    async fn a_second_open_span_is_refused(db: Database) {
        let timeline = TimelineRef::Owner(agent(1));
        let mut tx = db.begin_write().await.unwrap();
        begin(&mut tx, &[span(timeline, Some(account(1)), at(1, 0), None)]).await;
        let second = Changes { begun: vec![span(timeline, Some(account(2)), at(2, 0), None)], closings: vec![] };
        let refused = tx.write_changes(&second).await;
        assert!(matches!(refused, Err(StorageError::Driver(_))), "{refused:?}");
    }

    /// Nothing of any timeline is left after forgetting, and all can be written again.
    async fn timelines_can_be_forgotten(db: Database) {
        let mut tx = db.begin_write().await.unwrap();
        begin(&mut tx, &of_every_kind()).await;
        tx.delete_spans().await.unwrap();
        for span in of_every_kind() {
            assert_eq!(tx.timeline(span.timeline, None, 9).await.unwrap(), []);
        }
        begin(&mut tx, &of_every_kind()).await;
    }
}
