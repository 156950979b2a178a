//! What can be typed: the commands and the flags they share.
//!
//! Values of shared flags stay texts here, so that the configuration reads them by the same rules as its file and the environment,
//! and says the same about them when they are wrong.

use std::num::{NonZeroU32, NonZeroU64, NonZeroUsize};
use std::path::PathBuf;

use clap::{Parser, Subcommand};

mod delegation;
mod plugin;

pub(super) use delegation::{DelegationCommand, SignArgs, VerifyArgs};
pub(super) use plugin::{PluginCommand, RunArgs};

use crate::config::Flags;

const EXIT_CODES: &str = "Exit codes: 0 done, 1 failed, 2 wrong usage or configuration, \
                          3 the answer is \"invalid\" or \"not found\".";

const AUDIT_HELP: &str = "\
Each check is one line: `ok`, `WRONG` with what is wrong, or `UNSAID` with why it could not be found out.
Exit codes: 0 all is well (with --repair: or mended), 3 something is wrong, 1 something could not be found out or done.
An audit reads one state of the record and may run beside a follower; --repair may not.";

const KEYS_HELP: &str = "\
A change is in force a few seconds later, when every process that serves has read it; `rotate` waits for that.
A key that has ended never comes back: `rotate` and `revoke` destroy its private part.
`passphrase` reads the new passphrase from standard input, one line; HALLMARK_KEY_PASSPHRASE is the one of now, where there is one.
Whoever serves signs on with what it has open, and needs the new one when it starts again.";

const ATTEST_HELP: &str = "\
A file has a record on each line: {\"attestation\": {…}, \"context\": {…}}.
Each line of output is the place in the log and the digest; with --print, or --json, what was signed.
Exit codes: 0 all was signed, 3 some of it was not, and standard error says why.";

/// Who an ERC-8004 agent is, and which wallet spoke for it, at any block.
#[derive(Debug, Parser)]
#[command(name = "hallmark", version, after_help = EXIT_CODES)]
pub(super) struct Args {
    #[command(flatten)]
    pub(super) shared: SharedFlags,
    /// Without a command: follow the configured chain, and serve
    #[command(subcommand)]
    pub(super) command: Option<Command>,
}

/// The flags of every command. Each is above the environment, and that above the file.
#[derive(Debug, clap::Args)]
pub(super) struct SharedFlags {
    /// Configuration file [default: hallmark.toml, if there is one]
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Chain to follow: a preset such as `base`, or `custom`
    #[arg(long, global = true, value_name = "PRESET")]
    chain: Option<String>,
    /// JSON-RPC endpoint, repeatable, the preferred first; `check:URL` only compares, `follow:URL` only follows
    #[arg(long, global = true, value_name = "URL")]
    rpc_url: Vec<String>,
    /// Database: `sqlite://PATH` or `postgres://…`
    #[arg(long, global = true, value_name = "URL")]
    database_url: Option<String>,
    /// Address and port of the HTTP service
    #[arg(long, global = true, value_name = "ADDRESS:PORT")]
    listen: Option<String>,
    /// First block to read
    #[arg(long, global = true, value_name = "NUMBER")]
    start_block: Option<String>,
    /// Print data as JSON, one value a line
    #[arg(long, global = true)]
    pub(super) json: bool,
}

