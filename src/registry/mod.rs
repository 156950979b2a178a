//! Chain logs to meaning: which event of which ERC-8004 registry a log is.

mod event;

pub use event::RegistryEvent;
