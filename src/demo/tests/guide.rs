//! What the demo says is true of the recording.

use super::super::guide::{farewell, told, welcome};
use super::{before_reorganisation, opening, shipped};

const SERVICE: &str = "http://127.0.0.1:8004";

#[test]
fn the_welcome_names_real_agents_and_wallets_and_what_will_be_answered() {
    let text = welcome(shipped(), SERVICE);
    let curls: Vec<_> = text.lines().filter(|line| line.trim().starts_with("curl")).collect();
    assert!(curls.len() >= 11, "{text}");
    assert!(curls.iter().all(|line| line.contains(SERVICE)), "{text}");
    for expected in [
        "A recorded chain (eip155:31337)",
        "Blocks 0 to 2,999 are there already, 366 more follow",
        "/v1/agents/3/wallets'",
        "/agents?at=block:899'   # none",
        "/agents?at=block:900'   # agent 3",
        "/agents?at=block:1500'   # none",
        "/agents?at=block:2999'   # several: agents 4, 5",
        "agent 7 is sold in block 1,320",
        "/v1/agents/7?at=block:1319'",
        "/v1/agents/7?at=block:1320'",
        "/v1/wallets/lookup'",
        "/v1/agents/1/feedback'",
        "/v1/status'",
    ] {
        assert!(text.contains(expected), "`{expected}` is not in:\n{text}");
    }
}

#[test]
fn what_the_welcome_promises_of_wallets_is_what_the_contracts_answered() {
    let text = welcome(shipped(), SERVICE);
    let play = opening();
    let mut compared = 0;
    for line in text.lines().filter(|line| line.contains("?at=block:") && line.contains(" # ")) {
        let (request, promised) = line.split_once("   # ").unwrap();
        let (wallet, at) =
            request.split_once("/v1/wallets/").unwrap().1.split_once("/agents?at=block:").unwrap();
        let at: u64 = at.trim_end_matches('\'').parse().unwrap();
        let mut agents = Vec::new();
        for agent in 0..40 {
            let last =
                play.back_from(at).flat_map(|block| &block.agents).find(|a| a.agent == agent);
            if last.is_some_and(|answer| answer.wallet.to_string() == wallet) {
                agents.push(agent.to_string());
            }
        }
        let expected = match agents.as_slice() {
            [] => "none".to_owned(),
            [one] => format!("agent {one}"),
            several => format!("several: agents {}", several.join(", ")),
        };
        assert_eq!(promised, expected, "{line}");
        compared += 1;
    }
    assert_eq!(compared, 4);
}

#[test]
fn every_narrated_moment_is_one_line() {
    let mut play = opening();
    let mut lines = Vec::new();
    while let Some(played) = play.advance() {
        lines.extend(told(shipped(), &played));
    }
    assert!(lines.len() >= 15, "{lines:#?}");
    assert!(lines.iter().all(|line| line.len() < 160 && !line.contains('\n')), "{lines:#?}");
    let has = |start: &str| lines.iter().any(|line| line.starts_with(start));
    assert!(has("block 3,056: agent 1 rotates its wallet: 0x"), "{lines:#?}");
    assert!(has("block 3,100: agent 2 goes from 0x"), "{lines:#?}");
    assert!(has("block 3,122: agent 2 has a wallet again: 0x"), "{lines:#?}");
    assert_eq!(
        farewell(shipped()),
        "the recording ends at block 3,360; everything is still served; stop with Ctrl-C"
    );
}

#[test]
fn a_reorganisation_says_what_never_happened() {
    let mut play = before_reorganisation();
    let lines = told(shipped(), &play.advance().unwrap());
    assert_eq!(lines.len(), 4, "{lines:#?}");
    assert_eq!(lines[0], "block 3,170: reorganisation, 5 blocks undone from block 3,166 on");
    assert!(
        lines[1].starts_with("  never happened: agent 3 rotates its wallet: 0x"),
        "{}",
        lines[1]
    );
    assert!(lines[2].starts_with("  never happened: agent 3 is judged by 0x"), "{}", lines[2]);
    assert!(lines[3].starts_with("block 3,168: agent 3 rotates its wallet: 0x"), "{}", lines[3]);
}
