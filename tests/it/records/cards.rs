//! Trust cards: what they show of a record, as of when, and what a game is handed.

use std::time::Duration;

use hallmark::app::{Cards, Poster};
use hallmark::attest::statement::Scheme;
use serde_json::{Value, json};

use super::streams::{Listener, Live};
use super::{Desk, agent, in_game, problem, record, signed, with};
use crate::cli::{Place, Ran};
use crate::delegation::schema::judged_by;
use crate::sandbox::HOSTILE;
use crate::storage::samples;
use crate::support::databases::on_both_engines;
use crate::support::service::Service;

/// A choice in a round of a game, attested by the platform.
fn choice(id: u64, game: &str, round: u64, choice: &str) -> Value {
    let body = record("games:system", &agent(id), 30);
    let body = with(
        body,
        "claim",
        json!({ "type": "oathbreaker.choice", "data": { "choice": choice, "round": round } }),
    );
    let body = with(with(body, "issuerKind", "system"), "id", format!("{game}-{round}-{choice}"));
    in_game(with(body, "round", round), game)
}

impl Desk {
    /// Puts everything that was taken in where cards are counted from.
    async fn count(&self) {
        let poster = Poster::new(self.database.clone());
        while poster.turn().await.unwrap() > 0 {}
    }

    async fn plays(&self, id: u64, game: &str, choices: &str) {
        for (round, word) in (1..).zip(choices.chars()) {
            let body = json!({ "attestation": choice(id, game, round, &word.to_string())["attestation"], "context": { "origin": "games", "game": game } });
            let reply = self.origin(&body).await;
            assert_eq!(reply.status, 201, "{}", reply.text());
        }
    }

    /// The one card of an agent by a projector.
    pub(super) async fn card(&self, id: u64, query: &str) -> Value {
        self.count().await;
        let answer = self.service.ok(&format!("/v1/agents/{id}/cards?{query}")).await;
        assert_eq!(answer["failed"], json!([]), "{query}");
        answer["items"][0].clone()
    }
}

fn caveats(card: &Value) -> String {
    card["caveats"].to_string()
}

