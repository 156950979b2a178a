//! Wallets that are contracts, on a real chain: deployed, not deployed yet, and accounts that are both key and contract.

use std::sync::Arc;

use alloy::eips::eip7702::Authorization;
use alloy::network::TransactionBuilder7702 as _;
use alloy::primitives::{Address, B256, Bytes, U256, hex};
use alloy::providers::Provider as _;
use alloy::rpc::types::TransactionRequest;
use alloy::signers::SignerSync;
use alloy::signers::local::PrivateKeySigner;
use alloy::sol_types::{SolCall, SolValue};
use hallmark::app::ContractWallets;
use hallmark::chain::endpoint::Endpoint;
use hallmark::chain::{Provider, Providers, ProvidersOptions, Role, RpcOptions, RpcSource};
use hallmark::demo::{DemoNode, Recording};
use hallmark::storage::Database;
use hallmark::vocab::ChainId;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use url::Url;

use super::{Desk, problem};
use crate::support::anvil::{Anvil, CHAIN_ID, Call, Chain, account};
use crate::support::databases::Fresh;
use crate::support::registries::{contract_wallet_of, wallet_factory};

mod abi {
    alloy::sol! {
        function create(address keeper, bytes32 salt) external returns (address);
        function addressOf(address keeper, bytes32 salt) external view returns (address);
    }
}

/// A desk beside a chain, and a character with its token.
async fn desk(database: &Database, chain: &Chain) -> (Desk, String) {
    beside(database, &chain.http_url(), ChainId(CHAIN_ID)).await
}

/// A desk beside a node.
async fn beside(database: &Database, url: &str, chain: ChainId) -> (Desk, String) {
    let url: Url = url.parse().unwrap();
    let source = RpcSource::new(Endpoint::parse(url.as_str()).unwrap(), RpcOptions::default());
    let node = Provider { source: source.unwrap(), name: "node".to_owned(), role: Role::Both };
    let nodes = Providers::new(vec![node], ProvidersOptions::new(chain));
    let contracts = ContractWallets::new(Arc::new(nodes), chain);
    let desk = Desk::with(database, |state| state.contracts = Some(Arc::new(contracts)));
    let token = desk.create("ada").await;
    (desk, token)
}

/// The demo's node has no contract wallets, and says so: a wrong signature is refused as one and not put off.
#[tokio::test]
async fn the_demos_node_knows_that_nobody_signed() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let recording = Arc::new(Recording::shipped().unwrap());
    let chain = recording.chain();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let mut server = JoinSet::new();
    server.spawn(DemoNode::new(recording).serve(listener, std::future::pending()));
    let fresh = Fresh::sqlite().await;
    let (desk, token) = beside(&fresh.database().await, &url, chain).await;
    let one = account("one");
    let of = format!("{chain}:{}", one.address());
    let message = desk.challenge("ada", &of, "link", Some(&token)).await;
    let forged = sign(&account("two"), &message);
    let reply = desk.prove(&message, &hex::encode_prefixed(&forged)).await;
    assert_eq!(problem(&reply), (422, "not-signed".to_owned()), "{}", reply.text());
    assert!(reply.text().contains("no contract is at the account"), "{}", reply.text());
    let nobody = wrapped(account("three").address(), b"make", &forged);
    let reply = desk.prove(&message, &nobody).await;
    assert_eq!(problem(&reply), (422, "not-signed".to_owned()), "{}", reply.text());
    let reply = desk.prove(&message, &hex::encode_prefixed(sign(&one, &message))).await;
    assert_eq!(reply.status, 201, "{}", reply.text());
}

fn on_chain(address: Address) -> String {
    format!("eip155:{CHAIN_ID}:{address}")
}

fn sign(key: &PrivateKeySigner, message: &str) -> Vec<u8> {
    key.sign_message_sync(message.as_bytes()).unwrap().as_bytes().to_vec()
}

/// What ERC-6492 makes of a signature: how the contract comes to be is put around it.
fn wrapped(factory: Address, creation: &[u8], signature: &[u8]) -> String {
    let creation = Bytes::copy_from_slice(creation);
    let inner = (factory, creation, Bytes::copy_from_slice(signature)).abi_encode_params();
    hex::encode_prefixed([inner, [0x64, 0x92].repeat(16)].concat())
}

