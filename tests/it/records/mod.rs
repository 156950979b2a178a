//! Records: taken in over HTTP, kept as they were signed, and re-keyed to the agents they are about.
//!
//! The chain is a written one: a hundred blocks, two seconds apart, in which some agents have wallets. `taking` is who may say what and
//! what is refused, `bodies` in what it comes, `rekeying` whom names mean and when that changes, `imported` what other services' packages come to, `shown` what is shown of records, `commands` what the command line does, `streams` what listeners hear, `cards` what is made of it, `voices` who counts in that; `chain` takes a real chain's word.

mod bodies;
mod cards;
mod chain;
mod commands;
mod imported;
mod killed;
mod kin;
mod rekeying;
mod shown;
mod signers;
pub(crate) mod streams;
mod taking;
mod voices;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use alloy::primitives::{Address, hex};
use alloy::signers::SignerSync;
use alloy::signers::local::PrivateKeySigner;
use axum::body::Body;
use axum::http::{Method, Request};
use hallmark::api::ApiState;
use hallmark::app::{Clock, Origin, Origins, Rekeyed, Rekeyer, TokenHash};
use hallmark::attest::Attestation;
use hallmark::attest::limits::Limits;
use hallmark::attest::statement::{Scheme, Statement};
use hallmark::identity::{SpanRecord, TimelineRef};
use hallmark::storage::{Database, Tags};
use hallmark::vocab::{AccountId, AgentRef, RegistryRef, UnixSeconds};
use serde_json::{Value, json};

use crate::storage::samples;
use crate::support::service::{Reply, Service, state};

/// The token of the origin `games`.
const TOKEN: &str = "the games' own secret";
/// The last block of the written chain.
const HEAD: u64 = 100;

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
}

fn key(name: &str) -> PrivateKeySigner {
    crate::support::anvil::account(name)
}

fn account(name: &str) -> AccountId {
    AccountId { chain: samples::CHAIN, address: key(name).address() }
}

/// An agent's canonical text.
fn agent(id: u64) -> String {
    let registry = RegistryRef { chain: samples::CHAIN, address: samples::IDENTITY };
    AgentRef { registry, id: id.into() }.to_string()
}

/// An agent's owner and wallet from one block on, until another where it is given.
fn holding(id: u64, wallet: Address, from: u64, to: Option<u64>) -> SpanRecord {
    let timeline = TimelineRef::Wallet(id.into());
    samples::span(timeline, Some(wallet), samples::at(from, 0), to.map(|to| samples::at(to, 0)))
}

fn owned(id: u64, owner: &str, from: u64) -> SpanRecord {
    let owner = key(owner).address();
    samples::span(TimelineRef::Owner(id.into()), Some(owner), samples::at(from, 0), None)
}

fn state_of(database: &Database, clock: &Hand) -> ApiState {
    let mut state = state(database, clock.now());
    state.clock = Arc::new(clock.clone());
    state.origins = Arc::new(Origins::new([Origin {
        name: "games".parse().unwrap(),
        token: Some(TokenHash::of(TOKEN)),
        signers: vec![account("games").to_string()],
        plugins: vec!["projector".to_owned()],
        chain: Some(samples::CHAIN),
        limits: Limits::default(),
    }]));
    state.eas = [imported::contract()].into();
    state
}

impl Desk {
    /// Agent 7 has the wallet `seven` until block 50 and `seven-new` from then on; agent 8 has `eight`; agents 20 and 21 share `shared`.
    async fn open(database: &Database) -> Self {
        let spans = vec![
            owned(7, "owner", 10),
            holding(7, key("seven").address(), 10, Some(50)),
            holding(7, key("seven-new").address(), 50, None),
            owned(8, "other", 10),
            holding(8, key("eight").address(), 10, None),
            owned(20, "other", 10),
            holding(20, key("shared").address(), 10, None),
            owned(21, "other", 10),
            holding(21, key("shared").address(), 10, None),
        ];
        let mut tx = samples::bound(database).await;
        samples::hold(&mut tx, 5..=HEAD).await;
        samples::begin(&mut tx, &spans).await;
        tx.commit().await.unwrap();
        let desk = Self::of(database);
        desk.reach(HEAD, 60).await;
        desk
    }

    fn of(database: &Database) -> Self {
        let clock = Hand(Arc::new(AtomicU64::new(samples::time(HEAD).get())));
        Self {
            service: Service::new(state_of(database, &clock)),
            database: database.clone(),
            clock,
        }
    }

    /// What a service of its own answers from.
    fn state(&self) -> ApiState {
        state_of(&self.database, &self.clock)
    }
    /// The chain is followed up to a block, and final up to another.
    async fn reach(&self, head: u64, finalized: u64) {
        let mut tx = self.database.begin_write().await.unwrap();
        let stamp = |number| Some(samples::stamp(number));
        let tags = Tags {
            indexed: stamp(head),
            head: stamp(head),
            safe: stamp(finalized + 20),
            finalized: stamp(finalized),
        };
        tx.set_tags(&tags).await.unwrap();
        tx.commit().await.unwrap();
    }

