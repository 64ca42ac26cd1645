//! What is selected and copied, told without a terminal and without a daemon.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::Terminal;
use ratatui::backend::TestBackend;

use crate::api::types::LogPiece;
use crate::pipeline::Recorded;
use crate::tui::app::{Model, View};
use crate::tui::clipboard::Yank;
use crate::tui::fixtures::{self, render, send};
use crate::tui::key_fixtures::{key, press, said};
use crate::tui::message::{Cmd, Msg};
use crate::tui::selection::GatherRequest;
use crate::tui::views;

/// The log of a stage on the whole screen.
fn logs() -> Model {
    let mut model = fixtures::idle();
    press(&mut model, "3");
    assert!(model.log.follow && model.log.total > 10);
    model
}

#[test]
fn arrows_extend_the_selection_and_y_asks_the_daemon_for_its_lines() {
    let mut model = logs();
    let last = model.log.total - 1;
    press(&mut model, "v");
    key(&mut model, KeyCode::Up);
    key(&mut model, KeyCode::Up);
    assert_eq!(model.log.selection, Some((last - 2, last)));
    assert_eq!(said(&model), "3 lines selected: y copies, Esc ends it");
    assert!(!model.log.follow, "what is selected does not run away");
    let log = model.log.address.clone().unwrap();
    let stamps = Some(super::logs::stamps(&model));
    let asked = GatherRequest { log, first: last - 2, last, rows: None, stamps };
    assert_eq!(press(&mut model, "y"), [Cmd::Gather(asked)], "with the times that stand before them");
    assert_eq!((&model.lines, model.log.selection), (&None, None));
    let yank = Yank { what: "3 lines".to_owned(), text: "a\nb\nc\n".to_owned() };
    assert_eq!(send(&mut model, Msg::Gathered(Ok(yank.clone()))), [Cmd::Yank(yank)]);
    send(&mut model, Msg::Yanked(Ok("3 lines copied to the clipboard (OSC 52)".to_owned())));
    assert_eq!(said(&model), "3 lines copied to the clipboard (OSC 52)");
}

#[test]
fn a_selection_reaches_to_both_ends_of_the_log_and_the_screen_goes_along() {
    let mut model = logs();
    let last = model.log.total - 1;
    press(&mut model, "vg");
    assert_eq!((model.log.selection, model.log.top), (Some((0, last)), 0));
    press(&mut model, "G");
    assert_eq!(model.log.selection, Some((last, last)));
    for _ in 0..200 {
        key(&mut model, KeyCode::Up);
    }
    assert_eq!((model.log.selection, model.log.top), (Some((0, last)), 0));
    assert_eq!(model.log.bottom, None, "the screen is not held at the end");
    assert!(render(&model, 80, 24).contains("40 lines selected"));
}

#[test]
fn of_a_narrowed_log_the_rows_that_are_shown_are_selected() {
    let mut model = logs();
    press(&mut model, "&layer");
    key(&mut model, KeyCode::Enter);
    let rows = model.log.rows();
    assert!((3..40).contains(&rows), "{rows} of 40 lines pass");
    let number = model.log.row(rows - 1).unwrap().number;
    press(&mut model, "vk");
    assert_eq!(model.log.selection, Some((rows - 2, rows - 1)));
    assert_eq!(said(&model), "2 lines selected: y copies, Esc ends it");
    let asked = press(&mut model, "y");
    let [Cmd::Gather(GatherRequest { rows: Some(request), .. })] = asked.as_slice() else { panic!("{asked:?}") };
    assert_eq!(request.filter, model.log.shown_filter());
    let [LogPiece::Numbers(numbers)] = request.pieces.as_slice() else { panic!("{request:?}") };
    assert_eq!((numbers.len(), numbers.last()), (2, Some(&number)), "what lies between them is not copied");
}

#[test]
fn a_selection_ends_with_the_filter_under_which_it_was_made() {
    let mut model = logs();
    press(&mut model, "vk&layer");
    key(&mut model, KeyCode::Enter);
    assert_eq!((&model.lines, model.log.selection), (&None, None));
}

