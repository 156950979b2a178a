//! Code that nobody knows behind the identity registry: its wallets are asked for, and the answers kept.
//!
//! The unknown code says one thing and stores another (`tests/contracts`), so that events alone would be wrong. What is recorded must
//! equal its answers at every block all the same, also where the code changes what it answers without an event of the agent's.

use std::collections::HashSet;
use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex};

use alloy::primitives::{Address, B256, Bytes, U256, keccak256};
use hallmark::app::Followed;
use hallmark::chain::{
    BlockTag, ChainError, ChainSource, ChainTags, LogFilter, RangeLogs, RpcSource,
};
use hallmark::identity::{SpanCause, TimelineRef};
use hallmark::storage::{Observation, ObservedSubject};
use hallmark::vocab::{BlockRef, ChainId, Header, RawLog, RegistryKind};

use super::reorg::{OWN, equals_scratch};
use super::undecodable::emit;
use super::{Stage, who};
use crate::support::anvil::{Anvil, account};
use crate::support::databases::on_both_engines;
use crate::support::indexer::Indexer;
use crate::support::life::Life;
use crate::support::registries::Registries;

async fn observations(indexer: &Indexer) -> Vec<Observation> {
    let mut tx = indexer.database.begin_read().await.unwrap();
    tx.observations_in(0, u64::from(u32::MAX)).await.unwrap()
}

