//! Tests of what is carried to a pod and back.

use std::fs;
use std::os::unix::fs::symlink;
use std::time::{Duration, SystemTime};

use serde_json::Value;
use tar::{Archive, Builder, EntryType, Header};

use super::super::RemoteJob;
use super::super::site::tests::{job, site};
use super::parcel::Item;
use super::*;

const THERE: &str = "/trainyard";

/// A project with a source, data and a model.
fn project() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let here = site(folder.path());
    let long = format!("deep/{}/{}.py", "a".repeat(90), "b".repeat(90));
    let files =
        [("train.py", "print()"), ("data/2024/a.csv", "x\n1\n"), ("data/b.csv", "x\n2\n"), (long.as_str(), "long")];
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    fs::create_dir_all(here.model.join("empty")).unwrap();
    fs::write(here.model.join("model.bin"), vec![7; 700]).unwrap();
    fs::create_dir_all(here.attempt()).unwrap();
    folder
}

fn parcel(folder: &tempfile::TempDir, produces_model: bool) -> Parcel {
    let here = site(folder.path());
    let job = RemoteJob { produces_model, ..job(&[]) };
    Parcel::of(&job, &here, &here.moved_to(Path::new(THERE))).unwrap()
}

fn written(parcel: &Parcel) -> Vec<u8> {
    let mut stream = Vec::new();
    parcel.write(&mut stream).unwrap();
    stream
}

/// A stream as it comes back, with these entries and the seal.
fn stream(entries: &[(&str, EntryType, &str)]) -> Vec<u8> {
    let mut tar = Builder::new(Vec::new());
    for (path, kind, text) in entries {
        let mut header = Header::new_gnu();
        header.set_entry_type(*kind);
        header.set_mode(0o755);
        if matches!(kind, EntryType::Symlink | EntryType::Link) {
            header.set_size(0);
            tar.append_link(&mut header, path, text).unwrap();
            continue;
        }
        header.set_size(u64::try_from(text.len()).unwrap());
        // Past the checks of the builder: who sends this may be anybody.
        let bytes = path.as_bytes();
        header.as_mut_bytes()[..bytes.len()].copy_from_slice(bytes);
        header.set_cksum();
        tar.append(&header, text.as_bytes()).unwrap();
    }
    let mut header = Header::new_gnu();
    header.set_size(0);
    tar.append_data(&mut header, SEAL, io::empty()).unwrap();
    tar.into_inner().unwrap()
}

fn unpacked(entries: &[(&str, EntryType, &str)]) -> (tempfile::TempDir, Result<(), TransferError>) {
    let folder = tempfile::tempdir().unwrap();
    let result = unpack(stream(entries).as_slice(), &folder.path().join("staging"), &["model", "reports"]);
    (folder, result)
}

#[test]
fn a_parcel_has_the_size_that_it_says_and_comes_out_as_it_went_in() {
    let folder = project();
    let parcel = parcel(&folder, false);
    let stream = written(&parcel);
    assert_eq!(parcel.stream_size().unwrap(), u64::try_from(stream.len()).unwrap());
    let there = tempfile::tempdir().unwrap();
    Archive::new(stream.as_slice()).unpack(there.path()).unwrap();
    let read = |name: &str| fs::read_to_string(there.path().join(name)).unwrap();
    assert_eq!(read("source/train.py"), "print()");
    assert_eq!(read("data/2024/a.csv"), "x\n1\n");
    assert_eq!(read("data.txt"), "/trainyard/data/2024/a.csv\n/trainyard/data/b.csv\n");
    assert_eq!(fs::read(there.path().join("model/model.bin")).unwrap(), vec![7; 700]);
    assert!(there.path().join("model/empty").is_dir() && there.path().join("reports").is_dir());
    assert!(!there.path().join("source/data/b.csv").exists(), "data goes along as data");
    assert!(!there.path().join("source/.trainyard").exists());
}

#[test]
fn a_model_that_is_yet_to_be_written_does_not_go_along() {
    let folder = project();
    let parcel = parcel(&folder, true);
    assert!(!parcel.items.contains_key(Path::new("model/model.bin")));
    assert_eq!(parcel.items.get(Path::new("model")), Some(&Item::Folder));
    assert_eq!(parcel.measure().0, 4, "two sources and two data files");
}

