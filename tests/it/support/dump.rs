//! Whole databases as text, to be held against each other: every table, every column, every row, on either engine.
//!
//! Tables and columns are found in the database's own catalogue, so that none is forgotten. Rows are sorted here, byte by byte, since
//! engines sort texts in different ways. Only the book-keeping of migrations is left out.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use alloy::primitives::hex;
use sqlx::{AssertSqlSafe, Column, Connection, PgConnection, Row, SqliteConnection, TypeInfo};

/// The rows of each table.
pub(crate) type Dump = BTreeMap<String, Vec<String>>;

const TABLES_SQLITE: &str = "SELECT name FROM sqlite_master WHERE type = 'table'";
const TABLES_POSTGRES: &str =
    "SELECT table_name::TEXT FROM information_schema.tables WHERE table_schema = 'public'";
/// Differences that are shown of each table.
const SHOWN_MAX: usize = 8;

/// A row as text: each column's name and value.
macro_rules! row_text {
    ($row:expr) => {{
        let mut text = String::new();
        for (i, column) in $row.columns().iter().enumerate() {
            let value = match column.type_info().name() {
                "TEXT" => $row.get::<Option<String>, _>(i).map(|text| format!("{text:?}")),
                "INTEGER" | "INT8" => $row.get::<Option<i64>, _>(i).map(|n| n.to_string()),
                "BLOB" | "BYTEA" => $row.get::<Option<Vec<u8>>, _>(i).map(hex::encode_prefixed),
                other => panic!("column {} has the type {other}", column.name()),
            };
            let value = value.unwrap_or_else(|| "null".to_owned());
            write!(text, "{}={value} ", column.name()).unwrap();
        }
        text
    }};
}

macro_rules! dump_of {
    ($conn:expr, $tables:expr) => {{
        let mut dump = Dump::new();
        let tables: Vec<String> = sqlx::query_scalar($tables).fetch_all(&mut $conn).await.unwrap();
        for table in tables {
            if table.starts_with("_sqlx") || table.starts_with("sqlite_") {
                continue;
            }
            let sql = AssertSqlSafe(format!("SELECT * FROM {table}"));
            let rows = sqlx::query(sql).fetch_all(&mut $conn).await.unwrap();
            let mut rows: Vec<String> = rows.iter().map(|row| row_text!(row)).collect();
            rows.sort();
            dump.insert(table, rows);
        }
        $conn.close().await.unwrap();
        dump
    }};
}

/// Everything in the database that a URL names.
pub(crate) async fn dump(url: &str) -> Dump {
    if url.starts_with("sqlite:") {
        let mut conn = SqliteConnection::connect(url).await.unwrap();
        dump_of!(conn, TABLES_SQLITE)
    } else {
        let mut conn = PgConnection::connect(url).await.unwrap();
        dump_of!(conn, TABLES_POSTGRES)
    }
}

/// The tables of what was said, which say when each record was received, and of what is counted of it, a moment later: no two runs are alike
/// in that, nor in how far the log was taken.
pub(crate) const OF_RECORDS: [&str; 9] = [
    "attestation",
    "attestation_finding",
    "party",
    "name",
    "subject_name",
    "record_progress",
    "term",
    "posting",
    "posting_progress",
];

/// Fails, and says where, unless two dumps are equal in all tables but those named.
pub(crate) fn assert_same(found: &Dump, expected: &Dump, but: &[&str], what: &str) {
    let differences = differences(found, expected, but);
    assert!(differences.is_empty(), "{what}\n{differences}");
}

/// Counts how often the record was rewritten, so it differs between a record that was mended and one that never needed it.
const COUNTER: &str = "rewriting";

/// Where two dumps differ, in all tables but those named and the count of rewritings; empty where they do not.
pub(crate) fn differences(found: &Dump, expected: &Dump, but: &[&str]) -> String {
    if !found.keys().eq(expected.keys()) {
        return "the tables themselves differ".to_owned();
    }
    let mut differences = String::new();
    let is_left_out = |table: &str| table == COUNTER || but.contains(&table);
    for (table, rows) in found.iter().filter(|(table, _)| !is_left_out(table)) {
        let other = &expected[table];
        let only = |a: &[String], b: &[String]| -> Vec<String> {
            a.iter().filter(|row| b.binary_search(row).is_err()).take(SHOWN_MAX).cloned().collect()
        };
        if rows == other {
            continue;
        }
        writeln!(differences, "{table}: {} rows, expected {}", rows.len(), other.len()).unwrap();
        for row in only(rows, other) {
            writeln!(differences, "  found    {row}").unwrap();
        }
        for row in only(other, rows) {
            writeln!(differences, "  expected {row}").unwrap();
        }
    }
    differences
}
