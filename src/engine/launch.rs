//! Making the folder of an attempt, starting its supervisor, and learning how it ended, whoever started it.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open};
use serde_json::Value;

use super::feedback;
use super::outcome::last_line;
use super::redact::{Redactor, SecretError, project_secrets, secrets_of};
use super::stamps;
use super::supervisor::{AttemptFolder, Handed, Job, SERVICE_VARIABLES, kill_marked};
use crate::config::{Action, Runner, Settings, StageSettings};
use crate::disk::{Layout, write_whole};
use crate::model;
use crate::pipeline::{Attempt, ModelVersion, Release, Run, StageName, State};
use crate::stage::contract::WITHHELD;
use crate::stage::runner::{self, RemoteJob};
use crate::target::expand::expand;
use crate::target::labels;

/// Milliseconds for which something that a stage left behind may hold its log open.
const DRAIN: u64 = 1_000;

/// Why an attempt could not be started.
#[derive(Debug, thiserror::Error)]
pub enum LaunchError {
    /// The run or the stage is not there.
    #[error("{0} is not in the configuration any more")]
    Gone(StageName),
    /// Its folder cannot be made.
    #[error("cannot prepare {path}: {source}")]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The source at the wanted commit cannot be made.
    #[error("cannot check out the commit: {0}")]
    Checkout(String),
    /// A secret that every stage gets cannot be had.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// The supervisor cannot be started.
    #[error("cannot start the supervisor: {0}")]
    Supervisor(io::Error),
}

/// All that is needed to start an attempt, taken from the state in one look.
#[derive(Debug, Clone)]
pub struct Launch {
    /// The run.
    pub run: Run,
    /// The stage.
    pub stage: StageName,
    /// The attempt.
    pub attempt: Attempt,
    /// The model version that it writes or sees.
    pub model: Option<ModelVersion>,
    /// The champion of the stage when it started.
    pub champion: Option<ModelVersion>,
    /// What the training of the champion reported.
    pub champion_metrics: BTreeMap<String, f64>,
    /// The release that it makes, and its image.
    pub release: Option<Release>,
}

impl Launch {
    /// Takes what is needed from the state; `None` when the attempt is not running any more.
    pub fn of(state: &State, run: crate::pipeline::RunId, stage: &StageName, attempt: Attempt) -> Option<Self> {
        let run = state.runs.get(&run)?;
        let entry = run.stages.get(stage).filter(|entry| entry.attempt == attempt && entry.state.is_running())?;
        let release = entry.release.and_then(|id| state.releases.get(&id)).map(|release| release.as_ref().clone());
        let model = release.as_ref().and_then(|release| release.model).or_else(|| run.model_for(&state.graph, stage));
        let champion = entry.champion;
        let known = champion.and_then(|version| state.registry.models.get(&version));
        let champion_metrics = known.map(|model| model.outputs.metrics.clone()).unwrap_or_default();
        let (run, stage) = (run.as_ref().clone(), stage.clone());
        Some(Self { run, stage, attempt, model, champion, champion_metrics, release })
    }

    /// The folder of the attempt.
    pub fn folder(&self, layout: &Layout) -> AttemptFolder {
        AttemptFolder::new(layout.attempt(self.run.id, &self.stage, self.attempt))
    }

