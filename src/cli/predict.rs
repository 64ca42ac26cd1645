//! `trainyard predict`: scores a CSV file with a saved model, row by row, in the order of the file.
//!
//! Rows are streamed, so the file may be larger than the memory. If it has the target column, the predictions are
//! judged as well.

use std::env;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::config::Task;
use crate::model::{
    Cell, CsvSource, DatasetError, FieldProblem, LoadError, Metrics, Output, Prediction, RunError, ServedModel,
    classification, is_missing, regression,
};

/// `trainyard predict [--model DIR | --version VERSION] FILE [--json]`
#[derive(Debug, Clone, clap::Args)]
pub struct PredictArguments {
    /// The CSV file with the rows to predict
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// The folder of the model; without it, the one in `TRAINYARD_MODEL`
    #[arg(long, value_name = "DIR")]
    pub model: Option<PathBuf>,
    /// A model version of the project in this folder
    #[arg(long, value_name = "VERSION", conflicts_with = "model")]
    pub version: Option<u64>,
    /// One JSON object a line in place of CSV
    #[arg(long)]
    pub json: bool,
}

impl PredictArguments {
    /// The folder of the model: as given, else from the environment, where a stage finds it.
    pub fn model_folder(&self) -> Result<PathBuf, PredictFileError> {
        let given = self.model.clone();
        given.or_else(|| env::var_os("TRAINYARD_MODEL").map(PathBuf::from)).ok_or(PredictFileError::NoModel)
    }
}

