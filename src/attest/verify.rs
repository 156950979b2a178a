//! Whether an envelope holds: the signature, whose key it is, and whether that key could speak for the issuer at that time.
//!
//! A signature proves that a key signed. That it counts takes more, and each of these is checked here, in this order: the signature itself;
//! what the envelope says of its purpose, domain, challenge and times; that the key's controller is the issuer; and that the key or wallet
//! was the issuer's *when it was said*. The caller brings what is known of the key and of that time ([`Facts`]); nothing is looked up here.
//! The verdict is a value: what holds, with the right by which it does, or the first reason why not. Where only the chain can tell whether
//! an account signed, everything else is checked before it is asked.
//!
//! A time that a signer gives is the signer's word: a key that was stolen can sign for the past. So the verdict says whose word the time is.

use alloy::primitives::{B256, Bytes};
use serde_json::Value;

use super::attestation::Attestation;
use super::canonical;
use super::credential::Credential;
use super::data_integrity::{ASSERTION, Proven, Suite};
use super::dsse::{ATTESTATION_TYPE, Dsse};
use super::eas::EasAttestation;
use super::envelope::{Content, Envelope};
use super::field::{self, FieldError};
use super::jose::{Jws, Typ};
use super::method::{self, Method, MethodError, MethodKey};
use super::refusal::Refusal;
use super::typed_record::{PAYLOAD_TYPE, TypedRecord};
use super::verdict::{Facts, Right, Said, Secured, Valid, Verdict};
use super::wallet::{self, Judgement, Question, SignedBy};
use crate::did::key::PublicKey;
use crate::vocab::{AccountId, Subject, UnixSeconds};

/// How far a signer's clock may be ahead of ours, in seconds.
pub const SKEW_S: u64 = 300;
/// The type of a credential that is a JWT.
const VC_JWT: Typ = Typ::Of("vc+jwt");
/// The longest issuer, audience or nonce of a JWT, in bytes.
const CLAIM_LEN_MAX: usize = 2048;

/// What was found of an envelope.
struct Found {
    issuer: String,
    signer: String,
    signed_by: Option<SignedBy>,
    right: Right,
    said: Said,
    secured: Secured,
}

/// Why an envelope is not valid, or not yet known to be.
enum Not {
    Refused(Refusal),
    Known(Box<Question>),
}

impl<T: Into<Refusal>> From<T> for Not {
    fn from(refusal: T) -> Self {
        Self::Refused(refusal.into())
    }
}

/// Checks an envelope.
#[must_use]
pub fn verify(envelope: &Envelope, facts: &Facts<'_>) -> Verdict {
    let found = match &envelope.content {
        Content::Jwt { text, method } => jwt(text, method, facts),
        Content::Credential { proven, credential } => proof(proven, credential, facts),
        Content::Dsse(dsse) => payload(dsse, facts),
        Content::Statement(statement) => {
            let signed = Signed {
                account: statement.account,
                digest: statement.digest(),
                signature: &statement.signature,
                said: statement.said_at,
                expires: None,
            };
            let attestation = &statement.attestation;
            let secured = Secured::Attestation(Box::new(attestation.clone()));
            by_account(&signed, &attestation.issuer, secured, facts)
        }
        Content::Record(statement) => {
            let record = &statement.record;
            let signed = Signed {
                account: statement.account,
                digest: statement.digest(),
                signature: &statement.signature,
                said: record.said_at,
                expires: None,
            };
            by_account(&signed, &record.issuer, Secured::Record(Box::new(record.clone())), facts)
        }
        Content::Eas(eas) => eas_attestation(eas, facts),
    };
    match found {
        Ok(Found { issuer, signer, signed_by, right, said, secured }) => {
            let (form, checked_at, ended) =
                (envelope.form(), facts.checked_at, ended(&right, facts));
            let valid =
                Valid { form, issuer, signer, signed_by, right, ended, said, checked_at, secured };
            Verdict::Valid(Box::new(valid))
        }
        Err(Not::Known(question)) => Verdict::Ask(question),
        Err(Not::Refused(refusal)) => Verdict::Invalid(refusal),
    }
}