impl SharedFlags {
    pub(super) fn to_flags(&self) -> Flags {
        Flags {
            config: self.config.clone(),
            chain: self.chain.clone(),
            rpc_url: self.rpc_url.clone(),
            database_url: self.database_url.clone(),
            listen: self.listen.clone(),
            start_block: self.start_block.clone(),
        }
    }
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Keep the database in step with the chain, without serving it
    Follow,
    /// Serve what is in the database, without following the chain
    Serve,
    /// Follow and serve a recorded chain that ships with the program: no network, key or server needed
    Demo {
        /// Blocks a second, once history is read
        #[arg(long, default_value = "4", value_name = "BLOCKS")]
        pace: NonZeroU32,
    },
    /// Who an agent is: owner, wallet, operators, URI, metadata
    Agent {
        /// `22`, `8453:22`, `eip155:8453:0x…:22` or `eip155:8453/erc721:0x…/22`
        agent: String,
        /// As of when: `latest`, `safe`, `finalized`, `block:N` or `time:T`
        #[arg(long, default_value = "latest")]
        at: String,
    },
    /// Which agents an account is the wallet of
    Wallet {
        /// `0x…`, `eip155:8453:0x…` or `did:pkh:eip155:8453:0x…`
        account: String,
        /// As of when: `latest`, `safe`, `finalized`, `block:N` or `time:T`
        #[arg(long, default_value = "latest", conflicts_with = "history")]
        at: String,
        /// Every span in which it ever was any agent's wallet
        #[arg(long)]
        history: bool,
    },
    /// Resolve a DID: its document, and what there is to know of it; or what a DID URL names
    Did {
        /// A did:web of this service's host (of the service, an agent or a character), one of another host, which is fetched, a did:pkh or
        /// a did:key; or a DID URL of one
        did: String,
        /// As of when: `latest`, `safe`, `finalized`, `block:N` or `time:T`; of the service and of characters, which go by the clock and
        /// not by blocks, `latest` or `time:T` [default: latest; with --links: all time]
        #[arg(long)]
        at: Option<String>,
        /// List the links of an agent's or a character's DID, or of a did:pkh, with what each side says
        #[arg(long)]
        links: bool,
    },
    /// Say something of somebody in this service's own name, signed with its key, and keep it
    #[command(after_help = ATTEST_HELP)]
    Attest(AttestArgs),
    /// Make invitations, each of which creates one character, into a database that is there; they are shown this once
    Invite {
        /// How many
        #[arg(long, default_value = "1", value_name = "NUMBER")]
        count: NonZeroU32,
        /// How many hours they last
        #[arg(long, default_value = "168", value_name = "HOURS")]
        hours: NonZeroU32,
    },
    /// The keys that the service signs with
    #[command(subcommand, after_help = KEYS_HELP)]
    Keys(KeysCommand),
    /// Check the record by itself or against the chain, and mend what is wrong
    #[command(after_help = AUDIT_HELP)]
    Audit(AuditArgs),
    /// Throw away all timelines and fold them anew from the events that were kept
    Rebuild,
    /// Bring the database's schema up to date
    Migrate,
    /// Whether a signed envelope or a delegation trace holds, with nothing but the file
    Verify(VerifyArgs),
    /// Make, sign, bundle and inspect records of delegations
    #[command(subcommand)]
    Delegation(DelegationCommand),
    /// Who carries how much of a failure, from a case file: trust flow decomposition
    Tfd(TfdArgs),
    /// Projectors of trust cards: install, list, remove, and try one on an agent's record
    #[command(subcommand)]
    Plugin(PluginCommand),
    /// Print the configuration in force and where each value came from
    Config,
}

/// What `hallmark attest` is asked to say.
#[derive(Debug, clap::Args)]
pub(super) struct AttestArgs {
    /// Records to sign, one a line; `-` for standard input
    #[arg(conflicts_with_all = ["subject", "claim_type", "data", "note", "confidence", "round", "game", "supersedes"])]
    pub(super) file: Option<PathBuf>,
    /// Of whom: an agent (`eip155:8453:0x…:22`), an account (`eip155:8453:0x…`), or a DID
    #[arg(long, required_unless_present = "file", value_name = "NAME")]
    pub(super) subject: Option<String>,
    /// Which kind of claim, such as `peer.assessment`
    #[arg(long, required_unless_present = "file", value_name = "TYPE")]
    pub(super) claim_type: Option<String>,
    /// The claim's data, as a JSON object
    #[arg(long, value_name = "JSON")]
    pub(super) data: Option<String>,
    /// In words for people
    #[arg(long, value_name = "TEXT")]
    pub(super) note: Option<String>,
    /// How sure, from 0 to 1
    #[arg(long, value_name = "NUMBER")]
    pub(super) confidence: Option<String>,
    /// The round of the game
    #[arg(long, value_name = "NUMBER")]
    pub(super) round: Option<u64>,
    /// The game
    #[arg(long, value_name = "ID")]
    pub(super) game: Option<String>,
    /// The digest of an earlier record that this one replaces
    #[arg(long, value_name = "DIGEST")]
    pub(super) supersedes: Option<String>,
    /// Print what is signed, and keep nothing
    #[arg(long)]
    pub(super) print: bool,
}

