//! The checks of the project folder: configuration, repository, watch, journal, disk.

use std::env;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use git2::{ErrorCode, Repository, RepositoryState};
use notify::{RecursiveMode, Watcher as _};
use rustix::fs::{Access, access};

use super::{Check, Word};
use crate::api::types::WatchMode;
use crate::cli::show::clock;
use crate::config::{LoadError, Settings, SourceTrigger, next_times};
use crate::disk::{DiskSpace, FileLock, Layout, now};
use crate::engine::disk_watch;
use crate::engine::journal::Journal;
use crate::pipeline::quantity::counted;
use crate::watch::network_filesystem;

/// How long the probe file may take to be seen.
const PROBE: Duration = Duration::from_secs(2);
const GIBIBYTE: u64 = 1 << 30;

pub(super) fn configuration(settings: &Result<Settings, LoadError>) -> Check {
    let name = "configuration";
    match settings {
        Ok(settings) => {
            Check::ok(name, format!("trainyard.toml is valid, {}", counted(settings.stages.len(), "stage")))
        }
        Err(LoadError::Invalid(errors)) => {
            let all = errors.errors();
            let first = all.first().map(|error| format!("{} (line {})", error.message, error.line)).unwrap_or_default();
            let sentence = match all.len() {
                1 => format!("trainyard.toml has an error: {first}"),
                count => format!("trainyard.toml has {count} errors, the first: {first}"),
            };
            Check::missing(name, sentence, "`trainyard check` shows each with its place")
        }
        Err(error) => Check::of_error(name, Word::Missing, &error.to_string()),
    }
}

pub(super) fn git(layout: &Layout, settings: Option<&Settings>) -> Check {
    let tree = settings.map_or_else(|| layout.project().to_owned(), |found| layout.project().join(&found.source.path));
    let tree = tree.canonicalize().unwrap_or(tree);
    let trigger = settings.map_or(SourceTrigger::Manual, |settings| settings.source.trigger);
    let branch = settings.and_then(|settings| settings.source.branch.as_deref());
    let shown = tree.display();
    match Repository::discover(&tree) {
        Ok(repository) if repository.is_bare() && trigger == SourceTrigger::Save => Check::missing(
            "git",
            format!("{shown} is a bare repository, in which no file is ever saved"),
            "write `trigger = \"push\"` in [source]",
        ),
        Ok(repository) => repository_state(&repository, &tree, branch),
        Err(error) if error.code() == ErrorCode::NotFound && trigger == SourceTrigger::Push => Check::missing(
            "git",
            format!("{shown} is no git repository, so nobody can push to it"),
            format!("run `git init --bare {shown}`"),
        ),
        Err(error) if error.code() == ErrorCode::NotFound && trigger == SourceTrigger::Commit => Check::missing(
            "git",
            format!("{shown} is in no git work tree, so `trigger = \"commit\"` sees nothing"),
            "run `git init` there, or write `trigger = \"save\"` in [source]",
        ),
        Err(error) if error.code() == ErrorCode::NotFound => Check::warning(
            "git",
            format!("{shown} is in no git work tree, so runs cannot name the version of their source"),
            "run `git init` there",
        ),
        Err(error) if error.code() == ErrorCode::Owner => Check::missing(
            "git",
            format!("{shown} belongs to another user, so git refuses to read it"),
            format!("run `git config --global --add safe.directory {shown}`"),
        ),
        Err(error) => Check::missing(
            "git",
            format!("the repository of {shown} cannot be read: {}", error.message()),
            "`git status` there says more",
        ),
    }
}

fn repository_state(repository: &Repository, tree: &Path, branch: Option<&str>) -> Check {
    if repository.state() != RepositoryState::Clean {
        let sentence = "the repository is in the middle of a merge, a rebase or the like, so a save starts nothing";
        return Check::warning("git", sentence, "finish or abort it (`git status` names it)");
    }
    let found = match branch {
        Some(branch) => repository.find_reference(&format!("refs/heads/{branch}")),
        None => repository.head(),
    };
    let head = match found {
        Ok(head) => head,
        Err(error) if error.code() == ErrorCode::NotFound && branch.is_some() => {
            let sentence = format!("{} has no branch `{}` yet", tree.display(), branch.unwrap_or_default());
            return Check::warning("git", sentence, "push it, or name another as `branch` in [source]");
        }
        Err(error) if matches!(error.code(), ErrorCode::UnbornBranch | ErrorCode::NotFound) => {
            return Check::warning("git", "the repository has no commit yet", "commit the source");
        }
        Err(error) => {
            let sentence = format!("HEAD of {} cannot be read: {}", tree.display(), error.message());
            return Check::missing("git", sentence, "`git status` there says more");
        }
    };
    let commit = head.target().map(|id| id.to_string()).unwrap_or_default();
    let short: String = commit.chars().take(7).collect();
    match head.shorthand() {
        Ok(branch) if head.is_branch() => Check::ok("git", format!("on {branch} at {short}")),
        _ => Check::ok("git", format!("at {short}, on no branch")),
    }
}

