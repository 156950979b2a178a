//! What is appended is found to be held, by digest and issuer, and by the id that its origin gave it.

use hallmark::storage;
use hallmark::vocab::Digest;

use super::attestations::{numbered, record};
use crate::support::databases::on_both_engines;

on_both_engines! {
    /// The same words of two issuers stand twice; the same of one are found.
    async fn words_are_found_by_digest_and_issuer(db: Database) {
        let mut tx = db.begin_write().await.unwrap();
        let names = numbered(&mut tx, &["did:web:a.example", "did:web:b.example"]).await;
        tx.append_records(&[record("1", names[0], names[1], 1), record("1", names[1], names[0], 1), record("2", names[0], names[1], 1)]).await.unwrap();
        let (one, two) = (Digest::of(b"1"), Digest::of(b"2"));
        let held = tx.held_records(&[one, two, Digest::of(b"3")]).await.unwrap();
        assert_eq!(held.into_iter().collect::<Vec<_>>(), {
            let mut expected = vec![((one, names[0]), 1), ((one, names[1]), 2), ((two, names[0]), 3)];
            expected.sort();
            expected
        });
        let found = tx.records_of_digest(one, 0, 9).await.unwrap();
        assert_eq!(found.iter().map(|record| record.seq).collect::<Vec<_>>(), [1, 2]);
        assert_eq!(tx.records_of_digest(one, names[0], 9).await.unwrap().len(), 1);
        let claimed = tx.claimed(&[storage::claimed_key(None, "1"), storage::claimed_key(None, "9")]).await.unwrap();
        assert_eq!(claimed[&storage::claimed_key(None, "1")].len(), 2);
        assert_ne!(storage::claimed_key(Some("a"), "1"), storage::claimed_key(Some("b"), "1"));
        assert!(tx.append_records(&[record("1", names[0], names[1], 1)]).await.is_err(), "it is never there twice");
    }
}