/// A credential as a JWT: nothing of it is parsed before the signature holds.
fn jwt(text: &str, name: &str, facts: &Facts<'_>) -> Result<Found, Not> {
    let (method, key) = method_key(name, facts)?;
    let payload = Jws::read(text)?.verify(key, VC_JWT)?;
    let claims = field::object("the payload", canonical::read(&payload, payload.len())?)?;
    let credential = Credential::from_document(claims.clone())?;
    let time = |claim| match claims.get(claim) {
        None => Ok(None),
        Some(value) => canonical::integer(value)
            .and_then(UnixSeconds::new)
            .map(Some)
            .ok_or_else(|| FieldError::new(claim, "it must be a time in seconds".to_owned())),
    };
    let word = |claim| field::word(&claims, claim, CLAIM_LEN_MAX);
    if word("iss")?.is_some_and(|iss| iss != credential.issuer) {
        let why = "it is not the issuer of the credential".to_owned();
        return Err(FieldError::new("iss", why).into());
    }
    let audience: Vec<_> = match claims.get("aud") {
        Some(Value::Array(several)) => {
            several.iter().filter_map(Value::as_str).map(str::to_owned).collect()
        }
        _ => word("aud")?.into_iter().collect(),
    };
    meant_for(&audience, word("nonce")?.as_deref(), facts)?;
    let from = time("nbf")?.max(credential.valid_from);
    let until = [time("exp")?, credential.valid_until];
    let claimed = of_record(&credential, time("iat")?.or(credential.valid_from))?;
    let said = said(claimed, from, &until, facts)?;
    let right = right_of_method(method, name, &credential.issuer, said, facts)?;
    Ok(of_method(
        name,
        credential.issuer.clone(),
        right,
        said,
        Secured::Credential(Box::new(credential)),
    ))
}

/// A credential with a proof inside.
fn proof(proven: &Proven, credential: &Credential, facts: &Facts<'_>) -> Result<Found, Not> {
    let (method, key) = method_key(&proven.method, facts)?;
    if Suite::of(key.algorithm()) != Some(proven.suite) {
        return Err(Refusal::OtherSuite { suite: proven.suite.as_str() }.into());
    }
    key.verify(&proven.signed, &proven.signature)?;
    if proven.purpose != ASSERTION {
        return Err(Refusal::OtherPurpose(crate::vocab::shorten(&proven.purpose)).into());
    }
    meant_for(&proven.domains, proven.challenge.as_deref(), facts)?;
    let until = [proven.expires, credential.valid_until];
    let claimed = of_record(credential, proven.created.or(credential.valid_from))?;
    let said = said(claimed, credential.valid_from, &until, facts)?;
    let right = right_of_method(method, &proven.method, &credential.issuer, said, facts)?;
    let secured = Secured::Credential(Box::new(credential.clone()));
    Ok(of_method(&proven.method, credential.issuer.clone(), right, said, secured))
}

/// When a credential was issued: of one that carries a typed record, when the record says, which must be when it was signed.
fn of_record(
    credential: &Credential,
    signed: Option<UnixSeconds>,
) -> Result<Option<UnixSeconds>, Refusal> {
    let Some(record) = &credential.record else { return Ok(signed) };
    let said = record.said_at;
    match signed.filter(|signed| *signed != said) {
        Some(signed) => Err(Refusal::OtherTime { signed, said }),
        None => Ok(Some(said)),
    }
}

