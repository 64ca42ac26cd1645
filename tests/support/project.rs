//! A project in a temporary folder, with a repository and a run-time folder of its own, driven through the real program.

use std::collections::hash_map::RandomState;
use std::fmt::Write;
use std::fs;
use std::hash::{BuildHasher, Hasher};
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use git2::{Commit, IndexAddOption, Repository, Signature, Time};
use serde_json::Value;
use tempfile::TempDir;

use super::commands::{Finished, PATIENCE, finish, lines_of, pause};
use super::samples::customers;
use super::{disk, processes};

/// The program under test.
pub const PROGRAM: &str = env!("CARGO_BIN_EXE_trainyard");

/// Two stages that take no time: `train` counts lines, `test` looks whether there is a count.
const LIGHT: &str = r#"
[project]
name = "light"
[data]
settle = "300ms"
[stages.train]
command = ["sh", "train.sh"]
[stages.test]
needs = ["train"]
command = ["sh", "test.sh"]
"#;
const COUNT: &str = "xargs cat < \"$TRAINYARD_DATA\" | wc -l > \"$TRAINYARD_MODEL/lines\"\n";
const IS_COUNTED: &str = "test -s \"$TRAINYARD_MODEL/lines\"\n";
/// What is beside the app in the repository: the app must greet, and the model must predict.
const APP_TEST: &str = r#"set -e
grep -q hello app/greeting.txt
"$TRAINYARD_BIN" predict --json "$(head -n 1 "$TRAINYARD_DATA")" > /dev/null
echo tested
"#;
/// How long the daemon and the app may take to end when a test is over.
const END: Duration = Duration::from_secs(40);
/// The longest wait between two looks when nothing is heard.
const LOOK: Duration = Duration::from_millis(150);

/// One project. When it is dropped, everything that it started ends.
pub struct Project {
    root: PathBuf,
    folder: PathBuf,
    port: u16,
    mounts: Mutex<Vec<PathBuf>>,
    heard: Mutex<Option<Receiver<String>>>,
    extra: Mutex<Vec<(&'static str, String)>>,
    _temporary: TempDir,
}

impl Project {
    /// An empty folder, with a run-time folder and a home beside it. The path is short, for a socket's may hold 107 bytes.
    pub fn bare() -> Self {
        let temporary = tempfile::Builder::new().prefix("ty-").tempdir_in("/tmp").unwrap();
        let root = temporary.path().canonicalize().unwrap();
        let folder = root.join("p");
        for folder in [&folder, &root.join("run"), &root.join("home"), &root.join("outside")] {
            fs::create_dir(folder).unwrap();
        }
        let (mounts, heard, extra) = (Mutex::default(), Mutex::default(), Mutex::default());
        Self { root, folder, port: free_port(), mounts, heard, extra, _temporary: temporary }
    }

    /// A repository with this configuration and these files, committed, and an empty data folder. In all of them `@PORT@`
    /// and `@MARK@` stand for what only this project has.
    pub fn with(configuration: &str, files: &[(&str, &str)]) -> Self {
        let project = Self::bare();
        project.furnish(configuration, files);
        project
    }

    /// As [`Project::with`], in a folder that was prepared.
    pub fn furnish(&self, configuration: &str, files: &[(&str, &str)]) {
        let filled = |text: &str| text.replace("@PORT@", &self.port.to_string()).replace("@MARK@", &self.mark());
        fs::create_dir_all(self.folder.join("data")).unwrap();
        self.write(".gitignore", "*.log\n");
        self.write("trainyard.toml", filled(configuration));
        for (path, text) in files {
            self.write(path, filled(text));
        }
        Repository::init(&self.folder).unwrap();
        self.commit("begin");
    }

    /// Two stages that take no time.
    pub fn light() -> Self {
        Self::with(LIGHT, &[("train.sh", COUNT), ("test.sh", IS_COUNTED)])
    }

    /// As [`Project::light`], and its only run has passed.
    pub fn rested() -> Self {
        let project = Self::light();
        project.up();
        project.register("first.csv", customers(0, 20));
        project.expect_run(1, "passed");
        project
    }

    /// As [`Project::light`], with `[source]` as given and another script for `test`.
    pub fn light_with(source: &str, test: &str) -> Self {
        Self::with(&format!("{LIGHT}[source]\n{source}\n"), &[("train.sh", COUNT), ("test.sh", test)])
    }

    /// As [`Project::light`], in a folder that was prepared.
    pub fn furnish_light(&self) {
        self.furnish(LIGHT, &[("train.sh", COUNT), ("test.sh", IS_COUNTED)]);
    }

