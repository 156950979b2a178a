//! How the log grows: records that are not held yet, each behind the one before it, together with their parties.

use std::borrow::Cow;
use std::collections::BTreeMap;

use sqlx::FromRow;

use super::attestations::RecordSource;
use super::bulk::{Bound, Bulk};
use super::columns::{Cell, signed};
use super::parties::{PARTIES_INSERT, PartyState, new_party};
use super::{StorageError, Tx};
use crate::attest::class::IssuerClass;
use crate::attest::envelope::Form;
use crate::rekey::{Rekeying, Role};
use crate::vocab::{Digest, UnixSeconds};

const RECORD_INSERT: &str = "
    INSERT INTO attestation (seq, digest, record, envelope, form, source, place, issuer, subject, issuer_class,
        claim_type, origin, game, round, said_at, is_dated, received_at, claimed_key, proof, supersedes, spoken_by)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21)";
static RECORDS_INSERT: Bulk = Bulk::new(RECORD_INSERT);
const HELD: &str = "SELECT seq, digest, issuer FROM attestation WHERE digest IN ($1)";
static HELD_MANY: Bulk = Bulk::new(HELD);
const CLAIMED: &str = "SELECT claimed_key, seq, digest FROM attestation WHERE claimed_key IN ($1)";
static CLAIMED_MANY: Bulk = Bulk::new(CLAIMED);

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
    /// The number of the name of the account that signed for an issuer that is an agent.
    pub spoken_by: Option<u64>,
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

impl Tx {
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
                let spoken_by = record.spoken_by.filter(|_| role == Role::Issuer);
                rows.push(((name, record.said_at, seq, role, *rekeying, *state), spoken_by));
            }
        }
        let found = rows.iter().map(|((name, _, _, role, found, _), _)| (*role, *name, *found));
        self.note_subjects(found).await?;
        // In the order of the keys, neighbours meet in memory.
        rows.sort_unstable_by_key(|((name, at, seq, role, ..), _)| (*name, *at, *seq, *role));
        let rows = rows.iter().map(|(party, by)| new_party(party, *by));
        let rows = rows.collect::<Result<Vec<_>, _>>()?;
        PARTIES_INSERT.write(self, rows.into_iter()).await?;
        Ok(first)
    }

    /// Where records of some digests are held, by digest and the number of the issuer's name.
    pub async fn held_records(
        &mut self,
        digests: &[Digest],
    ) -> Result<BTreeMap<(Digest, u64), u64>, StorageError> {
        let digests = digests.iter().map(|digest| [Bound::bytes(digest.as_bytes().as_slice())]);
        let rows: Vec<HeldRow> = HELD_MANY.select(self, &[], digests).await?;
        let read = |row: HeldRow| {
            let cell = |column| Cell { table: "attestation", column, row: &row.seq };
            let digest = Digest(cell("digest").hash(&row.digest)?);
            Ok(((digest, cell("issuer").unsigned(row.issuer)?), cell("seq").unsigned(row.seq)?))
        };
        rows.into_iter().map(read).collect()
    }

    /// The records that have one of some keys of [`claimed_key`], with their digests; the oldest few of each.
    pub async fn claimed(
        &mut self,
        keys: &[i64],
    ) -> Result<BTreeMap<i64, Vec<(u64, Digest)>>, StorageError> {
        let keys = keys.iter().map(|key| [Bound::number(*key)]);
        let rows: Vec<ClaimedRow> = CLAIMED_MANY.select(self, &[], keys).await?;
        let mut found: BTreeMap<i64, Vec<(u64, Digest)>> = BTreeMap::new();
        for row in rows {
            let cell = |column| Cell { table: "attestation", column, row: &row.seq };
            let digest = Digest(cell("digest").hash(&row.digest)?);
            let seq = cell("seq").unsigned(row.seq)?;
            found.entry(row.claimed_key).or_default().push((seq, digest));
        }
        Ok(found)
    }
}

fn record_columns<'a>(
    (seq, record): (u64, &'a NewRecord<'a>),
) -> Result<[Bound<'a>; 21], StorageError> {
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
        Bound::Number(record.spoken_by.map(|name| signed("name", name)).transpose()?),
    ])
}
