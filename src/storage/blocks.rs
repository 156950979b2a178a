//! The blocks that are held, and going back to one of them.

use alloy::primitives::B256;
use sqlx::FromRow;

use super::bulk::{Bound, Bulk, MANY};
use super::columns::{Cell, signed};
use super::engine::on_engine;
use super::{StorageError, Tx};
use crate::vocab::{BlockRef, BlockStamp, UnixSeconds};

const BLOCK_INSERT: &str = "
    INSERT INTO block (number, hash, parent_hash, time) VALUES ($1, $2, $3, $4)
    ON CONFLICT (number) DO UPDATE SET parent_hash = COALESCE(block.parent_hash, excluded.parent_hash)
    WHERE block.hash = excluded.hash AND block.time = excluded.time";
static BLOCKS_INSERT: Bulk = Bulk::new(BLOCK_INSERT);
const BLOCK_APPEND: &str = "
    INSERT INTO block (number, hash, parent_hash, time) VALUES ($1, $2, $3, $4)";
static BLOCKS_APPEND: Bulk = Bulk::new(BLOCK_APPEND);
const HIGHEST_BLOCK: &str = "SELECT MAX(number) FROM block";
const BLOCK_AT: &str = "SELECT number, hash, parent_hash, time FROM block WHERE number = $1";
const BLOCK_BEFORE: &str = "
    SELECT number, hash, parent_hash, time FROM block WHERE number < $1 ORDER BY number DESC LIMIT 1";
const BLOCK_AT_OR_BELOW: &str = "
    SELECT number, hash, parent_hash, time FROM block
    WHERE number <= $1 ORDER BY number DESC LIMIT 1";
const BLOCK_AT_OR_ABOVE: &str = "
    SELECT number, hash, parent_hash, time FROM block
    WHERE number >= $1 ORDER BY number LIMIT 1";
const BLOCKS_ABOVE: &str = "
    SELECT number, hash, parent_hash, time FROM block WHERE number > $1 ORDER BY number";

const REVERT: [&str; 5] = [
    "DELETE FROM span WHERE from_block > $1",
    "UPDATE span SET to_block = NULL, to_log = NULL, ended_by = NULL WHERE to_block > $1",
    "DELETE FROM observation WHERE block > $1",
    "DELETE FROM registry_event WHERE block > $1",
    "DELETE FROM block WHERE number > $1",
];

/// A block that is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeldBlock {
    /// Which, and when it was made.
    pub stamp: BlockStamp,
    /// The hash of the block before it, where its header was read.
    pub parent_hash: Option<B256>,
}

#[derive(FromRow)]
struct BlockRow {
    number: i64,
    hash: Vec<u8>,
    parent_hash: Option<Vec<u8>>,
    time: i64,
}

impl TryFrom<BlockRow> for HeldBlock {
    type Error = StorageError;

    fn try_from(row: BlockRow) -> Result<Self, StorageError> {
        let cell = |column| Cell { table: "block", column, row: &row.number };
        Ok(Self {
            stamp: BlockStamp {
                block: BlockRef {
                    number: cell("number").unsigned(row.number)?,
                    hash: cell("hash").hash(&row.hash)?,
                },
                time: cell("time").time(row.time)?,
            },
            parent_hash: row
                .parent_hash
                .as_deref()
                .map(|hash| cell("parent_hash").hash(hash))
                .transpose()?,
        })
    }
}

fn block_columns<'a>((block, number, time): &(&'a HeldBlock, i64, i64)) -> [Bound<'a>; 4] {
    [
        Bound::number(*number),
        Bound::bytes(block.stamp.block.hash.as_slice()),
        Bound::Bytes(block.parent_hash.as_ref().map(|hash| hash.as_slice().into())),
        Bound::number(*time),
    ]
}

impl Tx {
    /// Holds blocks, each of another number. Holding them again is harmless.
    ///
    /// # Errors
    /// [`StorageError::Inconsistent`] where another block of the same number is held.
    pub async fn insert_blocks(&mut self, blocks: &[HeldBlock]) -> Result<(), StorageError> {
        let mut rows = Vec::with_capacity(blocks.len());
        for block in blocks {
            let number = signed("block number", block.stamp.block.number)?;
            rows.push((block, number, signed("block time", block.stamp.time.get())?));
        }
        let highest: Option<i64> = on_engine!(self, conn => sqlx::query_scalar(HIGHEST_BLOCK)
            .fetch_one(conn).await)?;
        // Above all that are held there is nothing to compare with.
        let (above, among): (Vec<_>, Vec<_>) =
            rows.into_iter().partition(|(_, number, _)| highest.is_none_or(|top| *number > top));
        for part in among.chunks(MANY) {
            let columns = part.iter().map(block_columns);
            if BLOCKS_INSERT.write(self, columns).await? != part.len() as u64 {
                return Err(self.block_that_differs(part.iter().map(|(block, ..)| *block)).await?);
            }
        }
        BLOCKS_APPEND.write(self, above.iter().map(block_columns)).await.map(drop)
    }

