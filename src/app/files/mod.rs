//! Registration files: fetched in the background, and read for whoever asks what they said.
//!
//! [`FileKeeper`] looks through the record for URIs, fetches what they lead to and what those files name in turn, and keeps it. It runs
//! beside whoever follows, in the same process: one process writes. [`library_of`] reads what was known of an agent at a time.

mod fetch;
mod keeper;
mod library;
mod scan;

pub use fetch::{FetchOptions, FileFetcher};
pub use keeper::{FileKeeper, Turn};
pub(super) use library::seen;
pub use library::{library_of, names_at};
