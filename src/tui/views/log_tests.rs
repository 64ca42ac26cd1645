//! The Logs view as text: searched, narrowed, merged, marked.

use crate::api::types::{LogFind, LogLine, LogWindow};
use crate::tui::app::Model;
use crate::tui::fixtures::{self, at_every_size, render, send};
use crate::tui::key_fixtures::press;
use crate::tui::message::{Cmd, Msg};

fn snapshots(name: &str, model: &Model) {
    for (size, text) in at_every_size(model) {
        insta::assert_snapshot!(format!("{name}_{size}"), text);
    }
}

fn logs() -> Model {
    let mut model = fixtures::running();
    press(&mut model, "3");
    model
}

#[test]
fn a_search_tells_which_of_how_many() {
    let mut model = logs();
    let asked = press(&mut model, "/layer\n");
    let [Cmd::Search(request)] = asked.as_slice() else { panic!("{asked:?}") };
    let found = LogFind { hit: Some(15), next: None, total: 40 };
    send(&mut model, Msg::Found(request.clone(), Ok(found)));
    snapshots("logs_searched", &model);
}

#[test]
fn a_filter_tells_what_passes() {
    let mut model = logs();
    press(&mut model, "&한국어\n+t");
    snapshots("logs_filtered", &model);
    press(&mut model, "&xyz\n");
    insta::assert_snapshot!("logs_filtered_to_nothing_80x24", render(&model, 80, 24));
}

#[test]
fn all_stages_of_a_run_are_told_apart() {
    let mut model = logs();
    press(&mut model, "a");
    let line = |(number, (stage, text)): (i64, (&str, &str))| LogLine {
        at: model.now.plus(u64::try_from(number).unwrap() * 1_000),
        text: text.to_owned(),
        stage: Some(stage.into()),
        ..LogLine::default()
    };
    let texts = [
        ("train", "epoch 1"),
        ("train", r#"{"event": "epoch done", "loss": 0.31, "level": "warning"}"#),
        ("test", "\u{1b}[32mPASSED\u{1b}[0m"),
        ("한국어-단계-이름", "건너뜀"),
    ];
    let lines: Vec<LogLine> = (0..).zip(texts).map(line).collect();
    let address = model.log.address.clone().unwrap();
    send(&mut model, Msg::Log(address, Ok(LogWindow { first: 0, lines, total: 4 })));
    snapshots("logs_of_a_run", &model);
}

#[test]
fn prompts_and_marks() {
    let mut model = logs();
    press(&mut model, "gm@");
    insta::assert_snapshot!("logs_go_to_80x24", render(&model, 80, 24));
    press(&mut model, "30\nm'");
    insta::assert_snapshot!("logs_marks_80x24", render(&model, 80, 24));
    press(&mut model, "\ns");
    insta::assert_snapshot!("logs_save_120x40", render(&model, 120, 40));
}