    /// A user's own CSV, app and tests in a repository, and beside them what `trainyard init` writes: the whole chain. Only
    /// the port is changed, and the app is put into the image.
    pub fn with_app() -> Self {
        let project = Self::bare();
        project.write(".gitignore", "*.log\n");
        project.write("customers.csv", customers(0, 40));
        project.write("app/greeting.txt", "hello\n");
        project.write("test.sh", APP_TEST);
        Repository::init(&project.folder).unwrap();
        project.command(&["init"]).ok();
        let text = fs::read_to_string(project.folder.join("trainyard.toml")).unwrap();
        let mended = text.replace("port = 8080", &format!("port = {}", project.port));
        assert!(!mended.contains("8080"), "init wrote something else:\n{text}");
        let named = mended.replace("name = \"p\"", "name = \"customers\"");
        project.write("trainyard.toml", &named);
        project.commit("begin");
        project
    }

    /// The project folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// A folder outside of the project, on the same disk.
    pub fn outside(&self) -> PathBuf {
        self.root.join("outside")
    }

    /// The run-time folder.
    pub fn runtime(&self) -> PathBuf {
        self.root.join("run")
    }

    /// The port of its stable address.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// A text that no other project has, for the environment of stages.
    pub fn mark(&self) -> String {
        format!("stage-of-{}", self.root.display())
    }

    /// A file below `.trainyard/`.
    pub fn state(&self, path: &str) -> PathBuf {
        self.folder.join(".trainyard").join(path)
    }

    /// Saves a file whole, as editors do: written beside and renamed into place.
    pub fn write(&self, path: &str, text: impl AsRef<[u8]>) {
        let path = self.folder.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let beside = self.folder.parent().unwrap().join("outside").join("saved");
        fs::write(&beside, text).unwrap();
        // On another disk a rename is not possible.
        if fs::rename(&beside, &path).is_err() {
            fs::copy(&beside, &path).unwrap();
        }
    }

    /// Puts a whole file into the data folder.
    pub fn register(&self, name: &str, text: impl AsRef<[u8]>) {
        self.write(&format!("data/{name}"), text);
    }

    /// Commits all that git does not ignore. The time is fixed, so that equal projects have equal commits.
    pub fn commit(&self, message: &str) -> String {
        let repository = Repository::open(&self.folder).unwrap();
        let mut index = repository.index().unwrap();
        index.add_all(["*"], IndexAddOption::DEFAULT, None).unwrap();
        index.write().unwrap();
        let tree = repository.find_tree(index.write_tree().unwrap()).unwrap();
        let author = Signature::new("tester", "tester@example.org", &Time::new(1_700_000_000, 0)).unwrap();
        let parent = repository.head().ok().and_then(|head| head.peel_to_commit().ok());
        let parents: Vec<&Commit<'_>> = parent.iter().collect();
        repository.commit(Some("HEAD"), &author, &author, message, &tree, &parents).unwrap().to_string()
    }

    /// Mounts a disk of its own on the project folder; false without the right to.
    pub fn mount(&self, options: &str) -> bool {
        let is_mounted = disk::call("mount", &["-t", "tmpfs", "-o", options, "tmpfs"], &self.folder);
        if is_mounted {
            self.mounts.lock().unwrap().push(self.folder.clone());
        }
        is_mounted
    }

    /// Mounts that disk again, with other options.
    pub fn remount(&self, options: &str) {
        let options = format!("remount,{options}");
        assert!(disk::call("mount", &["-o", &options], &self.folder), "the disk cannot be mounted again: {options}");
    }

    /// What the program finds in its environment.
    pub fn environment(&self) -> Vec<(&'static str, String)> {
        let path = |name: &str| self.root.join(name).display().to_string();
        let extra = self.extra.lock().unwrap().clone();
        let usual = vec![
            ("XDG_RUNTIME_DIR", path("run")),
            // The settings of git of whoever runs the tests do not count.
            ("HOME", path("home")),
            ("XDG_CONFIG_HOME", path("home")),
            ("TRAINYARD_OPERATOR", "tester".to_owned()),
            ("COLUMNS", "100".to_owned()),
            ("LC_ALL", "C.UTF-8".to_owned()),
            ("TERM", "xterm-256color".to_owned()),
        ];
        usual.into_iter().chain(extra).collect()
    }

    /// Sets a variable of all programs that are started from now on.
    pub fn set(&self, name: &'static str, value: impl Into<String>) {
        self.extra.lock().unwrap().push((name, value.into()));
    }

    /// The program, to be run in this project.
    pub fn trainyard(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(PROGRAM);
        command.arg("-C").arg(&self.folder).args(arguments).current_dir(&self.root);
        command.env_remove("NO_COLOR").envs(self.environment());
        command
    }

    /// Runs a command to its end.
    #[track_caller]
    pub fn command(&self, arguments: &[&str]) -> Finished {
        finish(&mut self.trainyard(arguments), PATIENCE)
    }

    /// Starts the daemon.
    #[track_caller]
    pub fn up(&self) {
        self.command(&["up"]).ok();
    }

    /// Everything that the program knows of the project.
    #[track_caller]
    pub fn snapshot(&self) -> Value {
        self.command(&["status", "--json"]).ok().json()
    }

    /// The process of the daemon.
    #[track_caller]
    pub fn daemon(&self) -> u32 {
        let pid = self.snapshot()["daemon"]["pid"].as_u64().and_then(|pid| u32::try_from(pid).ok());
        pid.filter(|pid| *pid != 0).expect("a daemon that runs")
    }

