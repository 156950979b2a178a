//! Contracts' answers.

use hallmark::storage::{Observation, ObservedSubject, StorageError};
use hallmark::vocab::RegistryKind;

use super::samples::{LARGEST, account, agent, block};
use crate::support::databases::on_both_engines;

fn wallet(number: u64, id: u64, answer: Option<u8>) -> Observation {
    let subject = ObservedSubject::Wallet(agent(id));
    Observation { block: block(number), subject, answer: answer.map(account) }
}

on_both_engines! {
    /// Answers come back in order: zero is an answer, and so is that the node could not say.
    async fn answers_come_back_as_they_came(db: Database) {
        let code = |number, kind| Observation {
            block: block(number),
            subject: ObservedSubject::Implementation(kind),
            answer: Some(account(0xee)),
        };
        let largest = Observation { subject: ObservedSubject::Wallet(LARGEST), ..wallet(8, 0, Some(1)) };
        let all = [
            code(7, RegistryKind::Identity),
            code(7, RegistryKind::Validation),
            wallet(7, 9, Some(0)),
            wallet(7, 10, None),
            largest,
            wallet(9, 9, Some(3)),
        ];
        let mut tx = db.begin_write().await.unwrap();
        for observation in all.iter().rev() {
            tx.insert_observation(observation).await.unwrap();
        }
        tx.commit().await.unwrap();
        let mut tx = db.begin_read().await.unwrap();
        assert_eq!(tx.observations_in(0, 99).await.unwrap(), all);
        assert_eq!(tx.observations_in(8, 8).await.unwrap(), [largest]);
        assert_eq!(tx.observations_in(10, 99).await.unwrap(), []);
    }

    /// The last answer about an agent's wallet up to a block; answers about others do not count.
    async fn the_last_answer_about_a_wallet(db: Database) {
        let mut tx = db.begin_write().await.unwrap();
        for observation in [wallet(7, 1, Some(1)), wallet(9, 1, None), wallet(8, 10, Some(2))] {
            tx.insert_observation(&observation).await.unwrap();
        }
        for (block, expected) in
            [(6, None), (7, Some(wallet(7, 1, Some(1)))), (8, Some(wallet(7, 1, Some(1)))), (9, Some(wallet(9, 1, None)))]
        {
            assert_eq!(tx.wallet_observed(agent(1), block).await.unwrap(), expected, "{block}");
        }
        assert_eq!(tx.wallet_observed(agent(0), 99).await.unwrap(), None);
    }

    /// The agents that were ever asked about up to a block, each once; other questions do not count.
    async fn the_agents_asked_about(db: Database) {
        let code = ObservedSubject::Implementation(RegistryKind::Identity);
        let code = Observation { block: block(7), subject: code, answer: Some(account(1)) };
        let largest = Observation { subject: ObservedSubject::Wallet(LARGEST), ..wallet(9, 0, None) };
        let mut tx = db.begin_write().await.unwrap();
        for observation in [code, wallet(8, 1, Some(1)), wallet(9, 1, None), largest] {
            tx.insert_observation(&observation).await.unwrap();
        }
        for (through, expected) in [(7, vec![]), (8, vec![agent(1)]), (9, vec![agent(1), LARGEST])] {
            let mut found = tx.agents_observed(through).await.unwrap();
            found.sort();
            assert_eq!(found, expected, "{through}");
        }
    }

    /// One question is asked once at a block.
    async fn a_question_has_one_answer_at_a_block(db: Database) {
        let mut tx = db.begin_write().await.unwrap();
        tx.insert_observation(&wallet(7, 1, Some(1))).await.unwrap();
        let again = tx.insert_observation(&wallet(7, 1, Some(2))).await;
        assert!(matches!(again, Err(StorageError::Driver(_))), "{again:?}");
    }
}
