//! Verification methods: which key a DID document has under a name, and whether that key may sign what the subject says.
//!
//! A document is somebody else's text. It must be about the DID that was asked for, name the method once, and list it under
//! `assertionMethod`; whose key it is, is its `controller`. Everything else in it is passed over. Where the document comes from, and
//! since when it says so, the caller knows.

use serde_json::Value;

use crate::did::key::PublicKey;
use crate::did::{Did, DidError, Document, key, pkh};
use crate::vocab::{AccountId, UnixSeconds, shorten};

/// The most methods that are looked through.
const METHODS_MAX: usize = 1_000;

/// A key or account under a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Method {
    /// Its DID URL.
    pub id: String,
    /// Whose it is: a DID.
    pub controller: String,
    /// What it is.
    pub key: MethodKey,
    /// From when on its document says that it no longer counts: the earlier of `expires` and `revoked`.
    pub ends: Option<UnixSeconds>,
}

/// What signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MethodKey {
    /// A key.
    Public(PublicKey),
    /// An account, whose key is known only by what it recovers to. It signs as wallets do, and nothing else.
    Account(AccountId),
}

/// Why a document does not show a key that may sign what its subject says.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MethodError {
    /// The name is not a DID with a fragment.
    #[error("`{0}` does not name a key: write a DID, `#`, and the name of the key in its document")]
    NotAName(String),
    /// The DID of the name is none that is understood.
    #[error("the DID of the key `{id}`: {source}")]
    Did {
        /// The name of the method.
        id: String,
        /// What is wrong with it.
        source: DidError,
    },
    /// The document is about somebody else.
    #[error("the document is about `{found}`, and not about {expected}")]
    OtherDocument {
        /// Whom it is about.
        found: String,
        /// Whom it must be about.
        expected: String,
    },
    /// The document has no such method.
    #[error("the document of {0} has no key of this name")]
    Unknown(String),
    /// The document has two methods of this name, or too many to look through.
    #[error("the document of {0} does not say which key this is")]
    Ambiguous(String),
    /// The method is for something else.
    #[error(
        "the key stands in the document of {0}, but not under `assertionMethod`: it may not sign statements"
    )]
    NotForStatements(String),
    /// The method has a form or a key that is not understood.
    #[error("the key has the type `{kind}`: {why}")]
    Key {
        /// Its type.
        kind: String,
        /// What is wrong.
        why: String,
    },
    /// It names nobody whose it is.
    #[error("the key names no `controller`")]
    NoController,
}

/// The DID in the name of a method.
///
/// # Errors
/// When it is not a DID, `#` and a fragment.
pub fn did_of(id: &str) -> Result<Did, MethodError> {
    let (did, fragment) = id.split_once('#').ok_or_else(|| MethodError::NotAName(shorten(id)))?;
    if fragment.is_empty() || fragment.contains('#') {
        return Err(MethodError::NotAName(shorten(id)));
    }
    Did::parse(did).map_err(|source| MethodError::Did { id: shorten(id), source })
}

/// The method of that name in the document that its DID alone makes; `None` where the DID's method has no such documents.
///
/// # Errors
/// As [`assertion_method`].
pub fn of_identifier(id: &str) -> Result<Option<Method>, MethodError> {
    let did = did_of(id)?;
    let document = match did.method() {
        "key" => key::document(&did),
        "pkh" => pkh::document(&did),
        _ => return Ok(None),
    };
    let document = document.map_err(|source| MethodError::Did { id: shorten(id), source })?;
    of_document(&document, id).map(Some)
}

/// The method of that name in a document of ours.
///
/// # Errors
/// As [`assertion_method`].
pub fn of_document(document: &Document, id: &str) -> Result<Method, MethodError> {
    // A document is made of texts and of JSON, so it can always be written.
    assertion_method(&serde_json::to_value(document).unwrap_or_default(), id)
}

