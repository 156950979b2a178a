//! did:web of other hosts: what they may answer, what is made of it, and where nobody is sent.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::Request;
use futures_util::future::join_all;
use hallmark::api::{ApiState, Limits, RateLimit};
use hallmark::app::{FixedClock, ForeignDocuments};
use hallmark::intake::{FetchError, FetchLimits, Fetcher};
use hallmark::registry::KnownImplementations;
use serde_json::{Value, json};
use url::Url;

use crate::support::databases::Fresh;
use crate::support::elsewhere::Elsewhere;
use crate::support::service::{Service, WIDE, state};
use crate::support::tale::time;

#[tokio::test(flavor = "multi_thread")]
async fn what_other_hosts_may_answer() {
    let (fresh, host) = (Fresh::sqlite().await, Elsewhere::new().await);
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
        ("nameless", 500, "INVALID_DID_DOCUMENT", "another DID"),
        ("endless", 500, "INVALID_DID_DOCUMENT", "262144"),
        ("trickle", 500, "INTERNAL_ERROR", "within 2 s"),
        ("slow", 500, "INTERNAL_ERROR", "within 2 s"),
        ("moved", 404, "NOT_FOUND", "redirect (307)"),
        ("loop", 404, "NOT_FOUND", "redirect (308)"),
        ("missing", 404, "NOT_FOUND", "status 404"),
        ("gone", 404, "NOT_FOUND", "status 410"),
        ("part", 404, "NOT_FOUND", "status 206"),
        ("broken", 500, "INTERNAL_ERROR", "status 500"),
    ] {
        let asked = host.asked().len();
        let reply = service.get(&host.path(name)).await;
        assert_eq!(reply.status, status, "{name}: {}", reply.text());
        let error = reply.json()["didResolutionMetadata"]["error"].clone();
        assert_eq!(error["type"], format!("https://www.w3.org/ns/did#{code}"), "{name}");
        assert!(error["detail"].as_str().unwrap().contains(says), "{name}: {error}");
        assert_eq!(
            host.asked()[asked..],
            [format!("/{name}/did.json")],
            "{name} was asked for once"
        );
    }
    // A host that promises 2 GB and a host that breaks off are told apart by nobody; neither is a document.
    assert_eq!(service.get(&host.path("claims-much")).await.status, 500);

    // What was fetched is kept for a while, and so is a failure for a shorter one.
    let asked = host.asked().len();
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
        assert_eq!(host.asked().len(), asked + more, "{name} after {later} s");
    }
    for query in ["?versionTime=2026-02-03T11:08:33Z", "?versionId=1", "?noCache=true"] {
        let reply = service.get(&format!("{}{query}", host.path("good"))).await;
        assert_eq!(reply.status, 501, "{query}");
    }
}

/// Hosts may be slow; those that one client asks for take no place of what others ask for.
#[tokio::test(flavor = "multi_thread")]
async fn one_client_takes_no_places_of_others() {
    let (fresh, host) = (Fresh::sqlite().await, Elsewhere::new().await);
    let rate_limit = Some(RateLimit { per_s: 1_000, burst: 1_000 });
    let now = FixedClock(time(20));
    let mut settings = ApiState::new(
        fresh.database().await,
        Arc::new(now),
        KnownImplementations::default(),
        Limits { rate_limit, ..WIDE },
    );
    let limits = FetchLimits { timeout: Duration::from_secs(2), ..ForeignDocuments::LIMITS };
    settings.foreign = Some(host.finder(Arc::new(now), &["localhost"], limits));
    let service = Service::new(settings);
    let ask = async |client: Option<u8>, name: &str| {
        let mut request = Request::get(host.path(name)).body(Body::empty()).unwrap();
        if let Some(client) = client {
            let peer = SocketAddr::from(([192, 0, 2, client], 1));
            request.extensions_mut().insert(ConnectInfo(peer));
        }
        service.send(request).await
    };
    let kind = |reply: &crate::support::service::Reply| reply.problem()["type"].clone();

    // All of one client's are on their way when another asks.
    let (slow, good) =
        tokio::join!(join_all((0..80).map(|_| ask(Some(1), "slow"))), ask(Some(2), "good"));
    assert_eq!(good.status, 200, "{}", good.text());
    let (fetched, refused): (Vec<_>, Vec<_>) = slow.iter().partition(|reply| reply.status == 500);
    assert_eq!((fetched.len(), refused.len()), (4, 76));
    assert!(
        refused
            .iter()
            .all(|reply| reply.status == 429 && kind(reply) == "/problems/too-many-fetches")
    );
    assert_eq!(refused[0].header("retry-after"), "5");
    assert_eq!(
        ask(Some(1), "good").await.status,
        200,
        "its share is its own again, and the rest is kept"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_sent_to_a_private_address() {
    let (fresh, host) = (Fresh::sqlite().await, Elsewhere::new().await);
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
    assert_eq!((host.asked(), host.connections()), (vec![], 0));
    // Without leave to fetch, no host is asked at all.
    let service = Service::new(state(&fresh.database().await, time(20)));
    assert_eq!(service.get(&host.path("good")).await.status, 501);
    assert_eq!((host.asked(), host.connections()), (vec![], 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_way_out_is_guarded() {
    let host = Elsewhere::new().await;
    let limits = FetchLimits { timeout: Duration::from_millis(1_500), body_max: 10 };
    let allowed = BTreeSet::from(["localhost".to_owned()]);
    let fetcher = Fetcher::new(limits, allowed.clone(), &[host.authority()]).unwrap();
    let fetch = async |url: &str| fetcher.get(&Url::parse(url).unwrap(), "*/*").await;
    let here = format!("localhost:{}", host.port);
    assert_eq!(fetch(&format!("https://{here}/slow/did.json")).await, Err(FetchError::TimedOut(1)));
    assert_eq!(
        fetch(&format!("https://{here}/text/did.json")).await,
        Err(FetchError::Oversize(10))
    );
    // So many at a time; whoever finds no place is told so, and not that its host is slow.
    let slow = format!("https://{here}/slow/did.json");
    let all = join_all((0..65).map(|_| fetch(&slow))).await;
    let busy = all.iter().filter(|got| **got == Err(FetchError::Busy)).count();
    assert_eq!(busy, 1, "{all:?}");
    let asked = host.asked().len();
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
    assert_eq!(host.asked().len(), asked);
}
