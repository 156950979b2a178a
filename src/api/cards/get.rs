//! `GET /v1/agents/{agent}/cards`: what the record shows of an agent, by each projector.

use std::sync::Arc;

use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::asked::{Broken, as_of_now, chosen};
use crate::api::error::{ApiError, Problems};
use crate::api::extract::{Params, PathText};
use crate::api::router::Shared;
use crate::api::state::ApiState;
use crate::api::wire::Answer;
use crate::app::{CardFailure, CardOutcome, CardSetting};
use crate::project::{CardContext, ProjectorName, TrustCard};
use crate::vocab::AgentRef;

/// The longest name of a game, and of a viewer, in bytes.
const NAME_BYTES_MAX: usize = 256;

/// Which cards, and as of when.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in crate::api) struct CardsQuery {
    /// By this projector only.
    pub(in crate::api) projector: Option<String>,
    /// `latest` (default), `safe`, `finalized`, `block:N` or `time:T`.
    pub(in crate::api) at: Option<String>,
    /// As of this size of the log; by default all of it.
    #[param(value_type = Option<u64>)]
    pub(in crate::api) as_of_seq: Option<String>,
    /// For this game.
    pub(in crate::api) game: Option<String>,
}

/// The cards of an agent.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Cards)]
pub(in crate::api) struct CardsAnswer {
    /// Trust cards (`trust-card/v1`), by their projectors' names. The README says what stands in them beside that form.
    #[schema(value_type = Vec<Object>)]
    items: Vec<Arc<TrustCard>>,
    /// Projectors that gave none.
    failed: Vec<FailedCard>,
    /// As of which block, and of which size of the log.
    #[schema(value_type = Object)]
    as_of: CardContext,
}

/// A card that there is not.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(in crate::api) struct FailedCard {
    /// Whose it would have been.
    agent: String,
    /// By which component: its name, version and digest.
    #[schema(value_type = Object)]
    projector: ProjectorName,
    /// `fuel`, `timeout`, `memory`, `output`, `trap`, `refused`, `malformed`, `no_such_agent`, or why it cannot be run at all.
    reason: String,
    /// In words.
    detail: String,
}

impl From<&CardFailure> for FailedCard {
    fn from(failure: &CardFailure) -> Self {
        Self {
            agent: failure.agent.clone(),
            projector: failure.projector.clone(),
            reason: failure.reason.to_owned(),
            detail: failure.detail.clone(),
        }
    }
}

impl FailedCard {
    /// Of an agent that does not exist as of the block.
    pub(super) fn absent(agent: AgentRef, projector: ProjectorName) -> Self {
        let detail = "the agent does not exist as of this block".to_owned();
        let reason = "no_such_agent".to_owned();
        Self { agent: agent.to_string(), projector, reason, detail }
    }

    /// Of a projector that cannot be run.
    pub(super) fn broken(agent: &str, broken: &Broken) -> Self {
        Self {
            agent: agent.to_owned(),
            projector: broken.projector.clone(),
            reason: broken.reason.to_owned(),
            detail: broken.detail.clone(),
        }
    }
}

/// Cards, and what failed.
pub(in crate::api) fn sorted_out(
    outcomes: Vec<CardOutcome>,
) -> (Vec<Arc<TrustCard>>, Vec<FailedCard>) {
    let (mut cards, mut failed) = (Vec::new(), Vec::new());
    for outcome in outcomes {
        match outcome {
            CardOutcome::Card(card) => cards.push(card),
            CardOutcome::Failed(failure) => failed.push(FailedCard::from(&*failure)),
        }
    }
    (cards, failed)
}

/// The name of a game, if one is given.
pub(in crate::api) fn game(text: Option<&str>) -> Result<Option<String>, ApiError> {
    match text {
        Some(text) if text.is_empty() || text.len() > NAME_BYTES_MAX => {
            let detail = format!("a game has a name of 1 to {NAME_BYTES_MAX} bytes");
            Err(ApiError::parameter("game", detail))
        }
        text => Ok(text.map(str::to_owned)),
    }
}

/// Trust cards of an agent: what its record shows, by each projector, as of a block and a size of the log.
#[utoipa::path(
    get, path = "/v1/agents/{agent}/cards", tag = "cards",
    params(("agent" = String, Path, description = "The agent"), CardsQuery),
    responses((status = 200, description = "The cards", body = CardsAnswer), Problems)
)]
pub(in crate::api) async fn get_cards(
    State(state): State<Shared>,
    PathText(agent): PathText,
    Params(query): Params<CardsQuery>,
) -> Result<Answer<CardsAnswer>, ApiError> {
    cards_of(&state, &agent, &query).await.map(Answer)
}

/// The cards of an agent.
pub(in crate::api) async fn cards_of(
    state: &ApiState,
    agent: &str,
    query: &CardsQuery,
) -> Result<CardsAnswer, ApiError> {
    let (at, seq) = (query.at.as_deref(), query.as_of_seq.as_deref());
    let (_admission, mut reading, as_of) = as_of_now(state, at, seq).await?;
    let (agent, _) = reading.agent(agent).await?;
    let (projectors, broken) = chosen(state, &mut reading, query.projector.as_deref()).await?;
    let setting = CardSetting { game: game(query.game.as_deref())?, ..CardSetting::default() };
    let host = &state.documents.host;
    let of = state.cards.of(&mut reading.tx, host, agent, &as_of, &setting, &projectors);
    let (items, mut failed) = sorted_out(of.await?);
    let agent = agent.to_string();
    failed.extend(broken.iter().map(|broken| FailedCard::broken(&agent, broken)));
    Ok(CardsAnswer { items, failed, as_of: as_of.context })
}

impl CardsAnswer {
    /// As of which size of the log they are.
    pub(in crate::api) const fn log_size(&self) -> u64 {
        self.as_of.log_size
    }

    /// What the cards say, without as of when: while this is the same, nothing has changed.
    pub(in crate::api) fn content(&self) -> Result<Vec<serde_json::Value>, serde_json::Error> {
        let items = self.items.iter().map(|card| {
            let mut card = serde_json::to_value(card)?;
            if let Some(fields) = card.as_object_mut() {
                fields.remove("as_of");
                fields.remove("updatedAt");
            }
            Ok(card)
        });
        items.chain(self.failed.iter().map(serde_json::to_value)).collect()
    }
}
