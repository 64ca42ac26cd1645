//! Random forests: many full trees, each from rows drawn with replacement, each question among a few columns drawn for it
//! (Breiman, *Random forests*, 2001). As in scikit-learn, columns in which the rows of a node do not differ are not counted
//! among the few, trees are full unless leaves have to have more rows than one, and probabilities are means of shares.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use crate::model::learn::fit::Stop;
use crate::model::learn::learn_error::LearnError;
use crate::model::learn::problem::Lesson;
use crate::model::learn::tree::bins::Binned;
use crate::model::learn::tree::draft::{Draft, DraftNode, Question, partition};
use crate::model::learn::tree::ensemble::Ensemble;
use crate::model::learn::tree::generator::Generator;
use crate::model::learn::tree::objective::moments;
use crate::model::learn::tree::portion;
use crate::model::learn::tree::tally::{Found, Sheet, Tally, mean, only_class, shares};

/// The hyper-parameters.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::model) struct Parameters {
    /// How many trees.
    pub trees: usize,
    /// The most questions to a leaf.
    pub depth: u32,
    /// The least rows of a leaf.
    pub leaf: u32,
    /// The share of columns that a question is looked for in.
    pub features: f64,
}

/// Learns. Trees are grown by several threads, and stand in their order all the same.
pub(in crate::model) fn forest(
    binned: &Binned,
    lesson: &Lesson,
    parameters: &Parameters,
    seed: u64,
    threads: usize,
    stop: &Stop<'_>,
) -> Result<Ensemble, LearnError> {
    let grove = Grove::new(binned, lesson, *parameters);
    let generator = Generator::new(seed);
    let (next, stopped) = (AtomicUsize::new(0), AtomicBool::new(false));
    let harvest = Mutex::new(Harvest::new(binned, grove.width(), grove.shared()));
    let work = || {
        loop {
            let tree = next.fetch_add(1, Ordering::Relaxed);
            if tree >= parameters.trees || stopped.load(Ordering::Relaxed) {
                return;
            }
            if stop() {
                stopped.store(true, Ordering::Relaxed);
                return;
            }
            let mut generator = generator.split(tree);
            let weights = bootstrap(binned.rows, &mut generator);
            let draft = grove.grow(&weights, generator);
            harvest.lock().unwrap_or_else(PoisonError::into_inner).take(tree, draft);
        }
    };
    thread::scope(|scope| {
        let helpers: Vec<_> = (1..threads.min(parameters.trees)).map(|_| scope.spawn(work)).collect();
        work();
        for helper in helpers {
            // A panic of a thread is one of its caller.
            helper.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        }
    });
    if stopped.into_inner() {
        return Err(LearnError::Stopped);
    }
    Ok(harvest.into_inner().unwrap_or_else(PoisonError::into_inner).ensemble)
}

/// Takes trees into an ensemble in their order, whichever is grown first. A draft is several times as large as what is kept
/// of it, so none waits for more than those before it: all drafts of many rows together would be larger than the data.
struct Harvest<'a> {
    binned: &'a Binned,
    shared: usize,
    ensemble: Ensemble,
    /// Trees that were grown before one that comes first.
    early: BTreeMap<usize, Draft>,
}

impl<'a> Harvest<'a> {
    fn new(binned: &'a Binned, width: usize, shared: usize) -> Self {
        Self { binned, shared, ensemble: Ensemble::new(width, shared > 0), early: BTreeMap::new() }
    }

    fn take(&mut self, tree: usize, draft: Draft) {
        self.early.insert(tree, draft);
        while let Some(draft) = self.early.remove(&self.ensemble.trees()) {
            self.ensemble.push(&draft, self.binned, self.shared);
        }
    }
}

/// How often each row is drawn when as many are drawn as there are.
fn bootstrap(rows: usize, generator: &mut Generator) -> Vec<u16> {
    let mut weights = vec![0_u16; rows];
    for _ in 0..rows {
        if let Some(weight) = weights.get_mut(generator.below(rows)) {
            *weight = weight.saturating_add(1);
        }
    }
    weights
}

/// What all trees grow from.
struct Grove<'a> {
    binned: &'a Binned,
    lesson: &'a Lesson,
    /// The numbers of the lesson, centred and scaled.
    numbers: Vec<f64>,
    parameters: Parameters,
}

/// A node that is still to be looked at.
struct Open {
    node: usize,
    rows: Range<usize>,
    depth: u32,
}

/// The buffers of a tree.
struct Growing<'a> {
    sheet: Sheet<'a>,
    weights: &'a [u16],
    columns: Vec<usize>,
    tally: Tally,
    generator: Generator,
    draft: Draft,
    aside: Vec<u32>,
}

impl<'a> Grove<'a> {
    fn new(binned: &'a Binned, lesson: &'a Lesson, parameters: Parameters) -> Self {
        let numbers = match lesson {
            Lesson::Classes { .. } => Vec::new(),
            Lesson::Numbers(numbers) => {
                let (centre, scale) = moments(numbers);
                numbers.iter().map(|number| (number - centre) / scale).collect()
            }
        };
        Self { binned, lesson, numbers, parameters }
    }

