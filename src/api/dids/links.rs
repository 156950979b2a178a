//! `GET /v1/dids/{did}/links`: who says that two identifiers name the same, when, and whether the other side agrees.
//!
//! Of an agent: its registration, its wallets, the DIDs that its metadata names, and its owners where documents name them. Of a did:pkh the
//! same links from their other end (`account_links`). Without `at` the list is of all time; with it, of what held at the end of that block.

use alloy::primitives::keccak256;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::account_links;
use crate::api::at::At;
use crate::api::error::{ApiError, Problems};
use crate::api::extract::Params;
use crate::api::page::{Page, Place, Weigh};
use crate::api::reading::{Codes, Reading};
use crate::api::state::{ApiState, Documents};
use crate::api::wire::{Answer, Listing, SpanEnds};
use crate::did::link::{self, Link, LinkKind, Proof};
use crate::did::version::DID_KEY;
use crate::did::web::{Local, WebDid};
use crate::did::{Did, pkh};
use crate::identity::{EvidencedSpan, TimelineRef};
use crate::vocab::{AgentId, AgentRef, Position};

/// As of which block, and which page.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in crate::api) struct LinksQuery {
    /// Only what held as of `latest`, `safe`, `finalized`, `block:N` or `time:T`; without it, all that ever held.
    pub(super) at: Option<String>,
    /// At most so many items.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 500, default = 50)]
    pub(super) limit: Option<String>,
    /// `next` of the page before.
    pub(super) cursor: Option<String>,
}

/// That two identifiers name the same.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Link)]
pub(in crate::api) struct LinkAnswer {
    /// What `object` is: `registration` (CAIP-19), `owner`, `wallet` (both did:pkh) or `did`.
    kind: &'static str,
    /// The DID whose document claims it.
    subject: String,
    /// The other name.
    object: String,
    /// What says so on the subject's side, at `from`: `registered` (the registry), `observed` (the contract, when asked) or `metadata`.
    subject_says: Option<&'static str>,
    /// What says so on the object's side, at `from`: `signature` (the wallet's, checked by the registry) or `metadata` (the registration
    /// names the DID); null where it is silent.
    object_says: Option<&'static str>,
    /// Whether both sides say so.
    both_ways: bool,
    /// How it was proven: `registered`, `observed`, `signature` or `metadata`.
    proof: Option<&'static str>,
    #[serde(flatten)]
    span: SpanEnds,
}

impl LinkAnswer {
    pub(super) fn of(link: Link, span: SpanEnds) -> Self {
        Self {
            kind: link.kind.as_str(),
            both_ways: link.is_both_ways(),
            proof: link.proof().map(Proof::as_str),
            subject_says: link.subject_says.map(Proof::as_str),
            object_says: link.object_says.map(Proof::as_str),
            subject: link.subject,
            object: link.object,
            span,
        }
    }
}

/// The links of a DID.
#[utoipa::path(
    get, path = "/v1/dids/{did}/links", tag = "identifiers",
    params(
        ("did" = String, Path, description = "A did:web of an agent of this host, or a did:pkh; percent-encoded, or as it is", example = "did:web:example.org:agents:8453:22"),
        LinksQuery,
    ),
    responses((status = 200, description = "The links, oldest first; of a did:pkh by agent, then oldest first", body = Listing<LinkAnswer>), Problems)
)]
pub(in crate::api) async fn list_links(
    State(state): State<ApiState>,
    uri: axum::http::Uri,
    Params(query): Params<LinksQuery>,
) -> Result<Response, ApiError> {
    let asked = uri.path().strip_prefix("/v1/dids/").and_then(|rest| rest.strip_suffix("/links"));
    let refuse = |detail: String| ApiError::parameter("did", detail);
    let text = super::request::unescape(asked.unwrap_or_default()).map_err(|r| refuse(r.detail))?;
    let did = Did::parse(&text).map_err(|error| refuse(error.to_string()))?;
    match did.method() {
        "pkh" => {
            let account = pkh::parse(&did).map_err(|error| refuse(error.to_string()))?;
            let answer = account_links::of_account(&state, account, &query).await?;
            Ok(answer.into_response())
        }
        "web" => {
            let web = WebDid::parse(&did).map_err(|error| refuse(error.to_string()))?;
            let local = Local::of(&web).filter(|_| web.host == state.documents.host);
            let Some(Local::Agent(chain, id)) = local else {
                let host = &state.documents.host;
                return Err(refuse(format!("of did:web, the agents of {host} have links here")));
            };
            let mut reading = Reading::open(&state, At::parse(query.at.as_deref())?).await?;
            let agent = format!("{}:{id}", chain.0);
            let (agent, owner) = reading.ever(&agent).await?;
            let answer = of_agent(&state, &mut reading, agent, owner, &query).await?;
            Ok(answer.into_response())
        }
        _ => Err(refuse("a did:web of an agent, or a did:pkh, has links here".to_owned())),
    }
}

/// A link's place among those of one agent: where it begins, then its kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct LinkPlace {
    pub(super) at: Position,
    pub(super) kind: LinkKind,
}

