//! Opening, transactions, and who waits for whom.

use hallmark::storage::{Database, StorageError, Tags};
use sqlx::{Connection, Executor, SqliteConnection};

use super::samples::{account, agent, at, begin, binding, bound, hold, span, stamp};
use crate::support::databases::{Fresh, on_both_engines};

/// The whole message, with every cause.
fn told(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

async fn refused(url: &str) -> StorageError {
    match Database::open(url).await {
        Ok(_) => panic!("{url} was opened"),
        Err(error) => error,
    }
}

on_both_engines! {
    /// What is dropped without a commit never was, and the next writer need not wait for it.
    async fn a_dropped_transaction_never_was(db: Database) {
        let mut tx = bound(&db).await;
        hold(&mut tx, [1]).await;
        begin(&mut tx, &[span(hallmark::identity::TimelineRef::Owner(agent(1)), Some(account(1)), at(1, 0), None)]).await;
        tx.set_tags(&Tags { indexed: Some(stamp(1)), ..Tags::default() }).await.unwrap();
        drop(tx);

        let mut tx = db.begin_write().await.unwrap();
        assert_eq!(tx.binding().await.unwrap(), None);
        assert_eq!(tx.tags().await.unwrap(), Tags::default());
        assert_eq!(tx.block_at(1).await.unwrap(), None);
        assert_eq!(tx.highest_agent().await.unwrap(), None);
    }

    /// A connection counts as lent out until it was given back.
    async fn connections_are_counted_while_they_are_lent_out(db: Database) {
        assert_eq!(db.lent_count(), 0);
        let reading = db.begin_read().await.unwrap();
        let writing = db.begin_write().await.unwrap();
        assert_eq!(db.lent_count(), 2);
        assert!(db.readers_max() > 1);
        writing.commit().await.unwrap();
        drop(reading);
        // The engine is told of the end of what was dropped only now.
        while db.lent_count() > 0 {
            tokio::task::yield_now().await;
        }
    }

    /// A reader sees one state from its first statement to its last, whatever is committed meanwhile.
    async fn a_reader_sees_one_state(db: Database) {
        let mut tx = bound(&db).await;
        hold(&mut tx, [1]).await;
        tx.commit().await.unwrap();

        let mut reader = db.begin_read().await.unwrap();
        assert_eq!(reader.blocks_above(0).await.unwrap().len(), 1);
        let mut writer = db.begin_write().await.unwrap();
        hold(&mut writer, [2]).await;
        assert_eq!(reader.blocks_above(0).await.unwrap().len(), 1, "not committed");
        assert_eq!(writer.blocks_above(0).await.unwrap().len(), 2, "its own");
        writer.commit().await.unwrap();
        assert_eq!(reader.blocks_above(0).await.unwrap().len(), 1, "committed after it began");
        reader.commit().await.unwrap();

        let mut reader = db.begin_read().await.unwrap();
        assert_eq!(reader.blocks_above(0).await.unwrap().len(), 2);
    }

    /// Only one may follow at a time; the next may when it is done.
    async fn one_follower_at_a_time(fresh: Fresh) {
        let (db, other) = (fresh.database().await, fresh.database().await);
        let lock = db.lock_writer().await.unwrap();
        let refused = other.lock_writer().await;
        assert!(matches!(refused, Err(StorageError::Followed)), "{refused:?}");
        drop(lock);
        // PostgreSQL notices that a connection is gone when it gets to it.
        for attempt in 0.. {
            match other.lock_writer().await {
                Ok(_) => break,
                Err(error) => assert!(attempt < 500, "{error}"),
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    }

    /// A database that is there is opened; on SQLite, none is made where there is none.
    async fn an_existing_database_is_opened(fresh: Fresh) {
        let db = Database::open_existing(fresh.url()).await.unwrap();
        assert!(db.begin_read().await.unwrap().binding().await.unwrap().is_none());
        if fresh.is_sqlite() {
            let nowhere = fresh.url().replace("hallmark.db", "nowhere.db");
            let missing = Database::open_existing(&nowhere).await.map(drop);
            assert!(matches!(missing, Err(StorageError::Missing { .. })), "{missing:?}");
            let path = nowhere.trim_start_matches("sqlite://");
            assert!(!std::path::Path::new(path).exists(), "{path}");
        }
    }

    /// A transaction for reading cannot write.
    async fn a_reader_cannot_write(db: Database) {
        let mut reader = db.begin_read().await.unwrap();
        let refused = reader.bind(&binding()).await;
        assert!(matches!(refused, Err(StorageError::Driver(_))), "{refused:?}");
        drop(reader);
        assert_eq!(db.begin_read().await.unwrap().binding().await.unwrap(), None);
    }

    /// Writers run one after the other, whether of one program or of several.
    async fn writers_run_one_after_the_other(fresh: Fresh) {
        const EACH: usize = 10;
        let one = fresh.database().await;
        let databases = [one.clone(), one, fresh.database().await, fresh.database().await];
        let writers = databases.iter().map(|db| async {
            for _ in 0..EACH {
                let mut tx = db.begin_write().await.unwrap();
                let before = tx.tags().await.unwrap().head.map_or(0, |head| head.block.number);
                tokio::task::yield_now().await;
                tx.set_tags(&Tags { head: Some(stamp(before + 1)), ..Tags::default() }).await.unwrap();
                tx.commit().await.unwrap();
            }
        });
        futures_util::future::join_all(writers).await;
        let mut tx = fresh.database().await.begin_read().await.unwrap();
        let counted = tx.tags().await.unwrap().head.unwrap().block.number;
        assert_eq!(counted, (databases.len() * EACH) as u64, "an update was lost");
    }

    /// More readers than connections take turns; a writer is not among them.
    async fn readers_take_turns(db: Database) {
        bound(&db).await.commit().await.unwrap();
        let writer = db.begin_write().await.unwrap();
        let readers = (0..40).map(|_| async {
            let mut tx = db.begin_read().await.unwrap();
            tokio::task::yield_now().await;
            tx.binding().await.unwrap()
        });
        for found in futures_util::future::join_all(readers).await {
            assert_eq!(found, Some(binding()));
        }
        writer.commit().await.unwrap();
    }

    /// A closed database answers with an error, not with silence.
    async fn a_closed_database_says_so(db: Database) {
        db.close().await;
        assert!(matches!(db.begin_read().await, Err(StorageError::Driver(_))));
        assert!(matches!(db.begin_write().await, Err(StorageError::Driver(_))));
    }
}

/// The file and its folders are made, and it has a write-ahead log.
#[tokio::test]
async fn a_sqlite_file_is_made_with_its_folders() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a/b/hallmark.db");
    let url = format!("sqlite://{}", file.display());
    let db = Database::open(&url).await.unwrap();
    db.migrate().await.unwrap();
    assert!(file.is_file());
    let mut conn = SqliteConnection::connect(&url).await.unwrap();
    let mode: String =
        sqlx::query_scalar("PRAGMA journal_mode").fetch_one(&mut conn).await.unwrap();
    assert_eq!(mode, "wal");
}

#[tokio::test]
async fn what_is_no_database_url_is_refused_with_what_to_write() {
    for url in [
        "",
        "hallmark.db",
        "mysql://me:secret@db/h",
        "sqlite:",
        "sqlite://",
        "sqlite::memory:",
        "sqlite://h.db?mode=memory",
        "sqlite://h.db?mode=nonsense",
        "postgres://me:secret@db:port/h",
    ] {
        let error = refused(url).await;
        assert!(matches!(error, StorageError::Url { .. }), "{url}: {error:?}");
        let told = told(&error);
        assert!(told.contains("write `sqlite://path/to/file.db`"), "{told}");
        assert!(!told.contains("secret"), "{told}");
    }
}

#[tokio::test]
async fn a_folder_that_cannot_be_made_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    let error = refused(&format!("sqlite://{}/below/hallmark.db", file.display())).await;
    let told = told(&error);
    assert!(matches!(error, StorageError::Open { .. }), "{told}");
    assert!(told.contains("/file/below/hallmark.db") && told.contains("Not a directory"), "{told}");
    // A folder is no file.
    let error = refused(&format!("sqlite://{}", folder.path().display())).await;
    assert!(matches!(error, StorageError::Open { .. }), "{error:?}");
}

/// A server that is not there is told of at once, with the reason and without the password.
#[tokio::test]
async fn a_server_that_is_not_there_is_named_without_its_password() {
    // A port that nobody listens on: bound, and let go of.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    for (url, reason) in [
        (format!("postgres://me:hunter2@127.0.0.1:{port}/h?password=hunter2"), "refused"),
        ("postgres:///h?host=/nowhere/at/all&user=me&password=hunter2".to_owned(), "No such file"),
    ] {
        let error = refused(&url).await;
        assert!(matches!(error, StorageError::Open { .. }), "{error:?}");
        let told = told(&error);
        assert!(told.contains(reason), "{told}");
        assert!(!told.contains("hunter2") && !format!("{error:?}").contains("hunter2"), "{told}");
    }
}

#[tokio::test]
async fn a_database_that_the_server_lacks_is_named() {
    let Some(fresh) = Fresh::postgres().await else { return };
    let error = refused(&fresh.url().replace("/hallmark_test_", "/hallmark_absent_")).await;
    let told = told(&error);
    assert!(told.contains("does not exist"), "{told}");
    // Nobody is left waiting after a failure of the other kind either.
    let mut conn = sqlx::PgConnection::connect(fresh.url()).await.unwrap();
    conn.execute("SELECT 1").await.unwrap();
}
