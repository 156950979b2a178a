//! Selecting from a record, and counting what was selected: by claim, by word, by who said it.
//!
//! A selection has two sides, which are narrowed together: the tallies, which count everything that stands, and the newest attestations
//! whole, which show it. What was withdrawn is in neither. Counts come from the tallies alone.
//!
//! Messages are cheap and issuers not much dearer, so there are three counts: of attestations, of issuers, and of voices, where issuers
//! under one proven control are one.

use std::cell::OnceCell;

use crate::json::Json;
use crate::order::{descending, distinct, number, sorted_by};
use crate::text::counted;
use crate::{Attestation, Issuer, IssuerClass, Tally, View};

/// A view, and its JSON as far as it was looked at.
#[derive(Debug)]
pub struct History<'a> {
    view: &'a View,
    words: Vec<Json>,
    /// Most claims are counted, and their data not looked at.
    data: Vec<OnceCell<Json>>,
}

fn read(text: &str) -> Json {
    Json::parse(text).unwrap_or(Json::Null)
}

impl<'a> History<'a> {
    /// Reads a view.
    pub fn of(view: &'a View) -> Self {
        Self {
            view,
            words: view
                .tallies
                .iter()
                .map(|t| t.words.as_deref().map_or(Json::Null, read))
                .collect(),
            data: view.recent.iter().map(|_| OnceCell::new()).collect(),
        }
    }

    /// What was read.
    pub fn view(&self) -> &'a View {
        self.view
    }

    /// All that stands.
    pub fn all(&self) -> Selection<'_> {
        let recent = self.view.recent.iter().enumerate();
        Selection {
            history: self,
            tallies: (0..self.view.tallies.len()).collect(),
            recent: recent.filter(|(_, said)| !said.is_withdrawn).map(|(at, _)| at).collect(),
        }
    }

    /// What stands of a claim, or of all claims that begin alike (`peer.*`).
    pub fn claim(&self, pattern: &str) -> Selection<'_> {
        self.all().claim(pattern)
    }

    /// How many attestations of a claim are counted by claim only: the tallies hold at most 1,024 lines, and more than that is not
    /// known of these.
    pub fn beyond_tallies(&self, pattern: &str) -> u64 {
        let kinds = self.view.kinds.iter().filter(|kind| matches(pattern, &kind.claim));
        let all: u64 = kinds.map(|kind| u64::from(kind.count)).sum();
        all.saturating_sub(self.claim(pattern).count())
    }
}

/// Whether a claim is meant: `peer.assessment` means itself, `peer.*` all that begin so.
fn matches(pattern: &str, claim: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(beginning) => claim.starts_with(beginning),
        None => claim == pattern,
    }
}

/// One of the newest attestations.
#[derive(Clone, Copy, Debug)]
pub struct Said<'a> {
    /// As it stands in the view.
    pub attestation: &'a Attestation,
    /// Who said it.
    pub issuer: Option<&'a Issuer>,
    data: &'a OnceCell<Json>,
}

impl<'a> Said<'a> {
    /// Its claim's data; `null` where they cannot be read.
    pub fn data(self) -> &'a Json {
        self.data.get_or_init(|| read(&self.attestation.data))
    }
}

/// In how many games something was said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Games {
    /// So many, and
    pub least: u32,
    /// whether it cannot be more. The same game may be in several tallies, so it may be known at least only.
    pub is_exact: bool,
}

impl Games {
    /// `12 games`, `at least 12 games`.
    pub fn text(self) -> String {
        let number = counted(self.least, "game");
        if self.is_exact { number } else { format!("at least {number}") }
    }
}

/// A part of a record.
#[derive(Clone, Debug)]
pub struct Selection<'a> {
    history: &'a History<'a>,
    tallies: Vec<usize>,
    recent: Vec<usize>,
}

impl<'a> Selection<'a> {
    /// Those of a claim, or of all claims that begin alike.
    #[must_use]
    pub fn claim(self, pattern: &str) -> Self {
        self.narrow(
            |t, _| matches(pattern, &t.claim),
            |said| matches(pattern, &said.attestation.claim),
        )
    }

    /// Those whose data have a text, or `true` or `false`, under a name.
    #[must_use]
    pub fn word(self, name: &str, value: &str) -> Self {
        let has = |json: &Json| json.get(name).and_then(Json::as_word) == Some(value);
        self.narrow(|_, words| has(words), |said| has(said.data()))
    }

