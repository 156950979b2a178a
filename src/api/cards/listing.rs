//! `GET /v1/projectors`: which projectors compute cards here.

use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::at::At;
use crate::api::error::{ApiError, Problems};
use crate::api::reading::Reading;
use crate::api::router::Shared;
use crate::api::wire::Answer;

/// The projectors.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Projectors)]
pub(in crate::api) struct ProjectorsAnswer {
    /// By their names.
    items: Vec<ProjectorAnswer>,
}

/// A projector.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Projector)]
struct ProjectorAnswer {
    /// Its name.
    id: String,
    /// Its version.
    version: Option<String>,
    /// The SHA-256 of its component.
    digest: Option<String>,
    /// What it shows.
    summary: Option<String>,
    /// Which types of claims it reads.
    claims: Vec<String>,
    /// Whether it ships with the service; others were installed by the operator.
    built_in: bool,
    /// What it is set to.
    #[schema(value_type = Object)]
    parameters: serde_json::Value,
    /// Why it cannot be run; null where it can.
    problem: Option<String>,
}

/// Which projectors compute cards.
#[utoipa::path(
    get, path = "/v1/projectors", tag = "cards",
    responses((status = 200, description = "The projectors", body = ProjectorsAnswer), Problems)
)]
pub(in crate::api) async fn list_projectors(
    State(state): State<Shared>,
) -> Result<Answer<ProjectorsAnswer>, ApiError> {
    let mut reading = Reading::open(&state, At::Latest).await?;
    let projectors = &state.cards.projectors;
    let mut items = Vec::new();
    for installed in projectors.list(&mut reading.tx).await? {
        let loaded = projectors.get(&mut reading.tx, &installed).await?;
        let described = loaded.as_ref().ok().map(|loaded| &loaded.projector.description);
        let digest = loaded.as_ref().ok().map(|loaded| loaded.projector.digest.to_string());
        let set = installed.plugin.as_ref().map_or("{}", |plugin| plugin.parameters.as_str());
        items.push(ProjectorAnswer {
            version: described.map(|of| of.version.clone()),
            digest: digest.or_else(|| Some(installed.plugin.as_ref()?.digest.to_string())),
            summary: described.map(|of| of.summary.clone()),
            claims: described.map(|of| of.claims.patterns().to_vec()).unwrap_or_default(),
            built_in: installed.is_built_in,
            parameters: serde_json::from_str(set).unwrap_or_default(),
            problem: loaded.err().map(|error| error.to_string()),
            id: installed.id,
        });
    }
    Ok(Answer(ProjectorsAnswer { items }))
}