    /// Makes the folder and starts the supervisor, unless one has it already; gives back what people should know.
    pub fn start(&self, layout: &Layout, settings: &Settings, program: &Path) -> Result<Vec<String>, LaunchError> {
        let folder = self.folder(layout);
        if folder.has_begun() || folder.is_supervised() {
            return Ok(Vec::new());
        }
        let stage = settings.stage(&self.stage).ok_or_else(|| LaunchError::Gone(self.stage.clone()))?;
        // What is missing is told before anything is made.
        let given = project_secrets(settings, layout.project())?;
        let secrets = secrets_of(settings, layout.project());
        let at = |source| LaunchError::Folder { path: folder.path().to_owned(), source };
        fs::create_dir_all(folder.path()).map_err(at)?;
        let source = self.source(layout, settings)?;
        let notes = self.list_data(layout, settings, stage, &folder).map_err(at)?;
        let mut environment = given.clone();
        environment.extend(self.environment(layout, settings, stage, &folder, &source, program).map_err(at)?);
        environment.extend(Self::withhold(stage, &folder, &Redactor::new(&secrets)).map_err(at)?);
        let command = match &stage.runner {
            Runner::Local => command_of(stage, program),
            runner => {
                let remote = self.remote_job(layout, settings, stage, runner, given.keys());
                let path = folder.path().join("runner.json");
                let text = serde_json::to_vec_pretty(&remote).map_err(|error| at(error.into()))?;
                write_whole(&path, &text).map_err(at)?;
                environment.insert("TRAINYARD_RUNNER".to_owned(), path.display().to_string());
                vec![program.display().to_string(), "stage".to_owned(), "remote".to_owned()]
            }
        };
        // A supervisor gone without a trace leaves a mark that only its own attempt had.
        let mark = format!("{}-{}-{}-{}", layout.state().display(), self.run.id, self.stage, self.attempt);
        // What runs elsewhere is ended by a process here, which needs its own time for that.
        let farewell = if stage.runner == Runner::Local { Duration::ZERO } else { runner::FAREWELL };
        let grace = u64::try_from((stage.grace + farewell).as_millis()).unwrap_or(u64::MAX);
        let variables = environment.keys().cloned().collect();
        let handed = Handed { command: expanded(stage, &command, &environment), environment, secrets };
        let job = Job { command, folder: source, variables, grace, drain: DRAIN, mark };
        folder.write_job(&job).map_err(at)?;
        spawn(program, &folder, &handed).map_err(LaunchError::Supervisor)?;
        Ok(notes)
    }

