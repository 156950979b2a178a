//! Logs: kept as they came, and found by agent, name and thread.

use alloy::primitives::{B256, Bytes};
use hallmark::storage::{EventsAfter, StorageError, StoredEvent, StoredLog};
use hallmark::vocab::{Position, RawLog, RegistryKind};

use super::samples::{LARGEST, REPUTATION, agent, at, bound, hold, logs, named, raw_log, time};
use crate::support::databases::on_both_engines;

const ALL: EventsAfter = EventsAfter { after: None, through_block: 1 << 62, limit: 100 };

fn places(found: &[StoredEvent]) -> Vec<Position> {
    found.iter().map(|event| event.log.position()).collect()
}

fn undecoded(log: &RawLog, registry: RegistryKind) -> StoredLog<'_> {
    StoredLog { log, registry, name: None, agent: None, thread: None }
}

on_both_engines! {
    /// Any bytes, any number of topics, and the largest agent come back as they came.
    async fn logs_come_back_as_they_came(db: Database) {
        let mut tx = bound(&db).await;
        hold(&mut tx, [7]).await;
        let hostile: Vec<u8> = (0..=255).chain([0, 0, 0xc3, 0x28, 0xff]).collect();
        let mut stored = Vec::new();
        for (index, data) in [vec![], vec![0], hostile, vec![7; 100_000]].into_iter().enumerate() {
            let index = u32::try_from(index).unwrap();
            let mut log = raw_log(at(7, index), data);
            log.topics = (0..=3).map(B256::with_last_byte).take(index as usize).collect();
            tx.insert_events(&[named(&log, "MetadataSet", LARGEST)]).await.unwrap();
            stored.push(log);
        }
        let mut last = raw_log(at(7, Position::END_OF_BLOCK), vec![1]);
        last.topics = (0..4).map(B256::with_last_byte).collect();
        last.address = REPUTATION;
        tx.insert_events(&[StoredLog { registry: RegistryKind::Reputation, ..named(&last, "NewFeedback", LARGEST) }])
            .await
            .unwrap();
        stored.push(last);
        tx.commit().await.unwrap();

        let mut tx = db.begin_read().await.unwrap();
        let found = tx.events_in(7, 7).await.unwrap();
        assert!(found.iter().all(|event| event.time == time(7)));
        assert_eq!(found[0].registry, RegistryKind::Identity);
        assert_eq!(found[4].registry, RegistryKind::Reputation);
        let of_agent = tx.events_of(LARGEST, None, ALL).await.unwrap();
        assert_eq!(of_agent, found);
        assert_eq!(found.into_iter().map(|event| event.log).collect::<Vec<_>>(), stored);
    }

    /// The newest first, of one agent, up to a block, and nothing but feedback.
    async fn the_newest_feedback_on_an_agent(db: Database) {
        let mut tx = bound(&db).await;
        hold(&mut tx, [7, 8, 9]).await;
        let given = |place| RawLog { address: REPUTATION, ..raw_log(place, vec![]) };
        for (place, of, name) in [
            (at(7, 0), 1, "NewFeedback"),
            (at(7, 1), 2, "NewFeedback"),
            (at(8, 0), 1, "FeedbackRevoked"),
            (at(8, 1), 1, "NewFeedback"),
            (at(8, 2), 1, "NewFeedback"),
            (at(9, 0), 1, "NewFeedback"),
        ] {
            let log = given(place);
            let registry = RegistryKind::Reputation;
            tx.insert_events(&[StoredLog { registry, ..named(&log, name, agent(of)) }]).await.unwrap();
        }
        let newest = tx.newest_feedback(agent(1), 8, 100).await.unwrap();
        assert_eq!(places(&newest), [at(8, 2), at(8, 1), at(7, 0)]);
        assert_eq!(places(&tx.newest_feedback(agent(1), 9, 2).await.unwrap()), [at(9, 0), at(8, 2)]);
        assert_eq!(tx.newest_feedback(agent(3), 9, 2).await.unwrap(), []);
    }

    /// One place holds one log.
    async fn a_place_holds_one_log(db: Database) {
        let mut tx = bound(&db).await;
        hold(&mut tx, [7]).await;
        logs(&mut tx, agent(1), &[at(7, 0)]).await;
        let again = tx.insert_events(&[named(&raw_log(at(7, 0), vec![]), "Transfer", agent(2))]).await;
        let error = again.unwrap_err();
        assert!(matches!(error, StorageError::Driver(_)) && !error.is_transient(), "{error:?}");
    }

    /// A range takes in both its ends and nothing else, by block and then by index.
    async fn ranges_of_blocks_take_in_both_ends(db: Database) {
        let mut tx = bound(&db).await;
        hold(&mut tx, [7, 8, 9, 10]).await;
        let all = [at(10, 0), at(8, 10), at(8, 9), at(7, 100), at(9, 0)];
        logs(&mut tx, agent(1), &all).await;
        assert_eq!(places(&tx.events_in(8, 9).await.unwrap()), [at(8, 9), at(8, 10), at(9, 0)]);
        assert_eq!(tx.events_in(11, 99).await.unwrap(), []);
        assert_eq!(tx.events_in(9, 8).await.unwrap(), []);
    }

    /// Batches of about so many events end at a block's end.
    async fn the_block_of_the_event_after_so_many(db: Database) {
        let mut tx = bound(&db).await;
        assert_eq!(tx.event_block_after(None, 0).await.unwrap(), None);
        hold(&mut tx, [0, 7, 8]).await;
        logs(&mut tx, agent(1), &[at(0, 0), at(7, 0), at(7, 1), at(8, 0)]).await;
        for (after, skip, expected) in [
            (None, 0, Some(0)),
            (None, 1, Some(7)),
            (Some(0), 0, Some(7)),
            (Some(0), 1, Some(7)),
            (Some(0), 2, Some(8)),
            (Some(0), 3, None),
            (Some(8), 0, None),
        ] {
            let found = tx.event_block_after(after, skip).await.unwrap();
            assert_eq!(found, expected, "{after:?} {skip}");
        }
    }

    /// Pages of an agent's events join without a gap or a repetition, also within a block.
    async fn pages_of_an_agents_events_join(db: Database) {
        let mut tx = bound(&db).await;
        hold(&mut tx, 7..=9).await;
        let all = [at(7, 0), at(7, 2), at(8, 0), at(8, 1), at(8, 2), at(9, 0)];
        // Of several names, which are kept apart and come merged.
        for (place, name) in all.into_iter().zip(["Transfer", "Approval", "Transfer", "URIUpdated", "Approval", "Transfer"]) {
            tx.insert_events(&[named(&raw_log(place, vec![]), name, agent(1))]).await.unwrap();
        }
        logs(&mut tx, agent(10), &[at(7, 1), at(9, 1)]).await;
        let mut read = Vec::new();
        let mut after = None;
        loop {
            let page = EventsAfter { after, through_block: 8, limit: 2 };
            let found = places(&tx.events_of(agent(1), None, page).await.unwrap());
            let Some(last) = found.last() else { break };
            assert!(found.len() <= 2);
            after = Some(*last);
            read.extend(found);
            assert!(read.len() <= all.len(), "a page repeats");
        }
        assert_eq!(read, all[..5], "block 9 is beyond the page");
        assert_eq!(tx.events_of(agent(0), None, ALL).await.unwrap(), []);
    }

    /// One name only, with pages of its own.
    async fn events_of_one_name(db: Database) {
        let mut tx = bound(&db).await;
        hold(&mut tx, 7..=8).await;
        for (place, name) in [(at(7, 0), "Transfer"), (at(7, 1), "URIUpdated"), (at(8, 0), "Transfer")] {
            tx.insert_events(&[named(&raw_log(place, vec![]), name, agent(1))]).await.unwrap();
        }
        let found = tx.events_of(agent(1), Some("Transfer"), ALL).await.unwrap();
        assert_eq!(places(&found), [at(7, 0), at(8, 0)]);
        let rest = EventsAfter { after: Some(at(7, 0)), ..ALL };
        let found = tx.events_of(agent(1), Some("Transfer"), rest).await.unwrap();
        assert_eq!(places(&found), [at(8, 0)]);
        assert_eq!(tx.events_of(agent(1), Some("transfer"), ALL).await.unwrap(), []);
    }

    /// A thread is found by all of its bytes, and within it the events of one name, from either end, up to a block.
    async fn threads_are_told_apart_by_every_byte_and_by_name(db: Database) {
        let mut tx = bound(&db).await;
        hold(&mut tx, 7..=9).await;
        let threads = [vec![0, 1], vec![0, 1, 0], vec![0], vec![0, 1], vec![0, 1]];
        let given = "ResponseAppended";
        let names = [given, given, given, given, "FeedbackRevoked"];
        for (index, (thread, name)) in (0..).zip(threads.into_iter().zip(names)) {
            let log = raw_log(at(9 - u64::from(index % 3), index), vec![]);
            let stored = StoredLog { thread: Some(Bytes::from(thread)), ..named(&log, name, agent(1)) };
            tx.insert_events(&[stored]).await.unwrap();
        }
        let found = tx.first_of_thread(&[0, 1], given, 9, 10).await.unwrap();
        assert_eq!(places(&found), [at(9, 0), at(9, 3)]);
        let found = tx.newest_of_thread(&[0, 1], given, 9, 10).await.unwrap();
        assert_eq!(places(&found), [at(9, 3), at(9, 0)]);
        assert_eq!(places(&tx.first_of_thread(&[0, 1], given, 9, 1).await.unwrap()), [at(9, 0)]);
        assert_eq!(places(&tx.newest_of_thread(&[0, 1], given, 9, 1).await.unwrap()), [at(9, 3)]);
        let revoked = "FeedbackRevoked";
        assert_eq!(places(&tx.first_of_thread(&[0, 1], revoked, 9, 9).await.unwrap()), [at(8, 4)]);
        assert_eq!(tx.first_of_thread(&[0, 1], revoked, 7, 9).await.unwrap(), []);
        assert_eq!(tx.newest_of_thread(&[0, 1], revoked, 7, 9).await.unwrap(), []);
        assert_eq!(tx.first_of_thread(&[0, 1], given, 8, 10).await.unwrap(), []);
        let other = tx.first_of_thread(&[0, 1, 0], given, 8, 10).await.unwrap();
        assert_eq!(places(&other), [at(8, 1)]);
        assert_eq!(tx.first_of_thread(&[], given, 9, 10).await.unwrap(), []);

        // What a thread begins with does not follow in it.
        let log = raw_log(at(7, 9), vec![]);
        let first = StoredLog { thread: Some(Bytes::from(vec![0, 1])), ..named(&log, "NewFeedback", agent(1)) };
        tx.insert_events(&[first]).await.unwrap();
        assert_eq!(tx.first_of_thread(&[0, 1], "NewFeedback", 9, 10).await.unwrap(), []);
    }

    /// Undecoded logs are kept, counted by registry, and listed newest first.
    async fn undecoded_logs_are_counted_and_shown(db: Database) {
        let mut tx = bound(&db).await;
        hold(&mut tx, 7..=8).await;
        logs(&mut tx, agent(1), &[at(7, 5)]).await;
        for place in [at(7, 0), at(8, 1), at(8, 0)] {
            tx.insert_events(&[undecoded(&raw_log(place, vec![0xff, 0]), RegistryKind::Identity)]).await.unwrap();
        }
        let mut other = raw_log(at(8, 2), vec![]);
        other.address = REPUTATION;
        tx.insert_events(&[undecoded(&other, RegistryKind::Reputation)]).await.unwrap();

        for (registry, count) in
            [(RegistryKind::Identity, 3), (RegistryKind::Reputation, 1), (RegistryKind::Validation, 0)]
        {
            assert_eq!(tx.undecoded_count(registry).await.unwrap(), count);
        }
        let found = tx.events_undecoded(RegistryKind::Identity, 2).await.unwrap();
        assert_eq!(places(&found), [at(8, 1), at(8, 0)]);
        assert_eq!(found[0].log.data, Bytes::from_static(&[0xff, 0]));
        assert_eq!(tx.events_undecoded(RegistryKind::Reputation, 9).await.unwrap()[0].log, other);
    }
}
