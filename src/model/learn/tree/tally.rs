//! The best question for a node of a forest's tree, from what its rows hold by bin.
//!
//! One measure serves both tasks. For classes, `Σ nₖ² / n` is large where few classes share the rows; its gain is that of
//! the Gini impurity. For numbers, `(Σ y)² / n` has the gain of the variance (Breiman et al., *Classification and
//! regression trees*, 1984). What is added up is exact for classes, so equal questions are equal.

use crate::model::learn::problem::Lesson;
use crate::model::learn::tree::bins::{BinnedColumn, Kind};
use crate::model::learn::tree::draft::{Question, Rule, insert};
use crate::model::number::float;

/// Up to so many rows are sorted; of more, every bin is added up.
const ROWS_TO_SORT: usize = 96;
/// What stands before the channels of an entry: rows, and their weight.
const HEAD: usize = 2;

/// What rows hold: their number, their weight, and a channel a class or one for numbers.
type Entry = [f64];

/// The rows of a tree: what each holds, and how often it was drawn.
pub(super) struct Sheet<'a> {
    lesson: &'a Lesson,
    /// Numbers around zero, of the order of one.
    numbers: &'a [f64],
    weights: &'a [u16],
}

/// A question and what it is worth.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Found {
    /// What is asked.
    pub question: Question,
    /// What it is worth.
    pub gain: f64,
}

impl<'a> Sheet<'a> {
    /// `numbers` are those of the lesson, centred and scaled, or none for classes.
    pub(super) fn new(lesson: &'a Lesson, numbers: &'a [f64], weights: &'a [u16]) -> Self {
        Self { lesson, numbers, weights }
    }

    /// The length of an entry.
    pub(super) fn stride(&self) -> usize {
        HEAD + self.lesson.classes().max(1)
    }

    /// Adds a row to an entry.
    pub(super) fn add(&self, row: u32, entry: &mut Entry) {
        let place = row as usize;
        let weight = self.weights.get(place).copied().map_or(0.0, f64::from);
        let [rows, total, channels @ ..] = entry else { return };
        *rows += 1.0;
        *total += weight;
        let (channel, value) = match self.lesson {
            Lesson::Classes { codes, .. } => (codes.get(place).copied().unwrap_or(usize::MAX), weight),
            Lesson::Numbers(_) => (0, weight * self.numbers.get(place).copied().unwrap_or_default()),
        };
        if let Some(channel) = channels.get_mut(channel) {
            *channel += value;
        }
    }
}

/// Looks for questions, and keeps its buffers between nodes.
#[derive(Default)]
pub(super) struct Tally {
    /// The bins that have rows, ascending.
    codes: Vec<u8>,
    /// What each holds, an entry each.
    entries: Vec<f64>,
    dense: Vec<f64>,
    sorted: Vec<(u8, u32)>,
    left: Vec<f64>,
    side: Vec<f64>,
}

impl Tally {
    /// The best question about a column for some rows, whose sum is `total`. The second answer is whether the rows differ
    /// in that column at all.
    pub(super) fn best(
        &mut self,
        column: &BinnedColumn,
        index: usize,
        sheet: &Sheet<'_>,
        rows: &[u32],
        total: &Entry,
        leaf: u32,
    ) -> (Option<Found>, bool) {
        self.count(column, sheet, rows);
        if self.codes.len() < 2 {
            return (None, false);
        }
        let search = Search { column: index, total, leaf: f64::from(leaf), worth: worth(total), best: None };
        let found = match column.kind {
            Kind::Numbers(_) => self.numbers(search, column.missing(), sheet.stride()),
            Kind::Categories(_) => self.categories(search, column.missing(), sheet.stride()),
        };
        (found, true)
    }

