//! Looks at a folder and guesses what kind of project it is, so that `trainyard init` can write a configuration that
//! fits.
//!
//! A guess never fails: what cannot be read counts as absent, and the user edits the result anyway.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use super::folder_name;
use super::settings::TargetKind;
use super::world::{is_executable, is_git_work_tree};

/// The most bytes of a CSV file that are read for its header.
const HEADER_LIMIT: u64 = 64 * 1024;

/// The most entries of a folder that are looked at: a guess must not take long in a folder of a million files.
const ENTRY_LIMIT: usize = 10_000;

/// Folders that hold no data of the user's.
const SKIPPED: &[&str] = &["target", "node_modules", "venv", "env", "__pycache__", "tests", "test"];

/// What a configuration starts from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Template {
    /// Training is a Python script.
    Python,
    /// Training is a Rust program.
    Rust,
    /// Training is any other command.
    Command,
    /// Training is built in: a CSV and a column to predict.
    Model,
}

/// What was found in a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Detected {
    /// The template that fits best.
    pub template: Template,
    /// The name of the folder.
    pub name: String,
    /// The data folder, relative; it may have to be made.
    pub data_folder: String,
    /// The column to predict: the last one of the first CSV, unless the user chose another.
    pub target: Option<String>,
    /// Whether the user named that column, so that it is no guess.
    pub is_target_chosen: bool,
    /// Where releases run, if the project has any.
    pub deploy_target: TargetKind,
    /// The CSV files of the folder, of the data folder and of the folders in it, relative and sorted.
    pub csv_files: Vec<PathBuf>,
    /// Whether the folder is in a git work tree.
    pub is_git: bool,
    /// Whether there is a Dockerfile: then it is built, and its image runs as a container.
    pub has_dockerfile: bool,
    /// The command that trains, if a script for it was found.
    pub train_command: Option<Vec<String>>,
    /// The command that tests, if tests were found.
    pub test_command: Option<Vec<String>>,
    /// The command that serves, if a script for it was found.
    pub app_command: Option<Vec<String>>,
}

impl Detected {
    /// The same folder, seen as the template that the user asked for.
    #[must_use]
    pub fn with_template(self, template: Template) -> Self {
        if template == self.template {
            return self;
        }
        let (train_command, app_command) = (None, None);
        Self { template, train_command, app_command, ..self }
    }

    /// The same `folder`, of which the user chose a data file: where it lies is the data folder, and its last column is
    /// predicted. The first one is what was proposed anyway.
    #[must_use]
    pub fn with_data_file(mut self, folder: &Path, name: &str) -> Self {
        let place = self.csv_files.iter().position(|file| file.to_string_lossy() == name);
        let Some(place) = place.filter(|place| *place > 0) else { return self };
        let file = self.csv_files.remove(place);
        let (data_folder, target) = (data_folder(std::slice::from_ref(&file)), last_column(&folder.join(&file)));
        self.csv_files.insert(0, file);
        Self { data_folder, target, ..self }
    }

    /// The same folder with the column that the user chose.
    #[must_use]
    pub fn with_target(self, column: &str) -> Self {
        Self { target: Some(column.to_owned()), is_target_chosen: true, ..self }
    }

    /// The same folder with releases that run where the user chose; where they cannot run, nothing changes.
    #[must_use]
    pub fn with_deploy_target(self, kind: TargetKind) -> Self {
        if self.deploy_targets().contains(&kind) { Self { deploy_target: kind, ..self } } else { self }
    }

    /// Where releases of this project can run, the proposal first; nowhere without a program that serves.
    pub fn deploy_targets(&self) -> &'static [TargetKind] {
        if self.has_dockerfile {
            // An image of a Dockerfile is none that a process could be unpacked from.
            &[TargetKind::Docker, TargetKind::Kubernetes]
        } else if self.template == Template::Model || self.app_command.is_some() {
            &[TargetKind::Process, TargetKind::Docker, TargetKind::Kubernetes]
        } else {
            &[]
        }
    }

    /// The columns that can be predicted: those of the first CSV file.
    pub fn columns(&self, folder: &Path) -> Vec<String> {
        let header = self.csv_files.first().and_then(|file| header(&folder.join(file)));
        header.unwrap_or_default().into_iter().filter(|column| is_sound(column)).collect()
    }
}

/// Looks at `folder`.
pub fn detect(folder: &Path) -> Detected {
    let csv_files = csv_files(folder);
    let (template, train_command) = training(folder, !csv_files.is_empty());
    let target = csv_files.first().and_then(|file| last_column(&folder.join(file)));
    let has_dockerfile = folder.join("Dockerfile").is_file();
    Detected {
        template,
        name: folder_name(folder).replace('/', "-"),
        data_folder: data_folder(&csv_files),
        target,
        is_target_chosen: false,
        deploy_target: if has_dockerfile { TargetKind::Docker } else { TargetKind::Process },
        is_git: is_git_work_tree(folder),
        has_dockerfile,
        train_command,
        test_command: tests(folder),
        app_command: app(folder, template),
        csv_files,
    }
}

