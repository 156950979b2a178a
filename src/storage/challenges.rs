//! Challenges that wallets are to sign, and invitations: what is of use once, and only for a while.
//!
//! Using one is a single statement, so that of two who use it at a time one is refused, whichever process they ask.

use alloy::primitives::B256;
use sqlx::FromRow;

use super::columns::{Cell, signed};
use super::engine::on_engine;
use super::{StorageError, Tx};
use crate::attest::siwe::Purpose;
use crate::vocab::{AccountId, ChainId, UnixSeconds};

const CHALLENGE_INSERT: &str = "
    INSERT INTO wallet_challenge (nonce, character_id, chain, address, purpose, message, expires_at, attempts)
    VALUES ($1, $2, $3, $4, $5, $6, $7, 0)";
const CHALLENGE_OF: &str = "
    SELECT nonce, character_id, chain, address, purpose, message, expires_at, attempts, used_at
    FROM wallet_challenge WHERE nonce = $1";
const CHALLENGE_TRY: &str = "
    UPDATE wallet_challenge SET attempts = attempts + 1
    WHERE nonce = $1 AND used_at IS NULL AND attempts < $2";
const CHALLENGE_UNTRY: &str = "
    UPDATE wallet_challenge SET attempts = attempts - 1 WHERE nonce = $1 AND attempts > 0";
const CHALLENGE_USE: &str = "
    UPDATE wallet_challenge SET used_at = $2
    WHERE nonce = $1 AND used_at IS NULL AND expires_at > $2";
const CHALLENGE_WAITING: &str = "
    SELECT nonce, character_id, chain, address, purpose, message, expires_at, attempts, used_at
    FROM wallet_challenge
    WHERE character_id = $1 AND expires_at > $2 AND expires_at <= $3 AND chain = $4 AND address = $5
        AND purpose = $6 AND used_at IS NULL
    ORDER BY expires_at DESC, nonce DESC LIMIT 1";
const CHALLENGES_CROWDED: &str = "
    DELETE FROM wallet_challenge
    WHERE character_id = $1 AND expires_at > $2 AND purpose = $3 AND used_at IS NULL
        AND (expires_at, nonce) <= (
            SELECT expires_at, nonce FROM wallet_challenge
            WHERE character_id = $1 AND expires_at > $2 AND purpose = $3 AND used_at IS NULL
            ORDER BY expires_at DESC, nonce DESC LIMIT 1 OFFSET $4)";
const CHALLENGES_WITHDRAW: &str = "
    DELETE FROM wallet_challenge WHERE expires_at > $1 AND character_id = $2 AND used_at IS NULL";
const CHALLENGES_FORGET: &str = "DELETE FROM wallet_challenge WHERE expires_at <= $1";
const INVITATION_INSERT: &str = "INSERT INTO invitation (hash, expires_at) VALUES ($1, $2)";
const INVITATION_OF: &str = "SELECT hash, expires_at, used_at FROM invitation WHERE hash = $1";
const INVITATION_USE: &str = "
    UPDATE invitation SET used_at = $2 WHERE hash = $1 AND used_at IS NULL AND expires_at > $2";
const INVITATIONS_FORGET: &str = "DELETE FROM invitation WHERE expires_at <= $1";

/// A challenge that was given out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GivenChallenge {
    /// What tells it from all others.
    pub nonce: String,
    /// The character that it is about.
    pub character: u64,
    /// Whose signature is wanted.
    pub account: AccountId,
    /// What signing it does.
    pub purpose: Purpose,
    /// The text to be signed, byte for byte.
    pub message: String,
    /// From when on it counts no more.
    pub expires: UnixSeconds,
    /// How many signatures were looked at for it.
    pub attempts: u64,
    /// When it was used, if it was.
    pub used: Option<UnixSeconds>,
}

/// An invitation to create a character.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Invitation {
    /// SHA-256 of it.
    pub hash: B256,
    /// From when on it counts no more.
    pub expires: UnixSeconds,
    /// When it was used, if it was.
    pub used: Option<UnixSeconds>,
}

