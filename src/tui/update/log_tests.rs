//! Logs: searching, filtering, jumping, marking, keeping.

use crossterm::event::KeyCode;

use super::update;
use crate::api::types::{LogAddress, LogFilter, LogFind, LogLevel, LogScan, LogStretch};
use crate::pipeline::RunId;
use crate::tui::app::{Model, Overlay, View};
use crate::tui::fixtures::{self, send};
use crate::tui::key_fixtures::{key, key_message, press, said};
use crate::tui::log_fixtures;
use crate::tui::log_view::Timestamps;
use crate::tui::log_view::question::{LogAnswer, LogQuestion, Program, Purpose};
use crate::tui::message::{Cmd, Msg};

/// The log of what runs, on the whole screen.
fn logs() -> Model {
    let mut model = fixtures::running();
    press(&mut model, "3");
    assert_eq!(model.view, View::Logs);
    model
}

/// Types into a prompt and answers it.
fn enter(model: &mut Model, keys: &str) -> Vec<Cmd> {
    press(model, keys);
    key(model, KeyCode::Enter)
}

const NOTHING: LogFind = LogFind { hit: None, next: None, total: 40 };

#[test]
fn a_search_goes_on_at_the_other_end_once_and_then_knows_every_match() {
    let mut model = logs();
    let asked = enter(&mut model, "/nowhere");
    let [Cmd::Search(request)] = asked.as_slice() else { panic!("{asked:?}") };
    assert_eq!((request.filter.pattern.as_deref(), request.backward), (Some("nowhere"), false));
    assert!(!request.has_wrapped && request.from > 0, "it begins at what is visible");
    let again = send(&mut model, Msg::Found(request.clone(), Ok(NOTHING)));
    let [Cmd::Search(wrapped)] = again.as_slice() else { panic!("{again:?}") };
    assert_eq!((wrapped.has_wrapped, wrapped.from), (true, 0));
    assert_eq!(send(&mut model, Msg::Found(wrapped.clone(), Ok(NOTHING))), []);
    assert!(model.message.as_ref().unwrap().is_error);

    let asked = enter(&mut model, "/layer");
    let [Cmd::Search(request)] = asked.as_slice() else { panic!("{asked:?}") };
    let found = LogFind { hit: Some(10), next: None, total: 40 };
    send(&mut model, Msg::Found(request.clone(), Ok(found)));
    let search = model.log.search.as_ref().unwrap();
    assert_eq!((search.hit, search.place()), (Some(10), (Some(3), 8)));
    assert_eq!(press(&mut model, "n"), [], "all is known, nobody is asked");
    assert_eq!(model.log.search.as_ref().unwrap().hit, Some(15));
    press(&mut model, "NNNN");
    assert_eq!(model.log.search.as_ref().unwrap().hit, Some(35), "past the beginning");
}

#[test]
fn a_search_from_the_first_line_on_is_not_told_to_have_come_round() {
    let mut model = logs();
    press(&mut model, "g");
    let asked = enter(&mut model, "/layer");
    let [Cmd::Search(request)] = asked.as_slice() else { panic!("{asked:?}") };
    assert_eq!(request.from, 0);
    let found = LogFind { hit: Some(5), next: None, total: 40 };
    send(&mut model, Msg::Found(request.clone(), Ok(found)));
    assert_eq!(model.message.as_ref().unwrap().text, "line 6");
}

#[test]
fn a_search_goes_step_by_step_and_one_that_was_left_is_dropped() {
    let mut model = logs();
    let asked = enter(&mut model, "/layer");
    let [Cmd::Search(request)] = asked.as_slice() else { panic!("{asked:?}") };
    let on = LogFind { hit: None, next: Some(30), total: 40 };
    let next = send(&mut model, Msg::Found(request.clone(), Ok(on)));
    let [Cmd::Search(next)] = next.as_slice() else { panic!("{next:?}") };
    assert_eq!(next.from, 30);
    assert!(fixtures::render(&model, 120, 40).contains("searching 75 %"));
    key(&mut model, KeyCode::Esc);
    assert!(model.log.search.is_none() && model.view == View::Logs);
    assert_eq!(update(&mut model, Msg::Found(next.clone(), Ok(on))), [], "nobody waits for it any more");
}

