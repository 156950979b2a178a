//! What can go wrong with the database. "Not found" is not among it: that is `None`.

use std::borrow::Cow;

/// Why storage could not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// The URL names no engine that is known, or cannot be read.
    #[error(
        "`{shown}` is not a database; write `sqlite://path/to/file.db` or `postgres://user@host/name`"
    )]
    Url {
        /// The URL without its secrets.
        shown: String,
    },
    /// The database could not be opened.
    #[error("cannot open the database {shown}")]
    Open {
        /// Where it is, without secrets.
        shown: String,
        /// What the driver or the file system said.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// There is no such file.
    #[error(
        "there is no database at {path}; check `database_url`, or make one with `hallmark follow`"
    )]
    Missing {
        /// Where it should be.
        path: String,
    },
    /// Another process follows into this database.
    #[error(
        "another hallmark follows into this database already; stop it first, or use another `database_url`"
    )]
    Followed,
    /// The schema is of a newer program.
    #[error(
        "the database was written by a newer hallmark (it has migration {migration}, which this program lacks); run that version, or use another database"
    )]
    Newer {
        /// The first migration that is not known here.
        migration: i64,
    },
    /// The schema is not what this program's migrations made.
    #[error("the database's schema cannot be brought up to date")]
    Migrate(#[source] sqlx::migrate::MigrateError),
    /// The database follows something else than the configuration says.
    #[error(
        "the database follows {stored}, but the configuration says {configured}; use another `database_url`, or the chain and registries it was made for"
    )]
    OtherChain {
        /// What the database is bound to.
        stored: String,
        /// What was asked for.
        configured: String,
    },
    /// Somebody else has written since this writer last did.
    #[error(
        "another writer moved the cursor: expected it at {expected}, found it at {found}; only one follower may run on a database"
    )]
    Conflict {
        /// Where this writer left it.
        expected: String,
        /// Where it is.
        found: String,
    },
    /// The engine was busy for longer than it may be.
    #[error("the database is busy; try again")]
    Busy(#[source] sqlx::Error),
    /// A row cannot be understood, or breaks a rule that every row keeps.
    #[error("table {table}, column {column}: row {row} is inconsistent; run `hallmark audit`")]
    Inconsistent {
        /// Its table.
        table: &'static str,
        /// The column that is wrong.
        column: &'static str,
        /// Which row.
        row: String,
    },
    /// A number does not fit a signed 64-bit column.
    #[error("{what} {value} is too large to be stored")]
    TooLarge {
        /// What the number is.
        what: &'static str,
        /// The number.
        value: u64,
    },
    /// Anything else the driver said.
    #[error("the database failed")]
    Driver(#[source] sqlx::Error),
}

impl StorageError {
    /// A row that cannot be understood.
    pub(crate) fn inconsistent(
        table: &'static str,
        column: &'static str,
        row: impl std::fmt::Display,
    ) -> Self {
        Self::Inconsistent { table, column, row: format!("{row}") }
    }

    /// Whether the same call may succeed if it is made again.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Busy(_) | Self::Driver(sqlx::Error::Io(_)) => true,
            // PostgreSQL: shut down, crashed, starting, out of connections.
            Self::Driver(source) => {
                matches!(code(source).as_deref(), Some("57P01" | "57P02" | "57P03" | "53300"))
            }
            _ => false,
        }
    }
}

/// What the engine calls an error: SQLite's extended result code in decimal, or PostgreSQL's SQLSTATE.
fn code(error: &sqlx::Error) -> Option<Cow<'_, str>> {
    error.as_database_error().and_then(sqlx::error::DatabaseError::code)
}

impl From<sqlx::Error> for StorageError {
    fn from(source: sqlx::Error) -> Self {
        let is_busy = match code(&source).as_deref() {
            // SQLite: SQLITE_BUSY and SQLITE_LOCKED, alone and in their extended forms. PostgreSQL: serialisation failure, deadlock,
            // lock not available.
            Some(
                "5" | "261" | "517" | "773" | "6" | "262" | "518" | "40001" | "40P01" | "55P03",
            ) => true,
            // Every connection is in use; on SQLite, the one that writes.
            _ => matches!(source, sqlx::Error::PoolTimedOut),
        };
        if is_busy { Self::Busy(source) } else { Self::Driver(source) }
    }
}
