//! Every fuzz target on its seeds, whole, cut short and changed, a little or beyond recognition: the fuzzer itself needs another compiler,
//! and is not run here.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::sim::draw::Draw;
use crate::support::databases::setting;

#[path = "../../fuzz/src/lib.rs"]
#[expect(unreachable_pub, reason = "in its own package it is a library")]
mod targets;

use targets::TARGETS;

/// So many places of each seed are changed.
const PLACES: usize = 24;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz")
}

/// The names of the files in a folder, without their extensions.
fn stems(folder: &Path) -> BTreeSet<String> {
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    paths.map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned()).collect()
}

#[test]
fn every_target_is_built_and_has_seeds() {
    let names: BTreeSet<_> = TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(stems(&folder().join("fuzz_targets")), names);
    assert_eq!(stems(&folder().join("seeds")), names);
    let manifest: toml::Table =
        fs::read_to_string(folder().join("Cargo.toml")).unwrap().parse().unwrap();
    let built = manifest["bin"].as_array().unwrap().iter().map(|bin| {
        let name = bin["name"].as_str().unwrap();
        assert_eq!(bin["path"].as_str(), Some(format!("fuzz_targets/{name}.rs").as_str()));
        name.to_owned()
    });
    assert_eq!(built.collect::<BTreeSet<_>>(), names);
    let readme = fs::read_to_string(folder().join("README.md")).unwrap();
    for (name, _) in TARGETS {
        let target = fs::read_to_string(folder().join(format!("fuzz_targets/{name}.rs"))).unwrap();
        assert!(target.contains(&format!("hallmark_fuzz::{name}(data)")), "{target}");
        assert!(readme.contains(&format!("| `{name}` |")), "{name} is not in the README");
    }
}

#[test]
fn every_target_bears_its_seeds_and_what_is_near_them() {
    for (name, target) in TARGETS {
        let seeds = folder().join("seeds").join(name);
        let seeds: Vec<_> = fs::read_dir(&seeds).unwrap().map(|e| e.unwrap().path()).collect();
        assert!(!seeds.is_empty(), "{name} has no seeds");
        target(b"");
        for seed in seeds {
            let seed = fs::read(seed).unwrap();
            target(&seed);
            for at in (0..seed.len()).step_by(seed.len() / PLACES + 1) {
                let mut changed = seed.clone();
                changed[at] ^= 1 << (at % 8);
                target(&changed);
                target(&seed[..at]);
                let (start, end) = seed.split_at(at);
                target(&[start, &[0xff], end].concat());
                target(&[start, end, end].concat());
            }
        }
    }
}

/// So many inputs are drawn for each target, where not `HALLMARK_TEST_FUZZ_INPUTS` says how many.
const DRAWN: u64 = 300;
/// An input grows no longer than this.
const LENGTH_MAX: usize = 64 << 10;
/// What parsers have an eye on.
const TOKENS: [&[u8]; 20] = [
    b"\"",
    b"\\u0000",
    b"\\ud800",
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b":",
    b"null",
    b"-0",
    b"1e309",
    b"0.1",
    b"9007199254740993",
    b"18446744073709551616",
    b"%00",
    b"../",
    b"\n",
    b"\r\n",
    b"\xef\xbf\xbd",
];

/// A seed with some changes, one upon the other; parts of other seeds among them.
fn drawn(draw: &mut Draw, seeds: &[Vec<u8>]) -> Vec<u8> {
    let mut input = seeds[draw.place(seeds.len())].clone();
    for _ in 0..1 << draw.below(5) {
        let other = &seeds[draw.place(seeds.len())];
        let at = draw.place(input.len() + 1);
        let end = (at + draw.place(32)).min(input.len());
        match draw.below(9) {
            0 if at < input.len() => input[at] ^= 1 << draw.below(8),
            1 if at < input.len() => input[at] = draw.below(256).to_le_bytes()[0],
            2 => drop(input.drain(at..end)),
            3 => drop(input.splice(at..at, input[at..end].to_vec())),
            4 => drop(input.splice(at..end, draw.pick(&TOKENS).iter().copied())),
            5 => drop(input.splice(at..at, draw.pick(&TOKENS).iter().copied())),
            6 if !other.is_empty() => {
                let from = draw.place(other.len());
                let to = (from + draw.place(64)).min(other.len());
                drop(input.splice(at..end, other[from..to].iter().copied()));
            }
            7 => input.truncate(at),
            _ => {
                let again = input[at..end].repeat(draw.place(40));
                drop(input.splice(at..at, again));
            }
        }
    }
    input.truncate(LENGTH_MAX);
    input
}

/// Without a fuzzer's eyes, and so for longer: `HALLMARK_TEST_FUZZ_INPUTS=1000000 ./test fuzz`.
#[test]
fn every_target_bears_what_is_drawn_from_its_seeds() {
    let count = setting("HALLMARK_TEST_FUZZ_INPUTS").map_or(DRAWN, |text| text.parse().unwrap());
    for (place, (name, target)) in (0..).zip(TARGETS) {
        let mut paths: Vec<_> = fs::read_dir(folder().join("seeds").join(name))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        paths.sort();
        let seeds: Vec<_> = paths.iter().map(|path| fs::read(path).unwrap()).collect();
        let (began, mut slowest) = (Instant::now(), Duration::ZERO);
        for number in 0..count {
            let input = drawn(&mut Draw::of(&[place, number]), &seeds);
            let started = Instant::now();
            let ran = std::panic::catch_unwind(|| target(&input));
            assert!(
                ran.is_ok(),
                "{name}, input {number}: {}",
                alloy::primitives::hex::encode(&input)
            );
            slowest = slowest.max(started.elapsed());
        }
        println!("{name}: {count} inputs in {:?}, the slowest {slowest:?}", began.elapsed());
    }
}
