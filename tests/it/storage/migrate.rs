//! The schema is brought up to date, by one process or several at once, and a newer one is left alone.

use std::path::Path;

use hallmark::storage::{Database, StorageError};

use super::samples::{binding, bound};
use crate::support::databases::on_both_engines;

fn count(folder: &str) -> usize {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations").join(folder);
    std::fs::read_dir(path).unwrap().count()
}

on_both_engines! {
    /// Migrating again does nothing and keeps what is there.
    async fn migrating_again_is_harmless(fresh: Fresh) {
        let db = fresh.database().await;
        bound(&db).await.commit().await.unwrap();
        assert_eq!(db.migrate().await.unwrap(), count("sqlite"));
        assert_eq!(db.migrate().await.unwrap(), count("postgres"));
        assert_eq!(db.begin_read().await.unwrap().binding().await.unwrap(), Some(binding()));
    }

    /// A migration of a newer program is named, every time, and nothing is touched.
    async fn a_newer_schema_is_refused(fresh: Fresh) {
        let (now, checksum) = ("'2026-01-01 00:00:00'", fresh.bytes("00"));
        fresh.execute(&format!(
            "INSERT INTO _sqlx_migrations (version, description, installed_on, success, checksum, execution_time)
             VALUES (9999, 'of the future', {now}, TRUE, {checksum}, 0)"
        )).await;
        let db = fresh.database().await;
        for _ in 0..2 {
            let refused = db.migrate().await;
            assert!(matches!(refused, Err(StorageError::Newer { migration: 9999 })), "{refused:?}");
        }
        // Another program that tries is not made to wait for this one.
        let other = fresh.database().await;
        assert!(matches!(other.migrate().await, Err(StorageError::Newer { .. })));
    }

    /// A migration that was changed after it was applied is reported.
    async fn a_changed_migration_is_reported(fresh: Fresh) {
        let checksum = fresh.bytes("00");
        fresh.execute(&format!("UPDATE _sqlx_migrations SET checksum = {checksum} WHERE version = 1")).await;
        let refused = fresh.database().await.migrate().await;
        assert!(matches!(refused, Err(StorageError::Migrate(_))), "{refused:?}");
    }

    /// Programs that start together on a new database all come up.
    async fn several_may_migrate_at_once(fresh: Fresh) {
        fresh.clear().await;
        let starts = (0..8).map(|_| async {
            let db = fresh.database().await;
            let outcome = db.migrate().await;
            db.close().await;
            outcome
        });
        for outcome in futures_util::future::join_all(starts).await {
            assert_eq!(outcome.unwrap(), count("sqlite"));
        }
        bound(&fresh.database().await).await.commit().await.unwrap();
    }
}

/// A file that is no database is not taken for one, and is left as it was.
#[tokio::test]
async fn a_file_that_is_no_database_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("notes.txt");
    std::fs::write(&file, "not a database, but long enough to look like one".repeat(100)).unwrap();
    let before = std::fs::read(&file).unwrap();
    let refused = Database::open(&format!("sqlite://{}", file.display())).await;
    assert!(matches!(refused, Err(StorageError::Open { .. })), "{refused:?}");
    assert_eq!(std::fs::read(&file).unwrap(), before);
}
