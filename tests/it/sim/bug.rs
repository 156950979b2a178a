//! Deliberate bugs, planted around the program and never in it, to show that the simulation's checks bite.

use std::ops::RangeInclusive;
use std::sync::Arc;
use std::task::{Context, Poll};

use alloy::primitives::{Address, B256, Bytes};
use alloy::rpc::json_rpc::{RequestPacket, ResponsePacket};
use alloy::transports::{TransportError, TransportFut};
use hallmark::app::AppError;
use hallmark::chain::{
    BlockTag, ChainError, ChainSource, ChainTags, Follower, LogFilter, RangeLogs, Resume, RpcSource,
};
use hallmark::storage::Tags;
use hallmark::vocab::{BlockRef, ChainId, Header, RawLog};

use super::node::Node;
use super::plan::Plan;
use super::run::{Run, binding, filter};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bug {
    /// Of every sixteen logs one never arrives.
    DropLog,
    /// Going back does not open again what ended after the ancestor.
    LeaveClosed,
    /// The cursor is committed before what it stands for.
    CursorEarly,
    /// What belongs together is asked one after the other, and believed as if one backend had answered it.
    InTurn,
}

impl Bug {
    /// A seed shortly before one that shows it.
    pub(super) const fn shows_from(self) -> u64 {
        match self {
            Self::DropLog | Self::LeaveClosed | Self::CursorEarly => 0,
            // A backend must lack a range's end just when its logs are asked for, and no number may tell: one in some hundred plans.
            Self::InTurn => 2_500,
        }
    }

    /// Whether a run of this plan may show it.
    pub(super) fn may_show(self, plan: &Plan) -> bool {
        let has_batches = plan.rpc.batch_max >= 4;
        match self {
            Self::DropLog | Self::LeaveClosed | Self::CursorEarly => true,
            // What is left out of recent blocks is found by their blooms.
            Self::InTurn => {
                plan.views > 1 && has_batches && plan.sync_percent < 90 && plan.options.recent <= 2
            }
        }
    }
}

/// Undoes the reopening of a span, on SQLite.
pub(super) const LEAVE_CLOSED: &str = "
    CREATE TRIGGER left_closed AFTER UPDATE ON span
    WHEN NEW.to_block IS NULL AND OLD.to_block IS NOT NULL
    BEGIN
        UPDATE span SET to_block = OLD.to_block, to_log = OLD.to_log, ended_by = OLD.ended_by
        WHERE kind = OLD.kind AND subject = OLD.subject AND name = OLD.name
          AND from_block = OLD.from_block AND from_log = OLD.from_log;
    END";

/// A wire that takes batches, and asks each call of one by itself.
#[derive(Clone, Debug)]
pub(super) struct InTurn(pub(super) Node);

impl tower::Service<RequestPacket> for InTurn {
    type Response = ResponsePacket;
    type Error = TransportError;
    type Future = TransportFut<'static>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, packet: RequestPacket) -> Self::Future {
        let node = self.0.clone();
        Box::pin(async move {
            let RequestPacket::Batch(calls) = packet else {
                return node.exchange(packet).await;
            };
            let mut answers = Vec::with_capacity(calls.len());
            for call in calls {
                match node.clone().exchange(RequestPacket::Single(call)).await? {
                    ResponsePacket::Single(answer) => answers.push(answer),
                    ResponsePacket::Batch(more) => answers.extend(more),
                }
            }
            Ok(ResponsePacket::Batch(answers))
        })
    }
}

/// A source that loses some logs, always the same.
pub(super) struct Dropping(pub(super) Arc<RpcSource>);

fn keep(logs: &mut Vec<RawLog>) {
    logs.retain(|log| log.tx_hash.0[0] >= 0x10);
}

impl ChainSource for Dropping {
    async fn chain_id(&self) -> Result<ChainId, ChainError> {
        self.0.chain_id().await
    }

    async fn tags(&self) -> Result<ChainTags, ChainError> {
        self.0.tags().await
    }

    async fn header(&self, tag: BlockTag) -> Result<Option<Header>, ChainError> {
        self.0.header(tag).await
    }

    async fn headers(&self, numbers: &[u64]) -> Result<Vec<Header>, ChainError> {
        self.0.headers(numbers).await
    }

    async fn logs_in(
        &self,
        filter: &LogFilter,
        range: RangeInclusive<u64>,
    ) -> Result<RangeLogs, ChainError> {
        let mut answer = self.0.logs_in(filter, range).await?;
        keep(&mut answer.logs);
        Ok(answer)
    }

    async fn logs_of(
        &self,
        filter: &LogFilter,
        block: BlockRef,
    ) -> Result<Vec<RawLog>, ChainError> {
        let mut logs = self.0.logs_of(filter, block).await?;
        keep(&mut logs);
        Ok(logs)
    }

    async fn call(&self, to: Address, input: Bytes, at: BlockRef) -> Result<Bytes, ChainError> {
        self.0.call(to, input, at).await
    }

    async fn code(&self, of: Address) -> Result<Bytes, ChainError> {
        self.0.code(of).await
    }

    async fn storage(&self, of: Address, slot: B256, at: BlockTag) -> Result<B256, ChainError> {
        self.0.storage(of, slot, at).await
    }

    fn bears_ranges(&self) -> bool {
        self.0.bears_ranges()
    }

    async fn wait_for_head(&self) {
        self.0.wait_for_head().await;
    }
}

/// A program of a few lines that follows as ours does, but moves the cursor in a transaction of its own, first.
pub(super) async fn cursor_early(run: &Run<'_>, source: Arc<RpcSource>) -> Result<(), AppError> {
    let ingest = run.ingest(run.database.clone());
    let (mut cursor, resume) = {
        let mut tx = run.database.begin_write().await.unwrap();
        tx.bind(&binding(&run.plan)).await.unwrap();
        tx.commit().await.unwrap();
        let mut tx = run.database.begin_read().await.unwrap();
        let tags = tx.tags().await.unwrap();
        let held = tx.blocks_above(0).await.unwrap().into_iter().filter_map(|block| {
            let header = Header {
                block: block.stamp.block,
                parent_hash: block.parent_hash?,
                time: block.stamp.time,
                logs_bloom: alloy::primitives::Bloom::ZERO,
            };
            Some(header)
        });
        let of = |stamp: Option<hallmark::vocab::BlockStamp>| stamp.map(|stamp| stamp.block);
        let (safe, finalized) = (of(tags.safe), of(tags.finalized));
        let cursor = of(tags.indexed);
        (cursor, Resume { cursor, held: held.collect(), safe, finalized })
    };
    let mut follower =
        Follower::new(Arc::clone(&source), filter(), run.plan.options.clone(), resume);
    loop {
        let step = match Box::pin(follower.next()).await {
            Ok(step) => step,
            Err(hallmark::chain::FollowError::Source(source)) => {
                return Err(AppError::Chain { during: "following".to_owned(), source });
            }
            Err(error) => return Err(AppError::Halted { reason: error.to_string() }),
        };
        if let (Some(stretch), None) = (&step.extend, step.revert_to) {
            let indexed = Some(stretch.through.stamp());
            let mut tx = run.database.begin_write().await.unwrap();
            tx.set_tags(&Tags { indexed, ..Tags::default() }).await.unwrap();
            tx.commit().await.unwrap();
            cursor = Some(stretch.through.block);
        }
        let applied = ingest.apply(source.as_ref(), &step, cursor).await?;
        cursor = applied.cursor;
        let progress = follower.progress();
        run.hear(&hallmark::app::Followed::Step { step: &step, applied, progress });
    }
}
