//! Makes a projector's component of the module that a compiler wrote.
//!
//!     componentize MODULE.wasm COMPONENT.wasm           for a module that carries its interface, as the Rust crate's do
//!     componentize --utf16 WIT MODULE.wasm COMPONENT.wasm
//!                                                       for one whose texts are UTF-16 and that follows the interface in WIT
//!
//! A component that asks for anything from outside is refused here already, with the name of what it asks for: no host would run it.
//! What a component does is not looked at.

use std::path::Path;
use std::process::ExitCode;
use std::{env, fs};

use wasmparser::{ComponentTypeRef, Parser, Payload};
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

/// The interface that has types only.
const TYPES: &str = "hallmark:projector/types@";

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match *arguments.as_slice() {
        ["--utf16", wit, module, component] => componentize(module, component, Some(wit)),
        [module, component] => componentize(module, component, None),
        _ => Err("usage: componentize [--utf16 WIT] MODULE.wasm COMPONENT.wasm".to_owned()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("componentize: {reason}");
            ExitCode::FAILURE
        }
    }
}

fn componentize(from: &str, to: &str, wit: Option<&str>) -> Result<(), String> {
    let mut module = fs::read(from).map_err(|error| format!("{from}: {error}"))?;
    if let Some(import) = first_import(&module).map_err(|error| format!("{from}: {error}"))? {
        return Err(format!("{from}: imports {import}, and a projector imports nothing"));
    }
    if let Some(wit) = wit {
        embed(&mut module, wit).map_err(|error| format!("{wit}: {error}"))?;
    }
    let component = encode(&module).map_err(|error| format!("{from}: {error}"))?;
    if let Some(import) = first_import(&component).map_err(|error| format!("{to}: {error}"))? {
        return Err(format!("{to}: imports {import}, and a projector imports nothing"));
    }
    if !is_projector(&component) {
        return Err(format!(
            "{from}: does not say that it is a projector; is it made with the crate or `--utf16`?"
        ));
    }
    fs::write(to, component).map_err(|error| format!("{to}: {error}"))
}

/// Writes into a module which interface it follows, and that its texts are UTF-16.
fn embed(module: &mut Vec<u8>, wit: &str) -> Result<(), String> {
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_path(Path::new(wit)).map_err(in_full)?;
    let world = resolve.select_world(&[package], None).map_err(in_full)?;
    embed_component_metadata(module, &resolve, world, StringEncoding::UTF16).map_err(in_full)
}

fn encode(module: &[u8]) -> Result<Vec<u8>, String> {
    let mut encoder = ComponentEncoder::default();
    encoder.validate(true).module(module).map_err(in_full)?;
    encoder.encode().map_err(in_full)
}

/// What a module or a component asks for first, if anything.
fn first_import(binary: &[u8]) -> Result<Option<String>, String> {
    let mut depth = 0_u32;
    for payload in Parser::new(0).parse_all(binary) {
        match payload.map_err(|error| error.to_string())? {
            // Modules and components within others have imports that are met from within.
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) => depth = depth.saturating_sub(1),
            Payload::ImportSection(section) if depth == 0 => {
                if let Some(import) = section.into_imports().next() {
                    let import = import.map_err(|error| error.to_string())?;
                    return Ok(Some(format!("`{}` of `{}`", import.name, import.module)));
                }
            }
            Payload::ComponentImportSection(section) if depth == 0 => {
                for import in section {
                    let import = import.map_err(|error| error.to_string())?;
                    // The interface's types stand among the imports of every component that names them, and bring nothing with them.
                    let is_type = matches!(import.ty, ComponentTypeRef::Type(_));
                    if !is_type && !import.name.name.starts_with(TYPES) {
                        return Ok(Some(format!("`{}`", import.name.name)));
                    }
                }
            }
            _ => {}
        }
    }
    Ok(None)
}

/// Whether a component offers what a host calls. A module that says nothing of its interface becomes one that offers nothing.
fn is_projector(component: &[u8]) -> bool {
    let mut found = Vec::new();
    for payload in Parser::new(0).parse_all(component) {
        if let Ok(Payload::ComponentExportSection(section)) = payload {
            found.extend(section.into_iter().flatten().map(|export| export.name.name.to_owned()));
        }
    }
    ["describe", "project"].iter().all(|wanted| found.iter().any(|name| name == wanted))
}

/// An error with all that led to it.
fn in_full(error: impl std::fmt::Debug) -> String {
    format!("{error:?}")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A module with one section.
    fn module(section: u8, contents: &[u8]) -> Vec<u8> {
        let length = u8::try_from(contents.len()).unwrap();
        [b"\0asm\x01\0\0\0".as_slice(), &[section, length], contents].concat()
    }

    #[test]
    fn what_asks_for_something_is_told_by_its_name() {
        // One import: a memory of at least one page.
        let import = [b"\x01\x03env\x05clock".as_slice(), &[2, 0, 1]].concat();
        let asking = module(2, &import);
        assert_eq!(first_import(&asking), Ok(Some("`clock` of `env`".to_owned())));
        assert_eq!(first_import(&module(0, b"\x04note")), Ok(None));
        assert!(first_import(b"no module").is_err());
    }

    #[test]
    fn a_module_without_an_interface_is_no_projector() {
        assert!(!is_projector(&encode(&module(0, b"\x04note")).unwrap()));
        assert!(embed(&mut module(0, b"\x04note"), "nowhere").is_err());
        let mut empty = module(0, b"\x04note");
        embed(&mut empty, "../wit").unwrap();
        assert!(encode(&empty).unwrap_err().contains("describe"));
    }
}
