//! The interactions of one run: which of them follow each other from its beginning to its end, and which are left out, and why.
//!
//! Each names the one before it, so they form a tree that begins with the acceptance. Where it forks, somebody told two stories, and the
//! longer one is followed; of equally long ones, the one with the smaller digest at the first place where they differ. Whoever wants to cut
//! a run short by a second story so has to tell all of it. An outcome names the last interaction, and nothing behind that counts, whatever
//! time it says.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::task::Interaction;
use crate::tfd;
use crate::vocab::{Digest, UnixSeconds};

/// The interactions of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Interactions {
    /// Those that follow each other, in order: what is counted from, by definition 4 of `docs/tfd.md`.
    pub chain: Vec<tfd::Interaction>,
    /// How many of them count.
    pub counted: tfd::Counted,
    /// All others.
    pub left_out: Vec<LeftOut>,
}

/// An interaction that is not counted from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct LeftOut {
    /// The record.
    pub record: Digest,
    /// Why.
    pub why: WhyLeftOut,
}

/// Why an interaction is not counted from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum WhyLeftOut {
    /// Neither parent nor child signed it.
    Stranger,
    /// The one before it is not there, or not in the run.
    Unlinked,
    /// It is older than the one before it.
    OutOfOrder,
    /// Another story was told from the same place on, and that one is followed.
    Fork,
    /// It follows on what the outcome calls the last one.
    AfterTheLast,
}

impl WhyLeftOut {
    /// In words.
    #[must_use]
    pub const fn in_words(self) -> &'static str {
        match self {
            Self::Stranger => "neither parent nor child signed it",
            Self::Unlinked => "the interaction before it is not there",
            Self::OutOfOrder => "it is older than the interaction before it",
            Self::Fork => {
                "another interaction follows on the same one, and the longer story is followed"
            }
            Self::AfterTheLast => "it follows on what the outcome calls the last interaction",
        }
    }
}

/// One interaction of a run, with its digest and who signed it.
pub(super) struct Event<'a> {
    pub(super) digest: Digest,
    pub(super) record: &'a Interaction,
    pub(super) signer: tfd::Signer,
}

/// Where a run begins and ends.
#[derive(Clone, Copy)]
pub(super) struct Ends {
    /// What the first interaction names before it.
    pub(super) anchor: Digest,
    /// When the run began.
    pub(super) start: UnixSeconds,
    /// Its last second.
    pub(super) end: UnixSeconds,
    /// The last interaction by an outcome, if there is one.
    pub(super) last: Option<Digest>,
}

/// Follows the interactions of a run.
pub(super) fn follow(events: &[Event<'_>], ends: Ends) -> Interactions {
    let mut left_out = Vec::new();
    let mut after: BTreeMap<Digest, Vec<&Event<'_>>> = BTreeMap::new();
    for event in events {
        if event.signer == tfd::Signer::Other {
            left_out.push(LeftOut { record: event.digest, why: WhyLeftOut::Stranger });
        } else {
            after.entry(event.record.previous).or_default().push(event);
        }
    }
    let reached = reached(&after, ends);
    let story = story(&reached, &after, ends);
    let on_it: BTreeSet<Digest> = story.iter().map(|event| event.digest).collect();
    let behind = ends.last.map(|last| behind(last, &after)).unwrap_or_default();
    for event in after.values().flatten() {
        let digest = event.digest;
        if on_it.contains(&digest) {
            continue;
        }
        let why = if behind.contains(&digest) {
            WhyLeftOut::AfterTheLast
        } else if reached.contains_key(&digest) {
            WhyLeftOut::Fork
        } else if reached.contains_key(&event.record.previous)
            || event.record.previous == ends.anchor
        {
            WhyLeftOut::OutOfOrder
        } else {
            WhyLeftOut::Unlinked
        };
        left_out.push(LeftOut { record: digest, why });
    }
    left_out.sort_by_key(|left| left.record);
    let chain: Vec<tfd::Interaction> = story
        .iter()
        .filter(|event| event.record.kind.counts())
        .map(|event| tfd::Interaction {
            digest: event.digest,
            at: event.record.issued_at.get(),
            signer: event.signer,
            event: event.record.event,
        })
        .collect();
    let run = tfd::Run { start: ends.start.get(), end: ends.end.get() };
    Interactions { counted: tfd::count(run, &chain), chain, left_out }
}

type After<'a> = BTreeMap<Digest, Vec<&'a Event<'a>>>;

/// Every interaction that is reached from the beginning with time running forwards: how far it is, and the one before it.
fn reached<'a>(after: &After<'a>, ends: Ends) -> BTreeMap<Digest, (usize, &'a Event<'a>)> {
    let mut reached = BTreeMap::new();
    let mut open = vec![(ends.anchor, ends.start, 0_usize)];
    while let Some((from, time, depth)) = open.pop() {
        if Some(from) == ends.last {
            continue;
        }
        for event in after.get(&from).into_iter().flatten() {
            let issued_at = event.record.issued_at;
            if issued_at >= time && !reached.contains_key(&event.digest) {
                reached.insert(event.digest, (depth + 1, *event));
                open.push((event.digest, issued_at, depth + 1));
            }
        }
    }
    reached
}

/// The story that is followed: to the last one by the outcome, where that is reached, and else the longest.
fn story<'a>(
    reached: &BTreeMap<Digest, (usize, &'a Event<'a>)>,
    after: &After<'a>,
    ends: Ends,
) -> Vec<&'a Event<'a>> {
    if ends.last == Some(ends.anchor) {
        return Vec::new();
    }
    let named = ends.last.filter(|last| reached.contains_key(last));
    let way = |tip: Digest| {
        let mut way = Vec::new();
        let mut at = tip;
        while let Some((_, event)) = reached.get(&at) {
            way.push(*event);
            at = event.record.previous;
        }
        way.reverse();
        way
    };
    if let Some(last) = named {
        return way(last);
    }
    // Behind each place, how much of a story is still to come.
    let mut height: BTreeMap<Digest, usize> = BTreeMap::new();
    let mut by_depth: Vec<_> =
        reached.iter().map(|(digest, (depth, _))| (*depth, *digest)).collect();
    by_depth.sort_unstable();
    for (_, digest) in by_depth.iter().rev() {
        let own = height.get(digest).copied().unwrap_or(0) + 1;
        height.insert(*digest, own);
        if let Some((_, event)) = reached.get(digest) {
            let above = height.entry(event.record.previous).or_default();
            *above = (*above).max(own);
        }
    }
    let mut story = Vec::new();
    let mut at = ends.anchor;
    loop {
        let next = after.get(&at).into_iter().flatten().filter(|e| reached.contains_key(&e.digest));
        let longest = next.max_by(|one, other| {
            let of = |event: &Event<'_>| height.get(&event.digest).copied().unwrap_or(0);
            of(one).cmp(&of(other)).then(other.digest.cmp(&one.digest))
        });
        let Some(event) = longest else { return story };
        story.push(*event);
        at = event.digest;
    }
}

/// All that follows on an interaction.
fn behind(last: Digest, after: &After<'_>) -> BTreeSet<Digest> {
    let mut behind = BTreeSet::new();
    let mut open = vec![last];
    while let Some(from) = open.pop() {
        for event in after.get(&from).into_iter().flatten() {
            if behind.insert(event.digest) {
                open.push(event.digest);
            }
        }
    }
    behind
}
