//! The service's own document: the keys that sign what it says.
//!
//! Each key stands twice, as `Multikey` and as `JsonWebKey`, under two fragments: verifiers of either family find the form they read.

use serde_json::{Value, json};

use super::document::{
    Context, Document, JWK_V1, MULTIKEY_V1, MethodKey, Service, VerificationMethod,
};

/// A key that the service signs with, as its document shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceKey {
    /// Its name: the fragment of the Multikey; that of the other form is the same with `-jwk`.
    pub name: String,
    /// Multibase, as in a did:key.
    pub multibase: String,
    /// The same as a JWK, public members only.
    pub jwk: Value,
}

/// The document of the service at `origin`, such as `https://example.org`, with the keys that are active, newest first.
///
/// Without keys it says nothing but whose it is.
#[must_use]
pub fn service_document(id: &str, origin: &str, keys: &[ServiceKey]) -> Document {
    let mut document = Document::new(id.to_owned());
    for key in keys {
        let multikey = MethodKey::Multibase(key.multibase.clone());
        let forms = [
            (key.name.clone(), multikey),
            (format!("{}-jwk", key.name), MethodKey::Jwk(key.jwk.clone())),
        ];
        for (name, key) in forms {
            let method =
                VerificationMethod { id: format!("{id}#{name}"), key, controller: id.to_owned() };
            document.authentication.push(method.id.clone());
            document.assertion_method.push(method.id.clone());
            document.verification_method.push(method);
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
