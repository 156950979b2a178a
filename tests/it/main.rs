//! The one integration-test binary.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that meets the unexpected must fail, at that line"
)]

// The shape of the tree.
mod layers;
mod tidy;

// The program, run as a process.
mod cli;
