//! Makes views for tests of projectors, as the host makes them of a log; not part of a component.
//!
//! ```
//! use hallmark_projector::IssuerClass;
//! use hallmark_projector::testing::RecordBuilder;
//!
//! let mut record = RecordBuilder::new();
//! let game = record.issuer("platform:games:system", IssuerClass::System);
//! record.say(game, "oathbreaker.choice", r#"{"choice":"C"}"#).game("g1").round(1);
//! let view = record.finish();
//! assert_eq!(view.tallies[0].words.as_deref(), Some(r#"{"choice":"C"}"#));
//! ```

use std::collections::{BTreeMap, BTreeSet};

use crate::json::Json;
use crate::{Attestation, Basis, Finality, Issuer, IssuerClass, Kind, Standing, Tally, View};

/// The newest attestations that come whole.
const RECENT_MAX: usize = 200;
/// Bytes of a word, and of all words of one attestation.
const WORD_BYTES_MAX: usize = 32;
const WORDS_BYTES_MAX: usize = 256;
/// When the first attestation was said; each later one an hour after the one before.
const FIRST_SAID_AT: u64 = 1_770_000_000;

/// An agent's record in the making.
#[derive(Clone, Debug, Default)]
pub struct RecordBuilder {
    issuers: Vec<Issuer>,
    said: Vec<Attestation>,
    parameters: Option<String>,
}

/// The attestation that was added last.
#[derive(Debug)]
pub struct SaidBuilder<'a>(&'a mut Attestation);

impl SaidBuilder<'_> {
    fn set(&mut self, change: impl FnOnce(&mut Attestation)) -> &mut Self {
        change(self.0);
        self
    }

    /// Names its game.
    pub fn game(&mut self, game: &str) -> &mut Self {
        self.set(|said| said.game = Some(game.to_owned()))
    }

    /// Names its round.
    pub fn round(&mut self, round: u64) -> &mut Self {
        self.set(|said| said.round = Some(round))
    }

    /// Adds words of the issuer's own.
    pub fn note(&mut self, note: &str) -> &mut Self {
        self.set(|said| said.note = Some(note.to_owned()))
    }

    /// Says where it was read.
    pub fn basis(&mut self, basis: Basis) -> &mut Self {
        self.set(|said| said.basis = basis)
    }

    /// Marks it as taken back.
    pub fn withdrawn(&mut self) -> &mut Self {
        self.set(|said| said.is_withdrawn = true)
    }
}

impl RecordBuilder {
    /// Nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an issuer with a voice of its own, and gives its index.
    pub fn issuer(&mut self, name: &str, class: IssuerClass) -> u32 {
        let at = number(self.issuers.len());
        let agent = (class == IssuerClass::Agent).then(|| name.to_owned());
        let name = name.to_owned();
        let issuer = Issuer { name, class, agent, voice: at, is_kin: false, standing: None };
        self.issuers.push(issuer);
        at
    }

    fn change(&mut self, issuer: u32, change: impl FnOnce(&mut Issuer)) -> &mut Self {
        let at = usize::try_from(issuer).unwrap_or(usize::MAX);
        if let Some(issuer) = self.issuers.get_mut(at) {
            change(issuer);
        }
        self
    }

    /// Gives an issuer the voice of another.
    pub fn set_voice(&mut self, issuer: u32, voice: u32) -> &mut Self {
        self.change(issuer, |issuer| issuer.voice = voice)
    }

    /// Makes an issuer the subject's own.
    pub fn set_kin(&mut self, issuer: u32) -> &mut Self {
        self.change(issuer, |issuer| issuer.is_kin = true)
    }

    /// Gives an issuer a record of its own: so many attestations of so many voices.
    pub fn set_standing(&mut self, issuer: u32, received: u32, voices: u32) -> &mut Self {
        self.change(issuer, |issuer| {
            issuer.standing = Some(Standing { received, voices, given: 1 });
        })
    }

    /// Sets the projector's parameters.
    pub fn parameters(&mut self, json: &str) -> &mut Self {
        self.parameters = Some(json.to_owned());
        self
    }

