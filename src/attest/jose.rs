//! Compact JSON Web Signatures (RFC 7515): making them, and checking them.
//!
//! [`Jws::read`] takes a text apart and looks at its header only; the payload is given out by [`Jws::verify`] and by nothing else, so
//! that nobody parses what nobody signed. The key comes from the caller, who knows whose word is asked for: a key, certificate or URL
//! in the header is never looked at, and the header's `alg` must be the key's. One text has one reading: base64url without padding or
//! stray bits, no member of the header twice that is looked at, nothing critical.
//!
//! What a payload says (issuer, times, audience) is for its own reader to check.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer, Serialize};

use super::key::{Algorithm, PrivateKey, SIGNATURE_LEN};
use crate::did::key::PublicKey;

/// The longest text that is read, in bytes.
pub const JWS_LEN_MAX: usize = 256 * 1024;
/// The longest header that is read, in bytes of base64url.
const HEADER_LEN_MAX: usize = 4 * 1024;

/// Why a text is no signed payload.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JoseError {
    /// Longer than any has reason to be.
    #[error("the JWS has {length} bytes; at most {max} are read")]
    TooLong {
        /// Its length in bytes.
        length: usize,
        /// The most that are read.
        max: usize,
    },
    /// Not header, payload and signature.
    #[error("a JWS is three parts with a dot between each two: header, payload, signature")]
    NotThreeParts,
    /// A part is not base64url.
    #[error("the {0} is not base64url without padding")]
    NotBase64(&'static str),
    /// The header is not what a header must be.
    #[error("the header is no JSON object with `alg`, and `typ` and `kid` as texts, each once")]
    BadHeader,
    /// Nobody signed it.
    #[error("`alg` is `none`: nobody signed this")]
    Unsigned,
    /// It is signed in a way that is not understood.
    #[error("`alg` is none of EdDSA, ES256 and ES256K")]
    OtherAlgorithm,
    /// It wants extensions of JWS to be understood.
    #[error("the header has `{0}`: extensions of JWS are not understood")]
    Extension(&'static str),
    /// It is another kind of thing.
    #[error("`typ` must be {expected}")]
    OtherType {
        /// What was asked for.
        expected: Typ,
    },
    /// The header says one thing and the key another.
    #[error("`alg` is {found}, but the key signs with {expected}")]
    OtherKey {
        /// As in the header.
        found: &'static str,
        /// The key's.
        expected: &'static str,
    },
    /// The signature does not hold.
    #[error("the signature is not that of the key over header and payload")]
    BadSignature,
}

/// What the header's `typ` must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Typ {
    /// There is none, as the Domain Linkage Credential wants it.
    Absent,
    /// A media type without `application/`, such as `vc+jwt`.
    Of(&'static str),
}

impl std::fmt::Display for Typ {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Absent => f.write_str("absent"),
            Self::Of(typ) => write!(f, "`{typ}`"),
        }
    }
}

impl Typ {
    /// Media types are compared without regard to case, and with `application/` put in where there is no slash (RFC 7515, 4.1.9).
    fn is(self, found: Option<&str>) -> bool {
        match (self, found) {
            (Self::Absent, None) => true,
            (Self::Of(typ), Some(found)) => {
                let prefix = "application/";
                let is_long = found
                    .get(..prefix.len())
                    .is_some_and(|start| start.eq_ignore_ascii_case(prefix));
                let short = if is_long { found.get(prefix.len()..) } else { Some(found) };
                short.is_some_and(|short| short.eq_ignore_ascii_case(typ))
            }
            _ => false,
        }
    }
}

/// The members of a header that are written, in this order.
#[derive(Serialize)]
struct Written<'a> {
    alg: &'static str,
    kid: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    typ: Option<&'static str>,
}

/// The members of a header that are looked at. A member that stands there twice is refused.
#[derive(Deserialize)]
struct Header {
    alg: String,
    typ: Option<String>,
    kid: Option<String>,
    #[serde(default, deserialize_with = "is_there")]
    crit: bool,
    #[serde(default, deserialize_with = "is_there")]
    b64: bool,
}

fn is_there<'de, D: Deserializer<'de>>(member: D) -> Result<bool, D::Error> {
    IgnoredAny::deserialize(member).map(|_| true)
}

