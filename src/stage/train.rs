//! The built-in training stage: reads the registered data, trains, saves the model and judges the gate.
//!
//! It lives by the contract of every stage. What it prints is for people; what the board shows goes through [`Output`].
//! The gate comes last: a model that fails it is kept for inspection, but the stage fails, and so nothing later runs.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

use super::contract::{Contract, ContractError, Output};
use crate::config::{GateSettings, TrainSettings};
use crate::model::{
    self, DataSet, DatasetError, EnvelopeError, Metrics, SavedModel, Step, TrainingError, Values, algorithm_name,
    lower_is_better, task_name,
};

/// Why the stage failed.
#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    /// The process is no stage, or its files cannot be used.
    #[error(transparent)]
    Contract(#[from] ContractError),
    /// The data cannot be read.
    #[error(transparent)]
    Data(#[from] DatasetError),
    /// Nothing could be learned.
    #[error(transparent)]
    Training(#[from] TrainingError),
    /// The model cannot be saved.
    #[error(transparent)]
    Save(#[from] EnvelopeError),
    /// The model is not good enough.
    #[error(
        "gate: {metric} {value:.3} is {side} {limit}; the model was kept for inspection, and later stages do not run"
    )]
    Gate {
        /// The metric of the gate.
        metric: String,
        /// What the model reached.
        value: f64,
        /// `below` or `above`.
        side: &'static str,
        /// What it must reach.
        limit: f64,
    },
    /// There is no such evidence, and no evidence never passes.
    #[error(
        "gate: {metric} is not among the metrics of this model; {hint}; the model was kept for inspection, and later stages do not run"
    )]
    NoEvidence {
        /// The metric of the gate.
        metric: String,
        /// The name that was meant, or those there are.
        hint: String,
    },
}

