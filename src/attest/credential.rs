//! W3C Verifiable Credentials 2.0: the form in which the service signs a record, and what is asked of others'.
//!
//! A credential of ours carries the whole record, under a context of our own that declares it to be JSON and nothing else: its digest can
//! be computed from what was signed, whoever reads it. Contexts are URLs, never objects in place, and only those that are known here are
//! accepted: with a JCS suite or as a JWT they do not change what is signed, but they would change what others read in it. No context is
//! ever fetched, and none is needed to read a record. The host in the URL of ours says only where a copy is served; its path names the version, and the copy that counts is
//! [`CONTEXT`].
//!
//! Who signed is none of this file's concern.

use serde_json::{Map, Value, json};

use super::attestation::{Attestation, AttestationError};
use super::field::{self, FieldError};
use super::typed_record::{TypedRecord, TypedRecordError};
use crate::did::web::WebHost;
use crate::vocab::{Digest, UnixSeconds, shorten};

/// The context of every credential, which stands first.
pub const CREDENTIALS_V2: &str = "https://www.w3.org/ns/credentials/v2";
/// Our own context, as it is served.
pub const CONTEXT: &str = include_str!("context/attestation-v1.json");
/// Where our own context is served, on any host.
pub const CONTEXT_PATH: &str = "/contexts/attestation-v1.json";
/// The context of typed records, as it is served.
pub const RECORD_CONTEXT: &str = include_str!("context/record-v1.json");
/// Where it is served, on any host.
pub const RECORD_CONTEXT_PATH: &str = "/contexts/record-v1.json";
/// The context of Verifiable Credentials 1.1, which is refused.
const CREDENTIALS_V1: &str = "https://www.w3.org/2018/credentials/v1";
/// Contexts of others that add nothing to what is read here.
const OTHER_CONTEXTS: [&str; 3] = [
    "https://w3id.org/security/data-integrity/v2",
    "https://w3id.org/security/multikey/v1",
    "https://www.w3.org/ns/credentials/undefined-terms/v2",
];
/// The type of a credential that carries a record.
const ATTESTATION_TYPE: &str = "AttestationCredential";
/// The type of a credential that carries a typed record.
const RECORD_TYPE: &str = "RecordCredential";
/// The longest name of an issuer, in bytes.
const ISSUER_LEN_MAX: usize = 2048;

/// Why something is not a credential that can be taken in.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CredentialError {
    /// A field is missing, or not what it must be.
    #[error(transparent)]
    Field(#[from] FieldError),
    /// It is of the data model before.
    #[error(
        "this is a credential of version 1.1; make one of version 2.0, with `{CREDENTIALS_V2}` as its first context"
    )]
    Version1,
    /// The first context is another.
    #[error("the first entry of `@context` must be `{CREDENTIALS_V2}`")]
    NoContext,
    /// A context that is not known, or terms defined in place.
    #[error("the context `{0}` is not known here, and none is fetched: leave it out")]
    UnknownContext(String),
    /// It carries a record, and the record is none.
    #[error("`credentialSubject.record`: {0}")]
    Record(AttestationError),
    /// It carries a typed record, and the record is none.
    #[error("`credentialSubject.record`: {0}")]
    TypedRecord(TypedRecordError),
    /// The record is somebody else's word than the credential.
    #[error("the credential is by `{credential}`, and the record in it by `{record}`")]
    OtherIssuer {
        /// Whose word the credential is.
        credential: String,
        /// Whose word the record is.
        record: String,
    },
    /// It says something of the record that the record does not say.
    #[error("`credentialSubject.{0}` is not that of the record")]
    OtherRecord(&'static str),
    /// Its subject is not the record's, as a URI.
    #[error("`credentialSubject.id` is not that of the record: it must be `{0}`")]
    OtherSubject(String),
}

/// A credential, as far as it is looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credential {
    /// Who says so: the issuer's identifier.
    pub issuer: String,
    /// From when on it counts.
    pub valid_from: Option<UnixSeconds>,
    /// Until when.
    pub valid_until: Option<UnixSeconds>,
    /// Whether it names a status (`credentialStatus`), which would have to be fetched and is not: it may have been revoked.
    pub has_status: bool,
    /// The record that it carries, if it is one of ours.
    pub attestation: Option<Attestation>,
    /// The typed record that it carries, if it is one: the issuer's own word.
    pub record: Option<TypedRecord>,
    /// All of it.
    pub document: Map<String, Value>,
}

