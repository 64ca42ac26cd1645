//! The last records that were asked for and answered, kept by their bins: what live shares are counted from.
//!
//! To take a record in is a few additions, so that the lock around a window is held for microseconds; finding the bins,
//! which costs more, is done before ([`Reference::place`]).

use super::{Reference, count, stability_index};
use crate::model::number::share;

/// The index looks at so many of the last records, unless told otherwise.
pub const WINDOW_RECORDS: usize = 1_000;
/// Of fewer records the index would be noise, so there is none, unless told otherwise.
pub const MINIMUM_RECORDS: usize = 100;

/// How many records are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WindowSettings {
    /// The most records, one at least.
    pub records: usize,
    /// Before so many were seen there is no index.
    pub minimum: usize,
}

impl Default for WindowSettings {
    fn default() -> Self {
        Self { records: WINDOW_RECORDS, minimum: MINIMUM_RECORDS }
    }
}

/// The last records, by bins.
#[derive(Debug)]
pub struct Window {
    settings: WindowSettings,
    /// Places a record.
    width: usize,
    /// The places of each record one after the other; once it is full, the next record stands over the oldest one.
    ring: Vec<u16>,
    /// The record that is written next.
    next: usize,
    /// For each feature, and at the end for the answers, how many records are in each bin.
    counts: Vec<Vec<usize>>,
}

/// How far the window is from the reference.
#[derive(Debug, Clone, PartialEq)]
pub struct Drift {
    /// Records in the window.
    pub records: usize,
    /// Before there are so many, there is no index.
    pub minimum: usize,
    /// The index of each feature, in their order; `None` while there are too few records.
    pub features: Option<Vec<f64>>,
    /// The index of what was answered; `None` also where the reference has no predictions.
    pub prediction: Option<f64>,
}

impl Window {
    /// An empty window.
    pub fn new(reference: &Reference, settings: WindowSettings) -> Self {
        let answers = reference.predictions.as_ref().map_or(0, |predictions| predictions.shares().len());
        let bins = reference.features.iter().map(|feature| feature.shares.len()).chain([answers]);
        Self {
            settings: WindowSettings { records: settings.records.max(1), ..settings },
            width: reference.width(),
            ring: Vec::new(),
            next: 0,
            counts: bins.map(|bins| vec![0; bins]).collect(),
        }
    }

    /// Takes records in, by their places one after the other, and lets the oldest go.
    pub(in crate::model) fn record(&mut self, places: &[u16]) {
        // Of a batch that is larger than the window only the end will be in it.
        let most = self.settings.records.saturating_mul(self.width);
        let places = places.get(places.len().saturating_sub(most)..).unwrap_or_default();
        for record in places.chunks_exact(self.width) {
            self.take(record);
        }
    }

    fn take(&mut self, record: &[u16]) {
        let start = self.next * self.width;
        if let Some(oldest) = self.ring.get_mut(start..start + self.width) {
            for ((counts, old), new) in self.counts.iter_mut().zip(oldest).zip(record) {
                if let Some(count) = counts.get_mut(usize::from(*old)) {
                    *count = count.saturating_sub(1);
                }
                *old = *new;
            }
        } else {
            self.ring.extend_from_slice(record);
        }
        for (counts, place) in self.counts.iter_mut().zip(record) {
            count(counts, usize::from(*place));
        }
        self.next = (self.next + 1) % self.settings.records;
    }

