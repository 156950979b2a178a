//! The one integration-test binary.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that meets the impossible should stop where it meets it"
)]

mod follow;
mod rpc;
mod support;
