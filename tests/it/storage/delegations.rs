//! Records of delegations: kept byte for byte, found by digest, number, and the grant that they are about.

use hallmark::attest::envelope::Form;
use hallmark::delegation::Kind;
use hallmark::rekey::{Rekeying, Role};
use hallmark::storage::{Database, NewDelegation, PartyState, Tx};
use hallmark::vocab::{BlockRef, Digest};

use super::attestations::{at, meaning, numbered};
use crate::support::databases::on_both_engines;

pub(super) fn digest(of: &str) -> Digest {
    Digest::of(of.as_bytes())
}

/// A record whose text is also its digest's source.
pub(super) fn delegation(
    text: &str,
    kind: Kind,
    of: Option<Digest>,
    issuer: u64,
) -> NewDelegation<'_> {
    NewDelegation {
        digest: digest(text),
        kind,
        record: text.as_bytes(),
        envelope: (b"envelope", Form::Eip712),
        of_grant: of,
        issuer,
        spoken_by: None,
        named: None,
        said_at: at(10),
        received_at: at(20),
        proof: "{}",
        key: None,
        answer: None,
        parties: [(Rekeying::default(), PartyState::Open); 2],
    }
}

async fn opened(db: &Database) -> (Tx, Vec<u64>) {
    let mut tx = db.begin_write().await.unwrap();
    let names =
        numbered(&mut tx, &["did:web:a.example", "did:web:b.example", "did:web:c.example"]).await;
    (tx, names)
}

