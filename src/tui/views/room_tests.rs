//! What is long is whole where there is room for it: in details, which have rows to spare, and in the last column of lists. Where
//! there is none, what matters most is there all the same.

use std::sync::Arc;

use crate::pipeline::{Command, FailingTest, Failure, Input, Outcome, Outputs, TestReport};
use crate::tui::app::Model;
use crate::tui::fixtures::{self, World, live, render};
use crate::tui::key_fixtures::press;
use crate::tui::model_fixtures;

/// The rows of the screen without frames; where two panes stand side by side, those of the right one.
fn rows(model: &Model, width: u16, height: u16) -> Vec<String> {
    let text = render(model, width, height);
    let inside = |row: &str| row.rsplit_once("││").map_or(row, |(_, right)| right).trim_matches('│').trim().to_owned();
    text.lines().map(inside).collect()
}

/// The row of a list in which all of this stands.
fn row_of(model: &Model, (width, height): (u16, u16), told: &[&str]) -> String {
    let text = render(model, width, height);
    let mut left = text.lines().map(|row| row.split_once("││").map_or(row, |(left, _)| left));
    left.find(|row| told.iter().all(|told| row.contains(told))).unwrap_or_else(|| panic!("{told:?}: {text}")).to_owned()
}

/// A third run, whose tests end like this, in Runs.
fn tested(failure: Failure, outputs: Outputs) -> Model {
    let mut world = fixtures::two_runs();
    world.register(3, "winter.csv");
    world.train(0.953);
    world.end(2_400, Outcome::Failed(failure), outputs);
    runs(&world)
}

fn runs(world: &World) -> Model {
    let mut model = world.model(live(world, true));
    press(&mut model, "2");
    model
}

fn failing(failed: u64, names: impl Iterator<Item = String>) -> Model {
    let failing = names.map(|name| FailingTest { name, message: String::new() }).collect();
    let tests = Some(TestReport { passed: 3, failed, skipped: 0, failing });
    tested(Failure::TestsFailed { failed }, Outputs { tests, ..Outputs::default() })
}

#[test]
fn a_test_that_failed_has_a_row_of_its_own_where_rows_are_free() {
    let mut model = fixtures::failed();
    press(&mut model, "2");
    let names = ["tests.test_app::test_예측_범위", "tests.test_app::test_schema"];
    for (width, height) in [(120, 40), (200, 50)] {
        let rows = rows(&model, width, height);
        for name in names {
            assert_eq!(rows.iter().filter(|row| *row == name).count(), 1, "{rows:#?}");
        }
        let counts = |row: &&String| row.contains("✖ test ") && row.ends_with("2 failed · 39 passed");
        assert_eq!(rows.iter().filter(counts).count(), 1, "{rows:#?}");
    }
    let usual = rows(&model, 80, 24);
    assert!(usual.contains(&names.join(", ")), "in the only row that is free: {usual:#?}");
    let low = rows(&model, 120, 23);
    let beside = format!("{} · 2 failed", names.join(", "));
    assert!(low.iter().any(|row| row.contains("✖ test ") && row.contains(&beside)), "{low:#?}");
    let smallest = rows(&model, 60, 15);
    assert!(smallest.iter().any(|row| row.contains("✖ test ") && row.contains("tests.test_app")), "{smallest:#?}");
}

#[test]
fn of_many_tests_that_failed_as_many_are_named_as_have_room_and_the_others_are_counted() {
    let model = failing(60, (0..40).map(|number| format!("tests.test_app::test_{number:02}")));
    let shown = rows(&model, 120, 40);
    let named = shown.iter().filter(|row| row.starts_with("tests.test_app::test_")).count();
    assert!(named > 2, "{shown:#?}");
    assert!(shown.contains(&format!("and {} more", 60 - named)), "{shown:#?}");
    assert!(shown.iter().any(|row| row == "build did not run"), "the other stages keep their rows: {shown:#?}");
}

#[test]
fn a_name_of_a_test_that_is_longer_than_the_pane_is_whole() {
    let name = format!("tests::{}", "parametrised-".repeat(22));
    let model = failing(1, std::iter::once(name.clone()));
    for (width, height) in [(120, 40), (200, 50)] {
        let rows = rows(&model, width, height);
        assert!(rows.concat().contains(&name), "{rows:#?}");
    }
}

