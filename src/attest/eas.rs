//! Off-chain attestations of the Ethereum Attestation Service, for import: versions 0, 1 and 2 of the package that its SDK and its
//! explorer write, `{"signer": "0x…", "sig": {domain, primaryType, types, message, signature, uid}}`.
//!
//! The package repeats what its version already says (`types`, `primaryType`), and a `uid` that follows from the message; all of it must be
//! as it follows, so that nothing in the package is unsecured. The UID is a packed hash in which the schema goes in as the *text* of its
//! hex, the attester as zero, and four zero bytes at the end.
//!
//! The data of a message is bytes; what its schema makes of them is not read here. A revocation is a transaction, and known to the chain.

use std::ops::Range;

use alloy::primitives::{Address, B256, Bytes, U256, hex, keccak256};
use serde_json::{Map, Value, json};

use super::attestation::{Attestation, AttestationError, Context, SCHEMA};
use super::canonical;
use super::field::{self, FieldError};
use super::wallet;
use crate::vocab::{AccountId, ChainId, UnixSeconds, parse_address};

const DOMAIN_NAME: &str = "EAS Attestation";
const DOMAIN_TYPE: &str =
    "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)";
/// The members of version 2, in their order. Version 1 lacks the last one, version 0 the first as well.
const MEMBERS: [(&str, &str); 9] = [
    ("version", "uint16"),
    ("schema", "bytes32"),
    ("recipient", "address"),
    ("time", "uint64"),
    ("expirationTime", "uint64"),
    ("revocable", "bool"),
    ("refUID", "bytes32"),
    ("data", "bytes"),
    ("salt", "bytes32"),
];
/// The longest version of a contract, such as `1.2.0`.
const VERSION_LEN_MAX: usize = 32;

/// Why something is not an off-chain attestation.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EasError {
    /// A field is missing, or not what it must be.
    #[error(transparent)]
    Field(#[from] FieldError),
    /// Of a version that is not known.
    #[error("off-chain attestations of EAS have the version 0, 1 or 2, and this has {0}")]
    Version(u64),
    /// The types are not those of its version.
    #[error("`sig.types` and `sig.primaryType` are not those of version {0}")]
    OtherTypes(u16),
    /// The UID is another's.
    #[error("`sig.uid` does not follow from the message, which gives {0}")]
    OtherUid(B256),
}

/// An off-chain attestation, not checked yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EasAttestation {
    /// 0, 1 or 2.
    pub version: u16,
    /// The contract of EAS, by its chain and address.
    pub contract: AccountId,
    /// What the contract calls its version.
    pub contract_version: String,
    /// The UID of the schema.
    pub schema: B256,
    /// Whom it is about; zero for nobody.
    pub recipient: Address,
    /// When it was made.
    pub time: UnixSeconds,
    /// Until when it counts.
    pub expires: Option<UnixSeconds>,
    /// Whether it can be revoked on the chain.
    pub is_revocable: bool,
    /// Another attestation that it is about; zero for none.
    pub refers_to: B256,
    /// What it says.
    pub data: Bytes,
    /// Makes the UID unique; only version 2 has it.
    pub salt: Option<B256>,
    /// Its name.
    pub uid: B256,
    /// Who is said to have signed it.
    pub signer: AccountId,
    /// The signature, 65 bytes.
    pub signature: Bytes,
    /// The name of its type: early packages of version 0 had another.
    type_name: &'static str,
}

impl EasAttestation {
    /// Reads what [`canonical::read`] gave.
    ///
    /// # Errors
    /// Names the first thing that is wrong.
    pub fn from_object(mut package: Map<String, Value>) -> Result<Self, EasError> {
        let signer = address(&package, "signer")?;
        let mut sig = field::object("sig", field::take(&mut package, "sig")?)?;
        package.remove("signer");
        field::nothing_else(&package)?;
        Self::read(signer, &mut sig).map_err(|error| match error {
            EasError::Field(error) => error.of("sig").into(),
            other => other,
        })
    }

    fn read(signer: Address, sig: &mut Map<String, Value>) -> Result<Self, EasError> {
        let (contract, contract_version) = domain(sig)?;
        let message = field::object("message", field::take(sig, "message")?)?;
        let version = version(sig, &message)?;
        let type_name = type_name(version, sig)?;
        let mut read = Self::of_message(version, &message).map_err(|error| error.of("message"))?;
        read.signer.address = signer;
        read.signer.chain = contract.chain;
        (read.contract, read.contract_version, read.type_name) =
            (contract, contract_version, type_name);
        read.signature = signature(sig)?;
        let uid = word(sig, "uid")?;
        if uid != read.uid {
            return Err(EasError::OtherUid(read.uid));
        }
        let known = ["domain", "message", "primaryType", "signature", "types", "uid", "version"];
        sig.retain(|name, _| !known.contains(&name.as_str()));
        field::nothing_else(sig)?;
        Ok(read)
    }

