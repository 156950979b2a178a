//! `hallmark attest`: says something of somebody in the service's own name, signs it, and keeps it.
//!
//! One record comes from the flags, or many from a file, a line each. What is signed goes to standard output; with `--print` it is not
//! kept, and no database is needed.

use std::io;
use std::path::Path;

use serde_json::{Map, Value, json};

use super::args::AttestArgs;
use super::input::read_file;
use super::shutdown::run_until_signal;
use super::{CliError, Exit, Output, open};
use crate::app::{
    Accepted, CheckedRecord, Clock, RECORD_SIZE_MAX, Records, Refused, ServiceKeys, SystemClock,
    sign_record,
};
use crate::attest::attestation::SCHEMA;
use crate::attest::class::IssuerClass;
use crate::attest::incoming::{Incoming, SentBy};
use crate::attest::{Attestation, canonical};
use crate::config::Config;
use crate::did::web::Local;
use crate::storage::RecordSource;
use crate::vocab::{AgentRef, Digest, RegistryRef};

/// The longest file that is read, in bytes.
const FILE_SIZE_MAX: usize = 1 << 30;
/// So many records are kept in one transaction.
const TOGETHER: usize = 500;

/// Signs records, and keeps them unless they are only to be printed.
pub(super) fn run(
    config: &Config,
    wanted: &AttestArgs,
    out: &mut Output,
) -> Result<Exit, CliError> {
    let bodies = bodies(config, wanted)?;
    let keys = open::service_keys(config)?;
    if keys.held().signer(SystemClock.now()).is_none() {
        let error = io::Error::other("no key signs for this service now");
        let hint = "make one with `hallmark keys new`".to_owned();
        return Err(CliError::new(Exit::Failed, &error).with_hint(Some(hint)));
    }
    if wanted.print {
        return printed(config, &keys, &bodies, out);
    }
    run_until_signal(async |_| {
        let database = open::used_database(config).await?;
        let records = Records { keys, ..open::records(config, &database) };
        let mut exit = Exit::Done;
        for part in bodies.chunks(TOGETHER) {
            if kept(config, &records, part, out).await? != Exit::Done {
                exit = Exit::Negative;
            }
        }
        database.close().await;
        Ok(exit)
    })?
}

/// A record to sign, and where it was read.
struct Body {
    place: String,
    read: Result<Attestation, String>,
}

/// The records that are to be signed, each read or not.
fn bodies(config: &Config, wanted: &AttestArgs) -> Result<Vec<Body>, CliError> {
    let usage = |error: &dyn std::error::Error| CliError::new(Exit::Usage, error);
    let Some(file) = &wanted.file else {
        let value = of_flags(config, wanted).map_err(|error| usage(&*error))?;
        let read = Attestation::from_value(value).map_err(|error| error.to_string());
        return Ok(vec![Body { place: "the record".to_owned(), read }]);
    };
    let text = read(file, FILE_SIZE_MAX)?;
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let body = |(index, line): (usize, &str)| Body {
        place: format!("line {}", index + 1),
        read: Attestation::read(line.as_bytes(), RECORD_SIZE_MAX)
            .map_err(|error| error.to_string()),
    };
    Ok(lines.map(body).collect())
}

/// The text of a file. Of one that is too long nothing is signed: whoever has it signed must not believe that all of it was.
fn read(file: &Path, max: usize) -> Result<String, CliError> {
    let too_long = |why| {
        let message = io::Error::other(format!("nothing of `{}` is signed: {why}", file.display()));
        let hint = "split it into several files, between two lines, and sign one after the other";
        CliError::new(Exit::Negative, &message).with_hint(Some(hint.to_owned()))
    };
    let bytes = read_file(file, max, too_long)?;
    String::from_utf8(bytes).map_err(|_| {
        let error = io::Error::other("stream did not contain valid UTF-8");
        CliError::failed(&format!("cannot read `{}`", file.display()), &error)
    })
}

