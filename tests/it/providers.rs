//! Several nodes as one source: whatever one of them does, following ends with the chain's own logs, and what was wrong is known.

use std::sync::Arc;
use std::time::Duration;

use hallmark::app::{Followed, Following, Ingest};
use hallmark::chain::retry::BackoffOptions;
use hallmark::chain::{
    BlockTag, ChainError, ChainSource, Follower, FollowerOptions, Provider, ProviderReport,
    Providers, ProvidersOptions, Resume, Role, State,
};
use hallmark::registry::KnownImplementations;
use hallmark::storage::{Binding, Database, Registry};
use hallmark::vocab::{ChainId, Finding, FindingKind, RawLog, RegistryKind, RegistryRef};
use tokio::sync::Notify;

use crate::support::databases::on_both_engines;
use crate::support::liar::{Batchless, Liar, Lie};
use crate::support::scripted::{REGISTRY, ScriptedChain, filter};

const CHAIN: ChainId = ChainId(31_337);
/// Blocks of the chain that all nodes are of; each holds one log on average.
const LENGTH: usize = 4_001;

fn chain() -> Arc<ScriptedChain> {
    let chain = ScriptedChain::new(LENGTH, 1);
    chain.finalize(3_900);
    Arc::new(chain)
}

fn list(nodes: &[(&Liar, Role)]) -> Providers<Liar> {
    list_with(
        nodes,
        ProvidersOptions { look_every: Duration::ZERO, ..ProvidersOptions::new(CHAIN) },
    )
}

fn list_with(nodes: &[(&Liar, Role)], options: ProvidersOptions) -> Providers<Liar> {
    let provider = |(index, (node, role)): (usize, &(&Liar, Role))| Provider {
        source: (*node).clone(),
        name: format!("https://node{index}.example"),
        role: *role,
    };
    Providers::new(nodes.iter().enumerate().map(provider).collect(), options)
}

/// Follows to the head in ranges of so many blocks, and returns all logs that came.
async fn follow(source: &Arc<Providers<Liar>>, chain: &ScriptedChain, range: u64) -> Vec<RawLog> {
    let options = FollowerOptions {
        range_max: range,
        recent: 50,
        backoff: BackoffOptions {
            base: Duration::from_micros(10),
            max: Duration::from_micros(100),
            ..BackoffOptions::default()
        },
        recheck_delay: Duration::from_micros(10),
        ..FollowerOptions::new(CHAIN, 1)
    };
    let resume = Resume::default();
    let mut follower = Follower::new(Arc::clone(source), filter(), options, resume);
    let mut logs = Vec::new();
    let head = chain.head().block;
    loop {
        let step = tokio::time::timeout(Duration::from_secs(30), follower.next()).await;
        let step = step.expect("following goes on").unwrap();
        let Some(stretch) = step.extend else { continue };
        logs.extend(stretch.logs);
        if stretch.through.block == head {
            return logs;
        }
    }
}

fn states(source: &Providers<Liar>) -> Vec<State> {
    source.report().iter().map(|report| report.state).collect()
}

fn report(source: &Providers<Liar>, index: usize) -> ProviderReport {
    source.report().swap_remove(index)
}

fn kinds(findings: &[Finding]) -> Vec<(FindingKind, Option<&str>)> {
    findings.iter().map(|finding| (finding.kind, finding.provider.as_deref())).collect()
}

/// The node that is preferred lies, another one does not.
async fn liar_is_found(lie: Lie, range: u64, kind: FindingKind) {
    let chain = chain();
    let (liar, honest) = (Liar::new(&chain, lie.clone()), Liar::honest(&chain));
    let source = Arc::new(list(&[(&liar, Role::Both), (&honest, Role::Both)]));
    let logs = follow(&source, &chain, range).await;
    assert_eq!(logs, chain.logs_from(1), "{lie:?}");
    assert_eq!(states(&source), [State::Benched, State::Healthy], "{lie:?}");
    let found = source.take_findings();
    assert!(!found.is_empty(), "{lie:?}");
    for (found, provider) in kinds(&found) {
        assert_eq!((found, provider), (kind, Some("https://node0.example")), "{lie:?}");
    }
    assert!(report(&source, 0).disagreements > 0);
    assert_eq!(report(&source, 1).disagreements, 0, "{lie:?}");
    assert!(source.take_findings().is_empty(), "they are taken once");
}

