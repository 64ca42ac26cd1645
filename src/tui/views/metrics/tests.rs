//! The Metrics view as text. A change of a snapshot is a change of the product: look at it before accepting it.

use crossterm::event::KeyCode;

use crate::tui::app::{Model, Overlay, View};
use crate::tui::chart_fixtures::{EVERY_KIND, eventful};
use crate::tui::fixtures::{self, SIZES, at_every_size, in_ascii, render, send};
use crate::tui::key_fixtures::{key, press};
use crate::tui::message::Msg;
use crate::tui::metrics::Drawing;
use crate::tui::theme::Theme;

const KINDS: [&str; 7] = ["line", "area", "stat", "gauge", "heatmap", "table", "stats"];

fn snapshots(name: &str, model: &Model) {
    for (size, text) in at_every_size(model) {
        insta::assert_snapshot!(format!("{name}_{size}"), text);
    }
}

/// The view with a panel of every kind.
fn every_kind() -> Model {
    let mut model = fixtures::idle();
    press(&mut model, "6");
    model.metrics.expression = Some(EVERY_KIND.to_owned());
    model
}

/// One of them alone.
fn alone(index: usize) -> Model {
    let mut model = every_kind();
    model.metrics.selected = index;
    model.is_zoomed = true;
    model
}

/// With what happened, which the fixture of the daemon leaves out: the screen is filled at its size first.
fn with_events(mut model: Model, (width, height): (u16, u16)) -> Model {
    send(&mut model, Msg::Resized(width, height));
    let columns = model.metrics.columns();
    eventful(&mut model.metrics.charts, columns);
    model
}

#[test]
fn every_kind_of_panel() {
    snapshots("metrics_every_kind", &every_kind());
    for (index, name) in KINDS.iter().enumerate() {
        snapshots(&format!("metrics_{name}"), &alone(index));
    }
}

#[test]
fn every_kind_of_panel_in_ascii_and_in_blocks() {
    for (index, name) in KINDS.iter().enumerate() {
        let model = in_ascii(alone(index));
        insta::assert_snapshot!(format!("metrics_{name}_ascii_80x24"), render(&model, 80, 24));
    }
    let mut model = alone(0);
    model.metrics.drawing = Drawing::Block;
    insta::assert_snapshot!("metrics_line_blocks_80x24", render(&model, 80, 24));
}

#[test]
fn the_panels_are_the_same_in_every_theme() {
    for index in 0..KINDS.len() {
        let mut model = alone(index);
        let dark = render(&model, 120, 40);
        for name in ["light", "ansi", "mono"] {
            model.theme = Theme::choose(&|variable| (variable == "TRAINYARD_THEME").then(|| name.to_owned()));
            assert_eq!(render(&model, 120, 40), dark, "a meaning hangs on colour alone in {name}");
        }
    }
}

#[test]
fn alerts_runs_and_delivery_are_told() {
    for size in SIZES {
        let model = with_events(alone(0), size);
        let text = render(&model, size.0, size.1);
        insta::assert_snapshot!(format!("metrics_with_alerts_{}x{}", size.0, size.1), text);
    }
    let model = with_events(every_kind(), (120, 40));
    insta::assert_snapshot!("metrics_grid_with_alerts_120x40", render(&model, 120, 40));
}

#[test]
fn an_alert_is_chosen_in_its_line_and_one_of_no_panel_has_a_row_of_its_own() {
    let mut model = fixtures::alerted();
    send(&mut model, Msg::Resized(120, 40));
    press(&mut model, "6");
    for _ in 0..model.metrics.charts.panels.len() {
        key(&mut model, KeyCode::Tab);
    }
    assert!(model.alert.is_some());
    let columns = model.metrics.columns();
    eventful(&mut model.metrics.charts, columns);
    let text = render(&model, 120, 40);
    assert_eq!(text.matches("AppDown").count(), 1, "{text}");
    insta::assert_snapshot!("metrics_with_an_alert_chosen_120x40", text);
}

#[test]
fn the_crosshair() {
    let mut model = every_kind();
    send(&mut model, Msg::Resized(120, 40));
    for _ in 0..12 {
        key(&mut model, KeyCode::Left);
    }
    insta::assert_snapshot!("metrics_crosshair_120x40", render(&model, 120, 40));
    press(&mut model, "z");
    insta::assert_snapshot!("metrics_crosshair_zoomed_120x40", render(&model, 120, 40));
    assert!(model.metrics.cursor_column().is_some());
    key(&mut model, KeyCode::Esc);
    assert_eq!((model.metrics.cursor, model.is_zoomed), (None, true));
}

