//! How a wallet proves itself, and everything that does not prove it.

use alloy::primitives::hex;
use alloy::signers::SignerSync;
use serde_json::{Value, json};

use super::{Desk, OPERATOR, account_of, problem, sign};
use crate::support::anvil::account;
use crate::support::databases::on_both_engines;
use crate::support::service::Reply;

/// The other form of a signature, with the high `s`.
fn turned(signature: &str) -> String {
    let bytes = hex::decode(signature).unwrap();
    let parsed = alloy::primitives::Signature::from_raw(&bytes).unwrap();
    let order = alloy::primitives::uint!(
        0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141_U256
    );
    let high = alloy::primitives::Signature::new(parsed.r(), order - parsed.s(), !parsed.v());
    hex::encode_prefixed(high.as_bytes())
}

fn refused(reply: &Reply, status: u16, kind: &str) {
    assert_eq!(problem(reply), (status, kind.to_owned()), "{}", reply.text());
}

on_both_engines! {
    /// A wallet is linked by its signature, more of them beside it, taken away by either side, and linked again.
    async fn from_link_to_link(db: Database) {
        let desk = Desk::open(&db);
        let token = desk.create("ada").await;
        let (one, two) = (account("one"), account("two"));
        let linked = desk.link("ada", &token, &one).await;
        assert_eq!((&linked["change"], &linked["signed_by"], &linked["block"]), (&json!(2), &json!("key"), &Value::Null));
        assert_eq!(linked["account_did"], format!("did:pkh:{}", account_of(&one)));
        desk.wait(10);
        desk.link("ada", &token, &two).await;
        assert_eq!(desk.wallets("ada").await, [account_of(&one), account_of(&two)]);
        // One address on another chain is another account.
        let elsewhere = account_of(&one).replace("8453", "1");
        let message = desk.challenge("ada", &elsewhere, "link", Some(&token)).await;
        assert!(message.contains("\nChain ID: 1\n"));
        assert_eq!(desk.prove(&message, &sign(&one, &message)).await.status, 201);

        // By the wallet, without any token.
        let message = desk.challenge("ada", &account_of(&one), "unlink", None).await;
        assert!(message.contains("\nTake this account away from the character ada.\n"));
        let reply = desk.prove(&message, &sign(&one, &message)).await;
        assert_eq!((reply.status, &reply.json()["change"]), (200, &json!(5)), "{}", reply.text());
        // By whoever manages the character, without any signature.
        let path = format!("/v1/characters/ada/wallets/{}", account_of(&two));
        refused(&desk.delete(&path, None).await, 401, "no-token");
        refused(&desk.delete(&path, Some("other")).await, 403, "wrong-token");
        assert_eq!(desk.delete(&path, Some(&token)).await.status, 200);
        refused(&desk.delete(&path, Some(&token)).await, 409, "not-linked");
        refused(&desk.delete("/v1/characters/bob/wallets/eip155:1:0x", Some(&token)).await, 400, "bad-parameter");
        assert_eq!(desk.wallets("ada").await, [elsewhere]);
        desk.link("ada", &token, &one).await;
        assert_eq!(desk.wallets("ada").await.len(), 2);
    }

    /// What is nobody's account is given nothing to sign.
    async fn nobodys_accounts(db: Database) {
        let desk = Desk::open(&db);
        let token = desk.create("ada").await;
        let (one, zero) = (account("one").address(), alloy::primitives::Address::ZERO);
        for (of, says) in [
            (format!("eip155:0:{one}"), "no chain has the number 0"),
            (format!("eip155:18446744073709551615:{one}"), "no chain has the number"),
            (format!("eip155:8453:{zero}"), "nobody's account"),
            (format!("did:pkh:eip155:1:{zero}"), "nobody's account"),
        ] {
            for purpose in ["link", "unlink", "token"] {
                let body = json!({ "character": "ada", "account": of, "purpose": purpose });
                let reply = desk.post("/v1/links/challenge", Some(&token), body).await;
                refused(&reply, 422, "bad-body");
                assert_eq!(reply.json()["field"], "account");
                assert!(reply.text().contains(says), "{}", reply.text());
            }
        }
    }

    /// A lost token is replaced by a signature of a linked wallet, and the old one opens nothing more.
    async fn a_new_token(db: Database) {
        let desk = Desk::open(&db);
        let old = desk.create("ada").await;
        let (one, two) = (account("one"), account("two"));
        desk.link("ada", &old, &one).await;
        let body = json!({ "character": "ada", "account": account_of(&two), "purpose": "token" });
        refused(&desk.post("/v1/links/challenge", None, body).await, 409, "not-linked");
        let message = desk.challenge("ada", &account_of(&one), "token", None).await;
        refused(&desk.prove(&message, &sign(&two, &message)).await, 501, "no-node");
        let reply = desk.prove(&message, &sign(&one, &message)).await;
        assert_eq!((reply.status, &reply.json()["change"]), (200, &Value::Null));
        let new = reply.json()["token"].as_str().unwrap().to_owned();
        let body = json!({ "character": "ada", "account": account_of(&two) });
        refused(&desk.post("/v1/links/challenge", Some(&old), body).await, 403, "wrong-token");
        desk.link("ada", &new, &two).await;
        // A wallet that is no longer linked gives no tokens, whatever it asked for before.
        let message = desk.challenge("ada", &account_of(&one), "token", None).await;
        desk.delete(&format!("/v1/characters/ada/wallets/{}", account_of(&one)), Some(&new)).await;
        refused(&desk.prove(&message, &sign(&one, &message)).await, 422, "challenge-unknown");
    }

    /// A challenge is of use once, for five minutes, to this host, for this account, and as it was given out.
    async fn challenges_that_do_not_count(db: Database) {
        let desk = Desk::open(&db);
        let token = desk.create("ada").await;
        let (one, two) = (account("one"), account("two"));
        let ask = async || desk.challenge("ada", &account_of(&one), "link", Some(&token)).await;

        let message = ask().await;
        let signature = sign(&one, &message);
        assert_eq!(desk.prove(&message, &signature).await.status, 201);
        refused(&desk.prove(&message, &signature).await, 409, "challenge-used");
        desk.delete(&format!("/v1/characters/ada/wallets/{}", account_of(&one)), Some(&token)).await;
        refused(&desk.prove(&message, &signature).await, 409, "challenge-used");
        desk.wait(299);
        refused(&desk.prove(&message, &signature).await, 409, "challenge-used");

        let message = ask().await;
        desk.wait(299);
        let in_time = message.clone();
        desk.wait(1);
        let late = desk.prove(&in_time, &sign(&one, &in_time)).await;
        refused(&late, 422, "challenge-expired");
        // It is forgotten when the next one is given out, and still says when it expired.
        let message = ask().await;
        refused(&desk.prove(&in_time, &sign(&one, &in_time)).await, 422, "challenge-expired");

        let foreign = message.replace("localhost:8004 wants", "evil.example wants");
        let reply = desk.prove(&foreign, &sign(&one, &foreign)).await;
        refused(&reply, 422, "challenge-foreign");
        assert!(reply.text().contains("evil.example") && reply.text().contains("localhost:8004"));
        for (from, to, kind) in [
            ("Chain ID: 8453", "Chain ID: 1", "challenge-altered"),
            ("character ada.", "character eve.", "challenge-altered"),
            ("character:ada", "character:eve", "challenge-altered"),
            ("Version: 1", "Version: 2", "challenge-altered"),
            ("\nResources", "\nRequest ID: x\nResources", "challenge-altered"),
            ("\nNonce: ", "\nNonce: 0", "challenge-unknown"),
            ("\nNonce", "\nOnce", "challenge-malformed"),
            ("wants you", "wants  you", "challenge-malformed"),
        ] {
            let altered = message.replacen(from, to, 1);
            assert_ne!(altered, message);
            refused(&desk.prove(&altered, &sign(&one, &altered)).await, 422, kind);
            refused(&desk.prove(&altered, &sign(&one, &message)).await, 422, kind);
        }
        for (message, kind) in [(String::new(), "challenge-malformed"), ("x".repeat(60_000), "challenge-malformed"), ("hello".to_owned(), "challenge-malformed")] {
            refused(&desk.prove(&message, &sign(&one, &message)).await, 422, kind);
        }
        // The right wallet over a wrong text, and a wrong wallet over the right one: no node could say that a contract agrees.
        refused(&desk.prove(&message, &sign(&one, "hello")).await, 501, "no-node");
        let reply = desk.prove(&message, &sign(&two, &message)).await;
        refused(&reply, 501, "no-node");
        assert!(reply.text().contains(&two.address().to_string()), "{}", reply.text());
        assert_eq!(desk.wallets("ada").await, Vec::<String>::new());
        assert_eq!(desk.prove(&message, &sign(&one, &message)).await.status, 201);
    }

    /// Two send one signed challenge at the same time: it counts once.
    async fn at_the_same_time(db: Database) {
        let desk = Desk::open(&db);
        let token = desk.create("ada").await;
        let one = account("one");
        let message = desk.challenge("ada", &account_of(&one), "link", Some(&token)).await;
        let signature = sign(&one, &message);
        let replies = futures_util::future::join_all((0..8).map(|_| desk.prove(&message, &signature))).await;
        assert_eq!(replies.iter().filter(|reply| reply.status == 201).count(), 1);
        assert!(replies.iter().all(|reply| [201, 409].contains(&reply.status)));
        assert_eq!(desk.wallets("ada").await.len(), 1);
    }

    /// Every form of a key's signature, and what looks like one.
    async fn signatures(db: Database) {
        let desk = Desk::open(&db);
        let token = desk.create("ada").await;
        let one = account("one");
        let message = desk.challenge("ada", &account_of(&one), "link", Some(&token)).await;
        let plain = sign(&one, &message);
        for (signature, field) in [("", true), ("0x", true), ("0xzz", true), (&plain[2..], true), (&format!("0x{}", "ab".repeat(20_000)), true)] {
            let reply = desk.prove(&message, signature).await;
            assert_eq!((reply.status, reply.json()["field"] == "signature"), (422, field), "{signature:.20}");
        }
        for (signature, words) in [
            (turned(&plain), "upper half"), (format!("{plain}00"), "65 bytes"), (format!("{}05", &plain[..130]), "27 or 28"),
            (format!("0x{}", "00".repeat(65)), "no key"), (sign(&one, "other"), "key that signed"),
        ] {
            let reply = desk.prove(&message, &signature).await;
            refused(&reply, 501, "no-node");
            assert!(reply.text().contains(words), "{words}: {}", reply.text());
        }
        let compact = |signature: &str| {
            let mut bytes = hex::decode(signature).unwrap();
            let odd = bytes.pop().unwrap() - 27;
            bytes[32] |= odd << 7;
            hex::encode_prefixed(bytes)
        };
        let by_parity = |signature: &str| {
            let mut bytes = hex::decode(signature).unwrap();
            bytes[64] -= 27;
            hex::encode_prefixed(bytes)
        };
        let forms: [&dyn Fn(&str) -> String; 3] = [&|signature| signature.to_owned(), &compact, &by_parity];
        for form in forms {
            let message = desk.challenge("ada", &account_of(&one), "link", Some(&token)).await;
            assert_eq!(desk.prove(&message, &form(&sign(&one, &message))).await.status, 201);
            desk.delete(&format!("/v1/characters/ada/wallets/{}", account_of(&one)), Some(&token)).await;
        }
        // What an EIP-712 signature or a bare hash would sign is another digest.
        let message = desk.challenge("ada", &account_of(&one), "link", Some(&token)).await;
        let bare = one.sign_hash_sync(&alloy::primitives::keccak256(&message)).unwrap();
        refused(&desk.prove(&message, &hex::encode_prefixed(bare.as_bytes())).await, 501, "no-node");
    }

    /// Who may ask for a challenge, for what, and how many.
    async fn asking_for_challenges(db: Database) {
        let desk = Desk::open(&db);
        let token = desk.create("ada").await;
        let other = desk.create("bob").await;
        let one = account("one");
        let ask = async |body: Value, token: Option<&str>| desk.post("/v1/links/challenge", token, body).await;
        let body = |character: &str| json!({ "character": character, "account": account_of(&one) });
        refused(&ask(body("ada"), None).await, 401, "no-token");
        refused(&ask(body("ada"), Some(&other)).await, 403, "wrong-token");
        refused(&ask(body("eve"), Some(&token)).await, 404, "no-such-character");
        refused(&ask(body("a"), Some(&token)).await, 422, "bad-body");
        for (field, value) in [
            ("account", json!("0x8004")), ("account", json!("eip155:08453:0x8004A169FB4a3325136EB29fA0ceB6D2e539a432")),
            ("account", json!("eip155:18446744073709551615:0x8004A169FB4a3325136EB29fA0ceB6D2e539a432")),
            ("account", json!(one.address().to_string())), ("purpose", json!("steal")),
            ("character", json!("did:web:other.example:character:ada")), ("character", json!("did:web:localhost%3A8004:agents:8453:1")),
        ] {
            let mut body = body("ada");
            body[field] = value;
            let reply = ask(body, Some(&token)).await;
            assert_eq!((reply.status, &reply.json()["field"]), (422, &json!(field)), "{}", reply.text());
        }
        // The operator may, a DID names its character, and `handle` is understood.
        assert_eq!(ask(body("did:web:localhost%3A8004:character:ada"), Some(OPERATOR)).await.status, 201);
        let body = json!({ "handle": "ADA", "account": format!("did:pkh:{}", account_of(&one)) });
        let given = ask(body.clone(), Some(&token)).await;
        assert_eq!((given.status, given.header("cache-control")), (201, "no-store"));
        let given = given.json();
        assert_eq!((&given["purpose"], &given["account"]), (&json!("link"), &json!(account_of(&one))));
        assert_eq!(given["expires"], "2026-05-28T20:31:40Z");
        for _ in 0..6 {
            assert_eq!(ask(body.clone(), Some(&token)).await.status, 201);
        }
        // The ninth takes the place of the oldest.
        assert_eq!(ask(body.clone(), Some(&token)).await.status, 201);
        desk.wait(300);
        assert_eq!(ask(body, Some(&token)).await.status, 201);
        desk.link("ada", &token, &one).await;
        refused(&ask(json!({ "character": "ada", "account": account_of(&one) }), Some(&token)).await, 409, "already-linked");
    }

    /// A character has so many wallets at a time and no more.
    async fn at_most_so_many_wallets(db: Database) {
        let desk = Desk::open(&db);
        let token = desk.create("ada").await;
        for number in 0..32 {
            desk.link("ada", &token, &account(&format!("wallet {number}"))).await;
        }
        let body = json!({ "character": "ada", "account": account_of(&account("one more")) });
        let reply = desk.post("/v1/links/challenge", Some(&token), body).await;
        refused(&reply, 409, "too-many");
        assert!(reply.text().contains("32 wallets"), "{}", reply.text());
    }

    /// A removed character is gone for ever: nothing is linked to it, and its handle is not given again.
    async fn a_removed_character(db: Database) {
        let desk = Desk::open(&db);
        let token = desk.create("ada").await;
        let one = account("one");
        desk.link("ada", &token, &one).await;
        let waiting = desk.challenge("ada", &account_of(&one), "unlink", None).await;
        refused(&desk.delete("/v1/characters/ada", None).await, 401, "no-token");
        refused(&desk.delete("/v1/characters/ada", Some("other")).await, 403, "wrong-token");
        refused(&desk.delete("/v1/characters/a", Some(&token)).await, 422, "bad-body");
        let removed = desk.delete("/v1/characters/ada", Some(&token)).await;
        assert_eq!((removed.status, &removed.json()["change"]), (200, &json!(3)));
        refused(&desk.delete("/v1/characters/ada", Some(&token)).await, 410, "deactivated");
        refused(&desk.prove(&waiting, &sign(&one, &waiting)).await, 422, "challenge-unknown");
        let body = json!({ "character": "ada", "account": account_of(&one) });
        refused(&desk.post("/v1/links/challenge", Some(&token), body).await, 410, "deactivated");
        refused(&desk.post("/v1/characters", Some(OPERATOR), json!({ "handle": "ADA" })).await, 409, "handle-taken");
        refused(&desk.service.get("/character/ada/did.json").await, 410, "deactivated");
    }

    /// What was given out before the service was started anew is still of use: it is in the database.
    async fn a_restart_between_challenge_and_signature(db: Database) {
        let desk = Desk::open(&db);
        let token = desk.create("ada").await;
        let one = account("one");
        let message = desk.challenge("ada", &account_of(&one), "link", Some(&token)).await;
        drop(desk);
        let desk = Desk::open(&db);
        assert_eq!(desk.prove(&message, &sign(&one, &message)).await.status, 201);
    }
}