#[tokio::test]
async fn a_node_that_leaves_out_a_whole_range_is_found_and_benched() {
    let lie = Lie { omits: Some(2_001..=2_400), ..Lie::default() };
    liar_is_found(lie.clone(), 100, FindingKind::LogsLeftOut).await;
    // It says the same when it is asked by hash: then the bloom decides.
    liar_is_found(Lie { omits_by_hash: true, ..lie }, 100, FindingKind::LogsLeftOut).await;
}

#[tokio::test]
async fn a_node_that_cuts_answers_off_is_found_by_their_round_number() {
    let lie = Lie { cut_at: Some(1_000), ..Lie::default() };
    liar_is_found(lie, 1_500, FindingKind::LogsLeftOut).await;
}

#[tokio::test]
async fn two_nodes_that_cut_off_at_the_same_number_do_not_confirm_each_other() {
    let chain = chain();
    let lie = Lie { cut_at: Some(1_000), ..Lie::default() };
    let (first, second) = (Liar::new(&chain, lie.clone()), Liar::new(&chain, lie));
    let source = Arc::new(list(&[(&first, Role::Both), (&second, Role::Both)]));
    assert_eq!(follow(&source, &chain, 1_500).await, chain.logs_from(1));
    assert!(states(&source).contains(&State::Benched));
}

/// One block here and there looks like nothing: only a sampled range shows it, so it is left out everywhere.
#[tokio::test]
async fn a_node_that_makes_logs_up_is_found_by_the_sample() {
    let chain = chain();
    let liar = Liar::new(&chain, Lie { invents: true, ..Lie::default() });
    let honest = Liar::honest(&chain);
    let source = Arc::new(list(&[(&liar, Role::Both), (&honest, Role::Both)]));
    follow(&source, &chain, 20).await;
    assert_eq!(states(&source), [State::Benched, State::Healthy]);
    let found = source.take_findings();
    assert_eq!(kinds(&found)[0], (FindingKind::LogsInvented, Some("https://node0.example")));
}

#[tokio::test]
async fn one_block_left_out_of_a_compared_range_is_put_back() {
    let chain = chain();
    let with_logs = chain.logs_from(100)[0].block.number;
    for seed in 0..64 {
        let lie = Lie { omits: Some(with_logs..=with_logs), ..Lie::default() };
        let (liar, honest) = (Liar::new(&chain, lie), Liar::honest(&chain));
        let options = ProvidersOptions { seed, ..ProvidersOptions::new(CHAIN) };
        let source = list_with(&[(&liar, Role::Follow), (&honest, Role::Check)], options);
        let answer = source.logs_in(&filter(), 51..=150).await.unwrap();
        if honest.take_ranges().is_empty() {
            continue;
        }
        let expected: Vec<_> = chain.logs_from(51);
        let expected: Vec<_> =
            expected.into_iter().take_while(|log| log.block.number <= 150).collect();
        assert_eq!(answer.logs, expected);
        let found = source.take_findings();
        assert_eq!(kinds(&found), [(FindingKind::LogsLeftOut, Some("https://node0.example"))]);
        assert_eq!(found[0].blocks, Some((51, 150)));
        return;
    }
    panic!("no seed of 64 has this range in its sample");
}

/// A node without batches is read block by block, and of each block it leaves a log out: the first block of the sample that has two
/// shows it, and from there on the other node is read.
#[tokio::test]
async fn a_node_that_is_read_block_by_block_is_found_by_the_sample() {
    let chain = chain();
    let lie = |batchless| Lie { batchless: Some(batchless), ..Lie::default() };
    let (liar, honest) = (Liar::new(&chain, lie(Batchless::OmitsLast)), Liar::honest(&chain));
    let source = Arc::new(list(&[(&liar, Role::Both), (&honest, Role::Both)]));
    let logs = follow(&source, &chain, 100).await;
    assert_eq!(states(&source), [State::Benched, State::Healthy]);
    let found = source.take_findings();
    assert_eq!(kinds(&found), [(FindingKind::LogsLeftOut, Some("https://node0.example"))]);
    let (from, to) = found[0].blocks.unwrap();
    assert!(from == to && from < 1_000, "{from} to {to}");
    // What was asked beside that block had been answered already.
    let later = from + 128;
    let rest = logs.into_iter().filter(|log| log.block.number >= later);
    assert_eq!(rest.collect::<Vec<_>>(), chain.logs_from(later));

    let honest_too = Liar::new(&chain, lie(Batchless::Honest));
    let source = Arc::new(list(&[(&honest_too, Role::Both), (&honest, Role::Both)]));
    assert_eq!(follow(&source, &chain, 100).await, chain.logs_from(1));
    assert_eq!((states(&source), source.take_findings()), (vec![State::Healthy; 2], vec![]));
    let compared = report(&source, 1).requests;
    assert!((100..600).contains(&compared), "{compared} of 3,900 blocks are few");
}

