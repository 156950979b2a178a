//! What checking an envelope needs to know, and what comes of it: facts and verdicts, as plain values.

use serde_json::{Value, json};

use super::attestation::Attestation;
use super::credential::Credential;
use super::data_integrity::ASSERTION;
use super::envelope::Form;
use super::keyring::KeyRecord;
use super::method::{Method, MethodError};
use super::refusal::Refusal;
use super::typed_record::TypedRecord;
use super::wallet::{self, Question, SignedBy};
use crate::vocab::{AccountId, AgentRef, BlockRef, Digest, Position, Span, UnixSeconds};

/// What is known of a signer before its envelope is checked.
#[derive(Clone, Debug)]
pub struct Facts<'a> {
    /// When the envelope was received.
    pub received: UnixSeconds,
    /// The state of the chain in which the rights below were looked up.
    pub checked_at: Option<BlockRef>,
    /// The method that the envelope names, from its DID's document; `None` for envelopes that wallets sign. Where it could not be had, that
    /// is the verdict: [`Verdict::from`] a [`MethodError`].
    pub method: Option<&'a Method>,
    /// When, and by what, the key or account could speak for the issuer. What an identifier says by itself (did:key, did:pkh, an account
    /// that speaks for itself) need not stand here.
    pub rights: &'a [Right],
    /// What came of asking the chain, where it was asked.
    pub answer: Option<&'a wallet::Verdict>,
    /// What the signer was asked for.
    pub expected: Expected<'a>,
}

/// What a signer was asked to sign along, where anything was.
#[derive(Clone, Copy, Debug, Default)]
pub struct Expected<'a> {
    /// Whom a proof must be meant for.
    pub domain: Option<&'a str>,
    /// The challenge that a proof must carry.
    pub challenge: Option<&'a str>,
    /// What this service goes by: a proof that is meant for somebody must be meant for one of these. Where there are none, whom a proof is
    /// meant for is not looked at.
    pub ours: &'a [&'a str],
    /// The contracts of EAS that count.
    pub eas: &'a [AccountId],
}

/// That a key or an account speaks for an issuer, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Right {
    /// The first second in which it does.
    pub from: UnixSeconds,
    /// The first second in which it no longer does.
    pub to: Option<UnixSeconds>,
    /// By what.
    pub basis: Basis,
}

/// By what a key or an account speaks for an issuer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Basis {
    /// The issuer is that key or account.
    Itself,
    /// The chain's registry names the account as the agent's wallet.
    Wallet {
        /// Which agent.
        agent: AgentRef,
        /// During which positions.
        span: Span,
        /// Whether the wallet signed for the agent; if not, nobody but the registry says so.
        is_proven: bool,
    },
    /// It is a key of this service's ring.
    ServiceKey,
    /// The issuer's document says so, and is known to have said so at these times.
    Document,
    /// The account was linked to the issuer by a signature of its own.
    Link,
}

impl Basis {
    /// The word for it in answers.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Itself => "itself",
            Self::Wallet { .. } => "wallet",
            Self::ServiceKey => "service_key",
            Self::Document => "document",
            Self::Link => "link",
        }
    }
}

impl Right {
    /// That of an identifier which is its own key or account: at any time.
    pub(super) const ITSELF: Self =
        Self { from: UnixSeconds::EPOCH, to: None, basis: Basis::Itself };

    /// That of a key of the service's ring; `None` for one that has never signed, or was not to be trusted when it began to.
    #[must_use]
    pub fn of_key(record: &KeyRecord) -> Option<Self> {
        let from = record.activated?;
        // In the second of a rotation both keys may have signed; since a revocation, nothing counts.
        let retired = record.retired.map(|at| UnixSeconds::new(at.get() + 1).unwrap_or(at));
        let revoked = record.revoked.as_ref().map(|revocation| revocation.since);
        let to = retired.into_iter().chain(revoked).min();
        let basis = Basis::ServiceKey;
        to.is_none_or(|to| from < to).then_some(Self { from, to, basis })
    }

    /// As JSON: by what, from when to when, and for a wallet the agent and the span of positions.
    #[must_use]
    pub fn to_value(&self) -> Value {
        let mut value = json!({ "basis": self.basis.as_str(), "from": self.from, "to": self.to });
        if let (Basis::Wallet { agent, span, is_proven }, Some(object)) =
            (&self.basis, value.as_object_mut())
        {
            let place =
                |at: Position| json!({ "block": at.block_number, "log_index": at.log_index });
            object.insert("agent".to_owned(), agent.to_string().into());
            object.insert(
                "span".to_owned(),
                json!({ "from": place(span.from), "to": span.to.map(place) }),
            );
            object.insert("proven".to_owned(), (*is_proven).into());
        }
        value
    }

    /// Whether it held at a time.
    #[must_use]
    pub fn held_at(&self, time: UnixSeconds) -> bool {
        self.from <= time && self.to.is_none_or(|to| time < to)
    }
}

