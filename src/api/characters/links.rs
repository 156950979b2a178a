//! The way of a wallet's signature: a challenge is asked for, signed, and sent back.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::read_account;
use crate::api::error::{ApiError, BodyProblems, CharacterProblems};
use crate::api::extract::{Bearer, Body, Turn};
use crate::api::router::Shared;
use crate::api::wire::Block;
use crate::app::Proof;
use crate::attest::siwe::Purpose;
use crate::did::web::{Local, WebDid};
use crate::did::{Did, pkh};
use crate::vocab::UnixSeconds;

/// What a challenge is wanted for.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct ChallengeRequest {
    /// The character: its handle, or its DID.
    #[schema(example = "ada")]
    #[serde(alias = "handle")]
    character: String,
    /// The account that is to sign: CAIP-10, did:pkh, or an address on the chain that is followed.
    #[schema(example = "eip155:8453:0xd8dA6BF26964aF9D7eEd9e03E53415D37aA96045")]
    account: String,
    /// `link` (where nothing is said; takes the character's token), `unlink`, or `token` for a new token in the place of a lost one.
    #[schema(example = "link")]
    purpose: Option<String>,
}

/// A challenge. It lasts five minutes and is of use once.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct ChallengeAnswer {
    /// The text to sign as it is, byte for byte, with `personal_sign` (EIP-191): a message of Sign-In with Ethereum (EIP-4361).
    message: String,
    nonce: String,
    /// The character's DID, which the message names as its resource.
    did: String,
    /// The account that is to sign, CAIP-10.
    account: String,
    purpose: &'static str,
    /// From when on it counts no more, RFC 3339.
    #[schema(value_type = String)]
    expires: UnixSeconds,
}

/// A challenge that was signed.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct LinkRequest {
    /// The message of the challenge, unchanged.
    message: String,
    /// The account's signature, `0x` hex: of its key (65 bytes, or 64 by EIP-2098), of its contract (ERC-1271), or of the contract that it
    /// will be (ERC-6492).
    signature: String,
}

/// What came of a signed challenge.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct LinkedAnswer {
    character: String,
    did: String,
    /// The account that signed, CAIP-10.
    account: String,
    /// The account as an identifier.
    account_did: String,
    purpose: &'static str,
    /// `key`, `erc1271` or `erc6492`.
    signed_by: &'static str,
    /// The block at whose end the contract was asked; null where a key signed.
    block: Option<Block>,
    /// The number of the change of the character's record; null where there was none.
    change: Option<u64>,
    /// When, RFC 3339; null where there was no change.
    #[schema(value_type = Option<String>)]
    time: Option<UnixSeconds>,
    /// The new token, where one was asked for; shown this once.
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<String>,
}

impl From<Proof> for LinkedAnswer {
    fn from(proof: Proof) -> Self {
        let block = proof.signed_by.block();
        Self {
            character: proof.handle.to_string(),
            did: proof.did,
            account: proof.account.to_string(),
            account_did: pkh::did(proof.account),
            purpose: proof.purpose.as_str(),
            signed_by: proof.signed_by.as_str(),
            block: block.map(|at| Block { number: at.number, hash: Some(at.hash), time: None }),
            change: proof.change.map(|change| change.number),
            time: proof.change.map(|change| change.time),
            token: proof.token.map(|token| token.expose().to_owned()),
        }
    }
}

/// Gives a challenge for an account to sign.
#[utoipa::path(
    post, path = "/v1/links/challenge", tag = "characters", request_body = ChallengeRequest,
    security(("characterToken" = []), ("operatorToken" = []), ()),
    responses((status = 201, description = "The challenge", body = ChallengeAnswer), CharacterProblems, BodyProblems)
)]
pub(in crate::api) async fn create_challenge(
    State(state): State<Shared>,
    Bearer(token): Bearer,
    turn: Turn,
    Body(request): Body<ChallengeRequest>,
) -> Result<Response, ApiError> {
    turn.take(&state)?;
    let word = request.purpose.as_deref().unwrap_or(Purpose::Link.as_str());
    let purpose = Purpose::from_word(word).ok_or_else(|| {
        let shown = crate::api::shorten(word);
        ApiError::field("purpose", format!("`{shown}` is none of `link`, `unlink` and `token`"))
    })?;
    let handle = handle_of(&state, &request.character)?;
    let account = read_account(&state, &request.account).await?;
    let account = account.map_err(|detail| ApiError::field("account", detail))?;
    let characters = state.characters();
    let given = characters.challenge(&handle, account, purpose, token.as_deref()).await?;
    let answer = ChallengeAnswer {
        did: Local::Character(given.handle.to_string()).did(&state.documents.host),
        message: given.challenge.message,
        nonce: given.challenge.nonce,
        account: account.to_string(),
        purpose: purpose.as_str(),
        expires: given.challenge.expires,
    };
    Ok((StatusCode::CREATED, Json(answer)).into_response())
}

/// Takes a signed challenge back and does what it says: links the account, takes it away, or gives a new token.
#[utoipa::path(
    post, path = "/v1/links", tag = "characters", request_body = LinkRequest,
    responses(
        (status = 201, description = "The account is linked", body = LinkedAnswer),
        (status = 200, description = "The account was taken away, or a token given", body = LinkedAnswer),
        CharacterProblems,
        BodyProblems
    )
)]
pub(in crate::api) async fn create_link(
    State(state): State<Shared>,
    turn: Turn,
    Body(request): Body<LinkRequest>,
) -> Result<Response, ApiError> {
    turn.take(&state)?;
    let state = state.asked_by(&turn);
    let proof = state.characters().prove(&request.message, &request.signature).await?;
    let is_link = proof.purpose == Purpose::Link;
    let status = if is_link { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, Json(LinkedAnswer::from(proof))).into_response())
}

/// The handle that a request names, by itself or as a DID of this host.
fn handle_of(state: &Shared, text: &str) -> Result<String, ApiError> {
    if !text.starts_with("did:") {
        return Ok(text.to_owned());
    }
    let web = Did::parse(text).and_then(|did| WebDid::parse(&did));
    let web = web.map_err(|error| ApiError::field("character", error.to_string()))?;
    let host = &state.documents.host;
    let local = Local::of(&web).filter(|_| web.host == *host);
    if let Some(Local::Character(handle)) = local {
        return Ok(handle);
    }
    let detail = format!("characters of this service are did:web:{host}:character:…");
    Err(ApiError::field("character", detail))
}
