//! `trainyard init`: looks at the folder and writes a commented `trainyard.toml` that fits it.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use crate::config::{Detected, FILE_NAME, Template, detect, render};
use crate::disk::write_whole;
use crate::tui::Discovery;

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
    let mut detected = detect(folder);
    if let Some(name) = arguments.from {
        detected = detected.with_template(name.into());
    }
    let new_data = write(folder, &detected, arguments.force)?;
    tell(&detected, new_data, out)?;
    Ok(())
}

/// Writes the configuration for what was detected and makes the data folder; whether that is new.
pub fn write(folder: &Path, detected: &Detected, overwrites: bool) -> Result<bool, InitError> {
    let path = folder.join(FILE_NAME);
    if path.exists() && !overwrites {
        return Err(InitError::Exists { path });
    }
    let data = folder.join(&detected.data_folder);
    let new_data = !data.exists();
    fs::create_dir_all(&data).map_err(|source| InitError::Write { path: data.clone(), source })?;
    write_whole(&path, render(detected).as_bytes())
        .map_err(|source| InitError::Write { path: path.clone(), source })?;
    Ok(new_data)
}

/// Who trains.
pub fn training(detected: &Detected) -> &'static str {
    match detected.template {
        Template::Python => "a Python script trains",
        Template::Rust => "a Rust program trains",
        Template::Command => "a command of yours trains",
        Template::Model => "the built-in training is used",
    }
}

/// What was looked for in the folder, each in a line.
pub fn discoveries(detected: &Detected) -> Vec<Discovery> {
    let mut found = vec![data(detected)];
    if detected.template == Template::Model {
        found.push(target(detected));
    }
    found.push(match &detected.test_command {
        Some(command) => there(format!("tests: {}", command.join(" "))),
        None => missing("tests: none were found; [stages.test] says what is checked instead"),
    });
    if detected.has_dockerfile {
        found.push(there("image: a Dockerfile was found, which Docker Engine builds".to_owned()));
    }
    found.push(if detected.is_git {
        there("git: this is a work tree; runs name the version of their source".to_owned())
    } else {
        missing("git: this is not a work tree; `git init` lets runs name the version of their source")
    });
    found
}

fn data(detected: &Detected) -> Discovery {
    let Some(first) = detected.csv_files.first() else { return missing("data: no CSV file was found") };
    let text = match detected.csv_files.len() {
        1 => format!("data: {}", first.display()),
        count => format!("data: {count} CSV files, the first is {}", first.display()),
    };
    // A run starts with what lies in the data folder, and this file does not.
    if !first.starts_with(&detected.data_folder) {
        return missing(&format!("{text}; copy it into {} to start with it", detected.data_folder));
    }
    there(text)
}

fn target(detected: &Detected) -> Discovery {
    match &detected.target {
        Some(target) if detected.is_target_chosen => there(format!("column to predict: {target}")),
        Some(target) => there(format!("column to predict: {target} (the last one; edit `target` if it is another)")),
        None => missing("column to predict: unknown; edit `target`"),
    }
}

fn there(text: String) -> Discovery {
    Discovery { is_there: true, text }
}

fn missing(text: &str) -> Discovery {
    Discovery { is_there: false, text: text.to_owned() }
}

fn tell(detected: &Detected, new_data: bool, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "wrote {FILE_NAME}: {}", training(detected))?;
    for discovery in discoveries(detected) {
        writeln!(out, "  {}", discovery.text)?;
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
