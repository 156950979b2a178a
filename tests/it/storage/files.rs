//! Sources come due and are put off, and what they had is kept for ever.

use alloy::primitives::{B256, keccak256};
use hallmark::registry::file::{Source, SourceKind};
use hallmark::storage::{DueSource, Fetch, FileVersion, NEVER, SourceState, Tx};
use hallmark::vocab::UnixSeconds;

use super::samples::binding;
use crate::support::databases::on_both_engines;

pub(super) fn time(seconds: u64) -> UnixSeconds {
    UnixSeconds::new(seconds).unwrap()
}

pub(super) fn source(name: &str) -> Source {
    Source { kind: SourceKind::Web, target: format!("https://example.org/{name}") }
}

pub(super) fn fetch(at: u64, body: Option<&str>, next_try: UnixSeconds) -> Fetch<'_> {
    let content = body.map(|body| (keccak256(body), body.as_bytes()));
    Fetch { at: time(at), content, is_proven: next_try == NEVER, next_try }
}

async fn due(tx: &mut Tx, now: u64) -> Vec<String> {
    let due = tx.due_sources(time(now), 10).await.unwrap();
    due.into_iter().map(|due| due.source.target.rsplit('/').next().unwrap().to_owned()).collect()
}

async fn next_try(tx: &mut Tx, id: B256) -> Option<u64> {
    tx.source_state(id).await.unwrap().unwrap().next_try.map(UnixSeconds::get)
}

fn version(
    seq: u64,
    body: Option<&str>,
    since: u64,
    checked_at: u64,
    is_proven: bool,
) -> FileVersion {
    let content = body.map(|body| (keccak256(body), body.as_bytes().to_vec()));
    FileVersion { seq, content, since: time(since), checked_at: time(checked_at), is_proven }
}

