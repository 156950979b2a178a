//! Records of delegations as they came, found by their digest and by the grant that they are about.
//!
//! A record is known by its digest and names its issuer itself, so each stands here once. `delegation_edges` is what follows from them.

use std::borrow::Cow;
use std::collections::BTreeMap;

use sqlx::FromRow;

use super::bulk::{Bound, Bulk, list_of};
use super::columns::{Cell, signed};
use super::engine::on_engine;
use super::parties::{PARTIES_INSERT, PartyState, new_party};
use super::{StorageError, Tx};
use crate::attest::envelope::Form;
use crate::delegation::Kind;
use crate::rekey::{Rekeying, Role};
use crate::vocab::{BlockRef, Digest, UnixSeconds};

/// The columns of a record; the rest of the statement follows.
macro_rules! select_delegations {
    ($rest:literal) => {
        concat!(
            "SELECT d.number, d.digest, d.kind, d.record, d.envelope, d.form, d.of_grant, d.issuer, d.spoken_by, d.named,
                    d.said_at, d.received_at, d.proof, d.key, d.key_from, d.key_to, d.answered_by, d.answer_block, d.answer_hash
             FROM delegation d ",
            $rest
        )
    };
}

const LAST: &str = "SELECT COALESCE(MAX(number), 0) FROM delegation";
const INSERT: &str = "
    INSERT INTO delegation (number, digest, kind, record, envelope, form, of_grant, issuer, spoken_by, named,
        said_at, received_at, proof, key, key_from, key_to, answered_by, answer_block, answer_hash)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)";
static INSERT_MANY: Bulk = Bulk::new(INSERT);
const BY_DIGEST: &str = select_delegations!("WHERE d.digest IN ($1)");
static BY_DIGESTS: Bulk = Bulk::new(BY_DIGEST);
const BY_NUMBER: &str = select_delegations!("WHERE d.number IN ($1)");
static BY_NUMBERS: Bulk = Bulk::new(BY_NUMBER);
const OF_GRANT_OF_KIND: &str = select_delegations!(
    "WHERE d.of_grant = $1 AND d.kind = $2 ORDER BY d.of_grant, d.kind, d.issuer, d.number LIMIT $3"
);
const OF_GRANT_BY: &str = select_delegations!(
    "WHERE d.of_grant = $1 AND d.kind = $2 AND d.issuer = $3 ORDER BY d.of_grant, d.kind, d.issuer, d.number LIMIT $4"
);
const SIZE_BY: &str = "
    SELECT COUNT(*), CAST(COALESCE(SUM(LENGTH(envelope)), 0) AS BIGINT) FROM delegation
    WHERE of_grant = $1 AND kind = $2 AND issuer = $3";