on_both_engines! {
    /// Each step is an answer of the contract's own; all of them are stored, and nothing known is asked for.
    async fn doubtful_wallets_are_settled_by_asking(db: Database) {
        let anvil = Anvil::spawn().await;
        let registries = Registries::deploy(&anvil).await;
        let indexer = Indexer::new(&registries, db);
        let (alice, bob, first, second) = (who("alice"), who("bob"), U256::ZERO, U256::ONE);
        anvil.send(registries.register(alice)).await;
        anvil.send(registries.register(bob)).await;
        indexer.catch_up().await;
        assert_eq!(observations(&indexer).await, [], "known code is not asked");

        let upgraded = registries.upgrade_identity_to_unknown().await.block_number.unwrap();
        anvil.send(registries.set_wallet(alice, first, &account("carol")).await).await;
        anvil.send(registries.settle_wallet(alice, first, who("dora"))).await;
        let rewritten = anvil.send(registries.transfer(alice, bob, first)).await.block_number.unwrap();
        anvil.send(registries.register_with_uri(alice, "third")).await;
        anvil
            .send_in_one_block(vec![
                registries.settle_wallet(bob, first, who("erin")),
                registries.settle_wallet(bob, first, who("faye")),
                registries.unset_wallet(bob, second),
            ])
            .await;
        indexer.catch_up().await;
        assert_eq!(indexer.wallet_at(0, rewritten).await, who("dora"), "the transfer kept it");
        let head = anvil.head().await;
        indexer.equals_contract(&registries, registries.first_answer()..=head).await;
        let asked: Vec<_> = observations(&indexer).await;
        let of = |agent: u64| ObservedSubject::Wallet(agent.into());
        let subjects: Vec<_> =
            asked.iter().map(|o| (o.block.number - upgraded, o.subject)).collect();
        assert_eq!(subjects, [(1, of(0)), (2, of(0)), (3, of(0)), (4, of(2)), (5, of(0)), (5, of(1))]);
        assert_eq!(asked[4].answer, Some(who("faye")));
        assert_eq!(asked[5].answer, Some(Address::ZERO));
        let wallets = indexer.spans(TimelineRef::Wallet(0.into())).await;
        assert_eq!(wallets.last().unwrap().cause, Some(SpanCause::Observed));

        // The known code comes back, and with it the wallet that was announced under the other.
        let back = anvil.send(registries.downgrade_identity()).await.block_number.unwrap();
        assert_eq!(registries.wallet_at(first, back).await, who("carol"));
        anvil.send(registries.transfer(bob, alice, second)).await;
        indexer.catch_up().await;
        let head = anvil.head().await;
        indexer.equals_contract(&registries, registries.first_answer()..=head).await;
        let codes = indexer.spans(TimelineRef::Implementation(RegistryKind::Identity)).await;
        let since: Vec<_> = codes.iter().map(|s| s.span.from.block_number).collect();
        assert_eq!(since, [registries.first_block(), registries.first_answer(), upgraded, back]);
        assert_eq!(codes[1].value, codes[3].value);
        assert_eq!(codes[1].value.account(), Some(registries.implementations[0]));
        let after = observations(&indexer).await.into_iter().filter(|o| o.block.number > back);
        assert_eq!(after.count(), 0, "known code is not asked");
    }

    /// A life with upgrades there and back, in small ranges and in steps of several blocks.
    async fn every_block_equals_the_contract_under_any_code(db: Database) {
        let anvil = Anvil::spawn().await;
        let registries = Registries::deploy(&anvil).await;
        let mut life = Life::new(&registries, 3, 10).await.with_upgrades().await;
        life.go_on(200).await;
        let mut indexer = Indexer::new(&registries, db);
        indexer.options.range_max = 9;
        indexer.options.step_blocks = 5;
        indexer.catch_up().await;
        let head = anvil.head().await;
        let codes = indexer.spans(TimelineRef::Implementation(RegistryKind::Identity)).await;
        assert!(codes.len() >= 6, "only {} upgrades", codes.len());
        indexer.equals_contract(&registries, registries.first_answer()..=head).await;
    }

    /// A log that nobody understands may name an agent that was undone or is not minted yet: it does not exist at that block, and is not
    /// asked about. One that exists is.
    async fn only_agents_that_exist_are_asked_about(fresh: Fresh) {
        let stage = Stage::new(fresh.database().await).await;
        let (registries, anvil, indexer) = (&stage.registries, &stage.anvil, &stage.indexer);
        let novelty = keccak256("Novelty(uint256)");
        let name = |agent: u64| [novelty, B256::from(U256::from(agent))];
        registries.upgrade_identity_to_unknown().await;
        anvil.send(registries.register(who("alice"))).await;
        anvil.send(registries.register(who("undone"))).await;
        indexer.catch_up().await;
        anvil.reorg(1).await;
        for agent in [1, 0] {
            emit(&stage, registries.identity, &name(agent)).await;
        }
        let named = anvil.head().await;
        anvil.send(registries.register(who("bob"))).await;
        indexer.catch_up().await;
        let asked = observations(indexer).await;
        let asked: Vec<_> =
            asked.iter().map(|o| (o.subject, o.block.number, o.answer)).collect();
        let of = |agent: u64| ObservedSubject::Wallet(agent.into());
        assert_eq!(
            asked,
            [
                (of(0), named - 3, Some(who("alice"))),
                (of(0), named, Some(who("alice"))),
                (of(1), named + 1, Some(who("bob"))),
            ]
        );
        assert_eq!(indexer.wallet_at(0, named + 1).await, who("alice"));
        equals_scratch(fresh, indexer, OWN, "in one step or in several").await;
    }

    /// Where following starts after the deployment, the code is read from the proxy, and known code is not asked.
    async fn a_later_start_observes_the_code(db: Database) {
        let anvil = Anvil::spawn().await;
        let registries = Registries::deploy(&anvil).await;
        anvil.send(registries.register(who("alice"))).await;
        let start = anvil.head().await + 1;
        anvil.send(registries.register(who("bob"))).await;
        anvil.send(registries.unset_wallet(who("bob"), U256::ONE)).await;
        let indexer = Indexer::new(&registries, db).starting_at(start);
        indexer.catch_up().await;

        let head = anvil.head().await;
        assert_eq!(indexer.owner_at(1, head).await, Some(who("bob")));
        assert_eq!(indexer.wallet_at(1, head).await, Address::ZERO);
        assert_eq!(indexer.wallet_at(1, head - 1).await, who("bob"));
        let asked = observations(&indexer).await;
        let subjects: Vec<_> = asked.iter().map(|o| o.subject).collect();
        let codes = [RegistryKind::Identity, RegistryKind::Reputation, RegistryKind::Validation];
        assert_eq!(subjects, codes.map(ObservedSubject::Implementation));
        for (observation, code) in asked.iter().zip(registries.implementations) {
            assert_eq!((observation.block.number, observation.answer), (start - 1, Some(code)));
        }
        let code = TimelineRef::Implementation(RegistryKind::Identity);
        let spans = indexer.spans(code).await;
        assert_eq!(spans.len(), 1);
        assert_eq!(spans[0].cause, Some(SpanCause::Observed));
        assert_eq!(spans[0].value.account(), Some(registries.implementations[0]));
    }

    /// Each question fails once. Were the step given up for that, no step with many questions would ever be whole.
    async fn a_question_that_fails_is_asked_again(db: Database) {
        let anvil = Anvil::spawn().await;
        let registries = Registries::deploy(&anvil).await;
        registries.upgrade_identity_to_unknown().await;
        for agent in 0..6 {
            anvil.send(registries.register(who("alice"))).await;
            anvil.send(registries.settle_wallet(who("alice"), U256::from(agent), who("dora"))).await;
        }
        let indexer = Indexer::new(&registries, db);
        let head = indexer.head().await;
        let source = Arc::new(Forgetful { node: indexer.source(), asked: Mutex::default() });
        let following = indexer.open_with(source).await.unwrap();
        let (stop, mut stopped) = tokio::sync::watch::channel(false);
        let stopped = async move { drop(stopped.wait_for(|stop| *stop).await) };
        Box::pin(following.run(Box::pin(stopped), |event| match event {
            Followed::Step { applied, .. } => drop(stop.send(applied.cursor == Some(head))),
            Followed::Trouble { error } => panic!("{error:?}"),
        }))
        .await
        .unwrap();
        assert!(observations(&indexer).await.iter().all(|o| o.answer.is_some()));
        indexer.equals_contract(&registries, registries.first_answer()..=head.number).await;
    }
}