on_both_engines! {
    async fn sources_come_due_the_longest_waiting_first(db: Database) {
        let (a, b, c) = (source("a"), source("b"), source("c"));
        let mut tx = db.begin_write().await.unwrap();
        assert_eq!(tx.source_state(a.id()).await.unwrap(), None);
        tx.want_source(&a, time(100), time(50)).await.unwrap();
        tx.want_source(&b, time(90), time(50)).await.unwrap();
        tx.want_source(&c, time(200), time(50)).await.unwrap();
        assert_eq!(due(&mut tx, 150).await, ["b", "a"]);
        assert_eq!(due(&mut tx, 89).await, [""; 0]);
        assert_eq!(tx.due_sources(time(300), 1).await.unwrap(), [DueSource { source: b.clone(), failures: 0 }]);

        tx.note_fetch_failure(b.id(), time(150), "no\0 answer", time(400)).await.unwrap();
        tx.note_fetch_failure(b.id(), time(400), "none again", time(900)).await.unwrap();
        let expected = SourceState {
            next_try: Some(time(900)),
            tried_at: Some(time(400)),
            failures: 2,
            failure: Some("none again".to_owned()),
        };
        assert_eq!(tx.source_state(b.id()).await.unwrap(), Some(expected));
        // Somebody names it again: at once, unless it was tried just before.
        tx.want_source(&b, time(500), time(400)).await.unwrap();
        assert_eq!(next_try(&mut tx, b.id()).await, Some(900));
        tx.want_source(&b, time(500), time(401)).await.unwrap();
        assert_eq!(next_try(&mut tx, b.id()).await, Some(500));
        // Later is no reason to wait longer.
        tx.want_source(&b, time(600), time(550)).await.unwrap();
        assert_eq!(next_try(&mut tx, b.id()).await, Some(500));

        // Nobody names it any more; then somebody does.
        tx.park_source(a.id()).await.unwrap();
        assert_eq!(due(&mut tx, 1_000).await, ["c", "b"]);
        tx.want_source(&a, time(700), time(0)).await.unwrap();
        assert_eq!(next_try(&mut tx, a.id()).await, Some(700));
        // What can never be another is not fetched again, however often it is named.
        tx.keep_fetch(c.id(), &fetch(700, Some("{}"), NEVER)).await.unwrap();
        tx.want_source(&c, time(9_000), time(8_000)).await.unwrap();
        assert_eq!(next_try(&mut tx, c.id()).await, Some(NEVER.get()));
        assert_eq!(due(&mut tx, 10_000).await, ["b", "a"]);
    }

    async fn what_a_source_had_is_kept_with_its_times(db: Database) {
        let (a, b) = (source("a").id(), source("b").id());
        let mut tx = db.begin_write().await.unwrap();
        tx.want_source(&source("a"), time(1), time(0)).await.unwrap();
        tx.want_source(&source("b"), time(1), time(0)).await.unwrap();
        assert_eq!(tx.newest_version(a).await.unwrap(), None);
        tx.note_fetch_failure(a, time(5), "x", time(6)).await.unwrap();
        for (at, body, is_new) in [
            (10, Some("one"), true),
            (20, Some("one"), false),
            (30, Some("two"), true),
            (40, None, true),
            (50, None, false),
            (60, Some("one"), true),
        ] {
            let kept = tx.keep_fetch(a, &fetch(at, body, time(at + 100))).await.unwrap();
            assert_eq!(kept, is_new, "at {at}");
        }
        tx.keep_fetch(b, &fetch(35, Some("two"), NEVER)).await.unwrap();
        let state = tx.source_state(a).await.unwrap().unwrap();
        assert_eq!((state.failures, state.failure, state.next_try), (0, None, Some(time(160))));
        let all = [
            version(1, Some("one"), 10, 20, false),
            version(2, Some("two"), 30, 30, false),
            version(3, None, 40, 50, false),
            version(4, Some("one"), 60, 60, false),
        ];
        assert_eq!(tx.versions(a, 0, 10).await.unwrap(), all);
        assert_eq!(tx.versions(a, 1, 2).await.unwrap(), all[1..3]);
        assert_eq!(tx.newest_version(a).await.unwrap().as_ref(), Some(&all[3]));
        for (at, expected) in [(9, None), (10, Some(0)), (29, Some(0)), (30, Some(1)), (45, Some(2)), (60, Some(3)), (999, Some(3))] {
            let found = tx.version_at(a, time(at)).await.unwrap();
            assert_eq!(found.as_ref(), expected.map(|place: usize| &all[place]), "at {at}");
        }
        // A name that proves its content proves it for all times.
        assert_eq!(tx.version_at(b, time(0)).await.unwrap(), Some(version(5, Some("two"), 35, 35, true)));
        assert_eq!(tx.last_version().await.unwrap(), 5);
        for (after, expected) in [(0, vec![4, 5]), (4, vec![5]), (5, vec![])] {
            let mut told = Vec::new();
            let tell = |source: &Source, version: FileVersion| told.push((version.seq, source.id()));
            tx.newest_versions_since(after, tell).await.unwrap();
            told.sort_unstable();
            let ids = [(4, a), (5, b)];
            let expected: Vec<_> = ids.into_iter().filter(|(seq, _)| expected.contains(seq)).collect();
            assert_eq!(told, expected, "after {after}");
        }

        tx.forget_everything_of(&binding()).await.unwrap();
        assert_eq!(tx.newest_version(a).await.unwrap(), None);
        assert_eq!(tx.source_state(a).await.unwrap(), None);
    }

    /// What was not seen for thirty days did not speak then; that it is seen again changes nothing of that, and no clock that goes back does.
    async fn what_was_silent_stays_silent(db: Database) {
        const KEPT: u64 = 30 * 86_400;
        let (a, b) = (source("a"), source("b"));
        let mut tx = db.begin_write().await.unwrap();
        for of in [&a, &b] {
            tx.want_source(of, time(1), time(0)).await.unwrap();
        }
        let mut keep = async |of: &Source, at: u64, body: &'static str, again: UnixSeconds| {
            tx.keep_fetch(of.id(), &fetch(at, Some(body), again)).await.unwrap()
        };
        let later = time(1 << 36);
        assert!(keep(&a, 10, "one", later).await);
        assert!(!keep(&a, 10 + KEPT, "one", later).await, "to the last second it speaks");
        assert!(keep(&a, 11 + 2 * KEPT, "one", later).await);
        // The clock went back by a day, and the file changed.
        assert!(!keep(&a, 11 + 2 * KEPT - 86_400, "one", later).await);
        assert!(keep(&a, 12 + 2 * KEPT - 86_400, "two", later).await);
        // Its name proves it, however long ago it was seen.
        assert!(keep(&b, 10, "one", NEVER).await);
        assert!(!keep(&b, 99 + KEPT, "one", NEVER).await);
        let end = 11 + 2 * KEPT;
        let all = [
            version(1, Some("one"), 10, 10 + KEPT, false),
            version(2, Some("one"), end, end, false),
            version(3, Some("two"), end, end, false),
        ];
        assert_eq!(tx.versions(a.id(), 0, 10).await.unwrap(), all);
        for (at, expected) in [(10, 0), (end - 1, 0), (end, 2)] {
            assert_eq!(tx.version_at(a.id(), time(at)).await.unwrap().as_ref(), Some(&all[expected]), "at {at}");
        }
    }
}
