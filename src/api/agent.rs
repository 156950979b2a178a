//! `GET /v1/agents/{agent}`: everything that held for one agent at the end of a block.

use std::collections::BTreeMap;

use alloy::primitives::keccak256;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::at::At;
use super::error::{ApiError, Problems};
use super::extract::{Params, PathText};
use super::files::{Entries, FileAnswer, claims_at, failing, heard_by, source_of};
use super::operators::{self, OperatorNow};
use super::page::{LIMIT_MAX, Page};
use super::reading::{Codes, Reading};
use super::state::ApiState;
use super::wire::{Answer, AsOf, MetadataValue, PositionAnswer, account_text, entry_of, uri_of};
use crate::did::version::DID_KEY;
use crate::identity::{EvidencedSpan, SpanCause, TimelineRef};
use crate::vocab::{AccountId, AgentRef, Position, UnixSeconds};

/// As of which block.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct AtQuery {
    /// `latest` (default), `safe`, `finalized`, `block:N` or `time:T` (RFC 3339 or unix seconds).
    #[param(example = "block:41663783")]
    pub(super) at: Option<String>,
}

/// An agent at the end of a block.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Agent)]
pub(super) struct AgentAnswer {
    /// In full: registry and number.
    #[schema(example = "eip155:8453:0x8004A169FB4a3325136EB29fA0ceB6D2e539a432:22")]
    agent: String,
    /// Its number, a `uint256`.
    agent_id: String,
    /// The chain, CAIP-2.
    chain: String,
    /// The registry that names it: ERC-8004's `agentRegistry`.
    registry: String,
    /// The holder of its token, CAIP-10.
    owner: String,
    /// The account that the registry names for it; null where there is none.
    wallet: Option<WalletNow>,
    /// Its URI; empty until one is set.
    uri: String,
    /// The URI's bytes as `0x` hex, where they are not UTF-8.
    #[serde(skip_serializing_if = "Option::is_none")]
    uri_hex: Option<String>,
    /// Its metadata: by key as text, or as `0x` hex where the key is not UTF-8 or itself begins with `0x`.
    metadata: BTreeMap<String, MetadataValue>,
    /// Whether there is more metadata than is shown; `/metadata` lists all of it.
    metadata_truncated: bool,
    /// Who may act for it beside its owner.
    operators: Vec<OperatorNow>,
    /// Whether there are more operators than are shown.
    operators_truncated: bool,
    /// Where it was minted.
    registered: Option<PositionAnswer>,
    /// The registration file that its URI leads to; null where it leads to none.
    file: Option<FileAnswer>,
    /// Other names of it.
    aliases: Vec<Alias>,
    /// What is worth knowing before believing the above.
    findings: Vec<Finding>,
    as_of: AsOf,
}

/// The wallet of an agent.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Wallet)]
struct WalletNow {
    /// CAIP-10.
    account: String,
    /// Why it is: `registered`, `proven` or `observed`.
    cause: Option<&'static str>,
    /// Whether it signed for it. A wallet that is only registered never did.
    proven: bool,
    /// Since when.
    since: PositionAnswer,
}

/// Another name of an agent.
#[derive(Debug, Serialize, ToSchema)]
struct Alias {
    /// What kind of name: `caip19`.
    kind: &'static str,
    /// The name.
    name: String,
}

/// Something worth knowing: not an error, but a reason for care.
#[derive(Debug, Serialize, ToSchema)]
struct Finding {
    /// `unverified-implementation`, `wallet-unsettled` or `wallet-observed`. Of the registration file: `file-uri`, `file-too-large`,
    /// `file-encoding`, `file-json`, `file-form`, `file-endpoint`, `file-registrations`, `file-wallet`, `file-not-verified`,
    /// `file-not-fetched`, and `not-named-back`.
    kind: &'static str,
    /// In words.
    detail: String,
    /// Since when, where that is known.
    since: Option<PositionAnswer>,
}

/// An agent as of a block.
#[utoipa::path(
    get, path = "/v1/agents/{agent}", tag = "agents",
    params(
        ("agent" = String, Path, description = "`22`, `8453:22`, `eip155:8453:0x…:22`, or CAIP-19 with its slashes percent-encoded"),
        AtQuery,
    ),
    responses((status = 200, description = "The agent", body = AgentAnswer), Problems)
)]
pub(super) async fn get_agent(
    State(state): State<ApiState>,
    PathText(agent): PathText,
    Params(query): Params<AtQuery>,
) -> Result<Answer<AgentAnswer>, ApiError> {
    let at = At::parse(query.at.as_deref())?;
    let mut reading = Reading::open(&state, at).await?;
    let (agent, owner) = reading.agent(&agent).await?;
    let codes = reading.codes(&state.known).await?;
    let time = heard_by(&state, &mut reading, at).await?;
    read(&state, &mut reading, &codes, (agent, owner), time).await.map(Answer)
}

