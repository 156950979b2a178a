//! Every public function of storage is called by this suite: no list to keep, the sources are read.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

fn sources(folder: &str) -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut files: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|file| file.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .map(|path| {
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            (name, fs::read_to_string(&path).unwrap())
        })
        .collect();
    files.sort();
    files
}

/// The name in a line that declares a public function.
fn declared(line: &str) -> Option<&str> {
    let rest = line.trim_start().strip_prefix("pub ")?;
    let rest =
        rest.trim_start_matches("const ").trim_start_matches("async ").strip_prefix("fn ")?;
    rest.split(['(', '<']).next()
}

#[test]
fn every_public_function_of_storage_is_called_here() {
    let tests: String = sources("tests/it/storage").into_iter().map(|(_, text)| text).collect();
    let functions: BTreeSet<(String, String)> = sources("src/storage")
        .iter()
        .flat_map(|(file, text)| {
            text.lines().filter_map(declared).map(|name| (file.clone(), name.to_owned()))
        })
        .collect();
    assert!(functions.len() > 30, "the sources are no longer read right: {functions:?}");
    let forgotten: Vec<_> = functions
        .iter()
        .filter(|(_, name)| {
            !tests.contains(&format!(".{name}(")) && !tests.contains(&format!("::{name}("))
        })
        .collect();
    assert!(forgotten.is_empty(), "no test calls {forgotten:?}");
}

#[test]
fn every_file_of_storage_has_its_file_of_tests() {
    // Conversions, which only other files of storage call; they have their tests beside them.
    let within = ["columns.rs"];
    let tests: BTreeSet<_> =
        sources("tests/it/storage").into_iter().map(|(name, _)| name).collect();
    for (name, _) in sources("src/storage") {
        assert!(within.contains(&name.as_str()) || tests.contains(&name), "{name} has no tests");
    }
}
