//! How a wallet is proven, set and lost, under the known implementation and under another.

use alloy::primitives::{Address, B256, U256, b256, hex};

use super::{Stage, WALLET_TOPIC, who};
use crate::support::anvil::account;

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
    let refused =
        stage.anvil.send_reverting(registries.transfer_by(carol, bob, carol, agent)).await;
    assert!(refused.contains("0x177e802f"), "not ERC721InsufficientApproval: {refused}");

    // An empty wallet is cleared again, and so is that of a transfer to oneself.
    let logs = stage.logs_of(registries.safe_transfer(bob, bob, agent)).await;
    assert_eq!(logs, ["wallet 0 empty", "Transfer bob bob 0"]);
    let logs = stage.logs_of(registries.set_operator(bob, carol, true)).await;
    assert_eq!(logs, ["ApprovalForAll bob carol true"]);
    let logs = stage.logs_of(registries.set_uri(carol, agent, "x")).await;
    assert_eq!(logs, ["MetadataUpdate 0", "URIUpdated 0 \"x\" carol"]);
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

    // The known code comes back; what the other stored of its own is not looked at.
    stage.anvil.send(registries.downgrade_identity()).await;
    let logs = stage.logs_of(registries.transfer(bob, alice, agent)).await;
    assert_eq!(logs, ["wallet 0 empty", "Transfer bob alice 0"]);
    assert_eq!(stage.state(agent).await, ("alice", "zero"));
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
