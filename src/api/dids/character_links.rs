//! The links of characters: their wallets, by the record, and the agents that agree, by the chain.
//!
//! A wallet's link holds from one change of the record to another, and shows what was signed. An agent is linked to a character only if
//! both say so (`did::link::together`), which is looked at as of one moment: that of the block in `as_of`, and of the record the same, or
//! now where the latest is asked for. What only one side says is no link here.

use alloy::primitives::keccak256;
use serde::Serialize;
use utoipa::ToSchema;

use super::character::CharacterState;
use super::links::{LinkAnswer, LinksQuery};
use crate::api::at::At;
use crate::api::error::ApiError;
use crate::api::page::{Page, Place, Weigh};
use crate::api::reading::{Codes, Reading};
use crate::api::state::ApiState;
use crate::api::wire::{Answer, Block, Listing, SpanEnds};
use crate::app::CharacterError;
use crate::did::link::{Link, Proof, together};
use crate::did::version::DID_KEY;
use crate::did::web::{Local, WebDid};
use crate::did::{Change, Did, WalletFact, WalletLink};
use crate::identity::{EvidencedSpan, TimelineRef};
use crate::storage::{AccountRole, ProvenLink, UnlinkedBy};
use crate::vocab::{AccountId, AgentId, AgentRef, Handle, Position, UnixSeconds, canonical_u64};

/// So many agents of one wallet are looked at, by their ids.
const AGENTS_MAX: u32 = 50;
/// The list of an account's characters, in cursors.
const OF_ACCOUNT: &str = "links-of-account-characters";

/// When a wallet was a character's, and what proves it. Half-open: it holds at `from` and no longer at `to`.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RecordSpan)]
pub(in crate::api) struct RecordSpan {
    /// The change of the record that began it.
    from: RecordPlace,
    /// The change that ended it; null while it holds.
    to: Option<RecordPlace>,
    /// Why it ended: `character` (whoever manages it), `wallet` (its own signature), `removal`.
    ended_by: Option<&'static str>,
    evidence: LinkProof,
}

/// A change of a character's record.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct RecordPlace {
    /// Its number; 1 is the character's creation.
    change: u64,
    /// When, RFC 3339.
    #[schema(value_type = String)]
    time: UnixSeconds,
}

/// What proves a link: whoever has it can check it again.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct LinkProof {
    /// `key`, `erc1271` or `erc6492`.
    signed_by: &'static str,
    /// The block at whose end the contract was asked; null where a key signed.
    block: Option<Block>,
    /// What the wallet signed, a message of EIP-4361.
    message: String,
    /// Its signature.
    #[schema(value_type = String)]
    signature: alloy::primitives::Bytes,
}

impl From<Change> for RecordPlace {
    fn from(Change { number, time }: Change) -> Self {
        Self { change: number, time }
    }
}

impl From<ProvenLink> for RecordSpan {
    fn from(proven: ProvenLink) -> Self {
        let by = proven.evidence.signed_by;
        let block = by.block();
        Self {
            from: proven.link.from.into(),
            to: proven.link.to.map(RecordPlace::from),
            ended_by: proven.ended_by.map(UnlinkedBy::as_str),
            evidence: LinkProof {
                signed_by: by.as_str(),
                block: block.map(|at| Block { number: at.number, hash: Some(at.hash), time: None }),
                message: proven.evidence.message,
                signature: proven.evidence.signature,
            },
        }
    }
}

/// A link's place among those of one character: wallets by the change that linked them, then agents.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum CharacterPlace {
    Wallet(u64),
    Agent(AgentId),
}

impl Place for CharacterPlace {
    fn to_text(&self) -> String {
        match self {
            Self::Wallet(change) => format!("wallet/{change}"),
            Self::Agent(agent) => format!("agent/{agent}"),
        }
    }