    /// Blocks behind the last one, which the chain is then followed to.
    async fn extend(&self, to: u64) {
        let mut tx = self.database.begin_write().await.unwrap();
        samples::hold(&mut tx, HEAD + 1..=to).await;
        tx.commit().await.unwrap();
        self.reach(to, 60).await;
        self.clock.0.store(samples::time(to).get(), Ordering::SeqCst);
    }

    fn rekeyer(&self) -> Rekeyer {
        let host = hallmark::did::web::WebHost::local(8004);
        Rekeyer::new(self.database.clone(), host, Arc::new(self.clock.clone()))
    }

    /// Looks up again whom names mean, until nothing is due; what that came to.
    async fn rekey(&self) -> Rekeyed {
        let mut all = Rekeyed::default();
        loop {
            let turn = self.rekeyer().turn().await.unwrap();
            if turn == Rekeyed::default() {
                return all;
            }
            all.looked_up += turn.looked_up;
            all.replaced += turn.replaced;
            all.settled += turn.settled;
        }
    }

    async fn post_as(&self, kind: &str, token: Option<&str>, body: impl Into<Body>) -> Reply {
        let mut request = Request::builder().method(Method::POST).uri("/v1/attestations");
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let request = request.header("content-type", kind).body(body.into());
        self.service.send(request.unwrap()).await
    }

    async fn post(&self, body: &Value) -> Reply {
        self.post_as("application/json", None, body.to_string()).await
    }

    /// Takes in what must be new.
    async fn take(&self, body: &Value) -> Value {
        let reply = self.post(body).await;
        assert_eq!(reply.status, 201, "{}", reply.text());
        reply.json()
    }

    /// A record of the origin `games`, with its token.
    async fn origin(&self, body: &Value) -> Reply {
        self.post_as("application/json", Some(TOKEN), body.to_string()).await
    }

    async fn get(&self, digest: &str) -> Value {
        self.service.ok(&format!("/v1/attestations/{digest}")).await
    }

    /// The places of the log that a list shows.
    async fn seqs(&self, query: &str) -> Vec<u64> {
        let list = self.service.ok(&format!("/v1/attestations?{query}")).await;
        let items = list["items"].as_array().unwrap();
        items.iter().map(|item| item["seq"].as_u64().unwrap()).collect()
    }
}

/// A record by an issuer about a subject, said in the second of a block.
fn record(issuer: &str, subject: &str, block: u64) -> Value {
    json!({
        "attestation": {
            "schemaVersion": "attestation/v1",
            "id": format!("{issuer}-{block}"),
            "issuer": issuer,
            "issuerKind": "agent",
            "subject": subject,
            "claim": { "type": "peer.assessment", "data": { "tag": "reliable" } },
            "round": block,
            "issuedAt": samples::time(block).to_string(),
        },
        "context": {},
    })
}

/// The same with a member of the attestation set.
fn with(mut record: Value, name: &str, value: impl Into<Value>) -> Value {
    record["attestation"][name] = value.into();
    record
}

/// The same said in a game of the origin `games`.
fn in_game(mut record: Value, game: &str) -> Value {
    record["context"] = json!({ "origin": "games", "game": game });
    record
}

/// A record signed by a wallet, as its statement.
fn signed(record: &Value, wallet: &str, scheme: Scheme) -> Value {
    let attestation = Attestation::from_value(record.clone()).unwrap();
    let mut statement = Statement {
        scheme,
        account: account(wallet),
        signature: vec![].into(),
        said_at: attestation.said_at().unwrap(),
        attestation,
    };
    let signature = key(wallet).sign_hash_sync(&statement.digest()).unwrap();
    statement.signature = signature.as_bytes().to_vec().into();
    let value = statement.to_value();
    assert_eq!(value["signature"], hex::encode_prefixed(signature.as_bytes()));
    value
}

/// What a record's name was found to mean.
fn meant(answer: &Value, role: &str) -> (String, Option<String>) {
    let party = &answer["rekeying"][role];
    let agent = party["agent"].as_str().map(str::to_owned);
    (party["outcome"].as_str().unwrap().to_owned(), agent)
}

fn is_agent(id: u64) -> (String, Option<String>) {
    ("agent".to_owned(), Some(agent(id)))
}

fn is(outcome: &str) -> (String, Option<String>) {
    (outcome.to_owned(), None)
}

/// The last part of a problem's type, and the status.
fn problem(reply: &Reply) -> (u16, String) {
    let kind = reply.problem()["type"].as_str().unwrap().replace("/problems/", "");
    (reply.status, kind)
}
