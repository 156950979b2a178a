//! What is said by and of wallets while the chain is followed: a process beside the follower takes it in and looks up whom it meant, and
//! dies with it. In the end whom each name meant is what the pure rules make of the canonical chain.
//!
//! One seed of some has it, and draws it from a stream of its own, so that no other draws otherwise because of it. Nothing of it goes into
//! the story: when a turn comes, relative to the program's own steps of the same moment, is up to the database.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use alloy::primitives::Address;
use hallmark::app::{FixedClock, Rekeyer};
use hallmark::did::web::WebHost;
use hallmark::identity::{EvidencedSpan, TimelineRef};
use hallmark::rekey::{Claim, Meanings, Question, Rekeying, Role, Rule, question};
use hallmark::storage::{
    Database, LinkBasis, NameLink, NewRecord, Party, PartyState, RecordSource, RecordsBy, Tx,
    claimed_key,
};
use hallmark::vocab::{AccountId, AgentRef, Digest, RegistryRef, Subject, UnixSeconds};

use super::content::IDENTITY;
use super::draw::Draw;
use super::drive::at_once;
use super::plan::CHAIN;
use super::run::Run;

/// One seed of so many has records.
const EVERY: u64 = 21;
/// So often something is said in one life, and looked up.
const ROUNDS: u32 = 3;
const ROUND_RECORDS_MAX: u64 = 4;
/// Between two of them.
const PAUSE_MAX_MS: u64 = 3_000;
/// The accounts that the chain knows, and what unknown code makes of them.
const PEOPLE: u64 = 5;
const REGISTRY: RegistryRef = RegistryRef { chain: CHAIN, address: IDENTITY };
/// The tables that hold what was said; the truth has none of it.
pub(super) const TABLES: [&str; 8] = [
    "attestation",
    "name",
    "name_link",
    "party",
    "record_progress",
    "rekey_pending",
    "rekeying",
    "subject_name",
];

/// How often somebody turned out to be meant who was not before, in all seeds of this process.
pub(super) static REPLACED: AtomicU64 = AtomicU64::new(0);

/// Whether a seed has records.
pub(super) const fn has(seed: u64) -> bool {
    seed.is_multiple_of(EVERY)
}

fn host() -> WebHost {
    WebHost::parse("a.example").unwrap()
}

fn rekeyer(database: &Database) -> Rekeyer {
    Rekeyer::new(database.clone(), host(), Arc::new(FixedClock(UnixSeconds::EPOCH)))
}

async fn turn(database: &Database) -> bool {
    let turned = rekeyer(database).turn().await.unwrap();
    REPLACED.fetch_add(turned.replaced, Ordering::Relaxed);
    turned != hallmark::app::Rekeyed::default()
}

/// What goes on beside the follower in one life; it never ends by itself.
pub(super) async fn beside(run: &Run<'_>, life: u64) {
    if !has(run.seed) || run.bug.is_some() {
        return std::future::pending::<()>().await;
    }
    let mut draw = Draw::of(&[run.seed, 3, life]);
    for _ in 0..ROUNDS {
        let times = times(run);
        let mut tx = run.database.begin_write().await.unwrap();
        say(&mut tx, &mut draw, &times).await;
        tx.commit().await.unwrap();
        tokio::time::sleep(Duration::from_millis(1 + draw.below(PAUSE_MAX_MS))).await;
        turn(&run.database).await;
    }
    std::future::pending::<()>().await;
}

/// The times of the blocks there are.
fn times(run: &Run<'_>) -> Vec<UnixSeconds> {
    let world = run.node.world();
    world.model.chain.blocks.iter().map(|block| block.header.time).collect()
}

fn account(draw: &mut Draw) -> AccountId {
    let person = u8::try_from(1 + draw.below(PEOPLE)).unwrap();
    let changed = if draw.chance(20) { 0x80 } else { 0 };
    AccountId { chain: CHAIN, address: Address::with_last_byte(person | changed) }
}

