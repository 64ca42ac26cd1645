//! An empty view says how it is filled, by the keys that the operator has.

use crate::pipeline::StageKind;
use crate::tui::app::{Model, View};
use crate::tui::commands::{Action, Key, by_id, key_of};
use crate::tui::fixtures::{self, render, send};
use crate::tui::message::Msg;

/// What a view shows between the first line and the two last ones.
fn body(model: &mut Model, view: View) -> String {
    let key = Key::read(&key_of(model, Action::Show(view))).unwrap();
    send(model, Msg::Key(key.event()));
    assert_eq!(model.view, view);
    let screen = render(model, 120, 40);
    let rows: Vec<&str> = screen.lines().collect();
    rows[1..rows.len() - 2].join("\n")
}

#[test]
fn every_empty_view_names_the_key_that_fills_it() {
    let mut model = fixtures::empty();
    for (id, key) in [("run-all", "f9"), ("train", "f8")] {
        model.preferences.keymap.set(by_id(id).unwrap(), vec![Key::read(key).unwrap()]);
    }
    assert_eq!(key_of(&model, Action::RunFrom(StageKind::Train)), "F8");
    for view in [View::Board, View::Runs, View::Logs, View::Releases, View::Metrics] {
        let text = body(&mut model, view);
        assert!(text.contains("F9"), "{view:?}:\n{text}");
    }
    let text = body(&mut model, View::Models);
    assert!(text.contains("press F8 on the Board"), "{text}");
}

#[test]
fn without_a_stage_that_deploys_the_board_says_what_is_missing() {
    let mut model = fixtures::empty();
    let stages = model.state.graph.stages().iter().filter(|spec| spec.kind != StageKind::Deploy).cloned().collect();
    model.state.graph = crate::pipeline::Graph::new(stages).unwrap();
    let text = body(&mut model, View::Board);
    assert!(text.contains("no stage deploys") && text.contains("`uses = \"deploy\"`"), "{text}");
}
