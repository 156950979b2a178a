//! What a document knows of those who signed, put to the checker of envelopes.
//!
//! Which right held is decided by the time that the record gives itself, at the end of the last block whose time is not later. What a
//! document knows ends with the block, or the time, that it is as of: what was said later cannot be judged by it, and does not hold.

use std::collections::BTreeMap;

use super::document::{Answer, Sealed, TraceDocument, UNSIGNED};
use super::party::{Party, WalletSpan};
use super::record::Record;
use crate::attest::envelope::{Envelope, Signer};
use crate::attest::method::{self, Method, MethodKey};
use crate::attest::verdict::{Basis, Expected, Facts, Right, Valid, Verdict};
use crate::attest::wallet::{self, Question, SignedBy};
use crate::attest::{Refusal, verify};
use crate::did::key::PublicKey;
use crate::vocab::{AccountId, BlockRef, ChainId, Digest, Span, Subject, UnixSeconds};

/// What came of checking one envelope.
pub(super) enum Held {
    /// The signature is the issuer's, at that time.
    Holds(Box<Valid>),
    /// It is not, and why.
    Fails(String),
    /// Only a contract can tell.
    Ask(Box<Question>),
}

/// An envelope that was looked at.
pub(super) struct Looked {
    /// The digest of the record that it carries, and the record; of an envelope that does not hold what it claims.
    pub(super) record: Option<(Digest, Record)>,
    pub(super) held: Held,
}

/// A document, by what is asked of it.
pub(super) struct Known<'a> {
    parties: BTreeMap<&'a Subject, &'a Party>,
    answers: BTreeMap<Digest, &'a Answer>,
    until: BTreeMap<ChainId, UnixSeconds>,
    checked_at: UnixSeconds,
}

impl<'a> Known<'a> {
    pub(super) fn new(document: &'a TraceDocument, checked_at: UnixSeconds) -> Self {
        let chains = document.as_of.iter();
        Self {
            parties: document.parties.iter().map(|party| (&party.name, party)).collect(),
            answers: document.answers.iter().map(|answer| (answer.envelope, answer)).collect(),
            until: chains
                .filter_map(|as_of| Some((as_of.chain.parse().ok()?, as_of.block.time)))
                .collect(),
            checked_at,
        }
    }

    /// Looks at one envelope.
    pub(super) fn look(&self, sealed: &Sealed) -> Looked {
        let fails = |why: String| Looked { record: None, held: Held::Fails(why) };
        let raw = sealed.envelope.clone().into_bytes();
        let envelope = match Envelope::read(raw, super::document::ENVELOPE_BYTES_MAX) {
            Ok(envelope) => envelope,
            Err(error) => return fails(error.to_string()),
        };
        // Who says when something was received says no more than when it was checked.
        let received = sealed.received.unwrap_or(self.checked_at).min(self.checked_at);
        let held = match self.verdict(&envelope, received) {
            Verdict::Valid(valid) => Held::Holds(valid),
            Verdict::Invalid(refusal) => Held::Fails(self.in_words(&refusal)),
            Verdict::Ask(question) => Held::Ask(question),
        };
        let secured = match &held {
            Held::Holds(valid) => match valid.secured.record() {
                Some(record) => Some(record.clone()),
                None => return fails("it carries no record of a delegation".to_owned()),
            },
            Held::Fails(_) | Held::Ask(_) => envelope.claimed_record(),
        };
        let Some(typed) = secured else { return Looked { record: None, held } };
        match Record::read(&typed) {
            Ok(record) => Looked { record: Some((typed.digest(), record)), held },
            // What nobody signed needs no second reason.
            Err(error) if matches!(held, Held::Holds(_)) => fails(error.to_string()),
            Err(_) => Looked { record: None, held },
        }
    }

    fn verdict(&self, envelope: &Envelope, received: UnixSeconds) -> Verdict {
        match envelope.signer() {
            Signer::Account { account, issuer } => {
                let party = issuer.and_then(|issuer| self.parties.get(issuer));
                let rights = party.map(|party| self.rights(party, account)).unwrap_or_default();
                let answer = self.answers.get(&envelope.digest());
                let answer = answer.and_then(|answer| said(answer, account));
                verify(envelope, &facts(received, None, &rights, answer.as_ref()))
            }
            Signer::Method(id) => self.verdict_by_method(envelope, id, received),
        }
    }

