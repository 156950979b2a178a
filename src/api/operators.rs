//! Who may act for an agent beside its owner: now, and over time.
//!
//! Operators are derived from three kinds of spans (`identity::operators`): an account approved for all agents of an owner counts for
//! an agent only while that owner holds it. The history of an agent that changed hands very often, between owners with very many
//! operators, is cut at [`SPANS_MAX`] and says so.

use std::collections::{BTreeMap, BTreeSet};

use alloy::primitives::Address;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use super::at::At;
use super::error::{ApiError, Problems};
use super::extract::{Params, PathText};
use super::page::{LIMIT_MAX, Page, Place, Weigh};
use super::reading::{Codes, Reading};
use super::state::ApiState;
use super::timelines::PageQuery;
use super::wire::{Answer, AsOf, OperatorSpanAnswer, PositionAnswer, SpanEnds};
use crate::identity::{
    Evidence, EvidencedSpan, OperatorKind, OperatorSpan, SpanCause, SpanEnd, SpanRecord,
    TimelineRef, operators,
};
use crate::vocab::{AccountId, AgentId, Position};

/// The most spans of each kind that one history is made from.
const SPANS_MAX: u32 = 5000;

/// An account that may act for an agent.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Operator)]
pub(super) struct OperatorNow {
    /// CAIP-10.
    account: String,
    /// `approved` (for this agent) or `approved_for_all` (for all agents of its owner).
    kind: &'static str,
    /// Since when it may act for this agent.
    since: PositionAnswer,
}

/// Who may act for an agent at the end of the block that is read, and whether there are more.
pub(super) async fn now(
    reading: &mut Reading,
    agent: AgentId,
    owner: &EvidencedSpan,
) -> Result<(Vec<OperatorNow>, bool), ApiError> {
    let block = reading.block_number();
    let approved: Vec<_> =
        reading.tx.span_at(TimelineRef::Approved(agent), block).await?.into_iter().collect();
    let mut for_all = Vec::new();
    if let Some(owner) = owner.record.value.account() {
        for_all = reading.tx.operators_of_owner_at(owner, block, LIMIT_MAX + 1).await?;
    }
    let is_cut = for_all.len() > LIMIT_MAX as usize;
    for_all.truncate(LIMIT_MAX as usize);
    let sources = Sources { owners: vec![owner.clone()], approved, for_all, is_cut };
    let evidence = sources.evidence();
    let at_end = Position::end_of(block);
    let mut shown = Vec::new();
    for operator in sources.derive().into_iter().filter(|o| o.span.contains(at_end)) {
        let account = AccountId { chain: reading.chain(), address: operator.account };
        shown.push(OperatorNow {
            account: account.to_string(),
            kind: operator.kind.as_str(),
            since: found(&evidence, operator.span.from)?.into(),
        });
    }
    Ok((shown, is_cut))
}

/// A page of an agent's operators over time.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct OperatorsAnswer {
    /// The spans, by their beginning.
    items: Vec<OperatorSpanAnswer>,
    /// What to pass as `cursor` for the next page; null at the end.
    next: Option<String>,
    /// Whether the history is longer than what these pages were made from.
    truncated: bool,
    as_of: AsOf,
}

/// Who could act for an agent beside its owner, and when.
#[utoipa::path(
    get, path = "/v1/agents/{agent}/operators", tag = "timelines",
    params(("agent" = String, Path, description = "The agent"), PageQuery),
    responses((status = 200, description = "A page of spans, by their beginning", body = OperatorsAnswer), Problems)
)]
pub(super) async fn list_operators(
    State(state): State<ApiState>,
    PathText(agent): PathText,
    Params(query): Params<PageQuery>,
) -> Result<Answer<OperatorsAnswer>, ApiError> {
    let page =
        Page::<OperatorPlace>::read("operators", query.limit.as_deref(), query.cursor.as_deref())?;
    let mut reading = Reading::open(&state, At::Latest).await?;
    let (agent, _) = reading.agent(&agent).await?;
    let codes = reading.codes(&state.known).await?;
    let sources = Sources::read(&mut reading, agent.id).await?;
    let mut spans = sources.derive();
    spans.retain(|span| page.after.is_none_or(|after| place(span) > after));
    spans.truncate(page.fetch() as usize);
    let (spans, next) = page.cut(spans, place);
    let evidence = sources.evidence();
    let shown = spans.iter().map(|span| answer(span, &sources, &evidence, &reading, &codes));
    Ok(Answer(OperatorsAnswer {
        items: shown.collect::<Result<_, _>>()?,
        next,
        truncated: sources.is_cut,
        as_of: reading.as_of(),
    }))
}

