//! The query language, by the files in which Prometheus tests its own.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on says so by a panic"
)]

use std::fs;
use std::path::{Path, PathBuf};

use trainyard::monitor::promqltest::{self, Report, Verdict};

/// The files lie beside the package, as in all that is shared.
const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/data/promqltest");

/// The files with what comes out of each; none, and a word about it, where they are not there.
fn reports(test: &str) -> Vec<(PathBuf, Report)> {
    let folder = Path::new(FOLDER);
    if !folder.is_dir() {
        eprintln!("skipped: {test}: {} is not there", folder.display());
        return Vec::new();
    }
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> =
        files.filter(|path| path.extension().is_some_and(|ending| ending == "test")).collect();
    files.sort();
    assert!(!files.is_empty(), "no file in {FOLDER}");
    let report = |path: PathBuf| {
        let report = promqltest::run(&fs::read_to_string(&path).unwrap());
        let report = report.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        (path, report)
    };
    files.into_iter().map(report).collect()
}

#[test]
fn nothing_is_answered_otherwise_than_by_prometheus() {
    let mut faults = Vec::new();
    for (path, report) in reports("nothing_is_answered_otherwise_than_by_prometheus") {
        for outcome in report.outcomes {
            if let Verdict::Failed(fault) = outcome.verdict {
                faults.push(format!("{}:{}: {}: {fault}", path.display(), outcome.line, outcome.expression));
            }
        }
    }
    assert!(faults.is_empty(), "{} evaluations failed:\n{}", faults.len(), faults.join("\n"));
}

#[test]
fn nearly_all_classic_evaluations_pass_and_the_others_are_refused_by_name() {
    let (mut passed, mut classic) = (0, 0);
    let mut refused = Vec::new();
    for (_, report) in reports("nearly_all_classic_evaluations_pass_and_the_others_are_refused_by_name") {
        passed += report.passed();
        classic += report.classic();
        for outcome in report.outcomes {
            if let Verdict::Unsupported { reason, is_classic: true } = outcome.verdict {
                refused.push(format!("{}: {reason}", outcome.expression));
            }
        }
    }
    assert!(passed * 100 >= classic * 95, "{passed} of {classic} pass; refused:\n{}", refused.join("\n"));
}
