//! Following a scripted chain: whatever the chain and the node do, the steps applied in order give the canonical chain.

use std::sync::Arc;
use std::time::Duration;

use hallmark::chain::retry::{BackoffOptions, Jitter};
use hallmark::chain::{ChainStep, ChainTags, FollowError, Follower, FollowerOptions, Resume};
use hallmark::vocab::{BlockRef, ChainId, Header, RawLog};

use crate::support::scripted::{Faults, ScriptedChain, filter};

/// What someone downstream holds: applies steps, and insists on what a step promises.
#[derive(Debug, Default)]
struct Replica {
    cursor: Option<BlockRef>,
    headers: Vec<Header>,
    logs: Vec<RawLog>,
    tags: Option<ChainTags>,
    reverts: Vec<BlockRef>,
    steps: usize,
}

impl Replica {
    fn apply(&mut self, step: ChainStep) {
        self.steps += 1;
        if let Some(to) = step.revert_to {
            assert!(step.extend.is_some(), "a reversal comes with the new branch");
            assert!(self.cursor.is_some_and(|cursor| to.number < cursor.number));
            let last_final = self.tags.as_ref().and_then(|tags| tags.finalized.as_ref());
            assert!(last_final.is_none_or(|last| last.block.number <= to.number));
            self.headers.retain(|header| header.block.number <= to.number);
            self.logs.retain(|log| log.block.number <= to.number);
            self.cursor = Some(to);
            self.reverts.push(to);
        }
        if let Some(stretch) = step.extend {
            let last = stretch.through.block;
            if let Some(cursor) = self.cursor {
                assert_eq!(stretch.from, cursor.number + 1, "no gap and no overlap");
                if let Some(first) = stretch.headers.first()
                    && first.block.number == stretch.from
                {
                    assert_eq!(first.parent_hash, cursor.hash);
                }
            }
            assert_eq!(stretch.headers.last(), Some(&stretch.through));
            assert!(stretch.headers.is_sorted_by(|a, b| a.block.number < b.block.number));
            assert!(stretch.logs.is_sorted_by(|a, b| a.position() < b.position()));
            let range = stretch.from..=last.number;
            assert!(stretch.logs.iter().all(|log| range.contains(&log.block.number)));
            let final_up_to = step.tags.finalized.as_ref().map(|last| last.block.number);
            for number in stretch.from..=last.number {
                if final_up_to.is_some_and(|up_to| number > up_to) {
                    assert!(stretch.headers.iter().any(|header| header.block.number == number));
                }
            }
            for log in stretch.logs.iter().filter(|log| log.block_time.is_none()) {
                assert!(stretch.headers.iter().any(|header| header.block == log.block));
            }
            self.headers.extend(stretch.headers);
            self.logs.extend(stretch.logs);
            self.cursor = Some(last);
        }
        if let Some(old) = &self.tags {
            let number = |tag: &Option<Header>| tag.as_ref().map(|header| header.block.number);
            assert!(number(&step.tags.finalized) >= number(&old.finalized), "tags only rise");
            if step.revert_to.is_none() {
                assert!(number(&step.tags.safe) >= number(&old.safe), "tags only rise");
            }
        }
        self.tags = Some(step.tags);
    }

    /// The state to resume from: headers above the finalized block.
    fn resume(&self) -> Resume {
        let tag = |tag: fn(&ChainTags) -> &Option<Header>| {
            self.tags.as_ref().and_then(|tags| tag(tags).as_ref()).map(|header| header.block)
        };
        let finalized = tag(|tags| &tags.finalized);
        // Where the finalized block was not reached yet, nothing is known to be final.
        let reached = finalized.filter(|last| self.cursor.is_some_and(|c| c.number >= last.number));
        let above = reached.map_or(0, |last| last.number);
        let held = self.headers.iter().filter(|header| header.block.number > above);
        Resume {
            cursor: self.cursor,
            held: held.cloned().collect(),
            safe: tag(|tags| &tags.safe),
            finalized,
        }
    }

    fn assert_is(&self, chain: &ScriptedChain, from: u64) {
        assert_eq!(self.cursor, Some(chain.head().block));
        let bare = |logs: &[RawLog]| -> Vec<RawLog> {
            logs.iter().cloned().map(|log| RawLog { block_time: None, ..log }).collect()
        };
        assert_eq!(bare(&self.logs), bare(&chain.logs_from(from)));
        for header in &self.headers {
            assert_eq!(*header, chain.header_at(header.block.number));
        }
    }
}

