//! Records as the platform emits them, what its schema refuses, and that the digest covers every part.

use super::*;

/// One as the platform's first game emits it, with every field of its claim.
fn emitted() -> Value {
    json!({
        "schemaVersion": "attestation/v1",
        "id": "0x2b7f4d1a0c",
        "issuer": "tragedy-of-the-commons:system",
        "issuerKind": "system",
        "subject": "5f3c1f0e-5a7e-4f2e-9a57-1f0c5f3c1f0e",
        "claim": {
            "type": "tragedy.round_choice.v1",
            "data": {
                "gameType": "tragedy-of-the-commons",
                "round": 1,
                "actor": "5f3c1f0e-5a7e-4f2e-9a57-1f0c5f3c1f0e",
                "actionType": "pass",
                "action": { "type": "pass" },
                "before": { "resources": { "grain": 2 }, "influence": 0, "vp": 0, "regionsControlled": 1 }
            }
        },
        "note": "passed on timeout",
        "confidence": 1,
        "round": 1
    })
}

fn context(game: &str) -> Context {
    Context {
        origin: Some("coordination-games".parse().unwrap()),
        game: Some(game.to_owned()),
        turn: Some(1),
        chain: Some(ChainId(11_155_420)),
    }
}

fn record(body: Value) -> Result<Attestation, AttestationError> {
    Attestation::new(body, context("game-1"))
}

fn with(field: &str, value: Value) -> Value {
    let mut body = emitted();
    body[field] = value;
    body
}

#[test]
fn a_record_is_read_and_written_as_it_came() {
    let read = record(emitted()).unwrap();
    assert_eq!(
        read.issuer.to_string(),
        "platform:coordination-games:tragedy-of-the-commons:system"
    );
    assert_eq!(
        read.subject.to_string(),
        "platform:coordination-games:5f3c1f0e-5a7e-4f2e-9a57-1f0c5f3c1f0e"
    );
    assert_eq!((read.body.issuer_kind, read.body.round), (IssuerClass::System, Some(1)));
    assert_eq!(read.body.claim.kind, "tragedy.round_choice.v1");
    assert_eq!(read.body.confidence, Some(Confidence { ppb: 1_000_000_000 }));
    assert_eq!((read.said_at(), read.body.evidence.len()), (None, 0));
    let again = Attestation::read(read.canonical(), read.canonical().len()).unwrap();
    assert_eq!(again, read);
    assert_eq!(Digest::of(read.canonical()), read.digest());
    assert_eq!(read.to_value()["attestation"], emitted());
}

/// The platform's id leaves the game out; ours does not, nor anything else.
#[test]
fn the_digest_covers_the_record_and_its_context() {
    let plain = record(emitted()).unwrap();
    let other_game = Attestation::new(emitted(), context("game-2")).unwrap();
    assert_eq!(plain.body.id, other_game.body.id);
    let mut digests = vec![plain.digest(), other_game.digest()];
    for changed in [
        Context { turn: Some(2), ..context("game-1") },
        Context { turn: None, ..context("game-1") },
        Context { chain: None, ..context("game-1") },
        Context { origin: None, chain: Some(ChainId(10)), ..context("game-1") },
    ] {
        let mut body = emitted();
        body["issuer"] = "did:web:a.example".into();
        body["subject"] = "did:web:b.example".into();
        digests.push(Attestation::new(body, changed).unwrap().digest());
    }
    for changed in [
        with("note", "passed".into()),
        with("confidence", json!(0.5)),
        with("unknown", json!(null)),
        with("issuerKind", "agent".into()),
        with("id", "0x2b7f4d1a0d".into()),
    ] {
        digests.push(record(changed).unwrap().digest());
    }
    let count = digests.len();
    digests.sort_unstable();
    digests.dedup();
    assert_eq!(digests.len(), count);
    let reordered: Value = serde_json::from_str(&emitted().to_string()).unwrap();
    assert_eq!(record(reordered).unwrap().digest(), plain.digest());
}