    /// Which of some blocks is held otherwise.
    async fn block_that_differs(
        &mut self,
        blocks: impl Iterator<Item = &HeldBlock>,
    ) -> Result<StorageError, StorageError> {
        for block in blocks {
            let number = block.stamp.block.number;
            if self.block_at(number).await?.is_none_or(|held| held.stamp != block.stamp) {
                return Ok(StorageError::inconsistent("block", "hash", block.stamp.block));
            }
        }
        Ok(StorageError::inconsistent("block", "hash", "of several"))
    }

    /// The block of a number, where it is held.
    pub async fn block_at(&mut self, number: u64) -> Result<Option<HeldBlock>, StorageError> {
        let Ok(number) = i64::try_from(number) else { return Ok(None) };
        let row: Option<BlockRow> = on_engine!(self, conn => sqlx::query_as(BLOCK_AT)
            .bind(number).fetch_optional(conn).await)?;
        row.map(HeldBlock::try_from).transpose()
    }

    /// The last block held below a number.
    pub async fn block_before(&mut self, number: u64) -> Result<Option<HeldBlock>, StorageError> {
        let number = i64::try_from(number).unwrap_or(i64::MAX);
        let row: Option<BlockRow> = on_engine!(self, conn => sqlx::query_as(BLOCK_BEFORE)
            .bind(number).fetch_optional(conn).await)?;
        row.map(HeldBlock::try_from).transpose()
    }

    /// The last held block whose time is not later than `time`.
    ///
    /// Times rise with numbers, so it is found by halving the numbers: some twenty rows are read by their key, and no index of times
    /// has to be kept for hundreds of thousands of blocks that nobody asks for.
    pub async fn block_not_after(
        &mut self,
        time: UnixSeconds,
    ) -> Result<Option<HeldBlock>, StorageError> {
        let top = self.nearest_block(BLOCK_AT_OR_BELOW, i64::MAX).await?;
        let Some((bottom, top)) = self.nearest_block(BLOCK_AT_OR_ABOVE, 0).await?.zip(top) else {
            return Ok(None);
        };
        if top.stamp.time <= time {
            return Ok(Some(top));
        }
        if bottom.stamp.time > time {
            return Ok(None);
        }
        let number = |held: &HeldBlock| signed("block number", held.stamp.block.number);
        // The answer is `found` or lies above it and below `above`, which is later.
        let (mut found, mut above) = (bottom, number(&top)?);
        while above - number(&found)? > 1 {
            let low = number(&found)?;
            let middle = low + (above - low) / 2;
            match self.nearest_block(BLOCK_AT_OR_BELOW, middle).await? {
                Some(held) if held.stamp.time > time => above = number(&held)?,
                Some(held) if number(&held)? > low => found = held,
                // None is held between the two: look above the middle.
                _ => match self.nearest_block(BLOCK_AT_OR_ABOVE, middle).await? {
                    Some(held) if held.stamp.time <= time => found = held,
                    _ => return Ok(Some(found)),
                },
            }
        }
        Ok(Some(found))
    }

    async fn nearest_block(
        &mut self,
        statement: &'static str,
        number: i64,
    ) -> Result<Option<HeldBlock>, StorageError> {
        let row: Option<BlockRow> = on_engine!(self, conn => sqlx::query_as(statement)
            .bind(number).fetch_optional(conn).await)?;
        row.map(HeldBlock::try_from).transpose()
    }

    /// All held blocks above a number, ascending.
    pub async fn blocks_above(&mut self, number: u64) -> Result<Vec<HeldBlock>, StorageError> {
        let number = signed("block number", number)?;
        let rows: Vec<BlockRow> = on_engine!(self, conn => sqlx::query_as(BLOCKS_ABOVE)
            .bind(number).fetch_all(conn).await)?;
        rows.into_iter().map(HeldBlock::try_from).collect()
    }

    /// Goes back to the end of `ancestor`: what began after it is forgotten, what ended after it is open again.
    ///
    /// `orphaned` is the cursor before. The cursor itself is moved by [`Tx::set_tags`], in the same transaction.
    pub async fn revert_to(
        &mut self,
        ancestor: BlockRef,
        orphaned: BlockRef,
    ) -> Result<(), StorageError> {
        self.forget(ancestor.number).await?;
        self.insert_reorg(ancestor, orphaned).await
    }

    /// The same where the chain stayed what it is and only the record is to be made anew: no reorganisation is remembered, a rewriting is.
    pub async fn forget_after(&mut self, number: u64) -> Result<(), StorageError> {
        self.forget(number).await?;
        self.note_rewrite().await
    }

    async fn forget(&mut self, number: u64) -> Result<(), StorageError> {
        let number = signed("block number", number)?;
        self.reopen_parties(number).await?;
        for statement in REVERT {
            on_engine!(self, conn => sqlx::query(statement).bind(number).execute(conn).await.map(drop))?;
        }
        Ok(())
    }
}
