//! One build in the engine: the context goes up, what the engine says comes down, and how it ended is told.
//!
//! `BuildKit` is used where the engine says that it wants it, or where `DOCKER_BUILDKIT` of the environment says so, as
//! the `docker` command does. Both builders get the context as the body of the same request, so neither needs it in
//! memory.
//!
//! What a failed build leaves: under the classic builder no container (`forcerm`), but an image without tag and label
//! for each step that went well, which is its cache; `docker image prune` removes it. `BuildKit` has a cache of its
//! own. Dropping the future breaks the build off.

use std::collections::{BTreeMap, HashMap};
use std::env;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use bollard::auth::DockerCredentials;
use bollard::models::{BuildInfo, BuildInfoAux};
use bollard::query_parameters::{BuildImageOptions, BuildImageOptionsBuilder};
use bollard::{BollardRequest, body_try_stream};
use futures_util::StreamExt;

use super::context::{Context, ContextError};
use super::error::DockerBuildError;
use super::progress::{Classic, Said, Step, Tail};
use super::secrets::Secrets;
use super::session::{Answers, Session};
use super::steps::Graph;
use super::upload::{self, Outcome};
use super::wire;
use crate::disk::{digest_bytes, now};
use crate::pipeline::Digest;
use crate::target::docker::engine::{ANSWER, Activity, Engine, EngineError, mend_credentials, next_within};
use crate::target::docker::images::wants_login;

/// The variable of the `docker` command that chooses the builder.
const CHOICE: &str = "DOCKER_BUILDKIT";
/// What the engine says of the builder that it wants to be used.
const BUILD_KIT: &str = "2";
const CLASSIC: &str = "1";

/// What is built.
pub struct Job<'a> {
    /// What is sent.
    pub context: Arc<Context>,
    /// Its digest.
    pub digest: Digest,
    /// The tag of the image.
    pub tag: &'a str,
    /// The Dockerfile, as a person knows it.
    pub dockerfile: String,
    /// The stage of the Dockerfile that is built.
    pub target: Option<&'a str>,
    /// Build arguments.
    pub arguments: &'a BTreeMap<String, String>,
    /// Labels of the image.
    pub labels: &'a BTreeMap<String, String>,
    /// How long the engine may say nothing.
    pub silence: Duration,
    /// For the registries of its base images.
    pub credentials: HashMap<String, DockerCredentials>,
    /// The secrets, for `BuildKit` only.
    pub secrets: Secrets,
}

/// What builds in the engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Builder {
    /// The builder of before, with steps one after another.
    Classic,
    /// `BuildKit`.
    BuildKit,
}

impl Builder {
    /// Chooses as the `docker` command does: by its variable, else by what the engine wants.
    pub async fn choose(engine: &Engine) -> Result<Self, EngineError> {
        let asked = wire::builder_version(engine.address(), ANSWER).await;
        let wanted = asked.map_err(|error| gone(engine.address(), &error))?;
        Self::of(env::var(CHOICE).ok().as_deref(), wanted.as_deref()).ok_or_else(|| EngineError::Refused {
            status: 400,
            message: format!(
                "{CHOICE} asks for BuildKit, which is turned off in it; take `\"buildkit\": false` out of \
                 /etc/docker/daemon.json, or unset the variable"
            ),
        })
    }

    /// `None` if what is asked for is turned off.
    fn of(choice: Option<&str>, wanted: Option<&str>) -> Option<Self> {
        match choice.map(str::trim) {
            Some("0" | "false" | "False" | "FALSE" | "f" | "F") => Some(Self::Classic),
            // An engine that says nothing of it can all the same; one that says it wants the other one refuses.
            Some("1" | "true" | "True" | "TRUE" | "t" | "T") => (wanted != Some(CLASSIC)).then_some(Self::BuildKit),
            _ if wanted == Some(BUILD_KIT) => Some(Self::BuildKit),
            _ => Some(Self::Classic),
        }
    }
}

/// Builds; the log goes to the standard output, steps to `progress`.
pub async fn run(
    engine: &Engine,
    builder: Builder,
    mut job: Job<'_>,
    progress: &mut dyn FnMut(f64, &str),
) -> Result<(), DockerBuildError> {
    let activity = Activity::default();
    let (context, digest) = (Arc::clone(&job.context), job.digest.clone());
    let (body, outcome) = upload::start(activity.clone(), move |sender| context.send(sender, &digest))
        .map_err(DockerBuildError::Runtime)?;
    let credentials = std::mem::take(&mut job.credentials);
    let (session, credentials) = match builder {
        Builder::Classic => (None, Some(credentials)),
        Builder::BuildKit => (Some(open_session(engine, &mut job, credentials).await?), None),
    };
    let client = engine.patient().with_request_modifier(move |request| mend(request, builder));
    let options = options(&job, session.as_ref().map(|(id, _)| id.as_str()));
    let mut told = client.build_image(options, credentials, Some(body_try_stream(body))).boxed();
    let mut report = Report::new(builder);
    let ended = loop {
        match next_within(&mut told, job.silence, &activity).await {
            Ok(Some(info)) => report.take(&info, progress),
            Ok(None) => break Ok(()),
            Err(error) => break Err(error),
        }
    };
    drop(told);
    report.end(progress);
    match ended {
        Ok(()) => Ok(()),
        Err(error) => Err(failure(&job, error, &report, outcome).await),
    }
}

