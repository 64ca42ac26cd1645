//! The watcher's thread: one loop over what the kernel tells and what falls due.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};

use notify::event::{AccessKind, AccessMode, EventKind};

use super::data::Data;
use super::filesystem::network;
use super::folders::Folders;
use super::repository::{Head, RepositoryError};
use super::source::{Source, SourceLook};
use super::{Message, Report, Watched};
use crate::api::types::{WatchHealth, WatchMode};
use crate::disk::now as moment;
use crate::pipeline::{Inputs, Moment, Trigger};

/// Quiet time after a save: editors write a file in several steps.
const SAVE_QUIET: Duration = Duration::from_millis(15);
/// Changes of the data folder's shape are gathered for this long: many files go or come at once.
const RESCAN_QUIET: Duration = Duration::from_millis(50);
/// Messages taken in before what is due is looked after: a steady flood must not hold that up.
const AT_ONCE: usize = 4096;
/// A stream of saves is looked at this often all the same.
const SAVE_LONGEST: Duration = Duration::from_millis(500);
/// How often the probe file is written, which proves that the kernel still tells.
const PROBE: Duration = Duration::from_secs(30);
/// A probe that was not seen within this time means a deaf watcher.
const PROBE_LOST: Duration = Duration::from_secs(5);
/// How often folders are read where the kernel does not tell.
const POLL: Duration = Duration::from_secs(2);
/// Names of saved files that a trigger tells of.
const NAMES: usize = 20;

