//! Spans: what is written comes back, whatever the timeline; and what cannot be understood is reported.

use alloy::primitives::{Bytes, keccak256};
use hallmark::identity::{Changes, SpanCause, SpanEnd, SpanRecord, TimelineRef, Value};
use hallmark::storage::StorageError;
use hallmark::vocab::{Position, RegistryKind};

use super::samples::{LARGEST, account, agent, at, begin, closing, entry, records, span};
use crate::support::databases::on_both_engines;

/// One span of each kind, with each cause and value there is.
fn of_every_kind() -> Vec<SpanRecord> {
    let from = at(7, 1);
    let mut uri = span(TimelineRef::Uri(LARGEST), None, from, None);
    uri.value = Value::Uri(Bytes::from_static(b"\0\xff'; --"));
    let mut empty_uri = span(TimelineRef::Uri(agent(0)), None, from, None);
    empty_uri.value = Value::Uri(Bytes::new());
    let mut causes = vec![
        span(TimelineRef::Owner(agent(0)), Some(account(0xff)), from, None),
        span(TimelineRef::Wallet(agent(0)), Some(account(0)), at(0, 0), None),
        span(TimelineRef::Approved(LARGEST), Some(account(2)), from, None),
        span(TimelineRef::Operator(account(0xab), account(0xcd)), Some(account(0xcd)), from, None),
        span(
            TimelineRef::Implementation(RegistryKind::Validation),
            Some(account(5)),
            Position::end_of(6),
            None,
        ),
    ];
    let words = [
        SpanCause::Registered,
        SpanCause::Proven,
        SpanCause::Observed,
        SpanCause::Transfer,
        SpanCause::Set,
    ];
    for (span, cause) in causes.iter_mut().zip(words) {
        span.cause = Some(cause);
    }
    causes.extend([
        span(TimelineRef::Wallet(agent(1)), None, from, None),
        uri,
        empty_uri,
        entry(agent(0), b"", b"", from, None),
        entry(agent(0), b"\0", b"\0\xff", from, None),
    ]);
    causes
}

on_both_engines! {
    /// Every kind of timeline comes back as it was written, to the last byte.
    async fn spans_of_every_kind_come_back(db: Database) {
        let mut tx = db.begin_write().await.unwrap();
        begin(&mut tx, &of_every_kind()).await;
        tx.commit().await.unwrap();
        let mut tx = db.begin_read().await.unwrap();
        for span in of_every_kind() {
            assert_eq!(tx.open_span(span.timeline).await.unwrap(), Some(span.clone()));
            let whole = tx.timeline(span.timeline, None, 9).await.unwrap();
            assert_eq!(records(whole), [span]);
        }
        assert_eq!(tx.open_span(TimelineRef::Owner(agent(1))).await.unwrap(), None);
        assert_eq!(tx.open_span(TimelineRef::Operator(account(0xcd), account(0xab))).await.unwrap(), None);
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

    /// Keys and values of any length fit, and so do long URIs: no index holds them.
    async fn long_keys_and_values_fit(db: Database) {
        // Bytes that do not compress: PostgreSQL would squeeze a run of zeros into an index row.
        let noise: Vec<u8> = (0_u32..4_000).flat_map(|i| keccak256(i.to_be_bytes())).collect();
        let (key, value) = (&noise[..100_000], &noise[28_000..]);
        let written = [entry(LARGEST, key, value, at(7, 0), None)];
        let mut uri = span(TimelineRef::Uri(LARGEST), None, at(7, 0), None);
        uri.value = Value::Uri(Bytes::from(noise.clone()));
        let mut tx = db.begin_write().await.unwrap();
        begin(&mut tx, &written).await;
        begin(&mut tx, std::slice::from_ref(&uri)).await;
        assert_eq!(records(tx.metadata_at(LARGEST, 7, None, 9).await.unwrap()), written);
        assert_eq!(records(tx.metadata_timelines(LARGEST, None, 9).await.unwrap()), written);
        assert_eq!(tx.open_span(uri.timeline).await.unwrap(), Some(uri));
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
