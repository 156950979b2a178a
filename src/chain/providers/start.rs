//! Whether a node may be believed at all, and whether it is up with the others.
//!
//! A node is of the right chain, or it is refused; it has logs where there are some, or it is benched. Both are asked once, before its
//! first answer is used, also where that is long after the program started.

use std::ops::RangeInclusive;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::time::{Instant, timeout};

use super::health::Choice;
use super::{Blame, Node, Providers, State};
use crate::chain::{ChainError, ChainSource, LogFilter};
use crate::vocab::{ChainId, Finding, FindingKind, Header};

/// At the start a node has so long to say which chain it is of; later it may still join.
const START_LIMIT: Duration = Duration::from_secs(10);
/// A node that was in trouble has so long for a small question.
const TRIAL_LIMIT: Duration = Duration::from_secs(3);
/// The other nodes have so long to say where their heads are.
const LOOK_LIMIT: Duration = Duration::from_secs(2);

/// Lets another request try a node when this one is done with it, or was dropped over it.
struct Trial<'a, S: ChainSource>(&'a Providers<S>, usize);

impl<S: ChainSource> Drop for Trial<'_, S> {
    fn drop(&mut self) {
        self.0.health(self.1, |health| health.is_being_tried = false);
    }
}

impl<S: ChainSource> Providers<S> {
    /// The chain, which all nodes that answer must be of; and each must have logs where there are some.
    pub(super) async fn start(&self) -> Result<ChainId, ChainError> {
        let expected = self.options.chain;
        if let [only] = self.nodes.as_slice() {
            let found = self.one(only, Blame::All, S::chain_id).await?;
            // Of another one the caller says what is wrong.
            if found == expected {
                self.probe(only).await?;
            }
            return Ok(found);
        }
        let sure = join_all(self.nodes.iter().map(|node| async move {
            let sure = timeout(START_LIMIT, self.make_sure(node)).await;
            sure.unwrap_or_else(|_| {
                Err(ChainError::TimedOut {
                    endpoint: node.provider.name.clone(),
                    asked: "the chain id".to_owned(),
                })
            })
        }))
        .await;
        let now = Instant::now();
        let is_refused =
            |node: &Node<S>| self.health(node.index, |health| health.state(now) == State::Refused);
        let mut first = None;
        for (node, sure) in self.nodes.iter().zip(sure) {
            match sure {
                Err(error) if is_refused(node) => return Err(error),
                Err(error) => {
                    tracing::warn!(provider = node.provider.name, %error, "the node is not used yet");
                    first.get_or_insert(error);
                }
                Ok(()) => {}
            }
        }
        let is_usable = match self.choice() {
            Choice::Ask(chosen) => chosen.iter().any(|index| {
                self.health(*index, |health| {
                    health.is_verified && health.state(now) != State::Benched
                })
            }),
            Choice::Wait(_) | Choice::Nobody => false,
        };
        if is_usable { Ok(expected) } else { Err(first.unwrap_or_else(|| self.none_is_left())) }
    }

    /// Makes sure, before a node's first answer is used, that it is of the chain and has its logs.
    pub(super) async fn make_sure(&self, node: &Node<S>) -> Result<(), ChainError> {
        if self.is_alone() {
            return Ok(());
        }
        if !self.health(node.index, |health| health.is_verified) {
            let found = self.one(node, Blame::All, S::chain_id).await?;
            let expected = self.options.chain;
            if found != expected {
                let reason = format!("it follows {found}, but {expected} is configured");
                self.health(node.index, |health| health.refuse(reason.clone()));
                let finding = Finding::new(FindingKind::NodeUnfit, &reason);
                self.find(finding.of_provider(&node.provider.name));
                return Err(ChainError::Fatal {
                    endpoint: node.provider.name.clone(),
                    asked: "as one of the nodes".to_owned(),
                    reason: format!("{reason}; take it out of `rpc_url`, or change `chain`"),
                });
            }
            self.health(node.index, |health| health.is_verified = true);
        }
        self.probe(node).await
    }

    /// Asks a node once for logs that are known to be there.
    async fn probe(&self, node: &Node<S>) -> Result<(), ChainError> {
        if self.health(node.index, |health| health.is_probed) {
            return Ok(());
        }
        let Some((filter, range)) = self.watch().known.clone() else { return Ok(()) };
        let (from, to) = (*range.start(), *range.end());
        let asked = self.one(node, Blame::Passing, |source| logs_of_known(source, filter, range));
        let has_logs = match asked.await {
            Err(error) if !error.is_transient() => {
                // A node that says that it has no logs so old does not pretend that there were none.
                tracing::warn!(provider = node.provider.name, %error, "the node could not be probed");
                true
            }
            has_logs => has_logs?,
        };
        if has_logs {
            self.health(node.index, |health| health.is_probed = true);
            return Ok(());
        }
        let reason = format!(
            "it returned no logs of blocks {from} to {to}, where there are some for certain"
        );
        self.bench(node, Finding::new(FindingKind::NodeUnfit, &reason).of_blocks(from, to));
        Err(ChainError::Fatal {
            endpoint: node.provider.name.clone(),
            asked: "as a node to follow".to_owned(),
            reason: format!("{reason}; use another endpoint in `rpc_url`"),
        })
    }