fn agent(draw: &mut Draw) -> Subject {
    Subject::Agent(AgentRef { registry: REGISTRY, id: draw.below(6).into() })
}

fn name(draw: &mut Draw) -> Subject {
    match draw.below(10) {
        0..=5 => Subject::Account(account(draw)),
        6 | 7 => agent(draw),
        8 => format!("platform:games:{}", draw.below(2)).parse().unwrap(),
        _ => format!("did:web:a.example:agents:{}:{}", CHAIN.0, draw.below(4)).parse().unwrap(),
    }
}

/// About when a block was made, or somewhat later than the last of them.
fn moment(draw: &mut Draw, times: &[UnixSeconds]) -> UnixSeconds {
    let later = if draw.chance(20) { draw.below(40) } else { draw.below(3) };
    UnixSeconds::new(draw.pick(times).get() + later).unwrap()
}

/// Some records, and now and then a link that comes late.
async fn say(tx: &mut Tx, draw: &mut Draw, times: &[UnixSeconds]) {
    let first = tx.log_size().await.unwrap() + 1;
    for seq in first..first + draw.between(1, ROUND_RECORDS_MAX) {
        let (issuer, subject, said_at) = (name(draw), name(draw), moment(draw, times));
        let speaker = matches!(issuer, Subject::Agent(_)).then(|| Subject::Account(account(draw)));
        let names = [Some(&issuer), Some(&subject), speaker.as_ref()];
        let numbers = tx.number_names(names.into_iter().flatten()).await.unwrap();
        let text = seq.to_string();
        let record = NewRecord {
            digest: Digest::of(text.as_bytes()),
            record: text.as_bytes(),
            envelope: None,
            source: RecordSource::Relay,
            place: None,
            issuer: numbers[&issuer],
            spoken_by: speaker.as_ref().map(|speaker| numbers[speaker]),
            subject: numbers[&subject],
            issuer_class: None,
            claim_type: "peer.assessment",
            origin: None,
            game: None,
            round: None,
            said_at,
            is_dated: true,
            received_at: said_at,
            claimed_key: claimed_key(None, &text),
            proof: None,
            supersedes: None,
            parties: [(Rekeying::default(), PartyState::Open); 2],
        };
        tx.append_records(&[record]).await.unwrap();
    }
    if draw.chance(30) {
        let player: Subject = format!("platform:games:{}", draw.below(2)).parse().unwrap();
        let number = tx.number_names([&player]).await.unwrap()[&player];
        let target = if draw.chance(50) { Subject::Account(account(draw)) } else { agent(draw) };
        let from = moment(draw, times);
        let basis = LinkBasis::Origin;
        let link = NameLink {
            number: 0,
            name: number,
            target,
            from,
            to: None,
            basis,
            seq: None,
            other_seq: None,
        };
        tx.add_link(&link).await.unwrap();
    }
}

/// Holds whom every name meant against the pure rules; the spans were held against the truth before.
///
/// # Errors
/// Who is said to have been meant, and who was.
pub(super) async fn hold(run: &Run<'_>) -> Result<(), String> {
    if !has(run.seed) || run.bug.is_some() {
        return Ok(());
    }
    at_once(async {
        while turn(&run.database).await {}
        let mut tx = run.database.begin_read().await.unwrap();
        let truth = Truth::read(run, &mut tx).await;
        let records = tx.records_after(RecordsBy::Seq, 0, 1_000).await.unwrap();
        if records.is_empty() {
            return Err("records: none was said".to_owned());
        }
        for ((seq, role), party) in tx.parties_of(&records).await.unwrap() {
            let (found, expected) = ((party.rekeying(), party.state), truth.of(&party));
            if found != expected {
                let name = &truth.names[&party.name];
                return Err(format!(
                    "party: {name}, the {role:?} of {seq} at {}, is {found:?} and was {expected:?}",
                    party.said_at
                ));
            }
            let agent = found.0.outcome.agent().filter(|_| role == Role::Subject);
            if let Some(agent) = agent
                && !tx.names_of_subject(agent).await.unwrap().contains(&party.name)
            {
                return Err(format!("subject_name: {} of {agent:?} is missing", party.name));
            }
        }
        let count = 2 * records.len();
        let held = tx.parties_of(&records).await.unwrap().len();
        if held == count { Ok(()) } else { Err(format!("party: {held} of {count}")) }
    })
    .await
}

