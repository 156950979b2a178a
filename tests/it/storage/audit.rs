//! What an audit of the record finds: nothing in a sound one, and in a broken one the row.

use std::collections::BTreeSet;

use hallmark::identity::TimelineRef;
use hallmark::storage::{Observation, ObservedSubject, RecordRule, RuleBreak, SpanPlace, Tags, Tx};
use hallmark::vocab::{Position, RegistryKind};

use super::samples::{account, agent, at, begin, bound, held, hold, logs, span, stamp};
use crate::support::databases::{Fresh, on_both_engines};

const WALLET: TimelineRef =
    TimelineRef::Wallet(hallmark::vocab::AgentId(alloy::primitives::U256::ONE));

/// A sound record up to block 9, with the ends of spans as close as they may be.
async fn fill(fresh: &Fresh) -> Tx {
    let mut tx = bound(&fresh.database().await).await;
    hold(&mut tx, [0, 1, 2, 5, 7, 8, 9]).await;
    logs(&mut tx, agent(1), &[at(1, 0), at(1, 1), at(9, 3)]).await;
    let spans = [
        span(WALLET, Some(account(1)), at(1, 0), Some(at(1, 1))),
        span(WALLET, Some(account(2)), at(1, 1), Some(Position::end_of(5))),
        span(WALLET, None, Position::end_of(5), Some(at(9, 3))),
        span(WALLET, Some(account(1)), at(9, 3), None),
        span(TimelineRef::Owner(agent(1)), Some(account(1)), at(1, 0), Some(at(2, 0))),
        span(TimelineRef::Owner(agent(1)), Some(account(1)), at(5, 0), None),
    ];
    begin(&mut tx, &spans).await;
    let tags = Tags { indexed: Some(stamp(9)), head: Some(stamp(20)), ..Tags::default() };
    tx.set_tags(&tags).await.unwrap();
    tx
}

/// The rules that are broken, each with the first rows that break it.
async fn broken(tx: &mut Tx) -> Vec<(RecordRule, Vec<RuleBreak>)> {
    let mut broken = Vec::new();
    for rule in RecordRule::ALL {
        let rows = tx.rows_breaking(rule, 2).await.unwrap();
        if !rows.is_empty() {
            broken.push((rule, rows));
        }
    }
    broken
}

fn row(subject: &str, block: i64) -> RuleBreak {
    RuleBreak { subject: subject.to_owned(), block }
}