#[test]
fn why_a_stage_failed_and_why_a_run_started_are_whole_where_rows_are_free() {
    let reason = (0..60).map(|number| format!("word{number}")).collect::<Vec<_>>().join(" ");
    let failed = tested(Failure::Exit { code: 1, said: reason.clone() }, Outputs::default());
    let mut world = fixtures::two_runs();
    let command = Command::Rollback { to: None };
    world.feed(Input::Command { by: "mina".to_owned(), from: None, message: reason.clone(), command });
    for model in [failed, runs(&world)] {
        for (width, height) in [(120, 40), (200, 50)] {
            let rows = rows(&model, width, height);
            assert!(rows.join(" ").contains(&reason), "{rows:#?}");
        }
    }
}

#[test]
fn the_address_of_a_release_is_whole_and_no_row_of_facts_begins_or_ends_with_a_dot() {
    let mut model = fixtures::deployed();
    press(&mut model, "5");
    for (width, height) in [(60, 15), (80, 24), (120, 40), (200, 50)] {
        let rows = rows(&model, width, height);
        assert!(rows.iter().any(|row| row.contains("http://127.0.0.1:8080")), "{rows:#?}");
        assert!(rows.iter().any(|row| row.contains("live release 4: serving")), "{rows:#?}");
        assert!(rows.iter().all(|row| !row.starts_with('·') && !row.ends_with('·')), "{rows:#?}");
    }
    let address = format!("http://{}:8080", "wine-quality.".repeat(8));
    let live = model.state.live.unwrap();
    let release = model.state.releases.get_mut(&live).unwrap();
    Arc::make_mut(release).address = Some(address.clone());
    let rows = rows(&model, 200, 50);
    assert!(rows.concat().contains(&address), "broken, but whole: {rows:#?}");
}

#[test]
fn what_others_changed_in_a_release_is_whole_from_a_usual_terminal_on() {
    let mut model = fixtures::deployed();
    press(&mut model, "5");
    let told = "changed by others: Deployment wine-quality: spec.replicas is 3, 2 was applied";
    for (width, height) in [(80, 24), (120, 40), (200, 50)] {
        let rows = rows(&model, width, height);
        assert!(rows.join(" ").contains(told), "{rows:#?}");
    }
}

#[test]
fn the_last_column_of_a_list_is_whole_where_the_others_need_less_than_they_may_have() {
    let (mut runs, mut releases) = (fixtures::failed(), fixtures::deployed());
    press(&mut runs, "2");
    press(&mut releases, "5");
    for size in [(120, 40), (200, 50)] {
        let row = row_of(&runs, size, &["✔ passed", "m2"]);
        assert!(row.contains("  data registered: winter.csv"), "{row}");
        let row = row_of(&releases, size, &["↷ retired", "m2"]);
        assert!(row.contains("automation") && row.contains("  data registered: winter.csv"), "{row}");
    }
    let row = row_of(&runs, (80, 24), &["✔ passed", "m2"]);
    assert!(row.contains("data registered: winter.csv"), "{row}");
    let mut models = model_fixtures::models();
    press(&mut models, "4");
    let row = row_of(&models, (120, 40), &["⊘ held"]);
    assert!(row.contains("  labels of batch 7 are doubtful"), "{row}");
    let mut searching = model_fixtures::searching();
    press(&mut searching, "4");
    assert!(row_of(&searching, (80, 24), &["m4"]).contains("◐ training"));
}

#[test]
fn a_column_in_which_nothing_stands_takes_no_room_from_the_last_one() {
    let mut model = fixtures::deployed();
    press(&mut model, "5");
    let begin = |model: &Model| {
        let head = row_of(model, (120, 40), &["health", "why"]);
        head.split("health").nth(1).unwrap().find("why").unwrap()
    };
    let with_health = begin(&model);
    model.live.target = None;
    assert!(begin(&model) < with_health);
}

#[test]
fn what_a_learner_is_stands_whole_in_the_leaderboard() {
    let mut model = model_fixtures::models();
    press(&mut model, "4b");
    let rows = rows(&model, 200, 50);
    assert!(rows.join(" ").contains("boosting, 200 rounds of 31 leaves at rate 0.1 "), "{rows:#?}");
}
