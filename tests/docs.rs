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

/// The example of the README is a configuration, not a picture of one.
#[test]
fn every_configuration_in_the_readme_is_valid() {
    let readme = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap();
    let examples: Vec<&str> = readme.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert!(!examples.is_empty());
    for example in examples {
        if let Err(errors) = config::parse(example, "README.md") {
            panic!("{errors}");
        }
    }
}
