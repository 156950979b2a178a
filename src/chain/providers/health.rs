//! How one node is doing, and which node to ask next. Pure: the time is an argument.
//!
//! Trouble passes and is nobody's fault: a node that fails several times in a row, or asks us to slow down, is left alone for a while,
//! then tried with a small question. A bench is a verdict: what a node said was not true. Each further bench is twice as long, and when
//! it is over, the node's answers are compared for a while. A node of another chain is refused for good.

use std::time::Duration;

use tokio::time::Instant;

use crate::chain::ChainError;

/// So many failures in a row are trouble; being told to slow down, or a time-out, is at once.
const FAILURES_MAX: u32 = 3;
/// The first trouble lasts so long; each further one in a row twice as long.
const TROUBLE: Duration = Duration::from_secs(1);
const TROUBLE_MAX: Duration = Duration::from_mins(2);
/// A node's own wish is followed up to here.
const RETRY_AFTER_MAX: Duration = Duration::from_mins(5);
/// A node that is behind the others is left alone for so long.
const LAG_PAUSE: Duration = Duration::from_secs(30);
/// The first bench lasts so long; each further one twice as long.
const BENCH: Duration = Duration::from_mins(5);
const BENCH_MAX: Duration = Duration::from_hours(24);
/// So many answers of a node that was benched are compared when it is back.
const PROBATION: u32 = 16;

/// What a node is asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Role {
    /// To follow the chain, and to compare the answers of others.
    #[default]
    Both,
    /// To follow only: its answers are compared, it compares nothing.
    Follow,
    /// To compare only.
    Check,
}

impl Role {
    /// Its word, in the configuration and in answers.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Both => "both",
            Self::Follow => "follow",
            Self::Check => "check",
        }
    }

    const fn follows(self) -> bool {
        matches!(self, Self::Both | Self::Follow)
    }

    const fn checks(self) -> bool {
        matches!(self, Self::Both | Self::Check)
    }
}

/// Whether a node is asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum State {
    /// It is.
    #[default]
    Healthy,
    /// Not now: it failed, or wants to be left alone.
    Troubled,
    /// Not until its bench is over, while there is another: what it said was not true.
    Benched,
    /// Never: it is of another chain.
    Refused,
}

impl State {
    /// Its word in answers.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::Troubled => "troubled",
            Self::Benched => "benched",
            Self::Refused => "refused",
        }
    }
}

/// Why a node is left alone, and until when.
#[derive(Clone, Debug)]
struct Pause {
    until: Instant,
    reason: String,
    /// Whether it is kept to the end, whatever the node answers meanwhile.
    is_firm: bool,
}

/// The health of one node.
#[derive(Clone, Debug, Default)]
pub(super) struct Health {
    pub(super) requests: u64,
    pub(super) failures: u64,
    pub(super) disagreements: u64,
    pub(super) last_error: Option<String>,
    /// A moving average of how long answers take.
    pub(super) latency: Option<Duration>,
    /// Whether it is known to be of the right chain.
    pub(super) is_verified: bool,
    /// Whether it was seen to have logs where there are some.
    pub(super) is_probed: bool,
    /// Whether somebody is trying it again just now.
    pub(super) is_being_tried: bool,
    in_a_row: u32,
    troubles: u32,
    trouble: Option<Pause>,
    benches: u32,
    bench: Option<Pause>,
    probation: u32,
    refused: Option<String>,
}

impl Health {
    /// Takes in an answer that took so long.
    pub(super) fn answered(&mut self, took: Duration, now: Instant) {
        self.requests += 1;
        self.in_a_row = 0;
        self.latency = Some(self.latency.map_or(took, |old| (old * 7 + took) / 8));
        // What was on its way before the node asked to be left alone does not take that back.
        if self.trouble.as_ref().is_none_or(|trouble| !trouble.is_firm || trouble.until <= now) {
            self.trouble = None;
            self.troubles = 0;
        }
    }

    /// Takes in a failure. Says whether the node is in trouble by it, and was not before.
    pub(super) fn failed(&mut self, error: &ChainError, now: Instant) -> bool {
        self.requests += 1;
        self.failures += 1;
        self.in_a_row = self.in_a_row.saturating_add(1);
        self.last_error = Some(error.to_string());
        let wish = error.retry_after();
        let at_once = wish.is_some() || matches!(error, ChainError::TimedOut { .. });
        if !at_once && self.in_a_row < FAILURES_MAX {
            return false;
        }
        self.leave_alone(&error.to_string(), wish, now)
    }

    /// Leaves the node alone for a while: for so long where it asks for that. Says whether it was not left alone before.
    fn leave_alone(&mut self, reason: &str, wish: Option<Duration>, now: Instant) -> bool {
        let is_new = self.trouble.as_ref().is_none_or(|trouble| trouble.until <= now);
        // Several requests that fail at once are one trouble.
        if is_new {
            self.troubles = self.troubles.saturating_add(1);
        }
        let own = doubled(TROUBLE, self.troubles, TROUBLE_MAX);
        let length = own.max(wish.unwrap_or_default().min(RETRY_AFTER_MAX));
        let until = self.trouble.as_ref().map_or(now, |old| old.until).max(now + length);
        let is_firm = wish.is_some() || (!is_new && self.is_firm());
        self.trouble = Some(Pause { until, reason: reason.to_owned(), is_firm });
        is_new
    }

