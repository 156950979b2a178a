//! The recorded chain that ships with the program, and the loopback node that plays it.
//!
//! `hallmark demo` needs no network, key or database server: [`Recording`] holds a few thousand blocks of a real local chain with a
//! double of the ERC-8004 registries, [`Play`] knows how far they have been shown, [`answer`] answers JSON-RPC requests about what is
//! shown, [`DemoNode`] puts that behind a port, and [`guide`] says what to try and what just happened. The ordinary follower reads
//! it like any other provider; nothing here knows of storage or of the service.
//!
//! The chain's number is that of local test chains, never Base's, so that no answer about it can be mistaken for one about Base.

mod answer;
mod calls;
mod format;
pub mod guide;
mod logs;
mod node;
mod play;
mod recording;
mod request;

#[cfg(test)]
mod tests;

pub use answer::{RpcError, answer};
pub use format::RecordingError;
pub use logs::RANGE_BLOCKS_MAX;
pub use node::{BATCH_REQUESTS_MAX, BODY_BYTES_MAX, DemoNode};
pub use play::{FINALIZED_DEPTH, Play, Played, SAFE_DEPTH};
pub use recording::{
    AgentAnswer, CodeChange, Moment, RecordedBlock, RecordedLog, RecordedRegistry, Recording,
    StorageWord, Tour,
};