/// Whether there is the program that fetches, where a remote is followed. Its name may be an address with a password.
pub(super) fn remote(settings: Option<&Settings>) -> Check {
    let git =
        |settings: &Settings| settings.source.remote.as_ref().map(|_| Command::new("git").arg("--version").output());
    remote_of(settings.and_then(git))
}

/// `version` is what the program said, if it is needed.
fn remote_of(version: Option<io::Result<Output>>) -> Check {
    let name = "remote";
    let mend = "install git, or remove `remote` from [source]";
    match version {
        None => Check::ok(name, "none is followed"),
        Some(Ok(output)) if output.status.success() => {
            Check::ok(name, format!("it is fetched by {}", String::from_utf8_lossy(&output.stdout).trim()))
        }
        Some(Ok(output)) => {
            let sentence =
                format!("git, which alone can fetch it, does not work: `git --version` ended with {}", output.status);
            Check::missing(name, sentence, mend)
        }
        Some(Err(error)) => {
            Check::missing(name, format!("git cannot be started, and only it can fetch: {error}"), mend)
        }
    }
}

/// When schedules fire next.
pub(super) fn schedules(settings: Option<&Settings>) -> Check {
    let name = "schedules";
    let Some(schedules) = settings.map(|settings| &settings.schedules).filter(|schedules| !schedules.is_empty()) else {
        return Check::ok(name, "there are none");
    };
    let present = now();
    let times = schedules.iter().filter_map(|schedule| Some((next_times(schedule, present)?, &schedule.name)));
    match times.min() {
        Some((at, next)) => {
            Check::ok(name, format!("{} in [[schedules]], the next is {next} at {}", schedules.len(), clock(at)))
        }
        None => Check::warning(name, "none of them ever fires", "look at `cron` and `zone` in [[schedules]]"),
    }
}

/// `told` is how the daemon sees, if one runs.
pub(super) fn watch(layout: &Layout, told: Option<&WatchMode>) -> Check {
    match told {
        Some(WatchMode::Notified) => return Check::ok("watch", "the daemon is told of changes by the kernel"),
        Some(WatchMode::Polling { reason }) => return polled(reason),
        Some(WatchMode::Blind { reason }) => return Check::of_error("watch", Word::Missing, reason),
        None => {}
    }
    if let Some(kind) = network_filesystem(layout.project()) {
        return polled(&format!("{} is on {kind}, which sends no notifications", layout.project().display()));
    }
    match probe(layout) {
        Ok(after) => Check::ok("watch", format!("a probe file was seen after {} ms", after.as_millis())),
        Err((sentence, mend)) => Check::missing("watch", sentence, mend),
    }
}

fn polled(reason: &str) -> Check {
    let sentence = format!("folders are read again every 2 s, because {reason}");
    Check::warning("watch", sentence, "nothing is lost, but a change is seen later")
}

/// Writes a file and waits until the kernel tells of it.
fn probe(layout: &Layout) -> Result<Duration, (String, String)> {
    let folder = ProbeFolder::create(layout).map_err(|error| {
        (
            format!("no probe file can be written: {error}"),
            "make the project or the temporary folder writable".to_owned(),
        )
    })?;
    let (tell, told) = channel();
    let mut watcher = notify::recommended_watcher(tell).map_err(|error| refused(&error))?;
    watcher.watch(&folder.0, RecursiveMode::NonRecursive).map_err(|error| refused(&error))?;
    let begun = Instant::now();
    fs::write(folder.0.join("probe"), b"seen\n")
        .map_err(|error| (format!("no probe file can be written: {error}"), "make room on the disk".to_owned()))?;
    loop {
        match told.recv_timeout(PROBE.saturating_sub(begun.elapsed())) {
            Ok(Ok(event)) if event.paths.iter().any(|path| path.ends_with("probe")) => return Ok(begun.elapsed()),
            Ok(_) => {}
            Err(_) => {
                let sentence = format!("a probe file in {} was not seen within 2 s", folder.0.display());
                return Err((sentence, "put the project on a local filesystem".to_owned()));
            }
        }
    }
}

fn refused(error: &notify::Error) -> (String, String) {
    let too_many = rustix::io::Errno::MFILE.raw_os_error();
    match &error.kind {
        notify::ErrorKind::MaxFilesWatch => (
            "the kernel's limit of watched folders is reached".to_owned(),
            "raise it: `sysctl fs.inotify.max_user_watches=1048576`".to_owned(),
        ),
        notify::ErrorKind::Io(source) if source.raw_os_error() == Some(too_many) => (
            "the kernel's limit of watchers is reached".to_owned(),
            "raise it: `sysctl fs.inotify.max_user_instances=1024`".to_owned(),
        ),
        _ => (format!("the kernel gives no watch: {error}"), "without inotify nothing starts by itself".to_owned()),
    }
}

