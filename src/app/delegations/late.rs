//! What parties say of a run after it was judged: it comes too late to change the report.
//!
//! Times are their signers' word, so that whoever hears of a verdict can record yesterday's watching today. A service knows better: it gives
//! each record a number when it comes. What came after the first verdict that may confirm is left out, unless something that had come before
//! names it by its digest, and so shows that it was there: so records may come in any order before that.

use std::collections::{BTreeMap, BTreeSet};

use super::hops::read;
use crate::delegation::Record;
use crate::storage::{StorageError, StoredDelegation};
use crate::vocab::Digest;

/// How many records of a party about a hop came too late.
pub(super) type Late = BTreeMap<(Digest, u64), u64>;

/// Takes out interactions and outcomes, and acceptances of what had been accepted, that came after a record of this number.
pub(super) fn take_out(
    records: &mut Vec<StoredDelegation>,
    after: u64,
) -> Result<Late, StorageError> {
    let mut previous: BTreeMap<Digest, Digest> = BTreeMap::new();
    let (mut late, mut open) = (BTreeSet::new(), Vec::new());
    let mut accepted: BTreeMap<(Digest, u64), u64> = BTreeMap::new();
    for stored in records.iter() {
        let named = match read(stored)? {
            Record::Interaction(record) => record.previous,
            Record::Outcome(record) => record.last,
            Record::Acceptance(record) => {
                let first = accepted.entry((record.grant, stored.issuer)).or_insert(stored.number);
                *first = (*first).min(stored.number);
                if stored.number > after {
                    late.insert(stored.digest);
                }
                continue;
            }
            Record::Grant(_) | Record::Capability(_) | Record::Verdict(_) => continue,
        };
        previous.insert(stored.digest, named);
        if stored.number > after {
            late.insert(stored.digest);
        } else {
            open.push(named);
        }
    }
    // What is named by what was there was there.
    while let Some(digest) = open.pop() {
        if late.remove(&digest) {
            open.extend(previous.get(&digest));
        }
    }
    let mut found = Late::new();
    records.retain(|stored| {
        // The first acceptance of a grant is none of too late a day: without it the hop is not there.
        let of_grant = stored.of_grant.unwrap_or(stored.digest);
        let is_first = accepted.get(&(of_grant, stored.issuer)) == Some(&stored.number);
        let is_late = late.contains(&stored.digest) && !is_first;
        if is_late {
            *found.entry((of_grant, stored.issuer)).or_default() += 1;
        }
        !is_late
    });
    Ok(found)
}