#[tokio::test]
async fn a_contract_that_is_there_answers_for_itself() {
    let (fresh, anvil) = (Fresh::sqlite().await, Anvil::spawn().await);
    let (desk, token) = desk(&fresh.database().await, &anvil).await;
    let (keeper, stranger) = (account("keeper"), account("stranger"));
    let wallet = contract_wallet_of(&anvil, keeper.address()).await;
    let message = desk.challenge("ada", &on_chain(wallet), "link", Some(&token)).await;
    // Somebody else's key, the keeper's over another text, and no signature at all.
    for signature in [sign(&stranger, &message), sign(&keeper, "other"), vec![0; 65], vec![1]] {
        let reply = desk.prove(&message, &hex::encode_prefixed(signature)).await;
        assert_eq!(problem(&reply), (422, "not-signed".to_owned()), "{}", reply.text());
        assert!(reply.text().contains("ERC-1271"), "{}", reply.text());
    }
    let reply = desk.prove(&message, &hex::encode_prefixed(sign(&keeper, &message))).await;
    assert_eq!(reply.status, 201, "{}", reply.text());
    let linked = reply.json();
    assert_eq!(linked["signed_by"], "erc1271");
    let head = anvil.head().await;
    let block = anvil.block(head).await;
    assert_eq!(linked["block"], json!({ "number": head, "hash": block.header.hash, "time": null }));
    assert_eq!(desk.wallets("ada").await, [on_chain(wallet)]);

    // A challenge bears so many wrong signatures, each of which cost the node a call.
    let other = contract_wallet_of(&anvil, stranger.address()).await;
    let message = desk.challenge("ada", &on_chain(other), "link", Some(&token)).await;
    for kind in
        ["not-signed", "not-signed", "not-signed", "not-signed", "not-signed", "challenge-worn"]
    {
        let reply = desk.prove(&message, &hex::encode_prefixed(sign(&keeper, &message))).await;
        assert_eq!(problem(&reply).1, kind);
    }

    // One that is given to whoever asks is worn out by nobody: its holder's signature counts after any number of others.
    let message = desk.challenge("ada", &on_chain(wallet), "unlink", None).await;
    for _ in 0..7 {
        let reply = desk.prove(&message, &hex::encode_prefixed(sign(&stranger, &message))).await;
        assert_eq!(problem(&reply).1, "not-signed");
    }
    let reply = desk.prove(&message, &hex::encode_prefixed(sign(&keeper, &message))).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
}

#[tokio::test]
async fn a_contract_that_is_not_there_yet_signs_by_how_it_comes_to_be() {
    let (fresh, anvil) = (Fresh::sqlite().await, Anvil::spawn().await);
    let (desk, token) = desk(&fresh.database().await, &anvil).await;
    let (keeper, stranger) = (account("keeper"), account("stranger"));
    let factory = wallet_factory(&anvil).await;
    let salt = B256::repeat_byte(7);
    let call = abi::addressOfCall { keeper: keeper.address(), salt }.abi_encode();
    let answer = anvil.read(factory, call.into(), anvil.head().await).await.unwrap();
    let wallet = Address::abi_decode(&answer).unwrap();
    let creation = abi::createCall { keeper: keeper.address(), salt }.abi_encode();
    let elsewhere = abi::createCall { keeper: stranger.address(), salt }.abi_encode();

    let message = desk.challenge("ada", &on_chain(wallet), "link", Some(&token)).await;
    let good = sign(&keeper, &message);
    let cases = [
        (hex::encode_prefixed(&good), "no contract is at the account"),
        (wrapped(factory, &elsewhere, &good), "makes no contract at the account"),
        (wrapped(stranger.address(), &creation, &good), "makes no contract at the account"),
        (wrapped(factory, &creation, &sign(&stranger, &message)), "does not take it for its own"),
    ];
    for (signature, words) in cases {
        let reply = desk.prove(&message, &signature).await;
        assert_eq!(problem(&reply), (422, "not-signed".to_owned()), "{}", reply.text());
        assert!(reply.text().contains(words), "{words}: {}", reply.text());
    }
    let reply = desk.prove(&message, &wrapped(factory, &creation, &good)).await;
    assert_eq!(
        (reply.status, &reply.json()["signed_by"]),
        (201, &json!("erc6492")),
        "{}",
        reply.text()
    );
    let code = anvil.provider.get_code_at(wallet).await.unwrap();
    assert!(code.is_empty(), "asking deploys nothing");

    let message = desk.challenge("ada", &on_chain(wallet), "unlink", None).await;
    let unreadable = [sign(&keeper, &message), [0x64, 0x92].repeat(16)].concat();
    let reply = desk.prove(&message, &hex::encode_prefixed(unreadable)).await;
    assert_eq!(problem(&reply), (422, "not-signed".to_owned()));
    assert!(reply.text().contains("does not hold a factory"), "{}", reply.text());

    // Once it is deployed, the same wrapping is read, and the contract that is there is asked.
    anvil.send(Call::new(stranger.address(), factory, creation.clone())).await;
    let message = desk.challenge("ada", &on_chain(wallet), "unlink", None).await;
    let reply = desk.prove(&message, &wrapped(factory, &creation, &sign(&keeper, &message))).await;
    assert_eq!(
        (reply.status, &reply.json()["signed_by"]),
        (200, &json!("erc1271")),
        "{}",
        reply.text()
    );
    assert_eq!(desk.wallets("ada").await, Vec::<String>::new());
}

