//! Proofs inside a document: `DataIntegrityProof` by `eddsa-jcs-2022` and `ecdsa-jcs-2019` (Data Integrity EdDSA Cryptosuites 1.0,
//! section 3.3; ECDSA Cryptosuites 1.0, section 3.3).
//!
//! Both hash the RFC 8785 bytes of the proof without its value, then those of the document without its proof. Suites that turn the
//! document into RDF first are refused: what they sign depends on contexts, and known implementations leave lists outside the signature.
//! So are suites that disclose a part. A document has one proof here, since of several nobody could say who signed what; and its
//! `@context` must be the one that was signed, no more and no less.
//!
//! Whose key it must be, and for when, is `verify`'s to say.

use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use super::canonical::{self, JsonError};
use super::field::{self, FieldError};
use super::key::{Algorithm, PrivateKey, SIGNATURE_LEN};
use crate::vocab::{UnixSeconds, shorten};

/// The purpose that statements are signed for.
pub const ASSERTION: &str = "assertionMethod";
/// The type of every proof.
const PROOF_TYPE: &str = "DataIntegrityProof";
/// The longest text of a signature: 64 bytes make at most 88 signs of base58.
const VALUE_LEN_MAX: usize = 100;
/// The longest name, domain or challenge that is read, in bytes.
const TEXT_LEN_MAX: usize = 2048;

/// A way to sign that is understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Suite {
    /// Ed25519.
    EddsaJcs2022,
    /// P-256.
    EcdsaJcs2019,
}

impl Suite {
    /// Its name in a proof.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::EddsaJcs2022 => "eddsa-jcs-2022",
            Self::EcdsaJcs2019 => "ecdsa-jcs-2019",
        }
    }

    /// The suite that a key signs by; `None` for secp256k1, which has none.
    #[must_use]
    pub const fn of(algorithm: Algorithm) -> Option<Self> {
        match algorithm {
            Algorithm::EdDsa => Some(Self::EddsaJcs2022),
            Algorithm::Es256 => Some(Self::EcdsaJcs2019),
            Algorithm::Es256k => None,
        }
    }

    fn parse(name: &str) -> Result<Self, ProofError> {
        match name {
            "eddsa-jcs-2022" => Ok(Self::EddsaJcs2022),
            "ecdsa-jcs-2019" => Ok(Self::EcdsaJcs2019),
            "eddsa-rdfc-2022" | "ecdsa-rdfc-2019" => Err(ProofError::Rdf {
                suite: name.to_owned(),
                instead: if name.starts_with("ed") { "eddsa-jcs-2022" } else { "ecdsa-jcs-2019" },
            }),
            "ecdsa-sd-2023" | "bbs-2023" => Err(ProofError::Disclosure(name.to_owned())),
            _ => Err(ProofError::OtherSuite(shorten(name))),
        }
    }
}

/// Why a document's proof is none that can be checked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// A field is missing, or not what it must be.
    #[error(transparent)]
    Field(#[from] FieldError),
    /// A number in the document cannot be written canonically.
    #[error(transparent)]
    Json(#[from] JsonError),
    /// There is not exactly one proof.
    #[error("the document has {0} proofs; send it with exactly one, once for each signer")]
    Count(usize),
    /// Another type of proof.
    #[error(
        "the proof has the type `{0}`; use `{PROOF_TYPE}` with `eddsa-jcs-2022` or `ecdsa-jcs-2019`"
    )]
    OtherType(String),
    /// The suite signs RDF.
    #[error(
        "`{suite}` signs the document as RDF: what is signed depends on contexts, and lists have been left outside of it; sign with `{instead}`"
    )]
    Rdf {
        /// Its name.
        suite: String,
        /// What to sign with.
        instead: &'static str,
    },
    /// The suite shows a part of what was signed.
    #[error(
        "`{0}` shows a part of what was signed, and records are kept whole; sign with `eddsa-jcs-2022` or `ecdsa-jcs-2019`"
    )]
    Disclosure(String),
    /// A suite that is not known.
    #[error(
        "the cryptosuite `{0}` is not known here; sign with `eddsa-jcs-2022` or `ecdsa-jcs-2019`"
    )]
    OtherSuite(String),
    /// The proof is one of a chain.
    #[error(
        "the proof has a `previousProof`: chains of proofs are not read; sign the document anew"
    )]
    Chained,
    /// What was signed had another context.
    #[error("the `@context` of the document is not the one that was signed")]
    OtherContext,
    /// The signature is none.
    #[error("`proof.proofValue`: a signature is `z` and the base58 of {SIGNATURE_LEN} bytes")]
    BadValue,
    /// The key cannot sign by any suite.
    #[error("keys of secp256k1 sign no document; sign as a wallet (EIP-712)")]
    NoSuite,
}