/// A record to keep.
#[derive(Clone, Debug)]
pub struct NewDelegation<'a> {
    /// Its digest.
    pub digest: Digest,
    /// What it is.
    pub kind: Kind,
    /// Its RFC 8785 bytes.
    pub record: &'a [u8],
    /// What was signed, as it came, and its form.
    pub envelope: (&'a [u8], Form),
    /// The grant whose run it is about; of a grant the one above.
    pub of_grant: Option<Digest>,
    /// The number of its issuer's name.
    pub issuer: u64,
    /// The number of the name of the account that signed for an issuer that is an agent.
    pub spoken_by: Option<u64>,
    /// The number of the name of whom it names: the child of a grant, or of whom a capability is.
    pub named: Option<u64>,
    /// When it was said, by its own word.
    pub said_at: UnixSeconds,
    /// When it was received.
    pub received_at: UnixSeconds,
    /// By what the signature counts, as JSON.
    pub proof: &'a str,
    /// The key that signed, as a Multikey, and since and until when it is known to have been the issuer's.
    pub key: Option<(&'a str, UnixSeconds, Option<UnixSeconds>)>,
    /// How a contract took the signature for its own, and at the end of which block.
    pub answer: Option<(&'a str, BlockRef)>,
    /// Whom its issuer, and whom it names, meant, and how sure that is.
    pub parties: [(Rekeying, PartyState); 2],
}

/// A record as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredDelegation {
    /// Its number, from 1 on in the order in which they came.
    pub number: u64,
    /// Its digest.
    pub digest: Digest,
    /// What it is.
    pub kind: Kind,
    /// Its RFC 8785 bytes.
    pub record: Vec<u8>,
    /// What was signed, as it came.
    pub envelope: Vec<u8>,
    /// The form of the envelope.
    pub form: Form,
    /// The grant whose run it is about; of a grant the one above.
    pub of_grant: Option<Digest>,
    /// The number of its issuer's name.
    pub issuer: u64,
    /// The number of the name of the account that signed for an issuer that is an agent.
    pub spoken_by: Option<u64>,
    /// The number of the name of whom it names.
    pub named: Option<u64>,
    /// When it was said.
    pub said_at: UnixSeconds,
    /// When it was received.
    pub received_at: UnixSeconds,
    /// By what the signature counts, as JSON.
    pub proof: String,
    /// The key that signed, and since and until when it is known to have been the issuer's.
    pub key: Option<(String, UnixSeconds, Option<UnixSeconds>)>,
    /// How a contract took the signature for its own, and at the end of which block.
    pub answer: Option<(String, BlockRef)>,
}

#[derive(FromRow)]
struct DelegationRow {
    number: i64,
    digest: Vec<u8>,
    kind: String,
    record: Vec<u8>,
    envelope: Vec<u8>,
    form: String,
    of_grant: Option<Vec<u8>>,
    issuer: i64,
    spoken_by: Option<i64>,
    named: Option<i64>,
    said_at: i64,
    received_at: i64,
    proof: String,
    key: Option<String>,
    key_from: Option<i64>,
    key_to: Option<i64>,
    answered_by: Option<String>,
    answer_block: Option<i64>,
    answer_hash: Option<Vec<u8>>,
}

impl TryFrom<DelegationRow> for StoredDelegation {
    type Error = StorageError;

    fn try_from(row: DelegationRow) -> Result<Self, StorageError> {
        let cell = |column| Cell { table: "delegation", column, row: &row.number };
        let digest = |column, bytes: &[u8]| cell(column).hash(bytes).map(Digest);
        let number = |column, value: Option<i64>| {
            value.map(|value| cell(column).unsigned(value)).transpose()
        };
        let key = match (row.key, row.key_from) {
            (Some(key), Some(from)) => {
                let to = row.key_to.map(|to| cell("key_to").time(to)).transpose()?;
                Some((key, cell("key_from").time(from)?, to))
            }
            _ => None,
        };
        let answer = match (row.answered_by, row.answer_block, &row.answer_hash) {
            (Some(by), Some(block), Some(hash)) => {
                let number = cell("answer_block").unsigned(block)?;
                Some((by, BlockRef { number, hash: cell("answer_hash").hash(hash)? }))
            }
            _ => None,
        };
        Ok(Self {
            number: cell("number").unsigned(row.number)?,
            digest: digest("digest", &row.digest)?,
            kind: Kind::from_word(&row.kind).ok_or_else(|| cell("kind").wrong())?,
            form: Form::from_word(&row.form).ok_or_else(|| cell("form").wrong())?,
            of_grant: row.of_grant.as_deref().map(|bytes| digest("of_grant", bytes)).transpose()?,
            issuer: cell("issuer").unsigned(row.issuer)?,
            spoken_by: number("spoken_by", row.spoken_by)?,
            named: number("named", row.named)?,
            said_at: cell("said_at").time(row.said_at)?,
            received_at: cell("received_at").time(row.received_at)?,
            record: row.record,
            envelope: row.envelope,
            proof: row.proof,
            key,
            answer,
        })
    }
}

fn stored(rows: Vec<DelegationRow>) -> Result<Vec<StoredDelegation>, StorageError> {
    rows.into_iter().map(StoredDelegation::try_from).collect()
}

fn columns<'a>(
    number: u64,
    record: &'a NewDelegation<'a>,
) -> Result<[Bound<'a>; 19], StorageError> {
    let text = |text: Option<&'a str>| Bound::Text(text.map(Cow::Borrowed));
    let time = |time: UnixSeconds| signed("time", time.get());
    let name = |name: u64| signed("name", name);
    let digest = |digest: Digest| Cow::Owned(digest.as_bytes().to_vec());
    let (envelope, form) = record.envelope;
    let from = record.key.map(|(_, from, _)| from);
    let to = record.key.and_then(|(_, _, to)| to);
    let block = record.answer.map(|(_, block)| signed("block number", block.number)).transpose()?;
    let hash = record.answer.map(|(_, block)| Cow::Owned(block.hash.to_vec()));
    Ok([
        Bound::number(signed("record", number)?),
        Bound::Bytes(Some(digest(record.digest))),
        Bound::text(record.kind.as_str()),
        Bound::bytes(record.record),
        Bound::bytes(envelope),
        Bound::text(form.as_str()),
        Bound::Bytes(record.of_grant.map(digest)),
        Bound::number(name(record.issuer)?),
        Bound::Number(record.spoken_by.map(name).transpose()?),
        Bound::Number(record.named.map(name).transpose()?),
        Bound::number(time(record.said_at)?),
        Bound::number(time(record.received_at)?),
        Bound::text(record.proof),
        text(record.key.map(|(key, ..)| key)),
        Bound::Number(from.map(time).transpose()?),
        Bound::Number(to.map(time).transpose()?),
        text(record.answer.map(|(by, _)| by)),
        Bound::Number(block),
        Bound::Bytes(hash),
    ])
}

