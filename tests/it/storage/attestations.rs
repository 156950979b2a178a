//! The log: gapless, in order, found by digest, issuer, game, kind of claim and agent.

use hallmark::attest::class::IssuerClass;
use hallmark::attest::envelope::Form;
use hallmark::rekey::{Outcome, Rekeying, Role, Rule};
use hallmark::storage::{
    Database, NewRecord, PartyState, RecordSource, RecordsBy, Tx, claimed_key,
};
use hallmark::vocab::{Digest, Subject, UnixSeconds};

use super::samples::agent;
use crate::support::databases::on_both_engines;

pub(super) fn at(seconds: u64) -> UnixSeconds {
    UnixSeconds::new(1_780_000_000 + seconds).unwrap()
}

pub(super) async fn numbered(tx: &mut Tx, names: &[&str]) -> Vec<u64> {
    let names: Vec<Subject> = names.iter().map(|name| name.parse().unwrap()).collect();
    let numbers = tx.number_names(&names).await.unwrap();
    names.iter().map(|name| numbers[name]).collect()
}

pub(super) fn meaning(id: u64) -> Rekeying {
    let outcome = Outcome::Agent(agent(id));
    Rekeying { outcome, rule: Some(Rule::Wallet), span: None, link: None }
}

/// A record whose text is also its digest's source, by an issuer about a subject.
pub(super) fn record(text: &str, issuer: u64, subject: u64, second: u64) -> NewRecord<'_> {
    NewRecord {
        digest: Digest::of(text.as_bytes()),
        record: text.as_bytes(),
        envelope: None,
        source: RecordSource::Relay,
        place: None,
        issuer,
        subject,
        issuer_class: None,
        spoken_by: None,
        claim_type: "peer.assessment",
        origin: None,
        game: None,
        round: None,
        said_at: at(second),
        is_dated: true,
        received_at: at(100),
        claimed_key: claimed_key(None, text),
        proof: None,
        supersedes: None,
        parties: [(Rekeying::default(), PartyState::Open); 2],
    }
}

