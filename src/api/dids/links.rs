//! `GET /v1/dids/{did}/links`: who says that two identifiers name the same, when, and whether the other side agrees.
//!
//! Of an agent: its registration, its wallets, the DIDs that its metadata and its registration files name, the domains of its endpoints, and its
//! owners where documents name them. What a file says, and whether those whom it names agree, is taken as it was last known within the
//! span, now where it is open. Of a did:pkh the same links from their other end (`account_links`), and the characters
//! (`character_links`). Without `at` the list is of all time; with it, of what held at the end of that block.

use alloy::primitives::keccak256;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::account_links;
use super::character_links::{self, RecordSpan};
use crate::api::at::At;
use crate::api::error::{ApiError, Problems};
use crate::api::extract::Params;
use crate::api::files::{Entries, claims_at, heard_by};
use crate::api::page::{Page, Place, Weigh};
use crate::api::reading::{Codes, Reading};
use crate::api::state::{ApiState, Documents};
use crate::api::wire::{Answer, Listing, SpanEnds};
use crate::did::link::{self, Link, LinkKind, Proof};
use crate::did::version::DID_KEY;
use crate::did::web::{Local, WebDid};
use crate::did::{Did, pkh};
use crate::identity::{EvidencedSpan, TimelineRef};
use crate::storage::ProvenLink;
use crate::vocab::{AgentId, AgentRef, Position, UnixSeconds};

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

/// When a link held, by what it rests on.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
#[schema(as = LinkSpan)]
pub(in crate::api) enum LinkSpan {
    /// The chain.
    Chain(SpanEnds),
    /// The record of a character.
    Record(RecordSpan),
}

/// That two identifiers name the same.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Link)]
pub(in crate::api) struct LinkAnswer {
    /// What `object` is: `registration` (CAIP-19), `owner`, `wallet` (both did:pkh), `did` or `domain` (an origin).
    kind: &'static str,
    /// The DID whose document claims it.
    subject: String,
    /// The other name.
    object: String,
    /// What says so on the subject's side, at `from`: `registered` (the registry), `observed` (the contract, when asked), `metadata`,
    /// `file` (the registration file), or of a character `record` (whoever manages it) or `siwe` (a wallet of its own).
    subject_says: Option<&'static str>,
    /// What says so on the object's side: `signature` (the wallet's, checked by the registry), `siwe` (the wallet's, over a challenge; of
    /// a character that an agent names, as of the block in `as_of`), `metadata` or `file` (the registration or the agent names the DID),
    /// `document` (the DID's own names the agent) or `domain` (its `/.well-known/agent-registration.json` does); null where it is
    /// silent, or not known.
    object_says: Option<&'static str>,
    /// Whether both sides say so.
    both_ways: bool,
    /// How it was proven: `registered`, `observed`, `signature`, `metadata`, `file` or `siwe`.
    proof: Option<&'static str>,
    /// When the object's side was last seen, where it had to be fetched; null where it was not, or not yet.
    #[schema(value_type = Option<String>)]
    checked: Option<UnixSeconds>,
    #[serde(flatten)]
    span: LinkSpan,
}

impl LinkAnswer {
    pub(super) fn of(link: Link, checked: Option<UnixSeconds>, span: SpanEnds) -> Self {
        Self {
            checked,
            kind: link.kind.as_str(),
            both_ways: link.is_both_ways(),
            proof: link.proof().map(Proof::as_str),
            subject_says: link.subject_says.map(Proof::as_str),
            object_says: link.object_says.map(Proof::as_str),
            subject: link.subject,
            object: link.object,
            span: LinkSpan::Chain(span),
        }
    }

    /// That a wallet is or was a character's.
    pub(super) fn of_record(did: &str, proven: ProvenLink) -> Self {
        Self {
            checked: None,
            kind: LinkKind::Wallet.as_str(),
            subject: did.to_owned(),
            object: pkh::did(proven.link.account),
            subject_says: Some(Proof::Record.as_str()),
            object_says: Some(Proof::Siwe.as_str()),
            both_ways: true,
            proof: Some(Proof::Siwe.as_str()),
            span: LinkSpan::Record(proven.into()),
        }
    }

