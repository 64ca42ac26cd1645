//! What valid configurations of images, releases and runners on Docker Engine and Kubernetes mean.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use super::meaning_tests::{LEAST, lone, settings, stage};
use super::{
    Action, CanarySettings, ComposeSettings, ContainerSettings, DeployTarget, DockerSettings, ImageSettings,
    ImageStore, KubernetesSettings, Limits, Runner, SecretSource, Settings,
};

/// The example of `LEAST` with lines more in the stages that build and deploy.
fn project(build: &str, deploy: &str) -> Settings {
    let text = LEAST.replace("uses = \"image\"\n", &format!("uses = \"image\"\n{build}\n"));
    settings(&text.replace("uses = \"deploy\"\n", &format!("uses = \"deploy\"\n{deploy}\n")))
}

fn image(settings: &Settings) -> ImageSettings {
    let Action::Image(image) = stage(settings, "build").action else { unreachable!("build builds an image") };
    image
}

fn target(lines: &str) -> DeployTarget {
    project("", lines).deploy().unwrap().target.clone()
}

fn runner(lines: &str) -> Runner {
    lone("test", &format!("command = [\"pytest\"]\n{lines}")).runner
}

fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

#[test]
fn a_dockerfile_has_defaults() {
    let settings = project("dockerfile = \"./Dockerfile\"", "target = \"docker\"");
    let image = image(&settings);
    assert_eq!((image.store, image.push), (ImageStore::Docker, None));
    let dockerfile = image.dockerfile.unwrap();
    assert_eq!((dockerfile.path, dockerfile.context), (PathBuf::from("Dockerfile"), PathBuf::from(".")));
    assert_eq!((dockerfile.target, dockerfile.silence), (None, Duration::from_mins(10)));
    assert!(dockerfile.arguments.is_empty() && dockerfile.secrets.is_empty());
    let build = stage(&settings, "build");
    assert!(build.spec.uses_source && !build.spec.uses_data);
    assert_eq!(build.inputs, ["**"]);
}

#[test]
fn a_dockerfile_is_built_as_it_is_written() {
    let lines = r#"
dockerfile = "docker/app.Dockerfile"
context = "app/"
build_target = "runtime"
arguments = { PYTHON = "3.13" }
secrets = { pip_token = "$PIP_TOKEN", netrc = "secrets/netrc" }
silence = "30s"
push = "registry.example.com:5000/team/wine"
"#;
    let settings = project(lines, "target = \"kubernetes\"");
    let image = image(&settings);
    assert_eq!(image.push.as_deref(), Some("registry.example.com:5000/team/wine"));
    let dockerfile = image.dockerfile.unwrap();
    assert_eq!(dockerfile.path, PathBuf::from("docker/app.Dockerfile"));
    assert_eq!(dockerfile.context, PathBuf::from("app"));
    assert_eq!(dockerfile.target.as_deref(), Some("runtime"));
    assert_eq!(dockerfile.arguments, map(&[("PYTHON", "3.13")]));
    let secrets = [
        ("netrc".to_owned(), SecretSource::File("secrets/netrc".into())),
        ("pip_token".to_owned(), SecretSource::Environment("PIP_TOKEN".to_owned())),
    ];
    assert_eq!(dockerfile.secrets, BTreeMap::from(secrets));
    assert_eq!(dockerfile.silence, Duration::from_secs(30));
    let inputs = ["app/**", "docker/app.Dockerfile", "docker/app.Dockerfile.dockerignore"];
    assert_eq!(stage(&settings, "build").inputs, inputs);
}

#[test]
fn inputs_replace_the_context_but_not_the_dockerfile() {
    let settings = project("dockerfile = \"Dockerfile\"\ninputs = [\"src/**\"]", "target = \"docker\"");
    let inputs = ["src/**", "Dockerfile", "Dockerfile.dockerignore", ".dockerignore"];
    assert_eq!(stage(&settings, "build").inputs, inputs);
}

#[test]
fn an_image_lies_in_docker_engine_where_something_needs_it_there() {
    let store = |build: &str, deploy: &str| image(&project(build, deploy)).store;
    assert_eq!(store("", ""), ImageStore::Archive);
    assert_eq!(store("site = \"site\"", "target = \"process\""), ImageStore::Archive);
    assert_eq!(store("", "target = \"docker\""), ImageStore::Docker);
    assert_eq!(store("", "target = \"kubernetes\""), ImageStore::Docker);
    assert_eq!(store("push = \"r.io/wine\"", "target = \"docker\""), ImageStore::Docker);
    let alone = |lines: &str| {
        let Action::Image(image) = lone("build", lines).action else { unreachable!("build builds an image") };
        image.store
    };
    assert_eq!(alone("uses = \"image\""), ImageStore::Archive);
    assert_eq!(alone("uses = \"image\"\npush = \"r.io/wine\""), ImageStore::Docker);
    assert_eq!(alone("uses = \"image\"\ndockerfile = \"Dockerfile\""), ImageStore::Docker);
}

