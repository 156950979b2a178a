//! Human participants: who has which handle, and how far the record of each has come.
//!
//! Nothing of it is derived from the chain, so nothing here is thrown away with what is. A handle that was given once is never given
//! again.

use alloy::primitives::B256;
use sqlx::FromRow;

use super::columns::{Cell, signed};
use super::engine::on_engine;
use super::{StorageError, Tx};
use crate::did::Change;
use crate::vocab::{Handle, UnixSeconds};

const CHARACTER_INSERT: &str = "
    INSERT INTO character (id, handle, folded, token_hash, created_at, last_change, changed_at, is_removed)
    VALUES (COALESCE((SELECT id FROM character WHERE id > 0 ORDER BY id DESC LIMIT 1), 0) + 1,
        $1, $2, $3, $4, 1, $4, 0)
    ON CONFLICT (folded) DO NOTHING";
const CHARACTER_BY_FOLDED: &str = "
    SELECT id, handle, token_hash, created_at, last_change, changed_at, is_removed
    FROM character WHERE folded = $1";
const CHARACTER_BY_ID: &str = "
    SELECT id, handle, token_hash, created_at, last_change, changed_at, is_removed
    FROM character WHERE id = $1";
const CHARACTER_CHANGE: &str = "
    UPDATE character SET last_change = $2, changed_at = $3, is_removed = $4
    WHERE id = $1 AND last_change = $2 - 1 AND is_removed = 0";
const CHARACTER_TOKEN: &str = "UPDATE character SET token_hash = $2 WHERE id = $1";

/// A human participant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Character {
    /// Its number here.
    pub id: u64,
    /// Its handle.
    pub handle: Handle,
    /// SHA-256 of the token that manages it.
    pub token_hash: B256,
    /// When it was created.
    pub created: UnixSeconds,
    /// The newest change of its record.
    pub last: Change,
    /// Whether that change was its removal.
    pub is_removed: bool,
}

#[derive(FromRow)]
struct CharacterRow {
    id: i64,
    handle: String,
    token_hash: Vec<u8>,
    created_at: i64,
    last_change: i64,
    changed_at: i64,
    is_removed: i64,
}

impl TryFrom<CharacterRow> for Character {
    type Error = StorageError;

    fn try_from(row: CharacterRow) -> Result<Self, StorageError> {
        let cell = |column| Cell { table: "character", column, row: &row.id };
        Ok(Self {
            id: cell("id").unsigned(row.id)?,
            handle: Handle::parse(&row.handle).map_err(|_| cell("handle").wrong())?,
            token_hash: cell("token_hash").hash(&row.token_hash)?,
            created: cell("created_at").time(row.created_at)?,
            last: Change {
                number: cell("last_change").unsigned(row.last_change)?,
                time: cell("changed_at").time(row.changed_at)?,
            },
            is_removed: row.is_removed != 0,
        })
    }
}

impl Tx {
    /// Creates a character; says whether the handle was free. It is not where one differs from it in letter case alone.
    pub async fn insert_character(
        &mut self,
        handle: &Handle,
        token_hash: B256,
        created: UnixSeconds,
    ) -> Result<bool, StorageError> {
        let created = signed("time", created.get())?;
        let count = on_engine!(self, conn => sqlx::query(CHARACTER_INSERT)
            .bind(handle.as_str())
            .bind(handle.folded())
            .bind(token_hash.as_slice())
            .bind(created)
            .execute(conn).await.map(|done| done.rows_affected()))?;
        if count == 1 {
            self.note_created(handle).await?;
        }
        Ok(count == 1)
    }

    /// The character with a handle, in whatever letter case it is asked for.
    pub async fn character(&mut self, handle: &Handle) -> Result<Option<Character>, StorageError> {
        let row: Option<CharacterRow> = on_engine!(self, conn =>
            sqlx::query_as(CHARACTER_BY_FOLDED)
                .bind(handle.folded()).fetch_optional(conn).await)?;
        row.map(Character::try_from).transpose()
    }

    /// The character of a number.
    pub async fn character_of(&mut self, id: u64) -> Result<Option<Character>, StorageError> {
        let id = signed("character", id)?;
        let row: Option<CharacterRow> = on_engine!(self, conn =>
            sqlx::query_as(CHARACTER_BY_ID).bind(id).fetch_optional(conn).await)?;
        row.map(Character::try_from).transpose()
    }

    /// Notes a change of a character's record, the one after its newest; says whether it was that one. None follows on a removal.
    pub async fn note_character_change(
        &mut self,
        id: u64,
        change: Change,
        is_removal: bool,
    ) -> Result<bool, StorageError> {
        let (id, number) = (signed("character", id)?, signed("change", change.number)?);
        let time = signed("time", change.time.get())?;
        let count = on_engine!(self, conn => sqlx::query(CHARACTER_CHANGE)
            .bind(id)
            .bind(number)
            .bind(time)
            .bind(i64::from(is_removal))
            .execute(conn).await.map(|done| done.rows_affected()))?;
        if count == 1 && is_removal {
            self.note_removed(id, number, time).await?;
        }
        Ok(count == 1)
    }

    /// Puts another token in the place of the one that managed a character.
    pub async fn set_character_token(&mut self, id: u64, hash: B256) -> Result<(), StorageError> {
        let id = signed("character", id)?;
        on_engine!(self, conn => sqlx::query(CHARACTER_TOKEN)
            .bind(id).bind(hash.as_slice()).execute(conn).await.map(drop))?;
        Ok(())
    }
}
