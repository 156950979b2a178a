//! What an audit of the record finds: nothing in a sound one, and in a broken one the row.

use hallmark::identity::TimelineRef;
use hallmark::storage::{RecordRule, RuleBreak, Tags, Tx};
use hallmark::vocab::Position;

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
        tx.insert_block(&wrong).await.unwrap();
        assert_eq!(broken(&mut tx).await, [(RecordRule::BlocksLinked, vec![row("block", 6)])]);
    }

    /// Events of a block that is not held.
    async fn events_without_their_block_are_found(fresh: Fresh) {
        let mut tx = fill(fresh).await;
        logs(&mut tx, agent(1), &[at(3, 0), at(4, 0), at(6, 0)]).await;
        let rows = vec![row("identity", 3), row("identity", 4)];
        assert_eq!(broken(&mut tx).await, [(RecordRule::EventsHaveBlocks, rows)], "the first two");
    }

    /// Digests differ just where spans do, in any of their columns.
    async fn digests_tell_where_spans_differ(fresh: Fresh) {
        let mut tx = fill(fresh).await;
        let before = tx.span_digests().await.unwrap();
        assert_eq!(tx.span_digests().await.unwrap(), before);
        begin(&mut tx, &[span(TimelineRef::Uri(agent(77)), None, at(9, 0), None)]).await;
        let after = tx.span_digests().await.unwrap();
        let different: Vec<_> = after.iter().filter(|(k, v)| before.get(*k) != Some(*v)).collect();
        assert_eq!(different.len(), 1);
        assert_eq!(different[0].0, "uri 02:77");
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
    let mut said: Vec<_> = RecordRule::ALL.iter().map(|rule| rule.as_str()).collect();
    said.sort_unstable();
    said.dedup();
    assert_eq!(said.len(), RecordRule::ALL.len());
}
