//! Who spoke for whom, when.
//!
//! [`interpret`] reads a block's events as facts, by the rules of the contracts' known code. [`Fold`] turns facts into spans. A
//! [`Timeline`] is all spans of one thing and answers for any position. [`operators`] derives who may act for an agent from three of
//! them; a [`Directory`] turns wallets' timelines round, from accounts to agents; a [`Roster`] says who speaks for each agent. All of it is
//! pure: no storage, no chain, no clock.

mod directory;
mod evidence;
mod fact;
mod fold;
mod interpret;
mod kept;
mod operator;
mod roster;
mod timeline;

pub use directory::{Directory, Found, Place, WalletEntry};
pub use evidence::{Evidence, EvidencedSpan};
pub use fact::{Fact, SpanCause, SpanEnd, TimelineRef, Value};
pub use fold::{Changes, Closing, Fold};
pub use interpret::{
    AGENT_WALLET_KEY, Mention, RegistryLog, doubtful, interpret, observed_implementation,
    observed_wallet,
};
pub use operator::{OperatorKind, OperatorSpan, operators};
pub use roster::{Holders, Roster};
pub use timeline::{SpanRecord, Timeline};
