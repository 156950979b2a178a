//! A signed envelope that somebody brings, judged by what is known here of its signer, and not kept.

use super::refused::{Refused, RefusedBecause};
use super::{RECORD_SIZE_MAX, Records};
use crate::attest::Envelope;
use crate::attest::canonical::JsonError;
use crate::attest::envelope::{EnvelopeError, Form};
use crate::attest::verdict::Valid;

/// What was found of an envelope.
#[derive(Clone, Debug)]
pub struct JudgedEnvelope {
    /// Its form.
    pub form: Form,
    /// Whether it holds.
    pub held: EnvelopeHeld,
}

/// Whether an envelope holds.
#[derive(Clone, Debug)]
pub enum EnvelopeHeld {
    /// It does, and by what.
    Holds(Box<Valid>),
    /// It does not, and why.
    Fails(String),
    /// It cannot be said here, and why.
    Unsaid(String),
}

impl Records {
    /// Judges an envelope, whatever it carries.
    ///
    /// # Errors
    /// When it cannot be read, or what it takes to judge it cannot be had now.
    pub async fn judge_envelope(&self, raw: Vec<u8>) -> Result<JudgedEnvelope, Refused> {
        let envelope = Envelope::read(raw, RECORD_SIZE_MAX).map_err(|error| match error {
            EnvelopeError::Json(JsonError::TooLong { .. }) => {
                Refused::new(RefusedBecause::TooLarge, error)
            }
            _ => Refused::new(RefusedBecause::Malformed, error),
        })?;
        let held = match self.verified(&envelope, self.clock.now()).await {
            Ok(verified) => EnvelopeHeld::Holds(verified.valid),
            Err(refused) => match refused.because {
                RefusedBecause::Unverified => EnvelopeHeld::Fails(refused.detail),
                RefusedBecause::NoNode => EnvelopeHeld::Unsaid(refused.detail),
                _ => return Err(refused),
            },
        };
        Ok(JudgedEnvelope { form: envelope.form(), held })
    }
}
