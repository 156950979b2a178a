//! A trace that carries its own proof: the envelopes as they were signed, and what is known of the wallets and keys of those who signed.
//!
//! What it says of wallets and keys is what the chain and DID documents say, written down by whoever made the document; each span names
//! the blocks in which it began and ended, so that anybody with a node can look. A document is bounded before anything of it is checked.
//! That signatures hold is for `verify` to say.

use std::collections::{BTreeMap, BTreeSet};

use alloy::primitives::B256;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::party::{Blocks, Party};
use super::record::wrong;
use crate::attest::FieldError;
use crate::attest::canonical::{self, JsonError};
use crate::attest::envelope::{Envelope, Signer};
use crate::vocab::{ChainId, Digest, Subject, UnixSeconds};

/// The longest document, in bytes.
pub const DOCUMENT_BYTES_MAX: usize = 4 << 20;
/// What a document has for its `schema`.
pub const DOCUMENT_SCHEMA: &str = "hallmark/trace/1";
/// The longest envelope, in bytes.
pub const ENVELOPE_BYTES_MAX: usize = 128 * 1024;
/// Most envelopes of a document.
pub const ENVELOPES_MAX: usize = 5_000;
/// Most parties.
pub const PARTIES_MAX: usize = 1_000;
/// Most spans of wallets and keys, of all parties together.
const SPANS_MAX: usize = 10_000;
/// The word for a signature that its account does not take for its own.
pub(super) const UNSIGNED: &str = "unsigned";
/// The words for what came of asking.
const ANSWERS: [&str; 3] = ["erc1271", "erc6492", UNSIGNED];
/// Most chains.
const CHAINS_MAX: usize = 32;

/// A trace with all that is needed to check it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TraceDocument {
    /// [`DOCUMENT_SCHEMA`].
    pub schema: String,
    /// Up to which block of each chain the wallets of agents are known.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub as_of: Vec<AsOf>,
    /// The records, each in its envelope, in any order.
    pub envelopes: Vec<Sealed>,
    /// What is known of those who signed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parties: Vec<Party>,
    /// What contracts said of signatures when they were asked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub answers: Vec<Answer>,
}

/// Up to which block a chain is known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AsOf {
    /// Which chain, in CAIP-2: `eip155:8453`.
    pub chain: String,
    /// The block.
    pub block: BlockAt,
}

/// A block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BlockAt {
    /// Its number.
    pub number: u64,
    /// Its hash.
    pub hash: B256,
    /// When it was made.
    pub time: UnixSeconds,
}

/// An envelope, byte for byte.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sealed {
    /// Its text.
    pub envelope: String,
    /// When it was received by whoever made the document.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub received: Option<UnixSeconds>,
}

/// What an account's contract said of a signature.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    /// The digest of the envelope's bytes.
    pub envelope: Digest,
    /// How it took it for its own: by `erc1271`, or by `erc6492` where it was not deployed yet; `unsigned` where it did not, or there is none.
    pub signed_by: String,
    /// At the end of which block it was asked.
    pub block: u64,
    /// That block's hash.
    pub hash: B256,
}

