//! What `docs/delegation.md` prints of envelopes is what is signed: its examples are those of a vector, and its text is the one that a wallet shows.

use std::fs;
use std::path::Path;

use hallmark::attest::record_statement::text;
use hallmark::attest::{TypedRecord, envelope};
use serde_json::{Value, json};

use super::build::BASE;
use super::vectors::committed;

/// The blocks of code of the page's part on envelopes, of one language.
fn blocks(language: &str) -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/delegation.md");
    let page = fs::read_to_string(path).unwrap();
    let part = page.split("\n## ").find(|part| part.starts_with("Envelopes\n")).unwrap();
    let fence = format!("```{language}\n");
    let blocks = part.split(&fence).skip(1).map(|rest| rest.split("\n```").next().unwrap());
    blocks.map(str::to_owned).collect()
}

#[test]
fn every_form_of_envelope_is_printed_whole() {
    let vector = committed("valid").remove("every-form").unwrap();
    let sealed = vector.document["envelopes"].as_array().unwrap();
    let there: Vec<&str> =
        sealed.iter().map(|sealed| sealed["envelope"].as_str().unwrap()).collect();
    let (mut printed, texts) = (blocks("json"), blocks("text"));
    let [shown, jwt] = texts.as_slice() else { panic!("{texts:?}") };
    printed.push(jwt.clone());
    let forms: Vec<&str> = printed
        .iter()
        .map(|block| {
            assert!(there.contains(&block.as_str()), "{block} is not in the vector");
            let read = envelope::Envelope::read(block.clone().into_bytes(), 1 << 17).unwrap();
            read.form().as_str()
        })
        .collect();
    assert_eq!(forms, ["eip712", "eip191", "dsse", "data-integrity", "vc+jwt"]);
    // The text is that of the envelope below it, without a line feed at its end.
    let signed: Value = serde_json::from_str(&printed[1]).unwrap();
    let record = TypedRecord::from_value(signed["record"].clone()).unwrap();
    assert_eq!(*shown, text(&record, BASE));
    assert_eq!(signed["type"], json!("eip191"));
}