#[test]
fn what_is_no_regular_expression_is_told_before_anybody_is_asked() {
    let mut model = logs();
    assert_eq!(enter(&mut model, "/("), []);
    assert!(model.message.as_ref().unwrap().text.contains("`(` is not a regular expression: unclosed group"));
    assert_eq!(enter(&mut model, "&["), []);
    assert!(model.message.as_ref().unwrap().is_error && model.log.filter.is_none());
}

#[test]
fn a_filter_shows_only_what_passes_with_lines_around_and_escape_shows_all() {
    let mut model = logs();
    enter(&mut model, "&한국어");
    assert_eq!(model.log.rows(), 8);
    press(&mut model, "+");
    assert_eq!((model.log.rows(), model.log.shown_filter().context), (24, 1));
    press(&mut model, "--");
    assert_eq!(model.log.shown_filter().context, 0);
    let asked = enter(&mut model, "/2");
    let [Cmd::Search(request)] = asked.as_slice() else { panic!("{asked:?}") };
    assert_eq!((request.filter.pattern.as_deref(), request.filter.also.as_deref()), (Some("한국어"), Some("2")));
    key(&mut model, KeyCode::Esc);
    key(&mut model, KeyCode::Esc);
    assert!(model.log.filter.is_none() && model.view == View::Logs);
    assert_eq!(model.log.rows(), 40);
}

#[test]
fn levels_go_from_errors_to_all() {
    let mut model = logs();
    // Of the least level alone there is a line.
    let has_a_warning = |filter: &LogFilter| filter.level.is_some_and(|least| least <= LogLevel::Warn);
    let warned = |filter: &LogFilter| {
        let numbers: Vec<u64> = if has_a_warning(filter) { vec![7] } else { Vec::new() };
        let rows = u64::try_from(numbers.len()).unwrap();
        LogScan { stretches: vec![LogStretch { first: 0, end: 40, rows, numbers }], next: None, total: 40 }
    };
    for level in [Some(LogLevel::Warn), Some(LogLevel::Info), Some(LogLevel::Debug), Some(LogLevel::Trace), None] {
        let mut open = update(&mut model, key_message(KeyCode::Char('e')));
        while let Some(command) = open.pop() {
            let Cmd::AskLog(question) = command else { continue };
            let answer = match &question {
                LogQuestion::Scan { filter, .. } => LogAnswer::Scan(warned(filter)),
                other => log_fixtures::answer(other),
            };
            open.extend(update(&mut model, Msg::AboutLog(question, Ok(answer))));
        }
        assert_eq!(model.log.level(), level, "no line is an error, so that level is passed over");
        if level == Some(LogLevel::Warn) {
            assert_eq!(said(&model), "warn and worse: nothing here is worse than that");
        }
    }
    assert!(model.log.filter.is_none());
    press(&mut model, "+");
    assert!(model.message.as_ref().unwrap().is_error, "there is nothing around which more could stand");
}

#[test]
fn a_log_whose_lines_have_no_level_says_so_and_stays_whole() {
    let mut model = logs();
    press(&mut model, "e");
    assert_eq!(said(&model), "the lines of this log have no level, so all are shown; / searches them");
    assert!(model.log.filter.is_none() && model.log.rows() == 40);
}

#[test]
fn a_jump_says_where_it_went_and_marks_the_line_also_when_it_was_in_sight() {
    let mut model = logs();
    press(&mut model, "g");
    enter(&mut model, "@3");
    assert_eq!((model.log.top, said(&model)), (0, "line 3 of 40"));
    let screen = fixtures::render(&model, 120, 40);
    assert!(screen.contains("line 3 of 40 ") && screen.contains("3▸"), "{screen}");
    enter(&mut model, "@99");
    assert_eq!(said(&model), "line 40 of 40: it is the last");
    press(&mut model, "g");
    assert!(!fixtures::render(&model, 120, 40).contains("3▸"), "whoever goes on has seen it");
}