    /// That an agent is a character's, by the word of both.
    pub(super) fn of_agent_and_character(did: &str, agent: String, span: SpanEnds) -> Self {
        Self {
            checked: None,
            kind: LinkKind::Did.as_str(),
            subject: did.to_owned(),
            object: agent,
            subject_says: Some(Proof::Siwe.as_str()),
            object_says: Some(Proof::Metadata.as_str()),
            both_ways: true,
            proof: Some(Proof::Siwe.as_str()),
            span: LinkSpan::Chain(span),
        }
    }
}

/// The links of a DID.
#[utoipa::path(
    get, path = "/v1/dids/{did}/links", tag = "identifiers",
    params(
        ("did" = String, Path, description = "A did:web of an agent or a character of this host, or a did:pkh; percent-encoded, or as it is", example = "did:web:example.org:agents:8453:22"),
        LinksQuery,
    ),
    responses((status = 200, description = "The links, oldest first; of a character its wallets, then its agents; of a did:pkh by agent, then oldest first, and then by character", body = Listing<LinkAnswer>), Problems)
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
            let mut listing = if character_links::is_among_characters(&query) {
                character_links::empty_page(&state, &query).await?
            } else {
                account_links::of_account(&state, account, &query).await?.0
            };
            if listing.next.is_none() {
                character_links::add_characters(&state, account, &query, &mut listing).await?;
            }
            Ok(Answer(listing).into_response())
        }
        "web" => {
            let web = WebDid::parse(&did).map_err(|error| refuse(error.to_string()))?;
            let local = Local::of(&web).filter(|_| web.host == state.documents.host);
            let (chain, id) = match local {
                Some(Local::Agent(chain, id)) => (chain, id),
                Some(Local::Character(handle)) => {
                    let answer = character_links::of_character(&state, handle, &query).await?;
                    return Ok(answer.into_response());
                }
                Some(Local::Service) | None => {
                    let host = &state.documents.host;
                    let detail =
                        format!("of did:web, agents and characters of {host} have links here");
                    return Err(refuse(detail));
                }
            };
            let mut reading = Reading::open(&state, At::parse(query.at.as_deref())?).await?;
            let agent = format!("{}:{id}", chain.0);
            let (agent, owner) = reading.ever(&agent).await?;
            let answer = of_agent(&state, &mut reading, agent, owner, &query).await?;
            Ok(answer.into_response())
        }
        _ => {
            let detail = "a did:web of an agent or a character, or a did:pkh, has links here";
            Err(refuse(detail.to_owned()))
        }
    }
}

/// A link's place among those of one agent: where it begins, then its kind, then its place in the file that makes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct LinkPlace {
    pub(super) at: Position,
    pub(super) kind: LinkKind,
    pub(super) nth: u8,
}

impl Place for LinkPlace {
    fn to_text(&self) -> String {
        format!("{}/{}/{}", self.at.to_text(), self.kind.as_str(), self.nth)
    }

    fn parse(text: &str) -> Option<Self> {
        let (at, rest) = text.split_once('/')?;
        let (word, nth) = rest.split_once('/')?;
        let kind = LinkKind::ALL.into_iter().find(|kind| kind.as_str() == word)?;
        Some(Self { at: Position::parse(at)?, kind, nth: nth.parse().ok()? })
    }
}

/// A span, and the link that it is if it is one: a page is counted in spans, or one full of nothing would lose those behind it.
struct Evidenced {
    place: LinkPlace,
    link: Option<Link>,
    checked: Option<UnixSeconds>,
    span: EvidencedSpan,
}

impl Weigh for Evidenced {
    fn weight(&self) -> usize {
        self.span.weight()
    }
}

impl Evidenced {
    fn new(kind: LinkKind, link: Option<Link>, span: EvidencedSpan) -> Self {
        Self { place: LinkPlace { at: span.from.at, kind, nth: 0 }, link, checked: None, span }
    }

    fn answer(self, reading: &Reading, codes: &Codes) -> Option<LinkAnswer> {
        Some(LinkAnswer::of(self.link?, self.checked, SpanEnds::of(&self.span, reading, codes)))
    }
}

