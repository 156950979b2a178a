//! The timelines are what the events fold to, and agents move only from hand to hand.
//!
//! Everything is folded anew in memory, by the rules that following uses, and held against the stored spans timeline by timeline. A
//! timeline is remembered as its open span and a sum over the digests of all its spans, and values as their hashes, so that what is
//! remembered does not grow with what strangers write; where there are many timelines they are folded in several passes over the events.

use std::collections::BTreeMap;

use alloy::primitives::{Address, U256, keccak256};

use super::doubts::DoubtWalk;
use super::events::EventWalk;
use super::threads::ThreadWalk;
use super::{Checked, Suspects, Told};
use crate::app::decoded::DecodedLog;
use crate::app::ingest::facts;
use crate::app::rebuild::Batch;
use crate::identity::{Changes, Fact, Fold, SpanCause, SpanEnd, SpanRecord, TimelineRef, Value};
use crate::registry::{KnownImplementations, RegistryEvent};
use crate::storage::{SpanPlace, StorageError, Tx};
use crate::vocab::{AgentId, Position};

/// So many events' timelines are remembered in one pass: some hundred bytes each.
const EVENTS_PER_PASS: u64 = 400_000;
/// So many spans are read at once.
const SPANS_PER_PAGE: u32 = 5_000;

/// What is remembered of a timeline.
#[derive(Debug, Default)]
struct Remembered {
    open: Option<SpanRecord>,
    /// The sum of the digests of its spans; those stored are taken off again.
    sum: U256,
}

/// One pass over all events, for the timelines of one share.
struct Pass {
    share: u64,
    of: u64,
    timelines: BTreeMap<TimelineRef, Remembered>,
}

/// Walks all events, in as many passes as their number asks for.
pub(super) async fn checks(
    tx: &mut Tx,
    known: &KnownImplementations,
    suspects: &mut Suspects,
    told: &mut (dyn FnMut(Told) + Send),
) -> Result<Vec<Checked>, StorageError> {
    let events = tx.event_count().await?;
    let passes = 1 + events / EVENTS_PER_PASS;
    let mut folded = Checked::new("timelines-folded", "timelines are what the events fold to");
    let mut moved = Checked::new("agents-handed-on", "agents move only from whoever owns them");
    let mut walk = EventWalk::new();
    let mut doubts = DoubtWalk::new(known);
    let mut threads = ThreadWalk::new();
    let mut done = 0_u64;
    for share in 0..passes {
        let mut pass = Pass { share, of: passes, timelines: BTreeMap::new() };
        threads.begin_share();
        let mut first = Some(0);
        while let Some(block) = first {
            let batch = Batch::read(tx, block).await?;
            let logs = batch.logs();
            if share == 0 {
                let labels = tx.labels_in(block, batch.through).await?;
                walk.take(&logs, &labels, suspects);
                doubts.take(&logs, &batch.observations, suspects);
            }
            for log in &logs {
                threads.take(log, |number| pass.is_of_share(number), suspects);
            }
            pass.hand_on(&logs, &mut moved, suspects);
            pass.fold(facts(&logs, &batch.observations));
            done += u64::try_from(logs.len()).unwrap_or_default();
            told(Told { doing: "folding the events anew", done, of: events * passes });
            first = batch.next();
        }
        pass.compare(tx, &mut folded, suspects).await?;
    }
    let checks = walk.finish(suspects).into_iter().chain([doubts.finish(), moved, folded]);
    Ok(checks.chain(threads.finish()).collect())
}

impl Pass {
    fn is_ours(&self, timeline: TimelineRef) -> bool {
        let number = match timeline {
            TimelineRef::Owner(agent)
            | TimelineRef::Wallet(agent)
            | TimelineRef::Uri(agent)
            | TimelineRef::Metadata(agent, _)
            | TimelineRef::Approved(agent) => agent.0,
            TimelineRef::Operator(owner, _) => U256::from_be_slice(owner.as_slice()),
            TimelineRef::Implementation(_) => U256::ZERO,
        };
        self.is_of_share(number)
    }

    fn is_of_share(&self, number: U256) -> bool {
        number % U256::from(self.of) == U256::from(self.share)
    }

