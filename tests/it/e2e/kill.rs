//! The process is killed twenty times during its backfill, and ends with the tables of a run that nobody disturbed.
//!
//! The real program follows the recorded chain of the demo, in ranges so small that there are many commits, over a node so slow that
//! there is time to hit them. It is killed at drawn moments: while it starts and migrates, and while its cursor moves.

use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use hallmark::demo::{DemoNode, Recording};
use sqlx::{Connection, PgConnection, SqliteConnection};
use tempfile::NamedTempFile;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::support::databases::{Fresh, on_both_engines};
use crate::support::dump::{OF_RECORDS, assert_same, dump};
use crate::support::life::Draw;

const KILLS: u64 = 20;
/// So many of them fall into start and migration.
const EARLY_KILLS: u64 = 6;
/// Blocks in one range, and thereby in one commit.
const RANGE: u64 = 20;
const ANSWER_DELAY: Duration = Duration::from_millis(10);
const LIMIT: Duration = Duration::from_mins(1);
/// The cursor and the highest block, as of one moment.
const CURSOR: &str = "
    SELECT (SELECT number FROM chain_tag WHERE tag = 'indexed'), (SELECT MAX(number) FROM block)";

/// The demo's node, slow, on a port of its own; it stops when this is dropped.
struct SlowNode {
    recording: Arc<Recording>,
    url: String,
    head: u64,
    _server: JoinSet<std::io::Result<()>>,
}

impl SlowNode {
    async fn start() -> Self {
        let recording = Arc::new(Recording::shipped().unwrap());
        let node = DemoNode::new(Arc::clone(&recording));
        let head = node.look(hallmark::demo::Play::head);
        let slowly = from_fn(|request: Request, next: Next| async {
            sleep(ANSWER_DELAY).await;
            next.run(request).await
        });
        let router = node.router().layer(slowly);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let mut server = JoinSet::new();
        server.spawn(async move { axum::serve(listener, router).await });
        Self { recording, url, head, _server: server }
    }

    /// The program, following this node into a database. What it says goes to a file.
    fn follow_into(&self, fresh: &Fresh) -> Process {
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
            .arg("follow")
            .env("HALLMARK_CHAIN", "custom")
            // No test leaves the machine.
            .env("HALLMARK_REGISTRATION_FILES", "no")
            .env("HALLMARK_CHAIN_ID", self.recording.chain().0.to_string())
            .env("HALLMARK_START_BLOCK", self.recording.start_block().to_string())
            .env("HALLMARK_RPC_URL", &self.url)
            .env("HALLMARK_DATABASE_URL", fresh.url())
            .env("HALLMARK_KNOWN_IMPLEMENTATIONS", codes.join(","))
            .env("HALLMARK_RANGE_MAX", RANGE.to_string())
            .env("HALLMARK_RANGE_CONCURRENCY", "2")
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

struct Process {
    child: Child,
    said: NamedTempFile,
}

impl Process {
    /// Fails where the program has ended by itself.
    fn must_run(&mut self) {
        if let Some(status) = self.child.try_wait().unwrap() {
            let said = std::fs::read_to_string(self.said.path()).unwrap();
            panic!("it ended by itself, {status}:\n{said}");
        }
    }

    /// Waits until the cursor is at a block or above it; returns where it then is.
    async fn reaches(&mut self, fresh: &Fresh, block: u64) -> u64 {
        let reached = async {
            loop {
                self.must_run();
                match cursor(fresh.url()).await {
                    Some(cursor) if cursor >= block => return cursor,
                    _ => sleep(Duration::from_millis(1)).await,
                }
            }
        };
        timeout(LIMIT, reached).await.unwrap_or_else(|_| panic!("block {block} was not reached"))
    }

    /// SIGKILL.
    fn kill(mut self) {
        self.must_run();
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// SIGTERM, upon which the program ends well.
    fn stop(mut self) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        let status = self.child.wait().unwrap();
        let said = std::fs::read_to_string(self.said.path()).unwrap();
        assert!(status.success(), "{status}:\n{said}");
    }
}

/// The cursor of a database that may not have its tables yet, or be locked. Whenever it is looked at, the highest block is the cursor's:
/// a kill rarely falls between two commits, a look often does.
///
/// It is read only while the program runs: the last connection to a SQLite file tidies up after a killed process, which is for the
/// program to do.
async fn cursor(url: &str) -> Option<u64> {
    let (cursor, highest): (Option<i64>, Option<i64>) = if url.starts_with("sqlite:") {
        let mut conn = SqliteConnection::connect(url).await.ok()?;
        sqlx::query_as(CURSOR).fetch_one(&mut conn).await.ok()?
    } else {
        let mut conn = PgConnection::connect(url).await.ok()?;
        sqlx::query_as(CURSOR).fetch_one(&mut conn).await.ok()?
    };
    assert_eq!(cursor, highest, "blocks and cursor were not written at once");
    u64::try_from(cursor?).ok()
}

on_both_engines! {
    /// Neither a gap nor a duplicate is left, wherever it hits.
    async fn killed_twenty_times_it_ends_with_the_same_tables(fresh: Fresh) {
        let node = SlowNode::start().await;
        let undisturbed = fresh.another().await;
        let mut whole = node.follow_into(&undisturbed);
        whole.reaches(&undisturbed, node.head).await;
        whole.stop();

        fresh.empty().await;
        let mut draw = Draw::new(20);
        let mut at = 0;
        let mut places = std::collections::BTreeSet::new();
        for kill in 0..KILLS {
            let mut process = node.follow_into(fresh);
            if kill < EARLY_KILLS {
                sleep(Duration::from_millis(draw.below(80))).await;
            } else {
                let wanted = at + 1 + draw.below(8 * RANGE);
                at = process.reaches(fresh, wanted).await;
                assert!(at < node.head, "the backfill was over before the kill {kill}");
                places.insert(at);
                sleep(Duration::from_micros(draw.below(12_000))).await;
            }
            process.kill();
        }
        assert!(places.len() > 8, "killed only at {places:?}");
        let mut last = node.follow_into(fresh);
        last.reaches(fresh, node.head).await;
        last.stop();
        let (found, expected) = (dump(fresh.url()).await, dump(undisturbed.url()).await);
        let events = found["registry_event"].len();
        assert!(events > 100, "{events} events");
        assert_same(&found, &expected, &OF_RECORDS, "after twenty kills");
    }
}
