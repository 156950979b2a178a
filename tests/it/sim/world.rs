//! The chain over time, and the backends that know it: who answers a packet, from which state of the chain, and with which fault.
//!
//! Time goes by packets: each may bring a change of the chain. When all changes were made the world is calm: every backend knows the
//! truth and nothing fails any more.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use alloy::primitives::B256;

use super::content::{KNOWN, State};
use super::draw::Draw;
use super::model::{Chain, Model};
use super::plan::{Fault, Plan, RECHECKS};

/// Even where the chain no longer changes, a node gets well in the end.
const PACKETS_MAX: u64 = 300;

/// No packet is answered at once: what takes no time could happen before or after what the database takes its real time for.
const LATENCY_MIN: Duration = Duration::from_millis(2);

/// Of 100 packets so many bring a change while the program has nothing to do.
const IDLE_ACT_PERCENT: u64 = 70;

/// What happens to one packet.
#[derive(Clone, Debug)]
pub(super) struct Fate {
    pub(super) latency: Duration,
    pub(super) view: usize,
    pub(super) fault: Option<Fault>,
    /// Decides the fault's details.
    pub(super) draw: Draw,
    /// The program dies before it is answered.
    pub(super) is_last: bool,
}

/// A block in JSON.
#[derive(Debug)]
pub(super) struct Texts {
    pub(super) header: String,
    pub(super) logs: Vec<String>,
}

/// How the world fares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Nothing happens until something was followed.
    Quiet,
    /// The chain changes, and the node fails.
    Lively,
    /// Everybody knows the truth.
    Calm,
}

#[derive(Debug)]
pub(super) struct World {
    pub(super) model: Model,
    pub(super) plan: Plan,
    pub(super) views: Vec<Chain>,
    draw: Draw,
    acts_left: u64,
    pub(super) packets: u64,
    asked_for_tags: bool,
    /// The packet at which the program dies.
    last_packet: Option<u64>,
    /// Set when that packet came.
    pub(super) is_dead: bool,
    phase: Phase,
    /// The highest block that any backend ever called final.
    finalized_max: u64,
    /// How often the logs of a block were left out.
    left_out: HashMap<B256, u32>,
    pub(super) story: Vec<String>,
    /// What was written of blocks so far, by hash.
    pub(super) texts: RefCell<HashMap<B256, Arc<Texts>>>,
    began: tokio::time::Instant,
}

impl World {
    pub(super) fn new(seed: u64, plan: Plan) -> Self {
        let mut draw = Draw::of(&[seed, 2]);
        let state = State::new(KNOWN);
        // What stood behind the proxy before the first block followed is asked once, and must not change.
        let floor = plan.options.start_block.saturating_sub(1);
        let mut model = Model::new(seed, plan.shape, state, floor, plan.without_finality);
        model.grow(plan.blocks);
        let height = model.chain.height();
        let (finalized, safe) = (draw.below(height + 1), draw.below(height + 1));
        model.settle(finalized, safe);
        let finalized_max = model.chain.finalized;
        let views = vec![model.chain.clone(); plan.views];
        let mut world = Self {
            views,
            draw,
            acts_left: plan.acts,
            packets: 0,
            asked_for_tags: false,
            last_packet: None,
            is_dead: false,
            phase: if plan.opening { Phase::Lively } else { Phase::Quiet },
            finalized_max,
            left_out: HashMap::new(),
            story: Vec::new(),
            texts: RefCell::default(),
            began: tokio::time::Instant::now(),
            model,
            plan,
        };
        world.tell(format!("{:?}", world.plan));
        world.tell_chain("the chain begins");
        world
    }

    pub(super) fn tell(&mut self, what: impl AsRef<str>) {
        let time = self.began.elapsed().as_millis();
        let line = format!("{:>4} {:>7} ms  {}", self.packets, time, what.as_ref());
        self.story.push(line);
    }

    fn tell_chain(&mut self, what: &str) {
        let chain = &self.model.chain;
        let line = format!(
            "{what}: head {}, safe {}, finalized {}",
            chain.head().header.block,
            chain.safe,
            chain.finalized
        );
        self.tell(line);
    }

    pub(super) fn is_calm(&self) -> bool {
        self.phase == Phase::Calm
    }

    /// Something was followed.
    pub(super) fn begin(&mut self) {
        if self.phase == Phase::Quiet {
            self.phase = Phase::Lively;
        }
    }

