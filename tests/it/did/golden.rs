//! The documents that are promised, byte for byte, as the files of `did-docs` have them.
//!
//! A document that changes is written to `target/did-docs`, and the test says so: copying it over is a change that somebody reviews.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use alloy::primitives::{Address, address};
use hallmark::did::web::{Local, WebHost};
use hallmark::did::{
    AgentFacts, CharacterFacts, ClaimedService, Did, Document, WalletFact, agent_document,
    character_document, key, pkh, service_document,
};
use hallmark::identity::SpanCause;
use hallmark::vocab::{AccountId, AgentId, AgentRef, ChainId, RegistryRef};

const CHAIN: ChainId = ChainId(8453);
const REGISTRY: RegistryRef =
    RegistryRef { chain: CHAIN, address: address!("8004A169FB4a3325136EB29fA0ceB6D2e539a432") };
const AGENT: AgentRef = AgentRef {
    registry: REGISTRY,
    id: AgentId(alloy::primitives::U256::from_limbs([22, 0, 0, 0])),
};
const WALLET: Address = address!("d8dA6BF26964aF9D7eEd9e03E53415D37aA96045");
const OWNER: Address = address!("ab16a96D359eC26a11e2C2b3d8f8B8942d5Bfcdb");

fn host() -> WebHost {
    WebHost::parse("example.org").unwrap()
}

const fn on_base(address: Address) -> AccountId {
    AccountId { chain: CHAIN, address }
}

fn facts(cause: Option<SpanCause>) -> AgentFacts<'static> {
    let wallet = cause.map(|cause| WalletFact { account: on_base(WALLET), cause: Some(cause) });
    AgentFacts { agent: AGENT, wallet, owner: None, linked: &[], services: &[] }
}

fn agents() -> Vec<(&'static str, Document)> {
    let id = Local::Agent(CHAIN, AGENT.id).did(&host());
    let service = |name: &str, endpoint: &str| ClaimedService {
        name: name.to_owned(),
        endpoint: endpoint.to_owned(),
    };
    let services = [
        service("A2A", "https://ada.example/.well-known/agent-card.json"),
        service("my own", "https://ada.example/"),
    ];
    let linked = ["did:web:ada.example".to_owned(), pkh::did(on_base(OWNER))];
    let everything = AgentFacts {
        owner: Some(on_base(OWNER)),
        linked: &linked,
        services: &services,
        ..facts(Some(SpanCause::Proven))
    };
    [
        ("agent-proven", facts(Some(SpanCause::Proven))),
        ("agent-registered", facts(Some(SpanCause::Registered))),
        ("agent-observed", facts(Some(SpanCause::Observed))),
        ("agent-without-wallet", facts(None)),
        ("agent-everything", everything),
    ]
    .map(|(name, facts)| (name, agent_document(&id, &facts)))
    .to_vec()
}

fn characters() -> Vec<(&'static str, Document)> {
    let id = Local::Character("ada".to_owned()).did(&host());
    let agent = [Local::Agent(CHAIN, AGENT.id).did(&host())];
    let wallets = [on_base(WALLET), AccountId { chain: ChainId(1), address: OWNER }];
    let linked = CharacterFacts { wallets: &wallets, linked: &agent };
    let alone = CharacterFacts { wallets: &[], linked: &[] };
    [("character", linked), ("character-without-wallet", alone)]
        .map(|(name, facts)| (name, character_document(&id, &facts)))
        .to_vec()
}

fn services() -> Vec<(&'static str, Document)> {
    let keys = [
        "z6MkpTHR8VNsBxYAAWHut2Geadd9jSwuBV8xRoAnwWsdvktH",
        "zDnaerx9CtbPJ1q36T5Ln5wYt3MQYeGRG5ehnPAmxcf5mDZpv",
    ];
    let keys = keys.map(|text| key::PublicKey::parse(text).unwrap());
    let id = Local::Service.did(&host());
    let document = |keys| service_document(&id, "https://example.org", keys);
    vec![
        ("service", document(&keys[..1])),
        ("service-while-a-key-waits", document(&keys)),
        ("service-without-keys", document(&[])),
    ]
}

fn generated() -> Vec<(&'static str, Document)> {
    let parse = |text: &str| Did::parse(text).unwrap();
    let account = pkh::document(&parse(&pkh::did(on_base(WALLET)))).unwrap();
    let keys = [
        ("key-ed25519", "did:key:z6MkpTHR8VNsBxYAAWHut2Geadd9jSwuBV8xRoAnwWsdvktH"),
        ("key-p256", "did:key:zDnaerx9CtbPJ1q36T5Ln5wYt3MQYeGRG5ehnPAmxcf5mDZpv"),
        ("key-secp256k1", "did:key:zQ3shokFTS3brHcDQrn82RUDfCZESWL1ZdCEJwekUDPQiYBme"),
    ];
    let keys = keys.map(|(name, did)| (name, key::document(&parse(did)).unwrap()));
    [("pkh", account)].into_iter().chain(keys).collect()
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("did-docs")
}

