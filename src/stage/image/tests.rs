//! The image as a whole: the same bytes each time, whole, and what comes out is what went in.

use super::*;
use crate::target::archive::Index;
use crate::target::process::unpack;

struct Project {
    folder: tempfile::TempDir,
    inputs: Inputs,
}

fn project() -> Project {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::write(at("server"), "a program").unwrap();
    fs::create_dir_all(at("model/deep")).unwrap();
    fs::write(at("model/model.bin"), vec![7; 100_000]).unwrap();
    fs::write(at("model/deep/card.json"), "{}").unwrap();
    fs::create_dir_all(at("source/site")).unwrap();
    fs::write(at("source/app.py"), "print()").unwrap();
    fs::write(at("source/site/index.html"), "<p>").unwrap();
    let inputs = Inputs {
        project: "Wine Quality".to_owned(),
        server: at("server"),
        libraries: Vec::new(),
        model: at("model"),
        source: at("source"),
        owner: "folder".to_owned(),
        settings: ImageSettings {
            include: vec!["*.py".to_owned()],
            site: Some("site".into()),
            ..ImageSettings::default()
        },
        model_version: Some("12".to_owned()),
        commit: None,
    };
    Project { folder, inputs }
}

fn build_in(project: &Project, folder: &str) -> Result<Built, ImageError> {
    build(&project.inputs, &project.folder.path().join(folder), &mut |_, _| Ok(()))
}

#[test]
fn equal_inputs_give_equal_bytes_and_other_inputs_another_digest() {
    let project = project();
    let first = build_in(&project, "one").unwrap();
    let second = build_in(&project, "two").unwrap();
    assert_eq!(fs::read(&first.path).unwrap(), fs::read(&second.path).unwrap());
    assert_eq!(first.path.file_stem().unwrap().to_str().unwrap(), first.digest.0);
    fs::write(project.inputs.model.join("model.bin"), "other").unwrap();
    assert_ne!(build_in(&project, "one").unwrap().digest, first.digest);
    // Two archives, and nothing else is left.
    assert_eq!(fs::read_dir(project.folder.path().join("one")).unwrap().count(), 2);
}

#[test]
fn what_only_tells_of_a_model_or_of_its_data_is_in_no_image() {
    let project = project();
    let first = build_in(&project, "one").unwrap();
    for name in ["lineage.json", "gate.json", "leaderboard.json", "profile.json"] {
        fs::write(project.inputs.model.join(name), "{}").unwrap();
    }
    assert_eq!(build_in(&project, "one").unwrap().digest, first.digest);
    fs::write(project.inputs.model.join("deep/gate.json"), "{}").unwrap();
    assert_ne!(build_in(&project, "one").unwrap().digest, first.digest, "only beside the model");
}

#[test]
fn an_archive_that_is_whole_is_kept_and_a_broken_one_replaced() {
    let project = project();
    let first = build_in(&project, "images").unwrap();
    assert!(first.fresh);
    assert!(!build_in(&project, "images").unwrap().fresh);
    let whole = fs::read(&first.path).unwrap();
    fs::write(&first.path, &whole[..whole.len() / 2]).unwrap();
    assert!(build_in(&project, "images").unwrap().fresh);
    assert_eq!(fs::read(&first.path).unwrap(), whole);
}

#[test]
fn what_is_unpacked_is_what_was_packed() {
    let project = project();
    let built = build_in(&project, "images").unwrap();
    let releases = project.folder.path().join("releases");
    fs::create_dir(&releases).unwrap();
    let unpacked = unpack(&releases, &built.path, &built.digest).unwrap();
    let read = |name: &str| fs::read(unpacked.root.join(name)).unwrap();
    assert_eq!(read("usr/local/bin/trainyard"), b"a program");
    assert_eq!(read("model/model.bin"), vec![7; 100_000]);
    assert_eq!(read("model/deep/card.json"), b"{}");
    assert_eq!(read("app/app.py"), b"print()");
    assert_eq!(read("app/site/index.html"), b"<p>");
    let config = &unpacked.config.config;
    assert_eq!(config.entrypoint, [SERVER, "serve", "--model", "/model", "--site", "/app/site"]);
    assert!(config.env.contains(&"TRAINYARD_LISTEN=0.0.0.0:8080".to_owned()));
    assert_eq!(config.labels["org.opencontainers.image.version"], "12");
    assert_eq!(unpacked.config.rootfs.diff_ids.len(), 3);
    // Once more: it is there already.
    assert_eq!(unpack(&releases, &built.path, &built.digest).unwrap(), unpacked);
}

