//! DID documents and their resolution: the golden files, the rules of the standards, and other people's clients.

mod golden;
