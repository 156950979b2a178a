//! Fields of JSON objects that strangers wrote, read with an error that names the field.
//!
//! serde's derived readers would do, but for three things: an error must say what to write instead, an unknown field must be kept in some
//! objects and refused in others, and `null` is nowhere the same as nothing.

use std::str::FromStr;

use serde_json::{Map, Value};

use super::canonical;

/// A field that is missing, or not what it must be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{field}`: {why}")]
pub struct FieldError {
    /// Its name, with those of the objects around it: `claim.type`.
    pub field: String,
    /// What is wrong, and what it must be.
    pub why: String,
}

impl FieldError {
    pub(crate) fn new(field: &str, why: String) -> Self {
        Self { field: field.to_owned(), why }
    }

    /// The same within an object.
    pub(crate) fn of(self, object: &str) -> Self {
        Self { field: format!("{object}.{}", self.field), ..self }
    }
}

type Object = Map<String, Value>;

/// The entries of an object.
pub(crate) fn object(name: &str, value: Value) -> Result<Object, FieldError> {
    match value {
        Value::Object(entries) => Ok(entries),
        _ => Err(FieldError::new(name, "it must be an object".to_owned())),
    }
}

/// The entries of an object within another.
pub(crate) fn inside<'a>(name: &str, value: &'a Value) -> Result<&'a Object, FieldError> {
    value.as_object().ok_or_else(|| FieldError::new(name, "it must be an object".to_owned()))
}

fn missing(name: &str) -> FieldError {
    FieldError::new(name, "it is missing".to_owned())
}

pub(crate) fn required<'a>(object: &'a Object, name: &str) -> Result<&'a Value, FieldError> {
    object.get(name).ok_or_else(|| missing(name))
}

/// A field, taken out.
pub(crate) fn take(object: &mut Object, name: &str) -> Result<Value, FieldError> {
    object.remove(name).ok_or_else(|| missing(name))
}

/// That nothing is left: an object of ours has no fields but those we know.
pub(crate) fn nothing_else(rest: &Object) -> Result<(), FieldError> {
    rest.keys().next().map_or(Ok(()), |key| {
        let why = "there is no such field: leave it out".to_owned();
        Err(FieldError::new(&crate::vocab::shorten(key), why))
    })
}

/// A text of any length.
pub(crate) fn text(object: &Object, name: &str) -> Result<Option<String>, FieldError> {
    match object.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(FieldError::new(name, "it must be a text".to_owned())),
    }
}

pub(crate) fn required_text(object: &Object, name: &str) -> Result<String, FieldError> {
    text(object, name)?.ok_or_else(|| missing(name))
}

/// A text that is something's name: not empty, printable, at most `len_max` bytes.
pub(crate) fn word(
    object: &Object,
    name: &str,
    len_max: usize,
) -> Result<Option<String>, FieldError> {
    let Some(word) = text(object, name)? else { return Ok(None) };
    if word.is_empty() {
        return Err(FieldError::new(name, "it is empty".to_owned()));
    }
    if word.len() > len_max {
        let why = format!("it has {} bytes; at most {len_max} are read", word.len());
        return Err(FieldError::new(name, why));
    }
    if word.chars().any(char::is_control) {
        return Err(FieldError::new(name, "it holds a control character".to_owned()));
    }
    Ok(Some(word))
}

pub(crate) fn required_word(
    object: &Object,
    name: &str,
    len_max: usize,
) -> Result<String, FieldError> {
    word(object, name, len_max)?.ok_or_else(|| missing(name))
}

/// A whole number, as [`canonical::integer`] reads it, but as a number.
pub(crate) fn whole(object: &Object, name: &str) -> Result<Option<u64>, FieldError> {
    let Some(value) = object.get(name) else { return Ok(None) };
    let number = canonical::integer(value).filter(|_| value.is_number());
    number
        .map(Some)
        .ok_or_else(|| FieldError::new(name, "it must be a whole number from 0 to 2^53".to_owned()))
}

/// What a text stands for.
pub(crate) fn parsed<T: FromStr>(object: &Object, name: &str) -> Result<Option<T>, FieldError>
where
    T::Err: std::fmt::Display,
{
    let Some(text) = text(object, name)? else { return Ok(None) };
    text.parse().map(Some).map_err(|error: T::Err| FieldError::new(name, error.to_string()))
}
