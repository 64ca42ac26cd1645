//! What is to be learned: the columns that may be looked at, and the label of each row.

use std::collections::BTreeMap;

use crate::config::Task;
use crate::model::data::column::Column;
use crate::model::learn::learn_error::LearnError;

/// The label of each row of the data set.
#[derive(Debug, Clone, PartialEq)]
pub enum Labels {
    /// Classes. A row whose class is not learned has the code `usize::MAX`; such rows are never among those to learn from.
    Classes {
        /// For each row the index of its class.
        codes: Vec<usize>,
        /// How many classes there are.
        count: usize,
    },
    /// Numbers.
    Numbers(Vec<f64>),
}

/// What is to be learned.
#[derive(Debug, Clone)]
pub struct Problem<'a> {
    /// The columns that may be learned from.
    pub columns: Vec<&'a Column>,
    /// What is to be predicted.
    pub labels: Labels,
}

/// The labels of the rows that are learned from, in their order.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::model) enum Lesson {
    /// Classes, of which each occurs.
    Classes {
        /// For each row the place of its class among the known ones.
        codes: Vec<usize>,
        /// The classes that occur, ascending.
        known: Vec<usize>,
        /// How many classes the problem has.
        count: usize,
    },
    /// Numbers.
    Numbers(Vec<f64>),
}

impl Problem<'_> {
    /// What kind of problem it is.
    pub fn task(&self) -> Task {
        match self.labels {
            Labels::Classes { .. } => Task::Classification,
            Labels::Numbers(_) => Task::Regression,
        }
    }

    /// The labels of some rows.
    pub(in crate::model) fn lesson(&self, rows: &[usize]) -> Result<Lesson, LearnError> {
        match &self.labels {
            Labels::Numbers(numbers) => {
                let numbers: Vec<f64> = rows.iter().filter_map(|row| numbers.get(*row).copied()).collect();
                if numbers.len() == rows.len() { Ok(Lesson::Numbers(numbers)) } else { Err(LearnError::Unlabelled) }
            }
            Labels::Classes { codes, count } => {
                let mut places: BTreeMap<usize, usize> = BTreeMap::new();
                for row in rows {
                    let code = codes.get(*row).filter(|code| **code < *count).ok_or(LearnError::Unlabelled)?;
                    places.insert(*code, 0);
                }
                for (place, (_, of)) in places.iter_mut().enumerate() {
                    *of = place;
                }
                if places.len() < 2 {
                    return Err(LearnError::OneClass { rows: rows.len() });
                }
                let codes = rows.iter().filter_map(|row| places.get(codes.get(*row)?).copied()).collect();
                Ok(Lesson::Classes { codes, known: places.into_keys().collect(), count: *count })
            }
        }
    }
}

impl Lesson {
    /// How many classes occur; none for numbers.
    pub(in crate::model) fn classes(&self) -> usize {
        match self {
            Self::Classes { known, .. } => known.len(),
            Self::Numbers(_) => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Labels, Lesson, Problem};
    use crate::model::learn::learn_error::LearnError;

    fn problem(codes: &[usize]) -> Problem<'static> {
        Problem { columns: Vec::new(), labels: Labels::Classes { codes: codes.to_vec(), count: 4 } }
    }

    #[test]
    fn classes_that_do_not_occur_among_the_rows_are_left_out() {
        let lesson = problem(&[3, 0, 1, 3]).lesson(&[0, 1, 3]).unwrap();
        assert_eq!(lesson, Lesson::Classes { codes: vec![1, 0, 1], known: vec![0, 3], count: 4 });
    }

    #[test]
    fn one_class_and_rows_without_one_are_errors() {
        assert!(matches!(problem(&[3, 3]).lesson(&[0, 1]), Err(LearnError::OneClass { rows: 2 })));
        assert!(matches!(problem(&[0, usize::MAX]).lesson(&[0, 1]), Err(LearnError::Unlabelled)));
        assert!(matches!(problem(&[0, 1]).lesson(&[0, 1, 2]), Err(LearnError::Unlabelled)));
    }
}
