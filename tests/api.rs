//! The daemon's API as operators meet it: who is there, who may act, who goes on where they were, and who is turned away.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on fails")]

mod support;

use std::fs;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::Duration;

use futures_util::StreamExt;
use serde_json::{Value, json};
use support::{PATIENCE, Project, is_root, wait_for};
use tokio::runtime::Runtime;
use trainyard::api::client::{Client, EventStream, Identity};
use trainyard::api::server::{Access, routes};
use trainyard::api::types::{
    ACCESS_HEADER, CommandReply, CommandRequest, NoteRequest, OBSERVER, OPERATOR_HEADER, StreamItem, WatchRequest,
};
use trainyard::pipeline::{Command, Event, EventFilter, ModelVersion, Recorded, Refusal, RunId, Selection};

/// How long an answer on the plain socket may take.
const ANSWER: Duration = Duration::from_secs(30);
/// A user who is nobody's owner.
const SOMEBODY_ELSE: u32 = 65_534;
/// Lines that a flood has.
const LINES: u64 = 200_000;
/// Events of a flood: more than the daemon keeps for those who lag, and all that fits into what lies between.
const EVENTS: u64 = 6_000;
/// Bytes by which the daemon may grow in a flood. If it kept what the one who does not read has not read, it would be more.
const GROWTH: u64 = 64 << 20;

/// The socket of a project's daemon.
#[track_caller]
fn socket(project: &Project) -> PathBuf {
    let folders = fs::read_dir(project.runtime().join("trainyard")).unwrap();
    let mut sockets = folders.flatten().map(|entry| entry.path().join("daemon.sock"));
    sockets.find(|socket| socket.exists()).expect("a socket")
}

/// Light stages that have run once.
#[track_caller]
fn ran_once() -> Project {
    let project = Project::light();
    started(&project);
    project
}

#[track_caller]
fn started(project: &Project) {
    project.register("rows.csv", "x\n1\n2\n");
    project.up();
    project.expect_run(1, "passed");
}

fn client(project: &Project, name: &str) -> Client {
    let identity = Identity { name: name.to_owned(), from: Some("10.0.0.7".to_owned()), is_observer: false };
    Client::at_socket(socket(project), identity).unwrap()
}

fn observer(project: &Project, name: &str) -> Client {
    let identity = Identity { name: name.to_owned(), from: None, is_observer: true };
    Client::at_socket(socket(project), identity).unwrap()
}

fn run_again() -> CommandRequest {
    let selection = Selection { from: None, only: false, force: true };
    CommandRequest { message: String::new(), command: Command::Run(selection) }
}

/// An answer on the plain socket.
struct Answer {
    status: u16,
    body: String,
}

/// Asks without the program's own client, with any method. Of a stream only its beginning is read.
fn ask(socket: &Path, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> io::Result<Answer> {
    let mut stream = UnixStream::connect(socket)?;
    stream.set_read_timeout(Some(ANSWER))?;
    let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let length = body.len();
    // In one piece: a server that says no does not wait for the rest.
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: daemon\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\
         Connection: close\r\n{headers}\r\n{body}"
    );
    stream.write_all(request.as_bytes())?;
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let status = line.split(' ').nth(1).and_then(|status| status.parse().ok());
    let status = status.ok_or_else(|| io::Error::other(format!("no status: {line}")))?;
    let mut body = String::new();
    if !path.starts_with("/v1/events") {
        reader.read_to_string(&mut body)?;
    }
    let body = body.split_once("\r\n\r\n").map_or_else(String::new, |(_, body)| body.to_owned());
    Ok(Answer { status, body })
}