fn options() -> FollowerOptions {
    FollowerOptions {
        range_max: 50,
        concurrency: 4,
        recent: 20,
        step_blocks: 8,
        depth_without_finality: 30,
        held_max: 200,
        backoff: BackoffOptions {
            base: Duration::from_micros(10),
            max: Duration::from_micros(100),
            retry_after_max: Duration::from_millis(1),
            attempts: 200,
        },
        rechecks: 3,
        recheck_delay: Duration::from_micros(10),
        ..FollowerOptions::new(ChainId(31_337), 1)
    }
}

fn follower(chain: &Arc<ScriptedChain>, resume: Resume) -> Follower<ScriptedChain> {
    Follower::new(Arc::clone(chain), filter(), options(), resume)
}

async fn next(follower: &mut Follower<ScriptedChain>) -> Result<ChainStep, FollowError> {
    tokio::time::timeout(Duration::from_secs(20), follower.next()).await.expect("no step came")
}

/// Applies steps until the chain's head is reached.
async fn catch_up(
    follower: &mut Follower<ScriptedChain>,
    replica: &mut Replica,
    chain: &ScriptedChain,
) {
    while replica.cursor != Some(chain.head().block) {
        replica.apply(next(follower).await.unwrap());
    }
}

/// A chain of 300 blocks, final up to 250, followed to its head.
async fn at_head() -> (Arc<ScriptedChain>, Follower<ScriptedChain>, Replica) {
    let chain = Arc::new(ScriptedChain::new(301, 1));
    chain.finalize(250);
    let mut replica = Replica::default();
    let mut follower = follower(&chain, Resume::default());
    catch_up(&mut follower, &mut replica, &chain).await;
    replica.assert_is(&chain, 1);
    (chain, follower, replica)
}

#[tokio::test]
async fn a_backfill_ends_exactly_at_the_head() {
    for (length, finalized) in [(301, 250), (2, 0), (2, 1), (301, 300), (52, 50), (51, 50)] {
        let chain = Arc::new(ScriptedChain::new(length, 1));
        chain.finalize(finalized);
        let mut replica = Replica::default();
        let mut follower = follower(&chain, Resume::default());
        catch_up(&mut follower, &mut replica, &chain).await;
        replica.assert_is(&chain, 1);
        assert_eq!(chain.waits(), 0, "nothing was waited for while there was work");
        let progress = follower.progress();
        assert_eq!(progress.applied, progress.head);
        assert_eq!(progress.logs, u64::try_from(replica.logs.len()).unwrap());
    }
}

#[tokio::test]
async fn ranges_are_handed_on_in_order_whatever_the_order_of_answers() {
    for seed in 0..40 {
        let chain = Arc::new(ScriptedChain::new(400, seed));
        chain.finalize(380);
        let faults = Faults { shuffled: true, transient_percent: 20, ..Faults::default() };
        chain.set_faults(Faults { timeless: seed % 2 == 0, ..faults });
        let mut replica = Replica::default();
        let mut follower = follower(&chain, Resume::default());
        catch_up(&mut follower, &mut replica, &chain).await;
        replica.assert_is(&chain, 1);
    }
}

#[tokio::test]
async fn recent_blocks_below_the_finalized_one_are_held_header_by_header() {
    let (_, _, replica) = at_head().await;
    for number in 231..=300 {
        assert!(replica.headers.iter().any(|header| header.block.number == number), "{number}");
    }
    assert!(replica.headers.len() < 100, "older blocks are not");
}

#[tokio::test]
async fn range_limits_are_met_and_no_refused_range_is_repeated() {
    for (max, named) in [(7, None), (1, None), (20, Some(20)), (19, Some(20)), (20, Some(1_000))] {
        let chain = Arc::new(ScriptedChain::new(301, 1));
        chain.finalize(300);
        let range_max = Some(max);
        chain.set_faults(Faults { range_max, range_named: named, ..Faults::default() });
        let mut replica = Replica::default();
        let mut follower = follower(&chain, Resume::default());
        catch_up(&mut follower, &mut replica, &chain).await;
        replica.assert_is(&chain, 1);
        assert_eq!(chain.most_refused(), 1, "{max} {named:?}");
        assert!(chain.calls() < 700, "{max} {named:?}: {} calls", chain.calls());
    }
}

