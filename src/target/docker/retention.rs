//! What becomes of old images: those of this project that nobody needs are removed, and nothing else.
//!
//! An image is ours by its label, which says of which project folder it is. It is removed by taking its tags, as far as they
//! are ours, never by force: so the engine itself refuses what a container or another image needs, also if that came about
//! after it was looked at here. Layers that builds left without a tag go the same way.
//!
//! A stage that makes an image, or finds that it is there, tags it before it tells of it ([`super::images::claim`]); what got
//! its tag a moment ago stays, whoever needs it.
//!
//! Known gaps: an image that was made without a Dockerfile and loaded as an archive is ours only if its configuration carries
//! the label. Under the containerd image store a tag that an image has already is no new one, so there what a stage finds is
//! as old as it was.

use std::collections::{BTreeSet, HashMap};

use bollard::errors::Error;
use bollard::models::{ImageInspect, ImageSummary};
use bollard::query_parameters::{ListImagesOptionsBuilder, RemoveImageOptionsBuilder};

use super::containers;
use super::engine::{Engine, EngineError};
use super::footprint::{self, Layer};
use super::refusal::{is_conflict, is_missing};
use crate::disk::now;
use crate::pipeline::Digest;
use crate::target::labels;

/// What the image stage tags with.
const OURS: &str = "trainyard/";
/// Seconds for which an image stays after it got its last tag: the stage that made or found it may not have told of it yet.
const FRESH: i64 = 60;

/// What was removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Pruned {
    /// The number of images.
    pub images: usize,
    /// The bytes that are free again; layers that other images of the project still need do not count.
    pub bytes: u64,
}

/// Removes the images of the project (by the digest of its folder) that are not in `keep`, are used by no container, running
/// or not, and are not fresh.
pub async fn prune(engine: &Engine, folder: &str, keep: &BTreeSet<Digest>) -> Result<Pruned, EngineError> {
    let owned = owned(engine, folder).await?;
    let used: BTreeSet<String> =
        containers::list_all(engine).await?.into_iter().filter_map(|container| container.image_id).collect();
    let mut removed = BTreeSet::new();
    for image in owned.iter().filter(|image| image.is_useless(keep, &used)) {
        if take_away(engine, image).await? {
            removed.insert(image.id.clone());
        }
    }
    let left = owned.iter().filter(|image| !removed.contains(&image.id));
    let bytes = bytes_of(owned.iter()).saturating_sub(bytes_of(left));
    Ok(Pruned { images: removed.len(), bytes })
}

/// The same with an engine of its own; `None` when that cannot be asked, and then another time will do.
pub async fn prune_images(folder: &str, keep: &BTreeSet<Digest>) -> Option<Pruned> {
    prune(&Engine::connect().await.ok()?, folder, keep).await.ok()
}

/// The bytes of all images of the project (by the digest of its folder) in the engine; what they share counts once. `None`
/// when the engine cannot be asked.
pub async fn disk_owned(folder: &str) -> Option<u64> {
    let engine = Engine::connect().await.ok()?;
    Some(bytes_of(owned(&engine, folder).await.ok()?.iter()))
}

/// An image of the project.
#[derive(Debug)]
struct Owned {
    /// With `sha256:` before it, as the engine writes it.
    id: String,
    tags: Vec<String>,
    layers: Vec<Layer>,
    /// When it got its last tag, in seconds since the epoch.
    tagged: Option<i64>,
}

impl Owned {
    fn is_useless(&self, keep: &BTreeSet<Digest>, used: &BTreeSet<String>) -> bool {
        let digest = Digest(self.id.strip_prefix("sha256:").unwrap_or(&self.id).to_owned());
        !keep.contains(&digest) && !used.contains(&self.id) && !is_fresh(self.tagged)
    }

