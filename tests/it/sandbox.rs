//! What a component may not do, and what becomes of those who do it: the sandbox by itself, and beside cards that must not suffer.
//!
//! `projectors/hostile` does what its parameters say. Its component is committed beside this, as the projectors that ship are.

use std::sync::Arc;

use hallmark::plugin::{Projector, Sandbox, built, component_of};
use hallmark::project::{Basis, Finality, Issuer, Kind, Recent, Tally, View};
use hallmark::vocab::{AgentRef, RegistryRef, UnixSeconds};

use crate::storage::samples;

/// The component of `projectors/hostile`.
pub(crate) const HOSTILE: &[u8] = include_bytes!("../../projectors/built/hostile.wasm");

fn at(seconds: u64) -> UnixSeconds {
    UnixSeconds::new(seconds).unwrap()
}

fn view(does: &str) -> View {
    let registry = RegistryRef { chain: samples::CHAIN, address: samples::IDENTITY };
    let recent = Recent {
        seq: 4,
        digest: format!("0x{}", "ab".repeat(32)),
        issuer: 0,
        claim: "peer.assessment".to_owned(),
        data: r#"{"tag":"reliable"}"#.to_owned(),
        note: Some("kept its word \u{1f600}".to_owned()),
        confidence: Some(940_000),
        origin: None,
        game: None,
        round: Some(3),
        said_at: at(100),
        is_dated: true,
        basis: Basis::Signed,
        finality: Finality::Final,
        is_withdrawn: false,
        evidence: Vec::new(),
    };
    let tally = Tally {
        claim: "peer.assessment".to_owned(),
        words: Some(r#"{"tag":"reliable"}"#.to_owned()),
        issuer: 0,
        count: 1,
        games: 0,
        times: (at(100), at(100)),
        last_seq: 4,
    };
    View {
        agent: AgentRef { registry, id: 7_u64.into() },
        wallet: None,
        is_wallet_proven: false,
        wallet_agents: 0,
        block: 9,
        time: at(200),
        log_size: 5,
        game: None,
        viewer: None,
        parameters: format!(r#"{{"do":"{does}"}}"#),
        total: 1,
        provisional: 0,
        later: 0,
        issuers: vec![Issuer {
            name: "did:web:a.example".to_owned(),
            class: None,
            agent: None,
            voice: 0,
            is_kin: false,
            standing: None,
        }],
        kinds: vec![Kind {
            claim: "peer.assessment".to_owned(),
            count: 1,
            issuers: 1,
            voices: 1,
            games: 0,
            times: (at(100), at(100)),
        }],
        tallies: vec![tally],
        recent: vec![recent],
    }
}

fn hostile() -> Projector {
    Sandbox::new().unwrap().load(HOSTILE).unwrap()
}

fn fails(projector: &Projector, does: &str, reason: &str, told: &str) {
    let error = projector.run(&view(does)).unwrap_err();
    assert_eq!(error.reason(), reason, "{does}: {error}");
    assert!(error.to_string().contains(told), "{does}: {error}");
}

#[test]
fn who_takes_too_much_or_fails_is_stopped() {
    let projector = hostile();
    fails(&projector, "loop", "fuel", "used up its fuel of 200000000 instructions");
    fails(&projector, "recurse", "trap", "stack");
    fails(&projector, "allocate", "memory", "more than 67108864 bytes of memory");
    fails(&projector, "panic", "trap", "unreachable");
    fails(&projector, "refuse", "refused", "these parameters make no sense");
    fails(&projector, "utf8", "trap", "utf-8");
    fails(&projector, "megabytes", "output", "larger than the 1048576 bytes that are read of it");
    // And it is none the worse for it.
    assert_eq!(projector.run(&view("nothing")).unwrap().draft.headline, "What the parameters say");
}

#[test]
fn what_is_no_card_is_named_by_its_field() {
    let projector = hostile();
    let flaw = |does: &str| {
        let ran = projector.run(&view(does)).unwrap();
        ran.draft.check(4, |seq| seq == 4).unwrap_err().to_string()
    };
    assert!(flaw("confidence").starts_with("signals[0].confidence: 1500000 parts per million"));
    assert!(flaw("evidence").starts_with("evidence[0]: there is no attestation 6"));
    assert!(flaw("others").starts_with("evidence[0]: there is no attestation 1 "));
    assert!(flaw("signals").starts_with("signals: it has 33 entries"));
    assert!(flaw("control").starts_with("headline: it has the control character U+001B"));
}

/// Numbers that are none have one form wherever this runs, and the same run costs the same.
#[test]
fn a_run_is_the_same_every_time() {
    let (first, second) = (hostile(), hostile());
    let ran = first.run(&view("nan")).unwrap();
    // Processors differ in the sign of what 0/0 is; here it has none.
    let numbers: Vec<_> = ran.draft.summary.split_whitespace().collect();
    assert_eq!(numbers[..2], ["7ff8000000000000"; 2]);
    assert_eq!(numbers[2], "fff8000000000000", "turning the sign is no arithmetic");
    assert_eq!(second.run(&view("nan")).unwrap(), ran);
    let shared = Arc::new(first);
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let projector = Arc::clone(&shared);
            std::thread::spawn(move || projector.run(&view("nan")).unwrap())
        })
        .collect();
    for thread in threads {
        assert_eq!(thread.join().unwrap(), ran);
    }
}