on_both_engines! {
    async fn records_stand_in_the_order_in_which_they_came(db: Database) {
        let mut tx = db.begin_durable().await.unwrap();
        assert_eq!(tx.log_size().await.unwrap(), 0);
        let names = numbered(&mut tx, &["did:web:a.example", "did:web:b.example", "platform:games:x"]).await;
        let earlier = Digest::of(b"\"one\"");
        let first = NewRecord {
            envelope: Some((b"\0 raw \xff", Form::Dsse)),
            source: RecordSource::Signed,
            place: Some("relay:g:1"),
            issuer_class: Some(IssuerClass::System),
            origin: Some("games"),
            game: Some("g"),
            round: Some(9_007_199_254_740_991),
            proof: Some("{}".to_owned()),
            ..record("\"one\"", names[0], names[1], 1)
        };
        assert_eq!(tx.append_records(&[first]).await.unwrap(), 1);
        let texts: Vec<_> = (0..250).map(|n| format!("\"{n}\"")).collect();
        let many: Vec<_> = texts.iter().map(|text| NewRecord { claim_type: "other", ..record(text, names[1], names[2], 2) }).collect();
        assert_eq!(tx.append_records(&many).await.unwrap(), 2);
        let last = NewRecord { supersedes: Some(earlier), is_dated: false, spoken_by: Some(names[2]), ..record("\"two\"", names[0], names[1], 3) };
        assert_eq!(tx.append_records(&[last]).await.unwrap(), 252);
        tx.commit().await.unwrap();

        let mut tx = db.begin_read().await.unwrap();
        assert_eq!(tx.log_size().await.unwrap(), 252);
        let stored = tx.record_at(1).await.unwrap().unwrap();
        assert_eq!((stored.seq, stored.digest, stored.record.as_slice()), (1, earlier, b"\"one\"".as_slice()));
        assert_eq!((stored.form, stored.source, stored.place.as_deref()), (Some(Form::Dsse), RecordSource::Signed, Some("relay:g:1")));
        assert_eq!((stored.issuer, stored.subject, stored.issuer_class), (names[0], names[1], Some(IssuerClass::System)));
        assert_eq!((stored.origin.as_deref(), stored.game.as_deref(), stored.round), (Some("games"), Some("g"), Some(9_007_199_254_740_991)));
        assert_eq!((stored.said_at, stored.is_dated, stored.received_at, stored.proof.as_deref()), (at(1), true, at(100), Some("{}")));
        assert_eq!(tx.envelope_of(1).await.unwrap().unwrap(), b"\0 raw \xff");
        assert_eq!((tx.envelope_of(2).await.unwrap(), tx.record_at(253).await.unwrap()), (None, None));
        let seqs = async |tx: &mut Tx, by, after, limit| -> Vec<u64> {
            tx.records_after(by, after, limit).await.unwrap().iter().map(|record| record.seq).collect()
        };
        assert_eq!(seqs(&mut tx, RecordsBy::Seq, 0, 3).await, [1, 2, 3]);
        assert_eq!(seqs(&mut tx, RecordsBy::Seq, 250, 9).await, [251, 252]);
        assert_eq!(seqs(&mut tx, RecordsBy::Issuer(names[0]), 0, 9).await, [1, 252]);
        assert_eq!(seqs(&mut tx, RecordsBy::Game("g"), 0, 9).await, [1]);
        assert_eq!(seqs(&mut tx, RecordsBy::ClaimType("other"), 240, 9).await, (241..250).collect::<Vec<_>>());
        let later = tx.superseding(earlier, names[0]).await.unwrap().unwrap();
        assert_eq!((later.seq, later.is_dated), (252, false));
        assert_eq!(tx.superseding(earlier, names[1]).await.unwrap(), None, "another issuer replaces nothing");
        assert_eq!(tx.records_superseding(&[later.digest, earlier]).await.unwrap(), std::slice::from_ref(&later));
        assert_eq!(tx.record_by(earlier, names[0]).await.unwrap().unwrap().seq, 1);
        assert_eq!(tx.record_by(earlier, names[1]).await.unwrap(), None);
        let records = [stored, later];
        let parties = tx.parties_of(&records).await.unwrap();
        let spoken: Vec<_> = parties.iter().filter_map(|(of, party)| Some((*of, party.spoken_by?))).collect();
        assert_eq!(spoken, [((252, Role::Issuer), names[2])], "an account signs for who says it, and for no subject");
    }

    async fn another_record_with_the_same_id_is_found_from_either(db: Database) {
        let mut tx = db.begin_write().await.unwrap();
        let names = numbered(&mut tx, &["did:web:a.example", "did:web:b.example"]).await;
        let key = claimed_key(Some("games"), "0xsame");
        let mut records: Vec<_> = ["0", "1", "1", "2", "3"].iter().map(|text| NewRecord { claimed_key: key, ..record(text, names[0], names[1], 1) }).collect();
        records[2].issuer = names[1];
        records[3].claimed_key = claimed_key(Some("games"), "0xother");
        records[4].source = RecordSource::Chain;
        assert_eq!(tx.append_records(&records).await.unwrap(), 1);
        for (key, text, expected) in [(key, "0", Some(2)), (key, "1", Some(1)), (key, "9", Some(1)), (claimed_key(Some("games"), "0xother"), "2", None), (claimed_key(None, "0xsame"), "0", None)] {
            let found = tx.sharing_id(key, Digest::of(text.as_bytes())).await.unwrap();
            assert_eq!(found, expected, "{text}");
        }
    }

    async fn a_link_is_found_by_both_its_names(db: Database) {
        let mut tx = db.begin_write().await.unwrap();
        let names = numbered(&mut tx, &["did:web:a.example", "did:web:b.example"]).await;
        let other = record("1", names[0], names[1], 1);
        let link = NewRecord { claim_type: "identity.link", ..record("2", names[0], names[1], 1) };
        tx.append_records(&[other, link]).await.unwrap();
        assert_eq!(tx.linking_record(names[0], names[1]).await.unwrap().unwrap().seq, 2);
        assert_eq!(tx.linking_record(names[1], names[0]).await.unwrap(), None);
    }

    /// Records about an agent are those whose subject was found to be it.
    async fn records_of_agents_are_those_that_are_found(db: Database) {
        let mut tx = db.begin_write().await.unwrap();
        let names = numbered(&mut tx, &["did:web:a.example", "did:web:b.example"]).await;
        let texts: Vec<_> = (0..6).map(|n| n.to_string()).collect();
        let records: Vec<_> = texts.iter().enumerate().map(|(n, text)| {
            let state = [PartyState::Found, PartyState::Settled, PartyState::Open][n % 3];
            NewRecord { parties: [(meaning(7), PartyState::Settled), (meaning(8), state)], ..record(text, names[0], names[1], n as u64) }
        }).collect();
        tx.append_records(&records).await.unwrap();
        let seqs = async |tx: &mut Tx, id, role| -> Vec<u64> {
            tx.records_after(RecordsBy::Agent(agent(id), role), 0, 9).await.unwrap().iter().map(|record| record.seq).collect()
        };
        assert_eq!(seqs(&mut tx, 8, Role::Subject).await, [1, 2, 4, 5], "what is open is no meaning");
        assert_eq!(seqs(&mut tx, 7, Role::Issuer).await, [1, 2, 3, 4, 5, 6]);
        assert_eq!(seqs(&mut tx, 7, Role::Subject).await, [0; 0]);
    }
}

/// For other files: a database with some records.
pub(super) async fn filled(db: &Database, records: &[(&str, u64)]) -> (Tx, Vec<u64>) {
    let mut tx = db.begin_write().await.unwrap();
    let names = numbered(&mut tx, &["did:web:a.example", "did:web:b.example"]).await;
    for (text, second) in records {
        tx.append_records(&[record(text, names[0], names[1], *second)]).await.unwrap();
    }
    (tx, names)
}
