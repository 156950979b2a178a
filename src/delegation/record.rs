//! The six kinds of record, read strictly: what is not known is refused, and each record has one form in bytes.
//!
//! Signatures are no concern here, and neither is whether a record fits others: see `verify`. All numbers in a record are whole, all sets
//! are in ascending order, and whatever can be left out is left out where it says nothing; so a record that is read and written again is
//! the same, and its digest does not depend on who wrote it.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::grant::Grant;
use super::task::{Acceptance, Capability, Interaction, Outcome, Verdict};
use crate::attest::canonical::INTEGER_MAX;
use crate::attest::typed_record::TypedRecordError;
use crate::attest::{FieldError, TypedRecord};
use crate::vocab::{Digest, Subject, UnixSeconds, shorten};

/// The longest name of a party, class of tasks, action or other short text, in bytes.
pub const NAME_LEN_MAX: usize = 200;
/// The longest text for people, in bytes.
const TEXT_LEN_MAX: usize = 4_000;
/// How many arrays and objects may stand inside each other in a value that is kept as it is.
const DEPTH_MAX: usize = 16;

/// What a record is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Kind {
    /// A parent sets a child to work.
    #[serde(rename = "hallmark/grant/1")]
    Grant,
    /// The child takes it.
    #[serde(rename = "hallmark/acceptance/1")]
    Acceptance,
    /// One event of the run that somebody watched.
    #[serde(rename = "hallmark/interaction/1")]
    Interaction,
    /// What came of it.
    #[serde(rename = "hallmark/outcome/1")]
    Outcome,
    /// What somebody could do at a time.
    #[serde(rename = "hallmark/capability/1")]
    Capability,
    /// What failed, by whose judgement.
    #[serde(rename = "hallmark/verdict/1")]
    Verdict,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 6] = [
        Self::Grant,
        Self::Acceptance,
        Self::Interaction,
        Self::Outcome,
        Self::Capability,
        Self::Verdict,
    ];

    /// Its word in storage and on the command line.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Grant => "grant",
            Self::Acceptance => "acceptance",
            Self::Interaction => "interaction",
            Self::Outcome => "outcome",
            Self::Capability => "capability",
            Self::Verdict => "verdict",
        }
    }

    /// The kind of a word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }

    /// What records of this kind have for their `schema`.
    #[must_use]
    pub fn schema(self) -> String {
        format!("hallmark/{}/1", self.as_str())
    }

    /// The kind of a schema.
    #[must_use]
    pub fn from_schema(schema: &str) -> Option<Self> {
        Self::from_word(schema.strip_prefix("hallmark/")?.strip_suffix("/1")?)
    }
}

/// A record of a delegation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Record {
    /// A parent sets a child to work.
    Grant(Box<Grant>),
    /// The child takes it.
    Acceptance(Box<Acceptance>),
    /// One event of the run.
    Interaction(Box<Interaction>),
    /// What came of it.
    Outcome(Box<Outcome>),
    /// What somebody could do.
    Capability(Box<Capability>),
    /// What failed.
    Verdict(Box<Verdict>),
}

impl Record {
    /// Reads what an envelope carries.
    ///
    /// # Errors
    /// Names the first field that is wrong.
    pub fn read(record: &TypedRecord) -> Result<Self, FieldError> {
        let unknown = || {
            let kinds = Kind::ALL.map(|kind| format!("`{}`", kind.schema())).join(", ");
            wrong("schema", &format!("`{}` is none of {kinds}", record.schema))
        };
        let source = record.source();
        let read = match Kind::from_schema(&record.schema).ok_or_else(unknown)? {
            Kind::Grant => Self::Grant(Box::new(typed(source)?)),
            Kind::Acceptance => Self::Acceptance(Box::new(typed(source)?)),
            Kind::Interaction => Self::Interaction(Box::new(typed(source)?)),
            Kind::Outcome => Self::Outcome(Box::new(typed(source)?)),
            Kind::Capability => Self::Capability(Box::new(typed(source)?)),
            Kind::Verdict => Self::Verdict(Box::new(typed(source)?)),
        };
        read.check()?;
        Ok(read)
    }

