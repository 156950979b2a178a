//! The links of a did:pkh: the agents whose wallet the account is or was, and whose owner where documents name owners.
//!
//! They are the links of those agents, from their other end: by agent, then oldest first, then by kind. A link of an account is a span of a
//! timeline, so that two roles are two lists, which are merged as far as a page needs.

use alloy::primitives::{Address, U256};

use super::links::{LinkAnswer, LinkPlace, LinksQuery, before};
use crate::api::at::At;
use crate::api::error::ApiError;
use crate::api::page::{Page, Weigh};
use crate::api::reading::Reading;
use crate::api::state::{ApiState, Documents};
use crate::api::wire::{Answer, Listing, SpanEnds};
use crate::did::link::{self, LinkKind};
use crate::storage::{AccountRole, AgentOfAccount, StorageError};
use crate::vocab::{AccountId, AgentId, AgentRef, Position};

/// A link's place among those of one account.
type AccountPlace = (AgentId, LinkPlace);

/// A span in which the account was something to an agent.
struct Placed {
    place: AccountPlace,
    of: AgentOfAccount,
}

impl Weigh for Placed {
    fn weight(&self) -> usize {
        self.of.weight()
    }
}

/// The roles that make links, each with the kind of link.
fn roles(settings: &Documents) -> impl Iterator<Item = (AccountRole, LinkKind)> {
    let owner = (AccountRole::Owner, LinkKind::Owner);
    let wallet = (AccountRole::Wallet, LinkKind::Wallet);
    settings.name_owner.then_some(owner).into_iter().chain([wallet])
}

/// The links of an account: of all time, or of what held at the end of the block that the request names.
pub(super) async fn of_account(
    state: &ApiState,
    account: AccountId,
    query: &LinksQuery,
) -> Result<Answer<Listing<LinkAnswer>>, ApiError> {
    let (limit, cursor) = (query.limit.as_deref(), query.cursor.as_deref());
    let page = Page::<AccountPlace>::read("links-of-account", limit, cursor)?;
    let mut reading = Reading::open(state, At::parse(query.at.as_deref())?).await?;
    let block = query.at.is_some().then(|| reading.block_number());
    let mut found = Vec::new();
    // An account on another chain is nobody's wallet here, whatever its address.
    if account.chain == reading.chain() {
        for (role, kind) in roles(&state.documents) {
            let spans = spans_of(&mut reading, account.address, role, block, &page).await?;
            found.extend(spans.into_iter().map(|of| {
                let place = LinkPlace { at: of.span.from.at, kind };
                Placed { place: (of.agent, place), of }
            }));
        }
    }
    found.retain(|placed| page.after.is_none_or(|after| placed.place > after));
    found.sort_by_key(|placed| placed.place);
    let (found, next) = page.cut(found, |placed| placed.place);
    let codes = reading.codes(&state.known).await?;
    let registry = reading.registry();
    let linked = |Placed { of, .. }: Placed| {
        let agent = AgentRef { registry, id: of.agent };
        let link = link::of_agent(agent, &state.documents.host, &of.span.record)?;
        Some(LinkAnswer::of(link, SpanEnds::of(&of.span, &reading, &codes)))
    };
    let items = found.into_iter().filter_map(linked).collect();
    Ok(Answer(Listing { items, next, as_of: reading.as_of() }))
}

/// The account's spans in a role, as much as a page needs. The agent of the last place is read again: a link of another kind may follow there.
async fn spans_of(
    reading: &mut Reading,
    account: Address,
    role: AccountRole,
    block: Option<u64>,
    page: &Page<AccountPlace>,
) -> Result<Vec<AgentOfAccount>, StorageError> {
    let limit = page.fetch() + 1;
    if let Some(block) = block {
        let after = page.after.and_then(|(agent, _)| agent_before(agent));
        reading.tx.agents_of(account, role, block, after, limit).await
    } else {
        let after = page.after.and_then(span_before);
        reading.tx.spans_of(account, role, after, limit).await
    }
}

/// The last place of a span before that of a link.
fn span_before((agent, place): AccountPlace) -> Option<(AgentId, Position)> {
    let earlier = || Some((agent_before(agent)?, Position::end_of(Position::BLOCK_MAX)));
    before(place.at).map(|at| (agent, at)).or_else(earlier)
}

fn agent_before(agent: AgentId) -> Option<AgentId> {
    agent.0.checked_sub(U256::from(1)).map(AgentId)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_place_but_the_first_has_one_before_it() {
        let place = |id: u64, block, log| {
            (AgentId::from(id), LinkPlace { at: Position::new(block, log), kind: LinkKind::Owner })
        };
        let found = |id: u64, at| Some((AgentId::from(id), at));
        assert_eq!(span_before(place(7, 5, 3)), found(7, Position::new(5, 2)));
        assert_eq!(span_before(place(7, 5, 0)), found(7, Position::end_of(4)));
        assert_eq!(span_before(place(7, 0, 0)), found(6, Position::end_of(Position::BLOCK_MAX)));
        assert_eq!(span_before(place(0, 0, 0)), None);
    }
}
