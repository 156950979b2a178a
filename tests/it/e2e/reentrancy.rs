//! Registrants that act in the middle of their own registration, after which the last event is not what is stored.
//!
//! Each case is registered in all three forms, so that the log before the announcement differs.

use alloy::primitives::{Address, Bytes, U256};
use hallmark::identity::TimelineRef;

use super::{Stage, who};
use crate::support::anvil::Call;
use crate::support::databases::on_both_engines;
use crate::support::registries::Registrant;

const THIS: U256 = Registrant::THIS_AGENT;

/// A call that names the other contract as the wallet; it agrees to anything.
async fn set_wallet(stage: &Stage, from: Address, wallet: Address) -> Call {
    let head = stage.anvil.head().await;
    let deadline = U256::from(stage.anvil.block(head).await.header.timestamp + 100);
    let proof = Bytes::from_static(Registrant::SIGNATURE);
    stage.registries.set_wallet_raw(from, THIS, wallet, deadline, proof)
}

on_both_engines! {
    /// Owner, wallet and URI of every case, by hand and by the contract.
    async fn every_reentrant_registrant_is_folded_right(db: Database) {
        let stage = Stage::new(db).await;
        let registries = &stage.registries;
        let registrant = registries.registrant().await;
        let (own, bob) = (registrant.address, who("bob"));
        let other = registries.registrant().await.address;
        let nobody = Address::ZERO;
        let mut expected = Vec::new();
        for (form, uri) in [
            (registries.register(own), ""),
            (registries.register_with_uri(own, "u"), "u"),
            (registries.register_with_metadata(own, "m", &[(b"k", b"v")]), "m"),
        ] {
            let set = set_wallet(&stage, own, other).await;
            let early = registries.set_uri(own, THIS, "early");
            let kept = if uri.is_empty() { "early" } else { uri };
            let cases: [(Vec<Call>, Address, Address, &str); 7] = [
                (vec![registries.transfer(own, bob, THIS)], bob, nobody, uri),
                (vec![registries.unset_wallet(own, THIS)], own, nobody, uri),
                (vec![set.clone()], own, other, uri),
                (vec![registries.set_metadata(own, THIS, "early", [1]), early.clone()], own, own, kept),
                (vec![set, early, registries.transfer(own, bob, THIS)], bob, nobody, kept),
                (vec![registries.transfer(own, own, THIS)], own, nobody, uri),
                (vec![registries.transfer(own, other, THIS), registries.set_operator(own, bob, true)], other, nobody, uri),
            ];
            for (inside, owner, wallet, uri) in cases {
                stage.anvil.send(registrant.register(who("alice"), &form, &inside)).await;
                expected.push((owner, wallet, uri));
            }
        }
        let head = stage.follow().await;
        for (agent, (owner, wallet, uri)) in (0..).zip(expected) {
            assert_eq!(stage.indexer.owner_at(agent, head).await, Some(owner), "agent {agent}");
            assert_eq!(stage.indexer.wallet_at(agent, head).await, wallet, "agent {agent}");
            let found = stage.indexer.uri_at(agent, head).await.unwrap();
            assert_eq!(found.as_ref(), uri.as_bytes(), "agent {agent}");
        }
        assert_eq!(stage.indexer.metadata_at(3, b"early", head).await.unwrap().as_ref(), [1]);
    }

    /// A registration within a registration: the inner agent has the higher id and is announced first.
    async fn nested_registrations_are_told_apart(db: Database) {
        let stage = Stage::new(db).await;
        let registries = &stage.registries;
        let registrant = registries.registrant().await;
        let own = registrant.address;
        let outer = registries.register_with_uri(own, "outer");
        let inside = [registries.register_with_uri(own, "inner"), registries.unset_wallet(own, THIS)];
        stage.anvil.send(registrant.register(who("alice"), &outer, &inside)).await;
        let head = stage.follow().await;
        assert_eq!(stage.indexer.uri_at(0, head).await.unwrap().as_ref(), b"outer");
        assert_eq!(stage.indexer.uri_at(1, head).await.unwrap().as_ref(), b"inner");
        assert_eq!(stage.indexer.wallet_at(0, head).await, Address::ZERO);
        assert_eq!(stage.indexer.wallet_at(1, head).await, own);
        assert_eq!(stage.indexer.spans(TimelineRef::Wallet(0.into())).await.len(), 2);
    }
}
