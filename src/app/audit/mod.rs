//! Checks the record against its own rules, and against the chain.
//!
//! The record proves a good deal of itself: agent ids are dense from 0, feedback is numbered, spans do not overlap, blocks are linked,
//! timelines are what the events fold to. Whether the events are the whole truth only the chain knows; a node is asked for some of it,
//! or all. Every check sees one state of the record, reads it page by page, and never waits for the writer or makes it wait.
//!
//! Nothing is changed here. What looks wrong is also noted as [`Suspects`], which [`repair`](super::repair) looks into.

mod chain;
mod contract;
mod doubts;
mod events;
mod fold;
mod suspects;
mod threads;

pub(super) use chain::differences;
pub use chain::{AgainstChain, Sample, audit_against_chain};
pub(super) use suspects::IdGap;
pub use suspects::Suspects;

use super::AppError;
use super::error::During;
use crate::registry::KnownImplementations;
use crate::storage::{Database, RecordRule, StorageError, Tags, Tx};
use crate::vocab::BlockRef;

/// At most so many offences are named for each check; all are counted.
const NAMED_MAX: usize = 20;
/// At most so many rows that break a rule are looked for.
const ROWS_MAX: u32 = 10_000;

/// How a check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// All that was looked at is right.
    Sound,
    /// Something is wrong.
    Wrong,
    /// It could not be found out; that is no "right".
    Unsaid,
}

impl Verdict {
    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sound => "ok",
            Self::Wrong => "wrong",
            Self::Unsaid => "could not say",
        }
    }
}

/// What one check found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    /// Its name, which stays the same.
    pub id: &'static str,
    /// What was checked, in a few words.
    pub rule: String,
    /// How many things were looked at, where that is a number worth saying.
    pub looked_at: Option<u64>,
    /// How many things are wrong; at least so many where rows were looked for.
    pub offence_count: u64,
    /// What is wrong, at most twenty of them.
    pub offences: Vec<String>,
    /// Why it could not be found out, wholly or in part.
    pub unsaid: Option<String>,
    /// What else is worth knowing.
    pub note: Option<String>,
}

impl Checked {
    fn new(id: &'static str, rule: impl Into<String>) -> Self {
        Self {
            id,
            rule: rule.into(),
            looked_at: None,
            offence_count: 0,
            offences: Vec::new(),
            unsaid: None,
            note: None,
        }
    }

    fn offend(&mut self, offence: String) {
        self.offence_count += 1;
        if self.offences.len() < NAMED_MAX {
            self.offences.push(offence);
        }
    }

    fn look(&mut self, count: usize) {
        let count = u64::try_from(count).unwrap_or(u64::MAX);
        self.looked_at = Some(self.looked_at.unwrap_or_default().saturating_add(count));
    }

    /// How it ended: what is wrong counts more than what could not be found out.
    #[must_use]
    pub const fn verdict(&self) -> Verdict {
        if self.offence_count > 0 {
            Verdict::Wrong
        } else if self.unsaid.is_some() {
            Verdict::Unsaid
        } else {
            Verdict::Sound
        }
    }
}

/// How far a long check is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Told {
    /// What is being done.
    pub doing: &'static str,
    /// How many of them.
    pub done: u64,
    /// Of how many.
    pub of: u64,
}

/// What an audit found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Audited {
    /// Each check.
    pub checks: Vec<Checked>,
    /// What looks wrong, for mending.
    pub suspects: Suspects,
}

impl Audited {
    /// The worst verdict.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        let any = |verdict| self.checks.iter().any(|check| check.verdict() == verdict);
        if any(Verdict::Wrong) {
            Verdict::Wrong
        } else if any(Verdict::Unsaid) {
            Verdict::Unsaid
        } else {
            Verdict::Sound
        }
    }

    /// Takes in what another audit found.
    pub fn extend(&mut self, other: Self) {
        self.checks.extend(other.checks);
        self.suspects.extend(other.suspects);
    }
}

