//! The built-in training stage: reads the registered data, trains, saves the model and judges the gate.
//!
//! It lives by the contract of every stage. What it prints is for people; what the board shows goes through [`Output`].
//! The gate comes last: a model that fails it is kept for inspection, but the stage fails, and so nothing later runs.
//!
//! Clocks and signals are here, for the room of models knows neither. A TERM ends the process at once while data is read;
//! after that it is heard between rounds, so that no line of the journal of a search is lost.

mod telling;

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use signal_hook::consts::SIGTERM;

use super::contract::{Contract, ContractError, Output};
use super::data_record;
use super::gate::{self, ChampionPlace, GateError};
use crate::api::types::LeaderboardRow;
use crate::config::TrainSettings;
use crate::disk::Layout;
use crate::model::{self, Control, DataSet, DatasetError, EnvelopeError, TrainingError};
use telling::{READ, Telling, describe, listed, summarise};

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
    /// The model goes no further.
    #[error(transparent)]
    Gate(#[from] GateError),
}

/// What the stage reports to the board.
#[derive(Debug)]
enum Report<'a> {
    Progress(f64, &'a str),
    Metric(&'a str, f64),
    Artifact(&'a str, &'a Path),
    Leaderboard(&'a [LeaderboardRow]),
    /// A model was learned from this data.
    Learned(&'a DataSet),
}

/// Where reports go.
type Sink<'a> = dyn FnMut(Report<'_>) -> Result<(), ContractError> + 'a;

/// Trains under the contract of this process.
pub fn run() -> Result<(), TrainError> {
    let contract = Contract::from_environment()?;
    let settings: TrainSettings = contract.settings()?;
    let mut output = contract.output()?;
    let mut log = io::stdout().lock();
    let mut report = |report: Report<'_>| {
        if let Report::Learned(data) = report {
            data_record::keep_contract(data, &contract.project, &mut io::stdout());
        }
        send(&mut output, &report)
    };
    let began = Instant::now();
    let elapsed = || began.elapsed();
    let data = read(&contract.data, &elapsed, &mut log, &mut report)?;
    let stopped = stopped();
    let stop = || stopped.load(Ordering::Relaxed);
    let journals = journals(&contract.project);
    let control = Control { stop: &stop, elapsed: &elapsed, journals: journals.as_deref(), ..Control::alone() };
    let champion = ChampionPlace::from_environment();
    train(&data, &contract.model, &settings, champion.as_ref(), &control, &mut log, &mut report)
}

/// Set once the stage is asked to end.
fn stopped() -> Arc<AtomicBool> {
    let stopped = Arc::new(AtomicBool::new(false));
    // Where it cannot be heard it ends the process, as before.
    let _ = signal_hook::flag::register(SIGTERM, Arc::clone(&stopped));
    stopped
}

/// Where searches keep their journals: in the state folder of the project, if it is here. In a container it is not.
fn journals(project: &Path) -> Option<PathBuf> {
    let layout = Layout::new(project).ok()?;
    layout.state().is_dir().then(|| layout.searches())
}

fn send(output: &mut Output, report: &Report<'_>) -> Result<(), ContractError> {
    match report {
        Report::Progress(share, message) => output.progress(*share, message),
        Report::Metric(name, value) => output.metric(name, *value),
        Report::Artifact(name, path) => output.artifact(name, path),
        Report::Leaderboard(rows) => output.leaderboard(rows),
        Report::Learned(_) => Ok(()),
    }
}

/// Reads the data, and tells how far it is.
fn read(
    files: &[PathBuf],
    elapsed: &dyn Fn() -> Duration,
    log: &mut dyn Write,
    report: &mut Sink<'_>,
) -> Result<DataSet, TrainError> {
    report(Report::Progress(0.0, "reading data"))?;
    let mut told = Duration::ZERO;
    let mut reported = Ok(());
    let data = model::read_with(files, &mut |bytes, of| {
        let now = elapsed();
        if now.saturating_sub(told) >= Duration::from_millis(500) {
            told = now;
            let message = format!("reading data, {} of {} MB", bytes >> 20, of >> 20);
            if let Err(error) = report(Report::Progress(READ * part(bytes, of), &message)) {
                reported = Err(error);
            }
        }
    })?;
    reported?;
    describe(log, &data);
    Ok(data)
}

fn train(
    data: &DataSet,
    folder: &Path,
    settings: &TrainSettings,
    champion: Option<&ChampionPlace>,
    control: &Control<'_>,
    log: &mut dyn Write,
    report: &mut Sink<'_>,
) -> Result<(), TrainError> {
    report(Report::Progress(READ, "preparing"))?;
    let profile = data_record::profile(data, &settings.target, log);
    let mut telling = Telling::new(settings, control.elapsed, log, report);
    let (model, journal) = model::train_under(data, settings, control, &mut |step| telling.tell(&step))?;
    let told = telling.end().and_then(|()| report(Report::Progress(0.95, "saving the model")));
    let model = model.with_profile(profile.digest().ok())?;
    model.save(folder)?;
    if let Some(journal) = journal {
        journal.remove();
    }
    // A report that could not be written is an error only now: a training must not be lost for it.
    told?;
    data_record::keep_profile(&profile, folder, log);
    report(Report::Learned(data))?;
    let card = model.card();
    for (name, value) in &card.metrics {
        report(Report::Metric(name, *value))?;
    }
    report(Report::Metric("rows", count(card.rows.total)))?;
    report(Report::Artifact("model", folder))?;
    summarise(log, card);
    say(log, &format!("model: {} with {}", card.learner.describe(), listed(&card.metrics)));
    say(log, &format!("saved: {} ({})", folder.display(), model.digest().short()));
    report(Report::Progress(1.0, "done"))?;
    match &settings.gate {
        Some(gate) => Ok(gate::judge(gate, settings, &model, data, folder, champion, log)?),
        None => Ok(()),
    }
}

/// A log that nobody reads any more is no reason to lose a training.
fn say(log: &mut dyn Write, line: &str) {
    let _ = writeln!(log, "{line}");
}

/// `some` of `whole`, between 0 and 1.
fn part(some: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { (count(some) / count(whole)).clamp(0.0, 1.0) }
}

#[expect(clippy::cast_precision_loss, reason = "rows and bytes are far fewer than 2^53, where every integer is exact")]
fn count(rows: u64) -> f64 {
    rows as f64
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use std::time::Duration;

    use super::{ContractError, Report, TrainError, read, train};
    use crate::config::{GateSettings, SearchSettings, SplitSettings, TrainSettings};
    use crate::model::{Control, SavedModel};

    fn settings(gate: Option<GateSettings>) -> TrainSettings {
        TrainSettings {
            target: "kind".to_owned(),
            algorithms: Vec::new(),
            task: None,
            exclude: Vec::new(),
            holdout: 0.25,
            seed: 1,
            split: SplitSettings::Hash,
            gate,
            search: SearchSettings { trials: 4, ..SearchSettings::default() },
            slices: vec!["x".to_owned()],
            feedback: false,
        }
    }

    #[expect(clippy::unnecessary_wraps, reason = "the setting is optional")]
    fn gate(metric: &str, min: f64) -> Option<GateSettings> {
        Some(GateSettings { metric: metric.to_owned(), min: Some(min), champion: None, tolerance: 0.0 })
    }

    /// The result, the log and the reports of a training in `folder`.
    fn trained(folder: &Path, gate: Option<GateSettings>) -> (Result<(), TrainError>, String, Vec<String>) {
        let rows: String = (0..80)
            .map(|row| format!("{}.{row:02},{}\n", row % 2 * 10 + row % 7, if row % 2 == 0 { "low" } else { "high" }))
            .collect();
        let file = folder.join("a.csv");
        fs::write(&file, format!("x,kind\n{rows}")).unwrap();
        let (mut log, mut reports) = (Vec::new(), Vec::new());
        let mut report = |report: super::Report<'_>| {
            reports.push(format!("{report:?}"));
            Ok(())
        };
        let data = read(&[file], &|| Duration::ZERO, &mut log, &mut report).unwrap();
        let result =
            train(&data, &folder.join("model"), &settings(gate), None, &Control::alone(), &mut log, &mut report);
        (result, String::from_utf8(log).unwrap(), reports)
    }

    #[test]
    fn a_training_says_what_it_did_and_leaves_a_model() {
        let folder = tempfile::tempdir().unwrap();
        let (result, log, reports) = trained(folder.path(), gate("accuracy", 0.9));
        result.unwrap();
        assert!(log.contains("data: 1 file, 80 rows, 2 columns (1 numeric, 1 categorical, 0 text)"), "{log}");
        assert!(log.contains("from 1 of 1 other columns"), "{log}");
        assert!(log.contains("searching: 4 learners") && log.contains("trial 4 of 4 (learner "), "{log}");
        assert!(log.contains("accuracy 1.0000 (1.0000 to 1.0000)"), "{log}");
        assert!(log.contains("slices by accuracy:\n  x "), "{log}");
        assert!(log.contains("gate: pass\n  minimum   pass         accuracy 1.000 passes 0.9"), "{log}");
        assert!(reports.contains(&"Metric(\"rows\", 80.0)".to_owned()), "{reports:?}");
        assert!(reports.iter().any(|report| report.starts_with("Artifact(\"model\"")), "{reports:?}");
        let boards: Vec<&String> = reports.iter().filter(|report| report.starts_with("Leaderboard(")).collect();
        assert!(boards.last().unwrap().contains("state: Chosen"), "{boards:?}");
        assert!(reports.iter().any(|report| report.contains("\"trial 1 of 4\"")), "{reports:?}");
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
    fn a_report_that_cannot_be_written_fails_the_stage_and_loses_no_training() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.csv");
        let rows: String = (0..80).map(|row| format!("{row},{}\n", if row < 40 { "low" } else { "high" })).collect();
        fs::write(&file, format!("x,kind\n{rows}")).unwrap();
        let mut log = Vec::new();
        let mut report = |report: Report<'_>| match report {
            Report::Leaderboard(_) => Err(ContractError::Missing("TRAINYARD_OUTPUT")),
            _ => Ok(()),
        };
        let data = read(&[file], &|| Duration::ZERO, &mut log, &mut report).unwrap();
        let model = folder.path().join("model");
        let settings = TrainSettings { slices: Vec::new(), ..settings(None) };
        let result = train(&data, &model, &settings, None, &Control::alone(), &mut log, &mut report);
        assert!(matches!(result, Err(TrainError::Contract(_))), "{result:?}");
        assert!(SavedModel::load(&model).is_ok());
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
