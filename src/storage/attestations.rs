//! The log of what was said: appended to, read in order, and never changed.
//!
//! A record is known by its digest, and may stand here once for each name that signed or sent it: whoever repeats the words of another
//! says them himself, and takes nobody's place.

use std::borrow::Cow;
use std::collections::BTreeMap;

use sqlx::FromRow;

use super::bulk::{Bound, Bulk};
use super::columns::{Cell, signed};
use super::engine::on_engine;
use super::parties::{PartyState, party_columns};
use super::{StorageError, Tx};
use crate::attest::class::IssuerClass;
use crate::attest::envelope::Form;
use crate::rekey::{Rekeying, Role};
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

const LOG_SIZE: &str = "SELECT COALESCE(MAX(seq), 0) FROM attestation";
const RECORD_INSERT: &str = "
    INSERT INTO attestation (seq, digest, record, envelope, form, source, place, issuer, subject, issuer_class,
        claim_type, origin, game, round, said_at, is_dated, received_at, claimed_key, proof, supersedes)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)";
static RECORDS_INSERT: Bulk = Bulk::new(RECORD_INSERT);
const HELD: &str = "SELECT seq, digest, issuer FROM attestation WHERE digest IN ($1)";
static HELD_MANY: Bulk = Bulk::new(HELD);
const CLAIMED: &str = "SELECT claimed_key, seq, digest FROM attestation WHERE claimed_key IN ($1)";
static CLAIMED_MANY: Bulk = Bulk::new(CLAIMED);
const OF_DIGEST: &str =
    select_records!("WHERE a.digest = $1 AND a.issuer > $2 ORDER BY a.digest, a.issuer LIMIT $3");
const OF_SEQ: &str = select_records!("WHERE a.seq = $1");
const ENVELOPE: &str = "SELECT envelope FROM attestation WHERE seq = $1";
const SUPERSEDING: &str = select_records!(
    "WHERE a.supersedes = $1 AND a.issuer = $2 ORDER BY a.supersedes, a.seq LIMIT 1"
);
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

/// A record to append.
#[derive(Clone, Debug)]
pub struct NewRecord<'a> {
    /// Its digest.
    pub digest: Digest,
    /// Its RFC 8785 bytes.
    pub record: &'a [u8],
    /// What was signed, as it came, and its form.
    pub envelope: Option<(&'a [u8], Form)>,
    /// Where it came from.
    pub source: RecordSource,
    /// Where in its source it stood.
    pub place: Option<&'a str>,
    /// The number of the name of who signed or sent it.
    pub issuer: u64,
    /// The number of the name of whom it is about.
    pub subject: u64,
    /// What its issuer was found to be.
    pub issuer_class: Option<IssuerClass>,
    /// The kind of claim.
    pub claim_type: &'a str,
    /// The origin in its context.
    pub origin: Option<&'a str>,
    /// The game in its context.
    pub game: Option<&'a str>,
    /// The round.
    pub round: Option<u64>,
    /// When it was said.
    pub said_at: UnixSeconds,
    /// Whether its issuer gave that time.
    pub is_dated: bool,
    /// When it was received.
    pub received_at: UnixSeconds,
    /// What tells whether another record has the id that its origin gave it: see [`claimed_key`].
    pub claimed_key: i64,
    /// By what the signature counts.
    pub proof: Option<String>,
    /// The record that it replaces.
    pub supersedes: Option<Digest>,
    /// Whom issuer and subject meant, and how sure that is.
    pub parties: [(Rekeying, PartyState); 2],
}

