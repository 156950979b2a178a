//! How a command ends, and how a failure is told: message, causes, hint, each on a line of standard error.
//!
//! A failure is printed once, here. Texts from nodes and files may be in it, so control characters are replaced.

use std::error::Error;
use std::io::Write;
use std::process::ExitCode;

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// It did what was asked.
    Done,
    /// It could not.
    Failed,
    /// It was asked the wrong way: arguments or configuration.
    Usage,
    /// It could, and the answer is "invalid" or "not found".
    Negative,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Done => 0,
            Exit::Failed => 1,
            Exit::Usage => 2,
            Exit::Negative => 3,
        })
    }
}

/// Why a command failed, ready to be printed.
#[derive(Debug)]
pub struct CliError {
    exit: Exit,
    message: String,
    causes: Vec<String>,
    hint: Option<String>,
}

impl CliError {
    /// An error with all its sources, and the exit code it means.
    #[must_use]
    pub fn new(exit: Exit, error: &dyn Error) -> Self {
        let causes = std::iter::successors(error.source(), |cause| (*cause).source())
            .map(ToString::to_string)
            .collect();
        Self { exit, message: error.to_string(), causes, hint: None }
    }

    /// A failure to do something, and why.
    #[must_use]
    pub fn failed(message: &str, cause: &dyn Error) -> Self {
        let mut error = Self::new(Exit::Failed, cause);
        error.causes.insert(0, std::mem::replace(&mut error.message, message.to_owned()));
        error
    }

    /// The same, with what the user may do about it.
    #[must_use]
    pub fn with_hint(mut self, hint: Option<String>) -> Self {
        self.hint = hint;
        self
    }

    /// The exit code it means.
    pub fn exit(&self) -> Exit {
        self.exit
    }

    /// Writes message, causes and hint. Where nobody reads, nothing is left to be done.
    pub fn print(&self, to: &mut impl Write) {
        let _ = writeln!(to, "hallmark: {}", printable(&self.message));
        for cause in &self.causes {
            let _ = writeln!(to, "  because: {}", printable(cause));
        }
        if let Some(hint) = &self.hint {
            let _ = writeln!(to, "  hint: {}", printable(hint));
        }
    }
}

/// Errors whose only consequence is that the command failed.
impl<E: Error> From<E> for CliError {
    fn from(error: E) -> Self {
        Self::new(Exit::Failed, &error)
    }
}

/// An error with all its causes, in one line.
pub(super) fn with_causes(error: &dyn Error) -> String {
    let causes = std::iter::successors(Some(error), |error| (*error).source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("cannot apply block 41")]
    struct Outer(#[source] io::Error);

    #[test]
    fn message_causes_and_hint_each_have_a_line_and_no_control_characters() {
        let error = CliError::new(Exit::Failed, &Outer(io::Error::other("\u{1b}[31mdisk full")))
            .with_hint(Some("make room".into()));
        let mut printed = Vec::new();
        error.print(&mut printed);
        let printed = String::from_utf8(printed).unwrap();
        let expected = "hallmark: cannot apply block 41\n  because: \u{fffd}[31mdisk full\n  hint: make room\n";
        assert_eq!(printed, expected);
    }
}
