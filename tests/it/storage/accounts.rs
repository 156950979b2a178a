//! Questions about many agents.

use alloy::primitives::U256;
use hallmark::identity::TimelineRef;
use hallmark::storage::{AccountRole, Tx};
use hallmark::vocab::AgentId;

use super::samples::{LARGEST, account, agent, agents_in, at, begin, span};
use crate::support::databases::on_both_engines;

/// Ids of different lengths, in the order of the numbers; as plain texts they would stand otherwise.
fn ids() -> Vec<AgentId> {
    let mut ids: Vec<_> = [0, 1, 2, 9, 10, 11, 99, 100, 1_000_000_000].map(agent).into();
    ids.extend([AgentId(U256::from(10).pow(U256::from(77))), LARGEST]);
    ids
}

/// Account 1 owns every agent of [`ids`] from block 1 on, and account 2 is their wallet from block 1 until within block 5.
async fn fill(tx: &mut Tx) {
    for id in ids().into_iter().rev() {
        begin(
            tx,
            &[
                span(TimelineRef::Owner(id), Some(account(1)), at(1, 0), None),
                span(TimelineRef::Wallet(id), Some(account(2)), at(1, 1), Some(at(5, 3))),
                span(TimelineRef::Wallet(id), Some(account(3)), at(5, 3), None),
            ],
        )
        .await;
    }
}

