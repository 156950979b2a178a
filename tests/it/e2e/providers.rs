//! A lying node beside an honest one: the program follows both, ends with the truth, and says who lied.
//!
//! Both are nodes of the demo's recorded chain on loopback, and the program is run as a process. The liar leaves out the logs of some
//! blocks, in one of them the mint of an agent, whichever way it is asked; the headers it gives are true.

use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use hallmark::demo::{DemoNode, Recording};
use serde_json::Value;
use tempfile::NamedTempFile;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::support::databases::{Fresh, on_both_engines};
use crate::support::dump::{OF_RECORDS, assert_same, dump};

const LIMIT: Duration = Duration::from_mins(2);
/// Blocks in one range.
const RANGE: u64 = 50;

/// The recorded chain, and a node of it that lies about the block of one mint.
struct Stage {
    recording: Arc<Recording>,
    head: u64,
    /// The block of the mint that the liar hides; another mint follows in the same range.
    hidden: u64,
    /// Such a block where the next mint follows in a later range.
    hidden_earlier: u64,
    servers: JoinSet<std::io::Result<()>>,
}

impl Stage {
    fn new() -> Self {
        let recording = Arc::new(Recording::shipped().unwrap());
        let node = DemoNode::new(Arc::clone(&recording));
        let (head, finalized) = node.look(|play| (play.head(), play.finalized()));
        let start = recording.start_block();
        let mints: Vec<u64> = recording
            .blocks()
            .iter()
            .filter(|block| block.number() <= finalized)
            .filter(|block| block.logs.iter().any(|log| is_mint(&log.raw.topics)))
            .map(hallmark::demo::RecordedBlock::number)
            .collect();
        let range_of = |block: u64| (block - start) / RANGE;
        let pair = |is_same| {
            let mut pairs = mints.windows(2).skip(1);
            pairs.find(|pair| (range_of(pair[0]) == range_of(pair[1])) == is_same).unwrap()[0]
        };
        let (hidden, hidden_earlier) = (pair(true), pair(false));
        Self { recording, head, hidden, hidden_earlier, servers: JoinSet::new() }
    }

