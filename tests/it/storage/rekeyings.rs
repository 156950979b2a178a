//! What was found is replaced, settled, and opened again.

use hallmark::rekey::{Outcome, Rekeying, Role, Rule};
use hallmark::storage::{
    Database, NewRecord, Party, PartyChange, PartyPlace, PartyState, StorageError, Tx,
};

use super::attestations::{at, meaning, numbered, record};
use super::samples;
use crate::support::databases::on_both_engines;

const NONE: Rekeying =
    Rekeying { outcome: Outcome::None, rule: Some(Rule::Nothing), span: None, link: None };

/// The parties of a name that is the issuer of thirty records, a second apart; what each means and how sure that is, is given.
async fn of_one_name(
    db: &Database,
    means: impl Fn(u64) -> (Rekeying, PartyState),
) -> (Tx, Vec<Party>) {
    let mut tx = db.begin_write().await.unwrap();
    let names = numbered(&mut tx, &["did:web:a.example", "did:web:b.example"]).await;
    for n in 1..=30 {
        let text = n.to_string();
        let parties = [means(n), (meaning(99), PartyState::Found)];
        let record = NewRecord { parties, ..record(&text, names[0], names[1], n) };
        tx.append_records(&[record]).await.unwrap();
    }
    let parties = tx.parties_of_name(names[0], PartyPlace::START, at(99), 99).await.unwrap();
    assert_eq!(parties.len(), 30);
    (tx, parties)
}

