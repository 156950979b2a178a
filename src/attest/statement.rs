//! A record signed by a wallet: as typed data (EIP-712), or as a text (EIP-191) of the same fields.
//!
//! What a wallet shows before it signs is five fields; one of them is the digest of the whole record, so nothing of it can be changed
//! afterwards. The record travels beside the signature:
//!
//! ```json
//! {"type": "eip712", "account": "eip155:8453:0x…", "signature": "0x…", "attestation": {…}, "context": {…}}
//! ```
//!
//! The domain of the typed data is `Hallmark Attestation`, version 1, on the chain of the account. One statement has one text: the account
//! is in EIP-55 and the signature in lower case, so that no byte of it can be another.
//!
//! Whether the account may speak for the issuer is `verify`'s to say, and whether it is a contract that signed, the chain's.

use std::fmt::Write as _;

use alloy::primitives::{B256, Bytes, U256, keccak256};
use serde_json::{Map, Value, json};

use super::attestation::{Attestation, AttestationError, SCHEMA};
use super::field::{self, FieldError};
use super::typed_record::TypedRecordError;
use super::wallet::{self, SignatureTextError};
use crate::vocab::{AccountId, ChainId, UnixSeconds};

/// The name of the domain, and the first line of the text.
const NAME: &str = "Hallmark Attestation";
/// The version of the domain and of the text.
const VERSION: &str = "1";
const DOMAIN_TYPE: &str = "EIP712Domain(string name,string version,uint256 chainId)";
const MESSAGE_TYPE: &str =
    "Attestation(string schema,bytes32 digest,string subject,string issuer,uint64 issuedAt)";

/// In which of the two ways a wallet signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// Typed data.
    Eip712,
    /// A text.
    Eip191,
}

impl Scheme {
    /// Its word in a statement.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Eip712 => "eip712",
            Self::Eip191 => "eip191",
        }
    }

    /// The scheme of a word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Eip712, Self::Eip191].into_iter().find(|scheme| scheme.as_str() == word)
    }
}

