//! What keys and messages do in the Metrics view, told without a terminal and without a daemon.

use crossterm::event::KeyCode;

use super::update;
use crate::api::types::{ChartsRequest, ExpressionFault};
use crate::pipeline::ReleaseId;
use crate::tui::app::{Model, Overlay, View};
use crate::tui::fixtures::{self, send};
use crate::tui::key_fixtures::{key, key_message, press};
use crate::tui::layout;
use crate::tui::message::{Cmd, Msg};
use crate::tui::metrics::RANGES;

/// What one key asks for, unanswered.
fn asked(model: &mut Model, code: KeyCode) -> Vec<Cmd> {
    update(model, key_message(code))
}

fn metrics() -> Model {
    let mut model = fixtures::idle();
    press(&mut model, "6");
    model
}

fn request(asked: &[Cmd]) -> &ChartsRequest {
    let found = asked.iter().find_map(|command| match command {
        Cmd::FetchCharts(request) => Some(request),
        _ => None,
    });
    found.unwrap_or_else(|| panic!("{asked:?}"))
}

#[test]
fn looking_back_asks_for_another_end_and_the_board_for_the_present() {
    let mut model = metrics();
    let asked_for = asked(&mut model, KeyCode::Char('<'));
    let end = request(&asked_for).end.unwrap();
    assert!(end < model.now);
    let charts = model.metrics.charts.clone();
    update(&mut model, Msg::Charts(Ok(charts)));
    let board = asked(&mut model, KeyCode::Char('1'));
    assert_eq!(request(&board).end, None);
}

#[test]
fn whoever_looks_back_is_not_moved_by_new_scrapes() {
    let mut model = metrics();
    press(&mut model, "<");
    let mut live = model.live.clone();
    live.scraped = Some(Ok(model.now.plus(600_000)));
    let item = crate::api::types::StreamItem::Live(live);
    assert_eq!(update(&mut model, Msg::Stream(Box::new(item))), []);
}

#[test]
fn charts_of_targets_without_an_app_go_by_the_clock() {
    let mut model = metrics();
    model.live.scraped = None;
    assert!(model.needs_the_second_hand());
    let mut later = |milliseconds: u64| {
        model.now = model.now.plus(milliseconds);
        let asked = update(&mut model, Msg::Second);
        let asked = asked.iter().any(|command| matches!(command, Cmd::FetchCharts(_)));
        if asked {
            let charts = model.metrics.charts.clone();
            update(&mut model, Msg::Charts(Ok(charts)));
        }
        asked
    };
    assert!(later(60_000) && !later(900) && later(2_900));
    model.is_frozen = true;
    assert!(!model.needs_the_second_hand());
}

#[test]
fn a_long_time_is_drawn_anew_seldom() {
    let mut model = metrics();
    let scraped = |model: &mut Model, later: u64| {
        let mut live = model.live.clone();
        live.scraped = Some(Ok(model.metrics.asked.as_ref().unwrap().until.plus(later)));
        let item = crate::api::types::StreamItem::Live(live);
        let asked = update(model, Msg::Stream(Box::new(item)));
        asked.iter().any(|command| matches!(command, Cmd::FetchCharts(_)))
    };
    assert!(!scraped(&mut model, 900) && scraped(&mut model, 2_900), "the last minutes");
    let charts = model.metrics.charts.clone();
    update(&mut model, Msg::Charts(Ok(charts)));
    press(&mut model, "----");
    assert_eq!(RANGES[model.metrics.range].0, 86_400_000);
    assert!(!scraped(&mut model, 9_000) && scraped(&mut model, 10_000), "a day");
}

#[test]
fn plus_and_minus_zoom_around_the_crosshair() {
    let mut model = metrics();
    press(&mut model, "--");
    assert_eq!(model.metrics.range, 2);
    for _ in 0..30 {
        key(&mut model, KeyCode::Left);
    }
    let cursor = model.metrics.cursor.unwrap();
    press(&mut model, "+");
    assert_eq!(model.metrics.range, 1);
    let end = model.metrics.end.unwrap();
    assert_eq!(end, cursor.plus(model.metrics.range_ms() / 2), "the crosshair is in the middle");
    assert!(model.metrics.cursor_column().is_some());
}