    /// Adds up the rows by bin.
    fn count(&mut self, column: &BinnedColumn, sheet: &Sheet<'_>, rows: &[u32]) {
        let stride = sheet.stride();
        self.codes.clear();
        self.entries.clear();
        if rows.len() <= ROWS_TO_SORT {
            self.sorted.clear();
            self.sorted.extend(rows.iter().map(|row| (column.code(*row), *row)));
            self.sorted.sort_unstable();
            for (code, row) in &self.sorted {
                if self.codes.last() != Some(code) {
                    self.codes.push(*code);
                    self.entries.resize(self.codes.len() * stride, 0.0);
                }
                if let Some(entry) = self.entries.rchunks_exact_mut(stride).next() {
                    sheet.add(*row, entry);
                }
            }
            return;
        }
        self.dense.clear();
        self.dense.resize((column.bins() + 1) * stride, 0.0);
        for row in rows {
            let start = usize::from(column.code(*row)) * stride;
            if let Some(entry) = self.dense.get_mut(start..start + stride) {
                sheet.add(*row, entry);
            }
        }
        for (code, entry) in (0..=u8::MAX).zip(self.dense.chunks_exact(stride)) {
            if entry.first().is_some_and(|rows| *rows > 0.0) {
                self.codes.push(code);
                self.entries.extend(entry);
            }
        }
    }

    fn numbers(&mut self, mut search: Search<'_>, missing: u8, stride: usize) -> Option<Found> {
        let has_missing = self.codes.last() == Some(&missing);
        let present = self.codes.len() - usize::from(has_missing);
        self.left.clear();
        self.left.resize(stride, 0.0);
        let apart = self.entries.rchunks_exact(stride).next().unwrap_or_default();
        for (place, entry) in self.entries.chunks_exact(stride).enumerate().take(present) {
            let Some(code) = self.codes.get(place).copied() else { break };
            add(&mut self.left, entry);
            let high = self.codes.get(place + 1).copied().filter(|_| place + 1 < present);
            let rule = Rule::Numbers { low: code, high };
            if has_missing {
                search.consider(&self.left, rule, false);
                if high.is_some() {
                    self.side.clone_from(&self.left);
                    add(&mut self.side, apart);
                    search.consider(&self.side, rule, true);
                }
            } else if high.is_some() {
                let side = search.is_larger(&self.left);
                search.consider(&self.left, rule, side);
            }
        }
        search.best
    }

    fn categories(&mut self, mut search: Search<'_>, missing: u8, stride: usize) -> Option<Found> {
        let has_missing = self.codes.last() == Some(&missing);
        // With more than two classes, the order is by the share of the one that most rows have.
        let channel = search.greatest_channel();
        let mut order: Vec<(f64, u8, &Entry)> = self
            .codes
            .iter()
            .zip(self.entries.chunks_exact(stride))
            .map(|(code, entry)| {
                let weight = entry.get(1).copied().unwrap_or_default();
                (entry.get(channel).copied().unwrap_or_default() / weight, *code, entry)
            })
            .collect();
        order.sort_by(|(one, _, _), (other, _, _)| one.total_cmp(other));
        self.left.clear();
        self.left.resize(stride, 0.0);
        let (mut set, mut missing_left) = ([0; 4], false);
        let last = order.len().saturating_sub(1);
        for (_, code, entry) in order.into_iter().take(last) {
            add(&mut self.left, entry);
            if code == missing {
                missing_left = true;
            } else {
                insert(&mut set, code);
            }
            let side = if has_missing { missing_left } else { search.is_larger(&self.left) };
            search.consider(&self.left, Rule::Categories(set), side);
        }
        search.best
    }
}

struct Search<'a> {
    column: usize,
    total: &'a Entry,
    leaf: f64,
    worth: f64,
    best: Option<Found>,
}