    fn parse(text: &str) -> Option<Self> {
        match text.split_once('/')? {
            ("wallet", change) => {
                canonical_u64(change).filter(|change| is_number(*change)).map(Self::Wallet)
            }
            ("agent", agent) => AgentId::parse(agent).map(Self::Agent),
            _ => None,
        }
    }
}

struct Placed {
    place: CharacterPlace,
    answer: LinkAnswer,
    weight: usize,
}

impl Weigh for Placed {
    fn weight(&self) -> usize {
        self.weight
    }
}

impl Weigh for ProvenLink {
    fn weight(&self) -> usize {
        self.evidence.message.len().saturating_add(self.evidence.signature.len())
    }
}

/// As of when the record is looked at beside a block: now where the latest is asked for, else at the block's time.
fn record_time(state: &ApiState, block: &Block, at: Option<&str>) -> Result<UnixSeconds, ApiError> {
    if At::parse(at)? == At::Latest {
        return Ok(state.clock.now());
    }
    let asked = block.time.ok_or_else(|| {
        let number = block.number;
        let detail = format!("the time of block {number} is not held, and a record goes by time");
        ApiError::parameter("at", format!("{detail}: ask for `time:…`"))
    })?;
    // In a second that is not over the record may still change.
    let now = state.clock.now();
    if asked < now { Ok(asked) } else { Err(ApiError::NotKnownYet { asked, now }) }
}

/// Whether a wallet's link held at a time.
fn held_at(link: &WalletLink, time: UnixSeconds) -> bool {
    link.from.time <= time && link.to.is_none_or(|to| time < to.time)
}

/// Whether a request goes on among the characters of an account, behind its agents.
pub(super) fn is_among_characters(query: &LinksQuery) -> bool {
    let cursor = query.cursor.as_deref();
    cursor.is_some() && Page::<(u64, u64)>::read(OF_ACCOUNT, None, cursor).is_ok()
}

/// A page of the links of an account on which nothing stands yet.
pub(super) async fn empty_page(
    state: &ApiState,
    query: &LinksQuery,
) -> Result<Listing<LinkAnswer>, ApiError> {
    let reading = Reading::open(state, At::parse(query.at.as_deref())?).await?;
    Ok(Listing { items: Vec::new(), next: None, as_of: reading.as_of() })
}

/// Adds the links of an account with characters to those with agents, of which there are no more, as far as the page has room.
pub(super) async fn add_characters(
    state: &ApiState,
    account: AccountId,
    query: &LinksQuery,
    listing: &mut Listing<LinkAnswer>,
) -> Result<(), ApiError> {
    let cursor = query.cursor.as_deref().filter(|_| is_among_characters(query));
    let page = Page::<(u64, u64)>::read(OF_ACCOUNT, query.limit.as_deref(), cursor)?;
    let shown = u32::try_from(listing.items.len()).unwrap_or(u32::MAX);
    let room = page.fetch().saturating_sub(1).saturating_sub(shown);
    let mut only_at = None;
    let mut found = Vec::new();
    let after = page.after.filter(|(id, change)| is_number(*id) && is_number(*change));
    let mut after = after.unwrap_or((0, 0));
    let mut tx = state.database.begin_read().await?;
    loop {
        let rows = tx.links_of_account(account, after, page.fetch()).await?;
        let Some(last) = rows.last() else { break };
        after = place_of(last);
        if query.at.is_some() && only_at.is_none() {
            only_at = Some(record_time(state, &listing.as_of.block, query.at.as_deref())?);
        }
        let held = |proven: &ProvenLink| only_at.is_none_or(|time| held_at(&proven.link, time));
        found.extend(rows.into_iter().filter(held));
        if u32::try_from(found.len()).is_ok_and(|count| count > room) {
            break;
        }
    }
    if room == 0 {
        listing.next = (!found.is_empty()).then(|| page.cursor(&(0, 0)));
        return Ok(());
    }
    let (found, next) = page.at_most(room).cut(found, place_of);
    for proven in found {
        let Some(character) = tx.character_of(proven.character).await? else { continue };
        let did = Local::Character(character.handle.to_string()).did(&state.documents.host);
        listing.items.push(LinkAnswer::of_record(&did, proven));
    }
    listing.next = next;
    Ok(())
}

