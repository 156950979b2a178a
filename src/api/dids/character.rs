//! A character's document, at its path and as a resolution, of any moment of its record.
//!
//! It rests on the record alone: no block need be known, and `at` can name none. A handle in other letters is another DID, and that of
//! nobody: documents are found only under the handle as its owner writes it.

use axum::extract::State;
use axum::response::Response;
use serde_json::{Map, Value, json};

use super::documents::answer;
use super::options::Moment;
use super::refusal::{Code, Refusal};
use super::resolve::{check_over, not_found, same_as};
use super::result::{Failure, Resolution};
use crate::api::at::At;
use crate::api::error::{ApiError, ProblemBody, Problems};
use crate::api::extract::PathText;
use crate::api::state::ApiState;
use crate::app::CharacterError;
use crate::did::version::VersionId;
use crate::did::web::Local;
use crate::did::{CharacterHistory, CharacterVersion, Did};
use crate::storage::{Character, StorageError, Tx};
use crate::vocab::Handle;

/// A character with all of its record.
pub(super) struct CharacterState {
    pub(super) character: Character,
    pub(super) history: CharacterHistory,
}

impl CharacterState {
    /// Reads the character with a handle; `None` where nobody ever had it, in just these letters.
    pub(super) async fn read(tx: &mut Tx, handle: &str) -> Result<Option<Self>, StorageError> {
        let Ok(handle) = Handle::parse(handle) else { return Ok(None) };
        let found = tx.character(&handle).await?.filter(|found| found.handle == handle);
        let Some(character) = found else { return Ok(None) };
        let history = CharacterHistory {
            created: character.created,
            removed: character.is_removed.then_some(character.last),
            wallets: tx.wallet_links(character.id).await?,
        };
        Ok(Some(Self { character, history }))
    }

    /// The metadata of a version's document.
    fn metadata(&self, version: &CharacterVersion) -> Map<String, Value> {
        let mut metadata = Map::new();
        let mut put = |name: &str, value: Value| drop(metadata.insert(name.to_owned(), value));
        let id = |number| self.history.id(number).map(|id| Value::from(id.to_string()));
        put("created", self.history.created.to_string().into());
        if version.change.number > 1 {
            put("updated", version.change.time.to_string().into());
        }
        put("versionId", id(version.change.number).unwrap_or_default());
        if let Some(next) = version.next {
            put("nextUpdate", next.time.to_string().into());
            put("nextVersionId", id(next.number).unwrap_or_default());
        }
        if version.is_deactivated {
            put("deactivated", true.into());
        }
        let wallets = self.history.wallets_in(version);
        let accounts: Vec<_> = wallets.iter().map(ToString::to_string).collect();
        let change = version.change.number;
        let handle = self.character.handle.as_str();
        put("hallmark", json!({ "character": handle, "change": change, "wallets": accounts }));
        metadata
    }
}

/// The DID document of a character, as it is now.
#[utoipa::path(
    get, path = "/character/{handle}/did.json", tag = "identifiers",
    params(("handle" = String, Path, description = "The handle, in its owner's letters", example = "ada")),
    responses(
        (status = 200, description = "The document", body = Object, content_type = "application/did+json"),
        (status = 410, description = "The character was removed: its DID is deactivated", body = ProblemBody, content_type = "application/problem+json"),
        Problems
    )
)]
pub(in crate::api) async fn get_character_document(
    State(state): State<ApiState>,
    PathText(handle): PathText,
) -> Result<Response, ApiError> {
    let mut tx = state.database.begin_read().await?;
    let Some(found) = CharacterState::read(&mut tx, &handle).await? else {
        let handle = Handle::parse(&handle).map_err(|_| ApiError::NoSuchPath)?;
        return Err(CharacterError::NoSuchCharacter(handle).into());
    };
    let did = Local::Character(handle).did(&state.documents.host);
    let latest = found.history.latest();
    match latest.and_then(|version| found.history.document(&did, &version)) {
        Some(document) => answer(&document),
        None => Err(CharacterError::Removed(found.character.handle).into()),
    }
}

/// That a record has no change of an id.
fn no_change(did: &Did, id: Option<VersionId>) -> Failure {
    let form = "the id of a version is the number of a change of the record with a digest of what it made, as `versionId` and `nextVersionId` of its metadata have it";
    let detail = match id {
        Some(id) => format!("{did} never had a version {id}; {form}"),
        None => format!("{did} never had such a version; {form}"),
    };
    Refusal::new(Code::NotFound, detail).into()
}

/// A character's DID, resolved.
pub(super) async fn resolve_character(
    state: &ApiState,
    did: &Did,
    handle: &str,
    moment: Moment,
) -> Result<Resolution, Failure> {
    // Before the record is read: what is read is then at least as new as the moment.
    check_over(state, moment)?;
    let mut tx = state.database.begin_read().await?;
    let found = CharacterState::read(&mut tx, handle).await?.ok_or_else(|| not_found(did))?;
    let history = &found.history;
    let version = match moment {
        Moment::Latest | Moment::At(At::Latest) => history.latest(),
        Moment::At(At::Time(time)) => {
            let version = history.at(time);
            if version.is_none() {
                let detail = format!("{did} did not exist at {time}");
                return Err(Refusal::new(Code::NotFound, detail).into());
            }
            version
        }
        Moment::At(At::Safe | At::Finalized | At::Block(_)) => {
            let detail = "a character's record is not the chain's: ask by versionTime or versionId";
            return Err(Refusal::new(Code::FeatureNotSupported, detail).into());
        }
        Moment::Version(id) => {
            let version = id.and_then(|id| history.version_of(id));
            Some(version.ok_or_else(|| no_change(did, id))?)
        }
    };
    let version = version.ok_or_else(|| not_found(did))?;
    let mut metadata = found.metadata(&version);
    let canonical = Local::Character(handle.to_owned()).did(&state.documents.host);
    metadata.extend(same_as(did, &canonical));
    match history.document(did.as_str(), &version) {
        Some(document) => Ok(Resolution::of(&document, metadata, Map::new())?),
        None => Ok(Resolution::deactivated(metadata, Map::new())),
    }
}
