//! That whoever has an origin has a DID: the Domain Linkage Credential of DIF's Well Known DID Configuration, in its JWT form.
//!
//! The form is that of Verifiable Credentials 1.1 and leaves nothing to choose: its members are exactly those that the text names, in
//! resource, header and payload alike. A credential holds for [`VALID_DAYS`] days and is made anew every day; within a day the same key
//! gives the same bytes.

use serde::Serialize;
use serde_json::{Value, json};

use super::jose::{self, Typ};
use super::key::PrivateKey;
use crate::did::jwk_method;
use crate::vocab::UnixSeconds;

/// How long a credential holds, in days.
pub const VALID_DAYS: u64 = 30;
const DAY_S: u64 = 86_400;
/// Defines the members of resource and credential.
const CONTEXT: &str = "https://identity.foundation/.well-known/did-configuration/v1";
/// That of Verifiable Credentials 1.1.
const CREDENTIALS_V1: &str = "https://www.w3.org/2018/credentials/v1";

/// The resource at `/.well-known/did-configuration.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DidConfiguration {
    #[serde(rename = "@context")]
    context: &'static str,
    linked_dids: [String; 1],
}

/// From when until when a credential holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Validity {
    from: UnixSeconds,
    until: UnixSeconds,
}

impl Validity {
    /// Of a credential that is given out now, by a key that signs since then: from the beginning of the day, or of the key.
    #[must_use]
    pub fn at(now: UnixSeconds, key_since: UnixSeconds) -> Self {
        let day = now.get() / DAY_S * DAY_S;
        let time = |seconds| UnixSeconds::new(seconds).unwrap_or(UnixSeconds::MAX);
        Self { from: time(day).max(key_since), until: time(day + VALID_DAYS * DAY_S) }
    }
}

/// The resource that links an origin, such as `https://example.org`, and a DID, signed by a key that its document shows.
#[must_use]
pub fn did_configuration(
    did: &str,
    origin: &str,
    key: &PrivateKey,
    validity: Validity,
) -> DidConfiguration {
    let Validity { from, until } = validity;
    let payload: Value = json!({
        "iss": did,
        "sub": did,
        "nbf": from.get(),
        "exp": until.get(),
        "vc": {
            "@context": [CREDENTIALS_V1, CONTEXT],
            "issuer": did,
            "issuanceDate": from,
            "expirationDate": until,
            "type": ["VerifiableCredential", "DomainLinkageCredential"],
            "credentialSubject": { "id": did, "origin": origin },
        },
    });
    let kid = jwk_method(did, &key.public());
    let credential = jose::sign(key, &kid, Typ::Absent, payload.to_string().as_bytes());
    DidConfiguration { context: CONTEXT, linked_dids: [credential] }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attest::jose::Jws;
    use crate::attest::key::KeyKind;

    fn at(seconds: u64) -> UnixSeconds {
        UnixSeconds::new(seconds).unwrap()
    }

    #[test]
    fn the_members_are_those_of_the_text_and_no_others() {
        let key = PrivateKey::from_bytes(KeyKind::Ed25519, &[7; 32]).unwrap();
        let validity = Validity::at(at(1_770_116_913), at(0));
        let made = did_configuration("did:web:a.example", "https://a.example", &key, validity);
        let resource = serde_json::to_value(&made).unwrap();
        let names = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
        assert_eq!(names(&resource), ["@context", "linked_dids"]);
        let text = resource["linked_dids"][0].as_str().unwrap();
        let read = Jws::read(text).unwrap();
        assert_eq!(read.kid().unwrap(), format!("did:web:a.example#{}", key.public().thumbprint()));
        let payload: Value =
            serde_json::from_slice(&read.verify(&key.public(), Typ::Absent).unwrap()).unwrap();
        assert_eq!(names(&payload), ["exp", "iss", "nbf", "sub", "vc"]);
        let vc = &payload["vc"];
        assert_eq!(
            names(vc),
            ["@context", "credentialSubject", "expirationDate", "issuanceDate", "issuer", "type"]
        );
        assert_eq!(
            (&vc["issuanceDate"], &vc["expirationDate"]),
            (&json!("2026-02-03T00:00:00Z"), &json!("2026-03-05T00:00:00Z"))
        );
        assert_eq!(
            (&payload["nbf"], &payload["exp"]),
            (&json!(1_770_076_800), &json!(1_772_668_800))
        );
    }

    #[test]
    fn it_is_the_same_all_day_and_no_older_than_its_key() {
        let day = 1_770_076_800;
        let validity = |now, since| Validity::at(at(now), at(since));
        assert_eq!(validity(day, 0), validity(day + DAY_S - 1, 0));
        assert_ne!(validity(day, 0), validity(day + DAY_S, 0));
        assert_eq!(validity(day + 500, day + 100).from, at(day + 100));
        assert_eq!(validity(day + 500, day + 100).until, validity(day, 0).until);
    }
}
