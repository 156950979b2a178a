//! What following does about logs that are missing: steps are completed, the record is made anew from a block, and it is noted.
//!
//! The chain stays what it is here; only the record is corrected. How missing logs are noticed stands in `completeness` and in
//! `second_look`.

use super::completeness::{Density, Looked};
use super::error::During;
use super::second_look::SecondLook;
use super::{AppError, Following};
use crate::chain::{ChainSource, ChainStep};
use crate::identity::TimelineRef;
use crate::storage::{StorageError, Tags};
use crate::vocab::{Finding, FindingKind, RegistryKind};

impl<S: ChainSource + 'static> Following<S> {
    /// How agents are numbered, as far as is stored.
    pub(super) async fn density(&self) -> Result<Density, StorageError> {
        let mut tx = self.ingest.database.begin_read().await?;
        let identity = self.ingest.binding.registry(RegistryKind::Identity);
        let identity = identity.map(|registry| registry.at.address).unwrap_or_default();
        let mut highest = None;
        if let Some(agent) = tx.highest_agent().await? {
            let owners = tx.timeline(TimelineRef::Owner(agent), None, 1).await?;
            highest = owners.first().map(|first| (agent, first.record.span.from.block_number));
        }
        Ok(Density::after(identity, highest))
    }

    /// Looks whether agents are missing in a step, before it is applied.
    pub(super) async fn complete(
        &self,
        step: &mut ChainStep,
        density: &mut Density,
        look: &SecondLook,
    ) -> Looked {
        let blocks = step.extend.as_ref().map(|s| s.from..=s.through.block.number);
        let is_suspect = blocks.is_some_and(|blocks| look.is_suspect(blocks));
        density.complete(self.source.as_ref(), &self.filter, step, is_suspect).await
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
