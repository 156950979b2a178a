//! The committed cases under `tests/vectors/tfd`: each states the whole report, or how the refusal begins.
//!
//! They are made by another program in another language (see the README there), which computes shares by walking all states of all edges.

use std::fs;
use std::path::{Path, PathBuf};

use hallmark::tfd::{CaseError, read, report};
use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Vector {
    about: String,
    case: Value,
    /// What a valid case comes to: the report, without the case that it holds.
    report: Option<Value>,
    /// How the refusal of an invalid case begins.
    error: Option<String>,
}

impl Vector {
    fn computed(&self) -> Result<Value, CaseError> {
        let case = read(self.case.to_string().as_bytes())?;
        let bytes = report(&case, None)?.canonical()?;
        let mut told: Value = serde_json::from_str(&bytes).unwrap();
        let case = told.as_object_mut().unwrap().remove("case").unwrap();
        assert_eq!(case, self.case, "a report holds its case as it was");
        Ok(told)
    }
}

#[test]
fn valid_cases_have_exactly_the_report_they_say() {
    for (path, vector) in vectors("valid", 40) {
        let computed =
            vector.computed().unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let expected = vector.report.unwrap();
        let pretty = |value: &Value| serde_json::to_string_pretty(value).unwrap();
        assert_eq!(pretty(&computed), pretty(&expected), "{}: {}", path.display(), vector.about);
    }
}

#[test]
fn invalid_cases_are_refused_by_the_field_that_is_wrong() {
    for (path, vector) in vectors("invalid", 25) {
        let error = vector.computed().expect_err(&vector.about).to_string();
        let expected = vector.error.unwrap();
        assert!(
            error.starts_with(&expected),
            "{}: {error} should begin with {expected}",
            path.display()
        );
    }
}

fn vectors(outcome: &str, least: usize) -> Vec<(PathBuf, Vector)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/tfd").join(outcome);
    let entries = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
    let mut paths: Vec<PathBuf> = entries.collect();
    paths.sort();
    assert!(paths.len() >= least, "{} vectors in {}", paths.len(), folder.display());
    let read = |path: PathBuf| {
        let vector = serde_json::from_slice(&fs::read(&path).unwrap());
        let vector = vector.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        (path, vector)
    };
    paths.into_iter().map(read).collect()
}