#[derive(FromRow)]
struct ChallengeRow {
    nonce: String,
    character_id: i64,
    chain: i64,
    address: Vec<u8>,
    purpose: String,
    message: String,
    expires_at: i64,
    attempts: i64,
    used_at: Option<i64>,
}

impl TryFrom<ChallengeRow> for GivenChallenge {
    type Error = StorageError;

    fn try_from(row: ChallengeRow) -> Result<Self, StorageError> {
        let cell = |column| Cell { table: "wallet_challenge", column, row: &row.nonce };
        Ok(Self {
            character: cell("character_id").unsigned(row.character_id)?,
            account: AccountId {
                chain: ChainId(cell("chain").unsigned(row.chain)?),
                address: cell("address").address(&row.address)?,
            },
            purpose: Purpose::from_word(&row.purpose).ok_or_else(|| cell("purpose").wrong())?,
            message: row.message.clone(),
            expires: cell("expires_at").time(row.expires_at)?,
            attempts: cell("attempts").unsigned(row.attempts)?,
            used: row.used_at.map(|time| cell("used_at").time(time)).transpose()?,
            nonce: row.nonce.clone(),
        })
    }
}

#[derive(FromRow)]
struct InvitationRow {
    hash: Vec<u8>,
    expires_at: i64,
    used_at: Option<i64>,
}

impl TryFrom<InvitationRow> for Invitation {
    type Error = StorageError;

    fn try_from(row: InvitationRow) -> Result<Self, StorageError> {
        let cell = |column| Cell { table: "invitation", column, row: &row.expires_at };
        Ok(Self {
            hash: cell("hash").hash(&row.hash)?,
            expires: cell("expires_at").time(row.expires_at)?,
            used: row.used_at.map(|time| cell("used_at").time(time)).transpose()?,
        })
    }
}

impl Tx {
    /// Keeps a challenge that is given out; it was never tried nor used.
    pub async fn insert_challenge(&mut self, given: &GivenChallenge) -> Result<(), StorageError> {
        let id = signed("character", given.character)?;
        let chain = signed("chain", given.account.chain.0)?;
        let expires = signed("time", given.expires.get())?;
        on_engine!(self, conn => sqlx::query(CHALLENGE_INSERT)
            .bind(given.nonce.as_str())
            .bind(id)
            .bind(chain)
            .bind(given.account.address.as_slice())
            .bind(given.purpose.as_str())
            .bind(given.message.as_str())
            .bind(expires)
            .execute(conn).await.map(drop))?;
        Ok(())
    }

    /// The challenge with a nonce, also one that was used or has expired, until it is forgotten.
    pub async fn challenge(&mut self, nonce: &str) -> Result<Option<GivenChallenge>, StorageError> {
        let row: Option<ChallengeRow> = on_engine!(self, conn => sqlx::query_as(CHALLENGE_OF)
            .bind(nonce).fetch_optional(conn).await)?;
        row.map(GivenChallenge::try_from).transpose()
    }

    /// Counts a signature that is looked at for a challenge; says whether it may be: there may be `max`, and none once it was used.
    pub async fn try_challenge(&mut self, nonce: &str, max: u32) -> Result<bool, StorageError> {
        let count = on_engine!(self, conn => sqlx::query(CHALLENGE_TRY)
            .bind(nonce)
            .bind(i64::from(max))
            .execute(conn).await.map(|done| done.rows_affected()))?;
        Ok(count == 1)
    }

    /// Takes back what [`try_challenge`](Self::try_challenge) counted: the signature was not looked at after all.
    pub async fn untry_challenge(&mut self, nonce: &str) -> Result<(), StorageError> {
        on_engine!(self, conn => sqlx::query(CHALLENGE_UNTRY)
            .bind(nonce).execute(conn).await.map(drop))?;
        Ok(())
    }

    /// Uses a challenge; says whether it was still of use.
    pub async fn use_challenge(
        &mut self,
        nonce: &str,
        now: UnixSeconds,
    ) -> Result<bool, StorageError> {
        let now = signed("time", now.get())?;
        let count = on_engine!(self, conn => sqlx::query(CHALLENGE_USE)
            .bind(nonce).bind(now).execute(conn).await.map(|done| done.rows_affected()))?;
        Ok(count == 1)
    }

