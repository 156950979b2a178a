//! Signed envelopes: which form one has, and who is to be looked up before it can be checked.
//!
//! | form | who signs | what it is |
//! |---|---|---|
//! | `vc+jwt` | a key of a DID | a Verifiable Credential 2.0 as a JWT |
//! | `data-integrity` | a key of a DID | the same with a proof inside |
//! | `dsse` | a key of a DID | any payload |
//! | `eip712`, `eip191` | a wallet | a record, or a typed record |
//! | `eas` | a wallet | an off-chain attestation of EAS |
//!
//! An envelope is kept byte for byte as it came and never rewritten. Reading says what it claims; nothing of that is secured before `verify`
//! says so, and of a JWT not even the payload is looked at.

use serde_json::{Map, Value};

use super::canonical::{self, JsonError};
use super::credential::{Credential, CredentialError};
use super::data_integrity::{self, ProofError, Proven};
use super::dsse::{Dsse, DsseError};
use super::eas::{EasAttestation, EasError};
use super::jose::{JoseError, Jws};
use super::method::{self, MethodError};
use super::record_statement::RecordStatement;
use super::statement::{Scheme, Statement, StatementError};
use super::typed_record::{PAYLOAD_TYPE, TypedRecord, TypedRecordError};
use crate::vocab::{AccountId, Digest, Subject, shorten};

/// What form an envelope has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Form {
    /// A credential as a JWT.
    VcJwt,
    /// A credential with a proof inside.
    DataIntegrity,
    /// DSSE.
    Dsse,
    /// Typed data of a wallet.
    Eip712,
    /// A text that a wallet signed.
    Eip191,
    /// An off-chain attestation of EAS.
    Eas,
}

impl Form {
    /// Every form.
    pub const ALL: [Self; 6] =
        [Self::VcJwt, Self::DataIntegrity, Self::Dsse, Self::Eip712, Self::Eip191, Self::Eas];

    /// Its word in storage and answers.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::VcJwt => "vc+jwt",
            Self::DataIntegrity => "data-integrity",
            Self::Dsse => "dsse",
            Self::Eip712 => "eip712",
            Self::Eip191 => "eip191",
            Self::Eas => "eas",
        }
    }

    /// The form of a word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|form| form.as_str() == word)
    }

    /// The media type by which an envelope of this form is returned.
    #[must_use]
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::VcJwt => "application/vc+jwt",
            Self::DataIntegrity => "application/vc",
            Self::Dsse => "application/vnd.dsse.envelope.v1+json",
            Self::Eip712 | Self::Eip191 | Self::Eas => "application/json",
        }
    }
}