/// An honest backfill asks the other node for about one range in sixteen, and finds nothing.
#[tokio::test]
async fn honest_nodes_are_compared_sparsely_and_agree() {
    let chain = chain();
    let (first, second) = (Liar::honest(&chain), Liar::honest(&chain));
    let source = Arc::new(list(&[(&first, Role::Both), (&second, Role::Both)]));
    assert_eq!(follow(&source, &chain, 10).await, chain.logs_from(1));
    assert_eq!(states(&source), [State::Healthy, State::Healthy]);
    assert_eq!(source.take_findings(), []);
    let (asked, compared) = (first.take_ranges().len(), second.take_ranges().len());
    assert!((380..=400).contains(&asked), "{asked}");
    assert!((asked / 40..=asked / 10).contains(&compared), "{compared} of {asked}");
}

#[tokio::test]
async fn roles_are_kept() {
    let chain = chain();
    let lie = Lie { omits: Some(2_001..=2_400), ..Lie::default() };
    let (followed, blind) = (Liar::new(&chain, lie), Liar::honest(&chain));
    let check = Liar::honest(&chain);
    let nodes = [(&followed, Role::Both), (&blind, Role::Follow), (&check, Role::Check)];
    let source = Arc::new(list(&nodes));
    let first = source.logs_in(&filter(), 1_901..=2_000).await.unwrap();
    assert!(!first.logs.is_empty());
    blind.take_ranges();
    check.take_ranges();
    source.logs_in(&filter(), 2_001..=2_100).await.unwrap();
    assert_eq!(blind.take_ranges(), [], "it compares nothing");
    assert!(!check.take_ranges().is_empty());
    // The one that is benched was the preferred one; the one that only checks is not followed instead.
    source.logs_in(&filter(), 2_101..=2_200).await.unwrap();
    assert!(blind.take_ranges().contains(&(2_101, 2_200)));
}

#[tokio::test]
async fn a_node_that_fails_is_left_alone_and_asked_again_when_it_is_well() {
    let chain = chain();
    let (first, second) = (Liar::honest(&chain), Liar::honest(&chain));
    let source = list(&[(&first, Role::Both), (&second, Role::Both)]);
    assert_eq!(source.chain_id().await.unwrap(), CHAIN);
    first.set(Lie { fails: true, ..Lie::default() });
    for n in 0..10 {
        assert!(source.header(BlockTag::Number(n)).await.unwrap().is_some());
    }
    let failing = report(&source, 0);
    assert_eq!((failing.state, failing.failures), (State::Troubled, 3), "then it is left alone");
    assert!(failing.last_error.unwrap().contains("it was told to fail"));
    let head = source.tags().await.unwrap().head;
    assert_eq!(report(&source, 1).head, Some(head.block.number));
    first.set(Lie::default());
    let well = async {
        while report(&source, 0).state != State::Healthy {
            source.tags().await.unwrap();
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), well).await.expect("it is tried again");
    let before = report(&source, 0).requests;
    source.tags().await.unwrap();
    assert_eq!(report(&source, 0).requests, before + 1, "and preferred again");
}

