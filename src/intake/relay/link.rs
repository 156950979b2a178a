//! Which agent a player of Coordination Games is, by the settlement of a game that it played.
//!
//! The pages of the relay link nobody: `meta.handles` gives players' names and no accounts, and names are free to change hands. When a game
//! has ended, the platform's bundle (`GET /api/games/{id}/bundle`) lists its players in `config.playerIds`, and the settlement on chain
//! (`GameSettled` of `GameAnchor`) their ERC-8004 ids in the same order. Together they say that the player in one place is the agent in
//! the same place; the chain vouches for the second, and the origin for the first. A settlement is about one moment: who has the id of
//! a player later, it does not say.

use std::collections::BTreeSet;

use alloy::primitives::{B256, keccak256};
use serde::Deserialize;

use super::RelayError;
use super::record::player;
use crate::vocab::{AccountId, AgentId, AgentRef, OriginName, RegistryRef, Subject, shorten};

/// The most players of one game.
const PLAYERS_MAX: usize = 1_000;

/// A player, and the agent that it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlayerLink {
    /// The player: an id of the platform.
    pub player: Subject,
    /// The agent.
    pub agent: AgentRef,
    /// What bears it out, in words.
    pub evidence: String,
}

/// What the chain says of a game that was settled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settlement {
    /// keccak256 of the game's id.
    pub game: B256,
    /// The contract that settled it.
    pub anchor: AccountId,
    /// The transaction.
    pub tx_hash: B256,
    /// The identity registry that the players are agents of.
    pub registry: RegistryRef,
    /// Its players.
    pub agents: Vec<AgentId>,
}

/// Why a settlement links nobody.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// It is of another game.
    #[error("the settlement is of another game: {found} is not the hash of `{game}`")]
    OtherGame {
        /// The game.
        game: String,
        /// The hash in the settlement.
        found: B256,
    },
    /// It has not as many players as the game.
    #[error("the game has {players} players and its settlement {agents}")]
    OtherCount {
        /// Of the game.
        players: usize,
        /// Of the settlement.
        agents: usize,
    },
    /// A player or an agent stands twice, so that a place says nothing.
    #[error("{0} stands twice among the players")]
    Twice(String),
}

/// What is read of a bundle; all moves of the game are in it too.
#[derive(Deserialize)]
struct Bundle {
    config: BundleConfig,
}

#[derive(Deserialize)]
struct BundleConfig {
    #[serde(rename = "playerIds")]
    player_ids: Vec<String>,
}

/// The players in a bundle, in its order. Whoever fetched it has bounded its size.
///
/// # Errors
/// When it is no bundle, or a player's id is none.
pub fn players(bytes: &[u8], origin: &OriginName) -> Result<Vec<Subject>, RelayError> {
    let refuse = RelayError::NotAPage;
    let bundle: Bundle =
        serde_json::from_slice(bytes).map_err(|error| refuse(shorten(&error.to_string())))?;
    let ids = bundle.config.player_ids;
    if ids.len() > PLAYERS_MAX {
        return Err(refuse(format!("it has more than {PLAYERS_MAX} players")));
    }
    ids.iter().map(|id| player(origin, id).map_err(refuse)).collect()
}

/// Which agent each player was, by the settlement of a game.
///
/// # Errors
/// When the settlement is of another game, or the two lists cannot be laid beside each other.
pub fn links(
    game: &str,
    players: &[Subject],
    settlement: &Settlement,
) -> Result<Vec<PlayerLink>, LinkError> {
    let Settlement { anchor, tx_hash, registry, agents, .. } = settlement;
    if keccak256(game) != settlement.game {
        let (game, found) = (shorten(game), settlement.game);
        return Err(LinkError::OtherGame { game, found });
    }
    if players.len() != agents.len() {
        return Err(LinkError::OtherCount { players: players.len(), agents: agents.len() });
    }
    if let Some(player) = twice(players) {
        return Err(LinkError::Twice(player.to_string()));
    }
    if let Some(agent) = twice(agents) {
        return Err(LinkError::Twice(agent.to_string()));
    }
    let pairs = players.iter().zip(agents).zip(1..);
    let link = |((player, id), place): ((&Subject, &AgentId), u32)| PlayerLink {
        player: player.clone(),
        agent: AgentRef { registry: *registry, id: *id },
        evidence: format!(
            "place {place} of `config.playerIds` of the game `{game}`, and of the players that {anchor} settled in {tx_hash}"
        ),
    };
    Ok(pairs.map(link).collect())
}

/// What stands twice.
fn twice<T: Ord>(items: &[T]) -> Option<&T> {
    let mut seen = BTreeSet::new();
    items.iter().find(|item| !seen.insert(*item))
}
