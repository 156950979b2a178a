//! What can go wrong while layers meet.

use alloy::primitives::Address;

use crate::chain::ChainError;
use crate::storage::StorageError;
use crate::vocab::{BlockRef, ChainId, RegistryKind};

/// Why a verb was not done.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// The database did not do its part.
    #[error("{during}")]
    Storage {
        /// What was being done, and to which block or record.
        during: String,
        /// Why not.
        #[source]
        source: StorageError,
    },
    /// The node did not do its part.
    #[error("{during}")]
    Chain {
        /// What was being done.
        during: String,
        /// Why not.
        #[source]
        source: ChainError,
    },
    /// The node is of another chain.
    #[error(
        "the node at the rpc url follows {found}, but {expected} is configured; change `rpc_url` or `chain`"
    )]
    WrongChain {
        /// Configured.
        expected: ChainId,
        /// The node's.
        found: ChainId,
    },
    /// A registry has no code.
    #[error("the {} registry {address} has no code on {chain}; check the address and the chain", kind.as_str())]
    NoCode {
        /// Which of the three.
        kind: RegistryKind,
        /// Where it should be.
        address: Address,
        /// On which chain.
        chain: ChainId,
    },
    /// A step of the chain breaks what every step keeps.
    #[error("the step to block {block} cannot be applied: {reason}")]
    BrokenStep {
        /// The block it leads to.
        block: BlockRef,
        /// What is wrong.
        reason: String,
    },
    /// The chain contradicts what was final; the writer has stopped for good.
    #[error("the writer has stopped: {reason}")]
    Halted {
        /// What was seen.
        reason: String,
    },
    /// The record and the chain say different things of one place, and neither is missing.
    #[error(
        "nothing was changed: {place} is {ours} here, and {theirs} at the node; check the node, or index anew into another database"
    )]
    Contradiction {
        /// The block, or the log.
        place: String,
        /// What was recorded.
        ours: String,
        /// What the node says.
        theirs: String,
    },
    /// The node knows no finalized block, below which the chain could be trusted.
    #[error(
        "the node names no finalized block, and only what is final can be mended; use another `rpc_url`"
    )]
    NothingFinal,
    /// Nothing was indexed yet.
    #[error("nothing is indexed yet; run `hallmark follow` first")]
    NothingIndexed,
}

/// Says what was being done when the database or the node failed.
pub(super) trait During<T> {
    /// Wraps the error with what was being done.
    fn during(self, what: impl FnOnce() -> String) -> Result<T, AppError>;
}

impl<T> During<T> for Result<T, StorageError> {
    fn during(self, what: impl FnOnce() -> String) -> Result<T, AppError> {
        self.map_err(|source| AppError::Storage { during: what(), source })
    }
}

impl<T> During<T> for Result<T, ChainError> {
    fn during(self, what: impl FnOnce() -> String) -> Result<T, AppError> {
        self.map_err(|source| AppError::Chain { during: what(), source })
    }
}

impl AppError {
    /// Whether the same may succeed when it is tried again.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Storage { source, .. } => source.is_transient(),
            Self::Chain { source, .. } => source.is_transient(),
            Self::WrongChain { .. }
            | Self::NoCode { .. }
            | Self::BrokenStep { .. }
            | Self::Halted { .. }
            | Self::Contradiction { .. }
            | Self::NothingFinal
            | Self::NothingIndexed => false,
        }
    }

    /// Whether the node is the one that failed.
    #[must_use]
    pub const fn is_from_node(&self) -> bool {
        matches!(self, Self::Chain { .. })
    }
}
