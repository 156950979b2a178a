//! What names meant, in seconds: wallets, registrations, links; and which names have to be looked up again.

use hallmark::identity::{SpanCause, TimelineRef};
use hallmark::rekey::{Claim, Rule};
use hallmark::storage::{LinkBasis, NameLink, PartyPlace};
use hallmark::vocab::Subject;

use super::attestations::{at, filled};
use super::samples::{self, account, agent, span};
use crate::support::databases::on_both_engines;

on_both_engines! {
    async fn spans_are_told_in_seconds(db: Database) {
        let mut tx = samples::bound(&db).await;
        samples::hold(&mut tx, 5..=20).await;
        let place = |block| samples::at(block, 3);
        samples::begin(&mut tx, &[
            span(TimelineRef::Owner(agent(7)), Some(account(9)), place(6), Some(place(9))),
            hallmark::identity::SpanRecord {
                cause: Some(SpanCause::Transfer),
                ..span(TimelineRef::Owner(agent(7)), Some(account(8)), place(9), None)
            },
            span(TimelineRef::Wallet(agent(7)), Some(account(1)), place(6), Some(place(10))),
            span(TimelineRef::Wallet(agent(8)), Some(account(1)), place(12), None),
            span(TimelineRef::Wallet(agent(8)), Some(account(2)), place(7), Some(place(12))),
        ]).await;
        let claims = tx.wallet_claims(&[account(1), account(2), account(3)]).await.unwrap();
        let claim = |id, from, to: Option<u64>| Claim {
            from: samples::time(from), to: to.map(samples::time), agent: agent(id), rule: Rule::Wallet, span: Some(place(from)), link: None,
        };
        let mut one = claims[&account(1)].clone();
        one.sort();
        assert_eq!((one, claims.len()), (vec![claim(7, 6, Some(10)), claim(8, 12, None)], 2));
        assert_eq!(claims[&account(2)], [claim(8, 7, Some(12))]);
        let registered = tx.registration_times(&[agent(7), agent(8)]).await.unwrap();
        assert_eq!(registered.into_iter().collect::<Vec<_>>(), [(agent(7), samples::time(6))]);
    }

    async fn links_have_their_names_looked_up_again(db: Database) {
        let (mut tx, names) = filled(&db, &[("1", 10)]).await;
        assert_eq!(tx.next_pending().await.unwrap(), None);
        let target: Subject = format!("eip155:8453:{}", account(1)).parse().unwrap();
        let link = NameLink {
            number: 0, name: names[1], target, from: at(20), to: Some(at(30)), basis: LinkBasis::Mutual, seq: Some(1), other_seq: Some(2),
        };
        assert_eq!(tx.add_link(&link).await.unwrap(), 1);
        let other = NameLink { from: at(15), to: None, basis: LinkBasis::Origin, seq: None, other_seq: None, ..link.clone() };
        assert_eq!(tx.add_link(&other).await.unwrap(), 2);
        let found = tx.name_links(&names).await.unwrap();
        assert_eq!(tx.links_to(&link.target, 9).await.unwrap(), found);
        assert_eq!(tx.links_to(&link.target, 1).await.unwrap(), found[..1]);
        assert_eq!(tx.links_to(&format!("eip155:1:{}", account(1)).parse().unwrap(), 9).await.unwrap(), []);
        assert_eq!(found, [NameLink { number: 1, ..link }, NameLink { number: 2, ..other }]);
        // The earliest of the two places counts.
        let pending = tx.next_pending().await.unwrap().unwrap();
        assert_eq!(pending, (names[1], PartyPlace::before(at(15)).unwrap()));
        tx.set_pending(names[1], PartyPlace::before(at(18)).unwrap()).await.unwrap();
        assert_eq!(tx.next_pending().await.unwrap().unwrap(), pending);
        let moved = PartyPlace::before(at(40)).unwrap();
        tx.move_pending(names[1], Some(moved)).await.unwrap();
        assert_eq!(tx.next_pending().await.unwrap(), Some((names[1], moved)));
        tx.move_pending(names[1], None).await.unwrap();
        assert_eq!(tx.next_pending().await.unwrap(), None);
    }

    async fn a_rewriting_is_heeded_once(db: Database) {
        let (mut tx, names) = filled(&db, &[("1", 10)]).await;
        tx.set_chain_taken(samples::at(7, 1)).await.unwrap();
        assert!(!tx.rewritings_unheeded().await.unwrap() && !tx.heed_rewritings().await.unwrap());
        tx.note_rewrite().await.unwrap();
        assert!(tx.rewritings_unheeded().await.unwrap() && tx.heed_rewritings().await.unwrap());
        assert!(!tx.heed_rewritings().await.unwrap());
        assert_eq!(tx.chain_taken().await.unwrap(), None, "what the chain says is gone through again");
        for name in names {
            assert_eq!(tx.next_pending().await.unwrap(), Some((name, PartyPlace::START)));
            tx.move_pending(name, None).await.unwrap();
        }
        assert_eq!(tx.next_pending().await.unwrap(), None);
    }
}
