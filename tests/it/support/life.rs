//! The life of some agents, drawn from a seed: every operation the registries have, one after the other and several in a block.
//!
//! What is drawn depends on the seed and on the chain as it stands, which is asked before each operation; so a life goes on after a
//! reorganisation as if nothing had been. None of the operations reverts.

use alloy::primitives::{Address, B256, Bytes, U256, keccak256};
use alloy::signers::local::PrivateKeySigner;

use super::anvil::{Call, account};
use super::registries::{Registrant, Registries};

/// So many people there are.
const PEOPLE: u64 = 6;

/// Numbers from a seed (splitmix64).
#[derive(Clone, Debug)]
pub(crate) struct Draw(u64);

impl Draw {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A number below `end`, which is not 0.
    pub(crate) const fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (word ^ (word >> 31)) % end
    }
}

/// Some agents, the people and contracts around them, and what happens next.
pub(crate) struct Life {
    registries: Registries,
    draw: Draw,
    registrants: [Registrant; 2],
    contract_wallet: Address,
    /// Code that nobody knows, where the registry's is replaced now and then.
    unknown_code: Option<Address>,
    agents_max: u64,
    validations: u64,
    sent: u64,
}

impl Life {
    /// Makes the contracts that it takes. No more than `agents_max` agents are registered, give or take one.
    pub(crate) async fn new(registries: &Registries, seed: u64, agents_max: u64) -> Self {
        Self {
            registries: registries.clone(),
            draw: Draw::new(seed),
            registrants: [registries.registrant().await, registries.registrant().await],
            contract_wallet: registries.contract_wallet(account("keeper").address()).await,
            unknown_code: None,
            agents_max,
            validations: 0,
            sent: 0,
        }
    }

    /// From now on the registry's code is replaced now and then, by code that nobody knows and back.
    pub(crate) async fn with_upgrades(mut self) -> Self {
        self.unknown_code = Some(self.registries.unknown_identity_code().await);
        self
    }

    /// How many transactions were sent.
    pub(crate) const fn sent(&self) -> u64 {
        self.sent
    }

    /// Sends at least so many transactions, most of them in a block of their own.
    pub(crate) async fn go_on(&mut self, transactions: u64) {
        let end = self.sent + transactions;
        while self.sent < end {
            let calls = match self.draw.below(6) {
                0 => self.block().await,
                _ => vec![self.operation().await],
            };
            self.sent += u64::try_from(calls.len()).unwrap();
            let chain = &self.registries.chain;
            match calls.as_slice() {
                [call] => drop(chain.send(call.clone()).await),
                _ => drop(chain.send_in_one_block(calls).await),
            }
        }
    }

    fn person(&mut self) -> PrivateKeySigner {
        account(&format!("person {}", self.draw.below(PEOPLE)))
    }

    async fn count(&self) -> u64 {
        let head = self.registries.chain.head().await;
        self.registries.agent_count_at(head).await.to()
    }

    /// An agent and its owner.
    async fn agent(&mut self) -> Option<(U256, Address)> {
        let count = self.count().await;
        if count == 0 {
            return None;
        }
        let agent = U256::from(self.draw.below(count));
        let head = self.registries.chain.head().await;
        Some((agent, self.registries.owner_at(agent, head).await.expect("it was registered")))
    }

    /// One operation in a block of its own.
    async fn operation(&mut self) -> Call {
        let count = self.count().await;
        let born = count < self.agents_max && self.draw.below(1 + count / 2) == 0;
        let Some((agent, owner)) = self.agent().await.filter(|_| !born) else {
            return self.registration().await;
        };
        if let Some(unknown) = self.unknown_code {
            let is_unknown = self.registries.identity_code().await == unknown;
            match self.draw.below(12) {
                0 if is_unknown => return self.registries.downgrade_identity(),
                0 => return self.registries.upgrade_identity(unknown),
                1 | 2 if is_unknown => {
                    let wallet = self.person().address();
                    return self.registries.settle_wallet(owner, agent, wallet);
                }
                _ => {}
            }
        }
        match self.draw.below(12) {
            0 | 1 => {
                let wallet = self.person();
                self.registries.set_wallet(owner, agent, &wallet).await
            }
            2 => {
                let (wallet, keeper) = (self.contract_wallet, account("keeper"));
                self.registries.set_wallet_signed_by(owner, agent, wallet, &keeper).await
            }
            3 | 4 => {
                let to = match self.draw.below(4) {
                    0 => owner,
                    1 => self.registrants[0].address,
                    _ => self.person().address(),
                };
                self.registries.transfer(owner, to, agent)
            }
            5 => self.operators(agent, owner),
            6 => self.judgement(agent),
            7 => self.validations(agent, owner),
            _ => self.plain(agent, owner),
        }
    }