async fn read(
    state: &ApiState,
    reading: &mut Reading,
    codes: &Codes,
    (agent, owner): (AgentRef, EvidencedSpan),
    time: UnixSeconds,
) -> Result<AgentAnswer, ApiError> {
    let block = reading.block_number();
    let (metadata, metadata_truncated) = metadata(reading, agent).await?;
    let (operators, operators_truncated) = operators::now(reading, agent.id, &owner).await?;
    let wallet = reading.tx.span_at(TimelineRef::Wallet(agent.id), block).await?;
    let uri = reading.tx.span_at(TimelineRef::Uri(agent.id), block).await?;
    let (file, of_file) = file(state, reading, agent, uri.as_ref(), wallet.as_ref(), time).await?;
    let (uri, uri_hex) = uri.map_or(Ok((String::new(), None)), |span| uri_of(&span.record))?;
    let minted = reading.tx.timeline(TimelineRef::Owner(agent.id), None, 1).await?.pop();
    let minted = minted.filter(|span| span.record.cause == Some(SpanCause::Registered));
    let mut findings = findings(reading, codes, agent, wallet.as_ref()).await?;
    findings.extend(of_file);
    Ok(AgentAnswer {
        agent: agent.to_string(),
        agent_id: agent.id.to_string(),
        chain: reading.chain().to_string(),
        registry: agent.registry.to_string(),
        owner: account_text(&owner.record, reading.chain())?,
        wallet: wallet.and_then(|span| wallet_now(&span, reading)),
        uri,
        uri_hex,
        metadata,
        metadata_truncated,
        operators,
        operators_truncated,
        registered: minted.map(|span| (&span.from).into()),
        file,
        aliases: vec![Alias { kind: "caip19", name: agent.caip19() }],
        findings,
        as_of: reading.as_of(),
    })
}

fn wallet_now(span: &EvidencedSpan, reading: &Reading) -> Option<WalletNow> {
    let address = span.record.value.account()?;
    Some(WalletNow {
        account: AccountId { chain: reading.chain(), address }.to_string(),
        cause: span.record.cause.map(SpanCause::as_str),
        proven: span.record.cause == Some(SpanCause::Proven),
        since: (&span.from).into(),
    })
}

async fn metadata(
    reading: &mut Reading,
    agent: AgentRef,
) -> Result<(BTreeMap<String, MetadataValue>, bool), ApiError> {
    let page = Page::first("metadata", LIMIT_MAX);
    let block = reading.block_number();
    let spans = reading.tx.metadata_at(agent.id, block, None, page.fetch()).await?;
    let (spans, next) = page.cut(spans, |span| span.from.at);
    let entries = spans.iter().map(|span| entry_of(&span.record)).collect::<Result<_, _>>()?;
    Ok((entries, next.is_some()))
}

async fn findings(
    reading: &mut Reading,
    codes: &Codes,
    agent: AgentRef,
    wallet: Option<&EvidencedSpan>,
) -> Result<Vec<Finding>, ApiError> {
    let block = reading.block_number();
    let mut findings = Vec::new();
    if !codes.knows(Position::end_of(block)) {
        findings.push(unverified(codes.span_at(Position::end_of(block)), reading));
    }
    if let Some(asked) = reading.tx.wallet_observed(agent.id, block).await? {
        let asked_at = Position::end_of(asked.block.number);
        // What known code said later settles the doubt.
        let is_settled =
            wallet.is_some_and(|span| span.from.at > asked_at && codes.knows(span.from.at));
        if asked.answer.is_none() && !is_settled {
            let held = reading.tx.block_at(asked.block.number).await?;
            let since = PositionAnswer {
                block: asked.block.number,
                log_index: None,
                tx_hash: None,
                time: held.map(|held| held.stamp.time),
            };
            let detail = "the contract's code is not known, and the node could not say which wallet \
                          the contract names";
            findings.push(Finding {
                kind: "wallet-unsettled",
                detail: detail.to_owned(),
                since: Some(since),
            });
        }
    }
    if let Some(span) = wallet.filter(|span| span.record.cause == Some(SpanCause::Observed)) {
        let detail = "the contract itself names another wallet than its events do; its own answer \
                      is shown";
        findings.push(Finding {
            kind: "wallet-observed",
            detail: detail.to_owned(),
            since: Some((&span.from).into()),
        });
    }
    Ok(findings)
}

/// The registration file by a time, and what is wrong with it.
async fn file(
    state: &ApiState,
    reading: &mut Reading,
    agent: AgentRef,
    uri: Option<&EvidencedSpan>,
    wallet: Option<&EvidencedSpan>,
    time: UnixSeconds,
) -> Result<(Option<FileAnswer>, Vec<Finding>), ApiError> {
    let block = reading.block_number();
    let entry = TimelineRef::Metadata(agent.id, keccak256(DID_KEY));
    let entry = reading.tx.span_at(entry, block).await?;
    let entries = Entries::of(uri, entry.as_ref());
    let claims = claims_at(reading, state, agent, entries, time).await?;
    let fetching = match source_of(&claims) {
        Some(source) => reading.tx.source_state(source.id()).await?,
        None => None,
    };
    let wallet = wallet.and_then(|span| span.record.value.account());
    let wallet = wallet.map(|address| AccountId { chain: reading.chain(), address });
    let of_file = claims.file.iter().flat_map(|file| file.flaws_as_of(agent, wallet));
    let flaws = claims.flaws.iter().cloned().chain(of_file);
    let flaws = flaws.chain(fetching.as_ref().and_then(failing));
    // What is wrong with a URI has been so since it was set; what is wrong with a host is said with its times.
    let is_inline = source_of(&claims).is_none();
    let since = || uri.filter(|_| is_inline).map(|span| (&span.from).into());
    let findings =
        flaws.map(|flaw| Finding { kind: flaw.kind.as_str(), detail: flaw.detail, since: since() });
    let findings = findings.collect();
    Ok((FileAnswer::of(&claims, agent, fetching.as_ref()), findings))
}

fn unverified(code: Option<&EvidencedSpan>, reading: &Reading) -> Finding {
    let address = code.and_then(|span| span.record.value.account());
    let detail = match address {
        Some(address) => {
            let code = AccountId { chain: reading.chain(), address };
            format!(
                "the registry runs code that is not known here ({code}): its events may mean something else"
            )
        }
        None => "which code the registry runs was not seen: its events may mean something else"
            .to_owned(),
    };
    let since = code.map(|span| (&span.from).into());
    Finding { kind: "unverified-implementation", detail, since }
}
