//! The JSON-RPC source.
