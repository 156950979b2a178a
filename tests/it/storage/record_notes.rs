//! What stands beside the log.

use std::collections::BTreeMap;

use hallmark::storage::{RecordFinding, RefusedRecord};
use hallmark::vocab::{Digest, OriginName};

use super::attestations::at;
use super::samples;
use crate::support::databases::on_both_engines;

on_both_engines! {
    async fn findings_are_kept_in_their_order(db: Database) {
        let mut tx = db.begin_write().await.unwrap();
        let finding = |kind: &str, detail: &str| RecordFinding { kind: kind.to_owned(), detail: detail.to_owned() };
        let hostile = "a\0".repeat(1_000);
        tx.note_record_findings(&[(1, vec![finding("b", "one"), finding("a", &hostile)]), (3, vec![])]).await.unwrap();
        let found = tx.record_findings(1, 9).await.unwrap();
        assert_eq!((&found[0], found[1].detail.len()), (&finding("b", "one"), 500));
        assert_eq!((tx.record_findings(1, 1).await.unwrap().len(), tx.record_findings(3, 9).await.unwrap().len()), (1, 0));
    }

    async fn only_the_newest_refusals_are_kept(db: Database) {
        let mut tx = db.begin_write().await.unwrap();
        let refused = |n: usize| RefusedRecord {
            number: 0, received_at: at(1), reason: "note_max".to_owned(), detail: n.to_string(), issuer: None, digest: Some(Digest::of(&n.to_be_bytes())),
        };
        tx.note_refused(&(0..1_003).map(refused).collect::<Vec<_>>()).await.unwrap();
        let newest = tx.refused(None, 2).await.unwrap();
        assert_eq!(newest, [RefusedRecord { number: 1_003, ..refused(1_002) }, RefusedRecord { number: 1_002, ..refused(1_001) }]);
        assert_eq!(tx.refused(Some(5), 9).await.unwrap().len(), 1, "numbers 1 to 3 are forgotten");
    }

    async fn counts_sightings_and_places_are_kept(db: Database) {
        let mut tx = db.begin_write().await.unwrap();
        let keys: Vec<_> = (0..120_u8).map(|n| Digest::of(&[n])).collect();
        tx.set_round_counts(&BTreeMap::from([(keys[0], 1), (keys[119], 3)])).await.unwrap();
        tx.set_round_counts(&BTreeMap::from([(keys[0], 2)])).await.unwrap();
        let counts = tx.round_counts(&keys).await.unwrap();
        assert_eq!(counts.into_iter().collect::<BTreeMap<_, _>>(), BTreeMap::from([(keys[0], 2), (keys[119], 3)]));
        assert_eq!(tx.key_sighting(keys[0]).await.unwrap(), None);
        tx.note_key_sighting(keys[0], at(5)).await.unwrap();
        tx.note_key_sighting(keys[0], at(9)).await.unwrap();
        assert_eq!(tx.key_sighting(keys[0]).await.unwrap(), Some(at(5)));
        assert_eq!(tx.chain_taken().await.unwrap(), None);
        tx.set_chain_taken(samples::at(77, u32::MAX)).await.unwrap();
        assert_eq!(tx.chain_taken().await.unwrap(), Some(samples::at(77, u32::MAX)));
        let games: OriginName = "games".parse().unwrap();
        assert_eq!(tx.relay_progress(&games, "g").await.unwrap(), (0, false));
        tx.set_relay_progress(&games, "g", 7, false).await.unwrap();
        tx.set_relay_progress(&games, "g", 9, true).await.unwrap();
        assert_eq!((tx.relay_progress(&games, "g").await.unwrap(), tx.relay_progress(&games, "h").await.unwrap()), ((9, true), (0, false)));
    }
}
