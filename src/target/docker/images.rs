//! What is asked of the engine about images: whether one is there, loading, tagging, pushing.
//!
//! The engine answers the long ones with status 200 and a stream of messages, in which it also tells of a failure; so
//! the stream is read to its end before anything counts as done.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bollard::auth::DockerCredentials;
use bollard::models::ImageInspect;
use bollard::query_parameters::{ImportImageOptionsBuilder, PushImageOptionsBuilder, TagImageOptionsBuilder};
use futures_util::{Stream, StreamExt, stream};
use hyper::body::Bytes;
use tokio::fs::File;
use tokio::io::AsyncReadExt;

use super::engine::{Activity, Engine, EngineError, answer, mend_credentials, next_within};
use crate::pipeline::Digest;
use crate::target::engine_image::EngineImage;

/// How long the engine may say nothing while it takes an archive or pushes.
const SILENCE: Duration = Duration::from_mins(10);
/// Bytes of an archive that are sent at once.
const CHUNK: usize = 1 << 18;
/// How references to the Docker Hub name their registry, by leaving it out.
const DOCKER_HUB: &str = "docker.io";

/// An image that the engine has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundImage {
    /// The id without `sha256:`.
    pub id: Digest,
    /// Its size, with all its layers.
    pub bytes: u64,
    /// Where it was pulled from or pushed to: `registry.example.com/team/wine@sha256:…`.
    pub repo_digests: Vec<String>,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Whether it says how its health is looked at.
    pub healthcheck: bool,
    /// Its entry point.
    pub entrypoint: Vec<String>,
    /// Its command, or the arguments of the entry point.
    pub command: Vec<String>,
    /// The ports that it says it listens on: `8080/tcp`.
    pub exposed_ports: Vec<String>,
}

