//! DSSE: a payload of any kind, its type, and a signature over both, for the tools of the supply-chain world
//! (`secure-systems-lab/dsse`, `protocol.md` and `envelope.md`).
//!
//! The signature covers the bytes of the payload, so nothing has to be canonical. An envelope has one signature here and names its key by
//! a DID URL; what DSSE says of such a name holds all the same, it only finds the key and proves nothing. Base64 is read in both of its
//! alphabets, as DSSE asks for, but one envelope has one of them.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use serde_json::{Map, Value, json};

use super::field::{self, FieldError};
use super::key::{PrivateKey, SIGNATURE_LEN};

/// The type of a payload that is the canonical bytes of a record.
pub const ATTESTATION_TYPE: &str = "application/vnd.hallmark.attestation+json";
/// The longest type of a payload and the longest name of a key, in bytes.
const TEXT_LEN_MAX: usize = 2048;

/// Why something is not an envelope of DSSE that can be checked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DsseError {
    /// A field is missing, or not what it must be.
    #[error(transparent)]
    Field(#[from] FieldError),
    /// There is not exactly one signature.
    #[error("the envelope has {0} signatures; send it with exactly one, once for each signer")]
    Count(usize),
    /// Not base64, or in both alphabets.
    #[error("`{0}` is not base64 with padding, in one alphabet through the whole envelope")]
    NotBase64(&'static str),
    /// A signature of another length.
    #[error(
        "`signatures[0].sig`: a signature has {SIGNATURE_LEN} bytes, and this has {0}; of ECDSA write the two numbers, not DER"
    )]
    SignatureLength(usize),
}

/// An envelope, not checked yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dsse {
    /// What kind of thing the payload is.
    pub payload_type: String,
    /// The payload.
    pub payload: Vec<u8>,
    /// The DID URL of the key.
    pub method: String,
    /// The signature.
    pub signature: [u8; SIGNATURE_LEN],
}

/// Signs a payload. `method` is the DID URL of the key.
#[must_use]
pub fn sign(payload_type: &str, payload: &[u8], method: &str, key: &PrivateKey) -> Value {
    let signature = key.sign(&signed_bytes(payload_type, payload));
    json!({
        "payloadType": payload_type,
        "payload": STANDARD.encode(payload),
        "signatures": [{ "keyid": method, "sig": STANDARD.encode(signature) }],
    })
}

/// What is signed: DSSE's pre-authentication encoding.
fn signed_bytes(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let head = format!("DSSEv1 {} {payload_type} {} ", payload_type.len(), payload.len());
    [head.as_bytes(), payload].concat()
}

impl Dsse {
    /// Reads what [`canonical::read`](super::canonical::read) gave.
    ///
    /// # Errors
    /// Names the first thing that is wrong.
    pub fn from_object(mut envelope: Map<String, Value>) -> Result<Self, DsseError> {
        let payload_type = field::required_word(&envelope, "payloadType", TEXT_LEN_MAX)?;
        let payload = field::required_text(&envelope, "payload")?;
        let mut signature = match field::take(&mut envelope, "signatures")? {
            Value::Array(mut signatures) if signatures.len() == 1 => {
                field::object("signatures[0]", signatures.remove(0))?
            }
            Value::Array(signatures) => return Err(DsseError::Count(signatures.len())),
            _ => return Err(FieldError::new("signatures", "it must be an array".to_owned()).into()),
        };
        let of_signature = |error: FieldError| error.of("signatures[0]");
        let method =
            field::required_word(&signature, "keyid", TEXT_LEN_MAX).map_err(of_signature)?;
        let sig = field::required_text(&signature, "sig").map_err(of_signature)?;
        signature.retain(|name, _| !["keyid", "sig"].contains(&name.as_str()));
        field::nothing_else(&signature).map_err(of_signature)?;
        envelope.retain(|name, _| !["payloadType", "payload"].contains(&name.as_str()));
        field::nothing_else(&envelope)?;
        // No alphabet is wrong where neither has a sign of its own.
        let is_url_safe = [&payload, &sig].iter().any(|text| text.contains(['-', '_']));
        let alphabet = if is_url_safe { &URL_SAFE } else { &STANDARD };
        let decode =
            |text: &str, name| alphabet.decode(text).map_err(|_| DsseError::NotBase64(name));
        let payload = decode(&payload, "payload")?;
        let signature = decode(&sig, "signatures[0].sig")?;
        let length = signature.len();
        let signature = signature.try_into().map_err(|_| DsseError::SignatureLength(length))?;
        Ok(Self { payload_type, payload, method, signature })
    }

