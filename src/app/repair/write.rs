//! Writes what the chain has, in one transaction: the record as it was, or mended.

use super::{Fetched, Ground, Repaired};
use crate::app::AppError;
use crate::app::audit::{Suspects, Told};
use crate::app::decoded::DecodedLog;
use crate::app::error::During;
use crate::app::rebuild::refold;
use crate::storage::{Database, HeldBlock, Observation, StorageError, StoredEvent, Tags, Tx};
use crate::vocab::{BlockStamp, Header, Position, RawLog};

/// What the chain has.
#[derive(Debug)]
pub(super) struct Found {
    /// Whole blocks.
    pub(super) blocks: Vec<Fetched>,
    /// Answers at blocks that are held already.
    pub(super) answers: Vec<Observation>,
}

/// Writes everything, and folds the timelines anew where anything may have changed them.
pub(super) async fn all(
    database: &Database,
    ground: &Ground,
    suspects: &Suspects,
    found: &Found,
    repaired: &mut Repaired,
    told: &mut (dyn FnMut(Told) + Send),
) -> Result<(), AppError> {
    let during = || "cannot write what was mended".to_owned();
    let mut tx = database.begin_write().await.during(during)?;
    let tags = tx.tags().await.during(during)?;
    if tags != ground.tags {
        let show =
            |tags: &Tags| tags.indexed.map_or("the start".to_owned(), |s| s.block.to_string());
        let conflict = StorageError::Conflict { expected: show(&ground.tags), found: show(&tags) };
        return Err(conflict).during(during);
    }
    for block in &found.blocks {
        mend_block(&mut tx, ground, block, repaired).await?;
    }
    for answer in &found.answers {
        tx.insert_observation(answer).await.during(during)?;
        repaired.done.push(format!("a wallet asked for at block {}", answer.block));
    }
    relabel(&mut tx, suspects, repaired).await.during(during)?;
    if suspects.tags {
        mend_tags(&mut tx, ground, repaired).await.during(during)?;
    }
    if suspects.spans || !repaired.done.is_empty() {
        let of = tx.event_count().await.during(during)?;
        let folded = refold(&mut tx, &mut |so_far| {
            let done = u64::try_from(so_far.log_count).unwrap_or(u64::MAX);
            told(Told { doing: "folding the events anew", done, of });
        })
        .await
        .during(during)?;
        repaired.done.push(format!("all timelines folded anew from {} logs", folded.log_count));
    }
    if repaired.done.is_empty() {
        return Ok(());
    }
    tx.commit().await.during(during)
}

/// Brings one block to what the chain has.
async fn mend_block(
    tx: &mut Tx,
    ground: &Ground,
    block: &Fetched,
    repaired: &mut Repaired,
) -> Result<(), AppError> {
    let number = block.header.block.number;
    let during = || format!("cannot mend block {number}");
    mend_header(tx, &block.header, repaired).await.during(during)?;
    // Only now: logs are read together with their block.
    let ours = tx.events_in(number, number).await.during(during)?;
    for log in &block.logs {
        let held = ours.iter().find(|event| event.log.log_index == log.log_index);
        if let Some(held) = held {
            same(held, log)?;
            continue;
        }
        let Some(decoded) = DecodedLog::read(log, &ground.binding) else { continue };
        let stored = decoded.stored();
        let name = stored.name.unwrap_or("log that cannot be decoded");
        tx.insert_events(&[stored]).await.during(during)?;
        repaired.done.push(format!("log {} of block {number} put in: a {name}", log.log_index));
    }
    for event in &ours {
        let index = event.log.log_index;
        if block.logs.iter().any(|log| log.log_index == index) {
            continue;
        }
        tx.delete_event(Position::new(number, index)).await.during(during)?;
        repaired.done.push(format!("log {index} of block {number} taken out: the chain has none"));
    }
    for observation in &block.observations {
        tx.insert_observation(observation).await.during(during)?;
        repaired.done.push(format!("a wallet asked for at block {number}"));
    }
    Ok(())
}