impl Place for LinkPlace {
    fn to_text(&self) -> String {
        format!("{}/{}", self.at.to_text(), self.kind.as_str())
    }

    fn parse(text: &str) -> Option<Self> {
        let (at, word) = text.split_once('/')?;
        let kind = LinkKind::ALL.into_iter().find(|kind| kind.as_str() == word)?;
        Some(Self { at: Position::parse(at)?, kind })
    }
}

/// A span, and the link that it is if it is one: a page is counted in spans, or one full of nothing would lose those behind it.
struct Evidenced {
    place: LinkPlace,
    link: Option<Link>,
    span: EvidencedSpan,
}

impl Weigh for Evidenced {
    fn weight(&self) -> usize {
        self.span.weight()
    }
}

impl Evidenced {
    fn new(kind: LinkKind, link: Option<Link>, span: EvidencedSpan) -> Self {
        Self { place: LinkPlace { at: span.from.at, kind }, link, span }
    }

    fn answer(self, reading: &Reading, codes: &Codes) -> Option<LinkAnswer> {
        Some(LinkAnswer::of(self.link?, SpanEnds::of(&self.span, reading, codes)))
    }
}

/// The timelines that links of an agent come from, each with its place among those of one position.
fn timelines(agent: AgentId, settings: &Documents) -> Vec<(LinkKind, TimelineRef)> {
    let owner = (LinkKind::Owner, TimelineRef::Owner(agent));
    let wallet = (LinkKind::Wallet, TimelineRef::Wallet(agent));
    let did = (LinkKind::Did, TimelineRef::Metadata(agent, keccak256(DID_KEY)));
    settings.name_owner.then_some(owner).into_iter().chain([wallet, did]).collect()
}

async fn of_agent(
    state: &ApiState,
    reading: &mut Reading,
    agent: AgentRef,
    life: EvidencedSpan,
    query: &LinksQuery,
) -> Result<Answer<Listing<LinkAnswer>>, ApiError> {
    let mut page =
        Page::<LinkPlace>::read("links", query.limit.as_deref(), query.cursor.as_deref())?;
    let codes = reading.codes(&state.known).await?;
    loop {
        let found = places_of(state, reading, agent, &life, query, &page).await?;
        let (found, next) = page.cut(found, |of| of.place);
        let last = found.last().map(|of| of.place);
        let items: Vec<_> = found.into_iter().filter_map(|of| of.answer(reading, &codes)).collect();
        // Spans that name nobody are no links; a page of nothing else is passed over.
        if items.is_empty() && next.is_some() {
            page.after = last;
            continue;
        }
        return Ok(Answer(Listing { items, next, as_of: reading.as_of() }));
    }
}

/// What may be a link of an agent, in the order of places, as much as a page needs.
async fn places_of(
    state: &ApiState,
    reading: &mut Reading,
    agent: AgentRef,
    life: &EvidencedSpan,
    query: &LinksQuery,
    page: &Page<LinkPlace>,
) -> Result<Vec<Evidenced>, ApiError> {
    let block = query.at.is_some().then(|| reading.block_number());
    let host = &state.documents.host;
    let ended = life.to.map(|to| to.at);
    let registration = link::registration(agent, host, life.from.at, ended);
    let is_alive = block.is_none_or(|block| ended.is_none_or(|to| to.block_number > block));
    let mut found = Vec::new();
    if is_alive {
        found.push(Evidenced::new(LinkKind::Registration, Some(registration), life.clone()));
    }
    for (kind, timeline) in timelines(agent.id, &state.documents) {
        let spans = if let Some(block) = block {
            reading.tx.span_at(timeline, block).await?.into_iter().collect()
        } else {
            // One position may hold a link of each kind: those of later kinds at the last one's are still to come.
            let after = page.after.and_then(|place| before(place.at));
            reading.tx.timeline(timeline, after, page.fetch() + 1).await?
        };
        found.extend(
            spans
                .into_iter()
                .map(|span| Evidenced::new(kind, link::of_agent(agent, host, &span.record), span)),
        );
    }
    found.retain(|of| page.after.is_none_or(|after| of.place > after));
    found.sort_by_key(|of| of.place);
    Ok(found)
}

/// The last place before one.
pub(super) fn before(at: Position) -> Option<Position> {
    match at.log_index.checked_sub(1) {
        Some(log) => Some(Position::new(at.block_number, log)),
        None => at.block_number.checked_sub(1).map(Position::end_of),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_read_back_and_have_one_before_them() {
        for kind in LinkKind::ALL {
            let place = LinkPlace { at: Position::new(7, 3), kind };
            assert_eq!(LinkPlace::parse(&place.to_text()), Some(place));
        }
        assert_eq!(LinkPlace::parse("7.3/other"), None);
        assert_eq!(before(Position::new(7, 3)), Some(Position::new(7, 2)));
        assert_eq!(before(Position::new(7, 0)), Some(Position::end_of(6)));
        assert_eq!(before(Position::new(0, 0)), None);
    }
}
