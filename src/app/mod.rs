//! The verbs: the only place where chain, core and storage meet.
//!
//! [`Ingest`] applies one step of the chain; [`Following`] does so for as long as the program runs; [`rebuild`] folds everything anew;
//! [`ModelKeeper`] holds in memory what look-ups by wallet are answered from; [`FileKeeper`] fetches registration files beside whoever
//! follows; [`Characters`] creates human participants and links their wallets; [`ServiceKeys`] is
//! what the service signs with; [`Records`] takes in what is said, and answers for delegations that failed, which [`DisputeKeeper`] says.
//! Rules are not here: they are plain functions of the core.

mod audit;
mod cards;
mod chain_records;
mod characters;
mod clock;
mod completeness;
mod contract_wallets;
mod correct;
mod decoded;
mod delegations;
mod error;
mod files;
mod follow;
mod foreign;
mod ingest;
mod keys;
mod meanings;
mod posting;
mod read_model;
mod rebuild;
mod records;
mod rekey;
mod relays;
mod repair;
mod second_look;
mod secret;
mod shares;

pub use audit::{
    AgainstChain, Audited, Checked, Sample, Suspects, Told, Verdict, audit, audit_against_chain,
};
pub use cards::{
    Admission, CardFailure, CardOutcome, CardSetting, Cards, CardsAsOf, Explained, InstallError,
    Installed, Loaded, Newest, NewestRecord, ProjectError, Projectors, Subject,
};
pub use chain_records::ChainRecords;
pub use characters::{
    ChallengeError, Changed, CharacterError, Characters, Created, Given, Permit, Proof,
};
pub use clock::{Clock, FixedClock, SystemClock};
pub use contract_wallets::{AskError, ContractWallets, settle};
pub use delegations::{
    Attribution, AttributionError, CheckedDelegation, DisputeKeeper, GatherError, Judged,
    LeftOutOfTrace, Published, Renamed, SaidLast, TakenDelegation, TracePart, said_last,
};
pub use error::AppError;
pub use files::{FetchOptions, FileFetcher, FileKeeper, Turn, library_of, names_at};
pub use follow::{Followed, Following};
pub use foreign::{ForeignDocument, ForeignDocuments, ForeignError};
pub use ingest::{Applied, Ingest};
pub use keys::{HeldKeys, KeyChange, KeyStore, KeysError, Place, ServiceKeys};
pub use posting::Poster;
pub use read_model::{Known, ModelKeeper, NewestBlocks, ReadModel};
pub use rebuild::{Rebuilt, rebuild};
pub use records::{
    Accepted, CheckedRecord, EnvelopeHeld, JudgedEnvelope, ORIGIN_SENDER, Origin, Origins,
    QueueClosed, RECORD_SIZE_MAX, RecordQueue, RecordWriter, Records, Refused, RefusedBecause,
    Submission, sign_record,
};
pub use rekey::{Rekeyed, Rekeyer};
pub use relays::{RelayFailure, RelayKeeper, RelayTurn};
pub use repair::{Repair, Repaired, repair};
pub use secret::{NoRandomness, Token, TokenHash};
