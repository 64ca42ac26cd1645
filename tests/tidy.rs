//! The rules of the house, held by a test: length of files, documentation, panics, sleeps, and who may enter which room.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on says so by a panic"
)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use regex::Regex;

/// The most lines of a file.
const LONGEST: usize = 600;

/// Which rooms a room may use beside itself. What stands first counts, so that a part of a room may have a rule of its own.
const MAY_USE: &[(&str, &[&str])] = &[
    ("pipeline", &[]),
    ("disk", &["pipeline"]),
    ("config", &["pipeline", "disk"]),
    ("watch", &["pipeline", "disk", "api::types"]),
    ("model", &["config", "disk", "pipeline", "api::types"]),
    ("target", &["pipeline", "disk", "config", "api::types"]),
    ("monitor", &["pipeline", "disk", "config"]),
    ("stage", &["model", "target", "monitor", "config", "pipeline", "disk", "api::types"]),
    ("engine", &["pipeline", "disk", "config", "watch", "model", "target", "monitor", "stage", "api::types"]),
    ("api/types.rs", &["pipeline"]),
    ("api/types", &["pipeline"]),
    ("api/client.rs", &["api::types", "pipeline", "disk"]),
    ("api/server.rs", &["engine", "api", "pipeline"]),
    ("api/server", &["engine", "api", "pipeline", "disk"]),
    ("api/ssh", &["api::client", "api::types", "pipeline", "disk"]),
    ("api", &[]),
    ("tui", &["api::client", "api::types", "pipeline", "disk"]),
    ("demo", &["api::client", "api::types", "config", "model", "pipeline", "disk"]),
];
/// The room that may enter all others.
const ANYWHERE: &str = "cli";

/// A source file of this package.
struct Source {
    path: PathBuf,
    text: String,
}

impl Source {
    fn name(&self) -> String {
        self.path.display().to_string()
    }
}

/// All Rust files below a folder; those of the sample app are data of the demo, not code of the house.
fn sources(folder: &str) -> Vec<Source> {
    let mut found = Vec::new();
    let mut open = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() && !path.ends_with("template") {
                open.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                let path = path.strip_prefix(env!("CARGO_MANIFEST_DIR")).unwrap().to_owned();
                found.push(Source { path, text });
            }
        }
    }
    assert!(!found.is_empty(), "no file below {folder}");
    found.sort_by(|one, other| one.path.cmp(&other.path));
    found
}

/// A file taken apart: the lines of the program itself, and the files that are only there for tests.
struct Parts<'a> {
    lines: Vec<(usize, &'a str)>,
    for_tests: Vec<PathBuf>,
}

/// Cuts out what stands behind `#[cfg(test)]`, and comments.
fn parts(source: &Source) -> Parts<'_> {
    let lines: Vec<&str> = source.text.lines().collect();
    let mut parts = Parts { lines: Vec::new(), for_tests: Vec::new() };
    let mut index = 0;
    while let Some(line) = lines.get(index) {
        index += 1;
        let code = line.trim_start();
        if code != "#[cfg(test)]" {
            if !code.starts_with("//") {
                parts.lines.push((index, line));
            }
            continue;
        }
        let mut own_path = None;
        while let Some(attribute) = lines.get(index).map(|line| line.trim()).filter(|line| line.starts_with("#[")) {
            own_path = attribute.strip_prefix("#[path = \"").and_then(|rest| rest.strip_suffix("\"]")).or(own_path);
            index += 1;
        }
        let item = lines.get(index).copied().unwrap_or_default();
        if item.ends_with(';') {
            parts.for_tests.extend(file_of_module(&source.path, item, own_path));
            index += 1;
            continue;
        }
        // As rustfmt writes it, an item ends at a bracket as far from the edge as its `#[cfg(test)]`.
        let end = format!("{}}}", &line[..line.len() - code.len()]);
        while lines.get(index).is_some_and(|line| *line != end) {
            index += 1;
        }
        index += 1;
    }
    parts
}

/// The file of `mod NAME;` in the file at `path`.
fn file_of_module(path: &Path, item: &str, own_path: Option<&str>) -> Option<PathBuf> {
    let name = item.trim().trim_end_matches(';').rsplit_once("mod ")?.1;
    let folder = path.parent()?;
    if let Some(own_path) = own_path {
        return Some(folder.join(own_path));
    }
    let is_root = path.file_stem().is_some_and(|stem| stem == "mod" || stem == "lib" || stem == "main");
    let folder = if is_root { folder.to_owned() } else { path.with_extension("") };
    Some(folder.join(format!("{name}.rs")))
}

