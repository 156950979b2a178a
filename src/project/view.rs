//! What a projector is shown: an agent's record as of one size of the log and one block.
//!
//! The fields are those of `projectors/wit/projector.wit`, which says what each means. Everything is in an order of its own texts and counts,
//! so that two instances with the same record show the same.

use alloy::primitives::Address;

use crate::attest::IssuerClass;
use crate::vocab::{AgentRef, ChainId, RegistryRef, UnixSeconds};

/// So many of the newest records are shown whole.
pub const RECENT_MAX: usize = 200;

/// How sure it is whom a record is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Finality {
    /// A reorganisation may change it.
    Provisional,
    /// The block of that time is safe.
    Safe,
    /// The block of that time is final.
    Final,
}

/// An agent's record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct View {
    /// The agent.
    pub agent: AgentRef,
    /// Its wallet then, CAIP-10.
    pub wallet: Option<String>,
    /// Whether the wallet's key agreed to be it.
    pub is_wallet_proven: bool,
    /// How many agents had that wallet.
    pub wallet_agents: u32,
    /// The block's number.
    pub block: u64,
    /// The block's time.
    pub time: UnixSeconds,
    /// The size of the log.
    pub log_size: u64,
    /// The game that the card is for.
    pub game: Option<String>,
    /// The agent that looks at it.
    pub viewer: Option<String>,
    /// A JSON object.
    pub parameters: String,
    /// How many records, of the claims that are asked for.
    pub total: u32,
    /// How many of them may still turn out to be about another agent.
    pub provisional: u32,
    /// How many more are dated later than the block. Projectors are not shown it: the host says it.
    pub later: u32,
    /// Who said what follows; the most first.
    pub issuers: Vec<Issuer>,
    /// The most first.
    pub kinds: Vec<Kind>,
    /// The most first.
    pub tallies: Vec<Tally>,
    /// The newest first.
    pub recent: Vec<Recent>,
}

impl View {
    /// The view of an agent without a record, before anything was said: what parameters are tried on.
    #[must_use]
    pub fn of_nobody(parameters: String) -> Self {
        let registry = RegistryRef { chain: ChainId(0), address: Address::ZERO };
        Self {
            agent: AgentRef { registry, id: 0_u64.into() },
            wallet: None,
            is_wallet_proven: false,
            wallet_agents: 0,
            block: 0,
            time: UnixSeconds::EPOCH,
            log_size: 0,
            game: None,
            viewer: None,
            parameters,
            total: 0,
            provisional: 0,
            later: 0,
            issuers: Vec::new(),
            kinds: Vec::new(),
            tallies: Vec::new(),
            recent: Vec::new(),
        }
    }
}

/// Who said something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issuer {
    /// The name in the record.
    pub name: String,
    /// What it was.
    pub class: Option<IssuerClass>,
    /// The agent that the name meant.
    pub agent: Option<String>,
    /// Issuers with one voice are under one proven control.
    pub voice: u32,
    /// Whether it is close to the subject.
    pub is_kin: bool,
    /// Its own record.
    pub standing: Option<Standing>,
}

/// An issuer's own record, in short.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// Records about it, without what was taken back and what its own said.
    pub received: u32,
    /// Of so many voices.
    pub voices: u32,
    /// Records by it.
    pub given: u32,
}

/// How often an issuer said one thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tally {
    /// The type of the claim.
    pub claim: String,
    /// The claim's words.
    pub words: Option<String>,
    /// Place among the issuers.
    pub issuer: u32,
    /// How often.
    pub count: u32,
    /// In how many games.
    pub games: u32,
    /// When first and last.
    pub times: (UnixSeconds, UnixSeconds),
    /// The newest of them.
    pub last_seq: u64,
}

/// How often a type of claim was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kind {
    /// The type.
    pub claim: String,
    /// How often.
    pub count: u32,
    /// By how many issuers.
    pub issuers: u32,
    /// With how many voices.
    pub voices: u32,
    /// In how many games.
    pub games: u32,
    /// When first and last.
    pub times: (UnixSeconds, UnixSeconds),
}

/// One of the newest records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recent {
    /// Its place in the log.
    pub seq: u64,
    /// Its digest.
    pub digest: String,
    /// Place among the issuers.
    pub issuer: u32,
    /// The type of its claim.
    pub claim: String,
    /// The claim's data, RFC 8785.
    pub data: String,
    /// In words for people.
    pub note: Option<String>,
    /// Parts per million.
    pub confidence: Option<u32>,
    /// The platform.
    pub origin: Option<String>,
    /// The game.
    pub game: Option<String>,
    /// The round.
    pub round: Option<u64>,
    /// When it was said.
    pub said_at: UnixSeconds,
    /// Whether its issuer gave that time.
    pub is_dated: bool,
    /// Where it came from: `signed`, `issued`, `origin`, `relay` or `chain`.
    pub basis: Basis,
    /// How sure it is whom it is about.
    pub finality: Finality,
    /// Whether its issuer has taken it back.
    pub is_withdrawn: bool,
    /// What it points to.
    pub evidence: Vec<RecentEvidence>,
}

/// By what a record counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Basis {
    /// Its issuer signed it.
    Signed,
    /// This service signed it.
    Issued,
    /// A platform sent it with its token.
    Origin,
    /// It was read from a platform's public log.
    Relay,
    /// It was read from the chain.
    Chain,
}

/// What a record points to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecentEvidence {
    /// What kind of thing.
    pub kind: String,
    /// Which one.
    pub id: String,
    /// Whether anybody may see it.
    pub is_public: bool,
    /// The round that it is from.
    pub round: Option<u64>,
    /// Its place in the platform's relay log.
    pub relay_index: Option<u64>,
    /// In words for people.
    pub summary: Option<String>,
}
