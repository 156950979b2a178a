//! From what somebody brings to a record of which it is known who says it.

use super::refused::{Refused, RefusedBecause};
use super::{CheckedRecord, Origin, RECORD_SIZE_MAX, Records, Submission};
use crate::app::{AskError, settle};
use crate::attest::attestation::AttestationError;
use crate::attest::canonical::JsonError;
use crate::attest::envelope::{EnvelopeError, Signer};
use crate::attest::incoming::{Incoming, SentBy};
use crate::attest::method::MethodKey;
use crate::attest::verdict::{Basis, Expected, Facts, Said, Secured, Valid, Verdict};
use crate::attest::wallet::Judgement;
use crate::attest::{Attestation, Envelope, verify};
use crate::did::web::Local;
use crate::storage::RecordSource;
use crate::vocab::{AccountId, ChainId, Subject, UnixSeconds};

/// Claims that only the chain makes: whoever else made them would be taken for a registry by readers who look at the type alone.
const OF_THE_CHAIN: &str = "erc8004.";
/// How far ahead of our clock a time may be that nobody signed, in seconds.
const SKEW_S: u64 = verify::SKEW_S;

/// What holds, and the key by which it does, as a Multikey; no key where an account signed.
pub(in crate::app) struct Verified {
    pub(in crate::app) valid: Box<Valid>,
    pub(in crate::app) key: Option<String>,
}

impl Records {
    /// Checks what somebody brings. What takes long is asked of the database, of other hosts, or of a node, within their own bounds.
    ///
    /// # Errors
    /// Why it is not taken.
    pub async fn check(&self, submission: Submission) -> Result<CheckedRecord, Refused> {
        match submission {
            Submission::Envelope(raw) => Box::pin(self.check_envelope(raw)).await,
            Submission::OfOrigin(raw, origin) => self.check_of_origin(&raw, &origin),
        }
    }

    async fn check_envelope(&self, raw: Vec<u8>) -> Result<CheckedRecord, Refused> {
        let envelope = Envelope::read(raw, RECORD_SIZE_MAX).map_err(|error| match error {
            EnvelopeError::Json(JsonError::TooLong { .. }) => {
                Refused::new(RefusedBecause::TooLarge, error)
            }
            _ => Refused::new(RefusedBecause::Malformed, error),
        })?;
        let received_at = self.clock.now();
        // Who is named is not who signed; but whoever looks for a record that was refused looks for it by its digest.
        let Verified { valid, .. } =
            self.verified(&envelope, received_at).await.map_err(|refused| {
                match envelope.claimed_digest() {
                    Some(digest) => refused.of(digest, claimed_signer(&envelope)),
                    None => refused,
                }
            })?;
        let form = valid.form;
        let proof = valid.proof().to_string();
        let Valid { issuer, signer, said, secured, right, .. } = *valid;
        let spoken_by = match right.basis {
            Basis::Wallet { .. } => AccountId::parse(&signer, ChainId(0)).ok(),
            Basis::Itself | Basis::ServiceKey | Basis::Document | Basis::Link => None,
        };
        let Some(attestation) = secured.attestation().cloned() else {
            let why = "what was signed is no attestation; send a record of `attestation/v1` with its context";
            return Err(Refused::new(RefusedBecause::Malformed, why));
        };
        may_claim(&attestation, RecordSource::Signed)?;
        agree(&attestation, said.time(), &secured)
            .map_err(|refused| refused.of(attestation.digest(), &signer))?;
        let sent_by = self.sender(&attestation, &issuer, &signer)?;
        let (said_at, is_dated) = match said {
            Said::BySigner(time) => (time, true),
            Said::ByReceipt(time) => (time, false),
        };
        Ok(CheckedRecord {
            attestation,
            envelope: Some((envelope.raw().to_vec(), form)),
            source: RecordSource::Signed,
            place: None,
            sent_by,
            said_at,
            is_dated,
            received_at,
            proof: Some(proof),
            spoken_by,
        })
    }

    /// Checks an envelope with what is known of its signer.
    pub(in crate::app) async fn verified(
        &self,
        envelope: &Envelope,
        received: UnixSeconds,
    ) -> Result<Verified, Refused> {
        let (did, host) = (Local::Service.did(&self.host), self.host.authority());
        let ours = [did, format!("https://{host}"), host];
        let ours: Vec<_> = ours.iter().map(String::as_str).collect();
        let known = self.known_of(envelope, received).await?;
        let mut facts = Facts {
            received,
            checked_at: known.checked_at,
            method: known.method.as_ref(),
            rights: &known.rights,
            answer: None,
            expected: Expected { ours: &ours, eas: &self.eas, ..Expected::default() },
        };
        let question = match verify(envelope, &facts) {
            Verdict::Valid(valid) => {
                self.note_sighting(known.sighting).await;
                let key = known.method.as_ref().and_then(|method| match &method.key {
                    MethodKey::Public(key) => Some(key.multibase()),
                    MethodKey::Account(_) => None,
                });
                return Ok(Verified { valid, key });
            }
            Verdict::Invalid(refusal) => return Err(Refused::unverified(refusal)),
            Verdict::Ask(question) => question,
        };
        let answer = settle(Judgement::Ask(*question), self.contracts.as_deref()).await;
        // Its key did not sign these bytes; perhaps it signed others, since time is written in many ways.
        let hinted = |why: String| match envelope.time_hint() {
            Some(hint) => format!("{why}; {hint}"),
            None => why,
        };
        let answer = answer.map_err(|error| match error {
            AskError::Node { .. } => Refused::new(RefusedBecause::Unavailable, error),
            AskError::NoNode(why) => Refused::new(RefusedBecause::NoNode, hinted(why)),
        })?;
        facts.answer = Some(&answer);
        match verify(envelope, &facts) {
            Verdict::Valid(valid) => Ok(Verified { valid, key: None }),
            Verdict::Invalid(refusal) => Err(Refused::unverified(hinted(refusal.to_string()))),
            Verdict::Ask(_) => Err(Refused::unverified("the chain was asked and gave no answer")),
        }
    }

