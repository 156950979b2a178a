//! Which wallets a character has and had, with the signature that says so of each.
//!
//! Rows are only added and ended, never taken away. What was signed is kept byte for byte, so that anybody can check it again.

use alloy::primitives::Bytes;
use sqlx::FromRow;

use super::columns::{Cell, signed};
use super::engine::on_engine;
use super::{StorageError, Tx};
use crate::attest::wallet::SignedBy;
use crate::did::{Change, WalletLink};
use crate::vocab::{AccountId, BlockRef, ChainId};

const WALLET_LINK: &str = "
    INSERT INTO character_wallet (character_id, from_change, from_time, chain, address, signed_by, block,
        block_hash, message, signature)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
const WALLET_UNLINK: &str = "
    UPDATE character_wallet SET to_change = $4, to_time = $5, ended_by = $6
    WHERE character_id = $1 AND address = $2 AND chain = $3 AND to_change IS NULL";
const WALLETS_UNLINK: &str = "
    UPDATE character_wallet SET to_change = $2, to_time = $3, ended_by = 'removal'
    WHERE character_id = $1 AND to_change IS NULL";
const WALLETS_ALL: &str = "
    SELECT character_id, chain, address, from_change, from_time, to_change, to_time
    FROM character_wallet WHERE character_id = $1 ORDER BY from_change";
const WALLETS_PAGE: &str = "
    SELECT character_id, chain, address, from_change, from_time, to_change, to_time, ended_by, signed_by,
        block, block_hash, message, signature
    FROM character_wallet WHERE character_id = $1 AND from_change > $2 ORDER BY from_change LIMIT $3";
const WALLETS_OF_ACCOUNT: &str = "
    SELECT character_id, chain, address, from_change, from_time, to_change, to_time, ended_by, signed_by,
        block, block_hash, message, signature
    FROM character_wallet
    WHERE address = $1 AND chain = $2 AND (character_id, from_change) > ($3, $4)
    ORDER BY character_id, from_change LIMIT $5";

/// Why a wallet is no longer a character's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnlinkedBy {
    /// Whoever manages the character said so.
    Character,
    /// The wallet itself did, by its signature.
    Wallet,
    /// The character was removed.
    Removal,
}

impl UnlinkedBy {
    const ALL: [Self; 3] = [Self::Character, Self::Wallet, Self::Removal];

    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Character => "character",
            Self::Wallet => "wallet",
            Self::Removal => "removal",
        }
    }

    /// The end of a word.
    pub(super) fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|by| by.as_str() == word)
    }
}

/// What proves a link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkEvidence {
    /// By what the wallet signed.
    pub signed_by: SignedBy,
    /// What it signed: a message of EIP-4361.
    pub message: String,
    /// Its signature.
    pub signature: Bytes,
}

/// A link with what proves it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProvenLink {
    /// The character's number.
    pub character: u64,
    /// The wallet, and from when to when.
    pub link: WalletLink,
    /// Why it ended, if it did.
    pub ended_by: Option<UnlinkedBy>,
    /// What proves it.
    pub evidence: LinkEvidence,
}

#[derive(FromRow)]
struct LinkRow {
    character_id: i64,
    chain: i64,
    address: Vec<u8>,
    from_change: i64,
    from_time: i64,
    to_change: Option<i64>,
    to_time: Option<i64>,
}

impl TryFrom<&LinkRow> for WalletLink {
    type Error = StorageError;

    fn try_from(row: &LinkRow) -> Result<Self, StorageError> {
        let cell = |column| Cell { table: "character_wallet", column, row: &row.character_id };
        let account = AccountId {
            chain: ChainId(cell("chain").unsigned(row.chain)?),
            address: cell("address").address(&row.address)?,
        };
        let change = |(number, time)| {
            let number = cell("from_change").unsigned(number)?;
            Ok::<_, StorageError>(Change { number, time: cell("from_time").time(time)? })
        };
        let from = change((row.from_change, row.from_time))?;
        Ok(Self { account, from, to: row.to_change.zip(row.to_time).map(change).transpose()? })
    }
}

#[derive(FromRow)]
struct ProvenRow {
    #[sqlx(flatten)]
    link: LinkRow,
    ended_by: Option<String>,
    signed_by: String,
    block: Option<i64>,
    block_hash: Option<Vec<u8>>,
    message: String,
    signature: Vec<u8>,
}

impl TryFrom<ProvenRow> for ProvenLink {
    type Error = StorageError;

