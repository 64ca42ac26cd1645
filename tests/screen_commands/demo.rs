//! The keys of the demo, in a demo. What follows from each is the affair of the chain; here it is seen that the thing is done.

use std::fs;

use crate::desk::{Case, Desk, case};
use crate::support::Project;

/// What is registered after the first batch.
const BATCHES: [&str; 3] = ["2023-autumn.csv", "2024-spring.csv", "2024-autumn.csv"];

pub const CASES: &[Case] =
    &[case("next-batch", next_batch), case("break-source", break_source), case("bad-release", bad_release)];

pub fn desk() -> Desk {
    let project = Project::bare();
    let folder = project.folder().display().to_string();
    Desk::start(project, &["demo", "--dir", &folder])
}

fn next_batch(desk: &mut Desk) {
    let data = desk.project.folder().join("data");
    let next = BATCHES.iter().find(|batch| !data.join(batch).exists()).expect("a batch that is not registered");
    desk.strike();
    desk.see(&format!("registered {next}, "));
    assert!(data.join(next).exists());
}

fn break_source(desk: &mut Desk) {
    desk.strike();
    desk.see("is broken: a test fails");
    desk.press_and_see("X", "is mended: the next run passes");
}

fn bad_release(desk: &mut Desk) {
    let read = |desk: &Desk| fs::read_to_string(desk.project.folder().join("trainyard.toml")).unwrap();
    let before = read(desk);
    desk.strike();
    desk.see("which clients do not send");
    assert_ne!(read(desk), before);
    desk.press_and_see("E", "does without `chlorides` again");
    assert_eq!(read(desk), before);
}
