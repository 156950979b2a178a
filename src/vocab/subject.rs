//! Whom a statement is about, or by: the names that a record may use, each with one canonical text.
//!
//! | name | canonical text |
//! |---|---|
//! | an agent | `eip155:8453:0x8004…:22` |
//! | an account, also as did:pkh | `eip155:8453:0x…` |
//! | any other DID | `did:web:example.org`, the host of a did:web in lower case |
//! | an id that a platform gave | `platform:ORIGIN:ID` |
//!
//! Only the form is read here: whether a DID can be resolved is known to `did`, and which agent a name leads to to `rekey`. Records name
//! their subjects in words that mean something only where they come from; [`Naming`] says where that is, so that no platform can name
//! the players of another.

use std::fmt;
use std::str::FromStr;

use serde::de::{Deserialize, Deserializer, Error as _};
use serde::{Serialize, Serializer};

use super::account::{AccountId, ChainId, shorten};
use super::agent::AgentRef;
use super::origin::OriginName;

/// The longest name that is read, in bytes: that of the longest DID.
const NAME_LEN_MAX: usize = 2048;
/// The longest id of a platform, in bytes.
const PLATFORM_ID_LEN_MAX: usize = 256;
/// What stands before a platform's id in the canonical text.
const PLATFORM: &str = "platform:";

/// Whom a statement is about, or by.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// A registration, whatever its wallet.
    Agent(AgentRef),
    /// An account, whoever's it is.
    Account(AccountId),
    /// A DID that is no account of `eip155`.
    Did(DidName),
    /// What a platform calls somebody. It means nothing elsewhere.
    Platform {
        /// Which platform.
        origin: OriginName,
        /// Its id: printable, at most 256 bytes.
        id: PlatformId,
    },
}

/// The text of a DID. Two of them are the same if every byte is; the host of a did:web is in lower case.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DidName(String);

/// What a platform calls somebody: not empty, no control characters, at most 256 bytes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PlatformId(String);

/// By what a name is read that leaves something out.
#[derive(Clone, Copy, Debug, Default)]
pub struct Naming<'a> {
    /// The platform whose record it stands in: what is no agent, account or DID is one of its ids.
    pub origin: Option<&'a OriginName>,
    /// The chain that a bare address is on.
    pub chain: Option<ChainId>,
}

/// Why a text names nobody.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SubjectError {
    /// It has none of the forms.
    #[error(
        "`{0}` names nobody; write an agent (`eip155:8453:0x…:22`), an account (`eip155:8453:0x…`), a DID, or `platform:ORIGIN:ID`"
    )]
    Malformed(String),
    /// It is empty.
    #[error("the name is empty")]
    Empty,
    /// It is longer than any name.
    #[error("the name has {length} bytes; at most {max} are read")]
    TooLong {
        /// Its length.
        length: usize,
        /// The most that are read.
        max: usize,
    },
    /// It begins as a DID and is none, or is an account with a wrong address.
    #[error("`{0}` begins as a DID and is none that can be read")]
    BadDid(String),
    /// It begins as an agent or account does and is neither.
    #[error("`{0}` begins with `eip155:` and is neither an agent nor an account")]
    BadChainName(String),
}

impl Subject {
    /// Reads a name as a record has it.
    ///
    /// With an origin, a text that is no agent, account or DID is an id of that platform; without one, it must be a name that means the
    /// same everywhere.
    ///
    /// # Errors
    /// Says which form the text began to have, or that it has none. With an origin, only what is empty, too long or not printable fails.
    ///
    /// ```
    /// use hallmark::vocab::{Naming, Subject};
    ///
    /// let games = "games".parse().unwrap();
    /// let naming = Naming { origin: Some(&games), chain: None };
    /// let player = Subject::parse("5f3c", naming).unwrap();
    /// assert_eq!(player.to_string(), "platform:games:5f3c");
    /// let spoofed = Subject::parse("platform:other:5f3c", naming).unwrap();
    /// assert_eq!(spoofed.to_string(), "platform:games:platform:other:5f3c");
    /// ```
    pub fn parse(text: &str, naming: Naming<'_>) -> Result<Self, SubjectError> {
        if text.is_empty() {
            return Err(SubjectError::Empty);
        }
        if text.len() > NAME_LEN_MAX {
            return Err(SubjectError::TooLong { length: text.len(), max: NAME_LEN_MAX });
        }
        let named = Self::named_everywhere(text);
        if let Some(origin) = naming.origin {
            let on_chain = || AccountId::parse(text, naming.chain?).ok().map(Self::Account);
            if let Some(subject) = named.ok().or_else(on_chain) {
                return Ok(subject);
            }
            return Ok(Self::Platform { origin: origin.clone(), id: PlatformId::new(text)? });
        }
        match (named, naming.chain) {
            (Err(SubjectError::Malformed(_)), Some(chain)) => AccountId::parse(text, chain)
                .map(Self::Account)
                .or_else(|_| Self::of_platform(text)),
            (Err(SubjectError::Malformed(_)), None) => Self::of_platform(text),
            (named, _) => named,
        }
    }