#[tokio::test]
async fn a_node_that_wants_to_be_left_alone_is() {
    let chain = chain();
    let wish = Duration::from_secs(200);
    let busy = Lie { fails: true, retry_after: Some(wish), ..Lie::default() };
    let (first, second) = (Liar::honest(&chain), Liar::honest(&chain));
    let source = list(&[(&first, Role::Both), (&second, Role::Both)]);
    source.chain_id().await.unwrap();
    first.set(busy.clone());
    for _ in 0..5 {
        source.tags().await.unwrap();
    }
    let report = report(&source, 0);
    assert_eq!((report.state, report.failures), (State::Troubled, 1));
    assert!(report.pause.unwrap() > wish / 2);
    second.set(busy);
    source.tags().await.unwrap_err();
    let before = source.report();
    let error = source.tags().await.unwrap_err();
    assert!(error.is_transient() && error.retry_after().unwrap() > wish / 2, "{error:?}");
    let requests = |reports: &[ProviderReport]| -> u64 { reports.iter().map(|r| r.requests).sum() };
    assert_eq!(requests(&source.report()), requests(&before), "nobody was asked");
}

#[tokio::test]
async fn a_node_that_is_behind_is_left_alone() {
    let chain = chain();
    let stale = Liar::new(&chain, Lie { head: Some(3_000), ..Lie::default() });
    let fresh = Liar::honest(&chain);
    let source = Arc::new(list(&[(&stale, Role::Both), (&fresh, Role::Both)]));
    assert_eq!(source.chain_id().await.unwrap(), CHAIN);
    assert_eq!(source.tags().await.unwrap().head.block.number, 3_000, "nothing else is known yet");
    source.wait_for_head().await;
    source.tags().await.unwrap();
    assert_eq!(source.tags().await.unwrap().head, chain.head());
    let behind = report(&source, 0);
    assert_eq!(behind.state, State::Troubled);
    assert!(behind.reason.unwrap().contains("its head is block 3000, 2000 s behind block 4000"));
    assert_eq!(follow(&source, &chain, 500).await, chain.logs_from(1));
}

#[tokio::test]
async fn where_all_are_benched_the_least_bad_is_followed() {
    let chain = chain();
    let lie = |omits| Lie { omits: Some(omits), ..Lie::default() };
    let first = Liar::new(&chain, lie(501..=700));
    let second = Liar::new(&chain, lie(1_501..=1_700));
    let source = Arc::new(list(&[(&first, Role::Both), (&second, Role::Both)]));
    let logs = follow(&source, &chain, 100).await;
    assert_eq!(source.report().len(), 2);
    assert!(states(&source).contains(&State::Benched));
    // By the time of the second lie nobody else is left to compare with; the halves and blooms of the node itself show it.
    assert!(logs.len() >= chain.logs_from(1).len() - 400);
    assert_eq!(logs.last(), chain.logs_from(1).last(), "following went on to the end");
}

#[tokio::test]
async fn nodes_of_another_chain_or_without_its_logs_are_named_at_the_start() {
    let chain = chain();
    let honest = Liar::honest(&chain);
    let other = Liar::new(&chain, Lie { chain_id: Some(1), ..Lie::default() });
    let source = list(&[(&honest, Role::Both), (&other, Role::Check)]);
    let error = source.chain_id().await.unwrap_err();
    assert!(matches!(error, ChainError::Fatal { .. }), "{error:?}");
    let text = error.to_string();
    for part in ["https://node1.example", "it follows eip155:1,", "eip155:31337", "`rpc_url`"] {
        assert!(text.contains(part), "{text}");
    }
    // Where it cannot be asked at the start, it is refused as soon as it can.
    other.set(Lie { fails: true, ..Lie::default() });
    let source = list(&[(&other, Role::Both), (&honest, Role::Both)]);
    assert_eq!(source.chain_id().await.unwrap(), CHAIN);
    other.set(Lie { chain_id: Some(1), ..Lie::default() });
    source.tags().await.unwrap();
    assert_eq!(states(&source), [State::Refused, State::Healthy]);
    assert_eq!(kinds(&source.take_findings())[0].0, FindingKind::NodeUnfit);

    let known = chain.logs_from(100)[0].block.number;
    let options =
        ProvidersOptions { known: Some((filter(), known..=known)), ..ProvidersOptions::new(CHAIN) };
    let empty = Liar::new(&chain, Lie { omits: Some(0..=u64::MAX), ..Lie::default() });
    let source = list_with(&[(&empty, Role::Both), (&honest, Role::Both)], options.clone());
    assert_eq!(source.chain_id().await.unwrap(), CHAIN);
    assert_eq!(states(&source), [State::Benched, State::Healthy]);
    for nodes in [vec![(&empty, Role::Both)], vec![(&empty, Role::Both), (&empty, Role::Both)]] {
        let error = list_with(&nodes, options.clone()).chain_id().await.unwrap_err();
        assert!(!error.is_transient(), "{error:?}");
        assert!(error.to_string().contains(&format!("no logs of blocks {known} to {known}")));
    }
    let source = list_with(&[(&honest, Role::Both)], options);
    assert_eq!(source.chain_id().await.unwrap(), CHAIN);
}

