//! What can be wrong with a configuration, and what to do about it.
//!
//! Every message names the key and the place it stands in. A value is repeated only where its key cannot hold a secret.

use std::path::PathBuf;

use super::key::Key;
use super::layer::Source;
use crate::vocab::{ChainId, shorten};

/// Why the program does not start with this configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A key that there is not.
    #[error("unknown key `{key}` in {place}")]
    UnknownKey {
        /// As it was written, made fit for printing.
        key: String,
        /// The file, or the word for the environment.
        place: String,
        /// A key that looks like it.
        suggestion: Option<String>,
    },
    /// A value that its key cannot have.
    #[error("`{key}` from {from}: {problem}")]
    Invalid {
        /// The key, with the names of the tables that it stands in.
        key: String,
        /// Where the value stands.
        from: String,
        /// What was expected, and what was found where that may be shown.
        problem: String,
    },
    /// A file that was named and is not there.
    #[error("there is no configuration file `{}`", path.display())]
    NoFile {
        /// As it was named.
        path: PathBuf,
        /// Whether a flag or a variable named it.
        named_by: &'static str,
    },
    /// A file that cannot be read.
    #[error("cannot read the configuration file `{}`", path.display())]
    File {
        /// Its path.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A file that is not TOML. The offending line is not repeated: it may hold a secret.
    #[error("`{}`, line {line}: {problem}", path.display())]
    Syntax {
        /// Its path.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// What the parser says.
        problem: String,
    },
    /// A registry of the user's own that is not described in full.
    #[error("{why}, so these keys must be set too: {}", quoted(missing))]
    Incomplete {
        /// Why no preset gives them.
        why: String,
        /// The keys without a value.
        missing: Vec<&'static str>,
    },
    /// A chain id that is not the preset's.
    #[error("`chain_id` from {from} is {chain_id}, but the preset `{preset}` is {expected}")]
    OtherChain {
        /// Where the number stands.
        from: String,
        /// The number given.
        chain_id: ChainId,
        /// The preset.
        preset: &'static str,
        /// Its chain.
        expected: ChainId,
    },
    /// One address for two registries.
    #[error("`{key}` and `{other}` are the same address")]
    SameAddress {
        /// The later key.
        key: &'static str,
        /// The earlier key.
        other: &'static str,
    },
}

impl ConfigError {
    pub(super) fn invalid(key: &Key, source: &Source, problem: String) -> Self {
        Self::Invalid { key: key.name.to_owned(), from: source.place(key), problem }
    }

    /// The same for a key of an origin's table.
    pub(super) fn within(self, table: &str) -> Self {
        match self {
            Self::Invalid { key, from, problem } => {
                Self::Invalid { key: format!("{table}.{key}"), from, problem }
            }
            other => other,
        }
    }

    pub(super) fn unknown<'a>(
        written: &str,
        place: String,
        known: impl Iterator<Item = &'a str>,
    ) -> Self {
        Self::UnknownKey { key: shorten(written), place, suggestion: nearest(written, known) }
    }

    /// What the user may do about it, if there is something to say beyond the message.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::UnknownKey { suggestion: Some(name), .. } => {
                Some(format!("did you mean `{name}`?"))
            }
            Self::UnknownKey { suggestion: None, .. } => Some(
                "`hallmark config` lists every key; remove the unknown one to see it".to_owned(),
            ),
            Self::NoFile { named_by, .. } => {
                Some(format!("correct the path, or leave out {named_by} to run with the defaults"))
            }
            Self::Incomplete { missing, .. } => missing.first().map(|key| {
                format!(
                    "set them in hallmark.toml or as variables ({}{}=…)",
                    super::key::VARIABLE_PREFIX,
                    key.to_ascii_uppercase()
                )
            }),
            Self::OtherChain { preset, .. } => Some(format!(
                "leave `chain_id` out, or set `chain` to another preset than `{preset}` or to `custom`"
            )),
            Self::SameAddress { other, .. } => Some(format!(
                "each registry is a contract of its own; correct one of them, or `{other}`"
            )),
            Self::Invalid { .. } | Self::File { .. } | Self::Syntax { .. } => None,
        }
    }
}

/// The known word nearest to a written one, if it is near enough to have been meant.
pub(super) fn nearest<'a>(written: &str, known: impl Iterator<Item = &'a str>) -> Option<String> {
    // A hostile name of a megabyte is not worth a quadratic comparison.
    if written.len() > 64 {
        return None;
    }
    let plain = |text: &str| text.replace('-', "_").to_ascii_lowercase();
    let written = plain(written);
    known
        .map(|name| (strsim::osa_distance(&written, &plain(name)), name))
        .filter(|(distance, name)| *distance <= (name.len() / 3).clamp(1, 4))
        .min()
        .map(|(_, name)| name.to_owned())
}

fn quoted(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}