    /// Reads a name that means the same wherever it stands.
    fn named_everywhere(text: &str) -> Result<Self, SubjectError> {
        if text.starts_with("did:pkh:eip155:") {
            // Its own chain is always named, so the default is never taken.
            let account = AccountId::parse(text, ChainId(0)).map(Self::Account);
            return account.map_err(|_| SubjectError::BadDid(shorten(text)));
        }
        if text.starts_with("did:") {
            let did = DidName::new(text).map(Self::Did);
            return did.ok_or_else(|| SubjectError::BadDid(shorten(text)));
        }
        if text.starts_with("eip155:") {
            let agent = AgentRef::parse_full(text).map(Self::Agent);
            let account = || AccountId::parse(text, ChainId(0)).ok().map(Self::Account);
            return agent.or_else(account).ok_or_else(|| SubjectError::BadChainName(shorten(text)));
        }
        Err(SubjectError::Malformed(shorten(text)))
    }

    fn of_platform(text: &str) -> Result<Self, SubjectError> {
        let (origin, id) =
            split_platform(text).ok_or_else(|| SubjectError::Malformed(shorten(text)))?;
        Ok(Self::Platform { origin, id: PlatformId::new(id)? })
    }

    /// The word for the kind of name, in answers and filters.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Agent(_) => "agent",
            Self::Account(_) => "account",
            Self::Did(_) => "did",
            Self::Platform { .. } => "platform",
        }
    }

    /// The same as a URI, for where only URIs may stand: an account is a did:pkh, and of a platform's id every sign that is not a
    /// letter, a digit or one of `-._~` is percent-encoded.
    #[must_use]
    pub fn to_uri(&self) -> String {
        match self {
            Self::Account(account) => format!("did:pkh:{account}"),
            Self::Platform { origin, id } => format!("{PLATFORM}{origin}:{}", percent(&id.0)),
            Self::Agent(_) | Self::Did(_) => self.to_string(),
        }
    }
}

fn split_platform(text: &str) -> Option<(OriginName, &str)> {
    let (origin, id) = text.strip_prefix(PLATFORM)?.split_once(':')?;
    Some((origin.parse().ok()?, id))
}

fn percent(text: &str) -> String {
    use fmt::Write as _;
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            encoded.push(char::from(byte));
        } else {
            // Writing into a string cannot fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

impl DidName {
    /// Reads the syntax of DID Core 1.0, section 3.1; a path, query or fragment is none of it.
    fn new(text: &str) -> Option<Self> {
        let (method, id) = text.strip_prefix("did:")?.split_once(':')?;
        let is_method = !method.is_empty()
            && method.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
        let is_id = !id.is_empty()
            && !id.ends_with(':')
            && id.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-:%".contains(&b));
        if !(is_method && is_id) {
            return None;
        }
        if method != "web" {
            return Some(Self(text.to_owned()));
        }
        // Letter case means nothing in the host and the port's colon, and something in the path.
        let (host, path) = id.find(':').map_or((id, ""), |at| id.split_at(at));
        let host = host.to_ascii_lowercase().replace("%3a", "%3A");
        Some(Self(format!("did:web:{host}{path}")))
    }

    /// Its text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl PlatformId {
    fn new(text: &str) -> Result<Self, SubjectError> {
        let length = text.len();
        if length > PLATFORM_ID_LEN_MAX {
            return Err(SubjectError::TooLong { length, max: PLATFORM_ID_LEN_MAX });
        }
        if text.is_empty() || text.chars().any(char::is_control) {
            return Err(SubjectError::Malformed(shorten(text)));
        }
        Ok(Self(text.to_owned()))
    }

    /// Its text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Subject {
    /// The canonical text.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Agent(agent) => agent.fmt(f),
            Self::Account(account) => account.fmt(f),
            Self::Did(did) => f.write_str(&did.0),
            Self::Platform { origin, id } => write!(f, "{PLATFORM}{origin}:{}", id.0),
        }
    }
}

impl FromStr for Subject {
    type Err = SubjectError;

    /// Reads the canonical text, and every other that means the same everywhere.
    fn from_str(text: &str) -> Result<Self, SubjectError> {
        Self::parse(text, Naming::default())
    }
}

