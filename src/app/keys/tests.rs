//! The key file: who may read it, what survives what, and what it never says.

mod following;
mod opening;
mod sealing;

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::PathBuf;
use std::thread;

use tempfile::TempDir;

use super::*;
use crate::app::FixedClock;
use crate::attest::key::{KeyKind, PrivateKey};
use crate::attest::keyring::{KeyState, KeyringError, LEAD_S};
use crate::attest::seal::{SealCosts, SealError};
use crate::vocab::UnixSeconds;
use zeroize::Zeroizing;

const PASSPHRASE: &str = "correct horse battery";
/// Sealing that costs next to nothing: what is tested here is who opens what.
const CHEAP: SealCosts = SealCosts { memory_kib: 64, passes: 1, lanes: 4 };

fn at(seconds: u64) -> UnixSeconds {
    UnixSeconds::new(1_770_000_000 + seconds).unwrap()
}

fn clock(seconds: u64) -> FixedClock {
    FixedClock(at(seconds))
}

/// A place for a key file.
struct Place(TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("below").join("keys.json")
    }

    fn store(&self) -> KeyStore {
        self.with(None, None)
    }

    fn with(&self, passphrase: Option<&str>, own: Option<&PrivateKey>) -> KeyStore {
        let passphrase = passphrase.map(|text| Zeroizing::new(text.to_owned()));
        KeyStore::new(self.path(), passphrase, own.cloned()).with_seal_costs(CHEAP)
    }

    fn text(&self) -> String {
        fs::read_to_string(self.path()).unwrap()
    }
}

fn private(number: u8) -> PrivateKey {
    PrivateKey::from_bytes(KeyKind::Ed25519, &[number; 32]).unwrap()
}

#[test]
fn a_key_is_kept_and_signs_after_the_process_has_ended() {
    let place = Place::new();
    let made = place.store().add(KeyKind::P256, &clock(0)).unwrap();
    assert_eq!(made.at, at(0));
    let held = place.store().open(at(0)).unwrap();
    let signer = held.signer(at(0)).unwrap();
    assert_eq!((signer.public(), signer.kind()), (made.key, KeyKind::P256));
    assert!(held.has_history());
    let permissions = fs::metadata(place.path()).unwrap().permissions();
    assert_eq!(permissions.mode() & 0o777, 0o600);
    assert_eq!(
        fs::metadata(place.path().parent().unwrap()).unwrap().permissions().mode() & 0o777,
        0o700
    );
    assert!(!format!("{held:?}").contains(signer.expose().as_str()));
}

#[test]
fn nothing_kept_is_no_keys_and_one_brought_along_is_enough() {
    let place = Place::new();
    assert!(place.store().open(at(0)).unwrap().signer(at(0)).is_none());
    let own = private(1);
    let held = place.with(None, Some(&own)).open(at(0)).unwrap();
    assert_eq!(held.signer(at(0)).map(PrivateKey::public), Some(own.public()));
    assert!(!held.has_history());
    assert!(!place.path().exists(), "looking makes nothing");
}

#[test]
fn a_file_that_others_can_read_is_refused() {
    let place = Place::new();
    place.store().add(KeyKind::Ed25519, &clock(0)).unwrap();
    let secret = place.text();
    for mode in [0o644, 0o640, 0o604, 0o620, 0o611] {
        fs::set_permissions(place.path(), Permissions::from_mode(mode)).unwrap();
        let store = place.store();
        for error in [
            store.open(at(1)).unwrap_err(),
            store.look().unwrap_err(),
            store.list().unwrap_err(),
            store.rotate(None, &clock(1)).unwrap_err(),
        ] {
            assert!(error.to_string().contains(&format!("(mode {mode:04o})")), "{error}");
            assert!(error.hint().unwrap().contains("chmod 600"));
        }
        assert_eq!(place.text(), secret, "nothing was changed");
    }
}

