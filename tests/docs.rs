//! What the documents say of keys and configuration is generated from the code that reads them, and compared here.
//!
//! `TRAINYARD_UPDATE_DOCS=1 cargo test --test docs` writes them anew.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

use std::collections::BTreeSet;
use std::fs;
use std::num::NonZeroU16;
use std::path::Path;

use serde_json::Value;
use trainyard::config;
use trainyard::tui;

const INTRODUCTION: &str = "generated from the code; `TRAINYARD_UPDATE_DOCS=1 cargo test --test docs` writes it anew";

/// How the name of a picture ends.
const PICTURE: &str = ".svg";

fn compare(name: &str, title: &str, body: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs").join(name);
    let wanted = format!("# {title}\n\n<!-- {INTRODUCTION} -->\n\n{}\n", body.trim());
    if std::env::var_os("TRAINYARD_UPDATE_DOCS").is_some() {
        fs::write(&path, &wanted).unwrap();
    }
    let found = fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(found, wanted, "docs/{name} is not what the code says; it is {INTRODUCTION}");
}

fn read(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap()
}

#[test]
fn the_configuration_page_is_what_the_reader_accepts() {
    compare("configuration.md", "Configuration", &config::reference());
}

#[test]
fn the_page_of_keys_is_what_the_screen_does() {
    compare("keys.md", "Keys and commands of the screen", &tui::reference());
}

/// What an example lacks that shows only what is under `[monitor]`.
const STAGES: &str = "\n[stages.train]\nuses = \"train\"\ntarget = \"quality\"\n[stages.build]\nuses = \"image\"\n\
                      needs = [\"train\"]\n[stages.deploy]\nuses = \"deploy\"\nneeds = [\"build\"]\n";

/// The examples are configurations, not pictures of them.
#[test]
fn every_configuration_in_the_documents_is_valid() {
    let names =
        ["README.md", "docs/engines.md", "docs/metrics.md", "docs/models.md", "docs/operations.md", "docs/training.md"];
    for name in names {
        let text = read(name);
        let examples: Vec<&str> = text.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
        assert!(!examples.is_empty(), "{name}");
        for example in examples {
            let missing = if example.contains("[stages.") { "" } else { STAGES };
            if let Err(errors) = config::parse(&format!("{example}{missing}"), name) {
                panic!("{errors}");
            }
        }
    }
}

/// `docs/panels.sh` takes the panels of its pictures from the page.
#[test]
fn the_page_of_metrics_has_a_panel_of_each_kind() {
    let text = read("docs/metrics.md");
    let (_, behind) = text.split_once("\n## Panels\n").unwrap();
    let (chapter, _) = behind.split_once("\n## ").unwrap();
    let examples: String = chapter.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    let panels = config::parse(&format!("{examples}{STAGES}"), "docs/metrics.md").unwrap().monitor.panels;
    assert_eq!(panels.len(), 6);
    for kind in ["area", "stat", "gauge", "heatmap", "table"] {
        assert_eq!(examples.matches(&format!("\nkind = \"{kind}\"\n")).count(), 1, "{kind}");
    }
}

/// Its table of trainyard's own metrics is whole.
#[test]
fn every_metric_of_our_own_is_in_the_page_of_metrics() {
    let (code, page) = (read("src/engine/own_metrics/page.rs"), read("docs/metrics.md"));
    let name_in = |call: &str| {
        let text = ["counter(\"", "gauge(\"", "heading(\""].iter().find_map(|begin| call.strip_prefix(begin))?;
        text.split('"').next().map(str::to_owned)
    };
    let names: Vec<String> = code.split("page.").filter_map(name_in).collect();
    assert!(names.len() > 20, "{names:?}");
    for name in names {
        assert!(page.contains(&format!("`trainyard_{name}`")), "trainyard_{name} is not in docs/metrics.md");
    }
}

/// The Python app of the tests is an example too.
#[test]
fn the_configuration_of_the_python_app_is_valid() {
    let name = "tests/fixtures/python-app/trainyard.toml";
    if let Err(errors) = config::parse(&read(name), name) {
        panic!("{errors}");
    }
}

/// What is no longer shown is not kept, and nothing is shown that is not there.
#[test]
fn the_pictures_in_the_folder_are_those_that_the_documents_show() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
    let names = |ending: &str| -> Vec<String> {
        let entries = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        entries.filter(|name| name.ends_with(ending)).collect()
    };
    let shown_in = |page: &str, before: &str| -> Vec<String> {
        let text = read(page);
        let targets = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
        targets.filter(|target| target.ends_with(PICTURE)).map(|target| target.replacen(before, "", 1)).collect()
    };
    let mut shown: BTreeSet<String> = shown_in("README.md", "docs/").into_iter().collect();
    for page in names(".md") {
        shown.extend(shown_in(&format!("docs/{page}"), ""));
    }
    let kept: BTreeSet<String> = names(PICTURE).into_iter().collect();
    assert_eq!(shown, kept);
}

/// Whoever plays it has the terminal back as it was, and nothing in it asks the terminal for an answer.
#[test]
fn the_cast_of_the_demo_can_be_played() {
    let text = read("docs/demo.cast");
    let mut lines = text.lines();
    let header: Value = serde_json::from_str(lines.next().unwrap()).unwrap();
    assert_eq!(header["version"], 2);
    let cells = |name: &str| NonZeroU16::new(u16::try_from(header[name].as_u64().unwrap()).unwrap()).unwrap();
    let mut parser = vt100::Parser::new(cells("height"), cells("width"), 0);
    let (mut last, mut was_taken) = (0.0, false);
    for line in lines {
        let (at, kind, data): (f64, String, String) = serde_json::from_str(line).unwrap();
        assert!(at >= last && at <= 100.0, "from {last} to {at}");
        last = at;
        match kind.as_str() {
            "o" => parser.process(data.as_bytes()),
            "m" => assert!(!data.is_empty(), "at {at}"),
            _ => panic!("an event of the kind {kind} at {at}"),
        }
        for question in ["\u{1b}[c", "\u{1b}]11;?", "\u{1b}[?2026$p", "\u{1b}]52;"] {
            assert!(kind != "o" || !data.contains(question), "{question:?} at {at}");
        }
        was_taken |= parser.screen().alternate_screen();
    }
    let screen = parser.screen();
    assert!(was_taken, "no screen is seen");
    assert!(!screen.alternate_screen(), "the alternate screen is not left");
    assert!(!screen.hide_cursor(), "the cursor is not given back");
    assert!(!screen.bracketed_paste(), "pastes are still marked");
}
