//! How a recording is shown: block by block, with a reorganisation at its moment.

use super::super::{FINALIZED_DEPTH, SAFE_DEPTH};
use super::{before_reorganisation, opening, shipped};

#[test]
fn the_opening_is_there_and_nothing_after_it() {
    let play = opening();
    assert_eq!(play.head(), 2_999);
    assert_eq!((play.safe(), play.finalized()), (2_999 - SAFE_DEPTH, 2_999 - FINALIZED_DEPTH));
    assert!(play.block(2_999).is_some());
    assert!(play.block(3_000).is_none());
    let unshown = shipped().blocks()[3_000].hash;
    assert!(play.block_by_hash(&unshown).is_none(), "a block that is not shown does not exist");
}

#[test]
fn going_on_shows_one_block_more() {
    let mut play = opening();
    let played = play.advance().unwrap();
    assert_eq!((played.undone, played.applied), (vec![], vec![3_000]));
    assert_eq!(play.head(), 3_000);
    assert_eq!(play.block(3_000).unwrap().hash, shipped().blocks()[3_000].hash);
}

#[test]
fn a_reorganisation_replaces_a_branch_in_one_step() {
    let mut play = before_reorganisation();
    let head = play.block(play.head()).unwrap().block();
    let ancestor = play.block(head.number - 5).unwrap().block();

    let played = play.advance().unwrap();

    assert_eq!((played.undone.len(), played.applied.len()), (5, 5));
    assert_eq!(play.head(), head.number);
    assert_eq!(play.block(ancestor.number).unwrap().block(), ancestor);
    assert_ne!(play.block(head.number).unwrap().hash, head.hash);
    for index in played.undone {
        let orphan = &shipped().blocks()[index];
        assert!(play.block_by_hash(&orphan.hash).is_none(), "orphan {}", orphan.block());
    }
    for index in played.applied {
        let block = &shipped().blocks()[index];
        assert_eq!(play.block_by_hash(&block.hash).unwrap().block(), block.block());
    }
}

#[test]
fn the_end_stays() {
    let mut play = opening();
    let (mut shown, mut reorganisations) = (shipped().opening_count(), 0);
    assert!(!play.is_over());
    while let Some(played) = play.advance() {
        shown += played.applied.len();
        reorganisations += usize::from(!played.undone.is_empty());
    }
    assert!(play.is_over());
    assert_eq!((shown, reorganisations), (shipped().blocks().len(), 1));
    assert_eq!(play.head(), shipped().blocks().last().unwrap().number());
    assert!(play.advance().is_none());
    // Each canonical block is the parent of the next, to the end.
    for number in 1..=play.head() {
        let parent = play.block(number - 1).unwrap().hash;
        assert_eq!(play.block(number).unwrap().header.parent_hash, parent);
    }
}