#[test]
fn a_changed_byte_is_noticed() {
    let project = project();
    let built = build_in(&project, "images").unwrap();
    let mut bytes = fs::read(&built.path).unwrap();
    let place = bytes.windows(9).position(|window| window == b"a program").unwrap();
    bytes[place] ^= 1;
    fs::write(&built.path, bytes).unwrap();
    let error = ImageArchive::open(&built.path, &built.digest).unwrap_err();
    assert!(error.to_string().contains("does not verify"), "{error}");
}

#[test]
fn old_engines_and_new_find_the_same_blobs_under_the_same_name() {
    let project = project();
    let built = build_in(&project, "images").unwrap();
    let mut archive = tar::Archive::new(File::open(&built.path).unwrap());
    let mut files = BTreeMap::new();
    for entry in archive.entries().unwrap() {
        let mut entry = entry.unwrap();
        let name = entry.path().unwrap().display().to_string();
        let mut content = Vec::new();
        io::Read::read_to_end(&mut entry, &mut content).unwrap();
        files.insert(name, content);
    }
    assert_eq!(files["oci-layout"], br#"{"imageLayoutVersion":"1.0.0"}"#);
    let index: Index = serde_json::from_slice(&files["index.json"]).unwrap();
    let saved: serde_json::Value = serde_json::from_slice(&files["manifest.json"]).unwrap();
    let name = &index.manifests[0].annotations["org.opencontainers.image.ref.name"];
    assert_eq!(*name, format!("wine-quality:{}", built.digest.short()));
    assert_eq!(saved[0]["RepoTags"][0].as_str().unwrap(), name);
    assert!(files.contains_key(saved[0]["Config"].as_str().unwrap()));
    let layers = saved[0]["Layers"].as_array().unwrap();
    assert_eq!(layers.len(), 3);
    assert!(layers.iter().all(|layer| files.contains_key(layer.as_str().unwrap())));
}

#[test]
fn without_a_model_there_is_no_image() {
    let project = project();
    fs::remove_dir_all(&project.inputs.model).unwrap();
    fs::create_dir(&project.inputs.model).unwrap();
    assert!(matches!(build_in(&project, "images"), Err(ImageError::NoModel(_))));
    assert_eq!(fs::read_dir(project.folder.path().join("images")).unwrap().count(), 0);
}

#[test]
fn releases_have_the_server_in_common_and_the_model_each_for_itself() {
    use std::os::unix::fs::MetadataExt;

    let project = project();
    fs::write(&project.inputs.server, vec![1; 100_000]).unwrap();
    let releases = project.folder.path().join("releases");
    fs::create_dir_all(&releases).unwrap();
    let first = build_in(&project, "images").unwrap();
    let first = unpack(&releases, &first.path, &first.digest).unwrap();
    fs::write(project.inputs.source.join("app.py"), "print(2)").unwrap();
    let second = build_in(&project, "images").unwrap();
    let second = unpack(&releases, &second.path, &second.digest).unwrap();
    let node = |root: &Path, file: &str| fs::metadata(root.join(file)).unwrap().ino();
    let server = SERVER.trim_start_matches('/');
    assert_eq!(node(&first.root, server), node(&second.root, server));
    assert_ne!(node(&first.root, "model/model.bin"), node(&second.root, "model/model.bin"));
}
