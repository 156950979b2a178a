//! What happens to participants is told once, in order and without gaps, also what happened before it was written down.

use alloy::primitives::{Address, Bytes};
use hallmark::attest::wallet::SignedBy;
use hallmark::storage::{Database, LinkEvidence, ParticipantEvent, UnlinkedBy};
use hallmark::vocab::{AccountId, ChainId};

use super::characters::{change, create};
use crate::support::databases::on_both_engines;

fn account(chain: u64, byte: u8) -> AccountId {
    AccountId { chain: ChainId(chain), address: Address::repeat_byte(byte) }
}

/// Two lives: one ends by a removal with two wallets, and the other goes on.
async fn live(db: &Database) {
    let evidence = LinkEvidence {
        signed_by: SignedBy::Key,
        message: "m".to_owned(),
        signature: Bytes::from_static(&[1]),
    };
    let mut tx = db.begin_write().await.unwrap();
    let ada = create(&mut tx, "Ada").await;
    tx.link_wallet(ada, account(8453, 9), change(2, 20), &evidence).await.unwrap();
    let bob = create(&mut tx, "bob").await;
    tx.commit().await.unwrap();
    // What is not committed did not happen, and leaves no gap.
    let mut tx = db.begin_write().await.unwrap();
    create(&mut tx, "eve").await;
    drop(tx);
    let mut tx = db.begin_write().await.unwrap();
    tx.link_wallet(ada, account(1, 3), change(3, 30), &evidence).await.unwrap();
    tx.link_wallet(bob, account(8453, 9), change(2, 30), &evidence).await.unwrap();
    let unlinked = tx.unlink_wallet(bob, account(8453, 9), change(3, 40), UnlinkedBy::Wallet);
    assert!(unlinked.await.unwrap());
    let again = tx.unlink_wallet(bob, account(8453, 9), change(4, 41), UnlinkedBy::Wallet);
    assert!(!again.await.unwrap());
    assert!(tx.note_character_change(ada, change(2, 40), false).await.unwrap());
    assert!(tx.note_character_change(ada, change(3, 40), false).await.unwrap());
    tx.unlink_wallets(ada, change(4, 50)).await.unwrap();
    assert!(tx.note_character_change(ada, change(4, 50), true).await.unwrap());
    tx.commit().await.unwrap();
}

async fn told(db: &Database, after: u64, limit: u32) -> Vec<(u64, String, u64, ParticipantEvent)> {
    let mut tx = db.begin_read().await.unwrap();
    let changes = tx.participant_changes_after(after, limit).await.unwrap();
    let told = changes.into_iter().map(|told| {
        let (handle, number) = (told.handle.to_string(), told.change.number);
        assert!(told.change.time.get() >= 10 * number.min(2), "{handle} {number}");
        (told.number, handle, number, told.event)
    });
    told.collect()
}

on_both_engines! {
    async fn what_happens_is_told_in_order_and_without_gaps(db: Database) {
        assert_eq!(db.begin_read().await.unwrap().participant_changes().await.unwrap(), 0);
        live(&db).await;
        let (one, other) = (account(8453, 9), account(1, 3));
        let expected = [
            (1, "Ada".to_owned(), 1, ParticipantEvent::Created),
            (2, "Ada".to_owned(), 2, ParticipantEvent::Linked(one)),
            (3, "bob".to_owned(), 1, ParticipantEvent::Created),
            (4, "Ada".to_owned(), 3, ParticipantEvent::Linked(other)),
            (5, "bob".to_owned(), 2, ParticipantEvent::Linked(one)),
            (6, "bob".to_owned(), 3, ParticipantEvent::Unlinked(one, UnlinkedBy::Wallet)),
            (7, "Ada".to_owned(), 4, ParticipantEvent::Unlinked(one, UnlinkedBy::Removal)),
            (8, "Ada".to_owned(), 4, ParticipantEvent::Unlinked(other, UnlinkedBy::Removal)),
            (9, "Ada".to_owned(), 4, ParticipantEvent::Removed),
        ];
        assert_eq!(told(&db, 0, 99).await, expected);
        assert_eq!(told(&db, 6, 2).await, expected[6..8]);
        assert_eq!(db.begin_read().await.unwrap().participant_changes().await.unwrap(), 9);
    }

    /// A database of an older program comes to tell the same, by the times of what happened.
    async fn what_happened_before_is_told_as_well(fresh: Fresh) {
        let db = fresh.database().await;
        live(&db).await;
        let mut before = told(&db, 0, 99).await;
        let engine = if fresh.is_sqlite() { "sqlite" } else { "postgres" };
        let file = format!("{}/migrations/{engine}/0014_participant.sql", env!("CARGO_MANIFEST_DIR"));
        let migration = std::fs::read_to_string(file).unwrap();
        fresh.execute("DROP TABLE participant_change; DROP INDEX name_link_by_target").await;
        fresh.execute(&migration).await;
        let after = told(&db, 0, 99).await;
        // Both came to be in the same second, so that the older one's number goes first; all else is as it was.
        assert_eq!(after.iter().map(|(number, ..)| *number).collect::<Vec<_>>(), (1..=9).collect::<Vec<_>>());
        let order = [1, 3, 2, 4, 5, 6, 7, 8, 9];
        before.sort_by_key(|(number, ..)| order.iter().position(|at| at == number));
        let rest = |all: &[(u64, String, u64, ParticipantEvent)]| -> Vec<_> {
            all.iter().map(|(_, handle, change, event)| (handle.clone(), *change, *event)).collect()
        };
        assert_eq!(rest(&after), rest(&before));
        // And what happens next follows on it.
        let mut tx = db.begin_write().await.unwrap();
        create(&mut tx, "eve").await;
        tx.commit().await.unwrap();
        assert_eq!(told(&db, 9, 99).await, [(10, "eve".to_owned(), 1, ParticipantEvent::Created)]);
    }
}
