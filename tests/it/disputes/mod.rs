//! Delegations over HTTP: taken in, served as traces, judged, and answered for when something failed.
//!
//! The chain is a written one, in which agent n has the wallet n from the beginning on, as in `delegation::build`, and an owner of its own.
//! `strangers` is what those can do whom nobody hired, `judging` what a verdict is worth, `taking` what is kept and refused, `traces` what documents say, `reports` who carries how much, `publishing` what the service says of
//! it, `served` what `hallmark verify` hears of it, `turning` what a rotated wallet and a reorganisation change.

mod judging;
mod publishing;
mod reports;
mod served;
mod strangers;
mod taking;
mod traces;
mod turning;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use hallmark::app::{
    Clock, DisputeKeeper, FixedClock, KeyStore, Published, Records, Rekeyer, ServiceKeys,
};
use hallmark::attest::key::KeyKind;
use hallmark::delegation::{Child, Grant, InteractionKind, Under};
use hallmark::did::web::WebHost;
use hallmark::identity::{SpanCause, SpanRecord, TimelineRef};
use hallmark::storage::{Database, Tags};
use hallmark::vocab::{Digest, UnixSeconds};
use serde_json::Value;

use crate::delegation::build::*;
use crate::storage::samples;
use crate::support::service::{Reply, Service, state};

/// The block in which all agents were registered.
const REGISTERED: u64 = 58_000;
/// The last block of the written chain: at [`CHECKED`].
const HEAD: u64 = block_of(CHECKED) - 1;

/// The number of the last block not later than a time.
const fn block_of(seconds: u64) -> u64 {
    (seconds - 1_770_000_000) / 2
}

/// A clock that a test moves.
#[derive(Clone, Debug)]
struct Hand(Arc<AtomicU64>);

impl Clock for Hand {
    fn now(&self) -> UnixSeconds {
        UnixSeconds::new(self.0.load(Ordering::SeqCst)).unwrap()
    }
}

/// The service, and the chain behind it.
struct Desk {
    service: Service,
    database: Database,
    clock: Hand,
    keys: ServiceKeys,
    /// Where the keys are; gone when the test is.
    folder: tempfile::TempDir,
}

fn store_in(folder: &tempfile::TempDir) -> KeyStore {
    KeyStore::new(folder.path().join("keys.json"), None, None)
}

/// Agent n's wallet, of any key, from one block on, until another where it is given.
fn holding(agent: u8, key: u8, from: u64, to: Option<u64>) -> SpanRecord {
    let timeline = TimelineRef::Wallet(u64::from(agent).into());
    let at = |block| samples::at(block, 0);
    let span = samples::span(timeline, Some(account(key).address), at(from), to.map(at));
    SpanRecord { cause: Some(SpanCause::Proven), ..span }
}

/// Agent n's owner, by a byte.
fn owning(agent: u8, owner: u8, from: u64, to: Option<u64>) -> SpanRecord {
    let timeline = TimelineRef::Owner(u64::from(agent).into());
    let at = |block| samples::at(block, 1);
    samples::span(timeline, Some(samples::account(owner)), at(from), to.map(at))
}

/// Agents 1 to `agents`, each with its own wallet and owner.
fn apart(agents: u8) -> Vec<SpanRecord> {
    let of = |n| [owning(n, 200 - n, REGISTERED, None), holding(n, n, REGISTERED, None)];
    (1..=agents).flat_map(of).collect()
}

/// A chain that is followed up to a block, safe up to the one before, and final up to another.
fn tags(head: u64, finalized: u64) -> Tags {
    let stamp = |number| Some(samples::stamp(number));
    Tags {
        indexed: stamp(head),
        head: stamp(head),
        safe: stamp(head - 1),
        finalized: stamp(finalized),
    }
}

impl Desk {
    async fn open(database: &Database, spans: &[SpanRecord]) -> Self {
        let mut tx = samples::bound(database).await;
        samples::hold(&mut tx, [REGISTERED, block_of(START), HEAD - 1, HEAD]).await;
        samples::begin(&mut tx, spans).await;
        tx.commit().await.unwrap();
        let clock = Hand(Arc::new(AtomicU64::new(CHECKED)));
        let folder = tempfile::tempdir().unwrap();
        let store = store_in(&folder);
        store.add(KeyKind::Ed25519, &FixedClock(time(START))).unwrap();
        let keys = ServiceKeys::open(store, Arc::new(clock.clone())).unwrap();
        let mut state = state(database, clock.now());
        state.clock = Arc::new(clock.clone());
        state.keys = keys.clone();
        let desk =
            Self { service: Service::new(state), database: database.clone(), clock, keys, folder };
        desk.reach(HEAD, HEAD - 1).await;
        desk
    }

