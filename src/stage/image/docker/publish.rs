//! What becomes of an image that is in the engine: its name, where it is pushed, and the file that stands for it.

use std::fs;
use std::path::{Path, PathBuf};

use super::credentials;
use super::error::DockerBuildError;
use crate::target::archive::digest_of_name;
use crate::target::docker::engine::Engine;
use crate::target::docker::images::{self, registry_of};
use crate::target::engine_image::EngineImage;
use crate::target::labels;

/// The repository of a project's images in the engine.
pub fn repository(project: &str) -> String {
    format!("trainyard/{}", labels::name(project, labels::LONGEST))
}

/// Brings an archive of the image stage into the engine under a tag of its digest, pushes it if it is to be pushed, and
/// writes the file that stands for it into the folder `into`. What goes on is told to `said`.
pub async fn store_archive(
    engine: &Engine,
    archive: &Path,
    project: &str,
    push: Option<&str>,
    into: &Path,
    said: &mut dyn FnMut(&str),
) -> Result<EngineImage, DockerBuildError> {
    let digest = digest_of_name(archive).ok_or_else(|| DockerBuildError::Archive(archive.to_owned()))?;
    let (repository, tag) = (repository(project), digest.short());
    let reference = format!("{repository}:{tag}");
    if images::find(engine, &reference).await?.is_some() {
        said(&format!("the image of this archive is in Docker Engine already: {reference}"));
    } else {
        said(&format!("loading {} into Docker Engine", archive.display()));
        let id = images::load_archive(engine, archive).await?;
        images::tag(engine, &format!("sha256:{id}"), &repository, tag).await?;
    }
    let found = images::find(engine, &reference).await?.ok_or_else(|| DockerBuildError::Vanished(reference.clone()))?;
    let mut image = EngineImage { id: found.id, tag: reference, pushed: None, bytes: found.bytes };
    if let Some(push) = push {
        image.pushed = Some(publish(engine, &image, push, said).await?);
    }
    write(&image, into)?;
    Ok(image)
}

/// Pushes an image to `repository`, under the tag that it has here. Returns what was pushed, by digest.
///
/// The tag for the registry stays in the engine: by it the engine knows the digest, and what prunes images knows it as
/// ours.
pub async fn publish(
    engine: &Engine,
    image: &EngineImage,
    repository: &str,
    said: &mut dyn FnMut(&str),
) -> Result<String, DockerBuildError> {
    let tag = image.tag.rsplit_once(':').map_or("latest", |(_, tag)| tag);
    images::tag(engine, &image.tag, repository, tag).await?;
    let credentials = match credentials::of(registry_of(repository)).await {
        Ok(credentials) => credentials,
        Err(error) => {
            // The registry may take it all the same; if it does not, this is why.
            said(&format!("going on without credentials: {error}"));
            None
        }
    };
    said(&format!("pushing {repository}:{tag}"));
    let pushed = images::push(engine, repository, tag, credentials, said).await;
    pushed.map_err(DockerBuildError::from)
}

/// Writes the file that stands for the image.
pub fn write(image: &EngineImage, into: &Path) -> Result<PathBuf, DockerBuildError> {
    let written = fs::create_dir_all(into).and_then(|()| image.write(into));
    written.map_err(|source| DockerBuildError::Write { folder: into.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::Digest;

    #[test]
    fn the_repository_is_one_that_engines_take() {
        assert_eq!(repository("Wine Quality"), "trainyard/wine-quality");
        assert!(repository("와인").starts_with("trainyard/x"));
    }

    #[test]
    fn the_file_that_stands_for_an_image_is_written_where_archives_lie() {
        let folder = tempfile::tempdir().unwrap();
        let images = folder.path().join("images");
        let (id, tag) = (Digest("ab".repeat(32)), "trainyard/wine:abababababab".to_owned());
        let image = EngineImage { id, tag, pushed: None, bytes: 7 };
        let path = write(&image, &images).unwrap();
        assert_eq!(EngineImage::read(&path).unwrap(), image);
        assert_eq!(digest_of_name(&path).as_ref(), Some(&image.id));
    }
}
