//! From where to read on, whatever the log does.

use hallmark::intake::relay::Standing;
use serde_json::{Value, json};

use super::{PLAYER, assessment, choice, page, public, read};

fn indices(page: &hallmark::intake::relay::RelayPage) -> Vec<u64> {
    page.records.iter().map(|record| record.index).collect()
}

#[test]
fn gaps_are_what_is_not_public() {
    let entries = [public(5, "system", &choice(1)), public(9, PLAYER, &assessment())];
    let page = read(&page(&entries, 10), 3);
    assert_eq!((indices(&page), page.next), (vec![5, 9], 10));
    assert_eq!(page.passed.left_out, 5);
    assert_eq!(page.standing, Standing::Running);
}

/// The platform says where its log ends; what it did not show is asked for again all the same.
#[test]
fn a_page_without_entries_moves_nothing() {
    for tip in [7, 9, 1_000_000] {
        let page = read(&page(&[], tip), 7);
        assert_eq!((page.next, page.standing, page.records.len()), (7, Standing::Running, 0));
    }
}

/// The page's own `sinceIdx` lies behind entries that it does not show yet.
#[test]
fn a_game_that_is_not_public_yet_keeps_the_cursor() {
    let mut pending = page(&[], 40);
    pending["type"] = "spectator_pending".into();
    pending.as_object_mut().unwrap().remove("relay");
    pending.as_object_mut().unwrap().remove("state");
    let page = read(&pending, 3);
    assert_eq!((page.next, page.standing), (3, Standing::Pending));
}

#[test]
fn a_log_that_is_shorter_than_what_was_read_was_begun_anew() {
    // The platform takes a cursor beyond the end for the end.
    let page_at = read(&page(&[], 2), 7);
    assert_eq!((page_at.next, page_at.standing), (0, Standing::Restarted { tip: 2 }));
    // One that shows its entries instead.
    let entries = [public(0, "system", &choice(1)), public(1, "system", &choice(2))];
    let shown = read(&page(&entries, 2), 7);
    assert_eq!((shown.next, shown.standing), (0, Standing::Restarted { tip: 2 }));
    assert_eq!((shown.passed.repeated, shown.records.len()), (2, 0));
    // From there on it is read as any other.
    let again = read(&page(&entries, 2), shown.next);
    assert_eq!((indices(&again), again.next), (vec![0, 1], 2));
}

#[test]
fn a_page_that_repeats_what_was_read_repeats_nothing_here() {
    let entries: Vec<Value> = (0..6).map(|n| public(n, "system", &choice(n))).collect();
    let page_at = read(&page(&entries, 6), 4);
    assert_eq!((indices(&page_at), page_at.next, page_at.passed.repeated), (vec![4, 5], 6, 4));
    // Everything was read before, and the log is no shorter than that.
    let page_at = read(&page(&entries, 6), 6);
    assert_eq!((page_at.records.len(), page_at.next, page_at.standing), (0, 6, Standing::Running));
    let twice = [entries[4].clone(), entries[4].clone(), entries[5].clone()];
    let page_at = read(&page(&twice, 6), 4);
    assert_eq!(
        (indices(&page_at), page_at.passed.repeated, page_at.flaws.len()),
        (vec![4, 5], 1, 0)
    );
    let two = [public(4, "system", &choice(4)), public(4, PLAYER, &choice(4))];
    let page_at = read(&page(&two, 5), 4);
    assert_eq!((indices(&page_at), page_at.flaws.len(), page_at.next), (vec![4], 1, 5));
    assert!(page_at.flaws[0].reason.contains("the same index"));
}

#[test]
fn entries_out_of_order_are_all_read() {
    let entries = [public(6, "system", &choice(6)), public(4, "system", &choice(4))];
    let page = read(&page(&entries, 7), 4);
    assert_eq!((indices(&page), page.next, page.passed.left_out), (vec![6, 4], 7, 1));
}

#[test]
fn a_page_whose_own_words_of_the_log_are_odd_is_read_by_its_entries() {
    for since_idx in [json!(null), json!(-1), json!("x"), json!(1e300), json!(0)] {
        let mut odd = page(&[public(4, "system", &choice(4))], 0);
        odd["meta"]["sinceIdx"] = since_idx;
        odd["meta"]["handles"] = json!(7);
        odd["meta"]["finished"] = json!("yes");
        let page = read(&odd, 4);
        assert_eq!((page.next, page.standing, page.records.len()), (5, Standing::Running, 1));
    }
    let mut odd = page(&[], 0);
    odd["meta"]["sinceIdx"] = Value::Null;
    assert_eq!(read(&odd, 4).standing, Standing::Running);
}

#[test]
fn the_end_of_a_game_is_told() {
    let mut last = page(&[public(4, "system", &choice(4))], 5);
    last["meta"]["finished"] = json!(true);
    let page = read(&last, 4);
    assert_eq!((page.next, page.standing, page.records.len()), (5, Standing::Finished, 1));
}
