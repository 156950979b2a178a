//! The record by which a parent sets a child to work: to do what, under which specification and scope, until when.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::record::{
    Kind, check_about, check_name, check_ppm, check_text, check_value, check_word, wrong,
};
use super::scope::Scope;
use crate::attest::FieldError;
use crate::attest::canonical;
use crate::tfd::Author;
use crate::vocab::{Digest, Subject, UnixSeconds};

/// Most conditions of a specification.
const CONDITIONS_MAX: usize = 256;
/// Most judges of one grant.
const JUDGES_MAX: usize = 8;
/// The longest grammar of a scope, in bytes.
const GRAMMAR_LEN_MAX: usize = 16 * 1024;

/// A parent sets a child to work. The issuer is the parent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Grant {
    /// [`Kind::Grant`].
    pub schema: Kind,
    /// The parent.
    pub issuer: Subject,
    /// When.
    pub issued_at: UnixSeconds,
    /// Who, or what, is set to work.
    pub child: Child,
    /// On whose behalf: a buyer's, or under the grant that the parent itself works under.
    pub under: Under,
    /// What kind of work it is, in the words by which capabilities are stated.
    pub task_class: String,
    /// What is to be done.
    pub specification: Specification,
    /// What may be done for it.
    pub scope: Scope,
    /// From when on nothing may be accepted or done under it any more.
    pub expires_at: UnixSeconds,
    /// Whether the child may set others to work.
    pub may_delegate: bool,
    /// Whether these conditions bind those below as well.
    pub inheritance: Inheritance,
    /// What the two could do, as it was stated.
    #[serde(default, skip_serializing_if = "Snapshots::is_empty")]
    pub snapshots: Snapshots,
    /// Whose verdict confirms that the run, or what was done under it, failed, beside the buyer's: in ascending order of their names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub judges: Vec<Subject>,
    /// What the task asks for, in parts per million.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub required_ppm: Option<u32>,
    /// Tells grants apart that are otherwise alike.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nonce: Option<String>,
    /// For people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<String>,
}

/// Who, or what, is set to work.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Child {
    /// An agent, which has to accept.
    Agent(Subject),
    /// A version of a published skill, which cannot.
    Skill(Skill),
}

impl Child {
    /// The agent, if it is one.
    #[must_use]
    pub const fn agent(&self) -> Option<&Subject> {
        match self {
            Self::Agent(agent) => Some(agent),
            Self::Skill(_) => None,
        }
    }

    /// Who answers for it: the agent, or who published the skill, if that is known.
    #[must_use]
    pub const fn answerable(&self) -> Option<&Subject> {
        match self {
            Self::Agent(agent) => Some(agent),
            Self::Skill(skill) => skill.publisher.as_ref(),
        }
    }

    pub(super) fn check(&self, field: &str) -> Result<(), FieldError> {
        match self {
            Self::Agent(agent) => check_name(&format!("{field}.agent"), agent),
            Self::Skill(skill) => match &skill.publisher {
                Some(publisher) => check_name(&format!("{field}.skill.publisher"), publisher),
                None => Ok(()),
            },
        }
    }

    /// Whether both are the same agent, or the same version of a skill.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Agent(one), Self::Agent(other)) => one == other,
            (Self::Skill(one), Self::Skill(other)) => one.digest == other.digest,
            (Self::Agent(_), Self::Skill(_)) | (Self::Skill(_), Self::Agent(_)) => false,
        }
    }
}

impl std::fmt::Display for Child {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Agent(agent) => agent.fmt(f),
            Self::Skill(skill) => write!(f, "skill {}", skill.digest),
        }
    }
}

/// A version of a published skill.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Skill {
    /// The version.
    pub digest: Digest,
    /// Who published it, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub publisher: Option<Subject>,
}

/// On whose behalf a grant is made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Under {
    /// A buyer's, by the parent's word: the first grant of a trace.
    Buyer(Subject),
    /// Under the grant by which the parent works.
    Grant(Digest),
}

impl Under {
    /// The grant above, where there is one.
    #[must_use]
    pub const fn grant(&self) -> Option<Digest> {
        match self {
            Self::Grant(grant) => Some(*grant),
            Self::Buyer(_) => None,
        }
    }
}

/// What is to be done: what is counted as control.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Specification {
    /// The conditions that the work must meet, each any JSON with whole numbers.
    pub conditions: Vec<Value>,
    /// The grammar of what may be asked for and answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope_grammar: Option<String>,
    /// Who wrote it.
    pub author: Author,
    /// The SHA-256 of the RFC 8785 bytes of conditions and grammar: [`Specification::digest_of`].
    pub digest: Digest,
}

