//! What a ring says at every moment of its life.

use super::*;
use crate::attest::key::{KeyKind, PrivateKey};

const START: u64 = 1_770_000_000;

fn at(seconds: u64) -> UnixSeconds {
    UnixSeconds::new(START + seconds).unwrap()
}

fn key(number: u8) -> PublicKey {
    PrivateKey::from_bytes(KeyKind::Ed25519, &[number; 32]).unwrap().public()
}

fn signer(ring: &Keyring, seconds: u64) -> Option<PublicKey> {
    ring.signer(at(seconds)).map(|record| record.key)
}

#[test]
fn the_first_key_signs_at_once_and_a_rotation_a_little_later() {
    let mut ring = Keyring::default();
    assert_eq!((signer(&ring, 0), ring.versions(at(0))), (None, vec![]));
    assert_eq!(ring.add(key(1), at(0)), Ok(at(0)));
    assert_eq!(signer(&ring, 0), Some(key(1)));
    assert_eq!(ring.rotate(key(2), at(100)), Ok(at(100 + LEAD_S)));
    assert_eq!((signer(&ring, 102), signer(&ring, 103)), (Some(key(1)), Some(key(2))));
    let states = |seconds| {
        ring.records()
            .iter()
            .map(|record| record.state_at(at(seconds)).as_str())
            .collect::<Vec<_>>()
    };
    assert_eq!(states(102), ["active", "coming"]);
    assert_eq!(states(103), ["retired", "active"]);
}

#[test]
fn a_key_can_be_shown_before_it_signs() {
    let mut ring = Keyring::default();
    ring.add(key(1), at(0)).unwrap();
    assert_eq!(ring.add(key(2), at(10)), Ok(at(13)));
    assert_eq!(ring.shown_at(at(12)), [key(1)]);
    assert_eq!(ring.shown_at(at(13)), [key(2), key(1)]);
    assert_eq!(ring.waiting().map(|record| record.key), Some(key(2)));
    assert_eq!(signer(&ring, 1_000), Some(key(1)));
    assert_eq!(ring.check(&key(2), at(1_000)), Err(KeyRefusal::NeverActive));
    assert_eq!(ring.add(key(3), at(20)), Err(KeyringError::AnotherWaits(key(2).into())));
    assert_eq!(ring.rotate(key(3), at(20)), Err(KeyringError::AnotherWaits(key(2).into())));
    assert_eq!(ring.rotate(key(2), at(20)), Ok(at(23)));
    assert_eq!(signer(&ring, 23), Some(key(2)));
    assert_eq!(ring.shown_at(at(23)), [key(2)]);
    assert_eq!(
        ring.rotate(key(1), at(30)),
        Err(KeyringError::KnownKey(key(1).into(), at(0))),
        "what has ended does not come back"
    );
}

#[test]
fn a_retired_key_vouches_for_what_it_signed_while_active() {
    let mut ring = Keyring::default();
    ring.add(key(1), at(10)).unwrap();
    ring.rotate(key(2), at(20)).unwrap();
    for (number, seconds, expected) in [
        (1, 9, Err(KeyRefusal::NotYet { since: at(10) })),
        (1, 10, Ok(())),
        (1, 23, Ok(())),
        (1, 24, Err(KeyRefusal::Retired { at: at(23) })),
        (2, 22, Err(KeyRefusal::NotYet { since: at(23) })),
        (2, 23, Ok(())),
        (2, 1_000_000, Ok(())),
        (3, 23, Err(KeyRefusal::Unknown)),
    ] {
        assert_eq!(ring.check(&key(number), at(seconds)), expected, "{number} at {seconds}");
    }
}

#[test]
fn a_revoked_key_vouches_for_nothing_since_then() {
    let mut ring = Keyring::default();
    ring.add(key(1), at(0)).unwrap();
    let id = key(1).multibase();
    ring.revoke(&id, at(50), "the laptop was stolen", at(100)).unwrap();
    assert_eq!(
        signer(&ring, 100),
        None,
        "it signs nothing from now on, whatever the date of the change"
    );
    let refused =
        Err(KeyRefusal::Revoked { since: at(50), reason: "the laptop was stolen".to_owned() });
    assert_eq!(ring.check(&key(1), at(49)), Ok(()));
    assert_eq!(ring.check(&key(1), at(50)), refused);
    assert_eq!(ring.check(&key(1), at(99)), refused);
    // The document of the past shows it all the same: that is what it said.
    assert_eq!(ring.shown_at(at(102)), [key(1)]);
    assert_eq!(ring.shown_at(at(103)), []);
    assert_eq!(
        ring.revoke(&id, at(50), "again", at(200)).cloned(),
        Err(KeyringError::AlreadyRevoked(key(1).into(), at(50)))
    );
    // The next key signs at once, since none does.
    assert_eq!(ring.add(key(2), at(200)), Ok(at(203)));
    assert_eq!(signer(&ring, 203), Some(key(2)));
}

#[test]
fn a_retired_key_can_be_revoked_as_well() {
    let mut ring = Keyring::default();
    ring.add(key(1), at(0)).unwrap();
    ring.rotate(key(2), at(10)).unwrap();
    let before = ring.versions(at(1_000));
    ring.revoke(&key(1).multibase(), at(5), "found on a disk", at(500)).unwrap();
    assert_eq!(ring.versions(at(1_000)), before, "the document had not shown it for long");
    assert_eq!(ring.check(&key(1), at(4)), Ok(()));
    assert!(matches!(ring.check(&key(1), at(5)), Err(KeyRefusal::Revoked { .. })));
    assert_eq!(signer(&ring, 1_000), Some(key(2)));
}

