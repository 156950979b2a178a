//! Envelopes: as other people's libraries sign them, as they verify ours, and with every byte changed. Records without one: of the chain.

mod judges;
mod mutation;
mod onchain;
mod vectors;
