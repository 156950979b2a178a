//! The command line: one file for each command, and what they share.
//!
//! [`main`] parses, loads the configuration, starts logging and runs one command. A command is a function `run(&Config, …, &mut Output)`
//! that answers with an [`Exit`]; it writes data to its [`Output`] and never to standard output itself, and what goes wrong it returns.
//!
//! To add a command: a variant in `args.rs`, a file with its `run`, and one arm in `run_command`. One that waits runs under
//! [`shutdown::run_until_signal`].

mod args;
mod attest;
mod audit;
mod config;
mod delegation;
mod demo;
mod did;
mod error;
mod follow;
mod input;
mod invite;
mod keys;
mod logging;
mod look_up;
mod maintain;
mod open;
mod output;
mod plugin;
mod progress;
mod serve;
pub mod shutdown;
mod tfd;
mod verify;
mod verify_at;

use std::process::ExitCode;

use clap::Parser;

use crate::config::{Config, LogFilter, environment};
use args::{Args, Command};
pub use error::{CliError, Exit};
pub use output::Output;

/// Runs the program on the arguments and the environment of this process.
pub fn main() -> ExitCode {
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) => {
            // Help goes to standard output with 0, wrong usage to standard error with 2. That nobody reads is no failure.
            let _ = error.print();
            return if error.use_stderr() { Exit::Usage } else { Exit::Done }.into();
        }
    };
    let mut out = Output::stdout(args.shared.json);
    match start(&args, &mut out) {
        Ok(exit) => exit.into(),
        Err(error) => {
            error.print(&mut std::io::stderr().lock());
            error.exit().into()
        }
    }
}

fn start(args: &Args, out: &mut Output) -> Result<Exit, CliError> {
    let config = Config::load(&args.shared.to_flags(), environment())
        .map_err(|error| CliError::new(Exit::Usage, &error).with_hint(error.hint()))?;
    // The demo tells its own story; what else happens would stand between its lines.
    let is_demo = matches!(args.command, Some(Command::Demo { .. }));
    let filter =
        if is_demo && config.is_default("log") { &LogFilter::warnings() } else { &config.log };
    logging::start(filter, config.log_format)?;
    run_command(args.command.as_ref(), &config, out)
}

fn run_command(
    command: Option<&Command>,
    config: &Config,
    out: &mut Output,
) -> Result<Exit, CliError> {
    let Some(command) = command else { return serve::run_both(config) };
    match command {
        Command::Follow => follow::run(config),
        Command::Serve => serve::run(config),
        Command::Demo { pace } => demo::run(config, *pace, out),
        Command::Agent { agent, at } => look_up::agent(config, agent, at, out),
        Command::Wallet { account, at, history } => {
            look_up::wallet(config, account, at, *history, out)
        }
        Command::Did { did, at, links } => did::run(config, did, at.as_deref(), *links, out),
        Command::Attest(wanted) => attest::run(config, wanted, out),
        Command::Invite { count, hours } => invite::run(config, *count, *hours, out),
        Command::Keys(command) => keys::run(config, command, out),
        Command::Audit(wanted) => audit::run(config, wanted, out),
        Command::Rebuild => maintain::rebuild_all(config, out),
        Command::Migrate => maintain::migrate(config, out),
        Command::Verify(wanted) => verify::run(config, wanted, out),
        Command::Delegation(command) => delegation::run(config, command, out),
        Command::Plugin(command) => plugin::run(config, command, out),
        Command::Tfd(wanted) => tfd::run(config, wanted, out),
        Command::Config => config::run(config, out),
    }
}
