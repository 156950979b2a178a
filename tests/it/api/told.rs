//! The chain that the tests of answers read: two agents of one owner, and what happens to them in twelve blocks.
//!
//! | block | what happens |
//! |---|---|
//! | 5 | the registries run known code |
//! | 6, 7 | nothing; only 7 is held |
//! | 8 | Alice registers agent 0, with a URI and metadata |
//! | 9 | Alice registers agent 1: both share her wallet |
//! | 10 | agent 0 proves Bot as its wallet; Alice lets Carol act for agent 0 and Dora for all her agents |
//! | 11 | Bot rates agent 1; two answers |
//! | 12 | agent 0 rotates to Spare, and its URI changes |
//! | 13 | Bot takes its feedback back, others rate; Spare is asked to validate agent 1 |
//! | 14 | Spare answers twice; a log that nobody can decode |
//! | 15 | agent 0 moves to Bob |
//! | 16 | nothing |

use alloy::primitives::{Address, B256, Bytes, LogData, U256, keccak256};
use hallmark::storage::Database;

use crate::support::abi::{IIdentity, IReputation, IUpgradeable, IValidation};
use crate::support::service::{Service, state};
use crate::support::tale::{IDENTITY, KNOWN_CODE, REPUTATION, Tale, VALIDATION, time};

pub(crate) const ALICE: Address = Address::repeat_byte(0xa1);
pub(super) const BOB: Address = Address::repeat_byte(0xb0);
pub(crate) const BOT: Address = Address::repeat_byte(0x07);
pub(super) const SPARE: Address = Address::repeat_byte(0x08);
const CAROL: Address = Address::repeat_byte(0xca);
const DORA: Address = Address::repeat_byte(0xd0);
/// Nobody's wallet.
pub(super) const STRANGER: Address = Address::repeat_byte(0x57);
/// The hash of the validation request.
const REQUEST: B256 = B256::repeat_byte(0x4e);

/// An agent in full.
pub(super) fn agent(id: u64) -> String {
    format!("eip155:8453:{IDENTITY}:{id}")
}

/// A service that answers from the whole chain, eight seconds after its last block.
pub(super) async fn service(database: &Database) -> Service {
    tell(database).await;
    Service::new(state(database, time(20)))
}

/// Tells the whole chain.
pub(crate) async fn tell(database: &Database) -> Tale {
    let mut tale = Tale::new(database).await;
    tale.ahead = 2;
    tale.settled = Some((14, 11));
    begin(&mut tale).await;
    change(&mut tale).await;
    tale
}

/// Blocks 5 to 9.
async fn begin(tale: &mut Tale) {
    for contract in [IDENTITY, REPUTATION, VALIDATION] {
        tale.say(contract, &IUpgradeable::Upgraded { implementation: code_of(contract) });
    }
    tale.block().await;
    tale.quiet(2).await;
    mint(tale, 0, ALICE);
    tale.say(IDENTITY, &IIdentity::MetadataUpdate { _tokenId: U256::ZERO });
    registered(tale, 0, ALICE, "https://ada.example/agent.json");
    for (key, value) in [("name", b"Ada".as_slice()), ("0xkey", b""), ("raw", &[0xff, 0x00])] {
        metadata(tale, 0, key, value);
    }
    tale.block().await;
    mint(tale, 1, ALICE);
    registered(tale, 1, ALICE, "");
    tale.block().await;
}

/// Blocks 10 to 16.
async fn change(tale: &mut Tale) {
    wallet(tale, 0, Some(BOT));
    let approved = CAROL;
    tale.say(IDENTITY, &IIdentity::Approval { owner: ALICE, approved, tokenId: U256::ZERO });
    tale.say(IDENTITY, &IIdentity::ApprovalForAll { owner: ALICE, operator: DORA, approved: true });
    tale.block().await;

    feedback(tale, BOT, 1, 95, "quality");
    response(tale, BOT, 1, ALICE, "ipfs://thanks");
    response(tale, BOT, 1, STRANGER, "");
    tale.block().await;

    wallet(tale, 0, Some(SPARE));
    tale.say(IDENTITY, &IIdentity::MetadataUpdate { _tokenId: U256::ZERO });
    let uri = "data:application/json,{}".to_owned();
    tale.say(
        IDENTITY,
        &IIdentity::URIUpdated { agentId: U256::ZERO, newURI: uri, updatedBy: CAROL },
    );
    metadata(tale, 0, "name", "Ada Ⅱ".as_bytes());
    tale.block().await;

    let (agent, client) = (U256::ONE, BOT);
    let revoked =
        IReputation::FeedbackRevoked { agentId: agent, clientAddress: client, feedbackIndex: 1 };
    tale.say(REPUTATION, &revoked);
    feedback(tale, ALICE, 1, -5, "");
    feedback(tale, STRANGER, 1, i64::MAX, "quality");
    let request = IValidation::ValidationRequest {
        validatorAddress: SPARE,
        agentId: agent,
        requestURI: "ipfs://request".to_owned(),
        requestHash: REQUEST,
    };
    tale.say(VALIDATION, &request);
    tale.block().await;

    validation(tale, 0, "pending");
    validation(tale, 87, "done");
    let unknown = vec![keccak256("SomethingNew(uint256)"), U256::ONE.into()];
    tale.log(REPUTATION, LogData::new_unchecked(unknown, Bytes::from_static(&[0xff])));
    tale.block().await;

    transfer(tale, 0, ALICE, BOB);
    tale.block().await;
    tale.block().await;
}

