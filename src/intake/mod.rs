//! What comes from elsewhere than the chain: documents that strangers name and we fetch, and the records of origins.
//!
//! [`Fetcher`] is the one way out. Whoever names a URL may be hostile, and so may be the host behind it and the one who answers for
//! its name. [`relay`] reads a platform's public log.

mod address;
mod fetch;
pub mod relay;

pub use address::is_public;
pub use fetch::{Answered, FetchError, FetchLimits, Fetched, Fetcher};
