//! What a process that serves makes of a key file that is changed, closed, replaced or left behind while it runs.

use super::*;

/// A process that serves from a store, at a moment.
fn serving(store: KeyStore, seconds: u64) -> ServiceKeys {
    ServiceKeys::open(store, Arc::new(clock(seconds))).unwrap()
}

/// What is wrong after another look.
fn fault(keys: &ServiceKeys, seen: &mut Seen) -> Option<String> {
    *seen = keys.0.look(*seen);
    keys.fault().as_deref().map(str::to_owned)
}

#[test]
fn a_file_that_is_opened_to_others_is_noticed_and_said() {
    let place = Place::new();
    place.store().add(KeyKind::Ed25519, &clock(0)).unwrap();
    let keys = serving(place.store(), 100);
    let mut seen = Seen { stamp: place.store().stamp().unwrap(), is_kept: false };
    assert_eq!(fault(&keys, &mut seen), None);
    fs::set_permissions(place.path(), Permissions::from_mode(0o644)).unwrap();
    for _ in 0..2 {
        let said = fault(&keys, &mut seen).unwrap();
        assert_eq!(said, "the key file is open to others (mode 0644)");
    }
    assert!(keys.held().signer(at(100)).is_some(), "what it has stays");
    fs::set_permissions(place.path(), Permissions::from_mode(0o600)).unwrap();
    assert_eq!(fault(&keys, &mut seen), None);
}

#[test]
fn a_file_that_does_not_know_the_signing_key_is_said() {
    let place = Place::new();
    let (own, other) = (private(1), private(2));
    place.with(None, Some(&own)).add(KeyKind::Ed25519, &clock(0)).unwrap();
    let keys = serving(place.with(None, Some(&own)), 100);
    let mut seen = Seen { stamp: place.store().stamp().unwrap(), is_kept: false };
    let good = place.text();
    fs::remove_file(place.path()).unwrap();
    place.with(None, Some(&other)).add(KeyKind::Ed25519, &clock(1)).unwrap();
    let said = fault(&keys, &mut seen).unwrap();
    assert!(said.contains(&own.public().multibase()), "{said}");
    assert!(said.contains("which the key file does not know"), "{said}");
    assert_eq!(keys.held().signer(at(100)).map(PrivateKey::public), Some(own.public()));
    fs::remove_file(place.path()).unwrap();
    assert_eq!(fault(&keys, &mut seen).as_deref(), Some("the key file is gone"));
    fs::write(place.path(), good).unwrap();
    fs::set_permissions(place.path(), Permissions::from_mode(0o600)).unwrap();
    assert_eq!(fault(&keys, &mut seen), None);
    // Nothing that is said tells where the file is.
    for wrong in ["", "{}"] {
        fs::write(place.path(), wrong).unwrap();
        let said = fault(&keys, &mut seen).unwrap();
        assert_eq!(said, "the key file is not understood");
    }
}

#[test]
fn a_key_under_another_passphrase_signs_on_where_it_was_open_and_that_is_said() {
    let place = Place::new();
    let store = || place.with(Some(PASSPHRASE), None);
    let key = store().add(KeyKind::Ed25519, &clock(0)).unwrap().key;
    let keys = serving(store(), 100);
    let mut seen = Seen { stamp: store().stamp().unwrap(), is_kept: false };
    assert_eq!(store().reseal(Some("another passphrase"), &clock(50)).unwrap(), 1);
    let said = fault(&keys, &mut seen).unwrap();
    assert!(said.contains(&key.multibase()) && said.contains("cannot be opened"), "{said}");
    assert_eq!(keys.held().signer(at(100)).map(PrivateKey::public), Some(key), "it was open");
    // A process that starts has nothing to go on with.
    assert!(ServiceKeys::open(store(), Arc::new(clock(100))).is_err());
    // Nor does a key that was never open here sign.
    let next = place.with(Some("another passphrase"), None);
    let next = next.rotate(None, &clock(60)).unwrap().key;
    assert!(fault(&keys, &mut seen).unwrap().contains(&next.multibase()));
    assert!(keys.held().signer(at(100)).is_none());
}

#[test]
fn what_an_interrupted_rotation_left_is_destroyed_by_whoever_serves() {
    let place = Place::new();
    place.store().add(KeyKind::Ed25519, &clock(0)).unwrap();
    let secret = place.store().open(at(0)).unwrap().signer(at(0)).unwrap().expose();
    let next = place.store().rotate(None, &clock(10)).unwrap();
    // The command is killed in its wait.
    let stamp = place.store().stamp().unwrap();
    for (now, is_there) in [(next.at, true), (at(17), true), (at(18), false)] {
        let keys = ServiceKeys::open(place.store(), Arc::new(FixedClock(now))).unwrap();
        let seen = keys.0.look(Seen { stamp, is_kept: false });
        assert_eq!(place.text().contains(secret.as_str()), is_there, "{now}");
        if !is_there {
            // The file is another now, is read, and nothing is left to be done.
            let seen = keys.0.look(seen);
            assert_eq!(keys.held().spent_at(), None);
            assert_eq!((keys.0.look(seen), keys.fault()), (seen, None));
        }
    }
    // Whoever may not write says so once, and serves.
    let place = Place::new();
    place.store().add(KeyKind::Ed25519, &clock(0)).unwrap();
    place.store().rotate(None, &clock(10)).unwrap();
    let keys = serving(place.store(), 100);
    let stamp = place.store().stamp().unwrap();
    let lock = place.path().with_file_name("keys.json.lock");
    fs::remove_file(&lock).unwrap();
    fs::create_dir(&lock).unwrap();
    let seen = keys.0.look(Seen { stamp, is_kept: false });
    assert!(seen.is_kept && keys.held().signer(at(100)).is_some());
}
