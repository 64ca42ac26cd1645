//! An image of the trainyard program itself, for built-in stages that run in a container or as a Job.
//!
//! Equal programs give the equal image, so it is made once a version; pruning may take it, and then it is made again. What its
//! digest is can be told without writing a byte, and while the engine has it nothing is written.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use super::archive::Image;
use super::closure;
use super::docker::{DockerBuildError, is_stored, store_archive};
use super::layer::Layer;
use super::workspace::Workspace;
use super::{EPOCH, ImageError, SERVER, architecture, writing};
use crate::disk::Layout;
use crate::target::archive::{ContainerConfig, History, ImageConfig, RootFileSystem, layer_remark};
use crate::target::docker::engine::Engine;
use crate::target::engine_image::EngineImage;
use crate::target::labels;

/// The name under which an engine lists it.
const NAME: &str = "program";

/// Makes the image of the program at `program` for a project, or finds it in Docker Engine; pushes it if it is to be pushed.
pub async fn program_image(
    layout: &Layout,
    project: &str,
    program: &Path,
    push: Option<&str>,
) -> Result<EngineImage, ImageError> {
    let images = layout.images();
    let failed = |source| writing(&images, source);
    let libraries = closure::shared_libraries(program)?;
    let layer = layer(&libraries, program)?;
    let workspace = Workspace::new(&images).map_err(failed)?;
    let place = workspace.file("program.tar");
    let measured = layer.measure(&place).map_err(failed)?;

    let folders: BTreeSet<_> = libraries.iter().filter_map(|library| library.parent()).collect();
    let folders: Vec<_> = folders.iter().map(|folder| folder.to_string_lossy()).collect();
    let owner = labels::folder(layout.project());
    let config = ImageConfig {
        created: EPOCH.to_owned(),
        architecture: architecture().to_owned(),
        os: "linux".to_owned(),
        config: ContainerConfig {
            env: vec![
                "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin".to_owned(),
                // The loader's own search path differs between distributions; the image has no cache of it.
                format!("LD_LIBRARY_PATH={}", folders.join(":")),
            ],
            entrypoint: vec![SERVER.to_owned()],
            working_dir: "/".to_owned(),
            exposed_ports: BTreeMap::new(),
            labels: labels::of_project(project, &owner),
        },
        rootfs: RootFileSystem { kind: "layers".to_owned(), diff_ids: vec![format!("sha256:{}", measured.digest)] },
        history: vec![History { created: EPOCH.to_owned(), created_by: layer_remark("program") }],
    };
    let image = Image::new(NAME, &config, vec![measured]).map_err(failed)?;
    // Its name is the digest, by which it is found again in the engine.
    let archive = workspace.file(&format!("{}.tar", image.digest));
    let engine = Engine::connect().await.map_err(DockerBuildError::from)?;
    if !is_stored(&engine, &image.digest, NAME).await? {
        // The layer is the same as it was measured, or a file that changed meanwhile is an error.
        layer.write(&place).map_err(failed)?;
        image.write(&archive).map_err(failed)?;
    }
    Ok(store_archive(&engine, &archive, NAME, push, &images, &mut |line| println!("{line}")).await?)
}

/// The layer of the program: itself and the libraries without which it does not run.
pub(super) fn layer(libraries: &[PathBuf], program: &Path) -> Result<Layer, ImageError> {
    let libraries = libraries.iter().map(|library| (library.as_path(), library.as_path()));
    let mut layer = Layer::default();
    for (place, file) in libraries.chain([(Path::new(SERVER), program)]) {
        let metadata = fs::metadata(file).map_err(|source| ImageError::Read { path: file.to_owned(), source })?;
        layer.add_file(place, file, &metadata, true);
    }
    Ok(layer)
}
