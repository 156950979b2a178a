//! The commands as processes: what they print where, and with which exit code they end.
//!
//! Each runs in a folder of its own and without this process's `HALLMARK_…` variables.

use std::fs;
use std::io::Read;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

/// A folder to run the program in.
pub(crate) struct Place(TempDir);

/// How a run ended.
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Place {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().expect("a temporary folder"))
    }

    fn with_file(text: &str) -> Self {
        let place = Self::new();
        fs::write(place.path().join("hallmark.toml"), text).expect("a file");
        place
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn command(&self, line: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hallmark"));
        command.args(line.split_whitespace()).current_dir(self.path()).stdin(Stdio::null());
        let ours = hallmark::config::environment()
            .into_iter()
            .filter(|(name, _)| name.to_string_lossy().starts_with("HALLMARK_"));
        for (name, _) in ours {
            command.env_remove(name);
        }
        command
    }

    pub(crate) fn run(&self, line: &str) -> Ran {
        Ran::from(self.command(line).output().expect("the program starts"))
    }
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().expect("it ended by itself"),
            stdout: String::from_utf8(output.stdout).expect("text"),
            stderr: String::from_utf8(output.stderr).expect("text"),
        }
    }
}

fn entry(listing: &serde_json::Value, key: &str) -> (String, String) {
    let text = |field: &str| match &listing[key][field] {
        serde_json::Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    (text("value"), text("source"))
}

#[test]
fn config_prints_values_and_where_they_came_from() {
    let place = Place::with_file("range_max = 500\nlisten = \"127.0.0.1:1\"");
    let mut command = place.command("config --json --start-block 41700000");
    let ran = Ran::from(command.env("HALLMARK_LISTEN", "127.0.0.1:2").output().unwrap());
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    let listing: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    for (key, value, source) in [
        ("chain", "base", "default"),
        ("chain_id", "8453", "preset base"),
        ("range_max", "500", "hallmark.toml"),
        ("listen", "127.0.0.1:2", "HALLMARK_LISTEN"),
        ("start_block", "41700000", "--start-block"),
    ] {
        assert_eq!(entry(&listing, key), (value.to_owned(), source.to_owned()), "{key}");
    }
}

#[test]
fn config_as_text_has_a_line_for_each_key() {
    let ran = Place::new().run("config");
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    let line = ran.stdout.lines().find(|line| line.starts_with("identity_registry ")).unwrap();
    assert!(line.contains("0x8004A169FB4a3325136EB29fA0ceB6D2e539a432"), "{line}");
    assert!(line.ends_with("preset base"), "{line}");
    assert_eq!(ran.stdout.lines().count(), hallmark::config::KEYS.len());
}

#[test]
fn what_is_wrong_with_a_configuration_is_said_by_name_with_exit_code_2() {
    for (file, line, expected) in [
        ("rpc_ulr = \"http://127.0.0.1\"", "config", "unknown key `rpc_ulr` in `hallmark.toml`"),
        ("rpc_ulr = \"http://127.0.0.1\"", "config", "hint: did you mean `rpc_url`?"),
        ("identity_registry = \"0x12\"", "config", "`identity_registry` from hallmark.toml"),
        ("listen = 1", "config", "`listen` from hallmark.toml"),
        ("", "config --listen here", "`listen` from --listen"),
        ("", "config --chain bose", "did you mean `base`?"),
        ("", "config --chain custom", "`chain_id`, `identity_registry`, `start_block`, `rpc_url`"),
        ("", "config --config absent.toml", "there is no configuration file `absent.toml`"),
        ("a = ", "config", "`hallmark.toml`, line 1"),
    ] {
        let ran = Place::with_file(file).run(line);
        assert!(
            ran.stderr.contains(expected),
            "{file} {line}: {} should say {expected}",
            ran.stderr
        );
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{file} {line}");
    }
}

#[test]
fn wrong_usage_is_exit_code_2_and_help_is_0() {
    let place = Place::new();
    for line in ["dance", "config --no-such-flag", "config extra", "config --rpc-url"] {
        let ran = place.run(line);
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{line}");
        assert!(!ran.stderr.is_empty(), "{line}");
    }
    let ran = place.run("--help");
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    assert!(ran.stdout.contains("Exit codes"), "{}", ran.stdout);
    assert_eq!(place.run("--version").stdout, format!("hallmark {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn an_unknown_variable_is_refused_and_one_of_the_tests_is_not() {
    let place = Place::new();
    let ran = Ran::from(place.command("config").env("HALLMARK_STRAT_BLOCK", "1").output().unwrap());
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("did you mean `HALLMARK_START_BLOCK`?"), "{}", ran.stderr);
    let ran = Ran::from(place.command("config").env("HALLMARK_TEST_X", "1").output().unwrap());
    assert_eq!(ran.code, 0, "{}", ran.stderr);
}

#[test]
fn secrets_are_in_no_output() {
    let file = "rpc_url = [\"https://node.example/v2/SECRET\", \"wss://SECRET@other.example\"]\n\
                database_url = \"postgres://hallmark:SECRET@db.example/hallmark\"";
    let place = Place::with_file(file);
    for line in ["config", "config --json", "config --listen wrong", "config --rpc-url SECRET"] {
        let ran = place.run(line);
        assert!(!ran.stdout.contains("SECRET") && !ran.stderr.contains("SECRET"), "{line}");
    }
    let ran = place.run("config");
    assert!(ran.stdout.contains("https://node.example/…, wss://other.example/…"), "{}", ran.stdout);
    assert!(ran.stdout.contains("postgres://db.example/…"), "{}", ran.stdout);
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let mut child = Place::new()
        .command("config")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let mut stderr = String::new();
    child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
    assert_eq!((child.wait().unwrap().code(), stderr.as_str()), (Some(0), ""));
}

/// A full disk must not look like success.
#[cfg(target_os = "linux")]
#[test]
fn data_that_cannot_be_written_is_a_failure() {
    let full = fs::File::options().write(true).open("/dev/full").unwrap();
    let output = Place::new().command("config").stdout(full).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn a_did_that_is_made_from_itself_needs_no_database() {
    let place = Place::new();
    let account = "did:pkh:eip155:8453:0x8004A169FB4a3325136EB29fA0ceB6D2e539a432";
    let ran = place.run(&format!("did {account} --json"));
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    let result: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(result["didDocument"]["id"], account);
    let text = place.run(&format!("did {account}"));
    assert!(
        text.stdout.contains("didDocument.verificationMethod.0.blockchainAccountId"),
        "{}",
        text.stdout
    );
    let part = place.run(&format!("did {account}#blockchainAccountId --json"));
    assert_eq!((part.code, part.stderr.as_str()), (0, ""));
    let result: serde_json::Value = serde_json::from_str(&part.stdout).unwrap();
    assert_eq!(result["content"]["controller"], account);
    let nothing = place.run(&format!("did {account}#nothing"));
    assert_eq!(nothing.code, 3);
    assert!(nothing.stderr.contains("has that fragment"), "{}", nothing.stderr);
    let wrong = place.run("did did:key:z6Mk --json");
    assert_eq!(wrong.code, 2);
    let result: serde_json::Value = serde_json::from_str(&wrong.stdout).unwrap();
    assert_eq!(
        result["didResolutionMetadata"]["error"]["type"],
        "https://www.w3.org/ns/did#INVALID_DID"
    );
    assert!(wrong.stderr.contains("P-256"), "{}", wrong.stderr);
    // Nothing was made on the way.
    assert_eq!(fs::read_dir(place.path()).unwrap().count(), 0);
    let missing = place.run("did did:web:localhost%3A8004:agents:8453:22");
    assert_eq!((missing.code, missing.stdout.as_str()), (1, ""));
    assert!(missing.stderr.contains("database"), "{}", missing.stderr);
}

#[test]
fn tfd_tells_who_carries_a_failure_and_what_is_wrong_with_a_case() {
    let vectors = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/tfd");
    let vector = |path: &str| -> serde_json::Value {
        let read = fs::read(vectors.join(path)).unwrap();
        serde_json::from_slice::<serde_json::Value>(&read).unwrap()["case"].take()
    };
    let place = Place::new();
    for (file, path) in [
        ("chain.json", "valid/chain-two-hops.json"),
        ("profile.json", "invalid/profile.json"),
        ("graph.json", "invalid/graph.json"),
    ] {
        fs::write(place.path().join(file), vector(path).to_string()).unwrap();
    }
    let ran = place.run("tfd chain.json --json");
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    let case =
        hallmark::tfd::read(vector("valid/chain-two-hops.json").to_string().as_bytes()).unwrap();
    let canonical = hallmark::tfd::report(&case, None).unwrap().canonical().unwrap();
    assert_eq!(ran.stdout, format!("{canonical}\n"), "the bytes that are hashed and signed");
    let ran = place.run("tfd chain.json");
    assert!(
        ran.stdout.contains("[################################........]  80.0000 %"),
        "{}",
        ran.stdout
    );
    assert!(ran.stdout.contains("A  (8/75)"), "{}", ran.stdout);

    for (line, code, expected) in [
        ("tfd profile.json", 3, "profile: unknown variant `tfd/2`, expected `tfd/1`"),
        ("tfd graph.json", 3, "hint: `--samples 100000` draws the figures by lot"),
        ("tfd absent.json", 1, "cannot read `absent.json`"),
        ("tfd", 2, "<FILE>"),
        ("tfd experiment --draws 0", 2, "--draws"),
    ] {
        let ran = place.run(line);
        assert!(ran.stderr.contains(expected), "{line}: {} should say {expected}", ran.stderr);
        assert_eq!((ran.code, ran.stdout.as_str()), (code, ""), "{line}");
    }
    let ran = place.run("tfd graph.json --samples 1000 --seed 7 --json");
    let report: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(report["failures"][0]["method"]["seed"], 7);
}

#[test]
fn a_case_of_100_mb_is_refused_before_it_is_read() {
    let place = Place::new();
    fs::File::create(place.path().join("large.json")).unwrap().set_len(100_000_000).unwrap();
    let ran = place.run("tfd large.json");
    assert_eq!((ran.code, ran.stdout.as_str()), (3, ""));
    assert!(ran.stderr.contains("the file: more than 4194304 bytes"), "{}", ran.stderr);
}

#[test]
fn the_experiment_is_the_same_for_the_same_seed() {
    let place = Place::new();
    let ran = place.run("tfd experiment --draws 50 --sensitivity --falsification --json");
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    let result: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    let runs = result["runs"].as_array().unwrap();
    assert_eq!(runs.len(), 9);
    assert_eq!(runs[8]["dataset"]["population"], "uniform_betas");
    for run in runs {
        assert_eq!(run["beta"]["count"], 50);
        assert_eq!(run["sensitivity"].as_array().unwrap().len(), 2, "without a clamp, and with it");
        assert_eq!(run["falsification"][2]["outcome"], "not_computed");
    }
    let again = place.run("tfd experiment --draws 50 --sensitivity --falsification --json");
    assert_eq!(again.stdout, ran.stdout);
}

/// An invitation in a database that was just made would open nothing; and what characters and the service are comes from no chain.
#[test]
fn characters_need_a_database_that_is_there_and_no_chain() {
    let place = Place::new();
    for line in ["invite", "did did:web:localhost%3A8004:character:ada"] {
        let ran = place.run(line);
        assert_eq!((ran.code, ran.stdout.as_str()), (1, ""), "{line}: {}", ran.stderr);
        assert!(ran.stderr.contains("hallmark.db"), "{line}: {}", ran.stderr);
        assert_eq!(fs::read_dir(place.path()).unwrap().count(), 0, "{line} makes nothing");
    }
    let ran = place.run("migrate");
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let ran = place.run("invite --count 2");
    assert_eq!((ran.code, ran.stdout.lines().count()), (0, 2), "{}", ran.stderr);
    assert!(ran.stdout.lines().all(|line| line.starts_with("hmi_")));
    let ran = place.run("did did:web:localhost%3A8004 --json");
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let ran = place.run("did did:web:localhost%3A8004:character:ada --json");
    assert!(ran.code == 3 && ran.stdout.contains("NOT_FOUND"), "{}{}", ran.stdout, ran.stderr);
    let ran = place.run("did did:web:localhost%3A8004:agents:8453:22");
    assert_eq!((ran.code, ran.stdout.as_str()), (1, ""), "{}", ran.stderr);
}

#[test]
fn the_help_of_did_says_which_identifiers_and_moments_there_are() {
    let ran = Place::new().run("did --help");
    for word in ["character", "another host", "did:pkh", "did:key", "time:T", "go by the clock"] {
        // However the lines are broken.
        let said = ran.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(said.contains(word), "{word}: {said}");
    }
}
