//! The demo's node on a port: JSON-RPC 2.0 over HTTP, single requests and batches.
//!
//! A thin shell: it bounds the body and the batch, reads the envelope, and asks [`answer`](super::answer()). A batch is answered
//! from one moment of the play. It also moves the play on, at a pace; who listens on which address is the caller's affair.

use std::num::NonZeroU32;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::time::{MissedTickBehavior, interval_at};

use super::answer::{RpcError, answer};
use super::play::{Play, Played};
use super::recording::Recording;

/// The largest request body.
pub const BODY_BYTES_MAX: usize = 256 * 1024;
/// The most requests in one batch.
pub const BATCH_REQUESTS_MAX: usize = 100;

/// A playing recording that answers JSON-RPC; clones share the play.
#[derive(Clone, Debug)]
pub struct DemoNode {
    play: Arc<RwLock<Play>>,
}

impl DemoNode {
    /// A node that shows the recording's opening.
    pub fn new(recording: Arc<Recording>) -> Self {
        Self { play: Arc::new(RwLock::new(Play::opening(recording))) }
    }

    /// Shows one block more, or carries out a reorganisation; `None` when all has been shown.
    pub fn advance(&self) -> Option<Played> {
        self.play.write().unwrap_or_else(PoisonError::into_inner).advance()
    }

    /// Looks at the play as it stands.
    pub fn look<T>(&self, look: impl FnOnce(&Play) -> T) -> T {
        look(&self.play.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Plays the rest at a pace and tells of each step after it is shown; returns when all has been shown.
    pub async fn perform(&self, blocks_per_second: NonZeroU32, mut tell: impl FnMut(&Played)) {
        let period = Duration::from_secs(1) / blocks_per_second.get();
        let mut ticks = interval_at(tokio::time::Instant::now() + period, period);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            match self.advance() {
                Some(played) => tell(&played),
                None => return,
            }
        }
    }

    /// Serves on a listener until `shutdown` completes.
    ///
    /// # Errors
    /// When the listener fails.
    pub async fn serve(
        self,
        listener: TcpListener,
        shutdown: impl Future<Output = ()> + Send + 'static,
    ) -> std::io::Result<()> {
        axum::serve(listener, self.router()).with_graceful_shutdown(shutdown).await
    }

    /// The HTTP routes: `POST /` only.
    pub fn router(self) -> Router {
        Router::new()
            .route("/", post(handle))
            .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
            .with_state(self)
    }
}

async fn handle(State(node): State<DemoNode>, body: Bytes) -> Response {
    match node.look(|play| respond(play, &body)) {
        Some(response) => {
            ([(header::CONTENT_TYPE, "application/json")], response.to_string()).into_response()
        }
        None => StatusCode::NO_CONTENT.into_response(),
    }
}

/// The response to a body; `None` where it held notifications only.
fn respond(play: &Play, body: &[u8]) -> Option<Value> {
    let refuse = |code, message: &str| Some(failure(&Value::Null, &RpcError::new(code, message)));
    match serde_json::from_slice(body) {
        Err(_) => refuse(-32700, "the body is not JSON"),
        Ok(Value::Array(batch)) if batch.is_empty() => refuse(-32600, "the batch is empty"),
        Ok(Value::Array(batch)) if batch.len() > BATCH_REQUESTS_MAX => {
            refuse(-32600, &format!("batch too large: at most {BATCH_REQUESTS_MAX} requests"))
        }
        Ok(Value::Array(batch)) => {
            let responses: Vec<_> = batch.iter().filter_map(|one| respond_to(play, one)).collect();
            (!responses.is_empty()).then_some(Value::Array(responses))
        }
        Ok(one) => respond_to(play, &one),
    }
}

/// The response to one request; `None` for a notification, which has no id.
fn respond_to(play: &Play, request: &Value) -> Option<Value> {
    let id = request.get("id");
    let known_id = match id {
        Some(id @ (Value::String(_) | Value::Number(_) | Value::Null)) => id.clone(),
        _ => Value::Null,
    };
    let method = request.get("method").and_then(Value::as_str);
    let params = match request.get("params") {
        None | Some(Value::Null) => Some([].as_slice()),
        Some(Value::Array(params)) => Some(params.as_slice()),
        Some(_) => None,
    };
    let version = request.get("jsonrpc").and_then(Value::as_str);
    let (Some(method), Some(params), Some("2.0")) = (method, params, version) else {
        return Some(failure(&known_id, &RpcError::new(-32600, "not a JSON-RPC 2.0 request")));
    };
    id?;
    Some(match answer(play, method, params) {
        Ok(result) => json!({"jsonrpc": "2.0", "id": known_id, "result": result}),
        Err(error) => failure(&known_id, &error),
    })
}

fn failure(id: &Value, error: &RpcError) -> Value {
    json!({"jsonrpc": "2.0", "id": id, "error": error.to_json()})
}
