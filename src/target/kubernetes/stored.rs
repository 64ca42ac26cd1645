//! What was applied for a release, kept whole beside the releases: a rollback repeats it, a failed rollout goes back to it,
//! and what is live is compared with it.
//!
//! A record says whether its release was ever seen complete. One that was not (its host died in the middle) is nothing to
//! go back to, but it names the release before it, which may be.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use k8s_openapi::api::apps::v1::Deployment;
use kube::api::ApiResource;
use serde::{Deserialize, Serialize};

use super::app::App;
use super::manifest::forget;
use super::object::{Object, release_of};
use crate::disk::write_whole;
use crate::pipeline::ReleaseId;
use crate::target::{ApplyRequest, labels};

/// The form of the file.
const FORMAT: u32 = 1;
/// How many releases that were never complete may lie behind each other.
const LONGEST_CHAIN: usize = 50;

/// Why a record cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum StoredError {
    /// There is none.
    #[error("the manifests of release {0} are not kept here (any more)")]
    Missing(ReleaseId),
    /// It cannot be read.
    #[error("the manifests of release {release} cannot be read from {path}: {reason}; remove the file")]
    Unusable {
        /// The release.
        release: ReleaseId,
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
}

/// What was applied for one release.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifests {
    format: u32,
    /// The release.
    pub release: ReleaseId,
    /// The name of its Deployment.
    pub app: String,
    /// The container of the app.
    pub container: String,
    /// The labels of its pods, as they are asked for.
    pub selector: String,
    /// The port of its pods.
    pub port: u16,
    /// Whether an autoscaler owns the number of its pods.
    pub autoscaled: bool,
    /// The objects in the order in which they are applied.
    pub objects: Vec<Object>,
    /// The release that was live before it.
    pub former: Option<ReleaseId>,
    /// Whether its rollout was seen complete.
    pub proven: bool,
}

// The objects may hold Secrets.
impl fmt::Debug for Manifests {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Manifests")
            .field("release", &self.release)
            .field("app", &self.app)
            .field("objects", &self.objects)
            .finish_non_exhaustive()
    }
}

impl Manifests {
    /// What is to be applied for a release.
    pub fn new(release: ReleaseId, app: App, port: u16, objects: Vec<Object>) -> Self {
        let App { name, container, selector } = app;
        Self {
            format: FORMAT,
            release,
            app: name,
            container,
            selector,
            port,
            autoscaled: false,
            objects,
            former: None,
            proven: false,
        }
    }

    /// The same for another release, which repeats this one.
    #[must_use]
    pub fn again_as(self, release: ReleaseId) -> Self {
        Self { release, former: None, proven: false, ..self }
    }

    /// The same, now that its rollout was complete.
    #[must_use]
    pub fn seen_complete(&self) -> Self {
        Self { proven: true, ..self.clone() }
    }

    /// The Deployment of the app.
    pub fn deployment(&self) -> Option<&Object> {
        self.objects.iter().find(|object| object.is_deployment(&self.app))
    }

    /// Whether one of the objects stands for the same object of the cluster.
    pub fn holds(&self, wanted: &Object) -> bool {
        self.objects.iter().any(|object| object.is_same(wanted))
    }

    /// The file of a release's record.
    pub fn path(keep_in: &Path, release: ReleaseId) -> PathBuf {
        keep_in.join(format!("{release}.manifests.json"))
    }

    /// Reads the record of a release.
    pub fn read(keep_in: &Path, release: ReleaseId) -> Result<Self, StoredError> {
        let path = Self::path(keep_in, release);
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(StoredError::Missing(release)),
            Err(error) => return Err(StoredError::Unusable { release, path, reason: error.to_string() }),
        };
        match serde_json::from_slice::<Self>(&bytes) {
            Ok(found) if found.format == FORMAT => Ok(found),
            Ok(found) => {
                let reason = format!("it has format {}, and this program reads format {FORMAT}", found.format);
                Err(StoredError::Unusable { release, path, reason })
            }
            // What the reader says quotes no value but where it stopped.
            Err(error) => Err(StoredError::Unusable {
                release,
                path,
                reason: format!("line {}, column {} is not as expected", error.line(), error.column()),
            }),
        }
    }

    /// Writes it.
    pub fn write(&self, keep_in: &Path) -> io::Result<()> {
        write_whole(&Self::path(keep_in, self.release), &serde_json::to_vec(self)?)
    }

    /// The last release that was complete, from what is live backwards. A live Deployment of ours without a record, as after
    /// the folder was lost, is its own record.
    pub fn last_proven(keep_in: &Path, live: &Deployment, like: &Self) -> Option<Self> {
        let mut next = release_of(&live.metadata)?;
        for _ in 0..LONGEST_CHAIN {
            match Self::read(keep_in, next) {
                Ok(found) if found.proven => return Some(found),
                Ok(found) => next = found.former?,
                Err(_) => return Self::of_live(live, next, like),
            }
        }
        None
    }

    fn of_live(live: &Deployment, release: ReleaseId, like: &Self) -> Option<Self> {
        let mut body = serde_json::to_value(live).ok()?;
        forget(&mut body);
        let app = live.metadata.name.clone()?;
        let resource = ApiResource::erase::<Deployment>(&());
        let objects = vec![Object { resource, namespaced: true, body }];
        Some(Self { release, app, objects, former: None, proven: true, ..like.clone() })
    }
}

