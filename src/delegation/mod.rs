//! Delegation traces: who set whom to work, signed by both, and checked against the keys that they had at that time.
//!
//! A trace is made of six kinds of [`Record`]: a parent *grants*, a child *accepts* that very grant, *interactions* of the run follow
//! each other by their digests, an *outcome* ends it, *capability* snapshots say what either could do, and a *verdict* says what failed.
//! Each travels in an envelope of [`attest`](crate::attest), which knows signatures and nothing of delegation.
//!
//! [`attenuate`] is the rule that a grant narrows the one above it. A [`TraceDocument`] holds the envelopes of a trace and what is known
//! of the wallets and keys of its parties, so that [`verify_trace`] can judge it without asking anybody: the [`TraceVerdict`] names the
//! first hop that is wrong, and why. [`case`] makes of it what [`tfd`](crate::tfd) computes with, [`operators`] who of a trace is one, and
//! [`kept_hop`] looks at one hop of the records that a service keeps.
//!
//! Nothing here knows storage or the network, and the time of checking is brought along. `docs/delegation.md` is the specification.

mod above;
mod amount;
mod attenuate;
mod bounds;
mod case;
mod control;
mod depth;
mod document;
mod grant;
mod hops;
mod judges;
mod kept;
mod known;
mod note;
mod party;
mod record;
mod run;
mod scope;
mod task;
mod verdict;
mod verify;

pub use above::hangs_under;
pub use amount::Amount;
pub use attenuate::{Widening, attenuate};
pub use case::{CaseOptions, End, case};
pub use control::{Control, ControlBy, HeldTogether, Operators, operators};
pub use document::{
    Answer, AsOf, BlockAt, DOCUMENT_BYTES_MAX, DOCUMENT_SCHEMA, ENVELOPE_BYTES_MAX, ENVELOPES_MAX,
    PARTIES_MAX, Sealed, TraceDocument, TraceError,
};
pub use grant::{Child, Grant, Inheritance, Skill, Snapshots, Specification, Under};
pub use judges::{Judges, Kin, unconfirmed};
pub use kept::{HopFinding, Kept, KeptHop, kept_hop};
pub use note::{Note, Noted};
pub use party::{At, KeySpan, Party, WalletSpan};
pub use record::{Kind, NAME_LEN_MAX, Record};
pub use run::{Interactions, LeftOut, WhyLeftOut};
pub use scope::Scope;
pub use task::{
    Acceptance, Capability, Interaction, InteractionKind, Loss, Outcome, Ruling, TaskResult,
    Verdict,
};
pub use verdict::{Fault, FaultKind, Hop, HopState, Rest, Standing, TraceVerdict, Unanswered};
pub use verify::{HOPS_MAX, verify_trace};