on_both_engines! {
    async fn records_are_kept_as_they_came(db: Database) {
        let (mut tx, names) = opened(&db).await;
        assert_eq!(tx.delegation_count().await.unwrap(), 0);
        let block = BlockRef { number: 77, hash: digest("block").0 };
        let grant = digest("grant");
        let whole = NewDelegation {
            envelope: (b"\0 raw \xff", Form::VcJwt),
            spoken_by: Some(names[2]),
            named: Some(names[1]),
            proof: r#"{"form":"vc+jwt"}"#,
            key: Some(("z6Mk", at(1), Some(at(9)))),
            answer: Some(("erc1271", block)),
            ..delegation("whole", Kind::Outcome, Some(grant), names[0])
        };
        let open = NewDelegation { key: Some(("z6Mk", at(1), None)), ..delegation("open", Kind::Grant, None, names[0]) };
        assert_eq!(tx.keep_delegations(&[whole, open]).await.unwrap(), 1);
        assert_eq!(tx.keep_delegations(&[delegation("third", Kind::Verdict, Some(grant), names[1])]).await.unwrap(), 3);
        assert_eq!(tx.delegation_count().await.unwrap(), 3);
        let wanted = [digest("whole"), digest("open"), digest("nobody")];
        let mut found = tx.delegations_by_digest(&wanted).await.unwrap();
        assert_eq!(found.len(), 2);
        let whole = found.remove(&digest("whole")).unwrap();
        assert_eq!((whole.number, whole.kind, whole.form, whole.of_grant), (1, Kind::Outcome, Form::VcJwt, Some(grant)));
        assert_eq!((whole.record.as_slice(), whole.envelope.as_slice()), (b"whole".as_slice(), b"\0 raw \xff".as_slice()));
        assert_eq!((whole.issuer, whole.spoken_by, whole.named), (names[0], Some(names[2]), Some(names[1])));
        assert_eq!((whole.said_at, whole.received_at), (at(10), at(20)));
        assert_eq!(whole.proof, r#"{"form":"vc+jwt"}"#);
        assert_eq!(whole.key, Some(("z6Mk".to_owned(), at(1), Some(at(9)))));
        assert_eq!(whole.answer, Some(("erc1271".to_owned(), block)));
        let open = found.remove(&digest("open")).unwrap();
        assert_eq!((open.of_grant, open.spoken_by, open.named, open.answer), (None, None, None, None));
        assert_eq!(open.key, Some(("z6Mk".to_owned(), at(1), None)));
        let numbered = tx.delegations_by_number(&[3, 1, 9]).await.unwrap();
        let mut numbers: Vec<_> = numbered.iter().map(|record| record.number).collect();
        numbers.sort_unstable();
        assert_eq!(numbers, [1, 3]);
        let due = tx.due_parties(at(9_999), 99).await.unwrap();
        let spoken = due.iter().filter_map(|party| Some((party.seq, party.role, party.spoken_by?)));
        assert_eq!(spoken.collect::<Vec<_>>(), [(1, Role::Author, names[2])], "the account is its author's alone");
        assert!(tx.keep_delegations(&[delegation("third", Kind::Verdict, Some(grant), names[1])]).await.is_err(), "once");
    }

    async fn records_are_found_by_the_grant_they_are_about(db: Database) {
        let (mut tx, names) = opened(&db).await;
        let (grant, other) = (digest("grant"), digest("other"));
        let records = [
            delegation("b accepts", Kind::Acceptance, Some(grant), names[1]),
            delegation("a watches", Kind::Interaction, Some(grant), names[0]),
            delegation("b works", Kind::Interaction, Some(grant), names[1]),
            delegation("a watches again", Kind::Interaction, Some(grant), names[0]),
            delegation("elsewhere", Kind::Interaction, Some(other), names[0]),
            delegation("below", Kind::Grant, Some(grant), names[1]),
            delegation("first", Kind::Grant, None, names[0]),
        ];
        tx.keep_delegations(&records).await.unwrap();
        let of = async |tx: &mut Tx, kind, limit| -> Vec<u64> {
            tx.delegations_of_kind(grant, kind, limit).await.unwrap().iter().map(|record| record.number).collect()
        };
        assert_eq!(of(&mut tx, Kind::Interaction, 9).await, [2, 4, 3], "by issuer, then as they came");
        assert_eq!(of(&mut tx, Kind::Interaction, 2).await, [2, 4]);
        assert_eq!(of(&mut tx, Kind::Grant, 9).await, [6]);
        assert_eq!(of(&mut tx, Kind::Verdict, 9).await, [0; 0]);
        let by = tx.delegations_by(grant, Kind::Interaction, names[0], 9).await.unwrap();
        assert_eq!(by.iter().map(|record| record.number).collect::<Vec<_>>(), [2, 4]);
        assert_eq!(tx.delegations_by(grant, Kind::Interaction, names[0], 1).await.unwrap().len(), 1);
        let size = tx.delegation_size_by(grant, Kind::Interaction, names[0]).await.unwrap();
        assert_eq!(size, (2, 2 * b"envelope".len() as u64));
        assert_eq!(tx.delegation_size_by(grant, Kind::Outcome, names[0]).await.unwrap(), (0, 0));
    }

    /// Names of delegations are re-keyed as those of attestations are, in roles of their own.
    async fn names_stand_among_the_parties(db: Database) {
        let (mut tx, names) = opened(&db).await;
        let known = [(meaning(7), PartyState::Settled), (Rekeying::default(), PartyState::Open)];
        let grant = NewDelegation { named: Some(names[1]), parties: known, ..delegation("grant", Kind::Grant, None, names[0]) };
        tx.keep_delegations(&[grant, delegation("verdict", Kind::Verdict, None, names[2])]).await.unwrap();
        let places = [(names[0], at(10), 1, Role::Author), (names[1], at(10), 1, Role::Named), (names[2], at(10), 2, Role::Author), (names[1], at(10), 2, Role::Named)];
        let parties = tx.parties_at(&places).await.unwrap();
        assert_eq!(parties.len(), 3, "a verdict names nobody");
        assert_eq!((parties[&(1, Role::Author)].found, parties[&(1, Role::Author)].state), (meaning(7), PartyState::Settled));
        let due = tx.due_parties(at(99), 9).await.unwrap();
        let mut due: Vec<_> = due.iter().map(|party| (party.seq, party.role)).collect();
        due.sort_unstable();
        assert_eq!(due, [(1, Role::Named), (2, Role::Author)]);
    }
}
