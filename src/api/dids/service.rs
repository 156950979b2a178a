//! The service's own document at any moment: the keys that it showed then, and which version of it that was.
//!
//! Its versions follow the ring of keys and not the chain, so blocks do not name them. Where keys have no history, since they are not
//! in a file, it is resolved only as it is now.

use serde_json::{Map, Value, json};

use super::options::Moment;
use super::refusal::{Code, Refusal};
use super::resolve::{check_over, same_as};
use super::result::{Failure, Resolution};
use crate::api::at::At;
use crate::api::state::ApiState;
use crate::attest::keyring::{KeyRecord, Keyring, RingVersion};
use crate::did::key::PublicKey;
use crate::did::web::Local;
use crate::did::{Did, Document, service_document};

/// The service's document under an identifier, as it is now.
pub(super) fn document(state: &ApiState, id: &str) -> Document {
    with_keys(state, id, &state.keys.held().ring().shown_at(state.clock.now()))
}

fn with_keys(state: &ApiState, id: &str, keys: &[PublicKey]) -> Document {
    let origin = format!("https://{}", state.documents.host.authority());
    service_document(id, &origin, keys)
}

/// Resolves the service's DID as of a moment.
pub(super) fn resolve(state: &ApiState, did: &Did, moment: Moment) -> Result<Resolution, Failure> {
    check_over(state, moment)?;
    let (held, now) = (state.keys.held(), state.clock.now());
    let canonical = Local::Service.did(&state.documents.host);
    let mut metadata = same_as(did, &canonical);
    let versions = if held.has_history() { held.ring().versions(now) } else { Vec::new() };
    if versions.is_empty() {
        if !moment.is_now() {
            let detail =
                "the service's own document has no history here, and is resolved only as it is now";
            return Err(Refusal::new(Code::FeatureNotSupported, detail).into());
        }
        let document = document(state, did.as_str());
        return Ok(Resolution::of(&document, metadata, Map::new())?);
    }
    let (before, version, next) = find(&versions, did, moment)?;
    metadata.extend(metadata_of(before, version, next, held.ring()));
    let document = with_keys(state, did.as_str(), &version.keys);
    Ok(Resolution::of(&document, metadata, Map::new())?)
}

/// The first version, the one of a moment, and the one after it. There is one version at least.
type Found<'a> = (&'a RingVersion, &'a RingVersion, Option<&'a RingVersion>);

fn find<'a>(versions: &'a [RingVersion], did: &Did, moment: Moment) -> Result<Found<'a>, Failure> {
    let count = match moment {
        Moment::Latest | Moment::At(At::Latest) => versions.len(),
        Moment::At(At::Time(time)) => versions.partition_point(|version| version.from <= time),
        Moment::At(_) => {
            let detail = "the service's own document does not change with blocks: ask with versionTime or versionId";
            return Err(Refusal::new(Code::FeatureNotSupported, detail).into());
        }
        Moment::Version(id) => {
            let at = versions.iter().position(|version| Some(version.id()) == id);
            at.map_or(0, |at| at + 1)
        }
    };
    let (until, after) = versions.split_at_checked(count).unwrap_or((versions, &[]));
    if let (Some(first), Some(version)) = (until.first(), until.last()) {
        return Ok((first, version, after.first()));
    }
    let what = if let Moment::Version(_) = moment {
        "no such version"
    } else {
        "no keys yet at that time"
    };
    Err(Refusal::new(Code::NotFound, format!("{did} has {what}")).into())
}

fn metadata_of(
    first: &RingVersion,
    version: &RingVersion,
    next: Option<&RingVersion>,
    ring: &Keyring,
) -> Map<String, Value> {
    let mut metadata = Map::new();
    let mut put = |name: &str, value: String| drop(metadata.insert(name.to_owned(), value.into()));
    put("created", first.from.to_string());
    if version != first {
        put("updated", version.from.to_string());
    }
    put("versionId", version.id().to_string());
    if let Some(next) = next {
        put("nextUpdate", next.from.to_string());
        put("nextVersionId", next.id().to_string());
    }
    // What is known now, whatever version was asked for: who checks an old signature must hear that its key is revoked.
    let keys: Vec<_> = ring.records().iter().map(key).collect();
    metadata.insert("hallmark".to_owned(), json!({ "keys": keys }));
    metadata
}

fn key(record: &KeyRecord) -> Value {
    let revoked = record.revoked.as_ref().map(|revocation| {
        json!({ "at": revocation.at, "since": revocation.since, "reason": revocation.reason })
    });
    json!({
        "key": record.key.multibase(),
        "created": record.created,
        "activated": record.activated,
        "retired": record.retired,
        "revoked": revoked,
    })
}
