//! What the documents say of keys and configuration is generated from the code that reads them, and compared here.
//!
//! `TRAINYARD_UPDATE_DOCS=1 cargo test --test docs` writes them anew.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

use std::fs;
use std::path::Path;

use trainyard::config;
use trainyard::tui;

const INTRODUCTION: &str = "generated from the code; `TRAINYARD_UPDATE_DOCS=1 cargo test --test docs` writes it anew";

fn compare(name: &str, title: &str, body: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs").join(name);
    let wanted = format!("# {title}\n\n<!-- {INTRODUCTION} -->\n\n{}\n", body.trim());
    if std::env::var_os("TRAINYARD_UPDATE_DOCS").is_some() {
        fs::write(&path, &wanted).unwrap();
    }
    let found = fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(found, wanted, "docs/{name} is not what the code says; it is {INTRODUCTION}");
}

#[test]
fn the_configuration_page_is_what_the_reader_accepts() {
    compare("configuration.md", "Configuration", &config::reference());
}

#[test]
fn the_page_of_keys_is_what_the_screen_does() {
    compare("keys.md", "Keys and commands of the screen", &tui::reference());
}

/// The examples are configurations, not pictures of them.
#[test]
fn every_configuration_in_the_readme_and_the_page_of_engines_is_valid() {
    for name in ["README.md", "docs/engines.md"] {
        let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap();
        let examples: Vec<&str> = text.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
        assert!(!examples.is_empty(), "{name}");
        for example in examples {
            if let Err(errors) = config::parse(example, name) {
                panic!("{errors}");
            }
        }
    }
}

/// The Python app of the tests is an example too.
#[test]
fn the_configuration_of_the_python_app_is_valid() {
    let name = "tests/fixtures/python-app/trainyard.toml";
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap();
    if let Err(errors) = config::parse(&text, name) {
        panic!("{errors}");
    }
}
