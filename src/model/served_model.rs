//! Whatever can be served: a model that trainyard trained, or a graph that somebody else did. Both have features, say
//! something of rows, and are asked in the same way.

use std::path::{Path, PathBuf};

use crate::api::types::CardFeature;
use crate::config::Task;
use crate::model::data::cell::Cell;
use crate::model::data::csv_source::CsvSource;
use crate::model::data::dataset_error::DatasetError;
use crate::model::data::record::{FieldProblem, PredictError, Record};
use crate::model::drift::Reference;
use crate::model::envelope::{EnvelopeError, MODEL_FILE, SavedModel};
use crate::model::evaluate::Metrics;
use crate::model::interface;
use crate::model::learn::learner::algorithm_name;
use crate::model::learn::predictor::Output;
use crate::model::learn::preprocess::Feature;
use crate::model::onnx::{ALGORITHM, ONNX_FILE, OnnxError, OnnxModel, RunError};
use crate::model::prediction::Prediction;
use crate::pipeline::Digest;

/// Why a folder cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// A model of ours that cannot be loaded.
    #[error(transparent)]
    Saved(#[from] EnvelopeError),
    /// A graph that cannot be loaded.
    #[error(transparent)]
    Onnx(#[from] OnnxError),
    /// Neither.
    #[error(
        "the folder {0} holds neither model.bin, which the built-in training writes, nor model.onnx, which a training of your own may; has the model been trained?"
    )]
    Nothing(PathBuf),
}

/// A model that can be asked.
#[derive(Debug)]
pub enum ServedModel {
    /// Trained by trainyard.
    Trained(Box<SavedModel>),
    /// Trained by somebody else.
    Onnx(Box<OnnxModel>),
}

impl From<SavedModel> for ServedModel {
    fn from(model: SavedModel) -> Self {
        Self::Trained(Box::new(model))
    }
}

impl From<OnnxModel> for ServedModel {
    fn from(model: OnnxModel) -> Self {
        Self::Onnx(Box::new(model))
    }
}

impl ServedModel {
    /// Loads what a training wrote into `folder`. A model of ours goes before a graph.
    pub fn load(folder: &Path) -> Result<Self, LoadError> {
        if folder.join(MODEL_FILE).exists() {
            Ok(SavedModel::load(folder)?.into())
        } else if folder.join(ONNX_FILE).exists() {
            Ok(OnnxModel::load(folder)?.into())
        } else {
            Err(LoadError::Nothing(folder.to_owned()))
        }
    }

    /// The digest of the file that is the model, or of the folder of a graph.
    pub fn digest(&self) -> &Digest {
        match self {
            Self::Trained(model) => model.digest(),
            Self::Onnx(model) => model.digest(),
        }
    }

    /// The digest of the data it was made from, where that is known.
    pub(in crate::model) fn data(&self) -> Option<&Digest> {
        match self {
            Self::Trained(model) => Some(&model.card().lineage.data),
            Self::Onnx(_) => None,
        }
    }

    /// The word for what learned it.
    pub fn algorithm(&self) -> &'static str {
        match self {
            Self::Trained(model) => algorithm_name(model.card().algorithm),
            Self::Onnx(_) => ALGORITHM,
        }
    }

    /// Classes or numbers.
    pub fn task(&self) -> Task {
        match self {
            Self::Trained(model) => model.card().task,
            Self::Onnx(model) => model.task(),
        }
    }

    /// The column that it predicts.
    pub fn target(&self) -> &str {
        match self {
            Self::Trained(model) => &model.card().target,
            Self::Onnx(model) => model.target(),
        }
    }

    /// The names of the classes, in the order of probabilities; none for a regression.
    pub fn classes(&self) -> &[String] {
        match self {
            Self::Trained(model) => &model.card().classes,
            Self::Onnx(model) => model.classes(),
        }
    }

    /// Whether the classes are integers and are answered as such.
    pub fn integer_classes(&self) -> bool {
        match self {
            Self::Trained(model) => model.card().integer_classes,
            Self::Onnx(model) => model.integer_classes(),
        }
    }

    /// The columns it needs, in order.
    pub(in crate::model) fn features(&self) -> &[Feature] {
        match self {
            Self::Trained(model) => model.features(),
            Self::Onnx(model) => model.features(),
        }
    }

    /// The same for people.
    pub(in crate::model) fn feature_cards(&self) -> &[CardFeature] {
        match self {
            Self::Trained(model) => &model.card().features,
            Self::Onnx(model) => model.feature_cards(),
        }
    }

    /// Columns that may be sent and are not needed.
    pub(in crate::model) fn ignored(&self) -> &[String] {
        match self {
            Self::Trained(model) => &model.card().ignored,
            Self::Onnx(model) => model.ignored(),
        }
    }

    /// How good it is, on rows held out or on those that came with a graph.
    pub fn metrics(&self) -> &Metrics {
        match self {
            Self::Trained(model) => &model.card().metrics,
            Self::Onnx(model) => model.metrics(),
        }
    }

    /// How known rows are spread; empty where there are none.
    pub(in crate::model) fn reference(&self) -> &Reference {
        match self {
            Self::Trained(model) => model.reference(),
            Self::Onnx(model) => model.reference(),
        }
    }

    /// Whether there are known rows, so that drift can be measured.
    pub(in crate::model) fn is_measured(&self) -> bool {
        match self {
            Self::Trained(_) => true,
            Self::Onnx(model) => model.is_measured(),
        }
    }

    /// Whether one record takes so long that others should not have to wait behind it.
    pub(in crate::model) fn is_slow(&self) -> bool {
        match self {
            Self::Trained(_) => false,
            Self::Onnx(model) => model.is_slow(),
        }
    }

    /// What it says of rows, one cell a feature in their order.
    pub fn outputs(&self, rows: &[&[Cell<'_>]]) -> Result<Vec<Output>, RunError> {
        match self {
            Self::Trained(model) => Ok(rows.iter().map(|cells| model.output(cells)).collect()),
            Self::Onnx(model) => model.outputs(rows),
        }
    }

    /// Checks records and brings their fields into the order of the features.
    pub(in crate::model) fn cells<'a>(&self, records: &'a [Record]) -> Result<Vec<Vec<Cell<'a>>>, PredictError> {
        interface::cells(self.features(), self.ignored(), records)
    }

    /// Where each feature stands in a CSV file.
    pub fn places(&self, source: &CsvSource) -> Result<Vec<usize>, DatasetError> {
        interface::places(self.features(), source)
    }

    /// A cell of a CSV file as the value of the feature at `index`.
    pub fn cell<'a>(&self, index: usize, text: &'a str) -> Result<Cell<'a>, FieldProblem> {
        interface::cell(self.features(), index, text)
    }

    /// An output with the names of the classes.
    pub fn answer(&self, output: &Output) -> Prediction {
        interface::answer(self.classes(), self.integer_classes(), output)
    }
}

#[cfg(test)]
mod tests {
    use super::{LoadError, ServedModel};
    use crate::model::samples::{self, Folder};

    #[test]
    fn a_folder_is_served_by_what_is_in_it() {
        let folder = Folder::new();
        assert!(matches!(ServedModel::load(folder.path()), Err(LoadError::Nothing(_))));
        folder.write("model.onnx", "no graph");
        assert!(matches!(ServedModel::load(folder.path()), Err(LoadError::Onnx(_))));
        samples::model().save(folder.path()).unwrap();
        assert!(matches!(ServedModel::load(folder.path()), Ok(ServedModel::Trained(_))));
    }
}
