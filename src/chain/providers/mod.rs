//! Several nodes as one source: each is watched, one is followed, and what it says is compared with what the others say.
//!
//! The first node of the list that is well is asked; what it cannot answer is asked of the next, and when it is well again it is asked
//! again (`health`). The logs of a sample of ranges, and of every range that looks wrong (`suspicion`), are compared with another
//! node's (`check`), and where history is read block by block those of a sample of blocks (`single`); where they differ, the blocks' own hashes and blooms decide (`settle`), and the node that was wrong is
//! benched. With one node alone its answers are held against themselves. What was found waits here until it is taken away.
//!
//! A node that is of another chain, or has no logs where there are some, is found out before it is believed (`start`).

mod check;
mod compare;
mod health;
mod settle;
mod single;
mod source;
mod start;
mod suspicion;

use std::collections::VecDeque;
use std::ops::RangeInclusive;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

pub use health::{Role, State};

use self::health::{Choice, Health};
use self::suspicion::Neighbours;
use super::ChainError;
use super::source::{ChainSource, LogFilter};
use crate::vocab::{ChainId, Finding, Header};

/// So many findings wait to be taken away; a node that makes more of them is known well enough.
const FINDINGS_MAX: usize = 64;

/// One node of the list.
#[derive(Debug)]
pub struct Provider<S> {
    /// How it is asked.
    pub source: S,
    /// How it is shown: scheme and host, never a key.
    pub name: String,
    /// What it is asked for.
    pub role: Role,
}

/// What holds for all nodes of a list.
#[derive(Clone, Debug)]
pub struct ProvidersOptions {
    /// The chain that each must be of.
    pub chain: ChainId,
    /// Chooses which ranges are compared; any number, best one that nobody outside can know.
    pub seed: u64,
    /// Blocks that hold logs of these registries for certain: a node that has none there is of no use.
    pub known: Option<(LogFilter, RangeInclusive<u64>)>,
    /// A node whose head is older than another's by more seconds than this is behind.
    pub lag_max_s: u64,
    /// How often the heads of the nodes that are not followed are looked at.
    pub look_every: Duration,
}

impl ProvidersOptions {
    /// The defaults for a chain.
    #[must_use]
    pub const fn new(chain: ChainId) -> Self {
        Self { chain, seed: 0, known: None, lag_max_s: 60, look_every: Duration::from_secs(15) }
    }
}

/// How one node is doing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProviderReport {
    /// Scheme and host.
    pub name: String,
    /// What it is asked for.
    pub role: Role,
    /// Whether it is asked.
    pub state: State,
    /// Why not, where it is not.
    pub reason: Option<String>,
    /// How long it is still left alone, where that ends by itself.
    pub pause: Option<Duration>,
    /// Its head when it was last asked for it.
    pub head: Option<u64>,
    /// How long its answers take, as a moving average.
    pub latency: Option<Duration>,
    /// How often it was asked.
    pub requests: u64,
    /// How often it failed.
    pub failures: u64,
    /// How often it was found to have left logs out or made them up.
    pub disagreements: u64,
    /// What it last failed with, cleaned of secrets.
    pub last_error: Option<String>,
}

/// Several nodes as one source.
#[derive(Debug)]
pub struct Providers<S> {
    nodes: Vec<Node<S>>,
    options: ProvidersOptions,
    watch: Mutex<Watch>,
}

#[derive(Debug)]
struct Node<S> {
    index: usize,
    provider: Provider<S>,
}

/// What is known of the nodes and of their answers.
#[derive(Debug, Default)]
struct Watch {
    health: Vec<Health>,
    heads: Vec<Option<Header>>,
    neighbours: Neighbours,
    known: Option<(LogFilter, RangeInclusive<u64>)>,
    /// The highest block that any of them called final.
    finalized: Option<u64>,
    findings: VecDeque<Finding>,
    looked: Option<Instant>,
}

/// Which errors of a request are the node's fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Blame {
    /// All.
    All,
    /// Those that pass: that a contract refuses, or that old state is gone, is an answer.
    Passing,
}

impl<S: ChainSource> Providers<S> {
    /// A source over these nodes, the preferred first.
    #[must_use]
    pub fn new(providers: Vec<Provider<S>>, options: ProvidersOptions) -> Self {
        let watch = Watch {
            health: vec![Health::default(); providers.len()],
            heads: vec![None; providers.len()],
            known: options.known.clone(),
            ..Watch::default()
        };
        let node = |(index, provider)| Node { index, provider };
        let nodes = providers.into_iter().enumerate().map(node).collect();
        Self { nodes, options, watch: Mutex::new(watch) }
    }

    /// How each node is doing, the preferred first.
    #[must_use]
    pub fn report(&self) -> Vec<ProviderReport> {
        let now = Instant::now();
        let watch = self.watch();
        let each = self.nodes.iter().zip(&watch.health).zip(&watch.heads);
        each.map(|((node, health), head)| ProviderReport {
            name: node.provider.name.clone(),
            role: node.provider.role,
            state: health.state(now),
            reason: health.reason(now).map(ToOwned::to_owned),
            pause: health.pause(now),
            head: head.as_ref().map(|head| head.block.number),
            latency: health.latency,
            requests: health.requests,
            failures: health.failures,
            disagreements: health.disagreements,
            last_error: health.last_error.clone(),
        })
        .collect()
    }

    fn watch(&self) -> MutexGuard<'_, Watch> {
        self.watch.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks at or changes what is known of one node.
    fn health<T: Default>(&self, index: usize, look: impl FnOnce(&mut Health) -> T) -> T {
        self.watch().health.get_mut(index).map(look).unwrap_or_default()
    }