    /// What is to run in a container or as a Job.
    fn remote_job<'a>(
        &self,
        layout: &Layout,
        settings: &Settings,
        stage: &'a StageSettings,
        runner: &Runner,
        secrets: impl Iterator<Item = &'a String>,
    ) -> RemoteJob {
        let owner = labels::folder(layout.project());
        let mut marks = labels::of_project(&settings.name, &owner);
        marks.extend(runner::labels_of(&owner, self.run.id, &self.stage, self.attempt));
        let (command, built_in) = match &stage.action {
            Action::Command(words) => (words.clone(), None),
            Action::Train(_) => (Vec::new(), Some("train".to_owned())),
            Action::Image(_) => (Vec::new(), Some("image".to_owned())),
            Action::Deploy(_) => (Vec::new(), Some("deploy".to_owned())),
        };
        RemoteJob {
            runner: runner.clone(),
            command,
            // Their values are in the environment of the process that stands for the stage here.
            environment: secrets.chain(stage.environment.keys()).map(|name| (name.clone(), String::new())).collect(),
            built_in,
            produces_model: stage.spec.produces_model,
            timeout: stage.spec.timeout.map(Duration::from_millis),
            labels: marks,
            grace: stage.grace,
        }
    }

    /// The source tree on which the stage works: the work tree, or for runs by commit a clean checkout.
    fn source(&self, layout: &Layout, settings: &Settings) -> Result<PathBuf, LaunchError> {
        let tree = layout.project().join(&settings.source.path);
        let tree = tree.canonicalize().unwrap_or(tree);
        let is_bare = crate::watch::is_bare(&tree);
        match &self.run.inputs.source.commit {
            Some(commit) if is_bare || settings.source.trigger.is_by_commit() => {
                let checkout = layout.run(self.run.id).join("source");
                crate::watch::checkout(&tree, commit, &checkout)
                    .map_err(|error| LaunchError::Checkout(error.to_string()))?;
                Ok(checkout)
            }
            None if is_bare => Err(LaunchError::Checkout("the bare repository has none".to_owned())),
            _ => Ok(tree),
        }
    }

    /// Lists the registered files, and the labelled rows that releases have collected, if the stage learns from those.
    fn list_data(
        &self,
        layout: &Layout,
        settings: &Settings,
        stage: &StageSettings,
        folder: &AttemptFolder,
    ) -> io::Result<Vec<String>> {
        let data_folder = layout.project().join(&settings.data.path);
        let registered = self.run.inputs.data.files.iter();
        let mut files: Vec<PathBuf> = registered.map(|file| data_folder.join(&file.path)).collect();
        let mut notes = Vec::new();
        if let (Action::Train(train), Some(like)) = (&stage.action, files.first())
            && train.feedback
        {
            // While nobody can say what the contract wants, nobody can say whether the rows keep it.
            let contract =
                model::load_contract(&layout.project().join(&settings.data.contract)).map_err(io::Error::other)?;
            let partial = folder.path().join("feedback.partial");
            let gathered = feedback::gather(layout, &partial, like, &train.target, contract.as_ref())?;
            if gathered.left_out > 0 {
                let rows = gathered.left_out;
                notes
                    .push(format!("labelled rows that are not learned from, for they break the data contract: {rows}"));
            }
            files.extend(gathered.file);
        }
        let list: String = files.iter().map(|file| format!("{}\n", file.display())).collect();
        write_whole(&folder.data_list(), list.as_bytes())?;
        Ok(notes)
    }

    fn environment(
        &self,
        layout: &Layout,
        settings: &Settings,
        stage: &StageSettings,
        folder: &AttemptFolder,
        source: &Path,
        program: &Path,
    ) -> io::Result<BTreeMap<String, String>> {
        if stage.spec.uses_data {
            let data_folder = layout.project().join(&settings.data.path);
            stamps::note(folder, &data_folder, &self.run.inputs.data.files)?;
        }
        let model = self.model.map_or_else(|| folder.path().join("no-model"), |version| layout.model(version));
        if stage.spec.produces_model {
            // A former attempt of this very number, cut off by a crash, must not leave files in the new one.
            if model.exists() {
                fs::remove_dir_all(&model)?;
            }
            fs::create_dir_all(&model)?;
        }
        let mut environment: BTreeMap<String, String> = stage.environment.clone();
        let mut set = |name: &str, value: String| {
            environment.insert(name.to_owned(), value);
        };
        set("TRAINYARD_PROJECT_NAME", settings.name.clone());
        set("TRAINYARD_DATA_DIGEST", self.run.inputs.data.digest.to_string());
        set("TRAINYARD_PROJECT", layout.project().display().to_string());
        set("TRAINYARD_RUN", self.run.id.to_string());
        set("TRAINYARD_STAGE", self.stage.to_string());
        set("TRAINYARD_ATTEMPT", self.attempt.to_string());
        set("TRAINYARD_SOURCE", source.display().to_string());
        set("TRAINYARD_DATA", folder.data_list().display().to_string());
        set("TRAINYARD_MODEL", model.display().to_string());
        set("TRAINYARD_REPORTS", folder.reports().display().to_string());
        set("TRAINYARD_OUTPUT", folder.output().display().to_string());
        set("TRAINYARD_BIN", program.display().to_string());
        set("TRAINYARD_COMMIT", self.run.inputs.source.commit.clone().unwrap_or_default());
        if let Some(version) = self.model {
            set("TRAINYARD_MODEL_VERSION", version.to_string());
        }
        if let Some(champion) = self.champion {
            set("TRAINYARD_CHAMPION", layout.model(champion).display().to_string());
            set("TRAINYARD_CHAMPION_VERSION", champion.to_string());
        }
        if let (Some(release), true) = (&self.release, settings.collects_feedback()) {
            set("TRAINYARD_FEEDBACK", feedback::file(layout, release.id.0).display().to_string());
        }
        if let Some(release) = &self.release {
            set("TRAINYARD_RELEASE", release.id.to_string());
            set("TRAINYARD_RELEASE_COMMIT", release.commit.clone());
            if let Some(repeats) = release.repeats {
                set("TRAINYARD_REPEATS", repeats.to_string());
            }
            if let Some(archive) = &release.archive {
                set("TRAINYARD_IMAGE", layout.state().join(archive).display().to_string());
            }
        }
        Ok(environment)
    }

    /// Writes the settings of a built-in stage, without the secrets that are in variables and build arguments; the variables
    /// by which the stage finds both.
    fn withhold(
        stage: &StageSettings,
        folder: &AttemptFolder,
        redactor: &Redactor,
    ) -> io::Result<BTreeMap<String, String>> {
        let mut settings = match &stage.action {
            Action::Command(_) => return Ok(BTreeMap::new()),
            Action::Train(settings) => serde_json::to_value(settings)?,
            Action::Image(settings) => serde_json::to_value(settings)?,
            Action::Deploy(settings) => serde_json::to_value(settings)?,
        };
        let mut withheld = BTreeMap::new();
        // Training is told no secret, and its settings may be carried to where no variable of ours goes.
        if !matches!(stage.action, Action::Train(_)) {
            take_out(&mut settings, "", redactor, &mut withheld);
        }
        let path = folder.path().join("settings.json");
        write_whole(&path, &serde_json::to_vec_pretty(&settings)?)?;
        let mut variables = BTreeMap::from([("TRAINYARD_SETTINGS".to_owned(), path.display().to_string())]);
        if !withheld.is_empty() {
            variables.insert(WITHHELD.to_owned(), serde_json::to_string(&withheld)?);
        }
        Ok(variables)
    }
}