/// When something was said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Said {
    /// At the time that the signer gives.
    BySigner(UnixSeconds),
    /// The signer gives none: it was received then.
    ByReceipt(UnixSeconds),
}

impl Said {
    /// The time.
    #[must_use]
    pub const fn time(self) -> UnixSeconds {
        match self {
            Self::BySigner(time) | Self::ByReceipt(time) => time,
        }
    }
}

/// What came of checking an envelope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It holds.
    Valid(Box<Valid>),
    /// It does not, and the first reason why.
    Invalid(Refusal),
    /// It is not by the account's key, and may be by its contract: the chain has to be asked, and the answer given with the facts.
    Ask(Box<Question>),
}

impl From<MethodError> for Verdict {
    fn from(error: MethodError) -> Self {
        Self::Invalid(error.into())
    }
}

/// What holds, and by what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Valid {
    /// The form of the envelope.
    pub form: Form,
    /// Whose word it is: a DID, or the canonical text of an agent or account.
    pub issuer: String,
    /// What signed: the DID URL of a method, or the text of an account.
    pub signer: String,
    /// How an account signed; `None` for a key of a document.
    pub signed_by: Option<SignedBy>,
    /// The right by which it speaks for the issuer.
    pub right: Right,
    /// When the signer had stopped speaking for the issuer, where that was over when the envelope came: that it was said before is the
    /// signer's word alone.
    pub ended: Option<UnixSeconds>,
    /// When it was said.
    pub said: Said,
    /// The state of the chain in which the right was looked up.
    pub checked_at: Option<BlockRef>,
    /// What was secured. Nothing else in the envelope counts.
    pub secured: Secured,
}

impl Valid {
    /// The relation under which the key stands in the issuer's document; wallets stand under none of their own.
    #[must_use]
    pub const fn relation(&self) -> Option<&'static str> {
        if self.signed_by.is_none() { Some(ASSERTION) } else { None }
    }

    /// By what it holds, as JSON: form, issuer, signer, how it signed and the block at whose end a contract was asked for that, the right by
    /// which it speaks for the issuer and since when that was over, whose word the time is, and the block at whose end the right was looked
    /// up. What was secured is not in it.
    #[must_use]
    pub fn proof(&self) -> Value {
        let (time, by) = match self.said {
            Said::BySigner(time) => (time, "signer"),
            Said::ByReceipt(time) => (time, "receipt"),
        };
        let block = |block: BlockRef| json!({ "number": block.number, "hash": block.hash });
        json!({
            "form": self.form.as_str(),
            "issuer": self.issuer,
            "signer": self.signer,
            "signed_by": self.signed_by.map(SignedBy::as_str),
            "asked_at": self.signed_by.and_then(SignedBy::block).map(block),
            "relation": self.relation(),
            "right": self.right.to_value(),
            "ended": self.ended,
            "said_at": time,
            "said_by": by,
            "checked_at": self.checked_at.map(block),
        })
    }
}

/// What an envelope secured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Secured {
    /// A record.
    Attestation(Box<Attestation>),
    /// A record with a schema.
    Record(Box<TypedRecord>),
    /// A credential, with the record it carries if it is one of ours.
    Credential(Box<Credential>),
    /// A payload of any other kind.
    Payload {
        /// What kind of thing it is.
        payload_type: String,
        /// The payload.
        payload: Vec<u8>,
    },
}

impl Secured {
    /// The record that was secured, if it was one.
    #[must_use]
    pub fn attestation(&self) -> Option<&Attestation> {
        match self {
            Self::Attestation(attestation) => Some(attestation),
            Self::Credential(credential) => credential.attestation.as_ref(),
            Self::Record(_) | Self::Payload { .. } => None,
        }
    }

    /// The typed record that was secured, if it was one.
    #[must_use]
    pub fn record(&self) -> Option<&TypedRecord> {
        match self {
            Self::Record(record) => Some(record),
            Self::Credential(credential) => credential.record.as_ref(),
            Self::Attestation(_) | Self::Payload { .. } => None,
        }
    }

    /// The digest of the record of ours that was secured, if it was one.
    #[must_use]
    pub fn digest(&self) -> Option<Digest> {
        let attestation = self.attestation().map(Attestation::digest);
        attestation.or_else(|| self.record().map(TypedRecord::digest))
    }

    /// What kind of thing it is: the type of a claim, the schema of a record, `credential`, or the type of a payload.
    #[must_use]
    pub fn kind(&self) -> &str {
        if let Some(attestation) = self.attestation() {
            return &attestation.body.claim.kind;
        }
        match (self.record(), self) {
            (Some(record), _) => &record.schema,
            (None, Self::Payload { payload_type, .. }) => payload_type,
            (None, _) => "credential",
        }
    }
}
