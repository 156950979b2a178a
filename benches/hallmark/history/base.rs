//! How large the history is: Base in August 2026, or a part of it; and where it stands on the chain.

use hallmark::registry::Deployment;

/// So far below the head blocks are final, as on Base.
pub(crate) const FINALITY_DEPTH: u64 = 600;
/// Blocks after the history that the node shows one by one.
pub(crate) const TAIL_BLOCKS: u64 = 20_000;

/// How much of everything there is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Size {
    pub(crate) agents: u64,
    pub(crate) sales: u64,
    pub(crate) wallets: u64,
    pub(crate) feedback: u64,
    pub(crate) blocks: u64,
    /// The first block.
    pub(crate) start: u64,
}

impl Size {
    /// Base, divided.
    pub(crate) fn base_over(scale: u64) -> Self {
        let scale = scale.max(1);
        Self {
            agents: 61_000 / scale,
            sales: 20_000 / scale,
            wallets: 20_000 / scale,
            feedback: 450_000 / scale,
            blocks: 9_000_000 / scale,
            start: deployment().start_block,
        }
    }

    pub(crate) const fn actions(&self) -> u64 {
        self.agents + self.sales + self.wallets + self.feedback
    }

    /// The last block of the history.
    pub(crate) const fn head(&self) -> u64 {
        self.start + self.blocks - 1
    }
}

/// The registries' addresses, chain and start are Base's.
pub(crate) fn deployment() -> &'static Deployment {
    Deployment::by_name("base").expect("the preset exists")
}
