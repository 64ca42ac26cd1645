//! Notifications through the real program: what people are told, how often, and what a bad webhook costs.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on says so by a panic"
)]

mod support;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use serde_json::{Value, json};
use support::{PATIENCE, Project, Reply, Webhook, wait_for};

/// `test` fails for as long as this file says so.
const TEST: &str = "if grep -q broken mood.txt; then echo 'no such column' >&2; exit 3; fi\n";

/// Two stages that take no time, of which the second can be broken, with these `[[notify]]`.
fn project(notify: &str) -> Project {
    let project = Project::light_with("trigger = \"save\"", TEST);
    project.write("mood.txt", "fine\n");
    add(&project, notify);
    project.commit("who is told");
    project
}

fn add(project: &Project, notify: &str) {
    let text = fs::read_to_string(project.folder().join("trainyard.toml")).unwrap();
    project.write("trainyard.toml", format!("{text}\n{notify}"));
}

/// A run that passes; the number of it.
#[track_caller]
fn begin(project: &Project) -> u64 {
    project.up();
    project.register("a.csv", "1\n2\n");
    let run = project.wait_until("a run that passes", |snapshot| {
        let runs = snapshot["state"]["runs"].as_object()?;
        runs.iter().find(|(_, run)| run["result"] == "passed").map(|(run, _)| run.parse::<u64>().unwrap())
    });
    // A run of the start and one of the data may be two.
    project.wait_until("rest", |snapshot| is_at_rest(snapshot).then_some(()));
    run
}

fn is_at_rest(snapshot: &Value) -> bool {
    let runs = snapshot["state"]["runs"].as_object().unwrap();
    runs.values().all(|run| !run["result"].is_null())
}

/// Breaks or mends the test, and waits for the run that follows.
#[track_caller]
fn change_mood(project: &Project, mood: &str, result: &str) -> u64 {
    let before = project.runs();
    project.write("mood.txt", format!("{mood}\n"));
    project.wait_until("the run that follows", |snapshot| {
        let run = snapshot["state"]["last_run"].as_u64().filter(|run| *run > before)?;
        let found = &snapshot["state"]["runs"][run.to_string()]["result"];
        (found == result).then_some(run)
    })
}

fn kinds(told: &[support::Told]) -> Vec<String> {
    told.iter().map(|told| told.json()["kind"].as_str().unwrap_or_default().to_owned()).collect()
}

/// What the board says of it.
fn problem(project: &Project, name: &str) -> Option<String> {
    let problems = &project.snapshot()["live"]["problems"];
    problems[format!("notify {name}")].as_str().map(str::to_owned)
}

#[track_caller]
fn wait_for_problem(project: &Project, name: &str, part: &str) -> String {
    project.wait_until(&format!("the problem `{part}`"), |_| problem(project, name).filter(|text| text.contains(part)))
}

#[test]
fn a_failure_and_its_end_are_told_to_slack_and_in_the_generic_form() {
    let (slack, generic) = (Webhook::new(), Webhook::new());
    let project = project(&format!(
        "[[notify]]\nname = \"chat\"\nwebhook = {{ env = \"CHAT\" }}\nformat = \"slack\"\n\
         [[notify]]\nname = \"own\"\nwebhook = \"{}\"\nheaders = {{ X-Team = \"ml\" }}\n",
        generic.url()
    ));
    project.set("CHAT", slack.url());
    begin(&project);
    let failed = change_mood(&project, "broken", "failed");
    let told = slack.wait_for(1)[0].json();
    assert_eq!(told["text"], format!("*light*: run {failed} failed at test"));
    assert_eq!(told["attachments"][0]["color"], "#d32f2f");
    let text = told["attachments"][0]["text"].as_str().unwrap();
    assert!(text.starts_with("test: exit code 3: no such column; the run was asked for: "), "{text}");
    let mended = change_mood(&project, "fine again", "passed");
    let told = generic.wait_for(2);
    assert_eq!(kinds(&told), ["failure", "recovery"]);
    let recovery = told[1].json();
    assert_eq!(recovery["title"], "test passes again");
    assert_eq!(
        (&recovery["run"], &recovery["stage"], &recovery["project"]),
        (&json!(mended), &json!("test"), &json!("light"))
    );
    assert!(told[0].head.contains(&"x-team: ml".to_owned()), "{:?}", told[0].head);
    assert_eq!(told[0].path, "/hooks/s3cret-path");
    assert_eq!(slack.wait_for(2).len(), 2);
    assert_eq!((problem(&project, "chat"), problem(&project, "own")), (None, None));
}

