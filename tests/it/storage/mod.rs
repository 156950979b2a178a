//! The conformance suite of storage: every public function, on both engines.

mod chain;
