//! Handles: what human participants are called in their DIDs.
//!
//! Three to twenty letters, digits, `-` and `_`, ASCII alone: signs that look like them in other alphabets cannot get in. Two handles
//! never differ in letter case alone. Names that could pass for the service, its staff or a part of its paths are not given.

use std::fmt;

use super::account::shorten;

const LENGTH_MIN: usize = 3;
const LENGTH_MAX: usize = 20;

/// Names that are not given, in lower case and without `-` and `_`, which do not tell names apart here; nor are their look-alikes.
const RESERVED: &[&str] = &[
    "abuse",
    "account",
    "admin",
    "administrator",
    "agent",
    "agents",
    "all",
    "anonymous",
    "api",
    "billing",
    "character",
    "characters",
    "config",
    "contact",
    "cooperationgames",
    "did",
    "dids",
    "everyone",
    "guest",
    "hallmark",
    "help",
    "helpdesk",
    "host",
    "hostmaster",
    "info",
    "issuer",
    "links",
    "login",
    "mail",
    "me",
    "mod",
    "moderator",
    "mods",
    "nobody",
    "none",
    "null",
    "official",
    "operator",
    "owner",
    "postmaster",
    "registry",
    "reserved",
    "root",
    "security",
    "service",
    "somebody",
    "staff",
    "status",
    "support",
    "sysadmin",
    "system",
    "team",
    "undefined",
    "unknown",
    "user",
    "webmaster",
    "wellknown",
    "www",
];

/// A handle as its owner writes it. Text form: itself.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Handle(String);

/// Why a text is not a handle.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HandleError {
    /// Too short or too long.
    #[error("a handle has {LENGTH_MIN} to {LENGTH_MAX} signs, and `{shown}` has {length}")]
    Length {
        /// The text, shortened.
        shown: String,
        /// How many signs it has.
        length: usize,
    },
    /// A sign that no handle has.
    #[error(
        "a handle has only the letters a to z and A to Z, digits, `-` and `_`; `{}` (U+{:04X}) is none of them",
        sign.escape_debug(),
        u32::from(*sign)
    )]
    Sign {
        /// The first such sign.
        sign: char,
    },
}

impl Handle {
    /// Reads a handle.
    ///
    /// # Errors
    /// Names the first thing that is wrong. Whether it is reserved or taken is another question.
    pub fn parse(text: &str) -> Result<Self, HandleError> {
        let is_sign = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        if let Some(sign) = text.chars().find(|c| !is_sign(c)) {
            return Err(HandleError::Sign { sign });
        }
        let length = text.len();
        if (LENGTH_MIN..=LENGTH_MAX).contains(&length) {
            Ok(Self(text.to_owned()))
        } else {
            Err(HandleError::Length { shown: shorten(text), length })
        }
    }

    /// As its owner writes it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What no two handles may share.
    #[must_use]
    pub fn folded(&self) -> String {
        self.0.to_ascii_lowercase()
    }

    /// Whether it is a name that is not given, or could be read as one: with other signs for its letters, or in the plural.
    #[must_use]
    pub fn is_reserved(&self) -> bool {
        let plain = self.folded().replace(['-', '_'], "");
        let joined = plain.replace("rn", "m").replace("vv", "w");
        plain.is_empty()
            || RESERVED.iter().any(|name| reads_as(&plain, name) || reads_as(&joined, name))
    }
}

/// Whether a text can be read as a name, or as several of them.
fn reads_as(text: &str, name: &str) -> bool {
    let (text, name) = (text.as_bytes(), name.as_bytes());
    // Of two or three letters one alone is too much of the name: Ali is not `all`.
    let is_long = name.len() > LENGTH_MIN;
    let is_same = |text: &[u8]| {
        let mut pairs = text.iter().zip(name);
        text.len() == name.len() && pairs.all(|(sign, letter)| looks_like(*sign, *letter, is_long))
    };
    let singular = text.strip_suffix(b"s").or_else(|| text.strip_suffix(b"5"));
    is_same(text) || (name.len() >= LENGTH_MIN && singular.is_some_and(is_same))
}