/// The timelines that links of an agent come from, each with its place among those of one position.
fn timelines(agent: AgentId, settings: &Documents) -> Vec<(LinkKind, TimelineRef)> {
    let owner = (LinkKind::Owner, TimelineRef::Owner(agent));
    let wallet = (LinkKind::Wallet, TimelineRef::Wallet(agent));
    let did = (LinkKind::Did, TimelineRef::Metadata(agent, keccak256(DID_KEY)));
    // Its links are of several kinds; the last of them is where its page ends.
    let file = (LinkKind::Domain, TimelineRef::Uri(agent));
    settings.name_owner.then_some(owner).into_iter().chain([wallet, did, file]).collect()
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
        let (mut found, next) = page.cut(found, |of| of.place);
        let last = found.last().map(|of| of.place);
        for link in found.iter_mut().filter_map(|of| of.link.as_mut()) {
            if link.kind == LinkKind::Did {
                let at = query.at.as_deref();
                character_links::ask_character(state, reading, agent, at, link).await?;
            }
        }
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
        for span in spans {
            match timeline {
                TimelineRef::Uri(_) => {
                    found.extend(of_file(state, reading, agent, query, span).await?);
                }
                TimelineRef::Metadata(..) => {
                    found.push(of_entry(state, reading, agent, query, span).await?);
                }
                _ => {
                    let link = link::of_agent(agent, host, &span.record);
                    found.push(Evidenced::new(kind, link, span));
                }
            }
        }
    }
    found.retain(|of| page.after.is_none_or(|after| of.place > after));
    found.sort_by_key(|of| of.place);
    Ok(found)
}

/// As of which time files are heard during a span: the time that was asked for, else the span's end, else now.
async fn heard_during(
    state: &ApiState,
    reading: &mut Reading,
    query: &LinksQuery,
    span: &EvidencedSpan,
) -> Result<UnixSeconds, ApiError> {
    if query.at.is_some() {
        return Ok(heard_by(state, reading, At::parse(query.at.as_deref())?).await?);
    }
    let end = span.to.as_ref().and_then(|to| to.time);
    Ok(end.unwrap_or_else(|| state.clock.now()))
}

/// The links that the file makes to which a span of the URI leads; and one that is none, so that a page counts the span.
async fn of_file(
    state: &ApiState,
    reading: &mut Reading,
    agent: AgentRef,
    query: &LinksQuery,
    span: EvidencedSpan,
) -> Result<Vec<Evidenced>, ApiError> {
    let time = heard_during(state, reading, query, &span).await?;
    let claims = claims_at(reading, state, agent, Entries::of(Some(&span), None), time).await?;
    let made = link::of_file(agent, &state.documents.host, &claims, span.record.span);
    let mut found = vec![Evidenced::new(LinkKind::Domain, None, span.clone())];
    found.extend((1..).zip(made).map(|(nth, (link, checked))| Evidenced {
        place: LinkPlace { at: span.from.at, kind: link.kind, nth },
        link: Some(link),
        checked,
        span: span.clone(),
    }));
    Ok(found)
}

/// The link of a metadata entry that names a DID, and whether the DID's document agrees.
async fn of_entry(
    state: &ApiState,
    reading: &mut Reading,
    agent: AgentRef,
    query: &LinksQuery,
    span: EvidencedSpan,
) -> Result<Evidenced, ApiError> {
    let link = link::of_agent(agent, &state.documents.host, &span.record);
    let mut link = match link {
        Some(link) if link.kind == LinkKind::Did => link,
        other => return Ok(Evidenced::new(LinkKind::Did, other, span)),
    };
    let time = heard_during(state, reading, query, &span).await?;
    let claims = claims_at(reading, state, agent, Entries::of(None, Some(&span)), time).await?;
    let named = claims.dids.iter().find(|named| named.did == link.object);
    if named.is_some_and(|named| named.agrees == Some(true)) {
        link.object_says = Some(Proof::Document);
    }
    let checked = named.and_then(|named| named.checked_at);
    Ok(Evidenced { checked, ..Evidenced::new(LinkKind::Did, Some(link), span) })
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
            let place = LinkPlace { at: Position::new(7, 3), kind, nth: 9 };
            assert_eq!(LinkPlace::parse(&place.to_text()), Some(place));
        }
        assert_eq!(LinkPlace::parse("7.3/other/0"), None);
        assert_eq!(LinkPlace::parse("7.3/did"), None);
        assert_eq!(before(Position::new(7, 3)), Some(Position::new(7, 2)));
        assert_eq!(before(Position::new(7, 0)), Some(Position::end_of(6)));
        assert_eq!(before(Position::new(0, 0)), None);
    }
}
