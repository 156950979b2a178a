//! `POST /v1/wallets/lookup`: whose wallets many accounts are, in one answer of one state.

use axum::extract::State;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::at::At;
use super::error::{ApiError, ProblemBody, Problems};
use super::extract::Body;
use super::page::Page;
use super::reading::Standpoint;
use super::router::Shared;
use super::wallets::{WalletAgents, agents_of};
use super::whose::{Whose, whose};
use super::wire::{AsOf, json};
use crate::vocab::AccountId;

/// The most accounts in one request.
const ACCOUNTS_MAX: usize = 500;
/// How many agents of one account are shown; the rest are pages of `/v1/wallets/{account}/agents`.
const AGENTS_MAX: u32 = 10;

/// The accounts to look up.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct LookupRequest {
    /// At most 500, each as in a path.
    #[schema(max_items = 500)]
    accounts: Vec<String>,
    /// `latest` (default), `safe`, `finalized`, `block:N` or `time:T`.
    at: Option<String>,
}

/// Whose wallets they are.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct LookupAnswer {
    /// One for each account, in the order they were given, each with at most ten agents.
    results: Vec<WalletAgents>,
    as_of: AsOf,
}

/// Whose wallets many accounts are as of one block.
#[utoipa::path(
    post, path = "/v1/wallets/lookup", tag = "wallets", request_body = LookupRequest,
    responses(
        (status = 200, description = "One result for each account, in order", body = LookupAnswer),
        (status = 413, description = "The body is too large", body = ProblemBody, content_type = "application/problem+json"),
        (status = 415, description = "The body is not JSON", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "The body does not say what it must; `field` names what is wrong", body = ProblemBody, content_type = "application/problem+json"),
        Problems
    )
)]
pub(super) async fn lookup(
    State(state): State<Shared>,
    Body(request): Body<LookupRequest>,
) -> Result<Response, ApiError> {
    let count = request.accounts.len();
    if count > ACCOUNTS_MAX {
        let detail = format!("{count} accounts are more than the {ACCOUNTS_MAX} of one request");
        return Err(ApiError::field("accounts", detail));
    }
    let at = request.at.as_deref().map_or(Ok(At::Latest), At::read);
    let at = at.map_err(|detail| ApiError::field("at", detail))?;
    let read = |standpoint: &Standpoint| {
        let account = |(i, text): (usize, &String)| {
            standpoint.account(text).map_err(|d| ApiError::field(format!("accounts[{i}]"), d))
        };
        request.accounts.iter().enumerate().map(account).collect::<Result<Vec<_>, _>>()
    };
    let page = Page::first("wallet-agents", AGENTS_MAX);
    let answer = |found: &Whose<'_>, accounts: &Vec<AccountId>| {
        let results = accounts.iter().map(|account| agents_of(found, *account, &page)).collect();
        json(&LookupAnswer { results, as_of: found.standpoint.as_of() })
    };
    whose(&state, at, read, answer).await
}
