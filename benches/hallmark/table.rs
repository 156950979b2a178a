//! Small things of showing figures.

/// The value below which so many percent of others lie; zero of none.
pub(crate) fn percentile(values: &[u64], percent: usize) -> u64 {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    let place = sorted.len() * percent / 100;
    sorted.get(place.min(sorted.len().saturating_sub(1))).copied().unwrap_or_default()
}

/// A ratio as text; nothing where there is nothing to compare with.
pub(crate) fn ratio(ours: f64, floor: f64) -> String {
    if floor > 0.0 { format!("{:.2}", ours / floor) } else { String::new() }
}
