//! A range of logs from one node, in whichever way the node bears.
//!
//! Behind one URL there may be many backends, and one that does not have the range's end answers with the logs it has, or none, as if
//! that were all. So the logs come in one packet with the header of the last block, which such a backend does not have. A node that
//! bears four calls in a packet is asked once. One that bears two is asked three times, each time for the last block as well: where it
//! is the same block each time, the answers are of one chain. Of a node that bears no batches no range can be believed, however often it
//! is asked; its blocks are read one by one, each by its hash, and it cannot say that they are final.

use std::ops::RangeInclusive;

use futures_util::{StreamExt, TryStreamExt, stream};
use serde_json::{Value, json};

use super::batch::PAIR;
use super::client::{Beside, WireRange, by_number, tag_or_none};
use super::failure::Failure;
use super::rpc::RpcSource;
use super::source::{LogFilter, RangeLogs, TopicWords};
use super::window::follows;
use super::wire::{self, WireHeader, WireLog};
use crate::vocab::{Header, RawLog};

/// A range in one packet takes so many calls.
const RANGE_CALLS: usize = 4;
/// At most so many blocks are read one by one for one range.
const SINGLE_BLOCKS_MAX: u64 = 64;
/// So many single calls are on their way at once.
const SINGLES_AT_ONCE: usize = 4;

impl RpcSource {
    pub(super) async fn range(
        &self,
        filter: &LogFilter,
        words: &TopicWords,
        range: &RangeInclusive<u64>,
    ) -> Result<RangeLogs, Failure> {
        let answer = loop {
            let (calls, answer) = if self.batch.bears(RANGE_CALLS) {
                (RANGE_CALLS, self.client.ask_range(filter, words, range).await)
            } else if self.batch.bears(PAIR) {
                (PAIR, Box::pin(self.range_in_pairs(filter, words, range)).await)
            } else {
                return Box::pin(self.range_by_blocks(filter, words, range)).await;
            };
            match answer {
                Err(failure) if failure.batch_limit().is_some() => {
                    self.batch.refused(calls, failure.batch_limit().flatten());
                }
                answer => break answer?,
            }
        };
        self.batch.answered();
        read(answer, filter, words, range)
    }

    /// In three packets of two calls, each with the last block of the range.
    async fn range_in_pairs(
        &self,
        filter: &LogFilter,
        words: &TopicWords,
        range: &RangeInclusive<u64>,
    ) -> Result<WireRange, Failure> {
        let last = by_number(&wire::quantity(*range.end()));
        let first = by_number(&wire::quantity(*range.start()));
        let logs = self.client.ask_pair::<Vec<WireLog>>(
            &last,
            ("eth_getLogs", wire::range_params(filter, words, range)),
        );
        let start = self.header_beside(&last, first);
        let finalized = self.header_beside(&last, by_number(&json!("finalized")));
        let (logs, start, finalized) = futures_util::join!(logs, start, finalized);
        let ((end, logs), (start_end, start), (finalized_end, finalized)) =
            (logs?, start?, finalized?);
        // The logs first: a refusal of the range counts more than a missing header.
        let logs = logs.map_err(|error| Failure::of(&error))?;
        let start = start.map_err(|error| Failure::of(&error))?;
        let finalized = tag_or_none(finalized).map_err(|error| Failure::of(&error))?;
        let hash = |last: &Option<WireHeader>| last.as_ref().and_then(WireHeader::hash);
        if end.is_some() && [&start_end, &finalized_end].map(hash) != [hash(&end); 2] {
            return Err(Failure::untrue("backends differ about the last block".to_owned()));
        }
        Ok(WireRange { start, end, finalized, logs })
    }

    async fn header_beside(
        &self,
        last: &Value,
        params: Value,
    ) -> Result<Beside<Option<WireHeader>>, Failure> {
        self.client.ask_pair(last, ("eth_getBlockByNumber", params)).await
    }

    /// Block by block: linked headers, and the logs of each by its hash.
    async fn range_by_blocks(
        &self,
        filter: &LogFilter,
        words: &TopicWords,
        range: &RangeInclusive<u64>,
    ) -> Result<RangeLogs, Failure> {
        let numbers: Vec<u64> =
            range.clone().take(usize::try_from(SINGLE_BLOCKS_MAX).unwrap_or(usize::MAX)).collect();
        if numbers.last() != Some(range.end()) {
            return Err(Failure::too_wide(SINGLE_BLOCKS_MAX));
        }
        let headers = self.single_headers(&numbers).await?;
        let are_linked =
            headers.iter().zip(headers.iter().skip(1)).all(|(a, b)| follows(a.block, b));
        if !are_linked {
            return Err(Failure::untrue("the headers are not of one chain".to_owned()));
        }
        let asked: Vec<_> =
            headers.iter().map(|header| self.logs_by_hash(filter, header.block)).collect();
        let logs: Vec<Vec<RawLog>> =
            stream::iter(asked).buffered(SINGLES_AT_ONCE).try_collect().await?;
        let mut logs: Vec<RawLog> = logs.into_iter().flatten().collect();
        logs.retain(|log| words.are_in(log));
        match (headers.first(), headers.last()) {
            (Some(start), Some(end)) => {
                Ok(RangeLogs { logs, start: start.clone(), end: end.clone(), finalized: None })
            }
            _ => Err(Failure::fatal("a range without blocks".to_owned())),
        }
    }

    /// The headers of some blocks, each asked for by itself.
    pub(super) async fn single_headers(&self, numbers: &[u64]) -> Result<Vec<Header>, Failure> {
        let asked: Vec<_> = numbers.iter().map(|number| self.single_header(*number)).collect();
        stream::iter(asked).buffered(SINGLES_AT_ONCE).try_collect().await
    }

    async fn single_header(&self, number: u64) -> Result<Header, Failure> {
        let params = by_number(&wire::quantity(number));
        let answer: Option<WireHeader> = self.client.ask("eth_getBlockByNumber", params).await?;
        let answer = answer.ok_or_else(|| Failure::lag(number))?;
        wire::header_at(&answer, number).map_err(Failure::untrue)
    }
}

/// Holds what came against what was asked and against itself.
fn read(
    answer: WireRange,
    filter: &LogFilter,
    words: &TopicWords,
    range: &RangeInclusive<u64>,
) -> Result<RangeLogs, Failure> {
    let (from, to) = (*range.start(), *range.end());
    let WireRange { start, end, finalized, logs } = answer;
    let logs = wire::logs(logs, filter, range).map_err(Failure::untrue)?;
    if logs.iter().any(|log| !words.are_in(log)) {
        return Err(Failure::untrue("a log without the words asked for".to_owned()));
    }
    let end = end.ok_or_else(|| Failure::lag(to))?;
    let start = start.ok_or_else(|| Failure::lag(from))?;
    let end = wire::header_at(&end, to).map_err(Failure::untrue)?;
    let start = wire::header_at(&start, from).map_err(Failure::untrue)?;
    let finalized =
        finalized.map(|last| wire::header(&last)).transpose().map_err(Failure::untrue)?;
    for header in [Some(&start), Some(&end), finalized.as_ref()].into_iter().flatten() {
        let other = logs
            .iter()
            .find(|log| log.block.number == header.block.number && log.block != header.block);
        if let Some(log) = other {
            let reason = format!("a log of block {} beside header {}", log.block, header.block);
            return Err(Failure::untrue(reason));
        }
    }
    Ok(RangeLogs { logs, start, end, finalized })
}
