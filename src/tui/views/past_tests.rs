//! What the screen shows of the past, and of the line of time on which it lies.

use super::super::past_fixtures::{press, send};
use crate::api::types::{LineState, PastPlace};
use crate::pipeline::Moment;
use crate::tui::app::{Model, Overlay};
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

/// The rows of the screen from the line of time on, and the column of the foot of its cursor.
fn strip_of(model: &Model, width: u16, height: u16) -> (String, Option<usize>) {
    let screen = render(model, width, height);
    let rows: Vec<_> = screen.lines().skip_while(|row| !row.contains("Time line")).collect();
    let foot = rows.iter().find_map(|row| row.chars().position(|sign| sign == '▴'));
    (rows.join("\n"), foot)
}

#[test]
fn at_every_size_the_cursor_of_the_line_of_time_is_drawn_and_its_keys_are_whole() {
    for (width, height) in [(60, 15), (80, 24), (120, 40), (200, 50)] {
        let (mut model, world) = later();
        send(&mut model, &world, Msg::Resized(width, height));
        press(&mut model, &world, "^t");
        let (strip, foot) = strip_of(&model, width, height);
        assert_eq!(foot, Some(usize::from(width) - 3), "the present is the last column:\n{strip}");
        for key in ["Enter looks", "? tells more", "Shift-Left/Right deploy", "Up/Down alert", "+ - 0 zoom"] {
            assert!(strip.contains(key), "{key} is missing:\n{strip}");
        }
        let Some(Overlay::TimeLine(line)) = &mut model.overlay else { panic!("no line of time") };
        line.cursor = Some(PastPlace { sequence: 1, at: Moment(0), told: String::new(), event_at: None });
        let (strip, foot) = strip_of(&model, width, height);
        assert_eq!(foot, Some(12), "before the first column is the first:\n{strip}");
    }
}

#[test]
fn the_line_of_time_tells_the_present_and_the_last_event_each_with_its_own_time() {
    let (mut model, world) = later();
    press(&mut model, &world, "^t");
    let (strip, _) = strip_of(&model, 120, 40);
    let [now, last] = [world.at.plus(8_000), world.history.last().unwrap().at];
    let number = world.history.len();
    let told = format!("now, {}", model.clock.date_and_time(now));
    assert!(strip.contains(&told), "{strip}");
    assert!(strip.contains(&format!("last event {number}, at {}: run 2 passed", model.clock.time(last))), "{strip}");
    press(&mut model, &world, "←");
    let (strip, _) = strip_of(&model, 120, 40);
    assert!(!strip.contains("now,") && strip.contains(&format!("event {}:", number - 1)), "{strip}");
}

#[test]
fn signs_on_the_line_of_time_are_explained_where_they_are_in_sight() {
    let (mut model, world) = later();
    press(&mut model, &world, "^t");
    let (strip, _) = strip_of(&model, 120, 40);
    assert!(strip.contains("deploys: ✔ went live · runs: ◐ began ✔ passed"), "{strip}");
    assert!(!strip.contains("rejected"), "nothing was:\n{strip}");
}

#[test]
fn the_list_of_keys_of_the_line_of_time_fits_the_smallest_screen() {
    let (mut model, world) = later();
    send(&mut model, &world, Msg::Resized(60, 15));
    press(&mut model, &world, "^t?");
    insta::assert_snapshot!("time_line_keys_60x15", render(&model, 60, 15));
    let (strip, _) = strip_of(&model, 60, 15);
    for meaning in ["to where a release went live", "to where an alert fired or ended", "takes a time or a run"] {
        assert!(strip.contains(meaning), "{meaning} is missing:\n{strip}");
    }
}

#[test]
fn charts_of_the_past_end_in_that_moment_and_not_now() {
    let (mut model, world) = later();
    press(&mut model, &world, "2jt6");
    let end = model.clock.time(model.past_moment().unwrap());
    let screen = render(&model, 120, 40);
    assert!(screen.contains(&format!(" 5 min until {end} · the past, Ctrl-N to the present")), "{screen}");
    assert!(!screen.contains("live ") && !screen.contains("now │"), "{screen}");
    assert!(screen.contains(&format!("{end} │")), "the axis ends there:\n{screen}");
    press(&mut model, &world, "1");
    let screen = render(&model, 120, 40);
    assert!(!screen.contains("not scraped yet") && !screen.contains("last 5 min"), "{screen}");
}
