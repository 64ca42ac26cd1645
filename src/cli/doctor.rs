//! `trainyard doctor`: what works in this project and on this machine, one line a check, each with its mend.
//!
//! It looks and tells, and changes nothing but a probe folder that goes away again. [`project`] looks at the folder,
//! [`services`] asks the daemon and the host, [`machine`] looks at the rest. Only `missing` means that the project cannot work.

mod engines;
mod machine;
mod project;
mod services;

use std::fmt;
use std::io::{self, Write};
use std::path::Path;

use serde::Serialize;

use crate::config::load_judged;
use crate::disk::Layout;
use crate::monitor::expression_refusal;
use services::Services;

/// How a check came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Word {
    /// It works.
    Ok,
    /// The project works, but not as well as it could.
    Warning,
    /// The project cannot work like this.
    Missing,
}

impl fmt::Display for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Missing => "missing",
        })
    }
}

/// One check and how it came out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Check {
    name: &'static str,
    word: Word,
    sentence: String,
    /// What to do about it; nothing where all is well.
    mend: Option<String>,
}

impl Check {
    fn ok(name: &'static str, sentence: impl Into<String>) -> Self {
        Self { name, word: Word::Ok, sentence: one_line(&sentence.into()), mend: None }
    }

    fn warning(name: &'static str, sentence: impl Into<String>, mend: impl Into<String>) -> Self {
        Self { word: Word::Warning, mend: Some(one_line(&mend.into())), ..Self::ok(name, sentence) }
    }

    fn missing(name: &'static str, sentence: impl Into<String>, mend: impl Into<String>) -> Self {
        Self { word: Word::Missing, ..Self::warning(name, sentence, mend) }
    }

    /// From the text of an error of ours, in which the mend stands behind a semicolon.
    fn of_error(name: &'static str, word: Word, text: &str) -> Self {
        let (sentence, mend) = match text.split_once("; ") {
            Some((sentence, mend)) => (sentence, Some(one_line(mend))),
            None => (text, None),
        };
        Self { word, mend, ..Self::ok(name, sentence) }
    }
}

/// Text of the system or of git may have several lines.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The result as `--json` prints it.
#[derive(Debug, Serialize)]
struct Report<'a> {
    works: bool,
    checks: &'a [Check],
}

/// Checks the project in `folder` and this machine and writes the result to `out`, as text or as one JSON object. Answers
/// whether all that is needed works; warnings do not count. An error means that `folder` is not there, or that the result
/// cannot be written.
pub fn run(folder: &Path, json: bool, out: &mut impl Write) -> io::Result<bool> {
    let layout = Layout::new(folder).map_err(|error| {
        let text = format!("cannot look into {}: {error}; name the project folder with -C", folder.display());
        io::Error::new(error.kind(), text)
    })?;
    let settings = load_judged(layout.project(), &expression_refusal);
    let services = Services::ask(&layout);
    let valid = settings.as_ref().ok();
    let engines = engines::Engines::ask(valid);
    let checks = [
        project::configuration(&settings),
        project::git(&layout, valid),
        project::remote(valid),
        project::watch(&layout, services.watch_mode()),
        project::journal(&layout),
        project::disk(&layout, valid),
        project::schedules(valid),
        services.daemon(&layout),
        machine::port(valid, services.host_address()),
        engines.docker(valid),
        engines.kubernetes(valid),
        machine::terminal(),
        machine::libraries(valid),
    ];
    let works = checks.iter().all(|check| check.word != Word::Missing);
    if json {
        serde_json::to_writer_pretty(&mut *out, &Report { works, checks: &checks })?;
        writeln!(out)?;
    } else {
        write_text(&checks, out)?;
    }
    Ok(works)
}

fn write_text(checks: &[Check], out: &mut impl Write) -> io::Result<()> {
    for Check { name, word, sentence, mend } in checks {
        write!(out, "{word:<7}  {name:<13}  {sentence}")?;
        match mend {
            Some(mend) => writeln!(out, "; {mend}")?,
            None => writeln!(out)?,
        }
    }
    writeln!(out, "\n{}", summary(checks))
}

fn summary(checks: &[Check]) -> String {
    let names = |word| checks.iter().filter(|check| check.word == word).map(|check| check.name).collect::<Vec<_>>();
    let (missing, warnings) = (names(Word::Missing), names(Word::Warning));
    match (missing.as_slice(), warnings.as_slice()) {
        ([], []) => "all that is needed works".to_owned(),
        ([], warnings) => format!("all that is needed works; look at {}", warnings.join(", ")),
        (missing, _) => format!("not all that is needed works: {}", missing.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checks() -> [Check; 3] {
        [
            Check::ok("git", "on main at 3f2a91c"),
            Check::warning("disk", "0.6 GiB are free", "make room"),
            Check::of_error("journal", Word::Missing, "event 2 is damaged:\nit is no event; move it away"),
        ]
    }

    #[test]
    fn a_check_is_one_line_with_word_name_sentence_and_mend() {
        let mut out = Vec::new();
        write_text(&checks(), &mut out).unwrap();
        let expected = "\
ok       git            on main at 3f2a91c
warning  disk           0.6 GiB are free; make room
missing  journal        event 2 is damaged: it is no event; move it away

not all that is needed works: journal
";
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }

    #[test]
    fn warnings_do_not_keep_a_project_from_working() {
        let [git, disk, _] = checks();
        assert_eq!(summary(&[git.clone(), disk]), "all that is needed works; look at disk");
        assert_eq!(summary(&[git]), "all that is needed works");
    }

    #[test]
    fn every_check_is_made_where_there_is_no_project_and_the_missing_configuration_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let mut out = Vec::new();
        assert!(!run(folder.path(), true, &mut out).unwrap());
        let report: serde_json::Value = serde_json::from_slice(&out).unwrap();
        let of = |index: usize, key: &str| report["checks"][index][key].as_str().unwrap_or_default().to_owned();
        assert_eq!(report["works"], false);
        assert_eq!(report["checks"].as_array().map(Vec::len), Some(13));
        assert_eq!((of(0, "name"), of(0, "word")), ("configuration".to_owned(), "missing".to_owned()));
        assert_eq!(of(0, "mend"), "`trainyard init` writes one");
        // Looking leaves nothing behind.
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_folder_that_is_not_there_is_an_error_with_the_mend() {
        let folder = tempfile::tempdir().unwrap();
        let error = run(&folder.path().join("nowhere"), false, &mut Vec::new()).unwrap_err().to_string();
        assert!(error.ends_with("; name the project folder with -C"), "{error}");
    }
}
