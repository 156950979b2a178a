//! The `hallmark` program: a thin shell around the library.
//!
//! It chooses the one cryptography provider of the process and hands over to [`hallmark::cli`].

use std::process::ExitCode;

fn main() -> ExitCode {
    // Fails only if a provider is installed already, and then there is one.
    let _ = rustls::crypto::ring::default_provider().install_default();
    hallmark::cli::main()
}
