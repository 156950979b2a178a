//! JSON that can be read one way only: no key twice, not too deep.
//!
//! Readers of JSON take the first or the last of two equal keys as they like, so a file that has them says different things to different
//! readers. It is not read at all.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use super::{Flaw, FlawKind};
use crate::vocab::shorten;

/// So deep may lists and objects stand within each other.
const DEPTH_MAX: usize = 64;
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// The object that some bytes are.
///
/// # Errors
/// When they are not JSON, or JSON that could be read in two ways, or not an object.
pub(super) fn object(bytes: &[u8], flaws: &mut Vec<Flaw>) -> Result<Map<String, Value>, Flaw> {
    let marked = bytes.strip_prefix(BYTE_ORDER_MARK);
    if marked.is_some() {
        flaws.push(wrong("the file begins with a byte order mark"));
    }
    let text = std::str::from_utf8(marked.unwrap_or(bytes))
        .map_err(|error| wrong(&format!("not UTF-8 from byte {} on", error.valid_up_to())))?;
    let mut reader = serde_json::Deserializer::from_str(text);
    let value = Strict { depth: 0 }.deserialize(&mut reader);
    let value = value.and_then(|value| reader.end().map(|()| value));
    match value.map_err(|error| wrong(&format!("not JSON: {error}")))? {
        Value::Object(members) => Ok(members),
        _ => Err(wrong("not a JSON object")),
    }
}

fn wrong(detail: &str) -> Flaw {
    Flaw::new(FlawKind::Json, detail)
}

/// Reads a value that stands so deep.
#[derive(Clone, Copy)]
struct Strict {
    depth: usize,
}

impl Strict {
    fn deeper<E: Error>(self) -> Result<Self, E> {
        if self.depth < DEPTH_MAX {
            return Ok(Self { depth: self.depth + 1 });
        }
        Err(E::custom(format_args!("deeper than {DEPTH_MAX}")))
    }
}

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let within = self.deeper()?;
        let mut values = Vec::new();
        while let Some(value) = seq.next_element_seed(within)? {
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let within = self.deeper()?;
        let mut members = Map::new();
        while let Some(key) = map.next_key::<String>()? {
            if members.contains_key(&key) {
                let key = shorten(&key);
                return Err(A::Error::custom(format_args!("the key `{key}` stands twice")));
            }
            let value = map.next_value_seed(within)?;
            members.insert(key, value);
        }
        Ok(Value::Object(members))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &[u8]) -> Result<Map<String, Value>, String> {
        object(text, &mut Vec::new()).map_err(|flaw| flaw.detail)
    }

    #[test]
    fn what_is_read_is_what_stands_there() {
        let text = r#" {"a": [1, -2, 3.5, true, null, "x\u0000"], "b": {"a": {}}} "#;
        let expected: Value = serde_json::from_str(text).unwrap();
        assert_eq!(Value::Object(read(text.as_bytes()).unwrap()), expected);
        let deep = format!("{{\"a\":{}{}}}", "[".repeat(63), "]".repeat(63));
        assert!(read(deep.as_bytes()).is_ok());
        assert!(read(b"\xef\xbb\xbf{}").is_ok());
    }

    #[test]
    fn what_could_be_read_in_two_ways_is_not_read() {
        let deep = format!("{{\"a\":{}{}}}", "[".repeat(64), "]".repeat(64));
        let very_deep = "[".repeat(1_000_000);
        for (text, says) in [
            (br#"{"a": 1, "a": 1}"#.as_slice(), "`a` stands twice"),
            (br#"{"b": {"a": 1, "c": 2, "a": 3}}"#, "`a` stands twice"),
            (br#"{"a": 1, "\u0061": 1}"#, "`a` stands twice"),
            (b"[]", "object"),
            (b"\"x\"", "object"),
            (b"", "not JSON"),
            (b"{} x", "not JSON"),
            (b"{\"a\": NaN}", "not JSON"),
            (b"{\"a\": \"\xff\"}", "not UTF-8 from byte 7"),
            (b"{'a': 1}", "not JSON"),
            (b"<html>", "not JSON"),
            (deep.as_bytes(), "deeper than 64"),
            (very_deep.as_bytes(), "deeper"),
        ] {
            let said = read(text).unwrap_err();
            assert!(
                said.contains(says),
                "{}: {said}",
                String::from_utf8_lossy(&text[..text.len().min(40)])
            );
        }
    }
}