    fn verdict_by_method(&self, envelope: &Envelope, id: &str, received: UnixSeconds) -> Verdict {
        match method::of_identifier(id) {
            Err(error) => return error.into(),
            Ok(Some(found)) => return verify(envelope, &facts(received, Some(&found), &[], None)),
            Ok(None) => {}
        }
        let did = match method::did_of(id) {
            Ok(did) => did.to_string(),
            Err(error) => return error.into(),
        };
        let party = did.parse().ok().and_then(|name: Subject| self.parties.get(&name).copied());
        let mut verdict = Verdict::from(method::MethodError::Unknown(did.clone()));
        for (key, rights) in party.map(|party| self.keys(party, id)).unwrap_or_default() {
            let key = MethodKey::Public(key);
            let found = Method { id: id.to_owned(), controller: did.clone(), key, ends: None };
            verdict = verify(envelope, &facts(received, Some(&found), &rights, None));
            if matches!(verdict, Verdict::Valid(_)) {
                break;
            }
        }
        verdict
    }

    /// When an account spoke for a party.
    fn rights(&self, party: &Party, account: AccountId) -> Vec<Right> {
        let spans = party.wallets.iter().filter(|span| span.parsed() == Some(account));
        spans
            .map(|span| Right {
                from: span.from.time,
                to: span.to.map(|to| to.time).or_else(|| Some(after(self.until(party)?))),
                basis: basis(&party.name, span),
            })
            .collect()
    }

    /// The keys that a method of this name had, each with when.
    fn keys(&self, party: &Party, id: &str) -> Vec<(PublicKey, Vec<Right>)> {
        let mut keys: Vec<(PublicKey, Vec<Right>)> = Vec::new();
        for span in party.keys.iter().filter(|span| span.method == id) {
            let Ok(key) = PublicKey::parse(&span.key) else { continue };
            let to = span.to.or_else(|| Some(after(self.until(party)?)));
            let right = Right { from: span.from, to, basis: Basis::Document };
            match keys.iter_mut().find(|(known, _)| *known == key) {
                Some((_, rights)) => rights.push(right),
                None => keys.push((key, vec![right])),
            }
        }
        keys
    }

    /// The last second of which the document knows who spoke for a party.
    fn until(&self, party: &Party) -> Option<UnixSeconds> {
        match &party.name {
            Subject::Agent(agent) => self.until.get(&agent.registry.chain).copied(),
            _ => party.as_of,
        }
    }

    /// A refusal, where it is for want of knowledge in other words.
    fn in_words(&self, refusal: &Refusal) -> String {
        let Refusal::NotThen { issuer, said, .. } = refusal else { return refusal.to_string() };
        let name = issuer.parse().ok();
        let Some(party) = name.as_ref().and_then(|name: &Subject| self.parties.get(name)) else {
            return format!("the document does not say who spoke for {issuer}");
        };
        match self.until(party).filter(|until| *said > *until) {
            Some(until) => format!(
                "it was said at {said}, and the document knows who spoke for {issuer} until {until} only"
            ),
            None => refusal.to_string(),
        }
    }
}

/// The second after.
fn after(time: UnixSeconds) -> UnixSeconds {
    UnixSeconds::new(time.get().saturating_add(1)).unwrap_or(time)
}

fn facts<'a>(
    received: UnixSeconds,
    method: Option<&'a Method>,
    rights: &'a [Right],
    answer: Option<&'a wallet::Verdict>,
) -> Facts<'a> {
    Facts { received, checked_at: None, method, rights, answer, expected: Expected::default() }
}

fn said(answer: &Answer, account: AccountId) -> Option<wallet::Verdict> {
    let block = BlockRef { number: answer.block, hash: answer.hash };
    if answer.signed_by == UNSIGNED {
        let why = format!(
            "this is no signature of {account}: neither by its key nor, at the end of block {block}, by a contract of it"
        );
        return Some(wallet::Verdict::Unsigned(why));
    }
    SignedBy::from_word(&answer.signed_by, Some(block)).map(wallet::Verdict::Signed)
}

fn basis(name: &Subject, span: &WalletSpan) -> Basis {
    match (name, span.from.position()) {
        (Subject::Agent(agent), Some(from)) => Basis::Wallet {
            agent: *agent,
            span: Span { from, to: span.to.and_then(|to| to.position()) },
            is_proven: span.cause == "proven",
        },
        _ => Basis::Link,
    }
}
