//! The way from the failing invocation upwards: over which delegations who can have been a cause.
//!
//! Nodes are invocations, and every node belongs to one player. A delegation within one player vanishes: its two ends become one node
//! (definition 16). A player that stands at several nodes is a cause if any of them is (definition 11). What does not lead to the failing
//! node is left out, and what is left is a path, where every node has one parent, or a graph (definition 10).

use crate::vocab::Ppb;

/// Most hops of a path. The numbers of an exact share grow with each hop; nobody delegates that deep.
pub(super) const HOPS_MAX: usize = 64;

/// A delegation that carries weight, between nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Link {
    /// Who delegated.
    pub parent: usize,
    /// Who was delegated to.
    pub child: usize,
    /// How much of a failure of the child passes to the parent; at most one.
    pub beta: Ppb,
}

/// All that can have led to the failing node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flow {
    /// The player of each node.
    pub(super) players: Vec<usize>,
    /// Links between different nodes, all of which lead to the failing one.
    pub(super) links: Vec<Link>,
    /// The node that failed.
    pub(super) failing: usize,
}

/// A way without branches, from the failing agent upwards.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Path {
    /// The player of each position; the first one failed.
    pub players: Vec<usize>,
    /// Between each position and the next; one less than there are positions.
    pub betas: Vec<Ppb>,
}

/// What a flow looks like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Every node has at most one parent.
    Path(Path),
    /// Some node has several, or a player that was contracted closes a circle.
    Graph,
    /// A path of so many hops: more than are computed.
    TooDeep(usize),
}

impl Flow {
    /// The flow of a failure at node `failing`. `players` names the player of every node; links to nodes that are not there count for
    /// nothing, and neither do those that pass nothing on.
    #[must_use]
    pub fn new(players: &[usize], links: &[Link], failing: usize) -> Self {
        let representative = contract(players, links);
        let at = |node: usize| representative.get(node).copied();
        let moved: Vec<Link> = links
            .iter()
            .filter(|link| link.beta > Ppb::ZERO)
            .filter_map(|link| {
                Some(Link { parent: at(link.parent)?, child: at(link.child)?, beta: link.beta })
            })
            .filter(|link| link.parent != link.child)
            .collect();
        let failing = at(failing).unwrap_or(failing);
        let order = upwards(players.len(), &moved, failing);
        let mut renumbered = vec![None; players.len()];
        for (new, old) in order.iter().enumerate() {
            if let Some(slot) = renumbered.get_mut(*old) {
                *slot = Some(new);
            }
        }
        let to_new = |old: usize| renumbered.get(old).copied().flatten();
        Self {
            players: order.iter().filter_map(|old| players.get(*old).copied()).collect(),
            links: moved
                .iter()
                .filter_map(|link| {
                    let (parent, child) = (to_new(link.parent)?, to_new(link.child)?);
                    Some(Link { parent, child, beta: link.beta })
                })
                .collect(),
            failing: 0,
        }
    }

    /// Its path, where it is one.
    #[must_use]
    pub fn shape(&self) -> Shape {
        let mut parents: Vec<Option<Link>> = vec![None; self.players.len()];
        for link in &self.links {
            match parents.get_mut(link.child) {
                Some(slot @ None) => *slot = Some(*link),
                _ => return Shape::Graph,
            }
        }
        let player = |node: usize| self.players.get(node).copied();
        let mut path =
            Path { players: player(self.failing).into_iter().collect(), betas: Vec::new() };
        let mut node = self.failing;
        while let Some(link) = parents.get(node).copied().flatten() {
            // With one parent each, a walk longer than there are nodes runs in a circle.
            if path.players.len() > self.players.len() || link.parent == self.failing {
                return Shape::Graph;
            }
            node = link.parent;
            path.players.extend(player(node));
            path.betas.push(link.beta);
        }
        let hops = path.betas.len();
        if hops > HOPS_MAX { Shape::TooDeep(hops) } else { Shape::Path(path) }
    }
}

/// For each node one that stands for it: the same for both ends of a delegation within one player.
fn contract(players: &[usize], links: &[Link]) -> Vec<usize> {
    let mut stands_for: Vec<usize> = (0..players.len()).collect();
    for link in links {
        let (parent, child) =
            (find(&mut stands_for, link.parent), find(&mut stands_for, link.child));
        let one_player =
            players.get(link.parent).is_some_and(|player| players.get(link.child) == Some(player));
        if one_player && parent != child {
            let (first, last) = (parent.min(child), parent.max(child));
            if let Some(slot) = stands_for.get_mut(last) {
                *slot = first;
            }
        }
    }
    (0..players.len()).map(|node| find(&mut stands_for, node)).collect()
}