/// The service's document with `HOST` for the name of its host: what an operator's will be.
fn template() -> (&'static str, String) {
    let (_, document) = services().remove(0);
    ("service.template", written(&document).replace("example.org", "HOST"))
}

fn written(document: &Document) -> String {
    serde_json::to_string_pretty(document).unwrap() + "\n"
}

fn all_files() -> Vec<(&'static str, String)> {
    let documents = all().into_iter().map(|(name, document)| (name, written(&document)));
    documents.chain([template()]).collect()
}

fn all() -> Vec<(&'static str, Document)> {
    [agents(), characters(), services(), generated()].concat()
}

#[test]
fn documents_are_what_was_promised() {
    let fresh = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/did-docs");
    let mut wrong = Vec::new();
    for (name, text) in all_files() {
        let file = format!("{name}.json");
        if fs::read_to_string(folder().join(&file)).ok().as_ref() != Some(&text) {
            fs::create_dir_all(&fresh).unwrap();
            fs::write(fresh.join(&file), text).unwrap();
            wrong.push(file);
        }
    }
    assert!(wrong.is_empty(), "{wrong:?} differ: what they are now is in target/did-docs");
}

#[test]
fn every_promise_is_of_a_document() {
    let made: BTreeSet<String> =
        all_files().iter().map(|(name, _)| format!("{name}.json")).collect();
    let files = fs::read_dir(folder()).unwrap().map(|f| f.unwrap().file_name().into_string());
    let kept: BTreeSet<String> = files
        .map(Result::unwrap)
        .filter(|name| name != "README.md" && name != "conformance.md")
        .collect();
    assert_eq!(kept, made);
}

/// The rules of DID Core 1.0 for what a producer makes, each over every kind of document.
#[test]
fn every_document_keeps_the_rules_of_did_core() {
    for (name, document) in all() {
        let text = serde_json::to_string(&document).unwrap();
        let document: serde_json::Value = serde_json::from_str(&text).unwrap();
        let id = document["id"].as_str().unwrap();
        // 5.1.1: `id` is a DID. 6.3.1: the first context is that of DID Core.
        Did::parse(id).unwrap();
        assert_eq!(document["@context"][0], "https://www.w3.org/ns/did/v1", "{name}");
        let empty = vec![];
        let list = |member: &str| document[member].as_array().unwrap_or(&empty).clone();
        // 5.1.3: `alsoKnownAs` is a set of URIs.
        let names = list("alsoKnownAs");
        let set: BTreeSet<_> = names.iter().map(|name| name.as_str().unwrap()).collect();
        assert_eq!(set.len(), names.len(), "{name}");
        assert!(set.iter().all(|name| url::Url::parse(name).is_ok()), "{name}: {set:?}");
        // 5.2: a method has id, type and controller, an id of its own, and its key once.
        let methods = list("verificationMethod");
        let ids: BTreeSet<_> =
            methods.iter().map(|method| method["id"].clone().to_string()).collect();
        assert_eq!(ids.len(), methods.len(), "{name}");
        for method in &methods {
            let fragment = method["id"].as_str().unwrap().strip_prefix(id).unwrap();
            assert!(fragment.starts_with('#') && fragment.len() > 1, "{name}");
            assert_eq!(method["controller"], id, "{name}");
            let of_key = ["blockchainAccountId", "publicKeyMultibase", "publicKeyJwk"];
            assert_eq!(of_key.iter().filter(|key| !method[**key].is_null()).count(), 1, "{name}");
            // 5.2.1: no private part of a key.
            assert!(method["publicKeyJwk"]["d"].is_null(), "{name}");
        }
        // 5.3: relations name methods of the document.
        for relation in
            ["authentication", "assertionMethod", "capabilityDelegation", "capabilityInvocation"]
        {
            for named in list(relation) {
                assert!(ids.contains(&named.to_string()), "{name}: {relation}");
            }
        }
        // 5.4: a service has an id of its own, a type, and an endpoint that is a URI.
        for service in list("service") {
            assert!(service["id"].as_str().unwrap().starts_with(&format!("{id}#")), "{name}");
            assert!(!service["type"].as_array().unwrap().is_empty(), "{name}");
            url::Url::parse(service["serviceEndpoint"].as_str().unwrap()).unwrap();
        }
    }
}

/// What a wallet may speak for follows from how it was proven.
#[test]
fn only_a_wallet_that_signed_may_log_in() {
    for (cause, authentication, assertion) in [
        (Some(SpanCause::Proven), 1, 1),
        (Some(SpanCause::Registered), 0, 1),
        (Some(SpanCause::Observed), 0, 1),
        (None, 0, 0),
    ] {
        let document = agent_document("did:web:example.org:agents:8453:22", &facts(cause));
        assert_eq!(document.authentication.len(), authentication, "{cause:?}");
        assert_eq!(document.assertion_method.len(), assertion, "{cause:?}");
        assert_eq!(document.verification_method.len(), assertion, "{cause:?}");
    }
}