    /// The tags that are ours: what the image stage gave, and the same under the repository to which it pushed.
    fn own_tags(&self) -> Vec<&str> {
        let given: BTreeSet<&str> =
            self.tags.iter().filter(|tag| tag.starts_with(OURS)).filter_map(|tag| tag_of(tag)).collect();
        let is_ours = |tag: &&String| tag.starts_with(OURS) || tag_of(tag).is_some_and(|name| given.contains(name));
        self.tags.iter().filter(is_ours).map(String::as_str).collect()
    }
}

/// What stands behind the last colon of a reference.
fn tag_of(reference: &str) -> Option<&str> {
    reference.rsplit_once(':').map(|(_, tag)| tag)
}

async fn owned(engine: &Engine, folder: &str) -> Result<Vec<Owned>, EngineError> {
    let filters = HashMap::from([("label", vec![containers::labelled(labels::FOLDER, folder)])]);
    let options = ListImagesOptionsBuilder::new().filters(&filters).build();
    let mut listed = engine.client().list_images(Some(options)).await.map_err(EngineError::from)?;
    // The newest first: an image that is built on another goes before it.
    listed.sort_by_key(|image| std::cmp::Reverse(image.created));
    let mut owned = Vec::new();
    for image in listed {
        owned.extend(describe(engine, image).await?);
    }
    Ok(owned)
}

/// An image with its layers; `None` if it went away meanwhile, or is described in a way that is not understood: then it is
/// let be.
async fn describe(engine: &Engine, image: ImageSummary) -> Result<Option<Owned>, EngineError> {
    let inspected = match engine.client().inspect_image(&image.id).await {
        Err(error) if is_missing(&error) || matches!(error, Error::JsonDataError { .. }) => return Ok(None),
        inspected => inspected.map_err(EngineError::from)?,
    };
    let history = match engine.client().image_history(&image.id).await {
        Err(error) if is_missing(&error) => return Ok(None),
        history => history.map_err(EngineError::from)?,
    };
    let digests = inspected.root_fs.as_ref().and_then(|files| files.layers.clone()).unwrap_or_default();
    let tags = image.repo_tags.into_iter().filter(|tag| tag != "<none>:<none>").collect();
    Ok(Some(Owned { id: image.id, tags, layers: footprint::layers(&digests, &history), tagged: tagged(&inspected) }))
}

fn tagged(image: &ImageInspect) -> Option<i64> {
    Some(image.metadata.as_ref()?.last_tag_time?.unix_timestamp())
}

fn is_fresh(tagged: Option<i64>) -> bool {
    tagged.is_some_and(|tagged| now().0 / 1000 - tagged < FRESH)
}

/// Whether it got a tag after it was looked at: a stage has found it.
async fn is_claimed(engine: &Engine, image: &Owned) -> Result<bool, EngineError> {
    match engine.client().inspect_image(&image.id).await {
        Ok(inspected) => Ok(is_fresh(tagged(&inspected))),
        // Its removal will say so too.
        Err(error) if is_missing(&error) => Ok(false),
        // What is not understood is let be.
        Err(Error::JsonDataError { .. }) => Ok(true),
        Err(error) => Err(error.into()),
    }
}

/// Takes the tags that are ours, and with the last of all tags the image; whether it is gone.
async fn take_away(engine: &Engine, image: &Owned) -> Result<bool, EngineError> {
    if is_claimed(engine, image).await? {
        return Ok(false);
    }
    let own = image.own_tags();
    let is_foreign_too = own.len() < image.tags.len();
    let references = if image.tags.is_empty() { vec![image.id.as_str()] } else { own };
    let mut is_gone = !is_foreign_too;
    for reference in references {
        is_gone &= remove(engine, reference).await?;
    }
    Ok(is_gone)
}

/// Removes one reference; `false` if the engine says that somebody needs the image.
async fn remove(engine: &Engine, reference: &str) -> Result<bool, EngineError> {
    let options = RemoveImageOptionsBuilder::new().force(false).build();
    match engine.client().remove_image(reference, Some(options), None).await {
        Ok(_) => Ok(true),
        Err(error) if is_missing(&error) => Ok(true),
        Err(error) if is_conflict(&error) => Ok(false),
        // Of a removal the answer matters little, and the engine refused nothing.
        Err(Error::JsonDataError { .. }) => Ok(true),
        Err(error) => Err(error.into()),
    }
}

