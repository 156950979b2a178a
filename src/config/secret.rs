//! Private keys and passphrases: texts that nothing shows.

use std::fmt;

use serde_json::Value as Json;
use zeroize::Zeroizing;

use super::layer::Raw;
use super::value::Setting;

/// What stands in place of a secret.
const HIDDEN: &str = "(hidden)";

/// A text that shows itself to nobody, and is overwritten when it is dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// The text: for whoever opens or signs with it, never for a message.
    pub fn expose(&self) -> &Zeroizing<String> {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(HIDDEN)
    }
}

impl Setting for Option<Secret> {
    fn read(raw: &Raw) -> Result<Self, String> {
        match raw {
            Raw::Text(word) if word == "none" => Ok(None),
            Raw::Text(text) if !text.is_empty() => Ok(Some(Secret(Zeroizing::new(text.clone())))),
            _ => Err("expected a text that is not empty, or `none` (the value is not shown: it is a secret)".to_owned()),
        }
    }

    fn shown(&self) -> Json {
        Json::from(if self.is_some() { HIDDEN } else { "none" })
    }
}
