//! A node that leaves a feedback out: the number of the client's next one tells of it.
//!
//! The liar is a node of a test chain that never returns one log, in ranges or by its block's hash; the headers it gives are true. With
//! an honest node beside it the record is whole, and the liar is benched; alone, what is missing is said.

use std::sync::Arc;
use std::time::Duration;

use alloy::primitives::U256;
use hallmark::app::Followed;
use hallmark::chain::{Provider, Providers, ProvidersOptions, Role, State};
use hallmark::storage::Database;
use hallmark::vocab::{ChainId, Finding, FindingKind};
use tokio::sync::Notify;

use super::busy::Busy;
use super::who;
use crate::support::anvil::{Anvil, CHAIN_ID};
use crate::support::databases::on_both_engines;
use crate::support::dump::{assert_same, dump};
use crate::support::indexer::Indexer;
use crate::support::registries::Registries;

const LIAR: &str = "https://liar.example";
const HONEST: &str = "https://honest.example";
const LIMIT: Duration = Duration::from_mins(2);

/// An agent that a client judged three times, long final; and where the second feedback stands.
struct Judged {
    _anvil: Anvil,
    indexer: Indexer,
    second: (u64, u32),
}

impl Judged {
    /// Followed into `truth` from an honest node.
    async fn new(truth: Database) -> Self {
        let anvil = Anvil::spawn().await;
        let registries = Registries::deploy(&anvil).await;
        anvil.send(registries.register(who("alice"))).await;
        for value in 1..=3 {
            anvil.send(registries.give_feedback(who("bob"), U256::ZERO, value, "tag")).await;
        }
        anvil.mine(70).await;
        let mut indexer = Indexer::new(&registries, truth);
        indexer.catch_up().await;
        // Without headers there are no blooms to tell of it.
        indexer.options.recent = 0;
        let mut tx = indexer.database.begin_read().await.unwrap();
        let events = tx.events_in(0, anvil.head().await).await.unwrap();
        let feedback = events.iter().filter(|event| event.log.address == registries.reputation);
        let logs: Vec<_> =
            feedback.map(|event| &event.log).filter(|log| log.topics.len() == 4).collect();
        assert_eq!(logs.len(), 3);
        let second = (logs[1].block.number, logs[1].log_index);
        drop(tx);
        Self { _anvil: anvil, indexer, second }
    }

    fn liar(&self) -> Provider<Busy> {
        let source = Busy::hiding(self.indexer.source(), self.second);
        Provider { source, name: LIAR.to_owned(), role: Role::Both }
    }

    fn honest(&self) -> Provider<Busy> {
        let source = Busy::new(self.indexer.source());
        Provider { source, name: HONEST.to_owned(), role: Role::Both }
    }

    /// Follows these nodes up to the head; returns how they are doing and what was found.
    async fn follow(
        &self,
        database: Database,
        nodes: Vec<Provider<Busy>>,
    ) -> (Vec<State>, Vec<Finding>) {
        let indexer = self.indexer.with_database(database);
        let source = Arc::new(Providers::new(nodes, ProvidersOptions::new(ChainId(CHAIN_ID))));
        let following = indexer.open_with(Arc::clone(&source)).await.unwrap();
        let (head, stop) = (indexer.head().await, Notify::new());
        let told = |event: Followed<'_>| {
            if let Followed::Step { applied, .. } = event
                && applied.cursor == Some(head)
            {
                stop.notify_one();
            }
        };
        let followed = Box::pin(following.run(stop.notified(), told));
        tokio::time::timeout(LIMIT, followed).await.expect("it gets there").unwrap();
        let mut tx = indexer.database.begin_read().await.unwrap();
        let found = tx.findings(100).await.unwrap();
        let states = source.report().iter().map(|report| report.state).collect();
        (states, found.into_iter().map(|noted| noted.finding).collect())
    }
}

on_both_engines! {
    async fn beside_an_honest_node_it_is_put_back_and_the_liar_is_benched(fresh: Fresh) {
        let truth = fresh.another().await;
        let judged = Judged::new(truth.database().await).await;
        let nodes = vec![judged.liar(), judged.honest()];
        let (states, found) = judged.follow(fresh.database().await, nodes).await;
        assert_eq!(states, [State::Benched, State::Healthy]);
        // That something came when it was asked for again is noted as well, and blames nobody.
        assert!(found.iter().all(|f| f.kind == FindingKind::LogsLeftOut), "{found:?}");
        let blamed: Vec<_> = found.iter().filter_map(|f| f.provider.as_deref()).collect();
        assert_eq!(blamed, [LIAR], "{found:?}");
        let (found, expected) = (dump(fresh.url()).await, dump(truth.url()).await);
        assert_same(&found, &expected, &["finding", "block"], "beside a liar");
    }

    async fn alone_it_is_found_by_the_numbers(fresh: Fresh) {
        let truth = fresh.another().await;
        let judged = Judged::new(truth.database().await).await;
        let (_, found) = judged.follow(fresh.database().await, vec![judged.liar()]).await;
        let missing: Vec<_> = found.iter().filter(|f| f.kind == FindingKind::FeedbackMissing).collect();
        assert_eq!(missing.len(), 1, "{found:?}");
        assert!(missing[0].detail.starts_with("feedback 2 to 2 of agent 0 by "), "{found:?}");
        let gone = dump(truth.url()).await["registry_event"].len() - dump(fresh.url()).await["registry_event"].len();
        assert_eq!(gone, 1);
    }
}