#[test]
fn a_sealed_key_opens_with_its_passphrase_only() {
    let place = Place::new();
    let made = place.with(Some(PASSPHRASE), None).add(KeyKind::Ed25519, &clock(0)).unwrap();
    let open = |passphrase| place.with(passphrase, None).open(at(0));
    let signer = open(Some(PASSPHRASE)).unwrap();
    let secret = signer.signer(at(0)).unwrap().expose();
    assert!(!place.text().contains(secret.as_str()) && !place.text().contains(PASSPHRASE));
    assert!(matches!(open(None), Err(KeysError::NoPassphrase(key)) if *key == made.key));
    let wrong = open(Some("another passphrase")).unwrap_err();
    assert!(matches!(wrong, KeysError::Seal { source: SealError::WrongPassphrase, .. }), "{wrong}");
    assert!(!wrong.told().contains("another passphrase"));
    // Their public parts need no passphrase.
    assert_eq!(place.store().look().unwrap().ring().records().len(), 1);
    let short = place.with(Some("short"), None).rotate(None, &clock(9)).unwrap_err();
    assert!(matches!(short, KeysError::Seal { source: SealError::ShortPassphrase, .. }), "{short}");
}

#[test]
fn a_private_part_ends_with_its_use() {
    let place = Place::new();
    let store = place.store();
    let first = store.add(KeyKind::Ed25519, &clock(0)).unwrap().key;
    let secret = store.open(at(0)).unwrap().signer(at(0)).unwrap().expose();
    let second = store.rotate(None, &clock(10)).unwrap();
    assert_eq!(second.at, at(10 + LEAD_S));
    assert!(place.text().contains(secret.as_str()), "it signs until the other one does");
    let held = store.open(at(11)).unwrap();
    assert_eq!(held.signer(at(12)).map(PrivateKey::public), Some(first));
    assert_eq!(held.signer(at(13)).map(PrivateKey::public), Some(second.key));
    store.forget_ended(&clock(13)).unwrap();
    assert!(!place.text().contains(secret.as_str()));
    assert_eq!(held.ring(), store.open(at(13)).unwrap().ring());

    let secret = store.open(at(13)).unwrap().signer(at(13)).unwrap().expose();
    let told = store.revoke(&second.key.multibase(), Some(at(12)), "a drill", &clock(20)).unwrap();
    assert_eq!(told.revoked.unwrap().since, at(12));
    assert!(!place.text().contains(secret.as_str()));
    assert!(store.open(at(20)).unwrap().signer(at(20)).is_none());
    let places: Vec<_> =
        store.list().unwrap().into_iter().map(|(_, place)| place.as_str()).collect();
    assert_eq!(places, ["none", "none"]);
}

#[test]
fn a_rotation_keeps_the_kind_unless_told_otherwise() {
    let place = Place::new();
    let kinds = |now| {
        let held = place.store().look().unwrap();
        held.ring().signer(now).unwrap().key.algorithm().as_str()
    };
    place.store().add(KeyKind::P256, &clock(0)).unwrap();
    place.store().rotate(None, &clock(10)).unwrap();
    assert_eq!(kinds(at(13)), "ES256");
    place.store().rotate(Some(KeyKind::Ed25519), &clock(20)).unwrap();
    assert_eq!(kinds(at(23)), "EdDSA");
}

#[test]
fn a_waiting_key_takes_over_only_if_it_can_sign() {
    let place = Place::new();
    let store = place.with(Some(PASSPHRASE), None);
    store.add(KeyKind::Ed25519, &clock(0)).unwrap();
    let next = store.add(KeyKind::Ed25519, &clock(1)).unwrap().key;
    let before = place.text();
    for (passphrase, why) in
        [(None, "none is given"), (Some("another passphrase"), "cannot be opened")]
    {
        let error = place.with(passphrase, None).rotate(None, &clock(9)).unwrap_err();
        assert!(error.to_string().contains(why), "{error}");
    }
    assert_eq!(place.text(), before);
    assert_eq!(store.rotate(None, &clock(9)).unwrap().key, next);
}