/// The method named `id` in its DID's document, if it may sign statements.
///
/// # Errors
/// Names the first thing that is wrong.
pub fn assertion_method(document: &Value, id: &str) -> Result<Method, MethodError> {
    let did = did_of(id)?;
    let found = document.get("id").and_then(Value::as_str).unwrap_or_default();
    if found != did.as_str() {
        let expected = did.to_string();
        return Err(MethodError::OtherDocument { found: shorten(found), expected });
    }
    let list = |name| document.get(name).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let (methods, statements) = (list("verificationMethod"), list("assertionMethod"));
    if methods.len() + statements.len() > METHODS_MAX {
        return Err(MethodError::Ambiguous(did.to_string()));
    }
    let is_it = |name: &str| name == id || (name.starts_with('#') && id == format!("{did}{name}"));
    let has_id = |method: &&Value| method.get("id").and_then(Value::as_str).is_some_and(is_it);
    let is_named = statements.iter().any(|entry| entry.as_str().is_some_and(is_it));
    let embedded = statements.iter().filter(has_id);
    let listed: Vec<_> = methods.iter().filter(has_id).collect();
    let own: Vec<_> = embedded.collect();
    match (listed.as_slice(), own.as_slice()) {
        ([method], []) if is_named => read(method, id),
        ([], [method]) => read(method, id),
        ([], []) => Err(MethodError::Unknown(did.to_string())),
        ([_], []) => Err(MethodError::NotForStatements(did.to_string())),
        _ => Err(MethodError::Ambiguous(did.to_string())),
    }
}

