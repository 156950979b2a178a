//! What happens in a block: logs as the registries write them, and the state that `eth_call` is answered from.
//!
//! Drawn from the block's own stream and the state of its parent, so that a branch has the same content whenever it is looked at. The
//! order of events is that of version 2.0.0 where the code is known; under other code wallets change in ways that no event tells.

use std::collections::BTreeMap;

use alloy::primitives::{Address, B256, Bytes, LogData, U256, address, keccak256};
use alloy::sol_types::SolEvent;
use hallmark::vocab::{BlockRef, RawLog, UnixSeconds};

use super::draw::Draw;
use crate::support::abi::{IIdentity, IReputation, IUpgradeable};

pub(crate) const IDENTITY: Address = Address::repeat_byte(0x1d);
pub(crate) const REPUTATION: Address = Address::repeat_byte(0x4e);
/// Version 2.0.0 of the identity registry, which the program knows.
pub(crate) const KNOWN: Address = address!("7274e874CA62410a93Bd8bf61c69d8045E399c02");
/// Code that it does not know; the second reads other wallets out of the same storage.
const UNKNOWN: [Address; 2] = [Address::repeat_byte(0xc1), Address::repeat_byte(0xc2)];
const PEOPLE: u64 = 5;

#[derive(Clone, Debug)]
struct Agent {
    owner: Address,
    wallet: Address,
}

/// The registries' storage at the end of a block, as far as it matters.
#[derive(Clone, Debug)]
pub(crate) struct State {
    agents: Vec<Agent>,
    code: Address,
    /// How much feedback each client gave each agent.
    feedback: BTreeMap<(u64, Address), u64>,
}

impl State {
    /// Nobody is registered.
    pub(crate) const fn new(code: Address) -> Self {
        Self { agents: Vec::new(), code, feedback: BTreeMap::new() }
    }

    pub(crate) fn agent_count(&self) -> u64 {
        u64::try_from(self.agents.len()).unwrap()
    }

    pub(crate) const fn code(&self) -> Address {
        self.code
    }

    /// What the contract says of an agent's wallet.
    pub(crate) fn wallet(&self, agent: U256) -> Address {
        let Some(agent) = usize::try_from(agent).ok().and_then(|i| self.agents.get(i)) else {
            return Address::ZERO;
        };
        if self.code == UNKNOWN[1] && !agent.wallet.is_zero() {
            return agent.wallet ^ Address::with_last_byte(0x80);
        }
        agent.wallet
    }
}

/// How lively a chain is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shape {
    /// Of 100 blocks so many hold anything.
    pub(crate) busy_percent: u64,
    /// At most so many operations in one block.
    pub(crate) operations_max: u64,
    /// Of 100 operations so many replace the registry's code.
    pub(crate) upgrade_percent: u64,
}

/// Writes the logs of one block.
pub(crate) struct Scribe<'a> {
    draw: &'a mut Draw,
    state: &'a mut State,
    block: BlockRef,
    time: UnixSeconds,
    logs: Vec<RawLog>,
    next_index: u32,
    tx: B256,
}

impl<'a> Scribe<'a> {
    /// The logs of a block, and in `state` what it leaves behind.
    pub(crate) fn write(
        draw: &'a mut Draw,
        state: &'a mut State,
        block: BlockRef,
        time: UnixSeconds,
        shape: &Shape,
    ) -> Vec<RawLog> {
        let (logs, tx) = (Vec::new(), B256::ZERO);
        let mut scribe = Self { draw, state, block, time, logs, next_index: 0, tx };
        if scribe.draw.chance(shape.busy_percent) {
            for _ in 0..scribe.draw.between(1, shape.operations_max) {
                scribe.operation(shape);
            }
        }
        scribe.logs
    }

    fn operation(&mut self, shape: &Shape) {
        // Logs of other contracts may stand in between, and often do not.
        self.next_index += u32::try_from(self.draw.below(3)).unwrap();
        self.tx = keccak256([self.block.hash.as_slice(), &self.next_index.to_be_bytes()].concat());
        let count = u64::try_from(self.state.agents.len()).unwrap();
        if self.draw.chance(shape.upgrade_percent) {
            return self.upgrade();
        }
        if count == 0 || self.draw.below(3 + count) == 0 {
            return self.register();
        }
        let agent = self.draw.below(count);
        match self.draw.below(14) {
            0..=2 => self.transfer(agent),
            3 | 4 => self.rotate(agent),
            5 => self.unset(agent),
            6 => self.set_uri(agent),
            7 => self.set_metadata(agent),
            8 => self.approve(agent),
            9 => self.odd(agent),
            10 if self.state.code != KNOWN => self.settle(agent),
            _ => self.judge(agent),
        }
    }

    fn person(&mut self) -> Address {
        Address::with_last_byte(u8::try_from(1 + self.draw.below(PEOPLE)).unwrap())
    }

    fn text(&mut self) -> String {
        format!("text {}", self.draw.below(1_000))
    }

    fn say(&mut self, event: &impl SolEvent) {
        self.log(IDENTITY, event.encode_log_data());
    }

    fn log(&mut self, address: Address, data: LogData) {
        let (topics, data) = data.split();
        self.logs.push(RawLog {
            address,
            topics,
            data,
            block: self.block,
            block_time: Some(self.time),
            tx_hash: self.tx,
            log_index: self.next_index,
        });
        self.next_index += 1;
    }

    fn agent(&mut self, agent: u64) -> &mut Agent {
        &mut self.state.agents[usize::try_from(agent).unwrap()]
    }

