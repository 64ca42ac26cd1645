//! A second model beside the served one: it predicts the same records on a thread of its own, and only how far the two
//! differ is told. Its answers never reach a client.
//!
//! The queue to it is bounded by records. When it cannot follow, records are dropped and counted: the served model never
//! waits for its shadow.

use std::fmt::{self, Write as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use tokio::sync::mpsc;
use tokio::task::spawn_blocking;

use crate::model::data::cell::Cell;
use crate::model::drift::PredictionReference;
use crate::model::learn::predictor::{Output, most_probable};
use crate::model::learn::preprocess::Encoding;
use crate::model::served_model::ServedModel;
use crate::model::server::histogram::Histogram;
use crate::model::server::page::{escaped, heading};
use crate::model::server::served::Served;
use crate::model::server::table::Table;
use crate::model::training::task_name;

/// Records that wait for the shadow at most.
const MOST_WAITING: usize = 20_000;
/// Upper bounds of the histogram of differences between probabilities.
const PROBABILITIES: [f64; 7] = [0.001, 0.01, 0.05, 0.1, 0.2, 0.5, 0.9];

/// Why a model cannot stand in the shadow of another.
#[derive(Debug, thiserror::Error)]
pub enum ShadowError {
    /// One gives classes, the other numbers.
    #[error("the shadow model is for {shadow}, the served one for {served}; they cannot be compared")]
    Task {
        /// What the shadow is for.
        shadow: &'static str,
        /// What the served model is for.
        served: &'static str,
    },
    /// Records do not hold what it needs.
    #[error("the shadow model needs the column \"{0}\", which records for the served one need not have")]
    Column(String),
    /// Numbers in one, texts in the other.
    #[error("the column \"{0}\" is numeric for one of the two models and categorical for the other")]
    Kind(String),
}

/// A model that fits into the shadow of another.
#[derive(Debug)]
pub struct ShadowModel {
    shadow: Served,
    /// For each of its features the place among those of the served model.
    places: Vec<usize>,
    /// For each class of the served model that of the shadow, if it knows it.
    classes: Vec<Option<usize>>,
    /// Bounds for differences between numbers.
    bounds: Vec<f64>,
}

impl ShadowModel {
    /// Checks that `shadow` can predict what `served` is asked.
    pub fn beside(served: &ServedModel, shadow: ServedModel) -> Result<Self, ShadowError> {
        if served.task() != shadow.task() {
            return Err(ShadowError::Task { shadow: task_name(shadow.task()), served: task_name(served.task()) });
        }
        let mut places = Vec::new();
        for feature in shadow.features() {
            let place = served.features().iter().position(|other| other.name == feature.name);
            let Some((place, other)) = place.and_then(|place| Some((place, served.features().get(place)?))) else {
                return Err(ShadowError::Column(feature.name.clone()));
            };
            let is_number = |encoding: &Encoding| matches!(encoding, Encoding::Numeric { .. });
            if is_number(&feature.encoding) != is_number(&other.encoding) {
                return Err(ShadowError::Kind(feature.name.clone()));
            }
            places.push(place);
        }
        let place_of = |class: &String| shadow.classes().iter().position(|other| other == class);
        let classes: Vec<Option<usize>> = served.classes().iter().map(place_of).collect();
        let bounds = if classes.is_empty() { spread(served) } else { PROBABILITIES.to_vec() };
        Ok(Self { shadow: Served::new(shadow), places, classes, bounds })
    }

    /// What it says; `None` where it cannot say anything.
    fn predict(&self, cells: &[Cell<'_>]) -> Option<Output> {
        let own: Vec<Cell<'_>> =
            self.places.iter().map(|place| cells.get(*place).cloned().unwrap_or(Cell::Missing)).collect();
        self.shadow.outputs(&[&own]).ok()?.pop()
    }

    /// Whether both say the same class (`None` for numbers), and how far they are apart.
    fn compare(&self, served: &Output, shadow: &Output) -> (Option<bool>, f64) {
        match (served, shadow) {
            (Output::Probabilities(ours), Output::Probabilities(theirs)) => {
                let class = most_probable(ours);
                let other = self.classes.get(class).copied().flatten();
                let probability = other.and_then(|other| theirs.get(other)).copied().unwrap_or(0.0);
                let agree = other == Some(most_probable(theirs));
                (Some(agree), (ours.get(class).copied().unwrap_or(0.0) - probability).abs())
            }
            (Output::Value(ours), Output::Value(theirs)) => (None, (ours - theirs).abs()),
            (Output::Probabilities(_), Output::Value(_)) | (Output::Value(_), Output::Probabilities(_)) => (None, 0.0),
        }
    }
}

/// Bounds that fit the numbers a model gives: shares of the distance between its lowest and its highest decile.
fn spread(served: &ServedModel) -> Vec<f64> {
    let edges = served.reference().predictions.as_ref().map_or(&[][..], PredictionReference::edges);
    match (edges.first(), edges.last()) {
        (Some(first), Some(last)) if last > first => {
            [0.01, 0.05, 0.1, 0.2, 0.5, 1.0].map(|share| share * (last - first)).to_vec()
        }
        _ => Vec::new(),
    }
}

/// A shadow at work.
#[derive(Debug)]
pub(in crate::model) struct Shadow {
    queue: mpsc::UnboundedSender<Batch>,
    counts: Arc<Counts>,
    digest: String,
}

#[derive(Debug)]
struct Batch {
    table: Table<'static>,
    outputs: Vec<Output>,
}

#[derive(Debug)]
struct Counts {
    has_classes: bool,
    waiting: AtomicUsize,
    agreed: AtomicU64,
    differed: AtomicU64,
    dropped: AtomicU64,
    differences: Histogram,
}

impl Shadow {
    /// Starts its thread, which ends when the server does. Needs the runtime.
    pub(in crate::model) fn start(model: ShadowModel) -> Self {
        let counts = Arc::new(Counts::new(&model));
        let digest = model.shadow.digest().short().to_owned();
        let (queue, batches) = mpsc::unbounded_channel::<Batch>();
        let counting = Arc::clone(&counts);
        spawn_blocking(move || follow(&model, batches, &counting));
        Self { queue, counts, digest }
    }

    /// The digest of its model, shortened.
    pub(in crate::model) fn digest(&self) -> &str {
        &self.digest
    }

    /// Hands over what was asked and answered, if the shadow can follow.
    pub(in crate::model) fn offer(&self, table: Table<'_>, outputs: Vec<Output>) {
        let records = outputs.len();
        let waiting = self.counts.waiting.fetch_add(records, Ordering::Relaxed);
        let has_room = waiting == 0 || waiting + records <= MOST_WAITING;
        if !has_room || self.queue.send(Batch { table: table.into_owned(), outputs }).is_err() {
            self.counts.waiting.fetch_sub(records, Ordering::Relaxed);
            self.counts.dropped.fetch_add(records as u64, Ordering::Relaxed);
        }
    }

    pub(in crate::model) fn render(&self, text: &mut String) -> fmt::Result {
        let counts = &self.counts;
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        heading(text, "shadow_info", "gauge", "The model in the shadow; always 1.")?;
        writeln!(text, "shadow_info{{model=\"{}\"}} 1", escaped(&self.digest))?;
        if counts.has_classes {
            let help = "Records by whether the shadow model gave the class that was answered.";
            heading(text, "shadow_agreement_total", "counter", help)?;
            writeln!(text, "shadow_agreement_total{{agree=\"true\"}} {}", read(&counts.agreed))?;
            writeln!(text, "shadow_agreement_total{{agree=\"false\"}} {}", read(&counts.differed))?;
        }
        let help = "Absolute difference between the two models: of the number, or of the probability of the class that \
                    was answered.";
        heading(text, "shadow_difference", "histogram", help)?;
        counts.differences.render(text, "shadow_difference")?;
        heading(text, "shadow_dropped_total", "counter", "Records for which the shadow model had no time.")?;
        writeln!(text, "shadow_dropped_total {}", read(&counts.dropped))
    }
}

/// Predicts what comes until the server ends. What waits then is let go, as the server's process waits for this thread.
fn follow(model: &ShadowModel, mut batches: mpsc::UnboundedReceiver<Batch>, counts: &Counts) {
    while let Some(batch) = batches.blocking_recv() {
        for (cells, output) in batch.table.rows().zip(&batch.outputs) {
            if batches.is_closed() {
                return;
            }
            match model.predict(cells) {
                Some(other) => counts.add(model.compare(output, &other)),
                None => {
                    counts.dropped.fetch_add(1, Ordering::Relaxed);
                }
            }
        }
        counts.waiting.fetch_sub(batch.outputs.len(), Ordering::Relaxed);
    }
}

impl Counts {
    fn new(model: &ShadowModel) -> Self {
        Self {
            has_classes: !model.classes.is_empty(),
            waiting: AtomicUsize::new(0),
            agreed: AtomicU64::new(0),
            differed: AtomicU64::new(0),
            dropped: AtomicU64::new(0),
            differences: Histogram::new(&model.bounds),
        }
    }

    fn add(&self, (agree, difference): (Option<bool>, f64)) {
        match agree {
            Some(true) => self.agreed.fetch_add(1, Ordering::Relaxed),
            Some(false) => self.differed.fetch_add(1, Ordering::Relaxed),
            None => 0,
        };
        self.differences.observe(difference);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering;

    use tokio::sync::mpsc;

    use super::{Batch, Cell, Counts, Output, ShadowError, ShadowModel, Table, follow};
    use crate::model::samples;
    use crate::model::served_model::ServedModel;

    #[test]
    fn equal_models_agree_and_the_difference_is_that_of_the_answered_class() {
        let shadow = ShadowModel::beside(&samples::model().into(), samples::model().into()).unwrap();
        let (ours, theirs) = (Output::Probabilities(vec![0.75, 0.25]), Output::Probabilities(vec![0.25, 0.75]));
        assert_eq!(shadow.compare(&ours, &ours), (Some(true), 0.0));
        assert_eq!(shadow.compare(&ours, &theirs), (Some(false), 0.5));
    }

    #[test]
    fn what_still_waits_when_the_server_ends_is_let_go() {
        let shadow = ShadowModel::beside(&samples::model().into(), samples::model().into()).unwrap();
        let (queue, batches) = mpsc::unbounded_channel();
        let mut table = Table::new(3);
        table.extend([Cell::Number(2.5), Cell::Number(5.5), Cell::Text("red".into())]);
        assert!(queue.send(Batch { table, outputs: vec![Output::Probabilities(vec![1.0, 0.0])] }).is_ok());
        drop(queue);
        let counts = Counts::new(&shadow);
        follow(&shadow, batches, &counts);
        assert_eq!((counts.agreed.load(Ordering::Relaxed), counts.differed.load(Ordering::Relaxed)), (0, 0));
    }

    #[test]
    fn a_model_of_another_task_or_with_further_columns_is_refused() {
        assert!(matches!(
            ShadowModel::beside(&samples::model().into(), samples::regression().into()),
            Err(ShadowError::Task { .. })
        ));
        let narrow = ServedModel::from(samples::model_without("width"));
        assert!(matches!(
            ShadowModel::beside(&narrow, samples::model().into()),
            Err(ShadowError::Column(column)) if column == "width"
        ));
        assert!(ShadowModel::beside(&samples::model().into(), narrow).is_ok());
    }
}
