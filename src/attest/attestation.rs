//! The record in which an issuer says something of a subject, and the context that it lacks.
//!
//! The record is `AttestationV1` of Coordination Games (`packages/engine/src/types.ts`, and the schema by which their projector checks
//! it): who says it, of whom, what, perhaps when and how sure, and on what evidence. Fields that we do not know are kept. Their record
//! names neither the game nor the chain, so the same move in two games gives the same `id`; here the record is kept together with its
//! [`Context`], and its digest covers both. Their `id` is an attribute and never a key.
//!
//! One JSON object holds the two, `{"attestation": {…}, "context": {…}}`; its RFC 8785 bytes are what is hashed, signed and stored. What
//! a record says of itself (`issuerKind`) is read here and believed nowhere: see `class`. How many characters a note may have, and who
//! may say what of whom, is policy, and whoever takes a record in decides it.

use serde_json::{Map, Value, json};

use super::canonical::{self, JsonError};
use super::class::IssuerClass;
use super::decimal::Decimal;
use super::field::{self, FieldError};
use crate::vocab::{ChainId, Digest, Naming, OriginName, Subject, UnixSeconds};

/// What a record calls its own form.
pub const SCHEMA: &str = "attestation/v1";
/// The longest id and the longest type of a claim, in bytes. The platform sets no limit; its own are shorter than 100.
const WORD_LEN_MAX: usize = 256;
/// The longest name of a game, in bytes.
const GAME_LEN_MAX: usize = 256;
/// The most that one record may point to.
const EVIDENCE_COUNT_MAX: usize = 1_000;
/// From this number on, a time is in milliseconds: as seconds it would be in the year 5138, as milliseconds it is in 1973.
const MILLISECONDS_FROM: u64 = 100_000_000_000;

/// A record with its context.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attestation {
    /// Where it was said.
    pub context: Context,
    /// What it says, field by field.
    pub body: AttestationV1,
    /// Who says it, by the body's own words.
    pub issuer: Subject,
    /// Of whom.
    pub subject: Subject,
    /// The body as it came, unknown fields and all.
    source: Map<String, Value>,
    canonical: Vec<u8>,
    digest: Digest,
}

/// Where a record was said: what `AttestationV1` leaves out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Context {
    /// The platform that it came from; `None` where its issuer sent it.
    pub origin: Option<OriginName>,
    /// The game, as the platform names it.
    pub game: Option<String>,
    /// The turn of the game, finer than the record's round.
    pub turn: Option<u64>,
    /// The chain that bare addresses in it are on.
    pub chain: Option<ChainId>,
}

/// The fields of `AttestationV1`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttestationV1 {
    /// The platform's id. Two records may have the same.
    pub id: String,
    /// Who says it, in the record's words.
    pub issuer: String,
    /// What the record says its issuer is.
    pub issuer_kind: IssuerClass,
    /// Of whom, in the record's words.
    pub subject: String,
    /// What is said.
    pub claim: Claim,
    /// In words for people.
    pub note: Option<String>,
    /// How sure the issuer is.
    pub confidence: Option<Confidence>,
    /// The round of the game.
    pub round: Option<u64>,
    /// When.
    pub issued_at: Option<IssuedAt>,
    /// What backs it, in the record's order.
    pub evidence: Vec<EvidenceRef>,
}

/// What is said of the subject.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// Which kind of claim, such as `tragedy.round_choice.v1`. An open list.
    pub kind: String,
    /// Its data, whose form the kind decides.
    pub data: Map<String, Value>,
}

/// How sure an issuer is, from 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Confidence {
    /// In parts per billion, rounded half to even; the record keeps what was written.
    pub ppb: u32,
}

/// When a record says that it was issued.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IssuedAt {
    /// As it is written.
    pub text: String,
    /// What that means; `None` where it is no time. The platform asks for no form.
    pub time: Option<UnixSeconds>,
}

/// A pointer to what backs a claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EvidenceRef {
    /// What kind of thing it points to.
    pub kind: String,
    /// Which one.
    pub id: String,
    /// Who may see it.
    pub visibility: Visibility,
    /// The round that it is from.
    pub round: Option<u64>,
    /// Its place in the platform's relay log.
    pub relay_index: Option<u64>,
    /// In words for people.
    pub summary: Option<String>,
}

/// Who may see evidence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Visibility {
    /// Anybody.
    Public,
    /// Whoever may see it in the game.
    ViewerVisible,
}

