//! Postings by name, in the order of the log and in rows of bounded size; and the texts that they name by numbers.

use std::collections::BTreeMap;

use hallmark::attest::IssuerClass;
use hallmark::project::{Posting, Thread};
use hallmark::storage::CHUNK;

use super::attestations::at;
use crate::support::databases::on_both_engines;

fn posting(seq: u64) -> Posting {
    Posting {
        seq,
        said_at: at(seq * 2),
        issuer: 3,
        spoken_by: 0,
        thread: Thread { own: seq, replaces: 0 },
        claim: 1,
        words: 2,
        game: 0,
        class: Some(IssuerClass::System),
    }
}

fn seqs(postings: &[Posting]) -> Vec<u64> {
    postings.iter().map(|posting| posting.seq).collect()
}

on_both_engines! {
    async fn postings_of_a_name_are_read_in_the_order_of_the_log(db: Database) {
        let mut tx = db.begin_write().await.unwrap();
        assert_eq!(tx.posted().await.unwrap(), 0);
        let (mut expected, mut last) = (Vec::new(), 0);
        // One by one, some, exactly as many as fit, and more than a row takes.
        for count in [1, 2, CHUNK as u64 - 3, 1, 3 * CHUNK as u64 + 5, 40] {
            let fresh: Vec<_> = (last + 1..=last + count).map(|n| posting(n * 10)).collect();
            last += count;
            expected.extend(fresh.iter().copied());
            let other = vec![posting(last * 10 + 1)];
            tx.post(&BTreeMap::from([(7, fresh), (8, other)]), last * 10 + 1).await.unwrap();
            assert_eq!(tx.posted().await.unwrap(), last * 10 + 1);
            assert_eq!(tx.postings_of(7, 0).await.unwrap(), expected);
        }
        assert_eq!(tx.postings_of(8, 0).await.unwrap().len(), 6);
        assert_eq!(tx.postings_of(9, 0).await.unwrap(), []);
        for after in [0, 9, 10, 1_275, 1_280, 1_285, 2_000, 5_300, last * 10 - 1, last * 10] {
            let rest: Vec<_> = expected.iter().filter(|posting| posting.seq > after).copied().collect();
            assert_eq!(seqs(&tx.postings_of(7, after).await.unwrap()), seqs(&rest), "behind {after}");
        }
    }

    async fn a_text_has_one_number(db: Database) {
        let texts: Vec<String> = (0..250).map(|n| format!("{{\"choice\":\"\u{e9}{n}\"}}")).collect();
        let mut tx = db.begin_write().await.unwrap();
        let first = tx.number_terms(texts[..120].iter().map(String::as_str)).await.unwrap();
        let all = tx.number_terms(texts.iter().map(String::as_str)).await.unwrap();
        assert!(first.iter().all(|(text, number)| all[text] == *number && *number > 0));
        let found = tx.terms(all.values().copied().chain([9_999])).await.unwrap();
        assert_eq!(found.len(), 250, "no two texts share a number");
        assert!(all.iter().all(|(text, number)| found[number] == **text));
    }
}
