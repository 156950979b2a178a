//! A WebSocket connection to a node, with the announcement of new heads.
//!
//! alloy's own connector takes no certificates, so the connection is made here and handed to it.
//!
//! The connection is made when first needed and again after it was lost; a request that fell into the gap is the caller's to repeat.
//! Announcements only say that it is time to look: nothing in them is used, so a lost one costs a poll interval and no data.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use alloy::primitives::B256;
use alloy::pubsub::{ConnectionHandle, PubSubConnect, RawSubscription};
use alloy::rpc::client::RpcClient;
use alloy::transports::ws::{WebSocketConfig, WsBackend, WsConnect};
use alloy::transports::{TransportError, TransportErrorKind, TransportResult};
use rustls::ClientConfig;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{Connector, connect_async_tls_with_config};

use super::endpoint::Endpoint;
use super::transport::{Limits, TransportFault};
use super::trust::{Trust, distrust};

/// A connection that says nothing for so long is asked whether it is still there.
const KEEPALIVE: Duration = Duration::from_secs(10);

/// A connection that is made when needed.
#[derive(Debug)]
pub(crate) struct WsClient {
    endpoint: Endpoint,
    limits: Limits,
    /// Absent where nothing is encrypted.
    tls: Option<Arc<ClientConfig>>,
    live: tokio::sync::Mutex<Option<Live>>,
    heads: Mutex<Option<RawSubscription>>,
}

/// A connection, and which one in a row it is.
#[derive(Clone, Debug)]
pub(crate) struct Live {
    pub(crate) client: RpcClient,
    generation: u64,
}

impl WsClient {
    pub(crate) fn new(
        endpoint: Endpoint,
        limits: Limits,
        trust: &Trust,
    ) -> Result<Self, TransportFault> {
        let tls = endpoint.is_encrypted().then(|| trust.config()).transpose();
        let tls = tls.map_err(|error| TransportFault::Unusable(error.to_string()))?;
        let (live, heads) = (tokio::sync::Mutex::new(None), Mutex::new(None));
        Ok(Self { endpoint, limits, tls, live, heads })
    }

    /// The connection; made now if there is none.
    pub(crate) async fn live(&self) -> Result<Live, TransportError> {
        let mut live = self.live.lock().await;
        if let Some(live) = live.as_ref()
            && live.client.pubsub_frontend().is_some()
        {
            return Ok(live.clone());
        }
        let client = tokio::time::timeout(self.limits.connect_timeout, self.connect())
            .await
            .map_err(|_| TransportErrorKind::custom(TransportFault::TimedOut))??;
        let generation = live.as_ref().map_or(0, |old| old.generation).wrapping_add(1);
        let made = Live { client, generation };
        *live = Some(made.clone());
        Ok(made)
    }

    /// Lets go of a connection that was lost, unless another one took its place already.
    pub(crate) async fn forget(&self, lost: &Live) {
        let mut live = self.live.lock().await;
        if live.as_ref().is_some_and(|live| live.generation == lost.generation) {
            *live = None;
        }
    }

    /// Returns on an announcement, or after `at_most`.
    pub(crate) async fn wait_for_head(&self, at_most: Duration) {
        let Some(mut heads) = self.heads().take() else {
            tokio::time::sleep(at_most).await;
            return;
        };
        let heard = tokio::time::timeout(at_most, heads.recv()).await;
        // Several announcements mean one look.
        while heads.try_recv().is_ok() {}
        let closed = matches!(heard, Ok(Err(tokio::sync::broadcast::error::RecvError::Closed)));
        if closed {
            tokio::time::sleep(at_most).await;
            return;
        }
        self.heads().get_or_insert(heads);
    }

    async fn connect(&self) -> Result<RpcClient, TransportError> {
        let config = WebSocketConfig::default()
            .max_message_size(Some(self.limits.body_max))
            .max_frame_size(Some(self.limits.body_max));
        let to = WsConnect::new(self.endpoint.url().as_str()).with_config(config);
        let client = RpcClient::connect_pubsub(Dial { to, tls: self.tls.clone() }).await?;
        match subscribe(&client).await {
            Ok(heads) => *self.heads() = Some(heads),
            Err(error) => tracing::warn!(
                endpoint = %self.endpoint,
                reason = self.endpoint.clean(&error.to_string()),
                "the node announces no new heads; it is polled"
            ),
        }
        Ok(client)
    }

    fn heads(&self) -> MutexGuard<'_, Option<RawSubscription>> {
        self.heads.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Makes a connection for alloy.
#[derive(Clone)]
struct Dial {
    to: WsConnect,
    tls: Option<Arc<ClientConfig>>,
}

impl PubSubConnect for Dial {
    fn is_local(&self) -> bool {
        self.to.is_local()
    }

    async fn connect(&self) -> TransportResult<ConnectionHandle> {
        let request = self.to.clone().into_client_request().map_err(TransportErrorKind::custom)?;
        let connector = self.tls.clone().map_or(Connector::Plain, Connector::Rustls);
        let config = self.to.config().copied();
        let dialled = connect_async_tls_with_config(request, config, false, Some(connector)).await;
        let (socket, _) = dialled.map_err(|error| match distrust(&error) {
            Some(why) => TransportFault::Untrusted(why).into_error(),
            None => TransportFault::Unreachable(error.to_string()).into_error(),
        })?;
        let (handle, interface) = ConnectionHandle::new();
        WsBackend::from_socket(socket, interface, KEEPALIVE).spawn();
        // One attempt to reconnect by itself; after that requests fail and a new connection is made above, with our own pauses.
        Ok(handle.with_max_retries(1))
    }
}

async fn subscribe(client: &RpcClient) -> Result<RawSubscription, TransportError> {
    let id: B256 = client.request("eth_subscribe", ("newHeads",)).await?;
    let frontend = client.pubsub_frontend().ok_or_else(TransportErrorKind::pubsub_unavailable)?;
    frontend.get_subscription(id).await
}