impl Search<'_> {
    fn consider(&mut self, left: &Entry, rule: Rule, missing_left: bool) {
        let ([all, total, sums @ ..], [rows, weight, channels @ ..]) = (self.total, left) else { return };
        if *rows < self.leaf || all - rows < self.leaf || *rows <= 0.0 || all - rows <= 0.0 {
            return;
        }
        let (mut here, mut there) = (0.0, 0.0);
        for (sum, channel) in sums.iter().zip(channels) {
            here += channel * channel;
            there += (sum - channel) * (sum - channel);
        }
        let gain = here / weight + there / (total - weight) - self.worth;
        // A question that gains nothing by itself may be the way to one that does: two columns may only say something
        // together.
        if self.best.as_ref().is_none_or(|best| gain > best.gain) {
            self.best = Some(Found { question: Question { column: self.column, rule, missing_left }, gain });
        }
    }

    fn is_larger(&self, left: &Entry) -> bool {
        let rows = |entry: &Entry| entry.first().copied().unwrap_or_default();
        rows(left) * 2.0 > rows(self.total)
    }

    fn greatest_channel(&self) -> usize {
        let channels = self.total.iter().enumerate().skip(HEAD);
        channels.rev().max_by(|(_, one), (_, other)| one.total_cmp(other)).map_or(HEAD, |(index, _)| index)
    }
}

fn worth(entry: &Entry) -> f64 {
    let [_, weight, channels @ ..] = entry else { return 0.0 };
    channels.iter().map(|channel| channel * channel).sum::<f64>() / weight
}

fn add(to: &mut Entry, entry: &Entry) {
    for (sum, value) in to.iter_mut().zip(entry) {
        *sum += value;
    }
}

/// Whether all rows of an entry are of one class, and which.
pub(super) fn only_class(entry: &Entry, lesson: &Lesson) -> Option<usize> {
    let (Lesson::Classes { .. }, [_, weight, channels @ ..]) = (lesson, entry) else { return None };
    channels.iter().position(|channel| *channel > 0.0).filter(|class| {
        let rest: f64 = channels.iter().skip(class + 1).sum();
        *weight > 0.0 && rest <= 0.0
    })
}

/// The share of each class.
pub(super) fn shares(entry: &Entry) -> Vec<f64> {
    let [_, weight, channels @ ..] = entry else { return Vec::new() };
    channels.iter().map(|channel| channel / weight.max(1.0)).collect()
}

/// The mean of numbers over rows, each counted as often as it was drawn.
pub(super) fn mean(numbers: &[f64], weights: &[u16], rows: &[u32]) -> f64 {
    let of = |row: u32| {
        let weight = weights.get(row as usize).copied().map_or(0.0, f64::from);
        (weight, numbers.get(row as usize).copied().unwrap_or_default())
    };
    let total: f64 = rows.iter().map(|row| of(*row).0).sum();
    let divisor = if total > 0.0 { total } else { float(rows.len()).max(1.0) };
    // Divided first, so that sums of great numbers stay finite.
    rows.iter().map(|row| of(*row)).map(|(weight, number)| number * (weight / divisor)).sum()
}

#[cfg(test)]
mod tests {
    use super::{Sheet, Tally, only_class, shares};
    use crate::model::learn::problem::Lesson;
    use crate::model::learn::tree::bins::{BinnedColumn, Kind};
    use crate::model::learn::tree::draft::{Rule, contains};

    fn lesson(codes: &[usize], count: usize) -> Lesson {
        Lesson::Classes { codes: codes.to_vec(), known: (0..count).collect(), count }
    }

    fn found(column: &BinnedColumn, lesson: &Lesson, leaf: u32) -> Option<(Rule, bool, f64)> {
        let rows: Vec<u32> = (0..u32::try_from(column.codes.len()).unwrap()).collect();
        let weights = vec![1; rows.len()];
        let numbers = if let Lesson::Numbers(numbers) = lesson { numbers.clone() } else { Vec::new() };
        let sheet = Sheet::new(lesson, &numbers, &weights);
        let mut total = vec![0.0; sheet.stride()];
        for row in &rows {
            sheet.add(*row, &mut total);
        }
        let (found, _) = Tally::default().best(column, 0, &sheet, &rows, &total, leaf);
        found.map(|found| (found.question.rule, found.question.missing_left, found.gain))
    }

