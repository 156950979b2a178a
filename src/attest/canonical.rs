//! JSON that means one thing: read strictly, and written in one way (RFC 8785).
//!
//! Readers of JSON differ in what they make of a key that stands twice, of a number with more digits than theirs have, of a thousand
//! brackets. What is signed or hashed must not depend on the reader, so all of these are refused, by name, before anybody looks at the
//! content. A number passes if what RFC 8785 writes for it has the same value, or if it is a fraction of at most 17 digits, which is how
//! many programs write what others write shorter: `0.10` and `0.10000000000000001` do, `1e400` and `9007199254740993` do not. Numbers that
//! we define ourselves are held to more ([`integer`]).
//!
//! Nothing else here knows what a record is.

use std::cell::Cell;
use std::fmt;

use serde::de::{DeserializeSeed, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use super::decimal::Decimal;
use crate::vocab::{Digest, shorten};

/// How many arrays and objects may stand inside each other.
pub const DEPTH_MAX: usize = 64;
/// The largest whole number, of either sign, in a field that is ours: every reader holds it exactly.
pub const INTEGER_MAX: u64 = 1 << 53;

/// Why bytes are not JSON that means one thing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JsonError {
    /// Longer than whoever reads allows.
    #[error("the document has {length} bytes; at most {max} are read")]
    TooLong {
        /// Its length.
        length: usize,
        /// The most that are read.
        max: usize,
    },
    /// Not JSON.
    #[error("this is not JSON: {0}")]
    Syntax(String),
    /// A key stands twice in one object.
    #[error("the key `{0}` stands twice in one object: leave one of them out")]
    DuplicateKey(String),
    /// More arrays and objects inside each other than are read.
    #[error("more than {DEPTH_MAX} arrays and objects stand inside each other")]
    TooDeep,
    /// A number that changes its value when it is written again.
    #[error("the number `{0}` has more digits than numbers of JSON keep: write it as a string")]
    Number(String),
}

/// Reads a document of at most `size_max` bytes.
///
/// # Errors
/// Names the first thing that is wrong.
///
/// ```
/// use hallmark::attest::canonical::{read, to_bytes};
///
/// let value = read(br#"{"b": 1.0, "a": "\u0041"}"#, 100).unwrap();
/// assert_eq!(to_bytes(&value).unwrap(), br#"{"a":"A","b":1}"#);
/// assert!(read(br#"{"a":1,"\u0061":2}"#, 100).is_err());
/// ```
pub fn read(bytes: &[u8], size_max: usize) -> Result<Value, JsonError> {
    if bytes.len() > size_max {
        return Err(JsonError::TooLong { length: bytes.len(), max: size_max });
    }
    let fault = Cell::new(None);
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let read = Strict { depth: 0, fault: &fault }
        .deserialize(&mut reader)
        .and_then(|value| reader.end().map(|()| value));
    let value = read.map_err(|error| {
        fault.take().unwrap_or_else(|| JsonError::Syntax(shorten(&error.to_string())))
    })?;
    match literals(bytes).find(|literal| !survives(literal)) {
        Some(literal) => Err(JsonError::Number(shorten(literal))),
        None => Ok(value),
    }
}

/// The bytes that RFC 8785 writes for a value.
///
/// # Errors
/// When a number in it has no value that would survive: what [`read`] gives has none such.
pub fn to_bytes(value: &Value) -> Result<Vec<u8>, JsonError> {
    check_numbers(value)?;
    serde_json_canonicalizer::to_vec(value)
        .map_err(|error| JsonError::Syntax(shorten(&error.to_string())))
}

/// The digest of the bytes that RFC 8785 writes for a value.
///
/// # Errors
/// As [`to_bytes`].
pub fn digest(value: &Value) -> Result<Digest, JsonError> {
    to_bytes(value).map(|bytes| Digest::of(&bytes))
}