    fn check(&self) -> Result<(), FieldError> {
        check_name("issuer", self.issuer())?;
        match self {
            Self::Grant(grant) => grant.check(),
            Self::Acceptance(acceptance) => acceptance.check(),
            Self::Interaction(interaction) => interaction.check(),
            Self::Outcome(outcome) => outcome.check(),
            Self::Capability(capability) => capability.check(),
            Self::Verdict(verdict) => verdict.check(),
        }
    }

    /// What it is.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Grant(_) => Kind::Grant,
            Self::Acceptance(_) => Kind::Acceptance,
            Self::Interaction(_) => Kind::Interaction,
            Self::Outcome(_) => Kind::Outcome,
            Self::Capability(_) => Kind::Capability,
            Self::Verdict(_) => Kind::Verdict,
        }
    }

    /// Whose word it is.
    #[must_use]
    pub const fn issuer(&self) -> &Subject {
        match self {
            Self::Grant(record) => &record.issuer,
            Self::Acceptance(record) => &record.issuer,
            Self::Interaction(record) => &record.issuer,
            Self::Outcome(record) => &record.issuer,
            Self::Capability(record) => &record.issuer,
            Self::Verdict(record) => &record.issuer,
        }
    }

    /// When it was said, by the issuer's word.
    #[must_use]
    pub const fn issued_at(&self) -> UnixSeconds {
        match self {
            Self::Grant(record) => record.issued_at,
            Self::Acceptance(record) => record.issued_at,
            Self::Interaction(record) => record.issued_at,
            Self::Outcome(record) => record.issued_at,
            Self::Capability(record) => record.issued_at,
            Self::Verdict(record) => record.issued_at,
        }
    }

    /// The grant whose run it is about; `None` for a grant itself, and for a capability, to which grants point.
    #[must_use]
    pub const fn of_grant(&self) -> Option<Digest> {
        match self {
            Self::Acceptance(record) => Some(record.grant),
            Self::Interaction(record) => Some(record.grant),
            Self::Outcome(record) => Some(record.grant),
            Self::Verdict(record) => Some(record.grant),
            Self::Grant(_) | Self::Capability(_) => None,
        }
    }

    /// The records that it points to, which a trace that holds it needs: the grant above or of its run, the record before, snapshots.
    #[must_use]
    pub fn points_to(&self) -> Vec<Digest> {
        match self {
            Self::Grant(grant) => {
                let snapshots = [grant.snapshots.parent, grant.snapshots.child];
                grant.under.grant().into_iter().chain(snapshots.into_iter().flatten()).collect()
            }
            Self::Acceptance(record) => vec![record.grant],
            Self::Interaction(record) => vec![record.grant, record.previous],
            Self::Outcome(record) => vec![record.grant, record.last],
            Self::Verdict(record) => vec![record.grant],
            Self::Capability(_) => Vec::new(),
        }
    }

    /// As JSON.
    ///
    /// # Errors
    /// Never for what was read; for what was built by hand, where a text or a number cannot be written.
    pub fn to_value(&self) -> Result<Value, serde_json::Error> {
        match self {
            Self::Grant(record) => serde_json::to_value(record),
            Self::Acceptance(record) => serde_json::to_value(record),
            Self::Interaction(record) => serde_json::to_value(record),
            Self::Outcome(record) => serde_json::to_value(record),
            Self::Capability(record) => serde_json::to_value(record),
            Self::Verdict(record) => serde_json::to_value(record),
        }
    }

    /// What is signed of it: the same with its bytes and its digest.
    ///
    /// # Errors
    /// When what was built by hand is not a record that could be read: names the field.
    pub fn typed(&self) -> Result<TypedRecord, TypedRecordError> {
        self.check()?;
        let value = self.to_value().map_err(|error| wrong("record", &error.to_string()))?;
        TypedRecord::from_value(value)
    }
}

