//! The image stage through Docker Engine: an image of the user's own Dockerfile, or an archive of ours brought into it.
//!
//! ```text
//!  source ─ dockerignore ─▶ context ── digest ──▶ tag ── there already? ─────────────┐
//!                              │                          │ no                       ▼
//!                              └── upload ──▶ building ◀──┘ (session, secrets)   EngineImage
//!                                                │                                   ▲
//!                                                └─ progress, steps ─▶ log      publish (push)
//! ```
//!
//! The tag is of all that goes into the image: context, Dockerfile, arguments, target, names of secrets, labels. So
//! equal inputs are built once, and no two images ever share a tag. Nothing is removed here; what becomes of old images
//! is a matter of the target's retention.
//!
//! Known gaps: a base image that moved on under the same tag, and a secret with another value, are no other inputs; a
//! build argument that is changed for the purpose has the image built again. An archive carries the labels that it was
//! packed with.

mod building;
mod context;
mod credentials;
mod dockerfile;
mod dockerignore;
mod error;
mod grpc;
mod progress;
mod publish;
mod secrets;
mod session;
mod steps;
mod upload;
mod wire;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::runtime;

use self::building::{Builder, Job};
use self::context::{Context, MODEL, MODEL_ARGUMENT};
pub use self::error::DockerBuildError;
pub use self::publish::{is_stored, store_archive};
use self::publish::{repository, write};
use self::secrets::Secrets;
use crate::config::DockerfileSettings;
use crate::disk::digest_bytes;
use crate::pipeline::Digest;
use crate::target::docker::engine::Engine;
use crate::target::docker::images;
use crate::target::engine_image::EngineImage;
use crate::target::labels as keys;

/// What an image is built of.
#[derive(Debug, Clone)]
pub struct DockerBuild<'a> {
    /// The project's name.
    pub project: &'a str,
    /// The project folder, below which the files of secrets lie.
    pub folder: &'a Path,
    /// The source tree, below which Dockerfile and context lie.
    pub source: &'a Path,
    /// The folder of the model.
    pub model: &'a Path,
    /// The Dockerfile and how it is built.
    pub settings: &'a DockerfileSettings,
    /// The labels of the image; see [`labels`].
    pub labels: BTreeMap<String, String>,
    /// The repository to which it is pushed.
    pub push: Option<&'a str>,
    /// The folder for the file that stands for the image.
    pub images: &'a Path,
}

/// An image that is in the engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuiltImage {
    /// The image.
    pub image: EngineImage,
    /// The file that stands for it.
    pub path: PathBuf,
    /// Whether it was made now; an image of equal inputs is made once.
    pub fresh: bool,
}

/// The labels of an image. Equal inputs are to give equal images, so nothing of the run or of the moment is in them.
pub fn labels(
    project: &str,
    folder: &Path,
    commit: Option<&str>,
    model: Option<&str>,
    data: Option<&str>,
) -> BTreeMap<String, String> {
    let mut labels = keys::of_project(project, &keys::folder(folder));
    let mut set = |key: &str, value: &str| labels.insert(key.to_owned(), value.to_owned());
    set("org.opencontainers.image.title", project);
    if let Some(commit) = commit {
        set("org.opencontainers.image.revision", commit);
    }
    if let Some(model) = model {
        set("org.opencontainers.image.version", model);
        set(keys::MODEL, model);
    }
    if let Some(data) = data {
        set(keys::DATA, data);
    }
    labels
}

/// Builds the image, or finds that the engine has it already; pushes it if it is to be pushed, and writes the file that
/// stands for it. The log goes to the standard output, the steps to `progress`.
pub fn build(request: &DockerBuild<'_>, progress: &mut dyn FnMut(f64, &str)) -> Result<BuiltImage, DockerBuildError> {
    let runtime = runtime::Builder::new_current_thread().enable_all().build().map_err(DockerBuildError::Runtime)?;
    runtime.block_on(build_in_engine(request, progress))
}