/// A log that is held must be the one that the chain has: what differs is not for us to choose between.
fn same(held: &StoredEvent, theirs: &RawLog) -> Result<(), AppError> {
    let ours = &held.log;
    let is_same = ours.address == theirs.address
        && ours.tx_hash == theirs.tx_hash
        && ours.topics == theirs.topics
        && ours.data == theirs.data;
    if is_same {
        return Ok(());
    }
    let show = |log: &RawLog| {
        let topics: Vec<_> = log.topics.iter().map(ToString::to_string).collect();
        format!(
            "of {} in transaction {} with topics {} and {} bytes with keccak256 {}",
            log.address,
            log.tx_hash,
            topics.join(" "),
            log.data.len(),
            alloy::primitives::keccak256(&log.data),
        )
    };
    let place = format!("log {} of block {}", ours.log_index, ours.block.number);
    Err(AppError::Contradiction { place, ours: show(ours), theirs: show(theirs) })
}

/// The block is held, and is the chain's.
async fn mend_header(
    tx: &mut Tx,
    header: &Header,
    repaired: &mut Repaired,
) -> Result<(), StorageError> {
    let stamp = header.stamp();
    let theirs = HeldBlock { stamp, parent_hash: Some(header.parent_hash) };
    let number = header.block.number;
    match tx.block_at(number).await? {
        None => {
            tx.insert_blocks(&[theirs]).await?;
            repaired.done.push(format!("block {} put in", header.block));
        }
        Some(ours) => {
            let is_same = ours.stamp == stamp
                && ours.parent_hash.is_none_or(|parent| parent == header.parent_hash);
            if !is_same {
                tx.replace_block(&theirs).await?;
                repaired.done.push(format!(
                    "block {} put in the place of {}",
                    header.block, ours.stamp.block
                ));
            }
        }
    }
    Ok(())
}

/// Files logs under what they say.
async fn relabel(
    tx: &mut Tx,
    suspects: &Suspects,
    repaired: &mut Repaired,
) -> Result<(), StorageError> {
    for at in &suspects.labels {
        let events = tx.events_in(at.block_number, at.block_number).await?;
        let Some(event) = events.iter().find(|event| event.log.position() == *at) else { continue };
        tx.relabel_event(&DecodedLog::of(&event.log, event.registry).stored()).await?;
        let (index, block) = (at.log_index, at.block_number);
        repaired.done.push(format!("log {index} of block {block} filed under what it says"));
    }
    Ok(())
}

/// The cursor is a block that is held, the highest where there is no cursor, since every step ends with one; the others are the
/// node's own.
async fn mend_tags(
    tx: &mut Tx,
    ground: &Ground,
    repaired: &mut Repaired,
) -> Result<(), StorageError> {
    let before = tx.tags().await?;
    let indexed = match before.indexed {
        Some(cursor) => match tx.block_at(cursor.block.number).await? {
            Some(held) => Some(held.stamp),
            // It is fetched again when it is final; until then its events would stand above any other cursor.
            None => Some(cursor),
        },
        None => tx.block_before(u64::MAX).await?.map(|held| held.stamp),
    };
    let node = |header: &Option<Header>| header.as_ref().map(Header::stamp);
    let known = |ours: Option<BlockStamp>, theirs: Option<BlockStamp>| match (ours, theirs) {
        (Some(ours), Some(theirs)) if ours.block.number > theirs.block.number => Some(ours),
        (ours, theirs) => theirs.or(ours),
    };
    let tags = Tags {
        indexed,
        head: Some(ground.node.head.stamp()),
        safe: node(&ground.node.safe),
        finalized: known(before.finalized, node(&ground.node.finalized)),
    };
    if tags != before {
        tx.set_tags(&tags).await?;
        repaired.done.push("the node's tags and the cursor set anew".to_owned());
    }
    Ok(())
}
