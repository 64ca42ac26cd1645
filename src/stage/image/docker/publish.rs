//! What becomes of an image that is in the engine: its name, where it is pushed, and the file that stands for it.

use std::fs;
use std::path::{Path, PathBuf};

use super::credentials;
use super::error::DockerBuildError;
use crate::pipeline::Digest;
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
    if is_stored(engine, &digest, project).await? {
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

/// Whether the engine has the image of the archive with this digest; then its archive need not be written for
/// [`store_archive`], which takes the digest from its name.
pub async fn is_stored(engine: &Engine, digest: &Digest, project: &str) -> Result<bool, DockerBuildError> {
    Ok(images::claim(engine, &repository(project), digest.short()).await?)
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
    use std::sync::{Arc, Mutex};

    use axum::http::{Method, StatusCode, Uri};
    use axum::{Json, Router};
    use serde_json::json;

    use super::*;
    use crate::target::docker::engine::tests::engine_of;

    /// An engine that has one image, and what it was asked.
    async fn engine() -> (Engine, Arc<Mutex<Vec<String>>>) {
        let asked = Arc::new(Mutex::new(Vec::new()));
        let noted = Arc::clone(&asked);
        let answer = move |method: Method, uri: Uri| {
            noted.lock().unwrap().push(format!("{method} {}", uri.path()));
            let status = if method == Method::POST { StatusCode::CREATED } else { StatusCode::OK };
            async move { (status, Json(json!({ "Id": format!("sha256:{}", "cd".repeat(32)), "Size": 7 }))) }
        };
        (engine_of(Router::new().fallback(answer)).await, asked)
    }

    #[tokio::test]
    async fn an_archive_whose_image_is_there_gets_its_tag_again_and_is_not_loaded() {
        let folder = tempfile::tempdir().unwrap();
        let (engine, asked) = engine().await;
        let archive = folder.path().join(format!("{}.tar", "ab".repeat(32)));
        let image = store_archive(&engine, &archive, "wine", None, folder.path(), &mut |_| {}).await.unwrap();
        assert_eq!(image.tag, "trainyard/wine:abababababab");
        let asked = asked.lock().unwrap();
        assert!(asked.contains(&"POST /images/trainyard/wine:abababababab/tag".to_owned()), "{asked:?}");
        assert!(!asked.iter().any(|path| path.contains("load")), "{asked:?}");
    }

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
