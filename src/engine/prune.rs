//! What is removed from disk: runs that the state has forgotten, models and images that nothing refers to.
//!
//! **Invariant:** only what lies in our own folders under a name that we gave is touched, and never what is live, what a
//! rollback needs, or what a pass that may still be skipped to has made.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::time::SystemTime;

use super::feedback;
use crate::disk::Layout;
use crate::pipeline::{Digest, ReleaseStatus, State};

/// Bytes of labelled rows of all releases together.
const FEEDBACK: u64 = 1 << 30;
/// Releases to which a rollback stays possible, beside the live one.
const ROLLBACKS: usize = 5;

/// What must stay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    runs: BTreeSet<String>,
    models: BTreeSet<String>,
    images: BTreeSet<String>,
    unpacked: BTreeSet<String>,
    releases: BTreeSet<String>,
    /// The release that serves, which may be writing.
    live: Option<u64>,
    /// What is newer than the look at the state is nobody's surplus: a later run may be writing it.
    last_run: u64,
    last_model: u64,
    /// Whether no run is under way.
    is_idle: bool,
    at: SystemTime,
}

impl Kept {
    /// What the state refers to, and the newest `models` versions.
    pub fn of(state: &State, models: usize) -> Self {
        let mut kept = Self {
            runs: state.runs.keys().map(ToString::to_string).collect(),
            models: BTreeSet::new(),
            images: BTreeSet::new(),
            unpacked: BTreeSet::new(),
            releases: state.releases.keys().map(ToString::to_string).collect(),
            live: state.live.map(|live| live.0),
            last_run: state.last_run.0,
            last_model: state.last_model.0,
            is_idle: state.runs.values().all(|run| run.is_finished()),
            at: SystemTime::now(),
        };
        let is_current = |status: ReleaseStatus| status.is_current();
        let earlier = state.releases.values().rev().filter(|release| release.live_since.is_some()).take(ROLLBACKS + 1);
        for release in state.releases.values().filter(|release| is_current(release.status)).chain(earlier) {
            kept.models.extend(release.model.map(|model| model.to_string()));
            kept.images.extend(
                release.archive.iter().filter_map(|archive| archive.strip_prefix("images/")).map(str::to_owned),
            );
            kept.unpacked.extend(release.image.iter().map(|image| image.0.clone()));
        }
        for pass in state.passes.values().flat_map(|passes| passes.iter()) {
            kept.models.extend(pass.outputs.model.map(|model| model.to_string()));
            kept.images
                .extend(pass.outputs.image.iter().filter_map(|image| image.strip_prefix("images/")).map(str::to_owned));
        }
        let newest = state.registry.models.keys().rev().take(models);
        kept.models.extend(state.registry.champions.values().chain(newest).map(ToString::to_string));
        for run in state.runs.values().filter(|run| !run.is_finished()) {
            for stage in run.stages.values() {
                let outputs = stage.outputs.iter();
                kept.models.extend(stage.writes_model.map(|model| model.to_string()));
                kept.models.extend(outputs.clone().filter_map(|outputs| outputs.model).map(|model| model.to_string()));
                kept.images.extend(
                    outputs.filter_map(|outputs| outputs.image.as_deref()?.strip_prefix("images/")).map(str::to_owned),
                );
            }
        }
        kept
    }

    /// The ids of images in Docker Engine that must stay.
    pub fn engine_images(&self) -> BTreeSet<Digest> {
        self.images.iter().filter_map(|name| name.strip_suffix(".json")).map(|id| Digest(id.to_owned())).collect()
    }
}