/// A route with something in place of its braces and behind its question mark, and a body. Where the answer is certain, a
/// screen gets 200.
fn question(path: &str) -> (String, Value, bool) {
    let selection = json!({"from": null, "only": false, "force": true});
    let (query, body, is_certain) = match path {
        "/metrics"
        | "/v1/hello"
        | "/v1/snapshot"
        | "/v1/models"
        | "/v1/models/{version}"
        | "/v1/metrics"
        | "/v1/alerts"
        | "/v1/end" => ("", Value::Null, true),
        "/v1/events" => ("after=0&session=7&view=Board&pace=100", Value::Null, true),
        "/v1/session" => ("", json!({"session": 7, "view": "Events"}), true),
        "/v1/history" => ("limit=10&by=ann", Value::Null, true),
        "/v1/past" | "/v1/past/place" => ("run=1&place=end", Value::Null, true),
        "/v1/past/logs/{run}/{stage}/{attempt}" => ("at=1&count=5", Value::Null, true),
        "/v1/time-line" => ("columns=10", Value::Null, true),
        "/v1/plan" => ("", json!({"selection": selection}), true),
        "/v1/logs/{run}/{stage}/{attempt}" => ("count=5", Value::Null, true),
        "/v1/logs/{run}/{stage}/{attempt}/search" => ("pattern=x&from=0&backward=false", Value::Null, true),
        "/v1/logs/{run}/{stage}/{attempt}/scan" => ("pattern=x&level=warn&context=2&from=0", Value::Null, true),
        "/v1/logs/{run}/{stage}/{attempt}/rows" => {
            let filter = json!({"pattern": "x", "also": null, "level": null, "context": 0});
            ("", json!({"filter": filter, "pieces": [{"numbers": [0]}]}), true)
        }
        "/v1/logs/{run}/{stage}/{attempt}/line" => ("at=0", Value::Null, true),
        "/v1/logs/{run}/{stage}/{attempt}/bytes" => ("offset=0", Value::Null, true),
        "/v1/charts" => ("range=60000&columns=10", Value::Null, true),
        "/v1/expression" => ("expression=up", Value::Null, true),
        // Nothing is deployed, scraped or profiled here.
        "/v1/rollback" | "/v1/models/{version}/profile" => ("", Value::Null, false),
        "/v1/release-log" => ("lines=5", Value::Null, false),
        "/v1/comparison" => ("expression=up&range=0&columns=10", Value::Null, false),
        "/v1/completions" => ("kind=expression&first=0&count=5", Value::Null, false),
        "/v1/query" => ("expression=up", Value::Null, false),
        "/v1/query-range" => ("expression=up&range=60000&step=1000", Value::Null, false),
        // What acts: all that its deed needs.
        "/v1/commands" => ("", json!({"message": "", "command": {"run": selection}}), true),
        "/v1/promote" => ("", json!({"model": 1, "message": "why"}), true),
        "/v1/remark" => ("", json!({"text": "what was done"}), true),
        "/v1/models/{version}/note" => ("", json!({"text": "a note"}), true),
        "/v1/alerts/silence" => ("", json!({"alert": "Drift", "milliseconds": 60_000, "message": ""}), true),
        "/v1/alerts/unsilence" => ("", json!({"alert": "Drift"}), true),
        other => panic!("say here how {other} is asked"),
    };
    let filled =
        path.replace("{run}", "1").replace("{stage}", "train").replace("{attempt}", "1").replace("{version}", "1");
    let mark = if query.is_empty() { "" } else { "?" };
    (format!("{filled}{mark}{query}"), body, is_certain)
}

/// The state, and the number of the last event in it.
#[track_caller]
fn state(socket: &Path) -> Value {
    let answer = ask(socket, "GET", "/v1/snapshot", &[], "").unwrap();
    let snapshot: Value = serde_json::from_str(&answer.body).unwrap();
    snapshot["state"].clone()
}

#[test]
fn an_observer_looks_at_everything_and_changes_nothing_by_any_route() {
    let project = ran_once();
    let socket = socket(&project);
    let (daemon, before) = (project.daemon(), state(&socket));
    let observer = [(ACCESS_HEADER, OBSERVER), (OPERATOR_HEADER, "olga")];
    for route in routes() {
        let (path, body, is_certain) = question(route.path);
        let answer = ask(&socket, route.method, &path, &observer, &body.to_string()).unwrap();
        match route.access {
            Access::Act => {
                assert_eq!(answer.status, 403, "{} {path}: {}", route.method, answer.body);
                assert!(answer.body.contains("--read-only"), "{path}: {}", answer.body);
            }
            Access::Read if is_certain => assert_eq!(answer.status, 200, "{path}: {}", answer.body),
            Access::Read => assert_ne!(answer.status, 403, "{path}: {}", answer.body),
        }
        // Nor by another method than the one that is meant.
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE"].into_iter().filter(|method| *method != route.method) {
            let answer = ask(&socket, method, &path, &observer, &body.to_string()).unwrap();
            assert!(!(200..300).contains(&answer.status), "{method} {path}: {}", answer.status);
        }
        assert_eq!(state(&socket), before, "{} {path} changed something", route.method);
    }
    assert_eq!(project.daemon(), daemon, "the daemon still runs");
    // The same deed, done by somebody who may.
    let (path, body, _) = question("/v1/models/{version}/note");
    let answer = ask(&socket, "POST", &path, &[(OPERATOR_HEADER, "ann")], &body.to_string()).unwrap();
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_ne!(state(&socket), before);
}

