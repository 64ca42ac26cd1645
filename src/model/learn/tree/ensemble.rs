//! Many fitted trees as flat arrays, and how they answer. No bins are needed any more: a question is asked of raw numbers.
//!
//! The nodes of a tree stand in the order in which one walks it, left first: the left child of a node is the next one, and
//! only the right one is written down. Every child stands behind its parent, so a walk always ends.

use serde::{Deserialize, Serialize};

use crate::model::learn::tree::bins::{Binned, category};
use crate::model::learn::tree::draft::{Draft, DraftNode, Question, Rule, Set, contains};

/// Fitted trees.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ensemble {
    /// How many numbers a leaf holds.
    width: usize,
    /// The root of each tree, ascending.
    roots: Vec<u32>,
    nodes: Vec<Node>,
    /// What leaves hold, `width` numbers each.
    values: Vec<f64>,
    /// The sets of categories that questions ask for.
    sets: Vec<Set>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
enum Node {
    /// The end: the place of its values.
    Leaf(u32),
    /// Numbers up to the threshold go left.
    Number { feature: u16, threshold: f64, missing_left: bool, right: u32 },
    /// The categories of a set go left. One that is not known is asked like a missing one.
    Category { feature: u16, set: u32, missing_left: bool, right: u32 },
}

impl Ensemble {
    /// No tree yet; the leaves of all that come hold `width` numbers. With `shared`, the first places are those of leaves
    /// that are sure of one class: most are, and need no values of their own.
    pub(super) fn new(width: usize, shared: bool) -> Self {
        let mut values = Vec::new();
        if shared {
            values.resize(width * width, 0.0);
            values.iter_mut().step_by(width + 1).for_each(|value| *value = 1.0);
        }
        Self { width, roots: Vec::new(), nodes: Vec::new(), values, sets: Vec::new() }
    }

    /// Takes a tree in. The places of its leaves are: first the `shared` ones of this ensemble, then its own.
    pub(super) fn push(&mut self, draft: &Draft, binned: &Binned, shared: usize) {
        let own = self.values.len() / self.width.max(1);
        let place = |place: usize| index(if place < shared { place } else { own + place - shared });
        self.values.extend(&draft.values);
        self.roots.push(index(self.nodes.len()));
        // A node to write, and whose right child it is.
        let mut open: Vec<(usize, Option<usize>)> = vec![(0, None)];
        while let Some((node, parent)) = open.pop() {
            let here = self.nodes.len();
            if let Some(parent) = parent
                && let Some(parent) = self.nodes.get_mut(parent)
            {
                parent.set_right(index(here));
            }
            match draft.nodes.get(node) {
                Some(DraftNode::Split { question, left, right }) => {
                    let asked = self.ask(question, binned);
                    self.nodes.push(asked);
                    open.extend([(*right, Some(here)), (*left, None)]);
                }
                Some(DraftNode::Leaf(values)) => self.nodes.push(Node::Leaf(place(*values))),
                None => self.nodes.push(Node::Leaf(0)),
            }
        }
    }

    fn ask(&mut self, question: &Question, binned: &Binned) -> Node {
        let feature = u16::try_from(question.column).unwrap_or(u16::MAX);
        let missing_left = question.missing_left;
        match question.rule {
            Rule::Numbers { low, high } => {
                let threshold =
                    binned.columns.get(question.column).map_or(f64::MAX, |column| column.threshold(low, high));
                Node::Number { feature, threshold, missing_left, right: 0 }
            }
            Rule::Categories(set) => {
                let place = index(self.sets.len());
                self.sets.push(set);
                Node::Category { feature, set: place, missing_left, right: 0 }
            }
        }
    }

