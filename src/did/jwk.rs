//! JSON Web Keys: the form in which a `JsonWebKey` method has a public key (RFC 7517, 7518, 8037, 8812), and its thumbprint (RFC 7638).
//!
//! Only the members that make the key are written, and only those are read; a key that comes with its private part is refused, since
//! whoever published that one no longer has it for themselves.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use super::DidError;
use super::key::PublicKey;

/// The bytes of a coordinate on each of the curves.
const COORDINATE_LEN: usize = 32;

impl PublicKey {
    /// Its JWK: `kty`, `crv`, `x`, and `y` where the curve has it.
    #[must_use]
    pub fn jwk(&self) -> Map<String, Value> {
        let member = |(name, value): (&str, String)| (name.to_owned(), value.into());
        self.members().into_iter().map(member).collect()
    }

    /// The SHA-256 thumbprint of its JWK, in base64url.
    #[must_use]
    pub fn thumbprint(&self) -> String {
        // No value has a sign that JSON escapes, and the order is written down above: it does not hang on a map's.
        let members =
            self.members().into_iter().map(|(name, value)| format!("\"{name}\":\"{value}\""));
        let text = format!("{{{}}}", members.collect::<Vec<_>>().join(","));
        URL_SAFE_NO_PAD.encode(Sha256::digest(text))
    }

    /// The members that make the key, in the order of a thumbprint.
    fn members(&self) -> Vec<(&'static str, String)> {
        let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let on_curve = |crv: &str, point: &[u8]| {
            // An uncompressed point: a tag, then two coordinates.
            let (x, y) = point
                .get(1..)
                .unwrap_or_default()
                .split_at_checked(COORDINATE_LEN)
                .unwrap_or_default();
            vec![("crv", crv.to_owned()), ("kty", "EC".to_owned()), ("x", text(x)), ("y", text(y))]
        };
        match self {
            Self::Ed25519(key) => {
                vec![
                    ("crv", "Ed25519".to_owned()),
                    ("kty", "OKP".to_owned()),
                    ("x", text(key.as_bytes())),
                ]
            }
            Self::P256(key) => on_curve("P-256", key.to_encoded_point(false).as_bytes()),
            Self::Secp256k1(key) => on_curve("secp256k1", key.to_encoded_point(false).as_bytes()),
        }
    }

    /// Reads a JWK.
    ///
    /// # Errors
    /// When it is of another kind, holds a private part, or is no point of its curve.
    pub fn from_jwk(jwk: &Value) -> Result<Self, DidError> {
        let text = |name: &str| jwk.get(name).and_then(Value::as_str);
        if jwk.get("d").is_some() {
            return Err(DidError::PrivateJwk);
        }
        let coordinate = |name, curve| {
            let bytes = text(name)
                .filter(|text| text.len() == 43)
                .and_then(|text| URL_SAFE_NO_PAD.decode(text).ok());
            bytes.filter(|bytes| bytes.len() == COORDINATE_LEN).ok_or(DidError::BadKey(curve))
        };
        let point = |curve| {
            Ok::<_, DidError>([vec![4], coordinate("x", curve)?, coordinate("y", curve)?].concat())
        };
        match (text("kty"), text("crv")) {
            (Some("OKP"), Some("Ed25519")) => Self::of_ed25519(&coordinate("x", "Ed25519")?),
            (Some("EC"), Some("P-256")) => Self::of_p256(&point("P-256")?),
            (Some("EC"), Some("secp256k1")) => Self::of_secp256k1(&point("secp256k1")?),
            _ => Err(DidError::OtherKey),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// RFC 8037, appendix A.2 and A.3.
    #[test]
    fn the_key_of_the_rfc_has_its_thumbprint() {
        let jwk = json!({ "kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" });
        let key = PublicKey::from_jwk(&jwk).unwrap();
        assert_eq!(key.thumbprint(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
        assert_eq!(Value::Object(key.jwk()), jwk);
    }

    /// The key of RFC 7515, appendix A.3, with the thumbprint that `jose` gives it.
    #[test]
    fn a_key_of_p256_has_two_coordinates() {
        let jwk = json!({
            "kty": "EC", "crv": "P-256", "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
            "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0", "kid": "left out", "use": "sig",
        });
        let key = PublicKey::from_jwk(&jwk).unwrap();
        assert_eq!(PublicKey::parse(&key.multibase()).unwrap(), key);
        assert_eq!(key.jwk().keys().collect::<Vec<_>>(), ["crv", "kty", "x", "y"]);
        assert_eq!(PublicKey::from_jwk(&key.jwk().into()).unwrap(), key);
    }

    #[test]
    fn keys_of_three_kinds_go_there_and_back() {
        for text in [
            "z6MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDooWp",
            "zDnaerx9CtbPJ1q36T5Ln5wYt3MQYeGRG5ehnPAmxcf5mDZpv",
            "zQ3shokFTS3brHcDQrn82RUDfCZESWL1ZdCEJwekUDPQiYBme",
        ] {
            let key = PublicKey::parse(text).unwrap();
            assert_eq!(PublicKey::from_jwk(&key.jwk().into()).unwrap().multibase(), text);
            assert_eq!(key.thumbprint().len(), 43);
        }
    }

    #[test]
    fn what_is_no_public_key_is_refused_by_name() {
        let good =
            PublicKey::parse("zDnaerx9CtbPJ1q36T5Ln5wYt3MQYeGRG5ehnPAmxcf5mDZpv").unwrap().jwk();
        let with = |name: &str, value: Value| {
            let mut jwk = good.clone();
            jwk.insert(name.to_owned(), value);
            PublicKey::from_jwk(&jwk.into()).unwrap_err()
        };
        assert_eq!(with("d", json!("AA")), DidError::PrivateJwk);
        assert_eq!(with("kty", json!("OKP")), DidError::OtherKey);
        assert_eq!(with("kty", json!("RSA")), DidError::OtherKey);
        assert_eq!(with("crv", json!("P-384")), DidError::OtherKey);
        let x = good["x"].as_str().unwrap().to_owned();
        for wrong in [
            json!(null),
            json!(1),
            json!(""),
            json!(format!("{x}=")),
            json!(format!("{x}A")),
            json!(x.replace(&x[..1], "+")),
            json!("A".repeat(43)),
            json!("A".repeat(100_000)),
            json!(format!("{}\n", &x[..42])),
        ] {
            assert_eq!(with("x", wrong.clone()), DidError::BadKey("P-256"), "{wrong:.60}");
            assert_eq!(with("y", wrong), DidError::BadKey("P-256"));
        }
        for jwk in [json!(null), json!([]), json!("x"), json!({})] {
            assert_eq!(PublicKey::from_jwk(&jwk), Err(DidError::OtherKey));
        }
    }
}
