//! What can be typed about envelopes and traces of delegations.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// What `hallmark verify` is asked to do.
#[derive(Debug, Args)]
pub(in super::super) struct VerifyArgs {
    /// An envelope or a trace document, or `-` for standard input
    pub(in super::super) file: PathBuf,
    /// The DID document of the key that signed an envelope; a did:key and a did:pkh need none
    #[arg(long, value_name = "FILE")]
    pub(in super::super) did_document: Option<PathBuf>,
    /// When it is checked, as `2026-02-03T11:08:33Z` or unix seconds [default: now]
    #[arg(long, value_name = "TIME")]
    pub(in super::super) time: Option<String>,
    /// Ask a running service, such as `https://…` or `http://127.0.0.1:8004`, which knows who spoke for whom [default: the file alone]
    #[arg(long, value_name = "URL", conflicts_with_all = ["did_document", "time"])]
    pub(in super::super) service: Option<String>,
}

/// What is to be done with records of delegations.
#[derive(Debug, Subcommand)]
pub(in super::super) enum DelegationCommand {
    /// A record from its fields: fills in schema, time and digest of the specification, and checks it
    New {
        /// `grant`, `acceptance`, `interaction`, `outcome`, `capability` or `verdict`
        kind: String,
        /// Its fields as a JSON object, or `-` for standard input
        file: PathBuf,
    },
    /// An envelope from a record: by a key, or by what a wallet signed
    Sign(SignArgs),
    /// A trace document from envelopes
    Bundle {
        /// The envelopes, each a file of its own
        #[arg(required = true)]
        files: Vec<PathBuf>,
        /// What is known of wallets and keys: a JSON object with `as_of`, `parties` and `answers`
        #[arg(long, value_name = "FILE")]
        known: Option<PathBuf>,
    },
    /// A record, an envelope or a trace document, drawn
    Inspect {
        /// The file, or `-` for standard input
        file: PathBuf,
    },
    /// The case of trust flow decomposition that a trace document makes, for `hallmark tfd`
    Case {
        /// The trace document, or `-` for standard input
        file: PathBuf,
        /// The grant under which it failed [default: what the verdict in it says, or else the last hop]
        #[arg(long, value_name = "DIGEST")]
        failed: Option<String>,
        /// A name for the case
        #[arg(long, default_value = "trace", value_name = "NAME")]
        id: String,
    },
}

/// What `hallmark delegation sign` is asked to do.
#[derive(Debug, Args)]
pub(in super::super) struct SignArgs {
    /// The record, or `-` for standard input
    pub(in super::super) file: PathBuf,
    /// `dsse`, `data-integrity` or `vc+jwt`; of a wallet `eip712` or `eip191` [default: dsse, or eip712]
    #[arg(long, value_name = "FORM")]
    pub(in super::super) form: Option<String>,
    /// A file with the text of a private key, as `did:key` tools write it [default: the service's key]
    #[arg(long, value_name = "FILE", conflicts_with = "wallet")]
    pub(in super::super) key_file: Option<PathBuf>,
    /// The DID URL of the key [default: that of a did:key, or of the service's document]
    #[arg(long, value_name = "DID_URL", conflicts_with = "wallet")]
    pub(in super::super) method: Option<String>,
    /// A wallet, as `eip155:8453:0x…`: without `--signature` prints what it has to sign
    #[arg(long, value_name = "ACCOUNT")]
    pub(in super::super) wallet: Option<String>,
    /// What the wallet signed
    #[arg(long, value_name = "HEX", requires = "wallet")]
    pub(in super::super) signature: Option<String>,
}