    /// The newest challenge about a character that is still of use, of those for an account and a purpose that expire after one time and
    /// not after another.
    pub async fn challenge_waiting(
        &mut self,
        character: u64,
        account: AccountId,
        purpose: Purpose,
        expires: (UnixSeconds, UnixSeconds),
    ) -> Result<Option<GivenChallenge>, StorageError> {
        let (id, chain) = (signed("character", character)?, signed("chain", account.chain.0)?);
        let after = signed("time", expires.0.get())?;
        let until = signed("time", expires.1.get())?;
        let row: Option<ChallengeRow> = on_engine!(self, conn => sqlx::query_as(CHALLENGE_WAITING)
            .bind(id).bind(after).bind(until).bind(chain).bind(account.address.as_slice())
            .bind(purpose.as_str()).fetch_optional(conn).await)?;
        row.map(GivenChallenge::try_from).transpose()
    }

    /// Forgets all but the newest `kept` challenges of a purpose about a character that are still of use.
    pub async fn crowd_out_challenges(
        &mut self,
        character: u64,
        purpose: Purpose,
        kept: u32,
        now: UnixSeconds,
    ) -> Result<(), StorageError> {
        let (id, now) = (signed("character", character)?, signed("time", now.get())?);
        on_engine!(self, conn => sqlx::query(CHALLENGES_CROWDED)
            .bind(id).bind(now).bind(purpose.as_str()).bind(i64::from(kept))
            .execute(conn).await.map(drop))?;
        Ok(())
    }

    /// Forgets every challenge about a character that is still of use. What was used stays, and says so.
    pub async fn withdraw_challenges(
        &mut self,
        character: u64,
        now: UnixSeconds,
    ) -> Result<(), StorageError> {
        let (id, now) = (signed("character", character)?, signed("time", now.get())?);
        on_engine!(self, conn => sqlx::query(CHALLENGES_WITHDRAW)
            .bind(now).bind(id).execute(conn).await.map(drop))?;
        Ok(())
    }

    /// Keeps the hash of an invitation that is given out.
    pub async fn insert_invitation(
        &mut self,
        hash: B256,
        expires: UnixSeconds,
    ) -> Result<(), StorageError> {
        let expires = signed("time", expires.get())?;
        on_engine!(self, conn => sqlx::query(INVITATION_INSERT)
            .bind(hash.as_slice()).bind(expires).execute(conn).await.map(drop))?;
        Ok(())
    }

    /// The invitation with a hash, also one that was used or has expired, until it is forgotten.
    pub async fn invitation(&mut self, hash: B256) -> Result<Option<Invitation>, StorageError> {
        let row: Option<InvitationRow> = on_engine!(self, conn => sqlx::query_as(INVITATION_OF)
            .bind(hash.as_slice()).fetch_optional(conn).await)?;
        row.map(Invitation::try_from).transpose()
    }

    /// Uses an invitation; says whether it was still of use.
    pub async fn use_invitation(
        &mut self,
        hash: B256,
        now: UnixSeconds,
    ) -> Result<bool, StorageError> {
        let now = signed("time", now.get())?;
        let count = on_engine!(self, conn => sqlx::query(INVITATION_USE)
            .bind(hash.as_slice()).bind(now).execute(conn).await.map(|done| done.rows_affected()))?;
        Ok(count == 1)
    }

    /// Forgets challenges and invitations that have expired, whether they were used or not.
    pub async fn forget_expired(&mut self, now: UnixSeconds) -> Result<(), StorageError> {
        let now = signed("time", now.get())?;
        on_engine!(self, conn => sqlx::query(CHALLENGES_FORGET)
            .bind(now).execute(conn).await.map(drop))?;
        on_engine!(self, conn => sqlx::query(INVITATIONS_FORGET)
            .bind(now).execute(conn).await.map(drop))?;
        Ok(())
    }
}
