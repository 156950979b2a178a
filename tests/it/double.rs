//! The test double emits what version 2.0.0 of the registries emits, in the same order, and stores what it stores.
//!
//! Each test is a row of the table of measured transactions. Logs are compared as texts that name the event and what matters of it,
//! in which people go by their names. What the chain itself does (tags, reorganisations) is in `double_chain`.

use alloy::primitives::{Address, B256, Bytes, U256, b256, hex, keccak256};
use alloy::rpc::types::TransactionReceipt;
use alloy::sol_types::SolEventInterface;

use crate::support::abi::IIdentity::IIdentityEvents;
use crate::support::abi::IReputation::IReputationEvents;
use crate::support::abi::IUpgradeable::IUpgradeableEvents;
use crate::support::abi::IValidation::IValidationEvents;
use crate::support::anvil::{Anvil, Call, account};
use crate::support::registries::{Registrant, Registries};

/// Topic 2 of every change of wallet.
const WALLET_TOPIC: B256 =
    b256!("2ac6109326e720d1435c0db66f7e35eda7839f52b6f1f5520a60788e132b4e39");
const NAMES: [&str; 4] = ["alice", "bob", "carol", "dora"];

/// A chain with the registries on it.
struct Stage {
    anvil: Anvil,
    registries: Registries,
    /// Contracts that a test wants to see by name.
    named: Vec<(Address, &'static str)>,
}

impl Stage {
    async fn new() -> Self {
        let anvil = Anvil::spawn().await;
        let registries = Registries::deploy(&anvil).await;
        Self { anvil, registries, named: Vec::new() }
    }

    /// Sends, and returns the labels of the logs.
    async fn logs_of(&self, call: Call) -> Vec<String> {
        let receipt = self.anvil.send(call).await;
        self.labels(&receipt)
    }

    fn labels(&self, receipt: &TransactionReceipt) -> Vec<String> {
        receipt.logs().iter().map(|log| self.label(&log.inner)).collect()
    }

    fn label(&self, log: &alloy::primitives::Log) -> String {
        let (topics, data) = (log.topics(), &log.data.data);
        if let Ok(event) = IIdentityEvents::decode_raw_log(topics, data) {
            return self.identity_label(event, topics);
        }
        if let Ok(event) = IReputationEvents::decode_raw_log(topics, data) {
            return reputation_label(event);
        }
        if let Ok(event) = IValidationEvents::decode_raw_log(topics, data) {
            return validation_label(event);
        }
        match IUpgradeableEvents::decode_raw_log(topics, data).expect("an event of a registry") {
            IUpgradeableEvents::Upgraded(e) => format!("Upgraded {}", self.name(e.implementation)),
            IUpgradeableEvents::OwnershipTransferred(e) => {
                format!(
                    "OwnershipTransferred {} {}",
                    self.name(e.previousOwner),
                    self.name(e.newOwner)
                )
            }
            IUpgradeableEvents::Initialized(e) => format!("Initialized {}", e.version),
        }
    }

    fn identity_label(&self, event: IIdentityEvents, topics: &[B256]) -> String {
        match event {
            IIdentityEvents::Registered(e) => {
                format!("Registered {} {:?} {}", e.agentId, e.agentURI, self.name(e.owner))
            }
            IIdentityEvents::MetadataSet(e) if e.metadataKey == "agentWallet" => {
                assert_eq!(topics[2], WALLET_TOPIC);
                let wallet = match e.metadataValue.len() {
                    0 => "empty",
                    _ => self.name(Address::from_slice(&e.metadataValue)),
                };
                format!("wallet {} {wallet}", e.agentId)
            }
            IIdentityEvents::MetadataSet(e) => {
                format!("MetadataSet {} {:?} {}", e.agentId, e.metadataKey, e.metadataValue)
            }
            IIdentityEvents::URIUpdated(e) => {
                format!("URIUpdated {} {:?} {}", e.agentId, e.newURI, self.name(e.updatedBy))
            }
            IIdentityEvents::Transfer(e) => {
                format!("Transfer {} {} {}", self.name(e.from), self.name(e.to), e.tokenId)
            }
            IIdentityEvents::Approval(e) => {
                format!("Approval {} {} {}", self.name(e.owner), self.name(e.approved), e.tokenId)
            }
            IIdentityEvents::ApprovalForAll(e) => {
                format!(
                    "ApprovalForAll {} {} {}",
                    self.name(e.owner),
                    self.name(e.operator),
                    e.approved
                )
            }
            IIdentityEvents::MetadataUpdate(e) => format!("MetadataUpdate {}", e._tokenId),
        }
    }

