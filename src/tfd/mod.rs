//! Trust Flow Decomposition, profile `tfd/1`: who in a chain of delegations carries how much of a failure.
//!
//! Arithmetic only: whole numbers in, whole numbers out, the same bytes on any machine. A [`Case`] is what is known of one failure: who
//! invoked whom, how each delegation was specified, justified and watched, and by which records that is shown. Nothing here looks at a
//! signature, a chain or a database; whoever makes a case has done so.
//!
//! [`EdgeInputs`] is the formula, [`Report`] all that is said of a case. In between: `graph` draws the way from the failing invocation
//! upwards, `weight` and `shapley` walk it. Attribution is by one model: each delegation is live with probability beta, independently of
//! the others, and the cause set of a failure is everyone from whom the failing invocation can be reached over live delegations. A weight
//! is the probability to be in that set; a Shapley share is the expected part if every set divides the failure equally.
//!
//! The numbers of definitions in comments are those of `docs/tfd.md`.

mod case;
mod check;
mod edge;
mod falsify;
mod graph;
mod inputs;
mod measure;
mod noise;
mod players;
mod population;
mod report;
mod sample;
mod scorecard;
mod sensitivity;
mod shapley;
mod split;
mod weight;

pub use case::{
    Acceptance, Author, CASE_BYTES_MAX, Capability, Case, Edge, Failure, GapSource, Interaction,
    Interactions, Invocation, Loss, LossSource, Operator, Policy, Profile, Run, Signer, Skill,
    Specification, SplitBy, Verdict,
};
pub use check::{CaseError, read};
pub use edge::{CHARS_FULL, EdgeInputs, EdgeScore, PPM, Parts};
pub use falsify::{Figure, Outcome, Test, falsification};
pub use graph::{Flow, Link, Path, Shape};
pub use inputs::{EdgeState, Flag, edge_inputs};
pub use measure::{Counted, count, specification_chars};
pub use noise::{Normal, Random};
pub use population::{Point, Population, Source};
pub use report::{
    EdgeReport, FRACTION_MAX, FailureReport, Method, PlayerReport, Report, Total, report,
};
pub use sample::{Sampling, sample};
pub use scorecard::{Counts, Measure, Target, scorecard};
pub use sensitivity::{Noise, Ranking, Sensitivity, Shift, sensitivity};
pub use shapley::{EDGES_EXACT_MAX, Shares, of_graph, of_path};
pub use split::{Natural, split};
pub use weight::weights;
