//! What the entries of one page are: records with their sender, or flaws that leave their neighbours alone.

use hallmark::attest::class::{Disagreement, Sender, classify};
use hallmark::attest::{IssuerClass, SentBy};
use hallmark::intake::relay::{Flaw, RelayError, RelayPage};
use hallmark::vocab::{Naming, Subject};
use serde_json::{Value, json};

use super::{
    GAME, PLAYER, PLUGIN, assessment, choice, entry, incoming, named, page, public, read, source,
};

fn origin() -> SentBy {
    SentBy::Origin(source().origin)
}

#[test]
fn a_record_has_the_context_that_its_entry_gives() {
    let page =
        read(&page(&[public(7, "system", &choice(3)), public(9, PLAYER, &assessment())], 10), 7);
    let [system, peer] = incoming(&page)[..] else { panic!("{page:?}") };
    assert_eq!(
        system.attestation.context.to_value(),
        json!({ "origin": "coordination-games", "game": GAME, "turn": 3, "chain": "eip155:11155420" })
    );
    assert_eq!(Value::Object(system.attestation.source().clone()), choice(3));
    assert_eq!(system.place, Some(format!("relay:{GAME}:7")));
    assert_eq!((&system.sent_by, page.records[0].index), (&origin(), 7));
    // It gives no time, so that of its entry counts, which is in milliseconds.
    assert_eq!(system.attestation.said_at(), None);
    assert_eq!(system.time().unwrap().to_string(), "2026-06-23T12:00:00Z");
    assert_eq!(peer.sent_by, named(PLAYER));
    assert_eq!(peer.time(), peer.attestation.said_at());
    assert_eq!((page.next, page.passed.left_out, page.flaws.len()), (10, 1, 0));
}

/// A record has one digest, whenever it is pulled: its entry's time is not in it.
#[test]
fn the_same_record_has_the_same_digest_at_every_pull() {
    let mut later = public(7, "system", &choice(3));
    later["timestamp"] = json!(1_999_999_999_999_u64);
    let (a, b) =
        (read(&page(&[public(7, "system", &choice(3))], 8), 0), read(&page(&[later], 8), 3));
    assert_eq!(incoming(&a)[0].attestation.digest(), incoming(&b)[0].attestation.digest());
    assert_ne!(incoming(&a)[0].said_at, incoming(&b)[0].said_at);
}

/// The platform's id leaves the game out, so that the same move in two games has one.
#[test]
fn colliding_ids_of_two_games_are_two_records() {
    let first = read(&page(&[public(0, "system", &choice(1))], 1), 0);
    let mut other = page(&[public(0, "system", &choice(1))], 1);
    other["meta"]["gameId"] = "another-game".into();
    let second =
        RelayPage::read(other.to_string().as_bytes(), &source(), "another-game", 0).unwrap();
    let [a] = incoming(&first)[..] else { panic!() };
    let [b] = incoming(&second)[..] else { panic!() };
    assert_eq!(a.attestation.body.id, b.attestation.body.id);
    assert_ne!(a.attestation.digest(), b.attestation.digest());
    assert_ne!(a.place, b.place);
}

#[test]
fn who_sent_it_is_read_from_the_sender_alone() {
    let of_plugin = |sender: &str, plugin: &str| {
        let mut entry = public(0, sender, &choice(1));
        entry["pluginId"] = plugin.into();
        read(&page(&[entry], 1), 0).records[0].incoming.sent_by.clone()
    };
    assert_eq!(of_plugin("system", "trust-projector-tragedy"), origin());
    let origin_name = source().origin;
    let plugin = SentBy::Plugin { origin: origin_name, plugin: PLUGIN.to_owned() };
    assert_eq!(of_plugin("system", PLUGIN), plugin);
    // Whoever posts through the platform's tool chooses the id of the plugin.
    assert_eq!(of_plugin(PLAYER, PLUGIN), named(PLAYER));
    for sender in [
        "System",
        "system ",
        "did:web:games.example",
        "eip155:8453:0x8004A169FB4a3325136EB29fA0ceB6D2e539a432",
        "0x8004A169FB4a3325136EB29fA0ceB6D2e539a432",
        "platform:other:5f3c",
        PLUGIN,
    ] {
        assert_eq!(of_plugin(sender, PLUGIN), named(sender), "{sender}");
    }
    let mut nameless = public(0, "system", &choice(1));
    nameless["pluginId"] = Value::Null;
    assert_eq!(incoming(&read(&page(&[nameless], 1), 0))[0].sent_by, origin());
}

