//! did:web of other hosts: what they may answer, what is made of it, and where nobody is sent.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{StatusCode, header};
use axum::response::Redirect;
use axum::routing::get;
use hallmark::app::{Clock, ForeignDocuments};
use hallmark::intake::{FetchError, FetchLimits, Fetcher};
use hallmark::vocab::UnixSeconds;
use serde_json::{Value, json};
use url::Url;

use crate::support::databases::Fresh;
use crate::support::service::{Service, state};
use crate::support::tale::time;
use crate::support::tls::{Door, Secured};

/// A clock that a test moves.
#[derive(Clone, Debug)]
struct Hand(Arc<AtomicU64>);

impl Clock for Hand {
    fn now(&self) -> UnixSeconds {
        UnixSeconds::new(self.0.load(Ordering::SeqCst)).unwrap()
    }
}

/// Another host, and how often it was asked.
struct Host {
    port: u16,
    asked: Arc<AtomicUsize>,
    secured: Secured,
}

impl Host {
    async fn new() -> Self {
        let door = Door::open().await;
        let (port, asked) = (door.port, Arc::new(AtomicUsize::new(0)));
        let document = move |path: &str| {
            let id = format!("did:web:localhost%3A{port}:{path}");
            json!({ "@context": "https://www.w3.org/ns/did/v1", "id": id, "alsoKnownAs": ["x:y"] })
        };
        let endless = async || {
            let parts =
                futures_util::stream::repeat_with(|| Ok::<_, std::io::Error>(vec![b' '; 65_536]));
            Body::from_stream(parts)
        };
        let claims_much = async || ([(header::CONTENT_LENGTH, "2147483648")], "{}");
        let good = document("good");
        let other = document("another");
        let count = Arc::clone(&asked);
        let router = Router::new()
            .route("/good/did.json", get(async move || axum::Json(good)))
            .route("/other/did.json", get(async move || axum::Json(other)))
            .route("/text/did.json", get(async || "no document"))
            .route("/list/did.json", get(async || axum::Json(json!(["no document"]))))
            .route("/deep/did.json", get(async || "[".repeat(100_000)))
            .route("/moved/did.json", get(async || Redirect::temporary("/good/did.json")))
            .route("/loop/did.json", get(async || Redirect::permanent("/loop/did.json")))
            .route("/broken/did.json", get(async || StatusCode::INTERNAL_SERVER_ERROR))
            .route("/gone/did.json", get(async || StatusCode::GONE))
            .route("/part/did.json", get(async || (StatusCode::PARTIAL_CONTENT, "{}")))
            .route("/endless/did.json", get(endless))
            .route("/claims-much/did.json", get(claims_much))
            .route("/slow", get(async || std::future::pending::<StatusCode>().await))
            .layer(axum::middleware::map_request(move |request: axum::extract::Request| {
                count.fetch_add(1, Ordering::SeqCst);
                async { request }
            }));
        Self { port, asked, secured: door.serve(router).await }
    }

    fn authority(&self) -> Vec<u8> {
        std::fs::read(self.secured.authority()).unwrap()
    }

    fn path(&self, name: &str) -> String {
        format!("/1.0/identifiers/did:web:localhost%3A{}:{name}", self.port)
    }

