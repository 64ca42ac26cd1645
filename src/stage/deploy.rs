//! The built-in deploy stage: asks the target to put a release into service and tells each step.
//!
//! The stage decides nothing. Whether this release may be deployed was decided before it started, and whether it is healthy
//! is decided by the target, which also goes on serving the former release if it is not.

use std::collections::BTreeMap;
use std::env;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::canary::{self, Verdict};
use super::contract::{Contract, ContractError, Output};
use super::shadow;
use crate::config::{CanarySettings, DeploySettings, DeployTarget};
use crate::disk::Layout;
use crate::pipeline::{ModelVersion, ReleaseId, RunId};
use crate::target::archive::digest_of_name;
use crate::target::engine_image::EngineImage;
use crate::target::host::{ClientError, HostClient};
use crate::target::{ApplyRequest, ApplyResponse, Target};

/// How long the host may take to answer at first; the daemon starts it beside this stage.
const HOST: Duration = Duration::from_secs(10);
/// Steps of a deploy beside a release that serves; the board shows them as progress.
const STEPS: f64 = 5.0;
/// The variable by which a release hears where labelled records go.
const FEEDBACK: &str = "TRAINYARD_FEEDBACK";

/// Why the release is not in service.
#[derive(Debug, thiserror::Error)]
pub enum DeployError {
    /// This process is no stage, or its files cannot be used.
    #[error(transparent)]
    Contract(#[from] ContractError),
    /// A variable holds no number.
    #[error(
        "{name} is `{value}`, which is no number; this command is started by the daemon, not by hand (use `trainyard run`)"
    )]
    Number {
        /// The variable.
        name: &'static str,
        /// What it holds.
        value: String,
    },
    /// The image is not one of the image stage.
    #[error(
        "{0} is no image of trainyard: its name is not a digest; let the deploy stage need a stage with `uses = \"image\"`"
    )]
    Image(PathBuf),
    /// The image was made for another kind of target.
    #[error(
        "the image was made for another target than {0}: one in a folder here runs as a process, one in Docker Engine on docker and kubernetes; run from the image stage on (`trainyard run --force`)"
    )]
    OtherStore(&'static str),
    /// The project folder cannot be used.
    #[error("cannot use the project folder {path}: {source}")]
    Project {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The target cannot be asked.
    #[error(transparent)]
    Target(#[from] ClientError),
    /// The runtime cannot be made.
    #[error("cannot start the deploy: {0}")]
    Runtime(std::io::Error),
    /// The release was found unfit.
    #[error("{0}")]
    Rejected(String),
    /// The release could not be tried, which says nothing about it.
    #[error("{0}")]
    NotTried(String),
    /// Nobody answered who could have put it into service.
    #[error("{0}")]
    NobodyAnswers(String),
}

impl DeployError {
    /// Whether the host of releases, an engine or a cluster could not be reached.
    pub fn is_unreachable(&self) -> bool {
        matches!(self, Self::Target(_) | Self::NobodyAnswers(_))
    }
}

/// The stage: reads the contract, applies the release, reports its address.
pub fn run() -> Result<(), DeployError> {
    let contract = Contract::from_environment()?;
    let settings: DeploySettings = contract.settings()?;
    let mut output = contract.output()?;
    let layout = Layout::new(&contract.project)
        .map_err(|source| DeployError::Project { path: contract.project.clone(), source })?;
    let request = request(&contract, &layout, &settings)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(DeployError::Runtime)?;
    let response = runtime.block_on(async {
        let client = HostClient::new(&layout)?;
        client.wait_ready(HOST).await?;
        let response = apply(&client, &request, &mut output).await?;
        match (&response, &settings.target) {
            (ApplyResponse::Canary { .. }, DeployTarget::Kubernetes(kubernetes)) => match &kubernetes.canary {
                Some(canary) => judge(&client, request.release, canary, &mut output).await,
                None => Ok(response),
            },
            _ => Ok(response),
        }
    })?;
    conclude(request.release, response, &mut output)
}

/// Gathers evidence on a canary and lets the host act on the verdict.
async fn judge(
    client: &HostClient,
    release: ReleaseId,
    settings: &CanarySettings,
    output: &mut Output,
) -> Result<ApplyResponse, DeployError> {
    let verdict = canary::judge(client, settings, output).await;
    println!("{verdict}");
    let promoted = matches!(verdict, Verdict::Pass { .. });
    let response = client.judge(release, promoted, &mut |step| println!("{step}")).await?;
    Ok(match (verdict, response) {
        (Verdict::Pass { .. }, response) => response,
        (verdict @ Verdict::Fail { .. }, ApplyResponse::Rejected { kept, log_tail, .. }) => {
            ApplyResponse::Rejected { reason: format!("was withdrawn: {verdict}"), log_tail, kept }
        }
        // What nobody could judge was not found unfit.
        (verdict, ApplyResponse::Rejected { kept, .. }) => {
            ApplyResponse::NotTried { reason: format!("was withdrawn: {verdict}"), kept, unreachable: false }
        }
        (_, response) => response,
    })
}

async fn apply<T: Target>(target: &T, request: &ApplyRequest, output: &mut Output) -> Result<ApplyResponse, T::Error> {
    let mut done = 0.0;
    let mut tell = |step: &str| {
        println!("{step}");
        done += 1.0;
        // The steps are in the log too; a progress line that cannot be written must not stop a deploy half way.
        let _ = output.progress(f64::min(done / STEPS, 1.0), step);
    };
    target.apply(request, &mut tell).await
}

fn conclude(release: ReleaseId, response: ApplyResponse, output: &mut Output) -> Result<(), DeployError> {
    match response {
        ApplyResponse::Live { address } => {
            println!("release {release} serves at {address}");
            output.release(&address)?;
            Ok(())
        }
        ApplyResponse::Rejected { reason, log_tail, kept } => {
            if log_tail.is_empty() {
                println!("release {release} wrote nothing");
            } else {
                println!("the last lines of release {release}:");
            }
            for line in log_tail {
                println!("  {line}");
            }
            Err(DeployError::Rejected(rejection(release, &reason, kept)))
        }
        ApplyResponse::Canary { address, .. } => {
            let reason = format!("is a canary at {address} that nobody judges; deploy again");
            Err(DeployError::NotTried(format!("release {release} {reason}")))
        }
        ApplyResponse::NotTried { reason, kept, unreachable } => {
            let told = rejection(release, &reason, kept);
            Err(if unreachable { DeployError::NobodyAnswers(told) } else { DeployError::NotTried(told) })
        }
    }
}

fn rejection(release: ReleaseId, reason: &str, kept: Option<ReleaseId>) -> String {
    match kept {
        Some(kept) => format!("release {release} {reason}; release {kept} goes on serving"),
        None => format!("release {release} {reason}; no release is serving"),
    }
}

fn request(contract: &Contract, layout: &Layout, settings: &DeploySettings) -> Result<ApplyRequest, DeployError> {
    let image = PathBuf::from(env::var_os("TRAINYARD_IMAGE").ok_or(ContractError::Missing("TRAINYARD_IMAGE"))?);
    let digest = digest_of_name(&image).ok_or_else(|| DeployError::Image(image.clone()))?;
    if EngineImage::is_named_by(&image) == (settings.target == DeployTarget::Process) {
        return Err(DeployError::OtherStore(settings.target.kind().word()));
    }
    let release = number("TRAINYARD_RELEASE")?.ok_or(ContractError::Missing("TRAINYARD_RELEASE"))?;
    let model_version = number("TRAINYARD_MODEL_VERSION")?.map(ModelVersion);
    let held = if settings.shadow { shadow::newest_held(layout, model_version) } else { None };
    if let Some(held) = &held {
        println!("the model in {} will predict in the shadow", held.display());
    }
    let variables = variables(&settings.variables, env::var(FEEDBACK).ok(), held.as_deref());
    Ok(ApplyRequest {
        release: ReleaseId(release),
        project: env::var("TRAINYARD_PROJECT_NAME").unwrap_or_default(),
        folder: layout.project().to_owned(),
        run: RunId(number("TRAINYARD_RUN")?.unwrap_or_default()),
        commit: env::var("TRAINYARD_RELEASE_COMMIT").unwrap_or_default(),
        repeats: number("TRAINYARD_REPEATS")?.map(ReleaseId),
        target: settings.target.clone(),
        source: contract.source.clone(),
        image,
        digest,
        model_version,
        command: settings.command.clone(),
        variables,
        metrics_path: settings.metrics.clone(),
        health_path: settings.health.path.clone(),
        healthy_within: milliseconds(settings.health.within),
        drain: milliseconds(settings.drain),
    })
}

/// What is configured, with the file for labelled records and the model in the shadow.
fn variables(
    configured: &BTreeMap<String, String>,
    feedback: Option<String>,
    held: Option<&Path>,
) -> BTreeMap<String, String> {
    let mut variables = configured.clone();
    variables.extend(feedback.map(|file| (FEEDBACK.to_owned(), file)));
    if let Some(held) = held {
        variables.entry(shadow::VARIABLE.to_owned()).or_insert_with(|| held.display().to_string());
    }
    variables
}

/// The number in a variable; `None` if it is absent or empty.
fn number(name: &'static str) -> Result<Option<u64>, DeployError> {
    match env::var(name) {
        Ok(value) if !value.is_empty() => match value.parse() {
            Ok(number) => Ok(Some(number)),
            Err(_) => Err(DeployError::Number { name, value }),
        },
        _ => Ok(None),
    }
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_release_hears_of_the_file_for_feedback_and_of_the_shadow_beside_its_own_variables() {
        let configured = BTreeMap::from([("LOG".to_owned(), "info".to_owned())]);
        assert_eq!(variables(&configured, None, None), configured);
        let all = variables(&configured, Some("/p/3.csv".to_owned()), Some(Path::new("/p/models/4")));
        let pairs: Vec<(&str, &str)> = all.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(
            pairs,
            [("LOG", "info"), ("TRAINYARD_FEEDBACK", "/p/3.csv"), ("TRAINYARD_SHADOW_MODEL", "/p/models/4")]
        );
    }

    #[test]
    fn a_refusal_says_what_happened_and_what_serves() {
        let reason = "did not become healthy within 30 s: GET /healthz answered 500 Internal Server Error";
        assert_eq!(
            rejection(ReleaseId(17), reason, Some(ReleaseId(16))),
            "release 17 did not become healthy within 30 s: GET /healthz answered 500 Internal Server Error; \
             release 16 goes on serving"
        );
        assert!(rejection(ReleaseId(1), reason, None).ends_with("no release is serving"));
    }
}