    fn name(&self, address: Address) -> &'static str {
        if address.is_zero() {
            return "zero";
        }
        if address == self.registries.owner {
            return "owner";
        }
        if let Some((_, name)) = self.named.iter().find(|(named, _)| *named == address) {
            return name;
        }
        NAMES.into_iter().find(|name| account(name).address() == address).unwrap_or("somebody")
    }

    /// Owner and wallet of an agent, now.
    async fn state(&self, agent: U256) -> (&'static str, &'static str) {
        let head = self.anvil.head().await;
        let owner = self.registries.owner_at(agent, head).await.expect("the agent exists");
        (self.name(owner), self.name(self.registries.wallet_at(agent, head).await))
    }

    /// A contract that calls back, known as "contract".
    async fn registrant(&mut self) -> Registrant {
        let registrant = self.registries.registrant().await;
        self.named.push((registrant.address, "contract"));
        registrant
    }
}

fn reputation_label(event: IReputationEvents) -> String {
    match event {
        IReputationEvents::NewFeedback(e) => {
            format!("NewFeedback {} {} {} {}", e.agentId, e.feedbackIndex, e.value, e.tag1)
        }
        IReputationEvents::FeedbackRevoked(e) => {
            format!("FeedbackRevoked {} {}", e.agentId, e.feedbackIndex)
        }
        IReputationEvents::ResponseAppended(e) => {
            format!("ResponseAppended {} {} {}", e.agentId, e.feedbackIndex, e.responseURI)
        }
    }
}

fn validation_label(event: IValidationEvents) -> String {
    match event {
        IValidationEvents::ValidationRequest(e) => {
            format!("ValidationRequest {} {}", e.agentId, e.requestURI)
        }
        IValidationEvents::ValidationResponse(e) => {
            format!("ValidationResponse {} {} {}", e.agentId, e.response, e.tag)
        }
    }
}

fn who(name: &str) -> Address {
    account(name).address()
}

/// What `Registrant` needs as a proof of a wallet that is another `Registrant`.
fn yes() -> Bytes {
    Bytes::from_static(Registrant::SIGNATURE)
}

#[tokio::test]
async fn a_proxy_begins_with_a_placeholder_and_is_upgraded() {
    let mut stage = Stage::new().await;
    for implementation in stage.registries.implementations {
        stage.named.push((implementation, "v2"));
    }
    assert_eq!(stage.registries.births.len(), 6);
    for births in stage.registries.births.chunks(2) {
        assert_eq!(
            stage.labels(&births[0]),
            ["Upgraded somebody", "OwnershipTransferred zero owner", "Initialized 1"]
        );
        assert_eq!(stage.labels(&births[1]), ["Upgraded v2", "Initialized 2"]);
    }
}

#[tokio::test]
async fn each_form_of_registration_has_its_logs() {
    let stage = Stage::new().await;
    let registries = &stage.registries;
    let alice = who("alice");
    assert_eq!(
        stage.logs_of(registries.register(alice)).await,
        ["Transfer zero alice 0", "Registered 0 \"\" alice", "wallet 0 alice"]
    );
    assert_eq!(
        stage.logs_of(registries.register_with_uri(alice, "ipfs://a")).await,
        [
            "Transfer zero alice 1",
            "MetadataUpdate 1",
            "Registered 1 \"ipfs://a\" alice",
            "wallet 1 alice"
        ]
    );
    let metadata: [(&[u8], &[u8]); 2] = [(b"k1", b"\x01"), (b"AgentWallet", b"")];
    assert_eq!(
        stage.logs_of(registries.register_with_metadata(alice, "", &metadata)).await,
        [
            "Transfer zero alice 2",
            "MetadataUpdate 2",
            "Registered 2 \"\" alice",
            "wallet 2 alice",
            "MetadataSet 2 \"k1\" 0x01",
            "MetadataSet 2 \"AgentWallet\" 0x"
        ]
    );
    assert_eq!(stage.state(U256::from(2)).await, ("alice", "alice"));
    let head = stage.anvil.head().await;
    assert_eq!(registries.agent_count_at(head).await, U256::from(3));
    assert_eq!(registries.agent_count_at(head - 3).await, U256::ZERO);
    let reserved = registries.register_with_metadata(alice, "", &[(b"agentWallet", b"")]);
    assert!(stage.anvil.send_reverting(reserved).await.contains("reserved key"));
}

