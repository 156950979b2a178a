//! Logs of a registry that cannot be understood: kept as they came, counted and shown, and following goes on.
//!
//! They are made by putting other code in the registry's place for one transaction.

use alloy::primitives::{Address, B256, Bytes, U256, keccak256};
use alloy::providers::Provider;
use alloy::providers::ext::AnvilApi;
use hallmark::app::rebuild;
use hallmark::vocab::RegistryKind;

use super::{Stage, who};
use crate::support::anvil::Call;
use crate::support::databases::on_both_engines;
use crate::support::dump::{assert_same, dump};

/// Code that emits one log with these topics and four bytes of data, whatever it is called with.
fn emitting(topics: &[B256]) -> Bytes {
    let mut code = vec![0x63, 1, 2, 3, 4, 0x5f, 0x52]; // push4 data; push0; mstore
    for topic in topics.iter().rev() {
        code.push(0x7f); // push32
        code.extend(topic);
    }
    // push1 4 (size); push1 28 (offset); log with as many topics; stop
    code.extend([0x60, 4, 0x60, 28, 0xa0 + u8::try_from(topics.len()).unwrap(), 0x00]);
    code.into()
}

async fn emit(stage: &Stage, registry: Address, topics: &[B256]) {
    let provider = &stage.anvil.provider;
    let own = provider.get_code_at(registry).await.unwrap();
    provider.anvil_set_code(registry, emitting(topics)).await.unwrap();
    stage.anvil.send(Call::new(who("anybody"), registry, Bytes::new())).await;
    provider.anvil_set_code(registry, own).await.unwrap();
}

on_both_engines! {
    /// An event nobody knows, one without topics, and one that claims to be of a known kind and is cut short.
    async fn logs_that_cannot_be_decoded_stop_nothing(fresh: Fresh) {
        let stage = Stage::new(fresh.database().await).await;
        let registries = &stage.registries;
        let alice = who("alice");
        stage.anvil.send(registries.register(alice)).await;
        let unknown = keccak256("Novelty(uint256)");
        let metadata_set = keccak256("MetadataSet(uint256,string,string,bytes)");
        let key = keccak256("agentWallet");
        emit(&stage, registries.identity, &[unknown, B256::ZERO]).await;
        emit(&stage, registries.identity, &[metadata_set, B256::ZERO, key]).await;
        emit(&stage, registries.reputation, &[unknown, B256::ZERO, key, unknown]).await;
        emit(&stage, registries.validation, &[]).await;
        stage.anvil.send(registries.set_uri(alice, U256::ZERO, "after")).await;
        stage.indexer.catch_up().await;
        let head = stage.anvil.head().await;
        stage.indexer.equals_contract(registries, head..=head).await;

        let mut tx = stage.indexer.database.begin_read().await.unwrap();
        for (kind, count) in RegistryKind::ALL.into_iter().zip([2, 1, 1]) {
            assert_eq!(tx.undecoded_count(kind).await.unwrap(), count, "{kind:?}");
        }
        let shown = tx.events_undecoded(RegistryKind::Identity, 10).await.unwrap();
        assert_eq!(shown[0].log.topics, [metadata_set, B256::ZERO, key]);
        assert_eq!(shown[1].log.topics, [unknown, B256::ZERO]);
        assert_eq!(shown[1].log.data.as_ref(), [1, 2, 3, 4]);
        let bare = tx.events_undecoded(RegistryKind::Validation, 10).await.unwrap();
        assert!(bare[0].log.topics.is_empty());
        drop(tx);
        let before = dump(fresh.url()).await;
        rebuild(&stage.indexer.database, |_| ()).await.unwrap();
        assert_same(&dump(fresh.url()).await, &before, &[], "after a rebuild");
    }
}
