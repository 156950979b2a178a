//! The relay over HTTP: a server that keeps a log and shows of it what the platform shows, and one that shows anything.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use hallmark::intake::relay::{Relay, RelayError, Standing};
use hallmark::intake::{FetchError, FetchLimits, Fetcher};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use url::Url;

use super::{GAME, PLAYER, assessment, choice, entry, named, page, public, source};
use crate::support::tls::Door;

pub(crate) type Log = Arc<Mutex<Vec<Value>>>;

/// The platform's own rules: a cursor beyond the end is the end, what is not public is left out, and the next cursor is behind what is shown.
async fn spectator(
    State(log): State<Log>,
    Path(game): Path<String>,
    Query(query): Query<BTreeMap<String, String>>,
) -> Response {
    if game != GAME {
        return (StatusCode::NOT_FOUND, "{\"error\":\"Game not found\"}").into_response();
    }
    let log = log.lock().unwrap();
    let tip = u64::try_from(log.len()).unwrap();
    let since = query["sinceIdx"].parse::<u64>().unwrap().min(tip);
    let is_shown = |entry: &&Value| {
        entry["index"].as_u64().unwrap() >= since && entry["scope"]["kind"] == "all"
    };
    let shown: Vec<_> = log.iter().filter(is_shown).cloned().collect();
    let next = shown.last().map_or(tip, |entry| entry["index"].as_u64().unwrap() + 1);
    axum::Json(page(&shown, next)).into_response()
}

fn routes(log: Log) -> Router {
    let endless = async || {
        let parts =
            futures_util::stream::repeat_with(|| Ok::<_, std::io::Error>(vec![b' '; 65_536]));
        axum::body::Body::from_stream(parts)
    };
    let echo = async |uri: Uri| (StatusCode::IM_A_TEAPOT, uri.to_string());
    Router::new()
        .route("/api/games/{id}/spectator", get(spectator))
        .route("/moved/api/games/{id}/spectator", get(async || Redirect::temporary("/api")))
        .route("/endless/api/games/{id}/spectator", get(endless))
        .route(
            "/slow/api/games/{id}/spectator",
            get(async || std::future::pending::<StatusCode>().await),
        )
        .route("/html/api/games/{id}/spectator", get(async || "<html>"))
        .fallback(echo)
        .with_state(log)
}

/// A platform on this machine, over plain http.
pub(crate) struct Platform {
    port: u16,
    pub(crate) log: Log,
    _tasks: JoinSet<()>,
}

impl Platform {
    pub(crate) async fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let log = Log::default();
        let router = routes(Arc::clone(&log));
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let _ = axum::serve(listener, router).await;
        });
        Self { port, log, _tasks: tasks }
    }

    pub(crate) fn add(&self, kind: &str, sender: &str, scope: &Value, data: &Value) {
        let mut log = self.log.lock().unwrap();
        let index = u64::try_from(log.len()).unwrap();
        log.push(entry(index, kind, sender, scope, data));
    }

    fn url(&self, path: &str) -> Url {
        Url::parse(&format!("http://localhost:{}/{path}", self.port)).unwrap()
    }

    pub(crate) fn relay(&self, path: &str) -> Relay {
        Relay::new(source(), self.url(path), fetcher(&["localhost"]))
    }
}

fn provider() {
    let _ = rustls::crypto::ring::default_provider().install_default();
}

const LIMITS: FetchLimits =
    FetchLimits { timeout: Duration::from_millis(1_500), body_max: 200_000 };

