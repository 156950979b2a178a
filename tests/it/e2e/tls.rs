//! Following nodes over TLS: https and wss, by an authority of the operator's own, and what is said where nobody vouches for a node.

use std::net::SocketAddr;
use std::process::{Command, Output, Stdio};
use std::sync::Arc;
use std::time::Duration;

use hallmark::chain::endpoint::Endpoint;
use hallmark::chain::{ChainError, ChainSource, RpcOptions, RpcSource, Trust};
use hallmark::demo::{DemoNode, Recording};
use hallmark::storage::Database;
use tempfile::TempDir;
use tokio::time::{sleep, timeout};

use super::who;
use crate::support::anvil::Anvil;
use crate::support::databases::on_both_engines;
use crate::support::indexer::Indexer;
use crate::support::registries::Registries;
use crate::support::tls::{Door, Secured};

const LIMIT: Duration = Duration::from_mins(2);

/// A node's own port behind TLS, and the port of the door.
async fn secured(url: &str) -> (Secured, u16) {
    let door = Door::open().await;
    let address: SocketAddr = url.split_once("//").unwrap().1.parse().unwrap();
    let port = door.port;
    (door.before(address), port)
}

fn trust(secured: &Secured) -> Trust {
    let mut trust = Trust::default();
    trust.add_pem(&std::fs::read(secured.authority()).unwrap()).unwrap();
    trust
}

/// Follows a chain that grows and is replaced, over this scheme.
async fn follows(scheme: &str, db: Database) {
    let anvil = Anvil::spawn().await;
    let registries = Registries::deploy(&anvil).await;
    let (secured, port) = secured(&anvil.http_url()).await;
    let mut indexer = Indexer::new(&registries, db);
    indexer.url = format!("{scheme}://localhost:{port}");
    indexer.trust = trust(&secured);
    if scheme == "wss" {
        // Only the subscription explains then that blocks arrive.
        indexer.rpc.poll_interval = Duration::from_hours(1);
    }
    indexer
        .while_following(Box::pin(async {
            indexer.reaches_head().await;
            anvil.send(registries.register(who("alice"))).await;
            indexer.reaches_head().await;
            anvil.reorg(1).await;
            anvil.send(registries.register(who("bob"))).await;
            indexer.reaches_head().await;
        }))
        .await;
    let head = anvil.head().await;
    assert_eq!(indexer.owner_at(0, head).await, Some(who("bob")));
    indexer.equals_contract(&registries, registries.first_answer()..=head).await;
}

on_both_engines! {
    async fn a_node_is_followed_over_https(db: Database) {
        follows("https", db).await;
    }

    async fn a_node_is_followed_over_wss(db: Database) {
        follows("wss", db).await;
    }
}

/// A node of the recorded chain behind TLS.
async fn recorded() -> (Secured, u16, Arc<Recording>) {
    let recording = Arc::new(Recording::shipped().unwrap());
    let door = Door::open().await;
    let port = door.port;
    let node = DemoNode::new(Arc::clone(&recording));
    (door.serve(node.router()).await, port, recording)
}

/// Asking again would bring the same certificate, so it is said at once, and how it is mended.
#[tokio::test]
async fn a_certificate_that_nobody_vouches_for_is_refused_and_named() {
    let (secured, port, recording) = recorded().await;
    for scheme in ["https", "wss"] {
        let ask = async |host: &str, trust: &Trust| {
            let url = format!("{scheme}://{host}:{port}/?key=0123456789secret");
            let endpoint = Endpoint::parse(&url).unwrap();
            let source = RpcSource::trusting(endpoint, RpcOptions::default(), trust).unwrap();
            source.chain_id().await
        };
        let by_address = ask("127.0.0.1", &trust(&secured)).await.unwrap_err();
        for (error, why) in [
            (ask("localhost", &Trust::default()).await.unwrap_err(), "UnknownIssuer"),
            (by_address, "not valid for name"),
        ] {
            assert!(matches!(error, ChainError::Fatal { .. }), "{error:?}");
            let text = error.to_string();
            for part in [scheme, "its certificate is not trusted", why, "`tls_certificates`"] {
                assert!(text.contains(part), "{part} is not in: {text}");
            }
            assert!(!text.contains("secret"), "{text}");
        }
        if scheme == "https" {
            let found = ask("localhost", &trust(&secured)).await.unwrap();
            assert_eq!(found, recording.chain());
        }
    }
}

/// The program with a node behind TLS; ended at the latest with the value.
fn program(recording: &Recording, port: u16, folder: &TempDir, certificates: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hallmark"));
    for (name, _) in hallmark::config::environment() {
        if name.to_string_lossy().starts_with("HALLMARK_") {
            command.env_remove(name);
        }
    }
    for registry in recording.registries() {
        let name = format!("HALLMARK_{}_REGISTRY", registry.kind.as_str().to_uppercase());
        command.env(name, registry.address.to_string());
    }
    command
        .arg("follow")
        .env("HALLMARK_CHAIN", "custom")
        .env("HALLMARK_CHAIN_ID", recording.chain().0.to_string())
        .env("HALLMARK_START_BLOCK", recording.start_block().to_string())
        .env("HALLMARK_RPC_URL", format!("https://localhost:{port}"))
        .env("HALLMARK_TLS_CERTIFICATES", certificates)
        .env("HALLMARK_DATABASE_URL", database_url(folder))
        .current_dir(std::env::temp_dir())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    command
}

fn database_url(folder: &TempDir) -> String {
    format!("sqlite://{}", folder.path().join("hallmark.db").display())
}

/// What a program says that ends by itself.
async fn ended(mut command: Command) -> Output {
    let ended = tokio::task::spawn_blocking(move || command.output().unwrap());
    timeout(LIMIT, ended).await.expect("it ends by itself").unwrap()
}

#[tokio::test]
async fn the_program_follows_a_node_by_the_authority_that_its_operator_names() {
    let (secured, port, recording) = recorded().await;
    let folder = TempDir::new().unwrap();
    let authority = secured.authority().display().to_string();
    for (certificates, expected) in [
        ("", "its certificate is not trusted"),
        ("/no/such/authority.pem", "cannot read `/no/such/authority.pem` of `tls_certificates`"),
        ("Cargo.toml", "of `tls_certificates`"),
    ] {
        let output = ended(program(&recording, port, &folder, certificates)).await;
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{certificates}: {said}");
        assert!(said.contains(expected), "{certificates}: {said}");
    }
    let head = DemoNode::new(Arc::clone(&recording)).look(hallmark::demo::Play::head);
    let mut child = program(&recording, port, &folder, &authority).spawn().unwrap();
    let reached = async {
        loop {
            sleep(Duration::from_millis(50)).await;
            let Ok(database) = Database::open_existing(&database_url(&folder)).await else {
                continue;
            };
            let mut tx = database.begin_read().await.unwrap();
            let tags = tx.tags().await;
            if tags.is_ok_and(|tags| tags.indexed.is_some_and(|at| at.block.number == head)) {
                return;
            }
        }
    };
    let reached = timeout(LIMIT, reached).await;
    child.kill().unwrap();
    child.wait().unwrap();
    reached.expect("the head is reached");
}
