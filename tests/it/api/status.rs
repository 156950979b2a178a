//! The state of the service, and what its keepers ask: live, ready, metrics.

use std::time::Duration;

use hallmark::api::{ProviderStatus, ProviderStatuses, recorder};
use hallmark::storage::Halt;
use hallmark::vocab::{Finding, FindingKind, UnixSeconds};
use insta::assert_json_snapshot;
use serde_json::json;

use super::told::{self, ALICE};
use crate::support::databases::on_both_engines;
use crate::support::service::{Service, state};
use crate::support::tale::{Tale, time};

on_both_engines! {
    /// Before the first use, before the first block, and after the whole chain.
    async fn status_at_every_stage(db: Database) {
        let service = Service::new(state(&db, time(20)));
        assert_eq!(service.ok("/v1/status").await["chains"], json!([]));
        let problem = service.get("/v1/agents/0").await;
        assert_eq!((problem.status, problem.header("retry-after")), (503, "2"));
        assert_eq!(problem.problem()["type"], "/problems/nothing-indexed-yet");
        Tale::new(&db).await;
        let mut bound = service.ok("/v1/status").await;
        bound["version"] = json!("…");
        assert_json_snapshot!("status_before_the_first_block", bound);
        assert_eq!(service.get("/v1/agents").await.status, 503);
    }

    async fn status_in_full(db: Database) {
        told::tell(&db).await;
        let mut state = state(&db, time(20));
        let healthy = ProviderStatus {
            url: "https://node.example".to_owned(),
            role: "both",
            state: "healthy",
            reason: None,
            benched_until: None,
            head: Some(18),
            latency_ms: Some(40),
            requests: 12,
            failures: 1,
            disagreements: 0,
            last_error: Some("did not answer".to_owned()),
        };
        let benched = ProviderStatus {
            url: "https://liar.example".to_owned(),
            role: "check",
            state: "benched",
            reason: Some("it left logs out".to_owned()),
            benched_until: UnixSeconds::new(time(60).get()),
            disagreements: 2,
            head: None,
            latency_ms: None,
            last_error: None,
            ..healthy.clone()
        };
        state.providers = ProviderStatuses::told_by(move || vec![healthy.clone(), benched.clone()]);
        let finding = Finding::new(FindingKind::LogsLeftOut, "it left logs out");
        let finding = finding.of_blocks(5, 9).of_provider("https://liar.example");
        let mut tx = db.begin_write().await.unwrap();
        tx.insert_finding(&finding, time(17)).await.unwrap();
        tx.commit().await.unwrap();
        let mut status = Service::new(state).ok("/v1/status").await;
        assert_eq!(status["version"], env!("CARGO_PKG_VERSION"));
        status["version"] = json!("…");
        assert_json_snapshot!("status", status);
    }

    /// Reorganisations are counted, gaps in agent ids seen, and a stopped writer says why while reading goes on.
    async fn what_should_make_a_reader_careful(db: Database) {
        let mut tale = told::tell(&db).await;
        tale.revert_to(13).await;
        told::mint(&mut tale, 5, ALICE);
        tale.block().await;
        let mut tx = db.begin_write().await.unwrap();
        tx.set_halt(Some(&Halt("block 11 was replaced".to_owned()))).await.unwrap();
        tx.commit().await.unwrap();
        let service = Service::new(state(&db, time(20)));
        let chain = service.ok("/v1/status").await["chains"][0].clone();
        assert_eq!(chain["halted"], "block 11 was replaced");
        assert_eq!(chain["reorgs"]["count"], 1);
        assert_eq!(chain["reorgs"]["last"]["ancestor"]["number"], 13);
        assert_eq!(chain["reorgs"]["last"]["depth"], 3);
        let expected = json!({ "agents_seen": 3, "highest_agent_id": "5", "gaps": 3 });
        assert_eq!(chain["completeness"], expected);
        let degraded = "3 agents below the highest one were never seen: logs are missing";
        assert_eq!(chain["degraded"], json!([degraded]));
        assert_eq!(service.get("/v1/agents/0").await.status, 200);
        let ready = service.get("/readyz").await;
        assert_eq!((ready.status, ready.json()["halted"].as_str()), (200, Some("block 11 was replaced")));
    }

    /// Ready is who can answer about the present.
    async fn readiness(db: Database) {
        let ready = Service::new(state(&db, time(20))).get("/readyz").await;
        assert_eq!(ready.status, 503);
        assert_eq!(ready.json()["reasons"], json!(["no block has been indexed yet"]));
        told::tell(&db).await;
        for (now, status) in [(time(16), 200), (time(46), 200), (time(47), 503), (time(0), 200)] {
            let ready = Service::new(state(&db, now)).get("/readyz").await;
            assert_eq!(ready.status, status, "{}", ready.text());
            assert_eq!(ready.json()["ready"], status == 200);
        }
        let mut patient = state(&db, time(1000));
        patient.limits.lag_limit = Duration::from_secs(2000);
        let service = Service::new(patient);
        assert_eq!(service.get("/readyz").await.status, 200);
        db.close().await;
        let ready = service.get("/readyz").await;
        assert_eq!(ready.json()["reasons"], json!(["the database does not answer"]));
        assert_eq!((ready.status, service.get("/healthz").await.status), (503, 200));
    }

    /// Requests are counted by route, whatever strangers ask for.
    async fn metrics_by_route(db: Database) {
        let recorder = recorder().unwrap();
        let mut state = state(&db, time(20));
        state.metrics = Some(recorder.handle());
        let _installed = metrics::set_default_local_recorder(&recorder);
        let service = Service::new(state);
        service.get("/v1/agents/12345").await;
        service.get("/v1/agents/12346").await;
        service.get("/nothing/of/the/kind").await;
        let metrics = service.get("/metrics").await;
        assert_eq!(metrics.header("content-type"), "text/plain; version=0.0.4; charset=utf-8");
        let text = metrics.text();
        let count = r#"hallmark_http_requests_total{method="GET",route="/v1/agents/{agent}",status="503"} 2"#;
        assert!(text.contains(count), "{text}");
        assert!(text.contains(r#"route="none",status="404"} 1"#), "{text}");
        let bucket = r#"hallmark_http_request_duration_seconds_bucket{method="GET",route="/v1/agents/{agent}",le="+Inf"} 2"#;
        assert!(text.contains(bucket), "{text}");
        assert!(!text.contains("12345") && !text.contains("nothing"), "{text}");
    }
}

/// Without a recorder there are no metrics, and nothing pretends there were.
#[tokio::test]
async fn without_a_recorder_there_are_no_metrics() {
    let fresh = crate::support::databases::Fresh::sqlite().await;
    let service = Service::new(state(&fresh.database().await, time(20)));
    service.problem("/metrics", 404).await;
}