/// Signs a payload. `kid` names the key for whoever checks it, such as a DID URL.
#[must_use]
pub fn sign(key: &PrivateKey, kid: &str, typ: Typ, payload: &[u8]) -> String {
    let typ = match typ {
        Typ::Absent => None,
        Typ::Of(typ) => Some(typ),
    };
    let header = Written { alg: key.public().algorithm().as_str(), kid, typ };
    // A struct of texts cannot fail to be written.
    let header = serde_json::to_vec(&header).unwrap_or_default();
    let mut text = URL_SAFE_NO_PAD.encode(header);
    text.push('.');
    URL_SAFE_NO_PAD.encode_string(payload, &mut text);
    let signature = key.sign(text.as_bytes());
    text.push('.');
    URL_SAFE_NO_PAD.encode_string(signature, &mut text);
    text
}

/// A JWS that was taken apart and not checked yet.
#[derive(Clone, Debug)]
pub struct Jws<'a> {
    algorithm: Algorithm,
    typ: Option<String>,
    kid: Option<String>,
    /// Header and payload as they were signed.
    signed: &'a str,
    payload: &'a str,
    signature: [u8; SIGNATURE_LEN],
}

impl<'a> Jws<'a> {
    /// Takes a text apart.
    ///
    /// # Errors
    /// When it is no JWS, or its header asks for what is not done here.
    pub fn read(text: &'a str) -> Result<Self, JoseError> {
        let too_long = |length, max| Err(JoseError::TooLong { length, max });
        if text.len() > JWS_LEN_MAX {
            return too_long(text.len(), JWS_LEN_MAX);
        }
        let (signed, signature) = text.rsplit_once('.').ok_or(JoseError::NotThreeParts)?;
        let (header, payload) = signed.split_once('.').ok_or(JoseError::NotThreeParts)?;
        if payload.contains('.') {
            return Err(JoseError::NotThreeParts);
        }
        if header.len() > HEADER_LEN_MAX {
            return too_long(header.len(), HEADER_LEN_MAX);
        }
        let header = decode(header, "header")?;
        // A list of the members' values would be read as well.
        if header.trim_ascii_start().first() != Some(&b'{') {
            return Err(JoseError::BadHeader);
        }
        let header: Header = serde_json::from_slice(&header).map_err(|_| JoseError::BadHeader)?;
        let algorithm = match header.alg.as_str() {
            // The second name is the same algorithm's of RFC 9864.
            "EdDSA" | "Ed25519" => Algorithm::EdDsa,
            "ES256" => Algorithm::Es256,
            "ES256K" => Algorithm::Es256k,
            none if none.eq_ignore_ascii_case("none") => return Err(JoseError::Unsigned),
            _ => return Err(JoseError::OtherAlgorithm),
        };
        if header.crit {
            return Err(JoseError::Extension("crit"));
        }
        if header.b64 {
            return Err(JoseError::Extension("b64"));
        }
        let signature = decode(signature, "signature")?;
        let signature = signature.try_into().map_err(|_| JoseError::BadSignature)?;
        let (typ, kid) = (header.typ, header.kid);
        Ok(Self { algorithm, typ, kid, signed, payload, signature })
    }

    /// How it says that it is signed.
    #[must_use]
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// What it calls the key that signed it. Nobody has checked that.
    #[must_use]
    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// The payload, whoever signed it: for those who have to know how much work a text asks for, and for nothing else.
    #[must_use]
    pub(super) fn unchecked_payload(&self) -> Option<Vec<u8>> {
        decode(self.payload, "payload").ok()
    }

    /// The payload, if it is what `key` signed as a thing of that type.
    ///
    /// # Errors
    /// When it is of another type, the key signs otherwise than the header says, or the signature does not hold.
    pub fn verify(&self, key: &PublicKey, typ: Typ) -> Result<Vec<u8>, JoseError> {
        if !typ.is(self.typ.as_deref()) {
            return Err(JoseError::OtherType { expected: typ });
        }
        if key.algorithm() != self.algorithm {
            let (found, expected) = (self.algorithm.as_str(), key.algorithm().as_str());
            return Err(JoseError::OtherKey { found, expected });
        }
        key.verify(self.signed.as_bytes(), &self.signature).map_err(|_| JoseError::BadSignature)?;
        decode(self.payload, "payload")
    }
}

