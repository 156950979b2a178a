//! placeholder replaced by the merge of the chain module
mod error;
pub mod source;
pub mod step;
pub use error::ChainError;
pub use source::{BlockTag, ChainSource, LogFilter, RangeLogs};
pub use step::{ChainStep, ChainTags, Stretch};
