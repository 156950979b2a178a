//! `POST /v1/games/{game}/payload`: what a game hands to a player: a card for each opponent, and the newest of what was said of them.
//!
//! A lobby of twenty is answered from several reading transactions at a time, which must all see one state; the answer is kept, under all
//! that it depends on, for the other players who ask the same.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::Bytes;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use tokio::sync::Barrier;
use tokio::task::JoinSet;
use utoipa::ToSchema;

use super::asked::{as_of_now, chosen};
use super::get::{FailedCard, game, sorted_out};
use crate::api::attestations::{RecordAnswer, Standing, answer};
use crate::api::error::{ApiError, BodyProblems, ProblemBody, Problems};
use crate::api::extract::{Body, PathText};
use crate::api::reading::Reading;
use crate::api::router::Shared;
use crate::api::wire::JSON;
use crate::app::{CardSetting, CardsAsOf, Loaded, NewestRecord};
use crate::project::{CardContext, RECENT_MAX, TrustCard};
use crate::vocab::{AgentRef, Digest, UnixSeconds};

/// The most opponents of one request.
const OPPONENTS_MAX: usize = 100;
/// So many reading transactions at a time.
const READERS: usize = 2;
/// The most bytes of answers that are kept.
const KEPT_BYTES_MAX: usize = 64 << 20;

/// Whose cards a player wants.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct PayloadRequest {
    /// The projector.
    projector: String,
    /// The agent that looks; none where it is no agent.
    viewer: Option<String>,
    /// The agents that it looks at; at most 100.
    #[schema(max_items = 100)]
    opponents: Vec<String>,
    /// `latest` (default), `safe`, `finalized`, `block:N` or `time:T`.
    at: Option<String>,
    /// As of this size of the log; by default all of it.
    as_of_seq: Option<u64>,
}

/// What a player is handed.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Payload)]
#[serde(rename_all = "camelCase")]
pub(in crate::api) struct PayloadAnswer {
    /// A trust card for each opponent, in order; one that failed is in `failed`.
    #[schema(value_type = Vec<Object>)]
    trust_cards: Vec<Arc<TrustCard>>,
    /// The newest records of each opponent, newest first, at most 200 of each.
    recent_attestations: Vec<AboutOpponent>,
    /// How often each type of claim was made of each opponent, in all.
    rollups: Vec<RollupAnswer>,
    /// Cards that there are not.
    failed: Vec<FailedCard>,
    #[serde(rename = "as_of")]
    #[schema(value_type = Object)]
    as_of: CardContext,
}

/// A record about an opponent.
#[derive(Debug, Serialize, ToSchema)]
struct AboutOpponent {
    /// The opponent.
    agent: String,
    /// Whether its issuer has taken it back or replaced it, by a record about whomever.
    is_withdrawn: bool,
    #[serde(flatten)]
    record: RecordAnswer,
}

/// How often a type of claim was made of an opponent; what its issuer has taken back is not counted.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ClaimRollup)]
struct RollupAnswer {
    agent: String,
    claim_type: String,
    count: u32,
    /// By how many names.
    issuers: u32,
    /// In how many games.
    games: u32,
    /// RFC 3339.
    #[schema(value_type = String)]
    first: UnixSeconds,
    /// RFC 3339.
    #[schema(value_type = String)]
    last: UnixSeconds,
}

/// Answers that were given, under all that they depend on.
#[derive(Clone, Debug, Default)]
pub(in crate::api) struct PayloadCache(Arc<Mutex<Kept>>);

#[derive(Debug, Default)]
struct Kept {
    answers: HashMap<Key, Bytes>,
    bytes: usize,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Key {
    projector: Digest,
    parameters: Digest,
    setting: CardSetting,
    opponents: Vec<AgentRef>,
    absent: Vec<AgentRef>,
    as_of: CardsAsOf,
}

impl Key {
    /// How many bytes it takes, about.
    fn weight(&self) -> usize {
        let agents = self.opponents.len() + self.absent.len();
        size_of::<Self>()
            + self.setting.game.as_ref().map_or(0, String::len)
            + agents * size_of::<AgentRef>()
    }
}

impl PayloadCache {
    fn get(&self, key: &Key) -> Option<Bytes> {
        self.lock().answers.get(key).cloned()
    }

