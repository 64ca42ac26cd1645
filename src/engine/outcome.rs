//! What an attempt left on disk, read once it is over: how it ended, what it measured, what it made.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use serde::{Deserialize, Deserializer};

use super::lineage;
use super::redact::Redactor;
use super::stamps;
use super::supervisor::{AttemptFolder, Exit};
use crate::api::types::{LEADERBOARD_ROWS, LeaderboardRow};
use crate::disk::Layout;
use crate::pipeline::quantity::counted;
use crate::pipeline::{Failure, ModelVersion, Outcome, Outputs, StageKind};
use crate::stage::report;

/// Bytes of output lines that are read at the most; a stage that reports more is not believed further.
const OUTPUT_LIMIT: u64 = 16 << 20;

/// Bytes at the end of a log in which its last line is looked for, and letters of it that are kept.
const LAST_BYTES: u64 = 4096;
const LAST_LETTERS: usize = 240;
/// Letters of what is tried that are kept: they go to every screen whenever a board changes.
const LEARNER_LETTERS: usize = 120;

/// One line that a stage appended. Unknown keys are left alone, for a later contract may have more.
#[derive(Debug, Deserialize)]
pub struct OutputLine {
    /// Between 0 and 1.
    pub progress: Option<f64>,
    /// What it does now.
    pub message: Option<String>,
    /// Measured values.
    pub metric: Option<BTreeMap<String, f64>>,
    /// What it tries, the whole board; the newest counts.
    #[serde(default, deserialize_with = "readable_rows")]
    pub leaderboard: Option<Vec<LeaderboardRow>>,
    artifact: Option<ArtifactLine>,
    release: Option<ReleaseLine>,
}

impl OutputLine {
    /// Takes secrets out of all that goes to screens and into the journal.
    fn redact(&mut self, redactor: &Redactor) {
        if redactor.is_empty() {
            return;
        }
        if let Some(message) = &mut self.message {
            redactor.redact_in(message);
        }
        if let Some(metrics) = &mut self.metric {
            redact_names(metrics, redactor);
        }
        for row in self.leaderboard.iter_mut().flatten() {
            redactor.redact_in(&mut row.learner);
            redactor.redact_in(&mut row.metric);
        }
        if let Some(release) = &mut self.release {
            redactor.redact_in(&mut release.address);
        }
    }
}

fn redact_names(metrics: &mut BTreeMap<String, f64>, redactor: &Redactor) {
    if metrics.keys().any(|name| redactor.finds(name.as_bytes())) {
        let named = std::mem::take(metrics).into_iter();
        *metrics = named.map(|(name, value)| (redactor.redact(&name).into_owned(), value)).collect();
    }
}

/// The rows that can be read: one that cannot must not take progress and metrics of its line with it.
fn readable_rows<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<LeaderboardRow>>, D::Error> {
    let rows = Option::<Vec<serde_json::Value>>::deserialize(deserializer)?;
    Ok(rows.map(|rows| rows.into_iter().filter_map(|row| serde_json::from_value(row).ok()).collect()))
}

#[derive(Debug, Deserialize)]
struct ArtifactLine {
    name: String,
    path: String,
}

#[derive(Debug, Deserialize)]
struct ReleaseLine {
    address: String,
}

/// The whole lines of an output file from byte `from` on, without secrets, and where the next begin. Lines that are no JSON
/// are passed over.
pub fn output_lines(path: &Path, from: u64, redactor: &Redactor) -> (Vec<OutputLine>, u64) {
    let Ok(mut file) = fs::File::open(path) else { return (Vec::new(), from) };
    let mut bytes = Vec::new();
    if from >= OUTPUT_LIMIT
        || file.seek(SeekFrom::Start(from)).is_err()
        || file.take(OUTPUT_LIMIT - from).read_to_end(&mut bytes).is_err()
    {
        return (Vec::new(), from);
    }
    // A line that is still being written is read the next time.
    let whole = memchr::memrchr(b'\n', &bytes).map_or(0, |end| end + 1);
    let lines = bytes[..whole].split(|byte| *byte == b'\n');
    let mut lines: Vec<OutputLine> = lines.filter_map(|line| serde_json::from_slice(line).ok()).collect();
    for line in &mut lines {
        line.redact(redactor);
    }
    (lines, from + whole as u64)
}

/// A board as it goes to screens: bounded, whatever the stage wrote.
pub fn bounded(mut board: Vec<LeaderboardRow>) -> Vec<LeaderboardRow> {
    board.truncate(LEADERBOARD_ROWS);
    for row in &mut board {
        for text in [&mut row.learner, &mut row.metric] {
            if let Some((end, _)) = text.char_indices().nth(LEARNER_LETTERS) {
                text.truncate(end);
            }
        }
    }
    board
}

