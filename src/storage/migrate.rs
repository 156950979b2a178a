//! Brings the schema up to date, and refuses one that is newer than this program.

use sqlx::Connection;
use sqlx::migrate::{MigrateError, Migrator};

use super::engine::{BEGIN_SQLITE_WRITE, Pools};
use super::{Database, StorageError};

static SQLITE: Migrator = sqlx::migrate!("migrations/sqlite");
static POSTGRES: Migrator = sqlx::migrate!("migrations/postgres");

impl Database {
    /// Applies the migrations that are missing, and says how many there now are.
    ///
    /// # Errors
    /// [`StorageError::Newer`] where the database has a migration that this program lacks; [`StorageError::Migrate`] where one fails
    /// or an applied one differs.
    pub async fn migrate(&self) -> Result<usize, StorageError> {
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
}
