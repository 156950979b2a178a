//! Trouble, benches and choices, with a time that only the test moves.

use super::*;

fn transient(retry_after_s: Option<u64>) -> ChainError {
    ChainError::Transient {
        endpoint: "https://node.example".to_owned(),
        asked: "logs".to_owned(),
        reason: "busy".to_owned(),
        retry_after: retry_after_s.map(Duration::from_secs),
    }
}

fn timed_out() -> ChainError {
    ChainError::TimedOut { endpoint: "https://node.example".to_owned(), asked: "logs".to_owned() }
}

const fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

#[test]
fn three_failures_in_a_row_are_trouble_and_one_is_not() {
    let now = Instant::now();
    let mut health = Health::default();
    assert!(!health.failed(&transient(None), now) && !health.failed(&transient(None), now));
    health.answered(seconds(1), now);
    assert!(!health.failed(&transient(None), now) && !health.failed(&transient(None), now));
    assert_eq!(health.state(now), State::Healthy);
    assert!(health.failed(&transient(None), now), "the third one is news");
    assert!(!health.failed(&transient(None), now), "the fourth one is not");
    assert_eq!(health.state(now), State::Troubled);
    assert!(health.reason(now).unwrap().contains("busy"));
    assert_eq!((health.requests, health.failures), (7, 6));
    assert!(!health.may_be_tried(now));
    assert!(health.may_be_tried(now + seconds(2)), "one second, since all failed at once");
    health.answered(seconds(1), now + seconds(2));
    assert_eq!(health.state(now + seconds(2)), State::Healthy);
}

#[test]
fn trouble_lasts_longer_each_time() {
    let mut now = Instant::now();
    let mut health = Health::default();
    let mut pauses = Vec::new();
    for _ in 0..9 {
        health.failed(&timed_out(), now);
        pauses.push(health.pause(now).unwrap().as_secs());
        now += health.pause(now).unwrap();
    }
    assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 64, 120, 120]);
}

#[test]
fn a_wish_to_be_left_alone_is_kept_whatever_comes_back_meanwhile() {
    let now = Instant::now();
    let mut health = Health::default();
    assert!(health.failed(&transient(Some(7)), now), "at once");
    health.answered(seconds(1), now + seconds(1));
    health.failed(&transient(None), now + seconds(1));
    assert_eq!(health.pause(now), Some(seconds(7)));
    assert!(!health.may_be_tried(now + seconds(6)) && health.may_be_tried(now + seconds(7)));
    health.failed(&transient(Some(1_000_000)), now);
    assert_eq!(health.pause(now), Some(RETRY_AFTER_MAX), "but not for ever");
}

#[test]
fn each_bench_is_twice_as_long_and_ends_in_probation() {
    let mut now = Instant::now();
    let mut health = Health::default();
    let mut minutes = Vec::new();
    for _ in 0..11 {
        let length = health.bench("it lied", now);
        assert_eq!(health.bench("it lied again", now), length, "once for what was on its way");
        assert_eq!((health.state(now), health.reason(now)), (State::Benched, Some("it lied")));
        minutes.push(length.as_secs() / 60);
        now += length;
        assert_eq!(health.state(now), State::Healthy);
    }
    assert_eq!(minutes, [5, 10, 20, 40, 80, 160, 320, 640, 1_280, 1_440, 1_440]);
    assert_eq!((0..20).filter(|_| health.is_on_probation()).count(), 16);
    health.refuse("another chain".to_owned());
    assert_eq!((health.state(now), health.pause(now)), (State::Refused, None));
}

/// Four nodes: two to follow and check, one to follow only, one to check only.
fn nodes() -> Vec<(Role, Health)> {
    [Role::Both, Role::Follow, Role::Both, Role::Check].map(|role| (role, Health::default())).into()
}

fn seen(nodes: &[(Role, Health)]) -> Vec<(Role, &Health)> {
    nodes.iter().map(|(role, health)| (*role, health)).collect()
}

fn follow(nodes: &[(Role, Health)], now: Instant) -> Choice {
    to_follow(&seen(nodes), now)
}

#[test]
fn the_preferred_one_that_is_well_is_followed() {
    let now = Instant::now();
    let mut nodes = nodes();
    assert_eq!(follow(&nodes, now), Choice::Ask(vec![0, 1, 2]));
    nodes[0].1.failed(&timed_out(), now);
    nodes[1].1.bench("it lied", now);
    assert_eq!(follow(&nodes, now), Choice::Ask(vec![2]));
    // It is not well again by time alone: first it is tried.
    assert_eq!(follow(&nodes, now + seconds(60)), Choice::Ask(vec![2]));
    nodes[0].1.answered(seconds(1), now + seconds(60));
    assert_eq!(follow(&nodes, now + seconds(60)), Choice::Ask(vec![0, 2]));
    assert_eq!(follow(&nodes, now + seconds(300)), Choice::Ask(vec![0, 1, 2]));
}

#[test]
fn where_none_is_well_the_least_bad_is_asked_or_waited_for() {
    let now = Instant::now();
    let mut nodes = nodes();
    nodes[0].1.bench("it lied", now);
    nodes[0].1.bench("it lied", now + seconds(300));
    nodes[1].1.bench("it lied", now + seconds(300));
    nodes[2].1.failed(&timed_out(), now + seconds(300));
    let now = now + seconds(300);
    assert_eq!(follow(&nodes, now), Choice::Ask(vec![2]), "trouble is better than lies");
    nodes[2].1.failed(&transient(Some(9)), now);
    assert_eq!(follow(&nodes, now), Choice::Wait(seconds(9)), "and is waited for");
    nodes[2].1.bench("it lied", now);
    nodes[2].1.bench("it lied", now + seconds(300));
    let now = now + seconds(299);
    assert_eq!(
        follow(&nodes, now),
        Choice::Ask(vec![1]),
        "of all that lie, the one that did least"
    );
    for (_, health) in &mut nodes {
        health.refuse("another chain".to_owned());
    }
    assert_eq!(follow(&nodes, now), Choice::Nobody);
}

#[test]
fn only_those_that_are_well_and_may_check_are_compared_with() {
    let now = Instant::now();
    let mut nodes = nodes();
    let others = |nodes: &[(Role, Health)], answered| to_compare(&seen(nodes), answered, now);
    assert_eq!(others(&nodes, 0), [2, 3]);
    assert_eq!(others(&nodes, 1), [0, 2, 3]);
    nodes[2].1.bench("it lied", now);
    assert_eq!(others(&nodes, 0), [3]);
    nodes[3].1.failed(&timed_out(), now);
    assert_eq!(others(&nodes, 0), [0; 0]);
}
