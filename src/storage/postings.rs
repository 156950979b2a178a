//! What cards are counted from: the log by the names that records are about, each record in some bytes.
//!
//! Postings of one name lie in rows of at most [`CHUNK`] records, so that ten thousand of them are read as eighty rows. They follow the log
//! (`app::Poster` writes them), and say how far.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::FromRow;

use super::bulk::{Bound, Bulk};
use super::columns::{Cell, signed};
use super::engine::on_engine;
use super::{StorageError, Tx};
use crate::project::Posting;
use crate::vocab::Digest;

/// The most records in one row.
pub const CHUNK: usize = 128;

const POSTED: &str = "SELECT seq FROM posting_progress";
const POSTED_SET: &str = "UPDATE posting_progress SET seq = $1";
const LAST_CHUNK: &str = "
    SELECT name, first_seq, last_seq, entries FROM posting
    WHERE name = $1 ORDER BY name DESC, first_seq DESC LIMIT 1";
const CHUNK_EXTEND: &str = "
    UPDATE posting SET last_seq = $3, entries = $4 WHERE name = $1 AND first_seq = $2";
const CHUNK_INSERT: &str =
    "INSERT INTO posting (name, first_seq, last_seq, entries) VALUES ($1, $2, $3, $4)";
static CHUNKS_INSERT: Bulk = Bulk::new(CHUNK_INSERT);
const OF_NAME_AFTER: &str = "
    SELECT name, first_seq, last_seq, entries FROM posting
    WHERE name = $1 AND first_seq >= $2 ORDER BY name, first_seq";
const CHUNK_OF: &str = "
    SELECT COALESCE(MAX(first_seq), 0) FROM posting WHERE name = $1 AND first_seq <= $2";

const TERM_LAST: &str = "SELECT COALESCE(MAX(id), 0) FROM term";
const TERM_INSERT: &str = "INSERT INTO term (id, hash, text) VALUES ($1, $2, $3)";
static TERMS_INSERT: Bulk = Bulk::new(TERM_INSERT);
const TERM_BY_HASH: &str = "SELECT id, text FROM term WHERE hash IN ($1)";
static TERMS_BY_HASH: Bulk = Bulk::new(TERM_BY_HASH);
const TERM_BY_ID: &str = "SELECT id, text FROM term WHERE id IN ($1)";
static TERMS_BY_ID: Bulk = Bulk::new(TERM_BY_ID);

#[derive(FromRow)]
struct ChunkRow {
    name: i64,
    first_seq: i64,
    last_seq: i64,
    entries: Vec<u8>,
}

impl ChunkRow {
    fn postings(&self) -> Result<Vec<Posting>, StorageError> {
        let cell = Cell { table: "posting", column: "entries", row: &self.name };
        Posting::read_all(&self.entries).map_err(|_| cell.wrong())
    }

    fn has_room(&self) -> bool {
        self.entries.len() < CHUNK * Posting::SIZE
    }
}

#[derive(FromRow)]
struct TermRow {
    id: i64,
    text: String,
}

impl TermRow {
    fn read(self) -> Result<(u32, String), StorageError> {
        let cell = Cell { table: "term", column: "id", row: &self.id };
        Ok((u32::try_from(self.id).map_err(|_| cell.wrong())?, self.text))
    }
}

impl Tx {
    /// The last record of the log that is posted; 0 before the first.
    pub async fn posted(&mut self) -> Result<u64, StorageError> {
        let seq: i64 = on_engine!(self, conn => sqlx::query_scalar(POSTED).fetch_one(conn).await)?;
        Cell { table: "posting_progress", column: "seq", row: &seq }.unsigned(seq)
    }