/// An envelope of DSSE: its issuer is whoever's key it is, since a payload need not name one; but a typed record does.
fn payload(dsse: &Dsse, facts: &Facts<'_>) -> Result<Found, Not> {
    let (method, key) = method_key(&dsse.method, facts)?;
    key.verify(&dsse.signed_bytes(), &dsse.signature)?;
    meant_for(&[], None, facts)?;
    let (issuer, secured, claimed) = if dsse.payload_type == ATTESTATION_TYPE {
        let attestation = Attestation::read(&dsse.payload, dsse.payload.len())?;
        let claimed = attestation.said_at();
        (method.controller.clone(), Secured::Attestation(Box::new(attestation)), claimed)
    } else if dsse.payload_type == PAYLOAD_TYPE {
        let record = TypedRecord::read(&dsse.payload)?;
        let claimed = Some(record.said_at);
        (record.issuer.to_string(), Secured::Record(Box::new(record)), claimed)
    } else {
        let (payload_type, payload) = (dsse.payload_type.clone(), dsse.payload.clone());
        (method.controller.clone(), Secured::Payload { payload_type, payload }, None)
    };
    let said = said(claimed, None, &[], facts)?;
    let right = right_of_method(method, &dsse.method, &issuer, said, facts)?;
    Ok(of_method(&dsse.method, issuer, right, said, secured))
}

fn eas_attestation(eas: &EasAttestation, facts: &Facts<'_>) -> Result<Found, Not> {
    if !facts.expected.eas.contains(&eas.contract) {
        return Err(Refusal::OtherEas(eas.contract).into());
    }
    let signed = Signed {
        account: eas.signer,
        digest: eas.digest(),
        signature: &eas.signature,
        said: eas.time,
        expires: eas.expires,
    };
    let attestation = eas.attestation()?;
    let issuer = attestation.issuer.clone();
    by_account(&signed, &issuer, Secured::Attestation(Box::new(attestation)), facts)
}

/// What an account is said to have signed.
struct Signed<'a> {
    account: AccountId,
    digest: B256,
    signature: &'a Bytes,
    said: UnixSeconds,
    expires: Option<UnixSeconds>,
}

fn by_account(
    signed: &Signed<'_>,
    issuer: &Subject,
    secured: Secured,
    facts: &Facts<'_>,
) -> Result<Found, Not> {
    let account = signed.account;
    let judgement = wallet::judge(account, signed.digest, signed.signature);
    let signed_by = match (judgement, facts.answer) {
        (Judgement::Signed, _) => Ok(SignedBy::Key),
        (Judgement::Ask(_), Some(wallet::Verdict::Signed(by))) => Ok(*by),
        (Judgement::Ask(_), Some(wallet::Verdict::Unsigned(why))) => {
            return Err(Refusal::Unsigned(why.clone()).into());
        }
        (Judgement::Ask(question), None) => Err(Not::Known(Box::new(question))),
    };
    meant_for(&[], None, facts)?;
    let said = said(Some(signed.said), None, &[signed.expires], facts)?;
    let name = issuer.to_string();
    let right = if *issuer == Subject::Account(account) {
        Right::ITSELF
    } else {
        right_at(&account.to_string(), &name, said, facts)?
    };
    Ok(Found {
        issuer: name,
        signer: account.to_string(),
        signed_by: Some(signed_by?),
        right,
        said,
        secured,
    })
}

fn of_method(name: &str, issuer: String, right: Right, said: Said, secured: Secured) -> Found {
    Found { issuer, signer: name.to_owned(), signed_by: None, right, said, secured }
}

/// The method of the envelope and its key.
fn method_key<'a>(name: &str, facts: &Facts<'a>) -> Result<(&'a Method, &'a PublicKey), Refusal> {
    let unknown = || MethodError::Unknown(crate::vocab::shorten(name));
    let method = facts.method.ok_or_else(unknown)?;
    match &method.key {
        MethodKey::Public(key) => Ok((method, key)),
        MethodKey::Account(_) => Err(Refusal::AccountKey(method.id.clone())),
    }
}

