//! What is kept of files is counted, each content once, and told by its moments.

use alloy::primitives::{B256, keccak256};
use hallmark::storage::{FileMoment, NEVER};

use super::files::{fetch, source, time};
use crate::support::databases::on_both_engines;

on_both_engines! {
    /// How much is kept, each content once, and when a source had what, without the contents.
    async fn what_is_kept_is_counted_once_and_told_by_its_moments(db: Database) {
        let (a, b) = (source("a"), source("b"));
        let mut tx = db.begin_write().await.unwrap();
        assert_eq!(tx.stored_bytes().await.unwrap(), 0);
        for of in [&a, &b] {
            tx.want_source(of, time(1), time(1)).await.unwrap();
        }
        for (id, fetch) in [
            (a.id(), fetch(10, Some("one"), time(99))), (b.id(), fetch(11, Some("one"), time(99))),
            (a.id(), fetch(20, None, time(99))), (a.id(), fetch(30, Some("three"), time(99))),
            (a.id(), fetch(35, Some("three"), time(99))), (b.id(), fetch(40, Some("other"), NEVER)),
        ] {
            tx.keep_fetch(id, &fetch).await.unwrap();
        }
        assert_eq!(tx.stored_bytes().await.unwrap(), 13);
        for (text, is_held) in [("one", true), ("three", true), ("two", false)] {
            assert_eq!(tx.holds_content(keccak256(text)).await.unwrap(), is_held, "{text}");
        }
        let moment = |seq, body: Option<&str>, since, checked_at, is_proven| FileMoment {
            seq,
            content: body.map(|body| (keccak256(body), u64::try_from(body.len()).unwrap())),
            since: time(since),
            checked_at: time(checked_at),
            is_proven,
        };
        let of_a = [moment(1, Some("one"), 10, 10, false), moment(3, None, 20, 20, false), moment(4, Some("three"), 30, 35, false)];
        assert_eq!(tx.file_moments(a.id(), time(30), 0, 10).await.unwrap(), of_a);
        assert_eq!(tx.file_moments(a.id(), time(29), 0, 10).await.unwrap(), of_a[..2]);
        assert_eq!(tx.file_moments(a.id(), time(99), 1, 1).await.unwrap(), of_a[1..2]);
        // What its name proves was so before it was seen.
        let proven = moment(5, Some("other"), 40, 40, true);
        assert_eq!(tx.file_moments(b.id(), time(0), 0, 10).await.unwrap(), [proven]);
        assert_eq!(tx.file_moments(B256::ZERO, time(99), 0, 10).await.unwrap(), []);
    }
}