#[test]
fn a_file_that_is_written_to_before_it_is_sent_is_told() {
    let folder = project();
    let path = folder.path().join("train.py");
    for text in ["PRINT()", ""] {
        let parcel = parcel(&folder, true);
        fs::write(&path, text).unwrap();
        // Also where the clock of the file system is too coarse to tell two writes apart.
        fs::File::open(&path).unwrap().set_modified(SystemTime::now() + Duration::from_secs(9)).unwrap();
        let error = parcel.write(&mut Vec::new()).unwrap_err().to_string();
        assert!(error.contains("train.py was written to"), "{error}");
    }
}

#[test]
fn what_comes_back_takes_its_place_when_it_is_whole() {
    let entries = [
        ("model/", EntryType::Directory, ""),
        ("model/model.bin", EntryType::Regular, "weights"),
        ("model/latest", EntryType::Symlink, "model.bin"),
        ("reports/junit.xml", EntryType::Regular, "<testsuite/>"),
    ];
    let (folder, result) = unpacked(&entries);
    result.unwrap();
    let to = folder.path().join("models/2");
    fs::create_dir_all(&to).unwrap();
    place(&folder.path().join("staging/model"), &to).unwrap();
    assert_eq!(fs::read_to_string(to.join("latest")).unwrap(), "weights");
    place(&folder.path().join("staging/nothing"), &to).unwrap();
    assert!(to.join("model.bin").exists());
}

#[test]
fn nothing_that_comes_back_leaves_its_folder() {
    for path in ["../evil", "/etc/evil", "model/../../evil", "source/evil", "evil"] {
        let (folder, result) = unpacked(&[(path, EntryType::Regular, "x")]);
        assert!(matches!(result, Err(TransferError::Refused { .. })), "{path}: {result:?}");
        assert!(!folder.path().join("evil").exists());
    }
}

#[test]
fn no_link_leads_out_however_it_is_put() {
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("secret"), "s").unwrap();
    let absolute = outside.path().join("secret").display().to_string();
    for to in [absolute.as_str(), "../../..", "missing", "../reports"] {
        let (_folder, result) = unpacked(&[("model/link", EntryType::Symlink, to)]);
        assert!(matches!(result, Err(TransferError::Refused { .. })), "{to}: {result:?}");
    }
    // A folder that is a link is not written through.
    let to = outside.path().display().to_string();
    let through = [("model/out", EntryType::Symlink, to.as_str()), ("model/out/new", EntryType::Regular, "x")];
    let (_folder, result) = unpacked(&through);
    assert!(result.is_err());
    assert!(!outside.path().join("new").exists());
}

#[test]
fn a_stream_that_was_cut_off_is_not_taken_for_whole() {
    let whole = stream(&[("model/a", EntryType::Regular, "x")]);
    let unpacked = |length: usize| {
        let folder = tempfile::tempdir().unwrap();
        unpack(&whole[..length], &folder.path().join("staging"), &["model"])
    };
    assert!(matches!(unpacked(0), Err(TransferError::Broken(_))));
    assert!(unpacked(512).is_err(), "in the middle of a file");
    assert!(matches!(unpacked(1024), Err(TransferError::Broken(_))), "between two files");
    unpacked(whole.len()).unwrap();
}

#[test]
fn output_is_added_by_whole_lines_and_artifacts_are_where_they_are_here() {
    let folder = project();
    let here = site(folder.path());
    let there = here.moved_to(Path::new(THERE));
    let mut output = OutputFile::new(&here, &there);
    let read = || fs::read_to_string(&here.output).unwrap_or_default();
    output.add(b"{\"progress\": 0.5}\n{\"artifact\": {\"name\": \"plot\", \"pa").unwrap();
    assert_eq!(read(), "{\"progress\": 0.5}\n");
    output.add(b"th\": \"/trainyard/reports/plot.png\"}}\nlast").unwrap();
    output.finish().unwrap();
    let lines = read();
    let lines: Vec<&str> = lines.lines().collect();
    let artifact: Value = serde_json::from_str(lines[1]).unwrap();
    assert_eq!(artifact["artifact"]["path"], here.reports.join("plot.png").display().to_string());
    assert_eq!((lines.len(), lines[2]), (3, "last"));
    assert_eq!(output.received(), 92);
}

#[test]
fn a_link_in_a_model_is_followed_on_its_way_there() {
    let folder = project();
    let here = site(folder.path());
    symlink("model.bin", here.model.join("latest")).unwrap();
    let parcel = parcel(&folder, false);
    let latest = parcel.items.get(Path::new("model/latest"));
    assert!(matches!(latest, Some(Item::File { stamp, .. }) if stamp.bytes == 700));
}
