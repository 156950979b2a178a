//! Handles are given once, and each change of a character follows on the one before.

use alloy::primitives::B256;
use hallmark::did::Change;
use hallmark::storage::Tx;
use hallmark::vocab::{Handle, UnixSeconds};

use super::samples::binding;
use crate::support::databases::on_both_engines;

pub(super) fn time(seconds: u64) -> UnixSeconds {
    UnixSeconds::new(seconds).unwrap()
}

pub(super) fn change(number: u64, seconds: u64) -> Change {
    Change { number, time: time(seconds) }
}

fn handle(text: &str) -> Handle {
    Handle::parse(text).unwrap()
}

/// A character of a name, created at 10; its number.
pub(crate) async fn create(tx: &mut Tx, name: &str) -> u64 {
    assert!(tx.insert_character(&handle(name), B256::repeat_byte(7), time(10)).await.unwrap());
    tx.character(&handle(name)).await.unwrap().unwrap().id
}

on_both_engines! {
    async fn a_handle_is_given_once_in_whatever_letters(db: Database) {
        let mut tx = db.begin_write().await.unwrap();
        let (ada, bob) = (create(&mut tx, "Ada").await, create(&mut tx, "bob").await);
        assert_eq!((ada, bob), (1, 2));
        for taken in ["Ada", "ada", "ADA"] {
            assert!(!tx.insert_character(&handle(taken), B256::ZERO, time(11)).await.unwrap(), "{taken}");
        }
        tx.commit().await.unwrap();
        let mut tx = db.begin_write().await.unwrap();
        let found = tx.character(&handle("aDA")).await.unwrap().unwrap();
        assert_eq!((found.handle.as_str(), found.token_hash, found.is_removed), ("Ada", B256::repeat_byte(7), false));
        assert_eq!((found.created, found.last), (time(10), change(1, 10)));
        assert_eq!(tx.character_of(ada).await.unwrap(), Some(found));
        assert_eq!(tx.character_of(9).await.unwrap(), None);
        assert_eq!(tx.character(&handle("eve")).await.unwrap(), None);
        // What is forgotten of the chain leaves people alone.
        tx.bind(&binding()).await.unwrap();
        tx.forget_everything_of(&binding()).await.unwrap();
        assert!(tx.character_of(bob).await.unwrap().is_some());
    }

    async fn changes_follow_on_each_other_and_none_on_a_removal(db: Database) {
        let mut tx = db.begin_write().await.unwrap();
        let ada = create(&mut tx, "ada").await;
        for (number, seconds, is_removal, is_next) in [
            (3, 20, false, false), (1, 20, false, false), (2, 20, false, true), (2, 21, false, false),
            (3, 30, true, true), (4, 40, false, false),
        ] {
            let done = tx.note_character_change(ada, change(number, seconds), is_removal).await.unwrap();
            assert_eq!(done, is_next, "{number} at {seconds}");
        }
        tx.set_character_token(ada, B256::repeat_byte(8)).await.unwrap();
        let found = tx.character_of(ada).await.unwrap().unwrap();
        assert_eq!((found.last, found.is_removed, found.token_hash), (change(3, 30), true, B256::repeat_byte(8)));
    }
}
