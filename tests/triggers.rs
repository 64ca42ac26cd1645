//! What starts runs on an ops box: pushes into a bare repository, a remote that is polled, the clock, a hook of git.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on says so by a panic"
)]

mod support;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

use serde_json::{Value, json};
use support::{Finished, PATIENCE, PROGRAM, Project, finish};

/// One stage, whose script lies in the repository.
const STAGE: &str = "[project]\nname = \"pushed\"\n[stages.test]\ncommand = [\"sh\", \"check.sh\"]\n";
/// Tells what it works on.
const TELL: &str = "cat content.txt; echo \"dir=${GIT_DIR:-none} index=${GIT_INDEX_FILE:-none}\"\n";
const POINTER: &str = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a2146\nsize 12345\n";

/// A project whose source lies in a repository beside it, and a clone of that in which somebody works.
struct Workshop {
    project: Project,
    repository: PathBuf,
    clone: PathBuf,
}

impl Workshop {
    /// An empty bare repository as the source, with these lines in `[source]`.
    fn new(source: &str) -> Self {
        let workshop = Self::without_repository(source, "");
        workshop.bare("wine.git");
        workshop
    }

    /// The same, before anybody has made the repository, with more lines at the end.
    fn without_repository(source: &str, more: &str) -> Self {
        let text = format!("{STAGE}[source]\npath = \"../outside/wine.git\"\n{source}\n{more}");
        let project = Project::with(&text, &[]);
        let (repository, clone) = (project.outside().join("wine.git"), project.outside().join("clone"));
        let workshop = Self { project, repository, clone };
        workshop.git(&workshop.project.outside(), &["init", "-q", "-b", "main", "clone"]).ok();
        workshop.git(&workshop.clone, &["remote", "add", "origin", "../wine.git"]).ok();
        workshop.write("check.sh", TELL);
        workshop
    }

    /// Makes a bare repository beside the project, in which any branch may be deleted.
    fn bare(&self, name: &str) {
        let outside = self.project.outside();
        self.git(&outside, &["init", "-q", "--bare", "-b", "main", name]).ok();
        self.git(&outside.join(name), &["config", "receive.denyDeleteCurrent", "ignore"]).ok();
    }

    fn git(&self, folder: &Path, arguments: &[&str]) -> Finished {
        let mut command = Command::new("git");
        command.arg("-C").arg(folder).args(["-c", "user.name=tester", "-c", "user.email=tester@example.org"]);
        command.args(["-c", "protocol.file.allow=always"]).args(arguments).envs(self.project.environment());
        finish(&mut command, PATIENCE)
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.clone.join(name), text).unwrap();
    }

    /// Commits everything, with this content, in the clone.
    fn commit(&self, content: &str) -> String {
        self.write("content.txt", &format!("this is {content}\n"));
        self.git(&self.clone, &["add", "-A"]).ok();
        self.git(&self.clone, &["commit", "-q", "-m", content]).ok();
        self.git(&self.clone, &["rev-parse", "HEAD"]).ok().stdout.trim().to_owned()
    }

    /// Makes the repository beside this one a submodule.
    fn add_library(&self) {
        let library = self.project.outside().join("library.git").display().to_string();
        self.git(&self.clone, &["submodule", "--quiet", "add", &library, "library"]).ok();
    }

    fn push(&self, arguments: &[&str]) {
        self.git(&self.clone, &[&["push", "-q"][..], arguments].concat()).ok();
    }

    /// Commits and pushes.
    fn publish(&self, content: &str) -> String {
        let commit = self.commit(content);
        self.push(&["origin", "main"]);
        commit
    }

    /// Waits until the watcher cannot see because of something that has these words.
    #[track_caller]
    fn wait_for_blind(&self, words: &str) {
        self.project.wait_until(&format!("the watcher to say: {words}"), |snapshot| {
            let reason = snapshot["live"]["watch"]["mode"]["blind"]["reason"].as_str()?;
            reason.contains(words).then_some(())
        });
    }

    #[track_caller]
    fn wait_for_sight(&self) {
        self.project.wait_until("the watcher to see", |snapshot| {
            let mode = &snapshot["live"]["watch"]["mode"];
            (!mode.is_null() && mode["blind"].is_null()).then_some(())
        });
    }

    /// Waits until a problem has these words.
    #[track_caller]
    fn wait_for_problem(&self, subject: &str, words: &str) -> String {
        self.project.wait_until(&format!("the problem of {subject}: {words}"), |snapshot| {
            let problem = snapshot["live"]["problems"][subject].as_str()?;
            problem.contains(words).then(|| problem.to_owned())
        })
    }

    /// Waits for a run that passes on this commit and finds its content.
    #[track_caller]
    fn expect_run_on(&self, run: u64, commit: &str, content: &str) -> Value {
        let found = self.project.expect_run(run, "passed");
        assert_eq!(found["inputs"]["source"]["commit"], commit, "{}", self.project.account());
        let log = self.project.log(run, "test");
        assert!(log.contains(&format!("this is {content}")), "{log}");
        found
    }
}

