//! What was known of an agent's file, and of what it names, at a time.

use std::sync::Arc;

use crate::did::claims::{Leads, LeadsTo, Library, Said, Seen, did_source};
use crate::did::neighbours::names_of;
use crate::did::web::WebHost;
use crate::registry::file::Source;
use crate::storage::{FileVersion, StorageError, Tx};
use crate::vocab::UnixSeconds;

use super::scan::named_by;

/// Reads what is needed to say what an agent claims as of a time: `leads` is where its URI leads, `did` its metadata entry.
pub async fn library_of(
    tx: &mut Tx,
    leads: &Leads,
    did: Option<&[u8]>,
    host: &WebHost,
    time: UnixSeconds,
) -> Result<Library, StorageError> {
    let mut library = Library::default();
    let mut named = match &leads.to {
        LeadsTo::Nothing => Vec::new(),
        LeadsTo::Inline(said) => named_by(said, host),
        LeadsTo::Source(source) => match put(tx, &mut library, source, time).await? {
            Some(said) => named_by(&said, host),
            None => Vec::new(),
        },
    };
    let did = did.and_then(|did| std::str::from_utf8(did).ok());
    named.extend(did.and_then(|did| did_source(did, host)));
    for source in &named {
        put(tx, &mut library, source, time).await?;
    }
    Ok(library)
}

/// The DIDs that an agent names as of a time, by what its URI leads to and by its metadata entry.
pub async fn names_at(
    tx: &mut Tx,
    leads: &Leads,
    did: Option<&[u8]>,
    time: UnixSeconds,
) -> Result<Vec<String>, StorageError> {
    let mut library = Library::default();
    if let LeadsTo::Source(source) = &leads.to {
        put(tx, &mut library, source, time).await?;
    }
    Ok(names_of(leads, did, &library, time))
}

async fn put(
    tx: &mut Tx,
    library: &mut Library,
    source: &Source,
    time: UnixSeconds,
) -> Result<Option<Arc<Said>>, StorageError> {
    let id = source.id();
    let Some(version) = tx.version_at(id, time).await? else { return Ok(None) };
    let seen = seen(source, version);
    let said = Arc::clone(&seen.said);
    library.put(id, seen);
    // As of the time it may say nothing, where it was not seen for long.
    Ok(library.at(source, time).map(|_| said))
}

/// What a version of a source says.
pub(in crate::app) fn seen(source: &Source, version: FileVersion) -> Seen {
    let (said, hash) = match version.content {
        Some((hash, body)) => (Said::read(source.kind, &body), Some(hash)),
        None => (Said::Nothing, None),
    };
    Seen {
        said: Arc::new(said),
        hash,
        since: version.since,
        checked_at: version.checked_at,
        is_proven: version.is_proven,
    }
}