/// The program without its tests: each file with its lines.
fn program(sources: &[Source]) -> Vec<(&Source, Vec<(usize, &str)>)> {
    let parts: Vec<(&Source, Parts<'_>)> = sources.iter().map(|source| (source, parts(source))).collect();
    let for_tests: BTreeSet<PathBuf> = parts.iter().flat_map(|(_, parts)| parts.for_tests.clone()).collect();
    assert!(for_tests.len() > 5, "files that are only for tests are not recognised any more");
    let is_program = |source: &Source| !for_tests.contains(&source.path) && !source.name().ends_with("tests.rs");
    parts.into_iter().filter(|(source, _)| is_program(source)).map(|(source, parts)| (source, parts.lines)).collect()
}

/// Fails with all faults at once.
#[track_caller]
fn assert_none(faults: &[String], rule: &str) {
    assert!(faults.is_empty(), "{rule}:\n{}", faults.join("\n"));
}

#[test]
fn no_file_is_longer_than_600_lines() {
    let all = sources("src").into_iter().chain(sources("tests"));
    let faults: Vec<String> = all
        .filter(|source| source.text.lines().count() > LONGEST)
        .map(|source| format!("{}: {} lines", source.name(), source.text.lines().count()))
        .collect();
    assert_none(&faults, "split these files: one concept a file");
}

#[test]
fn every_module_begins_with_what_it_is_for() {
    let all = sources("src").into_iter().chain(sources("tests"));
    let faults: Vec<String> =
        all.filter(|source| !source.text.starts_with("//! ")).map(|source| source.name()).collect();
    assert_none(&faults, "these files do not begin with `//!`");
}

#[test]
fn nothing_panics_outside_of_tests() {
    let sources = sources("src");
    let forbidden = [".unwrap()", ".expect(", "panic!(", "todo!(", "unimplemented!(", "unreachable!("];
    let mut faults = Vec::new();
    for (source, lines) in program(&sources) {
        for (number, line) in lines {
            if forbidden.iter().any(|word| line.contains(word)) {
                faults.push(format!("{}:{number}: {}", source.name(), line.trim()));
            }
        }
    }
    assert_none(&faults, "an error is a value; these lines panic");
}

#[test]
fn nothing_sleeps() {
    // In two parts, or this line would be a fault itself.
    let sleep = concat!("thread::", "sleep");
    let mut faults = Vec::new();
    for source in sources("src").into_iter().chain(sources("tests")) {
        let found = source.text.lines().enumerate().filter(|(_, line)| line.contains(sleep));
        faults.extend(found.map(|(index, _)| format!("{}:{}", source.name(), index + 1)));
    }
    assert_none(&faults, "wait for an event or on a channel with a limit");
}

#[test]
fn rooms_enter_only_the_rooms_that_they_may() {
    let sources = sources("src");
    let import = Regex::new(r"\bcrate::(?:\{|(\w+)(?:::(\w+))?)").unwrap();
    let mut faults = Vec::new();
    for (source, lines) in program(&sources) {
        let path = source.path.strip_prefix("src").unwrap().to_string_lossy().into_owned();
        let Some((room, _)) = path.split_once('/') else { continue };
        if room == ANYWHERE {
            continue;
        }
        let rule = MAY_USE.iter().find(|(of, _)| path == *of || path.starts_with(&format!("{of}/")));
        let Some((_, allowed)) = rule else {
            faults.push(format!("src/{path}: the room {room} has no rule; add it here and to ARCHITECTURE.md"));
            continue;
        };
        for (number, line) in lines {
            for found in import.captures_iter(line) {
                let used = found.get(1).map_or("{", |name| name.as_str());
                let whole = found.get(2).map_or_else(|| used.to_owned(), |part| format!("{used}::{}", part.as_str()));
                let is_own = used == room && room != "api";
                if !is_own && !allowed.contains(&used) && !allowed.contains(&whole.as_str()) {
                    faults.push(format!("src/{path}:{number}: {room} may not use {whole}: {}", line.trim()));
                }
            }
        }
    }
    assert_none(&faults, "these imports go against the plan of the house");
}

#[test]
fn within_the_api_only_the_server_knows_the_server() {
    let sources = sources("src/api");
    let neighbour = Regex::new(r"\bsuper::(\w+)").unwrap();
    let rules: [(&str, &[&str]); 2] = [("types.rs", &[]), ("client.rs", &["types"])];
    for (name, allowed) in rules {
        let source = sources.iter().find(|source| source.path.ends_with(name)).unwrap();
        for (number, line) in parts(source).lines {
            for found in neighbour.captures_iter(line) {
                assert!(allowed.contains(&&found[1]), "src/api/{name}:{number} may not use {}", &found[1]);
            }
        }
    }
}