/// A release that is ready to be rolled out, or was.
#[derive(Debug, Clone)]
pub struct Prepared {
    /// What is applied.
    pub(super) manifests: Manifests,
    /// What is gone back to, if there is anything.
    pub(super) former: Option<Manifests>,
    /// The labels of all that is the project's.
    pub(super) ours: BTreeMap<String, String>,
    /// The folder of records.
    pub(super) keep_in: PathBuf,
    /// What a user may not expect; told when it is rolled out.
    pub(super) notes: Vec<String>,
}

impl Prepared {
    /// The labels of the app's pods, stable and canary, as they are asked for.
    pub fn selector(&self) -> &str {
        &self.manifests.selector
    }

    /// The port on which the app listens inside of its pods.
    pub fn port(&self) -> u16 {
        self.manifests.port
    }

    /// The release.
    pub fn release(&self) -> ReleaseId {
        self.manifests.release
    }

    /// The name of the app's Deployment.
    pub fn deployment(&self) -> &str {
        &self.manifests.app
    }
}

/// What was applied for the release of `request`, to be found again and compared.
pub fn stored(request: &ApplyRequest, keep_in: &Path) -> Result<Prepared, StoredError> {
    let manifests = Manifests::read(keep_in, request.release)?;
    let former = manifests.former.and_then(|former| Manifests::read(keep_in, former).ok());
    Ok(Prepared { manifests, former, ours: ours(request), keep_in: keep_in.to_owned(), notes: Vec::new() })
}

/// The labels of all that is the project's.
pub fn ours(request: &ApplyRequest) -> BTreeMap<String, String> {
    labels::of_project(&request.project, &labels::folder(&request.folder))
}

#[cfg(test)]
pub(super) mod tests {
    use serde_json::json;

    use super::super::app::tests::request;
    use super::super::object::tests::object;
    use super::*;

    /// A Deployment `wine` for a release.
    pub(crate) fn manifests(release: u64) -> Manifests {
        let body = json!({
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": { "name": "wine", "labels": { "com.trainyard.release": release.to_string() } },
            "spec": { "replicas": 2 },
        });
        let app = App { name: "wine".to_owned(), container: "app".to_owned(), selector: "app=wine".to_owned() };
        Manifests::new(ReleaseId(release), app, 8080, vec![object(body)])
    }

    fn live(release: u64) -> Deployment {
        let mut body = manifests(release).objects.remove(0).body;
        body["metadata"]["managedFields"] = json!([]);
        body["spec"] = json!({ "replicas": 5, "selector": {}, "template": {} });
        body["status"] = json!({ "replicas": 5 });
        serde_json::from_value(body).unwrap()
    }

    #[test]
    fn a_record_is_read_as_it_was_written() {
        let folder = tempfile::tempdir().unwrap();
        let written = Manifests { former: Some(ReleaseId(16)), proven: true, ..manifests(17) };
        written.write(folder.path()).unwrap();
        assert_eq!(Manifests::read(folder.path(), ReleaseId(17)).unwrap(), written);
        assert_eq!(stored(&request(), folder.path()).unwrap().selector(), "app=wine");
        assert!(matches!(Manifests::read(folder.path(), ReleaseId(3)), Err(StoredError::Missing(ReleaseId(3)))));
    }

    #[test]
    fn a_damaged_record_is_told_with_its_file_and_never_quoted() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(Manifests::path(folder.path(), ReleaseId(17)), "{\"format\": \"hush").unwrap();
        let said = Manifests::read(folder.path(), ReleaseId(17)).unwrap_err().to_string();
        assert!(said.contains("17.manifests.json") && !said.contains("hush"), "{said}");
    }

    #[test]
    fn it_goes_back_to_the_last_release_that_was_complete() {
        let folder = tempfile::tempdir().unwrap();
        Manifests { proven: true, ..manifests(15) }.write(folder.path()).unwrap();
        Manifests { former: Some(ReleaseId(15)), ..manifests(16) }.write(folder.path()).unwrap();
        let found = Manifests::last_proven(folder.path(), &live(16), &manifests(17)).unwrap();
        assert_eq!(found.release, ReleaseId(15), "release 16 was given up in the middle");
        manifests(16).write(folder.path()).unwrap();
        assert_eq!(Manifests::last_proven(folder.path(), &live(16), &manifests(17)), None);
    }

    #[test]
    fn a_live_deployment_without_a_record_is_its_own() {
        let folder = tempfile::tempdir().unwrap();
        let found = Manifests::last_proven(folder.path(), &live(16), &manifests(17)).unwrap();
        assert_eq!(found.release, ReleaseId(16));
        let body = &found.objects[0].body;
        assert_eq!(body["spec"]["replicas"], 5);
        assert_eq!((body.get("status"), body["metadata"].get("managedFields")), (None, None));
        assert!(found.objects[0].is_deployment("wine"));
    }
}