/// What a signer says of their signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProofOptions<'a> {
    /// The DID URL of the key.
    pub method: &'a str,
    /// When.
    pub created: UnixSeconds,
    /// Until when it counts.
    pub expires: Option<UnixSeconds>,
    /// Whom it is meant for.
    pub domain: Option<&'a str>,
    /// What was to be signed along.
    pub challenge: Option<&'a str>,
}

/// Signs a document, which must have no proof yet; gives it back with one.
///
/// # Errors
/// When it has a proof, a number in it cannot be written canonically, or the key has no suite.
pub fn sign(
    document: &Map<String, Value>,
    options: &ProofOptions<'_>,
    key: &PrivateKey,
) -> Result<Map<String, Value>, ProofError> {
    if document.contains_key("proof") {
        return Err(ProofError::Count(2));
    }
    let suite = Suite::of(key.public().algorithm()).ok_or(ProofError::NoSuite)?;
    let mut proof = Map::new();
    let fields = [
        ("@context", document.get("@context").cloned()),
        ("type", Some(PROOF_TYPE.into())),
        ("cryptosuite", Some(suite.as_str().into())),
        ("created", Some(options.created.to_string().into())),
        ("expires", options.expires.map(|time| time.to_string().into())),
        ("verificationMethod", Some(options.method.into())),
        ("proofPurpose", Some(ASSERTION.into())),
        ("domain", options.domain.map(Value::from)),
        ("challenge", options.challenge.map(Value::from)),
    ];
    proof.extend(fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
    let signature = key.sign(&hash_data(document, &proof)?);
    let value = format!("z{}", bs58::encode(signature).into_string());
    proof.insert("proofValue".to_owned(), value.into());
    let mut signed = document.clone();
    signed.insert("proof".to_owned(), Value::Object(proof));
    Ok(signed)
}

/// What is signed: the hash of the proof without its value, and that of the document without its proof.
fn hash_data(
    document: &Map<String, Value>,
    proof: &Map<String, Value>,
) -> Result<[u8; 64], JsonError> {
    let mut data = [0; 64];
    let (first, second) = data.split_at_mut(32);
    first.copy_from_slice(&Sha256::digest(canonical::to_bytes(&json!(proof))?));
    second.copy_from_slice(&Sha256::digest(canonical::to_bytes(&json!(document))?));
    Ok(data)
}

/// A document and its proof, taken apart and not checked yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proven {
    /// The document without its proof: what is secured if the signature holds.
    pub document: Map<String, Value>,
    /// By which suite.
    pub suite: Suite,
    /// The DID URL of the key.
    pub method: String,
    /// When, by the signer's own word.
    pub created: Option<UnixSeconds>,
    /// Until when it counts.
    pub expires: Option<UnixSeconds>,
    /// What for.
    pub purpose: String,
    /// Whom it is meant for.
    pub domains: Vec<String>,
    /// What was signed along.
    pub challenge: Option<String>,
    /// The bytes that were signed.
    pub signed: [u8; 64],
    /// The signature.
    pub signature: [u8; SIGNATURE_LEN],
}

