//! Every fuzz target on its seeds, whole, cut short and changed a little: the fuzzer itself needs another compiler, and is not run here.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

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
