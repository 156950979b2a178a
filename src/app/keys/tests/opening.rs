//! Which private parts must open, and under which passphrase new ones come.

use super::*;

#[test]
fn a_waiting_key_that_does_not_open_stops_nobody() {
    let place = Place::new();
    let store = place.with(Some(PASSPHRASE), None);
    let first = store.add(KeyKind::Ed25519, &clock(0)).unwrap().key;
    let second = store.add(KeyKind::Ed25519, &clock(1)).unwrap().key;
    // What was sealed for another key opens as little as what was sealed under another passphrase.
    let mut kept = file::read(&place.path()).unwrap().unwrap();
    kept.secrets[1] = kept.secrets[0].clone();
    file::write(&place.path(), &kept).unwrap();
    let held = store.open(at(9)).unwrap();
    assert_eq!(held.signer(at(9)).map(PrivateKey::public), Some(first));
    assert_eq!(held.ring().waiting().map(|record| record.key), Some(second), "it is still shown");
    // Once it is to sign it is needed, though another one signs for three more seconds.
    kept.ring.rotate(second, at(9)).unwrap();
    file::write(&place.path(), &kept).unwrap();
    let error = store.open(at(9)).unwrap_err();
    assert!(matches!(&error, KeysError::Seal { key, .. } if **key == second), "{error}");
}

#[test]
fn the_private_part_of_a_key_that_has_ended_is_not_opened() {
    let place = Place::new();
    let old = place.with(Some("another passphrase"), None);
    let first = old.add(KeyKind::Ed25519, &clock(0)).unwrap().key;
    let own = private(1);
    let store = place.with(Some(PASSPHRASE), Some(&own));
    store.rotate(None, &clock(10)).unwrap();
    assert!(
        matches!(store.open(at(12)), Err(KeysError::Seal { key, .. }) if *key == first),
        "it signs"
    );
    // Nobody has destroyed it yet.
    assert!(place.text().contains("sealed"));
    let signer =
        |store: &KeyStore| store.open(at(13)).unwrap().signer(at(13)).map(PrivateKey::public);
    assert_eq!(signer(&store), Some(own.public()));
    assert_eq!(signer(&place.with(None, Some(&own))), Some(own.public()));
}

#[test]
fn a_revocation_reaches_a_process_that_cannot_open_the_next_key() {
    let place = Place::new();
    let writer = place.store();
    let first = writer.add(KeyKind::Ed25519, &clock(0)).unwrap().key;
    let keys = ServiceKeys::open(place.store(), Arc::new(clock(100))).unwrap();
    assert_eq!(keys.held().signer(at(100)).map(PrivateKey::public), Some(first));
    writer.revoke(&first.multibase(), Some(at(5)), "a drill", &clock(50)).unwrap();
    // Under a passphrase that this process does not have.
    let next = place.with(Some(PASSPHRASE), None).add(KeyKind::Ed25519, &clock(60)).unwrap().key;
    keys.0.look(Seen::default());
    let held = keys.held();
    assert!(held.ring().record(&first.multibase()).unwrap().revoked.is_some());
    assert!(held.ring().check(&first, at(6)).is_err());
    assert_eq!(held.ring().signer(at(100)).map(|record| record.key), Some(next), "it is shown");
    assert!(held.signer(at(100)).is_none());
    // A process that starts is told at once.
    let started = ServiceKeys::open(place.store(), Arc::new(clock(100)));
    assert!(matches!(started.err(), Some(KeysError::NoPassphrase(key)) if *key == next));
}

#[test]
fn a_new_key_is_under_the_passphrase_of_those_before() {
    let place = Place::new();
    let store = place.with(Some(PASSPHRASE), None);
    let first = store.add(KeyKind::Ed25519, &clock(0)).unwrap().key;
    let before = place.text();
    let (mistyped, none) = (place.with(Some("correct horse batery"), None), place.store());
    let both = |store: &KeyStore| {
        [store.add(KeyKind::Ed25519, &clock(9)), store.rotate(None, &clock(9))]
            .map(Result::unwrap_err)
    };
    for error in both(&mistyped) {
        assert!(
            matches!(&error, KeysError::Seal { key, source: SealError::WrongPassphrase } if **key == first),
            "{error}"
        );
        assert!(error.hint().unwrap().contains("HALLMARK_KEY_PASSPHRASE"));
    }
    for error in both(&none) {
        assert!(matches!(&error, KeysError::NoPassphrase(key) if **key == first), "{error}");
        assert!(error.hint().unwrap().contains("HALLMARK_KEY_PASSPHRASE"));
    }
    assert_eq!(place.text(), before);
    // One that is brought along is under none, and where the passphrase is lost a revocation leads on.
    place.with(None, Some(&private(1))).rotate(None, &clock(10)).unwrap();
    fs::write(place.path(), before).unwrap();
    none.revoke(&first.multibase(), None, "its passphrase is lost", &clock(20)).unwrap();
    mistyped.add(KeyKind::Ed25519, &clock(30)).unwrap();
    assert!(mistyped.open(at(33)).unwrap().signer(at(33)).is_some());
}
