//! Sign-In with Ethereum (EIP-4361), the form that CAIP-122 has for accounts of `eip155`: the text that a wallet shows and signs.
//!
//! What is written is byte for byte what the standard's grammar has. What comes back is never taken apart to be believed: it must be the
//! very text that was given out. [`Stated`] only reads so much of another text that its refusal can say what is wrong with it.

use std::fmt;

use crate::vocab::{AccountId, Handle, UnixSeconds, shorten};

const VERSION: &str = "1";
/// What stands between the domain and the account.
const ASKS: &str = " wants you to sign in with your Ethereum account:";
/// The longest text that is looked at, in bytes; ours have some 600.
pub const TEXT_LEN_MAX: usize = 4096;

/// What a wallet is asked to sign. Shown, it is the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Challenge {
    /// Who asks: host, and port if it is not that of https, as a URL has them.
    pub domain: String,
    /// Whose signature is wanted, and on which chain it is looked at.
    pub account: AccountId,
    /// What signing it does, in one line of printable ASCII.
    pub statement: String,
    /// What it is about: a URI.
    pub uri: String,
    /// Of use once: at least eight letters and digits.
    pub nonce: String,
    /// When it was given out.
    pub issued: UnixSeconds,
    /// From when on it counts no more.
    pub expires: UnixSeconds,
    /// The DIDs that it is about.
    pub resources: Vec<String>,
}

impl fmt::Display for Challenge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let AccountId { chain, address } = self.account;
        writeln!(f, "{}{ASKS}\n{address}\n\n{}\n", self.domain, self.statement)?;
        writeln!(f, "URI: {}\nVersion: {VERSION}\nChain ID: {}", self.uri, chain.0)?;
        writeln!(f, "Nonce: {}\nIssued At: {}", self.nonce, self.issued)?;
        write!(f, "Expiration Time: {}", self.expires)?;
        if !self.resources.is_empty() {
            f.write_str("\nResources:")?;
        }
        self.resources.iter().try_for_each(|resource| write!(f, "\n- {resource}"))
    }
}

/// What signing a challenge does to a character.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// The account becomes one of its wallets.
    Link,
    /// The account is no longer one of its wallets.
    Unlink,
    /// Whoever holds the account, a wallet of the character, gets a new token to manage it.
    Token,
}

impl Purpose {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Link, Self::Unlink, Self::Token];

    /// The word for it in requests and storage.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Link => "link",
            Self::Unlink => "unlink",
            Self::Token => "token",
        }
    }

    /// The purpose that [`as_str`](Self::as_str) names so.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|purpose| purpose.as_str() == word)
    }

    /// What the wallet shows: a statement in the signs that EIP-4361 allows.
    #[must_use]
    pub fn statement(self, handle: &Handle) -> String {
        match self {
            Self::Link => format!("Link this account to the character {handle}."),
            Self::Unlink => format!("Take this account away from the character {handle}."),
            Self::Token => {
                format!(
                    "Give me a new token to manage the character {handle}, instead of the old one."
                )
            }
        }
    }
}

/// What a text says of itself. Nothing of it is believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stated {
    /// Who asks.
    pub domain: String,
    /// Its nonce.
    pub nonce: String,
    /// From when on it counts no more, if it says so.
    pub expires: Option<UnixSeconds>,
}

/// Why a text is no message of EIP-4361.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StatedError {
    /// Longer than any of ours.
    #[error("the message is longer than {TEXT_LEN_MAX} bytes")]
    TooLong,
    /// The first line is another.
    #[error("the message does not begin as EIP-4361 has it: `example.org{ASKS}`")]
    Beginning,
    /// A line is missing.
    #[error("the message has no line `{0}…`")]
    Line(&'static str),
}

impl Stated {
    /// Reads what a text says of itself.
    ///
    /// # Errors
    /// When it is too long, does not begin as a message does, or has no nonce.
    pub fn of(text: &str) -> Result<Self, StatedError> {
        if text.len() > TEXT_LEN_MAX {
            return Err(StatedError::TooLong);
        }
        let first = text.lines().next().unwrap_or_default();
        let domain = first.strip_suffix(ASKS).ok_or(StatedError::Beginning)?;
        // A statement is one line before these, and may not pass for one of them.
        let line = |name: &str| text.lines().skip(4).find_map(|line| line.strip_prefix(name));
        let nonce = line("Nonce: ").ok_or(StatedError::Line("Nonce: "))?;
        let expires = line("Expiration Time: ").and_then(|time| UnixSeconds::parse(time).ok());
        Ok(Self { domain: shorten(domain), nonce: nonce.to_owned(), expires })
    }
}

#[cfg(test)]
mod tests {
    use alloy::primitives::address;

    use super::*;
    use crate::vocab::ChainId;

    fn challenge() -> Challenge {
        let time = |seconds: u64| UnixSeconds::new(1_770_116_913 + seconds).unwrap();
        Challenge {
            domain: "example.org".to_owned(),
            account: AccountId {
                chain: ChainId(8453),
                address: address!("8004A169FB4a3325136EB29fA0ceB6D2e539a432"),
            },
            statement: "Link this account to the character ada.".to_owned(),
            uri: "https://example.org/character/ada/did.json".to_owned(),
            nonce: "0123456789abcdef".to_owned(),
            issued: time(0),
            expires: time(300),
            resources: vec!["did:web:example.org:character:ada".to_owned()],
        }
    }

    #[test]
    fn the_text_is_that_of_the_grammar() {
        let expected = "\
example.org wants you to sign in with your Ethereum account:
0x8004A169FB4a3325136EB29fA0ceB6D2e539a432

Link this account to the character ada.

URI: https://example.org/character/ada/did.json
Version: 1
Chain ID: 8453
Nonce: 0123456789abcdef
Issued At: 2026-02-03T11:08:33Z
Expiration Time: 2026-02-03T11:13:33Z
Resources:
- did:web:example.org:character:ada";
        assert_eq!(challenge().to_string(), expected);
        let without = Challenge { resources: vec![], ..challenge() }.to_string();
        assert!(without.ends_with("\nExpiration Time: 2026-02-03T11:13:33Z"), "{without}");
    }

    #[test]
    fn a_text_says_whose_it_is() {
        let Challenge { domain, nonce, expires, .. } = challenge();
        let stated = Stated { domain, nonce, expires: Some(expires) };
        assert_eq!(Stated::of(&challenge().to_string()), Ok(stated));
        let other = challenge().to_string().replace("example.org wants", "evil.example wants");
        assert_eq!(Stated::of(&other).unwrap().domain, "evil.example");
        for (text, expected) in [
            (String::new(), StatedError::Beginning),
            ("hello".to_owned(), StatedError::Beginning),
            (format!("a.example{ASKS}\n0x\n\nNonce: 12345678"), StatedError::Line("Nonce: ")),
            (challenge().to_string().replace("Nonce", "Once"), StatedError::Line("Nonce: ")),
            ("x".repeat(TEXT_LEN_MAX + 1), StatedError::TooLong),
        ] {
            assert_eq!(Stated::of(&text), Err(expected), "{text:.40}");
        }
    }
}
