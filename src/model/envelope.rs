//! A saved model: a folder with `model.bin`, which is the model, and `model.json`, which says what it is.
//!
//! `model.bin` is a magic word, the version of the format, the digest of what follows, and what follows in postcard.
//! Whatever is loaded has been checked: version, digest, widths, finite numbers. A server can therefore index nothing
//! wrongly.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::config::Task;
use crate::disk::{digest_bytes, write_whole};
use crate::model::card::Card;
use crate::model::data::cell::Cell;
use crate::model::data::csv_source::CsvSource;
use crate::model::data::dataset_error::DatasetError;
use crate::model::data::record::{FieldProblem, PredictError, Record};
use crate::model::drift::Reference;
use crate::model::interface;
use crate::model::learn::fit;
use crate::model::learn::predictor::{Output, Predictor};
use crate::model::learn::preprocess::{Encoding, Feature, Preprocessing};
use crate::model::prediction::Prediction;
use crate::pipeline::Digest;

/// The file that is the model.
pub const MODEL_FILE: &str = "model.bin";
/// The file that says what the model is.
pub const CARD_FILE: &str = "model.json";
const MAGIC: &[u8; 8] = b"TRNYDMDL";
const FORMAT: u32 = 2;
/// Hexadecimal SHA-256.
const DIGEST_LENGTH: usize = 64;

/// Why a model cannot be saved or loaded.
#[derive(Debug, thiserror::Error)]
pub enum EnvelopeError {
    /// The system refused.
    #[error("cannot use the model file {file}: {source}; has the model been trained?")]
    File {
        /// The file.
        file: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Something else.
    #[error("{file} is not a trainyard model; give the folder that training wrote")]
    NotAModel {
        /// The file.
        file: PathBuf,
    },
    /// Of another time.
    #[error(
        "{file} has format {found}, this program reads format {supported}; train again with this version, or use the one that made it"
    )]
    Version {
        /// The file.
        file: PathBuf,
        /// The version in the file.
        found: u32,
        /// The version of this program.
        supported: u32,
    },
    /// Changed since it was written.
    #[error("{file} is damaged ({reason}); train again or restore it")]
    Damaged {
        /// The file.
        file: PathBuf,
        /// How it is seen.
        reason: String,
    },
    /// A fault of the program, not of the user.
    #[error("the model cannot be written: {0}; please report this as a fault of trainyard")]
    Encode(String),
}

/// All that makes a model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Contents {
    /// What it is.
    pub card: Card,
    /// From a row to numbers.
    pub preprocessing: Preprocessing,
    /// From numbers to an answer.
    pub predictor: Predictor,
    /// How the training rows were spread.
    pub reference: Reference,
}

/// A model that was saved, or can be.
#[derive(Debug, Clone, PartialEq)]
pub struct SavedModel {
    contents: Contents,
    digest: Digest,
}

impl SavedModel {
    /// Wraps what training made.
    pub fn new(contents: Contents) -> Result<Self, EnvelopeError> {
        let digest = digest_bytes(&encode(&contents)?);
        Ok(Self { contents, digest })
    }

    /// The same model with the digest of the profile of its data in its card.
    pub fn with_profile(self, profile: Option<Digest>) -> Result<Self, EnvelopeError> {
        let mut contents = self.contents;
        contents.card.profile = profile;
        Self::new(contents)
    }

    /// Writes both files into `folder`, which is made if need be. Equal models are equal files.
    pub fn save(&self, folder: &Path) -> Result<(), EnvelopeError> {
        let failed = |file: PathBuf| move |source| EnvelopeError::File { file, source };
        let mut card =
            serde_json::to_vec_pretty(self.card()).map_err(|error| EnvelopeError::Encode(error.to_string()))?;
        card.push(b'\n');
        fs::create_dir_all(folder).map_err(failed(folder.to_owned()))?;
        for (name, bytes) in [(MODEL_FILE, encode(&self.contents)?), (CARD_FILE, card)] {
            let file = folder.join(name);
            write_whole(&file, &bytes).map_err(failed(file))?;
        }
        Ok(())
    }

    /// Reads and checks `model.bin` in `folder`.
    pub fn load(folder: &Path) -> Result<Self, EnvelopeError> {
        let file = folder.join(MODEL_FILE);
        let bytes = fs::read(&file).map_err(|source| EnvelopeError::File { file: file.clone(), source })?;
        let contents = decode(&file, &bytes)?;
        Ok(Self { contents, digest: digest_bytes(&bytes) })
    }

