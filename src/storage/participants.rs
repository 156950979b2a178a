//! What happened to the identities of human participants, one after the other: the log that a stream of it goes by.
//!
//! A row is written in the transaction of what it tells of, by the functions that write that, so that none is forgotten and the numbers
//! have no gaps. Nothing of it comes from the chain, and nothing is ever undone.

use sqlx::FromRow;

use super::character_wallets::UnlinkedBy;
use super::columns::{Cell, signed};
use super::engine::on_engine;
use super::{StorageError, Tx};
use crate::did::Change;
use crate::vocab::{AccountId, ChainId, Handle};

const CREATED: &str = "
    INSERT INTO participant_change (number, character_id, change, time, kind)
    SELECT COALESCE((SELECT MAX(number) FROM participant_change), 0) + 1, id, last_change, changed_at, 'created'
    FROM character WHERE folded = $1";
const REMOVED: &str = "
    INSERT INTO participant_change (number, character_id, change, time, kind)
    VALUES (COALESCE((SELECT MAX(number) FROM participant_change), 0) + 1, $1, $2, $3, 'removed')";
const LINKED: &str = "
    INSERT INTO participant_change (number, character_id, change, time, kind, chain, address)
    VALUES (COALESCE((SELECT MAX(number) FROM participant_change), 0) + 1, $1, $2, $3, 'linked', $4, $5)";
const UNLINKED: &str = "
    INSERT INTO participant_change (number, character_id, change, time, kind, chain, address, ended_by)
    SELECT COALESCE((SELECT MAX(number) FROM participant_change), 0) + (
            SELECT COUNT(*) FROM character_wallet AS up_to
            WHERE up_to.character_id = w.character_id AND up_to.to_change = w.to_change
              AND up_to.from_change <= w.from_change
        ), w.character_id, w.to_change, w.to_time, 'unlinked', w.chain, w.address, w.ended_by
    FROM character_wallet AS w WHERE w.character_id = $1 AND w.to_change = $2";
const COUNT: &str = "SELECT COALESCE(MAX(number), 0) FROM participant_change";
const AFTER: &str = "
    SELECT p.number, p.change, p.time, p.kind, p.chain, p.address, p.ended_by, c.handle
    FROM participant_change AS p INNER JOIN character AS c ON c.id = p.character_id
    WHERE p.number > $1 ORDER BY p.number LIMIT $2";

/// What happened to a participant's identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParticipantEvent {
    /// It came to be.
    Created,
    /// A wallet proved itself.
    Linked(AccountId),
    /// A wallet is its own no more.
    Unlinked(AccountId, UnlinkedBy),
    /// It was removed.
    Removed,
}

/// Something that happened, and to whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParticipantChange {
    /// Its place among all that happened, from 1.
    pub number: u64,
    /// To whom.
    pub handle: Handle,
    /// The change of the character's record.
    pub change: Change,
    /// What.
    pub event: ParticipantEvent,
}

#[derive(FromRow)]
struct ChangeRow {
    number: i64,
    change: i64,
    time: i64,
    kind: String,
    chain: Option<i64>,
    address: Option<Vec<u8>>,
    ended_by: Option<String>,
    handle: String,
}

impl TryFrom<ChangeRow> for ParticipantChange {
    type Error = StorageError;

    fn try_from(row: ChangeRow) -> Result<Self, StorageError> {
        let cell = |column| Cell { table: "participant_change", column, row: &row.number };
        let account = row.chain.zip(row.address.as_deref()).map(|(chain, address)| {
            Ok::<_, StorageError>(AccountId {
                chain: ChainId(cell("chain").unsigned(chain)?),
                address: cell("address").address(address)?,
            })
        });
        let ended_by = row.ended_by.as_deref().map(UnlinkedBy::from_word);
        let event = match (row.kind.as_str(), account.transpose()?, ended_by) {
            ("created", None, None) => ParticipantEvent::Created,
            ("linked", Some(account), None) => ParticipantEvent::Linked(account),
            ("unlinked", Some(account), Some(by)) => {
                ParticipantEvent::Unlinked(account, by.ok_or_else(|| cell("ended_by").wrong())?)
            }
            ("removed", None, None) => ParticipantEvent::Removed,
            _ => return Err(cell("kind").wrong()),
        };
        Ok(Self {
            number: cell("number").unsigned(row.number)?,
            handle: Handle::parse(&row.handle).map_err(|_| cell("handle").wrong())?,
            change: Change {
                number: cell("change").unsigned(row.change)?,
                time: cell("time").time(row.time)?,
            },
            event,
        })
    }
}

impl Tx {
    /// How much happened: the number of the newest change.
    pub async fn participant_changes(&mut self) -> Result<u64, StorageError> {
        let count: i64 = on_engine!(self, conn => sqlx::query_scalar(COUNT).fetch_one(conn).await)?;
        Cell { table: "participant_change", column: "number", row: &count }.unsigned(count)
    }

    /// What happened behind a place, in order.
    pub async fn participant_changes_after(
        &mut self,
        after: u64,
        limit: u32,
    ) -> Result<Vec<ParticipantChange>, StorageError> {
        let after = signed("change", after)?;
        let rows: Vec<ChangeRow> = on_engine!(self, conn => sqlx::query_as(AFTER)
            .bind(after).bind(i64::from(limit)).fetch_all(conn).await)?;
        rows.into_iter().map(ParticipantChange::try_from).collect()
    }

    /// Notes that a character was created.
    pub(super) async fn note_created(&mut self, handle: &Handle) -> Result<(), StorageError> {
        on_engine!(self, conn => sqlx::query(CREATED)
            .bind(handle.folded()).execute(conn).await.map(drop))?;
        Ok(())
    }

    /// Notes that a character was removed; `character` and `change` are as they stand in the columns, like `time`.
    pub(super) async fn note_removed(
        &mut self,
        character: i64,
        change: i64,
        time: i64,
    ) -> Result<(), StorageError> {
        on_engine!(self, conn => sqlx::query(REMOVED)
            .bind(character).bind(change).bind(time).execute(conn).await.map(drop))?;
        Ok(())
    }

    /// Notes that a wallet was linked.
    pub(super) async fn note_linked(
        &mut self,
        character: i64,
        account: AccountId,
        (change, time): (i64, i64),
    ) -> Result<(), StorageError> {
        let chain = signed("chain", account.chain.0)?;
        on_engine!(self, conn => sqlx::query(LINKED)
            .bind(character)
            .bind(change)
            .bind(time)
            .bind(chain)
            .bind(account.address.as_slice())
            .execute(conn).await.map(drop))?;
        Ok(())
    }

    /// Notes that the links of a character ended that were ended by a change.
    pub(super) async fn note_unlinked(
        &mut self,
        character: i64,
        change: i64,
    ) -> Result<(), StorageError> {
        on_engine!(self, conn => sqlx::query(UNLINKED)
            .bind(character).bind(change).execute(conn).await.map(drop))?;
        Ok(())
    }
}
