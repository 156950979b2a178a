//! What was found out about nodes is kept as it was said, and no more of it than a thousand.

use hallmark::vocab::{Finding, FindingKind, UnixSeconds};

use super::samples::binding;
use crate::support::databases::on_both_engines;

fn time(seconds: u64) -> UnixSeconds {
    UnixSeconds::new(seconds).unwrap()
}

on_both_engines! {
    async fn findings_come_back_as_they_were_newest_first(db: Database) {
        let whole = Finding::new(FindingKind::LogsLeftOut, "it left out \u{1f4dc} logs")
            .of_blocks(5, 9)
            .of_provider("https://node.example");
        let bare = Finding::new(FindingKind::AgentsMissing, "\0");
        let mut tx = db.begin_write().await.unwrap();
        tx.insert_finding(&whole, time(7)).await.unwrap();
        tx.insert_finding(&bare, time(6)).await.unwrap();
        tx.commit().await.unwrap();
        let mut tx = db.begin_read().await.unwrap();
        let found = tx.findings(10).await.unwrap();
        let seen: Vec<_> = found.iter().map(|f| (f.seq, &f.finding, f.noted_at.get())).collect();
        assert_eq!(seen, [(2, &bare, 6), (1, &whole, 7)]);
        assert_eq!(tx.findings(1).await.unwrap().len(), 1);
    }

    /// Whoever makes them is hostile: the oldest go, and their numbers are not used again.
    async fn only_a_thousand_are_kept(db: Database) {
        let mut tx = db.begin_write().await.unwrap();
        for n in 0..1_010 {
            let finding = Finding::new(FindingKind::NodesDisagree, &format!("finding {n}"));
            tx.insert_finding(&finding, time(n)).await.unwrap();
        }
        let found = tx.findings(5_000).await.unwrap();
        assert_eq!(found.len(), 1_000);
        assert_eq!((found[0].seq, found[999].seq), (1_010, 11));
        assert_eq!(found[999].finding.detail, "finding 10");
        tx.forget_everything_of(&binding()).await.unwrap();
        assert_eq!(tx.findings(5).await.unwrap(), []);
    }
}
