//! What does not belong together is refused at the start, with a message that names the thing and says what to do.

use alloy::primitives::Address;
use hallmark::app::AppError;
use hallmark::storage::StorageError;
use hallmark::vocab::{ChainId, RegistryKind, RegistryRef};

use super::who;
use crate::support::anvil::{Anvil, CHAIN_ID};
use crate::support::databases::on_both_engines;
use crate::support::dump::dump;
use crate::support::indexer::{Indexer, with_causes};
use crate::support::registries::Registries;

fn assert_says(error: &AppError, parts: &[&str]) {
    let text = with_causes(error);
    for part in parts {
        assert!(text.contains(part), "`{text}` should say `{part}`");
    }
}

on_both_engines! {
    /// None of them writes anything.
    async fn what_does_not_fit_is_refused(fresh: Fresh) {
        let anvil = Anvil::spawn().await;
        let registries = Registries::deploy(&anvil).await;
        let untouched = dump(fresh.url()).await;
        let indexer = Indexer::new(&registries, fresh.database().await);

        let mut other_chain = indexer.clone();
        other_chain.binding.chain = ChainId(8453);
        let error = other_chain.open().await.unwrap_err();
        assert!(matches!(error, AppError::WrongChain { .. }), "{error:?}");
        assert_says(&error, &["eip155:31337", "eip155:8453", "change `rpc_url` or `chain`"]);

        let nobody = Address::repeat_byte(0x99);
        let mut no_code = indexer.clone();
        no_code.binding.registries[1].at.address = nobody;
        let error = no_code.open().await.unwrap_err();
        assert!(matches!(error, AppError::NoCode { kind: RegistryKind::Reputation, .. }));
        assert_says(&error, &["reputation registry", &nobody.to_string(), "has no code on", "check the address"]);
        assert_eq!(dump(fresh.url()).await, untouched);
    }

    /// A database is of one chain and one set of registries, for good.
    async fn a_database_of_something_else_is_refused(fresh: Fresh) {
        let anvil = Anvil::spawn().await;
        let registries = Registries::deploy(&anvil).await;
        let indexer = Indexer::new(&registries, fresh.database().await);
        anvil.send(registries.register(who("alice"))).await;
        indexer.catch_up().await;
        let written = dump(fresh.url()).await;

        let other_anvil = Anvil::spawn_with_chain_id(8453).await;
        let others = Registries::deploy(&other_anvil).await;
        let mut other_chain = Indexer::new(&others, fresh.database().await);
        let chain = ChainId(8453);
        other_chain.binding.chain = chain;
        other_chain.options.chain = chain;
        for registry in &mut other_chain.binding.registries {
            registry.at = RegistryRef { chain, ..registry.at };
        }
        let mut other_registry = indexer.clone();
        other_registry.binding.registries[0].at.address = registries.reputation;
        let later = indexer.starting_at(indexer.options.start_block + 1);
        let mut fewer = indexer.clone();
        fewer.binding.registries.pop();
        let reputation = registries.reputation.to_string();
        for (wrong, part) in [
            (other_chain, "the configuration says eip155:8453"),
            (other_registry, reputation.as_str()),
            (later, "from block "),
            (fewer, "the database follows eip155:31337"),
        ] {
            let error = wrong.open().await.unwrap_err();
            let AppError::Storage { source: StorageError::OtherChain { .. }, .. } = &error else {
                panic!("{error:?}")
            };
            assert_says(&error, &[part, "use another `database_url`"]);
        }
        assert_eq!(dump(fresh.url()).await, written);
        assert_eq!(CHAIN_ID, 31_337);
    }

    /// Two followers on one database: one of them is told so at its next step and stops; nothing is lost or twice.
    async fn a_second_follower_is_told(fresh: Fresh) {
        let anvil = Anvil::spawn().await;
        let registries = Registries::deploy(&anvil).await;
        let indexer = Indexer::new(&registries, fresh.database().await);
        let second = indexer.with_database(fresh.database().await);
        indexer.catch_up().await;
        let following = second.open().await.unwrap();
        let outcome = {
            let (ready, mut is_ready) = tokio::sync::oneshot::channel();
            let mut ready = Some(ready);
            let mut run = Box::pin(following.run(std::future::pending(), |_| {
                if let Some(ready) = ready.take() {
                    let _ = ready.send(());
                }
            }));
            tokio::select! {
                biased;
                stepped = &mut is_ready => stepped.unwrap(),
                outcome = &mut run => panic!("it stopped before it stepped: {outcome:?}"),
            }
            // Between two steps the second one stands still here, for as long as nobody polls it, while the first goes on.
            anvil.send(registries.register(who("alice"))).await;
            indexer.catch_up().await;
            anvil.send(registries.register(who("bob"))).await;
            // It meets a cursor that it did not move.
            run.await
        };
        let error = outcome.unwrap_err();
        let AppError::Storage { source: StorageError::Conflict { .. }, .. } = &error else {
            panic!("{error:?}")
        };
        assert_says(&error, &["another writer moved the cursor", "only one follower may run on a database"]);
        indexer.catch_up().await;
        let head = anvil.head().await;
        indexer.equals_contract(&registries, registries.first_answer()..=head).await;
    }
}
