//! The way from the failing invocation upwards: over which delegations who can have been a cause.
//!
//! Nodes are invocations, and every node belongs to one player. A delegation within one player attenuates nothing, whoever signed it: what
//! the child caused the parent is a cause of, certainly, and it is no hop (definition 16). It is so in one direction only: whoever else hired
//! the child has no part in what fails at the parent or beside it (definition 7), so the two ends must not become one node. A player that
//! stands at several nodes is a cause if any of them is (definition 11). What does not lead to the failing node is left out, and what is left is
//! a path, where every node has one parent, or a graph (definition 10).

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
    /// Links between different players, all of which lead to the failing node.
    pub(super) links: Vec<Link>,
    /// For each node its parents that are the same player: certain causes of whatever it is a cause of.
    pub(super) inner: Vec<Vec<usize>>,
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
    /// nothing, and neither do those that pass nothing on. Those within one player pass everything on.
    #[must_use]
    pub fn new(players: &[usize], links: &[Link], failing: usize) -> Self {
        let player = |node: usize| players.get(node).copied();
        let is_inner = |link: &Link| player(link.parent) == player(link.child);
        let is_there = |link: &&Link| player(link.parent).is_some() && player(link.child).is_some();
        let carrying = |link: &&Link| {
            is_there(link) && link.parent != link.child && (link.beta > Ppb::ZERO || is_inner(link))
        };
        let links: Vec<Link> = links.iter().filter(carrying).copied().collect();
        let order = upwards(players.len(), &links, failing);
        let mut renumbered = vec![None; players.len()];
        for (new, old) in order.iter().enumerate() {
            if let Some(slot) = renumbered.get_mut(*old) {
                *slot = Some(new);
            }
        }
        let to_new = |old: usize| renumbered.get(old).copied().flatten();
        let mut flow = Self {
            players: order.iter().filter_map(|old| player(*old)).collect(),
            links: Vec::new(),
            inner: vec![Vec::new(); order.len()],
            failing: 0,
        };
        for link in &links {
            let Some((parent, child)) = to_new(link.parent).zip(to_new(link.child)) else {
                continue;
            };
            if !is_inner(link) {
                flow.links.push(Link { parent, child, beta: link.beta });
            } else if let Some(parents) = flow.inner.get_mut(child) {
                parents.push(parent);
            }
        }
        flow
    }

    /// A node, and all that are certain causes of what it is a cause of: above it within its player. Each once.
    pub(super) fn certain(&self, node: usize) -> Vec<usize> {
        let mut found = vec![node];
        let mut done = 0;
        while let Some(at) = found.get(done).copied() {
            done += 1;
            for parent in self.inner.get(at).into_iter().flatten() {
                if !found.contains(parent) {
                    found.push(*parent);
                }
            }
        }
        found
    }

    /// Its path, where it is one. Hops within one player are none of it.
    #[must_use]
    pub fn shape(&self) -> Shape {
        let player = |node: usize| self.players.get(node).copied();
        let mut path =
            Path { players: player(self.failing).into_iter().collect(), betas: Vec::new() };
        let mut is_passed = vec![false; self.players.len()];
        let mut node = self.failing;
        loop {
            let here = self.certain(node);
            for node in &here {
                match is_passed.get_mut(*node) {
                    // Two ways lead from here to what failed.
                    Some(true) | None => return Shape::Graph,
                    Some(passed) => *passed = true,
                }
            }
            let mut hired = self.links.iter().filter(|link| here.contains(&link.child));
            let Some(link) = hired.next() else { break };
            if hired.next().is_some() {
                return Shape::Graph;
            }
            node = link.parent;
            path.players.extend(player(node));
            path.betas.push(link.beta);
        }
        let hops = path.betas.len();
        if hops > HOPS_MAX { Shape::TooDeep(hops) } else { Shape::Path(path) }
    }

    /// How many places players stand at: nodes of one player that are linked within it are one place.
    pub(super) fn places(&self) -> usize {
        let mut of_node: Vec<usize> = (0..self.players.len()).collect();
        for (child, parents) in self.inner.iter().enumerate() {
            for parent in parents {
                let (one, other) = (of_node.get(child).copied(), of_node.get(*parent).copied());
                for place in &mut of_node {
                    if Some(*place) == other {
                        *place = one.unwrap_or(*place);
                    }
                }
            }
        }
        of_node.sort_unstable();
        of_node.dedup();
        of_node.len()
    }
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
        // Two ways within one player are no two ways.
        let twice = [link(0, 1, 5), link(0, 2, 5), link(1, 3, 5), link(2, 3, 5), link(3, 4, 6)];
        let flow = Flow::new(&[7, 7, 7, 7, 8], &twice, 4);
        assert_eq!((flow.places(), flow.links.len()), (2, 1));
        assert_eq!(path(&[7, 7, 7, 7, 8], &twice, 4), Some((vec![8, 7], vec![6])));
    }

    /// Definitions 7 and 16: who hired a player elsewhere is beside the path, though the player hired itself there as well.
    #[test]
    fn definition_16_an_inner_edge_has_one_direction() {
        // 0 hired 1, which hired 0 again as 2; 0 set 2 to work itself as well, and hired 3.
        let links = [link(0, 1, 5), link(1, 2, 5), link(0, 2, 5), link(0, 3, 5)];
        let players = [0, 1, 0, 3];
        assert_eq!(path(&players, &links, 3), Some((vec![3, 0], vec![5])));
        // Without the stranger's failure: what fails at 2 has 0 for a cause, certainly, and 1 perhaps.
        assert_eq!(path(&players, &links, 2), None);
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
