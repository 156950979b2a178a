//! What `hallmark plugin` can be asked.

use std::path::PathBuf;

use clap::Subcommand;

/// What is to be done with projectors.
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum PluginCommand {
    /// Install a projector: from now on there are cards by it
    Add {
        /// The component, or the module that a compiler wrote; `-` for standard input
        file: PathBuf,
        /// What it is set to, as a JSON object
        #[arg(long, default_value = "{}", value_name = "JSON")]
        parameters: String,
    },
    /// Every projector, with its version and the digest of its component
    List,
    /// Remove a projector that was installed; one that ships cannot be
    Remove {
        /// Its name, as `list` shows it
        id: String,
    },
    /// Run a projector over an agent's record, and print the card; nothing is installed
    Run(RunArgs),
}

/// Which projector is run over what.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct RunArgs {
    /// A component, a module that a compiler wrote, or the name of a projector that is here
    pub(in crate::cli) projector: PathBuf,
    /// `22`, `8453:22`, `eip155:8453:0x…:22` or `eip155:8453/erc721:0x…/22`
    #[arg(long)]
    pub(in crate::cli) agent: String,
    /// As of when: `latest`, `safe`, `finalized`, `block:N` or `time:T`
    #[arg(long, default_value = "latest")]
    pub(in crate::cli) at: String,
    /// As of this size of the log [default: all of it]
    #[arg(long, value_name = "NUMBER")]
    pub(in crate::cli) as_of_seq: Option<u64>,
    /// For this game
    #[arg(long, value_name = "ID")]
    pub(in crate::cli) game: Option<String>,
    /// What it is set to, as a JSON object [default: what the operator set, or `{}`]
    #[arg(long, value_name = "JSON")]
    pub(in crate::cli) parameters: Option<String>,
    /// Also what it was shown, the attestations behind each signal, and the fuel that it took
    #[arg(long)]
    pub(in crate::cli) explain: bool,
}
