//! A stage that waits for a person: each answer is given, and is seen in the run.

use crate::desk::{Case, Desk, case};
use crate::support::{Project, stage_word};

/// Its second stage waits for whoever runs the tests.
const APPROVED: &str = r#"
[project]
name = "approved"
[data]
settle = "100ms"
[stages.train]
command = ["sh", "train.sh"]
[stages.test]
needs = ["train"]
approve = ["tester"]
command = ["sh", "test.sh"]
"#;

pub const CASES: &[Case] = &[case("approve", approve), case("decline", decline), case("cancel", cancel)];

pub fn desk() -> Desk {
    // Another model each time: what got nothing new would be skipped, and would wait for nobody.
    let scripts = [("train.sh", "date +%s%N > \"$TRAINYARD_MODEL/made\"\n"), ("test.sh", "true\n")];
    let project = Project::with(APPROVED, &scripts);
    project.up();
    Desk::open(project)
}

/// A new run, which waits for its approval, also on the screen.
fn waiting_run(desk: &mut Desk) -> u64 {
    let run = desk.project.runs() + 1;
    desk.project.register(&format!("{run}.csv"), format!("x\n{run}\n"));
    desk.project.wait_for_stage(run, "test", "awaiting_approval");
    desk.see(&format!("run {run} ·"));
    desk.see("awaiting approval");
    run
}

fn approve(desk: &mut Desk) {
    let run = waiting_run(desk);
    desk.strike();
    desk.see(&format!("Approve test of run {run}?"));
    desk.terminal.press("looked at it\r");
    let run = desk.project.expect_run(run, "passed");
    assert_eq!(run["stages"]["test"]["approved"]["message"], "looked at it");
    desk.lose("awaiting approval");
}

fn decline(desk: &mut Desk) {
    let run = waiting_run(desk);
    desk.strike();
    desk.see(&format!("Decline test of run {run}?"));
    desk.terminal.press("not today\r");
    let run = desk.project.finished_run(run);
    assert_eq!(stage_word(&run, "test"), "not_run");
    assert_eq!(run["stages"]["test"]["state"]["not_run"]["obstacle"]["declined"]["message"], "not today");
    desk.lose("awaiting approval");
}

fn cancel(desk: &mut Desk) {
    let run = waiting_run(desk);
    desk.strike();
    desk.see(&format!("Cancel run {run}?"));
    desk.terminal.press("y");
    desk.project.expect_run(run, "cancelled");
    desk.lose("awaiting approval");
}
