//! Actions as the logs that the real contracts emit for them: topics, data and order (version 2.0.0).
//!
//! They are encoded by the ABI's own rules from the events' declarations, independently of the decoder; `check` holds the two against
//! each other before anything is measured.

use alloy::primitives::{Address, B256, Bytes, LogData, U256, address};
use alloy::sol;
use alloy::sol_types::SolEvent;
use hallmark::registry::{KnownImplementations, RegistryEvent, decode};
use hallmark::vocab::{BlockRef, RawLog, RegistryKind};

use super::base::{Size, deployment};
use super::plan::{Action, Placed, Plan};

sol! {
    event Registered(uint256 indexed agentId, string agentURI, address indexed owner);
    event MetadataSet(uint256 indexed agentId, string indexed indexedMetadataKey, string metadataKey, bytes metadataValue);
    event MetadataUpdate(uint256 _tokenId);
    event Transfer(address indexed from, address indexed to, uint256 indexed tokenId);
    event NewFeedback(uint256 indexed agentId, address indexed clientAddress, uint64 feedbackIndex, int128 value, uint8 valueDecimals, string indexed indexedTag1, string tag1, string tag2, string endpoint, string feedbackURI, bytes32 feedbackHash);
    event Upgraded(address indexed implementation);
    event OwnershipTransferred(address indexed previousOwner, address indexed newOwner);
    event Initialized(uint64 version);
}

const PLACEHOLDER: Address = address!("cB7Af40C0be4Fb92E183942b6DbB6b14A888F067");
const REGISTRIES_OWNER: Address = address!("547289319C3e6aedB179C0b8e8aF0B5ACd062603");

/// The code of version 2.0.0, which Hallmark knows.
fn code(kind: RegistryKind) -> Address {
    match kind {
        RegistryKind::Identity => address!("7274e874CA62410a93Bd8bf61c69d8045E399c02"),
        RegistryKind::Reputation => address!("16e0FA7f7C56B9a767E34B192B51f921BE31dA34"),
        RegistryKind::Validation => address!("DB31f5d9167f8ebc8B30FbBF814c4d297c2D7F99"),
    }
}

/// Which registry emits the logs of an action.
pub(crate) fn emitter(action: &Action) -> RegistryKind {
    match action {
        Action::Deploy(kind) => *kind,
        Action::Mint { .. } | Action::Sale { .. } | Action::Wallet { .. } => RegistryKind::Identity,
        Action::Feedback { .. } => RegistryKind::Reputation,
    }
}

/// The logs of an action, in their order.
pub(crate) fn logs(action: &Action) -> Vec<LogData> {
    match action {
        Action::Deploy(kind) => vec![
            Upgraded { implementation: PLACEHOLDER }.encode_log_data(),
            OwnershipTransferred { previousOwner: Address::ZERO, newOwner: REGISTRIES_OWNER }
                .encode_log_data(),
            Initialized { version: 1 }.encode_log_data(),
            Upgraded { implementation: code(*kind) }.encode_log_data(),
            Initialized { version: 2 }.encode_log_data(),
        ],
        Action::Mint { agent, owner } => mint(U256::from(*agent), *owner),
        Action::Sale { agent, from, to } => {
            let token = U256::from(*agent);
            vec![
                wallet(token, Bytes::new()),
                Transfer { from: *from, to: *to, tokenId: token }.encode_log_data(),
            ]
        }
        Action::Wallet { agent, wallet: account } => {
            vec![wallet(U256::from(*agent), Bytes::copy_from_slice(account.as_slice()))]
        }
        Action::Feedback { agent, client, index, hot } => {
            vec![feedback(*agent, *client, *index, *hot)]
        }
    }
}

fn mint(agent: U256, owner: Address) -> Vec<LogData> {
    let uri = format!("https://agents.example/base/{agent}/.well-known/agent-card.json");
    vec![
        Transfer { from: Address::ZERO, to: owner, tokenId: agent }.encode_log_data(),
        MetadataUpdate { _tokenId: agent }.encode_log_data(),
        Registered { agentId: agent, agentURI: uri, owner }.encode_log_data(),
        wallet(agent, Bytes::copy_from_slice(owner.as_slice())),
    ]
}

fn wallet(agent: U256, value: Bytes) -> LogData {
    const KEY: &str = "agentWallet";
    MetadataSet {
        agentId: agent,
        indexedMetadataKey: alloy::primitives::keccak256(KEY),
        metadataKey: KEY.to_owned(),
        metadataValue: value,
    }
    .encode_log_data()
}

/// Two shapes: the short one that fills most of the registry, and one with an endpoint and evidence.
fn feedback(agent: u32, client: Address, index: u64, hot: bool) -> LogData {
    let tag1 = if hot { "miner-vouch" } else { "starred" };
    let word = B256::from(U256::from(agent) << 64 | U256::from(index));
    let (endpoint, uri, hash) = if hot {
        (String::new(), String::new(), B256::ZERO)
    } else {
        let uri = format!("ipfs://bafkreib{word:x}");
        ("https://agents.example/mcp".to_owned(), uri, alloy::primitives::keccak256(word))
    };
    NewFeedback {
        agentId: U256::from(agent),
        clientAddress: client,
        feedbackIndex: index,
        value: if hot { 1 } else { i128::from(index % 101) },
        valueDecimals: 0,
        indexedTag1: alloy::primitives::keccak256(tag1),
        tag1: tag1.to_owned(),
        tag2: String::new(),
        endpoint,
        feedbackURI: uri,
        feedbackHash: hash,
    }
    .encode_log_data()
}

/// Checks on a small history that every log is read by the decoder as the event that it was made as, and that its code is known.
pub(crate) fn check() {
    let known = KnownImplementations::default();
    let mut forms = std::collections::BTreeSet::new();
    for placed in Plan::new(Size::base_over(5_000)) {
        let kind = emitter(&placed.action);
        for (log, made_as) in logs(&placed.action).into_iter().zip(names(&placed.action)) {
            let event = decode(kind, &raw(&placed, kind, log)).expect("every form is decoded");
            assert_eq!(event.name(), *made_as, "{:?}", placed.action);
            if let RegistryEvent::Upgraded { implementation } = event {
                assert!(known.knows(kind, implementation), "{implementation}");
            }
            forms.insert(*made_as);
        }
    }
    assert_eq!(forms.len(), 8, "{forms:?}");
}

fn names(action: &Action) -> &'static [&'static str] {
    match action {
        Action::Deploy(_) => {
            &["Upgraded", "OwnershipTransferred", "Initialized", "Upgraded", "Initialized"]
        }
        Action::Mint { .. } => &["Transfer", "MetadataUpdate", "Registered", "MetadataSet"],
        Action::Sale { .. } => &["MetadataSet", "Transfer"],
        Action::Wallet { .. } => &["MetadataSet"],
        Action::Feedback { .. } => &["NewFeedback"],
    }
}

fn raw(placed: &Placed, kind: RegistryKind, log: LogData) -> RawLog {
    RawLog {
        address: deployment().registry(kind).address,
        topics: log.topics().to_vec(),
        data: log.data,
        block: BlockRef { number: placed.block, hash: B256::ZERO },
        block_time: None,
        tx_hash: placed.tx,
        log_index: placed.first_log,
    }
}