#[test]
fn of_two_who_ask_for_the_same_run_at_once_one_gets_it_and_the_other_is_told_whose() {
    let project = Project::bare();
    let gate = project.outside().join("gate");
    let train = format!(
        "until test -e '{}'; do sleep 0.05; done\nxargs cat < \"$TRAINYARD_DATA\" | wc -l > \"$TRAINYARD_MODEL/lines\"\n",
        gate.display()
    );
    let configuration =
        "[project]\nname = \"gated\"\n[data]\nsettle = \"300ms\"\n[stages.train]\ncommand = [\"sh\", \"train.sh\"]\n";
    project.furnish(configuration, &[("train.sh", train.as_str())]);
    fs::write(&gate, "").unwrap();
    started(&project);
    fs::remove_file(&gate).unwrap();
    let barrier = Arc::new(Barrier::new(2));
    let asking = ["ann", "bob"].map(|name| {
        let (client, barrier) = (client(&project, name), Arc::clone(&barrier));
        thread::spawn(move || {
            let runtime = Runtime::new().unwrap();
            barrier.wait();
            (name, runtime.block_on(client.command(&run_again())).unwrap())
        })
    });
    let replies = asking.map(|asking| asking.join().unwrap());
    let (winner, _) =
        *replies.iter().find(|(_, reply)| *reply == Ok(Some(RunId(2)))).expect("one of them gets the run");
    let told: CommandReply = Err(Refusal::SameRun { run: RunId(2), by: winner.to_owned() });
    assert_eq!(replies.iter().filter(|(_, reply)| *reply == told).count(), 1, "{replies:?}");
    fs::write(&gate, "").unwrap();
    project.expect_run(2, "passed");
    assert_eq!(project.runs(), 2);
    // Both are in the trail, the refused one too.
    let runtime = Runtime::new().unwrap();
    for (name, reply) in &replies {
        let filter = EventFilter { by: Some((*name).to_owned()), ..EventFilter::default() };
        let events = runtime.block_on(client(&project, "tester").history_matching(&filter, None, 100)).unwrap();
        let asked = events.iter().filter_map(|recorded| match &recorded.event {
            Event::Commanded { from, refused, .. } => Some((from.as_deref(), refused.as_ref())),
            _ => None,
        });
        assert_eq!(asked.collect::<Vec<_>>(), [(Some("10.0.0.7"), reply.as_ref().err())]);
    }
}

#[test]
fn screens_are_listed_while_they_are_there() {
    let project = ran_once();
    let runtime = Runtime::new().unwrap();
    let (ann, olga) = (client(&project, "Ann Lee"), observer(&project, "olga"));
    let after = runtime.block_on(ann.hello()).unwrap().sequence;
    let watch = |client: &Client, session: u64| {
        let request = WatchRequest { session, view: "Board".to_owned(), pace: 100 };
        runtime.block_on(client.watch(after, &request)).unwrap()
    };
    let operators = || runtime.block_on(ann.snapshot()).unwrap().live.operators;
    let mut first = watch(&ann, 1);
    let second = watch(&olga, 2);
    let listed = operators();
    let account = listed[0].account.clone();
    assert!(!account.is_empty());
    let lines: Vec<_> = listed
        .iter()
        .map(|one| (one.session, one.name.as_str(), one.account == account, one.from.as_deref(), one.is_observer))
        .collect();
    assert_eq!(lines, [(1, "Ann Lee", true, Some("10.0.0.7"), false), (2, "olga", true, None, true)]);
    runtime.block_on(olga.show_view(2, "Events")).unwrap();
    // Not their own: the number of another gives no right to it.
    runtime.block_on(olga.show_view(1, "Models")).unwrap();
    runtime.block_on(ann.show_view(2, "Models")).unwrap();
    assert_eq!(operators().into_iter().map(|one| one.view).collect::<Vec<_>>(), ["Board", "Events"]);
    // The one that came back takes its own place, and what is left of the former ends.
    let again = watch(&ann, 1);
    assert_eq!(operators().iter().map(|one| one.session).collect::<Vec<_>>(), [1, 2]);
    let ended = async { while first.next().await.is_some() {} };
    runtime.block_on(async { tokio::time::timeout(PATIENCE, ended).await }).expect("the former stream ends");
    drop(second);
    wait_for("the observer to be gone", PATIENCE, || {
        (operators().iter().map(|one| one.session).collect::<Vec<_>>() == [1]).then_some(())
    });
    drop(again);
    wait_for("everybody to be gone", PATIENCE, || operators().is_empty().then_some(()));
}

