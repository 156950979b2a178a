//! Records of this project's own: what they are is said by their `schema`, who says them by their `issuer`, and when by their `issued_at`.
//!
//! ```json
//! {"schema": "hallmark/grant/1", "issuer": "eip155:8453:0x…:22", "issued_at": "2026-02-03T11:08:33Z", …}
//! ```
//!
//! That is all that signing and checking a signature has to know, so it is all that is read here; the other fields are for whoever knows
//! the schema ([`delegation`](crate::delegation) for one). A record is known by the SHA-256 of its RFC 8785 bytes. Its issuer and its time
//! have one text each, so that nobody has to guess which name was signed.

use serde_json::{Map, Value};

use super::canonical::{self, JsonError};
use super::field::{self, FieldError};
use crate::vocab::{Digest, Subject, UnixSeconds};

/// The type of a DSSE payload that is the bytes of such a record.
pub const PAYLOAD_TYPE: &str = "application/vnd.hallmark.record+json";
/// The longest record, in bytes, as it came and as it is hashed.
pub const RECORD_BYTES_MAX: usize = 64 * 1024;
/// What every schema begins with.
const PREFIX: &str = "hallmark/";
const SCHEMA_LEN_MAX: usize = 64;
/// The longest name of an issuer, in bytes.
const ISSUER_LEN_MAX: usize = 2048;

/// A record with a schema.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TypedRecord {
    /// What it is: `hallmark/grant/1`.
    pub schema: String,
    /// Who says it.
    pub issuer: Subject,
    /// When, by the issuer's word.
    pub said_at: UnixSeconds,
    source: Map<String, Value>,
    canonical: Vec<u8>,
    digest: Digest,
}

/// Why something is no such record.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TypedRecordError {
    /// It is not JSON that means one thing, or too long.
    #[error(transparent)]
    Json(#[from] JsonError),
    /// A field is missing, or not what it must be.
    #[error(transparent)]
    Field(#[from] FieldError),
}

impl TypedRecord {
    /// Reads a record of at most [`RECORD_BYTES_MAX`] bytes.
    ///
    /// # Errors
    /// Names the first thing that is wrong.
    pub fn read(bytes: &[u8]) -> Result<Self, TypedRecordError> {
        Self::from_value(canonical::read(bytes, RECORD_BYTES_MAX)?)
    }

    /// The same from what [`canonical::read`] gave.
    ///
    /// # Errors
    /// Names the first field that is wrong.
    pub fn from_value(value: Value) -> Result<Self, TypedRecordError> {
        let source = field::object("record", value)?;
        let refuse = |name: &str, why: String| FieldError::new(name, why);
        let schema = field::required_word(&source, "schema", SCHEMA_LEN_MAX)?;
        if !schema.starts_with(PREFIX) {
            let why = "it must be a schema of this project, such as `hallmark/grant/1`";
            return Err(refuse("schema", why.to_owned()).into());
        }
        let written = field::required_word(&source, "issuer", ISSUER_LEN_MAX)?;
        let issuer: Subject = written
            .parse()
            .map_err(|error: crate::vocab::SubjectError| refuse("issuer", error.to_string()))?;
        if issuer.to_string() != written {
            return Err(refuse("issuer", format!("write it as `{issuer}`")).into());
        }
        let written = field::required_text(&source, "issued_at")?;
        let said_at = UnixSeconds::of_timestamp(&written);
        let said_at =
            said_at.filter(|time| time.to_text().as_str() == written).ok_or_else(|| {
                refuse("issued_at", "write a time as `2026-02-03T11:08:33Z`".to_owned())
            })?;
        let whole = Value::Object(source);
        let canonical = canonical::to_bytes(&whole)?;
        if canonical.len() > RECORD_BYTES_MAX {
            let (length, max) = (canonical.len(), RECORD_BYTES_MAX);
            return Err(JsonError::TooLong { length, max }.into());
        }
        let digest = Digest::of(&canonical);
        let source = field::object("record", whole)?;
        Ok(Self { schema, issuer, said_at, source, canonical, digest })
    }

    /// The SHA-256 of [`canonical`](Self::canonical): what the record is known by.
    #[must_use]
    pub const fn digest(&self) -> Digest {
        self.digest
    }

    /// Its RFC 8785 bytes.
    #[must_use]
    pub fn canonical(&self) -> &[u8] {
        &self.canonical
    }

    /// All its fields.
    #[must_use]
    pub const fn source(&self) -> &Map<String, Value> {
        &self.source
    }

    /// As JSON.
    #[must_use]
    pub fn to_value(&self) -> Value {
        Value::Object(self.source.clone())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn record() -> Value {
        json!({
            "schema": "hallmark/grant/1", "issuer": "did:web:a.example",
            "issued_at": "2026-02-03T11:08:33Z", "more": [1, "two"],
        })
    }

    #[test]
    fn a_record_is_known_by_the_bytes_of_rfc_8785() {
        let read = TypedRecord::from_value(record()).unwrap();
        let bytes = br#"{"issued_at":"2026-02-03T11:08:33Z","issuer":"did:web:a.example","more":[1,"two"],"schema":"hallmark/grant/1"}"#;
        assert_eq!((read.canonical(), read.digest()), (&bytes[..], Digest::of(bytes)));
        assert_eq!(TypedRecord::read(bytes), Ok(read.clone()));
        assert_eq!(read.to_value(), record());
    }

    #[test]
    fn each_fault_has_its_name() {
        for (name, value, told) in [
            ("schema", json!("attestation/v1"), "`schema`: it must be a schema of this project"),
            ("schema", json!(null), "`schema`: it must be a text"),
            ("issuer", json!("somebody"), "`issuer`: `somebody` names nobody"),
            ("issuer", json!("did:web:A.example"), "`issuer`: write it as `did:web:a.example`"),
            ("issued_at", json!("2026-02-03T12:08:33+01:00"), "`issued_at`: write a time as"),
            ("issued_at", json!(1_770_116_913), "`issued_at`: it must be a text"),
            ("more", json!("x".repeat(RECORD_BYTES_MAX)), "the document has"),
        ] {
            let mut changed = record();
            changed[name] = value;
            let error = TypedRecord::from_value(changed).unwrap_err().to_string();
            assert!(error.starts_with(told), "{error}");
        }
    }
}
