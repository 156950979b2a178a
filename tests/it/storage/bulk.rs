//! Rows of every number, so that each length of statement is run; the statements themselves are tested beside their code.

use hallmark::storage::StoredLog;

use super::samples::{agent, at, bound, held, named, raw_log};
use crate::support::databases::on_both_engines;

on_both_engines! {
    /// As many blocks and logs as are handed over are there, each as it was.
    async fn rows_of_every_number_are_written(db: Database) {
        for count in [0, 1, 9, 10, 11, 99, 100, 101, 237, 1_234] {
            let mut tx = bound(&db).await;
            let blocks: Vec<_> = (1..=count).map(held).collect();
            tx.insert_blocks(&blocks).await.unwrap();
            assert_eq!(tx.blocks_above(0).await.unwrap(), blocks);
            let logs: Vec<_> =
                (1..=count).map(|number| raw_log(at(number, 3), number.to_be_bytes())).collect();
            let events: Vec<StoredLog> =
                logs.iter().map(|log| named(log, "Transfer", agent(log.block.number))).collect();
            tx.insert_events(&events).await.unwrap();
            let found = tx.events_in(0, count).await.unwrap();
            assert!(found.iter().map(|event| &event.log).eq(&logs), "{count}");
        }
    }
}
