//! Who carries how much: the report of a dispute, what makes it hypothetical, who is one operator, and the population.

use hallmark::delegation::{Record, Ruling, Skill, Verdict};
use hallmark::tfd;
use hallmark::vocab::Subject;
use serde_json::{Value, json};

use super::*;
use crate::support::databases::on_both_engines;

fn weights(report: &Value) -> Vec<(String, u64)> {
    let players = report["report"]["failures"][0]["players"].as_array().unwrap();
    let of = |player: &Value| {
        (player["player"].as_str().unwrap().to_owned(), player["weight_ppb"].as_u64().unwrap())
    };
    players.iter().map(of).collect()
}

fn agents(numbers: impl IntoIterator<Item = u8>) -> Vec<String> {
    numbers.into_iter().map(|n| agent(n).to_string()).collect()
}

on_both_engines! {
    async fn a_verdict_has_a_report_that_can_be_computed_again(db: Database) {
        let desk = Desk::open(&db, &apart(4)).await;
        let mut built = Builder::new(4);
        let (grants, judged) = chain(&mut built, 3);
        desk.take_all(&built).await;
        let told = desk.report(judged).await;
        assert_eq!((&told["status"], &told["why"], &told["trace"]["standing"]), (&json!("confirmed"), &Value::Null, &json!("valid")));
        assert_eq!((&told["trace"]["missing"], &told["renamed"], &told["control"]), (&Value::Null, &json!([]), &json!([])));
        // The case in the report is all that it takes.
        let case = tfd::read(told["report"]["case"].to_string().as_bytes()).unwrap();
        let again = tfd::report(&case, None).unwrap().canonical().unwrap();
        assert_eq!(json!(Digest::of(again.as_bytes())), told["report_digest"]);
        assert_eq!(case.verdict.as_ref().map(|verdict| verdict.digest), Some(judged));
        assert_eq!(case.failures[0].failed, grants[2].to_string());
        let weights = weights(&told);
        let names: Vec<_> = weights.iter().map(|(name, _)| name.clone()).collect();
        assert_eq!(names, agents(1..=4));
        assert!(weights.is_sorted_by_key(|(_, weight)| *weight) && weights[0].1 > 0 && weights[3].1 == 1_000_000_000);
        let amounts = told["report"]["failures"][0]["players"].as_array().unwrap().iter();
        let amounts: u64 = amounts.map(|player| player["amount"].as_str().unwrap().parse::<u64>().unwrap()).sum();
        assert_eq!(amounts, 120_000_000);
        assert_eq!(told["evidence"].as_array().unwrap().len(), built.document.envelopes.len());
        assert_eq!((&told["published"]["is_current"], &told["published"]["attestations"]), (&json!(false), &json!([])));
        assert_eq!(told["as_of"]["block"]["number"], HEAD);
        // Nothing that another hop says changes it.
        hire(&mut built, grant(agent(3), agent(1), Under::Grant(grants[1]), START + 450), 1, 2);
        for sealed in &built.document.envelopes[built.document.envelopes.len() - 7..] {
            desk.take(&sealed.envelope).await;
        }
        assert_eq!(desk.report(judged).await["report_digest"], told["report_digest"]);
    }

    /// Without a verdict that confirms it a report is hypothetical, and says why.
    async fn what_nobody_confirmed_is_hypothetical(db: Database) {
        let desk = Desk::open(&db, &apart(3)).await;
        let mut built = Builder::new(3);
        let (grants, judged) = chain(&mut built, 2);
        let sealed = built.document.envelopes.pop().unwrap();
        desk.take_all(&built).await;
        let told = desk.report(grants[1]).await;
        assert_eq!((&told["status"], &told["report"]["flags"]), (&json!("hypothetical"), &json!(["hypothetical"])));
        assert!(told["why"].as_str().unwrap().contains("nobody has judged"), "{told}");
        desk.take(&sealed.envelope).await;
        assert_eq!(desk.report(grants[1]).await["status"], "confirmed", "the verdict on it counts");
        assert_eq!(desk.report(grants[0]).await["status"], "hypothetical", "that is another hop");
        assert_eq!(desk.report(judged).await["status"], "confirmed");
        // By a party; dismissed; taken back.
        let mut more = Builder::new(3);
        let by = |issuer: &Subject, ruling, at| Verdict { issuer: issuer.clone(), ruling, ..verdict(grants[1], at) };
        let by_party = more.sign(by(&agent(1), Ruling::Failed, START + 29_000));
        let dismissed = more.sign(Verdict { losses: vec![], ..by(&judge(), Ruling::Dismissed, START + 31_000) });
        desk.take(&more.document.envelopes[0].envelope).await;
        assert_eq!(desk.report(judged).await["status"], "confirmed", "a party's word changes nothing");
        let told = desk.report(by_party).await;
        assert!(told["why"].as_str().unwrap().contains(&agent(1).to_string()), "{told}");
        desk.take(&more.document.envelopes[1].envelope).await;
        for (id, why) in [(judged, "took it back"), (dismissed, "did not fail"), (by_party, "stands in the trace")] {
            let told = desk.report(id).await;
            assert_eq!(told["status"], "hypothetical");
            assert!(told["why"].as_str().unwrap().contains(why), "{}", told["why"]);
        }
        let problem = desk.service.problem(&format!("/v1/disputes/{}/attribution", digest("nothing")), 404).await;
        assert!(problem["type"].as_str().unwrap().ends_with("/no-such-dispute"));
        let accepted = Record::Acceptance(Box::new(acceptance(grants[0], agent(1), agent(2), START + 110)));
        let accepted = accepted.typed().unwrap().digest();
        let problem = desk.service.problem(&format!("/v1/disputes/{accepted}/attribution"), 422).await;
        assert!(problem["detail"].as_str().unwrap().contains("`acceptance`"), "{problem}");
    }

    /// Agents of one owner at a moment of the trace are one operator; the delegation between them vanishes.
    async fn agents_of_one_owner_are_one_player(db: Database) {
        let moment = block_of(START + 150);
        // Agents 2 and 3 share an owner until after the first hops were made; 1 joined them only before and after.
        let spans = [
            owning(1, 77, REGISTERED, Some(REGISTERED + 1)), owning(1, 50, REGISTERED + 1, None), holding(1, 1, REGISTERED, None),
            owning(2, 77, REGISTERED, None), holding(2, 2, REGISTERED, None),
            owning(3, 77, REGISTERED, Some(moment + 100)), owning(3, 51, moment + 100, None), holding(3, 3, REGISTERED, None),
            owning(4, 52, REGISTERED, None), holding(4, 4, REGISTERED, None),
        ];
        let desk = Desk::open(&db, &spans).await;
        let mut tx = db.begin_write().await.unwrap();
        samples::hold(&mut tx, [REGISTERED + 1, moment + 100]).await;
        tx.commit().await.unwrap();
        let mut built = Builder::new(4);
        let (_, judged) = chain(&mut built, 3);
        desk.take_all(&built).await;
        let told = desk.report(judged).await;
        let operators = &told["report"]["case"]["operators"];
        assert_eq!((operators.as_array().unwrap().len(), &operators[0]["agents"]), (1, &json!(agents([2, 3]))));
        assert_eq!(told["report"]["case"]["suspected_operators"], Value::Null);
        let players: Vec<_> = weights(&told).into_iter().map(|(name, _)| name).collect();
        assert_eq!(players, [agent(1).to_string(), agent(4).to_string(), format!("operator:{}", agent(2))]);
        let inner = &told["report"]["edges"][1];
        assert_eq!((&inner["carried_ppb"], inner["flags"].to_string().contains("co_owned")), (&Value::Null, true));
        let evidence = operators[0]["evidence"].as_array().unwrap();
        let shown: Vec<_> = told["control"].as_array().unwrap().iter().map(|one| one["digest"].clone()).collect();
        assert!(!evidence.is_empty() && evidence.iter().all(|digest| shown.contains(digest)));
        assert_eq!(told["control"][0]["held"]["held"], json!([[agent(2), "owner"], [agent(3), "owner"]]));
    }

    /// Names that are wallets are the agents that they were when they signed.
    async fn wallets_are_the_agents_that_they_were(db: Database) {
        let desk = Desk::open(&db, &apart(3)).await;
        let mut built = Builder::new(3);
        let wallet = Subject::Account(account(2));
        let sign = |built: &mut Builder, record: Record, byte| {
            let typed = record.typed().unwrap();
            built.add(stated(&typed, byte).to_value().to_string());
            typed.digest()
        };
        let root = grant(agent(1), wallet.clone(), Under::Buyer(buyer()), START + 100);
        let root = built.sign(root);
        let taken = acceptance(root, agent(1), wallet.clone(), START + 110);
        sign(&mut built, Record::Acceptance(Box::new(taken)), 2);
        let below = grant(wallet.clone(), agent(3), Under::Grant(root), START + 200);
        let below = sign(&mut built, Record::Grant(Box::new(below)), 2);
        built.sign(acceptance(below, wallet.clone(), agent(3), START + 210));
        let judged = built.sign(verdict(below, START + 30_000));
        desk.take_all(&built).await;
        let told = desk.report(judged).await;
        assert_eq!((&told["status"], &told["trace"]["standing"]), (&json!("confirmed"), &json!("valid")));
        let names: Vec<_> = weights(&told).into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, agents(1..=3), "and never by the wallet");
        let renamed = told["renamed"].as_array().unwrap();
        assert_eq!(renamed.len(), 2);
        for one in renamed {
            assert_eq!((&one["name"], &one["agent"], &one["rule"]), (&json!(wallet), &json!(agent(2)), &json!("wallet")));
        }
    }

    /// A published skill accepts nothing, and who published it answers for it; it is nobody's excuse where that is the parent's own hand.
    async fn a_skill_is_played_by_its_publisher(db: Database) {
        let spans = [
            owning(1, 70, REGISTERED, None), holding(1, 1, REGISTERED, None),
            owning(2, 71, REGISTERED, None), holding(2, 2, REGISTERED, None),
            owning(3, 71, REGISTERED, None), holding(3, 3, REGISTERED, None),
        ];
        let desk = Desk::open(&db, &spans).await;
        let mut built = Builder::new(3);
        let (above, _) = hire(&mut built, grant(agent(1), agent(2), Under::Buyer(buyer()), START + 100), 5, 5);
        let mut skilled = grant(agent(2), agent(3), Under::Grant(above), START + 200);
        skilled.child = Child::Skill(Skill { digest: digest("a skill"), publisher: Some(agent(3)) });
        skilled.may_delegate = false;
        skilled.expires_at = time(START + 40_000);
        let below = built.sign(skilled);
        let judged = built.sign(verdict(below, START + 30_000));
        desk.take_all(&built).await;
        assert_eq!(desk.hop(below).await["state"], "accepted", "the grant is enough");
        let told = desk.report(judged).await;
        assert_eq!((&told["status"], &told["trace"]["standing"]), (&json!("confirmed"), &json!("valid")));
        let operator = format!("operator:{}", agent(2));
        let names: Vec<_> = weights(&told).into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, [agent(1).to_string(), operator.clone()], "agents 2 and 3 have one owner");
        assert_eq!(weights(&told)[1], (operator, 1_000_000_000));
    }

    /// What stands above is not there yet: the report says so, and is another one once it is.
    async fn a_missing_grant_is_named(db: Database) {
        let desk = Desk::open(&db, &apart(3)).await;
        let mut built = Builder::new(3);
        let (grants, judged) = chain(&mut built, 2);
        // Without the first hop's own records: two snapshots, grant, acceptance, three interactions.
        for sealed in &built.document.envelopes[7..] {
            desk.take(&sealed.envelope).await;
        }
        let told = desk.report(judged).await;
        assert_eq!((&told["trace"]["missing"], &told["trace"]["reason"]["kind"]), (&json!(grants[0]), &json!("missing")));
        assert_eq!(weights(&told).len(), 2);
        for sealed in &built.document.envelopes[..7] {
            desk.take(&sealed.envelope).await;
        }
        let told = desk.report(judged).await;
        assert_eq!((weights(&told).len(), &told["trace"]["standing"]), (3, &json!("valid")));
    }

    async fn the_population_is_that_of_signed_hops(db: Database) {
        let desk = Desk::open(&db, &apart(4)).await;
        let empty = desk.service.ok("/v1/tfd/population").await;
        assert_eq!((&empty["hops"]["active"], &empty["beta"]["median_ppb"]), (&json!(0), &Value::Null));
        assert_eq!((&empty["scorecard"][0]["value"], &empty["scorecard"][0]["is_met"]), (&Value::Null, &Value::Null));
        let mut built = Builder::new(4);
        let (grants, _) = chain(&mut built, 2);
        // One that only its parent signed, which counts for nothing.
        built.sign(grant(agent(3), agent(4), Under::Grant(grants[1]), START + 300));
        desk.take_all(&built).await;
        let told = desk.service.ok("/v1/tfd/population").await;
        assert_eq!(told["hops"], json!({ "active": 2, "claimed_by_parent": 1, "claimed_by_child": 0 }));
        let beta = &desk.hop(grants[0]).await["beta_ppb"];
        for quantile in ["min_ppb", "p10_ppb", "median_ppb", "p90_ppb", "max_ppb"] {
            assert_eq!(&told["beta"][quantile], beta, "both are alike");
        }
        let bars: Vec<_> = told["beta"]["bars"].as_array().unwrap().iter().map(|bar| bar["count"].as_u64().unwrap()).collect();
        assert_eq!((bars.len(), bars.iter().sum::<u64>()), (10, 2));
        let place = usize::try_from(beta.as_u64().unwrap() / 100_000_000).unwrap();
        assert_eq!(bars[place], 2);
        let card = told["scorecard"].as_array().unwrap();
        let of = |name: &str| card.iter().find(|one| one["measure"] == name).unwrap();
        assert_eq!((&of("median_beta")["value"], &of("median_beta")["target"]), (beta, &json!({ "below": 400_000_000 })));
        assert_eq!(of("delegation_surface")["value"], 500_000_000);
        assert_eq!(of("sub_delegation_uptake")["value"], 500_000_000, "one of two that may, did");
        assert_eq!((&of("dispute_rate")["value"], &of("dispute_rate")["is_met"]), (&json!(500_000_000), &Value::Null));
        assert_eq!(of("specification_density")["is_met"], false);
    }

    /// The experiment over what a service keeps has the betas of the population, and says of which state it is.
    async fn the_experiment_runs_over_what_is_kept(fresh: Fresh) {
        let db = fresh.database().await;
        let place = crate::cli::Place::new();
        let line = format!("tfd experiment --stored --sensitivity --falsification --draws 50 --json --database-url {}", fresh.url());
        let run = || {
            let ran = place.run(&line);
            assert_eq!(ran.code, 0, "{}", ran.stderr);
            serde_json::from_str::<Value>(&ran.stdout).unwrap()["runs"][0].clone()
        };
        let told = run();
        assert_eq!((&told["dataset"]["edges"], &told["beta"]["median_ppb"], &told["sensitivity"]), (&json!(0), &Value::Null, &Value::Null));
        assert_eq!(told["falsification"][0]["outcome"], "not_enough_data");
        let desk = Desk::open(&db, &apart(4)).await;
        let mut built = Builder::new(4);
        let (grants, _) = chain(&mut built, 2);
        built.sign(grant(agent(3), agent(4), Under::Grant(grants[1]), START + 300));
        desk.take_all(&built).await;
        let told = run();
        let dataset = &told["dataset"];
        assert_eq!((&dataset["kind"], &dataset["edges"], &dataset["left_out"]), (&json!("stored"), &json!(2), &json!(1)));
        assert_eq!((&dataset["records"], &dataset["indexed"]["number"]), (&json!(built.document.envelopes.len()), &json!(HEAD)));
        let (beta, told_beta) = (desk.hop(grants[0]).await["beta_ppb"].as_i64().unwrap(), told["beta"]["median_ppb"].as_i64().unwrap());
        assert!((beta - told_beta).abs() <= 2, "{beta} and {told_beta}: inputs of an experiment are rounded");
        assert_eq!((&told["disputes"]["with_verdict"], &told["disputes"]["edges"]), (&json!(1), &json!(2)));
        assert_eq!(told["sensitivity"].as_array().unwrap().len(), 2);
        let both = place.run("tfd experiment --stored case.json");
        assert_eq!(both.code, 2, "{}", both.stderr);
    }
}
