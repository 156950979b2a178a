//! `hallmark keys` as processes.

use std::fs::{self, Permissions};
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Stdio;

use hallmark::attest::key::{KeyKind, PrivateKey};
use serde_json::Value;

use crate::cli::{Place, Ran};

/// The records that a command printed.
fn records(ran: &Ran) -> Vec<Value> {
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{}", ran.stdout);
    ran.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn texts(records: &[Value], member: &str) -> Vec<String> {
    records.iter().map(|record| record[member].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_key_is_made_replaced_and_revoked() {
    let place = Place::new();
    assert_eq!(records(&place.run("keys list --json")).len(), 0);
    assert_eq!(fs::read_dir(place.path()).unwrap().count(), 0, "looking makes nothing");

    let first = records(&place.run("keys new --json")).remove(0);
    assert_eq!(
        (&first["state"], &first["algorithm"], &first["private"]),
        (&"active".into(), &"EdDSA".into(), &"plain".into())
    );
    let file = place.path().join("hallmark-data/keys.json");
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);

    // The command returns once the new key signs and the old one has no private part.
    let second = records(&place.run("keys rotate --kind p256 --json")).remove(0);
    assert_eq!((&second["state"], &second["algorithm"]), (&"active".into(), &"ES256".into()));
    let listed = records(&place.run("keys list --json"));
    assert_eq!(texts(&listed, "state"), ["retired", "active"]);
    assert_eq!(texts(&listed, "private"), ["none", "plain"]);
    assert_eq!(listed[0]["key"], first["key"]);

    let id = second["key"].as_str().unwrap();
    let mut command =
        place.command(&format!("keys revoke {id} --since 2026-02-03T11:08:33Z --json --reason"));
    let revoked =
        records(&Ran::from(command.arg("the laptop was stolen").output().unwrap())).remove(0);
    assert_eq!((&revoked["state"], &revoked["private"]), (&"revoked".into(), &"none".into()));
    assert_eq!(revoked["revoked"]["since"], "2026-02-03T11:08:33Z");
    let listed = place.run("keys list");
    assert!(
        listed.stdout.contains("revoked since 2026-02-03T11:08:33Z: the laptop was stolen"),
        "{}",
        listed.stdout
    );
    assert_eq!(listed.stdout.lines().count(), 2);
}

#[test]
fn what_is_wrong_is_said_with_its_exit_code() {
    let place = Place::new();
    let id = records(&place.run("keys new --json"))[0]["key"].as_str().unwrap().to_owned();
    for (line, code, says) in [
        ("keys".to_owned(), 2, "Usage"),
        ("keys new --kind rsa".to_owned(), 2, "`ed25519` or `p256`"),
        (format!("keys revoke {id}"), 2, "--reason"),
        (format!("keys revoke {id} --reason x --since yesterday"), 2, "is not a time"),
        (format!("keys revoke {id} --reason x --since 9999-01-01T00:00:00Z"), 2, "yet to come"),
        ("keys revoke z6Mk --reason x".to_owned(), 3, "hallmark keys list"),
    ] {
        let ran = place.run(&line);
        assert_eq!((ran.code, ran.stdout.as_str()), (code, ""), "{line}: {}", ran.stderr);
        assert!(ran.stderr.contains(says), "{line}: {}", ran.stderr);
    }
    assert_eq!(texts(&records(&place.run("keys list --json")), "state"), ["active"]);
}

#[test]
fn the_service_does_not_start_with_keys_that_are_not_right() {
    let place = Place::new();
    let file = place.path().join("hallmark-data/keys.json");
    let serve = |variables: &[(&str, &str)]| {
        let mut command = place.command("serve --listen 127.0.0.1:0");
        Ran::from(command.envs(variables.iter().copied()).output().unwrap())
    };
    let ran =
        serve(&[("HALLMARK_SIGNING_KEY", "z6MkpTHR8VNsBxYAAWHut2Geadd9jSwuBV8xRoAnwWsdvktH")]);
    assert_eq!(ran.code, 2, "{}", ran.stderr);
    assert!(
        ran.stderr.contains("`signing_key`") && !ran.stderr.contains("z6MkpTHR"),
        "{}",
        ran.stderr
    );

    let mut command = place.command("keys new --json");
    let sealed = records(&Ran::from(
        command.env("HALLMARK_KEY_PASSPHRASE", "correct horse").output().unwrap(),
    ));
    assert_eq!(texts(&sealed, "private"), ["sealed"]);
    for (passphrase, says) in
        [("", "set HALLMARK_KEY_PASSPHRASE"), ("wrong horse", "does not open this key")]
    {
        let ran = serve(&[("HALLMARK_KEY_PASSPHRASE", passphrase)]);
        assert_eq!((ran.code, ran.stdout.as_str()), (1, ""), "{}", ran.stderr);
        assert!(ran.stderr.contains(says) && !ran.stderr.contains("horse"), "{}", ran.stderr);
    }
    fs::set_permissions(&file, Permissions::from_mode(0o640)).unwrap();
    let ran = serve(&[("HALLMARK_KEY_PASSPHRASE", "correct horse")]);
    assert_eq!(ran.code, 1);
    assert!(
        ran.stderr.contains("(mode 0640)") && ran.stderr.contains("chmod 600"),
        "{}",
        ran.stderr
    );
}

#[test]
fn a_seal_is_put_on_changed_and_taken_away() {
    let place = Place::new();
    let id = records(&place.run("keys new --json"))[0]["key"].clone();
    let reseal = |line: &str, now: Option<&str>, new: &str| {
        let mut command = place.command(line);
        if let Some(now) = now {
            command.env("HALLMARK_KEY_PASSPHRASE", now);
        }
        let mut running = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // Whoever refuses before it reads has closed its end.
        let _ = running.stdin.take().unwrap().write_all(new.as_bytes());
        Ran::from(running.wait_with_output().unwrap())
    };
    let line = "keys passphrase --json";
    let sealed = records(&reseal(line, None, "correct horse\nwhat follows is not read"));
    assert_eq!((&sealed[0]["key"], &sealed[0]["private"]), (&id, &"sealed".into()));
    let text = || fs::read_to_string(place.path().join("hallmark-data/keys.json")).unwrap();
    let before = text();
    for (now, new, code, says) in [
        (None, "another passphrase\n", 1, "set HALLMARK_KEY_PASSPHRASE"),
        (Some("wrong horse"), "another passphrase\n", 1, "does not open this key"),
        (Some("correct horse"), "1234567\n", 2, "shorter than 8 bytes"),
        (Some("correct horse"), "", 2, "shorter than 8 bytes"),
        (Some("correct horse"), &"a".repeat(3_000), 2, "longer than 1024 bytes"),
    ] {
        let ran = reseal(line, now, new);
        assert_eq!((ran.code, ran.stdout.as_str()), (code, ""), "{}", ran.stderr);
        assert!(ran.stderr.contains(says) && !ran.stderr.contains("horse"), "{}", ran.stderr);
        assert_eq!(text(), before);
    }
    let plain = records(&reseal("keys passphrase --remove --json", Some("correct horse"), ""));
    assert_eq!((&plain[0]["key"], &plain[0]["private"]), (&id, &"plain".into()));
}

/// A key from the environment is listed though there is no file, and said to have no history.
#[test]
fn a_key_from_the_environment_is_listed() {
    let place = Place::new();
    let own = PrivateKey::from_bytes(KeyKind::Ed25519, &[7; 32]).unwrap();
    let listed = |line: &str| {
        let mut command = place.command(line);
        Ran::from(command.env("HALLMARK_SIGNING_KEY", own.expose().as_str()).output().unwrap())
    };
    let records = records(&listed("keys list --json"));
    assert_eq!(texts(&records, "key"), [own.public().multibase()]);
    assert_eq!(texts(&records, "private"), ["configuration"]);
    assert_eq!((&records[0]["created"], &records[0]["state"]), (&Value::Null, &"active".into()));
    let text = listed("keys list").stdout;
    assert!(text.contains("nobody wrote down since when, private part: configuration"), "{text}");
    assert_eq!(fs::read_dir(place.path()).unwrap().count(), 0, "looking makes nothing");
}

/// Whoever only looks needs no passphrase, and cannot be told a secret.
#[test]
fn looking_needs_no_passphrase() {
    let place = Place::new();
    let mut command = place.command("keys new");
    assert_eq!(
        Ran::from(command.env("HALLMARK_KEY_PASSPHRASE", "correct horse").output().unwrap()).code,
        0
    );
    assert_eq!(texts(&records(&place.run("keys list --json")), "state"), ["active"]);
}
