//! Who names which source, as the record says it and as files do.

use alloy::primitives::{B256, Bytes};
use hallmark::identity::{SpanCause, SpanEnd, SpanRecord, TimelineRef, Value};
use hallmark::registry::file::{Source, SourceKind};
use hallmark::storage::{EntryNow, NamedBy, Revision, SourceCounts};
use hallmark::vocab::{AgentId, Position, Span, UnixSeconds};

use super::samples::{agent, at, begin, binding, bound, entry};
use crate::support::databases::on_both_engines;

fn uri(of: AgentId, uri: &str, from: Position, to: Option<Position>) -> SpanRecord {
    SpanRecord {
        timeline: TimelineRef::Uri(of),
        value: Value::Uri(Bytes::copy_from_slice(uri.as_bytes())),
        span: Span { from, to },
        cause: Some(SpanCause::Set),
        ended_by: to.map(|_| SpanEnd::Set),
    }
}

fn now(of: u64, value: &str, from_block: u64) -> EntryNow {
    EntryNow { agent: agent(of), value: value.as_bytes().to_vec(), from_block }
}

fn id(byte: u8) -> B256 {
    B256::repeat_byte(byte)
}

on_both_engines! {
    async fn entries_in_force_are_told_by_when_they_were_set(db: Database) {
        let mut tx = bound(&db).await;
        begin(&mut tx, &[
            uri(agent(1), "old", at(5, 0), Some(at(7, 0))),
            uri(agent(1), "new", at(7, 0), None),
            uri(agent(2), "two", at(6, 1), None),
            uri(agent(3), "later", at(9, 0), None),
            entry(agent(2), b"did", b"did:x:2", at(7, 2), None),
            entry(agent(2), b"other", b"did:x:3", at(7, 3), None),
        ]).await;
        let mut told = Vec::new();
        tx.entries_begun(b"did", None, 8, |by, entry| told.push((by, entry))).await.unwrap();
        told.sort_by_key(|(by, entry)| (*by, entry.agent));
        let all = [
            (NamedBy::Uri, now(1, "new", 7)),
            (NamedBy::Uri, now(2, "two", 6)),
            (NamedBy::Did, now(2, "did:x:2", 7)),
        ];
        assert_eq!(told, all);
        let mut told = Vec::new();
        tx.entries_begun(b"did", Some(6), 7, |by, entry| told.push((by, entry.agent))).await.unwrap();
        told.sort_unstable();
        assert_eq!(told, [(NamedBy::Uri, agent(1)), (NamedBy::Did, agent(2))]);
        assert_eq!(tx.entry_now(agent(1), NamedBy::Uri, b"did").await.unwrap(), Some(now(1, "new", 7)));
        assert_eq!(tx.entry_now(agent(1), NamedBy::Did, b"did").await.unwrap(), None);
        assert_eq!(tx.entry_now(agent(2), NamedBy::Did, b"did").await.unwrap(), Some(now(2, "did:x:2", 7)));
    }

    async fn a_source_is_named_by_agents_and_by_their_files(db: Database) {
        let mut tx = db.begin_write().await.unwrap();
        for (of, by, source, from) in [
            (1, NamedBy::Uri, 1, 5),
            (10, NamedBy::Uri, 1, 6),
            (2, NamedBy::Uri, 1, 7),
            (2, NamedBy::Did, 2, 8),
        ] {
            tx.set_agent_source(agent(of), by, Some((id(source), from))).await.unwrap();
        }
        let mut above = tx.agent_sources_above(6).await.unwrap();
        above.sort_unstable();
        assert_eq!(above, [(agent(2), NamedBy::Uri), (agent(2), NamedBy::Did)]);

        tx.set_mentions(id(1), &[id(3), id(4), id(3)]).await.unwrap();
        for (source, is_named) in [(1, true), (2, true), (3, true), (5, false)] {
            assert_eq!(tx.is_source_named(id(source)).await.unwrap(), is_named, "{source}");
        }
        tx.set_mentions(id(1), &[id(4)]).await.unwrap();
        assert!(!tx.is_source_named(id(3)).await.unwrap());
        assert!(tx.is_source_named(id(4)).await.unwrap());
        for of in [1, 2, 10] {
            tx.set_agent_source(agent(of), NamedBy::Uri, None).await.unwrap();
        }
        assert!(!tx.is_source_named(id(4)).await.unwrap());
        assert!(tx.is_source_named(id(2)).await.unwrap());
    }

    async fn progress_and_counts_are_kept(db: Database) {
        let time = |seconds| UnixSeconds::new(seconds).unwrap();
        let mut tx = db.begin_write().await.unwrap();
        let first = tx.file_progress().await.unwrap();
        assert_eq!((first.through, first.counted_at, first.counts), (None, None, SourceCounts::default()));
        let revision = Revision { rewrites: 3, reorgs: 4 };
        tx.set_file_progress(Some(9), revision).await.unwrap();
        for name in ["a", "b", "c"] {
            let source = Source { kind: SourceKind::Domain, target: name.to_owned() };
            tx.want_source(&source, time(10), time(0)).await.unwrap();
            if name == "b" {
                tx.note_fetch_failure(source.id(), time(10), "x", time(90)).await.unwrap();
            }
        }
        let counts = SourceCounts { all: 3, read: 0, failing: 1, waiting: 2 };
        assert_eq!(tx.count_sources(time(50)).await.unwrap(), counts);
        let found = tx.file_progress().await.unwrap();
        assert_eq!((found.through, found.revision), (Some(9), revision));
        assert_eq!((found.counts, found.counted_at), (counts, Some(time(50))));
        tx.forget_everything_of(&binding()).await.unwrap();
        assert_eq!(tx.file_progress().await.unwrap().through, None);
    }
}
