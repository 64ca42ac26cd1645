//! Looking back with the real binary: the board and the runs as they were, with a daemon and without one.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on says so by a panic"
)]

mod support;

use support::Project;

#[test]
fn the_board_and_the_runs_are_shown_as_they_were_also_when_no_daemon_runs() {
    let project = Project::light();
    project.register("rows.csv", "x\n1\n2\n");
    project.up();
    project.expect_run(1, "passed");
    project.register("more.csv", "x\n3\n");
    project.expect_run(2, "passed");
    let look = || {
        let then = project.command(&["status", "--at", "run 1", "--json"]).ok().json();
        assert_eq!(then["state"]["last_run"], 1);
        assert_eq!(then["state"]["runs"]["1"]["result"], "passed");
        assert_eq!(then["state"]["inputs"]["data"]["count"], 1);
        let told = project.command(&["status", "--at", "run 1"]).ok().stdout;
        assert!(told.contains("as it was") && told.contains("run 1 "), "{told}");
        assert!(!told.contains("run 2"), "{told}");
        let runs = project.command(&["runs", "--at", "run 1", "--json"]).ok().json();
        assert_eq!(runs.as_array().map(Vec::len), Some(1));
    };
    look();
    project.command(&["down"]).ok();
    look();
    let unknown = project.command(&["status", "--at", "run 9"]).expect_code(1);
    assert!(unknown.stderr.contains("run 9 never began"), "{}", unknown.stderr);
    let unread = project.command(&["runs", "--at", "soon"]).expect_code(2);
    assert!(unread.stderr.contains("`soon` is no moment"), "{}", unread.stderr);
    // The daemon writes on into the journal that was looked at.
    project.up();
    project.register("most.csv", "x\n4\n");
    project.expect_run(3, "passed");
}