    /// What the model is.
    pub fn card(&self) -> &Card {
        &self.contents.card
    }

    /// The digest of `model.bin`.
    pub fn digest(&self) -> &Digest {
        &self.digest
    }

    /// How the training rows were spread.
    pub fn reference(&self) -> &Reference {
        &self.contents.reference
    }

    /// Predicts records; the first that is wrong is the error.
    pub fn predict(&self, records: &[Record]) -> Result<Vec<Prediction>, PredictError> {
        Ok(self.cells(records)?.iter().map(|cells| self.answer(&self.output(cells))).collect())
    }

    /// Checks records and brings their fields into the order of the features.
    pub fn cells<'a>(&self, records: &'a [Record]) -> Result<Vec<Vec<Cell<'a>>>, PredictError> {
        interface::cells(self.features(), &self.card().ignored, records)
    }

    /// Where each feature stands in a CSV file.
    pub fn places(&self, source: &CsvSource) -> Result<Vec<usize>, DatasetError> {
        interface::places(self.features(), source)
    }

    /// A cell of a CSV file as the value of the feature at `index`.
    pub fn cell<'a>(&self, index: usize, text: &'a str) -> Result<Cell<'a>, FieldProblem> {
        interface::cell(self.features(), index, text)
    }

    /// What the model says of a row, one cell a feature in their order.
    pub fn output(&self, cells: &[Cell<'_>]) -> Output {
        fit::output(&self.contents.preprocessing, &self.contents.predictor, cells)
    }

    /// An output with the names of the classes.
    pub fn answer(&self, output: &Output) -> Prediction {
        interface::answer(&self.card().classes, self.card().integer_classes, output)
    }

    /// The columns it needs, in order, with how each becomes numbers.
    pub(in crate::model) fn features(&self) -> &[Feature] {
        &self.contents.preprocessing.features
    }
}

fn encode(contents: &Contents) -> Result<Vec<u8>, EnvelopeError> {
    let payload =
        postcard::to_extend(contents, Vec::<u8>::new()).map_err(|error| EnvelopeError::Encode(error.to_string()))?;
    let mut bytes = Vec::with_capacity(MAGIC.len() + 4 + DIGEST_LENGTH + payload.len());
    bytes.extend_from_slice(MAGIC);
    bytes.extend_from_slice(&FORMAT.to_le_bytes());
    bytes.extend_from_slice(digest_bytes(&payload).0.as_bytes());
    bytes.extend_from_slice(&payload);
    Ok(bytes)
}

fn decode(file: &Path, bytes: &[u8]) -> Result<Contents, EnvelopeError> {
    let damaged = |reason: &str| EnvelopeError::Damaged { file: file.to_owned(), reason: reason.to_owned() };
    // A disk that was full, or a copy that broke off, may have left less than the magic word, or nothing.
    if MAGIC.len() > bytes.len() && MAGIC.starts_with(bytes) {
        return Err(damaged("it ends early"));
    }
    let Some(rest) = bytes.strip_prefix(MAGIC) else {
        return Err(EnvelopeError::NotAModel { file: file.to_owned() });
    };
    let Some((version, rest)) = rest.split_first_chunk::<4>() else {
        return Err(damaged("it ends early"));
    };
    let found = u32::from_le_bytes(*version);
    if found != FORMAT {
        return Err(EnvelopeError::Version { file: file.to_owned(), found, supported: FORMAT });
    }
    let Some((digest, payload)) = rest.split_first_chunk::<DIGEST_LENGTH>() else {
        return Err(damaged("it ends early"));
    };
    if digest_bytes(payload).0.as_bytes() != digest {
        return Err(damaged("its digest does not match its content"));
    }
    let contents: Contents = postcard::from_bytes(payload).map_err(|error| damaged(&error.to_string()))?;
    inconsistency(&contents).map_or(Ok(contents), |reason| Err(damaged(reason)))
}