/// The next item; a stream that is silent for too long is a failure.
#[track_caller]
fn next(runtime: &Runtime, stream: &mut EventStream) -> StreamItem {
    let item = runtime.block_on(async { tokio::time::timeout(PATIENCE, stream.next()).await });
    item.expect("an item in time").expect("an item").unwrap()
}

#[test]
fn a_screen_goes_on_where_it_was_though_the_daemon_was_started_anew() {
    let project = ran_once();
    let runtime = Runtime::new().unwrap();
    let ann = client(&project, "ann");
    let known = runtime.block_on(ann.hello()).unwrap();
    let mut stream = runtime.block_on(ann.events(known.sequence)).unwrap();
    assert!(matches!(next(&runtime, &mut stream), StreamItem::Live(_)), "the whole comes first");
    project.command(&["down"]).ok();
    project.up();
    let ann = client(&project, "ann");
    let text = "written while nobody looked".to_owned();
    runtime.block_on(ann.note_model(ModelVersion(1), &NoteRequest { text })).unwrap();
    let hello = runtime.block_on(ann.hello()).unwrap();
    assert_eq!(hello.daemon.journal, known.daemon.journal, "its numbers mean the same");
    assert_ne!(hello.daemon.pid, known.daemon.pid);
    assert!(hello.sequence > known.sequence);
    let mut stream = runtime.block_on(ann.events(known.sequence)).unwrap();
    let mut missed: Vec<Recorded> = Vec::new();
    while missed.last().is_none_or(|last| last.sequence < hello.sequence) {
        let StreamItem::Event(recorded) = next(&runtime, &mut stream) else { panic!("first what was missed") };
        missed.push(recorded);
    }
    let numbers: Vec<u64> = missed.iter().map(|recorded| recorded.sequence).collect();
    assert_eq!(numbers, (known.sequence + 1..=hello.sequence).collect::<Vec<_>>(), "none is missing, none doubled");
    // Not one word of it is of another's.
    let filter = EventFilter { by: Some("ann".to_owned()), ..EventFilter::default() };
    let found = runtime.block_on(ann.history_matching(&filter, None, 10)).unwrap();
    assert!(matches!(&found[..], [Recorded { event: Event::ModelNoted { by, .. }, .. }] if by == "ann"), "{found:?}");
}

/// Bytes that a process has in memory.
fn resident(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1_024
}

