//! What the rules are checked on: a service with the told chain and a burnt agent, another host beside it, and ways to ask.

use std::sync::Arc;
use std::time::Duration;

use alloy::primitives::Address;
use axum::body::Body;
use axum::http::Request;
use hallmark::app::{FixedClock, ForeignDocuments};
use hallmark::intake::FetchLimits;
use serde_json::{Value, json};

use crate::api::told::{self, ALICE};
use crate::support::databases::Fresh;
use crate::support::elsewhere::Elsewhere;
use crate::support::service::{Reply, Service, state};
use crate::support::tale::{first_hash, time};

/// An agent with wallets that came and went, and one that was burnt.
pub(super) const AGENT: &str = "did:web:localhost%3A8004:agents:8453:0";
pub(super) const BURNT: &str = "did:web:localhost%3A8004:agents:8453:1";
pub(super) const SERVICE: &str = "did:web:localhost%3A8004";
pub(super) const MISSING: &str = "did:web:localhost%3A8004:agents:8453:77";
/// One of each kind of key.
pub(super) const KEYS: [&str; 3] = [
    "did:key:z6MkpTHR8VNsBxYAAWHut2Geadd9jSwuBV8xRoAnwWsdvktH",
    "did:key:zDnaerx9CtbPJ1q36T5Ln5wYt3MQYeGRG5ehnPAmxcf5mDZpv",
    "did:key:zQ3shokFTS3brHcDQrn82RUDfCZESWL1ZdCEJwekUDPQiYBme",
];
pub(super) const RESULT: &str = "application/did-resolution";
pub(super) const URL_RESULT: &str = "application/did-url-dereferencing";
pub(super) const DID: &str = "application/did";

/// The service, and the host beside it.
pub(super) struct Ground {
    pub(super) service: Service,
    pub(super) elsewhere: Elsewhere,
}

/// The version that a block made.
pub(super) fn version(block: u64) -> String {
    format!("{block}-{}", first_hash(block))
}

/// The DID of an account in the registry's chain.
pub(super) fn account() -> String {
    format!("did:pkh:eip155:8453:{ALICE}")
}

/// As a client writes it that encodes everything.
pub(super) fn encoded(text: &str) -> String {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(byte);
    let sign = |byte: &u8| {
        if plain(byte) { char::from(*byte).to_string() } else { format!("%{byte:02X}") }
    };
    text.as_bytes().iter().map(sign).collect()
}

impl Ground {
    pub(super) async fn new(fresh: &Fresh) -> Self {
        let database = fresh.database().await;
        let mut tale = told::tell(&database).await;
        told::transfer(&mut tale, 1, ALICE, Address::ZERO);
        tale.block().await;
        let elsewhere = Elsewhere::new().await;
        let mut settings = state(&database, time(20));
        let limits = FetchLimits { timeout: Duration::from_secs(2), ..ForeignDocuments::LIMITS };
        settings.foreign =
            Some(elsewhere.finder(Arc::new(FixedClock(time(20))), &["localhost"], limits));
        Self { service: Service::new(settings), elsewhere }
    }

    /// Asks for something behind `/1.0/identifiers/`.
    pub(super) async fn ask(&self, rest: &str, accept: &str) -> Reply {
        let request = Request::get(format!("/1.0/identifiers/{rest}")).header("accept", accept);
        self.service.send(request.body(Body::empty()).unwrap()).await
    }

    /// The same with options in the body.
    pub(super) async fn post(&self, rest: &str, accept: &str, body: &Value) -> Reply {
        let request = Request::post(format!("/1.0/identifiers/{rest}"))
            .header("accept", accept)
            .header("content-type", "application/json");
        self.service.send(request.body(body.to_string().into()).unwrap()).await
    }

    /// The result of a resolution that must succeed.
    pub(super) async fn resolve(&self, rest: &str) -> Value {
        let reply = self.ask(rest, RESULT).await;
        assert_eq!(reply.status, 200, "{rest}: {}", reply.text());
        reply.json()
    }

    /// The result of a dereferencing that must succeed.
    pub(super) async fn dereference(&self, did_url: &str, options: &str) -> Value {
        let reply = self.ask(&format!("{}{options}", encoded(did_url)), URL_RESULT).await;
        assert_eq!(reply.status, 200, "{did_url}{options}: {}", reply.text());
        reply.json()
    }

    /// A resolution that must be refused: with nothing beside the reason.
    pub(super) async fn refused(&self, rest: &str, status: u16, code: &str) -> Value {
        let reply = self.ask(rest, RESULT).await;
        assert_eq!(reply.status, status, "{rest}: {}", reply.text());
        assert_eq!(reply.header("content-type"), RESULT, "{rest}");
        let result = reply.json();
        assert_eq!(result["didDocument"], Value::Null, "{rest}");
        assert_eq!(result["didDocumentMetadata"], json!({}), "{rest}");
        error(&result["didResolutionMetadata"], code, rest)
    }

    /// The same of a dereferencing.
    pub(super) async fn url_refused(&self, rest: &str, status: u16, code: &str) -> Value {
        let reply = self.ask(rest, URL_RESULT).await;
        assert_eq!(reply.status, status, "{rest}: {}", reply.text());
        assert_eq!(reply.header("content-type"), URL_RESULT, "{rest}");
        let result = reply.json();
        assert_eq!((&result["content"], &result["contentStream"]), (&Value::Null, &Value::Null));
        assert_eq!(result["contentMetadata"], json!({}), "{rest}");
        error(&result["dereferencingMetadata"], code, rest)
    }

    /// Every document that the service makes: of each method, and of an agent in each of its states.
    pub(super) async fn documents(&self) -> Vec<Value> {
        let mut asked: Vec<String> =
            [SERVICE, &account()].into_iter().chain(KEYS).map(str::to_owned).collect();
        for block in [8, 9, 10, 12, 15] {
            asked.push(format!("{}?at=block:{block}", encoded(AGENT)));
        }
        asked.push(format!("{}?at=block:16", encoded(BURNT)));
        let mut documents = Vec::new();
        for rest in asked {
            documents.push(self.resolve(&rest).await["didDocument"].clone());
        }
        documents
    }
}

/// The error in a result's metadata, which must be of a code.
fn error(metadata: &Value, code: &str, place: &str) -> Value {
    let error = metadata["error"].clone();
    let named = error["type"].as_str().unwrap_or_default();
    assert_eq!(named.rsplit('#').next(), Some(code), "{place}: {error}");
    error
}
