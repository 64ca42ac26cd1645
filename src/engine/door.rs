//! The door of the core, past which no secret goes: whatever an operator, the watcher, an alert or a stage says, it is
//! journaled without the secrets of the configuration in force.
//!
//! What is looked for is made once, and anew when the configuration is read anew or a file that a secret comes from was
//! written: to pass the door costs a search, and for operators a look at those files.
//!
//! Names go through it too: those of branches and of files that changed or are held back, and the labels of alerts. By three
//! kinds of names something must be found again: that of a registered data file, of which none that holds a secret is
//! registered (see `data_verify`); and those of stages and alerts, which the configuration gives. The name of a stage
//! that is not there is a slip of somebody's.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock, RwLockWriteGuard};

use tokio::task::spawn_blocking;

use super::outcome;
use super::redact::Redactor;
use crate::config::{SecretSource, Settings};
use crate::disk::FileStamp;
use crate::pipeline::{Command, FiringAlert, Input, StageName, Trigger};

/// What is known of secrets. All copies are the same one.
#[derive(Clone)]
pub struct Door {
    known: Arc<RwLock<Known>>,
}

#[derive(Clone)]
struct Known {
    /// Whose secrets; `None` where there is no configuration.
    settings: Option<Arc<Settings>>,
    project: PathBuf,
    /// The files that they came from, as they were when they were read.
    files: Vec<Option<FileStamp>>,
    redactor: Arc<Redactor>,
}

impl Default for Door {
    /// One that knows of no secret.
    fn default() -> Self {
        let redactor = Arc::new(Redactor::none());
        let known = Known { settings: None, project: PathBuf::new(), files: Vec::new(), redactor };
        Self { known: Arc::new(RwLock::new(known)) }
    }
}

impl fmt::Debug for Door {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Settings hold secrets.
        f.debug_struct("Door").finish_non_exhaustive()
    }
}

impl Known {
    fn of(settings: Arc<Settings>, project: PathBuf) -> Self {
        // Before they are read: what is written meanwhile is seen the next time.
        let files = stamps(&settings, &project);
        let redactor = Arc::new(Redactor::of(&settings, &project));
        Self { settings: Some(settings), project, files, redactor }
    }

    /// Whether the stage is one of the configuration.
    fn has_stage(&self, name: &StageName) -> bool {
        self.settings.as_ref().is_some_and(|settings| settings.graph.get(name).is_some())
    }
}

/// The files that secrets come from, as they are now.
fn stamps(settings: &Settings, project: &Path) -> Vec<Option<FileStamp>> {
    let files = settings.secret_sources().into_iter().filter_map(|(_, source)| match source {
        SecretSource::File(path) => Some(project.join(path)),
        // What was in the daemon's environment when it started is there as long as it lives.
        SecretSource::Environment(_) => None,
    });
    files.map(|path| fs::metadata(path).ok().map(|metadata| FileStamp::from(&metadata))).collect()
}

impl Door {
    /// One that knows the secrets of this configuration. Blocking: they may come from files.
    pub fn of(settings: Arc<Settings>, project: &Path) -> Self {
        Self { known: Arc::new(RwLock::new(Known::of(settings, project.to_owned()))) }
    }

    /// Another configuration comes into force; to be told before it does. Blocking, as [`Door::of`].
    pub fn follow(&self, settings: Arc<Settings>) {
        let known = Known::of(settings, self.known().project);
        *self.change() = known;
    }

    /// What takes the secrets out that were known at the last look.
    pub fn redactor(&self) -> Arc<Redactor> {
        self.known.read().unwrap_or_else(PoisonError::into_inner).redactor.clone()
    }

    /// What takes the secrets out that are known now. Blocking, as [`Door::of`], but only where a file was written since.
    pub fn renewed(&self) -> Arc<Redactor> {
        loop {
            let known = self.known();
            let Some(settings) = known.settings.clone() else { return known.redactor };
            if stamps(&settings, &known.project) == known.files {
                return known.redactor;
            }
            let anew = Known::of(settings, known.project.clone());
            let redactor = anew.redactor.clone();
            if self.replace(&known, anew) {
                return redactor;
            }
        }
    }

    /// Puts what was made anew of `former` in its place; false if that is not in force any more. Somebody else may have read
    /// the files later and have been faster, or another configuration may have come: what was made of older ones must not
    /// take the place of theirs.
    fn replace(&self, former: &Known, anew: Known) -> bool {
        let mut present = self.change();
        let is_in_force = Arc::ptr_eq(&present.redactor, &former.redactor);
        if is_in_force {
            *present = anew;
        }
        is_in_force
    }

    /// The same for a task.
    pub async fn renewed_for_task(&self) -> Arc<Redactor> {
        if self.known.read().unwrap_or_else(PoisonError::into_inner).files.is_empty() {
            return self.redactor();
        }
        let this = self.clone();
        spawn_blocking(move || this.renewed()).await.unwrap_or_else(|_| self.redactor())
    }