    /// A node of the chain on a port of its own, which may hide the logs of a block; returns its URL.
    async fn node(&mut self, hides: Option<u64>) -> String {
        let node = DemoNode::new(Arc::clone(&self.recording));
        let hidden = hides.map(|block| format!("{block:#x}"));
        let lie = from_fn(move |request: Request, next: Next| {
            let hidden = hidden.clone();
            async move {
                let answer = next.run(request).await;
                match hidden {
                    Some(hidden) => without_logs_of(answer, &hidden).await,
                    None => answer,
                }
            }
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = node.router().layer(lie);
        self.servers.spawn(async move { axum::serve(listener, router).await });
        url
    }

    /// The program, following these nodes into a database and serving it.
    fn run(&self, fresh: &Fresh, nodes: &[String]) -> Process {
        let said = NamedTempFile::new().unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_hallmark"));
        for (name, _) in hallmark::config::environment() {
            if name.to_string_lossy().starts_with("HALLMARK_") {
                command.env_remove(name);
            }
        }
        let registries = self.recording.registries();
        let codes: Vec<_> = registries.iter().map(|r| r.implementation.to_string()).collect();
        for registry in registries {
            let name = format!("HALLMARK_{}_REGISTRY", registry.kind.as_str().to_uppercase());
            command.env(name, registry.address.to_string());
        }
        let child = command
            .args(["--listen", "127.0.0.1:0"])
            .env("HALLMARK_CHAIN", "custom")
            // What is fetched beside following depends on when the program ended.
            .env("HALLMARK_REGISTRATION_FILES", "no")
            .env("HALLMARK_CHAIN_ID", self.recording.chain().0.to_string())
            .env("HALLMARK_START_BLOCK", self.recording.start_block().to_string())
            .env("HALLMARK_RPC_URL", nodes.join(","))
            .env("HALLMARK_DATABASE_URL", fresh.url())
            .env("HALLMARK_KNOWN_IMPLEMENTATIONS", codes.join(","))
            .env("HALLMARK_RANGE_MAX", RANGE.to_string())
            .env("HALLMARK_POLL_INTERVAL_MS", "10")
            .current_dir(std::env::temp_dir())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(said.reopen().unwrap())
            .spawn()
            .unwrap();
        Process { child, said }
    }
}

/// A transfer from nobody has four topics, the second of them zero.
fn is_mint(topics: &[alloy::primitives::B256]) -> bool {
    topics.len() == 4 && topics[1].is_zero()
}

/// An answer of a node without the logs of one block, wherever in it they stand.
async fn without_logs_of(answer: Response, block: &str) -> Response {
    fn strip(value: &mut Value, block: &str) {
        match value {
            Value::Array(items) => {
                items.retain(|item| item["logIndex"].is_null() || item["blockNumber"] != block);
                for item in items {
                    strip(item, block);
                }
            }
            Value::Object(members) => {
                for member in members.values_mut() {
                    strip(member, block);
                }
            }
            _ => {}
        }
    }
    let (mut parts, body) = answer.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap();
    let mut value: Value = serde_json::from_slice(&body).unwrap();
    strip(&mut value, block);
    parts.headers.remove("content-length");
    Response::from_parts(parts, Body::from(value.to_string()))
}

/// The program; ended with the value, also where a test fails.
struct Process {
    child: Child,
    said: NamedTempFile,
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Process {
    fn said(&self) -> String {
        std::fs::read_to_string(self.said.path()).unwrap()
    }

    /// Waits until the service says that the last block applied is this one; returns its state of the chain.
    async fn reaches(&mut self, head: u64) -> Value {
        let reached = async {
            loop {
                assert!(self.child.try_wait().unwrap().is_none(), "it ended:\n{}", self.said());
                if let Some(status) = self.status().await
                    && status["indexed"]["number"] == head
                {
                    return status;
                }
                sleep(Duration::from_millis(20)).await;
            }
        };
        let reached = timeout(LIMIT, reached).await;
        reached.unwrap_or_else(|_| panic!("block {head} was not reached:\n{}", self.said()))
    }

    /// What the service says of the chain, once it serves.
    async fn status(&self) -> Option<Value> {
        let said = self.said();
        let (_, rest) = said.split_once("serving address=")?;
        let address = rest.split_whitespace().next()?;
        let answer = reqwest::get(format!("http://{address}/v1/status")).await.ok()?;
        let status: Value = serde_json::from_str(&answer.text().await.ok()?).ok()?;
        Some(status["chains"].get(0)?.clone())
    }

    /// SIGTERM, upon which the program ends well.
    fn stop(mut self) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        let status = self.child.wait().unwrap();
        assert!(status.success(), "{status}:\n{}", self.said());
    }
}

/// What an honest node alone leads to.
async fn truth(stage: &mut Stage, fresh: &Fresh) -> Fresh {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let undisturbed = fresh.another().await;
    let honest = stage.node(None).await;
    let mut process = stage.run(&undisturbed, &[honest]);
    let status = process.reaches(stage.head).await;
    assert_eq!(status["findings"], serde_json::json!([]));
    assert_eq!(status["degraded"], serde_json::json!([]));
    process.stop();
    undisturbed
}

on_both_engines! {
    /// The liar is preferred, and is benched before anything wrong is recorded.
    async fn beside_an_honest_node_a_liar_changes_nothing_and_is_named(fresh: Fresh) {
        let mut stage = Stage::new();
        let truth = truth(&mut stage, fresh).await;
        let (liar, honest) = (stage.node(Some(stage.hidden)).await, stage.node(None).await);
        let mut process = stage.run(fresh, &[liar.clone(), honest.clone()]);
        let status = process.reaches(stage.head).await;
        process.stop();
        let (found, expected) = (dump(fresh.url()).await, dump(truth.url()).await);
        assert_same(&found, &expected, &[&["finding"], OF_RECORDS.as_slice()].concat(), "beside a liar");
        let providers = &status["providers"];
        assert_eq!((&providers[0]["url"], &providers[0]["state"]), (&liar.clone().into(), &"benched".into()));
        assert_eq!((&providers[1]["url"], &providers[1]["state"]), (&honest.into(), &"healthy".into()));
        assert!(providers[0]["benched_until"].is_string() && providers[0]["reason"].is_string());
        assert_eq!(providers[1]["disagreements"], 0);
        let findings = status["findings"].as_array().unwrap();
        let about_liar: Vec<_> = findings.iter().filter(|f| f["provider"] == liar).collect();
        assert!(!about_liar.is_empty(), "{status}");
        for finding in about_liar {
            assert_eq!(finding["kind"], "logs-left-out", "{finding}");
            let blocks = &finding["blocks"];
            let range = blocks["from"].as_u64().unwrap()..=blocks["to"].as_u64().unwrap();
            assert!(range.contains(&stage.hidden), "{finding}");
        }
        assert_eq!(status["degraded"], serde_json::json!([]));
        assert_eq!(status["completeness"]["gaps"], 0);
    }

    /// Nothing shows the lie before it is recorded: the next mint does, ranges later. Then the record is made anew from there.
    async fn what_a_liar_left_out_of_an_earlier_range_is_put_right(fresh: Fresh) {
        let mut stage = Stage::new();
        let truth = truth(&mut stage, fresh).await;
        let hidden = stage.hidden_earlier;
        let (liar, honest) = (stage.node(Some(hidden)).await, stage.node(None).await);
        let mut process = stage.run(fresh, &[liar, honest]);
        let status = process.reaches(stage.head).await;
        process.stop();
        let (found, expected) = (dump(fresh.url()).await, dump(truth.url()).await);
        for table in ["registry_event", "span", "observation", "reorg", "chain_tag"] {
            assert_eq!(found[table], expected[table], "{table}");
        }
        assert_eq!(status["providers"][0]["state"], "benched", "{status}");
        assert_eq!(status["degraded"], serde_json::json!([]));
    }

    /// Alone it cannot be corrected, but it is found out: following goes on, and the state says what is missing.
    async fn alone_a_liar_is_found_out_by_the_numbers_of_agents(fresh: Fresh) {
        let mut stage = Stage::new();
        let _ = rustls::crypto::ring::default_provider().install_default();
        let liar = stage.node(Some(stage.hidden)).await;
        let mut process = stage.run(fresh, &[liar]);
        let status = process.reaches(stage.head).await;
        process.stop();
        let findings = status["findings"].as_array().unwrap();
        let missing = findings.iter().find(|f| f["kind"] == "agents-missing").expect("it is noted");
        assert!(missing["detail"].as_str().unwrap().contains("1 agents are missing"), "{missing}");
        assert_eq!(status["completeness"]["gaps"], 1);
        assert_eq!(status["degraded"].as_array().unwrap().len(), 1, "{status}");
    }
}
