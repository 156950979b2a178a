//! The JSON Schema of records and documents, by somebody else's validator: it takes all that is read here, and refuses what has another form.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use super::vectors::committed;

fn judged(values: &[(&str, Value)]) -> Vec<Option<String>> {
    judged_by("docs/delegation.schema.json", values)
}

/// What Ajv says of each value by a schema that is committed: nothing, or what is wrong.
pub(crate) fn judged_by(schema: &str, values: &[(&str, Value)]) -> Vec<Option<String>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let schema = std::fs::read(root.join(schema)).unwrap();
    let schema: Value = serde_json::from_slice(&schema).unwrap();
    let values: Vec<Value> =
        values.iter().map(|(of, value)| json!({ "of": of, "value": value })).collect();
    let mut node = Command::new("node")
        .arg("judges/schema.mjs")
        .current_dir(root.join("tests/node"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = node.stdin.take().unwrap();
    input.write_all(json!({ "schema": schema, "values": values }).to_string().as_bytes()).unwrap();
    drop(input);
    let output = node.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", output.status);
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The record in an envelope of any form.
fn record(envelope: &str) -> Value {
    if envelope.starts_with("ey") {
        let payload = URL_SAFE_NO_PAD.decode(envelope.split('.').nth(1).unwrap()).unwrap();
        let payload: Value = serde_json::from_slice(&payload).unwrap();
        return payload["credentialSubject"]["record"].clone();
    }
    let envelope: Value = serde_json::from_str(envelope).unwrap();
    if let Some(payload) = envelope["payload"].as_str() {
        return serde_json::from_slice(&STANDARD.decode(payload).unwrap()).unwrap();
    }
    let of_credential = envelope.pointer("/credentialSubject/record");
    of_credential.unwrap_or(&envelope["record"]).clone()
}

#[test]
fn ajv_takes_all_valid_vectors_by_the_schema() {
    let (mut values, mut names) = (Vec::new(), Vec::new());
    for (name, vector) in committed("valid") {
        for sealed in vector.document["envelopes"].as_array().unwrap() {
            values.push(("#/$defs/record", record(sealed["envelope"].as_str().unwrap())));
            names.push(format!("a record of {name}"));
        }
        values.push(("#/$defs/document", vector.document));
        names.push(name);
    }
    assert!(values.len() > 150, "{}", values.len());
    for ((wrong, name), (_, value)) in judged(&values).iter().zip(&names).zip(&values) {
        assert_eq!(*wrong, None, "{name}: {value}");
    }
}

#[test]
fn ajv_refuses_what_has_another_form() {
    let all = committed("invalid");
    let record_of = |name: &str| {
        let vector = all.get(name).unwrap_or_else(|| panic!("no vector {name}"));
        record(vector.document["envelopes"][0]["envelope"].as_str().unwrap())
    };
    let records = [
        "unknown-field",
        "missing-field",
        "null-field",
        "unknown-kind",
        "fraction",
        "capability-out-of-range",
        "negative-capability",
    ];
    let documents = ["document-other-schema", "document-unknown-field"];
    let mut values: Vec<_> =
        records.iter().map(|name| ("#/$defs/record", record_of(name))).collect();
    values.extend(documents.iter().map(|name| ("#/$defs/document", all[*name].document.clone())));
    for (wrong, name) in judged(&values).iter().zip(records.iter().chain(&documents)) {
        assert!(wrong.is_some(), "{name} passes");
    }
}