    /// The input without secrets, as far as they were known at the last look.
    pub fn clean(&self, mut input: Input) -> Input {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        if known.redactor.is_empty() {
            return input;
        }
        known.clean(&mut input);
        input
    }

    fn known(&self) -> Known {
        self.known.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn change(&self) -> RwLockWriteGuard<'_, Known> {
        self.known.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    fn clean(&self, input: &mut Input) {
        let redactor = &self.redactor;
        match input {
            Input::Observed { inputs, cause, automatic: _ } => {
                if let Some(branch) = &mut inputs.source.branch {
                    redactor.redact_in(branch);
                }
                if let Some(cause) = cause {
                    clean_trigger(cause, redactor);
                }
            }
            Input::DataRefused { file, reason } => {
                redactor.redact_in(file);
                redactor.redact_in(reason);
            }
            // As they were called when they were refused.
            Input::HeldBack(files) => {
                *files = std::mem::take(files).iter().map(|file| redactor.redact(file).into_owned()).collect();
            }
            Input::Note(text) => redactor.redact_in(text),
            Input::Command { by, from, message, command } => {
                for text in [by, message].into_iter().chain(from) {
                    redactor.redact_in(text);
                }
                self.clean_command(command);
            }
            Input::Barred { by, from, message, command, reason } => {
                for text in [by, message, reason].into_iter().chain(from) {
                    redactor.redact_in(text);
                }
                self.clean_command(command);
            }
            Input::Ended { run: _, stage: _, attempt: _, outcome, outputs, output_held: _ } => {
                outcome::redact_result(outcome, outputs, redactor);
            }
            Input::Alerts { firing, clear: _ } => {
                for FiringAlert { labels, value, summary, obstacle, .. } in firing {
                    for text in [labels, value, summary].into_iter().chain(obstacle) {
                        redactor.redact_in(text);
                    }
                }
            }
            Input::Silence { alert: _, by, message: text, until: _ }
            | Input::NoteModel { model: _, by, text }
            | Input::Remark { by, text } => {
                redactor.redact_in(by);
                redactor.redact_in(text);
            }
            Input::LiftSilence { alert: _, by } => redactor.redact_in(by),
            Input::EndDaemon { by, from, with_app: _ } => {
                for text in [by].into_iter().chain(from) {
                    redactor.redact_in(text);
                }
            }
            Input::Configured(_)
            | Input::HolderGone(_)
            | Input::Scheduled { .. }
            | Input::Verified { .. }
            | Input::Tick => {}
        }
    }

    fn clean_command(&self, command: &mut Command) {
        match command {
            Command::Promote { model: _, message } => self.redactor.redact_in(message),
            Command::Run(selection) => self.clean_stage(&mut selection.from),
            Command::Approve { run: _, stage } | Command::Decline { run: _, stage } => self.clean_stage(stage),
            Command::Cancel { .. } | Command::Rollback { .. } | Command::Lock { .. } | Command::Unlock => {}
        }
    }

    fn clean_stage(&self, stage: &mut Option<StageName>) {
        if let Some(name) = stage
            && !self.has_stage(name)
        {
            self.redactor.redact_in(&mut name.0);
        }
    }
}

fn clean_trigger(trigger: &mut Trigger, redactor: &Redactor) {
    match trigger {
        Trigger::Commit { commit: _, summary } => redactor.redact_in(summary),
        Trigger::Data { files } | Trigger::Source { files } => {
            for file in files {
                redactor.redact_in(file);
            }
        }
        Trigger::FirstStart
        | Trigger::ChangedWhileAway
        | Trigger::Settings
        | Trigger::Manual { .. }
        | Trigger::Rollback { .. }
        | Trigger::AlertRollback { .. }
        | Trigger::AlertRetrain { .. }
        | Trigger::Promotion { .. }
        | Trigger::Schedule { .. } => {}
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;
    use crate::config::parse;
    use crate::pipeline::{
        Attempt, DataSet, Digest, Evidence, Failure, Inputs, ModelVersion, Moment, Outcome, Outputs, Reaction, RunId,
        Selection, SourceState,
    };

    const SECRET: &str = "s3cret-value";

    fn settings(file: &str) -> Arc<Settings> {
        let text = format!("[project]\nsecrets = {{ TOKEN = \"{file}\" }}\n[stages.{SECRET}]\ncommand = [\"true\"]\n");
        Arc::new(parse(&text, "trainyard.toml").unwrap())
    }

    /// A door of a project in which the secret is in the file `token`.
    fn door(folder: &Path) -> Door {
        fs::write(folder.join("token"), format!("{SECRET}\n")).unwrap();
        Door::of(settings("token"), folder)
    }

    fn inputs(branch: Option<String>) -> Inputs {
        let digest = Digest("1".to_owned());
        Inputs {
            data: DataSet { digest: digest.clone(), count: 0, rows: 0, files: Vec::new() },
            source: SourceState { digest, commit: None, branch, dirty: false },
            stage_sources: BTreeMap::new(),
        }
    }

    fn firing(labels: &str) -> FiringAlert {
        FiringAlert {
            name: "Refusals".to_owned(),
            labels: labels.to_owned(),
            value: String::new(),
            summary: String::new(),
            since: Moment(0),
            release: None,
            evidence: Evidence::None,
            then: Reaction::Notify,
            cooldown: 0,
            obstacle: None,
        }
    }

    fn note(text: &str) -> Input {
        Input::Note(text.to_owned())
    }

    #[test]
    fn whatever_is_said_comes_in_without_the_secret() {
        let folder = tempfile::tempdir().unwrap();
        let door = door(folder.path());
        let told = |text: &str| format!("{text} {SECRET}");
        let command =
            |command| Input::Command { by: told("me"), from: Some(told("here")), message: told("why"), command };
        let stage = |name: &str| Some(StageName(name.to_owned()));
        let cause = Trigger::Commit { commit: "1".to_owned(), summary: told("key") };
        let failed = Outcome::Failed(Failure::NotStarted { error: told("no") });
        let unknown = Selection { from: stage(&told("x")), ..Selection::default() };
        for input in [
            note(&told("note")),
            Input::EndDaemon { by: told("me"), from: Some(told("here")), with_app: false },
            Input::Remark { by: told("me"), text: told("mended") },
            Input::DataRefused { file: "a.csv".to_owned(), reason: told("line 1 holds") },
            Input::DataRefused { file: told("of"), reason: "no".to_owned() },
            Input::HeldBack(BTreeSet::from([told("of")])),
            Input::Observed { inputs: inputs(Some(told("branch"))), cause: None, automatic: true },
            Input::Alerts { firing: vec![firing(&told("user"))], clear: Vec::new() },
            command(Command::Run(unknown)),
            command(Command::Approve { run: None, stage: stage(&told("x")) }),
            command(Command::Promote { model: ModelVersion(1), message: told("why") }),
            Input::Observed { inputs: inputs(None), cause: Some(cause), automatic: true },
            Input::Ended {
                run: RunId(1),
                stage: "train".into(),
                attempt: Attempt(1),
                outcome: failed,
                outputs: Outputs { address: Some(told("at")), ..Outputs::default() },
                output_held: false,
            },
        ] {
            let before = format!("{input:?}");
            let clean = format!("{:?}", door.clean(input));
            assert!(before.contains(SECRET) && !clean.contains(SECRET), "{clean}");
            assert!(clean.contains("[secret TOKEN]"), "{clean}");
        }
        // Whatever else it is, it is the name of a stage.
        let known = Command::Run(Selection { from: stage(SECRET), ..Selection::default() });
        let Input::Command { command, .. } = door.clean(command(known.clone())) else { panic!("another input") };
        assert_eq!(command, known);
        assert!(!format!("{door:?}").contains(SECRET));
    }

    #[test]
    fn a_secret_that_is_written_anew_or_comes_with_another_configuration_is_known_from_then_on() {
        let folder = tempfile::tempdir().unwrap();
        let door = door(folder.path());
        let same = door.renewed();
        assert!(Arc::ptr_eq(&same, &door.redactor()), "what is the same is not made anew");
        fs::write(folder.path().join("token"), "the-next-one-is-longer").unwrap();
        assert_eq!(door.clean(note("the-next-one-is-longer")), note("the-next-one-is-longer"));
        assert!(door.renewed().finds(b"the-next-one-is-longer"));
        assert_eq!(door.clean(note("the-next-one-is-longer")), note("[secret TOKEN]"));
        fs::write(folder.path().join("other"), "from-elsewhere").unwrap();
        door.follow(settings("other"));
        assert_eq!(door.clean(note("from-elsewhere")), note("[secret TOKEN]"));
    }

    #[test]
    fn of_two_who_read_a_secret_anew_at_once_the_one_who_read_it_earlier_does_not_bring_it_back() {
        let folder = tempfile::tempdir().unwrap();
        let door = door(folder.path());
        let before = door.known();
        fs::write(folder.path().join("token"), "the-second-one").unwrap();
        let slow = Known::of(settings("token"), folder.path().to_owned());
        fs::write(folder.path().join("token"), "the-third-one-of-all").unwrap();
        assert!(door.renewed().finds(b"the-third-one-of-all"));
        assert!(!door.replace(&before, slow));
        assert_eq!(door.clean(note("the-third-one-of-all")), note("[secret TOKEN]"));
    }

    #[test]
    fn where_no_secret_is_known_nothing_is_changed() {
        let door = Door::default();
        assert_eq!(door.clean(note(SECRET)), note(SECRET));
        assert!(door.renewed().is_empty());
    }
}
