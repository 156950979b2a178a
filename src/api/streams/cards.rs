//! The streams of cards: of one agent, as they change, or one after the other as they were.
//!
//! An event's id is the size of the log that its cards are as of, so a listener that comes back with `Last-Event-ID` hears what is different
//! since then, and nothing twice. Cards are computed when the log has grown, at most once a second for each listener, and for one listener at
//! a time, so that many listeners take no more than one of the processor's cores.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::time::Duration;

use axum::body::Bytes;
use axum::response::Response;
use serde::Serialize;
use tokio::sync::watch;

use super::reader::{ALIVE, KEEP_ALIVE, response};
use super::seats::Seat;
use super::{StreamQuery, check_place};
use crate::api::cards::{CardsQuery, MomentsOf, cards_of, moments_of};
use crate::api::error::ApiError;
use crate::api::guard::Client;
use crate::api::router::Shared;

/// The streams of cards.
pub(super) const NAMES: [&str; 2] = ["trust-cards", "trust-cards.history"];
/// How long to wait before cards are computed again.
const PAUSE: Duration = Duration::from_secs(1);
/// So many moments are told at a time.
const MOMENTS: u32 = 10;

/// Which of the two is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    /// The cards as they are.
    Now,
    /// The cards as they were.
    History,
}

impl Wanted {
    pub(super) fn of(name: &str) -> Option<Self> {
        match name {
            "trust-cards" => Some(Self::Now),
            "trust-cards.history" => Some(Self::History),
            _ => None,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Now => "trust-cards",
            Self::History => "trust-cards.history",
        }
    }
}

/// Begins to tell of an agent's cards.
pub(super) async fn stream(
    state: Shared,
    wanted: Wanted,
    query: &StreamQuery,
    after: Option<u64>,
    client: Client,
) -> Result<Response, ApiError> {
    let agent = query.filter.only_agent(wanted.name())?;
    let size = state.database.begin_read().await?.log_size().await?;
    check_place(after.unwrap_or(0), size)?;
    let changes = state.hub.changes();
    let projector = query.projector.clone();
    let mut reader = Reader {
        _seat: state.seats.take(client)?,
        state,
        changes,
        wanted,
        agent,
        projector,
        after: after.unwrap_or(0),
        told: None,
        frames: VecDeque::from([ALIVE]),
    };
    // What cannot be answered is said at once, and not by a stream that ends.
    match (wanted, after) {
        (Wanted::Now, Some(after)) => {
            let cards = reader.cards(Some(after)).await?;
            reader.told = Some(content(&cards)?);
        }
        (Wanted::Now, None) | (Wanted::History, _) => {
            reader.look().await?;
        }
    }
    Ok(response(futures_util::stream::unfold(reader, Reader::next)))
}

/// One listener, and how far it is.
struct Reader {
    _seat: Seat,
    state: Shared,
    changes: watch::Receiver<u64>,
    wanted: Wanted,
    agent: String,
    projector: Option<String>,
    after: u64,
    /// What was told last.
    told: Option<Vec<serde_json::Value>>,
    frames: VecDeque<Bytes>,
}

impl Reader {
    /// What goes out next; `None` where listening is over.
    async fn next(mut self) -> Option<(Result<Bytes, Infallible>, Self)> {
        loop {
            if let Some(frame) = self.frames.pop_front() {
                return Some((Ok(frame), self));
            }
            if *self.changes.borrow_and_update() == u64::MAX {
                return None;
            }
            let hub = self.state.hub.clone();
            let turn = hub.card_turn().await;
            let looked = self.look().await;
            drop(turn);
            let seen = match looked {
                Ok(seen) => seen,
                Err(error) => {
                    // The client comes back, and goes on where it was.
                    tracing::warn!(%error, "a stream of cards ends early");
                    return None;
                }
            };
            if !self.frames.is_empty() {
                continue;
            }
            // Where records are not counted yet, nobody says when they are.
            if !self.is_behind(seen).await
                && tokio::time::timeout(KEEP_ALIVE, self.changes.changed()).await.is_err()
            {
                return Some((Ok(ALIVE), self));
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Looks what there is to tell, and puts it among the frames; returns as of which size of the log.
    async fn look(&mut self) -> Result<u64, ApiError> {
        match self.wanted {
            Wanted::Now => {
                let cards = self.cards(None).await?;
                let content = content(&cards)?;
                if self.told.as_ref() != Some(&content) {
                    self.after = cards.log_size();
                    self.frames.push_back(self.frame(&cards)?);
                    self.told = Some(content);
                }
                Ok(cards.log_size())
            }
            Wanted::History => {
                let of = MomentsOf { at: None, projector: self.projector.as_deref() };
                let moments = moments_of(&self.state, &self.agent, of, self.after, MOMENTS).await?;
                for moment in moments.items {
                    self.after = moment.seq;
                    self.frames.push_back(self.frame(&moment)?);
                }
                Ok(moments.as_of.log_size)
            }
        }
    }

    /// Whether the log has more than a size of it.
    async fn is_behind(&self, seen: u64) -> bool {
        let size = async { self.state.database.begin_read().await?.log_size().await };
        size.await.is_ok_and(|size| size > seen)
    }

    async fn cards(
        &self,
        as_of_seq: Option<u64>,
    ) -> Result<crate::api::cards::CardsAnswer, ApiError> {
        let query = CardsQuery {
            projector: self.projector.clone(),
            at: None,
            as_of_seq: as_of_seq.map(|seq| seq.to_string()),
            game: None,
        };
        cards_of(&self.state, &self.agent, &query).await
    }

    fn frame(&self, data: &impl Serialize) -> Result<Bytes, ApiError> {
        // JSON of one line: what is in texts is escaped.
        let json = serde_json::to_string(data);
        let json =
            json.map_err(|error| ApiError::internal(format!("cannot write JSON: {error}")))?;
        let (id, name) = (self.after, self.wanted.name());
        Ok(format!("id: {id}\nevent: {name}\ndata: {json}\n\n").into())
    }
}

fn content(cards: &crate::api::cards::CardsAnswer) -> Result<Vec<serde_json::Value>, ApiError> {
    cards.content().map_err(|error| ApiError::internal(format!("cannot write JSON: {error}")))
}
