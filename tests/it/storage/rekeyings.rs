//! What was found is replaced, settled, and opened again.

use hallmark::rekey::{Rekeying, Role};
use hallmark::storage::{NewRecord, PartyState};

use super::attestations::{meaning, numbered, record};
use super::samples;
use crate::support::databases::on_both_engines;

on_both_engines! {
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
        let states = async |tx: &mut hallmark::storage::Tx, seq: u64, said_at| {
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
