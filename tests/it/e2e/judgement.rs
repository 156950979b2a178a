//! Feedback and validation: kept as events, found by agent and by thread.

use alloy::primitives::{B256, Bytes, I256, U256};
use hallmark::registry::{RegistryEvent, decode};
use hallmark::storage::{EventsAfter, StoredEvent};
use hallmark::vocab::RegistryKind;

use super::{Stage, who};
use crate::support::databases::on_both_engines;

fn meaning(event: &StoredEvent) -> RegistryEvent {
    decode(event.registry, &event.log).unwrap()
}

on_both_engines! {
    /// A feedback, its revocation and two answers of one responder are one thread; another client's feedback is another.
    async fn feedback_is_kept_with_all_that_follows_on_it(db: Database) {
        let stage = Stage::new(db).await;
        let (registries, anvil) = (&stage.registries, &stage.anvil);
        let (client, agent) = (who("client"), U256::ZERO);
        anvil.send(registries.register(who("alice"))).await;
        let text = |text: &'static [u8]| Bytes::from_static(text);
        let hash = B256::repeat_byte(7);
        let lowest = -(10_i128.pow(38));
        anvil
            .send(registries.give_feedback_in_full(
                client,
                (agent, lowest, 18, text(b"t\0\xff"), text(b"two"), text(b"e"), text(b"ipfs://f"), hash),
            ))
            .await;
        anvil.send(registries.give_feedback(client, agent, 5, "again")).await;
        anvil.send(registries.give_feedback(who("other"), agent, 6, "")).await;
        anvil.send(registries.append_response(who("alice"), agent, client, 1, "r1")).await;
        anvil.send(registries.revoke_feedback(client, agent, 1)).await;
        anvil.send(registries.append_response(who("alice"), agent, client, 1, "r2")).await;
        let head = stage.follow().await;

        let mut tx = stage.indexer.database.begin_read().await.unwrap();
        let page = EventsAfter { after: None, through_block: head, limit: 100 };
        let given = tx.events_of(0.into(), Some("NewFeedback"), page).await.unwrap();
        assert_eq!(given.len(), 3);
        let first = meaning(&given[0]);
        let RegistryEvent::NewFeedback { value, decimals, ref tag2, ref uri, .. } = first else {
            panic!("{first:?}")
        };
        assert_eq!((value, decimals), (I256::try_from(lowest).unwrap(), 18));
        assert_eq!((tag2.as_ref(), uri.as_ref()), (b"two".as_slice(), b"ipfs://f".as_slice()));
        let thread = first.thread().unwrap();
        let mut of = async |name: &str, through| {
            let found = tx.first_of_thread(&thread, name, through, 10).await.unwrap();
            found.iter().map(|event| event.log.block.number - through).collect::<Vec<_>>()
        };
        assert_eq!(of("NewFeedback", head).await, [0; 0], "what a thread begins with does not follow in it");
        assert_eq!(of("FeedbackRevoked", head - 1).await, [0]);
        assert_eq!(of("ResponseAppended", head - 2).await, [0], "as of an earlier block");
        let answers = tx.newest_of_thread(&thread, "ResponseAppended", head, 10).await.unwrap();
        let blocks: Vec<_> = answers.iter().map(|event| event.log.block.number).collect();
        assert_eq!(blocks, [head, head - 2]);
        let second = meaning(&given[1]).thread().unwrap();
        let answers = tx.first_of_thread(&second, "ResponseAppended", head, 10).await.unwrap();
        assert_eq!(answers, []);
    }

    /// A request and every answer to it, the last as well as those before.
    async fn a_validation_is_kept_with_all_its_answers(db: Database) {
        let stage = Stage::new(db).await;
        let (registries, anvil) = (&stage.registries, &stage.anvil);
        let (alice, judge, hash) = (who("alice"), who("judge"), B256::repeat_byte(9));
        anvil.send(registries.register(alice)).await;
        anvil.send(registries.request_validation(alice, judge, U256::ZERO, "ipfs://q", hash)).await;
        for (response, tag) in [(0, "soft"), (100, "hard")] {
            anvil.send(registries.respond_validation(judge, hash, response, "", tag)).await;
        }
        let head = stage.follow().await;
        let mut tx = stage.indexer.database.begin_read().await.unwrap();
        let page = EventsAfter { after: None, through_block: head, limit: 100 };
        let asked = tx.events_of(0.into(), Some("ValidationRequest"), page).await.unwrap();
        assert_eq!(asked.len(), 1);
        assert_eq!(asked[0].registry, RegistryKind::Validation);
        let thread = meaning(&asked[0]).thread().unwrap();
        let name = "ValidationResponse";
        let all = tx.first_of_thread(&thread, name, head, 10).await.unwrap();
        let responses: Vec<_> = all
            .iter()
            .filter_map(|event| match meaning(event) {
                RegistryEvent::ValidationResponse { response, .. } => Some(response),
                _ => None,
            })
            .collect();
        assert_eq!(responses, [0, 100]);
    }
}
