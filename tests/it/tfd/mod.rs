//! Trust Flow Decomposition from outside: attacks on it, and the committed vectors.

pub(crate) mod attacks;
mod vectors;
