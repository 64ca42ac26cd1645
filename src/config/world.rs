//! What a valid configuration presupposes of the machine: folders, a git work tree, programs, a Dockerfile, manifests.
//!
//! Nothing here makes a configuration invalid but a trigger that cannot work; the rest are warnings, because a folder
//! or a program may still come. Whether an engine or a cluster answers is for `trainyard doctor`.

use std::env;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use serde::Serialize;

use super::settings::{Action, DeployTarget, Runner, Settings, StageSettings};
use super::source_settings::SourceTrigger;

/// How grave a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The project cannot work like this.
    Error,
    /// Something may be missing.
    Warning,
}

/// Something that the configuration presupposes and that is not there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// How grave it is.
    pub severity: Severity,
    /// What is missing.
    pub message: String,
    /// The mend.
    pub hint: String,
}

/// Compares `settings` with the project `folder` and with this machine.
pub fn look_around(folder: &Path, settings: &Settings) -> Vec<Finding> {
    let source = folder.join(&settings.source.path);
    let mut findings = Vec::new();
    findings.extend(check_source(&source, settings.source.trigger));
    let data = folder.join(&settings.data.path);
    if !data.is_dir() {
        let message = format!("the data folder {} does not exist", data.display());
        findings.push(warning(message, format!("make it: mkdir -p {}", data.display())));
    }
    // What a bare repository holds is seen only once a commit of it is checked out.
    if !is_bare_repository(&source) {
        findings.extend(settings.stages.iter().filter_map(|stage| check_program(&source, stage)));
        findings.extend(settings.stages.iter().filter_map(|stage| check_file(&source, stage)));
    }
    findings
}

fn warning(message: String, hint: impl Into<String>) -> Finding {
    Finding { severity: Severity::Warning, message, hint: hint.into() }
}

fn check_source(source: &Path, trigger: SourceTrigger) -> Option<Finding> {
    if !source.is_dir() {
        let message = format!("the source folder {} does not exist", source.display());
        let hint = match trigger {
            SourceTrigger::Push => format!("make it: git init --bare {}; or mend `path` in [source]", source.display()),
            SourceTrigger::Save | SourceTrigger::Commit | SourceTrigger::Manual => "mend `path` in [source]".to_owned(),
        };
        return Some(Finding { severity: Severity::Error, message, hint });
    }
    if is_bare_repository(source) {
        return (trigger == SourceTrigger::Save).then(|| Finding {
            severity: Severity::Error,
            message: format!("{} is a bare repository, in which no file is ever saved", source.display()),
            hint: "write `trigger = \"push\"` in [source]".to_owned(),
        });
    }
    if is_git_work_tree(source) {
        return None;
    }
    let message = format!("{} is not a git work tree", source.display());
    if trigger == SourceTrigger::Push {
        let message = format!("{} is no git repository, so nobody can push to it", source.display());
        let hint = format!("make it one: git init --bare {}", source.display());
        return Some(Finding { severity: Severity::Error, message, hint });
    }
    if trigger == SourceTrigger::Commit {
        let hint = "run `git init` there, or write `trigger = \"save\"` in [source]".to_owned();
        let message = format!("{message}, so `trigger = \"commit\"` cannot work");
        return Some(Finding { severity: Severity::Error, message, hint });
    }
    Some(warning(message, "run `git init` there, so that runs can name the version of the source they used"))
}

/// Whether `folder` looks like a repository without a work tree.
fn is_bare_repository(folder: &Path) -> bool {
    folder.join("HEAD").is_file() && folder.join("objects").is_dir() && folder.join("refs").is_dir()
}

/// Whether `folder` or one above it holds a `.git`. Only the watcher opens the repository.
pub(super) fn is_git_work_tree(folder: &Path) -> bool {
    let whole = fs::canonicalize(folder).unwrap_or_else(|_| folder.to_owned());
    whole.ancestors().any(|above| above.join(".git").exists())
}

fn check_program(source: &Path, stage: &StageSettings) -> Option<Finding> {
    let words = match &stage.action {
        // In a container, the programs are those of its image.
        Action::Command(words) if stage.runner == Runner::Local => words,
        Action::Deploy(deploy) if deploy.target == DeployTarget::Process => &deploy.command,
        Action::Command(_) | Action::Deploy(_) | Action::Train(_) | Action::Image(_) => return None,
    };
    let program = words.first()?;
    // A variable is known only when the stage starts.
    if program.contains('$') || is_found(source, program) {
        return None;
    }
    let name = &stage.spec.name;
    if program.contains('/') {
        let message = format!("stage `{name}` runs `{program}`, which is not an executable file");
        return Some(warning(message, format!("write a path relative to {}, or make it executable", source.display())));
    }
    let message = format!("stage `{name}` runs `{program}`, which is not in PATH");
    Some(warning(message, format!("install `{program}`, or give its path")))
}

