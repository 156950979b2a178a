//! How far a recording has been shown.
//!
//! The canonical chain at any moment is a list of places in the recording. Going on shows one more block, or, at a reorganisation,
//! replaces the orphaned blocks by the whole new branch at once, as a node does that switches its head. What is not shown yet and
//! what was orphaned does not exist for anyone who asks.

use std::sync::Arc;

use alloy::primitives::B256;

use super::recording::{RecordedBlock, Recording};

/// The safe block lies so many blocks behind the head.
pub const SAFE_DEPTH: u64 = 32;
/// The finalized block lies so many blocks behind the head; no reorganisation of a recording is as deep.
pub const FINALIZED_DEPTH: u64 = 64;

/// A recording and how far it has been shown.
#[derive(Clone, Debug)]
pub struct Play {
    recording: Arc<Recording>,
    /// The place in the recording of the block of each number from 0 on; never empty.
    canonical: Vec<usize>,
    next: usize,
}

/// What one step of play did, as places in [`Recording::blocks`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Played {
    /// Blocks that are no longer canonical, ascending; empty but for a reorganisation.
    pub undone: Vec<usize>,
    /// Blocks that are shown now, ascending; one, or a whole branch.
    pub applied: Vec<usize>,
}

impl Play {
    /// The recording with its opening shown.
    pub fn opening(recording: Arc<Recording>) -> Self {
        let next = recording.opening_count();
        Self { recording, canonical: (0..next).collect(), next }
    }

    /// What is played.
    pub fn recording(&self) -> &Arc<Recording> {
        &self.recording
    }

    /// Shows one block more, or carries out a reorganisation; `None` when all has been shown.
    pub fn advance(&mut self) -> Option<Played> {
        let number = self.number_of(self.next)?;
        let undone = self.canonical.split_off(number.min(self.canonical.len()));
        let mut applied = Vec::new();
        while applied.is_empty() || applied.len() < undone.len() {
            // A recording is only loaded when a replacing branch is as long as what it replaces.
            self.number_of(self.next)?;
            applied.push(self.next);
            self.next += 1;
        }
        self.canonical.extend(&applied);
        Some(Played { undone, applied })
    }

    /// Whether all has been shown.
    pub fn is_over(&self) -> bool {
        self.next >= self.recording.blocks().len()
    }

    /// The newest block's number.
    pub fn head(&self) -> u64 {
        u64::try_from(self.canonical.len()).unwrap_or(u64::MAX).saturating_sub(1)
    }

    /// The safe block's number.
    pub fn safe(&self) -> u64 {
        self.head().saturating_sub(SAFE_DEPTH)
    }

    /// The finalized block's number.
    pub fn finalized(&self) -> u64 {
        self.head().saturating_sub(FINALIZED_DEPTH)
    }

    /// The canonical block of a number, if it is shown.
    pub fn block(&self, number: u64) -> Option<&RecordedBlock> {
        let index = *self.canonical.get(usize::try_from(number).ok()?)?;
        self.recording.block(index)
    }

    /// The canonical block of a hash; orphaned ones and those not shown yet do not exist.
    pub fn block_by_hash(&self, hash: &B256) -> Option<&RecordedBlock> {
        let block = self.recording.block(self.recording.index_of(hash)?)?;
        self.block(block.number()).filter(|canonical| canonical.hash == *hash)
    }

    /// The canonical blocks from the newest down to the first, starting at `number`.
    pub(super) fn back_from(&self, number: u64) -> impl Iterator<Item = &RecordedBlock> {
        let count = usize::try_from(number).map_or(usize::MAX, |number| number.saturating_add(1));
        let shown = self.canonical.get(..count.min(self.canonical.len())).unwrap_or_default();
        shown.iter().rev().filter_map(|index| self.recording.block(*index))
    }

    fn number_of(&self, index: usize) -> Option<usize> {
        usize::try_from(self.recording.block(index)?.number()).ok()
    }
}
