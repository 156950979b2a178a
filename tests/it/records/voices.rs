//! Who counts in a card: what was taken back does not, whoever it is about; an owner and its agents are one voice; and nobody's own side
//! gives it weight.

use hallmark::attest::Attestation;
use hallmark::attest::statement::Scheme;
use serde_json::{Value, json};

use super::{Desk, account, agent, record, signed, with};
use crate::support::databases::on_both_engines;

/// An assessment by the account of a name.
fn says(who: &str, subject: &str, block: u64, tag: &str) -> Value {
    let body = record(&account(who).to_string(), subject, block);
    with(body, "claim", json!({ "type": "peer.assessment", "data": { "tag": tag } }))
}

impl Desk {
    async fn hears(&self, who: &str, body: &Value) -> Value {
        self.take(&signed(body, who, Scheme::Eip712)).await
    }
}

on_both_engines! {
    /// By a record about somebody else, or one that came before it.
    async fn what_is_taken_back_counts_nowhere(db: Database) {
        let desk = Desk::open(&db).await;
        let first = desk.hears("eight", &says("eight", &agent(7), 40, "liar")).await;
        let other = with(says("eight", &agent(20), 41, "liar"), "supersedes", first["digest"].clone());
        desk.hears("eight", &other).await;
        let card = desk.card(7, "projector=peer-assessment").await;
        assert_eq!(card["attestations"], 0, "{card}");
        assert_eq!(desk.card(20, "projector=peer-assessment").await["attestations"], 1);
        assert_eq!(desk.card(7, "projector=peer-assessment&as_of_seq=1").await["attestations"], 1, "before it was taken back");

        let original = says("eight", &account("shared").to_string(), 42, "liar");
        let digest = Attestation::from_value(original.clone()).unwrap().digest();
        let better = with(says("eight", &agent(7), 43, "honest"), "supersedes", digest.to_string());
        desk.hears("eight", &better).await;
        desk.hears("eight", &original).await;
        let same = says("eight", &agent(21), 44, "slow");
        let digest = Attestation::from_value(same.clone()).unwrap().digest();
        desk.hears("eight", &with(says("eight", &agent(21), 45, "fast"), "supersedes", digest.to_string())).await;
        desk.hears("eight", &same).await;
        assert_eq!(desk.card(7, "projector=peer-assessment").await["attestations"], 1);
        let card = desk.card(21, "projector=peer-assessment").await;
        assert_eq!((&card["attestations"], &card["evidenceRefs"][0]["seq"]), (&json!(1), &json!(5)), "{card}");

        let body = json!({ "projector": "peer-assessment", "opponents": ["7", "20", "21"] });
        let reply = desk.service.post("/v1/games/g1/payload", body.to_string()).await.json();
        let recent = reply["recentAttestations"].as_array().unwrap();
        let shown: Vec<_> = recent.iter().map(|one| (one["seq"].as_u64().unwrap(), one["is_withdrawn"].as_bool().unwrap())).collect();
        assert_eq!(shown, [(3, false), (1, true), (2, false), (6, true), (5, false)]);
    }

    async fn an_owner_and_its_agents_are_one_voice(db: Database) {
        let desk = Desk::open(&db).await;
        desk.hears("eight", &says("eight", &agent(7), 40, "reliable")).await;
        desk.hears("other", &says("other", &agent(7), 41, "reliable")).await;
        let card = desk.card(7, "projector=peer-assessment").await;
        assert_eq!(card["headline"], "1 voice: 1 for it, 0 against");
        desk.hears("stranger", &says("stranger", &agent(7), 42, "reliable")).await;
        assert_eq!(desk.card(7, "projector=peer-assessment").await["headline"], "2 voices: 2 for it, 0 against");
    }

    async fn nobodys_own_side_gives_it_weight(db: Database) {
        let desk = Desk::open(&db).await;
        desk.hears("eight", &says("eight", &agent(7), 40, "reliable")).await;
        let weighed = async |desk: &Desk| desk.card(7, "projector=peer-assessment").await["summary"].to_string();
        assert!(weighed(&desk).await.contains("0 with a record of their own"));
        desk.hears("other", &says("other", &agent(8), 41, "honest")).await;
        let gone = desk.hears("stranger", &says("stranger", &agent(8), 42, "honest")).await;
        desk.hears("stranger", &with(says("stranger", &agent(7), 43, "fair"), "supersedes", gone["digest"].clone())).await;
        assert!(weighed(&desk).await.contains("0 with a record of their own"), "its owner, and what was taken back");
        desk.hears("owner", &says("owner", &agent(8), 44, "honest")).await;
        assert!(weighed(&desk).await.contains("1 with a record of their own"));
    }

    /// An agent of which everything is dated later than the block has no history, and the card says that there is more.
    async fn what_is_dated_later_is_told_of(db: Database) {
        let desk = Desk::open(&db).await;
        desk.hears("eight", &says("eight", &agent(7), 40, "reliable")).await;
        let card = desk.card(7, "projector=peer-assessment&at=block:39").await;
        assert_eq!(card["attestations"], 0);
        assert!(card["caveats"].to_string().contains("1 more attestation is dated later than block 39"), "{card}");
    }
}
