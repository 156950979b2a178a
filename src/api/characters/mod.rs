//! Human participants: created and removed, and their wallets linked and unlinked.
//!
//! `links` is the way of a wallet's signature. Everything here changes something, so it takes a token, an invitation or a signature, and
//! no browser is let in by where it comes from: there are no cookies. What one client may ask is bounded more tightly than for reads.

mod links;
mod refusal;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub(super) use links::*;
pub(super) use refusal::Kind;

use super::error::{ApiError, BodyProblems, CharacterProblems};
use super::extract::{Bearer, Body, PathText, Turn};
use super::router::Shared;
use crate::app::{Changed, Permit, Token};
use crate::vocab::{AccountId, ChainId, UnixSeconds};

/// The most invitations of one request, and how long they may last, in seconds.
const INVITATIONS_MAX: u32 = 1_000;
const INVITATION_S_MAX: u64 = 366 * 86_400;
const INVITATION_S: u64 = 7 * 86_400;

/// A character to create.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct CreateRequest {
    /// 3 to 20 ASCII letters, digits, `-` and `_`; letter case does not tell handles apart.
    #[schema(example = "ada")]
    handle: String,
    /// An invitation; without one, the operator's token must come as `Authorization: Bearer …`.
    invitation: Option<String>,
}

/// A character that was created.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct CreatedAnswer {
    handle: String,
    /// `did:web:HOST:character:HANDLE`.
    did: String,
    /// Manages the character: keep it, it is shown this once.
    token: String,
    /// When, RFC 3339.
    #[schema(value_type = String)]
    created: UnixSeconds,
}

/// A change of a character's record.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct ChangedAnswer {
    character: String,
    /// The number of the change.
    change: u64,
    /// When, RFC 3339.
    #[schema(value_type = String)]
    time: UnixSeconds,
}

impl From<Changed> for ChangedAnswer {
    fn from(Changed { handle, change }: Changed) -> Self {
        Self { character: handle.to_string(), change: change.number, time: change.time }
    }
}

/// Which invitations to make.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct InvitationsRequest {
    /// How many; 1 where nothing is said.
    #[schema(minimum = 1, maximum = 1000)]
    count: Option<u32>,
    /// How long they last, in seconds; a week where nothing is said.
    #[schema(minimum = 1, maximum = 31_622_400)]
    valid_s: Option<u64>,
}

/// Invitations, each to create one character.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct InvitationsAnswer {
    /// Shown this once.
    invitations: Vec<String>,
}

/// Creates a character.
#[utoipa::path(
    post, path = "/v1/characters", tag = "characters", request_body = CreateRequest,
    security(("operatorToken" = []), ()),
    responses(
        (status = 201, description = "It was created; the answer holds the token that manages it", body = CreatedAnswer),
        CharacterProblems,
        BodyProblems
    )
)]
pub(in crate::api) async fn create_character(
    State(state): State<Shared>,
    Bearer(token): Bearer,
    turn: Turn,
    Body(request): Body<CreateRequest>,
) -> Result<Response, ApiError> {
    let permit = match (&request.invitation, &token) {
        (Some(invitation), _) => Permit::Invitation(invitation),
        (None, Some(token)) => Permit::Operator(token),
        (None, None) => {
            return Err(ApiError::no_token(
                "send the operator's token as `Authorization: Bearer …`, or an `invitation`",
            ));
        }
    };
    // Whoever has the operator's token may create as many as it likes.
    if !matches!(permit, Permit::Operator(token) if state.characters().check_operator(Some(token)).is_ok())
    {
        turn.take(&state)?;
    }
    let created = state.characters().create(&request.handle, permit).await?;
    let answer = CreatedAnswer {
        handle: created.handle.to_string(),
        did: created.did,
        token: created.token.expose().to_owned(),
        created: created.created,
    };
    Ok((StatusCode::CREATED, Json(answer)).into_response())
}

