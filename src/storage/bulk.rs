//! Many rows at once.
//!
//! A statement is written for one row, as all others are, and drawn out here to a hundred: what costs is less the row than the way to
//! the engine and back. The last group of placeholders is repeated: the row of a `VALUES`, or the item of an `IN` list. Each statement
//! comes in four lengths, so that an engine keeps few plans. What is measured stands in ARCHITECTURE, "Rows by the hundred".
//!
//! The engines take many rows each in its own way, and this is the only place that knows it.
//! * On SQLite the placeholders lose their numbers: its driver asks for the name of each one it binds, and SQLite finds names by walking
//!   along all of them. And a statement that fails does not take its own rows back (`OR FAIL`): a transaction in which a statement failed
//!   is only fit to be dropped, and without this SQLite copies every page aside that a statement of many rows touches.
//! * On PostgreSQL hundreds of rows are streamed (`COPY`) where nothing has to be said about rows that are there already.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;
use sqlx::{AssertSqlSafe, FromRow, PgConnection};

use super::columns::signed;
use super::engine::on_engine;
use super::{StorageError, Tx};

/// So many rows are written by one statement: the longest that fits, then the next. Two are the names and the parties of one record.
const LENGTHS: [usize; 4] = [MANY, 10, 2, 1];
/// So many rows are many.
pub(super) const MANY: usize = 100;
/// About how many bytes are handed to PostgreSQL at a time.
const COPY_BYTES: usize = 1 << 20;
/// So many rows say what a table is like.
const TELLING: u64 = 1_000;
/// How a binary stream of rows begins and ends (PostgreSQL's documentation of `COPY`).
const COPY_BEGINNING: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
const COPY_END: [u8; 2] = (-1_i16).to_be_bytes();

/// A statement for one row, in all its lengths.
pub(super) struct Bulk {
    one: &'static str,
    sqlite: [OnceLock<String>; LENGTHS.len()],
    postgres: [OnceLock<String>; LENGTHS.len()],
    /// Whether this process had PostgreSQL look at the table.
    is_analyzed: AtomicBool,
}