    fn put(&self, key: Key, answer: Bytes) {
        let mut kept = self.lock();
        let (of_key, length) = (key.weight(), answer.len());
        if kept.bytes + of_key + length > KEPT_BYTES_MAX {
            // What is as of an older block is never asked for again.
            *kept = Kept::default();
        }
        kept.bytes += of_key + length;
        if let Some(old) = kept.answers.insert(key, answer) {
            kept.bytes -= of_key + old.len();
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A card for each opponent of a player, and the newest of what was said of them.
#[utoipa::path(
    post, path = "/v1/games/{game}/payload", tag = "cards", request_body = PayloadRequest,
    params(("game" = String, Path, description = "The game, by the platform's name for it")),
    responses(
        (status = 200, description = "Cards and records", body = PayloadAnswer),
        (status = 422, description = "The body does not say what it must; `field` names what is wrong", body = ProblemBody, content_type = "application/problem+json"),
        BodyProblems,
        Problems
    )
)]
pub(in crate::api) async fn make_payload(
    State(state): State<Shared>,
    PathText(name): PathText,
    Body(request): Body<PayloadRequest>,
) -> Result<Response, ApiError> {
    let name = game(Some(&name))?;
    let as_of_seq = request.as_of_seq.map(|seq| seq.to_string());
    let as_of = as_of_now(&state, request.at.as_deref(), as_of_seq.as_deref());
    let (_admission, mut reading, as_of) = as_of.await.map_err(ApiError::in_body)?;
    let Players { viewer, opponents, absent } = players(&mut reading, &request).await?;
    let (projectors, broken) =
        chosen(&state, &mut reading, Some(&request.projector)).await.map_err(ApiError::in_body)?;
    let setting = CardSetting {
        game: name,
        viewer: viewer.map(|viewer| viewer.to_string()),
        ..CardSetting::default()
    };
    let key = projectors.first().map(|loaded| Key {
        projector: loaded.projector.digest,
        parameters: Digest::of(loaded.parameters.as_bytes()),
        setting: setting.clone(),
        opponents: opponents.clone(),
        absent: absent.clone(),
        as_of: as_of.clone(),
    });
    if let Some(kept) = key.as_ref().and_then(|key| state.payloads.get(key)) {
        return Ok(([(header::CONTENT_TYPE, JSON)], kept).into_response());
    }
    let work = Arc::new(Work { state: state.clone(), as_of, setting, projectors, opponents });
    let mut answer = work.answer(reading).await?;
    for opponent in &work.opponents {
        let agent = opponent.to_string();
        answer.failed.extend(broken.iter().map(|broken| FailedCard::broken(&agent, broken)));
    }
    if let Some(loaded) = work.projectors.first() {
        answer.failed.extend(absent.iter().map(|agent| FailedCard::absent(*agent, loaded.name())));
    }
    let json = serde_json::to_vec(&answer).map(Bytes::from);
    let json = json.map_err(|error| ApiError::internal(format!("cannot write JSON: {error}")))?;
    if let Some(key) = key.filter(|_| !work.as_of.is_rekeying) {
        state.payloads.put(key, json.clone());
    }
    Ok(([(header::CONTENT_TYPE, JSON)], json).into_response())
}

/// Who looks at whom.
struct Players {
    viewer: Option<AgentRef>,
    /// Each once, in order.
    opponents: Vec<AgentRef>,
    /// Those who do not exist as of the block: nobody else loses a card for them.
    absent: Vec<AgentRef>,
}

async fn players(reading: &mut Reading, request: &PayloadRequest) -> Result<Players, ApiError> {
    let count = request.opponents.len();
    if count > OPPONENTS_MAX {
        let detail = format!("{count} opponents are more than the {OPPONENTS_MAX} of one request");
        return Err(ApiError::field("opponents", detail));
    }
    let read = |field: String, text: &str| {
        reading.parse_agent(text).map_err(|error| ApiError::field(field, error.to_string()))
    };
    let viewer =
        request.viewer.as_deref().map(|text| read("viewer".to_owned(), text)).transpose()?;
    let mut all: Vec<AgentRef> = Vec::with_capacity(count);
    for (index, text) in request.opponents.iter().enumerate() {
        let agent = read(format!("opponents[{index}]"), text)?;
        if !all.contains(&agent) {
            all.push(agent);
        }
    }
    let ids: Vec<_> = all.iter().chain(&viewer).map(|agent| agent.id).collect();
    let block = reading.block_number();
    let owners = reading.tx.owners_at(&ids, block).await?;
    if let Some(viewer) = viewer.filter(|viewer| !owners.contains_key(&viewer.id)) {
        let detail = format!("there is no agent {viewer} as of block {block}");
        return Err(ApiError::field("viewer", detail));
    }
    let (opponents, absent) = all.into_iter().partition(|agent| owners.contains_key(&agent.id));
    Ok(Players { viewer, opponents, absent })
}

/// What an answer is made with.
struct Work {
    state: Shared,
    as_of: CardsAsOf,
    setting: CardSetting,
    projectors: Vec<Arc<Loaded>>,
    opponents: Vec<AgentRef>,
}

/// What is answered of one opponent.
#[derive(Default)]
struct Part {
    cards: Vec<Arc<TrustCard>>,
    failed: Vec<FailedCard>,
    records: Vec<AboutOpponent>,
    rollups: Vec<RollupAnswer>,
}

impl Work {
    /// Every opponent's part, in order. Each transaction is read by a task of its own, so that two processors count.
    async fn answer(self: &Arc<Self>, mut reading: Reading) -> Result<PayloadAnswer, ApiError> {
        let mut readings = Vec::new();
        if self.opponents.len() > READERS {
            for _ in 1..READERS {
                readings.extend(self.same_state(&mut reading).await?);
            }
        }
        readings.push(reading);
        let count = readings.len();
        let mut shares = JoinSet::new();
        let is_prepared = Arc::new(Barrier::new(count));
        for (first, reading) in readings.into_iter().enumerate() {
            let (work, is_prepared) = (Arc::clone(self), Arc::clone(&is_prepared));
            shares.spawn(async move { work.share(reading, (first, count), &is_prepared).await });
        }
        let mut parts = Vec::with_capacity(self.opponents.len());
        while let Some(share) = shares.join_next().await {
            parts.extend(share.map_err(|error| ApiError::internal(error.to_string()))??);
        }
        parts.sort_by_key(|(index, _)| *index);
        let mut answer = PayloadAnswer {
            trust_cards: Vec::new(),
            recent_attestations: Vec::new(),
            rollups: Vec::new(),
            failed: Vec::new(),
            as_of: self.as_of.context.clone(),
        };
        for (_, part) in parts {
            answer.trust_cards.extend(part.cards);
            answer.recent_attestations.extend(part.records);
            answer.rollups.extend(part.rollups);
            answer.failed.extend(part.failed);
        }
        Ok(answer)
    }

