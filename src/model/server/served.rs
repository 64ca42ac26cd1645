//! What the server needs of a model, and nothing more: what it wants, what it says, and how its answers are written.
//!
//! Whatever is served stands behind this one type, so that the rest of the server does not know how a model was saved.

use std::collections::{BTreeMap, BTreeSet};

use crate::api::types::CardFeature;
use crate::config::Task;
use crate::model::data::cell::Cell;
use crate::model::data::record::{FieldProblem, PredictError, Record};
use crate::model::drift::Reference;
use crate::model::evaluate::Metrics;
use crate::model::learn::predictor::Output;
use crate::model::learn::preprocess::Feature;
use crate::model::onnx::RunError;
use crate::model::served_model::ServedModel;
use crate::pipeline::Digest;

/// A model that answers.
#[derive(Debug)]
pub(in crate::model) struct Served {
    model: ServedModel,
    /// Where each feature stands.
    places: BTreeMap<String, usize>,
    ignored: BTreeSet<String>,
    classes: Vec<ClassWords>,
    /// The classes in the order of their names, in which probabilities are written.
    by_name: Vec<usize>,
}

/// A class as it is written, worked out once.
#[derive(Debug)]
pub(in crate::model) struct ClassWords {
    /// As text.
    pub(in crate::model) text: String,
    /// As a JSON value: a number where classes are integers.
    pub(in crate::model) json: Vec<u8>,
    /// As the name of a JSON member, with its colon.
    pub(in crate::model) member: Vec<u8>,
}

impl Served {
    pub(in crate::model) fn new(model: impl Into<ServedModel>) -> Self {
        let model: ServedModel = model.into();
        let names = model.features().iter().map(|feature| feature.name.clone());
        let places = names.enumerate().map(|(place, name)| (name, place)).collect();
        let ignored = model.ignored().iter().cloned().collect();
        let classes: Vec<ClassWords> = (0..model.classes().len()).map(|class| class_words(&model, class)).collect();
        let mut by_name: Vec<usize> = (0..classes.len()).collect();
        by_name.sort_by_key(|class| model.classes().get(*class));
        Self { model, places, ignored, classes, by_name }
    }

    /// Its columns as people are told of them.
    pub(in crate::model) fn feature_cards(&self) -> &[CardFeature] {
        self.model.feature_cards()
    }

    /// How good it is.
    pub(in crate::model) fn metrics(&self) -> &Metrics {
        self.model.metrics()
    }

    /// Whether its classes are integers.
    pub(in crate::model) fn integer_classes(&self) -> bool {
        self.model.integer_classes()
    }

    /// The digest of its data, where that is known.
    pub(in crate::model) fn data(&self) -> Option<&Digest> {
        self.model.data()
    }

    /// Whether there are known rows, so that drift can be measured.
    pub(in crate::model) fn is_measured(&self) -> bool {
        self.model.is_measured()
    }

    /// Whether one record takes so long that it is worked off aside.
    pub(in crate::model) fn is_slow(&self) -> bool {
        self.model.is_slow()
    }

    /// The word for what learned it.
    pub(in crate::model) fn algorithm(&self) -> &'static str {
        self.model.algorithm()
    }

    pub(in crate::model) fn digest(&self) -> &Digest {
        self.model.digest()
    }

    pub(in crate::model) fn task(&self) -> Task {
        self.model.task()
    }

    /// The column that it predicts.
    pub(in crate::model) fn target(&self) -> &str {
        self.model.target()
    }

    /// The names of the classes, in the order of probabilities; none for a regression.
    pub(in crate::model) fn classes(&self) -> &[String] {
        self.model.classes()
    }

    /// The columns that it needs, in the order of cells.
    pub(in crate::model) fn features(&self) -> &[Feature] {
        self.model.features()
    }

    /// How its training rows were spread.
    pub(in crate::model) fn reference(&self) -> &Reference {
        self.model.reference()
    }

    /// Where the feature of that name stands.
    pub(in crate::model) fn place(&self, name: &str) -> Option<usize> {
        self.places.get(name).copied()
    }

    /// Whether it is a column of the data that may be sent and is not needed.
    pub(in crate::model) fn ignores(&self, name: &str) -> bool {
        self.ignored.contains(name)
    }

    /// The names that may be sent and are not needed.
    pub(in crate::model) fn ignored(&self) -> &[String] {
        self.model.ignored()
    }

    /// The cells of records; the first record that is wrong is the error.
    pub(in crate::model) fn cells<'a>(&self, records: &'a [Record]) -> Result<Vec<Vec<Cell<'a>>>, PredictError> {
        self.model.cells(records)
    }

    /// A trimmed CSV cell as a value of the feature at that place.
    pub(in crate::model) fn cell_of_text<'a>(&self, place: usize, text: &'a str) -> Result<Cell<'a>, FieldProblem> {
        self.model.cell(place, text)
    }

    /// What it says of rows.
    pub(in crate::model) fn outputs(&self, rows: &[&[Cell<'_>]]) -> Result<Vec<Output>, RunError> {
        self.model.outputs(rows)
    }

    /// How a class is written.
    pub(in crate::model) fn class(&self, class: usize) -> Option<&ClassWords> {
        self.classes.get(class)
    }

    /// The classes in the order of their names, each with its place among the probabilities.
    pub(in crate::model) fn classes_by_name(&self) -> impl Iterator<Item = (usize, &ClassWords)> {
        self.by_name.iter().filter_map(|class| Some((*class, self.classes.get(*class)?)))
    }
}

/// Asked of the model itself, so that the words are those of every other answer.
fn class_words(model: &ServedModel, class: usize) -> ClassWords {
    let certain = (0..model.classes().len()).map(|other| if other == class { 1.0 } else { 0.0 }).collect();
    let predicted = model.answer(&Output::Probabilities(certain)).prediction;
    let mut member = serde_json::Value::from(model.classes().get(class).cloned().unwrap_or_default()).to_string();
    member.push(':');
    ClassWords {
        text: predicted.to_string(),
        // A text or a number: neither fails to be written.
        json: serde_json::to_vec(&predicted).unwrap_or_else(|_| b"null".to_vec()),
        member: member.into_bytes(),
    }
}
