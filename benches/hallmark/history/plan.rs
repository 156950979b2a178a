//! What happens in the synthetic history, action by action: who registers, sells, changes a wallet, or gives feedback, and where.
//!
//! The counts are those of Base in August 2026. One seed decides everything, so that the serving process, the check of the counts and
//! the choice of accounts to look up all know the same history without handing it over. How actions look as logs is `logs`.

use std::collections::{BTreeMap, HashMap};

use alloy::primitives::{Address, B256};
use hallmark::vocab::RegistryKind;

use super::base::{Size, TAIL_BLOCKS};
use super::random::{Random, account};

/// Actions in one block that has any; with four logs a registration this makes about 2.7 logs a block.
const ACTIONS_PER_BLOCK: u64 = 2;
/// The agent that two thirds of the feedback are about. It is an early one, so that every tenth of the history is of the same mixture.
const HOT_AGENT: u32 = 7;
/// So many agents are registered before anything else happens.
const FIRST_MINTS: u64 = 10;
/// Owners, of whom the first registers a sixth of all agents.
const OWNERS: u64 = 15_641;
const CLIENTS: u64 = 12_381;
/// Wallets that several agents use.
const SHARED_WALLETS: u64 = 500;

/// One transaction's worth of logs.
#[derive(Clone, Debug)]
pub(crate) enum Action {
    Deploy(RegistryKind),
    Mint { agent: u32, owner: Address },
    Sale { agent: u32, from: Address, to: Address },
    Wallet { agent: u32, wallet: Address },
    Feedback { agent: u32, client: Address, index: u64, hot: bool },
}

/// An action and where it stands.
#[derive(Clone, Debug)]
pub(crate) struct Placed {
    pub(crate) block: u64,
    pub(crate) first_log: u32,
    pub(crate) tx: B256,
    pub(crate) action: Action,
}

/// What a database must hold in the end.
#[derive(Clone, Debug, Default)]
pub(crate) struct Expected {
    pub(crate) agents: u64,
    pub(crate) events: u64,
    /// By kind of timeline.
    pub(crate) spans: BTreeMap<&'static str, u64>,
}

/// The actions in their order; an iterator without end is cut off after the tail.
pub(crate) struct Plan {
    size: Size,
    random: Random,
    deployed: usize,
    /// Actions of the history made so far.
    made: u64,
    /// Actions of the tail made so far.
    tail: u64,
    left: [u64; 4],
    hot_left: u64,
    owners: Vec<Address>,
    wallets: Vec<Option<Address>>,
    feedback: HashMap<(u32, Address), u64>,
    fresh_wallets: u64,
    pub(crate) expected: Expected,
}

impl Plan {
    pub(crate) fn new(size: Size) -> Self {
        Self {
            size,
            random: Random(8004),
            deployed: 0,
            made: 0,
            tail: 0,
            left: [size.agents, size.sales, size.wallets, size.feedback],
            hot_left: size.feedback * 2 / 3,
            owners: Vec::new(),
            wallets: Vec::new(),
            feedback: HashMap::new(),
            fresh_wallets: 0,
            expected: Expected::default(),
        }
    }

    /// Runs through the history, without its tail, and says what it comes to.
    pub(crate) fn run(size: Size) -> Self {
        let mut plan = Self::new(size);
        while plan.tail == 0 && plan.made < size.actions() {
            plan.next();
        }
        plan
    }

    /// The wallets that agents have at the end, each once for every agent.
    pub(crate) fn wallets(&self) -> impl Iterator<Item = Address> {
        self.wallets.iter().filter_map(|wallet| *wallet)
    }

    /// The actions of the history only.
    fn one_more(&mut self) -> Placed {
        let group = self.made / ACTIONS_PER_BLOCK;
        let groups = self.size.actions() / ACTIONS_PER_BLOCK + 1;
        let room = self.size.blocks - 2;
        let mut of_group = Random(group);
        let block = self.size.start + 1 + group * room / groups + of_group.below(room / groups);
        let place = self.made % ACTIONS_PER_BLOCK;
        let first_log = of_group.below(200) + place * 50;
        let action = if self.made < FIRST_MINTS {
            self.left[0] -= 1;
            self.mint()
        } else {
            let mut drawn = self.random.below(self.left.iter().sum());
            let kind = self.left.iter().position(|left| {
                let is_it = drawn < *left;
                drawn = drawn.saturating_sub(*left);
                is_it
            });
            let kind = kind.expect("something is left");
            self.left[kind] -= 1;
            match kind {
                0 => self.mint(),
                1 => self.sale(),
                2 => self.wallet(),
                _ => self.feedback(self.left[3] + 1),
            }
        };
        self.made += 1;
        self.place(block, first_log, action)
    }

