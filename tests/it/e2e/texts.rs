//! URIs and metadata are bytes: NUL, what is not UTF-8, and look-alikes of the reserved key lose nothing and mean nothing else.

use alloy::primitives::U256;
use hallmark::identity::{SpanCause, TimelineRef};

use super::{Stage, who};
use crate::support::databases::on_both_engines;

on_both_engines! {
    /// Every key is an entry of its own, found by its exact bytes at each block.
    async fn metadata_keys_are_bytes(db: Database) {
        const KEYS: [&[u8]; 7] =
            [b"did", b"", b"a\0\xff", b"a\0\xfe", b"AgentWallet", b"agentWallet ", "ключ".as_bytes()];
        let stage = Stage::new(db).await;
        let (registries, anvil, alice) = (&stage.registries, &stage.anvil, who("alice"));
        let entries: Vec<(&[u8], &[u8])> = KEYS.iter().map(|key| (*key, *key)).collect();
        anvil.send(registries.register_with_metadata(alice, "", &entries)).await;
        let value = [0_u8, 0xff, 0x80, b'\'', b'"'];
        for key in KEYS {
            anvil.send(registries.set_metadata(alice, U256::ZERO, key, value)).await;
        }
        anvil.send(registries.set_metadata(alice, U256::ZERO, "did", "")).await;
        let head = stage.follow().await;
        let first = head - 1 - u64::try_from(KEYS.len()).unwrap();
        for (place, key) in (1..).zip(KEYS) {
            for block in first..head {
                let ours = stage.indexer.metadata_at(0, key, block).await.unwrap();
                let expected = if block < first + place { key } else { &value };
                assert_eq!(ours.as_ref(), expected, "{key:?} at {block}");
                assert_eq!(ours, registries.metadata_at(U256::ZERO, key, block).await);
            }
        }
        // Empty is a value: the contract has no way to remove an entry.
        assert_eq!(stage.indexer.metadata_at(0, b"did", head).await.unwrap().len(), 0);
        let mut tx = stage.indexer.database.begin_read().await.unwrap();
        assert_eq!(tx.metadata_at(0.into(), head, None, 100).await.unwrap().len(), KEYS.len());
        // None of the look-alikes has touched the wallet.
        assert_eq!(stage.indexer.spans(TimelineRef::Wallet(0.into())).await.len(), 1);
    }

    /// A URI that no text column would take, a long one, and one that is set to what it was.
    async fn uris_are_bytes(db: Database) {
        let stage = Stage::new(db).await;
        let (registries, anvil, alice) = (&stage.registries, &stage.anvil, who("alice"));
        let long = "x".repeat(20_000);
        let first: &[u8] = b"ipfs://\0\xc3\x28";
        anvil.send(registries.register_with_uri(alice, first)).await;
        anvil.send(registries.set_uri(alice, U256::ZERO, &long)).await;
        anvil.send(registries.set_uri(alice, U256::ZERO, &long)).await;
        anvil.send(registries.set_uri(alice, U256::ZERO, "")).await;
        anvil.send(registries.transfer(alice, who("bob"), U256::ZERO)).await;
        let head = stage.follow().await;
        assert_eq!(stage.indexer.uri_at(0, head - 4).await.unwrap().as_ref(), first);
        let uris = stage.indexer.spans(TimelineRef::Uri(0.into())).await;
        let since: Vec<_> = uris.iter().map(|s| (s.span.from.block_number, s.cause)).collect();
        let (registered, set) = (Some(SpanCause::Registered), Some(SpanCause::Set));
        // The first one is the empty URI between the mint and the announcement, within one transaction.
        assert_eq!(since, [(head - 4, registered), (head - 4, registered), (head - 3, set), (head - 1, set)]);
    }
}
