//! What a rotated wallet and a reorganisation change: whom names mean, which hops carry weight, and what was said of them.

use serde_json::json;

use super::*;
use crate::support::databases::on_both_engines;

on_both_engines! {
    /// A signature by a wallet that was rotated away before is nobody's word, and one by the wallet of that moment stays what it was.
    async fn a_rotation_touches_no_record_that_was_there_before_it(db: Database) {
        let turned = block_of(START + 150);
        let spans = [
            owning(1, 60, REGISTERED, None), holding(1, 1, REGISTERED, None),
            owning(2, 61, REGISTERED, None), holding(2, 2, REGISTERED, Some(turned)), holding(2, 12, turned, None),
        ];
        let desk = Desk::open(&db, &spans).await;
        let mut tx = db.begin_write().await.unwrap();
        samples::hold(&mut tx, [turned]).await;
        tx.commit().await.unwrap();
        let mut built = Builder::new(2);
        let (granted, last) = built.hire(grant(agent(1), agent(2), Under::Buyer(buyer()), START + 100));
        desk.take_all(&built).await;
        assert_eq!(desk.hop(granted).await["state"], "accepted");
        let watched = interaction(granted, agent(2), last, "later", START + 300);
        let watched = hallmark::delegation::Record::Interaction(Box::new(watched)).typed().unwrap();
        let reply = desk.post(&stated(&watched, 2).to_value().to_string()).await;
        assert_eq!(problem(&reply), (422, "not-verified".to_owned()), "the old wallet speaks no more");
        desk.take(&stated(&watched, 12).to_value().to_string()).await;
        let hop = desk.hop(granted).await;
        assert_eq!((&hop["state"], &hop["interactions"]), (&json!("accepted"), &json!(1)));
        let told = desk.service.ok(&format!("/v1/delegations/{granted}/trace")).await;
        let wallets = told["parties"].as_array().unwrap().iter().find(|party| party["name"] == json!(agent(2))).unwrap();
        assert_eq!(wallets["wallets"].as_array().unwrap().len(), 2, "both spans are told");
    }

    /// The chain is replaced: the wallet by which a child had accepted was never its. The hop no longer carries, and what was said of it is
    /// said anew; when the chain turns back it carries again.
    async fn a_reorganisation_takes_a_hop_and_gives_it_back(db: Database) {
        let near = block_of(START) - 4;
        let spans = [
            owning(1, 60, REGISTERED, None), holding(1, 1, REGISTERED, None),
            owning(2, 61, REGISTERED, None),
        ];
        let desk = Desk::open(&db, &spans).await;
        let set = async |key: u8| {
            let mut tx = db.begin_write().await.unwrap();
            samples::hold(&mut tx, [near, block_of(START), HEAD - 1, HEAD]).await;
            samples::begin(&mut tx, &[holding(2, key, near, None)]).await;
            tx.commit().await.unwrap();
        };
        let undo = async || {
            let mut tx = db.begin_write().await.unwrap();
            tx.revert_to(samples::block(REGISTERED), samples::block(HEAD)).await.unwrap();
            tx.commit().await.unwrap();
        };
        undo().await;
        set(2).await;
        desk.reach(HEAD, REGISTERED).await;
        let mut built = Builder::new(2);
        let (granted, _) = hire(&mut built, grant(agent(1), agent(2), Under::Buyer(buyer()), START + 100), 5, 5);
        let judged = built.sign(verdict(granted, START + 30_000));
        desk.take_all(&built).await;
        assert_eq!(desk.hop(granted).await["state"], "accepted");
        let party = desk.service.ok(&format!("/v1/delegations/{granted}")).await["rekeying"]["named"].clone();
        assert_eq!((&party["agent"], &party["finality"]), (&json!(agent(2)), &json!("safe")));
        assert_eq!(desk.publish().await.attestations, 2);

        undo().await;
        desk.reach(REGISTERED, REGISTERED).await;
        let party = desk.service.ok(&format!("/v1/delegations/{granted}")).await["rekeying"]["named"].clone();
        assert_eq!(party["outcome"], "not_yet");
        set(9).await;
        desk.reach(HEAD, REGISTERED).await;
        desk.rekey().await;
        let hop = desk.hop(granted).await;
        assert_eq!((&hop["state"], &hop["interactions"]), (&json!("claimed_by_parent"), &json!(0)));
        assert!(hop["findings"].as_array().unwrap().iter().any(|one| one["kind"] == "signature"), "{hop}");
        let told = desk.report(judged).await;
        assert_eq!((&told["status"], &told["trace"]["standing"]), (&json!("confirmed"), &json!("invalid")));
        assert_eq!(told["trace"]["reason"]["kind"], "signature");
        assert_eq!(desk.publish().await.attestations, 2, "it is said anew of both");

        undo().await;
        set(2).await;
        desk.reach(HEAD, REGISTERED).await;
        desk.rekey().await;
        let hop = desk.hop(granted).await;
        assert_eq!((&hop["state"], &hop["interactions"], &hop["findings"]), (&json!("accepted"), &json!(3), &json!([])));
        assert_eq!(desk.report(judged).await["trace"]["standing"], "valid");
        assert_eq!(desk.publish().await.attestations, 2);
        assert_eq!(desk.publish().await, Published::default());
    }
}