#[test]
fn a_push_to_a_bare_repository_runs_exactly_that_commit() {
    let shop = Workshop::new("trigger = \"push\"");
    shop.project.up();
    shop.wait_for_blind("has no branch `main`, so nothing runs");
    assert_eq!(shop.project.runs(), 0);

    let first = shop.publish("first");
    let run = shop.expect_run_on(1, &first, "first");
    assert_eq!(run["inputs"]["source"]["branch"], "main");

    let second = shop.publish("second");
    // What is only in somebody's clone is nobody else's affair.
    shop.write("content.txt", "this is not committed\n");
    let run = shop.expect_run_on(2, &second, "second");
    assert_eq!(run["trigger"], json!({ "commit": { "commit": second, "summary": "second" } }));
    // Another branch is not the one that counts.
    shop.push(&["origin", "HEAD:refs/heads/feature"]);
    let third = shop.publish("third");
    shop.expect_run_on(3, &third, "third");
    assert_eq!(shop.project.runs(), 3);
}

#[test]
fn a_branch_that_is_named_counts_in_place_of_that_of_head() {
    let shop = Workshop::new("trigger = \"push\"\nbranch = \"release\"");
    shop.publish("first");
    shop.project.up();
    shop.wait_for_blind("has no branch `release` (it has `main`)");
    let second = shop.commit("second");
    shop.push(&["origin", "HEAD:refs/heads/release"]);
    shop.expect_run_on(1, &second, "second");
}

#[test]
fn a_force_push_a_deleted_branch_and_its_return_are_survived() {
    let shop = Workshop::new("trigger = \"push\"");
    let first = shop.publish("first");
    shop.project.up();
    shop.expect_run_on(1, &first, "first");

    shop.git(&shop.clone, &["checkout", "-q", "--orphan", "fresh"]).ok();
    let rewritten = shop.commit("rewritten");
    shop.push(&["--force", "origin", "HEAD:main"]);
    let run = shop.expect_run_on(2, &rewritten, "rewritten");
    assert_eq!(run["trigger"]["commit"]["summary"], "rewritten");
    let events = shop.project.command(&["events"]).ok().stdout;
    assert!(events.contains(&format!("history of main was rewritten: {}", &first[..7])), "{events}");

    shop.push(&["origin", ":main"]);
    shop.wait_for_blind("has no branch `main`");
    assert_eq!(shop.project.runs(), 2, "nothing runs without the branch");
    let returned = shop.commit("returned");
    shop.push(&["origin", "HEAD:main"]);
    shop.expect_run_on(3, &returned, "returned");
    shop.wait_for_sight();
    assert_eq!(shop.project.runs(), 3);
}

#[test]
fn a_push_takes_the_place_of_a_run_under_way() {
    let shop = Workshop::new("trigger = \"push\"");
    shop.write("check.sh", "until [ -e \"$TRAINYARD_PROJECT/go\" ]; do sleep 0.1; done\n");
    shop.publish("first");
    shop.project.up();
    shop.project.wait_for_stage(1, "test", "running");
    shop.write("check.sh", TELL);
    let second = shop.publish("second");
    shop.expect_run_on(2, &second, "second");
    shop.project.expect_run(1, "superseded");
}

