//! What a database is bound to, the tags, the halt and the list of reorganisations.

use hallmark::identity::TimelineRef;
use hallmark::storage::{
    Binding, Database, Halt, Observation, ObservedSubject, StorageError, Tags,
};
use hallmark::vocab::{ChainId, RegistryKind};

use super::samples::{account, agent, at, begin, binding, block, bound, hold, logs, span, stamp};
use crate::support::databases::on_both_engines;

async fn refused(db: &Database, other: &Binding) -> String {
    let mut tx = db.begin_write().await.unwrap();
    match tx.bind(other).await {
        Err(error @ StorageError::OtherChain { .. }) => error.to_string(),
        other => panic!("{other:?}"),
    }
}

on_both_engines! {
    /// The first binding stays; the same one again is harmless, in whatever order.
    async fn a_database_is_bound_once(db: Database) {
        let mut tx = db.begin_write().await.unwrap();
        assert_eq!(tx.binding().await.unwrap(), None);
        assert_eq!(tx.followed_registry(RegistryKind::Reputation).await.unwrap(), None);
        let mut again = binding();
        again.registries.reverse();
        tx.bind(&again).await.unwrap();
        tx.bind(&binding()).await.unwrap();
        tx.commit().await.unwrap();

        let mut tx = db.begin_read().await.unwrap();
        let stored = tx.binding().await.unwrap().unwrap();
        assert_eq!(stored, binding());
        for kind in RegistryKind::ALL {
            let expected = binding().registry(kind).map(|registry| registry.at);
            assert_eq!(tx.followed_registry(kind).await.unwrap(), expected);
        }
        assert_eq!(stored.registry(RegistryKind::Reputation), Some(&binding().registries[1]));
        assert_eq!(stored.registry(RegistryKind::Validation), None);
        assert_eq!(stored.start_block(), 5, "the lowest of both");
    }

    /// Another chain, address, start block or set of registries is refused, and both are named.
    async fn a_database_of_another_chain_is_refused(db: Database) {
        bound(&db).await.commit().await.unwrap();

        let mut other = binding();
        other.chain = ChainId(1);
        let message = refused(&db, &other).await;
        assert!(message.contains("eip155:8453 (identity"), "{message}");
        assert!(message.contains("eip155:1 (identity"), "{message}");

        let mut other = binding();
        other.registries[0].at.address = account(7);
        assert!(refused(&db, &other).await.contains("0x0707"));

        let mut other = binding();
        other.registries[0].start_block = 4;
        assert!(refused(&db, &other).await.contains("from block 4"));

        let mut other = binding();
        other.registries.pop();
        refused(&db, &other).await;
    }

    /// A chain id that no column holds is an error, not another number.
    async fn a_chain_id_beyond_the_column_is_refused(db: Database) {
        let mut tx = db.begin_write().await.unwrap();
        let other = Binding { chain: ChainId(u64::MAX), registries: vec![] };
        let refused = tx.bind(&other).await;
        assert!(matches!(refused, Err(StorageError::TooLarge { .. })), "{refused:?}");
    }

    /// Tags move one by one; one that is not given stays.
    async fn tags_move_one_by_one(db: Database) {
        let mut tx = db.begin_write().await.unwrap();
        assert_eq!(tx.tags().await.unwrap(), Tags::default());
        let first = Tags { indexed: Some(stamp(7)), head: Some(stamp(9)), ..Tags::default() };
        tx.set_tags(&first).await.unwrap();
        assert_eq!(tx.tags().await.unwrap(), first);

        // Going back moves a tag down.
        let next =
            Tags { indexed: Some(stamp(6)), safe: Some(stamp(4)), finalized: Some(stamp(2)), head: None };
        tx.set_tags(&next).await.unwrap();
        tx.commit().await.unwrap();
        let mut tx = db.begin_read().await.unwrap();
        assert_eq!(tx.tags().await.unwrap(), Tags { head: Some(stamp(9)), ..next });
    }

    /// A halt is remembered until it is taken back, whatever signs a node put into it.
    async fn a_halt_is_remembered(db: Database) {
        let mut tx = bound(&db).await;
        assert_eq!(tx.halt().await.unwrap(), None);
        tx.set_halt(Some(&Halt("block 7: the node said \u{0}'\u{1f4a5}".to_owned()))).await.unwrap();
        tx.commit().await.unwrap();

        let mut tx = db.begin_write().await.unwrap();
        let halt = tx.halt().await.unwrap().unwrap();
        assert_eq!(halt.0, "block 7: the node said \u{fffd}'\u{1f4a5}");
        assert_eq!(tx.binding().await.unwrap(), Some(binding()), "still bound");
        tx.set_halt(None).await.unwrap();
        assert_eq!(tx.halt().await.unwrap(), None);
    }

    /// Everything of one binding is forgotten, and the database is as new; of another it is left alone.
    async fn everything_of_one_binding_is_forgotten(fresh: Fresh) {
        let db = fresh.database().await;
        let mut tx = bound(&db).await;
        hold(&mut tx, 7..=9).await;
        logs(&mut tx, agent(1), &[at(7, 0)]).await;
        begin(&mut tx, &[span(TimelineRef::Owner(agent(1)), Some(account(1)), at(7, 0), None)]).await;
        let subject = ObservedSubject::Wallet(agent(1));
        tx.insert_observation(&Observation { block: block(7), subject, answer: None }).await.unwrap();
        tx.set_tags(&Tags { indexed: Some(stamp(9)), ..Tags::default() }).await.unwrap();
        tx.set_halt(Some(&Halt("stopped".to_owned()))).await.unwrap();
        tx.revert_to(block(8), block(9)).await.unwrap();
        tx.commit().await.unwrap();

        let other = Binding { chain: ChainId(1), ..binding() };
        let mut tx = db.begin_write().await.unwrap();
        let refused = tx.forget_everything_of(&other).await;
        assert!(matches!(refused, Err(StorageError::OtherChain { .. })), "{refused:?}");
        assert_eq!(tx.events_in(0, 99).await.unwrap().len(), 1);
        tx.forget_everything_of(&binding()).await.unwrap();
        tx.commit().await.unwrap();

        let tables = if fresh.is_sqlite() {
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%'"
        } else {
            "SELECT table_name::text FROM information_schema.tables WHERE table_schema = 'public'"
        };
        for table in fresh.rows(tables).await {
            let count = fresh.rows(&format!("SELECT CAST(COUNT(*) AS TEXT) FROM {table}")).await;
            // What is left: the schema's own book, the one row that tells readers that all else is gone, and those that are there from
            // the first day on.
            let is_kept = ["_sqlx_migrations", "rewriting", "file_progress", "record_progress", "posting_progress"].contains(&table.as_str());
            assert_eq!(count == ["0"], !is_kept, "{table} holds {count:?}");
        }
        let mut tx = db.begin_write().await.unwrap();
        tx.forget_everything_of(&other).await.unwrap();
    }

    /// Reorganisations are numbered from 1 and listed newest first.
    async fn reorganisations_are_listed(db: Database) {
        let mut tx = bound(&db).await;
        assert_eq!(tx.reorgs(10).await.unwrap(), []);
        hold(&mut tx, 1..=9).await;
        for (ancestor, orphaned) in [(8, 9), (5, 8), (2, 5)] {
            tx.revert_to(block(ancestor), block(orphaned)).await.unwrap();
        }
        let listed: Vec<_> = tx.reorgs(2).await.unwrap().iter()
            .map(|reorg| (reorg.seq, reorg.ancestor, reorg.orphaned))
            .collect();
        assert_eq!(listed, [(3, block(2), block(5)), (2, block(5), block(8))]);
        assert_eq!(tx.reorgs(10).await.unwrap().len(), 3);
    }

    /// A database is emptied only for what it is bound to; then it can be bound to anything.
    async fn everything_is_forgotten_only_of_its_own(db: Database) {
        let mut tx = bound(&db).await;
        hold(&mut tx, 5..=6).await;
        tx.set_tags(&Tags { indexed: Some(stamp(6)), ..Tags::default() }).await.unwrap();
        let mut other = binding();
        other.chain = ChainId(1);
        let refused = tx.forget_everything_of(&other).await;
        assert!(matches!(refused, Err(StorageError::OtherChain { .. })), "{refused:?}");
        assert!(tx.block_at(6).await.unwrap().is_some());

        tx.forget_everything_of(&binding()).await.unwrap();
        assert_eq!(tx.binding().await.unwrap(), None);
        assert_eq!(tx.followed_registry(RegistryKind::Reputation).await.unwrap(), None);
        assert_eq!(tx.tags().await.unwrap(), Tags::default());
        assert!(tx.block_at(6).await.unwrap().is_none());
        tx.bind(&other).await.unwrap();
    }
}
