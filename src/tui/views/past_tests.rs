//! What the screen shows of the past, and of the line of time on which it lies.

use super::super::past_fixtures::{press, send};
use crate::api::types::LineState;
use crate::tui::app::Model;
use crate::tui::fixtures::{self, World, live, render, without_colours};
use crate::tui::message::Msg;

/// Two runs that passed, seen five days later.
fn later() -> (Model, World) {
    let world = fixtures::two_runs();
    let mut model = world.model(live(&world, true));
    model.now = world.at.plus(5 * 86_400_000);
    (model, world)
}

/// Large and dark, small and without colours.
fn snapshots(name: &str, model: &Model, world: &World) {
    for (width, height, is_plain) in [(120, 40, false), (80, 24, true)] {
        let mut model = model.clone();
        send(&mut model, world, Msg::Resized(width, height));
        let suffix = if is_plain { "_no_color" } else { "" };
        if is_plain {
            model = without_colours(model);
        }
        insta::assert_snapshot!(format!("{name}{suffix}_{width}x{height}"), render(&model, width, height));
    }
}

fn first_line(model: &Model, width: u16) -> String {
    render(model, width, 24).lines().next().unwrap().to_owned()
}

#[test]
fn the_line_of_time_lies_over_the_lower_end_of_any_view() {
    let (mut model, world) = later();
    press(&mut model, &world, "^t");
    snapshots("time_line", &model, &world);
    press(&mut model, &world, "⇞⇞g-5d");
    snapshots("time_line_typed", &model, &world);
}

#[test]
fn the_board_of_a_moment_within_a_run() {
    let (mut model, world) = later();
    press(&mut model, &world, "^t⇞⇞→→→→⏎");
    snapshots("past_board", &model, &world);
}

#[test]
fn every_view_of_the_end_of_the_first_run() {
    for (view, name) in [
        ("2", "past_runs"),
        ("3", "past_logs"),
        ("4", "past_models"),
        ("5", "past_releases"),
        ("6", "past_metrics"),
        ("7", "past_events"),
    ] {
        let (mut model, world) = later();
        press(&mut model, &world, "2jt");
        press(&mut model, &world, view);
        assert!(model.past.is_some());
        snapshots(name, &model, &world);
    }
}

#[test]
fn every_view_says_that_it_is_the_past_how_long_ago_and_how_to_leave() {
    for view in ["1", "2", "3", "4", "5", "6", "7"] {
        let (mut model, world) = later();
        press(&mut model, &world, "2jt");
        press(&mut model, &world, view);
        for width in [60, 80, 120, 300] {
            let first = first_line(&model, width);
            assert!(first.contains("PAST 2026-11-23 21:00:"), "{first}");
            assert!(first.contains("5 days ago") && first.ends_with("Ctrl-N: now"), "{first}");
        }
    }
}

#[test]
fn a_line_that_is_lost_is_told_in_the_past_too() {
    let (mut model, world) = later();
    press(&mut model, &world, "2jt");
    let since = model.present_now();
    send(&mut model, &world, Msg::Line(LineState::Lost { since, reason: "no route".to_owned(), next_try: None }));
    let first = first_line(&model, 120);
    assert!(first.contains("line lost") && first.contains("PAST"), "{first}");
}

#[test]
fn no_view_of_the_past_breaks_at_any_size() {
    for view in ["1", "2", "3", "4", "5", "6", "7", "^t", "^tg"] {
        let (mut model, world) = later();
        press(&mut model, &world, "2jt");
        press(&mut model, &world, view);
        for (width, height) in [(1, 1), (60, 15), (61, 16), (79, 100), (300, 15)] {
            render(&model, width, height);
        }
    }
}
