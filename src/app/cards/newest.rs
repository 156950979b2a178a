//! The newest records about an agent, and whom their names meant: told from timelines, as the re-keyer tells it, and not read from the parties
//! of each record. A lobby is shown thousands of records by a few names.

use std::collections::{BTreeMap, BTreeSet};

use super::CardsAsOf;
use super::reading::Subject;
use crate::app::meanings::{Reading, meanings};
use crate::app::rekey::state;
use crate::project::Entry;
use crate::rekey::{Meanings, Rekeying};
use crate::storage::{PartyState, StorageError, StoredRecord, Tx};
use crate::vocab::Subject as Name;

/// The newest records about an agent.
#[derive(Debug)]
pub struct Newest<'s> {
    /// The names of their issuers and subjects, by number.
    pub names: BTreeMap<u64, Name>,
    /// Newest first.
    pub records: Vec<NewestRecord<'s>>,
}

/// A record, and what the names of its issuer and of its subject meant.
#[derive(Clone, Copy, Debug)]
pub struct NewestRecord<'s> {
    /// The record.
    pub record: &'s StoredRecord,
    /// What was found of the issuer, and of the subject.
    pub found: [(Rekeying, PartyState); 2],
    /// Whether its issuer has taken it back.
    pub is_withdrawn: bool,
}

/// At most `max` of them.
pub(super) async fn newest<'s>(
    tx: &mut Tx,
    subject: &'s mut Subject,
    as_of: &CardsAsOf,
    max: usize,
) -> Result<Newest<'s>, StorageError> {
    let entries: Vec<Entry> = subject.ledger.entries.iter().rev().take(max).copied().collect();
    let seqs: Vec<_> = entries.iter().map(|entry| entry.posting.seq).collect();
    subject.read(tx, &seqs).await?;
    let subject = &*subject;
    let mut numbers = BTreeSet::new();
    for entry in &entries {
        let record = subject.record(entry.posting.seq)?;
        numbers.extend([record.issuer, record.subject, entry.posting.spoken_by]);
    }
    numbers.remove(&0);
    let names = tx.names(numbers).await?;
    let log_size = Some(as_of.context.log_size);
    let reading =
        Reading { followed: subject.facts.agent.registry, host: subject.host.clone(), log_size };
    let numbered = names.iter().map(|(number, name)| (name, *number));
    let meanings = meanings(tx, numbered, &reading).await?;
    let tags = tx.tags().await?;
    let of = |number: u64| -> Result<&Meanings, StorageError> {
        let meaning = names.get(&number).and_then(|name| meanings.get(name));
        meaning.ok_or_else(|| StorageError::inconsistent("name", "id", number))
    };
    let mut records = Vec::with_capacity(entries.len());
    for Entry { posting, is_withdrawn, .. } in entries {
        let record = subject.record(posting.seq)?;
        let state = state(&tags, record.said_at);
        let known = |found| match state {
            PartyState::Open => Rekeying::default(),
            PartyState::Found | PartyState::Settled => found,
        };
        let issuer = match posting.spoken_by {
            0 => of(record.issuer)?.at(record.said_at),
            account => of(record.issuer)?.spoken_by(of(account)?, record.said_at),
        };
        let about = of(record.subject)?.at(record.said_at);
        let found = [(known(issuer), state), (known(about), state)];
        records.push(NewestRecord { record, found, is_withdrawn });
    }
    Ok(Newest { names, records })
}