    /// Leaves the node alone because it is behind the others. Its answers do not take that back before the time is over.
    pub(super) fn lags(&mut self, reason: &str, now: Instant) -> bool {
        self.leave_alone(reason, Some(LAG_PAUSE), now)
    }

    fn is_firm(&self) -> bool {
        self.trouble.as_ref().is_some_and(|trouble| trouble.is_firm)
    }

    /// Benches the node. Returns for how long.
    pub(super) fn bench(&mut self, reason: &str, now: Instant) -> Duration {
        // What was on its way when it was benched is no second offence.
        if let Some(bench) = self.bench.as_ref().filter(|bench| bench.until > now) {
            return bench.until - now;
        }
        self.benches = self.benches.saturating_add(1);
        let length = doubled(BENCH, self.benches, BENCH_MAX);
        self.bench = Some(Pause { until: now + length, reason: reason.to_owned(), is_firm: false });
        self.probation = PROBATION;
        self.is_probed = false;
        length
    }

    /// Never asks the node again.
    pub(super) fn refuse(&mut self, reason: String) {
        self.refused = Some(reason);
    }

    /// Whether this answer is to be compared because of what the node did before; counts down.
    pub(super) const fn is_on_probation(&mut self) -> bool {
        let is_on = self.probation > 0;
        self.probation = self.probation.saturating_sub(1);
        is_on
    }

    pub(super) fn state(&self, now: Instant) -> State {
        if self.refused.is_some() {
            State::Refused
        } else if self.bench.as_ref().is_some_and(|bench| bench.until > now) {
            State::Benched
        } else if self.trouble.is_some() {
            State::Troubled
        } else {
            State::Healthy
        }
    }

    /// Why it is not healthy.
    pub(super) fn reason(&self, now: Instant) -> Option<&str> {
        match self.state(now) {
            State::Healthy => None,
            State::Troubled => self.trouble.as_ref().map(|trouble| trouble.reason.as_str()),
            State::Benched => self.bench.as_ref().map(|bench| bench.reason.as_str()),
            State::Refused => self.refused.as_deref(),
        }
    }

    /// How long it is still left alone, where that ends by itself.
    pub(super) fn pause(&self, now: Instant) -> Option<Duration> {
        let pause = match self.state(now) {
            State::Healthy | State::Refused => None,
            State::Troubled => self.trouble.as_ref(),
            State::Benched => self.bench.as_ref(),
        };
        pause.map(|pause| pause.until.saturating_duration_since(now))
    }

    /// Whether its trouble is over as far as time goes, so that it may be tried.
    pub(super) fn may_be_tried(&self, now: Instant) -> bool {
        self.state(now) == State::Troubled
            && !self.is_being_tried
            && self.trouble.as_ref().is_some_and(|trouble| trouble.until <= now)
    }
}

/// A length that doubles from the first time on, up to a limit.
fn doubled(first: Duration, times: u32, max: Duration) -> Duration {
    let factor = 1_u32.checked_shl(times.saturating_sub(1)).unwrap_or(u32::MAX);
    first.saturating_mul(factor).min(max)
}

/// Whom to ask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Choice {
    /// These, one after the other, until one answers.
    Ask(Vec<usize>),
    /// Nobody before this time has passed: whoever could be asked wants to be left alone.
    Wait(Duration),
    /// Nobody at all.
    Nobody,
}

/// The nodes to ask in order to follow: the healthy ones as they are preferred; else the one whose trouble ends first; else, of those that
/// are benched, the one that was so the least often.
pub(super) fn to_follow(nodes: &[(Role, &Health)], now: Instant) -> Choice {
    let in_state = |state| {
        nodes
            .iter()
            .enumerate()
            .filter(move |(_, (role, health))| role.follows() && health.state(now) == state)
            .map(|(index, (_, health))| (index, *health))
    };
    let healthy: Vec<usize> = in_state(State::Healthy).map(|(index, _)| index).collect();
    if !healthy.is_empty() {
        return Choice::Ask(healthy);
    }
    let troubled = in_state(State::Troubled).min_by_key(|(_, health)| health.pause(now));
    if let Some((index, health)) = troubled {
        let pause = health.pause(now).unwrap_or_default();
        let must_wait = health.is_firm() && !pause.is_zero();
        return if must_wait { Choice::Wait(pause) } else { Choice::Ask(vec![index]) };
    }
    let benched = in_state(State::Benched).min_by_key(|(_, health)| health.benches);
    benched.map_or(Choice::Nobody, |(index, _)| Choice::Ask(vec![index]))
}

/// The healthy nodes that may compare what another one answered, as they are preferred.
pub(super) fn to_compare(nodes: &[(Role, &Health)], answered: usize, now: Instant) -> Vec<usize> {
    nodes
        .iter()
        .enumerate()
        .filter(|(index, (role, health))| {
            *index != answered && role.checks() && health.state(now) == State::Healthy
        })
        .map(|(index, _)| index)
        .collect()
}

#[cfg(test)]
#[path = "health_tests.rs"]
mod tests;