/// Whether a number can be one of a character or of a change: both engines count up to 2^63.
const fn is_number(number: u64) -> bool {
    number <= Position::BLOCK_MAX
}

fn place_of(proven: &ProvenLink) -> (u64, u64) {
    (proven.character, proven.link.from.number)
}

/// The links of a character.
pub(super) async fn of_character(
    state: &ApiState,
    handle: String,
    query: &LinksQuery,
) -> Result<Answer<Listing<LinkAnswer>>, ApiError> {
    let (limit, cursor) = (query.limit.as_deref(), query.cursor.as_deref());
    let page = Page::<CharacterPlace>::read("links-of-character", limit, cursor)?;
    let mut reading = Reading::open(state, At::parse(query.at.as_deref())?).await?;
    let Some(found) = CharacterState::read(&mut reading.tx, &handle).await? else {
        let parsed = Handle::parse(&handle);
        let handle = parsed.map_err(|error| ApiError::parameter("did", error.to_string()))?;
        return Err(CharacterError::NoSuchCharacter(handle).into());
    };
    let time = record_time(state, &reading.as_of().block, query.at.as_deref())?;
    let did = Local::Character(handle).did(&state.documents.host);
    let mut placed = Vec::new();
    if !matches!(page.after, Some(CharacterPlace::Agent(_))) {
        let after = match page.after {
            Some(CharacterPlace::Wallet(change)) => change,
            _ => 0,
        };
        let only_at = query.at.is_some().then_some(time);
        let links = wallet_links(&mut reading, &found, only_at, after, page.fetch()).await?;
        placed.extend(links.into_iter().map(|proven| Placed {
            place: CharacterPlace::Wallet(proven.link.from.number),
            weight: proven.weight(),
            answer: LinkAnswer::of_record(&did, proven),
        }));
    }
    let codes = reading.codes(&state.known).await?;
    for (agent, since) in agents_of(state, &mut reading, &found, time).await? {
        let place = CharacterPlace::Agent(agent.id);
        if page.after.is_none_or(|after| place > after) {
            let object = Local::Agent(agent.registry.chain, agent.id).did(&state.documents.host);
            let ends = ends_of(&since, &reading, &codes);
            let answer = LinkAnswer::of_agent_and_character(&did, object, ends);
            placed.push(Placed { place, answer, weight: 0 });
        }
    }
    placed.sort_by_key(|of| of.place);
    let (placed, next) = page.cut(placed, |of| of.place);
    let items = placed.into_iter().map(|of| of.answer).collect();
    Ok(Answer(Listing { items, next, as_of: reading.as_of() }))
}

/// A character's wallets with what proves them: all there ever were, or those at a time.
async fn wallet_links(
    reading: &mut Reading,
    found: &CharacterState,
    at: Option<UnixSeconds>,
    after: u64,
    limit: u32,
) -> Result<Vec<ProvenLink>, ApiError> {
    let id = found.character.id;
    let Some(time) = at else { return Ok(reading.tx.proven_links(id, after, limit).await?) };
    let mut links = Vec::new();
    for link in found.history.wallets.iter().filter(|link| link.from.number > after) {
        if held_at(link, time) {
            // A version has a few dozen wallets at most.
            let before = link.from.number.saturating_sub(1);
            links.extend(reading.tx.proven_links(id, before, 1).await?);
        }
    }
    Ok(links)
}

