//! Records from their fields, and trace documents from envelopes.

use std::io;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use super::super::verify::refused;
use super::super::{CliError, Exit, Output};
use super::{canonical_text, print_value, read_file};
use crate::app::{Clock, SystemClock};
use crate::attest::TypedRecord;
use crate::attest::canonical;
use crate::attest::envelope::Envelope;
use crate::delegation::{
    DOCUMENT_BYTES_MAX, DOCUMENT_SCHEMA, ENVELOPE_BYTES_MAX, Kind, Record, Sealed, Specification,
    TraceDocument,
};

/// Makes a record of its fields; prints its RFC 8785 bytes, which are what is hashed.
pub(super) fn new(kind: &str, path: &Path, out: &mut Output) -> Result<Exit, CliError> {
    let kind = Kind::from_word(kind).ok_or_else(|| {
        let kinds = Kind::ALL.map(Kind::as_str).join(", ");
        let error =
            io::Error::other(format!("`{kind}` is no kind of record: write one of {kinds}"));
        CliError::new(Exit::Usage, &error)
    })?;
    let value = canonical::read(&read_file(path)?, DOCUMENT_BYTES_MAX)
        .map_err(|error| refused(path, &error))?;
    let Value::Object(mut fields) = value else {
        return Err(refused(path, &io::Error::other("it must be an object of fields")));
    };
    fields.entry("schema").or_insert_with(|| kind.schema().into());
    fields.entry("issued_at").or_insert_with(|| SystemClock.now().to_string().into());
    if let Some(Value::Object(specification)) = fields.get_mut("specification") {
        add_digest(specification).map_err(|error| refused(path, &error))?;
    }
    let typed = TypedRecord::from_value(Value::Object(fields));
    let typed = typed.map_err(|error| refused(path, &error))?;
    let record = Record::read(&typed).map_err(|error| refused(path, &error))?;
    if record.kind() != kind {
        let error =
            io::Error::other(format!("its `schema` is that of another kind: `{}`", typed.schema));
        return Err(refused(path, &error));
    }
    let text = canonical_text(&typed.to_value())?;
    out.record(&typed.to_value(), || text)?;
    Ok(Exit::Done)
}

/// Adds the digest of a specification that has none.
fn add_digest(specification: &mut Map<String, Value>) -> Result<(), canonical::JsonError> {
    let conditions = specification.get("conditions").and_then(Value::as_array);
    let grammar = specification.get("scope_grammar").and_then(Value::as_str);
    let digest = Specification::digest_of(conditions.map_or(&[][..], Vec::as_slice), grammar)?;
    specification.entry("digest").or_insert_with(|| digest.to_string().into());
    Ok(())
}

/// Puts envelopes and what is known of their signers into a document.
pub(super) fn bundle(
    files: &[PathBuf],
    known: Option<&Path>,
    out: &mut Output,
) -> Result<Exit, CliError> {
    let mut envelopes = Vec::new();
    for path in files {
        let bytes = read_file(path)?.trim_ascii().to_vec();
        let envelope =
            Envelope::read(bytes, ENVELOPE_BYTES_MAX).map_err(|error| refused(path, &error))?;
        let envelope = String::from_utf8(envelope.raw().to_vec())?;
        envelopes.push(Sealed { envelope, received: None });
    }
    let mut document = serde_json::to_value(TraceDocument::new(envelopes))?;
    if let (Some(path), Some(whole)) = (known, document.as_object_mut()) {
        let value = canonical::read(&read_file(path)?, DOCUMENT_BYTES_MAX)
            .map_err(|error| refused(path, &error))?;
        let Value::Object(known) = value else {
            return Err(refused(path, &io::Error::other("it must be an object")));
        };
        let is_whole = known.get("schema").is_some_and(|schema| schema == DOCUMENT_SCHEMA);
        // What another document knows is known here too.
        whole.extend(known.into_iter().filter(|(name, _)| {
            !is_whole || ["as_of", "parties", "answers"].contains(&name.as_str())
        }));
    }
    let path = known.unwrap_or(Path::new("the envelopes"));
    TraceDocument::from_value(document.clone()).map_err(|error| refused(path, &error))?;
    print_value(&document, out)?;
    Ok(Exit::Done)
}