/// Why something is not a record.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AttestationError {
    /// It is not JSON that means one thing.
    #[error(transparent)]
    Json(#[from] JsonError),
    /// A field is missing, or not what it must be.
    #[error(transparent)]
    Field(#[from] FieldError),
}

impl Attestation {
    /// Reads a record with its context: `{"attestation": {…}, "context": {…}}`, of at most `size_max` bytes.
    ///
    /// # Errors
    /// Names the first thing that is wrong.
    pub fn read(bytes: &[u8], size_max: usize) -> Result<Self, AttestationError> {
        Self::from_value(canonical::read(bytes, size_max)?)
    }

    /// The same from what [`canonical::read`] gave.
    ///
    /// # Errors
    /// Names the first field that is wrong.
    pub fn from_value(value: Value) -> Result<Self, AttestationError> {
        let mut whole = field::object("the record", value)?;
        let body = field::take(&mut whole, "attestation")?;
        let context = field::take(&mut whole, "context").map_err(|_| {
            FieldError::new(
                "context",
                "it is missing: write `\"context\": {}` where there is none".to_owned(),
            )
        })?;
        field::nothing_else(&whole)?;
        Self::new(body, Context::from_value(context)?)
    }

    /// Joins a body, from what [`canonical::read`] gave, and the context that it was said in.
    ///
    /// # Errors
    /// Names the first field that is wrong.
    pub fn new(body: Value, context: Context) -> Result<Self, AttestationError> {
        let source = field::object("attestation", body)?;
        let body = AttestationV1::read(&source)?;
        let naming = Naming { origin: context.origin.as_ref(), chain: context.chain };
        let named = |name, text: &str| {
            Subject::parse(text, naming).map_err(|error| FieldError::new(name, error.to_string()))
        };
        let issuer = named("issuer", &body.issuer)?;
        let subject = named("subject", &body.subject)?;
        let whole = json!({ "attestation": &source, "context": context.to_value() });
        let canonical = canonical::to_bytes(&whole)?;
        let digest = Digest::of(&canonical);
        Ok(Self { context, body, issuer, subject, source, canonical, digest })
    }

    /// The SHA-256 of [`canonical`](Self::canonical): what the record is known by.
    #[must_use]
    pub const fn digest(&self) -> Digest {
        self.digest
    }

    /// The RFC 8785 bytes of the record with its context.
    #[must_use]
    pub fn canonical(&self) -> &[u8] {
        &self.canonical
    }

    /// The body as it came, unknown fields and all.
    #[must_use]
    pub const fn source(&self) -> &Map<String, Value> {
        &self.source
    }

    /// The record with its context, as JSON.
    #[must_use]
    pub fn to_value(&self) -> Value {
        json!({ "attestation": &self.source, "context": self.context.to_value() })
    }

    /// When it was said, by its own words; `None` where it gives no time, or none that can be read.
    #[must_use]
    pub fn said_at(&self) -> Option<UnixSeconds> {
        self.body.issued_at.as_ref()?.time
    }
}

impl Context {
    fn from_value(value: Value) -> Result<Self, FieldError> {
        let object = field::object("context", value)?;
        Self::read(object).map_err(|error| error.of("context"))
    }

    fn read(mut object: Map<String, Value>) -> Result<Self, FieldError> {
        let context = Self {
            origin: field::parsed(&object, "origin")?,
            game: field::word(&object, "game", GAME_LEN_MAX)?,
            turn: field::whole(&object, "turn")?,
            chain: field::parsed(&object, "chain")?,
        };
        object.retain(|key, _| !["origin", "game", "turn", "chain"].contains(&key.as_str()));
        field::nothing_else(&object)?;
        Ok(context)
    }

    /// As JSON; what is not known is left out.
    #[must_use]
    pub fn to_value(&self) -> Value {
        let mut object = Map::new();
        let fields = [
            ("origin", self.origin.as_ref().map(|origin| origin.as_str().into())),
            ("game", self.game.as_deref().map(Value::from)),
            ("turn", self.turn.map(Value::from)),
            ("chain", self.chain.map(|chain| chain.to_string().into())),
        ];
        let known = fields.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?)));
        object.extend(known);
        Value::Object(object)
    }
}

