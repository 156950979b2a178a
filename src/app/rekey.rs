//! Looks up again whom names meant: what could not be told when it came, and what may have changed since.
//!
//! A record whose time the chain had not reached is due once it has; what a reorganisation undid is due again; a name is looked up from
//! its first record on when a link of it arrives late; and everything is when spans were rewritten. Each turn is one transaction over a
//! bounded number of parties, so that following never waits long, and dying between two loses nothing.

use std::collections::BTreeSet;
use std::time::Duration;

use super::delegations::{reconsider, spoken_hops};
use super::meanings::{Reading, meanings};
use super::{AppError, Clock};
use crate::app::error::During;
use crate::did::web::WebHost;
use crate::rekey::{Rekeying, Role, Rule};
use crate::storage::{Database, Party, PartyPlace, PartyState, StorageError, Tags, Tx};
use crate::vocab::{RegistryKind, UnixSeconds};

/// So many parties are looked up in one transaction.
const TURN: u32 = 10_000;
/// How long to wait where nothing is due.
const PAUSE: Duration = Duration::from_millis(200);

/// Looks up again whom names meant, in one database.
#[derive(Clone, Debug)]
pub struct Rekeyer {
    database: Database,
    host: WebHost,
    clock: std::sync::Arc<dyn Clock>,
}

/// What one turn did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rekeyed {
    /// How many parties were looked up.
    pub looked_up: u64,
    /// How many of them turned out to mean something else than before.
    pub replaced: u64,
    /// How many were marked as looked up for good.
    pub settled: u64,
}

impl Rekeyer {
    /// For a database, where agents have their DIDs at `host`.
    #[must_use]
    pub fn new(database: Database, host: WebHost, clock: std::sync::Arc<dyn Clock>) -> Self {
        Self { database, host, clock }
    }

