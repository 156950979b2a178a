//! Records that this service signs: those that an authorised origin brings, as credentials under the service's own key.
//!
//! What is signed is the record as the origin gave it, and nothing of the chain: whom its names meant stands beside it and may change until
//! it is final, and is never signed. A service without a key keeps such records as it keeps those that it reads from a relay.

use serde_json::{Value, json};

use super::{CheckedRecord, Records};
use crate::attest::envelope::Form;
use crate::attest::jose::{self, Typ};
use crate::attest::{Attestation, credential};
use crate::did::jwk_method;
use crate::did::web::Local;
use crate::storage::RecordSource;
use crate::vocab::UnixSeconds;

impl Records {
    /// Signs a record with the key that signs now; where there is none, the record stays as it is.
    #[must_use]
    pub fn issue(&self, checked: CheckedRecord) -> CheckedRecord {
        let now = self.clock.now();
        let Some((jwt, proof)) = self.sign(&checked.attestation, checked.said_at, now) else {
            return checked;
        };
        CheckedRecord {
            envelope: Some((jwt.into_bytes(), Form::VcJwt)),
            source: RecordSource::Issued,
            proof: Some(proof.to_string()),
            ..checked
        }
    }

    /// A credential of a record as a JWT, and by what it counts; `None` without a key.
    #[must_use]
    pub fn sign(
        &self,
        attestation: &Attestation,
        said_at: UnixSeconds,
        now: UnixSeconds,
    ) -> Option<(String, Value)> {
        let held = self.keys.held();
        let key = held.signer(now)?;
        let did = Local::Service.did(&self.host);
        let document = credential::of_attestation(attestation, &did, &self.host, said_at.min(now));
        let method = jwk_method(&did, &key.public());
        let payload = serde_json::to_vec(&document).ok()?;
        let jwt = jose::sign(key, &method, Typ::Of("vc+jwt"), &payload);
        let proof = json!({
            "form": Form::VcJwt.as_str(),
            "issuer": did,
            "signer": method,
            "right": { "basis": "service_key" },
            "said_at": said_at.min(now),
            "said_by": "origin",
        });
        Some((jwt, proof))
    }
}