/// Opens the session on which the engine asks for secrets and credentials; its name and what keeps it open.
async fn open_session(
    engine: &Engine,
    job: &mut Job<'_>,
    credentials: HashMap<String, DockerCredentials>,
) -> Result<(String, Session), DockerBuildError> {
    // Nobody else has this process at this moment build this image.
    let id = digest_bytes(format!("{} {} {}", job.tag, std::process::id(), now().0).as_bytes()).0;
    let answers = Answers { secrets: std::mem::take(&mut job.secrets), credentials };
    let opened = Session::open(engine.address(), &id, answers, ANSWER).await;
    let opened = opened.map_err(|error| gone(engine.address(), &error))?;
    let session = opened.ok_or_else(|| EngineError::Address {
        address: engine.address().to_owned(),
        reason: format!("BuildKit is asked for, and a session for it needs a plain connection; set {CHOICE}=0"),
    })?;
    Ok((id, session))
}

fn options(job: &Job<'_>, session: Option<&str>) -> BuildImageOptions {
    let map = |values: &BTreeMap<String, String>| -> HashMap<String, String> {
        values.iter().map(|(name, value)| (name.clone(), value.clone())).collect()
    };
    let options = BuildImageOptionsBuilder::new()
        .dockerfile(job.context.dockerfile())
        .t(job.tag)
        .rm(true)
        .forcerm(true)
        .buildargs(&map(job.arguments))
        .labels(&map(job.labels))
        .target(job.target.unwrap_or_default());
    match session {
        Some(session) => options.session(session).build(),
        None => options.build(),
    }
}

/// The version of the builder is put into the request here: bollard would open a session of its own for `BuildKit`,
/// under the name of ours.
fn mend(mut request: BollardRequest, builder: Builder) -> BollardRequest {
    mend_credentials(request.headers_mut());
    if builder == Builder::BuildKit {
        let uri = request.uri().to_string().replace("&version=1", "&version=2");
        if let Ok(uri) = uri.parse::<hyper::Uri>() {
            *request.uri_mut() = uri;
        }
    }
    request
}

fn gone(address: &str, error: &io::Error) -> EngineError {
    let address = address.to_owned();
    match error.kind() {
        io::ErrorKind::TimedOut => EngineError::Late { address },
        _ => EngineError::Gone { address, reason: error.to_string() },
    }
}

/// Reads what the engine says, and tells it.
struct Report {
    reader: Reader,
    tail: Tail,
}

enum Reader {
    Classic(Classic),
    BuildKit(Graph),
}

impl Report {
    fn new(builder: Builder) -> Self {
        let reader = match builder {
            Builder::Classic => Reader::Classic(Classic::default()),
            Builder::BuildKit => Reader::BuildKit(Graph::default()),
        };
        Self { reader, tail: Tail::default() }
    }

    fn take(&mut self, info: &BuildInfo, progress: &mut dyn FnMut(f64, &str)) {
        let said = match (&mut self.reader, &info.aux) {
            (Reader::BuildKit(graph), Some(BuildInfoAux::BuildKit(status))) => graph.take(status),
            (Reader::Classic(classic), _) => classic.take(info),
            (Reader::BuildKit(_), _) => Vec::new(),
        };
        self.tell(said, progress);
    }

    fn end(&mut self, progress: &mut dyn FnMut(f64, &str)) {
        let said = match &mut self.reader {
            Reader::Classic(classic) => classic.end(),
            Reader::BuildKit(graph) => graph.end(),
        };
        self.tell(said, progress);
    }

    fn tell(&mut self, said: Vec<Said>, progress: &mut dyn FnMut(f64, &str)) {
        for said in said {
            match said {
                Said::Line(line) => {
                    println!("{line}");
                    self.tail.push(&line);
                }
                Said::Step { share, message } => progress(share, &message),
            }
        }
    }

    fn step(&self) -> Option<Step> {
        match &self.reader {
            Reader::Classic(classic) => classic.step().cloned(),
            Reader::BuildKit(graph) => graph.failed().cloned(),
        }
    }
}

/// What a build that ended in an error failed of: our own files, the engine, or what was built.
async fn failure(job: &Job<'_>, error: EngineError, report: &Report, outcome: Outcome) -> DockerBuildError {
    // A body that failed breaks the connection, which looks as if the engine were gone.
    if let Some(trouble) = outcome.trouble().await {
        return ContextError::Changed(trouble).into();
    }
    if error.said().is_some() {
        // An engine on its way down breaks off its builds first, and says so as if a step had failed.
        if let Err(error) = Engine::connect().await {
            return error.into();
        }
    }
    judge(error, report.step(), report.tail.lines(), &job.dockerfile)
}