#[test]
fn an_image_is_that_of_the_deploy_however_many_stages_stand_between() {
    let text = LEAST.replace(
        "needs = [\"build\"]\n",
        "needs = [\"smoke\"]\ntarget = \"docker\"\n[stages.smoke]\ncommand = [\"true\"]\nneeds = [\"build\"]\n",
    );
    assert_eq!(image(&settings(&text)).store, ImageStore::Docker);
    // Of two images, the later one is deployed.
    let text = format!(
        "{LEAST}target = \"process\"\nport = 8080\n[stages.package]\nuses = \"image\"\nneeds = [\"deploy\"]\n\
         [stages.release]\nuses = \"deploy\"\nneeds = [\"package\"]\ntarget = \"docker\"\nport = 9000\n"
    );
    let settings = settings(&text);
    let Action::Image(later) = stage(&settings, "package").action else { unreachable!("package builds an image") };
    assert_eq!((image(&settings).store, later.store), (ImageStore::Archive, ImageStore::Docker));
}

#[test]
fn a_container_has_defaults() {
    let expected = DockerSettings {
        container_port: 8080,
        limits: Limits::default(),
        volumes: Vec::new(),
        network: None,
        compose: None,
    };
    assert_eq!(target("target = \"docker\""), DeployTarget::Docker(expected));
}

#[test]
fn a_container_is_told_what_is_written() {
    let lines = r#"
target = "docker"
container_port = 9000
limits = { memory = "512Mi", cpus = 0.5 }
volumes = ["/srv/cache:/cache", "./lookup:/lookup:ro"]
network = "backend"
compose = { project = "wine", service = "app" }
"#;
    let expected = DockerSettings {
        container_port: 9000,
        limits: Limits { memory: Some(512 << 20), cpus: Some(0.5) },
        volumes: vec!["/srv/cache:/cache".to_owned(), "./lookup:/lookup:ro".to_owned()],
        network: Some("backend".to_owned()),
        compose: Some(ComposeSettings { project: "wine".to_owned(), service: "app".to_owned() }),
    };
    assert_eq!(target(lines), DeployTarget::Docker(expected));
}

#[test]
fn a_rollout_has_defaults() {
    let expected = KubernetesSettings {
        context: None,
        namespace: None,
        manifests: None,
        replicas: None,
        container_port: 8080,
        limits: Limits::default(),
        production: false,
        canary: None,
    };
    assert_eq!(target("target = \"kubernetes\""), DeployTarget::Kubernetes(expected));
}

#[test]
fn a_rollout_is_told_what_is_written() {
    let lines = r#"
target = "kubernetes"
context = "prod"
namespace = "ml"
manifests = "./deploy/manifests/"
replicas = 3
container_port = 9000
limits = { memory = "1Gi", cpus = 2 }
production = true
canary = { share = 0.25, expr = "vector(1)", min = 0.5 }
"#;
    let canary = CanarySettings {
        share: 0.25,
        within: Duration::from_mins(1),
        expr: "vector(1)".to_owned(),
        max: None,
        min: Some(0.5),
    };
    let expected = KubernetesSettings {
        context: Some("prod".to_owned()),
        namespace: Some("ml".to_owned()),
        manifests: Some("deploy/manifests".into()),
        replicas: Some(3),
        container_port: 9000,
        limits: Limits { memory: Some(1 << 30), cpus: Some(2.0) },
        production: true,
        canary: Some(canary),
    };
    assert_eq!(target(lines), DeployTarget::Kubernetes(expected));
}

#[test]
fn an_app_gets_its_variables_whatever_the_target() {
    for target in ["process", "docker", "kubernetes"] {
        let settings = project("", &format!("target = \"{target}\"\nvariables = {{ LOG_LEVEL = \"info\" }}"));
        assert_eq!(settings.deploy().unwrap().variables, map(&[("LOG_LEVEL", "info")]));
    }
}

#[test]
fn a_stage_runs_on_this_machine_unless_it_says_otherwise() {
    assert_eq!(runner(""), Runner::Local);
    assert_eq!(runner("runner = \"local\""), Runner::Local);
    let docker = ContainerSettings {
        image: Some("python:3".to_owned()),
        limits: Limits { memory: Some(200_000_000), cpus: None },
        network: Some("backend".to_owned()),
        ..ContainerSettings::default()
    };
    let lines = "container = { image = \"python:3\", limits = { memory = \"200M\" }, network = \"backend\" }";
    assert_eq!(runner(&format!("runner = \"docker\"\n{lines}")), Runner::Docker(docker));
    let kubernetes = ContainerSettings {
        image: Some("r.io/train@sha256:0a1b".to_owned()),
        context: Some("gpu".to_owned()),
        namespace: Some("ml".to_owned()),
        push: Some("r.io/trainyard".to_owned()),
        ..ContainerSettings::default()
    };
    let lines = "image = \"r.io/train@sha256:0a1b\"\ncontext = \"gpu\"\nnamespace = \"ml\"\npush = \"r.io/trainyard\"";
    let lines = format!("runner = \"kubernetes\"\n[stages.test.container]\n{lines}");
    assert_eq!(runner(&lines), Runner::Kubernetes(kubernetes));
}