fn command(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

/// A training script decides; without one a CSV is enough for the built-in training.
fn training(folder: &Path, has_csv: bool) -> (Template, Option<Vec<String>>) {
    let has = |name: &str| folder.join(name).is_file();
    if has("train.py") {
        (Template::Python, Some(command(&["python3", "train.py"])))
    } else if has("src/bin/train.rs") {
        (Template::Rust, Some(command(&["cargo", "run", "--release", "--bin", "train"])))
    } else if has("train.sh") {
        (Template::Command, Some(command(&["sh", "train.sh"])))
    } else if has_csv {
        (Template::Model, None)
    } else if has("pyproject.toml") || has("requirements.txt") || has("setup.py") {
        (Template::Python, None)
    } else if has("Cargo.toml") {
        (Template::Rust, None)
    } else {
        (Template::Model, None)
    }
}

fn tests(folder: &Path) -> Option<Vec<String>> {
    let files = entries(&folder.join("tests"));
    let name_of = |path: &PathBuf| path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    if files.iter().any(|file| has_extension(file, "py") && name_of(file).starts_with("test_")) {
        let junit = "$TRAINYARD_REPORTS/junit.xml";
        return Some(command(&["python3", "-m", "pytest", "-q", "--junitxml", junit]));
    }
    if folder.join("Cargo.toml").is_file() {
        return Some(command(&["cargo", "test"]));
    }
    if folder.join("test.sh").is_file() {
        return Some(command(&["sh", "test.sh"]));
    }
    let script = files.iter().find(|file| has_extension(file, "sh") && is_executable(file))?;
    Some(command(&["sh", &format!("tests/{}", name_of(script))]))
}

/// The app of a project that trains by itself; the built-in training has a built-in server.
fn app(folder: &Path, template: Template) -> Option<Vec<String>> {
    let (program, names): (&str, &[&str]) = match template {
        Template::Python => ("python3", &["app.py", "serve.py", "server.py"]),
        Template::Command => ("sh", &["app.sh", "serve.sh", "server.sh"]),
        Template::Rust | Template::Model => return None,
    };
    let name = names.iter().find(|name| folder.join(name).is_file())?;
    Some(command(&[program, name]))
}

/// Relative paths: those in `data/` first, then those in other folders, then those in the folder itself.
fn csv_files(folder: &Path) -> Vec<PathBuf> {
    let in_folder = |path: &Path| -> Vec<PathBuf> {
        entries(path).into_iter().filter(|file| has_extension(file, "csv") && file.is_file()).collect()
    };
    let mut folders: Vec<PathBuf> =
        entries(folder).into_iter().filter(|path| path.is_dir() && may_hold_data(path)).collect();
    folders.sort_by_key(|path| (!path.ends_with("data"), path.clone()));
    folders.push(folder.to_owned());
    let found = folders.iter().flat_map(|path| in_folder(path));
    found.filter_map(|file| file.strip_prefix(folder).ok().map(Path::to_owned)).collect()
}

fn may_hold_data(folder: &Path) -> bool {
    let name = folder.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    !name.starts_with('.') && !SKIPPED.contains(&name.as_str())
}

/// `data`, unless exactly one folder holds CSV files and it is another one.
fn data_folder(csv_files: &[PathBuf]) -> String {
    let mut folders: Vec<&Path> =
        csv_files.iter().filter_map(|file| file.parent()).filter(|folder| !folder.as_os_str().is_empty()).collect();
    folders.dedup();
    match folders.as_slice() {
        [only] => only.to_str().unwrap_or("data").to_owned(),
        _ => "data".to_owned(),
    }
}

/// The entries of a folder, sorted; none if it cannot be read.
fn entries(folder: &Path) -> Vec<PathBuf> {
    let found = fs::read_dir(folder).into_iter().flatten().take(ENTRY_LIMIT);
    let mut paths: Vec<PathBuf> = found.filter_map(|entry| entry.ok().map(|entry| entry.path())).collect();
    paths.sort();
    paths
}

fn has_extension(path: &Path, wanted: &str) -> bool {
    path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case(wanted))
}

/// The last column that the header of a CSV file names.
fn last_column(path: &Path) -> Option<String> {
    header(path)?.pop().filter(|column| is_sound(column))
}

/// Whether a column can be named in the configuration.
fn is_sound(column: &str) -> bool {
    !column.is_empty() && !column.contains(char::is_control)
}

/// The columns that the header of a CSV file names.
fn header(path: &Path) -> Option<Vec<String>> {
    let mut line = Vec::new();
    let file = File::open(path).ok()?;
    BufReader::new(file.take(HEADER_LIMIT)).read_until(b'\n', &mut line).ok()?;
    let header = String::from_utf8(line).ok()?;
    let header = header.trim_start_matches('\u{feff}').trim_end_matches(['\r', '\n']);
    Some(split_header(header).into_iter().map(|column| column.trim().to_owned()).collect())
}

