//! The `hallmark` program: a thin shell around [`hallmark::cli`].

use std::process::ExitCode;

fn main() -> ExitCode {
    hallmark::cli::main()
}
