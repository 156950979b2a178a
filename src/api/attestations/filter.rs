//! Which records are wanted: the same words in the query of a list and of a stream.

use serde::Deserialize;
use utoipa::IntoParams;

use crate::api::error::ApiError;
use crate::attest::class::IssuerClass;
use crate::rekey::Role;
use crate::storage::{Party, PartyState, RecordsBy, StoredRecord, Tx};
use crate::vocab::{AgentId, AgentRef, Naming, RegistryRef, Subject};

/// Which records are wanted, as the query says it.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(in crate::api) struct FilterQuery {
    /// Said in this game.
    pub(in crate::api) game: Option<String>,
    /// Said in this round.
    #[param(value_type = Option<u64>)]
    pub(in crate::api) round: Option<String>,
    /// About this agent, by whatever name it was called.
    pub(in crate::api) agent: Option<String>,
    /// By this agent, whatever it signed with; or signed or sent by just this account, DID or `platform:ORIGIN:ID`.
    pub(in crate::api) issuer: Option<String>,
    /// `system`, `plugin` or `agent`.
    pub(in crate::api) issuer_kind: Option<String>,
    /// Claims of this kind.
    pub(in crate::api) claim_type: Option<String>,
}

/// The same, understood.
#[derive(Clone, Debug, Default)]
pub(in crate::api) struct Filter {
    game: Option<String>,
    round: Option<u64>,
    agent: Option<AgentId>,
    issuer: Option<Issuer>,
    class: Option<IssuerClass>,
    claim_type: Option<String>,
}

#[derive(Clone, Debug)]
enum Issuer {
    /// An agent, whatever it signed with.
    Agent(AgentId),
    /// The number of a name; `None` where no record has it.
    Name(Option<u64>),
}

/// Whether a record is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::api) enum Wanted {
    Yes,
    No,
    /// It depends on whom a name meant, which is not known yet.
    NotYet,
}

impl FilterQuery {
    /// The agent that a stream of cards is about: nothing else is asked for with it.
    pub(in crate::api) fn only_agent(&self, stream: &str) -> Result<String, ApiError> {
        if let Some(name) = self.first_but_agent() {
            let detail =
                format!("the stream `{stream}` is of an agent's cards, and not filtered by it");
            return Err(ApiError::parameter(name, detail));
        }
        self.agent.clone().ok_or_else(|| {
            let detail = format!("the stream `{stream}` is of one agent: name it, `?agent=22`");
            ApiError::parameter("agent", detail)
        })
    }

    /// Refuses what asks for records, of a stream that has none.
    pub(in crate::api) fn nothing_of_records(&self, stream: &str) -> Result<(), ApiError> {
        let agent = self.agent.as_ref().map(|_| "agent");
        let Some(name) = agent.or_else(|| self.first_but_agent()) else { return Ok(()) };
        let detail = format!("the stream `{stream}` is not of records, and not filtered by it");
        Err(ApiError::parameter(name, detail))
    }

    /// The first word of the query but `agent` that says something.
    fn first_but_agent(&self) -> Option<&'static str> {
        let others = [
            ("game", &self.game),
            ("round", &self.round),
            ("issuer", &self.issuer),
            ("issuer_kind", &self.issuer_kind),
            ("claim_type", &self.claim_type),
        ];
        others.iter().find(|(_, value)| value.is_some()).map(|(name, _)| *name)
    }
}

impl Filter {
    /// Understands a query.
    pub(in crate::api) async fn read(
        tx: &mut Tx,
        query: &FilterQuery,
        registry: Option<RegistryRef>,
    ) -> Result<Self, ApiError> {
        let number = |text: &String| {
            let wrong = || {
                ApiError::parameter("round", format!("`{}` is no round", crate::api::shorten(text)))
            };
            crate::vocab::canonical_u64(text).ok_or_else(wrong)
        };
        let class = |word: &String| {
            let wrong = || {
                let shown = crate::api::shorten(word);
                let detail =
                    format!("`{shown}` is no kind of issuer; write `system`, `plugin` or `agent`");
                ApiError::parameter("issuer_kind", detail)
            };
            IssuerClass::from_word(word).ok_or_else(wrong)
        };
        let agent = match &query.agent {
            None => None,
            Some(text) => Some(agent(text, registry)?),
        };
        let issuer = match &query.issuer {
            None => None,
            Some(text) => Some(issuer(tx, text, registry).await?),
        };
        Ok(Self {
            game: query.game.clone(),
            round: query.round.as_ref().map(number).transpose()?,
            agent,
            issuer,
            class: query.issuer_kind.as_ref().map(class).transpose()?,
            claim_type: query.claim_type.clone(),
        })
    }

