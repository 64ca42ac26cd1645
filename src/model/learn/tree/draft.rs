//! A tree while it grows: it decides by bins, and its nodes stand in the order in which they came to be.

use crate::model::learn::tree::bins::Binned;

/// Which of the 256 bins of a column are meant.
pub(in crate::model) type Set = [u64; 4];

/// Adds a bin to a set.
pub(super) fn insert(set: &mut Set, code: u8) {
    if let Some(word) = set.get_mut(usize::from(code / 64)) {
        *word |= 1_u64 << (code % 64);
    }
}

/// Whether a bin is in a set.
pub(super) fn contains(set: &Set, code: u8) -> bool {
    set.get(usize::from(code / 64)).is_some_and(|word| (*word >> (code % 64)) & 1 == 1)
}

/// Which values go left.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Rule {
    /// The bins up to one in the middle between `low`, the last that has a row on the left, and `high`, the first that has
    /// one on the right. There is no `high` when all numbers go left and only missing values go right.
    Numbers {
        /// The last bin on the left that has a row.
        low: u8,
        /// The first bin on the right that has a row.
        high: Option<u8>,
    },
    /// These categories.
    Categories(Set),
}

/// The last bin that goes left: rows that a tree has not seen may be in the bins between, too.
pub(super) fn cut(low: u8, high: u8) -> u8 {
    low + high.saturating_sub(1).saturating_sub(low) / 2
}

/// A question that parts the rows of a node.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Question {
    /// The index of the column.
    pub column: usize,
    /// Which values go left.
    pub rule: Rule,
    /// Whether missing values go left.
    pub missing_left: bool,
}

impl Question {
    /// For each bin whether it goes left.
    pub fn sides(&self, missing: u8) -> [bool; 256] {
        let mut sides = [false; 256];
        for (side, code) in sides.iter_mut().zip(0..=u8::MAX) {
            *side = self.goes_left(code, missing);
        }
        sides
    }

    fn goes_left(&self, code: u8, missing: u8) -> bool {
        if code == missing {
            return self.missing_left;
        }
        match &self.rule {
            Rule::Numbers { low, high } => high.is_none_or(|high| code <= cut(*low, high)),
            Rule::Categories(set) => contains(set, code),
        }
    }
}

/// A node of a draft.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum DraftNode {
    /// The end: the place of its values.
    Leaf(usize),
    /// A question, and where to go on.
    Split {
        /// What is asked.
        question: Question,
        /// The index of the node for what goes left.
        left: usize,
        /// The index of the node for the others.
        right: usize,
    },
}

/// A tree while it grows.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Draft {
    /// The first is the root.
    pub nodes: Vec<DraftNode>,
    /// What the leaves hold, so many numbers each as the ensemble says.
    pub values: Vec<f64>,
}

impl Draft {
    /// A tree of one node.
    pub fn root() -> Self {
        Self { nodes: vec![DraftNode::Leaf(0)], values: Vec::new() }
    }

    /// Makes a leaf ask a question; returns the nodes of both answers.
    pub fn split(&mut self, node: usize, question: Question) -> (usize, usize) {
        let (left, right) = (self.nodes.len(), self.nodes.len() + 1);
        self.nodes.extend([DraftNode::Leaf(0), DraftNode::Leaf(0)]);
        self.set(node, DraftNode::Split { question, left, right });
        (left, right)
    }

    /// Puts a node in the place of another.
    pub fn set(&mut self, node: usize, with: DraftNode) {
        if let Some(old) = self.nodes.get_mut(node) {
            *old = with;
        }
    }

    /// The place of the values for one of the rows that were put into bins.
    pub fn place(&self, binned: &Binned, row: u32) -> usize {
        let mut node = 0;
        loop {
            match self.nodes.get(node) {
                Some(DraftNode::Split { question, left, right }) => {
                    let goes_left = binned
                        .columns
                        .get(question.column)
                        .is_some_and(|column| question.goes_left(column.code(row), column.missing()));
                    node = if goes_left { *left } else { *right };
                }
                Some(DraftNode::Leaf(place)) => return *place,
                None => return 0,
            }
        }
    }
}

/// Parts rows in place by the bins of a column, each part in the order it had; returns how many went left.
pub(super) fn partition(rows: &mut [u32], codes: &[u8], sides: &[bool; 256], aside: &mut Vec<u32>) -> usize {
    aside.clear();
    let mut left = 0;
    for index in 0..rows.len() {
        let Some(&row) = rows.get(index) else { break };
        if codes.get(row as usize).is_some_and(|code| sides[usize::from(*code)]) {
            if let Some(slot) = rows.get_mut(left) {
                *slot = row;
            }
            left += 1;
        } else {
            aside.push(row);
        }
    }
    for (slot, row) in rows.iter_mut().skip(left).zip(aside.iter()) {
        *slot = *row;
    }
    left
}

#[cfg(test)]
mod tests {
    use super::{Question, Rule, contains, insert, partition};

    #[test]
    fn sets_hold_what_was_put_in() {
        let mut set = [0; 4];
        for code in [0, 63, 64, 255] {
            insert(&mut set, code);
        }
        let inside: Vec<u8> = (0..=255).filter(|code| contains(&set, *code)).collect();
        assert_eq!(inside, [0, 63, 64, 255]);
    }

    #[test]
    fn rows_are_parted_in_their_order_and_missing_values_have_a_side_of_their_own() {
        let codes = [0, 3, 1, 2, 3];
        for (missing_left, expected, left) in [(true, [0, 1, 2, 4, 3], 4), (false, [0, 2, 1, 3, 4], 2)] {
            let question = Question { column: 0, rule: Rule::Numbers { low: 1, high: Some(2) }, missing_left };
            let mut rows = [0, 1, 2, 3, 4];
            assert_eq!(partition(&mut rows, &codes, &question.sides(3), &mut Vec::new()), left);
            assert_eq!(rows, expected);
        }
    }
}
