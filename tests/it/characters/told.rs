//! The stream `participant.did`: what happens to participants, in order and once, also to those who come back.

use alloy::signers::local::PrivateKeySigner;
use serde_json::{Value, json};

use super::{Desk, account_of, sign};
use crate::records::streams::{Listener, Live};
use crate::support::databases::on_both_engines;

const HERE: &str = "did:web:localhost%3A8004:character:";

/// What an event says, without when.
async fn next(listener: &mut Listener) -> (u64, Value) {
    let (id, mut told) = listener.next().await.expect("the stream ended");
    assert!(told["time"].take().is_string());
    told.as_object_mut().unwrap().remove("time");
    (id, told)
}

async fn ids(listener: &mut Listener, count: usize) -> Vec<u64> {
    let mut ids = Vec::new();
    for _ in 0..count {
        ids.push(next(listener).await.0);
    }
    ids
}

on_both_engines! {
    async fn what_happens_to_participants_is_told(db: Database) {
        let desk = Desk::open(&db);
        let (one, other) = (PrivateKeySigner::random(), PrivateKeySigner::random());
        let ada = desk.create("Ada").await;
        let live = Live::serve(desk.state()).await;
        let mut all = Listener::open(&live.url, "participant.did?since_seq=0", None).await;
        let mut now = Listener::open(&live.url, "participant.did", None).await;
        let of_one = format!("participant.did?since_seq=0&participant={}", account_of(&one));
        let mut of_one = Listener::open(&live.url, &of_one, None).await;
        let of_bob = format!("participant.did?since_seq=0&participant={HERE}bob");
        let mut of_bob = Listener::open(&live.url, &of_bob.replace('%', "%25"), None).await;
        desk.link("ada", &ada, &one).await;
        desk.create("bob").await;
        desk.link("ada", &ada, &other).await;
        let message = desk.challenge("ada", &account_of(&one), "unlink", None).await;
        assert_eq!(desk.prove(&message, &sign(&one, &message)).await.status, 200);
        // A new token is nobody's concern.
        let message = desk.challenge("ada", &account_of(&other), "token", None).await;
        let token = desk.prove(&message, &sign(&other, &message)).await.json();
        let token = token["token"].as_str().unwrap().to_owned();
        assert_eq!(desk.delete("/v1/characters/ada", Some(&token)).await.status, 200);
        let shown = |number: u64, event: &str, who: &str, change: u64, account: Option<&PrivateKeySigner>, by: Option<&str>| {
            (number, json!({
                "number": number, "event": event, "did": format!("{HERE}{who}"), "character": who, "change": change,
                "account": account.map(account_of), "ended_by": by,
            }))
        };
        let expected = [
            shown(1, "created", "Ada", 1, None, None),
            shown(2, "linked", "Ada", 2, Some(&one), None),
            shown(3, "created", "bob", 1, None, None),
            shown(4, "linked", "Ada", 3, Some(&other), None),
            shown(5, "unlinked", "Ada", 4, Some(&one), Some("wallet")),
            shown(6, "unlinked", "Ada", 5, Some(&other), Some("removal")),
            shown(7, "removed", "Ada", 5, None, None),
        ];
        for event in &expected {
            assert_eq!(next(&mut all).await, *event);
        }
        for event in &expected[1..] {
            assert_eq!(next(&mut now).await, *event);
        }
        assert_eq!((ids(&mut of_one, 2).await, ids(&mut of_bob, 1).await), (vec![2, 5], vec![3]));
        live.end().await;
        assert!(all.next().await.is_none() && of_bob.next().await.is_none(), "streams end with the service");

        // Another process goes on where this one ended.
        desk.create("eve").await;
        let live = Live::serve(desk.state()).await;
        let mut back = Listener::open(&live.url, "participant.did", Some(5)).await;
        let mut next = Listener::open(&live.url, "participant.did", Some(7)).await;
        assert_eq!((ids(&mut back, 3).await, ids(&mut next, 1).await), (vec![6, 7, 8], vec![8]));
        live.end().await;
    }
}
