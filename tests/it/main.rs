//! The one integration-test binary.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that meets the unexpected must fail, at that line"
)]

mod demo_node;
mod support;

// Against a real chain.
mod double;
