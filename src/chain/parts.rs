//! A range of logs asked for in parts, which must be of one chain.
//!
//! Steps are put together from many ranges, and each node has a limit of its own, so what one answered whole another is asked for in
//! pieces. A range that would take too many is refused before it is begun.

use std::ops::RangeInclusive;

use super::ChainError;
use super::source::RangeLogs;

/// The logs of a range, asked for in parts of at most `size` blocks, and in smaller ones where those are refused; in at most so many.
///
/// # Errors
/// When it would take more parts, they are not of one chain, or one of them fails.
pub(super) async fn in_parts<F>(
    range: RangeInclusive<u64>,
    size: u64,
    parts_max: u64,
    ask: impl Fn(RangeInclusive<u64>) -> F + Send + Sync,
) -> Result<RangeLogs, ChainError>
where
    F: Future<Output = Result<RangeLogs, ChainError>> + Send,
{
    let (from, to) = (*range.start(), *range.end());
    let asked = || format!("blocks {from} to {to}");
    let mut size = size.max(1);
    let mut next = from;
    let mut whole: Option<RangeLogs> = None;
    for _ in 0..parts_max {
        let end = next.saturating_add(size - 1).min(to);
        let part = match ask(next..=end).await {
            Err(ChainError::RangeTooLarge { limit, .. }) if size > 1 => {
                size = limit.filter(|limit| (1..size).contains(limit)).unwrap_or(size / 2);
                if to.saturating_sub(next) / size >= parts_max {
                    break;
                }
                continue;
            }
            part => part?,
        };
        let joined = match whole.take() {
            None => part,
            Some(mut before) => {
                if before.end.block.hash != part.start.parent_hash {
                    let reason = "the parts are not of one chain";
                    return Err(ChainError::contradiction(asked(), reason));
                }
                before.logs.extend(part.logs);
                RangeLogs { logs: before.logs, start: before.start, ..part }
            }
        };
        if end == to {
            return Ok(joined);
        }
        whole = Some(joined);
        next = end.saturating_add(1);
    }
    let reason = format!("they would take more than {parts_max} requests");
    Err(ChainError::contradiction(asked(), reason))
}

#[cfg(test)]
mod tests {
    use std::future::ready;
    use std::sync::Mutex;

    use alloy::primitives::{Address, B256, Bloom, Bytes};

    use super::*;
    use crate::vocab::{BlockRef, Header, RawLog, UnixSeconds};

    fn header(number: u64) -> Header {
        let hash = |number: u64| B256::left_padding_from(&number.to_be_bytes());
        let block = BlockRef { number, hash: hash(number) };
        let time = UnixSeconds::new(number).unwrap();
        Header { block, parent_hash: hash(number.wrapping_sub(1)), time, logs_bloom: Bloom::ZERO }
    }

    /// A node that answers at most so many blocks, each with a log, and may name the limit.
    fn ask(range: RangeInclusive<u64>, limit: u64, named: bool) -> Result<RangeLogs, ChainError> {
        if range.end() - range.start() >= limit {
            return Err(ChainError::RangeTooLarge {
                endpoint: String::new(),
                asked: String::new(),
                reason: String::new(),
                limit: named.then_some(limit),
            });
        }
        let log = |number: u64| RawLog {
            address: Address::ZERO,
            topics: Vec::new(),
            data: Bytes::new(),
            block: header(number).block,
            block_time: None,
            tx_hash: B256::ZERO,
            log_index: 0,
        };
        let (start, end) = (header(*range.start()), header(*range.end()));
        Ok(RangeLogs { logs: range.map(log).collect(), start, end, finalized: None })
    }

    #[tokio::test]
    async fn a_range_above_the_limit_comes_whole_in_the_sizes_that_are_borne() {
        for (limit, named) in [(1, false), (3, true), (7, false), (10, true), (1_000, false)] {
            let asked = Mutex::new(0);
            let whole = in_parts(1..=100, 50, 200, |range| {
                *asked.lock().unwrap() += 1;
                ready(ask(range, limit, named))
            });
            let whole = whole.await.unwrap();
            assert!(whole.logs.iter().map(|log| log.block.number).eq(1..=100), "{limit}");
            assert_eq!((whole.start, whole.end), (header(1), header(100)));
            assert!(*asked.lock().unwrap() <= 100 + 6, "{limit}");
        }
    }

    #[tokio::test]
    async fn what_would_take_too_many_is_not_begun() {
        let asked = Mutex::new(0);
        let refused = in_parts(1..=10_000, 10_000, 32, |range| {
            *asked.lock().unwrap() += 1;
            ready(ask(range, 10, true))
        });
        let error = refused.await.unwrap_err();
        assert!(error.to_string().contains("more than 32 requests"), "{error}");
        assert_eq!(*asked.lock().unwrap(), 1);
    }

    #[tokio::test]
    async fn parts_of_two_chains_are_none() {
        let forked = in_parts(1..=20, 10, 32, |range| {
            let fork = |part| RangeLogs {
                start: Header { parent_hash: B256::ZERO, ..header(11) },
                ..part
            };
            ready(ask(range, 10, false).map(fork))
        });
        assert!(forked.await.unwrap_err().is_transient());
    }
}