    /// The process that runs releases.
    #[track_caller]
    pub fn host(&self) -> u32 {
        let root = self.root.display().to_string();
        let is_host = |pid: &u32| processes::command_line(*pid).windows(2).any(|words| words == ["host", "--port"]);
        processes::carrying(&root).into_iter().find(is_host).expect("a host that runs")
    }

    /// Looks at the snapshot after everything that happens, until `look` finds something in it.
    #[track_caller]
    pub fn wait_until<T>(&self, what: &str, mut look: impl FnMut(&Value) -> Option<T>) -> T {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(found) = look(&self.snapshot()) {
                return found;
            }
            assert!(Instant::now() < deadline, "waited in vain for {what}\n{}", self.account());
            self.await_event();
        }
    }

    /// Waits for an event, but not for long: what is not journaled changes without one.
    fn await_event(&self) {
        let mut heard = self.heard.lock().unwrap();
        let events =
            heard.get_or_insert_with(|| lines_of(&mut self.trainyard(&["events", "-f", "--json", "--limit", "1"])));
        match events.recv_timeout(LOOK) {
            Ok(_) => while events.try_recv().is_ok() {},
            Err(RecvTimeoutError::Timeout) => {}
            // The daemon is gone, or not there yet.
            Err(RecvTimeoutError::Disconnected) => {
                *heard = None;
                pause(LOOK);
            }
        }
    }

    /// Waits for the end of a run.
    #[track_caller]
    pub fn finished_run(&self, run: u64) -> Value {
        self.wait_until(&format!("the end of run {run}"), |snapshot| {
            let run = &snapshot["state"]["runs"][run.to_string()];
            (!run["result"].is_null()).then(|| run.clone())
        })
    }

    /// Waits for the end of a run, which must have this result.
    #[track_caller]
    pub fn expect_run(&self, run: u64, result: &str) -> Value {
        let found = self.finished_run(run);
        assert_eq!(found["result"], result, "run {run}\n{}", self.account());
        found
    }

    /// Waits until a stage is in a state.
    #[track_caller]
    pub fn wait_for_stage(&self, run: u64, stage: &str, word: &str) {
        self.wait_until(&format!("{stage} of run {run} to be {word}"), |snapshot| {
            (stage_word(&snapshot["state"]["runs"][run.to_string()], stage) == word).then_some(())
        });
    }

    /// How many runs there have been.
    #[track_caller]
    pub fn runs(&self) -> u64 {
        self.snapshot()["state"]["last_run"].as_u64().unwrap()
    }

    /// The log of a stage in a run.
    #[track_caller]
    pub fn log(&self, run: u64, stage: &str) -> String {
        self.command(&["logs", stage, "--run", &run.to_string()]).ok().stdout
    }

    /// All there is to say when a test fails: the board, and the last that the daemon and each stage printed.
    pub fn account(&self) -> String {
        let mut text = self.command(&["status"]).said();
        let attempts = files_below(&self.state("runs"), "log");
        for file in [self.state("daemon.log"), self.state("releases/host.log")].into_iter().chain(attempts) {
            if let Ok(bytes) = fs::read(&file) {
                let tail = &bytes[bytes.len().saturating_sub(2_000)..];
                let name = file.strip_prefix(&self.folder).unwrap_or(&file).display();
                writeln!(text, "--- {name}\n{}", String::from_utf8_lossy(tail)).unwrap();
            }
        }
        text
    }
}

impl Drop for Project {
    fn drop(&mut self) {
        // Nothing may panic here: the test may have failed already.
        let folder = self.folder.clone();
        let is_configured = folder.join("trainyard.toml").is_file();
        if is_configured && !processes::carrying(&self.root.display().to_string()).is_empty() {
            let mut down = self.trainyard(&["down", "--all"]);
            let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| finish(&mut down, END)));
        }
        processes::sweep(&self.root.display().to_string());
        for mount in self.mounts.get_mut().unwrap_or_else(std::sync::PoisonError::into_inner) {
            disk::call("umount", &["-l"], mount);
        }
    }
}

/// One word for where a stage of a run stands, such as `passed` or `not_run`; `absent` if there is no such stage.
pub fn stage_word(run: &Value, stage: &str) -> String {
    match &run["stages"][stage]["state"] {
        Value::String(word) => word.clone(),
        Value::Object(state) => state.keys().next().cloned().unwrap_or_default(),
        _ => "absent".to_owned(),
    }
}

/// A port on which nothing listens, below those that the kernel gives to outgoing connections: a load of fresh connections
/// would take one of those away before the app listens on it.
pub fn free_port() -> u16 {
    loop {
        let random = RandomState::new().build_hasher().finish() % 12_000;
        let port = 20_000 + u16::try_from(random).unwrap();
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return port;
        }
    }
}

/// The files of that name below a folder.
fn files_below(folder: &Path, name: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(files_below(&path, name));
        } else if path.ends_with(name) {
            found.push(path);
        }
    }
    found.sort();
    found
}
