//! Challenges and invitations are of use once, until they expire, and are then forgotten.

use alloy::primitives::{Address, B256};
use hallmark::attest::siwe::Purpose;
use hallmark::storage::GivenChallenge;
use hallmark::vocab::{AccountId, ChainId};

use super::characters::{create, time};
use crate::support::databases::on_both_engines;

fn account(byte: u8) -> AccountId {
    AccountId { chain: ChainId(8453), address: Address::repeat_byte(byte) }
}

fn given(nonce: &str, character: u64, byte: u8, expires: u64) -> GivenChallenge {
    GivenChallenge {
        nonce: nonce.to_owned(),
        character,
        account: account(byte),
        purpose: Purpose::Unlink,
        message: "a\nb".to_owned(),
        expires: time(expires),
        attempts: 0,
        used: None,
    }
}

on_both_engines! {
    async fn a_challenge_is_used_once_and_in_time(db: Database) {
        let mut tx = db.begin_write().await.unwrap();
        let ada = create(&mut tx, "ada").await;
        for (nonce, expires) in [("one", 100), ("two", 100), ("late", 50)] {
            tx.insert_challenge(&given(nonce, ada, 1, expires)).await.unwrap();
        }
        assert_eq!(tx.challenge("one").await.unwrap(), Some(given("one", ada, 1, 100)));
        assert_eq!(tx.challenge("three").await.unwrap(), None);
        assert!(!tx.use_challenge("late", time(50)).await.unwrap(), "it expires with that second");
        assert!(tx.use_challenge("late", time(49)).await.unwrap());
        assert!(tx.use_challenge("one", time(60)).await.unwrap());
        assert!(!tx.use_challenge("one", time(60)).await.unwrap());
        assert_eq!(tx.challenge("one").await.unwrap().unwrap().used, Some(time(60)));
        for may in [true, true, false] {
            assert_eq!(tx.try_challenge("two", 2).await.unwrap(), may);
        }
        assert_eq!(tx.challenge("two").await.unwrap().unwrap().attempts, 2);
        assert!(!tx.try_challenge("one", 2).await.unwrap(), "it was used");
        tx.untry_challenge("two").await.unwrap();
        assert_eq!(tx.challenge("two").await.unwrap().unwrap().attempts, 1);
        tx.commit().await.unwrap();

        // Another process, later: what was given out is still there, until its time is over.
        let mut tx = db.begin_write().await.unwrap();
        tx.forget_expired(time(99)).await.unwrap();
        assert_eq!(tx.challenge("late").await.unwrap(), None);
        assert!(tx.challenge("two").await.unwrap().is_some());
        tx.forget_expired(time(100)).await.unwrap();
        assert_eq!(tx.challenge("two").await.unwrap(), None);
    }

    /// All of a character that are of use are withdrawn, but for what was used and what is others'.
    async fn challenges_are_withdrawn(db: Database) {
        let mut tx = db.begin_write().await.unwrap();
        let (ada, bob) = (create(&mut tx, "ada").await, create(&mut tx, "bob").await);
        for (nonce, character) in [("used", ada), ("new", ada), ("bob's", bob)] {
            tx.insert_challenge(&given(nonce, character, 1, 70)).await.unwrap();
        }
        assert!(tx.use_challenge("used", time(60)).await.unwrap());
        tx.withdraw_challenges(ada, time(60)).await.unwrap();
        for (nonce, is_there) in [("used", true), ("new", false), ("bob's", true)] {
            assert_eq!(tx.challenge(nonce).await.unwrap().is_some(), is_there, "{nonce}");
        }
    }

    /// The newest of a purpose stay; what was used, has another purpose or is another's neither counts nor goes.
    async fn the_oldest_are_crowded_out(db: Database) {
        let mut tx = db.begin_write().await.unwrap();
        let (ada, bob) = (create(&mut tx, "ada").await, create(&mut tx, "bob").await);
        for (nonce, character, byte, expires) in [
            ("used", ada, 1, 99), ("a", ada, 1, 80), ("b", ada, 2, 85), ("c", ada, 1, 90), ("over", ada, 1, 60), ("bob's", bob, 1, 75),
        ] {
            tx.insert_challenge(&given(nonce, character, byte, expires)).await.unwrap();
        }
        let token = GivenChallenge { purpose: Purpose::Token, ..given("token", ada, 1, 70) };
        tx.insert_challenge(&token).await.unwrap();
        assert!(tx.use_challenge("used", time(60)).await.unwrap());
        for (kept, gone) in [(3, &[][..]), (2, &["a"]), (0, &["a", "b", "c"])] {
            tx.crowd_out_challenges(ada, Purpose::Unlink, kept, time(60)).await.unwrap();
            for nonce in ["used", "a", "b", "c", "over", "bob's", "token"] {
                assert_eq!(tx.challenge(nonce).await.unwrap().is_none(), gone.contains(&nonce), "{kept}: {nonce}");
            }
        }
    }

    /// Of those that are the same request and end within a time, the newest that was not used is found.
    async fn one_that_waits_is_found(db: Database) {
        let mut tx = db.begin_write().await.unwrap();
        let (ada, bob) = (create(&mut tx, "ada").await, create(&mut tx, "bob").await);
        for (nonce, character, byte, expires) in [
            ("old", ada, 1, 80), ("new", ada, 1, 90), ("used", ada, 1, 95), ("late", ada, 1, 100), ("bob's", bob, 1, 95), ("else", ada, 2, 95),
        ] {
            tx.insert_challenge(&given(nonce, character, byte, expires)).await.unwrap();
        }
        assert!(tx.use_challenge("used", time(60)).await.unwrap());
        for (from, until, expected) in [(80, 99, Some("new")), (79, 80, Some("old")), (80, 89, None), (0, 200, Some("late"))] {
            let times = (time(from), time(until));
            let found = tx.challenge_waiting(ada, account(1), Purpose::Unlink, times).await.unwrap();
            assert_eq!(found.map(|found| found.nonce).as_deref(), expected, "{from} {until}");
        }
        for (account, purpose) in [
            (account(3), Purpose::Unlink),
            (account(1), Purpose::Token),
            (AccountId { chain: ChainId(1), ..account(1) }, Purpose::Unlink),
        ] {
            let found = tx.challenge_waiting(ada, account, purpose, (time(0), time(200))).await.unwrap();
            assert_eq!(found, None);
        }
    }

    async fn an_invitation_is_used_once_and_in_time(db: Database) {
        let mut tx = db.begin_write().await.unwrap();
        let hash = B256::repeat_byte;
        tx.insert_invitation(hash(1), time(100)).await.unwrap();
        tx.insert_invitation(hash(2), time(50)).await.unwrap();
        let found = tx.invitation(hash(1)).await.unwrap().unwrap();
        assert_eq!((found.hash, found.expires, found.used), (hash(1), time(100), None));
        assert!(!tx.use_invitation(hash(2), time(50)).await.unwrap());
        assert!(!tx.use_invitation(hash(3), time(50)).await.unwrap());
        assert!(tx.use_invitation(hash(1), time(50)).await.unwrap());
        assert!(!tx.use_invitation(hash(1), time(50)).await.unwrap());
        assert_eq!(tx.invitation(hash(1)).await.unwrap().unwrap().used, Some(time(50)));
        tx.forget_expired(time(50)).await.unwrap();
        assert_eq!(tx.invitation(hash(2)).await.unwrap(), None);
        assert!(tx.invitation(hash(1)).await.unwrap().is_some());
    }
}
