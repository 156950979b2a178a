//! From an agent to the names and records that are about it, and who owned the agents that spoke of it.

use alloy::primitives::Address;
use hallmark::identity::TimelineRef;
use hallmark::rekey::Role;
use hallmark::storage::{PartyPlace, PartyState};
use hallmark::vocab::AgentId;

use super::attestations::{at, filled, meaning};
use super::samples;
use crate::support::databases::on_both_engines;

on_both_engines! {
    async fn an_agent_is_found_by_what_names_meant(db: Database) {
        let (mut tx, names) = filled(&db, &[("1", 10), ("2", 20), ("3", 30)]).await;
        let seven = AgentId::from(7_u64);
        assert!(tx.names_of_subject(seven).await.unwrap().is_empty());
        let due = tx.due_parties(at(99), 9).await.unwrap();
        let changes: Vec<_> = due.iter().map(|party| {
            let found = if party.role == Role::Subject { meaning(7) } else { meaning(9) };
            (*party, found, PartyState::Found)
        }).collect();
        let before = tx.rekeyed().await.unwrap();
        tx.write_rekeyings(&changes, at(50)).await.unwrap();
        assert_eq!(tx.rekeyed().await.unwrap(), before, "nothing came to mean somebody else");
        assert_eq!(tx.names_of_subject(seven).await.unwrap().into_iter().collect::<Vec<_>>(), [names[1]]);
        let nine = AgentId::from(9_u64);
        // A name that came to mean another agent is still asked about for both.
        let due = tx.parties_of_name(names[1], PartyPlace::START, at(99), 1).await.unwrap();
        tx.write_rekeyings(&[(due[0], meaning(11), PartyState::Found)], at(60)).await.unwrap();
        for id in [7_u64, 11] {
            assert_eq!(tx.names_of_subject(id.into()).await.unwrap().into_iter().collect::<Vec<_>>(), [names[1]], "{id}");
        }
        assert!(tx.names_of_subject(nine).await.unwrap().is_empty(), "it said something; nothing was said of it");
        let given = async |tx: &mut hallmark::storage::Tx, upto, max| tx.given_by(nine, upto, max).await.unwrap();
        assert_eq!((given(&mut tx, 9, 9).await, given(&mut tx, 2, 9).await, given(&mut tx, 9, 1).await), (3, 2, 1));
        let records = tx.records_at(&[3, 1, 99]).await.unwrap();
        assert_eq!(records.iter().map(|record| record.seq).collect::<Vec<_>>(), [1, 3]);
        assert_eq!(records[0], tx.record_at(1).await.unwrap().unwrap());
    }

    async fn owners_are_those_of_a_block(db: Database) {
        let mut tx = db.begin_write().await.unwrap();
        samples::hold(&mut tx, 1..=40).await;
        let (alice, bob) = (Address::repeat_byte(1), Address::repeat_byte(2));
        for id in 1..=120_u64 {
            let to = (id == 5).then(|| samples::at(20, 0));
            let timeline = TimelineRef::Owner(id.into());
            let mut spans = vec![samples::span(timeline, Some(alice), samples::at(10, 0), to)];
            spans.extend(to.map(|to| samples::span(timeline, Some(bob), to, None)));
            samples::begin(&mut tx, &spans).await;
        }
        let agents: Vec<AgentId> = (1..=121_u64).map(AgentId::from).collect();
        let owners = tx.owners_at(&agents, 30).await.unwrap();
        assert_eq!((owners.len(), owners[&5_u64.into()], owners[&6_u64.into()]), (120, bob, alice));
        assert_eq!(tx.owners_at(&agents[..9], 19).await.unwrap()[&5_u64.into()], alice);
        assert!(tx.owners_at(&agents, 9).await.unwrap().is_empty());
    }
}
