//! Other people's programs from npm, asked as judges: one JSON value in, one out.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

/// What a judge of `tests/node/judges` answers; it trusts the certificate authority of a file beside its own. Blocks.
pub(crate) fn judge(name: &str, asked: &Value, authority: Option<&Path>) -> Value {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/node");
    let mut command = Command::new("node");
    command.arg(format!("judges/{name}.mjs")).current_dir(folder);
    if let Some(authority) = authority {
        command.env("NODE_EXTRA_CA_CERTS", authority);
    }
    let mut node = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut input = node.stdin.take().unwrap();
    input.write_all(asked.to_string().as_bytes()).unwrap();
    drop(input);
    let output = node.wait_with_output().unwrap();
    assert!(output.status.success(), "{name}: {}", output.status);
    serde_json::from_slice(&output.stdout).unwrap()
}