#[test]
fn what_is_no_projector_is_refused_with_the_reason() {
    let sandbox = Sandbox::new().unwrap();
    let refused = |bytes: &[u8], reason: &str, told: &str| {
        let error = sandbox.load(bytes).unwrap_err();
        assert_eq!(error.reason(), reason, "{error}");
        assert!(error.to_string().contains(told), "{error}");
    };
    refused(b"", "not_component", "no component");
    refused(b"not wasm at all", "not_component", "no component");
    // A component that imports a function `clock`, by the binary format: one type, one import.
    let header = b"\0asm\x0d\0\x01\0";
    let import =
        [&header[..], b"\x07\x05\x01\x40\0\x01\0", b"\x0a\x0a\x01\0\x05clock\x01\0"].concat();
    refused(&import, "imports", "it imports `clock`");
    refused(header, "not_projector", "describe");
    refused(&vec![0; (16 << 20) + 1], "too_long", "at most 16777216 are taken");
    let mut cut = HOSTILE.to_vec();
    cut.truncate(HOSTILE.len() / 2);
    refused(&cut, "not_component", "no component");
    // A core module that says nothing of its interface.
    let core = b"\0asm\x01\0\0\0";
    let made = component_of(core).and_then(|component| sandbox.load(&component).map(drop));
    assert_eq!(made.unwrap_err().reason(), "not_projector");
}

/// Whatever byte of a component is changed, loading and running it ends, in one way or another.
#[test]
fn damaged_components_do_no_harm() {
    let sandbox = Sandbox::new().unwrap();
    let (mut damaged, mut refused) = (HOSTILE.to_vec(), 0);
    let step = HOSTILE.len() / 40;
    for place in (8..HOSTILE.len()).step_by(step) {
        let byte = damaged[place];
        damaged[place] = byte ^ 0x55;
        match sandbox.load(&damaged) {
            Ok(projector) => drop(projector.run(&view("nothing"))),
            Err(error) => {
                assert!(!error.to_string().is_empty());
                refused += 1;
            }
        }
        damaged[place] = byte;
    }
    assert!(refused > 10, "only {refused} were seen to be damaged");
    assert!(
        sandbox.load(&damaged).unwrap().run(&view("nothing")).is_ok(),
        "nothing is left behind"
    );
}

#[test]
fn those_that_ship_are_what_they_are_called() {
    let sandbox = Sandbox::new().unwrap();
    for one in built() {
        let projector = sandbox.load(one.component).unwrap();
        assert_eq!(projector.description.id, one.id);
        let mut nothing = view("nothing");
        nothing.parameters = "{}".to_owned();
        let empty = View {
            total: 0,
            issuers: vec![],
            kinds: vec![],
            tallies: vec![],
            recent: vec![],
            ..nothing.clone()
        };
        for view in [&nothing, &empty] {
            let ran = projector.run(view).unwrap();
            assert_eq!(ran.draft.check(4, |seq| seq == 4), Ok(()), "{}", one.id);
            assert!(ran.fuel < 20_000_000, "{} took {} instructions", one.id, ran.fuel);
        }
    }
}