/// A whole number in a field that is ours: not negative, at most [`INTEGER_MAX`], as a number or a string of digits.
#[must_use]
pub fn integer(value: &Value) -> Option<u64> {
    let number = match value {
        // `3.0` and `3` are the same number, and canonical bytes say `3`.
        Value::Number(number) => Decimal::parse(&number.to_string())?,
        Value::String(text) => {
            return crate::vocab::canonical_u64(text).filter(|n| *n <= INTEGER_MAX);
        }
        _ => return None,
    };
    let whole = number.scaled(0).filter(|n| *n <= INTEGER_MAX)?;
    (Decimal::parse(&whole.to_string())? == number).then_some(whole)
}

/// Builds a value as serde would, and refuses what serde lets pass.
#[derive(Clone, Copy)]
struct Strict<'a> {
    /// How many arrays and objects it stands in.
    depth: usize,
    /// What was refused, since serde's own errors are texts.
    fault: &'a Cell<Option<JsonError>>,
}

impl Strict<'_> {
    fn refuse<E: serde::de::Error>(self, fault: JsonError) -> E {
        let error = E::custom(&fault);
        self.fault.set(Some(fault));
        error
    }

    fn deeper<E: serde::de::Error>(self) -> Result<Self, E> {
        if self.depth >= DEPTH_MAX {
            return Err(self.refuse(JsonError::TooDeep));
        }
        Ok(Self { depth: self.depth + 1, ..self })
    }
}

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Value;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value of JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom("number out of range"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let inside = self.deeper()?;
        let mut array = Vec::new();
        while let Some(item) = items.next_element_seed(inside)? {
            array.push(item);
        }
        Ok(Value::Array(array))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let inside = self.deeper()?;
        let mut object = Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            if object.contains_key(&key) {
                return Err(self.refuse(JsonError::DuplicateKey(shorten(&key))));
            }
            let value = entries.next_value_seed(inside)?;
            object.insert(key, value);
        }
        Ok(Value::Object(object))
    }
}

/// The numbers of a document that is known to be JSON, as they are written.
fn literals(document: &[u8]) -> impl Iterator<Item = &str> {
    let is_number = |byte: &u8| byte.is_ascii_digit() || b"-+.eE".contains(byte);
    let mut rest = document;
    std::iter::from_fn(move || {
        loop {
            match rest {
                [] => return None,
                [b'"', tail @ ..] => rest = after_string(tail),
                [b'-' | b'0'..=b'9', ..] => {
                    let length = rest.iter().take_while(|byte| is_number(byte)).count();
                    let (literal, tail) = rest.split_at(length);
                    rest = tail;
                    return std::str::from_utf8(literal).ok();
                }
                // Letters of `true`, `false` and `null` begin no number.
                [_, tail @ ..] => rest = tail,
            }
        }
    })
}

/// What follows on a string, from behind its first quotation mark.
fn after_string(mut rest: &[u8]) -> &[u8] {
    loop {
        rest = match rest {
            [] => return rest,
            [b'"', tail @ ..] => return tail,
            [b'\\', _, tail @ ..] | [_, tail @ ..] => tail,
        };
    }
}

/// Whether the number that is written again is the number that was meant.
fn survives(literal: &str) -> bool {
    let is_short = literal.strip_prefix('-').unwrap_or(literal).len() <= 15;
    if is_short && literal.bytes().all(|b| b.is_ascii_digit() || b == b'-') {
        return true;
    }
    let number: Option<Number> = serde_json::from_str(literal).ok();
    let written = number.and_then(|number| serde_json_canonicalizer::to_string(&number).ok());
    let written = written.and_then(|written| Decimal::parse(&written));
    match (Decimal::parse(literal), written) {
        (Some(meant), Some(written)) => meant == written || meant.rounds_to(&written),
        _ => false,
    }
}

fn check_numbers(value: &Value) -> Result<(), JsonError> {
    match value {
        Value::Number(number) => {
            let text = number.to_string();
            if survives(&text) { Ok(()) } else { Err(JsonError::Number(text)) }
        }
        Value::Array(items) => items.iter().try_for_each(check_numbers),
        Value::Object(entries) => entries.values().try_for_each(check_numbers),
        Value::Null | Value::Bool(_) | Value::String(_) => Ok(()),
    }
}

#[cfg(test)]
#[path = "canonical_tests.rs"]
mod tests;
