//! `trainyard init`: looks at the folder and writes a commented `trainyard.toml` that fits it.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use crate::config::{Detected, FILE_NAME, Template, detect, render};
use crate::disk::write_whole;

/// The arguments of `trainyard init`.
#[derive(Debug, Clone, Args)]
pub struct InitArguments {
    /// What to start from; without it, what the folder looks like
    #[arg(long, value_enum, value_name = "TEMPLATE")]
    pub from: Option<TemplateName>,
    /// Overwrite a `trainyard.toml` that is there
    #[arg(long)]
    pub force: bool,
}

/// A template as it is named on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum TemplateName {
    /// Training is a Python script
    Python,
    /// Training is a Rust program
    Rust,
    /// Training is any other command
    Command,
    /// Training is built in: a CSV and a column to predict
    Model,
}

impl From<TemplateName> for Template {
    fn from(name: TemplateName) -> Self {
        match name {
            TemplateName::Python => Self::Python,
            TemplateName::Rust => Self::Rust,
            TemplateName::Command => Self::Command,
            TemplateName::Model => Self::Model,
        }
    }
}

/// Why no configuration was written.
#[derive(Debug, thiserror::Error)]
pub enum InitError {
    /// There is one already.
    #[error("{path} is there already; `trainyard check` validates it, `trainyard init --force` overwrites it")]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// A file or folder cannot be made.
    #[error("cannot write {path}: {source}; is the folder writable?")]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// What was done cannot be told.
    #[error("cannot write the result: {0}")]
    Output(#[from] io::Error),
}

/// Writes `trainyard.toml` into `folder`, makes the data folder and tells on `out` what was found and what comes next.
/// Nothing is added to git.
pub fn run(folder: &Path, arguments: &InitArguments, out: &mut impl Write) -> Result<(), InitError> {
    let path = folder.join(FILE_NAME);
    if path.exists() && !arguments.force {
        return Err(InitError::Exists { path });
    }
    let mut detected = detect(folder);
    if let Some(name) = arguments.from {
        detected = detected.with_template(name.into());
    }
    let data = folder.join(&detected.data_folder);
    let new_data = !data.exists();
    fs::create_dir_all(&data).map_err(|source| InitError::Write { path: data.clone(), source })?;
    write_whole(&path, render(&detected).as_bytes())
        .map_err(|source| InitError::Write { path: path.clone(), source })?;
    tell(&detected, new_data, out)?;
    Ok(())
}

fn tell(detected: &Detected, new_data: bool, out: &mut impl Write) -> io::Result<()> {
    let training = match detected.template {
        Template::Python => "a Python script trains",
        Template::Rust => "a Rust program trains",
        Template::Command => "a command of yours trains",
        Template::Model => "the built-in training is used",
    };
    writeln!(out, "wrote {FILE_NAME}: {training}")?;
    match detected.csv_files.as_slice() {
        [] => writeln!(out, "  data: no CSV file was found")?,
        [only] => writeln!(out, "  data: {}", only.display())?,
        [first, ..] => {
            writeln!(out, "  data: {} CSV files, the first is {}", detected.csv_files.len(), first.display())?;
        }
    }
    if detected.template == Template::Model {
        match &detected.target {
            Some(target) => {
                writeln!(out, "  column to predict: {target} (the last one; edit `target` if it is another)")?;
            }
            None => writeln!(out, "  column to predict: unknown; edit `target`")?,
        }
    }
    match &detected.test_command {
        Some(command) => writeln!(out, "  tests: {}", command.join(" "))?,
        None => writeln!(out, "  tests: none were found; [stages.test] says what is checked instead")?,
    }
    if !detected.is_git {
        writeln!(out, "  git: this is not a work tree; `git init` lets runs name the version of their source")?;
    }
    if new_data {
        writeln!(out, "made the folder {}: put data files there, each new one starts a run", detected.data_folder)?;
    }
    writeln!(out, "\nnext:\n  trainyard check\n  trainyard")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::load;

    const PLAIN: InitArguments = InitArguments { from: None, force: false };

    fn init(folder: &Path, arguments: &InitArguments) -> Result<String, InitError> {
        let mut out = Vec::new();
        run(folder, arguments, &mut out)?;
        Ok(String::from_utf8(out).unwrap())
    }

    #[test]
    fn a_folder_with_a_csv_becomes_a_valid_project() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("wine.csv"), "acid,quality\n1,2\n").unwrap();
        let told = init(folder.path(), &PLAIN).unwrap();
        assert!(told.contains("column to predict: quality"), "{told}");
        assert!(told.ends_with("next:\n  trainyard check\n  trainyard\n"), "{told}");
        assert!(folder.path().join("data").is_dir());
        assert_eq!(load(folder.path()).unwrap().stages.len(), 4);
    }

    #[test]
    fn a_configuration_is_only_overwritten_by_force() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE_NAME);
        fs::write(&path, "mine").unwrap();
        assert!(matches!(init(folder.path(), &PLAIN), Err(InitError::Exists { .. })));
        assert_eq!(fs::read_to_string(&path).unwrap(), "mine");
        init(folder.path(), &InitArguments { from: Some(TemplateName::Python), force: true }).unwrap();
        assert!(load(folder.path()).is_ok());
    }
}
