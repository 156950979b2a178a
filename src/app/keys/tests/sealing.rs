//! Private parts that come under a passphrase, another one or none, and what is no file to keep them in.

use std::process::Command;
use std::sync::mpsc;

use super::*;

#[test]
fn private_parts_come_under_a_passphrase_another_one_and_none() {
    let place = Place::new();
    let plain = place.store();
    let first = plain.add(KeyKind::Ed25519, &clock(0)).unwrap().key;
    plain.add(KeyKind::P256, &clock(10)).unwrap();
    let secret = plain.open(at(20)).unwrap().signer(at(20)).unwrap().expose();
    let signer = |store: &KeyStore| {
        store.open(at(20)).map(|held| held.signer(at(20)).map(PrivateKey::public))
    };
    let (one, two) =
        (place.with(Some(PASSPHRASE), None), place.with(Some("another passphrase"), None));
    assert_eq!(plain.reseal(Some(PASSPHRASE), &clock(20)).unwrap(), 2);
    assert!(!place.text().contains(secret.as_str()));
    assert_eq!(signer(&one).unwrap(), Some(first));
    assert!(signer(&plain).is_err() && signer(&two).is_err());
    // The same passphrase is fine, and the seal is another: salt and nonce are new.
    let before = place.text();
    assert_eq!(one.reseal(Some(PASSPHRASE), &clock(20)).unwrap(), 2);
    assert_ne!(place.text(), before);
    assert_eq!(one.reseal(Some("another passphrase"), &clock(20)).unwrap(), 2);
    assert_eq!(signer(&two).unwrap(), Some(first));
    assert!(signer(&one).is_err());
    assert_eq!(two.reseal(None, &clock(20)).unwrap(), 2);
    assert_eq!(signer(&plain).unwrap(), Some(first));
    assert!(place.text().contains(secret.as_str()));
    let places = plain.list().unwrap().into_iter().map(|(_, place)| place.as_str());
    assert_eq!(places.collect::<Vec<_>>(), ["plain", "plain"]);
}

#[test]
fn a_seal_is_changed_of_all_private_parts_or_of_none() {
    let place = Place::new();
    let own = private(1);
    assert!(matches!(
        place.store().reseal(Some(PASSPHRASE), &clock(0)),
        Err(KeysError::NothingToSeal)
    ));
    place.with(None, Some(&own)).add(KeyKind::Ed25519, &clock(0)).unwrap();
    let brought = place.with(None, Some(&own)).reseal(Some(PASSPHRASE), &clock(1));
    assert!(matches!(brought, Err(KeysError::NothingToSeal)), "it is not in the file");
    let store = place.with(Some(PASSPHRASE), None);
    store.rotate(None, &clock(10)).unwrap();
    store.add(KeyKind::Ed25519, &clock(20)).unwrap();
    let before = place.text();
    let short = store.reseal(Some("1234567"), &clock(30)).unwrap_err();
    assert!(matches!(short, KeysError::Seal { source: SealError::ShortPassphrase, .. }), "{short}");
    for wrong in [None, Some("correct horse batery")] {
        let error = place.with(wrong, None).reseal(Some("another passphrase"), &clock(30));
        assert!(error.unwrap_err().hint().unwrap().contains("HALLMARK_KEY_PASSPHRASE"));
    }
    assert_eq!(place.text(), before);
}

#[test]
fn what_is_no_plain_file_is_refused_at_once_and_by_name() {
    let place = Place::new();
    let folder = place.0.path().to_owned();
    let pipe = folder.join("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let socket = folder.join("socket");
    let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    let link = folder.join("link");
    symlink(&pipe, &link).unwrap();
    for (path, what) in [
        (pipe, "is a pipe"),
        (link, "is a pipe"),
        (folder, "is a folder"),
        (socket, "is a socket"),
        ("/dev/zero".into(), "is a device"),
    ] {
        // Elsewhere, since what waits for ever is what is feared.
        let (tell, told) = mpsc::channel();
        let store = KeyStore::new(path.clone(), None, None);
        thread::spawn(move || {
            let errors = [store.open(at(0)).unwrap_err(), store.list().unwrap_err()];
            tell.send(errors.map(|error| (error.to_string(), error.hint()))).unwrap();
        });
        let told = told.recv_timeout(Duration::from_secs(30)).expect("it does not wait");
        for (said, hint) in told {
            assert!(said.contains(what) && said.contains(path.to_str().unwrap()), "{said}");
            assert!(hint.unwrap().contains("`key_file`"));
        }
    }
}

#[test]
fn a_key_that_is_brought_along_is_listed_where_there_is_no_file() {
    let place = Place::new();
    let own = private(1);
    assert!(place.store().list().unwrap().is_empty());
    let listed = place.with(None, Some(&own)).list().unwrap();
    let [(record, super::super::Place::Configuration)] = listed.as_slice() else {
        panic!("{listed:?}")
    };
    assert_eq!((record.key, record.is_undated()), (own.public(), true));
    assert!(!place.path().exists());
}
