//! `GET /v1/wallets/{account}/agents`: whose wallet an account is, or ever was.
//!
//! Several agents may name one wallet. The outcome is then `several`, with a count and pages, and never a guess.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::at::At;
use super::client_agent::outcome;
use super::error::{ApiError, Problems};
use super::extract::{Params, PathText};
use super::page::Page;
use super::reading::{Codes, Reading, Standpoint};
use super::router::Shared;
use super::state::ApiState;
use super::whose::{Whose, whose};
use super::wire::{Answer, AsOf, Json, Plain, SpanEnds, WalletSpan, tagged};
use crate::identity::{Found, Place, WalletEntry};
use crate::storage::AccountRole;
use crate::vocab::{AccountId, AccountText, AgentId, AgentText, Finality, Position};

/// Whose wallet, as of which block, or over all time.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct WalletQuery {
    /// `latest` (default), `safe`, `finalized`, `block:N` or `time:T`; not with `history=true`.
    at: Option<String>,
    /// `true`: every span in which the account was any agent's wallet.
    #[param(value_type = Option<bool>, default = false)]
    history: Option<String>,
    /// At most so many items.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 500, default = 50)]
    limit: Option<String>,
    /// `next` of the page before.
    cursor: Option<String>,
}

/// An agent, and the span in which the account was its wallet.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct WalletAgent {
    /// In full: registry and number.
    #[schema(value_type = String)]
    agent: AgentText,
    /// Its number, a `uint256`.
    #[schema(value_type = String)]
    agent_id: AgentId,
    /// The whole span that says so; it may have ended since the block that is answered as of.
    span: WalletSpan,
}

impl WalletAgent {
    fn of(
        account: AccountText,
        entry: &WalletEntry,
        standpoint: &Standpoint,
        codes: &Codes,
    ) -> Self {
        Self {
            agent: standpoint.agent_text(entry.agent),
            agent_id: entry.agent,
            span: WalletSpan::of_entry(account, entry, standpoint, codes),
        }
    }
}

/// The agents whose wallet an account is at the end of a block.
#[derive(Serialize, ToSchema)]
pub(super) struct WalletAgents {
    /// The account, CAIP-10.
    #[schema(value_type = String)]
    account: AccountText,
    /// `none`, `one` or `several`.
    outcome: &'static str,
    /// How many there are.
    count: u64,
    /// A page of them, by number.
    agents: Vec<WalletAgent>,
    /// What to pass as `cursor` for the next page; null at the end.
    next: Option<String>,
}

/// About how many bytes the JSON of an `as_of` takes.
pub(super) const AS_OF_BYTES: usize = 320;
/// What is kept of an account tells of at most so many agents: it is whole on every first page that shows as many.
const KEPT_AGENTS: usize = 10;

/// The agents whose wallet an account is at the end of the block that is answered as of: what [`WalletAgents`] tells of, written without
/// being made first, and only once while they are the same.
pub(super) enum AgentsOf<'a> {
    /// Its members, as they were written before.
    Kept(&'a [u8]),
    /// Where they stand, to be written; and where to keep that, if it is worth keeping.
    Found(FoundAgents<'a>, Option<Place<'a>>),
}

impl<'a> AgentsOf<'a> {
    /// A page of them.
    pub(super) fn page(
        found: &'a Whose<'_>,
        account: AccountId,
        place: Place<'a>,
        page: &Page<AgentId>,
    ) -> Self {
        let may_keep = page.begins_with(KEPT_AGENTS) && is_settled(found.standpoint, place);
        if let Some(kept) = place.kept().filter(|_| may_keep) {
            return Self::Kept(kept);
        }
        let agents = FoundAgents::page(found, account, place, page);
        let may_keep = may_keep && agents.next.is_none() && agents.entries.len() <= KEPT_AGENTS;
        Self::Found(agents, may_keep.then_some(place))
    }