    #[test]
    fn the_gini_gain_is_the_one_worked_out_by_hand() {
        let column = BinnedColumn { codes: vec![0, 0, 1, 2, 2], kind: Kind::Numbers(vec![1.0, 2.0]) };
        let (rule, _, gain) = found(&column, &lesson(&[0, 0, 0, 1, 1], 2), 1).unwrap();
        assert_eq!(rule, Rule::Numbers { low: 1, high: Some(2) });
        // 9 / 3 + 4 / 2 − (9 + 4) / 5
        assert!((gain - 2.4).abs() < 1e-12, "{gain}");
        let (rule, _, gain) = found(&column, &lesson(&[0, 0, 0, 1, 1], 2), 2).unwrap();
        assert!(matches!(rule, Rule::Numbers { low: 1, .. }) && gain > 0.0);
        assert!(found(&column, &lesson(&[0, 0, 0, 1, 1], 2), 3).is_none());
    }

    #[test]
    fn the_gain_in_variance_is_the_one_worked_out_by_hand() {
        let column = BinnedColumn { codes: vec![0, 1, 2], kind: Kind::Numbers(vec![1.0, 2.0]) };
        let (rule, _, gain) = found(&column, &Lesson::Numbers(vec![-1.0, -1.0, 2.0]), 1).unwrap();
        assert_eq!(rule, Rule::Numbers { low: 1, high: Some(2) });
        // 4 / 2 + 4 / 1 − 0
        assert!((gain - 6.0).abs() < 1e-12, "{gain}");
    }

    #[test]
    fn many_rows_and_few_are_counted_alike() {
        let codes: Vec<u8> = (0..200).map(|row| row % 7).collect();
        let classes: Vec<usize> = (0..200).map(|row| usize::from(row % 7 > 3)).collect();
        let column = |length: usize| BinnedColumn {
            codes: codes[..length].to_vec(),
            kind: Kind::Numbers((0..6).map(f64::from).collect()),
        };
        for length in [70, 200] {
            let (rule, _, _) = found(&column(length), &lesson(&classes[..length], 2), 1).unwrap();
            assert_eq!(rule, Rule::Numbers { low: 3, high: Some(4) }, "{length} rows");
        }
    }

    #[test]
    fn missing_values_and_categories_find_their_side() {
        let numbers = BinnedColumn { codes: vec![0, 1, 2, 2], kind: Kind::Numbers(vec![1.0]) };
        let (rule, missing_left, _) = found(&numbers, &lesson(&[1, 0, 1, 1], 2), 1).unwrap();
        assert_eq!((rule, missing_left), (Rule::Numbers { low: 0, high: Some(1) }, true));
        let (rule, missing_left, _) = found(&numbers, &lesson(&[0, 0, 1, 1], 2), 1).unwrap();
        assert_eq!((rule, missing_left), (Rule::Numbers { low: 1, high: None }, false));
        let categories = BinnedColumn { codes: vec![0, 1, 2, 3], kind: Kind::Categories(4) };
        let (rule, _, _) = found(&categories, &lesson(&[0, 1, 0, 1], 2), 1).unwrap();
        let Rule::Categories(set) = rule else { unreachable!("a categorical column") };
        assert_eq!(contains(&set, 0), contains(&set, 2));
        assert_ne!(contains(&set, 0), contains(&set, 1));
    }

    #[test]
    fn a_pure_node_knows_its_class() {
        let lesson = lesson(&[0, 1], 3);
        assert_eq!(only_class(&[2.0, 5.0, 0.0, 5.0, 0.0], &lesson), Some(1));
        assert_eq!(only_class(&[2.0, 5.0, 1.0, 4.0, 0.0], &lesson), None);
        assert_eq!(shares(&[2.0, 4.0, 1.0, 3.0, 0.0]), [0.25, 0.75, 0.0]);
    }
}
