//! The names that records use, each with a number: a record that names a wallet takes eight bytes for it.

use std::collections::BTreeMap;

use sqlx::FromRow;

use super::bulk::{Bound, Bulk, list_of};
use super::columns::Cell;
use super::engine::on_engine;
use super::{StorageError, Tx};
use crate::vocab::{Digest, Subject};

const NAME_LAST: &str = "SELECT COALESCE(MAX(id), 0) FROM name";
const NAME_INSERT: &str = "INSERT INTO name (id, hash, text) VALUES ($1, $2, $3)";
static NAMES_INSERT: Bulk = Bulk::new(NAME_INSERT);
const NAME_BY_HASH: &str = "SELECT id, hash, text FROM name WHERE hash IN ($1)";
static NAMES_BY_HASH: Bulk = Bulk::new(NAME_BY_HASH);
const NAME_BY_ID: &str = "SELECT id, hash, text FROM name WHERE id IN ($1)";
static NAMES_BY_ID: Bulk = Bulk::new(NAME_BY_ID);

/// Names without a number, by the hash of their text; each with its place among those that are asked for.
type Unnumbered<'a> = BTreeMap<[u8; 32], (usize, &'a Subject, String)>;

#[derive(FromRow)]
struct NameRow {
    id: i64,
    hash: Vec<u8>,
    text: String,
}

impl NameRow {
    fn read(self) -> Result<(u64, Subject), StorageError> {
        let cell = |column| Cell { table: "name", column, row: &self.id };
        let subject = self.text.parse().map_err(|_| cell("text").wrong())?;
        Ok((cell("id").unsigned(self.id)?, subject))
    }
}

impl Tx {
    /// The numbers of some names, which get one where they have none yet.
    pub async fn number_names<'a>(
        &mut self,
        names: impl IntoIterator<Item = &'a Subject>,
    ) -> Result<BTreeMap<&'a Subject, u64>, StorageError> {
        let (mut numbered, unknown) = self.look_up_names(names).await?;
        if unknown.is_empty() {
            return Ok(numbered);
        }
        let last: i64 =
            on_engine!(self, conn => sqlx::query_scalar(NAME_LAST).fetch_one(conn).await)?;
        // In the order in which they were asked for.
        let mut unknown: Vec<_> = unknown.into_iter().collect();
        unknown.sort_unstable_by_key(|(_, (place, ..))| *place);
        let rows: Vec<_> = (last + 1..).zip(unknown).collect();
        for (id, (_, (_, name, _))) in &rows {
            let cell = Cell { table: "name", column: "id", row: id };
            numbered.insert(*name, cell.unsigned(*id)?);
        }
        let columns = rows.into_iter().map(|(id, (hash, (_, _, text)))| {
            [Bound::number(id), Bound::bytes(hash.to_vec()), Bound::text(text)]
        });
        NAMES_INSERT.write(self, columns).await?;
        Ok(numbered)
    }

    /// The numbers of some names; one that no record uses is not among them.
    pub async fn name_numbers<'a>(
        &mut self,
        names: impl IntoIterator<Item = &'a Subject>,
    ) -> Result<BTreeMap<&'a Subject, u64>, StorageError> {
        Ok(self.look_up_names(names).await?.0)
    }

    /// The numbers of those that have one, and the others by the hash of their text.
    async fn look_up_names<'a>(
        &mut self,
        names: impl IntoIterator<Item = &'a Subject>,
    ) -> Result<(BTreeMap<&'a Subject, u64>, Unnumbered<'a>), StorageError> {
        let mut unknown = Unnumbered::new();
        for (place, name) in names.into_iter().enumerate() {
            let text = name.to_string();
            unknown.entry(*Digest::of(text.as_bytes()).as_bytes()).or_insert((place, name, text));
        }
        let mut numbered = BTreeMap::new();
        for row in self.name_rows(unknown.keys()).await? {
            let Ok(hash) = <[u8; 32]>::try_from(row.hash.as_slice()) else { continue };
            if let Some((_, name, _)) = unknown.remove(&hash) {
                numbered.insert(name, row.read()?.0);
            }
        }
        Ok((numbered, unknown))
    }

    /// The names of some numbers.
    pub async fn names(
        &mut self,
        numbers: impl IntoIterator<Item = u64>,
    ) -> Result<BTreeMap<u64, Subject>, StorageError> {
        let ids: std::collections::BTreeSet<_> = numbers.into_iter().collect();
        let rows: Vec<NameRow> = NAMES_BY_ID.select(self, &[], list_of("name", ids)?).await?;
        rows.into_iter().map(NameRow::read).collect()
    }

    async fn name_rows(
        &mut self,
        hashes: impl ExactSizeIterator<Item = &[u8; 32]> + Send,
    ) -> Result<Vec<NameRow>, StorageError> {
        let hashes = hashes.map(|hash| [Bound::bytes(hash.as_slice())]);
        NAMES_BY_HASH.select(self, &[], hashes).await
    }
}