/// A folder that goes away with this value: on the project's own filesystem where our folder is there already, for nothing
/// else in the project may be written to.
struct ProbeFolder(PathBuf);

impl ProbeFolder {
    fn create(layout: &Layout) -> io::Result<Self> {
        let name = format!("doctor-{}-{}", std::process::id(), now().0);
        let own = layout.state().join(&name);
        if layout.state().is_dir() && fs::create_dir(&own).is_ok() {
            return Ok(Self(own));
        }
        let temporary = env::temp_dir().join(format!("trainyard-{name}"));
        fs::create_dir(&temporary)?;
        Ok(Self(temporary))
    }
}

impl Drop for ProbeFolder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

pub(super) fn journal(layout: &Layout) -> Check {
    if !layout.journal().exists() {
        return Check::ok("journal", "there is none yet; the first start makes it");
    }
    // Held while the journal is open here, so that no daemon starts to write it meanwhile.
    let _lock = match FileLock::try_acquire(&layout.daemon_lock()) {
        Ok(Some(lock)) => lock,
        Ok(None) => return Check::ok("journal", "the daemon writes it now, so it was not looked at"),
        Err(error) => {
            let sentence = format!("{} cannot be locked: {error}", layout.daemon_lock().display());
            return Check::missing("journal", sentence, "make the project folder writable");
        }
    };
    match Journal::open(&layout.journal()).and_then(|(journal, _)| journal.verify()) {
        Ok(state) => Check::ok("journal", format!("{}, and their chain is whole", counted(state.sequence, "event"))),
        Err(error) => Check::of_error("journal", Word::Missing, &error.to_string()),
    }
}

pub(super) fn disk(layout: &Layout, settings: Option<&Settings>) -> Check {
    let project = layout.project();
    let shown = project.display();
    if let Err(error) = access(project, Access::WRITE_OK) {
        let sentence = format!("{shown} is not writable: {error}");
        return Check::missing("disk", sentence, "trainyard keeps its journal and logs there: make it writable");
    }
    let own = match DiskSpace::of(project) {
        Ok(own) => (shown.to_string(), own),
        Err(error) => {
            let sentence = format!("the free space of {shown} is unknown: {error}");
            return Check::warning("disk", sentence, "look with `df`");
        }
    };
    let data = settings.and_then(|settings| disk_watch::disk_of_data(project, project, &settings.data.path));
    let data = data.map(|reading| (reading.folder, reading.space));
    free_space(&[own].into_iter().chain(data).collect::<Vec<_>>())
}

