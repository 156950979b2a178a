//! What the demo says: what to try, and what just happened.
//!
//! Text only, made from the recording; the caller prints it. What a suggested request will answer is worked out from the contracts'
//! recorded answers and never from our own index, so that a reader who compares the two checks the program.

use std::fmt::Write;

use alloy::primitives::Address;

use super::play::Played;
use super::recording::{Moment, RecordedBlock, Recording, Tour};

/// What to print at the start: what is played, and requests to try. `service` is the base URL of the service, such as
/// `http://127.0.0.1:8004`.
pub fn welcome(recording: &Recording, service: &str) -> String {
    let opening = Opening::of(recording);
    let tour = recording.tour();
    let mut text = format!(
        "A recorded chain ({}) is played on this machine; nothing of it is on a public chain.\n\
         Blocks 0 to {} are there already, {} more follow. Try, in another terminal:\n",
        recording.chain(),
        grouped(opening.head()),
        recording.blocks().len().saturating_sub(recording.opening_count()),
    );
    let mut section = |title: &str, lines: &[String]| {
        let _ = write!(text, "\n  # {title}\n");
        for line in lines {
            let _ = writeln!(text, "  {line}");
        }
    };
    let agent = tour.rotating_agent;
    section(
        &format!("who agent {agent} is, and every wallet it ever had"),
        &[
            curl(service, &format!("/v1/agents/{agent}")),
            curl(service, &format!("/v1/agents/{agent}/wallets")),
        ],
    );
    if let Some(span) = opening.proven_span(agent) {
        section(
            &format!("which agent was {}, then?", span.wallet),
            &opening.lookups(service, span.wallet, &[span.from - 1, span.from, span.to]),
        );
    }
    section(
        "a wallet that several agents share",
        &opening.lookups(service, tour.shared_wallet, &[opening.head()]),
    );
    let agent = tour.transferred_agent;
    if let Some(block) = opening.transfer_of(agent) {
        section(
            &format!("agent {agent} is sold in block {}, and its wallet is gone", grouped(block)),
            &[
                curl(service, &format!("/v1/agents/{agent}?at=block:{}", block - 1)),
                curl(service, &format!("/v1/agents/{agent}?at=block:{block}")),
            ],
        );
    }
    section("a lobby of players, in one request", &[opening.lobby(service, tour)]);
    section(
        "what is said of an agent, and how far the program is",
        &[
            curl(service, &format!("/v1/agents/{}/feedback", tour.rated_agent)),
            curl(service, "/v1/status"),
        ],
    );
    text
}

/// What to print after a step of play, one line per entry; empty where nothing of note happened.
pub fn told(recording: &Recording, played: &Played) -> Vec<String> {
    let undone: Vec<_> = played.undone.iter().filter_map(|i| recording.block(*i)).collect();
    let applied = played.applied.iter().filter_map(|i| recording.block(*i));
    let mut lines = Vec::new();
    if let (Some(first), Some(last)) = (undone.first(), undone.last()) {
        lines.push(format!(
            "block {}: reorganisation, {} blocks undone from block {} on",
            grouped(last.number()),
            undone.len(),
            grouped(first.number()),
        ));
    }
    let never = undone.iter().flat_map(|block| &block.moments);
    lines.extend(never.map(|moment| format!("  never happened: {}", sentence(moment))));
    lines.extend(applied.flat_map(|block| {
        let number = grouped(block.number());
        block.moments.iter().map(move |moment| format!("block {number}: {}", sentence(moment)))
    }));
    lines
}

/// What to print when all has been shown.
pub fn farewell(recording: &Recording) -> String {
    let head = recording.blocks().last().map_or(0, RecordedBlock::number);
    format!(
        "the recording ends at block {}; everything is still served; stop with Ctrl-C",
        grouped(head)
    )
}

/// One moment as a sentence.
fn sentence(moment: &Moment) -> String {
    match moment {
        Moment::Registered { agent, owner } => format!("agent {agent} is registered by {owner}"),
        Moment::Rotated { agent, from, to } if from.is_zero() => {
            format!("agent {agent} has a wallet again: {to}")
        }
        Moment::Rotated { agent, from, to } => {
            format!("agent {agent} rotates its wallet: {from} → {to}")
        }
        Moment::Unset { agent, from } => format!("agent {agent} gives up its wallet {from}"),
        Moment::Transferred { agent, from, to } => {
            format!("agent {agent} goes from {from} to {to}, and its wallet is cleared")
        }
        Moment::Feedback { agent, client, value, tag } => {
            format!("agent {agent} is judged by {client}: {value} ({tag})")
        }
        Moment::FeedbackRevoked { agent, client } => {
            format!("{client} takes back its feedback on agent {agent}")
        }
        Moment::FeedbackAnswered { agent, client, responder } => {
            format!("{responder} answers the feedback of {client} on agent {agent}")
        }
        Moment::UriSet { agent, .. } => format!("agent {agent} moves its registration file"),
        Moment::Validated { agent, validator, response } => {
            format!("{validator} validates agent {agent}: {response} of 100")
        }
    }
}

