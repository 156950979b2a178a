//! Putting things in order.
//!
//! The standard library sorts faster, in several kilobytes of code for each type that is sorted, which would be half of a component. What
//! a view holds is at most some thousand entries: insertion, with a binary search for the place, is enough, and is a few hundred bytes.

/// In ascending order; what is equal stays in its order.
#[must_use]
pub fn sorted<T: Ord>(items: impl IntoIterator<Item = T>) -> Vec<T> {
    sorted_by(items, |a, b| a <= b)
}

/// In ascending order, each once.
#[must_use]
pub fn distinct<T: Ord>(items: impl IntoIterator<Item = T>) -> Vec<T> {
    let mut sorted = sorted(items);
    sorted.dedup();
    sorted
}

/// The largest first; what is equal stays in its order.
#[must_use]
pub fn descending<T: Ord>(items: impl IntoIterator<Item = T>) -> Vec<T> {
    sorted_by(items, |a, b| a >= b)
}

/// By an order of one's own: whether the first may stand before the second. What may stand either way stays in its order.
#[must_use]
pub fn sorted_by<T>(
    items: impl IntoIterator<Item = T>,
    may_stand_before: impl Fn(&T, &T) -> bool,
) -> Vec<T> {
    let mut sorted: Vec<T> = Vec::new();
    for item in items {
        let at = sorted.partition_point(|earlier| may_stand_before(earlier, &item));
        sorted.insert(at, item);
    }
    sorted
}

/// How many, where no list is longer than its view.
pub fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_is_ascending_and_stable() {
        assert_eq!(sorted([3, 1, 2, 1]), [1, 1, 2, 3]);
        assert_eq!(distinct([3, 1, 2, 1]), [1, 2, 3]);
        assert_eq!(descending([3, 1, 2, 1]), [3, 2, 1, 1]);
        let by_length = sorted_by(["bb", "a", "cc", "d"], |a, b| a.len() <= b.len());
        assert_eq!(by_length, ["a", "d", "bb", "cc"]);
        assert_eq!(sorted([0; 0]), [0; 0]);
    }
}
