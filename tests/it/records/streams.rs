//! What listeners hear: all of it, in order, once, also when they come back, and nothing before it is known.

use std::time::Duration;

use axum::Router;
use axum::body::{Body, BodyDataStream};
use axum::http::Request;
use futures_util::StreamExt as _;
use hallmark::api::ApiState;
use hallmark::attest::statement::Scheme;
use serde_json::Value;

use super::{Desk, HEAD, agent, in_game, problem, record, signed, with};
use crate::support::databases::on_both_engines;

/// Long enough for anything that is told at all.
const LIMIT: Duration = Duration::from_secs(20);

/// The service as it is served, with what is kept beside it.
pub(crate) struct Live {
    pub(crate) url: String,
    stop: Option<tokio::sync::oneshot::Sender<()>>,
    served: tokio::task::JoinSet<()>,
}

impl Live {
    pub(crate) async fn serve(state: ApiState) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (stop, stopped) = tokio::sync::oneshot::channel();
        let mut served = tokio::task::JoinSet::new();
        served.spawn(async move {
            hallmark::api::serve(listener, state, async {
                let _ = stopped.await;
            })
            .await;
        });
        Self { url, stop: Some(stop), served }
    }

    pub(crate) async fn end(mut self) {
        self.stop.take().unwrap().send(()).unwrap();
        // Streams end with the service, and do not hold it up.
        let ended = tokio::time::timeout(Duration::from_secs(5), self.served.join_next());
        ended.await.unwrap().unwrap().unwrap();
    }
}

pub(crate) struct Listener {
    stream: std::pin::Pin<Box<dyn futures_util::Stream<Item = Vec<u8>> + Send>>,
    text: String,
}

impl Listener {
    pub(crate) async fn open(url: &str, path: &str, last: Option<u64>) -> Self {
        hallmark::chain::install_crypto_provider();
        let mut request = reqwest::Client::new().get(format!("{url}/v1/streams/{path}"));
        if let Some(last) = last {
            request = request.header("last-event-id", last);
        }
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        let stream = futures_util::stream::unfold(response, async |mut response| {
            let part = response.chunk().await.ok().flatten()?;
            Some((part.to_vec(), response))
        });
        Self { stream: Box::pin(stream), text: String::new() }
    }

    /// The next event: its id, and its data.
    pub(crate) async fn next(&mut self) -> Option<(u64, Value)> {
        loop {
            if let Some((frame, rest)) = self.text.split_once("\n\n") {
                let (frame, rest) = (frame.to_owned(), rest.to_owned());
                self.text = rest;
                let field = |name: &str| frame.lines().find_map(|line| line.strip_prefix(name));
                if let (Some(id), Some(data)) = (field("id: "), field("data: ")) {
                    return Some((id.parse().unwrap(), serde_json::from_str(data).unwrap()));
                }
                continue;
            }
            let part =
                tokio::time::timeout(LIMIT, self.stream.next()).await.expect("nothing came")?;
            self.text.push_str(std::str::from_utf8(&part).unwrap());
        }
    }

    async fn ids(&mut self, count: usize) -> Vec<u64> {
        let mut ids = Vec::new();
        for _ in 0..count {
            ids.push(self.next().await.expect("the stream ended").0);
        }
        ids
    }
}

fn said(block: u64) -> Value {
    signed(&record(&agent(8), &agent(7), block), "eight", Scheme::Eip712)
}

