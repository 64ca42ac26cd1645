//! The image as a whole: the same bytes each time, whole, and what comes out is what went in.

use super::*;
use crate::target::archive::{BLOBS, Index};
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

/// What is in an image, by the name of each file.
fn files(image: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    for folder in ["", BLOBS] {
        for entry in fs::read_dir(image.join(folder)).unwrap().flatten().filter(|entry| entry.path().is_file()) {
            let name = format!("{folder}{}", entry.file_name().display());
            files.insert(name, fs::read(entry.path()).unwrap());
        }
    }
    files
}

/// The blob with this in it.
fn blob_with(image: &Path, part: &[u8]) -> PathBuf {
    let files = files(image);
    let has_it = |content: &[u8]| content.windows(part.len()).any(|window| window == part);
    image.join(files.iter().find(|(name, content)| name.starts_with(BLOBS) && has_it(content)).unwrap().0)
}

#[test]
fn equal_inputs_give_equal_bytes_and_other_inputs_another_digest() {
    let project = project();
    let first = build_in(&project, "one").unwrap();
    let second = build_in(&project, "two").unwrap();
    assert_eq!(files(&first.path), files(&second.path));
    assert_eq!(first.path.file_name().unwrap().to_str().unwrap(), first.image.digest.0);
    fs::write(project.inputs.model.join("model.bin"), "other").unwrap();
    assert_ne!(build_in(&project, "one").unwrap().image.digest, first.image.digest);
    // Two images, and nothing else is left.
    assert_eq!(fs::read_dir(project.folder.path().join("one")).unwrap().count(), 2);
}

#[test]
fn what_only_tells_of_a_model_or_of_its_data_is_in_no_image() {
    let project = project();
    let first = build_in(&project, "one").unwrap();
    for name in ["lineage.json", "gate.json", "leaderboard.json", "profile.json"] {
        fs::write(project.inputs.model.join(name), "{}").unwrap();
    }
    assert_eq!(build_in(&project, "one").unwrap().image.digest, first.image.digest);
    fs::write(project.inputs.model.join("deep/gate.json"), "{}").unwrap();
    assert_ne!(build_in(&project, "one").unwrap().image.digest, first.image.digest, "only beside the model");
}

#[test]
fn an_image_that_is_whole_is_kept_and_a_broken_one_replaced() {
    let project = project();
    let first = build_in(&project, "images").unwrap();
    assert!(first.fresh);
    assert!(!build_in(&project, "images").unwrap().fresh);
    let whole = files(&first.path);
    // What only other programs read is not looked at.
    for name in whole.keys().filter(|name| !["manifest.json", "oci-layout"].contains(&name.as_str())) {
        fs::write(first.path.join(name), "half").unwrap();
        assert!(build_in(&project, "images").unwrap().fresh, "{name}");
        assert_eq!(files(&first.path), whole, "{name}");
    }
    assert_eq!(fs::read_dir(project.folder.path().join("images")).unwrap().count(), 1, "nothing else is left");
}

#[test]
fn images_have_equal_layers_in_common_and_each_stays_whole_without_the_others() {
    use std::os::unix::fs::MetadataExt;

    let project = project();
    fs::write(&project.inputs.server, vec![1; 100_000]).unwrap();
    let first = build_in(&project, "images").unwrap();
    fs::write(project.inputs.source.join("app.py"), "print(2)").unwrap();
    let second = build_in(&project, "images").unwrap();
    let shared: Vec<_> = second.layers.iter().map(|layer| (layer.name, layer.is_shared)).collect();
    assert_eq!(shared, [("server", true), ("model", true), ("app", false)]);
    let node = |image: &Path| fs::metadata(blob_with(image, &[1; 1_000])).unwrap().ino();
    assert_eq!(node(&first.path), node(&second.path));
    fs::remove_dir_all(&first.path).unwrap();
    ImageArchive::open(&second.path, &second.image.digest).unwrap();
}

#[test]
fn an_archive_of_an_image_is_read_like_the_image() {
    let project = project();
    let built = build_in(&project, "images").unwrap();
    let path = project.folder.path().join(format!("{}.tar", built.image.digest));
    built.image.write(&path).unwrap();
    let releases = project.folder.path().join("releases");
    fs::create_dir(&releases).unwrap();
    let unpacked = unpack(&releases, &path, &built.image.digest).unwrap();
    assert_eq!(fs::read(unpacked.root.join("model/model.bin")).unwrap(), vec![7; 100_000]);
}

#[test]
fn what_is_unpacked_is_what_was_packed() {
    let project = project();
    let built = build_in(&project, "images").unwrap();
    let releases = project.folder.path().join("releases");
    fs::create_dir(&releases).unwrap();
    let unpacked = unpack(&releases, &built.path, &built.image.digest).unwrap();
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
    assert_eq!(unpack(&releases, &built.path, &built.image.digest).unwrap(), unpacked);
}

#[test]
fn a_changed_byte_is_noticed() {
    let project = project();
    let built = build_in(&project, "images").unwrap();
    let blob = blob_with(&built.path, b"a program");
    let mut bytes = fs::read(&blob).unwrap();
    let place = bytes.windows(9).position(|window| window == b"a program").unwrap();
    bytes[place] ^= 1;
    fs::write(&blob, bytes).unwrap();
    let error = ImageArchive::open(&built.path, &built.image.digest).unwrap_err();
    assert!(error.to_string().contains("does not verify"), "{error}");
}

#[test]
fn old_engines_and_new_find_the_same_blobs_under_the_same_name() {
    let project = project();
    let built = build_in(&project, "images").unwrap();
    let files = files(&built.path);
    assert_eq!(files["oci-layout"], br#"{"imageLayoutVersion":"1.0.0"}"#);
    let index: Index = serde_json::from_slice(&files["index.json"]).unwrap();
    let saved: serde_json::Value = serde_json::from_slice(&files["manifest.json"]).unwrap();
    let name = &index.manifests[0].annotations["org.opencontainers.image.ref.name"];
    assert_eq!(*name, format!("wine-quality:{}", built.image.digest.short()));
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
    let first = unpack(&releases, &first.path, &first.image.digest).unwrap();
    fs::write(project.inputs.source.join("app.py"), "print(2)").unwrap();
    let second = build_in(&project, "images").unwrap();
    let second = unpack(&releases, &second.path, &second.image.digest).unwrap();
    let node = |root: &Path, file: &str| fs::metadata(root.join(file)).unwrap().ino();
    let server = SERVER.trim_start_matches('/');
    assert_eq!(node(&first.root, server), node(&second.root, server));
    assert_ne!(node(&first.root, "model/model.bin"), node(&second.root, "model/model.bin"));
}
