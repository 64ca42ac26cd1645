//! What people are told of releases beyond what was decided: how the live one is, what a rollback would change, what is ours
//! on the disks.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::spawn_blocking;
use tokio::time::{MissedTickBehavior, interval};

use super::effects::{CurrentSettings, current};
use super::redact::Redactor;
use super::release_host::ReleaseHost;
use super::status::Status;
use crate::api::types::{InstanceStatus, Place, RollbackPlan, TargetReport};
use crate::config::{Settings, TargetKind};
use crate::disk::Layout;
use crate::pipeline::{Digest, Refusal, Release, ReleaseId, State};
use crate::target::{self, labels};

/// How often the target is asked how it is.
const EVERY: Duration = Duration::from_secs(3);
/// How often the disks are looked at.
const DISK_EVERY: Duration = Duration::from_mins(1);
/// Memory of an instance is told in steps of this many bytes, and processors in hundredths: a screen need not be drawn anew
/// for less.
const MEMORY_STEP: u64 = 1 << 20;
/// What an app uses moves a little all the time, and every screen, over whatever line, is sent the whole report for it. Less than
/// so many processors, or than this part of the memory, is no change.
const CPUS_STEP: f64 = 0.03;
const MEMORY_PART: u64 = 20;

/// What was ours on the disks at a moment; a deploy changes it.
struct Owned {
    at: Instant,
    live: Option<ReleaseId>,
    bytes: BTreeMap<String, u64>,
}

/// Tells how the live release is, for as long as the daemon runs.
pub async fn watch(layout: Layout, host: ReleaseHost, status: Status, settings: CurrentSettings) {
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut disk: Option<Owned> = None;
    let mut known: Option<(Arc<Settings>, Redactor)> = None;
    let mut told: Option<TargetReport> = None;
    loop {
        ticks.tick().await;
        let Some(configured) = current(&settings).deploy().map(|deploy| target::place(&deploy.target)) else {
            status.target(None);
            continue;
        };
        let mut report = host.report().await.unwrap_or_default();
        // Whether hands are to be careful is for the configuration in force to say, not for that of the last deploy.
        match &mut report.place {
            Some(place) => place.production = configured.production,
            None => report.place = Some(configured),
        }
        let is_fresh = |known: &Owned| known.live == report.live && known.at.elapsed() < DISK_EVERY;
        if !disk.as_ref().is_some_and(is_fresh) {
            let bytes = owned(&layout, &report).await;
            disk = Some(Owned { at: Instant::now(), live: report.live, bytes });
        }
        report.disk = disk.as_ref().map(|known| known.bytes.clone()).unwrap_or_default();
        for usage in report.instances.iter_mut().filter_map(|instance| instance.usage.as_mut()) {
            usage.cpus = (usage.cpus * 100.0).round() / 100.0;
            usage.memory = usage.memory / MEMORY_STEP * MEMORY_STEP;
        }
        if let Some(told) = &told {
            settle(&mut report, told);
        }
        let settings = current(&settings);
        let is_known = |(by, _): &(Arc<Settings>, Redactor)| Arc::ptr_eq(by, &settings);
        let (_, redactor) = match known.take().filter(is_known) {
            Some(former) => known.insert(former),
            None => {
                let redactor = Redactor::of(&settings, layout.project());
                known.insert((settings, redactor))
            }
        };
        redact(&mut report, redactor);
        told = Some(report.clone());
        status.target(Some(report));
    }
}

/// Leaves what instances use as it was told, where it has hardly changed since.
fn settle(report: &mut TargetReport, told: &TargetReport) {
    for instance in &mut report.instances {
        let same = |former: &&InstanceStatus| former.name == instance.name && former.release == instance.release;
        let former = told.instances.iter().find(same).and_then(|former| former.usage);
        if let (Some(usage), Some(former)) = (&mut instance.usage, former) {
            if (usage.cpus - former.cpus).abs() < CPUS_STEP {
                usage.cpus = former.cpus;
            }
            if usage.memory.abs_diff(former.memory) <= former.memory / MEMORY_PART {
                usage.memory = former.memory;
            }
        }
    }
}

/// Takes secrets out of what engines, clusters and processes said.
fn redact(report: &mut TargetReport, redactor: &Redactor) {
    if redactor.is_empty() {
        return;
    }
    let unreachable = report.unreachable.iter_mut().map(|(_, reason)| reason);
    let states = report.instances.iter_mut().map(|instance| &mut instance.state);
    for text in report.last_exit.iter_mut().chain(&mut report.drift).chain(unreachable).chain(states) {
        redactor.redact_in(text);
    }
}

/// Bytes that are ours, by what they are.
async fn owned(layout: &Layout, report: &TargetReport) -> BTreeMap<String, u64> {
    let folders = layout.clone();
    let measured = spawn_blocking(move || {
        let of = |name: &str| (name.to_owned(), size(&folders.state().join(name)));
        ["images", "models", "releases", "runs"].map(of)
    });
    let mut owned: BTreeMap<String, u64> = measured.await.map(BTreeMap::from).unwrap_or_default();
    if report.place.as_ref().is_some_and(|place| place.kind != "process")
        && let Some(bytes) = target::docker::disk_owned(&labels::folder(layout.project())).await
    {
        owned.insert("Docker Engine".to_owned(), bytes);
    }
    owned
}