    /// Forgets all trees but the first ones, and what only the others needed.
    pub(super) fn truncate(&mut self, trees: usize) {
        let Some(end) = self.roots.get(trees).map(|root| *root as usize) else { return };
        self.roots.truncate(trees);
        self.nodes.truncate(end);
        let (mut places, mut sets) = (0, 0);
        for node in &self.nodes {
            match node {
                Node::Leaf(place) => places = places.max(*place as usize + 1),
                Node::Category { set, .. } => sets = sets.max(*set as usize + 1),
                Node::Number { .. } => {}
            }
        }
        self.values.truncate(places * self.width);
        self.sets.truncate(sets);
    }

    /// How many trees there are.
    pub fn trees(&self) -> usize {
        self.roots.len()
    }

    /// How many numbers a leaf holds.
    pub(in crate::model) fn width(&self) -> usize {
        self.width
    }

    /// Adds what the trees say of a block of raw rows, `features` numbers each, to the sums, `lanes` each. A leaf of one
    /// number counts in the lane of its tree, which take turns; one of more numbers counts in all.
    pub(in crate::model) fn accumulate(&self, block: &[f64], features: usize, sums: &mut [f64], lanes: usize) {
        for (tree, root) in self.roots.iter().enumerate() {
            let lane = tree % lanes.max(1);
            let rows = block.chunks_exact(features.max(1)).zip(sums.chunks_exact_mut(lanes.max(1)));
            for (row, sums) in rows {
                let values = self.values(self.leaf(*root, row));
                if self.width == 1 {
                    if let (Some(sum), Some(value)) = (sums.get_mut(lane), values.first()) {
                        *sum += value;
                    }
                } else {
                    sums.iter_mut().zip(values).for_each(|(sum, value)| *sum += value);
                }
            }
        }
    }

    fn values(&self, place: u32) -> &[f64] {
        let start = place as usize * self.width;
        self.values.get(start..start + self.width).unwrap_or_default()
    }

    fn leaf(&self, root: u32, row: &[f64]) -> u32 {
        let value = |feature: u16| row.get(usize::from(feature)).copied().unwrap_or(f64::NAN);
        let mut index = root;
        loop {
            let (goes_left, right) = match self.nodes.get(index as usize) {
                Some(Node::Number { feature, threshold, missing_left, right }) => {
                    let value = value(*feature);
                    (value <= *threshold || (*missing_left && value.is_nan()), *right)
                }
                Some(Node::Category { feature, set, missing_left, right }) => {
                    let set = self.sets.get(*set as usize);
                    let inside = category(value(*feature)).map(|code| set.is_some_and(|set| contains(set, code)));
                    (inside.unwrap_or(*missing_left), *right)
                }
                Some(Node::Leaf(place)) => return *place,
                None => return 0,
            };
            index = if goes_left { index + 1 } else { right };
        }
    }

    /// Whether every index leads somewhere, every walk ends, and all numbers are finite, for rows of so many features.
    pub(in crate::model) fn is_sound(&self, features: usize) -> bool {
        let places = self.values.len().checked_div(self.width).unwrap_or(0);
        let ends = self.roots.iter().skip(1).map(|root| *root as usize).chain([self.nodes.len()]);
        !self.roots.is_empty()
            && self.roots.first() == Some(&0)
            && places * self.width == self.values.len()
            && self.values.iter().all(|value| value.is_finite())
            && self.roots.iter().zip(ends).all(|(root, end)| self.is_tree(*root as usize, end, places, features))
    }

    fn is_tree(&self, root: usize, end: usize, places: usize, features: usize) -> bool {
        let Some(nodes) = self.nodes.get(root..end).filter(|nodes| !nodes.is_empty()) else { return false };
        nodes.iter().zip(root..).all(|(node, here)| {
            let children = |feature: u16, right: u32| {
                usize::from(feature) < features && here + 1 < end && (here + 1..end).contains(&(right as usize))
            };
            match node {
                Node::Leaf(place) => (*place as usize) < places,
                Node::Number { feature, threshold, right, .. } => threshold.is_finite() && children(*feature, *right),
                Node::Category { feature, set, right, .. } => {
                    (*set as usize) < self.sets.len() && children(*feature, *right)
                }
            }
        })
    }
}

