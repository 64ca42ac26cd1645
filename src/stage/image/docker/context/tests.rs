//! Which files get into a context, and that their stream depends on nothing else.

use std::fs::Permissions;
use std::io::Read;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::time::Duration;

use tempfile::TempDir;

use super::*;
use crate::config::SecretSource;

/// A project folder with files; a name that ends with `/` is a folder.
fn project(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        if name.ends_with('/') {
            fs::create_dir_all(path).unwrap();
            continue;
        }
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

fn settings(dockerfile: &str, context: &str) -> DockerfileSettings {
    DockerfileSettings {
        path: dockerfile.into(),
        context: context.into(),
        target: None,
        arguments: BTreeMap::new(),
        secrets: BTreeMap::new(),
        silence: Duration::from_mins(10),
    }
}

fn gather(project: &TempDir, dockerfile: &str, context: &str) -> Context {
    let model = project.path().join("no-model");
    Context::gather(project.path(), &settings(dockerfile, context), &model, project.path()).unwrap()
}

fn names(context: &Context) -> Vec<String> {
    context.entries.keys().map(|place| place.display().to_string()).collect()
}

/// The stream, unpacked: names with their modes and contents.
fn unpacked(context: &Context) -> Vec<(String, u32, String)> {
    let bytes = context.write(Vec::new()).unwrap();
    let mut archive = tar::Archive::new(bytes.as_slice());
    let mut seen = Vec::new();
    for entry in archive.entries().unwrap() {
        let mut entry = entry.unwrap();
        let header = entry.header();
        assert_eq!((header.mtime().unwrap(), header.uid().unwrap(), header.gid().unwrap()), (0, 0, 0));
        let (name, mode) = (entry.path().unwrap().display().to_string(), entry.header().mode().unwrap());
        let mut text = String::new();
        entry.read_to_string(&mut text).unwrap();
        seen.push((name, mode, text));
    }
    seen
}

#[test]
fn a_context_holds_all_files_but_those_left_out_and_never_our_own_folder() {
    let project = project(&[
        ("Dockerfile", "FROM scratch"),
        (".dockerignore", "*.md\ndata\n!data/keep.csv"),
        ("README.md", ""),
        ("app/main.py", ""),
        ("data/big.csv", ""),
        ("data/keep.csv", ""),
        ("empty/", ""),
        (".git/HEAD", ""),
        (".trainyard/journal.db", ""),
        ("sub/.trainyard/journal.db", ""),
    ]);
    let expected = [
        ".dockerignore",
        ".git",
        ".git/HEAD",
        "Dockerfile",
        "app",
        "app/main.py",
        "data",
        "data/keep.csv",
        "empty",
        "sub",
    ];
    assert_eq!(names(&gather(&project, "Dockerfile", ".")), expected);
}

#[test]
fn a_dockerfile_and_the_patterns_are_sent_even_if_they_are_left_out() {
    let project = project(&[("docker/Dockerfile", "FROM a"), (".dockerignore", "*"), ("a", "")]);
    let context = gather(&project, "docker/Dockerfile", ".");
    assert_eq!(names(&context), [".dockerignore", "docker", "docker/Dockerfile"]);
    assert_eq!((context.dockerfile(), context.text()), ("docker/Dockerfile", "FROM a"));
}

#[test]
fn patterns_of_the_dockerfile_itself_go_before_those_of_the_context() {
    let files =
        [("x.Dockerfile", ""), ("x.Dockerfile.dockerignore", "a"), (".dockerignore", "b"), ("a", ""), ("b", "")];
    let project = project(&files);
    let expected = [".dockerignore", "b", "x.Dockerfile", "x.Dockerfile.dockerignore"];
    assert_eq!(names(&gather(&project, "x.Dockerfile", ".")), expected);
}

#[test]
fn a_dockerfile_outside_of_the_context_is_sent_under_a_name_of_its_own_and_hidden_from_copies() {
    let project = project(&[("Dockerfile", "FROM a"), ("app/main.py", "")]);
    let context = gather(&project, "Dockerfile", "app");
    assert_eq!(names(&context), [".dockerignore", ".trainyard-dockerfile", "main.py"]);
    assert_eq!(context.dockerfile(), ".trainyard-dockerfile");
    let ignore = &unpacked(&context)[0].2;
    assert_eq!(ignore, ".dockerignore\n.trainyard-dockerfile\n");

    fs::write(project.path().join("app/.dockerignore"), "*.md").unwrap();
    let ignore = &unpacked(&gather(&project, "Dockerfile", "app"))[0].2;
    assert_eq!(ignore, "*.md\n.trainyard-dockerfile\n");
}

#[test]
fn the_model_is_there_whatever_the_patterns_say_and_must_be_when_the_dockerfile_wants_it() {
    let text = "FROM scratch\nARG TRAINYARD_MODEL\nCOPY ${TRAINYARD_MODEL} /model";
    let files = [("Dockerfile", text), (".dockerignore", "*"), (".trainyard-model/old", ""), ("m/a/model.bin", "7")];
    let project = project(&files);
    let gather = |model: &str| {
        let model = project.path().join(model);
        Context::gather(project.path(), &settings("Dockerfile", "."), &model, project.path())
    };
    let context = gather("m").unwrap();
    assert!(context.wants_model());
    let expected =
        [".dockerignore", ".trainyard-model", ".trainyard-model/a", ".trainyard-model/a/model.bin", "Dockerfile"];
    assert_eq!(names(&context), expected);
    assert!(matches!(gather("gone"), Err(ContextError::NoModel(_))));
}

#[test]
fn modes_are_one_of_two_and_links_stay_links() {
    let project = project(&[("Dockerfile", "FROM a"), ("run.sh", "x"), ("secret", "y")]);
    let mode = |name: &str, mode| fs::set_permissions(project.path().join(name), Permissions::from_mode(mode)).unwrap();
    mode("run.sh", 0o700);
    mode("secret", 0o600);
    symlink("nowhere", project.path().join("link")).unwrap();
    let context = gather(&project, "Dockerfile", ".");
    let modes: Vec<_> = unpacked(&context).into_iter().map(|(name, mode, _)| (name, mode)).collect();
    let expected = [("Dockerfile", 0o644), ("link", 0o755), ("run.sh", 0o755), ("secret", 0o644)];
    assert_eq!(modes, expected.map(|(name, mode)| (name.to_owned(), mode)));
    assert_eq!(context.entries[Path::new("link")], Entry::Link { to: "nowhere".into() });
    assert_eq!((context.files(), context.bytes()), (4, 8));
}

#[test]
fn equal_files_give_the_same_digest_and_any_other_content_another() {
    let files = [("Dockerfile", "FROM a"), ("a/b", "1")];
    let (one, other) = (project(&files), project(&files));
    let digest = |project: &TempDir| gather(project, "Dockerfile", ".").digest().unwrap();
    assert_eq!(digest(&one), digest(&other));
    fs::write(other.path().join("a/b"), "2").unwrap();
    assert_ne!(digest(&one), digest(&other));
}

#[test]
fn a_file_that_does_not_stay_as_it_was_is_told_by_its_name() {
    let project = project(&[("Dockerfile", "FROM a"), ("data.csv", "1,2,3")]);
    let path = project.path().join("data.csv");
    let told = |context: &Context| match context.digest() {
        Err(error @ ContextError::Changed(_)) => error.to_string(),
        other => panic!("{other:?}"),
    };
    for text in ["1,2", "1,2,3,4", "3,2,1"] {
        let context = gather(&project, "Dockerfile", ".");
        fs::write(&path, text).unwrap();
        // Also where the clock of the file system is too coarse to tell two writes apart.
        fs::File::open(&path).unwrap().set_modified(std::time::SystemTime::now() + Duration::from_secs(9)).unwrap();
        let told = told(&context);
        assert!(told.contains("data.csv"), "{told}");
    }
    let context = gather(&project, "Dockerfile", ".");
    fs::remove_file(&path).unwrap();
    assert!(told(&context).contains("is not there any more"));
}

#[test]
fn what_cannot_be_a_context_is_told() {
    let project = project(&[("Dockerfile", "FROM a"), (".dockerignore", "a\n[")]);
    let gather = |dockerfile, context| {
        let model = Path::new("/nowhere");
        Context::gather(project.path(), &settings(dockerfile, context), model, project.path()).unwrap_err()
    };
    assert!(matches!(gather("Dockerfile", "gone"), ContextError::NoFolder(_)));
    assert!(matches!(gather("gone", "."), ContextError::NoDockerfile(_)));
    let told = gather("Dockerfile", ".").to_string();
    assert!(told.contains(".dockerignore: line 2"), "{told}");
}

#[test]
fn the_file_of_a_secret_is_not_sent_and_no_input_of_the_image() {
    let project = project(&[("Dockerfile", "FROM a"), ("app/token", "no secret"), ("keys/token", "s3cret")]);
    symlink("../keys/token", project.path().join("app/link")).unwrap();
    let source = SecretSource::File("keys/token".into());
    let settings =
        DockerfileSettings { secrets: BTreeMap::from([("token".to_owned(), source)]), ..settings("Dockerfile", ".") };
    let gather = || Context::gather(project.path(), &settings, Path::new("/nowhere"), project.path()).unwrap();
    let context = gather();
    assert_eq!(names(&context), ["Dockerfile", "app", "app/token", "keys"]);
    assert_eq!(context.secrets().len(), 2);
    let digest = context.digest().unwrap();
    fs::write(project.path().join("keys/token"), "other").unwrap();
    assert_eq!(gather().digest().unwrap(), digest);
}

#[test]
fn a_large_context_names_what_is_large() {
    let project = project(&[("Dockerfile", "FROM a"), ("a/b", ""), ("c", "")]);
    assert_eq!(gather(&project, "Dockerfile", ".").too_large(), None);
    // A hole takes no room on the disk.
    fs::File::create(project.path().join("a/b")).unwrap().set_len(LARGE + 1).unwrap();
    let large = gather(&project, "Dockerfile", ".").too_large().unwrap();
    assert_eq!(large.first(), Some(&("a".to_owned(), LARGE + 1)));
}
