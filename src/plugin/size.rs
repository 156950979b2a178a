//! How much work a component would be for the compiler, told from its bytes before it is compiled.
//!
//! A small file can keep a compiler busy for minutes and in gigabytes: with very many functions, or with one that has thousands of
//! variables. A whole interpreter of JavaScript in one component is below these bounds.

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

#[cfg(test)]
mod tests {
    use super::*;

    /// A number as WebAssembly writes it (LEB128).
    fn number(mut value: usize) -> Vec<u8> {
        let mut bytes = Vec::new();
        loop {
            let low = u8::try_from(value & 0x7f).unwrap();
            value >>= 7;
            bytes.push(if value == 0 { low } else { low | 0x80 });
            if value == 0 {
                return bytes;
            }
        }
    }

    fn section(id: u8, content: &[u8]) -> Vec<u8> {
        [vec![id], number(content.len()), content.to_vec()].concat()
    }

    /// A module of functions that do nothing, each with so many variables and so many bytes of `nop`.
    fn module(functions: usize, locals: usize, nops: usize) -> Vec<u8> {
        let body = [vec![1], number(locals), vec![0x7f], vec![1; nops], vec![0x0b]].concat();
        let body = [number(body.len()), body].concat();
        let count = number(functions);
        [
            b"\0asm\x01\0\0\0".to_vec(),
            section(1, &[1, 0x60, 0, 0]),
            section(3, &[count.clone(), vec![0; functions]].concat()),
            section(10, &[count, body.repeat(functions)].concat()),
        ]
        .concat()
    }

    #[test]
    fn what_would_keep_the_compiler_busy_is_named() {
        assert_eq!(check(&module(30_000, 3, 2)), Ok(()));
        assert_eq!(check(&module(10, 2_000, 200_000)), Ok(()));
        for (module, expected) in [
            (module(30_001, 0, 0), "more than 30000 functions"),
            (module(1, 2_001, 0), "a function with 2001 variables; at most 2000"),
            (module(1, 0, 300_000), "a function of 300004 bytes; at most 262144"),
            (module(30, 2_000, 200_000), "too long for how many variables"),
        ] {
            let refused = check(&module).unwrap_err();
            assert!(refused.to_string().contains(expected), "{refused}");
            assert_eq!(refused.reason(), "too_large");
        }
        assert!(matches!(check(b"\0asm\x01\0\0\0\x0a"), Err(PluginError::NotComponent(_))));
    }
}