/// Whoever stands for a node at last, and a shorter way there for the next time.
fn find(stands_for: &mut [usize], node: usize) -> usize {
    let mut at = node;
    while let Some(next) = stands_for.get(at).copied().filter(|next| *next != at) {
        let after = stands_for.get(next).copied().unwrap_or(next);
        if let Some(slot) = stands_for.get_mut(at) {
            *slot = after;
        }
        at = after;
    }
    at
}

/// The failing node, and all from which it can be reached, nearest first.
fn upwards(nodes: usize, links: &[Link], failing: usize) -> Vec<usize> {
    let mut into: Vec<Vec<usize>> = vec![Vec::new(); nodes];
    for link in links {
        if let Some(parents) = into.get_mut(link.child) {
            parents.push(link.parent);
        }
    }
    let mut is_seen = vec![false; nodes];
    let mut order = Vec::new();
    let mut reach = |node: usize, order: &mut Vec<usize>| {
        if let Some(seen) = is_seen.get_mut(node).filter(|seen| !**seen) {
            *seen = true;
            order.push(node);
        }
    };
    reach(failing, &mut order);
    let mut done = 0;
    while let Some(node) = order.get(done).copied() {
        done += 1;
        for parent in into.get(node).into_iter().flatten() {
            reach(*parent, &mut order);
        }
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link(parent: usize, child: usize, tenths: u32) -> Link {
        Link { parent, child, beta: Ppb::new(tenths * 100_000_000) }
    }

    fn path(players: &[usize], links: &[Link], failing: usize) -> Option<(Vec<usize>, Vec<u32>)> {
        match Flow::new(players, links, failing).shape() {
            Shape::Path(path) => Some((
                path.players,
                path.betas.iter().map(|beta| beta.get() / 100_000_000).collect(),
            )),
            Shape::Graph => None,
            Shape::TooDeep(hops) => unreachable!("{hops} hops"),
        }
    }

    /// Definition 10: in an invocation tree a failure has one path, and whoever is below or beside it is not on it.
    #[test]
    fn definition_10_a_tree_has_one_path_and_two_producers_make_a_graph() {
        // 0 hired 1 and 2; 1 hired 3, which hired 4.
        let tree = [link(0, 1, 5), link(0, 2, 6), link(1, 3, 7), link(3, 4, 8)];
        assert_eq!(path(&[0, 1, 2, 3, 4], &tree, 3), Some((vec![3, 1, 0], vec![7, 5])));
        assert_eq!(path(&[0, 1, 2, 3, 4], &tree, 0), Some((vec![0], vec![])));
        let diamond = [link(0, 1, 5), link(0, 2, 5), link(1, 3, 5), link(2, 3, 5)];
        assert_eq!(path(&[0, 1, 2, 3], &diamond, 3), None);
        assert_eq!(path(&[0, 1, 2, 3], &diamond, 1), Some((vec![1, 0], vec![5])));
    }

    /// Definition 16: a delegation within one player vanishes, wherever it is on the path.
    #[test]
    fn definition_16_inner_edges_vanish() {
        let chain = [link(0, 1, 5), link(1, 2, 8), link(2, 3, 4)];
        assert_eq!(path(&[0, 1, 1, 3], &chain, 3), Some((vec![3, 1, 0], vec![4, 5])));
        assert_eq!(path(&[0, 1, 2, 2], &chain, 3), Some((vec![2, 1, 0], vec![8, 5])));
        assert_eq!(path(&[7, 7, 7, 7], &chain, 3), Some((vec![7], vec![])));
        // A node that hired its own other node and a stranger in between closes a circle.
        let circle = [link(0, 1, 5), link(1, 2, 5), link(0, 2, 5)];
        assert_eq!(path(&[9, 1, 9], &circle, 2), None);
    }

    #[test]
    fn what_passes_nothing_on_and_what_is_not_there_is_left_out() {
        let links = [link(0, 1, 0), link(1, 2, 5), link(9, 2, 5)];
        assert_eq!(path(&[0, 1, 2], &links, 2), Some((vec![2, 1], vec![5])));
    }

    #[test]
    fn depth_is_bounded() {
        let nodes: Vec<usize> = (0..=HOPS_MAX + 1).collect();
        let links: Vec<_> = (0..=HOPS_MAX).map(|node| link(node, node + 1, 9)).collect();
        let deep = Flow::new(&nodes, &links, HOPS_MAX + 1).shape();
        assert_eq!(deep, Shape::TooDeep(HOPS_MAX + 1));
        assert!(matches!(Flow::new(&nodes, &links, HOPS_MAX).shape(), Shape::Path(_)));
    }
}