fn decode(text: &str, part: &'static str) -> Result<Vec<u8>, JoseError> {
    URL_SAFE_NO_PAD.decode(text).map_err(|_| JoseError::NotBase64(part))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::attest::key::KeyKind;

    const VC: Typ = Typ::Of("vc+jwt");

    fn key(kind: KeyKind) -> PrivateKey {
        PrivateKey::from_bytes(kind, &[7; 32]).unwrap()
    }

    fn verify(text: &str, key: &PublicKey, typ: Typ) -> Result<Vec<u8>, JoseError> {
        Jws::read(text)?.verify(key, typ)
    }

    /// A JWS with any header, truly signed.
    fn with_header(header: &str, key: &PrivateKey) -> String {
        let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode("{}"));
        let signature = URL_SAFE_NO_PAD.encode(key.sign(signed.as_bytes()));
        format!("{signed}.{signature}")
    }

    /// RFC 8037, appendix A.4 and A.5.
    #[test]
    fn the_example_with_ed25519() {
        let public = json!({ "kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" });
        let text = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.\
                    hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
        let public = PublicKey::from_jwk(&public).unwrap();
        assert_eq!(verify(text, &public, Typ::Absent).unwrap(), b"Example of Ed25519 signing");
    }

    /// RFC 7515, appendix A.3.
    #[test]
    fn the_example_with_p256() {
        let public = json!({
            "kty": "EC", "crv": "P-256", "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
            "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
        });
        let text = "eyJhbGciOiJFUzI1NiJ9.\
                    eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.\
                    DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
        let public = PublicKey::from_jwk(&public).unwrap();
        let payload = verify(text, &public, Typ::Absent).unwrap();
        assert!(payload.starts_with(b"{\"iss\":\"joe\""));
    }

    #[test]
    fn what_is_signed_is_read_again() {
        for kind in KeyKind::ALL {
            let key = key(kind);
            for (typ, header) in [
                (VC, r#","kid":"did:web:a#b","typ":"vc+jwt"}"#),
                (Typ::Absent, r#","kid":"did:web:a#b"}"#),
            ] {
                let text = sign(&key, "did:web:a#b", typ, b"{\"a\":1}");
                assert_eq!(
                    text,
                    sign(&key, "did:web:a#b", typ, b"{\"a\":1}"),
                    "one payload, one text"
                );
                let read = Jws::read(&text).unwrap();
                assert_eq!(
                    (read.kid(), read.algorithm()),
                    (Some("did:web:a#b"), key.public().algorithm())
                );
                assert_eq!(read.verify(&key.public(), typ).unwrap(), b"{\"a\":1}");
                let first = URL_SAFE_NO_PAD.decode(text.split('.').next().unwrap()).unwrap();
                assert!(String::from_utf8(first).unwrap().ends_with(header));
            }
        }
    }

    #[test]
    fn no_byte_of_it_can_be_another() {
        for kind in KeyKind::ALL {
            let key = key(kind);
            let text = sign(&key, "did:web:a#b", VC, b"{\"a\":1}");
            for at in 0..text.len() {
                for bit in 0..7 {
                    let mut wrong = text.clone().into_bytes();
                    wrong[at] ^= 1 << bit;
                    let wrong = String::from_utf8(wrong).unwrap();
                    assert!(
                        verify(&wrong, &key.public(), VC).is_err(),
                        "{kind:?} at {at}: {wrong}"
                    );
                }
                let (start, end) = text.split_at(at);
                for wrong in [
                    format!("{start}A{end}"),
                    format!("{start}{}", &end[1..]),
                    start.to_owned(),
                    format!("{text}{}", &text[at..]),
                ] {
                    assert!(
                        verify(&wrong, &key.public(), VC).is_err(),
                        "{kind:?} at {at}: {wrong}"
                    );
                }
            }
        }
    }

    #[test]
    fn each_fault_has_its_name() {
        let ed = key(KeyKind::Ed25519);
        let public = ed.public();
        let good = sign(&ed, "k", VC, b"{}");
        let parts: Vec<_> = good.split('.').collect();
        let [header, payload, signature] = parts[..] else { panic!("three parts") };
        let long = "A".repeat(JWS_LEN_MAX);
        let (length, max) = (JWS_LEN_MAX + 3, JWS_LEN_MAX);
        for (text, expected) in [
            (String::new(), JoseError::NotThreeParts),
            ("a.b".to_owned(), JoseError::NotThreeParts),
            (format!("{good}.a"), JoseError::NotThreeParts),
            (format!("a.{long}."), JoseError::TooLong { length, max }),
            (format!("{}.a.a", "A".repeat(4097)), JoseError::TooLong { length: 4097, max: 4096 }),
            (format!("{header}=.{payload}.{signature}"), JoseError::NotBase64("header")),
            (format!("{header}.{payload}.{signature}="), JoseError::NotBase64("signature")),
            (format!("{header}.{payload}.{}+", &signature[1..]), JoseError::NotBase64("signature")),
            (format!("{header}.{payload}.{} ", &signature[1..]), JoseError::NotBase64("signature")),
            // The last sign of 64 bytes has four bits that stand for nothing.
            (
                format!("{header}.{payload}.{}B", &signature[..85]),
                JoseError::NotBase64("signature"),
            ),
            (format!("{header}.{payload}."), JoseError::BadSignature),
            (format!("{header}.{payload}.{}", &signature[..84]), JoseError::BadSignature),
            (format!("{header}.e30A.{signature}"), JoseError::BadSignature),
        ] {
            assert_eq!(verify(&text, &public, VC), Err(expected), "{text:.200}");
        }
        for (header, expected) in [
            (r#"{"alg":"none","typ":"vc+jwt"}"#, JoseError::Unsigned),
            (r#"{"alg":"NoNe","typ":"vc+jwt"}"#, JoseError::Unsigned),
            (r#"{"alg":"HS256","typ":"vc+jwt"}"#, JoseError::OtherAlgorithm),
            (r#"{"alg":"eddsa","typ":"vc+jwt"}"#, JoseError::OtherAlgorithm),
            (
                r#"{"alg":"ES256","typ":"vc+jwt"}"#,
                JoseError::OtherKey { found: "ES256", expected: "EdDSA" },
            ),
            (r#"{"alg":"EdDSA","typ":"vc+jwt","crit":[]}"#, JoseError::Extension("crit")),
            (
                r#"{"alg":"EdDSA","typ":"vc+jwt","crit":["exp"],"exp":1}"#,
                JoseError::Extension("crit"),
            ),
            (r#"{"alg":"EdDSA","typ":"vc+jwt","crit":null}"#, JoseError::Extension("crit")),
            (r#"{"alg":"EdDSA","typ":"vc+jwt","b64":true}"#, JoseError::Extension("b64")),
            (r#"{"alg":"EdDSA"}"#, JoseError::OtherType { expected: VC }),
            (r#"{"alg":"EdDSA","typ":"JWT"}"#, JoseError::OtherType { expected: VC }),
            (r#"{"alg":"EdDSA","typ":"text/vc+jwt"}"#, JoseError::OtherType { expected: VC }),
            (r#"{"alg":"EdDSA","typ":1}"#, JoseError::BadHeader),
            (r#"{"alg":"EdDSA","alg":"EdDSA","typ":"vc+jwt"}"#, JoseError::BadHeader),
            (r#"{"alg":"EdDSA","typ":"vc+jwt","typ":"vc+jwt"}"#, JoseError::BadHeader),
            (r#"{"alg":["EdDSA"]}"#, JoseError::BadHeader),
            (r#"{"typ":"vc+jwt"}"#, JoseError::BadHeader),
            (r#"{"alg":"EdDSA","typ":"vc+jwt"}{}"#, JoseError::BadHeader),
            (r#"["EdDSA","vc+jwt","k"]"#, JoseError::BadHeader),
            (r#"["EdDSA","vc+jwt","k",0,0]"#, JoseError::BadHeader),
            ("", JoseError::BadHeader),
        ] {
            assert_eq!(verify(&with_header(header, &ed), &public, VC), Err(expected), "{header}");
        }
        for header in [
            r#"{"alg":"EdDSA","typ":"application/VC+JWT","jwk":{"kty":"RSA"},"jku":"https://a.example"}"#,
            r#"  {"alg":"Ed25519","typ":"vc+jwt","kid":null}"#,
        ] {
            assert_eq!(verify(&with_header(header, &ed), &public, VC).unwrap(), b"{}");
        }
        let with_typ = with_header(r#"{"alg":"EdDSA","typ":"JWT"}"#, &ed);
        assert_eq!(
            verify(&with_typ, &public, Typ::Absent),
            Err(JoseError::OtherType { expected: Typ::Absent })
        );
    }

    proptest! {
        /// Whatever comes in, nothing fails but by its name.
        #[test]
        fn any_text_is_taken_apart_or_refused(text in "\\PC{0,200}|[A-Za-z0-9_.-]{0,200}") {
            prop_assert!(verify(&text, &key(KeyKind::Ed25519).public(), VC).is_err());
        }

        #[test]
        fn any_payload_comes_back(payload in proptest::collection::vec(any::<u8>(), 0..300)) {
            let key = key(KeyKind::Ed25519);
            prop_assert_eq!(verify(&sign(&key, "k", VC, &payload), &key.public(), VC).unwrap(), payload);
        }
    }
}
