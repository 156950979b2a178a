//! Traces that do not hold, and documents that are none; each by one fault.

mod documents;
mod hops;
mod records;
mod runs;
mod signatures;

use hallmark::delegation::{Grant, Record, Under};
use serde_json::{Value, json};

use super::super::build::*;
use super::Made;

pub(super) fn all() -> Vec<Made> {
    let mut all = signatures::all();
    all.extend(hops::all());
    all.extend(runs::all());
    all.extend(records::all());
    all.extend(documents::all());
    all
}

pub(super) fn made(
    name: &'static str,
    about: &'static str,
    told: &'static str,
    built: &Builder,
) -> Made {
    Made { name, about, document: json!(built.document), told }
}

pub(super) fn first() -> Under {
    Under::Buyer(buyer())
}

/// The usual grant of agent 1 to agent 2.
pub(super) fn usual() -> Grant {
    grant(agent(1), agent(2), first(), START + 100)
}

/// A trace of one hop, changed before it is signed.
pub(super) fn one(change: impl FnOnce(&mut Builder)) -> Builder {
    let mut built = Builder::new(3);
    change(&mut built);
    built
}

/// A trace of two hops: 1 to 2 to 3.
pub(super) fn two(change: impl FnOnce(&mut Grant, &mut Grant)) -> Builder {
    let mut built = Builder::new(4);
    let (mut above, mut below) =
        (usual(), grant(agent(2), agent(3), Under::Grant(digest("")), START + 200));
    change(&mut above, &mut below);
    let (granted, _) = built.hire(above);
    if below.under == Under::Grant(digest("")) {
        below.under = Under::Grant(granted);
    }
    let signer = if below.issuer == agent(4) { 4 } else { 2 };
    let (parent, child) = (below.issuer.clone(), below.child.agent().unwrap().clone());
    let at = below.issued_at.get() + 10;
    let granted = built.sign_by(Record::Grant(Box::new(below)), signer);
    built.sign(acceptance(granted, parent, child, at));
    built
}

/// An envelope of something that is no record, or of none of this kind, signed all the same.
pub(super) fn raw(value: Value) -> Builder {
    let typed = hallmark::attest::TypedRecord::from_value(value).unwrap();
    let mut built = Builder::new(2);
    built.add(stated(&typed, 1).to_value().to_string());
    built
}
