//! The Models view as text. A change of a snapshot is a change of the product: look at it before accepting it.

use crate::api::types::{ModelCard, ModelDetail};
use crate::tui::app::{Model, View};
use crate::tui::fixtures::{self, at_every_size, in_ascii, render};
use crate::tui::key_fixtures::press;
use crate::tui::model_fixtures;
use crate::tui::models::Tab;
use crate::tui::theme::Theme;

/// The keys of all parts.
const PARTS: &str = "sboiade";

fn snapshots(name: &str, model: &Model) {
    for (size, text) in at_every_size(model) {
        insta::assert_snapshot!(format!("{name}_{size}"), text);
    }
}

fn models() -> Model {
    let mut model = model_fixtures::models();
    press(&mut model, "4");
    assert_eq!(model.view, View::Models);
    model
}

#[test]
fn the_registry_and_one_version() {
    snapshots("models", &models());
    let mut model = models();
    press(&mut model, "jm\n");
    snapshots("models_zoomed_on_the_champion", &model);
}

#[test]
fn every_part_of_a_version() {
    for (key, tab) in PARTS.chars().zip(Tab::ALL) {
        let mut model = models();
        press(&mut model, &key.to_string());
        assert_eq!(model.models.tab, tab);
        for (width, height) in [(120, 40), (200, 50)] {
            let text = render(&model, width, height);
            insta::assert_snapshot!(format!("models_{}_{width}x{height}", tab.word()), text);
        }
        press(&mut model, "z");
        insta::assert_snapshot!(format!("models_{}_zoomed_80x24", tab.word()), render(&model, 80, 24));
    }
}

#[test]
fn two_versions_beside_each_other() {
    for (key, tab) in PARTS.chars().zip(Tab::ALL) {
        let mut model = models();
        press(&mut model, &format!("cz{key}"));
        insta::assert_snapshot!(format!("models_compared_{}_120x40", tab.word()), render(&model, 120, 40));
    }
    let mut model = models();
    press(&mut model, "c");
    insta::assert_snapshot!("models_compared_80x24", render(&model, 80, 24));
}

#[test]
fn a_version_that_is_being_searched() {
    let mut model = model_fixtures::searching();
    press(&mut model, "4");
    snapshots("models_searching", &model);
    press(&mut model, "j");
    assert!(render(&model, 120, 40).contains("Model 3"), "those that are there can be chosen meanwhile");
    let text = render(&model_fixtures::searching(), 120, 40);
    assert!(text.contains("trial 12 of 40"), "the Board tells it too: {text}");
}

#[test]
fn a_summary_says_what_a_constant_answer_reaches_what_was_left_out_and_that_there_is_no_gate() {
    let mut model = models();
    press(&mut model, "z");
    let text = render(&model, 120, 40);
    assert!(text.contains("beats 0.500") && text.contains("behind 0.900"), "{text}");
    assert!(text.contains("from 3 of 4 other columns") && text.contains("left out   comment"), "{text}");
    let state = model_fixtures::world().state;
    let version = crate::pipeline::ModelVersion(2);
    let mut detail = ModelDetail { ledger: None, ..model_fixtures::detail(&state, version).unwrap() };
    detail.summary.ungated = true;
    model.models.listed(Ok(vec![detail.summary.clone()]));
    model.models.detailed(version, Ok(Box::new(detail)));
    let text = drawn(&model);
    assert!(text.contains("no gate is configured: nothing was compared"), "{text}");
    model.is_zoomed = false;
    let text = drawn(&model);
    assert!(text.contains("m2      no gate") && !text.contains("passed"), "the list says it too: {text}");
}

#[test]
fn a_comparison_says_which_change_is_for_the_better() {
    let mut model = models();
    press(&mut model, "cz");
    let text = render(&model, 120, 40);
    assert!(text.contains("change to") && (text.contains(" better") || text.contains(" worse")), "{text}");
}

#[test]
fn the_questions() {
    let mut model = models();
    press(&mut model, "Pfaster and");
    insta::assert_snapshot!("models_promote_80x24", render(&model, 80, 24));
    let mut model = models();
    press(&mut model, "nrare classes");
    insta::assert_snapshot!("models_note_80x24", render(&model, 80, 24));
}