#[test]
fn a_repository_that_is_rewritten_under_us_is_survived() {
    let shop = Workshop::new("trigger = \"push\"");
    let first = shop.publish("first");
    shop.project.up();
    shop.expect_run_on(1, &first, "first");

    shop.git(&shop.repository, &["pack-refs", "--all"]).ok();
    shop.git(&shop.repository, &["gc", "-q", "--prune=now"]).ok();
    let second = shop.publish("second");
    shop.expect_run_on(2, &second, "second");

    let away = shop.project.outside().join("away.git");
    fs::rename(&shop.repository, &away).unwrap();
    shop.wait_for_blind("is no git repository; `git init --bare");
    fs::rename(&away, &shop.repository).unwrap();
    shop.wait_for_sight();

    // Another repository in its place, with the same history.
    fs::rename(&shop.repository, &away).unwrap();
    shop.git(&shop.project.outside(), &["clone", "-q", "--bare", "away.git", "wine.git"]).ok();
    shop.wait_for_sight();
    let third = shop.publish("third");
    shop.expect_run_on(3, &third, "third");

    let main = shop.repository.join("refs/heads/main");
    fs::write(&main, "garbage\n").unwrap();
    shop.wait_for_blind("cannot be read");
    fs::write(&main, format!("{third}\n")).unwrap();
    shop.wait_for_sight();
    assert_eq!(shop.project.runs(), 3, "what is the same again is no news");
}

#[test]
fn what_is_no_repository_and_what_has_no_files_to_save_are_told_with_the_mend() {
    let shop = Workshop::without_repository("trigger = \"push\"", "");
    let checked = shop.project.command(&["check"]);
    assert!(checked.said().contains("git init --bare"), "{}", checked.said());
    shop.project.up();
    shop.wait_for_blind("is no git repository; `git init --bare");
    shop.bare("wine.git");
    shop.wait_for_blind("has no branch `main`");
    let first = shop.publish("first");
    shop.expect_run_on(1, &first, "first");

    let saved = Workshop::new("trigger = \"save\"");
    saved.publish("first");
    saved.project.up();
    saved.wait_for_blind("is a bare repository, in which no file is ever saved; write `trigger = \"push\"`");
    assert_eq!(saved.project.runs(), 0);
}

#[test]
fn a_remote_is_followed_forward_and_never_where_histories_have_parted() {
    let shop = Workshop::new("trigger = \"push\"\nremote = \"../upstream.git\"\npoll = \"5s\"");
    shop.bare("upstream.git");
    shop.git(&shop.clone, &["remote", "add", "upstream", "../upstream.git"]).ok();
    let first = shop.commit("first");
    shop.push(&["upstream", "main"]);
    shop.project.up();
    shop.expect_run_on(1, &first, "first");
    let second = shop.commit("second");
    shop.push(&["upstream", "main"]);
    shop.expect_run_on(2, &second, "second");

    let own = shop.publish("own");
    shop.expect_run_on(3, &own, "own");
    shop.git(&shop.clone, &["reset", "-q", "--hard", &second]).ok();
    let other = shop.commit("other");
    shop.push(&["upstream", "main"]);
    let told = shop.wait_for_problem("remote", "neither comes behind the other; nothing is changed here");
    assert!(told.contains(&own[..7]) && told.contains(&other[..7]), "{told}");
    let main = shop.git(&shop.repository, &["rev-parse", "main"]).ok().stdout;
    assert_eq!((main.trim(), shop.project.runs()), (own.as_str(), 3));
}

#[test]
fn a_remote_that_cannot_be_fetched_is_told_with_what_git_says() {
    let shop = Workshop::new("trigger = \"push\"\nremote = \"../nowhere.git\"\npoll = \"5s\"");
    let first = shop.publish("first");
    shop.project.up();
    shop.wait_for_problem("remote", "nowhere.git' does not appear to be a git repository");
    // What is here runs all the same.
    shop.expect_run_on(1, &first, "first");
}

