//! Growing one tree of a boosting: leaf by leaf, always the one whose question is worth most, up to a number of leaves.
//!
//! The sums of a node by bin are made once for the smaller of two children; those of the larger are what is left of the
//! parent's. All columns of a node can be worked on at the same time, when that is more work than starting threads; the
//! sums of a column are always made by one thread in the order of the rows, so nothing depends on their number.

use std::mem::take;
use std::ops::Range;

use crate::model::learn::parallel;
use crate::model::learn::tree::bins::Binned;
use crate::model::learn::tree::draft::{Draft, DraftNode, partition};
use crate::model::learn::tree::split::{Limits, Split, Sum, best};

/// Fewer cells than this are not worth a second thread.
const CELLS_FOR_THREADS: usize = 500_000;
/// The sums of open leaves that are kept take no more bytes than this; beyond it they are made anew.
const KEPT_BYTES: usize = 256 * 1024 * 1024;

/// The derivatives of the loss by the score of a row.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Slope {
    /// The first.
    pub gradient: f32,
    /// The second.
    pub curvature: f32,
}

/// The sums by bin, for each column.
type Histogram = Vec<Vec<Sum>>;

/// A grown tree, and which rows of the order are in which of its leaves.
#[derive(Debug)]
pub(super) struct Grown {
    /// The tree; its values are steps of full length.
    pub draft: Draft,
    /// The rows of each place of values.
    pub leaves: Vec<Range<usize>>,
}

/// Grows trees over the same rows, and keeps its buffers between them.
pub(super) struct Grower<'a> {
    binned: &'a Binned,
    limits: Limits,
    threads: usize,
    spare: Vec<Histogram>,
    slopes: Vec<Slope>,
    aside: Vec<u32>,
}

/// What a tree grows from.
#[derive(Clone, Copy)]
struct Ground<'a> {
    slopes: &'a [Slope],
    columns: &'a [usize],
}

struct Leaf {
    node: usize,
    rows: Range<usize>,
    sum: Sum,
    histogram: Option<Histogram>,
    split: Option<Split>,
}

/// The work on one column.
struct Lane {
    column: usize,
    small: Vec<Sum>,
    large: Vec<Sum>,
    splits: (Option<Split>, Option<Split>),
}

impl<'a> Grower<'a> {
    pub(super) fn new(binned: &'a Binned, limits: Limits, threads: usize) -> Self {
        Self { binned, limits, threads, spare: Vec::new(), slopes: Vec::new(), aside: Vec::new() }
    }

    /// Grows a tree from the rows of `order`, which are put in the order of its leaves, by the given columns.
    pub(super) fn grow(&mut self, order: &mut [u32], slopes: &[Slope], columns: &[usize]) -> Grown {
        let ground = Ground { slopes, columns };
        let mut draft = Draft::root();
        let mut open = vec![self.root(order, ground)];
        while open.len() < self.limits.leaves {
            let Some(leaf) = next(&open).map(|index| open.swap_remove(index)) else { break };
            let Some(split) = leaf.split else { break };
            let Some((left, right)) = self.part(order, &leaf, &split, &mut draft) else { break };
            let is_last = open.len() + 2 >= self.limits.leaves;
            let keep = open.len() + 2 <= most_kept(columns.len());
            let children = if is_last {
                self.spare.extend(leaf.histogram);
                (left, right)
            } else {
                self.study(order, ground, (left, right), leaf.histogram, keep)
            };
            open.extend([children.0, children.1]);
        }
        open.sort_by_key(|leaf| leaf.rows.start);
        let mut leaves = Vec::with_capacity(open.len());
        for leaf in open {
            draft.set(leaf.node, DraftNode::Leaf(leaves.len()));
            draft.values.push(self.limits.value(leaf.sum));
            leaves.push(leaf.rows);
            self.spare.extend(leaf.histogram);
        }
        Grown { draft, leaves }
    }

    fn root(&mut self, order: &[u32], ground: Ground<'_>) -> Leaf {
        let mut sum = Sum::default();
        for slope in order.iter().filter_map(|row| ground.slopes.get(*row as usize)) {
            sum += Sum::of(*slope);
        }
        let leaf = |rows: Range<usize>, sum| Leaf { node: 0, rows, sum, histogram: None, split: None };
        // The root is the smaller child of a parent that is not there.
        let nothing = leaf(order.len()..order.len(), Sum::default());
        self.study(order, ground, (leaf(0..order.len(), sum), nothing), None, true).0
    }

