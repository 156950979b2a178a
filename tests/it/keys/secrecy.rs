//! No private key and no passphrase in a log record, an answer, or the database, whatever is asked and however much is logged.

use alloy::primitives::hex;
use hallmark::app::KeyStore;
use hallmark::attest::key::{KeyKind, PrivateKey};
use hallmark::attest::seal::SealCosts;
use zeroize::Zeroizing;

use super::Keys;
use crate::api::process::Serving;
use crate::api::told;
use crate::support::databases::on_both_engines;
use crate::support::dump::dump;

const PASSPHRASE: &str = "correct horse battery staple";
const CHEAP: SealCosts = SealCosts { memory_kib: 64, passes: 1, lanes: 4 };

/// A private key in all the forms in which somebody might write it.
fn forms(key: &PrivateKey) -> Vec<String> {
    let text = key.expose();
    let bytes = bs58::decode(&text[1..]).into_vec().unwrap();
    let secret = &bytes[2..];
    let decimal = secret.iter().map(u8::to_string).collect::<Vec<_>>();
    let base64 =
        |alphabet: &base64::engine::GeneralPurpose| base64::Engine::encode(alphabet, secret);
    vec![
        text.to_string(),
        hex::encode(secret),
        base64(&base64::engine::general_purpose::URL_SAFE_NO_PAD),
        base64(&base64::engine::general_purpose::STANDARD_NO_PAD),
        decimal.join(", "),
        decimal.join(","),
    ]
}

/// Bytes as letters, one for each, in lower case: the standard library's search is quick where a comparison at every place is not.
fn letters(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| char::from(byte.to_ascii_lowercase())).collect()
}

/// Asserts that none of the secrets, in whatever letter case, is in what was found somewhere.
fn assert_clean(place: &str, found: &[u8], secrets: &[String]) {
    let found = letters(found);
    for secret in secrets {
        assert!(!found.contains(&letters(secret.as_bytes())), "{place} holds a secret");
    }
}

/// What is looked for is found, wherever it stands and however it is written.
#[test]
fn a_secret_that_is_there_is_found() {
    let key = PrivateKey::from_bytes(KeyKind::Ed25519, &[0xa7; 32]).unwrap();
    for secret in forms(&key) {
        for written in [secret.clone(), secret.to_uppercase(), secret.to_lowercase()] {
            let found = [b"\xff\xc3".as_slice(), written.as_bytes(), b"\0\xe2"].concat();
            let told = std::panic::catch_unwind(|| {
                assert_clean("it", &found, std::slice::from_ref(&secret))
            });
            assert!(told.is_err(), "{secret}");
        }
        assert_clean("it", &secret.as_bytes()[1..], std::slice::from_ref(&secret));
    }
}

on_both_engines! {
    /// One process serves with a sealed key, which is replaced while it runs; another has its key from the environment.
    async fn nothing_secret_is_anywhere(fresh: Fresh) {
        let database = fresh.database().await;
        told::tell(&database).await;
        let keys = Keys::new();
        // Whoever opens a seal pays what it names, so the processes pay no more; what is sealed is as secret.
        let store = KeyStore::new(keys.path(), Some(Zeroizing::new(PASSPHRASE.to_owned())), None).with_seal_costs(CHEAP);
        let now = || hallmark::app::Clock::now(&hallmark::app::SystemClock);
        store.add(KeyKind::Ed25519, &hallmark::app::SystemClock).unwrap();
        let mut secrets = vec![PASSPHRASE.to_owned()];
        secrets.extend(forms(store.open(now()).unwrap().signer(now()).unwrap()));
        let own = PrivateKey::from_bytes(KeyKind::P256, &[0xa7; 32]).unwrap();
        secrets.extend(forms(&own));

        let file = keys.path().display().to_string();
        let text = own.expose();
        let with_file = [("HALLMARK_KEY_FILE", file.as_str()), ("HALLMARK_KEY_PASSPHRASE", PASSPHRASE), ("HALLMARK_LOG", "trace")];
        let with_own = [("HALLMARK_SIGNING_KEY", text.as_str()), ("HALLMARK_LOG", "trace"), ("HALLMARK_KEY_FILE", "none/keys.json")];
        for (variables, is_rotated) in [(&with_file, true), (&with_own, false)] {
            let serving = Serving::with(fresh, variables).await;
            let paths = serving.get("/openapi.json").await["paths"].as_object().unwrap().keys().cloned().collect::<Vec<_>>();
            let did = serving.get("/.well-known/did.json").await["id"].as_str().unwrap().to_owned();
            let shown = async || serving.get("/.well-known/did.json").await["verificationMethod"][0]["id"].clone();
            let before = shown().await;
            if is_rotated {
                let change = store.rotate(None, &hallmark::app::SystemClock).unwrap();
                secrets.extend(forms(store.open(change.at).unwrap().signer(change.at).unwrap()));
                let rotated = async { while shown().await == before { tokio::time::sleep(std::time::Duration::from_millis(50)).await; } };
                tokio::time::timeout(std::time::Duration::from_mins(1), rotated).await.expect("the new key is shown");
            }
            let filled = paths.iter().map(|path| {
                let values = [("{chain_id}", "8453"), ("{agent_id}", "0"), ("{agent}", "0"), ("{account}", "0x0000000000000000000000000000000000000001"), ("{did}", did.as_str())];
                values.iter().fold(path.clone(), |path, (name, value)| path.replace(name, value))
            });
            for path in filled.chain(["/none/such".to_owned(), format!("/1.0/identifiers/{did}?versionId=1")]) {
                let answer = serving.answer(&path).await;
                assert_clean(&path, answer.as_bytes(), &secrets);
            }
            let said = serving.said();
            assert!(said.contains("serving") && said.len() > 1_000);
            assert_clean("the log", said.as_bytes(), &secrets);
        }
        for (table, rows) in dump(fresh.url()).await {
            assert_clean(&table, rows.join("\n").as_bytes(), &secrets);
        }
        if let Some(path) = fresh.url().strip_prefix("sqlite://") {
            for suffix in ["", "-wal", "-shm"] {
                let bytes = std::fs::read(format!("{path}{suffix}")).unwrap_or_default();
                assert!(!bytes.is_empty() || !suffix.is_empty());
                assert_clean("the database's file", &bytes, &secrets);
            }
        }
        assert_clean("the key file", &std::fs::read(keys.path()).unwrap(), &secrets);
    }
}