    /// A program begins, to die at its so many-th packet.
    pub(super) fn revive(&mut self, packet: Option<u64>) {
        self.is_dead = false;
        self.last_packet = packet.map(|packet| self.packets + packet);
    }

    /// A packet has come.
    pub(super) fn arrive(&mut self, asks_for_tags: bool) -> Fate {
        self.packets += 1;
        // Who asks for nothing but the tags has caught up, and something ought to happen.
        let is_idle = asks_for_tags && self.asked_for_tags;
        self.asked_for_tags = asks_for_tags;
        let act_percent = if is_idle { IDLE_ACT_PERCENT } else { self.plan.act_percent };
        let is_last = self.last_packet == Some(self.packets);
        if self.phase == Phase::Lively && self.draw.chance(act_percent) {
            self.act();
        }
        if self.acts_left == 0 || self.packets >= PACKETS_MAX {
            self.calm_down();
        }
        let view = self.draw.place(self.views.len());
        if self.is_calm() || self.draw.chance(self.plan.sync_percent) {
            self.sync(view);
        }
        let mut fault = None;
        for (kind, percent) in self.plan.faults.clone() {
            if self.phase == Phase::Lively && self.draw.chance(percent) {
                fault = Some(kind);
            }
        }
        let latency =
            LATENCY_MIN + Duration::from_millis(self.draw.below(self.plan.latency_max_ms));
        let draw = Draw::of(&[self.draw.word()]);
        Fate { latency, view, fault, draw, is_last }
    }

    fn calm_down(&mut self) {
        if !self.is_calm() {
            self.phase = Phase::Calm;
            self.tell_chain("all is calm");
        }
    }

    /// A backend learns the truth, or nearly.
    fn sync(&mut self, view: usize) {
        let behind = if self.is_calm() || self.draw.chance(60) { 0 } else { self.draw.below(6) };
        self.finalized_max = self.finalized_max.max(self.model.chain.finalized);
        self.views[view].become_behind(&self.model.chain, behind);
    }

    /// One change of the chain.
    fn act(&mut self) {
        self.acts_left -= 1;
        let chain = &self.model.chain;
        let (height, safe, finalized) = (chain.height(), chain.safe, chain.finalized);
        match self.draw.below(10) {
            // The last word is often a branch that is shorter than what was there.
            _ if self.acts_left == 0 && self.draw.chance(40) => self.reorg(0),
            0 | 1 => {
                let blocks = self.draw.pick(&[1, 2, 5, 12]);
                self.model.grow(blocks);
                self.tell_chain("it grew");
            }
            2..=6 => {
                self.reorg(4);
                if self.draw.chance(25) {
                    self.reorg(2);
                }
            }
            7 => {
                // What a backend that was left behind sees when it comes back: another branch, long since final.
                self.reorg(1);
                self.model.grow(15);
                let height = self.model.chain.height();
                let finalized = self.draw.between(height - 8, height);
                self.model.settle(finalized, height);
                self.tell_chain("it leapt");
            }
            _ => {
                let up_to = self.draw.between(finalized, height);
                let finalized = if self.draw.chance(60) { 0 } else { up_to };
                let safe = self.draw.between(safe, height);
                self.model.settle(finalized, safe);
                self.tell_chain("it settled");
            }
        }
    }

    /// Replaces the newest blocks by others, at most so many more than there were; where all are final, nothing happens.
    fn reorg(&mut self, more: u64) {
        let height = self.model.chain.height();
        let deepest = height - self.model.floor;
        if deepest == 0 {
            return;
        }
        let depth = if self.draw.chance(50) { deepest.min(3) } else { deepest };
        let depth = self.draw.between(1, depth);
        let length = self.draw.between(1, depth + more);
        self.model.reorg(height - depth, length);
        self.tell_chain(&format!("it was replaced above {}", height - depth));
    }

    /// Whether the logs of a block may be left out once more without being lost: the block is recent, and was not left out too often.
    pub(super) fn may_leave_out(&mut self, number: u64, hash: B256) -> bool {
        let recent_from = self.finalized_max.saturating_sub(self.plan.options.recent);
        let recent_from = if self.model.has_finality { recent_from } else { 0 };
        let count = self.left_out.entry(hash).or_default();
        let may = number >= recent_from && *count < RECHECKS;
        *count += u32::from(may);
        may
    }
}