impl Credential {
    /// Reads what [`canonical::read`](super::canonical::read) gave.
    ///
    /// # Errors
    /// Names the first thing that is wrong.
    pub fn from_document(document: Map<String, Value>) -> Result<Self, CredentialError> {
        check_contexts(document.get("@context"))?;
        let types = types(&document)?;
        let time = |name| match field::text(&document, name)? {
            None => Ok(None),
            Some(text) => UnixSeconds::of_timestamp(&text).map(Some).ok_or_else(|| {
                FieldError::new(name, "write a time as `2026-02-03T11:08:33Z`".to_owned())
            }),
        };
        let subject = match field::required(&document, "credentialSubject")? {
            Value::Object(subject) => Some(subject),
            Value::Array(several)
                if several.iter().all(Value::is_object) && !several.is_empty() =>
            {
                None
            }
            _ => {
                let why = "it must be an object, or several".to_owned();
                return Err(FieldError::new("credentialSubject", why).into());
            }
        };
        let attestation = match subject {
            Some(subject) if types.contains(&ATTESTATION_TYPE) => Some(record(subject)?),
            _ => None,
        };
        let issuer = issuer(&document)?;
        let record = match subject {
            Some(subject) if types.contains(&RECORD_TYPE) => Some(typed_record(subject, &issuer)?),
            _ => None,
        };
        Ok(Self {
            issuer,
            valid_from: time("validFrom")?,
            valid_until: time("validUntil")?,
            has_status: document.contains_key("credentialStatus"),
            attestation,
            record,
            document,
        })
    }
}

/// The credential of a record, without a proof. `issuer` is a DID; `host` serves the record and the context.
#[must_use]
pub fn of_attestation(
    attestation: &Attestation,
    issuer: &str,
    host: &WebHost,
    valid_from: UnixSeconds,
) -> Map<String, Value> {
    let digest = attestation.digest();
    let origin = format!("https://{}", host.authority());
    let credential = json!({
        "@context": [CREDENTIALS_V2, format!("{origin}{CONTEXT_PATH}")],
        "id": format!("{origin}/v1/attestations/{digest}"),
        "type": ["VerifiableCredential", ATTESTATION_TYPE],
        "issuer": issuer,
        "validFrom": valid_from.to_string(),
        "credentialSubject": {
            "id": attestation.subject.to_uri(),
            "digest": digest.to_string(),
            "record": attestation.to_value(),
        },
    });
    match credential {
        Value::Object(credential) => credential,
        // What stands above is an object.
        _ => Map::new(),
    }
}

/// The credential of a typed record, without a proof, issued when the record was; `host` serves the context. It is the record's issuer's.
#[must_use]
pub fn of_record(record: &TypedRecord, host: &WebHost) -> Map<String, Value> {
    let credential = json!({
        "@context": [CREDENTIALS_V2, format!("https://{}{RECORD_CONTEXT_PATH}", host.authority())],
        "type": ["VerifiableCredential", RECORD_TYPE],
        "issuer": record.issuer.to_string(),
        "validFrom": record.said_at.to_string(),
        "credentialSubject": { "digest": record.digest().to_string(), "record": record.source() },
    });
    match credential {
        Value::Object(credential) => credential,
        // What stands above is an object.
        _ => Map::new(),
    }
}

fn check_contexts(contexts: Option<&Value>) -> Result<(), CredentialError> {
    let contexts = match contexts {
        Some(Value::Array(contexts)) => contexts.as_slice(),
        Some(one) => std::slice::from_ref(one),
        None => &[],
    };
    let mut urls = contexts.iter().map(Value::as_str);
    match urls.next().flatten() {
        Some(CREDENTIALS_V2) => {}
        Some(CREDENTIALS_V1) => return Err(CredentialError::Version1),
        _ => return Err(CredentialError::NoContext),
    }
    for (url, context) in urls.zip(contexts.iter().skip(1)) {
        if !url.is_some_and(is_known_context) {
            return Err(CredentialError::UnknownContext(shorten(&context.to_string())));
        }
    }
    Ok(())
}

/// Whether a context is known: one of others, or ours on any host.
fn is_known_context(url: &str) -> bool {
    let is_ours = || {
        let url = url.strip_prefix("https://")?;
        let host =
            url.strip_suffix(CONTEXT_PATH).or_else(|| url.strip_suffix(RECORD_CONTEXT_PATH))?;
        WebHost::parse(host).ok().filter(|parsed| parsed.authority() == host)
    };
    OTHER_CONTEXTS.contains(&url) || is_ours().is_some()
}

