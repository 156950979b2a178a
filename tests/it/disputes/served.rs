//! `hallmark verify --service` as a process: a file that says too little by itself is checked by a service that knows who spoke for whom.

use std::io::{Read, Write};
use std::net::TcpListener;

use serde_json::json;

use super::*;
use crate::api::process::Serving;
use crate::cli::Place;
use crate::support::databases::on_both_engines;
use crate::support::tale;

fn put(place: &Place, name: &str, text: &str) {
    std::fs::write(place.path().join(name), text).unwrap();
}

/// A JWT with a signature of zeros.
fn unsigned(jwt: &str) -> String {
    format!("{}.{}", jwt.rsplit_once('.').unwrap().0, "A".repeat(86))
}

on_both_engines! {
    async fn a_service_knows_what_a_file_does_not_say(fresh: Fresh) {
        let db = fresh.database().await;
        let mut tx = db.begin_write().await.unwrap();
        tx.bind(&tale::binding()).await.unwrap();
        samples::hold(&mut tx, [REGISTERED, block_of(START), HEAD - 1, HEAD]).await;
        samples::begin(&mut tx, &apart(4)).await;
        tx.set_tags(&tags(HEAD, HEAD - 1)).await.unwrap();
        tx.commit().await.unwrap();
        let serving = Serving::with(fresh, &[]).await;
        let place = Place::new();
        let service = format!("--service http://{}", serving.address());
        let mut built = Builder::new(4);
        chain(&mut built, 2);
        built.document.parties.clear();
        built.document.as_of.clear();
        put(&place, "trace.json", &json!(built.document).to_string());
        let offline = place.run("verify trace.json");
        assert_eq!(offline.code, 3, "{}", offline.stdout);
        let ran = place.run(&format!("verify trace.json {service}"));
        assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{}", ran.stdout);
        let (begin, rest) = ran.stdout.split_once('\n').unwrap();
        assert_eq!(begin, "valid");
        for line in ["  hops    2", &format!("  as of   block {HEAD} of eip155:8453"), "  alone   invalid, by the document's own word"] {
            assert!(rest.lines().any(|told| told == line), "{line} is not in {rest}");
        }
        let told: Value = serde_json::from_str(&place.run(&format!("verify trace.json --json {service}")).stdout).unwrap();
        assert_eq!((&told["standing"], &told["by_its_word"], told["hops"].as_array().unwrap().len()), (&json!("valid"), &json!("invalid"), 2));

        // One envelope of an agent: its wallet is the chain's to say. Nothing of it is kept.
        let of_agent = built.document.envelopes.iter().find(|sealed| sealed.envelope.contains("eip712")).unwrap();
        put(&place, "envelope.json", &of_agent.envelope);
        assert_eq!(place.run("verify envelope.json").code, 1);
        let ran = place.run(&format!("verify envelope.json {service}"));
        assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{}", ran.stdout);
        assert!(ran.stdout.contains(&format!("  issuer  {}", agent(1))) && ran.stdout.contains("  kind    hallmark/grant/1"), "{}", ran.stdout);
        let told: Value = serde_json::from_str(&place.run(&format!("verify envelope.json --json {service}")).stdout).unwrap();
        assert_eq!((&told["verdict"]["right"]["basis"], &told["as_of"]["block"]["number"]), (&json!("wallet"), &json!(HEAD)));
        let digest = told["record"].as_str().unwrap();
        assert!(serving.answer(&format!("/v1/delegations/{digest}")).await.starts_with("HTTP/1.1 404"));

        built.instead(unsigned);
        put(&place, "envelope.jwt", &built.document.envelopes.last().unwrap().envelope);
        put(&place, "trace.json", &json!(built.document).to_string());
        for file in ["envelope.jwt", "trace.json"] {
            let ran = place.run(&format!("verify {file} {service}"));
            assert_eq!((ran.code, ran.stderr.as_str()), (3, ""), "{file}: {}", ran.stdout);
            assert!(ran.stdout.starts_with("invalid: "), "{file}: {}", ran.stdout);
        }
        put(&place, "trace.json", r#"{"schema":"hallmark/trace/1","envelopes":[],"also":1}"#);
        let ran = place.run(&format!("verify trace.json {service}"));
        assert_eq!((ran.code, ran.stdout.as_str()), (3, ""));
        assert!(ran.stderr.contains("`trace.json` is refused: "), "{}", ran.stderr);
    }
}

#[test]
fn which_services_are_asked() {
    let place = Place::new();
    let mut built = Builder::new(1);
    built.sign(capability(Child::Agent(agent(1)), 1, START));
    put(&place, "envelope.json", &built.document.envelopes[0].envelope);
    for (service, code, said) in [
        ("http://hallmark.example", 2, "has to be asked over https"),
        ("http://1.1.1.1:8004", 2, "has to be asked over https"),
        ("ftp://localhost", 2, "`ftp` is neither https nor http"),
        ("https://one:two@hallmark.example", 2, "it may hold no credentials"),
        ("http://127.0.0.1:1/?a=b", 2, "neither `?` nor `#`"),
        ("hallmark", 2, "name the service as `https://hallmark.example`"),
        (
            "http://127.0.0.1:1",
            1,
            "cannot have it checked by http://127.0.0.1:1/v1/attestations/verify",
        ),
        (
            "http://localhost:1/base",
            1,
            "cannot have it checked by http://localhost:1/base/v1/attestations/verify",
        ),
        ("http://[::1]:1", 1, "the host cannot be reached"),
    ] {
        let ran = place.run(&format!("verify envelope.json --service {service}"));
        assert_eq!((ran.code, ran.stdout.as_str()), (code, ""), "{service}: {}", ran.stderr);
        assert!(ran.stderr.contains(said), "{service}: {}", ran.stderr);
    }
    let both = place.run("verify envelope.json --service http://127.0.0.1:1 --time 1770116913");
    assert_eq!(both.code, 2, "what a service says, it says now");
}

#[test]
fn what_is_no_service_gives_no_verdict() {
    let place = Place::new();
    let mut built = Builder::new(1);
    built.sign(capability(Child::Agent(agent(1)), 1, START));
    put(&place, "envelope.json", &built.document.envelopes[0].envelope);
    for (status, body, said) in [
        ("200 OK", "hello", "what it answers is no verdict"),
        ("200 OK", r#"{"standing":"fine"}"#, "what it answers is no verdict"),
        ("404 Not Found", "nothing", "is it a Hallmark service of this version?"),
        ("302 Found", "", "the host answers with a redirect (302)"),
        (
            "429 Too Many Requests",
            r#"{"detail":"slow\u001b[31m down"}"#,
            "status 429: slow\u{fffd}[31m down",
        ),
        ("500 Internal Server Error", "", "it answers with status 500"),
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let answer = format!(
            "HTTP/1.1 {status}\r\nlocation: /\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        let host = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut asked = Vec::new();
            let mut part = [0; 4096];
            while !asked.ends_with(b"}") {
                let read = stream.read(&mut part).unwrap();
                assert!(read > 0, "the request is whole");
                asked.extend_from_slice(&part[..read]);
            }
            stream.write_all(answer.as_bytes()).unwrap();
            String::from_utf8(asked).unwrap()
        });
        let ran = place.run(&format!("verify envelope.json --service http://{address}"));
        assert_eq!((ran.code, ran.stdout.as_str()), (1, ""), "{status}: {}", ran.stderr);
        assert!(ran.stderr.contains(said), "{status}: {}", ran.stderr);
        assert!(host.join().unwrap().starts_with("POST /v1/attestations/verify HTTP/1.1\r\n"));
    }
}