#[tokio::test]
async fn a_wallet_is_set_by_its_own_signature_and_unset_without() {
    let mut stage = Stage::new().await;
    let keeper = account("dora");
    let contract = stage.registries.contract_wallet(keeper.address()).await;
    stage.named.push((contract, "contract"));
    let registries = &stage.registries;
    let (alice, agent) = (who("alice"), U256::ZERO);
    stage.anvil.send(registries.register(alice)).await;

    for _ in 0..2 {
        let set = registries.set_wallet(alice, agent, &account("bob")).await;
        assert_eq!(stage.logs_of(set).await, ["wallet 0 bob"]);
    }
    let set = registries.set_wallet_signed_by(alice, agent, contract, &keeper).await;
    assert_eq!(stage.logs_of(set).await, ["wallet 0 contract"]);
    assert_eq!(stage.state(agent).await, ("alice", "contract"));

    for _ in 0..2 {
        assert_eq!(stage.logs_of(registries.unset_wallet(alice, agent)).await, ["wallet 0 empty"]);
        assert_eq!(stage.state(agent).await, ("alice", "zero"));
    }
}

#[tokio::test]
async fn a_wallets_proof_may_be_used_again_until_its_deadline() {
    let stage = Stage::new().await;
    let registries = &stage.registries;
    let (alice, agent) = (who("alice"), U256::ZERO);
    stage.anvil.send(registries.register(alice)).await;
    let set = registries.set_wallet(alice, agent, &account("bob")).await;
    stage.anvil.send(set.clone()).await;
    stage.anvil.send(registries.unset_wallet(alice, agent)).await;
    assert_eq!(stage.logs_of(set.clone()).await, ["wallet 0 bob"]);

    let head = stage.anvil.head().await;
    let time = stage.anvil.block(head).await.header.timestamp;
    stage.anvil.set_next_time(time + 241).await;
    assert!(stage.anvil.send_reverting(set).await.contains("expired"));
}

#[tokio::test]
async fn a_wallet_without_its_proof_is_refused() {
    let stage = Stage::new().await;
    let registries = &stage.registries;
    let (alice, bob, agent) = (who("alice"), account("bob"), U256::ZERO);
    let born = stage.anvil.send(registries.register(alice)).await.block_number.unwrap();
    let now = stage.anvil.block(born).await.header.timestamp;
    let soon = U256::from(now + 100);
    let good = registries.prove(agent, bob.address(), alice, soon, &bob).await;
    let by_other = registries.prove(agent, bob.address(), alice, soon, &account("carol")).await;
    let for_other_owner = registries.prove(agent, bob.address(), bob.address(), soon, &bob).await;
    let cases = [
        (alice, Address::ZERO, soon, good.clone(), "bad wallet"),
        (alice, bob.address(), U256::from(now), good.clone(), "expired"),
        (alice, bob.address(), U256::from(now + 400), good.clone(), "deadline too far"),
        (alice, bob.address(), soon, by_other, "invalid wallet sig"),
        (alice, bob.address(), soon, for_other_owner, "invalid wallet sig"),
        (alice, bob.address(), soon, Vec::new(), "invalid wallet sig"),
        (bob.address(), bob.address(), soon, good, "Not authorized"),
    ];
    for (from, wallet, deadline, signature, reason) in cases {
        let call = registries.set_wallet_raw(from, agent, wallet, deadline, signature);
        let given = stage.anvil.send_reverting(call).await;
        assert!(given.contains(reason), "{given} for {reason}");
    }
    assert_eq!(stage.state(agent).await, ("alice", "alice"));
}