/// What is bound to one column.
#[derive(Clone, Debug)]
pub(super) enum Bound<'a> {
    Number(Option<i64>),
    Text(Option<Cow<'a, str>>),
    Bytes(Option<Cow<'a, [u8]>>),
}

impl<'a> Bound<'a> {
    pub(super) const fn number(value: i64) -> Self {
        Self::Number(Some(value))
    }

    pub(super) fn text(value: impl Into<Cow<'a, str>>) -> Self {
        Self::Text(Some(value.into()))
    }

    pub(super) fn bytes(value: impl Into<Cow<'a, [u8]>>) -> Self {
        Self::Bytes(Some(value.into()))
    }
}

/// Numbers as the items of a list; an error names `what` is too large.
pub(super) fn list_of(
    what: &'static str,
    numbers: impl IntoIterator<Item = u64>,
) -> Result<std::vec::IntoIter<[Bound<'static>; 1]>, StorageError> {
    let one = |number| Ok([Bound::number(signed(what, number)?)]);
    let all: Result<Vec<_>, StorageError> = numbers.into_iter().map(one).collect();
    Ok(all?.into_iter())
}

impl Bulk {
    /// `one` holds its placeholders in order, each once, and those that are repeated last.
    pub(super) const fn new(one: &'static str) -> Self {
        Self {
            one,
            sqlite: [const { OnceLock::new() }; LENGTHS.len()],
            postgres: [const { OnceLock::new() }; LENGTHS.len()],
            is_analyzed: AtomicBool::new(false),
        }
    }

    /// The statement that takes as many of `rest` rows as one can, and how many those are.
    pub(super) fn fitting(&'static self, tx: &Tx, rest: usize) -> Option<(&'static str, usize)> {
        let (statements, is_sqlite) = match tx {
            Tx::Sqlite(_) => (&self.sqlite, true),
            Tx::Postgres(_) => (&self.postgres, false),
        };
        let (length, statement) =
            LENGTHS.iter().zip(statements).find(|(length, _)| **length <= rest)?;
        let sql = statement.get_or_init(|| repeated(self.one, *length, is_sqlite));
        Some((sql.as_str(), *length))
    }

    /// Runs a statement whose last group is an `IN` list, or rows to look for, for all items, and gathers what it finds; `head` is bound
    /// before each part of them.
    pub(super) async fn select<'v, R, const WIDTH: usize>(
        &'static self,
        tx: &mut Tx,
        head: &[Bound<'v>],
        mut items: impl ExactSizeIterator<Item = [Bound<'v>; WIDTH]> + Send,
    ) -> Result<Vec<R>, StorageError>
    where
        R: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin,
    {
        let mut found = Vec::new();
        while let Some((sql, length)) = self.fitting(tx, items.len()) {
            let rows: Vec<R> = on_engine!(tx, conn => {
                let mut select = sqlx::query_as(sql);
                let part = items.by_ref().take(length).flatten();
                for value in head.iter().cloned().chain(part) {
                    select = match value {
                        Bound::Number(number) => select.bind(number),
                        Bound::Text(text) => select.bind(text.map(Cow::into_owned)),
                        Bound::Bytes(bytes) => select.bind(bytes.map(Cow::into_owned)),
                    };
                }
                select.fetch_all(conn).await
            })?;
            found.extend(rows);
        }
        Ok(found)
    }

    /// Runs the statement for every row; returns how many rows it wrote.
    pub(super) async fn write<'v, const WIDTH: usize>(
        &'static self,
        tx: &mut Tx,
        mut rows: impl ExactSizeIterator<Item = [Bound<'v>; WIDTH]> + Send,
    ) -> Result<u64, StorageError> {
        let mut written = 0;
        if let (Tx::Postgres(tx), Some(into)) = (&mut *tx, copied_into(self.one))
            && rows.len() >= MANY
        {
            written = copy(tx, into, rows).await?;
            // PostgreSQL looks at a table by itself within minutes; until then it knows nothing of it, and reads all open spans of a
            // kind to find a hundred of them.
            if written >= TELLING && !self.is_analyzed.swap(true, Ordering::Relaxed) {
                let table = into.split_whitespace().next().unwrap_or_default();
                let analyze = AssertSqlSafe(format!("ANALYZE {table}"));
                sqlx::raw_sql(analyze).execute(&mut **tx).await?;
            }
            return Ok(written);
        }
        while let Some((sql, length)) = self.fitting(tx, rows.len()) {
            written += on_engine!(tx, conn => {
                let mut statement = sqlx::query(sql);
                for value in rows.by_ref().take(length).flatten() {
                    statement = match value {
                        Bound::Number(number) => statement.bind(number),
                        Bound::Text(text) => statement.bind(text.map(Cow::into_owned)),
                        Bound::Bytes(bytes) => statement.bind(bytes.map(Cow::into_owned)),
                    };
                }
                statement.execute(conn).await.map(|done| done.rows_affected())
            })?;
        }
        Ok(written)
    }
}

/// A statement whose last group of placeholders stands there `times` times.
fn repeated(one: &str, times: usize, is_sqlite: bool) -> String {
    let start = one.rfind("($").unwrap_or(one.len());
    let (head, tail) = one.split_at(start);
    let (group, tail) = tail.split_at(tail.find(')').unwrap_or(tail.len()));
    // The items of a list share one pair of parentheses, rows have one each.
    let between = if head.trim_end().ends_with("IN") { ", " } else { "), (" };
    let width = group.matches('$').count();
    let mut number = 0;
    let mut sql = String::with_capacity(one.len() + times * group.len() * 2);
    let mut place = |sql: &mut String| {
        number += 1;
        let _ = if is_sqlite { write!(sql, "?") } else { write!(sql, "${number}") };
    };
    for (index, piece) in head.split('$').enumerate() {
        if index > 0 {
            place(&mut sql);
        }
        let digits = piece.bytes().take_while(|b| index > 0 && b.is_ascii_digit()).count();
        sql.push_str(piece.get(digits..).unwrap_or_default());
    }
    sql.push('(');
    for row in 0..times {
        sql.push_str(if row == 0 { "" } else { between });
        for column in 0..width {
            sql.push_str(if column == 0 { "" } else { ", " });
            place(&mut sql);
        }
    }
    sql.push_str(tail);
    if is_sqlite {
        sql = sql.replacen("INSERT INTO", "INSERT OR FAIL INTO", 1);
        sql = sql.replacen("UPDATE span", "UPDATE OR FAIL span", 1);
        sql = sql.replacen("UPDATE party", "UPDATE OR FAIL party", 1);
    }
    sql
}

/// The table and columns of an insertion that says nothing about rows that are there already.
fn copied_into(one: &str) -> Option<&str> {
    let (into, rest) = one.trim_start().strip_prefix("INSERT INTO ")?.split_once("VALUES")?;
    (!rest.contains("ON CONFLICT")).then_some(into)
}

async fn copy<'v, const WIDTH: usize>(
    conn: &mut PgConnection,
    into: &str,
    rows: impl Iterator<Item = [Bound<'v>; WIDTH]> + Send,
) -> Result<u64, StorageError> {
    let mut stream = conn.copy_in_raw(&format!("COPY {into} FROM STDIN (FORMAT binary)")).await?;
    let mut data = COPY_BEGINNING.to_vec();
    for row in rows {
        data.extend(i16::try_from(WIDTH).unwrap_or(i16::MAX).to_be_bytes());
        for value in row {
            match &value {
                Bound::Number(number) => {
                    copied(
                        &mut data,
                        number.map(i64::to_be_bytes).as_ref().map(<[u8; 8]>::as_slice),
                    );
                }
                Bound::Text(text) => copied(&mut data, text.as_deref().map(str::as_bytes)),
                Bound::Bytes(bytes) => copied(&mut data, bytes.as_deref()),
            }
        }
        if data.len() >= COPY_BYTES {
            stream.send(std::mem::take(&mut data)).await?;
        }
    }
    data.extend(COPY_END);
    stream.send(data).await?;
    Ok(stream.finish().await?)
}

/// One value: its length, or -1 where there is none, and its bytes.
fn copied(data: &mut Vec<u8>, bytes: Option<&[u8]>) {
    // Nothing comes near two gigabytes: the node's answers are smaller.
    let length = bytes.map_or(-1, |bytes| i32::try_from(bytes.len()).unwrap_or(i32::MAX));
    data.extend(length.to_be_bytes());
    data.extend(bytes.unwrap_or_default());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_group_is_repeated() {
        let insert = "INSERT INTO t (a, b) VALUES ($1, $2) ON CONFLICT (a) DO NOTHING";
        assert_eq!(repeated(insert, 1, false), insert);
        assert_eq!(
            repeated(insert, 2, false),
            "INSERT INTO t (a, b) VALUES ($1, $2), ($3, $4) ON CONFLICT (a) DO NOTHING"
        );
        assert_eq!(
            repeated(insert, 2, true),
            "INSERT OR FAIL INTO t (a, b) VALUES (?, ?), (?, ?) ON CONFLICT (a) DO NOTHING"
        );
        let list = "SELECT a FROM t WHERE b = $1 AND c = $2 AND a IN ($3) AND d IS NULL";
        assert_eq!(repeated(list, 1, false), list);
        assert_eq!(
            repeated(list, 3, false),
            "SELECT a FROM t WHERE b = $1 AND c = $2 AND a IN ($3, $4, $5) AND d IS NULL"
        );
        assert_eq!(
            repeated(list, 2, true),
            "SELECT a FROM t WHERE b = ? AND c = ? AND a IN (?, ?) AND d IS NULL"
        );
        let update = "UPDATE span SET a = c.column1 FROM (VALUES ($1)) AS c WHERE b = c.column2";
        assert_eq!(
            repeated(update, 2, true),
            "UPDATE OR FAIL span SET a = c.column1 FROM (VALUES (?), (?)) AS c WHERE b = c.column2"
        );
    }

    #[test]
    fn only_plain_insertions_are_streamed() {
        assert_eq!(copied_into("\n INSERT INTO t (a, b)\n VALUES ($1, $2)"), Some("t (a, b)\n "));
        assert_eq!(copied_into("INSERT INTO t (a) VALUES ($1) ON CONFLICT (a) DO NOTHING"), None);
        assert_eq!(copied_into("UPDATE t SET a = 1 FROM (VALUES ($1)) AS c"), None);
    }
}