    /// After the history every block has a registration and a feedback: five logs.
    fn one_of_tail(&mut self) -> Placed {
        let block = self.size.head() + 1 + self.tail / 2;
        let is_mint = self.tail.is_multiple_of(2);
        self.tail += 1;
        if is_mint {
            let action = self.mint();
            return self.place(block, 3, action);
        }
        let action = self.feedback(u64::MAX);
        self.place(block, 40, action)
    }

    fn place(&mut self, block: u64, first_log: u64, action: Action) -> Placed {
        let first_log = u32::try_from(first_log).expect("log indices are small");
        Placed { block, first_log, tx: B256::from(self.random.bytes::<32>()), action }
    }

    fn mint(&mut self) -> Action {
        let agent = u32::try_from(self.owners.len()).expect("agents are few");
        let drawn = self.random.below(OWNERS * 6);
        let owner = owner(if drawn < OWNERS { 0 } else { drawn % OWNERS });
        self.owners.push(owner);
        self.wallets.push(Some(owner));
        self.expected.agents += 1;
        // The mint sets an empty URI and the log after it the real one.
        self.count(4, &[("owner", 1), ("wallet", 1), ("uri", 2)]);
        Action::Mint { agent, owner }
    }

    fn sale(&mut self) -> Action {
        let agent = self.any_agent();
        let at = agent as usize;
        let from = self.owners[at];
        let mut to = owner(self.random.below(OWNERS));
        if to == from {
            to = account(4, u64::from(agent));
        }
        self.owners[at] = to;
        // Where a wallet was open it ends, and the span without one begins.
        let had_wallet = self.wallets[at].take().is_some();
        self.count(2, &[("owner", 1), ("wallet", u64::from(had_wallet))]);
        Action::Sale { agent, from, to }
    }

    fn wallet(&mut self) -> Action {
        let agent = self.any_agent();
        let shared = account(3, self.random.below(SHARED_WALLETS));
        let has_it = self.wallets[agent as usize] == Some(shared);
        let wallet = if self.random.below(4) == 0 && !has_it {
            shared
        } else {
            self.fresh_wallets += 1;
            account(3, SHARED_WALLETS + self.fresh_wallets)
        };
        self.wallets[agent as usize] = Some(wallet);
        self.count(1, &[("wallet", 1)]);
        Action::Wallet { agent, wallet }
    }

    fn feedback(&mut self, left: u64) -> Action {
        let hot = self.random.below(left) < self.hot_left;
        self.hot_left -= u64::from(hot);
        let agent = if hot { HOT_AGENT } else { self.any_agent() };
        let client = account(2, self.random.below(CLIENTS));
        let index = self.feedback.entry((agent, client)).or_default();
        *index += 1;
        let index = *index;
        self.count(1, &[]);
        Action::Feedback { agent, client, index, hot }
    }

    fn any_agent(&mut self) -> u32 {
        u32::try_from(self.random.below(self.owners.len() as u64)).expect("agents are few")
    }

    fn count(&mut self, events: u64, spans: &[(&'static str, u64)]) {
        self.expected.events += events;
        for (kind, count) in spans {
            *self.expected.spans.entry(kind).or_default() += count;
        }
    }
}

impl Iterator for Plan {
    type Item = Placed;

    fn next(&mut self) -> Option<Placed> {
        if let Some(kind) = RegistryKind::ALL.get(self.deployed).copied() {
            let first_log = self.deployed as u64 * 10;
            self.deployed += 1;
            self.count(5, &[("implementation", 2)]);
            return Some(self.place(self.size.start, first_log, Action::Deploy(kind)));
        }
        if self.made < self.size.actions() {
            return Some(self.one_more());
        }
        (self.tail < 2 * TAIL_BLOCKS).then(|| self.one_of_tail())
    }
}

fn owner(number: u64) -> Address {
    account(1, number)
}
