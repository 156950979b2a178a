//! What is counted once, what is joined, and which claims are wanted.

use alloy::primitives::U256;

use super::*;
use crate::project::{Posting, Thread};

fn at(seconds: u64) -> UnixSeconds {
    UnixSeconds::new(seconds).unwrap()
}

fn entry(seq: u64, issuer: u64, [claim, words, game]: [u32; 3]) -> Entry {
    let posting = Posting {
        seq,
        said_at: at(seq),
        issuer,
        spoken_by: 0,
        thread: Thread { own: seq, replaces: 0 },
        claim,
        words,
        game,
        class: (issuer == 1).then_some(IssuerClass::System),
    };
    let issuer_agent = (issuer > 1).then(|| AgentId(U256::from(issuer)));
    Entry { posting, issuer_agent, is_withdrawn: false }
}

fn texts(number: u32) -> &'static str {
    ["", "a", "b", "c", "d", "e"].get(number as usize).copied().unwrap_or("z")
}

#[test]
fn games_and_issuers_are_counted_once() {
    let mut withdrawn = entry(6, 2, [1, 2, 3]);
    withdrawn.is_withdrawn = true;
    let entries = vec![
        entry(1, 1, [1, 2, 1]),
        entry(2, 1, [1, 2, 2]),
        entry(3, 1, [1, 2, 1]),
        entry(4, 1, [1, 3, 2]),
        entry(5, 2, [1, 2, 0]),
        withdrawn,
        entry(7, 2, [4, 2, 5]),
    ];
    let all = Rollup::of(&Ledger { entries, ..Ledger::default() }, Some(at(4)));
    assert_eq!((all.total, all.provisional, all.kinds.len()), (6, 3, 2));
    let rollup = all.only(|claim| claim == 1);
    assert_eq!(
        (rollup.total, rollup.provisional),
        (5, 2),
        "claims that are not wanted are not counted"
    );
    let kind = &rollup.kinds[&1];
    assert_eq!((kind.count, kind.issuers.len(), kind.games.count()), (5, 2, 2));
    assert_eq!(kind.times, (at(1), at(5)));
    let tallies = rollup.tallies_within_limit(texts, |_| "n");
    let counted: Vec<_> = tallies
        .iter()
        .map(|((_, w, i), t)| (*w, i.name, t.count, t.games.count(), t.last_seq))
        .collect();
    assert_eq!(counted, [(2, 1, 3, 2, 3), (2, 2, 1, 0, 5), (3, 1, 1, 1, 4)]);
    let classes: Vec<_> = rollup.issuers.keys().map(|issuer| issuer.class).collect();
    assert_eq!(classes, [Some(IssuerClass::System), Some(IssuerClass::Agent)]);
}

#[test]
fn the_rarest_of_very_many_lose_their_words() {
    let mut entries: Vec<Entry> =
        (0..3_000).map(|n| entry(n + 1, 1, [1, 1_000 + u32::try_from(n).unwrap(), 1])).collect();
    entries.extend((0..5).map(|n| entry(5_000 + n, 2, [1, 2, 1])));
    let rollup = Rollup::of(&Ledger { entries, ..Ledger::default() }, None);
    assert_eq!(rollup.total, rollup.provisional, "nothing is final where nothing is known to be");
    let tallies = rollup.tallies_within_limit(texts, |_| "n");
    assert_eq!(tallies.len(), TALLIES_MAX * 3 / 4 + 1);
    assert_eq!(tallies[0].1.count, 5, "the most said comes first");
    let counted: u32 = tallies.iter().map(|(_, tally)| tally.count).sum();
    assert_eq!(counted, rollup.total, "nothing is lost");
    let ((_, words, _), last) = tallies.last().unwrap();
    assert_eq!((*words, last.count), (0, 3_000 - (768 - 1)));
}

#[test]
fn claims_are_named_whole_or_by_their_beginning() {
    let claims = Claims::new(vec!["a.b".to_owned(), "c.*".to_owned()]);
    for (claim, expected) in
        [("a.b", true), ("a.bc", false), ("c.", true), ("c.d.e", true), ("c", false)]
    {
        assert_eq!(claims.has(claim), expected, "{claim}");
    }
    assert!(Claims::all().has("anything"));
}
