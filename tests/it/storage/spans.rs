//! Spans: what is written comes back, whatever the timeline.

use alloy::primitives::{Bytes, keccak256};
use hallmark::identity::{SpanCause, SpanRecord, TimelineRef, Value};
use hallmark::vocab::{Position, RegistryKind};

use super::samples::{LARGEST, account, agent, at, begin, entry, records, span};
use crate::support::databases::on_both_engines;

/// One span of each kind, with each cause and value there is.
pub(super) fn of_every_kind() -> Vec<SpanRecord> {
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
}