impl Node {
    fn set_right(&mut self, to: u32) {
        match self {
            Self::Number { right, .. } | Self::Category { right, .. } => *right = to,
            Self::Leaf(_) => {}
        }
    }
}

/// More than four billion nodes do not fit into memory.
fn index(place: usize) -> u32 {
    u32::try_from(place).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::{Ensemble, Node};
    use crate::model::learn::tree::bins::{Binned, BinnedColumn, Kind};
    use crate::model::learn::tree::draft::{Draft, DraftNode, Question, Rule, insert};

    /// Two columns; the first is parted at 1.5, and what is above it by category 1 of the second.
    fn ensemble() -> Ensemble {
        let binned = Binned {
            columns: vec![
                BinnedColumn { codes: Vec::new(), kind: Kind::Numbers(vec![1.5, 2.5]) },
                BinnedColumn { codes: Vec::new(), kind: Kind::Categories(3) },
            ],
            rows: 0,
        };
        let mut draft = Draft::root();
        let rule = Rule::Numbers { low: 0, high: Some(1) };
        let (left, right) = draft.split(0, Question { column: 0, rule, missing_left: true });
        let mut set = [0; 4];
        insert(&mut set, 1);
        let question = Question { column: 1, rule: Rule::Categories(set), missing_left: false };
        let (inside, outside) = draft.split(right, question);
        for (place, node) in [left, inside, outside].into_iter().enumerate() {
            draft.set(node, DraftNode::Leaf(place));
        }
        draft.values = vec![10.0, 20.0, 30.0];
        let mut ensemble = Ensemble::new(1, false);
        ensemble.push(&draft, &binned, 0);
        ensemble.push(&draft, &binned, 0);
        ensemble
    }

    fn answer(row: [f64; 2]) -> f64 {
        let mut sums = [0.0];
        ensemble().accumulate(&row, 2, &mut sums, 1);
        sums[0] / 2.0
    }

    #[test]
    fn numbers_categories_missing_and_unknown_values_go_their_ways() {
        let close = |row, expected: f64| assert!((answer(row) - expected).abs() < 1e-12, "{row:?}");
        close([1.5, 0.0], 10.0);
        close([f64::NAN, 0.0], 10.0);
        close([1.6, 1.0], 20.0);
        close([1.6, 2.0], 30.0);
        close([1.6, f64::NAN], 30.0);
        close([1.6, -1.0], 30.0);
    }

    #[test]
    fn trees_take_turns_in_their_lanes() {
        let mut sums = [0.0; 2];
        ensemble().accumulate(&[0.0, 0.0], 2, &mut sums, 2);
        assert!(sums.iter().all(|sum| (sum - 10.0).abs() < 1e-12), "{sums:?}");
    }

    #[test]
    fn a_shortened_ensemble_forgets_what_it_does_not_need() {
        let mut shortened = ensemble();
        shortened.truncate(1);
        assert_eq!((shortened.trees(), shortened.values.len(), shortened.sets.len()), (1, 3, 1));
        assert!(shortened.is_sound(2));
    }

    #[test]
    fn every_changed_array_is_refused() {
        assert!(ensemble().is_sound(2));
        assert!(!ensemble().is_sound(1), "a feature that is not there");
        let changes: [fn(&mut Ensemble); 9] = [
            |ensemble| ensemble.roots.clear(),
            |ensemble| ensemble.roots[1] = 400,
            |ensemble| ensemble.roots[0] = 1,
            |ensemble| ensemble.nodes.truncate(3),
            |ensemble| ensemble.nodes[0].set_right(0),
            |ensemble| ensemble.nodes[0].set_right(7),
            |ensemble| ensemble.nodes[1] = Node::Leaf(6),
            |ensemble| ensemble.values[0] = f64::NAN,
            |ensemble| ensemble.sets.clear(),
        ];
        for (number, change) in changes.into_iter().enumerate() {
            let mut changed = ensemble();
            change(&mut changed);
            assert!(!changed.is_sound(2), "change {number}");
        }
    }
}