/// Takes a document and its proof apart.
///
/// # Errors
/// Names the first thing that is wrong.
pub fn read(mut document: Map<String, Value>) -> Result<Proven, ProofError> {
    let mut proof = match field::take(&mut document, "proof")? {
        Value::Array(mut proofs) if proofs.len() == 1 => proofs.remove(0),
        Value::Array(proofs) => return Err(ProofError::Count(proofs.len())),
        proof => proof,
    };
    let proof = proof.as_object_mut();
    let proof = proof.ok_or_else(|| FieldError::new("proof", "it must be an object".to_owned()))?;
    let of_proof = |error: FieldError| ProofError::Field(error.of("proof"));
    let word = |proof: &_, name| field::word(proof, name, TEXT_LEN_MAX).map_err(of_proof);
    let required =
        |proof: &_, name| field::required_word(proof, name, TEXT_LEN_MAX).map_err(of_proof);
    let kind = required(proof, "type")?;
    if kind != PROOF_TYPE {
        return Err(ProofError::OtherType(shorten(&kind)));
    }
    let suite = Suite::parse(&required(proof, "cryptosuite")?)?;
    if proof.contains_key("previousProof") {
        return Err(ProofError::Chained);
    }
    if proof.get("@context").is_some_and(|context| document.get("@context") != Some(context)) {
        return Err(ProofError::OtherContext);
    }
    let value = required(proof, "proofValue")?;
    proof.remove("proofValue");
    let time = |name| match word(proof, name)? {
        None => Ok(None),
        Some(text) => UnixSeconds::of_timestamp(&text).map(Some).ok_or_else(|| {
            of_proof(FieldError::new(name, "write a time as `2026-02-03T11:08:33Z`".to_owned()))
        }),
    };
    Ok(Proven {
        suite,
        method: required(proof, "verificationMethod")?,
        created: time("created")?,
        expires: time("expires")?,
        purpose: required(proof, "proofPurpose")?,
        domains: domains(proof).map_err(of_proof)?,
        challenge: word(proof, "challenge")?,
        signed: hash_data(&document, proof)?,
        signature: signature(&value).ok_or(ProofError::BadValue)?,
        document,
    })
}

/// One domain, or several.
fn domains(proof: &Map<String, Value>) -> Result<Vec<String>, FieldError> {
    match proof.get("domain") {
        Some(Value::Array(items)) => {
            let texts = items.iter().map(|item| item.as_str().map(str::to_owned));
            texts
                .collect::<Option<_>>()
                .ok_or_else(|| FieldError::new("domain", "it must be a text or several".to_owned()))
        }
        _ => Ok(field::text(proof, "domain")?.into_iter().collect()),
    }
}