    fn of_message(version: u16, message: &Map<String, Value>) -> Result<Self, FieldError> {
        let time = |name| {
            let seconds = canonical::integer(field::required(message, name)?);
            let time = seconds.and_then(UnixSeconds::new);
            time.ok_or_else(|| FieldError::new(name, "it must be a time in seconds".to_owned()))
        };
        let is_revocable = field::required(message, "revocable")?.as_bool();
        let is_revocable = is_revocable.ok_or_else(|| {
            FieldError::new("revocable", "it must be `true` or `false`".to_owned())
        })?;
        // Packages of old carry a nonce that nobody signed; it says nothing as long as it is nought.
        if message.get("nonce").is_some_and(|nonce| canonical::integer(nonce) != Some(0)) {
            return Err(FieldError::new("nonce", "it is not signed: leave it out".to_owned()));
        }
        let mut rest = message.clone();
        rest.retain(|name, _| {
            let is_member = MEMBERS.iter().any(|(member, _)| member == name);
            !(is_member && (name != "salt" || version == 2) || name == "nonce")
        });
        field::nothing_else(&rest)?;
        let nobody = AccountId { chain: ChainId(0), address: Address::ZERO };
        let mut read = Self {
            version,
            contract: nobody,
            contract_version: String::new(),
            schema: word(message, "schema")?,
            recipient: address(message, "recipient")?,
            time: time("time")?,
            expires: Some(time("expirationTime")?).filter(|time| time.get() != 0),
            is_revocable,
            refers_to: word(message, "refUID")?,
            data: bytes(message, "data")?,
            salt: if version == 2 { Some(word(message, "salt")?) } else { None },
            uid: B256::ZERO,
            signer: nobody,
            signature: Bytes::new(),
            type_name: "Attest",
        };
        read.uid = read.uid();
        Ok(read)
    }

    fn uid(&self) -> B256 {
        let mut packed = Vec::new();
        if self.version > 0 {
            packed.extend(self.version.to_be_bytes());
        }
        packed.extend(self.schema.to_string().bytes());
        packed.extend(self.recipient.as_slice());
        packed.extend(Address::ZERO.as_slice());
        packed.extend(self.time.get().to_be_bytes());
        packed.extend(self.expires.map_or(0, UnixSeconds::get).to_be_bytes());
        packed.push(u8::from(self.is_revocable));
        packed.extend(self.refers_to.as_slice());
        packed.extend(self.data.iter());
        packed.extend(self.salt.iter().flat_map(|salt| salt.0));
        packed.extend([0; 4]);
        keccak256(packed)
    }

    /// The 32 bytes that the signer signed.
    #[must_use]
    pub fn digest(&self) -> B256 {
        let number = |number: u64| B256::from(U256::from(number));
        let domain = [
            keccak256(DOMAIN_NAME),
            keccak256(&self.contract_version),
            number(self.contract.chain.0),
            self.contract.address.into_word(),
        ];
        let domain = wallet::typed_hash(keccak256(DOMAIN_TYPE), &domain);
        let message = [
            number(self.version.into()),
            self.schema,
            self.recipient.into_word(),
            number(self.time.get()),
            number(self.expires.map_or(0, UnixSeconds::get)),
            number(self.is_revocable.into()),
            self.refers_to,
            keccak256(&self.data),
            self.salt.unwrap_or_default(),
        ];
        let members = MEMBERS.get(signed_members(self.version)).unwrap_or_default();
        let listed: Vec<_> = members.iter().map(|(name, kind)| format!("{kind} {name}")).collect();
        let type_hash = keccak256(format!("{}({})", self.type_name, listed.join(",")));
        let words = message.get(signed_members(self.version)).unwrap_or_default();
        wallet::typed_digest(domain, wallet::typed_hash(type_hash, words))
    }

    /// The record that it is here. Its `id` is the UID, and its claim the schema and what was said by it.
    ///
    /// # Errors
    /// When it is about nobody: a record is of somebody.
    pub fn attestation(&self) -> Result<Attestation, AttestationError> {
        if self.recipient == Address::ZERO {
            let why =
                "it is the zero address, so this is about nobody, and a record is of somebody";
            return Err(FieldError::new("recipient", why.to_owned())
                .of("message")
                .of("sig")
                .into());
        }
        let chain = self.contract.chain;
        let recipient = AccountId { chain, address: self.recipient };
        let body = json!({
            "schemaVersion": SCHEMA,
            "id": self.uid.to_string(),
            "issuer": self.signer.to_string(),
            "issuerKind": "agent",
            "subject": recipient.to_string(),
            "claim": {
                "type": format!("eas:{}", self.schema),
                "data": {
                    "contract": self.contract.to_string(),
                    "data": self.data.to_string(),
                    "expires": self.expires.map(|time| time.to_string()),
                    "refUID": self.refers_to.to_string(),
                    "revocable": self.is_revocable,
                },
            },
            "issuedAt": self.time.to_string(),
        });
        Attestation::new(body, Context { chain: Some(chain), ..Context::default() })
    }
}

/// Which of [`MEMBERS`] a version signs.
fn signed_members(version: u16) -> Range<usize> {
    match version {
        0 => 1..8,
        1 => 0..8,
        _ => 0..9,
    }
}