    /// Holds who an agent moves from against who owns it by then. To be asked before the same logs are folded.
    fn hand_on(&self, logs: &[DecodedLog<'_>], check: &mut Checked, suspects: &mut Suspects) {
        let mut owners: BTreeMap<AgentId, Address> = BTreeMap::new();
        for log in logs {
            let Ok(RegistryEvent::Transfer { from, to, agent }) = log.event else { continue };
            if !self.is_ours(TimelineRef::Owner(agent)) {
                continue;
            }
            check.look(1);
            let before = owners.insert(agent, to).unwrap_or_else(|| self.owner(agent));
            if before != from {
                let block = log.log.block.number;
                check.offend(format!(
                    "agent {agent} moves from {from} at block {block}, but {before} owned it"
                ));
                suspects.agent(agent);
            }
        }
    }

    fn owner(&self, agent: AgentId) -> Address {
        let open = self.timelines.get(&TimelineRef::Owner(agent)).and_then(|t| t.open.as_ref());
        open.and_then(|span| span.value.account()).unwrap_or_default()
    }

    fn fold(&mut self, mut facts: Vec<Fact>) {
        facts.retain(|fact| self.is_ours(fact.timeline));
        for fact in &mut facts {
            fact.value = condensed(&fact.value);
        }
        let touched = Fold::touches(&facts);
        let open = touched.iter().filter_map(|t| self.timelines.get(t)?.open.clone());
        let mut fold = Fold::new(open);
        for fact in &facts {
            fold.apply(fact);
        }
        let Changes { closings, begun } = fold.finish();
        for closing in closings {
            let timeline = self.timelines.entry(closing.timeline).or_default();
            if let Some(mut span) = timeline.open.take() {
                span.span.to = Some(closing.to);
                span.ended_by = Some(closing.ended_by);
                timeline.sum = timeline.sum.wrapping_add(digest(&span));
            }
        }
        for span in begun {
            let timeline = self.timelines.entry(span.timeline).or_default();
            if span.span.to.is_some() {
                timeline.sum = timeline.sum.wrapping_add(digest(&span));
            } else {
                timeline.open = Some(span);
            }
        }
    }

    /// Takes the stored spans off what was folded: of a timeline that is right nothing is left.
    async fn compare(
        mut self,
        tx: &mut Tx,
        check: &mut Checked,
        suspects: &mut Suspects,
    ) -> Result<(), StorageError> {
        for timeline in self.timelines.values_mut() {
            if let Some(span) = timeline.open.take() {
                timeline.sum = timeline.sum.wrapping_add(digest(&span));
            }
        }
        let mut place = SpanPlace::default();
        loop {
            let (page, next) = tx.spans_after(place, SPANS_PER_PAGE).await?;
            if page.is_empty() {
                break;
            }
            place = next;
            for span in page {
                match span {
                    Ok(mut span) if self.is_ours(span.timeline) => {
                        span.value = condensed(&span.value);
                        let timeline = self.timelines.entry(span.timeline).or_default();
                        timeline.sum = timeline.sum.wrapping_sub(digest(&span));
                    }
                    Err(error) if self.share == 0 => {
                        check.offend(error.to_string());
                        suspects.spans = true;
                    }
                    Ok(_) | Err(_) => {}
                }
            }
        }
        check.look(self.timelines.len());
        for (timeline, rest) in &self.timelines {
            if !rest.sum.is_zero() {
                check.offend(named(*timeline));
                suspects.timeline(*timeline);
            }
        }
        Ok(())
    }
}

/// The same value, no longer than a hash where strangers decide how long it is.
fn condensed(value: &Value) -> Value {
    match value {
        Value::Absent => Value::Absent,
        Value::Account(account) => Value::Account(*account),
        Value::Uri(uri) => Value::Uri(keccak256(uri).into()),
        Value::Entry { key, value } => {
            Value::Entry { key: keccak256(key).into(), value: keccak256(value).into() }
        }
    }
}

/// A digest of all that a span of a known timeline says.
fn digest(span: &SpanRecord) -> U256 {
    let mut text = Vec::with_capacity(128);
    let mut place = |at: Position| {
        text.extend(at.block_number.to_be_bytes());
        text.extend(at.log_index.to_be_bytes());
    };
    place(span.span.from);
    span.span.to.map(&mut place);
    text.push(u8::from(span.span.to.is_some()));
    text.extend(span.cause.map_or("", SpanCause::as_str).bytes());
    text.push(0);
    text.extend(span.ended_by.map_or("", SpanEnd::as_str).bytes());
    text.push(0);
    match &span.value {
        Value::Absent => {}
        Value::Account(account) => text.extend(account),
        Value::Uri(uri) => text.extend(uri),
        Value::Entry { key, value } => {
            text.extend(key);
            text.extend(value);
        }
    }
    keccak256(text).into()
}

fn named(timeline: TimelineRef) -> String {
    match timeline {
        TimelineRef::Owner(agent) => format!("the owner of agent {agent}"),
        TimelineRef::Wallet(agent) => format!("the wallet of agent {agent}"),
        TimelineRef::Uri(agent) => format!("the URI of agent {agent}"),
        TimelineRef::Metadata(agent, key) => format!("metadata {key} of agent {agent}"),
        TimelineRef::Approved(agent) => format!("who is approved for agent {agent}"),
        TimelineRef::Operator(owner, operator) => format!("operator {operator} of owner {owner}"),
        TimelineRef::Implementation(kind) => format!("the code of the {} registry", kind.as_str()),
    }
}
