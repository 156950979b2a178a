//! The service's answers without a port: what the command line prints is what HTTP would have answered, from the same handlers.

use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode, header};
use axum::response::Response;
use serde_json::Value;
use tower::ServiceExt;

use super::{ApiState, dids, router};

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
    Ok(match status {
        StatusCode::NOT_FOUND | StatusCode::GONE => Answer::NotFound(body),
        status if status.is_success() => Answer::Data(body),
        StatusCode::BAD_REQUEST => Answer::Malformed(body),
        _ => Answer::Failed(body),
    })
}
