//! Disputes: due when something changed, and not before.

use std::collections::{BTreeMap, BTreeSet};

use hallmark::delegation::Kind;
use hallmark::storage::{Dispute, NewDelegation};

use super::attestations::{at, numbered};
use super::delegations::{delegation, digest};
use crate::support::databases::on_both_engines;

on_both_engines! {
    async fn a_dispute_is_due_until_it_is_settled_and_whenever_a_hop_of_it_changes(db: Database) {
        let mut tx = db.begin_write().await.unwrap();
        let (one, other) = (digest("verdict"), digest("another"));
        assert_eq!(tx.dispute(one).await.unwrap(), None);
        tx.open_dispute(one).await.unwrap();
        tx.open_dispute(other).await.unwrap();
        assert_eq!(tx.dispute(one).await.unwrap(), Some(Dispute { changes: 1, report: None }));
        let names = numbered(&mut tx, &["did:web:a.example"]).await;
        let said = |text, second| NewDelegation { said_at: at(second), ..delegation(text, Kind::Verdict, None, names[0]) };
        tx.keep_delegations(&[said("verdict", 10), said("another", 20)]).await.unwrap();
        let all = tx.due_disputes(at(99), None, 9).await.unwrap();
        let mut expected = [(1, one), (1, other)];
        expected.sort_unstable();
        assert_eq!(all, expected);
        assert_eq!(tx.due_disputes(at(99), None, 1).await.unwrap(), expected[..1]);
        assert_eq!(tx.due_disputes(at(99), Some(expected[0]), 9).await.unwrap(), expected[1..]);
        assert_eq!(tx.due_disputes(at(20), None, 9).await.unwrap(), [(1, one)], "the other was said then");
        let hops = BTreeSet::from([digest("hop"), digest("above")]);
        tx.settle_dispute(one, 1, Some(digest("report")), &hops).await.unwrap();
        tx.settle_dispute(other, 1, None, &BTreeSet::from([digest("elsewhere")])).await.unwrap();
        assert_eq!(tx.due_disputes(at(99), None, 9).await.unwrap(), []);
        tx.reopen_disputes(digest("above")).await.unwrap();
        tx.reopen_disputes(digest("above")).await.unwrap();
        assert_eq!(tx.due_disputes(at(99), None, 9).await.unwrap(), [(2, one)]);
        // It was computed after the first of two changes: the second is still to be heeded.
        tx.settle_dispute(one, 1, Some(digest("newer")), &hops).await.unwrap();
        assert_eq!(tx.dispute(one).await.unwrap(), Some(Dispute { changes: 1, report: Some(digest("newer")) }));
        tx.open_dispute(one).await.unwrap();
        assert_eq!(tx.dispute(one).await.unwrap().unwrap().changes, 2);
    }

    async fn what_was_published_last_is_known_by_its_subjects(db: Database) {
        let mut tx = db.begin_write().await.unwrap();
        let verdict = digest("verdict");
        assert_eq!(tx.published_of(verdict).await.unwrap(), BTreeMap::new());
        let said = |of: &[(&str, &str)]| -> BTreeMap<_, _> {
            of.iter().map(|(name, text)| ((*name).to_owned(), digest(text))).collect()
        };
        tx.set_published(verdict, &said(&[("a", "one"), ("b", "two")])).await.unwrap();
        tx.set_published(verdict, &said(&[("b", "three")])).await.unwrap();
        tx.set_published(digest("another"), &said(&[("c", "four")])).await.unwrap();
        assert_eq!(tx.published_of(verdict).await.unwrap(), said(&[("a", "one"), ("b", "three")]));
    }
}
