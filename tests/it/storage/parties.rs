//! Whom names meant: due when their time is reached, replaced with a history, settled, and opened again.

use hallmark::rekey::{Outcome, Rekeying, Role, Rule};
use hallmark::storage::{Party, PartyPlace, PartyState};
use hallmark::vocab::Position;

use super::attestations::{at, filled, meaning};
use crate::support::databases::on_both_engines;

fn places(parties: &[Party]) -> Vec<(u64, Role)> {
    parties.iter().map(|party| (party.seq, party.role)).collect()
}

on_both_engines! {
    async fn what_is_found_replaces_what_was_found(db: Database) {
        let (mut tx, names) = filled(&db, &[("1", 10), ("2", 20), ("3", 30)]).await;
        assert_eq!(tx.due_parties(at(10), 9).await.unwrap(), []);
        let due = tx.due_parties(at(25), 9).await.unwrap();
        assert_eq!(places(&due), [(1, Role::Issuer), (1, Role::Subject), (2, Role::Issuer), (2, Role::Subject)]);
        assert_eq!(tx.due_parties(at(99), 1).await.unwrap(), due[..1]);
        assert_eq!((due[0].name, due[1].name, due[0].rekeying()), (names[0], names[1], Rekeying::default()));
        let several = Rekeying { outcome: Outcome::Several(70_000), rule: Some(Rule::Wallet), ..Rekeying::default() };
        let none = Rekeying { outcome: Outcome::None, rule: Some(Rule::OtherChain), ..Rekeying::default() };
        let span = Some(Position::new(77, Position::END_OF_BLOCK));
        let by_link = Rekeying { span, link: Some(5), rule: Some(Rule::Link), ..meaning(9) };
        let found = [several, none, by_link, meaning(7)];
        let changes: Vec<_> = due.iter().zip(found).map(|(party, found)| (*party, found, PartyState::Found)).collect();
        assert_eq!(tx.write_rekeyings(&changes, at(50)).await.unwrap(), 0, "nothing was known before");
        assert_eq!(tx.due_parties(at(25), 9).await.unwrap(), []);
        for ((party, ..), expected) in changes.iter().zip(found) {
            let now = tx.party(party.name, party.said_at, party.seq, party.role).await.unwrap().unwrap();
            assert_eq!((now.found, now.state, now.rekeying()), (expected, PartyState::Found, expected));
        }
        let records = [tx.record_at(1).await.unwrap().unwrap(), tx.record_at(3).await.unwrap().unwrap()];
        let of = tx.parties_of(&records).await.unwrap();
        assert_eq!((of.len(), of[&(1, Role::Subject)].found, of[&(3, Role::Issuer)].state), (4, none, PartyState::Open));

        let again: Vec<_> = changes.iter().map(|(party, found, state)| (Party { found: *found, state: *state, ..*party }, meaning(7), PartyState::Settled)).collect();
        assert_eq!(tx.write_rekeyings(&again, at(60)).await.unwrap(), 3, "the last one stays what it was");
        let history = tx.rekeying_history(2, Role::Issuer, 9).await.unwrap();
        assert_eq!((history.len(), history[0].rekeying, history[0].replaced_at), (1, by_link, at(60)));
        assert_eq!(tx.rekeying_history(2, Role::Subject, 9).await.unwrap(), []);
        assert!(tx.write_rekeyings(&[(Party { seq: 99, ..due[0] }, none, PartyState::Found)], at(70)).await.is_err());
    }

    async fn parties_of_a_name_lie_in_the_order_of_their_times(db: Database) {
        let (mut tx, names) = filled(&db, &[("1", 30), ("2", 10), ("3", 20), ("4", 20)]).await;
        let all = tx.parties_of_name(names[1], PartyPlace::START, at(99), 9).await.unwrap();
        assert_eq!(places(&all), [(2, Role::Subject), (3, Role::Subject), (4, Role::Subject), (1, Role::Subject)]);
        let behind = PartyPlace::of(&all[1]).unwrap();
        assert_eq!(tx.parties_of_name(names[1], behind, at(30), 9).await.unwrap(), all[2..3]);
        let from = PartyPlace::before(at(20)).unwrap();
        assert_eq!(tx.parties_of_name(names[1], from, at(99), 2).await.unwrap(), all[1..3]);
    }
}
