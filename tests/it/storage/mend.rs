//! Mending changes the one row that it names, and says so where there is none.

use alloy::primitives::B256;
use hallmark::storage::{StorageError, StoredLog};

use super::samples::{agent, at, bound, held, hold, logs, raw_log};
use crate::support::databases::on_both_engines;

fn is_inconsistent(result: &Result<(), StorageError>) -> bool {
    matches!(result, Err(StorageError::Inconsistent { .. }))
}

on_both_engines! {
    /// Another hash, parent and time take the place of those that were held.
    async fn a_block_is_replaced(db: Database) {
        let mut tx = bound(&db).await;
        hold(&mut tx, [5, 6]).await;
        let mut other = held(6);
        other.stamp.block.hash = B256::repeat_byte(9);
        other.stamp.time = held(7).stamp.time;
        other.parent_hash = None;
        tx.replace_block(&other).await.unwrap();
        assert_eq!(tx.block_at(6).await.unwrap(), Some(other));
        assert_eq!(tx.block_at(5).await.unwrap(), Some(held(5)));
        assert!(is_inconsistent(&tx.replace_block(&held(8)).await));
    }

    /// One log is forgotten, its neighbours stay.
    async fn a_log_is_forgotten(db: Database) {
        let mut tx = bound(&db).await;
        hold(&mut tx, [5, 6]).await;
        logs(&mut tx, agent(1), &[at(5, 0), at(5, 1), at(6, 1)]).await;
        tx.delete_event(at(5, 1)).await.unwrap();
        let left: Vec<_> =
            tx.events_in(0, 9).await.unwrap().iter().map(|event| event.log.position()).collect();
        assert_eq!(left, [at(5, 0), at(6, 1)]);
        assert!(is_inconsistent(&tx.delete_event(at(5, 1)).await));
    }

    /// Name, agent and thread are written anew; the log itself is not.
    async fn a_log_is_filed_anew(db: Database) {
        let mut tx = bound(&db).await;
        hold(&mut tx, [5]).await;
        logs(&mut tx, agent(1), &[at(5, 0), at(5, 1)]).await;
        let before = tx.events_in(5, 5).await.unwrap();
        let log = raw_log(at(5, 1), vec![1, 2, 3]);
        let registry = hallmark::vocab::RegistryKind::Reputation;
        let thread = Some(vec![7].into());
        let filed =
            StoredLog { log: &log, registry, name: Some("NewFeedback"), agent: Some(agent(2)), thread };
        tx.relabel_event(&filed).await.unwrap();
        let labels = tx.labels_in(5, 5).await.unwrap();
        assert_eq!(labels[0].name.as_deref(), Some("Transfer"));
        assert_eq!(labels[1].name.as_deref(), Some("NewFeedback"));
        assert!(labels[1].is_of(Some(agent(2))));
        assert_eq!(labels[1].thread.as_deref(), Some([7].as_slice()));
        assert_eq!(tx.events_in(5, 5).await.unwrap(), before);
        let elsewhere = raw_log(at(5, 2), vec![]);
        assert!(is_inconsistent(&tx.relabel_event(&StoredLog { log: &elsewhere, ..filed }).await));
    }
}