/// Removes what is not kept. What cannot be removed now is found again after the next run.
pub fn prune(layout: &Layout, kept: &Kept) {
    let is_number = |name: &str| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit());
    let is_digest = |name: &str| name.len() == 64 && name.bytes().all(|byte| byte.is_ascii_hexdigit());
    let state = layout.state();
    let up_to = |name: &str, last: u64| is_number(name) && name.parse::<u64>().is_ok_and(|number| number <= last);
    let is_old =
        |path: &Path| fs::metadata(path).and_then(|found| found.modified()).is_ok_and(|modified| modified < kept.at);
    remove(&state.join("runs"), |name, _| up_to(name, kept.last_run) && !kept.runs.contains(name));
    remove(&state.join("models"), |name, _| up_to(name, kept.last_model) && !kept.models.contains(name));
    // Copies of labelled rows that a model learned from are needed no longer than while it learns: the rows themselves lie
    // with their releases.
    if kept.is_idle {
        remove(&layout.feedback(), |name, path| name.strip_suffix(".csv").is_some_and(is_digest) && is_old(path));
        feedback::prune(layout, kept.live, FEEDBACK);
        // Left by a release that was killed while it made room, and that is not started again to take it away itself.
        let is_live = |release: &str| kept.live.is_some_and(|live| live.to_string() == release);
        remove(&layout.feedback(), |name, path| {
            let release = name.strip_suffix(".csv.partial").filter(|release| is_number(release));
            release.is_some_and(|release| !is_live(release)) && is_old(path)
        });
    }
    remove(&layout.images(), |name, path| {
        // A folder, an archive of before there were folders, or what stands for an image in Docker Engine.
        let digest = name.strip_suffix(".tar").or_else(|| name.strip_suffix(".json")).unwrap_or(name);
        is_digest(digest) && !kept.images.contains(name) && is_old(path)
    });
    remove(&layout.releases(), |name, path| is_digest(name) && !kept.unpacked.contains(name) && is_old(path));
    remove(&layout.releases(), |name, path| {
        let release = name.strip_suffix(".log").or_else(|| name.strip_suffix(".manifests.json"));
        let release = release.filter(|release| is_number(release));
        release.is_some_and(|release| !kept.releases.contains(release)) && is_old(path)
    });
    // A checkout can be made again from the repository.
    for run in fs::read_dir(state.join("runs")).into_iter().flatten().flatten() {
        let source = run.path().join("source");
        if source.exists() && !is_latest(&run.file_name().to_string_lossy(), kept) {
            let _ = fs::remove_dir_all(source);
        }
    }
}

fn is_latest(name: &str, kept: &Kept) -> bool {
    let number = |name: &str| name.parse::<u64>().unwrap_or(0);
    let latest = kept.runs.iter().map(|run| number(run)).max().unwrap_or(0);
    number(name) + 2 > latest
}

fn remove(folder: &Path, is_surplus: impl Fn(&str, &Path) -> bool) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if is_surplus(&entry.file_name().to_string_lossy(), &path) {
            let _ = if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::pipeline::{ModelVersion, samples};

    #[test]
    fn the_newest_models_and_the_champion_stay() {
        let mut state = State::default();
        for version in 1..=9 {
            let model = samples::model(version);
            state.registry.models.insert(model.version, Arc::new(model));
        }
        state.registry.champions.insert("train".into(), ModelVersion(2));
        let kept: Vec<String> = Kept::of(&state, 3).models.into_iter().collect();
        assert_eq!(kept, ["2", "7", "8", "9"]);
    }

    #[test]
    fn what_a_killed_release_left_of_its_labelled_rows_goes_and_what_the_live_one_writes_stays() {
        let folder = tempfile::tempdir().unwrap();
        let layout = Layout::new(folder.path()).unwrap();
        layout.create().unwrap();
        fs::create_dir_all(layout.feedback()).unwrap();
        let names = ["1.csv.partial", "2.csv.partial", "mine.csv.partial", "1.csv"];
        for name in names {
            fs::write(layout.feedback().join(name), "x").unwrap();
        }
        let mut kept = Kept { live: Some(2), ..Kept::of(&State::default(), 20) };
        kept.at += std::time::Duration::from_mins(1);
        prune(&layout, &kept);
        assert_eq!(names.map(|name| layout.feedback().join(name).exists()), [false, true, true, true]);
    }

    #[test]
    fn only_what_we_named_and_nobody_needs_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        let layout = Layout::new(folder.path()).unwrap();
        layout.create().unwrap();
        let digest = "a".repeat(64);
        for file in [format!("{digest}.tar"), "mine.tar".to_owned()] {
            fs::write(layout.images().join(file), "x").unwrap();
        }
        let needed = "b".repeat(64);
        for folder in [digest.as_str(), needed.as_str(), "mine"] {
            fs::create_dir_all(layout.images().join(folder).join("blobs")).unwrap();
        }
        for model in ["1", "2", "notes"] {
            fs::create_dir_all(layout.state().join("models").join(model)).unwrap();
        }
        let mut kept = Kept {
            models: BTreeSet::from(["2".to_owned()]),
            images: BTreeSet::from([needed.clone()]),
            last_model: 3,
            ..Kept::of(&State::default(), 20)
        };
        kept.at += std::time::Duration::from_mins(1);
        fs::create_dir_all(layout.state().join("models").join("4")).unwrap();
        prune(&layout, &kept);
        assert!(
            layout.model(crate::pipeline::ModelVersion(4)).exists(),
            "what came after the look is not ours to judge"
        );
        let images = [format!("{digest}.tar"), digest, needed, "mine.tar".to_owned(), "mine".to_owned()];
        assert_eq!(images.map(|name| layout.images().join(name).exists()), [false, false, true, true, true]);
        let models = layout.state().join("models");
        assert_eq!(
            [models.join("1").exists(), models.join("2").exists(), models.join("notes").exists()],
            [false, true, true]
        );
    }
}
