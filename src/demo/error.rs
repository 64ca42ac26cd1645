//! Why the demo cannot go on.

use std::io;
use std::path::PathBuf;

use crate::api::client::ClientError;
use crate::config::LoadError;
use crate::pipeline::{ApplyError, Refusal, ReleaseId, RunId, StageName};

/// Why the demo cannot be made, or did not come to its end.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// The folder belongs to something else.
    #[error(
        "{0} is not empty and was not made by `trainyard demo`; give another folder with --dir, or remove what is in it"
    )]
    Occupied(PathBuf),
    /// A file or folder of the demo cannot be used.
    #[error("cannot use {path}: {source}; the demo needs a folder that it may write to (--dir)")]
    File {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// No repository can be made.
    #[error("cannot make a git repository in {path}: {reason}")]
    Git {
        /// The folder.
        path: PathBuf,
        /// What git said.
        reason: String,
    },
    /// The app cannot listen there.
    #[error("port {port} on 127.0.0.1 cannot be used: {source}; give another one with --port")]
    Port {
        /// The port that was asked for; 0 stands for any.
        port: u16,
        /// What the system said.
        source: io::Error,
    },
    /// The demo was made for another port.
    #[error("the demo in {folder} uses port {configured}; leave --port out, or edit `port` in its trainyard.toml")]
    OtherPort {
        /// The folder.
        folder: PathBuf,
        /// The port in its configuration.
        configured: u16,
    },
    /// The demo was made for another target.
    #[error("the demo in {folder} runs on {configured}; leave --target out, or make another with --dir")]
    OtherTarget {
        /// The folder.
        folder: PathBuf,
        /// The target in its configuration.
        configured: &'static str,
    },
    /// The configuration of an earlier demo was changed and is not valid any more.
    #[error(transparent)]
    Configuration(#[from] LoadError),
    /// The configuration of an earlier demo was changed and deploys nothing.
    #[error(
        "the trainyard.toml in {0} has no stage with `uses = \"deploy\"`, which the demo needs; give another --dir"
    )]
    NoDeploy(PathBuf),
    /// A person has changed what the demo would change.
    #[error("{0} was edited, so the demo does not know how to break it; `git checkout {0}` brings back the demo's own")]
    Edited(PathBuf),
    /// The daemon cannot be asked.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// What the daemon tells contradicts itself.
    #[error("{0}; please report this as a fault of trainyard")]
    Events(#[from] ApplyError),
    /// The rules do not allow it.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The daemon is gone.
    #[error("the daemon ended; its log is .trainyard/daemon.log in the project")]
    DaemonEnded,
    /// A stage failed.
    #[error("{stage} failed in run {run}: {reason}")]
    StageFailed {
        /// The run.
        run: RunId,
        /// The first stage that failed.
        stage: StageName,
        /// Why.
        reason: String,
    },
    /// The run did not come to its end for another reason.
    #[error("run {run} did not pass: it is {result}{reason}")]
    NotPassed {
        /// The run.
        run: RunId,
        /// One word.
        result: &'static str,
        /// More words, with a separator before them, or nothing.
        reason: String,
    },
    /// The run passed, but no release serves.
    #[error("run {0} passed, but no release is live; `trainyard releases` lists what there is")]
    NotLive(RunId),
    /// The release is live, but what is known of it is not whole.
    #[error("release {release} is live without {what}; please report this as a fault of trainyard")]
    Incomplete {
        /// The release.
        release: ReleaseId,
        /// What is missing.
        what: &'static str,
    },
    /// The deployed app does not do what it is for.
    #[error("the deployed app did not predict: POST {address}/predict: {reason}")]
    NoPrediction {
        /// Where it should answer.
        address: String,
        /// What came instead.
        reason: String,
    },
    /// The bad release was not left for a good one.
    #[error("release {0} refuses its clients, and no earlier release came back; `trainyard alerts` says why")]
    NotLeft(ReleaseId),
    /// It takes too long.
    #[error("not done after {minutes} minutes, still waiting for {waiting_for}")]
    Deadline {
        /// How long was waited.
        minutes: u64,
        /// For what.
        waiting_for: &'static str,
    },
    /// Told to stop from outside.
    #[error("interrupted")]
    Interrupted,
    /// Whoever reads what is told is gone, or the disk is full.
    #[error("cannot write the progress: {0}")]
    Output(#[from] io::Error),
}