/// The opening's blocks, in which place and number are the same.
struct Opening<'a> {
    blocks: &'a [RecordedBlock],
}

/// A stretch of whole blocks, `[from, to)`, in which an agent had a wallet.
struct WalletStretch {
    wallet: Address,
    from: u64,
    to: u64,
}

impl<'a> Opening<'a> {
    fn of(recording: &'a Recording) -> Self {
        let blocks = recording.blocks().get(..recording.opening_count()).unwrap_or_default();
        Self { blocks }
    }

    fn head(&self) -> u64 {
        self.blocks.last().map_or(0, RecordedBlock::number)
    }

    /// Each block that changed one of the agent's answers, with the wallet from then on.
    fn wallets_of(&self, agent: u64) -> impl Iterator<Item = (u64, Address)> {
        self.blocks.iter().flat_map(move |block| {
            let of_agent = block.agents.iter().filter(move |answer| answer.agent == agent);
            of_agent.map(|answer| (block.number(), answer.wallet))
        })
    }

    /// The first stretch of a wallet that replaced another and was replaced itself.
    fn proven_span(&self, agent: u64) -> Option<WalletStretch> {
        let mut changes: Vec<_> = self.wallets_of(agent).collect();
        changes.dedup_by_key(|(_, wallet)| *wallet);
        let (from, wallet) = *changes.get(1)?;
        let (to, _) = *changes.get(2)?;
        Some(WalletStretch { wallet, from, to })
    }

    fn transfer_of(&self, agent: u64) -> Option<u64> {
        let is_transfer =
            |m: &Moment| matches!(m, Moment::Transferred { agent: moved, .. } if *moved == agent);
        self.blocks.iter().find(|b| b.moments.iter().any(is_transfer)).map(RecordedBlock::number)
    }

    /// The agents that name a wallet at the end of a block, ascending.
    fn agents_of(&self, wallet: Address, at: u64) -> Vec<u64> {
        let mut now = std::collections::BTreeMap::new();
        for block in self.blocks.iter().take_while(|block| block.number() <= at) {
            now.extend(block.agents.iter().map(|answer| (answer.agent, answer.wallet)));
        }
        now.into_iter().filter(|(_, named)| *named == wallet).map(|(agent, _)| agent).collect()
    }

    fn lookups(&self, service: &str, wallet: Address, blocks: &[u64]) -> Vec<String> {
        let line = |at: &u64| {
            let agents = self.agents_of(wallet, *at);
            let path = format!("/v1/wallets/{wallet}/agents?at=block:{at}");
            format!("{}   # {}", curl(service, &path), outcome(&agents))
        };
        blocks.iter().map(line).collect()
    }

    /// A look-up of a few accounts at once: the wallets of the tour, and one of nobody.
    fn lobby(&self, service: &str, tour: &Tour) -> String {
        let last = |agent| self.wallets_of(agent).last().map(|(_, wallet)| wallet);
        let agents = [tour.rotating_agent, tour.transferred_agent];
        let mut accounts: Vec<_> = agents.into_iter().filter_map(last).collect();
        accounts.push(tour.shared_wallet);
        let nobody = Address::repeat_byte(0xee);
        let quoted: Vec<_> =
            accounts.iter().chain([&nobody]).map(|account| format!("\"{account}\"")).collect();
        format!(
            "curl -s -H 'content-type: application/json' -d '{{\"accounts\":[{}]}}' '{service}/v1/wallets/lookup'",
            quoted.join(",")
        )
    }
}

fn outcome(agents: &[u64]) -> String {
    match agents {
        [] => "none".into(),
        [one] => format!("agent {one}"),
        several => {
            let ids: Vec<_> = several.iter().map(u64::to_string).collect();
            format!("several: agents {}", ids.join(", "))
        }
    }
}

fn curl(service: &str, path: &str) -> String {
    format!("curl -s '{service}{path}'")
}

/// A number in groups of three digits: `3,214`.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
