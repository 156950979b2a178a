//! The traces under `tests/vectors/delegation`: what each must come to, and that they are what the helper here makes of fixed keys.
//!
//! `HALLMARK_TEST_WRITE_VECTORS=yes` writes them anew; read the difference before committing it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use hallmark::delegation::{CaseOptions, Standing, TraceDocument, case, verify_trace};
use hallmark::vocab::UnixSeconds;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::build::*;

mod invalid;
mod valid;

/// One trace, and what it must come to.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Vector {
    /// What is special about it.
    pub(super) about: String,
    /// The document.
    pub(super) document: Value,
    /// When it is checked.
    pub(super) checked_at: UnixSeconds,
    /// What comes of it: `valid`, `invalid`, `needs_chain`, or `refused` where it is no document.
    pub(super) standing: String,
    /// Why, word for word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) reason: Option<String>,
    /// Of valid ones the whole verdict.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) verdict: Option<Value>,
    /// Of valid ones the case that is made of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) case: Option<Value>,
}

impl Vector {
    /// What the program makes of a document.
    fn of(about: &str, document: Value, checked_at: UnixSeconds) -> Self {
        let bytes = serde_json::to_vec(&document).unwrap();
        let (mut verdict, mut made) = (None, None);
        let (standing, reason) = match TraceDocument::read(&bytes) {
            Err(error) => ("refused".to_owned(), Some(error.to_string())),
            Ok(read) => {
                let found = verify_trace(&read, checked_at);
                let asked = found.unanswered.first().map(|unanswered| unanswered.why.clone());
                let reason = found.reason().map(|fault| fault.why.clone()).or(asked);
                if found.standing == Standing::Valid {
                    let options = CaseOptions { id: "vector".to_owned(), ..CaseOptions::default() };
                    verdict = Some(found.to_value());
                    made = case(&found, options).ok().map(|case| json!(case));
                }
                (found.standing.as_str().to_owned(), reason)
            }
        };
        let about = about.to_owned();
        Self { about, document, checked_at, standing, reason, verdict, case: made }
    }

    fn text(&self) -> String {
        serde_json::to_string_pretty(self).unwrap() + "\n"
    }
}

/// A vector that is made here: its name, what is special about it, its document.
pub(super) struct Made {
    pub(super) name: &'static str,
    pub(super) about: &'static str,
    pub(super) document: Value,
    /// How the reason ends.
    pub(super) told: &'static str,
}

fn folder(outcome: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/delegation").join(outcome)
}

/// Every committed vector, by the name of its file.
pub(super) fn committed(outcome: &str) -> BTreeMap<String, Vector> {
    let read = |path: PathBuf| {
        let vector = serde_json::from_slice(&fs::read(&path).unwrap());
        let vector = vector.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        (path.file_stem().unwrap().to_str().unwrap().to_owned(), vector)
    };
    let entries = fs::read_dir(folder(outcome)).unwrap();
    entries.map(|entry| read(entry.unwrap().path())).collect()
}

fn made() -> Vec<(&'static str, Made)> {
    let valid = valid::all().into_iter().map(|made| ("valid", made));
    let invalid = invalid::all().into_iter().map(|made| ("invalid", made));
    valid.chain(invalid).collect()
}

#[test]
fn vectors_are_what_the_helper_makes() {
    let asked = hallmark::config::environment();
    let writes = asked.iter().any(|(name, _)| name == "HALLMARK_TEST_WRITE_VECTORS");
    let mut files: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (outcome, Made { name, about, document, told }) in made() {
        let vector = Vector::of(about, document, time(CHECKED));
        let reason = vector.reason.as_deref().unwrap_or_default();
        assert_eq!(vector.standing == "valid", outcome == "valid", "{name}: {reason}");
        assert!(reason.ends_with(told), "{name}: {reason}");
        let path = folder(outcome).join(name).with_extension("json");
        if writes {
            fs::create_dir_all(folder(outcome)).unwrap();
            fs::write(&path, vector.text()).unwrap();
        }
        let there = fs::read_to_string(&path).unwrap_or_default();
        assert!(there == vector.text(), "{} is not what the helper makes", path.display());
        files.entry(outcome).or_default().push(name.to_owned());
    }
    for (outcome, mut names) in files {
        names.sort();
        let there: Vec<String> = committed(outcome).into_keys().collect();
        assert_eq!(there, names, "{outcome}");
    }
}

#[test]
fn valid_traces_have_exactly_the_verdict_they_say() {
    for (name, vector) in committed("valid") {
        let found = Vector::of(&vector.about, vector.document.clone(), vector.checked_at);
        assert_eq!(found.standing, "valid", "{name}: {:?}", found.reason);
        let pretty = |value: &Option<Value>| serde_json::to_string_pretty(value).unwrap();
        assert_eq!(pretty(&found.verdict), pretty(&vector.verdict), "{name}");
        assert_eq!(pretty(&found.case), pretty(&vector.case), "{name}");
    }
}

#[test]
fn invalid_traces_are_refused_with_the_reason() {
    for (name, vector) in committed("invalid") {
        let found = Vector::of(&vector.about, vector.document.clone(), vector.checked_at);
        let expected = (vector.standing.as_str(), vector.reason.as_deref());
        assert!(expected.1.is_some(), "{name}");
        assert_eq!((found.standing.as_str(), found.reason.as_deref()), expected, "{name}");
    }
}
