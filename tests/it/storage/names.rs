//! Names are numbered once, and found by number and by text.

use std::collections::BTreeSet;

use hallmark::vocab::Subject;

use crate::support::databases::on_both_engines;

fn names(count: u64) -> Vec<Subject> {
    (0..count).map(|n| format!("platform:games:player {n} \u{e9}").parse().unwrap()).collect()
}

on_both_engines! {
    async fn a_name_has_one_number(db: Database) {
        let all = names(250);
        let mut tx = db.begin_write().await.unwrap();
        let first = tx.number_names(&all[..120]).await.unwrap();
        assert_eq!((first.len(), first[&all[0]] > 0), (120, true));
        let again = tx.number_names(&all).await.unwrap();
        assert!(first.iter().all(|(name, number)| again[name] == *number));
        let numbers: BTreeSet<_> = again.values().copied().collect();
        assert_eq!(numbers.len(), 250, "no two names share a number");
        let stranger: Subject = "did:web:a.example".parse().unwrap();
        let known = tx.name_numbers(all[3..5].iter().chain([&stranger])).await.unwrap();
        assert_eq!((known.len(), known[&all[4]]), (2, again[&all[4]]));
        let found = tx.names(numbers.iter().copied().chain([9_999])).await.unwrap();
        assert_eq!(found.len(), 250);
        assert!(again.iter().all(|(name, number)| found[number] == **name));
    }
}
