//! Another host, which serves DID documents over TLS, and much that is none; it tells what it was asked for.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::{StatusCode, header};
use axum::middleware::map_request;
use axum::response::Redirect;
use axum::routing::get;
use hallmark::app::{Clock, ForeignDocuments};
use hallmark::attest::key::{KeyKind, PrivateKey};
use hallmark::intake::FetchLimits;
use hallmark::vocab::UnixSeconds;
use serde_json::{Value, json};

use super::databases::Fresh;
use super::service::{Service, state};
use super::tale::time;
use super::tls::{Door, Secured};

/// A clock that a test moves.
#[derive(Clone, Debug)]
pub(crate) struct Hand(pub(crate) Arc<AtomicU64>);

impl Clock for Hand {
    fn now(&self) -> UnixSeconds {
        UnixSeconds::new(self.0.load(Ordering::SeqCst)).unwrap()
    }
}

/// Another host.
pub(crate) struct Elsewhere {
    pub(crate) port: u16,
    asked: Arc<Mutex<Vec<String>>>,
    secured: Secured,
}

/// A document of this host, with relative names in it, and services that lead anywhere.
fn with_services(id: &str, port: u16) -> Value {
    let service = |name: &str, kind: &str, endpoint: Value| json!({ "id": format!("{id}#{name}"), "type": kind, "serviceEndpoint": endpoint });
    json!({
        "@context": ["https://www.w3.org/ns/did/v1", "https://w3id.org/security/multikey/v1"],
        "id": id,
        "verificationMethod": [{
            "id": "#key", "type": "Multikey", "controller": id,
            "publicKeyMultibase": "z6MkpTHR8VNsBxYAAWHut2Geadd9jSwuBV8xRoAnwWsdvktH",
        }],
        "authentication": ["#key"],
        "service": [
            service("files", "Files", json!("https://ada.example/files/")),
            { "id": "#chat", "type": ["Chat", "Files"], "serviceEndpoint": ["wss://ada.example/chat", { "uri": "https://ada.example/" }] },
            service("script", "Script", json!("javascript:alert(1)")),
            service("map", "Map", json!({ "uri": "https://ada.example/" })),
            service("here", "Here", json!(format!("https://localhost:{port}/secret"))),
            service("cycle", "Cycle", json!(format!("{id}?service=cycle"))),
        ],
    })
}

/// What the key of `issuer` is made of.
pub(crate) const ISSUER_SEED: [u8; 32] = [9; 32];

/// A document with a key that signs statements, and the same under a name that does not.
fn with_keys(id: &str) -> Value {
    let key = PrivateKey::from_bytes(KeyKind::Ed25519, &ISSUER_SEED).unwrap();
    let method = |name: &str| {
        json!({
            "id": format!("{id}#{name}"), "type": "Multikey", "controller": id, "publicKeyMultibase": key.public().multibase(),
        })
    };
    json!({
        "@context": ["https://www.w3.org/ns/did/v1", "https://w3id.org/security/multikey/v1"],
        "id": id,
        "verificationMethod": [method("one"), method("login")],
        "authentication": [format!("{id}#login")],
        "assertionMethod": [format!("{id}#one")],
    })
}

