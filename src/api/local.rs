//! The service's answers without a port: what the command line prints is what HTTP would have answered, from the same handlers.

use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode, header};
use axum::response::Response;
use serde_json::Value;
use tower::ServiceExt;

use super::error::{ApiError, Problem};
use super::{ApiState, cards, dids, router};
use crate::app::{CardSetting, Explained, Loaded, ProjectError};

/// More than any answer can be.
const ANSWER_BYTES_MAX: usize = 64 << 20;

/// An answer: data, or a problem that says what is wrong.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// What was asked for.
    Data(Value),
    /// It does not exist as of the block asked for, or no longer does.
    NotFound(Value),
    /// The question is malformed.
    Malformed(Value),
    /// It cannot be answered: it is about a block that is not indexed yet, or something failed and was logged.
    Failed(Value),
}

/// Answers `GET` of a path with its query.
///
/// # Errors
/// When the path is none, or the answer is not JSON.
pub async fn get(
    state: ApiState,
    path_and_query: &str,
) -> Result<Answer, Box<dyn std::error::Error + Send + Sync>> {
    let request = Request::get(path_and_query).body(Body::empty())?;
    read(router(state).oneshot(request).await?).await
}

/// Which card is wanted of a projector that need not be installed.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// The agent, as in a path.
    pub agent: &'a str,
    /// As of when.
    pub at: &'a str,
    /// As of which size of the log; `None` for all of it.
    pub as_of_seq: Option<u64>,
    /// For which game.
    pub game: Option<&'a str>,
    /// A JSON object in the place of what the projector is set to.
    pub parameters: Option<&'a str>,
}

/// What came of running a projector.
#[derive(Debug)]
pub enum Explaining {
    /// A card, with how it came about.
    Made(Box<Explained>),
    /// The projector did something wrong.
    Failed(ProjectError),
    /// The question is malformed, or about what is not there.
    Problem(Answer),
}

/// Runs a projector over an agent's record.
///
/// # Errors
/// When a problem is not JSON.
pub async fn explain(
    state: ApiState,
    asked: &Asked<'_>,
    loaded: &Arc<Loaded>,
) -> Result<Explaining, Box<dyn std::error::Error + Send + Sync>> {
    match made(&state, asked, loaded).await {
        Ok(Ok(explained)) => Ok(Explaining::Made(Box::new(explained))),
        Ok(Err(error)) => Ok(Explaining::Failed(error)),
        Err(error) => {
            let Problem { body, logged } = Problem::from(&error);
            if let Some(logged) = logged {
                tracing::error!(error = logged, "cannot compute a card");
            }
            let status = StatusCode::from_u16(body.status())?;
            Ok(Explaining::Problem(answer(status, serde_json::to_value(&body)?)))
        }
    }
}

async fn made(
    state: &ApiState,
    asked: &Asked<'_>,
    loaded: &Arc<Loaded>,
) -> Result<Result<Explained, ProjectError>, ApiError> {
    let seq = asked.as_of_seq.map(|seq| seq.to_string());
    let (_admission, mut reading, as_of) =
        cards::as_of_now(state, Some(asked.at), seq.as_deref()).await?;
    let (agent, _) = reading.agent(asked.agent).await?;
    let game = cards::game(asked.game)?;
    let parameters = asked.parameters.map(str::to_owned);
    let setting = CardSetting { game, viewer: None, parameters };
    let host = &state.documents.host;
    let mut subject = state.cards.subject(&mut reading.tx, host, agent, &as_of).await?;
    Ok(state.cards.make(&mut reading.tx, &mut subject, &as_of, &setting, loaded).await?)
}

/// Resolves a DID, or dereferences a DID URL, whose document is made from the identifier alone, without a database; `None` for any other.
///
/// # Errors
/// When the answer is not JSON.
pub async fn resolve_generated(
    did: &str,
) -> Result<Option<Answer>, Box<dyn std::error::Error + Send + Sync>> {
    match dids::resolve_generated(did) {
        Some(response) => read(response).await.map(Some),
        None => Ok(None),
    }
}

async fn read(response: Response) -> Result<Answer, Box<dyn std::error::Error + Send + Sync>> {
    let status = response.status();
    if let Some(place) = response.headers().get(header::LOCATION) {
        let place = place.to_str()?;
        return Ok(Answer::Data(serde_json::json!({ "location": place })));
    }
    let body = serde_json::from_slice(&to_bytes(response.into_body(), ANSWER_BYTES_MAX).await?)?;
    Ok(answer(status, body))
}

fn answer(status: StatusCode, body: Value) -> Answer {
    match status {
        StatusCode::NOT_FOUND | StatusCode::GONE => Answer::NotFound(body),
        status if status.is_success() => Answer::Data(body),
        StatusCode::BAD_REQUEST => Answer::Malformed(body),
        _ => Answer::Failed(body),
    }
}