/// Whichever byte of the text or of the signature is another, nothing is linked; the right ones then still are.
#[tokio::test]
async fn every_byte_counts() {
    let fresh = crate::support::databases::Fresh::sqlite().await;
    let desk = Desk::open(&fresh.database().await);
    let token = desk.create("ada").await;
    let one = account("one");
    let message = desk.challenge("ada", &account_of(&one), "link", Some(&token)).await;
    let signature = sign(&one, &message);
    for at in 0..message.len() {
        // Another sign of the same kind, so that it stays a text.
        let mut bytes = message.clone().into_bytes();
        bytes[at] = if bytes[at] == b'a' { b'b' } else { b'a' };
        let altered = String::from_utf8(bytes).unwrap();
        for signature in [&signature, &sign(&one, &altered)] {
            let reply = desk.prove(&altered, signature).await;
            assert_eq!(reply.status, 422, "byte {at}: {}", reply.text());
        }
    }
    let bytes = hex::decode(&signature).unwrap();
    for at in 0..bytes.len() {
        for change in [1, 0x80] {
            let mut other = bytes.clone();
            other[at] ^= change;
            let reply = desk.prove(&message, &hex::encode_prefixed(&other)).await;
            assert_eq!(reply.status, 501, "byte {at}: {}", reply.text());
        }
    }
    assert_eq!(desk.wallets("ada").await, Vec::<String>::new());
    assert_eq!(desk.prove(&message, &signature).await.status, 201);
}