/// Why nothing can be watched.
#[derive(Debug, thiserror::Error)]
pub enum WatchError {
    /// The kernel gives no watch at all.
    #[error("the kernel gives no file watch: {0}; raise fs.inotify.max_user_instances")]
    Notify(#[from] notify::Error),
    /// The repository cannot be used.
    #[error(transparent)]
    Repository(#[from] RepositoryError),
    /// No thread.
    #[error("the watcher's thread cannot be started: {0}")]
    Thread(std::io::Error),
}

pub(super) struct Worker {
    watched: Watched,
    report: Box<dyn Fn(Report) + Send>,
    messages: Sender<Message>,
    folders: Folders,
    source: Source,
    data: Data,
    look: Option<SourceLook>,
    /// The commit that stages would run on cannot be told, so nothing is reported, and what would have been is kept.
    is_held: bool,
    has_waited: bool,
    withheld: Option<Trigger>,
    /// What of the source is not really there, as it was told.
    incomplete: Option<String>,
    /// Saves since the last look, and since when they wait.
    saved: BTreeSet<String>,
    source_due: Option<Instant>,
    source_since: Option<Instant>,
    settings_due: Option<Instant>,
    contract_due: Option<Instant>,
    rescan_due: Option<Instant>,
    probe: PathBuf,
    probe_due: Instant,
    probe_sent: Option<Instant>,
    poll: Option<(Instant, String)>,
    blind: Option<String>,
    last_seen: Option<Moment>,
    told: Option<WatchHealth>,
    held_back: Option<BTreeSet<String>>,
    has_reported: bool,
    roots: Vec<(PathBuf, Option<u64>)>,
}

impl Worker {
    pub(super) fn new(
        watched: Watched,
        messages: Sender<Message>,
        report: Box<dyn Fn(Report) + Send>,
    ) -> Result<Self, WatchError> {
        let source = Source::new(&watched)?;
        let data = Data::new(&watched);
        let probe = watched.own.join("probe").join("probe");
        let mut worker = Self {
            folders: Folders::new(handler(messages.clone()))?,
            watched,
            report,
            messages,
            source,
            data,
            look: None,
            is_held: false,
            has_waited: false,
            withheld: None,
            incomplete: None,
            saved: BTreeSet::new(),
            source_due: None,
            source_since: None,
            settings_due: None,
            contract_due: None,
            rescan_due: None,
            probe,
            probe_due: Instant::now(),
            probe_sent: None,
            poll: None,
            blind: None,
            last_seen: None,
            told: None,
            held_back: None,
            has_reported: false,
            roots: Vec::new(),
        };
        worker.watch_all();
        Ok(worker)
    }

    /// Sets every watch; what is set already stays.
    fn watch_all(&mut self) {
        if let Some(folder) = self.probe.parent() {
            // Without it the probe is never seen, and the watcher says that it polls.
            let _ = fs::create_dir_all(folder);
            self.folders.add(folder);
        }
        let files = [&self.watched.configuration, &self.watched.data, &self.watched.contract];
        for parent in files.into_iter().filter_map(|file| file.parent()) {
            self.folders.add(parent);
        }
        let data = self.watched.data.clone();
        self.folders.add_tree(&data, &|path| !is_hidden(path));
        self.watch_source(&self.watched.source.clone());
        self.watch_repository();
        let roots = [&self.watched.source, &self.watched.data];
        self.roots = roots.map(|root| (root.clone(), inode(root))).to_vec();
        let reason = roots
            .iter()
            .find_map(|root| {
                network(root).map(|kind| format!("{} is on {kind}, which sends no notifications", root.display()))
            })
            .or_else(|| self.folders.failure().map(str::to_owned));
        self.poll = reason.map(|reason| (Instant::now() + POLL, reason));
    }

    /// HEAD, packed refs and loose ones lie in these folders.
    fn watch_repository(&mut self) {
        for git in self.git_folders() {
            self.folders.add(&git);
            self.folders.add_tree(&git.join("refs"), &|_| true);
        }
    }

    fn git_folders(&self) -> BTreeSet<PathBuf> {
        let folders = self.source.repository().map(|repository| [repository.git_folder(), repository.common_folder()]);
        folders.into_iter().flatten().map(Path::to_owned).collect()
    }

    fn watch_source(&mut self, folder: &Path) {
        if !self.source.is_by_commit() {
            let source = &self.source;
            self.folders.add_tree(folder, &|path| source.counts(path));
        }
    }

    pub(super) fn run(mut self, messages: &Receiver<Message>) {
        let now = Instant::now();
        self.data.rescan(now);
        self.source_due = Some(now);
        loop {
            self.advance();
            let wait = self.next_due().saturating_duration_since(Instant::now());
            match messages.recv_timeout(wait) {
                Ok(Message::Notify(event)) => self.notified(event),
                Ok(Message::End) | Err(RecvTimeoutError::Disconnected) => return,
                Err(RecvTimeoutError::Timeout) => {}
            }
            // What the kernel told meanwhile is taken in at once: one look for all of it.
            for message in messages.try_iter().take(AT_ONCE) {
                match message {
                    Message::Notify(event) => self.notified(event),
                    Message::End => return,
                }
            }
        }
    }

    fn next_due(&self) -> Instant {
        let probe_lost = self.probe_sent.map(|sent| sent + PROBE_LOST);
        let poll = self.poll.as_ref().map(|(at, _)| *at);
        [self.source_due, self.settings_due, self.contract_due, self.rescan_due, self.data.next_due(), probe_lost, poll]
            .into_iter()
            .flatten()
            .fold(self.probe_due, Instant::min)
    }

    fn notified(&mut self, event: notify::Result<notify::Event>) {
        let now = Instant::now();
        let event = match event {
            Ok(event) => event,
            Err(error) => {
                self.tell_note(format!("the watcher reports an error ({error}); everything is looked at again"));
                self.rescan(now);
                return;
            }
        };
        if event.need_rescan() {
            self.tell_note("the kernel's queue of changes overflowed; everything is looked at again".to_owned());
            self.rescan(now);
            return;
        }
        for path in &event.paths {
            self.changed(path, event.kind, now);
        }
    }

    fn changed(&mut self, path: &Path, kind: EventKind, now: Instant) {
        if path.starts_with(&self.watched.own) {
            if *path == self.probe {
                self.probe_sent = None;
                self.last_seen = Some(moment());
            }
            return;
        }
        let is_removed = matches!(kind, EventKind::Remove(_)) || !path.exists();
        if path == self.watched.configuration {
            self.settings_due = Some(now + Duration::from_millis(100));
            return;
        }
        if path == self.watched.contract {
            self.contract_due = Some(now + Duration::from_millis(100));
            return;
        }
        let is_folder = !is_removed && path.is_dir();
        if path.starts_with(&self.watched.data) {
            self.changed_data(path, is_folder, is_removed, now);
            if self.watched.data != self.watched.source {
                return;
            }
        }
        if self.git_folders().iter().any(|git| path.starts_with(git)) {
            self.changed_git(path, is_folder, now);
            return;
        }
        if self.source.is_by_commit() || !path.starts_with(&self.watched.source) || !self.source.counts(path) {
            return;
        }
        if is_folder {
            self.watch_source(path);
        } else if is_removed {
            self.folders.forget(path);
        }
        if self.saved.len() < NAMES && !is_folder {
            let relative = path.strip_prefix(&self.watched.source).unwrap_or(path);
            self.saved.insert(relative.to_string_lossy().into_owned());
        }
        self.source_changed(now);
    }

    fn changed_data(&mut self, path: &Path, is_folder: bool, is_removed: bool, now: Instant) {
        if is_folder {
            self.folders.add_tree(path, &|path| !is_hidden(path));
            self.rescan_due.get_or_insert(now + RESCAN_QUIET);
        } else if is_removed {
            self.folders.forget(path);
            self.data.touched(path, now);
            // A folder may have gone with all that was in it.
            self.rescan_due.get_or_insert(now + RESCAN_QUIET);
        } else {
            self.data.touched(path, now);
        }
    }

    /// HEAD, refs and the like; lock files and the store of objects say nothing.
    fn changed_git(&mut self, path: &Path, is_folder: bool, now: Instant) {
        // Written at every look at a remote, whatever that brings.
        let is_fetched = path.file_name().is_some_and(|name| name == "FETCH_HEAD");
        if is_fetched || path.extension().is_some_and(|extension| extension == "lock") {
            return;
        }
        if is_folder {
            self.folders.add_tree(path, &|_| true);
        } else if !path.exists() && !self.git_folders().contains(path) {
            // Packing refs removes their folders, which come back with the next push.
            self.folders.forget(path);
        }
        self.source_changed(now);
    }

    fn source_changed(&mut self, now: Instant) {
        let since = *self.source_since.get_or_insert(now);
        self.source_due = Some((now + SAVE_QUIET).min(since + SAVE_LONGEST).max(now));
    }

    fn rescan(&mut self, now: Instant) {
        self.watch_all();
        self.data.rescan(now);
        self.source_changed(now);
    }

    /// Does all that is due.
    fn advance(&mut self) {
        let now = Instant::now();
        if let Some((at, reason)) = self.poll.clone()
            && at <= now
        {
            self.data.rescan(now);
            self.source_changed(now);
            self.last_seen = Some(moment());
            self.poll = Some((now + POLL, reason));
        }
        self.advance_probe(now);
        if self.settings_due.is_some_and(|due| due <= now) {
            self.settings_due = None;
            // The settings may be a file of the repository: what runs on them is on a tree that differs from its commit.
            if self.source_due.is_none() {
                self.look_at_source();
            }
            (self.report)(Report::Settings);
        }
        if self.contract_due.is_some_and(|due| due <= now) {
            self.contract_due = None;
            self.data.look_at_contract(now);
        }
        if self.rescan_due.is_some_and(|due| due <= now) {
            self.rescan_due = None;
            self.data.rescan(now);
        }
        self.advance_data(now);
        if self.source_due.is_some_and(|due| due <= now) {
            self.source_due = None;
            self.source_since = None;
            self.look_at_source();
        }
        self.tell_health();
    }

    fn advance_data(&mut self, now: Instant) {
        let round = self.data.advance(now);
        for (file, reason) in round.refused {
            (self.report)(Report::Refused { file, reason });
        }
        if let Some(files) = self.data.take_changed(now) {
            self.observe(Some(Trigger::Data { files }));
        }
        self.tell_held_back();
    }

    /// Tells which files are held back, when that has changed and none is being judged.
    fn tell_held_back(&mut self) {
        if !self.data.is_quiet() {
            return;
        }
        let held_back = self.data.held_back();
        if self.held_back.as_ref() != Some(&held_back) {
            self.held_back = Some(held_back.clone());
            (self.report)(Report::HeldBack(held_back));
        }
    }

    fn look_at_source(&mut self) {
        let looked = self.source.look();
        if self.source.take_reopened() {
            // The kernel's watches are of the former folders.
            for git in self.git_folders() {
                self.folders.forget(&git);
            }
            self.watch_repository();
        }
        let look = match looked {
            Ok(look) => look,
            Err(error) => {
                self.blind = Some(error.to_string());
                self.is_held |= self.source.is_by_commit();
                self.has_waited |= self.is_held;
                // What is in the way may go without a change that the kernel tells of.
                self.source_due = Some(Instant::now() + POLL);
                return;
            }
        };
        self.blind = None;
        // In the middle of a rebase the tree is nobody's intention; what comes out of it will be seen.
        if let Some(what) = look.unfinished {
            self.blind = Some(format!("the repository is in the middle of {what}; finish or abort it"));
            if self.has_reported {
                return;
            }
        }
        self.tell_incomplete();
        self.is_held = false;
        let withheld = self.withheld.take();
        let before = self.look.replace(look.clone());
        if before.as_ref() == Some(&look) {
            self.saved.clear();
            if withheld.is_some() {
                self.observe(withheld);
            }
            return;
        }
        if let Some(before) = &before {
            self.tell_rewritten(&before.head, &look.head);
        }
        let files = self.take_saved();
        let has_moved = before.map_or(self.has_waited, |before| before.head.commit != look.head.commit);
        let cause = match (&look.head.commit, has_moved) {
            (Some(commit), true) if self.source.is_by_commit() || files.is_empty() => {
                Trigger::Commit { commit: commit.clone(), summary: look.head.summary.clone() }
            }
            _ => Trigger::Source { files },
        };
        self.observe(Some(cause));
    }

    /// That a branch was moved to where its history does not lead: a push by force, or a reset.
    fn tell_rewritten(&self, before: &Head, now: &Head) {
        let (Some(repository), Some(from), Some(to)) = (self.source.repository(), &before.commit, &now.commit) else {
            return;
        };
        if self.source.is_by_commit() && before.branch == now.branch && repository.is_rewritten(from, to) {
            let branch = now.branch.as_deref().unwrap_or("HEAD");
            let (from, to) = (short(from), short(to));
            self.tell_note(format!(
                "history of {branch} was rewritten: {from} is no part of it any more, it is at {to} now"
            ));
        }
    }

    fn tell_incomplete(&mut self) {
        let missing = self.source.missing();
        if self.incomplete != missing {
            self.incomplete.clone_from(&missing);
            (self.report)(Report::Incomplete(missing));
        }
    }

    /// What was saved since the last look. Temporary files of an editor are gone by now; they are named only if nothing else is.
    fn take_saved(&mut self) -> Vec<String> {
        let saved: Vec<String> = std::mem::take(&mut self.saved).into_iter().collect();
        let present: Vec<String> =
            saved.iter().filter(|file| self.watched.source.join(file).exists()).cloned().collect();
        if present.is_empty() { saved } else { present }
    }

    /// Reports what is there. The first report waits until no data file is on its way, so that it starts one run, not two.
    fn observe(&mut self, cause: Option<Trigger>) {
        if self.is_held {
            self.withheld = cause.or_else(|| self.withheld.take());
            return;
        }
        let Some(look) = &self.look else { return };
        if !self.has_reported && !self.data.is_quiet() {
            return;
        }
        let cause = if self.has_reported || self.has_waited { cause } else { None };
        self.has_reported = true;
        let inputs =
            Inputs { data: self.data.set(), source: look.state.clone(), stage_sources: look.stage_sources.clone() };
        (self.report)(Report::Observed { inputs, cause });
    }

    fn advance_probe(&mut self, now: Instant) {
        if self.probe_sent.is_some_and(|sent| sent + PROBE_LOST <= now) {
            self.probe_sent = None;
            self.renew("the watcher went deaf; it was made anew and everything is looked at again");
        }
        if self.probe_due > now {
            return;
        }
        self.probe_due = now + PROBE;
        if self.roots.iter().any(|(root, before)| inode(root) != *before) {
            self.renew("a watched folder was replaced; everything is looked at again");
        }
        if fs::write(&self.probe, b"seen\n").is_ok() && self.poll.is_none() {
            self.probe_sent = Some(now);
        }
    }

    fn renew(&mut self, why: &str) {
        match Folders::new(handler(self.messages.clone())) {
            Ok(folders) => self.folders = folders,
            Err(error) => self.blind = Some(format!("the kernel gives no file watch: {error}")),
        }
        self.tell_note(why.to_owned());
        self.rescan(Instant::now());
    }

    fn tell_note(&self, text: String) {
        (self.report)(Report::Note(text));
    }

    fn tell_health(&mut self) {
        let mode = match (&self.blind, &self.poll) {
            (Some(reason), _) => WatchMode::Blind { reason: reason.clone() },
            (None, Some((_, reason))) => WatchMode::Polling { reason: reason.clone() },
            (None, None) => WatchMode::Notified,
        };
        let beside = if self.data.is_empty() { beside(&self.watched) } else { None };
        let pending = self.data.pending(Instant::now());
        let health = WatchHealth { mode, last_seen: self.last_seen, pending, beside };
        if self.told.as_ref() != Some(&health) {
            self.told = Some(health.clone());
            (self.report)(Report::Health(health));
        }
        // The first look may have waited for data.
        if !self.has_reported && self.look.is_some() && self.data.is_quiet() {
            self.observe(None);
        }
    }
}

fn handler(messages: Sender<Message>) -> impl notify::EventHandler {
    move |event: notify::Result<notify::Event>| {
        // Our own reading is told to us too. It must not even wake the worker, which reads when it wakes: in a project without
        // data it would go on for ever.
        if event.as_ref().is_ok_and(is_reading) {
            return;
        }
        // When the worker is gone nobody wants to know.
        let _ = messages.send(Message::Notify(event));
    }
}

/// Whether somebody only read; of all access, only a closed write matters.
fn is_reading(event: &notify::Event) -> bool {
    !event.need_rescan()
        && matches!(event.kind, EventKind::Access(kind) if kind != AccessKind::Close(AccessMode::Write))
}

/// The first CSV file in the project folder, if that is not the data folder.
fn beside(watched: &Watched) -> Option<String> {
    let project = watched.configuration.parent().filter(|project| *project != watched.data)?;
    let files = fs::read_dir(project).ok()?.flatten().map(|entry| entry.path());
    let is_data = |path: &PathBuf| {
        path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("csv")) && path.is_file()
    };
    let names = files.filter(is_data).filter_map(|path| Some(path.file_name()?.to_string_lossy().into_owned()));
    names.min()
}

fn inode(path: &Path) -> Option<u64> {
    fs::metadata(path).ok().map(|metadata| metadata.ino())
}

/// A commit as people write it.
fn short(commit: &str) -> &str {
    commit.get(..7).unwrap_or(commit)
}

fn is_hidden(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."))
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use notify::{RecursiveMode, Watcher};

    use super::*;

    #[test]
    fn who_reads_a_folder_wakes_nobody_and_who_writes_into_it_does() {
        let folder = tempfile::tempdir().unwrap();
        let (sender, received) = channel();
        let mut watcher = notify::recommended_watcher(handler(sender)).unwrap();
        watcher.watch(folder.path(), RecursiveMode::NonRecursive).unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        fs::write(folder.path().join("file"), "text").unwrap();
        let first = received.recv_timeout(PROBE_LOST).unwrap();
        assert!(matches!(first, Message::Notify(Ok(event)) if matches!(event.kind, EventKind::Create(_))));
    }
}
