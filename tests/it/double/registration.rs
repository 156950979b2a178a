//! How a registry is born and an agent is registered, and what is written about it.

use alloy::primitives::{U256, keccak256};

use super::{Stage, who};

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