    /// Who sent what was signed: an origin by its key, or else whose word it is.
    fn sender(
        &self,
        attestation: &Attestation,
        issuer: &str,
        signer: &str,
    ) -> Result<SentBy, Refused> {
        let of = self.origins.of_signer(signer);
        let named = attestation.context.origin.as_ref();
        match (of, named) {
            (Some(origin), Some(named)) if origin.name == *named => {
                Ok(SentBy::Origin(named.clone()))
            }
            (_, Some(named)) => {
                let why = format!(
                    "the context names the origin `{named}`, and only that origin's own keys or token may: leave `context.origin` out"
                );
                Err(Refused::new(RefusedBecause::Forbidden, why).of(attestation.digest(), issuer))
            }
            (_, None) => {
                let name: Subject = issuer.parse().map_err(Refused::unverified)?;
                Ok(SentBy::Name(name))
            }
        }
    }

    /// A record that an origin posts with its token.
    fn check_of_origin(&self, raw: &[u8], origin: &Origin) -> Result<CheckedRecord, Refused> {
        let attestation = Attestation::read(raw, RECORD_SIZE_MAX).map_err(|error| match error {
            AttestationError::Json(JsonError::TooLong { .. }) => {
                Refused::new(RefusedBecause::TooLarge, error)
            }
            _ => Refused::new(RefusedBecause::Malformed, error),
        })?;
        if attestation.context.origin.as_ref() != Some(&origin.name) {
            let why = format!("`context.origin` must be `{}`, whose token this is", origin.name);
            return Err(
                Refused::new(RefusedBecause::Forbidden, why).of(attestation.digest(), &origin.name)
            );
        }
        let sent_by = SentBy::Origin(origin.name.clone());
        let incoming = Incoming { attestation, sent_by, place: None, said_at: None };
        self.check_incoming(incoming, RecordSource::Origin)
    }

    /// A record that came by a way that says who sent it. What the chain says was said when its block says so, whatever the clock here
    /// says: it is the same on every machine.
    ///
    /// # Errors
    /// When it was said in the future.
    pub fn check_incoming(
        &self,
        incoming: Incoming,
        source: RecordSource,
    ) -> Result<CheckedRecord, Refused> {
        may_claim(&incoming.attestation, source)?;
        let received_at = self.clock.now();
        let said = incoming.time();
        let latest = match source {
            RecordSource::Chain => UnixSeconds::MAX,
            _ => received_at,
        };
        if let Some(said) = said.filter(|said| said.get() > latest.get().saturating_add(SKEW_S)) {
            let why = format!(
                "it was said at {said}, which is yet to come; it was received at {received_at}"
            );
            return Err(Refused::unverified(why).of(incoming.attestation.digest(), source.as_str()));
        }
        Ok(CheckedRecord {
            attestation: incoming.attestation,
            envelope: None,
            source,
            place: incoming.place,
            sent_by: incoming.sent_by,
            said_at: said.map_or(received_at, |said| said.min(latest)),
            is_dated: said.is_some(),
            received_at,
            proof: None,
            spoken_by: None,
        })
    }
}

/// Whether a record that comes by a way may make its claim.
fn may_claim(attestation: &Attestation, source: RecordSource) -> Result<(), Refused> {
    let body = &attestation.body;
    if source == RecordSource::Chain || !body.claim.kind.starts_with(OF_THE_CHAIN) {
        return Ok(());
    }
    let why = format!(
        "claims `{OF_THE_CHAIN}*` are read from the chain and taken from nobody: name `{}` otherwise",
        body.claim.kind
    );
    Err(Refused::new(RefusedBecause::Forbidden, why).of(attestation.digest(), &body.issuer))
}

/// Who is said to have signed.
fn claimed_signer(envelope: &Envelope) -> String {
    match envelope.signer() {
        Signer::Method(method) => method.to_owned(),
        Signer::Account { account, .. } => account.to_string(),
    }
}

/// Whether a credential and the record in it are of one time. Who signs a record later than it was said says the time of the record.
fn agree(attestation: &Attestation, said: UnixSeconds, secured: &Secured) -> Result<(), Refused> {
    let Secured::Credential(credential) = secured else { return Ok(()) };
    if let Some(from) = credential.valid_from.filter(|from| said < *from) {
        let why = format!("it was signed at {said}, before it was valid ({from})");
        return Err(Refused::unverified(why));
    }
    let apart = |time: UnixSeconds| time.get().abs_diff(said.get()) > SKEW_S;
    match attestation.said_at().filter(|time| apart(*time)) {
        Some(time) => Err(Refused::unverified(format!(
            "the record was said at {time} (`issuedAt`), and its credential at {said}: let `validFrom`, or `iat`, be the record's time"
        ))),
        None => Ok(()),
    }
}
