//! What can be wrong with the service's keys, without a word of what is secret about them.

use std::io;
use std::path::{Path, PathBuf};

use crate::attest::keyring::KeyringError;
use crate::attest::seal::SealError;
use crate::did::key::PublicKey;

/// Why there are no keys, or no change to them.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    /// The machine refused.
    #[error("cannot {doing} the key file `{}`", path.display())]
    Io {
        /// What was tried.
        doing: &'static str,
        /// The key file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// What stands at its path is no file that can be read and replaced.
    #[error("`{}` is {what}, and keys are kept in a plain file", path.display())]
    NoPlainFile {
        /// The path.
        path: PathBuf,
        /// What stands there.
        what: &'static str,
    },
    /// A process that serves found no file where one was.
    #[error("the key file `{}` is gone", path.display())]
    Gone {
        /// The key file.
        path: PathBuf,
    },
    /// There is nothing in the file that a passphrase could be put around.
    #[error("the key file holds no private part that signs or may sign")]
    NothingToSeal,
    /// Others can read or write the file.
    #[error("the key file `{}` is open to others (mode {mode:04o})", path.display())]
    Exposed {
        /// The key file.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// What stands in the file cannot be.
    #[error("the key file `{}` is not understood: {why}", path.display())]
    NotUnderstood {
        /// The key file.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// Another process has been changing the keys for long.
    #[error("another process is changing the key file `{}`", path.display())]
    Locked {
        /// The key file.
        path: PathBuf,
    },
    /// The key is sealed and nobody said under what.
    #[error("the key {0} is sealed under a passphrase, and none is given")]
    NoPassphrase(Box<PublicKey>),
    /// The key does not open, or cannot be sealed.
    #[error("the key {key} cannot be opened or sealed")]
    Seal {
        /// Which key.
        key: Box<PublicKey>,
        /// Why.
        #[source]
        source: SealError,
    },
    /// A record has the private part of another key.
    #[error("what is kept as the private part of the key {0} is that of another")]
    OtherSecret(Box<PublicKey>),
    /// The key that signs is neither in the file nor brought along.
    #[error(
        "the private part of the key {0} is not in the key file, and `signing_key` is not that key"
    )]
    NoSecret(Box<PublicKey>),
    /// The key that was brought along is not in the ring.
    #[error("`signing_key` is the key {0}, which the key file does not know")]
    UnknownSigningKey(Box<PublicKey>),
    /// The ring does not change so.
    #[error(transparent)]
    Ring(#[from] KeyringError),
    /// The system gives no random bytes.
    #[error("the system gives no random bytes: {0}")]
    NoRandom(getrandom::Error),
}

impl KeysError {
    pub(super) fn io(doing: &'static str, path: &Path, source: io::Error) -> Self {
        Self::Io { doing, path: path.to_owned(), source }
    }

    /// The error and its causes, in one line.
    pub(super) fn told(&self) -> String {
        let causes =
            std::iter::successors(Some(self as &dyn std::error::Error), |error| error.source());
        causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
    }

    /// What is wrong, for everybody: no path of this machine.
    pub(super) fn public(&self) -> String {
        match self {
            Self::Io { doing, .. } => format!("this process cannot {doing} the key file"),
            Self::NoPlainFile { what, .. } => format!("the key file is {what}"),
            Self::Gone { .. } => "the key file is gone".to_owned(),
            Self::Exposed { mode, .. } => {
                format!("the key file is open to others (mode {mode:04o})")
            }
            Self::NotUnderstood { .. } => "the key file is not understood".to_owned(),
            Self::Locked { .. } => "another process is changing the key file".to_owned(),
            Self::NoRandom(_) => "the system gives no random bytes".to_owned(),
            Self::Ring(_) | Self::NothingToSeal => "the keys do not change so".to_owned(),
            Self::NoPassphrase(_)
            | Self::Seal { .. }
            | Self::OtherSecret(_)
            | Self::NoSecret(_)
            | Self::UnknownSigningKey(_) => self.to_string(),
        }
    }

    /// What the operator may do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Exposed { path, .. } => format!(
                "let its owner alone read it (chmod 600 {}); if somebody else may have read it, revoke its keys",
                path.display()
            ),
            Self::NoPlainFile { .. } => "set `key_file` to the path of a file".to_owned(),
            Self::NoPassphrase(_) => "set HALLMARK_KEY_PASSPHRASE".to_owned(),
            Self::Seal { source: SealError::WrongPassphrase, .. } => {
                "set HALLMARK_KEY_PASSPHRASE to the one that was given when the key was made; if that is lost, revoke the key and make another".to_owned()
            }
            Self::Locked { .. } => "wait for it to end, and try again".to_owned(),
            Self::NoSecret(_) => {
                "set HALLMARK_SIGNING_KEY to it, or rotate to another key".to_owned()
            }
            Self::UnknownSigningKey(_) => {
                "`hallmark keys rotate` takes it into the file; or leave `signing_key` out"
                    .to_owned()
            }
            Self::Ring(KeyringError::NoSuchKey(_)) => "`hallmark keys list` lists them".to_owned(),
            _ => return None,
        };
        Some(hint)
    }
}