#[test]
fn a_screen_that_never_reads_costs_the_daemon_nothing_and_is_sent_to_a_new_snapshot() {
    let configuration =
        "[project]\nname = \"flood\"\n[data]\nsettle = \"300ms\"\n[stages.train]\ncommand = [\"sh\", \"train.sh\"]\n";
    let train = format!("seq 1 {LINES}\necho done > \"$TRAINYARD_MODEL/lines\"\n");
    let project = Project::with(configuration, &[("train.sh", train.as_str())]);
    started(&project);
    let runtime = Runtime::new().unwrap();
    let (reader, flooder) = (client(&project, "reader"), client(&project, "flooder"));
    let daemon = project.daemon();
    let after = runtime.block_on(reader.hello()).unwrap().sequence;
    let request = WatchRequest { session: 1, view: "Logs".to_owned(), pace: 50 };
    let mut stream = runtime.block_on(reader.watch(after, &request)).unwrap();
    let before = resident(daemon);
    runtime.block_on(flooder.command(&run_again())).unwrap().unwrap();
    // Each is refused, and each is written down.
    let refused = CommandRequest { message: "why ".repeat(256), command: Command::Unlock };
    let asked = futures_util::stream::iter(0..EVENTS).for_each_concurrent(8, |_| async {
        assert_eq!(flooder.command(&refused).await.unwrap(), Err(Refusal::NotLocked));
    });
    runtime.block_on(asked);
    project.expect_run(2, "passed");
    let grown = resident(daemon).saturating_sub(before);
    assert!(grown < GROWTH, "the daemon grew by {grown} bytes");
    let log = project.log(2, "train");
    let lines = log.lines().filter_map(|line| line.parse::<u64>().ok());
    assert!(lines.eq(1..=LINES), "no line is lost because somebody does not listen");
    // What it gets when it reads at last is in order, and then it is told to begin anew.
    let mut last = after;
    loop {
        match next(&runtime, &mut stream) {
            StreamItem::Event(recorded) => {
                assert_eq!(recorded.sequence, last + 1);
                last = recorded.sequence;
            }
            StreamItem::Live(_) | StreamItem::Changes(_) => {}
            StreamItem::Behind => break,
        }
    }
    let snapshot = runtime.block_on(reader.snapshot()).unwrap();
    assert!(snapshot.state.sequence > after + EVENTS && last < snapshot.state.sequence);
    let mut stream = runtime.block_on(reader.watch(snapshot.state.sequence, &request)).unwrap();
    assert!(matches!(next(&runtime, &mut stream), StreamItem::Live(_)));
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// Does something as another user. Only this one thread becomes that user, and ends with it.
fn as_somebody_else<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    use rustix::thread::{Gid, Uid, set_thread_groups, set_thread_res_gid, set_thread_res_uid};
    thread::scope(|scope| {
        let thread = scope.spawn(|| {
            let (group, user) = (Gid::from_raw(SOMEBODY_ELSE), Uid::from_raw(SOMEBODY_ELSE));
            set_thread_groups(&[]).unwrap();
            set_thread_res_gid(group, group, group).unwrap();
            set_thread_res_uid(user, user, user).unwrap();
            work()
        });
        thread.join().unwrap()
    })
}

#[test]
fn another_user_is_turned_away_at_the_folder_at_the_socket_and_at_the_door() {
    if !is_root() {
        eprintln!("skipped: another_user_is_turned_away_…: only root may become another user");
        return;
    }
    let project = ran_once();
    let (socket, state_folder) = (socket(&project), project.state(""));
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let folder = socket.parent().unwrap();
    let modes = [socket.as_path(), folder, folder.parent().unwrap(), &state_folder].map(mode);
    assert_eq!(modes, [0o600, 0o700, 0o700, 0o700], "closed as they are made");
    // The temporary folder around all of it is the test's, and is no part of what is tested.
    let root = project.folder().parent().unwrap();
    for path in [root, project.folder(), project.runtime().as_path()] {
        set_mode(path, 0o755);
    }
    let knock = || ask(&socket, "GET", "/v1/snapshot", &[], "").map(|answer| (answer.status, answer.body));
    let read = || fs::read_dir(&state_folder).map(|_| ());
    let denied = |error: &io::Error| error.kind() == io::ErrorKind::PermissionDenied;
    assert!(as_somebody_else(read).is_err_and(|error| denied(&error)), "the journal and the logs are closed");
    assert!(as_somebody_else(knock).is_err_and(|error| denied(&error)), "the folder of the socket is closed");
    set_mode(folder.parent().unwrap(), 0o755);
    set_mode(folder, 0o755);
    assert!(as_somebody_else(knock).is_err_and(|error| denied(&error)), "the socket itself is closed");
    // A mistake of an administrator: now only the daemon itself is left to say no.
    set_mode(&socket, 0o666);
    for route in routes() {
        let (path, body, _) = question(route.path);
        let asked = || ask(&socket, route.method, &path, &[], &body.to_string());
        let answer = as_somebody_else(asked).unwrap();
        assert_eq!(answer.status, 403, "{path}: {}", answer.body);
        if !path.starts_with("/v1/events") {
            assert!(answer.body.contains("this daemon belongs to"), "{path}: {}", answer.body);
        }
    }
    let nowhere = as_somebody_else(|| ask(&socket, "GET", "/nowhere", &[], "")).unwrap();
    assert_eq!(nowhere.status, 403, "whoever may not enter learns nothing");
    assert_eq!(ask(&socket, "GET", "/v1/hello", &[], "").unwrap().status, 200, "the owner still comes in");
}