/// A player posts the platform's own record through the ordinary tool.
#[test]
fn a_spoofed_system_record_is_its_players() {
    let page = read(&page(&[public(4, PLAYER, &choice(3)), public(5, "system", &choice(3))], 6), 0);
    let [spoofed, real] = incoming(&page)[..] else { panic!("{page:?}") };
    // Nothing in the two records differs.
    assert_eq!(spoofed.attestation.digest(), real.attestation.digest());
    assert_eq!((&spoofed.sent_by, &real.sent_by), (&named(PLAYER), &origin()));
    let SentBy::Name(name) = spoofed.sent_by.clone() else { panic!() };
    let sender = Sender::Other { name, agent: None };
    let body = &spoofed.attestation.body;
    assert_eq!(body.issuer_kind, IssuerClass::System);
    let classed = classify(&sender, body.issuer_kind, &spoofed.attestation.issuer, |_, _| false);
    assert_eq!(classed.class, None);
    let [Disagreement::Class { .. }, Disagreement::Issuer { said, .. }] =
        &classed.disagreements[..]
    else {
        panic!("{classed:?}")
    };
    let origin = source().origin;
    let naming = Naming { origin: Some(&origin), chain: None };
    assert_eq!(*said, Subject::parse("tragedy-of-the-commons:system", naming).unwrap());
}

#[test]
fn other_types_and_scopes_are_counted_and_passed_over() {
    let (all, team) = (json!({ "kind": "all" }), json!({ "kind": "team", "teamId": "red" }));
    let dm = json!({ "kind": "dm", "recipientHandle": "ada" });
    let entries = [
        entry(0, "chat:message", PLAYER, &all, &json!({ "body": "hello" })),
        entry(1, "attestation", PLAYER, &team, &assessment()),
        entry(2, "attestation", PLAYER, &dm, &assessment()),
        entry(3, "attestation", "system", &json!({ "kind": "ALL" }), &assessment()),
        entry(4, "attestation", "system", &Value::Null, &assessment()),
        entry(5, "attestation", "system", &json!("all"), &assessment()),
        entry(6, "Attestation", "system", &all, &assessment()),
        entry(7, "attestation", PLAYER, &all, &assessment()),
    ];
    let page = read(&page(&entries, 8), 0);
    assert_eq!((page.passed.other_types, page.passed.not_public), (2, 5));
    assert_eq!(page.records.iter().map(|record| record.index).collect::<Vec<_>>(), [7]);
    assert_eq!((page.next, page.flaws.len(), page.passed.left_out), (8, 0, 0));
}

#[test]
fn a_bad_entry_is_named_and_its_neighbours_are_whole() {
    let with = |field: &str, value: Value| {
        let mut entry = public(1, "system", &choice(1));
        entry[field] = value;
        entry.to_string()
    };
    let in_data = |field: &str, value: Value| {
        let mut data = choice(1);
        data[field] = value;
        public(1, "system", &data).to_string()
    };
    let good = public(1, "system", &choice(1)).to_string();
    let deep = format!("{}1{}", "[".repeat(70), "]".repeat(70));
    let (quoted, raw) = ("\"round\":1", good.as_str());
    for (bad, expected) in [
        (with("turn", json!(1.5)), "`turn`"),
        (with("turn", json!("3")), "`turn`"),
        (with("turn", json!(-1)), "`turn`"),
        (with("sender", Value::Null), "`sender`"),
        (with("sender", json!("")), "`sender`"),
        (with("sender", json!("a\u{0}")), "`sender`"),
        (with("sender", json!("a".repeat(300))), "`sender`"),
        (with("data", Value::Null), "`attestation`"),
        (with("data", json!([choice(1)])), "`attestation`"),
        (in_data("schemaVersion", json!("attestation/v2")), "`schemaVersion`"),
        (in_data("confidence", json!(1.5)), "`confidence`"),
        (in_data("claim", json!({ "type": "x" })), "`claim.data`"),
        (in_data("issuer", json!("")), "`issuer`"),
        (in_data("note", json!("n".repeat(70_000))), "at most 65536 are read"),
        (raw.replace(quoted, "\"round\":1,\"round\":1"), "the key `round` stands twice"),
        (raw.replace(quoted, "\"round\":1,\"x\":9007199254740993"), "`9007199254740993`"),
        (raw.replace(quoted, &format!("\"round\":1,\"x\":{deep}")), "inside each other"),
        (raw.replace("\"data\"", "\"date\""), "`data`"),
    ] {
        let entries = format!(
            "{},{bad},{}",
            public(0, PLAYER, &assessment()),
            public(2, "system", &choice(2))
        );
        let text =
            page(&[], 3).to_string().replace("\"relay\":[]", &format!("\"relay\":[{entries}]"));
        let page = RelayPage::read(text.as_bytes(), &source(), GAME, 0).unwrap();
        let indices: Vec<_> = page.records.iter().map(|record| record.index).collect();
        assert_eq!((indices.as_slice(), page.next), (&[0, 2][..], 3), "{bad}");
        let [Flaw { index: Some(1), reason }] = &page.flaws[..] else { panic!("{bad}: {page:?}") };
        assert!(reason.contains(expected), "{reason} should contain {expected}");
    }
}

