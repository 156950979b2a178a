//! A host that serves what a test puts there, and some things that no host should.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use hallmark::app::Clock;
use hallmark::vocab::UnixSeconds;
use serde_json::Value;

use crate::support::tls::{Door, Secured};

/// A clock that a test moves.
#[derive(Clone, Debug)]
pub(crate) struct Hand(Arc<AtomicU64>);

impl Hand {
    pub(crate) fn at(time: UnixSeconds) -> Self {
        Self(Arc::new(AtomicU64::new(time.get())))
    }

    pub(crate) fn move_to(&self, time: UnixSeconds) {
        self.0.store(time.get(), Ordering::SeqCst);
    }

    pub(crate) fn later(&self, seconds: u64) {
        self.0.fetch_add(seconds, Ordering::SeqCst);
    }
}

impl Clock for Hand {
    fn now(&self) -> UnixSeconds {
        UnixSeconds::new(self.0.load(Ordering::SeqCst)).unwrap()
    }
}

type Shelf = Arc<Mutex<BTreeMap<String, Vec<u8>>>>;

/// A host behind TLS.
pub(crate) struct Host {
    pub(crate) port: u16,
    /// How often it was asked, and for what.
    asked: Arc<AtomicUsize>,
    shelf: Shelf,
    secured: Secured,
}

impl Host {
    pub(crate) async fn new() -> Self {
        let door = Door::open().await;
        let port = door.port;
        let (shelf, asked) = (Shelf::default(), Arc::new(AtomicUsize::new(0)));
        let endless = async || {
            let chunk = || Ok::<_, std::io::Error>(vec![b' '; 65_536]);
            Body::from_stream(futures_util::stream::repeat_with(chunk))
        };
        let slow = async || {
            let first = futures_util::stream::iter([Ok::<_, std::io::Error>(b"{".to_vec())]);
            Body::from_stream(futures_util::StreamExt::chain(
                first,
                futures_util::stream::pending(),
            ))
        };
        let claims_much = async || ([(header::CONTENT_LENGTH, "2147483648")], "{}");
        let count = Arc::clone(&asked);
        let router = Router::new()
            .route("/moved", get(async || Redirect::temporary("/good.json")))
            .route("/loop", get(async || Redirect::permanent("/loop")))
            .route("/endless", get(endless))
            .route("/slow", get(slow))
            .route("/slow-2", get(slow))
            .route("/slow-3", get(slow))
            .route("/slow-4", get(slow))
            .route("/claims-much", get(claims_much))
            .route("/broken", get(async || StatusCode::INTERNAL_SERVER_ERROR))
            .fallback(served)
            .layer(axum::middleware::map_request(move |request: Request| {
                count.fetch_add(1, Ordering::SeqCst);
                async { request }
            }))
            .with_state(Arc::clone(&shelf));
        Self { port, asked, shelf, secured: door.serve(router).await }
    }

    /// Serves bytes at a path and query.
    pub(crate) fn put(&self, path: &str, body: impl Into<Vec<u8>>) {
        self.shelf.lock().unwrap().insert(path.to_owned(), body.into());
    }

    pub(crate) fn put_json(&self, path: &str, value: &Value) {
        self.put(path, value.to_string());
    }

    pub(crate) fn remove(&self, path: &str) {
        self.shelf.lock().unwrap().remove(path).unwrap();
    }

    /// How often it was asked.
    pub(crate) fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("https://localhost:{}/{path}", self.port)
    }

    pub(crate) fn did(&self, name: &str) -> String {
        format!("did:web:localhost%3A{}:{name}", self.port)
    }

    pub(crate) fn authority(&self) -> Vec<u8> {
        std::fs::read(self.secured.authority()).unwrap()
    }
}

async fn served(State(shelf): State<Shelf>, request: Request) -> Response {
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    let body = shelf.lock().unwrap().get(path).cloned();
    body.map_or_else(|| StatusCode::NOT_FOUND.into_response(), IntoResponse::into_response)
}
