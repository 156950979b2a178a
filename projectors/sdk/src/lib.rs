//! What a projector of trust cards needs: the interface as types, ways to count what a record says, and cards within their limits.
//!
//! A projector is a function from a [`View`] to a [`Card`], made known by [`projector!`]. [`History`] selects and counts; [`CardBuilder`]
//! and [`SignalBuilder`] keep the limits of the interface, so that no text or list is refused for its length. There is nothing here that
//! reads a clock or the world, and nothing that counts in fractions: the same view gives the same card everywhere.
//!
//! Whatever is listed stands in an order that the record gives, and where that ties, in the order of its text.

pub mod card;
pub mod figures;
pub mod json;
pub mod notes;
pub mod order;
pub mod select;
#[cfg(not(target_arch = "wasm32"))]
pub mod testing;
pub mod text;

/// The interface, as `wit/projector.wit` has it.
#[allow(
    missing_docs,
    unreachable_pub,
    clippy::all,
    clippy::pedantic,
    clippy::restriction,
    reason = "generated"
)]
pub mod bindings {
    wit_bindgen::generate!({
        path: "../wit",
        world: "projector",
        pub_export_macro: true,
        additional_derives: [PartialEq, Eq],
    });
}

pub use bindings::hallmark::projector::types::{
    Attestation, Basis, Card, Description, Evidence, Finality, Issuer, IssuerClass, Kind, Signal,
    Stance, Standing, Tally, View, Visibility,
};
pub use card::{CardBuilder, SignalBuilder, no_history, said_by_its_own};
pub use json::Json;
pub use select::{Games, History, Said, Selection};

/// Makes a function the projector of this crate: `fn(&View) -> Result<Card, String>`.
///
/// ```
/// use hallmark_projector::{Card, View, no_history, projector};
///
/// projector! {
///     id: "example",
///     version: "1.0.0",
///     summary: "Nothing yet.",
///     claims: ["example.*"],
///     project: card_of,
/// }
///
/// fn card_of(view: &View) -> Result<Card, String> {
///     Ok(no_history(view, "examples"))
/// }
/// ```
#[macro_export]
macro_rules! projector {
    (
        id: $id:expr,
        version: $version:expr,
        summary: $summary:expr,
        claims: [$($claim:expr),* $(,)?],
        project: $project:path $(,)?
    ) => {
        /// What the host calls.
        #[derive(Debug)]
        pub struct Exported;

        impl $crate::bindings::Guest for Exported {
            fn describe() -> $crate::Description {
                $crate::Description {
                    id: $id.into(),
                    version: $version.into(),
                    summary: $summary.into(),
                    claims: vec![$($claim.into()),*],
                }
            }

            fn project(view: $crate::View) -> Result<$crate::Card, String> {
                $project(&view)
            }
        }

        // Exported names such as these mean something in a component only.
        #[cfg(target_arch = "wasm32")]
        $crate::bindings::export!(Exported with_types_in $crate::bindings);
    };
}