    /// A service that fetches from here only if private hosts are allowed.
    async fn resolver(&self, fresh: &Fresh, allowed: &[&str]) -> (Service, Hand) {
        let clock = Hand(Arc::new(AtomicU64::new(time(20).get())));
        let mut settings = state(&fresh.database().await, time(20));
        let allowed = allowed.iter().map(|name| (*name).to_owned());
        let foreign =
            ForeignDocuments::new(Arc::new(clock.clone()), allowed, &[self.authority()]).unwrap();
        settings.foreign = Some(Arc::new(foreign));
        (Service::new(settings), clock)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_other_hosts_may_answer() {
    let (fresh, host) = (Fresh::sqlite().await, Host::new().await);
    let (service, clock) = host.resolver(&fresh, &["localhost"]).await;
    let good = service.get(&host.path("good")).await;
    assert_eq!(good.status, 200, "{}", good.text());
    let result = good.json();
    assert_eq!(result["didDocument"]["id"], format!("did:web:localhost%3A{}:good", host.port));
    assert_eq!(result["didDocument"]["alsoKnownAs"], json!(["x:y"]));
    assert_eq!(result["didResolutionMetadata"]["hallmark"]["retrieved"], time(20).to_string());
    assert_eq!(result["didDocumentMetadata"], json!({}));

    for (name, status, code, says) in [
        ("other", 500, "INVALID_DID_DOCUMENT", "another DID"),
        ("text", 500, "INVALID_DID_DOCUMENT", "JSON"),
        ("list", 500, "INVALID_DID_DOCUMENT", "JSON"),
        ("deep", 500, "INVALID_DID_DOCUMENT", "JSON"),
        ("endless", 500, "INVALID_DID_DOCUMENT", "262144"),
        ("moved", 404, "NOT_FOUND", "redirect (307)"),
        ("loop", 404, "NOT_FOUND", "redirect (308)"),
        ("missing", 404, "NOT_FOUND", "status 404"),
        ("gone", 404, "NOT_FOUND", "status 410"),
        ("part", 404, "NOT_FOUND", "status 206"),
        ("broken", 500, "INTERNAL_ERROR", "status 500"),
    ] {
        let asked = host.asked.load(Ordering::SeqCst);
        let reply = service.get(&host.path(name)).await;
        assert_eq!(reply.status, status, "{name}: {}", reply.text());
        let error = reply.json()["didResolutionMetadata"]["error"].clone();
        assert_eq!(error["type"], format!("https://www.w3.org/ns/did#{code}"), "{name}");
        assert!(error["detail"].as_str().unwrap().contains(says), "{name}: {error}");
        assert_eq!(host.asked.load(Ordering::SeqCst), asked + 1, "{name} was asked for once");
    }
    // A host that promises 2 GB and a host that breaks off are told apart by nobody; neither is a document.
    assert_eq!(service.get(&host.path("claims-much")).await.status, 500);

    // What was fetched is kept for a while, and so is a failure for a shorter one.
    let asked = host.asked.load(Ordering::SeqCst);
    for (later, name, more) in [
        (0, "good", 0),
        (0, "gone", 0),
        (29, "gone", 0),
        (30, "gone", 1),
        (299, "good", 1),
        (300, "good", 2),
    ] {
        clock.0.store(time(20).get() + later, Ordering::SeqCst);
        let reply = service.get(&host.path(name)).await;
        assert_eq!(reply.status, if name == "good" { 200 } else { 404 });
        assert_eq!(host.asked.load(Ordering::SeqCst), asked + more, "{name} after {later} s");
    }
    for query in [
        "?versionTime=2026-02-03T11:08:33Z",
        "?versionId=1",
        "?noCache=true",
        "?expandRelativeUrls=true",
    ] {
        let reply = service.get(&format!("{}{query}", host.path("good"))).await;
        assert_eq!(reply.status, 501, "{query}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_sent_to_a_private_address() {
    let (fresh, host) = (Fresh::sqlite().await, Host::new().await);
    let (service, _) = host.resolver(&fresh, &[]).await;
    let reason = |reply: &crate::support::service::Reply| -> Value {
        reply.json()["didResolutionMetadata"]["error"]["detail"].clone()
    };
    let private = service.get(&host.path("good")).await;
    let missing = service.get("/1.0/identifiers/did:web:no-such-host.invalid").await;
    assert_eq!((private.status, missing.status), (404, 404));
    assert_eq!(reason(&private), reason(&missing), "a private host looks as if there were none");
    for did in
        ["127.0.0.1", "127.0.0.1%3A443", "2130706433", "0x7f.1", "%5B%3A%3A1%5D", "localhost%2F@x"]
    {
        let reply = service.get(&format!("/1.0/identifiers/did:web:{did}")).await;
        assert_eq!(reply.status, 400, "{did}: {}", reply.text());
    }
    assert_eq!(host.asked.load(Ordering::SeqCst), 0);
    // Without leave to fetch, no host is asked at all.
    let service = Service::new(state(&fresh.database().await, time(20)));
    assert_eq!(service.get(&host.path("good")).await.status, 501);
    assert_eq!(host.asked.load(Ordering::SeqCst), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_way_out_is_guarded() {
    let host = Host::new().await;
    let limits = FetchLimits { timeout: Duration::from_millis(1_500), body_max: 10 };
    let allowed = BTreeSet::from(["localhost".to_owned()]);
    let fetcher = Fetcher::new(limits, allowed.clone(), &[host.authority()]).unwrap();
    let fetch = async |url: &str| fetcher.get(&Url::parse(url).unwrap(), "*/*").await;
    let here = format!("localhost:{}", host.port);
    assert_eq!(fetch(&format!("https://{here}/slow")).await, Err(FetchError::TimedOut(1)));
    assert_eq!(
        fetch(&format!("https://{here}/text/did.json")).await,
        Err(FetchError::Oversize(10))
    );
    let asked = host.asked.load(Ordering::SeqCst);
    for url in [
        format!("http://{here}/good/did.json"),
        format!("https://me:secret@{here}/good/did.json"),
        format!("https://127.0.0.1:{}/good/did.json", host.port),
        format!("https://[::1]:{}/good/did.json", host.port),
        format!("https://0x7f000001:{}/good/did.json", host.port),
        "file:///etc/hostname".to_owned(),
        "data:text/plain,x".to_owned(),
    ] {
        assert_eq!(fetch(&url).await, Err(FetchError::NotFetched), "{url}");
    }
    // The certificate of an authority that nobody trusts.
    let stranger = Fetcher::new(limits, allowed, &[]).unwrap();
    let refused =
        stranger.get(&Url::parse(&format!("https://{here}/good/did.json")).unwrap(), "*/*").await;
    assert!(matches!(refused, Err(FetchError::Unreachable(_))), "{refused:?}");
    assert_eq!(host.asked.load(Ordering::SeqCst), asked);
}