/// What an attempt came to.
#[derive(Debug, Clone, PartialEq)]
pub struct Gathered {
    /// How it ended.
    pub outcome: Outcome,
    /// What it gave.
    pub outputs: Outputs,
    /// The newest board of what it tried.
    pub leaderboard: Vec<LeaderboardRow>,
    /// Whether something it left behind held its log open.
    pub output_held: bool,
    /// What people should know besides.
    pub notes: Vec<String>,
}

impl Gathered {
    /// Of an attempt of whose end nothing is known.
    pub fn interrupted() -> Self {
        Self {
            outcome: Outcome::Interrupted,
            outputs: Outputs::default(),
            leaderboard: Vec::new(),
            output_held: false,
            notes: Vec::new(),
        }
    }

    /// Takes secrets out of the words for how it ended, out of its tests, and out of what people are told besides.
    pub fn redact(&mut self, redactor: &Redactor) {
        if redactor.is_empty() {
            return;
        }
        redact_result(&mut self.outcome, &mut self.outputs, redactor);
        for note in &mut self.notes {
            redactor.redact_in(note);
        }
    }
}

/// Takes secrets out of the words for how an attempt ended, and of what it gave.
pub(super) fn redact_result(outcome: &mut Outcome, outputs: &mut Outputs, redactor: &Redactor) {
    match outcome {
        Outcome::Failed(failure) => redact_failure(failure, redactor),
        Outcome::Passed | Outcome::Cancelled | Outcome::Interrupted => {}
    }
    for test in outputs.tests.iter_mut().flat_map(|report| &mut report.failing) {
        redactor.redact_in(&mut test.name);
        redactor.redact_in(&mut test.message);
    }
    if let Some(address) = &mut outputs.address {
        redactor.redact_in(address);
    }
    redact_names(&mut outputs.metrics, redactor);
}

fn redact_failure(failure: &mut Failure, redactor: &Redactor) {
    match failure {
        Failure::Exit { said: text, .. }
        | Failure::NotStarted { error: text }
        | Failure::BadReport { error: text }
        | Failure::DataChanged { file: text }
        | Failure::NoOutput { what: text }
        | Failure::Gate { reason: text } => redactor.redact_in(text),
        Failure::Signal { .. }
        | Failure::TimedOut
        | Failure::TestsFailed { .. }
        | Failure::NoReport
        | Failure::NoTests => {}
    }
}

/// Reads what the attempt left, without secrets. Blocking: it digests what was made.
pub fn gather(
    layout: &Layout,
    folder: &AttemptFolder,
    kind: StageKind,
    model: Option<ModelVersion>,
    redactor: &Redactor,
) -> Gathered {
    let Some(exit) = folder.exit() else {
        // A supervisor that failed before it noted itself has said why; nothing of the stage was started.
        let outcome = match folder.supervision() {
            None => Outcome::Failed(Failure::NotStarted { error: last_line(&folder.path().join("supervisor.log")) }),
            Some(_) => Outcome::Interrupted,
        };
        let mut gathered = Gathered { outcome, ..Gathered::interrupted() };
        gathered.redact(redactor);
        return gathered;
    };
    let mut outcome = outcome_of(&exit, &folder.log());
    if outcome == Outcome::Passed
        && let Some(file) = stamps::changed(folder)
    {
        outcome = Outcome::Failed(Failure::DataChanged { file });
    }
    let mut outputs = Outputs::default();
    let (mut image, mut leaderboard) = (None, Vec::new());
    for line in output_lines(&folder.output(), 0, redactor).0 {
        outputs.metrics.extend(line.metric.unwrap_or_default());
        if let Some(artifact) = line.artifact.filter(|artifact| artifact.name == "image") {
            image = Some(artifact.path);
        }
        if let Some(board) = line.leaderboard {
            leaderboard = bounded(board);
        }
        if let Some(release) = line.release {
            outputs.address = Some(release.address);
        }
    }
    match report::read(&folder.reports()) {
        Ok(report) => outputs.tests = report,
        Err(error) if outcome == Outcome::Passed => {
            outcome = Outcome::Failed(Failure::BadReport { error: error.to_string() });
        }
        Err(_) => {}
    }
    if let Some(version) = model {
        let path = layout.model(version);
        let is_empty = fs::read_dir(&path).map_or(true, |mut entries| entries.next().is_none());
        if !is_empty && let Ok(digest) = lineage::digest(&path) {
            outputs.model = Some(version);
            outputs.digest = Some(digest);
        }
    }
    if kind == StageKind::Image
        && let Some(path) = image
    {
        let path = Path::new(&path);
        if let Ok(relative) = path.strip_prefix(layout.state())
            && path.exists()
        {
            outputs.image = Some(relative.display().to_string());
            outputs.digest = path.file_stem().map(|stem| crate::pipeline::Digest(stem.to_string_lossy().into_owned()));
        }
    }
    let mut gathered =
        Gathered { outcome, outputs, leaderboard, output_held: exit.output_held, notes: notes_of(&exit) };
    gathered.redact(redactor);
    gathered
}