/// Bytes below a folder; symbolic links are not followed, and what has several names counts once.
fn size(folder: &Path) -> u64 {
    let mut total = 0;
    let mut met = BTreeSet::new();
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            match entry.metadata() {
                Ok(metadata) if metadata.is_dir() => open.push(entry.path()),
                Ok(metadata) if metadata.nlink() > 1 && !met.insert((metadata.dev(), metadata.ino())) => {}
                Ok(metadata) => total += metadata.len(),
                Err(_) => {}
            }
        }
    }
    total
}

/// What a rollback is about, taken from the state in one look.
#[derive(Debug, Clone)]
pub struct Way {
    from: Option<Release>,
    to: Release,
}

/// The way back to `to`, or without it to the last release before the live one; `Err` says why there is none.
pub fn way_back(state: &State, to: Option<ReleaseId>) -> Result<Way, Refusal> {
    let from = state.live_release().map(|release| release.as_ref().clone());
    let to = match to {
        Some(id) => state.releases.get(&id).ok_or(Refusal::UnknownRelease(id))?,
        None => state.rollback_target().ok_or(Refusal::NoEarlierRelease)?,
    };
    if Some(to.id) == state.live {
        return Err(Refusal::AlreadyLive(to.id));
    }
    if to.live_since.is_none() {
        return Err(Refusal::UnknownRelease(to.id));
    }
    Ok(Way { from, to: to.as_ref().clone() })
}

/// What would change, and whether the image is still where the releases of that place are started from.
pub async fn plan_rollback(layout: &Layout, way: Way, place: Option<&Place>) -> RollbackPlan {
    // The nodes of a cluster pull what was pushed.
    let is_pulled = place.is_some_and(|place| place.kind == TargetKind::Kubernetes.word());
    let Way { from, to } = way;
    let short = |release: &Release| release.image.as_ref().map_or("none".to_owned(), |image| image.short().to_owned());
    let model = |release: &Release| release.model.map_or("none".to_owned(), |model| model.to_string());
    let facts = |release: &Release| [short(release), model(release), release.commit.clone()];
    let before = from.as_ref().map(facts).unwrap_or_default();
    let changes = ["image", "model", "commit"]
        .into_iter()
        .zip(before)
        .zip(facts(&to))
        .filter(|((_, old), new)| old != new)
        .map(
            |((name, old), new)| {
                if old.is_empty() { format!("{name} {new}") } else { format!("{name} {old} → {new}") }
            },
        )
        .collect();
    let obstacle = match &to.archive {
        Some(archive) => image_gone(layout, archive, &to, is_pulled).await,
        None => Some(format!("release {} has no image on record", to.id)),
    };
    RollbackPlan { from: from.map(|release| release.id), to: to.id, changes, obstacle }
}

async fn image_gone(layout: &Layout, archive: &str, to: &Release, is_pulled: bool) -> Option<String> {
    let path = layout.state().join(archive);
    let digest = to.image.clone().unwrap_or(Digest(String::new()));
    let reason = target::image_missing(&path, &layout.releases(), &digest, is_pulled).await?;
    Some(format!("release {} cannot come back: {reason}", to.id))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::types::Usage;

    fn report(release: u64, cpus: f64, mebibytes: u64) -> TargetReport {
        let usage = Some(Usage { cpus, memory: mebibytes << 20 });
        let instance = InstanceStatus {
            name: "4711".to_owned(),
            release: ReleaseId(release),
            track: "stable".to_owned(),
            state: "running".to_owned(),
            ready: true,
            restarts: 0,
            since: None,
            node: None,
            usage,
        };
        TargetReport { instances: vec![instance], ..TargetReport::default() }
    }

    #[test]
    fn what_an_app_uses_is_told_again_when_it_is_something_else() {
        let told = report(1, 0.05, 100);
        let after = |mut new: TargetReport| {
            settle(&mut new, &told);
            new
        };
        assert_eq!(after(report(1, 0.07, 105)), told, "it breathes");
        assert_eq!(after(report(1, 0.03, 95)), told);
        assert_eq!(after(report(1, 0.5, 106)), report(1, 0.5, 106));
        assert_eq!(after(report(1, 0.05, 94)), report(1, 0.05, 94));
        assert_eq!(after(report(2, 0.06, 101)), report(2, 0.06, 101), "another release is another");
    }

    #[test]
    fn without_an_earlier_release_there_is_no_way_back() {
        let state = State::default();
        assert_eq!(way_back(&state, None).unwrap_err(), Refusal::NoEarlierRelease);
        assert_eq!(way_back(&state, Some(ReleaseId(7))).unwrap_err(), Refusal::UnknownRelease(ReleaseId(7)));
    }
}
