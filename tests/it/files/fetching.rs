//! What is fetched, when, how often, and what is made of the answers.

use alloy::primitives::hex;
use hallmark::registry::file::TYPE;
use hallmark::vocab::UnixSeconds;
use serde_json::{Value, json};

use super::hosts::{Hand, Host};
use super::{
    agent, chain, findings, keeper, keeper_with, metadata, register, service, set_uri, settle,
};
use crate::support::databases::on_both_engines;
use crate::support::tale::{IDENTITY, time};

const DAY_S: u64 = 86_400;
/// `{"name":"raw"}` as a raw block, `hello world` with a line's end as a file of one block, as every implementation names them.
const HELLO: &str = "QmT78zSuBmuS4z925WZfrqQ1qHaJ56DQaTfyMUF7F8ff5o";

fn file(id: u64, name: &str) -> Value {
    json!({
        "type": TYPE,
        "name": name,
        "description": "",
        "services": [{ "name": "MCP", "endpoint": "wss://mcp.example/" }],
        "registrations": [{ "agentId": id, "agentRegistry": format!("eip155:8453:{IDENTITY}") }],
    })
}

on_both_engines! {
    /// Each agent has its own trouble, and none harms another.
    async fn whatever_hosts_answer_becomes_a_finding(db: Database) {
        let (host, clock) = (Host::new().await, Hand::at(time(20)));
        host.put_json("/good.json", &file(0, "Good"));
        host.put("/text", "no file");
        host.put("/list", "[]");
        host.put("/twice", r#"{"name":"a","name":"b"}"#);
        host.put("/deep", format!("{{\"a\":{}", "[".repeat(100_000)));
        host.put("/not-utf-8", b"{\"name\":\"\xff\"}".to_vec());
        let cases = [
            ("good.json", "read", None),
            ("missing", "absent", Some(("file-not-fetched", "no such file"))),
            ("text", "unreadable", Some(("file-json", "not JSON"))),
            ("list", "unreadable", Some(("file-json", "not a JSON object"))),
            ("twice", "unreadable", Some(("file-json", "`name` stands twice"))),
            ("deep", "unreadable", Some(("file-json", "deeper than 64"))),
            ("not-utf-8", "unreadable", Some(("file-json", "not UTF-8"))),
            ("moved", "failing", Some(("file-not-fetched", "redirect (307)"))),
            ("loop", "failing", Some(("file-not-fetched", "redirect (308)"))),
            ("endless", "failing", Some(("file-not-fetched", "larger than 1048576"))),
            ("claims-much", "failing", Some(("file-not-fetched", ""))),
            ("broken", "failing", Some(("file-not-fetched", "status 500"))),
        ];
        let mut tale = chain(&db).await;
        for (id, (path, ..)) in (0..).zip(cases) {
            register(&mut tale, id, &host.url(path));
        }
        tale.block().await;
        let (keeper, service) = (keeper(&db, &host, &clock), service(&db, &clock));
        let pending = agent(&service, 0, "").await;
        assert_eq!(pending["file"]["state"], "pending");
        settle(&keeper).await;
        assert_eq!(host.asked(), cases.len(), "each was asked for once");
        for (id, (path, state, finding)) in (0..).zip(cases) {
            let agent = agent(&service, id, "").await;
            assert_eq!(agent["file"]["state"], state, "{path}: {agent}");
            assert_eq!(agent["file"]["location"], host.url(path));
            let found = findings(&agent);
            match finding {
                None => assert_eq!(found, [], "{path}"),
                Some((kind, says)) => assert!(
                    found.iter().any(|(k, detail)| k == kind && detail.contains(says)),
                    "{path}: {found:?}"
                ),
            }
        }
        let good = agent(&service, 0, "").await;
        assert_eq!((&good["file"]["name"], &good["file"]["names_agent"]), (&json!("Good"), &json!(true)));
        assert_eq!(good["file"]["last_seen"], time(20).to_string());
        let document = service.get("/agents/8453/0/did.json").await.json();
        assert_eq!(document["service"][0]["type"], json!(["ClaimedService", "MCP"]));
        assert_eq!(document["service"][0]["serviceEndpoint"], "wss://mcp.example/");

        // What failed is tried again after five minutes, then after twenty; what answered after about a day.
        clock.later(299);
        settle(&keeper).await;
        assert_eq!(host.asked(), 12);
        clock.later(1);
        settle(&keeper).await;
        assert_eq!(host.asked(), 12 + 5);
        clock.later(1_199);
        settle(&keeper).await;
        assert_eq!(host.asked(), 12 + 5);
        clock.later(2 * DAY_S);
        settle(&keeper).await;
        assert_eq!(host.asked(), 12 + 5 + 12);
    }

    /// Nobody is sent to a private address by a URI, nor to this machine by any spelling of it.
    async fn no_uri_leads_to_a_private_host(db: Database) {
        let (host, clock) = (Host::new().await, Hand::at(time(20)));
        host.put_json("/good.json", &file(0, "Good"));
        let mut tale = chain(&db).await;
        let uris = [
            host.url("good.json"),
            format!("https://127.0.0.1:{}/good.json", host.port),
            format!("https://[::1]:{}/good.json", host.port),
            format!("https://2130706433:{}/good.json", host.port),
            format!("http://localhost:{}/good.json", host.port),
            format!("https://me:secret@localhost:{}/good.json", host.port),
            "file:///etc/passwd".to_owned(),
            "https://no-such-host.invalid/".to_owned(),
        ];
        for (id, uri) in (0..).zip(&uris) {
            register(&mut tale, id, uri);
        }
        tale.block().await;
        let keeper = keeper_with(&db, &host, &clock, &[]);
        settle(&keeper).await;
        assert_eq!(host.asked(), 0);
        let service = service(&db, &clock);
        let mut said = Vec::new();
        for (id, uri) in (0..).zip(&uris) {
            let agent = agent(&service, id, "").await;
            let found = findings(&agent);
            assert_eq!(found.len(), 1, "{uri}: {found:?}");
            said.push(found[0].1.clone());
        }
        let reason = |text: &str| text.split(": ").nth(1).unwrap().split(';').next().unwrap().to_owned();
        assert_eq!(reason(&said[0]), reason(&said[7]), "a private host looks as if there were none");
        assert!(said[0].contains("no public address"), "{said:?}");
    }

    /// A host that does not answer is not asked for everything else that is due of it.
    async fn a_silent_host_is_left_alone(db: Database) {
        let (host, clock) = (Host::new().await, Hand::at(time(20)));
        let mut tale = chain(&db).await;
        for (id, path) in (0..).zip(["slow", "slow-2", "slow-3", "slow-4"]) {
            register(&mut tale, id, &host.url(path));
        }
        tale.block().await;
        let (keeper, service) = (keeper(&db, &host, &clock), service(&db, &clock));
        settle(&keeper).await;
        assert_eq!(host.asked(), 2);
        let mut reasons = Vec::new();
        for id in 0..4 {
            reasons.push(findings(&agent(&service, id, "").await)[0].1.clone());
        }
        let count = |says: &str| reasons.iter().filter(|reason| reason.contains(says)).count();
        assert_eq!((count("no whole answer within 2 s"), count("other requests")), (2, 2), "{reasons:?}");
    }

    /// What a URI holds needs no host; what was changed or undone on the chain is followed.
    async fn uris_that_change_are_followed(db: Database) {
        let (host, clock) = (Host::new().await, Hand::at(time(20)));
        host.put_json("/a.json", &file(0, "A"));
        host.put_json("/b.json", &file(0, "B"));
        let mut tale = chain(&db).await;
        register(&mut tale, 0, &format!("data:application/json,{}", file(0, "Inline")));
        register(&mut tale, 1, &host.url("a.json"));
        let registered = tale.block().await;
        let (keeper, service) = (keeper(&db, &host, &clock), service(&db, &clock));
        let inline = agent(&service, 0, "").await;
        assert_eq!((&inline["file"]["name"], &inline["file"]["proven"]), (&json!("Inline"), &json!(true)));
        settle(&keeper).await;
        assert_eq!(host.asked(), 1);

        set_uri(&mut tale, 0, &host.url("b.json"));
        let changed = tale.block().await;
        settle(&keeper).await;
        assert_eq!(host.asked(), 2);
        assert_eq!(agent(&service, 0, "").await["file"]["name"], "B");
        // What it said before still holds for then; what was fetched later does not.
        let before = agent(&service, 0, &format!("?at=block:{registered}")).await;
        assert_eq!(before["file"]["name"], "Inline");
        let at = agent(&service, 0, &format!("?at=block:{changed}")).await;
        assert_eq!((&at["file"]["state"], &at["file"]["name"]), (&json!("pending"), &Value::Null));

        // The change never was: nobody names its source any more, and it is not fetched again.
        tale.revert_to(registered).await;
        tale.block().await;
        assert_eq!(agent(&service, 0, "").await["file"]["name"], "Inline");
        clock.later(2 * DAY_S);
        settle(&keeper).await;
        assert_eq!(host.asked(), 3, "only the file of agent 1");
        // Another agent names it: at once.
        register(&mut tale, 2, &host.url("b.json"));
        tale.block().await;
        settle(&keeper).await;
        assert_eq!(host.asked(), 4);
        assert_eq!(agent(&service, 2, "").await["file"]["name"], "B");
        // A record that is folded anew is looked through anew, and nothing is fetched for it.
        hallmark::app::rebuild(&db, |_| ()).await.unwrap();
        settle(&keeper).await;
        assert_eq!(host.asked(), 4);
    }

    /// Every content that a URI was known to have is kept, with the times at which it was seen.
    async fn the_history_of_a_file_is_kept(db: Database) {
        let (host, clock) = (Host::new().await, Hand::at(time(20)));
        let mut tale = chain(&db).await;
        register(&mut tale, 0, &host.url("a.json"));
        tale.block().await;
        let (keeper, service) = (keeper(&db, &host, &clock), service(&db, &clock));
        for name in ["one", "two"] {
            host.put_json("/a.json", &file(0, name));
            settle(&keeper).await;
            clock.later(2 * DAY_S);
            settle(&keeper).await;
            clock.later(2 * DAY_S);
        }
        host.remove("/a.json");
        settle(&keeper).await;
        assert_eq!(agent(&service, 0, "").await["file"]["state"], "absent");
        let source = hallmark::registry::file::Source {
            kind: hallmark::registry::file::SourceKind::Web,
            target: host.url("a.json"),
        };
        let mut tx = db.begin_read().await.unwrap();
        let versions = tx.versions(source.id(), 0, 10).await.unwrap();
        let at = |day: u64| UnixSeconds::new(time(20).get() + day * DAY_S).unwrap();
        let seen: Vec<_> = versions
            .iter()
            .map(|v| (v.content.as_ref().map(|(_, body)| body.clone()), v.since, v.checked_at))
            .collect();
        let body = |name: &str| Some(file(0, name).to_string().into_bytes());
        let expected = [
            (body("one"), at(0), at(2)),
            (body("two"), at(4), at(6)),
            (None, at(8), at(8)),
        ];
        assert_eq!(seen, expected);
        drop(tx);
        // Not seen for more than thirty days, what it said counts no more; it is still there to be read.
        clock.move_to(at(0));
        assert_eq!(agent(&service, 0, "").await["file"]["name"], "one");
        clock.move_to(at(7));
        assert_eq!(agent(&service, 0, "").await["file"]["name"], "two");
        clock.move_to(at(100));
        assert_eq!(agent(&service, 0, "").await["file"]["state"], "pending");
    }

    /// A gateway gives blocks, or its word, or wrong blocks.
    async fn ipfs_is_believed_as_far_as_it_proves(db: Database) {
        let (host, clock) = (Host::new().await, Hand::at(time(20)));
        let cid = hex::decode("0a120802120c68656c6c6f20776f726c640a180c").unwrap();
        let archive = |block: &[u8]| {
            // A header of no content, then one section: the identifier in version 0 and the block.
            let digest = hex::decode("46d44814b9c5af141c3aaab7c05dc5e844ead5f91f12858b021eba45768b4c0e");
            let name = [vec![0x12, 0x20], digest.unwrap()].concat();
            let section = [name, block.to_vec()].concat();
            [vec![1, 0xa0], vec![u8::try_from(section.len()).unwrap()], section].concat()
        };
        let path = |path: &str| format!("/ipfs/{path}");
        let blocks = |of: &str| format!("{}?format=car&dag-scope=entity", path(of));
        let mut tale = chain(&db).await;
        let other = "bafkreifzjut3te7nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e";
        register(&mut tale, 0, &format!("ipfs://{HELLO}"));
        register(&mut tale, 1, &format!("ipfs://{HELLO}/agent.json"));
        register(&mut tale, 2, &format!("ipfs://{other}"));
        tale.block().await;
        host.put(&blocks(HELLO), archive(&cid));
        // Wrong blocks, and a file beside them that is not believed either.
        host.put(&blocks(other), archive(b"nonsense"));
        host.put(&path(other), file(2, "Lie").to_string());
        // No blocks, but a file.
        host.put(&blocks(&format!("{HELLO}/agent.json")), "<html>no blocks here</html>");
        host.put(&path(&format!("{HELLO}/agent.json")), file(1, "Word").to_string());
        let (keeper, service) = (keeper(&db, &host, &clock), service(&db, &clock));
        settle(&keeper).await;

        let proven = agent(&service, 0, "").await;
        assert_eq!((&proven["file"]["state"], &proven["file"]["proven"]), (&json!("unreadable"), &json!(true)));
        assert_eq!(proven["file"]["fetching"]["next"], Value::Null, "it can never be another");
        let word = agent(&service, 1, "").await;
        assert_eq!((&word["file"]["name"], &word["file"]["proven"]), (&json!("Word"), &json!(false)));
        assert!(findings(&word).iter().any(|(kind, _)| kind == "file-not-verified"), "{word}");
        let lie = agent(&service, 2, "").await;
        assert_eq!((&lie["file"]["state"], &lie["file"]["name"]), (&json!("failing"), &Value::Null));
        assert!(findings(&lie)[0].1.contains("is missing"), "{lie}");
        // What is proven by its name was so at all times; a gateway's word counts from when it was heard.
        let then = agent(&service, 0, "?at=block:6").await;
        assert_eq!(then["file"]["state"], "unreadable");
        assert_eq!(agent(&service, 1, "?at=block:6").await["file"]["state"], "pending");
    }

    /// A process that dies loses nothing that was committed, and the next one goes on.
    async fn a_restart_goes_on(db: Database) {
        let (host, clock) = (Host::new().await, Hand::at(time(20)));
        let mut tale = chain(&db).await;
        for id in 0..3 {
            host.put_json(&format!("/{id}.json"), &file(id, "x"));
            register(&mut tale, id, &host.url(&format!("{id}.json")));
        }
        metadata(&mut tale, 0, "did", host.did("x").as_bytes());
        tale.block().await;
        settle(&keeper(&db, &host, &clock)).await;
        assert_eq!(host.asked(), 4);
        settle(&keeper(&db, &host, &clock)).await;
        assert_eq!(host.asked(), 4);
        let status = service(&db, &clock).ok("/v1/status").await;
        let files = &status["chains"][0]["files"];
        assert_eq!((&files["sources"], &files["read"], &files["failing"]), (&json!(4), &json!(4), &json!(0)));
        assert_eq!(files["through"], tale.last());
    }
}