    /// Those of issuers for whom something holds.
    #[must_use]
    pub fn by(self, is_wanted: impl Fn(&Issuer) -> bool) -> Self {
        let issuers = &self.history.view.issuers;
        let holds = |at: u32| issuer_at(issuers, at).is_some_and(&is_wanted);
        self.narrow(|tally, _| holds(tally.issuer), |said| holds(said.attestation.issuer))
    }

    /// Those by platforms, this service among them, and by plugins that a platform registered: what games attest.
    #[must_use]
    pub fn by_platforms(self) -> Self {
        self.by(|issuer| matches!(issuer.class, IssuerClass::System | IssuerClass::Plugin))
    }

    /// Those of one voice.
    #[must_use]
    pub fn by_voice(self, voice: u32) -> Self {
        self.by(|issuer| issuer.voice == voice)
    }

    /// Those by others than the subject and whoever is under one control with it.
    #[must_use]
    pub fn by_others(self) -> Self {
        self.by(|issuer| !issuer.is_kin)
    }

    /// Those by others who are no platforms: what agents, and whoever is nobody that is known, say of each other.
    #[must_use]
    pub fn by_peers(self) -> Self {
        let is_platform =
            |issuer: &Issuer| matches!(issuer.class, IssuerClass::System | IssuerClass::Plugin);
        self.by(|issuer| !issuer.is_kin && !is_platform(issuer))
    }

    /// These and those of another selection of the same record, each once.
    #[must_use]
    pub fn or(mut self, other: &Self) -> Self {
        for (own, others) in
            [(&mut self.tallies, &other.tallies), (&mut self.recent, &other.recent)]
        {
            own.extend(others);
            own.sort_unstable();
            own.dedup();
        }
        self
    }

    /// Those by the subject itself, its owner or wallet now or before, and others under one control with it.
    #[must_use]
    pub fn by_kin(self) -> Self {
        self.by(|issuer| issuer.is_kin)
    }

    fn narrow(
        mut self,
        is_tally_wanted: impl Fn(&Tally, &Json) -> bool,
        is_said_wanted: impl Fn(Said<'a>) -> bool,
    ) -> Self {
        let history = self.history;
        let tally_at = |at: usize| Some((history.view.tallies.get(at)?, history.words.get(at)?));
        self.tallies.retain(|at| tally_at(*at).is_some_and(|(t, words)| is_tally_wanted(t, words)));
        self.recent.retain(|at| said_at(history, *at).is_some_and(&is_said_wanted));
        self
    }

    fn lines(&self) -> impl Iterator<Item = &'a Tally> + '_ {
        self.tallies.iter().filter_map(|at| self.history.view.tallies.get(*at))
    }

    /// The newest of them whole, newest first. There may be more.
    pub fn recent(&self) -> impl Iterator<Item = Said<'a>> + '_ {
        self.recent.iter().filter_map(|at| said_at(self.history, *at))
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.count() == 0
    }

    /// How many.
    pub fn count(&self) -> u64 {
        self.lines().map(|tally| u64::from(tally.count)).sum()
    }

    /// By how many issuers.
    pub fn issuers(&self) -> u32 {
        number(distinct(self.lines().map(|tally| tally.issuer)).len())
    }

    /// Whose voices, in ascending order.
    pub fn voice_list(&self) -> Vec<u32> {
        let issuers = &self.history.view.issuers;
        let voices = self.lines().filter_map(|tally| Some(issuer_at(issuers, tally.issuer)?.voice));
        distinct(voices)
    }

    /// By how many voices.
    pub fn voices(&self) -> u32 {
        number(self.voice_list().len())
    }

    /// Who said it, in the order of the view.
    pub fn issuer_list(&self) -> Vec<&'a Issuer> {
        let found = distinct(self.lines().map(|tally| tally.issuer));
        let issuers = &self.history.view.issuers;
        found.into_iter().filter_map(|at| issuer_at(issuers, at)).collect()
    }

    /// The class of issuers, where it is one.
    pub fn source(&self) -> Option<IssuerClass> {
        let mut classes = self.issuer_list().into_iter().map(|issuer| issuer.class);
        let first = classes.next()?;
        classes.all(|class| class == first).then_some(first)
    }

