//! Following a chain: blocks, logs and reorganisations in, [`ChainStep`]s out.
//!
//! [`source`] says what is asked of a chain, [`rpc`] asks it over JSON-RPC, and [`providers`] makes one source of several that are
//! compared with each other; [`follower`] drives a source and yields steps. The
//! decisions are pure and stand apart: [`window`] (extend, revert or wait), [`range`] (how many blocks to ask for), [`retry`] (what an
//! error means, and how long to wait). Nothing here knows what a log means or where it is stored.
//!
//! Everything a node says is distrusted: an answer is checked for its form before it is a value. No URL reaches an error or a log
//! record, since providers put keys in it; [`endpoint::Endpoint`] is what is shown instead.

mod batch;
mod client;
pub mod endpoint;
mod error;
mod failure;
mod fetch;
pub mod follower;
mod following;
mod head;
mod parts;
mod pipeline;
pub mod providers;
pub mod range;
mod reread;
pub mod retry;
pub mod rpc;
mod rpc_range;
pub mod source;
pub mod step;
mod tags;
mod transport;
mod trust;
mod violation;
pub mod window;
mod wire;
mod ws;

pub use client::RpcOptions;
pub use error::ChainError;
pub use follower::Follower;
pub use following::{FollowError, FollowerOptions, Progress, Resume};
pub use providers::{Provider, ProviderReport, Providers, ProvidersOptions, Role, State};
pub use reread::Reread;
pub use rpc::RpcSource;
pub use source::{BlockTag, CallOutcome, ChainSource, LogFilter, RangeLogs, TopicWords};
pub use step::{ChainStep, ChainTags, Stretch};
pub use transport::install_crypto_provider;
pub use trust::{Trust, TrustError};