#[test]
fn a_key_that_is_brought_along_gets_a_history_and_no_copy() {
    let place = Place::new();
    let (first, second) = (private(1), private(2));
    assert_eq!(
        place.with(None, Some(&first)).add(KeyKind::Ed25519, &clock(0)).unwrap().key,
        first.public()
    );
    assert!(!place.text().contains(first.expose().as_str()));
    assert_eq!(place.with(None, Some(&first)).list().unwrap()[0].1, super::Place::Configuration);
    let held = place.with(None, Some(&first)).open(at(1)).unwrap();
    assert_eq!(held.signer(at(1)).map(PrivateKey::public), Some(first.public()));
    // Without it nothing signs, and that is said.
    assert!(
        matches!(place.store().open(at(1)), Err(KeysError::NoSecret(key)) if *key == first.public())
    );
    // Another one is taken in by a rotation, and not before.
    let store = place.with(None, Some(&second));
    assert!(
        matches!(store.open(at(1)), Err(KeysError::UnknownSigningKey(key)) if *key == second.public())
    );
    assert_eq!(store.rotate(None, &clock(10)).unwrap().key, second.public());
    assert_eq!(
        store.open(at(13)).unwrap().signer(at(13)).map(PrivateKey::public),
        Some(second.public())
    );
    // The first one signs no more, wherever it is brought.
    let held = place.with(None, Some(&first)).open(at(13));
    assert!(matches!(held, Err(KeysError::NoSecret(key)) if *key == second.public()));
}