/// A digest proves that the bytes are those that were written, not that a program wrote sense.
fn inconsistency(contents: &Contents) -> Option<&'static str> {
    let Contents { card, preprocessing, predictor, reference } = contents;
    let classes = match card.task {
        Task::Classification => card.classes.len(),
        Task::Regression => 0,
    };
    let encodings_fit = preprocessing.features.iter().all(|feature| match &feature.encoding {
        Encoding::Numeric { fill, mean, deviation, .. } => {
            fill.is_finite() && mean.is_finite() && deviation.is_finite() && *deviation > 0.0
        }
        Encoding::Categorical { categories, fill } => *fill < categories.len() && categories.is_sorted(),
    });
    if !encodings_fit {
        Some("its preprocessing is not usable")
    } else if predictor.classes() != classes || (card.task == Task::Classification && classes < 2) {
        Some("its classes do not fit its coefficients")
    } else if !predictor.is_sound(preprocessing.width(), preprocessing.features.len()) {
        Some("its coefficients do not fit its columns")
    } else if !reference.is_sound(preprocessing) {
        Some("its drift reference does not fit its columns")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use serde_json::json;

    use super::{CARD_FILE, EnvelopeError, MODEL_FILE, SavedModel};
    use crate::model::prediction::Predicted;
    use crate::model::samples::{self, Folder};

    #[test]
    fn a_loaded_model_predicts_what_the_saved_one_did() {
        let folder = Folder::new();
        let model = samples::model();
        model.save(folder.path()).unwrap();
        let loaded = SavedModel::load(folder.path()).unwrap();
        let records = [samples::record(0), samples::record(1)];
        assert_eq!(loaded, model);
        assert_eq!(loaded.predict(&records).unwrap(), model.predict(&records).unwrap());
        assert_eq!(loaded.predict(&records).unwrap()[1].prediction, Predicted::Class("tall".to_owned()));
    }

    #[test]
    fn equal_inputs_give_equal_files_byte_by_byte() {
        let (one, other) = (Folder::new(), Folder::new());
        samples::model().save(one.path()).unwrap();
        samples::model().save(other.path()).unwrap();
        for file in [MODEL_FILE, CARD_FILE] {
            assert_eq!(fs::read(one.path().join(file)).unwrap(), fs::read(other.path().join(file)).unwrap(), "{file}");
        }
    }

    #[test]
    fn the_card_names_no_place_of_this_machine() {
        let folder = Folder::new();
        samples::model().save(folder.path()).unwrap();
        let card = fs::read_to_string(folder.path().join(CARD_FILE)).unwrap();
        assert!(card.contains("\"flowers.csv\"") && !card.contains("/tmp"), "{card}");
    }

    #[test]
    fn a_changed_byte_is_noticed() {
        let folder = Folder::new();
        samples::model().save(folder.path()).unwrap();
        let file = folder.path().join(MODEL_FILE);
        let mut bytes = fs::read(&file).unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        fs::write(&file, bytes).unwrap();
        assert!(matches!(SavedModel::load(folder.path()), Err(EnvelopeError::Damaged { .. })));
    }

    #[test]
    fn a_file_that_was_cut_anywhere_is_damaged_and_not_another_kind_of_file() {
        let folder = Folder::new();
        samples::model().save(folder.path()).unwrap();
        let file = folder.path().join(MODEL_FILE);
        let bytes = fs::read(&file).unwrap();
        for length in [0, 3, 8, 10, 12, 40, bytes.len() / 2, bytes.len() - 1] {
            fs::write(&file, &bytes[..length]).unwrap();
            let message = SavedModel::load(folder.path()).unwrap_err().to_string();
            assert!(message.contains("model.bin is damaged ("), "{length} bytes: {message}");
            assert!(message.ends_with("; train again or restore it"), "{length} bytes: {message}");
        }
    }

    #[test]
    fn another_version_and_other_files_are_refused() {
        let folder = Folder::new();
        let file = folder.path().join(MODEL_FILE);
        fs::write(&file, b"PK\x03\x04").unwrap();
        assert!(matches!(SavedModel::load(folder.path()), Err(EnvelopeError::NotAModel { .. })));
        samples::model().save(folder.path()).unwrap();
        let mut bytes = fs::read(&file).unwrap();
        bytes[8] = 9;
        fs::write(&file, bytes).unwrap();
        assert!(matches!(SavedModel::load(folder.path()), Err(EnvelopeError::Version { found: 9, .. })));
    }

    #[test]
    fn the_error_of_a_record_says_which_one() {
        let mut wrong = samples::record(1);
        wrong.insert("height".to_owned(), json!("big"));
        let error = samples::model().predict(&[samples::record(0), wrong]).unwrap_err();
        assert_eq!((error.record, error.problem.field()), (1, "height"));
    }
}