fn judge(error: EngineError, step: Option<Step>, tail: Vec<String>, dockerfile: &str) -> DockerBuildError {
    const UNPACKING: [&str; 4] = ["tar file", "tar header", "archive/tar", "unexpected EOF"];
    const SYNTAX: [&str; 3] =
        ["dockerfile parse error", "failed to parse dockerfile", "failed to create llb definition"];
    let path = dockerfile.to_owned();
    match error {
        EngineError::Silent { seconds } => DockerBuildError::Silent { seconds, step },
        EngineError::Failed { message } => {
            let message = one_line(&message);
            if SYNTAX.iter().any(|text| message.to_lowercase().contains(text)) && step.is_none() {
                return DockerBuildError::Dockerfile { path, message };
            }
            DockerBuildError::Step { step, message: with_mend(message), tail }
        }
        EngineError::Refused { status: 500.., message } if UNPACKING.iter().any(|text| message.contains(text)) => {
            DockerBuildError::ContextRefused { message: one_line(&message) }
        }
        EngineError::Refused { status: 400..500, message }
        | EngineError::Missing { message }
        | EngineError::Conflict { message } => {
            DockerBuildError::Dockerfile { path, message: with_mend(one_line(&message)) }
        }
        other => other.into(),
    }
}

fn one_line(message: &str) -> String {
    message.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ")
}

fn with_mend(message: String) -> String {
    if message.to_lowercase().contains("requires buildkit") {
        return format!("{message}; set {CHOICE}=1 where the daemon is started, and start it again");
    }
    if wants_login(&message) {
        return format!(
            "{message}; if there is such an image, log in to its registry (`docker login`) as the user who runs trainyard"
        );
    }
    message
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(message: &str, step: Option<Step>) -> DockerBuildError {
        judge(EngineError::Failed { message: message.to_owned() }, step, vec!["last".to_owned()], "Dockerfile")
    }

    fn refused(status: u16, message: &str) -> DockerBuildError {
        judge(EngineError::Refused { status, message: message.to_owned() }, None, Vec::new(), "Dockerfile")
    }

    #[test]
    fn the_builder_is_what_the_variable_says_and_else_what_the_engine_wants() {
        assert_eq!(Builder::of(None, Some("2")), Some(Builder::BuildKit));
        assert_eq!(Builder::of(None, Some("1")), Some(Builder::Classic));
        assert_eq!(Builder::of(None, None), Some(Builder::Classic));
        assert_eq!(Builder::of(Some("1"), None), Some(Builder::BuildKit));
        assert_eq!(Builder::of(Some("1"), Some("1")), None);
        assert_eq!(Builder::of(Some("0"), Some("2")), Some(Builder::Classic));
        assert_eq!(Builder::of(Some(""), Some("2")), Some(Builder::BuildKit));
    }

    #[test]
    fn an_engine_that_gave_no_answer_in_time_is_told_from_one_that_is_gone() {
        let late = gone("unix:///x", &io::ErrorKind::TimedOut.into());
        assert_eq!(late, EngineError::Late { address: "unix:///x".to_owned() });
        assert!(matches!(gone("unix:///x", &io::ErrorKind::BrokenPipe.into()), EngineError::Gone { .. }));
    }

    #[test]
    fn a_step_that_failed_keeps_its_place_and_the_last_lines() {
        let step = Step { number: 2, count: 3, instruction: "RUN false".to_owned() };
        let error = failed("The command '/bin/sh -c false'\nreturned a non-zero code: 1\n", Some(step.clone()));
        let DockerBuildError::Step { step: at, message, tail } = error else { panic!("{error:?}") };
        assert_eq!((at, message.as_str()), (Some(step), "The command '/bin/sh -c false' returned a non-zero code: 1"));
        assert_eq!(tail, ["last"]);
    }

    #[test]
    fn a_dockerfile_a_context_and_an_engine_are_told_apart() {
        let parse = "dockerfile parse error line 1: unknown instruction: FORM";
        assert!(matches!(refused(400, parse), DockerBuildError::Dockerfile { .. }));
        assert!(matches!(failed(parse, None), DockerBuildError::Dockerfile { .. }));
        let tar = "Error processing tar file(exit status 1): unexpected EOF";
        assert!(matches!(refused(500, tar), DockerBuildError::ContextRefused { .. }));
        assert!(matches!(refused(500, "no"), DockerBuildError::Engine(EngineError::Refused { .. })));
        let silent = judge(EngineError::Silent { seconds: 9 }, None, Vec::new(), "Dockerfile");
        assert!(matches!(silent, DockerBuildError::Silent { seconds: 9, .. }));
    }

    #[test]
    fn what_can_be_mended_is_told_with_its_mend() {
        let told = refused(400, "the --mount option requires BuildKit. Refer to https://docs.docker.com/go/buildkit/");
        assert!(told.to_string().contains("DOCKER_BUILDKIT=1"), "{told}");
        let told = failed("pull access denied for x, repository does not exist or may require 'docker login'", None);
        assert!(told.to_string().contains("as the user who runs trainyard"), "{told}");
    }
}
