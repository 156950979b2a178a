//! Which agent a player was, by a settlement that lists agents in the order in which the bundle lists players.

use alloy::primitives::{B256, keccak256};
use hallmark::intake::relay::link::{LinkError, Settlement, links, players};
use hallmark::vocab::{AccountId, AgentId, ChainId, RegistryRef, Subject};
use serde_json::{Value, json};

use super::{GAME, PLAYER, source};

fn bundle(ids: &Value) -> Vec<u8> {
    let config = json!({
        "gameType": "tragedy-of-the-commons", "playerIds": ids, "handleMap": { PLAYER: "ada" }, "teamMap": {},
        "createdAt": 1_782_216_000_000_u64,
    });
    let turn = json!({ "turnNumber": 0, "moves": [{ "player": "ada", "data": "{\"a\":1.0000000000000000001}", "signature": "" }], "result": null });
    json!({ "config": config, "turns": [turn] }).to_string().into_bytes()
}

fn settlement(agents: &[u64]) -> Settlement {
    let chain = ChainId(11_155_420);
    let address = |text: &str| text.parse().unwrap();
    Settlement {
        game: keccak256(GAME),
        anchor: AccountId { chain, address: address("0xf053f6654266F369cE396131E53058200FfF19D8") },
        tx_hash: B256::repeat_byte(9),
        registry: RegistryRef {
            chain,
            address: address("0x8004A818BFB912233c491871b3d84c89A494BD9e"),
        },
        agents: agents.iter().copied().map(AgentId::from).collect(),
    }
}

fn two() -> Vec<Subject> {
    players(&bundle(&json!([PLAYER, "b"])), &source().origin).unwrap()
}

#[test]
fn players_are_the_agents_in_their_places() {
    let found = links(GAME, &two(), &settlement(&[2202, 7])).unwrap();
    let [first, second] = &found[..] else { panic!("{found:?}") };
    assert_eq!(first.player.to_string(), format!("platform:coordination-games:{PLAYER}"));
    let registry = "eip155:11155420:0x8004A818BFB912233c491871b3d84c89A494BD9e";
    assert_eq!(first.agent.to_string(), format!("{registry}:2202"));
    assert_eq!(second.agent.to_string(), format!("{registry}:7"));
    let hash = B256::repeat_byte(9);
    assert_eq!(
        second.evidence,
        format!(
            "place 2 of `config.playerIds` of the game `{GAME}`, and of the players that \
             eip155:11155420:0xf053f6654266F369cE396131E53058200FfF19D8 settled in {hash}"
        )
    );
}

#[test]
fn lists_that_cannot_be_laid_beside_each_other_link_nobody() {
    let of = |players: &[Subject], agents: &[u64]| links(GAME, players, &settlement(agents));
    assert_eq!(of(&two(), &[1]), Err(LinkError::OtherCount { players: 2, agents: 1 }));
    assert!(matches!(of(&two(), &[1, 1]), Err(LinkError::Twice(_))));
    let same = [two()[0].clone(), two()[0].clone()];
    assert!(matches!(of(&same, &[1, 2]), Err(LinkError::Twice(_))));
    let other = links("another-game", &two(), &settlement(&[1, 2]));
    assert!(matches!(other, Err(LinkError::OtherGame { .. })));
    assert_eq!(of(&[], &[]), Ok(Vec::new()));
}

#[test]
fn what_is_no_bundle_is_refused() {
    for bytes in [
        b"{}".to_vec(),
        b"{\"config\":{}}".to_vec(),
        bundle(&json!("x")),
        bundle(&json!([7])),
        bundle(&json!([""])),
        bundle(&json!(vec!["a"; 1_001])),
    ] {
        assert!(players(&bytes, &source().origin).is_err(), "{}", String::from_utf8_lossy(&bytes));
    }
}