fn read(method: &Value, id: &str) -> Result<Method, MethodError> {
    let text = |name: &str| method.get(name).and_then(Value::as_str);
    let kind = text("type").unwrap_or_default();
    let refuse = |why: String| MethodError::Key { kind: shorten(kind), why };
    let missing = |name: &str| refuse(format!("it has no `{name}`"));
    let did_error = |error: DidError| refuse(error.to_string());
    let key = match kind {
        "Multikey" | "Ed25519VerificationKey2020" => {
            let key = text("publicKeyMultibase").ok_or_else(|| missing("publicKeyMultibase"))?;
            PublicKey::parse(key).map(MethodKey::Public).map_err(did_error)
        }
        "JsonWebKey" | "JsonWebKey2020" => {
            let key = method.get("publicKeyJwk").ok_or_else(|| missing("publicKeyJwk"))?;
            PublicKey::from_jwk(key).map(MethodKey::Public).map_err(did_error)
        }
        "EcdsaSecp256k1RecoveryMethod2020" => {
            let account =
                text("blockchainAccountId").ok_or_else(|| missing("blockchainAccountId"))?;
            let account =
                Did::parse(&format!("did:pkh:{account}")).and_then(|did| pkh::parse(&did));
            account.map(MethodKey::Account).map_err(did_error)
        }
        _ => Err(refuse(
            "use `Multikey`, `JsonWebKey` or `EcdsaSecp256k1RecoveryMethod2020`".to_owned(),
        )),
    }?;
    let controller = text("controller").ok_or(MethodError::NoController)?.to_owned();
    let mut ends = None;
    for name in ["expires", "revoked"] {
        let Some(value) = method.get(name) else { continue };
        let end = value.as_str().and_then(UnixSeconds::of_timestamp);
        let end = end.ok_or_else(|| refuse(format!("its `{name}` is no time")))?;
        ends = Some(ends.map_or(end, |earlier: UnixSeconds| earlier.min(end)));
    }
    Ok(Method { id: id.to_owned(), controller, key, ends })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const KEY: &str = "z6MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDooWp";
    const DID: &str = "did:web:a.example";
    const ID: &str = "did:web:a.example#one";

    fn method(id: &str) -> Value {
        json!({ "id": id, "type": "Multikey", "controller": DID, "publicKeyMultibase": KEY })
    }

    fn document(methods: Value, statements: Value) -> Value {
        let mut document = json!({ "id": DID });
        document["verificationMethod"] = methods;
        document["assertionMethod"] = statements;
        document
    }

    #[test]
    fn a_method_is_found_in_every_form_of_a_document() {
        for (methods, statements) in [
            (json!([method("did:web:a.example#zero"), method(ID)]), json!(["#two", ID])),
            (json!([method("#one")]), json!(["#one"])),
            (json!([method("#one")]), json!([ID])),
            (json!([]), json!([method(ID)])),
            (json!(null), json!([method("#one")])),
        ] {
            let document = document(methods, statements);
            let found = assertion_method(&document, ID).unwrap();
            assert_eq!((found.id.as_str(), found.controller.as_str(), found.ends), (ID, DID, None));
            assert_eq!(found.key, MethodKey::Public(PublicKey::parse(KEY).unwrap()));
        }
    }

    #[test]
    fn what_is_no_key_for_statements_is_refused_by_name() {
        let did = || DID.to_owned();
        for (document, expected) in [
            (document(json!([method(ID)]), json!([])), MethodError::NotForStatements(did())),
            (document(json!([method(ID)]), json!(["#two"])), MethodError::NotForStatements(did())),
            (document(json!([]), json!([ID])), MethodError::Unknown(did())),
            (
                document(json!([method(ID), method("#one")]), json!([ID])),
                MethodError::Ambiguous(did()),
            ),
            (document(json!([method(ID)]), json!([ID, method(ID)])), MethodError::Ambiguous(did())),
            (document(json!(vec![method("#x"); 1001]), json!([ID])), MethodError::Ambiguous(did())),
            (json!({ "authentication": [method(ID)], "id": DID }), MethodError::Unknown(did())),
            (
                json!({ "id": "did:web:b.example", "assertionMethod": [method(ID)] }),
                MethodError::OtherDocument {
                    found: "did:web:b.example".to_owned(),
                    expected: did(),
                },
            ),
            (json!([]), MethodError::OtherDocument { found: String::new(), expected: did() }),
        ] {
            assert_eq!(assertion_method(&document, ID), Err(expected), "{document}");
        }
        for id in
            ["", "a", DID, "#one", "did:web:a.example#", "did:web:a.example#a#b", "did:web:#a"]
        {
            let error = assertion_method(&document(json!([]), json!([])), id).unwrap_err();
            assert!(matches!(error, MethodError::NotAName(_) | MethodError::Did { .. }), "{id}");
        }
    }

    #[test]
    fn each_type_of_method_has_its_key() {
        let of = |change: Value| {
            let mut method = method(ID);
            for (name, value) in change.as_object().unwrap() {
                method[name] = value.clone();
            }
            assertion_method(&document(json!([method]), json!([ID])), ID)
        };
        let address = "0x8004A169FB4a3325136EB29fA0ceB6D2e539a432";
        let account = json!({
            "type": "EcdsaSecp256k1RecoveryMethod2020",
            "blockchainAccountId": format!("eip155:8453:{address}"),
        });
        let found = of(account).unwrap().key;
        let expected =
            AccountId::parse(&format!("eip155:8453:{address}"), crate::vocab::ChainId(1));
        assert_eq!(found, MethodKey::Account(expected.unwrap()));
        let jwk = json!({ "kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" });
        assert!(of(json!({ "type": "JsonWebKey", "publicKeyJwk": jwk })).is_ok());
        let ends = json!({ "expires": "2026-02-03T11:08:33Z", "revoked": "2026-02-01T00:00:00Z" });
        assert_eq!(of(ends).unwrap().ends, UnixSeconds::parse("2026-02-01T00:00:00Z").ok());
        for (change, told) in [
            (json!({ "type": "X25519KeyAgreementKey2020" }), "use `Multikey`"),
            (json!({ "type": 7 }), "use `Multikey`"),
            (json!({ "publicKeyMultibase": "z6Mk" }), "Ed25519, P-256 and secp256k1"),
            (json!({ "type": "JsonWebKey" }), "no `publicKeyJwk`"),
            (json!({ "type": "EcdsaSecp256k1RecoveryMethod2020" }), "no `blockchainAccountId`"),
            (json!({ "expires": "soon" }), "`expires` is no time"),
            (json!({ "revoked": 1 }), "`revoked` is no time"),
            (json!({ "controller": null }), "no `controller`"),
        ] {
            let error = of(change).unwrap_err().to_string();
            assert!(error.contains(told), "{error}");
        }
    }

    #[test]
    fn identifiers_that_are_keys_and_accounts_need_no_document() {
        let id = format!("did:key:{KEY}#{KEY}");
        let found = of_identifier(&id).unwrap().unwrap();
        assert_eq!(found.controller, format!("did:key:{KEY}"));
        let account = "did:pkh:eip155:1:0x8004A169FB4a3325136EB29fA0ceB6D2e539a432";
        let found = of_identifier(&format!("{account}#blockchainAccountId")).unwrap().unwrap();
        assert!(matches!(found.key, MethodKey::Account(_)));
        assert_eq!(of_identifier(ID), Ok(None));
        assert!(matches!(of_identifier(&format!("did:key:{KEY}#x")), Err(MethodError::Unknown(_))));
        assert!(matches!(of_identifier("did:key:z#z"), Err(MethodError::Did { .. })));
    }
}
