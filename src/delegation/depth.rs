//! How deep a trace is, before any signature is checked.
//!
//! A document of some megabytes has room for thousands of grants in one line, and to check all their signatures only to find that it is too
//! deep would be a gift to whoever sent it. So the grants that envelopes seem to carry are put under each other first, whoever signed them: that
//! a grant is under another one is said by digests, and a signature changes nothing about how many there are. Of a short document nothing is
//! read here at all.

use std::collections::BTreeMap;

use super::above::hangs_under;
use super::document::{ENVELOPE_BYTES_MAX, Sealed};
use super::grant::Grant;
use super::record::{Kind, Record};
use super::verdict::{Fault, FaultKind};
use super::verify::HOPS_MAX;
use crate::attest::envelope::Envelope;
use crate::vocab::{Digest, UnixSeconds};

/// A grant that an envelope seems to carry.
struct Seeming {
    envelope: usize,
    grant: Grant,
}

/// The first hop that is too deep, if there is one: numbered as [`hops`](super::verify::hops) would.
pub(super) fn too_deep(envelopes: &[Sealed]) -> Option<Fault> {
    let candidates = envelopes.iter().enumerate().filter(|(_, sealed)| may_be_grant(sealed));
    let candidates: Vec<_> = candidates.collect();
    if candidates.len() <= usize::try_from(HOPS_MAX).unwrap_or(usize::MAX) {
        return None;
    }
    let mut grants: BTreeMap<Digest, Seeming> = BTreeMap::new();
    for (envelope, sealed) in candidates {
        if let Some((digest, grant)) = seeming(sealed) {
            grants.entry(digest).or_insert(Seeming { envelope, grant });
        }
    }
    let mut below: BTreeMap<Option<Digest>, Vec<(UnixSeconds, Digest)>> = BTreeMap::new();
    for (digest, Seeming { grant, .. }) in &grants {
        let hired = |above: &Digest| {
            grants.get(above).is_some_and(|above| hangs_under(grant, &above.grant))
        };
        let above = grant.under.grant().filter(hired);
        below.entry(above).or_default().push((grant.issued_at, *digest));
    }
    for hired in below.values_mut() {
        hired.sort_unstable();
    }
    let under = |above: Option<Digest>| below.get(&above).into_iter().flatten();
    let mut level: Vec<Digest> = under(None).map(|(_, digest)| *digest).collect();
    let mut number = 0;
    for _ in 0..HOPS_MAX {
        number += level.len();
        level =
            level.iter().flat_map(|above| under(Some(*above)).map(|(_, digest)| *digest)).collect();
    }
    let digest = *level.first()?;
    let Seeming { envelope, grant } = grants.get(&digest)?;
    let hop = u32::try_from(number).unwrap_or(u32::MAX).saturating_add(1);
    let (parent, child) = (&grant.issuer, &grant.child);
    let why = format!("hop {hop}, {parent} to {child}: the grant {digest}: {}", in_words());
    let (record, envelope) = (Some(digest), Some(*envelope));
    Some(Fault { hop: Some(hop), record, envelope, kind: FaultKind::TooLong, why })
}

/// Why a hop is too deep.
pub(super) fn in_words() -> String {
    format!("it is more than {HOPS_MAX} hops from the buyer")
}

/// Whether it is worth reading: what says that it is something else is not. A payload in base64 says nothing, and neither does what is escaped.
fn may_be_grant(sealed: &Sealed) -> bool {
    let text = sealed.envelope.as_str();
    text.starts_with("ey")
        || ["hallmark/grant/1", "payload", "\\"].iter().any(|part| text.contains(part))
}

fn seeming(sealed: &Sealed) -> Option<(Digest, Grant)> {
    let raw = sealed.envelope.clone().into_bytes();
    let typed = Envelope::read(raw, ENVELOPE_BYTES_MAX).ok()?.seeming_record()?;
    if typed.schema != Kind::Grant.schema() {
        return None;
    }
    match Record::read(&typed).ok()? {
        Record::Grant(grant) => Some((typed.digest(), *grant)),
        _ => None,
    }
}
