//! What one request and one client may cost, through a real socket where the socket matters.

use std::net::SocketAddr;
use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use hallmark::api::{ApiState, RateLimit, serve};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::told;
use crate::support::databases::{Fresh, on_both_engines};
use crate::support::service::{Service, WIDE, state};
use crate::support::tale::time;

/// A service on a socket, until it is told to stop.
struct Served {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    ended: JoinHandle<()>,
}

#[expect(clippy::disallowed_methods, reason = "the handle is awaited at the end of each test")]
async fn served(state: ApiState) -> Served {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel();
    let told = async { stopped.await.unwrap_or_default() };
    let ended = tokio::spawn(serve(listener, state, told));
    Served { address, stop, ended }
}

/// Everything that is answered to a text, until the connection ends.
async fn exchange(address: SocketAddr, text: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(text.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    String::from_utf8(answer).unwrap()
}

fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
}

/// A client that asks for too much is turned away by the address of its connection, and told how long.
#[tokio::test]
async fn a_client_that_asks_too_much() {
    let fresh = Fresh::sqlite().await;
    let database = fresh.database().await;
    told::tell(&database).await;
    let mut limits = WIDE;
    limits.rate_limit = Some(RateLimit { per_s: 1, burst: 2 });
    let base = state(&database, time(20));
    let limited = ApiState::new(database, base.clock, (*base.known).clone(), limits);
    let served = served(limited).await;
    let mut refused = exchange(served.address, &get("/v1/agents/0")).await;
    assert!(refused.starts_with("HTTP/1.1 200"), "{refused}");
    // A slow machine earns a request every second; nobody earns a hundred.
    for _ in 0..100 {
        refused = exchange(served.address, &get("/v1/agents/0")).await;
        if !refused.starts_with("HTTP/1.1 200") {
            break;
        }
    }
    assert!(refused.starts_with("HTTP/1.1 429"), "{refused}");
    assert!(refused.contains("retry-after: 1\r\n"), "{refused}");
    assert!(refused.contains("/problems/too-many-requests"), "{refused}");
    assert!(
        refused.contains("access-control-allow-origin: *"),
        "a browser must see why: {refused}"
    );
    served.stop.send(()).unwrap();
    served.ended.await.unwrap();
}

/// Told to stop, the service takes no new connection, and an answer under way is finished.
#[tokio::test]
async fn stopping_finishes_what_is_under_way() {
    let fresh = Fresh::sqlite().await;
    let database = fresh.database().await;
    told::tell(&database).await;
    let served = served(state(&database, time(20))).await;
    let mut stream = TcpStream::connect(served.address).await.unwrap();
    let body = r#"{"accounts":[]}"#;
    let head = format!(
        "POST /v1/wallets/lookup HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\nExpect: 100-continue\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    // Once the service asks for the body, the answer is under way.
    let mut answer = vec![0; 25];
    stream.read_exact(&mut answer).await.unwrap();
    assert_eq!(answer, b"HTTP/1.1 100 Continue\r\n\r\n");
    served.stop.send(()).unwrap();
    stream.write_all(body.as_bytes()).await.unwrap();
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).await.unwrap();
    let rest = String::from_utf8(rest).unwrap();
    assert!(rest.contains("HTTP/1.1 200 OK") && rest.contains("\"results\":[]"), "{rest}");
    served.ended.await.unwrap();
    assert!(TcpStream::connect(served.address).await.is_err());
}

/// What is not HTTP, or heads without end, ends the connection and nothing else.
#[tokio::test]
async fn nonsense_on_the_socket() {
    let fresh = Fresh::sqlite().await;
    let served = served(state(&fresh.database().await, time(20))).await;
    let endless =
        format!("GET /healthz HTTP/1.1\r\nHost: h\r\nX: {}\r\n\r\n", "x".repeat(64 * 1024));
    for (text, status) in [("nonsense\r\n\r\n", "400"), (endless.as_str(), "431")] {
        let answer = exchange(served.address, text).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{answer}");
    }
    assert!(exchange(served.address, &get("/healthz")).await.ends_with("ok\n"));
    served.stop.send(()).unwrap();
    served.ended.await.unwrap();
}

on_both_engines! {
    /// An answer that takes too long is given up.
    async fn an_answer_that_takes_too_long(db: Database) {
        told::tell(&db).await;
        let mut hasty = state(&db, time(20));
        hasty.limits.request_timeout = Duration::ZERO;
        // A body that never comes: no machine is fast enough to answer before the time is over.
        let never = futures_util::stream::pending::<Result<Vec<u8>, std::io::Error>>();
        let request = Request::post("/v1/wallets/lookup")
            .header("content-type", "application/json")
            .body(Body::from_stream(never))
            .unwrap();
        let reply = Service::new(hasty).send(request).await;
        assert_eq!(reply.status, 504, "{}", reply.text());
        assert_eq!(reply.problem()["type"], "/problems/timeout");
    }
}

