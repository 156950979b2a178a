//! How much work a component would be for the compiler, told from its bytes before it is compiled.
//!
//! A small file can keep a compiler busy for minutes and in gigabytes: with very many functions, or with one that has thousands of
//! variables. What compilers of whole languages make of themselves is far below these bounds.

use wasmparser::{Parser, Payload};

use super::error::PluginError;

/// The most functions in all modules together.
const FUNCTIONS_MAX: usize = 30_000;
/// The most variables of one function.
const LOCALS_MAX: u64 = 2_000;
/// The most bytes of one function.
const FUNCTION_BYTES_MAX: usize = 256 << 10;
/// The most bytes of all functions times their variables, in all: what the compiler's longest step grows with.
const WORK_MAX: u64 = 4 << 30;

/// Checks that a component is no more than a compiler can be asked for.
///
/// # Errors
/// [`PluginError::Compile`] names what is too much, [`PluginError::NotComponent`] what cannot be read.
pub(super) fn check(bytes: &[u8]) -> Result<(), PluginError> {
    let (mut functions, mut work) = (0_usize, 0_u64);
    for payload in Parser::new(0).parse_all(bytes) {
        let Payload::CodeSectionEntry(body) = payload.map_err(|error| not(&error))? else {
            continue;
        };
        let length = body.as_bytes().len();
        let mut locals = 0_u64;
        for group in body.get_locals_reader().map_err(|error| not(&error))? {
            locals = locals.saturating_add(u64::from(group.map_err(|error| not(&error))?.0));
        }
        functions += 1;
        let bytes = u64::try_from(length).unwrap_or(u64::MAX);
        work = work.saturating_add(bytes.saturating_mul(locals.saturating_add(1)));
        if length > FUNCTION_BYTES_MAX {
            return too_much(format!("a function of {length} bytes; at most {FUNCTION_BYTES_MAX}"));
        }
        if locals > LOCALS_MAX {
            return too_much(format!("a function with {locals} variables; at most {LOCALS_MAX}"));
        }
        if functions > FUNCTIONS_MAX {
            return too_much(format!("more than {FUNCTIONS_MAX} functions"));
        }
        if work > WORK_MAX {
            return too_much("functions that are too long for how many variables they have".into());
        }
    }
    Ok(())
}

fn not(error: &dyn std::fmt::Display) -> PluginError {
    PluginError::NotComponent(error.to_string())
}

const fn too_much(what: String) -> Result<(), PluginError> {
    Err(PluginError::Compile(what))
}
