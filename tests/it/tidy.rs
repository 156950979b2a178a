//! Rules about files: how they open, how long they are, that none is forgotten, and what no committed text may say.
//!
//! They are ordinary tests, so that there is one place to fail. Only what git knows or would add is looked at.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use crate::layers::source::{Source, root, rust_files};

/// Longest file, without its inline tests.
const LINES_MAX: usize = 400;
/// Longest file of all, for those in [`LONG_FILES`] and with tests included.
const LINES_MAX_EVER: usize = 600;
/// Files that may pass [`LINES_MAX`], each with its reason.
const LONG_FILES: &[(&str, &str)] = &[];

/// Every file that git holds or would add, as a path from the root.
fn committed() -> Vec<String> {
    let listed = Command::new("git")
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .current_dir(root())
        .output()
        .expect("git is needed for this test");
    assert!(listed.status.success(), "{}", String::from_utf8_lossy(&listed.stderr));
    let all = String::from_utf8(listed.stdout).unwrap();
    let there = |path: &&str| root().join(path).is_file();
    all.split('\0').filter(|path| !path.is_empty()).filter(there).map(str::to_owned).collect()
}

fn has_extension(path: &str, wanted: &str) -> bool {
    Path::new(path).extension().is_some_and(|extension| extension == wanted)
}

fn assert_none(wrong: &[String]) {
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

#[test]
fn every_source_file_says_first_what_it_is_for() {
    let opens_well = |path: &Path| {
        let text = fs::read_to_string(root().join(path)).unwrap();
        text.starts_with("//! ")
    };
    let wrong: Vec<_> = [rust_files("src"), rust_files("tests"), rust_files("benches")]
        .concat()
        .iter()
        .filter(|path| !opens_well(path))
        .map(|path| format!("{}:1: opens without a `//!` comment", path.display()))
        .collect();
    assert_none(&wrong);
}

#[test]
fn files_stay_short_enough_to_hold_one_subject() {
    let mut wrong = Vec::new();
    for path in [rust_files("src"), rust_files("benches")].concat() {
        let file = Source::read(&path);
        let total = fs::read_to_string(root().join(&path)).unwrap().lines().count();
        let excused = LONG_FILES.iter().any(|(long, _)| *long == file.path);
        let program = file.program_lines();
        if total > LINES_MAX_EVER {
            wrong.push(format!("{}: {total} lines, at most {LINES_MAX_EVER}", file.path));
        } else if program > LINES_MAX && !excused {
            wrong.push(format!(
                "{}: {program} lines without tests, at most {LINES_MAX}: find the second subject in it",
                file.path
            ));
        } else if program <= LINES_MAX && excused {
            wrong.push(format!("{}: no longer needs its excuse", file.path));
        }
    }
    let missing = LONG_FILES.iter().filter(|(path, _)| !root().join(path).is_file());
    wrong
        .extend(missing.map(|(path, reason)| format!("{path}: excused ({reason}), and not there")));
    assert_none(&wrong);
}

/// A test file that nobody declares is never run, and looks as if it were.
#[test]
fn every_test_file_is_declared() {
    let mut wrong = Vec::new();
    for path in rust_files("tests/it") {
        let path = path.to_str().unwrap();
        if path == "tests/it/main.rs" {
            continue;
        }
        let module = path.trim_end_matches(".rs").trim_end_matches("/mod");
        let (folder, name) = module.rsplit_once('/').unwrap();
        let parents = if folder == "tests/it" {
            vec!["tests/it/main.rs".to_owned()]
        } else {
            vec![format!("{folder}.rs"), format!("{folder}/mod.rs")]
        };
        let declared = |parent: &String| {
            let text = fs::read_to_string(root().join(parent)).unwrap_or_default();
            text.lines().any(|line| {
                let line = line.trim();
                line == format!("mod {name};") || line.ends_with(&format!(" mod {name};"))
            })
        };
        if !parents.iter().any(declared) {
            wrong.push(format!("{path}: no `mod {name};` in {}", parents.join(" or ")));
        }
    }
    assert_none(&wrong);
}

#[test]
fn migrations_are_twins() {
    let names = |engine: &str| -> BTreeSet<String> {
        fs::read_dir(root().join("migrations").join(engine))
            .map(|entries| entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect())
            .unwrap_or_default()
    };
    let (sqlite, postgres) = (names("sqlite"), names("postgres"));
    assert_eq!(sqlite, postgres, "one file for each engine, of the same name");
    assert_eq!(sqlite.is_empty(), !root().join("migrations").exists(), "an empty room");
}

/// What the text may not contain: places on somebody's machine, and hosts of package registries.
fn unwanted(text: &str) -> Option<&'static str> {
    // Written in two halves, so that this file passes its own test.
    const PLACES: &[&str] = &[
        concat!("/ho", "me/"),
        concat!("/ro", "ot/"),
        concat!("/wo", "rk/"),
        concat!("/tm", "p/wt"),
        concat!("/Us", "ers/"),
    ];
    const HOSTS: &[&str] = &[
        concat!("registry.npm", "js"),
        concat!("crates", ".io"),
        concat!("npmjs", ".com"),
        concat!("pypi", ".org"),
        concat!("yarnpkg", ".com"),
        concat!("deb.deb", "ian.org"),
        concat!("archive.ubu", "ntu.com"),
        concat!("proxy.gol", "ang.org"),
    ];
    let starts_path = |(at, _): &(usize, &str)| {
        !text[..*at]
            .ends_with(|c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_' | '/' | '}'))
    };
    PLACES
        .iter()
        .find(|place| text.match_indices(**place).any(|found| starts_path(&found)))
        .or_else(|| HOSTS.iter().find(|host| text.contains(**host)))
        .copied()
}