/// What is to be done with the service's keys.
#[derive(Debug, Subcommand)]
pub(super) enum KeysCommand {
    /// Make a key: it signs at once where none does, and waits for `rotate` otherwise, already shown in the service's document
    New {
        /// `ed25519` or `p256` [default: ed25519]
        #[arg(long, value_name = "KIND")]
        kind: Option<String>,
    },
    /// Every key there ever was, oldest first
    List,
    /// Let another key sign: the one that waits, or a new one
    Rotate {
        /// Of a new key: `ed25519` or `p256` [default: that of the key before]
        #[arg(long, value_name = "KIND")]
        kind: Option<String>,
    },
    /// Seal the private parts in the key file under a passphrase, or another one: the keys stay what they are
    Passphrase {
        /// Take the seal away: private parts then stand in the file as they are
        #[arg(long)]
        remove: bool,
    },
    /// Say that a key is not to be trusted: what it signed since then no longer counts
    Revoke {
        /// The key, as `list` shows it
        key: String,
        /// Why; everybody can read it
        #[arg(long, value_name = "TEXT")]
        reason: String,
        /// Since when, as `2026-02-03T11:08:33Z` or unix seconds [default: now]
        #[arg(long, value_name = "TIME")]
        since: Option<String>,
    },
}

/// What `hallmark audit` is asked to do.
#[derive(Debug, clap::Args)]
pub(super) struct AuditArgs {
    /// Also ask a node: how many agents there are, what the contract says of them, which logs there are
    #[arg(long)]
    pub(super) against_chain: bool,
    /// Ask about every agent and read all logs again, not only a sample of them
    #[arg(long, requires = "against_chain")]
    pub(super) all: bool,
    /// Agents to ask about; a range of logs is read again for each ten of them
    #[arg(
        long,
        requires = "against_chain",
        conflicts_with = "all",
        default_value = "200",
        value_name = "AGENTS"
    )]
    pub(super) sample: NonZeroU64,
    /// Draw the same sample again [default: another one each time]
    #[arg(long, requires = "against_chain", conflicts_with = "all", value_name = "NUMBER")]
    pub(super) seed: Option<u64>,
    /// Most calls in one batch; some public nodes take no more than ten
    #[arg(long, requires = "against_chain", default_value = "10", value_name = "CALLS")]
    pub(super) batch: NonZeroUsize,
    /// Fetch again what is wrong or missing, as far as it is final, and mend the record in one transaction
    #[arg(long)]
    pub(super) repair: bool,
}

/// What `hallmark tfd` is asked to do.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(super) struct TfdArgs {
    #[command(subcommand)]
    pub(super) command: Option<TfdCommand>,
    /// The case file, or `-` for standard input
    #[arg(required = true)]
    pub(super) file: Option<PathBuf>,
    /// Draw the figures of a graph of more than 20 edges by lot, so often
    #[arg(long, value_name = "NUMBER")]
    pub(super) samples: Option<u32>,
    /// What determines the draw
    #[arg(long, default_value = "1", requires = "samples", value_name = "NUMBER")]
    pub(super) seed: u64,
}

#[derive(Debug, Subcommand)]
pub(super) enum TfdCommand {
    /// The calibration run: the distribution of beta, and what noise does to it; JSON
    Experiment(ExperimentArgs),
}

/// What `hallmark tfd experiment` is asked to do.
#[derive(Debug, clap::Args)]
pub(super) struct ExperimentArgs {
    /// Case files, whose delegations are the edges [default: the synthetic populations]
    pub(super) files: Vec<PathBuf>,
    /// The delegations that both sides signed in the service's own database are the edges
    #[arg(long, conflicts_with = "files")]
    pub(super) stored: bool,
    /// Run again with noise on the inputs, and tell how far betas and rankings move
    #[arg(long)]
    pub(super) sensitivity: bool,
    /// Compute the paper's tests of itself, as far as the data allow
    #[arg(long)]
    pub(super) falsification: bool,
    /// Edges to draw
    #[arg(long, default_value = "20000", value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub(super) draws: u32,
    /// What determines all draws
    #[arg(long, default_value = "1", value_name = "NUMBER")]
    pub(super) seed: u64,
    /// Standard deviation of the noise, in billionths
    #[arg(long, default_value = "100000000", value_name = "PPB", value_parser = clap::value_parser!(u32).range(1..=1_000_000_000))]
    pub(super) sigma_ppb: u32,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_definitions_are_sound() {
        Args::command().debug_assert();
    }

    #[test]
    fn shared_flags_stand_before_or_after_the_command() {
        for line in [
            "hallmark --chain base --rpc-url http://a --rpc-url http://b config",
            "hallmark config --chain base --rpc-url http://a --rpc-url http://b",
        ] {
            let flags = Args::parse_from(line.split(' ')).shared.to_flags();
            assert_eq!(flags.chain.as_deref(), Some("base"));
            assert_eq!(flags.rpc_url, ["http://a", "http://b"], "{line}");
        }
    }
}