#[test]
fn the_whole_history_is_a_range_of_its_own() {
    let mut model = metrics();
    assert_eq!(request(&asked(&mut model, KeyCode::Char('a'))).range, 0);
    assert_eq!(RANGES[model.metrics.range].0, 0);
    let charts = model.metrics.charts.clone();
    update(&mut model, Msg::Charts(Ok(charts)));
    assert_eq!(request(&asked(&mut model, KeyCode::Char('a'))).range, RANGES[0].0);
}

#[test]
fn a_comparison_goes_from_pair_to_pair_and_ends_where_it_began() {
    let mut model = fixtures::deployed();
    press(&mut model, "6c");
    let later = |model: &Model| model.metrics.compared.as_ref().unwrap().later;
    assert_eq!(later(&model), None, "the newest two");
    press(&mut model, "<");
    assert_eq!(later(&model), Some(ReleaseId(3)));
    press(&mut model, "<<<");
    assert_eq!(later(&model), Some(ReleaseId(2)), "the first has none before it");
    press(&mut model, ">>>");
    assert_eq!(later(&model), None);
    press(&mut model, "c");
    assert!(model.metrics.compared.is_none());
}

#[test]
fn any_two_releases_can_be_picked_from_the_list() {
    let mut model = fixtures::deployed();
    press(&mut model, "6p");
    let picking = |model: &Model| match &model.overlay {
        Some(Overlay::PickReleases(pick)) => (pick.first, pick.selected),
        _ => panic!("{:?}", model.overlay),
    };
    assert!(model.metrics.compared.is_some(), "the comparison begins with the last two");
    press(&mut model, "G");
    key(&mut model, KeyCode::Enter);
    assert_eq!(picking(&model).0, Some(ReleaseId(1)));
    key(&mut model, KeyCode::Esc);
    assert_eq!(picking(&model), (None, ReleaseId(1)), "one step back");
    key(&mut model, KeyCode::Enter);
    press(&mut model, "G");
    key(&mut model, KeyCode::Enter);
    assert!(model.message.as_ref().unwrap().is_error, "not with itself");
    press(&mut model, "gj");
    key(&mut model, KeyCode::Enter);
    assert_eq!(model.overlay, None);
    let compared = model.metrics.compared.as_ref().unwrap();
    assert_eq!((compared.former, compared.later), (Some(ReleaseId(1)), Some(ReleaseId(3))));
    let Some(Ok(comparison)) = &compared.answer else { panic!("{:?}", compared.answer) };
    assert_eq!((comparison.former, comparison.later), (ReleaseId(1), ReleaseId(3)));
    press(&mut model, "<");
    let compared = model.metrics.compared.as_ref().unwrap();
    assert_eq!((compared.former, compared.later), (None, Some(ReleaseId(2))), "on to neighbours");
}

#[test]
fn before_the_second_release_there_is_nothing_to_pick() {
    let mut model = fixtures::empty();
    press(&mut model, "6p");
    assert_eq!(model.overlay, None);
}

#[test]
fn enter_draws_the_metric_whose_name_was_begun() {
    let mut model = metrics();
    press(&mut model, "ehttp");
    key(&mut model, KeyCode::Enter);
    assert_eq!(model.metrics.expression.as_deref(), Some("rate(http_requests_total[1m])"));
    assert_eq!((model.overlay.clone(), model.is_zoomed, model.metrics.selected), (None, true, 0));
    assert_eq!(model.metrics.charts.panels[0].expression, "rate(http_requests_total[1m])");
    key(&mut model, KeyCode::Esc);
    key(&mut model, KeyCode::Esc);
    assert_eq!((model.metrics.expression.clone(), model.view), (None, View::Metrics));
}

#[test]
fn tab_completes_the_word_before_the_caret() {
    let mut model = metrics();
    press(&mut model, "erat");
    key(&mut model, KeyCode::Tab);
    press(&mut model, "process");
    key(&mut model, KeyCode::Tab);
    press(&mut model, "{st");
    key(&mut model, KeyCode::Tab);
    let Some(Overlay::Explorer(explorer)) = &model.overlay else { panic!("closed") };
    assert_eq!(explorer.line.text, "rate(process_resident_memory_bytes{status");
}

