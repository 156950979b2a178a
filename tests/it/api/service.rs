//! What every answer has: headers for browsers and caches, and the same on HEAD.

use axum::body::Body;
use axum::http::{Method, Request};

use super::told;
use crate::support::databases::on_both_engines;
use crate::support::service::{Reply, Service, state};
use crate::support::tale::time;

async fn with(service: &Service, method: Method, path: &str, headers: &[(&str, &str)]) -> Reply {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    service.send(request.body(Body::empty()).unwrap()).await
}

on_both_engines! {
    /// A page of another origin may read everything, with the headers that matter, and ask first.
    async fn other_origins(db: Database) {
        let service = told::service(&db).await;
        let origin = ("origin", "https://game.example");
        for path in ["/v1/agents/0", "/v1/status", "/v1/agents/x", "/nothing", "/openapi.json"] {
            let reply = with(&service, Method::GET, path, &[origin]).await;
            assert_eq!(reply.header("access-control-allow-origin"), "*", "{path}");
            assert!(reply.header("access-control-expose-headers").contains("etag"), "{path}");
        }
        let asked = [origin, ("access-control-request-method", "POST"), ("access-control-request-headers", "content-type")];
        let reply = with(&service, Method::OPTIONS, "/v1/wallets/lookup", &asked).await;
        assert_eq!(reply.status, 200);
        assert!(reply.header("access-control-allow-methods").contains("POST"));
        assert!(reply.header("access-control-allow-headers").contains("content-type"));
    }

    /// A browser does nothing with an answer but read it; only answers about a state are kept.
    async fn headers_for_browsers(db: Database) {
        let service = told::service(&db).await;
        for (path, caching) in [
            ("/v1/agents/0", "no-cache"),
            ("/openapi.json", "no-cache"),
            ("/v1/status", "no-store"),
            ("/v1/agents/x", "no-store"),
            ("/healthz", "no-store"),
        ] {
            let reply = service.get(path).await;
            for (name, value) in [
                ("x-content-type-options", "nosniff"),
                ("referrer-policy", "no-referrer"),
                ("content-security-policy", "default-src 'none'; frame-ancestors 'none'"),
                ("x-frame-options", "DENY"),
                ("cache-control", caching),
            ] {
                assert_eq!(reply.header(name), value, "{path}: {name}");
            }
            assert_eq!(reply.header("etag").is_empty(), caching == "no-store", "{path}");
        }
        let ids = [service.get("/healthz").await, service.get("/healthz").await];
        assert_ne!(ids[0].header("x-request-id"), ids[1].header("x-request-id"));
        let own = with(&service, Method::GET, "/healthz", &[("x-request-id", "forged")]).await;
        assert_ne!(own.header("x-request-id"), "forged");
    }

    /// Who has the answer is told that it still holds, and gets another once it does not.
    async fn answers_that_are_held_already(db: Database) {
        let mut tale = told::tell(&db).await;
        let service = Service::new(state(&db, time(20)));
        let first = service.get("/v1/agents/0").await;
        let tag = first.header("etag").to_owned();
        let held = [("if-none-match", tag.as_str())];
        let again = with(&service, Method::GET, "/v1/agents/0", &held).await;
        assert_eq!((again.status, again.body.len(), again.header("etag")), (304, 0, tag.as_str()));
        assert_eq!(again.header("cache-control"), "no-cache");
        let other = with(&service, Method::GET, "/v1/agents/1", &held).await;
        assert_eq!(other.status, 200);
        tale.block().await;
        let moved = with(&service, Method::GET, "/v1/agents/0", &held).await;
        assert_eq!(moved.status, 200);
        assert_ne!(moved.header("etag"), tag);
        let fixed = with(&service, Method::GET, "/v1/agents/0?at=block:16", &[]).await;
        let later = with(&service, Method::GET, "/v1/agents/0?at=block:16", &[("if-none-match", fixed.header("etag"))]).await;
        assert_eq!(later.status, 304);
    }

    /// HEAD is GET without the body.
    async fn head_is_get_without_the_body(db: Database) {
        let service = told::service(&db).await;
        for path in ["/v1/agents/0", "/v1/status", "/v1/agents/x", "/v1/agents/77", "/nothing"] {
            let get = service.get(path).await;
            let head = with(&service, Method::HEAD, path, &[]).await;
            assert_eq!(head.status, get.status, "{path}");
            assert!(head.body.is_empty(), "{path}");
            for name in ["etag", "content-type", "cache-control"] {
                assert_eq!(head.header(name), get.header(name), "{path}: {name}");
            }
            assert_eq!(head.header("content-length"), get.body.len().to_string(), "{path}");
        }
    }
}
