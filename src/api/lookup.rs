//! `POST /v1/wallets/lookup`: whose wallets many accounts are, in one answer of one state.

use std::fmt;

use alloy::primitives::Address;
use axum::extract::State;
use axum::response::Response;
use serde::de::{Deserializer, Error, Visitor};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::at::At;
use super::error::{ApiError, BodyProblems, ProblemBody, Problems};
use super::extract::Body;
use super::page::Page;
use super::reading::Standpoint;
use super::router::Shared;
use super::wallets::{AS_OF_BYTES, AgentsOf, WalletAgents};
use super::whose::{Whose, whose};
use super::wire::{AsOf, Json, Plain, untagged};
use crate::vocab::{AccountId, parse_address};

/// The most accounts in one request.
const ACCOUNTS_MAX: usize = 500;
/// How many agents of one account are shown; the rest are pages of `/v1/wallets/{account}/agents`.
const AGENTS_MAX: u32 = 10;

/// The accounts to look up.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct LookupRequest {
    /// At most 500, each as in a path.
    #[schema(value_type = Vec<String>, max_items = 500)]
    accounts: Vec<Asked>,
    /// `latest` (default), `safe`, `finalized`, `block:N` or `time:T`.
    at: Option<String>,
}

/// An account that is asked about. Most are bare addresses, which are read where they stand.
#[derive(Debug)]
enum Asked {
    Address(Address),
    Text(String),
}

impl Asked {
    /// The account, which must be of the chain; otherwise what is wrong.
    fn read(&self, standpoint: &Standpoint) -> Result<AccountId, String> {
        match self {
            Self::Address(address) => {
                Ok(AccountId { chain: standpoint.chain(), address: *address })
            }
            Self::Text(text) => standpoint.account(text),
        }
    }
}

impl<'de> Deserialize<'de> for Asked {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;

        impl Visitor<'_> for Reader {
            type Value = Asked;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Asked, E> {
                let address = parse_address(text).map(Asked::Address);
                Ok(address.unwrap_or_else(|| Asked::Text(text.to_owned())))
            }
        }

        deserializer.deserialize_str(Reader)
    }
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
    let mut json = Json::about(AS_OF_BYTES + results.iter().map(AgentsOf::about).sum::<usize>());
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
        let account = |(i, asked): (usize, &Asked)| {
            asked.read(standpoint).map_err(|d| ApiError::field(format!("accounts[{i}]"), d))
        };
        request.accounts.iter().enumerate().map(account).collect::<Result<Vec<_>, _>>()
    };
    let answer =
        |found: &Whose<'_>, accounts: &Vec<AccountId>| untagged(answer_of(found, accounts));
    whose(&state, at, read, answer).await
}
