//! Builds by the user's own Dockerfile: those that fail, secrets, an engine that goes away meanwhile, a context of gigabytes.

use std::fs;
use std::path::Path;

use super::SOCKET;
use super::support::{Forwarder, POINTS, PythonApp, carrying, command_line, docker, get, has_docker, replaced};

#[test]
fn a_dockerfile_that_fails_names_the_step_and_its_output_and_a_secret_is_nowhere() {
    if !has_docker("a_dockerfile_that_fails_names_the_step_and_its_output_and_a_secret_is_nowhere") {
        return;
    }
    let app = PythonApp::new();
    let dockerfile = fs::read_to_string(app.folder().join("Dockerfile")).unwrap();
    app.write("Dockerfile", format!("{dockerfile}\nUSER root\nRUN echo before-the-fall && exit 9\n"));
    app.up();
    app.register("points.csv", POINTS);
    let run = app.expect_run(1, "failed");
    let said = run["stages"]["build"].to_string();
    assert!(said.contains('9') && said.contains("RUN"), "{said}");
    let log = app.command(&["logs", "build"]).ok();
    assert!(log.said().contains("before-the-fall"), "{}", log.said());

    app.write("Dockerfile", "FROM trainyard-test-python:1\nCOPPY . /app\n");
    let run = app.expect_run(2, "failed");
    let said = run["stages"]["build"].to_string().to_lowercase();
    assert!(said.contains("coppy"), "{said}");
}

#[test]
fn a_secret_reaches_its_step_and_neither_log_nor_history_nor_journal() {
    if !has_docker("a_secret_reaches_its_step_and_neither_log_nor_history_nor_journal") {
        return;
    }
    let app = PythonApp::with(|text| {
        let keys = "dockerfile = \"Dockerfile\"\nsecrets = { token = \"$REGISTRY_TOKEN\" }";
        replaced(text, "dockerfile = \"Dockerfile\"", keys)
    });
    let dockerfile = fs::read_to_string(app.folder().join("Dockerfile")).unwrap();
    let step = "RUN --mount=type=secret,id=token,mode=0444 sh -c 'test $(wc -c < /run/secrets/token) = 20 && echo it-was-there'";
    app.write("Dockerfile", format!("{dockerfile}\n{step}\n"));
    app.set("DOCKER_BUILDKIT", "1");
    app.set("REGISTRY_TOKEN", "a-secret-of-20-bytes");
    app.up();
    app.register("points.csv", POINTS);
    app.expect_run(1, "passed");
    assert!(app.command(&["logs", "build"]).ok().said().contains("it-was-there"));
    let image = app.snapshot()["state"]["releases"]["1"]["image"].as_str().unwrap().to_owned();
    let history = docker(&["history", "--no-trunc", &image]).ok();
    assert!(!history.said().contains("a-secret"), "{}", history.said());
    let mut open = vec![app.state("")];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).unwrap().flatten() {
            if entry.path().is_dir() {
                open.push(entry.path());
            } else if let Ok(bytes) = fs::read(entry.path()) {
                let holds = bytes.windows(20).any(|window| window == b"a-secret-of-20-bytes");
                assert!(!holds, "{} holds the secret", entry.path().display());
            }
        }
    }
    // The classic builder has no secrets: the stage says so and builds nothing.
    app.command(&["down"]).ok();
    app.write("Dockerfile", format!("{dockerfile}\n{step}\nLABEL again=1\n"));
    app.set("DOCKER_BUILDKIT", "0");
    app.up();
    let run = app.expect_run(2, "failed");
    assert!(run["stages"]["build"].to_string().contains("BuildKit"), "{run}");
}

#[test]
fn an_engine_that_goes_away_in_the_middle_of_a_build_is_told_and_the_build_is_made_when_it_is_back() {
    if !has_docker("an_engine_that_goes_away_in_the_middle_of_a_build_is_told_and_the_build_is_made_when_it_is_back") {
        return;
    }
    let app = PythonApp::new();
    let line = app.outside().join("engine.sock");
    let forwarder = Forwarder::between_sockets(&line, Path::new(SOCKET));
    app.set("DOCKER_HOST", format!("unix://{}", line.display()));
    app.up();
    app.register("points.csv", POINTS);
    app.expect_run(1, "passed");
    let dockerfile = fs::read_to_string(app.folder().join("Dockerfile")).unwrap();
    // Longer than anything waits here: without the cut it would not end.
    let slow = format!("{dockerfile}\nRUN echo begun && sleep 600\n");
    app.write("Dockerfile", &slow);
    app.wait_for_stage(2, "build", "running");
    app.wait_until("the slow step", |_| app.log(2, "build").contains("begun").then_some(()));
    forwarder.cut();
    let run = app.expect_run(2, "failed");
    let said = run["stages"]["build"].to_string();
    assert!(said.contains("Docker Engine"), "{said}");
    assert_eq!(app.snapshot()["state"]["live"], 1);
    assert_eq!(get(app.port(), "/healthz").unwrap().status, 200, "the containers of the engine went on");
    app.command(&["run", "build", "--wait"]).expect_code(3);
    forwarder.mend();
    app.write("Dockerfile", format!("{dockerfile}\nRUN echo done\n"));
    app.wait_until("a later release", |snapshot| (snapshot["state"]["live"].as_u64() > Some(1)).then_some(()));
}

#[test]
fn a_context_of_a_gigabyte_is_never_held_whole() {
    if !has_docker("a_context_of_a_gigabyte_is_never_held_whole") {
        return;
    }
    let app = PythonApp::new();
    // Zeros without blocks: the disk does not notice, the engine gets all of them.
    fs::File::create(app.folder().join("weights.bin")).unwrap().set_len(1 << 30).unwrap();
    app.up();
    app.register("points.csv", POINTS);
    let mark = app.folder().display().to_string();
    let mut peak = 0;
    app.wait_until("the end of the build", |snapshot| {
        for pid in carrying(&mark) {
            if command_line(pid).windows(2).any(|words| words == ["stage", "image"]) {
                peak = peak.max(peak_of(pid));
            }
        }
        (!snapshot["state"]["runs"]["1"]["result"].is_null()).then_some(())
    });
    app.expect_run(1, "passed");
    assert!(peak > 0, "the stage was never seen");
    assert!(peak < 200 << 20, "the stage took {} MiB", peak >> 20);
}

/// The most memory that a process ever had resident, in bytes.
fn peak_of(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok()).unwrap_or(0) << 10
}