    /// In how many games.
    pub fn games(&self) -> Games {
        let mut lines = self.lines();
        let (first, second) = (lines.next(), lines.next());
        let Some(first) = first else { return Games { least: 0, is_exact: true } };
        if second.is_none() {
            return Games { least: first.games, is_exact: true };
        }
        let kinds = &self.history.view.kinds;
        let kind = kinds.iter().find(|kind| kind.claim == first.claim);
        let is_one_claim = self.lines().all(|tally| tally.claim == first.claim);
        if let Some(kind) =
            kind.filter(|kind| is_one_claim && u64::from(kind.count) == self.count())
        {
            return Games { least: kind.games, is_exact: true };
        }
        let shown = self.recent().filter_map(|said| {
            let said = said.attestation;
            Some((said.origin.as_deref().unwrap_or(""), said.game.as_deref()?))
        });
        let shown_count = number(distinct(shown).len());
        if u64::try_from(self.recent.len()) == Ok(self.count()) {
            return Games { least: shown_count, is_exact: true };
        }
        let largest = self.lines().map(|tally| tally.games).max().unwrap_or(0);
        let sum: u32 = self.lines().fold(0, |sum, tally| sum.saturating_add(tally.games));
        let least = largest.max(shown_count);
        Games { least, is_exact: least == sum }
    }

    /// When it was said first and last, in unix seconds.
    pub fn span(&self) -> Option<(u64, u64)> {
        Some((self.lines().map(|t| t.first).min()?, self.lines().map(|t| t.last).max()?))
    }

    /// The places in the log of at most so many attestations that show it, newest first.
    pub fn evidence(&self, most: usize) -> Vec<u64> {
        let newest_of_each = self.lines().map(|tally| tally.last_seq);
        let newest = self.recent().map(|said| said.attestation.seq);
        let mut places = descending(newest.chain(newest_of_each));
        places.dedup();
        places.truncate(most);
        places
    }

    /// The parts that have the same word under a name; `None` where they have none. By voices, then by count, most first, then by word.
    pub fn by_word(&self, name: &str) -> Vec<(Option<&'a str>, Selection<'a>)> {
        let history = self.history;
        self.parts(
            |at| history.words.get(at)?.get(name)?.as_word(),
            |at| said_at(history, at)?.data().get(name)?.as_word(),
        )
    }

    /// The parts by who has one voice, most first.
    pub fn by_voices(&self) -> Vec<(Option<u32>, Selection<'a>)> {
        let view = self.history.view;
        self.parts(
            |at| Some(issuer_at(&view.issuers, view.tallies.get(at)?.issuer)?.voice),
            |at| Some(issuer_at(&view.issuers, view.recent.get(at)?.issuer)?.voice),
        )
    }

