//! Records that others keep: what a real chain says of agents, and what a platform's relay shows.

use std::sync::Arc;

use alloy::primitives::U256;
use hallmark::app::{
    ChainRecords, Clock, Origin, Origins, Records, RelayKeeper, RelayTurn, ServiceKeys, SystemClock,
};
use hallmark::attest::limits::Limits;
use hallmark::did::web::WebHost;
use hallmark::storage::Database;
use hallmark::vocab::UnixSeconds;
use serde_json::{Value, json};

use crate::relay::server::Platform;
use crate::relay::{GAME, PLAYER, PLUGIN, assessment, choice, source};
use crate::support::anvil::{Anvil, account};
use crate::support::databases::on_both_engines;
use crate::support::indexer::Indexer;
use crate::support::registries::Registries;
use crate::support::service::{Service, state};

/// More than finality takes on the test chain.
const DEEP: u64 = 70;

fn records(database: &Database) -> Records {
    records_by(database, Arc::new(SystemClock))
}

fn records_by(database: &Database, clock: Arc<dyn Clock>) -> Records {
    Records {
        database: database.clone(),
        clock,
        host: WebHost::local(8004),
        keys: ServiceKeys::default(),
        foreign: None,
        contracts: None,
        origins: Arc::new(Origins::new([Origin {
            name: source().origin,
            token: None,
            signers: vec![],
            plugins: vec![PLUGIN.to_owned()],
            chain: source().chain,
            limits: Limits::default(),
        }])),
        eas: Arc::default(),
    }
}

async fn list(database: &Database) -> Vec<Value> {
    let service = Service::new(state(database, UnixSeconds::new(4_000_000_000).unwrap()));
    service.ok("/v1/attestations?limit=500").await["items"].as_array().unwrap().clone()
}

async fn take_all(taken: &ChainRecords) {
    while taken.turn().await.unwrap() > 0 {}
}

on_both_engines! {
    /// Feedback is in the log once it is final, by the client's agent at that time; going through it again adds nothing.
    async fn what_the_chain_says_is_taken_once_it_is_final(fresh: Fresh) {
        let anvil = Anvil::spawn().await;
        let registries = Registries::deploy(&anvil).await;
        let (ada, bob, carol) = (account("ada"), account("bob"), account("carol"));
        anvil.send(registries.register(ada.address())).await;
        anvil.send(registries.register(bob.address())).await;
        let (agent, client) = (U256::ZERO, U256::from(1));
        anvil.send(registries.give_feedback(carol.address(), agent, 90, "quality")).await;
        anvil.send(registries.give_feedback(bob.address(), agent, -5, "late")).await;
        let rotated = registries.set_wallet(bob.address(), client, &carol).await;
        anvil.send(rotated).await;
        anvil.send(registries.give_feedback(carol.address(), agent, 70, "quality")).await;
        anvil.send(registries.revoke_feedback(bob.address(), agent, 1)).await;
        let database = fresh.database().await;
        let indexer = Indexer::new(&registries, database.clone());
        indexer.catch_up().await;
        let taken = ChainRecords::new(records(&database));
        take_all(&taken).await;
        assert_eq!(list(&database).await, [] as [Value; 0], "nothing of it is final");
        anvil.mine(DEEP).await;
        indexer.catch_up().await;
        take_all(&taken).await;
        let found = list(&database).await;
        let shown: Vec<_> = found.iter().map(|item| {
            let claim = &item["record"]["attestation"]["claim"];
            let issuer = &item["rekeying"]["issuer"];
            (claim["type"].as_str().unwrap(), issuer["outcome"].as_str().unwrap(), item["rekeying"]["subject"]["outcome"].as_str().unwrap())
        }).collect();
        assert_eq!(shown, [
            ("erc8004.feedback.v1", "none", "agent"),
            ("erc8004.feedback.v1", "agent", "agent"),
            ("erc8004.feedback.v1", "agent", "agent"),
            ("erc8004.feedback_revoked.v1", "none", "agent"),
        ]);
        assert!(found.iter().all(|item| item["source"] == "chain" && item["rekeying"]["subject"]["finality"] == "final"));
        let mut tx = database.begin_write().await.unwrap();
        tx.note_rewrite().await.unwrap();
        tx.heed_rewritings().await.unwrap();
        tx.commit().await.unwrap();
        take_all(&taken).await;
        assert_eq!(list(&database).await.len(), 4);
    }
}