/// An account with a key and code (EIP-7702) signs by either.
#[tokio::test]
async fn an_account_that_is_key_and_contract_signs_by_either() {
    let (fresh, anvil) = (Fresh::sqlite().await, Anvil::spawn().await);
    let (desk, token) = desk(&fresh.database().await, &anvil).await;
    let (both, keeper) = (account("both"), account("keeper"));
    let code = contract_wallet_of(&anvil, keeper.address()).await;
    let authorization = Authorization { chain_id: U256::from(CHAIN_ID), address: code, nonce: 0 };
    let signature = both.sign_hash_sync(&authorization.signature_hash()).unwrap();
    let mut request = TransactionRequest::default()
        .from(account("deployer").address())
        // Not to the account itself: its new code takes no plain call.
        .to(Address::ZERO)
        .gas_limit(1_000_000)
        .max_fee_per_gas(0)
        .max_priority_fee_per_gas(0);
    request.set_authorization_list(vec![authorization.into_signed(signature)]);
    let receipt = anvil.provider.send_transaction(request).await.unwrap().get_receipt().await;
    assert!(receipt.unwrap().status());
    let delegated = anvil.provider.get_code_at(both.address()).await.unwrap();
    assert_eq!(delegated.len(), 23, "it delegates to the contract");

    for (key, purpose, by) in [(&both, "link", "key"), (&keeper, "unlink", "erc1271")] {
        let message = desk.challenge("ada", &on_chain(both.address()), purpose, Some(&token)).await;
        let reply = desk.prove(&message, &hex::encode_prefixed(sign(key, &message))).await;
        assert!(reply.status < 300, "{}", reply.text());
        assert_eq!(reply.json()["signed_by"], by);
    }
}

/// Where no node of the account's chain can be asked, that is said, and a key's signature is taken all the same.
#[tokio::test]
async fn without_a_node_of_its_chain_a_contract_cannot_sign() {
    let (fresh, anvil) = (Fresh::sqlite().await, Anvil::spawn().await);
    let keeper = account("keeper");
    let wallet = contract_wallet_of(&anvil, keeper.address()).await;
    let database = fresh.database().await;
    let (desk, token) = desk(&database, &anvil).await;
    let elsewhere = format!("eip155:10:{wallet}");
    let message = desk.challenge("ada", &elsewhere, "link", Some(&token)).await;
    let reply = desk.prove(&message, &hex::encode_prefixed(sign(&keeper, &message))).await;
    assert_eq!(problem(&reply), (501, "no-node".to_owned()));
    assert!(reply.text().contains("a node of eip155:31337 alone"), "{}", reply.text());
    let own = format!("eip155:10:{}", keeper.address());
    let message = desk.challenge("ada", &own, "link", Some(&token)).await;
    let reply = desk.prove(&message, &hex::encode_prefixed(sign(&keeper, &message))).await;
    assert_eq!(reply.status, 201, "{}", reply.text());

    drop(anvil);
    let message = desk.challenge("ada", &on_chain(wallet), "link", Some(&token)).await;
    // However often: what nobody could judge wears no challenge.
    for _ in 0..7 {
        let reply = desk.prove(&message, &hex::encode_prefixed(sign(&keeper, &message))).await;
        assert_eq!(problem(&reply), (503, "node-unavailable".to_owned()), "{}", reply.text());
        let known = format!("this is no signature by the key of {}", on_chain(wallet));
        let signer =
            format!("the key that signed these very bytes is that of {}", keeper.address());
        assert!(
            reply.text().contains(&known) && reply.text().contains(&signer),
            "{}",
            reply.text()
        );
    }
}