    /// How many numbers a leaf holds.
    fn width(&self) -> usize {
        self.lesson.classes().max(1)
    }

    /// Leaves of one class share their values.
    fn shared(&self) -> usize {
        self.lesson.classes()
    }

    fn grow(&self, weights: &[u16], generator: Generator) -> Draft {
        let mut order: Vec<u32> =
            (0_u32..).zip(weights).filter(|(_, weight)| **weight > 0).map(|(row, _)| row).collect();
        let mut growing = Growing {
            sheet: Sheet::new(self.lesson, &self.numbers, weights),
            weights,
            columns: (0..self.binned.columns.len()).collect(),
            tally: Tally::default(),
            generator,
            draft: Draft::root(),
            aside: Vec::new(),
        };
        let mut open = vec![Open { node: 0, rows: 0..order.len(), depth: 0 }];
        while let Some(here) = open.pop() {
            let Some(rows) = order.get_mut(here.rows.clone()) else { continue };
            let mut total = vec![0.0; growing.sheet.stride()];
            for row in rows.iter() {
                growing.sheet.add(*row, &mut total);
            }
            let question = self.question(&mut growing, rows, &total, here.depth);
            let column = question.and_then(|question| self.binned.columns.get(question.column));
            let (Some(question), Some(column)) = (question, column) else {
                self.close(&mut growing, here.node, rows, &total);
                continue;
            };
            let sides = question.sides(column.missing());
            let middle = here.rows.start + partition(rows, &column.codes, &sides, &mut growing.aside);
            let (left, right) = growing.draft.split(here.node, question);
            let depth = here.depth + 1;
            open.push(Open { node: right, rows: middle..here.rows.end, depth });
            open.push(Open { node: left, rows: here.rows.start..middle, depth });
        }
        growing.draft
    }

    /// Looks at columns in a random order until enough of those that differ have been seen and one has a question.
    fn question(&self, growing: &mut Growing<'_>, rows: &[u32], total: &[f64], depth: u32) -> Option<Question> {
        let leaf = self.parameters.leaf.max(1);
        let can_split = rows.len() / 2 >= leaf as usize && depth < self.parameters.depth;
        if !can_split || only_class(total, self.lesson).is_some() || self.is_constant(rows) {
            return None;
        }
        let enough = portion(self.parameters.features, growing.columns.len());
        let (mut seen, mut best): (usize, Option<Found>) = (0, None);
        for index in 0..growing.columns.len() {
            if seen >= enough && best.is_some() {
                break;
            }
            let other = index + growing.generator.below(growing.columns.len() - index);
            growing.columns.swap(index, other);
            let Some(&place) = growing.columns.get(index) else { break };
            let Some(column) = self.binned.columns.get(place) else { continue };
            let (found, differs) = growing.tally.best(column, place, &growing.sheet, rows, total, leaf);
            seen += usize::from(differs);
            if let Some(found) = found
                && best.as_ref().is_none_or(|best| found.gain > best.gain)
            {
                best = Some(found);
            }
        }
        best.map(|best| best.question)
    }

    /// Whether all rows have the same number.
    fn is_constant(&self, rows: &[u32]) -> bool {
        let Lesson::Numbers(numbers) = self.lesson else { return false };
        let mut numbers = rows.iter().filter_map(|row| numbers.get(*row as usize));
        let first = numbers.next();
        first.is_none_or(|first| numbers.all(|number| number.total_cmp(first).is_eq()))
    }

    /// Makes a node a leaf.
    fn close(&self, growing: &mut Growing<'_>, node: usize, rows: &[u32], total: &[f64]) {
        let own = self.shared() + growing.draft.values.len() / self.width();
        let place = match (self.lesson, only_class(total, self.lesson)) {
            (_, Some(class)) => class,
            (Lesson::Classes { .. }, None) => {
                growing.draft.values.extend(shares(total));
                own
            }
            (Lesson::Numbers(numbers), None) => {
                growing.draft.values.push(mean(numbers, growing.weights, rows));
                own
            }
        };
        growing.draft.set(node, DraftNode::Leaf(place));
    }
}

#[cfg(test)]
mod tests {
    use super::{Draft, Ensemble, Grove, Harvest, Parameters, bootstrap, forest};
    use crate::model::learn::problem::Lesson;
    use crate::model::learn::tree::bins::{Binned, BinnedColumn, Kind};
    use crate::model::learn::tree::generator::Generator;

    const PARAMETERS: Parameters = Parameters { trees: 7, depth: u32::MAX, leaf: 1, features: 0.5 };

