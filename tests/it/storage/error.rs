//! Errors: what is busy may pass, and a broken row is named with its table and column.

use hallmark::identity::TimelineRef;
use hallmark::storage::StorageError;
use hallmark::vocab::RegistryKind;
use sqlx::{AssertSqlSafe, Connection, PgConnection, SqliteConnection};

use super::samples::{
    account, agent, at, begin, block, bound, entry, hold, logs, raw_log, span, stamp,
};
use crate::support::databases::{Fresh, on_both_engines};

/// Fills one row into every table, all of which are understood.
async fn fill(fresh: &Fresh) {
    use hallmark::storage::{Observation, ObservedSubject, StoredLog, Tags};
    let db = fresh.database().await;
    let mut tx = bound(&db).await;
    hold(&mut tx, [7, 8]).await;
    logs(&mut tx, agent(1), &[at(7, 0)]).await;
    let undecoded = raw_log(at(7, 1), vec![]);
    let registry = RegistryKind::Identity;
    let undecoded = StoredLog { log: &undecoded, registry, name: None, agent: None, thread: None };
    tx.insert_events(&[undecoded]).await.unwrap();
    begin(
        &mut tx,
        &[
            span(TimelineRef::Owner(agent(1)), Some(account(1)), at(7, 0), None),
            span(TimelineRef::Wallet(agent(1)), Some(account(1)), at(7, 0), Some(at(7, 1))),
            span(TimelineRef::Operator(account(1), account(2)), Some(account(2)), at(7, 0), None),
            entry(agent(1), b"key", b"value", at(7, 0), None),
        ],
    )
    .await;
    let subject = ObservedSubject::Wallet(agent(1));
    tx.insert_observation(&Observation { block: block(7), subject, answer: Some(account(1)) })
        .await
        .unwrap();
    tx.set_tags(&Tags { indexed: Some(stamp(7)), ..Tags::default() }).await.unwrap();
    tx.revert_to(block(7), block(8)).await.unwrap();
    tx.commit().await.unwrap();
    db.close().await;
}

/// Asks everything, and returns the first complaint.
async fn first_complaint(fresh: &Fresh) -> Result<(), StorageError> {
    let db = fresh.database().await;
    let mut tx = db.begin_read().await?;
    tx.binding().await?;
    tx.tags().await?;
    tx.reorgs(9).await?;
    tx.blocks_above(0).await?;
    tx.events_in(0, 99).await?;
    tx.observations_in(0, 99).await?;
    tx.agents_at(7, None, 9).await?;
    tx.highest_agent().await?;
    tx.timeline(TimelineRef::Owner(agent(1)), None, 9).await?;
    tx.timeline(TimelineRef::Wallet(agent(1)), None, 9).await?;
    tx.metadata_at(agent(1), 7, None, 9).await?;
    tx.operators_of_owner(account(1), 9).await?;
    Ok(())
}

on_both_engines! {
    /// A row that nobody can have written is reported by its table and column, and never guessed at.
    async fn broken_rows_are_named(fresh: Fresh) {
        fill(fresh).await;
        first_complaint(fresh).await.unwrap();
        let short = fresh.bytes("abcd");
        for (table, column, value, place) in [
            ("chain", "chain_id", "-1", "TRUE"),
            ("registry", "kind", "'other'", "kind = 'reputation'"),
            ("registry", "start_block", "-1", "TRUE"),
            ("registry", "address", &short, "TRUE"),
            ("chain_tag", "tag", "'latest'", "TRUE"),
            ("chain_tag", "number", "-7", "TRUE"),
            ("chain_tag", "hash", &short, "TRUE"),
            ("chain_tag", "time", "253402300800", "TRUE"),
            ("reorg", "ancestor_number", "-1", "TRUE"),
            ("reorg", "orphaned_hash", &short, "TRUE"),
            ("block", "hash", &short, "TRUE"),
            ("block", "parent_hash", &short, "TRUE"),
            ("block", "time", "-1", "TRUE"),
            ("block", "time", "999999999999", "TRUE"),
            ("registry_event", "log_index", "-1", "log_index = 0"),
            ("registry_event", "log_index", "4294967296", "log_index = 0"),
            ("registry_event", "tx_hash", &short, "TRUE"),
            ("registry_event", "topics", &short, "log_index = 1"),
            ("observation", "block_hash", &short, "TRUE"),
            ("observation", "kind", "'weather'", "TRUE"),
            ("observation", "subject", "'1'", "TRUE"),
            ("observation", "answer", &short, "TRUE"),
            ("span", "subject", "'1:1'", "kind = 'owner'"),
            ("span", "subject", "'03:9'", "kind = 'owner'"),
            ("span", "name", &short, "kind = 'metadata'"),
            ("span", "name", &short, "kind = 'operator'"),
            ("span", "account", &short, "kind = 'owner'"),
            ("span", "value", "NULL", "kind = 'metadata'"),
            ("span", "cause", "'whim'", "kind = 'owner'"),
            ("span", "ended_by", "'whim'", "kind = 'wallet'"),
            ("span", "from_log", "-1", "kind = 'owner'"),
            ("span", "to_log", "NULL", "kind = 'wallet'"),
            ("span", "to_log", "-1", "kind = 'wallet'"),
        ] {
            fresh.execute(&format!(
                "CREATE TABLE saved AS SELECT * FROM {table}; UPDATE {table} SET {column} = {value} WHERE {place}"
            )).await;
            let complaint = first_complaint(fresh).await;
            let Err(StorageError::Inconsistent { table: named, column: and, .. }) = complaint else {
                panic!("{table}.{column} = {value}: {complaint:?}");
            };
            assert_eq!((named, and), (table, column), "{column} = {value}");
            fresh.execute(&format!(
                "DELETE FROM {table}; INSERT INTO {table} SELECT * FROM saved; DROP TABLE saved"
            )).await;
        }
        first_complaint(fresh).await.unwrap();
    }
}