    fn try_from(row: ProvenRow) -> Result<Self, StorageError> {
        let cell = |column| Cell { table: "character_wallet", column, row: &row.link.character_id };
        let block = row.block.zip(row.block_hash.as_deref()).map(|(number, hash)| {
            let number = cell("block").unsigned(number)?;
            Ok::<_, StorageError>(BlockRef { number, hash: cell("block_hash").hash(hash)? })
        });
        let signed_by = SignedBy::from_word(&row.signed_by, block.transpose()?);
        let ended_by = row
            .ended_by
            .as_deref()
            .map(|word| UnlinkedBy::from_word(word).ok_or_else(|| cell("ended_by").wrong()));
        Ok(Self {
            character: cell("character_id").unsigned(row.link.character_id)?,
            link: WalletLink::try_from(&row.link)?,
            ended_by: ended_by.transpose()?,
            evidence: LinkEvidence {
                signed_by: signed_by.ok_or_else(|| cell("signed_by").wrong())?,
                message: row.message,
                signature: row.signature.into(),
            },
        })
    }
}

impl Tx {
    /// Links a wallet to a character that it is not linked to.
    pub async fn link_wallet(
        &mut self,
        character: u64,
        account: AccountId,
        change: Change,
        evidence: &LinkEvidence,
    ) -> Result<(), StorageError> {
        let (id, number) = (signed("character", character)?, signed("change", change.number)?);
        let time = signed("time", change.time.get())?;
        let chain = signed("chain", account.chain.0)?;
        let block = evidence.signed_by.block();
        let block_number = block.map(|block| signed("block number", block.number)).transpose()?;
        on_engine!(self, conn => sqlx::query(WALLET_LINK)
            .bind(id)
            .bind(number)
            .bind(time)
            .bind(chain)
            .bind(account.address.as_slice())
            .bind(evidence.signed_by.as_str())
            .bind(block_number)
            .bind(block.as_ref().map(|block| block.hash.as_slice()))
            .bind(evidence.message.as_str())
            .bind(evidence.signature.as_ref())
            .execute(conn).await.map(drop))?;
        self.note_linked(id, account, (number, time)).await
    }

    /// Takes a wallet away from a character; says whether it was linked.
    pub async fn unlink_wallet(
        &mut self,
        character: u64,
        account: AccountId,
        change: Change,
        by: UnlinkedBy,
    ) -> Result<bool, StorageError> {
        let (id, number) = (signed("character", character)?, signed("change", change.number)?);
        let time = signed("time", change.time.get())?;
        let chain = signed("chain", account.chain.0)?;
        let count = on_engine!(self, conn => sqlx::query(WALLET_UNLINK)
            .bind(id)
            .bind(account.address.as_slice())
            .bind(chain)
            .bind(number)
            .bind(time)
            .bind(by.as_str())
            .execute(conn).await.map(|done| done.rows_affected()))?;
        self.note_unlinked(id, number).await?;
        Ok(count == 1)
    }

    /// Takes all wallets away from a character that is removed.
    pub async fn unlink_wallets(
        &mut self,
        character: u64,
        change: Change,
    ) -> Result<(), StorageError> {
        let (id, number) = (signed("character", character)?, signed("change", change.number)?);
        let time = signed("time", change.time.get())?;
        on_engine!(self, conn => sqlx::query(WALLETS_UNLINK)
            .bind(id).bind(number).bind(time).execute(conn).await.map(drop))?;
        self.note_unlinked(id, number).await
    }

    /// Every link of a character, by the change that made it; how many there can be is bounded where they are made.
    pub async fn wallet_links(&mut self, character: u64) -> Result<Vec<WalletLink>, StorageError> {
        let id = signed("character", character)?;
        let rows: Vec<LinkRow> = on_engine!(self, conn => sqlx::query_as(WALLETS_ALL)
            .bind(id).fetch_all(conn).await)?;
        rows.iter().map(WalletLink::try_from).collect()
    }

    /// The links of a character that were made after a change, in order, with what proves them.
    pub async fn proven_links(
        &mut self,
        character: u64,
        after: u64,
        limit: u32,
    ) -> Result<Vec<ProvenLink>, StorageError> {
        let (id, after) = (signed("character", character)?, signed("change", after)?);
        let rows: Vec<ProvenRow> = on_engine!(self, conn => sqlx::query_as(WALLETS_PAGE)
            .bind(id).bind(after).bind(i64::from(limit)).fetch_all(conn).await)?;
        rows.into_iter().map(ProvenLink::try_from).collect()
    }

    /// The links of an account, by character and then by change, behind one of them.
    pub async fn links_of_account(
        &mut self,
        account: AccountId,
        after: (u64, u64),
        limit: u32,
    ) -> Result<Vec<ProvenLink>, StorageError> {
        let chain = signed("chain", account.chain.0)?;
        let (id, number) = (signed("character", after.0)?, signed("change", after.1)?);
        let rows: Vec<ProvenRow> = on_engine!(self, conn => sqlx::query_as(WALLETS_OF_ACCOUNT)
            .bind(account.address.as_slice())
            .bind(chain)
            .bind(id)
            .bind(number)
            .bind(i64::from(limit))
            .fetch_all(conn).await)?;
        rows.into_iter().map(ProvenLink::try_from).collect()
    }
}
