//! What waits to be signed: who may use it up, how much of it there may be, and what makes it void.

use hallmark::attest::siwe::Purpose;
use hallmark::storage::GivenChallenge;
use hallmark::vocab::{AccountId, ChainId, UnixSeconds};
use serde_json::json;

use super::{Desk, NOW, account_of, problem, sign};
use crate::support::anvil::account;
use crate::support::databases::on_both_engines;

on_both_engines! {
    /// Who stole a token and asked for a challenge by it links nothing once the token was replaced.
    async fn a_stolen_token_leaves_nothing_behind(db: Database) {
        let desk = Desk::open(&db);
        let old = desk.create("ada").await;
        let (owner, thief) = (account("owner"), account("thief"));
        desk.link("ada", &old, &owner).await;
        let kept = desk.challenge("ada", &account_of(&thief), "link", Some(&old)).await;
        let again = desk.challenge("ada", &account_of(&owner), "token", None).await;
        let message = desk.challenge("ada", &account_of(&owner), "token", None).await;
        let reply = desk.prove(&message, &sign(&owner, &message)).await;
        let new = reply.json()["token"].as_str().unwrap().to_owned();
        for (message, key) in [(&kept, &thief), (&again, &owner)] {
            let reply = desk.prove(message, &sign(key, message)).await;
            assert_eq!(problem(&reply), (422, "challenge-unknown".to_owned()), "{}", reply.text());
        }
        // What was used still says so.
        let reply = desk.prove(&message, &sign(&owner, &message)).await;
        assert_eq!(problem(&reply), (409, "challenge-used".to_owned()), "{}", reply.text());
        assert_eq!(desk.wallets("ada").await, [account_of(&owner)]);
        desk.link("ada", &new, &account("another")).await;
    }

    /// A wallet that is taken away comes back by no challenge from before, whoever took it away; other characters' stay.
    async fn an_unlinked_wallet_stays_away(db: Database) {
        let desk = Desk::open(&db);
        let (token, other) = (desk.create("ada").await, desk.create("bob").await);
        let one = account("one");
        for is_by_wallet in [false, true] {
            let kept = desk.challenge("ada", &account_of(&one), "link", Some(&token)).await;
            let of_bob = desk.challenge("bob", &account_of(&account("two")), "link", Some(&other)).await;
            desk.link("ada", &token, &one).await;
            if is_by_wallet {
                let message = desk.challenge("ada", &account_of(&one), "unlink", None).await;
                assert_eq!(desk.prove(&message, &sign(&one, &message)).await.status, 200);
            } else {
                let path = format!("/v1/characters/ada/wallets/{}", account_of(&one));
                assert_eq!(desk.delete(&path, Some(&token)).await.status, 200);
            }
            let reply = desk.prove(&kept, &sign(&one, &kept)).await;
            assert_eq!(problem(&reply), (422, "challenge-unknown".to_owned()), "{}", reply.text());
            assert_eq!(desk.wallets("ada").await, Vec::<String>::new());
            let reply = desk.prove(&of_bob, &sign(&account("three"), &of_bob)).await;
            assert_eq!(problem(&reply), (501, "no-node".to_owned()), "it still waits");
        }
    }

    /// Who manages a character uses up nothing of what others ask for the same account; of its own, the newest eight count.
    async fn nobody_uses_up_anothers_challenges(db: Database) {
        let desk = Desk::open(&db);
        let (token, attacker) = (desk.create("ada").await, desk.create("eve").await);
        let one = account("one");
        let before = desk.challenge("ada", &account_of(&one), "link", Some(&token)).await;
        let mut asked = Vec::new();
        for _ in 0..20 {
            desk.wait(1);
            asked.push(desk.challenge("eve", &account_of(&one), "link", Some(&attacker)).await);
        }
        let after = desk.challenge("ada", &account_of(&one), "link", Some(&token)).await;
        assert_ne!(before, after);
        assert_eq!(desk.prove(&before, &sign(&one, &before)).await.status, 201);
        let two = account("two");
        for (index, message) in asked.iter().enumerate() {
            // Nobody's signature, so that it is only asked whether it waits.
            let kind = if index < 12 { "challenge-unknown" } else { "no-node" };
            assert_eq!(problem(&desk.prove(message, &sign(&two, message)).await).1, kind, "{index}");
        }
    }

    /// Anybody may ask for what only a wallet's signature makes something of; however much of it, the owner's own waits on.
    async fn strangers_push_out_nothing_that_was_asked_with_the_token(db: Database) {
        let desk = Desk::open(&db);
        let token = desk.create("ada").await;
        let one = account("one");
        desk.link("ada", &token, &one).await;
        for purpose in ["unlink", "token"] {
            let own = desk.challenge("ada", &account_of(&one), purpose, Some(&token)).await;
            let mut first = None;
            for stranger in [None, Some("hmc_wrong")] {
                for _ in 0..10 {
                    desk.wait(1);
                    let message = desk.challenge("ada", &account_of(&one), purpose, stranger).await;
                    first = first.or(Some(message));
                }
            }
            let first = first.unwrap();
            let reply = desk.prove(&first, &sign(&one, &first)).await;
            assert_eq!(problem(&reply), (422, "challenge-unknown".to_owned()), "of those the newest count");
            // Nobody's signature, so that it is only asked whether it waits.
            let reply = desk.prove(&own, &sign(&account("two"), &own)).await;
            assert_eq!(problem(&reply), (501, "no-node".to_owned()), "{purpose}: {}", reply.text());
        }
    }

    /// All together, so many wait and no more.
    async fn at_most_so_many_in_all(db: Database) {
        let desk = Desk::open(&db);
        let token = desk.create("ada").await;
        let mut tx = db.begin_write().await.unwrap();
        for number in 0..10_000_u64 {
            let given = GivenChallenge {
                nonce: format!("n{number}"),
                character: 2,
                account: AccountId { chain: ChainId(number), address: account("x").address() },
                purpose: Purpose::Link,
                message: String::new(),
                expires: UnixSeconds::new(NOW + 300).unwrap(),
                attempts: 0,
                used: None,
                is_managers: false,
            };
            tx.insert_challenge(&given).await.unwrap();
        }
        tx.commit().await.unwrap();
        let body = json!({ "character": "ada", "account": account_of(&account("one")) });
        let full = desk.post("/v1/links/challenge", Some(&token), body.clone()).await;
        assert_eq!(problem(&full), (429, "too-many-challenges".to_owned()));
        assert_eq!(full.header("retry-after"), "300");
        desk.wait(300);
        assert_eq!(desk.post("/v1/links/challenge", Some(&token), body).await.status, 201);
    }
}
