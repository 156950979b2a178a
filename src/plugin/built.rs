//! The projectors that ship: components made by `projectors/build.mjs` from the sources beside it.

/// A projector that ships.
#[derive(Clone, Copy, Debug)]
pub struct Built {
    /// Its name, as it gives it itself.
    pub id: &'static str,
    /// Its component.
    pub component: &'static [u8],
}

macro_rules! built {
    ($($id:literal),* $(,)?) => {
        &[$(Built { id: $id, component: include_bytes!(concat!("../../projectors/built/", $id, ".wasm")) }),*]
    };
}

/// Those that ship, by their names.
#[must_use]
pub const fn built() -> &'static [Built] {
    built!["liability", "oathbreaker", "peer-assessment", "reputation", "tragedy"]
}
