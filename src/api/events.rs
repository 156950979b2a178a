//! What the registries said: an agent's events, and the logs that cannot be decoded.

use axum::extract::State;
use serde::Deserialize;
use utoipa::IntoParams;

use super::at::At;
use super::error::{ApiError, Problems};
use super::extract::{Params, PathText};
use super::page::{Page, parse_limit};
use super::reading::Reading;
use super::state::ApiState;
use super::wire::{Answer, EventAnswer, Listing, UndecodedLog};
use crate::storage::{EventsAfter, StoredEvent};
use crate::vocab::{Position, RegistryKind};

/// Which page, as of which block.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct RecordsQuery {
    /// `latest` (default), `safe`, `finalized`, `block:N` or `time:T`.
    pub(super) at: Option<String>,
    /// At most so many items.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 500, default = 50)]
    pub(super) limit: Option<String>,
    /// `next` of the page before.
    pub(super) cursor: Option<String>,
}

/// A page of an agent's events, and what answers need to show it.
pub(super) struct EventPage {
    pub(super) reading: Reading,
    pub(super) events: Vec<StoredEvent>,
    pub(super) next: Option<String>,
}

impl EventPage {
    /// Reads a page of an agent's events; of one name only, where one is given.
    pub(super) async fn read(
        state: &ApiState,
        list: &'static str,
        agent: &str,
        query: &RecordsQuery,
        name: Option<&str>,
    ) -> Result<Self, ApiError> {
        let page = Page::<Position>::read(list, query.limit.as_deref(), query.cursor.as_deref())?;
        let at = At::parse(query.at.as_deref())?;
        let mut reading = Reading::open(state, at).await?;
        let (agent, _) = reading.agent(agent).await?;
        let through_block = reading.block_number();
        let wanted = EventsAfter { after: page.after, through_block, limit: page.fetch() };
        let events = reading.tx.events_of(agent.id, name, wanted).await?;
        let (events, next) = page.cut(events, |event| event.log.position());
        Ok(Self { reading, events, next })
    }
}

/// What the registries said of an agent, oldest first.
#[utoipa::path(
    get, path = "/v1/agents/{agent}/events", tag = "records",
    params(("agent" = String, Path, description = "The agent"), RecordsQuery),
    responses((status = 200, description = "A page of events, oldest first", body = Listing<EventAnswer>), Problems)
)]
pub(super) async fn list_events(
    State(state): State<ApiState>,
    PathText(agent): PathText,
    Params(query): Params<RecordsQuery>,
) -> Result<Answer<Listing<EventAnswer>>, ApiError> {
    let EventPage { reading, events, next } =
        EventPage::read(&state, "events", &agent, &query, None).await?;
    let items =
        events.iter().map(|event| EventAnswer::of(event, &reading)).collect::<Result<_, _>>();
    Ok(Answer(Listing { items: items?, next, as_of: reading.as_of() }))
}

/// Whose logs.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct UndecodedQuery {
    /// `identity`, `reputation` or `validation`; of all where it is absent.
    registry: Option<String>,
    /// At most so many items.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 500, default = 50)]
    limit: Option<String>,
}

/// The newest logs of the registries that cannot be decoded, newest first. `next` is always null.
#[utoipa::path(
    get, path = "/v1/undecoded", tag = "records", params(UndecodedQuery),
    responses((status = 200, description = "The newest such logs", body = Listing<UndecodedLog>), Problems)
)]
pub(super) async fn list_undecoded(
    State(state): State<ApiState>,
    Params(query): Params<UndecodedQuery>,
) -> Result<Answer<Listing<UndecodedLog>>, ApiError> {
    let limit = parse_limit(query.limit.as_deref())?;
    let kinds = match query.registry.as_deref() {
        None => RegistryKind::ALL.to_vec(),
        Some(word) => vec![RegistryKind::from_word(word).ok_or_else(|| {
            let shown = super::shorten(word);
            let detail =
                format!("`{shown}` is no registry; write `identity`, `reputation` or `validation`");
            ApiError::parameter("registry", detail)
        })?],
    };
    let mut reading = Reading::open(&state, At::Latest).await?;
    let mut events = Vec::new();
    for kind in kinds {
        events.extend(reading.tx.events_undecoded(kind, limit).await?);
    }
    events.sort_by_key(|event| std::cmp::Reverse(event.log.position()));
    events.truncate(limit as usize);
    let (events, _) = Page::first("undecoded", limit).cut(events, |event| event.log.position());
    let items = events.iter().map(|event| UndecodedLog::of(event, &reading)).collect();
    Ok(Answer(Listing { items, next: None, as_of: reading.as_of() }))
}
