//! The service's own document: the keys that sign what it says.
//!
//! Each key stands twice, as `Multikey` and as `JsonWebKey`: verifiers of either family find the form they read. Each form is named by
//! what it is made of: the Multikey by its own text, as in a did:key, the JWK by its thumbprint, which is also its `kid`. So a name
//! can never come to mean another key.

use serde_json::{Value, json};

use super::document::{
    Context, Document, JWK_V1, MULTIKEY_V1, MethodKey, Service, VerificationMethod,
};
use super::key::PublicKey;

/// The identifier of the method that has a key of the service as its JWK: what `kid` says in a JWS.
#[must_use]
pub fn jwk_method(id: &str, key: &PublicKey) -> String {
    format!("{id}#{}", key.thumbprint())
}

/// The identifier of the method that has a key of the service as its Multikey: what `verificationMethod` says in a Data Integrity proof.
#[must_use]
pub fn multikey_method(id: &str, key: &PublicKey) -> String {
    format!("{id}#{key}")
}

/// The document of the service at `origin`, such as `https://example.org`, with the keys that it shows, newest first.
///
/// Without keys it says nothing but whose it is.
#[must_use]
pub fn service_document(id: &str, origin: &str, keys: &[PublicKey]) -> Document {
    let mut document = Document::new(id.to_owned());
    for key in keys {
        let mut jwk = key.jwk();
        jwk.insert("kid".to_owned(), key.thumbprint().into());
        for (id, key) in [
            (multikey_method(id, key), MethodKey::Multibase(key.multibase())),
            (jwk_method(id, key), MethodKey::Jwk(Value::Object(jwk))),
        ] {
            let controller = document.id.clone();
            document.authentication.push(id.clone());
            document.assertion_method.push(id.clone());
            document.verification_method.push(VerificationMethod { id, key, controller });
        }
    }
    if !keys.is_empty() {
        let terms = json!({ "LinkedDomains": "https://identity.foundation/.well-known/resources/did-configuration/#LinkedDomains" });
        document.context.extend([
            Context::Url(MULTIKEY_V1),
            Context::Url(JWK_V1),
            Context::Terms(terms),
        ]);
        document.service.push(Service {
            id: format!("{id}#domain"),
            kinds: vec!["LinkedDomains".to_owned()],
            endpoint: format!("{origin}/"),
        });
    }
    document
}
