//! What is derived can be thrown away: folded anew it is the same, row by row, and the same on either engine.

use hallmark::app::rebuild;

use crate::support::anvil::Anvil;
use crate::support::databases::{Fresh, on_both_engines};
use crate::support::dump::{assert_same, dump};
use crate::support::indexer::Indexer;
use crate::support::life::Life;
use crate::support::registries::Registries;

/// A life with upgrades, answers and reorganisations, followed into all databases alike.
async fn live_through(indexers: &[Indexer], registries: &Registries, anvil: &Anvil) {
    let mut life = Life::new(registries, 77, 12).await.with_upgrades().await;
    for depth in [3, 9, 1] {
        life.go_on(40).await;
        for indexer in indexers {
            indexer.catch_up().await;
        }
        anvil.reorg(depth).await;
    }
    for indexer in indexers {
        indexer.catch_up().await;
    }
}

/// How tables begin that following does not fill: of human participants, of files that are fetched, of records and of
/// what is made of them.
const NOT_OF_THE_CHAIN: [&str; 22] = [
    "subject_name",
    "term",
    "posting",
    "plugin",
    "character",
    "participant_change",
    "wallet_challenge",
    "invitation",
    "file_",
    "name",
    "attestation",
    "party",
    "rekeying",
    "rekey_pending",
    "record_progress",
    "round_quota",
    "refused_record",
    "key_sighting",
    "relay_progress",
    "name_link",
    "delegation",
    "dispute",
];

on_both_engines! {
    /// Nothing but the spans is written by a rebuild, and those are what they were; that they were written anew is counted.
    async fn a_rebuild_changes_nothing(fresh: Fresh) {
        let anvil = Anvil::spawn().await;
        let registries = Registries::deploy(&anvil).await;
        let indexer = Indexer::new(&registries, fresh.database().await);
        live_through(std::slice::from_ref(&indexer), &registries, &anvil).await;
        let before = dump(fresh.url()).await;
        let mut told = 0;
        let rebuilt = rebuild(&indexer.database, |_| told += 1).await.unwrap();
        assert_eq!(rebuilt.log_count, before["registry_event"].len());
        assert_eq!(rebuilt.observation_count, before["observation"].len());
        assert!(rebuilt.observation_count > 0 && before["reorg"].len() == 3 && told > 0);
        let after = dump(fresh.url()).await;
        // Beside the spans only the count of rewritings moves, which tells who holds them in memory.
        assert_same(&after, &before, &[], "after a rebuild");
        assert_eq!((&*before["rewriting"], &*after["rewriting"]), (&["count=0 ".to_owned()][..], &["count=1 ".to_owned()][..]));

        // Damage is mended by it.
        fresh.execute("DELETE FROM span WHERE kind <> 'uri'").await;
        rebuild(&indexer.database, |_| ()).await.unwrap();
        assert_same(&dump(fresh.url()).await, &before, &[], "after damage and a rebuild");

        // And following goes on from there.
        anvil.mine(2).await;
        indexer.catch_up().await;
        let head = anvil.head().await;
        indexer.equals_contract(&registries, head - 2..=head).await;
    }
}

/// One chain, followed at once into both engines: the same tables, the diary of reorganisations included.
#[tokio::test]
async fn both_engines_hold_the_same() {
    let sqlite = Fresh::sqlite().await;
    let Some(postgres) = Fresh::postgres().await else { return };
    let anvil = Anvil::spawn().await;
    let registries = Registries::deploy(&anvil).await;
    let first = Indexer::new(&registries, sqlite.database().await);
    let second = first.with_database(postgres.database().await);
    live_through(&[first, second], &registries, &anvil).await;
    let found = dump(sqlite.url()).await;
    // One node that tells the truth gives nothing to find; and some tables hold what does not come from the chain.
    let is_filled = |(table, rows): (&String, &Vec<String>)| {
        let is_of_others = NOT_OF_THE_CHAIN.iter().any(|prefix| table.starts_with(prefix));
        is_of_others || table == "finding" || !rows.is_empty()
    };
    assert!(found.iter().all(is_filled), "an empty table proves little");
    assert_same(&found, &dump(postgres.url()).await, &[], "SQLite beside PostgreSQL");
}
