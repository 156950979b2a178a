//! The log of what was said, read in its order. `appending` is how it grows.
//!
//! A record is known by its digest, and may stand here once for each name that signed or sent it: whoever repeats the words of another
//! says them himself, and takes nobody's place.

use sqlx::FromRow;

use super::columns::{Cell, signed};
use super::engine::on_engine;
use super::{StorageError, Tx};
use crate::attest::class::IssuerClass;
use crate::attest::envelope::Form;
use crate::rekey::Role;
use crate::vocab::{AgentId, Digest, UnixSeconds};

/// The columns of a record, without its bytes.
macro_rules! select_records {
    ($rest:literal) => {
        concat!(
            "SELECT a.seq, a.digest, a.record, a.form, a.source, a.place, a.issuer, a.subject, a.issuer_class,
                    a.claim_type, a.origin, a.game, a.round, a.said_at, a.is_dated, a.received_at, a.proof, a.supersedes
             FROM attestation a ",
            $rest
        )
    };
}
pub(super) use select_records;

const LOG_SIZE: &str = "SELECT COALESCE(MAX(seq), 0) FROM attestation";
const OF_DIGEST: &str =
    select_records!("WHERE a.digest = $1 AND a.issuer > $2 ORDER BY a.digest, a.issuer LIMIT $3");
const OF_DIGEST_BY: &str = select_records!("WHERE a.digest = $1 AND a.issuer = $2");
const LINKING: &str = select_records!(
    "WHERE a.issuer = $1 AND a.subject = $2 AND a.claim_type = 'identity.link' LIMIT 1"
);
const OF_SEQ: &str = select_records!("WHERE a.seq = $1");
const ENVELOPE: &str = "SELECT envelope FROM attestation WHERE seq = $1";
const SUPERSEDING: &str = select_records!(
    "WHERE a.supersedes = $1 AND a.issuer = $2 ORDER BY a.supersedes, a.seq LIMIT 1"
);
/// The first of some that have the same id: whoever repeats one a thousand times makes the question no longer.
const SHARING_ID: &str = "SELECT MIN(counted.seq) FROM
    (SELECT seq FROM attestation WHERE claimed_key = $1 AND digest <> $2 AND source <> 'chain' LIMIT 32) AS counted";
const AFTER: &str = select_records!("WHERE a.seq > $1 ORDER BY a.seq LIMIT $2");
const AFTER_BY_ISSUER: &str =
    select_records!("WHERE a.issuer = $1 AND a.seq > $2 ORDER BY a.issuer, a.seq LIMIT $3");
const AFTER_BY_GAME: &str =
    select_records!("WHERE a.game = $1 AND a.seq > $2 ORDER BY a.game, a.seq LIMIT $3");
const AFTER_BY_TYPE: &str =
    select_records!("WHERE a.claim_type = $1 AND a.seq > $2 ORDER BY a.claim_type, a.seq LIMIT $3");
const AFTER_BY_AGENT: &str = select_records!(
    "JOIN party p ON p.seq = a.seq
     WHERE p.agent = $1 AND p.role = $2 AND p.state > 0 AND p.seq > $3
     ORDER BY p.agent, p.role, p.seq LIMIT $4"
);

/// Where a record came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RecordSource {
    /// Its issuer signed it.
    Signed,
    /// An origin sent it with its token.
    Origin,
    /// It was read from an origin's public log.
    Relay,
    /// It was read from the chain.
    Chain,
    /// This service signed it.
    Issued,
}

impl RecordSource {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Signed, Self::Origin, Self::Relay, Self::Chain, Self::Issued];

    /// The word for it in storage and answers.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Signed => "signed",
            Self::Origin => "origin",
            Self::Relay => "relay",
            Self::Chain => "chain",
            Self::Issued => "issued",
        }
    }

    fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|source| source.as_str() == word)
    }
}