    /// The parts of every so-manieth opponent, with their places.
    async fn share(
        &self,
        mut reading: Reading,
        (first, step): (usize, usize),
        is_prepared: &Barrier,
    ) -> Result<Vec<(usize, Part)>, ApiError> {
        let own = || self.opponents.iter().enumerate().skip(first).step_by(step);
        let (cards, host) = (&self.state.cards, &self.state.documents.host);
        // Who plays with whom says something of them, so that each part needs what is prepared of all.
        for (_, opponent) in own() {
            cards.prepare(&mut reading.tx, host, *opponent, &self.as_of).await?;
        }
        is_prepared.wait().await;
        let mut parts = Vec::new();
        for (index, opponent) in own() {
            parts.push((index, self.part(&mut reading, *opponent).await?));
        }
        Ok(parts)
    }

    /// Another transaction that sees what this one sees; none where something happened in between.
    async fn same_state(&self, reading: &mut Reading) -> Result<Option<Reading>, ApiError> {
        let mut other = Reading::open(&self.state, crate::api::at::At::Latest).await?;
        let mut seen = [(0, 0), (0, 0)];
        let mut tags = Vec::new();
        for (seen, tx) in seen.iter_mut().zip([&mut reading.tx, &mut other.tx]) {
            *seen = (tx.log_size().await?, tx.rekeyed().await?);
            tags.push(tx.tags().await?);
        }
        let [mine, others] = seen;
        Ok((mine == others && tags.first() == tags.last()).then_some(other))
    }

    async fn part(&self, reading: &mut Reading, opponent: AgentRef) -> Result<Part, ApiError> {
        let (cards, host) = (&self.state.cards, &self.state.documents.host);
        let tx = &mut reading.tx;
        let mut subject = cards.subject(tx, host, opponent, &self.as_of).await?;
        let mut outcomes = Vec::new();
        for loaded in &self.projectors {
            let (as_of, setting) = (&self.as_of, &self.setting);
            outcomes.push(cards.of_subject(tx, &mut subject, as_of, setting, loaded).await?);
        }
        let (made, failed) = sorted_out(outcomes);
        let standing = Standing { registry: Some(opponent.registry), tags: tx.tags().await? };
        let agent = opponent.to_string();
        let newest = cards.newest(tx, &mut subject, &self.as_of, RECENT_MAX).await?;
        let about = |shown: &NewestRecord<'_>| {
            let record = answer(shown.record, &newest.names, shown.found, &standing)?;
            let (agent, is_withdrawn) = (agent.clone(), shown.is_withdrawn);
            Ok::<_, ApiError>(AboutOpponent { agent, is_withdrawn, record })
        };
        let records = newest.records.iter().map(about).collect::<Result<_, _>>()?;
        let kinds = &subject.rollup.kinds;
        let texts = cards.texts(tx, kinds.keys().copied()).await?;
        let mut rollups: Vec<_> = kinds
            .iter()
            .map(|(claim, kind)| RollupAnswer {
                agent: agent.clone(),
                claim_type: texts.get(claim).map(ToString::to_string).unwrap_or_default(),
                count: kind.count,
                issuers: u32::try_from(kind.issuers.len()).unwrap_or(u32::MAX),
                games: kind.games.count(),
                first: kind.times.0,
                last: kind.times.1,
            })
            .collect();
        rollups.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.claim_type.cmp(&b.claim_type)));
        Ok(Part { cards: made, failed, records, rollups })
    }
}