#[test]
fn unknown_fields_are_kept() {
    let mut body = with("season", json!({ "name": "one", "x": [1.5] }));
    body["claim"]["weight"] = json!("3");
    let read = record(body.clone()).unwrap();
    assert_eq!(Value::Object(read.source().clone()), body);
    assert!(
        String::from_utf8_lossy(read.canonical()).contains(r#""season":{"name":"one","x":[1.5]}"#)
    );
}

#[test]
fn both_spellings_of_the_time_are_read() {
    for (value, text, time) in [
        (json!("2026-02-03T11:08:33Z"), "2026-02-03T11:08:33Z", Some(1_770_116_913)),
        (
            json!("2026-02-03T12:08:33.250+01:00"),
            "2026-02-03T12:08:33.250+01:00",
            Some(1_770_116_913),
        ),
        (json!("1770116913"), "1770116913", Some(1_770_116_913)),
        (json!(1_770_116_913), "1770116913", Some(1_770_116_913)),
        (json!(1_770_116_913_250_u64), "1770116913250", Some(1_770_116_913)),
        (json!("round three"), "round three", None),
        (json!(""), "", None),
    ] {
        let read = record(with("issuedAt", value)).unwrap();
        let issued_at = read.body.issued_at.clone().unwrap();
        assert_eq!(issued_at.text, text);
        assert_eq!(read.said_at().map(UnixSeconds::get), time, "{text}");
    }
    for value in [json!(-1), json!(1.5), json!(null), json!({}), json!(true)] {
        assert!(record(with("issuedAt", value.clone())).is_err(), "{value}");
    }
}

#[test]
fn confidence_is_parts_per_billion() {
    for (value, ppb) in [
        (json!(0), 0),
        (json!(0.94), 940_000_000),
        (json!("0.94"), 940_000_000),
        (json!(1.0), 1_000_000_000),
        (json!(1e-7), 100),
        (json!(0.333_333_333_333), 333_333_333),
    ] {
        let read = record(with("confidence", value.clone())).unwrap();
        assert_eq!(read.body.confidence, Some(Confidence { ppb }), "{value}");
    }
    for value in [json!(1.000_000_1), json!(-0.1), json!(2), json!("high"), json!(null), json!([])]
    {
        let error = record(with("confidence", value.clone())).unwrap_err();
        assert_eq!(error.to_string(), "`confidence`: it must be a number from 0 to 1", "{value}");
    }
}

#[test]
fn evidence_is_read_whole() {
    let evidence = json!([
        { "kind": "relay", "id": "17", "visibility": "public", "round": 3, "relayIndex": 17, "summary": "s", "more": 1 },
        { "kind": "", "id": "", "visibility": "viewer-visible" },
    ]);
    let read = record(with("evidenceRefs", evidence)).unwrap();
    let [first, second] = &read.body.evidence[..] else { panic!() };
    assert_eq!(
        (first.relay_index, first.round, first.visibility),
        (Some(17), Some(3), Visibility::Public)
    );
    assert_eq!((second.visibility, &second.summary), (Visibility::ViewerVisible, &None));
    for bad in [
        json!({}),
        json!([{}]),
        json!([{ "kind": "relay", "id": "17", "visibility": "secret" }]),
        json!([{ "kind": "relay", "id": 17, "visibility": "public" }]),
        json!([{ "kind": "relay", "id": "17", "visibility": "public", "round": -1 }]),
        json!(vec![json!({ "kind": "k", "id": "i", "visibility": "public" }); 1001]),
    ] {
        let error = record(with("evidenceRefs", bad)).unwrap_err().to_string();
        assert!(error.starts_with("`evidenceRefs"), "{error}");
    }
}

#[test]
fn each_fault_names_its_field() {
    for (field, value, told) in [
        ("schemaVersion", json!("attestation/v2"), "`schemaVersion`: it must be `attestation/v1`"),
        ("schemaVersion", json!(1), "`schemaVersion`: it must be `attestation/v1`"),
        ("id", json!(""), "`id`: it is empty"),
        ("id", json!(7), "`id`: it must be a text"),
        ("id", json!("a\u{0}b"), "`id`: it holds a control character"),
        ("id", json!("x".repeat(257)), "`id`: it has 257 bytes; at most 256 are read"),
        ("issuer", json!(""), "`issuer`: it is empty"),
        ("issuerKind", json!("god"), "`issuerKind`: it must be `agent`, `system` or `plugin`"),
        ("subject", json!(null), "`subject`: it must be a text"),
        (
            "subject",
            json!("x".repeat(300)),
            "`subject`: the name has 300 bytes; at most 256 are read",
        ),
        ("claim", json!([]), "`claim`: it must be an object"),
        ("claim", json!({ "data": {} }), "`claim.type`: it is missing"),
        ("claim", json!({ "type": "", "data": {} }), "`claim.type`: it is empty"),
        ("claim", json!({ "type": "a" }), "`claim.data`: it is missing"),
        ("claim", json!({ "type": "a", "data": "b" }), "`claim.data`: it must be an object"),
        ("note", json!(1), "`note`: it must be a text"),
        ("round", json!(-1), "`round`: it must be a whole number from 0 to 2^53"),
        ("round", json!(1.5), "`round`: it must be a whole number from 0 to 2^53"),
        ("round", json!("1"), "`round`: it must be a whole number from 0 to 2^53"),
        ("round", json!(null), "`round`: it must be a whole number from 0 to 2^53"),
    ] {
        assert_eq!(record(with(field, value)).unwrap_err().to_string(), told);
    }
    for field in ["schemaVersion", "id", "issuer", "issuerKind", "subject", "claim"] {
        let mut body = emitted();
        body.as_object_mut().unwrap().remove(field);
        assert_eq!(record(body).unwrap_err().to_string(), format!("`{field}`: it is missing"));
    }
    let mut nameless = emitted();
    nameless["issuer"] = "did:web:a.example".into();
    let error = Attestation::new(nameless, Context::default()).unwrap_err().to_string();
    assert!(error.starts_with("`subject`: `5f3c1f0e"), "{error}");
}

#[test]
fn the_context_is_ours_and_closed() {
    let read = |context: Value| {
        Attestation::from_value(json!({ "attestation": emitted(), "context": context }))
    };
    let whole = json!({ "origin": "a", "game": "g", "turn": 0, "chain": "eip155:10" });
    assert_eq!(read(whole.clone()).unwrap().context.to_value(), whole);
    for (context, told) in [
        (json!({ "origin": "A" }), "`context.origin`: `A` is not an origin's name"),
        (json!({ "origin": "a", "game": "" }), "`context.game`: it is empty"),
        (json!({ "origin": "a", "turn": "1" }), "`context.turn`: it must be a whole number"),
        (json!({ "origin": "a", "chain": "base" }), "`context.chain`: `base` is not a chain"),
        (json!({ "origin": "a", "round": 1 }), "`context.round`: there is no such field"),
        (json!([]), "`context`: it must be an object"),
    ] {
        let error = read(context).unwrap_err().to_string();
        assert!(error.starts_with(told), "{error}");
    }
    for (whole, told) in [
        (json!({ "attestation": emitted() }), "`context`: it is missing"),
        (json!({ "context": {} }), "`attestation`: it is missing"),
        (json!([]), "`the record`: it must be an object"),
        (json!({ "attestation": {}, "context": {}, "x": 1 }), "`x`: there is no such field"),
    ] {
        let error = Attestation::from_value(whole).unwrap_err().to_string();
        assert!(error.starts_with(told), "{error}");
    }
}