/// A clock that was never set.
#[derive(Debug)]
struct Unset;

impl Clock for Unset {
    fn now(&self) -> UnixSeconds {
        UnixSeconds::new(1_000_000_000).unwrap()
    }
}

on_both_engines! {
    /// The chain's word has the chain's time, on a machine whose clock is years behind too.
    async fn a_wrong_clock_loses_nothing_of_the_chain(fresh: Fresh) {
        let anvil = Anvil::spawn().await;
        let registries = Registries::deploy(&anvil).await;
        anvil.send(registries.register(account("ada").address())).await;
        anvil.send(registries.give_feedback(account("carol").address(), U256::ZERO, 90, "quality")).await;
        anvil.mine(DEEP).await;
        let database = fresh.database().await;
        Indexer::new(&registries, database.clone()).catch_up().await;
        take_all(&ChainRecords::new(records_by(&database, Arc::new(Unset)))).await;
        let found = list(&database).await;
        let said: Vec<_> = found.iter().map(|item| item["record"]["attestation"]["issuedAt"].clone()).collect();
        let known: Vec<_> = found.iter().map(|item| item["said_at"].clone()).collect();
        assert_eq!((found.len(), &known), (1, &said));
        assert!(known[0].as_str().unwrap() > "2020", "{known:?}");
    }
}

on_both_engines! {
    /// A relay's entries of all scopes: what is public is taken, by whom the relay says sent it, once, and across a restart of either.
    async fn what_a_relay_shows_is_taken_once(fresh: Fresh) {
        let database = fresh.database().await;
        let platform = Platform::new().await;
        let keeper = || RelayKeeper::new(records(&database), vec![]);
        let turn = async || keeper().turn(&platform.relay(""), GAME).await.unwrap();
        let (all, team) = (json!({ "kind": "all" }), json!({ "kind": "team", "teamId": "red" }));
        assert_eq!(turn().await, RelayTurn::default());
        let mut of_another = choice(1);
        of_another["subject"] = "77777777-5a7e-4f2e-9a57-1f0c5f3c1f0e".into();
        platform.add("attestation", "system", &all, &of_another);
        platform.add("attestation", "system", &team, &choice(2));
        // A player posts what the platform said a moment ago, and says that it is the platform.
        platform.add("attestation", PLAYER, &all, &of_another);
        platform.add("attestation", PLAYER, &all, &assessment());
        platform.add("attestation", PLAYER, &all, &json!({ "schemaVersion": "attestation/v1" }));
        assert_eq!(turn().await, RelayTurn { appended: 3, held: 0, refused: 1, is_finished: false });
        assert_eq!(turn().await, RelayTurn::default());
        let found = list(&database).await;
        let shown: Vec<_> = found.iter().map(|item| {
            (item["issuer_class"].as_str(), item["rekeying"]["issuer"]["name"].as_str().unwrap(), item["place"].as_str().unwrap())
        }).collect();
        let player = format!("platform:coordination-games:{PLAYER}");
        assert_eq!(shown, [
            (Some("system"), "platform:coordination-games:system", &*format!("relay:{GAME}:0")),
            (None, &*player, &*format!("relay:{GAME}:2")),
            (None, &*player, &*format!("relay:{GAME}:3")),
        ]);
        assert_eq!((&found[0]["digest"], &found[0]["said_by"]), (&found[1]["digest"], &json!("issuer")));
        let service = Service::new(state(&database, UnixSeconds::new(4_000_000_000).unwrap()));
        let digest = found[0]["digest"].as_str().unwrap();
        let full = service.ok(&format!("/v1/attestations/{digest}")).await;
        assert_eq!((&full["seq"], &full["others"][0]["seq"]), (&json!(1), &json!(2)), "the platform's own word goes first");
        let spoofed = service.ok(&format!("/v1/attestations/{digest}?seq=2")).await;
        let kinds: Vec<_> = spoofed["findings"].as_array().unwrap().iter().map(|finding| finding["kind"].as_str().unwrap()).collect();
        assert_eq!(kinds, ["issuer_kind", "issuer"]);
        // The log is begun anew under the same name: its records are those that are held.
        platform.log.lock().unwrap().truncate(1);
        turn().await;
        assert_eq!(turn().await, RelayTurn { appended: 0, held: 1, refused: 0, is_finished: false });
        assert_eq!(list(&database).await.len(), 3);
    }
}