    /// Each node's role beside its health.
    fn seen<'h>(&self, health: &'h [Health]) -> Vec<(Role, &'h Health)> {
        self.nodes.iter().map(|node| node.provider.role).zip(health).collect()
    }

    fn is_alone(&self) -> bool {
        self.nodes.len() == 1
    }

    fn choice(&self) -> Choice {
        health::to_follow(&self.seen(&self.watch().health), Instant::now())
    }

    /// The nodes that may compare what another one answered.
    fn others(&self, answered: usize) -> Vec<&Node<S>> {
        let watch = self.watch();
        let others = health::to_compare(&self.seen(&watch.health), answered, Instant::now());
        others.into_iter().filter_map(|index| self.nodes.get(index)).collect()
    }

    /// Asks one node, and notes how that went.
    async fn one<'a, T, F>(
        &'a self,
        node: &'a Node<S>,
        blame: Blame,
        request: impl FnOnce(&'a S) -> F,
    ) -> Result<T, ChainError>
    where
        F: Future<Output = Result<T, ChainError>> + Send + 'a,
    {
        let began = Instant::now();
        let answer = request(&node.provider.source).await;
        self.note(node, began, blame, answer.as_ref().err());
        answer
    }

    fn note(&self, node: &Node<S>, began: Instant, blame: Blame, error: Option<&ChainError>) {
        let now = Instant::now();
        let name = || ("provider", self.label(node));
        metrics::counter!("hallmark_rpc_requests_total", &[name()]).increment(1);
        let failure = error.filter(|error| match error {
            ChainError::Transient { .. } | ChainError::TimedOut { .. } => true,
            ChainError::Fatal { .. } => blame == Blame::All,
            ChainError::RangeTooLarge { .. } => false,
        });
        let took = now.duration_since(began);
        let Some(error) = failure else {
            metrics::histogram!("hallmark_rpc_request_duration_seconds", &[name()])
                .record(took.as_secs_f64());
            return self.health(node.index, |health| health.answered(took, now));
        };
        metrics::counter!("hallmark_rpc_failures_total", &[name()]).increment(1);
        let is_left_alone = self.health(node.index, |health| health.failed(error, now));
        if is_left_alone && !self.is_alone() {
            tracing::warn!(provider = node.provider.name, %error, "the node is left alone for a while");
        }
    }

    /// The node's name in metrics: its own, with its place in the list where another one has the same.
    fn label(&self, node: &Node<S>) -> String {
        let name = &node.provider.name;
        let is_only = self.nodes.iter().filter(|other| other.provider.name == *name).count() == 1;
        if is_only { name.clone() } else { format!("{name}#{}", node.index) }
    }

    /// Asks the nodes that follow, one after the other, until one answers; says which one did.
    async fn ask<'a, T, F>(
        &'a self,
        blame: Blame,
        request: impl Fn(&'a S) -> F,
    ) -> Result<(&'a Node<S>, T), ChainError>
    where
        F: Future<Output = Result<T, ChainError>> + Send + 'a,
    {
        self.try_again().await;
        let chosen = match self.choice() {
            Choice::Ask(chosen) => chosen,
            Choice::Wait(pause) => return Err(self.all_are_busy(pause)),
            Choice::Nobody => return Err(self.none_is_left()),
        };
        let mut first = None;
        for node in chosen.into_iter().filter_map(|index| self.nodes.get(index)) {
            let answer = match self.make_sure(node).await {
                Ok(()) => self.one(node, blame, &request).await,
                Err(error) => Err(error),
            };
            match answer {
                Ok(answer) => return Ok((node, answer)),
                // A shorter range is the answer to this, not another node.
                Err(error @ ChainError::RangeTooLarge { .. }) => return Err(error),
                Err(error) => {
                    first.get_or_insert(error);
                }
            }
        }
        Err(first.unwrap_or_else(|| self.none_is_left()))
    }

    fn all_are_busy(&self, pause: Duration) -> ChainError {
        let reasons: Vec<String> = self.report().into_iter().filter_map(|r| r.reason).collect();
        ChainError::Transient {
            endpoint: "the list of nodes".to_owned(),
            asked: "now".to_owned(),
            reason: reasons.join("; "),
            retry_after: Some(pause),
        }
    }

    fn none_is_left(&self) -> ChainError {
        let reasons = self.report().into_iter();
        let reasons = reasons.filter_map(|r| Some(format!("{}: {}", r.name, r.reason?)));
        ChainError::Transient {
            endpoint: "the list of nodes".to_owned(),
            asked: "anything".to_owned(),
            reason: format!(
                "no node is left to follow ({})",
                reasons.collect::<Vec<_>>().join("; ")
            ),
            retry_after: None,
        }
    }

    fn find(&self, finding: Finding) {
        tracing::warn!(
            finding = finding.kind.as_str(),
            provider = finding.provider,
            blocks = ?finding.blocks,
            detail = finding.detail,
            "found"
        );
        let mut watch = self.watch();
        watch.findings.push_back(finding);
        while watch.findings.len() > FINDINGS_MAX {
            watch.findings.pop_front();
        }
    }

    /// Benches a node for what it did.
    fn bench(&self, node: &Node<S>, finding: Finding) {
        let now = Instant::now();
        let length = self.health(node.index, |health| {
            health.disagreements += 1;
            Some(health.bench(&finding.detail, now))
        });
        let name = [("provider", self.label(node))];
        metrics::counter!("hallmark_rpc_disagreements_total", &name).increment(1);
        let length_s = length.map_or(0, |length: Duration| length.as_secs());
        let is_last = matches!(self.choice(), Choice::Ask(chosen) if chosen == [node.index]);
        tracing::warn!(
            provider = node.provider.name,
            length_s,
            "the node is benched{}",
            if is_last { ", and used all the same: there is no better one" } else { "" }
        );
        self.find(finding.of_provider(&node.provider.name));
    }
}