/// A record in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredRecord {
    /// Its place.
    pub seq: u64,
    /// Its digest.
    pub digest: Digest,
    /// Its RFC 8785 bytes.
    pub record: Vec<u8>,
    /// The form of its envelope, where it was signed.
    pub form: Option<Form>,
    /// Where it came from.
    pub source: RecordSource,
    /// Where in its source.
    pub place: Option<String>,
    /// The number of the name of who signed or sent it.
    pub issuer: u64,
    /// The number of the name of its subject.
    pub subject: u64,
    /// `System` or `Plugin` where it was found to be one; whether it is an agent follows from whom it meant.
    pub issuer_class: Option<IssuerClass>,
    /// The kind of claim.
    pub claim_type: String,
    /// The origin in its context.
    pub origin: Option<String>,
    /// The game in its context.
    pub game: Option<String>,
    /// The round.
    pub round: Option<u64>,
    /// When it was said.
    pub said_at: UnixSeconds,
    /// Whether its issuer gave that time.
    pub is_dated: bool,
    /// When it was received.
    pub received_at: UnixSeconds,
    /// By what the signature counts, as JSON.
    pub proof: Option<String>,
    /// The record that it replaces.
    pub supersedes: Option<Digest>,
}

/// By which index the log is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordsBy<'a> {
    /// All of it.
    Seq,
    /// What a name signed or sent.
    Issuer(u64),
    /// What was said in a game.
    Game(&'a str),
    /// Claims of one kind.
    ClaimType(&'a str),
    /// What an agent said, or what was said of it.
    Agent(AgentId, Role),
}

#[derive(FromRow)]
pub(super) struct RecordRow {
    seq: i64,
    digest: Vec<u8>,
    record: Vec<u8>,
    form: Option<String>,
    source: String,
    place: Option<String>,
    issuer: i64,
    subject: i64,
    issuer_class: Option<String>,
    claim_type: String,
    origin: Option<String>,
    game: Option<String>,
    round: Option<i64>,
    said_at: i64,
    is_dated: i64,
    received_at: i64,
    proof: Option<String>,
    supersedes: Option<Vec<u8>>,
}

impl TryFrom<RecordRow> for StoredRecord {
    type Error = StorageError;

    fn try_from(row: RecordRow) -> Result<Self, StorageError> {
        let cell = |column| Cell { table: "attestation", column, row: &row.seq };
        let digest = |column, bytes: &[u8]| cell(column).hash(bytes).map(Digest);
        let class = row
            .issuer_class
            .as_deref()
            .map(|word| IssuerClass::from_word(word).ok_or_else(|| cell("issuer_class").wrong()));
        let form = row.form.as_deref();
        let form = form.map(|word| Form::from_word(word).ok_or_else(|| cell("form").wrong()));
        Ok(Self {
            seq: cell("seq").unsigned(row.seq)?,
            digest: digest("digest", &row.digest)?,
            form: form.transpose()?,
            source: RecordSource::from_word(&row.source).ok_or_else(|| cell("source").wrong())?,
            issuer: cell("issuer").unsigned(row.issuer)?,
            subject: cell("subject").unsigned(row.subject)?,
            issuer_class: class.transpose()?,
            claim_type: row.claim_type,
            origin: row.origin,
            game: row.game,
            round: row.round.map(|round| cell("round").unsigned(round)).transpose()?,
            said_at: cell("said_at").time(row.said_at)?,
            is_dated: row.is_dated != 0,
            received_at: cell("received_at").time(row.received_at)?,
            supersedes: row.supersedes.as_deref().map(|d| digest("supersedes", d)).transpose()?,
            record: row.record,
            place: row.place,
            proof: row.proof,
        })
    }
}

impl Tx {
    /// How many records the log has: the number of the newest.
    pub async fn log_size(&mut self) -> Result<u64, StorageError> {
        let size: i64 =
            on_engine!(self, conn => sqlx::query_scalar(LOG_SIZE).fetch_one(conn).await)?;
        Cell { table: "attestation", column: "seq", row: &size }.unsigned(size)
    }

    /// The records of a digest, one for each name that signed or sent it, behind the one of a name's number.
    pub async fn records_of_digest(
        &mut self,
        digest: Digest,
        after_issuer: u64,
        limit: u32,
    ) -> Result<Vec<StoredRecord>, StorageError> {
        let after = signed("name", after_issuer)?;
        let rows: Vec<RecordRow> = on_engine!(self, conn => sqlx::query_as(OF_DIGEST)
            .bind(digest.as_bytes().as_slice()).bind(after).bind(i64::from(limit))
            .fetch_all(conn).await)?;
        rows.into_iter().map(StoredRecord::try_from).collect()
    }

    /// The record of a digest that a name signed or sent.
    pub async fn record_by(
        &mut self,
        digest: Digest,
        issuer: u64,
    ) -> Result<Option<StoredRecord>, StorageError> {
        let issuer = signed("name", issuer)?;
        let row: Option<RecordRow> = on_engine!(self, conn => sqlx::query_as(OF_DIGEST_BY)
            .bind(digest.as_bytes().as_slice()).bind(issuer).fetch_optional(conn).await)?;
        row.map(StoredRecord::try_from).transpose()
    }

    /// A record in which a name says of another that it is the same actor.
    pub async fn linking_record(
        &mut self,
        issuer: u64,
        subject: u64,
    ) -> Result<Option<StoredRecord>, StorageError> {
        let (issuer, subject) = (signed("name", issuer)?, signed("name", subject)?);
        let row: Option<RecordRow> = on_engine!(self, conn => sqlx::query_as(LINKING)
            .bind(issuer).bind(subject).fetch_optional(conn).await)?;
        row.map(StoredRecord::try_from).transpose()
    }

    /// The record at a place of the log.
    pub async fn record_at(&mut self, seq: u64) -> Result<Option<StoredRecord>, StorageError> {
        let Ok(seq) = i64::try_from(seq) else { return Ok(None) };
        let row: Option<RecordRow> = on_engine!(self, conn => sqlx::query_as(OF_SEQ)
            .bind(seq).fetch_optional(conn).await)?;
        row.map(StoredRecord::try_from).transpose()
    }

    /// The envelope of a record, byte for byte; `None` where it was not signed.
    pub async fn envelope_of(&mut self, seq: u64) -> Result<Option<Vec<u8>>, StorageError> {
        let seq = signed("record", seq)?;
        let found: Option<Option<Vec<u8>>> = on_engine!(self, conn => sqlx::query_scalar(ENVELOPE)
            .bind(seq).fetch_optional(conn).await)?;
        Ok(found.flatten())
    }

    /// The first later record by which the same issuer replaced one.
    pub async fn superseding(
        &mut self,
        digest: Digest,
        issuer: u64,
    ) -> Result<Option<StoredRecord>, StorageError> {
        let issuer = signed("name", issuer)?;
        let row: Option<RecordRow> = on_engine!(self, conn => sqlx::query_as(SUPERSEDING)
            .bind(digest.as_bytes().as_slice()).bind(issuer).fetch_optional(conn).await)?;
        row.map(StoredRecord::try_from).transpose()
    }

    /// Where another record with the id that a record's origin gave it stands, by its key of [`claimed_key`](super::claimed_key); the first
    /// of some of them. Ids of the chain's records are places, and are no other's.
    pub async fn sharing_id(
        &mut self,
        claimed_key: i64,
        digest: Digest,
    ) -> Result<Option<u64>, StorageError> {
        let seq: Option<i64> = on_engine!(self, conn => sqlx::query_scalar(SHARING_ID)
            .bind(claimed_key).bind(digest.as_bytes().as_slice()).fetch_one(conn).await)?;
        seq.map(|seq| Cell { table: "attestation", column: "seq", row: &seq }.unsigned(seq))
            .transpose()
    }

    /// The records behind a place of the log, in its order.
    pub async fn records_after(
        &mut self,
        by: RecordsBy<'_>,
        after: u64,
        limit: u32,
    ) -> Result<Vec<StoredRecord>, StorageError> {
        let (after, limit) = (i64::try_from(after).unwrap_or(i64::MAX), i64::from(limit));
        let rows: Vec<RecordRow> = match by {
            RecordsBy::Seq => on_engine!(self, conn => sqlx::query_as(AFTER)
                .bind(after).bind(limit).fetch_all(conn).await)?,
            RecordsBy::Issuer(name) => {
                let name = signed("name", name)?;
                on_engine!(self, conn => sqlx::query_as(AFTER_BY_ISSUER)
                    .bind(name).bind(after).bind(limit).fetch_all(conn).await)?
            }
            RecordsBy::Game(game) => on_engine!(self, conn => sqlx::query_as(AFTER_BY_GAME)
                .bind(game).bind(after).bind(limit).fetch_all(conn).await)?,
            RecordsBy::ClaimType(kind) => on_engine!(self, conn => sqlx::query_as(AFTER_BY_TYPE)
                .bind(kind).bind(after).bind(limit).fetch_all(conn).await)?,
            RecordsBy::Agent(agent, role) => {
                let agent = super::columns::agent_text(agent);
                let role = super::parties::role_number(role);
                on_engine!(self, conn => sqlx::query_as(AFTER_BY_AGENT)
                    .bind(agent).bind(role).bind(after).bind(limit).fetch_all(conn).await)?
            }
        };
        rows.into_iter().map(StoredRecord::try_from).collect()
    }
}