    /// Parts of tallies that have something in common, each with its attestations.
    fn parts<K: Ord + Copy>(
        &self,
        of_tally: impl Fn(usize) -> K,
        of_recent: impl Fn(usize) -> K,
    ) -> Vec<(K, Selection<'a>)> {
        let tallies =
            sorted_by(self.tallies.iter().map(|at| (of_tally(*at), *at)), |a, b| a.0 <= b.0);
        let mut parts: Vec<(K, Selection<'a>)> = Vec::new();
        for (key, at) in tallies {
            if let Some((_, part)) = parts.last_mut().filter(|(last, _)| *last == key) {
                part.tallies.push(at);
            } else {
                let (history, tallies, recent) = (self.history, vec![at], Vec::new());
                parts.push((key, Self { history, tallies, recent }));
            }
        }
        for at in &self.recent {
            let key = of_recent(*at);
            let place = parts.partition_point(|(other, _)| *other < key);
            if let Some((_, part)) = parts.get_mut(place).filter(|(other, _)| *other == key) {
                part.recent.push(*at);
            }
        }
        let counted = parts.into_iter().map(|(key, part)| (part.voices(), part.count(), key, part));
        let counted = sorted_by(counted, |a, b| (b.0, b.1) <= (a.0, a.1));
        counted.into_iter().map(|(_, _, key, part)| (key, part)).collect()
    }

    /// The parts of each claim: by count, most first, then by claim.
    pub fn by_claim(&self) -> Vec<(&'a str, Selection<'a>)> {
        let claims = distinct(self.lines().map(|tally| tally.claim.as_str()));
        let parts = claims.into_iter().map(|claim| (claim, self.clone().claim(claim)));
        sorted_by(parts, |a, b| a.1.count() >= b.1.count())
    }
}

fn issuer_at(issuers: &[Issuer], at: u32) -> Option<&Issuer> {
    issuers.get(usize::try_from(at).ok()?)
}

fn said_at<'a>(history: &'a History<'a>, at: usize) -> Option<Said<'a>> {
    let attestation = history.view.recent.get(at)?;
    let issuer = issuer_at(&history.view.issuers, attestation.issuer);
    Some(Said { attestation, data: history.data.get(at)?, issuer })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::RecordBuilder;

    fn sample() -> View {
        let mut record = RecordBuilder::new();
        let game = record.issuer("platform:games:system", IssuerClass::System);
        let one = record.issuer("one", IssuerClass::Agent);
        let two = record.issuer("two", IssuerClass::Agent);
        let own = record.issuer("own", IssuerClass::Agent);
        record.set_voice(two, 1).set_kin(own);
        record.say(game, "oathbreaker.choice", r#"{"choice":"C"}"#).game("g1");
        record.say(game, "oathbreaker.choice", r#"{"choice":"C"}"#).game("g2");
        record.say(game, "oathbreaker.choice", r#"{"choice":"D"}"#).game("g2");
        record.say(game, "oathbreaker.choice", r#"{"choice":"D"}"#).game("g3").withdrawn();
        record.say(one, "peer.assessment", r#"{"tag":"reliable"}"#);
        record.say(two, "peer.assessment", r#"{"tag":"reliable"}"#);
        record.say(two, "peer.assessment", r#"{"tag":"slow"}"#);
        record.say(own, "peer.assessment", r#"{"tag":"reliable"}"#);
        record.finish()
    }

    #[test]
    fn selections_count_what_stands() {
        let view = sample();
        let history = History::of(&view);
        let choices = history.claim("oathbreaker.choice");
        assert_eq!((choices.count(), choices.issuers(), choices.voices()), (3, 1, 1));
        assert_eq!(choices.games(), Games { least: 2, is_exact: true });
        assert_eq!(choices.clone().word("choice", "C").count(), 2);
        assert_eq!(choices.source(), Some(IssuerClass::System));
        assert_eq!(history.claim("oathbreaker.*").count(), 3);
        assert_eq!(history.claim("oathbreaker").count(), 0);
        assert_eq!(history.all().source(), None);
        assert_eq!(history.beyond_tallies("*"), 0);
    }

    #[test]
    fn one_voice_counts_once_and_kin_are_apart() {
        let view = sample();
        let history = History::of(&view);
        let peers = history.claim("peer.*").by_others();
        assert_eq!((peers.count(), peers.issuers(), peers.voices()), (3, 2, 1));
        assert_eq!(history.claim("peer.*").by_kin().count(), 1);
        let tags = peers.by_word("tag");
        let tags: Vec<_> = tags.iter().map(|(tag, part)| (*tag, part.count())).collect();
        assert_eq!(tags, [(Some("reliable"), 2), (Some("slow"), 1)]);
    }

    #[test]
    fn evidence_is_newest_first_and_never_withdrawn() {
        let view = sample();
        let history = History::of(&view);
        let choices = history.claim("oathbreaker.choice");
        assert_eq!(choices.evidence(50), [2, 1, 0]);
        assert_eq!(choices.evidence(2), [2, 1]);
        assert_eq!(choices.word("choice", "D").evidence(50), [2]);
    }

    #[test]
    fn games_in_several_tallies_are_known_at_least_where_the_rest_is_not_shown() {
        let mut view = sample();
        view.recent.clear();
        let mut kinds = view.kinds.iter_mut();
        kinds.find(|kind| kind.claim == "oathbreaker.choice").unwrap().count = 4;
        let history = History::of(&view);
        let games = history.claim("oathbreaker.choice").games();
        assert_eq!(games, Games { least: 2, is_exact: false });
        assert_eq!(games.text(), "at least 2 games");
        assert_eq!(history.beyond_tallies("oathbreaker.*"), 1);
    }
}