    /// About how many bytes its JSON takes.
    pub(super) fn about(&self) -> usize {
        const ALONE: usize = 384;
        const EACH: usize = 512;
        const EDGES: usize = 3;
        match self {
            Self::Kept(kept) => EDGES + kept.len(),
            Self::Found(agents, _) => ALONE + EACH * agents.entries.len(),
        }
    }

    /// Its members: in an answer about one account they stand beside `as_of`.
    fn write_members(&self, json: &mut Json) {
        match self {
            Self::Kept(kept) => json.again(kept),
            Self::Found(agents, place) => {
                let begin = json.len();
                agents.write_members(json);
                if let Some(place) = place {
                    place.keep(json.since(begin));
                }
            }
        }
    }
}

impl Plain for AgentsOf<'_> {
    fn write(&self, json: &mut Json) {
        json.raw("{");
        self.write_members(json);
        json.raw("}");
    }
}

/// Whether all that ever happened to an account's spans had happened by the block that is answered as of, and is final: the answer is
/// then the same for whoever asks, until one of the spans changes.
fn is_settled(standpoint: &Standpoint, place: Place<'_>) -> bool {
    place.newest_block().is_some_and(|newest| {
        newest <= standpoint.block_number() && standpoint.finality(newest) == Finality::Finalized
    })
}

/// Agents whose wallet an account is, where they stand.
pub(super) struct FoundAgents<'a> {
    found: &'a Whose<'a>,
    account: AccountText,
    count: u64,
    entries: Vec<&'a WalletEntry>,
    next: Option<String>,
}

impl<'a> FoundAgents<'a> {
    fn page(
        found: &'a Whose<'_>,
        account: AccountId,
        place: Place<'a>,
        page: &Page<AgentId>,
    ) -> Self {
        let at = Position::end_of(found.standpoint.block_number());
        let limit = page.fetch() as usize;
        let Found { address, entries, count } = place.agents_at(at, page.after, limit);
        let (entries, next) = page.cut(entries, |entry| entry.agent);
        let account = address.map_or_else(|| account.to_text(), |a| account.chain.account_text(a));
        Self { found, account, count, entries, next }
    }

