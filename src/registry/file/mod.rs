//! Registration files: where an agent's URI leads, and what the file there says.
//!
//! [`locate`] reads a URI: nowhere, into itself (`data:`, or JSON without a scheme), or to a host. [`read`] makes a
//! [`RegistrationFile`] of bytes; [`ipfs`] checks bytes from a gateway against the identifier that names them. Files are written by
//! strangers and can be wrong in any way: what can still be understood is taken, and all that is wrong is said as a [`Flaw`]. Nothing
//! here fetches anything, and the same bytes give the same answer on every machine.

mod data;
mod flaw;
pub mod ipfs;
mod json;
mod place;
mod read;
mod services;
mod source;
mod unixfs;

pub use flaw::{Flaw, FlawKind};
pub use place::{Located, Place, locate};
pub use read::{RegistrationFile, TYPE, read};
pub use services::FileService;
pub use source::{Source, SourceKind, inline_id};

/// The largest file that is read, in bytes, unpacked.
pub const FILE_MAX: usize = 1 << 20;