/// Checks that an envelope is meant for whom, and carries what, its signer was asked for.
fn meant_for(
    domains: &[String],
    challenge: Option<&str>,
    facts: &Facts<'_>,
) -> Result<(), Refusal> {
    let expected = &facts.expected;
    if let Some(domain) = expected.domain
        && !domains.iter().any(|found| found == domain)
    {
        let found = domains.iter().take(3).map(|found| crate::vocab::shorten(found)).collect();
        return Err(Refusal::OtherDomain { found, expected: domain.to_owned() });
    }
    let is_ours = |found: &String| expected.ours.contains(&found.as_str());
    if let Some(name) = expected.ours.first()
        && !domains.is_empty()
        && !domains.iter().any(is_ours)
    {
        let found = domains.iter().take(3).map(|found| crate::vocab::shorten(found)).collect();
        return Err(Refusal::OtherDomain { found, expected: (*name).to_owned() });
    }
    if expected.challenge.is_some() && challenge != expected.challenge {
        return Err(Refusal::OtherChallenge);
    }
    Ok(())
}

/// When something was said, if it counts at the time of receipt.
fn said(
    claimed: Option<UnixSeconds>,
    from: Option<UnixSeconds>,
    until: &[Option<UnixSeconds>],
    facts: &Facts<'_>,
) -> Result<Said, Refusal> {
    let received = facts.received;
    let is_ahead = |time: UnixSeconds| time.get() > received.get().saturating_add(SKEW_S);
    if let Some(from) = from.filter(|from| is_ahead(*from)) {
        return Err(Refusal::NotYet { from, received });
    }
    if let Some(said) = claimed.filter(|said| is_ahead(*said)) {
        return Err(Refusal::FromTheFuture { said, received });
    }
    let ended = until.iter().flatten().copied().filter(|until| *until <= received).min();
    if let Some(until) = ended {
        return Err(Refusal::Expired { until, received });
    }
    // A clock that is a little ahead said it now.
    Ok(claimed.map_or(Said::ByReceipt(received), |said| Said::BySigner(said.min(received))))
}

/// The right of a document's key, if it is the issuer's and was then.
fn right_of_method(
    method: &Method,
    name: &str,
    issuer: &str,
    said: Said,
    facts: &Facts<'_>,
) -> Result<Right, Refusal> {
    let did = method::did_of(name)?;
    // The document is that of the name's DID; its key may be somebody else's all the same.
    if method.id != name || method.controller != issuer || did.as_str() != issuer {
        let (controller, issuer) = (method.controller.clone(), issuer.to_owned());
        return Err(Refusal::OtherController { controller, issuer });
    }
    if let Some(ended) = method.ends.filter(|ends| *ends <= said.time()) {
        let (method, said) = (method.id.clone(), said.time());
        return Err(Refusal::MethodEnded { method, ended, said });
    }
    if matches!(did.method(), "key" | "pkh") {
        Ok(Right::ITSELF)
    } else {
        right_at(name, issuer, said, facts)
    }
}

/// The right that held when it was said.
fn right_at(signer: &str, issuer: &str, said: Said, facts: &Facts<'_>) -> Result<Right, Refusal> {
    let right = facts.rights.iter().find(|right| right.held_at(said.time()));
    right.cloned().ok_or_else(|| Refusal::NotThen {
        signer: signer.to_owned(),
        issuer: issuer.to_owned(),
        said: said.time(),
        rights: facts.rights.to_vec(),
    })
}

/// When a signer had stopped speaking for its issuer, where that was over when the envelope came. A clock may go wrong, and what was said in
/// time may be under way, by as much as a signer's may be ahead; and whoever speaks again since is not late.
fn ended(right: &Right, facts: &Facts<'_>) -> Option<UnixSeconds> {
    let is_over = |to: &UnixSeconds| to.get().saturating_add(SKEW_S) < facts.received.get();
    if let Some(ends) = facts.method.and_then(|method| method.ends).filter(is_over) {
        return Some(ends);
    }
    let own = right.to.filter(is_over)?;
    let all: Option<Vec<_>> = facts.rights.iter().map(|right| right.to.filter(is_over)).collect();
    all?.into_iter().chain([own]).max()
}

#[cfg(test)]
#[path = "verify_tests.rs"]
mod tests;
