//! The grants above one, and those below it: which of them hang together.
//!
//! Anybody can write the digest of a grant above its own. So on the way up a grant that was to somebody else ends the way, and on the way
//! down those of strangers are not looked at, however many they are.

use std::collections::{BTreeSet, VecDeque};

use super::gather::GatherError;
use super::hops::read;
use crate::delegation::{Grant, HOPS_MAX, Kind, Record, hangs_under};
use crate::storage::{StorageError, StoredDelegation, Tx};
use crate::vocab::Digest;

/// So many hops of a whole trace are gathered.
const HOPS_OF_WHOLE_MAX: usize = 1_000;

/// The way from a hop up.
pub(super) struct Way {
    /// The grants, the topmost first.
    pub(super) grants: Vec<StoredDelegation>,
    /// What the topmost stands under, if that is not there.
    pub(super) missing: Option<Digest>,
    /// What the topmost says that it stands under, if that was to somebody else.
    pub(super) other: Option<StoredDelegation>,
}

impl Way {
    /// Whether it hangs nowhere, so that nothing of it is carried and nobody judges: by a false claim, or since it is too long.
    pub(super) fn is_loose(&self) -> bool {
        self.other.is_some() || self.is_too_long()
    }

    /// Whether it is longer than a trace may be.
    pub(super) fn is_too_long(&self) -> bool {
        self.grants.len() > HOPS_MAX as usize
    }
}

/// The hops from one up to the first that is there, and what that one stands under if it is not there: on which a report rests, whether or
/// not there is one.
pub(super) async fn hops_above(
    tx: &mut Tx,
    grant: Digest,
) -> Result<BTreeSet<Digest>, StorageError> {
    let way = way(tx, grant).await?;
    let hops = way.grants.iter().map(|grant| grant.digest);
    Ok(hops.chain(way.missing).chain([grant]).collect())
}

/// The way up from a grant.
pub(super) async fn way(tx: &mut Tx, grant: Digest) -> Result<Way, StorageError> {
    let mut grants: VecDeque<StoredDelegation> = VecDeque::new();
    let (mut below, mut other): (Option<Box<Grant>>, _) = (None, None);
    let mut next = Some(grant);
    // One more than may hold, so that a trace which is too long is seen to be.
    while let Some(digest) = next.filter(|_| grants.len() <= HOPS_MAX as usize) {
        let Some(found) = tx.delegations_by_digest(&[digest]).await?.remove(&digest) else { break };
        let Record::Grant(said) = read(&found)? else { break };
        if below.is_some_and(|below| !hangs_under(&below, &said)) {
            (next, other) = (None, Some(found));
            break;
        }
        next = found.of_grant;
        below = Some(said);
        grants.push_front(found);
    }
    let missing = next.filter(|_| grants.len() <= HOPS_MAX as usize);
    Ok(Way { grants: grants.into(), missing, other })
}

/// A grant and all below it, each before those below it.
pub(super) async fn below(
    tx: &mut Tx,
    first: StoredDelegation,
) -> Result<Vec<StoredDelegation>, GatherError> {
    let mut found = vec![first];
    let mut next = 0;
    while let Some(above) = found.get(next) {
        next += 1;
        let rest = u32::try_from(HOPS_OF_WHOLE_MAX + 1 - found.len()).unwrap_or(0);
        let grants = under(tx, above, rest).await?;
        found.extend(grants);
        if found.len() > HOPS_OF_WHOLE_MAX {
            let why = format!(
                "the trace has more than {HOPS_OF_WHOLE_MAX} hops: ask for `part=path`, which has the hops from this one up to the buyer"
            );
            return Err(GatherError::TooLarge(why));
        }
    }
    Ok(found)
}

/// The grants that hang under one: those of its child.
pub(super) async fn under(
    tx: &mut Tx,
    above: &StoredDelegation,
    limit: u32,
) -> Result<Vec<StoredDelegation>, StorageError> {
    let Record::Grant(said) = read(above)? else { return Ok(Vec::new()) };
    let child = above.named.filter(|_| said.child.agent().is_some());
    match child {
        Some(child) => tx.delegations_by(above.digest, Kind::Grant, child, limit).await,
        None => Ok(Vec::new()),
    }
}