fn domain(sig: &Map<String, Value>) -> Result<(AccountId, String), FieldError> {
    let domain = field::inside("domain", field::required(sig, "domain")?)?;
    let read = || {
        if field::required_text(domain, "name")? != DOMAIN_NAME {
            return Err(FieldError::new("name", format!("it must be `{DOMAIN_NAME}`")));
        }
        let version = field::required_word(domain, "version", VERSION_LEN_MAX)?;
        let chain = canonical::integer(field::required(domain, "chainId")?);
        let chain = chain.ok_or_else(|| {
            FieldError::new("chainId", "it must be the number of a chain".to_owned())
        })?;
        let contract = address(domain, "verifyingContract")?;
        let mut rest = domain.clone();
        let known = ["name", "version", "chainId", "verifyingContract"];
        rest.retain(|name, _| !known.contains(&name.as_str()));
        field::nothing_else(&rest)?;
        Ok((AccountId { chain: ChainId(chain), address: contract }, version))
    };
    read().map_err(|error: FieldError| error.of("domain"))
}

/// The version that the message has, or the package around it; where both say one it must be the same.
fn version(sig: &Map<String, Value>, message: &Map<String, Value>) -> Result<u16, EasError> {
    let said = [field::whole(message, "version")?, field::whole(sig, "version")?];
    let version = said.into_iter().flatten().next().unwrap_or(0);
    if said.into_iter().flatten().any(|other| other != version) {
        let why = "it is not that of the message".to_owned();
        return Err(FieldError::new("version", why).into());
    }
    match u16::try_from(version) {
        Ok(known @ 0..=2) => Ok(known),
        _ => Err(EasError::Version(version)),
    }
}

/// The name of the one type, whose members must be those of the version.
fn type_name(version: u16, sig: &Map<String, Value>) -> Result<&'static str, EasError> {
    let refuse = || EasError::OtherTypes(version);
    let member = |(name, kind): &(&str, &str)| json!({ "name": name, "type": kind });
    let members = MEMBERS.get(signed_members(version)).unwrap_or_default();
    let expected: Vec<_> = members.iter().map(member).collect();
    let types = field::required(sig, "types")?.as_object().filter(|types| types.len() == 1);
    let (name, found) = types.and_then(|types| types.iter().next()).ok_or_else(refuse)?;
    let primary = field::required(sig, "primaryType")?.as_str();
    // Packages of version 0 were signed under three pairs of names.
    let pairs = [("Attest", "Attest"), ("Attestation", "Attestation"), ("Attest", "Attestation")];
    let allowed = if version == 0 { &pairs[..] } else { &pairs[..1] };
    let pair = allowed.iter().find(|(own, prime)| own == name && Some(*prime) == primary);
    if found.as_array() != Some(&expected) {
        return Err(refuse());
    }
    pair.map(|(own, _)| *own).ok_or_else(refuse)
}

fn signature(sig: &Map<String, Value>) -> Result<Bytes, FieldError> {
    let signature = field::inside("signature", field::required(sig, "signature")?)?;
    let read = || {
        let v = canonical::integer(field::required(signature, "v")?);
        let v = v.and_then(|v| u8::try_from(v).ok()).filter(|v| matches!(v, 27 | 28));
        let v = v.ok_or_else(|| FieldError::new("v", "it must be 27 or 28".to_owned()))?;
        let (r, s) = (word(signature, "r")?, word(signature, "s")?);
        let mut rest = signature.clone();
        rest.retain(|name, _| !["r", "s", "v"].contains(&name.as_str()));
        field::nothing_else(&rest)?;
        Ok([r.as_slice(), s.as_slice(), &[v]].concat().into())
    };
    read().map_err(|error: FieldError| error.of("signature"))
}

fn bytes(object: &Map<String, Value>, name: &str) -> Result<Bytes, FieldError> {
    let text = field::required_text(object, name)?;
    let digits =
        text.strip_prefix("0x").filter(|digits| !digits.contains(|c: char| c.is_ascii_uppercase()));
    // `0x0x12` would be read otherwise.
    let digits = digits.filter(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()));
    let bytes = digits.and_then(|digits| hex::decode(digits).ok()).map(Bytes::from);
    bytes.ok_or_else(|| {
        FieldError::new(name, "write bytes as `0x` and hex in lower case".to_owned())
    })
}

fn word(object: &Map<String, Value>, name: &str) -> Result<B256, FieldError> {
    let bytes = bytes(object, name)?;
    let word = B256::try_from(bytes.as_ref());
    word.map_err(|_| {
        FieldError::new(name, format!("it must have 32 bytes, and has {}", bytes.len()))
    })
}

/// An address in lower case, or with its EIP-55 capitals.
fn address(object: &Map<String, Value>, name: &str) -> Result<Address, FieldError> {
    let text = field::required_text(object, name)?;
    let is_written_well =
        |address: &Address| text == address.to_checksum(None) || text == text.to_ascii_lowercase();
    parse_address(&text).filter(is_written_well).ok_or_else(|| {
        let why =
            "write an address as `0x` and 40 hex digits, in lower case or with its EIP-55 capitals";
        FieldError::new(name, why.to_owned())
    })
}
