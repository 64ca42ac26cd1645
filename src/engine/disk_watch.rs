//! A warning before the disk is full: what the file systems of the project have free is looked at every few seconds.
//!
//! A full disk is survived, but nothing new is decided on it. So it is told once when room becomes scarce and once when there
//! is enough again, and as a problem for as long as it lasts. The state folder counts, and the data folder where it lies on
//! another disk. Known gap: where Docker Engine keeps images is not looked at.

use std::collections::BTreeSet;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::task::spawn_blocking;
use tokio::time::{MissedTickBehavior, interval};

use super::core::CoreHandle;
use super::effects::{CurrentSettings, current};
use super::status::Status;
use crate::api::types::STORAGE;
use crate::disk::{DiskSpace, Layout};
use crate::pipeline::{Input, quantity};

/// How often it is looked.
const LOOK: Duration = Duration::from_secs(5);
/// What is free is told in steps of this part of the bound: a screen need not be drawn anew for less.
const STEP_PART: u64 = 10;
/// How the state folder is named to people.
const STATE: &str = ".trainyard";

/// What a disk of the project has free.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiskReading {
    /// The folder that lies on it: `.trainyard`, or the data folder as it is configured.
    pub folder: String,
    /// What it has.
    pub space: DiskSpace,
}

/// What the last look found, for whoever asks.
#[derive(Debug, Clone, Default)]
pub struct DiskReadings(Arc<Mutex<Vec<DiskReading>>>);

impl DiskReadings {
    /// Nothing before the first look.
    pub fn now(&self) -> Vec<DiskReading> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set(&self, readings: Vec<DiskReading>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = readings;
    }
}

