//! Trust cards: computed when they are asked for, from the record as of one size of the log and one block, by projectors that anyone wrote.
//!
//! A card is never stored as truth. What is kept in memory is what cannot change (postings, texts) and cards themselves, each under
//! everything that it depends on. What fails costs its own card only and is told beside the others.

mod gather;
mod memory;
mod newest;
mod projectors;
mod reading;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::did::web::WebHost;
use crate::plugin::PluginError;
use crate::project::{CardContext, CardRef, Draft, Flaw, ProjectorName, Settled, TrustCard, View};
use crate::storage::{Database, StorageError, Tx};
use crate::vocab::{AgentRef, UnixSeconds};

pub use newest::{Newest, NewestRecord};
pub use projectors::{InstallError, Installed, Loaded, Projectors};
pub use reading::Subject;

use memory::{CardKey, Memory};

/// Computes cards. Cheap to clone; clones share what is in memory.
#[derive(Clone, Debug)]
pub struct Cards {
    memory: Arc<Memory>,
    /// As many projectors run at a time as there are processors: more would only make each of them late.
    runs: Arc<Semaphore>,
    /// So many answers are made at a time.
    answers: Arc<Semaphore>,
    /// Which projectors there are.
    pub projectors: Projectors,
}

/// One in so many of a database's transactions is the first of an answer with cards.
const TRANSACTIONS_SHARE: u32 = 3;

/// That an answer with cards may be made, until it is dropped.
#[derive(Debug)]
pub struct Admission {
    _permit: Option<OwnedSemaphorePermit>,
}

/// As of what cards are computed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CardsAsOf {
    /// What a card says of it.
    pub context: CardContext,
    /// The time of the block.
    pub time: UnixSeconds,
    /// Before which times nothing changes any more.
    pub settled: Settled,
    /// The number of the newest re-keying.
    pub rekeyed: u64,
    /// Whether names are about to be looked up: what is computed meanwhile is not kept.
    pub is_rekeying: bool,
}

/// Beside the record: for which game and viewer a card is, and what the projector is set to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct CardSetting {
    /// The game.
    pub game: Option<String>,
    /// The agent that looks at it.
    pub viewer: Option<String>,
    /// A JSON object in the place of what the operator set.
    pub parameters: Option<String>,
}

/// What became of a card.
#[derive(Clone, Debug)]
pub enum CardOutcome {
    /// A card.
    Card(Arc<TrustCard>),
    /// None, and why.
    Failed(Arc<CardFailure>),
}

/// Why there is no card.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CardFailure {
    /// Whose it would have been.
    pub agent: String,
    /// Which projector failed.
    pub projector: ProjectorName,
    /// A word for it.
    pub reason: &'static str,
    /// In words.
    pub detail: String,
}

/// A card with how it came about.
#[derive(Clone, Debug)]
pub struct Explained {
    /// What the projector was shown.
    pub view: View,
    /// Which types of claims it reads.
    pub claims: Vec<String>,
    /// What it made.
    pub draft: Draft,
    /// How many instructions that took.
    pub fuel: u64,
    /// The card.
    pub card: TrustCard,
}

/// Why a run gave no card.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProjectError {
    /// The component failed.
    #[error(transparent)]
    Plugin(#[from] PluginError),
    /// What it returned is no card.
    #[error("what it returned is no card: {0}")]
    Flaw(Flaw),
}

impl ProjectError {
    const fn reason(&self) -> &'static str {
        match self {
            Self::Plugin(error) => error.reason(),
            Self::Flaw(_) => "malformed",
        }
    }
}

impl Cards {
    /// For a database, with nothing in memory.
    #[must_use]
    pub fn new(database: Database) -> Self {
        // An answer takes at most two transactions, and projectors run meanwhile: a third of them is left to all other questions.
        let answers = (database.readers_max() / TRANSACTIONS_SHARE) as usize;
        let projectors = Projectors::new(database);
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let of = |permits| Arc::new(Semaphore::new(permits));
        Self { memory: Arc::default(), runs: of(cores), answers: of(answers), projectors }
    }

    /// Waits until one more answer with cards may be made: before a transaction is opened for it.
    pub async fn admit(&self) -> Admission {
        // It is never closed.
        Admission { _permit: Arc::clone(&self.answers).acquire_owned().await.ok() }
    }

