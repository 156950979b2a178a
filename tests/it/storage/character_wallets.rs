//! Links are added and ended, found by character and by account, and keep what proves them.

use alloy::primitives::{Address, B256, Bytes};
use hallmark::attest::wallet::SignedBy;
use hallmark::did::WalletLink;
use hallmark::storage::{LinkEvidence, UnlinkedBy};
use hallmark::vocab::{AccountId, BlockRef, ChainId};

use super::characters::{change, create};
use crate::support::databases::on_both_engines;

fn account(chain: u64, byte: u8) -> AccountId {
    AccountId { chain: ChainId(chain), address: Address::repeat_byte(byte) }
}

fn evidence(signed_by: SignedBy) -> LinkEvidence {
    LinkEvidence {
        signed_by,
        message: "line\nline".to_owned(),
        signature: Bytes::from_static(&[0, 0xff]),
    }
}

on_both_engines! {
    async fn links_hold_from_change_to_change(db: Database) {
        let mut tx = db.begin_write().await.unwrap();
        let ada = create(&mut tx, "ada").await;
        let (one, other) = (account(8453, 1), account(1, 1));
        let block = BlockRef { number: 77, hash: B256::repeat_byte(7) };
        tx.link_wallet(ada, one, change(2, 20), &evidence(SignedBy::Key)).await.unwrap();
        tx.link_wallet(ada, other, change(3, 30), &evidence(SignedBy::Contract(block))).await.unwrap();
        // One address on two chains is two accounts.
        assert!(!tx.unlink_wallet(ada, account(8453, 2), change(4, 40), UnlinkedBy::Wallet).await.unwrap());
        assert!(tx.unlink_wallet(ada, one, change(4, 40), UnlinkedBy::Wallet).await.unwrap());
        assert!(!tx.unlink_wallet(ada, one, change(5, 50), UnlinkedBy::Wallet).await.unwrap());
        tx.link_wallet(ada, one, change(5, 50), &evidence(SignedBy::Undeployed(block))).await.unwrap();
        let link = |account, from, to| WalletLink { account, from, to };
        let expected = [
            link(one, change(2, 20), Some(change(4, 40))),
            link(other, change(3, 30), None),
            link(one, change(5, 50), None),
        ];
        assert_eq!(tx.wallet_links(ada).await.unwrap(), expected);
        let proven = tx.proven_links(ada, 0, 10).await.unwrap();
        let found: Vec<_> = proven.iter().map(|p| (p.link, p.ended_by, p.evidence.signed_by)).collect();
        assert_eq!(found, [
            (expected[0], Some(UnlinkedBy::Wallet), SignedBy::Key),
            (expected[1], None, SignedBy::Contract(block)),
            (expected[2], None, SignedBy::Undeployed(block)),
        ]);
        assert_eq!(proven[0].evidence, evidence(SignedBy::Key));
        assert_eq!(tx.proven_links(ada, 2, 1).await.unwrap()[0].link, expected[1]);
        tx.unlink_wallets(ada, change(6, 60)).await.unwrap();
        let ends: Vec<_> = tx.proven_links(ada, 0, 10).await.unwrap().iter().map(|p| p.ended_by).collect();
        assert_eq!(ends, [Some(UnlinkedBy::Wallet), Some(UnlinkedBy::Removal), Some(UnlinkedBy::Removal)]);
    }

    async fn an_account_is_found_with_all_who_ever_had_it(db: Database) {
        let mut tx = db.begin_write().await.unwrap();
        let wallet = account(8453, 1);
        for name in ["ada", "bob", "eve"] {
            let id = create(&mut tx, name).await;
            tx.link_wallet(id, wallet, change(2, 20), &evidence(SignedBy::Key)).await.unwrap();
            tx.link_wallet(id, account(8453, 9), change(3, 20), &evidence(SignedBy::Key)).await.unwrap();
        }
        tx.unlink_wallet(2, wallet, change(4, 30), UnlinkedBy::Character).await.unwrap();
        tx.link_wallet(2, wallet, change(5, 40), &evidence(SignedBy::Key)).await.unwrap();
        let mut found = Vec::new();
        let mut after = (0, 0);
        loop {
            let page = tx.links_of_account(wallet, after, 2).await.unwrap();
            let Some(last) = page.last() else { break };
            after = (last.character, last.link.from.number);
            found.extend(page.iter().map(|p| (p.character, p.link.from.number)));
        }
        assert_eq!(found, [(1, 2), (2, 2), (2, 5), (3, 2)]);
        assert_eq!(tx.links_of_account(account(1, 1), (0, 0), 9).await.unwrap(), []);
    }

    /// A wallet is linked once at a time, whatever the caller believes.
    async fn a_second_open_link_is_refused(db: Database) {
        let mut tx = db.begin_write().await.unwrap();
        let ada = create(&mut tx, "ada").await;
        tx.link_wallet(ada, account(1, 1), change(2, 20), &evidence(SignedBy::Key)).await.unwrap();
        assert!(tx.link_wallet(ada, account(1, 1), change(3, 20), &evidence(SignedBy::Key)).await.is_err());
    }
}
