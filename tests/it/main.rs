//! The one integration-test binary.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that meets the impossible should fail where it met it"
)]

// The shape of the tree.
mod layers;
mod tidy;

// The program, run as a process.
mod cli;

// What logs mean.
mod decoding;
mod vectors;