fn bytes_of<'a>(images: impl Iterator<Item = &'a Owned>) -> u64 {
    footprint::total(images.map(|image| image.layers.as_slice()))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use axum::http::{Method, Uri};
    use axum::{Json, Router};
    use serde_json::{Value, json};

    use super::super::engine::tests::engine_of;
    use super::*;

    /// An engine with one old image, and how many removals it was asked for. With `is_found` the image gets a tag after the
    /// first look at it.
    async fn engine(is_found: bool) -> (Engine, Arc<AtomicUsize>) {
        let (looks, removals) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let removed = Arc::clone(&removals);
        let id = format!("sha256:{}", "ab".repeat(32));
        let answer = move |method: Method, uri: Uri| {
            let path = uri.path();
            let answer: Value = if method == Method::DELETE {
                removed.fetch_add(1, Ordering::SeqCst);
                json!([])
            } else if path == "/images/json" {
                json!([{
                    "Id": id, "ParentId": "", "RepoTags": ["trainyard/wine:3f2a"], "RepoDigests": [], "Created": 0,
                    "Size": 0, "SharedSize": 0, "Labels": {}, "Containers": 0,
                }])
            } else if path == format!("/images/{id}/json") {
                let is_first = looks.fetch_add(1, Ordering::SeqCst) == 0;
                let long_ago = "2020-01-01T00:00:00Z".to_owned();
                let tagged = if is_found && !is_first { jiff::Timestamp::now().to_string() } else { long_ago };
                json!({ "Id": id, "Metadata": { "LastTagTime": tagged } })
            } else {
                json!([])
            };
            async move { Json(answer) }
        };
        (engine_of(Router::new().fallback(answer)).await, removals)
    }

    #[tokio::test]
    async fn what_a_stage_finds_while_it_is_pruned_is_let_be() {
        for (is_found, expected) in [(true, 0), (false, 1)] {
            let (engine, removals) = engine(is_found).await;
            let pruned = prune(&engine, "3f2a91c0d1e2", &BTreeSet::new()).await.unwrap();
            assert_eq!((pruned.images, removals.load(Ordering::SeqCst)), (expected, expected));
        }
    }

    fn image(tags: &[&str]) -> Owned {
        let tags = tags.iter().map(|tag| (*tag).to_owned()).collect();
        Owned { id: format!("sha256:{}", "ab".repeat(32)), tags, layers: Vec::new(), tagged: Some(0) }
    }

    #[test]
    fn only_tags_that_the_image_stage_gave_are_taken() {
        let tags = ["trainyard/wine:3f2a", "registry.example.com:5000/team/wine:3f2a", "wine:mine"];
        assert_eq!(image(&tags).own_tags(), ["trainyard/wine:3f2a", "registry.example.com:5000/team/wine:3f2a"]);
        assert_eq!(image(&["wine:mine", "team/wine:3f2a"]).own_tags(), Vec::<&str>::new());
    }

    #[test]
    fn what_is_kept_used_or_fresh_stays() {
        let (none, id) = (BTreeSet::new(), "ab".repeat(32));
        let nobody = BTreeSet::new();
        assert!(image(&[]).is_useless(&none, &nobody));
        assert!(!image(&[]).is_useless(&BTreeSet::from([Digest(id.clone())]), &nobody));
        assert!(!image(&[]).is_useless(&none, &BTreeSet::from([format!("sha256:{id}")])));
        let fresh = Owned { tagged: Some(now().0 / 1000), ..image(&[]) };
        assert!(!fresh.is_useless(&none, &nobody));
        let unknown = Owned { tagged: None, ..image(&[]) };
        assert!(unknown.is_useless(&none, &nobody));
    }
}