impl Tx {
    /// How many records of delegations there are: the number of the newest.
    pub async fn delegation_count(&mut self) -> Result<u64, StorageError> {
        let last: i64 = on_engine!(self, conn => sqlx::query_scalar(LAST).fetch_one(conn).await)?;
        Cell { table: "delegation", column: "number", row: &last }.unsigned(last)
    }

    /// Keeps records that are not held yet, with whom their names meant; returns the number of the first.
    pub async fn keep_delegations(
        &mut self,
        records: &[NewDelegation<'_>],
    ) -> Result<u64, StorageError> {
        let first = self.delegation_count().await? + 1;
        let numbered = (first..).zip(records);
        let rows = numbered.clone().map(|(number, record)| columns(number, record));
        let rows = rows.collect::<Result<Vec<_>, _>>()?;
        INSERT_MANY.write(self, rows.into_iter()).await?;
        let mut parties = Vec::with_capacity(2 * records.len());
        for (number, record) in numbered {
            let [author, other] = record.parties;
            let names =
                [(Role::Author, Some(record.issuer), author), (Role::Named, record.named, other)];
            for (role, name, (found, state)) in names {
                let by = record.spoken_by.filter(|_| role == Role::Author);
                let row = name.map(|name| ((name, record.said_at, number, role, found, state), by));
                parties.extend(row);
            }
        }
        parties.sort_unstable_by_key(|((name, at, seq, role, ..), _)| (*name, *at, *seq, *role));
        let rows = parties.iter().map(|(party, by)| new_party(party, *by));
        let rows = rows.collect::<Result<Vec<_>, _>>()?;
        PARTIES_INSERT.write(self, rows.into_iter()).await?;
        Ok(first)
    }

    /// The records of some digests, those that are held.
    pub async fn delegations_by_digest(
        &mut self,
        digests: &[Digest],
    ) -> Result<BTreeMap<Digest, StoredDelegation>, StorageError> {
        let digests = digests.iter().map(|digest| [Bound::bytes(digest.as_bytes().as_slice())]);
        let rows: Vec<DelegationRow> = BY_DIGESTS.select(self, &[], digests).await?;
        Ok(stored(rows)?.into_iter().map(|record| (record.digest, record)).collect())
    }

    /// The records of some numbers.
    pub async fn delegations_by_number(
        &mut self,
        numbers: &[u64],
    ) -> Result<Vec<StoredDelegation>, StorageError> {
        let numbers = list_of("record", numbers.iter().copied())?;
        stored(BY_NUMBERS.select(self, &[], numbers).await?)
    }

    /// The records of a kind about a grant, in the order of issuers and numbers; of [`Kind::Grant`] the grants below it.
    pub async fn delegations_of_kind(
        &mut self,
        grant: Digest,
        kind: Kind,
        limit: u32,
    ) -> Result<Vec<StoredDelegation>, StorageError> {
        let rows: Vec<DelegationRow> = on_engine!(self, conn => sqlx::query_as(OF_GRANT_OF_KIND)
            .bind(grant.as_bytes().as_slice()).bind(kind.as_str()).bind(i64::from(limit))
            .fetch_all(conn).await)?;
        stored(rows)
    }

    /// The records of a kind about a grant by one name, in the order in which they came.
    pub async fn delegations_by(
        &mut self,
        grant: Digest,
        kind: Kind,
        issuer: u64,
        limit: u32,
    ) -> Result<Vec<StoredDelegation>, StorageError> {
        let issuer = signed("name", issuer)?;
        let rows: Vec<DelegationRow> = on_engine!(self, conn => sqlx::query_as(OF_GRANT_BY)
            .bind(grant.as_bytes().as_slice()).bind(kind.as_str()).bind(issuer).bind(i64::from(limit))
            .fetch_all(conn).await)?;
        stored(rows)
    }

    /// How many records of a kind a name has said about a grant, and how many bytes their envelopes have together.
    pub async fn delegation_size_by(
        &mut self,
        grant: Digest,
        kind: Kind,
        issuer: u64,
    ) -> Result<(u64, u64), StorageError> {
        let issuer = signed("name", issuer)?;
        let (count, bytes): (i64, i64) = on_engine!(self, conn => sqlx::query_as(SIZE_BY)
            .bind(grant.as_bytes().as_slice()).bind(kind.as_str()).bind(issuer)
            .fetch_one(conn).await)?;
        let cell = |column| Cell { table: "delegation", column, row: &count };
        Ok((cell("of_grant").unsigned(count)?, cell("envelope").unsigned(bytes)?))
    }
}
