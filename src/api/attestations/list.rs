//! The log, read in its order, and what was refused.

use std::collections::BTreeMap;

use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::filter::{Filter, FilterQuery, Wanted};
use super::view::{RecordAnswer, Standing, answers};
use crate::api::error::{ApiError, Problems};
use crate::api::extract::Params;
use crate::api::page::{LIMIT_DEFAULT, Page, Seq, WEIGHT_MAX, parse_limit};
use crate::api::state::ApiState;
use crate::api::wire::{Answer, AsOf};
use crate::storage::{RefusedRecord, StoredRecord, Tx};
use crate::vocab::{RegistryKind, UnixSeconds};

/// So many records are looked at for one page: where fewer are wanted, the page is short and says where to go on.
const WALK_MAX: u32 = 10_000;
/// So many are read at a time.
const READ_MAX: u32 = 500;

/// Which records, and which page of them.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in crate::api) struct AttestationsQuery {
    #[serde(flatten)]
    #[param(ignore)]
    filter: FilterQuery,
    /// Behind this place of the log.
    #[param(value_type = Option<u64>)]
    since_seq: Option<String>,
    /// At most so many items.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 500, default = 50)]
    limit: Option<String>,
    /// `next` of the page before.
    cursor: Option<String>,
}

/// A page of the log.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Attestations)]
pub(in crate::api) struct RecordsAnswer {
    /// In the order of the log.
    items: Vec<RecordAnswer>,
    /// What to pass as `cursor` for the next page; null at the end. A page may be short, or empty, and still have one.
    next: Option<String>,
    /// How many records the log had.
    log_size: u64,
    /// As of which block names are read; null where no chain is followed.
    as_of: Option<AsOf>,
}

/// What was said, in the order in which it was taken in.
#[utoipa::path(
    get, path = "/v1/attestations", tag = "attestations", params(FilterQuery, AttestationsQuery),
    responses((status = 200, description = "A page of the log", body = RecordsAnswer), Problems)
)]
pub(in crate::api) async fn list_attestations(
    State(state): State<ApiState>,
    Params(query): Params<AttestationsQuery>,
) -> Result<Answer<RecordsAnswer>, ApiError> {
    let page = Page::<Seq>::read("attestations", query.limit.as_deref(), query.cursor.as_deref())?;
    let limit = parse_limit(query.limit.as_deref())?;
    let since = query
        .since_seq
        .as_deref()
        .map(|text| parse_seq("since_seq", text))
        .transpose()?
        .unwrap_or(0);
    let mut tx = state.database.begin_read().await?;
    let standing = standing(&mut tx).await?;
    let filter = Filter::read(&mut tx, &query.filter, standing.registry).await?;
    let log_size = tx.log_size().await?;
    let after = page.after.map_or(since, |Seq(seq)| seq.max(since));
    let (found, next) = walk(&mut tx, &filter, after, limit).await?;
    let items = answers(&mut tx, &found, &standing).await?;
    let next = next.filter(|next| *next < log_size).map(|next| page.cursor(&Seq(next)));
    Ok(Answer(RecordsAnswer { items, next, log_size, as_of: standing.as_of(log_size) }))
}

/// Reads a place of the log, from the parameter of a name.
pub(in crate::api) fn parse_seq(name: &str, text: &str) -> Result<u64, ApiError> {
    crate::vocab::canonical_u64(text).ok_or_else(|| {
        let shown = crate::api::shorten(text);
        ApiError::parameter(name, format!("`{shown}` is no place of the log: write a number"))
    })
}

/// As of which state records are shown.
pub(in crate::api) async fn standing(tx: &mut Tx) -> Result<Standing, ApiError> {
    let binding = tx.binding().await?;
    let registry =
        binding.and_then(|b| b.registry(RegistryKind::Identity).map(|registry| registry.at));
    Ok(Standing { registry, tags: tx.tags().await? })
}