/// Looks again and again, for as long as the daemon runs.
pub(super) async fn watch(
    layout: Layout,
    settings: CurrentSettings,
    core: CoreHandle,
    status: Status,
    found: DiskReadings,
) {
    let mut ticks = interval(LOOK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut scarce = BTreeSet::new();
    loop {
        ticks.tick().await;
        let (state, project) = (layout.state(), layout.project().to_owned());
        let data = current(&settings).data.path.clone();
        // A file system of another machine may take its time.
        let Ok(readings) = spawn_blocking(move || look(&state, &project, &data)).await else { return };
        for note in judge(&mut scarce, &readings) {
            core.input(Input::Note(note));
        }
        status.problem(STORAGE, problem(&scarce, &readings));
        found.set(readings);
    }
}

/// What the disks of the project have, each once.
fn look(state: &Path, project: &Path, data: &Path) -> Vec<DiskReading> {
    let own = DiskSpace::of(state).ok().map(|space| DiskReading { folder: STATE.to_owned(), space });
    own.into_iter().chain(disk_of_data(state, project, data)).collect()
}

/// What the disk of the data folder has, if that is another than the disk of `state`.
pub fn disk_of_data(state: &Path, project: &Path, data: &Path) -> Option<DiskReading> {
    let at = project.join(data);
    let device = |path: &Path| path.metadata().map(|metadata| metadata.dev()).ok();
    if device(&at) == device(state) {
        return None;
    }
    Some(DiskReading { folder: data.display().to_string(), space: DiskSpace::of(&at).ok()? })
}

/// Keeps which folders lie on a scarce disk; a sentence for each of which that is new.
fn judge(scarce: &mut BTreeSet<String>, readings: &[DiskReading]) -> Vec<String> {
    let mut notes = Vec::new();
    for reading in readings {
        let was_scarce = scarce.contains(&reading.folder);
        let is_scarce = reading.space.is_still_scarce(was_scarce);
        if is_scarce == was_scarce {
            continue;
        }
        if is_scarce {
            scarce.insert(reading.folder.clone());
            notes.push(format!("room becomes scarce: {}", sentence(reading)));
        } else {
            scarce.remove(&reading.folder);
            let free = quantity::bytes(reading.space.free);
            notes.push(format!("there is room again: {free} are free on the disk of {}", reading.folder));
        }
    }
    scarce.retain(|folder| readings.iter().any(|reading| reading.folder == *folder));
    notes
}

/// What people are to know and do while room is scarce.
fn problem(scarce: &BTreeSet<String>, readings: &[DiskReading]) -> Option<String> {
    let told: Vec<_> = readings.iter().filter(|reading| scarce.contains(&reading.folder)).map(sentence).collect();
    (!told.is_empty()).then(|| told.join("; "))
}

fn sentence(reading: &DiskReading) -> String {
    let DiskReading { folder, space } = reading;
    let step = (space.bound() / STEP_PART).max(1);
    let free = quantity::bytes(space.free / step * step);
    let told = format!("about {free} are free on the disk of {folder}; make room, for on a full disk nothing starts");
    if folder == STATE {
        // Old ones go by themselves, so what is large is what is kept.
        return format!(
            "{told}: `du -sh .trainyard/*` says what is large, a smaller `keep` under [models] keeps fewer"
        );
    }
    told
}

#[cfg(test)]
mod tests {
    use super::*;

    const GIBIBYTE: u64 = 1 << 30;

    fn reading(folder: &str, free: u64) -> DiskReading {
        DiskReading { folder: folder.to_owned(), space: DiskSpace { free, total: 500 * GIBIBYTE } }
    }

    #[test]
    fn it_is_told_once_that_room_is_scarce_and_once_that_there_is_enough() {
        let mut scarce = BTreeSet::new();
        let mut told = |tenths: u64| judge(&mut scarce, &[reading(STATE, GIBIBYTE / 10 * tenths)]);
        assert!(told(20).is_empty());
        let [note]: [String; 1] = told(9).try_into().unwrap();
        assert!(note.starts_with("room becomes scarce: about 966 MB are free on the disk of .trainyard; "), "{note}");
        for tenths in [8, 10, 12] {
            assert!(told(tenths).is_empty(), "{tenths}");
        }
        assert_eq!(told(13), ["there is room again: 1.4 GB are free on the disk of .trainyard"]);
        assert!(told(12).is_empty());
    }

    #[test]
    fn as_long_as_room_is_scarce_it_is_a_problem_that_says_what_to_do() {
        let readings = [reading(STATE, GIBIBYTE / 2), reading("data", GIBIBYTE / 4)];
        let mut scarce = BTreeSet::new();
        assert_eq!(problem(&scarce, &readings), None);
        judge(&mut scarce, &readings);
        let told = problem(&scarce, &readings).unwrap();
        assert!(told.contains("the disk of .trainyard; make room"), "{told}");
        assert!(told.contains("`du -sh .trainyard/*`") && told.contains("the disk of data; make room"), "{told}");
        // Another data folder is configured.
        judge(&mut scarce, &readings[..1]);
        assert_eq!(scarce, BTreeSet::from([STATE.to_owned()]));
    }

    #[test]
    fn what_is_free_is_told_in_steps() {
        let told = |free: u64| sentence(&reading(STATE, free));
        assert_eq!(told(GIBIBYTE / 2), told(GIBIBYTE / 2 + 1_000_000));
        assert_ne!(told(GIBIBYTE / 2), told(GIBIBYTE / 4));
    }

    #[test]
    fn folders_on_one_disk_are_one_reading() {
        let folder = tempfile::tempdir().unwrap();
        for name in [STATE, "data"] {
            std::fs::create_dir(folder.path().join(name)).unwrap();
        }
        let readings = look(&folder.path().join(STATE), folder.path(), Path::new("data"));
        assert_eq!(readings.iter().map(|reading| reading.folder.as_str()).collect::<Vec<_>>(), [STATE]);
        // A data folder that is not there yet has no disk.
        assert_eq!(look(&folder.path().join(STATE), folder.path(), Path::new("later")).len(), 1);
    }
}
