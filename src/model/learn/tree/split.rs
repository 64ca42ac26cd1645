//! The best question for a node of a boosted tree, from the sums of its gradients by bin.
//!
//! By second-order boosting (Chen and Guestrin, `XGBoost`, 2016, equation 7) a question is worth
//! `G²ₗ / (Hₗ + λ) + G²ᵣ / (Hᵣ + λ) − G² / (H + λ)`. Missing values go to the side where they are worth more, or with the
//! most rows when there are none. Categories are ordered by their mean gradient, and parted like numbers then, which finds
//! the best of all their sets (Fisher, *On grouping for maximum homogeneity*, 1958).

use std::ops::{Add, AddAssign, Sub};

use crate::model::learn::tree::bins::{BinnedColumn, Kind};
use crate::model::learn::tree::draft::{Question, Rule, insert};

/// Less than this is rounding; gradients are of the order of one.
const LEAST_GAIN: f64 = 1e-9;
/// Sides with less curvature than this would get leaves of any size.
const LEAST_CURVATURE: f64 = 1e-3;

/// The sums over some rows.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Sum {
    /// Of the gradients.
    pub gradient: f64,
    /// Of the second derivatives.
    pub curvature: f64,
    /// How many rows.
    pub rows: u32,
}

impl Add for Sum {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            gradient: self.gradient + other.gradient,
            curvature: self.curvature + other.curvature,
            rows: self.rows + other.rows,
        }
    }
}

impl AddAssign for Sum {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Sub for Sum {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self {
            gradient: self.gradient - other.gradient,
            curvature: self.curvature - other.curvature,
            rows: self.rows.saturating_sub(other.rows),
        }
    }
}

/// What trees may do.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::model) struct Limits {
    /// The most leaves of a tree.
    pub leaves: usize,
    /// The least rows of a leaf.
    pub leaf: u32,
    /// The penalty on the square of what a leaf says.
    pub l2: f64,
}

impl Limits {
    /// What a leaf of those rows adds to the score.
    pub(super) fn value(&self, sum: Sum) -> f64 {
        let curvature = sum.curvature + self.l2;
        if curvature > 0.0 { -sum.gradient / curvature } else { 0.0 }
    }

    fn worth(&self, sum: Sum) -> f64 {
        sum.gradient * sum.gradient / (sum.curvature + self.l2)
    }

    fn allow(&self, sum: Sum) -> bool {
        sum.rows >= self.leaf && sum.rows > 0 && sum.curvature >= LEAST_CURVATURE
    }
}

/// A question and what it does.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Split {
    /// What is asked.
    pub question: Question,
    /// What it is worth.
    pub gain: f64,
    /// The rows that go left.
    pub left: Sum,
    /// The rows that go right.
    pub right: Sum,
}

/// The best question about a column; `sums` holds its bins, that for missing values last.
pub(super) fn best(column: &BinnedColumn, index: usize, sums: &[Sum], total: Sum, limits: &Limits) -> Option<Split> {
    let mut search = Search { column: index, total, limits, worth: limits.worth(total), best: None };
    let (missing, present) = sums.split_last()?;
    match column.kind {
        Kind::Numbers(_) => search.numbers(present, *missing),
        Kind::Categories(_) => search.categories(sums, column.missing()),
    }
    search.best
}

struct Search<'a> {
    column: usize,
    total: Sum,
    limits: &'a Limits,
    worth: f64,
    best: Option<Split>,
}