impl Serialize for Subject {
    /// The canonical text.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Reads the canonical text alone: what is hashed and signed has one name for one thing.
impl<'de> Deserialize<'de> for Subject {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let subject: Self = text.parse().map_err(D::Error::custom)?;
        let canonical = subject.to_string();
        if canonical == text {
            return Ok(subject);
        }
        Err(D::Error::custom(format!("write it as `{canonical}`")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADDRESS: &str = "0x8004A169FB4a3325136EB29fA0ceB6D2e539a432";

    fn canonical(text: &str) -> Result<String, SubjectError> {
        let subject: Subject = text.parse()?;
        let canonical = subject.to_string();
        assert_eq!(canonical.parse(), Ok(subject), "{text}: one canonical text");
        Ok(canonical)
    }

    #[test]
    fn every_name_has_one_canonical_text() {
        let account = format!("eip155:8453:{ADDRESS}");
        let agent = format!("{account}:22");
        for (text, expected) in [
            (agent.clone(), agent.as_str()),
            (agent.to_lowercase(), &agent),
            (format!("eip155:8453/erc721:{ADDRESS}/22"), &agent),
            (account.clone(), &account),
            (format!("did:pkh:eip155:8453:{}", ADDRESS.to_lowercase()), &account),
            (
                "did:web:Example.ORG%3a8443:Agents:1".to_owned(),
                "did:web:example.org%3A8443:Agents:1",
            ),
            ("did:key:z6MkAbC".to_owned(), "did:key:z6MkAbC"),
            ("did:plc:ewvi7nxzyoun6zhxrhs64oiz".to_owned(), "did:plc:ewvi7nxzyoun6zhxrhs64oiz"),
            ("did:pkh:solana:4sGjMW:CKg5d".to_owned(), "did:pkh:solana:4sGjMW:CKg5d"),
            ("platform:games:Ada: 1".to_owned(), "platform:games:Ada: 1"),
        ] {
            assert_eq!(canonical(&text).as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_names_nobody_is_refused_by_name() {
        let long = "did:web:".to_owned() + &"a".repeat(3_000);
        for text in [
            "",
            "22",
            "ada",
            ADDRESS,
            "did:",
            "did:web",
            "did:web:",
            "did:web:a:",
            "did:web:a/b",
            "did:web:a#key",
            "did:Web:a",
            "did:pkh:eip155:8453:0x12",
            "did:pkh:eip155:08453:0x8004A169FB4a3325136EB29fA0ceB6D2e539a432",
            "eip155:8453",
            "eip155:8453:0x12:1",
            "eip155:8453:0x8004A169FB4a3325136EB29fA0ceB6D2e539a432:022",
            "platform:",
            "platform:games",
            "platform:games:",
            "platform:Games:1",
            "platform:games:a\nb",
            "platform::1",
            long.as_str(),
        ] {
            assert!(canonical(text).is_err(), "{text:.60}");
        }
    }

    #[test]
    fn a_platform_names_its_own_ids_alone() {
        let origin: OriginName = "games".parse().unwrap();
        let naming = Naming { origin: Some(&origin), chain: None };
        for (text, expected) in [
            ("22", "platform:games:22"),
            (ADDRESS, "platform:games:0x8004A169FB4a3325136EB29fA0ceB6D2e539a432"),
            ("platform:other:22", "platform:games:platform:other:22"),
            ("tragedy-of-the-commons:system", "platform:games:tragedy-of-the-commons:system"),
            ("did:web:a.example", "did:web:a.example"),
            ("did:nonsense", "platform:games:did:nonsense"),
        ] {
            assert_eq!(Subject::parse(text, naming).unwrap().to_string(), expected);
        }
        for text in ["", "a\0", &"a".repeat(257)] {
            assert!(Subject::parse(text, naming).is_err());
        }
        let on_base = Naming { chain: Some(ChainId(8453)), ..naming };
        assert_eq!(Subject::parse(ADDRESS, on_base).unwrap().kind(), "account");
    }

    #[test]
    fn every_name_is_a_uri_too() {
        for (text, uri) in [
            ("platform:games:Ada 1/é", "platform:games:Ada%201%2F%C3%A9".to_owned()),
            (&format!("eip155:1:{ADDRESS}"), format!("did:pkh:eip155:1:{ADDRESS}")),
            (&format!("eip155:1:{ADDRESS}:7"), format!("eip155:1:{ADDRESS}:7")),
            ("did:web:a.example", "did:web:a.example".to_owned()),
        ] {
            assert_eq!(text.parse::<Subject>().unwrap().to_uri(), uri);
        }
    }

    #[test]
    fn a_kept_name_has_one_text() {
        let read = |text: &str| serde_json::from_value::<Subject>(text.into());
        let agent = format!("eip155:8453:{ADDRESS}:22");
        assert_eq!(read(&agent).unwrap().to_string(), agent);
        assert!(read(&agent.to_lowercase()).unwrap_err().to_string().contains(&agent));
        assert!(read("somebody").is_err());
    }
}