fn types(document: &Map<String, Value>) -> Result<Vec<&str>, FieldError> {
    let types = match field::required(document, "type")? {
        Value::Array(types) => types.iter().map(Value::as_str).collect::<Option<Vec<_>>>(),
        one => one.as_str().map(|one| vec![one]),
    };
    let types = types.filter(|types| types.contains(&"VerifiableCredential"));
    types.ok_or_else(|| FieldError::new("type", "it must hold `VerifiableCredential`".to_owned()))
}

fn issuer(document: &Map<String, Value>) -> Result<String, FieldError> {
    match field::required(document, "issuer")? {
        Value::Object(issuer) => {
            field::required_word(issuer, "id", ISSUER_LEN_MAX).map_err(|error| error.of("issuer"))
        }
        _ => field::required_word(document, "issuer", ISSUER_LEN_MAX),
    }
}

/// The record in a credential's subject, which must be what the rest of the subject says.
fn record(subject: &Map<String, Value>) -> Result<Attestation, CredentialError> {
    let of_subject = |error: FieldError| error.of("credentialSubject");
    let record = field::required(subject, "record").map_err(of_subject)?;
    let record = Attestation::from_value(record.clone()).map_err(CredentialError::Record)?;
    let digest: Option<Digest> = field::parsed(subject, "digest").map_err(of_subject)?;
    if digest != Some(record.digest()) {
        return Err(CredentialError::OtherRecord("digest"));
    }
    let id = field::text(subject, "id").map_err(of_subject)?;
    if id.as_deref() != Some(record.subject.to_uri().as_str()) {
        return Err(CredentialError::OtherSubject(record.subject.to_uri()));
    }
    Ok(record)
}

