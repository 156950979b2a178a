//! Envelopes: as other people's libraries sign them, as they verify ours, and with every byte changed.

mod judges;
mod vectors;