impl AttestationV1 {
    /// Reads what the platform's own schema asks for, and what its types say.
    fn read(object: &Map<String, Value>) -> Result<Self, FieldError> {
        if field::required(object, "schemaVersion")? != SCHEMA {
            return Err(FieldError::new("schemaVersion", format!("it must be `{SCHEMA}`")));
        }
        let required = |name| field::required_word(object, name, WORD_LEN_MAX);
        let issuer_kind = required("issuerKind")?;
        let issuer_kind = IssuerClass::from_word(&issuer_kind).ok_or_else(|| {
            FieldError::new("issuerKind", "it must be `agent`, `system` or `plugin`".to_owned())
        })?;
        Ok(Self {
            id: required("id")?,
            issuer: field::required_word(object, "issuer", usize::MAX)?,
            issuer_kind,
            subject: field::required_word(object, "subject", usize::MAX)?,
            claim: Claim::read(object)?,
            note: field::text(object, "note")?,
            confidence: object.get("confidence").map(Confidence::read).transpose()?,
            round: field::whole(object, "round")?,
            issued_at: object.get("issuedAt").map(IssuedAt::read).transpose()?,
            evidence: EvidenceRef::read_all(object)?,
        })
    }
}

impl Claim {
    fn read(object: &Map<String, Value>) -> Result<Self, FieldError> {
        let claim = field::required(object, "claim")?;
        let claim = field::inside("claim", claim)?;
        let kind = field::required_word(claim, "type", WORD_LEN_MAX).map_err(|e| e.of("claim"))?;
        let data = field::required(claim, "data").map_err(|error| error.of("claim"))?;
        let data = field::inside("claim.data", data)?.clone();
        Ok(Self { kind, data })
    }
}

impl Confidence {
    /// Reads a number from 0 to 1, or the same in a string of digits.
    fn read(value: &Value) -> Result<Self, FieldError> {
        let text = match value {
            Value::Number(number) => number.to_string(),
            Value::String(text) => text.clone(),
            _ => String::new(),
        };
        Self::parse(&text).ok_or_else(|| {
            FieldError::new("confidence", "it must be a number from 0 to 1".to_owned())
        })
    }

    /// Reads a number of JSON from 0 to 1; `None` where it is none.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let number = Decimal::parse(text).filter(Decimal::is_fraction)?;
        Some(Self { ppb: u32::try_from(number.scaled(9)?).ok()? })
    }
}

impl IssuedAt {
    /// Reads both spellings: a text, as the platform's types have it, and a number, as the plan before them had it.
    fn read(value: &Value) -> Result<Self, FieldError> {
        match value {
            Value::String(text) => {
                Ok(Self { text: text.clone(), time: UnixSeconds::parse(text).ok() })
            }
            Value::Number(number) => {
                let count = canonical::integer(value).ok_or_else(|| {
                    FieldError::new(
                        "issuedAt",
                        "a number must be whole and not negative".to_owned(),
                    )
                })?;
                let in_ms = count >= MILLISECONDS_FROM;
                let time = UnixSeconds::new(if in_ms { count / 1_000 } else { count });
                Ok(Self { text: number.to_string(), time })
            }
            _ => Err(FieldError::new("issuedAt", "it must be a text or a number".to_owned())),
        }
    }
}

impl EvidenceRef {
    fn read_all(object: &Map<String, Value>) -> Result<Vec<Self>, FieldError> {
        let refuse = |why: &str| FieldError::new("evidenceRefs", why.to_owned());
        match object.get("evidenceRefs") {
            None => Ok(Vec::new()),
            Some(Value::Array(items)) if items.len() > EVIDENCE_COUNT_MAX => {
                Err(refuse("it has more than 1000 entries"))
            }
            Some(Value::Array(items)) => items.iter().map(Self::read).collect(),
            Some(_) => Err(refuse("it must be an array")),
        }
    }

    fn read(value: &Value) -> Result<Self, FieldError> {
        let object = field::inside("evidenceRefs", value)?;
        let read = || {
            let visibility = match field::required_text(object, "visibility")?.as_str() {
                "public" => Visibility::Public,
                "viewer-visible" => Visibility::ViewerVisible,
                _ => {
                    let why = "it must be `public` or `viewer-visible`".to_owned();
                    return Err(FieldError::new("visibility", why));
                }
            };
            Ok(Self {
                kind: field::required_text(object, "kind")?,
                id: field::required_text(object, "id")?,
                visibility,
                round: field::whole(object, "round")?,
                relay_index: field::whole(object, "relayIndex")?,
                summary: field::text(object, "summary")?,
            })
        };
        read().map_err(|error: FieldError| error.of("evidenceRefs"))
    }
}

#[cfg(test)]
#[path = "attestation_tests.rs"]
mod tests;