#[test]
fn what_is_empty_says_why_and_what_to_do() {
    let mut model = fixtures::empty();
    press(&mut model, "4");
    insta::assert_snapshot!("models_empty_80x24", render(&model, 80, 24));
    model.models.listed(Err("the connection to the daemon\x1b[2J broke".to_owned()));
    let text = drawn(&model);
    assert!(text.contains("the connection to the daemon broke") && !text.contains('\u{1b}'), "{text}");
}

#[test]
fn a_model_of_a_command_says_of_each_part_why_it_is_empty() {
    let mut model = models();
    let bare = model_fixtures::bare(9);
    let version = bare.version;
    model.models.listed(Ok(vec![bare.clone()]));
    let detail = ModelDetail {
        summary: bare,
        notes: Vec::new(),
        promotions: Vec::new(),
        ledger: None,
        lineage: None,
        has_profile: false,
        card: ModelCard::default(),
    };
    model.models.detailed(version, Ok(Box::new(detail)));
    let told = [
        "reported none",
        "$TRAINYARD_OUTPUT",
        "which classes",
        "what columns are",
        "its probabilities",
        "no profile",
        "`slices`",
    ];
    for (tab, told) in Tab::ALL.into_iter().zip(told) {
        // Keys would ask the daemon anew; what is drawn here is what it said last.
        model.models.tab = tab;
        let text = drawn(&model);
        assert!(text.contains(told), "{tab:?}: {text}");
    }
    assert!(drawn(&model).contains("files cleared away"), "the list says it");
}

/// The screen without another word of the daemon.
fn drawn(model: &Model) -> String {
    let mut terminal = ratatui::Terminal::new(ratatui::backend::TestBackend::new(120, 40)).unwrap();
    terminal.draw(|frame| crate::tui::views::draw(model, frame)).unwrap();
    let cells = terminal.backend().buffer().content();
    let rows = cells.chunks(120).map(|row| row.iter().map(ratatui::buffer::Cell::symbol).collect::<String>());
    rows.collect::<Vec<_>>().join("\n")
}

#[test]
fn ascii_is_enough() {
    for key in PARTS.chars() {
        let mut model = in_ascii(models());
        press(&mut model, &format!("z{key}"));
        let text = render(&model, 80, 24);
        if "oa".contains(key) {
            insta::assert_snapshot!(format!("models_ascii_{key}_80x24"), text);
        }
    }
}

#[test]
fn the_view_is_the_same_in_every_theme() {
    for key in PARTS.chars() {
        let mut model = models();
        press(&mut model, &format!("m{key}"));
        let dark = render(&model, 120, 40);
        for name in ["light", "ansi", "mono"] {
            model.theme = Theme::choose(&|variable| (variable == "TRAINYARD_THEME").then(|| name.to_owned()));
            assert_eq!(render(&model, 120, 40), dark, "a meaning hangs on colour alone in {name}");
        }
    }
}

#[test]
fn what_a_model_says_of_itself_cannot_leave_its_place() {
    for keys in ["", "z", "c", "P", "n"] {
        for key in PARTS.chars() {
            let mut model = models();
            press(&mut model, &format!("{key}{keys}"));
            assert!(!render(&model, 120, 40).contains('\u{1b}'), "{key}{keys}");
        }
    }
}

#[test]
fn nothing_breaks_at_any_size() {
    let in_letters = || in_ascii(models());
    for model in [models, model_fixtures::searching, in_letters, fixtures::empty] as [fn() -> Model; 4] {
        let model = model();
        for keys in ["4", "4z", "4c", "4cz", "4P", "4n"] {
            for key in PARTS.chars() {
                let mut model = model.clone();
                press(&mut model, &format!("4{key}{}", keys.trim_start_matches('4')));
                for (width, height) in [(60, 15), (61, 16), (79, 100), (300, 15), (110, 24)] {
                    render(&model, width, height);
                }
            }
        }
    }
}
