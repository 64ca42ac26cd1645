//! Why there is no image in the engine.

use std::io;
use std::path::PathBuf;

use super::context::ContextError;
use super::progress::Step;
use super::secrets::SecretError;
use crate::target::docker::engine::EngineError;

/// Why a build, or the loading of an archive, gave no image.
#[derive(Debug, thiserror::Error)]
pub enum DockerBuildError {
    /// The engine did not do what it was asked to.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// There is no context, or it changed.
    #[error(transparent)]
    Context(#[from] ContextError),
    /// A secret cannot be had.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// The Dockerfile is not right, or the engine does not take it.
    #[error("Docker Engine does not take the Dockerfile {path}: {message}")]
    Dockerfile {
        /// The Dockerfile, as it is configured.
        path: String,
        /// What the engine said.
        message: String,
    },
    /// The engine could not unpack the context.
    #[error("Docker Engine could not unpack the context: {message}; see whether its disk is full (`docker system df`)")]
    ContextRefused {
        /// What the engine said.
        message: String,
    },
    /// A step failed.
    #[error("the build failed{}: {message}", place(.step.as_ref()))]
    Step {
        /// Which, as far as it is known.
        step: Option<Step>,
        /// What the engine said, and the mend if one is known.
        message: String,
        /// The last lines of the build.
        tail: Vec<String>,
    },
    /// The engine fell silent.
    #[error(
        "Docker Engine said nothing for {seconds} s{}, so the build was broken off; raise `silence` of the image stage if a step is that quiet",
        place(.step.as_ref())
    )]
    Silent {
        /// How long it was waited.
        seconds: u64,
        /// At which step.
        step: Option<Step>,
    },
    /// Only `BuildKit` has secrets.
    #[error("the image stage has secrets ({names}), and only BuildKit can give them to a step: {reason}")]
    SecretsNeedBuildKit {
        /// The names of the secrets.
        names: String,
        /// Why it is not used, and what to do.
        reason: String,
    },
    /// The image that was built is not there.
    #[error(
        "Docker Engine built {0} and does not have it; was it removed at once (`docker image prune`)? run the stage again"
    )]
    Vanished(String),
    /// It is no archive of ours.
    #[error("{0} is no image archive of trainyard: its name is not a digest")]
    Archive(PathBuf),
    /// The file that stands for the image cannot be written.
    #[error(
        "cannot write the file that stands for the image in {folder}: {source}; the image itself is in Docker Engine"
    )]
    Write {
        /// Where it was to be written.
        folder: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The build cannot be begun on this machine.
    #[error("cannot start the build: {0}")]
    Runtime(io::Error),
}

impl DockerBuildError {
    /// Whether the engine itself could not be had, which says nothing about the Dockerfile or the source.
    pub fn is_unreachable(&self) -> bool {
        matches!(self, Self::Engine(error) if error.is_unreachable())
    }
}

fn place(step: Option<&Step>) -> String {
    step.map(|step| format!(" at step {}/{} ({})", step.number, step.count, step.instruction)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_told_with_its_step_and_only_a_lost_engine_is_out_of_reach() {
        let step = Some(Step { number: 3, count: 7, instruction: "RUN false".to_owned() });
        let failed =
            DockerBuildError::Step { step: step.clone(), message: "exit code: 1".to_owned(), tail: Vec::new() };
        assert_eq!(failed.to_string(), "the build failed at step 3/7 (RUN false): exit code: 1");
        assert!(!failed.is_unreachable());
        let silent = DockerBuildError::Silent { seconds: 600, step: None }.to_string();
        assert!(silent.starts_with("Docker Engine said nothing for 600 s, so"), "{silent}");
        let gone = EngineError::Gone { address: "unix:///x".to_owned(), reason: "reset".to_owned() };
        assert!(DockerBuildError::from(gone).is_unreachable());
    }
}
