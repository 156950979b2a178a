//! The short words of a claim: what is counted together.
//!
//! A claim's data may hold anything. What two records of one kind have in common is in their short texts and booleans (`{"choice":"C"}`,
//! `{"tag":"reliable"}`), and what tells them apart is in numbers, nested values and long texts; so the former are kept as the words under
//! which a record is counted. Numbers are left out, since most of them count rounds.

use serde_json::{Map, Value};

use crate::attest::canonical;

/// The longest text that is a word, in bytes.
pub const WORD_BYTES_MAX: usize = 32;
/// The most bytes of the words of one claim, as JSON.
pub const WORDS_BYTES_MAX: usize = 256;

/// The members of a claim's data that are booleans, or texts of at most [`WORD_BYTES_MAX`] bytes, as RFC 8785 JSON; `None` where there are
/// none, or more than [`WORDS_BYTES_MAX`] bytes of them.
///
/// ```
/// use hallmark::project::words;
///
/// let data = serde_json::json!({"round": 3, "choice": "C", "before": {"vp": 1}});
/// assert_eq!(words(data.as_object().unwrap()).as_deref(), Some(r#"{"choice":"C"}"#));
/// ```
#[must_use]
pub fn words(data: &Map<String, Value>) -> Option<String> {
    let is_word = |value: &Value| match value {
        Value::Bool(_) => true,
        Value::String(text) => text.len() <= WORD_BYTES_MAX,
        Value::Null | Value::Number(_) | Value::Array(_) | Value::Object(_) => false,
    };
    let kept: Map<String, Value> = data
        .iter()
        .filter(|(name, value)| name.len() <= WORD_BYTES_MAX && is_word(value))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    if kept.is_empty() {
        return None;
    }
    let bytes = canonical::to_bytes(&Value::Object(kept)).ok()?;
    String::from_utf8(bytes).ok().filter(|text| text.len() <= WORDS_BYTES_MAX)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(data: &Value, expected: Option<&str>) {
        assert_eq!(words(data.as_object().unwrap()).as_deref(), expected, "{data}");
    }

    #[test]
    fn short_texts_and_booleans_are_words() {
        check(&json!({}), None);
        check(&json!({"n": 1, "f": 0.5, "o": {"a": "b"}, "l": ["x"], "z": null}), None);
        check(&json!({"b": true, "a": "x"}), Some(r#"{"a":"x","b":true}"#));
        check(&json!({"a": "y".repeat(32)}), Some(&format!(r#"{{"a":"{}"}}"#, "y".repeat(32))));
        check(&json!({"a": "y".repeat(33), "b": false}), Some(r#"{"b":false}"#));
    }

    #[test]
    fn many_words_are_none() {
        let many: Map<String, Value> =
            (0..10).map(|i| (format!("key{i}"), json!("y".repeat(30)))).collect();
        assert_eq!(words(&many), None, "a record must not choose how much is counted of it");
    }
}