/// Why bytes are no trace document.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TraceError {
    /// It is not JSON that means one thing, or too long.
    #[error(transparent)]
    Json(#[from] JsonError),
    /// A field is missing, or not what it must be.
    #[error(transparent)]
    Field(#[from] FieldError),
}

impl TraceDocument {
    /// A document of envelopes, about whose signers nothing is known yet.
    #[must_use]
    pub fn new(envelopes: Vec<Sealed>) -> Self {
        let schema = DOCUMENT_SCHEMA.to_owned();
        Self { schema, as_of: Vec::new(), envelopes, parties: Vec::new(), answers: Vec::new() }
    }

    /// Reads a document of at most [`DOCUMENT_BYTES_MAX`] bytes.
    ///
    /// # Errors
    /// Names the first thing that is wrong. No signature is checked.
    pub fn read(bytes: &[u8]) -> Result<Self, TraceError> {
        Self::from_value(canonical::read(bytes, DOCUMENT_BYTES_MAX)?)
    }

    /// The same from what [`canonical::read`] gave.
    ///
    /// # Errors
    /// Names the first field that is wrong.
    pub fn from_value(value: Value) -> Result<Self, TraceError> {
        // Counted before anything is made of it.
        let count = value.get("envelopes").and_then(Value::as_array).map_or(0, Vec::len);
        check_count("envelopes", count, ENVELOPES_MAX)?;
        let document: Self = serde_path_to_error::deserialize(value).map_err(|error| {
            let path = error.path().to_string();
            let field = if path == "." { "document".to_owned() } else { path };
            wrong(&field, &error.inner().to_string())
        })?;
        document.check()?;
        Ok(document)
    }

    /// The agents and DIDs that it speaks of: its parties, and those whose word its envelopes claim to be by an account.
    #[must_use]
    pub fn names(&self) -> BTreeSet<Subject> {
        let issuer = |sealed: &Sealed| {
            let raw = sealed.envelope.clone().into_bytes();
            let envelope = Envelope::read(raw, ENVELOPE_BYTES_MAX).ok()?;
            match envelope.signer() {
                Signer::Account { issuer, .. } => issuer.cloned(),
                Signer::Method(_) => None,
            }
        };
        let of_parties = self.parties.iter().map(|party| party.name.clone());
        let names = of_parties.chain(self.envelopes.iter().filter_map(issuer));
        names.filter(|name| matches!(name, Subject::Agent(_) | Subject::Did(_))).collect()
    }

    /// What no type says: sizes, names, and that spans and blocks can be true together.
    ///
    /// # Errors
    /// Names the first field that is wrong.
    pub fn check(&self) -> Result<(), FieldError> {
        if self.schema != DOCUMENT_SCHEMA {
            return Err(wrong("schema", &format!("it must be `{DOCUMENT_SCHEMA}`")));
        }
        if self.envelopes.is_empty() {
            return Err(wrong("envelopes", "there are none, and a trace has at least one"));
        }
        check_count("envelopes", self.envelopes.len(), ENVELOPES_MAX)?;
        check_count("parties", self.parties.len(), PARTIES_MAX)?;
        check_count("as_of", self.as_of.len(), CHAINS_MAX)?;
        check_count("answers", self.answers.len(), ENVELOPES_MAX)?;
        let spans = self.parties.iter().map(|party| party.wallets.len() + party.keys.len());
        check_count("parties", spans.sum(), SPANS_MAX)?;
        for (index, sealed) in self.envelopes.iter().enumerate() {
            let length = sealed.envelope.len();
            if length > ENVELOPE_BYTES_MAX {
                let why = format!("it has {length} bytes; at most {ENVELOPE_BYTES_MAX} are read");
                return Err(wrong(&format!("envelopes[{index}].envelope"), &why));
            }
        }
        let mut blocks = Blocks::default();
        let mut chains = BTreeMap::new();
        for (index, as_of) in self.as_of.iter().enumerate() {
            let field = format!("as_of[{index}]");
            let chain: ChainId = as_of
                .chain
                .parse()
                .map_err(|_| wrong(&format!("{field}.chain"), "write it as `eip155:8453`"))?;
            if chains.insert(chain, as_of.block).is_some() {
                return Err(wrong(&format!("{field}.chain"), "the chain is there already"));
            }
            let BlockAt { number, hash, time } = as_of.block;
            blocks.check(&format!("{field}.block"), chain, number, hash, time)?;
        }
        let mut names = BTreeSet::new();
        for (index, party) in self.parties.iter().enumerate() {
            let field = format!("parties[{index}]");
            if !names.insert(&party.name) {
                return Err(wrong(&format!("{field}.name"), "the party is there already"));
            }
            party.check(&field, &chains, &mut blocks)?;
        }
        self.answers.iter().enumerate().try_for_each(|(index, answer)| {
            let is_known = ANSWERS.contains(&answer.signed_by.as_str());
            let field = format!("answers[{index}].signed_by");
            let why = "it must be `erc1271`, `erc6492` or `unsigned`";
            if is_known { Ok(()) } else { Err(wrong(&field, why)) }
        })
    }
}

fn check_count(field: &str, count: usize, max: usize) -> Result<(), FieldError> {
    let why = format!("{count} of them; at most {max} are read");
    if count > max { Err(wrong(field, &why)) } else { Ok(()) }
}