#[test]
fn an_entry_without_a_place_is_a_flaw_and_moves_nothing() {
    let good = public(1, "system", &choice(1)).to_string();
    for bad in [
        good.replace("\"index\":1", "\"index\":-1"),
        good.replace("\"index\":1", "\"index\":\"1\""),
        good.replace("\"index\":1", "\"index\":1.5"),
        good.replace("\"index\":1", "\"index\":10000000000"),
        good.replace("\"index\":1", "\"index\":1e300"),
        good.replace("\"index\":1", "\"x\":1"),
        good.replace("\"index\":1", "\"index\":1,\"index\":2"),
        "null".to_owned(),
        "7".to_owned(),
        "{}".to_owned(),
    ] {
        let text = page(&[], 1).to_string();
        let text = text.replace(
            "\"relay\":[]",
            &format!("\"relay\":[{bad},{}]", public(0, "system", &choice(0))),
        );
        let page = RelayPage::read(text.as_bytes(), &source(), GAME, 0).unwrap();
        assert_eq!((page.records.len(), page.next), (1, 1), "{bad}");
        assert!(matches!(&page.flaws[..], [Flaw { index: None, .. }]), "{bad}: {:?}", page.flaws);
    }
}

#[test]
fn what_is_no_page_of_the_game_is_refused() {
    let with = |field: &str, value: Value| {
        let mut page = page(&[], 0);
        page[field] = value;
        page.to_string()
    };
    for (text, expected) in [
        (String::new(), "no page"),
        ("[]".to_owned(), "no page"),
        ("{".to_owned(), "no page"),
        (with("type", json!("error")), "its `type` is `error`"),
        (with("type", json!(1)), "no page"),
        (with("meta", json!({})), "`meta.gameId` is not there"),
        (with("meta", json!({ "gameId": "other" })), "answers of `other`"),
        (with("relay", json!({})), "an array of entries"),
        (with("relay", Value::Null), "`relay` is not there"),
    ] {
        let refused = RelayPage::read(text.as_bytes(), &source(), GAME, 0).unwrap_err();
        assert!(refused.to_string().contains(expected), "{refused} should contain {expected}");
    }
    let bytes = [b"\"\xff\"".as_slice(), &[0xff]].concat();
    assert!(matches!(RelayPage::read(&bytes, &source(), GAME, 0), Err(RelayError::NotAPage(_))));
    let many = format!("[{}]", vec!["1"; 100_001].join(","));
    let text = page(&[], 0).to_string().replace("\"relay\":[]", &format!("\"relay\":{many}"));
    let refused = RelayPage::read(text.as_bytes(), &source(), GAME, 0).unwrap_err();
    assert!(refused.to_string().contains("more than 100000 entries"), "{refused}");
}

/// What is not ours to read may be anything: the state of a game that nobody here knows.
#[test]
fn the_state_of_the_game_is_skipped_unread() {
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    for state in
        [deep.as_str(), "{\"a\":1,\"a\":2}", "123456789012345678901234567890.5e400", "null"]
    {
        let text = page(&[public(0, "system", &choice(1))], 1).to_string();
        let state_now = page(&[], 0)["state"].to_string();
        let text = text.replace(&format!("\"state\":{state_now}"), &format!("\"state\":{state}"));
        assert_eq!(RelayPage::read(text.as_bytes(), &source(), GAME, 0).unwrap().records.len(), 1);
    }
}