    /// An operation that is allowed to the owner whatever else is in the block.
    fn plain(&mut self, agent: U256, owner: Address) -> Call {
        const KEYS: [&[u8]; 5] = [b"did", b"a\0\xff", b"", b"AgentWallet", b"agentWallet "];
        let number = self.draw.below(1_000);
        match self.draw.below(4) {
            0 => self.registries.unset_wallet(owner, agent),
            1 => self.registries.set_uri(owner, agent, format!("ipfs://{number}")),
            2 => self.registries.set_uri(owner, agent, [b"\xfe\0".as_slice(), b"x"].concat()),
            _ => {
                let key = KEYS[usize::try_from(number).unwrap() % KEYS.len()];
                self.registries.set_metadata(owner, agent, key, number.to_be_bytes())
            }
        }
    }

    fn operators(&mut self, agent: U256, owner: Address) -> Call {
        let operator = self.person().address();
        match self.draw.below(3) {
            0 => self.registries.approve(owner, operator, agent),
            1 => self.registries.approve(owner, Address::ZERO, agent),
            _ => {
                let allowed = self.draw.below(2) == 0;
                self.registries.set_operator(owner, operator, allowed)
            }
        }
    }

    fn judgement(&mut self, agent: U256) -> Call {
        let client = account("client").address();
        let value = i128::from(self.draw.below(100));
        self.registries.give_feedback(client, agent, value, "tag")
    }

    fn validations(&mut self, agent: U256, owner: Address) -> Call {
        self.validations += 1;
        // A request may have been undone, so the hash is never used again.
        let drawn = self.draw.below(u64::MAX);
        let hash: B256 = keccak256([self.validations, drawn].map(u64::to_be_bytes).concat());
        self.registries.request_validation(owner, account("judge").address(), agent, "", hash)
    }

    /// Two to five operations in one block, each a transaction.
    async fn block(&mut self) -> Vec<Call> {
        let Some((agent, owner)) = self.agent().await else {
            return vec![self.registration().await, self.registration().await];
        };
        if self.draw.below(3) == 0 && self.count().await < self.agents_max {
            return vec![self.registration().await, self.plain(agent, owner)];
        }
        let mut calls = Vec::new();
        if self.draw.below(2) == 0 {
            // Set and cleared in one block.
            let wallet = self.person();
            calls.push(self.registries.set_wallet(owner, agent, &wallet).await);
            calls.push(self.registries.unset_wallet(owner, agent));
        }
        for _ in 0..=self.draw.below(2) {
            calls.push(self.plain(agent, owner));
        }
        // The owner as it was before the block: last, so that all before are allowed.
        let to = self.person().address();
        calls.push(self.registries.transfer(owner, to, agent));
        calls
    }

    /// A registration, plain or with something that happens in its middle.
    async fn registration(&mut self) -> Call {
        let head = self.registries.chain.head().await;
        let time = self.registries.chain.block(head).await.header.timestamp;
        let from = self.person().address();
        let [contract, other] = self.registrants;
        let own = contract.address;
        let form = match self.draw.below(3) {
            0 => self.registries.register(own),
            1 => self.registries.register_with_uri(own, "in"),
            _ => self.registries.register_with_metadata(own, "full", &[(b"k", b"v")]),
        };
        let this = Registrant::THIS_AGENT;
        let to = self.person().address();
        let inside = match self.draw.below(10) {
            0 => vec![self.registries.transfer(own, to, this)],
            1 => vec![self.registries.unset_wallet(own, this)],
            2 => vec![self.wallet_inside(own, other.address, time)],
            3 => vec![
                self.registries.set_metadata(own, this, "early", [1]),
                self.registries.set_uri(own, this, "early"),
            ],
            4 => vec![self.registries.register_with_uri(own, "inner")],
            5 => vec![
                self.wallet_inside(own, other.address, time),
                self.registries.set_uri(own, this, "gone"),
                self.registries.transfer(own, other.address, this),
            ],
            6 => Vec::new(),
            7 => return self.registries.register(from),
            8 => return self.registries.register_with_uri(from, "ipfs://first"),
            _ => return self.registries.register_with_metadata(from, "", &[(b"k", b"")]),
        };
        contract.register(from, &form, &inside)
    }

    /// A wallet that is a contract which agrees to a fixed text, so that its proof needs no key.
    fn wallet_inside(&self, from: Address, wallet: Address, time: u64) -> Call {
        let deadline = U256::from(time + 100);
        let proof = Bytes::from_static(Registrant::SIGNATURE);
        self.registries.set_wallet_raw(from, Registrant::THIS_AGENT, wallet, deadline, proof)
    }
}
