//! Reads the public relay of each origin's games into the log, by the relay's own cursor.
//!
//! A page and the place to read on from are one transaction, so that dying between two pages loses nothing and takes nothing twice; what is
//! read again anyhow is held already. Who sent a record is what the relay says of it, never what the record says of itself. A game that has
//! ended is looked at no more; one whose log was begun anew is read from its beginning.

use std::time::Duration;

use super::error::During;
use super::{AppError, Records};
use crate::intake::relay::{Relay, RelayError, RelayPage, Standing};
use crate::storage::RecordSource;

/// How often a game's relay is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// How long a game is left alone that cannot be read.
const PAUSE: Duration = Duration::from_secs(30);

/// Reads relays into the log.
pub struct RelayKeeper {
    records: Records,
    relays: Vec<(Relay, Vec<String>)>,
}

/// What came of looking at a game.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RelayTurn {
    /// How many records were appended.
    pub appended: u64,
    /// How many were held already.
    pub held: u64,
    /// How many were refused, or could not be read.
    pub refused: u64,
    /// Whether the game has ended, and all of it was read.
    pub is_finished: bool,
}

impl RelayKeeper {
    /// Into the log of these, from relays with the games that are followed.
    #[must_use]
    pub const fn new(records: Records, relays: Vec<(Relay, Vec<String>)>) -> Self {
        Self { records, relays }
    }

    /// Looks at every game again and again, for ever. What fails is logged, and tried again later.
    pub async fn keep(&self) {
        let games = self.relays.iter().flat_map(|(relay, games)| {
            games.iter().map(move |game| Box::pin(self.keep_game(relay, game)))
        });
        futures_util::future::join_all(games).await;
        // Where all have ended there is nothing more to do, and whoever waits for this goes on.
        std::future::pending::<()>().await;
    }

    async fn keep_game(&self, relay: &Relay, game: &str) {
        let mut is_well = true;
        loop {
            let pause = match self.turn(relay, game).await {
                Ok(turn) if turn.is_finished => {
                    tracing::info!(origin = %relay.source().origin, game, "the game has ended");
                    return;
                }
                Ok(_) => {
                    is_well = true;
                    LOOK_EVERY
                }
                Err(error) => {
                    if is_well {
                        let origin = &relay.source().origin;
                        tracing::warn!(%origin, game, %error, "the relay cannot be read; it is tried again");
                    }
                    is_well = false;
                    PAUSE
                }
            };
            tokio::time::sleep(pause).await;
        }
    }

    /// Reads the next page of a game into the log.
    ///
    /// # Errors
    /// When the relay or the database fails; then nothing was appended.
    pub async fn turn(&self, relay: &Relay, game: &str) -> Result<RelayTurn, RelayFailure> {
        let during = || format!("cannot keep what the relay says of the game {game}");
        let origin = &relay.source().origin;
        let mut tx = self.records.database.begin_read().await.during(during)?;
        let (since, was_finished) = tx.relay_progress(origin, game).await.during(during)?;
        drop(tx);
        if was_finished {
            return Ok(RelayTurn { is_finished: true, ..RelayTurn::default() });
        }
        let page = relay.page(game, since).await?;
        tell(&page);
        let mut turn = RelayTurn { refused: page.flaws.len() as u64, ..RelayTurn::default() };
        let (mut checked, mut refused) = (Vec::with_capacity(page.records.len()), Vec::new());
        for record in page.records {
            match self.records.check_incoming(record.incoming, RecordSource::Relay) {
                Ok(record) => checked.push(record),
                Err(why) => refused.push(why),
            }
        }
        turn.refused += refused.len() as u64;
        self.records.note_refusals(&refused.iter().collect::<Vec<_>>()).await?;
        turn.is_finished = page.standing == Standing::Finished;
        let mut tx = self.records.database.begin_durable().await.during(during)?;
        let (now, _) = tx.relay_progress(origin, game).await.during(during)?;
        if now != since {
            // Somebody else reads the same game.
            return Ok(RelayTurn::default());
        }
        for done in self.records.commit_in(&mut tx, checked).await.during(during)? {
            match done {
                Ok(accepted) if accepted.is_new => turn.appended += 1,
                Ok(_) => turn.held += 1,
                Err(_) => turn.refused += 1,
            }
        }
        let finished = turn.is_finished;
        tx.set_relay_progress(origin, game, page.next, finished).await.during(during)?;
        tx.commit().await.during(during)?;
        metrics::counter!("hallmark_relay_records_total").increment(turn.appended);
        Ok(turn)
    }
}

/// Why a game was not read.
#[derive(Debug, thiserror::Error)]
pub enum RelayFailure {
    /// The relay did not do its part.
    #[error(transparent)]
    Relay(#[from] RelayError),
    /// The database did not do its part.
    #[error(transparent)]
    App(#[from] AppError),
}

/// Says what an operator should know of a page.
fn tell(page: &RelayPage) {
    let game = page.game.as_str();
    if let Standing::Restarted { tip } = page.standing {
        tracing::warn!(game, tip, "the relay's log was begun anew; it is read from its beginning");
    }
    for flaw in page.flaws.iter().take(10) {
        tracing::warn!(game, index = flaw.index, reason = %flaw.reason, "an entry of the relay is no record");
    }
}
