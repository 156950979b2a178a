//! The syntax of DIDs (DID Core 1.0, section 3.1), bounded.
//!
//! What a method makes of its identifier is in that method's file. Texts are ASCII by the grammar itself: letters that look alike in
//! other alphabets never get in.

use std::fmt;

use super::DidError;

/// The longest DID that is read, in bytes. The longest of ours has 330: a host of 253, a port, a chain and an agent id of 78 digits.
pub(super) const DID_LEN_MAX: usize = 2048;

/// A DID: `did:`, a method, and what identifies within it. No path, query or fragment.
///
/// Two DIDs are the same only if every byte is; methods know forms that mean the same (`web::WebDid`, `pkh::parse`).
///
/// ```
/// use hallmark::did::Did;
///
/// let did = Did::parse("did:web:example.org:agents:8453:22").unwrap();
/// assert_eq!((did.method(), did.id()), ("web", "example.org:agents:8453:22"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Did {
    text: String,
    /// How long the method's name is.
    method_len: usize,
}

const SCHEME: &str = "did:";

impl Did {
    /// Reads a DID.
    ///
    /// # Errors
    /// Names the first thing that is wrong.
    pub fn parse(text: &str) -> Result<Self, DidError> {
        let length = text.len();
        if length > DID_LEN_MAX {
            return Err(DidError::TooLong { length, max: DID_LEN_MAX });
        }
        let rest = text.strip_prefix(SCHEME).ok_or(DidError::NoScheme)?;
        let (method, id) = rest.split_once(':').ok_or(DidError::BadMethod)?;
        let is_method_sign = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
        if method.is_empty() || !method.bytes().all(is_method_sign) {
            return Err(DidError::BadMethod);
        }
        check_id(id, length - id.len())?;
        Ok(Self { text: text.to_owned(), method_len: method.len() })
    }

    /// The method's name.
    pub fn method(&self) -> &str {
        self.text.get(SCHEME.len()..SCHEME.len() + self.method_len).unwrap_or_default()
    }

    /// What identifies within the method.
    pub fn id(&self) -> &str {
        self.text.get(SCHEME.len() + self.method_len + 1..).unwrap_or_default()
    }

    /// The whole text.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for Did {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Checks a method-specific identifier that begins at byte `start` of its DID.
fn check_id(id: &str, start: usize) -> Result<(), DidError> {
    for (i, sign) in id.char_indices() {
        let at = start + i;
        match sign {
            'a'..='z' | 'A'..='Z' | '0'..='9' | '.' | '-' | '_' | ':' => {}
            '%' => check_percent(id, i, at)?,
            '/' | '?' | '#' => return Err(DidError::Url(sign)),
            other => {
                let shown = other.escape_default().to_string();
                return Err(DidError::BadCharacter { shown, at });
            }
        }
    }
    if id.is_empty() || id.ends_with(':') { Err(DidError::NoIdentifier) } else { Ok(()) }
}

/// Checks that the `%` at byte `i` of a text, which is byte `at` of the whole, has two hex digits.
pub(super) fn check_percent(text: &str, i: usize, at: usize) -> Result<(), DidError> {
    let is_hex = |j: usize| text.as_bytes().get(j).is_some_and(u8::is_ascii_hexdigit);
    if is_hex(i + 1) && is_hex(i + 2) { Ok(()) } else { Err(DidError::BadPercent { at }) }
}

/// Undoes percent-encoding, once. A `%` without two hex digits stays what it is.
pub fn decode(text: &str) -> Vec<u8> {
    let bytes = text.as_bytes();
    let digit = |at: usize| {
        let digit = bytes.get(at).and_then(|byte| char::from(*byte).to_digit(16));
        digit.and_then(|digit| u8::try_from(digit).ok())
    };
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let pair = digit(at + 1).zip(digit(at + 2)).filter(|_| *byte == b'%');
        decoded.push(pair.map_or(*byte, |(high, low)| high << 4 | low));
        at += if pair.is_some() { 3 } else { 1 };
    }
    decoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dids_come_apart() {
        for (text, method, id) in [
            ("did:web:example.org", "web", "example.org"),
            ("did:web:localhost%3a8004:agents:1:2", "web", "localhost%3a8004:agents:1:2"),
            ("did:example:a::b", "example", "a::b"),
            ("did:3:_-.%00", "3", "_-.%00"),
        ] {
            let did = Did::parse(text).unwrap();
            assert_eq!((did.method(), did.id(), did.as_str()), (method, id, text));
        }
    }

    #[test]
    fn percent_encoding_is_undone_once() {
        for (text, expected) in [
            ("", ""),
            ("a%20b%2Fc", "a b/c"),
            ("%252e", "%2e"),
            ("%", "%"),
            ("%4", "%4"),
            ("%zz%41", "%zzA"),
            ("%%41", "%A"),
            ("a+b", "a+b"),
        ] {
            assert_eq!(decode(text), expected.as_bytes(), "{text}");
        }
        assert_eq!(decode("%ff"), [0xff]);
    }

    #[test]
    fn each_fault_has_its_name() {
        let bad = |shown: &str, at| DidError::BadCharacter { shown: shown.to_owned(), at };
        let long = format!("did:web:{}", "a".repeat(10_000));
        for (text, expected) in [
            ("", DidError::NoScheme),
            ("not-a-did", DidError::NoScheme),
            ("DID:web:a", DidError::NoScheme),
            (" did:web:a", DidError::NoScheme),
            ("did:example", DidError::BadMethod),
            ("did::a", DidError::BadMethod),
            ("did:Web:a", DidError::BadMethod),
            ("did:wéb:a", DidError::BadMethod),
            ("did:web:", DidError::NoIdentifier),
            ("did:web:a:", DidError::NoIdentifier),
            ("did:web:a/b", DidError::Url('/')),
            ("did:web:a?versionId=1", DidError::Url('?')),
            ("did:web:a#key", DidError::Url('#')),
            ("did:web:a b", bad(" ", 9)),
            ("did:web:a\0", bad("\\u{0}", 9)),
            ("did:web:аda", bad("\\u{430}", 8)),
            ("did:web:[::1]", bad("[", 8)),
            ("did:web:a@b", bad("@", 9)),
            ("did:web:a%", DidError::BadPercent { at: 9 }),
            ("did:web:a%4", DidError::BadPercent { at: 9 }),
            ("did:web:a%zz", DidError::BadPercent { at: 9 }),
            (long.as_str(), DidError::TooLong { length: 10_008, max: DID_LEN_MAX }),
        ] {
            assert_eq!(Did::parse(text), Err(expected), "{text:.40}");
        }
    }
}
