//! Who signs: wallets that are contracts, keys of other hosts' documents, and the service itself.

use std::process::Command;
use std::sync::Arc;

use alloy::primitives::{Address, B256, Bytes};
use alloy::signers::SignerSync;
use alloy::sol_types::{SolCall, SolValue};
use axum::body::Body;
use axum::http::{Method, Request};
use hallmark::app::ContractWallets;
use hallmark::attest::jose::Typ;
use hallmark::attest::key::{KeyKind, PrivateKey};
use hallmark::attest::statement::{Scheme, Statement};
use hallmark::attest::{Attestation, credential, jose};
use hallmark::chain::endpoint::Endpoint;
use hallmark::chain::{Provider, Providers, ProvidersOptions, Role, RpcOptions, RpcSource};
use hallmark::did::web::WebHost;
use hallmark::vocab::{AccountId, ChainId};
use serde_json::{Value, json};

use crate::support::anvil::{Anvil, CHAIN_ID, account};
use crate::support::databases::Fresh;
use crate::support::elsewhere::{Elsewhere, ISSUER_SEED};
use crate::support::registries::{contract_wallet_of, wallet_factory};
use crate::support::service::{Reply, Service, state};
use crate::support::tale;

mod abi {
    alloy::sol! {
        function create(address keeper, bytes32 salt) external returns (address);
        function addressOf(address keeper, bytes32 salt) external view returns (address);
    }
}

fn record(issuer: &str, seconds_ago: u64, now: u64, id: &str) -> Value {
    let time = hallmark::vocab::UnixSeconds::new(now - seconds_ago).unwrap();
    json!({
        "attestation": {
            "schemaVersion": "attestation/v1", "id": id, "issuer": issuer, "issuerKind": "agent", "subject": "did:web:b.example",
            "claim": { "type": "peer.assessment", "data": { "tag": "reliable" } }, "issuedAt": time.to_string(),
        },
        "context": {},
    })
}

async fn post(service: &Service, kind: &str, body: String) -> Reply {
    let request = Request::builder().method(Method::POST).uri("/v1/attestations");
    service.send(request.header("content-type", kind).body(Body::from(body)).unwrap()).await
}

fn detail(reply: &Reply) -> String {
    assert_eq!(reply.status, 422, "{}", reply.text());
    reply.problem()["detail"].as_str().unwrap().to_owned()
}

/// A statement whose signature is made of what its wallet would have to sign.
fn statement(record: &Value, wallet: Address, sign: impl Fn(B256) -> Vec<u8>) -> String {
    let attestation = Attestation::from_value(record.clone()).unwrap();
    let mut statement = Statement {
        scheme: Scheme::Eip712,
        account: AccountId { chain: ChainId(CHAIN_ID), address: wallet },
        signature: Bytes::new(),
        said_at: attestation.said_at().unwrap(),
        attestation,
    };
    statement.signature = sign(statement.digest()).into();
    statement.to_value().to_string()
}

/// A contract is asked whether it signed, in the state of the head; one that is not deployed yet by how it comes to be.
#[tokio::test]
async fn contracts_sign_what_is_said() {
    let (fresh, anvil) = (Fresh::sqlite().await, Anvil::spawn().await);
    let now = anvil.block(anvil.head().await).await.header.timestamp;
    let source = RpcSource::new(Endpoint::parse(&anvil.http_url()).unwrap(), RpcOptions::default());
    let node = Provider { source: source.unwrap(), name: "node".to_owned(), role: Role::Both };
    let chain = ChainId(CHAIN_ID);
    let nodes = Providers::new(vec![node], ProvidersOptions::new(chain));
    let mut settings =
        state(&fresh.database().await, hallmark::vocab::UnixSeconds::new(now).unwrap());
    settings.contracts = Some(Arc::new(ContractWallets::new(Arc::new(nodes), chain)));
    let service = Service::new(settings);
    let (keeper, stranger) = (account("keeper"), account("stranger"));
    let by = |key: &alloy::signers::local::PrivateKeySigner| {
        let key = key.clone();
        move |digest: B256| key.sign_hash_sync(&digest).unwrap().as_bytes().to_vec()
    };
    let wallet = contract_wallet_of(&anvil, keeper.address()).await;
    let name = |address: Address| format!("eip155:{CHAIN_ID}:{address}");
    let said = record(&name(wallet), 10, now, "a");
    let wrong = post(&service, "application/json", statement(&said, wallet, by(&stranger))).await;
    assert!(detail(&wrong).contains("ERC-1271"), "{}", wrong.text());
    let good = post(&service, "application/json", statement(&said, wallet, by(&keeper))).await;
    assert_eq!(
        (good.status, &good.json()["verdict"]["signed_by"]),
        (201, &json!("erc1271")),
        "{}",
        good.text()
    );
    // The block at whose end it was asked is part of the verdict, also later.
    let head = anvil.block(anvil.head().await).await.header;
    let asked_at = json!({ "number": head.number, "hash": head.hash });
    assert_eq!(good.json()["verdict"]["asked_at"], asked_at, "{}", good.text());
    let digest = good.json()["digest"].as_str().unwrap().to_owned();
    let kept = service.ok(&format!("/v1/attestations/{digest}")).await;
    assert_eq!(kept["verdict"]["asked_at"], asked_at, "{kept}");

    let (factory, salt) = (wallet_factory(&anvil).await, B256::repeat_byte(7));
    let call = abi::addressOfCall { keeper: keeper.address(), salt }.abi_encode();
    let answer = anvil.read(factory, call.into(), anvil.head().await).await.unwrap();
    let to_be = Address::abi_decode(&answer).unwrap();
    let creation: Bytes = abi::createCall { keeper: keeper.address(), salt }.abi_encode().into();
    let said = record(&name(to_be), 10, now, "b");
    let bare = post(&service, "application/json", statement(&said, to_be, by(&keeper))).await;
    assert!(detail(&bare).contains("no contract is at the account"), "{}", bare.text());
    let wrapped = statement(&said, to_be, |digest| {
        let inner: Bytes = by(&keeper)(digest).into();
        let inner = (factory, creation.clone(), inner).abi_encode_params();
        [inner, [0x64, 0x92].repeat(16)].concat()
    });
    let good = post(&service, "application/json", wrapped).await;
    assert_eq!(
        (good.status, &good.json()["verdict"]["signed_by"]),
        (201, &json!("erc6492")),
        "{}",
        good.text()
    );
}

