//! What a DID document is made of, in the order in which its bytes stand.
//!
//! The form is DID Core 1.0's in JSON-LD: the context is the one that every resolver in use accepts, and every term that stands in a
//! document is defined by one of its contexts. Members that would be empty are left out.

use serde::{Serialize, Serializer};
use serde_json::Value;

/// The context of every document.
pub(super) const DID_V1: &str = "https://www.w3.org/ns/did/v1";
/// Defines [`RECOVERY_METHOD`] and `blockchainAccountId`.
pub(super) const RECOVERY_V2: &str = "https://w3id.org/security/suites/secp256k1recovery-2020/v2";
/// Defines `Multikey` and `publicKeyMultibase`.
pub(super) const MULTIKEY_V1: &str = "https://w3id.org/security/multikey/v1";
/// Defines `JsonWebKey` and `publicKeyJwk`.
pub(super) const JWK_V1: &str = "https://w3id.org/security/jwk/v1";
/// The type of a method whose key is known by the account it recovers to.
pub(super) const RECOVERY_METHOD: &str = "EcdsaSecp256k1RecoveryMethod2020";

/// One entry of `@context`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Context {
    /// The URL of a context that resolvers hold.
    Url(&'static str),
    /// Terms defined in place.
    Terms(Value),
}

/// A DID document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Document {
    /// What its terms mean.
    #[serde(rename = "@context")]
    pub context: Vec<Context>,
    /// Of what: byte for byte the DID that was asked for.
    pub id: String,
    /// Other identifiers of the same subject, as the document claims.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub also_known_as: Vec<String>,
    /// The keys and accounts that the relations below name.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub verification_method: Vec<VerificationMethod>,
    /// Which methods prove that somebody is the subject.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub authentication: Vec<String>,
    /// Which methods sign what the subject says.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub assertion_method: Vec<String>,
    /// Which methods pass on a capability.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub capability_delegation: Vec<String>,
    /// Which methods use a capability.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub capability_invocation: Vec<String>,
    /// Where the subject can be met.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub service: Vec<Service>,
}

impl Document {
    /// A document that says nothing but whose it is.
    pub fn new(id: String) -> Self {
        Self {
            context: vec![Context::Url(DID_V1)],
            id,
            also_known_as: Vec::new(),
            verification_method: Vec::new(),
            authentication: Vec::new(),
            assertion_method: Vec::new(),
            capability_delegation: Vec::new(),
            capability_invocation: Vec::new(),
            service: Vec::new(),
        }
    }
}

/// A key or an account that signs for the subject.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct VerificationMethod {
    /// Its own identifier: the document's, and a fragment.
    pub id: String,
    /// Type and key, in the form of that type.
    #[serde(flatten)]
    pub key: MethodKey,
    /// Whose it is: the document's identifier.
    pub controller: String,
}

/// What a verification method is of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MethodKey {
    /// An account, CAIP-10: `EcdsaSecp256k1RecoveryMethod2020`.
    Account(String),
    /// A key as `Multikey`.
    Multibase(String),
    /// A key as `JsonWebKey`.
    Jwk(Value),
}

impl Serialize for MethodKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeMap;
        let mut map = serializer.serialize_map(Some(2))?;
        match self {
            Self::Account(account) => {
                map.serialize_entry("type", RECOVERY_METHOD)?;
                map.serialize_entry("blockchainAccountId", account)?;
            }
            Self::Multibase(key) => {
                map.serialize_entry("type", "Multikey")?;
                map.serialize_entry("publicKeyMultibase", key)?;
            }
            Self::Jwk(key) => {
                map.serialize_entry("type", "JsonWebKey")?;
                map.serialize_entry("publicKeyJwk", key)?;
            }
        }
        map.end()
    }
}

/// Where the subject can be met.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Service {
    /// The document's identifier and a fragment.
    pub id: String,
    /// What kinds of service it is.
    #[serde(rename = "type")]
    pub kinds: Vec<String>,
    /// Where.
    #[serde(rename = "serviceEndpoint")]
    pub endpoint: String,
}
