//! Brings the schema up to date, and refuses one that is newer than this program.

use sqlx::Connection;
use sqlx::migrate::{MigrateError, Migrator};

use super::engine::{BEGIN_SQLITE_WRITE, Pools};
use super::{Database, StorageError};

const APPLIED: &str =
    "SELECT version, checksum FROM _sqlx_migrations WHERE success = TRUE ORDER BY version";

static SQLITE: Migrator = sqlx::migrate!("migrations/sqlite");
static POSTGRES: Migrator = sqlx::migrate!("migrations/postgres");

impl Database {
    /// Applies the migrations that are missing, and says how many there now are.
    ///
    /// # Errors
    /// [`StorageError::Newer`] where the database has a migration that this program lacks; [`StorageError::Migrate`] where one fails
    /// or an applied one differs.
    pub async fn migrate(&self) -> Result<usize, StorageError> {
        if let Some(count) = self.migrated().await {
            return Ok(count);
        }
        let (migrator, outcome) = match &self.pools {
            Pools::Sqlite { writer, .. } => {
                // The driver has no lock of its own here, and two programs may start on one new file.
                let mut tx = writer.begin_with(BEGIN_SQLITE_WRITE).await?;
                let outcome = SQLITE.run_direct(None, &mut *tx, false).await;
                if outcome.is_ok() {
                    tx.commit().await?;
                }
                (&SQLITE, outcome)
            }
            Pools::Postgres(pool) => {
                // Where it fails, the driver leaves its lock on the connection, which therefore must not go back to the pool.
                let mut conn = pool.acquire().await?.detach();
                let outcome = POSTGRES.run_direct(None, &mut conn, false).await;
                conn.close().await?;
                (&POSTGRES, outcome)
            }
        };
        match outcome {
            Ok(()) => Ok(migrator.iter().count()),
            Err(MigrateError::VersionMissing(migration)) => Err(StorageError::Newer { migration }),
            Err(source) => Err(StorageError::Migrate(source)),
        }
    }

    /// How many migrations there are, where just those are applied: a look that waits for no writer.
    async fn migrated(&self) -> Option<usize> {
        let (migrator, applied) = match &self.pools {
            Pools::Sqlite { readers, .. } => {
                (&SQLITE, sqlx::query_as::<_, (i64, Vec<u8>)>(APPLIED).fetch_all(readers).await)
            }
            Pools::Postgres(pool) => (&POSTGRES, sqlx::query_as(APPLIED).fetch_all(pool).await),
        };
        // No such table: a new database. Anything else that is wrong is met, and said, when migrating.
        let applied: Vec<(i64, Vec<u8>)> = applied.ok()?;
        let ours = migrator.iter().map(|m| (m.version, m.checksum.as_ref()));
        let theirs = applied.iter().map(|(version, checksum)| (*version, checksum.as_slice()));
        ours.eq(theirs).then_some(applied.len())
    }
}