#[tokio::test]
async fn metadata_and_uri_have_their_logs_and_keep_their_bytes() {
    let stage = Stage::new().await;
    let registries = &stage.registries;
    let (alice, agent) = (who("alice"), U256::ZERO);
    stage.anvil.send(registries.register(alice)).await;
    let logs = stage.logs_of(registries.set_metadata(alice, agent, "k", [1, 2])).await;
    assert_eq!(logs, ["MetadataSet 0 \"k\" 0x0102"]);
    let logs = stage.logs_of(registries.set_metadata(alice, agent, "k", [])).await;
    assert_eq!(logs, ["MetadataSet 0 \"k\" 0x"]);
    let logs = stage.logs_of(registries.set_uri(alice, agent, "ipfs://b")).await;
    assert_eq!(logs, ["MetadataUpdate 0", "URIUpdated 0 \"ipfs://b\" alice"]);

    let key = [0x61, 0x00, 0xff];
    let receipt = stage.anvil.send(registries.set_metadata(alice, agent, key, b"v")).await;
    assert_eq!(receipt.logs()[0].topics()[2], keccak256(key));
    let block = receipt.block_number.unwrap();
    assert_eq!(registries.metadata_at(agent, key, block).await.as_ref(), b"v");
    let uri = [0x00, 0xfe, 0x20];
    stage.anvil.send(registries.set_uri(alice, agent, uri)).await;
    assert_eq!(registries.uri_at(agent, block + 1).await.unwrap().as_ref(), uri);
    assert_eq!(registries.uri_at(agent, block).await.unwrap().as_ref(), b"ipfs://b");

    let reserved = registries.set_metadata(alice, agent, "agentWallet", []);
    assert!(stage.anvil.send_reverting(reserved).await.contains("reserved key"));
    stage.anvil.send(registries.set_metadata(alice, agent, "agentWallet ", [])).await;
}

#[tokio::test]
async fn a_transfer_clears_the_wallet_first_and_the_approval_silently() {
    let stage = Stage::new().await;
    let registries = &stage.registries;
    let (alice, bob, carol, agent) = (who("alice"), who("bob"), who("carol"), U256::ZERO);
    stage.anvil.send(registries.register(alice)).await;
    let logs = stage.logs_of(registries.approve(alice, carol, agent)).await;
    assert_eq!(logs, ["Approval alice carol 0"]);
    let logs = stage.logs_of(registries.transfer_by(carol, alice, bob, agent)).await;
    assert_eq!(logs, ["wallet 0 empty", "Transfer alice bob 0"]);
    assert_eq!(stage.state(agent).await, ("bob", "zero"));
    let stale = stage.anvil.send_reverting(registries.transfer_by(carol, bob, carol, agent)).await;
    assert!(stale.contains("0x177e802f"), "not ERC721InsufficientApproval: {stale}");

    // An empty wallet is cleared again, and so is that of a transfer to oneself.
    let logs = stage.logs_of(registries.safe_transfer(bob, bob, agent)).await;
    assert_eq!(logs, ["wallet 0 empty", "Transfer bob bob 0"]);
    let logs = stage.logs_of(registries.set_operator(bob, carol, true)).await;
    assert_eq!(logs, ["ApprovalForAll bob carol true"]);
    let logs = stage.logs_of(registries.set_uri(carol, agent, "x")).await;
    assert_eq!(logs, ["MetadataUpdate 0", "URIUpdated 0 \"x\" carol"]);
}

#[tokio::test]
async fn a_transfer_inside_a_registration_makes_its_announcement_stale() {
    let mut stage = Stage::new().await;
    let registrant = stage.registrant().await;
    let registries = &stage.registries;
    let (contract, agent) = (registrant.address, U256::ZERO);
    let registration = registries.register_with_uri(contract, "u");
    let inside = [registries.transfer(contract, who("bob"), Registrant::THIS_AGENT)];
    assert_eq!(
        stage.logs_of(registrant.register(who("alice"), &registration, &inside)).await,
        [
            "Transfer zero contract 0",
            "wallet 0 empty",
            "Transfer contract bob 0",
            "MetadataUpdate 0",
            "Registered 0 \"u\" contract",
            "wallet 0 contract"
        ]
    );
    assert_eq!(stage.state(agent).await, ("bob", "zero"));
}

#[tokio::test]
async fn a_wallet_unset_inside_a_registration_stays_unset() {
    let mut stage = Stage::new().await;
    let registrant = stage.registrant().await;
    let registries = &stage.registries;
    let contract = registrant.address;
    let registration = registries.register_with_uri(contract, "u");
    let inside = [registries.unset_wallet(contract, Registrant::THIS_AGENT)];
    assert_eq!(
        stage.logs_of(registrant.register(who("alice"), &registration, &inside)).await,
        [
            "Transfer zero contract 0",
            "wallet 0 empty",
            "MetadataUpdate 0",
            "Registered 0 \"u\" contract",
            "wallet 0 contract"
        ]
    );
    assert_eq!(stage.state(U256::ZERO).await, ("contract", "zero"));
}