/// Of a registry nobody knows, the first logs that any node returns are the probe of all others.
#[tokio::test]
async fn the_first_logs_seen_are_asked_of_every_other_node() {
    let chain = chain();
    let empty =
        Liar::new(&chain, Lie { omits: Some(0..=u64::MAX), omits_by_hash: true, ..Lie::default() });
    let honest = Liar::honest(&chain);
    let source = list(&[(&honest, Role::Follow), (&empty, Role::Both)]);
    source.logs_in(&filter(), 1..=50).await.unwrap();
    honest.set(Lie { fails: true, ..Lie::default() });
    source.logs_in(&filter(), 51..=100).await.unwrap_err();
    assert_eq!(report(&source, 1).state, State::Benched);
    assert!(report(&source, 1).reason.unwrap().contains("where there are some for certain"));
}

/// A node alone is held against its own smaller answers and against the blooms of its blocks.
#[tokio::test]
async fn a_node_alone_is_found_out_by_halves_and_blooms() {
    for lie in [
        Lie { cut_at: Some(1_000), ..Lie::default() },
        Lie { omits: Some(2_001..=2_400), ..Lie::default() },
    ] {
        let chain = chain();
        let liar = Liar::new(&chain, lie.clone());
        let source = Arc::new(list(&[(&liar, Role::Both)]));
        let range = if lie.cut_at.is_some() { 1_500 } else { 100 };
        assert_eq!(follow(&source, &chain, range).await, chain.logs_from(1), "{lie:?}");
        let found = source.take_findings();
        assert!(!found.is_empty(), "{lie:?}");
        for (kind, provider) in kinds(&found) {
            assert_eq!((kind, provider), (FindingKind::LogsLeftOut, Some("https://node0.example")));
        }
        let alone = report(&source, 0);
        assert_eq!(alone.state, State::Healthy, "the only one is not benched");
        assert!(alone.disagreements > 0);
    }
}

/// It is not the followed node that is wrong when the one that only compares lies.
#[tokio::test]
async fn a_checking_node_that_lies_is_benched_itself() {
    for (lie, kind) in [
        (
            Lie { omits: Some(0..=u64::MAX), omits_by_hash: true, ..Lie::default() },
            FindingKind::NodeUnfit,
        ),
        (Lie { omits: Some(1_000..=3_000), ..Lie::default() }, FindingKind::LogsLeftOut),
        (Lie { invents: true, ..Lie::default() }, FindingKind::LogsInvented),
    ] {
        let chain = chain();
        let (honest, liar) = (Liar::honest(&chain), Liar::new(&chain, lie.clone()));
        let source = Arc::new(list(&[(&honest, Role::Both), (&liar, Role::Check)]));
        assert_eq!(follow(&source, &chain, 20).await, chain.logs_from(1), "{lie:?}");
        assert_eq!(states(&source), [State::Healthy, State::Benched], "{lie:?}");
        assert_eq!(kinds(&source.take_findings())[0], (kind, Some("https://node1.example")));
    }
}

