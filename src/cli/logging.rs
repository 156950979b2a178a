//! Log records to standard error, as text or JSON.
//!
//! Colours appear only on a terminal, and there only while `NO_COLOR` is not set (the subscriber looks at it itself). Which fields a
//! record has is decided where it is made.

use std::io::{self, IsTerminal};

use tracing_subscriber::EnvFilter;

use super::{CliError, Exit};
use crate::config::{LogFilter, LogFormat};

/// Starts logging for this process, once.
pub(super) fn start(filter: &LogFilter, format: LogFormat) -> Result<(), CliError> {
    let filter = EnvFilter::try_new(filter.as_str())?;
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr);
    let builder = if io::stderr().is_terminal() { builder } else { builder.with_ansi(false) };
    let started = match format {
        LogFormat::Text => builder.try_init(),
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
    };
    started.map_err(|error| CliError::new(Exit::Failed, &*error))
}