/// The image with that tag or id; `None` if the engine has none.
pub async fn find(engine: &Engine, reference: &str) -> Result<Option<FoundImage>, EngineError> {
    match answer(engine.client().inspect_image(reference)).await {
        Ok(image) => found(image).map(Some),
        Err(EngineError::Missing { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Why the image that a file stands for cannot be used; `None` when the engine has it. `mend` is what to do when it is gone.
pub async fn missing(image: &EngineImage, mend: &str) -> Option<String> {
    let has = async {
        let engine = Engine::connect().await?;
        // By its tag; by its id if the tag went to another image.
        for reference in [image.tag.clone(), format!("sha256:{}", image.id)] {
            if find(&engine, &reference).await?.is_some_and(|found| found.id == image.id) {
                return Ok(true);
            }
        }
        Ok::<bool, EngineError>(false)
    };
    match has.await {
        Ok(true) => None,
        Ok(false) => Some(format!("the image {} is not in Docker Engine any more; {mend}", image.tag)),
        Err(error) => Some(error.to_string()),
    }
}

/// Brings an archive of `docker save` or of ours into the engine; returns the id of its image.
pub async fn load_archive(engine: &Engine, path: &Path) -> Result<Digest, EngineError> {
    let failed = |reason: String| EngineError::File { path: path.display().to_string(), reason };
    let file = File::open(path).await.map_err(|error| failed(error.to_string()))?;
    let (activity, trouble) = (Activity::default(), Arc::new(OnceLock::new()));
    let body = chunks(file, activity.clone(), Arc::clone(&trouble));
    let client = engine.patient();
    let mut told = client.import_image_stream(ImportImageOptionsBuilder::new().build(), body, None).boxed();
    let mut loaded = None;
    loop {
        match next_within(&mut told, SILENCE, &activity).await {
            Ok(Some(info)) => loaded = info.stream.as_deref().and_then(loaded_name).map(str::to_owned).or(loaded),
            Ok(None) => break,
            // A file that cannot be read breaks the connection, which is no fault of the engine.
            Err(error) => return Err(trouble.get().cloned().map_or(error, failed)),
        }
    }
    let unexpected = |reason: &str| EngineError::Unexpected { reason: reason.to_owned() };
    let loaded = loaded.ok_or_else(|| unexpected("it did not say which image it loaded"))?;
    let image = find(engine, &loaded).await?;
    image.map(|image| image.id).ok_or_else(|| unexpected(&format!("it does not have {loaded}, which it just loaded")))
}

/// Gives an image a further name. A name that another image has is taken from that.
pub async fn tag(engine: &Engine, image: &str, repository: &str, tag: &str) -> Result<(), EngineError> {
    let options = TagImageOptionsBuilder::new().repo(repository).tag(tag).build();
    answer(engine.client().tag_image(image, Some(options))).await
}

/// Whether the engine has `repository:tag`. The image gets that tag once more, so that it counts as fresh and is not pruned
/// before whoever asked has told of it.
pub async fn claim(engine: &Engine, repository: &str, tag: &str) -> Result<bool, EngineError> {
    match self::tag(engine, &format!("{repository}:{tag}"), repository, tag).await {
        Ok(()) => Ok(true),
        Err(EngineError::Missing { .. }) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Pushes `repository:tag` to the registry in its name. What goes on is told to `said`. Returns what was pushed, by
/// digest: `registry.example.com/team/wine@sha256:…`.
pub async fn push(
    engine: &Engine,
    repository: &str,
    tag: &str,
    credentials: Option<DockerCredentials>,
    said: &mut dyn FnMut(&str),
) -> Result<String, EngineError> {
    let is_known = credentials.is_some();
    let refused = |error| refused_by_registry(error, repository, tag, is_known);
    let client = engine.patient().with_request_modifier(|mut request| {
        mend_credentials(request.headers_mut());
        request
    });
    let options = PushImageOptionsBuilder::new().tag(tag).build();
    let mut told = client.push_image(repository, Some(options), credentials).boxed();
    let (mut digest, mut last) = (None, String::new());
    while let Some(info) = next_within(&mut told, SILENCE, &Activity::default()).await.map_err(refused)? {
        // A message may tell of a failure without its details.
        if let Some(reason) = info.error_detail {
            return Err(refused(EngineError::Failed { message: reason.message.unwrap_or_default() }));
        }
        let Some(status) = info.status else { continue };
        digest = pushed_digest(&status).or(digest);
        if status != last {
            said(&status);
            last = status;
        }
    }
    if let Some(digest) = digest {
        return Ok(format!("{repository}@{digest}"));
    }
    let image = find(engine, &format!("{repository}:{tag}")).await?;
    let by_digest = image.and_then(|image| {
        image.repo_digests.into_iter().find(|pushed| pushed.split_once('@').is_some_and(|(name, _)| name == repository))
    });
    by_digest
        .ok_or_else(|| EngineError::Unexpected { reason: "it did not say the digest of what it pushed".to_owned() })
}

/// The registry of a repository or an image: `registry.example.com:5000`, or `docker.io` where none is named.
pub fn registry_of(reference: &str) -> &str {
    match reference.split_once('/') {
        Some((host, _)) if host == "localhost" || host.contains(['.', ':']) => host,
        _ => DOCKER_HUB,
    }
}

/// Whether the text of a failure says that the registry does not know the user, or does not let them.
pub fn wants_login(message: &str) -> bool {
    const TEXTS: [&str; 8] = [
        "unauthorized",
        "authentication required",
        "no basic auth credentials",
        "authorization failed",
        "access denied",
        "access to the resource is denied",
        "insufficient_scope",
        "incorrect username or password",
    ];
    let message = message.to_lowercase();
    TEXTS.iter().any(|text| message.contains(text)) || message.starts_with("denied")
}

fn found(image: ImageInspect) -> Result<FoundImage, EngineError> {
    let id = image.id.ok_or_else(|| EngineError::Unexpected { reason: "an image has no id".to_owned() })?;
    let config = image.config.unwrap_or_default();
    // `HEALTHCHECK NONE` takes away that of the base image.
    let test = config.healthcheck.and_then(|check| check.test).unwrap_or_default();
    let healthcheck = test.first().is_some_and(|kind| !kind.is_empty() && kind != "NONE");
    Ok(FoundImage {
        id: digest_of(&id),
        bytes: size(image.size.unwrap_or_default()),
        repo_digests: image.repo_digests.unwrap_or_default(),
        labels: config.labels.unwrap_or_default().into_iter().collect(),
        healthcheck,
        entrypoint: config.entrypoint.unwrap_or_default(),
        command: config.cmd.unwrap_or_default(),
        exposed_ports: config.exposed_ports.unwrap_or_default(),
    })
}

fn digest_of(id: &str) -> Digest {
    Digest(id.strip_prefix("sha256:").unwrap_or(id).to_owned())
}

fn size(bytes: i64) -> u64 {
    u64::try_from(bytes).unwrap_or_default()
}

/// The name in `Loaded image: wine:1` or `Loaded image ID: sha256:…`.
fn loaded_name(line: &str) -> Option<&str> {
    let line = line.trim();
    line.strip_prefix("Loaded image ID: ").or_else(|| line.strip_prefix("Loaded image: "))
}

/// The digest in `1.4: digest: sha256:… size: 528`.
fn pushed_digest(status: &str) -> Option<String> {
    let digest = status.split_once("digest: ")?.1.split_whitespace().next()?;
    digest.starts_with("sha256:").then(|| digest.to_owned())
}

/// A file in chunks. What goes wrong is noted, for all that is told of a body that failed is that the connection broke.
fn chunks(
    file: File,
    activity: Activity,
    trouble: Arc<OnceLock<String>>,
) -> impl Stream<Item = io::Result<Bytes>> + Send + 'static {
    stream::try_unfold((file, activity, trouble), |(mut file, activity, trouble)| async move {
        let mut chunk = vec![0; CHUNK];
        let read = file.read(&mut chunk).await.inspect_err(|error| {
            // The first trouble counts.
            let _ = trouble.set(error.to_string());
        })?;
        activity.note();
        chunk.truncate(read);
        Ok::<_, io::Error>((read > 0).then(|| (Bytes::from(chunk), (file, activity, trouble))))
    })
}

/// Tells what a registry said apart from what the engine said.
fn refused_by_registry(error: EngineError, repository: &str, tag: &str, is_known: bool) -> EngineError {
    let Some(reason) = error.said() else { return error };
    let (host, reason) = (registry_of(repository), reason.trim().to_owned());
    let login = if host == DOCKER_HUB { "docker login".to_owned() } else { format!("docker login {host}") };
    let mend = if wants_login(&reason) && is_known {
        format!("see whether the user of `{login}` may push there, and log in again as the one who runs trainyard")
    } else if wants_login(&reason) {
        format!("log in with `{login}` as the user who runs trainyard")
    } else if reason.contains("server gave HTTP response to HTTPS client") {
        format!("let it speak TLS, or name it in `insecure-registries` of /etc/docker/daemon.json: [\"{host}\"]")
    } else if reason.contains("does not exist locally") {
        "build the image again with `trainyard run`".to_owned()
    } else {
        format!("see whether Docker Engine reaches it (`docker push {repository}:{tag}`)")
    };
    EngineError::Registry { host: host.to_owned(), what: format!("{repository}:{tag}"), reason, mend }
}

#[cfg(test)]
mod tests {
    use bollard::models::{HealthConfig, ImageConfig};

    use super::*;

    fn refused(message: &str, is_known: bool) -> String {
        let error = EngineError::Failed { message: message.to_owned() };
        refused_by_registry(error, "registry.example.com/team/wine", "1", is_known).to_string()
    }

    #[test]
    fn the_registry_of_a_reference_is_told_from_the_first_part_of_a_name() {
        assert_eq!(registry_of("registry.example.com/team/wine"), "registry.example.com");
        assert_eq!(registry_of("localhost/wine"), "localhost");
        assert_eq!(registry_of("127.0.0.1:5000/wine:1"), "127.0.0.1:5000");
        assert_eq!(registry_of("team/wine"), "docker.io");
        assert_eq!(registry_of("python:3.12"), "docker.io");
    }

    #[test]
    fn a_registry_that_wants_credentials_is_told_with_the_login() {
        let told = refused("unauthorized: authentication required", false);
        assert!(told.contains("`docker login registry.example.com`") && told.contains("team/wine:1"), "{told}");
        let told = refused("denied: requested access to the resource is denied", true);
        assert!(told.contains("may push there"), "{told}");
        let told = refused("http: server gave HTTP response to HTTPS client", false);
        assert!(told.contains("insecure-registries"), "{told}");
        let told = refused("dial tcp: connection refused", false);
        assert!(told.contains("docker push"), "{told}");
    }

    #[test]
    fn an_engine_that_is_gone_is_no_fault_of_the_registry() {
        let gone = EngineError::Silent { seconds: 600 };
        assert_eq!(refused_by_registry(gone.clone(), "a/b", "1", false), gone);
    }

    #[test]
    fn what_was_loaded_and_pushed_is_read_from_what_the_engine_says() {
        assert_eq!(loaded_name("Loaded image: wine:3f2a91c0d1e2\n"), Some("wine:3f2a91c0d1e2"));
        assert_eq!(loaded_name("Loaded image ID: sha256:ab\n"), Some("sha256:ab"));
        assert_eq!(loaded_name("Loading layer"), None);
        assert_eq!(pushed_digest("1: digest: sha256:ab size: 528").as_deref(), Some("sha256:ab"));
        assert_eq!(pushed_digest("Pushed"), None);
    }

    #[test]
    fn an_image_is_described_and_one_without_a_health_check_has_none() {
        let test = |words: &[&str]| {
            let test = Some(words.iter().map(|word| (*word).to_owned()).collect());
            let config = ImageConfig {
                healthcheck: Some(HealthConfig { test, ..HealthConfig::default() }),
                entrypoint: Some(vec!["/app".to_owned()]),
                ..ImageConfig::default()
            };
            let id = Some("sha256:ab".to_owned());
            found(ImageInspect { id, size: Some(7), config: Some(config), ..ImageInspect::default() }).unwrap()
        };
        let image = test(&["CMD", "/app", "healthcheck"]);
        assert_eq!((image.id, image.bytes, image.healthcheck), (Digest("ab".to_owned()), 7, true));
        assert_eq!(image.entrypoint, ["/app"]);
        assert!(!test(&["NONE"]).healthcheck && !test(&[]).healthcheck);
        assert!(found(ImageInspect::default()).is_err());
    }
}
