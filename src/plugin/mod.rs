//! The sandbox for projectors: a WebAssembly component as a function from a view to a draft of a card.
//!
//! A component imports nothing, so it has no clock, no randomness and no way out; it gets bounded fuel, memory and output; and what it does
//! with floating-point numbers has one result on every machine (NaNs are canonical, relaxed SIMD and threads are off). Whether what it
//! returns is a card is not decided here: `project` does that. Nor is which components are installed: `app` knows.

mod bind;
mod built;
mod error;
mod host;
mod pack;
mod size;

pub use built::{Built, built};
pub use error::PluginError;
pub use host::{Description, FUEL, MEMORY_MAX, Projector, Ran, Sandbox};
pub use pack::component_of;