#[tokio::test]
async fn a_node_that_refuses_even_one_block_is_a_fatal_error() {
    let chain = Arc::new(ScriptedChain::new(301, 1));
    chain.finalize(300);
    chain.set_faults(Faults { range_max: Some(0), ..Faults::default() });
    let error = next(&mut follower(&chain, Resume::default())).await.unwrap_err();
    assert!(!error.is_transient(), "{error:?}");
}

#[tokio::test]
async fn reorganisations_of_every_depth_are_one_step() {
    for depth in 1..=40 {
        let (chain, mut follower, mut replica) = at_head().await;
        chain.reorg(depth, depth + 1);
        let before = replica.reverts.len();
        catch_up(&mut follower, &mut replica, &chain).await;
        replica.assert_is(&chain, 1);
        assert_eq!(replica.reverts.len(), before + 1);
        let ancestor = chain.header_at(300 - u64::try_from(depth).unwrap()).block;
        assert_eq!(replica.reverts.last(), Some(&ancestor));
    }
}

#[tokio::test]
async fn a_branch_of_equal_or_lower_height_is_followed() {
    for (depth, length) in [(3, 3), (10, 4), (50, 1)] {
        let (chain, mut follower, mut replica) = at_head().await;
        chain.reorg(depth, length);
        catch_up(&mut follower, &mut replica, &chain).await;
        replica.assert_is(&chain, 1);
    }
}

#[tokio::test]
async fn reorganisations_may_come_one_after_the_other_and_while_one_is_read() {
    for call in 1..40 {
        let (chain, mut follower, mut replica) = at_head().await;
        chain.reorg(20, 22);
        let reorg_at_call = Some((chain.calls() + call, 30));
        chain.set_faults(Faults { reorg_at_call, shuffled: true, ..Faults::default() });
        catch_up(&mut follower, &mut replica, &chain).await;
        chain.reorg(2, 5);
        chain.reorg(4, 9);
        catch_up(&mut follower, &mut replica, &chain).await;
        replica.assert_is(&chain, 1);
    }
}

#[tokio::test]
async fn a_reorganisation_during_the_backfill_is_none_for_what_is_final() {
    let chain = Arc::new(ScriptedChain::new(401, 3));
    chain.finalize(350);
    let mut replica = Replica::default();
    let mut follower = follower(&chain, Resume::default());
    for _ in 0..3 {
        replica.apply(next(&mut follower).await.unwrap());
    }
    chain.reorg(50, 60);
    chain.finalize(380);
    catch_up(&mut follower, &mut replica, &chain).await;
    replica.assert_is(&chain, 1);
    assert!(replica.reverts.is_empty());
}

#[tokio::test]
async fn a_contradiction_of_the_finalized_block_stops_and_undoes_nothing() {
    let (chain, mut follower, mut replica) = at_head().await;
    let ours = chain.header_at(250).block;
    chain.reorg(60, 70);
    let error = loop {
        match next(&mut follower).await {
            Ok(step) => {
                assert_eq!(step.revert_to, None);
                replica.apply(step);
            }
            Err(error) => break error,
        }
    };
    let theirs = chain.header_at(250).block.hash;
    assert_eq!(error, FollowError::FinalityViolated { ours, theirs });
    assert_eq!(replica.cursor.unwrap().number, 300);
}

#[tokio::test]
async fn a_lagging_node_is_waited_for() {
    let (chain, mut follower, mut replica) = at_head().await;
    for shown in [299, 260, 240, 5] {
        chain.lag_at(Some(shown));
        let waited = tokio::time::timeout(Duration::from_millis(20), follower.next()).await;
        assert!(waited.is_err(), "nothing is to be done while the node shows {shown}: {waited:?}");
    }
    chain.lag_at(None);
    chain.grow(3);
    catch_up(&mut follower, &mut replica, &chain).await;
    replica.assert_is(&chain, 1);
    assert!(replica.reverts.is_empty());
}

#[tokio::test]
async fn logs_hidden_at_first_are_found_by_the_bloom() {
    let (chain, mut follower, mut replica) = at_head().await;
    chain.grow(20);
    chain.set_faults(Faults { hidden: 3, ..Faults::default() });
    catch_up(&mut follower, &mut replica, &chain).await;
    replica.assert_is(&chain, 1);
}