    /// Asks nodes whose trouble may be over a small question, each at most once at a time, so that no request that matters has to.
    pub(super) async fn try_again(&self) {
        if self.is_alone() {
            return;
        }
        for node in &self.nodes {
            let now = Instant::now();
            let is_tried = self.health(node.index, |health| {
                let may_be = health.may_be_tried(now);
                health.is_being_tried |= may_be;
                may_be
            });
            if !is_tried {
                continue;
            }
            let _trial = Trial(self, node.index);
            match timeout(TRIAL_LIMIT, self.one(node, Blame::All, S::tags)).await {
                Ok(Ok(tags)) => self.saw_head(node, &tags.head),
                Ok(Err(_)) => {}
                Err(_) => {
                    let error = ChainError::TimedOut {
                        endpoint: node.provider.name.clone(),
                        asked: "head, safe, finalized".to_owned(),
                    };
                    self.note(node, now, Blame::All, Some(&error));
                }
            }
            if self.health(node.index, |health| health.state(Instant::now())) == State::Healthy {
                tracing::info!(provider = node.provider.name, "the node is well again");
            }
        }
    }

    /// Remembers a node's head, and leaves the node alone where that is far behind the others'.
    pub(super) fn saw_head(&self, node: &Node<S>, head: &Header) {
        let best = {
            let mut watch = self.watch();
            if let Some(seen) = watch.heads.get_mut(node.index) {
                *seen = Some(head.clone());
            }
            // Only nodes that could be followed instead count, or nothing would be gained.
            let now = Instant::now();
            let others = self.nodes.iter().zip(&watch.health).zip(&watch.heads);
            others
                .filter(|((other, health), _)| {
                    let role = other.provider.role;
                    other.index != node.index
                        && role != super::Role::Check
                        && health.state(now) == State::Healthy
                })
                .filter_map(|(_, seen)| seen.clone())
                .max_by_key(|seen| seen.time)
        };
        let Some(best) = best else { return };
        let behind_s = best.time.get().saturating_sub(head.time.get());
        if behind_s <= self.options.lag_max_s {
            return;
        }
        let reason = format!(
            "its head is block {}, {behind_s} s behind block {} of another node",
            head.block.number, best.block.number
        );
        if self.health(node.index, |health| health.lags(&reason, Instant::now())) {
            tracing::warn!(
                provider = node.provider.name,
                reason,
                "the node is left alone for a while"
            );
        }
    }

    /// Waits for a new head, and meanwhile looks at the heads of the other nodes, now and then.
    pub(super) async fn wait_and_look(&self) {
        let Choice::Ask(chosen) = self.choice() else {
            tokio::time::sleep(TRIAL_LIMIT).await;
            return;
        };
        let followed = chosen.first().and_then(|index| self.nodes.get(*index));
        let Some(followed) = followed else { return };
        let is_due = {
            let mut watch = self.watch();
            let now = Instant::now();
            let is_due = watch.looked.is_none_or(|at| now - at >= self.options.look_every);
            if is_due {
                watch.looked = Some(now);
            }
            is_due && !self.is_alone()
        };
        let wait = followed.provider.source.wait_for_head();
        if is_due {
            futures_util::join!(wait, self.look(followed.index));
        } else {
            wait.await;
        }
    }

    async fn look(&self, followed: usize) {
        let now = Instant::now();
        let others = self.nodes.iter().filter(|node| {
            node.index != followed
                && self.health(node.index, |health| {
                    health.is_verified && health.state(now) == State::Healthy
                })
        });
        let looks = others.map(|node| async move {
            let tags = timeout(LOOK_LIMIT, self.one(node, Blame::All, S::tags)).await;
            if let Ok(Ok(tags)) = tags {
                self.saw_head(node, &tags.head);
            }
        });
        join_all(looks).await;
    }
}

/// Whether a node has any logs in a range.
async fn logs_of_known<S: ChainSource>(
    source: &S,
    filter: LogFilter,
    range: RangeInclusive<u64>,
) -> Result<bool, ChainError> {
    source.logs_in(&filter, range).await.map(|answer| !answer.logs.is_empty())
}
