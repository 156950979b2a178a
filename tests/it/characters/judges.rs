//! Other people's libraries read our challenges, sign them and take them for what they are: `siwe` and viem, from npm.

use alloy::primitives::hex;
use serde_json::{Value, json};

use super::{Desk, NOW, account_of};
use crate::support::anvil::account;
use crate::support::databases::Fresh;
use crate::support::node;

#[tokio::test(flavor = "multi_thread")]
async fn wallets_read_and_sign_what_is_given_out() {
    let fresh = Fresh::sqlite().await;
    let database = fresh.database().await;
    let local = Desk::open(&database);
    let public = Desk::with(&database, |state| {
        state.documents.host = hallmark::did::web::WebHost::parse("id.example.org").unwrap();
    });
    let one = account("one");
    let (ada, bob) = (local.create("ada").await, public.create("Bob_2-x").await);
    let messages = [
        local.challenge("ada", &account_of(&one), "link", Some(&ada)).await,
        public.challenge("Bob_2-x", &account_of(&one), "link", Some(&bob)).await,
    ];
    let asked = json!({ "messages": messages, "key": hex::encode_prefixed(one.to_bytes()) });
    let answers =
        tokio::task::spawn_blocking(move || node::judge("siwe", &asked, None)).await.unwrap();
    let expires = hallmark::vocab::UnixSeconds::new(NOW + 300).unwrap().to_string();
    for (answer, message, domain, handle) in [
        (&answers[0], &messages[0], "localhost:8004", "ada"),
        (&answers[1], &messages[1], "id.example.org", "Bob_2-x"),
    ] {
        let host = domain.replace(':', "%3A");
        for judge in ["siwe", "viem"] {
            let found = &answer[judge];
            for (member, expected) in [
                ("domain", json!(domain)),
                ("address", json!(one.address().to_string())),
                ("statement", json!(format!("Link this account to the character {handle}."))),
                ("uri", json!(format!("https://{domain}/character/{handle}/did.json"))),
                ("version", json!("1")),
                ("chainId", json!(8453)),
                ("expirationTime", json!(expires)),
                ("resources", json!([format!("did:web:{host}:character:{handle}")])),
                ("accepts", json!(true)),
            ] {
                assert_eq!(found[member], expected, "{judge}: {member} of {found}");
            }
        }
        assert_eq!(answer["siwe"]["nonce"], answer["viem"]["nonce"]);
        assert_eq!(answer["siwe"]["text"], **message, "one text for one meaning");
    }
    for (desk, answer, message, handle) in [
        (&local, &answers[0], &messages[0], "ada"),
        (&public, &answers[1], &messages[1], "Bob_2-x"),
    ] {
        let reply = desk.prove(message, text(&answer["signature"])).await;
        assert_eq!(reply.status, 201, "{}", reply.text());
        assert_eq!(desk.wallets(handle).await, [account_of(&one)]);
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}
