//! `POST /v1/wallets/lookup`: whose wallets many accounts are, in one answer of one state.

use axum::extract::State;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::at::At;
use super::error::{ApiError, BodyProblems, ProblemBody, Problems};
use super::extract::Body;
use super::page::Page;
use super::reading::Standpoint;
use super::router::Shared;
use super::wallets::{AgentsOf, WalletAgents};
use super::whose::{Whose, whose};
use super::wire::{AsOf, Json, Plain, untagged};
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
#[derive(Serialize, ToSchema)]
pub(super) struct LookupAnswer {
    /// One for each account, in the order they were given, each with at most ten agents.
    results: Vec<WalletAgents>,
    as_of: AsOf,
}

/// The JSON of a [`LookupAnswer`].
fn answer_of(found: &Whose<'_>, accounts: &[AccountId]) -> Vec<u8> {
    let page = Page::first("wallet-agents", AGENTS_MAX);
    let places: Vec<_> = accounts.iter().map(|a| found.directory.find(a.address)).collect();
    let pages = accounts.iter().zip(places);
    let results: Vec<_> =
        pages.map(|(account, place)| AgentsOf::page(found, *account, place, &page)).collect();
    let mut json = Json::about(results.iter().map(AgentsOf::about).sum());
    json.raw(r#"{"results":"#);
    json.list(&results);
    json.raw(r#","as_of":"#);
    found.standpoint.as_of().write(&mut json);
    json.raw("}");
    json.into()
}

/// Whose wallets many accounts are as of one block.
#[utoipa::path(
    post, path = "/v1/wallets/lookup", tag = "wallets", request_body = LookupRequest,
    responses(
        (status = 200, description = "One result for each account, in order", body = LookupAnswer),
        (status = 422, description = "The body does not say what it must; `field` names what is wrong", body = ProblemBody, content_type = "application/problem+json"),
        BodyProblems,
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
    let answer =
        |found: &Whose<'_>, accounts: &Vec<AccountId>| untagged(answer_of(found, accounts));
    whose(&state, at, read, answer).await
}