/// The typed record in a credential's subject, which must be its issuer's word.
fn typed_record(
    subject: &Map<String, Value>,
    issuer: &str,
) -> Result<TypedRecord, CredentialError> {
    let of_subject = |error: FieldError| error.of("credentialSubject");
    let record = field::required(subject, "record").map_err(of_subject)?;
    let record = TypedRecord::from_value(record.clone()).map_err(CredentialError::TypedRecord)?;
    let digest: Option<Digest> = field::parsed(subject, "digest").map_err(of_subject)?;
    if digest != Some(record.digest()) {
        return Err(CredentialError::OtherRecord("digest"));
    }
    let said = record.issuer.to_string();
    if said != issuer {
        let (credential, record) = (shorten(issuer), said);
        return Err(CredentialError::OtherIssuer { credential, record });
    }
    Ok(record)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attestation() -> Attestation {
        let body = json!({
            "schemaVersion": "attestation/v1", "id": "a", "issuer": "did:web:a.example", "issuerKind": "agent",
            "subject": "eip155:8453:0x8004A169FB4a3325136EB29fA0ceB6D2e539a432", "confidence": 0.94,
            "claim": { "type": "peer.assessment", "data": { "tag": "reliable" } },
        });
        Attestation::new(body, super::super::attestation::Context::default()).unwrap()
    }

    fn credential() -> Map<String, Value> {
        let host = WebHost::parse("a.example:8443").unwrap();
        let time = UnixSeconds::new(1_770_116_913).unwrap();
        of_attestation(&attestation(), "did:web:a.example%3A8443", &host, time)
    }

    fn with(name: &str, value: Value) -> Result<Credential, CredentialError> {
        let mut changed = credential();
        changed.insert(name.to_owned(), value);
        Credential::from_document(changed)
    }

    #[test]
    fn a_record_goes_into_a_credential_and_comes_out_of_it() {
        let made = credential();
        assert_eq!(
            made["credentialSubject"]["id"],
            "did:pkh:eip155:8453:0x8004A169FB4a3325136EB29fA0ceB6D2e539a432"
        );
        assert_eq!(made["@context"][1], "https://a.example:8443/contexts/attestation-v1.json");
        let read = Credential::from_document(made.clone()).unwrap();
        assert_eq!(read.attestation, Some(attestation()));
        assert_eq!((read.issuer.as_str(), read.has_status), ("did:web:a.example%3A8443", false));
        assert_eq!(read.valid_from, UnixSeconds::new(1_770_116_913));
        assert_eq!((read.valid_until, read.document), (None, made));
    }

    #[test]
    fn credentials_of_others_are_read_as_far_as_they_go() {
        let read = with("type", json!("VerifiableCredential")).unwrap();
        assert_eq!(read.attestation, None);
        let read = with("issuer", json!({ "id": "did:web:b.example", "name": "B" })).unwrap();
        assert_eq!(read.issuer, "did:web:b.example");
        assert!(with("credentialStatus", json!({})).unwrap().has_status);
        let two = json!([{ "id": "did:web:c.example" }, { "id": "did:web:d.example" }]);
        assert_eq!(with("credentialSubject", two).unwrap().attestation, None);
        let contexts = json!([
            CREDENTIALS_V2,
            "https://b.example/contexts/attestation-v1.json",
            OTHER_CONTEXTS[0]
        ]);
        assert!(with("@context", contexts).is_ok());
        assert!(with("@context", json!(CREDENTIALS_V2)).is_ok());
    }

    #[test]
    fn unknown_contexts_are_refused() {
        for (context, told) in [
            (json!("https://c.example/contexts/attestation-v2.json"), "attestation-v2.json"),
            (json!("http://b.example/contexts/attestation-v1.json"), "http://b"),
            (json!("https://b.example/x/contexts/attestation-v1.json"), "/x/"),
            (json!("https://B.example/contexts/attestation-v1.json"), "B.example"),
            (json!("https://u@b.example/contexts/attestation-v1.json"), "u@b"),
            (json!("https://127.0.0.1/contexts/attestation-v1.json"), "127.0.0.1"),
            (json!({ "name": "https://schema.org/name" }), "schema.org"),
            (json!(null), "null"),
            (json!(CREDENTIALS_V1), "2018"),
        ] {
            let error = with("@context", json!([CREDENTIALS_V2, context])).unwrap_err();
            let is_unknown =
                matches!(&error, CredentialError::UnknownContext(name) if name.contains(told));
            assert!(is_unknown, "{error}");
        }
        for contexts in [
            json!([]),
            json!(null),
            json!([{}]),
            json!("https://a.example"),
            json!([OTHER_CONTEXTS[0], CREDENTIALS_V2]),
        ] {
            assert_eq!(with("@context", contexts), Err(CredentialError::NoContext));
        }
        assert_eq!(with("@context", json!([CREDENTIALS_V1])), Err(CredentialError::Version1));
    }

    #[test]
    fn each_fault_has_its_name() {
        for (name, value, told) in [
            ("type", json!(["Credential"]), "`type`: it must hold `VerifiableCredential`"),
            ("type", json!(["VerifiableCredential", 1]), "`type`: it must hold"),
            ("issuer", json!(7), "`issuer`: it must be a text"),
            ("issuer", json!({}), "`issuer.id`: it is missing"),
            ("validFrom", json!("1770116913"), "`validFrom`: write a time"),
            ("validUntil", json!(1), "`validUntil`: it must be a text"),
            ("credentialSubject", json!("a"), "`credentialSubject`: it must be an object"),
            ("credentialSubject", json!([]), "`credentialSubject`: it must be an object"),
            ("credentialSubject", json!({}), "`credentialSubject.record`: it is missing"),
            (
                "credentialSubject",
                json!({ "record": {} }),
                "`credentialSubject.record`: `attestation`: it is missing",
            ),
        ] {
            let error = with(name, value).unwrap_err().to_string();
            assert!(error.starts_with(told), "{error}");
        }
        let subject = credential()["credentialSubject"].clone();
        let expected = subject["id"].as_str().unwrap();
        for (field, value, told) in [
            (
                "id",
                "did:web:b.example".to_owned(),
                format!(
                    "`credentialSubject.id` is not that of the record: it must be `{expected}`"
                ),
            ),
            (
                "digest",
                Digest::of(b"").to_string(),
                "`credentialSubject.digest` is not that of the record".to_owned(),
            ),
        ] {
            let mut subject = subject.clone();
            subject[field] = value.into();
            assert_eq!(with("credentialSubject", subject).unwrap_err().to_string(), told);
        }
    }

    /// What is served is JSON that means one thing, and defines every term that our credentials use.
    #[test]
    fn our_context_defines_our_terms() {
        let context = super::super::canonical::read(CONTEXT.as_bytes(), 10_000).unwrap();
        for term in [ATTESTATION_TYPE, "digest", "record"] {
            assert!(context["@context"].get(term).is_some(), "{term}");
        }
        assert_eq!(context["@context"]["record"]["@type"], "@json");
    }
}