#[test]
fn two_at_once_lose_no_key() {
    let place = Place::new();
    let first = place.store().add(KeyKind::Ed25519, &clock(0)).unwrap().key;
    let rotated: Vec<_> = thread::scope(|scope| {
        let rotate = || {
            (0..6).map(|_| place.store().rotate(None, &clock(10)).unwrap().key).collect::<Vec<_>>()
        };
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(rotate)).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    let held = place.store().look().unwrap();
    let kept: Vec<_> = held.ring().records().iter().map(|record| record.key).collect();
    assert_eq!(kept.len(), 25);
    assert!(kept.contains(&first) && rotated.iter().all(|key| kept.contains(key)));
    let active =
        held.ring().records().iter().filter(|record| record.state_at(at(20)) == KeyState::Active);
    assert_eq!(active.count(), 1);
}

#[test]
fn a_file_that_was_half_written_is_not_looked_at() {
    let place = Place::new();
    let key = place.store().add(KeyKind::Ed25519, &clock(0)).unwrap().key;
    fs::write(place.path().with_file_name("keys.json.new"), "{\"format\": \"hall").unwrap();
    assert_eq!(place.store().look().unwrap().ring().records()[0].key, key);
    place.store().rotate(None, &clock(10)).unwrap();
    assert_eq!(place.store().look().unwrap().ring().records().len(), 2);
    let mut names: Vec<_> = fs::read_dir(place.path().parent().unwrap())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    names.sort();
    assert_eq!(names, ["keys.json", "keys.json.lock"]);
}

#[test]
fn a_link_to_the_file_stays_a_link() {
    let place = Place::new();
    place.store().add(KeyKind::Ed25519, &clock(0)).unwrap();
    let link = place.0.path().join("link.json");
    symlink(place.path(), &link).unwrap();
    KeyStore::new(link.clone(), None, None).rotate(None, &clock(10)).unwrap();
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(place.store().look().unwrap().ring().records().len(), 2);
}

#[test]
fn what_is_no_key_file_is_refused_without_a_word_of_it() {
    let place = Place::new();
    place.store().add(KeyKind::Ed25519, &clock(0)).unwrap();
    let good = place.text();
    let secret = place.store().open(at(0)).unwrap().signer(at(0)).unwrap().expose();
    let other = private(9).expose();
    for (wrong, why) in [
        (String::new(), "line 1"),
        (good[..good.len() - 9].to_owned(), "line"),
        (good.replace("hallmark-keys/1", "hallmark-keys/2"), "hallmark-keys/1"),
        (good.replace("\"plain\"", "\"plane\""), "line"),
        (
            good.replace("\"retired\": null", "\"retired\": \"2001-01-01T00:00:00Z\""),
            "before it is active",
        ),
        (good.replace("\"id\": \"z", "\"id\": \"y"), "key 1"),
        (
            good.replace(
                &format!("\"{}\"", secret.as_str()),
                &format!("[\"{}\"]", secret.as_str()),
            ),
            "line",
        ),
        (good.replace(secret.as_str(), &other), "is that of another"),
        (good.replace(secret.as_str(), "z3u2"), "is that of another"),
        (format!("{good}{}", " ".repeat(3 << 20)), "larger than 2 MiB"),
    ] {
        assert_ne!(wrong, good);
        fs::write(place.path(), &wrong).unwrap();
        let error = place.store().open(at(1)).unwrap_err();
        let said = format!("{} {error:?}", error.told());
        assert!(said.contains(why), "{said}: {why}");
        assert!(!said.contains(secret.as_str()) && !said.contains(other.as_str()), "{said}");
    }
}

#[test]
fn a_refused_change_leaves_the_file_alone() {
    let place = Place::new();
    let store = place.store();
    store.add(KeyKind::Ed25519, &clock(1_000)).unwrap();
    let before = place.text();
    let error = store.rotate(None, &clock(0)).unwrap_err();
    assert!(matches!(error, KeysError::Ring(KeyringError::ClockBehind { .. })), "{error}");
    let error = store.revoke("z6Mk", Some(at(0)), "x", &clock(1_000)).unwrap_err();
    assert!(error.hint().unwrap().contains("hallmark keys list"));
    assert_eq!(place.text(), before);
}

/// A process that serves reads what another one changed, and stays with what it has where it cannot.
#[tokio::test]
async fn changes_are_read_while_it_runs() {
    let place = Place::new();
    place.store().add(KeyKind::Ed25519, &clock(0)).unwrap();
    let keys = ServiceKeys::open(place.store(), Arc::new(FixedClock(at(100)))).unwrap();
    let keeping = keys.clone();
    let mut tasks = tokio::task::JoinSet::new();
    tasks.spawn(async move { keeping.keep().await });
    let first = keys.held().signer(at(100)).unwrap().public();
    let until = async |count: usize| {
        while keys.held().ring().records().len() != count {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    place.store().rotate(None, &clock(50)).unwrap();
    tokio::time::timeout(Duration::from_secs(30), until(2)).await.unwrap();
    assert_ne!(keys.held().signer(at(100)).unwrap().public(), first);

    drop(tasks);
    let good = place.text();
    for wrong in ["", "{}", &good[..40]] {
        fs::write(place.path(), wrong).unwrap();
        assert!(keys.0.look(Seen::default()).stamp.is_some());
        assert_eq!(keys.held().ring().records().len(), 2, "what it has stays");
    }
    fs::remove_file(place.path()).unwrap();
    let seen = Seen {
        stamp: file::stamp(&place.path().with_file_name("keys.json.lock")).unwrap(),
        is_kept: false,
    };
    assert_eq!(keys.0.look(seen).stamp, None);
    assert_eq!(keys.fault().as_deref(), Some("the key file is gone"));
    assert_eq!(keys.held().ring().records().len(), 2);
}

/// A clock that is read only while the file is locked.
#[derive(Debug)]
struct Locked(PathBuf, UnixSeconds);

impl Clock for Locked {
    fn now(&self) -> UnixSeconds {
        let lock = fs::File::open(self.0.with_file_name("keys.json.lock")).unwrap();
        assert!(matches!(lock.try_lock(), Err(fs::TryLockError::WouldBlock)), "read too early");
        self.1
    }
}

#[test]
fn a_change_is_dated_when_it_is_made_and_not_when_it_is_asked_for() {
    let place = Place::new();
    let store = place.with(Some(PASSPHRASE), None);
    let clock = |seconds| Locked(place.path(), at(seconds));
    let first = store.add(KeyKind::Ed25519, &clock(0)).unwrap();
    assert_eq!(first.at, at(0));
    assert_eq!(store.add(KeyKind::Ed25519, &clock(10)).unwrap().at, at(10 + LEAD_S));
    assert_eq!(store.rotate(None, &clock(20)).unwrap().at, at(20 + LEAD_S));
    let told = store.revoke(&first.key.multibase(), None, "a drill", &clock(30)).unwrap();
    let revocation = told.revoked.unwrap();
    assert_eq!((revocation.since, revocation.at), (at(30), at(30 + LEAD_S)));
}

#[test]
fn what_an_interrupted_rotation_left_is_destroyed_and_else_nothing_is_written() {
    let place = Place::new();
    let store = place.store();
    store.forget_ended(&clock(0)).unwrap();
    assert!(!place.path().parent().unwrap().exists(), "looking makes nothing");
    store.add(KeyKind::Ed25519, &clock(0)).unwrap();
    store.rotate(None, &clock(10)).unwrap();
    let before = (place.text(), store.stamp().unwrap());
    store.forget_ended(&clock(12)).unwrap();
    assert_eq!((place.text(), store.stamp().unwrap()), before);
    store.forget_ended(&clock(13)).unwrap();
    assert_ne!(place.text(), before.0);
    assert_eq!(store.list().unwrap()[0].1, super::Place::Nowhere);
}
