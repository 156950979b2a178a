//! The one integration-test binary. Read `story` first.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that meets the unexpected must fail, at that line"
)]

mod story;
mod support;

// The shape of the tree.
mod layers;
mod tidy;

// The program, run as a process.
pub(crate) mod cli;

// Who carries a failure, and by whose signatures.
pub(crate) mod delegation;
mod tfd;

// What logs mean, and a real chain to make them.
mod decoding;
mod demo_node;
mod double;
mod vectors;

// Records: signed, of the chain, of platforms.
mod attest;
pub(crate) mod relay;

// Parsers of what strangers write.
mod fuzz;

// Projectors in their sandbox.
mod sandbox;

// DID documents: as promised, as resolved, as others read them.
mod did;

// What the service signs with, and what it shows of it.
mod keys;

// What is remembered, on both engines.
pub(crate) mod storage;

// Registration files: fetched from hosts of the tests' own.
mod files;

// What is answered over HTTP.
mod api;

// What was said of whom.
mod records;

// Delegations: taken in, served, and answered for.
mod disputes;

// Human participants, and the wallets that prove themselves.
mod characters;

// Following: a scripted chain, and a server that answers anything.
mod follow;
mod providers;
mod rpc;

// Following into a database while everything goes wrong.
mod faults;
mod sim;

// The whole: chain, following, storage.
mod e2e;
