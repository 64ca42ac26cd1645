//! The built-in image stage: packs the model server, the model and the app into an OCI image, without Docker.
//!
//! Equal inputs give the same bytes on every machine: nothing of the time, the user or the host is in the image. It appears
//! as the folder `.trainyard/images/<digest>/` whole or not at all, and what a build needs on the way lies in a folder of its
//! own, which goes away with the build, however it ends. What images have in common is on the disk once (`blobs`).

mod archive;
mod blobs;
mod closure;
mod docker;
mod layer;
mod program;
mod source;
mod workspace;

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use self::archive::Image;
use self::blobs::Blobs;
pub use self::closure::{ClosureError, shared_libraries};
use self::docker::{DockerBuild, DockerBuildError};
use self::layer::{Layer, WrittenLayer};
pub use self::program::program_image;
pub use self::source::SourceError;
use self::workspace::Workspace;
use super::contract::{Contract, ContractError, Output};
use crate::config::{self, DockerfileSettings, ImageSettings, ImageStore};
use crate::disk::Layout;
use crate::model::{PROFILE_FILE, RECORDS};
use crate::pipeline::quantity;
use crate::target::archive::{
    ContainerConfig, History, ImageArchive, ImageConfig, RootFileSystem, SERVER_LAYER, layer_remark,
};
use crate::target::docker::engine::Engine;
use crate::target::engine_image::EngineImage;
use crate::target::labels as keys;

/// What lies beside a model and is not served: what only tells of it, which another run of equal inputs writes otherwise, and
/// what its data holds, which is nobody's business where it serves.
const NOT_SERVED: [&str; RECORDS.len() + 1] = {
    let [lineage, ledger, search] = RECORDS;
    [lineage, ledger, search, PROFILE_FILE]
};
/// Where the server lies in an image.
const SERVER: &str = "/usr/local/bin/trainyard";
/// The port on which the server listens in a container.
const PORT: u16 = 8080;
/// The only time that is in an image.
const EPOCH: &str = "1970-01-01T00:00:00Z";