    /// Parts the rows of a leaf by its question.
    fn part(&mut self, order: &mut [u32], leaf: &Leaf, split: &Split, draft: &mut Draft) -> Option<(Leaf, Leaf)> {
        let column = self.binned.columns.get(split.question.column)?;
        let sides = split.question.sides(column.missing());
        let rows = order.get_mut(leaf.rows.clone())?;
        let middle = leaf.rows.start + partition(rows, &column.codes, &sides, &mut self.aside);
        let (left, right) = draft.split(leaf.node, split.question);
        let child = |node, rows, sum| Leaf { node, rows, sum, histogram: None, split: None };
        Some((child(left, leaf.rows.start..middle, split.left), child(right, middle..leaf.rows.end, split.right)))
    }

    /// Finds the best question of two children.
    fn study(
        &mut self,
        order: &[u32],
        ground: Ground<'_>,
        (left, right): (Leaf, Leaf),
        parent: Option<Histogram>,
        keep: bool,
    ) -> (Leaf, Leaf) {
        let is_left_smaller = left.rows.len() <= right.rows.len() || right.rows.is_empty();
        let (mut small, mut large) = if is_left_smaller { (left, right) } else { (right, left) };
        let can_split = |leaf: &Leaf| leaf.sum.rows >= self.limits.leaf.saturating_mul(2).max(2);
        if !can_split(&small) && !can_split(&large) {
            self.spare.extend(parent);
        } else {
            let has_parent = parent.is_some();
            let mut lanes = self.lanes(ground.columns, parent);
            let small_rows = order.get(small.rows.clone()).unwrap_or_default();
            let large_rows = order.get(large.rows.clone()).filter(|_| !has_parent).unwrap_or_default();
            self.slopes.clear();
            let slope = |row: &u32| ground.slopes.get(*row as usize).copied().unwrap_or_default();
            self.slopes.extend(small_rows.iter().chain(large_rows).map(slope));
            let cells = self.slopes.len() * ground.columns.len();
            let threads = if cells < CELLS_FOR_THREADS { 1 } else { self.threads };
            let (small_slopes, large_slopes) = self.slopes.split_at(small_rows.len().min(self.slopes.len()));
            let (binned, limits) = (self.binned, &self.limits);
            let (small_sum, large_sum) = (small.sum, large.sum);
            parallel::each(threads, &mut lanes, &|_, lane| {
                let Some(column) = binned.columns.get(lane.column) else { return };
                let bins = column.bins() + 1;
                fill(&mut lane.small, &column.codes, small_rows, small_slopes, bins);
                if has_parent {
                    for (large, small) in lane.large.iter_mut().zip(&lane.small) {
                        *large = *large - *small;
                    }
                } else {
                    fill(&mut lane.large, &column.codes, large_rows, large_slopes, bins);
                }
                lane.splits = (
                    best(column, lane.column, &lane.small, small_sum, limits),
                    best(column, lane.column, &lane.large, large_sum, limits),
                );
            });
            self.take_over(&mut lanes, &mut small, &mut large, keep);
        }
        if is_left_smaller { (small, large) } else { (large, small) }
    }

    fn lanes(&mut self, columns: &[usize], parent: Option<Histogram>) -> Vec<Lane> {
        let mut small = self.spare.pop().unwrap_or_default().into_iter();
        let mut large = parent.or_else(|| self.spare.pop()).unwrap_or_default().into_iter();
        let lane = |column: &usize| Lane {
            column: *column,
            small: small.next().unwrap_or_default(),
            large: large.next().unwrap_or_default(),
            splits: (None, None),
        };
        columns.iter().map(lane).collect()
    }

    /// Gives the children the best of their questions and what was summed up for them.
    fn take_over(&mut self, lanes: &mut [Lane], small: &mut Leaf, large: &mut Leaf, keep: bool) {
        for lane in lanes.iter() {
            improve(&mut small.split, lane.splits.0);
            improve(&mut large.split, lane.splits.1);
        }
        let histograms: (Histogram, Histogram) = (
            lanes.iter_mut().map(|lane| take(&mut lane.small)).collect(),
            lanes.iter_mut().map(|lane| take(&mut lane.large)).collect(),
        );
        for (leaf, histogram) in [(small, histograms.0), (large, histograms.1)] {
            if keep && leaf.split.is_some() {
                leaf.histogram = Some(histogram);
            } else if keep {
                self.spare.push(histogram);
            }
        }
    }
}

/// Of equals, the question of the earlier column stays.
fn improve(best: &mut Option<Split>, candidate: Option<Split>) {
    let Some(candidate) = candidate else { return };
    if best.as_ref().is_none_or(|best| candidate.gain > best.gain) {
        *best = Some(candidate);
    }
}