on_both_engines! {
    /// A sound record breaks no rule, and neither does an empty one.
    async fn a_sound_record_breaks_no_rule(fresh: Fresh) {
        let mut tx = fresh.database().await.begin_read().await.unwrap();
        assert_eq!(broken(&mut tx).await, []);
        drop(tx);
        assert_eq!(broken(&mut fill(fresh).await).await, []);
    }

    /// Spans that overlap by one log, by a block, or that are open with others after them.
    async fn overlapping_spans_are_found(fresh: Fresh) {
        for (set, block) in [
            ("to_log = 2", 1),
            ("to_block = 6, to_log = 0", 1),
            ("to_block = NULL, to_log = NULL", 1),
        ] {
            let tx = fill(fresh).await;
            tx.commit().await.unwrap();
            // Only one may be open.
            fresh.execute("UPDATE span SET to_block = 10, to_log = 0 WHERE from_block = 9").await;
            fresh.execute(&format!("UPDATE span SET {set} WHERE kind = 'wallet' AND from_block = 1 AND from_log = 0")).await;
            let mut tx = fresh.database().await.begin_write().await.unwrap();
            assert_eq!(broken(&mut tx).await, [(RecordRule::SpansDisjoint, vec![row("wallet 01:1", block)])]);
            tx.forget_everything_of(&super::samples::binding()).await.unwrap();
            tx.commit().await.unwrap();
        }
    }

    /// Spans that end where they began, or before.
    async fn spans_that_do_not_go_forward_are_found(fresh: Fresh) {
        for (id, from, to) in [(2, at(5, 1), at(5, 1)), (3, at(5, 1), at(5, 0)), (4, at(5, 0), at(4, 9))] {
            let mut tx = fill(fresh).await;
            begin(&mut tx, &[span(TimelineRef::Uri(agent(id)), None, from, Some(to))]).await;
            let expected = row(&format!("uri 01:{id}"), 5);
            assert_eq!(broken(&mut tx).await, [(RecordRule::SpansForward, vec![expected])]);
        }
    }

    /// A block whose parent is not the block before it, where both are held.
    async fn unlinked_blocks_are_found(fresh: Fresh) {
        let mut tx = fill(fresh).await;
        let mut wrong = held(6);
        wrong.parent_hash = Some(alloy::primitives::B256::ZERO);
        tx.insert_blocks(&[wrong]).await.unwrap();
        assert_eq!(broken(&mut tx).await, [(RecordRule::BlocksLinked, vec![row("block", 6)])]);
    }

    /// Events of a block that is not held.
    async fn events_without_their_block_are_found(fresh: Fresh) {
        let mut tx = fill(fresh).await;
        logs(&mut tx, agent(1), &[at(3, 0), at(4, 0), at(6, 0)]).await;
        let rows = vec![row("identity", 3), row("identity", 4)];
        assert_eq!(broken(&mut tx).await, [(RecordRule::EventsHaveBlocks, rows)], "the first two");
    }

    /// All spans come page by page, each once, and a row that cannot be read is an error in its place.
    async fn spans_come_in_pages(fresh: Fresh) {
        fill(fresh).await.commit().await.unwrap();
        fresh.execute("UPDATE span SET cause = 'whim' WHERE kind = 'owner' AND from_block = 5").await;
        let mut tx = fresh.database().await.begin_read().await.unwrap();
        let mut place = SpanPlace::default();
        let mut found = Vec::new();
        loop {
            let (page, next) = tx.spans_after(place, 4).await.unwrap();
            if page.is_empty() {
                break;
            }
            place = next;
            found.extend(page);
        }
        let froms: Vec<_> = found.iter().map(|span| span.as_ref().ok().map(|s| s.span.from)).collect();
        let expected = [at(1, 0), at(1, 0), at(1, 1), Position::end_of(5), at(9, 3)].map(Some);
        assert_eq!(froms, [&expected[..1], &[None], &expected[1..]].concat());
        assert!(found[1].as_ref().unwrap_err().to_string().contains("column cause"));
    }

    /// Labels come with every log, and say whether an agent is the one.
    async fn labels_are_what_was_filed(fresh: Fresh) {
        let mut tx = fill(fresh).await;
        let labels = tx.labels_in(1, 8).await.unwrap();
        let places: Vec<_> = labels.iter().map(|labels| labels.at).collect();
        assert_eq!(places, [at(1, 0), at(1, 1)]);
        assert_eq!((labels[0].name.as_deref(), labels[0].thread.as_deref()), (Some("Transfer"), None));
        assert!(labels[0].is_of(Some(agent(1))));
        assert!(!labels[0].is_of(Some(agent(2))) && !labels[0].is_of(None));
        assert_eq!(tx.event_count().await.unwrap(), 3);
    }

    /// Blocks without a cursor, and a finalized block that is another than the one held.
    async fn tags_without_their_block_are_found(fresh: Fresh) {
        let mut tx = fill(fresh).await;
        let mut other = stamp(7);
        other.block.hash = alloy::primitives::B256::ZERO;
        tx.set_tags(&Tags { finalized: Some(other), ..Tags::default() }).await.unwrap();
        let rows = tx.rows_breaking(RecordRule::FinalizedHeld, 9).await.unwrap();
        assert_eq!(rows.iter().map(|row| row.block).collect::<Vec<_>>(), [7]);
        tx.commit().await.unwrap();
        fresh.execute("DELETE FROM chain_tag WHERE tag = 'indexed'").await;
        let mut tx = fresh.database().await.begin_read().await.unwrap();
        let rows = tx.rows_breaking(RecordRule::CursorHeld, 9).await.unwrap();
        assert_eq!(rows, [row("no cursor, though blocks are held,", 9)]);
    }

    /// Answers of a block that is not held, or is another one; one from before the first block is no such answer.
    async fn answers_without_their_block_are_found(fresh: Fresh) {
        let mut tx = fill(fresh).await;
        let mut other = stamp(7).block;
        other.hash = alloy::primitives::B256::ZERO;
        for (block, subject) in [
            (stamp(4).block, ObservedSubject::Implementation(RegistryKind::Identity)),
            (stamp(5).block, ObservedSubject::Wallet(agent(1))),
            (stamp(6).block, ObservedSubject::Wallet(agent(2))),
            (other, ObservedSubject::Wallet(agent(3))),
        ] {
            let answer = Some(account(1));
            tx.insert_observation(&Observation { block, subject, answer }).await.unwrap();
        }
        let rows = tx.rows_breaking(RecordRule::ObservationsHaveBlocks, 9).await.unwrap();
        assert_eq!(rows, [row("wallet 01:2", 6), row("wallet 01:3", 7)]);
    }

    /// A block that is older than the one held before it.
    async fn times_that_go_back_are_found(fresh: Fresh) {
        fill(fresh).await.commit().await.unwrap();
        fresh.execute("UPDATE block SET time = 5 WHERE number = 8").await;
        let mut tx = fresh.database().await.begin_read().await.unwrap();
        assert_eq!(broken(&mut tx).await, [(RecordRule::TimesForward, vec![row("block", 8)])]);
    }

    /// A block that is missing between the finalized one and the cursor.
    async fn missing_headers_are_found(fresh: Fresh) {
        let mut tx = fill(fresh).await;
        hold(&mut tx, [11]).await;
        let tags = Tags { indexed: Some(stamp(11)), finalized: Some(stamp(7)), ..Tags::default() };
        tx.set_tags(&tags).await.unwrap();
        let found = tx.rows_breaking(RecordRule::HeadersWhole, 9).await.unwrap();
        assert_eq!(found, [row("after block", 9)]);
    }

    /// Rows above the cursor, of every table that is cut back to it.
    async fn rows_above_the_cursor_are_found(fresh: Fresh) {
        let mut tx = fill(fresh).await;
        hold(&mut tx, [10]).await;
        logs(&mut tx, agent(1), &[at(10, 0)]).await;
        begin(&mut tx, &[span(TimelineRef::Uri(agent(1)), None, at(10, 0), None)]).await;
        let found = tx.rows_breaking(RecordRule::NothingAboveCursor, 9).await.unwrap();
        assert_eq!(found, [row("block", 10), row("event", 10), row("span", 10)]);
    }

    /// A cursor whose block is not held, or is held with another hash.
    async fn a_cursor_without_its_block_is_found(fresh: Fresh) {
        for wrong in [stamp(6), {
            let mut other = stamp(9);
            other.block.hash = alloy::primitives::B256::ZERO;
            other
        }] {
            let mut tx = fill(fresh).await;
            tx.set_tags(&Tags { indexed: Some(wrong), ..Tags::default() }).await.unwrap();
            let rows = tx.rows_breaking(RecordRule::CursorHeld, 9).await.unwrap();
            let number = i64::try_from(wrong.block.number).unwrap();
            assert_eq!(rows, [row("cursor", number)]);
        }
    }
}

#[test]
fn every_rule_says_what_it_is() {
    let mut ids = BTreeSet::new();
    let mut said = BTreeSet::new();
    for rule in RecordRule::ALL {
        ids.insert(rule.id());
        said.insert(rule.as_str());
    }
    assert_eq!((ids.len(), said.len()), (RecordRule::ALL.len(), RecordRule::ALL.len()));
}
