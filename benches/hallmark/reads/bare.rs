//! The floor of reading: axum with handlers that return fixed bytes, in a process of its own with as many workers as the service.

use axum::Router;
use axum::body::Bytes;
use axum::http::header::CONTENT_TYPE;
use axum::routing::{any, get};
use tokio::net::TcpListener;

/// Serves a JSON of `lengths[i]` bytes at `/i`, whatever the method; says on which port it listens.
pub(crate) async fn run(lengths: &[usize]) {
    let mut routes = Router::new().route("/healthz", get(async || "ok"));
    for (i, length) in lengths.iter().enumerate() {
        let body = Bytes::from(format!("\"{}\"", "x".repeat(length.saturating_sub(2))));
        // A request's body is read, as the service has to.
        let answer = async move |_: Bytes| ([(CONTENT_TYPE, "application/json")], body.clone());
        routes = routes.route(&format!("/{i}"), any(answer));
    }
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    println!("{}", listener.local_addr().unwrap());
    axum::serve(listener, routes).await.unwrap();
}
