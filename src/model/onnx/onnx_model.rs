//! A model that somebody else trained: a graph in `model.onnx`, with what `model.toml` says of it.

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::classes::Classes;
use super::features::{Slot, Slots};
use super::graph::{self, Graph};
use super::onnx_error::{OnnxError, RunError};
use super::plan::{Plan, Source};
use super::reference::Rows;
use super::scores::gives_scores;
use super::settings::{Settings, wrong};
use super::{operators, text, value_types};
use crate::api::types::CardFeature;
use crate::config::Task;
use crate::disk::digest_folder_without;
use crate::model::data::cell::Cell;
use crate::model::data::column::ColumnKind;
use crate::model::data::record::{FieldProblem, PredictError};
use crate::model::drift::Reference;
use crate::model::evaluate::Metrics;
use crate::model::learn::predictor::Output;
use crate::model::learn::preprocess::{Encoding, Feature, Preprocessing};
use crate::model::records::RECORDS;
use crate::pipeline::Digest;

/// The file of the graph, in the folder of the model.
pub const ONNX_FILE: &str = "model.onnx";
/// The word for what learned it, as the graph does not say.
pub(in crate::model) const ALGORITHM: &str = "onnx";
/// How many records are run at once.
const BLOCK: usize = 1_024;
/// A graph that takes longer for one record is not run where other requests wait: a small request may hold some hundreds.
const QUICK: Duration = Duration::from_micros(200);

/// A graph that is served.
#[derive(Debug)]
pub struct OnnxModel {
    plan: Plan,
    slots: Slots,
    features: Vec<Feature>,
    cards: Vec<CardFeature>,
    task: Task,
    target: String,
    classes: Classes,
    /// Whether its numbers are known to be no probabilities.
    gives_scores: bool,
    ignored: Vec<String>,
    /// Empty where there are no rows.
    reference: Reference,
    is_measured: bool,
    metrics: Metrics,
    digest: Digest,
    is_slow: bool,
}

impl OnnxModel {
    /// Reads what is in the folder, and tries it once.
    pub fn load(folder: &Path) -> Result<Self, OnnxError> {
        let settings = Settings::read(folder)?;
        let file = folder.join(ONNX_FILE);
        let onnx = operators::runtime();
        let model = graph::read(&file, &onnx)?;
        // Weights may lie beside the graph, and model.toml says what its numbers mean: all of it is the model.
        let digest = digest_folder_without(folder, &RECORDS).map_err(|source| OnnxError::File { file, source })?;
        let mut graph = graph::cut(model, settings.output.as_deref(), &onnx)?;
        let inputs = value_types::inputs(&graph.nodes)?;
        let vocabulary = text::to_codes(&mut graph.nodes)?;
        let slots = Slots::new(&inputs, &vocabulary, &settings)?;
        if slots.slots.is_empty() {
            return Err(OnnxError::Output { reason: "what is served depends on no input".to_owned() });
        }
        let gives_scores = gives_scores(&graph.nodes);
        let one_row = inputs.iter().any(|input| input.one_row);
        let Outline { unused, classes, is_classifier } = Outline::of(&mut graph);
        let sample = slots.sample();
        let model = graph.into_model();
        let source = Source { onnx: &onnx, model: &model, folder };
        let (plan, width) =
            Plan::new(&source, &slots.inputs, one_row, &sample).map_err(|reason| OnnxError::Unusable { reason })?;
        let (task, classes) = meaning(&settings, classes, is_classifier, width)?;
        let is_slow = {
            let started = Instant::now();
            // That it runs is known; here it is only timed.
            let _ = plan.run(&sample, 2);
            started.elapsed() > QUICK * 2
        };
        let features: Vec<Feature> = slots.slots.iter().map(feature).collect();
        let cards = features.iter().map(card).collect();
        let target = settings.target.clone().unwrap_or_else(|| "prediction".to_owned());
        let mut ignored = unused;
        ignored.push(target.clone());
        let mut model = Self {
            plan,
            slots,
            features,
            cards,
            task,
            target,
            classes,
            gives_scores,
            ignored,
            reference: Reference { features: Vec::new(), predictions: None },
            is_measured: false,
            metrics: Metrics::default(),
            digest,
            is_slow,
        };
        if let Some(name) = &settings.reference {
            model.measure(&folder.join(name))?;
        }
        Ok(model)
    }

