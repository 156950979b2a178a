//! What a reader asks who holds a part of the record in memory: has it changed, and how.
//!
//! Following moves the cursor, and a reorganisation leaves its row: both can be made up for by reading what changed above a block.
//! Whatever else rewrites the record counts up `rewriting`, and then all must be read again. Rows are read one after the other, since
//! there may be very many.

use futures_util::TryStreamExt;
use sqlx::FromRow;

use super::columns::{Cell, signed};
use super::engine::on_engine;
use super::timelines::{EvidencedRow, select_spans};
use super::{StorageError, Tx};
use crate::identity::EvidencedSpan;
use crate::vocab::{BlockRef, BlockStamp};

const REVISION: &str = "
    SELECT count AS rewrites, (SELECT COALESCE(MAX(seq), 0) FROM reorg) AS reorgs FROM rewriting";
const REWRITTEN: &str = "UPDATE rewriting SET count = count + 1";
const LOWEST_ANCESTOR: &str = "SELECT MIN(ancestor_number) FROM reorg WHERE seq > $1";
// Bounded on both sides, so that SQLite takes the index of blocks rather than reading all owners and wallets.
const HOLDER_SPANS_BEGUN: &str = select_spans!(
    "WHERE s.kind IN ('owner', 'wallet') AND s.from_block > $1 AND s.from_block <= $2"
);
const HOLDER_SPANS_ENDED: &str = select_spans!(
    "WHERE s.kind IN ('owner', 'wallet')
       AND s.to_block > $1 AND s.to_block <= $2 AND s.from_block <= $1"
);
const BLOCKS_NEWEST: &str = "
    SELECT number, hash, time FROM block
    WHERE number > $1 AND number < $2 ORDER BY number DESC LIMIT $3";

/// Spans that begin within so many events are asked for together: one question about all of them would look like one that hangs.
const EVENTS_AT_ONCE: u32 = 20_000;
/// So many blocks are asked for together.
const BLOCKS_AT_ONCE: u32 = 50_000;

/// How often the record was rewritten, by the two ways that are not going forward.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Revision {
    /// By rebuilds, repairs, and by being emptied.
    pub rewrites: u64,
    /// The number of the newest reorganisation.
    pub reorgs: u64,
}

#[derive(FromRow)]
struct RevisionRow {
    rewrites: i64,
    reorgs: i64,
}

#[derive(FromRow)]
struct StampRow {
    number: i64,
    hash: Vec<u8>,
    time: i64,
}

impl TryFrom<StampRow> for BlockStamp {
    type Error = StorageError;

    fn try_from(row: StampRow) -> Result<Self, StorageError> {
        let cell = |column| Cell { table: "block", column, row: &row.number };
        let number = cell("number").unsigned(row.number)?;
        let block = BlockRef { number, hash: cell("hash").hash(&row.hash)? };
        Ok(Self { block, time: cell("time").time(row.time)? })
    }
}

/// A block as what a page begins after: below all blocks where there is none.
fn after_block(block_number: Option<u64>) -> Result<i64, StorageError> {
    block_number.map_or(Ok(-1), |number| signed("block number", number))
}

impl Tx {
    /// How often the record was rewritten.
    pub async fn revision(&mut self) -> Result<Revision, StorageError> {
        let row: RevisionRow =
            on_engine!(self, conn => sqlx::query_as(REVISION).fetch_one(conn).await)?;
        let cell = |column| Cell { table: "rewriting", column, row: &"revision" };
        Ok(Revision {
            rewrites: cell("count").unsigned(row.rewrites)?,
            reorgs: cell("reorgs").unsigned(row.reorgs)?,
        })
    }

    /// Tells all who hold a part of the record in memory to read it again. Whatever changes rows that were committed before must say so,
    /// unless it goes back by [`Tx::revert_to`].
    pub async fn note_rewrite(&mut self) -> Result<(), StorageError> {
        on_engine!(self, conn => sqlx::query(REWRITTEN).execute(conn).await.map(drop))?;
        Ok(())
    }

    /// The lowest block that reorganisations after a number went back to; `None` where there were none.
    pub async fn lowest_ancestor_since(&mut self, reorg: u64) -> Result<Option<u64>, StorageError> {
        let seq = signed("reorganisation", reorg)?;
        let found: Option<i64> = on_engine!(self, conn => sqlx::query_scalar(LOWEST_ANCESTOR)
            .bind(seq).fetch_one(conn).await)?;
        let cell = Cell { table: "reorg", column: "ancestor_number", row: &seq };
        found.map(|number| cell.unsigned(number)).transpose()
    }

    /// Tells of every span of an owner's or a wallet's timeline that began or ended after the end of one block and up to the end of
    /// another, in no order, each once. After nothing: of every span.
    pub async fn holder_spans_changed(
        &mut self,
        after: Option<u64>,
        through: u64,
        mut tell: impl FnMut(&EvidencedSpan),
    ) -> Result<(), StorageError> {
        let mut begun_after = after;
        loop {
            // Where none is found there are few left.
            let last = self.event_block_after(begun_after, EVENTS_AT_ONCE).await?;
            let last = last.map_or(through, |last| last.min(through));
            self.holder_spans(HOLDER_SPANS_BEGUN, begun_after, last, &mut tell).await?;
            if last == through {
                break;
            }
            begun_after = Some(last);
        }
        if after.is_some() {
            self.holder_spans(HOLDER_SPANS_ENDED, after, through, &mut tell).await?;
        }
        Ok(())
    }

    async fn holder_spans(
        &mut self,
        statement: &'static str,
        after: Option<u64>,
        through: u64,
        tell: &mut impl FnMut(&EvidencedSpan),
    ) -> Result<(), StorageError> {
        let (after, through) = (after_block(after)?, signed("block number", through)?);
        on_engine!(self, conn => {
            let rows = sqlx::query_as::<_, EvidencedRow>(statement).bind(after).bind(through);
            let mut rows = rows.fetch(conn);
            while let Some(row) = rows.try_next().await? {
                tell(&row.try_into()?);
            }
        });
        Ok(())
    }

    /// The newest held blocks above a number, at most `limit`, ascending.
    pub async fn newest_blocks(
        &mut self,
        above: Option<u64>,
        limit: u32,
    ) -> Result<Vec<BlockStamp>, StorageError> {
        let above = after_block(above)?;
        let mut stamps: Vec<BlockStamp> = Vec::new();
        let (mut below, mut left) = (i64::MAX, limit);
        while left > 0 {
            let page = left.min(BLOCKS_AT_ONCE);
            let mut found = 0;
            on_engine!(self, conn => {
                let rows = sqlx::query_as::<_, StampRow>(BLOCKS_NEWEST);
                let mut rows = rows.bind(above).bind(below).bind(i64::from(page)).fetch(conn);
                while let Some(row) = rows.try_next().await? {
                    below = row.number;
                    found += 1;
                    stamps.push(row.try_into()?);
                }
            });
            left -= found;
            if found < page {
                break;
            }
        }
        stamps.reverse();
        Ok(stamps)
    }
}
