//! The log orders of the registry's known code, each with the state that its contract is left in.

use alloy::primitives::{Address, Bytes};

use super::super::Timeline;
use super::*;

const AGENT: u64 = 6;
const C: u8 = 0xcc;
const X: u8 = 0xaa;

fn of(byte: u8) -> Address {
    if byte == 0 { Address::ZERO } else { Address::repeat_byte(byte) }
}

fn transfer(from: u8, to: u8) -> RegistryEvent {
    RegistryEvent::Transfer { from: of(from), to: of(to), agent: AGENT.into() }
}

fn wallet(account: Option<u8>) -> RegistryEvent {
    let value = account.map_or(Bytes::new(), |a| Bytes::copy_from_slice(of(a).as_slice()));
    RegistryEvent::MetadataSet { agent: AGENT.into(), key: AGENT_WALLET_KEY.into(), value }
}

fn update() -> RegistryEvent {
    RegistryEvent::MetadataUpdate { agent: AGENT.into() }
}

fn registered(uri: &'static str, owner: u8) -> RegistryEvent {
    RegistryEvent::Registered { agent: AGENT.into(), uri: uri.into(), owner: of(owner) }
}

fn uri_updated(uri: &'static str) -> RegistryEvent {
    RegistryEvent::UriUpdated { agent: AGENT.into(), uri: uri.into(), updated_by: of(C) }
}

struct State {
    owner: Option<Address>,
    wallet: Option<Address>,
    uri: Option<Bytes>,
}

/// The state after these logs, standing directly one after the other in one block.
fn state_after(events: &[RegistryEvent]) -> State {
    let logs: Vec<_> = events
        .iter()
        .zip(0_u32..)
        .map(|(event, i)| RegistryLog {
            at: Position::new(9, i),
            registry: RegistryKind::Identity,
            event: event.clone(),
        })
        .collect();
    let facts = interpret(&logs);
    let last = |timeline| {
        let mut spans = Timeline::default();
        facts.iter().filter(|f| f.timeline == timeline).for_each(|f| spans.apply(f));
        spans.at(Position::end_of(9)).map(|s| s.value.clone())
    };
    let agent = AGENT.into();
    State {
        owner: last(TimelineRef::Owner(agent)).and_then(|v| v.account()),
        wallet: last(TimelineRef::Wallet(agent)).and_then(|v| v.account()),
        uri: last(TimelineRef::Uri(agent)).map(|v| match v {
            Value::Uri(uri) => uri,
            other => panic!("{other:?} is not a URI"),
        }),
    }
}

fn check(events: &[RegistryEvent], owner: u8, wallet: Option<u8>, uri: &'static str) {
    let state = state_after(events);
    assert_eq!(state.owner, Some(of(owner)), "owner after {events:?}");
    assert_eq!(state.wallet, wallet.map(of), "wallet after {events:?}");
    assert_eq!(state.uri, Some(uri.into()), "URI after {events:?}");
}

#[test]
fn plain_registrations() {
    check(&[transfer(0, C), registered("", C), wallet(Some(C))], C, Some(C), "");
    check(&[transfer(0, C), update(), registered("u", C), wallet(Some(C))], C, Some(C), "u");
}

#[test]
fn a_wallet_announced_before_registered_hides_no_uri() {
    check(&[transfer(0, C), update(), wallet(Some(C)), registered("u", C)], C, Some(C), "u");
    // Without an update nothing was stored, and the URI set inside stays.
    let inside = [transfer(0, C), update(), uri_updated("in"), wallet(Some(C)), registered("", C)];
    check(&inside, C, Some(C), "in");
}

#[test]
fn a_registrant_that_transfers_in_the_callback_leaves_no_wallet() {
    let events = [
        transfer(0, C),
        wallet(None),
        transfer(C, X),
        update(),
        registered("u", C),
        wallet(Some(C)),
    ];
    check(&events, X, None, "u");
}

#[test]
fn a_registrant_that_unsets_in_the_callback_leaves_no_wallet() {
    check(
        &[transfer(0, C), wallet(None), update(), registered("u", C), wallet(Some(C))],
        C,
        None,
        "u",
    );
}

#[test]
fn a_registrant_that_sets_another_wallet_in_the_callback_keeps_it() {
    let events = [transfer(0, C), wallet(Some(X)), update(), registered("u", C), wallet(Some(C))];
    check(&events, C, Some(X), "u");
}

