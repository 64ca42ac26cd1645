//! What the mouse does, told without a terminal: the views note what lies where, and presses are sent there.

use crossterm::event::{KeyCode, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
use proptest::prelude::*;
use ratatui::Terminal;
use ratatui::backend::TestBackend;

use crate::pipeline::{Command, ReleaseId, RunId, Selection, StageName};
use crate::tui::app::{Model, Overlay, Pane, View};
use crate::tui::commands::Action;
use crate::tui::fixtures::{self, send};
use crate::tui::key_fixtures::key_message;
use crate::tui::message::{Cmd, Msg};
use crate::tui::models;
use crate::tui::mouse::Target;
use crate::tui::views;

const LEFT: MouseEventKind = MouseEventKind::Down(MouseButton::Left);

/// Draws the model itself, so that it knows what lies where.
fn draw(model: &Model) {
    let (width, height) = model.size;
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal.draw(|frame| views::draw(model, frame)).unwrap();
}

fn with_mouse(mut model: Model) -> Model {
    model.has_mouse = true;
    draw(&model);
    model
}

fn key(model: &mut Model, code: KeyCode) -> Vec<Cmd> {
    let sent = send(model, key_message(code));
    draw(model);
    sent
}

fn press(model: &mut Model, keys: &str) {
    for character in keys.chars() {
        key(model, KeyCode::Char(character));
    }
}

/// Something happens on what is noted as `target`.
fn on(model: &mut Model, target: &Target, kind: MouseEventKind) -> Vec<Cmd> {
    let places = model.hits.all();
    let (area, _) = places.iter().find(|(_, found)| found == target).unwrap_or_else(|| panic!("no {target:?}"));
    let event = MouseEvent { kind, column: area.x, row: area.y, modifiers: KeyModifiers::NONE };
    let sent = send(model, Msg::Mouse(event));
    draw(model);
    sent
}

#[test]
fn a_mouse_that_is_off_does_nothing() {
    let mut model = fixtures::idle();
    draw(&model);
    assert_eq!(on(&mut model, &Target::Act(Action::RunAll), LEFT), []);
    press(&mut model, "M");
    assert!(model.has_mouse && model.message.as_ref().unwrap().text.contains("M gives it back"));
    let run = Cmd::act(Command::Run(Selection::default()), "");
    assert_eq!(on(&mut model, &Target::Act(Action::RunAll), LEFT), [run]);
    press(&mut model, "M");
    assert_eq!(on(&mut model, &Target::Act(Action::RunAll), LEFT), []);
}

#[test]
fn a_press_on_the_name_of_a_view_shows_it() {
    let mut model = with_mouse(fixtures::idle());
    on(&mut model, &Target::Act(Action::Show(View::Runs)), LEFT);
    assert_eq!(model.view, View::Runs);
}

#[test]
fn a_press_chooses_a_stage_and_a_second_one_opens_its_log() {
    let mut model = with_mouse(fixtures::idle());
    let test = Target::Stage("test".into());
    on(&mut model, &test, LEFT);
    assert_eq!((model.view, model.subject_stage().map(StageName::as_str)), (View::Board, Some("test")));
    on(&mut model, &test, LEFT);
    assert_eq!(model.view, View::Logs);
    assert_eq!(model.log.address.as_ref().map(|log| log.stage.as_str()), Some("test"));
}

#[test]
fn rows_of_lists_are_chosen() {
    let mut model = with_mouse(fixtures::idle());
    press(&mut model, "2");
    on(&mut model, &Target::Run(RunId(1)), LEFT);
    assert_eq!(model.chosen_run().map(|run| run.id.0), Some(1));
    press(&mut model, "5");
    on(&mut model, &Target::Release(ReleaseId(1)), LEFT);
    assert_eq!(model.chosen_release().map(|release| release.id.0), Some(1));
    press(&mut model, "6");
    on(&mut model, &Target::Chart(1), LEFT);
    assert_eq!(model.metrics.selected, 1);
    press(&mut model, "4");
    let version = models::entries(&model).last().unwrap().version();
    on(&mut model, &Target::Model(version), LEFT);
    assert_eq!(models::chosen(&model).map(models::Entry::version), Some(version));
}

#[test]
fn the_wheel_scrolls_what_is_under_it() {
    let mut model = with_mouse(fixtures::idle());
    on(&mut model, &Target::Pane(Pane::Log), MouseEventKind::ScrollUp);
    assert!(!model.log.follow, "up is away from the end");
    let stage = model.subject_stage().cloned();
    on(&mut model, &Target::Pane(Pane::Pipeline), MouseEventKind::ScrollUp);
    assert_ne!(model.subject_stage().cloned(), stage);
    press(&mut model, ":");
    on(&mut model, &Target::Row(0), MouseEventKind::ScrollDown);
    assert!(matches!(model.overlay, Some(Overlay::Palette { selected: 1, .. })), "{:?}", model.overlay);
}

#[test]
fn a_drag_selects_lines() {
    let mut model = with_mouse(fixtures::idle());
    press(&mut model, "3");
    on(&mut model, &Target::LogLine(39), LEFT);
    on(&mut model, &Target::LogLine(36), MouseEventKind::Drag(MouseButton::Left));
    assert_eq!(model.log.selection, Some((36, 39)));
    on(&mut model, &Target::LogLine(38), MouseEventKind::Drag(MouseButton::Left));
    assert_eq!(model.log.selection, Some((38, 39)));
    assert!(matches!(key(&mut model, KeyCode::Char('y')).as_slice(), [Cmd::Gather(_)]));
}

#[test]
fn a_row_of_the_palette_is_taken_by_a_double_click_and_what_lies_below_it_is_not_pressed() {
    let mut model = with_mouse(fixtures::idle());
    press(&mut model, ":run all");
    assert!(model.hits.all().iter().all(|(_, target)| matches!(target, Target::Row(_))));
    assert_eq!(on(&mut model, &Target::Row(0), LEFT), []);
    let run = Cmd::act(Command::Run(Selection::default()), "");
    assert_eq!(on(&mut model, &Target::Row(0), LEFT), [run]);
    assert_eq!(model.overlay, None);
}

#[test]
fn what_is_noted_lies_on_the_screen_in_every_view_at_every_size() {
    for (width, height) in [(60, 15), (80, 24), (120, 40), (200, 50), (300, 100)] {
        let mut model = with_mouse(fixtures::deployed());
        send(&mut model, Msg::Resized(width, height));
        for view in ["1", "2", "3", "4", "5", "6", "7", ":", "?"] {
            press(&mut model, view);
            let screen = ratatui::layout::Rect::new(0, 0, width, height);
            for (area, target) in model.hits.all() {
                assert_eq!(area.intersection(screen), area, "{target:?} in {view} at {width}x{height}");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn garbage_from_a_mouse_breaks_nothing(
        events in proptest::collection::vec((0usize..9, any::<u16>(), 0u16..60, "[1-7:?vy]"), 1..20)
    ) {
        const KINDS: [MouseEventKind; 9] = [
            LEFT,
            MouseEventKind::Down(MouseButton::Right),
            MouseEventKind::Up(MouseButton::Left),
            MouseEventKind::Drag(MouseButton::Left),
            MouseEventKind::Moved,
            MouseEventKind::ScrollUp,
            MouseEventKind::ScrollDown,
            MouseEventKind::ScrollLeft,
            MouseEventKind::ScrollRight,
        ];
        let mut model = with_mouse(fixtures::idle());
        for (kind, column, row, keys) in events {
            let event = MouseEvent { kind: KINDS[kind], column: column % 140, row, modifiers: KeyModifiers::NONE };
            send(&mut model, Msg::Mouse(event));
            press(&mut model, &keys);
        }
        prop_assert!(model.log.selection.is_none_or(|(first, last)| first <= last && last < model.log.total));
    }
}