#[tokio::test]
async fn tags_that_move_alone_are_a_step_of_their_own() {
    let (chain, mut follower, mut replica) = at_head().await;
    chain.finalize(290);
    let step = next(&mut follower).await.unwrap();
    assert_eq!((step.revert_to, &step.extend), (None, &None));
    assert_eq!(step.tags.finalized.as_ref().unwrap().block.number, 290);
    replica.apply(step);
    chain.finalize(270);
    chain.grow(1);
    let step = next(&mut follower).await.unwrap();
    assert_eq!(step.tags.finalized.as_ref().unwrap().block.number, 290, "tags do not go back");
    replica.apply(step);
    replica.assert_is(&chain, 1);
}

/// The node's head is lower afterwards, and so is its safe block.
#[tokio::test]
async fn tags_of_a_branch_abandoned_during_the_backfill_are_let_go_of() {
    let chain = Arc::new(ScriptedChain::new(301, 1));
    chain.finalize(250);
    let mut replica = Replica::default();
    let mut follower = follower(&chain, Resume::default());
    replica.apply(next(&mut follower).await.unwrap());
    let tags = replica.tags.clone().unwrap();
    assert_eq!(tags.head.block.number, 300);
    assert_eq!(tags.safe.unwrap().block.number, 250, "the node's, 275, was not followed yet");
    chain.reorg(40, 20);
    catch_up(&mut follower, &mut replica, &chain).await;
    replica.assert_is(&chain, 1);
    let tags = replica.tags.unwrap();
    assert_eq!(tags.head, chain.head());
    assert_eq!(tags.safe, Some(chain.header_at(265)));
}

#[tokio::test]
async fn a_range_of_a_backend_on_an_abandoned_branch_is_not_final() {
    let chain = Arc::new(ScriptedChain::new(301, 1));
    chain.finalize(250);
    chain.strand_a_backend();
    chain.reorg(40, 200);
    chain.finalize(400);
    let mut replica = Replica::default();
    let mut follower = follower(&chain, Resume::default());
    while replica.cursor.is_none_or(|cursor| cursor.number < 250) {
        replica.apply(next(&mut follower).await.unwrap());
        // It has the next blocks, up to 300, and calls none of them final.
        chain.ask_the_stranded(4);
    }
    catch_up(&mut follower, &mut replica, &chain).await;
    replica.assert_is(&chain, 1);
    assert!(replica.reverts.is_empty());
}

/// However often it answers: only another block that is called final contradicts ours.
#[tokio::test]
async fn a_backend_on_an_abandoned_branch_does_not_contradict_what_is_final() {
    let chain = Arc::new(ScriptedChain::new(301, 1));
    chain.finalize(250);
    chain.strand_a_backend();
    chain.reorg(40, 60);
    chain.finalize(300);
    let mut replica = Replica::default();
    let mut live = follower(&chain, Resume::default());
    catch_up(&mut live, &mut replica, &chain).await;
    for resumed in [false, true] {
        if resumed {
            live = follower(&chain, replica.resume());
        }
        chain.ask_the_stranded(50);
        let waited = tokio::time::timeout(Duration::from_secs(1), async {
            while chain.is_asking_the_stranded() {
                let step = tokio::time::timeout(Duration::from_millis(1), live.next()).await;
                if let Ok(step) = step {
                    replica.apply(step.unwrap());
                }
            }
        });
        waited.await.expect("the backend is asked");
        chain.grow(1);
        catch_up(&mut live, &mut replica, &chain).await;
        replica.assert_is(&chain, 1);
    }
    assert!(replica.reverts.is_empty());
}

#[tokio::test]
async fn a_node_of_another_chain_is_refused_with_both_names() {
    let chain = Arc::new(ScriptedChain::new(10, 1));
    let options = FollowerOptions { chain: ChainId(8453), ..options() };
    let mut follower = Follower::new(Arc::clone(&chain), filter(), options, Resume::default());
    let text = next(&mut follower).await.unwrap_err().to_string();
    assert!(text.contains("eip155:8453") && text.contains("eip155:31337"), "{text}");
}

#[tokio::test]
async fn following_resumes_where_it_stood_after_reorganisations_in_between() {
    for (depth, grown, finalized) in [(0, 0, 250), (0, 200, 450), (30, 31, 250), (30, 200, 460)] {
        let (chain, _, mut replica) = at_head().await;
        chain.reorg(depth, depth + grown);
        chain.finalize(finalized);
        let mut follower = follower(&chain, replica.resume());
        catch_up(&mut follower, &mut replica, &chain).await;
        replica.assert_is(&chain, 1);
        assert_eq!(replica.reverts.len(), usize::from(depth > 0));
    }
}

