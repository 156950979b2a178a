//! Which wallet spoke for an agent, when, why it began and why it ended.

use alloy::primitives::{Address, U256};
use hallmark::identity::{Directory, SpanCause, SpanEnd, TimelineRef, WalletEntry};
use hallmark::storage::AccountRole;
use hallmark::vocab::Position;

use super::{Stage, rows, who};
use crate::support::anvil::account;
use crate::support::databases::on_both_engines;

const REGISTERED: Option<SpanCause> = Some(SpanCause::Registered);
const PROVEN: Option<SpanCause> = Some(SpanCause::Proven);

on_both_engines! {
    /// By the signature of a key and by that of a contract (ERC-1271), of another account and of the one that is set already.
    async fn proven_wallets_take_over(db: Database) {
        let stage = Stage::new(db).await;
        let (registries, anvil) = (&stage.registries, &stage.anvil);
        let (alice, agent) = (who("alice"), U256::ZERO);
        let contract = registries.contract_wallet(who("keeper")).await;
        anvil.send(registries.register(alice)).await;
        let block_0 = anvil.head().await;
        anvil.send(registries.set_wallet(alice, agent, &account("alice")).await).await;
        anvil.send(registries.set_wallet(alice, agent, &account("bob")).await).await;
        anvil.send(registries.set_wallet(alice, agent, &account("bob")).await).await;
        let keeper = account("keeper");
        anvil.send(registries.set_wallet_signed_by(alice, agent, contract, &keeper).await).await;
        anvil.send(registries.unset_wallet(alice, agent)).await;
        anvil.send(registries.unset_wallet(alice, agent)).await;
        anvil.send(registries.set_wallet(alice, agent, &account("bob")).await).await;
        stage.follow().await;
        let wallet = stage.indexer.spans(TimelineRef::Wallet(0.into())).await;
        assert_eq!(
            rows(&wallet, block_0),
            [
                (alice, 0, Some(1), REGISTERED, Some(SpanEnd::Proven)),
                (alice, 1, Some(2), PROVEN, Some(SpanEnd::Rotated)),
                // Proven again: the same span goes on.
                (who("bob"), 2, Some(4), PROVEN, Some(SpanEnd::Rotated)),
                (contract, 4, Some(5), PROVEN, Some(SpanEnd::Unset)),
                (Address::ZERO, 5, Some(7), None, Some(SpanEnd::Rotated)),
                (who("bob"), 7, None, PROVEN, None),
            ]
        );
        // Before, inside and after the span of a wallet that rotated away, and came back.
        for (block, wallet) in [(1, alice), (2, who("bob")), (3, who("bob")), (4, contract), (7, who("bob"))] {
            assert_eq!(stage.indexer.wallet_at(0, block_0 + block).await, wallet, "at {block}");
        }
    }

    /// A transfer ends the wallet, whoever sends it and whereto: its owner to itself, an operator to somebody.
    async fn a_transfer_ends_the_wallet(db: Database) {
        let stage = Stage::new(db).await;
        let (registries, anvil) = (&stage.registries, &stage.anvil);
        let (alice, bob, carol, agent) = (who("alice"), who("bob"), who("carol"), U256::ZERO);
        anvil.send(registries.register(alice)).await;
        let block_0 = anvil.head().await;
        anvil.send(registries.transfer(alice, alice, agent)).await;
        anvil.send(registries.set_wallet(alice, agent, &account("dora")).await).await;
        anvil.send(registries.set_operator(alice, carol, true)).await;
        anvil.send(registries.transfer_by(carol, alice, bob, agent)).await;
        anvil.send(registries.safe_transfer(bob, alice, agent)).await;
        stage.follow().await;
        let wallet = stage.indexer.spans(TimelineRef::Wallet(0.into())).await;
        let moved = Some(SpanEnd::Transfer);
        assert_eq!(
            rows(&wallet, block_0),
            [
                (alice, 0, Some(1), REGISTERED, moved),
                (Address::ZERO, 1, Some(2), None, Some(SpanEnd::Rotated)),
                (who("dora"), 2, Some(4), PROVEN, moved),
                (Address::ZERO, 4, None, None, None),
            ]
        );
        let owner = stage.indexer.spans(TimelineRef::Owner(0.into())).await;
        let transfer = Some(SpanCause::Transfer);
        assert_eq!(
            rows(&owner, block_0),
            [
                (alice, 0, Some(4), REGISTERED, moved),
                (bob, 4, Some(5), transfer, moved),
                (alice, 5, None, transfer, None),
            ]
        );
    }

    /// One wallet of several agents: all of them are named, each for its own time.
    async fn a_shared_wallet_names_all_its_agents(db: Database) {
        let stage = Stage::new(db).await;
        let (registries, anvil) = (&stage.registries, &stage.anvil);
        let (alice, bob, shared) = (who("alice"), who("bob"), account("shared"));
        for owner in [alice, bob, alice] {
            anvil.send(registries.register(owner)).await;
        }
        let block_0 = anvil.head().await;
        for (agent, owner) in [(0_u64, alice), (1, bob), (2, alice)] {
            anvil.send(registries.set_wallet(owner, U256::from(agent), &shared).await).await;
        }
        anvil.send(registries.unset_wallet(bob, U256::from(1))).await;
        stage.follow().await;
        let mut tx = stage.indexer.database.begin_read().await.unwrap();
        for (block, expected) in
            [(0, vec![]), (1, vec![0_u64]), (2, vec![0, 1]), (3, vec![0, 1, 2]), (4, vec![0, 2])]
        {
            let found = tx
                .agents_of(shared.address(), AccountRole::Wallet, block_0 + block, None, 10)
                .await
                .unwrap();
            let agents: Vec<u64> = found.iter().map(|found| found.agent.0.to()).collect();
            assert_eq!(agents, expected, "at {block}");
        }
        let all = tx.spans_of(shared.address(), AccountRole::Wallet, None, 10).await.unwrap();
        let times: Vec<_> = all
            .iter()
            .map(|found| {
                let span = found.span.record.span;
                let to = span.to.map(|to| to.block_number - block_0);
                (found.agent.0.to::<u64>(), span.from.block_number - block_0, to)
            })
            .collect();
        assert_eq!(times, [(0, 1, None), (1, 2, Some(4)), (2, 3, None)]);
    }

    /// A wallet that a block sets and takes away is nobody's at any block's end, and still real for its logs.
    async fn a_wallet_of_part_of_a_block_is_kept(db: Database) {
        let stage = Stage::new(db).await;
        let (registries, anvil) = (&stage.registries, &stage.anvil);
        let (alice, agent) = (who("alice"), U256::ZERO);
        anvil.send(registries.register(alice)).await;
        let set = registries.set_wallet(alice, agent, &account("bob")).await;
        let receipts = anvil.send_in_one_block(vec![set, registries.unset_wallet(alice, agent)]).await;
        let block = stage.follow().await;
        let wallet = stage.indexer.spans(TimelineRef::Wallet(0.into())).await;
        assert_eq!(
            rows(&wallet, block - 1),
            [
                (alice, 0, Some(1), REGISTERED, Some(SpanEnd::Rotated)),
                (who("bob"), 1, Some(1), PROVEN, Some(SpanEnd::Unset)),
                (Address::ZERO, 1, None, None, None),
            ]
        );
        let mut tx = stage.indexer.database.begin_read().await.unwrap();
        let mut directory = Directory::default();
        for found in tx.spans_of(who("bob"), AccountRole::Wallet, None, 9).await.unwrap() {
            let (account, entry) = WalletEntry::of(&found.span).unwrap();
            directory.put(account, entry);
        }
        let count = |log| directory.agents_at(who("bob"), Position::new(block, log), None, 9).count;
        assert_eq!((count(0), count(1)), (1, 0));
        // The evidence names the transactions.
        let spans = tx.timeline(TimelineRef::Wallet(0.into()), None, 9).await.unwrap();
        assert_eq!(spans[1].from.tx_hash, Some(receipts[0].transaction_hash));
        assert_eq!(spans[1].to.unwrap().tx_hash, Some(receipts[1].transaction_hash));
        let time = anvil.block(block).await.header.timestamp;
        assert_eq!(spans[1].from.time.unwrap().get(), time);
    }
}