/// What the stage reports to the board.
#[derive(Debug)]
enum Report<'a> {
    Progress(f64, &'a str),
    Metric(&'a str, f64),
    Artifact(&'a str, &'a Path),
}

/// Trains under the contract of this process.
pub fn run() -> Result<(), TrainError> {
    let contract = Contract::from_environment()?;
    let settings: TrainSettings = contract.settings()?;
    let mut output = contract.output()?;
    train(&contract.data, &contract.model, &settings, &mut io::stdout().lock(), &mut |report| {
        send(&mut output, &report)
    })
}

fn send(output: &mut Output, report: &Report<'_>) -> Result<(), ContractError> {
    match report {
        Report::Progress(share, message) => output.progress(*share, message),
        Report::Metric(name, value) => output.metric(name, *value),
        Report::Artifact(name, path) => output.artifact(name, path),
    }
}

fn train(
    files: &[PathBuf],
    folder: &Path,
    settings: &TrainSettings,
    log: &mut dyn Write,
    report: &mut dyn FnMut(Report<'_>) -> Result<(), ContractError>,
) -> Result<(), TrainError> {
    report(Report::Progress(0.0, "reading data"))?;
    let data = model::read(files)?;
    describe(log, &data);
    report(Report::Progress(0.2, "preparing"))?;
    let model = fit(&data, settings, log, report)?;
    report(Report::Progress(0.9, "saving the model"))?;
    model.save(folder)?;
    let card = model.card();
    for (name, value) in &card.metrics {
        report(Report::Metric(name, *value))?;
    }
    report(Report::Metric("rows", count(card.rows.total)))?;
    report(Report::Artifact("model", folder))?;
    say(log, &format!("model: {} with {}", algorithm_name(card.algorithm), listed(&card.metrics)));
    say(log, &format!("saved: {} ({})", folder.display(), model.digest().short()));
    report(Report::Progress(1.0, "done"))?;
    match &settings.gate {
        Some(gate) => judge(gate, &card.metrics, log),
        None => Ok(()),
    }
}

/// Trains, writing a line for every step. A report that cannot be written is an error only after training: it must not
/// be lost for it.
fn fit(
    data: &DataSet,
    settings: &TrainSettings,
    log: &mut dyn Write,
    report: &mut dyn FnMut(Report<'_>) -> Result<(), ContractError>,
) -> Result<SavedModel, TrainError> {
    let mut started = Instant::now();
    let mut reported = Ok(());
    let model = model::train(data, settings, &mut |step| match step {
        Step::Note(note) => say(log, &format!("note: {note}")),
        Step::Prepared { task, train, held_out, features } => {
            let task = task_name(task);
            let target = &settings.target;
            say(
                log,
                &format!(
                    "task: {task} of \"{target}\" from {features} columns; {train} rows to learn from, {held_out} held out"
                ),
            );
        }
        Step::Trying { algorithm, index, of } => {
            started = Instant::now();
            let share = 0.3 + 0.6 * part(index, of);
            let message = format!("training {}", algorithm_name(algorithm));
            if let Err(error) = report(Report::Progress(share, &message)) {
                reported = Err(error);
            }
        }
        Step::Tried { algorithm, metrics } => {
            let took = started.elapsed().as_secs_f64();
            say(log, &format!("{}: {} ({took:.2} s)", algorithm_name(algorithm), listed(metrics)));
        }
        Step::Failed { algorithm, error } => say(log, &format!("{}: failed: {error}", algorithm_name(algorithm))),
    })?;
    reported?;
    Ok(model)
}

fn describe(log: &mut dyn Write, data: &DataSet) {
    let kinds = |wanted: fn(&Values) -> bool| data.columns.iter().filter(|column| wanted(&column.values)).count();
    say(
        log,
        &format!(
            "data: {} files, {} rows, {} columns ({} numeric, {} categorical, {} text)",
            data.files.len(),
            data.rows(),
            data.columns.len(),
            kinds(|values| matches!(values, Values::Numeric(_))),
            kinds(|values| matches!(values, Values::Categorical { .. })),
            kinds(|values| matches!(values, Values::Text)),
        ),
    );
    for file in &data.files {
        say(log, &format!("  {} {} rows {}", file.name, file.rows, file.digest.short()));
        if file.rows == 0 {
            say(log, &format!("warning: {} has a header and no rows", file.name));
        }
    }
}

fn judge(gate: &GateSettings, metrics: &Metrics, log: &mut dyn Write) -> Result<(), TrainError> {
    let metric = gate.metric.clone();
    let limit = gate.min;
    let Some(&value) = metrics.get(&metric) else {
        let hint = model::hint(&metric, metrics.keys().map(String::as_str));
        return Err(TrainError::NoEvidence { metric, hint });
    };
    let (failed, side) = if lower_is_better(&metric) { (value > limit, "above") } else { (value < limit, "below") };
    if failed {
        return Err(TrainError::Gate { metric, value, side, limit });
    }
    say(log, &format!("gate: {metric} {value:.3} passes {limit}"));
    Ok(())
}

/// A log that nobody reads any more is no reason to lose a training.
fn say(log: &mut dyn Write, line: &str) {
    let _ = writeln!(log, "{line}");
}

fn listed(metrics: &Metrics) -> String {
    metrics.iter().map(|(name, value)| format!("{name} {value:.4}")).collect::<Vec<_>>().join(", ")
}

/// How far the `index`-th of `of` is, between 0 and 1.
fn part(index: usize, of: usize) -> f64 {
    let number = |count: usize| f64::from(u32::try_from(count).unwrap_or(u32::MAX));
    number(index) / number(of.max(1))
}

#[expect(clippy::cast_precision_loss, reason = "rows in memory are far fewer than 2^53, where every integer is exact")]
fn count(rows: u64) -> f64 {
    rows as f64
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::{TrainError, train};
    use crate::config::{GateSettings, TrainSettings};
    use crate::model::SavedModel;

    fn settings(gate: Option<GateSettings>) -> TrainSettings {
        TrainSettings {
            target: "kind".to_owned(),
            algorithms: Vec::new(),
            task: None,
            exclude: Vec::new(),
            holdout: 0.25,
            seed: 1,
            gate,
        }
    }

    #[expect(clippy::unnecessary_wraps, reason = "the setting is optional")]
    fn gate(metric: &str, min: f64) -> Option<GateSettings> {
        Some(GateSettings { metric: metric.to_owned(), min })
    }

    /// The result, the log and the reports of a training in `folder`.
    fn trained(folder: &Path, gate: Option<GateSettings>) -> (Result<(), TrainError>, String, Vec<String>) {
        let rows: String = (0..80)
            .map(|row| format!("{}.{row:02},{}\n", row % 2 * 10 + row % 7, if row % 2 == 0 { "low" } else { "high" }))
            .collect();
        let file = folder.join("a.csv");
        fs::write(&file, format!("x,kind\n{rows}")).unwrap();
        let (mut log, mut reports) = (Vec::new(), Vec::new());
        let result = train(&[file], &folder.join("model"), &settings(gate), &mut log, &mut |report| {
            reports.push(format!("{report:?}"));
            Ok(())
        });
        (result, String::from_utf8(log).unwrap(), reports)
    }

    #[test]
    fn a_training_says_what_it_did_and_leaves_a_model() {
        let folder = tempfile::tempdir().unwrap();
        let (result, log, reports) = trained(folder.path(), gate("accuracy", 0.9));
        result.unwrap();
        assert!(log.contains("data: 1 files, 80 rows, 2 columns (1 numeric, 1 categorical, 0 text)"), "{log}");
        assert!(log.contains("logistic: accuracy 1.0000") && log.contains("naive-bayes: "), "{log}");
        assert!(log.contains("gate: accuracy 1.000 passes 0.9"), "{log}");
        assert!(reports.contains(&"Metric(\"rows\", 80.0)".to_owned()), "{reports:?}");
        assert!(reports.iter().any(|report| report.starts_with("Artifact(\"model\"")), "{reports:?}");
        assert!(SavedModel::load(&folder.path().join("model")).is_ok());
    }

    #[test]
    fn a_failed_gate_fails_the_stage_and_keeps_the_model() {
        let folder = tempfile::tempdir().unwrap();
        let (result, _, _) = trained(folder.path(), gate("accuracy", 1.5));
        assert_eq!(
            result.unwrap_err().to_string(),
            "gate: accuracy 1.000 is below 1.5; the model was kept for inspection, and later stages do not run"
        );
        assert!(SavedModel::load(&folder.path().join("model")).is_ok());
    }

    #[test]
    fn of_errors_the_smaller_value_passes() {
        let folder = tempfile::tempdir().unwrap();
        assert!(trained(folder.path(), gate("log_loss", 0.6)).0.is_ok());
        let message = trained(folder.path(), gate("log_loss", -1.0)).0.unwrap_err().to_string();
        assert!(message.contains("is above -1"), "{message}");
    }

    #[test]
    fn a_gate_without_evidence_never_passes() {
        let folder = tempfile::tempdir().unwrap();
        let message = trained(folder.path(), gate("acuracy", 0.1)).0.unwrap_err().to_string();
        assert!(message.contains("did you mean \"accuracy\"?"), "{message}");
    }
}
