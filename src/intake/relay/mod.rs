//! The public relay log of Coordination Games, read by its own cursor: `GET /api/games/{id}/spectator?sinceIdx=N`.
//!
//! A page holds every public entry from index N on; entries of teams and between players are left out by the platform, so that indices
//! have gaps. Which of them are records, and who sent each, is read in `page`. Nobody signs these records: what vouches for them is the
//! origin's host, by its certificate. The caller keeps the cursor and brings it along. What a player is on chain is not looked for here.
//!
//! The platform pages by nothing but the cursor and counts no entries, so that a page is as long as the log from there on; what is longer
//! than [`Relay::LIMITS`] allows cannot be read.

mod page;
mod record;

use url::Url;

pub use page::{Passed, RelayPage, Standing};
pub use record::{Flaw, RelayRecord};

use super::{FetchError, FetchLimits, Fetcher};
use crate::vocab::{ChainId, OriginName};

const ACCEPT: &str = "application/json";

/// Whose relay it is, and how its names are read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RelaySource {
    /// The origin.
    pub origin: OriginName,
    /// The chain of bare addresses in its records.
    pub chain: Option<ChainId>,
    /// The plugins that are registered with it.
    pub plugins: Vec<String>,
}

/// The relay of an origin.
#[derive(Clone, Debug)]
pub struct Relay {
    source: RelaySource,
    url: Url,
    fetcher: Fetcher,
}

/// Why there is no page.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RelayError {
    /// The game's id cannot stand in a URL as one part of its path.
    #[error("`{0}` cannot be a game's id: it is empty, too long, or leads elsewhere in a URL")]
    BadGame(String),
    /// Nothing was fetched.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// What was fetched is not what this place serves.
    #[error("what the relay answers is no page of it: {0}")]
    NotAPage(String),
    /// The page is about another game.
    #[error("the relay was asked for the game `{asked}` and answers of `{found}`")]
    OtherGame {
        /// The game that was asked for.
        asked: String,
        /// The one that was found.
        found: String,
    },
}

impl Relay {
    /// What one page may cost.
    pub const LIMITS: FetchLimits =
        FetchLimits { timeout: std::time::Duration::from_secs(20), body_max: 16 << 20 };

    /// The relay at a URL whose path ends with a slash. The fetcher decides which hosts that may be, and whether over plain http.
    #[must_use]
    pub const fn new(source: RelaySource, url: Url, fetcher: Fetcher) -> Self {
        Self { source, url, fetcher }
    }

    /// Whose it is.
    #[must_use]
    pub const fn source(&self) -> &RelaySource {
        &self.source
    }

    /// The entries of a game from index `since` on.
    ///
    /// # Errors
    /// When there is no answer, or it is no page of that game. A single bad entry is no error: it is in [`RelayPage::flaws`].
    pub async fn page(&self, game: &str, since: u64) -> Result<RelayPage, RelayError> {
        let mut url = self.place(game, "spectator")?;
        url.query_pairs_mut().append_pair("sinceIdx", &since.to_string());
        let fetched = self.fetcher.get(&url, ACCEPT).await?;
        RelayPage::read(&fetched.body, &self.source, game, since)
    }

    fn place(&self, game: &str, what: &str) -> Result<Url, RelayError> {
        let refuse = || RelayError::BadGame(crate::vocab::shorten(game));
        record::check_game(game).ok_or_else(refuse)?;
        let mut url = self.url.clone();
        url.path_segments_mut()
            .map_err(|()| refuse())?
            .pop_if_empty()
            .extend(["api", "games", game, what]);
        Ok(url)
    }
}
