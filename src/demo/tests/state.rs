//! What the contracts answer at a block, what is narrated, and that the two agree.

use std::collections::BTreeMap;

use alloy::primitives::{Address, B256, Bytes, U256, b256};
use alloy::sol;
use alloy::sol_types::{SolCall, SolError, SolValue};
use serde_json::json;

use super::super::{AgentAnswer, Moment, Play, RecordedBlock};
use crate::registry::contract_wallet::{ContractSays, says, signature_check};

use super::{ask, before_reorganisation, opening, shipped};

sol! {
    function getAgentWallet(uint256 agentId) external view returns (address);
    function ownerOf(uint256 tokenId) external view returns (address);
    function tokenURI(uint256 tokenId) external view returns (string);
    function getVersion() external view returns (string);
    error ERC721NonexistentToken(uint256 tokenId);
}

const IMPLEMENTATION: B256 =
    b256!("360894a13ba1a3210667c828492db98dca3e2076cc3735a920a3ca505d382bbc");
const LAST_ID: B256 = b256!("a040f782729de4970518741823ec1276cbcd41a0c7493f62d173341566a04e00");

fn call(play: &Play, input: Vec<u8>, at: &serde_json::Value) -> Result<Bytes, super::RpcError> {
    let to = shipped().identity().address;
    ask(play, "eth_call", json!([{"to": to, "input": Bytes::from(input)}, at]))
        .map(|output| serde_json::from_value(output).unwrap())
}

fn wallet(play: &Play, agent: u64, at: &serde_json::Value) -> Address {
    let agent = U256::from(agent);
    let output = call(play, getAgentWalletCall { agentId: agent }.abi_encode(), at).unwrap();
    Address::abi_decode(&output).unwrap()
}

/// The answers for every agent after each canonical block of a play, from the changes alone.
fn answers_of(play: &Play) -> Vec<(&RecordedBlock, BTreeMap<u64, &AgentAnswer>)> {
    let mut now = BTreeMap::new();
    let mut all = Vec::new();
    for number in 0..=play.head() {
        let block = play.block(number).unwrap();
        now.extend(block.agents.iter().map(|answer| (answer.agent, answer)));
        all.push((block, now.clone()));
    }
    all
}

#[test]
fn reads_at_every_change_are_the_contracts_own() {
    let mut play = opening();
    while play.advance().is_some() {}
    let mut compared = 0;
    for (block, agents) in answers_of(&play).into_iter().filter(|(b, _)| !b.agents.is_empty()) {
        let at = json!({"blockHash": block.hash, "requireCanonical": true});
        for (agent, answer) in agents {
            let id = U256::from(agent);
            assert_eq!(wallet(&play, agent, &at), answer.wallet);
            let owner = call(&play, ownerOfCall { tokenId: id }.abi_encode(), &at).unwrap();
            assert_eq!(Address::abi_decode(&owner).unwrap(), answer.owner);
            let uri = call(&play, tokenURICall { tokenId: id }.abi_encode(), &at).unwrap();
            assert_eq!(Bytes::from(String::abi_decode(&uri).unwrap().into_bytes()), answer.uri);
            compared += 1;
        }
    }
    assert!(compared > 800, "{compared}");
}

#[test]
fn an_orphaned_rotation_is_no_longer_answered() {
    let mut play = before_reorganisation();
    let head = play.head();
    let agent = shipped().tour().reorganised_agent;
    let (old, latest) = (json!(format!("{:#x}", head - 5)), json!("latest"));
    let before = wallet(&play, agent, &old);
    let orphaned = wallet(&play, agent, &latest);
    play.advance();
    let replacing = wallet(&play, agent, &latest);
    assert_eq!(wallet(&play, agent, &old), before);
    assert!(before != orphaned && orphaned != replacing && before != replacing);
    // The first two replacing blocks still have the old wallet.
    assert_eq!(wallet(&play, agent, &json!(format!("{:#x}", head - 3))), before);
}

#[test]
fn an_agent_that_is_not_there_has_no_wallet_and_no_owner() {
    let play = opening();
    let latest = json!("latest");
    for id in [U256::from(999), U256::MAX] {
        let output = call(&play, getAgentWalletCall { agentId: id }.abi_encode(), &latest).unwrap();
        assert_eq!(Address::abi_decode(&output).unwrap(), Address::ZERO);
        let error = call(&play, ownerOfCall { tokenId: id }.abi_encode(), &latest).unwrap_err();
        let reason = ERC721NonexistentToken { tokenId: id }.abi_encode();
        assert_eq!((error.code, error.data), (3, Some(reason.into())));
    }
    // Agent 0 is not there yet either, in the block before its mint.
    let mint = shipped().blocks().iter().find(|block| !block.agents.is_empty()).unwrap().number();
    let owner_of_0 = ownerOfCall { tokenId: U256::ZERO }.abi_encode();
    assert!(call(&play, owner_of_0.clone(), &json!(format!("{:#x}", mint - 1))).is_err());
    assert!(call(&play, owner_of_0, &json!(format!("{mint:#x}"))).is_ok());
}

#[test]
fn reads_that_were_not_recorded_and_blocks_not_shown_are_refused() {
    let play = opening();
    let identity = shipped().identity().address;
    let version = getVersionCall {}.abi_encode();
    let error = call(&play, version, &json!("latest")).unwrap_err();
    assert!(error.message.contains("0x0d8e6e2c is not in the recording"), "{}", error.message);
    let elsewhere = json!([{"to": Address::ZERO, "data": "0x"}, "latest"]);
    assert_eq!(ask(&play, "eth_call", elsewhere).unwrap_err().code, -32000);
    let slot = ask(&play, "eth_getStorageAt", json!([identity, "0x5", "latest"])).unwrap_err();
    assert!(slot.message.contains("is not in the recording"), "{}", slot.message);
    for at in [json!("0xbb8"), json!({"blockHash": shipped().blocks()[3_000].hash})] {
        let error = ask(&play, "eth_getCode", json!([identity, at])).unwrap_err();
        assert_eq!((error.code, error.message.as_str()), (-32000, "header not found"));
    }
}

