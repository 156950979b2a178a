//! Reads the public relay of each origin's games into the log, by the relay's own cursor.
//!
//! A page and the place to read on from are one transaction, so that dying between two pages loses nothing and takes nothing twice; what is
//! read again anyhow is held already. Who sent a record is what the relay says of it, never what the record says of itself. A game that has
//! ended is looked at no more; one whose log was begun anew is read from its beginning.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::sync::Mutex;

use super::error::During;
use super::{AppError, Records};
use crate::intake::relay::{Flaw, Relay, RelayError, RelayPage, Standing};
use crate::storage::RecordSource;
use crate::vocab::OriginName;

/// How often a game's relay is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// How long a game is left alone that cannot be read.
const PAUSE: Duration = Duration::from_secs(30);

/// Reads relays into the log.
pub struct RelayKeeper {
    records: Records,
    relays: Vec<(Relay, Vec<String>)>,
    told: Mutex<Told>,
}

/// The entries without a place that a log holds on to, as they were last told of, by origin and game: they come with every page.
type Told = BTreeMap<(OriginName, String), Vec<Flaw>>;

/// What came of looking at a game.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RelayTurn {
    /// How many records were appended.
    pub appended: u64,
    /// How many were held already.
    pub held: u64,
    /// How many were refused, or could not be read; of those without a place that come again with every page, once.
    pub refused: u64,
    /// Whether the game has ended, and all of it was read.
    pub is_finished: bool,
}

impl RelayKeeper {
    /// Into the log of these, from relays with the games that are followed.
    #[must_use]
    pub fn new(records: Records, relays: Vec<(Relay, Vec<String>)>) -> Self {
        Self { records, relays, told: Mutex::new(BTreeMap::new()) }
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
        let flaws = {
            let mut told = self.told.lock().await;
            news(&mut told, (origin.clone(), game.to_owned()), &page)
        };
        tell(&page, &flaws);
        let mut turn = RelayTurn { refused: flaws.len() as u64, ..RelayTurn::default() };
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

/// The flaws of a page that were not told of before: behind an entry with a place the cursor moves on, and one without comes again.
fn news(told: &mut Told, game: (OriginName, String), page: &RelayPage) -> Vec<Flaw> {
    let (placed, without): (Vec<_>, Vec<_>) =
        page.flaws.iter().cloned().partition(|flaw| flaw.index.is_some());
    let before = told.entry(game).or_default();
    if *before == without {
        return placed;
    }
    before.clone_from(&without);
    page.flaws.clone()
}

/// Says what an operator should know of a page.
fn tell(page: &RelayPage, flaws: &[Flaw]) {
    let game = page.game.as_str();
    if let Standing::Restarted { tip } = page.standing {
        tracing::warn!(game, tip, "the relay's log was begun anew; it is read from its beginning");
    }
    for flaw in flaws.iter().take(10) {
        tracing::warn!(game, index = flaw.index, reason = %flaw.reason, "an entry of the relay is no record");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::intake::relay::RelaySource;

    /// An entry that has no place comes with every page, and is told of once until something changes.
    #[test]
    fn what_comes_again_with_every_page_is_told_of_once() {
        let source = RelaySource { origin: "games".parse().unwrap(), chain: None, plugins: vec![] };
        let entry = |index: &str| {
            format!(
                r#"{{"index":{index},"type":"attestation","pluginId":"p","sender":"system","scope":{{"kind":"all"}},"turn":1,"timestamp":1,"data":{{}}}}"#
            )
        };
        let page = |entries: &[String], since| {
            let text = format!(
                r#"{{"type":"state_update","meta":{{"gameId":"g","sinceIdx":9}},"relay":[{}]}}"#,
                entries.join(",")
            );
            RelayPage::read(text.as_bytes(), &source, "g", since).unwrap()
        };
        let mut told = Told::new();
        let mut tell = |page: &RelayPage| {
            let flaws = news(&mut told, (source.origin.clone(), "g".to_owned()), page);
            flaws.iter().map(|flaw| flaw.index).collect::<Vec<_>>()
        };
        let nowhere = [entry("-1"), entry("1e10"), entry("1.5")];
        assert_eq!(
            tell(&page(&[&nowhere[..], &[entry("0")]].concat(), 0)),
            [None, None, None, Some(0)]
        );
        assert_eq!(tell(&page(&nowhere, 1)), []);
        // What has a place is told of by itself.
        assert_eq!(tell(&page(&[&nowhere[..], &[entry("1")]].concat(), 1)), [Some(1)]);
        assert_eq!(tell(&page(&nowhere[..2], 2)), [None, None]);
        assert_eq!(tell(&page(&nowhere[..2], 2)), []);
    }
}
