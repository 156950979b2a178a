//! Chains and accounts: CAIP-2 and CAIP-10, for the `eip155` namespace.
//!
//! An account is an address on a chain. Letter case never matters on input; output is EIP-55. Whether an account is anybody's
//! wallet is not known here.

use std::fmt;
use std::str::FromStr;

use alloy::primitives::Address;

use super::text::ShortText;

/// A chain, by its EIP-155 number. Text form: CAIP-2, `eip155:8453`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChainId(pub u64);

impl fmt::Display for ChainId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "eip155:{}", self.0)
    }
}

impl ChainId {
    /// The text form of an account on this chain, from its address in EIP-55.
    #[must_use]
    pub fn account_text(self, address: &str) -> AccountText {
        AccountText::joined(&["eip155:", itoa::Buffer::new().format(self.0), ":", address])
    }
}

/// Why a text is not a chain.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a chain; write it as `eip155:8453` or `8453`")]
pub struct ChainParseError(String);

impl FromStr for ChainId {
    type Err = ChainParseError;

    /// Reads `eip155:8453` or `8453`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits = text.strip_prefix("eip155:").unwrap_or(text);
        canonical_u64(digits).map(Self).ok_or_else(|| ChainParseError(shorten(text)))
    }
}

/// An address on a chain. Text form: CAIP-10, `eip155:8453:0x…` with the EIP-55 checksum.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountId {
    /// The chain it lives on.
    pub chain: ChainId,
    /// Its twenty bytes.
    pub address: Address,
}

/// The CAIP-10 text of an account or a contract, held in place: `eip155:`, at most 20 digits, `:`, and the address.
pub type AccountText = ShortText<70>;

/// Why a text is not an account.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not an account; write it as `eip155:8453:0x…`, `did:pkh:eip155:8453:0x…` or `0x…` with 40 hex digits"
)]
pub struct AccountParseError(String);

impl AccountId {
    /// Reads CAIP-10, a `did:pkh`, or a bare address, which is taken to be on `default_chain`.
    ///
    /// # Errors
    /// When the text has another form, names another namespace than `eip155`, or its address is not 20 bytes of hex.
    pub fn parse(text: &str, default_chain: ChainId) -> Result<Self, AccountParseError> {
        let refuse = || AccountParseError(shorten(text));
        let rest = text.strip_prefix("did:pkh:").unwrap_or(text);
        if let Some(address) = parse_address(rest) {
            // A did:pkh always names its chain; `did:pkh:0x…` is not one.
            return if rest.len() == text.len() {
                Ok(Self { chain: default_chain, address })
            } else {
                Err(refuse())
            };
        }
        let (number, address) =
            rest.strip_prefix("eip155:").and_then(|r| r.split_once(':')).ok_or_else(refuse)?;
        Ok(Self {
            chain: canonical_u64(number).map(ChainId).ok_or_else(refuse)?,
            address: parse_address(address).ok_or_else(refuse)?,
        })
    }
}

impl AccountId {
    /// Its text form, held in place.
    #[must_use]
    pub fn to_text(&self) -> AccountText {
        self.chain.account_text(self.address.to_checksum_buffer(None).as_str())
    }
}

impl fmt::Display for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.to_text().as_str())
    }
}

/// An address from `0x` and 40 hex digits, in any letter case.
pub(crate) fn parse_address(text: &str) -> Option<Address> {
    let digits = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"))?;
    if digits.len() == 40 { digits.parse().ok() } else { None }
}

/// A number written the one canonical way: digits only, no sign, no leading zero.
pub(crate) fn canonical_u64(text: &str) -> Option<u64> {
    let canonical = !text.is_empty()
        && text.bytes().all(|b| b.is_ascii_digit())
        && (text.len() == 1 || !text.starts_with('0'));
    if canonical { text.parse().ok() } else { None }
}

/// The part of a hostile text that is fit for an error message: printable, at most 80 characters.
pub(crate) fn shorten(text: &str) -> String {
    let mut short: String =
        text.chars().take(80).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
    if text.chars().nth(80).is_some() {
        short.push('…');
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASE: ChainId = ChainId(8453);
    const ADDRESS: &str = "0x8004A169FB4a3325136EB29fA0ceB6D2e539a432";

    #[test]
    fn every_form_of_an_account_reads_the_same() {
        let expected = format!("eip155:8453:{ADDRESS}");
        for text in [
            ADDRESS.to_owned(),
            ADDRESS.to_lowercase(),
            format!("0X{}", &ADDRESS[2..].to_uppercase()),
            format!("eip155:8453:{}", ADDRESS.to_lowercase()),
            format!("did:pkh:eip155:8453:{ADDRESS}"),
        ] {
            assert_eq!(AccountId::parse(&text, BASE).unwrap().to_string(), expected, "{text}");
        }
    }

    #[test]
    fn what_is_not_an_account_is_refused_by_name() {
        for text in [
            "",
            "0x",
            "0x8004",
            "8004A169FB4a3325136EB29fA0ceB6D2e539a432",
            "eip155:0x8004A169FB4a3325136EB29fA0ceB6D2e539a432",
            "eip155:08453:0x8004A169FB4a3325136EB29fA0ceB6D2e539a432",
            "did:pkh:0x8004A169FB4a3325136EB29fA0ceB6D2e539a432",
            "cosmos:hub:0x8004A169FB4a3325136EB29fA0ceB6D2e539a432",
            "0x8004A169FB4a3325136EB29fA0ceB6D2e539a4zz",
        ] {
            let error = AccountId::parse(text, BASE).unwrap_err();
            assert!(error.to_string().contains(text), "{error}");
        }
    }

    #[test]
    fn chains_have_one_canonical_number() {
        assert_eq!("eip155:8453".parse(), Ok(BASE));
        assert_eq!("8453".parse(), Ok(BASE));
        for text in ["", "+1", "01", "eip155:", "eip155:8453:", "99999999999999999999999"] {
            assert!(text.parse::<ChainId>().is_err(), "{text}");
        }
    }

    #[test]
    fn hostile_text_is_shortened_and_made_printable() {
        let error = AccountId::parse(&"\u{1b}[31mx".repeat(1000), BASE).unwrap_err().to_string();
        assert!(error.len() < 600 && !error.contains('\u{1b}'));
    }
}