/// Removes a character: its DID is deactivated for ever, and its handle is never given again.
#[utoipa::path(
    delete, path = "/v1/characters/{handle}", tag = "characters",
    security(("characterToken" = []), ("operatorToken" = [])),
    params(("handle" = String, Path, description = "The handle", example = "ada")),
    responses((status = 200, description = "It was removed", body = ChangedAnswer), CharacterProblems)
)]
pub(in crate::api) async fn remove_character(
    State(state): State<Shared>,
    Bearer(token): Bearer,
    turn: Turn,
    PathText(handle): PathText,
) -> Result<Response, ApiError> {
    turn.take(&state)?;
    let changed = state.characters().remove(&handle, token.as_deref()).await?;
    Ok(Json(ChangedAnswer::from(changed)).into_response())
}

/// Takes a wallet away from a character, by the token that manages the character. A wallet itself does so by its signature.
#[utoipa::path(
    delete, path = "/v1/characters/{handle}/wallets/{account}", tag = "characters",
    security(("characterToken" = []), ("operatorToken" = [])),
    params(
        ("handle" = String, Path, description = "The handle", example = "ada"),
        ("account" = String, Path, description = "The account, CAIP-10 or did:pkh", example = "eip155:8453:0xd8dA6BF26964aF9D7eEd9e03E53415D37aA96045"),
    ),
    responses((status = 200, description = "It was taken away", body = ChangedAnswer), CharacterProblems)
)]
pub(in crate::api) async fn unlink_wallet(
    State(state): State<Shared>,
    Bearer(token): Bearer,
    turn: Turn,
    path: Result<Path<(String, String)>, axum::extract::rejection::PathRejection>,
) -> Result<Response, ApiError> {
    turn.take(&state)?;
    let Ok(Path((handle, account))) = path else { return Err(ApiError::NoSuchPath) };
    let account = read_account(&state, &account).await?;
    let account = account.map_err(|detail| ApiError::parameter("account", detail))?;
    let changed = state.characters().unlink(&handle, account, token.as_deref()).await?;
    Ok(Json(ChangedAnswer::from(changed)).into_response())
}

/// Makes invitations, each of which creates one character. Takes the operator's token.
#[utoipa::path(
    post, path = "/v1/invitations", tag = "characters", request_body = InvitationsRequest,
    security(("operatorToken" = [])),
    responses((status = 201, description = "The invitations", body = InvitationsAnswer), CharacterProblems, BodyProblems)
)]
pub(in crate::api) async fn create_invitations(
    State(state): State<Shared>,
    Bearer(token): Bearer,
    turn: Turn,
    Body(request): Body<InvitationsRequest>,
) -> Result<Response, ApiError> {
    turn.take(&state)?;
    state.characters().check_operator(token.as_deref())?;
    let count = request.count.unwrap_or(1);
    if !(1..=INVITATIONS_MAX).contains(&count) {
        let detail = format!("{count} is not a number from 1 to {INVITATIONS_MAX}");
        return Err(ApiError::field("count", detail));
    }
    let valid_s = request.valid_s.unwrap_or(INVITATION_S);
    if !(1..=INVITATION_S_MAX).contains(&valid_s) {
        let detail = format!("{valid_s} is not a number from 1 to {INVITATION_S_MAX}");
        return Err(ApiError::field("valid_s", detail));
    }
    let made = state.characters().invite(count, valid_s).await?;
    let invitations = made.iter().map(Token::expose).map(str::to_owned).collect();
    Ok((StatusCode::CREATED, Json(InvitationsAnswer { invitations })).into_response())
}

/// Reads an account; a bare address is on the chain that is followed. The inner error says what is wrong with it.
pub(super) async fn read_account(
    state: &Shared,
    text: &str,
) -> Result<Result<AccountId, String>, ApiError> {
    let is_bare = text.starts_with("0x") || text.starts_with("0X");
    let binding = if is_bare { state.database.begin_read().await?.binding().await? } else { None };
    Ok(match binding.map(|binding| binding.chain) {
        None if is_bare => {
            Err("no chain is followed yet: write the account as `eip155:8453:0x…`".to_owned())
        }
        // Its own chain is named where it is not bare, so this is not taken.
        chain => AccountId::parse(text, chain.unwrap_or(ChainId(0))).map_err(|e| e.to_string()),
    })
}
