//! What a receiver does in the middle of a registration, after which the last event is not what is stored.

use alloy::primitives::{Bytes, U256};

use super::{Stage, who};
use crate::support::registries::Registrant;

/// What `Registrant` needs as a proof of a wallet that is another `Registrant`.
fn yes() -> Bytes {
    Bytes::from_static(Registrant::SIGNATURE)
}

#[tokio::test]
async fn a_transfer_inside_a_registration_makes_its_announcement_stale() {
    let mut stage = Stage::new().await;
    let registrant = stage.registrant().await;
    let registries = &stage.registries;
    let (contract, agent) = (registrant.address, U256::ZERO);
    let registration = registries.register_with_uri(contract, "u");
    let inside = [registries.transfer(contract, who("bob"), Registrant::THIS_AGENT)];
    assert_eq!(
        stage.logs_of(registrant.register(who("alice"), &registration, &inside)).await,
        [
            "Transfer zero contract 0",
            "wallet 0 empty",
            "Transfer contract bob 0",
            "MetadataUpdate 0",
            "Registered 0 \"u\" contract",
            "wallet 0 contract"
        ]
    );
    assert_eq!(stage.state(agent).await, ("bob", "zero"));
}

#[tokio::test]
async fn a_wallet_unset_inside_a_registration_stays_unset() {
    let mut stage = Stage::new().await;
    let registrant = stage.registrant().await;
    let registries = &stage.registries;
    let contract = registrant.address;
    let registration = registries.register_with_uri(contract, "u");
    let inside = [registries.unset_wallet(contract, Registrant::THIS_AGENT)];
    assert_eq!(
        stage.logs_of(registrant.register(who("alice"), &registration, &inside)).await,
        [
            "Transfer zero contract 0",
            "wallet 0 empty",
            "MetadataUpdate 0",
            "Registered 0 \"u\" contract",
            "wallet 0 contract"
        ]
    );
    assert_eq!(stage.state(U256::ZERO).await, ("contract", "zero"));
}

#[tokio::test]
async fn a_wallet_set_inside_a_registration_outlives_its_announcement() {
    let mut stage = Stage::new().await;
    let registrant = stage.registrant().await;
    let other = stage.registries.registrant().await.address;
    stage.named.push((other, "other"));
    let registries = &stage.registries;
    let contract = registrant.address;
    let head = stage.anvil.head().await;
    let deadline = U256::from(stage.anvil.block(head).await.header.timestamp + 100);
    let set = registries.set_wallet_raw(contract, Registrant::THIS_AGENT, other, deadline, yes());
    let registration = registries.register(contract);
    assert_eq!(
        stage.logs_of(registrant.register(who("alice"), &registration, &[set])).await,
        [
            "Transfer zero contract 0",
            "wallet 0 other",
            "Registered 0 \"\" contract",
            "wallet 0 contract"
        ]
    );
    assert_eq!(stage.state(U256::ZERO).await, ("contract", "other"));
}

#[tokio::test]
async fn metadata_and_uri_set_inside_a_registration_come_first() {
    let mut stage = Stage::new().await;
    let registrant = stage.registrant().await;
    let registries = &stage.registries;
    let contract = registrant.address;
    let inside = [
        registries.set_metadata(contract, Registrant::THIS_AGENT, "early", [1]),
        registries.set_uri(contract, Registrant::THIS_AGENT, "ipfs://early"),
    ];
    let registration = registries.register_with_metadata(contract, "uri2", &[(b"k", b"")]);
    assert_eq!(
        stage.logs_of(registrant.register(who("alice"), &registration, &inside)).await,
        [
            "Transfer zero contract 0",
            "MetadataSet 0 \"early\" 0x01",
            "MetadataUpdate 0",
            "URIUpdated 0 \"ipfs://early\" contract",
            "MetadataUpdate 0",
            "Registered 0 \"uri2\" contract",
            "wallet 0 contract",
            "MetadataSet 0 \"k\" 0x"
        ]
    );
    let head = stage.anvil.head().await;
    assert_eq!(registries.uri_at(U256::ZERO, head).await.unwrap().as_ref(), b"uri2");

    // `register()` sets no URI, so the one from inside remains although `Registered` names none.
    let registration = registries.register(contract);
    stage.anvil.send(registrant.register(who("alice"), &registration, &inside)).await;
    let head = stage.anvil.head().await;
    assert_eq!(registries.uri_at(U256::from(1), head).await.unwrap().as_ref(), b"ipfs://early");
}

#[tokio::test]
async fn a_registration_inside_a_registration_is_announced_first() {
    let mut stage = Stage::new().await;
    let registrant = stage.registrant().await;
    let registries = &stage.registries;
    let contract = registrant.address;
    let registration = registries.register(contract);
    let inside = [registries.register(contract)];
    assert_eq!(
        stage.logs_of(registrant.register(who("alice"), &registration, &inside)).await,
        [
            "Transfer zero contract 0",
            "Transfer zero contract 1",
            "Registered 1 \"\" contract",
            "wallet 1 contract",
            "Registered 0 \"\" contract",
            "wallet 0 contract"
        ]
    );
}