/// A node that fails each call of a contract the first time.
struct Forgetful {
    node: RpcSource,
    asked: Mutex<HashSet<(Bytes, BlockRef)>>,
}

impl ChainSource for Forgetful {
    async fn call(&self, to: Address, input: Bytes, at: BlockRef) -> Result<Bytes, ChainError> {
        if self.asked.lock().unwrap().insert((input.clone(), at)) {
            return Err(ChainError::TimedOut { endpoint: String::new(), asked: String::new() });
        }
        self.node.call(to, input, at).await
    }

    async fn chain_id(&self) -> Result<ChainId, ChainError> {
        self.node.chain_id().await
    }

    async fn tags(&self) -> Result<ChainTags, ChainError> {
        self.node.tags().await
    }

    async fn header(&self, tag: BlockTag) -> Result<Option<Header>, ChainError> {
        self.node.header(tag).await
    }

    async fn headers(&self, numbers: &[u64]) -> Result<Vec<Header>, ChainError> {
        self.node.headers(numbers).await
    }

    async fn logs_in(
        &self,
        filter: &LogFilter,
        range: RangeInclusive<u64>,
    ) -> Result<RangeLogs, ChainError> {
        self.node.logs_in(filter, range).await
    }

    async fn logs_of(&self, filter: &LogFilter, at: BlockRef) -> Result<Vec<RawLog>, ChainError> {
        self.node.logs_of(filter, at).await
    }

    async fn code(&self, of: Address) -> Result<Bytes, ChainError> {
        self.node.code(of).await
    }

    async fn storage(&self, of: Address, slot: B256, at: BlockTag) -> Result<B256, ChainError> {
        self.node.storage(of, slot, at).await
    }

    async fn wait_for_head(&self) {
        self.node.wait_for_head().await;
    }
}
