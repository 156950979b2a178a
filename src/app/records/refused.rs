//! Why a record is not taken.

use crate::vocab::Digest;

/// What kind of reason it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RefusedBecause {
    /// It cannot be read.
    Malformed,
    /// It is larger than what is taken in.
    TooLarge,
    /// What was signed does not hold.
    Unverified,
    /// Only a chain can say whether what was signed holds, and this service has no node of it.
    NoNode,
    /// Whoever sent it may not say that.
    Forbidden,
    /// A limit.
    Limit(&'static str),
    /// What it takes to check it cannot be had now.
    Unavailable,
}

impl RefusedBecause {
    /// The word for it in storage, counts and answers.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::TooLarge => "too_large",
            Self::Unverified | Self::NoNode => "unverified",
            Self::Forbidden => "forbidden",
            Self::Limit(which) => which,
            Self::Unavailable => "unavailable",
        }
    }
}

/// A record that is not taken, and why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct Refused {
    /// What kind of reason.
    pub because: RefusedBecause,
    /// The reason, in words for people.
    pub detail: String,
    /// Its digest, where it is a record.
    pub digest: Option<Digest>,
    /// Who sent it, where that is known.
    pub issuer: Option<String>,
}

impl Refused {
    pub(in crate::app) fn new(because: RefusedBecause, detail: impl std::fmt::Display) -> Self {
        Self { because, detail: detail.to_string(), digest: None, issuer: None }
    }

    pub(in crate::app) fn unverified(detail: impl std::fmt::Display) -> Self {
        Self::new(RefusedBecause::Unverified, detail)
    }

    pub(in crate::app) fn of(self, digest: Digest, issuer: impl std::fmt::Display) -> Self {
        Self { digest: Some(digest), issuer: Some(issuer.to_string()), ..self }
    }
}
