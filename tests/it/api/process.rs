//! The real program serves what other processes write: committed, undone, and written while it was not there.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::NamedTempFile;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::told::{self, ALICE, BOT, SPARE, wallet};
use crate::support::databases::{Fresh, on_both_engines};
use crate::support::tale::START;

/// No machine takes so long to start, or to show what was committed.
const LIMIT: Duration = Duration::from_mins(1);
const LOOK_AGAIN: Duration = Duration::from_millis(5);

/// `hallmark serve`; killed when this is dropped.
pub(crate) struct Serving {
    child: Child,
    said: NamedTempFile,
    address: String,
}

/// The program, on a database.
fn program(fresh: &Fresh) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hallmark"));
    for (name, _) in hallmark::config::environment() {
        if name.to_string_lossy().starts_with("HALLMARK_") {
            command.env_remove(name);
        }
    }
    command
        .env("HALLMARK_CHAIN", "base")
        .env("HALLMARK_START_BLOCK", START.to_string())
        .env("HALLMARK_DATABASE_URL", fresh.url())
        .current_dir(std::env::temp_dir())
        .stdin(Stdio::null());
    command
}

impl Serving {
    async fn start(fresh: &Fresh) -> Self {
        Self::with(fresh, &[]).await
    }

    /// Starts it with more variables, and waits until it listens.
    pub(crate) async fn with(fresh: &Fresh, more: &[(&str, &str)]) -> Self {
        let said = NamedTempFile::new().unwrap();
        let child = program(fresh)
            .arg("serve")
            .env("HALLMARK_LISTEN", "127.0.0.1:0")
            .env("HALLMARK_RATE_LIMIT_PER_S", "0")
            .envs(more.iter().copied())
            .stdout(Stdio::null())
            .stderr(said.reopen().unwrap())
            .spawn()
            .unwrap();
        let mut serving = Self { child, said, address: String::new() };
        let listens = async {
            loop {
                let text = serving.said();
                // The line is whole once it ends.
                let line =
                    text.split_inclusive('\n').find(|line| line.contains("serving address="));
                if let Some(address) = line.and_then(|line| line.strip_suffix('\n')) {
                    return address.split_once("address=").unwrap().1.trim().to_owned();
                }
                assert!(serving.child.try_wait().unwrap().is_none(), "it ended: {text}");
                tokio::time::sleep(LOOK_AGAIN).await;
            }
        };
        serving.address = timeout(LIMIT, listens).await.expect("it listens");
        serving
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// All it has said so far.
    pub(crate) fn said(&self) -> String {
        std::fs::read_to_string(self.said.path()).unwrap()
    }

    /// Its whole answer to a GET, headers included.
    pub(crate) async fn answer(&self, path: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).await.unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    }

    /// The body of a GET that must succeed.
    pub(crate) async fn get(&self, path: &str) -> Value {
        let answer = self.answer(path).await;
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 200"), "{answer}");
        serde_json::from_str(body).unwrap()
    }

    /// Waits until the current answer about Spare is of a block, and holds its count against what is expected. No answer on the way
    /// may be of a state that was never committed: each is one of those in `states`.
    async fn shows(&self, states: &[(u64, u64)]) {
        let wanted = *states.last().unwrap();
        let shown = async {
            loop {
                let answer = self.get(&format!("/v1/wallets/{SPARE}/agents")).await;
                let number = answer["as_of"]["block"]["number"].as_u64().unwrap();
                let state = (number, answer["count"].as_u64().unwrap());
                assert!(states.contains(&state), "{state:?} was never committed: {states:?}");
                if state == wanted {
                    return;
                }
                tokio::time::sleep(LOOK_AGAIN).await;
            }
        };
        assert!(timeout(LIMIT, shown).await.is_ok(), "{wanted:?} was not shown");
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        // Both fail only where it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

on_both_engines! {
    /// `hallmark did` prints what the service answers: a DID's links, of all time and as of a block, and what a DID URL names.
    async fn identifiers_on_the_command_line(fresh: Fresh) {
        let database = fresh.database().await;
        told::tell(&database).await;
        database.close().await;
        let agent = "did:web:localhost%3A8004:agents:8453:0";
        let account = format!("did:pkh:eip155:8453:{BOT}");
        let run = |arguments: &[&str]| -> (Option<i32>, Value) {
            let output = program(fresh).arg("did").args(arguments).arg("--json").output().unwrap();
            let printed = String::from_utf8(output.stdout).unwrap();
            let first = printed.lines().next().map(|line| serde_json::from_str(line).unwrap());
            (output.status.code(), first.unwrap_or_default())
        };
        let (code, links) = run(&[&account, "--links"]);
        assert_eq!((code, &links["items"][0]["subject"]), (Some(0), &json!(agent)), "{links}");
        assert_eq!(links["items"][0]["both_ways"], true);
        let (code, none) = run(&[&account, "--links", "--at", "block:9"]);
        assert_eq!((code, &none["items"]), (Some(3), &json!([])));
        let (code, links) = run(&[agent, "--links", "--at", "block:10"]);
        assert_eq!((code, links["items"].as_array().map(Vec::len)), (Some(0), Some(2)), "{links}");
        let method = format!("{agent}#eip155:8453:{BOT}");
        let (code, found) = run(&[&method, "--at", "block:10"]);
        assert_eq!((code, &found["content"]["controller"]), (Some(0), &json!(agent)), "{found}");
        assert_eq!(run(&[&method]).0, Some(3));
        let (code, problem) = run(&[agent, "--at", "block:99"]);
        assert_eq!((code, &problem["type"]), (Some(1), &json!("/problems/not-indexed-yet")));
    }

    /// Commits and a reorganisation while it serves, and what was written between two runs.
    async fn what_another_process_writes_is_served(fresh: Fresh) {
        let database = fresh.database().await;
        let mut tale = told::tell(&database).await;
        let serving = Serving::start(fresh).await;
        serving.shows(&[(16, 0)]).await;
        wallet(&mut tale, 1, Some(SPARE));
        tale.block().await;
        serving.shows(&[(16, 0), (17, 1)]).await;
        tale.fork_at(15);
        tale.quiet(3).await;
        serving.shows(&[(17, 1), (18, 0)]).await;
        drop(serving);

        tale.fork_at(16);
        wallet(&mut tale, 1, Some(SPARE));
        tale.block().await;
        let serving = Serving::start(fresh).await;
        serving.shows(&[(17, 1)]).await;
        let then = serving.get(&format!("/v1/wallets/{ALICE}/agents?at=block:9")).await;
        assert_eq!(then["outcome"], json!("several"));
    }
}
