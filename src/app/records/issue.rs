//! Records that this service signs, as credentials under its own key: those that an authorised origin brings, and its own.
//!
//! What is signed is the record as the origin gave it, and nothing of the chain: whom its names meant stands beside it and may change until
//! it is final, and is never signed. A service without a key keeps such records as it keeps those that it reads from a relay.

use serde_json::{Value, json};

use super::{CheckedRecord, Records};
use crate::app::ServiceKeys;
use crate::attest::envelope::Form;
use crate::attest::incoming::SentBy;
use crate::attest::jose::{self, Typ};
use crate::attest::{Attestation, credential};
use crate::did::jwk_method;
use crate::did::web::{Local, WebHost};
use crate::storage::RecordSource;
use crate::vocab::UnixSeconds;

impl Records {
    /// Signs a record with the key that signs now; where there is none, the record stays as it is.
    #[must_use]
    pub fn issue(&self, checked: CheckedRecord) -> CheckedRecord {
        let now = self.clock.now();
        let said_at = checked.said_at.min(now);
        let signed = sign_record(&self.keys, &self.host, &checked.attestation, said_at, now);
        let Some((jwt, mut proof)) = signed else { return checked };
        if let (SentBy::Name(_), Some(said_by)) = (&checked.sent_by, proof.get_mut("said_by")) {
            // The service's own word, and its own time.
            *said_by = "signer".into();
        }
        CheckedRecord {
            envelope: Some((jwt.into_bytes(), Form::VcJwt)),
            source: RecordSource::Issued,
            proof: Some(proof.to_string()),
            ..checked
        }
    }
}

/// A credential of a record as a JWT, by the key that signs at a moment, and by what it counts; `None` where no key does.
#[must_use]
pub fn sign_record(
    keys: &ServiceKeys,
    host: &WebHost,
    attestation: &Attestation,
    said_at: UnixSeconds,
    now: UnixSeconds,
) -> Option<(String, Value)> {
    let held = keys.held();
    let key = held.signer(now)?;
    let did = Local::Service.did(host);
    let document = credential::of_attestation(attestation, &did, host, said_at);
    let method = jwk_method(&did, &key.public());
    let payload = serde_json::to_vec(&document).ok()?;
    let jwt = jose::sign(key, &method, Typ::Of("vc+jwt"), &payload);
    let proof = json!({
        "form": Form::VcJwt.as_str(),
        "issuer": did,
        "signer": method,
        "right": { "basis": "service_key" },
        "said_at": said_at,
        "said_by": "origin",
    });
    Some((jwt, proof))
}
