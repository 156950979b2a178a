//! What a grant allows: actions, on which resources, within which limits; and whether one scope lies within another.
//!
//! An entry of `actions` or `resources` means itself, or, where it ends in `*`, everything that begins so. Entries stand in ascending
//! order of their bytes, each once, so that a scope has one form. Resources that are absent are not restricted, and neither is what has
//! no limit.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::amount::Amount;
use super::attenuate::Widening;
use super::record::{check_word, wrong};
use crate::attest::FieldError;

/// Most entries of a list, and most limits.
const ENTRIES_MAX: usize = 256;

/// What is granted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scope {
    /// What may be done; nothing else may.
    pub actions: Vec<String>,
    /// On what; absent where that is not restricted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resources: Option<Vec<String>>,
    /// The most of each thing, by its name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub limits: BTreeMap<String, Amount>,
}

impl Scope {
    /// Whether it has its one form.
    pub(super) fn check(&self) -> Result<(), FieldError> {
        if self.actions.is_empty() {
            return Err(wrong("scope.actions", "it is empty: a grant allows something"));
        }
        check_entries("scope.actions", &self.actions)?;
        if let Some(resources) = &self.resources {
            check_entries("scope.resources", resources)?;
        }
        if self.limits.len() > ENTRIES_MAX {
            return Err(wrong("scope.limits", &format!("it has more than {ENTRIES_MAX} entries")));
        }
        self.limits.keys().try_for_each(|name| check_word("scope.limits", name))
    }

    /// The first thing that `below` allows and this one does not.
    pub(super) fn widened_by(&self, below: &Self) -> Option<Widening> {
        let outside = |above: &[String], below: &[String]| {
            below.iter().find(|entry| !above.iter().any(|pattern| covers(pattern, entry))).cloned()
        };
        if let Some(action) = outside(&self.actions, &below.actions) {
            return Some(Widening::Action(action));
        }
        match (&self.resources, &below.resources) {
            (None, _) => {}
            (Some(_), None) => return Some(Widening::AllResources),
            (Some(above), Some(below)) => {
                if let Some(resource) = outside(above, below) {
                    return Some(Widening::Resource(resource));
                }
            }
        }
        self.limits.iter().find_map(|(name, above)| match below.limits.get(name) {
            None => Some(Widening::NoLimit { name: name.clone(), above: *above }),
            Some(limit) if limit > above => {
                let (name, above, below) = (name.clone(), *above, *limit);
                Some(Widening::Limit { name, above, below })
            }
            Some(_) => None,
        })
    }
}

/// Whether all that an entry means is meant by a pattern.
fn covers(pattern: &str, entry: &str) -> bool {
    match pattern.strip_suffix('*') {
        // What an entry with `*` means begins with all that stands before it.
        Some(start) => entry.strip_suffix('*').unwrap_or(entry).starts_with(start),
        None => pattern == entry,
    }
}

fn check_entries(field: &str, entries: &[String]) -> Result<(), FieldError> {
    if entries.len() > ENTRIES_MAX {
        return Err(wrong(field, &format!("it has more than {ENTRIES_MAX} entries")));
    }
    for entry in entries {
        check_word(field, entry)?;
        if entry.strip_suffix('*').unwrap_or(entry).contains('*') {
            return Err(wrong(field, "`*` stands at the end of an entry, and nowhere else"));
        }
    }
    let ascends = entries.iter().zip(entries.iter().skip(1)).all(|(one, next)| one < next);
    let why = "entries stand in ascending order of their bytes, each once";
    if ascends { Ok(()) } else { Err(wrong(field, why)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_covers_what_begins_so() {
        for (pattern, entry, expected) in [
            ("read", "read", true),
            ("read", "read:a", false),
            ("read", "read*", false),
            ("read:*", "read:a", true),
            ("read:*", "read:a*", true),
            ("read:*", "read:*", true),
            ("read:*", "read:", true),
            ("read:*", "read", false),
            ("read:*", "rea*", false),
            ("read:a*", "read:*", false),
            ("*", "*", true),
            ("*", "anything", true),
        ] {
            assert_eq!(covers(pattern, entry), expected, "{pattern} {entry}");
        }
    }
}