    /// How far what is in it is from `reference`, which is the one that it was made for.
    pub fn drift(&self, reference: &Reference) -> Drift {
        let records = self.ring.len() / self.width;
        let minimum = self.settings.minimum;
        if records < minimum {
            return Drift { records, minimum, features: None, prediction: None };
        }
        let index = |shares: &[f64], counts: &[usize]| {
            let live: Vec<f64> = counts.iter().map(|count| share(*count, records)).collect();
            stability_index(shares, &live)
        };
        let features =
            reference.features.iter().zip(&self.counts).map(|(feature, counts)| index(&feature.shares, counts));
        let prediction =
            reference.predictions.as_ref().zip(self.counts.last()).map(|(known, counts)| index(known.shares(), counts));
        Drift { records, minimum, features: Some(features.collect()), prediction }
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use proptest::prelude::*;

    use super::super::tests::{data, reference};
    use super::{MINIMUM_RECORDS, Reference, WINDOW_RECORDS, Window, WindowSettings};
    use crate::model::data::cell::Cell;
    use crate::model::data::dataset::DataSet;
    use crate::model::learn::predictor::Output;

    /// All rows of the data, with an answer that follows from the row.
    fn places(reference: &Reference, data: &DataSet) -> Vec<u16> {
        let mut places = Vec::new();
        for row in 0..data.rows() {
            let cells: Vec<Cell<'_>> = data.columns.iter().map(|column| column.cell(row)).collect();
            reference.place(&cells, &answer(row), &mut places);
        }
        places
    }

    fn answer(row: usize) -> Output {
        Output::Probabilities(if row.is_multiple_of(4) { vec![0.9, 0.1] } else { vec![0.2, 0.8] })
    }

    fn with_predictions(data: &DataSet) -> Reference {
        let outputs: Vec<Output> = (0..data.rows()).map(answer).collect();
        reference(data).with_predictions(&outputs)
    }

    fn missing(reference: &Reference, records: usize) -> Vec<u16> {
        let mut places = Vec::new();
        for _ in 0..records {
            reference.place(&[Cell::Missing, Cell::Missing], &Output::Probabilities(vec![1.0, 0.0]), &mut places);
        }
        places
    }

    #[test]
    fn the_training_rows_themselves_have_not_moved() {
        let data = data();
        let reference = with_predictions(&data);
        let mut window = Window::new(&reference, WindowSettings::default());
        window.record(&places(&reference, &data));
        let drift = window.drift(&reference);
        assert_eq!(drift.records, 500);
        assert!(drift.features.unwrap().iter().chain(&drift.prediction).all(|index| index.abs() < 1e-9));
    }

    #[test]
    fn shifted_numbers_unknown_categories_and_other_answers_are_seen() {
        let reference = with_predictions(&data());
        let mut window = Window::new(&reference, WindowSettings::default());
        let mut places = Vec::new();
        for row in 0..200 {
            let cells = [Cell::Number(300.0 + f64::from(row)), Cell::Text(Cow::Borrowed("z"))];
            reference.place(&cells, &Output::Probabilities(vec![0.7, 0.3]), &mut places);
        }
        window.record(&places);
        let drift = window.drift(&reference);
        for index in drift.features.unwrap().into_iter().chain(drift.prediction) {
            assert!(index > 0.25, "{index}");
        }
    }

    #[test]
    fn there_is_no_value_before_the_minimum() {
        let reference = with_predictions(&data());
        let mut window = Window::new(&reference, WindowSettings::default());
        window.record(&missing(&reference, MINIMUM_RECORDS - 1));
        assert_eq!(window.drift(&reference).features, None);
        window.record(&missing(&reference, 1));
        assert!(window.drift(&reference).prediction.is_some());
    }

    #[test]
    fn a_reference_without_predictions_has_no_drift_of_them() {
        let reference = reference(&data());
        let mut window = Window::new(&reference, WindowSettings::default());
        window.record(&missing(&reference, MINIMUM_RECORDS));
        let drift = window.drift(&reference);
        assert!(drift.features.is_some() && drift.prediction.is_none());
    }

    #[test]
    fn old_records_leave_the_window() {
        let data = data();
        let reference = with_predictions(&data);
        let mut window = Window::new(&reference, WindowSettings::default());
        window.record(&missing(&reference, WINDOW_RECORDS + 17));
        for _ in 0..2 {
            window.record(&places(&reference, &data));
        }
        assert!(window.drift(&reference).features.unwrap().iter().all(|index| index.abs() < 1e-9));
    }

    proptest! {
        /// However the records come, one by one or in batches of any size, the window is that of the last ones.
        #[test]
        fn the_window_is_what_came_last(batches in prop::collection::vec(0_usize..30, 1..12), records in 1_usize..25) {
            let data = data();
            let reference = with_predictions(&data);
            let all = places(&reference, &data);
            let settings = WindowSettings { records, minimum: 1 };
            let mut window = Window::new(&reference, settings);
            let mut sent = 0;
            for batch in batches {
                window.record(&all[sent * reference.width()..(sent + batch) * reference.width()]);
                sent += batch;
            }
            let mut last = Window::new(&reference, settings);
            last.record(&all[sent.saturating_sub(records) * reference.width()..sent * reference.width()]);
            prop_assert_eq!(window.drift(&reference), last.drift(&reference));
            prop_assert_eq!(window.drift(&reference).records, sent.min(records));
        }
    }
}
