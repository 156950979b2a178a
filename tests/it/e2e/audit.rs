//! An audit finds nothing on a sound record, and finds what was tampered with.

use hallmark::app::{Checked, Sample, audit, audit_against_chain};

use super::who;
use crate::support::anvil::Anvil;
use crate::support::databases::on_both_engines;
use crate::support::indexer::Indexer;
use crate::support::life::Life;
use crate::support::registries::Registries;

/// The offences, each after the rule it breaks.
fn offences(checks: &[Checked]) -> Vec<String> {
    let named = |check: &Checked| -> Vec<String> {
        check.offences.iter().map(|offence| format!("{}: {offence}", check.rule)).collect()
    };
    checks.iter().flat_map(named).collect()
}

on_both_engines! {
    /// Each damage is done to a sound record, found, and undone by following from scratch.
    async fn damage_is_found(fresh: Fresh) {
        let anvil = Anvil::spawn().await;
        let registries = Registries::deploy(&anvil).await;
        let mut life = Life::new(&registries, 5, 10).await;
        life.go_on(60).await;
        anvil.reorg(4).await;
        anvil.send(registries.register(who("alice"))).await;
        let head = anvil.head().await;
        let agents: u64 = registries.agent_count_at(head).await.to();
        assert!(agents > 5);
        let agent_text = |agent: u64| format!("subject LIKE '%{agent}' AND length(subject) > 2");
        let mint_of_3 = format!("DELETE FROM span WHERE kind = 'owner' AND {}", agent_text(3));
        let other_hash = fresh.bytes(&"ab".repeat(32));
        for (damage, found) in [
            ("SELECT 'nothing'".to_owned(), None),
            (mint_of_3, Some("agent ids are dense from 0: agent 3 is missing")),
            (
                format!("UPDATE span SET to_block = from_block - 1, to_log = 0 WHERE kind = 'wallet' AND to_block IS NULL AND {}", agent_text(2)),
                Some("spans end after they begin: wallet "),
            ),
            (
                "UPDATE span SET to_block = to_block + 1000 WHERE kind = 'wallet' AND to_block IS NOT NULL".to_owned(),
                Some("spans do not overlap: wallet "),
            ),
            (
                format!("UPDATE block SET parent_hash = {other_hash} WHERE number = {}", head - 3),
                Some("blocks are linked by parent hash: block at block "),
            ),
            (
                format!("INSERT INTO block (number, hash, time) VALUES ({}, {other_hash}, 1)", head + 1),
                Some("nothing stands above the cursor: block at block "),
            ),
            (
                format!("UPDATE span SET account = {} WHERE kind = 'wallet' AND to_block IS NULL", fresh.bytes(&"cd".repeat(20))),
                Some("timelines are what the events fold to: wallet "),
            ),
            (
                format!("UPDATE chain_tag SET hash = {other_hash} WHERE tag = 'indexed'"),
                Some("the cursor's block is held: cursor at block "),
            ),
        ] {
            let other = fresh.another().await;
            let indexer = Indexer::new(&registries, other.database().await);
            indexer.catch_up().await;
            assert_eq!(offences(&audit(&indexer.database).await.unwrap()), [""; 0]);
            other.execute(&damage).await;
            let checks = audit(&indexer.database).await.unwrap();
            assert_eq!(checks[0].looked_at.unwrap_or_default() + u64::from(damage.contains("'owner'")), agents);
            let offences = offences(&checks);
            match found {
                None => assert_eq!(offences, [""; 0]),
                Some(found) => {
                    assert!(offences.iter().any(|o| o.starts_with(found)), "{damage}: {offences:?}");
                }
            }
        }
    }

    /// A wallet that the record has wrong is found by asking the contract; a sound record agrees on every agent.
    async fn the_contract_is_the_judge(fresh: Fresh) {
        let anvil = Anvil::spawn().await;
        let registries = Registries::deploy(&anvil).await;
        let indexer = Indexer::new(&registries, fresh.database().await);
        let mut life = Life::new(&registries, 6, 10).await;
        life.go_on(60).await;
        anvil.mine(70).await;
        indexer.catch_up().await;
        let agents: u64 = registries.agent_count_at(anvil.head().await).await.to();
        let source = indexer.source();
        let ask = |sample| audit_against_chain(&indexer.database, &source, sample, |_, _| ());
        let checked = ask(Sample::All).await.unwrap();
        assert_eq!((checked.looked_at, checked.offences.as_slice()), (Some(agents), [].as_slice()));
        let some = ask(Sample::About(2)).await.unwrap().looked_at.unwrap();
        assert!((2..agents).contains(&some), "{some} of {agents}");

        let wrong = fresh.bytes(&"ab".repeat(20));
        fresh
            .execute(&format!(
                "UPDATE span SET account = {wrong} WHERE kind = 'wallet' AND to_block IS NULL \
                 AND subject IN (SELECT MAX(subject) FROM span WHERE kind = 'owner')"
            ))
            .await;
        let checked = ask(Sample::All).await.unwrap();
        let last = agents - 1;
        let said = format!("agent {last}: the wallet is 0xABaBaBaBABabABabAbAbABAbABabababaBaBABaB here, ");
        assert_eq!(checked.offences.len(), 1, "{:?}", checked.offences);
        assert!(checked.offences[0].starts_with(&said), "{:?}", checked.offences);
    }
}