impl Specification {
    /// A specification with its digest.
    ///
    /// # Errors
    /// When a number in a condition cannot be written canonically.
    pub fn new(
        conditions: Vec<Value>,
        scope_grammar: Option<String>,
        author: Author,
    ) -> Result<Self, canonical::JsonError> {
        let digest = Self::digest_of(&conditions, scope_grammar.as_deref())?;
        Ok(Self { conditions, scope_grammar, author, digest })
    }

    /// The SHA-256 of the RFC 8785 bytes of `{"conditions": […], "scope_grammar": "…"}`, the latter left out where there is none.
    ///
    /// # Errors
    /// When a number in a condition cannot be written canonically.
    pub fn digest_of(
        conditions: &[Value],
        scope_grammar: Option<&str>,
    ) -> Result<Digest, canonical::JsonError> {
        let mut whole = json!({ "conditions": conditions });
        if let (Some(grammar), Some(object)) = (scope_grammar, whole.as_object_mut()) {
            object.insert("scope_grammar".to_owned(), grammar.into());
        }
        canonical::digest(&whole)
    }

    /// The conditions as RFC 8785 bytes; `None` where there are none.
    #[must_use]
    pub fn canonical_conditions(&self) -> Option<String> {
        let whole = Value::Array(self.conditions.clone());
        let bytes = canonical::to_bytes(&whole).ok().filter(|_| !self.conditions.is_empty());
        bytes.and_then(|bytes| String::from_utf8(bytes).ok())
    }

    fn check(&self) -> Result<(), FieldError> {
        if self.conditions.len() > CONDITIONS_MAX {
            let why = format!("it has more than {CONDITIONS_MAX} entries");
            return Err(wrong("specification.conditions", &why));
        }
        for (index, condition) in self.conditions.iter().enumerate() {
            check_value(&format!("specification.conditions[{index}]"), condition)?;
        }
        if let Some(grammar) = &self.scope_grammar {
            check_text("specification.scope_grammar", grammar, GRAMMAR_LEN_MAX)?;
        }
        let digest = Self::digest_of(&self.conditions, self.scope_grammar.as_deref());
        match digest {
            Ok(digest) if digest == self.digest => Ok(()),
            Ok(digest) => {
                let why = format!("conditions and grammar have the digest {digest}");
                Err(wrong("specification.digest", &why))
            }
            Err(error) => Err(wrong("specification.conditions", &error.to_string())),
        }
    }
}

/// Whether conditions bind those below as well.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Inheritance {
    /// These conditions, and those that bind the parent, bind whoever works under this grant; and no grant below can end that.
    Full,
    /// The child answers for its own specification, and the parent for what is above.
    None,
}

/// What the two could do: records of [`Kind::Capability`], which the child accepts along with the grant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Snapshots {
    /// Of the parent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<Digest>,
    /// Of the child.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub child: Option<Digest>,
}

impl Snapshots {
    const fn is_empty(&self) -> bool {
        self.parent.is_none() && self.child.is_none()
    }
}

impl Grant {
    pub(super) fn check(&self) -> Result<(), FieldError> {
        self.child.check("child")?;
        if self.child.agent() == Some(&self.issuer) {
            return Err(wrong("child.agent", "it is the issuer: nobody sets itself to work"));
        }
        if let Under::Buyer(buyer) = &self.under {
            check_name("under.buyer", buyer)?;
        }
        check_word("task_class", &self.task_class)?;
        self.specification.check()?;
        self.scope.check()?;
        if self.expires_at <= self.issued_at {
            return Err(wrong("expires_at", "it is not after `issued_at`"));
        }
        if self.may_delegate && self.child.agent().is_none() {
            return Err(wrong("may_delegate", "a skill sets nobody to work"));
        }
        self.check_judges()?;
        check_ppm("required_ppm", self.required_ppm.unwrap_or(0))?;
        if let Some(nonce) = &self.nonce {
            check_word("nonce", nonce)?;
        }
        check_about(self.about.as_deref())
    }

    fn check_judges(&self) -> Result<(), FieldError> {
        if self.judges.len() > JUDGES_MAX {
            return Err(wrong("judges", &format!("it has more than {JUDGES_MAX} entries")));
        }
        let mut names = Vec::with_capacity(self.judges.len());
        for (index, judge) in self.judges.iter().enumerate() {
            let field = format!("judges[{index}]");
            check_name(&field, judge)?;
            if *judge == self.issuer || self.child.agent() == Some(judge) {
                return Err(wrong(&field, "who sets to work, or is set to work, judges nobody"));
            }
            names.push(judge.to_string());
        }
        let ascends = names.iter().zip(names.iter().skip(1)).all(|(one, next)| one < next);
        let why = "names stand in ascending order of their bytes, each once";
        if ascends { Ok(()) } else { Err(wrong("judges", why)) }
    }
}
