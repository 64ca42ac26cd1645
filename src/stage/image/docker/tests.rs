//! What an image is named by, and when a build is refused before it begins.

use std::time::Duration;

use super::*;
use crate::config::SecretSource;

fn settings() -> DockerfileSettings {
    DockerfileSettings {
        path: "Dockerfile".into(),
        context: ".".into(),
        target: None,
        arguments: BTreeMap::new(),
        secrets: BTreeMap::new(),
        silence: Duration::from_mins(10),
    }
}

fn request<'a>(folder: &'a Path, settings: &'a DockerfileSettings) -> DockerBuild<'a> {
    DockerBuild {
        project: "wine",
        folder,
        source: folder,
        model: folder,
        settings,
        labels: labels("wine", folder, Some("3f2a91c"), Some("12"), None),
        push: None,
        images: folder,
    }
}

#[test]
fn the_digest_depends_on_each_input_and_not_on_the_value_of_a_secret() {
    let (folder, context) = (Path::new("/srv/wine"), Context::default());
    let digest = |settings: &DockerfileSettings, content: &str, argument: &str| {
        let arguments = BTreeMap::from([("A".to_owned(), argument.to_owned())]);
        digest_of_inputs(&Digest(content.to_owned()), &request(folder, settings), &context, &arguments)
    };
    let plain = digest(&settings(), "ab", "1");
    assert_eq!(plain, digest(&settings(), "ab", "1"));
    assert_ne!(plain, digest(&settings(), "cd", "1"));
    assert_ne!(plain, digest(&settings(), "ab", "2"));
    let staged = DockerfileSettings { target: Some("app".to_owned()), ..settings() };
    assert_ne!(plain, digest(&staged, "ab", "1"));

    let with = |source| {
        let secrets = BTreeMap::from([("token".to_owned(), source)]);
        digest(&DockerfileSettings { secrets, ..settings() }, "ab", "1")
    };
    let one = with(SecretSource::File("a".into()));
    assert_ne!(plain, one);
    assert_eq!(one, with(SecretSource::File("b".into())));
}

#[test]
fn labels_say_whose_it_is_and_of_what_and_nothing_of_the_run() {
    let labels = labels("Wine", Path::new("/srv/wine"), Some("3f2a91c"), Some("12"), Some("ab"));
    let keys: Vec<&str> = labels.keys().map(String::as_str).collect();
    let expected = [
        "com.trainyard.data",
        "com.trainyard.folder",
        "com.trainyard.model",
        "com.trainyard.project",
        "org.opencontainers.image.revision",
        "org.opencontainers.image.title",
        "org.opencontainers.image.version",
    ];
    assert_eq!(keys, expected);
}

#[test]
fn secrets_are_refused_under_the_classic_builder_before_anything_is_sent() {
    let folder = Path::new("/srv/wine");
    let secrets_of = BTreeMap::from([("token".to_owned(), SecretSource::File("gone".into()))]);
    let with = DockerfileSettings { secrets: secrets_of, ..settings() };
    let told = secrets(&request(folder, &with), Builder::Classic).unwrap_err().to_string();
    assert!(told.contains("token") && told.contains("DOCKER_BUILDKIT=1"), "{told}");
    assert!(secrets(&request(folder, &settings()), Builder::Classic).is_ok());
    let missing = secrets(&request(folder, &with), Builder::BuildKit);
    assert!(matches!(missing, Err(DockerBuildError::Secret(_))));
}

#[test]
fn what_only_tells_of_a_model_is_not_sent() {
    let folder = tempfile::tempdir().unwrap();
    let model = folder.path().join("model");
    std::fs::create_dir(&model).unwrap();
    std::fs::write(folder.path().join("Dockerfile"), "FROM scratch\nARG TRAINYARD_MODEL").unwrap();
    std::fs::write(folder.path().join(".dockerignore"), "model").unwrap();
    let gather = || Context::gather(folder.path(), &settings(), &model, folder.path());
    std::fs::write(model.join("lineage.json"), "{}").unwrap();
    assert!(gather().is_err(), "that alone is no model");
    std::fs::write(model.join("model.bin"), "7").unwrap();
    let context = gather().unwrap();
    std::fs::write(model.join("gate.json"), "{}").unwrap();
    assert_eq!(gather().unwrap().digest().unwrap(), context.digest().unwrap());
}

#[test]
fn the_model_is_given_as_an_argument_only_to_a_dockerfile_that_asks_for_it() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("model")).unwrap();
    std::fs::write(folder.path().join("model/model.bin"), "7").unwrap();
    let arguments = |text: &str, own: Option<&str>| {
        std::fs::write(folder.path().join("Dockerfile"), text).unwrap();
        let own = own.map(|value| (MODEL_ARGUMENT.to_owned(), value.to_owned()));
        let settings = DockerfileSettings { arguments: own.into_iter().collect(), ..settings() };
        let context = Context::gather(folder.path(), &settings, &folder.path().join("model"), folder.path()).unwrap();
        super::arguments(&settings, &context).remove(MODEL_ARGUMENT)
    };
    assert_eq!(arguments("FROM scratch", None), None);
    assert_eq!(arguments("FROM scratch\nARG TRAINYARD_MODEL", None).as_deref(), Some(".trainyard-model"));
    assert_eq!(arguments("FROM scratch\nARG TRAINYARD_MODEL", Some("x")).as_deref(), Some("x"));
}