fn outcome_of(exit: &Exit, log: &Path) -> Outcome {
    match (&exit.not_started, exit.code, exit.signal) {
        (Some(error), _, _) => Outcome::Failed(Failure::NotStarted { error: error.clone() }),
        (None, Some(0), _) => Outcome::Passed,
        (None, Some(code), _) => Outcome::Failed(Failure::Exit { code, said: last_line(log) }),
        (None, None, Some(signal)) => Outcome::Failed(Failure::Signal { signal }),
        (None, None, None) => Outcome::Interrupted,
    }
}

/// The last line that a stage printed and that says something, for most programs tell there why they failed.
pub(super) fn last_line(log: &Path) -> String {
    let Ok(mut file) = fs::File::open(log) else { return String::new() };
    let length = file.metadata().map_or(0, |metadata| metadata.len());
    let mut bytes = Vec::new();
    if file.seek(SeekFrom::Start(length.saturating_sub(LAST_BYTES))).is_err() || file.read_to_end(&mut bytes).is_err() {
        return String::new();
    }
    let text = String::from_utf8_lossy(&bytes);
    let line = text.lines().rev().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    let line = line.strip_prefix("trainyard: ").unwrap_or(line);
    line.chars().filter(|letter| !letter.is_control()).take(LAST_LETTERS).collect()
}

fn notes_of(exit: &Exit) -> Vec<String> {
    let mut notes = Vec::new();
    if exit.log_lost > 0 {
        let error = exit.log_error.clone().unwrap_or_default();
        notes.push(format!("{} of a log could not be written: {error}", counted(exit.log_lost, "byte")));
    }
    if let Some(error) = &exit.unredacted {
        notes.push(format!("its output or its reports may hold a secret, for they could not be written anew: {error}"));
    }
    if exit.output_held {
        notes.push(format!(
            "a stage left {} behind that held its log open; what was left was ended",
            counted(exit.left_behind.max(1), "process")
        ));
    }
    notes
}

/// Whether what an earlier pass gave is all there and undamaged. Blocking: it digests.
pub fn is_intact(layout: &Layout, outputs: &Outputs) -> bool {
    if let Some(version) = outputs.model {
        let digest = lineage::digest(&layout.model(version)).ok();
        if digest.is_none() || digest != outputs.digest {
            return false;
        }
    }
    match &outputs.image {
        // The name of an image is the digest of its manifest, by which the target verifies it again before it uses it.
        Some(image) => crate::target::archive::ImageArchive::open(
            &layout.state().join(image),
            outputs.digest.as_ref().unwrap_or(&crate::pipeline::Digest(String::new())),
        )
        .is_ok(),
        None => true,
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{Redactor, bounded, output_lines};
    use crate::api::types::{LEADERBOARD_ROWS, TrialState};

    #[test]
    fn a_board_of_any_script_is_read_with_what_it_says() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("output.jsonl");
        let text = concat!(
            "{\"leaderboard\":[{\"trial\":1,\"learner\":\"net\"},{\"trial\":2,\"learner\":\"tree\",\"metric\":\"accuracy\",",
            "\"mean\":0.71,\"deviation\":0.01,\"rung\":2,\"of\":3,\"state\":\"dropped\",\"seconds\":1.2}]}\n",
            "{\"progress\":0.5,\"leaderboard\":[{\"trial\":\"one\"},{\"trial\":3,\"learner\":\"net\"}]}\n",
        );
        fs::write(&path, text).unwrap();
        let (lines, next) = output_lines(&path, 0, &Redactor::none());
        assert_eq!((lines.len(), next), (2, text.len() as u64));
        let board = lines[0].leaderboard.clone().unwrap();
        assert_eq!((board[0].trial, board[0].mean, board[0].state), (1, None, TrialState::Running));
        assert_eq!((board[1].mean, board[1].rung, board[1].state), (Some(0.71), 2, TrialState::Dropped));
        let readable = lines[1].leaderboard.clone().unwrap();
        assert_eq!((lines[1].progress, readable.len(), readable[0].trial), (Some(0.5), 1, 3));
    }

    #[test]
    fn a_board_without_end_is_cut() {
        let row = "{\"trial\":1,\"learner\":\"가\"}";
        let board: Vec<_> = (0..80).map(|_| serde_json::from_str(row).unwrap()).collect();
        let mut long: crate::api::types::LeaderboardRow = serde_json::from_str(row).unwrap();
        long.learner = "가".repeat(500);
        let board = bounded([vec![long], board].concat());
        assert_eq!((board.len(), board[0].learner.chars().count()), (LEADERBOARD_ROWS, 120));
    }
}
