//! `hallmark verify`: whether an envelope or a trace document holds, with nothing but the file; `verify_at` asks a service instead.
//!
//! A trace document carries what is needed. An envelope alone does not say who spoke for its issuer when it was signed, unless the issuer is
//! the key or the account itself: then the answer is that this cannot be said, and what would say it. Exit code 0 where it holds, 3 where it
//! does not, 1 where it cannot be said.

use std::path::Path;

use serde_json::{Value, json};

use super::args::VerifyArgs;
use super::delegation::{FILE_BYTES_MAX, read_file, trace};
use super::{CliError, Exit, Output, verify_at};
use crate::app::{Clock, SystemClock};
use crate::attest::canonical;
use crate::attest::envelope::{Envelope, Signer};
use crate::attest::method::{self, Method, MethodError};
use crate::attest::verdict::{Basis, Expected, Facts, Right, Valid, Verdict};
use crate::attest::verify;
use crate::config::Config;
use crate::delegation::{DOCUMENT_SCHEMA, ENVELOPE_BYTES_MAX, TraceDocument, verify_trace};
use crate::vocab::UnixSeconds;

/// Checks a file.
pub(super) fn run(
    config: &Config,
    wanted: &VerifyArgs,
    out: &mut Output,
) -> Result<Exit, CliError> {
    let now = match &wanted.time {
        Some(time) => {
            UnixSeconds::parse(time).map_err(|error| CliError::new(Exit::Usage, &error))?
        }
        None => SystemClock.now(),
    };
    let bytes = read_file(&wanted.file)?;
    if let Some(service) = &wanted.service {
        return verify_at::run(config, service, &wanted.file, bytes, out);
    }
    if is_document(&bytes) {
        let document =
            TraceDocument::read(&bytes).map_err(|error| refused(&wanted.file, &error))?;
        let verdict = verify_trace(&document, now);
        return trace(&document, &verdict, out);
    }
    let raw = bytes.trim_ascii().to_vec();
    let envelope =
        Envelope::read(raw, ENVELOPE_BYTES_MAX).map_err(|error| refused(&wanted.file, &error))?;
    let document = wanted.did_document.as_deref().map(read_json).transpose()?;
    let answer = judged(&envelope, document.as_ref(), now);
    let exit = answer.exit();
    out.record(&answer.to_value(&envelope), || answer.to_text(&envelope))?;
    Ok(exit)
}

/// Whether a file is a trace document, as far as it can be told.
pub(super) fn is_document(bytes: &[u8]) -> bool {
    let value = canonical::read(bytes, FILE_BYTES_MAX).unwrap_or_default();
    let schema = value.get("schema").and_then(Value::as_str);
    // Of another version it is one all the same, and will be refused as such.
    let family = DOCUMENT_SCHEMA.trim_end_matches('1');
    schema.is_some_and(|schema| schema.starts_with(family))
}

fn read_json(path: &Path) -> Result<Value, CliError> {
    canonical::read(&read_file(path)?, FILE_BYTES_MAX).map_err(|error| refused(path, &error))
}

pub(super) fn refused(path: &Path, error: &dyn std::error::Error) -> CliError {
    let message = std::io::Error::other(format!("`{}` is refused: {error}", path.display()));
    let hint = "docs/attestation.md describes attestations and how they are signed, docs/delegation.md records of delegations and trace documents";
    CliError::new(Exit::Negative, &message).with_hint(Some(hint.to_owned()))
}

/// What can be said of an envelope.
enum Answer {
    Holds(Box<Valid>),
    Fails(String),
    Unsaid(String),
}