/// The fields of one line of a CSV: commas between, quotes around a field that contains one, a quote written twice.
fn split_header(line: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut quoted = false;
    let mut letters = line.chars().peekable();
    while let Some(letter) = letters.next() {
        let doubled = quoted && letter == '"' && letters.peek() == Some(&'"');
        if letter == ',' && !quoted {
            fields.push(String::new());
        } else if letter == '"' && !doubled {
            quoted = !quoted;
        } else if let Some(field) = fields.last_mut() {
            field.push(letter);
            if doubled {
                letters.next();
            }
        }
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder with files of the given names and contents.
    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, content) in files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        }
        folder
    }

    #[test]
    fn a_csv_without_a_script_is_a_project_of_the_built_in_training() {
        let folder = folder(&[("wine.csv", "\u{feff}acid,\"a, b\",quality\r\n1,2,3\r\n")]);
        let detected = detect(folder.path());
        assert_eq!(detected.template, Template::Model);
        assert_eq!(detected.target.as_deref(), Some("quality"));
        assert_eq!(detected.csv_files, [PathBuf::from("wine.csv")]);
        assert_eq!(detected.data_folder, "data");
        assert_eq!(detected.test_command, None);
    }

    #[test]
    fn the_only_folder_with_csv_files_is_the_data_folder() {
        let folder = folder(&[("batches/1.csv", "a,b\n"), ("batches/2.csv", "a,b\n"), ("tests/x.csv", "a\n")]);
        assert_eq!(detect(folder.path()).data_folder, "batches");
    }

    #[test]
    fn among_several_folders_data_is_the_data_folder() {
        let folder = folder(&[("batches/1.csv", "a,b\n"), ("data/2.csv", "c,d\n")]);
        let detected = detect(folder.path());
        assert_eq!(detected.data_folder, "data");
        assert_eq!(detected.target.as_deref(), Some("d"));
    }

    #[test]
    fn scripts_decide_the_template() {
        let template = |files: &[(&str, &str)]| detect(folder(files).path()).template;
        assert_eq!(template(&[("train.py", ""), ("a.csv", "a\n")]), Template::Python);
        assert_eq!(template(&[("src/bin/train.rs", ""), ("Cargo.toml", "")]), Template::Rust);
        assert_eq!(template(&[("train.sh", "")]), Template::Command);
        assert_eq!(template(&[]), Template::Model);
    }

    #[test]
    fn tests_are_found() {
        let tests = |files: &[(&str, &str)]| detect(folder(files).path()).test_command.unwrap().join(" ");
        let pytest = "python3 -m pytest -q --junitxml $TRAINYARD_REPORTS/junit.xml";
        assert_eq!(tests(&[("tests/test_model.py", "")]), pytest);
        assert_eq!(tests(&[("Cargo.toml", "")]), "cargo test");
        assert_eq!(tests(&[("test.sh", "")]), "sh test.sh");
    }

    #[test]
    fn a_dockerfile_is_found_and_a_folder_of_that_name_is_none() {
        let found = |files: &[(&str, &str)]| detect(folder(files).path()).has_dockerfile;
        assert!(found(&[("Dockerfile", "FROM scratch\n")]));
        assert!(!found(&[("Dockerfile/README", "")]));
        assert!(!found(&[]));
    }

    #[test]
    fn what_the_user_chooses_takes_the_place_of_the_guess() {
        let folder =
            folder(&[("data/a.csv", "acid,quality\n"), ("old/b.csv", "age,\"in, come\",left\n"), ("c.csv", "x\n")]);
        let detected = detect(folder.path());
        assert_eq!(detected.clone().with_data_file(folder.path(), "data/a.csv"), detected, "it is what was proposed");
        assert_eq!(detected.clone().with_data_file(folder.path(), "gone.csv"), detected);
        let chosen = detected.clone().with_data_file(folder.path(), "old/b.csv");
        assert_eq!((chosen.data_folder.as_str(), chosen.target.as_deref()), ("old", Some("left")));
        assert_eq!(chosen.columns(folder.path()), ["age", "in, come", "left"]);
        assert_eq!(chosen.with_target("age").target.as_deref(), Some("age"));
        let beside = detected.with_data_file(folder.path(), "c.csv");
        assert_eq!(beside.data_folder, "data", "the folder itself holds more than data");
    }

    #[test]
    fn releases_run_where_they_can() {
        let of = |files: &[(&str, &str)]| detect(folder(files).path());
        assert_eq!(of(&[("a.csv", "a\n")]).deploy_targets().len(), 3);
        assert!(of(&[("train.sh", "")]).deploy_targets().is_empty());
        let contained = of(&[("a.csv", "a\n"), ("Dockerfile", "FROM scratch\n")]);
        assert_eq!(contained.deploy_target, TargetKind::Docker);
        assert_eq!(contained.clone().with_deploy_target(TargetKind::Process), contained, "a process cannot run of it");
        let on_cluster = contained.with_deploy_target(TargetKind::Kubernetes);
        assert_eq!(on_cluster.deploy_target, TargetKind::Kubernetes);
    }

    #[test]
    fn a_file_that_is_no_csv_gives_no_target() {
        let folder = folder(&[("a.csv", "")]);
        assert_eq!(detect(folder.path()).target, None);
    }
}