    /// Turn after turn until `stop` is ready. Trouble with the database is logged, and waited out.
    pub async fn run(&self, stop: impl Future<Output = ()>) {
        let mut stop = std::pin::pin!(stop);
        loop {
            let pause = match self.turn().await {
                Ok(turn) if turn != Rekeyed::default() => Duration::ZERO,
                Ok(_) => PAUSE,
                Err(error) => {
                    tracing::warn!(%error, "whom records are about is looked up later");
                    PAUSE * 10
                }
            };
            tokio::select! {
                () = &mut stop => return,
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    /// Looks up what is due, at most ten thousand parties. Nothing to do is the default.
    ///
    /// # Errors
    /// When the database fails; nothing was written then.
    pub async fn turn(&self) -> Result<Rekeyed, AppError> {
        let during = || "cannot look up whom records are about".to_owned();
        let mut reading = self.database.begin_read().await.during(during)?;
        if !is_due(&mut reading).await.during(during)? {
            return Ok(Rekeyed::default());
        }
        drop(reading);
        let mut tx = self.database.begin_write().await.during(during)?;
        let turn = self.turn_in(&mut tx).await.during(during)?;
        tx.commit().await.during(during)?;
        Ok(turn)
    }

    async fn turn_in(&self, tx: &mut Tx) -> Result<Rekeyed, StorageError> {
        tx.heed_rewritings().await?;
        let Some(followed) = followed(tx).await? else { return Ok(Rekeyed::default()) };
        let tags = tx.tags().await?;
        let Some(indexed) = tags.indexed else { return Ok(Rekeyed::default()) };
        let parties = due(tx, indexed.time).await?;
        let numbers = parties.iter().flat_map(|party| [Some(party.name), party.spoken_by]);
        let numbers: BTreeSet<_> = numbers.flatten().collect();
        let names = tx.names(numbers).await?;
        let reading = Reading { followed, host: self.host.clone(), log_size: None };
        let numbered = names.iter().map(|(number, name)| (name, *number));
        let meanings = meanings(tx, numbered, &reading).await?;
        let mut changes = Vec::with_capacity(parties.len());
        for party in parties {
            let meaning = names.get(&party.name).and_then(|name| meanings.get(name));
            let meaning =
                meaning.ok_or_else(|| StorageError::inconsistent("party", "name", party.name))?;
            let account = party.spoken_by;
            let account = account.and_then(|number| meanings.get(names.get(&number)?));
            let found = match account {
                Some(account) => meaning.spoken_by(account, party.said_at),
                None => meaning.at(party.said_at),
            };
            changes.push((party, found, state(&tags, party.said_at)));
        }
        let replaced = tx.write_rekeyings(&changes, self.clock.now()).await?;
        tell_hops(tx, &changes).await?;
        let settled = match tags.finalized {
            Some(finalized) => tx.settle_parties(finalized.time.min(indexed.time), TURN).await?,
            None => 0,
        };
        metrics::counter!("hallmark_rekeyings_total").increment(changes.len() as u64);
        metrics::counter!("hallmark_rekeyings_replaced_total").increment(replaced);
        Ok(Rekeyed { looked_up: changes.len() as u64, replaced, settled })
    }
}

/// Has hops of delegations looked at anew where a record of theirs turned out not to be its issuer's word, or to be it after all; and the
/// reports of all whose names were looked up.
async fn tell_hops(
    tx: &mut Tx,
    changes: &[(Party, Rekeying, PartyState)],
) -> Result<(), StorageError> {
    let of_hops =
        changes.iter().filter(|(party, ..)| matches!(party.role, Role::Author | Role::Named));
    let numbers: BTreeSet<_> = of_hops.clone().map(|(party, ..)| party.seq).collect();
    if numbers.is_empty() {
        return Ok(());
    }
    let hops = spoken_hops(tx, &numbers.into_iter().collect::<Vec<_>>()).await?;
    let disowns = |rekeying: &Rekeying| rekeying.rule == Some(Rule::NotItsWallet);
    let turned = of_hops.filter(|(party, found, _)| disowns(&party.found) != disowns(found));
    let turned: BTreeSet<u64> = turned.map(|(party, ..)| party.seq).collect();
    let (mut anew, mut due) = (BTreeSet::new(), BTreeSet::new());
    for (number, hop) in hops {
        if turned.contains(&number) {
            anew.insert(hop)
        } else {
            due.insert(hop)
        };
    }
    reconsider(tx, &anew).await?;
    for hop in due.difference(&anew) {
        tx.reopen_disputes(*hop).await?;
    }
    Ok(())
}

/// The registry whose agents names may mean; `None` in a database that follows nothing yet.
pub(super) async fn followed(
    tx: &mut Tx,
) -> Result<Option<crate::vocab::RegistryRef>, StorageError> {
    tx.followed_registry(RegistryKind::Identity).await
}

/// How sure it is what was meant at a time that was reached.
pub(super) fn state(tags: &Tags, said_at: UnixSeconds) -> PartyState {
    match tags.indexed {
        // The last block not later than the time is only known to be the last once a later one was read.
        Some(indexed) if said_at < indexed.time => {}
        _ => return PartyState::Open,
    }
    let is_final = tags.finalized.is_some_and(|finalized| said_at < finalized.time);
    if is_final { PartyState::Settled } else { PartyState::Found }
}

/// Whether a turn would find anything to do.
async fn is_due(tx: &mut Tx) -> Result<bool, StorageError> {
    let tags = tx.tags().await?;
    let Some(indexed) = tags.indexed else { return Ok(false) };
    let before = tags.finalized.map_or(UnixSeconds::EPOCH, |finalized| finalized.time);
    Ok(tx.next_pending().await?.is_some()
        || tx.rewritings_unheeded().await?
        || !tx.due_parties(indexed.time, 1).await?.is_empty()
        || tx.is_settling(before.min(indexed.time)).await?)
}

/// Parties to look up: first those of names that are to be looked up again, then those whose time was reached. Of each name there are no
/// gaps: all that lie behind a place, or all that are due up to one.
async fn due(tx: &mut Tx, reached: UnixSeconds) -> Result<Vec<Party>, StorageError> {
    let mut found: Vec<Party> = Vec::new();
    let mut names = BTreeSet::new();
    let count = |found: &Vec<Party>| u32::try_from(found.len()).unwrap_or(TURN);
    while count(&found) < TURN {
        let Some((name, after)) = tx.next_pending().await? else { break };
        let limit = TURN - count(&found);
        let parties = tx.parties_of_name(name, after, reached, limit).await?;
        let is_whole = u32::try_from(parties.len()).is_ok_and(|count| count < limit);
        let last = parties.last().map(PartyPlace::of).transpose()?;
        tx.move_pending(name, last.filter(|_| !is_whole)).await?;
        names.insert(name);
        found.extend(parties);
        if !is_whole {
            break;
        }
    }
    let limit = TURN.saturating_sub(count(&found));
    if limit > 0 {
        // What is due of a name that was just looked through lies elsewhere among its parties, and has its turn next.
        let due = tx.due_parties(reached, limit).await?.into_iter();
        found.extend(due.filter(|party| !names.contains(&party.name)));
    }
    Ok(found)
}
