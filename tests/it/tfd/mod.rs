//! Trust Flow Decomposition from outside: attacks on it, and the committed vectors.

mod attacks;
mod vectors;
