//! The words of the field as types.
//!
//! Everything here is plain data with a text form: chains, accounts, agents, positions, blocks, times, digests, ratios. It imports nothing
//! of ours, does no I/O and reads no clock, so every other module may lean on it.

mod account;
mod agent;
mod digest;
mod finding;
mod handle;
mod log;
mod origin;
mod position;
mod ppb;
mod subject;
mod text;
mod time;

pub use account::{AccountId, AccountParseError, AccountText, ChainId, ChainParseError};
pub(crate) use account::{canonical_u64, parse_address, shorten};
pub use agent::{AgentId, AgentParseError, AgentRef, AgentText, RegistryKind, RegistryRef};
pub use digest::{Digest, DigestParseError};
pub use finding::{Finding, FindingKind};
pub use handle::{Handle, HandleError};
pub use log::{BlockStamp, Header, RawLog};
pub use origin::{OriginName, OriginParseError};
pub use position::{BlockRef, Finality, Position, Span};
pub use ppb::{Ppb, half_to_even};
pub use subject::{DidName, Naming, PlatformId, Subject, SubjectError};
pub use text::ShortText;
pub use time::{TimeParseError, UnixSeconds};