#[tokio::test]
async fn a_wallet_set_inside_a_registration_outlives_its_announcement() {
    let mut stage = Stage::new().await;
    let registrant = stage.registrant().await;
    let other = stage.registries.registrant().await.address;
    stage.named.push((other, "other"));
    let registries = &stage.registries;
    let contract = registrant.address;
    let head = stage.anvil.head().await;
    let deadline = U256::from(stage.anvil.block(head).await.header.timestamp + 100);
    let set = registries.set_wallet_raw(contract, Registrant::THIS_AGENT, other, deadline, yes());
    let registration = registries.register(contract);
    assert_eq!(
        stage.logs_of(registrant.register(who("alice"), &registration, &[set])).await,
        [
            "Transfer zero contract 0",
            "wallet 0 other",
            "Registered 0 \"\" contract",
            "wallet 0 contract"
        ]
    );
    assert_eq!(stage.state(U256::ZERO).await, ("contract", "other"));
}

#[tokio::test]
async fn metadata_and_uri_set_inside_a_registration_come_first() {
    let mut stage = Stage::new().await;
    let registrant = stage.registrant().await;
    let registries = &stage.registries;
    let contract = registrant.address;
    let inside = [
        registries.set_metadata(contract, Registrant::THIS_AGENT, "early", [1]),
        registries.set_uri(contract, Registrant::THIS_AGENT, "ipfs://early"),
    ];
    let registration = registries.register_with_metadata(contract, "uri2", &[(b"k", b"")]);
    assert_eq!(
        stage.logs_of(registrant.register(who("alice"), &registration, &inside)).await,
        [
            "Transfer zero contract 0",
            "MetadataSet 0 \"early\" 0x01",
            "MetadataUpdate 0",
            "URIUpdated 0 \"ipfs://early\" contract",
            "MetadataUpdate 0",
            "Registered 0 \"uri2\" contract",
            "wallet 0 contract",
            "MetadataSet 0 \"k\" 0x"
        ]
    );
    let head = stage.anvil.head().await;
    assert_eq!(registries.uri_at(U256::ZERO, head).await.unwrap().as_ref(), b"uri2");

    // `register()` sets no URI, so the one from inside remains although `Registered` names none.
    let registration = registries.register(contract);
    stage.anvil.send(registrant.register(who("alice"), &registration, &inside)).await;
    let head = stage.anvil.head().await;
    assert_eq!(registries.uri_at(U256::from(1), head).await.unwrap().as_ref(), b"ipfs://early");
}

#[tokio::test]
async fn a_registration_inside_a_registration_is_announced_first() {
    let mut stage = Stage::new().await;
    let registrant = stage.registrant().await;
    let registries = &stage.registries;
    let contract = registrant.address;
    let registration = registries.register(contract);
    let inside = [registries.register(contract)];
    assert_eq!(
        stage.logs_of(registrant.register(who("alice"), &registration, &inside)).await,
        [
            "Transfer zero contract 0",
            "Transfer zero contract 1",
            "Registered 1 \"\" contract",
            "wallet 1 contract",
            "Registered 0 \"\" contract",
            "wallet 0 contract"
        ]
    );
}

#[tokio::test]
async fn feedback_is_counted_per_client_and_not_given_to_oneself() {
    let stage = Stage::new().await;
    let registries = &stage.registries;
    let (alice, bob, agent) = (who("alice"), who("bob"), U256::ZERO);
    stage.anvil.send(registries.register(alice)).await;
    let logs = stage.logs_of(registries.give_feedback(bob, agent, -5, "t")).await;
    assert_eq!(logs, ["NewFeedback 0 1 -5 t"]);
    let most = 10_i128.pow(38);
    let logs = stage.logs_of(registries.give_feedback(bob, agent, most, "t")).await;
    assert_eq!(logs, [format!("NewFeedback 0 2 {most} t")]);
    let logs = stage.logs_of(registries.give_feedback(who("carol"), agent, 1, "")).await;
    assert_eq!(logs, ["NewFeedback 0 1 1 "]);
    let logs = stage.logs_of(registries.revoke_feedback(bob, agent, 1)).await;
    assert_eq!(logs, ["FeedbackRevoked 0 1"]);
    for _ in 0..2 {
        let respond = registries.append_response(who("dora"), agent, bob, 1, "u");
        assert_eq!(stage.logs_of(respond).await, ["ResponseAppended 0 1 u"]);
    }

    let own = registries.give_feedback(alice, agent, 1, "");
    assert!(stage.anvil.send_reverting(own).await.contains("Self-feedback"));
    stage.anvil.send(registries.set_operator(alice, bob, true)).await;
    let operators = registries.give_feedback(bob, agent, 1, "");
    assert!(stage.anvil.send_reverting(operators).await.contains("Self-feedback"));
    // The wallet, where it is neither, may.
    let set = registries.set_wallet(alice, agent, &account("carol")).await;
    stage.anvil.send(set).await;
    let logs = stage.logs_of(registries.give_feedback(who("carol"), agent, 2, "")).await;
    assert_eq!(logs, ["NewFeedback 0 2 2 "]);
    let beyond = registries.give_feedback(bob, agent, most + 1, "");
    assert!(stage.anvil.send_reverting(beyond).await.contains("value too large"));
}