#[test]
fn a_uri_set_in_the_callback_survives_only_a_registration_without_one() {
    let early = [update(), uri_updated("early")];
    let with_uri: Vec<_> = [transfer(0, C)]
        .into_iter()
        .chain(early.clone())
        .chain([update(), registered("late", C), wallet(Some(C))])
        .collect();
    check(&with_uri, C, Some(C), "late");
    let without: Vec<_> = [transfer(0, C)]
        .into_iter()
        .chain(early)
        .chain([registered("", C), wallet(Some(C))])
        .collect();
    check(&without, C, Some(C), "early");
}

#[test]
fn a_burnt_agent_is_owned_by_nobody() {
    let state = state_after(&[transfer(0, C), registered("", C), wallet(Some(C)), transfer(C, 0)]);
    assert_eq!((state.owner, state.wallet), (None, None));
}

#[test]
fn rotations_unsets_and_transfers() {
    let start = [transfer(0, C), registered("", C), wallet(Some(C))];
    let then = |more: &[RegistryEvent]| [&start, more].concat();
    check(&then(&[wallet(Some(X))]), C, Some(X), "");
    check(&then(&[wallet(Some(X)), wallet(None)]), C, None, "");
    check(&then(&[wallet(None), transfer(C, X)]), X, None, "");
    check(&then(&[wallet(None), transfer(C, C)]), C, None, "");
    check(&then(&[wallet(None), transfer(C, X), wallet(Some(X))]), X, Some(X), "");
}

#[test]
fn a_clearing_says_whether_a_transfer_or_its_owner_did_it() {
    let ends = |events: &[RegistryEvent]| {
        let logs: Vec<_> = events
            .iter()
            .zip(0_u32..)
            .map(|(event, i)| RegistryLog {
                at: Position::new(9, i),
                registry: RegistryKind::Identity,
                event: event.clone(),
            })
            .collect();
        interpret(&logs)
            .into_iter()
            .find(|f| f.timeline == TimelineRef::Wallet(AGENT.into()))
            .map(|f| f.ends)
    };
    assert_eq!(ends(&[wallet(None), transfer(C, X)]), Some(SpanEnd::Transfer));
    assert_eq!(ends(&[wallet(None), update(), transfer(C, X)]), Some(SpanEnd::Unset));
    assert_eq!(ends(&[wallet(None)]), Some(SpanEnd::Unset));
}

#[test]
fn look_alike_keys_are_not_the_wallet() {
    for key in ["AgentWallet", "agentWallet ", "agentwallet"] {
        let event = RegistryEvent::MetadataSet {
            agent: AGENT.into(),
            key: key.into(),
            value: Bytes::copy_from_slice(of(X).as_slice()),
        };
        let logs =
            [RegistryLog { at: Position::new(9, 0), registry: RegistryKind::Identity, event }];
        let facts = interpret(&logs);
        assert!(matches!(facts[..], [Fact { timeline: TimelineRef::Metadata(..), .. }]), "{key}");
    }
}

#[test]
fn under_unknown_code_every_agent_that_is_spoken_of_is_doubtful() {
    let mention = |block_number, agent: u64, upgraded_to: Option<u8>| Mention {
        block_number,
        agent: upgraded_to.is_none().then(|| agent.into()),
        upgraded_to: upgraded_to.map(of),
    };
    let knows = |code| code == of(C);
    let mentions = [
        mention(8, 1, None),
        mention(9, 0, Some(X)),
        mention(9, 2, None),
        mention(9, 2, None),
        mention(10, 0, Some(C)),
        mention(10, 3, None),
    ];
    let asked = |is_known, before: &[u64]| -> Vec<(u64, u64)> {
        let before = before.iter().map(|agent| AgentId::from(*agent)).collect();
        let found = doubtful(&mentions, is_known, knows, |_, _| true, before);
        found.into_iter().map(|(block, agent)| (block, agent.0.to())).collect()
    };
    // Agent 2 is asked about again where the known code comes back, since the code decides what the contract answers.
    assert_eq!(asked(true, &[]), [(9, 2), (10, 2)]);
    assert_eq!(asked(false, &[]), [(8, 1), (9, 1), (9, 2), (10, 1), (10, 2)]);
    assert_eq!(asked(true, &[5]), [(9, 2), (9, 5), (10, 2), (10, 5)]);
    // Spoken of before it was there, agent 1 is not in doubt when the code changes; it is the same as two steps.
    let exists = |block, agent: AgentId| agent != 1.into() || block >= 9;
    let found = doubtful(&mentions, false, knows, exists, BTreeSet::new());
    let found: Vec<(u64, u64)> = found.into_iter().map(|(block, a)| (block, a.0.to())).collect();
    assert_eq!(found, [(9, 2), (10, 2)]);
}