/// The record that flags describe, by the service itself unless they say otherwise.
fn of_flags(
    config: &Config,
    wanted: &AttestArgs,
) -> Result<Value, Box<dyn std::error::Error + Send + Sync>> {
    let data = match &wanted.data {
        None => Value::Object(Map::new()),
        Some(text) => canonical::read(text.as_bytes(), RECORD_SIZE_MAX)
            .map_err(|error| format!("--data: {error}"))?,
    };
    let kind = wanted.claim_type.as_deref().ok_or("--claim-type says which kind of claim it is")?;
    let subject = wanted.subject.as_deref().ok_or("--subject says of whom it is")?;
    let (chain, address) = (config.chain_id, config.identity_registry);
    // A number alone, or with its chain, is an agent of the registry that is followed; a record has its name in full.
    let agent = AgentRef::parse(subject, RegistryRef { chain, address }).ok();
    let subject = agent.map_or_else(|| subject.to_owned(), |agent| agent.to_string());
    let mut body = json!({
        "schemaVersion": SCHEMA,
        "issuer": Local::Service.did(&config.host),
        "issuerKind": IssuerClass::System.as_str(),
        "subject": subject,
        "claim": { "type": kind, "data": data },
        "issuedAt": SystemClock.now().to_string(),
    });
    let mut context = Map::new();
    context.insert("chain".to_owned(), format!("eip155:{}", config.chain_id.0).into());
    if let Some(game) = &wanted.game {
        context.insert("game".to_owned(), game.as_str().into());
    }
    if let Some(object) = body.as_object_mut() {
        let fields = [
            ("note", wanted.note.as_deref().map(Value::from)),
            // As a text, since a number with a fraction is not what it is written as.
            ("confidence", wanted.confidence.as_deref().map(Value::from)),
            ("round", wanted.round.map(Value::from)),
            ("supersedes", wanted.supersedes.as_deref().map(Value::from)),
        ];
        object
            .extend(fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
        let said = canonical::to_bytes(&Value::Object(object.clone()))?;
        object.insert("id".to_owned(), Digest::of(&said).to_string().into());
    }
    Ok(json!({ "attestation": body, "context": context }))
}

/// Who says a record: the service itself, or an origin that is configured here.
fn sender(config: &Config, attestation: &Attestation) -> Result<SentBy, String> {
    let own = Local::Service.did(&config.host);
    match &attestation.context.origin {
        Some(named) if config.origins.iter().any(|origin| origin.name == *named) => {
            Ok(SentBy::Origin(named.clone()))
        }
        Some(named) => Err(format!("`context.origin`: no origin `{named}` is configured")),
        None if attestation.issuer.to_string() == own => {
            Ok(SentBy::Name(attestation.issuer.clone()))
        }
        None => Err(format!(
            "`attestation.issuer` is {}, and what this service signs is by {own}, or by an origin that `context.origin` names",
            attestation.issuer
        )),
    }
}

/// Signs records and keeps them.
async fn kept(
    config: &Config,
    records: &Records,
    bodies: &[Body],
    out: &mut Output,
) -> Result<Exit, CliError> {
    let (mut places, mut checked, mut exit) = (Vec::new(), Vec::new(), Exit::Done);
    for body in bodies {
        let signed = body.read.clone().and_then(|attestation| {
            let sent_by = sender(config, &attestation)?;
            let incoming = Incoming { attestation, sent_by, place: None, said_at: None };
            let checked = records.check_incoming(incoming, RecordSource::Issued);
            checked.map(|checked| records.issue(checked)).map_err(|refused| refused.to_string())
        });
        match signed {
            Ok(record) => {
                places.push((body.place.as_str(), envelope(&record)));
                checked.push(record);
            }
            Err(why) => exit = refused(&body.place, &why),
        }
    }
    let results = records.commit(checked).await?;
    for ((place, envelope), result) in places.into_iter().zip(results) {
        match result {
            Ok(Accepted { seq, digest, is_new, .. }) => {
                let value =
                    json!({ "seq": seq, "digest": digest, "is_new": is_new, "envelope": envelope });
                out.record(&value, || format!("{seq} {digest}"))?;
            }
            Err(Refused { detail, .. }) => exit = refused(place, &detail),
        }
    }
    Ok(exit)
}

/// Signs records and only prints them.
fn printed(
    config: &Config,
    keys: &ServiceKeys,
    bodies: &[Body],
    out: &mut Output,
) -> Result<Exit, CliError> {
    let (mut exit, now) = (Exit::Done, SystemClock.now());
    for body in bodies {
        let signed = body.read.clone().and_then(|attestation| {
            sender(config, &attestation)?;
            let said_at = attestation.said_at().unwrap_or(now).min(now);
            let signed = sign_record(keys, &config.host, &attestation, said_at, now);
            signed.ok_or_else(|| "no key signs now".to_owned())
        });
        match signed {
            Ok((envelope, _)) => {
                out.record(&json!({ "envelope": envelope }), || envelope.clone())?;
            }
            Err(why) => exit = refused(&body.place, &why),
        }
    }
    Ok(exit)
}

fn envelope(record: &CheckedRecord) -> String {
    let raw = record.envelope.as_ref().map(|(raw, _)| raw.as_slice()).unwrap_or_default();
    String::from_utf8_lossy(raw).into_owned()
}

/// Says on standard error what is wrong with a record; the others are not harmed.
fn refused(place: &str, why: &str) -> Exit {
    tracing::error!("{place} is not signed: {why}");
    Exit::Negative
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_file_that_is_too_long_no_line_is_signed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("records");
        std::fs::write(&path, "{}\n{}\n").unwrap();
        assert_eq!(read(&path, 6).unwrap(), "{}\n{}\n");
        let error = read(&path, 5).unwrap_err();
        assert_eq!(error.exit(), Exit::Negative);
        let mut printed = Vec::new();
        error.print(&mut printed);
        let expected = format!(
            "hallmark: nothing of `{}` is signed: more than 5 bytes, which is the most that is read\n  hint: split it into several files, between two lines, and sign one after the other\n",
            path.display()
        );
        assert_eq!(String::from_utf8(printed).unwrap(), expected);
    }
}
