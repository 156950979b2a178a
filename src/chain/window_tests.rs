//! The window against hand-made forks, and against a model that compares whole chains.

use alloy::primitives::Bloom;
use proptest::prelude::*;

use super::*;
use crate::vocab::UnixSeconds;

/// A chain as the branch each block belongs to; equal prefixes are shared blocks.
fn headers(branches: &[u8]) -> Vec<Header> {
    let mut parent_hash = B256::ZERO;
    let mut made = Vec::new();
    for (number, branch) in (0_u64..).zip(branches) {
        let mut hash = parent_hash;
        hash.0[31] = hash.0[31].wrapping_mul(31).wrapping_add(*branch).wrapping_add(1);
        hash.0[30] = hash.0[30].wrapping_mul(17) ^ branch.wrapping_add(7);
        hash.0[..8].copy_from_slice(&number.to_be_bytes());
        hash.0[8] |= *branch;
        let block = BlockRef { number, hash };
        let time = UnixSeconds::new(number * 2).unwrap();
        made.push(Header { block, parent_hash, time, logs_bloom: Bloom::ZERO });
        parent_hash = hash;
    }
    made
}

fn applied(chain: &[Header], finalized: usize) -> Window {
    let mut window = Window::new(1_000);
    window.append(chain);
    window.finalize(chain[finalized].block);
    window
}

#[test]
fn a_longer_chain_extends_and_a_shorter_one_is_waited_for() {
    let ours = headers(&[0; 10]);
    let longer = headers(&[0; 12]);
    let window = applied(&ours, 3);
    assert_eq!(window.judge(&longer[10..]), Judgement::Extend);
    assert_eq!(window.judge(&longer[8..]), Judgement::Extend);
    assert_eq!(window.judge(&ours[9..]), Judgement::Wait);
    assert_eq!(window.judge(&ours[5..8]), Judgement::Wait);
    assert_eq!(window.judge(&ours[0..2]), Judgement::Wait, "far behind, below what is held");
}

#[test]
fn a_fork_goes_back_to_the_last_shared_block() {
    let ours = headers(&[0; 10]);
    let fork = headers(&[0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1]);
    let window = applied(&ours, 3);
    let expected = Judgement::Revert { to: ours[5].block };
    assert_eq!(window.judge(&fork[4..]), expected);
    assert_eq!(window.judge(&fork[6..]), expected, "the parent of the first header counts");
    assert_eq!(window.judge(&fork[6..8]), expected, "also when the fork is shorter");
    assert_eq!(window.judge(&fork[8..]), Judgement::AskFrom(6));
    assert_eq!(window.judge(&fork[11..]), Judgement::AskFrom(10));
}

#[test]
fn a_fork_below_the_finalized_block_is_a_violation() {
    let ours = headers(&[0; 10]);
    let fork = headers(&[0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1]);
    let window = applied(&ours, 3);
    let theirs = fork[3].block.hash;
    assert_eq!(window.judge(&fork[2..]), Judgement::Violation { ours: ours[3].block, theirs });
}

#[test]
fn without_a_finalized_block_a_fork_below_the_window_is_too_deep() {
    let ours = headers(&[0; 10]);
    let fork = headers(&[0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1]);
    let mut window = Window::new(4);
    window.append(&ours);
    assert_eq!(window.judge(&fork[1..]), Judgement::TooDeep { lowest: ours[5].block });
}

#[test]
fn reverting_and_appending_again_leaves_a_linked_window() {
    let ours = headers(&[0; 10]);
    let fork = headers(&[0, 0, 0, 0, 0, 0, 1, 1]);
    let mut window = applied(&ours, 3);
    window.revert_to(ours[5].block);
    assert_eq!(window.tip(), Some(ours[5].block));
    window.append(&fork[6..]);
    assert_eq!(window.tip(), Some(fork[7].block));
    assert_eq!(window.judge(&fork[7..]), Judgement::Wait);
    assert_eq!(window.hash_at(3), Some(ours[3].block.hash));
    assert_eq!(window.hash_at(2), None);
}

#[test]
fn resuming_uses_held_headers_only_where_they_reach_the_cursor() {
    let ours = headers(&[0; 10]);
    let fork = headers(&[0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1]);
    let resumed = |held: &[Header]| Window::resume(99, ours[9].block, held, Some(ours[3].block));
    assert_eq!(resumed(&ours[4..]).judge(&fork[5..]), Judgement::Revert { to: ours[5].block });
    let mut gap = ours[4..].to_vec();
    gap.remove(1);
    assert_eq!(resumed(&gap).judge(&fork[5..]), Judgement::Revert { to: ours[5].block });
    gap.remove(2);
    assert_eq!(resumed(&gap).lowest(), Some(ours[7].block));
    for useless in [&ours[4..9], &ours[..0]] {
        assert_eq!(resumed(useless).lowest(), Some(ours[9].block));
    }
}

#[test]
fn a_gap_in_what_is_applied_empties_the_window_below_it() {
    let ours = headers(&[0; 20]);
    let mut window = Window::new(99);
    window.append(&ours[0..3]);
    window.append(&[ours[5].clone(), ours[8].clone(), ours[9].clone()]);
    assert_eq!(window.lowest(), Some(ours[7].block));
    assert_eq!(window.tip(), Some(ours[9].block));
}

proptest! {
    /// Whatever the two chains and however little of the node's is given, the judgement is that of comparing them whole.
    #[test]
    fn the_judgement_is_that_of_the_whole_chains(
        ours_len in 2_usize..40,
        theirs_len in 2_usize..40,
        shared in 1_usize..40,
        finalized in 0_usize..40,
        given in 1_usize..40,
    ) {
        let shared = shared.min(ours_len).min(theirs_len);
        let finalized = finalized.min(ours_len - 1);
        let ours = headers(&vec![0; ours_len]);
        let theirs: Vec<u8> = (0..theirs_len).map(|n| u8::from(n >= shared)).collect();
        let theirs = headers(&theirs);
        let window = applied(&ours, finalized);
        let mut from = theirs_len - given.min(theirs_len);
        let judged = loop {
            match window.judge(&theirs[from..]) {
                Judgement::AskFrom(number) => {
                    let lower = usize::try_from(number).unwrap();
                    prop_assert!(lower < from, "each request reaches further down");
                    from = lower;
                }
                judged => break judged,
            }
        };
        // `shared` blocks are equal, and the block after them differs in either chain.
        let expected = if theirs_len - 1 < finalized || shared == theirs_len {
            Judgement::Wait
        } else if shared == ours_len {
            Judgement::Extend
        } else if shared > finalized {
            Judgement::Revert { to: ours[shared - 1].block }
        } else {
            let number = finalized.min(theirs_len - 1).min(ours_len - 1);
            Judgement::Violation { ours: ours[number].block, theirs: theirs[number].block.hash }
        };
        prop_assert_eq!(judged, expected);
    }
}
