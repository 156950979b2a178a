//! Rows into a database as fast as an engine takes them through its driver: the floor's way of writing.
//!
//! SQLite gets statements of many rows, with the settings that Hallmark uses; PostgreSQL gets `COPY` in its binary form. The tables are
//! Hallmark's without their secondary indexes.

use std::str::FromStr;

use sqlx::postgres::PgConnection;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteSynchronous};
use sqlx::{AssertSqlSafe, Connection, Executor};

const INDEXES_SQLITE: &str =
    "SELECT name FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL";
const INDEXES_POSTGRES: &str = "
    SELECT indexname::text FROM pg_indexes
    WHERE schemaname = current_schema() AND indexname NOT LIKE '%pkey'";

/// A value of a column.
#[derive(Clone, Debug)]
pub(crate) enum Cell {
    Number(i64),
    Text(&'static str),
    Name(String),
    Bytes(Vec<u8>),
    Null,
}

/// A table and its columns.
pub(crate) struct Table {
    pub(crate) name: &'static str,
    pub(crate) columns: &'static [&'static str],
}

/// Rows in one statement; what is left over goes in smaller ones, of few different lengths, so that each is prepared once.
const ROWS: [usize; 4] = [128, 32, 8, 1];

/// A connection that is written to.
pub(crate) enum Sink {
    Sqlite(Box<SqliteConnection>),
    Postgres(Box<PgConnection>),
}

impl Sink {
    /// Opens with the settings of `storage::engine`: what changes there changes here.
    pub(crate) async fn open(url: &str) -> Self {
        if url.starts_with("postgres") {
            return Self::Postgres(Box::new(PgConnection::connect(url).await.unwrap()));
        }
        let options = SqliteConnectOptions::from_str(url)
            .unwrap()
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Normal);
        Self::Sqlite(Box::new(SqliteConnection::connect_with(&options).await.unwrap()))
    }

    /// Runs a statement without values.
    pub(crate) async fn run(&mut self, sql: &str) {
        let sql = AssertSqlSafe(sql.to_owned());
        match self {
            Self::Sqlite(conn) => drop(conn.execute(sqlx::raw_sql(sql)).await.unwrap()),
            Self::Postgres(conn) => drop(conn.execute(sqlx::raw_sql(sql)).await.unwrap()),
        }
    }

    /// The names of all indexes but those of primary keys.
    pub(crate) async fn secondary_indexes(&mut self) -> Vec<String> {
        match self {
            Self::Sqlite(conn) => {
                sqlx::query_scalar(INDEXES_SQLITE).fetch_all(&mut **conn).await.unwrap()
            }
            Self::Postgres(conn) => {
                sqlx::query_scalar(INDEXES_POSTGRES).fetch_all(&mut **conn).await.unwrap()
            }
        }
    }

    /// The one number that a query gives.
    pub(crate) async fn number(&mut self, sql: &str) -> i64 {
        let query = AssertSqlSafe(sql.to_owned());
        match self {
            Self::Sqlite(conn) => sqlx::query_scalar(query).fetch_one(&mut **conn).await.unwrap(),
            Self::Postgres(conn) => sqlx::query_scalar(query).fetch_one(&mut **conn).await.unwrap(),
        }
    }

    /// Inserts rows, given as their cells one after the other.
    pub(crate) async fn insert(&mut self, table: &Table, cells: Vec<Cell>) {
        match self {
            Self::Sqlite(conn) => insert_sqlite(conn, table, cells).await,
            Self::Postgres(conn) => copy(conn, table, &cells).await,
        }
    }

    pub(crate) async fn close(self) {
        match self {
            Self::Sqlite(conn) => conn.close().await.unwrap(),
            Self::Postgres(conn) => conn.close().await.unwrap(),
        }
    }
}

async fn insert_sqlite(conn: &mut SqliteConnection, table: &Table, cells: Vec<Cell>) {
    let width = table.columns.len();
    let mut left = cells.len() / width;
    let mut cells = cells.into_iter();
    for rows in ROWS {
        let row = format!("({})", vec!["?"; width].join(","));
        let sql = format!(
            "INSERT INTO {} ({}) VALUES {}",
            table.name,
            table.columns.join(","),
            vec![row; rows].join(",")
        );
        while left >= rows {
            left -= rows;
            let mut query = sqlx::query(AssertSqlSafe(sql.clone()));
            for cell in cells.by_ref().take(rows * width) {
                query = match cell {
                    Cell::Number(number) => query.bind(number),
                    Cell::Text(text) => query.bind(text),
                    Cell::Name(name) => query.bind(name),
                    Cell::Bytes(bytes) => query.bind(bytes),
                    Cell::Null => query.bind(None::<i64>),
                };
            }
            query.execute(&mut *conn).await.unwrap();
        }
    }
}

async fn copy(conn: &mut PgConnection, table: &Table, cells: &[Cell]) {
    let columns = table.columns.join(",");
    let sql = format!("COPY {} ({columns}) FROM STDIN (FORMAT binary)", table.name);
    let width = i16::try_from(table.columns.len()).unwrap();
    let mut data = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0".to_vec();
    for row in cells.chunks(table.columns.len()) {
        data.extend(width.to_be_bytes());
        for cell in row {
            let number;
            let bytes = match cell {
                Cell::Number(value) => {
                    number = value.to_be_bytes();
                    number.as_slice()
                }
                Cell::Text(text) => text.as_bytes(),
                Cell::Name(name) => name.as_bytes(),
                Cell::Bytes(bytes) => bytes,
                Cell::Null => {
                    data.extend((-1_i32).to_be_bytes());
                    continue;
                }
            };
            data.extend(i32::try_from(bytes.len()).unwrap().to_be_bytes());
            data.extend(bytes);
        }
    }
    data.extend((-1_i16).to_be_bytes());
    let mut stream = conn.copy_in_raw(&sql).await.unwrap();
    stream.send(data).await.unwrap();
    stream.finish().await.unwrap();
}