/// The code that the program knows for each registry.
pub(super) fn code_of(contract: Address) -> Address {
    match contract {
        IDENTITY => KNOWN_CODE,
        REPUTATION => "0x16e0FA7f7C56B9a767E34B192B51f921BE31dA34".parse().unwrap(),
        _ => "0xDB31f5d9167f8ebc8B30FbBF814c4d297c2D7F99".parse().unwrap(),
    }
}

pub(super) fn mint(tale: &mut Tale, agent: u64, to: Address) {
    let token = U256::from(agent);
    tale.say(IDENTITY, &IIdentity::Transfer { from: Address::ZERO, to, tokenId: token });
}

/// What stands after a mint: the registration, and the wallet that it set.
pub(super) fn registered(tale: &mut Tale, agent: u64, owner: Address, uri: &str) {
    let (agent_id, uri) = (U256::from(agent), uri.to_owned());
    tale.say(IDENTITY, &IIdentity::Registered { agentId: agent_id, agentURI: uri, owner });
    metadata(tale, agent, "agentWallet", owner.as_slice());
}

/// A transfer, and the clearing of the wallet before it.
pub(crate) fn transfer(tale: &mut Tale, agent: u64, from: Address, to: Address) {
    wallet(tale, agent, None);
    tale.say(IDENTITY, &IIdentity::Transfer { from, to, tokenId: U256::from(agent) });
}

pub(super) fn wallet(tale: &mut Tale, agent: u64, wallet: Option<Address>) {
    metadata(tale, agent, "agentWallet", wallet.as_ref().map_or(&[], |wallet| wallet.as_slice()));
}

pub(super) fn metadata(tale: &mut Tale, agent: u64, key: &str, value: &[u8]) {
    let event = IIdentity::MetadataSet {
        agentId: U256::from(agent),
        indexedMetadataKey: keccak256(key),
        metadataKey: key.to_owned(),
        metadataValue: Bytes::copy_from_slice(value),
    };
    tale.say(IDENTITY, &event);
}

/// Feedback on agent 1.
pub(super) fn feedback(tale: &mut Tale, client: Address, index: u64, value: i64, tag: &str) {
    let event = IReputation::NewFeedback {
        agentId: U256::ONE,
        clientAddress: client,
        feedbackIndex: index,
        value: i128::from(value),
        valueDecimals: 2,
        indexedTag1: keccak256(tag),
        tag1: tag.to_owned(),
        tag2: "speed".to_owned(),
        endpoint: "https://ada.example/a2a".to_owned(),
        feedbackURI: "ipfs://feedback".to_owned(),
        feedbackHash: B256::repeat_byte(0xfe),
    };
    tale.say(REPUTATION, &event);
}

/// An answer to feedback on agent 1.
pub(super) fn response(tale: &mut Tale, client: Address, index: u64, by: Address, uri: &str) {
    let event = IReputation::ResponseAppended {
        agentId: U256::ONE,
        clientAddress: client,
        feedbackIndex: index,
        responder: by,
        responseURI: uri.to_owned(),
        responseHash: B256::ZERO,
    };
    tale.say(REPUTATION, &event);
}

fn validation(tale: &mut Tale, response: u8, tag: &str) {
    let event = IValidation::ValidationResponse {
        validatorAddress: SPARE,
        agentId: U256::ONE,
        requestHash: REQUEST,
        response,
        responseURI: String::new(),
        responseHash: B256::ZERO,
        tag: tag.to_owned(),
    };
    tale.say(VALIDATION, &event);
}