#[test]
fn tab_completes_the_value_of_a_label_with_its_mark() {
    let mut model = metrics();
    press(&mut model, "eup{instance=\"82");
    for _ in 0..3 {
        key(&mut model, KeyCode::Down);
    }
    key(&mut model, KeyCode::Tab);
    press(&mut model, "}");
    let Some(Overlay::Explorer(explorer)) = &model.overlay else { panic!("closed") };
    assert_eq!(explorer.line.text, "up{instance=\"127.0.0.1:8203\"}");
}

#[test]
fn a_tab_that_is_faster_than_the_daemon_completes_once_it_has_answered() {
    let mut model = metrics();
    press(&mut model, "e");
    let asked = [KeyCode::Char('r'), KeyCode::Char('a'), KeyCode::Tab].map(|code| asked(&mut model, code)).concat();
    let questions: Vec<_> = asked.iter().filter(|command| matches!(command, Cmd::FetchCompletions(_))).collect();
    let [Cmd::FetchCompletions(first)] = questions.as_slice() else { panic!("{questions:?}") };
    assert_eq!(first.word, "r", "one question at a time");
    let found = crate::tui::chart_fixtures::completions(first);
    send(&mut model, Msg::Completions(first.clone(), Ok(found)));
    let Some(Overlay::Explorer(explorer)) = &model.overlay else { panic!("closed") };
    assert_eq!(explorer.line.text, "rate(", "of the word that was there when Tab was pressed");
}

#[test]
fn an_empty_line_brings_the_panels_back_unless_a_row_was_chosen() {
    let mut model = metrics();
    press(&mut model, "e");
    key(&mut model, KeyCode::Enter);
    assert_eq!((model.overlay.clone(), model.metrics.expression.clone()), (None, None));
    press(&mut model, "e");
    key(&mut model, KeyCode::Down);
    key(&mut model, KeyCode::Enter);
    assert_eq!(model.metrics.expression.as_deref(), Some("predict_duration_seconds_bucket"));
}

#[test]
fn a_fault_stays_until_the_line_is_another_and_an_answer_about_an_older_line_is_dropped() {
    let mut model = metrics();
    press(&mut model, "esum(");
    key(&mut model, KeyCode::Enter);
    let fault = |model: &Model| match &model.overlay {
        Some(Overlay::Explorer(explorer)) => explorer.fault.clone(),
        _ => panic!("closed"),
    };
    assert_eq!(fault(&model).unwrap().unwrap().from, 3);
    press(&mut model, "x");
    assert_eq!(fault(&model), None);
    let late = ExpressionFault { error: "late".to_owned(), from: 0, to: 1 };
    update(&mut model, Msg::Checked("sum(".to_owned(), Ok(Some(late))));
    assert_eq!(fault(&model), None);
    key(&mut model, KeyCode::Esc);
    assert_eq!(model.overlay, None);
}

#[test]
fn curves_are_drawn_in_another_way_at_each_press() {
    let mut model = metrics();
    let mut seen = Vec::new();
    for _ in 0..3 {
        press(&mut model, "v");
        seen.push(model.metrics.drawing.word());
    }
    assert_eq!(seen, ["blocks", "ASCII", "braille"]);
}

#[test]
fn a_page_key_goes_on_by_the_charts_of_a_screen_and_never_to_the_alerts() {
    let mut model = fixtures::alerted();
    send(&mut model, Msg::Resized(80, 24));
    press(&mut model, "6");
    let all = model.metrics.charts.panels.len();
    let shown = layout::shown_charts(&model).len();
    assert!(shown < all, "there is something below");
    let text = fixtures::render(&model, 80, 24);
    assert!(text.contains(&format!("of {all}, PgDn for more")), "{text}");
    key(&mut model, KeyCode::PageDown);
    assert_eq!(model.metrics.selected, shown);
    for _ in 0..all {
        key(&mut model, KeyCode::PageDown);
    }
    assert_eq!((model.metrics.selected, &model.alert), (all - 1, &None));
    let text = fixtures::render(&model, 80, 24);
    assert!(text.contains(&format!("{all} of {all}")) && !text.contains("for more"), "{text}");
    key(&mut model, KeyCode::PageUp);
    assert_eq!(model.metrics.selected, all - 1 - shown);
}