    fn binned(rows: u8) -> Binned {
        let column = |step: u8| BinnedColumn {
            codes: (0..rows).map(|row| row.wrapping_mul(step) % rows).collect(),
            kind: Kind::Numbers((1..rows).map(|edge| f64::from(edge) - 0.5).collect()),
        };
        Binned { columns: vec![column(1), column(7), column(11)], rows: usize::from(rows) }
    }

    #[test]
    fn a_full_tree_says_of_each_row_what_it_learned() {
        let binned = binned(100);
        let numbers: Vec<f64> = (0..100).map(|row| f64::from(row * row % 37)).collect();
        let lesson = Lesson::Numbers(numbers.clone());
        let draft = Grove::new(&binned, &lesson, PARAMETERS).grow(&[1; 100], Generator::new(1));
        for (row, number) in (0..100).zip(&numbers) {
            assert!((draft.values[draft.place(&binned, row)] - number).abs() < 1e-12, "row {row}");
        }
        let codes: Vec<usize> = (0..100).map(|row| row * row % 3).collect();
        let lesson = Lesson::Classes { codes: codes.clone(), known: vec![0, 1, 2], count: 3 };
        let draft = Grove::new(&binned, &lesson, PARAMETERS).grow(&[1; 100], Generator::new(1));
        for (row, code) in (0..100).zip(&codes) {
            assert_eq!(draft.place(&binned, row), *code, "row {row}");
        }
    }

    #[test]
    fn raw_numbers_are_answered_as_their_bins_even_of_rows_that_were_not_drawn() {
        let binned = binned(100);
        let lesson = Lesson::Numbers((0..100).map(|row| f64::from(row * row % 37)).collect());
        let weights: Vec<u16> = (0..100).map(|row| row % 3 % 2).collect();
        let grove = Grove::new(&binned, &lesson, PARAMETERS);
        let draft = grove.grow(&weights, Generator::new(1));
        let mut ensemble = Ensemble::new(grove.width(), grove.shared() > 0);
        ensemble.push(&draft, &binned, grove.shared());
        for row in 0..100 {
            // The edges lie half way between whole numbers, which are the bins.
            let raw: Vec<f64> = binned.columns.iter().map(|column| f64::from(column.code(row))).collect();
            let mut sums = [0.0];
            ensemble.accumulate(&raw, 3, &mut sums, 1);
            assert!((sums[0] - draft.values[draft.place(&binned, row)]).abs() < 1e-12, "row {row}");
        }
    }

    #[test]
    fn leaves_keep_to_depth_and_rows() {
        let binned = binned(100);
        let lesson = Lesson::Numbers((0..100).map(f64::from).collect());
        let grow = |parameters| Grove::new(&binned, &lesson, parameters).grow(&[1; 100], Generator::new(1));
        assert_eq!(grow(Parameters { depth: 0, ..PARAMETERS }).nodes.len(), 1);
        assert!(grow(Parameters { depth: 2, ..PARAMETERS }).nodes.len() <= 7);
        let draft = grow(Parameters { leaf: 30, ..PARAMETERS });
        let mut rows = vec![0; draft.values.len()];
        for row in 0..100 {
            rows[draft.place(&binned, row)] += 1;
        }
        assert!(rows.iter().all(|rows| *rows >= 30), "{rows:?}");
    }

    #[test]
    fn a_drawn_sample_is_as_large_as_the_rows_and_leaves_out_a_third() {
        let weights = bootstrap(10_000, &mut Generator::new(4));
        assert_eq!(weights.iter().map(|weight| usize::from(*weight)).sum::<usize>(), 10_000);
        let missed = weights.iter().filter(|weight| **weight == 0).count();
        assert!((3_500..3_900).contains(&missed), "{missed}");
    }

    #[test]
    fn a_grown_tree_waits_only_for_those_before_it() {
        let binned = binned(10);
        let mut harvest = Harvest::new(&binned, 1, 0);
        for (tree, waiting) in [(1, 1), (2, 2), (0, 0), (3, 0)] {
            harvest.take(tree, Draft { values: vec![0.5], ..Draft::root() });
            assert_eq!(harvest.early.len(), waiting, "tree {tree}");
        }
        assert_eq!(harvest.ensemble.trees(), 4);
    }

    #[test]
    fn threads_change_nothing() {
        let binned = binned(200);
        let codes = (0..200).map(|row| row * row % 5 % 3).collect();
        let lesson = Lesson::Classes { codes, known: vec![0, 1, 2], count: 3 };
        let grow = |threads| forest(&binned, &lesson, &PARAMETERS, 9, threads, &|| false).unwrap();
        assert_eq!(grow(1), grow(2));
        assert_eq!(grow(1), grow(4));
        assert!(grow(1).is_sound(3));
        assert_eq!(grow(1).trees(), 7);
    }

    #[test]
    fn it_stops_when_it_is_told_to() {
        let lesson = Lesson::Numbers((0..100).map(f64::from).collect());
        assert!(forest(&binned(100), &lesson, &PARAMETERS, 9, 2, &|| true).is_err());
    }
}
