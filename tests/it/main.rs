//! The one integration-test binary. Read `story` first.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that meets the unexpected must fail, at that line"
)]

mod support;

mod decoding;
mod double;
mod storage;
mod vectors;
