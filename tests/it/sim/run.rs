//! One seed from its first packet to the last look at the tables.
//!
//! The program is started, dies as the plan says, and is started again from what is stored, until the world is calm and the program has
//! said for a while that it stands where the chain stands. What it stored is then held against the truth.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use hallmark::app::{AppError, Followed, Following, Ingest};
use hallmark::chain::endpoint::Endpoint;
use hallmark::chain::{ChainSource, ChainTags, LogFilter, RpcSource};
use hallmark::registry::KnownImplementations;
use hallmark::storage::{Binding, Database, Registry};
use hallmark::vocab::{BlockRef, RegistryKind, RegistryRef};
use tokio::time::Instant;

use super::bug::{Bug, Dropping, InTurn, cursor_early};
use super::check;
use super::content::{IDENTITY, REPUTATION};
use super::drive::{Driven, Until, at_once, drive, settled};
use super::node::Node;
use super::plan::{CHAIN, Crash, Plan, WRITTEN};
use super::records;
use super::world::World;
use crate::support::databases::Fresh;

/// The world is calm long before this; then a program that is not stuck gets there within it.
const LIMIT: Duration = Duration::from_hours(12);
/// So long the program must stay where the chain stands.
const CALM: Duration = Duration::from_secs(5);
/// More lives than this are too many.
const LIVES_MAX: u32 = 300;

/// What the program last said.
#[derive(Debug, Default)]
pub(super) struct Heard {
    cursor: Option<BlockRef>,
    tags: Option<ChainTags>,
    /// Steps of this life.
    steps: u64,
    /// It had trouble, in this life.
    has_trouble: bool,
    pub(super) reverts: u64,
}

/// A seed's run.
pub(super) struct Run<'a> {
    pub(super) seed: u64,
    pub(super) node: Node,
    pub(super) plan: Plan,
    pub(super) fresh: &'a Fresh,
    pub(super) database: Database,
    pub(super) heard: Arc<Mutex<Heard>>,
    pub(super) bug: Option<Bug>,
}

/// How a run went well.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Ran {
    pub(super) lives: u32,
    pub(super) reverts: u64,
    pub(super) story: Vec<String>,
}

/// Runs a seed into an empty database.
///
/// # Errors
/// What went wrong, with the story.
pub(super) async fn run(seed: u64, fresh: &Fresh, bug: Option<Bug>) -> Result<Ran, String> {
    let plan = Plan::draw(seed);
    let node = Node::new(World::new(seed, plan.clone()));
    let database = at_once(fresh.database()).await;
    let heard = Arc::default();
    let mut run = Run { seed, node, plan, fresh, database, heard, bug };
    let outcome = run.live_to_the_end().await;
    let lives = match outcome {
        Ok(lives) => check::holds(&run).await.map(|()| lives),
        Err(what) => Err(what),
    };
    at_once(run.database.close()).await;
    let story = std::mem::take(&mut run.node.world().story);
    let reverts = run.heard.lock().unwrap().reverts;
    match lives {
        Ok(lives) => Ok(Ran { lives, reverts, story }),
        Err(what) => Err(format!("{}\n{what}", story.join("\n"))),
    }
}

/// What is followed.
pub(super) fn binding(plan: &Plan) -> Binding {
    let start_block = plan.options.start_block;
    let one =
        |kind, address| Registry { kind, at: RegistryRef { chain: CHAIN, address }, start_block };
    let registries =
        vec![one(RegistryKind::Identity, IDENTITY), one(RegistryKind::Reputation, REPUTATION)];
    Binding { chain: CHAIN, registries }
}

pub(super) fn filter() -> LogFilter {
    LogFilter { addresses: vec![IDENTITY, REPUTATION], topics: Vec::new() }
}