async fn build_in_engine(
    request: &DockerBuild<'_>,
    progress: &mut dyn FnMut(f64, &str),
) -> Result<BuiltImage, DockerBuildError> {
    let engine = Engine::connect().await?;
    progress(0.0, "reading the context");
    let context = Context::gather(request.source, request.settings, request.model, request.folder)?;
    describe(&context);
    let digest = context.digest()?;
    let arguments = arguments(request.settings, &context);
    let inputs = digest_of_inputs(&digest, request, &context, &arguments);
    let (repository, tag) = (repository(request.project), inputs.short());
    let reference = format!("{repository}:{tag}");
    let fresh = !images::claim(&engine, &repository, tag).await?;
    if fresh {
        let builder = Builder::choose(&engine).await?;
        let secrets = secrets(request, builder)?;
        progress(0.0, "sending the context");
        let bases = dockerfile::base_images(context.text(), &arguments);
        let job = Job {
            digest,
            tag: &reference,
            dockerfile: request.settings.path.display().to_string(),
            target: request.settings.target.as_deref(),
            arguments: &arguments,
            labels: &request.labels,
            silence: request.settings.silence,
            credentials: credentials::of_images(&bases, &mut |said| println!("{said}")).await,
            secrets,
            context: Arc::new(context),
        };
        building::run(&engine, builder, job, progress).await?;
    } else {
        println!("an image of exactly these inputs is there already: {reference}");
    }
    let found =
        images::find(&engine, &reference).await?.ok_or_else(|| DockerBuildError::Vanished(reference.clone()))?;
    let mut image = EngineImage { id: found.id, tag: reference, pushed: None, bytes: found.bytes };
    if let Some(push) = request.push {
        progress(0.99, &format!("pushing to {push}"));
        image.pushed = Some(publish::publish(&engine, &image, push, &mut |said| println!("{said}")).await?);
    }
    let path = write(&image, request.images)?;
    Ok(BuiltImage { image, path, fresh })
}

/// Says what is sent, and names what is large, for nobody means to send gigabytes with each build.
fn describe(context: &Context) {
    println!("the context has {} files of {} bytes", context.files(), context.bytes());
    for path in context.passed_over() {
        println!("{} is no file, folder or link and is not sent", path.display());
    }
    for place in context.secrets() {
        println!("{} is the file of a secret and is not sent; a step mounts it", place.display());
    }
    let Some(largest) = context.too_large() else { return };
    println!("that is much to digest and to send; name in .dockerignore what the image does not need. The largest:");
    for (name, bytes) in largest {
        println!("  {name}: {bytes} bytes");
    }
}

/// The build arguments, with the place of the model if the Dockerfile asks for it: the engine complains of one that it
/// does not declare.
fn arguments(settings: &DockerfileSettings, context: &Context) -> BTreeMap<String, String> {
    let mut arguments = settings.arguments.clone();
    if context.wants_model() {
        arguments.entry(MODEL_ARGUMENT.to_owned()).or_insert_with(|| MODEL.to_owned());
    }
    arguments
}

/// The digest of all that goes into an image. Of secrets only their names: a digest of a value would tell of it.
fn digest_of_inputs(
    context: &Digest,
    request: &DockerBuild<'_>,
    found: &Context,
    arguments: &BTreeMap<String, String>,
) -> Digest {
    let settings = request.settings;
    let secrets: Vec<&String> = settings.secrets.keys().collect();
    // As Rust writes values for developers: no two of them look the same.
    let inputs = (context, found.dockerfile(), &settings.target, arguments, secrets, &request.labels);
    digest_bytes(format!("{inputs:?}").as_bytes())
}

fn secrets(request: &DockerBuild<'_>, builder: Builder) -> Result<Secrets, DockerBuildError> {
    let sources = &request.settings.secrets;
    if !sources.is_empty() && builder == Builder::Classic {
        let names: Vec<&str> = sources.keys().map(String::as_str).collect();
        let reason = "Docker Engine is set to its classic builder; set DOCKER_BUILDKIT=1 where the daemon is started, \
                      and start it again";
        let (names, reason) = (names.join(", "), reason.to_owned());
        return Err(DockerBuildError::SecretsNeedBuildKit { names, reason });
    }
    Ok(Secrets::read(sources, request.folder)?)
}

#[cfg(test)]
mod tests;