/// Why bytes are no envelope that is understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EnvelopeError {
    /// It is neither a JWT nor JSON that means one thing.
    #[error(transparent)]
    Json(#[from] JsonError),
    /// It is JSON of no form.
    #[error(
        "this is no signed envelope; send a credential with a `proof`, a JWT, an envelope of DSSE, an attestation of EAS, or a record with `type`, `account` and `signature`"
    )]
    NoForm,
    /// It is no JWT that can be checked.
    #[error(transparent)]
    Jose(#[from] JoseError),
    /// The JWT does not name its key.
    #[error("the header has no `kid`: name the key by its DID URL")]
    NoKeyName,
    /// It names no key that could be looked up.
    #[error(transparent)]
    Method(#[from] MethodError),
    /// The proof cannot be checked.
    #[error(transparent)]
    Proof(#[from] ProofError),
    /// It is no credential that can be taken in.
    #[error(transparent)]
    Credential(#[from] CredentialError),
    /// It is no envelope of DSSE.
    #[error(transparent)]
    Dsse(#[from] DsseError),
    /// It is no attestation of EAS.
    #[error(transparent)]
    Eas(#[from] EasError),
    /// It is no record signed by a wallet.
    #[error(transparent)]
    Statement(#[from] StatementError),
}

/// An envelope as it came, and what it claims.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    raw: Vec<u8>,
    pub(super) content: Content,
}

/// What an envelope claims.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Content {
    /// The text of a JWT, and the name of its key. The text is ASCII without spaces around it.
    Jwt { text: String, method: String },
    /// A credential and its proof.
    Credential { proven: Box<Proven>, credential: Box<Credential> },
    /// An envelope of DSSE.
    Dsse(Dsse),
    /// A record signed by a wallet.
    Statement(Box<Statement>),
    /// A typed record signed by a wallet.
    Record(Box<RecordStatement>),
    /// An attestation of EAS.
    Eas(Box<EasAttestation>),
}

/// Who is said to have signed: what has to be looked up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signer<'a> {
    /// A method of a DID document, by its DID URL.
    Method(&'a str),
    /// An account, speaking for an issuer that the record names.
    Account {
        /// The account.
        account: AccountId,
        /// The issuer that the record names; `None` where the account speaks for itself.
        issuer: Option<&'a Subject>,
    },
}

impl Envelope {
    /// Reads an envelope of at most `size_max` bytes. Space around a JWT is no part of it.
    ///
    /// # Errors
    /// Names the first thing that is wrong. A signature that does not hold is none of it: `verify` says that.
    pub fn read(raw: Vec<u8>, size_max: usize) -> Result<Self, EnvelopeError> {
        if raw.len() > size_max {
            return Err(JsonError::TooLong { length: raw.len(), max: size_max }.into());
        }
        // The header of every JWS is an object, which begins so in base64.
        let jwt = std::str::from_utf8(raw.trim_ascii()).ok().filter(|text| text.starts_with("ey"));
        let (content, raw) = match jwt {
            // Whatever wrote it to a file ended its line, which is no part of a JWT.
            Some(text) => (read_jwt(text)?, text.as_bytes().to_vec()),
            None => match canonical::read(&raw, size_max)? {
                Value::Object(object) => (read_object(object)?, raw),
                _ => return Err(EnvelopeError::NoForm),
            },
        };
        Ok(Self { raw, content })
    }

    /// Its bytes, as they came, without space around a JWT.
    #[must_use]
    pub fn raw(&self) -> &[u8] {
        &self.raw
    }

    /// The digest of its bytes.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of(&self.raw)
    }

    /// Its form.
    #[must_use]
    pub fn form(&self) -> Form {
        match &self.content {
            Content::Jwt { .. } => Form::VcJwt,
            Content::Credential { .. } => Form::DataIntegrity,
            Content::Dsse(_) => Form::Dsse,
            Content::Statement(statement) => of_scheme(statement.scheme),
            Content::Record(statement) => of_scheme(statement.scheme),
            Content::Eas(_) => Form::Eas,
        }
    }

    /// Who is said to have signed it.
    #[must_use]
    pub fn signer(&self) -> Signer<'_> {
        match &self.content {
            Content::Jwt { method, .. } => Signer::Method(method),
            Content::Credential { proven, .. } => Signer::Method(&proven.method),
            Content::Dsse(dsse) => Signer::Method(&dsse.method),
            Content::Statement(statement) => Signer::Account {
                account: statement.account,
                issuer: Some(&statement.attestation.issuer),
            },
            Content::Record(statement) => Signer::Account {
                account: statement.account,
                issuer: Some(&statement.record.issuer),
            },
            Content::Eas(eas) => Signer::Account { account: eas.signer, issuer: None },
        }
    }

    /// What a wallet has to heed that signs a record which does not write its time as it is signed; nothing where there is nothing to heed.
    #[must_use]
    pub fn time_hint(&self) -> Option<String> {
        let Content::Statement(statement) = &self.content else { return None };
        let written = &statement.attestation.body.issued_at.as_ref()?.text;
        let (said, form) = (statement.said_at, statement.scheme);
        (*written != said.to_string()).then(|| match form {
            Scheme::Eip191 => format!(
                "the record has its time as `{}`, and the text that is signed has it as `{said}`, in whole seconds of UTC",
                shorten(written)
            ),
            Scheme::Eip712 => format!(
                "the record has its time as `{}`, and the message that is signed has it as {}, in whole unix seconds",
                shorten(written),
                said.get()
            ),
        })
    }

    /// The contract of EAS that it names, if it is an attestation of EAS.
    #[must_use]
    pub const fn eas_contract(&self) -> Option<AccountId> {
        match &self.content {
            Content::Eas(eas) => Some(eas.contract),
            _ => None,
        }
    }

    /// The digest of the attestation that it claims to carry, if it is one. Nothing of it is secured, and of a JWT the payload is not looked
    /// at.
    #[must_use]
    pub fn claimed_digest(&self) -> Option<Digest> {
        match &self.content {
            Content::Statement(statement) => Some(statement.attestation.digest()),
            Content::Credential { credential, .. } => {
                credential.attestation.as_ref().map(crate::attest::Attestation::digest)
            }
            Content::Jwt { .. } | Content::Dsse(_) | Content::Record(_) | Content::Eas(_) => None,
        }
    }

    /// Why the typed record that it says it carries is none, where that can be seen before its signature is checked.
    #[must_use]
    pub fn broken_record(&self) -> Option<TypedRecordError> {
        match &self.content {
            Content::Dsse(dsse) if dsse.payload_type == PAYLOAD_TYPE => {
                TypedRecord::read(&dsse.payload).err()
            }
            Content::Dsse(_)
            | Content::Record(_)
            | Content::Credential { .. }
            | Content::Jwt { .. }
            | Content::Statement(_)
            | Content::Eas(_) => None,
        }
    }

    /// The typed record that it claims to carry, if it is one. Nothing of it is secured; and of a JWT the payload is not looked at, so
    /// that it seems to carry none.
    #[must_use]
    pub fn claimed_record(&self) -> Option<TypedRecord> {
        match &self.content {
            Content::Record(statement) => Some(statement.record.clone()),
            Content::Credential { credential, .. } => credential.record.clone(),
            Content::Dsse(dsse) if dsse.payload_type == PAYLOAD_TYPE => {
                TypedRecord::read(&dsse.payload).ok()
            }
            Content::Dsse(_) | Content::Jwt { .. } | Content::Statement(_) | Content::Eas(_) => {
                None
            }
        }
    }

    /// The typed record that it seems to carry, of a JWT as well, where nothing at all is secured: by it somebody can see how much there would
    /// be to check, before any signature is. It must not be taken for what anybody said.
    #[must_use]
    pub fn seeming_record(&self) -> Option<TypedRecord> {
        let Content::Jwt { text, .. } = &self.content else { return self.claimed_record() };
        let payload = Jws::read(text).ok()?.unchecked_payload()?;
        match canonical::read(&payload, payload.len()).ok()? {
            Value::Object(claims) => Credential::from_document(claims).ok()?.record,
            _ => None,
        }
    }
}

const fn of_scheme(scheme: Scheme) -> Form {
    match scheme {
        Scheme::Eip712 => Form::Eip712,
        Scheme::Eip191 => Form::Eip191,
    }
}

fn read_jwt(text: &str) -> Result<Content, EnvelopeError> {
    let method = Jws::read(text)?.kid().ok_or(EnvelopeError::NoKeyName)?.to_owned();
    method::did_of(&method)?;
    Ok(Content::Jwt { text: text.to_owned(), method })
}

fn read_object(object: Map<String, Value>) -> Result<Content, EnvelopeError> {
    let has = |name| object.contains_key(name);
    if has("proof") {
        let proven = data_integrity::read(object)?;
        method::did_of(&proven.method)?;
        let credential = Box::new(Credential::from_document(proven.document.clone())?);
        return Ok(Content::Credential { proven: Box::new(proven), credential });
    }
    if has("payloadType") || has("signatures") {
        let dsse = Dsse::from_object(object)?;
        method::did_of(&dsse.method)?;
        return Ok(Content::Dsse(dsse));
    }
    if has("sig") {
        return Ok(Content::Eas(Box::new(EasAttestation::from_object(object)?)));
    }
    if (has("signature") || has("account")) && has("record") {
        return Ok(Content::Record(Box::new(RecordStatement::from_object(object)?)));
    }
    if has("signature") || has("account") {
        return Ok(Content::Statement(Box::new(Statement::from_object(object)?)));
    }
    Err(EnvelopeError::NoForm)
}
