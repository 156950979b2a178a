//! The verbs: the only place where chain, core and storage meet.

mod clock;

pub use clock::{Clock, FixedClock, SystemClock};