/// Why something is not a statement by a wallet.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StatementError {
    /// A field is missing, or not what it must be.
    #[error(transparent)]
    Field(#[from] FieldError),
    /// The record is none.
    #[error(transparent)]
    Record(#[from] AttestationError),
    /// The record has a schema, and is none of it.
    #[error("`record`: {0}")]
    TypedRecord(#[source] TypedRecordError),
    /// The record says no time.
    #[error("`attestation.issuedAt`: a wallet signs a time: write it as `2026-02-03T11:08:33Z`")]
    NoTime,
    /// The signature is no bytes.
    #[error("`signature`: {0}")]
    Signature(#[from] SignatureTextError),
    /// The signature is written with capitals.
    #[error("`signature`: write it in lower case")]
    Capitals,
}

/// A record and the signature of a wallet, not checked yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// How it was signed.
    pub scheme: Scheme,
    /// Who is said to have signed.
    pub account: AccountId,
    /// The signature.
    pub signature: Bytes,
    /// The record.
    pub attestation: Attestation,
    /// When it was said.
    pub said_at: UnixSeconds,
}

impl Statement {
    /// Reads what [`canonical::read`](super::canonical::read) gave.
    ///
    /// # Errors
    /// Names the first thing that is wrong.
    pub fn from_object(mut object: Map<String, Value>) -> Result<Self, StatementError> {
        let (scheme, account, signature) = head(&mut object)?;
        let attestation = Attestation::from_value(Value::Object(object))?;
        let said_at = attestation.said_at().ok_or(StatementError::NoTime)?;
        Ok(Self { scheme, account, signature, attestation, said_at })
    }

    /// As JSON.
    #[must_use]
    pub fn to_value(&self) -> Value {
        let mut value = self.attestation.to_value();
        if let Some(object) = value.as_object_mut() {
            object.insert("type".to_owned(), self.scheme.as_str().into());
            object.insert("account".to_owned(), self.account.to_string().into());
            object.insert("signature".to_owned(), self.signature.to_string().into());
        }
        value
    }

    /// The 32 bytes that the wallet signed.
    #[must_use]
    pub fn digest(&self) -> B256 {
        let (attestation, chain) = (&self.attestation, self.account.chain);
        match self.scheme {
            Scheme::Eip712 => typed_digest(attestation, self.said_at, chain),
            Scheme::Eip191 => {
                wallet::text_digest(text(attestation, self.said_at, chain).as_bytes())
            }
        }
    }
}

/// What stands beside the record: how it was signed, by whom, and the signature. They are taken out.
pub(super) fn head(
    object: &mut Map<String, Value>,
) -> Result<(Scheme, AccountId, Bytes), StatementError> {
    let refuse = |name: &str, why: &str| FieldError::new(name, why.to_owned());
    let scheme = Scheme::from_word(&field::required_text(object, "type")?)
        .ok_or_else(|| refuse("type", "it must be `eip712` or `eip191`"))?;
    let written = field::required_text(object, "account")?;
    let account = AccountId::parse(&written, ChainId(0)).ok();
    let account = account.filter(|account| account.to_text().as_str() == written);
    let account = account.ok_or_else(|| {
        refuse("account", "write it as `eip155:8453:0x…`, the address with its EIP-55 capitals")
    })?;
    let signature = field::required_text(object, "signature")?;
    if signature.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return Err(StatementError::Capitals);
    }
    let signature = wallet::parse_signature(&signature)?;
    object.retain(|name, _| !["type", "account", "signature"].contains(&name.as_str()));
    Ok((scheme, account, signature))
}

/// What a wallet on `chain` hashes of a record as typed data.
#[must_use]
pub fn typed_digest(attestation: &Attestation, said_at: UnixSeconds, chain: ChainId) -> B256 {
    let number = |number: u64| B256::from(U256::from(number));
    let text = |text: &str| keccak256(text);
    let domain = [text(NAME), text(VERSION), number(chain.0)];
    let domain = wallet::typed_hash(keccak256(DOMAIN_TYPE), &domain);
    let body = &attestation.body;
    let message = [
        text(SCHEMA),
        attestation.digest().0,
        text(&body.subject),
        text(&body.issuer),
        number(said_at.get()),
    ];
    wallet::typed_digest(domain, wallet::typed_hash(keccak256(MESSAGE_TYPE), &message))
}

/// What is handed to a wallet on `chain` to sign as typed data (`eth_signTypedData_v4`).
#[must_use]
pub fn typed_data(attestation: &Attestation, said_at: UnixSeconds, chain: ChainId) -> Value {
    let member = |name: &str, kind: &str| json!({ "name": name, "type": kind });
    json!({
        "domain": { "name": NAME, "version": VERSION, "chainId": chain.0 },
        "primaryType": "Attestation",
        "types": {
            "EIP712Domain": [
                member("name", "string"), member("version", "string"), member("chainId", "uint256"),
            ],
            "Attestation": [
                member("schema", "string"), member("digest", "bytes32"), member("subject", "string"),
                member("issuer", "string"), member("issuedAt", "uint64"),
            ],
        },
        "message": {
            "schema": SCHEMA,
            "digest": attestation.digest().to_string(),
            "subject": attestation.body.subject,
            "issuer": attestation.body.issuer,
            "issuedAt": said_at.get().to_string(),
        },
    })
}

/// What is handed to a wallet on `chain` to sign as a text (`personal_sign`).
///
/// No field holds a line break: names with control characters are no names.
#[must_use]
pub fn text(attestation: &Attestation, said_at: UnixSeconds, chain: ChainId) -> String {
    let body = &attestation.body;
    let mut text = format!("{NAME}\n\n");
    for (name, value) in [
        ("version", VERSION.to_owned()),
        ("schema", SCHEMA.to_owned()),
        ("digest", attestation.digest().to_string()),
        ("subject", body.subject.clone()),
        ("issuer", body.issuer.clone()),
        ("issuedAt", said_at.to_string()),
        ("chainId", chain.0.to_string()),
    ] {
        // Writing into a string cannot fail.
        let _ = writeln!(text, "{name}: {value}");
    }
    text.truncate(text.trim_end().len());
    text
}

#[cfg(test)]
mod tests {
    use k256::ecdsa::SigningKey;

    use super::*;
    use crate::attest::attestation::Context;
    use crate::attest::wallet::{Judgement, address_of, judge};

    fn attestation() -> Attestation {
        let body = json!({
            "schemaVersion": "attestation/v1", "id": "a", "issuer": "did:web:a.example", "issuerKind": "agent",
            "subject": "eip155:8453:0x8004A169FB4a3325136EB29fA0ceB6D2e539a432:22",
            "claim": { "type": "peer.assessment", "data": { "tag": "reliable" } },
            "issuedAt": "2026-02-03T11:08:33Z",
        });
        Attestation::new(body, Context::default()).unwrap()
    }

    fn statement(scheme: Scheme) -> Statement {
        let key = SigningKey::from_slice(&[7; 32]).unwrap();
        let account = AccountId { chain: ChainId(8453), address: address_of(key.verifying_key()) };
        let attestation = attestation();
        let said_at = attestation.said_at().unwrap();
        let signature = Bytes::new();
        let mut statement = Statement { scheme, account, signature, attestation, said_at };
        let digest = statement.digest();
        let (signature, id) = key.sign_prehash_recoverable(digest.as_slice()).unwrap();
        statement.signature = [&signature.to_bytes()[..], &[27 + id.to_byte()]].concat().into();
        statement
    }

    fn object(statement: &Statement) -> Map<String, Value> {
        statement.to_value().as_object().unwrap().clone()
    }

    #[test]
    fn both_schemes_go_there_and_back() {
        for scheme in [Scheme::Eip712, Scheme::Eip191] {
            let made = statement(scheme);
            let read = Statement::from_object(object(&made)).unwrap();
            assert_eq!(read, made);
            let judged = judge(read.account, read.digest(), &read.signature);
            assert_eq!(judged, Judgement::Signed);
        }
        assert_ne!(statement(Scheme::Eip712).digest(), statement(Scheme::Eip191).digest());
    }

    #[test]
    fn the_text_says_what_is_signed() {
        let attestation = attestation();
        let text = text(&attestation, attestation.said_at().unwrap(), ChainId(8453));
        let expected = format!(
            "Hallmark Attestation\n\nversion: 1\nschema: attestation/v1\ndigest: {}\n\
             subject: eip155:8453:0x8004A169FB4a3325136EB29fA0ceB6D2e539a432:22\nissuer: did:web:a.example\n\
             issuedAt: 2026-02-03T11:08:33Z\nchainId: 8453",
            attestation.digest()
        );
        assert_eq!(text, expected);
    }

    #[test]
    fn one_statement_has_one_text() {
        let good = object(&statement(Scheme::Eip712));
        let account = good["account"].as_str().unwrap();
        let signature = good["signature"].as_str().unwrap();
        for (name, value, told) in [
            ("account", json!(account.to_lowercase()), "EIP-55 capitals"),
            ("account", json!(format!("did:pkh:{account}")), "EIP-55 capitals"),
            ("account", json!(account.replace("eip155:8453:", "")), "EIP-55 capitals"),
            ("signature", json!(signature.to_uppercase()), "lower case"),
            ("signature", json!(signature.replace("0x", "")), "`0x` and an even number"),
            ("signature", json!("0x"), "empty"),
            ("type", json!("EIP712"), "`eip712` or `eip191`"),
            ("more", json!(1), "`more`: there is no such field"),
            ("context", json!({ "more": 1 }), "`context.more`: there is no such field"),
        ] {
            let mut changed = good.clone();
            changed.insert(name.to_owned(), value);
            let error = Statement::from_object(changed).unwrap_err().to_string();
            assert!(error.contains(told), "{name}: {error}");
        }
        for issued_at in [json!(null), json!("soon")] {
            let mut changed = good.clone();
            changed["attestation"]["issuedAt"] = issued_at;
            assert!(Statement::from_object(changed).is_err());
        }
        let mut timeless = good;
        timeless["attestation"].as_object_mut().unwrap().remove("issuedAt");
        assert_eq!(Statement::from_object(timeless), Err(StatementError::NoTime));
    }
}