/// The tests of the third run failed, and their log names one of them in line 12.
fn failed() -> Model {
    let mut model = fixtures::failed();
    let names = |text: &str| text.contains("test_schema");
    let mut open = update(&mut model, key_message(KeyCode::Char('3')));
    while let Some(command) = open.pop() {
        let answered = match command {
            Cmd::FetchLog(address, part) => Msg::Log(address, Ok(fixtures::log(part, fixtures::LOG_LINES))),
            Cmd::AskLog(LogQuestion::Scan { log, filter, from }) => {
                let is_for_it = filter.pattern.as_deref().is_some_and(names);
                let numbers = if is_for_it { vec![11, 30] } else { Vec::new() };
                let rows = u64::try_from(numbers.len()).unwrap();
                let stretches = vec![LogStretch { first: 0, end: 40, rows, numbers }];
                let scan = LogScan { stretches, next: None, total: 40 };
                Msg::AboutLog(LogQuestion::Scan { log, filter, from }, Ok(LogAnswer::Scan(scan)))
            }
            _ => continue,
        };
        open.extend(update(&mut model, answered));
    }
    model
}

#[test]
fn the_log_of_failed_tests_is_shown_where_it_names_them_and_the_next_is_one_key_away() {
    let mut model = failed();
    let search = model.log.search.as_ref().unwrap();
    assert_eq!((search.hit, search.place()), (Some(11), (Some(1), 2)));
    assert_eq!(said(&model), "line 12 tells of a failed test; n goes to the next such line, N back");
    assert!(fixtures::render(&model, 80, 24).contains("failed tests 1/2"));
    press(&mut model, "n");
    assert_eq!(model.log.search.as_ref().unwrap().hit, Some(30));
    key(&mut model, KeyCode::Esc);
    assert_eq!(model.view, View::Board, "nobody typed a search that would have to be left first");
}

#[test]
fn whoever_was_led_to_a_failure_follows_the_next_log_and_whoever_moved_does_not() {
    let other = |model: &Model| LogAddress { run: RunId(2), ..model.log.address.clone().unwrap() };
    let mut led = failed();
    assert!(!led.log.follow);
    let next = other(&led);
    led.log.open(Some(next));
    assert!(led.log.follow);
    let mut moved = failed();
    press(&mut moved, "k");
    let next = other(&moved);
    moved.log.open(Some(next));
    assert!(!moved.log.follow);
}

#[test]
fn a_stage_that_was_not_run_has_no_log_and_the_view_says_why() {
    let mut model = fixtures::failed();
    model.stage = Some("build".into());
    press(&mut model, "3");
    assert!(model.log.address.is_none());
    let screen = fixtures::render(&model, 120, 40);
    assert!(screen.contains("Log · build · run 3") && screen.contains("build: not run"), "{screen}");
}

#[test]
fn logs_that_are_opened_before_there_is_a_log_show_it_once_there_is() {
    let mut world = fixtures::two_runs();
    world.register(3, "spring.csv");
    let mut model = world.model(fixtures::live(&world, true));
    // To the stage behind the one that runs.
    press(&mut model, "l3");
    assert_eq!((model.view, &model.log.address), (View::Logs, &None));
    let known = world.history.len();
    world.train(0.953);
    for recorded in &world.history[known..] {
        send(&mut model, fixtures::event(recorded));
    }
    let shown = model.log.address.as_ref().map(|log| (log.run, log.stage.to_string()));
    assert_eq!(shown, Some((RunId(3), "test".to_owned())));
}