/// Whether a contract signed is asked by code that is only simulated: known without running it where there is no contract.
#[test]
fn an_account_without_code_signed_nothing() {
    let play = opening();
    let registry = shipped().identity().address;
    let nobody = Address::repeat_byte(0x77);
    let wrapped = |factory: Address| {
        let inner = (factory, Bytes::from_static(b"make"), Bytes::from_static(b"signed"));
        [inner.abi_encode_params(), [0x64, 0x92].repeat(16)].concat()
    };
    let ask = |account: Address, signature: &[u8], is_wrapped: bool| {
        let code = signature_check(account, B256::ZERO, signature, is_wrapped).unwrap();
        let found = ask(&play, "eth_call", json!([{"data": code}, "latest"]))?;
        Ok::<_, super::RpcError>(says(&serde_json::from_value::<Bytes>(found).unwrap()))
    };
    assert_eq!(ask(nobody, b"signed", false).unwrap(), Some(ContractSays::NoCode));
    assert_eq!(ask(nobody, &wrapped(nobody), true).unwrap(), Some(ContractSays::NotDeployed));
    // What would have to be run is refused, never guessed.
    for error in [
        ask(registry, b"signed", false).unwrap_err(),
        ask(nobody, &wrapped(registry), true).unwrap_err(),
    ] {
        assert!(error.message.contains("is not in the recording"), "{}", error.message);
    }
}

#[test]
fn code_and_implementations_are_those_of_the_time() {
    let play = opening();
    for registry in shipped().registries() {
        let code = |address: Address, at: &str| {
            let code = ask(&play, "eth_getCode", json!([address, at])).unwrap();
            serde_json::from_value::<Bytes>(code).unwrap()
        };
        assert!(!code(registry.address, "latest").is_empty());
        assert!(code(registry.address, "0x3").is_empty(), "not deployed yet");
        assert!(code(registry.implementation, "latest").len() > 1_000);
        let slot = |at: &str| {
            let params = json!([registry.address, IMPLEMENTATION, at]);
            let word = ask(&play, "eth_getStorageAt", params).unwrap();
            Address::from_word(serde_json::from_value(word).unwrap())
        };
        assert_eq!(slot("latest"), registry.implementation);
        assert_eq!(slot("0x3"), Address::ZERO);
        assert_ne!(slot("0x6"), registry.implementation, "a placeholder first");
    }
}

#[test]
fn the_registry_counts_its_agents() {
    let mut play = opening();
    while play.advance().is_some() {}
    for (block, agents) in answers_of(&play).into_iter().step_by(97) {
        let at = format!("{:#x}", block.number());
        let params = json!([shipped().identity().address, LAST_ID, at]);
        let count: U256 =
            serde_json::from_value(ask(&play, "eth_getStorageAt", params).unwrap()).unwrap();
        assert_eq!(count, U256::from(agents.len()), "block {}", block.number());
        // Ids start at 0 and have no gaps.
        assert!(agents.keys().copied().eq(0..u64::try_from(agents.len()).unwrap()));
    }
}

#[test]
fn what_is_narrated_is_what_the_contracts_answered() {
    let mut play = before_reorganisation();
    check_moments(&play);
    while play.advance().is_some() {}
    check_moments(&play);
}

fn check_moments(play: &Play) {
    let all = answers_of(play);
    let mut checked = 0;
    for pair in all.windows(2) {
        let [(_, before), (block, after)] = pair else { unreachable!("windows of two") };
        // Two moments of one agent in one block have a state between them that no block shows.
        let agent_of = |moment: &Moment| match moment {
            Moment::Rotated { agent, .. } | Moment::Unset { agent, .. } => Some(*agent),
            _ => None,
        };
        let is_alone = |agent: u64| {
            block.moments.iter().filter_map(agent_of).filter(|other| *other == agent).count() < 2
        };
        for moment in &block.moments {
            match moment {
                Moment::Registered { agent, owner } => {
                    assert!(!before.contains_key(agent));
                    assert_eq!((after[agent].owner, after[agent].wallet), (*owner, *owner));
                }
                Moment::Rotated { agent, from, to } if is_alone(*agent) => {
                    assert_eq!((before[agent].wallet, after[agent].wallet), (*from, *to));
                }
                Moment::Unset { agent, from } if is_alone(*agent) => {
                    assert_eq!((before[agent].wallet, after[agent].wallet), (*from, Address::ZERO));
                }
                Moment::Transferred { agent, from, to } => {
                    assert_eq!((before[agent].owner, after[agent].owner), (*from, *to));
                    assert_eq!(after[agent].wallet, Address::ZERO);
                }
                Moment::UriSet { agent, uri } => assert_eq!(&after[agent].uri[..], uri.as_bytes()),
                Moment::Rotated { .. } | Moment::Unset { .. } => continue,
                Moment::Feedback { .. }
                | Moment::FeedbackRevoked { .. }
                | Moment::FeedbackAnswered { .. }
                | Moment::Validated { .. } => assert!(!block.logs.is_empty()),
            }
            checked += 1;
        }
    }
    assert!(checked > 60, "{checked}");
}