on_both_engines! {
    /// Rows that lie together and change alike are written together: all of them with their history, and none beside them.
    async fn a_run_of_parties_changes_together(db: Database) {
        // Every tenth is open between those that were found, and the last ten meant another agent.
        let means = |n: u64| match n {
            _ if n.is_multiple_of(10) => (Rekeying::default(), PartyState::Open),
            1..=19 => (meaning(7), PartyState::Found),
            _ => (meaning(8), PartyState::Settled),
        };
        let (mut tx, parties) = of_one_name(&db, means).await;
        // The open ones are not among those that are looked up.
        let found: Vec<_> = parties.iter().filter(|party| party.state != PartyState::Open).copied().collect();
        let becomes = |party: &Party| match party.seq {
            15 => (*party, meaning(6), PartyState::Settled),
            21..=24 => (*party, meaning(8), PartyState::Found),
            25..=27 => (*party, meaning(8), PartyState::Settled),
            _ => (*party, meaning(5), PartyState::Settled),
        };
        let mut changes: Vec<PartyChange> = found.iter().map(becomes).collect();
        changes.reverse();
        // Of 27 seven mean what they meant.
        assert_eq!(tx.write_rekeyings(&changes, at(50)).await.unwrap(), 20);
        let name = parties[0].name;
        let now = tx.parties_of_name(name, PartyPlace::START, at(99), 99).await.unwrap();
        for (before, now) in parties.iter().zip(&now) {
            let (_, found, state) = becomes(before);
            let history = tx.rekeying_history(before.seq, Role::Issuer, 9).await.unwrap();
            if before.state == PartyState::Open {
                assert_eq!((now, history.len()), (before, 0));
                continue;
            }
            assert_eq!((now.found, now.state), (found, state), "record {}", before.seq);
            let kept: Vec<_> = history.iter().map(|one| (one.rekeying, one.replaced_at)).collect();
            let expected: &[_] = if found == before.found { &[] } else { &[(before.found, at(50))] };
            assert_eq!(kept, expected, "record {}", before.seq);
        }
        // Nothing of the other name was touched.
        let record = tx.record_at(3).await.unwrap().unwrap();
        let other = &tx.parties_of(&[record]).await.unwrap()[&(3, Role::Subject)];
        assert_eq!((other.found, other.state), (meaning(99), PartyState::Found));
        assert_eq!(tx.rekeying_history(3, Role::Subject, 9).await.unwrap(), []);
    }

    /// What was not known before is found without a history, and what it becomes later has one.
    async fn a_run_has_a_history_once_something_was_known(db: Database) {
        let (mut tx, open) = of_one_name(&db, |_| (Rekeying::default(), PartyState::Open)).await;
        let first: Vec<_> = open.iter().map(|party| (*party, NONE, PartyState::Found)).collect();
        assert_eq!(tx.write_rekeyings(&first, at(40)).await.unwrap(), 0);
        let found = tx.parties_of_name(open[0].name, PartyPlace::START, at(99), 99).await.unwrap();
        let second: Vec<_> = found.iter().map(|party| (*party, meaning(1), PartyState::Found)).collect();
        assert_eq!(tx.write_rekeyings(&second, at(50)).await.unwrap(), 30);
        let found = tx.parties_of_name(open[0].name, PartyPlace::START, at(99), 99).await.unwrap();
        let third: Vec<_> = found.iter().map(|party| (*party, NONE, PartyState::Settled)).collect();
        assert_eq!(tx.write_rekeyings(&third, at(60)).await.unwrap(), 30);
        for party in &open {
            let history = tx.rekeying_history(party.seq, Role::Issuer, 9).await.unwrap();
            let kept: Vec<_> = history.iter().map(|one| (one.rekeying, one.replaced_at)).collect();
            assert_eq!(kept, [(NONE, at(50)), (meaning(1), at(60))], "record {}", party.seq);
        }
        assert_eq!(tx.rekeying_history(1, Role::Issuer, 1).await.unwrap().len(), 1, "oldest first");
    }

    /// A run with a gap that nobody told of would change what was never looked up.
    async fn a_run_with_a_gap_is_refused(db: Database) {
        let (mut tx, parties) = of_one_name(&db, |_| (meaning(7), PartyState::Found)).await;
        let gap = parties.iter().filter(|party| party.seq != 12);
        let changes: Vec<_> = gap.map(|party| (*party, NONE, PartyState::Found)).collect();
        let refused = tx.write_rekeyings(&changes, at(50)).await.unwrap_err();
        assert!(matches!(refused, StorageError::Inconsistent { .. }), "{refused}");
    }

    /// What is looked up is settled by finality, and what is not settled is opened where the chain goes back.
    async fn what_is_settled_is_not_opened(db: Database) {
        let mut tx = samples::bound(&db).await;
        samples::hold(&mut tx, 5..=20).await;
        tx.commit().await.unwrap();
        let mut tx = db.begin_write().await.unwrap();
        let names = numbered(&mut tx, &["did:web:a.example", "did:web:b.example"]).await;
        let said = [samples::time(8), samples::time(12), samples::time(16)];
        for (n, said_at) in said.into_iter().enumerate() {
            let text = n.to_string();
            let record = NewRecord { said_at, ..record(&text, names[0], names[1], 0) };
            let record = NewRecord { parties: [(meaning(7), PartyState::Found); 2], ..record };
            tx.append_records(&[record]).await.unwrap();
        }
        assert!(tx.is_settling(samples::time(9)).await.unwrap() && !tx.is_settling(samples::time(8)).await.unwrap());
        assert_eq!(tx.settle_parties(samples::time(9), 1).await.unwrap(), 1);
        assert_eq!(tx.settle_parties(samples::time(9), 9).await.unwrap(), 1);
        tx.revert_to(samples::block(12), samples::block(20)).await.unwrap();
        let states = async |tx: &mut Tx, seq: u64, said_at| {
            tx.party(names[0], said_at, seq, Role::Issuer).await.unwrap().unwrap().state
        };
        // Block 13 may come in the second of block 12, so what was said then is open as well.
        let expected = [PartyState::Settled, PartyState::Open, PartyState::Open];
        for ((seq, said_at), expected) in (1..).zip(said).zip(expected) {
            assert_eq!(states(&mut tx, seq, said_at).await, expected, "record {seq}");
        }
        let party = tx.party(names[0], said[1], 2, Role::Issuer).await.unwrap().unwrap();
        assert_eq!((party.found, party.rekeying()), (meaning(7), Rekeying::default()));
    }
}
