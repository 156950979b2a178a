//! All hops that are kept: how their betas are distributed, and how the population scores.

use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use super::error::{ApiError, Problems};
use super::reading::Standpoint;
use super::state::ApiState;
use super::wire::{Answer, AsOf};
use crate::storage::{EdgeTotals, Tx};
use crate::tfd::{Counts, Measure, scorecard};
use crate::vocab::{Ppb, RegistryKind};

/// So many bars has the histogram of betas.
const BARS: u32 = 10;

/// The population of hops.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Population)]
pub(super) struct PopulationAnswer {
    profile: &'static str,
    /// How many hops are kept, by who signed. Active are those that both did: they carry weight, and the rest is about them.
    hops: HopsAnswer,
    /// How much of a failure passes a hop upwards.
    beta: BetaAnswer,
    /// `median_beta`, `delegation_surface`, `specification_density`, `dispute_rate`, `sub_delegation_uptake`: each with `value`, `unit`,
    /// `target` (`below` or `above`; null where none is known, and `why_no_target` says why) and `is_met`. docs/tfd.md says what each counts.
    #[schema(value_type = Vec<Object>)]
    scorecard: [Measure; 5],
    /// As of which state; null where no chain is followed.
    as_of: Option<AsOf>,
}

/// Hops by who signed.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PopulationHops)]
struct HopsAnswer {
    active: u64,
    claimed_by_parent: u64,
    claimed_by_child: u64,
}

/// The distribution of betas, in billionths; null of none.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = BetaDistribution)]
struct BetaAnswer {
    min_ppb: Option<u32>,
    p10_ppb: Option<u32>,
    median_ppb: Option<u32>,
    p90_ppb: Option<u32>,
    max_ppb: Option<u32>,
    /// How many hops have a beta from one value on and below the next; the last bar has those of one as well.
    bars: Vec<BarAnswer>,
}

/// A bar of the histogram.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = BetaBar)]
struct BarAnswer {
    from_ppb: u32,
    count: u64,
}

/// The distribution of beta over active hops, and the scorecard.
#[utoipa::path(
    get, path = "/v1/tfd/population", tag = "delegations",
    responses((status = 200, description = "The population", body = PopulationAnswer), Problems)
)]
pub(super) async fn get_population(
    State(state): State<ApiState>,
) -> Result<Answer<PopulationAnswer>, ApiError> {
    // It goes through all hops: one at a time, so that readers are left for others.
    let _turn = state.population.acquire().await;
    let mut tx = state.database.begin_read().await?;
    let totals = tx.edge_totals().await?;
    let of = |state: &str| totals.get(state).copied().unwrap_or_default();
    let active = of("accepted");
    let beta = beta(&mut tx, active.hops).await?;
    let binding = tx.binding().await?;
    let registry =
        binding.and_then(|binding| binding.registry(RegistryKind::Identity).map(|of| of.at));
    let as_of = match registry {
        Some(registry) => {
            let state = (registry, tx.tags().await?, tx.log_size().await?);
            Standpoint::of_state(state).map(|at| at.as_of())
        }
        None => None,
    };
    Ok(Answer(PopulationAnswer {
        profile: "tfd/1",
        hops: HopsAnswer {
            active: active.hops,
            claimed_by_parent: of("claimed_by_parent").hops,
            claimed_by_child: of("claimed_by_child").hops,
        },
        scorecard: scorecard(&counts(&active, beta.median_ppb)),
        beta,
        as_of,
    }))
}

fn counts(active: &EdgeTotals, median: Option<u32>) -> Counts {
    let EdgeTotals { hops, chars, subs, may_delegate, delegated, disputed } = *active;
    let median = median.map(Ppb::new);
    Counts { hops, chars, subs, may_delegate, delegated, disputed, median }
}

async fn beta(tx: &mut Tx, count: u64) -> Result<BetaAnswer, ApiError> {
    let mut bars = Vec::new();
    let width = Ppb::ONE.get() / BARS;
    for bar in 0..BARS {
        let is_last = bar + 1 == BARS;
        let (from, to) = (bar * width, (bar + 1) * width + u32::from(is_last));
        let count = tx.edges_within(Ppb::new(from), Ppb::new(to)).await?;
        bars.push(BarAnswer { from_ppb: from, count });
    }
    let mut quantiles = [None; 5];
    for (quantile, tenths) in quantiles.iter_mut().zip([0, 1, 5, 9, 10]) {
        let place = (count * tenths / 10).min(count.saturating_sub(1));
        *quantile = tx.beta_at(place).await?.map(Ppb::get);
    }
    let [min_ppb, p10_ppb, median_ppb, p90_ppb, max_ppb] = quantiles;
    Ok(BetaAnswer { min_ppb, p10_ppb, median_ppb, p90_ppb, max_ppb, bars })
}