/// What tells records with the same id apart from others: the beginning of a hash of the origin and the id. Two that have it may still
/// have different ids.
#[must_use]
pub fn claimed_key(origin: Option<&str>, id: &str) -> i64 {
    let whole = format!("{}\n{id}", origin.unwrap_or_default());
    let mut first = [0; 8];
    for (to, from) in first.iter_mut().zip(Digest::of(whole.as_bytes()).as_bytes()) {
        *to = *from;
    }
    i64::from_be_bytes(first)
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
struct RecordRow {
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

#[derive(FromRow)]
struct HeldRow {
    seq: i64,
    digest: Vec<u8>,
    issuer: i64,
}

#[derive(FromRow)]
struct ClaimedRow {
    claimed_key: i64,
    seq: i64,
    digest: Vec<u8>,
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

    /// Appends records that are not held yet, each behind the one before it; returns the place of the first.
    pub async fn append_records(&mut self, records: &[NewRecord<'_>]) -> Result<u64, StorageError> {
        let first = self.log_size().await? + 1;
        let numbered = (first..).zip(records);
        let rows = numbered.clone().map(record_columns).collect::<Result<Vec<_>, _>>()?;
        RECORDS_INSERT.write(self, rows.into_iter()).await?;
        let mut rows = Vec::with_capacity(2 * records.len());
        for (seq, record) in numbered {
            for ((role, name), (rekeying, state)) in
                [(Role::Issuer, record.issuer), (Role::Subject, record.subject)]
                    .into_iter()
                    .zip(&record.parties)
            {
                rows.push((name, record.said_at, seq, role, *rekeying, *state));
            }
        }
        // In the order of the keys, neighbours meet in memory.
        rows.sort_unstable_by_key(|(name, said_at, seq, role, ..)| (*name, *said_at, *seq, *role));
        let rows = rows.iter().map(party_columns).collect::<Result<Vec<_>, _>>()?;
        super::parties::PARTIES_INSERT.write(self, rows.into_iter()).await?;
        Ok(first)
    }

    /// Where records of some digests are held, by digest and the number of the issuer's name.
    pub async fn held_records(
        &mut self,
        digests: &[Digest],
    ) -> Result<BTreeMap<(Digest, u64), u64>, StorageError> {
        let mut rest = digests;
        let mut held = BTreeMap::new();
        while let Some((sql, length)) = HELD_MANY.fitting(self, rest.len()) {
            let (part, later) = rest.split_at(length);
            rest = later;
            let rows: Vec<HeldRow> = on_engine!(self, conn => {
                let mut select = sqlx::query_as(sql);
                for digest in part {
                    select = select.bind(digest.as_bytes().as_slice());
                }
                select.fetch_all(conn).await
            })?;
            for row in rows {
                let cell = |column| Cell { table: "attestation", column, row: &row.seq };
                let digest = Digest(cell("digest").hash(&row.digest)?);
                let issuer = cell("issuer").unsigned(row.issuer)?;
                held.insert((digest, issuer), cell("seq").unsigned(row.seq)?);
            }
        }
        Ok(held)
    }

    /// The records that have one of some keys of [`claimed_key`], with their digests; the oldest few of each.
    pub async fn claimed(
        &mut self,
        keys: &[i64],
    ) -> Result<BTreeMap<i64, Vec<(u64, Digest)>>, StorageError> {
        let mut rest = keys;
        let mut found: BTreeMap<i64, Vec<(u64, Digest)>> = BTreeMap::new();
        while let Some((sql, length)) = CLAIMED_MANY.fitting(self, rest.len()) {
            let (part, later) = rest.split_at(length);
            rest = later;
            let rows: Vec<ClaimedRow> = on_engine!(self, conn => {
                let mut select = sqlx::query_as(sql);
                for key in part {
                    select = select.bind(*key);
                }
                select.fetch_all(conn).await
            })?;
            for row in rows {
                let cell = |column| Cell { table: "attestation", column, row: &row.seq };
                let digest = Digest(cell("digest").hash(&row.digest)?);
                let seq = cell("seq").unsigned(row.seq)?;
                found.entry(row.claimed_key).or_default().push((seq, digest));
            }
        }
        Ok(found)
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

fn record_columns<'a>(
    (seq, record): (u64, &'a NewRecord<'a>),
) -> Result<[Bound<'a>; 20], StorageError> {
    let text = |text: Option<&'a str>| Bound::Text(text.map(Cow::Borrowed));
    let (envelope, form) = record.envelope.unzip();
    Ok([
        Bound::number(signed("record", seq)?),
        Bound::bytes(record.digest.as_bytes().to_vec()),
        Bound::bytes(record.record),
        Bound::Bytes(envelope.map(Cow::Borrowed)),
        text(form.map(Form::as_str)),
        Bound::text(record.source.as_str()),
        text(record.place),
        Bound::number(signed("name", record.issuer)?),
        Bound::number(signed("name", record.subject)?),
        text(record.issuer_class.map(IssuerClass::as_str)),
        Bound::text(record.claim_type),
        text(record.origin),
        text(record.game),
        Bound::Number(record.round.map(|round| signed("round", round)).transpose()?),
        Bound::number(signed("time", record.said_at.get())?),
        Bound::number(i64::from(record.is_dated)),
        Bound::number(signed("time", record.received_at.get())?),
        Bound::number(record.claimed_key),
        text(record.proof.as_deref()),
        Bound::Bytes(record.supersedes.map(|digest| digest.as_bytes().to_vec().into())),
    ])
}