    /// Adds what an issuer says: read from the chain where the claim is `erc8004.*`, else signed. The data have to be in canonical form,
    /// their keys in order.
    pub fn say(&mut self, issuer: u32, claim: &str, data: &str) -> SaidBuilder<'_> {
        let seq = u64::from(number(self.said.len()));
        self.said.push(Attestation {
            seq,
            digest: format!("0x{seq:064x}"),
            issuer,
            claim: claim.to_owned(),
            data: data.to_owned(),
            note: None,
            confidence: None,
            origin: None,
            game: None,
            round: None,
            said_at: FIRST_SAID_AT + seq * 3_600,
            is_dated: true,
            basis: if claim.starts_with("erc8004.") { Basis::Chain } else { Basis::Signed },
            finality: Finality::Final,
            is_withdrawn: false,
            evidence: Vec::new(),
        });
        let at = self.said.len() - 1;
        #[allow(clippy::indexing_slicing, reason = "it was pushed just now")]
        SaidBuilder(&mut self.said[at])
    }

    /// The view.
    pub fn finish(&self) -> View {
        let standing: Vec<&Attestation> =
            self.said.iter().filter(|said| !said.is_withdrawn).collect();
        View {
            agent: "eip155:31337:0x8004A818BFB912233c491871b3d84c89A494BD9e:22".to_owned(),
            wallet: None,
            is_wallet_proven: false,
            wallet_agents: 0,
            block: 1_000,
            time: FIRST_SAID_AT + 100_000_000,
            log_size: self.said.len().try_into().unwrap_or(u64::MAX),
            game: None,
            viewer: None,
            parameters: self.parameters.clone().unwrap_or_else(|| "{}".to_owned()),
            total: number(standing.len()),
            provisional: 0,
            issuers: self.issuers.clone(),
            kinds: self.kinds(&standing),
            tallies: tallies(&standing),
            recent: self.said.iter().rev().take(RECENT_MAX).cloned().collect(),
        }
    }

    fn kinds(&self, standing: &[&Attestation]) -> Vec<Kind> {
        let claims: BTreeSet<&str> = standing.iter().map(|said| said.claim.as_str()).collect();
        let voice = |said: &Attestation| {
            let at = usize::try_from(said.issuer).unwrap_or(usize::MAX);
            self.issuers.get(at).map(|issuer| issuer.voice)
        };
        let mut kinds: Vec<Kind> = claims
            .into_iter()
            .map(|claim| {
                let of_it: Vec<&&Attestation> =
                    standing.iter().filter(|said| said.claim == claim).collect();
                let times = || of_it.iter().map(|said| said.said_at);
                Kind {
                    claim: claim.to_owned(),
                    count: number(of_it.len()),
                    issuers: number(
                        of_it.iter().map(|said| said.issuer).collect::<BTreeSet<_>>().len(),
                    ),
                    voices: number(
                        of_it.iter().map(|said| voice(said)).collect::<BTreeSet<_>>().len(),
                    ),
                    games: games(of_it.iter().map(|said| **said)),
                    first: times().min().unwrap_or(0),
                    last: times().max().unwrap_or(0),
                }
            })
            .collect();
        kinds.sort_by_key(|kind| u32::MAX - kind.count);
        kinds
    }
}

fn tallies(standing: &[&Attestation]) -> Vec<Tally> {
    let mut groups: BTreeMap<(&str, Option<String>, u32), Vec<&Attestation>> = BTreeMap::new();
    for said in standing {
        groups.entry((&said.claim, words(&said.data), said.issuer)).or_default().push(said);
    }
    let mut tallies: Vec<Tally> = groups
        .into_iter()
        .map(|((claim, words, issuer), said)| Tally {
            claim: claim.to_owned(),
            words,
            issuer,
            count: number(said.len()),
            games: games(said.iter().copied()),
            first: said.iter().map(|said| said.said_at).min().unwrap_or(0),
            last: said.iter().map(|said| said.said_at).max().unwrap_or(0),
            last_seq: said.iter().map(|said| said.seq).max().unwrap_or(0),
        })
        .collect();
    tallies.sort_by_key(|tally| u32::MAX - tally.count);
    tallies
}

fn games<'a>(said: impl Iterator<Item = &'a Attestation>) -> u32 {
    let games: BTreeSet<_> =
        said.filter_map(|said| Some((&said.origin, said.game.as_ref()?))).collect();
    number(games.len())
}

/// The short words of a claim's data.
fn words(data: &str) -> Option<String> {
    let Some(Json::Object(members)) = Json::parse(data) else { return None };
    let short = members.iter().filter_map(|(name, value)| match value {
        Json::Bool(value) => Some(format!("{}:{value}", quoted(name))),
        Json::Text(text) if text.len() <= WORD_BYTES_MAX => {
            Some(format!("{}:{}", quoted(name), quoted(text)))
        }
        _ => None,
    });
    let short: Vec<String> = short.collect();
    let words = format!("{{{}}}", short.join(","));
    (!short.is_empty() && words.len() <= WORDS_BYTES_MAX).then_some(words)
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