/// The agents that are a character's by the word of both sides, each with the later of the two spans of the chain that it rests on.
async fn agents_of(
    state: &ApiState,
    reading: &mut Reading,
    found: &CharacterState,
    time: UnixSeconds,
) -> Result<Vec<(AgentRef, EvidencedSpan)>, ApiError> {
    let version = found.history.at(time);
    let wallets = version.map(|version| found.history.wallets_in(&version)).unwrap_or_default();
    let (block, chain) = (reading.block_number(), reading.chain());
    let mut agents: Vec<(AgentRef, EvidencedSpan)> = Vec::new();
    for wallet in wallets.iter().filter(|wallet| wallet.chain == chain) {
        let (address, role) = (wallet.address, AccountRole::Wallet);
        for of in reading.tx.agents_of(address, role, block, None, AGENTS_MAX).await? {
            let agent = AgentRef { registry: reading.registry(), id: of.agent };
            let metadata = TimelineRef::Metadata(agent.id, keccak256(DID_KEY));
            let Some(named) = reading.tx.span_at(metadata, block).await? else { continue };
            let fact = WalletFact { account: *wallet, cause: of.span.record.cause };
            let character = (&state.documents.host, found.character.handle.as_str());
            let both = together(Some(&named.record.value), Some(&fact), character, &wallets);
            if both.agent_says && both.character_says {
                let later = if named.from.at > of.span.from.at { named } else { of.span };
                agents.push((agent, later));
            }
        }
    }
    Ok(agents)
}

/// The ends of a link that holds as of the reading's block, since the later of the spans it rests on.
fn ends_of(since: &EvidencedSpan, reading: &Reading, codes: &Codes) -> SpanEnds {
    SpanEnds::between(&since.from, None, (since.record.cause, None), reading, codes)
}

/// Lets a character of this host speak where an agent's metadata names it: whether it agrees as of the reading's block.
pub(super) async fn ask_character(
    state: &ApiState,
    reading: &mut Reading,
    agent: AgentRef,
    at: Option<&str>,
    link: &mut Link,
) -> Result<(), ApiError> {
    let host = &state.documents.host;
    let web = Did::parse(&link.object).and_then(|did| WebDid::parse(&did)).ok();
    let named = web.filter(|web| web.host == *host).and_then(|web| Local::of(&web));
    let Some(Local::Character(handle)) = named else { return Ok(()) };
    let block = reading.block_number();
    if !link.span.contains(Position::end_of(block)) {
        return Ok(());
    }
    let Some(found) = CharacterState::read(&mut reading.tx, &handle).await? else { return Ok(()) };
    let time = record_time(state, &reading.as_of().block, at)?;
    let version = found.history.at(time);
    let wallets = version.map(|version| found.history.wallets_in(&version)).unwrap_or_default();
    let metadata = TimelineRef::Metadata(agent.id, keccak256(DID_KEY));
    let metadata = reading.tx.span_at(metadata, block).await?;
    let wallet = reading.tx.span_at(TimelineRef::Wallet(agent.id), block).await?;
    let wallet = wallet.and_then(|span| {
        let address = span.record.value.account()?;
        let account = AccountId { chain: agent.registry.chain, address };
        Some(WalletFact { account, cause: span.record.cause })
    });
    let metadata = metadata.as_ref().map(|span| &span.record.value);
    let both = together(metadata, wallet.as_ref(), (host, &handle), &wallets);
    if both.agent_says && both.character_says {
        link.object_says = Some(Proof::Siwe);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_read_back_and_wallets_come_first() {
        let places = [CharacterPlace::Wallet(2), CharacterPlace::Agent(AgentId::from(0))];
        for place in places {
            assert_eq!(CharacterPlace::parse(&place.to_text()), Some(place));
        }
        assert!(places.is_sorted());
        for wrong in [
            "",
            "wallet",
            "wallet/",
            "wallet/-1",
            "wallet/18446744073709551615",
            "agent/01",
            "other/1",
        ] {
            assert_eq!(CharacterPlace::parse(wrong), None, "{wrong}");
        }
    }
}