#[test]
fn a_work_tree_is_moved_on_only_when_nothing_in_it_would_be_lost() {
    let shop = Workshop::without_repository("trigger = \"save\"\nremote = \"../upstream.git\"\npoll = \"5s\"", "");
    shop.bare("upstream.git");
    shop.commit("first");
    shop.push(&["../upstream.git", "main"]);
    // The source is a work tree here, whatever its name.
    shop.git(&shop.project.outside(), &["clone", "-q", "upstream.git", "wine.git"]).ok();
    shop.commit("second");
    shop.push(&["../upstream.git", "main"]);
    let content = shop.repository.join("content.txt");
    fs::write(&content, "this is half of an idea\n").unwrap();
    shop.project.up();
    shop.wait_for_problem("remote", "has changes that are not committed, so `main` is not moved on");
    assert_eq!(fs::read_to_string(&content).unwrap(), "this is half of an idea\n");
    fs::write(&content, "this is first\n").unwrap();
    shop.project.wait_until("the tree to be moved on", |_| {
        (fs::read_to_string(&content).ok()? == "this is second\n").then_some(())
    });
    shop.project.wait_until("the problem to be over", |snapshot| {
        snapshot["live"]["problems"]["remote"].is_null().then_some(())
    });
}

/// A schedule whose times passed long ago while no daemon ran.
fn away_since_long(missed: &str) -> Workshop {
    // Half a day from now: what passed within the last minutes would still fire.
    let hours = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs() / 3_600;
    let cron = format!("30 {} * * *", (hours + 12) % 24);
    let schedule = format!(
        "[[schedules]]\nname = \"nightly\"\ncron = \"{cron}\"\nzone = \"UTC\"\nforce = true\nmissed = \"{missed}\"\n"
    );
    let shop = Workshop::without_repository("trigger = \"push\"", &schedule);
    shop.bare("wine.git");
    shop.publish("first");
    fs::create_dir_all(shop.project.state("")).unwrap();
    let kept = json!({ "nightly": { "times": format!("{cron} in UTC"), "until": 1000, "fired": null } });
    fs::write(shop.project.state("schedules.json"), kept.to_string()).unwrap();
    shop.project.up();
    shop
}

/// Waits until the schedule has been looked at: what passed is done with.
fn wait_for_calendar(shop: &Workshop) {
    shop.project.wait_until("what passed to be done with", |_| {
        let text = fs::read_to_string(shop.project.state("schedules.json")).ok()?;
        let kept: Value = serde_json::from_str(&text).ok()?;
        (kept["nightly"]["until"].as_i64()? > 1000).then_some(())
    });
}

#[test]
fn times_that_were_missed_are_one_run_at_the_start_if_that_is_wanted() {
    let shop = away_since_long("run");
    let run = shop.project.wait_until("the run of the schedule", |snapshot| {
        let runs = snapshot["state"]["runs"].as_object()?;
        let is_scheduled = |run: &&Value| run["trigger"]["schedule"]["name"] == "nightly" && !run["result"].is_null();
        runs.values().find(is_scheduled).cloned()
    });
    assert_eq!(run["result"], "passed");
    // It is kept: the next daemon has missed nothing.
    let runs = shop.project.runs();
    shop.project.command(&["down"]).ok();
    shop.project.up();
    shop.wait_for_sight();
    assert_eq!(shop.project.runs(), runs);
}

#[test]
fn times_that_were_missed_are_passed_over_unless_it_is_said() {
    let shop = away_since_long("skip");
    wait_for_calendar(&shop);
    let snapshot = shop.project.snapshot();
    let runs = snapshot["state"]["runs"].as_object().unwrap();
    assert!(runs.values().all(|run| run["trigger"]["schedule"].is_null()), "{}", shop.project.account());
    // Not in silence.
    shop.project.wait_until("it to be told", |_| {
        let told = shop.project.command(&["events", "--grep", "schedule nightly missed its time"]).ok().stdout;
        (told.lines().count() == 1).then_some(())
    });
}

