//! What is said of an agent: feedback, responses, validations.

use alloy::primitives::{U256, keccak256};

use super::{Stage, who};
use crate::support::anvil::account;

#[tokio::test]
async fn feedback_is_counted_per_client_and_not_given_to_oneself() {
    let stage = Stage::new().await;
    let registries = &stage.registries;
    let (alice, bob, agent) = (who("alice"), who("bob"), U256::ZERO);
    stage.anvil.send(registries.register(alice)).await;
    let logs = stage.logs_of(registries.give_feedback(bob, agent, -5, "t")).await;
    assert_eq!(logs, ["NewFeedback 0 1 -5 t"]);
    let most = 10_i128.pow(38);
    let logs = stage.logs_of(registries.give_feedback(bob, agent, most, "t")).await;
    assert_eq!(logs, [format!("NewFeedback 0 2 {most} t")]);
    let logs = stage.logs_of(registries.give_feedback(who("carol"), agent, 1, "")).await;
    assert_eq!(logs, ["NewFeedback 0 1 1 "]);
    let logs = stage.logs_of(registries.revoke_feedback(bob, agent, 1)).await;
    assert_eq!(logs, ["FeedbackRevoked 0 1"]);
    for _ in 0..2 {
        let respond = registries.append_response(who("dora"), agent, bob, 1, "u");
        assert_eq!(stage.logs_of(respond).await, ["ResponseAppended 0 1 u"]);
    }

    let own = registries.give_feedback(alice, agent, 1, "");
    assert!(stage.anvil.send_reverting(own).await.contains("Self-feedback"));
    stage.anvil.send(registries.set_operator(alice, bob, true)).await;
    let operators = registries.give_feedback(bob, agent, 1, "");
    assert!(stage.anvil.send_reverting(operators).await.contains("Self-feedback"));
    // The wallet, where it is neither, may.
    let set = registries.set_wallet(alice, agent, &account("carol")).await;
    stage.anvil.send(set).await;
    let logs = stage.logs_of(registries.give_feedback(who("carol"), agent, 2, "")).await;
    assert_eq!(logs, ["NewFeedback 0 2 2 "]);
    let beyond = registries.give_feedback(bob, agent, most + 1, "");
    assert!(stage.anvil.send_reverting(beyond).await.contains("value too large"));
}

#[tokio::test]
async fn a_validation_is_asked_once_and_answered_often() {
    let stage = Stage::new().await;
    let registries = &stage.registries;
    let (alice, bob, agent) = (who("alice"), who("bob"), U256::ZERO);
    let hash = keccak256("request");
    stage.anvil.send(registries.register(alice)).await;
    let ask = registries.request_validation(alice, bob, agent, "u", hash);
    assert_eq!(stage.logs_of(ask.clone()).await, ["ValidationRequest 0 u"]);
    assert!(stage.anvil.send_reverting(ask).await.contains("exists"));
    for response in [0, 100] {
        let answer = registries.respond_validation(bob, hash, response, "", "tag");
        let expected = format!("ValidationResponse 0 {response} tag");
        assert_eq!(stage.logs_of(answer).await, [expected]);
    }
    let stranger = registries.respond_validation(alice, hash, 1, "", "");
    assert!(stage.anvil.send_reverting(stranger).await.contains("not validator"));
}