    /// The same, of one class of issuers only.
    pub(in crate::api) fn of_class(self, class: IssuerClass) -> Self {
        Self { class: Some(class), ..self }
    }

    /// Whether it asks for another class than one.
    pub(in crate::api) fn excludes(&self, class: IssuerClass) -> bool {
        self.class.is_some_and(|wanted| wanted != class)
    }

    /// By which index its records are read; `None` where there are none.
    pub(in crate::api) fn by(&self) -> Option<RecordsBy<'_>> {
        Some(match (&self.agent, &self.issuer) {
            (Some(agent), _) => RecordsBy::Agent(*agent, Role::Subject),
            (None, Some(Issuer::Agent(agent))) => RecordsBy::Agent(*agent, Role::Issuer),
            (None, Some(Issuer::Name(number))) => RecordsBy::Issuer((*number)?),
            (None, None) => match (&self.game, &self.claim_type) {
                (Some(game), _) => RecordsBy::Game(game),
                (None, Some(kind)) => RecordsBy::ClaimType(kind),
                (None, None) => RecordsBy::Seq,
            },
        })
    }

    /// Whether it depends on whom names meant.
    pub(in crate::api) const fn asks_for_meanings(&self) -> bool {
        self.agent.is_some()
            || matches!(self.issuer, Some(Issuer::Agent(_)))
            || matches!(self.class, Some(IssuerClass::Agent))
    }

    /// Whether a record is wanted; `party` gives whom its names meant.
    pub(in crate::api) fn wants<'a>(
        &self,
        record: &StoredRecord,
        party: impl Fn(Role) -> Option<&'a Party>,
    ) -> Wanted {
        let is_of = |wanted: &Option<String>, found: Option<&str>| {
            wanted.as_deref().is_none_or(|wanted| Some(wanted) == found)
        };
        let by_name = match &self.issuer {
            Some(Issuer::Name(number)) => *number == Some(record.issuer),
            Some(Issuer::Agent(_)) | None => true,
        };
        let is_plain = is_of(&self.game, record.game.as_deref())
            && is_of(&self.claim_type, Some(&record.claim_type))
            && self.round.is_none_or(|round| record.round == Some(round))
            && by_name;
        if !is_plain {
            return Wanted::No;
        }
        let mut wanted = Wanted::Yes;
        let mut also = |found: Wanted| {
            wanted = match (wanted, found) {
                (Wanted::No, _) | (_, Wanted::No) => Wanted::No,
                (Wanted::NotYet, _) | (_, Wanted::NotYet) => Wanted::NotYet,
                (Wanted::Yes, Wanted::Yes) => Wanted::Yes,
            };
        };
        let means = |role, is_wanted: &dyn Fn(Option<AgentId>) -> bool| match party(role) {
            Some(party) if party.state == PartyState::Open => Wanted::NotYet,
            Some(party) if is_wanted(party.found.outcome.agent()) => Wanted::Yes,
            Some(_) | None => Wanted::No,
        };
        if let Some(agent) = self.agent {
            also(means(Role::Subject, &|found| found == Some(agent)));
        }
        if let Some(Issuer::Agent(agent)) = &self.issuer {
            also(means(Role::Issuer, &|found| found == Some(*agent)));
        }
        match (self.class, record.issuer_class) {
            (None, _) => {}
            (Some(IssuerClass::Agent), None) => also(means(Role::Issuer, &|found| found.is_some())),
            (Some(wanted), Some(found)) if wanted == found => {}
            (Some(_), _) => also(Wanted::No),
        }
        wanted
    }
}

fn agent(text: &str, registry: Option<RegistryRef>) -> Result<AgentId, ApiError> {
    let registry = registry.ok_or(ApiError::NothingIndexedYet)?;
    let agent = AgentRef::parse(text, registry);
    agent.map(|agent| agent.id).map_err(|error| ApiError::parameter("agent", error.to_string()))
}

async fn issuer(
    tx: &mut Tx,
    text: &str,
    registry: Option<RegistryRef>,
) -> Result<Issuer, ApiError> {
    // `22` and `8453:22` are agents, and are no names of records.
    if let Some(agent) = registry.and_then(|registry| AgentRef::parse(text, registry).ok()) {
        return Ok(Issuer::Agent(agent.id));
    }
    let naming = Naming { origin: None, chain: registry.map(|registry| registry.chain) };
    let name = Subject::parse(text, naming);
    let name = name.map_err(|error| ApiError::parameter("issuer", error.to_string()))?;
    Ok(Issuer::Name(tx.name_numbers([&name]).await?.get(&name).copied()))
}
