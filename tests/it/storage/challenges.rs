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
        is_managers: false,
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
        assert_eq!(tx.challenges_open(time(60)).await.unwrap(), 2);
        assert_eq!(tx.challenges_open_of(ada, account(1), false, time(60)).await.unwrap(), 1, "of use is one");
        assert_eq!(tx.challenges_open_of(ada, account(2), false, time(60)).await.unwrap(), 0);
        tx.forget_expired(time(99)).await.unwrap();
        assert_eq!(tx.challenge("late").await.unwrap(), None);
        assert!(tx.challenge("two").await.unwrap().is_some());
        tx.forget_expired(time(100)).await.unwrap();
        assert_eq!(tx.challenges_open(time(0)).await.unwrap(), 0);
    }

    /// The oldest of one account and character goes, and all of a character do, but for what was used and what is others'.
    async fn challenges_are_withdrawn(db: Database) {
        let mut tx = db.begin_write().await.unwrap();
        let (ada, bob) = (create(&mut tx, "ada").await, create(&mut tx, "bob").await);
        for (nonce, character, byte, expires) in [
            ("used", ada, 1, 70), ("new", ada, 1, 100), ("old", ada, 1, 80), ("else", ada, 2, 75), ("bob's", bob, 1, 75),
        ] {
            tx.insert_challenge(&given(nonce, character, byte, expires)).await.unwrap();
        }
        assert!(tx.use_challenge("used", time(60)).await.unwrap());
        assert_eq!(tx.challenges_open_of(ada, account(1), false, time(60)).await.unwrap(), 2);
        assert_eq!(tx.challenges_open_of(bob, account(1), false, time(60)).await.unwrap(), 1);
        tx.forget_oldest_challenge(ada, account(1), false, time(60)).await.unwrap();
        for (nonce, is_there) in [("used", true), ("new", true), ("old", false), ("else", true), ("bob's", true)] {
            assert_eq!(tx.challenge(nonce).await.unwrap().is_some(), is_there, "{nonce}");
        }
        tx.withdraw_challenges(ada, time(60)).await.unwrap();
        for (nonce, is_there) in [("used", true), ("new", false), ("else", false), ("bob's", true)] {
            assert_eq!(tx.challenge(nonce).await.unwrap().is_some(), is_there, "{nonce}");
        }
    }

    /// What was asked for with a token, and what without, are counted and forgotten each by itself.
    async fn askers_are_told_apart(db: Database) {
        let mut tx = db.begin_write().await.unwrap();
        let ada = create(&mut tx, "ada").await;
        for (nonce, expires, is_managers) in [("own", 70, true), ("old", 80, false), ("new", 90, false)] {
            let challenge = GivenChallenge { is_managers, ..given(nonce, ada, 1, expires) };
            tx.insert_challenge(&challenge).await.unwrap();
            assert_eq!(tx.challenge(nonce).await.unwrap(), Some(challenge));
        }
        assert_eq!(tx.challenges_open_of(ada, account(1), true, time(60)).await.unwrap(), 1);
        assert_eq!(tx.challenges_open_of(ada, account(1), false, time(60)).await.unwrap(), 2);
        tx.forget_oldest_challenge(ada, account(1), false, time(60)).await.unwrap();
        for (nonce, is_there) in [("own", true), ("old", false), ("new", true)] {
            assert_eq!(tx.challenge(nonce).await.unwrap().is_some(), is_there, "{nonce}");
        }
        tx.forget_oldest_challenge(ada, account(1), true, time(60)).await.unwrap();
        assert!(tx.challenge("own").await.unwrap().is_none());
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