/// Connections that are begun and never used up: a client has its share, and others are served all the same.
#[tokio::test]
async fn a_client_has_its_share_of_connections() {
    /// An eighth of 1,024.
    const SHARE: usize = 128;
    let fresh = Fresh::sqlite().await;
    let database = fresh.database().await;
    told::tell(&database).await;
    let mut limits = WIDE;
    limits.rate_limit = Some(RateLimit { per_s: 1_000, burst: 1_000 });
    let base = state(&database, time(20));
    let served = served(ApiState::new(database, base.clock, (*base.known).clone(), limits)).await;
    let from = async |host: &str| {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(SocketAddr::new(host.parse().unwrap(), 0)).unwrap();
        socket.connect(served.address).await.unwrap()
    };
    let mut begun = Vec::new();
    for _ in 0..SHARE {
        let mut stream = from("127.0.0.1").await;
        stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: h\r\n").await.unwrap();
        begun.push(stream);
    }
    let refused = from("127.0.0.1").await.read_to_end(&mut Vec::new()).await;
    assert_eq!(refused.unwrap_or(0), 0, "one more is closed at once");
    let mut other = from("127.0.0.2").await;
    other.write_all(get("/healthz").as_bytes()).await.unwrap();
    let mut answer = String::new();
    other.read_to_string(&mut answer).await.unwrap();
    assert!(answer.ends_with("ok\n"), "another address is served: {answer}");
    // Those that were begun are still served, and their places are free again afterwards.
    for stream in &mut begun {
        stream.write_all(b"Connection: close\r\n\r\n").await.unwrap();
        answer.clear();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(answer.ends_with("ok\n"), "{answer}");
    }
    begun.clear();
    let mut again = from("127.0.0.1").await;
    again.write_all(get("/healthz").as_bytes()).await.unwrap();
    answer.clear();
    again.read_to_string(&mut answer).await.unwrap();
    assert!(answer.ends_with("ok\n"), "{answer}");
    served.stop.send(()).unwrap();
    served.ended.await.unwrap();
}

/// The beginning of a stream: its headers, and the first bytes that say that it is there.
async fn listen(address: SocketAddr) -> (TcpStream, String) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = "GET /v1/streams/attestation.raw HTTP/1.1\r\nHost: h\r\n\r\n";
    stream.write_all(request.as_bytes()).await.unwrap();
    let (mut answer, mut buffer) = (String::new(), [0; 4096]);
    // A refusal ends with its JSON, a stream goes on behind this.
    while !answer.contains(": alive") && !answer.ends_with('}') {
        let read = stream.read(&mut buffer).await.unwrap();
        assert!(read > 0, "{answer}");
        answer.push_str(std::str::from_utf8(&buffer[..read]).unwrap());
    }
    (stream, answer)
}

/// A client has its share of open streams; who ends one may open another.
#[tokio::test]
async fn listeners_leave_seats_for_others() {
    let fresh = Fresh::sqlite().await;
    let database = fresh.database().await;
    told::tell(&database).await;
    let mut limits = WIDE;
    limits.rate_limit = Some(RateLimit { per_s: 1_000, burst: 1_000 });
    let base = state(&database, time(20));
    let served = served(ApiState::new(database, base.clock, (*base.known).clone(), limits)).await;
    let mut listening = Vec::new();
    for n in 0..32 {
        let (stream, answer) = listen(served.address).await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{n}: {answer}");
        listening.push(stream);
    }
    let (_, refused) = listen(served.address).await;
    assert!(refused.starts_with("HTTP/1.1 429"), "{refused}");
    assert!(refused.contains("/problems/too-many-listeners"), "{refused}");
    assert!(refused.to_lowercase().contains("\r\nretry-after: 30\r\n"), "{refused}");
    // Whoever asks for something else is answered.
    let other = exchange(served.address, &get("/healthz")).await;
    assert!(other.starts_with("HTTP/1.1 200"), "{other}");
    drop(listening.pop());
    let freed = async {
        while !listen(served.address).await.1.starts_with("HTTP/1.1 200") {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_mins(1), freed).await.expect("the seat is free again");
    served.stop.send(()).unwrap();
    served.ended.await.unwrap();
}
