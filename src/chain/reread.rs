//! Reading finalized history a second time: ranges of logs, and whole blocks by their hash.
//!
//! For checking and mending what was recorded. Ranges are asked for in sizes that the node bears; what may pass
//! is waited out, up to as many attempts in a row as the options say. Nothing here knows what was recorded.

use std::collections::BTreeMap;

use super::ChainError;
use super::fetch::{self, Recheck};
use super::following::FollowerOptions;
use super::range::{RangeSize, Shrunk};
use super::retry::{BackoffOptions, Jitter};
use super::source::{BlockTag, ChainSource, LogFilter, RangeLogs, TopicWords};
use crate::vocab::{Header, RawLog};

/// Asks one source for what is final, patiently.
#[derive(Debug)]
pub struct Reread<'a, S> {
    source: &'a S,
    sizes: RangeSize,
    backoff: BackoffOptions,
    recheck: Recheck,
    jitter: Jitter,
}

impl<'a, S: ChainSource> Reread<'a, S> {
    /// Nothing is asked yet.
    #[must_use]
    pub fn new(source: &'a S, options: &FollowerOptions) -> Self {
        Self {
            source,
            sizes: RangeSize::new(options.range_max, options.range_logs),
            backoff: options.backoff,
            recheck: Recheck { attempts: options.rechecks, delay: options.recheck_delay },
            jitter: Jitter::new(options.seed),
        }
    }

    /// Another one, which knows the sizes that this one has learned and learns by itself.
    #[must_use]
    pub fn another(&self) -> Self {
        Self { sizes: self.sizes.clone(), jitter: self.jitter.clone(), ..*self }
    }

    /// The logs with these words of the blocks from `from` on, up to `to` at most: the answer's `end` says how far it goes.
    ///
    /// # Errors
    /// When even one block is too much for the node, or it does not answer after all attempts.
    pub async fn logs_from(
        &mut self,
        filter: &LogFilter,
        words: &TopicWords,
        from: u64,
        to: u64,
    ) -> Result<RangeLogs, ChainError> {
        let mut failures = 0;
        loop {
            let last = from.saturating_add(self.sizes.get() - 1).min(to);
            let length = last.saturating_sub(from) + 1;
            // Without words it is a question that is also asked in following, and doubted as there.
            let answer = if words.is_empty() {
                self.source.logs_in(filter, from..=last).await
            } else {
                self.source.logs_with(filter, words, from..=last).await
            };
            let error = match answer {
                Ok(answer) if is_behind(&answer) => behind(from, last),
                Ok(answer) => {
                    let logs = u64::try_from(answer.logs.len()).unwrap_or(u64::MAX);
                    self.sizes.succeeded(length, logs);
                    return Ok(answer);
                }
                Err(error) => error,
            };
            match &error {
                ChainError::RangeTooLarge { limit, .. } => {
                    if self.sizes.refused(length, *limit) == Shrunk::Smaller {
                        continue;
                    }
                }
                ChainError::TimedOut { .. } => self.sizes.timed_out(length),
                ChainError::Transient { .. } | ChainError::Fatal { .. } => {}
            }
            self.pause(&mut failures, error).await?;
        }
    }

    /// The canonical block of a number, with all its logs of the filter; `None` where the node has no such block.
    ///
    /// The logs are asked for twice, by the block's hash and by its number: a record may be changed on the word of this answer.
    ///
    /// # Errors
    /// When the node does not answer after all attempts, or answers differently each time.
    pub async fn block(
        &mut self,
        filter: &LogFilter,
        number: u64,
    ) -> Result<Option<(Header, Vec<RawLog>)>, ChainError> {
        let mut failures = 0;
        loop {
            match self.try_block(filter, number).await {
                Ok(found) => return Ok(found),
                Err(error) => self.pause(&mut failures, error).await?,
            }
        }
    }

    async fn try_block(
        &self,
        filter: &LogFilter,
        number: u64,
    ) -> Result<Option<(Header, Vec<RawLog>)>, ChainError> {
        let Some(header) = self.source.header(BlockTag::Number(number)).await? else {
            return Ok(None);
        };
        let logs = fetch::logs_of(self.source, filter, &header, self.recheck).await?;
        let known = BTreeMap::from([(number, header.clone())]);
        fetch::check_logs(&known, &logs)
            .map_err(|reason| ChainError::contradiction(format!("block {number}"), reason))?;
        let again = self.source.logs_in(filter, number..=number).await?;
        if is_behind(&again) {
            return Err(behind(number, number));
        }
        let is_same = |(a, b): (&RawLog, &RawLog)| {
            (a.position(), a.block, a.address, a.tx_hash)
                == (b.position(), b.block, b.address, b.tx_hash)
                && a.topics == b.topics
                && a.data == b.data
        };
        if again.end.block != header.block
            || again.logs.len() != logs.len()
            || !again.logs.iter().zip(&logs).all(is_same)
        {
            let reason = "its logs by hash are others than by number";
            return Err(ChainError::contradiction(format!("block {}", header.block), reason));
        }
        Ok(Some((header, logs)))
    }

    /// Asks something until it is answered.
    ///
    /// # Errors
    /// When it cannot be answered, or is not after all attempts.
    pub async fn patiently<T>(
        &mut self,
        mut ask: impl AsyncFnMut(&'a S) -> Result<T, ChainError>,
    ) -> Result<T, ChainError> {
        let mut failures = 0;
        loop {
            match ask(self.source).await {
                Ok(answer) => return Ok(answer),
                Err(error) => self.pause(&mut failures, error).await?,
            }
        }
    }

    /// Waits before the next attempt; the error comes back where there is none.
    async fn pause(&mut self, failures: &mut u32, error: ChainError) -> Result<(), ChainError> {
        *failures += 1;
        let delay = self.backoff.delay(*failures, error.retry_after(), self.jitter.draw());
        let Some(delay) = delay.filter(|_| error.is_transient()) else { return Err(error) };
        tracing::debug!(%error, failures, "asked again");
        tokio::time::sleep(delay).await;
        Ok(())
    }
}

/// Whether a backend knows what is final, and its own answer is not: it may be of a branch that was abandoned.
fn is_behind(answer: &RangeLogs) -> bool {
    let last = answer.finalized.as_ref();
    last.is_some() && !fetch::calls_final(last, answer.end.block)
}

fn behind(from: u64, to: u64) -> ChainError {
    ChainError::contradiction(
        format!("blocks {from} to {to}"),
        "they are not final for this backend",
    )
}