/// Each is counted by its own name; two of one host are told apart by their places.
#[tokio::test]
async fn each_node_has_its_own_metrics() {
    let recorder = hallmark::api::recorder().unwrap();
    let handle = recorder.handle();
    let _installed = metrics::set_default_local_recorder(&recorder);
    let chain = chain();
    let (first, second) = (Liar::honest(&chain), Liar::honest(&chain));
    let provider = |node: &Liar| Provider {
        source: node.clone(),
        name: "https://node.example".to_owned(),
        role: Role::Both,
    };
    let options = ProvidersOptions::new(CHAIN);
    let source = Providers::new(vec![provider(&first), provider(&second)], options);
    source.chain_id().await.unwrap();
    first.set(Lie { fails: true, ..Lie::default() });
    for _ in 0..2 {
        source.tags().await.unwrap();
    }
    let text = handle.render();
    for line in [
        r#"hallmark_rpc_requests_total{provider="https://node.example#0"} 3"#,
        r#"hallmark_rpc_failures_total{provider="https://node.example#0"} 2"#,
        r#"hallmark_rpc_requests_total{provider="https://node.example#1"} 3"#,
        r#"hallmark_rpc_request_duration_seconds_count{provider="https://node.example#1"} 3"#,
    ] {
        assert!(text.contains(line), "{line} is not in\n{text}");
    }
}

/// A node that is compared with may have a smaller limit than the one that is followed.
#[tokio::test]
async fn a_checking_node_is_asked_in_parts_it_bears() {
    let chain = chain();
    let liar = Liar::new(&chain, Lie { omits: Some(2_001..=2_400), ..Lie::default() });
    let narrow = Liar::new(&chain, Lie { range_max: Some(30), ..Lie::default() });
    let source = Arc::new(list(&[(&liar, Role::Both), (&narrow, Role::Check)]));
    assert_eq!(follow(&source, &chain, 100).await, chain.logs_from(1));
    assert_eq!(states(&source), [State::Benched, State::Healthy]);
    assert_eq!(report(&source, 1).failures, 0, "a limit is no failure");
}

/// Block and index of each log in a database.
async fn recorded(database: &Database) -> Vec<(u64, u32)> {
    let mut tx = database.begin_read().await.unwrap();
    let events = tx.events_in(0, 10_000).await.unwrap();
    events.iter().map(|event| (event.log.block.number, event.log.log_index)).collect()
}

on_both_engines! {
    /// The record is made anew from there, once.
    async fn what_was_hidden_near_the_head_is_found_when_it_is_final(database: Database) {
        let chain = Arc::new(ScriptedChain::new(301, 1));
        chain.finalize(200);
        let lie = Lie { omits: Some(250..=260), omits_by_hash: true, ..Lie::default() };
        let node = Liar::new(&chain, lie);
        let source = Arc::new(list(&[(&node, Role::Both)]));
        let at = RegistryRef { chain: CHAIN, address: REGISTRY };
        let registry = Registry { kind: RegistryKind::Identity, at, start_block: 1 };
        let ingest = Ingest {
            database: database.clone(),
            binding: Binding { chain: CHAIN, registries: vec![registry] },
            known: KnownImplementations::default(),
        };
        let options = FollowerOptions {
            recheck_delay: Duration::from_micros(10),
            ..FollowerOptions::new(CHAIN, 1)
        };
        let following = Following::open(source, ingest, filter(), options, &[]).await.unwrap();
        let truth = || -> Vec<(u64, u32)> {
            chain.logs_from(1).iter().map(|log| (log.block.number, log.log_index)).collect()
        };
        let (shown, stop) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let changed = async {
            shown.notified().await;
            let hidden = truth().into_iter().filter(|(block, _)| !(250..=260).contains(block));
            assert_eq!(recorded(&database).await, hidden.collect::<Vec<_>>(), "nobody could tell");
            node.set(Lie::default());
            chain.grow(100);
            chain.finalize(350);
            while recorded(&database).await != truth() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            stop.notify_one();
        };
        let followed = following.run(stop.notified(), |event| {
            if let Followed::Step { applied, .. } = event
                && applied.cursor.is_some_and(|cursor| cursor.number == 300)
            {
                shown.notify_one();
            }
        });
        let both = async { tokio::join!(changed, followed) };
        let ((), ended) = tokio::time::timeout(Duration::from_mins(1), Box::pin(both)).await.unwrap();
        ended.unwrap();
        let mut tx = database.begin_read().await.unwrap();
        let findings = tx.findings(10).await.unwrap();
        assert_eq!(findings.len(), 1, "{findings:?}");
        assert_eq!(findings[0].finding.kind, FindingKind::LogsLeftOut);
        assert!(findings[0].finding.detail.contains("made anew"), "{findings:?}");
        assert_eq!(tx.reorgs(1).await.unwrap(), [], "the chain did not change");
    }
}