#[test]
fn looking_back_and_scales() {
    let mut model = fixtures::idle();
    press(&mut model, "6<");
    insta::assert_snapshot!("metrics_looking_back_120x40", render(&model, 120, 40));
    press(&mut model, ">>y");
    insta::assert_snapshot!("metrics_log_scale_120x40", render(&model, 120, 40));
    press(&mut model, "y0a");
    insta::assert_snapshot!("metrics_whole_history_120x40", render(&model, 120, 40));
}

#[test]
fn a_comparison_of_two_releases() {
    let mut model = fixtures::idle();
    press(&mut model, "6c");
    snapshots("metrics_comparison", &model);
    key(&mut model, KeyCode::Left);
    key(&mut model, KeyCode::Left);
    insta::assert_snapshot!("metrics_comparison_crosshair_120x40", render(&model, 120, 40));
    key(&mut model, KeyCode::Esc);
    key(&mut model, KeyCode::Esc);
    assert!(model.metrics.compared.is_none() && model.view == View::Metrics);
}

#[test]
fn the_list_of_releases_to_compare() {
    let mut model = fixtures::deployed();
    press(&mut model, "6p");
    key(&mut model, KeyCode::Enter);
    snapshots("metrics_pick_releases", &model);
}

#[test]
fn the_explorer() {
    let mut model = fixtures::idle();
    press(&mut model, "6e");
    snapshots("metrics_explorer", &model);
    press(&mut model, "sum(pr");
    insta::assert_snapshot!("metrics_explorer_completing_120x40", render(&model, 120, 40));
    key(&mut model, KeyCode::Enter);
    insta::assert_snapshot!("metrics_explorer_fault_80x24", render(&model, 80, 24));
    assert!(matches!(&model.overlay, Some(Overlay::Explorer(explorer)) if explorer.fault.is_some()));
    key(&mut model, KeyCode::Tab);
    press(&mut model, ")");
    key(&mut model, KeyCode::Enter);
    insta::assert_snapshot!("metrics_explorer_drawn_120x40", render(&model, 120, 40));
}

#[test]
fn the_explorer_offers_labels_and_a_long_list_of_values() {
    let mut model = fixtures::idle();
    press(&mut model, "6eup{inst");
    key(&mut model, KeyCode::Tab);
    press(&mut model, "=\"");
    for _ in 0..5 {
        key(&mut model, KeyCode::PageDown);
    }
    insta::assert_snapshot!("metrics_explorer_values_80x24", render(&model, 80, 24));
    let mut model = fixtures::idle();
    press(&mut model, "6eup{status=\"서");
    let text = render(&model, 120, 40);
    assert!(text.contains("서울") && !text.contains('\u{1b}'), "{text}");
}

#[test]
fn what_is_empty_says_why_and_what_to_do() {
    let mut model = fixtures::empty();
    press(&mut model, "6");
    insta::assert_snapshot!("metrics_empty_80x24", render(&model, 80, 24));
    press(&mut model, "e");
    let text = render(&model, 80, 24);
    assert!(!text.contains('\u{1b}'), "{text}");
    let mut model = fixtures::idle();
    // Of this size from the start, or drawing it would ask for a longer list, and get one.
    send(&mut model, Msg::Resized(80, 24));
    press(&mut model, "6");
    press(&mut model, "e");
    let Some(Overlay::Explorer(explorer)) = &mut model.overlay else { panic!("closed") };
    let request = explorer.found.as_ref().unwrap().0.clone();
    explorer.found = Some((request, Err("the connection to the daemon broke".to_owned())));
    let text = render(&model, 80, 24);
    assert!(text.contains("the connection to the daemon broke"), "{text}");
}

#[test]
fn what_a_metric_says_of_itself_cannot_leave_its_place() {
    let mut model = fixtures::idle();
    press(&mut model, "6e");
    let text = render(&model, 120, 40);
    assert!(text.contains("All requests, by status.") && !text.contains('\u{1b}'), "{text}");
}

#[test]
fn nothing_breaks_at_any_size() {
    let models: [fn() -> Model; 3] = [every_kind, || in_ascii(every_kind()), || alone(4)];
    for model in models {
        for keys in ["", "h", "e", "c", "p", "yv0", "ehttp("] {
            let mut model = model();
            press(&mut model, keys);
            for (width, height) in [(60, 15), (61, 16), (79, 100), (300, 15), (110, 24)] {
                render(&with_events(model.clone(), (width, height)), width, height);
            }
        }
    }
}