/// The order of the list: beginning, kind, account.
type OperatorPlace = (Position, (u64, Address));

fn place(span: &OperatorSpan) -> OperatorPlace {
    (span.span.from, (u64::from(span.kind == OperatorKind::ApprovedForAll), span.account))
}

impl Place for u64 {
    fn to_text(&self) -> String {
        self.to_string()
    }

    fn parse(text: &str) -> Option<Self> {
        text.parse().ok()
    }
}

impl Weigh for OperatorSpan {
    fn weight(&self) -> usize {
        0
    }
}

/// The spans that operators follow from.
struct Sources {
    owners: Vec<EvidencedSpan>,
    approved: Vec<EvidencedSpan>,
    for_all: Vec<EvidencedSpan>,
    is_cut: bool,
}

impl Sources {
    async fn read(reading: &mut Reading, agent: AgentId) -> Result<Self, ApiError> {
        let tx = &mut reading.tx;
        let owners = tx.timeline(TimelineRef::Owner(agent), None, SPANS_MAX).await?;
        let approved = tx.timeline(TimelineRef::Approved(agent), None, SPANS_MAX).await?;
        let accounts: BTreeSet<Address> =
            owners.iter().filter_map(|owner| owner.record.value.account()).collect();
        let mut for_all: Vec<EvidencedSpan> = Vec::new();
        let full = SPANS_MAX as usize;
        let mut is_cut = owners.len() == full || approved.len() == full;
        for owner in accounts {
            let Some(rest) = full.checked_sub(for_all.len()).filter(|rest| *rest > 0) else {
                is_cut = true;
                break;
            };
            let limit = u32::try_from(rest).unwrap_or(SPANS_MAX);
            for_all.extend(tx.operators_of_owner(owner, limit).await?);
        }
        is_cut |= for_all.len() == full;
        Ok(Self { owners, approved, for_all, is_cut })
    }

    fn derive(&self) -> Vec<OperatorSpan> {
        let records = |spans: &[EvidencedSpan]| -> Vec<SpanRecord> {
            spans.iter().map(|span| span.record.clone()).collect()
        };
        let for_all: Vec<_> = self
            .for_all
            .iter()
            .filter_map(|span| match span.record.timeline {
                TimelineRef::Operator(owner, _) => Some((owner, span.record.clone())),
                _ => None,
            })
            .collect();
        operators(&records(&self.owners), &records(&self.approved), &for_all)
    }

    /// Why an operator's span began and ended.
    ///
    /// An agent that moves begins and ends what its owners allowed for all their agents, without an event that says so.
    fn causes(&self, span: &OperatorSpan) -> (Option<SpanCause>, Option<SpanEnd>) {
        let is_own = |approved: &&EvidencedSpan| approved.from.at == span.span.from;
        if let (OperatorKind::Approved, Some(own)) = (span.kind, self.approved.iter().find(is_own))
        {
            return (own.record.cause, own.record.ended_by);
        }
        let moved = |at: Position| self.owners.iter().any(|owner| owner.from.at == at);
        let cause = if moved(span.span.from) { SpanCause::Transfer } else { SpanCause::Set };
        let ended_by =
            span.span.to.map(|to| if moved(to) { SpanEnd::Transfer } else { SpanEnd::Set });
        (Some(cause), ended_by)
    }

    /// What proves each position at which any of the spans begins or ends.
    fn evidence(&self) -> BTreeMap<Position, Evidence> {
        let spans = self.owners.iter().chain(&self.approved).chain(&self.for_all);
        let ends = spans.flat_map(|span| std::iter::once(span.from).chain(span.to));
        ends.map(|evidence| (evidence.at, evidence)).collect()
    }
}

fn found(evidence: &BTreeMap<Position, Evidence>, at: Position) -> Result<&Evidence, ApiError> {
    evidence.get(&at).ok_or_else(|| ApiError::internal(format!("nothing proves {at:?}")))
}

fn answer(
    span: &OperatorSpan,
    sources: &Sources,
    evidence: &BTreeMap<Position, Evidence>,
    reading: &Reading,
    codes: &Codes,
) -> Result<OperatorSpanAnswer, ApiError> {
    let from = found(evidence, span.span.from)?;
    let to = span.span.to.map(|to| found(evidence, to)).transpose()?;
    let causes = sources.causes(span);
    let account = AccountId { chain: reading.chain(), address: span.account };
    Ok(OperatorSpanAnswer {
        account: account.to_string(),
        kind: span.kind.as_str(),
        span: SpanEnds::between(from, to, causes, reading, codes),
    })
}
