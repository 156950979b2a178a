//! `GET /v1/agents/{agent}/files`: when the file behind an agent's URI was seen to be what, by the hashes of its contents.
//!
//! The contents themselves are not given: they are a stranger's, and whoever wants one asks where it is from. What an agent's file says now or
//! said at a time stands under `file` of the agent.

use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::at::At;
use super::error::{ApiError, Problems};
use super::extract::{Params, PathText};
use super::files::heard_by;
use super::page::{Page, Weigh};
use super::reading::Reading;
use super::state::ApiState;
use super::wire::{Answer, Listing};
use crate::did::claims::{Leads, LeadsTo};
use crate::identity::{TimelineRef, Value};
use crate::registry::file::Source;
use crate::storage::FileMoment;
use crate::vocab::UnixSeconds;

/// Of which URI, and which page.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct FilesQuery {
    /// The URI as of `latest`, `safe`, `finalized`, `block:N` or `time:T`, and what had been seen of its file by then.
    at: Option<String>,
    /// At most so many items.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 500, default = 50)]
    limit: Option<String>,
    /// `next` of the page before.
    cursor: Option<String>,
}

/// A content that a file was seen to have, until the next.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = FileVersion)]
pub(super) struct FileVersionAnswer {
    /// Where it is from: `web` or `ipfs`.
    origin: &'static str,
    /// The URL, or the path under a CID.
    location: String,
    /// SHA-256 of the content; null where the host said that there is none.
    sha256: Option<String>,
    /// How many bytes it has.
    bytes: Option<u64>,
    /// When this content was first seen.
    #[schema(value_type = String)]
    first_seen: UnixSeconds,
    /// When this content was last seen.
    #[schema(value_type = String)]
    last_seen: UnixSeconds,
    /// Whether it was checked against the CID that names it.
    proven: bool,
}

impl FileVersionAnswer {
    fn of(source: &Source, moment: &FileMoment) -> Self {
        Self {
            origin: source.kind.as_str(),
            location: source.target.clone(),
            sha256: moment.content.map(|(hash, _)| hash.to_string()),
            bytes: moment.content.map(|(_, bytes)| bytes),
            first_seen: moment.since,
            last_seen: moment.checked_at,
            proven: moment.is_proven,
        }
    }
}

impl Weigh for FileMoment {
    fn weight(&self) -> usize {
        0
    }
}

/// When the file behind an agent's URI was seen to be what; none where the URI holds its file, and leads nowhere.
#[utoipa::path(
    get, path = "/v1/agents/{agent}/files", tag = "timelines",
    params(("agent" = String, Path, description = "The agent"), FilesQuery),
    responses((status = 200, description = "A page of contents, oldest first", body = Listing<FileVersionAnswer>), Problems)
)]
pub(super) async fn list_files(
    State(state): State<ApiState>,
    PathText(agent): PathText,
    Params(query): Params<FilesQuery>,
) -> Result<Answer<Listing<FileVersionAnswer>>, ApiError> {
    let page = Page::<u64>::read("files", query.limit.as_deref(), query.cursor.as_deref())?;
    let at = At::parse(query.at.as_deref())?;
    let mut reading = Reading::open(&state, at).await?;
    let (agent, _) = reading.agent(&agent).await?;
    let block = reading.block_number();
    let uri = reading.tx.span_at(TimelineRef::Uri(agent.id), block).await?;
    let leads = match uri.map(|span| span.record.value) {
        Some(Value::Uri(uri)) => Leads::of(&uri).to,
        _ => LeadsTo::Nothing,
    };
    let LeadsTo::Source(source) = leads else {
        return Ok(Answer(Listing { items: Vec::new(), next: None, as_of: reading.as_of() }));
    };
    let time = heard_by(&state, &mut reading, at).await?;
    let after = page.after.unwrap_or_default();
    let moments = reading.tx.file_moments(source.id(), time, after, page.fetch()).await?;
    let (moments, next) = page.cut(moments, |moment| moment.seq);
    let items = moments.iter().map(|moment| FileVersionAnswer::of(&source, moment)).collect();
    Ok(Answer(Listing { items, next, as_of: reading.as_of() }))
}
