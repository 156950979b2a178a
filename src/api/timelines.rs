//! The timelines of one agent, each the whole story, oldest first.

use axum::extract::State;
use serde::Deserialize;
use utoipa::IntoParams;

use super::at::At;
use super::error::{ApiError, Problems};
use super::extract::{Params, PathText};
use super::page::Page;
use super::reading::{Codes, Reading, Standpoint};
use super::state::ApiState;
use super::wire::{Answer, Listing, MetadataSpan, OwnerSpan, UriSpan, WalletSpan};
use crate::identity::{EvidencedSpan, TimelineRef};
use crate::vocab::{AgentId, Position};

/// Which page.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct PageQuery {
    /// At most so many items.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 500, default = 50)]
    pub(super) limit: Option<String>,
    /// `next` of the page before.
    pub(super) cursor: Option<String>,
}

/// A page of one timeline, and what answers need to show it.
struct TimelinePage {
    reading: Reading,
    codes: Codes,
    spans: Vec<EvidencedSpan>,
    next: Option<String>,
}

impl TimelinePage {
    async fn read(
        state: &ApiState,
        list: &'static str,
        agent: &str,
        query: &PageQuery,
        timeline: fn(AgentId) -> TimelineRef,
    ) -> Result<Self, ApiError> {
        let page = Page::<Position>::read(list, query.limit.as_deref(), query.cursor.as_deref())?;
        let mut reading = Reading::open(state, At::Latest).await?;
        let (agent, _) = reading.agent(agent).await?;
        let codes = reading.codes(&state.known).await?;
        let spans = reading.tx.timeline(timeline(agent.id), page.after, page.fetch()).await?;
        let (spans, next) = page.cut(spans, |span| span.from.at);
        Ok(Self { reading, codes, spans, next })
    }

    fn answer<T>(
        self,
        item: impl Fn(&EvidencedSpan, &Standpoint, &Codes) -> Result<T, ApiError>,
    ) -> Result<Answer<Listing<T>>, ApiError> {
        let Self { reading, codes, spans, next } = self;
        let items = spans.iter().map(|span| item(span, &reading, &codes)).collect::<Result<_, _>>();
        Ok(Answer(Listing { items: items?, next, as_of: reading.as_of() }))
    }
}

/// Which wallets an agent had, and when; spans without a wallet included.
#[utoipa::path(
    get, path = "/v1/agents/{agent}/wallets", tag = "timelines",
    params(("agent" = String, Path, description = "The agent"), PageQuery),
    responses((status = 200, description = "A page of spans, oldest first", body = Listing<WalletSpan>), Problems)
)]
pub(super) async fn list_wallets(
    State(state): State<ApiState>,
    PathText(agent): PathText,
    Params(query): Params<PageQuery>,
) -> Result<Answer<Listing<WalletSpan>>, ApiError> {
    let page = TimelinePage::read(&state, "wallets", &agent, &query, TimelineRef::Wallet).await?;
    page.answer(|span, reading, codes| Ok(WalletSpan::of(span, reading, codes)))
}

/// Who owned an agent, and when.
#[utoipa::path(
    get, path = "/v1/agents/{agent}/owners", tag = "timelines",
    params(("agent" = String, Path, description = "The agent"), PageQuery),
    responses((status = 200, description = "A page of spans, oldest first", body = Listing<OwnerSpan>), Problems)
)]
pub(super) async fn list_owners(
    State(state): State<ApiState>,
    PathText(agent): PathText,
    Params(query): Params<PageQuery>,
) -> Result<Answer<Listing<OwnerSpan>>, ApiError> {
    let page = TimelinePage::read(&state, "owners", &agent, &query, TimelineRef::Owner).await?;
    page.answer(OwnerSpan::of)
}

/// Which URIs an agent had, and when.
#[utoipa::path(
    get, path = "/v1/agents/{agent}/uris", tag = "timelines",
    params(("agent" = String, Path, description = "The agent"), PageQuery),
    responses((status = 200, description = "A page of spans, oldest first", body = Listing<UriSpan>), Problems)
)]
pub(super) async fn list_uris(
    State(state): State<ApiState>,
    PathText(agent): PathText,
    Params(query): Params<PageQuery>,
) -> Result<Answer<Listing<UriSpan>>, ApiError> {
    let page = TimelinePage::read(&state, "uris", &agent, &query, TimelineRef::Uri).await?;
    page.answer(UriSpan::of)
}

/// Which metadata an agent had, and when: by the hash of the key, then oldest first.
#[utoipa::path(
    get, path = "/v1/agents/{agent}/metadata", tag = "timelines",
    params(("agent" = String, Path, description = "The agent"), PageQuery),
    responses((status = 200, description = "A page of spans, by the hash of the key, then oldest first", body = Listing<MetadataSpan>), Problems)
)]
pub(super) async fn list_metadata(
    State(state): State<ApiState>,
    PathText(agent): PathText,
    Params(query): Params<PageQuery>,
) -> Result<Answer<Listing<MetadataSpan>>, ApiError> {
    let page = Page::read("metadata", query.limit.as_deref(), query.cursor.as_deref())?;
    let mut reading = Reading::open(&state, At::Latest).await?;
    let (agent, _) = reading.agent(&agent).await?;
    let codes = reading.codes(&state.known).await?;
    let spans = reading.tx.metadata_timelines(agent.id, page.after, page.fetch()).await?;
    let (spans, next) = page.cut(spans, |span| {
        let key = match span.record.timeline {
            TimelineRef::Metadata(_, key) => key,
            other => unreachable!("`metadata_timelines` reads metadata only, not {other:?}"),
        };
        (key, span.from.at)
    });
    TimelinePage { reading, codes, spans, next }.answer(MetadataSpan::of)
}