/// The first records behind a place that are wanted, and where to go on; `None` at the end.
async fn walk(
    tx: &mut Tx,
    filter: &Filter,
    mut after: u64,
    limit: u32,
) -> Result<(Vec<StoredRecord>, Option<u64>), ApiError> {
    let Some(by) = filter.by() else { return Ok((Vec::new(), None)) };
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let (mut found, mut weight, mut walked) = (Vec::new(), 0, 0);
    while walked < WALK_MAX {
        let step = READ_MAX.min(u32::try_from(limit).unwrap_or(READ_MAX).max(LIMIT_DEFAULT));
        let read = tx.records_after(by, after, step).await?;
        let is_last = u32::try_from(read.len()).is_ok_and(|count| count < step);
        let parties =
            if filter.asks_for_meanings() { tx.parties_of(&read).await? } else { BTreeMap::new() };
        walked += step;
        for record in read {
            after = record.seq;
            // What is not known yet is no member of the list yet.
            if filter.wants(&record, |role| parties.get(&(record.seq, role))) == Wanted::Yes {
                weight += record.record.len();
                found.push(record);
            }
            if found.len() == limit || weight > WEIGHT_MAX {
                return Ok((found, Some(after)));
            }
        }
        if is_last {
            return Ok((found, None));
        }
    }
    Ok((found, Some(after)))
}

/// What was refused.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RefusedAttestations)]
pub(in crate::api) struct RefusedAnswer {
    /// The newest first; about a thousand are kept.
    items: Vec<RefusedItem>,
    /// What to pass as `cursor` for the next page.
    next: Option<String>,
    /// As of which block the service stood, and with how many records; null where no chain is followed. What was refused is no state of it.
    as_of: Option<AsOf>,
}

/// A record that was refused.
#[derive(Debug, Serialize, ToSchema)]
struct RefusedItem {
    number: u64,
    #[schema(value_type = String)]
    received_at: UnixSeconds,
    /// `unverified`, `forbidden`, `self_attestation`, `note_max`, `per_round_max`, …
    reason: String,
    /// In words.
    detail: String,
    /// Who signed or sent it.
    issuer: Option<String>,
    /// The digest of the record.
    digest: Option<String>,
}

impl From<RefusedRecord> for RefusedItem {
    fn from(record: RefusedRecord) -> Self {
        Self {
            number: record.number,
            received_at: record.received_at,
            reason: record.reason,
            detail: record.detail,
            issuer: record.issuer,
            digest: record.digest.map(|digest| digest.to_string()),
        }
    }
}

/// Which page of what was refused.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in crate::api) struct RefusedQuery {
    /// At most so many items.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 500, default = 50)]
    limit: Option<String>,
    /// `next` of the page before.
    cursor: Option<String>,
}

/// What was refused, and why: records whose signer is known, the newest first.
#[utoipa::path(
    get, path = "/v1/attestations/refused", tag = "attestations", params(RefusedQuery),
    responses((status = 200, description = "A page of what was refused", body = RefusedAnswer), Problems)
)]
pub(in crate::api) async fn list_refused(
    State(state): State<ApiState>,
    Params(query): Params<RefusedQuery>,
) -> Result<Answer<RefusedAnswer>, ApiError> {
    let page = Page::<Seq>::read("refused", query.limit.as_deref(), query.cursor.as_deref())?;
    let mut tx = state.database.begin_read().await?;
    let found = tx.refused(page.after.map(|Seq(number)| number), page.fetch()).await?;
    let (found, next) = page.cut(found, |record| Seq(record.number));
    let (standing, log_size) = (standing(&mut tx).await?, tx.log_size().await?);
    Ok(Answer(RefusedAnswer {
        items: found.into_iter().map(RefusedItem::from).collect(),
        next,
        as_of: standing.as_of(log_size),
    }))
}

impl crate::api::page::Weigh for RefusedRecord {
    fn weight(&self) -> usize {
        self.detail.len()
    }
}
