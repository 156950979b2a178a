//! A [`TypedRecord`] signed by a wallet: as typed data (EIP-712), or as a text (EIP-191) of the same fields.
//!
//! As with an attestation ([`statement`](super::statement)), what a wallet shows is a few fields, one of them the digest of the whole:
//!
//! ```json
//! {"type": "eip712", "account": "eip155:8453:0x…", "signature": "0x…", "record": {"schema": "hallmark/grant/1", …}}
//! ```
//!
//! The domain of the typed data is `Hallmark Record`, version 1, on the chain of the account. It is another one than that of attestations,
//! and so is the type: no signature of the one kind is ever one of the other.

use std::fmt::Write as _;

use alloy::primitives::{B256, Bytes, U256, keccak256};
use serde_json::{Map, Value, json};

use super::field;
use super::statement::{Scheme, StatementError, head};
use super::typed_record::TypedRecord;
use super::wallet;
use crate::vocab::{AccountId, ChainId};

/// The name of the domain, and the first line of the text.
const NAME: &str = "Hallmark Record";
/// The version of the domain and of the text.
const VERSION: &str = "1";
const DOMAIN_TYPE: &str = "EIP712Domain(string name,string version,uint256 chainId)";
const MESSAGE_TYPE: &str = "Record(string schema,bytes32 digest,string issuer,uint64 issuedAt)";

/// A record and the signature of a wallet, not checked yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordStatement {
    /// How it was signed.
    pub scheme: Scheme,
    /// Who is said to have signed.
    pub account: AccountId,
    /// The signature.
    pub signature: Bytes,
    /// The record.
    pub record: TypedRecord,
}

impl RecordStatement {
    /// Reads what [`canonical::read`](super::canonical::read) gave.
    ///
    /// # Errors
    /// Names the first thing that is wrong.
    pub fn from_object(mut object: Map<String, Value>) -> Result<Self, StatementError> {
        let (scheme, account, signature) = head(&mut object)?;
        let record = TypedRecord::from_value(field::take(&mut object, "record")?)
            .map_err(StatementError::TypedRecord)?;
        field::nothing_else(&object)?;
        Ok(Self { scheme, account, signature, record })
    }

    /// As JSON.
    #[must_use]
    pub fn to_value(&self) -> Value {
        json!({
            "type": self.scheme.as_str(),
            "account": self.account.to_string(),
            "signature": self.signature.to_string(),
            "record": self.record.source(),
        })
    }

    /// The 32 bytes that the wallet signed.
    #[must_use]
    pub fn digest(&self) -> B256 {
        signed_digest(self.scheme, &self.record, self.account.chain)
    }
}

/// The 32 bytes that a wallet on `chain` signs of a record.
#[must_use]
pub fn signed_digest(scheme: Scheme, record: &TypedRecord, chain: ChainId) -> B256 {
    match scheme {
        Scheme::Eip712 => typed_digest(record, chain),
        Scheme::Eip191 => wallet::text_digest(text(record, chain).as_bytes()),
    }
}

fn typed_digest(record: &TypedRecord, chain: ChainId) -> B256 {
    let number = |number: u64| B256::from(U256::from(number));
    let domain = [keccak256(NAME), keccak256(VERSION), number(chain.0)];
    let domain = wallet::typed_hash(keccak256(DOMAIN_TYPE), &domain);
    let message = [
        keccak256(&record.schema),
        record.digest().0,
        keccak256(record.issuer.to_string()),
        number(record.said_at.get()),
    ];
    wallet::typed_digest(domain, wallet::typed_hash(keccak256(MESSAGE_TYPE), &message))
}

/// What is handed to a wallet on `chain` to sign as typed data (`eth_signTypedData_v4`).
#[must_use]
pub fn typed_data(record: &TypedRecord, chain: ChainId) -> Value {
    let member = |name: &str, kind: &str| json!({ "name": name, "type": kind });
    json!({
        "domain": { "name": NAME, "version": VERSION, "chainId": chain.0 },
        "primaryType": "Record",
        "types": {
            "EIP712Domain": [
                member("name", "string"), member("version", "string"), member("chainId", "uint256"),
            ],
            "Record": [
                member("schema", "string"), member("digest", "bytes32"),
                member("issuer", "string"), member("issuedAt", "uint64"),
            ],
        },
        "message": {
            "schema": record.schema,
            "digest": record.digest().to_string(),
            "issuer": record.issuer.to_string(),
            "issuedAt": record.said_at.get().to_string(),
        },
    })
}

/// What is handed to a wallet on `chain` to sign as a text (`personal_sign`). No field holds a line break.
#[must_use]
pub fn text(record: &TypedRecord, chain: ChainId) -> String {
    let mut text = format!("{NAME}\n\n");
    for (name, value) in [
        ("version", VERSION.to_owned()),
        ("schema", record.schema.clone()),
        ("digest", record.digest().to_string()),
        ("issuer", record.issuer.to_string()),
        ("issuedAt", record.said_at.to_string()),
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
    use crate::attest::wallet::{Judgement, address_of, judge};

    fn record() -> TypedRecord {
        let record = json!({
            "schema": "hallmark/grant/1", "issuer": "did:web:a.example",
            "issued_at": "2026-02-03T11:08:33Z",
        });
        TypedRecord::from_value(record).unwrap()
    }

    fn statement(scheme: Scheme) -> RecordStatement {
        let key = SigningKey::from_slice(&[7; 32]).unwrap();
        let account = AccountId { chain: ChainId(8453), address: address_of(key.verifying_key()) };
        let digest = signed_digest(scheme, &record(), account.chain);
        let (signature, id) = key.sign_prehash_recoverable(digest.as_slice()).unwrap();
        let signature = [&signature.to_bytes()[..], &[27 + id.to_byte()]].concat().into();
        RecordStatement { scheme, account, signature, record: record() }
    }

    #[test]
    fn both_schemes_go_there_and_back() {
        for scheme in [Scheme::Eip712, Scheme::Eip191] {
            let made = statement(scheme);
            let object = made.to_value().as_object().unwrap().clone();
            let read = RecordStatement::from_object(object.clone()).unwrap();
            assert_eq!(read, made);
            assert_eq!(judge(read.account, read.digest(), &read.signature), Judgement::Signed);
            for (name, told) in [
                ("more", "`more`: there is no such field"),
                ("record", "`record`: `record`: it must be an object"),
            ] {
                let mut changed = object.clone();
                changed.insert(name.to_owned(), json!(1));
                let error = RecordStatement::from_object(changed).unwrap_err().to_string();
                assert!(error.starts_with(told), "{error}");
            }
        }
    }

    #[test]
    fn the_text_says_what_is_signed() {
        let expected = format!(
            "Hallmark Record\n\nversion: 1\nschema: hallmark/grant/1\ndigest: {}\nissuer: did:web:a.example\n\
             issuedAt: 2026-02-03T11:08:33Z\nchainId: 8453",
            record().digest()
        );
        assert_eq!(text(&record(), ChainId(8453)), expected);
    }
}
