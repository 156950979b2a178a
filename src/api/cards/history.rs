//! `GET /v1/agents/{agent}/cards/history`: the cards of an agent as anyone would have computed them then.
//!
//! One after the last record of each game, and one after each record that is of no game, each as of the size that the log had then. The block
//! is the same for all: what changes is the record.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::asked::{as_of_now, chosen};
use super::get::{FailedCard, sorted_out};
use crate::api::error::{ApiError, Problems};
use crate::api::extract::{Params, PathText};
use crate::api::page::{Page, Seq, parse_limit};
use crate::api::router::Shared;
use crate::api::state::ApiState;
use crate::api::wire::Answer;
use crate::app::{CardSetting, CardsAsOf, Loaded};
use crate::project::{CardContext, Ledger, Posting, TrustCard};
use crate::vocab::UnixSeconds;

/// The most cards that are computed for one answer: a page may be shorter than what was asked for, and says where to go on.
const CARDS_MAX: usize = 200;

/// Which cards, and which page of them.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in crate::api) struct CardHistoryQuery {
    /// By this projector only.
    projector: Option<String>,
    /// `latest` (default), `safe`, `finalized`, `block:N` or `time:T`.
    at: Option<String>,
    /// At most so many moments; a page may be shorter.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 500, default = 50)]
    limit: Option<String>,
    /// `next` of the page before.
    cursor: Option<String>,
}

/// A page of an agent's cards over time.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CardHistory)]
pub(in crate::api) struct CardHistoryAnswer {
    /// The oldest first.
    items: Vec<CardMoment>,
    /// What to pass as `cursor` for the next page; null at the end.
    next: Option<String>,
    /// As of which block, and of which size of the log.
    #[schema(value_type = Object)]
    as_of: CardContext,
}

/// The cards after one game, or after one record that is of none.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct CardMoment {
    /// The record after which they are: the size that the log had then.
    pub(in crate::api) seq: u64,
    /// The game that it was the last record of; null for one that is of none.
    game: Option<String>,
    /// The platform of the game.
    origin: Option<String>,
    /// When that record was said, RFC 3339.
    #[schema(value_type = String)]
    said_at: UnixSeconds,
    /// By their projectors' names.
    #[schema(value_type = Vec<Object>)]
    cards: Vec<Arc<TrustCard>>,
    /// Projectors that gave none.
    failed: Vec<FailedCard>,
}

/// The records after which there is a card: the last of each game, and each that is of none, of the claims that are read.
fn moments(ledger: &Ledger, is_read: impl Fn(u32) -> bool) -> Vec<Posting> {
    let mut last_of: HashMap<u32, u64> = HashMap::new();
    let postings = ledger.entries.iter().map(|entry| entry.posting);
    let postings: Vec<_> = postings.filter(|posting| is_read(posting.claim)).collect();
    for posting in &postings {
        last_of.insert(posting.game, posting.seq);
    }
    let is_moment = |game: u32, seq: u64| game == 0 || last_of.get(&game) == Some(&seq);
    postings.into_iter().filter(|posting| is_moment(posting.game, posting.seq)).collect()
}

/// The platform and the name of a game, out of what names it among those of all platforms.
fn game_of(key: Option<&str>) -> (Option<String>, Option<String>) {
    key.and_then(|key| serde_json::from_str(key).ok()).unwrap_or_default()
}

/// The cards of an agent over time: after each game, and after each record that is of none.
#[utoipa::path(
    get, path = "/v1/agents/{agent}/cards/history", tag = "cards",
    params(("agent" = String, Path, description = "The agent"), CardHistoryQuery),
    responses((status = 200, description = "A page of moments, the oldest first", body = CardHistoryAnswer), Problems)
)]
pub(in crate::api) async fn list_cards(
    State(state): State<Shared>,
    PathText(agent): PathText,
    Params(query): Params<CardHistoryQuery>,
) -> Result<Answer<CardHistoryAnswer>, ApiError> {
    let page = Page::<Seq>::read("cards", query.limit.as_deref(), query.cursor.as_deref())?;
    let after = page.after.map_or(0, |Seq(after)| after);
    let wanted = MomentsOf { at: query.at.as_deref(), projector: query.projector.as_deref() };
    let limit = parse_limit(query.limit.as_deref())?;
    let Moments { items, has_more, as_of } =
        moments_of(&state, &agent, wanted, after, limit).await?;
    let last = items.last().filter(|_| has_more);
    let next = last.map(|moment| page.cursor(&Seq(moment.seq)));
    Ok(Answer(CardHistoryAnswer { items, next, as_of }))
}

/// Which moments.
#[derive(Clone, Copy, Debug)]
pub(in crate::api) struct MomentsOf<'a> {
    pub(in crate::api) at: Option<&'a str>,
    pub(in crate::api) projector: Option<&'a str>,
}

/// Moments of an agent, and whether there are more behind them.
pub(in crate::api) struct Moments {
    pub(in crate::api) items: Vec<CardMoment>,
    has_more: bool,
    pub(in crate::api) as_of: CardContext,
}

/// The first moments of an agent behind a place of the log, with its cards then: as many as are wanted, or as one answer may compute.
pub(in crate::api) async fn moments_of(
    state: &ApiState,
    agent: &str,
    of: MomentsOf<'_>,
    after: u64,
    limit: u32,
) -> Result<Moments, ApiError> {
    let (_admission, mut reading, as_of) = as_of_now(state, of.at, None).await?;
    let (agent, _) = reading.agent(agent).await?;
    let (projectors, broken) = chosen(state, &mut reading, of.projector).await?;
    let host = &state.documents.host;
    let subject = state.cards.subject(&mut reading.tx, host, agent, &as_of).await?;
    let claims = state.cards.texts(&mut reading.tx, subject.ledger.claims()).await?;
    let is_read = |claim: u32| {
        let reads = |text: &str, of: &Loaded| of.projector.description.claims.has(text);
        claims.get(&claim).is_some_and(|text| projectors.iter().any(|of| reads(text, of)))
    };
    let mut wanted = moments(&subject.ledger, is_read);
    wanted.retain(|posting| posting.seq > after);
    let limit = (limit as usize).min(CARDS_MAX / projectors.len().max(1)).max(1);
    let has_more = wanted.len() > limit;
    wanted.truncate(limit);
    let setting = CardSetting::default();
    let name = agent.to_string();
    let mut items = Vec::with_capacity(wanted.len());
    let games = wanted.iter().map(|posting| posting.game).filter(|game| *game != 0);
    let games = state.cards.texts(&mut reading.tx, games.collect::<BTreeSet<_>>()).await?;
    for posting in wanted {
        let (seq, said_at) = (posting.seq, posting.said_at);
        let (origin, game) = game_of(games.get(&posting.game).map(|text| &**text));
        let context = CardContext { log_size: seq, ..as_of.context.clone() };
        let then = CardsAsOf { context, ..as_of.clone() };
        let of = state.cards.of(&mut reading.tx, host, agent, &then, &setting, &projectors);
        let (cards, mut failed) = sorted_out(of.await?);
        failed.extend(broken.iter().map(|broken| FailedCard::broken(&name, broken)));
        items.push(CardMoment { seq, game, origin, said_at, cards, failed });
    }
    Ok(Moments { items, has_more, as_of: as_of.context })
}
