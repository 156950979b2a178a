//! From the plain module that a compiler writes to a component.
//!
//! Compilers for `wasm32-unknown-unknown` write a core module, with what its bindings say of the interface in a section of its own. Tools make
//! a component of the two; so does this, so that whoever tries a projector needs no tool beside a compiler.

use std::borrow::Cow;

use wit_component::ComponentEncoder;

use super::error::PluginError;

/// The fourth to eighth byte of a core module; a component has others there.
const CORE_VERSION: [u8; 4] = [1, 0, 0, 0];

/// A component as it is, or the component of a core module.
///
/// # Errors
/// When a core module does not say which interface it is of.
pub fn component_of(bytes: &[u8]) -> Result<Cow<'_, [u8]>, PluginError> {
    let is_core = bytes.starts_with(b"\0asm") && bytes.get(4..8) == Some(&CORE_VERSION);
    if !is_core {
        return Ok(Cow::Borrowed(bytes));
    }
    let not = |error: &dyn std::fmt::Display| {
        PluginError::NotComponent(format!(
            "it is a core module, and no component can be made of it: {error}"
        ))
    };
    let encoder = ComponentEncoder::default().validate(true).module(bytes);
    let component = encoder.and_then(|mut encoder| encoder.encode());
    component.map(Cow::Owned).map_err(|error| not(&format!("{error:#}")))
}
