//! Records taken in: checked, classed, and appended to the log together with whom they mean.
//!
//! [`Records`] is what there is to know for it. [`check`](Records::check) verifies what was signed and gives a [`CheckedRecord`] record or a
//! [`Refused`]; [`commit`](Records::commit) appends many in one transaction that outlasts a loss of power; [`RecordQueue`] gathers what
//! many clients bring at once into such transactions. The rules are `attest`'s and `rekey`'s; here they meet the database.

mod check;
mod commit;
mod facts;
mod ground;
mod held;
mod issue;
mod judge;
mod late;
mod limit;
mod links;
mod noting;
mod origins;
mod queue;
mod refused;
mod ties;

use std::sync::Arc;

pub(in crate::app) use check::Verified;
pub use issue::sign_record;
pub use judge::{EnvelopeHeld, JudgedEnvelope};
pub use origins::{Origin, Origins};
pub use queue::{QueueClosed, RecordQueue, RecordWriter};
pub use refused::{Refused, RefusedBecause};

use super::{Clock, ContractWallets, ForeignDocuments, ServiceKeys};
use crate::attest::Attestation;
use crate::attest::class::IssuerClass;
use crate::attest::envelope::Form;
use crate::attest::incoming::SentBy;
use crate::did::web::WebHost;
use crate::rekey::Rekeying;
use crate::storage::{Database, PartyState, RecordFinding, RecordSource};
use crate::vocab::{AccountId, Digest, Subject, UnixSeconds};

/// The largest record or envelope, in bytes.
pub const RECORD_SIZE_MAX: usize = 128 * 1024;

/// What taking records in rests on. Copies are the same.
#[derive(Clone)]
pub struct Records {
    /// Where they are kept.
    pub database: Database,
    /// When they are received.
    pub clock: Arc<dyn Clock>,
    /// The host of the DIDs that this service gives.
    pub host: WebHost,
    /// The service's own keys.
    pub keys: ServiceKeys,
    /// Finds the documents of other hosts; `None` where none are fetched.
    pub foreign: Option<Arc<ForeignDocuments>>,
    /// Asks contracts whether they signed; `None` where there is no node.
    pub contracts: Option<Arc<ContractWallets>>,
    /// The platforms whose records are taken.
    pub origins: Arc<Origins>,
    /// The contracts of the Ethereum Attestation Service whose off-chain attestations are taken.
    pub eas: Arc<[AccountId]>,
}

/// A record that may be appended: whoever sent it is known, and what was signed holds.
#[derive(Clone, Debug)]
pub struct CheckedRecord {
    /// What it says.
    pub attestation: Attestation,
    /// What was signed, as it came, and its form.
    pub envelope: Option<(Vec<u8>, Form)>,
    /// Where it came from.
    pub source: RecordSource,
    /// Where in its source it stood.
    pub place: Option<String>,
    /// Who sent it.
    pub sent_by: SentBy,
    /// When it was said.
    pub said_at: UnixSeconds,
    /// Whether its issuer or its source gave that time.
    pub is_dated: bool,
    /// When it was received.
    pub received_at: UnixSeconds,
    /// By what the signature counts, as JSON.
    pub proof: Option<String>,
    /// The account that signed for an issuer that is an agent.
    pub spoken_by: Option<AccountId>,
}

/// A record in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// Its place in the log.
    pub seq: u64,
    /// Its digest.
    pub digest: Digest,
    /// Whether it was not held before.
    pub is_new: bool,
    /// What its issuer was found to be; of a record that was held before, then.
    pub issuer_class: Option<IssuerClass>,
    /// Whom its issuer meant, and how sure that is.
    pub issuer: (Subject, Rekeying, PartyState),
    /// Whom its subject meant, and how sure that is.
    pub subject: (Subject, Rekeying, PartyState),
    /// When it was said.
    pub said_at: UnixSeconds,
    /// By what the signature counts, as JSON.
    pub proof: Option<String>,
    /// What was seen of it that ought not to be.
    pub findings: Vec<RecordFinding>,
}

/// What a client brings.
#[derive(Clone, Debug)]
pub enum Submission {
    /// A signed envelope, byte for byte.
    Envelope(Vec<u8>),
    /// A record, and the origin whose token came with it.
    OfOrigin(Vec<u8>, Arc<Origin>),
}

impl CheckedRecord {
    /// The name under which whoever sent it stands in the log.
    #[must_use]
    pub fn issuer(&self) -> Subject {
        let of_platform = |origin: &crate::vocab::OriginName, id: &str| {
            let naming = crate::vocab::Naming { origin: Some(origin), chain: None };
            // The names of plugins are checked where they are configured.
            Subject::parse(id, naming).unwrap_or_else(|_| self.attestation.issuer.clone())
        };
        match &self.sent_by {
            SentBy::Origin(origin) => of_platform(origin, ORIGIN_SENDER),
            SentBy::Plugin { origin, plugin } => of_platform(origin, plugin),
            SentBy::Name(name) => name.clone(),
        }
    }
}

/// What an origin is called among its own names.
pub const ORIGIN_SENDER: &str = "system";
