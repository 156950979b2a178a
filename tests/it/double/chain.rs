//! What the tests' chain does of itself: finality tags, reorganisations, snapshots, several transactions in a block.

use alloy::eips::BlockNumberOrTag;
use alloy::primitives::{Address, U256};
use alloy::providers::{Provider, ProviderBuilder};
use alloy::rpc::types::TransactionReceipt;

use crate::support::anvil::{Anvil, BLOCK_TIME_S, GENESIS_TIME, account};
use crate::support::registries::{Registrant, Registries};

fn alice() -> Address {
    account("alice").address()
}

#[tokio::test]
async fn tags_follow_the_head_at_32_and_64_blocks() {
    let anvil = Anvil::spawn_with_chain_id(8453).await;
    anvil.mine(100).await;
    assert_eq!(anvil.head().await, 100);
    assert_eq!(anvil.block(BlockNumberOrTag::Safe).await.header.number, 68);
    assert_eq!(anvil.block(BlockNumberOrTag::Finalized).await.header.number, 36);
    let block = anvil.block(100).await;
    assert_eq!(block.header.timestamp, GENESIS_TIME + 100 * BLOCK_TIME_S);
}

#[tokio::test]
async fn it_is_reached_over_http_and_websocket() {
    let anvil = Anvil::spawn_with_chain_id(8453).await;
    for url in [anvil.http_url(), anvil.ws_url()] {
        let provider = ProviderBuilder::new().connect(&url).await.unwrap();
        assert_eq!(provider.get_chain_id().await.unwrap(), 8453);
    }
}

#[tokio::test]
async fn a_reorganisation_replaces_the_last_blocks() {
    let anvil = Anvil::spawn().await;
    let registries = Registries::deploy(&anvil).await;
    let kept = anvil.send(registries.register(alice())).await;
    let lost = anvil.send(registries.register(alice())).await;
    let height = anvil.head().await;

    anvil.reorg(1).await;
    assert_eq!(anvil.head().await, height);
    assert!(!anvil.has_block(lost.block_hash.unwrap()).await);
    assert!(anvil.has_block(kept.block_hash.unwrap()).await);
    assert_eq!(registries.agent_count_at(height).await, U256::from(1));
    let tip = anvil.block(height).await;
    assert_eq!(tip.header.parent_hash, kept.block_hash.unwrap());

    // The new blocks may hold transactions of their own.
    let bob = account("bob").address();
    anvil.reorg_with(2, &[(registries.register(bob), 1)]).await;
    assert_eq!(anvil.head().await, height);
    assert_eq!(registries.owner_at(U256::ZERO, height).await, Some(bob));
    assert_eq!(registries.owner_at(U256::ZERO, height - 1).await, None);
}

#[tokio::test]
async fn a_deep_reorganisation_keeps_what_is_below() {
    let anvil = Anvil::spawn().await;
    let registries = Registries::deploy(&anvil).await;
    for _ in 0..40 {
        anvil.send(registries.register(alice())).await;
    }
    let height = anvil.head().await;
    let fork = anvil.block(height - 40).await.header.hash;
    anvil.reorg(40).await;
    assert_eq!(anvil.head().await, height);
    assert!(anvil.has_block(fork).await);
    assert_eq!(registries.agent_count_at(height).await, U256::ZERO);
    assert_eq!(registries.agent_count_at(registries.first_block()).await, U256::ZERO);
}

#[tokio::test]
async fn a_snapshot_brings_the_chain_back() {
    let anvil = Anvil::spawn().await;
    let registries = Registries::deploy(&anvil).await;
    let snapshot = anvil.snapshot().await;
    let height = anvil.head().await;
    let lost = anvil.send(registries.register(alice())).await;
    anvil.revert(snapshot).await;
    assert_eq!(anvil.head().await, height);
    assert!(!anvil.has_block(lost.block_hash.unwrap()).await);
    anvil.send(registries.register(account("bob").address())).await;
    let time = |block: alloy::rpc::types::Block| block.header.timestamp;
    let (before, after) = (anvil.block(height).await, anvil.block(height + 1).await);
    assert_eq!(time(after), time(before) + BLOCK_TIME_S);
}

#[tokio::test]
async fn a_block_and_a_transaction_may_hold_several_calls() {
    let anvil = Anvil::spawn().await;
    let registries = Registries::deploy(&anvil).await;
    let registrant = registries.registrant().await;
    let calls = vec![registries.register(registrant.address); 3];
    let batch = anvil.send(registrant.execute(alice(), &calls)).await;
    assert_eq!(batch.logs().len(), 9);

    let first = U256::ZERO;
    let receipts = anvil
        .send_in_one_block(vec![
            registries.register(alice()),
            registrant.execute(alice(), &[registries.unset_wallet(registrant.address, first)]),
            registries.register(alice()),
        ])
        .await;
    let blocks: Vec<_> = receipts.iter().map(|receipt| receipt.block_number).collect();
    assert_eq!(blocks, [batch.block_number.map(|number| number + 1); 3]);
    let log_indexes: Vec<_> =
        receipts.iter().flat_map(TransactionReceipt::logs).map(|log| log.log_index).collect();
    assert_eq!(log_indexes, (0..7).map(Some).collect::<Vec<_>>());
    assert_eq!(Registrant::THIS_AGENT, U256::MAX);
}