/// The leaf whose question is worth most, of equals the one that came first.
fn next(open: &[Leaf]) -> Option<usize> {
    let mut found: Option<(usize, f64, usize)> = None;
    for (index, leaf) in open.iter().enumerate() {
        let Some(split) = &leaf.split else { continue };
        let better = |(_, gain, node): (usize, f64, usize)| {
            split.gain > gain || (split.gain.total_cmp(&gain).is_eq() && leaf.node < node)
        };
        if found.is_none_or(better) {
            found = Some((index, split.gain, leaf.node));
        }
    }
    found.map(|(index, _, _)| index)
}

impl Sum {
    fn of(slope: Slope) -> Self {
        Self { gradient: f64::from(slope.gradient), curvature: f64::from(slope.curvature), rows: 1 }
    }
}

/// Sums up by bin. An array of all that a byte can be needs no check of its index.
fn fill(sums: &mut Vec<Sum>, codes: &[u8], rows: &[u32], slopes: &[Slope], bins: usize) {
    let mut by_code = [Sum::default(); 256];
    for (row, slope) in rows.iter().zip(slopes) {
        let Some(code) = codes.get(*row as usize) else { continue };
        by_code[usize::from(*code)] += Sum::of(*slope);
    }
    sums.clear();
    sums.extend(by_code.iter().take(bins));
}

/// How many open leaves keep their histograms.
fn most_kept(columns: usize) -> usize {
    KEPT_BYTES / (columns.max(1) * 256 * size_of::<Sum>())
}

#[cfg(test)]
mod tests {
    use super::{Grower, Limits, Slope};
    use crate::model::learn::tree::bins::{Binned, BinnedColumn, Kind};
    use crate::model::learn::tree::generator::Generator;

    fn binned(rows: usize, columns: usize) -> Binned {
        let mut generator = Generator::new(5);
        let mut column = || BinnedColumn {
            codes: (0..rows).map(|_| u8::try_from(generator.below(17)).unwrap()).collect(),
            kind: Kind::Numbers((0..15).map(f64::from).collect()),
        };
        Binned { columns: (0..columns).map(|_| column()).collect(), rows }
    }

    fn slopes(rows: usize) -> Vec<Slope> {
        let mut generator = Generator::new(6);
        let mut number = || f32::from(u16::try_from(generator.below(1_000)).unwrap()) / 1_000.0 - 0.5;
        (0..rows).map(|_| Slope { gradient: number(), curvature: 1.0 }).collect()
    }

    #[test]
    fn leaves_hold_all_rows_once_and_each_row_is_found_in_its_leaf() {
        let (binned, slopes) = (binned(2_000, 4), slopes(2_000));
        let limits = Limits { leaves: 15, leaf: 20, l2: 0.0 };
        let mut order: Vec<u32> = (0..2_000).collect();
        let grown = Grower::new(&binned, limits, 1).grow(&mut order, &slopes, &[0, 1, 2, 3]);
        assert_eq!(grown.leaves.len(), 15);
        let mut seen = 0;
        for (place, rows) in grown.leaves.iter().enumerate() {
            assert!(rows.len() >= 20 && rows.start == seen);
            seen = rows.end;
            for row in &order[rows.clone()] {
                assert_eq!(grown.draft.place(&binned, *row), place);
            }
        }
        assert_eq!(seen, 2_000);
    }

    #[test]
    fn a_leaf_says_the_mean_of_its_rows_when_nothing_is_penalised() {
        let (binned, slopes) = (binned(500, 2), slopes(500));
        let mut order: Vec<u32> = (0..500).collect();
        let limits = Limits { leaves: 8, leaf: 1, l2: 0.0 };
        let grown = Grower::new(&binned, limits, 1).grow(&mut order, &slopes, &[0, 1]);
        for (rows, value) in grown.leaves.iter().zip(&grown.draft.values) {
            let gradients = order[rows.clone()].iter().map(|row| f64::from(slopes[*row as usize].gradient));
            let mean = gradients.sum::<f64>() / f64::from(u32::try_from(rows.len()).unwrap());
            assert!((value + mean).abs() < 1e-9, "{value} {mean}");
        }
    }

    #[test]
    fn threads_change_nothing() {
        let (binned, slopes) = (binned(150_000, 5), slopes(150_000));
        let limits = Limits { leaves: 31, leaf: 20, l2: 1.0 };
        let grow = |threads| {
            let mut order: Vec<u32> = (0..150_000).collect();
            Grower::new(&binned, limits, threads).grow(&mut order, &slopes, &[0, 1, 2, 3, 4]).draft
        };
        assert_eq!(grow(1), grow(2));
        assert_eq!(grow(1), grow(4));
    }
}
