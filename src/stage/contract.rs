//! The stage contract, seen from inside a stage process: the environment it gets and the lines it may append.
//!
//! A user's script in any language lives by the same contract; nothing here is a privilege of the built-in stages but
//! [`Contract::settings`], which carries their typed configuration.

use std::collections::BTreeMap;
use std::env;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::api::types::LeaderboardRow;

/// The variables of the contract, in the order of the documentation: name and meaning.
pub const VARIABLES: &[(&str, &str)] = &[
    ("TRAINYARD_PROJECT", "the project folder"),
    ("TRAINYARD_RUN", "the number of the run"),
    ("TRAINYARD_STAGE", "the name of the stage"),
    ("TRAINYARD_ATTEMPT", "the number of the attempt, from 1"),
    ("TRAINYARD_SOURCE", "the source tree, which is also the working folder"),
    ("TRAINYARD_DATA", "a file that lists the registered data files, one path a line"),
    ("TRAINYARD_MODEL", "the folder of the model: train writes it, later stages read it"),
    ("TRAINYARD_CHAMPION", "the folder of the champion, for a stage that makes a model; absent when there is none"),
    ("TRAINYARD_REPORTS", "the folder for JUnit XML"),
    ("TRAINYARD_OUTPUT", "a file to which JSON lines are appended: progress, metric, artifact, leaderboard"),
    ("TRAINYARD_BIN", "the trainyard program itself, for `$TRAINYARD_BIN predict`"),
];

/// The variable with the texts that are not written into the settings of a built-in stage, a JSON object from JSON pointers.
pub const WITHHELD: &str = "TRAINYARD_WITHHELD";

/// Why a process is not a stage.
#[derive(Debug, thiserror::Error)]
pub enum ContractError {
    /// A variable is missing.
    #[error("{0} is not set; this command is started by the daemon, not by hand (use `trainyard run`)")]
    Missing(&'static str),
    /// A file of the contract cannot be read or written.
    #[error("cannot use {path}: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The settings handed over are not those of this stage.
    #[error(
        "the settings in {path} are not readable: {source}; was the program replaced while a run was under way? start the run again"
    )]
    Settings {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: serde_json::Error,
    },
}

/// What a stage process was given.
#[derive(Debug, Clone)]
pub struct Contract {
    /// The project folder.
    pub project: PathBuf,
    /// The source tree: the work tree, or a clean checkout.
    pub source: PathBuf,
    /// The registered data files.
    pub data: Vec<PathBuf>,
    /// The folder of the model.
    pub model: PathBuf,
    /// The folder for JUnit XML.
    pub reports: PathBuf,
    output: PathBuf,
}

impl Contract {
    /// Reads the contract from the environment of this process.
    pub fn from_environment() -> Result<Self, ContractError> {
        let list = variable("TRAINYARD_DATA")?;
        let data = fs::read_to_string(&list).map_err(|source| ContractError::File { path: list.clone(), source })?;
        Ok(Self {
            project: variable("TRAINYARD_PROJECT")?,
            source: variable("TRAINYARD_SOURCE")?,
            data: data.lines().filter(|line| !line.is_empty()).map(PathBuf::from).collect(),
            model: variable("TRAINYARD_MODEL")?,
            reports: variable("TRAINYARD_REPORTS")?,
            output: variable("TRAINYARD_OUTPUT")?,
        })
    }

    /// The typed settings of a built-in stage, written by the daemon into the attempt's folder, with the secrets in their
    /// places that it does not write down.
    pub fn settings<T: DeserializeOwned>(&self) -> Result<T, ContractError> {
        let path = variable("TRAINYARD_SETTINGS")?;
        let text = fs::read(&path).map_err(|source| ContractError::File { path: path.clone(), source })?;
        let unreadable = |source| ContractError::Settings { path: path.clone(), source };
        let Ok(withheld) = env::var(WITHHELD) else { return serde_json::from_slice(&text).map_err(unreadable) };
        let mut settings: serde_json::Value = serde_json::from_slice(&text).map_err(unreadable)?;
        let values: BTreeMap<String, String> = serde_json::from_str(&withheld).map_err(unreadable)?;
        for (pointer, value) in values {
            if let Some(place) = settings.pointer_mut(&pointer) {
                *place = value.into();
            }
        }
        serde_json::from_value(settings).map_err(unreadable)
    }

    /// Opens the file for progress, metrics and artifacts.
    pub fn output(&self) -> Result<Output, ContractError> {
        let file = OpenOptions::new()
            .create(true)
            .append(true)
            .open(&self.output)
            .map_err(|source| ContractError::File { path: self.output.clone(), source })?;
        Ok(Output { file, path: self.output.clone() })
    }
}

fn variable(name: &'static str) -> Result<PathBuf, ContractError> {
    env::var_os(name).map(PathBuf::from).ok_or(ContractError::Missing(name))
}

/// The file to which a stage appends what the board shows of it.
#[derive(Debug)]
pub struct Output {
    file: File,
    path: PathBuf,
}

#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum Line<'a> {
    Metric(BTreeMap<&'a str, f64>),
    Artifact { name: &'a str, path: &'a Path },
    Release { address: &'a str },
    Leaderboard(&'a [LeaderboardRow]),
}

#[derive(Serialize)]
struct Progress<'a> {
    progress: f64,
    message: &'a str,
}

impl Output {
    /// How far the stage is, between 0 and 1, and what it does now.
    pub fn progress(&mut self, share: f64, message: &str) -> Result<(), ContractError> {
        self.append(&Progress { progress: share, message })
    }

    /// A measured value.
    pub fn metric(&mut self, name: &str, value: f64) -> Result<(), ContractError> {
        self.append(&Line::Metric(BTreeMap::from([(name, value)])))
    }

    /// A file that the stage made. The image stage reports its archive under the name `image`.
    pub fn artifact(&mut self, name: &str, path: &Path) -> Result<(), ContractError> {
        self.append(&Line::Artifact { name, path })
    }

    /// The address at which a deployed release answers.
    pub fn release(&mut self, address: &str) -> Result<(), ContractError> {
        self.append(&Line::Release { address })
    }

    /// Where what is tried stands, the whole board.
    pub fn leaderboard(&mut self, rows: &[LeaderboardRow]) -> Result<(), ContractError> {
        self.append(&Line::Leaderboard(rows))
    }

    /// One write a line, so that a reader never sees half of one.
    fn append(&mut self, line: &impl Serialize) -> Result<(), ContractError> {
        let mut text =
            serde_json::to_vec(line).map_err(|source| ContractError::Settings { path: self.path.clone(), source })?;
        text.push(b'\n');
        self.file.write_all(&text).map_err(|source| ContractError::File { path: self.path.clone(), source })
    }
}