fn signature(value: &str) -> Option<[u8; SIGNATURE_LEN]> {
    let digits = value.strip_prefix('z').filter(|digits| digits.len() <= VALUE_LEN_MAX)?;
    bs58::decode(digits).into_vec().ok()?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attest::key::KeyKind;

    const METHOD: &str = "did:web:a.example#one";

    fn options() -> ProofOptions<'static> {
        let created = UnixSeconds::new(1_770_116_913).unwrap();
        ProofOptions { method: METHOD, created, expires: None, domain: None, challenge: None }
    }

    fn document() -> Map<String, Value> {
        let document =
            json!({ "@context": ["https://a.example/v1"], "list": ["b", "a"], "n": 0.5 });
        document.as_object().unwrap().clone()
    }

    fn signed(kind: KeyKind) -> (Map<String, Value>, PrivateKey) {
        let key = PrivateKey::from_bytes(kind, &[7; 32]).unwrap();
        (sign(&document(), &options(), &key).unwrap(), key)
    }

    fn holds(signed: Map<String, Value>, key: &PrivateKey) -> bool {
        let Ok(proven) = read(signed) else { return false };
        key.public().verify(&proven.signed, &proven.signature).is_ok()
    }

    #[test]
    fn what_is_signed_is_read_again() {
        for kind in KeyKind::ALL {
            let (signed, key) = signed(kind);
            let proven = read(signed.clone()).unwrap();
            assert_eq!(proven.document, document());
            assert_eq!((proven.method.as_str(), proven.purpose.as_str()), (METHOD, ASSERTION));
            assert_eq!(proven.created, Some(options().created));
            assert_eq!(signed["proof"]["@context"], document()["@context"]);
            assert!(holds(signed.clone(), &key));
            let mut in_array = signed.clone();
            in_array["proof"] = json!([signed["proof"]]);
            assert!(holds(in_array, &key));
            let more = ProofOptions {
                domain: Some("a"),
                challenge: Some("b"),
                expires: Some(UnixSeconds::MAX),
                ..options()
            };
            let bound = read(sign(&document(), &more, &key).unwrap()).unwrap();
            assert_eq!(
                (bound.domains, bound.challenge),
                (vec!["a".to_owned()], Some("b".to_owned()))
            );
            assert_eq!(bound.expires, Some(UnixSeconds::MAX));
            assert_eq!(sign(&signed, &options(), &key), Err(ProofError::Count(2)));
        }
    }

    /// Elements of a list changed places, or another stands in its place; a field was added, in the document or the proof.
    #[test]
    fn every_part_is_covered() {
        let (signed, key) = signed(KeyKind::Ed25519);
        for (at, value) in [
            ("/list", json!(["a", "b"])),
            ("/list/0", json!("c")),
            ("/n", json!(0.500_000_1)),
            ("/proof/created", json!("2026-02-03T11:08:34Z")),
            ("/proof/verificationMethod", json!("did:web:b.example#one")),
            ("/proof/proofPurpose", json!("authentication")),
        ] {
            let mut changed = Value::Object(signed.clone());
            *changed.pointer_mut(at).unwrap() = value;
            let Value::Object(changed) = changed else { unreachable!() };
            assert!(!holds(changed, &key), "{at}");
        }
        let mut more = signed.clone();
        more.insert("added".to_owned(), json!(1));
        assert!(!holds(more, &key));
        let mut more = signed;
        more["proof"]["domain"] = json!("a");
        assert!(!holds(more, &key));
    }

    #[test]
    fn what_is_not_checked_is_refused_with_what_to_do() {
        let (good, _) = signed(KeyKind::Ed25519);
        let with = |name: &str, value: Value| {
            let mut changed = good.clone();
            changed["proof"][name] = value;
            read(changed).unwrap_err().to_string()
        };
        for (name, value, told) in [
            ("cryptosuite", json!("eddsa-rdfc-2022"), "sign with `eddsa-jcs-2022`"),
            ("cryptosuite", json!("ecdsa-rdfc-2019"), "sign with `ecdsa-jcs-2019`"),
            ("cryptosuite", json!("ecdsa-sd-2023"), "records are kept whole"),
            ("cryptosuite", json!("bbs-2023"), "records are kept whole"),
            ("cryptosuite", json!("none"), "`none` is not known here"),
            ("cryptosuite", json!(null), "`proof.cryptosuite`: it must be a text"),
            ("type", json!("Ed25519Signature2020"), "use `DataIntegrityProof`"),
            ("previousProof", json!("urn:a"), "chains of proofs are not read"),
            ("@context", json!(["https://a.example/v2"]), "not the one that was signed"),
            ("@context", json!([]), "not the one that was signed"),
            ("proofValue", json!("z1"), "base58 of 64 bytes"),
            ("proofValue", json!("u1"), "base58 of 64 bytes"),
            ("proofValue", json!(format!("z{}", "2".repeat(5_000))), "at most 2048"),
            ("created", json!("1770116913"), "`proof.created`: write a time"),
            ("created", json!("yesterday"), "`proof.created`: write a time"),
            ("expires", json!(1), "`proof.expires`: it must be a text"),
            ("domain", json!([1]), "`proof.domain`"),
            ("verificationMethod", json!({}), "`proof.verificationMethod`"),
        ] {
            let error = with(name, value);
            assert!(error.contains(told), "{name}: {error}");
        }
        for (proof, told) in [
            (json!([]), "has 0 proofs"),
            (json!([1, 2]), "has 2 proofs"),
            (json!("z"), "`proof`: it must be an object"),
        ] {
            let mut changed = good.clone();
            changed["proof"] = proof;
            let error = read(changed).unwrap_err().to_string();
            assert!(error.contains(told), "{error}");
        }
        assert!(read(document()).unwrap_err().to_string().contains("`proof`: it is missing"));
    }
}