/// Checks the record by itself, in one state of it; of `known` code no wallet needs to have been asked for.
///
/// # Errors
/// When the database fails; an offence is a value.
pub async fn audit(
    database: &Database,
    known: &KnownImplementations,
    told: &mut (dyn FnMut(Told) + Send),
) -> Result<Audited, AppError> {
    let during = || "cannot audit the record".to_owned();
    let mut tx = database.begin_read().await.during(during)?;
    let mut audited = Audited::default();
    let suspects = &mut audited.suspects;
    let checks = &mut audited.checks;
    checks.push(tags(&mut tx, suspects).await.during(during)?);
    for rule in RecordRule::ALL {
        checks.push(rows(&mut tx, rule, suspects).await.during(during)?);
    }
    checks.extend(fold::checks(&mut tx, known, suspects, told).await.during(during)?);
    Ok(audited)
}

/// The rows that break a rule.
async fn rows(
    tx: &mut Tx,
    rule: RecordRule,
    suspects: &mut Suspects,
) -> Result<Checked, StorageError> {
    let mut check = Checked::new(rule.id(), rule.as_str());
    for row in tx.rows_breaking(rule, ROWS_MAX).await? {
        let block = u64::try_from(row.block).unwrap_or_default();
        match rule {
            RecordRule::SpansDisjoint | RecordRule::SpansForward => suspects.spans = true,
            RecordRule::CursorHeld | RecordRule::FinalizedHeld => {
                suspects.tags = true;
                // Where a block of that number is held, it is the tag that is wrong.
                if tx.block_at(block).await?.is_none() {
                    suspects.block(block);
                }
            }
            RecordRule::HeadersWhole => suspects.block(block.saturating_add(1)),
            RecordRule::BlocksLinked | RecordRule::TimesForward => {
                suspects.block(block.saturating_sub(1));
                suspects.block(block);
            }
            RecordRule::EventsHaveBlocks
            | RecordRule::ObservationsHaveBlocks
            | RecordRule::NothingAboveCursor => suspects.block(block),
        }
        check.offend(format!("{} at block {block}", row.subject));
    }
    Ok(check)
}

/// The node's tags stand in their order, and those that come together are there together.
async fn tags(tx: &mut Tx, suspects: &mut Suspects) -> Result<Checked, StorageError> {
    let Tags { indexed, head, safe, finalized } = tx.tags().await?;
    let mut check = Checked::new("tags-ordered", "head, safe and finalized stand in their order");
    let named = [("finalized", finalized), ("safe", safe), ("head", head)];
    let mut below: Option<(&str, BlockRef)> = None;
    for (name, tag) in named {
        let Some(block) = tag.map(|stamp| stamp.block) else { continue };
        if let Some((lower, other)) = below.filter(|(_, other)| other.number > block.number) {
            check.offend(format!("{lower} is block {other}, above {name}, block {block}"));
        }
        below = Some((name, block));
    }
    if indexed.is_some() && head.is_none() {
        check.offend("there is a cursor, but no head".to_owned());
    }
    if safe.is_some() != finalized.is_some() {
        let missing = if safe.is_some() { "finalized" } else { "safe" };
        check.offend(format!("there is no {missing} block, but its companion"));
    }
    suspects.tags |= check.offence_count > 0;
    Ok(check)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offences_are_counted_beyond_those_that_are_named() {
        let mut check = Checked::new("test", "a rule");
        assert_eq!(check.verdict(), Verdict::Sound);
        check.unsaid = Some("nobody was there".to_owned());
        assert_eq!(check.verdict(), Verdict::Unsaid);
        for number in 0..30 {
            check.offend(number.to_string());
        }
        assert_eq!((check.offence_count, check.offences.len()), (30, NAMED_MAX));
        assert_eq!(check.verdict(), Verdict::Wrong);
    }
}