    /// Has in memory what the cards of several who say something of each other all need of an agent.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn prepare(
        &self,
        tx: &mut Tx,
        host: &WebHost,
        agent: AgentRef,
        as_of: &CardsAsOf,
    ) -> Result<(), StorageError> {
        gather::standing(tx, &self.memory, host, agent, as_of).await.map(drop)
    }

    /// The record of an agent.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn subject(
        &self,
        tx: &mut Tx,
        host: &WebHost,
        agent: AgentRef,
        as_of: &CardsAsOf,
    ) -> Result<Subject, StorageError> {
        reading::subject(tx, &self.memory, host, agent, as_of).await
    }

    /// The cards of an agent by some projectors, in their order.
    ///
    /// # Errors
    /// When the database fails; what a projector does wrong is in the outcome.
    pub async fn of(
        &self,
        tx: &mut Tx,
        host: &WebHost,
        agent: AgentRef,
        as_of: &CardsAsOf,
        setting: &CardSetting,
        projectors: &[Arc<Loaded>],
    ) -> Result<Vec<CardOutcome>, StorageError> {
        let key = |loaded: &Loaded| CardKey::new(agent, loaded, as_of, setting);
        let held: Vec<_> = projectors.iter().map(|loaded| self.memory.card(&key(loaded))).collect();
        if held.iter().all(Option::is_some) {
            return Ok(held.into_iter().flatten().collect());
        }
        let mut subject = self.subject(tx, host, agent, as_of).await?;
        let mut outcomes = Vec::with_capacity(projectors.len());
        for loaded in projectors {
            outcomes.push(self.of_subject(tx, &mut subject, as_of, setting, loaded).await?);
        }
        Ok(outcomes)
    }

    /// The card of an agent whose record is in hand, by one projector.
    ///
    /// # Errors
    /// When the database fails; what a projector does wrong is in the outcome.
    pub async fn of_subject(
        &self,
        tx: &mut Tx,
        subject: &mut Subject,
        as_of: &CardsAsOf,
        setting: &CardSetting,
        loaded: &Arc<Loaded>,
    ) -> Result<CardOutcome, StorageError> {
        let agent = subject.facts.agent;
        let key = CardKey::new(agent, loaded, as_of, setting);
        if let Some(held) = self.memory.card(&key) {
            return Ok(held);
        }
        let made = self.make(tx, subject, as_of, setting, loaded).await?;
        let is_of_the_moment =
            matches!(&made, Err(ProjectError::Plugin(error)) if error.is_of_the_moment());
        let outcome = outcome(made, agent, loaded);
        if !as_of.is_rekeying && !is_of_the_moment {
            self.memory.keep_card(key, outcome.clone());
        }
        Ok(outcome)
    }

    /// One card, with how it came about.
    ///
    /// # Errors
    /// When the database fails; the inner error says what the projector did wrong.
    pub async fn make(
        &self,
        tx: &mut Tx,
        subject: &mut Subject,
        as_of: &CardsAsOf,
        setting: &CardSetting,
        loaded: &Arc<Loaded>,
    ) -> Result<Result<Explained, ProjectError>, StorageError> {
        let view = gather::view(tx, &self.memory, subject, as_of, setting, loaded).await?;
        let (projector, shared) = (Arc::clone(loaded), Arc::new(view));
        let shown = Arc::clone(&shared);
        // A projector may take a second of processor time, and whoever answers others must not wait for it.
        // The permit goes with the run, which goes on where whoever asked has gone.
        let permit = Arc::clone(&self.runs).acquire_owned().await;
        let run = move || {
            let ran = projector.projector.run(&shown);
            drop(permit);
            ran
        };
        let ran = tokio::task::spawn_blocking(run).await;
        let ran = match ran {
            Ok(Ok(ran)) => ran,
            Ok(Err(error)) => return Ok(Err(error.into())),
            Err(error) => return Ok(Err(PluginError::Trap(error.to_string()).into())),
        };
        let records = subject.ledger.entries.len();
        if let Err(flaw) = ran.draft.check(records, |seq| subject.ledger.has(seq)) {
            return Ok(Err(ProjectError::Flaw(flaw)));
        }
        let refs = references(tx, subject, &ran.draft).await?;
        let view = Arc::unwrap_or_clone(shared);
        let context = as_of.context.clone();
        let card = TrustCard::new(&view, ran.draft.clone(), loaded.name(), context, &refs);
        let claims = loaded.projector.description.claims.patterns().to_vec();
        Ok(Ok(Explained { view, claims, draft: ran.draft, fuel: ran.fuel, card }))
    }

    /// The texts of types of claims, by their numbers.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn texts(
        &self,
        tx: &mut Tx,
        numbers: impl IntoIterator<Item = u32>,
    ) -> Result<HashMap<u32, Arc<str>>, StorageError> {
        self.memory.terms(tx, numbers).await
    }

    /// The newest records about an agent, newest first, with whom they meant.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn newest<'s>(
        &self,
        tx: &mut Tx,
        subject: &'s mut Subject,
        as_of: &CardsAsOf,
        max: usize,
    ) -> Result<Newest<'s>, StorageError> {
        newest::newest(tx, subject, as_of, max).await
    }
}

fn outcome(made: Result<Explained, ProjectError>, agent: AgentRef, loaded: &Loaded) -> CardOutcome {
    match made {
        Ok(explained) => CardOutcome::Card(Arc::new(explained.card)),
        Err(error) => {
            metrics::counter!("hallmark_cards_failed_total", "reason" => error.reason())
                .increment(1);
            CardOutcome::Failed(Arc::new(CardFailure {
                agent: agent.to_string(),
                projector: loaded.name(),
                reason: error.reason(),
                detail: error.to_string(),
            }))
        }
    }
}

/// The records that a draft points to.
async fn references(
    tx: &mut Tx,
    subject: &mut Subject,
    draft: &Draft,
) -> Result<BTreeMap<u64, CardRef>, StorageError> {
    let seqs = draft.evidence_of_all();
    subject.read(tx, &seqs).await?;
    let reference = |seq: &u64| {
        let record = subject.record(*seq)?;
        Ok((*seq, CardRef::new(*seq, record.digest, &record.claim_type, record.round)))
    };
    seqs.iter().map(reference).collect()
}