/// Whether a sign can be read as a letter. A capital I looks like an l, which is why these two are one in a longer name.
const fn looks_like(sign: u8, letter: u8, is_long: bool) -> bool {
    match (sign, letter) {
        (b'0', b'o')
        | (b'1', b'i' | b'l')
        | (b'3', b'e')
        | (b'4', b'a')
        | (b'5', b's')
        | (b'7', b't')
        | (b'8', b'b')
        | (b'9', b'g') => true,
        (b'i', b'l') | (b'l', b'i') => is_long,
        _ => sign == letter,
    }
}

impl fmt::Display for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn handles_are_plain_and_of_some_length() {
        for text in ["ada", "Ada_1", "a-b", "12345678901234567890", "ZZZ"] {
            assert_eq!(Handle::parse(text).unwrap().as_str(), text);
        }
        for text in ["", "ab", "123456789012345678901", &"a".repeat(10_000)] {
            assert!(matches!(Handle::parse(text), Err(HandleError::Length { .. })), "{text:.30}");
        }
        // A Cyrillic а, a full-width A, a combining accent, an invisible joiner, a dot, a space, a slash, NUL.
        for text in [
            "\u{430}da",
            "\u{ff21}da",
            "a\u{301}da",
            "a\u{200d}da",
            "a.da",
            "a da",
            "a/da",
            "ada\0",
            "ad%61",
        ] {
            let error = Handle::parse(text).unwrap_err();
            assert!(matches!(error, HandleError::Sign { .. }), "{text}: {error}");
            assert!(!error.to_string().contains('\0'));
        }
        assert_eq!(
            Handle::parse("\u{430}da").unwrap_err().to_string(),
            "a handle has only the letters a to z and A to Z, digits, `-` and `_`; `\u{430}` (U+0430) is none of them"
        );
    }

    #[test]
    fn names_that_could_pass_for_the_service_are_not_given() {
        for text in
            ["admin", "ADMIN", "Ad-Min", "_admin_", "hallmark", "well-known", "did", "---", "___"]
        {
            assert!(Handle::parse(text).unwrap().is_reserved(), "{text}");
        }
        for text in ["ada", "administer", "agent22"] {
            assert!(!Handle::parse(text).unwrap().is_reserved(), "{text}");
        }
        let plain = |c: char| c.is_ascii_lowercase();
        assert!(RESERVED.is_sorted() && RESERVED.iter().all(|name| name.chars().all(plain)));
    }

    #[test]
    fn names_that_look_like_those_are_not_given() {
        // Digits and letters that look like others, the plural, and what separates: each rule once at least.
        for text in [
            "admins",
            "Adm1ns",
            "adm-ins",
            "a_d_m_i_n_s",
            "supp0rt",
            "SUPP0RT5",
            "0perator",
            "0perat0r5",
            "HaIlmark",
            "hai1mark",
            "ha11mark",
            "he1p",
            "heIp",
            "r00t",
            "5ecurity",
            "5y5t3m",
            "t3am",
            "4dmin",
            "roo7",
            "8illing",
            "9uest",
            "adrnin",
            "5taff5",
            "vvebmaster",
            "m0d",
            "mod5",
            "d1d",
            "a11",
            "0fficia1",
            "moderat0rs",
            "p0stmaster",
            "n0body",
            "syst3ms",
            "hallmarks",
        ] {
            assert!(Handle::parse(text).unwrap().is_reserved(), "{text}");
        }
        for text in [
            "ali",
            "Ail",
            "dld",
            "ada5",
            "mes",
            "adm",
            "helper",
            "roo",
            "supporter",
            "agent007",
            "linked",
            "0x5taff0",
            "ross",
            "stat",
            "modem",
            "halmark",
            "teamwork",
            "Ernest",
            "barn",
            "www2",
        ] {
            assert!(!Handle::parse(text).unwrap().is_reserved(), "{text}");
        }
    }
}