#[test]
fn one_that_answers_500_is_tried_again_until_it_takes_the_notice_once() {
    let hook = Webhook::answering(|count| if count < 2 { Reply::Status(500) } else { Reply::Status(200) });
    let project = project(&format!("[[notify]]\nname = \"own\"\nwebhook = \"{}\"\n", hook.url()));
    begin(&project);
    change_mood(&project, "broken", "failed");
    let told = hook.wait_for(3);
    assert!(told.iter().all(|told| told.json()["kind"] == "failure"));
    assert_eq!(told[0].json(), told[2].json());
    project.wait_until("the end of the problem", |_| problem(&project, "own").is_none().then_some(()));
    change_mood(&project, "fine again", "passed");
    let told = hook.wait_for(4);
    assert_eq!(kinds(&told), ["failure", "failure", "failure", "recovery"], "nothing is told twice");
}

#[test]
fn a_server_that_asks_for_time_gets_it() {
    let hook = Webhook::answering(|count| {
        if count == 0 { Reply::Page(429, "retry-after: 2\r\n".to_owned(), String::new()) } else { Reply::Status(200) }
    });
    let project = project(&format!("[[notify]]\nname = \"own\"\nwebhook = \"{}\"\n", hook.url()));
    begin(&project);
    change_mood(&project, "broken", "failed");
    wait_for_problem(&project, "own", "answered 429; it is tried again");
    assert_eq!(hook.wait_for(2).len(), 2);
}

#[test]
fn one_that_redirects_elsewhere_or_is_not_there_is_given_up_and_said_without_its_path() {
    let elsewhere = Webhook::new();
    let location = format!("location: {}\r\n", elsewhere.url());
    let moved = Webhook::answering(move |_| Reply::Page(301, location.clone(), String::new()));
    let gone = Webhook::answering(|_| Reply::Page(404, String::new(), "nothing at /hooks/s3cret-path".to_owned()));
    let project = project(&format!(
        "[[notify]]\nname = \"moved\"\nwebhook = \"{}\"\n[[notify]]\nname = \"gone\"\nwebhook = \"{}\"\n",
        moved.url(),
        gone.url()
    ));
    begin(&project);
    change_mood(&project, "broken", "failed");
    let told = wait_for_problem(&project, "moved", "answered 301");
    assert!(told.contains(&format!("points to 127.0.0.1:{}", elsewhere.port())), "{told}");
    assert!(told.contains("name the final address in `webhook`"), "{told}");
    let told_of_gone = wait_for_problem(&project, "gone", "answered 404: nothing at /…");
    for text in [told, told_of_gone, project.account()] {
        assert!(!text.contains("s3cret"), "{text}");
    }
    change_mood(&project, "fine again", "passed");
    assert_eq!((moved.wait_for(2).len(), gone.wait_for(2).len()), (2, 2), "each notice was sent once");
    assert!(elsewhere.told().is_empty());
}

#[test]
fn the_same_server_may_send_on_to_another_path() {
    let hook = Webhook::answering(|count| match count {
        0 => Reply::Page(307, "location: /other\r\n".to_owned(), String::new()),
        _ => Reply::Status(200),
    });
    let project = project(&format!("[[notify]]\nname = \"own\"\nwebhook = \"{}\"\n", hook.url()));
    let said = project.command(&["notify", "test"]).ok().stdout;
    assert!(said.starts_with("own: told; 127.0.0.1:"), "{said}");
    let told = hook.told();
    assert_eq!((told[1].path.as_str(), &told[1].body), ("/other", &told[0].body));
}

#[test]
fn one_that_hangs_holds_up_neither_a_run_nor_another() {
    let (hangs, works) = (Webhook::answering(|_| Reply::Hang), Webhook::new());
    let project = project(&format!(
        "[[notify]]\nname = \"hangs\"\nwebhook = \"{}\"\ntimeout = \"2s\"\n\
         [[notify]]\nname = \"works\"\nwebhook = \"{}\"\n",
        hangs.url(),
        works.url()
    ));
    begin(&project);
    change_mood(&project, "broken", "failed");
    hangs.wait_for(1);
    // It waits for an answer that never comes; everything goes on.
    change_mood(&project, "fine again", "passed");
    assert_eq!(kinds(&works.wait_for(2)), ["failure", "recovery"]);
    wait_for_problem(&project, "hangs", "did not answer within 2000 ms");
    assert!(hangs.told().iter().all(|told| told.json()["kind"] == "failure"), "one after the other");
}

#[test]
fn a_program_is_told_too_and_its_complaint_is_seen() {
    let project = project(
        "[[notify]]\nname = \"script\"\ncommand = [\"./notify.sh\", \"{title}\"]\n\
         [[notify]]\nname = \"bad\"\ncommand = [\"sh\", \"-c\", \"echo no such room >&2; exit 4\"]\n",
    );
    let outside = project.outside().join("told");
    let script = format!("#!/bin/sh\necho \"$1|$TRAINYARD_NOTICE_STAGE\" >> {0}; cat >> {0}\n", outside.display());
    project.write("notify.sh", script);
    fs::set_permissions(project.folder().join("notify.sh"), fs::Permissions::from_mode(0o755)).unwrap();
    begin(&project);
    let failed = change_mood(&project, "broken", "failed");
    let text = wait_for("the script", PATIENCE, || whole_lines(&outside, 2));
    let (first, second) = text.split_once('\n').unwrap();
    assert_eq!(first, format!("run {failed} failed at test|test"));
    let facts: Value = serde_json::from_str(second.trim()).unwrap();
    assert_eq!((&facts["version"], &facts["run"]), (&json!(1), &json!(failed)));
    wait_for_problem(&project, "bad", "`sh` ended with exit code 4: no such room");
}