/// What is free for each of these folders.
fn free_space(disks: &[(String, DiskSpace)]) -> Check {
    let tenths = |bytes: u64| bytes / (GIBIBYTE / 10);
    let told = disks.iter().map(|(folder, space)| {
        let free = tenths(space.free);
        format!("{}.{} GiB are free for {folder}", free / 10, free % 10)
    });
    let sentence = told.collect::<Vec<_>>().join(", ");
    if disks.iter().any(|(_, space)| space.is_scarce()) {
        let mend = "make room; models, images and logs lie in .trainyard/, `du -sh .trainyard/*` says what is large";
        return Check::warning("disk", sentence, mend);
    }
    Check::ok("disk", sentence)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{load, parse};

    fn project() -> (tempfile::TempDir, Layout) {
        let folder = tempfile::tempdir().unwrap();
        let layout = Layout::new(folder.path()).unwrap();
        layout.create().unwrap();
        (folder, layout)
    }

    #[test]
    fn a_probe_file_is_really_seen_and_leaves_nothing() {
        let (_folder, layout) = project();
        assert_eq!(watch(&layout, None).word, Word::Ok);
        let mut names = fs::read_dir(layout.state()).unwrap().flatten().map(|entry| entry.file_name());
        assert!(names.all(|name| !name.to_string_lossy().contains("doctor")));
    }

    #[test]
    fn a_polling_daemon_is_a_warning_and_a_blind_one_is_not_enough() {
        let (_folder, layout) = project();
        let reason = "the kernel's limit is reached; raise it".to_owned();
        assert_eq!(watch(&layout, Some(&WatchMode::Polling { reason: reason.clone() })).word, Word::Warning);
        let blind = watch(&layout, Some(&WatchMode::Blind { reason }));
        assert_eq!((blind.word, blind.mend.as_deref()), (Word::Missing, Some("raise it")));
    }

    #[test]
    fn the_program_that_fetches_is_looked_for_where_a_remote_is_followed() {
        let text = "[source]\ntrigger = \"commit\"\nremote = \"https://me:s3cret@example.org/a.git\"\n\
                    [stages.test]\ncommand = [\"true\"]\n";
        let check = remote(Some(&parse(text, "trainyard.toml").unwrap()));
        assert_ne!(check.sentence, "none is followed");
        assert!(!check.sentence.contains("s3cret"), "{}", check.sentence);
        assert_eq!(remote(None), Check::ok("remote", "none is followed"));
        let absent = remote_of(Some(Err(io::ErrorKind::NotFound.into())));
        assert_eq!(absent.word, Word::Missing);
        assert_eq!(absent.mend.as_deref(), Some("install git, or remove `remote` from [source]"));
    }

    #[test]
    fn less_than_a_gibibyte_on_any_disk_is_a_warning() {
        let of = |folder: &str, free: u64| (folder.to_owned(), DiskSpace { free, total: GIBIBYTE * 100 });
        let enough = of("/p", GIBIBYTE * 3 / 2);
        assert_eq!(free_space(std::slice::from_ref(&enough)), Check::ok("disk", "1.5 GiB are free for /p"));
        assert_eq!(free_space(&[of("/p", GIBIBYTE - 1)]).word, Word::Warning);
        let told = free_space(&[enough, of("/data", GIBIBYTE / 2)]);
        assert_eq!(
            (told.word, told.sentence.as_str()),
            (Word::Warning, "1.5 GiB are free for /p, 0.5 GiB are free for /data")
        );
    }

    #[test]
    fn a_damaged_journal_is_found_and_one_in_use_is_left_alone() {
        let (_folder, layout) = project();
        assert_eq!(journal(&layout).sentence, "there is none yet; the first start makes it");
        drop(Journal::open(&layout.journal()).unwrap());
        assert_eq!(journal(&layout).sentence, "0 events, and their chain is whole");
        fs::write(layout.journal(), "this is no database, but it is long enough to be taken for one").unwrap();
        assert_eq!(journal(&layout).word, Word::Missing);
        let _daemon = FileLock::try_acquire(&layout.daemon_lock()).unwrap().unwrap();
        assert_eq!(journal(&layout).word, Word::Ok);
    }

    #[test]
    fn a_repository_is_judged_by_its_head() {
        let (folder, layout) = project();
        assert_eq!(git(&layout, None).word, Word::Warning);
        let repository = Repository::init(folder.path()).unwrap();
        assert_eq!(git(&layout, None).sentence, "the repository has no commit yet");
        let tree = repository.find_tree(repository.index().unwrap().write_tree().unwrap()).unwrap();
        let author = git2::Signature::now("somebody", "somebody@example.org").unwrap();
        repository.commit(Some("HEAD"), &author, &author, "first", &tree, &[]).unwrap();
        let check = git(&layout, None);
        assert_eq!(check.word, Word::Ok, "{check:?}");
        assert!(check.sentence.starts_with("on "), "{check:?}");
    }

    #[test]
    fn a_bare_repository_is_judged_by_its_branch_and_no_place_for_saves() {
        let (folder, layout) = project();
        fs::create_dir(folder.path().join("wine.git")).unwrap();
        let with = |trigger: &str| {
            let text = format!(
                "[source]\npath = \"wine.git\"\nbranch = \"main\"\ntrigger = \"{trigger}\"\n[stages.test]\ncommand = [\"true\"]\n"
            );
            git(&layout, Some(&parse(&text, "trainyard.toml").unwrap()))
        };
        assert!(with("push").mend.unwrap().starts_with("run `git init --bare "));
        Repository::init_bare(folder.path().join("wine.git")).unwrap();
        assert_eq!(with("save").mend.as_deref(), Some("write `trigger = \"push\"` in [source]"));
        let check = with("push");
        assert!(check.sentence.ends_with("has no branch `main` yet"), "{check:?}");
    }

    #[test]
    fn the_next_time_of_schedules_is_told() {
        let text = "[[schedules]]\nname = \"nightly\"\ncron = \"0 3 * * *\"\n[stages.test]\ncommand = [\"true\"]\n";
        let check = schedules(Some(&parse(text, "trainyard.toml").unwrap()));
        assert!(check.sentence.starts_with("1 in [[schedules]], the next is nightly at "), "{check:?}");
        assert_eq!(schedules(None).sentence, "there are none");
    }

    #[test]
    fn an_invalid_configuration_is_counted_and_its_first_error_named() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("trainyard.toml"), "[stages.test]\ncomand = [\"true\"]\n").unwrap();
        let check = configuration(&load(folder.path()));
        assert_eq!(check.word, Word::Missing);
        assert!(check.sentence.starts_with("trainyard.toml has "), "{check:?}");
    }
}