/// The finalized block moved past the last block applied, which is on another branch, and then the program was started again.
#[tokio::test]
async fn following_resumes_on_a_branch_that_was_abandoned_below_the_finalized_block() {
    let (chain, _, mut replica) = at_head().await;
    chain.reorg(30, 200);
    chain.finalize(400);
    replica.tags.as_mut().unwrap().finalized = Some(chain.header_at(400));
    let mut follower = follower(&chain, replica.resume());
    let step = next(&mut follower).await.unwrap();
    assert_eq!(step.revert_to, Some(chain.header_at(270).block));
    replica.tags.as_mut().unwrap().finalized = None;
    replica.apply(step);
    catch_up(&mut follower, &mut replica, &chain).await;
    replica.assert_is(&chain, 1);
    assert_eq!(replica.reverts.len(), 1);
}

#[tokio::test]
async fn resuming_on_a_chain_that_contradicts_the_finalized_block_is_refused() {
    let (chain, _, replica) = at_head().await;
    chain.reorg(60, 100);
    let error = next(&mut follower(&chain, replica.resume())).await.unwrap_err();
    assert!(matches!(error, FollowError::FinalityViolated { ours, .. } if ours.number == 250));
}

#[tokio::test]
async fn a_chain_without_finality_is_followed_and_undone_as_far_as_is_held() {
    let chain = Arc::new(ScriptedChain::new(301, 1));
    chain.set_faults(Faults { tagless: true, ..Faults::default() });
    let mut replica = Replica::default();
    let mut follower = follower(&chain, Resume::default());
    catch_up(&mut follower, &mut replica, &chain).await;
    chain.reorg(40, 45);
    catch_up(&mut follower, &mut replica, &chain).await;
    replica.assert_is(&chain, 1);
    chain.reorg(250, 260);
    let error = next(&mut follower).await.unwrap_err();
    assert!(matches!(error, FollowError::ReorgTooDeep { .. }), "{error:?}");
}

#[tokio::test]
async fn an_error_handed_on_can_be_asked_past() {
    let (chain, mut follower, mut replica) = at_head().await;
    chain.grow(5);
    chain.set_faults(Faults { transient_percent: 100, ..Faults::default() });
    let error = next(&mut follower).await.unwrap_err();
    assert!(error.is_transient(), "{error:?}");
    chain.set_faults(Faults::default());
    catch_up(&mut follower, &mut replica, &chain).await;
    replica.assert_is(&chain, 1);
}

/// Everything at once, from seeds: growth, forks, lag, faults, restarts.
#[tokio::test]
async fn any_history_ends_in_the_canonical_chain() {
    for seed in 0..25 {
        let mut draw = Jitter::new(seed);
        let mut below = |bound: u64| usize::try_from(draw.draw() % bound).unwrap();
        let chain = Arc::new(ScriptedChain::new(2 + below(150), seed));
        let mut replica = Replica::default();
        let mut live = follower(&chain, Resume::default());
        let mut last_final = 0;
        for _ in 0..25 {
            chain.set_faults(Faults {
                transient_percent: [0, 5, 30][below(3)],
                shuffled: below(2) == 0,
                range_max: [None, Some(9), Some(1)][below(3)],
                range_named: [None, Some(9)][below(2)],
                hidden: [0, 2][below(2)],
                timeless: below(2) == 0,
                ..Faults::default()
            });
            let head = chain.head().block.number;
            match below(6) {
                0 | 1 => chain.grow(1 + below(90)),
                // What was once called final is never replaced, though the node may call less final later.
                2 if head > last_final => {
                    let depth = 1 + below(head - last_final);
                    chain.reorg(depth, 1 + below(40));
                }
                2 | 3 => {
                    let number = head - u64::try_from(below(head + 1)).unwrap();
                    chain.finalize(number);
                    last_final = last_final.max(number);
                }
                4 => chain.lag_at(Some(last_final + u64::try_from(below(50)).unwrap())),
                _ => live = follower(&chain, replica.resume()),
            }
            for _ in 0..below(4) {
                let step = tokio::time::timeout(Duration::from_millis(3), live.next()).await;
                if let Ok(step) = step {
                    replica.apply(step.unwrap());
                }
            }
            chain.lag_at(None);
        }
        catch_up(&mut live, &mut replica, &chain).await;
        replica.assert_is(&chain, 1);
    }
}