    fn store(&self) -> KeyStore {
        store_in(&self.folder)
    }

    /// The service's keys, as a process has them that starts now.
    fn reopened(&self) -> ServiceKeys {
        ServiceKeys::open(self.store(), Arc::new(self.clock.clone())).unwrap()
    }

    /// The chain is followed up to a block, safe up to the one before, and final up to another.
    async fn reach(&self, head: u64, finalized: u64) {
        let mut tx = self.database.begin_write().await.unwrap();
        tx.set_tags(&tags(head, finalized)).await.unwrap();
        tx.commit().await.unwrap();
    }

    async fn post(&self, envelope: &str) -> Reply {
        self.service.post("/v1/delegations", envelope.to_owned()).await
    }

    /// Takes in what must be new.
    async fn take(&self, envelope: &str) -> Value {
        let reply = self.post(envelope).await;
        assert_eq!(reply.status, 201, "{}", reply.text());
        reply.json()
    }

    /// Takes in all that was built, in its order.
    async fn take_all(&self, built: &Builder) {
        for sealed in &built.document.envelopes {
            self.take(&sealed.envelope).await;
        }
    }

    async fn report(&self, id: Digest) -> Value {
        self.service.ok(&format!("/v1/disputes/{id}/attribution")).await
    }

    async fn hop(&self, grant: Digest) -> Value {
        self.service.ok(&format!("/v1/delegations/{grant}")).await["hop"].clone()
    }

    fn records(&self) -> Records {
        Records {
            database: self.database.clone(),
            clock: Arc::new(self.clock.clone()),
            host: WebHost::local(8004),
            keys: self.keys.clone(),
            foreign: None,
            contracts: None,
            origins: Arc::default(),
            eas: Arc::default(),
        }
    }

    async fn publish(&self) -> Published {
        DisputeKeeper::new(self.records()).turn().await.unwrap()
    }

    /// Looks up again whom names mean, until nothing is due.
    async fn rekey(&self) {
        let host = WebHost::local(8004);
        let rekeyer = Rekeyer::new(self.database.clone(), host, Arc::new(self.clock.clone()));
        while rekeyer.turn().await.unwrap() != hallmark::app::Rekeyed::default() {}
    }
}

/// The last part of a problem's type, and the status.
fn problem(reply: &Reply) -> (u16, String) {
    let kind = reply.problem()["type"].as_str().unwrap().replace("/problems/", "");
    (reply.status, kind)
}

/// A chain of agents, each hired by the one before, watched three times, and judged at its end. The grants, and the verdict.
///
/// Unlike `Builder::chain`, nobody here needs the document of another host: the judge states capabilities.
fn chain(built: &mut Builder, hops: u8) -> (Vec<Digest>, Digest) {
    let mut grants: Vec<Digest> = Vec::new();
    let mut runs = Vec::new();
    for hop in 1..=hops {
        let at = START + 100 * u64::from(hop);
        let under = grants.last().map_or(Under::Buyer(buyer()), |above| Under::Grant(*above));
        let hired = grant(agent(hop), agent(hop + 1), under, at);
        let (granted, last) = hire(built, hired, 500_000, 600_000);
        runs.push((granted, agent(hop + 1), last, START + 20_000 - 100 * u64::from(hop)));
        grants.push(granted);
    }
    for (grant, child, last, ended) in runs {
        built.sign(outcome(grant, child, last, ended));
    }
    let judged = built.sign(verdict(*grants.last().unwrap(), START + 30_000));
    (grants, judged)
}

/// A delegation that both sign, with snapshots of both and three interactions: the grant, and the last interaction.
fn hire(
    built: &mut Builder,
    mut hired: Grant,
    parent_ppm: u32,
    child_ppm: u32,
) -> (Digest, Digest) {
    let at = hired.issued_at.get();
    let (parent, child) = (hired.issuer.clone(), hired.child.agent().unwrap().clone());
    let mut stated = |of: &hallmark::vocab::Subject, ppm| {
        let stated = capability(Child::Agent(of.clone()), ppm, at - 50);
        Some(built.sign(hallmark::delegation::Capability { issuer: judge(), ..stated }))
    };
    hired.snapshots.parent = stated(&parent, parent_ppm);
    hired.snapshots.child = stated(&child, child_ppm);
    hired.expires_at = time(START + 50_000 - (at - START));
    let (granted, accepted) = built.hire(hired);
    let mut last = accepted;
    for (number, issuer) in [(1, &parent), (2, &child), (3, &parent)] {
        let event = format!("event {number} of {granted}");
        let mut watched = interaction(granted, issuer.clone(), last, &event, at + 20 + 10 * number);
        watched.kind = InteractionKind::Monitoring;
        last = built.sign(watched);
    }
    (granted, last)
}