#[tokio::test]
async fn a_validation_is_asked_once_and_answered_often() {
    let stage = Stage::new().await;
    let registries = &stage.registries;
    let (alice, bob, agent) = (who("alice"), who("bob"), U256::ZERO);
    let hash = keccak256("request");
    stage.anvil.send(registries.register(alice)).await;
    let ask = registries.request_validation(alice, bob, agent, "u", hash);
    assert_eq!(stage.logs_of(ask.clone()).await, ["ValidationRequest 0 u"]);
    assert!(stage.anvil.send_reverting(ask).await.contains("exists"));
    for response in [0, 100] {
        let answer = registries.respond_validation(bob, hash, response, "", "tag");
        let expected = format!("ValidationResponse 0 {response} tag");
        assert_eq!(stage.logs_of(answer).await, [expected]);
    }
    let stranger = registries.respond_validation(alice, hash, 1, "", "");
    assert!(stage.anvil.send_reverting(stranger).await.contains("not validator"));
}

#[tokio::test]
async fn an_unknown_implementation_says_one_thing_and_stores_another() {
    let stage = Stage::new().await;
    let registries = &stage.registries;
    let (alice, bob, agent) = (who("alice"), who("bob"), U256::ZERO);
    stage.anvil.send(registries.register(alice)).await;
    let upgrade = registries.upgrade_identity_to_unknown().await;
    assert_eq!(stage.labels(&upgrade), ["Upgraded somebody", "Initialized 3"]);
    assert_eq!(stage.state(agent).await, ("alice", "alice"));

    let set = registries.set_wallet(alice, agent, &account("carol")).await;
    assert_eq!(stage.logs_of(set).await, ["wallet 0 carol"]);
    assert_eq!(stage.state(agent).await, ("alice", "alice"));
    let logs = stage.logs_of(registries.settle_wallet(alice, agent, who("dora"))).await;
    assert_eq!(logs, ["MetadataSet 0 \"walletSettled\" 0x"]);
    assert_eq!(stage.state(agent).await, ("alice", "dora"));
    let logs = stage.logs_of(registries.transfer(alice, bob, agent)).await;
    assert_eq!(logs, ["Transfer alice bob 0"]);
    assert_eq!(stage.state(agent).await, ("bob", "dora"));
    let logs = stage.logs_of(registries.register(alice)).await;
    assert_eq!(logs, ["Transfer zero alice 1", "wallet 1 alice", "Registered 1 \"\" alice"]);
}

#[tokio::test]
async fn the_wallet_event_has_the_bytes_of_the_decoding_vector() {
    let stage = Stage::new().await;
    let receipt = stage.anvil.send(stage.registries.register(who("alice"))).await;
    let log = &receipt.logs()[2];
    let mut expected = hex!(
        "0000000000000000000000000000000000000000000000000000000000000040"
        "0000000000000000000000000000000000000000000000000000000000000080"
        "000000000000000000000000000000000000000000000000000000000000000b"
        "6167656e7457616c6c6574000000000000000000000000000000000000000000"
        "0000000000000000000000000000000000000000000000000000000000000014"
    )
    .to_vec();
    expected.extend(who("alice"));
    expected.extend([0; 12]);
    assert_eq!(log.data().data.as_ref(), expected);
    assert_eq!(
        log.topics(),
        [
            b256!("2c149ed548c6d2993cd73efe187df6eccabe4538091b33adbd25fafdb8a1468b"),
            B256::ZERO,
            WALLET_TOPIC
        ]
    );
}
