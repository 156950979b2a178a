//! What following does about logs that are missing: steps are completed, the record is made anew from a block, and it is noted.
//!
//! The chain stays what it is here; only the record is corrected. How missing logs are noticed stands in `completeness` and in
//! `second_look`.

use std::collections::BTreeSet;

use alloy::primitives::U256;

use super::completeness::{Given, LOOKED_AT, Looked, Numbering, Pair};
use super::error::During;
use super::second_look::SecondLook;
use super::{AppError, Following};
use crate::chain::{ChainSource, ChainStep};
use crate::identity::{SpanCause, TimelineRef};
use crate::registry::feedback_number;
use crate::storage::{StorageError, Tags};
use crate::vocab::{AgentId, Finding, FindingKind};

impl<S: ChainSource + 'static> Following<S> {
    /// How agents and feedback are numbered, as far as is stored.
    pub(super) async fn numbering(&self) -> Result<Numbering, StorageError> {
        let mut tx = self.ingest.database.begin_read().await?;
        let mut highest = None;
        if let Some(agent) = tx.highest_agent().await? {
            let owners = tx.timeline(TimelineRef::Owner(agent), None, 1).await?;
            highest = owners.first().map(|first| (agent, first.record.span.from.block_number));
        }
        let first = TimelineRef::Owner(AgentId(U256::ZERO));
        let first = tx.timeline(first, None, 1).await?;
        let has_first =
            first.first().is_some_and(|first| first.record.cause == Some(SpanCause::Registered));
        Ok(Numbering::after(&self.ingest.binding, highest, has_first))
    }

    /// Looks whether anything is missing in a step, before it is applied.
    pub(super) async fn complete(
        &self,
        step: &mut ChainStep,
        numbering: &mut Numbering,
        look: &SecondLook,
    ) -> Result<Looked, AppError> {
        let blocks = step.extend.as_ref().map(|s| s.from..=s.through.block.number);
        let is_suspect = blocks.is_some_and(|blocks| look.is_suspect(blocks));
        let unknown = numbering.unknown_in(step);
        numbering.revert(step);
        let during = || "cannot read earlier feedback".to_owned();
        self.learn(step, numbering, unknown).await.during(during)?;
        Ok(numbering.complete(self.source.as_ref(), &self.filter, step, is_suspect).await)
    }

    /// Reads the last feedback of some clients below a step. Of a client that is not among the newest of an agent with many nothing is
    /// learned.
    async fn learn(
        &self,
        step: &ChainStep,
        numbering: &mut Numbering,
        unknown: BTreeSet<Pair>,
    ) -> Result<(), StorageError> {
        let before = step.extend.as_ref().and_then(|stretch| stretch.from.checked_sub(1));
        let (Some(before), Some(&(mut agent, _))) = (before, unknown.first()) else {
            return Ok(());
        };
        let mut tx = self.database().begin_read().await?;
        let mut newest = tx.newest_feedback(agent, before, LOOKED_AT).await?;
        for pair in unknown {
            if pair.0 != agent {
                agent = pair.0;
                newest = tx.newest_feedback(agent, before, LOOKED_AT).await?;
            }
            let of_pair = newest.iter().find_map(|event| {
                let number = feedback_number(&event.log)?;
                let given = Given { index: number.index?, block: event.log.block.number };
                ((number.agent, number.client) == pair).then_some(given)
            });
            let is_all = newest.len() < usize::try_from(LOOKED_AT).unwrap_or(usize::MAX);
            let none = is_all.then_some(Given { index: 0, block: 0 });
            if let Some(given) = of_pair.or(none) {
                numbering.learn(pair, given);
            }
        }
        Ok(())
    }

    /// Forgets what was recorded from a block on, since a log of it is missing; the chain itself has not changed. Whether there was a
    /// block below to go on from.
    pub(super) async fn make_anew(&self, number: u64) -> Result<bool, AppError> {
        let during = || format!("cannot make the record anew from block {number}");
        let mut tx = self.database().begin_write().await.during(during)?;
        let Some(before) = tx.block_before(number).await.during(during)? else {
            return Ok(false);
        };
        let below = before.stamp;
        tx.forget_after(below.block.number).await.during(during)?;
        tx.set_tags(&Tags { indexed: Some(below), ..Tags::default() }).await.during(during)?;
        let detail = format!(
            "logs of this block were missing in the record, which was made anew after block {}",
            below.block
        );
        let finding = Finding::new(FindingKind::LogsLeftOut, &detail).of_blocks(number, number);
        tx.insert_finding(&finding, self.clock.now()).await.during(during)?;
        tx.commit().await.during(during)?;
        tracing::warn!(
            block.number = number,
            "logs were missing; the record is made anew from there"
        );
        Ok(true)
    }

    /// Notes what was found, here and by the source.
    pub(super) async fn note_findings(&self, here: Vec<Finding>) -> Result<(), AppError> {
        let findings = [self.source.take_findings(), here].concat();
        if findings.is_empty() {
            return Ok(());
        }
        let during = || "cannot note what was found out about the nodes".to_owned();
        let mut tx = self.database().begin_write().await.during(during)?;
        for finding in &findings {
            tx.insert_finding(finding, self.clock.now()).await.during(during)?;
        }
        tx.commit().await.during(during)
    }
}
