//! Accepts connections and hands their requests to the router, until it is told to stop; the read model and the keys are kept meanwhile.
//!
//! A client may not hold what others need: connections are counted, in all and by client, headers must come in time, what is sent must be
//! taken in time, and an idle connection is closed. Over plain text this is HTTP/1.1; whoever wants another protocol or TLS puts a proxy in front. Stopping takes no new connection, lets
//! answers under way be finished, and gives up on the rest after a bound.

use std::collections::HashMap;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::{ConnectInfo, Request};
use axum::{BoxError, Router};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;
use tower::ServiceExt;

use super::guard::Client;
use super::patience::Patient;
use super::router::router;
use super::state::ApiState;
use crate::app::{DisputeKeeper, Poster, RecordQueue};

/// The most connections at a time; more wait to be accepted. Those who listen to streams may take less than half of them.
const CONNECTIONS_MAX: usize = 2_048;
/// The most connections of one client, where clients are limited at all.
const CONNECTIONS_OF_CLIENT_MAX: usize = 128;
/// How long a client may take to send a request's headers, and how long a connection may be idle.
const HEADER_TIMEOUT: Duration = Duration::from_secs(15);
/// How long a client may take nothing of what is sent to it.
const WRITE_TIMEOUT: Duration = Duration::from_mins(1);
/// The most bytes of headers.
const HEADER_BYTES_MAX: usize = 32 * 1024;
/// How long answers under way may take once the service is told to stop.
const STOP_TIMEOUT: Duration = Duration::from_secs(10);
/// How often durations are put into their histograms: until then each takes memory of its own, whether or not metrics are asked for.
const UPKEEP_EVERY: Duration = Duration::from_secs(5);
/// How long to wait where a connection cannot be accepted, such as for want of file handles.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

/// Serves on `listener` until `shutdown` is ready, then lets answers under way be finished, for at most ten seconds.
pub async fn serve(listener: TcpListener, mut state: ApiState, shutdown: impl Future<Output = ()>) {
    let mut shutdown = std::pin::pin!(shutdown);
    let (stop, stopped) = watch::channel(false);
    let places = Places::new(state.limits.rate_limit.is_some());
    // What is kept beside answering ends with this function.
    let mut keeping = JoinSet::new();
    let (model, metrics, keys) = (state.model.clone(), state.metrics.clone(), state.keys.clone());
    keeping.spawn(async move { model.keep().await });
    keeping.spawn(async move { keys.keep().await });
    let (queue, writer) = RecordQueue::new(state.records());
    state.queue = Some(queue);
    keeping.spawn(writer.run());
    let disputes = DisputeKeeper::new(state.records());
    keeping.spawn(async move { disputes.keep().await });
    let rekeyer = state.rekeyer();
    keeping.spawn(async move { rekeyer.run(std::future::pending()).await });
    let poster = Poster::new(state.database.clone());
    keeping.spawn(async move { poster.run().await });
    let projectors = state.cards.projectors.clone();
    keeping.spawn(async move { projectors.warm_up().await });
    if let Some(metrics) = metrics {
        keeping.spawn(async move {
            loop {
                tokio::time::sleep(UPKEEP_EVERY).await;
                metrics.run_upkeep();
            }
        });
    }
    let hub = state.hub.clone();
    let (kept, host) = (hub.clone(), state.documents.host.clone());
    keeping.spawn(async move { kept.keep(&host).await });
    let router = router(state);
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            () = &mut shutdown => break,
            Some(_) = connections.join_next(), if !connections.is_empty() => continue,
            accepted = places.accept(&listener) => accepted,
        };
        let (stream, peer, place) = match accepted {
            Ok(Some(accepted)) => accepted,
            Ok(None) => continue,
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let (router, stopped) = (router.clone(), stopped.clone());
        connections.spawn(async move {
            connection(stream, peer, router, stopped).await;
            drop(place);
        });
    }
    drop(listener);
    stop.send_replace(true);
    hub.close();
    let finish = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(STOP_TIMEOUT, finish).await.is_err() {
        tracing::warn!(count = connections.len(), "gave up on connections that did not end");
    }
}

/// The places that connections take.
struct Places {
    free: Arc<Semaphore>,
    /// How many each client has taken; `None` where clients are not told apart.
    taken: Option<Arc<Taken>>,
}

#[derive(Default)]
struct Taken(Mutex<HashMap<Client, usize>>);

/// A place, free again when this is dropped.
struct Held {
    _permit: OwnedSemaphorePermit,
    of: Option<(Arc<Taken>, Client)>,
}

impl Places {
    fn new(tells_clients_apart: bool) -> Self {
        let taken = tells_clients_apart.then(Arc::default);
        Self { free: Arc::new(Semaphore::new(CONNECTIONS_MAX)), taken }
    }

    /// The next connection; `None` where its client has taken its share, and the connection is closed.
    async fn accept(
        &self,
        listener: &TcpListener,
    ) -> std::io::Result<Option<(TcpStream, SocketAddr, Held)>> {
        let permit = Arc::clone(&self.free).acquire_owned().await.map_err(std::io::Error::other)?;
        let (stream, peer) = listener.accept().await?;
        let Some(taken) = &self.taken else {
            return Ok(Some((stream, peer, Held { _permit: permit, of: None })));
        };
        let client = Client::of(Some(peer.ip()));
        if !taken.take(client) {
            tracing::debug!("a client has too many connections; the newest is closed");
            return Ok(None);
        }
        let held = Held { _permit: permit, of: Some((Arc::clone(taken), client)) };
        Ok(Some((stream, peer, held)))
    }
}

impl Taken {
    fn take(&self, client: Client) -> bool {
        let mut taken = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = taken.entry(client).or_default();
        let is_free = *count < CONNECTIONS_OF_CLIENT_MAX;
        *count += usize::from(is_free);
        is_free
    }

    fn give_back(&self, client: Client) {
        let mut taken = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = taken.get_mut(&client) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                taken.remove(&client);
            }
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if let Some((taken, client)) = &self.of {
            taken.give_back(*client);
        }
    }
}

/// Serves one connection to its end.
async fn connection(
    stream: TcpStream,
    peer: SocketAddr,
    router: Router,
    mut stopped: watch::Receiver<bool>,
) {
    // Answers are small and written whole; waiting to fill a packet only delays them.
    stream.set_nodelay(true).ok();
    let stream = Patient::new(stream, WRITE_TIMEOUT);
    let service = TowerToHyperService::new(router.map_request(with_peer(peer)));
    let mut builder = Builder::new(TokioExecutor::new()).http1_only();
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT)
        .max_buf_size(HEADER_BYTES_MAX);
    let mut connection = std::pin::pin!(builder.serve_connection(TokioIo::new(stream), service));
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        // Sent once, and the sender lives until then.
        _ = stopped.changed() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(error, "a connection broke off");
    }
}

/// Puts the client's address where the rate limit finds it.
fn with_peer<B>(peer: SocketAddr) -> impl Fn(axum::http::Request<B>) -> Request + Clone
where
    B: HttpBody<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    move |request| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(ConnectInfo(peer));
        request
    }
}