fn whole_lines(path: &Path, count: usize) -> Option<String> {
    fs::read_to_string(path).ok().filter(|text| text.matches('\n').count() >= count)
}

#[test]
fn what_is_beyond_the_allowance_is_not_told() {
    let hook = Webhook::new();
    let project = project(&format!(
        "[[notify]]\nname = \"own\"\nwebhook = \"{0}\"\nat_most = 2\n\
         [[notify]]\nname = \"all\"\nwebhook = \"{0}-of-all\"\n",
        hook.url()
    ));
    begin(&project);
    for round in 0..2 {
        change_mood(&project, &format!("broken {round}"), "failed");
        change_mood(&project, &format!("fine again {round}"), "passed");
    }
    let paths = |end: &str| hook.told().iter().filter(|told| told.path.ends_with(end)).count();
    wait_for("all four", PATIENCE, || (paths("-of-all") == 4).then_some(()));
    // What is not told is noted as done all the same.
    let told = hook.told();
    let last = told.iter().filter_map(|told| told.json()["id"].as_u64()).max().unwrap();
    let ledger = project.state("notified.json");
    wait_for("the other to have come as far", PATIENCE, || {
        let known: Value = serde_json::from_slice(&fs::read(&ledger).ok()?).ok()?;
        (known["own"] == last).then_some(())
    });
    assert_eq!(paths("s3cret-path"), 2);
}

#[test]
fn what_happened_while_nobody_told_it_is_told_once_by_the_next_daemon() {
    let hook = Webhook::new();
    let project = project("[[notify]]\nname = \"own\"\nwebhook = { file = \"../outside/hook\" }\non = [\"failure\"]\n");
    // Nobody listens there when the daemon tries, and it is killed before anybody does.
    let address = project.outside().join("hook");
    fs::write(&address, "http://127.0.0.1:9/away\n").unwrap();
    begin(&project);
    change_mood(&project, "broken", "failed");
    wait_for_problem(&project, "own", "127.0.0.1:9 cannot be reached");
    support::send(project.daemon(), rustix::process::Signal::KILL);
    fs::write(&address, hook.url()).unwrap();
    project.up();
    let told = hook.wait_for(1);
    assert_eq!(kinds(&told), ["failure"]);
    let sequence = told[0].json()["id"].clone();
    wait_for("it to be noted", PATIENCE, || {
        let known: Value = serde_json::from_slice(&fs::read(project.state("notified.json")).ok()?).ok()?;
        (known["own"] == sequence).then_some(())
    });
    project.command(&["down"]).ok();
    project.up();
    // A later failure comes behind whatever would be told again.
    change_mood(&project, "fine again", "passed");
    change_mood(&project, "broken again", "failed");
    let ids: Vec<Value> = hook.wait_for(2).iter().map(|told| told.json()["id"].clone()).collect();
    assert_eq!(ids.iter().filter(|id| **id == sequence).count(), 1, "{ids:?}");
}

#[test]
fn a_test_says_at_once_what_came_back() {
    let (works, refuses) = (Webhook::new(), Webhook::answering(|_| Reply::Status(403)));
    let project = project(&format!(
        "[[notify]]\nname = \"works\"\nwebhook = \"{}\"\n[[notify]]\nname = \"refuses\"\nwebhook = \"{}\"\n\
         [[notify]]\nname = \"unset\"\nwebhook = {{ env = \"NO_SUCH_HOOK\" }}\n",
        works.url(),
        refuses.url()
    ));
    let said = project.command(&["notify", "test", "works"]).ok().stdout;
    assert_eq!(said, format!("works: told; 127.0.0.1:{} answered 200\n", works.port()));
    assert_eq!(works.told()[0].json()["title"], "a test of notifications");
    let said = project.command(&["notify", "test"]).expect_code(1).stdout;
    assert!(
        said.contains(&format!("refuses: not told; 127.0.0.1:{} answered 403; check its `headers`\n", refuses.port()))
    );
    assert!(said.contains("unset: not told; the address is to come from the variable NO_SUCH_HOOK"), "{said}");
    assert!(!said.contains("s3cret"), "{said}");
    let refused = project.command(&["notify", "test", "team"]).expect_code(2).stderr;
    assert!(refused.contains("there is no [[notify]] called `team`; there is works, refuses, unset"), "{refused}");
}