on_both_engines! {
    /// The field's own acceptance: an agent without a record, and one that cooperated in 8 of 10 rounds, with two peers and a note.
    async fn a_card_shows_what_the_record_shows(db: Database) {
        let desk = Desk::open(&db).await;
        let nothing = desk.card(8, "projector=oathbreaker").await;
        assert_eq!((&nothing["schemaVersion"], &nothing["agentId"]), (&json!("trust-card/v1"), &json!(agent(8))));
        assert!(nothing.to_string().contains("o history"), "{nothing}");
        assert_eq!((nothing["attestations"].as_u64(), &nothing["evidenceRefs"]), (Some(0), &json!([])));

        desk.plays(7, "g1", "CCCCC").await;
        desk.plays(7, "g2", "CCCDD").await;
        let eight = record(&super::account("eight").to_string(), &agent(7), 40);
        desk.take(&signed(&with(eight, "note", "kept its word to me"), "eight", Scheme::Eip712)).await;
        // By a wallet that two agents share: said by nobody that is known, and counted as a voice of its own.
        let shared = record(&super::account("shared").to_string(), &super::account("seven-new").to_string(), 55);
        desk.take(&signed(&shared, "shared", Scheme::Eip712)).await;
        let card = desk.card(7, "projector=oathbreaker").await;
        let mut shown = card.clone();
        shown["projector"]["digest"] = "of the component".into();
        insta::assert_json_snapshot!("oathbreaker", shown);
        let text = card.to_string();
        assert!(text.contains("80%") && text.contains("2 games"), "{card}");
        assert!(text.contains("kept its word to me"), "{card}");
        assert!(text.contains("reliable"), "{card}");
        // Every pointer leads to a record.
        for signal in card["signals"].as_array().unwrap() {
            for of in signal["evidenceRefs"].as_array().unwrap() {
                assert_eq!(desk.get(of["id"].as_str().unwrap()).await["seq"], of["seq"]);
            }
        }
    }

    /// Readers of either form of the field find theirs, by somebody else's validator; and what a strict one would strike out is ours.
    async fn a_card_is_read_by_the_forms_of_the_field(db: Database) {
        let desk = Desk::open(&db).await;
        desk.plays(7, "g1", "CCD").await;
        let eight = record(&super::account("eight").to_string(), &agent(7), 40);
        desk.take(&signed(&eight, "eight", Scheme::Eip712)).await;
        desk.count().await;
        let answer = desk.service.ok("/v1/agents/7/cards").await;
        let cards = answer["items"].as_array().unwrap();
        assert_eq!(cards.len(), 5);
        let mut values = Vec::new();
        for card in cards {
            values.extend(["#/$defs/trustCardV1", "#/$defs/seed", "#/$defs/card"].map(|of| (of, card.clone())));
        }
        let mut wrong = cards[1].clone();
        wrong["signals"][0]["stance"] = "80% / 2 games".into();
        values.push(("#/$defs/trustCardV1", wrong.clone()));
        values.push(("#/$defs/seed", wrong));
        let judged = judged_by("docs/trust-card.schema.json", &values);
        let (rest, last) = judged.split_last_chunk::<2>().unwrap();
        assert_eq!(rest, vec![None; 15], "{answer}");
        assert!(last[0].is_some() && last[1].is_none(), "a stance in words is the seed's alone: {last:?}");
    }

    /// As of a size of the log, and as of a block: what anyone would have computed then.
    async fn a_card_is_as_of_a_moment(db: Database) {
        let desk = Desk::open(&db).await;
        desk.plays(7, "g1", "CC").await;
        let then = desk.card(7, "projector=oathbreaker").await;
        desk.plays(7, "g2", "DDDD").await;
        let now = desk.card(7, "projector=oathbreaker").await;
        assert_ne!(then["signals"], now["signals"]);
        assert_eq!(desk.card(7, "projector=oathbreaker&as_of_seq=2").await, then);
        assert_eq!(then["as_of"]["log_size"], 2);
        let before = desk.card(7, "projector=oathbreaker&at=block:29").await;
        assert_eq!((before["attestations"].as_u64(), before["as_of"]["block"]["number"].as_u64()), (Some(0), Some(29)));
        assert_eq!(desk.card(7, "projector=oathbreaker&at=block:30").await["attestations"], 6);
        let beyond = desk.service.get("/v1/agents/7/cards?as_of_seq=7").await;
        assert_eq!(problem(&beyond), (409, "not-indexed-yet".to_owned()));
        for (query, parameter) in [("as_of_seq=x", "as_of_seq"), ("projector=none", "projector"), ("game=", "game"), ("att=safe", "att")] {
            let reply = desk.service.problem(&format!("/v1/agents/7/cards?{query}"), 400).await;
            assert_eq!(reply["parameter"], parameter, "{query}");
        }
        assert_eq!(desk.service.get("/v1/agents/9/cards").await.status, 404);

        let history = desk.service.ok("/v1/agents/7/cards/history?projector=oathbreaker&limit=1").await;
        assert_eq!(history["items"].as_array().unwrap().len(), 1);
        assert_eq!(history["items"][0]["cards"][0], then, "after the first game");
        assert_eq!((&history["items"][0]["game"], &history["items"][0]["origin"]), (&json!("g1"), &json!("games")));
        let nothing = desk.service.ok("/v1/agents/7/cards/history?projector=reputation").await;
        assert_eq!(nothing["items"], json!([]), "what a projector does not read changes no card of it");
        let next = format!("/v1/agents/7/cards/history?projector=oathbreaker&limit=1&cursor={}", history["next"].as_str().unwrap());
        let last = desk.service.ok(&next).await;
        assert_eq!((&last["items"][0]["cards"][0], &last["next"]), (&now, &Value::Null));
    }

    /// Whom a wallet meant decides, also when that changes later; what an issuer takes back is not counted.
    async fn a_card_follows_the_agent(db: Database) {
        let desk = Desk::open(&db).await;
        let by_eight = |subject: &str, block| record(&super::account("eight").to_string(), subject, block);
        let old = super::account("seven").to_string();
        let first = desk.take(&signed(&by_eight(&old, 40), "eight", Scheme::Eip712)).await;
        desk.take(&signed(&by_eight(&old, 60), "eight", Scheme::Eip712)).await;
        let card = desk.card(7, "projector=peer-assessment").await;
        assert_eq!(card["attestations"], 1, "the wallet was another's by then");
        let caveats = caveats(&card);
        assert!(caveats.contains("Few issuers"), "{caveats}");
        let taken_back = with(by_eight(&agent(7), 41), "claim", json!({ "type": "peer.assessment", "data": { "tag": "unreliable" } }));
        desk.take(&signed(&with(taken_back, "supersedes", first["digest"].clone()), "eight", Scheme::Eip712)).await;
        let card = desk.card(7, "projector=peer-assessment").await;
        assert_eq!(card["attestations"], 1, "the later one stands in the place of the earlier");
        assert!(card.to_string().contains("unreliable"), "{card}");
        let shared = desk.card(20, "projector=peer-assessment").await;
        assert!(shared["caveats"].to_string().contains("shared"), "{shared}");
        assert!(shared["caveats"].to_string().contains("unproven"), "{shared}");
    }

    /// Nobody but the chain says what the registries say, or a reader would take it for theirs.
    async fn claims_of_the_chain_are_the_chains(db: Database) {
        let desk = Desk::open(&db).await;
        let forged = json!({ "type": "erc8004.feedback.v1", "data": { "value": "100", "valueDecimals": 0 } });
        let body = with(record(&super::account("eight").to_string(), &agent(7), 40), "claim", forged.clone());
        let reply = desk.post(&signed(&body, "eight", Scheme::Eip712)).await;
        assert_eq!(reply.status, 403, "{}", reply.text());
        assert!(reply.text().contains("are read from the chain"), "{}", reply.text());
        let reply = desk.origin(&with(choice(7, "g1", 1, "C"), "claim", forged)).await;
        assert_eq!(reply.status, 403, "{}", reply.text());
        assert_eq!(desk.card(7, "projector=reputation").await["attestations"], 0);
    }

    /// What a game hands to a player: cards in the order of the opponents, the newest records, and how often what was said.
    async fn a_game_is_handed_a_payload(db: Database) {
        let desk = Desk::open(&db).await;
        desk.plays(7, "g1", &"CD".repeat(105)).await;
        desk.plays(8, "g1", "CC").await;
        desk.count().await;
        let body = json!({ "projector": "oathbreaker", "viewer": "20", "opponents": ["8", agent(7), "21"] });
        let reply = desk.service.post("/v1/games/g1/payload", body.to_string()).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        let answer = reply.json();
        let agents: Vec<_> = answer["trustCards"].as_array().unwrap().iter().map(|card| card["agentId"].clone()).collect();
        assert_eq!(agents, [json!(agent(8)), json!(agent(7)), json!(agent(21))]);
        assert_eq!((&answer["trustCards"][0]["game"], &answer["trustCards"][0]["viewer"]), (&json!("g1"), &json!(agent(20))));
        let recent = answer["recentAttestations"].as_array().unwrap();
        assert_eq!(recent.len(), 202, "the newest 200 of each");
        assert_eq!((&recent[0]["agent"], &recent[0]["seq"], &recent[2]["seq"]), (&json!(agent(8)), &json!(212), &json!(210)));
        assert_eq!(recent[0]["record"]["attestation"]["subject"], json!(agent(8)));
        assert_eq!(answer["rollups"][1]["count"], 210);
        assert_eq!(answer["as_of"]["log_size"], 212);
        let stranger = json!({ "projector": "oathbreaker", "opponents": ["8", "9", "8"] });
        let answer = desk.service.post("/v1/games/g1/payload", stranger.to_string()).await.json();
        assert_eq!(answer["trustCards"].as_array().unwrap().len(), 1, "nobody loses a card for another, and nobody has two");
        assert_eq!((&answer["failed"][0]["agent"], &answer["failed"][0]["reason"]), (&json!(agent(9)), &json!("no_such_agent")));
        assert_eq!(answer["trustCards"][0]["viewer"], Value::Null);
        let again = desk.service.post("/v1/games/g1/payload", body.to_string()).await;
        assert_eq!(again.text(), reply.text());
        let refused = |body: Value, field: &'static str| (body, field);
        let many: Vec<_> = (0..101).map(|_| "7").collect();
        for (body, field) in [
            refused(json!({ "projector": "oathbreaker", "viewer": "20", "opponents": many }), "opponents"),
            refused(json!({ "projector": "oathbreaker", "viewer": "20", "opponents": ["7", "x"] }), "opponents[1]"),
            refused(json!({ "projector": "oathbreaker", "viewer": "", "opponents": [] }), "viewer"),
        ] {
            let reply = desk.service.post("/v1/games/g1/payload", body.to_string()).await;
            assert_eq!((reply.status, reply.problem()["field"].as_str().unwrap()), (422, field), "{}", reply.text());
        }
    }

    /// Who makes cards opens its transaction only when it is its turn, so that all other questions find one.
    async fn who_waits_for_a_card_keeps_nobody_else_waiting(db: Database) {
        let desk = Desk::open(&db).await;
        let state = desk.state();
        let service = Service::new(state.clone());
        let mut admitted = Vec::new();
        for _ in 0..db.readers_max() / 3 {
            admitted.push(state.cards.admit().await);
        }
        let mut waiting = Box::pin(service.ok("/v1/agents/7/cards?projector=oathbreaker"));
        let soon = tokio::time::timeout(Duration::from_millis(200), &mut waiting);
        assert!(soon.await.is_err(), "it waits for its turn");
        assert_eq!(db.lent_count(), 0, "and holds no transaction");
        assert_eq!(service.ok("/v1/attestations").await["log_size"], 0);
        admitted.pop();
        assert_eq!(waiting.await["items"].as_array().unwrap().len(), 1);
    }

    /// Cards are pushed when they say something else, and whoever comes back hears what is different since then.
    async fn listeners_hear_of_new_cards(db: Database) {
        let desk = Desk::open(&db).await;
        let live = Live::serve(desk.state()).await;
        let mut now = Listener::open(&live.url, "trust-cards?agent=7&projector=oathbreaker", None).await;
        let (id, data) = now.next().await.unwrap();
        assert_eq!((id, &data["items"][0]["attestations"]), (0, &json!(0)));
        desk.plays(7, "g1", "C").await;
        let (id, data) = now.next().await.unwrap();
        assert_eq!((id, &data["items"][0]["attestations"]), (1, &json!(1)));
        drop(now);
        desk.plays(7, "g2", "D").await;
        let mut back = Listener::open(&live.url, "trust-cards?agent=7&projector=oathbreaker", Some(1)).await;
        let (id, data) = back.next().await.unwrap();
        assert_eq!((id, &data["items"][0]["attestations"]), (2, &json!(2)));
        let mut history = Listener::open(&live.url, "trust-cards.history?agent=7&projector=oathbreaker", None).await;
        let heard = [history.next().await.unwrap(), history.next().await.unwrap()];
        assert_eq!(heard.map(|(id, data)| (id, data["cards"][0]["attestations"].clone())), [(1, json!(1)), (2, json!(2))]);
        for name in ["trust-cards", "trust-cards.history", "attestation.raw"] {
            let beyond = desk.service.get(&format!("/v1/streams/{name}?agent=7&since_seq=9")).await;
            assert_eq!(problem(&beyond), (409, "no-such-place".to_owned()), "{name}");
        }
        for (path, parameter) in [("trust-cards", "agent"), ("trust-cards?agent=7&game=g", "game"), ("attestation.raw?projector=x", "projector")] {
            let reply = desk.service.problem(&format!("/v1/streams/{path}"), 400).await;
            assert_eq!(reply["parameter"], parameter, "{path}");
        }
        live.end().await;
    }

    /// A projector of the operator's stands beside those that ship, and what it does wrong costs its own card.
    async fn what_one_projector_does_wrong_costs_its_own_card(db: Database) {
        let desk = Desk::open(&db).await;
        desk.plays(8, "g1", "C").await;
        desk.plays(7, "g1", "C").await;
        let projectors = Cards::new(db.clone()).projectors;
        let cards = async || {
            desk.count().await;
            desk.service.ok("/v1/agents/7/cards").await
        };
        let before = cards().await;
        let ids = |answer: &Value| answer["items"].as_array().unwrap().iter().map(|card| card["projectorId"].as_str().unwrap().to_owned()).collect::<Vec<_>>();
        assert_eq!(ids(&before), ["liability", "oathbreaker", "peer-assessment", "reputation", "tragedy"]);
        for (does, reason) in [("loop", "fuel"), ("allocate", "memory"), ("megabytes", "output"), ("utf8", "trap"), ("others", "malformed")] {
            let added = projectors.add(HOSTILE, &json!({ "do": does }).to_string(), samples::time(1)).await.unwrap();
            assert_eq!(added.id, "hostile");
            let answer = cards().await;
            assert_eq!(answer["items"], before["items"], "{does}");
            assert_eq!((&answer["failed"][0]["reason"], &answer["failed"][0]["projector"]["id"]), (&json!(reason), &json!("hostile")), "{answer}");
            assert_eq!(answer["failed"][0]["projector"]["digest"], json!(added.digest));
        }
        let refused = projectors.add(HOSTILE, r#"{"do":"refuse"}"#, samples::time(1)).await.unwrap_err();
        assert_eq!(refused.to_string(), "it refused: these parameters make no sense", "said once, and not on each card");
        projectors.add(HOSTILE, r#"{"do":"nothing"}"#, samples::time(1)).await.unwrap();
        assert_eq!(ids(&cards().await), ["hostile", "liability", "oathbreaker", "peer-assessment", "reputation", "tragedy"]);
        let listed = desk.service.ok("/v1/projectors").await;
        assert_eq!((&listed["items"][0]["id"], &listed["items"][0]["parameters"]), (&json!("hostile"), &json!({ "do": "nothing" })));
        assert!(projectors.remove("hostile").await.unwrap());
        assert_eq!(cards().await["items"], before["items"]);
        for parameters in ["[]", "{", &format!("{{\"a\":\"{}\"}}", "x".repeat(70_000))] {
            let refused = projectors.add(HOSTILE, parameters, samples::time(1)).await.unwrap_err();
            assert!(refused.to_string().contains("the parameters are no JSON object"), "{refused}");
        }
    }

    /// Whoever writes a projector tries it on a record, sees what each signal rests on, and installs it.
    async fn a_projector_is_tried_and_installed_on_the_command_line(fresh: Fresh) {
        let db = fresh.database().await;
        let desk = Desk::open(&db).await;
        desk.plays(7, "g1", "CCD").await;
        // A configuration has one first block for all registries.
        fresh.execute("UPDATE registry SET start_block = 5").await;
        let place = Place::new();
        let config = format!(
            "chain = 'custom'\nchain_id = 8453\nstart_block = 5\nidentity_registry = '{}'\nreputation_registry = '{}'\nrpc_url = 'http://127.0.0.1:9'\n",
            samples::IDENTITY,
            samples::REPUTATION
        );
        std::fs::write(place.path().join("hallmark.toml"), config).unwrap();
        std::fs::write(place.path().join("mine.wasm"), HOSTILE).unwrap();
        std::fs::write(place.path().join("broken.wasm"), &HOSTILE[..9_000]).unwrap();
        let run = |args: &[&str]| {
            let mut command = place.command("plugin");
            command.args(args).args(["--database-url", fresh.url()]);
            Ran::from(command.output().unwrap())
        };
        let tried = run(&["run", "oathbreaker", "--agent", "7", "--explain"]);
        assert_eq!((tried.code, tried.stderr.as_str()), (0, ""), "{}", tried.stdout);
        for part in ["Cooperation: 67% / 1 game", "oathbreaker.choice", "by platform:games:system", "Few issuers", "Fuel: ", "of 200000000 instructions"] {
            assert!(tried.stdout.contains(part), "{part}: {}", tried.stdout);
        }
        let json = run(&["run", "oathbreaker", "--agent", "7", "--explain", "--json"]);
        let told: Value = serde_json::from_str(&json.stdout).unwrap();
        assert_eq!((&told["shown"]["attestations"], &told["card"]["attestations"]), (&json!(3), &json!(3)));
        assert!(told["fuel"].as_u64().unwrap() > 1_000);
        let plain = run(&["run", "mine.wasm", "--agent", "7", "--as-of-seq", "2", "--json"]);
        assert_eq!(serde_json::from_str::<Value>(&plain.stdout).unwrap()["signals"][0]["summary"], "2 of them");
        for (args, code, told) in [
            (vec!["run", "mine.wasm", "--agent", "7", "--parameters", r#"{"do":"confidence"}"#], 1, "signals[0].confidence: 1500000 parts per million"),
            (vec!["run", "mine.wasm", "--agent", "7", "--parameters", r#"{"do":"panic"}"#], 1, "the projector `hostile` gave no card"),
            (vec!["run", "mine.wasm", "--agent", "9"], 3, "does not exist"),
            (vec!["run", "mine.wasm", "--agent", "x"], 2, "`x`"),
            (vec!["run", "absent", "--agent", "7"], 2, "neither a file nor a projector"),
            (vec!["add", "broken.wasm"], 3, "broken.wasm: this is no component"),
            (vec!["add", "mine.wasm", "--parameters", "[]"], 2, "no JSON object"),
            (vec!["remove", "hostile"], 3, "no projector `hostile` is installed"),
            (vec!["remove", "tragedy"], 3, "ships with the program"),
        ] {
            let ran = run(&args);
            assert_eq!(ran.code, code, "{args:?}: {}{}", ran.stdout, ran.stderr);
            assert!(ran.stderr.contains(told), "{args:?}: {}", ran.stderr);
        }
        assert!(run(&["add", "mine.wasm"]).stdout.starts_with("hostile 1.0.0 0x"));
        let listed = run(&["list", "--json"]);
        assert_eq!(listed.stdout.lines().count(), 6, "{}", listed.stdout);
        assert_eq!(run(&["remove", "hostile"]).stdout, "removed hostile\n");
    }
}
