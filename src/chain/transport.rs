//! JSON-RPC over HTTP, bounded in size and time.
//!
//! A service for the JSON-RPC client: one packet of requests in, one of responses out. Bodies are read piece by piece up to a limit,
//! redirects are not followed (they would carry keys to another host), proxies of the environment are not used. Errors keep status
//! and `Retry-After`, and hold no URL.
//!
//! An error that a node gives for a whole batch has no id that fits a request; it is returned as an error here, since the client
//! would take it for missing responses.

use std::task::{Context, Poll};
use std::time::Duration;

use alloy::rpc::json_rpc::{Id, RequestPacket, ResponsePacket, ResponsePayload, RpcError};
use alloy::transports::{TransportError, TransportErrorKind, TransportFut};
use reqwest::header::{CONTENT_TYPE, RETRY_AFTER};
use reqwest::redirect::Policy;
use reqwest::{Client, Response};

use super::endpoint::Endpoint;
use super::trust::{Trust, distrust};

/// So much of the body of a refusal is kept.
const REFUSAL_MAX: usize = 4_096;

/// Limits of one exchange.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) connect_timeout: Duration,
    pub(crate) timeout: Duration,
    pub(crate) body_max: usize,
}

/// What failed below JSON-RPC and HTTP.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TransportFault {
    /// Nothing, or not everything, in time.
    #[error("no answer in time")]
    TimedOut,
    /// No connection, or it broke.
    #[error("{0}")]
    Unreachable(String),
    /// The body is larger than the limit.
    #[error("the answer is larger than {0} bytes")]
    Oversize(usize),
    /// The body is no JSON-RPC response.
    #[error("the answer is not a json-rpc response: {0}")]
    Undecodable(String),
    /// The node shows a certificate that nobody here vouches for.
    #[error(
        "its certificate is not trusted ({0}); where an authority of your own signed it, name that in `tls_certificates`"
    )]
    Untrusted(String),
    /// This machine cannot make a client.
    #[error("no http client: {0}")]
    Unusable(String),
}

impl TransportFault {
    pub(crate) fn into_error(self) -> TransportError {
        TransportErrorKind::custom(self)
    }
}

/// An HTTP connection pool to one node.
#[derive(Clone, Debug)]
pub(crate) struct HttpTransport {
    client: Client,
    endpoint: Endpoint,
    limits: Limits,
}

impl HttpTransport {
    pub(crate) fn new(
        endpoint: Endpoint,
        limits: Limits,
        trust: &Trust,
    ) -> Result<Self, TransportFault> {
        install_crypto_provider();
        let unusable = |error: reqwest::Error| TransportFault::Unusable(text_of(&error));
        let mut builder = Client::builder()
            .connect_timeout(limits.connect_timeout)
            .timeout(limits.timeout)
            .redirect(Policy::none())
            .no_proxy()
            .user_agent(concat!("hallmark/", env!("CARGO_PKG_VERSION")));
        builder = if endpoint.is_encrypted() {
            builder.tls_certs_merge(trust.certificates().map_err(unusable)?)
        } else {
            // Without certificates on the machine a client that may need them cannot be made; this one does not.
            builder.tls_certs_only([])
        };
        let client = builder.build().map_err(unusable)?;
        Ok(Self { client, endpoint, limits })
    }

    async fn exchange(self, packet: RequestPacket) -> Result<ResponsePacket, TransportError> {
        let is_batch = matches!(packet, RequestPacket::Batch(_));
        let asked = packet.len();
        let body = packet.serialize().map_err(TransportError::ser_err)?;
        let response = self
            .client
            .post(self.endpoint.url().clone())
            .header(CONTENT_TYPE, "application/json")
            .body(body.get().to_owned())
            .send()
            .await
            .map_err(|error| fault_of(&error).into_error())?;
        let status = response.status();
        if !status.is_success() {
            let retry_after = retry_after(&response);
            let body = self.read(response, REFUSAL_MAX).await.unwrap_or_else(|part| part.0);
            let text = String::from_utf8_lossy(&body).into_owned();
            return Err(TransportErrorKind::http_error_with_retry_after(
                status.as_u16(),
                text,
                retry_after,
            ));
        }
        let body = self
            .read(response, self.limits.body_max)
            .await
            .map_err(|(_, fault)| fault.into_error())?;
        // The text that failed is left out on purpose: it may be megabytes, and its content must not decide anything.
        let packet: ResponsePacket = serde_json::from_slice(&body)
            .map_err(|error| TransportFault::Undecodable(error.to_string()).into_error())?;
        whole_batch_refused(packet, is_batch, asked)
    }

    /// Reads a body up to a limit; what was read comes with the error.
    async fn read(
        &self,
        mut response: Response,
        max: usize,
    ) -> Result<Vec<u8>, (Vec<u8>, TransportFault)> {
        let mut body = Vec::new();
        loop {
            match response.chunk().await {
                Ok(Some(chunk)) if body.len().saturating_add(chunk.len()) > max => {
                    let room = max.saturating_sub(body.len());
                    body.extend(chunk.iter().take(room));
                    return Err((body, TransportFault::Oversize(max)));
                }
                Ok(Some(chunk)) => body.extend_from_slice(&chunk),
                Ok(None) => return Ok(body),
                Err(error) => return Err((body, fault_of(&error))),
            }
        }
    }
}

impl tower::Service<RequestPacket> for HttpTransport {
    type Response = ResponsePacket;
    type Error = TransportError;
    type Future = TransportFut<'static>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, packet: RequestPacket) -> Self::Future {
        Box::pin(self.clone().exchange(packet))
    }
}

/// Makes ring the process's provider of cryptography, unless one is set already.
pub fn install_crypto_provider() {
    // An error means that another one was first, which serves as well.
    let _ = rustls::crypto::ring::default_provider().install_default();
}

/// Turns an error that answers a batch as a whole into an error.
fn whole_batch_refused(
    packet: ResponsePacket,
    is_batch: bool,
    asked: usize,
) -> Result<ResponsePacket, TransportError> {
    if !is_batch {
        return Ok(packet);
    }
    let refused = match &packet {
        ResponsePacket::Single(response) => Some(response),
        ResponsePacket::Batch(responses) if responses.len() < asked => {
            responses.iter().find(|response| response.id == Id::None)
        }
        ResponsePacket::Batch(_) => None,
    };
    match refused.map(|response| &response.payload) {
        Some(ResponsePayload::Failure(error)) => Err(RpcError::ErrorResp(error.clone())),
        Some(ResponsePayload::Success(_)) | None => Ok(packet),
    }
}

/// Seconds only: a date would need a clock.
fn retry_after(response: &Response) -> Option<Duration> {
    let text = response.headers().get(RETRY_AFTER)?.to_str().ok()?;
    text.trim().parse().ok().map(Duration::from_secs)
}

fn fault_of(error: &reqwest::Error) -> TransportFault {
    if error.is_timeout() {
        TransportFault::TimedOut
    } else if let Some(why) = distrust(error) {
        TransportFault::Untrusted(why)
    } else {
        TransportFault::Unreachable(text_of(error))
    }
}

/// The innermost cause: the outer texts hold the URL.
fn text_of(error: &reqwest::Error) -> String {
    let mut innermost: Option<&dyn std::error::Error> = None;
    let mut next = std::error::Error::source(error);
    while let Some(cause) = next {
        innermost = Some(cause);
        next = cause.source();
    }
    innermost.map_or_else(|| "the request failed".to_owned(), ToString::to_string)
}