on_both_engines! {
    async fn a_stream_that_there_is_not_is_no_attestation(db: Database) {
        let desk = Desk::open(&db).await;
        let reply = desk.service.get("/v1/streams/attestation.all").await;
        assert_eq!(problem(&reply), (404, "no-such-stream".to_owned()));
        assert!(reply.problem()["detail"].as_str().unwrap().contains("`attestation.raw`"), "{}", reply.text());
    }

    /// All that is appended, by whatever way one listens and whenever one comes back.
    async fn nothing_is_lost_or_told_twice(db: Database) {
        let desk = Desk::open(&db).await;
        for block in 20..25 {
            desk.take(&said(block)).await;
        }
        let live = Live::serve(desk.state()).await;
        let mut all = Listener::open(&live.url, "attestation.raw?since_seq=0", None).await;
        let mut now = Listener::open(&live.url, "attestation.raw", None).await;
        let mut back = Listener::open(&live.url, "attestation.raw", Some(3)).await;
        assert_eq!((all.ids(5).await, back.ids(2).await), (vec![1, 2, 3, 4, 5], vec![4, 5]));
        let told = {
            for block in 25..28 {
                desk.take(&said(block)).await;
            }
            now.next().await.unwrap()
        };
        let shown = desk.service.ok("/v1/attestations?since_seq=5&limit=1").await;
        assert_eq!(told, (6, shown["items"][0].clone()));
        assert_eq!((all.ids(3).await, now.ids(2).await, back.ids(3).await), (vec![6, 7, 8], vec![7, 8], vec![6, 7, 8]));
        live.end().await;
        assert!(all.next().await.is_none(), "the stream ends with the service");
        // Another process goes on where this one ended.
        desk.take(&said(28)).await;
        let live = Live::serve(desk.state()).await;
        let mut again = Listener::open(&live.url, "attestation.raw", Some(8)).await;
        assert_eq!(again.ids(1).await, [9]);
        live.end().await;
    }

    /// A stream by agent waits for what is not known yet, and goes on in order.
    async fn a_filter_by_agent_waits_and_does_not_guess(db: Database) {
        let desk = Desk::open(&db).await;
        let live = Live::serve(desk.state()).await;
        let mut of_seven = Listener::open(&live.url, "attestation.agent?agent=7&since_seq=0", None).await;
        let mut raw = Listener::open(&live.url, "attestation.raw?since_seq=0", None).await;
        let mut system = Listener::open(&live.url, "attestation.system?since_seq=0&game=g", None).await;
        desk.take(&said(30)).await;
        // Said in a second that the chain has not passed.
        desk.take(&said(HEAD)).await;
        desk.take(&signed(&record(&agent(8), &agent(20), 31), "eight", Scheme::Eip712)).await;
        desk.take(&said(32)).await;
        let body = |game| with(in_game(record("games:system", "player", 33), game), "issuerKind", "system");
        desk.origin(&body("other")).await;
        desk.origin(&body("g")).await;
        assert_eq!(raw.ids(6).await, [1, 2, 3, 4, 5, 6]);
        assert_eq!((of_seven.ids(1).await, system.ids(1).await), (vec![1], vec![6]));
        desk.extend(HEAD + 1).await;
        let (id, told) = of_seven.next().await.unwrap();
        assert_eq!((id, &told["rekeying"]["subject"]["agent"]), (2, &agent(7).into()));
        assert_eq!(of_seven.ids(1).await, [4]);
        live.end().await;
    }
}

/// The first bytes of a stream, and its status, without a socket.
async fn opened(router: &Router, path: &str) -> (u16, BodyDataStream) {
    use tower::ServiceExt as _;
    let request = Request::get(path).body(Body::empty()).unwrap();
    let response = router.clone().oneshot(request).await.unwrap();
    (response.status().as_u16(), response.into_body().into_data_stream())
}

on_both_engines! {
    async fn wrong_streams_and_places_are_named(db: Database) {
        let desk = Desk::open(&db).await;
        let router = hallmark::api::router(desk.state());
        for (path, status) in [
            ("/v1/streams/attestation.raw", 200),
            ("/v1/streams/attestation.raw?since_seq=99999", 409),
            ("/v1/streams/nonsense", 404),
            ("/v1/streams/attestation.raw?since_seq=x", 400),
            ("/v1/streams/attestation.raw?colour=red", 400),
            ("/v1/streams/attestation.system?issuer_kind=agent", 400),
            ("/v1/streams/attestation.raw?participant=ada", 400),
            ("/v1/streams/participant.did", 200),
            ("/v1/streams/participant.did?participant=eip155:1:0x8004A169FB4a3325136EB29fA0ceB6D2e539a432", 200),
            ("/v1/streams/participant.did?since_seq=1", 409),
            ("/v1/streams/participant.did?participant=x", 400),
            ("/v1/streams/participant.did?participant=did:web:elsewhere.example:character:ada", 400),
            ("/v1/streams/participant.did?participant=eip155:1:0x80", 400),
            ("/v1/streams/participant.did?agent=7", 400),
            ("/v1/streams/participant.did?claim_type=x", 400),
            ("/v1/streams/participant.did?projector=x", 400),
        ] {
            assert_eq!(opened(&router, path).await.0, status, "{path}");
        }
    }
}
