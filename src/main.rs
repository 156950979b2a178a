//! The `hallmark` program: a thin shell around [`hallmark::cli`].

use std::process::ExitCode;

/// Answers are made of many small pieces of memory, by several threads at once.
#[global_allocator]
static MEMORY: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    hallmark::cli::main()
}