    fn write_members(&self, json: &mut Json) {
        let (registry, account) = (self.found.standpoint.registry_text(), self.account.as_str());
        json.raw(r#""account":"#);
        json.text(account);
        json.raw(r#","outcome":"#);
        json.text(outcome(self.count));
        json.raw(r#","count":"#);
        json.number(self.count);
        json.raw(r#","agents":["#);
        for (place, entry) in self.entries.iter().enumerate() {
            json.raw(if place == 0 { r#"{"agent":"# } else { r#",{"agent":"# });
            self.write_agent(entry, registry, account, json);
            json.raw("}");
        }
        json.raw(r#"],"next":"#);
        match &self.next {
            Some(next) => json.text(next),
            None => json.raw("null"),
        }
    }

    fn write_agent(&self, entry: &WalletEntry, registry: &str, account: &str, json: &mut Json) {
        let Whose { standpoint, codes, .. } = self.found;
        let agent = entry.agent.to_text();
        let agent = agent.as_str();
        json.pieces(&[registry, ":", agent]);
        json.raw(r#","agent_id":"#);
        json.text(agent);
        json.raw(r#","span":{"account":"#);
        json.text(account);
        json.raw(",");
        let causes = (entry.cause, entry.ended_by);
        let to = entry.to.as_ref();
        SpanEnds::between(&entry.from, to, causes, standpoint, codes).write_members(json);
        json.raw("}");
    }
}

/// Whose wallet an account is as of a block.
#[derive(Serialize, ToSchema)]
struct WalletAnswer {
    #[serde(flatten)]
    agents: WalletAgents,
    as_of: AsOf,
}

/// The JSON of a [`WalletAnswer`].
fn answer_of(found: &Whose<'_>, agents: &AgentsOf<'_>) -> Vec<u8> {
    let mut json = Json::about(AS_OF_BYTES + agents.about());
    json.raw("{");
    agents.write_members(&mut json);
    json.raw(r#","as_of":"#);
    found.standpoint.as_of().write(&mut json);
    json.raw("}");
    json.into()
}

/// Whose wallet an account was, over all time.
#[derive(Debug, Serialize, ToSchema)]
struct WalletHistory {
    /// The account, CAIP-10.
    #[schema(value_type = String)]
    account: AccountText,
    /// A page of spans, by agent, then oldest first.
    items: Vec<WalletAgent>,
    /// What to pass as `cursor` for the next page; null at the end.
    next: Option<String>,
    as_of: AsOf,
}

/// What is answered: one form as of a block, another for `history=true`.
#[derive(ToSchema)]
#[serde(untagged)]
#[derive(Serialize)]
#[expect(dead_code, reason = "it describes the two answers in the OpenAPI document")]
enum WalletAnswers {
    /// As of a block.
    AsOf(WalletAnswer),
    /// Over all time.
    History(WalletHistory),
}

/// The agents whose wallet an account is as of a block, or every span in which it was any agent's.
#[utoipa::path(
    get, path = "/v1/wallets/{account}/agents", tag = "wallets",
    params(
        ("account" = String, Path, description = "`0x…`, `eip155:8453:0x…` or `did:pkh:eip155:8453:0x…`"),
        WalletQuery,
    ),
    responses((status = 200, description = "The agents, or with `history=true` the spans", body = WalletAnswers), Problems)
)]
pub(super) async fn list_wallet_agents(
    State(state): State<Shared>,
    PathText(account): PathText,
    Params(query): Params<WalletQuery>,
) -> Result<Response, ApiError> {
    let (limit, cursor) = (query.limit.as_deref(), query.cursor.as_deref());
    let at = At::parse(query.at.as_deref())?;
    match query.history.as_deref() {
        None | Some("false") => {
            let page = Page::read("wallet-agents", limit, cursor)?;
            let read = |standpoint: &Standpoint| Ok([parse_account(standpoint, &account)?]);
            let answer = |found: &Whose<'_>, [account]: &[AccountId; 1]| {
                let place = found.directory.find(account.address);
                tagged(answer_of(found, &AgentsOf::page(found, *account, place, &page)))
            };
            whose(&state, at, read, answer).await
        }
        Some("true") if query.at.is_some() => {
            Err(ApiError::parameter("at", "the history is of all time; leave `at` out of it"))
        }
        Some("true") => {
            let page = Page::read("wallet-history", limit, cursor)?;
            // Boxed: what a request may do makes the future of every request large.
            let answer = Box::pin(history(&state, &account, &page)).await?;
            Ok(answer.into_response())
        }
        Some(other) => {
            let shown = super::shorten(other);
            Err(ApiError::parameter("history", format!("`{shown}` is not `true` or `false`")))
        }
    }
}

fn parse_account(reading: &Standpoint, text: &str) -> Result<AccountId, ApiError> {
    reading.account(text).map_err(|detail| ApiError::parameter("account", detail))
}

async fn history(
    state: &ApiState,
    account: &str,
    page: &Page<(AgentId, Position)>,
) -> Result<Answer<WalletHistory>, ApiError> {
    let mut reading = Reading::open(state, At::Latest).await?;
    let account = parse_account(&reading, account)?;
    let codes = reading.codes(&state.known).await?;
    let spans =
        reading.tx.spans_of(account.address, AccountRole::Wallet, page.after, page.fetch()).await?;
    let (spans, next) = page.cut(spans, |of| (of.agent, of.span.from.at));
    let account = account.to_text();
    let entries = spans.iter().filter_map(|of| WalletEntry::of(&of.span));
    let items = entries.map(|(_, e)| WalletAgent::of(account, &e, &reading, &codes)).collect();
    Ok(Answer(WalletHistory { account, items, next, as_of: reading.as_of() }))
}