fn allowed(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn fetcher(private: &[&str]) -> Fetcher {
    provider();
    Fetcher::also_plain(LIMITS, allowed(private), &[]).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_of_all_scopes_is_followed_by_its_cursor() {
    let platform = Platform::new().await;
    let relay = platform.relay("");
    let (all, team) = (json!({ "kind": "all" }), json!({ "kind": "team", "teamId": "red" }));
    let dm = json!({ "kind": "dm", "recipientHandle": "ada" });
    let empty = relay.page(GAME, 0).await.unwrap();
    assert_eq!((empty.next, empty.records.len(), empty.standing), (0, 0, Standing::Running));

    platform.add("chat:message", PLAYER, &team, &json!({ "body": "x" }));
    platform.add("attestation", "system", &all, &choice(1));
    platform.add("chat:message", PLAYER, &all, &json!({ "body": "hello" }));
    platform.add("attestation", PLAYER, &dm, &assessment());
    platform.add("attestation", PLAYER, &all, &choice(1));
    platform.add("chat:message", PLAYER, &dm, &json!({ "body": "x" }));
    let first = relay.page(GAME, empty.next).await.unwrap();
    let found: Vec<_> =
        first.records.iter().map(|r| (r.index, r.incoming.sent_by.clone())).collect();
    let origin = hallmark::attest::SentBy::Origin(source().origin);
    assert_eq!(found, [(1, origin), (4, named(PLAYER))]);
    assert_eq!((first.next, first.passed.other_types, first.passed.left_out), (5, 1, 2));

    // What is not public moves nothing, and is not waited for.
    let same = relay.page(GAME, first.next).await.unwrap();
    assert_eq!((same.next, same.records.len()), (5, 0));
    platform.add("attestation", "system", &all, &choice(2));
    let second = relay.page(GAME, same.next).await.unwrap();
    assert_eq!((second.next, second.records.len(), second.passed.left_out), (7, 1, 1));

    // The game is begun anew under its name.
    platform.log.lock().unwrap().truncate(2);
    let anew = relay.page(GAME, second.next).await.unwrap();
    assert_eq!((anew.next, anew.standing), (0, Standing::Restarted { tip: 2 }));
    assert_eq!(relay.page(GAME, anew.next).await.unwrap().records.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_host_may_answer() {
    let platform = Platform::new().await;
    for (path, expected) in [
        ("moved/", FetchError::Redirect(307)),
        ("endless/", FetchError::Oversize(LIMITS.body_max)),
        ("slow/", FetchError::TimedOut(1)),
        ("elsewhere/", FetchError::Status(418)),
    ] {
        let refused = platform.relay(path).page(GAME, 0).await;
        assert_eq!(refused, Err(RelayError::Fetch(expected)), "{path}");
    }
    let html = platform.relay("html/").page(GAME, 0).await;
    assert!(matches!(html, Err(RelayError::NotAPage(_))), "{html:?}");
    let missing = platform.relay("").page("no-such-game", 0).await;
    assert_eq!(missing, Err(RelayError::Fetch(FetchError::Status(404))));
    // A base without its slash is the same place.
    let bare = Url::parse(&format!("http://localhost:{}", platform.port)).unwrap();
    let relay = Relay::new(source(), bare, fetcher(&["localhost"]));
    assert!(relay.page(GAME, 0).await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_games_id_leads_nowhere_else() {
    let platform = Platform::new().await;
    for game in ["", ".", "..", "a\nb", &"a".repeat(257)] {
        let refused = platform.relay("").page(game, 0).await;
        assert!(matches!(refused, Err(RelayError::BadGame(_))), "{game}: {refused:?}");
    }
    for game in ["../../secret", "a/b", "a?sinceIdx=9#x", "%2e%2e", "a\\b"] {
        // It stays one part of the path, so that the platform knows no such game.
        let missing = platform.relay("").page(game, 0).await;
        assert_eq!(missing, Err(RelayError::Fetch(FetchError::Status(404))), "{game}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_hosts_that_an_operator_named_may_be_private_or_plain() {
    let platform = Platform::new().await;
    let page =
        async |fetcher: Fetcher, url: Url| Relay::new(source(), url, fetcher).page(GAME, 0).await;
    let not_fetched = Err(RelayError::Fetch(FetchError::NotFetched));
    // Another name may be private, or nobody, or http was not agreed on.
    assert_eq!(page(fetcher(&["other.example"]), platform.url("")).await, not_fetched);
    assert_eq!(page(fetcher(&[]), platform.url("")).await, not_fetched);
    let strict = Fetcher::new(LIMITS, allowed(&["localhost"]), &[]).unwrap();
    assert_eq!(page(strict, platform.url("")).await, not_fetched);
    let by_number = Url::parse(&format!("http://127.0.0.1:{}/", platform.port)).unwrap();
    assert_eq!(page(fetcher(&["localhost", "127.0.0.1"]), by_number).await, not_fetched);
    assert!(page(fetcher(&["localhost"]), platform.url("")).await.is_ok());

    // Over https the certificate and the address count as everywhere.
    let door = Door::open().await;
    let port = door.port;
    let log = Log::default();
    log.lock().unwrap().push(public(0, "system", &choice(1)));
    let secured = door.serve(routes(log)).await;
    let url = Url::parse(&format!("https://localhost:{port}/")).unwrap();
    let authority = std::fs::read(secured.authority()).unwrap();
    let trusting = |private: &[&str]| {
        Fetcher::also_plain(LIMITS, allowed(private), std::slice::from_ref(&authority)).unwrap()
    };
    let read = page(trusting(&["localhost"]), url.clone()).await.unwrap();
    assert_eq!(read.records.len(), 1);
    let private = page(trusting(&[]), url.clone()).await;
    assert_eq!(private, Err(RelayError::Fetch(FetchError::NoPublicHost)));
    let stranger = page(fetcher(&["localhost"]), url).await;
    assert!(matches!(stranger, Err(RelayError::Fetch(FetchError::Unreachable(_)))), "{stranger:?}");
}