    fn announce_wallet(&mut self, agent: u64, wallet: Address) {
        let value =
            if wallet.is_zero() { Bytes::new() } else { Bytes::copy_from_slice(wallet.as_slice()) };
        self.say(&metadata(agent, "agentWallet", value));
    }

    fn register(&mut self) {
        let agent = u64::try_from(self.state.agents.len()).unwrap();
        let owner = self.person();
        self.state.agents.push(Agent { owner, wallet: owner });
        let id = U256::from(agent);
        self.say(&IIdentity::Transfer { from: Address::ZERO, to: owner, tokenId: id });
        let uri = if self.draw.chance(60) { self.text() } else { String::new() };
        if !uri.is_empty() {
            self.say(&IIdentity::MetadataUpdate { _tokenId: id });
        }
        self.say(&IIdentity::Registered { agentId: id, agentURI: uri, owner });
        self.announce_wallet(agent, owner);
        if self.draw.chance(30) {
            self.set_metadata(agent);
        }
    }

    fn transfer(&mut self, agent: u64) {
        let to = self.person();
        let from = self.agent(agent).owner;
        *self.agent(agent) = Agent { owner: to, wallet: Address::ZERO };
        self.announce_wallet(agent, Address::ZERO);
        self.say(&IIdentity::Transfer { from, to, tokenId: U256::from(agent) });
    }

    fn rotate(&mut self, agent: u64) {
        let wallet = self.person();
        self.agent(agent).wallet = wallet;
        self.announce_wallet(agent, wallet);
    }

    fn unset(&mut self, agent: u64) {
        self.agent(agent).wallet = Address::ZERO;
        self.announce_wallet(agent, Address::ZERO);
    }

    /// Only code that nobody knows does this: the wallet changes, and the event speaks of something else.
    fn settle(&mut self, agent: u64) {
        let wallet = self.person();
        self.agent(agent).wallet = wallet;
        self.say(&metadata(agent, "settled", Bytes::new()));
    }

    fn set_uri(&mut self, agent: u64) {
        let (id, text) = (U256::from(agent), self.text());
        let owner = self.agent(agent).owner;
        self.say(&IIdentity::MetadataUpdate { _tokenId: id });
        self.say(&IIdentity::URIUpdated { agentId: id, newURI: text, updatedBy: owner });
    }

    fn set_metadata(&mut self, agent: u64) {
        let key = self.draw.pick(&["did", "name", "AgentWallet"]);
        let value = Bytes::copy_from_slice(&self.draw.below(4).to_be_bytes());
        self.say(&metadata(agent, key, value));
    }

    fn approve(&mut self, agent: u64) {
        let (owner, other) = (self.agent(agent).owner, self.person());
        let approved = self.draw.chance(60);
        if self.draw.chance(50) {
            return self.say(&IIdentity::ApprovalForAll { owner, operator: other, approved });
        }
        let approved = if approved { other } else { Address::ZERO };
        self.say(&IIdentity::Approval { owner, approved, tokenId: U256::from(agent) });
    }

    fn upgrade(&mut self) {
        if self.draw.chance(20) {
            let next = self.draw.pick(&UNKNOWN);
            let event = IUpgradeable::Upgraded { implementation: next };
            return self.log(REPUTATION, event.encode_log_data());
        }
        let next = self.draw.pick(&[KNOWN, UNKNOWN[0], UNKNOWN[1]]);
        self.state.code = next;
        self.say(&IUpgradeable::Upgraded { implementation: next });
    }

    /// Something of the registry that nobody can read.
    fn odd(&mut self, agent: u64) {
        let topics = vec![B256::repeat_byte(0x0d), B256::from(U256::from(agent))];
        let data = Bytes::copy_from_slice(&self.draw.word().to_be_bytes());
        let address = self.draw.pick(&[IDENTITY, REPUTATION]);
        self.log(address, LogData::new_unchecked(topics, data));
    }

    fn judge(&mut self, agent: u64) {
        let client = self.person();
        let id = U256::from(agent);
        let given = self.state.feedback.get(&(agent, client)).copied().unwrap_or(0);
        let data = match self.draw.below(if given == 0 { 1 } else { 4 }) {
            0 | 1 => {
                self.state.feedback.insert((agent, client), given + 1);
                IReputation::NewFeedback {
                    agentId: id,
                    clientAddress: client,
                    feedbackIndex: given + 1,
                    value: i128::from(self.draw.below(100)),
                    valueDecimals: 0,
                    indexedTag1: keccak256("tag"),
                    tag1: "tag".to_owned(),
                    tag2: self.text(),
                    endpoint: String::new(),
                    feedbackURI: String::new(),
                    feedbackHash: B256::ZERO,
                }
                .encode_log_data()
            }
            2 => {
                let feedback = self.draw.between(1, given);
                IReputation::FeedbackRevoked {
                    agentId: id,
                    clientAddress: client,
                    feedbackIndex: feedback,
                }
                .encode_log_data()
            }
            _ => IReputation::ResponseAppended {
                agentId: id,
                clientAddress: client,
                feedbackIndex: self.draw.between(1, given),
                responder: self.person(),
                responseURI: self.text(),
                responseHash: B256::ZERO,
            }
            .encode_log_data(),
        };
        self.log(REPUTATION, data);
    }
}

fn metadata(agent: u64, key: &str, value: Bytes) -> IIdentity::MetadataSet {
    IIdentity::MetadataSet {
        agentId: U256::from(agent),
        indexedMetadataKey: keccak256(key),
        metadataKey: key.to_owned(),
        metadataValue: value,
    }
}
