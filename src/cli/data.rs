//! `trainyard data`: what is in the data files, what they must hold, and whether a file does.
//!
//! It works on files alone and asks no daemon; what the daemon registers is judged by the same functions.

mod profile_table;

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Subcommand;
use serde::Serialize;

use super::failure::{Failure, failed};
use super::project::layout;
use super::table::terminal_width;
use crate::config::{self, Action, Settings};
use crate::model::{self, Checked, ContractFileError, DataContract, DataSet, Profile};
use crate::pipeline::quantity::counted;
use crate::watch;

/// The subcommands of `trainyard data`.
#[derive(Debug, Clone, Subcommand)]
pub enum DataCommand {
    /// Hold files against the data contract, and tell where they break it
    #[command(after_help = "Example: trainyard data check new/winter.csv")]
    Check {
        /// The files; without any, those in the data folder
        #[arg(value_name = "FILE")]
        files: Vec<PathBuf>,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Print the data contract that the files keep
    #[command(after_help = "Example: trainyard data infer --write")]
    Infer {
        /// The files; without any, those in the data folder
        #[arg(value_name = "FILE")]
        files: Vec<PathBuf>,
        /// Write it into the project, unless there is one
        #[arg(long)]
        write: bool,
    },
    /// Show what is in the data: counts, spread, the most frequent values, what is odd
    #[command(after_help = "Example: trainyard data profile --json")]
    Profile {
        /// The files; without any, those in the data folder
        #[arg(value_name = "FILE")]
        files: Vec<PathBuf>,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
}

impl DataCommand {
    /// Whether it prints what programs read.
    pub fn is_for_machines(&self) -> bool {
        match self {
            Self::Check { json, .. } | Self::Profile { json, .. } => *json,
            Self::Infer { write, .. } => !write,
        }
    }

    /// Whether it changes something.
    pub fn acts(&self) -> bool {
        matches!(self, Self::Infer { write: true, .. })
    }
}

/// Does it.
pub fn run(folder: &Path, command: &DataCommand, out: &mut impl Write) -> Result<(), Failure> {
    let project = Project::open(folder)?;
    match command {
        DataCommand::Check { files, json } => check(&project, files, *json, out),
        DataCommand::Infer { files, write } => infer(&project, files, *write, out),
        DataCommand::Profile { files, json } => {
            let profile = Profile::of(&project.read(files)?, project.target());
            if *json {
                out.write_all(&profile.to_json()?)?;
            } else {
                profile_table::print(&profile, terminal_width(), out)?;
            }
            Ok(())
        }
    }
}

/// What the commands need of a project.
struct Project {
    folder: PathBuf,
    settings: Settings,
}

impl Project {
    fn open(folder: &Path) -> Result<Self, Failure> {
        let layout = layout(folder)?;
        let settings = config::load(&layout.configuration()).map_err(|error| Failure::Usage(error.to_string()))?;
        Ok(Self { folder: layout.project().to_owned(), settings })
    }

    fn contract(&self) -> PathBuf {
        self.folder.join(&self.settings.data.contract)
    }

    /// The column that the first built-in training predicts; empty when there is none.
    fn target(&self) -> &str {
        let mut trainings = self.settings.stages.iter().filter_map(|stage| match &stage.action {
            Action::Train(train) => Some(train.target.as_str()),
            Action::Command(_) | Action::Image(_) | Action::Deploy(_) => None,
        });
        trainings.next().unwrap_or_default()
    }

    /// The files that were named, else those in the data folder.
    fn files(&self, named: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
        if !named.is_empty() {
            return Ok(named.to_vec());
        }
        let root = self.folder.join(&self.settings.data.path);
        let found = watch::data_files(&root, &self.settings.data.include);
        if found.is_empty() {
            let include = self.settings.data.include.join(", ");
            return Err(Failure::Usage(format!(
                "there is no data file in {} ({include}); put one there, or name files",
                root.display()
            )));
        }
        Ok(found)
    }

    fn read(&self, named: &[PathBuf]) -> Result<DataSet, Failure> {
        model::read(&self.files(named)?).map_err(failed)
    }
}

/// What came of one file.
#[derive(Serialize)]
struct FileReport {
    file: PathBuf,
    #[serde(skip_serializing_if = "Option::is_none")]
    checked: Option<Checked>,
    /// Why it is no readable table.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

impl FileReport {
    fn is_kept(&self) -> bool {
        self.checked.as_ref().is_some_and(Checked::is_kept)
    }
}

fn check(project: &Project, named: &[PathBuf], json: bool, out: &mut impl Write) -> Result<(), Failure> {
    let path = project.contract();
    let contract = model::load_contract(&path).map_err(|error| match error {
        ContractFileError::Invalid(_) => Failure::Usage(error.to_string()),
        ContractFileError::File { .. } => failed(error),
    })?;
    let contract = contract.ok_or_else(|| {
        Failure::Usage(format!(
            "there is no data contract {}; `trainyard data infer --write` writes the one that the data keeps",
            path.display()
        ))
    })?;
    let reports: Vec<FileReport> = project.files(named)?.into_iter().map(|file| report(file, &contract)).collect();
    if json {
        serde_json::to_writer_pretty(&mut *out, &reports).map_err(failed)?;
        writeln!(out)?;
    } else {
        for report in &reports {
            tell(report, out)?;
        }
    }
    if reports.iter().all(FileReport::is_kept) { Ok(()) } else { Err(Failure::Said(1)) }
}

fn report(file: PathBuf, contract: &DataContract) -> FileReport {
    match model::check_contract(&file, contract) {
        Ok(checked) => FileReport { file, checked: Some(checked), error: None },
        Err(error) => FileReport { file, checked: None, error: Some(error.to_string()) },
    }
}

fn tell(report: &FileReport, out: &mut impl Write) -> Result<(), Failure> {
    let file = report.file.display();
    if let Some(error) = &report.error {
        writeln!(out, "{error}")?;
    }
    let Some(checked) = &report.checked else { return Ok(()) };
    if checked.is_kept() {
        let verb = if checked.rows == 1 { "keeps" } else { "keep" };
        writeln!(out, "{file}: {} {verb} the contract", counted(checked.rows, "row"))?;
    }
    for violation in &checked.violations {
        writeln!(out, "{file}, {violation}")?;
    }
    if checked.more > 0 {
        writeln!(out, "{file}: and {} more", checked.more)?;
    }
    Ok(())
}

fn infer(project: &Project, named: &[PathBuf], write: bool, out: &mut impl Write) -> Result<(), Failure> {
    let text = model::infer_contract(&project.read(named)?);
    if !write {
        out.write_all(text.as_bytes())?;
        return Ok(());
    }
    let path = project.contract();
    if !model::write_new_contract(&path, &text).map_err(failed)? {
        return Err(Failure::Failed(format!(
            "{} is there and is yours to edit; `trainyard data infer` prints what would be inferred now",
            path.display()
        )));
    }
    writeln!(out, "{} was written; edit and commit it", path.display())?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::{DataCommand, Failure, run};

    fn project() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("trainyard.toml"), "[stages.train]\nuses = \"train\"\ntarget = \"y\"\n").unwrap();
        fs::create_dir(folder.path().join("data")).unwrap();
        fs::write(folder.path().join("data/a.csv"), "x,y\n1,a\n2,b\n3,a\n").unwrap();
        folder
    }

    fn told(folder: &Path, command: &DataCommand) -> (Result<(), Failure>, String) {
        let mut out = Vec::new();
        let result = run(folder, command, &mut out);
        (result, String::from_utf8(out).unwrap())
    }

    fn check(folder: &Path, file: &str, json: bool) -> (Result<(), Failure>, String) {
        told(folder, &DataCommand::Check { files: vec![folder.join(file)], json })
    }

    #[test]
    fn a_contract_is_inferred_written_once_and_held_against_files() {
        let folder = project();
        let folder = folder.path();
        assert!(matches!(check(folder, "data/a.csv", false).0, Err(Failure::Usage(_))));
        let infer = |write| told(folder, &DataCommand::Infer { files: Vec::new(), write });
        let (_, printed) = infer(false);
        assert!(printed.contains("[columns.x]\ntype = \"number\"\n"), "{printed}");
        assert!(infer(true).0.is_ok());
        assert_eq!(fs::read_to_string(folder.join("data.toml")).unwrap(), printed);
        assert!(matches!(infer(true).0, Err(Failure::Failed(_))));
        assert!(check(folder, "data/a.csv", false).1.ends_with("a.csv: 3 rows keep the contract\n"));
        fs::write(folder.join("b.csv"), "x,y\none,a\n2,b\n").unwrap();
        let (result, told) = check(folder, "b.csv", false);
        assert!(matches!(result, Err(Failure::Said(1))));
        assert!(told.ends_with("b.csv, line 2, column \"x\": \"one\" is no finite number\n"), "{told}");
        let (_, told) = check(folder, "b.csv", true);
        let value: serde_json::Value = serde_json::from_str(&told).unwrap();
        assert_eq!(value[0]["checked"]["violations"][0]["line"], 2);
        let (result, told) = check(folder, "nowhere.csv", false);
        assert!(result.is_err() && told.contains("cannot read"), "{told}");
    }

    #[test]
    fn a_broken_contract_is_wrong_usage_with_its_place() {
        let folder = project();
        fs::write(folder.path().join("data.toml"), "[columns.x]\ntype = \"numbr\"\n").unwrap();
        let (result, _) = check(folder.path(), "data/a.csv", false);
        let failure = result.unwrap_err();
        assert_eq!(failure.code(), 2);
        assert!(failure.to_string().starts_with("data.toml:2:8: "), "{failure}");
    }

    #[test]
    fn the_profile_is_json_for_programs() {
        let folder = project();
        let (result, told) = told(folder.path(), &DataCommand::Profile { files: Vec::new(), json: true });
        result.unwrap();
        let value: serde_json::Value = serde_json::from_str(&told).unwrap();
        assert_eq!(value["rows"], 3);
        assert_eq!(value["target"], "y");
        assert_eq!(value["balance"][0]["rows"], 2);
    }
}
