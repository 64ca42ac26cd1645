//! The first run of the screen: a folder without a configuration, or with one that is not valid.
//!
//! What is found and written is what `trainyard init` finds and writes, what is wrong is what `trainyard check` says.

use std::fs;
use std::io::{self, IsTerminal};
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::failure::{Failure, failed};
use super::init;
use super::screen::failure_of;
use crate::config::{Detected, FILE_NAME, LoadError, TargetKind, Template, detect, load, load_judged};
use crate::disk::{FileLock, Layout};
use crate::monitor::expression_refusal;
use crate::tui::{self, Answers, Choice, Discovery, Outlook, Outside, ProjectFolder, Proposal, Subject};

/// Leads the operator to a valid configuration, if there is none and somebody to be led. Whether to go on; else he left, and
/// nothing was written.
pub fn lead(folder: &Path, is_ascii: bool) -> Result<bool, Failure> {
    // What cannot be entered is told where the project is opened.
    let Ok(layout) = Layout::new(folder) else { return Ok(true) };
    let is_terminal = io::stdin().is_terminal() && io::stdout().is_terminal();
    let place = Place { folder: layout.project().to_owned() };
    if !is_terminal || place.look() == Outlook::Ready {
        return Ok(true);
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().map_err(failed)?;
    let led = runtime.block_on(tui::lead(Arc::new(place), is_ascii));
    // A look at a large folder must not hold up whoever leaves.
    runtime.shutdown_background();
    let is_ready = led.map_err(|error| failure_of(&error))?;
    // What is wrong with a file that is there is told once more, where it stays to be read.
    Ok(is_ready || layout.configuration().exists())
}

/// The folder of a project to be.
struct Place {
    folder: PathBuf,
}

impl Place {
    fn detected(&self, answers: &Answers) -> Detected {
        let mut detected = detect(&self.folder);
        if let Some(name) = &answers.data_file {
            detected = detected.with_data_file(&self.folder, name);
        }
        if let Some(column) = &answers.target {
            detected = detected.with_target(column);
        }
        let kinds = detected.deploy_targets();
        match answers.deploy.as_ref().and_then(|word| kinds.iter().find(|kind| kind.word() == word)) {
            Some(kind) => detected.with_deploy_target(*kind),
            None => detected,
        }
    }
}

impl ProjectFolder for Place {
    fn file(&self) -> PathBuf {
        self.folder.join(FILE_NAME)
    }

    fn look(&self) -> Outlook {
        let runs = Layout::new(&self.folder).and_then(|layout| FileLock::is_held(&layout.daemon_lock()));
        // A daemon that runs tells itself what it cannot evaluate, and goes on by what it had.
        let loaded =
            if runs.unwrap_or(false) { load(&self.folder) } else { load_judged(&self.folder, &expression_refusal) };
        match loaded {
            Ok(_) => Outlook::Ready,
            Err(LoadError::Missing { .. }) => Outlook::Missing,
            Err(LoadError::Invalid(errors)) => {
                Outlook::Faulty(errors.errors().iter().map(ToString::to_string).collect())
            }
            Err(other) => Outlook::Faulty(vec![other.to_string()]),
        }
    }

    fn propose(&self, answers: &Answers) -> Proposal {
        let detected = self.detected(answers);
        let training = Discovery { is_there: true, text: format!("training: {}", init::training(&detected)) };
        let mut discoveries = init::discoveries(&detected);
        discoveries.insert(0, training);
        let choices = choices(&self.folder, &detected);
        let text = crate::config::render(&detected);
        discoveries.extend(port(&text));
        Proposal { discoveries, choices, outside: outside(&detected), text }
    }

    fn write(&self, answers: &Answers) -> Result<(), String> {
        init::write(&self.folder, &self.detected(answers), false).map(drop).map_err(|error| error.to_string())
    }

    fn withdraw(&self, answers: &Answers) -> Result<bool, String> {
        let file = self.file();
        let is_same =
            fs::read_to_string(&file).is_ok_and(|text| text == crate::config::render(&self.detected(answers)));
        if is_same {
            fs::remove_file(&file).map_err(|error| format!("cannot remove {}: {error}", file.display()))?;
        }
        Ok(is_same)
    }

    fn copy(&self, outside: &Outside) -> Result<String, String> {
        let source = self.folder.join(&outside.file);
        let name = source.file_name().unwrap_or_default();
        let (folder, inside) = (self.folder.join(&outside.folder), Path::new(&outside.folder).join(name));
        let place = self.folder.join(&inside);
        if place.exists() {
            return Err(format!("{} is there already; choose it as the data file", inside.display()));
        }
        let partial = folder.join(format!(".{}.partial", name.to_string_lossy()));
        let copied = fs::create_dir_all(&folder)
            .and_then(|()| fs::copy(&source, &partial))
            // The name comes last, so that no half of it is ever taken for the whole.
            .and_then(|_| fs::rename(&partial, &place));
        if let Err(error) = copied {
            let _ = fs::remove_file(&partial);
            return Err(format!("cannot copy {} to {}: {error}", outside.file, inside.display()));
        }
        Ok(inside.to_string_lossy().into_owned())
    }
}

/// The data file, if a run would not find it where it lies.
fn outside(detected: &Detected) -> Option<Outside> {
    let first = detected.csv_files.first().filter(|file| !file.starts_with(&detected.data_folder))?;
    Some(Outside { file: first.to_string_lossy().into_owned(), folder: detected.data_folder.clone() })
}

/// Where releases answer, if the configuration says it, and whether they can.
fn port(text: &str) -> Option<Discovery> {
    let written = text.lines().find_map(|line| line.strip_prefix("port = "))?;
    let port: u16 = written.split_whitespace().next()?.parse().ok()?;
    let is_there = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok();
    let text = if is_there {
        format!("port: the app will answer at http://127.0.0.1:{port} (edit `port`)")
    } else {
        format!("port: {port} is used by another program; edit `port` before the first deploy")
    };
    Some(Discovery { is_there, text })
}

/// What there is more than one of.
fn choices(folder: &Path, detected: &Detected) -> Vec<Choice> {
    // As they are found: the chosen one stands first only in what is written.
    let files: Vec<String> = detect(folder).csv_files.iter().map(|file| file.to_string_lossy().into_owned()).collect();
    let file = detected.csv_files.first().map(|file| file.to_string_lossy().into_owned());
    let is_built_in = detected.template == Template::Model;
    let columns = if is_built_in { detected.columns(folder) } else { Vec::new() };
    // Of two columns of one name, the later one is the last.
    let column = columns.iter().rposition(|column| Some(column) == detected.target.as_ref());
    let kinds = detected.deploy_targets();
    let words = kinds.iter().map(|kind| kind.word().to_owned()).collect();
    let is_chosen = |kind: &TargetKind| *kind == detected.deploy_target;
    let all = [
        (Subject::DataFile, files.iter().position(|name| Some(name) == file.as_ref()), files),
        (Subject::Target, column, columns),
        (Subject::Deploy, kinds.iter().position(is_chosen), words),
    ];
    let choice = |(subject, chosen, options): (Subject, Option<usize>, Vec<String>)| Choice {
        subject,
        options,
        chosen: chosen.unwrap_or(0),
    };
    all.into_iter().map(choice).filter(|choice| choice.options.len() > 1).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(files: &[(&str, &str)]) -> (tempfile::TempDir, Place) {
        let folder = tempfile::tempdir().unwrap();
        for (name, content) in files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        }
        let place = Place { folder: folder.path().to_owned() };
        (folder, place)
    }

    fn chosen(proposal: &Proposal, subject: Subject) -> Option<&str> {
        let choice = proposal.choices.iter().find(|choice| choice.subject == subject)?;
        choice.options.get(choice.chosen).map(String::as_str)
    }

    #[test]
    fn what_is_proposed_is_what_init_writes() {
        let (folder, place) = place(&[("data/a.csv", "acid,quality\n1,2\n")]);
        let proposal = place.propose(&Answers::default());
        assert_eq!(place.look(), Outlook::Missing);
        let arguments = init::InitArguments { from: None, force: false };
        init::run(folder.path(), &arguments, &mut Vec::<u8>::new()).unwrap();
        assert_eq!(fs::read_to_string(folder.path().join(FILE_NAME)).unwrap(), proposal.text);
        assert_eq!(place.look(), Outlook::Ready);
        assert!(place.write(&Answers::default()).is_err(), "what is there is not overwritten");
    }

    #[test]
    fn what_is_chosen_is_written_and_looking_writes_nothing() {
        let (folder, place) = place(&[("data/a.csv", "acid,quality\n"), ("old/b.csv", "age,left\n")]);
        let mut answers = Answers::default();
        let proposal = place.propose(&answers);
        assert_eq!(chosen(&proposal, Subject::DataFile), Some("data/a.csv"));
        assert_eq!(chosen(&proposal, Subject::Target), Some("quality"));
        assert_eq!(chosen(&proposal, Subject::Deploy), Some("process"));
        answers.data_file = Some("old/b.csv".to_owned());
        assert_eq!(chosen(&place.propose(&answers), Subject::Target), Some("left"));
        answers.target = Some("age".to_owned());
        answers.deploy = Some("docker".to_owned());
        let proposal = place.propose(&answers);
        assert_eq!(chosen(&proposal, Subject::DataFile), Some("old/b.csv"));
        assert_eq!(chosen(&proposal, Subject::Target), Some("age"));
        assert_eq!(chosen(&proposal, Subject::Deploy), Some("docker"));
        assert!(!folder.path().join(FILE_NAME).exists());
        place.write(&answers).unwrap();
        let text = fs::read_to_string(folder.path().join(FILE_NAME)).unwrap();
        assert_eq!(text, proposal.text);
        assert!(text.contains("path = \"old\"") && text.contains("target = \"age\""), "{text}");
    }

    #[test]
    fn what_the_editor_left_as_it_was_is_taken_away_and_what_it_changed_stays() {
        let (folder, place) = place(&[("data/a.csv", "acid,quality\n1,2\n")]);
        let file = folder.path().join(FILE_NAME);
        let answers = Answers::default();
        place.write(&answers).unwrap();
        assert_eq!((place.withdraw(&answers), file.exists()), (Ok(true), false));
        place.write(&answers).unwrap();
        fs::write(&file, "mine").unwrap();
        assert_eq!((place.withdraw(&answers), file.exists()), (Ok(false), true));
    }

    #[test]
    fn a_data_file_beside_the_data_folder_is_copied_into_it_and_then_proposed() {
        let (folder, place) = place(&[("churn.csv", "age,left\n1,2\n")]);
        let proposal = place.propose(&Answers::default());
        let outside = proposal.outside.unwrap();
        assert_eq!((outside.file.as_str(), outside.folder.as_str()), ("churn.csv", "data"));
        assert!(proposal.discoveries.iter().any(|found| !found.is_there && found.text.contains("copy it into data")));
        assert!(
            proposal.discoveries.iter().any(|found| found.text.starts_with("port: ")),
            "it is told before it is written"
        );
        assert_eq!(place.copy(&outside).as_deref(), Ok("data/churn.csv"));
        assert!(folder.path().join("churn.csv").exists() && folder.path().join("data/churn.csv").exists());
        let answers = Answers { data_file: Some("data/churn.csv".to_owned()), ..Answers::default() };
        assert_eq!(place.propose(&answers).outside, None);
        assert!(place.copy(&outside).unwrap_err().contains("is there already"), "nothing is overwritten");
    }

    #[test]
    fn every_error_comes_with_its_place() {
        let (_folder, place) = place(&[(FILE_NAME, "[sorce]\n[stages.a]\ncommand = \"sh\"\n")]);
        let Outlook::Faulty(faults) = place.look() else { panic!("it is not valid") };
        assert_eq!(faults.len(), 2);
        assert!(faults[0].starts_with("trainyard.toml:1:2: unknown table `sorce`"), "{}", faults[0]);
    }
}
