//! Hops: written anew, found by what they name, and counted all together.

use hallmark::delegation::HopState;
use hallmark::storage::{EdgeTotals, StoredEdge, StoredHopFinding};
use hallmark::vocab::{Digest, Ppb};

use super::delegations::digest;
use crate::support::databases::on_both_engines;

fn edge(name: &str, state: HopState, beta: u32) -> StoredEdge {
    StoredEdge {
        hop: digest(name),
        state,
        above: None,
        parent: 1,
        child: Some(2),
        may_delegate: false,
        has_below: false,
        is_disputed: false,
        chars: 100,
        capability_ppm: [None; 2],
        interactions: 3,
        beta: Ppb::new(beta),
        snapshots: [None; 2],
    }
}

on_both_engines! {
    async fn a_hop_is_what_was_written_last(db: Database) {
        let mut tx = db.begin_write().await.unwrap();
        let one = StoredEdge {
            above: Some(digest("above")),
            may_delegate: true,
            is_disputed: true,
            capability_ppm: [Some(500_000), Some(900_000)],
            snapshots: [Some(digest("of parent")), Some(digest("of child"))],
            ..edge("one", HopState::Accepted, 250_000_000)
        };
        tx.set_edges(&[edge("one", HopState::ClaimedByParent, 0)]).await.unwrap();
        tx.set_edges(std::slice::from_ref(&one)).await.unwrap();
        assert_eq!(tx.edge(digest("one")).await.unwrap(), Some(one.clone()));
        assert_eq!(one.inputs().capability_ppm, Some((500_000, 900_000)));
        let skill = StoredEdge { child: None, ..edge("skill", HopState::ClaimedByChild, 0) };
        tx.set_edges(std::slice::from_ref(&skill)).await.unwrap();
        assert_eq!((tx.edge(digest("skill")).await.unwrap(), skill.inputs().capability_ppm), (Some(skill.clone()), None));
        for snapshot in ["of parent", "of child"] {
            assert_eq!(tx.edges_of_snapshot(digest(snapshot), 9).await.unwrap(), [digest("one")]);
        }
        assert_eq!(tx.edges_of_snapshot(digest("nobody's"), 9).await.unwrap(), []);
        let finding = |kind: &str| StoredHopFinding { record: Some(digest("one")), kind: kind.to_owned(), detail: "why".to_owned() };
        tx.set_hop_findings(digest("one"), &[finding("widens"), StoredHopFinding { record: None, ..finding("order") }]).await.unwrap();
        tx.set_hop_findings(digest("one"), &[finding("stranger"), finding("widens")]).await.unwrap();
        assert_eq!(tx.hop_findings(digest("one"), 9).await.unwrap(), [finding("stranger"), finding("widens")]);
        assert_eq!(tx.hop_findings(digest("one"), 1).await.unwrap(), [finding("stranger")]);
        tx.remove_edge(digest("one")).await.unwrap();
        assert_eq!((tx.edge(digest("one")).await.unwrap(), tx.hop_findings(digest("one"), 9).await.unwrap()), (None, vec![]));
    }

    /// A hop knows whether a signed one stands below it, whichever of the two came first.
    async fn a_hop_below_is_known_above(db: Database) {
        let mut tx = db.begin_write().await.unwrap();
        let above = StoredEdge { may_delegate: true, ..edge("above", HopState::Accepted, 1) };
        let below = |state| StoredEdge { above: Some(digest("above")), ..edge("below", state, 2) };
        let has_below = async |tx: &mut hallmark::storage::Tx| tx.edge(digest("above")).await.unwrap().unwrap().has_below;
        tx.set_edges(&[below(HopState::Accepted)]).await.unwrap();
        tx.set_edges(std::slice::from_ref(&above)).await.unwrap();
        assert!(has_below(&mut tx).await, "the child's came first");
        tx.set_edges(&[below(HopState::ClaimedByParent)]).await.unwrap();
        assert!(!has_below(&mut tx).await);
        tx.set_edges(&[below(HopState::Accepted)]).await.unwrap();
        assert!(has_below(&mut tx).await);
    }

    async fn all_hops_are_counted_from_one_index(db: Database) {
        let mut tx = db.begin_write().await.unwrap();
        assert_eq!(tx.beta_at(0).await.unwrap(), None);
        let mut edges: Vec<_> = (0..250_u32).map(|n| edge(&n.to_string(), HopState::Accepted, n * 4_000_000)).collect();
        edges.push(StoredEdge {
            above: Some(digest("1")),
            may_delegate: true,
            is_disputed: true,
            ..edge("whole", HopState::Accepted, 1_000_000_000)
        });
        edges.push(StoredEdge { chars: 7, ..edge("claimed", HopState::ClaimedByParent, 500_000_000) });
        edges.push(StoredEdge { above: Some(digest("whole")), ..edge("under", HopState::Accepted, 0) });
        tx.set_edges(&edges).await.unwrap();
        let totals = tx.edge_totals().await.unwrap();
        let expected = EdgeTotals { hops: 252, chars: 25_200, subs: 2, may_delegate: 1, delegated: 1, disputed: 1 };
        assert_eq!(totals["accepted"], expected);
        assert_eq!((totals["claimed_by_parent"].hops, totals["claimed_by_parent"].chars, totals["claimed_by_child"].hops), (1, 7, 0));
        let within = async |tx: &mut hallmark::storage::Tx, from, below| tx.edges_within(Ppb::new(from), Ppb::new(below)).await.unwrap();
        assert_eq!(within(&mut tx, 0, 100_000_000).await, 26);
        assert_eq!(within(&mut tx, 100_000_000, 1_000_000_000).await, 225, "the upper end is not within");
        assert_eq!(within(&mut tx, 900_000_000, 1_000_000_001).await, 26);
        assert_eq!(tx.beta_at(0).await.unwrap(), Some(Ppb::ZERO));
        assert_eq!(tx.beta_at(3).await.unwrap(), Some(Ppb::new(8_000_000)));
        assert_eq!((tx.beta_at(251).await.unwrap(), tx.beta_at(252).await.unwrap()), (Some(Ppb::ONE), None));
        let mut after: Option<Digest> = None;
        let mut seen = 0;
        loop {
            let page = tx.edges_after(after, 100).await.unwrap();
            seen += page.len();
            match page.last() {
                Some(last) => after = Some(last.hop),
                None => break,
            }
        }
        assert_eq!(seen, 253);
    }
}
