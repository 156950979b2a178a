//! What following asks, passed to the nodes: each question to whoever is to be asked, ranges with the comparisons they call for.

use std::ops::RangeInclusive;

use alloy::primitives::{Address, B256, Bytes};

use super::health::Choice;
use super::{Blame, Providers};
use crate::chain::source::{BlockTag, CallOutcome, ChainSource, LogFilter, RangeLogs, TopicWords};
use crate::chain::{ChainError, ChainTags};
use crate::vocab::{BlockRef, ChainId, Finding, Header, RawLog};

impl<S: ChainSource> ChainSource for Providers<S> {
    async fn chain_id(&self) -> Result<ChainId, ChainError> {
        self.start().await
    }

    async fn tags(&self) -> Result<ChainTags, ChainError> {
        let (node, tags) = self.ask(Blame::All, S::tags).await?;
        self.saw_head(node, &tags.head);
        if let Some(last) = &tags.finalized {
            let mut watch = self.watch();
            watch.finalized = watch.finalized.max(Some(last.block.number));
        }
        Ok(tags)
    }

    async fn header(&self, tag: BlockTag) -> Result<Option<Header>, ChainError> {
        self.ask(Blame::All, |source| source.header(tag)).await.map(|(_, header)| header)
    }

    async fn headers(&self, numbers: &[u64]) -> Result<Vec<Header>, ChainError> {
        self.ask(Blame::All, |source| source.headers(numbers)).await.map(|(_, headers)| headers)
    }

    async fn logs_in(
        &self,
        filter: &LogFilter,
        range: RangeInclusive<u64>,
    ) -> Result<RangeLogs, ChainError> {
        self.checked_logs(filter, range).await
    }

    async fn logs_with(
        &self,
        filter: &LogFilter,
        words: &TopicWords,
        range: RangeInclusive<u64>,
    ) -> Result<RangeLogs, ChainError> {
        let asked = self.ask(Blame::All, |source| source.logs_with(filter, words, range.clone()));
        asked.await.map(|(_, answer)| answer)
    }

    async fn logs_again(
        &self,
        filter: &LogFilter,
        range: RangeInclusive<u64>,
    ) -> Result<RangeLogs, ChainError> {
        self.logs_of_all(filter, range).await
    }

    async fn logs_of(
        &self,
        filter: &LogFilter,
        block: BlockRef,
    ) -> Result<Vec<RawLog>, ChainError> {
        self.checked_block(filter, block).await
    }

    async fn call(&self, to: Address, input: Bytes, at: BlockRef) -> Result<Bytes, ChainError> {
        let asked = self.ask(Blame::Passing, |source| source.call(to, input.clone(), at));
        asked.await.map(|(_, answer)| answer)
    }

    async fn calls(
        &self,
        calls: &[(Address, Bytes)],
        at: BlockRef,
    ) -> Result<Vec<CallOutcome>, ChainError> {
        let asked = self.ask(Blame::Passing, |source| source.calls(calls, at));
        asked.await.map(|(_, outcomes)| outcomes)
    }

    async fn run(&self, code: Bytes, at: BlockRef) -> Result<Bytes, ChainError> {
        let asked = self.ask(Blame::Passing, |source| source.run(code.clone(), at));
        asked.await.map(|(_, answer)| answer)
    }

    async fn code(&self, of: Address) -> Result<Bytes, ChainError> {
        self.ask(Blame::All, |source| source.code(of)).await.map(|(_, code)| code)
    }

    async fn storage(&self, of: Address, slot: B256, at: BlockTag) -> Result<B256, ChainError> {
        let asked = self.ask(Blame::Passing, |source| source.storage(of, slot, at));
        asked.await.map(|(_, word)| word)
    }

    /// What holds for the node that would be asked now.
    fn bears_ranges(&self) -> bool {
        let Choice::Ask(chosen) = self.choice() else { return true };
        let first = chosen.first().and_then(|index| self.nodes.get(*index));
        first.is_none_or(|node| node.provider.source.bears_ranges())
    }

    async fn wait_for_head(&self) {
        self.wait_and_look().await;
    }

    fn take_findings(&self) -> Vec<Finding> {
        std::mem::take(&mut self.watch().findings).into()
    }
}