#[test]
fn a_match_that_a_filter_hides_is_none_of_those_that_are_counted() {
    let mut model = logs();
    let asked = enter(&mut model, "/layer");
    let [Cmd::Search(request)] = asked.as_slice() else { panic!("{asked:?}") };
    let found = LogFind { hit: Some(10), next: None, total: 40 };
    send(&mut model, Msg::Found(request.clone(), Ok(found)));
    assert!(fixtures::render(&model, 120, 40).contains("/layer 3/8 · line 11 of 40"));
    enter(&mut model, "&COPY");
    assert_eq!(model.log.search.as_ref().unwrap().place(), (None, 0));
    assert!(fixtures::render(&model, 120, 40).contains("/layer 0 · "));
}

#[test]
fn a_jump_goes_to_a_share_a_line_or_a_moment() {
    let mut model = logs();
    enter(&mut model, "@50%");
    assert!(!model.log.follow);
    let at_half = model.log.top;
    enter(&mut model, "@1");
    assert_eq!(model.log.top, 0);
    enter(&mut model, "@-99d");
    assert_eq!(model.log.top, 0);
    assert!(at_half > 0);
    enter(&mut model, "@noon");
    assert!(model.message.as_ref().unwrap().text.contains("is no place in a log"));
}

#[test]
fn a_mark_is_set_listed_and_found_again() {
    let mut model = logs();
    press(&mut model, "'");
    assert!(model.overlay.is_none() && model.message.as_ref().unwrap().is_error);
    press(&mut model, "gm");
    press(&mut model, "G'");
    assert!(matches!(model.overlay, Some(Overlay::Log(_))));
    key(&mut model, KeyCode::Enter);
    assert_eq!((model.log.top, model.overlay.is_none()), (0, true));
}

#[test]
fn a_log_is_saved_or_shown_elsewhere_whole_or_as_it_is_shown() {
    let mut model = logs();
    let mut first = None;
    press(&mut model, "s");
    for command in update(&mut model, key_message(KeyCode::Enter)) {
        if let Cmd::AskLog(LogQuestion::Keep { filter, purpose, .. }) = command {
            first = Some((filter, purpose));
        }
    }
    assert_eq!(first, Some((None, Purpose::Save("build-run3.log".into()))));
    press(&mut model, "s");
    key(&mut model, KeyCode::Enter);
    assert_eq!(model.message.as_ref().unwrap().text, "saved 4.0 kB to build-run3.log");
    let lent = press(&mut model, "p");
    assert!(matches!(lent.as_slice(), [Cmd::Lend(Program::Pager, _)]), "{lent:?}");
    enter(&mut model, "&COPY");
    press(&mut model, "s");
    assert!(fixtures::render(&model, 120, 40).contains("save what is shown to"));
}

#[test]
fn all_stages_of_a_run_stand_on_one_time_line_and_one_alone_again() {
    let mut model = logs();
    press(&mut model, "a");
    assert!(model.log.address.as_ref().unwrap().is_whole_run());
    assert!(fixtures::render(&model, 120, 40).contains("all stages · run 3"));
    press(&mut model, "a");
    assert_eq!(model.log.address.as_ref().unwrap().stage.as_str(), "build");
}

#[test]
fn times_are_shown_in_three_ways() {
    let mut model = logs();
    let ways = [Timestamps::Relative, Timestamps::Off, Timestamps::Absolute];
    for way in ways {
        press(&mut model, "t");
        assert_eq!(model.log.timestamps, way);
    }
}

#[test]
fn whoever_reads_on_the_board_is_not_torn_away_when_the_next_stage_begins() {
    let mut model = fixtures::running();
    press(&mut model, "k");
    assert!(!model.log.follow);
    let read = model.log.address.clone();
    let mut later = fixtures::failed();
    std::mem::swap(&mut model.state, &mut later.state);
    send(&mut model, Msg::Second);
    assert_eq!(model.log.address, read, "another stage is the subject now, and nobody asked for it");
    press(&mut model, "f");
    assert_ne!(model.log.address, read, "whoever follows follows what runs");
}