    /// Posts records, by the number of the name that they are about, each list in the order of the log; `upto` is the last record of the log
    /// that is posted with them.
    pub async fn post(
        &mut self,
        postings: &BTreeMap<u64, Vec<Posting>>,
        upto: u64,
    ) -> Result<(), StorageError> {
        let mut fresh: Vec<[Bound<'static>; 4]> = Vec::new();
        for (name, postings) in postings {
            let name = signed("name", *name)?;
            let rest = self.extend_last_chunk(name, postings).await?;
            for chunk in rest.chunks(CHUNK) {
                let mut entries = Vec::with_capacity(chunk.len() * Posting::SIZE);
                let (Some(first), Some(last)) = (chunk.first(), chunk.last()) else { continue };
                for posting in chunk {
                    posting.write(&mut entries);
                }
                let (first, last) = (signed("record", first.seq)?, signed("record", last.seq)?);
                fresh.push([
                    Bound::number(name),
                    Bound::number(first),
                    Bound::number(last),
                    Bound::bytes(entries),
                ]);
            }
        }
        CHUNKS_INSERT.write(self, fresh.into_iter()).await?;
        let upto = signed("record", upto)?;
        on_engine!(self, conn => sqlx::query(POSTED_SET).bind(upto).execute(conn).await.map(drop))?;
        Ok(())
    }

    /// Puts as many postings as fit into the last row of a name; returns the others.
    async fn extend_last_chunk<'p>(
        &mut self,
        name: i64,
        postings: &'p [Posting],
    ) -> Result<&'p [Posting], StorageError> {
        let last: Option<ChunkRow> = on_engine!(self, conn => sqlx::query_as(LAST_CHUNK)
            .bind(name).fetch_optional(conn).await)?;
        let Some(mut chunk) = last.filter(ChunkRow::has_room) else { return Ok(postings) };
        let room = CHUNK.saturating_sub(chunk.entries.len() / Posting::SIZE).min(postings.len());
        let (fitting, rest) = postings.split_at(room);
        let Some(newest) = fitting.last() else { return Ok(rest) };
        for posting in fitting {
            posting.write(&mut chunk.entries);
        }
        let newest = signed("record", newest.seq)?;
        let (first, entries) = (chunk.first_seq, chunk.entries);
        on_engine!(self, conn => sqlx::query(CHUNK_EXTEND)
            .bind(name).bind(first).bind(newest).bind(entries).execute(conn).await.map(drop))?;
        Ok(rest)
    }

    /// The postings of a name behind a place of the log, in its order.
    pub async fn postings_of(
        &mut self,
        name: u64,
        after: u64,
    ) -> Result<Vec<Posting>, StorageError> {
        let (name, after_seq) = (signed("name", name)?, signed("record", after)?);
        let from: i64 = on_engine!(self, conn => sqlx::query_scalar(CHUNK_OF)
            .bind(name).bind(after_seq).fetch_one(conn).await)?;
        let rows: Vec<ChunkRow> = on_engine!(self, conn => sqlx::query_as(OF_NAME_AFTER)
            .bind(name).bind(from).fetch_all(conn).await)?;
        let mut found = Vec::with_capacity(rows.len() * CHUNK);
        for row in rows.iter().filter(|row| row.last_seq > after_seq) {
            found.extend(row.postings()?.into_iter().filter(|posting| posting.seq > after));
        }
        Ok(found)
    }

    /// The numbers of some texts, which get one where they have none yet.
    pub async fn number_terms<'t>(
        &mut self,
        texts: impl IntoIterator<Item = &'t str>,
    ) -> Result<BTreeMap<&'t str, u32>, StorageError> {
        let texts: BTreeSet<&str> = texts.into_iter().collect();
        let hash = |text: &str| Bound::bytes(Digest::of(text.as_bytes()).as_bytes().to_vec());
        let hashes = texts.iter().map(|text| [hash(text)]);
        let mut numbered = BTreeMap::new();
        let rows: Vec<TermRow> = TERMS_BY_HASH.select(self, &[], hashes).await?;
        for row in rows {
            let (id, text) = row.read()?;
            if let Some(text) = texts.get(text.as_str()) {
                numbered.insert(*text, id);
            }
        }
        let unknown: Vec<&str> =
            texts.into_iter().filter(|text| !numbered.contains_key(text)).collect();
        if unknown.is_empty() {
            return Ok(numbered);
        }
        let last: i64 =
            on_engine!(self, conn => sqlx::query_scalar(TERM_LAST).fetch_one(conn).await)?;
        let mut rows = Vec::with_capacity(unknown.len());
        for (id, text) in (last + 1..).zip(unknown) {
            let number = TermRow { id, text: String::new() }.read()?.0;
            numbered.insert(text, number);
            rows.push([Bound::number(id), hash(text), Bound::text(text)]);
        }
        TERMS_INSERT.write(self, rows.into_iter()).await?;
        Ok(numbered)
    }

    /// The texts of some numbers.
    pub async fn terms(
        &mut self,
        numbers: impl IntoIterator<Item = u32>,
    ) -> Result<BTreeMap<u32, String>, StorageError> {
        let ids: BTreeSet<_> = numbers.into_iter().map(i64::from).collect();
        let ids = ids.into_iter().map(|id| [Bound::number(id)]);
        let rows: Vec<TermRow> = TERMS_BY_ID.select(self, &[], ids).await?;
        rows.into_iter().map(TermRow::read).collect()
    }
}
