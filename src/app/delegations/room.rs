//! Who has how much room in a trace that is too large: everybody as much as everybody else, so that nobody takes another's.
//!
//! What a hop stands and falls with is not weighed here: grants, acceptances, outcomes and snapshots are few. Interactions are many, and a party
//! that fills a trace with its own loses the later ones of its own.

use crate::storage::StoredDelegation;
use crate::vocab::Digest;

/// What one party of a hop recorded, in the order in which it counts.
pub(super) struct Share {
    pub(super) hop: Digest,
    pub(super) issuer: u64,
    pub(super) records: Vec<StoredDelegation>,
}

/// What of a share had no room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NoRoom {
    pub(super) hop: Digest,
    pub(super) issuer: u64,
    pub(super) records: u64,
}

/// Takes of all shares what together has no more than so many records and bytes; and says what is left out.
pub(super) fn fit(
    shares: Vec<Share>,
    count_max: usize,
    bytes_max: usize,
) -> (Vec<StoredDelegation>, Vec<NoRoom>) {
    let counts: Vec<_> = shares.iter().map(|share| share.records.len()).collect();
    let size = |record: &StoredDelegation| record.envelope.len();
    let sizes = shares.iter().map(|share| share.records.iter().map(size).sum());
    let (count_max, bytes_max) =
        (level(&counts, count_max), level(&sizes.collect::<Vec<_>>(), bytes_max));
    let (mut taken, mut left) = (Vec::new(), Vec::new());
    for Share { hop, issuer, records } in shares {
        let (all, mut bytes) = (records.len(), 0_usize);
        let fitting = records.into_iter().take(count_max).take_while(|record| {
            bytes = bytes.saturating_add(size(record));
            bytes <= bytes_max
        });
        let before = taken.len();
        taken.extend(fitting);
        let records = all - (taken.len() - before);
        if records > 0 {
            left.push(NoRoom { hop, issuer, records: records as u64 });
        }
    }
    (taken, left)
}

/// The most that each may have, so that together they do not have more than there is room for: who wants no more than that has all of it.
fn level(wants: &[usize], room: usize) -> usize {
    let mut ascending = wants.to_vec();
    ascending.sort_unstable();
    let mut left = room;
    for (index, want) in ascending.iter().enumerate() {
        let each = left / (ascending.len() - index);
        if *want > each {
            return each;
        }
        left -= want;
    }
    usize::MAX
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_wants_little_has_it_and_the_rest_share_alike() {
        for (wants, room, expected) in [
            (&[][..], 10, usize::MAX),
            (&[3, 3, 4], 10, usize::MAX),
            (&[3, 3, 5], 10, 4),
            (&[1, 100, 100], 11, 5),
            (&[1, 2, 1_000_000], 103, 100),
            (&[5], 0, 0),
        ] {
            let level = level(wants, room);
            assert_eq!(level, expected, "{wants:?} in {room}");
            assert!(wants.iter().map(|want| want.min(&level)).sum::<usize>() <= room);
        }
    }
}