/// Why there is no image.
#[derive(Debug, thiserror::Error)]
pub enum ImageError {
    /// This process is no stage, or its files cannot be used.
    #[error(transparent)]
    Contract(#[from] ContractError),
    /// The server cannot run in an image.
    #[error(transparent)]
    Closure(#[from] ClosureError),
    /// Docker Engine did not build it.
    #[error(transparent)]
    Docker(#[from] DockerBuildError),
    /// The source cannot be packed.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// There is no model.
    #[error("the model folder {0} holds no file; let the image stage need the stage that trains the model")]
    NoModel(PathBuf),
    /// A file or folder cannot be read.
    #[error("cannot read {path}: {source}")]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The disk is full.
    #[error(
        "no space is left to write the image in {folder}; nothing half-written was left there; make room, for example by removing old images, and run the stage again"
    )]
    Full {
        /// Where it was to be written.
        folder: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The image cannot be written.
    #[error("cannot write the image in {folder}: {source}")]
    Write {
        /// Where it was to be written.
        folder: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl ImageError {
    /// Whether the engine that is needed could not be reached, which says nothing about the image.
    pub fn is_unreachable(&self) -> bool {
        matches!(self, Self::Docker(error) if error.is_unreachable())
    }
}

/// What an image is made of.
#[derive(Debug, Clone)]
struct Inputs {
    project: String,
    /// Tells this project from others of its name.
    owner: String,
    server: PathBuf,
    libraries: Vec<PathBuf>,
    model: PathBuf,
    source: PathBuf,
    settings: ImageSettings,
    model_version: Option<String>,
    commit: Option<String>,
}

/// An image that is there.
#[derive(Debug)]
struct Built {
    path: PathBuf,
    image: Image,
    layers: Vec<BuiltLayer>,
    fresh: bool,
}

#[derive(Debug)]
struct BuiltLayer {
    name: &'static str,
    bytes: u64,
    /// Whether it is a file that an earlier image has too.
    is_shared: bool,
}

/// The stage: reads the contract, builds the image and reports it.
pub fn run() -> Result<(), ImageError> {
    let contract = Contract::from_environment()?;
    let settings: ImageSettings = contract.settings()?;
    let mut output = contract.output()?;
    let layout =
        Layout::new(&contract.project).map_err(|source| ImageError::Read { path: contract.project.clone(), source })?;
    if let Some(dockerfile) = settings.dockerfile.clone() {
        return run_dockerfile(&contract, &layout, &settings, &dockerfile, &mut output);
    }
    let store = settings.store;
    let push = settings.push.clone();
    let inputs = gather(&contract, &layout, settings)?;
    let built = build(&inputs, &layout.images(), &mut |share, message| {
        println!("{message}");
        output.progress(share, message)
    })?;
    for BuiltLayer { name, bytes, is_shared } in &built.layers {
        let shared = if *is_shared { ", on the disk already" } else { "" };
        println!("layer {name}: {}{shared}", size(*bytes));
    }
    let bytes = built.image.bytes();
    println!("image sha256:{} ({}), {}", built.image.digest, built.image.reference(), size(bytes));
    let word = if built.fresh { "written to" } else { "already there and whole:" };
    println!("{word} {}", built.path.display());
    let path = match store {
        ImageStore::Archive => built.path,
        ImageStore::Docker => {
            output.progress(0.8, "bringing it into Docker Engine")?;
            into_engine(&layout, &inputs.project, &built.image, push.as_deref())?
        }
    };
    output.artifact("image", &path)?;
    output.metric("image_bytes", as_number(bytes))?;
    output.progress(1.0, "image built")?;
    Ok(())
}

/// The user's own Dockerfile, built by Docker Engine.
fn run_dockerfile(
    contract: &Contract,
    layout: &Layout,
    settings: &ImageSettings,
    dockerfile: &DockerfileSettings,
    output: &mut Output,
) -> Result<(), ImageError> {
    let project = project_name(layout);
    let variable = |name| optional_variable(name);
    let (commit, model, data) =
        (variable("TRAINYARD_COMMIT"), variable("TRAINYARD_MODEL_VERSION"), variable("TRAINYARD_DATA_DIGEST"));
    let labels = docker::labels(&project, layout.project(), commit.as_deref(), model.as_deref(), data.as_deref());
    let request = DockerBuild {
        project: &project,
        folder: layout.project(),
        source: &contract.source,
        model: &contract.model,
        settings: dockerfile,
        labels,
        push: settings.push.as_deref(),
        images: &layout.images(),
    };
    let built = docker::build(&request, &mut |share, message| {
        // The log has the steps too; a progress line that cannot be written must not end a build.
        let _ = output.progress(share, message);
    })?;
    let word = if built.fresh { "built" } else { "already in Docker Engine:" };
    println!("{word} {} (sha256:{}), {}", built.image.tag, built.image.id, size(built.image.bytes));
    if let Some(pushed) = &built.image.pushed {
        println!("pushed as {pushed}");
    }
    output.artifact("image", &built.path)?;
    output.metric("image_bytes", as_number(built.image.bytes))?;
    output.progress(1.0, "image built")?;
    Ok(())
}

/// Brings an image into Docker Engine; returns the file that stands for it there.
fn into_engine(layout: &Layout, project: &str, image: &Image, push: Option<&str>) -> Result<PathBuf, ImageError> {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(DockerBuildError::Runtime)?;
    let images = layout.images();
    let failed = |source| writing(&images, source);
    let workspace = Workspace::new(&images).map_err(failed)?;
    // What an engine loads is one archive, which is needed no longer than that takes.
    let archive = workspace.file(&format!("{}.tar", image.digest));
    let image = runtime.block_on(async {
        let engine = Engine::connect().await.map_err(DockerBuildError::from)?;
        if !docker::is_stored(&engine, &image.digest, project).await? {
            image.write(&archive).map_err(failed)?;
        }
        let mut said = |line: &str| println!("{line}");
        let stored = docker::store_archive(&engine, &archive, project, push, &images, &mut said).await?;
        Ok::<_, ImageError>(stored)
    })?;
    println!("in Docker Engine as {} (sha256:{})", image.tag, image.id);
    Ok(EngineImage::path(&images, &image.id))
}

fn gather(contract: &Contract, layout: &Layout, settings: ImageSettings) -> Result<Inputs, ImageError> {
    let server = std::env::var_os("TRAINYARD_BIN").map(PathBuf::from).ok_or(ContractError::Missing("TRAINYARD_BIN"))?;
    let libraries = closure::shared_libraries(&server)?;
    Ok(Inputs {
        project: project_name(layout),
        owner: keys::folder(layout.project()),
        server,
        libraries,
        model: contract.model.clone(),
        source: contract.source.clone(),
        settings,
        model_version: optional_variable("TRAINYARD_MODEL_VERSION"),
        commit: optional_variable("TRAINYARD_COMMIT"),
    })
}

fn optional_variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// The name in the configuration; that of the folder while the file is being edited and does not hold.
fn project_name(layout: &Layout) -> String {
    let folder = || layout.project().file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    config::load(layout.project()).map_or_else(|_| folder(), |settings| settings.name)
}

/// Builds the image of `inputs` in the folder `images`, or finds that it is there already.
fn build(
    inputs: &Inputs,
    images: &Path,
    progress: &mut dyn FnMut(f64, &str) -> Result<(), ContractError>,
) -> Result<Built, ImageError> {
    let writing = |source| writing(images, source);
    let workspace = Workspace::new(images).map_err(writing)?;
    let folder = workspace.file("image");
    let new_blobs = Blobs::new(images, &folder).map_err(writing)?;
    let layers = layers(inputs)?;
    let steps = f64::from(u32::try_from(layers.len() + 1).unwrap_or(u32::MAX));
    let (mut written, mut told) = (Vec::new(), Vec::new());
    let mut done = 0.0;
    for (name, layer) in &layers {
        progress(done / steps, &format!("layer {} of {}: {name}", told.len() + 1, layers.len()))?;
        let (layer, is_shared) = new_blobs.put(layer).map_err(writing)?;
        told.push(BuiltLayer { name, bytes: layer.size, is_shared });
        written.push(layer);
        done += 1.0;
    }
    let names: Vec<_> = layers.iter().map(|(name, _)| *name).collect();
    let has_app = names.contains(&"app");
    let mut image =
        Image::new(&inputs.project, &configuration(inputs, &names, &written, has_app), written).map_err(writing)?;

    let path = images.join(&image.digest.0);
    let fresh = ImageArchive::open(&path, &image.digest).is_err();
    if fresh {
        progress(done / steps, &format!("writing the image, {} of layers", size(image.layer_bytes())))?;
        image.write_around(&folder).and_then(|()| blobs::sync(&folder)).map_err(writing)?;
        if path.exists() {
            // It is not whole. Moved away and not removed, so that no moment sees a part of it.
            fs::rename(&path, workspace.file("damaged")).map_err(writing)?;
        }
        fs::rename(&folder, &path).map_err(writing)?;
        // The rename itself must survive a crash too.
        File::open(images).and_then(|folder| folder.sync_all()).map_err(writing)?;
    }
    image.lies_in(&path);
    Ok(Built { path, image, layers: told, fresh })
}

fn writing(folder: &Path, source: io::Error) -> ImageError {
    let folder = folder.to_owned();
    match source.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => ImageError::Full { folder, source },
        _ => ImageError::Write { folder, source },
    }
}

/// The layers, lowest first: what changes least lies lowest, so that it is stored and sent once.
fn layers(inputs: &Inputs) -> Result<Vec<(&'static str, Layer)>, ImageError> {
    let server = program::layer(&inputs.libraries, &inputs.server)?;
    let mut model = Layer::default();
    model
        .add_tree(Path::new("/model"), &inputs.model, &NOT_SERVED)
        .map_err(|source| ImageError::Read { path: inputs.model.clone(), source })?;
    if model.is_empty() {
        return Err(ImageError::NoModel(inputs.model.clone()));
    }
    let app = source::app_layer(&inputs.source, &inputs.settings)?;
    let mut layers = vec![(SERVER_LAYER, server), ("model", model)];
    if !app.is_empty() {
        println!("{} of the app", quantity::counted(app.file_count(), "file"));
        layers.push(("app", app));
    }
    Ok(layers)
}

fn configuration(inputs: &Inputs, names: &[&str], layers: &[WrittenLayer], has_app: bool) -> ImageConfig {
    let mut entrypoint: Vec<String> = [SERVER, "serve", "--model", "/model"].map(str::to_owned).to_vec();
    if let Some(site) = &inputs.settings.site {
        entrypoint.extend(["--site".to_owned(), format!("/app/{}", site.display())]);
    }
    let mut env = vec![
        "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin".to_owned(),
        // In a container, loopback is reached by nobody.
        format!("TRAINYARD_LISTEN=0.0.0.0:{PORT}"),
    ];
    let folders: BTreeSet<_> = inputs.libraries.iter().filter_map(|library| library.parent()).collect();
    if !folders.is_empty() {
        // The loader's own search path differs between distributions; the image has no cache of it.
        let folders: Vec<_> = folders.iter().map(|folder| folder.to_string_lossy()).collect();
        env.push(format!("LD_LIBRARY_PATH={}", folders.join(":")));
    }
    let history = |name: &&str| History { created: EPOCH.to_owned(), created_by: layer_remark(name) };
    ImageConfig {
        created: EPOCH.to_owned(),
        architecture: architecture().to_owned(),
        os: "linux".to_owned(),
        config: ContainerConfig {
            env,
            entrypoint,
            working_dir: if has_app { "/app" } else { "/" }.to_owned(),
            exposed_ports: BTreeMap::from([(format!("{PORT}/tcp"), BTreeMap::new())]),
            labels: labels(inputs),
        },
        rootfs: RootFileSystem {
            kind: "layers".to_owned(),
            diff_ids: layers.iter().map(|layer| format!("sha256:{}", layer.digest)).collect(),
        },
        history: names.iter().map(history).collect(),
    }
}

fn labels(inputs: &Inputs) -> BTreeMap<String, String> {
    let mut labels = BTreeMap::from([
        ("org.opencontainers.image.title".to_owned(), inputs.project.clone()),
        (keys::PROJECT.to_owned(), keys::value(&inputs.project)),
        ("com.trainyard.version".to_owned(), env!("CARGO_PKG_VERSION").to_owned()),
    ]);
    if inputs.settings.store == ImageStore::Docker {
        // In an engine, images of many projects lie together; an archive lies in its own project.
        labels.insert(keys::FOLDER.to_owned(), inputs.owner.clone());
    }
    if let Some(version) = &inputs.model_version {
        labels.insert("org.opencontainers.image.version".to_owned(), version.clone());
        labels.insert(keys::MODEL.to_owned(), version.clone());
    }
    if let Some(commit) = &inputs.commit {
        labels.insert("org.opencontainers.image.revision".to_owned(), commit.clone());
    }
    labels
}

/// The name that images use for the processor of this machine.
fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}

/// `291 MB`
fn size(bytes: u64) -> String {
    quantity::measured(as_number(bytes), Some("B"))
}

#[expect(clippy::cast_precision_loss, reason = "a size beyond 2^53 bytes may lose its last digits")]
fn as_number(bytes: u64) -> f64 {
    bytes as f64
}

#[cfg(test)]
mod tests;