#[test]
fn where_no_line_passes_that_is_said() {
    let mut model = logs();
    press(&mut model, "&nowhere at all");
    key(&mut model, KeyCode::Enter);
    press(&mut model, "v");
    assert_eq!(said(&model), "nothing to select: no line passes the filter");
}

/// Draws a frame, by which the model knows what its detail tells.
fn frame(model: &Model) {
    let mut terminal = Terminal::new(TestBackend::new(model.size.0, model.size.1)).unwrap();
    terminal.draw(|frame| views::draw(model, frame)).unwrap();
}

#[test]
fn what_a_detail_tells_is_selected_by_rows_and_copied_whole() {
    for view in ["2", "4", "5"] {
        let mut model = fixtures::deployed();
        press(&mut model, view);
        frame(&model);
        let rows = model.detail_text.rows();
        assert!(rows > 2, "{rows} rows in view {view}");
        press(&mut model, "v");
        assert_eq!(said(&model), "1 line selected: y copies, Esc ends it");
        press(&mut model, "G");
        assert!(said(&model).starts_with(&format!("{rows} lines selected")), "{}", said(&model));
        let done = press(&mut model, "y");
        let [Cmd::Yank(yank)] = done.as_slice() else { panic!("{done:?}") };
        assert_eq!(yank.what, format!("{} lines", yank.text.lines().count()));
        assert_eq!((&model.lines, model.message.as_ref().is_some_and(|said| said.is_error)), (&None, false));
    }
}