#[test]
fn a_run_from_a_hook_does_not_take_the_repository_of_git_for_its_own() {
    let shop = Workshop::new("trigger = \"manual\"");
    let hook = shop.repository.join("hooks/post-receive");
    fs::create_dir_all(hook.parent().unwrap()).unwrap();
    let folder = shop.project.folder().display();
    // A daemon that has just begun has seen nothing yet.
    let script = format!(
        "#!/bin/sh\ntries=0\nuntil '{PROGRAM}' -C '{folder}' run; do\n\
         tries=$((tries + 1)); [ $tries -lt 300 ] || exit 1; sleep 0.1\ndone\n"
    );
    fs::write(&hook, script).unwrap();
    fs::set_permissions(&hook, fs::Permissions::from_mode(0o755)).unwrap();
    let first = shop.publish("first");
    let run = shop.expect_run_on(1, &first, "first");
    assert!(run["trigger"]["manual"].is_object(), "{run}");
    let log = shop.project.log(1, "test");
    assert!(log.contains("dir=none index=none"), "{log}");
}

#[test]
fn pointers_and_submodules_in_a_commit_are_told_and_the_rest_of_it_runs() {
    let shop = Workshop::new("trigger = \"push\"");
    shop.bare("library.git");
    shop.write("model.bin", POINTER);
    let first = shop.publish("first");
    shop.project.up();
    shop.expect_run_on(1, &first, "first");
    shop.wait_for_problem("source", "model.bin is an LFS pointer, and a clean checkout of the commit holds no more");

    shop.push(&["../library.git", "main"]);
    shop.add_library();
    shop.write("model.bin", "a whole model");
    let second = shop.publish("second");
    shop.expect_run_on(2, &second, "second");
    let told = shop.wait_for_problem("source", "submodule library is not in a clean checkout of the commit");
    assert!(!told.contains("LFS"), "{told}");
}

#[test]
fn pointers_and_submodules_in_a_work_tree_are_told_with_the_command_that_brings_them() {
    let shop = Workshop::without_repository("trigger = \"save\"", "");
    shop.bare("library.git");
    shop.commit("first");
    shop.push(&["../library.git", "main"]);
    shop.add_library();
    shop.write("model.bin", POINTER);
    shop.commit("second");
    shop.git(&shop.project.outside(), &["clone", "-q", "clone", "wine.git"]).ok();
    shop.project.up();
    let told = shop.wait_for_problem("source", "submodule library is not checked out");
    assert!(told.contains("model.bin is an LFS pointer: run `git lfs pull`"), "{told}");
    assert!(told.contains("run `git submodule update --init library`"), "{told}");

    fs::write(shop.repository.join("model.bin"), "a whole model").unwrap();
    fs::create_dir_all(shop.repository.join("library")).unwrap();
    fs::write(shop.repository.join("library/.git"), "gitdir: ../.git/modules/library\n").unwrap();
    fs::write(shop.repository.join("library/lines"), "of the library\n").unwrap();
    shop.project.wait_until("the problem to be over", |snapshot| {
        snapshot["live"]["problems"]["source"].is_null().then_some(())
    });
}

#[test]
fn a_pointer_among_the_data_is_held_back() {
    let project = Project::light();
    project.up();
    project.register("big.csv", POINTER);
    project.wait_until("the pointer to be held back", |snapshot| {
        snapshot["state"]["refused"]["big.csv"].to_string().contains("pointer of Git LFS").then_some(())
    });
    assert_eq!(project.runs(), 0);
}

/// The settings are a file of the work tree too, though they are no source.
#[test]
fn a_run_on_settings_that_are_not_committed_says_that_the_tree_differs_from_its_commit() {
    let project = Project::with(STAGE, &[("check.sh", "true\n")]);
    let commit = project.commit("first");
    project.up();
    let source = |run: u64| project.expect_run(run, "passed")["inputs"]["source"].clone();
    let first = source(1);
    assert_eq!((&first["commit"], &first["dirty"]), (&json!(commit), &json!(false)), "{}", project.account());
    project.write("trainyard.toml", STAGE.replace("\"check.sh\"]", "\"check.sh\", \"again\"]"));
    let second = source(2);
    assert_eq!((&second["commit"], &second["dirty"]), (&json!(commit), &json!(true)), "{}", project.account());
}