/// The Dockerfile or the manifests that a stage names.
fn check_file(source: &Path, stage: &StageSettings) -> Option<Finding> {
    let (key, path) = match &stage.action {
        Action::Image(image) => ("dockerfile", &image.dockerfile.as_ref()?.path),
        Action::Deploy(deploy) => match &deploy.target {
            DeployTarget::Kubernetes(kubernetes) => ("manifests", kubernetes.manifests.as_ref()?),
            DeployTarget::Process | DeployTarget::Docker(_) => return None,
        },
        Action::Command(_) | Action::Train(_) => return None,
    };
    if source.join(path).exists() {
        return None;
    }
    let (name, path, source) = (&stage.spec.name, path.display(), source.display());
    let message = format!("`{key}` of stage `{name}` is `{path}`, which is not in {source}");
    Some(warning(message, format!("write it, or mend `{key}`")))
}

fn is_found(source: &Path, program: &str) -> bool {
    if program.contains('/') {
        return is_executable(&source.join(program));
    }
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).any(|folder| is_executable(&folder.join(program)))
}

/// Whether `path` is a file that somebody may execute.
pub(super) fn is_executable(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::parse;

    fn findings(folder: &Path, text: &str) -> Vec<(Severity, String)> {
        let settings = parse(text, "trainyard.toml").unwrap();
        look_around(folder, &settings).into_iter().map(|finding| (finding.severity, finding.message)).collect()
    }

    const STAGE: &str = "[stages.test]\ncommand = [\"sh\", \"-c\", \"true\"]\n";

    #[test]
    fn a_project_with_everything_in_place_has_no_findings() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join(".git")).unwrap();
        fs::create_dir(folder.path().join("data")).unwrap();
        assert!(findings(folder.path(), STAGE).is_empty());
    }

    #[test]
    fn a_missing_data_folder_and_a_missing_program_are_warnings() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join(".git")).unwrap();
        let found = findings(folder.path(), "[stages.test]\ncommand = [\"no-such-program\"]\n");
        let data = format!("the data folder {} does not exist", folder.path().join("data").display());
        assert_eq!(
            found,
            [
                (Severity::Warning, data),
                (Severity::Warning, "stage `test` runs `no-such-program`, which is not in PATH".to_owned()),
            ]
        );
    }

    #[test]
    fn a_dockerfile_and_manifests_that_are_not_there_are_warnings() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join(".git")).unwrap();
        fs::create_dir(folder.path().join("data")).unwrap();
        let text = "[stages.build]\nuses = \"image\"\ndockerfile = \"app/Dockerfile\"\n\
            [stages.deploy]\nuses = \"deploy\"\nneeds = [\"build\"]\ntarget = \"kubernetes\"\n\
            manifests = \"manifests\"\n";
        let told: Vec<String> = findings(folder.path(), text).into_iter().map(|(_, message)| message).collect();
        let source = folder.path().join(".");
        let source = source.display();
        assert_eq!(
            told,
            [
                format!("`dockerfile` of stage `build` is `app/Dockerfile`, which is not in {source}"),
                format!("`manifests` of stage `deploy` is `manifests`, which is not in {source}"),
            ]
        );
        fs::create_dir_all(folder.path().join("app")).unwrap();
        fs::write(folder.path().join("app/Dockerfile"), "FROM scratch\n").unwrap();
        fs::create_dir(folder.path().join("manifests")).unwrap();
        assert!(findings(folder.path(), text).is_empty());
    }

    #[test]
    fn the_programs_of_a_container_are_not_looked_for_on_this_machine() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join(".git")).unwrap();
        fs::create_dir(folder.path().join("data")).unwrap();
        let text = "[stages.test]\ncommand = [\"no-such-program\"]\nrunner = \"docker\"\n\
            container = { image = \"a\" }\n[stages.build]\nuses = \"image\"\n[stages.deploy]\nuses = \"deploy\"\nneeds = [\"build\"]\n\
            target = \"docker\"\ncommand = [\"no-such-program\"]\n";
        assert!(findings(folder.path(), text).is_empty());
    }

    #[test]
    fn a_commit_trigger_without_git_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("data")).unwrap();
        let found = findings(folder.path(), &format!("[source]\ntrigger = \"commit\"\n{STAGE}"));
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].0, Severity::Error);
    }

    #[test]
    fn a_push_wants_a_repository_and_a_bare_one_has_no_files_to_save() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["data", "wine.git"] {
            fs::create_dir(folder.path().join(name)).unwrap();
        }
        let with = |trigger: &str| {
            findings(folder.path(), &format!("[source]\npath = \"wine.git\"\ntrigger = \"{trigger}\"\n{STAGE}"))
        };
        assert!(with("push")[0].1.ends_with("is no git repository, so nobody can push to it"));
        for name in ["objects", "refs"] {
            fs::create_dir(folder.path().join("wine.git").join(name)).unwrap();
        }
        fs::write(folder.path().join("wine.git/HEAD"), "ref: refs/heads/main\n").unwrap();
        assert!(with("push").is_empty() && with("commit").is_empty() && with("manual").is_empty());
        assert!(with("save")[0].1.ends_with("is a bare repository, in which no file is ever saved"));
    }
}