on_both_engines! {
    /// Agents stand in the order of their numbers, whatever their lengths, and pages join.
    async fn agents_stand_in_the_order_of_numbers(db: Database) {
        let mut tx = db.begin_write().await.unwrap();
        fill(&mut tx).await;
        for limit in [1, 3, 100] {
            let (mut read, mut after) = (Vec::new(), None);
            loop {
                let found = tx.agents_at(1, after, limit).await.unwrap();
                let Some(last) = found.last() else { break };
                after = Some(*last);
                read.extend(found);
                assert!(read.len() <= ids().len(), "a page repeats");
            }
            assert_eq!(read, ids(), "in pages of {limit}");
        }
        assert_eq!(tx.agents_at(0, None, 9).await.unwrap(), []);
        assert_eq!(tx.agents_at(1, Some(LARGEST), 9).await.unwrap(), []);
        assert_eq!(tx.agents_at(1, Some(agent(50)), 2).await.unwrap(), [agent(99), agent(100)]);
    }

    /// An agent that changed hands within a block is listed once, with who held it at the block's end.
    async fn an_agent_that_moved_is_listed_once(db: Database) {
        let mut tx = db.begin_write().await.unwrap();
        let owner = TimelineRef::Owner(agent(7));
        begin(&mut tx, &[
            span(owner, Some(account(1)), at(1, 0), Some(at(3, 0))),
            span(owner, Some(account(2)), at(3, 0), Some(at(3, 5))),
            span(owner, Some(account(3)), at(3, 5), None),
        ]).await;
        for (block, who) in [(1, 1), (2, 1), (3, 3), (4, 3)] {
            assert_eq!(tx.agents_at(block, None, 9).await.unwrap(), [agent(7)]);
            for candidate in [1, 2, 3] {
                let found = tx.agents_of(account(candidate), AccountRole::Owner, block, None, 9).await.unwrap();
                let expected: &[AgentId] = if candidate == who { &[agent(7)] } else { &[] };
                assert_eq!(agents_in(&found), expected, "account {candidate} at block {block}");
            }
        }
    }

    /// The agents of an account by role, at a block's end, with the span that says so, in pages that join.
    async fn agents_of_an_account(db: Database) {
        let mut tx = db.begin_write().await.unwrap();
        fill(&mut tx).await;
        let (owner, wallet) = (AccountRole::Owner, AccountRole::Wallet);
        for (who, role, block, expected) in [
            (1, owner, 1, ids()),
            (1, owner, 99, ids()),
            (1, wallet, 1, vec![]),
            (2, wallet, 0, vec![]),
            (2, wallet, 4, ids()),
            (2, wallet, 5, vec![]),
            (3, wallet, 4, vec![]),
            (3, wallet, 5, ids()),
            (4, owner, 5, vec![]),
        ] {
            let (mut read, mut after) = (Vec::new(), None);
            loop {
                let found = tx.agents_of(account(who), role, block, after, 4).await.unwrap();
                let Some(last) = found.last() else { break };
                assert!(found.iter().all(|found| found.span.record.value.account() == Some(account(who))));
                after = Some(last.agent);
                read.extend(agents_in(&found));
                assert!(read.len() <= expected.len(), "a page repeats");
            }
            assert_eq!(read, expected, "account {who} as {role:?} at block {block}");
            let count = tx.agents_of_count(account(who), role, block).await.unwrap();
            assert_eq!(count, expected.len() as u64);
        }
    }

    /// Both roles at once: owned by one and with the other as wallet, at the same block's end.
    async fn agents_of_an_owner_and_a_wallet(db: Database) {
        let mut tx = db.begin_write().await.unwrap();
        fill(&mut tx).await;
        // Owned by account 1 with another wallet, and the other way round.
        begin(&mut tx, &[
            span(TimelineRef::Owner(agent(5)), Some(account(1)), at(1, 0), None),
            span(TimelineRef::Wallet(agent(5)), Some(account(9)), at(1, 0), None),
            span(TimelineRef::Owner(agent(6)), Some(account(9)), at(1, 0), None),
            span(TimelineRef::Wallet(agent(6)), Some(account(2)), at(1, 0), None),
        ]).await;
        for (wallet, block, expected) in
            [(2, 0, vec![]), (2, 4, ids()), (2, 5, vec![]), (3, 5, ids()), (9, 4, vec![agent(5)]), (1, 4, vec![])]
        {
            let (mut read, mut after) = (Vec::new(), None);
            loop {
                let found =
                    tx.agents_of_both(account(1), account(wallet), block, after, 3).await.unwrap();
                let Some(last) = found.last() else { break };
                after = Some(last.agent);
                read.extend(agents_in(&found));
                assert!(read.len() <= expected.len(), "a page repeats");
                let is_owner = |timeline| matches!(timeline, TimelineRef::Owner(_));
                assert!(found.iter().all(|found| is_owner(found.span.record.timeline)));
            }
            assert_eq!(read, expected, "wallet {wallet} at block {block}");
        }
    }

    /// Every span of an account in a role, by agent and then by age, in pages that join; owning is not speaking.
    async fn every_span_of_an_account(db: Database) {
        let mut tx = db.begin_write().await.unwrap();
        fill(&mut tx).await;
        for id in ids() {
            begin(&mut tx, &[
                span(TimelineRef::Wallet(id), Some(account(2)), at(0, 9), Some(at(0, 11))),
                span(TimelineRef::Approved(id), Some(account(2)), at(1, 0), None),
            ]).await;
        }
        let spoken: Vec<_> = ids().into_iter().flat_map(|id| [(id, at(0, 9)), (id, at(1, 1))]).collect();
        let owned: Vec<_> = ids().into_iter().map(|id| (id, at(1, 0))).collect();
        for (who, role, expected) in [
            (2, AccountRole::Wallet, &spoken),
            (1, AccountRole::Owner, &owned),
            (1, AccountRole::Wallet, &Vec::new()),
            (2, AccountRole::Owner, &Vec::new()),
        ] {
            for limit in [1, 3, 100] {
                let (mut read, mut after) = (Vec::new(), None);
                loop {
                    let found = tx.spans_of(account(who), role, after, limit).await.unwrap();
                    let Some(last) = found.last() else { break };
                    after = Some((last.agent, last.span.from.at));
                    read.extend(found.iter().map(|found| (found.agent, found.span.from.at)));
                    assert!(read.len() <= expected.len(), "a page repeats");
                }
                assert_eq!(&read, expected, "account {who} as {role:?}, in pages of {limit}");
            }
        }
    }
}