#[test]
fn no_committed_text_names_a_machine_or_a_registry_host() {
    let mut wrong = Vec::new();
    for path in committed() {
        // Cargo writes the index it uses into this file, and there is no leaving it out.
        if path.ends_with("Cargo.lock") {
            continue;
        }
        let Ok(text) = fs::read_to_string(root().join(&path)) else {
            continue;
        };
        for (number, line) in text.lines().enumerate() {
            if let Some(found) = unwanted(line) {
                wrong.push(format!("{path}:{}: names `{found}`", number + 1));
            }
        }
        if path.ends_with("package-lock.json") && text.contains("\"resolved\"") {
            wrong.push(format!(
                "{path}: says where packages came from; integrity hashes are enough"
            ));
        }
    }
    assert_none(&wrong);
}

/// One sentence a line, so that a change shows as what it is; tables, lists of facts and code are free.
fn two_sentences(line: &str) -> bool {
    let line = line.trim_start();
    if line.starts_with('|') || line.starts_with('#') {
        return false;
    }
    let plain = line.replace("e.g. ", "").replace("i.e. ", "").replace("vs. ", "");
    plain.match_indices(". ").any(|(at, _)| {
        let before = plain[..at].chars().next_back();
        let after = plain[at + 2..].chars().next();
        // `1. First` is a numbered item, not two sentences.
        before.is_some_and(|c| !c.is_ascii_digit()) && after.is_some_and(char::is_uppercase)
    })
}

#[test]
fn documents_have_one_sentence_a_line_and_links_that_lead_somewhere() {
    let mut wrong = Vec::new();
    for path in committed().iter().filter(|path| has_extension(path, "md")) {
        let text = fs::read_to_string(root().join(path)).unwrap();
        let folder = root().join(path).parent().unwrap().to_owned();
        let mut in_code = false;
        for (number, line) in text.lines().enumerate() {
            in_code ^= line.trim_start().starts_with("```");
            if in_code {
                continue;
            }
            if two_sentences(line) {
                wrong.push(format!("{path}:{}: more than one sentence", number + 1));
            }
            for target in line.split("](").skip(1).filter_map(|rest| rest.split([')', '#']).next())
            {
                if !target.is_empty() && !target.contains("://") && !folder.join(target).exists() {
                    wrong.push(format!("{path}:{}: `{target}` is not there", number + 1));
                }
            }
        }
    }
    assert_none(&wrong);
}

#[test]
fn the_rules_bite() {
    for bad in [
        concat!("see /wo", "rk/shared"),
        concat!("`/ho", "me/somebody`"),
        concat!("https://registry.npm", "js.org/"),
    ] {
        assert!(unwanted(bad).is_some(), "{bad}");
    }
    for good in [concat!("a network/wo", "rk/x"), "/usr/lib", concat!("${HOME}/wo", "rk/")] {
        assert_eq!(unwanted(good), None, "{good}");
    }
    assert!(two_sentences("It runs. It stops."));
    assert!(!two_sentences("It runs, e.g. Base, i.e. It; 1. First"));
    assert!(!two_sentences("2. Second"));
}
