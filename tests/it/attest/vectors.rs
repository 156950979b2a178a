//! The envelopes under `tests/vectors/envelopes`, which other people's libraries signed: the verdict on each, and that no byte of a valid one
//! can be another.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use hallmark::attest::canonical;
use hallmark::attest::envelope::{Envelope, Form, Signer};
use hallmark::attest::method;
use hallmark::attest::verdict::{Basis, Expected, Facts, Right, Said, Secured, Verdict};
use hallmark::attest::verify::verify;
use hallmark::attest::wallet::SignedBy;
use hallmark::vocab::{AccountId, ChainId, UnixSeconds};
use proptest::prelude::*;
use serde::Deserialize;
use serde_json::Value;

use super::mutation::{changes, says_the_same};

const SIZE_MAX: usize = 100_000;

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Vector {
    about: String,
    /// The envelope's bytes.
    envelope: String,
    /// The document of the key's DID; none where the DID makes its own, or a wallet signed.
    document: Option<Value>,
    /// When the key or wallet spoke for the issuer.
    rights: Vec<Times>,
    received: String,
    #[serde(default)]
    expected: Asked,

    /// Why it does not hold; with `ask: ` before it, what the chain would be asked because of.
    reason: Option<String>,

    /// What holds.
    form: Option<String>,
    issuer: Option<String>,
    signer: Option<String>,
    signed_by: Option<String>,
    said: Option<String>,
    said_by: Option<String>,
    /// The digest of the record that was secured.
    digest: Option<String>,
    /// The `id` of the record.
    uid: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Times {
    from: String,
    to: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    domain: Option<String>,
    challenge: Option<String>,
    #[serde(default)]
    eas: Vec<String>,
}

fn time(text: &str) -> UnixSeconds {
    UnixSeconds::parse(text).unwrap()
}

impl Vector {
    /// The verdict on some bytes, with what is known in this vector; or why they are no envelope.
    fn verdict_on(&self, raw: &[u8]) -> Result<Verdict, String> {
        let envelope = Envelope::read(raw.to_vec(), SIZE_MAX).map_err(|error| error.to_string())?;
        let found = match envelope.signer() {
            Signer::Account { .. } => None,
            Signer::Method(id) => {
                let found = match &self.document {
                    Some(document) => method::assertion_method(document, id).map(Some),
                    None => method::of_identifier(id),
                };
                match found {
                    Ok(found) => found,
                    Err(error) => return Ok(Verdict::from(error)),
                }
            }
        };
        let right = |times: &Times| {
            let to = times.to.as_deref().map(time);
            Right { from: time(&times.from), to, basis: Basis::Document }
        };
        let rights: Vec<_> = self.rights.iter().map(right).collect();
        let account = |text: &String| AccountId::parse(text, ChainId(1)).unwrap();
        let eas: Vec<_> = self.expected.eas.iter().map(account).collect();
        let expected = Expected {
            ours: &[],
            domain: self.expected.domain.as_deref(),
            challenge: self.expected.challenge.as_deref(),
            eas: &eas,
        };
        let facts = Facts {
            received: time(&self.received),
            checked_at: None,
            method: found.as_ref(),
            rights: &rights,
            answer: None,
            expected,
        };
        Ok(verify(&envelope, &facts))
    }

    fn verdict(&self) -> Result<Verdict, String> {
        self.verdict_on(self.envelope.as_bytes())
    }
}

fn vectors(outcome: &str) -> Vec<(PathBuf, Vector)> {
    let folder =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/envelopes").join(outcome);
    let mut paths: Vec<_> =
        fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    assert!(paths.len() > 20, "{} vectors in {}", paths.len(), folder.display());
    let read = |path: PathBuf| {
        let vector: Vector = serde_json::from_slice(&fs::read(&path).unwrap())
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        assert_ne!(vector.form.is_some(), vector.reason.is_some(), "{}", path.display());
        (path, vector)
    };
    paths.into_iter().map(read).collect()
}

#[test]
fn valid_envelopes_hold_for_exactly_what_they_say() {
    let mut forms = Form::ALL.to_vec();
    for (path, vector) in vectors("valid") {
        let name = format!("{}, {}", path.display(), vector.about);
        let verdict = vector.verdict();
        let Ok(Verdict::Valid(valid)) = verdict else { panic!("{name}: {verdict:?}") };
        assert_eq!(Some(valid.form.as_str()), vector.form.as_deref(), "{name}");
        assert_eq!(Some(valid.issuer), vector.issuer, "{name}");
        assert_eq!(Some(valid.signer), vector.signer, "{name}");
        let signed_by = valid.signed_by.map(SignedBy::as_str);
        assert_eq!(signed_by, vector.signed_by.as_deref(), "{name}");
        assert_eq!(Some(valid.said.time().to_string()), vector.said, "{name}");
        let by_receipt = matches!(valid.said, Said::ByReceipt(_));
        assert_eq!(by_receipt, vector.said_by.as_deref() == Some("receipt"), "{name}");
        let record = valid.secured.attestation();
        if let Some(uid) = &vector.uid {
            assert_eq!(record.map(|record| &record.body.id), Some(uid), "{name}");
        } else {
            let digest = record.map(|record| record.digest().to_string());
            assert_eq!(digest, vector.digest, "{name}");
        }
        if let Secured::Credential(credential) = &valid.secured {
            assert!(!credential.document.contains_key("proof"), "{name}: only what was secured");
        }
        forms.retain(|form| *form != valid.form);
    }
    assert_eq!(forms, [], "these forms have no vector");
}

#[test]
fn invalid_envelopes_are_refused_with_the_reason() {
    for (path, vector) in vectors("invalid") {
        let reason = match vector.verdict() {
            Ok(Verdict::Valid(_)) => "valid".to_owned(),
            Ok(Verdict::Invalid(refusal)) => refusal.to_string(),
            Ok(Verdict::Ask(question)) => format!("ask: {}", question.not_by_key),
            Err(error) => error,
        };
        let expected = vector.reason.unwrap();
        // Whom other bytes recover to, nobody knows beforehand.
        let is_it =
            reason == expected || (expected.starts_with("ask: ") && reason.starts_with(&expected));
        assert!(is_it, "{}, {}:\n{reason}\n{expected}", path.display(), vector.about);
    }
}

/// Whether bytes that still verify are the same document, written otherwise: a space of another kind, an escape with another letter.
fn is_the_same(before: &[u8], after: &[u8]) -> bool {
    let canonical = |bytes| canonical::to_bytes(&canonical::read(bytes, SIZE_MAX).ok()?).ok();
    canonical(before).is_some() && canonical(before) == canonical(after)
}

fn assert_worthless(vector: &Vector, changed: &[u8], at: usize) {
    if let Ok(Verdict::Valid(after)) = vector.verdict_on(changed) {
        let Ok(Verdict::Valid(before)) = vector.verdict() else { panic!("{}", vector.about) };
        assert!(
            is_the_same(vector.envelope.as_bytes(), changed) && says_the_same(&before, &after),
            "{} holds with another byte at {at}: {}",
            vector.about,
            String::from_utf8_lossy(changed)
        );
    }
}

/// Every byte of every valid envelope of a form is changed, apart for P-256, which takes the longest.
fn change_every_byte(of: impl Fn(Form, bool) -> bool) {
    let mut envelopes = 0;
    for (path, vector) in vectors("valid") {
        let name = path.file_stem().unwrap().to_str().unwrap();
        let is_p256 = name.contains("p256") || name.contains("ecdsa");
        if !of(Form::from_word(vector.form.as_deref().unwrap()).unwrap(), is_p256) {
            continue;
        }
        envelopes += 1;
        for (at, changed) in changes(vector.envelope.as_bytes()) {
            assert_worthless(&vector, &changed, at);
        }
    }
    assert!(envelopes >= 2, "{envelopes}");
}

#[test]
fn no_byte_of_a_proof_by_ed25519_can_be_another() {
    change_every_byte(|form, is_p256| form == Form::DataIntegrity && !is_p256);
}

#[test]
fn no_byte_of_a_proof_by_p256_can_be_another() {
    change_every_byte(|form, is_p256| form == Form::DataIntegrity && is_p256);
}

#[test]
fn no_byte_of_a_jwt_by_ed25519_can_be_another() {
    change_every_byte(|form, is_p256| form == Form::VcJwt && !is_p256);
}

#[test]
fn no_byte_of_a_jwt_by_p256_can_be_another() {
    change_every_byte(|form, is_p256| form == Form::VcJwt && is_p256);
}

#[test]
fn no_byte_of_a_payload_can_be_another() {
    change_every_byte(|form, _| form == Form::Dsse);
}

#[test]
fn no_byte_of_what_a_wallet_signed_can_be_another() {
    change_every_byte(|form, _| matches!(form, Form::Eip712 | Form::Eip191 | Form::Eas));
}

static VALID: LazyLock<Vec<(PathBuf, Vector)>> = LazyLock::new(|| vectors("valid"));

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    /// Any byte anywhere, by chance, in any number of places.
    #[test]
    fn changed_envelopes_do_not_verify(
        which in any::<prop::sample::Index>(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let (_, vector) = which.get(&VALID);
        let mut changed = vector.envelope.clone().into_bytes();
        for (at, byte) in changes {
            let at = at.index(changed.len());
            changed[at] = byte;
        }
        if changed != vector.envelope.as_bytes() {
            assert_worthless(vector, &changed, 0);
        }
    }

    /// No bytes stop the program.
    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(Envelope::read(bytes, SIZE_MAX).is_err());
    }
}

#[test]
fn large_bodies_are_refused_before_they_are_read() {
    let body = vec![b'['; 5_000_000];
    let error = Envelope::read(body, SIZE_MAX).unwrap_err().to_string();
    assert_eq!(error, "the document has 5000000 bytes; at most 100000 are read");
}