#[test]
fn built_in_training_needs_no_image_of_the_user() {
    let train = lone("train", "uses = \"train\"\ntarget = \"y\"\nrunner = \"kubernetes\"");
    assert_eq!(train.runner, Runner::Kubernetes(ContainerSettings::default()));
    let Runner::Docker(container) = lone("train", "uses = \"train\"\ntarget = \"y\"\nrunner = \"docker\"").runner
    else {
        unreachable!("it runs in a container")
    };
    assert_eq!(container.image, None);
}

#[test]
fn whether_docker_engine_is_needed_follows_from_images_and_runners() {
    assert!(!project("", "").uses_docker());
    assert!(project("", "target = \"docker\"").uses_docker());
    assert!(project("", "target = \"kubernetes\"").uses_docker());
    let contained = "[stages.a]\ncommand = [\"a\"]\nrunner = \"docker\"\ncontainer = { image = \"a\" }\n";
    assert!(settings(contained).uses_docker());
    let job = "[stages.a]\nuses = \"train\"\ntarget = \"y\"\nrunner = \"kubernetes\"\n";
    assert!(settings(job).uses_docker(), "the image of the program is loaded into it");
    assert!(!settings(&format!("{job}container = {{ image = \"a\" }}\n")).uses_docker());
}

/// The definitions of build and deploy, which also stand in the graph.
#[track_caller]
fn definitions(build: &str, deploy: &str) -> (String, String) {
    let settings = project(build, deploy);
    let of = |name: &str| {
        let definition = stage(&settings, name).spec.definition;
        assert_eq!(settings.graph.get(&name.into()).unwrap().definition, definition);
        definition.to_string()
    };
    (of("build"), of("deploy"))
}

#[test]
fn another_target_makes_another_image_where_it_is_kept_elsewhere() {
    let (archive, process) = definitions("", "target = \"process\"");
    let (for_docker, docker) = definitions("", "target = \"docker\"");
    let (for_kubernetes, kubernetes) = definitions("", "target = \"kubernetes\"");
    assert_ne!(archive, for_docker);
    assert_eq!(for_docker, for_kubernetes);
    assert!(process != docker && docker != kubernetes && process != kubernetes);
}

#[test]
fn the_definition_is_of_what_is_built_and_deployed_and_not_of_how_long_one_waits() {
    let plain = definitions("dockerfile = \"Dockerfile\"", "target = \"kubernetes\"");
    let same = definitions(
        "dockerfile = \"Dockerfile\"\nsilence = \"1m\"\nretries = 2\ngrace = \"1s\"",
        "target = \"kubernetes\"\nproduction = true\nretries = 2\ngrace = \"1s\"",
    );
    assert_eq!(plain, same);
    for build in ["arguments = { A = \"b\" }", "secrets = { a = \"$A\" }", "build_target = \"x\"", "push = \"r.io/x\""]
    {
        let other = definitions(&format!("dockerfile = \"Dockerfile\"\n{build}"), "target = \"kubernetes\"");
        assert_ne!(plain.0, other.0, "{build}");
        assert_eq!(plain.1, other.1, "{build}");
    }
    for deploy in ["replicas = 2", "limits = { cpus = 1 }", "variables = { A = \"b\" }", "namespace = \"ml\""] {
        let other = definitions("dockerfile = \"Dockerfile\"", &format!("target = \"kubernetes\"\n{deploy}"));
        assert_eq!(plain.0, other.0, "{deploy}");
        assert_ne!(plain.1, other.1, "{deploy}");
    }
}

#[test]
fn the_definition_changes_with_the_runner() {
    let definition = |lines: &str| lone("test", &format!("command = [\"pytest\"]\n{lines}")).spec.definition;
    let local = definition("");
    let docker = definition("runner = \"docker\"\ncontainer = { image = \"python:3\" }");
    assert_eq!(local, definition("runner = \"local\""));
    assert_ne!(local, docker);
    assert_ne!(docker, definition("runner = \"docker\"\ncontainer = { image = \"python:4\" }"));
    assert_ne!(docker, definition("runner = \"kubernetes\"\ncontainer = { image = \"python:3\" }"));
}