impl Run<'_> {
    pub(super) fn source(&self) -> RpcSource {
        let endpoint = Endpoint::parse("http://node.example/").unwrap();
        if self.bug == Some(Bug::InTurn) {
            return RpcSource::over(endpoint, InTurn(self.node.clone()), self.plan.rpc);
        }
        RpcSource::over(endpoint, self.node.clone(), self.plan.rpc)
    }

    pub(super) fn ingest(&self, database: Database) -> Ingest {
        Ingest { database, binding: binding(&self.plan), known: KnownImplementations::default() }
    }

    async fn live_to_the_end(&mut self) -> Result<u32, String> {
        let mut crashes = self.plan.crashes.clone().into_iter();
        for life in 1..=LIVES_MAX {
            let crash = crashes.next();
            self.tell(format!("--- life {life}, to end by {crash:?}"));
            self.plant(crash).await;
            let driven = self.live(u64::from(life), crash).await;
            settled(&self.database).await;
            self.uproot(crash).await;
            match driven {
                Driven::Ended(Err(error @ AppError::Halted { .. })) => return Err(told(&error)),
                Driven::Ended(Err(error)) => self.tell(format!("it ended: {}", told(&error))),
                Driven::Ended(Ok(())) => {
                    return Err("it ended, and nobody had told it to".to_owned());
                }
                Driven::Stopped => self.tell("it died"),
                Driven::OutOfTime if self.is_there() => return Ok(life),
                Driven::OutOfTime if matches!(crash, Some(Crash::At(_))) => self.tell("it died"),
                Driven::OutOfTime => return Err("it is stuck".to_owned()),
            }
        }
        Err(format!("it did not get there in {LIVES_MAX} lives"))
    }

    fn tell(&self, what: impl AsRef<str>) {
        self.node.world().tell(what);
    }

    /// Whether the program says that it stands where the chain stands, and the chain stands still.
    fn is_there(&self) -> bool {
        let world = self.node.world();
        let truth = world.model.tags();
        let heard = self.heard.lock().unwrap();
        world.is_calm()
            && heard.cursor == Some(truth.head.block)
            && heard.tags.as_ref() == Some(&truth)
    }

    async fn live(&self, life: u64, crash: Option<Crash>) -> Driven<Result<(), AppError>> {
        {
            let packet = match crash {
                Some(Crash::AtPacket(packet)) => Some(packet),
                _ => None,
            };
            self.node.world().revive(packet);
            let mut heard = self.heard.lock().unwrap();
            (heard.steps, heard.has_trouble) = (0, false);
        }
        let began = Instant::now();
        let mut there_since = None;
        let until = |moments| {
            let world_says = self.node.world().is_dead;
            let (steps, has_trouble) = {
                let heard = self.heard.lock().unwrap();
                (heard.steps, heard.has_trouble)
            };
            let dies = match crash {
                Some(Crash::AtMoment(moment)) => moments >= moment,
                Some(Crash::Stored(step)) => steps >= step,
                Some(Crash::Write { .. }) => has_trouble,
                Some(Crash::AtPacket(_) | Crash::At(_)) | None => false,
            };
            if world_says || dies {
                return Until::Now;
            }
            if !self.is_there() {
                there_since = None;
            } else if there_since.is_none() {
                there_since = Some(Instant::now());
            }
            Until::At(match (there_since, crash) {
                (Some(since), _) => since + CALM,
                (None, Some(Crash::At(time))) => began + time,
                (None, _) => began + LIMIT,
            })
        };
        let source = Arc::new(self.source());
        match self.bug {
            Some(Bug::DropLog) => {
                let program = self.program(Arc::new(Dropping(source)));
                drive(Box::pin(program).as_mut(), &self.database, until).await
            }
            Some(Bug::CursorEarly) => {
                let program = cursor_early(self, source);
                drive(Box::pin(program).as_mut(), &self.database, until).await
            }
            Some(Bug::LeaveClosed | Bug::InTurn) | None => {
                let program = async {
                    tokio::select! {
                        biased;
                        ended = self.program(source) => ended,
                        () = records::beside(self, life) => unreachable!("it has no end"),
                    }
                };
                drive(Box::pin(program).as_mut(), &self.database, until).await
            }
        }
    }

    /// The program, as a process runs it.
    async fn program<S: ChainSource + 'static>(&self, source: Arc<S>) -> Result<(), AppError> {
        let filter = filter();
        let ingest = self.ingest(self.database.clone());
        let options = self.plan.options.clone();
        let following = Following::open(source, ingest, filter, options, &[]).await?;
        following.run(std::future::pending(), |event| self.hear(&event)).await
    }

    pub(super) fn hear(&self, event: &Followed<'_>) {
        let mut heard = self.heard.lock().unwrap();
        match event {
            Followed::Step { step, applied, .. } => {
                heard.steps += 1;
                self.node.world().begin();
                heard.reverts += u64::from(step.revert_to.is_some());
                heard.cursor = applied.cursor;
                heard.tags = Some(step.tags.clone());
                let number = |block: Option<BlockRef>| block.map(|block| block.number);
                let tag =
                    |tag: &Option<hallmark::vocab::Header>| number(tag.as_ref().map(|h| h.block));
                self.tell(format!(
                    "applied: back to {:?}, up to {:?}, {} logs, {} answers; head {}, safe {:?}, finalized {:?}",
                    number(step.revert_to),
                    step.extend.as_ref().map(|stretch| stretch.through.block.to_string()),
                    applied.log_count,
                    applied.observation_count,
                    step.tags.head.block,
                    tag(&step.tags.safe),
                    tag(&step.tags.finalized),
                ));
            }
            Followed::Trouble { error } => {
                heard.has_trouble = true;
                self.tell(format!("trouble: {}", told(error)));
            }
        }
    }

    /// Makes the database refuse what the plan says.
    async fn plant(&self, crash: Option<Crash>) {
        if self.bug == Some(Bug::LeaveClosed) {
            at_once(self.fresh.execute(super::bug::LEAVE_CLOSED)).await;
        }
        let Some(Crash::Write { table, block }) = crash else { return };
        let column = WRITTEN.iter().find(|(name, _)| *name == table).unwrap().1;
        let sql = if self.fresh.is_sqlite() {
            format!(
                "CREATE TRIGGER planted BEFORE INSERT ON {table} WHEN NEW.{column} >= {block}
                 BEGIN SELECT RAISE(ABORT, 'planted'); END"
            )
        } else {
            // Some of the errors are of the kind that passes.
            let code = if block % 2 == 0 { "40001" } else { "P0001" };
            format!(
                "CREATE OR REPLACE FUNCTION planted() RETURNS trigger LANGUAGE plpgsql AS
                 $$ BEGIN RAISE EXCEPTION 'planted' USING ERRCODE = '{code}'; END $$;
                 CREATE TRIGGER planted BEFORE INSERT ON {table} FOR EACH ROW
                 WHEN (NEW.{column} >= {block}) EXECUTE FUNCTION planted()"
            )
        };
        at_once(self.fresh.execute(&sql)).await;
    }

    async fn uproot(&self, crash: Option<Crash>) {
        if self.bug == Some(Bug::LeaveClosed) {
            at_once(self.fresh.execute("DROP TRIGGER left_closed")).await;
        }
        let Some(Crash::Write { table, .. }) = crash else { return };
        let of = if self.fresh.is_sqlite() { String::new() } else { format!(" ON {table}") };
        at_once(self.fresh.execute(&format!("DROP TRIGGER planted{of}"))).await;
    }
}

/// An error with its causes.
pub(super) fn told(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