    /// Learns from rows what is usual, and how good the graph is on them.
    fn measure(&mut self, file: &Path) -> Result<(), OnnxError> {
        let rows = Rows::read(file, &self.features)?;
        rows.describe(&mut self.features);
        self.cards = self.features.iter().map(CardFeature::from).collect();
        for name in rows.others() {
            if !self.ignored.iter().any(|ignored| ignored == name) {
                self.ignored.push(name.to_owned());
            }
        }
        let cells = rows.cells();
        let refs: Vec<&[Cell<'_>]> = cells.iter().map(Vec::as_slice).collect();
        let outputs = self
            .outputs(&refs)
            .map_err(|error| wrong("reference", &format!("names rows that the graph cannot predict: {error}")))?;
        self.metrics = rows.metrics(&self.target, &self.classes.names, &outputs);
        let preprocessing = Preprocessing { features: self.features.clone() };
        let reference = Reference::fit(&preprocessing, &rows.columns(), &rows.all());
        self.reference = reference.with_predictions(&outputs);
        self.is_measured = true;
        Ok(())
    }

    /// What it says of rows, one cell a feature in their order.
    pub fn outputs(&self, rows: &[&[Cell<'_>]]) -> Result<Vec<Output>, RunError> {
        let mut outputs = Vec::with_capacity(rows.len());
        for (block, rows) in rows.chunks(BLOCK).enumerate() {
            let first = block * BLOCK;
            let values =
                self.slots.values(rows).map_err(|(row, problem)| PredictError { record: first + row, problem })?;
            let answers = self.plan.run(&values, rows.len()).map_err(RunError::Runtime)?;
            for (row, (numbers, cells)) in answers.numbers.chunks(answers.width.max(1)).zip(rows).enumerate() {
                outputs.push(self.output(numbers).ok_or_else(|| self.no_answer(first + row, cells))?);
            }
        }
        Ok(outputs)
    }

    /// `None` where the graph gave no number.
    fn output(&self, numbers: &[f64]) -> Option<Output> {
        if numbers.iter().any(|number| !number.is_finite()) {
            return None;
        }
        match self.task {
            Task::Regression => numbers.first().map(|number| Output::Value(*number)),
            Task::Classification => Some(Output::Probabilities(probabilities(numbers, self.gives_scores))),
        }
    }

    /// Most graphs without an answer could do nothing with a value that is not there.
    fn no_answer(&self, record: usize, cells: &[Cell<'_>]) -> RunError {
        let missing = self.features.iter().zip(cells).find(|(_, cell)| **cell == Cell::Missing);
        match missing {
            Some((feature, _)) => RunError::Record(PredictError {
                record,
                problem: FieldProblem::WrongType {
                    field: feature.name.clone(),
                    expected: "a value, as the graph gives no answer without it",
                    found: "null".to_owned(),
                },
            }),
            None => RunError::Runtime(format!("it gave no finite number for record {record}")),
        }
    }

    /// The columns it needs, in order.
    pub(in crate::model) fn features(&self) -> &[Feature] {
        &self.features
    }

    /// The same for people.
    pub(in crate::model) fn feature_cards(&self) -> &[CardFeature] {
        &self.cards
    }

    /// Classes or numbers.
    pub fn task(&self) -> Task {
        self.task
    }

    /// The column that it predicts.
    pub fn target(&self) -> &str {
        &self.target
    }

    /// The classes in the order of the probabilities; none for a regression.
    pub fn classes(&self) -> &[String] {
        &self.classes.names
    }

    /// Whether the classes are integers.
    pub fn integer_classes(&self) -> bool {
        self.classes.are_integers
    }

    /// Columns that may be sent and are not needed.
    pub(in crate::model) fn ignored(&self) -> &[String] {
        &self.ignored
    }

    /// How its reference rows are spread; empty without such rows.
    pub fn reference(&self) -> &Reference {
        &self.reference
    }

    /// Whether there are reference rows.
    pub fn is_measured(&self) -> bool {
        self.is_measured
    }

    /// How good it is on its reference rows.
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// The digest of the folder: of the graph and of what lies beside it.
    pub fn digest(&self) -> &Digest {
        &self.digest
    }

    /// Whether one record takes long.
    pub(in crate::model) fn is_slow(&self) -> bool {
        self.is_slow
    }

    /// What a card says, for who asks for the card of such a model.
    pub fn describe(&self) -> Value {
        json!({
            "algorithm": ALGORITHM,
            "task": self.task,
            "target": self.target,
            "features": self.cards,
            "ignored": self.ignored,
            "classes": self.classes.names,
            "integer_classes": self.classes.are_integers,
            "metrics": self.metrics,
            "notes": self.notes(),
        })
    }

    fn notes(&self) -> Vec<&'static str> {
        if self.is_measured {
            vec!["metrics are measured on the reference rows of model.toml"]
        } else {
            vec!["without `reference` in model.toml, drift is not measured"]
        }
    }
}

/// What a graph says of what it gives, taken out before the runtime takes the rest.
struct Outline {
    unused: Vec<String>,
    classes: Option<Classes>,
    is_classifier: bool,
}

impl Outline {
    fn of(graph: &mut Graph) -> Self {
        Self {
            unused: std::mem::take(&mut graph.unused),
            classes: graph.classes.take(),
            is_classifier: graph.is_classifier,
        }
    }
}

/// What the numbers of an answer mean.
fn meaning(
    settings: &Settings,
    found: Option<Classes>,
    is_classifier: bool,
    width: usize,
) -> Result<(Task, Classes), OnnxError> {
    let says_classes = is_classifier || settings.classes.is_some() || width > 1;
    let task = settings.task.unwrap_or(if says_classes { Task::Classification } else { Task::Regression });
    let none = Classes { names: Vec::new(), are_integers: false };
    if task == Task::Regression {
        return if width == 1 {
            Ok((task, none))
        } else {
            Err(OnnxError::Output { reason: format!("a record gets {width} numbers; of a regression, one is served") })
        };
    }
    let fits = |classes: &Classes| classes.names.len() == width || (width == 1 && classes.names.len() == 2);
    match settings.classes.clone().map(Classes::from) {
        Some(classes) if fits(&classes) => Ok((task, classes)),
        Some(classes) => {
            let given = classes.names.len();
            Err(wrong(
                "classes",
                &format!("has {given} classes, the graph gives {width} probabilities; give one for each"),
            ))
        }
        None => match found.filter(fits) {
            Some(classes) => Ok((task, classes)),
            None => Err(OnnxError::Lacking {
                what: format!("what its {width} classes are called"),
                key: "classes = [\"NAME\", ...]".to_owned(),
            }),
        },
    }
}

/// Probabilities as they are; scores, as networks give before their last step, by softmax. One number for two classes is about
/// the second. Of a graph that does not show which of the two it gives, what can be probabilities is taken for such.
fn probabilities(numbers: &[f64], are_scores: bool) -> Vec<f64> {
    const TOLERANCE: f64 = 1e-3;
    let is_share = |number: &f64| !are_scores && (-TOLERANCE..=1.0 + TOLERANCE).contains(number);
    if let [one] = numbers {
        let second = if is_share(one) { one.clamp(0.0, 1.0) } else { 1.0 / (1.0 + (-one).exp()) };
        return vec![1.0 - second, second];
    }
    let sum: f64 = numbers.iter().sum();
    if numbers.iter().all(is_share) && (sum - 1.0).abs() <= TOLERANCE {
        return numbers.to_vec();
    }
    let greatest = numbers.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let parts: Vec<f64> = numbers.iter().map(|number| (number - greatest).exp()).collect();
    let whole: f64 = parts.iter().sum();
    parts.into_iter().map(|part| part / whole).collect()
}

/// A feature of which only the kind is known.
fn feature(slot: &Slot) -> Feature {
    let encoding = match &slot.codes {
        Some(codes) => Encoding::Categorical { categories: codes.keys().cloned().collect(), fill: 0 },
        None => Encoding::Numeric { fill: 0.0, mean: 0.0, deviation: 1.0, minimum: 0.0, maximum: 0.0 },
    };
    let kind = if slot.codes.is_some() { ColumnKind::Category } else { ColumnKind::Number };
    Feature { name: slot.name.clone(), kind, encoding, missing: 0 }
}

/// What can be said of a feature of which nothing was seen: a range that nobody measured is none.
fn card(feature: &Feature) -> CardFeature {
    CardFeature { minimum: None, maximum: None, ..CardFeature::from(feature) }
}

#[cfg(test)]
mod tests {
    use super::probabilities;

    #[test]
    fn probabilities_stay_and_scores_become_some() {
        assert_eq!(probabilities(&[0.25, 0.75], false), [0.25, 0.75]);
        assert_eq!(probabilities(&[0.75], false), [0.25, 0.75]);
        assert_eq!(probabilities(&[0.0, 0.0, 0.0, 0.0], false), [0.25; 4]);
        let of_scores = probabilities(&[3.0, -1.0], false);
        assert!(of_scores[0] > 0.98 && (of_scores[0] + of_scores[1] - 1.0).abs() < 1e-12, "{of_scores:?}");
        assert!(probabilities(&[4.0], false)[1] > 0.98);
    }

    #[test]
    fn known_scores_are_scores_wherever_they_lie() {
        let second: Vec<f64> = [-0.5, 0.25, 1.0, 1.5].iter().map(|score| probabilities(&[*score], true)[1]).collect();
        assert!(second.is_sorted() && second[0] < 0.5 && second[1] > 0.5, "{second:?}");
        assert!(probabilities(&[0.25, 0.75], true)[1] < 0.75);
    }
}
