//! Who else could act for an agent: both kinds of approval, with the endings that no event announces.

use alloy::primitives::{Address, U256};
use hallmark::identity::{OperatorKind, TimelineRef, operators};

use super::{Stage, who};
use crate::support::databases::on_both_engines;

/// Account, kind, since, until; blocks counted from one given.
type Row = (Address, OperatorKind, u64, Option<u64>);

async fn operators_of(stage: &Stage, agent: u64, block_0: u64) -> Vec<Row> {
    let owners = stage.indexer.spans(TimelineRef::Owner(agent.into())).await;
    let approved = stage.indexer.spans(TimelineRef::Approved(agent.into())).await;
    let mut tx = stage.indexer.database.begin_read().await.unwrap();
    let mut for_all = Vec::new();
    let mut seen = Vec::new();
    for owner in owners.iter().filter_map(|span| span.value.account()) {
        if seen.contains(&owner) {
            continue;
        }
        seen.push(owner);
        let spans = tx.operators_of_owner(owner, 100).await.unwrap();
        for_all.extend(spans.into_iter().map(|span| (owner, span.record)));
    }
    let row = |found: hallmark::identity::OperatorSpan| {
        let to = found.span.to.map(|to| to.block_number - block_0);
        (found.account, found.kind, found.span.from.block_number - block_0, to)
    };
    operators(&owners, &approved, &for_all).into_iter().map(row).collect()
}

on_both_engines! {
    /// The single approval ends with a transfer and no event; the operator of an owner comes back with the owner.
    async fn approvals_end_silently_and_operators_come_back(db: Database) {
        let stage = Stage::new(db).await;
        let (registries, anvil) = (&stage.registries, &stage.anvil);
        let (alice, bob, carol, dora) = (who("alice"), who("bob"), who("carol"), who("dora"));
        let agent = U256::ZERO;
        anvil.send(registries.register(alice)).await;
        let block_0 = anvil.head().await;
        anvil.send(registries.set_operator(alice, carol, true)).await;
        anvil.send(registries.approve(alice, dora, agent)).await;
        anvil.send(registries.transfer(alice, bob, agent)).await;
        anvil.send(registries.approve(bob, dora, agent)).await;
        anvil.send(registries.approve(bob, Address::ZERO, agent)).await;
        anvil.send(registries.transfer(bob, alice, agent)).await;
        // Who may act may do so: the contract lets the operator that came back set the URI.
        anvil.send(registries.set_uri(carol, agent, "by carol")).await;
        anvil.send(registries.set_operator(alice, carol, false)).await;
        let refused = anvil.send_reverting(registries.set_uri(carol, agent, "no more")).await;
        assert!(refused.contains("Not authorized"), "{refused}");
        stage.follow().await;
        let (one, all) = (OperatorKind::Approved, OperatorKind::ApprovedForAll);
        assert_eq!(
            operators_of(&stage, 0, block_0).await,
            [
                (carol, all, 1, Some(3)),
                (dora, one, 2, Some(3)),
                (dora, one, 4, Some(5)),
                (carol, all, 6, Some(8)),
            ]
        );
    }

    /// A transfer to oneself ends the single approval and leaves the operators of the owner.
    async fn a_transfer_to_oneself_ends_the_single_approval(db: Database) {
        let stage = Stage::new(db).await;
        let (registries, anvil) = (&stage.registries, &stage.anvil);
        let (alice, carol, dora, agent) = (who("alice"), who("carol"), who("dora"), U256::ZERO);
        anvil.send(registries.register(alice)).await;
        let block_0 = anvil.head().await;
        anvil.send_in_one_block(vec![
            registries.set_operator(alice, carol, true),
            registries.approve(alice, dora, agent),
        ]).await;
        anvil.send(registries.transfer(alice, alice, agent)).await;
        let head = stage.follow().await;
        let (one, all) = (OperatorKind::Approved, OperatorKind::ApprovedForAll);
        let found = operators_of(&stage, 0, block_0).await;
        assert_eq!(found, [(carol, all, 1, None), (dora, one, 1, Some(2))]);
        assert_eq!(stage.indexer.value_at(TimelineRef::Approved(0.into()), head).await, None);
    }
}