/// A writer that waited for too long is told that the database is busy, which may pass.
#[tokio::test]
async fn a_sqlite_file_that_another_writes_to_is_busy() {
    let fresh = Fresh::sqlite().await;
    let mut one = SqliteConnection::connect(fresh.url()).await.unwrap();
    let mut other = SqliteConnection::connect(fresh.url()).await.unwrap();
    sqlx::raw_sql("BEGIN IMMEDIATE").execute(&mut one).await.unwrap();
    sqlx::raw_sql("PRAGMA busy_timeout = 1").execute(&mut other).await.unwrap();
    let refused = sqlx::raw_sql("BEGIN IMMEDIATE").execute(&mut other).await.unwrap_err();
    let error = StorageError::from(refused);
    assert!(matches!(error, StorageError::Busy(_)) && error.is_transient(), "{error:?}");

    // A reader that turns to writing after another wrote: SQLITE_BUSY_SNAPSHOT.
    sqlx::raw_sql("BEGIN; SELECT 1 FROM chain").execute(&mut other).await.unwrap();
    sqlx::raw_sql("INSERT INTO chain (chain_id) VALUES (1); COMMIT")
        .execute(&mut one)
        .await
        .unwrap();
    let refused =
        sqlx::raw_sql("INSERT INTO chain (chain_id) VALUES (2)").execute(&mut other).await;
    let error = StorageError::from(refused.unwrap_err());
    assert!(matches!(error, StorageError::Busy(_)), "{error:?}");
}

/// On PostgreSQL the writers' lock is waited for with an end.
#[tokio::test]
async fn a_postgres_writer_that_waits_too_long_is_told_so() {
    let Some(fresh) = Fresh::postgres().await else { return };
    let db = fresh.database().await;
    let _writer = db.begin_write().await.unwrap();
    let mut other = PgConnection::connect(fresh.url()).await.unwrap();
    let lock = "SELECT objid::text FROM pg_locks WHERE locktype = 'advisory' AND database =
                (SELECT oid FROM pg_database WHERE datname = current_database())";
    assert_eq!(fresh.rows(lock).await.len(), 1);
    sqlx::raw_sql("SET lock_timeout = '1ms'").execute(&mut other).await.unwrap();
    let wait =
        sqlx::raw_sql("SELECT pg_advisory_xact_lock(7521983763894625899)").execute(&mut other);
    let error = StorageError::from(wait.await.unwrap_err());
    assert!(matches!(error, StorageError::Busy(_)) && error.is_transient(), "{error:?}");
}

/// What a server says while it goes down may pass; what the statement did wrong will not.
#[tokio::test]
async fn only_what_may_pass_is_transient() {
    let Some(fresh) = Fresh::postgres().await else { return };
    let mut conn = PgConnection::connect(fresh.url()).await.unwrap();
    for (state, transient) in [
        ("57P01", true),
        ("57P03", true),
        ("53300", true),
        ("40001", true),
        ("40P01", true),
        ("23505", false),
        ("42501", false),
        ("42P01", false),
    ] {
        let raise = format!("DO $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '{state}'; END $$");
        let said = sqlx::raw_sql(AssertSqlSafe(raise)).execute(&mut conn).await.unwrap_err();
        assert_eq!(StorageError::from(said).is_transient(), transient, "{state}");
    }
    let gone = sqlx::Error::Io(std::io::ErrorKind::ConnectionReset.into());
    assert!(StorageError::from(gone).is_transient());
    assert!(StorageError::from(sqlx::Error::PoolTimedOut).is_transient());
    assert!(!StorageError::from(sqlx::Error::RowNotFound).is_transient());
}