    /// The bytes that were signed.
    #[must_use]
    pub fn signed_bytes(&self) -> Vec<u8> {
        signed_bytes(&self.payload_type, &self.payload)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attest::key::KeyKind;

    fn read(value: Value) -> Result<Dsse, DsseError> {
        let Value::Object(envelope) = value else { panic!("no object") };
        Dsse::from_object(envelope)
    }

    /// The example of `protocol.md`.
    #[test]
    fn the_signed_bytes_are_those_of_the_protocol() {
        let signed = signed_bytes("http://example.com/HelloWorld", b"hello world");
        assert_eq!(signed, b"DSSEv1 29 http://example.com/HelloWorld 11 hello world");
    }

    #[test]
    fn what_is_signed_is_read_again() {
        for kind in KeyKind::ALL {
            let key = PrivateKey::from_bytes(kind, &[7; 32]).unwrap();
            for payload in [&b""[..], b"\xff\xfe\xfb\xef\xbe", b"{\"a\": 1}"] {
                let read =
                    read(sign("text/plain", payload, "did:web:a.example#one", &key)).unwrap();
                assert_eq!(
                    (read.payload.as_slice(), read.method.as_str()),
                    (payload, "did:web:a.example#one")
                );
                key.public().verify(&read.signed_bytes(), &read.signature).unwrap();
            }
        }
    }

    #[test]
    fn both_alphabets_are_read_but_not_mixed() {
        let key = PrivateKey::from_bytes(KeyKind::Ed25519, &[7; 32]).unwrap();
        let made = sign("text/plain", b"\xff\xfe\xfb\xef\xbe", "did:web:a.example#one", &key);
        let other =
            |text: &Value| json!(text.as_str().unwrap().replace('+', "-").replace('/', "_"));
        let mut url_safe = made.clone();
        url_safe["payload"] = other(&made["payload"]);
        url_safe["signatures"][0]["sig"] = other(&made["signatures"][0]["sig"]);
        assert_eq!(read(url_safe), read(made.clone()));
        let mut mixed = made.clone();
        mixed["payload"] = other(&made["payload"]);
        assert_ne!(mixed, made);
        assert!(matches!(read(mixed), Err(DsseError::NotBase64(_))));
    }

    #[test]
    fn each_fault_has_its_name() {
        let key = PrivateKey::from_bytes(KeyKind::P256, &[7; 32]).unwrap();
        let good = sign("text/plain", b"x", "did:web:a.example#one", &key);
        for (at, value, told) in [
            ("/payload", json!("eA"), "`payload` is not base64"),
            ("/payload", json!("eB=="), "`payload` is not base64"),
            ("/payload", json!(1), "`payload`: it must be a text"),
            ("/payloadType", json!(""), "`payloadType`: it is empty"),
            ("/signatures", json!([]), "has 0 signatures"),
            ("/signatures", json!([{}, {}]), "has 2 signatures"),
            ("/signatures", json!({}), "`signatures`: it must be an array"),
            ("/signatures/0", json!(1), "`signatures[0]`: it must be an object"),
            ("/signatures/0/sig", json!("AAAA"), "this has 3"),
            ("/signatures/0/keyid", json!(null), "`signatures[0].keyid`: it must be a text"),
            ("/signatures/0", json!({ "sig": "AAAA" }), "`signatures[0].keyid`: it is missing"),
            (
                "/signatures/0",
                json!({ "sig": "AAAA", "keyid": "a", "x": 1 }),
                "`signatures[0].x`: there is no such field",
            ),
        ] {
            let mut changed = good.clone();
            *changed.pointer_mut(at).unwrap() = value;
            let error = read(changed).unwrap_err().to_string();
            assert!(error.contains(told), "{at}: {error}");
        }
        let mut more = good;
        more["x"] = json!(1);
        assert!(read(more).unwrap_err().to_string().contains("`x`: there is no such field"));
    }
}