#[test]
fn of_a_narrow_screen_the_rows_of_a_detail_are_copied_as_long_as_they_are() {
    let copied = |columns: u16| {
        let mut model = fixtures::deployed();
        send(&mut model, Msg::Resized(columns, 30));
        press(&mut model, "5");
        frame(&model);
        match press(&mut model, "vy").as_slice() {
            [Cmd::Yank(yank)] => yank.text.clone(),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(copied(60), copied(300));
}

#[test]
fn the_stored_form_of_an_event_is_copied_as_it_is_on_a_narrow_screen_too() {
    let mut model = fixtures::deployed();
    send(&mut model, Msg::Resized(60, 100));
    press(&mut model, "7");
    let form = |recorded: &Recorded| serde_json::to_string_pretty(&recorded.event).unwrap();
    let is_wrapped = |recorded: &&Recorded| form(recorded).lines().any(|line| line.len() > 60);
    let event = model.shown_events().find(is_wrapped).expect("an event with a long line").clone();
    model.event_list.chosen = Some(event.sequence);
    press(&mut model, "z");
    frame(&model);
    press(&mut model, "vG");
    let done = press(&mut model, "y");
    let [Cmd::Yank(yank)] = done.as_slice() else { panic!("{done:?}") };
    assert!(yank.text.ends_with(&format!("{}\n", form(&event))), "{}", yank.text);
}

#[test]
fn a_selection_in_a_detail_ends_where_another_is_shown() {
    let mut model = fixtures::deployed();
    press(&mut model, "4");
    frame(&model);
    press(&mut model, "v");
    assert!(model.lines.is_some());
    key(&mut model, KeyCode::Tab);
    assert_eq!(model.lines, None);
}

#[test]
fn escape_ends_a_selection_and_leaves_nothing_else() {
    let mut model = logs();
    press(&mut model, "v");
    key(&mut model, KeyCode::Esc);
    assert_eq!((model.view, &model.lines, model.log.selection), (View::Logs, &None, None));
    press(&mut model, "y");
    assert_eq!(said(&model), "nothing to copy: no lines are selected yet");
}

#[test]
fn a_selection_does_not_outlive_its_view() {
    let mut model = logs();
    press(&mut model, "v7");
    assert_eq!((model.view, &model.lines, model.log.selection), (View::Events, &None, None));
}

#[test]
fn a_selection_of_events_ends_where_one_of_them_has_the_screen() {
    let mut model = fixtures::idle();
    press(&mut model, "7v");
    assert!(model.lines.is_some());
    press(&mut model, "z");
    assert!(model.is_zoomed && model.lines.is_none());
}

#[test]
fn events_are_copied_as_lines_of_their_sentences() {
    let mut model = fixtures::idle();
    press(&mut model, "7v");
    key(&mut model, KeyCode::Down);
    let done = press(&mut model, "y");
    let [Cmd::Yank(yank)] = done.as_slice() else { panic!("{done:?}") };
    assert_eq!((yank.what.as_str(), yank.text.lines().count()), ("2 lines", 2));
    let newest = model.events.back().unwrap().sequence;
    assert!(yank.text.lines().next().unwrap().starts_with(&format!("{newest}\t")), "{}", yank.text);
}

#[test]
fn what_is_under_the_cursor_is_copied_by_one_key() {
    let mut model = fixtures::idle();
    let thing = |model: &mut Model| match press(model, "Y").as_slice() {
        [Cmd::Yank(yank)] => (yank.what.clone(), yank.text.clone()),
        other => panic!("{other:?}"),
    };
    assert_eq!(thing(&mut model), ("the number of run 2".to_owned(), "2".to_owned()));
    press(&mut model, "2");
    assert_eq!(thing(&mut model).0, "the number of run 2");
    key(&mut model, KeyCode::Enter);
    assert_eq!(thing(&mut model).0, "the commit of run 2");
    press(&mut model, "5");
    assert!(thing(&mut model).1.starts_with("http://"));
    press(&mut model, "6");
    let expression = model.metrics.charts.panels[0].expression.clone();
    assert_eq!(thing(&mut model).1, expression);
    press(&mut model, "3");
    assert_eq!(thing(&mut model).0, "line 40");
    press(&mut model, "@5\n");
    assert_eq!(thing(&mut model).0, "line 5", "the line that was gone to and is marked");
}

#[test]
fn the_expression_of_the_explorer_is_copied_without_leaving_it() {
    let mut model = fixtures::idle();
    press(&mut model, "6e");
    press(&mut model, "sum(up)");
    let done = send(&mut model, Msg::Key(KeyEvent::new(KeyCode::Char('y'), KeyModifiers::CONTROL)));
    assert_eq!(done, [Cmd::Yank(Yank { what: "the expression".to_owned(), text: "sum(up)".to_owned() })]);
    assert!(model.overlay.is_some());
}

#[test]
fn files_of_preferences_that_are_wrong_leave_what_was_in_force() {
    let mut model = fixtures::idle();
    let theme = model.theme.clone();
    send(&mut model, Msg::Preferences(Box::new(Err(Vec::new()))));
    assert!(said(&model).ends_with("what was in force stays") && model.theme == theme);
    let preferred = crate::tui::preferences::Preferences { theme: Some("mono".to_owned()), ..Default::default() };
    send(&mut model, Msg::Preferences(Box::new(Ok(preferred))));
    assert!(said(&model).contains("read anew") && model.theme != theme);
}

#[test]
fn help_is_searched_by_typing_and_no_key_of_a_command_acts_in_it() {
    let mut model = fixtures::idle();
    assert_eq!(press(&mut model, "?qrollback"), []);
    assert!(render(&model, 120, 40).contains("no key and no command has this"));
    key(&mut model, KeyCode::Esc);
    assert_eq!(press(&mut model, "rollback"), []);
    assert!(render(&model, 120, 40).contains("go back to an earlier release"));
    key(&mut model, KeyCode::Esc);
    key(&mut model, KeyCode::Esc);
    assert_eq!(model.overlay, None);
}

#[test]
fn the_palette_goes_to_runs_and_changes_the_theme() {
    let mut model = fixtures::idle();
    press(&mut model, ":run 1");
    key(&mut model, KeyCode::Enter);
    assert_eq!((model.view, model.chosen_run().map(|run| run.id.0)), (View::Runs, Some(1)));
    let before = model.theme.clone();
    press(&mut model, ":theme light");
    key(&mut model, KeyCode::Enter);
    assert!(model.theme != before && said(&model).starts_with("theme light"));
    press(&mut model, ":cancel");
    assert_eq!(key(&mut model, KeyCode::Enter), []);
    assert_eq!(said(&model), "nothing to cancel: no run is active or waits");
}