/// Why a file is not predicted.
#[derive(Debug, thiserror::Error)]
pub enum PredictFileError {
    /// Neither option nor variable.
    #[error("no model is given; use --version VERSION or --model DIR, or set TRAINYARD_MODEL")]
    NoModel,
    /// The model cannot be loaded.
    #[error(transparent)]
    Model(#[from] LoadError),
    /// The file cannot be read, or lacks a column.
    #[error(transparent)]
    Data(#[from] DatasetError),
    /// A header and nothing below it.
    #[error("{0} has a header line and zero rows; there is nothing to predict")]
    NoRows(PathBuf),
    /// A cell of another type than in training.
    #[error("{file}, line {line}: {problem}")]
    Cell {
        /// The file.
        file: PathBuf,
        /// The line where the row starts, from 1.
        line: u64,
        /// What is wrong with the cell.
        problem: FieldProblem,
    },
    /// A graph that failed.
    #[error("{file}, line {line}: {source}")]
    Row {
        /// The file.
        file: PathBuf,
        /// The line where the row starts, from 1.
        line: u64,
        /// What the model said.
        source: RunError,
    },
    /// The reader of the output is gone, or the disk is full.
    #[error("cannot write the predictions: {0}")]
    Write(#[from] io::Error),
}

/// Writes a prediction for each row of `file` to `out`; the score goes to standard error if the file has the target
/// column.
pub fn run(model: &Path, file: &Path, json: bool, out: &mut impl Write) -> Result<(), PredictFileError> {
    let model = ServedModel::load(model)?;
    if let Some(metrics) = predict(&model, file, json, out)? {
        let listed: Vec<String> = metrics.iter().map(|(name, value)| format!("{name} {value:.4}")).collect();
        // Nobody needs to read this for the predictions to be right.
        let _ = writeln!(io::stderr(), "score against \"{}\": {}", model.target(), listed.join(", "));
    }
    Ok(())
}

fn predict(
    model: &ServedModel,
    file: &Path,
    json: bool,
    out: &mut impl Write,
) -> Result<Option<Metrics>, PredictFileError> {
    let mut source = CsvSource::open(file)?;
    let places = model.places(&source)?;
    let target = source.columns().iter().position(|column| *column == model.target());
    let mut score = Score::default();
    let mut writer = PredictionWriter::new(out, json, model.task())?;
    let mut rows = 0_u64;
    while source.next_row()? {
        rows += 1;
        let cells = cells(model, &source, &places)?;
        let output = output(model, &source, &cells)?;
        writer.write(&model.answer(&output))?;
        if let Some(target) = target {
            score.add(model.classes(), source.cell(target)?, output);
        }
    }
    writer.finish()?;
    if rows == 0 {
        return Err(PredictFileError::NoRows(file.to_owned()));
    }
    Ok(score.metrics(model.task()))
}

fn cells<'a>(model: &ServedModel, source: &'a CsvSource, places: &[usize]) -> Result<Vec<Cell<'a>>, PredictFileError> {
    let mut cells = Vec::with_capacity(places.len());
    for (index, place) in places.iter().enumerate() {
        let cell = model.cell(index, source.cell(*place)?);
        cells.push(cell.map_err(|problem| PredictFileError::Cell {
            file: source.path().to_owned(),
            line: source.line(),
            problem,
        })?);
    }
    Ok(cells)
}

fn output(model: &ServedModel, source: &CsvSource, cells: &[Cell<'_>]) -> Result<Output, PredictFileError> {
    let failed = |error| {
        let (file, line) = (source.path().to_owned(), source.line());
        match error {
            RunError::Record(error) => PredictFileError::Cell { file, line, problem: error.problem },
            RunError::Runtime(_) => PredictFileError::Row { file, line, source: error },
        }
    };
    let mut outputs = model.outputs(&[cells]).map_err(failed)?;
    outputs.pop().ok_or_else(|| failed(RunError::Runtime("it gave nothing".to_owned())))
}

enum PredictionWriter<W: Write> {
    Csv(Box<csv::Writer<W>>),
    JsonLines(W),
}

impl<W: Write> PredictionWriter<W> {
    fn new(out: W, json: bool, task: Task) -> Result<Self, PredictFileError> {
        if json {
            return Ok(Self::JsonLines(out));
        }
        let mut writer = csv::WriterBuilder::new().flexible(true).from_writer(out);
        let header: &[&str] = match task {
            Task::Classification => &["prediction", "probability"],
            Task::Regression => &["prediction"],
        };
        writer.write_record(header).map_err(io::Error::from)?;
        Ok(Self::Csv(Box::new(writer)))
    }

    fn write(&mut self, prediction: &Prediction) -> Result<(), PredictFileError> {
        match self {
            Self::JsonLines(out) => {
                let mut line = serde_json::to_vec(prediction).map_err(io::Error::from)?;
                line.push(b'\n');
                out.write_all(&line)?;
            }
            Self::Csv(writer) => {
                let mut record = vec![prediction.prediction.to_string()];
                record.extend(prediction.probability().map(|probability| format!("{probability:.6}")));
                writer.write_record(&record).map_err(io::Error::from)?;
            }
        }
        Ok(())
    }

    fn finish(self) -> Result<(), PredictFileError> {
        match self {
            Self::JsonLines(mut out) => out.flush()?,
            Self::Csv(mut writer) => writer.flush()?,
        }
        Ok(())
    }
}

/// What is needed to judge the predictions, gathered row by row. Rows without a value in the target are not judged.
#[derive(Default)]
struct Score {
    classes: Vec<Option<usize>>,
    probabilities: Vec<Vec<f64>>,
    numbers: Vec<f64>,
    values: Vec<f64>,
}

impl Score {
    fn add(&mut self, classes: &[String], truth: &str, output: Output) {
        match output {
            Output::Probabilities(_) if is_missing(truth) => {}
            Output::Probabilities(probabilities) => {
                // The classes of numbers are written in one way only, the file may have another: 3 or 3.0.
                let number = truth.parse::<f64>().map(|number| (number + 0.0).to_string());
                let class = classes
                    .iter()
                    .position(|class| class == truth || number.as_ref().is_ok_and(|number| class == number));
                self.classes.push(class);
                self.probabilities.push(probabilities);
            }
            Output::Value(value) => {
                if let Some(number) = truth.parse::<f64>().ok().filter(|number| number.is_finite()) {
                    self.numbers.push(number);
                    self.values.push(value);
                }
            }
        }
    }

    fn metrics(&self, task: Task) -> Option<Metrics> {
        match task {
            Task::Classification if !self.classes.is_empty() => {
                Some(classification(&self.classes, &self.probabilities))
            }
            Task::Regression if !self.numbers.is_empty() => Some(regression(&self.numbers, &self.values)),
            Task::Classification | Task::Regression => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::{PredictFileError, predict, run};
    use crate::config::{Algorithm, SearchSettings, SplitSettings, TrainSettings};
    use crate::model::{SavedModel, ServedModel, read, train};

    fn model(folder: &Path) -> SavedModel {
        let rows: String =
            (0..100).map(|row| format!("{}.{row:02},{}\n", row % 2 * 10 + row % 7, row % 2 + 5)).collect();
        let file = folder.join("train.csv");
        fs::write(&file, format!("x,grade\n{rows}")).unwrap();
        let settings = TrainSettings {
            target: "grade".to_owned(),
            algorithms: vec![Algorithm::Logistic],
            task: None,
            exclude: Vec::new(),
            holdout: 0.25,
            seed: 1,
            split: SplitSettings::Hash,
            gate: None,
            search: SearchSettings { trials: 1, ..SearchSettings::default() },
            slices: Vec::new(),
            feedback: false,
        };
        train(&read(&[file]).unwrap(), &settings, &mut |_| {}).unwrap()
    }

    fn served(folder: &Path) -> ServedModel {
        model(folder).into()
    }

    #[test]
    fn a_file_without_the_target_gets_predictions_and_no_score() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("new.csv");
        fs::write(&file, "id;x\n1;2\n2;12\n").unwrap();
        let mut out = Vec::new();
        assert_eq!(predict(&served(folder.path()), &file, false, &mut out).unwrap(), None);
        let text = String::from_utf8(out).unwrap();
        let firsts: Vec<&str> = text.lines().filter_map(|line| line.split(',').next()).collect();
        assert_eq!(firsts, ["prediction", "5", "6"]);
        assert!(text.starts_with("prediction,probability\n"), "{text}");
    }

    #[test]
    fn the_target_is_not_an_input_but_gives_a_score() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("new.csv");
        fs::write(&file, "x,grade\n2,5.0\n12,6\n13,5\n").unwrap();
        let metrics = predict(&served(folder.path()), &file, true, &mut Vec::new()).unwrap().unwrap();
        assert!((metrics["accuracy"] - 2.0 / 3.0).abs() < 1e-12, "{metrics:?}");
    }

    #[test]
    fn json_lines_are_one_object_a_row() {
        let folder = tempfile::tempdir().unwrap();
        model(folder.path()).save(&folder.path().join("model")).unwrap();
        let file = folder.path().join("new.csv");
        fs::write(&file, "x\n2\n12\n").unwrap();
        let mut out = Vec::new();
        run(&folder.path().join("model"), &file, true, &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        let lines: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!((&lines[0]["prediction"], &lines[1]["prediction"]), (&serde_json::json!(5), &serde_json::json!(6)));
    }

    #[test]
    fn a_wrong_cell_is_named_by_its_line_and_column() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("new.csv");
        fs::write(&file, "x\n2\nmany\n").unwrap();
        let error = predict(&served(folder.path()), &file, false, &mut Vec::new()).unwrap_err();
        assert!(matches!(error, PredictFileError::Cell { line: 3, .. }));
        assert!(error.to_string().contains("the field \"x\" must be a number"), "{error}");
    }
}
