//! What is held already of a batch of records: they themselves, and others that claim their ids.

use std::collections::BTreeMap;

use super::commit::{Named, Numbers, number_of};
use crate::storage::{RecordSource, StorageError, Tx, claimed_key};

/// The numbers of names, and where records are held already.
pub(super) struct Held {
    numbers: Vec<(u64, u64)>,
    places: BTreeMap<usize, u64>,
}

impl Held {
    pub(super) async fn find(
        tx: &mut Tx,
        batch: &[Named],
        by_name: &Numbers<'_>,
    ) -> Result<Self, StorageError> {
        let digests: Vec<_> =
            batch.iter().map(|record| record.checked.attestation.digest()).collect();
        let mut distinct = digests.clone();
        distinct.sort_unstable();
        distinct.dedup();
        let held = tx.held_records(&distinct).await?;
        let (mut numbers, mut places) = (Vec::with_capacity(batch.len()), BTreeMap::new());
        for (index, (record, digest)) in batch.iter().zip(digests).enumerate() {
            let issuer = number_of(by_name, &record.issuer)?;
            numbers.push((issuer, number_of(by_name, &record.checked.attestation.subject)?));
            if let Some(seq) = held.get(&(digest, issuer)) {
                places.insert(index, *seq);
            }
        }
        Ok(Self { numbers, places })
    }

    /// Where a record of the batch is held.
    pub(super) fn of(&self, index: usize) -> Option<u64> {
        self.places.get(&index).copied()
    }

    /// The numbers of the names of issuer and subject.
    pub(super) fn numbers(&self, index: usize) -> (u64, u64) {
        self.numbers.get(index).copied().unwrap_or_default()
    }
}

/// Which records have an id that another record of their origin has, and where that is.
pub(super) async fn claimed(
    tx: &mut Tx,
    batch: &[Named],
    held: &Held,
) -> Result<BTreeMap<usize, String>, StorageError> {
    let mut keys: BTreeMap<i64, Vec<usize>> = BTreeMap::new();
    for (index, record) in batch.iter().enumerate() {
        // Ids from the chain are ours, and are places.
        if held.of(index).is_none() && record.checked.source != RecordSource::Chain {
            keys.entry(key_of(record)).or_default().push(index);
        }
    }
    let asked: Vec<_> = keys.keys().copied().collect();
    let stored = tx.claimed(&asked).await?;
    let mut found = BTreeMap::new();
    for (key, indexes) in keys {
        let stored = stored.get(&key).map_or(&[][..], Vec::as_slice);
        for index in &indexes {
            let Some(record) = batch.get(*index) else { continue };
            let digest = record.checked.attestation.digest();
            if let Some((seq, _)) = stored.iter().find(|(_, other)| *other != digest) {
                found.insert(*index, format!("record {seq}"));
                continue;
            }
            let differs = |other: &&usize| {
                let other = batch.get(**other);
                other.is_some_and(|other| other.checked.attestation.digest() != digest)
            };
            if indexes.iter().take_while(|other| *other < index).any(|other| differs(&other)) {
                found.insert(*index, "a record that came together with it".to_owned());
            }
        }
    }
    Ok(found)
}

/// The key under which the id of a record is looked for.
pub(super) fn key_of(record: &Named) -> i64 {
    let attestation = &record.checked.attestation;
    let origin = attestation.context.origin.as_ref().map(crate::vocab::OriginName::as_str);
    claimed_key(origin, &attestation.body.id)
}
