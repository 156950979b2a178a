//! Follows the chain into the database for as long as the program runs.
//!
//! `open` makes sure that node, registries and database belong together before anything is written. `run` then applies step after
//! step. Trouble that passes is waited out, and following starts again from what is stored; a chain that contradicts what was final
//! stops the writer for good, says so in the database, and leaves reading alone.

use std::sync::Arc;
use std::time::Duration;

use alloy::primitives::Bloom;

use super::completeness::Looked;
use super::error::During;
use super::ingest::{Applied, Ingest, fold_into, observed};
use super::second_look::SecondLook;
use super::{AppError, Clock, SystemClock};
use crate::chain::{
    BlockTag, ChainError, ChainSource, ChainStep, FollowError, Follower, FollowerOptions,
    LogFilter, Progress, Resume,
};
use crate::registry::calls;
use crate::storage::{Database, Halt, Observation, ObservedSubject, Registry, StorageError, Tags};
use crate::vocab::{BlockStamp, Header, RegistryKind};

/// How long to wait before following is taken up again after trouble that may pass.
const PAUSE: Duration = Duration::from_secs(5);

/// What happened, for whoever shows progress.
#[derive(Clone, Debug)]
pub enum Followed<'a> {
    /// A step was applied.
    Step {
        /// The step.
        step: &'a ChainStep,
        /// What it came to.
        applied: Applied,
        /// How far following is.
        progress: Progress,
    },
    /// Following waits because of trouble that may pass.
    Trouble {
        /// What went wrong.
        error: &'a AppError,
    },
}

/// Why following ended without an error.
enum Ended {
    /// It was told to.
    Stopped,
    /// What is stored was changed, and following starts again from it.
    MadeAnew,
}

/// One chain being followed into one database.
#[derive(Debug)]
pub struct Following<S> {
    pub(super) source: Arc<S>,
    pub(super) ingest: Ingest,
    options: FollowerOptions,
    pub(super) filter: LogFilter,
    /// Says when findings are noted.
    pub(super) clock: Arc<dyn Clock>,
}

