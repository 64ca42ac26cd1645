//! What holds for every view at every size: it fits, and in ASCII mode it draws no sign of its own beyond ASCII.

use crossterm::event::KeyCode;

use crate::tui::app::Model;
use crate::tui::fixtures::{self, in_ascii, render, send};
use crate::tui::key_fixtures::key_message;

/// From the smallest to the largest, and what is just below a border of the layout.
const SIZES: [(u16, u16); 8] = [(59, 14), (60, 15), (79, 23), (80, 24), (109, 30), (120, 40), (200, 50), (300, 100)];
/// The keys of all views, and of what lies over them.
const KEYS: [char; 10] = ['1', '2', '3', '4', '5', '6', '7', '?', ':', 'R'];

fn models() -> Vec<Model> {
    vec![
        fixtures::empty(),
        fixtures::idle(),
        fixtures::running(),
        fixtures::failed(),
        fixtures::deployed(),
        fixtures::in_production(),
        fixtures::unreachable(),
        fixtures::alerted(),
    ]
}

fn pressed(mut model: Model, key: char) -> Model {
    send(&mut model, key_message(KeyCode::Char(key)));
    model
}

#[test]
fn every_view_fits_every_terminal() {
    for model in models() {
        for key in KEYS {
            let shown = pressed(model.clone(), key);
            for (width, height) in SIZES {
                let text = render(&shown, width, height);
                assert_eq!(text.lines().count(), usize::from(height), "`{key}` at {width}x{height}:\n{text}");
            }
        }
    }
}

#[test]
fn in_ascii_no_sign_is_drawn_but_what_data_says() {
    // Names of files and tests of the fixtures are Korean.
    let is_data = |letter: &char| ('가'..='힣').contains(letter);
    for model in models().into_iter().map(in_ascii) {
        for key in KEYS {
            let shown = pressed(model.clone(), key);
            for (width, height) in [(80, 24), (200, 50)] {
                let text = render(&shown, width, height);
                let foreign: String = text.chars().filter(|letter| !letter.is_ascii() && !is_data(letter)).collect();
                assert_eq!(foreign, "", "`{key}` at {width}x{height}:\n{text}");
            }
        }
    }
}