/// Whether an envelope holds, as far as the file says.
fn judged(envelope: &Envelope, document: Option<&Value>, now: UnixSeconds) -> Answer {
    let always = [Right { from: UnixSeconds::EPOCH, to: None, basis: Basis::Document }];
    let found = match envelope.signer() {
        Signer::Account { .. } => Ok(None),
        Signer::Method(id) => match document {
            Some(document) => method::assertion_method(document, id).map(Some),
            None => method::of_identifier(id),
        },
    };
    let method: Option<Method> = match found {
        Ok(found) => found,
        Err(error) => return Answer::Fails(error.to_string()),
    };
    if let (Signer::Method(id), None) = (envelope.signer(), &method) {
        let did = method::did_of(id).map(|did| did.to_string());
        return match did {
            Ok(did) => Answer::Unsaid(format!(
                "it is signed by the key `{id}`, and the document of {did} is not here: give it by --did-document"
            )),
            Err(error) => Answer::Fails(MethodError::to_string(&error)),
        };
    }
    // Which contracts of EAS count is for whoever takes records in to say; the answer names the one of the file.
    let contract = envelope.eas_contract();
    let facts = Facts {
        received: now,
        checked_at: None,
        method: method.as_ref(),
        rights: &always,
        answer: None,
        expected: Expected { eas: contract.as_slice(), ..Expected::default() },
    };
    match verify(envelope, &facts) {
        Verdict::Invalid(refusal) => Answer::Fails(refusal.to_string()),
        Verdict::Ask(question) => {
            let hint = envelope.time_hint().map(|hint| format!("; {hint}"));
            Answer::Unsaid(question.unasked(None) + &hint.unwrap_or_default())
        }
        Verdict::Valid(valid)
            if valid.signed_by.is_some() && valid.right.basis != Basis::Itself =>
        {
            Answer::Unsaid(format!(
                "{} signed it, and whether that account spoke for {} at {} is not in the file: a trace document says it, or a service that follows the registry",
                valid.signer,
                valid.issuer,
                valid.said.time()
            ))
        }
        Verdict::Valid(valid) => Answer::Holds(valid),
    }
}

impl Answer {
    const fn exit(&self) -> Exit {
        match self {
            Self::Holds(_) => Exit::Done,
            Self::Fails(_) => Exit::Negative,
            Self::Unsaid(_) => Exit::Failed,
        }
    }

    const fn standing(&self) -> &'static str {
        match self {
            Self::Holds(_) => "valid",
            Self::Fails(_) => "invalid",
            Self::Unsaid(_) => "unknown",
        }
    }

    fn to_value(&self, envelope: &Envelope) -> Value {
        let (standing, form) = (self.standing(), envelope.form().as_str());
        match self {
            Self::Holds(valid) => {
                let mut value = json!({
                    "standing": standing, "form": form, "issuer": valid.issuer,
                    "signer": valid.signer, "said_at": valid.said.time(),
                    "record": valid.secured.digest(), "kind": valid.secured.kind(),
                });
                if let (Some(contract), Some(object)) =
                    (envelope.eas_contract(), value.as_object_mut())
                {
                    object.insert("contract".to_owned(), contract.to_string().into());
                }
                value
            }
            Self::Fails(reason) | Self::Unsaid(reason) => {
                json!({ "standing": standing, "form": form, "reason": reason })
            }
        }
    }

    fn to_text(&self, envelope: &Envelope) -> String {
        let (standing, form) = (self.standing(), envelope.form().as_str());
        let text = match self {
            Self::Holds(valid) => {
                format!(
                    "{standing}: {form} by {}\n  issuer  {}\n  said    {}\n  kind    {}\n  record  {}",
                    valid.signer,
                    valid.issuer,
                    valid.said.time(),
                    valid.secured.kind(),
                    valid
                        .secured
                        .digest()
                        .map_or_else(|| "none of ours".to_owned(), |it| it.to_string()),
                ) + &envelope.eas_contract().map_or_else(String::new, |contract| {
                    format!("\n  contract {contract}, of EAS: whether it counts is not in the file")
                })
            }
            Self::Fails(reason) | Self::Unsaid(reason) => format!("{standing}: {form}: {reason}"),
        };
        super::delegation::shown(&text)
    }
}
