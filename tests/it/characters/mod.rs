//! Human participants: how they come to be, how wallets prove themselves, what their documents say and when.
//!
//! Everything is asked over HTTP, as a platform and a wallet would. `creating` and `linking` hold each rule on both engines, `documents` what
//! is served of it, `contracts` wallets that are contracts on a real chain, and what waits to be signed is bounded and voided in `waiting`, and in `judges` other people's libraries read and sign what
//! is given out here.

mod contracts;
mod creating;
mod documents;
mod judges;
mod linking;
mod links;
mod told;
mod waiting;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use alloy::primitives::hex;
use alloy::signers::SignerSync;
use alloy::signers::local::PrivateKeySigner;
use axum::body::Body;
use axum::http::{Method, Request};
use hallmark::api::ApiState;
use hallmark::app::{Clock, TokenHash};
use hallmark::storage::Database;
use hallmark::vocab::UnixSeconds;
use serde_json::{Value, json};

use crate::support::service::{Reply, Service, state};

pub(super) const OPERATOR: &str = "the operator's own secret";
/// When everything begins.
const NOW: u64 = 1_780_000_000;

/// A clock that a test moves.
#[derive(Clone, Debug)]
struct Hand(Arc<AtomicU64>);

impl Clock for Hand {
    fn now(&self) -> UnixSeconds {
        UnixSeconds::new(self.0.load(Ordering::SeqCst)).unwrap()
    }
}

/// The service, as whoever sits before it sees it.
struct Desk {
    service: Service,
    database: Database,
    clock: Hand,
}

impl Desk {
    fn open(database: &Database) -> Self {
        Self::with(database, |_| {})
    }

    /// A desk whose service is set up in another way.
    fn with(database: &Database, set: impl FnOnce(&mut ApiState)) -> Self {
        let clock = Hand(Arc::new(AtomicU64::new(NOW)));
        let mut state = state(database, clock.now());
        state.clock = Arc::new(clock.clone());
        state.operator = Some(TokenHash::of(OPERATOR));
        set(&mut state);
        Self { service: Service::new(state), database: database.clone(), clock }
    }

    /// What a process of its own answers from.
    fn state(&self) -> ApiState {
        state(&self.database, self.clock.now())
    }

    /// Lets some seconds pass.
    fn wait(&self, seconds: u64) {
        self.clock.0.fetch_add(seconds, Ordering::SeqCst);
    }

    async fn ask(&self, method: Method, path: &str, token: Option<&str>, body: &Value) -> Reply {
        let mut request = Request::builder().method(method).uri(path);
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let request = request.header("content-type", "application/json");
        self.service.send(request.body(Body::from(body.to_string())).unwrap()).await
    }

    async fn post(&self, path: &str, token: Option<&str>, body: Value) -> Reply {
        self.ask(Method::POST, path, token, &body).await
    }

    async fn delete(&self, path: &str, token: Option<&str>) -> Reply {
        self.ask(Method::DELETE, path, token, &Value::Null).await
    }

    /// Creates a character; its token.
    async fn create(&self, handle: &str) -> String {
        let reply = self.post("/v1/characters", Some(OPERATOR), json!({ "handle": handle })).await;
        assert_eq!(reply.status, 201, "{}", reply.text());
        reply.json()["token"].as_str().unwrap().to_owned()
    }

    /// A challenge's message; `token` is wanted only to link.
    async fn challenge(
        &self,
        handle: &str,
        account: &str,
        purpose: &str,
        token: Option<&str>,
    ) -> String {
        let body = json!({ "character": handle, "account": account, "purpose": purpose });
        let reply = self.post("/v1/links/challenge", token, body).await;
        assert_eq!(reply.status, 201, "{}", reply.text());
        reply.json()["message"].as_str().unwrap().to_owned()
    }

    async fn prove(&self, message: &str, signature: &str) -> Reply {
        self.post("/v1/links", None, json!({ "message": message, "signature": signature })).await
    }

    /// Links a key's account to a character.
    async fn link(&self, handle: &str, token: &str, key: &PrivateKeySigner) -> Value {
        let message = self.challenge(handle, &account_of(key), "link", Some(token)).await;
        let reply = self.prove(&message, &sign(key, &message)).await;
        assert_eq!(reply.status, 201, "{}", reply.text());
        reply.json()
    }

    /// The accounts in a character's document, as it is now.
    async fn wallets(&self, handle: &str) -> Vec<String> {
        let reply = self.service.get(&format!("/character/{handle}/did.json")).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        let document = reply.json();
        let methods = document["verificationMethod"].as_array().cloned().unwrap_or_default();
        let account = |method: &Value| method["blockchainAccountId"].as_str().unwrap().to_owned();
        methods.iter().map(account).collect()
    }
}

/// A key's account on the chain that tests know.
fn account_of(key: &PrivateKeySigner) -> String {
    format!("eip155:8453:{}", key.address())
}

/// What a wallet answers to `personal_sign`.
fn sign(key: &PrivateKeySigner, message: &str) -> String {
    hex::encode_prefixed(key.sign_message_sync(message.as_bytes()).unwrap().as_bytes())
}

/// The last part of a problem's type, and the status.
fn problem(reply: &Reply) -> (u16, String) {
    let problem = reply.problem();
    let kind = problem["type"].as_str().unwrap().strip_prefix("/problems/").unwrap().to_owned();
    (reply.status, kind)
}