#[test]
fn a_waiting_key_that_is_revoked_makes_room_for_another() {
    let mut ring = Keyring::default();
    ring.add(key(1), at(0)).unwrap();
    ring.add(key(2), at(10)).unwrap();
    ring.revoke(&key(2).multibase(), at(20), "lost", at(20)).unwrap();
    assert_eq!(ring.waiting(), None);
    ring.rotate(key(3), at(30)).unwrap();
    assert_eq!(signer(&ring, 33), Some(key(3)));
}

#[test]
fn what_was_seen_never_becomes_something_else() {
    let mut ring = Keyring::default();
    // Three changes in every second, and all that somebody could have seen before each of them.
    let mut seen: Vec<Vec<RingVersion>> = Vec::new();
    for now in 0..60 {
        for change in 0..3 {
            seen.push(ring.versions(at(now)));
            let number = u8::try_from(3 * now + change + 1).unwrap();
            match (now + change) % 4 {
                0 | 1 => drop(ring.add(key(number), at(now)).ok()),
                2 => {
                    let next = ring.waiting().map_or(key(number), |waiting| waiting.key);
                    ring.rotate(next, at(now)).unwrap();
                }
                _ => {
                    let id = ring.records().last().map(|record| record.key.multibase());
                    let _ = id.map(|id| ring.revoke(&id, at(now), "a drill", at(now)).is_ok());
                }
            }
        }
    }
    let end = ring.versions(at(10_000));
    assert!(end.len() > 30, "{}", end.len());
    for earlier in seen {
        assert_eq!(end[..earlier.len()], earlier);
    }
    let ids: std::collections::BTreeSet<_> =
        end.iter().map(|version| version.id().to_string()).collect();
    assert_eq!(ids.len(), end.len());
    assert_eq!(Keyring::from_records(ring.records().to_vec()), Ok(ring));
}

#[test]
fn versions_are_named_by_what_they_are() {
    let mut ring = Keyring::default();
    ring.add(key(1), at(0)).unwrap();
    let id = ring.versions(at(0))[0].id().to_string();
    assert_eq!(id, "1770000000-0xb689ab28cad471ff8d0c59b77eb6b5e9ebae935b92c507dea8c4b40b37bdc288");
    assert_eq!(id.parse(), Ok(ring.versions(at(0))[0].id()));
}

#[test]
fn a_clock_that_jumped_back_is_told_so() {
    let mut ring = Keyring::default();
    ring.add(key(1), at(1_000)).unwrap();
    assert_eq!(ring.add(key(2), at(960)), Ok(at(1_000)), "a little is corrected");
    let behind = KeyringError::ClockBehind { last: at(1_000), now: at(900) };
    assert_eq!(ring.rotate(key(2), at(900)), Err(behind));
}

#[test]
fn what_will_not_do_is_refused_and_changes_nothing() {
    let mut ring = Keyring::default();
    ring.add(key(1), at(0)).unwrap();
    let before = ring.clone();
    let id = key(1).multibase();
    let long = "x".repeat(REASON_LEN_MAX + 1);
    for reason in ["", "two\nlines", &long] {
        assert_eq!(ring.revoke(&id, at(0), reason, at(9)).cloned(), Err(KeyringError::BadReason));
    }
    assert_eq!(
        ring.revoke(&id, at(10), "soon", at(9)).cloned(),
        Err(KeyringError::SinceToCome(at(10)))
    );
    assert_eq!(
        ring.revoke("z6Mk", at(1), "x", at(9)).cloned(),
        Err(KeyringError::NoSuchKey("z6Mk".to_owned()))
    );
    assert_eq!(ring.add(key(1), at(9)), Err(KeyringError::KnownKey(key(1).into(), at(0))));
    assert_eq!(ring, before);
}

#[test]
fn records_that_cannot_be_are_refused_by_name() {
    let mut ring = Keyring::default();
    ring.add(key(1), at(0)).unwrap();
    ring.rotate(key(2), at(10)).unwrap();
    ring.revoke(&key(2).multibase(), at(20), "lost", at(20)).unwrap();
    let good = ring.records().to_vec();
    let with = |change: fn(&mut Vec<KeyRecord>)| {
        let mut records = good.clone();
        change(&mut records);
        Keyring::from_records(records).unwrap_err().to_string()
    };
    for (wrong, why) in [
        (with(|r| r[0].created = at(5)), "before it is made"),
        (with(|r| r[0].activated = None), "never active"),
        (with(|r| r[1].retired = Some(at(1))), "before it is active"),
        (with(|r| r[1].revoked.as_mut().unwrap().since = at(90)), "begins after it is said"),
        (with(|r| r[1].revoked.as_mut().unwrap().reason.clear()), "reason"),
        (with(|r| r[1].key = key(1)), "twice"),
        (with(|r| r.swap(0, 1)), "made later"),
        (
            with(|r| {
                r[0].retired = None;
                r[1].revoked = None;
            }),
            "two keys are active",
        ),
        (with(|r| r.extend(vec![r[0].clone(); KEYS_MAX])), "takes no more"),
    ] {
        assert!(wrong.contains(why), "{wrong}: {why}");
    }
}

#[test]
fn a_ring_of_one_key_vouches_for_it_at_any_time() {
    let ring = Keyring::of_one(key(1));
    for now in [UnixSeconds::EPOCH, at(0), UnixSeconds::MAX] {
        assert_eq!(ring.signer(now).map(|record| record.key), Some(key(1)));
        assert_eq!(ring.check(&key(1), now), Ok(()));
    }
}