/// The routes of the host: by their names, documents and what is none.
fn routes(port: u16) -> Router {
    let id = |path: &str| format!("did:web:localhost%3A{port}:{path}");
    let document = |path: &str| json!({ "@context": "https://www.w3.org/ns/did/v1", "id": id(path), "alsoKnownAs": ["x:y"] });
    let endless = async || {
        let parts =
            futures_util::stream::repeat_with(|| Ok::<_, std::io::Error>(vec![b' '; 65_536]));
        Body::from_stream(parts)
    };
    // A byte now and then keeps a connection busy for ever.
    let trickle = async || {
        let parts = futures_util::stream::unfold((), |()| async {
            tokio::time::sleep(Duration::from_millis(50)).await;
            Some((Ok::<_, std::io::Error>(vec![b' ']), ()))
        });
        Body::from_stream(parts)
    };
    let claims_much = async || ([(header::CONTENT_LENGTH, "2147483648")], "{}");
    let (good, other, services) =
        (document("good"), document("another"), with_services(&id("services"), port));
    let issuer = with_keys(&id("issuer"));
    let relative = json!({ "id": "", "alsoKnownAs": ["x:y"] });
    Router::new()
        .route("/good/did.json", get(async move || axum::Json(good)))
        .route("/issuer/did.json", get(async move || axum::Json(issuer)))
        .route("/services/did.json", get(async move || axum::Json(services)))
        .route("/other/did.json", get(async move || axum::Json(other)))
        .route("/nameless/did.json", get(async move || axum::Json(relative)))
        .route("/text/did.json", get(async || "no document"))
        .route("/list/did.json", get(async || axum::Json(json!(["no document"]))))
        .route("/deep/did.json", get(async || "[".repeat(100_000)))
        .route("/moved/did.json", get(async || Redirect::temporary("/good/did.json")))
        .route("/loop/did.json", get(async || Redirect::permanent("/loop/did.json")))
        .route("/broken/did.json", get(async || StatusCode::INTERNAL_SERVER_ERROR))
        .route("/gone/did.json", get(async || StatusCode::GONE))
        .route("/part/did.json", get(async || (StatusCode::PARTIAL_CONTENT, "{}")))
        .route("/endless/did.json", get(endless))
        .route("/trickle/did.json", get(trickle))
        .route("/claims-much/did.json", get(claims_much))
        .route("/slow/did.json", get(async || std::future::pending::<StatusCode>().await))
}

impl Elsewhere {
    pub(crate) async fn new() -> Self {
        let door = Door::open().await;
        let (port, asked) = (door.port, Arc::new(Mutex::new(Vec::new())));
        let told = Arc::clone(&asked);
        let router = routes(port).layer(map_request(move |request: Request| {
            told.lock().unwrap().push(request.uri().to_string());
            async { request }
        }));
        Self { port, asked, secured: door.serve(router).await }
    }

    /// Everything that was asked for, in order.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }

    /// How many connections were made.
    pub(crate) fn connections(&self) -> usize {
        self.secured.connections()
    }

    /// The certificate by which it is known, in PEM.
    pub(crate) fn authority(&self) -> Vec<u8> {
        std::fs::read(self.secured.authority()).unwrap()
    }

    /// One of its DIDs.
    pub(crate) fn did(&self, name: &str) -> String {
        format!("did:web:localhost%3A{}:{name}", self.port)
    }

    /// Where that is resolved.
    pub(crate) fn path(&self, name: &str) -> String {
        format!("/1.0/identifiers/{}", self.did(name))
    }

    /// Finds documents here, where private hosts are allowed by their names.
    pub(crate) fn finder(
        &self,
        clock: Arc<dyn Clock>,
        allowed: &[&str],
        limits: FetchLimits,
    ) -> Arc<ForeignDocuments> {
        let allowed = allowed.iter().map(|name| (*name).to_owned());
        let finder = ForeignDocuments::with_limits(clock, allowed, &[self.authority()], limits);
        Arc::new(finder.unwrap())
    }

    /// A service that fetches from here only if private hosts are allowed.
    pub(crate) async fn resolver(&self, fresh: &Fresh, allowed: &[&str]) -> (Service, Hand) {
        let clock = Hand(Arc::new(AtomicU64::new(time(20).get())));
        let mut settings = state(&fresh.database().await, time(20));
        let limits = FetchLimits { timeout: Duration::from_secs(2), ..ForeignDocuments::LIMITS };
        settings.foreign = Some(self.finder(Arc::new(clock.clone()), allowed, limits));
        (Service::new(settings), clock)
    }
}