/// Puts names in the place of texts that hold a secret, and notes the texts by JSON pointers.
fn take_out(value: &mut Value, pointer: &str, redactor: &Redactor, withheld: &mut BTreeMap<String, String>) {
    match value {
        Value::String(text) => {
            if redactor.finds(text.as_bytes()) {
                withheld.insert(pointer.to_owned(), text.clone());
                redactor.redact_in(text);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter_mut().enumerate() {
                take_out(item, &format!("{pointer}/{index}"), redactor, withheld);
            }
        }
        Value::Object(fields) => {
            for (name, field) in fields.iter_mut() {
                let name = name.replace('~', "~0").replace('/', "~1");
                take_out(field, &format!("{pointer}/{name}"), redactor, withheld);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// The command line with the variables in their places, if it is one of the user's that runs here.
fn expanded(stage: &StageSettings, command: &[String], environment: &BTreeMap<String, String>) -> Vec<String> {
    match (&stage.action, &stage.runner) {
        (Action::Command(_), Runner::Local) => command.iter().map(|argument| expand(argument, environment)).collect(),
        _ => command.to_vec(),
    }
}

/// The command line of a stage as it is configured; built-in stages are subcommands of this program.
fn command_of(stage: &StageSettings, program: &Path) -> Vec<String> {
    let built_in = |name: &str| vec![program.display().to_string(), "stage".to_owned(), name.to_owned()];
    match &stage.action {
        Action::Command(command) => command.clone(),
        Action::Train(_) => built_in("train"),
        Action::Image(_) => built_in("image"),
        Action::Deploy(_) => built_in("deploy"),
    }
}

/// Starts a supervisor by exec and hands it what it needs. It leaves our session by itself and is reaped when we are told of
/// its end, or by init after us.
fn spawn(program: &Path, folder: &AttemptFolder, handed: &Handed) -> io::Result<()> {
    let complaints = fs::File::create(folder.path().join("supervisor.log"))?;
    let mut command = Command::new(program);
    for name in SERVICE_VARIABLES {
        command.env_remove(name);
    }
    let mut child = command
        .arg("supervise")
        .arg(folder.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(complaints)
        .spawn()?;
    let told = child.stdin.take().map_or(Ok(()), |input| handed.write(input));
    // Reaps it; waiting in a thread of its own costs less than a signal handler for the whole program.
    std::thread::Builder::new().name("reaper".to_owned()).stack_size(64 * 1024).spawn(move || {
        let mut child = child;
        let _ = child.wait();
    })?;
    match told {
        // One that ends at once, for another has the attempt or the disk is full, has said what there is to say.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        told => told,
    }
}

/// Waits until no supervisor works on the attempt any more, as the daemon that started it or as one that came later.
pub async fn ended(folder: &AttemptFolder) {
    let (tell, told) = tokio::sync::oneshot::channel();
    let folder = folder.clone();
    // A thread of its own: the wait may take days, and it must not hold up the end of the daemon.
    let waiting = std::thread::Builder::new().name("await-stage".to_owned()).stack_size(128 * 1024).spawn(move || {
        wait_for_end(&folder, FIRST_SIGN);
        let _ = tell.send(());
    });
    if waiting.is_ok() {
        let _ = told.await;
    }
}

/// How long a supervisor may take from its start to its first file.
pub(super) const FIRST_SIGN: Duration = Duration::from_secs(10);

fn wait_for_end(folder: &AttemptFolder, patience: Duration) {
    loop {
        let deadline = Instant::now() + patience;
        while !folder.has_begun() && Instant::now() < deadline {
            std::thread::park_timeout(Duration::from_millis(5));
        }
        wait_while_supervised(folder);
        // One that is late must not start what is told to have failed. On a full disk that cannot be written down.
        if folder.has_begun() || folder.give_up(why_none_came(folder, patience)).unwrap_or(true) {
            return;
        }
    }
}

/// What a supervisor said that ended before it noted itself.
fn why_none_came(folder: &AttemptFolder, patience: Duration) -> String {
    let said = last_line(&folder.path().join("supervisor.log"));
    if said.is_empty() {
        let seconds = patience.as_secs();
        return format!("its supervisor gave no sign of itself within {seconds} s; start the run again");
    }
    said
}

fn wait_while_supervised(folder: &AttemptFolder) {
    while folder.exit().is_none() && folder.is_supervised() {
        let handle = folder
            .supervision()
            .and_then(|supervision| Pid::from_raw(supervision.supervisor.pid))
            .and_then(|pid| pidfd_open(pid, PidfdFlags::empty()).ok());
        match handle {
            // The lock is asked for again behind the handle: only now is the number surely the supervisor's.
            Some(handle) if folder.is_supervised() => {
                let _ = poll(&mut [PollFd::new(&handle, PollFlags::IN)], None);
            }
            _ => std::thread::park_timeout(Duration::from_millis(20)),
        }
    }
}

/// Asks the supervisor to stop its stage; it goes on until nothing is left.
pub fn stop(folder: &AttemptFolder) -> io::Result<()> {
    match folder.supervision() {
        Some(supervision) if folder.is_supervised() => supervision.supervisor.signal(Signal::TERM),
        _ => Ok(()),
    }
}

/// Ends what a dead supervisor left running.
pub fn end_orphans(folder: &AttemptFolder) -> usize {
    match folder.job() {
        Ok(job) => kill_marked(&job.mark),
        Err(_) => 0,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::disk::FileLock;
    use crate::engine::redact::Secret;
    use crate::engine::supervisor::supervise;

    #[test]
    fn a_supervisor_that_comes_after_it_was_given_up_starts_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let attempt = AttemptFolder::new(folder.path().to_owned());
        wait_for_end(&attempt, Duration::ZERO);
        let told = attempt.exit().and_then(|exit| exit.not_started).unwrap();
        assert!(told.contains("gave no sign of itself"), "{told}");
        supervise(&attempt).unwrap();
        assert_eq!(attempt.supervision(), None);
    }

    #[test]
    fn a_supervisor_that_has_come_is_not_given_up() {
        let folder = tempfile::tempdir().unwrap();
        let attempt = AttemptFolder::new(folder.path().to_owned());
        let supervisor = FileLock::try_acquire(&attempt.lock()).unwrap().unwrap();
        assert!(!attempt.give_up("no sign".to_owned()).unwrap());
        drop(supervisor);
        assert_eq!(attempt.exit(), None);
        assert!(attempt.give_up("no sign".to_owned()).unwrap());
    }

    #[test]
    fn settings_are_written_without_secrets_and_put_together_again() {
        let redactor = Redactor::new(&[Secret { name: "TOKEN".to_owned(), value: b"s3cret-value".to_vec() }]);
        let whole =
            json!({ "variables": { "A/B~": "x s3cret-value", "C": "plain" }, "list": ["plain", "s3cret-value"] });
        let (mut written, mut withheld) = (whole.clone(), BTreeMap::new());
        take_out(&mut written, "", &redactor, &mut withheld);
        assert!(!redactor.finds(written.to_string().as_bytes()), "{written}");
        assert_eq!(written["variables"], json!({ "A/B~": "x [secret TOKEN]", "C": "plain" }));
        for (pointer, value) in withheld {
            *written.pointer_mut(&pointer).unwrap() = value.into();
        }
        assert_eq!(written, whole);
    }
}