/// Reads a struct, whose one form the source must be.
fn typed<T: Serialize + DeserializeOwned>(source: &Map<String, Value>) -> Result<T, FieldError> {
    let value = Value::Object(source.clone());
    let read: T = serde_path_to_error::deserialize(value).map_err(|error| {
        let path = error.path().to_string();
        let field = if path == "." { "record".to_owned() } else { path };
        wrong(&field, &error.inner().to_string())
    })?;
    let written = serde_json::to_value(&read);
    let written = written.map_err(|error| wrong("record", &error.to_string()))?;
    let other = source.iter().find(|(name, value)| written.get(name.as_str()) != Some(value));
    match other {
        Some((name, _)) => Err(wrong(name, "leave out what is null, empty or has its default")),
        None => Ok(read),
    }
}

pub(super) fn wrong(field: &str, why: &str) -> FieldError {
    FieldError { field: shorten(field), why: why.to_owned() }
}

/// A name that is not longer than names may be here.
pub(super) fn check_name(field: &str, name: &Subject) -> Result<(), FieldError> {
    let length = name.to_string().len();
    let why = || format!("it has {length} bytes; at most {NAME_LEN_MAX} are read");
    if length > NAME_LEN_MAX { Err(wrong(field, &why())) } else { Ok(()) }
}

/// A short text that can be shown.
pub(super) fn check_word(field: &str, word: &str) -> Result<(), FieldError> {
    let fits = (1..=NAME_LEN_MAX).contains(&word.len()) && !word.contains(char::is_control);
    let why = || format!("a short text has 1 to {NAME_LEN_MAX} bytes and no control character");
    if fits { Ok(()) } else { Err(wrong(field, &why())) }
}

/// A text for people.
pub(super) fn check_text(field: &str, text: &str, len_max: usize) -> Result<(), FieldError> {
    let is_wrong = |c: char| c.is_control() && !matches!(c, '\n' | '\t');
    let fits = (1..=len_max).contains(&text.len()) && !text.contains(is_wrong);
    let why = || {
        format!("a text has 1 to {len_max} bytes, and no control character but tabs and line feeds")
    };
    if fits { Ok(()) } else { Err(wrong(field, &why())) }
}

/// A remark for people, where there is one.
pub(super) fn check_about(about: Option<&str>) -> Result<(), FieldError> {
    about.map_or(Ok(()), |text| check_text("about", text, TEXT_LEN_MAX))
}

/// Digests in ascending order, each once.
pub(super) fn check_digests(
    field: &str,
    digests: &[Digest],
    count_max: usize,
) -> Result<(), FieldError> {
    if digests.len() > count_max {
        return Err(wrong(field, &format!("it has more than {count_max} entries")));
    }
    let ascends = digests.iter().zip(digests.iter().skip(1)).all(|(one, next)| one < next);
    let why = "digests stand in ascending order, each once";
    if ascends { Ok(()) } else { Err(wrong(field, why)) }
}

/// Parts in a million, not more than all.
pub(super) fn check_ppm(field: &str, ppm: u32) -> Result<(), FieldError> {
    let why = || format!("{ppm} is not within 0 to {}", crate::tfd::PPM);
    if ppm <= crate::tfd::PPM { Ok(()) } else { Err(wrong(field, &why())) }
}

/// A value of any form, whose numbers are whole and which is not too deep.
pub(super) fn check_value(field: &str, value: &Value) -> Result<(), FieldError> {
    check_value_at(field, value, 0)
}

fn check_value_at(field: &str, value: &Value, depth: usize) -> Result<(), FieldError> {
    if depth > DEPTH_MAX {
        let why = format!("more than {DEPTH_MAX} arrays and objects stand inside each other");
        return Err(wrong(field, &why));
    }
    match value {
        Value::Number(number) => {
            let size = number.as_u64().or_else(|| number.as_i64().map(i64::unsigned_abs));
            let why = || format!("the number {number} is not whole, from -2^53 to 2^53");
            if size.is_some_and(|size| size <= INTEGER_MAX) {
                Ok(())
            } else {
                Err(wrong(field, &why()))
            }
        }
        Value::Array(items) => {
            items.iter().try_for_each(|item| check_value_at(field, item, depth + 1))
        }
        Value::Object(entries) => {
            entries.values().try_for_each(|entry| check_value_at(field, entry, depth + 1))
        }
        Value::Null | Value::Bool(_) | Value::String(_) => Ok(()),
    }
}