impl Search<'_> {
    fn numbers(&mut self, present: &[Sum], missing: Sum) {
        let mut left = Sum::default();
        let mut last = None;
        for (code, sum) in (0..=u8::MAX).zip(present) {
            if sum.rows == 0 {
                continue;
            }
            if let Some(low) = last {
                let rule = Rule::Numbers { low, high: Some(code) };
                if missing.rows > 0 {
                    self.consider(left, rule, false);
                    self.consider(left + missing, rule, true);
                } else {
                    self.consider(left, rule, left.rows * 2 > self.total.rows);
                }
            }
            left += *sum;
            last = Some(code);
        }
        if let Some(low) = last.filter(|_| missing.rows > 0) {
            self.consider(left, Rule::Numbers { low, high: None }, false);
        }
    }

    fn categories(&mut self, sums: &[Sum], missing: u8) {
        let no_missing = sums.last().is_none_or(|sum| sum.rows == 0);
        // One more in the denominator keeps categories of a few rows, whose means are noise, away from the ends.
        let mut order: Vec<(f64, u8, Sum)> = (0..=u8::MAX)
            .zip(sums)
            .filter(|(_, sum)| sum.rows > 0)
            .map(|(code, sum)| (sum.gradient / (sum.curvature + 1.0), code, *sum))
            .collect();
        order.sort_by(|(one, _, _), (other, _, _)| one.total_cmp(other));
        let mut left = Sum::default();
        let (mut set, mut missing_left) = ([0; 4], false);
        for (_, code, sum) in order {
            left += sum;
            if code == missing {
                missing_left = true;
            } else {
                insert(&mut set, code);
            }
            let side = if no_missing { left.rows * 2 > self.total.rows } else { missing_left };
            self.consider(left, Rule::Categories(set), side);
        }
    }

    fn consider(&mut self, left: Sum, rule: Rule, missing_left: bool) {
        let right = self.total - left;
        if !self.limits.allow(left) || !self.limits.allow(right) {
            return;
        }
        let gain = self.limits.worth(left) + self.limits.worth(right) - self.worth;
        if gain > self.best.as_ref().map_or(LEAST_GAIN, |best| best.gain) {
            let question = Question { column: self.column, rule, missing_left };
            self.best = Some(Split { question, gain, left, right });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Limits, Split, Sum, best};
    use crate::model::learn::tree::bins::{BinnedColumn, Kind};
    use crate::model::learn::tree::draft::{Rule, contains};

    const LIMITS: Limits = Limits { leaves: 31, leaf: 1, l2: 1.0 };

    fn column(kind: Kind) -> BinnedColumn {
        BinnedColumn { codes: Vec::new(), kind }
    }

    /// Each bin with its gradient and rows, whose curvature is one each.
    fn found(column: &BinnedColumn, bins: &[(f64, u32)], limits: &Limits) -> Option<Split> {
        let sums: Vec<Sum> = bins
            .iter()
            .map(|(gradient, rows)| Sum { gradient: *gradient, curvature: f64::from(*rows), rows: *rows })
            .collect();
        let total = sums.iter().fold(Sum::default(), |total, sum| total + *sum);
        best(column, 0, &sums, total, limits)
    }

    #[test]
    fn the_gain_is_the_one_worked_out_by_hand() {
        let column = column(Kind::Numbers(vec![1.0, 2.0, 3.0]));
        let split = found(&column, &[(-2.0, 2), (0.0, 0), (-1.0, 1), (4.0, 3), (0.0, 0)], &LIMITS).unwrap();
        // 3² / (3 + 1) + 4² / (3 + 1) − 1² / (6 + 1)
        assert!((split.gain - (2.25 + 4.0 - 1.0 / 7.0)).abs() < 1e-12, "{split:?}");
        assert_eq!(split.question.rule, Rule::Numbers { low: 2, high: Some(3) });
        assert_eq!((split.left.rows, split.right.rows), (3, 3));
        assert!((LIMITS.value(split.left) - 0.75).abs() < 1e-12);
    }

    #[test]
    fn a_threshold_is_the_middle_edge_of_the_bins_without_rows() {
        let column = column(Kind::Numbers(vec![1.0, 2.0, 5.0]));
        let split = found(&column, &[(-2.0, 2), (0.0, 0), (0.0, 0), (2.0, 2), (0.0, 0)], &LIMITS).unwrap();
        let Rule::Numbers { low, high } = split.question.rule else { unreachable!("a numeric column") };
        assert!((column.threshold(low, high) - 2.0).abs() < 1e-12);
        assert_eq!(split.question.sides(4)[..5], [true, true, false, false, split.question.missing_left]);
    }

    #[test]
    fn missing_values_go_where_they_are_worth_more() {
        let column = column(Kind::Numbers(vec![1.0]));
        let split = found(&column, &[(-2.0, 2), (2.0, 2), (-3.0, 3)], &LIMITS).unwrap();
        assert!(split.question.missing_left && split.left.rows == 5, "{split:?}");
        let split = found(&column, &[(-2.0, 2), (2.0, 2), (3.0, 3)], &LIMITS).unwrap();
        assert!(!split.question.missing_left && split.left.rows == 2, "{split:?}");
        let split = found(&column, &[(-2.0, 2), (-2.0, 2), (3.0, 3)], &LIMITS).unwrap();
        assert_eq!(split.question.rule, Rule::Numbers { low: 1, high: None });
    }

    #[test]
    fn categories_are_parted_by_what_they_do_and_not_by_their_order() {
        let column = column(Kind::Categories(4));
        let split = found(&column, &[(-3.0, 3), (3.0, 3), (-3.0, 3), (3.0, 3), (0.0, 0)], &LIMITS).unwrap();
        let Rule::Categories(set) = split.question.rule else { unreachable!("a categorical column") };
        assert_eq!([0, 1, 2, 3].map(|code| contains(&set, code)), [true, false, true, false]);
    }

    #[test]
    fn no_question_makes_a_leaf_of_fewer_rows_than_allowed_or_parts_what_is_alike() {
        let column = column(Kind::Numbers(vec![1.0]));
        assert!(found(&column, &[(-1.0, 1), (9.0, 9), (0.0, 0)], &Limits { leaf: 2, ..LIMITS }).is_none());
        assert!(found(&column, &[(0.0, 5), (0.0, 5), (0.0, 0)], &LIMITS).is_none());
    }
}
