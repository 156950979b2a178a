//! What cards are asked for: as of when, and by which projectors.

use std::sync::Arc;
use std::time::Duration;

use axum::http::StatusCode;

use crate::api::at::At;
use crate::api::attestations::parse_seq;
use crate::api::error::ApiError;
use crate::api::reading::Reading;
use crate::api::state::ApiState;
use crate::app::{Admission, CardsAsOf, Installed, Loaded};
use crate::project::{CardBlock, CardContext, ProjectorName, Settled};

/// How long, and in how many steps, an answer waits for records that were just taken in to be counted.
const COUNTED_STEP: Duration = Duration::from_millis(20);
const COUNTED_STEPS: u32 = 50;

/// Begins to read as of `at`, and of a size of the log; of all that is counted where none is given. The admission is kept as long as is read.
pub(in crate::api) async fn as_of_now(
    state: &ApiState,
    at: Option<&str>,
    as_of_seq: Option<&str>,
) -> Result<(Admission, Reading, CardsAsOf), ApiError> {
    let at = At::parse(at)?;
    let asked = as_of_seq.map(|text| parse_seq("as_of_seq", text)).transpose()?;
    let admission = state.cards.admit().await;
    let mut reading = Reading::open(state, at).await?;
    let log_size = reading.as_of().log_size;
    if let Some(asked) = asked.filter(|asked| *asked > log_size) {
        let detail = format!("the log has {log_size} records, and not {asked}");
        return Err(not_counted_yet(&detail));
    }
    let wanted = asked.unwrap_or(log_size);
    let mut posted = reading.tx.posted().await?;
    for _ in 0..COUNTED_STEPS {
        if posted >= wanted {
            break;
        }
        drop(reading);
        tokio::time::sleep(COUNTED_STEP).await;
        reading = Reading::open(state, at).await?;
        posted = reading.tx.posted().await?;
    }
    if asked.is_some() && posted < wanted {
        let detail = format!("{posted} of {wanted} records are counted so far");
        return Err(not_counted_yet(&detail));
    }
    let as_of = as_of(&mut reading, asked.unwrap_or(posted)).await?;
    Ok((admission, reading, as_of))
}

async fn as_of(reading: &mut Reading, log_size: u64) -> Result<CardsAsOf, ApiError> {
    let said = reading.as_of();
    let time = reading.block_time().ok_or_else(|| {
        let number = reading.block_number();
        ApiError::parameter(
            "at",
            format!("the time of block {number} is not held: ask as of a later time, or of a block with events"),
        )
    })?;
    let tags = reading.tx.tags().await?;
    let indexed = tags.indexed.ok_or(ApiError::NothingIndexedYet)?;
    let rekeyed = reading.tx.rekeyed().await?;
    let is_rekeying = !reading.tx.due_parties(indexed.time, 1).await?.is_empty();
    let block = CardBlock {
        number: said.block.number,
        hash: said.block.hash.map(|hash| hash.to_string()),
        time: said.block.time,
    };
    Ok(CardsAsOf {
        context: CardContext { chain: said.chain, block, finality: said.finality, log_size },
        time,
        settled: Settled {
            safe: tags.safe.map(|safe| safe.time),
            finalized: tags.finalized.map(|finalized| finalized.time),
        },
        rekeyed,
        is_rekeying,
    })
}

/// More records are asked for than the log has, or than are counted.
fn not_counted_yet(detail: &str) -> ApiError {
    let kind = ("not-indexed-yet", "Not indexed yet", StatusCode::CONFLICT);
    let detail = format!("{detail}; ask again, or as of a smaller size of the log");
    ApiError::Refused { kind, detail, retry_after_s: Some(2) }
}

/// A projector that cannot be run, and why.
#[derive(Clone, Debug)]
pub(in crate::api) struct Broken {
    pub(in crate::api) projector: ProjectorName,
    pub(in crate::api) reason: &'static str,
    pub(in crate::api) detail: String,
}

/// The projector of a name, or all of them; and those that cannot be run.
pub(in crate::api) async fn chosen(
    state: &ApiState,
    reading: &mut Reading,
    name: Option<&str>,
) -> Result<(Vec<Arc<Loaded>>, Vec<Broken>), ApiError> {
    let mut installed = state.cards.projectors.list(&mut reading.tx).await?;
    if let Some(name) = name {
        let known: Vec<_> = installed.iter().map(|one| format!("`{}`", one.id)).collect();
        installed.retain(|one| one.id == name);
        if installed.is_empty() {
            let shown = crate::api::shorten(name);
            let detail = format!("there is no projector `{shown}`; there are {}", known.join(", "));
            return Err(ApiError::parameter("projector", detail));
        }
    }
    let (mut loaded, mut broken) = (Vec::new(), Vec::new());
    for one in installed {
        match state.cards.projectors.get(&mut reading.tx, &one).await? {
            Ok(projector) => loaded.push(projector),
            Err(error) => broken.push(Broken {
                projector: name_of(one),
                reason: error.reason(),
                detail: error.to_string(),
            }),
        }
    }
    Ok((loaded, broken))
}

fn name_of(installed: Installed) -> ProjectorName {
    let (version, digest) = match installed.plugin {
        Some(plugin) => (plugin.version, plugin.digest.to_string()),
        None => (String::new(), String::new()),
    };
    ProjectorName { id: installed.id, version, digest }
}