/// What the canonical chain and the links say.
struct Truth {
    names: BTreeMap<u64, Subject>,
    meanings: BTreeMap<u64, Meanings>,
    head: UnixSeconds,
    finalized: Option<UnixSeconds>,
}

impl Truth {
    async fn read(run: &Run<'_>, tx: &mut Tx) -> Self {
        let (tags, agents) = {
            let world = run.node.world();
            (world.model.tags(), world.model.chain.head().state.agent_count())
        };
        let (mut wallets, mut registered): (Vec<(Address, Claim)>, _) =
            (Vec::new(), BTreeMap::new());
        for id in (0..agents).map(hallmark::vocab::AgentId::from) {
            let owners = tx.timeline(TimelineRef::Owner(id), None, 1_000).await.unwrap();
            if let Some(first) = owners.first() {
                registered.insert(id, first.from.time.unwrap());
            }
            for EvidencedSpan { record, from, to } in
                tx.timeline(TimelineRef::Wallet(id), None, 1_000).await.unwrap()
            {
                let Some(wallet) = record.value.account() else { continue };
                let claim = Claim {
                    from: from.time.unwrap(),
                    to: to.map(|to| to.time.unwrap()),
                    agent: id,
                    rule: Rule::Wallet,
                    span: Some(record.span.from),
                    link: None,
                };
                wallets.push((wallet, claim));
            }
        }
        let claims = |asked: Question| -> Vec<Claim> {
            match asked {
                Question::Wallet(account) => {
                    let of = wallets.iter().filter(|(wallet, _)| *wallet == account.address);
                    of.map(|(_, claim)| *claim).collect()
                }
                Question::Registered(agent, rule) => {
                    let from = registered.get(&agent).copied();
                    let claim =
                        |from| Claim { from, to: None, agent, rule, span: None, link: None };
                    from.map(claim).into_iter().collect()
                }
                Question::Links | Question::Nothing(_) => Vec::new(),
            }
        };
        let count = tx.names(0..1_000).await.unwrap();
        let numbers: Vec<_> = count.keys().copied().collect();
        let links = tx.name_links(&numbers).await.unwrap();
        let meaning = |(number, name): (&u64, &Subject)| {
            let asked = question(name, REGISTRY, &host());
            let linked = links.iter().filter(|link| link.name == *number).flat_map(|link| {
                let target = claims(question(&link.target, REGISTRY, &host())).into_iter();
                target.filter_map(|claim| claim.through_link(link.number, link.from, link.to))
            });
            let of = if asked == Question::Links { linked.collect() } else { claims(asked) };
            (*number, Meanings::new(of, Rule::Nothing))
        };
        let meanings = count.iter().map(meaning).collect();
        let finalized = tags.finalized.map(|finalized| finalized.time);
        Self { names: count, meanings, head: tags.head.time, finalized }
    }

    /// Whom a party meant, and how sure that is.
    fn of(&self, party: &Party) -> (Rekeying, PartyState) {
        let at = party.said_at;
        if at >= self.head {
            return (Rekeying::default(), PartyState::Open);
        }
        let is_final = self.finalized.is_some_and(|finalized| at < finalized);
        let state = if is_final { PartyState::Settled } else { PartyState::Found };
        let meant = &self.meanings[&party.name];
        let speaker = party.spoken_by.filter(|_| party.role == Role::Issuer);
        let found = speaker
            .map_or_else(|| meant.at(at), |account| meant.spoken_by(&self.meanings[&account], at));
        (found, state)
    }
}
