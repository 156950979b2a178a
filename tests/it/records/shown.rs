//! What is shown of records beside what they say: as of which block, and what became of them later.

use hallmark::attest::statement::Scheme;
use serde_json::{Value, json};

use super::{Desk, HEAD, agent, in_game, record, signed, with};
use crate::storage::samples;
use crate::support::databases::on_both_engines;

on_both_engines! {
    async fn every_answer_says_as_of_which_block_it_holds(db: Database) {
        let desk = Desk::open(&db).await;
        let as_of = |log_size: u64| json!({
            "chain": "eip155:8453", "finality": "latest", "log_size": log_size,
            "block": { "number": HEAD, "hash": samples::block(HEAD).hash, "time": samples::time(HEAD).to_string() },
        });
        let said = |block| signed(&record(&agent(7), &agent(8), block), "seven", Scheme::Eip712);
        let taken = desk.take(&said(30)).await;
        assert_eq!(taken["as_of"], as_of(1), "{taken}");
        assert_eq!(desk.post(&said(30)).await.json()["as_of"], as_of(1));
        let digest = taken["digest"].as_str().unwrap();
        assert_eq!(desk.get(digest).await["as_of"], as_of(1));
        let lines = [said(31).to_string(), said(32).to_string()].join("\n");
        let many = desk.post_as("application/x-ndjson", None, lines).await.json();
        assert_eq!((&many["as_of"], &many["items"][0]["attestation"]["as_of"]), (&as_of(3), &Value::Null), "once for all");
        for list in ["/v1/attestations", "/v1/attestations/refused"] {
            assert_eq!(desk.service.ok(list).await["as_of"], as_of(3), "{list}");
        }
        assert_eq!(desk.service.ok("/v1/attestations").await["log_size"], 3);
    }

    async fn where_no_chain_is_followed_there_is_nothing_to_be_as_of(db: Database) {
        let desk = Desk::of(&db);
        let list = desk.service.ok("/v1/attestations").await;
        assert_eq!(list, json!({ "items": [], "next": null, "log_size": 0, "as_of": null }));
    }

    /// An id that stands for two records is a finding of both, whichever came first.
    async fn who_was_first_with_an_id_shows_the_collision_too(db: Database) {
        let desk = Desk::open(&db).await;
        let body = |game| with(in_game(record("games:system", "player-1", 30), game), "id", "0xsame");
        let first = desk.origin(&body("g1")).await.json();
        let told = async |taken: &Value| -> Vec<String> {
            let shown = desk.get(taken["digest"].as_str().unwrap()).await;
            let findings = shown["findings"].as_array().unwrap().iter();
            let claimed = findings.filter(|finding| finding["kind"] == "claimed_id");
            claimed.map(|finding| finding["detail"].as_str().unwrap().to_owned()).collect()
        };
        assert_eq!(told(&first).await, [""; 0]);
        let second = desk.origin(&body("g2")).await.json();
        assert_eq!(told(&first).await, ["its id `0xsame` is also that of record 2"]);
        assert_eq!(told(&second).await, ["its id `0xsame` is also that of record 1"]);
        // Another origin's id, or a signer's own, is another id.
        let own = with(record(&agent(7), &agent(8), 30), "id", "0xsame");
        let own = desk.take(&signed(&own, "seven", Scheme::Eip712)).await;
        assert_eq!(told(&own).await, [""; 0]);
    }
}
