//! What waits to be signed: who may use it up, how much of it there may be, and what makes it void.

use super::{Desk, account_of, problem, sign};
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
        let again = desk.challenge("ada", &account_of(&owner), "unlink", None).await;
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

    /// Who manages a character uses up nothing of what others ask for the same account.
    async fn nobody_uses_up_anothers_challenges(db: Database) {
        let desk = Desk::open(&db);
        let (token, attacker) = (desk.create("ada").await, desk.create("eve").await);
        let one = account("one");
        let before = desk.challenge("ada", &account_of(&one), "link", Some(&token)).await;
        let mut asked = Vec::new();
        for _ in 0..100 {
            desk.wait(1);
            asked.push(desk.challenge("eve", &account_of(&one), "link", Some(&attacker)).await);
        }
        let after = desk.challenge("ada", &account_of(&one), "link", Some(&token)).await;
        assert_ne!(before, after);
        assert_eq!(desk.prove(&before, &sign(&one, &before)).await.status, 201);
        let two = account("two");
        for (index, message) in asked.iter().enumerate() {
            // Nobody's signature, so that it is only asked whether it waits.
            let kind = if index < 36 { "challenge-unknown" } else { "no-node" };
            assert_eq!(problem(&desk.prove(message, &sign(&two, message)).await).1, kind, "{index}");
        }
    }

    /// Anybody may ask for what only a wallet's signature makes something of; however much of it, what was given out waits on.
    async fn strangers_push_out_nothing(db: Database) {
        let desk = Desk::open(&db);
        let token = desk.create("ada").await;
        let (one, two) = (account("one"), account("two"));
        desk.link("ada", &token, &one).await;
        desk.link("ada", &token, &two).await;
        for purpose in ["unlink", "token"] {
            let mut given = Vec::new();
            for who in [Some(token.as_str()), None, Some("hmc_wrong")] {
                for _ in 0..100 {
                    desk.wait(1);
                    given.push(desk.challenge("ada", &account_of(&one), purpose, who).await);
                }
            }
            for (index, message) in given.iter().enumerate() {
                // Nobody's signature, so that it is only asked whether it waits.
                let reply = desk.prove(message, &sign(&two, message)).await;
                assert_eq!(problem(&reply), (501, "no-node".to_owned()), "{purpose} {index}: {}", reply.text());
            }
            // Whoever asks at about the same time is given the same; so few wait, however many ask.
            given.dedup();
            assert_eq!(given.len(), 10);
        }
        // One that is used is given to nobody again.
        let first = desk.challenge("ada", &account_of(&one), "unlink", None).await;
        assert_eq!(desk.prove(&first, &sign(&one, &first)).await.status, 200);
        desk.link("ada", &token, &one).await;
        let second = desk.challenge("ada", &account_of(&one), "unlink", None).await;
        assert_ne!(first, second);
        assert_eq!(problem(&desk.prove(&first, &sign(&one, &first)).await).1, "challenge-used");
        assert_eq!(desk.prove(&second, &sign(&one, &second)).await.status, 200);
    }

    /// What is given to everybody is of one account, purpose and character, and lasts for most of five minutes, also where a clock goes back.
    async fn what_is_shared_is_the_same_request(db: Database) {
        let desk = Desk::open(&db);
        let (one, two) = (account("one"), account("two"));
        for handle in ["ada", "bob"] {
            let token = desk.create(handle).await;
            desk.link(handle, &token, &one).await;
            desk.link(handle, &token, &two).await;
        }
        let of_one = account_of(&one);
        let given = desk.challenge("ada", &of_one, "unlink", None).await;
        for (handle, of, purpose) in [
            ("ada", &of_one, "token"),
            ("ada", &account_of(&two), "unlink"),
            ("bob", &of_one, "unlink"),
        ] {
            assert_ne!(desk.challenge(handle, of, purpose, None).await, given);
        }
        desk.wait(29);
        assert_eq!(desk.challenge("ada", &of_one, "unlink", None).await, given);
        desk.wait(1);
        let next = desk.challenge("ada", &of_one, "unlink", None).await;
        assert_ne!(next, given);
        desk.clock.0.fetch_sub(10_000, std::sync::atomic::Ordering::SeqCst);
        let earlier = desk.challenge("ada", &of_one, "unlink", None).await;
        assert!(earlier != next && earlier != given, "none lasts longer than five minutes from when it is given");
    }

    /// Who manages a character may have so many challenges wait, for however many accounts, and uses up nobody else's.
    async fn each_character_has_its_own_bound(db: Database) {
        let desk = Desk::open(&db);
        let (token, attacker) = (desk.create("ada").await, desk.create("eve").await);
        let (one, two) = (account("one"), account("two"));
        let before = desk.challenge("ada", &account_of(&one), "link", Some(&token)).await;
        let mut asked = Vec::new();
        for number in 0..100_u64 {
            desk.wait(1);
            let of = format!("eip155:{}:{}", number + 1, one.address());
            asked.push(desk.challenge("eve", &of, "link", Some(&attacker)).await);
        }
        for (index, message) in asked.iter().enumerate() {
            let kind = if index < 36 { "challenge-unknown" } else { "no-node" };
            assert_eq!(problem(&desk.prove(message, &sign(&two, message)).await).1, kind, "{index}");
        }
        assert_eq!(desk.prove(&before, &sign(&one, &before)).await.status, 201);
    }
}