impl<S: ChainSource + 'static> Following<S> {
    /// Checks that the node is of the configured chain, that the registries exist there, and that the database was made for them; binds
    /// a new database to them. Of `may_lack_code` it is known that they are not deployed on every chain.
    ///
    /// # Errors
    /// When they do not belong together, or the node or the database fails.
    pub async fn open(
        source: Arc<S>,
        ingest: Ingest,
        filter: LogFilter,
        options: FollowerOptions,
        may_lack_code: &[RegistryKind],
    ) -> Result<Self, AppError> {
        let expected = ingest.binding.chain;
        let found = source.chain_id().await.during(|| "cannot reach the node".to_owned())?;
        if found != expected {
            return Err(AppError::WrongChain { expected, found });
        }
        for registry in &ingest.binding.registries {
            let address = registry.at.address;
            let code = source.code(address).await.during(|| format!("cannot look at {address}"))?;
            if !code.is_empty() {
                continue;
            }
            if !may_lack_code.contains(&registry.kind) {
                return Err(AppError::NoCode { kind: registry.kind, address, chain: expected });
            }
            tracing::warn!(
                registry = registry.kind.as_str(),
                %address,
                "no code here yet; it is followed in case there ever is"
            );
        }
        let following = Self { source, ingest, options, filter, clock: Arc::new(SystemClock) };
        following.bind().await?;
        Ok(following)
    }

    /// Binds the database, and on its first use notes which code stood behind each proxy before the start block.
    async fn bind(&self) -> Result<(), AppError> {
        let during = || "cannot prepare the database".to_owned();
        let is_new = {
            let mut tx = self.ingest.database.begin_read().await.during(during)?;
            tx.binding().await.during(during)?.is_none()
        };
        let mut observations = Vec::new();
        if is_new {
            for registry in &self.ingest.binding.registries {
                observations.extend(self.code_before_start(registry).await?);
            }
        }
        let mut tx = self.ingest.database.begin_write().await.during(during)?;
        let was_new = tx.binding().await.during(during)?.is_none();
        tx.bind(&self.ingest.binding).await.during(during)?;
        if was_new {
            for observation in &observations {
                tx.insert_observation(observation).await.during(during)?;
            }
            let facts = observations.iter().filter_map(observed).collect();
            fold_into(&mut tx, facts).await.during(during)?;
        }
        tx.commit().await.during(during)
    }

    /// The code behind a proxy before the start block, where there was any. A start block at the deployment needs no such answer, and a
    /// node without old state has none: the registry then counts as unverified until its next upgrade.
    async fn code_before_start(
        &self,
        registry: &Registry,
    ) -> Result<Option<Observation>, AppError> {
        let Some(number) = self.options.start_block.checked_sub(1) else { return Ok(None) };
        let during = || format!("cannot read the code of {} at block {number}", registry.at);
        let header = self.source.header(BlockTag::Number(number)).await.during(during)?;
        // This is asked once and for all, so a backend that lags must not decide it.
        let reason = "the node does not have it yet";
        let absent = || ChainError::contradiction(format!("block {number}"), reason);
        let Header { block, .. } = header.ok_or_else(absent).during(during)?;
        let slot = calls::IMPLEMENTATION_SLOT;
        let word = self.source.storage(registry.at.address, slot, BlockTag::Hash(block.hash)).await;
        let word = match word {
            Err(error @ ChainError::Fatal { .. }) => {
                tracing::warn!(registry = registry.kind.as_str(), %error, "the code is not known");
                return Ok(None);
            }
            word => word.during(during)?,
        };
        let code = calls::address_in_word(word).filter(|code| !code.is_zero());
        let subject = ObservedSubject::Implementation(registry.kind);
        Ok(code.map(|code| Observation { block, subject, answer: Some(code) }))
    }

    /// Applies step after step until `stop` is ready; a step that has begun is finished first.
    ///
    /// # Errors
    /// When the chain contradicts what was final ([`AppError::Halted`]), when another follower writes to the database, or when
    /// something fails that will not pass.
    pub async fn run(
        &self,
        stop: impl Future<Output = ()>,
        mut tell: impl FnMut(Followed<'_>),
    ) -> Result<(), AppError> {
        let mut stop = std::pin::pin!(stop);
        let mut has_begun = false;
        let mut look = SecondLook::default();
        loop {
            // Boxed, or every future that waits for this one would hold the whole follower.
            let followed = Box::pin(self.follow(&mut stop, &mut tell, &mut has_begun, &mut look));
            let error = match followed.await {
                Ok(Ended::Stopped) => return Ok(()),
                Ok(Ended::MadeAnew) => continue,
                Err(error) => error,
            };
            // What fails before anything was applied is a matter of configuration; what fails later may pass.
            let may_pass = error.is_transient() || (has_begun && error.is_from_node());
            if !may_pass {
                return Err(error);
            }
            tell(Followed::Trouble { error: &error });
            tokio::select! {
                () = &mut stop => return Ok(()),
                () = tokio::time::sleep(PAUSE) => {}
            }
        }
    }

    /// Follows from what is stored until it is time to stop, or an error.
    async fn follow(
        &self,
        until: &mut (impl Future<Output = ()> + Unpin),
        tell: &mut impl FnMut(Followed<'_>),
        has_begun: &mut bool,
        look: &mut SecondLook,
    ) -> Result<Ended, AppError> {
        let during = || "cannot read where following stood".to_owned();
        let (resume, mut is_halted) = self.resume().await.during(during)?;
        let mut cursor = resume.cursor;
        let mut numbering = self.numbering().await.during(during)?;
        let mut follower = Follower::new(
            Arc::clone(&self.source),
            self.filter.clone(),
            self.options.clone(),
            resume,
        );
        loop {
            let next = tokio::select! {
                () = &mut *until => return Ok(Ended::Stopped),
                next = follower.next() => next,
            };
            let mut step = match next {
                Ok(step) => step,
                Err(error) => {
                    self.note_findings(Vec::new()).await?;
                    return Err(self.stopped(error).await);
                }
            };
            // The requests for what comes next go out before anything else is done, however fast the database is.
            tokio::task::yield_now().await;
            let Looked { findings, earlier } =
                self.complete(&mut step, &mut numbering, look).await?;
            if let Some(number) = earlier
                && look.make_anew(number)
                && self.make_anew(number).await?
            {
                return Ok(Ended::MadeAnew);
            }
            if is_halted {
                self.set_halt(None).await?;
                is_halted = false;
            }
            let applied = tokio::select! {
                biased;
                applied = self.ingest.apply(self.source.as_ref(), &step, cursor) => applied?,
                never = follower.fetch_ahead() => match never {},
            };
            cursor = applied.cursor;
            *has_begun = true;
            self.note_findings(findings).await?;
            count(&step, &applied);
            tell(Followed::Step { step: &step, applied, progress: follower.progress() });
            look.applied(&step);
            if let Some(number) = look.look(self.source.as_ref(), &self.filter, &step).await
                && look.make_anew(number)
                && self.make_anew(number).await?
            {
                return Ok(Ended::MadeAnew);
            }
        }
    }

    /// Where following stood, and whether the writer had stopped for good.
    async fn resume(&self) -> Result<(Resume, bool), StorageError> {
        let mut tx = self.ingest.database.begin_read().await?;
        let is_halted = tx.halt().await?.is_some();
        let tags: Tags = tx.tags().await?;
        let number = |stamp: BlockStamp| stamp.block.number;
        let lowest = match (tags.indexed.map(number), tags.finalized.map(number)) {
            // Nothing tells yet how far down the last block applied is final.
            (Some(indexed), Some(finalized)) if indexed < finalized => {
                let held_max = u64::try_from(self.options.held_max).unwrap_or(u64::MAX);
                indexed.saturating_sub(held_max)
            }
            (_, finalized) => finalized.map_or(0, |number| number.saturating_sub(1)),
        };
        let mut held = Vec::new();
        for block in tx.blocks_above(lowest).await? {
            let Some(parent_hash) = block.parent_hash else { continue };
            held.push(Header {
                block: block.stamp.block,
                parent_hash,
                time: block.stamp.time,
                // Not stored: it serves to doubt an answer when it comes, and these were believed.
                logs_bloom: Bloom::ZERO,
            });
        }
        let resume = Resume {
            cursor: tags.indexed.map(|stamp| stamp.block),
            held,
            safe: tags.safe.map(|stamp| stamp.block),
            finalized: tags.finalized.map(|stamp| stamp.block),
        };
        Ok((resume, is_halted))
    }

    async fn stopped(&self, error: FollowError) -> AppError {
        match error {
            FollowError::WrongChain { expected, found } => AppError::WrongChain { expected, found },
            FollowError::Source(source) => {
                AppError::Chain { during: "cannot follow the chain".to_owned(), source }
            }
            FollowError::FinalityViolated { .. } | FollowError::ReorgTooDeep { .. } => {
                let reason = error.to_string();
                match self.set_halt(Some(&Halt(reason.clone()))).await {
                    Ok(()) => AppError::Halted { reason },
                    Err(error) => error,
                }
            }
        }
    }

    async fn set_halt(&self, halt: Option<&Halt>) -> Result<(), AppError> {
        let during = || "cannot note why the writer stopped".to_owned();
        let mut tx = self.database().begin_write().await.during(during)?;
        tx.set_halt(halt).await.during(during)?;
        tx.commit().await.during(during)
    }

    pub(super) const fn database(&self) -> &Database {
        &self.ingest.database
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a gauge is a float; block numbers lie far below 2^53"
)]
fn count(step: &ChainStep, applied: &Applied) {
    metrics::counter!("hallmark_logs_applied_total").increment(applied.log_count as u64);
    metrics::counter!("hallmark_logs_undecoded_total").increment(applied.undecoded_count as u64);
    metrics::counter!("hallmark_observations_total").increment(applied.observation_count as u64);
    if applied.undone_count > 0 {
        metrics::counter!("hallmark_reorgs_total").increment(1);
        metrics::counter!("hallmark_blocks_undone_total").increment(applied.undone_count);
    }
    if let Some(cursor) = applied.cursor {
        metrics::gauge!("hallmark_indexed_block").set(cursor.number as f64);
    }
    metrics::gauge!("hallmark_head_block").set(step.tags.head.block.number as f64);
}