/// A key in the document of another host signs what its subject says, from shortly before it was first seen there; one that stands there
/// for something else signs nothing.
#[tokio::test(flavor = "multi_thread")]
async fn keys_of_other_hosts_sign_what_they_say() {
    let (fresh, host) = (Fresh::sqlite().await, Elsewhere::new().await);
    let (service, _) = host.resolver(&fresh, &["localhost"]).await;
    let now = tale::time(20).get();
    let did = host.did("issuer");
    let key = PrivateKey::from_bytes(KeyKind::Ed25519, &ISSUER_SEED).unwrap();
    let say = |seconds_ago: u64, issuer: &str, method: &str, id: &str| {
        let attestation = Attestation::from_value(record(issuer, seconds_ago, now, id)).unwrap();
        let said = attestation.said_at().unwrap();
        let document = credential::of_attestation(&attestation, issuer, &WebHost::local(1), said);
        jose::sign(&key, method, Typ::Of("vc+jwt"), &serde_json::to_vec(&document).unwrap())
    };
    let send = async |jwt: String| post(&service, "application/vc+jwt", jwt).await;
    let method = format!("{did}#one");
    let good = send(say(10, &did, &method, "a")).await;
    assert_eq!(good.status, 201, "{}", good.text());
    assert_eq!(good.json()["verdict"]["right"]["basis"], "document");
    let old = send(say(10_000, &did, &method, "b")).await;
    assert!(detail(&old).contains("did not speak for"), "{}", old.text());
    let for_login = send(say(10, &did, &format!("{did}#login"), "c")).await;
    assert!(detail(&for_login).contains("assertionMethod"), "{}", for_login.text());
    let unknown = send(say(10, &did, &format!("{did}#two"), "d")).await;
    assert!(detail(&unknown).contains("no key of this name"), "{}", unknown.text());
    // Whose key it is, is not whose word it is said to be.
    let stolen = send(say(10, "did:web:b.example", &method, "e")).await;
    assert!(detail(&stolen).contains("the issuer is did:web:b.example"), "{}", stolen.text());
    let elsewhere = host.did("missing");
    let missing = send(say(10, &elsewhere, &format!("{elsewhere}#one"), "f")).await;
    assert_eq!(missing.status, 503, "{}", missing.text());
}

fn hallmark(folder: &std::path::Path, args: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hallmark"));
    let output = command.current_dir(folder).args(args).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

/// `hallmark attest` signs with the service's key; a record of somebody else's is not signed, and harms no other.
#[test]
fn the_command_line_signs_for_the_service() {
    let folder = tempfile::tempdir().unwrap();
    let run = |args: &[&str]| hallmark(folder.path(), args);
    let say = [
        "attest",
        "--subject",
        "did:web:b.example",
        "--claim-type",
        "peer.assessment",
        "--data",
        r#"{"tag":"reliable"}"#,
        "--confidence",
        "0.94",
        "--print",
    ];
    let (code, _, told) = run(&say);
    assert_eq!(code, 1);
    assert!(told.contains("hallmark keys new"), "{told}");
    assert_eq!(run(&["keys", "new"]).0, 0);
    // A new key signs some seconds later.
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
    let (code, signed, told) = loop {
        let done = run(&say);
        if done.0 == 0 || std::time::Instant::now() > deadline {
            break done;
        }
        std::thread::sleep(std::time::Duration::from_millis(300));
    };
    assert_eq!(code, 0, "{told}");
    let parts: Vec<_> = signed.trim().split('.').collect();
    assert_eq!(parts.len(), 3);
    std::fs::write(folder.path().join("records"), "{\"attestation\": {}, \"context\": {}}\n")
        .unwrap();
    let (code, signed, told) = run(&["attest", "records", "--print"]);
    assert_eq!((code, signed.as_str()), (3, ""));
    assert!(told.contains("line 1 is not signed") && told.contains("schemaVersion"), "{told}");
    let (code, _, told) =
        run(&["attest", "--subject", "nobody at all", "--claim-type", "x", "--print"]);
    assert_eq!(code, 3, "{told}");
    assert!(told.contains("names nobody"), "{told}");
    assert_eq!(run(&["attest", "--print"]).0, 2);
}
