//! Who is close to whom it speaks of is found in the store, by everything that ties an account to an agent, and as of when it was said.

use hallmark::attest::statement::Scheme;
use hallmark::attest::wallet::SignedBy;
use hallmark::did::Change;
use hallmark::identity::{SpanCause, SpanRecord, TimelineRef};
use hallmark::storage::{LinkEvidence, UnlinkedBy};
use serde_json::{Value, json};

use super::{Desk, account, agent, in_game, key, record, signed, with};
use crate::storage::{characters::create, samples};
use crate::support::databases::on_both_engines;

/// What an account by itself is found to have to do with agent 7, of which it speaks at a block.
async fn found(desk: &Desk, by: &str, block: u64) -> Vec<String> {
    let said = record(&account(by).to_string(), &agent(7), block);
    let taken = desk.take(&signed(&said, by, Scheme::Eip712)).await;
    let findings = taken["findings"].as_array().unwrap().iter();
    let kin = findings.filter(|finding| finding["kind"] == "kinship");
    let own = account(by).to_string();
    let told = kin.map(|finding| {
        let detail = finding["detail"].as_str().unwrap();
        let rest = detail.strip_prefix(&format!("the issuer's account {own} ")).expect(detail);
        rest.strip_suffix(&format!(" {}, the subject", agent(7))).expect(detail).to_owned()
    });
    told.collect()
}

fn change(number: u64, block: u64) -> Change {
    Change { number, time: samples::time(block) }
}

on_both_engines! {
    /// By the chain: the one it approved, its owner's operator, and whoever had it before.
    async fn operators_and_past_owners_are_found(db: Database) {
        let desk = Desk::open(&db).await;
        let span = |timeline, who: Option<&str>, from, to: Option<u64>| {
            let address = who.map(|who| key(who).address());
            samples::span(timeline, address, samples::at(from, 1), to.map(|to| samples::at(to, 1)))
        };
        let owner = key("owner").address();
        let mut tx = db.begin_write().await.unwrap();
        samples::begin(&mut tx, &[
            span(TimelineRef::Approved(7.into()), Some("approved"), 30, Some(50)),
            span(TimelineRef::Operator(owner, key("operator").address()), Some("operator"), 30, Some(50)),
        ]).await;
        tx.commit().await.unwrap();
        for (by, block, expected) in [
            ("approved", 29, None), ("approved", 30, Some("is an operator of")), ("approved", 51, None),
            ("operator", 29, None), ("operator", 30, Some("is an operator of")), ("operator", 51, None),
            ("owner", 40, Some("owns")), ("eight", 40, None),
        ] {
            assert_eq!(found(&desk, by, block).await, Vec::from_iter(expected), "{by} at {block}");
        }
        // It is sold: whoever owned it is not forgotten.
        let mut tx = db.begin_write().await.unwrap();
        let sold = SpanRecord { cause: Some(SpanCause::Transfer), ..span(TimelineRef::Owner(7.into()), Some("buyer"), 60, None) };
        let closing = hallmark::identity::Closing {
            timeline: TimelineRef::Owner(7.into()), from: samples::at(10, 0), to: samples::at(60, 1),
            ended_by: hallmark::identity::SpanEnd::Transfer,
        };
        let changes = hallmark::identity::Changes { closings: vec![closing], begun: vec![sold] };
        tx.write_changes(&changes).await.unwrap();
        tx.commit().await.unwrap();
        for (by, block, expected) in [("owner", 59, "owns"), ("owner", 60, "owned"), ("buyer", 60, "owns")] {
            assert_eq!(found(&desk, by, block).await, [expected], "{by} at {block}");
        }
    }

    /// By what was proven here: the wallets of one character are one hand's.
    async fn another_wallet_of_a_character_is_found(db: Database) {
        let desk = Desk::open(&db).await;
        let evidence = LinkEvidence { signed_by: SignedBy::Key, message: "m".to_owned(), signature: vec![1].into() };
        let mut tx = db.begin_write().await.unwrap();
        let ada = create(&mut tx, "ada").await;
        tx.link_wallet(ada, account("seven"), change(2, 20), &evidence).await.unwrap();
        tx.link_wallet(ada, account("spare"), change(3, 30), &evidence).await.unwrap();
        // Whoever is somebody else is not close to it.
        let bob = create(&mut tx, "bob").await;
        tx.link_wallet(bob, account("bob"), change(2, 20), &evidence).await.unwrap();
        tx.commit().await.unwrap();
        for (by, block, expected) in [
            ("spare", 29, None), ("spare", 30, Some("is another wallet of")), ("spare", 49, Some("is another wallet of")),
            // The agent has another wallet from then on, which proved itself to nobody.
            ("spare", 50, None), ("bob", 40, None),
        ] {
            assert_eq!(found(&desk, by, block).await, Vec::from_iter(expected), "{by} at {block}");
        }
        let mut tx = db.begin_write().await.unwrap();
        assert!(tx.unlink_wallet(ada, account("spare"), change(4, 40), UnlinkedBy::Character).await.unwrap());
        tx.commit().await.unwrap();
        assert_eq!(found(&desk, "spare", 39).await, ["is another wallet of"]);
        assert_eq!(found(&desk, "spare", 40).await, Vec::<String>::new());
    }

    /// By the word of an origin: one player has both.
    async fn another_wallet_of_a_player_is_found(db: Database) {
        let desk = Desk::open(&db).await;
        let link = |player: &str, target: String, block| -> Value {
            let mut link = with(in_game(record("games:system", player, block), "g"), "issuerKind", "system");
            link["attestation"]["claim"] = json!({ "type": "identity.link", "data": { "target": target } });
            link
        };
        for link in [
            link("player-1", agent(7), 20), link("player-1", account("spare").to_string(), 30),
            link("player-2", account("seven-new").to_string(), 20), link("player-2", account("late").to_string(), 25),
            link("player-3", account("nobody").to_string(), 20),
        ] {
            assert_eq!(desk.origin(&link).await.status, 201);
        }
        for (by, block, expected) in [
            ("spare", 29, None), ("spare", 30, Some("is another wallet of")), ("spare", 70, Some("is another wallet of")),
            // What belongs with its wallet does while that is its wallet.
            ("late", 49, None), ("late", 50, Some("is another wallet of")), ("nobody", 60, None),
        ] {
            assert_eq!(found(&desk, by, block).await, Vec::from_iter(expected), "{by} at {block}");
        }
    }
}
