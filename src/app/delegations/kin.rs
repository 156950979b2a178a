//! Who judges a hop and is one of its parties by another name: a wallet of it, its owner, the DID of it, or another agent of one hand.
//!
//! A trace compares names as they are written; a service knows more. A party is held by the accounts that owned it, or were a wallet of it
//! that proved itself, when the party signed, and by the account that signed for it; a judge by those that held the judge when it judged.
//! Each is asked of its own moment, so that nobody silences a judge by handing it an agent afterwards. A wallet that is only registered
//! proves nothing here either.

use std::collections::{BTreeMap, BTreeSet};

use super::control::control_of;
use crate::app::rekey::followed;
use crate::delegation::{Control, ControlBy, Kin, Kind};
use crate::rekey::Role;
use crate::storage::{StorageError, StoredDelegation, Tx};
use crate::vocab::{AgentRef, Subject, UnixSeconds};

/// A name that somebody signed under, with all that stands for it.
struct Signed {
    name: Subject,
    is_judge: bool,
    at: UnixSeconds,
    /// The name, the agent that it meant, and the account that signed.
    also: BTreeSet<Subject>,
}

/// Who of those that judged is a party: `records` are the grants and acceptances of the way up, and the verdicts.
pub(super) async fn kin<'a>(
    tx: &mut Tx,
    records: impl IntoIterator<Item = &'a StoredDelegation>,
) -> Result<Kin, StorageError> {
    let Some(registry) = followed(tx).await? else { return Ok(Kin::new()) };
    let mut signed = Vec::new();
    for record in records {
        if !matches!(record.kind, Kind::Grant | Kind::Acceptance | Kind::Verdict) {
            continue;
        }
        signed.push((record, record.issuer, Role::Author));
        // The child of a grant is a party whether or not it accepted.
        let named = record.named.filter(|_| record.kind == Kind::Grant);
        signed.extend(named.map(|named| (record, named, Role::Named)));
    }
    let places: Vec<_> = signed
        .iter()
        .map(|(record, name, role)| (*name, record.said_at, record.number, *role))
        .collect();
    let parties = tx.parties_at(&places).await?;
    let spoken = signed.iter().filter_map(|(record, ..)| record.spoken_by);
    let names = tx.names(signed.iter().map(|(_, name, _)| *name).chain(spoken)).await?;
    let mut all = Vec::new();
    for (record, number, role) in signed {
        let Some(name) = names.get(&number).cloned() else { continue };
        let meant =
            parties.get(&(record.number, role)).and_then(|it| it.rekeying().outcome.agent());
        let meant = meant.map(|id| Subject::Agent(AgentRef { registry, id }));
        let spoken = record.spoken_by.filter(|_| role == Role::Author);
        let account = spoken.and_then(|spoken| names.get(&spoken).cloned());
        let also = [Some(name.clone()), meant, account].into_iter().flatten().collect();
        let is_judge = record.kind == Kind::Verdict;
        all.push(Signed { name, is_judge, at: record.said_at, also });
    }
    let asked: BTreeSet<Subject> = all.iter().flat_map(|one| one.also.iter().cloned()).collect();
    Ok(related(&all, &control_of(tx, &asked).await?))
}

fn related(all: &[Signed], control: &[Control]) -> Kin {
    // Each account or name that stands for a party, with the party.
    let mut of_parties: BTreeMap<Subject, &Subject> = BTreeMap::new();
    for party in all.iter().filter(|one| !one.is_judge) {
        for stands in standing_for(party, control) {
            of_parties.entry(stands).or_insert(&party.name);
        }
    }
    let mut kin = Kin::new();
    for judge in all.iter().filter(|one| one.is_judge) {
        let found =
            standing_for(judge, control).into_iter().find_map(|it| of_parties.get(&it).copied());
        kin.extend(found.map(|party| (judge.name.clone(), party.clone())));
    }
    kin
}

/// All names of one who signed, and the accounts that held them then.
fn standing_for(one: &Signed, control: &[Control]) -> BTreeSet<Subject> {
    let holds = |held: &&Control| {
        one.also.contains(&held.name)
            && held.by != ControlBy::RegisteredWallet
            && held.from <= one.at
            && held.to.is_none_or(|to| one.at < to)
    };
    let accounts = control.iter().filter(holds).map(|held| Subject::Account(held.account));
    one.also.iter().cloned().chain(accounts).collect()
}
